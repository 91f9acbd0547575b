//! The database of answers in a thread of its own.
//!
//! With some kinds of damage, sled neither fails nor goes on (found by changing its files at random). A cache is not worth
//! waiting for: where it does not answer in time, it is removed, and the run goes on without one.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::answers::{Database, Question, Remembered};

/// How long to wait for the database.
const PATIENCE: Duration = Duration::from_secs(10);

type Task = Box<dyn FnOnce(&mut Database) + Send>;

/// What servers answered before; see [`Database`].
#[derive(Debug)]
pub(crate) struct AnswerCache {
    directory: PathBuf,
    patience: Duration,
    /// Gone once it has failed.
    worker: Mutex<Option<Worker>>,
}

#[derive(Debug)]
struct Worker {
    tasks: Sender<Task>,
    /// Tells when the database is closed.
    state: Receiver<bool>,
}

impl AnswerCache {
    /// The cache in `directory`, which need not be there yet; `None` where there can be none now.
    pub(crate) fn open(directory: &Path) -> Option<Self> {
        let (tasks, todo) = mpsc::channel();
        let (told, state) = mpsc::channel();
        let path = directory.to_owned();
        let work = move || work(&path, &todo, &told);
        let thread = std::thread::Builder::new().name("answers".to_owned());
        thread.spawn(work).ok()?;
        let cache = Self {
            directory: directory.to_owned(),
            patience: PATIENCE,
            worker: Mutex::default(),
        };
        match state.recv_timeout(PATIENCE) {
            Ok(true) => {
                *cache.worker() = Some(Worker { tasks, state });
                Some(cache)
            }
            Ok(false) => None,
            Err(_) => {
                cache.discard();
                None
            }
        }
    }

    /// What was answered to a question.
    pub(crate) fn get(&self, question: Question) -> Option<Remembered> {
        self.ask(move |database| database.get(&question)).flatten()
    }

    /// Remembers an answer instead of an earlier one, if that is possible.
    pub(crate) fn put(&self, question: Question, remembered: Remembered) {
        self.ask(move |database| database.put(&question, &remembered));
    }

    /// Removes what was answered to a question.
    pub(crate) fn forget(&self, question: Question) {
        self.ask(move |database| database.forget(&question));
    }

    /// What the database says, where it does in time.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> T + Send + 'static,
    ) -> Option<T> {
        let mut worker = self.worker();
        let (answer, answered) = mpsc::channel();
        let task: Task = Box::new(move |database| {
            // Who does not wait any more needs no answer.
            answer.send(work(database)).ok();
        });
        // What cannot be sent is not answered.
        worker.as_ref()?.tasks.send(task).ok();
        let said = answered.recv_timeout(self.patience).ok();
        if said.is_none() {
            *worker = None;
            self.discard();
        }
        said
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Option<Worker>> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the files, so that the next run has better luck.
    fn discard(&self) {
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

impl Drop for AnswerCache {
    /// Closes the database, so that another one can open it.
    fn drop(&mut self) {
        let Some(Worker { tasks, state }) = self.worker().take() else {
            return;
        };
        drop(tasks);
        if state.recv_timeout(self.patience).is_err() {
            self.discard();
        }
    }
}

/// Works until nobody is left who has tasks. Tells whether the database is open, and that it is closed.
fn work(directory: &Path, todo: &Receiver<Task>, told: &Sender<bool>) {
    let database = Database::open(directory);
    // Who does not wait any more need not be told.
    told.send(database.is_some()).ok();
    let Some(mut database) = database else {
        return;
    };
    for task in todo {
        task(&mut database);
    }
    drop(database);
    wait_until_free(directory);
    told.send(false).ok();
}

/// Sled's own threads may keep the lock of its file for a moment longer than the database.
fn wait_until_free(directory: &Path) {
    let Ok(file) = File::open(directory.join("db")) else {
        return;
    };
    for _ in 0..100 {
        if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_does_not_answer_is_removed() {
        let hang: fn(&mut Database) = |_| std::thread::sleep(Duration::from_millis(500));
        let fail: fn(&mut Database) = |_| panic!("as sled may");
        for trouble in [hang, fail] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("answers");
            let mut cache = AnswerCache::open(&path).unwrap();
            assert_eq!(cache.ask(|_| 1), Some(1));
            cache.patience = Duration::from_millis(20);
            assert_eq!(cache.ask(trouble), None);
            assert!(!path.exists());
            assert_eq!(cache.ask(|_| 1), None, "it is done without from then on");
            assert!(AnswerCache::open(&path).is_some(), "the next one is new");
        }
    }
}
