//! Who signed a registry's package, and what is to be known of its version.
//!
//! A registry that lists a statement for a version is held to it: the signature holds, and it is about this module, this
//! version and these files. The key is locked with the first installation; from then on only packages that it signed are
//! installed, newer versions included. The same holds of the statements that OCI registries keep about their artifacts.

use sha2::{Digest as _, Sha256};
use terrace_addr::version::{Constraints, Version};
use terrace_diag::Diagnostic;
use terrace_module_package::{Attestation, ModuleAddress};
use terrace_registry_client::Listing;

use crate::installation::{lock, name_of};
use crate::job::{Job, Package};
use crate::source::{RegistrySource, RemoteSource};
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
        let (source, version) = match package {
            Package::Registry(source, version) => (source, version),
            Package::Remote(source) if source.getter == "oci" => {
                return self.signer_of_artifact(package, source, hash);
            }
            Package::Remote(_) => return Ok(None),
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
            .map_err(|why| self.bad_signature(package, &why))
    }

    /// The same of an OCI registry's package: of the statements about it that Terrace can read, the one of the locked key, or
    /// any. What other tools state about artifacts is theirs.
    fn signer_of_artifact(
        &self,
        package: &Package,
        source: &RemoteSource,
        hash: &str,
    ) -> Result<Option<String>, Diagnostic> {
        let fetcher = &self.installation.fetcher;
        let statements = fetcher.oci_statements(source).map_err(|error| {
            self.problem(
                "registry-unreachable",
                "Error accessing remote module registry",
                format!(
                    "The statements about {} cannot be read: {error}.",
                    package.source()
                ),
            )
        })?;
        let read: Vec<Attestation> = statements
            .iter()
            .filter_map(|envelope| Attestation::open(envelope).ok())
            .collect();
        let locked = self.locked_signer(package);
        let expected = read
            .iter()
            .find(|one| Some(&*one.fingerprint) == locked)
            .or(read.first());
        let Some(attestation) = expected else {
            return Ok(None);
        };
        is_about(attestation, source, hash).map_err(|why| self.bad_signature(package, &why))?;
        Ok(Some(attestation.fingerprint.clone()))
    }

    /// Whether the lock file knows a key that signed the package's module.
    pub(crate) fn locks_a_signer(&self, package: &Package) -> bool {
        self.locked_signer(package).is_some()
    }

    /// The key that signed what was installed of the package's module before. All tags of an OCI repository are of one module.
    fn locked_signer(&self, package: &Package) -> Option<&str> {
        let locked = &self.installation.locked;
        let is_signed = |locked: &LockedModule| locked.signer.is_some();
        let name = package.source();
        let found = locked.find(&self.key, &name, &is_signed).or_else(|| {
            let Package::Remote(source) = package else {
                return None;
            };
            let repository = |name: &str| name.split('?').next().map(str::to_owned);
            let wanted = repository(&name).filter(|_| source.getter == "oci")?;
            let same = |locked: &&LockedModule| {
                is_signed(locked) && repository(&locked.source).as_ref() == Some(&wanted)
            };
            let here = locked.modules.get(&self.key).filter(same);
            here.or_else(|| locked.modules.values().find(same))
        });
        found?.signer.as_deref()
    }

    /// Refuses a package of a module that another key signed before, or that was signed before and is not now.
    pub(crate) fn hold_to_signer(
        &self,
        package: &Package,
        signer: Option<&str>,
    ) -> Result<(), Diagnostic> {
        let Some(expected) = self.locked_signer(package) else {
            return Ok(());
        };
        match signer {
            Some(signer) if signer == expected => Ok(()),
            Some(signer) => Err(self
                .problem(
                    "module-signer-changed",
                    "Module is signed with another key",
                    format!(
                        "{} is signed with the key {signer}, and {} locks {expected}, which signed what was installed before.",
                        named(package),
                        ModuleLock::NAME
                    ),
                )
                .hint(format!(
                    "ask the module's author whether the key is theirs; then change \"signer\" in {}",
                    ModuleLock::NAME
                ))),
            None => Err(self.bad_signature(
                package,
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

    fn bad_signature(&self, package: &Package, why: &str) -> Diagnostic {
        self.problem(
            "module-signature-invalid",
            "Module signature does not hold",
            format!(
                "{}, for module \"{}\", is not installed: {why}.",
                named(package),
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

/// A package at the beginning of a sentence.
fn named(package: &Package) -> String {
    match package {
        Package::Registry(source, version) => format!("Version {version} of {}", source.module),
        Package::Remote(_) => format!("The package {}", package.source()),
    }
}

/// Refuses a statement about other files, or about another version than the one that the tag names.
fn is_about(attestation: &Attestation, source: &RemoteSource, hash: &str) -> Result<(), String> {
    let signed = &attestation.provenance;
    if signed.hash != hash {
        return Err(format!(
            "the statement is about files with the checksum {}, and those that came have {hash}",
            signed.hash
        ));
    }
    let tag = source
        .query
        .split('&')
        .find_map(|parameter| parameter.strip_prefix("tag="));
    // Tags have no `+`, and some, such as `latest`, name no version.
    let version = tag.and_then(|tag| tag.replace('_', "+").parse::<Version>().ok());
    match version {
        Some(version) if version != signed.version => Err(format!(
            "the statement is about {} {}, and the tag is {version}",
            signed.module, signed.version
        )),
        _ => Ok(()),
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
