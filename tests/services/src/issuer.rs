//! A stand-in for GitHub Actions: an issuer with its keys, and the runner that a workflow asks for tokens.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Reply, Web};

/// The secret that a workflow shows its runner.
const SECRET: &str = "the-runner-knows-it";

/// An RSA key that tokens are signed by.
#[derive(Clone, Debug)]
pub struct TokenKey {
    /// The name by which tokens and sets refer to it.
    pub name: String,
    private: RsaPrivateKey,
}

impl TokenKey {
    /// The key of the issuer that stands in for the real one.
    pub fn of_issuer() -> io::Result<Self> {
        Self::read("key-1", include_str!("../keys/issuer.pem"))
    }

    /// Somebody else's key, under whichever name.
    pub fn of_stranger(name: &str) -> io::Result<Self> {
        Self::read(name, include_str!("../keys/stranger.pem"))
    }

    fn read(name: &str, text: &str) -> io::Result<Self> {
        let private = RsaPrivateKey::from_pkcs8_pem(text).map_err(told)?;
        Ok(Self {
            name: name.to_owned(),
            private,
        })
    }

    /// The public half, as one of a JSON Web Key Set.
    pub fn public(&self) -> Value {
        let encode = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.name,
            "n": encode(self.private.n()), "e": encode(self.private.e()),
        })
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> io::Result<String> {
        self.token_with(
            &json!({"typ": "JWT", "alg": "RS256", "kid": self.name}),
            claims,
        )
    }

    /// A token with these claims and this header, signed by RS256 whatever the header says.
    pub fn token_with(&self, header: &Value, claims: &Value) -> io::Result<String> {
        let text = signed_part(header, claims);
        let digest = Sha256::digest(&text);
        let signature = self
            .private
            .sign(Pkcs1v15Sign::new::<Sha256>(), &digest)
            .map_err(told)?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// An attack: a token by HS256, whose secret is the public key that everybody knows.
    pub fn confused_token(&self, claims: &Value) -> io::Result<String> {
        let public = self.private.to_public_key();
        let public = public.to_public_key_pem(LineEnding::LF).map_err(told)?;
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": self.name});
        let text = signed_part(&header, claims);
        let mut code = Hmac::<Sha256>::new_from_slice(public.as_bytes()).map_err(told)?;
        code.update(text.as_bytes());
        let code = code.finalize().into_bytes();
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(code)))
    }

    /// An attack: a token that says that nobody has signed it.
    pub fn unsigned_token(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "none", "kid": self.name});
        format!("{}.", signed_part(&header, claims))
    }
}

fn told(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

fn signed_part(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// What GitHub says of a push to main of `acme/shop`, whose workflow plans: from so many seconds since 1970 UTC on, for five
/// minutes.
pub fn workflow_claims(issuer: &str, audience: &str, commit: &str, now: i64) -> Value {
    json!({
        "iss": issuer, "aud": audience, "sub": "repo:acme/shop:ref:refs/heads/main",
        "iat": now, "nbf": now - 600, "exp": now + 300,
        "repository": "acme/shop", "repository_owner": "acme",
        "workflow": "plan", "workflow_ref": "acme/shop/.github/workflows/plan.yml@refs/heads/main",
        "ref": "refs/heads/main", "ref_type": "branch", "sha": commit,
        "actor": "ann-at-hub", "event_name": "push", "run_id": "99",
        "runner_environment": "github-hosted",
    })
}

/// What the stand-in says next.
#[derive(Clone, Debug)]
struct Saying {
    key: TokenKey,
    /// The claims; the audience is the one that is asked for, unless they have one.
    claims: Value,
}

/// The stand-in. It ends when it is dropped.
#[derive(Debug)]
pub struct WorkflowIssuer {
    web: Web,
    saying: Arc<Mutex<Saying>>,
}

impl WorkflowIssuer {
    /// Starts on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        let web = Web::start()?;
        let key = TokenKey::of_issuer()?;
        let saying = Arc::new(Mutex::new(Saying {
            key: key.clone(),
            claims: json!({}),
        }));
        let shared = Arc::clone(&saying);
        web.on_asked("/runner/token", move |asked| {
            let wanted = format!("Bearer {SECRET}");
            if asked.headers.get("authorization") != Some(&wanted) {
                return Reply::status(401);
            }
            let said = shared
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            match said.answer(&asked.path) {
                Ok(token) => Reply::json(&json!({"count": 1, "value": token}).to_string()),
                Err(_) => Reply::status(500),
            }
        });
        let issuer = Self { web, saying };
        issuer.web.on(
            "/.well-known/openid-configuration",
            Reply::json(
                &json!({
                    "issuer": issuer.name(),
                    "jwks_uri": issuer.web.url("/.well-known/jwks"),
                })
                .to_string(),
            ),
        );
        issuer.publish(&[&key]);
        Ok(issuer)
    }

    /// Its name, which is its address.
    pub fn name(&self) -> String {
        self.web.url("")
    }

    /// The server itself, to answer other things by, such as the API's.
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// What a workflow's environment says of the runner: where to ask for tokens, and the secret to show.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                self.web.url("/runner/token?api-version=2.0"),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRET.to_owned()),
        ]
    }

    /// Publishes these keys from now on.
    pub fn publish(&self, keys: &[&TokenKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        self.web.on(
            "/.well-known/jwks",
            Reply::json(&json!({ "keys": keys }).to_string()),
        );
    }

    /// Says this of workflows from now on. The audience is the one that is asked for, unless the claims have one.
    pub fn say(&self, claims: Value) {
        self.lock().claims = claims;
    }

    /// Signs by this key from now on.
    pub fn sign_by(&self, key: TokenKey) {
        self.lock().key = key;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Saying> {
        self.saying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Saying {
    fn answer(mut self, path: &str) -> io::Result<String> {
        let audience = path
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix("audience="))
            .unwrap_or_default()
            .replace("%3A", ":");
        if self.claims["aud"].as_str().unwrap_or_default().is_empty() {
            self.claims["aud"] = json!(audience);
        }
        self.key.token(&self.claims)
    }
}
