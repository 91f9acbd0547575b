//! `terrace module publish`, `yank` and `deprecate`

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use terrace_addr::version::Version;
use terrace_diag::Diagnostic;
use terrace_module_package::{
    Attestation, Catalogue, CatalogueError, Deprecation, ModuleAddress, ModuleArchive,
    OciPublication, OciPublishError, Provenance, Publication, join_upload, publish_oci,
};
use terrace_port::Clock as _;
use terrace_registry_client::{Answer, ClientError, Discovery, Host, Http, OciRepository};

use crate::args::{ModuleDeprecateArgs, ModulePublishArgs, PublishedVersionArgs};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::commands::plan::commit;
use crate::commands::registry::open_store;
use crate::installation::{discovery, http};
use crate::outside::{SystemClock, ask_program};
use crate::session::Session;
use crate::signing::unusable;

/// Where modules are published.
enum Target {
    /// Objects that a web server shows: a folder or a bucket.
    Objects(String),
    /// A repository of an OCI registry: its authority and name.
    Oci(String, String),
    /// A registry that answers by itself.
    Server(Host),
}

impl Target {
    fn parse(text: &str) -> Result<Self, CommandError> {
        if let Some(rest) = text.strip_prefix("oci://") {
            return match rest.split_once('/') {
                Some((authority, name)) if !authority.is_empty() && !name.is_empty() => Ok(
                    Self::Oci(authority.to_owned(), name.trim_matches('/').to_owned()),
                ),
                _ => Err(no_target(
                    text,
                    "an OCI repository is written oci://HOST/REPOSITORY",
                )),
            };
        }
        let is_path = ["./", "../", "/"]
            .iter()
            .any(|start| text.starts_with(start));
        if is_path || matches!(text, "." | "..") || text.starts_with("s3://") {
            return Ok(Self::Objects(text.to_owned()));
        }
        let host = text.strip_prefix("https://").unwrap_or(text);
        Host::parse(host.trim_end_matches('/'))
            .map(Self::Server)
            .map_err(|error| no_target(text, &error.to_string()))
    }
}

fn no_target(text: &str, why: &str) -> CommandError {
    Diagnostic::error(
        "invalid-publish-target",
        "Invalid place to publish to",
        format!("{text:?} is no place to publish modules to: {why}."),
    )
    .hint("name a registry's host, a folder (./DIR), s3://BUCKET/PREFIX?region=REGION or oci://HOST/REPOSITORY")
    .into()
}

fn read_name(text: &str) -> Result<ModuleAddress, CommandError> {
    text.parse()
        .map_err(|error: terrace_module_package::InvalidName| {
            CommandError::one(
                "invalid-module-package",
                "Invalid module name",
                format!("{error}."),
            )
        })
}

fn read_version(text: &str) -> Result<Version, CommandError> {
    text.strip_prefix('v').unwrap_or(text).parse().map_err(|_| {
        CommandError::one(
            "invalid-module-package",
            "Invalid version",
            format!("{text:?} is no version; one is written as 1.2.3 or 1.2.3-beta.1."),
        )
    })
}

pub(super) async fn publish(session: &Arc<Session>, args: &ModulePublishArgs) -> Outcome {
    let target = Target::parse(&args.to)?;
    let module = read_name(&args.module)?;
    let version = read_version(&args.version)?;
    let archive = ModuleArchive::pack(Path::new(&args.directory)).map_err(|error| {
        CommandError::one(
            "invalid-module-package",
            "Module cannot be packed",
            format!("{error}."),
        )
    })?;
    let provenance = provenance(session, args, &module, &version, &archive).await?;
    session.sign_with(args.key.as_deref());
    let named = args.key.as_deref();
    let signer = session.signer(named.or_else(|| session.environment.get("TERRACE_SSH_KEY")))?;
    let attestation = Attestation::sign(&*signer, &provenance).map_err(unusable)?;
    let place = match target {
        Target::Objects(place) => {
            let catalogue = Catalogue::new(open_store(session, &place).await?);
            let publication = Publication {
                module: &module,
                version: &version,
                archive: &archive,
                attestation: &attestation,
                at: SystemClock.now().0,
                takes_over: args.take_over,
            };
            catalogue
                .prepare(&args.site_path)
                .await
                .map_err(|error| refused(&error))?;
            let published = catalogue.publish(&publication).await;
            published.map_err(|error| refused(&error))?.place
        }
        Target::Oci(authority, name) => {
            let work = to_oci(session, authority, name, &version, &archive, &attestation);
            work.await?
        }
        Target::Server(host) => {
            let address = format!("{module}/{version}?takeover={}", args.take_over);
            let body = join_upload(&attestation, &archive).ok_or_else(|| {
                not_published("the signed statement is larger than anything that is read")
            })?;
            let kind = "application/vnd.terrace.module-upload";
            ask(session, &host, "PUT", address, kind, body).await?;
            format!("{host}/{module}")
        }
    };
    let text = if args.style.json {
        json!({
            "module": module.to_string(),
            "version": version.to_string(),
            "place": place,
            "digest": archive.digest(),
            "hash": archive.hash(),
            "signer": attestation.fingerprint,
        })
        .to_string()
    } else {
        format!(
            "Published {module} {version} to {place}.\n\n  archive    sha256:{}\n  files      {}\n  signed by  {}",
            archive.digest(),
            archive.hash(),
            attestation.fingerprint
        )
    };
    session.view.output(text);
    Ok(SUCCESS)
}

/// Where the package comes from, as far as the repository and the workflow that runs this tell.
async fn provenance(
    session: &Session,
    args: &ModulePublishArgs,
    module: &ModuleAddress,
    version: &Version,
    archive: &ModuleArchive,
) -> Result<Provenance, CommandError> {
    let variable = |name: &str| session.environment.get(name).map(str::to_owned);
    let commit = commit(session);
    let directory = Path::new(&args.directory);
    let uncommitted = match &commit {
        Some(_) => differs(directory).await,
        None => false,
    };
    if uncommitted && !args.allow_uncommitted {
        return Err(Diagnostic::error(
            "invalid-module-package",
            "Module differs from the commit",
            format!(
                "Files in {} are changed, or new, and not committed. The statement that is signed names the commit, and would say of the package what is not so.",
                args.directory
            ),
        )
        .hint("commit them, or publish with -allow-uncommitted, which the statement then says")
        .into());
    }
    let server = variable("GITHUB_SERVER_URL");
    let on_server = |rest: &str| server.as_ref().map(|server| format!("{server}/{rest}"));
    let repository = match variable("GITHUB_REPOSITORY").and_then(|name| on_server(&name)) {
        Some(address) => Some(address),
        None if commit.is_some() => origin(directory).await,
        None => None,
    };
    let run = variable("GITHUB_RUN_ID").zip(variable("GITHUB_REPOSITORY"));
    Ok(Provenance {
        repository,
        commit,
        reference: variable("GITHUB_REF"),
        uncommitted,
        directory: Some(args.directory.clone()).filter(|directory| directory != "."),
        workflow: variable("GITHUB_WORKFLOW_REF").and_then(|name| on_server(&name)),
        run: run.and_then(|(id, name)| on_server(&format!("{name}/actions/runs/{id}"))),
        made_at: SystemClock.now().0,
        ..Provenance::of(archive, module.clone(), version.clone())
    })
}

async fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let argv: Vec<String> = std::iter::once("git")
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect();
    let (code, output) = ask_program(&argv, directory).await.ok()?;
    (code == Some(0)).then(|| String::from_utf8_lossy(&output).trim().to_owned())
}

/// Whether files of a directory differ from the commit; that cannot be said where there is no git.
async fn differs(directory: &Path) -> bool {
    let status = git(directory, &["status", "--porcelain", "--", "."]).await;
    status.is_some_and(|lines| !lines.is_empty())
}

/// Where the repository comes from, without a login that may be in the address.
async fn origin(directory: &Path) -> Option<String> {
    let address = git(directory, &["config", "--get", "remote.origin.url"]).await?;
    let Ok(mut url) = url::Url::parse(&address) else {
        return Some(address);
    };
    // Addresses that hold no login cannot lose one.
    url.set_password(None).ok();
    if matches!(url.scheme(), "http" | "https") {
        url.set_username("").ok();
    }
    Some(url.to_string())
}

async fn to_oci(
    session: &Arc<Session>,
    authority: String,
    name: String,
    version: &Version,
    archive: &ModuleArchive,
    attestation: &Attestation,
) -> Result<String, CommandError> {
    let http = http(session);
    let settings = match session.environment.get("DOCKER_CONFIG") {
        Some(directory) => Some(directory.into()),
        None => session
            .environment
            .get("HOME")
            .map(|home| Path::new(home).join(".docker")),
    };
    let place = format!("oci://{authority}/{name}");
    let (version, archive, attestation) = (version.clone(), archive.clone(), attestation.clone());
    let digest = apart(move || {
        let mut repository = OciRepository::new(&http, &authority, &name, settings).for_writing();
        let publication = OciPublication {
            version: &version,
            archive: &archive,
            attestation: &attestation,
        };
        publish_oci(&mut repository, &publication).map_err(|error| match error {
            OciPublishError::AlreadyPublished { .. } => CommandError::one(
                "module-already-published",
                "Version is published already",
                format!("In {authority}, {error}."),
            ),
            error => not_published(&error.to_string()),
        })
    })
    .await?;
    Ok(format!("{place}@{digest}"))
}

/// Asks a registry's server for something that changes it.
async fn ask(
    session: &Arc<Session>,
    host: &Host,
    method: &'static str,
    address: String,
    kind: &'static str,
    body: Vec<u8>,
) -> Result<(), CommandError> {
    let http = http(session);
    let discovery = discovery(session, &http)?;
    let host = host.clone();
    let answer = apart(move || {
        send(&http, &discovery, &host, (method, &address), kind, body)
            .map_err(|error| not_published(&error.to_string()))
    })
    .await?;
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = said["errors"][0].as_str().unwrap_or("it says no more");
    let (id, summary) = match answer.status {
        401 | 403 => ("registry-not-allowed", "The registry does not allow this"),
        409 => ("module-already-published", "Version is published already"),
        _ => ("module-not-published", "The registry refuses"),
    };
    let mut diagnostic = Diagnostic::error(
        id,
        summary,
        format!(
            "{} answered with status {}: {said}",
            answer.url, answer.status
        ),
    );
    if answer.status == 401 {
        diagnostic = diagnostic.hint(
            "give the host's token by TF_TOKEN_… (dots as underscores), or in the CLI configuration",
        );
    }
    Err(diagnostic.into())
}

fn send(
    http: &Http,
    discovery: &Discovery,
    host: &Host,
    (method, address): (&'static str, &str),
    kind: &str,
    body: Vec<u8>,
) -> Result<Answer, ClientError> {
    let base = discovery.service(host, "modules.v1", "a module registry")?;
    let url = base.join(address).map_err(|error| ClientError::Malformed {
        url: base.to_string(),
        why: error.to_string(),
    })?;
    let authorization = discovery.authorization(host)?;
    let mut headers = vec![("content-type", kind)];
    if let Some(authorization) = &authorization {
        headers.push(("authorization", authorization));
    }
    http.send_body(method, url.as_str(), &headers, body)
}

/// Does what blocks apart from the threads of the runtime.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        CommandError::one(
            "internal",
            "Publishing broke off",
            format!("Publishing broke off: {error}. This is a bug in Terrace."),
        )
    })?
}

fn not_published(why: &str) -> CommandError {
    CommandError::one(
        "module-not-published",
        "Module is not published",
        format!("Nothing was published: {why}."),
    )
}

fn refused(error: &CatalogueError) -> CommandError {
    match error {
        CatalogueError::AlreadyPublished { .. } => CommandError::one(
            "module-already-published",
            "Version is published already",
            format!("Nothing was published: {error}."),
        ),
        CatalogueError::Begun { .. } => Diagnostic::error(
            "module-publication-begun",
            "Version is being published",
            format!("Nothing was published: {error}."),
        )
        .hint("wait for the other one; where it is gone, publish with -take-over, or publish the next version")
        .into(),
        CatalogueError::NoVersion { .. } => CommandError::one(
            "no-published-version",
            "No such version",
            format!("Nothing was changed: {error}."),
        ),
        error => not_published(&error.to_string()),
    }
}

/// What is said of a published version.
enum Notice {
    /// It is taken back.
    Yanked,
    /// It is not to be used any more; perhaps more is said elsewhere.
    Deprecated(Option<String>),
}

pub(super) async fn yank(session: &Arc<Session>, args: PublishedVersionArgs) -> Outcome {
    give_notice(session, args, Notice::Yanked).await
}

pub(super) async fn deprecate(session: &Arc<Session>, args: ModuleDeprecateArgs) -> Outcome {
    give_notice(session, args.version, Notice::Deprecated(args.link)).await
}

/// Says something of a version where it was published, or takes it back.
async fn give_notice(
    session: &Arc<Session>,
    args: PublishedVersionArgs,
    notice: Notice,
) -> Outcome {
    let module = read_name(&args.module)?;
    let version = read_version(&args.version)?;
    let what = match (&notice, args.undo) {
        (Notice::Yanked, false) => "Taken back",
        (Notice::Yanked, true) => "Given back",
        (Notice::Deprecated(_), false) => "Deprecated",
        (Notice::Deprecated(_), true) => "Not deprecated any more",
    };
    match Target::parse(&args.at)? {
        Target::Objects(place) => {
            let catalogue = Catalogue::new(open_store(session, &place).await?);
            let done = match notice {
                Notice::Yanked if args.undo => catalogue.restore(&module, &version).await,
                Notice::Yanked => catalogue.yank(&module, &version, &args.reason).await,
                Notice::Deprecated(link) => {
                    let reason = args.reason;
                    let said = (!args.undo).then_some(Deprecation { reason, link });
                    catalogue.deprecate(&module, &version, said.as_ref()).await
                }
            };
            done.map_err(|error| refused(&error))?;
        }
        Target::Server(host) => {
            let method = if args.undo { "DELETE" } else { "PUT" };
            let (path, body) = match notice {
                Notice::Yanked => ("yanked", json!({"reason": args.reason})),
                Notice::Deprecated(link) => {
                    ("deprecation", json!({"reason": args.reason, "link": link}))
                }
            };
            let address = format!("{module}/{version}/{path}");
            let body = body.to_string().into_bytes();
            ask(session, &host, method, address, "application/json", body).await?;
        }
        Target::Oci(..) => return Err(not_in_oci()),
    }
    changed(session, args.style.json, what, &module, &version);
    Ok(SUCCESS)
}

/// Says what was changed of a version.
fn changed(session: &Session, json: bool, what: &str, module: &ModuleAddress, version: &Version) {
    session.view.output(if json {
        let (module, version) = (module.to_string(), version.to_string());
        json!({"module": module, "version": version, "change": what}).to_string()
    } else {
        format!("{what}: {module} {version}.")
    });
}

fn not_in_oci() -> CommandError {
    CommandError::one(
        "not-supported-yet",
        "Not supported yet",
        "OCI registries keep no list of versions that could say this. Remove the tag, or publish to a registry of modules.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_publish_to_are_told_apart() {
        let kind = |text: &str| match Target::parse(text) {
            Ok(Target::Objects(_)) => "objects",
            Ok(Target::Oci(..)) => "oci",
            Ok(Target::Server(_)) => "server",
            Err(_) => "none",
        };
        for (text, expected) in [
            ("./public", "objects"),
            ("../public", "objects"),
            ("/srv/public", "objects"),
            (".", "objects"),
            ("s3://bucket/prefix?region=eu-west-1", "objects"),
            ("oci://ghcr.example/acme/network", "oci"),
            ("oci://ghcr.example", "none"),
            ("registry.example.com", "server"),
            ("https://registry.example.com/", "server"),
            ("localhost:8080", "server"),
            ("a b", "none"),
            ("http://x/y", "none"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
