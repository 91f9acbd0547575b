//! Who signed a registry's package, and what is to be known of its version.
//!
//! A registry that lists a statement for a version is held to it: the signature holds, and it is about this module, this
//! version and these files. The key is locked with the first installation; from then on only packages that it signed are
//! installed, newer versions included.

use sha2::{Digest as _, Sha256};
use terrace_addr::version::{Constraints, Version};
use terrace_diag::Diagnostic;
use terrace_module_package::{Attestation, ModuleAddress};
use terrace_registry_client::Listing;

use crate::installation::{lock, name_of};
use crate::job::{Job, Package};
use crate::source::RegistrySource;
use crate::tree::hex;
use crate::{LockedModule, ModuleLock};

impl Job<'_> {
    /// The fingerprint of the key that signed the package with these files; `None` where its registry has no statement
    /// about it.
    pub(crate) fn signer_of(
        &self,
        package: &Package,
        hash: &str,
    ) -> Result<Option<String>, Diagnostic> {
        let Package::Registry(source, version) = package else {
            return Ok(None);
        };
        let registry = &self.installation.settings.registry;
        let unreachable = |why: String| {
            self.problem(
                "registry-unreachable",
                "Error accessing remote module registry",
                format!(
                    "The statement about {} {version} cannot be read: {why}.",
                    source.module
                ),
            )
        };
        let listing = registry
            .listing(&source.module)
            .map_err(|error| unreachable(error.to_string()))?
            .unwrap_or_default();
        self.warn(source, version, &listing);
        let digest = listing
            .find(version)
            .and_then(|listed| listed.statement.as_deref());
        let Some(digest) = digest else {
            return Ok(None);
        };
        let envelope = registry
            .statement(&source.module, version, digest)
            .map_err(|error| unreachable(error.to_string()))?
            .ok_or_else(|| unreachable("the registry lists it and does not have it".to_owned()))?;
        verified(source, version, hash, digest, &envelope)
            .map(Some)
            .map_err(|why| self.bad_signature(source, version, &why))
    }

    /// Whether the lock file knows a key that signed the package's module.
    pub(crate) fn locks_a_signer(&self, package: &Package) -> bool {
        let locked = &self.installation.locked;
        let is_signed = |locked: &LockedModule| locked.signer.is_some();
        locked
            .find(&self.key, &package.source(), &is_signed)
            .is_some()
    }

    /// Refuses a package of a module that another key signed before, or that was signed before and is not now.
    pub(crate) fn hold_to_signer(
        &self,
        package: &Package,
        signer: Option<&str>,
    ) -> Result<(), Diagnostic> {
        let Package::Registry(source, version) = package else {
            return Ok(());
        };
        let name = package.source();
        let locked = self
            .installation
            .locked
            .find(&self.key, &name, &|locked| locked.signer.is_some());
        let Some(expected) = locked.and_then(|locked| locked.signer.as_deref()) else {
            return Ok(());
        };
        match signer {
            Some(signer) if signer == expected => Ok(()),
            Some(signer) => Err(self
                .problem(
                    "module-signer-changed",
                    "Module is signed with another key",
                    format!(
                        "Version {version} of {} is signed with the key {signer}, and {} locks {expected}, which signed what was installed before.",
                        source.module,
                        ModuleLock::NAME
                    ),
                )
                .hint(format!(
                    "ask the module's author whether the key is theirs; then change \"signer\" in {}",
                    ModuleLock::NAME
                ))),
            None => Err(self.bad_signature(
                source,
                version,
                &format!("{} locks the key {expected}, and the registry has no statement about this version", ModuleLock::NAME),
            )),
        }
    }

    /// Looks whether a signed package that is on this machine was taken back or is deprecated by now. Whoever cannot be
    /// asked tells nothing: what is locked works without a network.
    pub(crate) fn look_up(&self, package: &Package) {
        let Package::Registry(source, version) = package else {
            return;
        };
        let found = self.installation.settings.registry.listing(&source.module);
        if let Ok(Some(listing)) = found {
            self.warn(source, version, &listing);
        }
    }

    fn bad_signature(&self, source: &RegistrySource, version: &Version, why: &str) -> Diagnostic {
        self.problem(
            "module-signature-invalid",
            "Module signature does not hold",
            format!(
                "Version {version} of {}, for module \"{}\", is not installed: {why}.",
                source.module,
                name_of(&self.request)
            ),
        )
    }

    /// Remembers what users of a version are to be told.
    pub(crate) fn warn(&self, source: &RegistrySource, version: &Version, listing: &Listing) {
        let module = &source.module;
        let said = |reason: &str| {
            let reason = reason.trim();
            if reason.is_empty() {
                String::new()
            } else {
                format!(" Its author says: {reason}")
            }
        };
        let warning = if let Some(yanked) = listing.yanked(version) {
            let detail = format!(
                "Version {version} of {module} was taken back. It is installed because {} locks it; others do not get it any more.{}",
                ModuleLock::NAME,
                said(&yanked.reason)
            );
            Diagnostic::warning(
                "module-version-yanked",
                "Module version was taken back",
                detail,
            )
        } else if let Some(deprecation) = listing
            .find(version)
            .and_then(|listed| listed.deprecation.as_ref())
        {
            let link = deprecation.link.as_deref();
            let detail = format!(
                "Version {version} of {module} is deprecated.{}{}",
                said(&deprecation.reason),
                link.map(|link| format!(" See {link}")).unwrap_or_default()
            );
            Diagnostic::warning(
                "module-version-deprecated",
                "Module version is deprecated",
                detail,
            )
        } else {
            return;
        };
        lock(&self.installation.warnings)
            .entry(format!("{module}@{version}"))
            .or_insert_with(|| warning.at(self.request.span));
    }

    /// What is told where every version that a call allows was taken back.
    pub(crate) fn only_yanked(
        &self,
        source: &RegistrySource,
        constraints: &Constraints,
        listing: &Listing,
    ) -> Option<Diagnostic> {
        let yanked = listing
            .yanked
            .iter()
            .filter(|yanked| constraints.allows(&yanked.listed.version))
            .max_by(|a, b| a.listed.version.cmp(&b.listed.version))?;
        let reason = yanked.reason.trim();
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" Its author says: {reason}")
        };
        Some(self.problem(
            "no-matching-module-version",
            "Unresolvable module version constraint",
            format!(
                "Version {} of {}, which module \"{}\" allows, was taken back, and nothing else fits.{reason}",
                yanked.listed.version,
                source.module,
                name_of(&self.request)
            ),
        ))
    }
}

/// The fingerprint of the key that signed a statement about these files of this version.
fn verified(
    source: &RegistrySource,
    version: &Version,
    hash: &str,
    digest: &str,
    envelope: &[u8],
) -> Result<String, String> {
    let found = hex(&Sha256::digest(envelope));
    if found != digest {
        return Err(format!(
            "the registry lists a statement with the SHA-256 {digest}, and gives one with {found}"
        ));
    }
    let attestation = Attestation::open(envelope).map_err(|error| error.to_string())?;
    let name = &source.module;
    let module = ModuleAddress::new(&name.namespace, &name.name, &name.target)
        .map_err(|error| error.to_string())?;
    attestation
        .is_of(&module, version)
        .map_err(|why| why.trim_end_matches('.').to_owned())?;
    if attestation.provenance.hash != hash {
        return Err(format!(
            "the statement is about files with the checksum {}, and those that came have {hash}",
            attestation.provenance.hash
        ));
    }
    Ok(attestation.fingerprint)
}
