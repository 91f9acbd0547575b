//! What lies outside of an engine in a test: a store in memory, nothing to read, a clock that tokio turns.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use terrace_functions::{Context, FileError};
use terrace_port::{
    Clock, Connection, Entropy, JournalStore, LockedState, Observer, OperationEvent, Process,
    ProcessOutput, ProcessRequest, Remote, RemoteError, RemoteTask, StateVersion, StoreError,
    StoredState,
};

/// What is stored: the state, and the frames of the journal.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) state: Mutex<Option<Arc<[u8]>>>,
    /// How often a state was written.
    pub(crate) n_writes: Mutex<usize>,
    pub(crate) frames: Mutex<Vec<Vec<u8>>>,
    pub(crate) commands: Mutex<Vec<String>>,
    pub(crate) events: Mutex<Vec<String>>,
}

pub(crate) struct Locked(pub(crate) Arc<Store>);

#[async_trait]
impl LockedState for Locked {
    fn epoch(&self) -> u64 {
        1
    }
    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        let bytes = self.0.state.lock().unwrap().clone();
        Ok(bytes.map(|bytes| StoredState { bytes }))
    }
    async fn write(&mut self, bytes: Arc<[u8]>, _: StateVersion) -> Result<(), StoreError> {
        *self.0.n_writes.lock().unwrap() += 1;
        *self.0.state.lock().unwrap() = Some(bytes);
        Ok(())
    }
    async fn overwrite(&mut self, _: Arc<[u8]>) -> Result<(), StoreError> {
        Err(StoreError::Refused("not here".into()))
    }
    async fn unlock(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl JournalStore for Store {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.frames.lock().unwrap().extend_from_slice(frames);
        Ok(())
    }
    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.frames.lock().unwrap().clone())
    }
    async fn clear(&self) -> Result<(), StoreError> {
        self.frames.lock().unwrap().clear();
        Ok(())
    }
}

#[async_trait]
impl Process for Store {
    async fn run(
        &self,
        request: ProcessRequest,
        _: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> std::io::Result<ProcessOutput> {
        let command = request.argv.last().cloned().unwrap_or_default();
        self.commands.lock().unwrap().push(command);
        Ok(ProcessOutput {
            code: Some(0),
            output: Vec::new(),
        })
    }
}

#[async_trait]
impl Remote for Store {
    async fn carry_out(
        &self,
        _: &Connection,
        _: &RemoteTask,
        _: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<(), RemoteError> {
        panic!("no test here has machines")
    }
}

impl Observer for Store {
    fn on_event(&self, event: OperationEvent) {
        let line = match event {
            OperationEvent::ApplyStart {
                address, action, ..
            } => format!("{action} {address}"),
            OperationEvent::ApplyFailed {
                address, action, ..
            } => format!("{action} {address} failed"),
            _ => return,
        };
        self.events.lock().unwrap().push(line);
    }
}

/// Seconds since 1970 at which every test begins.
const BEGIN: i64 = 1_800_000_000;

/// Tokio's clock, which stands still while something works and jumps when all wait.
pub(crate) struct Turned(tokio::time::Instant);

impl Turned {
    pub(crate) fn new() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for Turned {
    fn now(&self) -> (i64, u32) {
        let since = self.0.elapsed();
        (
            BEGIN + i64::try_from(since.as_secs()).unwrap(),
            since.subsec_nanos(),
        )
    }

    fn sleep(
        &self,
        duration: std::time::Duration,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

pub(crate) struct Constant;

impl Entropy for Constant {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl Context for Constant {
    fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
        Err(FileError::NotFound)
    }
    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Err(FileError::NotFound)
    }
    fn file_exists(&self, _: &str) -> Result<bool, FileError> {
        Ok(false)
    }
    fn absolute_path(&self, path: &str) -> String {
        path.to_owned()
    }
    fn home_directory(&self) -> Option<String> {
        None
    }
    fn timestamp(&self) -> Option<String> {
        None
    }
    fn plan_timestamp(&self) -> Option<String> {
        None
    }
    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}
