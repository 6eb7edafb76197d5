//! The live part of the connect page, as the server draws it: with a panel for every stage, and with the texts that may
//! take the place of others. The island in `live_island` writes into it which panel is shown, in one sentence what happens
//! now, what may be the matter, how much time is left, and how it knows. *Runs: server.*

use leptos::prelude::*;

use super::live_island::{LiveIsland, clock_text, handed, ids, place, share_left, word};
use crate::{
    api::LiveOptions,
    domain::{session::Snapshot, silence::Silence, stage::Stage},
    language::{said, tr},
    ui::hooks::{handed_texts::hand_over, use_connection_status::ConnectionMethod},
};

/// Where the registration stands, around the panels of all stages.
#[component]
pub fn LiveStatus(
    /// The state that the page is drawn with.
    snapshot: Snapshot,
    /// Milliseconds since the last news.
    silent_ms: u64,
    /// How many milliseconds a code waits to be scanned.
    code_ms: u64,
    /// How many milliseconds the wallet has from then on.
    wallet_ms: u64,
    /// How to stay live.
    options: LiveOptions,
    children: Children,
) -> impl IntoView {
    // A snapshot of plain fields can always be written as JSON.
    let state = serde_json::to_string(&snapshot).unwrap_or_default();
    let Snapshot { stage, opened, delayed, their_label, remaining_ms, .. } = snapshot;
    let wallet = their_label.unwrap_or_else(|| tr!("now-your-wallet"));
    let now = if place(stage, opened) == handed::OPENED { tr!("now-opened") } else { said::now(stage, &wallet) };
    view! {
        <section
            id=ids::SECTION
            class="live"
            data-stage=stage.as_str()
            data-opened=word(opened)
            data-method=ConnectionMethod::Connecting.as_str()
            data-state=state
            data-silent-ms=silent_ms
            data-code-ms=code_ms
            data-wallet-ms=wallet_ms
            data-attempts=options.attempts
            data-polling-ms=options.polling_ms
            data-texts=texts(options)
        >
            // Without the role of a status: a heading has no name in what is inside of one.
            <h1 id=ids::HEADING class="now" tabindex="-1">
                <span id=ids::HEADLINE aria-live="polite" aria-atomic="true">
                    {now}
                </span>
            </h1>
            <p class="meta">
                <span class="countdown">
                    <svg class="ring" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
                        <circle cx="10" cy="10" r="8" />
                        <circle
                            id=ids::RING
                            cx="10"
                            cy="10"
                            r="8"
                            pathLength="1"
                            stroke-dasharray=share_left(remaining_ms, if stage == Stage::Waiting { code_ms } else { wallet_ms })
                        />
                    </svg>
                    <span class="visually-hidden">{tr!("connect-time-left")} " "</span>
                    <span id=ids::TIME_LEFT role="timer">
                        {clock_text(remaining_ms)}
                    </span>
                    <span id=ids::LAST_MINUTE class="visually-hidden" aria-live="polite"></span>
                </span>
                <span id=ids::BADGE class="badge">
                    {tr!("badge-connecting")}
                </span>
            </p>
            <p id=ids::NOTICE class="trouble notice-now" aria-live="polite">
                {delayed.then(|| tr!("connect-slow"))}
            </p>
            <p id=ids::HINT class="hint-now" aria-live="polite">
                {hint(stage, opened, Silence::after(silent_ms))}
            </p>
            {children()}
        </section>
        <LiveIsland />
    }
}

/// Everything that the island may have to write.
fn texts(options: LiveOptions) -> String {
    let mut texts = vec![
        (handed::OPENED.to_owned(), tr!("now-opened")),
        (handed::YOUR_WALLET.to_owned(), tr!("now-your-wallet")),
        (handed::SLOW.to_owned(), tr!("connect-slow")),
        (handed::CROWDED.to_owned(), tr!("connect-crowded")),
        (handed::NO_NETWORK.to_owned(), tr!("connect-offline")),
        (handed::LAST_MINUTE.to_owned(), tr!("connect-last-minute")),
        (ConnectionMethod::Connecting.as_str().to_owned(), tr!("badge-connecting")),
        (ConnectionMethod::WebSocket.as_str().to_owned(), tr!("badge-live")),
        (ConnectionMethod::Offline.as_str().to_owned(), tr!("badge-offline")),
        (
            ConnectionMethod::Polling.as_str().to_owned(),
            tr!("badge-polling", seconds = options.polling_ms.div_ceil(1_000)),
        ),
    ];
    texts.extend(Stage::ALL.map(|stage| (stage.as_str().to_owned(), said::now(stage, handed::WALLET))));
    for (stage, opened) in Stage::ALL.map(|stage| (stage, false)).into_iter().chain([(Stage::Waiting, true)]) {
        for silence in [Silence::AWhile, Silence::Long] {
            let name = handed::hint(place(stage, opened), silence);
            texts.extend(hint(stage, opened, silence).map(|text| (name, text)));
        }
    }
    hand_over(texts)
}

/// What may be the matter when there is no news, and what to do.
fn hint(stage: Stage, opened: bool, silence: Silence) -> Option<String> {
    let is_long = match silence {
        Silence::Short => return None,
        Silence::AWhile => false,
        Silence::Long => true,
    };
    Some(match stage {
        Stage::Waiting if opened && is_long => tr!("hint-opened-long"),
        Stage::Waiting if opened => tr!("hint-opened"),
        Stage::Waiting if is_long => tr!("hint-waiting-long"),
        Stage::Waiting => tr!("hint-waiting"),
        Stage::Scanned | Stage::Connected if is_long => tr!("hint-connecting-long"),
        Stage::Scanned | Stage::Connected => tr!("hint-connecting"),
        Stage::Requested if is_long => tr!("hint-requested-long"),
        Stage::Requested => tr!("hint-requested"),
        Stage::Presented => tr!("hint-presented"),
        // The form has time enough, and an end is no silence.
        Stage::Verified
        | Stage::Submitted
        | Stage::Declined
        | Stage::Invalid
        | Stage::Abandoned
        | Stage::Expired
        | Stage::Cancelled
        | Stage::Failed => return None,
    })
}
