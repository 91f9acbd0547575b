//! A store in memory, plans to approve, and keys of three people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use terrace_config::{Snapshot, SnapshotFile};
use terrace_gate::{Gate, Person, Rules, fingerprint_of};
use terrace_plan::{ExecGraph, Plan, PlanInputs, PlanMode};
use terrace_port::{RunStore, StoreError};
use terrace_state::State;

/// A run store in memory. Every call lets others go first, so that those that run at once do interleave.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Mutex<BTreeMap<String, Arc<[u8]>>>);

#[async_trait]
impl RunStore for Memory {
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        tokio::task::yield_now().await;
        Ok(self.0.lock().unwrap().get(name).cloned())
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        self.0.lock().unwrap().insert(name.to_owned(), bytes.into());
        Ok(())
    }

    async fn compare_and_put(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        let mut table = self.0.lock().unwrap();
        if table.get(name).map(|bytes| &**bytes) != expected {
            return Err(StoreError::Conflict(name.to_owned()));
        }
        table.insert(name.to_owned(), bytes.into());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        tokio::task::yield_now().await;
        let table = self.0.lock().unwrap();
        Ok(table
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect())
    }
}

/// Runs something to its end.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

/// A plan that changes nothing, of a configuration of one file.
pub(crate) fn plan(environment: Option<&str>, configuration: &str) -> Plan {
    let file = SnapshotFile {
        path: "main.tf".into(),
        bytes: configuration.as_bytes().into(),
    };
    let state = Arc::new(State::default());
    Plan {
        mode: PlanMode::Normal,
        inputs: PlanInputs {
            configuration: Arc::new(Snapshot {
                modules: BTreeMap::from([(String::new(), ".".to_owned())]),
                files: vec![file],
            }),
            workspace: "default".into(),
            environment: environment.map(str::to_owned),
            timestamp: "2026-01-02T03:04:05Z".into(),
            ..PlanInputs::default()
        },
        previous_state: state.clone(),
        prior_state: state,
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: BTreeMap::new(),
        exec: ExecGraph::default(),
        checks: Vec::new(),
        relevant_attributes: Vec::new(),
        schemas: BTreeMap::new(),
        errored: false,
    }
}

pub(crate) const ED25519: &str = include_str!("keys/ed25519");
pub(crate) const ECDSA: &str = include_str!("keys/ecdsa");
pub(crate) const RSA: &str = include_str!("keys/rsa");
pub(crate) const ENCRYPTED: &str = include_str!("keys/encrypted");

/// Another Ed25519 key for each number.
pub(crate) fn key(number: u8) -> String {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[number; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    key.to_openssh(ssh_key::LineEnding::LF).unwrap().to_string()
}

/// Ann has the keys 1 and 2, Ben 3, Cem 4; Ben and Cem are leads.
pub(crate) fn rules(environment: &str, approvals: u32, roles: &[&str]) -> Rules {
    let person = |numbers: &[u8]| Person {
        keys: numbers
            .iter()
            .map(|number| fingerprint_of(&key(*number)).unwrap())
            .collect(),
        github: None,
    };
    Rules {
        environment: environment.into(),
        gate: Some(Gate {
            approvals,
            roles: roles.iter().map(|role| ((*role).to_owned(), 1)).collect(),
            ..Gate::default()
        }),
        people: BTreeMap::from([
            ("ann".to_owned(), person(&[1, 2])),
            ("ben".to_owned(), person(&[3])),
            ("cem".to_owned(), person(&[4])),
        ]),
        roles: BTreeMap::from([(
            "lead".to_owned(),
            ["ben".to_owned(), "cem".to_owned()].into(),
        )]),
        ..Rules::default()
    }
}
