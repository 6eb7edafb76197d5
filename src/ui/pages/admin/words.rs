//! What the staff's pages say: stages, reasons, events and deeds in words, and times as people read them. *Runs: server.*

use crate::{
    api::admin::{Entry, Happened},
    domain::{
        stage::Stage,
        time::{CalendarTime, Timestamp},
    },
};

/// A stage, in a few words.
pub(super) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "Code on screen",
        Stage::Scanned => "Connecting",
        Stage::Connected => "Connected",
        Stage::Requested => "Asked to share",
        Stage::Presented => "Being confirmed",
        Stage::Verified => "At the form",
        Stage::Submitted => "Registered",
        Stage::Declined => "Declined",
        Stage::Invalid => "Not valid",
        Stage::Abandoned => "Broken off",
        Stage::Expired => "Out of time",
        Stage::Cancelled => "Cancelled",
        Stage::Failed => "Failed",
    }
}

/// What a registration in this stage waits for, or how it ended.
const fn waits_for(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "Nobody has scanned the code yet",
        Stage::Scanned => "The wallet has to finish connecting",
        Stage::Connected => "The wallet is about to be asked",
        Stage::Requested => "The holder has to approve in the wallet",
        Stage::Presented => "The platform has to confirm what was shared",
        Stage::Verified => "The person has to send the form",
        Stage::Submitted => "Nothing more is to be done",
        Stage::Declined => "The holder declined to share",
        Stage::Invalid => "What was shared did not verify",
        Stage::Abandoned => "The wallet broke the connection off",
        Stage::Expired => "Nothing came in time",
        Stage::Cancelled => "It was cancelled",
        Stage::Failed => "The platform refused for good",
    }
}

/// What a registration waits for and why, or how it ended.
pub(super) fn reason(entry: &Entry) -> String {
    let waits = match entry.stage {
        Stage::Waiting if entry.opened => "A wallet read the code and has not answered yet",
        stage => waits_for(stage),
    };
    match &entry.problem {
        Some((problem, tries)) if !entry.stage.is_end() => format!("{waits}. Tried {tries} times: {problem}"),
        _ if entry.delayed => format!("{waits}. The platform is slow"),
        _ => waits.to_owned(),
    }
}

/// Something that happened, in a sentence.
pub(super) fn happened(what: &Happened) -> String {
    match what {
        Happened::Begun => "The person agreed, and the registration began".to_owned(),
        Happened::Attempt { has_code: true } => "A code was shown".to_owned(),
        Happened::Attempt { has_code: false } => {
            "The wallet was to be asked again, over the connection it has".to_owned()
        }
        Happened::Asked => "The platform was told to ask the wallet".to_owned(),
        Happened::Told { event, was_asked, outcome, .. } => {
            let from = if *was_asked { "The platform said when it was asked: " } else { "" };
            let effect = match &**outcome {
                "applied" => "",
                "repeated" => " (said before)",
                "late" => " (too late to move anything)",
                "after_end" => " (after the end)",
                "other_connection" => " (from another wallet than the one that came first; ignored)",
                "looked_up" => " (so the platform is asked)",
                _ => " (moves nothing)",
            };
            format!("{from}{}{effect}", told(event))
        }
        Happened::Done { act, tries } => {
            let times = if *tries > 1 { format!(" (at the {tries}. attempt)") } else { String::new() };
            format!("{}{times}", done_act(act))
        }
        Happened::Verified => "The data were confirmed, and the form is open".to_owned(),
        Happened::Ended(Stage::Submitted) => "The form was sent: registered".to_owned(),
        Happened::Ended(end) => format!("{}: that was the end", waits_for(*end)),
        Happened::Deed { deed: name, by } => {
            let by = if by.is_empty() { "Somebody with the token" } else { by };
            format!("{by} {}", deed(name))
        }
    }
}

fn told(event: &str) -> &'static str {
    match event {
        "requested" => "A wallet scanned the code and asked to connect",
        "answered" => "The platform answered the wallet",
        "completed" => "The connection is complete",
        "abandoned" => "The wallet broke the connection off",
        "proof_requested" => "The request went out to the wallet",
        "presented" => "The holder approved, and the data were shared",
        "declined" => "The holder declined",
        "invalid" => "What was shared did not verify",
        "exchange_ended" => "The exchange with the wallet ended",
        "taken_up" => "A wallet took the code up over a connection it has",
        _ => "Something that says nothing here",
    }
}

fn done_act(act: &str) -> &'static str {
    match act {
        "request_proof" => "The wallet was asked",
        "verify_proof" => "The platform was asked to confirm what was shared",
        "tidy_up" => "What was left at the platform was deleted",
        _ => "The server did what was due",
    }
}

/// What the server has to do, in a few words.
pub(super) fn act(kind: &str) -> &'static str {
    match kind {
        "request_proof" => "Ask the wallet for the data",
        "verify_proof" => "Have the platform confirm what was shared",
        "fall_back" => "Go on without the wallet's confirmation of the connection",
        "expire" => "End it at its deadline",
        "purge" => "Delete it when its time is over",
        "reconcile" => "Ask the platform how things stand",
        "read_connection" => "Read a connection of unknown origin",
        "tidy_up" => "Delete at the platform what was left there",
        _ => "Something that a newer version does",
    }
}

/// What somebody of the staff did, as the end of a sentence.
pub(super) fn deed(deed: &str) -> &'static str {
    match deed {
        "signed_in" => "signed in",
        "signed_out" => "signed out",
        "looked" => "had the personal values shown",
        "exported" => "exported the registrations",
        "asked_again" => "had the wallet asked again",
        "renewed" => "made a new code",
        "reconciled" => "had the platform asked",
        "cancelled" => "cancelled the registration",
        "erased" => "deleted the personal data",
        "replayed" => "tried a delivery again",
        "discarded" => "put a delivery aside",
        _ => "did something that a newer version knows",
    }
}

/// What came of an action, by the word in the address; and whether that is a trouble.
pub(super) fn done(word: Option<&str>) -> Option<(&'static str, bool)> {
    Some(match word? {
        "looked" => ("The personal values are shown for a minute. That you looked is in the record.", false),
        "asked_again" => ("The wallet is asked again. A page that showed the end has to be loaded again.", false),
        "renewed" => ("There is a new code. A page that showed an end has to be loaded again to show it.", false),
        "reconciled" => ("The platform is asked now. What it says shows below.", false),
        "cancelled" => ("The registration is cancelled.", false),
        "erased" => ("The personal data are deleted.", false),
        "too_late" => ("The registration is at another point by now, where this is not to be done.", true),
        "platform" => ("The platform does not answer, so there is no new code. Try again later.", true),
        "matched" => ("The delivery found its registration.", false),
        "unmatched" => ("The delivery still belongs to no registration here.", true),
        "discarded" => ("The delivery is put aside.", false),
        "gone" => ("The delivery is not there any more.", true),
        _ => return None,
    })
}

/// How long it is from one time to another: `12 s`, `3 min`, `2 h 5 min`, `4 d`.
pub(super) fn length(milliseconds: u64) -> String {
    match milliseconds / 1_000 {
        0 => format!("{milliseconds} ms"),
        seconds @ 1..=59 => format!("{seconds} s"),
        seconds @ 60..=3_599 => format!("{} min", seconds / 60),
        seconds @ 3_600..=86_399 if seconds % 3_600 < 60 => format!("{} h", seconds / 3_600),
        seconds @ 3_600..=86_399 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// `10:15:00` UTC.
pub(super) fn clock(at: Timestamp) -> String {
    at.rfc3339().get(11..19).unwrap_or_default().to_owned()
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2 Mar`.
pub(super) fn day(at: Timestamp) -> String {
    let text = at.rfc3339();
    let Some(CalendarTime { month, day, .. }) = CalendarTime::read(&text) else { return text };
    format!("{day} {}", MONTHS.get(usize::from(month).saturating_sub(1)).unwrap_or(&""))
}

/// `2 Mar, 10:15`.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{}, {}", day(at), at.rfc3339().get(11..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_like_people_say_them() {
        for (milliseconds, said) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (3_600_000, "1 h"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(length(milliseconds), said);
        }
    }

    #[test]
    fn times_are_those_of_the_world() {
        let at = Timestamp(1_772_446_500_180);
        assert_eq!((clock(at), moment(at)), ("10:15:00".to_owned(), "2 Mar, 10:15".to_owned()));
    }
}
