//! Redis as the backplane: a channel for each session, so that only servers which watch a session are woken. *Runs: server.*

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::{
    AsyncConnectionConfig, Client, Pipeline,
    aio::{MultiplexedConnection, PubSubSink, PubSubStream},
};

use super::{Backplane, Listener, Lost, Message, PATIENCE, Teller, Topic};

/// A Redis.
pub struct Redis(Client);

impl Redis {
    /// The Redis at this address, `redis://…` or, with TLS, `rediss://…`. Connects later.
    ///
    /// # Errors
    /// When the address is none.
    pub fn at(url: &str) -> Result<Self, Lost> {
        Ok(Self(Client::open(url)?))
    }
}

#[async_trait]
impl Backplane for Redis {
    async fn teller(&self) -> Result<Box<dyn Teller>, Lost> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        Ok(Box::new(self.0.get_multiplexed_async_connection_with_config(&config).await?))
    }

    async fn listener(&self) -> Result<Box<dyn Listener>, Lost> {
        let (sink, stream) = self.0.get_async_pubsub().await?.split();
        Ok(Box::new(Subscriptions { sink, stream }))
    }

    fn name(&self) -> &'static str {
        "redis"
    }
}

#[async_trait]
impl Teller for MultiplexedConnection {
    async fn tell(&mut self, messages: &[Message]) -> Result<(), Lost> {
        let mut commands = Pipeline::with_capacity(messages.len());
        for (topic, from) in messages {
            commands.publish(channel(*topic), *from).ignore();
        }
        Ok(commands.query_async(self).await?)
    }
}

struct Subscriptions {
    sink: PubSubSink,
    stream: PubSubStream,
}

#[async_trait]
impl Listener for Subscriptions {
    async fn begin(&mut self, topics: &[Topic]) -> Result<(), Lost> {
        if topics.is_empty() {
            return Ok(());
        }
        Ok(self.sink.subscribe(channels(topics)).await?)
    }

    async fn end(&mut self, topics: &[Topic]) -> Result<(), Lost> {
        // Without a name it would be all of them.
        if topics.is_empty() {
            return Ok(());
        }
        Ok(self.sink.unsubscribe(channels(topics)).await?)
    }

    async fn next(&mut self) -> Result<Message, Lost> {
        loop {
            let message = self.stream.next().await.ok_or(Lost::Closed)?;
            let from = message.get_payload::<String>().ok().and_then(|payload| payload.parse().ok());
            // Others may use the same Redis, for something else.
            if let Some(message) = topic(message.get_channel_name()).zip(from) {
                return Ok(message);
            }
        }
    }
}

const SESSION: &str = "vestibule:session:";
const SERVER: &str = "vestibule:server:";
const ANY: &str = "vestibule:any";

fn channels(topics: &[Topic]) -> Vec<String> {
    topics.iter().copied().map(channel).collect()
}

fn channel(topic: Topic) -> String {
    match topic {
        Topic::Session(session) => format!("{SESSION}{session}"),
        Topic::Server(server) => format!("{SERVER}{server}"),
        Topic::Any => ANY.to_owned(),
    }
}

fn topic(channel: &str) -> Option<Topic> {
    if channel == ANY {
        return Some(Topic::Any);
    }
    match channel.strip_prefix(SESSION) {
        Some(session) => session.parse().ok().map(Topic::Session),
        None => channel.strip_prefix(SERVER)?.parse().ok().map(Topic::Server),
    }
}
