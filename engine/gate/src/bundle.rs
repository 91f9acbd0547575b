//! A run with all that proves it in one file, which is verified far from its store: by whose keys count, and nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{RunStore, Signer, StoreError};

use crate::digest::Parts;
use crate::verify::{finding, verify_run_by};
use crate::wire::{self, BundleParts};
use crate::{ApprovalError, Finding, Person, approval, runs};

/// Namespace of the signatures of those who export bundles.
pub const BUNDLE_NAMESPACE: &str = "terrace-bundle";

/// What lies beside all runs and belongs to the proof of each: the audit log, and the rules in force.
const BESIDE: [&str; 2] = ["audit/", "gate/"];

/// What is stored of a run and of the log that tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The run's id.
    pub run: String,
    objects: BTreeMap<String, Vec<u8>>,
    signature: Option<String>,
    /// What the file says the digest is.
    stated: String,
}

impl Bundle {
    /// Collects what is stored of a run, signed by who exports it where somebody signs.
    ///
    /// # Errors
    /// What the store says.
    pub async fn collect(
        store: &dyn RunStore,
        run: &str,
        signer: Option<&dyn Signer>,
    ) -> Result<Result<Self, ApprovalError>, StoreError> {
        let own = format!("runs/{run}/");
        let mut names = store.list(&own).await?;
        for prefix in BESIDE {
            names.extend(store.list(prefix).await?);
        }
        names.extend([format!("reviews-owed/{run}"), "audit/head".to_owned()]);
        names.sort();
        names.dedup();
        let mut objects = BTreeMap::new();
        for name in names {
            if let Some(bytes) = store.get(&name).await? {
                objects.insert(name, bytes.to_vec());
            }
        }
        let stated = digest(run, &objects);
        let signature = match signer.map(|signer| signer.sign(BUNDLE_NAMESPACE, stated.as_bytes()))
        {
            Some(Err(why)) => return Ok(Err(ApprovalError::Refused(why))),
            Some(Ok(signature)) => Some(signature),
            None => None,
        };
        Ok(Ok(Self {
            run: run.to_owned(),
            objects,
            signature,
            stated,
        }))
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode_bundle(&BundleParts {
            run: self.run.clone(),
            digest: self.stated.clone(),
            signature: self.signature.clone(),
            objects: self.objects.clone(),
        })
    }

    /// Reads a file. What is in it may be anything: [`Self::verify`] says what holds.
    ///
    /// # Errors
    /// Why it is no bundle.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let parts = wire::decode_bundle(bytes)?;
        Ok(Self {
            run: parts.run,
            objects: parts.objects,
            signature: parts.signature,
            stated: parts.digest,
        })
    }

    /// The digest over all that is in it, which two who have the same file can compare.
    pub fn digest(&self) -> String {
        digest(&self.run, &self.objects)
    }

    /// Looks at everything, and asks nobody. Keys count as these people's, whatever the bundle itself says of people.
    pub async fn verify(&self, people: &BTreeMap<String, Person>) -> Vec<Finding> {
        let held = self.digest() == self.stated;
        let mut found = vec![finding(
            held,
            if held {
                format!("what is in the file has the digest {}", self.stated)
            } else {
                "what is in the file is not what was exported: it has another digest".to_owned()
            },
        )];
        found.extend(self.exporter(people));
        let stored = match runs::load(self, &self.run).await {
            Ok(Some(run)) if run.id == self.run => {
                let described = verify_run_by(self, &run, Some(people)).await;
                described.map_err(|error| error.to_string())
            }
            Ok(Some(_)) => Err("the run in it is another one".to_owned()),
            Ok(None) => Err("the run is not in it".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        match stored {
            Ok(findings) => found.extend(findings),
            Err(why) => found.push(finding(false, why)),
        }
        found
    }

    /// What holds of the signature by who exported it. Without one, nothing is said by anybody.
    fn exporter(&self, people: &BTreeMap<String, Person>) -> Option<Finding> {
        let signature = self.signature.as_deref()?;
        let signed = approval::verify_bytes(signature, BUNDLE_NAMESPACE, self.stated.as_bytes());
        Some(match signed {
            Err(error) => finding(false, format!("the exporter's signature: {error}")),
            Ok(fingerprint) => {
                let person = people
                    .iter()
                    .find(|(_, person)| person.keys.contains(&fingerprint));
                let who = person.map_or("nobody listed", |(name, _)| name);
                finding(
                    person.is_some(),
                    format!("exported and signed by {who} ({fingerprint})"),
                )
            }
        })
    }
}

/// SHA-256 over the run's id and over names and bytes of all objects, each with its length.
fn digest(run: &str, objects: &BTreeMap<String, Vec<u8>>) -> String {
    let mut parts = Parts::default();
    parts.add(run.as_bytes());
    for (name, bytes) in objects {
        parts.add(name.as_bytes());
        parts.add(bytes);
    }
    parts.hash()
}

/// A bundle is a store of one run, which nobody writes to.
#[async_trait]
impl RunStore for Bundle {
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.objects.get(name).map(|bytes| bytes.as_slice().into()))
    }

    async fn put(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        Err(read_only())
    }

    async fn compare_and_put(&self, _: &str, _: Option<&[u8]>, _: &[u8]) -> Result<(), StoreError> {
        Err(read_only())
    }

    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        Err(read_only())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let names = self.objects.keys();
        Ok(names
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect())
    }
}

fn read_only() -> StoreError {
    StoreError::Refused("a run's bundle is not written to".to_owned())
}
