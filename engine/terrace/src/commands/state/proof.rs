//! That a move leaves everything as it is: plans of both stacks over the states as they are to be, without reading a
//! single object, have nothing to change about what was moved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use terrace_addr::AbsResourceInstance;
use terrace_config::Config;
use terrace_diag::Diagnostic;
use terrace_plan::{Action, Plan};
use terrace_port::Files as _;
use terrace_state::State;

use crate::args::{MvArgs, StateFiles, VariableArgument};
use crate::command_error::CommandError;
use crate::commands::{init, plan};
use crate::outside::Disk;
use crate::session::{Place, Session};
use crate::view::plan as plan_view;
use crate::visit::Visit;
use crate::wiring::load_config_for_backend;

/// One of the states that objects go between, with the stack that it belongs to.
pub(super) struct Side {
    pub(super) session: Session,
    pub(super) place: Place,
    /// The stack's directory.
    pub(super) directory: PathBuf,
    /// Where it is, in words.
    pub(super) name: String,
    pub(super) at: At,
}

/// How to find a side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    /// The environment, where the state is that of one.
    pub(super) environment: Option<String>,
    /// The workspace, where it was named.
    pub(super) workspace: Option<String>,
    /// The state file, where the state is in one that was named.
    pub(super) file: Option<String>,
    /// Where what was there before is kept, for a state file.
    pub(super) backup: Option<String>,
}

/// What the plan of one side says of what was moved.
pub(super) enum Found {
    /// Nothing would change.
    Nothing,
    /// This would, as a plan shows it.
    Changes(Box<Plan>),
    /// There is no configuration to plan with.
    NoConfiguration,
}

impl Side {
    /// The side of a stack in `directory`.
    pub(super) fn open(
        session: &Session,
        directory: &Path,
        at: At,
        variables: &[VariableArgument],
    ) -> Result<Self, CommandError> {
        let mut own = session.elsewhere(directory, at.workspace.as_deref());
        let home = PathBuf::from(Disk.absolute("."));
        let _visit = Visit::to(directory)?;
        let config = load_config_for_backend(&own);
        own.variables = known_variables(variables, config.as_deref());
        let files = StateFiles {
            state: at.file.clone(),
            state_out: None,
            backup: at.backup.clone(),
        };
        let environment = at.environment.as_deref();
        let place = own.place_or_files(environment, &files, config.as_deref())?;
        let mut side = Self {
            session: own,
            place,
            directory: directory.to_owned(),
            name: String::new(),
            at,
        };
        side.name = side.name_from(&home);
        Ok(side)
    }

    /// Where it is, in words for whoever is in `directory`.
    pub(super) fn name_from(&self, directory: &Path) -> String {
        if let Some(file) = &self.at.file {
            return relative(directory, Path::new(file));
        }
        let name = match relative(directory, &self.directory) {
            here if here == "." => "this stack".to_owned(),
            way => way,
        };
        match &self.at.environment {
            Some(environment) => format!("{name}, environment {environment:?}"),
            None if self.at.workspace.is_some() || self.place.workspace != "default" => {
                format!("{name}, workspace {:?}", self.place.workspace)
            }
            None => name,
        }
    }

    /// The side of the working directory, as the command line says.
    pub(super) fn here(session: &Session, args: &MvArgs) -> Result<Self, CommandError> {
        let at = At {
            environment: args.place.env.clone(),
            workspace: None,
            file: args.files.state.as_deref().map(|file| Disk.absolute(file)),
            backup: args.files.backup.as_deref().map(absolute_backup),
        };
        let directory = PathBuf::from(Disk.absolute("."));
        Self::open(session, &directory, at, &absolute(&session.variables))
    }
}

/// The way from one directory to a path.
pub(super) fn relative(from: &Path, to: &Path) -> String {
    let (here, there): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let common = here
        .iter()
        .zip(&there)
        .take_while(|(one, other)| one == other)
        .count();
    let mut path = PathBuf::new();
    for _ in common..here.len() {
        path.push("..");
    }
    path.extend(&there[common..]);
    if path.as_os_str().is_empty() {
        path.push(".");
    }
    path.to_string_lossy().into_owned()
}

/// The path of a backup, or the dash that stands for none.
pub(super) fn absolute_backup(path: &str) -> String {
    if path == "-" {
        path.to_owned()
    } else {
        Disk.absolute(path)
    }
}

/// Variables with files that are found from any directory.
pub(super) fn absolute(variables: &[VariableArgument]) -> Vec<VariableArgument> {
    let own = |argument: &VariableArgument| match argument {
        VariableArgument::File(path) => VariableArgument::File(Disk.absolute(path)),
        VariableArgument::Assignment(_) => argument.clone(),
    };
    variables.iter().map(own).collect()
}

/// Those of the variables that a configuration has: what is given for one side is no mistake on the other.
fn known_variables(
    variables: &[VariableArgument],
    config: Option<&Config>,
) -> Vec<VariableArgument> {
    let known = |argument: &&VariableArgument| match argument {
        VariableArgument::File(_) => true,
        VariableArgument::Assignment(text) => {
            let name = text.split('=').next().unwrap_or_default();
            config.is_some_and(|config| config.root.module.variables.contains_key(name))
        }
    };
    variables.iter().filter(known).cloned().collect()
}

/// Plans a side over the state that it is to have.
pub(super) async fn prove(
    side: &Side,
    next: State,
    moved: &BTreeSet<AbsResourceInstance>,
) -> Result<Found, CommandError> {
    let _visit = Visit::to(&side.directory)?;
    if !init::has_configuration() {
        return Ok(Found::NoConfiguration);
    }
    let made = plan::make_without_reading(&side.session, &side.place, next).await;
    let mut plan = match made {
        Ok(made) => made.plan,
        Err(mut error) => {
            let detail = format!(
                "Whether the objects stay as they are could not be found out, because {} cannot be planned.",
                side.name
            );
            error.diagnostics.push(
                Diagnostic::error("move-not-proven", "Move not proven", detail)
                    .hint("mend that, or move without a proof by -prove=false"),
            );
            return Err(error);
        }
    };
    plan.changes.retain(|change| {
        let previous = change.previous_address.as_ref();
        change.action != Action::NoOp
            && (moved.contains(&change.address)
                || previous.is_some_and(|previous| moved.contains(previous)))
    });
    if plan.changes.is_empty() {
        return Ok(Found::Nothing);
    }
    plan.drift.clear();
    plan.outputs = BTreeMap::new();
    Ok(Found::Changes(Box::new(plan)))
}

/// Says what was found. Changes are an error, unless they are to be put up with.
pub(super) fn tell(
    session: &Session,
    found: &[(&Side, Found)],
    is_allowed: bool,
) -> Result<(), CommandError> {
    let view = &session.view;
    let mut changed = Vec::new();
    let mut proven = 0;
    for (side, found) in found {
        match found {
            Found::Nothing => proven += 1,
            Found::NoConfiguration => view.line(format!(
                "Not proven for {}: there is no configuration to plan with.",
                side.name
            )),
            Found::Changes(plan) => {
                view.line(format!(
                    "\nThe plan of {} would change what is moved:\n",
                    side.name
                ));
                view.line(plan_view::render(plan, view).trim_end());
                view.line("");
                changed.push(side.name.clone());
            }
        }
    }
    if changed.is_empty() {
        if proven > 0 {
            view.line("Proven: the plans of what is moved, made without reading objects, have nothing to change.\n");
        }
        return Ok(());
    }
    let detail = format!(
        "After the move, the configuration of {} would change what was moved, as shown above. Nothing was moved.",
        changed.join(" and that of ")
    );
    if is_allowed {
        view.line("Not proven: after the move, the changes above remain to be made.\n");
        return Ok(());
    }
    Err(
        Diagnostic::error("move-not-proven", "Move would not leave objects as they are", detail)
            .hint("move the configuration too and make both fit the objects; -force moves all the same, and -prove=false without planning")
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_between_directories() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(way("/a/b", "/a/c"), "../c");
        assert_eq!(way("/a/b", "/a/b"), ".");
        assert_eq!(way("/a", "/a/b/state.tfstate"), "b/state.tfstate");
        assert_eq!(way("/a/b/c", "/x"), "../../../x");
    }
}
