//! The manifest of installed modules: `.terraform/modules/modules.json`.

use std::collections::BTreeMap;
use std::fmt;

use terrace_addr::ModulePath;
use terrace_port::Files;

/// Where each module of the tree is installed, by its path in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The records by key: names of the calls joined by dots; the root's is empty.
    pub records: BTreeMap<String, ManifestRecord>,
}

/// One installed module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRecord {
    /// Its source, in full: with the host of a registry.
    pub source: String,
    /// Its version, of a registry's module.
    pub version: Option<String>,
    /// Its directory, relative to the working directory.
    pub directory: String,
}

/// A manifest that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError(pub String);

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ManifestError {}

mod wire {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Manifest {
        #[serde(rename = "Modules")]
        pub(super) modules: Vec<Record>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Record {
        #[serde(rename = "Key")]
        pub(super) key: String,
        #[serde(rename = "Source")]
        pub(super) source: String,
        #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
        pub(super) version: Option<String>,
        #[serde(rename = "Dir")]
        pub(super) directory: String,
    }
}

impl Manifest {
    /// Where the manifest is in a data directory (`.terraform`).
    pub fn path(data_directory: &str) -> String {
        format!(
            "{}/modules/modules.json",
            data_directory.trim_end_matches('/')
        )
    }

    /// Reads the manifest of a data directory; without one, nothing is installed.
    pub fn read(files: &dyn Files, data_directory: &str) -> Result<Self, ManifestError> {
        let path = Self::path(data_directory);
        match files.read(&path) {
            Ok(bytes) => Self::parse(&bytes).map_err(|error| {
                ManifestError(format!(
                    "The manifest of installed modules, {path}, cannot be read: {error}. Run \"terrace init\" to make it again."
                ))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => {
                Err(ManifestError(format!("The manifest of installed modules, {path}, cannot be read: {error}.")))
            }
        }
    }

    /// Reads a manifest's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let wire: wire::Manifest =
            serde_json::from_slice(bytes).map_err(|error| ManifestError(error.to_string()))?;
        let records = wire.modules.into_iter().map(|record| {
            let version = record.version.filter(|version| !version.is_empty());
            let directory = record.directory.replace('\\', "/");
            (
                record.key,
                ManifestRecord {
                    source: record.source,
                    version,
                    directory,
                },
            )
        });
        Ok(Self {
            records: records.collect(),
        })
    }

    /// The manifest's bytes, as other tools write them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let modules = self.records.iter().map(|(key, record)| wire::Record {
            key: key.clone(),
            source: record.source.clone(),
            version: record.version.clone(),
            directory: record.directory.clone(),
        });
        let wire = wire::Manifest {
            modules: modules.collect(),
        };
        serde_json::to_vec(&wire).expect("strings always serialise")
    }

    /// The record of a module.
    pub fn record(&self, path: &ModulePath) -> Option<&ManifestRecord> {
        self.records.get(&key(path))
    }
}

/// The key of a module.
pub(crate) fn key(path: &ModulePath) -> String {
    path.steps().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"m","Source":"./m","Dir":"m"},{"Key":"m.n","Source":"registry.terraform.io/a/b/c","Version":"1.2.3","Dir":".terraform/modules/m.n"}]}"#;

    #[test]
    fn a_manifest_is_written_as_it_was_read() {
        let manifest = Manifest::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(manifest.to_bytes()).unwrap(), TEXT);
        let path: ModulePath = ["m", "n"].into_iter().collect();
        assert_eq!(
            manifest.record(&path).unwrap().directory,
            ".terraform/modules/m.n"
        );
    }

    #[test]
    fn a_broken_manifest_is_refused() {
        assert!(Manifest::parse(b"{\"Modules\":5}").is_err());
    }
}
