//! The live state of a registration as signals: over a WebSocket, and by polling while that does not work.
//!
//! Every message with a state in it is read for that state alone, its type does not matter: it
//! keeps whatever is newest by version, so lost, repeated and reordered messages do no harm. *Runs: browser
//! (effects); on the server the signals hold the first state.*

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, CloseEvent, MessageEvent, RequestInit, Response, VisibilityState, WebSocket};

use super::backoff;
use crate::domain::{session::Snapshot, wire::Close};

/// How long a socket or a poll may say nothing before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to stay live.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionStatusOptions {
    /// How often in a row the socket may fail before the state is polled. It is tried on while polling.
    pub attempts: u32,
    /// How long to wait between polls.
    pub polling_interval: Duration,
}

/// How the state arrives at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionMethod {
    /// Not yet, or not for the moment: a socket is being opened.
    Connecting,
    /// Pushed over the socket.
    WebSocket,
    /// Asked for every few seconds.
    Polling,
    /// Not at all: neither the socket nor a poll came through.
    Offline,
    /// No more: the registration has ended.
    Ended,
}

impl ConnectionMethod {
    /// A word for attributes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
            Self::Offline => "offline",
            Self::Ended => "ended",
        }
    }
}

/// What [`use_connection_status`] gives.
#[derive(Clone, Copy, Debug)]
pub struct UseConnectionStatus {
    /// The newest state that is known.
    pub status: Signal<Snapshot>,
    /// Whether news arrive at all, pushed or polled.
    pub is_connected: Signal<bool>,
    /// How they arrive.
    pub connection_method: Signal<ConnectionMethod>,
    /// When the last news came: milliseconds since 1970 by the browser's clock.
    pub last_update: Signal<Option<f64>>,
}

/// Follows a registration from the state that the server drew the page with.
#[must_use]
pub fn use_connection_status(first: Snapshot, options: ConnectionStatusOptions) -> UseConnectionStatus {
    let status = RwSignal::new(first);
    let method = RwSignal::new(ConnectionMethod::Connecting);
    let last_update = RwSignal::new(None);
    Effect::new(move |_| {
        let live = Rc::new(Live {
            options,
            status,
            method,
            last_update,
            socket: RefCell::default(),
            failures: Cell::default(),
            retry: Cell::default(),
            due: Cell::default(),
            asking: Cell::default(),
        });
        live.begin();
        let live = StoredValue::new_local(live);
        on_cleanup(move || live.with_value(|live| live.rest()));
    });
    UseConnectionStatus {
        status: status.into(),
        is_connected: Signal::derive(move || {
            matches!(method.get(), ConnectionMethod::WebSocket | ConnectionMethod::Polling)
        }),
        connection_method: method.into(),
        last_update: last_update.into(),
    }
}

/// A socket with its handlers, which have to live as long as it does.
struct Socket {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Without handlers first: what this socket still says is not for us any more.
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

/// The moving parts in the browser.
struct Live {
    options: ConnectionStatusOptions,
    status: RwSignal<Snapshot>,
    method: RwSignal<ConnectionMethod>,
    last_update: RwSignal<Option<f64>>,
    socket: RefCell<Option<Socket>>,
    /// Sockets that failed in a row.
    failures: Cell<u32>,
    /// The timer of the next socket.
    retry: Cell<Option<TimeoutHandle>>,
    /// The timer of the next poll.
    due: Cell<Option<TimeoutHandle>>,
    /// Whether a question is on its way.
    asking: Cell<bool>,
}

impl Live {
    fn begin(self: &Rc<Self>) {
        self.connect();
        // The network is back, or the person is: find out at once instead of when a timer says so.
        for event in ["online", "pageshow", "visibilitychange"] {
            let live = Rc::clone(self);
            let listener = window_event_listener_untyped(event, move |_| live.wake());
            on_cleanup(move || listener.remove());
        }
    }

    fn has_ended(&self) -> bool {
        self.status.with_untracked(|status| status.stage.is_end())
    }

    fn wake(self: &Rc<Self>) {
        if document().visibility_state() != VisibilityState::Visible {
            return;
        }
        // A socket that was put to sleep can look open for minutes, so it is not believed: ask at once, and open another.
        self.ask();
        let opening =
            self.socket.borrow().as_ref().is_some_and(|live| live.socket.ready_state() == WebSocket::CONNECTING);
        if !opening && !self.has_ended() {
            self.connect();
        }
    }

    fn connect(self: &Rc<Self>) {
        clear(&self.retry);
        self.socket.replace(None);
        if self.has_ended() {
            self.rest();
            return;
        }
        let session = self.status.with_untracked(|status| status.session_id);
        let (Ok(protocol), Ok(host)) = (location().protocol(), location().host()) else { return };
        let scheme = if protocol == "https:" { "wss" } else { "ws" };
        let url = format!("{scheme}://{host}/ws/connections?sessionId={session}");
        let Ok(socket) = WebSocket::new(&url) else {
            self.failed(0);
            return;
        };
        let live = Rc::clone(self);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(snapshot) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                live.failures.set(0);
                clear(&live.retry);
                clear(&live.due);
                live.method.set(ConnectionMethod::WebSocket);
                live.take(snapshot);
            }
        });
        let live = Rc::clone(self);
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| live.failed(event.code()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        self.socket.replace(Some(Socket { socket, _on_message: on_message, _on_close: on_close }));
        // A network that swallows the upgrade says nothing for minutes.
        let live = Rc::clone(self);
        after(&self.retry, PATIENCE, move || {
            live.socket.replace(None);
            live.failed(0);
        });
    }

    /// Takes a state if it is newer. One of another attempt belongs to another code than the one on this page.
    fn take(&self, snapshot: Snapshot) {
        self.last_update.set(Some(js_sys::Date::now()));
        let (version, attempt) = self.status.with_untracked(|known| (known.version, known.attempt));
        if snapshot.attempt != attempt {
            reload();
        } else if snapshot.version > version {
            self.status.set(snapshot);
        }
        if self.has_ended() {
            self.rest();
        }
    }

    fn failed(self: &Rc<Self>, code: u16) {
        if self.has_ended() {
            return;
        }
        clear(&self.retry);
        let failures = self.failures.get() + 1;
        self.failures.set(failures);
        if self.is_pushed() {
            self.method.set(ConnectionMethod::Connecting);
        }
        let stays_away = Close::stays_away(code);
        if stays_away || failures >= self.options.attempts {
            self.poll();
        }
        if !stays_away {
            let live = Rc::clone(self);
            after(&self.retry, backoff::delay(failures, js_sys::Math::random()), move || live.connect());
        }
    }

    fn is_pushed(&self) -> bool {
        self.method.get_untracked() == ConnectionMethod::WebSocket
    }

    /// Begins to poll, unless that goes on already: a timer is set, or a question is on its way.
    fn poll(self: &Rc<Self>) {
        let due = self.due.take();
        if due.is_none() {
            self.ask();
        }
        self.due.set(due);
    }

    /// Asks for the state once, and again later unless the socket has taken over.
    fn ask(self: &Rc<Self>) {
        if self.asking.replace(true) {
            return;
        }
        clear(&self.due);
        let live = Rc::clone(self);
        spawn_local(async move {
            let (session, version) = live.status.with_untracked(|status| (status.session_id, status.version));
            let answer = fetch(&format!("/api/connections/session?sessionId={session}"), version).await;
            live.asking.set(false);
            let method = match answer.unwrap_or(Answer::Failed) {
                Answer::News(snapshot) => {
                    live.take(snapshot);
                    ConnectionMethod::Polling
                }
                Answer::Nothing => ConnectionMethod::Polling,
                // This browser's cookie is for another registration by now, or for none: the server knows the way.
                Answer::Refused => return reload(),
                Answer::Failed => ConnectionMethod::Offline,
            };
            if !live.is_pushed() && !live.has_ended() {
                live.method.set(method);
                let again = Rc::clone(&live);
                after(&live.due, live.options.polling_interval, move || again.ask());
            }
        });
    }

    /// Stops everything: the registration has ended, or the page is gone.
    fn rest(&self) {
        clear(&self.retry);
        clear(&self.due);
        self.socket.replace(None);
        if self.has_ended() {
            self.method.set(ConnectionMethod::Ended);
        }
    }
}

/// What a poll brought.
enum Answer {
    News(Snapshot),
    /// 304: nothing newer.
    Nothing,
    /// 401 or 404: not our registration any more.
    Refused,
    Failed,
}

async fn fetch(url: &str, version: u64) -> Result<Answer, JsValue> {
    let headers = web_sys::Headers::new()?;
    headers.set("If-None-Match", &format!("W/\"{version}\""))?;
    let init = RequestInit::new();
    let patience = u32::try_from(PATIENCE.as_millis()).unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(patience)));
    init.set_headers(&headers);
    // The state is ours to compare: the browser's own cache must not answer for the server.
    init.set_cache(web_sys::RequestCache::NoStore);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(url, &init)).await?.dyn_into()?;
    Ok(match response.status() {
        200 => {
            let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
            serde_json::from_str(&text).map_or(Answer::Failed, Answer::News)
        }
        304 => Answer::Nothing,
        401 | 404 => Answer::Refused,
        _ => Answer::Failed,
    })
}

fn reload() {
    let _ = location().reload();
}

/// Sets a timer in the place of whatever timer was there.
fn after(place: &Cell<Option<TimeoutHandle>>, wait: Duration, act: impl FnOnce() + 'static) {
    clear(place);
    place.set(set_timeout_with_handle(act, wait).ok());
}

fn clear(place: &Cell<Option<TimeoutHandle>>) {
    if let Some(timer) = place.take() {
        timer.clear();
    }
}
