//! What a Secret of ours looks like, and writing one where a condition holds.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{Failure, Put, Version, When};
use terrace_port::StoreError;

use crate::STATES;
use crate::api::{Answer, Api, Kind};

/// What a Secret takes, as the reference cuts it.
pub(crate) const CHUNK: usize = 1_048_576;
const OWN_NAME: &str = "terrace.dev/name";
const OWN_LABEL: &str = "terrace-secret-suffix";
/// On the parts of an object: which object's they are.
const PART_LABEL: &str = "terrace-part-of";
/// On an object: the id of the write that it is of, so that no two writes leave the same version.
const WRITE: &str = "terrace.dev/write";
/// On an object that has parts: how many, and the digest of the chunk in the object itself.
const PARTS: &str = "terrace.dev/parts";

/// Where an object lies: in a Secret, and in parts behind it where it does not fit into one.
pub(crate) struct Place<'a> {
    /// The object's name.
    name: &'a str,
    /// Its workspace, where it is a state.
    pub(crate) workspace: Option<&'a str>,
    /// The name of the Secret.
    pub(crate) secret: String,
    /// What names of parts begin with.
    stem: String,
    digest: String,
}

/// The parts that a Secret names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The id of the write.
    pub(crate) write: String,
    /// How many there are beside the Secret itself.
    pub(crate) count: usize,
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

pub(crate) fn version(secret: &Json) -> Version {
    Version::new(
        secret["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default(),
    )
}

/// The parts that a Secret names, unless another tool has replaced its content since and left the names behind.
pub(crate) fn parts(secret: &Json, chunk: &[u8]) -> Option<Parts> {
    let annotations = &secret["metadata"]["annotations"];
    let (count, digest) = annotations[PARTS].as_str()?.split_once(' ')?;
    if digest != hex(&Sha256::digest(chunk)) {
        return None;
    }
    Some(Parts {
        write: annotations[WRITE].as_str()?.to_owned(),
        count: count.parse().ok()?,
    })
}

/// The id of the write that a Secret is of.
pub(crate) fn write_of(secret: &Json) -> Option<&str> {
    secret["metadata"]["annotations"][WRITE].as_str()
}

/// The name of the object that a Secret of ours holds.
pub(crate) fn own_name_of(secret: &Json) -> Option<&str> {
    secret["metadata"]["annotations"][OWN_NAME].as_str()
}

impl Place<'_> {
    /// The key under which the Secret has its data.
    pub(crate) const fn key(&self) -> &'static str {
        if self.workspace.is_some() {
            "tfstate"
        } else {
            "content"
        }
    }

    /// The name of a part of a write.
    pub(crate) fn part(&self, write: &str, number: usize) -> String {
        format!("{}{write}-{number}", self.stem)
    }

    /// What selects all parts of the object.
    pub(crate) fn selector(&self) -> String {
        format!("{PART_LABEL}={}", self.digest)
    }
}

impl Api {
    /// The name of the Secret of a state, or of a part of it as other tools name them.
    pub(crate) fn state_name(&self, workspace: &str, part: usize) -> String {
        let name = format!("tfstate-{workspace}-{}", self.suffix);
        if part == 0 {
            name
        } else {
            format!("{name}-part-{part}")
        }
    }

    pub(crate) fn state_labels(&self, workspace: &str) -> Map<String, Json> {
        let mut labels = Map::new();
        for (name, value) in &self.labels {
            labels.insert(name.clone(), json!(value));
        }
        labels.insert("tfstate".into(), json!("true"));
        labels.insert("tfstateSecretSuffix".into(), json!(self.suffix));
        labels.insert("tfstateWorkspace".into(), json!(workspace));
        labels.insert("app.kubernetes.io/managed-by".into(), json!("terraform"));
        labels
    }

    /// What selects everything that only Terrace keeps, but for parts.
    pub(crate) fn own_selector(&self) -> String {
        format!("{OWN_LABEL}={}", self.suffix)
    }

    pub(crate) fn place_of<'a>(&self, name: &'a str) -> Place<'a> {
        let digest = hex(&Sha256::digest(name.as_bytes())[..16]);
        let own = format!("terrace-{}-{digest}", self.suffix);
        let workspace = name.strip_prefix(STATES);
        Place {
            name,
            workspace,
            stem: format!("{own}-"),
            secret: workspace.map_or(own, |workspace| self.state_name(workspace, 0)),
            digest,
        }
    }

    fn form(&self, name: &str, key: &str, chunk: &[u8]) -> Json {
        let mut data = Map::new();
        if !chunk.is_empty() {
            data.insert(key.into(), json!(STANDARD.encode(chunk)));
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/managed-by": "terrace"},
                "annotations": {"encoding": "gzip"},
            },
            "data": data,
        })
    }

    /// The Secret of an object, whose parts have been written already.
    pub(crate) fn first_secret(&self, place: &Place<'_>, chunk: &[u8], named: &Parts) -> Json {
        let mut secret = self.form(&place.secret, place.key(), chunk);
        let metadata = &mut secret["metadata"];
        match place.workspace {
            Some(workspace) => metadata["labels"] = self.state_labels(workspace).into(),
            None => {
                metadata["labels"][OWN_LABEL] = json!(self.suffix);
                metadata["annotations"][OWN_NAME] = json!(place.name);
            }
        }
        metadata["annotations"][WRITE] = json!(named.write);
        if named.count > 0 {
            let digest = hex(&Sha256::digest(chunk));
            metadata["annotations"][PARTS] = json!(format!("{} {digest}", named.count));
        }
        secret
    }

    /// A part that only Terrace looks at.
    pub(crate) fn part_secret(
        &self,
        place: &Place<'_>,
        write: &str,
        number: usize,
        chunk: &[u8],
    ) -> Json {
        let mut secret = self.form(&place.part(write, number), place.key(), chunk);
        secret["metadata"]["labels"][PART_LABEL] = json!(place.digest);
        secret["metadata"]["annotations"][WRITE] = json!(write);
        secret
    }

    /// A part as other tools look for it.
    pub(crate) fn shown_part(&self, workspace: &str, number: usize, chunk: &[u8]) -> Json {
        let name = self.state_name(workspace, number);
        let mut secret = self.form(&name, "tfstate", chunk);
        secret["metadata"]["labels"] = self.state_labels(workspace).into();
        secret
    }

    pub(crate) fn damaged(&self, name: &str, why: &str) -> Failure {
        StoreError::Corrupt(format!("{}: {why}", self.shown(name))).into()
    }

    /// The data of a Secret.
    pub(crate) fn content(&self, name: &str, secret: &Json, key: &str) -> Result<Vec<u8>, Failure> {
        let text = secret["data"][key].as_str().unwrap_or_default();
        STANDARD
            .decode(text)
            .map_err(|error| self.damaged(name, &error.to_string()))
    }

    pub(crate) fn expanded(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        if bytes.is_empty() {
            return Ok(out);
        }
        GzDecoder::new(bytes)
            .read_to_end(&mut out)
            .map_err(|error| self.damaged(name, &error.to_string()))?;
        Ok(out)
    }

    /// Writes a Secret where the condition holds.
    pub(crate) async fn put_secret(
        &self,
        mut secret: Json,
        when: When<'_>,
    ) -> Result<Put, Failure> {
        for _ in 0..8 {
            let over = match when {
                When::Absent => None,
                When::Is(version) => Some(version.clone()),
                When::Always => {
                    let name = secret["metadata"]["name"].as_str().unwrap_or_default();
                    let there = self.get(Kind::Secret, name).await?;
                    there.as_ref().map(version)
                }
            };
            if let Some(metadata) = secret["metadata"].as_object_mut() {
                match over {
                    Some(over) => metadata.insert("resourceVersion".into(), json!(over.as_str())),
                    None => metadata.remove("resourceVersion"),
                };
            }
            match self.put(Kind::Secret, &secret).await? {
                Answer::Object(written) => return Ok(Put::Written(version(&written))),
                Answer::Missing | Answer::Conflict if when == When::Always => {}
                Answer::Missing | Answer::Conflict => return Ok(Put::Refused),
            }
        }
        Ok(Put::Refused)
    }
}
