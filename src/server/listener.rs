//! Where connections come from: the port, from the first moment of the process on. *Runs: server.*
//!
//! Called by `startup` (opening) and `serve` (accepting).

use std::{future::pending, io, net::SocketAddr, os::fd::AsRawFd, time::Duration};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use super::guests::{Files, in_use};

/// Connections that the kernel keeps for us before they are accepted; on most systems it keeps no more (`somaxconn`).
const BACKLOG: i32 = 4096;
/// How long accepting waits when the system cannot give another connection.
pub(super) const MOMENT: Duration = Duration::from_millis(100);

/// A connection, and where it comes from.
type Accepted = (TcpStream, SocketAddr);

/// Where connections come from. From the moment it is there nobody is refused. Whoever comes before somebody serves is
/// accepted, and waits here: the kernel has too little room for all who come back at once after a restart, and who finds
/// none asks again after a whole second, then after two.
pub struct Listener {
    address: SocketAddr,
    /// Ends with it.
    held: JoinSet<Open>,
    serves: oneshot::Sender<()>,
}

/// What [`Listener`] becomes once somebody serves.
pub(super) struct Open {
    /// To accept from.
    pub socket: TcpListener,
    /// Somebody else has it too, and the next process will: whom we do not accept, that one does.
    pub is_passed: bool,
    /// Those who came before, in the order of their coming.
    pub early: Vec<Accepted>,
}

impl Listener {
    /// Listens: on the socket that a service manager passed (`LISTEN_FDS`), otherwise on this address.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn open(address: SocketAddr, files: Files) -> io::Result<Self> {
        let Some(passed) = ListenFd::from_env().take_tcp_listener(0)? else { return Self::bind(address, files) };
        passed.set_nonblocking(true)?;
        Self::hold(TcpListener::from_std(passed)?, None)
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
        Self::hold(TcpListener::from_std(socket.into())?, Some(files))
    }

    /// Holds a socket until somebody serves. `files`: who comes early may have as many of them as sockets may; nobody is
    /// accepted early from a socket that somebody else has too, who could still serve them if we cannot.
    fn hold(socket: TcpListener, files: Option<Files>) -> io::Result<Self> {
        let (address, (serves, serving)) = (socket.local_addr()?, oneshot::channel());
        let mut held = JoinSet::new();
        held.spawn(hold(socket, files, serving));
        Ok(Self { address, held, serves })
    }

    /// The address it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The socket, to serve from; `None` after a panic.
    pub(super) async fn open_up(mut self) -> Option<Open> {
        let _ = self.serves.send(());
        self.held.join_next().await?.ok()
    }
}

/// Accepts who comes, until somebody serves.
async fn hold(socket: TcpListener, files: Option<Files>, serving: oneshot::Receiver<()>) -> Open {
    let mut early = Vec::new();
    let accepting = async {
        // The database needs some files to open at all; whoever comes then waits in the kernel.
        let mut has_room = files.is_some();
        while has_room {
            match socket.accept().await {
                Ok(accepted) => {
                    has_room = files.is_some_and(|files| in_use(accepted.0.as_raw_fd()) < files.for_sockets());
                    early.push(accepted);
                }
                // Whoever serves says what is wrong, where it still is.
                Err(_) => tokio::time::sleep(MOMENT).await,
            }
        }
        pending::<()>().await;
    };
    tokio::select! {
        () = accepting => {}
        _ = serving => {}
    }
    Open { socket, is_passed: files.is_none(), early }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_early_takes_no_file_that_others_need() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), Files::of(1)).unwrap();
        let mut peers = Vec::new();
        for _ in 0..20 {
            peers.push(TcpStream::connect(listener.local_addr()).await.unwrap());
            tokio::task::yield_now().await;
        }
        let open = listener.open_up().await.unwrap();
        assert_eq!((open.early.len(), open.is_passed), (1, false));
        assert_eq!(open.socket.accept().await.unwrap().1, peers[1].local_addr().unwrap(), "the others wait");
    }
}
