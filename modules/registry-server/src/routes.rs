//! What the registry answers: a table, so that a test can walk all of it.

use std::collections::BTreeMap;

use crate::request::Method;

/// What a caller needs for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing: the route says nothing that not everybody may know.
    Nothing,
    /// A ticket that the registry gave for this very address, or the right to read.
    Ticket,
    /// The right to read.
    Read,
    /// The right to publish in the namespace that the address names.
    Publish,
    /// The right to give out tokens.
    Admin,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The discovery document.
    Discovery,
    /// Whether the registry works.
    Health,
    /// The style of pages.
    Style,
    /// The sign that browsers show for pages.
    Icon,
    /// The page with all modules and providers, or those that are looked for.
    SearchPage,
    /// The page of a module's newest version.
    ModulePage,
    /// The page of a version of a module.
    VersionPage,
    /// The page of a provider.
    ProviderPage,
    /// What is looked for, as a document.
    Search,
    /// The versions of a module.
    ModuleVersions,
    /// Where a version's archive is.
    ModuleDownload,
    /// A version's archive.
    ModuleArchive,
    /// What a version is.
    ModuleAbout,
    /// A version's statement.
    ModuleStatement,
    /// Publishes a version of a module.
    PublishModule,
    /// Takes a version back.
    YankModule,
    /// Gives it back.
    RestoreModule,
    /// Says that a version is not to be used any more.
    DeprecateModule,
    /// Takes that back.
    UndeprecateModule,
    /// The versions of a provider.
    ProviderVersions,
    /// Where a provider's package is.
    ProviderDownload,
    /// A file of a provider's release.
    ProviderFile,
    /// Uploads a file of a provider's release.
    UploadProviderFile,
    /// Publishes a provider's release of what was uploaded.
    PublishProvider,
    /// The tokens there are, without themselves.
    ListTokens,
    /// Makes a token.
    IssueToken,
    /// Ends a token.
    RevokeToken,
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path; parts in braces stand for any text.
    pub pattern: &'static str,
    /// What a caller needs.
    pub need: Need,
    /// What it does.
    pub action: Action,
    /// How many bytes the body of a request may have.
    pub largest: usize,
}

/// How large a module's upload may be.
const MODULE: usize = 128 << 20;
/// How large a file of a provider's release may be.
const PROVIDER: usize = 1 << 30;
/// How large other bodies may be.
const DOCUMENT: usize = 1 << 20;

const fn get(pattern: &'static str, need: Need, action: Action) -> Route {
    Route {
        method: Method::Get,
        pattern,
        need,
        action,
        largest: 0,
    }
}

const fn with_body(
    method: Method,
    pattern: &'static str,
    need: Need,
    action: Action,
    largest: usize,
) -> Route {
    Route {
        method,
        pattern,
        need,
        action,
        largest,
    }
}

/// All routes. Of two that fit, the first counts.
pub const ROUTES: &[Route] = &[
    get(
        "/.well-known/terraform.json",
        Need::Nothing,
        Action::Discovery,
    ),
    get("/health", Need::Nothing, Action::Health),
    get("/assets/style.css", Need::Nothing, Action::Style),
    get("/assets/icon.svg", Need::Nothing, Action::Icon),
    get("/", Need::Read, Action::SearchPage),
    get(
        "/modules/{namespace}/{name}/{system}",
        Need::Read,
        Action::ModulePage,
    ),
    get(
        "/modules/{namespace}/{name}/{system}/{version}",
        Need::Read,
        Action::VersionPage,
    ),
    get(
        "/providers/{namespace}/{name}",
        Need::Read,
        Action::ProviderPage,
    ),
    get("/v1/search", Need::Read, Action::Search),
    get(
        "/v1/modules/{namespace}/{name}/{system}/versions",
        Need::Read,
        Action::ModuleVersions,
    ),
    get(
        "/v1/modules/{namespace}/{name}/{system}/{version}/download",
        Need::Read,
        Action::ModuleDownload,
    ),
    get(
        "/v1/modules/{namespace}/{name}/{system}/{version}/module.zip",
        Need::Ticket,
        Action::ModuleArchive,
    ),
    get(
        "/v1/modules/{namespace}/{name}/{system}/{version}/about.json",
        Need::Read,
        Action::ModuleAbout,
    ),
    get(
        "/v1/modules/{namespace}/{name}/{system}/{version}/{statement}",
        Need::Read,
        Action::ModuleStatement,
    ),
    with_body(
        Method::Put,
        "/v1/modules/{namespace}/{name}/{system}/{version}",
        Need::Publish,
        Action::PublishModule,
        MODULE,
    ),
    with_body(
        Method::Put,
        "/v1/modules/{namespace}/{name}/{system}/{version}/yanked",
        Need::Publish,
        Action::YankModule,
        DOCUMENT,
    ),
    with_body(
        Method::Delete,
        "/v1/modules/{namespace}/{name}/{system}/{version}/yanked",
        Need::Publish,
        Action::RestoreModule,
        DOCUMENT,
    ),
    with_body(
        Method::Put,
        "/v1/modules/{namespace}/{name}/{system}/{version}/deprecation",
        Need::Publish,
        Action::DeprecateModule,
        DOCUMENT,
    ),
    with_body(
        Method::Delete,
        "/v1/modules/{namespace}/{name}/{system}/{version}/deprecation",
        Need::Publish,
        Action::UndeprecateModule,
        DOCUMENT,
    ),
    get(
        "/v1/providers/{namespace}/{name}/versions",
        Need::Read,
        Action::ProviderVersions,
    ),
    get(
        "/v1/providers/{namespace}/{name}/{version}/download/{os}/{arch}",
        Need::Read,
        Action::ProviderDownload,
    ),
    get(
        "/v1/providers/{namespace}/{name}/{version}/files/{file}",
        Need::Ticket,
        Action::ProviderFile,
    ),
    with_body(
        Method::Put,
        "/v1/providers/{namespace}/{name}/{version}/files/{file}",
        Need::Publish,
        Action::UploadProviderFile,
        PROVIDER,
    ),
    with_body(
        Method::Put,
        "/v1/providers/{namespace}/{name}/{version}",
        Need::Publish,
        Action::PublishProvider,
        DOCUMENT,
    ),
    get("/v1/tokens", Need::Admin, Action::ListTokens),
    with_body(
        Method::Put,
        "/v1/tokens/{token}",
        Need::Admin,
        Action::IssueToken,
        DOCUMENT,
    ),
    with_body(
        Method::Delete,
        "/v1/tokens/{token}",
        Need::Admin,
        Action::RevokeToken,
        DOCUMENT,
    ),
];

/// The parts of a path that stand for any text, by the names in the route's pattern.
pub(crate) type Parameters = BTreeMap<&'static str, String>;

impl Route {
    /// What a path's parts are by this route, if it fits. Parts are taken as they were sent: no name of a registry needs
    /// an escape, and one that has some fits nothing that exists.
    pub(crate) fn fits(&self, path: &str) -> Option<Parameters> {
        let mut parameters = Parameters::new();
        let mut parts = path.split('/');
        for expected in self.pattern.split('/') {
            let part = parts.next()?;
            let name = expected
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            match name {
                Some(_) if part.is_empty() => return None,
                Some(name) => {
                    parameters.insert(name, part.to_owned());
                }
                None if part != expected => return None,
                None => {}
            }
        }
        parts.next().is_none().then_some(parameters)
    }
}

/// The route of a request; or whether another method would have had one.
pub(crate) fn find(method: Method, path: &str) -> Result<(&'static Route, Parameters), bool> {
    let mut other_method = false;
    for route in ROUTES {
        if let Some(parameters) = route.fits(path) {
            if route.method == method {
                return Ok((route, parameters));
            }
            other_method = true;
        }
    }
    Err(other_method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_route_that_fits_counts() {
        let action = |method, path: &str| find(method, path).map(|(route, _)| route.action);
        assert_eq!(action(Method::Get, "/"), Ok(Action::SearchPage));
        let base = "/v1/modules/a/b/c";
        for (rest, expected) in [
            ("versions", Action::ModuleVersions),
            ("1.0.0/download", Action::ModuleDownload),
            ("1.0.0/module.zip", Action::ModuleArchive),
            ("1.0.0/statement-x.json", Action::ModuleStatement),
        ] {
            let address = format!("{base}/{rest}");
            assert_eq!(action(Method::Get, &address), Ok(expected));
        }
        assert_eq!(
            action(Method::Put, "/v1/modules/a/b/c/1.0.0"),
            Ok(Action::PublishModule)
        );
        assert_eq!(action(Method::Get, "/v1/modules//b/c/versions"), Err(false));
        assert_eq!(
            action(Method::Get, "/v1/modules/a/b/c/versions/"),
            Err(false)
        );
        assert_eq!(action(Method::Post, "/"), Err(true));
        assert_eq!(action(Method::Get, ""), Err(false));
    }

    #[test]
    fn who_may_write_must_have_more_than_the_right_to_read() {
        for route in ROUTES {
            if route.method != Method::Get {
                assert!(route.need >= Need::Publish, "{route:?}");
            }
        }
    }

    #[test]
    fn every_pattern_fits_itself() {
        for route in ROUTES {
            let path = route.pattern.replace(['{', '}'], "");
            let (found, _) = find(route.method, &path).unwrap();
            assert_eq!(found.action, route.action, "{path}");
        }
    }
}
