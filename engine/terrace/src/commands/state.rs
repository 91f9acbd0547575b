//! `terrace state`, `taint`, `untaint`, `force-unlock`, `output`: looking at the state, and changing it without
//! changing objects.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, ProviderAddr, Target};
use terrace_config::Config;
use terrace_port::Files as _;
use terrace_state::{ObjectStatus, State, operations};

use crate::args::{ForceUnlockArgs, LockArgs, OutputArgs, StateCommand, TaintArgs};
use crate::command_error::{CommandError, Outcome, SUCCESS, lock_lines};
use crate::outside::{Disk, SystemEntropy};
use crate::session::{Place, Session};
use crate::view::value_text;

fn target(text: &str) -> Result<Target, CommandError> {
    text.parse().map_err(|error: terrace_addr::ParseError| {
        CommandError::one("invalid-address", "Invalid address", error.to_string())
    })
}

fn instance(text: &str) -> Result<AbsResourceInstance, CommandError> {
    text.parse().map_err(|error: terrace_addr::ParseError| {
        CommandError::one("invalid-address", "Invalid address", error.to_string())
    })
}

pub(crate) async fn run(
    session: &Session,
    command: &StateCommand,
    config: Option<&Config>,
) -> Outcome {
    match command {
        StateCommand::List {
            place,
            id,
            addresses,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            list(session, &place, id.as_deref(), addresses).await?;
        }
        StateCommand::Show {
            place,
            style: _,
            address,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            let state = terrace_state::load(&*place.store, &place.workspace).await?;
            show(session, &state, &instance(address)?, config).await?;
        }
        StateCommand::Pull { place } => {
            let place = session.place(place.env.as_deref(), config)?;
            if let Some(stored) = place.store.read(&place.workspace).await? {
                session.view.raw(&stored.bytes);
            }
        }
        StateCommand::Push {
            place,
            lock,
            force,
            file,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            push(session, &place, lock, *force, file).await?;
        }
        StateCommand::Mv {
            place,
            lock,
            dry_run,
            source,
            destination,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            let (from, to) = (target(source)?, target(destination)?);
            let done = if *dry_run { "Would move" } else { "Move" };
            change(session, &place, lock, "state-mv", *dry_run, |state| {
                let next = operations::rename(state, &from, &to)?;
                Ok((
                    next,
                    format!("{done} \"{from}\" to \"{to}\"\nSuccessfully moved 1 object(s)."),
                ))
            })
            .await?;
        }
        StateCommand::Rm {
            place,
            lock,
            dry_run,
            addresses,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            let targets = addresses
                .iter()
                .map(|address| target(address))
                .collect::<Result<Vec<_>, _>>()?;
            change(session, &place, lock, "state-rm", *dry_run, |state| {
                let (next, removed) = operations::remove(state, &targets)?;
                let word = if *dry_run { "Would remove" } else { "Removed" };
                let mut lines: Vec<String> = removed
                    .iter()
                    .map(|address| format!("{word} {address}"))
                    .collect();
                if !*dry_run {
                    lines.push(format!(
                        "Successfully removed {} resource instance(s).",
                        removed.len()
                    ));
                }
                Ok((next, lines.join("\n")))
            })
            .await?;
        }
        StateCommand::ReplaceProvider {
            place,
            lock,
            auto_approve,
            from,
            to,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            replace_provider(session, &place, lock, *auto_approve, (from, to)).await?;
        }
    }
    Ok(SUCCESS)
}

async fn list(
    session: &Session,
    place: &Place,
    id: Option<&str>,
    addresses: &[String],
) -> Result<(), CommandError> {
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let targets = addresses
        .iter()
        .map(|address| target(address))
        .collect::<Result<Vec<_>, _>>()?;
    for address in operations::list(&state, &targets, id)? {
        session.view.output(address.to_string());
    }
    Ok(())
}

/// Reads the state under its lock, changes it and stores it; only says what would be done when `dry_run`.
async fn change(
    session: &Session,
    place: &Place,
    lock: &LockArgs,
    operation: &str,
    dry_run: bool,
    apply: impl FnOnce(&State) -> Result<(State, String), CommandError>,
) -> Result<(), CommandError> {
    if dry_run {
        let state = terrace_state::load(&*place.store, &place.workspace).await?;
        let (_, text) = apply(&state)?;
        session.view.line(text);
        return Ok(());
    }
    session.guard(place, operation).await?;
    let mut locked = session.lock(place, operation, &lock.lock_timeout).await?;
    let changed = async {
        let state = terrace_state::load_locked(&*locked).await?;
        let (next, text) = apply(&state)?;
        terrace_state::commit(&mut *locked, &state, &next, &SystemEntropy).await?;
        Ok::<_, CommandError>(text)
    }
    .await;
    locked.unlock().await?;
    let text = changed?;
    session
        .audit(
            place,
            "state-write",
            None,
            &[("operation", operation.to_owned())],
        )
        .await?;
    session.view.line(text);
    Ok(())
}

async fn show(
    session: &Session,
    state: &State,
    address: &AbsResourceInstance,
    config: Option<&Config>,
) -> Result<(), CommandError> {
    let Some(object) = state.object(address) else {
        let detail =
            format!("No instance found for the given address!\n\nThe state holds no {address}.");
        return Err(terrace_diag::Diagnostic::error(
            "unknown-instance",
            "No such instance",
            detail,
        )
        .hint("`terrace state list` shows the instances that there are")
        .into());
    };
    let provider = state
        .resources
        .get(&address.resource)
        .map(|resource| resource.provider.provider.clone());
    let wanted: BTreeSet<ProviderAddr> = provider.iter().cloned().collect();
    let schemas = super::show::schemas_of(session, &wanted, config).await?;
    let schema = schemas.values().next().map(|schema| &**schema);
    session.view.output(format!("# {address}:"));
    session
        .view
        .output(super::show::object_text(address, object, schema));
    Ok(())
}

async fn push(
    session: &Session,
    place: &Place,
    lock: &LockArgs,
    force: bool,
    file: &str,
) -> Result<(), CommandError> {
    session.guard(place, "state-push").await?;
    let bytes: Arc<[u8]> = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| {
                CommandError::one(
                    "unreadable-file",
                    "Standard input cannot be read",
                    error.to_string(),
                )
            })?;
        bytes.into()
    } else {
        Disk.read(file).map_err(|error| {
            CommandError::one(
                "unreadable-file",
                "File cannot be read",
                format!("{file}: {error}"),
            )
        })?
    };
    let state = terrace_state::read(&bytes)?;
    let mut locked = session
        .lock(place, "state-push", &lock.lock_timeout)
        .await?;
    let written = if force {
        terrace_state::replace(&mut *locked, &state).await
    } else {
        terrace_state::store(&mut *locked, &state).await
    };
    locked.unlock().await?;
    written?;
    session
        .audit(
            place,
            "state-write",
            None,
            &[
                ("operation", "state-push".to_owned()),
                ("force", force.to_string()),
            ],
        )
        .await
}

async fn replace_provider(
    session: &Session,
    place: &Place,
    lock: &LockArgs,
    auto_approve: bool,
    (from, to): (&str, &str),
) -> Result<(), CommandError> {
    let parse = |text: &str| {
        ProviderAddr::parse(text).map_err(|error| {
            CommandError::one("invalid-provider", "Invalid provider", error.to_string())
        })
    };
    let (from, to) = (parse(from)?, parse(to)?);
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let (_, changed) = operations::replace_provider(&state, &from, &to, &[]);
    if changed.is_empty() {
        session.view.line("No matching resources found.");
        return Ok(());
    }
    session.view.line(format!("Terrace will perform the following actions:\n\n  ~ Updating provider:\n    - {from}\n    + {to}\n\nChanging {} resources:\n", changed.len()));
    for address in &changed {
        session.view.line(format!("  {address}"));
    }
    if !auto_approve
        && !session.view.confirm(
            "\nDo you want to make these changes?\nOnly 'yes' will be accepted to continue.\n",
        )
    {
        session.view.line("Cancelled replacing providers.");
        return Ok(());
    }
    change(
        session,
        place,
        lock,
        "state-replace-provider",
        false,
        |state| {
            let (next, changed) = operations::replace_provider(state, &from, &to, &[]);
            Ok((
                next,
                format!(
                    "Successfully replaced provider for {} resources.",
                    changed.len()
                ),
            ))
        },
    )
    .await
}

pub(crate) async fn taint(
    session: &Session,
    args: &TaintArgs,
    tainted: bool,
    config: Option<&Config>,
) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    let address = instance(&args.address)?;
    let operation = if tainted { "taint" } else { "untaint" };
    let allow_missing = args.allow_missing;
    change(session, &place, &args.lock, operation, false, |state| {
        let mut next = state.clone();
        let found = next
            .resources
            .get_mut(&address.resource)
            .and_then(|resource| {
                let provider = resource.provider.clone();
                let current = resource.instances.get_mut(&address.key)?.current.as_mut()?;
                Some((provider, current))
            });
        let Some((_, current)) = found else {
            if allow_missing {
                return Ok((
                    next,
                    format!("No such resource instance: {address}. Nothing was done."),
                ));
            }
            let detail =
                format!("There is no resource instance in the state with the address {address}.");
            return Err(CommandError::one(
                "unknown-instance",
                "No such resource instance",
                detail,
            ));
        };
        let status = if tainted {
            ObjectStatus::Tainted
        } else {
            ObjectStatus::Ready
        };
        *current = Arc::new(terrace_state::Object {
            status,
            ..(**current).clone()
        });
        let done = if tainted {
            "marked as tainted"
        } else {
            "successfully untainted"
        };
        Ok((
            next,
            format!("Resource instance {address} has been {done}."),
        ))
    })
    .await?;
    Ok(SUCCESS)
}

pub(crate) async fn force_unlock(
    session: &Session,
    args: &ForceUnlockArgs,
    config: Option<&Config>,
) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    if !args.force {
        if let Some(holder) = place.store.holder(&place.workspace).await? {
            session
                .view
                .line(format!("The lock is held:\n{}\n", lock_lines(&holder)));
        }
        let question = "Do you really want to force-unlock?\n  This will release the lock whoever holds it. A process that still works with the state can no longer write it.\n  Only 'yes' will be accepted to confirm.\n";
        if !session.view.confirm(question) {
            session.view.line("force-unlock cancelled.");
            return Ok(crate::command_error::FAILURE);
        }
    }
    place.store.force_unlock(&place.workspace, &args.id).await?;
    session
        .audit(&place, "force-unlock", None, &[("lock", args.id.clone())])
        .await?;
    session.view.line("The state has been unlocked.");
    Ok(SUCCESS)
}

pub(crate) async fn output(
    session: &Session,
    args: &OutputArgs,
    config: Option<&Config>,
) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let Some(name) = &args.name else {
        if args.style.json {
            session.view.output(super::show::outputs_json(&state));
        } else if state.outputs.is_empty() {
            session.view.output("Warning: No outputs found\n\nThe state has no outputs defined, or all the defined outputs are empty.");
        } else {
            session.view.output(super::show::outputs_text(&state));
        }
        return Ok(SUCCESS);
    };
    let Some(output) = state.outputs.get(name.as_str()) else {
        let known: Vec<&str> = state.outputs.keys().map(|name| &**name).collect();
        let detail = format!(
            "The output variable requested could not be found in the state. If you recently added this to your configuration, be sure to run `terrace apply`, since the state won't be updated with new output variables until that command is run.\n\nThe state has: {}.",
            if known.is_empty() {
                "no outputs".to_owned()
            } else {
                known.join(", ")
            }
        );
        return Err(CommandError::one(
            "unknown-output",
            format!("Output \"{name}\" not found"),
            detail,
        ));
    };
    if args.style.json {
        let text =
            terrace_value::json::simple_encode(&output.value).unwrap_or_else(|_| "null".to_owned());
        session.view.output(text);
    } else if args.raw {
        let text =
            terrace_value::convert::convert(&output.value, &terrace_value::Type::String).ok();
        let Some(text) = text.as_ref().and_then(terrace_value::Value::as_str) else {
            let detail = format!(
                "The -raw option only supports strings, numbers, and boolean values, but output value \"{name}\" is {}.\n\nUse the -json option for machine-readable representations of output values that have complex types.",
                output.value.ty().friendly_name()
            );
            return Err(CommandError::one(
                "unsupported-raw",
                "Unsupported value for raw output",
                detail,
            ));
        };
        session.view.raw(text.as_bytes());
    } else {
        session.view.output(value_text(&output.value, 0));
    }
    Ok(SUCCESS)
}
