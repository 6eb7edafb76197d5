//! How long a peer may keep us waiting over HTTP: for the rest of its request, and by not taking its answer. There is a
//! timer only while somebody waits; who is quick costs none.
//!
//! Called by `serve` (bodies) and `live::handover` (answers). *Runs: server.*

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::BoxError;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long the body of a request may take in all, from when it first lets us wait.
const BODY_TIME: Duration = Duration::from_secs(20);

/// A length of time that begins when somebody has to wait.
#[derive(Debug, Default)]
pub struct Patience(Option<Pin<Box<Sleep>>>);

impl Patience {
    /// Whether it has come to its end. It begins when this is asked first, and the task is woken at its end.
    pub fn is_over(&mut self, cx: &mut Context<'_>, length: Duration) -> bool {
        self.0.get_or_insert_with(|| Box::pin(sleep(length))).as_mut().poll(cx).is_ready()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Nobody waits any more: the next time begins anew.
    pub fn renew(&mut self) {
        self.0 = None;
    }
}

/// The rest of a request did not come in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body did not come in time")]
pub struct TooSlow;

/// Whether of the latest request on a connection something is still to be read.
#[derive(Clone, Debug, Default)]
pub struct Unread(Arc<AtomicBool>);

impl Unread {
    fn note(&self, is_unread: bool) {
        self.0.store(is_unread, Ordering::Relaxed);
    }

    /// Whether something is.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of a request, which fails with [`TooSlow`] when it is not there in time.
pub struct Awaited<B> {
    body: B,
    patience: Patience,
    unread: Unread,
}

impl<B: Body> Awaited<B> {
    /// This body, awaited for so long and no longer; whether it was read to its end is noted here.
    pub fn new(body: B, unread: Unread) -> Self {
        unread.note(!body.is_end_stream());
        Self { body, patience: Patience::default(), unread }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for Awaited<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                if frame.is_none() || self.body.is_end_stream() {
                    self.unread.note(false);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending if self.patience.is_over(cx, BODY_TIME) => Poll::Ready(Some(Err(TooSlow.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, Interval, interval};

    use super::*;
    use crate::server::problem::Problem;

    /// A byte now and then, so many times.
    struct Dribble(Interval, u32);

    impl Body for Dribble {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            if self.1 == 0 {
                return Poll::Ready(None);
            }
            self.0.poll_tick(cx).map(|_| {
                self.1 -= 1;
                Some(Ok(Frame::data(Bytes::from_static(b"x"))))
            })
        }
    }

    async fn read(every: Duration, count: u32) -> Result<Bytes, axum::Error> {
        let body = axum::body::Body::new(Awaited::new(Dribble(interval(every), count), Unread::default()));
        axum::body::to_bytes(body, 1000).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_so_long_in_all_however_often_it_gives_a_byte() {
        assert_eq!(read(Duration::from_secs(3), 7).await.unwrap().len(), 7);
        let began = Instant::now();
        let failed = read(Duration::from_secs(3), 700).await.unwrap_err();
        assert_eq!(Problem::of_body(&failed), Problem::TooSlow);
        assert_eq!(began.elapsed().as_secs(), BODY_TIME.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_has_no_timer() {
        let mut body = Awaited::new(axum::body::Body::from("all of it"), Unread::default());
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "all of it");
        assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
        assert!(body.patience.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_a_body_is_known_at_each_of_its_ends() {
        let unread = Unread::default();
        let mut body = Awaited::new(Dribble(interval(Duration::from_secs(1)), 2), unread.clone());
        for is_left in [true, true, false] {
            poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            assert_eq!(unread.is_left(), is_left);
        }
        let mut known = Awaited::new(axum::body::Body::from("its length is known"), unread.clone());
        assert!(unread.is_left());
        poll_fn(|cx| Pin::new(&mut known).poll_frame(cx)).await;
        assert!(!unread.is_left(), "nobody needs to ask whether there is more");
        Awaited::new(Dribble(interval(Duration::from_secs(1)), 2), unread.clone());
        assert!(unread.is_left());
        Awaited::new(axum::body::Body::empty(), unread.clone());
        assert!(!unread.is_left());
    }
}
