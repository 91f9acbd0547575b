//! `cargo dev interchange`: terraform and terrace take turns on the same states.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, evidence, program, workspace};

/// Small configurations of built-in resources. `var.step` changes what they want.
const CONFIGURATIONS: [(&str, &str); 6] = [
    (
        "one object",
        "resource \"terraform_data\" \"a\" {\n  input = \"step ${var.step}\"\n}\n",
    ),
    (
        "count",
        "resource \"terraform_data\" \"a\" {\n  count = 2 + var.step\n  input = count.index\n}\n\noutput \"all\" {\n  value = terraform_data.a[*].output\n}\n",
    ),
    (
        "for_each and references",
        "resource \"terraform_data\" \"a\" {\n  for_each = toset([\"x\", \"y\", \"z${var.step}\"])\n  input    = { key = each.key, list = [1, 2.5, null, true] }\n}\n\nresource \"terraform_data\" \"b\" {\n  input = { for key, object in terraform_data.a : key => object.output.list }\n}\n",
    ),
    (
        "replacement",
        "resource \"terraform_data\" \"a\" {\n  input            = \"constant\"\n  triggers_replace = [var.step]\n\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n\nresource \"terraform_data\" \"b\" {\n  input = terraform_data.a.id\n}\n",
    ),
    (
        "secrets",
        "resource \"terraform_data\" \"a\" {\n  input = sensitive(\"secret ${var.step}\")\n}\n\noutput \"secret\" {\n  value     = terraform_data.a.output\n  sensitive = true\n}\n",
    ),
    (
        "numbers and text",
        "resource \"terraform_data\" \"a\" {\n  input = {\n    third = 1 / 3\n    large = 123456789012345678901234567890 + var.step\n    text  = \"quotes \\\" and lines\\n<&> \\u00e9\"\n    empty = { list = [], object = {}, nothing = null }\n  }\n}\n",
    ),
];
const VARIABLE: &str = "variable \"step\" {\n  type = number\n}\n\n";

/// What is said of one turn.
struct Turn {
    what: &'static str,
    held: bool,
    said: String,
}

/// Runs all configurations; whether every turn held.
pub(crate) fn run() -> Result<bool, Failure> {
    let Some(version) = program::first_line("terraform", &["version"]) else {
        println!("SKIPPED: there is no terraform on this machine");
        return Ok(true);
    };
    if !program::succeeds(workspace::cargo().args(["build", "--quiet", "--package", "terrace"]))? {
        return Err("terrace does not build".into());
    }
    let terrace = workspace::target_directory()?.join("debug/terrace");
    let mut table = String::from("| configuration | turns that held |\n| --- | ---: |\n");
    let (mut n_held, mut n_turns) = (0, 0);
    for (name, configuration) in CONFIGURATIONS {
        let directory = tempfile::tempdir()?;
        std::fs::write(
            directory.path().join("main.tf"),
            format!("{VARIABLE}{configuration}"),
        )?;
        let turns = take_turns(directory.path(), &terrace)?;
        let held = turns.iter().filter(|turn| turn.held).count();
        println!("{name}: {held} of {}", turns.len());
        for turn in turns.iter().filter(|turn| !turn.held) {
            println!("  did not hold: {}\n{}", turn.what, turn.said);
        }
        let _infallible = writeln!(table, "| {name} | {held} of {} |", turns.len());
        n_held += held;
        n_turns += turns.len();
    }
    let facts =
        format!("- terraform: {version}\n- turns that held: {n_held} of {n_turns}\n\n{table}");
    let about = "Terraform applies, Terrace sees nothing to do and goes on; Terraform sees nothing to do and goes on; and so forth,\n\
                 each on the state file that the other wrote.";
    evidence::write(
        "interchange",
        "Terraform and Terrace on the same states",
        about,
        &facts,
    )?;
    Ok(n_held == n_turns)
}

fn take_turns(directory: &Path, terrace: &Path) -> Result<Vec<Turn>, Failure> {
    let terraform = PathBuf::from("terraform");
    let script: [(&str, &Path, &[&str], &str, i32); 10] = [
        (
            "terraform init",
            &terraform,
            &["init", "-input=false"],
            "0",
            0,
        ),
        (
            "terraform apply",
            &terraform,
            &["apply", "-auto-approve"],
            "0",
            0,
        ),
        ("terrace init", terrace, &["init"], "0", 0),
        (
            "terrace plan: no changes",
            terrace,
            &["plan", "-detailed-exitcode"],
            "0",
            0,
        ),
        (
            "terrace plan: changes",
            terrace,
            &["plan", "-detailed-exitcode"],
            "1",
            2,
        ),
        (
            "terrace apply",
            terrace,
            &["apply", "-auto-approve"],
            "1",
            0,
        ),
        (
            "terraform plan: no changes",
            &terraform,
            &["plan", "-detailed-exitcode"],
            "1",
            0,
        ),
        (
            "terraform apply again",
            &terraform,
            &["apply", "-auto-approve"],
            "2",
            0,
        ),
        (
            "terrace plan: no changes again",
            terrace,
            &["plan", "-detailed-exitcode"],
            "2",
            0,
        ),
        (
            "terrace destroy",
            terrace,
            &["destroy", "-auto-approve"],
            "2",
            0,
        ),
    ];
    let mut turns = Vec::new();
    for (what, program, arguments, step, wanted) in script {
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .args(arguments)
            .arg("-no-color")
            .env("TF_VAR_step", step)
            .env("CHECKPOINT_DISABLE", "1");
        let (code, said) = program::outcome(&mut command)?;
        turns.push(Turn {
            what,
            held: code == wanted,
            said,
        });
    }
    let (code, said) = program::outcome(
        Command::new(&terraform)
            .current_dir(directory)
            .args(["state", "list"]),
    )?;
    turns.push(Turn {
        what: "terraform state list: nothing is left",
        held: code == 0 && said.trim().is_empty(),
        said,
    });
    Ok(turns)
}
