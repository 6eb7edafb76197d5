//! Somebody in the middle who passes TCP connections on: to the next of several servers in turn, as a balancer does, or to one
//! whose connections can be cut.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes on what comes to a port of its own.
#[derive(Clone)]
pub struct Passage(Arc<Inner>);

struct Inner {
    port: u16,
    targets: Mutex<Vec<u16>>,
    next: AtomicUsize,
    cut: watch::Sender<()>,
}

impl Passage {
    /// To these ports on this machine.
    pub async fn to(targets: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, _) = watch::channel(());
        let passage = Self(Arc::new(Inner { port, targets: Mutex::new(targets), next: AtomicUsize::new(0), cut }));
        let passing = passage.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (passing, mut cut) = (passing.clone(), passing.0.cut.subscribe());
                tokio::spawn(async move {
                    tokio::select! {
                        () = passing.pass(stream) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        passage
    }

    /// From now on it leads to these.
    pub fn leads_to(&self, targets: Vec<u16>) {
        *self.0.targets.lock().unwrap() = targets;
    }

    /// Its own port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Cuts every connection that there is, without a word.
    pub fn cut(&self) {
        self.0.cut.send_replace(());
    }

    /// The targets, beginning with another one each time.
    fn in_turn(&self) -> Vec<u16> {
        let mut targets = self.0.targets.lock().unwrap().clone();
        if let Some(first) = self.0.next.fetch_add(1, Ordering::Relaxed).checked_rem(targets.len()) {
            targets.rotate_left(first);
        }
        targets
    }

    /// A server that is gone, or goes before it has said a word, is passed over: to ask again is safe as long as nobody has
    /// answered, because everything here may be repeated.
    async fn pass(&self, mut client: TcpStream) {
        let mut said = Vec::new();
        for target in self.in_turn() {
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await else { continue };
            if server.write_all(&said).await.is_err() {
                continue;
            }
            match first_words(&mut client, &mut server, &mut said).await {
                Some(answer) if answer.is_empty() => {}
                Some(answer) => {
                    if client.write_all(&answer).await.is_ok() {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                    return;
                }
                None => return,
            }
        }
    }
}

/// The first bytes that the server says, none where it goes without a word, nothing where the client goes.
async fn first_words(client: &mut TcpStream, server: &mut TcpStream, said: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (mut asked, mut answered) = ([0; 4096], vec![0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(0) | Err(_) => return None,
                Ok(length) => {
                    said.extend_from_slice(&asked[..length]);
                    if server.write_all(&asked[..length]).await.is_err() {
                        return Some(Vec::new());
                    }
                }
            },
            read = server.read(&mut answered) => {
                answered.truncate(read.unwrap_or(0));
                return Some(answered);
            }
        }
    }
}
