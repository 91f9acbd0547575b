//! What is answered of modules.

use serde_json::json;
use terrace_addr::version::Version;
use terrace_module_package::{
    Attestation, Deprecation, Listing, ModuleAddress, ModuleArchive, Publication, split_upload,
};

use crate::registry::{Admission, Registry, read_json};
use crate::request::Reply;
use crate::{RegistryError, wire};

/// What never changes may be kept.
const FOREVER: &str = "private, max-age=31536000, immutable";

impl Registry {
    pub(crate) async fn module_versions(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let module = module_of(admission)?;
        let listing = self.listing(&module).await?;
        Ok(
            Reply::of("application/json", listing.to_json(&module.to_string()))
                .header("cache-control", "no-cache"),
        )
    }

    /// The versions of a module that has some.
    pub(crate) async fn listing(&self, module: &ModuleAddress) -> Result<Listing, RegistryError> {
        let listing = self.catalogue.listing(module).await?;
        listing.ok_or_else(|| RegistryError::Missing(format!("There is no module {module}.")))
    }

    pub(crate) async fn module_download(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let listing = self.listing(&module).await?;
        let listed = listing
            .find(&version)
            .ok_or_else(|| missing(&module, &version))?;
        let mut parameters = Vec::new();
        if let Some(digest) = &listed.digest {
            parameters.push(format!("checksum=sha256:{digest}"));
        }
        if !self.public {
            let path = format!("/v1/modules/{module}/{version}/module.zip");
            parameters.push(self.tickets.issue(&path, self.now()));
        }
        let location = format!("./module.zip?{}", parameters.join("&"));
        // Some clients read the header alone, and others the body where the status is 200.
        Ok(Reply::json(&json!({"location": location}))
            .header("x-terraform-get", location)
            .header("cache-control", "no-store"))
    }

    pub(crate) async fn module_archive(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let found = self.catalogue.archive(&module, &version).await?;
        let archive = found.ok_or_else(|| missing(&module, &version))?;
        Ok(Reply::of("application/zip", archive.bytes).header("cache-control", FOREVER))
    }

    pub(crate) async fn module_about(&self, admission: &Admission) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let found = self.catalogue.about(&module, &version).await?;
        let about = found.ok_or_else(|| missing(&module, &version))?;
        Ok(Reply::of("application/json", about.to_json()))
    }

    pub(crate) async fn module_statement(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let listing = self.listing(&module).await?;
        let statement = listing
            .find(&version)
            .and_then(|listed| listed.statement.clone())
            .filter(|digest| admission.part("statement") == format!("statement-{digest}.json"));
        if statement.is_none() {
            return Err(missing(&module, &version));
        }
        let found = self.catalogue.statement(&module, &version).await?;
        let statement = found.ok_or_else(|| missing(&module, &version))?;
        Ok(Reply::of("application/json", statement.bytes).header("cache-control", FOREVER))
    }

    /// Publishes what was uploaded: a package and its statement.
    pub(crate) async fn publish_module(
        &self,
        admission: &Admission,
        body: Vec<u8>,
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let (envelope, archive) = split_upload(&body).ok_or_else(|| {
            RegistryError::Refused(
                "The upload is none: it is made of a length in four bytes, a signed statement and an archive.".to_owned(),
            )
        })?;
        let attestation = Attestation::open(envelope).map_err(|error| {
            RegistryError::Refused(format!("The statement is refused: {error}."))
        })?;
        if let Some(signers) = &self.signers
            && !signers.contains(&attestation.fingerprint)
        {
            return Err(RegistryError::Refused(format!(
                "The statement is signed with the key {}, which is none of those that this registry takes modules from.",
                attestation.fingerprint
            )));
        }
        let archive = ModuleArchive::open(archive.to_vec())
            .map_err(|error| RegistryError::Refused(format!("The archive is refused: {error}.")))?;
        let published = self
            .catalogue
            .publish(&Publication {
                module: &module,
                version: &version,
                archive: &archive,
                attestation: &attestation,
                at: self.now(),
                takes_over: admission
                    .query
                    .get("takeover")
                    .is_some_and(|value| value == "true"),
            })
            .await?;
        Ok(Reply::json(&json!({
            "module": module.to_string(),
            "version": version.to_string(),
            "digest": published.listed.digest,
            "hash": published.listed.hash,
            "signer": published.listed.signer,
        }))
        .status(201))
    }

    pub(crate) async fn yank_module(
        &self,
        admission: &Admission,
        body: &[u8],
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let said: wire::Reason = read_json(body)?;
        self.catalogue.yank(&module, &version, &said.reason).await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn restore_module(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        self.catalogue.restore(&module, &version).await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn deprecate_module(
        &self,
        admission: &Admission,
        body: &[u8],
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        let said: wire::Reason = read_json(body)?;
        let is_link = |link: &String| link.starts_with("https://") || link.starts_with("http://");
        if said.link.as_ref().is_some_and(|link| !is_link(link)) {
            return Err(RegistryError::Refused(
                "The link is no address of the web.".to_owned(),
            ));
        }
        let deprecation = Deprecation {
            reason: said.reason,
            link: said.link,
        };
        self.catalogue
            .deprecate(&module, &version, Some(&deprecation))
            .await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn undeprecate_module(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let (module, version) = version_of(admission)?;
        self.catalogue.deprecate(&module, &version, None).await?;
        Ok(Reply::empty())
    }
}

/// The module that a path names; one whose name is none is one that there is not.
pub(crate) fn module_of(admission: &Admission) -> Result<ModuleAddress, RegistryError> {
    let part = |name: &str| admission.part(name);
    ModuleAddress::new(part("namespace"), part("name"), part("system"))
        .map_err(|error| RegistryError::Missing(error.to_string()))
}

pub(crate) fn version_of(admission: &Admission) -> Result<(ModuleAddress, Version), RegistryError> {
    let module = module_of(admission)?;
    Ok((module, read_version(admission.part("version"))?))
}

/// A version, written as it is always written: another way would be another address of the same thing.
pub(crate) fn read_version(text: &str) -> Result<Version, RegistryError> {
    text.parse::<Version>()
        .ok()
        .filter(|version| version.to_string() == text)
        .ok_or_else(|| {
            RegistryError::Missing(format!("{text:?} is no version; one is written as 1.2.3."))
        })
}

pub(crate) fn missing(module: &ModuleAddress, version: &Version) -> RegistryError {
    RegistryError::Missing(format!("There is no version {version} of {module}."))
}
