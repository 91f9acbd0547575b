//! Keys of vaults, as customers give them to encrypt their storage with.

use terrace_provider_sdk::validate;

/// A key in a vault, and its version where one is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyId {
    /// The vault's address, with a slash at the end.
    pub(super) vault: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

impl KeyId {
    /// Reads `https://VAULT/keys/NAME`, with or without a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let host = url.host_str().filter(|_| url.scheme() == "https")?;
        let parts: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        let (name, version) = match parts.as_slice() {
            ["keys", name] => (*name, None),
            ["keys", name, version] => (*name, Some((*version).to_owned())),
            _ => return None,
        };
        Some(Self {
            vault: format!("https://{host}/"),
            name: name.to_owned(),
            version,
        })
        .filter(|key| !key.name.is_empty())
    }

    /// The id.
    pub(super) fn text(&self) -> String {
        let version = self.version.as_deref().unwrap_or_default();
        let slash = if version.is_empty() { "" } else { "/" };
        format!(
            "{}/keys/{}{slash}{version}",
            self.vault.trim_end_matches('/'),
            self.name
        )
    }
}

/// Refuses what is no id of a key.
pub(super) fn validator() -> validate::Validator {
    validate::custom(|checked, diagnostics| {
        let wrong = |text: &&str| KeyId::parse(text).is_none();
        if let Some(text) = checked.value.as_str().filter(wrong) {
            diagnostics.error_at(
                checked.path.clone(),
                "Invalid id of a key",
                format!("{text:?} is no id of a key in a vault. It looks like https://VAULT.vault.azure.net/keys/NAME, with /VERSION behind it if a version is meant."),
            );
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_with_and_without_a_version() {
        for text in [
            "https://v.vault.azure.net/keys/k",
            "https://v.vault.azure.net/keys/k/0123",
        ] {
            assert_eq!(KeyId::parse(text).unwrap().text(), text);
        }
        for wrong in [
            "k",
            "http://v.vault.azure.net/keys/k",
            "https://v.vault.azure.net/secrets/k",
            "https://v.vault.azure.net/keys/",
        ] {
            assert_eq!(KeyId::parse(wrong), None, "{wrong}");
        }
    }
}
