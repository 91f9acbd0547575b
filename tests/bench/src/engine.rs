//! The programs that are measured, and what they are asked to do.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::configuration::{Kind, Project};
use crate::machine::Binaries;
use crate::measure::{self, Measured};

/// A command that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// `plan` before anything exists.
    Plan,
    /// `apply` of everything, with the journal as it always is.
    Apply,
    /// `plan` when nothing is to be done.
    NoOp,
    /// `show -json` of the state.
    Show,
    /// `destroy` of everything.
    Destroy,
    /// `fmt` of everything, which rewrites it.
    Format,
    /// `fmt -check` of what is formatted.
    Check,
    /// `validate`.
    Validate,
}

impl Step {
    /// In the order in which they run.
    pub(crate) const ALL: [Self; 5] = [
        Self::Plan,
        Self::Apply,
        Self::NoOp,
        Self::Show,
        Self::Destroy,
    ];

    /// What is done with a kind, in the order in which it is.
    pub(crate) const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Files => &[Self::Format, Self::Check],
            Kind::Literal | Kind::Heredoc => &[Self::Format, Self::Check, Self::Validate],
            _ => &Self::ALL,
        }
    }

    /// Its name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::NoOp => "no-op plan",
            Self::Show => "show -json",
            Self::Destroy => "destroy",
            Self::Format => "fmt",
            Self::Check => "fmt -check",
            Self::Validate => "validate",
        }
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Plan | Self::NoOp => &["plan", "-input=false", "-no-color"],
            Self::Apply => &["apply", "-auto-approve", "-input=false", "-no-color"],
            Self::Show => &["show", "-json"],
            Self::Format => &["fmt", "-recursive", "-list=false"],
            Self::Check => &["fmt", "-recursive", "-check"],
            Self::Validate => &["validate", "-no-color"],
            Self::Destroy => &["destroy", "-auto-approve", "-input=false", "-no-color"],
        }
    }
}

/// What Terraform is asked to do: what it does in minutes, not in hours. Its time grows with the square of the keys of a
/// `for_each`, and of what it applies.
pub(crate) const fn reference_steps(kind: Kind, size: usize) -> &'static [Step] {
    match (kind, size) {
        (Kind::Files | Kind::Literal | Kind::Heredoc, _) => Step::of(kind),
        (Kind::Flat | Kind::Modules, 0..=2_000) | (Kind::ForEach | Kind::Plugin, 0..=1_000) => {
            &Step::ALL
        }
        (Kind::Providers, 0..=200) => &Step::ALL,
        (Kind::Flat, 2_001..=10_000) | (Kind::ForEach, 1_001..=2_000) => &[Step::Plan],
        _ => &[],
    }
}

/// A program.
pub(crate) struct Engine {
    name: &'static str,
    program: PathBuf,
    plugin: Option<PathBuf>,
}

impl Engine {
    /// What is built here.
    pub(crate) fn terrace(binaries: &Binaries) -> Self {
        Self {
            name: "terrace",
            program: binaries.terrace.clone(),
            plugin: binaries.plugin.clone(),
        }
    }

    /// Terraform, if this machine has it.
    pub(crate) fn terraform(binaries: &Binaries) -> Option<Self> {
        let engine = Self {
            name: "terraform",
            program: "terraform".into(),
            plugin: binaries.plugin.clone(),
        };
        engine.version().is_some().then_some(engine)
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// What it says it is.
    pub(crate) fn version(&self) -> Option<String> {
        let output = Command::new(&self.program)
            .arg("version")
            .env("CHECKPOINT_DISABLE", "1")
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().map(str::to_owned)
    }

    /// `init`, which is not measured.
    pub(crate) fn initialise(&self, project: &Project) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command.args(["init", "-input=false", "-no-color"]);
        self.place(&mut command, project)?;
        let output = command.output()?;
        // With dev_overrides alone `init` finds no registry to ask, and nothing needs what it would have installed.
        let is_overridden = matches!(project.kind(), Kind::Plugin | Kind::Providers);
        if output.status.success() || is_overridden {
            return Ok(());
        }
        Err(format!("init: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
    }

    /// Runs a command and measures it.
    pub(crate) fn run(&self, project: &Project, step: Step, patience: Duration) -> Measured {
        let mut arguments = vec![self.program.clone().into_os_string()];
        arguments.extend(step.arguments().iter().map(Into::into));
        measure::run(&arguments, patience, |command| self.place(command, project))
    }

    fn place(&self, command: &mut Command, project: &Project) -> std::io::Result<()> {
        command
            .current_dir(project.directory())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env("FAKE_PROVIDER_WORLD", project.world());
        if let Some(plugin) = &self.plugin {
            command.env("TF_CLI_CONFIG_FILE", project.cli_configuration(plugin)?);
        }
        Ok(())
    }
}
