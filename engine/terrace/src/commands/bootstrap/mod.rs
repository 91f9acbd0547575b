//! `terrace bootstrap`: from an empty account to environments that workflows plan and apply.
//!
//! Each step is a command of this program that a person could give, and is shown as such. Whoever is interrupted gives the same
//! command again: what is there is found, and what is missing follows.

mod files;
mod steps;

use std::path::Path;

use terrace_diag::Diagnostic;
use terrace_port::Files as _;

use self::files::Text;
use self::steps::Steps;
use crate::args::{BootstrapAwsArgs, BootstrapCommand};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::{Disk, write_file};
use crate::session::Session;

/// How long a step waits for the lock of a run before this one that was killed: longer than a lock lives without being renewed.
const PATIENCE: &str = "-lock-timeout=2m";

/// Moves the state to where it belongs, if it is not there.
const INIT: [&str; 5] = [
    "init",
    "-input=false",
    "-migrate-state",
    "-force-copy",
    PATIENCE,
];

/// What is wanted, complete and checked.
struct Wanted {
    project: String,
    region: String,
    environments: Vec<String>,
    github: Option<String>,
    github_provider: bool,
    /// Who may approve: a name, and a login at GitHub or a key.
    approvers: Vec<(String, String)>,
    repositories: Vec<String>,
    lock: String,
}

pub(crate) async fn run(session: &Session, command: &BootstrapCommand) -> Outcome {
    match command {
        BootstrapCommand::Aws(args) => aws(session, args).await,
    }
}

async fn aws(session: &Session, args: &BootstrapAwsArgs) -> Outcome {
    let wanted = wanted(args)?;
    if args.dry_run {
        return rehearse(session, &wanted).await;
    }
    let view = &session.view;
    let steps = Steps::new(session, Path::new("bootstrap"));
    heading(
        session,
        1,
        "What the environments rest on, as a configuration",
    );
    place(session, &files::configuration(&wanted))?;
    heading(session, 2, "Make it");
    // Where a run before this one ended, its state may lie here or in the bucket; init finds out, and moves it if need be.
    steps.carry_out(&INIT).await?;
    if steps.needs_recovery().await? {
        steps.carry_out(&["recover", PATIENCE]).await?;
    }
    let approve: &[&str] = if args.auto_approve {
        &["-auto-approve"]
    } else {
        &[]
    };
    steps
        .carry_out(&[&["apply", PATIENCE], approve].concat())
        .await?;
    let outputs = steps.outputs().await?;
    heading(
        session,
        3,
        "Move its state into the bucket that it has made",
    );
    place(session, &[files::own_backend(&outputs)])?;
    steps.carry_out(&INIT).await?;
    heading(session, 4, "The environments");
    place(session, &files::environments(&wanted, &outputs))?;
    if wanted.github.is_some() {
        heading(session, 5, "Workflows for GitHub");
    }
    if wanted.github.is_some() && !in_repository() {
        view.line("There is no git repository here, to whose top workflows belong. After git init: terrace init-ci github");
    } else if wanted.github.is_some() {
        Steps::new(session, Path::new("."))
            .carry_out(&["init-ci", "github"])
            .await?;
    }
    view.line("");
    let people = if wanted.approvers.is_empty() {
        "\n    name people in terrace.hcl, and put its gates in force"
    } else {
        ""
    };
    view.output(format!(
        "Done. Commit these files. What to do next:{people}\n    write the configuration of {}, beside terrace.hcl\n    terrace init -env={} && terrace plan -env={}",
        wanted.project, wanted.environments[0], wanted.environments[0],
    ));
    Ok(SUCCESS)
}

/// Whether this directory lies in a git repository.
fn in_repository() -> bool {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .any(|directory| directory.join(".git").exists())
}

/// Shows what would be made and written. Nothing is left behind.
async fn rehearse(session: &Session, wanted: &Wanted) -> Outcome {
    let view = &session.view;
    let files = files::configuration(wanted);
    for file in &files {
        let state = match Disk.read(&file.path) {
            Err(_) => "would be written",
            Ok(there) if *there == *file.text.as_bytes() => "is there",
            Ok(_) => "is there and differs; it would be kept",
        };
        view.line(format!("{}: {state}", file.path));
    }
    let stage = tempfile::tempdir().map_err(|error| unwritable("a temporary directory", &error))?;
    let directory = stage.path().join("bootstrap");
    for file in &files {
        let text = Disk
            .read(&file.path)
            .unwrap_or_else(|_| file.text.as_bytes().into());
        put(&stage.path().join(&file.path).display().to_string(), &text)?;
    }
    for kept in ["backend.tf", "terraform.tfstate"] {
        if let Ok(text) = Disk.read(&format!("bootstrap/{kept}")) {
            put(&directory.join(kept).display().to_string(), &text)?;
        }
    }
    for name in overrides() {
        let text = Disk
            .read(&name)
            .map_err(|error| unwritable(&name, &error))?;
        put(&stage.path().join(&name).display().to_string(), &text)?;
    }
    let steps = Steps::new(session, &directory);
    steps.carry_out(&["init", "-input=false"]).await?;
    steps
        .carry_out(&["plan", "-input=false", "-lock=false"])
        .await?;
    view.output("Nothing was made and nothing written. Without -dry-run it is, after a question.");
    Ok(SUCCESS)
}

/// Files of the user's own beside what is written: overrides, further resources, variables.
fn overrides() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("bootstrap") else {
        return Vec::new();
    };
    let ours = ["main.tf", "backend.tf"];
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !ours.contains(&name.as_str()))
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|end| end == "tf" || end == "tfvars")
        })
        .map(|name| format!("bootstrap/{name}"))
        .collect();
    names.sort();
    names
}

fn heading(session: &Session, number: usize, text: &str) {
    session.view.line(format!("\n{number}. {text}\n"));
}

/// Writes files that are not there. What somebody has changed is kept.
fn place(session: &Session, files: &[Text]) -> Result<(), CommandError> {
    let mut written = 0;
    for file in files {
        match Disk.read(&file.path) {
            Ok(there) if *there == *file.text.as_bytes() => {}
            Ok(_) => session.view.line(format!(
                "{} is not what would be written now, and is kept. Delete it to have it written anew.",
                file.path
            )),
            Err(_) => {
                put(&file.path, file.text.as_bytes())?;
                session.view.line(format!("wrote {}", file.path));
                written += 1;
            }
        }
    }
    if written == 0 {
        session.view.line("Nothing to write: the files are there.");
    }
    Ok(())
}

fn put(path: &str, text: &[u8]) -> Result<(), CommandError> {
    if let Some(parent) = Path::new(path).parent() {
        std::fs::create_dir_all(parent).map_err(|error| unwritable(path, &error))?;
    }
    write_file(path, text).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &str, error: &dyn std::fmt::Display) -> CommandError {
    CommandError::one(
        "unwritable-file",
        "File cannot be written",
        format!("{path} cannot be written: {error}."),
    )
}

/// The arguments, with what they leave out.
fn wanted(args: &BootstrapAwsArgs) -> Result<Wanted, CommandError> {
    let project = args.project.clone().or_else(|| {
        let here = std::env::current_dir().ok()?;
        Some(here.file_name()?.to_string_lossy().into_owned())
    });
    let project = project.unwrap_or_default();
    let fits = |text: &str, least: usize, most: usize, dashes: bool| {
        let first = text.starts_with(|letter: char| letter.is_ascii_lowercase());
        let rest = text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || (dashes && byte == b'-')
        });
        first && rest && !text.ends_with('-') && (least..=most).contains(&text.len())
    };
    if !fits(&project, 3, 20, true) {
        return Err(Diagnostic::error(
            "invalid-bootstrap",
            "Invalid name of a project",
            format!("A project cannot be called {project:?}: its name begins with a letter and holds 3 to 20 lower-case letters, digits and dashes, since the names of all that is made begin with it."),
        )
        .hint("name it: terrace bootstrap aws -project=NAME")
        .into());
    }
    if let Some(name) = args
        .environments
        .iter()
        .find(|name| !fits(name, 2, 10, false))
    {
        return Err(CommandError::one(
            "invalid-bootstrap",
            "Invalid name of an environment",
            format!(
                "An environment cannot be called {name:?}: its name begins with a letter and holds 2 to 10 lower-case letters and digits."
            ),
        ));
    }
    let Some(region) = args.region.clone() else {
        return Err(Diagnostic::error(
            "invalid-bootstrap",
            "Missing region",
            "The region is not known in which the bucket of states and all else is to be.",
        )
        .hint("name it: terrace bootstrap aws -region=eu-central-1, or by AWS_REGION")
        .into());
    };
    if let Some(github) = &args.github
        && github.split('/').filter(|part| !part.is_empty()).count() != 2
    {
        return Err(CommandError::one(
            "invalid-bootstrap",
            "Invalid repository",
            format!(
                "{github:?} is no repository at GitHub: it is named by its owner and its name, as in acme/storefront."
            ),
        ));
    }
    let approvers = args.approver.iter().map(|text| {
        let (name, who) = text.split_once('=').unwrap_or((text, ""));
        let named = name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter));
        if name.is_empty() || who.is_empty() || !named {
            return Err(CommandError::one(
                "invalid-bootstrap",
                "Invalid approver",
                format!("{text:?} names nobody who may approve: it is a name, an equals sign, and a login at GitHub or the fingerprint of a key, as in ada=ada-at-github or ada=SHA256:2vJ…."),
            ));
        }
        Ok((name.to_owned(), who.to_owned()))
    });
    let approvers: Vec<(String, String)> = approvers.collect::<Result<_, _>>()?;
    if let [(name, _)] = approvers.as_slice()
        && args.environments.len() > 1
    {
        return Err(Diagnostic::error(
            "invalid-bootstrap",
            "A single approver",
            format!("{name} is the only one who may approve, and the gates of all environments but the first ask for someone other than who made the plan: nobody could pass them where {name} made it."),
        )
        .hint("name another one by a second -approver, or none: then the gates are written as comments")
        .into());
    }
    Ok(Wanted {
        approvers,
        project,
        region,
        environments: args.environments.clone(),
        github: args.github.clone(),
        github_provider: args.github_provider,
        repositories: args.repositories.clone(),
        lock: args.lock.clone(),
    })
}
