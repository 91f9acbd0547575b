//! `cargo dev worlds`: applies that are killed, interrupted and failed at full size, beside the same with terraform.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::{Failure, evidence, program, workspace};

/// Where the page for readers has its table.
const BEGIN: &str = "<!-- written by cargo dev worlds -->\n";
const END: &str = "<!-- end -->";
const PAGE: &str = "docs/crash-safety.md";

/// A column of a table: its heading, and the member of the facts that it shows.
type Column = (&'static str, &'static str);

/// What is told of each engine.
const BESIDE: [Column; 11] = [
    ("engine", "who"),
    ("store", "store"),
    ("worlds", "worlds"),
    ("disturbed applies", "disturbed"),
    ("killed", "killed"),
    ("ended with an error", "failed"),
    ("lost objects", "lost"),
    ("unmanaged at the end", "orphans"),
    ("there twice at the end", "twice"),
    ("locks only force released", "stuck"),
    ("worlds that did not converge", "unfinished"),
];

/// What is told of recoveries.
const RECOVERIES: [Column; 9] = [
    ("store", "store"),
    ("events in the worlds", "events"),
    ("recoveries offered", "offered"),
    ("results replayed", "replayed"),
    ("uncertain changes", "uncertain"),
    ("most at once", "most_uncertain"),
    ("asked of a person", "asked"),
    ("longest from death to recovered, s", "longest_wait"),
    ("seed", "seed"),
];

/// What is told of kills of forty objects.
const KILLS: [Column; 5] = [
    ("store", "store"),
    ("kills", "kills"),
    ("objects made before", "created_before"),
    ("uncertain", "uncertain"),
    ("most at once", "most_uncertain"),
];

/// Runs the suites and writes the pages; whether all held.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let seed = match arguments {
        [] => SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_secs()
            .to_string(),
        [flag, seed] if flag == "--seed" => seed.clone(),
        _ => return Err("usage: cargo dev worlds [--seed N]".into()),
    };
    let begun = Instant::now();
    let (worlds, kills, held) = suites(&seed)?;
    let seconds = begun.elapsed().as_secs();
    let of = |who: &str| -> Vec<&Value> {
        let facts = worlds.iter().filter(|facts| facts["who"] == who);
        facts.collect()
    };
    let (ours, theirs) = (of("terrace"), of("terraform"));
    let both: Vec<&Value> = ours.iter().chain(&theirs).copied().collect();
    let beside = table(&BESIDE, &both);
    let mut facts = format!("- seed: {seed}\n- took: {seconds} s\n- all held: {held}\n");
    if let Some(version) = program::first_line("terraform", &["version"]) {
        let _infallible = writeln!(facts, "- terraform: {version}");
    }
    let _infallible = write!(
        facts,
        "\n{beside}\nRecoveries of Terrace:\n\n{}\nForty objects in three layers, killed at random moments:\n\n{}",
        table(&RECOVERIES, &ours),
        table(&KILLS, &kills.iter().collect::<Vec<_>>())
    );
    let about = "Random configurations of 5 to 40 objects in 1 to 2 generations, with a provider that fails, dies, hangs and speaks\n\
                 nonsense, killed and interrupted at random moments; see [crash safety](../crash-safety.md) for what the columns mean.";
    evidence::write("worlds", "Crash worlds", about, &facts)?;
    if held {
        put_into_page(&beside)?;
    }
    Ok(held)
}

/// Runs the tests; gives what they counted, and whether they held.
fn suites(seed: &str) -> Result<(Vec<Value>, Vec<Value>, bool), Failure> {
    let mut child = workspace::cargo()
        .args(["test", "--package", "terrace-worlds", "--no-fail-fast"])
        .args(["--test", "apply", "--test", "crash", "--", "--nocapture"])
        .env("TERRACE_FULL", "1")
        .env("TERRACE_SEED", seed)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child
        .stdout
        .take()
        .ok_or("the output of cargo test cannot be read")?;
    let (mut worlds, mut kills) = (Vec::new(), Vec::new());
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        // The harness writes the names of tests before what they say.
        let facts = |word: &str| {
            let (_, facts) = line.split_once(word)?;
            serde_json::from_str(facts).ok()
        };
        worlds.extend(facts("crash worlds "));
        kills.extend(facts("kills "));
    }
    Ok((worlds, kills, child.wait()?.success()))
}

fn table(columns: &[Column], rows: &[&Value]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(
        columns
            .iter()
            .map(|(heading, _)| (*heading).to_owned())
            .collect(),
    );
    text += &line(columns.iter().map(|_| "---:".to_owned()).collect());
    for row in rows {
        let cell = |name: &str| match &row[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => match number.as_f64().filter(|_| !number.is_u64()) {
                Some(number) => format!("{number:.1}"),
                None => number.to_string(),
            },
            _ => String::new(),
        };
        text += &line(columns.iter().map(|(_, name)| cell(name)).collect());
    }
    text
}

/// Replaces the table of the page for readers.
fn put_into_page(table: &str) -> Result<(), Failure> {
    let path = workspace::root().join(PAGE);
    let text = std::fs::read_to_string(&path)?;
    let missing = || format!("{PAGE} has no place for the table");
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    std::fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    println!("{PAGE} is written.");
    Ok(())
}
