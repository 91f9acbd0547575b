//! `azure_vault`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};
use terrace_backend_remote::{Argument, Reader, Surroundings};
use terrace_bearer::azure::{Identity, Tokens, arguments};
use terrace_encryption::{Generated, KeySource, Secret};
use terrace_value::Value;

use crate::given::{all, conform, key_length, told};
use crate::service::{Refusal, bytes_in, client, post, random_key};

/// The version of the protocol.
const VERSION: &str = "7.4";
/// Members of what is kept beside the data, and those of the service that they come from.
const KEPT: [(&str, &str); 4] = [
    ("ciphertext", "value"),
    ("iv", "iv"),
    ("authentication_tag", "tag"),
    ("additional_authenticated_data", "aad"),
];

const OWN: &[Argument] = &[
    Argument::text("vault_uri", "URL of the vault.").required(),
    Argument::text("vault_key_name", "The key in the vault.").required(),
    Argument::number("key_length", "How many bytes a key has.").required(),
    Argument::flag("symmetric", "Whether the vault's key is symmetric."),
    Argument::number(
        "symmetric_key_size",
        "How many bits the vault's symmetric key has: 128, 192 or 256.",
    ),
];

struct VaultKeys {
    web: reqwest::Client,
    tokens: Tokens,
    /// Without a slash at the end.
    vault: String,
    key: String,
    length: usize,
    algorithm: &'static str,
}

pub(crate) fn open(
    given: &BTreeMap<String, Value>,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn KeySource>, String> {
    let given = conform(&all(OWN, arguments()), given, surroundings)?;
    let keys = client(surroundings.user_agent).and_then(|web| {
        Reader::read(&given, surroundings, |reader| {
            let identity = Identity::read(reader);
            let vault = vault(reader);
            let key = key_name(reader);
            let length = key_length(reader);
            let algorithm = algorithm(reader);
            let (identity, vault) = (identity?, vault?);
            let resource = resource(&vault, &identity.cloud.vault_suffix);
            Some(VaultKeys {
                tokens: Tokens::new(&web, &identity, &resource, surroundings.clock.clone()),
                web,
                vault: vault.as_str().trim_end_matches('/').to_owned(),
                key: key?,
                length: length?,
                algorithm: algorithm?,
            })
        })
    });
    Ok(Arc::new(keys.map_err(|problems| told(&problems))?))
}

fn vault(reader: &mut Reader<'_>) -> Option<url::Url> {
    let text = reader.required("vault_uri")?;
    let parsed = url::Url::parse(&text).ok();
    let parsed = parsed.filter(|url| matches!(url.scheme(), "https" | "http"));
    let Some(url) = parsed else {
        reader.refuse(
            "vault_uri",
            "Invalid Value",
            format!("{text:?} is no URL of a vault. Write one like https://NAME.vault.azure.net."),
        );
        return None;
    };
    let name = url.host_str().unwrap_or_default().split('.').next();
    let name = name.unwrap_or_default();
    let is_right = (3..=24).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.contains("--");
    if !is_right {
        reader.refuse(
            "vault_uri",
            "Invalid Value",
            format!("{name:?} is no name of a vault: it has 3 to 24 letters, digits and hyphens, begins with a letter, does not end with a hyphen, and has no two hyphens in a row."),
        );
    }
    Some(url)
}

fn key_name(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.required("vault_key_name")?;
    let is_right = name.len() <= 127 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_right {
        reader.refuse(
            "vault_key_name",
            "Invalid Value",
            format!("{name:?} is no name of a key: it has 1 to 127 letters, digits and hyphens."),
        );
    }
    Some(name)
}

/// How the vault encrypts keys.
fn algorithm(reader: &mut Reader<'_>) -> Option<&'static str> {
    if !reader.arguments.flag("symmetric") {
        return Some("RSA-OAEP-256");
    }
    match reader.arguments.number("symmetric_key_size") {
        Some(128) => Some("A128GCM"),
        Some(192) => Some("A192GCM"),
        Some(256) => Some("A256GCM"),
        _ => {
            reader.refuse(
                "symmetric_key_size",
                "Invalid Value",
                "when symmetric is set to true, symmetric_key_size must be given a value of 128, 192, or 256",
            );
            None
        }
    }
}

/// What tokens must be for: the service whose vault it is, or the cloud's where that cannot be told.
fn resource(vault: &url::Url, usual: &str) -> String {
    const SERVICES: [&str; 6] = [
        "vault.azure.net",
        "vault.azure.cn",
        "vault.usgovcloudapi.net",
        "managedhsm.azure.net",
        "managedhsm.azure.cn",
        "managedhsm.usgovcloudapi.net",
    ];
    let host = vault.host_str().unwrap_or_default();
    let found = SERVICES
        .iter()
        .find(|service| host.ends_with(&format!(".{service}")));
    format!("https://{}", found.copied().unwrap_or(usual))
}

impl VaultKeys {
    async fn ask(&self, version: &str, what: &str, body: &Json) -> Result<Json, String> {
        let token = self.tokens.sign_in("").await;
        let token = token.map_err(|problem| format!("{}: {}", problem.summary, problem.detail))?;
        let version = if version.is_empty() {
            String::new()
        } else {
            format!("/{version}")
        };
        let url = format!(
            "{}/keys/{}{version}/{what}?api-version={VERSION}",
            self.vault, self.key
        );
        post(&self.web, &url, &token, body)
            .await
            .map_err(|refusal| self.told(what, &refusal))
    }

    /// What to tell of a request that was refused.
    fn told(&self, what: &str, refusal: &Refusal) -> String {
        let (key, vault) = (&self.key, &self.vault);
        let advice = match (refusal.status, refusal.code.as_str()) {
            (401, _) => "Azure does not accept the credentials. Sign in again".to_owned(),
            (403, "KeyDisabled") => {
                format!("the key {key} of {vault} cannot be used as it is. Enable it")
            }
            (403, _) => format!(
                "access to the key {key} of {vault} was refused. Whoever signs in needs the permission keys/{what} (Microsoft.KeyVault/vaults/keys/{what}/action, as the role \"Key Vault Crypto User\" has it)"
            ),
            (404, _) => format!(
                "there is no key {key} in {vault}, or not that version of it. Check \"vault_uri\" and \"vault_key_name\""
            ),
            (400, _) if what == "decrypt" => format!(
                "the key {key} of {vault} did not encrypt the data's key. Check \"vault_key_name\", or name the former key in a \"fallback\""
            ),
            (400, _) => format!(
                "the key {key} of {vault} could not {what} by {}. Check \"symmetric\", \"symmetric_key_size\" and \"key_length\"",
                self.algorithm
            ),
            _ => format!("the key {key} of {vault} could not {what}"),
        };
        format!("{advice} ({}).", refusal.said())
    }
}

/// A member of an answer that is bytes, where there is one.
fn bytes_of(answer: &Json, name: &str) -> Option<Vec<u8>> {
    let text = answer.get(name)?.as_str()?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[async_trait]
impl KeySource for VaultKeys {
    async fn generate(&self) -> Result<Generated, String> {
        let key = random_key(self.length)?;
        let body = json!({"alg": self.algorithm, "value": URL_SAFE_NO_PAD.encode(key.bytes())});
        // Without a version it is the current one.
        let answer = self.ask("", "encrypt", &body).await?;
        let mut kept = json!({});
        for (name, theirs) in KEPT {
            kept[name] =
                bytes_of(&answer, theirs).map_or(Json::Null, |bytes| STANDARD.encode(bytes).into());
        }
        let version = answer.get("kid").and_then(Json::as_str);
        let version = version.and_then(|id| id.rsplit('/').next());
        if kept["ciphertext"].is_null() || version.is_none() {
            return Err(format!("{} answered without an encrypted key.", self.vault));
        }
        kept["key_version"] = version.into();
        kept["algo"] = self.algorithm.into();
        Ok(Generated {
            key,
            metadata: kept.to_string().into_bytes(),
        })
    }

    async fn recover(&self, metadata: &[u8]) -> Result<Secret, String> {
        // That there is something to decrypt.
        bytes_in(metadata, KEPT[0].0)?;
        let kept: Json = serde_json::from_slice(metadata).unwrap_or_default();
        let text = |name: &str| kept.get(name).and_then(Json::as_str);
        let algorithm = text("algo").filter(|name| !name.is_empty());
        let mut body = json!({"alg": algorithm.unwrap_or(self.algorithm)});
        for (name, theirs) in KEPT {
            let bytes = text(name).and_then(|text| STANDARD.decode(text).ok());
            if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
                body[theirs] = URL_SAFE_NO_PAD.encode(bytes).into();
            }
        }
        let version = text("key_version").unwrap_or_default();
        let answer = self.ask(version, "decrypt", &body).await?;
        let plain = bytes_of(&answer, "value");
        plain
            .map(Secret::new)
            .ok_or_else(|| format!("{} answered without a key.", self.vault))
    }
}
