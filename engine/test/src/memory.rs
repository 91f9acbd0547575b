//! States of tests, which nobody keeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use terrace_port::{JournalStore, LockedState, RunStore, StateVersion, StoreError, StoredState};

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

/// There are no runs beside the state of a test, and so no rules of a gate.
#[async_trait]
impl RunStore for MemoryStore {
    async fn get(&self, _: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(None)
    }
    async fn put(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn compare_and_put(&self, _: &str, _: Option<&[u8]>, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    async fn list(&self, _: &str) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
