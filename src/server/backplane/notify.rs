//! PostgreSQL as the backplane, by `NOTIFY`: there is no further service to run, but every server hears of every change, and
//! PostgreSQL writes such transactions one after the other. *Runs: server.*

use async_trait::async_trait;

use super::{Backplane, Listener, Lost, Message, Teller, Topic};
use crate::server::store::{Listening, Store};

/// The notifications of the store's own database.
pub struct Notifications(pub Store);

#[async_trait]
impl Backplane for Notifications {
    async fn teller(&self) -> Result<Box<dyn Teller>, Lost> {
        Ok(Box::new(Notifier(self.0.clone())))
    }

    async fn listener(&self) -> Result<Box<dyn Listener>, Lost> {
        Ok(Box::new(Everything(self.0.listen().await?)))
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}

struct Notifier(Store);

#[async_trait]
impl Teller for Notifier {
    async fn tell(&mut self, messages: &[Message]) -> Result<(), Lost> {
        let lines: Vec<String> = messages.iter().map(|(topic, from)| line(*topic, *from)).collect();
        Ok(self.0.notify(&lines).await?)
    }
}

/// Hears of everything, whatever it is asked for.
struct Everything(Listening);

#[async_trait]
impl Listener for Everything {
    async fn begin(&mut self, _: &[Topic]) -> Result<(), Lost> {
        Ok(())
    }

    async fn end(&mut self, _: &[Topic]) -> Result<(), Lost> {
        Ok(())
    }

    async fn next(&mut self) -> Result<Message, Lost> {
        loop {
            if let Some(message) = parse(&self.0.next().await?) {
                return Ok(message);
            }
        }
    }
}

fn line(topic: Topic, from: u64) -> String {
    match topic {
        Topic::Session(session) => format!("session {session} {from}"),
        Topic::Server(server) => format!("server {server} {from}"),
        Topic::Any => format!("any - {from}"),
    }
}

fn parse(line: &str) -> Option<Message> {
    let mut words = line.split(' ');
    let topic = match (words.next()?, words.next()?) {
        ("session", id) => Topic::Session(id.parse().ok()?),
        ("server", number) => Topic::Server(number.parse().ok()?),
        ("any", _) => Topic::Any,
        _ => return None,
    };
    Some((topic, words.next()?.parse().ok()?))
}
