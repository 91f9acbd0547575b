//! The tool that people come from, in the same worlds: counted, not judged.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use terrace_test_support::{Ran, Running};

use crate::experiment::{Disturbance, Experiment, Turn};
use crate::lab::Lab;
use crate::store::{Kind, Servers};
use crate::tally::Tally;

/// How long a disturbed apply may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lives through an experiment.
pub(crate) fn live_through(servers: &Servers, _: Kind, experiment: &Experiment, tally: &mut Tally) {
    let mut life = Life {
        lab: Lab::new(servers, "theirs", experiment.seed),
        experiment,
        known_lost: BTreeSet::new(),
        unfinished: false,
        stranded: false,
    };
    life.lab.use_mirror();
    for turn in &experiment.turns {
        life.turn(turn, tally);
        if life.stranded {
            break;
        }
    }
    if let Some(known) = life.ids_in_state() {
        let objects = life.lab.objects().into_keys();
        tally.orphans += objects.filter(|id| !known.contains(id)).count();
    }
    tally.twice += life.lab.doubles().len();
    tally.unfinished += usize::from(life.unfinished || life.stranded);
    tally.events += life.lab.events_so_far();
}

/// What came of an apply. One that was interrupted before it asked for a change that never comes to an end has to be killed.
fn ended(mut running: Running) -> Ran {
    let begun = Instant::now();
    while !running.has_ended() {
        if begun.elapsed() > PATIENCE {
            running.kill();
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    running.wait()
}

struct Life<'a> {
    lab: Lab,
    experiment: &'a Experiment,
    /// Objects that are known to be lost already.
    known_lost: BTreeSet<String>,
    unfinished: bool,
    /// Whether nothing goes on until a person mends what is stored, such as a checksum that is not that of the state.
    stranded: bool,
}

impl Life<'_> {
    fn terraform(&self, arguments: &[&str]) -> Ran {
        self.lab.project.other("terraform", arguments)
    }

    fn change(&self, turn: &Turn) -> [String; 6] {
        let command = if turn.destroys { "destroy" } else { "apply" };
        [
            command.to_owned(),
            "-auto-approve".to_owned(),
            "-input=false".to_owned(),
            "-no-color".to_owned(),
            format!("-parallelism={}", self.experiment.parallelism),
            // In a database, all that create a state wait for one lock.
            "-lock-timeout=30s".to_owned(),
        ]
    }

    fn turn(&mut self, turn: &Turn, tally: &mut Tally) {
        self.lab.script("");
        self.lab.write(&turn.configuration);
        self.init();
        let arguments = self.change(turn);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if let Some(disturbance) = &turn.disturbance {
            self.disturbed(&arguments, disturbance, tally);
        }
        if self.stranded {
            return;
        }
        let done = self.terraform(&arguments);
        if done.code() != Some(0) {
            self.unfinished = true;
            eprintln!("seed {}: {}", self.experiment.seed, done.all());
        }
        self.lab.providers_are_gone();
        if !turn.destroys {
            let left = self.terraform(&["plan", "-detailed-exitcode", "-input=false", "-no-color"]);
            self.unfinished |= left.code() != Some(0);
        }
    }

    /// Two that make the tables of a database at once refuse each other, so that one comes again.
    fn init(&self) {
        let init = ["init", "-input=false", "-no-color"];
        let mut ran = self.terraform(&init);
        for _ in 0..5 {
            if ran.code() == Some(0) {
                break;
            }
            ran = self.terraform(&init);
        }
        ran.success();
    }

    fn disturbed(&mut self, arguments: &[&str], disturbance: &Disturbance, tally: &mut Tally) {
        tally.disturbed += 1;
        let before = self.lab.events_so_far();
        self.lab.script(&disturbance.script);
        let mut running = self.lab.project.start_other("terraform", arguments);
        self.lab.script("");
        self.lab.strike(&disturbance.blow, &mut running, before);
        let ran = ended(running);
        let died = ran.code().is_none();
        tally.killed += usize::from(died);
        tally.failed += usize::from(ran.code() == Some(1));
        self.lab.providers_are_gone();
        let begun = Instant::now();
        self.release(tally);
        let errored = self.lab.project.path().join("errored.tfstate");
        if errored.exists() {
            tally.errored += 1;
            let pushed = self.terraform(&["state", "push", "errored.tfstate"]);
            self.unfinished |= pushed.code() != Some(0);
            std::fs::remove_file(errored).unwrap();
        }
        let Some(known) = self.ids_in_state() else {
            self.stranded = true;
            return;
        };
        let objects = self.lab.objects().into_keys();
        let lost: Vec<String> = objects
            .filter(|id| !known.contains(id) && !self.known_lost.contains(id))
            .collect();
        tally.lost += lost.len();
        self.known_lost.extend(lost);
        if died {
            tally.longest_wait = tally.longest_wait.max(begun.elapsed());
        }
    }

    /// Releases the lock by force where it is not free: no time would release it.
    fn release(&mut self, tally: &mut Tally) {
        let plan = ["plan", "-input=false", "-no-color", "-lock-timeout=10s"];
        let said = self.terraform(&plan).all();
        if !said.contains("Error acquiring the state lock") {
            return;
        }
        tally.stuck += 1;
        let id = said
            .lines()
            .find_map(|line| line.trim_start_matches(['│', ' ']).strip_prefix("ID:"))
            .map(str::trim);
        let Some(id) = id else {
            panic!("the lock has no id: {said}");
        };
        let released = self.terraform(&["force-unlock", "-force", id]);
        self.stranded |= released.code() != Some(0);
    }

    /// `None` where the state cannot be read.
    fn ids_in_state(&self) -> Option<BTreeSet<String>> {
        let pulled = self.terraform(&["state", "pull"]);
        if pulled.code() != Some(0) {
            eprintln!("seed {}: {}", self.experiment.seed, pulled.all());
            return None;
        }
        let pulled = pulled.success();
        if pulled.stdout.trim().is_empty() {
            return Some(BTreeSet::new());
        }
        let state = pulled.json();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let ids = resources
            .iter()
            .flat_map(|resource| {
                resource["instances"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            })
            .filter_map(|instance| Some(instance["attributes"]["id"].as_str()?.to_owned()))
            .collect();
        Some(ids)
    }
}
