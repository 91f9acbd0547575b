//! Network mirrors: JSON documents beside archives.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_registry_client::{Answer, Host};
use url::Url;

use super::{Offer, Place, Sources};
use crate::hash::PackageHash;
use crate::installer::failure::Failure;
use crate::settings::Platform;
use crate::signature::Trust;

mod wire {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    #[derive(Deserialize, Serialize)]
    pub(super) struct Index {
        pub(super) versions: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    }

    #[derive(Deserialize, Serialize)]
    pub(super) struct Version {
        pub(super) archives: BTreeMap<String, Archive>,
    }

    #[derive(Deserialize, Serialize)]
    pub(super) struct Archive {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) hashes: Option<Vec<String>>,
        pub(super) url: String,
    }
}

/// What `index.json` of a mirror says: the versions of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MirrorIndex {
    /// The versions.
    pub versions: BTreeSet<Version>,
}

impl MirrorIndex {
    /// Reads a document. What is no version is left out.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let index: wire::Index = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let versions = index.versions.keys();
        Ok(Self {
            versions: versions.filter_map(|text| text.parse().ok()).collect(),
        })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let versions = self.versions.iter();
        let index = wire::Index {
            versions: versions
                .map(|version| (version.to_string(), serde_json::Map::new()))
                .collect(),
        };
        serde_json::to_vec_pretty(&index).unwrap_or_default()
    }
}

/// What `VERSION.json` of a mirror says: the packages of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MirrorVersion {
    /// Archives by platform.
    pub archives: BTreeMap<Platform, MirrorArchive>,
}

/// An archive of a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorArchive {
    /// Where it is, relative to the document.
    pub url: String,
    /// Its checksums, of any scheme; a mirror may state none.
    pub hashes: BTreeSet<PackageHash>,
}

impl MirrorVersion {
    /// Reads a document. What is no platform is left out.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let version: wire::Version =
            serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let mut archives = BTreeMap::new();
        for (platform, archive) in version.archives {
            let Ok(platform) = platform.parse() else {
                continue;
            };
            let mut hashes = BTreeSet::new();
            for hash in archive.hashes.unwrap_or_default() {
                if !hash.contains(':') {
                    return Err(format!(
                        "{hash:?} is no checksum: one begins with its scheme, such as \"h1:…\""
                    ));
                }
                hashes.insert(PackageHash(hash));
            }
            let archive = MirrorArchive {
                url: archive.url,
                hashes,
            };
            archives.insert(platform, archive);
        }
        Ok(Self { archives })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let archives = self.archives.iter();
        let version = wire::Version {
            archives: archives
                .map(|(platform, archive)| {
                    let hashes: Vec<String> =
                        archive.hashes.iter().map(ToString::to_string).collect();
                    let archive = wire::Archive {
                        hashes: Some(hashes).filter(|hashes| !hashes.is_empty()),
                        url: archive.url.clone(),
                    };
                    (platform.to_string(), archive)
                })
                .collect(),
        };
        serde_json::to_vec_pretty(&version).unwrap_or_default()
    }
}

impl Sources<'_> {
    pub(super) fn list_network(
        &self,
        provider: &ProviderAddr,
        mirror: &str,
    ) -> Result<BTreeSet<Version>, Failure> {
        let url = document(mirror, provider, "index")?;
        match self.ask(mirror, &url)? {
            None => Ok(BTreeSet::new()),
            Some(answer) => MirrorIndex::parse(&answer.body)
                .map(|index| index.versions)
                .map_err(|why| malformed(mirror, &answer.url, &why)),
        }
    }

    pub(super) fn offer_network(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        platform: &Platform,
        mirror: &str,
    ) -> Result<Option<Offer>, Failure> {
        let url = document(mirror, provider, &version.to_string())?;
        let Some(answer) = self.ask(mirror, &url)? else {
            return Ok(None);
        };
        let mut packages = MirrorVersion::parse(&answer.body)
            .map_err(|why| malformed(mirror, &answer.url, &why))?;
        let known: BTreeSet<PackageHash> = packages
            .archives
            .values()
            .flat_map(|archive| archive.hashes.iter().cloned())
            .collect();
        let Some(archive) = packages.archives.remove(platform) else {
            return Ok(None);
        };
        let base = Url::parse(&answer.url).unwrap_or(url);
        let place = base.join(&archive.url).map_err(|error| {
            let why = format!("{:?} is no address: {error}", archive.url);
            malformed(mirror, &answer.url, &why)
        })?;
        let authorization = self.mirror_authorization(mirror, &place)?;
        Ok(Some(Offer {
            trust: if archive.hashes.iter().any(PackageHash::is_checksum) {
                Trust::VerifiedChecksum
            } else {
                Trust::Unauthenticated
            },
            place: Place::Url {
                url: place.to_string(),
                authorization,
            },
            expected: archive.hashes,
            known,
        }))
    }

    fn ask(&self, mirror: &str, url: &Url) -> Result<Option<Answer>, Failure> {
        let authorization = self.mirror_authorization(mirror, url)?;
        let mut headers = vec![("accept", "application/json")];
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization));
        }
        let failed = |error: terrace_registry_client::ClientError| Failure::Mirror {
            mirror: mirror.to_owned(),
            why: error.to_string(),
        };
        let answer = self
            .settings
            .registries
            .http()
            .get_confirmed(url.as_str(), &headers)
            .map_err(failed)?;
        let answer = match answer.status {
            // A mirror need not have every provider.
            404 | 410 => return Ok(None),
            _ => answer.ok().map_err(failed)?,
        };
        let kind = answer.header("content-type").unwrap_or("");
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            let why = format!("it has the content type {kind:?} and not \"application/json\"");
            return Err(malformed(mirror, &answer.url, &why));
        }
        Ok(Some(answer))
    }

    /// The token for the mirror's host, for what lies there.
    fn mirror_authorization(&self, mirror: &str, url: &Url) -> Result<Option<String>, Failure> {
        let Ok(own) = Url::parse(mirror) else {
            return Ok(None);
        };
        if own.origin() != url.origin() {
            return Ok(None);
        }
        let authority = match (own.host_str(), own.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Ok(None),
        };
        let Ok(host) = Host::parse(&authority) else {
            return Ok(None);
        };
        self.settings
            .registries
            .authorization(&host)
            .map_err(|error| Failure::Mirror {
                mirror: mirror.to_owned(),
                why: error.to_string(),
            })
    }
}

/// The address of a document of a mirror.
fn document(mirror: &str, provider: &ProviderAddr, name: &str) -> Result<Url, Failure> {
    let base = if mirror.ends_with('/') {
        mirror.to_owned()
    } else {
        format!("{mirror}/")
    };
    let failed = |why: String| Failure::Mirror {
        mirror: mirror.to_owned(),
        why,
    };
    let base = Url::parse(&base).map_err(|error| failed(format!("it is no address: {error}")))?;
    let local = base
        .host_str()
        .is_some_and(|host| host == "localhost" || host.starts_with("127."));
    if base.scheme() != "https" && !(local && base.scheme() == "http") {
        return Err(failed(
            "the mirror must be at an https: URL, unless it is on this machine".to_owned(),
        ));
    }
    let path = format!(
        "{}/{}/{}/{name}.json",
        provider.host, provider.namespace, provider.name
    );
    base.join(&path).map_err(|error| failed(error.to_string()))
}

fn malformed(mirror: &str, url: &str, why: &str) -> Failure {
    Failure::Mirror {
        mirror: mirror.to_owned(),
        why: format!("{url:?} gave an answer that cannot be understood: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_as_they_are_written() {
        let index = MirrorIndex {
            versions: ["1.0.0", "2.0.0-beta1"]
                .map(|text| text.parse().unwrap())
                .into(),
        };
        assert_eq!(MirrorIndex::parse(&index.to_bytes()).unwrap(), index);
        let hash = PackageHash("h1:x".to_owned());
        let archive = MirrorArchive {
            url: "a.zip".to_owned(),
            hashes: [hash].into(),
        };
        let version = MirrorVersion {
            archives: [("linux_amd64".parse().unwrap(), archive)].into(),
        };
        assert_eq!(MirrorVersion::parse(&version.to_bytes()).unwrap(), version);
        assert!(
            MirrorVersion::parse(
                br#"{"archives":{"linux_amd64":{"url":"x","hashes":["nonsense"]}}}"#
            )
            .is_err()
        );
        assert!(MirrorIndex::parse(b"[]").is_err());
    }

    #[test]
    fn mirrors_are_asked_by_tls() {
        let null = ProviderAddr::default_for("null");
        let of = |mirror: &str| document(mirror, &null, "index").map(|url| url.to_string());
        assert_eq!(
            of("https://m.example/p").unwrap(),
            "https://m.example/p/registry.terraform.io/hashicorp/null/index.json"
        );
        assert!(of("http://localhost:80/").is_ok());
        assert!(of("http://m.example/").is_err());
        assert!(of("m.example").is_err());
    }
}
