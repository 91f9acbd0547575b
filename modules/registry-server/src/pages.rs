//! The pages for people: what there is, and what a module takes and gives.

use std::fmt::Write as _;

use serde_json::json;
use terrace_addr::version::Version;
use terrace_module_package::{About, Attestation, Listed, Listing, ModuleAddress, ProviderAddress};

use crate::RegistryError;
use crate::html::{code, escape, listing, page, table};
use crate::markdown;
use crate::modules::{missing, module_of, read_version};
use crate::providers::provider_of;
use crate::registry::{Admission, Registry};
use crate::request::Reply;

/// The style of all pages.
const STYLE: &str = include_str!("assets/style.css");
/// The sign of all pages.
const ICON: &str = include_str!("assets/icon.svg");
/// What pages may load: their style and their sign from here, and nothing else from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// How many things a page or a document of found things names at most.
const MOST_FOUND: usize = 200;

/// A module as lists show it.
struct Found {
    module: ModuleAddress,
    newest: Listed,
    summary: String,
}

pub(crate) fn style() -> Reply {
    Reply::of("text/css; charset=utf-8", STYLE.as_bytes()).header("cache-control", "max-age=3600")
}

pub(crate) fn icon() -> Reply {
    Reply::of("image/svg+xml", ICON.as_bytes()).header("cache-control", "max-age=3600")
}

fn reply(text: String) -> Reply {
    Reply::of("text/html; charset=utf-8", text.into_bytes())
        .header("content-security-policy", POLICY)
        .header("cache-control", "no-cache")
}

impl Registry {
    /// The modules whose names or summaries hold all words that are looked for.
    async fn found(&self, words: &[String]) -> Result<Vec<Found>, RegistryError> {
        let mut found = Vec::new();
        for module in self.catalogue.modules().await? {
            let Some(listing) = self.catalogue.listing(&module).await? else {
                continue;
            };
            let Some(newest) = newest(&listing).cloned() else {
                continue;
            };
            let about = self.catalogue.about(&module, &newest.version).await?;
            let summary = about.unwrap_or_default().summary();
            let text = format!("{module} {summary}").to_lowercase();
            if words.iter().all(|word| text.contains(word)) {
                found.push(Found {
                    module,
                    newest,
                    summary,
                });
            }
            if found.len() == MOST_FOUND {
                break;
            }
        }
        Ok(found)
    }

    async fn found_providers(
        &self,
        words: &[String],
    ) -> Result<Vec<ProviderAddress>, RegistryError> {
        let mut providers = self.providers().await?;
        providers.retain(|provider| {
            let name = provider.to_string().to_lowercase();
            words.iter().all(|word| name.contains(word))
        });
        providers.truncate(MOST_FOUND);
        Ok(providers)
    }

    pub(crate) async fn search(&self, admission: &Admission) -> Result<Reply, RegistryError> {
        let words = words(looked_for(admission));
        let modules = self.found(&words).await?;
        let modules: Vec<_> = modules
            .iter()
            .map(|found| {
                json!({
                    "id": found.module.to_string(),
                    "version": found.newest.version.to_string(),
                    "description": found.summary,
                    "published_at": found.newest.published,
                })
            })
            .collect();
        let providers = self.found_providers(&words).await?;
        let providers: Vec<String> = providers.iter().map(ToString::to_string).collect();
        Ok(Reply::json(
            &json!({"modules": modules, "providers": providers}),
        ))
    }

    pub(crate) async fn search_page(&self, admission: &Admission) -> Result<Reply, RegistryError> {
        let looked_for = looked_for(admission);
        let words = words(looked_for);
        let modules = self.found(&words).await?;
        let providers = self.found_providers(&words).await?;
        let mut main = if words.is_empty() {
            "<h1>Modules and providers</h1>\n".to_owned()
        } else {
            format!("<h1>Found for “{}”</h1>\n", escape(looked_for))
        };
        let counts = format!(
            "<p role=\"status\">{} and {}.</p>\n",
            count(modules.len(), "module"),
            count(providers.len(), "provider")
        );
        main.push_str(&counts);
        let rows: Vec<Vec<String>> = modules.iter().map(row).collect();
        main.push_str(&section(
            "Modules",
            &table(
                "Modules",
                &["Module", "Newest version", "What it is"],
                &rows,
            ),
        ));
        let rows: Vec<Vec<String>> = providers
            .iter()
            .map(|provider| {
                let name = escape(&provider.to_string());
                vec![format!("<a href=\"/providers/{name}\">{name}</a>")]
            })
            .collect();
        main.push_str(&section(
            "Providers",
            &table("Providers", &["Provider"], &rows),
        ));
        Ok(reply(page("Modules and providers", looked_for, &main)))
    }

    pub(crate) async fn module_page(&self, admission: &Admission) -> Result<Reply, RegistryError> {
        let module = module_of(admission)?;
        let listing = self.listing(&module).await?;
        let version = match admission.part("version") {
            "" => newest(&listing)
                .or(listing.yanked.first().map(|yanked| &yanked.listed))
                .map(|listed| listed.version.clone())
                .ok_or_else(|| RegistryError::Missing(format!("{module} has no versions.")))?,
            text => read_version(text)?,
        };
        let listed = listing
            .find(&version)
            .ok_or_else(|| missing(&module, &version))?;
        let about = self
            .catalogue
            .about(&module, &version)
            .await?
            .unwrap_or_default();
        let statement = self.catalogue.statement(&module, &version).await?;
        let attestation = statement.and_then(|object| Attestation::open(&object.bytes).ok());
        let mut main = format!(
            "<h1>{module} {version}</h1>\n",
            module = escape(&module.to_string())
        );
        main.push_str(&warnings(&listing, listed));
        main.push_str("<h2>Use it</h2>\n");
        main.push_str(&usage(admission, &module, &version));
        main.push_str(&origin(listed, attestation.as_ref()));
        main.push_str(&interface(&about));
        if let Some(readme) = &about.readme {
            main.push_str("<h2>Readme</h2>\n");
            main.push_str(&markdown::render(readme));
        }
        main.push_str(&versions(&module, &listing));
        Ok(reply(page(&format!("{module} {version}"), "", &main)))
    }

    pub(crate) async fn provider_page(
        &self,
        admission: &Admission,
    ) -> Result<Reply, RegistryError> {
        let provider = provider_of(admission)?;
        let (file, _) = self.releases(&provider).await?;
        if file.versions.is_empty() {
            return Err(RegistryError::Missing(format!(
                "There is no provider {provider}."
            )));
        }
        let name = provider.to_string();
        let mut releases = file.versions;
        releases.sort_by_key(|release| std::cmp::Reverse(release.version.parse::<Version>().ok()));
        let rows: Vec<Vec<String>> = releases
            .iter()
            .map(|release| {
                let platforms: Vec<String> = release
                    .platforms
                    .iter()
                    .map(|platform| format!("{} on {}", platform.os, platform.arch))
                    .collect();
                vec![
                    code(&release.version),
                    escape(&release.protocols.join(", ")),
                    escape(&platforms.join(", ")),
                ]
            })
            .collect();
        let main = format!(
            "<h1>{}</h1>\n{}",
            escape(&name),
            table("Versions", &["Version", "Protocols", "Platforms"], &rows)
        );
        Ok(reply(page(&name, "", &main)))
    }
}

fn looked_for(admission: &Admission) -> &str {
    admission.query.get("q").map_or("", |text| text.trim())
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .take(10)
        .map(str::to_lowercase)
        .collect()
}

fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// The newest release; the newest of all where none is one.
fn newest(listing: &Listing) -> Option<&Listed> {
    let versions = || listing.versions.iter();
    versions()
        .filter(|listed| !listed.version.is_prerelease())
        .max_by(|a, b| a.version.cmp(&b.version))
        .or_else(|| versions().max_by(|a, b| a.version.cmp(&b.version)))
}

fn row(found: &Found) -> Vec<String> {
    let name = escape(&found.module.to_string());
    let mut version = code(&found.newest.version.to_string());
    if found.newest.deprecation.is_some() {
        version.push_str(" <span class=\"mark warn\">deprecated</span>");
    }
    vec![
        format!("<a href=\"/modules/{name}\">{name}</a>"),
        version,
        escape(&found.summary),
    ]
}

/// What is to be known before a version is used.
fn warnings(listing: &Listing, listed: &Listed) -> String {
    let mut text = String::new();
    let mut note = |title: &str, reason: &str, link: Option<&str>| {
        let more = link.map_or_else(String::new, |link| {
            let link = escape(link);
            format!(" <a href=\"{link}\" rel=\"nofollow noopener\">More about it</a>")
        });
        // Writing to a string cannot fail.
        let _written = writeln!(
            text,
            "<p class=\"note\" role=\"note\"><strong>{title}</strong> {}{more}</p>",
            escape(reason)
        );
    };
    if let Some(yanked) = listing.yanked(&listed.version) {
        note("This version was taken back.", &yanked.reason, None);
    }
    if let Some(deprecation) = &listed.deprecation {
        note(
            "This version is deprecated.",
            &deprecation.reason,
            deprecation.link.as_deref(),
        );
    }
    text
}

fn usage(admission: &Admission, module: &ModuleAddress, version: &Version) -> String {
    let host = admission.host.as_deref().unwrap_or("REGISTRY");
    let text = format!(
        "module \"{}\" {{\n  source  = \"{host}/{module}\"\n  version = \"{version}\"\n}}\n",
        module.name()
    );
    listing("Use it", &text)
}

/// Who says where the version comes from.
fn origin(listed: &Listed, attestation: Option<&Attestation>) -> String {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            rows.push(vec![escape(name), code(value)]);
        }
    };
    row("Published", listed.published.as_deref());
    row("Archive (SHA-256)", listed.digest.as_deref());
    row("Files", listed.hash.as_deref());
    if let Some(attestation) = attestation {
        let said = &attestation.provenance;
        row("Signed with", Some(&attestation.fingerprint));
        row("Repository", said.repository.as_deref());
        row("Commit", said.commit.as_deref());
        row("Reference", said.reference.as_deref());
        row("Workflow", said.workflow.as_deref());
        row("Run", said.run.as_deref());
        if said.uncommitted {
            row(
                "Differs from the commit",
                Some("yes: files were changed and not committed"),
            );
        }
    }
    format!(
        "<h2>Where it comes from</h2>\n{}",
        table("Provenance", &["What", "Value"], &rows)
    )
}

fn interface(about: &About) -> String {
    let inputs: Vec<Vec<String>> = about
        .inputs
        .iter()
        .map(|input| {
            let default = input
                .default
                .as_deref()
                .map_or_else(|| "<span class=\"mark\">required</span>".to_owned(), code);
            let hidden = if input.sensitive {
                " <span class=\"mark\">sensitive</span>"
            } else {
                ""
            };
            vec![
                format!("{}{hidden}", code(&input.name)),
                code(&input.ty),
                default,
                escape(&input.description),
            ]
        })
        .collect();
    let outputs: Vec<Vec<String>> = about
        .outputs
        .iter()
        .map(|output| vec![code(&output.name), escape(&output.description)])
        .collect();
    let providers: Vec<Vec<String>> = about
        .providers
        .iter()
        .map(|(name, source)| vec![code(name), code(source)])
        .collect();
    let resources: Vec<Vec<String>> = about
        .resources
        .iter()
        .map(|resource| vec![code(resource)])
        .collect();
    let parts = [
        (
            "Inputs",
            table(
                "Inputs",
                &["Name", "Type", "Default", "Description"],
                &inputs,
            ),
        ),
        (
            "Outputs",
            table("Outputs", &["Name", "Description"], &outputs),
        ),
        (
            "Providers",
            table("Providers", &["Name", "Source"], &providers),
        ),
        ("Resources", table("Resources", &["Resource"], &resources)),
    ];
    parts
        .iter()
        .map(|(title, table)| section(title, table))
        .collect()
}

/// A table under its heading; nothing where there is none.
fn section(title: &str, table: &str) -> String {
    if table.is_empty() {
        return String::new();
    }
    format!("<h2>{title}</h2>\n{table}")
}

fn versions(module: &ModuleAddress, listing: &Listing) -> String {
    let mut all: Vec<(&Listed, bool)> = listing
        .versions
        .iter()
        .map(|listed| (listed, false))
        .chain(listing.yanked.iter().map(|yanked| (&yanked.listed, true)))
        .collect();
    all.sort_by(|(a, _), (b, _)| b.version.cmp(&a.version));
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|(listed, yanked)| {
            let version = escape(&listed.version.to_string());
            let mut standing = Vec::new();
            if yanked {
                standing.push("<span class=\"mark warn\">taken back</span>");
            }
            if listed.deprecation.is_some() {
                standing.push("<span class=\"mark warn\">deprecated</span>");
            }
            vec![
                format!("<a href=\"/modules/{module}/{version}\">{version}</a>"),
                escape(listed.published.as_deref().unwrap_or_default()),
                standing.join(" "),
            ]
        })
        .collect();
    format!(
        "<h2>Versions</h2>\n{}",
        table("Versions", &["Version", "Published", "Standing"], &rows)
    )
}
