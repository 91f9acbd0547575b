//! States and Terrace's own things in Secrets.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{Deleted, Failure, Object, Objects, Put, Version, When, Write};
use terrace_port::StoreError;

use crate::STATES;
use crate::api::{Answer, Api, Kind};

/// What a Secret takes, as the reference cuts it.
const CHUNK: usize = 1_048_576;
const STATE_KEY: &str = "tfstate";
const OWN_KEY: &str = "content";
const OWN_NAME: &str = "terrace.dev/name";
const OWN_LABEL: &str = "terrace-secret-suffix";

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn version(secret: &Json) -> Version {
    Version::new(
        secret["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default(),
    )
}

impl Api {
    fn state_name(&self, workspace: &str, part: usize) -> String {
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

    fn own_name(&self, name: &str) -> String {
        let digest = Sha256::digest(name.as_bytes());
        let mut text = format!("terrace-{}-", self.suffix);
        for byte in &digest[..16] {
            write!(text, "{byte:02x}").expect("a string takes everything");
        }
        text
    }

    fn state_secret(&self, workspace: &str, part: usize, chunk: &[u8]) -> Json {
        let mut data = Map::new();
        if !chunk.is_empty() {
            data.insert(STATE_KEY.into(), json!(STANDARD.encode(chunk)));
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.state_name(workspace, part),
                "namespace": self.namespace,
                "labels": self.state_labels(workspace),
                "annotations": {"encoding": "gzip"},
            },
            "data": data,
        })
    }

    fn own_secret(&self, name: &str, bytes: &[u8]) -> Json {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.own_name(name),
                "namespace": self.namespace,
                "labels": {OWN_LABEL: self.suffix, "app.kubernetes.io/managed-by": "terrace"},
                "annotations": {OWN_NAME: name, "encoding": "gzip"},
            },
            "data": {OWN_KEY: STANDARD.encode(compressed(bytes))},
        })
    }

    fn damaged(&self, name: &str, why: &str) -> Failure {
        StoreError::Corrupt(format!("{}: {why}", self.shown(name))).into()
    }

    fn content(&self, name: &str, secret: &Json, key: &str) -> Result<Vec<u8>, Failure> {
        let text = secret["data"][key].as_str().unwrap_or_default();
        STANDARD
            .decode(text)
            .map_err(|error| self.damaged(name, &error.to_string()))
    }

    fn expanded(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        if bytes.is_empty() {
            return Ok(out);
        }
        GzDecoder::new(bytes)
            .read_to_end(&mut out)
            .map_err(|error| self.damaged(name, &error.to_string()))?;
        Ok(out)
    }

    async fn get_state(&self, workspace: &str) -> Result<Option<Object>, Failure> {
        let name = self.state_name(workspace, 0);
        let Some(first) = self.get(Kind::Secret, &name).await? else {
            return Ok(None);
        };
        let mut bytes = self.content(&name, &first, STATE_KEY)?;
        let mut part = 1;
        // A chunk that is not full is the last.
        while bytes.len() == CHUNK * part {
            let name = self.state_name(workspace, part);
            let Some(next) = self.get(Kind::Secret, &name).await? else {
                break;
            };
            bytes.extend(self.content(&name, &next, STATE_KEY)?);
            part += 1;
        }
        Ok(Some(Object {
            bytes: self.expanded(&name, &bytes)?.into(),
            version: version(&first),
        }))
    }

    /// Writes a Secret where the condition holds.
    async fn put_secret(&self, mut secret: Json, when: When<'_>) -> Result<Put, Failure> {
        for _ in 0..8 {
            match when {
                When::Absent => {}
                When::Is(version) => {
                    secret["metadata"]["resourceVersion"] = json!(version.as_str());
                }
                When::Always => {
                    let name = secret["metadata"]["name"].as_str().unwrap_or_default();
                    let there = self.get(Kind::Secret, name).await?;
                    secret["metadata"]["resourceVersion"] =
                        there.map_or(Json::Null, |there| json!(version(&there).as_str()));
                    if secret["metadata"]["resourceVersion"].is_null() {
                        if let Some(metadata) = secret["metadata"].as_object_mut() {
                            metadata.remove("resourceVersion");
                        }
                    }
                }
            }
            match self.put(Kind::Secret, &secret).await? {
                Answer::Object(written) => return Ok(Put::Written(version(&written))),
                Answer::Missing | Answer::Conflict if when == When::Always => {}
                Answer::Missing | Answer::Conflict => return Ok(Put::Refused),
            }
        }
        Ok(Put::Refused)
    }

    async fn put_state(
        &self,
        workspace: &str,
        bytes: &[u8],
        when: When<'_>,
    ) -> Result<Put, Failure> {
        let content = if bytes.is_empty() {
            Vec::new()
        } else {
            compressed(bytes)
        };
        let mut chunks = content.chunks(CHUNK);
        let first = self.state_secret(workspace, 0, chunks.next().unwrap_or_default());
        // The first decides.
        let put = self.put_secret(first, when).await?;
        if put == Put::Refused {
            return Ok(put);
        }
        let mut part = 1;
        for chunk in chunks {
            let secret = self.state_secret(workspace, part, chunk);
            self.put_secret(secret, When::Always).await?;
            part += 1;
        }
        self.delete_parts(workspace, part).await?;
        Ok(put)
    }

    /// Deletes the parts from a number on.
    async fn delete_parts(&self, workspace: &str, from: usize) -> Result<(), Failure> {
        for part in from.. {
            let name = self.state_name(workspace, part);
            let deleted = self.delete(Kind::Secret, &name, None).await?;
            if matches!(deleted, Answer::Missing) {
                break;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Objects for Api {
    fn place(&self, name: &str) -> String {
        match name.strip_prefix(STATES) {
            Some(workspace) => self.shown(&self.state_name(workspace, 0)),
            None => self.shown(&self.own_name(name)),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        if let Some(workspace) = name.strip_prefix(STATES) {
            return self.get_state(workspace).await;
        }
        let key = self.own_name(name);
        let Some(secret) = Self::get(self, Kind::Secret, &key).await? else {
            return Ok(None);
        };
        let bytes = self.content(&key, &secret, OWN_KEY)?;
        Ok(Some(Object {
            bytes: self.expanded(&key, &bytes)?.into(),
            version: version(&secret),
        }))
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        match name.strip_prefix(STATES) {
            Some(workspace) => self.put_state(workspace, bytes, write.when).await,
            None => {
                self.put_secret(self.own_secret(name, bytes), write.when)
                    .await
            }
        }
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        let version = match write.when {
            When::Is(version) => Some(version.as_str()),
            _ => None,
        };
        let key = match name.strip_prefix(STATES) {
            Some(workspace) => {
                self.delete_parts(workspace, 1).await?;
                self.state_name(workspace, 0)
            }
            None => self.own_name(name),
        };
        match Self::delete(self, Kind::Secret, &key, version).await? {
            Answer::Conflict => Ok(Deleted::Refused),
            _ => Ok(Deleted::Done),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        if prefix.starts_with(STATES) {
            let selector = format!("tfstate=true,tfstateSecretSuffix={}", self.suffix);
            for secret in Self::list(self, &selector).await? {
                if let Some(workspace) = secret["metadata"]["labels"]["tfstateWorkspace"].as_str() {
                    names.push(format!("{STATES}{workspace}"));
                }
            }
        } else {
            let selector = format!("{OWN_LABEL}={}", self.suffix);
            for secret in Self::list(self, &selector).await? {
                if let Some(name) = secret["metadata"]["annotations"][OWN_NAME].as_str() {
                    names.push(name.to_owned());
                }
            }
        }
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}
