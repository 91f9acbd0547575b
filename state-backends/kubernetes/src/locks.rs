//! Leases. A token is the version of the object.

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use terrace_backend_remote::{Acquired, Failure, Held, LockRecord, Locks, Replaced, Token};

use crate::api::{Answer, Api, Kind};

const INFORMATION: &str = "app.terraform.io/lock-info";

pub(crate) fn lease_name(workspace: &str, suffix: &str) -> String {
    format!("lock-tfstate-{workspace}-{suffix}")
}

fn token(lease: &Json) -> Token {
    Token::new(
        lease["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default(),
    )
}

/// The holder, if there is one.
fn held(lease: &Json) -> Option<Held> {
    let holder = lease["spec"]["holderIdentity"]
        .as_str()
        .filter(|id| !id.is_empty())?;
    let mut record = match lease["metadata"]["annotations"][INFORMATION].as_str() {
        Some(text) => LockRecord::from_json(text.as_bytes()),
        None => LockRecord::unknown(""),
    };
    if record.info.id.is_empty() {
        holder.clone_into(&mut record.info.id);
    }
    Some(Held {
        record,
        token: token(lease),
    })
}

impl Api {
    fn lease(&self, workspace: &str, version: Option<&str>, record: Option<&LockRecord>) -> Json {
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": lease_name(workspace, &self.suffix),
                "namespace": self.namespace,
                "labels": self.state_labels(workspace),
                "annotations": {},
            },
            "spec": {},
        });
        if let Some(version) = version {
            lease["metadata"]["resourceVersion"] = json!(version);
        }
        if let Some(record) = record {
            lease["metadata"]["annotations"][INFORMATION] = json!(record.to_json());
            lease["spec"]["holderIdentity"] = json!(record.info.id);
        }
        lease
    }
}

#[async_trait]
impl Locks for Api {
    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        let lease = self
            .get(Kind::Lease, &lease_name(workspace, &self.suffix))
            .await?;
        Ok(lease.as_ref().and_then(held))
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        loop {
            let name = lease_name(workspace, &self.suffix);
            let there = self.get(Kind::Lease, &name).await?;
            if let Some(held) = there.as_ref().and_then(held) {
                return Ok(Acquired::Held(Box::new(held)));
            }
            let version = there.as_ref().map(token);
            let lease = self.lease(workspace, version.as_ref().map(Token::as_str), Some(record));
            if let Answer::Object(lease) = self.put(Kind::Lease, &lease).await? {
                return Ok(Acquired::Yes(token(&lease)));
            }
        }
    }

    async fn replace(
        &self,
        workspace: &str,
        old: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let lease = self.lease(workspace, Some(old.as_str()), Some(record));
        Ok(match self.put(Kind::Lease, &lease).await? {
            Answer::Object(lease) => Replaced::Yes(token(&lease)),
            _ => Replaced::Lost,
        })
    }

    async fn release(&self, workspace: &str, old: &Token) -> Result<(), Failure> {
        let lease = self.lease(workspace, Some(old.as_str()), None);
        self.put(Kind::Lease, &lease).await?;
        Ok(())
    }
}
