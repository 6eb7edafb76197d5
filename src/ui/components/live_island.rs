//! The island of the connect page: follows the registration and writes into what `live_status` drew. It brings no text of
//! its own along. *Runs: browser (effects); the names of things on both sides.*

use std::time::Duration;

use js_sys::JsString;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::{
    domain::{silence::Silence, stage::Stage},
    ui::hooks::{
        handed_texts::HandedTexts,
        in_browser::in_browser,
        live_state::LiveState,
        timer::Timer,
        use_connection_status::{
            ConnectionMethod, ConnectionStatusOptions, UseConnectionStatus, use_connection_status,
        },
    },
};

/// What the island looks for in the page.
pub(super) mod ids {
    pub(in super::super) const SECTION: &str = "live";
    pub(in super::super) const HEADING: &str = "heading";
    pub(in super::super) const HEADLINE: &str = "now";
    pub(in super::super) const TIME_LEFT: &str = "time-left";
    pub(in super::super) const LAST_MINUTE: &str = "last-minute";
    pub(in super::super) const RING: &str = "ring";
    pub(in super::super) const BADGE: &str = "badge";
    pub(in super::super) const NOTICE: &str = "notice";
    pub(in super::super) const HINT: &str = "hint";
}

/// The attributes by which the section hands over to the island, and the names of the texts in `data-texts`. Beside those
/// named here there is one for each stage and each way in which news arrive.
pub(super) mod handed {
    use crate::domain::silence::Silence;

    /// The state that the page is drawn with, as JSON.
    pub(super) const STATE: &str = "data-state";
    pub(super) const SILENT_MS: &str = "data-silent-ms";
    pub(super) const CODE_MS: &str = "data-code-ms";
    pub(super) const WALLET_MS: &str = "data-wallet-ms";
    pub(super) const ATTEMPTS: &str = "data-attempts";
    pub(super) const POLLING_MS: &str = "data-polling-ms";

    /// What is waiting for a wallet that has read the code.
    pub(in super::super) const OPENED: &str = "opened";
    pub(in super::super) const YOUR_WALLET: &str = "your-wallet";
    pub(in super::super) const SLOW: &str = "slow";
    pub(in super::super) const CROWDED: &str = "crowded";
    pub(in super::super) const NO_NETWORK: &str = "no-network";
    pub(in super::super) const LAST_MINUTE: &str = "last-minute";
    /// What stands for the wallet's name in a text.
    pub(in super::super) const WALLET: &str = "{wallet}";

    /// The name of a hint.
    pub(in super::super) fn hint(place: &str, silence: Silence) -> String {
        [place, if silence == Silence::Long { "-long" } else { "-hint" }].concat()
    }
}

/// Makes the section live.
#[island]
pub(super) fn LiveIsland() -> impl IntoView {
    in_browser(|| {
        follow();
    });
}

/// `None` where the page has no such section.
fn follow() -> Option<()> {
    let find = |id| document().get_element_by_id(id);
    let section = find(ids::SECTION)?;
    let (headline, badge, notice) = (find(ids::HEADLINE)?, find(ids::BADGE)?, find(ids::NOTICE)?);
    let number = |name| section.get_attribute(name)?.parse::<u64>().ok();
    let options = ConnectionStatusOptions {
        attempts: number(handed::ATTEMPTS)? as u32,
        polling_interval: Duration::from_millis(number(handed::POLLING_MS)?),
        ..ConnectionStatusOptions::default()
    };
    let first = LiveState::read(&section.get_attribute(handed::STATE)?)?;
    let texts = HandedTexts::of(&section);
    let clock = Clock {
        time_left: find(ids::TIME_LEFT)?,
        last_minute: find(ids::LAST_MINUTE)?,
        ring: find(ids::RING)?,
        hint: find(ids::HINT)?,
        texts: texts.clone(),
        version: first.version,
        silent: number(handed::SILENT_MS)? as f64,
        code: number(handed::CODE_MS)?,
        wallet: number(handed::WALLET_MS)?,
    };
    let UseConnectionStatus { status, connection_method, is_crowded, .. } = use_connection_status(first, options);

    run(clock, status);
    let (shown, says) = (section.clone(), texts.clone());
    Effect::new(move |_| {
        status.with(|state| {
            let focused = document().active_element().filter(|focused| shown.contains(Some(focused)));
            mark(&shown, "data-stage", state.stage.as_str());
            mark(&shown, "data-opened", word(state.opened));
            keep_focus(focused);
            // What ended badly is told at once, whatever is being read.
            mark(&headline, "aria-live", if state.stage.is_end() { "assertive" } else { "polite" });
            say(&headline, &headline_of(state, &says));
        });
    });
    Effect::new(move |_| {
        let method = connection_method.get();
        mark(&section, "data-method", method.as_str());
        say(&badge, &texts.get(method.as_str()));
        let notice_is = match () {
            () if method == ConnectionMethod::Offline => handed::NO_NETWORK,
            () if is_crowded.get() => handed::CROWDED,
            () if status.with(|state| state.delayed) => handed::SLOW,
            () => "",
        };
        say(&notice, &texts.get(notice_is));
    });
    Some(())
}

/// What happens now, in one sentence.
fn headline_of(state: &LiveState, texts: &HandedTexts) -> String {
    let sentence: JsString = texts.get(place(state.stage, state.opened)).into();
    let wallet = state.their_label.clone().unwrap_or_else(|| texts.get(handed::YOUR_WALLET));
    sentence.split(handed::WALLET).join(&wallet).into()
}

/// Whoever was on something that is shown no more goes on at the heading, and not at the beginning of the page.
fn keep_focus(focused: Option<Element>) {
    let is_gone = focused.is_some_and(|focused| focused.unchecked_into::<HtmlElement>().offset_width() == 0);
    if let Some(heading) = document().get_element_by_id(ids::HEADING).filter(|_| is_gone) {
        let _ = heading.unchecked_into::<HtmlElement>().focus();
    }
}

/// What goes by time alone: counted in the browser from what the server said.
struct Clock {
    time_left: Element,
    last_minute: Element,
    ring: Element,
    hint: Element,
    texts: HandedTexts,
    /// The state that the page was drawn with.
    version: u64,
    /// How long there had been no news when the page was drawn, in milliseconds.
    silent: f64,
    /// How long a code waits, and how long the wallet has from then on, in milliseconds.
    code: u64,
    wallet: u64,
}

/// Shows how much time is left, and what may be the matter when nothing happens, until the registration has ended.
fn run(clock: Clock, status: Signal<LiveState>) {
    let deadline = StoredValue::new(0.0);
    let news_at = StoredValue::new(0.0);
    let drawn = clock.version;
    let silent = clock.silent;
    let tick = move || {
        let now = js_sys::Date::now();
        let left = (deadline.get_value() - now).max(0.0) as u64;
        let (stage, opened) = status.with_untracked(|state| (state.stage, state.opened));
        let whole = if stage == Stage::Waiting { clock.code } else { clock.wallet };
        say(&clock.time_left, &clock_text(left));
        mark(&clock.ring, "stroke-dasharray", &share_left(left, whole));
        // Said once, in time to do something about it.
        let is_late = left < 60_000 && whole > 60_000 && !stage.is_end();
        say(&clock.last_minute, &if is_late { clock.texts.get(handed::LAST_MINUTE) } else { String::new() });
        let hint = match Silence::after((now - news_at.get_value()).max(0.0) as u64) {
            Silence::Short => String::new(),
            silence => clock.texts.get(&handed::hint(place(stage, opened), silence)),
        };
        say(&clock.hint, &hint);
    };
    let timer = Timer::new(tick.clone());
    Effect::new(move |_| {
        let (left, version, ended) =
            status.with(|state| (state.remaining_ms as f64, state.version, state.stage.is_end()));
        let now = js_sys::Date::now();
        deadline.set_value(now + left);
        news_at.set_value(if version == drawn { now - silent } else { now });
        tick();
        if ended { timer.clear() } else { timer.every(Duration::from_secs(1)) }
    });
}

fn mark(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

/// Written only where it is something else: what is told aloud is not to be told twice.
fn say(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// A stage as texts are named by it; a code that was read is a place of its own.
pub(super) fn place(stage: Stage, opened: bool) -> &'static str {
    if stage == Stage::Waiting && opened { handed::OPENED } else { stage.as_str() }
}

pub(super) fn word(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}

/// `14:59`
pub(super) fn clock_text(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// How much of a ring of length 1 is left, as the dash of its line; in steps that can be seen.
pub(super) fn share_left(left: u64, whole: u64) -> String {
    let thousandths = (left * 1_000).checked_div(whole).unwrap_or(0).min(1_000);
    format!("{}.{:03} 2", thousandths / 1_000, thousandths % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_countdown_is_read_like_a_clock() {
        assert_eq!(clock_text(900_000), "15:00");
        assert_eq!(clock_text(61_001), "1:02");
        assert_eq!(clock_text(0), "0:00");
    }

    #[test]
    fn a_ring_is_whole_at_first_and_gone_at_the_end() {
        assert_eq!(share_left(900_000, 900_000), "1.000 2");
        assert_eq!(share_left(450_000, 900_000), "0.500 2");
        assert_eq!(share_left(0, 900_000), "0.000 2");
        assert_eq!(share_left(5, 0), "0.000 2");
    }
}
