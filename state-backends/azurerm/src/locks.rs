//! The lock of a state: an infinite lease of its blob, and who holds it in the blob's metadata.
//!
//! The lease's id is the lock's, as today's tools have it, so that either releases the other's by force. It keeps everybody else
//! from writing the state; renewing a lock changes nothing but the metadata.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use terrace_backend_remote::{
    Acquired, Failure, Forced, Held, Layout as _, LockRecord, Locks, Replaced, Token,
};
use terrace_port::StoreError;
use uuid::Uuid;

use crate::blobs::{Answer, Ask, Container};
use crate::failure::Refusal;
use crate::layout::Keys;

/// The metadata that tells of the holder.
const INFO: &str = "terraformlockid";

/// The locks of the states of a container.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    container: Arc<Container>,
    layout: Arc<Keys>,
}

/// The id of the lease that a token stands for.
pub(crate) fn lease_of(token: &Token) -> &str {
    let text = token.as_str();
    text.split_once('|').map_or(text, |(lease, _)| lease)
}

/// The version of the blob when a token was read.
fn etag_of(token: &Token) -> Option<&str> {
    token.as_str().split_once('|').map(|(_, etag)| etag)
}

/// The id of a lock's lease: the lock's own, where that is of the form that leases ask for.
fn lease_id(id: &str) -> String {
    let uuid =
        Uuid::parse_str(id).unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_bytes()));
    uuid.to_string()
}

type Asked = Result<Answer, Refusal>;

impl Leases {
    pub(crate) fn new(container: Arc<Container>, layout: Arc<Keys>) -> Self {
        Self { container, layout }
    }

    fn what(&self, doing: &str, blob: &str) -> String {
        format!("{doing} {}", self.container.address(blob))
    }

    async fn lease(
        &self,
        blob: &str,
        action: &str,
        more: &[(&str, &str)],
    ) -> Result<Asked, Failure> {
        let ask = Ask::new(Method::PUT, blob)
            .query("comp", "lease")
            .header("x-ms-lease-action", action);
        let ask = more
            .iter()
            .fold(ask, |ask, (name, value)| ask.header(name, *value));
        self.container.ask(&self.what("locking", blob), ask).await
    }

    async fn look(&self, blob: &str) -> Result<Option<Answer>, Failure> {
        let what = self.what("looking at the lock of", blob);
        match self
            .container
            .ask(&what, Ask::new(Method::HEAD, blob))
            .await?
        {
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if refusal.status == 404 && refusal.code != "ContainerNotFound" => {
                Ok(None)
            }
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    /// Replaces what the metadata say of the holder; `false` where lease or version are not as they were.
    async fn tell(
        &self,
        blob: &str,
        lease: &str,
        etag: Option<&str>,
        record: Option<&LockRecord>,
    ) -> Result<bool, Failure> {
        let what = self.what("locking", blob);
        let Some(there) = self.look(blob).await? else {
            return Ok(false);
        };
        let mut ask = Ask::new(Method::PUT, blob)
            .query("comp", "metadata")
            .header("x-ms-lease-id", lease)
            .maybe("if-match", etag);
        for (name, value) in there.metadata() {
            if name != INFO {
                ask = ask.header(&format!("x-ms-meta-{name}"), value);
            }
        }
        if let Some(record) = record {
            ask = ask.header(
                &format!("x-ms-meta-{INFO}"),
                STANDARD.encode(record.to_json()),
            );
        }
        match self.container.ask(&what, ask).await? {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.is_about_conditions() || refusal.status == 404 => Ok(false),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    /// Makes the blob, empty, where there is none: what is not there cannot be leased.
    async fn make(&self, blob: &str) -> Result<(), Failure> {
        let what = self.what("locking", blob);
        let ask = Ask::new(Method::PUT, blob)
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", "application/json")
            .header("if-none-match", "*");
        match self.container.ask(&what, ask).await? {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_about_conditions() => Ok(()),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    /// Ends a lease whoever has it, where the blob is as it was.
    async fn end(&self, blob: &str, etag: Option<&str>) -> Result<bool, Failure> {
        let mut more = vec![("x-ms-lease-break-period", "0")];
        more.extend(etag.map(|etag| ("if-match", etag)));
        match self.lease(blob, "break", &more).await? {
            Ok(_) => Ok(true),
            // There is no lease any more.
            Err(refusal) if refusal.status == 409 || refusal.status == 404 => Ok(true),
            Err(refusal) if refusal.status == 412 => Ok(false),
            Err(refusal) => Err(refusal.failure(&self.what("locking", blob))),
        }
    }
}

#[async_trait]
impl Locks for Leases {
    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        let blob = self.layout.state(workspace);
        let Some(there) = self.look(&blob).await? else {
            return Ok(None);
        };
        if there.header("x-ms-lease-status") != Some("locked") {
            return Ok(None);
        }
        let info = there.metadata().into_iter().find(|(name, _)| name == INFO);
        let text = info.and_then(|(_, value)| STANDARD.decode(value).ok());
        let record = text.map_or_else(
            || LockRecord::unknown(self.layout.lock_path(workspace)),
            |text| LockRecord::from_json(&text),
        );
        let etag = there.header("etag").unwrap_or_default();
        Ok(Some(Held {
            token: Token::new(format!("{}|{etag}", lease_id(&record.info.id))),
            record,
        }))
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        let blob = self.layout.state(workspace);
        let lease = lease_id(&record.info.id);
        for _ in 0..16 {
            // Asking again with the same id gives the lease that an earlier answer was to tell of.
            let asked = self
                .lease(
                    &blob,
                    "acquire",
                    &[
                        ("x-ms-lease-duration", "-1"),
                        ("x-ms-proposed-lease-id", &lease),
                    ],
                )
                .await?;
            match asked {
                Ok(_) => {
                    if self.tell(&blob, &lease, None, Some(record)).await? {
                        return Ok(Acquired::Yes(Token::new(lease)));
                    }
                }
                Err(refusal) if refusal.status == 404 && refusal.code != "ContainerNotFound" => {
                    self.make(&blob).await?;
                }
                Err(refusal) if refusal.status == 409 => {
                    if let Some(held) = self.read(workspace).await? {
                        return Ok(Acquired::Held(Box::new(held)));
                    }
                }
                Err(refusal) => return Err(refusal.failure(&self.what("locking", &blob))),
            }
        }
        Err(Failure::transient(
            self.what("locking", &blob),
            "it is locked and released by others all the time",
        ))
    }

    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let blob = self.layout.state(workspace);
        let lease = lease_of(token);
        Ok(if self.tell(&blob, lease, None, Some(record)).await? {
            Replaced::Yes(Token::new(lease))
        } else {
            Replaced::Lost
        })
    }

    async fn take_over(
        &self,
        workspace: &str,
        held: &Held,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let blob = self.layout.state(workspace);
        let etag = etag_of(&held.token);
        if !self.end(&blob, etag).await? {
            return Ok(Replaced::Lost);
        }
        let lease = lease_id(&record.info.id);
        let asked = self
            .lease(
                &blob,
                "acquire",
                &[
                    ("x-ms-lease-duration", "-1"),
                    ("x-ms-proposed-lease-id", &lease),
                ],
            )
            .await?;
        match asked {
            Ok(_) => {}
            Err(refusal) if refusal.is_about_conditions() => return Ok(Replaced::Lost),
            Err(refusal) => return Err(refusal.failure(&self.what("locking", &blob))),
        }
        // Of several who come this far, one is the first to say so.
        if self.tell(&blob, &lease, etag, Some(record)).await? {
            return Ok(Replaced::Yes(Token::new(lease)));
        }
        let _released = self
            .lease(&blob, "release", &[("x-ms-lease-id", &lease)])
            .await?;
        Ok(Replaced::Lost)
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        let blob = self.layout.state(workspace);
        let lease = lease_of(token);
        let Some(there) = self.look(&blob).await? else {
            return Ok(());
        };
        // A blob that was made to be locked goes with the lock.
        if there.header("content-length") == Some("0") {
            let what = self.what("unlocking", &blob);
            let ask = Ask::new(Method::DELETE, &blob).header("x-ms-lease-id", lease);
            return match self.container.ask(&what, ask).await? {
                Ok(_) => Ok(()),
                Err(refusal) if refusal.is_about_conditions() || refusal.status == 404 => Ok(()),
                Err(refusal) => Err(refusal.failure(&what)),
            };
        }
        if !self.tell(&blob, lease, None, None).await? {
            return Ok(());
        }
        match self
            .lease(&blob, "release", &[("x-ms-lease-id", lease)])
            .await?
        {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_about_conditions() || refusal.status == 404 => Ok(()),
            Err(refusal) => Err(refusal.failure(&self.what("unlocking", &blob))),
        }
    }

    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        let blob = self.layout.state(workspace);
        // A holder that is alive renews its lock in between.
        for _ in 0..8 {
            let Some(held) = self.read(workspace).await? else {
                return Ok(Forced::Free);
            };
            if held.record.info.id != id {
                return Ok(Forced::Other(Box::new(held)));
            }
            self.release(workspace, &held.token).await?;
            match self.read(workspace).await? {
                Some(held) if held.record.info.id == id => {
                    // The lease has another id than the lock says.
                    if self.end(&blob, etag_of(&held.token)).await? {
                        return Ok(Forced::Done);
                    }
                }
                _ => return Ok(Forced::Done),
            }
        }
        Err(StoreError::Refused(format!(
            "The lock {id} changes whenever it is about to be released: its holder is alive."
        ))
        .into())
    }
}
