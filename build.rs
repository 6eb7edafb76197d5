//! Makes the texts of `locales/` into code, with their keys checked. And cargo does not see the files that
//! `sqlx::migrate!` reads; without the line here a new migration would not be built in.

use std::{error::Error, path::PathBuf};

use leptos_i18n_build::{Config, FileFormat, ParseOptions, TranslationsInfos};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");

    let options = ParseOptions::default().file_format(FileFormat::Toml).interpolate_display(true);
    let languages = Config::new("en")?.add_locale("fr")?.parse_options(options);
    let texts = TranslationsInfos::parse(languages)?;
    texts.emit_diagnostics();
    texts.rerun_if_locales_changed();
    texts.generate_i18n_module(PathBuf::from(std::env::var("OUT_DIR")?).join("i18n"))?;
    Ok(())
}
