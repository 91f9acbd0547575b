//! Packages in OCI registries: a manifest, and one layer that is an archive.

use std::path::Path;

use serde_json::Value;
use terrace_module_package::STATEMENT_TYPE;
use terrace_registry_client::OciRepository;

use super::address::Address;
use super::{FetchError, Fetched, Fetcher};
use crate::archive::{self, Format};
use crate::source::RemoteSource;

/// Kinds of layers that are packages.
const LAYERS: [(&str, Format); 4] = [
    ("archive/zip", Format::Zip),
    ("application/zip", Format::Zip),
    (
        "application/vnd.oci.image.layer.v1.tar+gzip",
        Format::TarGzip,
    ),
    ("application/vnd.oci.image.layer.v1.tar", Format::Tar),
];

/// How many statements about one package are read at most.
const MOST_STATEMENTS: usize = 100;

impl Fetcher {
    pub(super) fn fetch_oci(
        &self,
        source: &RemoteSource,
        into: &Path,
    ) -> Result<Fetched, FetchError> {
        let (mut repository, reference) = self.oci_repository(source)?;
        let Some(manifest) = repository.manifest(&reference)? else {
            return FetchError::refused(format!(
                "the registry has no {} with the tag or digest {reference:?}",
                source.address
            ));
        };
        if manifest.get("mediaType").and_then(Value::as_str)
            == Some("application/vnd.oci.image.index.v1+json")
        {
            return FetchError::refused(
                "the tag names an index of several manifests; a module package has one manifest",
            );
        }
        let (digest, format) = layer(&manifest)?;
        self.unpack_blob(&mut repository, &digest, format, into)?;
        Ok(Fetched::default())
    }

    /// The statements that the registry of a package keeps about it, in no order that means anything.
    pub(crate) fn oci_statements(&self, source: &RemoteSource) -> Result<Vec<Vec<u8>>, FetchError> {
        let (mut repository, reference) = self.oci_repository(source)?;
        let Some((digest, _)) = repository.resolve(&reference)? else {
            return Ok(Vec::new());
        };
        let mut statements = Vec::new();
        let about = repository.referrers(&digest, STATEMENT_TYPE)?;
        for manifest in about.iter().take(MOST_STATEMENTS) {
            let Some(manifest) = repository.manifest(manifest)? else {
                continue;
            };
            let layers = manifest.get("layers").and_then(Value::as_array);
            for layer in layers.into_iter().flatten() {
                let text = |name: &str| layer.get(name).and_then(Value::as_str);
                if text("mediaType") == Some(STATEMENT_TYPE)
                    && let Some(digest) = text("digest")
                    && let Some(statement) = repository.blob(digest)?
                {
                    statements.push(statement);
                }
            }
        }
        Ok(statements)
    }

    /// The repository that a source names, and the tag or digest in it.
    fn oci_repository(
        &self,
        source: &RemoteSource,
    ) -> Result<(OciRepository<'_>, String), FetchError> {
        let address = Address::of(source, &["tag", "digest"])?;
        let host = address.url.host_str().unwrap_or_default();
        let authority = match address.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let name = address.url.path().trim_matches('/').to_owned();
        if host.is_empty() || name.is_empty() {
            return FetchError::refused("an OCI source has the form oci://HOST/REPOSITORY?tag=TAG");
        }
        let reference = match (address.parameter("tag"), address.parameter("digest")) {
            (Some(_), Some(_)) => {
                return FetchError::refused("an OCI source has a tag or a digest, not both");
            }
            (tag, digest) => digest.or(tag).unwrap_or("latest").to_owned(),
        };
        let docker_settings = match self.variable("DOCKER_CONFIG") {
            Some(directory) => Some(directory.into()),
            None => self.home().map(|home| home.join(".docker")),
        };
        let repository = OciRepository::new(&self.http, &authority, &name, docker_settings);
        Ok((repository, reference))
    }

    fn unpack_blob(
        &self,
        repository: &mut OciRepository<'_>,
        digest: &str,
        format: Format,
        into: &Path,
    ) -> Result<(), FetchError> {
        let url = repository.blob_address(digest);
        let path = self.cache.download(&url);
        let _others_wait = self
            .cache
            .lock(&format!("download:{url}"))
            .map_err(FetchError::local("the cache cannot be locked"))?;
        repository.download(digest, &path, &mut |_| {})?;
        let checked = match digest.split_once(':') {
            Some(("sha256" | "sha512", _)) => {
                super::checksum::Checksum::parse(digest)?.check(&path)
            }
            _ => FetchError::refused(format!("{digest:?} is no digest that can be checked")),
        };
        let done = checked.and_then(|()| Ok(archive::unpack(&path, format, into)?));
        std::fs::remove_file(&path).ok();
        done
    }
}

/// The one layer of a manifest that is a package.
fn layer(manifest: &Value) -> Result<(String, Format), FetchError> {
    let layers = manifest.get("layers").and_then(Value::as_array);
    let mut found = layers.into_iter().flatten().filter_map(|layer| {
        let kind = layer.get("mediaType")?.as_str()?;
        let format = LAYERS.iter().find(|(known, _)| *known == kind)?.1;
        Some((layer.get("digest")?.as_str()?.to_owned(), format))
    });
    match (found.next(), found.next()) {
        (Some(layer), None) => Ok(layer),
        (None, _) => FetchError::refused(
            "the artifact is no module package: it has no layer of type archive/zip",
        ),
        (Some(_), Some(_)) => FetchError::refused(
            "the artifact is no module package: it has several layers that are archives",
        ),
    }
}
