//! `terrace promote`

use crate::args::{LockArgs, PlanArgs, PlanOptions, PromoteArgs, Where};
use crate::command_error::{CommandError, Outcome};
use crate::session::Session;
use crate::wiring::load_config_for_backend;

/// Plans `to` with the working directory's configuration, which must be the one that `from` has applied.
pub(crate) async fn run(session: &Session, args: &PromoteArgs) -> Outcome {
    let config = load_config_for_backend(session);
    let from = session.place(Some(&args.from), config.as_deref())?;
    let to = session.place(Some(&args.to), config.as_deref())?;
    let named = to
        .rules
        .as_ref()
        .is_some_and(|rules| rules.after.contains(&args.from));
    if !named {
        let detail = format!(
            "Environment {:?} does not come after {:?}: its `after` in the project file does not name it.",
            args.to, args.from
        );
        return Err(CommandError::one("no-promotion", "Not a promotion", detail));
    }
    let store = from.store.runs(&from.workspace);
    let applied = terrace_gate::last_applied(&*store).await?;
    let digest = config
        .as_ref()
        .map(|config| terrace_gate::configuration_digest(&config.snapshot));
    match (&applied, &digest) {
        (Some(applied), Some(digest)) if applied.configuration == *digest => {
            session.view.line(format!(
                "{:?} applied this configuration in run {} at {}.",
                args.from,
                applied.id,
                applied.finished.as_deref().unwrap_or("-")
            ));
        }
        (Some(applied), _) => {
            let detail = format!(
                "{:?} last applied another configuration (run {}). Apply this one there first, or check out what it applied.",
                args.from, applied.id
            );
            return Err(CommandError::one(
                "no-evidence",
                "No evidence for a promotion",
                detail,
            ));
        }
        (None, _) => {
            let detail = format!("Nothing has been applied in {:?} yet.", args.from);
            return Err(CommandError::one(
                "no-evidence",
                "No evidence for a promotion",
                detail,
            ));
        }
    }
    let plan = PlanArgs {
        style: args.style.clone(),
        place: Where {
            env: Some(args.to.clone()),
        },
        lock: LockArgs {
            lock: args.lock.lock,
            lock_timeout: args.lock.lock_timeout.clone(),
            input: args.lock.input,
        },
        options: PlanOptions {
            destroy: false,
            refresh_only: false,
            refresh: true,
            replace: Vec::new(),
            target: Vec::new(),
            var: Vec::new(),
            var_file: Vec::new(),
            parallelism: 10,
            compact_warnings: false,
        },
        out: None,
        generate_config_out: None,
        detailed_exitcode: false,
        key: args.key.clone(),
    };
    super::plan::run(session, &plan).await
}
