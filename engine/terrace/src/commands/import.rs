//! `terrace import`: takes an object over that exists already, by an address and the id that its provider knows it by.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use terrace_addr::{AbsResourceInstance, ParseError, ResourceMode};
use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_port::Files as _;
use terrace_state::State;

use super::plan::Made;
use super::{apply, init, plan};
use crate::args::ImportArgs;
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::outside::Disk;
use crate::session::{Place, Session};
use crate::wiring::load_config_for_backend;

/// An object that is to be imported.
type Wanted = (AbsResourceInstance, String);

pub(crate) async fn run(session: &Session, args: ImportArgs) -> Outcome {
    let wanted = match (&args.from, &args.address, &args.id) {
        (Some(file), _, _) => listed(file)?,
        (None, Some(name), Some(id)) => vec![(address(name)?, id.clone())],
        _ => Vec::new(),
    };
    require_configuration(session)?;
    let config = load_config_for_backend(session);
    if let Some(config) = &config {
        collect(
            wanted
                .iter()
                .map(|(address, _)| require_target(config, address)),
        )?;
    }
    let environment = args.place.env.as_deref();
    let place = session.place_or_files(environment, &args.files, config.as_deref())?;
    drop(config);
    plan::check_journal(session, &place).await?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let wanted = if args.from.is_some() {
        without_known(session, &state, wanted)
    } else {
        wanted
    };
    collect(
        wanted
            .iter()
            .map(|(address, _)| refuse_managed(&state, address)),
    )?;
    if wanted.is_empty() {
        session.view.line("There is nothing to import.");
        return Ok(SUCCESS);
    }
    let (made, failed) = prepare(session, &place, &state, wanted, &args).await?;
    let count = made
        .plan
        .changes
        .iter()
        .filter(|one| one.importing.is_some())
        .count();
    if args.dry_run {
        session.view.line(format!(
            "\nWould import {count} object(s). Nothing was changed."
        ));
        return Ok(if failed == 0 { SUCCESS } else { FAILURE });
    }
    let code = apply::import(session, &place, &args, made).await?;
    if args.from.is_some() && code == SUCCESS {
        let rest = if failed == 0 {
            String::new()
        } else {
            format!(" {failed} could not be imported, as told above.")
        };
        session
            .view
            .line(format!("Imported {count} object(s).{rest}"));
    }
    Ok(if failed == 0 { code } else { FAILURE })
}

/// One report of all that is wrong.
fn collect(checks: impl Iterator<Item = Result<(), CommandError>>) -> Result<(), CommandError> {
    let mut diagnostics = Diagnostics::new();
    for check in checks {
        if let Err(error) = check {
            diagnostics.append(error.diagnostics);
        }
    }
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(CommandError::new(diagnostics, SourceMap::new()))
}

/// What a file names, line by line; all that is wrong with it at once.
fn listed(file: &str) -> Result<Vec<Wanted>, CommandError> {
    let text = if file == "-" {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        Disk.read(file)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = text.map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "File cannot be read",
            format!("{file} cannot be read: {error}."),
        )
    })?;
    let mut wanted: BTreeMap<AbsResourceInstance, (usize, String)> = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        let is_heading = number == 1 && line.replace(' ', "").eq_ignore_ascii_case("address,id");
        if line.is_empty() || line.starts_with('#') || is_heading {
            continue;
        }
        let problem = match entry(line) {
            Ok((address, id)) => match wanted.entry(address) {
                Entry::Vacant(place) => {
                    place.insert((number, id));
                    continue;
                }
                Entry::Occupied(known) => {
                    format!(
                        "{} is named already in line {}.",
                        known.key(),
                        known.get().0
                    )
                }
            },
            Err(problem) => problem,
        };
        diagnostics.push(Diagnostic::error(
            "invalid-import-list",
            "Invalid line in the list of imports",
            format!("{file}, line {number}: {problem}"),
        ));
    }
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, SourceMap::new()));
    }
    let entries = wanted.into_iter();
    Ok(entries.map(|(address, (_, id))| (address, id)).collect())
}

/// Reads `ADDRESS,ID`, or a JSON object with both.
fn entry(line: &str) -> Result<Wanted, String> {
    let (name, id) = if line.starts_with('{') {
        let object: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("It is no JSON: {error}."))?;
        let text = |names: [&str; 2]| {
            let mut found = names.iter().filter_map(|name| object.get(*name)?.as_str());
            let missing = || format!("It has no text {:?}.", names[0]);
            found.next().map(str::to_owned).ok_or_else(missing)
        };
        (text(["address", "to"])?, text(["id", "import_id"])?)
    } else {
        fields(line).ok_or("It is neither ADDRESS,ID nor a JSON object.")?
    };
    if id.is_empty() {
        return Err("The id is empty.".to_owned());
    }
    let told = |error: CommandError| {
        let first = error.diagnostics.iter().next();
        first.map_or_else(String::new, |diagnostic| diagnostic.detail.clone())
    };
    Ok((address(&name).map_err(told)?, id))
}

/// The two fields of a line, each with or without the quotes of CSV. Commas within the brackets of an address are its own.
fn fields(line: &str) -> Option<(String, String)> {
    let unquoted = |text: &str| {
        let text = text.trim();
        let inner = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        inner.map_or_else(|| text.to_owned(), |inner| inner.replace("\"\"", "\""))
    };
    let mut quoted = false;
    let mut depth = 0_usize;
    let is_csv = line.starts_with('"');
    let comma = line.char_indices().find_map(|(index, c)| {
        match c {
            '"' => quoted = !quoted,
            '[' if !is_csv && !quoted => depth += 1,
            ']' if !is_csv && !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => return Some(index),
            _ => {}
        }
        None
    })?;
    Some((unquoted(&line[..comma]), unquoted(&line[comma + 1..])))
}

/// Leaves out what is managed already and is the same object, so that a list can be gone through again.
fn without_known(session: &Session, state: &State, wanted: Vec<Wanted>) -> Vec<Wanted> {
    let (known, wanted): (Vec<Wanted>, Vec<Wanted>) =
        wanted.into_iter().partition(|(address, id)| {
            let object = state.object(address);
            object.is_some_and(|object| object.text_attribute("id").as_ref() == Some(id))
        });
    if !known.is_empty() {
        session.view.line(format!(
            "{} object(s) of the list are managed already, and left alone.\n",
            known.len()
        ));
    }
    wanted
}

/// Asks the providers for all objects. Returns the plan, and how many objects it does without because they failed.
async fn prepare(
    session: &Session,
    place: &Place,
    state: &State,
    wanted: Vec<Wanted>,
    args: &ImportArgs,
) -> Result<(Made, usize), CommandError> {
    let parallelism = args.parallelism;
    let first = plan::make_import(session, place, state.clone(), wanted.clone(), parallelism).await;
    let error = match first {
        Ok(made) => return Ok((made, 0)),
        Err(error) => error,
    };
    if args.from.is_none() {
        return Err(error);
    }
    let (rest, failed): (Vec<Wanted>, Vec<Wanted>) =
        wanted.into_iter().partition(|(address, _)| {
            let name = address.to_string();
            let mut errors = error.diagnostics.iter().filter(|one| one.is_error());
            !errors.any(|one| one.address.as_deref() == Some(&*name))
        });
    if failed.is_empty() || rest.is_empty() || !args.skip_failed {
        return Err(nothing_imported(error, failed.len(), rest.len()));
    }
    session.view.diagnostics(error.diagnostics, &error.sources);
    session.view.line(format!(
        "\n{} object(s) cannot be imported. Going on without them.\n",
        failed.len()
    ));
    let made = plan::make_import(session, place, state.clone(), rest, parallelism).await?;
    Ok((made, failed.len()))
}

fn nothing_imported(mut error: CommandError, failed: usize, rest: usize) -> CommandError {
    if failed > 0 && rest > 0 {
        let detail = format!(
            "{failed} object(s) of the list cannot be imported, as told above, and {rest} could be. Either all of a list are imported or none."
        );
        error.diagnostics.push(
            Diagnostic::error("incomplete-import", "Nothing was imported", detail)
                .hint("mend the list, or import the others with -skip-failed"),
        );
    }
    error
}

fn address(text: &str) -> Result<AbsResourceInstance, CommandError> {
    let address: AbsResourceInstance = text.parse().map_err(|error: ParseError| {
        CommandError::one("invalid-address", "Invalid address", error.to_string())
    })?;
    if address.resource.resource.mode == ResourceMode::Managed {
        return Ok(address);
    }
    let detail = format!(
        "A managed resource address is required. Importing into a data resource is not allowed, and {address} is the address of one, or of an ephemeral resource."
    );
    Err(CommandError::one(
        "invalid-import-address",
        "Invalid import address",
        detail,
    ))
}

fn require_configuration(session: &Session) -> Result<(), CommandError> {
    if init::has_configuration_in(&session.root) {
        return Ok(());
    }
    let directory = Disk.absolute(&session.root);
    let detail = format!(
        "The directory {directory} does not contain any Terrace configuration files (.tf or .tf.json). To specify a different configuration directory, use the -config=\"...\" command line option."
    );
    Err(CommandError::one(
        "no-configuration",
        "No Terrace configuration files",
        detail,
    ))
}

/// The address is that of a resource in the configuration, as far as that can be told before anything is expanded.
fn require_target(config: &Config, address: &AbsResourceInstance) -> Result<(), CommandError> {
    let module = address.module();
    let Some(node) = config.module(&module.path()) else {
        let detail = format!(
            "{module} is not defined in the configuration. Please add configuration for this module before importing into it."
        );
        return Err(CommandError::one(
            "import-without-configuration",
            "Import to non-existent module",
            detail,
        ));
    };
    let resource = &*address.resource.resource;
    if node.module.resources.contains_key(resource) {
        return Ok(());
    }
    let place = if module.is_root() {
        "the root module".to_owned()
    } else {
        module.to_string()
    };
    let detail = format!(
        "The resource address \"{address}\" does not exist in the configuration.\n\nBefore importing this resource, please create its configuration in {place}. For example:\n\nresource {:?} {:?} {{\n  # (resource arguments)\n}}",
        &*resource.type_name, &*resource.name
    );
    Err(CommandError::one(
        "import-without-configuration",
        "Resource address does not exist in the configuration",
        detail,
    ))
}

/// Nothing has the address yet.
fn refuse_managed(state: &State, address: &AbsResourceInstance) -> Result<(), CommandError> {
    let known = state
        .resources
        .get(&address.resource)
        .is_some_and(|resource| resource.instances.contains_key(&address.key));
    if !known {
        return Ok(());
    }
    let detail = format!(
        "Terrace is already managing a remote object for {address}. To import to this address you must first remove the existing object from the state."
    );
    Err(Diagnostic::error(
        "already-managed",
        "Resource already managed by Terrace",
        detail,
    )
    .hint(format!("run `terrace state rm '{address}'`"))
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_list() {
        for (line, address, id) in [
            ("t.a,i-1", "t.a", "i-1"),
            ("t.a , arn:x,y", "t.a", "arn:x,y"),
            ("t.a[\"x,y\"],i-2", "t.a[\"x,y\"]", "i-2"),
            ("\"t.a[\"\"k\"\"]\",\"i,3\"", "t.a[\"k\"]", "i,3"),
            (
                "{\"address\": \"module.m.t.a\", \"id\": \"4\"}",
                "module.m.t.a",
                "4",
            ),
            ("{\"to\": \"t.a[0]\", \"id\": \"5\"}", "t.a[0]", "5"),
        ] {
            let (found, found_id) = entry(line).unwrap();
            assert_eq!(
                (found.to_string().as_str(), found_id.as_str()),
                (address, id)
            );
        }
        for line in ["t.a", "t.a,", "data.t.a,x", "t,x", "{\"id\": \"x\"}", "{"] {
            assert!(entry(line).is_err(), "{line}");
        }
    }
}
