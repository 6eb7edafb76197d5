//! Where connections come from: the port, from the first moment of the process on. *Runs: server.*
//!
//! Called by `startup` (opening) and `serve` (accepting).

use std::{
    convert::Infallible,
    future::pending,
    io::{self, ErrorKind},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{mpsc, watch},
    task::{JoinHandle, spawn_blocking},
};

use super::guests::{Files, in_use};

/// Connections that the kernel keeps for us before they are accepted; on most systems it keeps no more (`somaxconn`).
const BACKLOG: i32 = 4096;
/// How long accepting waits when the system cannot give another connection.
const MOMENT: Duration = Duration::from_millis(100);
/// So many files may be in use for somebody to be accepted: nobody is.
const NOBODY: usize = 0;

/// A connection, and where it comes from.
pub(super) type Accepted = (TcpStream, SocketAddr);

/// Where connections come from. From the moment it is there nobody is refused. Whoever comes before somebody serves is
/// accepted, and waits here: the kernel has too little room for all who come back at once after a restart, and who finds
/// none asks again after a whole second, then after two.
pub struct Listener {
    address: SocketAddr,
    accepted: mpsc::UnboundedReceiver<Accepted>,
    /// How many files may be in use for somebody to be accepted.
    most: watch::Sender<usize>,
    /// Ends when `most` is dropped.
    accepting: JoinHandle<TcpListener>,
    /// Somebody else has the socket too, and the next process will: whom we do not accept, that one does.
    is_passed: bool,
}

impl Listener {
    /// Listens: on the socket that a service manager passed (`LISTEN_FDS`), otherwise on this address. As long as nobody
    /// serves, those who come may have as many of the files as sockets may: the database needs some to open at all.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn open(address: SocketAddr, files: Files) -> io::Result<Self> {
        let Some(passed) = ListenFd::from_env().take_tcp_listener(0)? else { return Self::bind(address, files) };
        passed.set_nonblocking(true)?;
        // Nobody is accepted early whom somebody else could still serve if we cannot.
        Self::begin(TcpListener::from_std(passed)?, NOBODY, true)
    }

    /// Listens on this address, whatever a service manager passed.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn bind(address: SocketAddr, files: Files) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restart need not wait for what is left of the connections of the last one.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Self::begin(TcpListener::from_std(socket.into())?, files.for_sockets(), false)
    }

    fn begin(socket: TcpListener, most: usize, is_passed: bool) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let (sender, accepted) = mpsc::unbounded_channel();
        let (most, allowed) = watch::channel(most);
        let runtime = Handle::current();
        // On a thread of its own. A task would wait for its turn among all whom it has let in, and in a storm the kernel's
        // queue is full after some milliseconds.
        let accepting = spawn_blocking(move || runtime.block_on(accept(socket, allowed, sender)));
        Ok(Self { address, accepted, most, accepting, is_passed })
    }

    /// The address it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Somebody serves now: from here on connections may have what is theirs of these files.
    pub(super) fn serves(&self, files: Files) {
        self.most.send_replace(files.for_connections());
    }

    /// Who came next; `None` after a panic. Whoever stops waiting for it loses nobody.
    pub(super) async fn next(&mut self) -> Option<Accepted> {
        self.accepted.recv().await
    }

    /// Accepts nobody more. Returns those who have connected already, for they would be cut off together with the socket.
    pub(super) async fn close(mut self) -> Vec<Accepted> {
        let room = Room::new(*self.most.borrow());
        drop(self.most);
        let mut last = Vec::new();
        while let Some(accepted) = self.accepted.recv().await {
            last.push(accepted);
        }
        // Whoever has a socket that is somebody else's too waits for the next process.
        if !self.is_passed
            && let Ok(socket) = self.accepting.await
            && let Err(error) = accept_the_last(socket, room, &mut last)
        {
            tracing::debug!(%error, "not everybody who had connected was accepted");
        }
        last
    }
}

/// The files that connections may still have.
struct Room {
    most: usize,
    /// Those in use, if nothing was closed since; not known at first.
    in_use: usize,
}

impl Room {
    fn new(most: usize) -> Self {
        Self { most, in_use: usize::MAX }
    }

    /// # Errors
    /// When there is none for another one.
    fn look(&mut self, socket: &impl AsFd) -> io::Result<()> {
        if self.in_use >= self.most {
            // Only a file that was just opened tells.
            self.in_use = in_use(socket.as_fd().try_clone_to_owned()?.as_raw_fd());
        }
        if self.in_use < self.most {
            return Ok(());
        }
        Err(io::Error::other("the files that may still be opened are kept for the database and the platform"))
    }

    fn took(&mut self, stream: &impl AsRawFd) {
        self.in_use = in_use(stream.as_raw_fd()) + 1;
    }
}

/// Accepts who comes, as far as it is allowed, until nobody is there to allow anything.
async fn accept(
    socket: TcpListener,
    mut allowed: watch::Receiver<usize>,
    accepted: mpsc::UnboundedSender<Accepted>,
) -> TcpListener {
    loop {
        let most = *allowed.borrow_and_update();
        tokio::select! {
            changed = allowed.changed() => if changed.is_err() {
                return socket;
            },
            never = accept_within(Room::new(most), &socket, &accepted) => match never {},
        }
    }
}

/// Accepts who comes, as long as there is room; whoever then comes waits in the kernel.
async fn accept_within(mut room: Room, socket: &TcpListener, accepted: &mpsc::UnboundedSender<Accepted>) -> Infallible {
    if room.most == NOBODY {
        return pending().await;
    }
    let mut is_failing = false;
    loop {
        let next = match room.look(socket) {
            Ok(()) => socket.accept().await,
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => {
                is_failing = false;
                room.took(&next.0);
                // Fails only when nobody is there any more who would serve.
                let _ = accepted.send(next);
            }
            Err(error) if has_gone(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: those who are here go on, and when some have gone there is room again.
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::error!(%error, "no connection can be accepted");
                }
                tokio::time::sleep(MOMENT).await;
            }
        }
    }
}

/// Accepts those who have connected already.
fn accept_the_last(socket: TcpListener, mut room: Room, last: &mut Vec<Accepted>) -> io::Result<()> {
    // The kernel takes in nobody new, so there is an end to it. Who comes now asks again, and learns that nobody is there.
    SockRef::from(&socket).listen(0)?;
    let socket = socket.into_std()?;
    loop {
        room.look(&socket)?;
        match socket.accept() {
            Ok((stream, peer)) => {
                room.took(&stream);
                stream.set_nonblocking(true)?;
                last.push((TcpStream::from_std(stream)?, peer));
            }
            Err(error) if has_gone(&error) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// That one went before it was its turn.
fn has_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_no_room_waits_in_the_kernel_until_there_is_some() {
        for is_served in [false, true] {
            // Fewer than are in use already.
            let mut listener = Listener::bind(([127, 0, 0, 1], 0).into(), Files::of(1)).unwrap();
            let peer = TcpStream::connect(listener.local_addr()).await.unwrap();
            if is_served {
                listener.serves(Files::of(usize::MAX));
                assert_eq!(listener.next().await.unwrap().1, peer.local_addr().unwrap());
            }
            assert_eq!(listener.close().await.len(), 0, "nobody else came, and for nobody there was room");
        }
    }
}
