//! Servers, and stores in them.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by tests, none of which needs all of it"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use terrace_backend_remote::{Problem, RemoteStore};
use terrace_test_services::{DynamoDb, Minio, Moto, Unavailable};
use terrace_value::{Type, Value};

pub(crate) const BUCKET: &str = "states";
pub(crate) const TABLE: &str = "locks";

/// How a state is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Object,
    Item,
    Both,
    None,
}

/// A state of its own.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) key: String,
    pub(crate) lock: Lock,
}

/// What ends the servers when it is dropped.
enum Running {
    Moto(#[allow(unused, reason = "kept alive")] Moto),
    Real(
        #[allow(unused, reason = "kept alive")] Minio,
        #[allow(unused, reason = "kept alive")] DynamoDb,
    ),
}

/// Servers with a bucket and a table.
pub(crate) struct Servers {
    _running: Running,
    pub(crate) s3: String,
    pub(crate) dynamodb: String,
    keys: (String, String),
    next: AtomicUsize,
    pub(crate) objects: aws_sdk_s3::Client,
    pub(crate) items: aws_sdk_dynamodb::Client,
}

impl Servers {
    pub(crate) async fn moto() -> Result<Self, Unavailable> {
        let moto = Moto::start()?;
        let (s3, dynamodb) = (moto.endpoint(), moto.endpoint());
        Self::new(
            Running::Moto(moto),
            s3,
            dynamodb,
            ("test".into(), "test".into()),
        )
        .await
    }

    pub(crate) async fn real() -> Result<Self, Unavailable> {
        let (minio, table) = (Minio::start()?, DynamoDb::start()?);
        let (s3, dynamodb) = (minio.endpoint(), table.endpoint());
        let keys = (minio.access_key().to_owned(), minio.secret_key().to_owned());
        Self::new(Running::Real(minio, table), s3, dynamodb, keys).await
    }

    async fn new(
        running: Running,
        s3: String,
        dynamodb: String,
        keys: (String, String),
    ) -> Result<Self, Unavailable> {
        let credentials = Credentials::new(&keys.0, &keys.1, None, None, "test");
        let web = terrace_backend_s3::web();
        let objects = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client(web.clone())
                .credentials_provider(credentials.clone())
                .region(Region::new("us-east-1"))
                .endpoint_url(&s3)
                .force_path_style(true)
                .build(),
        );
        let items = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client(web)
                .credentials_provider(credentials)
                .region(Region::new("us-east-1"))
                .endpoint_url(&dynamodb)
                .build(),
        );
        objects.create_bucket().bucket(BUCKET).send().await.unwrap();
        items
            .create_table()
            .table_name(TABLE)
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(
                KeySchemaElement::builder()
                    .attribute_name("LockID")
                    .key_type(KeyType::Hash)
                    .build()
                    .unwrap(),
            )
            .attribute_definitions(
                AttributeDefinition::builder()
                    .attribute_name("LockID")
                    .attribute_type(ScalarAttributeType::S)
                    .build()
                    .unwrap(),
            )
            .send()
            .await
            .unwrap();
        Ok(Self {
            _running: running,
            s3,
            dynamodb,
            keys,
            next: AtomicUsize::new(0),
            objects,
            items,
        })
    }

    pub(crate) fn new_store(&self, lock: Lock) -> Store {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        Store {
            key: format!("dev/{n}/terraform.tfstate"),
            lock,
        }
    }

    /// The arguments of a store.
    pub(crate) fn arguments(&self, store: &Store) -> BTreeMap<String, Value> {
        let endpoints = [
            ("s3", &self.s3),
            ("dynamodb", &self.dynamodb),
            ("sts", &self.s3),
        ];
        let mut arguments = BTreeMap::from([
            ("bucket".to_owned(), Value::string(BUCKET)),
            ("key".to_owned(), Value::string(store.key.as_str())),
            ("region".to_owned(), Value::string("us-east-1")),
            ("access_key".to_owned(), Value::string(self.keys.0.as_str())),
            ("secret_key".to_owned(), Value::string(self.keys.1.as_str())),
            ("use_path_style".to_owned(), Value::bool(true)),
            ("skip_credentials_validation".to_owned(), Value::bool(true)),
            (
                "endpoints".to_owned(),
                Value::object(
                    endpoints.map(|(name, url)| (name.to_owned(), Value::string(url.as_str()))),
                ),
            ),
        ]);
        if matches!(store.lock, Lock::Object | Lock::Both) {
            arguments.insert("use_lockfile".to_owned(), Value::bool(true));
        }
        if matches!(store.lock, Lock::Item | Lock::Both) {
            arguments.insert("dynamodb_table".to_owned(), Value::string(TABLE));
        }
        arguments
    }

    /// The block of a configuration of the reference.
    pub(crate) fn block(&self, store: &Store) -> String {
        let mut lines = String::new();
        if matches!(store.lock, Lock::Object | Lock::Both) {
            lines += "    use_lockfile = true\n";
        }
        if matches!(store.lock, Lock::Item | Lock::Both) {
            lines.extend(["    dynamodb_table = \"", TABLE, "\"\n"]);
        }
        let (access, secret) = &self.keys;
        format!(
            "  backend \"s3\" {{\n    bucket = \"{BUCKET}\"\n    key = \"{}\"\n    region = \"us-east-1\"\n    \
             access_key = \"{access}\"\n    secret_key = \"{secret}\"\n    use_path_style = true\n    \
             skip_credentials_validation = true\n    skip_requesting_account_id = true\n    skip_metadata_api_check = true\n    \
             endpoints = {{ s3 = \"{}\", dynamodb = \"{}\" }}\n{lines}  }}",
            store.key, self.s3, self.dynamodb
        )
    }

    /// A handle on a store, as a process has one.
    pub(crate) async fn open(
        &self,
        store: &Store,
        lease: Duration,
    ) -> Result<RemoteStore, Vec<Problem>> {
        open_with(&self.arguments(store), &[], lease).await
    }

    pub(crate) async fn object(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self
            .objects
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .ok()?;
        Some(answer.body.collect().await.unwrap().into_bytes().to_vec())
    }

    pub(crate) async fn put_object(&self, key: &str, bytes: &[u8]) {
        let request = self
            .objects
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(bytes.to_vec().into());
        request.send().await.unwrap();
    }

    /// An attribute of an item.
    pub(crate) async fn item(&self, key: &str, attribute: &str) -> Option<String> {
        let request = self
            .items
            .get_item()
            .table_name(TABLE)
            .key("LockID", AttributeValue::S(key.to_owned()));
        let item = request.send().await.unwrap().item?;
        item.get(attribute)?.as_s().ok().cloned()
    }

    pub(crate) async fn put_item(&self, key: &str, attribute: &str, value: &str) {
        let request = self
            .items
            .put_item()
            .table_name(TABLE)
            .item("LockID", AttributeValue::S(key.to_owned()))
            .item(attribute, AttributeValue::S(value.to_owned()));
        request.send().await.unwrap();
    }

    /// A digest, and the one that is to follow.
    pub(crate) async fn put_announced(&self, key: &str, digest: &str, next: &str) {
        let request = self
            .items
            .put_item()
            .table_name(TABLE)
            .item("LockID", AttributeValue::S(key.to_owned()))
            .item("Digest", AttributeValue::S(digest.to_owned()))
            .item("Next", AttributeValue::S(next.to_owned()));
        request.send().await.unwrap();
    }

    pub(crate) async fn delete_object(&self, key: &str) {
        self.objects
            .delete_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn delete_item(&self, key: &str) {
        let request = self
            .items
            .delete_item()
            .table_name(TABLE)
            .key("LockID", AttributeValue::S(key.to_owned()));
        request.send().await.unwrap();
    }

    /// Locks as the reference does; `false` where there is no lock that it would look at.
    pub(crate) async fn plant_lock(&self, store: &Store, id: &str) -> bool {
        let path = format!("{BUCKET}/{}", store.key);
        let text = format!(
            "{{\"ID\":\"{id}\",\"Operation\":\"OperationTypeApply\",\"Info\":\"\",\"Who\":\"root@vm\",\"Version\":\"1.11.4\",\
             \"Created\":\"2026-11-21T22:31:27.828212521Z\",\"Path\":\"{path}\"}}"
        );
        if matches!(store.lock, Lock::Object | Lock::Both) {
            self.put_object(&format!("{}.tflock", store.key), text.as_bytes())
                .await;
        }
        if matches!(store.lock, Lock::Item | Lock::Both) {
            self.put_item(&path, "Info", &text).await;
        }
        store.lock != Lock::None
    }
}

/// Opens with arguments and variables of the environment.
pub(crate) async fn open_with(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
    lease: Duration,
) -> Result<RemoteStore, Vec<Problem>> {
    let kind = ("s3", terrace_backend_s3::arguments());
    let open = terrace_backend_s3::open_with;
    terrace_backend_conformance::open_with(kind, arguments, variables, lease, open).await
}

/// A set of strings.
pub(crate) fn texts(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|item| Value::string(*item)))
}
