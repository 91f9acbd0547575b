//! What commands need of the gate: what it asks of a plan, the evidence that there is, and what is missing.

use std::sync::Arc;

use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_gate::{
    ChangeKind, Demand, Evidence, ForgeReview, PolicyResults, Refusal, Rules, SourceQuestion,
    Upstream, examine_source, gather, load_run_plan, open_reviews, read_forge, read_identity,
    rules_in_force, told_length,
};
use terrace_plan::{ChangeRequest, Plan, PlanDigest};
use terrace_port::{Clock as _, Files as _, RunStore};

use crate::args::RequestArgs;
use crate::command_error::CommandError;
use crate::outside::{Disk, SystemClock, SystemProcess, rfc3339};
use crate::session::{Place, Session};
use crate::view::{gate as gate_view, policy as policy_view};

/// An environment's name and its run store.
pub(crate) type NamedStore = (String, Arc<dyn RunStore>);

/// The run stores of the environments that `place`'s environment comes after.
pub(crate) fn upstream(session: &Session, place: &Place) -> Result<Vec<NamedStore>, CommandError> {
    let (Some(found), Some(rules)) = (&place.project, &place.rules) else {
        return Ok(Vec::new());
    };
    let mut stores = Vec::new();
    for name in &rules.after {
        if let Some(environment) = found.project.environment(name) {
            let before = session.environment_place(found, environment, None)?;
            stores.push((name.clone(), before.store.runs(&before.workspace)));
        }
    }
    Ok(stores)
}

/// As the gate takes them.
pub(crate) fn as_upstream(stores: &[NamedStore]) -> Vec<Upstream<'_>> {
    stores
        .iter()
        .map(|(environment, store)| Upstream {
            environment,
            store: &**store,
        })
        .collect()
}

/// Everything that a plan is judged by now: what is stored, and what the repository and the forge say.
pub(crate) async fn evidence(
    session: &Session,
    place: &Place,
    plan: &Plan,
    digest: PlanDigest,
) -> Result<Evidence, CommandError> {
    let store = place.store.runs(&place.workspace);
    let stores = upstream(session, place)?;
    let mut evidence = gather(
        &*store,
        plan,
        digest,
        place.rules.as_ref(),
        &as_upstream(&stores),
        SystemClock.now().0,
    )
    .await?
    .asked_by(super::judging::stack(place), session.actor());
    let Some(rules) = evidence.rules().cloned() else {
        return Ok(evidence);
    };
    if let (Some(branch), Some(commit)) = (&rules.branch, &plan.inputs.request.commit) {
        let question = SourceQuestion {
            commit,
            branch,
            upstream: evidence.upstream_commits(),
            configuration: &plan.inputs.configuration,
        };
        evidence = evidence.with_source(examine_source(&SystemProcess::default(), &question).await);
    }
    let forge = crate::installation::forge(session);
    let issuer = crate::installation::issuer(session);
    let asked = (&*issuer, &*forge);
    let (identity, problems) = read_identity(&*store, asked, &rules, plan, digest).await?;
    evidence = evidence.with_identity(identity, problems);
    let (reviews, problems) = forge_reviews(session, &*store, &rules, &digest.short()).await?;
    Ok(evidence.with_forge(reviews, problems))
}

/// What the forge says of a run, where the run refers to it.
async fn forge_reviews(
    session: &Session,
    store: &dyn RunStore,
    rules: &Rules,
    run: &str,
) -> Result<(Vec<ForgeReview>, Vec<String>), CommandError> {
    let forge = crate::installation::forge(session);
    Ok(read_forge(store, &*forge, rules, run).await?)
}

/// The rules in force at a place, where there are any.
pub(crate) async fn rules(place: &Place) -> Result<Option<Rules>, CommandError> {
    let store = place.store.runs(&place.workspace);
    Ok(rules_in_force(&*store, place.rules.as_ref()).await?.0)
}

/// What the gate asks of a plan.
pub(crate) async fn demand(place: &Place, plan: &Plan) -> Result<Option<Demand>, CommandError> {
    let rules = rules(place).await?;
    Ok(rules.map(|rules| Demand::of(&rules, plan)))
}

/// What the author of a plan says of the change. Without an environment nobody asks, and nothing is said.
pub(crate) fn request(
    session: &Session,
    place: &Place,
    args: &RequestArgs,
) -> Result<ChangeRequest, CommandError> {
    let kind = args.change.clone().unwrap_or_default();
    if !kind.is_empty() && ChangeKind::parse(&kind).is_none() {
        let detail = format!(
            "There is no change type {kind:?}. Change types are normal, standard and emergency."
        );
        return Err(CommandError::one(
            "invalid-option",
            "Invalid change type",
            detail,
        ));
    }
    let mut request = ChangeRequest {
        kind: kind.replace("normal", ""),
        reason: args.reason.clone(),
        ..ChangeRequest::default()
    };
    let named = [
        ("purpose", &args.purpose),
        ("impact", &args.impact),
        ("rollback", &args.rollback),
    ];
    for (name, text) in named {
        if let Some(text) = text {
            request.statements.insert(name.to_owned(), text.clone());
        }
    }
    for statement in &args.statement {
        let (name, text) = read_statement(statement)?;
        request.statements.insert(name, text);
    }
    if place.environment.is_none() {
        if request != ChangeRequest::default() {
            return Err(Diagnostic::error(
                "no-environment",
                "No environment chosen",
                "A change type, a reason and statements are for the gate of an environment.",
            )
            .hint("choose one with -env=NAME")
            .into());
        }
        return Ok(request);
    }
    request.commit = super::plan::commit(session);
    Ok(request)
}

/// `NAME=TEXT`, or `NAME=@FILE` for a file's content.
fn read_statement(statement: &str) -> Result<(String, String), CommandError> {
    let Some((name, text)) = statement
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
    else {
        let detail =
            format!("{statement:?} is not a statement. Write one as NAME=TEXT or NAME=@FILE.");
        return Err(CommandError::one(
            "invalid-option",
            "Invalid statement",
            detail,
        ));
    };
    let Some(path) = text.strip_prefix('@') else {
        return Ok((name.to_owned(), text.to_owned()));
    };
    let bytes = Disk.read(path).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "Statement cannot be read",
            format!("{path} cannot be read: {error}."),
        )
    })?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok((name.to_owned(), text))
}

/// Tells, in every output of a command that works with an environment, which reviews are owed.
pub(crate) async fn tell_owed(session: &Session, place: &Place) -> Result<(), CommandError> {
    let Some(rules) = rules(place).await? else {
        return Ok(());
    };
    let store = place.store.runs(&place.workspace);
    let mut told = Diagnostics::new();
    for open in open_reviews(&*store, &rules, SystemClock.now().0).await? {
        let owed = &open.owed;
        let since = if open.overdue {
            "is overdue since"
        } else {
            "is due by"
        };
        let mut detail = format!(
            "Run {} of environment {:?} was an emergency: {}. Its review by {} other than {} {since} {}.",
            owed.run,
            owed.environment,
            owed.reason.trim_end_matches('.'),
            people(owed.approvals),
            owed.author,
            rfc3339(owed.due)
        );
        if !open.reviewers.is_empty() {
            let reviewers = open.reviewers.join(", ");
            detail = format!("{detail} Reviewed by {reviewers} so far.");
        }
        if open.overdue {
            detail.push_str(" Nothing but another emergency is applied before.");
        }
        let hint = format!(
            "terrace review -env={} -key=FILE {}",
            owed.environment, owed.run
        );
        told.push(Diagnostic::warning("review-owed", "Review owed", detail).hint(hint));
    }
    session.view.diagnostics(told, &SourceMap::new());
    Ok(())
}

fn people(count: u32) -> String {
    if count == 1 {
        "someone".to_owned()
    } else {
        format!("{count} people")
    }
}

/// Tells what is out of the ordinary about a plan: an emergency, a standard change that is none, risks, and statements
/// that are missing.
pub(crate) fn tell_demand(session: &Session, rules: &Rules, demand: &Demand, plan: &Plan) {
    let mut told = Diagnostics::new();
    let request = &plan.inputs.request;
    if !demand.misfits.is_empty() {
        let detail = format!(
            "The plan was asked for as a {} change, and is judged as a normal one:\n{}",
            request.kind,
            bullets(&demand.misfits)
        );
        told.push(Diagnostic::warning(
            "change-misfit",
            "Judged as a normal change",
            detail,
        ));
    }
    if demand.kind == ChangeKind::Emergency {
        let mut detail = format!(
            "The gate of environment {:?} is lowered for this plan: {}.",
            rules.environment,
            request
                .reason
                .as_deref()
                .unwrap_or("no reason is given, without which it is not let through")
                .trim_end_matches('.')
        );
        let review = rules
            .changes
            .get(&demand.kind)
            .and_then(|rule| rule.review.as_ref());
        if let Some(review) = review {
            detail = format!(
                "{detail} A review by {} other than its author is owed within {} of its apply.",
                people(review.approvals),
                told_length(review.within)
            );
        }
        told.push(Diagnostic::warning(
            "emergency-change",
            "Emergency change",
            detail,
        ));
    }
    for (name, lines) in &demand.risks {
        let detail = format!(
            "The risk {name:?} asks for more than the gate does, because of:\n{}",
            bullets(lines)
        );
        told.push(Diagnostic::warning("risk-found", "Risky change", detail));
    }
    let missing: Vec<&str> = rules
        .required_statements
        .iter()
        .filter(|name| {
            demand.asks
                && request
                    .statements
                    .get(*name)
                    .is_none_or(|text| text.trim().is_empty())
        })
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let detail = format!(
            "Runs of environment {:?} must state their {}, and this one does not: it can be neither approved nor applied.",
            rules.environment,
            missing.join(", ")
        );
        let options: Vec<String> = missing
            .iter()
            .map(|name| match *name {
                "purpose" | "impact" | "rollback" => format!("-{name}=TEXT"),
                name => format!("-statement={name}=TEXT"),
            })
            .collect();
        told.push(
            Diagnostic::warning("statement-missing", "Statements are missing", detail)
                .hint(format!("plan again with {}", options.join(" "))),
        );
    }
    session.view.diagnostics(told, &SourceMap::new());
}

fn bullets(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("  - {line}")).collect();
    lines.join("\n")
}

/// The plan of a run.
pub(crate) async fn plan_of(place: &Place, id: &str) -> Result<(Plan, PlanDigest), CommandError> {
    let store = place.store.runs(&place.workspace);
    match load_run_plan(&*store, id).await? {
        Some((_, plan, digest)) => Ok((plan, digest)),
        None => Err(CommandError::one(
            "no-plan",
            "Run has no plan",
            format!("The plan of run {id} is not there any more."),
        )),
    }
}

/// What the gate says of a run now.
pub(crate) struct Answer {
    /// Why it is not let through; `None` when it is.
    pub(crate) refusal: Option<Box<Refusal>>,
    /// What the policies in force say of it.
    pub(crate) policies: PolicyResults,
    /// Who counts as an author, where a workflow's identity says so.
    pub(crate) authors: Vec<String>,
    /// How the project file's rules differ from those in force.
    pub(crate) differences: Vec<String>,
    /// Whether the plan was made with rules that are neither in force nor in the project file, and cannot be compared here.
    pub(crate) has_unseen_rules: bool,
}

/// Asks the gate about a run.
pub(crate) async fn answer(
    session: &Session,
    place: &Place,
    id: &str,
) -> Result<Answer, CommandError> {
    let (plan, digest) = plan_of(place, id).await?;
    let evidence = evidence(session, place, &plan, digest).await?;
    let differences = match (evidence.rules(), &place.rules) {
        (Some(in_force), Some(proposed)) => in_force.differences(proposed),
        _ => Vec::new(),
    };
    let planned = plan.inputs.request.rules.as_ref();
    let has_unseen_rules = planned.is_some_and(|planned| {
        let mut known = [evidence.rules(), place.rules.as_ref()]
            .into_iter()
            .flatten();
        !known.any(|rules| rules.digest().to_string() == *planned)
    });
    let identified = evidence.identified().is_some();
    let authors = evidence.authors().into_iter().filter(|_| identified);
    let authors = authors.map(str::to_owned).collect();
    let (refusal, policies) = match super::judging::ask(plan, evidence) {
        Ok(judged) => (None, judged.policies),
        Err(refusal) => {
            let policies = refusal.policies.clone();
            (Some(refusal), policies)
        }
    };
    Ok(Answer {
        refusal,
        policies,
        authors,
        differences,
        has_unseen_rules,
    })
}

/// Shows how the rules change that come into force with a run.
pub(crate) fn tell_rules(session: &Session, answer: &Answer) {
    if answer.has_unseen_rules {
        session.view.output(gate_view::UNSEEN_RULES);
    }
    if !answer.differences.is_empty() {
        session
            .view
            .output(gate_view::differences(&answer.differences));
    }
}

/// What is missing for a run, in lines: each with who can give it, and how.
pub(crate) fn told_missing(refusal: &Refusal, id: &str) -> String {
    let mut text = format!(
        "Still missing before {:?} lets plan {id} through:",
        refusal.environment
    );
    if refusal.kind != ChangeKind::Normal {
        text = format!("{text} (as a {} change)", refusal.kind.name());
    }
    for reason in &refusal.reasons {
        text = format!("{text}\n  - {reason}");
        if let Some(remedy) = reason.remedy(&refusal.environment, id) {
            text = format!("{text}\n      {remedy}");
        }
    }
    text
}

/// As [`told_missing`], for programs.
pub(crate) fn answer_json(answer: &Answer, id: &str) -> serde_json::Value {
    let refusal = answer.refusal.as_deref();
    let reasons: Vec<serde_json::Value> = refusal
        .into_iter()
        .flat_map(|refusal| refusal.reasons.iter().map(move |reason| (refusal, reason)))
        .map(|(refusal, reason)| {
            serde_json::json!({
                "reason": reason.to_string(),
                "remedy": reason.remedy(&refusal.environment, id),
            })
        })
        .collect();
    let mut told = serde_json::json!({
        "run": id,
        "passes": refusal.is_none(),
        "change": refusal.map_or("normal", |refusal| refusal.kind.name()),
        "missing": reasons,
        "policies": policy_view::results_json(&answer.policies),
        "rules_changed": answer.differences,
    });
    if answer.has_unseen_rules {
        told["rules_unseen"] = true.into();
    }
    if !answer.authors.is_empty() {
        told["authors"] = serde_json::json!(answer.authors);
    }
    told
}
