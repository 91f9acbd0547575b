//! `terrace approve` and `terrace gate explain`

use terrace_config::Config;
use terrace_gate::{
    Statement, approve, fingerprint_of, gather, load_run_plan, save_approval, sign_approval,
};
use terrace_port::{Clock as _, Files as _};

use crate::args::{ApproveArgs, GateCommand};
use crate::command_error::{CommandError, Outcome, REFUSED, SUCCESS};
use crate::outside::{Disk, SystemClock};
use crate::session::{Place, Session, parse_duration};
use crate::view::plan as plan_view;

pub(crate) async fn run(session: &Session, args: &ApproveArgs, config: Option<&Config>) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    let Some(rules) = &place.rules else {
        return Err(terrace_diag::Diagnostic::error(
            "no-environment",
            "No environment chosen",
            "An approval is for an environment of the project file.",
        )
        .hint("choose one with -env=NAME")
        .into());
    };
    let run = super::runs::named(&place, &args.run).await?;
    let key = read_key(args.key.as_deref())?;
    let fingerprint = fingerprint_of(&key).map_err(|error| {
        CommandError::one("invalid-key", "SSH key cannot be used", error.to_string())
    })?;
    let store = place.store.runs(&place.workspace);
    let Some((_, plan, digest)) = load_run_plan(&*store, &run.id).await? else {
        return Err(CommandError::one(
            "no-plan",
            "Run has no plan",
            format!("The plan of run {} is not there any more.", run.id),
        ));
    };
    if digest != run.plan {
        let detail = format!(
            "The plan that is stored for run {} has the digest {digest}, not {}. It was changed; it is not approved.",
            run.id, run.plan
        );
        return Err(CommandError::one(
            "plan-changed",
            "Plan was changed",
            detail,
        ));
    }
    let author = author_of(&*store, &run.id).await?;
    let who = match rules.person_of(&fingerprint) {
        Some(person) if author.as_deref().and_then(|key| rules.person_of(key)) == Some(person) => {
            let why = format!(
                "{person} is the author of the plan, and nobody approves what they made themselves."
            );
            return refuse_to_sign(session, &place, &run.id, &fingerprint, why).await;
        }
        Some(person) => person,
        None => {
            let why =
                format!("The key {fingerprint} belongs to nobody that the project file lists.");
            return refuse_to_sign(session, &place, &run.id, &fingerprint, why).await;
        }
    };
    if !args.style.json {
        session.view.output(plan_view::render(&plan, &session.view));
    }
    let now = SystemClock.now().0;
    let expiry = parse_duration(&args.expires)?;
    let statement = Statement {
        plan: digest,
        environment: rules.environment.clone(),
        change: "normal".to_owned(),
        signed_at: now,
        expires_at: Some(now.saturating_add(i64::try_from(expiry.as_secs()).unwrap_or(i64::MAX))),
        comment: args.comment.clone(),
    };
    let envelope = sign_approval(&key, &statement).map_err(|error| {
        CommandError::one("invalid-key", "SSH key cannot be used", error.to_string())
    })?;
    save_approval(&*store, &run.id, &envelope).await?;
    session
        .audit(
            &place,
            "approve",
            Some(&run.id),
            &[
                ("key", fingerprint.clone()),
                ("person", who.to_owned()),
                ("plan", digest.to_string()),
            ],
        )
        .await?;
    session.view.line(format!(
        "\nApproved plan {} for {:?} as {who} ({fingerprint}).",
        digest.short(),
        rules.environment
    ));
    match explain(session, &place, &run.id).await? {
        None => session.view.line(format!(
            "The gate is satisfied: `terrace apply -env={} {}` applies it.",
            rules.environment, run.id
        )),
        Some(missing) => session.view.line(missing),
    }
    Ok(SUCCESS)
}

/// Fingerprint of the key that the plan's author signed it with.
async fn author_of(
    store: &dyn terrace_port::RunStore,
    id: &str,
) -> Result<Option<String>, CommandError> {
    let envelope = store.get(&format!("runs/{id}/author")).await?;
    Ok(envelope
        .and_then(|envelope| terrace_gate::Authorship::open(&envelope).ok())
        .map(|author| author.fingerprint))
}

/// An approval that could not count is not made.
async fn refuse_to_sign(
    session: &Session,
    place: &Place,
    id: &str,
    fingerprint: &str,
    why: String,
) -> Outcome {
    session
        .audit(
            place,
            "refuse",
            Some(id),
            &[
                ("operation", "approve".to_owned()),
                ("key", fingerprint.to_owned()),
                ("reason", why.clone()),
            ],
        )
        .await?;
    let mut error = CommandError::one(
        "approval-refused",
        "Approval would not count",
        format!("{why} Nothing was signed."),
    );
    error.code = REFUSED;
    Err(error)
}

/// The private key that a command is told to sign with.
pub(crate) fn read_key(path: Option<&str>) -> Result<String, CommandError> {
    let Some(path) = path else {
        return Err(terrace_diag::Diagnostic::error(
            "no-key",
            "No SSH key",
            "This needs an SSH key to sign with.",
        )
        .hint("name its file with -key=FILE or TERRACE_SSH_KEY")
        .into());
    };
    let bytes = Disk.read(path).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "SSH key cannot be read",
            format!("{path} cannot be read: {error}."),
        )
    })?;
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        CommandError::one(
            "invalid-key",
            "SSH key cannot be read",
            format!("{path} is not a key in OpenSSH's format."),
        )
    })
}

pub(crate) async fn gate(
    session: &Session,
    command: &GateCommand,
    config: Option<&Config>,
) -> Outcome {
    let GateCommand::Explain {
        style: _,
        place,
        run,
    } = command;
    let place = session.place(place.env.as_deref(), config)?;
    let run = super::runs::named(&place, run).await?;
    match explain(session, &place, &run.id).await? {
        None => {
            session
                .view
                .output(format!("The gate lets run {} through.", run.id));
            Ok(SUCCESS)
        }
        Some(missing) => {
            session.view.output(missing);
            Ok(REFUSED)
        }
    }
}

/// What is missing for a run, in lines; `None` when nothing is.
async fn explain(
    session: &Session,
    place: &Place,
    id: &str,
) -> Result<Option<String>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let Some((_, plan, digest)) = load_run_plan(&*store, id).await? else {
        return Err(CommandError::one(
            "no-plan",
            "Run has no plan",
            format!("The plan of run {id} is not there any more."),
        ));
    };
    let upstream = super::gate::upstream(session, place)?;
    let evidence = gather(
        &*store,
        &plan,
        digest,
        place.rules.as_ref(),
        &super::gate::as_upstream(&upstream),
        SystemClock.now().0,
    )
    .await?;
    Ok(match approve(plan, evidence) {
        Ok(_) => None,
        Err(refusal) => {
            let lines: Vec<String> = refusal
                .reasons
                .iter()
                .map(|reason| format!("  - {reason}"))
                .collect();
            Some(format!(
                "Still missing before {:?} lets plan {} through:\n{}",
                refusal.environment,
                digest.short(),
                lines.join("\n")
            ))
        }
    })
}
