//! `terrace runs export` and `terrace runs verify` of a file

use std::collections::BTreeMap;

use terrace_diag::{Diagnostic, SourceFile, SourceMap};
use terrace_gate::{Bundle, Person, parse_allowed_signers, parse_project};
use terrace_port::Files as _;

use crate::args::{RunsArgs, RunsCommand};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::{Disk, write_file};
use crate::session::{Place, Session};
use crate::signing::unusable;

/// Writes a run to a file.
pub(crate) async fn export(
    session: &Session,
    place: &Place,
    prefix: &str,
    (file, key): (&str, Option<&str>),
) -> Outcome {
    let run = super::runs::named(place, prefix).await?;
    let signer = key.map(|key| session.signer(Some(key))).transpose()?;
    let store = place.store.runs(&place.workspace);
    let bundle = Bundle::collect(&*store, &run.id, signer.as_deref())
        .await?
        .map_err(unusable)?;
    write_file(file, &bundle.to_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "File cannot be written",
            format!("{file} cannot be written: {error}."),
        )
    })?;
    let details = [("digest", bundle.digest())];
    session
        .audit(place, "export", Some(&run.id), &details)
        .await?;
    session.view.output(format!(
        "Exported run {} to {file}, whose content has the digest {}.\nIt holds the plan, and so the values that the plan was made from, sensitive ones included.\n\nVerify it anywhere:\n    terrace runs verify -project=terrace.hcl {file}",
        run.id,
        bundle.digest()
    ));
    Ok(SUCCESS)
}

/// Proves the run in a file, where the command line names one: without a project and without a store. `None` where it
/// names a run.
pub(crate) async fn verify_file(session: &Session, args: &RunsArgs) -> Option<Outcome> {
    let Some(RunsCommand::Verify {
        run,
        style,
        project,
        signers,
        ..
    }) = &args.command
    else {
        return None;
    };
    let is_named = project.is_some() || signers.is_some();
    if !is_named && !Disk.exists(run) {
        return None;
    }
    let people = match people(project.as_deref(), signers.as_deref()) {
        Ok(people) => people,
        Err(error) => return Some(Err(error)),
    };
    let bundle = match read(run) {
        Ok(bundle) => bundle,
        Err(error) => return Some(Err(error)),
    };
    let findings = bundle.verify(&people).await;
    let shown = style.json || args.style.json;
    Some(super::runs::tell_findings(
        session,
        &bundle.run,
        &findings,
        shown,
    ))
}

fn read(path: &str) -> Result<Bundle, CommandError> {
    Bundle::from_bytes(&bytes_of(path)?).map_err(|why| {
        CommandError::one(
            "run-not-proven",
            "Run cannot be proven",
            format!("{path} is not an exported run: {why}."),
        )
    })
}

fn bytes_of(path: &str) -> Result<std::sync::Arc<[u8]>, CommandError> {
    Disk.read(path).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "File cannot be read",
            format!("{path} cannot be read: {error}."),
        )
    })
}

/// Whose keys count: people of a project file, or those of a list of signers.
fn people(
    project: Option<&str>,
    signers: Option<&str>,
) -> Result<BTreeMap<String, Person>, CommandError> {
    if let Some(path) = signers {
        let bytes = bytes_of(path)?;
        return parse_allowed_signers(&String::from_utf8_lossy(&bytes)).map_err(|why| {
            CommandError::one(
                "invalid-signers",
                "Invalid list of signers",
                format!("{path}, {why}."),
            )
        });
    }
    let Some(path) = project else {
        return Err(Diagnostic::error(
            "no-signers",
            "Nobody's signature counts",
            "What is in the file says itself whose keys count, and that proves nothing: name the people that you know.",
        )
        .hint("use -project=terrace.hcl, or -signers=FILE with a list of allowed signers")
        .into());
    };
    let bytes = bytes_of(path)?;
    let mut sources = SourceMap::new();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let id = sources.add(SourceFile::new(path, text));
    let (project, diagnostics) = parse_project(id, &bytes);
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    Ok(project.people)
}
