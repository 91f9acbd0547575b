//! Schemas on disk, so that a program need not be started to be understood.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message as _;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;

use crate::schema::provider_schema;

/// Changes with what is stored, so that what an older engine stored is not read.
const TREE: &str = "schemas-1";

/// Schemas of providers by a name of their program's content, such as its checksum.
///
/// Nothing is lost with it: it is rebuilt when it is damaged, and done without when another process has it open.
#[derive(Clone, Debug)]
pub struct SchemaCache {
    tree: sled::Tree,
}

impl SchemaCache {
    /// The cache in `directory`; `None` where there can be none now.
    pub fn open(directory: &Path) -> Option<Self> {
        let parent = directory
            .parent()
            .map(Path::to_owned)
            .unwrap_or_else(|| PathBuf::from("."));
        std::fs::create_dir_all(parent).ok()?;
        let tree = open(directory).or_else(|error| match error {
            // Another process has it.
            sled::Error::Io(error) if error.kind() != std::io::ErrorKind::InvalidData => {
                Err(sled::Error::Io(error))
            }
            _ => {
                std::fs::remove_dir_all(directory)?;
                open(directory)
            }
        });
        tree.ok().map(|tree| Self { tree })
    }

    /// The schema of a program, if it is known.
    pub fn get(&self, key: &str) -> Option<Arc<ProviderSchema>> {
        provider_schema(self.message(key)?).ok().map(Arc::new)
    }

    /// The stored answer. One that cannot be read is forgotten.
    pub(crate) fn message(&self, key: &str) -> Option<p6::get_provider_schema::Response> {
        let bytes = self.tree.get(key).ok()??;
        match p6::get_provider_schema::Response::decode(&bytes[..]) {
            Ok(message) => Some(message),
            Err(_) => {
                // What cannot be removed either will be replaced.
                let _removed = self.tree.remove(key);
                None
            }
        }
    }

    /// Stores an answer, if that is possible.
    pub(crate) fn put(&self, key: &str, message: &p6::get_provider_schema::Response) {
        if self.tree.insert(key, message.encode_to_vec()).is_ok() {
            // A cache that was not flushed is only older.
            let _flushed = self.tree.flush();
        }
    }
}

fn open(directory: &Path) -> sled::Result<sled::Tree> {
    sled::Config::new()
        .path(directory)
        .flush_every_ms(None)
        .cache_capacity(16 << 20)
        .open()?
        .open_tree(TREE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(description: &str) -> p6::get_provider_schema::Response {
        let block = p6::schema::Block {
            description: description.into(),
            ..p6::schema::Block::default()
        };
        p6::get_provider_schema::Response {
            provider: Some(p6::Schema {
                version: 1,
                block: Some(block),
            }),
            ..p6::get_provider_schema::Response::default()
        }
    }

    #[test]
    fn a_schema_is_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/cache");
        let cache = SchemaCache::open(&path).unwrap();
        assert!(cache.get("h1:a").is_none());
        cache.put("h1:a", &answer("x"));
        drop(cache);
        let cache = SchemaCache::open(&path).unwrap();
        assert_eq!(&*cache.get("h1:a").unwrap().provider.block.description, "x");
        assert!(SchemaCache::open(&path).is_none(), "it is in use");
    }

    #[test]
    fn damage_costs_nothing_but_the_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cache");
        SchemaCache::open(&path).unwrap().put("h1:a", &answer("x"));
        for entry in std::fs::read_dir(&path).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                std::fs::File::create(file).unwrap().set_len(3).unwrap();
            }
        }
        let cache = SchemaCache::open(&path).unwrap();
        cache.put("h1:b", &answer("y"));
        assert!(cache.get("h1:b").is_some());
        cache.tree.insert("h1:c", &[0xff, 0xff, 0xff][..]).unwrap();
        assert!(cache.get("h1:c").is_none());
        assert!(
            cache.tree.get("h1:c").unwrap().is_none(),
            "what cannot be read is forgotten"
        );
    }
}
