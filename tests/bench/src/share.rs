//! What an engine adds to the work of a provider: a plan without changes with hashicorp/aws 3.39.0, beside Terraform.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use terrace_test_services::{Mirror, Moto, aws_provider_zip, platform};

use crate::clock::{LOG, REAL, now};
use crate::machine::Binaries;
use crate::{Failure, machine};

/// How often each engine plans; the middle one counts.
const RUNS: usize = 7;

const CONFIGURATION: &str = include_str!("aws.tf");

/// One run, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    /// From start to end.
    whole: u64,
    /// While the provider had something to answer.
    calls: u64,
    /// Beside that, while a process of the provider was starting.
    starts: u64,
    /// How many calls.
    n_calls: usize,
    /// How many processes.
    n_starts: usize,
    /// Of what remains: before the provider's process began, and after its last answer.
    ends: (u64, u64),
}

impl Taken {
    /// Without the time in calls.
    const fn beside_calls(&self) -> u64 {
        self.whole.saturating_sub(self.calls)
    }

    /// What of the own time is neither before the provider's process began nor after its last answer.
    const fn between(&self) -> u64 {
        self.own().saturating_sub(self.ends.0 + self.ends.1)
    }

    /// Without the provider's time.
    const fn own(&self) -> u64 {
        self.beside_calls().saturating_sub(self.starts)
    }
}

/// Measures, and prints a table. Says `SKIPPED` where what it needs is not there.
pub(crate) fn run(build: bool, out: Option<&Path>) -> Result<(), Failure> {
    let binaries = Binaries::prepare(build)?;
    let (place, moto) = match prepare() {
        Ok(prepared) => prepared,
        Err(why) => {
            println!("SKIPPED: {why}");
            return Ok(());
        }
    };
    place.run(&binaries.terrace, &moto, &["init", "-no-color"])?;
    place.run(
        &binaries.terrace,
        &moto,
        &["apply", "-auto-approve", "-no-color"],
    )?;
    let terraform = Path::new("terraform");
    let beside = place.run(terraform, &moto, &["init", "-input=false", "-no-color"]);
    if beside.is_err() {
        println!("SKIPPED: terraform is not installed; only Terrace is measured");
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(place.plan(&binaries.terrace, &moto)?);
        if beside.is_ok() {
            theirs.push(place.plan(terraform, &moto)?);
        }
    }
    let table = table(middle(&mut ours), middle(&mut theirs));
    println!("{table}");
    place.run(
        &binaries.terrace,
        &moto,
        &["destroy", "-auto-approve", "-no-color"],
    )?;
    if let Some(out) = out {
        std::fs::write(out, page(&table))?;
    }
    Ok(())
}

/// The run whose own time is the middle one.
fn middle(runs: &mut [Taken]) -> Option<Taken> {
    runs.sort_by_key(Taken::own);
    runs.get(runs.len() / 2).copied()
}

fn table(ours: Option<Taken>, theirs: Option<Taken>) -> String {
    let mut text = "| engine    |    whole | calls | in calls | starts | starting | own share | before |  between |  after | whole less calls |\n| --------- | -------: | ----: | -------: | -----: | -------: | --------: | -----: | -------: | -----: | ---------------: |\n".to_owned();
    for (name, taken) in [("terrace", ours), ("terraform", theirs)] {
        let Some(taken) = taken else { continue };
        // Writing to a string cannot fail.
        let _written = writeln!(
            text,
            "| {name:9} | {:>8} | {:>5} | {:>8} | {:>6} | {:>8} | {:>9} | {:>8} | {:>8} | {:>8} | {:>16} |",
            milliseconds(taken.whole),
            taken.n_calls,
            milliseconds(taken.calls),
            taken.n_starts,
            milliseconds(taken.starts),
            milliseconds(taken.own()),
            milliseconds(taken.ends.0),
            milliseconds(taken.between()),
            milliseconds(taken.ends.1),
            milliseconds(taken.beside_calls()),
        );
    }
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        let _written = write!(
            text,
            "\nTerrace's own share is {} of Terraform's; the whole takes {} of its time.",
            percent(ours.own(), theirs.own()),
            percent(ours.whole, theirs.whole)
        );
    }
    text
}

fn percent(part: u64, whole: u64) -> String {
    let tenths = part * 1_000 / whole.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn milliseconds(time: u64) -> String {
    format!("{}.{} ms", time / 1_000, time % 1_000 / 100)
}

fn page(table: &str) -> String {
    format!(
        "# What an engine adds to a provider's work\n\nWritten by `cargo dev bench --provider-share`, which asserts nothing: `plan` without changes over a state of hashicorp/aws 3.39.0 (711 resource types) against moto, the middle of {RUNS} runs in which the two engines take turns; for Terrace a second run, which finds schemas in its cache.\n\nA plugin in front of the provider writes down when calls begin and end. *In calls* is the time in which at least one call had no answer yet, *starting* the time beside it in which a process of the provider had not yet said where it listens. The *own share* is what remains of the whole, what the engine itself takes: *before* the provider's process began, *between* its answers, and *after* the last one. All of this is counted alike for both engines, of which Terraform starts three processes of the provider and Terrace one. *Whole less calls* counts starting as the engine's.\n\n- {}\n\n{table}\n",
        machine::facts_of_machine().join("\n- ")
    )
}

/// A working directory whose provider is measured.
struct Place {
    directory: tempfile::TempDir,
    mirror: Mirror,
}

fn prepare() -> Result<(Place, Moto), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("terrace-bench-")
        .tempdir()?;
    let unpacked = directory.path().join("unpacked");
    std::fs::create_dir(&unpacked)?;
    let status = Command::new("unzip")
        .arg("-q")
        .arg(aws_provider_zip()?)
        .arg("-d")
        .arg(&unpacked)
        .status()?;
    if !status.success() {
        return Err("the provider's archive cannot be unpacked".into());
    }
    let real = std::fs::read_dir(&unpacked)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("terraform-provider-aws"))
        .ok_or("the provider's archive holds no provider")?;
    let mirror = Mirror::new()?.with_unpacked(
        "hashicorp/aws",
        "3.39.0",
        "terraform-provider-aws_v3.39.0_x5",
        &std::env::current_exe()?,
    )?;
    let package = mirror
        .path()
        .join("registry.terraform.io/hashicorp/aws/3.39.0")
        .join(platform());
    std::fs::rename(&real, package.join(REAL))
        .or_else(|_| std::fs::copy(&real, package.join(REAL)).map(|_| ()))?;
    std::fs::write(directory.path().join("main.tf"), CONFIGURATION)?;
    let moto = Moto::start()?;
    Ok((Place { directory, mirror }, moto))
}

impl Place {
    fn log(&self) -> PathBuf {
        self.directory.path().join("clock.log")
    }

    fn run(&self, program: &Path, moto: &Moto, arguments: &[&str]) -> Result<(), Failure> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .env("CHECKPOINT_DISABLE", "1")
            // The plugin in front speaks without TLS; so do both engines to it.
            .env("TF_DISABLE_PLUGIN_TLS", "1")
            .env("TF_CLI_CONFIG_FILE", self.mirror.cli_config()?)
            .env("TF_VAR_endpoint", moto.endpoint())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("TERRACE_CACHE_DIR", self.directory.path().join("cache"))
            .env(LOG, self.log())
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "{} {}: {}",
            program.display(),
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }

    fn plan(&self, program: &Path, moto: &Moto) -> Result<Taken, Failure> {
        if self.log().exists() {
            std::fs::remove_file(self.log())?;
        }
        let began = now();
        let arguments = ["plan", "-input=false", "-no-color", "-detailed-exitcode"];
        self.run(program, moto, &arguments)?;
        let ended = now();
        let log = std::fs::read_to_string(self.log())?;
        Ok(taken(began, ended, &log))
    }
}

fn taken(began: u64, ended: u64, log: &str) -> Taken {
    let mut calls = Vec::new();
    let mut starts = Vec::new();
    for line in log.lines() {
        let mut words = line.split(' ');
        let (what, from, to) = (words.next(), words.next(), words.next());
        let time = |word: Option<&str>| word.and_then(|word| word.parse::<u64>().ok());
        let (Some(from), Some(to)) = (time(from), time(to)) else {
            continue;
        };
        match what {
            Some("call") => calls.push((from, to)),
            _ => starts.push((from, to)),
        }
    }
    let (n_calls, n_starts) = (calls.len(), starts.len());
    let in_calls = covered(calls.clone(), began, ended);
    calls.extend(starts);
    let first = calls.iter().map(|(from, _)| *from).min().unwrap_or(ended);
    let last = calls.iter().map(|(_, to)| *to).max().unwrap_or(ended);
    Taken {
        whole: ended - began,
        calls: in_calls,
        starts: covered(calls, began, ended) - in_calls,
        n_calls,
        n_starts,
        ends: (first.saturating_sub(began), ended.saturating_sub(last)),
    }
}

/// How much of the time from `began` to `ended` is within at least one of these.
fn covered(mut times: Vec<(u64, u64)>, began: u64, ended: u64) -> u64 {
    times.sort_unstable();
    let mut reached = began;
    let mut sum = 0;
    for (from, to) in times {
        let (from, to) = (from.max(reached), to.min(ended));
        if to > from {
            sum += to - from;
            reached = to;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_once_however_many_work() {
        assert_eq!(covered(vec![(5, 9), (1, 4), (3, 6), (20, 30)], 2, 25), 12);
        let log = "start 100 200\ncall 210 250\ncall 240 300\nstart 280 320\n";
        let taken = taken(90, 400, log);
        assert_eq!(
            taken,
            Taken {
                whole: 310,
                calls: 90,
                starts: 120,
                n_calls: 2,
                n_starts: 2,
                ends: (10, 80),
            }
        );
        assert_eq!((taken.beside_calls(), taken.own()), (220, 100));
    }
}
