//! The live part of the connect page. It is small on purpose: the server draws it, with a panel for every stage, and the
//! island writes into what is drawn which one is shown, in one sentence what happens now, how much time is left, and how
//! it knows. *Runs: both; live in the browser.*

use std::time::Duration;

use leptos::prelude::*;
use web_sys::Element;

use crate::{
    api::LiveOptions,
    domain::{session::Snapshot, stage::Stage},
    ui::hooks::{
        in_browser::in_browser,
        live_state::LiveState,
        timer::Timer,
        use_connection_status::{
            ConnectionMethod, ConnectionStatusOptions, UseConnectionStatus, use_connection_status,
        },
    },
};

/// What the island looks for in the page.
mod ids {
    pub(super) const SECTION: &str = "live";
    pub(super) const HEADLINE: &str = "now";
    pub(super) const TIME_LEFT: &str = "time-left";
    pub(super) const BADGE: &str = "badge";
}

/// The attributes by which the section hands over to the island.
mod handed {
    /// The state that the page is drawn with, as JSON.
    pub(super) const STATE: &str = "data-state";
    pub(super) const ATTEMPTS: &str = "data-attempts";
    pub(super) const POLLING_MS: &str = "data-polling-ms";
}

/// Where the registration stands, around the panels of all stages.
#[component]
pub fn LiveStatus(
    /// The state that the page is drawn with.
    snapshot: Snapshot,
    /// How to stay live.
    options: LiveOptions,
    children: Children,
) -> impl IntoView {
    // A snapshot of plain fields can always be written as JSON.
    let state = serde_json::to_string(&snapshot).unwrap_or_default();
    let Snapshot { stage, opened, delayed, their_label, remaining_ms, .. } = snapshot;
    view! {
        <section
            id=ids::SECTION
            class="live"
            data-stage=stage.as_str()
            data-opened=word(opened)
            data-delayed=word(delayed)
            data-method=ConnectionMethod::Connecting.as_str()
            data-state=state
            data-attempts=options.attempts
            data-polling-ms=options.polling_ms
        >
            // The role is on the inside: on the heading itself it would take the heading away.
            <h1 class="now">
                <span id=ids::HEADLINE role="status">
                    {headline(stage, opened, their_label.as_deref())}
                </span>
            </h1>
            <p class="meta">
                <span class="countdown">
                    <span class="visually-hidden">"Time left: "</span>
                    <span id=ids::TIME_LEFT role="timer">
                        {clock_text(remaining_ms)}
                    </span>
                </span>
                <span id=ids::BADGE class="badge">
                    {badge(ConnectionMethod::Connecting, options.polling_ms)}
                </span>
            </p>
            {children()}
        </section>
        <LiveStatusIsland />
    }
}

/// Makes the section live.
#[island]
fn LiveStatusIsland() -> impl IntoView {
    in_browser(|| {
        follow();
    });
}

/// `None` where the page has no such section.
fn follow() -> Option<()> {
    let find = |id| document().get_element_by_id(id);
    let section = find(ids::SECTION)?;
    let (headline_, time_left, badge_) = (find(ids::HEADLINE)?, find(ids::TIME_LEFT)?, find(ids::BADGE)?);
    let number = |name| section.get_attribute(name)?.parse::<u32>().ok();
    let polling_ms = number(handed::POLLING_MS)?;
    let options = ConnectionStatusOptions {
        attempts: number(handed::ATTEMPTS)?,
        polling_interval: Duration::from_millis(polling_ms.into()),
        ..ConnectionStatusOptions::default()
    };
    let first = LiveState::read(&section.get_attribute(handed::STATE)?)?;
    let UseConnectionStatus { status, connection_method, .. } = use_connection_status(first, options);

    count_down(status, time_left);
    let shown = section.clone();
    Effect::new(move |_| {
        status.with(|state| {
            mark(&shown, "data-stage", state.stage.as_str());
            mark(&shown, "data-opened", word(state.opened));
            mark(&shown, "data-delayed", word(state.delayed));
            say(&headline_, &headline(state.stage, state.opened, state.their_label.as_deref()));
        });
    });
    Effect::new(move |_| {
        let method = connection_method.get();
        mark(&section, "data-method", method.as_str());
        say(&badge_, &badge(method, polling_ms));
    });
    Some(())
}

/// Shows how much time is left, counted down in the browser from what the server said remains.
fn count_down(status: Signal<LiveState>, clock: Element) {
    let deadline = StoredValue::new(0.0);
    let tick = move || {
        let left = (deadline.get_value() - js_sys::Date::now()).max(0.0);
        say(&clock, &clock_text(left as u64));
    };
    let timer = Timer::new(tick.clone());
    Effect::new(move |_| {
        let (left, ended) = status.with(|state| (state.remaining_ms, state.stage.is_end()));
        deadline.set_value(js_sys::Date::now() + left as f64);
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

fn word(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}

/// `14:59`
fn clock_text(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// What happens now, in one sentence.
fn headline(stage: Stage, opened: bool, their_label: Option<&str>) -> String {
    let wallet = their_label.unwrap_or("your wallet");
    match stage {
        Stage::Waiting if opened => "Your wallet has read the code".to_owned(),
        Stage::Waiting => "Scan the code with your wallet".to_owned(),
        Stage::Scanned => format!("Connecting to {wallet}"),
        Stage::Connected => format!("Connected to {wallet}"),
        Stage::Requested => format!("Look at {wallet}"),
        Stage::Presented => "Approved, being checked".to_owned(),
        Stage::Verified => "Verified".to_owned(),
        Stage::Submitted => "Registered".to_owned(),
        Stage::Declined => "You declined to share".to_owned(),
        Stage::Invalid => "That card could not be verified".to_owned(),
        Stage::Abandoned => "The wallet broke the connection off".to_owned(),
        Stage::Expired => "Time ran out".to_owned(),
        Stage::Cancelled => "Cancelled".to_owned(),
        Stage::Failed => "The platform refused".to_owned(),
    }
}

fn badge(method: ConnectionMethod, polling_ms: u32) -> String {
    match method {
        ConnectionMethod::Connecting => "Connecting …".to_owned(),
        ConnectionMethod::WebSocket => "Live".to_owned(),
        ConnectionMethod::Polling => format!("Checking every {} s", polling_ms.div_ceil(1_000)),
        ConnectionMethod::Offline => "Offline".to_owned(),
        ConnectionMethod::Ended => String::new(),
    }
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
}
