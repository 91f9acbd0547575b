//! Packages of provider registries, with the signatures over their checksums.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_registry_client::{ClientError, ProviderListing};
use url::Url;

use super::{Offer, Place, Sources};
use crate::checksums::Checksums;
use crate::hash::PackageHash;
use crate::installer::failure::Failure;
use crate::settings::Platform;
use crate::signature;

/// The plugin protocols that Terrace speaks.
const PROTOCOLS: [&str; 2] = ["5", "6"];

impl Sources<'_> {
    /// What the provider's registry lists; `None` where it does not know the provider.
    pub(super) fn list_registry(
        &self,
        provider: &ProviderAddr,
    ) -> Result<Option<ProviderListing>, Failure> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = listed.get(provider) {
            return Ok(Some(known.clone()));
        }
        drop(listed);
        let found = self
            .registry
            .versions(&self.settings.in_registry(provider))
            .map_err(|error| self.failure(provider, error))?;
        if let Some(found) = &found {
            listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            listed.insert(provider.clone(), found.clone());
        }
        Ok(found)
    }

    pub(super) fn offer_registry(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        platform: &Platform,
    ) -> Result<Option<Offer>, Failure> {
        let failed = |error| self.failure(provider, error);
        let there = self.settings.in_registry(provider);
        let found = self
            .registry
            .download(&there, version, (&platform.os, &platform.arch))
            .map_err(failed)?;
        let Some(download) = found else {
            return Ok(None);
        };
        if !spoken(&download.protocols) {
            return Err(Failure::Protocols {
                version: version.clone(),
                newest: self.newest_spoken(provider)?,
            });
        }
        let sums = self.document(&there, &download.checksums, "list of checksums")?;
        let signed = self.document(&there, &download.signature, "signature")?;
        let trust =
            signature::verify(&sums, &signed, &download.keys).map_err(Failure::Signature)?;
        let sums = Checksums::parse(&sums);
        match sums.of(&download.file_name) {
            None => {
                return Err(Failure::Unlisted {
                    file: download.file_name,
                });
            }
            Some(sha256) if sha256 != download.sha256 => {
                return Err(Failure::Disagreement {
                    listed: sha256.to_owned(),
                    stated: download.sha256,
                });
            }
            Some(_) => {}
        }
        let authorization = self
            .registry
            .authorization(&there, &download.archive)
            .map_err(failed)?;
        Ok(Some(Offer {
            place: Place::Url {
                url: download.archive.to_string(),
                authorization,
            },
            expected: BTreeSet::from([PackageHash(format!("zh:{}", download.sha256))]),
            known: sums.all(),
            trust,
        }))
    }

    fn document(
        &self,
        provider: &ProviderAddr,
        url: &Url,
        what: &'static str,
    ) -> Result<Vec<u8>, Failure> {
        self.registry
            .document(provider, url)
            .map_err(|error| match error.status() {
                Some(404 | 410) => Failure::Unsigned {
                    what,
                    url: url.to_string(),
                },
                _ => Failure::Registry(error.to_string()),
            })
    }

    /// The newest version that speaks a protocol of ours.
    fn newest_spoken(&self, provider: &ProviderAddr) -> Result<Option<Version>, Failure> {
        let listing = self.list_registry(provider)?.unwrap_or_default();
        let fitting = listing
            .versions
            .into_iter()
            .filter(|listed| spoken(&listed.protocols) && !listed.version.is_prerelease());
        Ok(fitting.map(|listed| listed.version).max())
    }

    fn failure(&self, provider: &ProviderAddr, error: ClientError) -> Failure {
        let host = self.settings.registry_host(provider);
        match error {
            ClientError::NoService { .. } => Failure::NoRegistry { host },
            ClientError::Status {
                status: 401 | 403, ..
            } => {
                let known = terrace_registry_client::Host::parse(&host)
                    .and_then(|host| self.settings.registries.authorization(&host));
                Failure::Unauthorized {
                    host,
                    rejected: known.is_ok_and(|known| known.is_some()),
                }
            }
            ClientError::Unreachable { why, .. } => Failure::Unreachable { host, why },
            error => Failure::Registry(error.to_string()),
        }
    }
}

fn spoken(protocols: &[String]) -> bool {
    protocols.is_empty()
        || protocols.iter().any(|protocol| {
            let major = protocol.split('.').next().unwrap_or_default();
            PROTOCOLS.contains(&major)
        })
}
