//! `terrace module check`

use std::sync::Arc;

use serde_json::{Value as Json, json};
use terrace_addr::version::Version;
use terrace_config::Config;
use terrace_diag::{Diagnostics, SourceMap};
use terrace_module::{Splice, concerns_roots_only, guidelines};
use terrace_port::Files as _;

use super::changes::Compared;
use super::{base, counted, docs, examples, git, load_sound, testing};
use crate::args::{ModuleCheck, ModuleCheckArgs};
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::commands::validate;
use crate::outside::Disk;
use crate::session::Session;
use crate::view::module::{changes_text, verdict_line};
use crate::view::stream::diagnostic_json;

/// The checks in the order in which they are done: what is quick first.
const ALL: [ModuleCheck; 7] = [
    ModuleCheck::Formatted,
    ModuleCheck::Valid,
    ModuleCheck::Guidelines,
    ModuleCheck::Documented,
    ModuleCheck::Changes,
    ModuleCheck::Tests,
    ModuleCheck::Examples,
];

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds; with what was looked at, where that is of interest.
    Passed(String),
    /// It does not, for this reason; empty where diagnostics say it.
    Failed(String),
    /// It was not asked for, or there was nothing to do, for this reason.
    Skipped(String),
}

/// A check that was done.
struct Done {
    check: ModuleCheck,
    verdict: Verdict,
    diagnostics: Diagnostics,
    sources: SourceMap,
}

impl Done {
    fn plain(check: ModuleCheck, verdict: Verdict) -> Self {
        Self {
            check,
            verdict,
            diagnostics: Diagnostics::new(),
            sources: SourceMap::new(),
        }
    }

    fn of(check: ModuleCheck, diagnostics: Diagnostics, sources: SourceMap) -> Self {
        let verdict = if diagnostics.has_errors() {
            Verdict::Failed(String::new())
        } else {
            Verdict::Passed(String::new())
        };
        Self {
            check,
            verdict,
            diagnostics,
            sources,
        }
    }
}

pub(super) async fn run(session: &Arc<Session>, args: &ModuleCheckArgs) -> Outcome {
    let release = args.release.as_deref().map(parse_release).transpose()?;
    let config = load_sound(".", &Disk, "The working directory")?;
    let mut done = Vec::new();
    let mut compared = None;
    for check in ALL {
        let wanted = if args.only.is_empty() {
            !args.skip.contains(&check)
        } else {
            args.only.contains(&check)
        };
        if !wanted {
            continue;
        }
        let one = match check {
            ModuleCheck::Formatted => formatted(),
            ModuleCheck::Valid => {
                let (found, sources) = validate::check(session).await;
                let mut diagnostics = Diagnostics::new();
                diagnostics.extend(
                    found.into_iter().filter(|diagnostic| {
                        !concerns_roots_only(diagnostic.id, &config.root.module)
                    }),
                );
                Done::of(check, diagnostics, sources)
            }
            ModuleCheck::Guidelines => Done::of(check, guidelines(&config), config.sources.clone()),
            ModuleCheck::Documented => documented(&config)?,
            ModuleCheck::Tests => Done::plain(check, testing::run().await?),
            ModuleCheck::Examples => Done::plain(check, examples::run().await?),
            ModuleCheck::Changes => {
                let against = args.against.as_deref();
                match base::find(session, against).await? {
                    Some(base) => {
                        let found = Compared::of(session, &config, &base).await;
                        let one = changes(&found, release.as_ref());
                        compared = Some(found);
                        one
                    }
                    None => Done::plain(check, without_versions().await),
                }
            }
        };
        if !args.style.json {
            show(session, &one);
        }
        done.push(one);
    }
    let failed = done
        .iter()
        .any(|one| matches!(one.verdict, Verdict::Failed(_)));
    if args.style.json {
        session
            .view
            .output(format!("{:#}", answer(&done, compared.as_ref(), failed)));
    } else if let Some(compared) = &compared {
        session.view.output(changes_text(
            &compared.with,
            &compared.changes,
            compared.version.as_ref(),
            compared.next().as_ref(),
        ));
    }
    Ok(if failed { FAILURE } else { SUCCESS })
}

fn parse_release(text: &str) -> Result<Version, CommandError> {
    text.parse().map_err(|_| {
        CommandError::one(
            "invalid-release",
            "Invalid version",
            format!("-release={text} is no version: it has the form 1.2.3, with a v before it if you like."),
        )
    })
}

/// The name of a check as it is given and shown.
fn name(check: ModuleCheck) -> &'static str {
    match check {
        ModuleCheck::Formatted => "formatted",
        ModuleCheck::Valid => "valid",
        ModuleCheck::Guidelines => "guidelines",
        ModuleCheck::Documented => "documented",
        ModuleCheck::Tests => "tests",
        ModuleCheck::Examples => "examples",
        ModuleCheck::Changes => "changes",
    }
}

fn show(session: &Session, one: &Done) {
    session
        .view
        .output(verdict_line(name(one.check), &one.verdict));
    if !one.diagnostics.is_empty() {
        session
            .view
            .diagnostics(one.diagnostics.clone(), &one.sources);
    }
}

/// Whether all files of the module are in the usual form, those of its tests and examples too.
fn formatted() -> Done {
    let mut differing = Vec::new();
    let mut files = 0;
    let mut waiting = vec![".".to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in Disk.list(&directory).unwrap_or_default() {
            let path = terrace_config::join_path(&directory, &entry.name);
            if entry.is_directory {
                if !entry.name.starts_with('.') && entry.name != "node_modules" {
                    waiting.push(path);
                }
                continue;
            }
            let formattable = [
                ".tf",
                ".tofu",
                ".tfvars",
                ".tftest.hcl",
                ".tofutest.hcl",
                ".tfmock.hcl",
            ]
            .iter()
            .any(|ending| entry.name.ends_with(ending));
            if !formattable {
                continue;
            }
            files += 1;
            let Ok(bytes) = Disk.read(&path) else {
                continue;
            };
            // What cannot be parsed is told by the next check.
            if terrace_syntax::format_bytes(&bytes).is_ok_and(|text| *text != *bytes) {
                differing.push(path);
            }
        }
    }
    differing.sort();
    let verdict = if differing.is_empty() {
        Verdict::Passed(counted(files, "file"))
    } else {
        Verdict::Failed(format!(
            "Not in the usual form: {}. `terrace fmt -recursive` puts them into it.",
            differing.join(", ")
        ))
    };
    Done::plain(ModuleCheck::Formatted, verdict)
}

/// Whether there is a README, and what is generated in it is current.
fn documented(config: &Config) -> Result<Done, CommandError> {
    const README: &str = "README.md";
    let verdict = if Disk.exists(README) {
        match docs::state(README, &docs::documentation(config))? {
            Splice::Current => Verdict::Passed(README.to_owned()),
            Splice::Changed(_) => Verdict::Failed(format!(
                "{README} is stale: run `terrace module docs` and commit it."
            )),
            Splice::Appended(_) => Verdict::Failed(format!(
                "{README} has no generated documentation: `terrace module docs` adds it."
            )),
            Splice::Broken(markers) => Verdict::Failed(format!(
                "{README} must hold {} before {}.",
                markers.begin, markers.end
            )),
        }
    } else {
        Verdict::Failed(format!(
            "There is no {README}: `terrace module docs` begins one."
        ))
    };
    Ok(Done::plain(ModuleCheck::Documented, verdict))
}

/// What there is to say where no earlier version is known. A clone that lacks the tags may not pass for a module that has
/// no versions.
async fn without_versions() -> Verdict {
    if git::is_shallow().await {
        Verdict::Failed(
            "This clone is shallow and has no tag of a version to compare with. Get the history and its tags with `git fetch --tags --unshallow`; in a workflow, check out with `fetch-depth: 0`."
                .to_owned(),
        )
    } else {
        Verdict::Skipped("no version was released yet: there is no tag such as v1.2.3".to_owned())
    }
}

/// Whether what changed fits the version that is to be released.
fn changes(compared: &Compared, release: Option<&Version>) -> Done {
    let errors = compared.errors();
    if let Some(release) = release
        && compared.suffices(release)
    {
        return Done::plain(
            ModuleCheck::Changes,
            Verdict::Passed(format!("{release} is high enough")),
        );
    }
    let mut done = Done::of(ModuleCheck::Changes, errors, compared.sources.clone());
    if let (Some(release), Some(next)) = (release, compared.next()) {
        done.verdict = Verdict::Failed(format!(
            "{release} is too low: what changed since {} asks for {next}.",
            compared.with
        ));
    }
    done
}

fn answer(done: &[Done], compared: Option<&Compared>, failed: bool) -> Json {
    let checks: Vec<Json> = done
        .iter()
        .map(|one| {
            let (result, detail) = match &one.verdict {
                Verdict::Passed(detail) => ("pass", detail),
                Verdict::Failed(detail) => ("fail", detail),
                Verdict::Skipped(detail) => ("skip", detail),
            };
            let diagnostics: Vec<Json> = one
                .diagnostics
                .iter()
                .map(|diagnostic| diagnostic_json(diagnostic, &one.sources))
                .collect();
            json!({
                "check": name(one.check),
                "result": result,
                "detail": detail,
                "diagnostics": diagnostics,
            })
        })
        .collect();
    json!({
        "format_version": "1.0",
        "passed": !failed,
        "checks": checks,
        "changes": compared.map(Compared::json),
    })
}
