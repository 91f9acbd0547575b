//! `terrace recover`

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, ParseError};
use terrace_apply::recover::{Answer, Resolve, Resolved, finish, resolve};
use terrace_diag::Diagnostic;
use terrace_port::LockedState;
use terrace_state::State;
use terrace_state::journal::{self, IntentAction, Recovery, Uncertain};
use terrace_state::transfer::Transfer;

use super::state::{history, transfer};
use crate::args::RecoverArgs;
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::outside::{SystemClock, SystemEntropy};
use crate::session::{Place, Session};
use crate::wiring::{Work, load_config_for_backend};

pub(crate) async fn run(session: &Session, args: &RecoverArgs) -> Outcome {
    let config = load_config_for_backend(session);
    let environment = args.place.env.as_deref();
    let place = session.place_or_files(environment, &args.files.as_files(), config.as_deref())?;
    drop(config);
    if args.dry_run {
        return tell(session, &place).await;
    }
    let frames = place.store.journal(&place.workspace).read().await?;
    if let Some(moved) = Transfer::in_journal(&frames)? {
        return transfer::recover(session, args, &moved).await;
    }
    let answers = answers(args)?;
    let mut locked = session
        .lock(&place, "OperationTypeRecover", &args.lock.lock_timeout)
        .await?;
    let done = under_lock(session, &place, answers, &mut *locked).await;
    let unlocked = locked.unlock().await;
    let code = done?;
    unlocked?;
    Ok(code)
}

/// Says what was done and what is uncertain, and changes nothing.
async fn tell(session: &Session, place: &Place) -> Outcome {
    match super::plan::check_interrupted(place).await {
        Ok(_) => {
            session.view.line(NOTHING);
            Ok(SUCCESS)
        }
        Err(error) => {
            let diagnostics = error.diagnostics.iter();
            let ours = diagnostics.clone().all(|one| one.id == "recovery-needed");
            if !ours {
                return Err(error);
            }
            for diagnostic in diagnostics {
                session.view.line(&diagnostic.detail);
                if let Some(hint) = &diagnostic.hint {
                    session.view.line(format!("\nTo go on, {hint}."));
                }
            }
            Ok(SUCCESS)
        }
    }
}

/// What is said where the last apply came to its end.
pub(crate) const NOTHING: &str =
    "There is nothing to recover: the journal holds nothing that the state lacks.";

/// What the command line tells of objects that nobody else can know of.
fn answers(args: &RecoverArgs) -> Result<BTreeMap<AbsResourceInstance, Answer>, CommandError> {
    let address = |text: &str| {
        text.parse().map_err(|error: ParseError| {
            CommandError::one("invalid-address", "Invalid address", error.to_string())
        })
    };
    let mut answers = BTreeMap::new();
    for text in &args.not_created {
        answers.insert(address(text)?, Answer::NotCreated);
    }
    for text in &args.created {
        let Some((name, id)) = text.rsplit_once('=') else {
            let detail = format!("-created takes ADDRESS=ID, and {text:?} has no equals sign.");
            return Err(CommandError::one(
                "invalid-argument",
                "Invalid argument",
                detail,
            ));
        };
        answers.insert(address(name)?, Answer::Id(id.to_owned()));
    }
    Ok(answers)
}

/// What the next command says of a run, or of a move between states, that was interrupted: what was done, what is
/// uncertain, and the command that goes on.
pub(crate) fn needed(place: &Place, stored: &State, recovery: &Recovery) -> CommandError {
    let environment = place
        .environment
        .as_ref()
        .map(|name| format!(" -env={name}"))
        .unwrap_or_default();
    if let Some(transfer) = &recovery.transfer {
        return transfer::interrupted(transfer, &environment);
    }
    let detail = format!(
        "An apply was interrupted (run {}). Its journal holds {} not in the state yet, and {} whose end nobody recorded.{}",
        recovery.runs.join(", "),
        counted(recovery.n_results, "result"),
        counted(recovery.uncertain.len(), "change"),
        summary(stored, recovery)
    );
    Diagnostic::error(
        "recovery-needed",
        "Interrupted apply must be recovered first",
        detail,
    )
    .hint(format!(
        "run `terrace recover{environment}`, which brings this into the state and finds out about what is uncertain"
    ))
    .into()
}

/// `1 result`, `2 results`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What was done and is not in the state yet, and what is uncertain, as two lists; nothing where there is neither.
fn summary(stored: &State, recovery: &Recovery) -> String {
    const MOST: usize = 10;
    let done: Vec<String> = journal::difference(stored, &recovery.state)
        .iter()
        .map(|change| {
            let before = stored.object(&change.address).is_some();
            let what = match (before, &change.object) {
                (false, Some(_)) => "created",
                (true, Some(_)) => "changed",
                (_, None) => "destroyed",
            };
            let deposed = change
                .deposed
                .as_ref()
                .map(|key| format!(" (deposed object {key})"))
                .unwrap_or_default();
            format!("  - {}{deposed}: {what}", change.address)
        })
        .collect();
    let uncertain: Vec<String> = recovery
        .uncertain
        .iter()
        .map(|uncertain| {
            let what = match uncertain.intent.action {
                IntentAction::Create => "was to be created",
                IntentAction::Update => "was to be changed",
                IntentAction::Delete => "was to be destroyed",
            };
            format!("  - {}: {what}", uncertain.intent.address)
        })
        .collect();
    let mut text = String::new();
    for (title, lines) in [
        ("Done, and not in the state yet:", done),
        ("Uncertain:", uncertain),
    ] {
        if !lines.is_empty() {
            text.push_str("\n\n");
            text.push_str(title);
            text.push('\n');
            text.push_str(&transfer::shortened(lines, MOST));
        }
    }
    text
}

async fn under_lock(
    session: &Session,
    place: &Place,
    answers: BTreeMap<AbsResourceInstance, Answer>,
    locked: &mut dyn LockedState,
) -> Outcome {
    let journal_store = place.store.journal(&place.workspace);
    let frames = journal_store.read().await?;
    let stored = terrace_state::load_locked(locked).await?;
    let recovery = journal::recover_by(&stored, &frames, journal_store.witness().as_deref())?;
    if frames.is_empty() || recovery.is_clean() {
        if !frames.is_empty() {
            journal_store.clear().await?;
        }
        session.view.line(NOTHING);
        return Ok(SUCCESS);
    }
    session.view.line(format!(
        "Recovering run {}: {} result(s) recorded, {} change(s) whose end nobody recorded.",
        recovery.runs.join(", "),
        recovery.n_results,
        recovery.uncertain.len()
    ));
    let resolved = resolve_all(session, place, recovery, answers).await?;
    let state = finish(&resolved, &stored, locked, &*journal_store, &SystemEntropy).await?;
    history::keep(session, place, (&stored, &state), "recover", None).await;
    report(session, place, resolved, &state).await
}

/// Replays what is recorded. Only what is uncertain needs the configuration and its providers.
async fn resolve_all(
    session: &Session,
    place: &Place,
    recovery: Recovery,
    answers: BTreeMap<AbsResourceInstance, Answer>,
) -> Result<Resolved, CommandError> {
    let mut wanted: State = recovery.state.clone();
    for uncertain in &recovery.uncertain {
        let intent = &uncertain.intent;
        wanted
            .resources
            .entry(intent.address.resource.clone())
            .or_insert_with(|| terrace_state::ResourceInState {
                provider: intent.provider.clone(),
                instances: BTreeMap::new(),
            });
    }
    let work = Work::prepare(session, place, &wanted).await?;
    let resolved = resolve(Resolve {
        recovery,
        evaluator: work.evaluator.clone(),
        providers: &*work.providers,
        answers,
        clock: Arc::new(SystemClock),
    })
    .await;
    work.providers.close().await;
    Ok(resolved)
}

async fn report(session: &Session, place: &Place, resolved: Resolved, state: &State) -> Outcome {
    for settled in &resolved.settled {
        session
            .view
            .line(format!("  {} {}", settled.intent.address, settled.finding));
    }
    let open = resolved.open.len();
    let details = [
        ("settled", resolved.settled.len().to_string()),
        ("open", open.to_string()),
    ];
    session.audit(place, "recover", None, &details).await?;
    session
        .view
        .diagnostics(resolved.diagnostics, &terrace_diag::SourceMap::new());
    if open == 0 {
        let objects: usize = state
            .resources
            .values()
            .map(|resource| resource.instances.len())
            .sum();
        session.view.line(format!(
            "\nRecovered. The state holds {objects} object(s); the next apply goes on from here."
        ));
        return Ok(SUCCESS);
    }
    session
        .view
        .line("\nWhat is recorded is in the state now. Nobody but you can know what became of:");
    for uncertain in &resolved.open {
        session.view.line(format!("  - {}", question(uncertain)));
    }
    session.view.line("\nLook at the provider's side, then run `terrace recover` with -created='ADDRESS=ID' or -not-created='ADDRESS' for each.");
    Ok(FAILURE)
}

fn question(uncertain: &Uncertain) -> String {
    let address = &uncertain.intent.address;
    match uncertain.intent.action {
        IntentAction::Create => format!("{address}: was it created?"),
        IntentAction::Update => format!("{address}: was it changed?"),
        IntentAction::Delete => format!("{address}: was it destroyed?"),
    }
}
