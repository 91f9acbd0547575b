//! `terrace promote`

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::Name;
use terrace_diag::Diagnostic;
use terrace_gate::{Upstream, last_applied, load_run_plan, unready};
use terrace_plan::{PlanInputs, VariableInput};
use terrace_port::Clock as _;
use terrace_value::Marks;

use crate::args::{LockArgs, PlanArgs, PlanOptions, PromoteArgs, StacksArgs, Where};
use crate::command_error::{CommandError, Outcome, REFUSED};
use crate::outside::SystemClock;
use crate::session::{Place, Session};
use crate::view::{gate as gate_view, value_text};
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
    let soaks = args.request.change.as_deref().unwrap_or("normal") == "normal";
    if let Some(applied) = applied.as_ref().filter(|_| soaks) {
        refuse_unready(session, (&from, &to), args, &applied.configuration).await?;
    }
    if !session.view.json {
        tell_differences(session, (&from, &to), args).await?;
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
        stacks: StacksArgs::default(),
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
        request: args.request.clone(),
    };
    let planned = super::plan::run_here(session, &plan).await?;
    Ok(planned.code)
}

/// Refuses while the environment before has not run the configuration for long enough, or has drifted.
async fn refuse_unready(
    session: &Session,
    (from, to): (&Place, &Place),
    args: &PromoteArgs,
    configuration: &str,
) -> Result<(), CommandError> {
    let rules = super::gate::rules(to).await?;
    let soak = rules
        .as_ref()
        .and_then(|rules| rules.gate.as_ref())
        .and_then(|gate| gate.soak);
    let store = from.store.runs(&from.workspace);
    let before = Upstream {
        environment: &args.from,
        store: &*store,
    };
    let Some(reason) = unready(&before, configuration, soak, SystemClock.now().0).await? else {
        return Ok(());
    };
    let details = [
        ("operation", "promote".to_owned()),
        ("reasons", reason.to_string()),
    ];
    session.audit(to, "refuse", None, &details).await?;
    let mut diagnostic = Diagnostic::error(
        "no-evidence",
        "No evidence for a promotion",
        reason.to_string(),
    );
    if let Some(remedy) = reason.remedy(&args.to, "RUN") {
        diagnostic = diagnostic.hint(remedy);
    }
    let mut error = CommandError::from(diagnostic);
    error.code = REFUSED;
    Err(error)
}

/// The variables of the last applied run, and the versions of its providers. A run that changed nothing keeps no plan.
async fn applied_inputs(place: &Place) -> Result<Option<PlanInputs>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let Some(run) = last_applied(&*store).await? else {
        return Ok(None);
    };
    let plan = load_run_plan(&*store, &run.id).await?;
    Ok(plan.map(|(_, plan, _)| plan.inputs))
}

/// Shows two environments side by side in what differs: variables, versions, resources.
async fn tell_differences(
    session: &Session,
    (from, to): (&Place, &Place),
    args: &PromoteArgs,
) -> Result<(), CommandError> {
    let (from_inputs, to_inputs) = (applied_inputs(from).await?, applied_inputs(to).await?);
    let (from_inputs, to_inputs) = (from_inputs.as_ref(), to_inputs.as_ref());
    let mut rows = Vec::new();
    let empty = BTreeMap::new();
    let own = from_inputs.map_or(&empty, |inputs| &inputs.variables);
    let other = to_inputs.map_or(&empty, |inputs| &inputs.variables);
    for name in own.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        let shown = |variables: &BTreeMap<Name, VariableInput>| match variables.get(name) {
            None => "-".to_owned(),
            Some(VariableInput { value: None, .. }) => "(ephemeral)".to_owned(),
            Some(VariableInput {
                value: Some(value), ..
            }) if value.has_marks_deep(Marks::SENSITIVE) => "(sensitive)".to_owned(),
            Some(VariableInput {
                value: Some(value), ..
            }) => value_text(value, 0).replace('\n', " "),
        };
        rows.push([format!("var.{name}"), shown(own), shown(other)]);
    }
    let versions = |inputs: Option<&PlanInputs>| -> BTreeMap<String, String> {
        let providers = inputs.into_iter().flat_map(|inputs| &inputs.providers);
        providers
            .map(|used| (used.provider.for_display(), used.version.clone()))
            .collect()
    };
    let (own, other) = (versions(from_inputs), versions(to_inputs));
    compare(&mut rows, &own, &other);
    let mut resources = Vec::new();
    for place in [from, to] {
        let state = terrace_state::load(&*place.store, &place.workspace).await?;
        let list: BTreeMap<String, String> = state
            .instances()
            .map(|(address, ..)| (address.to_string(), "there".to_owned()))
            .collect();
        resources.push(list);
    }
    compare(&mut rows, &resources[0], &resources[1]);
    rows.retain(|row| row[1] != row[2]);
    session.view.line(format!(
        "\n{}",
        gate_view::side_by_side(&args.from, &args.to, &rows)
    ));
    Ok(())
}

/// What two environments have by the same names.
fn compare(
    rows: &mut Vec<[String; 3]>,
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) {
    let shown = |list: &BTreeMap<String, String>, name: &str| match list.get(name) {
        None => "-".to_owned(),
        Some(text) if text.is_empty() => "built in".to_owned(),
        Some(text) => text.clone(),
    };
    for name in from.keys().chain(to.keys()).collect::<BTreeSet<_>>() {
        rows.push([name.clone(), shown(from, name), shown(to, name)]);
    }
}
