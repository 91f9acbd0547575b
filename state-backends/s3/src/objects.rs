//! The bucket.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, Delete, ObjectCannedAcl, ObjectIdentifier, ServerSideEncryption,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, TryStreamExt as _};
use md5::{Digest as _, Md5};
use terrace_backend_remote::{Deleted, Failure, Object, Objects, Put, Version, When, Write};

use crate::clients::Clients;
use crate::digest::Digests;
use crate::failure::{code, failure, status};
use crate::layout::Keys;
use crate::settings::{Encryption, Settings};

/// How many objects are read at the same time.
const AT_ONCE: usize = 16;

/// How many objects one request deletes at most.
const IN_ONE: usize = 1000;

/// The objects of a bucket.
#[derive(Clone)]
pub(crate) struct Bucket(Arc<Inner>);

struct Inner {
    client: aws_sdk_s3::Client,
    bucket: String,
    acl: Option<ObjectCannedAcl>,
    encryption: Encryption,
    skip_checksum: bool,
    layout: Arc<Keys>,
    digests: Option<Digests>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.0.bucket).finish()
    }
}

/// A key for SSE-C as headers want it.
struct CustomerKey {
    key: String,
    digest: String,
}

impl Bucket {
    pub(crate) fn new(settings: &Settings, clients: &Clients, layout: Arc<Keys>) -> Self {
        let table = settings.table.as_ref();
        Self(Arc::new(Inner {
            client: clients.s3.clone(),
            bucket: settings.bucket.clone(),
            acl: settings.acl.as_deref().map(ObjectCannedAcl::from),
            encryption: settings.encryption.clone(),
            skip_checksum: settings.skip_checksum,
            layout,
            digests: table.map(|table| Digests::new(clients, table, &settings.bucket)),
        }))
    }

    /// The digests, where the name is that of a state and digests are kept.
    fn digests(&self, name: &str) -> Option<&Digests> {
        self.0
            .digests
            .as_ref()
            .filter(|_| self.0.layout.is_state(name))
    }

    fn customer_key(&self) -> Option<CustomerKey> {
        let Encryption::Customer(key) = &self.0.encryption else {
            return None;
        };
        Some(CustomerKey {
            key: STANDARD.encode(key),
            digest: STANDARD.encode(Md5::digest(key)),
        })
    }

    /// What lies under a name, whatever its digest.
    pub(crate) async fn fetch(&self, name: &str) -> Result<Option<Object>, Failure> {
        let mut request = self.0.client.get_object().bucket(&self.0.bucket).key(name);
        if let Some(customer) = self.customer_key() {
            request = request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(customer.key)
                .sse_customer_key_md5(customer.digest);
        }
        let what = || format!("reading {}", self.place(name));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == "NoSuchKey" => return Ok(None),
            Err(error) if status(&error) == 404 && code(&error) != "NoSuchBucket" => {
                return Ok(None);
            }
            Err(error) => {
                return Err(failure(
                    what(),
                    "s3:GetObject on the object and s3:ListBucket on the bucket",
                    &error,
                ));
            }
        };
        let version = Version::new(answer.e_tag().unwrap_or_default());
        let bytes = answer
            .body
            .collect()
            .await
            .map_err(|error| Failure::transient(what(), error))?;
        Ok(Some(Object {
            bytes: bytes.into_bytes().to_vec().into(),
            version,
        }))
    }

    /// Writes under a name, whatever its digest.
    pub(crate) async fn store(
        &self,
        name: &str,
        bytes: &[u8],
        when: When<'_>,
    ) -> Result<Put, Failure> {
        let inner = &self.0;
        let mut request = inner
            .client
            .put_object()
            .bucket(&inner.bucket)
            .key(name)
            .content_type("application/json")
            .content_length(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
            .set_acl(inner.acl.clone())
            .body(ByteStream::from(bytes.to_vec()));
        if !inner.skip_checksum {
            request = request.checksum_algorithm(ChecksumAlgorithm::Sha256);
        }
        request = match &inner.encryption {
            Encryption::Bucket => request,
            Encryption::Own => request.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::Kms(key) => request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key),
            Encryption::Customer(_) => match self.customer_key() {
                Some(customer) => request
                    .sse_customer_algorithm("AES256")
                    .sse_customer_key(customer.key)
                    .sse_customer_key_md5(customer.digest),
                None => request,
            },
        };
        request = match when {
            When::Always => request,
            When::Absent => request.if_none_match("*"),
            When::Is(version) => request.if_match(version.as_str()),
        };
        match request.send().await {
            Ok(answer) => Ok(Put::Written(Version::new(
                answer.e_tag().unwrap_or_default(),
            ))),
            Err(error) if status(&error) == 412 => Ok(Put::Refused),
            Err(error)
                if status(&error) == 404
                    && matches!(when, When::Is(_))
                    && code(&error) != "NoSuchBucket" =>
            {
                Ok(Put::Refused)
            }
            Err(error) => Err(failure(
                format!("writing {}", self.place(name)),
                "s3:PutObject on the object",
                &error,
            )),
        }
    }

    /// Deletes what lies under a name, whatever its digest.
    pub(crate) async fn remove(&self, name: &str, when: When<'_>) -> Result<Deleted, Failure> {
        let mut request = self
            .0
            .client
            .delete_object()
            .bucket(&self.0.bucket)
            .key(name);
        if let When::Is(version) = when {
            request = request.if_match(version.as_str());
        }
        match request.send().await {
            Ok(_) => Ok(Deleted::Done),
            Err(error) if status(&error) == 412 => Ok(Deleted::Refused),
            Err(error) if status(&error) == 404 && code(&error) != "NoSuchBucket" => {
                Ok(Deleted::Done)
            }
            Err(error) => Err(failure(
                format!("deleting {}", self.place(name)),
                "s3:DeleteObject on the object",
                &error,
            )),
        }
    }

    /// Deletes what lies under names, by one request. Those that are left, each of which may take one of its own: not all
    /// servers know this request, or accept its checksum.
    async fn remove_together(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        let what = || match names {
            [first, _, ..] => format!(
                "deleting {} and {} more",
                self.place(first),
                names.len() - 1
            ),
            names => format!("deleting {}", self.place(&names.concat())),
        };
        let identifiers = names
            .iter()
            .map(|name| ObjectIdentifier::builder().key(name).build());
        let delete = identifiers.collect::<Result<Vec<_>, _>>().and_then(|all| {
            let delete = Delete::builder().set_objects(Some(all));
            delete.quiet(true).build()
        });
        let delete = delete.map_err(|error| Failure::lasting(what(), error))?;
        let request = self.0.client.delete_objects().bucket(&self.0.bucket);
        match request.delete(delete).send().await {
            Ok(answer) => {
                let failed = answer.errors().iter();
                Ok(failed
                    .filter_map(|error| error.key().map(str::to_owned))
                    .collect())
            }
            Err(error) if status(&error) == 501 => Ok(names.to_vec()),
            Err(error) => match failure(what(), "s3:DeleteObject on the objects", &error) {
                passing @ Failure::Transient { .. } => Err(passing),
                _ => Ok(names.to_vec()),
            },
        }
    }
}

#[async_trait]
impl Objects for Bucket {
    fn place(&self, name: &str) -> String {
        format!("s3://{}/{name}", self.0.bucket)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        match self.digests(name) {
            None => self.fetch(name).await,
            Some(digests) => {
                digests
                    .checked(name, &self.place(name), || self.fetch(name))
                    .await
            }
        }
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        let Some(digests) = self.digests(name) else {
            return self.store(name, bytes, write.when).await;
        };
        digests.announce(name, bytes).await?;
        let put = self.store(name, bytes, write.when).await?;
        if matches!(put, Put::Written(_)) {
            digests.confirm(name, bytes).await?;
        }
        Ok(put)
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        let Some(digests) = self.digests(name) else {
            return self.remove(name, write.when).await;
        };
        digests.announce(name, b"").await?;
        let deleted = self.remove(name, write.when).await?;
        if deleted == Deleted::Done {
            digests.confirm(name, b"").await?;
        }
        Ok(deleted)
    }

    async fn delete_many(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        let has_digest = |name: &String| self.digests(name).is_some();
        let (mut left, together): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(has_digest);
        for some in together.chunks(IN_ONE) {
            left.extend(self.remove_together(some).await?);
        }
        Ok(left)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .0
                .client
                .list_objects_v2()
                .bucket(&self.0.bucket)
                .prefix(prefix);
            let answer = request
                .set_continuation_token(token)
                .send()
                .await
                .map_err(|error| {
                    let what = format!("listing {}", self.place(prefix));
                    failure(what, "s3:ListBucket on the bucket", &error)
                })?;
            names.extend(
                answer
                    .contents()
                    .iter()
                    .filter_map(|object| object.key().map(str::to_owned)),
            );
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                names.sort_unstable();
                return Ok(names);
            }
        }
    }

    async fn get_all(&self, names: &[String]) -> Result<Vec<Option<Object>>, Failure> {
        futures::stream::iter(names.to_vec())
            .map(|name| {
                let bucket = self.clone();
                async move { bucket.get(&name).await }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}
