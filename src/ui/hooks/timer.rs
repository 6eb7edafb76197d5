//! One timer of the browser's for one purpose. *Runs: browser (effects).*

use std::{cell::Cell, time::Duration};

use leptos::prelude::window;
use wasm_bindgen::{JsCast, closure::Closure};

/// Does one thing, later or again and again. It is made once and set as often as one likes: what the framework's timers
/// do is kept by the browser for ever when they are cleared before they are due.
#[derive(Debug)]
pub struct Timer {
    act: Closure<dyn Fn()>,
    handle: Cell<Option<i32>>,
}

impl Timer {
    /// A timer that is not set.
    pub fn new(act: impl Fn() + 'static) -> Self {
        Self { act: Closure::new(act), handle: Cell::default() }
    }

    /// Sets it, whatever it was set to before.
    pub fn after(&self, wait: Duration) {
        self.clear();
        let act = self.act.as_ref().unchecked_ref();
        let handle = window().set_timeout_with_callback_and_timeout_and_arguments_0(act, millis(wait));
        self.handle.set(handle.ok());
    }

    /// Sets it to go on until it is cleared.
    pub fn every(&self, period: Duration) {
        self.clear();
        let act = self.act.as_ref().unchecked_ref();
        let handle = window().set_interval_with_callback_and_timeout_and_arguments_0(act, millis(period));
        self.handle.set(handle.ok());
    }

    /// Nothing is due any more.
    pub fn clear(&self) {
        if let Some(handle) = self.handle.take() {
            // Timeouts and intervals have their handles from one list (HTML, section 8.6).
            window().clear_timeout_with_handle(handle);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clear();
    }
}

fn millis(length: Duration) -> i32 {
    i32::try_from(length.as_millis()).unwrap_or(i32::MAX)
}
