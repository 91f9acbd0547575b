//! Part of a store: what lies below a prefix.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_backend_remote::{Deleted, Failure, Object, Objects, Put, Write};

/// The objects of a store whose names begin with a prefix, by the rest of their names.
pub struct Below {
    store: Arc<dyn Objects>,
    prefix: String,
}

impl Below {
    /// What lies below `prefix`, which needs no slash at its end; all of the store where it is empty.
    pub fn new(store: Arc<dyn Objects>, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        Self { store, prefix }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl std::fmt::Debug for Below {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Below")
            .field(&self.store.place(&self.prefix))
            .finish()
    }
}

#[async_trait]
impl Objects for Below {
    fn place(&self, name: &str) -> String {
        self.store.place(&self.full(name))
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        self.store.get(&self.full(name)).await
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        self.store.put(&self.full(name), bytes, write).await
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.store.delete(&self.full(name), write).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let names = self.store.list(&self.full(prefix)).await?;
        let names = names.into_iter().filter_map(|name| {
            let rest = name.strip_prefix(&self.prefix)?;
            Some(rest.to_owned())
        });
        Ok(names.collect())
    }
}

#[cfg(test)]
mod tests {
    use terrace_backend_remote::When;

    use super::*;
    use crate::Folder;

    #[tokio::test]
    async fn names_are_those_below_the_prefix() {
        let root = tempfile::tempdir().unwrap();
        let store: Arc<dyn Objects> = Arc::new(Folder::new(root.path().to_owned()));
        let below = Below::new(Arc::clone(&store), "/a/b/");
        below
            .put("c/d", b"x", Write::when(When::Absent))
            .await
            .unwrap();
        store
            .put("other", b"y", Write::when(When::Absent))
            .await
            .unwrap();
        assert_eq!(store.list("a/").await.unwrap(), ["a/b/c/d"]);
        assert_eq!(below.list("").await.unwrap(), ["c/d"]);
        assert_eq!(&*below.get("c/d").await.unwrap().unwrap().bytes, b"x");
        assert_eq!(below.get("other").await.unwrap(), None);
        assert_eq!(Below::new(store, "").list("").await.unwrap().len(), 2);
    }
}
