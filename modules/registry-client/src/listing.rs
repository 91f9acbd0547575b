//! The versions of a module as registries list them, `NAMESPACE/NAME/SYSTEM/versions`.
//!
//! Registries that Terrace publishes to say more of a version than the protocol asks for: the digests of its archive, the
//! statement that was signed of it, whether it is deprecated. Versions that were taken back stand apart, in a list of
//! their own, so that tools which know nothing of it do not select them.

use terrace_addr::version::Version;

mod wire {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Versions {
        #[serde(default)]
        pub(super) modules: Vec<Module>,
    }

    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Module {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) source: Option<String>,
        #[serde(default)]
        pub(super) versions: Vec<Listed>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub(super) yanked: Vec<Listed>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Listed {
        pub(super) version: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) digest: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) hash: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) statement: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) signer: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) published: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) deprecation: Option<Deprecation>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) reason: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Deprecation {
        #[serde(default)]
        pub(super) reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) link: Option<String>,
    }
}

/// Why a version is not to be used any more, although it may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deprecation {
    /// In the author's words; may be empty.
    pub reason: String,
    /// Where more is said.
    pub link: Option<String>,
}

/// A version of a module. Of one from a registry that says no more than the protocol asks for, the version alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The version.
    pub version: Version,
    /// The SHA-256 of its archive, in hexadecimal.
    pub digest: Option<String>,
    /// The checksum of its files, `h1:…`.
    pub hash: Option<String>,
    /// The SHA-256 of the envelope of its statement, in hexadecimal.
    pub statement: Option<String>,
    /// The fingerprint of the key that signed it.
    pub signer: Option<String>,
    /// When it was published, as RFC 3339 has it.
    pub published: Option<String>,
    /// Whether it is deprecated, and why.
    pub deprecation: Option<Deprecation>,
}

impl Listed {
    /// A version of which nothing else is known.
    pub const fn only(version: Version) -> Self {
        Self {
            version,
            digest: None,
            hash: None,
            statement: None,
            signer: None,
            published: None,
            deprecation: None,
        }
    }
}

/// A version that was taken back: who has it locked still gets it, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yanked {
    /// What it was.
    pub listed: Listed,
    /// Why it was taken back, in the author's words; may be empty.
    pub reason: String,
}

/// What a registry says of a module's versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What may be selected.
    pub versions: Vec<Listed>,
    /// What was taken back.
    pub yanked: Vec<Yanked>,
}

impl Listing {
    /// Reads a registry's answer. Versions that are none are left out.
    ///
    /// # Errors
    /// Why it is no such answer.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let document: wire::Versions = serde_json::from_slice(bytes)?;
        let Some(module) = document.modules.into_iter().next() else {
            return Ok(Self::default());
        };
        let yanked = module.yanked.into_iter().filter_map(|mut listed| {
            let reason = listed.reason.take().unwrap_or_default();
            let listed = read(listed)?;
            Some(Yanked { listed, reason })
        });
        Ok(Self {
            yanked: yanked.collect(),
            versions: module.versions.into_iter().filter_map(read).collect(),
        })
    }

    /// The answer about the module `source`, `NAMESPACE/NAME/SYSTEM`: newest versions first.
    pub fn to_json(&self, source: &str) -> Vec<u8> {
        let mut versions: Vec<&Listed> = self.versions.iter().collect();
        versions.sort_by(|a, b| b.version.cmp(&a.version));
        let mut yanked: Vec<&Yanked> = self.yanked.iter().collect();
        yanked.sort_by(|a, b| b.listed.version.cmp(&a.listed.version));
        let module = wire::Module {
            source: Some(source.to_owned()),
            versions: versions
                .into_iter()
                .map(|listed| written(listed, None))
                .collect(),
            yanked: yanked
                .into_iter()
                .map(|yanked| written(&yanked.listed, Some(&yanked.reason)))
                .collect(),
        };
        let document = wire::Versions {
            modules: vec![module],
        };
        serde_json::to_vec_pretty(&document).expect("a listing has string keys only")
    }

    /// What is said of a version, whether or not it was taken back.
    pub fn find(&self, version: &Version) -> Option<&Listed> {
        let yanked = self.yanked.iter().map(|yanked| &yanked.listed);
        self.versions
            .iter()
            .chain(yanked)
            .find(|listed| listed.version == *version)
    }

    /// Why a version was taken back, if it was.
    pub fn yanked(&self, version: &Version) -> Option<&Yanked> {
        self.yanked
            .iter()
            .find(|yanked| yanked.listed.version == *version)
    }
}

fn read(listed: wire::Listed) -> Option<Listed> {
    Some(Listed {
        version: listed.version.parse().ok()?,
        digest: listed.digest,
        hash: listed.hash,
        statement: listed.statement,
        signer: listed.signer,
        published: listed.published,
        deprecation: listed.deprecation.map(|said| Deprecation {
            reason: said.reason,
            link: said.link,
        }),
    })
}

fn written(listed: &Listed, reason: Option<&str>) -> wire::Listed {
    wire::Listed {
        version: listed.version.to_string(),
        digest: listed.digest.clone(),
        hash: listed.hash.clone(),
        statement: listed.statement.clone(),
        signer: listed.signer.clone(),
        published: listed.published.clone(),
        deprecation: listed.deprecation.as_ref().map(|said| wire::Deprecation {
            reason: said.reason.clone(),
            link: said.link.clone(),
        }),
        reason: reason.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_listing_is_read_as_it_was_written() {
        let full = Listed {
            digest: Some("ab".to_owned()),
            hash: Some("h1:x=".to_owned()),
            statement: Some("cd".to_owned()),
            signer: Some("SHA256:y".to_owned()),
            published: Some("2026-01-01T00:00:00Z".to_owned()),
            deprecation: Some(Deprecation {
                reason: "use 2.0".to_owned(),
                link: Some("https://example.com".to_owned()),
            }),
            version: version("1.10.0"),
        };
        let listing = Listing {
            versions: vec![full, Listed::only(version("1.9.0"))],
            yanked: vec![Yanked {
                listed: Listed::only(version("1.9.1")),
                reason: "it deletes too much".to_owned(),
            }],
        };
        let text = listing.to_json("a/b/c");
        assert_eq!(Listing::parse(&text).unwrap(), listing);
        assert!(listing.find(&version("1.9.1")).is_some());
        assert!(listing.yanked(&version("1.9.0")).is_none());
    }

    #[test]
    fn what_the_protocol_asks_for_is_enough() {
        let text = br#"{"modules":[{"versions":[{"version":"1.0.0"},{"version":"one"},{"version":"1.1.0","root":{}}]}]}"#;
        let listing = Listing::parse(text).unwrap();
        let versions: Vec<Version> = listing
            .versions
            .into_iter()
            .map(|listed| listed.version)
            .collect();
        assert_eq!(versions, [version("1.0.0"), version("1.1.0")]);
        assert_eq!(Listing::parse(b"{}").unwrap(), Listing::default());
        assert!(Listing::parse(b"1").is_err());
    }
}
