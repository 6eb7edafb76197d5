//! Whose turn it is to write, and the commit that several share. Who has done its part lets the next one begin, in the
//! same transaction, and the commit waits at the end of the queue: all who waited for one another cost the disk hardly
//! more than one, and who is alone commits at once. *Runs: server.*

use std::sync::Arc;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::StoreError;

/// The queue of those who want to write, in the order of their coming.
#[derive(Clone)]
pub(super) struct Writer {
    pool: SqlitePool,
    turn: Arc<Mutex<Shared>>,
}

/// The transaction that is open. Between two turns there is one exactly while there are members.
#[derive(Default)]
struct Shared {
    transaction: Option<Transaction<'static, Sqlite>>,
    /// Those who have done their parts and wait for the commit.
    members: Vec<oneshot::Sender<()>>,
    /// Whether the last part was given up, and what it did is still to be taken back.
    given_up: bool,
}

/// One part of a transaction: what one writer does. Dropped without [`Part::commit`] it changes nothing.
pub(super) struct Part {
    writer: Writer,
    turn: OwnedMutexGuard<Shared>,
    ended: bool,
}

impl Writer {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool, turn: Arc::default() }
    }

    /// Waits for its turn, and begins a transaction of its own: what is read in it is on disk.
    pub(super) async fn begin(&self) -> Result<Part, StoreError> {
        self.take_turn(false).await
    }

    /// Waits for its turn, and goes on with the transaction that is open, if one is.
    pub(super) async fn begin_shared(&self) -> Result<Part, StoreError> {
        self.take_turn(true).await
    }

    async fn take_turn(&self, shares: bool) -> Result<Part, StoreError> {
        let writer = self.clone();
        // In a task of its own: the others would find half a beginning if the caller went away.
        let begun = tokio::spawn(async move {
            let mut turn = Arc::clone(&writer.turn).lock_owned().await;
            turn.take_back().await;
            if !shares {
                turn.commit().await;
            }
            match &mut turn.transaction {
                // The first part needs no savepoint: to give it up is to give up the transaction.
                none @ None => *none = Some(writer.open().await?),
                Some(transaction) => execute(transaction, "SAVEPOINT part").await?,
            }
            Ok(Part { writer, turn, ended: false })
        });
        begun.await.unwrap_or(Err(StoreError::NotCommitted))
    }

    async fn open(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        match self.pool.begin_with("BEGIN IMMEDIATE").await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                // Some faults end a transaction by themselves, and the pool's connection goes on counting it for ever.
                self.pool.acquire().await?.close().await?;
                Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
            }
            begun => Ok(begun?),
        }
    }

    /// Waits for its turn, and commits for all who have done their parts.
    async fn commit(self) {
        let mut turn = self.turn.lock().await;
        turn.take_back().await;
        turn.commit().await;
    }
}

impl Part {
    /// The connection, for statements of this part.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.turn.transaction.as_deref_mut().ok_or(StoreError::NotCommitted)
    }

    /// Ends the part. When this returns, it is on disk with all that share the commit.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let (done, committed) = oneshot::channel();
        // To its end also when the caller goes away: others may share the commit.
        tokio::spawn(async {
            if let Err(error) = self.end(done).await {
                tracing::error!(%error, "a part of a transaction could not be ended");
            }
        });
        committed.await.map_err(|_| StoreError::NotCommitted)
    }

    async fn end(mut self, done: oneshot::Sender<()>) -> Result<(), StoreError> {
        let is_first = self.turn.members.is_empty();
        if !is_first {
            execute(self.connection()?, "RELEASE part").await?;
        }
        self.turn.members.push(done);
        self.ended = true;
        let writer = self.writer.clone();
        drop(self);
        // The first one commits for those who follow.
        if is_first {
            writer.commit().await;
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if self.turn.members.is_empty() {
            self.turn.transaction = None;
        } else {
            // Nothing can be awaited here: whoever is next begins with it.
            self.turn.given_up = true;
        }
    }
}

impl Shared {
    /// Takes back what a part had done that was given up.
    async fn take_back(&mut self) {
        if !std::mem::take(&mut self.given_up) {
            return;
        }
        let Some(transaction) = &mut self.transaction else { return };
        let taken_back = async {
            execute(transaction, "ROLLBACK TO part").await?;
            execute(transaction, "RELEASE part").await
        };
        if let Err(error) = taken_back.await {
            // A fault ended the transaction: nothing is left of the other parts either.
            tracing::error!(%error, "a shared transaction is given up");
            self.transaction = None;
            self.members.clear();
        }
    }

    /// Commits for all who have done their parts, and tells them. Whoever is not told takes it for not done.
    async fn commit(&mut self) {
        let members = std::mem::take(&mut self.members);
        let Some(transaction) = self.transaction.take() else { return };
        if let Err(error) = transaction.commit().await {
            tracing::error!(%error, parts = members.len(), "a commit failed");
            return;
        }
        for member in members {
            // It may have gone away meanwhile.
            let _ = member.send(());
        }
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, future::pending};

    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
    use tempfile::TempDir;
    use tokio::task::{JoinHandle, JoinSet, yield_now};

    use super::*;

    /// A file with a table of numbers, the writer of it, and a pool that sees what is committed.
    async fn numbers() -> (TempDir, Writer, SqlitePool) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("numbers.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.unwrap();
        sqlx::query("CREATE TABLE numbers (number INTEGER PRIMARY KEY)").execute(&write).await.unwrap();
        (folder, Writer::new(write), SqlitePool::connect_with(options).await.unwrap())
    }

    async fn stored(read: &SqlitePool) -> BTreeSet<i64> {
        sqlx::query_scalar("SELECT number FROM numbers").fetch_all(read).await.unwrap().into_iter().collect()
    }

    async fn insert(part: &mut Part, number: i64) -> Result<(), StoreError> {
        let insert = sqlx::query("INSERT INTO numbers VALUES (?)").bind(number);
        insert.execute(part.connection()?).await?;
        Ok(())
    }

    async fn write(writer: Writer, number: i64) -> Result<(), StoreError> {
        let mut part = writer.begin_shared().await?;
        insert(&mut part, number).await?;
        part.commit().await
    }

    /// On the one thread of a test: whoever was spawned stands in the queue after this.
    async fn let_them_queue() {
        for _ in 0..8 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn who_wait_for_one_another_share_a_commit() {
        let (_folder, writer, read) = numbers().await;
        let mut first = writer.begin().await.unwrap();
        insert(&mut first, 0).await.unwrap();
        let others: JoinSet<_> = (1..100).map(|number| write(writer.clone(), number)).collect();
        let_them_queue().await;
        first.commit().await.unwrap();
        assert!(others.join_all().await.into_iter().all(|told| told.is_ok()));
        assert_eq!(stored(&read).await, (0..100).collect());
        let (_, frames, _): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&writer.pool).await.unwrap();
        // Each commit by itself writes a frame at least; those of the table's making are among these too.
        assert!(frames < 20, "{frames} frames for a hundred parts");
    }

    #[tokio::test]
    async fn a_part_that_is_given_up_takes_nothing_from_the_others() {
        let (_folder, writer, read) = numbers().await;
        let mut first = writer.begin().await.unwrap();
        insert(&mut first, 0).await.unwrap();
        let mut all = JoinSet::new();
        for number in 1..60 {
            let writer = writer.clone();
            all.spawn(async move {
                let mut part = writer.begin_shared().await?;
                insert(&mut part, number).await?;
                match number % 3 {
                    // Given up.
                    0 => Ok(()),
                    // Fails: it is there already.
                    1 => insert(&mut part, 0).await,
                    _ => part.commit().await,
                }
            });
        }
        let_them_queue().await;
        first.commit().await.unwrap();
        all.join_all().await;
        assert_eq!(stored(&read).await, (0..60).filter(|number| number % 3 == 2 || *number == 0).collect());
    }

    #[tokio::test]
    async fn the_first_that_is_given_up_leaves_nothing_open() {
        let (_folder, writer, read) = numbers().await;
        let mut first = writer.begin().await.unwrap();
        insert(&mut first, 0).await.unwrap();
        drop(first);
        write(writer.clone(), 1).await.unwrap();
        // As SQLite does it when the disk is full or fails.
        let mut ended = writer.begin().await.unwrap();
        execute(ended.connection().unwrap(), "ROLLBACK").await.unwrap();
        assert!(matches!(ended.commit().await, Err(StoreError::NotCommitted)));
        write(writer, 2).await.unwrap();
        assert_eq!(stored(&read).await, BTreeSet::from([1, 2]));
    }

    #[tokio::test]
    async fn a_transaction_that_a_fault_ends_is_told_to_all_who_had_a_part_in_it() {
        let (_folder, writer, read) = numbers().await;
        let mut first = writer.begin().await.unwrap();
        insert(&mut first, 0).await.unwrap();
        let before: JoinSet<_> = (1..5).map(|number| write(writer.clone(), number)).collect();
        let_them_queue().await;
        let fault = tokio::spawn({
            let writer = writer.clone();
            async move {
                let mut part = writer.begin_shared().await.unwrap();
                insert(&mut part, 5).await.unwrap();
                // As SQLite does it when the disk is full or fails.
                execute(part.connection().unwrap(), "ROLLBACK").await.unwrap();
            }
        });
        let_them_queue().await;
        let after: JoinSet<_> = (6..9).map(|number| write(writer.clone(), number)).collect();
        let_them_queue().await;
        assert!(matches!(first.commit().await, Err(StoreError::NotCommitted)));
        fault.await.unwrap();
        assert!(before.join_all().await.into_iter().all(|told| matches!(told, Err(StoreError::NotCommitted))));
        assert!(after.join_all().await.into_iter().all(|told| told.is_ok()));
        assert_eq!(stored(&read).await, (6..9).collect());
    }

    #[tokio::test]
    async fn who_shares_with_nobody_reads_only_what_is_on_disk() {
        let (_folder, writer, read) = numbers().await;
        let mut first = writer.begin().await.unwrap();
        insert(&mut first, 0).await.unwrap();
        let second = tokio::spawn(write(writer.clone(), 1));
        let alone = tokio::spawn(async move {
            let mut part = writer.begin().await.unwrap();
            let own = sqlx::query_scalar("SELECT number FROM numbers").fetch_all(part.connection().unwrap()).await;
            (own.unwrap(), stored(&read).await)
        });
        let_them_queue().await;
        let (first, second, alone) = tokio::join!(first.commit(), second, alone);
        first.unwrap();
        second.unwrap().unwrap();
        let (own, on_disk): (Vec<i64>, _) = alone.unwrap();
        assert_eq!(BTreeSet::from_iter(own), on_disk);
        assert_eq!(on_disk, BTreeSet::from([0, 1]));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_goes_away_at_whatever_moment_leaves_the_others_what_they_were_told() {
        let (_folder, writer, read) = numbers().await;
        let mut going: Vec<JoinHandle<Result<(), StoreError>>> = Vec::new();
        let mut staying = JoinSet::new();
        for number in 0..2000 {
            let writer = writer.clone();
            if number % 2 == 0 {
                staying.spawn(async move { (number, write(writer, number).await) });
            } else {
                going.push(tokio::spawn(async move {
                    if number % 4 == 1 {
                        return write(writer, number).await;
                    }
                    let mut part = writer.begin_shared().await?;
                    insert(&mut part, number).await?;
                    yield_now().await;
                    drop(part);
                    pending().await
                }));
            }
            // Each is cut off at another moment of its life.
            if let Some(task) = usize::try_from(number).ok().and_then(|number| going.get(number / 5)) {
                task.abort();
            }
            yield_now().await;
        }
        going.iter().for_each(JoinHandle::abort);
        for (number, told) in staying.join_all().await {
            assert!(told.is_ok(), "{number}: {told:?}");
        }
        for task in going {
            let _ = task.await;
        }
        // Whoever is last finds an ordinary queue.
        write(writer, 2000).await.unwrap();
        let stored = stored(&read).await;
        assert!((0..=2000).step_by(2).all(|number| stored.contains(&number)));
        assert!(stored.iter().all(|number| number % 4 != 3), "what was given up is stored");
    }
}
