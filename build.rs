//! Cargo does not see the files that `sqlx::migrate!` reads; without this line a new migration would not be built in.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
