//! What is signed of a package: which module and version it is, its digests, and where it comes from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use terrace_addr::version::Version;
use terrace_gate::{ApprovalError, open_payload, sign_payload};
use terrace_port::Signer;

use crate::archive::hex;
use crate::{ModuleAddress, ModuleArchive, wire};

/// Namespace of packages' signatures, which keeps them apart from all else that the same key signs.
pub const MODULE_NAMESPACE: &str = "terrace-module";
/// The type of what is signed.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

/// The type of statements.
const KIND: &str = "https://in-toto.io/Statement/v1";
/// The type of what they say.
const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// How packages are made.
const BUILD: &str = "https://github.com/terrace-iac/terrace/module-package/v1";
/// Who made a package that no workflow made.
const BY_HAND: &str = "https://github.com/terrace-iac/terrace/by-hand";

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The module.
    pub module: ModuleAddress,
    /// Its version.
    pub version: Version,
    /// The SHA-256 of the archive, in hexadecimal.
    pub digest: String,
    /// The checksum of its files, `h1:…`.
    pub hash: String,
    /// The repository's address.
    pub repository: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The branch or tag: `refs/tags/v1.0.0`.
    pub reference: Option<String>,
    /// Whether files differed from the commit.
    pub uncommitted: bool,
    /// The module's directory in the repository.
    pub directory: Option<String>,
    /// The workflow that made it, as an address; `None` where a person did.
    pub workflow: Option<String>,
    /// That workflow's run, as an address.
    pub run: Option<String>,
    /// When it was made, in seconds since 1970 UTC.
    pub made_at: i64,
}

impl Provenance {
    /// Of an archive of which nothing is said but which version of which module it is.
    pub fn of(archive: &ModuleArchive, module: ModuleAddress, version: Version) -> Self {
        Self {
            module,
            version,
            digest: archive.digest().to_owned(),
            hash: archive.hash().to_owned(),
            repository: None,
            commit: None,
            reference: None,
            uncommitted: false,
            directory: None,
            workflow: None,
            run: None,
            made_at: 0,
        }
    }

    /// The statement, as it is signed.
    fn encode(&self) -> Vec<u8> {
        let commit = self.commit.as_ref().map(|commit| wire::Dependency {
            uri: self
                .repository
                .as_ref()
                .map(|address| format!("git+{address}")),
            digest: BTreeMap::from([("gitCommit".to_owned(), commit.clone())]),
        });
        let statement = wire::Statement {
            kind: KIND.to_owned(),
            subject: vec![wire::Subject {
                name: format!("{}@{}", self.module, self.version),
                digest: BTreeMap::from([("sha256".to_owned(), self.digest.clone())]),
            }],
            predicate_type: PREDICATE.to_owned(),
            predicate: wire::Predicate {
                build_definition: wire::BuildDefinition {
                    build_type: BUILD.to_owned(),
                    external_parameters: wire::Parameters {
                        module: self.module.to_string(),
                        version: self.version.to_string(),
                        files: self.hash.clone(),
                        directory: self.directory.clone(),
                        reference: self.reference.clone(),
                        uncommitted: self.uncommitted,
                    },
                    resolved_dependencies: commit.into_iter().collect(),
                },
                run_details: wire::RunDetails {
                    builder: wire::Builder {
                        id: self.workflow.clone().unwrap_or_else(|| BY_HAND.to_owned()),
                    },
                    metadata: wire::Metadata {
                        invocation_id: self.run.clone(),
                        finished_on: timestamp(self.made_at),
                    },
                },
            },
        };
        serde_json::to_vec(&statement).expect("a statement has string keys only")
    }

    fn decode(payload: &[u8]) -> Result<Self, String> {
        let statement: wire::Statement =
            serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let made = statement.predicate.build_definition;
        let run = statement.predicate.run_details;
        if statement.kind != KIND
            || statement.predicate_type != PREDICATE
            || made.build_type != BUILD
        {
            return Err("it is no statement about a module's package".to_owned());
        }
        let parameters = made.external_parameters;
        let [subject] = &statement.subject[..] else {
            return Err("it is not about exactly one package".to_owned());
        };
        let digest = subject
            .digest
            .get("sha256")
            .ok_or("it names no SHA-256 of the package")?;
        let source = made.resolved_dependencies.into_iter().next();
        let (repository, commit) = match source {
            Some(mut source) => (source.uri, source.digest.remove("gitCommit")),
            None => (None, None),
        };
        let made_at: Timestamp = run
            .metadata
            .finished_on
            .parse()
            .map_err(|error: jiff::Error| error.to_string())?;
        Ok(Self {
            module: parameters
                .module
                .parse()
                .map_err(|error: crate::InvalidName| error.to_string())?,
            version: parameters
                .version
                .parse()
                .map_err(|_| format!("{:?} is no version", parameters.version))?,
            digest: digest.clone(),
            hash: parameters.files,
            repository: repository.map(|uri| uri.strip_prefix("git+").unwrap_or(&uri).to_owned()),
            commit,
            reference: parameters.reference,
            uncommitted: parameters.uncommitted,
            directory: parameters.directory,
            workflow: Some(run.builder.id).filter(|id| id != BY_HAND),
            run: run.metadata.invocation_id,
            made_at: made_at.as_second(),
        })
    }
}

/// A time in RFC 3339; the beginning of 1970 for what no calendar has.
pub(crate) fn timestamp(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// A provenance whose signature holds. Whether the signer counts is for the reader to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What was signed.
    pub provenance: Provenance,
    /// The fingerprint of the key that signed it.
    pub fingerprint: String,
    /// The key itself, in one line of OpenSSH's format.
    pub public_key: String,
    envelope: Vec<u8>,
}

impl Attestation {
    /// Signs a provenance.
    ///
    /// # Errors
    /// [`ApprovalError::Refused`] where the signer cannot or will not.
    pub fn sign(signer: &dyn Signer, provenance: &Provenance) -> Result<Self, ApprovalError> {
        let payload = provenance.encode();
        let envelope = sign_payload(signer, MODULE_NAMESPACE, STATEMENT_TYPE, &payload)?;
        Self::open(&envelope)
    }

    /// Reads an envelope and verifies its signature.
    ///
    /// # Errors
    /// Where it is none about a package, or its signature does not hold.
    pub fn open(envelope: &[u8]) -> Result<Self, ApprovalError> {
        let opened = open_payload(envelope, MODULE_NAMESPACE, STATEMENT_TYPE)?;
        Ok(Self {
            provenance: Provenance::decode(&opened.payload).map_err(ApprovalError::Envelope)?,
            fingerprint: opened.fingerprint,
            public_key: opened.public_key,
            envelope: envelope.to_vec(),
        })
    }

    /// The envelope.
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// The SHA-256 of the envelope, in hexadecimal.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(&self.envelope))
    }

    /// Refuses to stand for anything but this version of this module.
    ///
    /// # Errors
    /// What differs, as a sentence.
    pub fn is_of(&self, module: &ModuleAddress, version: &Version) -> Result<(), String> {
        let signed = &self.provenance;
        if signed.module == *module && signed.version == *version {
            return Ok(());
        }
        Err(format!(
            "The statement is about {} {}, and not about {module} {version}.",
            signed.module, signed.version
        ))
    }

    /// Refuses to stand for any archive but the one that was signed.
    ///
    /// # Errors
    /// What differs, as a sentence.
    pub fn is_about(&self, archive: &ModuleArchive) -> Result<(), String> {
        let signed = &self.provenance;
        if signed.digest != archive.digest() {
            return Err(format!(
                "The statement is about an archive with the SHA-256 {}, and this one has {}.",
                signed.digest,
                archive.digest()
            ));
        }
        if signed.hash != archive.hash() {
            return Err(format!(
                "The statement is about files with the checksum {}, and these have {}.",
                signed.hash,
                archive.hash()
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use terrace_gate::SshKey;

    use super::*;
    use crate::archive::tests::archive;

    pub(crate) const KEY: &str = include_str!("../../../engine/gate/tests/gate/keys/ecdsa");

    pub(crate) fn provenance(archive: &ModuleArchive, version: &str) -> Provenance {
        let module = "acme/network/aws".parse().unwrap();
        Provenance {
            repository: Some("https://example.com/acme/network".to_owned()),
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            reference: Some("refs/tags/v1.0.0".to_owned()),
            directory: Some("modules/network".to_owned()),
            workflow: Some(
                "https://example.com/acme/network/.ci/release.yml@refs/tags/v1.0.0".to_owned(),
            ),
            run: Some("https://example.com/acme/network/runs/1".to_owned()),
            made_at: 1_700_000_000,
            ..Provenance::of(archive, module, version.parse().unwrap())
        }
    }

    pub(crate) fn attested(archive: &ModuleArchive, version: &str) -> Attestation {
        let signer = SshKey::open(KEY, None).unwrap();
        Attestation::sign(&signer, &provenance(archive, version)).unwrap()
    }

    #[test]
    fn what_was_signed_is_read() {
        let archive = archive("");
        let attestation = attested(&archive, "1.0.0");
        assert_eq!(attestation.provenance, provenance(&archive, "1.0.0"));
        assert_eq!(attestation.is_about(&archive), Ok(()));
        let module = "acme/network/aws".parse().unwrap();
        assert_eq!(
            attestation.is_of(&module, &"1.0.0".parse().unwrap()),
            Ok(())
        );
        assert!(
            attestation
                .is_of(&module, &"1.0.1".parse().unwrap())
                .is_err()
        );
        let other = "acme/other/aws".parse().unwrap();
        assert!(
            attestation
                .is_of(&other, &"1.0.0".parse().unwrap())
                .is_err()
        );
        let mut by_hand = provenance(&archive, "1.0.0");
        (by_hand.workflow, by_hand.run, by_hand.commit) = (None, None, None);
        (by_hand.repository, by_hand.uncommitted) = (None, true);
        let signer = SshKey::open(KEY, None).unwrap();
        let read = Attestation::sign(&signer, &by_hand).unwrap();
        assert_eq!(read.provenance, by_hand);
    }

    #[test]
    fn another_archive_is_told() {
        let attestation = attested(&archive(""), "1.0.0");
        let error = attestation.is_about(&archive("# other\n")).unwrap_err();
        assert!(error.contains("SHA-256"), "{error}");
    }

    #[test]
    fn an_approval_is_no_attestation() {
        let signer = SshKey::open(KEY, None).unwrap();
        let payload = provenance(&archive(""), "1.0.0").encode();
        let envelope = sign_payload(&signer, "terrace-approval", STATEMENT_TYPE, &payload).unwrap();
        assert!(matches!(
            Attestation::open(&envelope),
            Err(ApprovalError::Signature(_))
        ));
        let envelope = sign_payload(&signer, MODULE_NAMESPACE, STATEMENT_TYPE, b"{}").unwrap();
        assert!(matches!(
            Attestation::open(&envelope),
            Err(ApprovalError::Envelope(_))
        ));
    }
}
