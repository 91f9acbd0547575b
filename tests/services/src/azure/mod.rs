//! A stand-in for Azure Resource Manager and for signing in to it: strict about what it is asked, with operations that last, pages,
//! throttling and other failures.
//!
//! Operations end when their time is over, however often anybody looks. Ids are compared without regard to case, as the real one does.

mod bodies;
mod cloud;
mod shape;
mod storage;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::{Asked, Reply, Web};
use cloud::{Cloud, Path};

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureFault {
    /// Too many requests: status 429, and how long to wait.
    Throttled(Duration),
    /// An answer of failure with this status, code and message; nothing is done.
    Refused(u16, String, String),
    /// The connection ends within the answer, and all was done.
    LostAnswer,
    /// The principal may not do that: status 403 with the action and the scope.
    Denied,
    /// The request is taken, and the operation that it begins fails with this code and message.
    OperationFails(String, String),
}

/// How an operation is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AzureManner {
    /// Status 202 and an address that answers 202 until it is over.
    #[default]
    Location,
    /// Status 201 and an address of a document that says how it stands.
    Document,
    /// Status 201, and the object's own state of provisioning.
    Object,
}

/// Why a request is refused.
#[derive(Debug)]
struct Refusal {
    status: u16,
    code: String,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    fn reply(&self) -> Reply {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        let reply = answer(self.status, &body);
        if self.status == 401 {
            reply.header(
                "WWW-Authenticate",
                "Bearer authorization_uri=\"https://login.example\"",
            )
        } else {
            reply
        }
    }
}

/// The stand-in. It ends when it is dropped.
#[derive(Debug)]
pub struct AzureStandIn {
    web: Web,
    cloud: Arc<Mutex<Cloud>>,
}

fn lock(cloud: &Mutex<Cloud>) -> MutexGuard<'_, Cloud> {
    cloud.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(status: u16, body: &Value) -> Reply {
    Reply::json(&body.to_string())
        .with_status(status)
        .header("x-ms-request-id", "44444444-0000-4000-8000-000000000004")
}

impl AzureStandIn {
    /// The subscription that is there.
    pub const SUBSCRIPTION: &str = "00000000-1111-4222-8333-444444444444";
    /// The tenant that is there.
    pub const TENANT: &str = "55555555-1111-4222-8333-444444444444";
    /// The principal that may sign in.
    pub const CLIENT: &str = "66666666-1111-4222-8333-444444444444";
    /// Its secret.
    pub const SECRET: &str = "the-principal-knows-it";

    /// Starts on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        let web = Web::start()?;
        let cloud = Arc::new(Mutex::new(Cloud::new(web.url(""))));
        let shared = cloud.clone();
        web.otherwise(move |asked| {
            let mut cloud = lock(&shared);
            cloud
                .answer(asked)
                .unwrap_or_else(|refusal| refusal.reply())
        });
        Ok(Self { web, cloud })
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> String {
        self.web.url("")
    }

    /// The variables by which a provider signs in and finds its way here.
    pub fn environment(&self) -> BTreeMap<String, String> {
        [
            ("ARM_METADATA_HOSTNAME", self.url()),
            ("ARM_SUBSCRIPTION_ID", Self::SUBSCRIPTION.to_owned()),
            ("ARM_TENANT_ID", Self::TENANT.to_owned()),
            ("ARM_CLIENT_ID", Self::CLIENT.to_owned()),
            ("ARM_CLIENT_SECRET", Self::SECRET.to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// What goes wrong with the next request of a method whose path holds a text. Several go wrong one after the other.
    pub fn fault(&self, method: &str, path: &str, fault: AzureFault) {
        let mut cloud = lock(&self.cloud);
        cloud
            .faults
            .push((method.to_owned(), path.to_lowercase(), fault));
    }

    /// How many faults have not happened yet.
    pub fn faults_left(&self) -> usize {
        lock(&self.cloud).faults.len()
    }

    /// How long operations take from now on, and how they are told of.
    pub fn operations(&self, manner: AzureManner, duration: Duration) {
        let mut cloud = lock(&self.cloud);
        cloud.manner = manner;
        cloud.duration = duration;
    }

    /// How long who looks at an operation is asked to wait before the next look; not at all at first.
    pub fn ask_to_wait(&self, duration: Duration) {
        lock(&self.cloud).wait = duration;
    }

    /// Operations from now on are said to be told of at another host.
    pub fn lead_astray(&self, url: &str) {
        lock(&self.cloud).elsewhere = Some(url.to_owned());
    }

    /// For how long what is made from now on cannot be seen.
    pub fn appear_after(&self, duration: Duration) {
        lock(&self.cloud).appearance = duration;
    }

    /// For how long the name of a container that is deleted from now on cannot be used again.
    pub fn names_return_after(&self, duration: Duration) {
        lock(&self.cloud).name_rest = duration;
    }

    /// No token that was given so far is good any more.
    pub fn end_tokens(&self) {
        lock(&self.cloud).tokens.clear();
    }

    /// No token is good any more, old or new.
    pub fn take_no_tokens(&self) {
        lock(&self.cloud).takes_tokens = false;
    }

    /// The subscription does not have this resource provider registered.
    pub fn unregister(&self, namespace: &str) {
        lock(&self.cloud).registrations.remove(namespace);
    }

    /// Puts an object there as if somebody else had made it.
    pub fn place(&self, id: &str, object: Value) {
        lock(&self.cloud).place(id, object);
    }

    /// Changes an object as if somebody else had.
    pub fn meddle(&self, id: &str, change: impl FnOnce(&mut Value)) {
        if let Some(object) = lock(&self.cloud).objects.get_mut(&id.to_lowercase()) {
            change(&mut object.body);
        }
    }

    /// Takes an object away, with all below it, as if somebody else had.
    pub fn vanish(&self, id: &str) {
        lock(&self.cloud).remove(id);
    }

    /// An object as it is.
    pub fn object(&self, id: &str) -> Option<Value> {
        let cloud = lock(&self.cloud);
        cloud
            .objects
            .get(&id.to_lowercase())
            .map(|object| object.body.clone())
    }

    /// Ids of all objects, services of accounts left out.
    pub fn ids(&self) -> Vec<String> {
        let cloud = lock(&self.cloud);
        let ids = cloud.objects.values().map(|object| object.id.clone());
        ids.filter(|id| !id.ends_with("Services/default")).collect()
    }

    /// All requests to the Resource Manager so far: method and path without its query.
    pub fn requests(&self) -> Vec<String> {
        let asked = self.web.asked();
        let asked = asked
            .iter()
            .filter(|asked| asked.path.starts_with("/subscriptions"));
        asked
            .map(|asked| {
                format!(
                    "{} {}",
                    asked.method,
                    asked.path.split('?').next().unwrap_or_default()
                )
            })
            .collect()
    }

    /// All requests so far as they came.
    pub fn asked(&self) -> Vec<Asked> {
        self.web.asked()
    }
}

impl Cloud {
    fn answer(&mut self, asked: &Asked) -> Result<Reply, Refusal> {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        if path == "/metadata/endpoints" {
            return Ok(self.described());
        }
        if path.ends_with("/oauth2/v2.0/token") {
            return Ok(self.signed_in(asked, path));
        }
        self.signed(asked)?;
        let query = Path::query(query);
        let path = Path::read(path, &query)?;
        self.finish();
        match self.fault(&asked.method, &path) {
            None => self.carry_out(asked, &path, &query),
            Some(AzureFault::Throttled(wait)) => {
                let told = Refusal::new(
                    429,
                    "SubscriptionRequestsThrottled",
                    "Number of requests for the subscription exceeded the limit. Please try again later.",
                );
                Ok(told
                    .reply()
                    .header("Retry-After", &wait.as_secs().to_string())
                    .header("retry-after-ms", &wait.as_millis().to_string()))
            }
            Some(AzureFault::Refused(status, code, message)) => {
                Err(Refusal::new(status, &code, message))
            }
            Some(AzureFault::LostAnswer) => {
                Ok(self.carry_out(asked, &path, &query)?.broken_after(1))
            }
            Some(AzureFault::Denied) => Err(path.denied(&asked.method)),
            Some(AzureFault::OperationFails(code, message)) => {
                self.next_failure = Some((code, message));
                self.carry_out(asked, &path, &query)
            }
        }
    }

    fn fault(&mut self, method: &str, path: &Path) -> Option<AzureFault> {
        let place = self
            .faults
            .iter()
            .position(|(wanted, part, _)| wanted == method && path.key.contains(part))?;
        Some(self.faults.remove(place).2)
    }

    /// What the metadata service of the cloud says.
    fn described(&self) -> Reply {
        let url = &self.url;
        answer(
            200,
            &json!({
                "name": "StandIn",
                "resourceManager": format!("{url}/"),
                "authentication": {"loginEndpoint": url, "audiences": [url], "tenant": "common"},
                "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net"},
            }),
        )
    }

    fn signed_in(&mut self, asked: &Asked, path: &str) -> Reply {
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        let form = Path::query(&body);
        let is = |name: &str, value: &str| form.get(name).is_some_and(|found| found == value);
        let scope = format!("{}/.default", self.url);
        let right = path.contains(AzureStandIn::TENANT)
            && asked.method == "POST"
            && is("grant_type", "client_credentials")
            && is("client_id", AzureStandIn::CLIENT)
            && is("scope", &scope);
        if !right || !is("client_secret", AzureStandIn::SECRET) {
            let told = json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."});
            return answer(401, &told);
        }
        self.count += 1;
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({"tid": AzureStandIn::TENANT, "oid": Path::PRINCIPAL, "appid": AzureStandIn::CLIENT, "jti": self.count});
        let token = format!(
            "{}.{}.c2lnbmVk",
            part(&json!({"alg": "RS256", "typ": "JWT"})),
            part(&claims)
        );
        self.tokens.insert(token.clone());
        answer(
            200,
            &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}),
        )
    }

    fn signed(&self, asked: &Asked) -> Result<(), Refusal> {
        let given = asked.headers.get("authorization");
        let Some(token) = given.and_then(|header| header.strip_prefix("Bearer ")) else {
            return Err(Refusal::new(
                401,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            ));
        };
        if self.takes_tokens && self.tokens.contains(token) {
            return Ok(());
        }
        Err(Refusal::new(
            401,
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than current UTC time.",
        ))
    }
}
