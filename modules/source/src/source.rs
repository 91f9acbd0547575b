//! What a source text names.

use std::fmt;

use terrace_registry_client::{DEFAULT_HOST, Host, ModuleName};

/// A module's source, as it is written in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleSource {
    /// A path relative to the calling module: it starts with `./` or `../`.
    Local(String),
    /// A module of a registry: `namespace/name/target` or `host/namespace/name/target`, perhaps with `//subdirectory`.
    Registry(RegistrySource),
    /// Something to fetch: an address with a scheme, a forge's short form, an archive.
    Remote(RemoteSource),
}

/// A registry's module and a directory in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrySource {
    /// The module.
    pub module: ModuleName,
    /// The directory in its package; empty for the package itself.
    pub subdirectory: String,
}

/// A package to fetch and a directory in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSource {
    /// How to fetch it: `git`, `http`, `s3` and the like.
    pub getter: String,
    /// Whether the way is written before the address, as in `git::https://…`.
    pub forced: bool,
    /// The address, without the query.
    pub address: String,
    /// The query, without its question mark; empty where there is none.
    pub query: String,
    /// The directory in the package; empty for the package itself.
    pub subdirectory: String,
}

impl ModuleSource {
    /// Reads a source; or says what is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        if source.starts_with("./") || source.starts_with("../") {
            return Ok(Self::Local(clean_local(source)));
        }
        let failed = |why: String| format!("Failed to parse module source address: {why}.");
        if !is_remote(source) {
            let (package, subdirectory) = split_subdirectory(source);
            let subdirectory = clean_subdirectory(&subdirectory).map_err(failed)?;
            if let Some(module) = registry_module(&package) {
                return Ok(Self::Registry(RegistrySource {
                    module,
                    subdirectory,
                }));
            }
        }
        match RemoteSource::parse(source) {
            Ok(Some(remote)) => Ok(Self::Remote(remote)),
            Ok(None) => Err(format!(
                "Terrace failed to determine your intended installation method for remote module package \"{source}\".\n\nIf you intended this as a path relative to the current module, use \"./{source}\" instead. The \"./\" prefix indicates that the address is a relative filesystem path."
            )),
            Err(why) => Err(failed(why)),
        }
    }

    /// The source as manifests hold it: in full, with the host of a registry and the scheme of an address.
    pub fn full(&self) -> String {
        match self {
            Self::Local(text) => text.clone(),
            Self::Registry(source) => source.to_string(),
            Self::Remote(source) => source.to_string(),
        }
    }
}

impl fmt::Display for RegistrySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.module)?;
        if self.subdirectory.is_empty() {
            Ok(())
        } else {
            write!(f, "//{}", self.subdirectory)
        }
    }
}

impl fmt::Display for RemoteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.forced {
            write!(f, "{}::", self.getter)?;
        }
        f.write_str(&self.address)?;
        if !self.subdirectory.is_empty() {
            write!(f, "//{}", self.subdirectory)?;
        }
        if self.query.is_empty() {
            Ok(())
        } else {
            write!(f, "?{}", self.query)
        }
    }
}

/// Parameters that are secrets.
const SECRET_PARAMETERS: [&str; 3] = ["sshkey", "aws_access_key_secret", "aws_access_token"];

impl RemoteSource {
    /// Reads an address; `None` where nothing says how it is to be fetched.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let (package, subdirectory) = split_subdirectory(text);
        let (forced, rest) = split_getter(&package);
        let (bare, query) = rest.split_once('?').unwrap_or((rest, ""));
        let Some(detected) = detect(bare)? else {
            return Ok(None);
        };
        let mut subdirectory = subdirectory;
        if !detected.subdirectory.is_empty() {
            subdirectory = format!("{}/{subdirectory}", detected.subdirectory);
        }
        let getter = forced.map(str::to_owned).or(detected.getter);
        let scheme = || {
            let scheme = detected.address.split_once("://").map(|(scheme, _)| scheme);
            scheme.unwrap_or_default().to_owned()
        };
        Ok(Some(Self {
            forced: getter.is_some(),
            getter: getter.unwrap_or_else(scheme),
            query: query.to_owned(),
            subdirectory: clean_subdirectory(&subdirectory)?,
            address: detected.address,
        }))
    }

    /// The package itself, without a directory in it.
    #[must_use]
    pub fn package(&self) -> Self {
        Self {
            subdirectory: String::new(),
            ..self.clone()
        }
    }

    /// The address for people and lock files: nothing in it is a secret.
    pub fn for_display(&self) -> String {
        let mut shown = self.clone();
        if let Some((scheme, rest)) = self.address.split_once("://")
            && let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()))
            && let Some((user, host)) = authority.rsplit_once('@')
            && let Some((name, _)) = user.split_once(':')
        {
            shown.address = format!("{scheme}://{name}:REDACTED@{host}{path}");
        }
        let parameters = self.query.split('&').map(|parameter| {
            let name = parameter.split('=').next().unwrap_or("");
            if SECRET_PARAMETERS.contains(&name) {
                format!("{name}=REDACTED")
            } else {
                parameter.to_owned()
            }
        });
        shown.query = parameters.collect::<Vec<_>>().join("&");
        shown.to_string()
    }

    /// A directory of this machine.
    pub(crate) fn local_path(&self) -> Option<&str> {
        (self.getter == "file").then(|| {
            self.address
                .strip_prefix("file://")
                .unwrap_or(&self.address)
        })
    }
}

/// What a text without a scheme stands for.
#[derive(Default)]
struct Detected {
    getter: Option<String>,
    address: String,
    subdirectory: String,
}

impl Detected {
    fn new(getter: &str, address: String, subdirectory: String) -> Self {
        Self {
            getter: Some(getter.to_owned()),
            address,
            subdirectory,
        }
    }
}

fn detect(text: &str) -> Result<Option<Detected>, String> {
    if text.contains("://") {
        return Ok(Some(Detected {
            address: text.to_owned(),
            ..Detected::default()
        }));
    }
    if text.starts_with('/') {
        return Ok(Some(Detected {
            address: format!("file://{}", text.trim_end_matches('/')),
            ..Detected::default()
        }));
    }
    for (host, name) in [("github.com", "GitHub"), ("bitbucket.org", "BitBucket")] {
        if let Some(rest) = text.strip_prefix(&format!("{host}/")) {
            return forge(host, name, rest).map(Some);
        }
    }
    if let Some(found) = scp_form(text) {
        return Ok(Some(found));
    }
    if let Some((host, path)) = text.split_once('/')
        && host.ends_with(".amazonaws.com")
    {
        return amazon(host, path).map(Some);
    }
    if text.starts_with("www.googleapis.com/storage/") {
        return Ok(Some(Detected::new(
            "gcs",
            format!("https://{text}"),
            String::new(),
        )));
    }
    Ok(None)
}

/// `user/repository` of a forge, perhaps with a directory.
fn forge(host: &str, name: &str, rest: &str) -> Result<Detected, String> {
    let mut parts = rest.splitn(3, '/');
    let (Some(user), Some(repository)) = (parts.next(), parts.next()) else {
        return Err(format!("{name} URLs should be {host}/username/repo"));
    };
    if user.is_empty() || repository.is_empty() {
        return Err(format!("{name} URLs should be {host}/username/repo"));
    }
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    Ok(Detected::new(
        "git",
        format!("https://{host}/{user}/{repository}.git"),
        parts.next().unwrap_or("").to_owned(),
    ))
}

/// `user@host:path`, as SSH clients have it.
fn scp_form(text: &str) -> Option<Detected> {
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let named = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !named(user) || !named(host) || path.is_empty() {
        return None;
    }
    let path = path.trim_start_matches('/');
    Some(Detected::new(
        "git",
        format!("ssh://{user}@{host}/{path}"),
        String::new(),
    ))
}

/// A bucket by its host, as an address by its path.
fn amazon(host: &str, path: &str) -> Result<Detected, String> {
    let labels: Vec<&str> = host.split('.').collect();
    let is_service = |label: &&str| *label == "s3" || label.starts_with("s3-");
    let Some(at) = labels.iter().position(is_service) else {
        return Err("URL is not a valid S3 URL".to_owned());
    };
    let service = labels[at..].join(".");
    let address = if at == 0 {
        format!("https://{service}/{path}")
    } else {
        format!("https://{service}/{}/{path}", labels[..at].join("."))
    };
    Ok(Detected::new("s3", address, String::new()))
}

/// Splits `package//directory`; a query behind the directory belongs to the package.
pub(crate) fn split_subdirectory(source: &str) -> (String, String) {
    let start = source.find("://").map_or(0, |at| at + 3);
    let end = source.find('?').unwrap_or(source.len());
    let Some(at) = source
        .get(start..end)
        .and_then(|text| text.find("//"))
        .map(|at| at + start)
    else {
        return (source.to_owned(), String::new());
    };
    let package = format!("{}{}", &source[..at], &source[end..]);
    (package, source[at + 2..end].to_owned())
}

/// A local path without needless steps, which still begins as local paths do.
fn clean_local(source: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in source.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let clean = steps.join("/");
    if clean.starts_with("../") {
        clean
    } else if clean.is_empty() {
        "./.".to_owned()
    } else {
        format!("./{clean}")
    }
}

/// A directory within a package, without needless steps; one that leads out of it is refused.
pub(crate) fn clean_subdirectory(text: &str) -> Result<String, String> {
    let mut steps: Vec<&str> = Vec::new();
    for step in text.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.pop().is_some() => {}
            ".." => {
                return Err(format!(
                    "subdirectory path \"{text}\" leads outside of the module package"
                ));
            }
            step => steps.push(step),
        }
    }
    Ok(steps.join("/"))
}

fn split_getter(text: &str) -> (Option<&str>, &str) {
    match text.split_once("::") {
        Some((getter, rest))
            if !getter.is_empty() && getter.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            (Some(getter), rest)
        }
        _ => (None, text),
    }
}

fn is_remote(source: &str) -> bool {
    const SHORT_FORMS: [&str; 4] = ["github.com/", "bitbucket.org/", "gitlab.com/", "git@"];
    source.starts_with('/')
        || source.contains("://")
        || source.contains("::")
        || SHORT_FORMS.iter().any(|form| source.starts_with(form))
}

fn registry_module(package: &str) -> Option<ModuleName> {
    let parts: Vec<&str> = package.split('/').collect();
    let (host, [namespace, name, target]) = match *parts.as_slice() {
        [host, namespace, name, target]
            if host.contains('.') || host.contains(':') || host == "localhost" =>
        {
            (host, [namespace, name, target])
        }
        [namespace, name, target] => (DEFAULT_HOST, [namespace, name, target]),
        _ => return None,
    };
    let edge = |c: char| c.is_ascii_alphanumeric();
    let is_name = |name: &str| {
        name.len() <= 64
            && name.starts_with(edge)
            && name.ends_with(edge)
            && name.chars().all(|c| edge(c) || c == '-' || c == '_')
    };
    let is_target = !target.is_empty()
        && target.len() <= 64
        && target
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (is_name(namespace) && is_name(name) && is_target).then_some(())?;
    Some(ModuleName {
        host: Host::parse(host).ok()?,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        target: target.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_made_full() {
        for (source, full) in [
            ("./a", "./a"),
            ("../a", "../a"),
            ("../", "./.."),
            ("./a//b/../", "./a"),
            ("./", "./."),
            (
                "hashicorp/consul/aws",
                "registry.terraform.io/hashicorp/consul/aws",
            ),
            ("Example.com/a/b/c//sub", "example.com/a/b/c//sub"),
            ("localhost:8080/a/b/c", "localhost:8080/a/b/c"),
            (
                "git::https://example.com/x.git?ref=v1",
                "git::https://example.com/x.git?ref=v1",
            ),
            (
                "git::https://example.com/x.git//a/./b/?ref=v1",
                "git::https://example.com/x.git//a/b?ref=v1",
            ),
            ("github.com/a/b", "git::https://github.com/a/b.git"),
            (
                "github.com/a/b.git//c?ref=x",
                "git::https://github.com/a/b.git//c?ref=x",
            ),
            ("github.com/a/b/c", "git::https://github.com/a/b.git//c"),
            ("bitbucket.org/a/b", "git::https://bitbucket.org/a/b.git"),
            (
                "git@github.com:a/b.git//c?ref=v1",
                "git::ssh://git@github.com/a/b.git//c?ref=v1",
            ),
            (
                "git::me@host.example:a/b.git",
                "git::ssh://me@host.example/a/b.git",
            ),
            ("/abs/x", "file:///abs/x"),
            ("git::/abs/x", "git::file:///abs/x"),
            (
                "https://example.com/x.zip//m?archive=zip",
                "https://example.com/x.zip//m?archive=zip",
            ),
            (
                "bucket.s3.amazonaws.com/k/x.zip",
                "s3::https://s3.amazonaws.com/bucket/k/x.zip",
            ),
            (
                "www.googleapis.com/storage/v1/bucket/x.zip",
                "gcs::https://www.googleapis.com/storage/v1/bucket/x.zip",
            ),
            (
                "oci://example.com/x//y?tag=1",
                "oci://example.com/x//y?tag=1",
            ),
        ] {
            let parsed = ModuleSource::parse(source);
            assert_eq!(parsed.map(|source| source.full()), Ok(full.to_owned()));
        }
    }

    #[test]
    fn what_says_nothing_of_the_way_is_refused() {
        let error = |source: &str| ModuleSource::parse(source).unwrap_err();
        assert!(error("foo").contains("use \"./foo\" instead"));
        assert!(error("a/b/C").contains("failed to determine"));
        assert!(error("github.com/a").contains("github.com/username/repo"));
        for source in ["a/b/c//../x", "/abs//x/../../y", "git::https://h/r//.."] {
            assert!(error(source).contains("leads outside of the module package"));
        }
        assert!(ModuleSource::parse("5").is_err());
        assert!(ModuleSource::parse("").is_err());
        assert!(ModuleSource::parse(".").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let source = RemoteSource::parse("git::https://me:secret@host/x.git//d?ref=v1&sshkey=AAAA");
        assert_eq!(
            source.unwrap().unwrap().for_display(),
            "git::https://me:REDACTED@host/x.git//d?ref=v1&sshkey=REDACTED"
        );
    }
}
