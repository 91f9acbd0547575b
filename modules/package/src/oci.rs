//! Publishing to an OCI registry: an artifact whose one layer is the archive, as OpenTofu's module packages are, and
//! another about it that holds the statement.

use serde_json::{Value, json};
use terrace_addr::version::Version;
use terrace_registry_client::{ClientError, OciRepository};

use crate::{Attestation, ModuleArchive, STATEMENT_TYPE};

/// What manifests are.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// What lists of manifests are.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What the artifact is.
const PACKAGE: &str = "application/vnd.opentofu.modulepkg";
/// What its layer is.
const ARCHIVE: &str = "archive/zip";
/// What stands for a configuration where there is none.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// What is to be published.
#[derive(Clone, Copy, Debug)]
pub struct OciPublication<'a> {
    /// The version: it is the tag.
    pub version: &'a Version,
    /// The archive.
    pub archive: &'a ModuleArchive,
    /// What was signed of it.
    pub attestation: &'a Attestation,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum OciPublishError {
    /// The tag is there already; a version is never replaced.
    #[error("the repository has a tag {tag} already; a published version is never replaced")]
    AlreadyPublished {
        /// The tag.
        tag: String,
    },
    /// The statement is about something else.
    #[error("{0}")]
    Refused(String),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] ClientError),
}

/// Publishes a version, and gives the digest of its manifest. The tag is written last, so that who sees it sees all.
///
/// Registries offer no way to write a tag only where none is: of two that publish the same version at the same moment, the
/// later may win. Who must exclude that lets the registry refuse changes of tags.
///
/// # Errors
/// [`OciPublishError`].
pub fn publish_oci(
    repository: &mut OciRepository<'_>,
    publication: &OciPublication<'_>,
) -> Result<String, OciPublishError> {
    let OciPublication {
        version,
        archive,
        attestation,
    } = *publication;
    attestation
        .is_about(archive)
        .map_err(OciPublishError::Refused)?;
    let tag = tag_of(version);
    if repository.manifest(&tag)?.is_some() {
        return Err(OciPublishError::AlreadyPublished { tag });
    }
    let empty = json!({"mediaType": EMPTY, "digest": repository.push_blob(b"{}")?, "size": 2});
    let layer = json!({
        "mediaType": ARCHIVE,
        "digest": repository.push_blob(archive.bytes())?,
        "size": archive.bytes().len(),
    });
    let signed = &attestation.provenance;
    let mut annotations = json!({
        "org.opencontainers.image.title": signed.module.to_string(),
        "org.opencontainers.image.version": version.to_string(),
    });
    for (name, value) in [
        ("org.opencontainers.image.source", &signed.repository),
        ("org.opencontainers.image.revision", &signed.commit),
    ] {
        if let Some(value) = value {
            annotations[name] = value.as_str().into();
        }
    }
    let package = manifest(PACKAGE, &empty, &layer, &annotations);
    let package_digest = format!("sha256:{}", crate::archive::digest(&package));
    let statement = json!({
        "mediaType": STATEMENT_TYPE,
        "digest": repository.push_blob(attestation.envelope())?,
        "size": attestation.envelope().len(),
    });
    let mut about: Value =
        serde_json::from_slice(&manifest(STATEMENT_TYPE, &empty, &statement, &json!({})))
            .expect("it was written as JSON");
    about["subject"] = json!({
        "mediaType": MANIFEST,
        "digest": package_digest,
        "size": package.len(),
    });
    let about = serde_json::to_vec(&about).expect("it has string keys only");
    repository.push_manifest(None, MANIFEST, &package)?;
    let about_digest = repository.push_manifest(None, MANIFEST, &about)?;
    if repository
        .referrers(&package_digest, STATEMENT_TYPE)?
        .is_empty()
    {
        list_by_tag(repository, &package_digest, &about_digest, about.len())?;
    }
    repository.push_manifest(Some(&tag), MANIFEST, &package)?;
    Ok(package_digest)
}

/// Lists the statement under the tag that stands for the list of what is about a manifest, as registries are used that keep
/// no such list.
fn list_by_tag(
    repository: &mut OciRepository<'_>,
    package: &str,
    about: &str,
    size: usize,
) -> Result<(), ClientError> {
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{
            "mediaType": MANIFEST,
            "digest": about,
            "size": size,
            "artifactType": STATEMENT_TYPE,
        }],
    });
    let index = serde_json::to_vec(&index).expect("it has string keys only");
    let tag = OciRepository::fallback_tag(package);
    repository
        .push_manifest(Some(&tag), INDEX, &index)
        .map(drop)
}

fn manifest(kind: &str, config: &Value, layer: &Value, annotations: &Value) -> Vec<u8> {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": config,
        "layers": [layer],
        "annotations": annotations,
    });
    serde_json::to_vec(&manifest).expect("it has string keys only")
}

/// The tag of a version: tags have no `+`.
fn tag_of(version: &Version) -> String {
    version.to_string().replace('+', "_")
}
