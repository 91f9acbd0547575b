//! The protocol of provider registries, `providers.v1`.

use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use url::Url;

use crate::{ClientError, Discovery, Host, Http};

mod wire {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Versions {
        #[serde(default)]
        pub(super) versions: Option<Vec<Listed>>,
        #[serde(default)]
        pub(super) warnings: Option<Vec<String>>,
    }

    #[derive(Deserialize)]
    pub(super) struct Listed {
        pub(super) version: String,
        #[serde(default)]
        pub(super) protocols: Option<Vec<String>>,
    }

    #[derive(Deserialize)]
    pub(super) struct Download {
        #[serde(default)]
        pub(super) protocols: Option<Vec<String>>,
        pub(super) os: String,
        pub(super) arch: String,
        pub(super) filename: String,
        #[serde(rename = "download_url")]
        pub(super) archive_url: String,
        pub(super) shasum: String,
        #[serde(default)]
        pub(super) shasums_url: String,
        #[serde(default)]
        pub(super) shasums_signature_url: String,
        #[serde(default)]
        pub(super) signing_keys: SigningKeys,
    }

    #[derive(Default, Deserialize)]
    pub(super) struct SigningKeys {
        #[serde(default)]
        pub(super) gpg_public_keys: Option<Vec<Key>>,
    }

    #[derive(Deserialize)]
    pub(super) struct Key {
        pub(super) ascii_armor: String,
        #[serde(default)]
        pub(super) trust_signature: Option<String>,
    }
}

/// A version that a registry lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The version.
    pub version: Version,
    /// Versions of the plugin protocol that its package speaks, such as `5.0`; none where the registry does not say.
    pub protocols: Vec<String>,
}

/// What a registry lists of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderListing {
    /// The versions, those that are no versions left out.
    pub versions: Vec<ListedVersion>,
    /// What the registry wants people to know of the provider.
    pub warnings: Vec<String>,
}

/// Where a version's package for one platform is, and what vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderDownload {
    /// Versions of the plugin protocol that the package speaks; none where the registry does not say.
    pub protocols: Vec<String>,
    /// The archive's name, which is also its name in the list of checksums.
    pub file_name: String,
    /// Where the archive is.
    pub archive: Url,
    /// The archive's SHA-256 in hexadecimal, in lower case.
    pub sha256: String,
    /// Where the list of checksums is.
    pub checksums: Url,
    /// Where the signature of that list is.
    pub signature: Url,
    /// Keys, one of which has made the signature.
    pub keys: Vec<SigningKey>,
}

/// An `OpenPGP` key of a provider's publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The key in armour.
    pub armor: String,
    /// Whoever knows the publisher has signed the key with this, in armour; empty where nobody has.
    pub trust_signature: String,
}

/// Reads the list of versions.
pub fn parse_listing(body: &[u8]) -> Result<ProviderListing, String> {
    let listed: wire::Versions = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let versions = listed.versions.unwrap_or_default().into_iter();
    Ok(ProviderListing {
        versions: versions
            .filter_map(|listed| {
                Some(ListedVersion {
                    version: listed.version.parse().ok()?,
                    protocols: listed.protocols.unwrap_or_default(),
                })
            })
            .collect(),
        warnings: listed.warnings.unwrap_or_default(),
    })
}

/// Reads the description of a package for `platform` (system and processor) that was had from `base`.
pub fn parse_download(
    body: &[u8],
    base: &Url,
    platform: (&str, &str),
) -> Result<ProviderDownload, String> {
    let described: wire::Download =
        serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if (described.os.as_str(), described.arch.as_str()) != platform {
        return Err(format!(
            "it describes a package for {:?} where one for {:?} was asked for",
            format!("{}_{}", described.os, described.arch),
            format!("{}_{}", platform.0, platform.1)
        ));
    }
    let is_name = |name: &str| {
        !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != ".."
    };
    if !is_name(&described.filename) {
        return Err(format!("{:?} is no name of a file", described.filename));
    }
    let sha256 = described.shasum.to_ascii_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!(
            "{:?} is no SHA-256 checksum in hexadecimal",
            described.shasum
        ));
    }
    let join = |what: &str, text: &str| {
        if text.is_empty() {
            return Err(format!("it has no {what}"));
        }
        match base.join(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
            Ok(_) => Err(format!("its {what} {text:?} is no address of the web")),
            Err(error) => Err(format!("its {what} {text:?} is no address: {error}")),
        }
    };
    let keys = described.signing_keys.gpg_public_keys.unwrap_or_default();
    Ok(ProviderDownload {
        protocols: described.protocols.unwrap_or_default(),
        archive: join("download_url", &described.archive_url)?,
        checksums: join("shasums_url", &described.shasums_url)?,
        signature: join("shasums_signature_url", &described.shasums_signature_url)?,
        file_name: described.filename,
        sha256,
        keys: keys
            .into_iter()
            .map(|key| SigningKey {
                armor: key.ascii_armor,
                trust_signature: key.trust_signature.unwrap_or_default(),
            })
            .collect(),
    })
}

/// Asks provider registries.
#[derive(Clone, Debug)]
pub struct ProviderRegistry {
    discovery: Arc<Discovery>,
}

impl ProviderRegistry {
    /// With what finds registries.
    pub fn new(discovery: Arc<Discovery>) -> Self {
        Self { discovery }
    }

    /// What finds registries.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// The versions of a provider; `None` where the registry does not know it.
    pub fn versions(
        &self,
        provider: &ProviderAddr,
    ) -> Result<Option<ProviderListing>, ClientError> {
        let url = self.address(provider, "versions")?;
        let host = Host::parse(&provider.host)?;
        let Some(answer) = self.discovery.get(&host, &url, Http::get_confirmed)? else {
            return Ok(None);
        };
        parse_listing(&answer.body)
            .map(Some)
            .map_err(|why| malformed(&answer.url, why))
    }

    /// Where a version's package for a platform (system and processor) is; `None` where there is none.
    pub fn download(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        (os, arch): (&str, &str),
    ) -> Result<Option<ProviderDownload>, ClientError> {
        let url = self.address(provider, &format!("{version}/download/{os}/{arch}"))?;
        let host = Host::parse(&provider.host)?;
        let Some(answer) = self.discovery.get(&host, &url, Http::get)? else {
            return Ok(None);
        };
        let base = Url::parse(&answer.url).unwrap_or(url);
        parse_download(&answer.body, &base, (os, arch))
            .map(Some)
            .map_err(|why| malformed(&answer.url, why))
    }

    /// Gets a document that a description names.
    pub fn document(&self, provider: &ProviderAddr, url: &Url) -> Result<Vec<u8>, ClientError> {
        let authorization = self.authorization(provider, url)?;
        let headers: Vec<(&str, &str)> = authorization
            .iter()
            .map(|authorization| ("authorization", authorization.as_str()))
            .collect();
        let answer = self.discovery.http().get(url.as_str(), &headers)?;
        Ok(answer.ok()?.body)
    }

    /// The header that a file wants to see: the registry's own, where the file lies with the registry.
    pub fn authorization(
        &self,
        provider: &ProviderAddr,
        url: &Url,
    ) -> Result<Option<String>, ClientError> {
        let host = Host::parse(&provider.host)?;
        let service = self.service(&host)?;
        if service.origin() != url.origin() {
            return Ok(None);
        }
        self.discovery.authorization(&host)
    }

    fn service(&self, host: &Host) -> Result<Url, ClientError> {
        self.discovery
            .service(host, "providers.v1", "a provider registry")
    }

    fn address(&self, provider: &ProviderAddr, rest: &str) -> Result<Url, ClientError> {
        let base = self.service(&Host::parse(&provider.host)?)?;
        let text = format!("{}/{}/{rest}", provider.namespace, provider.name);
        base.join(&text)
            .map_err(|error| malformed(base.as_str(), error.to_string()))
    }
}

fn malformed(url: &str, why: String) -> ClientError {
    ClientError::Malformed {
        url: url.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(change: &str, to: &str) -> Result<ProviderDownload, String> {
        let text = r#"{"protocols":["5.0"],"os":"linux","arch":"amd64","filename":"p.zip","download_url":"/p.zip","shasum":"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD","shasums_url":"sums","shasums_signature_url":"http://b.example/sums.sig","signing_keys":{"gpg_public_keys":[{"key_id":"A","ascii_armor":"armor"}]}}"#;
        assert!(change.is_empty() || text.contains(change), "{change}");
        let text = if change.is_empty() {
            text.to_owned()
        } else {
            text.replace(change, to)
        };
        let base = Url::parse("https://a.example/v1/x/y").unwrap();
        parse_download(text.as_bytes(), &base, ("linux", "amd64"))
    }

    #[test]
    fn a_description_is_read() {
        let found = described("", "").unwrap();
        assert_eq!(found.archive.as_str(), "https://a.example/p.zip");
        assert_eq!(found.checksums.as_str(), "https://a.example/v1/x/sums");
        assert_eq!(found.signature.as_str(), "http://b.example/sums.sig");
        assert!(found.sha256.starts_with("ba7816bf"));
        assert_eq!(found.keys[0].armor, "armor");
    }

    #[test]
    fn nonsense_is_refused_with_the_reason() {
        for (change, to, why) in [
            ("linux", "darwin", "one for \"linux_amd64\" was asked for"),
            (
                "\"p.zip\"",
                "\"../p.zip\"",
                "\"../p.zip\" is no name of a file",
            ),
            ("BA78", "XY", "is no SHA-256 checksum"),
            ("\"/p.zip\"", "\"\"", "it has no download_url"),
            (
                "\"/p.zip\"",
                "\"file:///etc/passwd\"",
                "is no address of the web",
            ),
            ("\"sums\"", "\"\"", "it has no shasums_url"),
            ("{", "[", "expected"),
        ] {
            let error = described(change, to).unwrap_err();
            assert!(error.contains(why), "{change}: {error}");
        }
    }

    #[test]
    fn a_listing_leaves_out_what_is_no_version() {
        let listing = parse_listing(
            br#"{"versions":[{"version":"1.0.0","protocols":["5.0"]},{"version":"latest"}],"warnings":["old"]}"#,
        )
        .unwrap();
        assert_eq!(listing.versions.len(), 1);
        assert_eq!(listing.warnings, ["old"]);
        assert_eq!(parse_listing(b"{}").unwrap(), ProviderListing::default());
        assert!(parse_listing(b"<html>").is_err());
    }
}
