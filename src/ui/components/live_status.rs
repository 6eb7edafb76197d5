//! The live part of the connect page. It is small on purpose: the server draws a panel for every stage, and this island
//! only says which one is shown, in one sentence what happens now, and how much time is left. *Runs: both; live in the
//! browser.*

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    api::LiveOptions,
    domain::{session::Snapshot, stage::Stage},
    ui::hooks::use_connection_status::{
        ConnectionMethod, ConnectionStatusOptions, UseConnectionStatus, use_connection_status,
    },
};

/// Shows where the registration stands, live, around the panels of all stages.
#[island]
pub fn LiveStatus(
    /// The state that the server drew the page with.
    snapshot: Snapshot,
    /// How to stay live.
    options: LiveOptions,
    children: Children,
) -> impl IntoView {
    let UseConnectionStatus { status, connection_method, .. } = use_connection_status(
        snapshot,
        ConnectionStatusOptions {
            attempts: options.attempts,
            polling_interval: Duration::from_millis(options.polling_ms.into()),
        },
    );
    let stage = Memo::new(move |_| status.with(|status| status.stage));
    let remaining = use_countdown(status);
    view! {
        <section
            class="live"
            data-stage=move || stage.get().as_str()
            data-opened=move || word(status.with(|status| status.opened))
            data-delayed=move || word(status.with(|status| status.delayed))
            data-method=move || connection_method.get().as_str()
        >
            // The role is on the inside: on the heading itself it would take the heading away.
            <h1 class="now">
                <span role="status">{move || status.with(headline)}</span>
            </h1>
            <p class="meta">
                <span class="countdown" hidden=move || stage.get().is_end() || stage.get() == Stage::Verified>
                    <span class="visually-hidden">"Time left: "</span>
                    <span role="timer">{move || clock_text(remaining.get())}</span>
                </span>
                <span class="badge">{move || badge(connection_method.get(), options.polling_ms)}</span>
            </p>
            {children()}
        </section>
    }
}

/// Milliseconds until the deadline, counted down in the browser from what the server said remains.
fn use_countdown(status: Signal<Snapshot>) -> ReadSignal<u64> {
    let (remaining, set_remaining) = signal(status.with_untracked(|status| status.remaining_ms));
    Effect::new(move |_| {
        let deadline = js_sys::Date::now() + status.with(|status| status.remaining_ms) as f64;
        let tick = move || set_remaining.set((deadline - js_sys::Date::now()).max(0.0) as u64);
        tick();
        if let Ok(timer) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || timer.clear());
        }
    });
    remaining
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
fn headline(status: &Snapshot) -> String {
    let wallet = || status.their_label.as_deref().unwrap_or("your wallet");
    match status.stage {
        Stage::Waiting if status.opened => "Your wallet has read the code".to_owned(),
        Stage::Waiting => "Scan the code with your wallet".to_owned(),
        Stage::Scanned => format!("Connecting to {}", wallet()),
        Stage::Connected => format!("Connected to {}", wallet()),
        Stage::Requested => format!("Look at {}", wallet()),
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
