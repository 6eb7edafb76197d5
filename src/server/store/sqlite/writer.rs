//! Whose turn it is to write, and the commit that several share. Who has done its part lets the next one begin, in the
//! same transaction, and the commit waits at the end of the queue: all who waited for one another cost the disk hardly
//! more than one, and who is alone commits at once. *Runs: server.*

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard, oneshot},
    task::spawn_blocking,
};

use super::{super::StoreError, connection::Connection};

/// How long a transaction waits to begin while somebody else, a backup tool for instance, keeps the lock; and how often it
/// tries meanwhile.
const BUSY: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(5);

/// The queue of those who want to write, in the order of their coming.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<Shared>>);

/// The transaction that is open. Between two turns there is one exactly while there are members.
struct Shared {
    /// `None` once closed.
    connection: Option<Connection>,
    /// Those who have done their parts and wait for the commit.
    members: Vec<oneshot::Sender<()>>,
}

/// One part of a transaction: what one writer does. Dropped without [`Part::commit`] it changes nothing.
pub(super) struct Part {
    writer: Writer,
    turn: OwnedMutexGuard<Shared>,
    ended: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(Shared { connection: Some(connection), members: Vec::new() })))
    }

    /// Waits for its turn, and begins a transaction of its own: what is read in it is on disk.
    pub(super) async fn begin(&self) -> Result<Part, StoreError> {
        let turn = self.committed().await?;
        self.take_part(turn).await
    }

    /// Waits for its turn, and goes on with the transaction that is open, if one is.
    pub(super) async fn begin_shared(&self) -> Result<Part, StoreError> {
        let turn = Arc::clone(&self.0).lock_owned().await;
        self.take_part(turn).await
    }

    async fn take_part(&self, mut turn: OwnedMutexGuard<Shared>) -> Result<Part, StoreError> {
        turn.forget_what_a_fault_ended();
        if turn.members.is_empty() {
            // To give up the first part is to give up the transaction: it needs no savepoint.
            let began = Instant::now();
            while let Err(error) = turn.execute("BEGIN IMMEDIATE") {
                if !error.is_busy() || began.elapsed() > BUSY {
                    return Err(error);
                }
                tokio::time::sleep(AGAIN).await;
            }
        } else {
            turn.execute("SAVEPOINT part")?;
        }
        Ok(Part { writer: self.clone(), turn, ended: false })
    }

    /// Does something between two transactions that may wait for the disk.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = self.committed().await?;
        let done = spawn_blocking(move || work(turn.connection()?)).await;
        done.unwrap_or(Err(StoreError::NotCommitted))
    }

    /// Commits what is open, and closes the connection.
    pub(super) async fn close(&self) {
        match self.committed().await {
            Ok(mut turn) => turn.connection = None,
            Err(error) => tracing::error!(%error, "the database could not be closed"),
        }
    }

    /// Waits for its turn, and commits for all who have done their parts.
    async fn committed(&self) -> Result<OwnedMutexGuard<Shared>, StoreError> {
        let mut turn = Arc::clone(&self.0).lock_owned().await;
        if turn.members.is_empty() {
            return Ok(turn);
        }
        // A commit waits for the disk, which must not hold up what else is done on this thread.
        let committed = spawn_blocking(move || {
            turn.commit();
            turn
        });
        committed.await.map_err(|_| StoreError::NotCommitted)
    }
}

impl Part {
    /// The connection, for statements of this part.
    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        self.turn.connection()
    }

    /// Ends the part. When this returns, it is on disk with all that share the commit. It is committed also when the caller
    /// goes away meanwhile: others may share the commit.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let is_first = self.turn.members.is_empty();
        if !is_first {
            self.turn.execute("RELEASE part")?;
        }
        let (done, committed) = oneshot::channel();
        self.turn.members.push(done);
        self.ended = true;
        let writer = self.writer.clone();
        drop(self);
        // The first one commits for those who follow.
        if is_first {
            tokio::spawn(async move { writer.committed().await.map(drop) });
        }
        committed.await.map_err(|_| StoreError::NotCommitted)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let taken_back = if self.turn.members.is_empty() {
            self.turn.execute("ROLLBACK")
        } else {
            self.turn.execute("ROLLBACK TO part").and_then(|()| self.turn.execute("RELEASE part"))
        };
        if let Err(error) = taken_back {
            tracing::error!(%error, "a part of a transaction could not be taken back");
            self.turn.forget_what_a_fault_ended();
        }
    }
}

impl Shared {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Closed)
    }

    fn execute(&self, sql: &'static str) -> Result<(), StoreError> {
        self.connection()?.execute(sql, &[]).map(drop)
    }

    /// A fault ended the transaction: nothing is left of the parts of others either. Whoever is not told that theirs is on
    /// disk takes it for not done.
    fn forget_what_a_fault_ended(&mut self) {
        let is_open = self.connection.as_ref().is_some_and(Connection::is_in_transaction);
        if !is_open && !self.members.is_empty() {
            tracing::error!(parts = self.members.len(), "a shared transaction was ended by a fault");
            self.members.clear();
        }
    }

    /// Commits for all who have done their parts, and tells them.
    fn commit(&mut self) {
        self.forget_what_a_fault_ended();
        let members = std::mem::take(&mut self.members);
        if members.is_empty() {
            return;
        }
        if let Err(error) = self.execute("COMMIT") {
            tracing::error!(%error, parts = members.len(), "a commit failed");
            if self.connection.as_ref().is_some_and(Connection::is_in_transaction)
                && let Err(error) = self.execute("ROLLBACK")
            {
                tracing::error!(%error, "a transaction could not be taken back");
            }
            return;
        }
        for member in members {
            // It may have gone away meanwhile.
            let _ = member.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, future::pending};

    use tempfile::TempDir;
    use tokio::task::{JoinHandle, JoinSet, yield_now};

    use super::{
        super::super::statement::{single, values},
        *,
    };

    /// A file with a table of numbers, the writer of it, and a connection that sees what is committed.
    fn numbers() -> (TempDir, Writer, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.db");
        let connection = Connection::to_write(&path, 1024).unwrap();
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)", &[]).unwrap();
        (folder, Writer::new(connection), Connection::to_read(&path).unwrap())
    }

    fn stored(read: &Connection) -> BTreeSet<i64> {
        read.rows("SELECT number FROM numbers", &[], single).unwrap().into_iter().collect()
    }

    fn insert(part: &Part, number: i64) -> Result<(), StoreError> {
        part.connection()?.execute("INSERT INTO numbers VALUES (?1)", values![number]).map(drop)
    }

    /// As SQLite does it when the disk is full or fails.
    fn end_by_a_fault(part: &Part) {
        part.connection().unwrap().execute("ROLLBACK", &[]).unwrap();
    }

    async fn write(writer: Writer, number: i64) -> Result<(), StoreError> {
        let part = writer.begin_shared().await?;
        insert(&part, number)?;
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
        let (_folder, writer, read) = numbers();
        let first = writer.begin().await.unwrap();
        insert(&first, 0).unwrap();
        let others: JoinSet<_> = (1..100).map(|number| write(writer.clone(), number)).collect();
        let_them_queue().await;
        first.commit().await.unwrap();
        assert!(others.join_all().await.into_iter().all(|told| told.is_ok()));
        assert_eq!(stored(&read), (0..100).collect());
        let frames = writer.aside(|connection| {
            connection.row("PRAGMA wal_checkpoint(PASSIVE)", &[], |row| {
                let _busy: i64 = row.next()?;
                row.next::<i64>()
            })
        });
        let frames = frames.await.unwrap().unwrap();
        // Each commit by itself writes a frame at least; those of the table's making are among these too.
        assert!(frames < 20, "{frames} frames for a hundred parts");
    }

    #[tokio::test]
    async fn a_part_that_is_given_up_takes_nothing_from_the_others() {
        let (_folder, writer, read) = numbers();
        let first = writer.begin().await.unwrap();
        insert(&first, 0).unwrap();
        let mut all = JoinSet::new();
        for number in 1..60 {
            let writer = writer.clone();
            all.spawn(async move {
                let part = writer.begin_shared().await?;
                insert(&part, number)?;
                match number % 3 {
                    // Given up.
                    0 => Ok(()),
                    // Fails: it is there already.
                    1 => insert(&part, 0),
                    _ => part.commit().await,
                }
            });
        }
        let_them_queue().await;
        first.commit().await.unwrap();
        all.join_all().await;
        assert_eq!(stored(&read), (0..60).filter(|number| number % 3 == 2 || *number == 0).collect());
    }

    #[tokio::test]
    async fn the_first_that_is_given_up_leaves_nothing_open() {
        let (_folder, writer, read) = numbers();
        let first = writer.begin().await.unwrap();
        insert(&first, 0).unwrap();
        drop(first);
        write(writer.clone(), 1).await.unwrap();
        let ended = writer.begin().await.unwrap();
        end_by_a_fault(&ended);
        assert!(matches!(ended.commit().await, Err(StoreError::NotCommitted)));
        write(writer, 2).await.unwrap();
        assert_eq!(stored(&read), BTreeSet::from([1, 2]));
    }

    #[tokio::test]
    async fn a_transaction_that_a_fault_ends_is_told_to_all_who_had_a_part_in_it() {
        let (_folder, writer, read) = numbers();
        let first = writer.begin().await.unwrap();
        insert(&first, 0).unwrap();
        let before: JoinSet<_> = (1..5).map(|number| write(writer.clone(), number)).collect();
        let_them_queue().await;
        let fault = tokio::spawn({
            let writer = writer.clone();
            async move {
                let part = writer.begin_shared().await.unwrap();
                insert(&part, 5).unwrap();
                end_by_a_fault(&part);
            }
        });
        let_them_queue().await;
        let after: JoinSet<_> = (6..9).map(|number| write(writer.clone(), number)).collect();
        let_them_queue().await;
        assert!(matches!(first.commit().await, Err(StoreError::NotCommitted)));
        fault.await.unwrap();
        assert!(before.join_all().await.into_iter().all(|told| matches!(told, Err(StoreError::NotCommitted))));
        assert!(after.join_all().await.into_iter().all(|told| told.is_ok()));
        assert_eq!(stored(&read), (6..9).collect());
    }

    #[tokio::test]
    async fn who_shares_with_nobody_reads_only_what_is_on_disk() {
        let (_folder, writer, read) = numbers();
        let first = writer.begin().await.unwrap();
        insert(&first, 0).unwrap();
        let second = tokio::spawn(write(writer.clone(), 1));
        let alone = tokio::spawn(async move {
            let part = writer.begin().await.unwrap();
            let own = stored(part.connection().unwrap());
            (own, stored(&read))
        });
        let_them_queue().await;
        let (first, second, alone) = tokio::join!(first.commit(), second, alone);
        first.unwrap();
        second.unwrap().unwrap();
        let (own, on_disk) = alone.unwrap();
        assert_eq!(own, on_disk);
        assert_eq!(on_disk, BTreeSet::from([0, 1]));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_goes_away_at_whatever_moment_leaves_the_others_what_they_were_told() {
        let (_folder, writer, read) = numbers();
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
                    let part = writer.begin_shared().await?;
                    insert(&part, number)?;
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
        let stored = stored(&read);
        assert!((0..=2000).step_by(2).all(|number| stored.contains(&number)));
        assert!(stored.iter().all(|number| number % 4 != 3), "what was given up is stored");
    }
}
