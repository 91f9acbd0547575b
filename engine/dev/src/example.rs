//! `cargo dev example`: examples/three-environments from the first plan to the audit, checking every step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, keys, program, workspace};

const EXAMPLE: &str = "examples/three-environments";
const PEOPLE: [&str; 3] = ["lead-1", "engineer-1", "engineer-2"];

/// How the example is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// With an optimised binary.
    pub(crate) release: bool,
    /// Only the commands, and the output of those that do not do what they should.
    pub(crate) quiet: bool,
}

impl Options {
    /// From the command line.
    pub(crate) fn of(arguments: &[String]) -> Self {
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        Self {
            release: !has("--debug"),
            quiet: has("--quiet"),
        }
    }
}

/// Runs it; whether every command did what the example's README says.
pub(crate) fn run(options: Options) -> Result<bool, Failure> {
    println!(
        "Building terrace{} ...",
        if options.release {
            " (optimised; the first time takes some minutes)"
        } else {
            ""
        }
    );
    let mut build = workspace::cargo();
    build
        // Of the whole workspace, so that its libraries are those that the tests build as well.
        .args(["build", "--quiet", "--workspace", "--bin", "terrace"])
        .args(options.release.then_some("--release"));
    if !program::succeeds(&mut build)? {
        return Err("terrace does not build".into());
    }
    let target = workspace::target_directory()?;
    let terrace = target
        .join(if options.release { "release" } else { "debug" })
        .join("terrace");
    let place = target.join("example");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let stack = place.join("three-environments");
    copy(&workspace::root().join(EXAMPLE), &stack)?;
    let keys = place.join("keys");
    write_project_file(&stack, &keys)?;
    let mut story = Story {
        terrace,
        stack,
        keys,
        quiet: options.quiet,
        problems: Vec::new(),
    };
    story.tell()?;
    if story.problems.is_empty() {
        println!(
            "\nAll of it went as examples/three-environments/README.md says. The directory to look around in: {}",
            story.stack.display()
        );
        return Ok(true);
    }
    println!(
        "\nNot as examples/three-environments/README.md says:\n  {}",
        story.problems.join("\n  ")
    );
    Ok(false)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != ".terraform" && name != ".terrace" && name != "site"
                || from.ends_with("modules")
            {
                copy(&entry.path(), &to.join(name))?;
            }
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Makes a key for each person and writes the fingerprints where the example's project file has none.
fn write_project_file(stack: &Path, keys: &Path) -> Result<(), Failure> {
    let path = stack.join("terrace.hcl");
    let mut text = fs::read_to_string(&path)?;
    for person in PEOPLE {
        let (_, fingerprint) = keys::make(keys, person)?;
        let blank = format!("SHA256:{person:.<43}");
        if !text.contains(&blank) {
            return Err(format!(
                "{EXAMPLE}/terrace.hcl has no place for the key of {person}: {blank}"
            )
            .into());
        }
        text = text.replace(&blank, &fingerprint);
    }
    Ok(fs::write(path, text)?)
}

struct Story {
    terrace: PathBuf,
    stack: PathBuf,
    keys: PathBuf,
    quiet: bool,
    problems: Vec<String>,
}

/// A command of the story.
struct Step<'a> {
    /// Its arguments, as one writes them.
    line: &'a str,
    /// Whose key signs.
    person: Option<&'a str>,
    /// The exit code that it should end with.
    code: i32,
    /// What it should say.
    says: &'a [&'a str],
}

impl Story {
    fn tell(&mut self) -> Result<(), Failure> {
        say(
            "A stack, three environments, three people. Everything is kept in files; nobody needs an account.",
        );
        self.terrace(&Step {
            line: "init",
            person: None,
            code: 0,
            says: &[
                "Terrace's native hashicorp/local",
                "successfully initialized",
            ],
        })?;
        self.terrace(&Step {
            line: "validate",
            person: None,
            code: 0,
            says: &["valid"],
        })?;
        self.terrace(&Step {
            line: "policy test",
            person: None,
            code: 0,
            says: &["3 passed"],
        })?;
        self.dev()?;
        self.stg()?;
        self.prd()?;
        self.afterwards()
    }

    fn dev(&mut self) -> Result<(), Failure> {
        say("dev has no gate: plan, and apply what was planned.");
        let plan = self.terrace(&Step {
            line: "plan -env=dev",
            person: None,
            code: 0,
            says: &["to add, 0 to change, 0 to destroy", "0 denied, 0 warned"],
        })?;
        let run = self.run_of(&plan);
        self.terrace(&Step {
            line: &format!("apply -env=dev {run}"),
            person: None,
            code: 0,
            says: &["Apply complete!"],
        })?;
        let index = self.stack.join("site/dev/index.html");
        if !fs::read_to_string(&index).is_ok_and(|text| text.contains("<html")) {
            self.problems
                .push(format!("{} was not written", index.display()));
        }
        self.terrace(&Step {
            line: "plan -env=dev -detailed-exitcode",
            person: None,
            code: 0,
            says: &["No changes"],
        })?;
        Ok(())
    }

    fn stg(&mut self) -> Result<(), Failure> {
        say("stg comes after dev and wants one approval. A plan that nobody signed cannot pass.");
        let unsigned = self.terrace(&Step {
            line: "plan -env=stg",
            person: None,
            code: 0,
            says: &["it is not signed"],
        })?;
        let run = self.run_of(&unsigned);
        self.terrace(&Step {
            line: &format!("apply -env=stg {run}"),
            person: None,
            code: 5,
            says: &["author is unknown"],
        })?;

        say("lead-1 plans and signs. Without an approval the apply is refused, with exit code 5.");
        let plan = self.terrace(&Step {
            line: "promote dev stg",
            person: Some("lead-1"),
            code: 0,
            says: &["applied this configuration", "approve -env=stg"],
        })?;
        let run = self.run_of(&plan);
        let apply = format!("apply -env=stg {run}");
        self.terrace(&Step {
            line: &apply,
            person: None,
            code: 5,
            says: &["needs 1 approval"],
        })?;

        say("The author's own approval does not count.");
        let approve = format!("approve -env=stg {run}");
        self.terrace(&Step {
            line: &approve,
            person: Some("lead-1"),
            code: 5,
            says: &["lead-1 is the author", "Nothing was signed"],
        })?;
        self.terrace(&Step {
            line: &apply,
            person: None,
            code: 5,
            says: &["needs 1 approval", "has none"],
        })?;

        say("Someone else's does.");
        self.terrace(&Step {
            line: &approve,
            person: Some("engineer-1"),
            code: 0,
            says: &["The gate is satisfied"],
        })?;
        self.terrace(&Step {
            line: &apply,
            person: None,
            code: 0,
            says: &["Apply complete!"],
        })?;
        Ok(())
    }

    fn prd(&mut self) -> Result<(), Failure> {
        say("prd comes after stg and wants two approvals, one of them by an infra-lead.");
        let plan = self.terrace(&Step {
            line: "promote stg prd",
            person: Some("engineer-1"),
            code: 0,
            says: &["approve -env=prd"],
        })?;
        let run = self.run_of(&plan);
        let (approve, apply) = (
            format!("approve -env=prd {run}"),
            format!("apply -env=prd {run}"),
        );
        self.terrace(&Step {
            line: &approve,
            person: Some("engineer-2"),
            code: 0,
            says: &["needs 2 approvals", "infra-lead"],
        })?;
        self.terrace(&Step {
            line: &apply,
            person: None,
            code: 5,
            says: &["needs 2 approvals", "engineer-2", "infra-lead"],
        })?;
        self.terrace(&Step {
            line: &format!("gate explain -env=prd {run}"),
            person: None,
            code: 5,
            says: &["Still missing", "lead-1"],
        })?;
        self.terrace(&Step {
            line: &approve,
            person: Some("lead-1"),
            code: 0,
            says: &["The gate is satisfied"],
        })?;
        self.terrace(&Step {
            line: &apply,
            person: None,
            code: 0,
            says: &["Apply complete!"],
        })?;
        self.terrace(&Step {
            line: "plan -env=prd -detailed-exitcode",
            person: None,
            code: 0,
            says: &["No changes"],
        })?;

        say("What a gate guards is changed through the gate only.");
        let forget = "state rm -env=prd module.site";
        self.terrace(&Step {
            line: forget,
            person: None,
            code: 5,
            says: &["prd"],
        })?;
        Ok(())
    }

    fn afterwards(&mut self) -> Result<(), Failure> {
        say("What happened, and the proof that the record is whole.");
        self.terrace(&Step {
            line: "runs",
            person: None,
            code: 0,
            says: &["dev", "stg", "prd", "applied"],
        })?;
        self.terrace(&Step {
            line: "output -env=prd",
            person: None,
            code: 0,
            says: &["address"],
        })?;
        self.terrace(&Step {
            line: "audit list -env=prd",
            person: None,
            code: 0,
            says: &["approve", "refuse", "apply-end"],
        })?;
        for environment in ["dev", "stg", "prd"] {
            self.terrace(&Step {
                line: &format!("audit verify -env={environment}"),
                person: None,
                code: 0,
                says: &["is whole"],
            })?;
        }
        Ok(())
    }

    /// Runs a command, shows it, and notes what is not as it should be.
    fn terrace(&mut self, step: &Step<'_>) -> Result<String, Failure> {
        let mut command = Command::new(&self.terrace);
        command.current_dir(&self.stack).args(step.line.split(' '));
        for (name, _) in std::env::vars()
            .filter(|(name, _)| name.starts_with("TF_") || name.starts_with("TERRACE_"))
        {
            command.env_remove(name);
        }
        command
            .env("TF_CLI_CONFIG_FILE", self.stack.join("terrace.tfrc"))
            .env("TF_IN_AUTOMATION", "1");
        // Runs and the audit name who is at the keyboard; here three people share one.
        command.env("USER", step.person.unwrap_or("runner"));
        let signs = step.person.map(|person| {
            command.env("TERRACE_SSH_KEY", self.keys.join(person));
            format!("TERRACE_SSH_KEY=../keys/{person} ")
        });
        println!("\n$ {}terrace {}", signs.unwrap_or_default(), step.line);
        let (code, said) = program::outcome(&mut command)?;
        let missing: Vec<&str> = step
            .says
            .iter()
            .copied()
            .filter(|wanted| !flat(&said).contains(&flat(wanted)))
            .collect();
        let as_it_should_be = code == step.code && missing.is_empty();
        if !self.quiet || !as_it_should_be {
            println!("{}", said.trim_end());
        }
        if code != 0 {
            println!("(exit code {code})");
        }
        if code != step.code {
            self.problems.push(format!(
                "terrace {}: exit code {code} instead of {}",
                step.line, step.code
            ));
        }
        self.problems.extend(
            missing
                .iter()
                .map(|wanted| format!("terrace {}: does not say {wanted:?}", step.line)),
        );
        Ok(said)
    }

    /// The run that a plan's output names.
    fn run_of(&mut self, output: &str) -> String {
        let run = output
            .lines()
            .find_map(|line| line.strip_prefix("Run ")?.split(' ').next());
        if run.is_none() {
            self.problems.push("a plan names no run".to_owned());
        }
        run.unwrap_or("none").to_owned()
    }
}

/// A line of the story.
fn say(text: &str) {
    println!("\n# {text}");
}

/// Without line breaks and the frame of a message.
fn flat(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || "│╷╵".contains(c))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_file_has_a_place_for_every_key() {
        let directory = tempfile::tempdir().unwrap();
        let stack = directory.path().join("stack");
        copy(&workspace::root().join(EXAMPLE), &stack).unwrap();
        write_project_file(&stack, &directory.path().join("keys")).unwrap();
        let text = fs::read_to_string(stack.join("terrace.hcl")).unwrap();
        assert!(!text.contains("..."), "{text}");
        assert_eq!(text.matches("SHA256:").count(), PEOPLE.len());
    }

    #[test]
    fn messages_are_compared_without_their_frame() {
        assert_eq!(flat("│ needs 2\n│ approvals  by"), "needs 2 approvals by");
    }
}
