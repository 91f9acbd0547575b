//! Bytes that a provider keeps beside an object, and that nobody else reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

/// Private bytes by key. They go with an object from its plan to its state and into its next plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(BTreeMap<String, Vec<u8>>);

impl Private {
    /// What is kept under a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// Keeps bytes under a key.
    pub fn set(&mut self, key: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(key.into(), bytes.into());
    }

    /// Forgets what is kept under a key.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// What was encoded. Bytes of another making, such as those of a provider that was written with another SDK, are kept under
    /// the key `raw`.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::default();
        }
        let ours = serde_json::from_slice::<BTreeMap<String, Json>>(bytes)
            .ok()
            .and_then(|map| {
                map.into_iter()
                    .map(|(key, value)| Some((key, STANDARD.decode(value.as_str()?).ok()?)))
                    .collect()
            });
        Self(ours.unwrap_or_else(|| BTreeMap::from([("raw".to_owned(), bytes.to_vec())])))
    }

    /// As JSON, the form in which the ecosystem's providers keep theirs.
    pub(crate) fn encode(&self) -> Arc<[u8]> {
        if self.0.is_empty() {
            return Arc::default();
        }
        let entries = self
            .0
            .iter()
            .map(|(key, bytes)| (key.clone(), Json::String(STANDARD.encode(bytes))));
        Json::Object(entries.collect())
            .to_string()
            .into_bytes()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let mut private = Private::default();
        assert!(private.encode().is_empty());
        private.set("a", [0, 255]);
        assert_eq!(Private::decode(&private.encode()), private);
        assert_eq!(
            Private::decode(b"{\"schema_version\":\"1\"}x")
                .get("raw")
                .map(<[u8]>::len),
            Some(23)
        );
    }
}
