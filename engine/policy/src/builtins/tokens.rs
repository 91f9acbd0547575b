//! `io.jwt.*`: tokens read, verified and signed.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};
use regorus::Value;

use super::keys::{PublicKey, public_keys, sign};
use super::{Entry, Outcome, hex, member, number, text};
use crate::input::{from_rego, to_rego};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("io.jwt.decode", 1, decode),
    ("io.jwt.decode_verify", 2, decode_verify),
    ("io.jwt.encode_sign", 3, encode_sign),
    ("io.jwt.encode_sign_raw", 3, encode_sign_raw),
    ("io.jwt.verify_hs256", 2, |values| verify(values, "HS256")),
    ("io.jwt.verify_hs384", 2, |values| verify(values, "HS384")),
    ("io.jwt.verify_hs512", 2, |values| verify(values, "HS512")),
    ("io.jwt.verify_rs256", 2, |values| verify(values, "RS256")),
    ("io.jwt.verify_rs384", 2, |values| verify(values, "RS384")),
    ("io.jwt.verify_rs512", 2, |values| verify(values, "RS512")),
    ("io.jwt.verify_ps256", 2, |values| verify(values, "PS256")),
    ("io.jwt.verify_ps384", 2, |values| verify(values, "PS384")),
    ("io.jwt.verify_ps512", 2, |values| verify(values, "PS512")),
    ("io.jwt.verify_es256", 2, |values| verify(values, "ES256")),
    ("io.jwt.verify_es384", 2, |values| verify(values, "ES384")),
    ("io.jwt.verify_es512", 2, |values| verify(values, "ES512")),
    ("io.jwt.verify_eddsa", 2, |values| verify(values, "EdDSA")),
];

const ALGORITHMS: [&str; 13] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
    "ES384", "ES512", "EdDSA",
];

/// Sections of tokens, whose last character may have bits that say nothing.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// A token taken apart.
struct Token<'a> {
    header: Value,
    payload: Vec<u8>,
    signature: Vec<u8>,
    /// What the signature is over.
    signed: &'a str,
}

impl<'a> Token<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let sections: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = sections[..] else {
            return Err(match sections.len() {
                1 => "encoded JWT had no period separators".to_owned(),
                n_found => format!("encoded JWT must have 3 sections, found {n_found}"),
            });
        };
        let bytes = |section: &str, name: &str| {
            LENIENT
                .decode(section.trim_end_matches('='))
                .map_err(|error| format!("JWT {name} had invalid encoding: {error}"))
        };
        let header_bytes = bytes(header, "header")?;
        let token = Self {
            header: json(&header_bytes)?,
            payload: bytes(payload, "payload")?,
            signature: bytes(signature, "signature")?,
            signed: &text[..header.len() + 1 + payload.len()],
        };
        if token.header.as_object().is_err() {
            return Err("JWT header is no object".to_owned());
        }
        if member(&token.header, "enc").is_some() {
            return Err("JWT is a JWE object, which is not supported".to_owned());
        }
        Ok(token)
    }

    /// A token within this one, if the header says that the payload is one.
    fn nested(&self) -> Option<Result<String, String>> {
        let content = member(&self.header, "cty")?.as_string().ok()?;
        content.eq_ignore_ascii_case("JWT").then(|| {
            let text =
                String::from_utf8(self.payload.clone()).map_err(|error| error.to_string())?;
            match json(text.as_bytes()) {
                Ok(Value::String(inner)) => Ok(inner.to_string()),
                _ => Ok(text),
            }
        })
    }

    fn header_text(&self, name: &str) -> Option<&str> {
        Some(member(&self.header, name)?.as_string().ok()?)
    }
}

fn json(bytes: &[u8]) -> Outcome {
    serde_json::from_slice::<serde_json::Value>(bytes)
        .map(|value| to_rego(&value))
        .map_err(|error| format!("JSON that cannot be read: {error}"))
}

fn decode(values: &[Value]) -> Outcome {
    let mut text = text(values, 0)?.to_owned();
    loop {
        let token = Token::read(&text)?;
        let Some(inner) = token.nested() else {
            let payload = json(&token.payload)?;
            if payload.as_object().is_err() {
                return Err("JWT payload is no object".to_owned());
            }
            return Ok(vec![token.header, payload, hex(&token.signature).into()].into());
        };
        text = inner?;
    }
}

fn verify(values: &[Value], algorithm: &str) -> Outcome {
    let token = Token::read(text(values, 0)?)?;
    let key = text(values, 1)?;
    let keys = if algorithm.starts_with("HS") {
        vec![PublicKey::secret(key.as_bytes())]
    } else {
        public_keys(key)?
    };
    Ok(is_verified(&token, &keys, algorithm).into())
}

/// Whether a key fits; a key of the name that the token gives comes before all others.
fn is_verified(token: &Token<'_>, keys: &[PublicKey], algorithm: &str) -> bool {
    let verifies =
        |key: &&PublicKey| key.verifies(algorithm, token.signed.as_bytes(), &token.signature);
    let wanted = token.header_text("kid");
    let named: Vec<&PublicKey> = keys
        .iter()
        .filter(|key| wanted.is_some() && key.id.as_deref() == wanted)
        .collect();
    if named.is_empty() {
        keys.iter().any(|key| verifies(&key))
    } else {
        named.iter().any(verifies)
    }
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "what `time.now_ns` gives, which reads the machine's clock too"
)]
fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// What a token must meet.
struct Constraints {
    keys: Vec<PublicKey>,
    is_secret: bool,
    algorithm: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
    /// In seconds since 1970.
    time: f64,
}

impl Constraints {
    fn read(value: &Value) -> Result<Self, String> {
        let members = value
            .as_object()
            .map_err(|_| "operand 2 must be object".to_owned())?;
        for (name, _) in members.iter() {
            let name = name
                .as_string()
                .map_err(|_| "constraints are named by texts".to_owned())?;
            if !["cert", "secret", "alg", "iss", "aud", "time"].contains(&&**name) {
                return Err(format!("unknown token validation constraint: {name}"));
            }
        }
        let given = |name: &str| match member(value, name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(format!("{name} constraint must be a string")),
        };
        let (keys, is_secret) = match (given("cert")?, given("secret")?) {
            (Some(key), None) => (public_keys(&key)?, false),
            (None, Some(secret)) => (vec![PublicKey::secret(secret.as_bytes())], true),
            (Some(_), Some(_)) => return Err("duplicate key constraints".to_owned()),
            (None, None) => return Err("no key constraint".to_owned()),
        };
        let time = match member(value, "time") {
            None => now(),
            Some(time) => {
                let time = number(time).ok_or("time constraint must be a number")?;
                time / 1e9
            }
        };
        Ok(Self {
            keys,
            is_secret,
            algorithm: given("alg")?,
            issuer: given("iss")?,
            audience: given("aud")?,
            time,
        })
    }

    /// Whether what a payload claims is met.
    fn hold_for(&self, payload: &Value) -> Result<bool, String> {
        if let Some(issuer) = &self.issuer
            && member(payload, "iss") != Some(&issuer.as_str().into())
        {
            return Ok(false);
        }
        let is_audience = match (member(payload, "aud"), &self.audience) {
            (None, None) => true,
            (Some(Value::Array(audiences)), Some(wanted)) => audiences
                .iter()
                .any(|audience| *audience == Value::from(wanted.as_str())),
            (Some(audience), Some(wanted)) => *audience == Value::from(wanted.as_str()),
            _ => false,
        };
        if !is_audience {
            return Ok(false);
        }
        let seconds = |name: &str| match member(payload, name) {
            None => Ok(None),
            Some(value) => number(value)
                .map(Some)
                .ok_or_else(|| format!("{name} value must be a number")),
        };
        let (expires, begins) = (seconds("exp")?, seconds("nbf")?);
        Ok(expires.is_none_or(|expires| self.time < expires)
            && begins.is_none_or(|begins| self.time >= begins))
    }
}

fn decode_verify(values: &[Value]) -> Outcome {
    let refused = || {
        let empty = Value::new_object();
        Ok(vec![false.into(), empty.clone(), empty].into())
    };
    let mut text = text(values, 0)?.to_owned();
    let constraints = Constraints::read(values.get(1).unwrap_or(&Value::Undefined))?;
    loop {
        let token = Token::read(&text)?;
        let Some(algorithm) = token.header_text("alg") else {
            return refused();
        };
        let is_wanted = constraints
            .algorithm
            .as_deref()
            .is_none_or(|wanted| wanted == algorithm);
        if !is_wanted
            || member(&token.header, "crit").is_some()
            || constraints.is_secret != algorithm.starts_with("HS")
            || !is_verified(&token, &constraints.keys, algorithm)
        {
            return refused();
        }
        let Some(inner) = token.nested() else {
            let payload = json(&token.payload)?;
            if !constraints.hold_for(&payload)? {
                return refused();
            }
            return Ok(vec![true.into(), token.header, payload].into());
        };
        text = inner?;
    }
}

fn encode_sign(values: &[Value]) -> Outcome {
    let texts: Vec<Value> = values
        .iter()
        .map(|value| from_rego(value).map(|value| value.to_string().into()))
        .collect::<Result<_, _>>()?;
    encode_sign_raw(&texts)
}

fn encode_sign_raw(values: &[Value]) -> Outcome {
    let (header_text, payload, key) = (text(values, 0)?, text(values, 1)?, text(values, 2)?);
    let header: serde_json::Value = serde_json::from_str(header_text)
        .map_err(|error| format!("missing or invalid 'alg' header: {error}"))?;
    let algorithm = header
        .get("alg")
        .and_then(|algorithm| algorithm.as_str())
        .ok_or("missing or invalid 'alg' header")?;
    if !ALGORITHMS.contains(&algorithm) {
        return Err(format!("unknown JWS algorithm: {algorithm}"));
    }
    let is_token = header.get("typ").and_then(|kind| kind.as_str()) == Some("JWT");
    if is_token && serde_json::from_str::<serde_json::Value>(payload).is_err() {
        return Err("type is JWT but payload is not JSON".to_owned());
    }
    let key: serde_json::Value =
        serde_json::from_str(key).map_err(|error| format!("failed to parse JWK: {error}"))?;
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header_text),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = sign(algorithm, &key, signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}
