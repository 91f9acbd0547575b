//! `terrace state history` and `diff`, and keeping versions.

use std::collections::BTreeMap;

use terrace_addr::{AbsResourceInstance, ProviderAddr};
use terrace_config::Config;
use terrace_diag::{Diagnostic, SourceMap};
use terrace_port::Clock as _;
use terrace_state::State;
use terrace_state::history::{Counts, History, Version, Written};

use crate::command_error::CommandError;
use crate::commands::show;
use crate::outside::{SystemClock, rfc3339};
use crate::session::{Place, Session};
use crate::view::state as state_view;
use crate::view::table::table;

/// Keeps what was just stored over `states.0` as a version. What goes wrong is a warning: the state itself is stored.
pub(crate) async fn keep(
    session: &Session,
    place: &Place,
    states: (&State, &State),
    operation: &str,
    run: Option<&str>,
) {
    let runs = place.store.runs(&place.workspace);
    let written = Written {
        time: SystemClock.now().0,
        who: session.actor(),
        operation: operation.to_owned(),
        run: run.map(str::to_owned),
    };
    let kept = async {
        History::load(&*runs)
            .await?
            .keep(&*runs, states, written)
            .await
    }
    .await;
    if let Err(error) = kept {
        let detail = format!(
            "The state is stored. A version of it could not be kept for `terrace state history`: {error}"
        );
        let warning =
            Diagnostic::warning("history-not-kept", "Version of the state not kept", detail);
        session.view.diagnostics(warning.into(), &SourceMap::new());
    }
}

/// Prints the versions, the latest first.
pub(super) async fn list(session: &Session, place: &Place, json: bool) -> Result<(), CommandError> {
    let runs = place.store.runs(&place.workspace);
    let history = History::load(&*runs).await?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    if json {
        session
            .view
            .output(state_view::history_json(history.versions()));
        return Ok(());
    }
    let last = history.versions().last();
    let is_known = last.is_none_or(|last| is_version(&state, last));
    if !is_known {
        session.view.line(format!(
            "The state as it is (serial {}) was written by a tool that keeps no versions; the next command that writes it keeps it too.\n",
            state.serial
        ));
    }
    if history.versions().is_empty() {
        session
            .view
            .line("No version is kept yet. The first is kept with the next write of the state.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = history
        .versions()
        .iter()
        .rev()
        .map(|version| row(version, &state))
        .collect();
    let headings = ["Serial", "Written", "By", "Doing", "Changes"];
    session.view.output(table(&headings, &rows));
    Ok(())
}

fn is_version(state: &State, version: &Version) -> bool {
    state.serial == version.serial && state.lineage == version.lineage
}

fn row(version: &Version, state: &State) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    let doing = match &version.run {
        Some(run) => format!("{} ({run})", version.operation),
        None if version.operation.is_empty() => "(another tool)".to_owned(),
        None => version.operation.clone(),
    };
    let foreign = if version.lineage == state.lineage {
        ""
    } else {
        ", another lineage"
    };
    vec![
        version.serial.to_string(),
        rfc3339(version.time),
        or_dash(&version.who),
        doing,
        format!("{}{foreign}", counts_text(version.counts)),
    ]
}

/// `+2 ~1 -0`, with outputs where any changed.
pub(super) fn counts_text(counts: Counts) -> String {
    let Counts {
        added,
        changed,
        removed,
        outputs,
    } = counts;
    let text = format!("+{added} ~{changed} -{removed}");
    match outputs {
        0 => text,
        1 => format!("{text}, 1 output"),
        _ => format!("{text}, {outputs} outputs"),
    }
}

/// The content of the version with a serial: the state as it is, or one that is kept.
pub(super) async fn version(
    place: &Place,
    stored: &State,
    serial: u64,
) -> Result<State, CommandError> {
    if stored.serial == serial {
        return Ok(stored.clone());
    }
    let runs = place.store.runs(&place.workspace);
    let history = History::load(&*runs).await?;
    let Some(version) = history.version(serial) else {
        return Err(unknown(&history, stored, serial));
    };
    Ok(history.state(&*runs, version).await?)
}

fn unknown(history: &History, stored: &State, serial: u64) -> CommandError {
    let kept: Vec<u64> = history
        .versions()
        .iter()
        .map(|version| version.serial)
        .collect();
    let before = kept.iter().filter(|kept| **kept < serial).max();
    let after = kept.iter().filter(|kept| **kept > serial).min();
    let near = match (before, after) {
        (Some(before), Some(after)) => format!(
            " An apply stores its state several times, and only the last one is kept: the nearest are {before} and {after}."
        ),
        (Some(near), None) | (None, Some(near)) => format!(" The nearest is {near}."),
        (None, None) => String::new(),
    };
    let detail = format!(
        "No version with serial {serial} is kept of this state, whose serial is {}.{near}",
        stored.serial
    );
    Diagnostic::error("unknown-version", "No such version of the state", detail)
        .hint("`terrace state history` lists the versions that are kept")
        .into()
}

/// Shows what differs between two versions.
pub(super) async fn diff(
    session: &Session,
    place: &Place,
    (from, to): (u64, Option<u64>),
    json: bool,
    config: Option<&Config>,
) -> Result<(), CommandError> {
    let stored = terrace_state::load(&*place.store, &place.workspace).await?;
    let before = version(place, &stored, from).await?;
    let after = match to {
        Some(serial) => version(place, &stored, serial).await?,
        None => stored,
    };
    let differences = differences(&before, &after);
    let wanted = differences
        .values()
        .map(|difference| difference.provider.clone())
        .collect();
    let schemas = show::schemas_of(session, &wanted, config).await?;
    let shown = state_view::Comparison {
        before: &before,
        after: &after,
        addresses: &differences,
        schemas: &schemas,
    };
    if json {
        session.view.output(shown.json());
    } else {
        session.view.output(shown.text(&session.view));
    }
    Ok(())
}

/// An instance that differs between two states.
pub(crate) struct Difference {
    /// Who manages it.
    pub(crate) provider: ProviderAddr,
}

/// The instances that differ between two states.
pub(super) fn differences(
    before: &State,
    after: &State,
) -> BTreeMap<AbsResourceInstance, Difference> {
    terrace_state::journal::difference(before, after)
        .into_iter()
        .map(|change| {
            let provider = change.provider.provider;
            (change.address, Difference { provider })
        })
        .collect()
}
