//! Named bytes beside a state.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_backend_local::check_run_name;
use terrace_port::{RunStore, StoreError};

use super::Parts;
use crate::{Put, When, Write};

/// Objects whose names begin with a workspace's own prefix.
pub(super) struct RemoteRuns {
    pub(super) parts: Arc<Parts>,
    pub(super) workspace: String,
}

impl RemoteRuns {
    fn name(&self, name: &str) -> Result<String, StoreError> {
        self.parts.check(&self.workspace)?;
        check_run_name(name)?;
        Ok(self.parts.own(&self.workspace, &format!("runs/{name}")))
    }
}

#[async_trait]
impl RunStore for RemoteRuns {
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        let object = self.parts.get(&self.name(name)?).await?;
        Ok(object.map(|object| object.bytes))
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let write = Write::when(When::Always);
        match self.parts.put(&self.name(name)?, bytes, write).await? {
            Put::Written(_) => Ok(()),
            Put::Refused => Err(StoreError::Conflict(format!("{name} was not written"))),
        }
    }

    async fn compare_and_put(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let key = self.name(name)?;
        let changed = || StoreError::Conflict(format!("{name} has changed since it was read"));
        let version = match expected {
            None => None,
            Some(expected) => {
                let there = self.parts.get(&key).await?.ok_or_else(changed)?;
                if *there.bytes != *expected {
                    return Err(changed());
                }
                Some(there.version)
            }
        };
        match self
            .parts
            .put_over(&key, bytes, version.as_ref(), None)
            .await?
        {
            Put::Written(_) => Ok(()),
            Put::Refused => Err(changed()),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.parts.delete(&self.name(name)?, None).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.parts.check(&self.workspace)?;
        let own = self.parts.own(&self.workspace, "runs/");
        let names = self.parts.list(&format!("{own}{prefix}")).await?;
        let mut names: Vec<String> = names
            .into_iter()
            .filter_map(|name| Some(name.strip_prefix(&own)?.to_owned()))
            .collect();
        names.sort_unstable();
        Ok(names)
    }
}
