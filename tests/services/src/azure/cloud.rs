//! What there is in the cloud, and what requests do with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::shape::Shape;
use super::{AzureFault, AzureManner, AzureStandIn, Refusal, answer, bodies, storage};
use crate::{Asked, Reply};

/// Elements of a page.
const PAGE: usize = 2;
/// Versions of the interface of resources that are known.
const RESOURCES: [&str; 2] = ["2020-06-01", "2021-04-01"];
/// Versions of the interface of storage that are known.
const STORAGE: [&str; 2] = ["2023-01-01", "2023-05-01"];

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    /// The id as it was first written.
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) body: Value,
    visible_from: Instant,
}

/// What an operation does at its end.
#[derive(Debug)]
enum End {
    Made(String),
    Gone(String),
}

#[derive(Debug)]
struct Operation {
    ends: Instant,
    end: Option<End>,
    failure: Option<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Cloud {
    pub(super) url: String,
    pub(super) objects: BTreeMap<String, Object>,
    operations: BTreeMap<String, Operation>,
    pub(super) tokens: BTreeSet<String>,
    pub(super) takes_tokens: bool,
    pub(super) registrations: BTreeMap<String, Instant>,
    pub(super) faults: Vec<(String, String, AzureFault)>,
    pub(super) manner: AzureManner,
    pub(super) duration: Duration,
    pub(super) appearance: Duration,
    pub(super) name_rest: Duration,
    resting: BTreeMap<String, Instant>,
    pub(super) next_failure: Option<(String, String)>,
    pub(super) count: u64,
    pub(super) elsewhere: Option<String>,
    pub(super) wait: Duration,
}

/// The path of a request, and what it means.
#[derive(Debug)]
pub(super) struct Path {
    /// As it was written, with single slashes.
    id: String,
    /// In lower case.
    pub(super) key: String,
    parts: Vec<String>,
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Path {
    /// The object id of the principal that signs in.
    pub(super) const PRINCIPAL: &str = "77777777-1111-4222-8333-444444444444";

    pub(super) fn query(text: &str) -> BTreeMap<String, String> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(value))
            })
            .collect()
    }

    pub(super) fn read(path: &str, query: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decoded)
            .collect();
        let id = format!("/{}", parts.join("/"));
        let read = Self {
            key: id.to_lowercase(),
            id,
            parts,
        };
        let Some(version) = query.get("api-version") else {
            return Err(Refusal::new(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            ));
        };
        let known: &[&str] = if read.key.contains("/providers/microsoft.storage")
            && read.key.contains("/resourcegroups/")
        {
            &STORAGE
        } else {
            &RESOURCES
        };
        if !known.contains(&version.as_str()) && !read.key.contains("/asyncoperations/") {
            let told = format!(
                "The api-version '{version}' is invalid. The supported versions are '{}'.",
                known.join(",")
            );
            return Err(Refusal::new(400, "InvalidApiVersionParameter", told));
        }
        let own = format!("/subscriptions/{}", AzureStandIn::SUBSCRIPTION);
        if !read.key.starts_with(&own) {
            let told = format!(
                "The subscription '{}' could not be found.",
                read.parts.get(1).map_or("", String::as_str)
            );
            return Err(Refusal::new(404, "SubscriptionNotFound", told));
        }
        Ok(read)
    }

    fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// The path of so many parts.
    fn up_to(&self, count: usize) -> String {
        format!("/{}", self.parts[..count.min(self.parts.len())].join("/"))
    }

    /// The parts below the subscription in lower case.
    fn shape(&self) -> Vec<String> {
        self.parts
            .iter()
            .skip(2)
            .map(|part| part.to_lowercase())
            .collect()
    }

    /// What the principal is told that may not do something.
    pub(super) fn denied(&self, method: &str) -> Refusal {
        let types: Vec<&str> = match self.parts.len() {
            ..=4 => vec!["Microsoft.Resources", "subscriptions", "resourceGroups"],
            5..=8 => vec!["Microsoft.Storage", "storageAccounts"],
            9 => vec!["Microsoft.Storage", "storageAccounts", "listKeys"],
            _ => vec![
                "Microsoft.Storage",
                "storageAccounts",
                "blobServices",
                "containers",
            ],
        };
        let verb = match method {
            "PUT" | "PATCH" => "write",
            "DELETE" => "delete",
            "POST" => "action",
            _ => "read",
        };
        let told = format!(
            "The client '{}' with object id '{}' does not have authorization to perform action '{}/{verb}' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            AzureStandIn::CLIENT,
            Self::PRINCIPAL,
            types.join("/"),
            self.id
        );
        Refusal::new(403, "AuthorizationFailed", told)
    }
}

impl Cloud {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            objects: BTreeMap::new(),
            operations: BTreeMap::new(),
            tokens: BTreeSet::new(),
            takes_tokens: true,
            registrations: [
                "Microsoft.Authorization",
                "Microsoft.Network",
                "Microsoft.Storage",
            ]
            .map(|name| (name.to_owned(), Instant::now()))
            .into(),
            faults: Vec::new(),
            manner: AzureManner::default(),
            duration: Duration::ZERO,
            appearance: Duration::ZERO,
            name_rest: Duration::ZERO,
            resting: BTreeMap::new(),
            next_failure: None,
            count: 0,
            elsewhere: None,
            wait: Duration::ZERO,
        }
    }

    /// Ends the operations whose time is over.
    pub(super) fn finish(&mut self) {
        let now = Instant::now();
        let mut ends = Vec::new();
        for operation in self.operations.values_mut() {
            if operation.ends <= now
                && let Some(end) = operation.end.take()
            {
                ends.push((end, operation.failure.is_some()));
            }
        }
        for (end, failed) in ends {
            match (end, failed) {
                (End::Made(key), false) => {
                    if let Some(object) = self.objects.get_mut(&key) {
                        object.body["properties"]["provisioningState"] = json!("Succeeded");
                    }
                }
                (End::Made(key), true) => {
                    if let Some(object) = self.objects.get_mut(&key) {
                        object.body["properties"]["provisioningState"] = json!("Failed");
                    }
                }
                (End::Gone(id), false) => self.remove(&id),
                (End::Gone(_), true) => {}
            }
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        let key = id.to_lowercase();
        let below = format!("{key}/");
        self.objects
            .retain(|found, _| *found != key && !found.starts_with(&below));
    }

    pub(super) fn place(&mut self, id: &str, body: Value) {
        let kind = if id.contains("/containers/") {
            "Microsoft.Storage/storageAccounts/blobServices/containers"
        } else {
            "Microsoft.Other/things"
        };
        self.insert(id, kind, body, Duration::ZERO);
    }

    fn insert(&mut self, id: &str, kind: &'static str, body: Value, hidden: Duration) {
        let object = Object {
            id: id.to_owned(),
            kind,
            body,
            visible_from: Instant::now() + hidden,
        };
        self.objects.insert(id.to_lowercase(), object);
    }

    /// An object that can be seen.
    fn seen(&self, key: &str) -> Option<&Object> {
        let object = self.objects.get(key)?;
        (object.visible_from <= Instant::now()).then_some(object)
    }

    fn shown(object: &Object) -> Value {
        let mut body = object.body.clone();
        body["id"] = json!(object.id);
        body["name"] = json!(object.id.rsplit('/').next());
        body["type"] = json!(object.kind);
        body
    }

    fn get(&self, path: &Path) -> Result<Reply, Refusal> {
        match self.seen(&path.key) {
            Some(object) => Ok(answer(200, &Self::shown(object))),
            None => Err(absent(path)),
        }
    }

    pub(super) fn carry_out(
        &mut self,
        asked: &Asked,
        path: &Path,
        query: &BTreeMap<String, String>,
    ) -> Result<Reply, Refusal> {
        let shape = path.shape();
        let parts: Vec<&str> = shape.iter().map(String::as_str).collect();
        let method = asked.method.as_str();
        match (method, parts.as_slice()) {
            (
                "GET",
                ["operations", _]
                | [
                    "providers",
                    "microsoft.storage",
                    "locations",
                    _,
                    "asyncoperations",
                    _,
                ],
            ) => self.stands(path.last(), shape.len() == 2),
            (_, ["providers", ..]) => self.registration(method, &parts, query),
            ("GET", ["resourcegroups", _, "resources"]) => self.list(path, query),
            (_, ["resourcegroups", _]) => self.group(asked, path),
            (
                _,
                [
                    "resourcegroups",
                    _,
                    "providers",
                    "microsoft.storage",
                    rest @ ..,
                ],
            ) => {
                self.group_of(path)?;
                self.registered()?;
                match (method, rest) {
                    (_, ["storageaccounts", _]) => self.account(asked, path),
                    ("POST", ["storageaccounts", _, "listkeys"]) => self.keys(asked, path),
                    (
                        _,
                        [
                            "storageaccounts",
                            _,
                            "blobservices" | "fileservices",
                            "default",
                        ],
                    ) => self.service(asked, path),
                    (
                        _,
                        [
                            "storageaccounts",
                            _,
                            "blobservices",
                            "default",
                            "containers",
                            _,
                        ],
                    ) => self.container(asked, path),
                    _ => Err(unknown(method, path)),
                }
            }
            _ => Err(unknown(method, path)),
        }
    }

    fn group_of(&self, path: &Path) -> Result<(), Refusal> {
        let key = path.up_to(4).to_lowercase();
        if self.seen(&key).is_some() {
            return Ok(());
        }
        let name = path.parts.get(3).map_or("", String::as_str);
        Err(Refusal::new(
            404,
            "ResourceGroupNotFound",
            format!("Resource group '{name}' could not be found."),
        ))
    }

    fn account_of(&self, path: &Path) -> Result<Value, Refusal> {
        let key = path.up_to(8).to_lowercase();
        if let Some(account) = self.seen(&key) {
            return Ok(account.body.clone());
        }
        let told = format!(
            "Can not perform requested operation on nested resource. Parent resource '{}' not found.",
            path.parts.get(7).map_or("", String::as_str)
        );
        Err(Refusal::new(404, "ParentResourceNotFound", told))
    }

    /// Begins an operation, and says how it is told of.
    fn begin(&mut self, end: End, body: Option<&Value>) -> Reply {
        self.count += 1;
        let number = format!("op-{}", self.count);
        self.operations.insert(
            number.clone(),
            Operation {
                ends: Instant::now() + self.duration,
                end: Some(end),
                failure: self.next_failure.take(),
            },
        );
        let host = self.elsewhere.as_ref().unwrap_or(&self.url);
        let root = format!("{host}/subscriptions/{}", AzureStandIn::SUBSCRIPTION);
        let document = format!("{root}/operations/{number}?api-version=2021-04-01");
        let location = format!(
            "{root}/providers/Microsoft.Storage/locations/westeurope/asyncoperations/{number}?monitor=true&api-version=2023-05-01"
        );
        let reply = match (self.manner, body) {
            (AzureManner::Document, Some(body)) => {
                answer(201, body).header("Azure-AsyncOperation", &document)
            }
            (AzureManner::Document, None) => {
                answer(202, &Value::Null).header("Azure-AsyncOperation", &document)
            }
            (AzureManner::Object, Some(body)) => answer(201, body),
            (AzureManner::Object, None) => Reply::status(202),
            (AzureManner::Location, _) => Reply::status(202).header("Location", &location),
        };
        reply.header("Retry-After", &self.wait.as_secs().to_string())
    }

    fn stands(&mut self, number: &str, is_document: bool) -> Result<Reply, Refusal> {
        let Some(operation) = self.operations.get(number) else {
            return Err(Refusal::new(
                404,
                "OperationNotFound",
                format!("The operation '{number}' was not found."),
            ));
        };
        let over = operation.ends <= Instant::now();
        let error = operation
            .failure
            .as_ref()
            .map(|(code, message)| json!({"code": code, "message": message}));
        Ok(match (over, is_document, error) {
            (false, true, _) => answer(200, &json!({"name": number, "status": "InProgress"})),
            (false, false, _) => Reply::status(202),
            (true, true, None) => answer(200, &json!({"name": number, "status": "Succeeded"})),
            (true, true, Some(error)) => answer(
                200,
                &json!({"name": number, "status": "Failed", "error": error}),
            ),
            (true, false, None) => answer(200, &Value::Null),
            (true, false, Some(error)) => answer(409, &json!({"error": error})),
        }
        .header("Retry-After", &self.wait.as_secs().to_string()))
    }

    fn group(&mut self, asked: &Asked, path: &Path) -> Result<Reply, Refusal> {
        let there = self
            .objects
            .get(&path.key)
            .map(|object| object.body.clone());
        match (asked.method.as_str(), there) {
            ("HEAD", there) => Ok(Reply::status(if there.is_some() { 204 } else { 404 })),
            ("GET", _) => self.get(path),
            ("PUT", there) => {
                let body = body(asked, bodies::GROUP)?;
                if let Some(there) = &there
                    && there["location"] != json!(place(&body))
                {
                    let told = format!(
                        "Invalid resource group location '{}'. The Resource group already exists in location '{}'.",
                        body["location"], there["location"]
                    );
                    return Err(Refusal::new(409, "InvalidResourceGroupLocation", told));
                }
                let mut group = body.clone();
                group["location"] = json!(place(&body));
                group["properties"] = json!({"provisioningState": "Succeeded"});
                let status = if there.is_some() { 200 } else { 201 };
                self.insert(
                    &path.id,
                    "Microsoft.Resources/resourceGroups",
                    group,
                    self.appearance,
                );
                Ok(answer(status, &Self::shown(&self.objects[&path.key])))
            }
            ("PATCH", Some(mut group)) => {
                let body = body(asked, bodies::GROUP_PATCH)?;
                for (name, value) in body.as_object().into_iter().flatten() {
                    group[name] = value.clone();
                }
                self.insert(
                    &path.id,
                    "Microsoft.Resources/resourceGroups",
                    group,
                    Duration::ZERO,
                );
                self.get(path)
            }
            ("DELETE", Some(_)) => Ok(self.begin(End::Gone(path.id.clone()), None)),
            ("PATCH" | "DELETE", None) => Err(absent(path)),
            (method, _) => Err(unknown(method, path)),
        }
    }

    /// What is in a group, in pages. Objects of providers alone are, and none below them.
    fn list(&self, path: &Path, query: &BTreeMap<String, String>) -> Result<Reply, Refusal> {
        self.group_of(path)?;
        let below = format!("{}/providers/", path.up_to(4).to_lowercase());
        let all: Vec<Value> = self
            .objects
            .iter()
            .filter(|(key, _)| key.strip_prefix(&below).is_some_and(|rest| rest.split('/').count() == 3))
            .map(|(_, object)| json!({"id": object.id, "name": object.id.rsplit('/').next(), "type": object.kind, "location": object.body["location"]}))
            .collect();
        Ok(self.page(&all, &path.id, query))
    }

    fn page(&self, all: &[Value], id: &str, query: &BTreeMap<String, String>) -> Reply {
        let start: usize = query
            .get("$skiptoken")
            .and_then(|token| token.parse().ok())
            .unwrap_or(0);
        let page: Vec<&Value> = all.iter().skip(start).take(PAGE).collect();
        let mut body = json!({"value": page});
        if start + PAGE < all.len() {
            let next = start + PAGE;
            body["nextLink"] = json!(format!(
                "{}{id}?api-version={}&$skiptoken={next}",
                self.url, query["api-version"]
            ));
        }
        answer(200, &body)
    }

    fn registration(
        &mut self,
        method: &str,
        parts: &[&str],
        query: &BTreeMap<String, String>,
    ) -> Result<Reply, Refusal> {
        const KNOWN: [&str; 5] = [
            "Microsoft.Authorization",
            "Microsoft.Compute",
            "Microsoft.Network",
            "Microsoft.Storage",
            "Microsoft.Web",
        ];
        let shown = |cloud: &Self, name: &str| {
            let state = match cloud.registrations.get(name) {
                None => "NotRegistered",
                Some(from) if *from <= Instant::now() => "Registered",
                Some(_) => "Registering",
            };
            json!({"id": format!("/subscriptions/{}/providers/{name}", AzureStandIn::SUBSCRIPTION), "namespace": name, "registrationState": state, "resourceTypes": []})
        };
        let named = |name: &str| {
            let found = KNOWN
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(name));
            found.ok_or_else(|| {
                Refusal::new(
                    404,
                    "InvalidResourceNamespace",
                    format!("The resource namespace '{name}' is invalid."),
                )
            })
        };
        match (method, parts) {
            ("GET", [_]) => {
                let all: Vec<Value> = KNOWN.iter().map(|name| shown(self, name)).collect();
                Ok(self.page(
                    &all,
                    &format!("/subscriptions/{}/providers", AzureStandIn::SUBSCRIPTION),
                    query,
                ))
            }
            ("GET", [_, name]) => Ok(answer(200, &shown(self, named(name)?))),
            ("POST", [_, name, "register"]) => {
                let name = named(name)?;
                self.registrations
                    .entry(name.to_owned())
                    .or_insert(Instant::now() + self.duration);
                Ok(answer(200, &shown(self, name)))
            }
            _ => Err(Refusal::new(
                405,
                "MethodNotAllowed",
                "The request method is not allowed.",
            )),
        }
    }

    fn registered(&self) -> Result<(), Refusal> {
        let there = self.registrations.get("Microsoft.Storage");
        if there.is_some_and(|from| *from <= Instant::now()) {
            return Ok(());
        }
        Err(Refusal::new(
            409,
            "MissingSubscriptionRegistration",
            "The subscription is not registered to use namespace 'Microsoft.Storage'. See https://aka.ms/rps-not-found for how to register subscriptions.",
        ))
    }

    fn account(&mut self, asked: &Asked, path: &Path) -> Result<Reply, Refusal> {
        const KIND: &str = "Microsoft.Storage/storageAccounts";
        let name = path.last().to_owned();
        let there = self
            .objects
            .get(&path.key)
            .map(|object| object.body.clone());
        match (asked.method.as_str(), there) {
            ("GET", _) => self.get(path),
            ("PUT", None) => {
                let body = body(asked, bodies::ACCOUNT)?;
                let end = format!("/storageaccounts/{}", name.to_lowercase());
                if self.objects.keys().any(|key| key.ends_with(&end)) {
                    return Err(Refusal::new(
                        409,
                        "StorageAccountAlreadyTaken",
                        format!("The storage account named {name} is already taken."),
                    ));
                }
                let account = storage::made(&name, &body)?;
                for (service, body) in storage::services(&account) {
                    self.insert(
                        &format!("{}/{service}", path.id),
                        "Microsoft.Storage/storageAccounts/services",
                        body,
                        self.appearance,
                    );
                }
                self.insert(&path.id, KIND, account, self.appearance);
                let shown = Self::shown(&self.objects[&path.key]);
                Ok(self.begin(End::Made(path.key.clone()), Some(&shown)))
            }
            ("PUT", Some(there)) => {
                let mut body = body(asked, bodies::ACCOUNT)?;
                for once in ["isHnsEnabled", "isNfsV3Enabled"] {
                    if body["properties"]
                        .get(once)
                        .is_some_and(|value| *value != there["properties"][once])
                    {
                        return Err(Refusal::new(
                            409,
                            "AccountPropertyCannotBeUpdated",
                            format!("The property '{once}' cannot be changed."),
                        ));
                    }
                }
                if json!(place(&body)) != there["location"] {
                    return Err(Refusal::new(
                        409,
                        "InvalidResourceLocation",
                        "The resource already exists in another location.",
                    ));
                }
                let wanted = body.take();
                self.change_account(path, &there, &wanted)
            }
            ("PATCH", Some(there)) => {
                let wanted = body(asked, bodies::ACCOUNT_PATCH)?;
                self.change_account(path, &there, &wanted)
            }
            ("PATCH", None) => Err(absent(path)),
            ("DELETE", there) => {
                self.remove(&path.id);
                Ok(Reply::status(if there.is_some() { 200 } else { 204 }))
            }
            (method, _) => Err(unknown(method, path)),
        }
    }

    fn change_account(
        &mut self,
        path: &Path,
        there: &Value,
        wanted: &Value,
    ) -> Result<Reply, Refusal> {
        let after = storage::changed(path.last(), there, wanted)?;
        if let Some(object) = self.objects.get_mut(&path.key) {
            object.body = after;
        }
        self.get(path)
    }

    fn keys(&self, asked: &Asked, path: &Path) -> Result<Reply, Refusal> {
        self.account_of(path)?;
        if !asked.body.is_empty() {
            return Err(Refusal::new(
                400,
                "InvalidRequestContent",
                "The request must not have a body.",
            ));
        }
        let name = path.parts.get(7).map_or("", String::as_str);
        let key = |number: u8| json!({"keyName": format!("key{number}"), "permissions": "FULL", "value": format!("a2V5{number}-of-{name}"), "creationTime": "2026-01-02T03:04:05.1234567Z"});
        Ok(answer(200, &json!({"keys": [key(1), key(2)]})))
    }

    fn service(&mut self, asked: &Asked, path: &Path) -> Result<Reply, Refusal> {
        let account = self.account_of(path)?;
        let Some(there) = self
            .objects
            .get(&path.key)
            .map(|object| object.body.clone())
        else {
            return Err(Refusal::new(
                400,
                "FeatureNotSupportedForAccount",
                "The service is not supported for the account.",
            ));
        };
        match asked.method.as_str() {
            "GET" => self.get(path),
            "PUT" => {
                let after = if path.key.ends_with("/blobservices/default") {
                    storage::blob_service(&account, &there, &body(asked, bodies::BLOB_SERVICE)?)?
                } else {
                    storage::file_service(&account, &there, &body(asked, bodies::FILE_SERVICE)?)?
                };
                if let Some(object) = self.objects.get_mut(&path.key) {
                    object.body = after;
                }
                self.get(path)
            }
            method => Err(unknown(method, path)),
        }
    }

    fn container(&mut self, asked: &Asked, path: &Path) -> Result<Reply, Refusal> {
        const KIND: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
        self.account_of(path)?;
        let there = self
            .objects
            .get(&path.key)
            .map(|object| object.body.clone());
        match (asked.method.as_str(), there) {
            ("GET", _) => match self.seen(&path.key) {
                Some(object) => Ok(answer(200, &Self::shown(object))),
                None => Err(Refusal::new(
                    404,
                    "ContainerNotFound",
                    "The specified container does not exist.",
                )),
            },
            ("PUT", there) => {
                if self
                    .resting
                    .get(&path.key)
                    .is_some_and(|until| *until > Instant::now())
                {
                    return Err(Refusal::new(
                        409,
                        "ContainerBeingDeleted",
                        "The specified container is being deleted. Try operation later.",
                    ));
                }
                let body = body(asked, bodies::CONTAINER)?;
                let made = storage::container(there.as_ref(), &body);
                let status = if there.is_some() { 200 } else { 201 };
                self.insert(&path.id, KIND, made, self.appearance);
                Ok(answer(status, &Self::shown(&self.objects[&path.key])))
            }
            ("PATCH", Some(there)) => {
                let after =
                    storage::container(Some(&there), &body(asked, bodies::CONTAINER_PATCH)?);
                self.insert(&path.id, KIND, after, Duration::ZERO);
                self.get(path)
            }
            ("PATCH", None) => Err(Refusal::new(
                404,
                "ContainerNotFound",
                "The specified container does not exist.",
            )),
            ("DELETE", there) => {
                if there.is_some() {
                    self.resting
                        .insert(path.key.clone(), Instant::now() + self.name_rest);
                }
                self.remove(&path.id);
                Ok(Reply::status(if there.is_some() { 200 } else { 204 }))
            }
            (method, _) => Err(unknown(method, path)),
        }
    }
}

fn place(body: &Value) -> String {
    body["location"]
        .as_str()
        .unwrap_or_default()
        .replace(' ', "")
        .to_lowercase()
}

/// The body of a request, which must have the shape.
fn body(asked: &Asked, shape: Shape) -> Result<Value, Refusal> {
    let kind = asked.headers.get("content-type").map_or("", String::as_str);
    if !kind.starts_with("application/json") {
        return Err(Refusal::new(
            415,
            "UnsupportedMediaType",
            format!(
                "The content media type '{kind}' is not supported. Only 'application/json' is supported."
            ),
        ));
    }
    let invalid = |why: String| {
        Refusal::new(
            400,
            "InvalidRequestContent",
            format!("The request content was invalid and could not be deserialized: '{why}'"),
        )
    };
    let value: Value =
        serde_json::from_slice(&asked.body).map_err(|error| invalid(error.to_string()))?;
    shape.check(&value, "").map_err(invalid)?;
    Ok(value)
}

fn absent(path: &Path) -> Refusal {
    if path.parts.len() <= 4 {
        let told = format!("Resource group '{}' could not be found.", path.last());
        return Refusal::new(404, "ResourceGroupNotFound", told);
    }
    let told = format!(
        "The Resource '{}' under resource group '{}' was not found.",
        path.parts[5..].join("/"),
        path.parts[3]
    );
    Refusal::new(404, "ResourceNotFound", told)
}

fn unknown(method: &str, path: &Path) -> Refusal {
    Refusal::new(
        405,
        "MethodNotAllowed",
        format!("There is no {method} of {}.", path.id),
    )
}
