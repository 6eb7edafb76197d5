//! A desk seen from outside: sessions opened over the JSON API, and the webhooks that move them, on any of the servers.
//! *Runs: generator.*

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    http::{Pool, get, post},
    platform::Platform,
    server::{Kind, Server},
    webhook::{Step, Webhooks, random_id},
};

/// So many sessions are opened at the same time.
const OPENING: usize = 32;
/// How often a webhook that was refused with 503 is brought again, and after what pause.
const AGAIN: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// So many sessions are looked at to find one whose turn it is.
const LOOKS: usize = 16;

/// A session as its owner knows it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// What opens it.
    pub token: String,
    /// The invitation's record at the platform.
    pub out_of_band: String,
    /// The connection that the wallet will make.
    pub connection: String,
}

/// A server with sessions.
pub struct Desk {
    /// What the server is.
    pub kind: Kind,
    /// Where its sockets are.
    pub address: SocketAddr,
    /// The sessions.
    pub sessions: Vec<Session>,
    platform: Rc<Platform>,
    webhooks: Webhooks,
    /// Where webhooks are brought, by turns.
    pools: Vec<Pool>,
    turn: Cell<usize>,
    /// How many webhooks were begun for each session.
    sent: RefCell<Vec<usize>>,
}

impl Desk {
    /// The desk of a server, with this many sessions.
    ///
    /// # Errors
    /// When the server refuses one.
    pub async fn open(server: &Server, platform: &Rc<Platform>, sessions: usize) -> io::Result<Self> {
        let mut desk = Self {
            kind: server.kind,
            address: server.address,
            sessions: Vec::new(),
            platform: Rc::clone(platform),
            webhooks: Webhooks::default(),
            pools: vec![Pool::new(server.address)],
            turn: Cell::default(),
            sent: RefCell::default(),
        };
        desk.open_up_to(sessions).await?;
        Ok(desk)
    }

    /// Opens sessions until there are this many.
    ///
    /// # Errors
    /// When the server refuses one.
    pub async fn open_up_to(&mut self, sessions: usize) -> io::Result<()> {
        let request: Rc<[u8]> = post("/api/connections/session", "", r#"{"requestType":"registration"}"#).into();
        let mut opening = JoinSet::new();
        let mut missing = sessions.saturating_sub(self.sessions.len());
        while missing > 0 || !opening.is_empty() {
            if missing > 0 && opening.len() < OPENING {
                missing -= 1;
                let (pool, request) = (self.pools[0].clone(), Rc::clone(&request));
                opening.spawn_local(async move { pool.send(&request).await?.json() });
                continue;
            }
            if let Some(opened) = opening.join_next().await {
                let opened = opened.map_err(io::Error::other)??;
                self.sessions.push(self.session(&opened["data"])?);
            }
        }
        self.sent.borrow_mut().resize(self.sessions.len(), 0);
        Ok(())
    }

    fn session(&self, data: &Value) -> io::Result<Session> {
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        let record = |url: String| url.split("record=").nth(1).map(str::to_owned);
        let (Some(id), Some(token), Some(out_of_band)) =
            (text("sessionId"), text("token"), text("invitationUrl").and_then(record))
        else {
            return Err(io::Error::other(format!("a session was answered with {data}")));
        };
        // The others have no invitations: there the session is found by the connection's own name.
        let connection = if self.kind.is_the_program() { random_id() } else { id.clone() };
        Ok(Session { id, token, out_of_band, connection })
    }

    /// Browsers watch at this server, which shares its database with the one that takes the webhooks.
    pub fn is_watched_at(&mut self, server: &Server) {
        self.address = server.address;
    }

    /// Webhooks come to these servers by turns.
    pub fn is_told_by_turns(&mut self, servers: &[Server]) {
        self.pools = servers.iter().map(|server| Pool::new(server.address)).collect();
    }

    /// The address of a session's socket, from the server's root.
    #[must_use]
    pub fn socket_path(&self, session: usize) -> String {
        let Session { id, token, .. } = &self.sessions[session];
        format!("/ws/connections?sessionId={id}&token={token}")
    }

    /// The request that polls a session, with the tag that is known.
    #[must_use]
    pub fn poll(&self, session: usize, known: Option<&str>) -> Vec<u8> {
        let Session { id, token, .. } = &self.sessions[session];
        let known = known.map(|tag| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
        get(&format!("/api/connections/session?sessionId={id}&token={token}"), &known)
    }

    /// The server was started again: what was connected is no more.
    pub fn reconnect(&self) {
        self.pools.iter().for_each(Pool::clear);
    }

    /// How far a session is, in the steps of [`Kind::reached`], by the server's own answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn reached(&self, session: usize) -> io::Result<u32> {
        let state = self.pools[0].send(&self.poll(session, None)).await?.json()?;
        let version = state["version"].as_u64().unwrap_or_default();
        Ok(self.kind.reached(version, state["status"].as_str().unwrap_or_default()))
    }

    /// Whether the session's next webhook can come: there is one, and what has to happen before it has happened.
    #[must_use]
    pub fn is_ready(&self, session: usize, steps: usize) -> bool {
        let sent = self.sent.borrow()[session];
        // A wallet presents nothing before it was asked to, and only the program asks.
        let has_to_be_asked = self.kind.is_the_program() && sent == Step::Presented as usize;
        sent < steps && (!has_to_be_asked || self.platform.was_asked(&self.sessions[session].connection))
    }

    /// Begins the next webhook of a session: its request, and how far it brings the session. The platform knows from now on.
    #[must_use]
    pub fn next_webhook(&self, session: usize) -> (Vec<u8>, u32) {
        let number = self.sent.borrow()[session];
        self.sent.borrow_mut()[session] += 1;
        let step = Step::ALL[number % Step::ALL.len()];
        let Session { out_of_band, connection, .. } = &self.sessions[session];
        self.platform.moved(connection, step);
        (self.webhooks.request(step, out_of_band, connection), self.kind.goal(number))
    }

    /// Brings a webhook until it is acknowledged: one that is refused because too many wait is brought again, as the
    /// platform does. Gives back how often it was refused.
    ///
    /// # Errors
    /// When the connection breaks, or the server answers anything else.
    pub async fn deliver(&self, request: &[u8]) -> io::Result<u32> {
        for refused in 0..AGAIN {
            let turn = self.turn.replace(self.turn.get() + 1) % self.pools.len();
            let answer = self.pools[turn].send(request).await?;
            match answer.status {
                200 => return Ok(refused),
                503 => sleep(PAUSE).await,
                _ => {
                    answer.json()?;
                }
            }
        }
        Err(io::Error::other("a webhook was refused again and again"))
    }
}

/// Whose turn it is: sessions take their steps one after the other, and some of them are under way at the same time.
pub struct Turns {
    waiting: VecDeque<usize>,
    fresh: std::ops::Range<usize>,
    /// How many steps each session takes.
    steps: usize,
    /// Whether chance decides among those that wait, or who has waited longest.
    by_chance: bool,
}

impl Turns {
    /// These sessions of a desk, of which `at_once` are under way at the same time.
    #[must_use]
    pub fn of(sessions: std::ops::Range<usize>, at_once: usize, steps: usize) -> Self {
        let fresh = (sessions.start + at_once).min(sessions.end);
        Self { waiting: (sessions.start..fresh).collect(), fresh: fresh..sessions.end, steps, by_chance: false }
    }

    /// All of them at the same time, in an order of chance.
    #[must_use]
    pub fn by_chance(sessions: std::ops::Range<usize>, steps: usize) -> Self {
        let at_once = sessions.len();
        Self { by_chance: true, ..Self::of(sessions, at_once, steps) }
    }

    /// A session whose next webhook can come; `None` when none was found at the moment.
    pub fn take(&mut self, desk: &Desk) -> Option<usize> {
        // A few of those that wait, however many there are: looking for one must not keep the generator busy.
        for _ in 0..self.waiting.len().min(LOOKS) {
            if self.by_chance {
                let other = fastrand::usize(..self.waiting.len());
                self.waiting.swap(0, other);
            }
            let session = self.waiting.pop_front()?;
            if desk.is_ready(session, self.steps) {
                return Some(session);
            }
            self.waiting.push_back(session);
        }
        // Those under way wait for the server: people keep coming all the same.
        self.fresh.next()
    }

    /// A session's webhook was acknowledged: it waits for its next turn, or gives its place to a fresh one.
    pub fn give_back(&mut self, session: usize, desk: &Desk) {
        if desk.sent.borrow()[session] < self.steps {
            self.waiting.push_back(session);
        } else {
            self.waiting.extend(self.fresh.next());
        }
    }
}
