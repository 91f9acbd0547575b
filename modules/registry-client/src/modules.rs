//! The protocol of module registries, `modules.v1`.

use std::fmt;
use std::sync::Arc;

use terrace_addr::version::Version;
use url::Url;

use crate::{ClientError, Discovery, Host, Http, Listing};

mod wire {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Location {
        pub(super) location: String,
    }
}

/// A module of a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleName {
    /// The registry's host.
    pub host: Host,
    /// Whose it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it is for: a provider's name, as a rule.
    pub target: String,
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path())
    }
}

impl ModuleName {
    fn path(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.name, self.target)
    }
}

/// Asks module registries.
#[derive(Clone, Debug)]
pub struct ModuleRegistry {
    discovery: Arc<Discovery>,
}

impl ModuleRegistry {
    /// With what finds registries.
    pub fn new(discovery: Arc<Discovery>) -> Self {
        Self { discovery }
    }

    /// The versions of a module that may be selected, those that are no versions left out; `None` where the registry does
    /// not know it.
    pub fn versions(&self, module: &ModuleName) -> Result<Option<Vec<Version>>, ClientError> {
        let listing = self.listing(module)?;
        Ok(listing.map(|listing| {
            let versions = listing.versions.into_iter();
            versions.map(|listed| listed.version).collect()
        }))
    }

    /// All that the registry says of a module's versions; `None` where it does not know the module.
    pub fn listing(&self, module: &ModuleName) -> Result<Option<Listing>, ClientError> {
        let url = self.address(module, "versions")?;
        let Some(answer) = self
            .discovery
            .get(&module.host, &url, Http::get_confirmed)?
        else {
            return Ok(None);
        };
        Listing::parse(&answer.body)
            .map(Some)
            .map_err(|error| ClientError::Malformed {
                url: answer.url.clone(),
                why: error.to_string(),
            })
    }

    /// The envelope of the statement about a version's package, by its digest as [`Listing`] has it; `None` where the
    /// registry has none. Whether it has that digest is for the caller to see.
    pub fn statement(
        &self,
        module: &ModuleName,
        version: &Version,
        digest: &str,
    ) -> Result<Option<Vec<u8>>, ClientError> {
        let url = self.address(module, &format!("{version}/statement-{digest}.json"))?;
        let answer = self.discovery.get(&module.host, &url, Http::get)?;
        Ok(answer.map(|answer| answer.body))
    }

    /// Where a version's package is, as the source text that fetches it.
    pub fn location(&self, module: &ModuleName, version: &Version) -> Result<String, ClientError> {
        let url = self.address(module, &format!("{version}/download"))?;
        let malformed = |why: String| ClientError::Malformed {
            url: url.to_string(),
            why,
        };
        let Some(answer) = self.discovery.get(&module.host, &url, Http::get)? else {
            return Err(ClientError::Status {
                url: url.to_string(),
                status: 404,
                body: String::new(),
            });
        };
        let location = match answer.header("x-terraform-get") {
            Some(location) => location.to_owned(),
            None => serde_json::from_slice::<wire::Location>(&answer.body)
                .map(|body| body.location)
                .map_err(|_| malformed("it names no location to download from".to_owned()))?,
        };
        if location.is_empty() {
            return Err(malformed(
                "the location to download from is empty".to_owned(),
            ));
        }
        let relative = ["/", "./", "../"]
            .iter()
            .any(|start| location.starts_with(start));
        if !relative {
            return Ok(location);
        }
        let base = Url::parse(&answer.url).unwrap_or(url.clone());
        let (path, inside) = split_inside(&location);
        let mut joined = base
            .join(&path)
            .map_err(|error| malformed(format!("{location:?} is no location: {error}")))?
            .to_string();
        if let Some(inside) = inside {
            let (address, query) = match joined.split_once('?') {
                Some((address, query)) => (address.to_owned(), format!("?{query}")),
                None => (joined, String::new()),
            };
            joined = format!("{address}//{inside}{query}");
        }
        Ok(joined)
    }

    fn address(&self, module: &ModuleName, rest: &str) -> Result<Url, ClientError> {
        let base = self
            .discovery
            .service(&module.host, "modules.v1", "a module registry")?;
        let text = format!("{}/{rest}", module.path());
        base.join(&text).map_err(|error| ClientError::Malformed {
            url: base.to_string(),
            why: error.to_string(),
        })
    }
}

/// Takes `//directory` out of a relative location, which joining would make a single slash of.
fn split_inside(location: &str) -> (String, Option<String>) {
    let (path, query) = match location.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (location, String::new()),
    };
    match path.split_once("//") {
        Some((path, inside)) => (format!("{path}{query}"), Some(inside.to_owned())),
        None => (location.to_owned(), None),
    }
}
