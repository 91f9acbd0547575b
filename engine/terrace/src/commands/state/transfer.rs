//! `terrace state mv` to another state, and the recovery of one that was interrupted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use terrace_addr::AbsResourceInstance;
use terrace_diag::Diagnostic;
use terrace_port::{Files as _, JournalStore, LockedState};
use terrace_state::operations::{self, Move, Selector};
use terrace_state::transfer::{
    Both, End, Judgement, Party, Role, Settlement, Transfer, carry_out, settle,
};
use terrace_state::{State, new_lineage};

use super::moving::told;
use super::proof::{self, At, Side, relative};
use super::{history, selector};
use crate::args::{LockArgs, MvArgs, RecoverArgs};
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::commands::plan;
use crate::outside::{Disk, SystemEntropy};
use crate::session::Session;

const OPERATION: &str = "state-mv";

/// The two sides, and what goes from one to the other.
struct Passage<'a> {
    session: &'a Session,
    args: &'a MvArgs,
    source: Side,
    destination: Side,
    from: Selector,
    to: Option<Selector>,
}

/// The states as they are and as they are to be.
struct Planned {
    moves: Vec<Move>,
    before: Both,
    after: Both,
}

pub(super) async fn run(session: &Session, args: &MvArgs) -> Outcome {
    if args.lock.lock == Some(false) {
        return Err(CommandError::one(
            "incompatible-options",
            "Incompatible options",
            "Between two states nothing is moved without the locks of both; leave out -lock=false.",
        ));
    }
    let passage = Passage {
        session,
        args,
        source: Side::here(session, args)?,
        destination: destination(session, args)?,
        from: selector(&args.source)?,
        to: args.destination.as_deref().map(selector).transpose()?,
    };
    if let Some(workspace) = &args.to_workspace {
        let known = passage.destination.place.store.workspaces().await?;
        if !known.contains(workspace) {
            return Err(Diagnostic::error(
                "unknown-workspace",
                "Workspace doesn't exist",
                format!("The workspace {workspace:?} does not exist."),
            )
            .hint("create it there with `terrace workspace new` first")
            .into());
        }
    }
    if args.dry_run {
        return passage.rehearse().await;
    }
    passage
        .session
        .guard(&passage.source.place, OPERATION)
        .await?;
    let guarded = &passage.destination;
    guarded.session.guard(&guarded.place, OPERATION).await?;
    let mut locks =
        Locks::take(&passage.source, &passage.destination, &args.lock, OPERATION).await?;
    let done = passage.under_locks(&mut locks).await;
    let unlocked = locks.release().await;
    done?;
    unlocked?;
    for side in [&passage.source, &passage.destination] {
        let details = [
            ("operation", OPERATION.to_owned()),
            ("from", passage.source.name.clone()),
            ("to", passage.destination.name.clone()),
        ];
        side.session
            .audit(&side.place, "state-write", None, &details)
            .await?;
    }
    Ok(SUCCESS)
}

/// The side that the command line names for where objects go.
fn destination(session: &Session, args: &MvArgs) -> Result<Side, CommandError> {
    let directory = PathBuf::from(Disk.absolute(args.to_dir.as_deref().unwrap_or(".")));
    let stays = args.to_dir.is_none();
    let at = At {
        environment: args.to_env.clone().or_else(|| {
            // The same environment of another stack, unless another place is named.
            let named = args.to_workspace.is_some() || args.files.state_out.is_some();
            args.place.env.clone().filter(|_| !stays && !named)
        }),
        workspace: args.to_workspace.clone(),
        file: args
            .files
            .state_out
            .as_deref()
            .map(|file| Disk.absolute(file)),
        backup: args.backup_out.as_deref().map(proof::absolute_backup),
    };
    let is_mixed =
        at.file.is_some() && (at.environment.is_some() || at.workspace.is_some() || !stays);
    if is_mixed || (at.environment.is_some() && at.workspace.is_some()) {
        return Err(CommandError::one(
            "incompatible-options",
            "Incompatible options",
            "The destination is named more than once: use -to-dir with or without one of -to-env and -to-workspace, or -state-out alone.",
        ));
    }
    Side::open(
        session,
        &directory,
        at,
        &proof::absolute(&session.variables),
    )
}

impl Passage<'_> {
    /// Finds out what would be done, and says so.
    async fn rehearse(&self) -> Outcome {
        let (from, to) = (&self.source.place, &self.destination.place);
        let before = Both {
            source: terrace_state::load(&*from.store, &from.workspace).await?,
            destination: terrace_state::load(&*to.store, &to.workspace).await?,
        };
        let planned = self.plan(before)?;
        self.introduce();
        self.session.view.line(told(&planned.moves, true));
        self.session.view.line("");
        self.prove(&planned, true).await?;
        Ok(SUCCESS)
    }

    fn introduce(&self) {
        self.session.view.line(format!(
            "From {}\nto   {}\n",
            self.source.name, self.destination.name
        ));
    }

    fn plan(&self, before: Both) -> Result<Planned, CommandError> {
        let moves = match &self.to {
            Some(to) => all_moves(&before.source, &self.from, to)?,
            None => operations::same_addresses(&before.source, &self.from)?,
        };
        let (source, destination) =
            operations::relocate(&before.source, &before.destination, &moves)?;
        Ok(Planned {
            moves,
            before,
            after: Both {
                source,
                destination,
            },
        })
    }

    async fn prove(&self, planned: &Planned, is_allowed: bool) -> Result<(), CommandError> {
        if self.args.prove == Some(false) {
            return Ok(());
        }
        let left: BTreeSet<AbsResourceInstance> =
            planned.moves.iter().map(|one| one.from.clone()).collect();
        let come: BTreeSet<AbsResourceInstance> =
            planned.moves.iter().map(|one| one.to.clone()).collect();
        let of_source = planned.after.source.clone();
        let of_destination = planned.after.destination.clone();
        let found = [
            (
                &self.source,
                proof::prove(&self.source, of_source, &left).await?,
            ),
            (
                &self.destination,
                proof::prove(&self.destination, of_destination, &come).await?,
            ),
        ];
        proof::tell(self.session, &found, is_allowed)
    }

    async fn under_locks(&self, locks: &mut Locks) -> Result<(), CommandError> {
        for side in [&self.source, &self.destination] {
            plan::check_journal(&side.session, &side.place).await?;
            // What it holds is in the state already.
            let journal = side.place.store.journal(&side.place.workspace);
            if !journal.read().await?.is_empty() {
                journal.clear().await?;
            }
        }
        let before = Both {
            source: terrace_state::load_locked(&*locks.source).await?,
            destination: terrace_state::load_locked(&*locks.destination).await?,
        };
        let planned = self.plan(before)?;
        self.introduce();
        self.prove(&planned, self.args.force).await?;
        let transfer = Transfer::new(
            new_lineage(&SystemEntropy),
            Role::Source,
            (
                end(&self.source, &self.destination, &planned.before.source),
                end(&self.destination, &self.source, &planned.before.destination),
            ),
            (&planned.before.source, &planned.moves),
        );
        let journals = journals(&self.source, &self.destination);
        let (mut source, mut destination) = locks.parties(&journals);
        let carried = carry_out(
            &transfer,
            (&mut source, &mut destination),
            (&planned.before, &planned.after),
            &SystemEntropy,
        )
        .await;
        let stored = match carried {
            Ok(stored) => stored,
            // What can be completed is; where nothing has moved yet, nothing is left to recover.
            Err(error) => {
                let parties = (&mut source, &mut destination);
                match settle(&transfer, parties, None, &SystemEntropy).await {
                    Ok(settled) if settled.is_complete() => settled.after,
                    _ => return Err(error.into()),
                }
            }
        };
        keep(&self.source, &self.destination, (&planned.before, &stored)).await;
        self.session.view.line(told(&planned.moves, false));
        Ok(())
    }
}

/// As [`operations::moves`]; an address that stays the same moves too, since it goes to another state.
fn all_moves(state: &State, from: &Selector, to: &Selector) -> Result<Vec<Move>, CommandError> {
    let mut moves = operations::moves(state, from, to)?;
    let named: BTreeSet<AbsResourceInstance> = moves.iter().map(|one| one.from.clone()).collect();
    let same = state
        .instances()
        .map(|(address, _, _)| address)
        .filter(|address| from.contains(address) && !named.contains(address));
    moves.extend(same.map(|address| Move {
        to: address.clone(),
        from: address,
    }));
    moves.sort();
    Ok(moves)
}

type Journals = (Arc<dyn JournalStore>, Arc<dyn JournalStore>);

fn journals(source: &Side, destination: &Side) -> Journals {
    let journal = |side: &Side| side.place.store.journal(&side.place.workspace);
    (journal(source), journal(destination))
}

/// Keeps the versions of both states.
async fn keep(source: &Side, destination: &Side, (before, after): (&Both, &Both)) {
    let of = [
        (source, &before.source, &after.source),
        (destination, &before.destination, &after.destination),
    ];
    for (side, base, next) in of {
        history::keep(&side.session, &side.place, (base, next), OPERATION, None).await;
    }
}

/// Both locks.
struct Locks {
    source: Box<dyn LockedState>,
    destination: Box<dyn LockedState>,
}

impl Locks {
    /// Takes both, in an order that is the same for whoever takes the same two, so that nobody waits for each other.
    async fn take(
        source: &Side,
        destination: &Side,
        lock: &LockArgs,
        operation: &str,
    ) -> Result<Self, CommandError> {
        let key = |side: &Side| {
            let At {
                environment, file, ..
            } = &side.at;
            let place = (environment.clone(), side.place.workspace.clone());
            (file.clone(), side.directory.clone(), place)
        };
        if key(source) == key(destination) {
            return Err(same_state());
        }
        let source_first = key(source) < key(destination);
        let (first, second) = if source_first {
            (source, destination)
        } else {
            (destination, source)
        };
        let timeout = &lock.lock_timeout;
        let one = first.session.lock(&first.place, operation, timeout).await?;
        let holder = first.place.store.holder(&first.place.workspace).await;
        let ours = holder.ok().flatten().map(|holder| holder.id);
        let two = match second.session.lock(&second.place, operation, timeout).await {
            Ok(two) => two,
            Err(error) => {
                let theirs = second.place.store.holder(&second.place.workspace).await;
                let theirs = theirs.ok().flatten().map(|holder| holder.id);
                one.unlock().await?;
                let is_ours = ours.is_some() && ours == theirs;
                return Err(if is_ours { same_state() } else { error });
            }
        };
        let (source, destination) = if source_first { (one, two) } else { (two, one) };
        Ok(Self {
            source,
            destination,
        })
    }

    fn parties<'a>(&'a mut self, journals: &'a Journals) -> (Party<'a>, Party<'a>) {
        let source = Party {
            locked: &mut *self.source,
            journal: &*journals.0,
        };
        let destination = Party {
            locked: &mut *self.destination,
            journal: &*journals.1,
        };
        (source, destination)
    }

    async fn release(self) -> Result<(), CommandError> {
        let released = (self.destination.unlock().await, self.source.unlock().await);
        released.0?;
        released.1?;
        Ok(())
    }
}

fn same_state() -> CommandError {
    CommandError::one(
        "same-state",
        "Both sides are the same state",
        "The objects would be moved to the state that they are in. Leave out -to-dir, -to-env, -to-workspace and -state-out to give them other addresses there.",
    )
}

/// What a journal says of one end: how the other end finds it, from its own directory.
fn end(side: &Side, other: &Side, state: &State) -> End {
    let place = json!({
        "directory": relative(&other.directory, &side.directory),
        "environment": side.at.environment,
        "workspace": side.at.workspace.clone().or_else(|| {
            (side.at.environment.is_none() && side.at.file.is_none())
                .then(|| side.place.workspace.clone())
        }),
        "file": side.at.file.as_ref().map(|file| relative(&other.directory, Path::new(file))),
    });
    End {
        name: side.name_from(&other.directory),
        place: place.to_string(),
        lineage: state.lineage.clone(),
        serial: state.serial,
    }
}

/// A move that was interrupted, as the next command tells of it.
pub(crate) fn interrupted(transfer: &Transfer, environment: &str) -> CommandError {
    let side = match transfer.role {
        Role::Source => "from here to",
        Role::Destination => "to here from",
    };
    let objects: Vec<String> = transfer
        .objects
        .iter()
        .map(|object| {
            let Move { from, to } = &object.addresses;
            format!("  - {from} to {to}")
        })
        .collect();
    let detail = format!(
        "A move of {} object(s) {side} {} was interrupted. Each of them is in at least one of the two states; which of them have arrived is not known here:\n{}",
        transfer.objects.len(),
        transfer.other_end().name,
        shortened(objects, 10)
    );
    Diagnostic::error(
        "recovery-needed",
        "Interrupted move must be recovered first",
        detail,
    )
    .hint(format!("run `terrace recover{environment}`, which completes the move or leaves everything where it was"))
    .into()
}

/// The first lines of a list, and how many more there are.
pub(crate) fn shortened(mut lines: Vec<String>, most: usize) -> String {
    if lines.len() > most + 1 {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("  … and {more} more"));
    }
    lines.join("\n")
}

/// `terrace recover` of a move: completes it, or leaves everything where it was.
pub(crate) async fn recover(session: &Session, args: &RecoverArgs, transfer: &Transfer) -> Outcome {
    let directory = PathBuf::from(Disk.absolute("."));
    let own = At {
        environment: args.place.env.clone(),
        file: args.files.state.as_deref().map(|file| Disk.absolute(file)),
        ..At::default()
    };
    let own = Side::open(session, &directory, own, &[])?;
    let other = other_side(session, args, transfer)?;
    let (source, destination) = match transfer.role {
        Role::Source => (&own, &other),
        Role::Destination => (&other, &own),
    };
    let keep_side = match args.keep.as_deref() {
        None => None,
        Some("source") => Some(Role::Source),
        Some("destination") => Some(Role::Destination),
        Some(text) => {
            let detail = format!("-keep is `source` or `destination`, and not {text:?}.");
            return Err(CommandError::one(
                "invalid-argument",
                "Invalid argument",
                detail,
            ));
        }
    };
    let mut locks = Locks::take(source, destination, &args.lock, "OperationTypeRecover").await?;
    let journals = journals(source, destination);
    let settled = {
        let (mut from, mut to) = locks.parties(&journals);
        settle(transfer, (&mut from, &mut to), keep_side, &SystemEntropy).await
    };
    if let Ok(settled) = &settled {
        keep(source, destination, (&settled.before, &settled.after)).await;
    }
    let unlocked = locks.release().await;
    let settled = settled?;
    unlocked?;
    for side in [source, destination] {
        let details = [("operation", OPERATION.to_owned())];
        side.session
            .audit(&side.place, "recover", None, &details)
            .await?;
    }
    Ok(report(session, &settled))
}

/// The side on which the journal does not lie.
fn other_side(
    session: &Session,
    args: &RecoverArgs,
    transfer: &Transfer,
) -> Result<Side, CommandError> {
    let end = transfer.other_end();
    let place: Value = serde_json::from_str(&end.place).unwrap_or_default();
    let text = |name: &str| place.get(name).and_then(Value::as_str).map(str::to_owned);
    let directory = match &args.other_dir {
        Some(directory) => directory.clone(),
        None => text("directory").unwrap_or_else(|| ".".to_owned()),
    };
    let directory = PathBuf::from(Disk.absolute(&directory));
    let at = At {
        environment: text("environment"),
        workspace: text("workspace"),
        file: text("file").map(|file| Disk.absolute(&file)),
        backup: None,
    };
    Side::open(session, &directory, at, &[]).map_err(|mut error| {
        let detail = format!(
            "The move was between this state and that of {}, which cannot be opened from here. Both are needed to tell where each object is.",
            end.name
        );
        error.diagnostics.push(
            Diagnostic::error("other-side-missing", "Other side of the move not found", detail)
                .hint("run `terrace recover -other-dir=DIR` with the directory of that stack"),
        );
        error
    })
}

fn report(session: &Session, settled: &Settlement) -> u8 {
    let view = &session.view;
    let Judgement {
        to_remove,
        done,
        stay,
        gone,
        unclear,
    } = &settled.judgement;
    let lines = |moves: &[Move], say: &dyn Fn(&Move) -> String| {
        for one in moves {
            view.line(say(one));
        }
    };
    lines(to_remove, &|one| {
        format!(
            "  {} had arrived as {}, and was taken out of where it was",
            one.from, one.to
        )
    });
    lines(done, &|one| {
        format!("  {} was moved to {}", one.from, one.to)
    });
    lines(stay, &|one| format!("  {} stays where it was", one.from));
    lines(gone, &|one| {
        format!(
            "  {} is in neither state: someone has taken it out since",
            one.from
        )
    });
    if settled.is_open {
        lines(unclear, &|one| {
            format!(
                "  {} is where it was, and {} is something else than what was moved",
                one.from, one.to
            )
        });
        view.line("\nNobody but you can know which of these belong where. Nothing was changed. Run `terrace recover -keep=source` to leave them where they were, or `-keep=destination` to take them out there.");
        return FAILURE;
    }
    let moved = to_remove.len() + done.len();
    if moved == 0 {
        view.line("\nRecovered. The move had not begun: every object is where it was.");
    } else {
        view.line(format!(
            "\nRecovered. The move is complete: {moved} object(s)."
        ));
    }
    SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_shortened() {
        let lines = |count: usize| (0..count).map(|index| index.to_string()).collect();
        assert_eq!(shortened(lines(2), 1), "0\n1");
        assert_eq!(shortened(lines(4), 2), "0\n1\n  … and 2 more");
    }
}
