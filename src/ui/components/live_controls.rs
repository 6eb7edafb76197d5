//! What makes the form and the print button live. The server draws them; this island holds what is typed against the same
//! rules before it is sent, keeps it in the tab until it is stored, and prints. It listens on the window and writes into
//! what is drawn: handlers on the elements would bring along a good part of the framework. *Runs: both; live in the
//! browser.*

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusEvent, HtmlInputElement, Storage};

use crate::{
    domain::contact::{ContactFault, Email, Phone},
    ui::hooks::{handed_texts::HandedTexts, in_browser::in_browser},
};

/// What the island looks for in the page.
pub mod ids {
    /// The form. It brings along the sentences for what is wrong.
    pub const FORM: &str = "contact";
    /// The input of the e-mail address. Its `data-session` is the registration, so that another one gets nothing of this.
    pub const EMAIL: &str = "email";
    /// The input of the phone number.
    pub const PHONE: &str = "phone";
    /// The button that prints; drawn hidden, for without JavaScript the browser's own menu prints.
    pub const PRINT: &str = "print";
}

/// The fields by the ids of their inputs, each with what is wrong with a text.
const FIELDS: [(&str, FaultOf); 2] =
    [(ids::EMAIL, |text| Email::parse(text).err()), (ids::PHONE, |text| Phone::parse(text).err())];

type FaultOf = fn(&str) -> Option<ContactFault>;

/// Where the tab keeps what is typed. One place: another registration in the same tab takes it over.
const KEPT: &str = "vestibule-form";

/// How long a second press does nothing: long enough for an answer, and whoever stopped waiting can send again.
const SENDING: Duration = Duration::from_secs(10);

/// Somewhere on a page with the form of these ids, or with the button that prints.
#[island]
pub fn LiveControls() -> impl IntoView {
    // For as long as the page is there.
    in_browser(|| {
        restore();
        if FIELDS.iter().filter_map(|(name, _)| input(name)).any(|input| input.value() != input.default_value()) {
            // Also what was typed before this ran.
            keep();
        }
        for event in ["focusout", "input", "submit", "click"] {
            window_event_listener_untyped(event, handle);
        }
        if let Some(button) = document().get_element_by_id(ids::PRINT) {
            let _ = button.remove_attribute("hidden");
        }
    });
}

fn handle(event: Event) {
    let target = event_target::<Element>(&event);
    match &*event.type_() {
        "submit" if target.id() == ids::FORM => submit(&event, &target),
        "submit" => {}
        "click" => {
            if target.id() == ids::PRINT {
                let _ = window().print();
            }
        }
        kind => {
            for (name, fault_of) in &FIELDS {
                let Some(input) = input(name).filter(|_| target.id() == *name) else { continue };
                let typed = input.value();
                // While one types, the sentence only goes; it comes when one is done.
                let done = kind == "focusout" && !typed.is_empty() && !goes_on_to_a_button(&event);
                if done || fault_of(&typed).is_none() {
                    check(name, *fault_of);
                }
            }
            keep();
        }
    }
}

/// Whether the field is left for a button. A sentence that came now would push the button away from under the finger that
/// presses it; the one that sends the form checks all the same.
fn goes_on_to_a_button(event: &Event) -> bool {
    let to = event.unchecked_ref::<FocusEvent>().related_target();
    to.is_some_and(|to| to.unchecked_into::<Element>().tag_name() == "BUTTON")
}

fn submit(event: &Event, form: &Element) {
    let mut first = None;
    for (name, fault_of) in &FIELDS {
        let faulty = check(name, *fault_of);
        first = first.or(faulty);
    }
    if let Some(first) = first {
        event.prevent_default();
        let _ = first.focus();
    } else if form.has_attribute("aria-busy") {
        event.prevent_default();
    } else {
        let _ = form.set_attribute("aria-busy", "true");
        let form = form.clone();
        set_timeout(move || drop(form.remove_attribute("aria-busy")), SENDING);
    }
}

/// Says beside the field what is wrong with what it holds, or nothing; gives it back if something is.
fn check(name: &str, fault_of: FaultOf) -> Option<HtmlInputElement> {
    let input = input(name)?;
    let fault = fault_of(&input.value());
    let _ = input.set_attribute("aria-invalid", if fault.is_some() { "true" } else { "false" });
    document().get_element_by_id(&format!("{name}-fault"))?.set_text_content(fault.map(sentence).as_deref());
    fault.map(|_| input)
}

/// What is to be said of a fault; the page has it in its language.
fn sentence(fault: ContactFault) -> String {
    let form = document().get_element_by_id(ids::FORM);
    form.map(|form| HandedTexts::of(&form).get(fault.as_str())).unwrap_or_default()
}

fn input(name: &str) -> Option<HtmlInputElement> {
    document().get_element_by_id(name).map(JsCast::unchecked_into)
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Whose form it is; none where there is no form, for then it is stored.
fn whose() -> Option<String> {
    input(ids::EMAIL)?.get_attribute("data-session")
}

/// Keeps what is typed, line by line: whose it is, then for each field what the server drew and what it holds now. An
/// input of one line has no line ends in it.
fn keep() {
    let Some(mut lines) = whose() else { return };
    for (name, _) in &FIELDS {
        let Some(input) = input(name) else { return };
        for text in [input.default_value(), input.value()] {
            lines.push('\n');
            lines.push_str(&text);
        }
    }
    if let Some(storage) = storage() {
        let _ = storage.set_item(KEPT, &lines);
    }
}

/// Gives back what was typed before the page was loaded again, unless the server has drawn something else since.
fn restore() {
    let Some(kept) = storage().and_then(|storage| storage.get_item(KEPT).ok().flatten()) else { return };
    let mut lines = kept.split('\n');
    if lines.next() != whose().as_deref() {
        // It is stored by now, or somebody else's.
        if let Some(storage) = storage() {
            let _ = storage.remove_item(KEPT);
        }
        return;
    }
    for (name, fault_of) in &FIELDS {
        let (Some(drawn), Some(typed), Some(input)) = (lines.next(), lines.next(), input(name)) else { return };
        if input.default_value() == drawn && input.value() == drawn && typed != drawn {
            input.set_value(typed);
            if !typed.is_empty() {
                check(name, *fault_of);
            }
        }
    }
}
