//! `terrace view`: a run as a page for reviewers.

mod server;

use std::sync::atomic::Ordering;

use terrace_config::Config;
use terrace_gate::{
    Approval, Demand, Evidence, PolicyEffect, PolicyResults, Rules, Run, RunStatus,
    approvers_counted, find_run, load_run_policies, run_approvals,
};
use terrace_page::{GateState, Missing, PolicyOutcome, PolicyVerdict, Rendered, RunPage};
use terrace_plan::{Plan, PlanDigest, is_plan_file, read_plan_file};
use terrace_port::{Clock as _, Entropy as _, Files as _};

use crate::args::ViewArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::encryption::read_saved;
use crate::outside::{Disk, SystemClock, SystemEntropy, rfc3339, write_file};
use crate::session::{Place, Session};
use crate::signals::Signals;
use crate::view::gate as gate_view;
use server::Server;

/// What the page is of.
enum Subject {
    /// A plan file, which no gate is asked about.
    File(Box<(Plan, PlanDigest)>),
    /// A run, and where it is kept.
    Run(Box<(Place, Run)>),
}

pub(crate) async fn run(session: &Session, args: &ViewArgs, config: Option<&Config>) -> Outcome {
    let subject = subject(session, args, config).await?;
    let Some(file) = &args.html else {
        return serve(session, args, &subject).await;
    };
    let page = page(session, &subject).await?;
    write_file(file, &page.html).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Page cannot be written",
            format!("{file} cannot be written: {error}."),
        )
    })?;
    session.view.line(format!("Wrote the page to {file}."));
    Ok(SUCCESS)
}

/// The plan file of this name, or else the run.
async fn subject(
    session: &Session,
    args: &ViewArgs,
    config: Option<&Config>,
) -> Result<Subject, CommandError> {
    if Disk.exists(&args.run) {
        let bytes = read_saved(session, &args.run).await?;
        if !is_plan_file(&bytes) {
            return Err(CommandError::one(
                "invalid-plan",
                "Plan file cannot be used",
                format!("{} is not a plan file of Terrace.", args.run),
            ));
        }
        let read = read_plan_file(&bytes).map_err(|error| {
            CommandError::one(
                "invalid-plan",
                "Plan file cannot be used",
                error.to_string(),
            )
        })?;
        return Ok(Subject::File(Box::new(read)));
    }
    let environment = args.place.env.as_deref();
    let mut refusal = None;
    for place in super::runs::places(session, environment, config)? {
        let store = place.store.runs(&place.workspace);
        match find_run(&*store, &args.run).await? {
            Ok(run) => return Ok(Subject::Run(Box::new((place, run)))),
            Err(why) => refusal = Some(why),
        }
    }
    let why = refusal.unwrap_or_else(|| format!("There is no run {:?} here.", args.run));
    Err(CommandError::one("unknown-run", "No such run", why))
}

/// Serves the page until a signal asks for the end.
async fn serve(session: &Session, args: &ViewArgs, subject: &Subject) -> Outcome {
    let mut secret = [0; 16];
    SystemEntropy.fill(&mut secret);
    let failed = |error: std::io::Error| {
        CommandError::one(
            "page-not-served",
            "Page cannot be served",
            format!(
                "Port {} of this machine cannot be listened on: {error}.",
                args.port
            ),
        )
    };
    // What cannot be shown is told here, not in the browser.
    page(session, subject).await?;
    let server = Server::bind(args.port, &secret).await.map_err(failed)?;
    let mut signals = Signals::new().map_err(failed)?;
    // A signal is the usual end here.
    session.carrying_out.store(true, Ordering::SeqCst);
    session.view.output(format!(
        "{}\n\nThe page is there until Ctrl-C ends it, for this machine alone. Loading it again reads the run anew.",
        server.address()
    ));
    let make = async || page(session, subject).await.map_err(|error| told(&error));
    tokio::select! {
        () = server.serve(make) => {}
        _ended = signals.next() => {}
    }
    Ok(SUCCESS)
}

fn told(error: &CommandError) -> String {
    let mut lines = Vec::new();
    for diagnostic in &error.diagnostics {
        lines.push(format!("{}: {}", diagnostic.summary, diagnostic.detail));
    }
    lines.join("\n")
}

/// The page of a run that was just planned, or of a plan that is kept as none.
pub(crate) async fn page_of(
    session: &Session,
    place: &Place,
    run: Option<&str>,
    (plan, digest): (&Plan, PlanDigest),
) -> Result<Vec<u8>, CommandError> {
    let rendered = match run {
        Some(run) => page_of_run(session, place, run).await?,
        None => page_of_file(plan, digest),
    };
    Ok(rendered.html)
}

/// The page as it is now.
async fn page(session: &Session, subject: &Subject) -> Result<Rendered, CommandError> {
    match subject {
        Subject::File(read) => Ok(page_of_file(&read.0, read.1)),
        Subject::Run(found) => page_of_run(session, &found.0, &found.1.id).await,
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn page_of_file(plan: &Plan, digest: PlanDigest) -> Rendered {
    let page = RunPage {
        plan,
        digest,
        run: None,
        stack: None,
        gate: None,
        policies: Vec::new(),
        version: VERSION,
    };
    page.render()
}

async fn page_of_run(session: &Session, place: &Place, id: &str) -> Result<Rendered, CommandError> {
    let run = super::runs::named(place, id).await?;
    let (plan, digest) = super::gate::plan_of(place, id).await?;
    let gate = match super::gate::rules(place).await? {
        Some(rules) => Some(gate_state(session, place, &rules, (&plan, digest), &run).await?),
        None => None,
    };
    let policies = policies_of(place, id).await?;
    let stack = place
        .project
        .as_ref()
        .map(|found| match found.stack.as_str() {
            "." | "" => found.project.name.clone(),
            stack => format!("{} / {stack}", found.project.name),
        });
    let page = RunPage {
        plan: &plan,
        digest,
        run: Some(&run),
        stack,
        gate,
        policies,
        version: VERSION,
    };
    Ok(page.render())
}

/// What policies said of a run when they were asked last: what stops it first, and what has nothing to say last.
pub(crate) async fn policies_of(
    place: &Place,
    id: &str,
) -> Result<Vec<PolicyOutcome>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let policies = load_run_policies(&*store, id).await?;
    Ok(policies.map_or_else(Vec::new, |(_, results)| outcomes(&results)))
}

fn outcomes(results: &PolicyResults) -> Vec<PolicyOutcome> {
    let told = [
        (PolicyEffect::Denied, PolicyVerdict::Denied),
        (PolicyEffect::Overridden, PolicyVerdict::Overridden),
        (PolicyEffect::Advised, PolicyVerdict::Warned),
        (PolicyEffect::Warned, PolicyVerdict::Warned),
    ];
    let found = told.into_iter().flat_map(|(effect, verdict)| {
        results
            .of(effect)
            .map(move |(policy, finding)| PolicyOutcome {
                policy: match &finding.rule {
                    Some(rule) => format!("{}: {rule}", policy.name),
                    None => policy.name.clone(),
                },
                level: policy.level.name().to_owned(),
                verdict,
                message: finding.message.clone(),
            })
    });
    let passed = results
        .policies
        .iter()
        .filter(|policy| policy.findings.is_empty())
        .map(|policy| PolicyOutcome {
            policy: policy.name.clone(),
            level: policy.level.name().to_owned(),
            verdict: PolicyVerdict::Passed,
            message: String::new(),
        });
    found.chain(passed).collect()
}

/// What the gate says of a run now.
async fn gate_state(
    session: &Session,
    place: &Place,
    rules: &Rules,
    (plan, digest): (&Plan, PlanDigest),
    run: &Run,
) -> Result<GateState, CommandError> {
    let demand = Demand::of(rules, plan);
    let evidence = super::gate::evidence(session, place, plan, digest).await?;
    let approvals = approvals(place, rules, plan, &evidence, &run.id).await?;
    let authors = evidence.authors_told();
    let is_planned = run.status == RunStatus::Planned;
    let reasons = if is_planned {
        super::judging::reasons(plan, evidence)
    } else {
        Vec::new()
    };
    let missing = reasons.iter().map(|reason| Missing {
        reason: reason.to_string(),
        remedy: reason.remedy(&rules.environment, &run.id),
    });
    Ok(GateState {
        environment: rules.environment.clone(),
        kind: demand.kind.name().to_owned(),
        is_over: !is_planned,
        asks: gate_view::demand_lines(&demand),
        authors,
        missing: missing.collect(),
        approvals,
        risks: demand.risks,
    })
}

/// Who has approved a run, by signature or at the forge.
async fn approvals(
    place: &Place,
    rules: &Rules,
    plan: &Plan,
    evidence: &Evidence,
    id: &str,
) -> Result<Vec<terrace_page::Approval>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let now = SystemClock.now().0;
    let counted = approvers_counted(plan, evidence);
    let mut signed: Vec<Approval> = run_approvals(&*store, id)
        .await?
        .iter()
        .filter_map(|envelope| Approval::open(envelope).ok())
        .collect();
    signed.sort_by_key(|approval| approval.statement.signed_at);
    let mut told: Vec<terrace_page::Approval> = Vec::new();
    for Approval {
        statement,
        fingerprint,
    } in signed
    {
        let person = rules.person_of(&fingerprint);
        let is_over = statement.expires_at.is_some_and(|end| end <= now);
        told.push(terrace_page::Approval {
            person: person.unwrap_or("somebody who is not listed").to_owned(),
            counts: person.is_some_and(|person| counted.iter().any(|name| name == person))
                && !is_over,
            signed: rfc3339(statement.signed_at),
            expires: statement.expires_at.map(rfc3339),
            comment: statement.comment,
            fingerprint,
        });
    }
    for person in counted {
        if told
            .iter()
            .any(|approval| approval.counts && approval.person == person)
        {
            continue;
        }
        told.push(terrace_page::Approval {
            person,
            fingerprint: "reviewed at GitHub".to_owned(),
            signed: String::new(),
            expires: None,
            comment: String::new(),
            counts: true,
        });
    }
    Ok(told)
}
