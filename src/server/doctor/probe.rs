//! Looks at an address, and says who answers or why nobody does. *Runs: server.*

use std::{error::Error, io, time::Duration};

use reqwest::{Url, header};

use super::clocks::Clocks;
use crate::{domain::time::Timestamp, server::clock::Clock};

/// Who looks waits no longer, whatever `PLATFORM_TIMEOUT` says.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer.
const BODY_LIMIT: usize = 4096;
/// `Date` tells no part of a second (RFC 9110, 5.6.7).
const SECOND: i64 = 1000;

/// Looks.
pub(super) struct Probe {
    http: reqwest::Client,
}

/// An answer.
pub(super) struct Seen {
    pub(super) status: u16,
    /// Its beginning.
    pub(super) body: String,
    told: Option<Timestamp>,
    asked: Timestamp,
    heard: Timestamp,
}

/// Why there is none, in words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unseen {
    #[error(
        "the name {0} does not resolve here: look at how it is written, at its DNS record, and at this machine's resolver"
    )]
    Name(String),
    #[error("nobody listens there")]
    Refused,
    #[error(
        "TLS does not come about ({0}): the certificate is not for that name, has expired, is signed by nobody who is trusted here, or \
             what listens there speaks no TLS"
    )]
    Tls(String),
    #[error("there is no answer in time: a firewall may be between, or what listens there hangs")]
    Slow,
    #[error("the connection breaks off ({0})")]
    Broken(String),
}

impl Probe {
    /// One that waits no longer than this.
    pub(super) fn new(patience: Duration) -> Result<Self, reqwest::Error> {
        let http =
            reqwest::Client::builder().timeout(patience.min(PATIENCE)).redirect(reqwest::redirect::Policy::none());
        Ok(Self { http: http.build()? })
    }

    /// Asks for an address, and does not follow where it leads.
    pub(super) async fn look(&self, url: &Url) -> Result<Seen, Unseen> {
        let clock = Clock::default();
        let asked = clock.now();
        let mut answer = match self.http.get(url.clone()).send().await {
            Ok(answer) => answer,
            Err(error) => return Err(why(&error, url).await),
        };
        let heard = clock.now();
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        // What somebody kept for a while has the date of then.
        let is_kept = text(header::AGE).is_some_and(|age| age.trim() != "0");
        let date = text(header::DATE).filter(|_| !is_kept).and_then(|date| httpdate::parse_http_date(date).ok());
        let told = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
        let told = told.map(|since| Timestamp::default().plus(since));
        let (status, mut body) = (answer.status().as_u16(), Vec::new());
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_LIMIT {
                break;
            }
        }
        Ok(Seen { status, body: String::from_utf8_lossy(&body).into_owned(), told, asked, heard })
    }
}

impl Seen {
    /// Notes what time it is for whoever answered.
    pub(super) fn note_time(&self, whose: &'static str, clocks: &mut Clocks) {
        if let Some(told) = self.told {
            clocks.note(whose, told, SECOND, self.asked, self.heard);
        }
    }
}

async fn why(error: &reqwest::Error, url: &Url) -> Unseen {
    if error.is_timeout() {
        return Unseen::Slow;
    }
    let causes = || std::iter::successors(error.source(), |&cause| inner(cause));
    let kinds = || causes().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    // The innermost has the reason; the outer ones repeat the address.
    let said = causes().last().map(ToString::to_string).unwrap_or_default();
    if kinds().any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        return Unseen::Refused;
    }
    if error.is_connect() {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        if tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await.is_err() {
            return Unseen::Name(host.to_owned());
        }
    }
    let of_tls = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    if url.scheme() == "https" && error.is_connect() && kinds().any(|kind| of_tls.contains(&kind)) {
        return Unseen::Tls(said);
    }
    Unseen::Broken(said)
}

/// What is behind an error. The system's errors pass over what they hold when they are asked for their source.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}
