//! States of tests, which nobody keeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use terrace_port::{JournalStore, LockedState, StateVersion, StoreError, StoredState};

/// A state and its journal in memory. Nobody else has it, so it is always locked.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    state: Option<Arc<[u8]>>,
    frames: Vec<Vec<u8>>,
}

impl MemoryStore {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LockedState for MemoryStore {
    fn epoch(&self) -> u64 {
        1
    }
    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        let bytes = self.content().state.clone();
        Ok(bytes.map(|bytes| StoredState { bytes }))
    }
    async fn write(&mut self, bytes: Arc<[u8]>, _: StateVersion) -> Result<(), StoreError> {
        self.content().state = Some(bytes);
        Ok(())
    }
    async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError> {
        self.content().state = Some(bytes);
        Ok(())
    }
    async fn unlock(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl JournalStore for MemoryStore {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.content().frames.extend_from_slice(frames);
        Ok(())
    }
    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.content().frames.clone())
    }
    async fn clear(&self) -> Result<(), StoreError> {
        self.content().frames.clear();
        Ok(())
    }
}
