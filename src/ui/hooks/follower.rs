//! Follows one registration: keeps a socket, or polls while there is none, and knows when the page is looked at.
//! `use_connection_status` makes it. It holds one socket, one question and three timers at most, and none after the end.
//! *Runs: browser (effects).*

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{AbortController, CloseEvent, MessageEvent, VisibilityState, WebSocket};

use super::{
    backoff::{Backoff, between_half_and_whole},
    live_state::LiveState,
    question::{Answer, ask},
    timer::Timer,
    use_connection_status::{ConnectionMethod, ConnectionStatusOptions},
};
use crate::domain::wire::Close;

/// What a socket is taken to have ended with that was given up here: the code for one that broke off.
const BROKEN: u16 = 1006;

/// What it tells the page.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) status: RwSignal<LiveState>,
    pub(super) method: RwSignal<ConnectionMethod>,
    pub(super) crowded: RwSignal<bool>,
    pub(super) last_update: RwSignal<Option<f64>>,
}

pub(super) struct Follower {
    options: ConnectionStatusOptions,
    told: Told,
    backoff: Cell<Backoff>,
    socket: RefCell<Option<WebSocket>>,
    /// Since when the socket is of use, by the browser's clock; `None` before its first state.
    stands_since: Cell<Option<f64>>,
    /// A ping is out and nothing was heard since.
    pinged: Cell<bool>,
    /// Answers are followed by further questions.
    polling: Cell<bool>,
    /// The question that is on its way.
    question: RefCell<Option<AbortController>>,
    /// The page was left, and may come back as it is from the browser's back/forward cache.
    left: Cell<bool>,
    /// When to try another socket, or to give up the one that is being opened.
    retry: Timer,
    /// When to ask, or to give up the question that is on its way.
    due: Timer,
    /// When to ping, or to give up the socket that did not answer.
    beat: Timer,
    on_message: Closure<dyn Fn(MessageEvent)>,
    on_close: Closure<dyn Fn(CloseEvent)>,
}

/// What it does when something happens.
type Act = fn(&Rc<Follower>);

impl Follower {
    pub(super) fn new(options: ConnectionStatusOptions, told: Told) -> Rc<Self> {
        // Timers and handlers live in what they act on, so they hold it weakly, and go with it.
        Rc::new_cyclic(|this: &Weak<Self>| {
            let timer = |act: Act| {
                let this = this.clone();
                Timer::new(move || this.upgrade().iter().for_each(act))
            };
            let (hearing, closed) = (this.clone(), this.clone());
            Self {
                options,
                told,
                backoff: Cell::new(Backoff::new(options)),
                socket: RefCell::default(),
                stands_since: Cell::default(),
                pinged: Cell::default(),
                polling: Cell::default(),
                question: RefCell::default(),
                left: Cell::default(),
                retry: timer(Self::retry),
                due: timer(Self::due),
                beat: timer(Self::beat),
                on_message: Closure::new(move |event| hearing.upgrade().iter().for_each(|this| this.hear(&event))),
                on_close: Closure::new(move |event: CloseEvent| {
                    closed.upgrade().iter().for_each(|this| this.closed(&event));
                }),
            }
        })
    }

    /// Opens the socket, and listens to what happens to the page and its network until the owner is cleaned up.
    pub(super) fn begin(self: &Rc<Self>) {
        let events: [(&str, Act); 5] = [
            ("online", Self::wake),
            ("offline", Self::went_offline),
            ("visibilitychange", Self::wake),
            ("pagehide", Self::leave),
            ("pageshow", Self::come_back),
        ];
        for (event, act) in events {
            let this = Rc::clone(self);
            let listener = window_event_listener_untyped(event, move |_| {
                if !this.has_ended() {
                    act(&this);
                }
            });
            on_cleanup(move || listener.remove());
        }
        self.connect();
    }

    /// Stops whatever goes on.
    pub(super) fn rest(&self) {
        self.drop_socket();
        self.drop_question();
        self.polling.set(false);
    }

    fn has_ended(&self) -> bool {
        self.told.status.with_untracked(|status| status.stage.is_end())
    }

    /// Nobody looks at a hidden page, so it begins nothing: neither a question nor a socket.
    fn is_seen(&self) -> bool {
        !self.left.get() && document().visibility_state() == VisibilityState::Visible
    }

    /// The network is back, or somebody looks again: find out at once instead of when a timer says so.
    fn wake(self: &Rc<Self>) {
        if !self.is_seen() {
            return;
        }
        self.ask();
        let state = self.socket.borrow().as_ref().map(WebSocket::ready_state);
        match state {
            Some(WebSocket::CONNECTING) => {}
            // One that was put to sleep, or whose network was changed, can look open for minutes.
            Some(WebSocket::OPEN) => self.ping(),
            _ => self.connect(),
        }
    }

    /// The browser may be wrong (a desk on a machine without any network can reach its own server), so it goes on trying.
    fn went_offline(self: &Rc<Self>) {
        self.told.method.set(ConnectionMethod::Offline);
        self.lost(BROKEN);
    }

    /// An open socket, or a question on its way, keeps a page out of the back/forward cache.
    fn leave(self: &Rc<Self>) {
        self.left.set(true);
        self.rest();
        self.told.method.set(ConnectionMethod::Connecting);
    }

    fn come_back(self: &Rc<Self>) {
        // A page that is loaded is shown too.
        if self.left.replace(false) {
            self.wake();
        }
    }

    fn connect(self: &Rc<Self>) {
        self.drop_socket();
        let session = self.told.status.with_untracked(|status| status.session);
        // http becomes ws, and https wss.
        let origin = location().origin().unwrap_or_default();
        let Some(Ok(socket)) = origin
            .strip_prefix("http")
            .map(|rest| WebSocket::new(&format!("ws{rest}/ws/connections?sessionId={session}")))
        else {
            return self.lost(BROKEN);
        };
        socket.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
        self.socket.replace(Some(socket));
        // A network that swallows the upgrade says nothing for minutes.
        self.retry.after(self.options.patience);
    }

    fn hear(self: &Rc<Self>, event: &MessageEvent) {
        // Whatever it is, it is a sign of life.
        self.told.last_update.set(Some(js_sys::Date::now()));
        self.pinged.set(false);
        // Spread, so that those who came back from a restart together do not ping together.
        self.beat.after(between_half_and_whole(self.options.heartbeat, js_sys::Math::random()));
        let Some(state) = event.data().as_string().and_then(|text| LiveState::read(&text)) else { return };
        if self.stands_since.get().is_none() {
            self.stands_since.set(Some(js_sys::Date::now()));
            self.retry.clear();
            self.stop_polling();
            self.told.crowded.set(false);
            self.told.method.set(ConnectionMethod::WebSocket);
        }
        self.take(state);
    }

    /// Takes a state if it is newer. Says whether there is more to come.
    fn take(&self, state: LiveState) -> bool {
        let (version, attempt) = self.told.status.with_untracked(|known| (known.version, known.attempt));
        if state.version <= version {
            return true;
        }
        if state.attempt != attempt {
            // It belongs to another code than the one on this page.
            self.reload();
            return false;
        }
        let ends = state.stage.is_end();
        self.told.status.set(state);
        if ends {
            self.rest();
            self.told.method.set(ConnectionMethod::Ended);
        }
        !ends
    }

    /// The server knows what this page should be now.
    fn reload(&self) {
        self.rest();
        let _ = location().reload();
    }

    /// The server closed the socket, or the network did.
    fn closed(self: &Rc<Self>, event: &CloseEvent) {
        self.told.crowded.set(event.reason() == Close::TOO_MANY.reason);
        self.lost(event.code());
    }

    /// There is no socket any more.
    fn lost(self: &Rc<Self>, code: u16) {
        let stood = self.stands_since.get().map_or(0.0, |since| js_sys::Date::now() - since);
        self.drop_socket();
        if self.told.method.get_untracked() == ConnectionMethod::WebSocket {
            self.told.method.set(ConnectionMethod::Connecting);
        }
        let mut backoff = self.backoff.get();
        let next = backoff.ended(code, Duration::from_millis(stood.max(0.0) as u64), js_sys::Math::random());
        self.backoff.set(backoff);
        self.retry.after(next.retry);
        if next.poll && !self.polling.replace(true) {
            self.ask();
        }
    }

    fn retry(self: &Rc<Self>) {
        if self.socket.borrow().is_some() {
            self.lost(BROKEN);
        } else if self.is_seen() {
            self.connect();
        }
    }

    fn drop_socket(&self) {
        self.retry.clear();
        self.beat.clear();
        self.pinged.set(false);
        self.stands_since.set(None);
        if let Some(socket) = self.socket.take() {
            // Without handlers: what it still says is not for us any more.
            socket.set_onmessage(None);
            socket.set_onclose(None);
            let _ = socket.close();
        }
    }

    fn beat(self: &Rc<Self>) {
        if self.pinged.get() {
            self.lost(BROKEN);
        } else if self.is_seen() {
            self.ping();
        }
    }

    /// A connection that broke without a word looks open for ever, for the server's own pings never reach a script.
    fn ping(&self) {
        if let Some(socket) = &*self.socket.borrow() {
            let _ = socket.send_with_str(r#"{"type":"ping"}"#);
            self.pinged.set(true);
            self.beat.after(self.options.pong_patience);
        }
    }

    fn due(self: &Rc<Self>) {
        if self.question.borrow().is_some() {
            self.drop_question();
            self.answered(Answer::Failed);
        } else if self.is_seen() {
            self.ask();
        }
    }

    /// Asks for the state once, and while polling again and again.
    fn ask(self: &Rc<Self>) {
        if self.question.borrow().is_some() || !self.is_seen() {
            return;
        }
        let Ok(question) = AbortController::new() else { return };
        let signal = question.signal();
        self.question.replace(Some(question));
        self.due.after(self.options.patience);
        let known = self.told.status.get_untracked();
        let this = Rc::clone(self);
        spawn_local(async move {
            let answer = ask(known, signal.clone()).await;
            // Whoever dropped the question has seen to what follows.
            if !signal.aborted() {
                this.question.replace(None);
                this.answered(answer);
            }
        });
    }

    fn answered(self: &Rc<Self>, answer: Answer) {
        self.due.clear();
        let reached = match answer {
            Answer::State(state) => {
                if !self.take(state) {
                    return;
                }
                true
            }
            Answer::Known => true,
            Answer::Refused => return self.reload(),
            Answer::Failed => false,
        };
        if reached {
            self.told.last_update.set(Some(js_sys::Date::now()));
        }
        let was_offline = self.told.method.get_untracked() == ConnectionMethod::Offline;
        if self.polling.get() {
            self.told.method.set(if reached { ConnectionMethod::Polling } else { ConnectionMethod::Offline });
            self.due.after(self.options.polling_interval);
        } else if reached && was_offline {
            self.told.method.set(ConnectionMethod::Connecting);
        }
        // The server is back before the next socket is due. When each page finds out is spread by its polling.
        if reached && was_offline && self.socket.borrow().is_none() && self.is_seen() {
            self.connect();
        }
    }

    fn stop_polling(&self) {
        if self.polling.replace(false) {
            self.drop_question();
        }
    }

    fn drop_question(&self) {
        self.due.clear();
        if let Some(question) = self.question.take() {
            question.abort();
        }
    }
}
