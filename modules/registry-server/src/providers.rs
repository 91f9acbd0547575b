//! What is answered of providers.
//!
//! Files of a release are uploaded first, each under its digest, so that nothing is ever written over; then one document
//! says which files make the release, and the list of versions, which is written in one step, takes it up.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{Object, Put, When, Write};
use terrace_module_package::ProviderAddress;

use crate::modules::read_version;
use crate::registry::{Admission, Registry, read_json};
use crate::request::Reply;
use crate::tokens::hex;
use crate::{RegistryError, wire};

/// Where providers are.
const PROVIDERS: &str = "v1/providers/";
/// How often a list of versions is written anew because someone else was faster.
const MOST_ATTEMPTS: usize = 100;

impl Registry {
    pub(crate) async fn provider_versions(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let provider = provider_of(admission)?;
        let (file, _) = self.releases(&provider).await?;
        if file.versions.is_empty() {
            return Err(RegistryError::Missing(format!(
                "There is no provider {provider}."
            )));
        }
        let versions: Vec<_> = file
            .versions
            .iter()
            .map(|release| {
                json!({
                    "version": release.version,
                    "protocols": release.protocols,
                    "platforms": release.platforms,
                })
            })
            .collect();
        Ok(
            Reply::json(&json!({"id": provider.to_string(), "versions": versions}))
                .header("cache-control", "no-cache"),
        )
    }

    pub(crate) async fn provider_download(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let provider = provider_of(admission)?;
        let release = self.release(&provider, admission.part("version")).await?;
        let platform = wire::Platform {
            os: admission.part("os").to_owned(),
            arch: admission.part("arch").to_owned(),
        };
        let version = &release.version;
        let stem = stem(&provider, version);
        let archive = format!("{stem}_{}_{}.zip", platform.os, platform.arch);
        let digest = release
            .files
            .get(&archive)
            .filter(|_| release.platforms.contains(&platform))
            .ok_or_else(|| {
                RegistryError::Missing(format!(
                    "There is no package of {provider} {version} for {} on {}.",
                    platform.os, platform.arch
                ))
            })?;
        let sums = format!("{stem}_SHA256SUMS");
        let address = |name: &str| {
            let path = format!("/v1/providers/{provider}/{version}/files/{name}");
            if self.public {
                return format!("../../files/{name}");
            }
            format!(
                "../../files/{name}?{}",
                self.tickets.issue(&path, self.now())
            )
        };
        Ok(Reply::json(&json!({
            "protocols": release.protocols,
            "os": platform.os,
            "arch": platform.arch,
            "filename": archive,
            "download_url": address(&archive),
            "shasums_url": address(&sums),
            "shasums_signature_url": address(&format!("{sums}.sig")),
            "shasum": digest,
            "signing_keys": {"gpg_public_keys": release.keys},
        }))
        .header("cache-control", "no-store"))
    }

    pub(crate) async fn provider_file(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let provider = provider_of(admission)?;
        let release = self.release(&provider, admission.part("version")).await?;
        let name = admission.part("file");
        let missing =
            || RegistryError::Missing(format!("There is no file {name:?} of this release."));
        let digest = release.files.get(name).ok_or_else(missing)?;
        let object = self.content.get(&blob(digest)).await?.ok_or_else(missing)?;
        Ok(Reply::of("application/octet-stream", object.bytes)
            .header("cache-control", "private, max-age=31536000, immutable"))
    }

    pub(crate) async fn upload_provider_file(
        &self,
        admission: &Admission,
        body: &[u8],
    ) -> Result<Reply, RegistryError> {
        let provider = provider_of(admission)?;
        let version = read_version(admission.part("version"))?;
        let name = admission.part("file");
        if !name.starts_with(&stem(&provider, &version.to_string())) {
            return Err(RegistryError::Refused(format!(
                "The files of this release begin with {}.",
                stem(&provider, &version.to_string())
            )));
        }
        let digest = hex(&Sha256::digest(body));
        // The name is the content's digest: what is there already is the same.
        self.content
            .put(&blob(&digest), body, Write::when(When::Absent))
            .await?;
        Ok(Reply::json(&json!({"sha256": digest})).status(201))
    }

    pub(crate) async fn publish_provider(
        &self,
        admission: &Admission,
        body: &[u8],
    ) -> Result<Reply, RegistryError> {
        let provider = provider_of(admission)?;
        let version = read_version(admission.part("version"))?.to_string();
        let asked: wire::PublishProvider = read_json(body)?;
        let platforms = self.complete(&provider, &version, &asked).await?;
        let release = wire::Release {
            version,
            protocols: asked.protocols,
            platforms,
            files: asked.files,
            keys: asked.keys,
            published_at: self.now(),
            published_by: admission.who(),
        };
        self.take_up(&provider, release).await?;
        Ok(Reply::empty().status(201))
    }

    /// Refuses a release that is not whole, and gives the platforms of one that is.
    async fn complete(
        &self,
        provider: &ProviderAddress,
        version: &str,
        asked: &wire::PublishProvider,
    ) -> Result<Vec<wire::Platform>, RegistryError> {
        let refused = |why: String| Err(RegistryError::Refused(why));
        let is_protocol = |text: &String| text.split('.').all(|part| part.parse::<u32>().is_ok());
        if asked.protocols.is_empty() || !asked.protocols.iter().all(is_protocol) {
            return refused("A release has protocols, such as \"5.0\" and \"6.0\".".to_owned());
        }
        if asked.keys.is_empty() {
            return refused(
                "A release names the OpenPGP key that its list of checksums is signed with."
                    .to_owned(),
            );
        }
        let stem = stem(provider, version);
        let sums_name = format!("{stem}_SHA256SUMS");
        let Some(sums) = asked.files.get(&sums_name) else {
            return refused(format!("A release has a list of checksums, {sums_name}."));
        };
        if !asked.files.contains_key(&format!("{sums_name}.sig")) {
            return refused(format!(
                "A release has a signature of its list of checksums, {sums_name}.sig."
            ));
        }
        for (name, digest) in &asked.files {
            let is_digest =
                digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_digest || !self.is_there(digest).await? {
                return refused(format!(
                    "{name} was not uploaded with the SHA-256 {digest:?}."
                ));
            }
        }
        let object = self.content.get(&blob(sums)).await?;
        let text = object.map(|object| String::from_utf8_lossy(&object.bytes).into_owned());
        let listed = checksums(&text.unwrap_or_default());
        let mut platforms = Vec::new();
        for (name, digest) in &listed {
            if asked.files.get(name) != Some(digest) {
                return refused(format!(
                    "{name} is listed in {sums_name} with the SHA-256 {digest}, and was not uploaded so."
                ));
            }
            let platform = name
                .strip_prefix(&format!("{stem}_"))
                .and_then(|rest| rest.strip_suffix(".zip")?.split_once('_'));
            if let Some((os, arch)) = platform {
                platforms.push(wire::Platform {
                    os: os.to_owned(),
                    arch: arch.to_owned(),
                });
            }
        }
        if platforms.is_empty() {
            return refused(format!(
                "{sums_name} lists no package: one is called {stem}_linux_amd64.zip."
            ));
        }
        Ok(platforms)
    }

    async fn is_there(&self, digest: &str) -> Result<bool, RegistryError> {
        let names = self.content.list(&blob(digest)).await?;
        Ok(names.iter().any(|name| *name == blob(digest)))
    }

    /// Lists a release: the moment from which it exists.
    async fn take_up(
        &self,
        provider: &ProviderAddress,
        release: wire::Release,
    ) -> Result<(), RegistryError> {
        for _ in 0..MOST_ATTEMPTS {
            let (mut file, object) = self.releases(provider).await?;
            if file
                .versions
                .iter()
                .any(|there| there.version == release.version)
            {
                return Err(RegistryError::Conflict(format!(
                    "version {} of {provider} is published already; a published version is never replaced",
                    release.version
                )));
            }
            file.versions.push(release.clone());
            let bytes = serde_json::to_vec_pretty(&file).expect("releases have string keys only");
            let when = match &object {
                Some(object) => When::Is(&object.version),
                None => When::Absent,
            };
            let name = index(provider);
            let put = self.content.put(&name, &bytes, Write::when(when));
            if let Put::Written(_) = put.await? {
                return Ok(());
            }
        }
        Err(RegistryError::Conflict(format!(
            "the versions of {provider} are being changed by too many at once; try again"
        )))
    }

    pub(crate) async fn releases(
        &self,
        provider: &ProviderAddress,
    ) -> Result<(wire::ProviderFile, Option<Object>), RegistryError> {
        let Some(object) = self.content.get(&index(provider)).await? else {
            return Ok((wire::ProviderFile::default(), None));
        };
        let file = serde_json::from_slice(&object.bytes).map_err(|error| {
            RegistryError::Malformed(format!("{}: {error}", self.content.place(&index(provider))))
        })?;
        Ok((file, Some(object)))
    }

    async fn release(
        &self,
        provider: &ProviderAddress,
        version: &str,
    ) -> Result<wire::Release, RegistryError> {
        let (file, _) = self.releases(provider).await?;
        let found = file
            .versions
            .into_iter()
            .find(|release| release.version == version);
        found.ok_or_else(|| {
            RegistryError::Missing(format!("There is no version {version:?} of {provider}."))
        })
    }

    /// All providers of which releases are listed.
    pub(crate) async fn providers(&self) -> Result<Vec<ProviderAddress>, RegistryError> {
        let names = self.content.list(PROVIDERS).await?;
        let providers = names.iter().filter_map(|name| {
            let (namespace, name) = name
                .strip_prefix(PROVIDERS)?
                .strip_suffix("/releases.json")?
                .split_once('/')?;
            ProviderAddress::new(namespace, name).ok()
        });
        Ok(providers.collect())
    }
}

pub(crate) fn provider_of(admission: &Admission) -> Result<ProviderAddress, RegistryError> {
    ProviderAddress::new(admission.part("namespace"), admission.part("name"))
        .map_err(|error| RegistryError::Missing(error.to_string()))
}

fn index(provider: &ProviderAddress) -> String {
    format!("{PROVIDERS}{provider}/releases.json")
}

fn blob(digest: &str) -> String {
    format!("blobs/{digest}")
}

/// What the files of a release begin with.
fn stem(provider: &ProviderAddress, version: &str) -> String {
    format!("terraform-provider-{}_{version}", provider.name())
}

/// The digests of a list such as `sha256sum` writes, by the files' names.
fn checksums(list: &str) -> BTreeMap<String, String> {
    let lines = list.lines().filter_map(|line| {
        let (digest, name) = line.split_once(char::is_whitespace)?;
        let name = name.trim_start().trim_start_matches('*');
        Some((name.to_owned(), digest.to_lowercase()))
    });
    lines.collect()
}
