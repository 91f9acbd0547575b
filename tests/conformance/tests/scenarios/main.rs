//! Whole plans against the reference: every step of every scenario, from the state that the reference had, must give
//! the same changes, outputs, checks and diagnostics.

#![expect(clippy::disallowed_methods, reason = "tests read the corpus from disk")]

mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use outside::{BuiltinOnly, Directory, LocalModules, Unwatched};
use serde_json::{Value as Json, json};
use terrace_addr::{AbsResourceInstance, ProviderAddr, Target};
use terrace_config::variables::{self, VariableInputs, VariableOption};
use terrace_config::{Config, load};
use terrace_diag::{Diagnostics, Severity, SourceMap};
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::FunctionTable;
use terrace_plan::{Plan, PlanInputs, PlanMode};
use terrace_planner::{PlanOptions, PlanRequest};
use terrace_provider_builtin::Builtin;
use terrace_state::State;

/// How many scenarios must agree in all their steps. Only ever raised.
const FLOOR: usize = 83;

#[test]
fn plans_agree_with_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let only = std::env::var("SCENARIO").ok();
    let mut agreeing = 0;
    let mut report = String::new();
    let names = sorted(&root);
    for scenario in &names {
        let name = file_name(scenario);
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let differences = scenario_differences(scenario);
        if differences.is_empty() {
            agreeing += 1;
        }
        for difference in differences {
            writeln!(report, "{name}/{difference}").expect("strings take all");
        }
    }
    assert!(only.is_none(), "{report}");
    assert!(
        agreeing >= FLOOR,
        "{agreeing} of {} scenarios agree, fewer than {FLOOR}:\n{report}",
        names.len()
    );
    assert_eq!(names.len(), 84, "scenarios are missing");
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("it is there")
        .map(|entry| entry.expect("it reads").path())
        .collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .expect("it has a name")
        .to_string_lossy()
        .into_owned()
}

fn read_json(path: &Path) -> Option<Json> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("the corpus is JSON"))
}

fn scenario_differences(scenario: &Path) -> Vec<String> {
    let mut state = Arc::new(State::default());
    let mut differences = Vec::new();
    for step in sorted(scenario) {
        let expected =
            read_json(&step.join("expected.json")).expect("every step tells what to expect");
        let planned = plan_step(&step.join("config"), &expected, &state);
        let name = file_name(&step);
        differences.extend(
            compare(&step, &expected, &planned)
                .into_iter()
                .map(|text| format!("{name}: {text}")),
        );
        if let Ok(bytes) = std::fs::read(step.join("state.json")) {
            state = Arc::new(terrace_state::read(&bytes).expect("the reference's state reads"));
        }
    }
    differences
}

struct Planned {
    plan: Option<Plan>,
    config: Arc<Config>,
    sources: SourceMap,
    diagnostics: Diagnostics,
}

fn plan_step(directory: &Path, expected: &Json, state: &Arc<State>) -> Planned {
    let files = Directory(directory.to_owned());
    let (config, mut diagnostics) = load(".", &files, &LocalModules);
    let config = Arc::new(config);
    let mut sources = config.sources.clone();
    let stop = |sources, diagnostics| Planned {
        plan: None,
        config: config.clone(),
        sources,
        diagnostics,
    };
    if diagnostics.has_errors() {
        return stop(sources, diagnostics);
    }
    let arguments = Arguments::of(expected);
    let root = &config.root.module;
    let (raw, problems) = variables::collect(root, &arguments.variables, &files, &mut sources);
    diagnostics.append(problems);
    let mut values = BTreeMap::new();
    for (name, raw) in raw {
        if let Some(variable) = root.variables.get(&name) {
            if let Err(problem) = variables::convert_raw(variable, &raw, &sources) {
                diagnostics.push(problem);
            }
        }
        values.insert(name, raw.value);
    }
    if diagnostics.has_errors() {
        return stop(sources, diagnostics);
    }
    let schemas = [(ProviderAddr::builtin(), Arc::new(Builtin::static_schema()))].into();
    let workspace = "default".to_owned();
    let inputs = Inputs {
        config: config.clone(),
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(files.clone()),
        schemas: Arc::new(schemas),
        variables: values,
        workspace: workspace.clone(),
        paths: Paths {
            cwd: directory.to_string_lossy().into_owned(),
            root: ".".into(),
        },
        applying: false,
    };
    let providers = BuiltinOnly(files);
    let once = || {
        let request = PlanRequest {
            evaluator: Arc::new(Evaluator::new(inputs.clone())),
            state: state.clone(),
            providers: &providers,
            options: arguments.options.clone(),
            inputs: PlanInputs {
                configuration: config.snapshot.clone(),
                workspace: workspace.clone(),
                ..PlanInputs::default()
            },
            clock: Arc::new(Unwatched),
            observer: Arc::new(Unwatched),
        };
        block_on(terrace_planner::plan(request))
    };
    let (plan, found) = once();
    let text = |plan: &Plan| terrace_plan::plan_json(plan, &config);
    assert_eq!(
        text(&plan),
        text(&once().0),
        "the same inputs give the same plan"
    );
    diagnostics.append(found);
    Planned {
        plan: Some(plan),
        config: config.clone(),
        sources,
        diagnostics,
    }
}

struct Arguments {
    options: PlanOptions,
    variables: VariableInputs,
}

impl Arguments {
    fn of(expected: &Json) -> Self {
        let mut options = PlanOptions::default();
        let mut variables = VariableInputs::default();
        let texts: Vec<&str> = expected["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let mut rest = texts.iter();
        while let Some(argument) = rest.next() {
            match argument.split_once('=') {
                Some(("-target", address)) => {
                    options.targets.push(
                        address
                            .parse::<Target>()
                            .expect("the corpus' addresses parse"),
                    );
                }
                Some(("-replace", address)) => {
                    options.replace.push(
                        address
                            .parse::<AbsResourceInstance>()
                            .expect("the corpus' addresses parse"),
                    );
                }
                _ => match *argument {
                    "-destroy" => options.mode = PlanMode::Destroy,
                    "-refresh-only" => options.mode = PlanMode::RefreshOnly,
                    "-var" => {
                        let value = rest.next().expect("-var has a value");
                        variables
                            .options
                            .push(VariableOption::Value((*value).to_owned()));
                    }
                    other => panic!("the harness does not know {other}"),
                },
            }
        }
        for (name, value) in expected["env"].as_object().into_iter().flatten() {
            if let (Some(name), Some(value)) = (name.strip_prefix("TF_VAR_"), value.as_str()) {
                variables
                    .environment
                    .insert(name.to_owned(), value.to_owned());
            }
        }
        Self { options, variables }
    }
}

fn compare(step: &Path, expected: &Json, planned: &Planned) -> Vec<String> {
    let mut differences = compare_diagnostics(expected, planned);
    let Some(theirs) = read_json(&step.join("plan.json")) else {
        if !planned.diagnostics.has_errors() {
            differences.push("a plan where the reference has errors".into());
        }
        return differences;
    };
    let Some(plan) = &planned.plan else {
        differences.push("no plan".into());
        return differences;
    };
    let ours: Json = serde_json::from_str(&terrace_plan::plan_json(plan, &planned.config))
        .expect("plans are JSON");
    for key in [
        "resource_changes",
        "resource_drift",
        "output_changes",
        "relevant_attributes",
        "checks",
        "prior_state",
        "planned_values",
        "applyable",
        "complete",
        "errored",
    ] {
        let (ours, theirs) = (canonical(&ours[key]), canonical(&theirs[key]));
        differ(&mut differences, key, &ours, &theirs);
    }
    differences
}

/// Adds the places where two values differ.
fn differ(differences: &mut Vec<String>, place: &str, ours: &Json, theirs: &Json) {
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                differ(
                    differences,
                    &format!("{place}.{key}"),
                    &ours[key],
                    &theirs[key],
                );
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (index, (ours, theirs)) in a.iter().zip(b).enumerate() {
                differ(differences, &format!("{place}[{index}]"), ours, theirs);
            }
        }
        _ if ours != theirs => differences.push(format!("{place}: {ours} instead of {theirs}")),
        _ => {}
    }
}

/// Without what may differ: versions, and the order of what has none.
fn canonical(value: &Json) -> Json {
    match value {
        Json::Object(entries) => {
            let kept = entries
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "terraform_version" | "timestamp"));
            Json::Object(
                kept.map(|(key, value)| (key.clone(), canonical(value)))
                    .collect(),
            )
        }
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(canonical).collect();
            if items.iter().all(Json::is_object) {
                items.sort_by_key(ToString::to_string);
            }
            Json::Array(items)
        }
        other => other.clone(),
    }
}

fn compare_diagnostics(expected: &Json, planned: &Planned) -> Vec<String> {
    let theirs: BTreeSet<String> = expected["plan_diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|found| {
            let text = |key: &str| {
                found[key]
                    .as_str()
                    .unwrap_or_default()
                    .replace("Terraform", "Terrace")
                    .replace("terraform plan", "terrace plan")
                    .replace("terraform init", "terrace init")
            };
            let place = match found["file"].as_str() {
                Some(file) => format!("{file}:{}", found["start"][0]),
                None => String::new(),
            };
            json!([found["severity"], text("summary"), text("detail"), place]).to_string()
        })
        .collect();
    let ours: BTreeSet<String> = planned
        .diagnostics
        .iter()
        .map(|found| {
            let severity = match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let place = found.subject.and_then(|span| {
                let file = planned.sources.get(span.source)?;
                Some(format!(
                    "{}:{}",
                    file.name(),
                    file.position(span.start).line
                ))
            });
            json!([
                severity,
                found.summary,
                found.detail,
                place.unwrap_or_default()
            ])
            .to_string()
        })
        .collect();
    let missing = theirs
        .difference(&ours)
        .map(|text| format!("not said: {text}"));
    let added = ours.difference(&theirs).map(|text| format!("said: {text}"));
    missing.chain(added).collect()
}
