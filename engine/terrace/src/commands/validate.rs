//! `terrace validate`

use std::sync::Arc;

use terrace_diag::{Diagnostics, SourceMap};
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::FunctionTable;
use terrace_planner::ValidateRequest;
use terrace_port::Files as _;
use terrace_state::State;

use crate::args::ValidateArgs;
use crate::command_error::{FAILURE, Outcome, SUCCESS};
use crate::outside::{Disk, PlanningContext};
use crate::session::Session;
use crate::view::stream::diagnostic_json;
use crate::wiring::{ProviderSet, Wiring, load_config, needed_providers};

pub(crate) async fn run(session: &Session, args: &ValidateArgs) -> Outcome {
    let (mut diagnostics, mut sources) = check(session).await;
    if !args.no_tests {
        diagnostics.append(super::test::check(&args.test_directory, &mut sources));
    }
    if args.style.json {
        let list: Vec<_> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic_json(diagnostic, &sources))
            .collect();
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .count();
        let answer = serde_json::json!({
            "format_version": "1.0",
            "valid": errors == 0,
            "error_count": errors,
            "warning_count": diagnostics.len() - errors,
            "diagnostics": list,
        });
        session.view.output(format!("{answer:#}"));
        return Ok(if errors > 0 { FAILURE } else { SUCCESS });
    }
    let failed = diagnostics.has_errors();
    let warned = !diagnostics.is_empty();
    session.view.diagnostics(diagnostics, &sources);
    if !failed {
        let text = if warned {
            "Success! The configuration is valid, but there were some validation warnings as shown above."
        } else {
            "Success! The configuration is valid."
        };
        session.view.line(format!("{text}\n"));
    }
    Ok(if failed { FAILURE } else { SUCCESS })
}

/// All that is wrong with the configuration of the working directory, and its files.
pub(super) async fn check(session: &Session) -> (Diagnostics, SourceMap) {
    let (config, mut diagnostics) = match load_config(session) {
        Ok(loaded) => loaded,
        Err(error) => return (error.diagnostics, error.sources),
    };
    let sources = config.sources.clone();
    if diagnostics.has_errors() {
        return (diagnostics, sources);
    }
    let mut overridden = None;
    let found = async {
        let wiring = Wiring::new(session)?;
        overridden = wiring.installer.dev_override_warning();
        let providers = ProviderSet::new(wiring, Some(&config));
        let schemas = providers
            .schemas(&needed_providers(&config, &State::default()))
            .await?;
        let evaluator = Evaluator::new(Inputs {
            config: config.clone(),
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(PlanningContext::new(
                session.now(),
                session.environment.get("HOME").map(str::to_owned),
            )),
            schemas: Arc::new(schemas),
            variables: std::collections::BTreeMap::new(),
            workspace: session.workspace(),
            paths: Paths {
                cwd: Disk.absolute("."),
                root: ".".to_owned(),
            },
            applying: false,
        });
        let problems = evaluator.provider_meta_problems();
        let request = ValidateRequest {
            evaluator: Arc::new(evaluator),
            providers: &*providers,
            parallelism: 10,
        };
        let mut found = terrace_planner::validate(request).await;
        found.append(problems);
        providers.close().await;
        Ok::<_, crate::command_error::CommandError>(found)
    };
    let found = found.await;
    diagnostics.extend(overridden);
    match found {
        Ok(found) => diagnostics.append(found),
        Err(error) => {
            // What can be said without providers is said beside what they lack.
            diagnostics.append(terrace_config::check(&config));
            diagnostics.append(error.diagnostics);
        }
    }
    (diagnostics.sorted(), sources)
}
