//! The island that keeps a page of the staff's up to date. It is told over a socket that something changed, reads the page it is on once
//! more, and takes over the parts of it that are live: the server draws them, as it drew them first. *Runs: browser (effects).*

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CloseEvent, DomParser, Element, HtmlElement, MessageEvent, RequestCache, RequestInit, Response, SupportedType,
    VisibilityState, WebSocket,
};

use crate::{
    domain::wire::Close,
    ui::hooks::{
        backoff::Backoff, in_browser::in_browser, timer::Timer, use_connection_status::ConnectionStatusOptions,
    },
};

/// The element that says how soon after a change the page is read again, `data-pace` in milliseconds.
pub const PACE: &str = "pace";
/// How often the page is read while there is no socket,
const POLL: Duration = Duration::from_secs(5);
/// and while there is one: times grow old, and what a server that died could not tell has to be found.
const REFRESH: Duration = Duration::from_secs(30);

/// Makes the page live.
#[island]
pub fn LivePage() -> impl IntoView {
    in_browser(begin);
}

struct Page {
    pace: Duration,
    backoff: Cell<Backoff>,
    socket: RefCell<Option<WebSocket>>,
    /// Since when the socket stands, by the browser's clock.
    stands_since: Cell<Option<f64>>,
    is_reading: Cell<bool>,
    /// Something changed while the page was being read.
    has_changed: Cell<bool>,
    retry: Timer,
    due: Timer,
    on_message: Closure<dyn Fn(MessageEvent)>,
    on_close: Closure<dyn Fn(CloseEvent)>,
}

fn begin() {
    let pace = document().get_element_by_id(PACE).and_then(|element| element.get_attribute("data-pace")?.parse().ok());
    let page = Rc::new_cyclic(|this: &Weak<Page>| {
        let with = |act: fn(&Rc<Page>)| {
            let this = this.clone();
            move || this.upgrade().iter().for_each(act)
        };
        let (heard, closed) = (with(Page::changed), this.clone());
        Page {
            pace: Duration::from_millis(pace.unwrap_or(500)),
            backoff: Cell::new(Backoff::new(ConnectionStatusOptions::default())),
            socket: RefCell::default(),
            stands_since: Cell::default(),
            is_reading: Cell::default(),
            has_changed: Cell::default(),
            retry: Timer::new(with(Page::connect)),
            due: Timer::new(with(Page::read)),
            on_message: Closure::new(move |_| heard()),
            on_close: Closure::new(move |event: CloseEvent| {
                closed.upgrade().iter().for_each(|page| page.closed(event.code(), &event.reason()));
            }),
        }
    });
    for event in ["visibilitychange", "online", "pageshow"] {
        let page = Rc::clone(&page);
        let listener = window_event_listener_untyped(event, move |_| page.wake());
        on_cleanup(move || listener.remove());
    }
    page.connect();
    page.due.after(POLL);
}

impl Page {
    fn is_seen() -> bool {
        document().visibility_state() == VisibilityState::Visible
    }

    fn wake(self: &Rc<Self>) {
        if Self::is_seen() {
            self.read();
            if self.socket.borrow().is_none() {
                self.connect();
            }
        }
    }

    fn connect(self: &Rc<Self>) {
        if self.socket.borrow().is_some() {
            return;
        }
        let origin = location().origin().unwrap_or_default();
        let Some(Ok(socket)) = origin.strip_prefix("http").map(|rest| WebSocket::new(&format!("ws{rest}/ws/admin")))
        else {
            return;
        };
        socket.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
        self.socket.replace(Some(socket));
    }

    /// Also the first message on a socket: what changed before it was there is read too.
    fn changed(self: &Rc<Self>) {
        if self.stands_since.get().is_none() {
            self.stands_since.set(Some(js_sys::Date::now()));
            show("websocket", "Live");
        }
        if !self.has_changed.replace(true) && !self.is_reading.get() {
            self.due.after(self.pace);
        }
    }

    fn closed(self: &Rc<Self>, code: u16, reason: &str) {
        self.socket.replace(None);
        if reason == Close::NOT_SIGNED_IN.reason {
            let _ = location().reload();
            return;
        }
        let since = self.stands_since.take();
        if since.is_some() {
            // Sooner than was meant while there was a socket. One that did not come about changes nothing.
            self.due.after(POLL);
        }
        let stood = since.map_or(0.0, |since| js_sys::Date::now() - since);
        show("polling", "Reading every 5 s");
        let mut backoff = self.backoff.get();
        let next = backoff.ended(code, Duration::from_millis(stood.max(0.0) as u64), js_sys::Math::random());
        self.backoff.set(backoff);
        self.retry.after(next.retry);
    }

    fn read(self: &Rc<Self>) {
        if self.is_reading.replace(true) {
            return;
        }
        self.has_changed.set(false);
        let page = Rc::clone(self);
        spawn_local(async move {
            // Nobody looks at a hidden page.
            let read = if Self::is_seen() { take_over().await } else { Ok(()) };
            page.is_reading.set(false);
            if read.is_err() {
                show("offline", "Not to be reached");
            } else if page.stands_since.get().is_some() {
                show("websocket", "Live");
            }
            let soon = if page.has_changed.get() { page.pace } else { REFRESH };
            page.due.after(if page.stands_since.get().is_some() { soon } else { POLL });
        });
    }
}

/// Says how the page is kept up to date.
fn show(method: &str, text: &str) {
    if let Some(badge) = document().get_element_by_id("live") {
        let _ = badge.set_attribute("data-method", method);
        if badge.text_content().as_deref() != Some(text) {
            badge.set_text_content(Some(text));
        }
    }
}

/// Reads the page once more, and takes over what is live and has changed.
async fn take_over() -> Result<(), JsValue> {
    let init = RequestInit::new();
    init.set_cache(RequestCache::NoStore);
    let address = location().href()?;
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(&address, &init)).await?.unchecked_into();
    if response.redirected() {
        // To where one signs in.
        return location().reload();
    }
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let fresh = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    let live = fresh.query_selector_all("[data-live]")?;
    for index in 0..live.length() {
        let Some(new) = live.get(index).map(JsCast::unchecked_into::<Element>) else { continue };
        if let Some(old) = document().get_element_by_id(&new.id()).filter(|old| old.inner_html() != new.inner_html()) {
            exchange(&old, &new)?;
        }
    }
    Ok(())
}

/// Puts a part in the place of another; what was opened in that, or had the focus, does so still.
fn exchange(old: &Element, new: &Element) -> Result<(), JsValue> {
    let focused = document().active_element().filter(|focused| old.contains(Some(focused))).map(|focused| focused.id());
    let open = old.query_selector_all("details[open][id]")?;
    let open: Vec<String> =
        (0..open.length()).filter_map(|index| Some(open.get(index)?.unchecked_into::<Element>().id())).collect();
    old.set_inner_html(&new.inner_html());
    for id in open {
        if let Some(details) = document().get_element_by_id(&id) {
            details.set_attribute("open", "")?;
        }
    }
    let again = focused.filter(|id| !id.is_empty()).and_then(|id| document().get_element_by_id(&id));
    again.map_or(Ok(()), |element| element.unchecked_into::<HtmlElement>().focus())
}
