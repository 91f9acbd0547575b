//! What moto does not understand, answers wrongly or forgets.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::{
    Answer, Asked, cbor, cloud_control, edge, functions, mappings, replicas, tables, targets,
};

/// What moto forgets.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By the object's name (or its path) and the attribute.
    kept: Mutex<BTreeMap<(String, &'static str), String>>,
    pub(super) functions: functions::Settings,
    pub(super) mappings: mappings::Mappings,
    pub(super) clouds: cloud_control::Clouds,
    pub(super) edge: edge::Functions,
    pub(super) tables: tables::Tables,
    pub(super) replicas: replicas::Replicas,
}

impl Memory {
    /// As at the beginning.
    pub(super) fn clear(&self) {
        fn empty<T: Default>(kept: &Mutex<T>) {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = T::default();
        }
        empty(&self.kept);
        empty(&self.functions);
        empty(&self.mappings);
        empty(&self.clouds);
        empty(&self.edge);
        empty(&self.tables);
        empty(&self.replicas);
    }
}

/// CloudWatch's clients speak CBOR only, and moto does not; it does understand the same calls in JSON. Whether it was CBOR.
pub(super) fn from_cbor(asked: &mut Asked) -> bool {
    let path = asked.line.split(' ').nth(1).unwrap_or_default();
    let Some((service, operation)) = path
        .strip_prefix("/service/")
        .and_then(|rest| rest.split_once("/operation/"))
    else {
        return false;
    };
    let target = format!("{service}.{operation}");
    asked.line = String::from("POST / HTTP/1.1");
    asked.body = cbor::decode(&asked.body).to_string().into_bytes();
    let spoken = [
        "content-type",
        "smithy-protocol",
        "accept",
        "content-length",
    ];
    asked
        .headers
        .retain(|(name, _)| !spoken.contains(&name.as_str()));
    for (name, value) in [
        ("content-type", "application/x-amz-json-1.0".to_owned()),
        ("content-length", asked.body.len().to_string()),
        ("x-amz-target", target),
    ] {
        asked.headers.push((name.to_owned(), value));
    }
    true
}

/// An answer in JSON as one in CBOR.
pub(super) fn to_cbor(answer: &mut Answer) {
    let json = serde_json::from_slice(&answer.body).unwrap_or(json!({}));
    answer.body = cbor::encode(&json);
    answer.headers.retain(|(name, _)| name != "content-type");
    for (name, value) in [
        ("content-type", "application/cbor"),
        ("smithy-protocol", "rpc-v2-cbor"),
    ] {
        answer.headers.push((name.to_owned(), value.to_owned()));
    }
}

/// What moto is asked in place of what it takes for a mistake.
pub(super) fn simpler(asked: &Asked) -> Option<Asked> {
    to_one_origin(asked).or_else(|| tables::simpler(asked))
}

/// moto wants the default behaviour to have an origin, and takes no group of them; the first origin will do for it.
fn to_one_origin(asked: &Asked) -> Option<Asked> {
    let (method, path) = asked.method_and_path();
    if method == "GET" || !path.starts_with("/2020-05-31/distribution") {
        return None;
    }
    let sent = String::from_utf8_lossy(&asked.body);
    let first = between(&sent, "<Origins>", "</Origins>")
        .and_then(|origins| between(origins, "<Id>", "</Id>"))?;
    let behaviour = between(&sent, "<DefaultCacheBehavior>", "</DefaultCacheBehavior>")?;
    let target = between(behaviour, "<TargetOriginId>", "</TargetOriginId>")?;
    let simpler = behaviour.replacen(
        &format!("<TargetOriginId>{target}<"),
        &format!("<TargetOriginId>{first}<"),
        1,
    );
    Some(asked.with_body(sent.replacen(behaviour, &simpler, 1).into_bytes()))
}

/// Puts an answer right.
pub(super) fn correct(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    elements(answer);
    payment(asked, answer);
    if answer.status == 200 {
        memory.queues(asked, answer);
        whole_policy(asked, answer, memory);
        written_settings(asked, answer, memory);
        guarded(asked, answer, memory);
        tables::correct(asked, answer, &memory.tables);
        replicas::correct(asked, answer, &memory.replicas);
        targets::correct(asked, answer, memory);
    }
    if answer.status < 300 {
        distributions(asked, answer, memory);
    }
    functions::correct(asked, answer, &memory.functions);
    mappings::correct(asked, answer, &memory.mappings);
}

/// moto forgets of lifecycle rules how large objects are and how many newer versions there must be, and the size from which
/// objects move; of notifications, whether there are any to EventBridge; of encryption, which kinds are refused; of logs, how they
/// are called, and that groups may read them. What was written is what S3 tells.
fn written_settings(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    const SIZE: &str = "x-amz-transition-default-minimum-object-size";
    let (method, path) = asked.method_and_path();
    let settings = ["?lifecycle", "?notification", "?encryption", "?logging"];
    if !settings.iter().any(|setting| path.ends_with(setting)) {
        return;
    }
    let size = asked.header(SIZE).unwrap_or("all_storage_classes_128K");
    match method {
        "PUT" => {
            let written = String::from_utf8_lossy(&asked.body).into_owned();
            memory.keep((path.to_owned(), "written"), written);
            memory.keep((path.to_owned(), "size"), size.to_owned());
        }
        "DELETE" => memory.forget(&(path.to_owned(), "written")),
        "GET" => {
            if let Some(written) = memory.kept(&(path.to_owned(), "written")) {
                answer.body = written.into_bytes();
                let size = memory.kept(&(path.to_owned(), "size")).unwrap_or_default();
                answer.headers.retain(|(name, _)| name != SIZE);
                answer.headers.push((SIZE.to_owned(), size));
            }
        }
        _ => {}
    }
}

/// moto lets everybody have buckets of other owners, and asks for no code where versions are deleted by one only.
pub(super) fn of_its_owner(asked: &Asked, memory: &Memory) -> Option<Answer> {
    let (method, path) = asked.method_and_path();
    let owner = asked.header("x-amz-expected-bucket-owner");
    let mut refused = owner.is_some_and(|owner| owner != OWNER);
    if method == "PUT" && path.ends_with("?versioning") {
        let sent = String::from_utf8_lossy(&asked.body);
        let key = (path.to_owned(), "MfaDelete");
        let before = memory.kept(&key).unwrap_or_default();
        let after = between(&sent, "<MfaDelete>", "</MfaDelete>").unwrap_or(&before);
        let guarded = before == "Enabled" || after == "Enabled";
        refused |= guarded && asked.header("x-amz-mfa").is_none();
        if !refused {
            memory.keep(key, after.to_owned());
        }
    }
    refused.then(|| Answer {
        status: 403,
        headers: vec![("content-type".into(), "application/xml".into())],
        body: b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>".to_vec(),
    })
}

/// The account of every bucket.
const OWNER: &str = "123456789012";

/// moto forgets that versions are deleted by a code only.
fn guarded(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    let (method, path) = asked.method_and_path();
    if method != "GET" || !path.ends_with("?versioning") {
        return;
    }
    let kept = memory.kept(&(path.to_owned(), "MfaDelete"));
    if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        let end = "</VersioningConfiguration>";
        let whole = format!("<MfaDelete>{kept}</MfaDelete>{end}");
        answer.body = told.replacen(end, &whole, 1).into_bytes();
    }
}

/// moto forgets much of distributions: which functions are called, how origins are asked, who may sign. Their configuration is
/// what was written last.
fn distributions(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    let (method, path) = asked.method_and_path();
    let path = path.split('?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix("/2020-05-31/distribution") else {
        return;
    };
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    let id = match rest.trim_matches('/').split('/').next() {
        Some("") | None => between(&told, "<Id>", "</Id>")
            .unwrap_or_default()
            .to_owned(),
        Some(id) => id.to_owned(),
    };
    let sent = String::from_utf8_lossy(&asked.body).into_owned();
    if let ("POST" | "PUT", Some(configuration)) = (method, configuration(&sent)) {
        memory.keep((id.clone(), "Distribution"), configuration.to_owned());
    }
    let kept = memory.kept(&(id, "Distribution"));
    if let (Some(mut kept), Some(configuration)) = (kept, configuration(&told)) {
        // CloudFront's own certificate goes with this.
        const OWN: &str = "<CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate>";
        const LEAST: &str = "<MinimumProtocolVersion>TLSv1</MinimumProtocolVersion>";
        if !kept.contains("<MinimumProtocolVersion>") {
            kept = kept.replace(OWN, &format!("{OWN}{LEAST}"));
        }
        answer.body = told
            .replacen(configuration, &with_grpc(&kept), 1)
            .into_bytes();
    }
}

/// Of every behaviour CloudFront tells whether it takes gRPC.
fn with_grpc(configuration: &str) -> String {
    let mut whole = String::new();
    for (place, part) in configuration.split("<TargetOriginId>").enumerate() {
        if place > 0 {
            if !part.contains("<GrpcConfig>") {
                whole += "<GrpcConfig><Enabled>false</Enabled></GrpcConfig>";
            }
            whole += "<TargetOriginId>";
        }
        whole += part;
    }
    whole
}

/// What the configuration of a distribution holds, in a document.
fn configuration(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once("<DistributionConfig")?;
    // The element may be called `DistributionConfigWithTags`, around the one that is meant.
    let rest = match rest.strip_prefix("WithTags") {
        Some(rest) => rest.split_once("<DistributionConfig")?.1,
        None => rest,
    };
    let (_, rest) = rest.split_once('>')?;
    rest.split_once("</DistributionConfig>")
        .map(|(inner, _)| inner)
}

pub(super) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?
        .1
        .split_once(after)
        .map(|(inner, _)| inner)
}

/// moto heeds no condition in the policy of a bucket, so that a denial of what is not encrypted denies everything. It is not
/// told of denials with conditions.
pub(super) fn without_conditions(asked: &mut Asked, memory: &Memory) {
    let Some(bucket) = asked.bucket_policy("PUT ") else {
        return;
    };
    let Ok(mut policy) = serde_json::from_slice::<Json>(&asked.body) else {
        return;
    };
    let whole = String::from_utf8_lossy(&asked.body).into_owned();
    memory.keep((bucket, "BucketPolicy"), whole);
    if let Some(statements) = policy["Statement"].as_array_mut() {
        statements.retain(|one| one["Effect"] != "Deny" || one["Condition"].is_null());
    }
    *asked = asked.with_body(policy.to_string().into_bytes());
}

fn whole_policy(asked: &Asked, answer: &mut Answer, memory: &Memory) {
    let Some(bucket) = asked.bucket_policy("GET ") else {
        return;
    };
    if let Some(policy) = memory.kept(&(bucket, "BucketPolicy")) {
        answer.body = policy.into_bytes();
    }
}

impl Asked {
    /// The path of the bucket whose policy a request is about, if it is one of this method.
    fn bucket_policy(&self, method: &str) -> Option<String> {
        let path = self.line.strip_prefix(method)?.split(' ').next()?;
        let (bucket, query) = path.split_once('?')?;
        let about = query
            .split('&')
            .any(|part| part == "policy" || part == "policy=");
        about.then(|| bucket.trim_end_matches('/').to_owned())
    }
}

/// Elements that moto names after the call; S3 calls them otherwise, as the SDK insists.
const ELEMENTS: [(&str, &str); 2] = [
    ("GetBucketVersioningResponse", "VersioningConfiguration"),
    (
        "GetBucketAccelerateConfigurationResponse",
        "AccelerateConfiguration",
    ),
];

fn elements(answer: &mut Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    let wrong = |(wrong, _): &&(&str, &str)| text.contains(&format!("<{wrong}"));
    if let Some((wrong, right)) = ELEMENTS.iter().find(wrong) {
        answer.body = text.replace(wrong, right).into_bytes();
    }
}

/// moto does not know who pays for requests, and lists the bucket instead. It is the bucket's owner.
fn payment(asked: &Asked, answer: &mut Answer) {
    let wanted = asked.line.starts_with("GET ") && asked.line.contains("?requestPayment");
    if wanted && answer.status == 200 {
        answer.body =
            b"<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
                .to_vec();
    }
}

/// The attributes of queues that moto forgets: `RedriveAllowPolicy`, and `Policy` whenever another attribute is set.
const FORGOTTEN: [&str; 2] = ["Policy", "RedriveAllowPolicy"];

impl Memory {
    pub(super) fn keep(&self, key: (String, &'static str), value: String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(key, value);
    }

    fn forget(&self, key: &(String, &'static str)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(key);
    }

    pub(super) fn kept(&self, key: &(String, &'static str)) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).cloned()
    }

    fn queues(&self, asked: &Asked, answer: &mut Answer) {
        let target = asked.header("x-amz-target").unwrap_or_default();
        if !target.starts_with("AmazonSQS.") {
            return;
        }
        let said = asked.json();
        let name = said["QueueUrl"].as_str().or(said["QueueName"].as_str());
        let name = name.unwrap_or_default().rsplit('/').next();
        let name = name.unwrap_or_default().to_owned();
        let mut remembered = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match target {
            "AmazonSQS.CreateQueue" | "AmazonSQS.SetQueueAttributes" => {
                for attribute in FORGOTTEN {
                    if let Some(value) = said["Attributes"][attribute].as_str() {
                        remembered.insert((name.clone(), attribute), value.to_owned());
                    }
                }
            }
            "AmazonSQS.DeleteQueue" => remembered.retain(|(queue, _), _| *queue != name),
            "AmazonSQS.GetQueueAttributes" => {
                answer.change_json(|told| {
                    for attribute in FORGOTTEN {
                        let value = remembered.get(&(name.clone(), attribute));
                        if let Some(value) = value.filter(|value| !value.is_empty()) {
                            told["Attributes"][attribute] = json!(value);
                        }
                    }
                });
            }
            _ => {}
        }
    }
}
