//! Registries of OCI artifacts: tags, manifests, blobs, and the tokens that open them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{ClientError, Http, Progress};

/// What manifests may be called.
const MANIFESTS: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
/// How many pages of tags are read at most.
const MOST_PAGES: usize = 1000;

/// A repository of a registry, with what opens it.
#[derive(Debug)]
pub struct OciRepository<'a> {
    http: &'a Http,
    /// `https://host/v2/name`
    base: String,
    authority: String,
    name: String,
    /// The directory of Docker's settings, where logins are.
    docker_settings: Option<PathBuf>,
    authorization: Option<String>,
}

impl<'a> OciRepository<'a> {
    /// The repository `name` at `authority`, a host with its port where it is not the usual one. Logins are read from
    /// Docker's settings in the given directory.
    pub fn new(
        http: &'a Http,
        authority: &str,
        name: &str,
        docker_settings: Option<PathBuf>,
    ) -> Self {
        // Registries on this machine have no certificates, as a rule.
        let host = authority.split(':').next().unwrap_or_default();
        let local = host == "localhost" || host.starts_with("127.");
        let scheme = if local { "http" } else { "https" };
        Self {
            http,
            base: format!("{scheme}://{authority}/v2/{name}"),
            authority: authority.to_owned(),
            name: name.to_owned(),
            docker_settings,
            authorization: None,
        }
    }

    /// The address of a blob.
    pub fn blob_address(&self, digest: &str) -> String {
        format!("{}/blobs/{digest}", self.base)
    }

    /// All tags; `None` where the registry does not know the repository.
    pub fn tags(&mut self) -> Result<Option<Vec<String>>, ClientError> {
        let mut tags = Vec::new();
        let mut url = format!("{}/tags/list?n=1000", self.base);
        for _ in 0..MOST_PAGES {
            let answer = self.ask(&url)?;
            if answer.status == 404 {
                return Ok(None);
            }
            let answer = answer.ok()?;
            let listed: Value = serde_json::from_slice(&answer.body)
                .map_err(|error| malformed(&url, format!("it is no list of tags: {error}")))?;
            let listed = listed.get("tags").and_then(Value::as_array);
            let names = listed.into_iter().flatten().filter_map(Value::as_str);
            tags.extend(names.map(str::to_owned));
            match next_page(&answer.url, answer.header("link")) {
                Some(next) if next != url => url = next,
                _ => break,
            }
        }
        Ok(Some(tags))
    }

    /// The manifest of a tag or a digest, which it is held to; `None` where there is none.
    pub fn manifest(&mut self, reference: &str) -> Result<Option<Value>, ClientError> {
        let url = format!("{}/manifests/{reference}", self.base);
        let answer = self.ask(&url)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let answer = answer.ok()?;
        if let Some(expected) = reference.strip_prefix("sha256:")
            && format!("{:x}", Sha256::digest(&answer.body)) != expected
        {
            return Err(malformed(
                &url,
                format!("the manifest of {reference} has another digest"),
            ));
        }
        serde_json::from_slice(&answer.body)
            .map(Some)
            .map_err(|error| malformed(&url, format!("it is no manifest: {error}")))
    }

    /// Gets a blob into a file, as [`Http::download`] does. Whether it has the digest is for the caller to see.
    pub fn download(
        &mut self,
        digest: &str,
        path: &Path,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(), ClientError> {
        let url = self.blob_address(digest);
        let get = |repository: &Self, watch: &mut dyn FnMut(Progress)| {
            let headers = repository.headers();
            repository
                .http
                .download_watched(&url, &headers, path, watch)
        };
        match get(self, watch) {
            // Whoever has read no manifest before has no token yet.
            Err(ClientError::Status { status: 401, .. }) if self.authorization.is_none() => {
                self.ask(&url)?;
                get(self, watch).map(drop)
            }
            other => other.map(drop),
        }
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        let authorization = self.authorization.iter();
        authorization
            .map(|authorization| ("authorization", authorization.as_str()))
            .collect()
    }

    fn ask(&mut self, url: &str) -> Result<crate::Answer, ClientError> {
        let get = |repository: &Self| {
            let mut headers = repository.headers();
            headers.push(("accept", MANIFESTS));
            repository.http.get(url, &headers)
        };
        let answer = get(self)?;
        if answer.status != 401 || self.authorization.is_some() {
            return Ok(answer);
        }
        let challenge = answer.header("www-authenticate").unwrap_or("").to_owned();
        self.authorization = self.authorize(&challenge)?;
        if self.authorization.is_none() {
            return Ok(answer);
        }
        get(self)
    }

    /// What a registry's challenge asks for: a token of its service, or the login itself.
    fn authorize(&self, challenge: &str) -> Result<Option<String>, ClientError> {
        let login = self.login();
        let Some(parameters) = challenge.strip_prefix("Bearer ") else {
            return Ok(login);
        };
        let parameter = |name: &str| {
            let start = parameters.find(&format!("{name}=\""))? + name.len() + 2;
            parameters[start..].split('"').next()
        };
        let realm = parameter("realm").unwrap_or_default();
        let mut url = Url::parse(realm).map_err(|error| {
            malformed(
                &self.base,
                format!("it names {realm:?} for tokens, which is no address: {error}"),
            )
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
        let answer = self.http.get(url.as_str(), &headers)?.ok()?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = ["token", "access_token"]
            .into_iter()
            .find_map(|name| body.get(name)?.as_str());
        match token {
            Some(token) => Ok(Some(format!("Bearer {token}"))),
            None => Err(malformed(realm, "it gave no token".to_owned())),
        }
    }

    /// The login that Docker's settings hold for the host.
    fn login(&self) -> Option<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this adapter's logins are in a file"
        )]
        let text = std::fs::read(self.docker_settings.as_ref()?.join("config.json")).ok()?;
        let settings: Value = serde_json::from_slice(&text).ok()?;
        let auths = settings.get("auths")?;
        let entry = auths
            .get(&self.authority)
            .or_else(|| auths.get(format!("https://{}", self.authority)))?;
        let login = entry.get("auth")?.as_str()?;
        Some(format!("Basic {login}"))
    }
}

/// Where the next page of a list is, as the header `Link` says.
fn next_page(url: &str, link: Option<&str>) -> Option<String> {
    let link = link?;
    if !link.contains("rel=\"next\"") {
        return None;
    }
    let target = link.split_once('<')?.1.split_once('>')?.0;
    Some(Url::parse(url).ok()?.join(target).ok()?.to_string())
}

fn malformed(url: &str, why: String) -> ClientError {
    ClientError::Malformed {
        url: url.to_owned(),
        why,
    }
}
