//! Commands over all stacks of a project, in the order of their references.

mod apply;
mod course;
mod drift;
mod init;
mod pending;
mod plan;

use std::path::{Path, PathBuf};

use terrace_diag::Diagnostic;
use terrace_gate::{Pattern, Stack};
use terrace_port::Files as _;

use crate::args::{
    ApplyArgs, DriftArgs, InitArgs, PlanArgs, PlanOptions, RequestArgs, VariableArgument,
};
use crate::command_error::CommandError;
use crate::outside::Disk;
use crate::session::{FoundProject, Session};
use crate::stacks;

pub(crate) use apply::apply;
pub(crate) use drift::drift;
pub(crate) use init::init;
pub(crate) use pending::{Wanted, pending};
pub(crate) use plan::plan;

/// What the command line says of stacks.
pub(crate) struct Asked<'a> {
    environment: Option<&'a str>,
    stacks: &'a [String],
    /// Whether all stacks are meant where neither an environment nor a stack is named.
    is_for_all: bool,
    /// Options that were given and can be meant for one stack only.
    single: Vec<&'static str>,
}

impl<'a> Asked<'a> {
    /// For a plan.
    pub(crate) fn of_plan(args: &'a PlanArgs) -> Self {
        let mut single = single_options(&args.options);
        if args.out.is_some() {
            single.push("-out");
        }
        if args.generate_config_out.is_some() {
            single.push("-generate-config-out");
        }
        Self {
            environment: args.place.env.as_deref(),
            stacks: &args.stacks.stack,
            is_for_all: false,
            single,
        }
    }

    /// For an apply.
    pub(crate) fn of_apply(args: &'a ApplyArgs) -> Self {
        let mut single = single_options(&args.options);
        if args.plan.is_some() {
            single.push("a plan or run");
        }
        Self {
            environment: args.place.env.as_deref(),
            stacks: &args.stacks.stack,
            is_for_all: false,
            single,
        }
    }

    /// For a look whether something has drifted.
    pub(crate) fn of_drift(args: &'a DriftArgs) -> Self {
        let mut single = Vec::new();
        if !args.var.is_empty() || !args.var_file.is_empty() {
            single.push("-var and -var-file");
        }
        Self {
            environment: args.env.as_deref(),
            stacks: &args.stacks.stack,
            is_for_all: false,
            single,
        }
    }

    /// For the preparation of working directories.
    pub(crate) fn of_init(args: &'a InitArgs) -> Self {
        Self {
            environment: args.place.env.as_deref(),
            stacks: &args.stacks.stack,
            is_for_all: args.from_module.is_none(),
            single: if args.from_module.is_some() {
                vec!["-from-module"]
            } else {
                Vec::new()
            },
        }
    }
}

fn single_options(options: &PlanOptions) -> Vec<&'static str> {
    let given = [
        (!options.target.is_empty(), "-target"),
        (!options.replace.is_empty(), "-replace"),
        (
            !options.var.is_empty() || !options.var_file.is_empty(),
            "-var and -var-file",
        ),
    ];
    given
        .into_iter()
        .filter_map(|(is_given, name)| is_given.then_some(name))
        .collect()
}

/// The stacks that a command is for.
pub(crate) struct Chosen {
    found: FoundProject,
    stacks: Vec<Stack>,
}

/// The stacks that a command is for: those that `-stack` names, or all where the command runs beside the project file and that
/// directory is no stack itself. `None` where it is for the working directory.
pub(crate) fn choose(session: &Session, asked: &Asked<'_>) -> Result<Option<Chosen>, CommandError> {
    let is_named = !asked.stacks.is_empty();
    if !is_named && asked.environment.is_none() && !asked.is_for_all {
        return Ok(None);
    }
    let found = match session.find_project() {
        Ok(found) => found,
        // What is wrong with a project file is no concern of who prepares one directory.
        Err(_) if asked.is_for_all && !is_named => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(found) = found else {
        if !is_named {
            return Ok(None);
        }
        return Err(CommandError::one(
            "no-project",
            "No project file",
            "Stacks were chosen with -stack, and there is no terrace.hcl in this directory or above it.",
        ));
    };
    let is_here = found.stack != "." || super::init::has_configuration();
    if !is_named && (is_here || !found.project.names_stacks()) {
        return Ok(None);
    }
    let all = stacks::find(&found)?;
    let patterns: Vec<Pattern> = asked.stacks.iter().cloned().map(Pattern::new).collect();
    let chosen: Vec<Stack> = all.select(&patterns).into_iter().cloned().collect();
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|stack| stack.name.as_str()).collect();
        let detail = if names.is_empty() {
            "The project file lists no stacks: none of the folders that `stacks` and `stack` blocks name holds a configuration.".to_owned()
        } else {
            format!(
                "No stack of the project is one of {}. Its stacks are: {}.",
                asked.stacks.join(", "),
                names.join(", ")
            )
        };
        return Err(CommandError::one("unknown-stack", "No such stack", detail));
    }
    if let (true, Some(option)) = (chosen.len() > 1, asked.single.first()) {
        let detail = format!(
            "{} stacks are meant, and {option} can be meant for one only.",
            chosen.len()
        );
        return Err(
            Diagnostic::error("incompatible-options", "Incompatible options", detail)
                .hint("choose one with -stack=NAME, or run the command in its directory")
                .into(),
        );
    }
    Ok(Some(Chosen {
        found,
        stacks: chosen,
    }))
}

impl Chosen {
    fn directory(&self, stack: &Stack) -> PathBuf {
        self.found.directory.join(&stack.path)
    }
}

/// Variables of the environment that lead to files, from wherever the command runs.
const PATHS: [&str; 3] = [
    "TERRACE_CLI_CONFIG_FILE",
    "TF_CLI_CONFIG_FILE",
    "TF_PLUGIN_CACHE_DIR",
];

/// A session for a stack, in which relative paths of the command line mean what they mean here.
fn session_of(session: &Session, chosen: &Chosen, stack: &Stack) -> Session {
    session_in(session, &chosen.directory(stack))
}

/// A session for the stack in a directory, in which relative paths of the command line mean what they mean here.
pub(crate) fn session_in(session: &Session, directory: &Path) -> Session {
    let mut own = session.elsewhere(directory, None);
    let absolute = |argument: &VariableArgument| match argument {
        VariableArgument::File(path) => VariableArgument::File(Disk.absolute(path)),
        VariableArgument::Assignment(_) => argument.clone(),
    };
    own.variables = session.variables.iter().map(absolute).collect();
    for name in PATHS {
        if let Some(path) = session.environment.get(name) {
            own.environment.set(name, &Disk.absolute(path));
        }
    }
    own
}

/// A file that the command line names, found from any directory; what is none stays as it is.
pub(crate) fn absolute_file(path: Option<&String>) -> Option<String> {
    path.map(|path| {
        if Disk.exists(path) {
            Disk.absolute(path)
        } else {
            path.clone()
        }
    })
}

/// Statements whose text is in a file, found from any directory.
fn absolute_statements(statements: &[String]) -> Vec<String> {
    let own = |statement: &String| match statement.split_once("=@") {
        Some((name, path)) => format!("{name}=@{}", Disk.absolute(path)),
        None => statement.clone(),
    };
    statements.iter().map(own).collect()
}

/// What an author says of a change, with its files found from any directory.
pub(crate) fn absolute_request(request: &RequestArgs) -> RequestArgs {
    RequestArgs {
        statement: absolute_statements(&request.statement),
        ..request.clone()
    }
}
