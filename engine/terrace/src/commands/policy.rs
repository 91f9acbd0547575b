//! `terrace policy`

use std::path::Path;

use serde_json::{Value, json};
use terrace_diag::{Diagnostic, SourceMap};
use terrace_gate::{ChangeKind, Policy, PolicyResults, judge_document};
use terrace_plan::{Secrets, is_plan_file, read_plan_file};
use terrace_policy::{
    Circumstances, DataFile, Policies, PolicyFile, TestOutcome, TestResult, Verdict, input,
    starter_pack,
};
use terrace_port::Files as _;

use crate::args::{
    PolicyCheckArgs, PolicyCommand, PolicyEvalArgs, PolicyFiles, PolicyNewArgs, PolicyTestArgs,
};
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::encryption::read_saved;
use crate::outside::{Disk, write_file};
use crate::session::Session;
use crate::view::policy as policy_view;

/// Where policies are looked for when nobody says where.
const DIRECTORY: &str = "policies";

pub(crate) async fn run(session: &Session, command: &PolicyCommand) -> Outcome {
    match command {
        PolicyCommand::Check(args) => check(session, args).await,
        PolicyCommand::Test(args) => test(session, args),
        PolicyCommand::Eval(args) => eval(session, args).await,
        PolicyCommand::New(args) => new(session, args),
    }
}

async fn check(session: &Session, args: &PolicyCheckArgs) -> Outcome {
    let names_none = args.files.policy.is_empty() && args.files.data.is_empty();
    if names_none && args.namespace.is_empty() {
        let environment = args.place.env.as_deref();
        let policies = of_project(session, environment)?;
        if !policies.is_empty() {
            return check_by_project(session, args, &policies).await;
        }
    }
    let (policies, sources) = read_policies(session, &args.files)?;
    let (document, secrets) = document(session, &args.plan, args.place.env.as_deref()).await?;
    let (verdict, diagnostics) = policies.judge(&document, &args.namespace);
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    let verdict = without_secrets(verdict, &secrets);
    if args.style.json {
        session.view.output(format!("{:#}", verdict_json(&verdict)));
    } else {
        session
            .view
            .output(policy_view::verdict(&verdict, &session.view));
    }
    Ok(if verdict.refuses() { FAILURE } else { SUCCESS })
}

/// The policies of the project file: all of them, or those of an environment.
fn of_project(session: &Session, environment: Option<&str>) -> Result<Vec<Policy>, CommandError> {
    let Some(found) = session.find_project()? else {
        return Ok(Vec::new());
    };
    let project = &found.project;
    let Some(name) = environment else {
        let all = project.policies.iter();
        return Ok(all.map(|block| block.policy.clone()).collect());
    };
    match project.environment(name) {
        Some(chosen) => Ok(project.rules(chosen).policies),
        None => Err(CommandError::one(
            "unknown-environment",
            "Unknown environment",
            format!("The project file defines no environment {name:?}."),
        )),
    }
}

/// Judges a plan by what the project file says now, not by what is in force.
async fn check_by_project(
    session: &Session,
    args: &PolicyCheckArgs,
    policies: &[Policy],
) -> Outcome {
    let environment = args.place.env.as_deref();
    let (document, secrets) = document(session, &args.plan, environment).await?;
    let circumstances = &document["terrace"];
    let text = |name: &str| circumstances[name].as_str().unwrap_or_default().to_owned();
    let change = ChangeKind::parse(&text("change")).unwrap_or_default();
    let results = PolicyResults {
        time: text("time"),
        actor: text("actor"),
        stack: circumstances["stack"].as_str().map(str::to_owned),
        change,
        policies: judge_document(policies, change, &document),
    };
    let results = results.with_texts(|text| secrets.redact(text));
    session.view.output(if args.style.json {
        format!("{:#}", policy_view::results_json(&results))
    } else {
        policy_view::results(&results, environment.unwrap_or_default(), &session.view)
    });
    Ok(if results.refuses() { FAILURE } else { SUCCESS })
}

fn test(session: &Session, args: &PolicyTestArgs) -> Outcome {
    let paths: Vec<String> = if args.paths.is_empty() {
        vec![DIRECTORY.to_owned()]
    } else {
        args.paths.clone()
    };
    let mut found = Found::default();
    for path in &paths {
        found.all(path)?;
    }
    let (policies, _) = found.policies(session)?;
    let outcomes = policies.run_tests(&args.filter);
    if args.style.json {
        let outcomes: Vec<Value> = outcomes.iter().map(outcome_json).collect();
        session.view.output(format!("{:#}", Value::from(outcomes)));
    } else {
        session.view.output(policy_view::outcomes(
            &outcomes,
            args.verbose,
            &session.view,
        ));
    }
    if outcomes.is_empty() {
        let detail = format!(
            "No rule in {} is named test_… and holds {:?} in its name, so nothing was tested.",
            paths.join(", "),
            args.filter
        );
        return Err(CommandError::one(
            "no-policy-tests",
            "No tests of policies",
            detail,
        ));
    }
    let is_well =
        |outcome: &TestOutcome| matches!(outcome.result, TestResult::Passed | TestResult::Skipped);
    Ok(if outcomes.iter().all(is_well) {
        SUCCESS
    } else {
        FAILURE
    })
}

async fn eval(session: &Session, args: &PolicyEvalArgs) -> Outcome {
    let (policies, sources) = read_policies(session, &args.files)?;
    let document = match &args.plan {
        Some(plan) => Some(document(session, plan, args.place.env.as_deref()).await?.0),
        None => None,
    };
    let answers = policies
        .query(document.as_ref(), &args.query)
        .map_err(|problem| CommandError::new(problem.into(), sources))?;
    for answer in &answers {
        let values = match answer.values.as_slice() {
            [value] => value.clone(),
            values => Value::from(values.to_vec()),
        };
        if answer.bindings.is_empty() {
            session.view.output(format!("{values:#}"));
        } else {
            session.view.output(format!("{:#}", json!(answer.bindings)));
        }
    }
    if answers.is_empty() {
        session.view.output("undefined");
    }
    Ok(SUCCESS)
}

fn new(session: &Session, args: &PolicyNewArgs) -> Outcome {
    let directory = args.directory.trim_end_matches('/');
    let taken: Vec<String> = starter_pack()
        .iter()
        .map(|file| format!("{directory}/{}", file.name))
        .filter(|path| Disk.exists(path))
        .collect();
    if !taken.is_empty() {
        let detail = format!(
            "Nothing was written, because these files exist: {}.",
            taken.join(", ")
        );
        return Err(
            Diagnostic::error("policy-files-exist", "Policies exist already", detail)
                .hint("name another directory: terrace policy new DIR")
                .into(),
        );
    }
    for file in starter_pack() {
        let path = format!("{directory}/{}", file.name);
        write_file(&path, file.text.as_bytes()).map_err(|error| {
            CommandError::one(
                "unwritable-file",
                "Policy cannot be written",
                format!("{path} cannot be written: {error}."),
            )
        })?;
    }
    session.view.output(format!(
        "Wrote {} files to {directory}. What they ask for is set in {directory}/settings.json.\n\nTo run their tests:\n    terrace policy test {directory}\n\nTo judge a plan by them:\n    terrace policy check -policy={directory} PLAN",
        starter_pack().len()
    ));
    Ok(SUCCESS)
}

/// Files of policies and data that were found.
#[derive(Default)]
struct Found {
    rules: Vec<PolicyFile>,
    data: Vec<DataFile>,
    strict: bool,
}

impl Found {
    /// Rules and data of a file or a directory.
    fn all(&mut self, path: &str) -> Result<(), CommandError> {
        self.visit(path, true, true)
    }

    fn visit(&mut self, path: &str, rules: bool, data: bool) -> Result<(), CommandError> {
        if Path::new(path).is_dir() {
            let mut entries = Disk.list(path).map_err(|error| unreadable(path, &error))?;
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            for entry in entries {
                let inner = format!("{}/{}", path.trim_end_matches('/'), entry.name);
                let wanted = entry.is_directory || kind(&entry.name).is_some();
                if !entry.name.starts_with('.') && wanted {
                    self.visit(&inner, rules, data)?;
                }
            }
            return Ok(());
        }
        let bytes = Disk.read(path).map_err(|error| unreadable(path, &error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let path = path.to_owned();
        match kind(&path) {
            Some(Kind::Rules) if rules => self.rules.push(PolicyFile { path, text }),
            Some(Kind::Data) if data => self.data.push(DataFile { path, text }),
            Some(_) => {}
            None => {
                let detail = format!(
                    "{path} is neither a file of rules (.rego) nor of data (.json, .yaml, .yml)."
                );
                return Err(CommandError::one("policy-file", "Not a policy", detail));
            }
        }
        Ok(())
    }

    fn policies(&self, session: &Session) -> Result<(Policies, SourceMap), CommandError> {
        let mut sources = SourceMap::new();
        let (policies, diagnostics) = Policies::parse(&self.rules, &self.data, &mut sources);
        if diagnostics.has_errors() {
            return Err(CommandError::new(diagnostics, sources));
        }
        session.view.diagnostics(diagnostics, &sources);
        let policies = if self.strict {
            policies.with_strict_functions()
        } else {
            policies
        };
        Ok((policies, sources))
    }
}

enum Kind {
    Rules,
    Data,
}

fn kind(path: &str) -> Option<Kind> {
    match Path::new(path).extension()?.to_str()? {
        "rego" => Some(Kind::Rules),
        "json" | "yaml" | "yml" => Some(Kind::Data),
        _ => None,
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> CommandError {
    let mut problem = Diagnostic::error(
        "unreadable-file",
        "Policies cannot be read",
        format!("{path} cannot be read: {error}."),
    );
    if path == DIRECTORY {
        problem = problem.hint(
            "name the policies with -policy=PATH, or write a starter pack: terrace policy new",
        );
    }
    problem.into()
}

/// The policies that the command line names; data in their directories is data of theirs where none is named.
fn read_policies(
    session: &Session,
    files: &PolicyFiles,
) -> Result<(Policies, SourceMap), CommandError> {
    let mut found = Found {
        strict: files.strict,
        ..Found::default()
    };
    let named = if files.policy.is_empty() {
        vec![DIRECTORY.to_owned()]
    } else {
        files.policy.clone()
    };
    for path in &named {
        found.visit(path, true, files.data.is_empty())?;
    }
    for path in &files.data {
        found.visit(path, false, true)?;
    }
    found.policies(session)
}

/// What policies see of a plan file, or of the JSON of one, with the secrets of that plan. JSON that names its circumstances
/// keeps them.
async fn document(
    session: &Session,
    path: &str,
    environment: Option<&str>,
) -> Result<(Value, Secrets), CommandError> {
    let bytes = read_saved(session, path).await?;
    let stack = session.find_project()?.map(|found| found.stack);
    let circumstances = |environment: Option<String>, workspace: String| Circumstances {
        environment,
        stack: stack.clone(),
        workspace,
        actor: session.actor(),
        change: "normal".to_owned(),
        commit: None,
        time: session.now(),
        statements: std::collections::BTreeMap::default(),
    };
    if is_plan_file(&bytes) {
        let (plan, _) = read_plan_file(&bytes).map_err(|error| {
            CommandError::one(
                "invalid-plan",
                "Plan file cannot be used",
                error.to_string(),
            )
        })?;
        let (config, _) = terrace_config::load_snapshot(&plan.inputs.configuration);
        let text = terrace_plan::plan_json(&plan, &config);
        let value = serde_json::from_str(&text).expect("the plan's JSON is JSON");
        let secrets = Secrets::of_plan(&plan);
        let environment = environment.map(str::to_owned).or(plan.inputs.environment);
        let request = plan.inputs.request;
        let mut circumstances = circumstances(environment, plan.inputs.workspace);
        if !request.kind.is_empty() {
            circumstances.change = request.kind;
        }
        circumstances.commit = request.commit;
        circumstances.statements = request.statements;
        return Ok((input(value, &circumstances), secrets));
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!(
            "{path} is neither a plan file of Terrace nor JSON, as show -json prints it: {error}."
        );
        CommandError::one("not-a-plan", "Not a plan", detail)
    })?;
    let secrets = Secrets::of_plan_json(&value);
    if value.get("terrace").is_some() {
        return Ok((value, secrets));
    }
    let circumstances = circumstances(environment.map(str::to_owned), session.workspace());
    Ok((input(value, &circumstances), secrets))
}

/// What rules say, print and add to what they say, without what is secret.
fn without_secrets(mut verdict: Verdict, secrets: &Secrets) -> Verdict {
    for finding in verdict.findings.iter_mut().chain(&mut verdict.excepted) {
        finding.message = secrets.redact(&finding.message);
        for member in finding.metadata.values_mut() {
            *member = redacted(member, secrets);
        }
    }
    for print in &mut verdict.prints {
        *print = secrets.redact(print);
    }
    verdict
}

/// The same with every text and number that would show a secret replaced, names of members included.
fn redacted(json: &Value, secrets: &Secrets) -> Value {
    match json {
        Value::String(text) => Value::String(secrets.redact(text)),
        Value::Number(number) if secrets.hides(&number.to_string()) => {
            Value::String(secrets.redact(&number.to_string()))
        }
        Value::Array(items) => items.iter().map(|item| redacted(item, secrets)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (secrets.redact(name), redacted(member, secrets)))
            .collect(),
        other => other.clone(),
    }
}

fn verdict_json(verdict: &Verdict) -> Value {
    let findings = |findings: &[terrace_policy::Finding]| -> Vec<Value> {
        findings
            .iter()
            .map(|finding| {
                json!({
                    "severity": finding.severity.name(),
                    "namespace": finding.namespace,
                    "rule": finding.rule,
                    "msg": finding.message,
                    "address": finding.address(),
                    "metadata": finding.metadata,
                })
            })
            .collect()
    };
    json!({
        "refused": verdict.refuses(),
        "rules": verdict.n_rules,
        "passed": verdict.n_passed,
        "findings": findings(&verdict.findings),
        "excepted": findings(&verdict.excepted),
    })
}

fn outcome_json(outcome: &TestOutcome) -> Value {
    let (result, error) = match &outcome.result {
        TestResult::Passed => ("pass", None),
        TestResult::Failed => ("fail", None),
        TestResult::Skipped => ("skip", None),
        TestResult::Error(error) => ("error", Some(error)),
    };
    json!({"name": outcome.name, "result": result, "error": error, "output": outcome.prints})
}
