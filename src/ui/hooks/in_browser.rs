//! Something to be done once, in the browser alone. *Runs: browser (effects).*

use leptos::prelude::*;

/// Does it when the island is live. For a plain function: the framework is built in once for all who use this.
pub fn in_browser(act: fn()) {
    Effect::new(move |_| act());
}
