//! `terrace workspace`

use terrace_config::Config;

use crate::args::WorkspaceCommand;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::write_file;
use crate::session::{Place, Session};

pub(crate) async fn run(
    session: &Session,
    command: &WorkspaceCommand,
    config: Option<&Config>,
) -> Outcome {
    let place = session.place(None, config)?;
    match command {
        WorkspaceCommand::List => {
            for name in names(&place).await? {
                let star = if name == place.workspace { "*" } else { " " };
                session.view.output(format!("{star} {name}"));
            }
            session.view.output("");
        }
        WorkspaceCommand::Show => session.view.output(&place.workspace),
        WorkspaceCommand::New { name } => {
            if names(&place).await?.contains(name) {
                return Err(CommandError::one(
                    "workspace-exists",
                    "Workspace already exists",
                    format!("Workspace {name:?} already exists"),
                ));
            }
            create(session, &place, name).await?;
        }
        WorkspaceCommand::Select { or_create, name } => {
            if names(&place).await?.contains(name) {
                choose(session, name)?;
                session
                    .view
                    .line(format!("Switched to workspace {name:?}."));
            } else if *or_create {
                create(session, &place, name).await?;
            } else {
                let detail = format!("Workspace {name:?} doesn't exist.");
                return Err(terrace_diag::Diagnostic::error(
                    "unknown-workspace",
                    "Unknown workspace",
                    detail,
                )
                .hint(format!(
                    "create it with `terrace workspace new {name}`, or use -or-create"
                ))
                .into());
            }
        }
        WorkspaceCommand::Delete { force, name } => delete(session, &place, name, *force).await?,
    }
    Ok(SUCCESS)
}

async fn names(place: &Place) -> Result<Vec<String>, CommandError> {
    Ok(place.store.workspaces().await?)
}

fn choose(session: &Session, name: &str) -> Result<(), CommandError> {
    if session.environment.get("TF_WORKSPACE").is_some() {
        return Err(CommandError::one(
            "workspace-overridden",
            "Workspace is overridden",
            "The chosen workspace is overridden by the environment variable TF_WORKSPACE. Unset it to choose another.",
        ));
    }
    let file = format!("{}/environment", session.data_directory());
    write_file(&file, name.as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "File cannot be written",
            format!("{file} cannot be written: {error}."),
        )
    })
}

/// Another workspace of the same store.
fn of_name(place: &Place, name: &str) -> Place {
    Place {
        store: place.store.clone(),
        workspace: name.to_owned(),
        project: None,
        environment: None,
        rules: None,
        variable_files: Vec::new(),
    }
}

async fn create(session: &Session, place: &Place, name: &str) -> Result<(), CommandError> {
    let target = of_name(place, name);
    let mut locked = session.lock(&target, "workspace-new", "0s").await?;
    let empty = terrace_state::State {
        lineage: terrace_state::new_lineage(&crate::outside::SystemEntropy),
        ..terrace_state::State::default()
    };
    let stored = terrace_state::store(&mut *locked, &empty).await;
    locked.unlock().await?;
    stored?;
    choose(session, name)?;
    session
        .view
        .line(format!("Created and switched to workspace {name:?}!"));
    Ok(())
}

async fn delete(
    session: &Session,
    place: &Place,
    name: &str,
    force: bool,
) -> Result<(), CommandError> {
    if name == "default" {
        return Err(CommandError::one(
            "default-workspace",
            "Cannot delete the default workspace",
            "The workspace \"default\" always exists.",
        ));
    }
    if name == place.workspace {
        let detail = format!(
            "Workspace {name:?} is your active workspace. Choose another one first, then delete it."
        );
        return Err(CommandError::one(
            "active-workspace",
            "Cannot delete the active workspace",
            detail,
        ));
    }
    if !names(place).await?.iter().any(|known| known == name) {
        return Err(CommandError::one(
            "unknown-workspace",
            "Unknown workspace",
            format!("Workspace {name:?} doesn't exist."),
        ));
    }
    let state = terrace_state::load(&*place.store, name).await?;
    if !state.resources.is_empty() && !force {
        let addresses: Vec<String> = state
            .instances()
            .map(|(address, _, _)| format!("  - {address}"))
            .take(20)
            .collect();
        let detail = format!(
            "Workspace {name:?} is currently tracking the following resource instances:\n{}\n\nDeleting this workspace would cause Terrace to lose track of them.",
            addresses.join("\n")
        );
        return Err(terrace_diag::Diagnostic::error(
            "workspace-not-empty",
            "Workspace is not empty",
            detail,
        )
        .hint("destroy them first, or use -force to forget them")
        .into());
    }
    let doomed = of_name(place, name);
    session.guard(&doomed, "workspace-delete").await?;
    place.store.delete_workspace(name).await?;
    session.view.line(format!("Deleted workspace {name:?}!"));
    Ok(())
}
