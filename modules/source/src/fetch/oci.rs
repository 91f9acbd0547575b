//! Packages in OCI registries: a manifest, one layer that is an archive, and the registry's tokens.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::address::Address;
use super::{FetchError, Fetched, Fetcher};
use crate::archive::{self, Format};
use crate::source::RemoteSource;
use crate::tree::hex;

/// What manifests may be called.
const MANIFESTS: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
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

/// A repository of a registry, with what opens it.
struct Repository<'a> {
    fetcher: &'a Fetcher,
    /// `https://host/v2/name`
    base: String,
    host: String,
    name: String,
    authorization: Option<String>,
}

impl Fetcher {
    pub(super) fn fetch_oci(
        &self,
        source: &RemoteSource,
        into: &Path,
    ) -> Result<Fetched, FetchError> {
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
            (tag, digest) => digest.or(tag).unwrap_or("latest"),
        };
        // Registries on this machine have no certificates, as a rule.
        let local = host == "localhost" || host.starts_with("127.");
        let scheme = if local { "http" } else { "https" };
        let mut repository = Repository {
            fetcher: self,
            base: format!("{scheme}://{authority}/v2/{name}"),
            host: authority,
            name,
            authorization: None,
        };
        let manifest = repository.manifest(reference)?;
        let (digest, format) = layer(&manifest)?;
        repository.unpack(&digest, format, into)?;
        Ok(Fetched::default())
    }
}

impl Repository<'_> {
    fn manifest(&mut self, reference: &str) -> Result<Value, FetchError> {
        let url = format!("{}/manifests/{reference}", self.base);
        let answer = self.ask(&url)?;
        if let Some(expected) = reference.strip_prefix("sha256:")
            && hex(&Sha256::digest(&answer)) != expected
        {
            return FetchError::refused(format!("the manifest of {reference} has another digest"));
        }
        let manifest: Value = serde_json::from_slice(&answer)
            .map_err(|error| FetchError::Refused(format!("{url:?} is no manifest: {error}")))?;
        match manifest.get("mediaType").and_then(Value::as_str) {
            Some("application/vnd.oci.image.index.v1+json") => FetchError::refused(
                "the tag names an index of several manifests; a module package has one manifest",
            ),
            _ => Ok(manifest),
        }
    }

    fn ask(&mut self, url: &str) -> Result<Vec<u8>, FetchError> {
        let get = |repository: &Self| {
            let mut headers = vec![("accept", MANIFESTS)];
            if let Some(authorization) = &repository.authorization {
                headers.push(("authorization", authorization));
            }
            repository.fetcher.http.get(url, &headers)
        };
        let mut answer = get(self)?;
        if answer.status == 401 && self.authorization.is_none() {
            let challenge = answer.header("www-authenticate").unwrap_or("").to_owned();
            self.authorization = self.authorize(&challenge)?;
            answer = get(self)?;
        }
        Ok(answer.ok()?.body)
    }

    /// What a registry's challenge asks for: a token of its service, or the login itself.
    fn authorize(&self, challenge: &str) -> Result<Option<String>, FetchError> {
        let login = self.login();
        let Some(parameters) = challenge.strip_prefix("Bearer ") else {
            return Ok(login);
        };
        let parameter = |name: &str| {
            let start = parameters.find(&format!("{name}=\""))? + name.len() + 2;
            parameters[start..].split('"').next()
        };
        let realm = parameter("realm").unwrap_or_default();
        let mut url = url::Url::parse(realm).map_err(|error| {
            FetchError::Refused(format!(
                "the registry {} names {realm:?} for tokens, which is no address: {error}",
                self.host
            ))
        })?;
        let scope = format!("repository:{}:pull", self.name);
        url.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = parameter("service") {
            url.query_pairs_mut().append_pair("service", service);
        }
        let headers: Vec<(&str, &str)> = login
            .iter()
            .map(|login| ("authorization", login.as_str()))
            .collect();
        let answer = self.fetcher.http.get(url.as_str(), &headers)?.ok()?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = ["token", "access_token"]
            .into_iter()
            .find_map(|name| body.get(name)?.as_str());
        match token {
            Some(token) => Ok(Some(format!("Bearer {token}"))),
            None => FetchError::refused(format!("{realm:?} gave no token")),
        }
    }

    /// The login that Docker's settings hold for the host.
    fn login(&self) -> Option<String> {
        let directory = match self.fetcher.variable("DOCKER_CONFIG") {
            Some(directory) => directory.into(),
            None => self.fetcher.home()?.join(".docker"),
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "this adapter's logins are in a file"
        )]
        let text = std::fs::read(directory.join("config.json")).ok()?;
        let settings: Value = serde_json::from_slice(&text).ok()?;
        let auths = settings.get("auths")?;
        let entry = auths
            .get(&self.host)
            .or_else(|| auths.get(format!("https://{}", self.host)))?;
        let login = entry.get("auth")?.as_str()?;
        Some(format!("Basic {login}"))
    }

    fn unpack(&mut self, digest: &str, format: Format, into: &Path) -> Result<(), FetchError> {
        let url = format!("{}/blobs/{digest}", self.base);
        let cache = &self.fetcher.cache;
        let path = cache.download(&url);
        let _others_wait = cache
            .lock(&format!("download:{url}"))
            .map_err(FetchError::local("the cache cannot be locked"))?;
        let headers: Vec<(&str, &str)> = self
            .authorization
            .iter()
            .map(|authorization| ("authorization", authorization.as_str()))
            .collect();
        self.fetcher.http.download(&url, &headers, &path)?;
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
