//! Sessions that many ask for at the same time, read together: ten thousand browsers that come back at once need a few
//! hundred statements. *Runs: server.*

use std::{collections::HashMap, sync::Arc};

use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use super::{
    StoreError,
    sessions::{Row, SELECT},
    together::any_of,
};
use crate::{
    domain::{ids::SessionId, session::Session},
    server::{gather::gather, secrets::KeyRing},
};

/// The most that are read with one statement.
const MOST: usize = 64;

struct Question {
    id: SessionId,
    answer: oneshot::Sender<Option<Session>>,
}

/// Reads sessions. Whoever asks while a statement runs is answered by the next one.
#[derive(Clone)]
pub(super) struct Lookup {
    read: SqlitePool,
    keys: Arc<KeyRing>,
    questions: mpsc::UnboundedSender<Question>,
}

impl Lookup {
    pub(super) fn new(read: SqlitePool, keys: Arc<KeyRing>) -> Self {
        let (questions, asked) = mpsc::unbounded_channel();
        tokio::spawn(answer(read.clone(), Arc::clone(&keys), asked));
        Self { read, keys, questions }
    }

    pub(super) async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.questions.send(Question { id, answer }).is_ok()
            && let Ok(session) = answered.await
        {
            return Ok(session);
        }
        // The common statement failed, perhaps for a row of somebody else's: alone one learns what of one's own.
        let row: Option<Row> = any_of(SELECT, &[id.as_str()]).build_query_as().fetch_optional(&self.read).await?;
        row.map(|row| row.session(&self.keys)).transpose()
    }
}

/// Answers until nobody can ask any more. A question whose answer is dropped is asked again by itself.
async fn answer(read: SqlitePool, keys: Arc<KeyRing>, mut asked: mpsc::UnboundedReceiver<Question>) {
    let mut questions = Vec::with_capacity(MOST);
    while asked.recv_many(&mut questions, MOST).await > 0 {
        gather(&mut questions, MOST, || asked.try_recv().ok()).await;
        let ids: Vec<&str> = questions.iter().map(|question| question.id.as_str()).collect();
        let rows: Result<Vec<Row>, _> = any_of(SELECT, &ids).build_query_as().fetch_all(&read).await;
        let sessions = rows.map_err(StoreError::from).and_then(|rows| {
            let sessions = rows.into_iter().map(|row| row.session(&keys).map(|session| (session.id, session)));
            sessions.collect::<Result<HashMap<SessionId, Session>, StoreError>>()
        });
        if let Ok(sessions) = sessions {
            for Question { id, answer } in questions.drain(..) {
                // Who asked may have gone.
                let _ = answer.send(sessions.get(&id).cloned());
            }
        }
        questions.clear();
    }
}
