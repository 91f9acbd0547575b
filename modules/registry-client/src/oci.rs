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
    /// What is asked for where a token is: `pull`, or `pull,push`.
    access: &'static str,
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
            access: "pull",
        }
    }

    /// The same repository to someone who writes there.
    #[must_use]
    pub fn for_writing(mut self) -> Self {
        self.access = "pull,push";
        self
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
        Ok(self.resolve(reference)?.map(|(_, manifest)| manifest))
    }

    /// As [`OciRepository::manifest`], with the manifest's own digest before it.
    pub fn resolve(&mut self, reference: &str) -> Result<Option<(String, Value)>, ClientError> {
        let url = format!("{}/manifests/{reference}", self.base);
        let answer = self.ask(&url)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let answer = answer.ok()?;
        let digest = digest_of(&answer.body);
        if reference.starts_with("sha256:") && digest != reference {
            return Err(malformed(
                &url,
                format!("the manifest of {reference} has another digest"),
            ));
        }
        let manifest = serde_json::from_slice(&answer.body)
            .map_err(|error| malformed(&url, format!("it is no manifest: {error}")))?;
        Ok(Some((digest, manifest)))
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

    /// A blob's content, held to its digest; `None` where there is none.
    pub fn blob(&mut self, digest: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let url = self.blob_address(digest);
        let answer = self.ask(&url)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let answer = answer.ok()?;
        if digest != digest_of(&answer.body) {
            return Err(malformed(
                &url,
                format!("the blob {digest} has another digest"),
            ));
        }
        Ok(Some(answer.body))
    }

    /// The manifests that say they are about the one with this digest, by their digests, of an artifact's type: by the
    /// registry's list of them, or by the tag that stands for it where there is no such list.
    pub fn referrers(&mut self, digest: &str, kind: &str) -> Result<Vec<String>, ClientError> {
        let url = format!("{}/referrers/{digest}", self.base);
        let answer = self.ask(&url)?;
        let index = match answer.status {
            200 => serde_json::from_slice(&answer.body).ok(),
            _ => self.manifest(&fallback_tag(digest))?,
        };
        let manifests = index
            .as_ref()
            .and_then(|index: &Value| index.get("manifests")?.as_array());
        let of_kind = manifests
            .into_iter()
            .flatten()
            .filter(|manifest| manifest.get("artifactType").and_then(Value::as_str) == Some(kind));
        let digests = of_kind.filter_map(|manifest| manifest.get("digest")?.as_str());
        Ok(digests.map(str::to_owned).collect())
    }

    /// Uploads a blob, unless it is there, and gives its digest.
    pub fn push_blob(&mut self, content: &[u8]) -> Result<String, ClientError> {
        let digest = digest_of(content);
        let there = self.send("HEAD", &self.blob_address(&digest), "", Vec::new())?;
        if there.status == 200 {
            return Ok(digest);
        }
        let url = format!("{}/blobs/uploads/", self.base);
        let begun = self.send("POST", &url, "", Vec::new())?.ok()?;
        let place = begun
            .header("location")
            .and_then(|place| Url::parse(&begun.url).ok()?.join(place).ok());
        let Some(mut place) = place else {
            return Err(malformed(&url, "it names no place to upload to".to_owned()));
        };
        place.query_pairs_mut().append_pair("digest", &digest);
        let kind = "application/octet-stream";
        self.send("PUT", place.as_str(), kind, content.to_vec())?
            .ok()?;
        Ok(digest)
    }

    /// Uploads a manifest under a tag, or under its digest where no tag is given, and gives its digest.
    pub fn push_manifest(
        &mut self,
        tag: Option<&str>,
        kind: &str,
        manifest: &[u8],
    ) -> Result<String, ClientError> {
        let digest = digest_of(manifest);
        let url = format!("{}/manifests/{}", self.base, tag.unwrap_or(&digest));
        self.send("PUT", &url, kind, manifest.to_vec())?.ok()?;
        Ok(digest)
    }

    /// The tag that lists the manifests about the one with this digest, where a registry does not.
    pub fn fallback_tag(digest: &str) -> String {
        fallback_tag(digest)
    }

    fn send(
        &mut self,
        method: &'static str,
        url: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<crate::Answer, ClientError> {
        let send = |repository: &Self, body: Vec<u8>| {
            let mut headers = repository.headers();
            if !kind.is_empty() {
                headers.push(("content-type", kind));
            }
            repository.http.send_body(method, url, &headers, body)
        };
        if self.authorization.is_some() {
            return send(self, body);
        }
        let answer = send(self, body.clone())?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let challenge = answer.header("www-authenticate").unwrap_or("").to_owned();
        self.authorization = self.authorize(&challenge)?;
        if self.authorization.is_none() {
            return Ok(answer);
        }
        send(self, body)
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
        let scope = format!("repository:{}:{}", self.name, self.access);
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

/// A content's digest as registries write it.
fn digest_of(content: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(content))
}

fn fallback_tag(digest: &str) -> String {
    digest.replace(':', "-")
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
