//! Terrace in a world: applies are disturbed, and the next commands go on as if nothing had been.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use terrace_test_support::{Ran, Running, Said};

use crate::experiment::{Disturbance, Experiment, Turn};
use crate::lab::Lab;
use crate::store::{Kind, Servers};
use crate::tally::Tally;

const REFUSED: &str = "Interrupted apply must be recovered first";

/// Lives through an experiment.
pub(crate) fn live_through(
    servers: &Servers,
    kind: Kind,
    experiment: &Experiment,
    tally: &mut Tally,
) {
    let mut life = Life {
        lab: Lab::new(servers, "ours", experiment.seed),
        kind,
        experiment,
        version: None,
    };
    life.lab.use_override();
    for turn in &experiment.turns {
        life.turn(turn, tally);
    }
    life.nothing_was_created_twice();
    tally.events += life.lab.events_so_far();
}

struct Life<'a> {
    lab: Lab,
    kind: Kind,
    experiment: &'a Experiment,
    /// Lineage and serial of the state as it was last seen.
    version: Option<(String, u64)>,
}

impl Life<'_> {
    fn terrace(&self, arguments: &[&str]) -> Ran {
        self.lab.project.terrace(arguments)
    }

    /// What applies or destroys, with or without waiting for the lock.
    fn change(&self, turn: &Turn) -> [String; 6] {
        let command = if turn.destroys { "destroy" } else { "apply" };
        [
            command.to_owned(),
            "-auto-approve".to_owned(),
            "-input=false".to_owned(),
            "-no-color".to_owned(),
            format!("-parallelism={}", self.experiment.parallelism),
            self.kind.lock_timeout().to_owned(),
        ]
    }

    fn start(&self, turn: &Turn) -> Running {
        let arguments = self.change(turn);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.lab.project.start(&arguments)
    }

    fn turn(&mut self, turn: &Turn, tally: &mut Tally) {
        self.lab.script("");
        self.lab.write(&turn.configuration);
        self.terrace(&["init", "-input=false", "-no-color"])
            .success();
        if let Some(disturbance) = &turn.disturbance {
            self.disturbed(turn, disturbance, tally);
            self.lab.script("");
        }
        self.start(turn).wait().success();
        self.lab.providers_are_gone();
        if !turn.destroys {
            self.terrace(&["plan", "-detailed-exitcode", "-no-color"])
                .success();
        }
        self.state_is_the_world(turn);
    }

    /// An apply to which things happen, and a recovery.
    fn disturbed(&mut self, turn: &Turn, disturbance: &Disturbance, tally: &mut Tally) {
        tally.disturbed += 1;
        let before = self.lab.events_so_far();
        self.lab.script(&disturbance.script);
        let mut running = self.start(turn);
        self.lab.script("");
        let contender = disturbance
            .contender
            .then(|| self.contender(turn, &mut running));
        self.lab.strike(&disturbance.blow, &mut running, before);
        let ran = running.wait();
        let died = ran.code().is_none();
        tally.killed += usize::from(died);
        tally.failed += usize::from(ran.code() == Some(1));
        let begun = Instant::now();
        if let Some(contender) = contender {
            let ran = contender.wait();
            assert!(
                ran.code() == Some(0) || ran.all().contains(REFUSED),
                "who waited for the lock: {}",
                ran.all()
            );
        }
        self.lab.providers_are_gone();
        let offered = self.next_command(&ran.all(), tally);
        self.recover(offered, disturbance, tally);
        if died {
            tally.longest_wait = tally.longest_wait.max(begun.elapsed());
        }
    }

    /// Another apply that comes while one runs, and must wait for the lock.
    fn contender(&self, turn: &Turn, running: &mut Running) -> Running {
        let before = self.lab.events_so_far();
        let begun = Instant::now();
        while self.lab.events_so_far() == before
            && !running.has_ended()
            && begun.elapsed().as_millis() < 1500
        {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let mut arguments = self.change(turn);
        "-lock-timeout=90s".clone_into(&mut arguments[5]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.lab.project.start(&arguments)
    }

    /// The next command offers a recovery where there is something to recover.
    fn next_command(&self, first: &str, tally: &mut Tally) -> bool {
        let next = self.terrace(&["plan", "-detailed-exitcode", "-no-color"]);
        if next.code() != Some(1) {
            assert!(
                matches!(next.code(), Some(0 | 2)),
                "after\n{first}\nthe next command said\n{}",
                next.all()
            );
            return false;
        }
        tally.offered += 1;
        let said = next.fails(1).says(REFUSED).says("terrace recover");
        assert!(
            said.all().contains("result") && said.all().contains("change"),
            "there is no summary: {}",
            said.all()
        );
        true
    }

    fn recover(&mut self, offered: bool, disturbance: &Disturbance, tally: &mut Tally) {
        if offered {
            if let Some(time) = disturbance.kill_recovery {
                let mut running = self
                    .lab
                    .project
                    .start(&["recover", self.kind.lock_timeout()]);
                let begun = Instant::now();
                while !running.has_ended() && begun.elapsed() < time {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                if !running.has_ended() {
                    running.kill();
                }
                running.wait().whatever();
                self.lab.providers_are_gone();
            }
        }
        let found = self.terrace(&["recover", "-no-color", self.kind.lock_timeout()]);
        let all = found.all();
        if let Some((replayed, uncertain)) = counts(&all) {
            tally.replayed += replayed;
            tally.uncertain += uncertain;
            tally.most_uncertain = tally.most_uncertain.max(uncertain);
            let in_flight = self.experiment.parallelism + disturbance.senseless;
            assert!(
                uncertain <= in_flight,
                "{uncertain} changes are uncertain, and only {in_flight} can have been in flight:\n{all}"
            );
        } else {
            assert!(
                !offered || disturbance.kill_recovery.is_some(),
                "a recovery was offered, and there was nothing to recover:\n{all}"
            );
        }
        if found.code() == Some(0) {
            self.lost_but(&BTreeSet::new(), &all);
        } else {
            self.answer(&found.fails(1), tally);
        }
        self.goes_on();
    }

    /// Tells what only a person can know by looking into the world.
    fn answer(&self, found: &Said, tally: &mut Tally) {
        let all = found.all();
        let questions = all.lines().filter_map(|line| line.strip_prefix("  - "));
        let open: BTreeSet<String> = questions
            .map(|line| match line.strip_suffix(": was it created?") {
                Some(address) => address.to_owned(),
                None => panic!("what the provider could tell is asked of a person: {all}"),
            })
            .collect();
        assert!(!open.is_empty(), "{all}");
        tally.asked += open.len();
        self.lost_but(&open, &all);
        let known = self.ids_in_state();
        let mut arguments = vec![
            "recover".to_owned(),
            "-no-color".to_owned(),
            self.kind.lock_timeout().to_owned(),
        ];
        for address in &open {
            let objects = self.lab.objects().into_iter();
            let new: Vec<String> = objects
                .filter(|(id, key)| key == address && !known.contains(id))
                .map(|(id, _)| id)
                .collect();
            arguments.push(match new.as_slice() {
                [] => format!("-not-created={address}"),
                [id] => format!("-created={address}={id}"),
                several => panic!("{address} is asked for once, and there are {several:?}"),
            });
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = self.terrace(&arguments).success();
        self.lost_but(&BTreeSet::new(), &format!("{all}\n{}", said.all()));
    }

    /// Ids of the objects in the state, deposed ones among them.
    fn ids_in_state(&self) -> BTreeSet<String> {
        let instances = self.lab.project.instances().into_iter();
        let ids: Vec<String> = instances
            .map(|(address, attributes)| match attributes["id"].as_str() {
                Some(id) => id.to_owned(),
                None => panic!("{address} has no id: {attributes}"),
            })
            .collect();
        let unique: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(unique.len(), ids.len(), "an object is in the state twice");
        unique
    }

    /// Every object of the world is in the state, or belongs to an address that the recovery has asked about.
    fn lost_but(&self, asked: &BTreeSet<String>, said: &str) {
        let known = self.ids_in_state();
        for (id, key) in self.lab.objects() {
            assert!(
                known.contains(&id) || asked.contains(&key),
                "{id} ({key}) is lost:\n{said}"
            );
        }
    }

    fn state_is_the_world(&mut self, turn: &Turn) {
        let world: BTreeSet<String> = self.lab.objects().into_keys().collect();
        assert_eq!(
            self.ids_in_state(),
            world,
            "left: ids in the state, right: ids in the world"
        );
        let doubles = self.lab.doubles();
        assert!(doubles.is_empty(), "there are twice: {doubles:?}");
        let mut wanted = turn.configuration.addresses();
        if turn.destroys {
            wanted.clear();
        }
        let there: BTreeSet<String> = self.lab.objects().into_values().collect();
        assert_eq!(there, wanted.into_iter().collect());
        self.goes_on();
    }

    /// The state's line is one, and its serial never falls.
    fn goes_on(&mut self) {
        let state = self.lab.project.state();
        let Some(lineage) = state["lineage"].as_str() else {
            return;
        };
        let serial = state["serial"].as_u64().unwrap();
        if let Some((before, last)) = &self.version {
            assert_eq!(lineage, before, "the state's line broke");
            assert!(serial >= *last, "serial {serial} follows {last}");
        }
        self.version = Some((lineage.to_owned(), serial));
    }

    /// No object was made while there was one of the same address already, but where the configuration asks for that.
    fn nothing_was_created_twice(&self) {
        let allowed = self.experiment.created_before_destroyed();
        let mut alive: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for event in self.lab.events() {
            let ids = alive.entry(event.key.clone()).or_default();
            match event.what.as_str() {
                "create" => {
                    assert!(
                        ids.is_empty() || allowed.contains(&event.key),
                        "{} was created as {}, and there was {ids:?}",
                        event.key,
                        event.id
                    );
                    ids.insert(event.id);
                }
                "delete" => {
                    ids.remove(&event.id);
                }
                _ => {}
            }
        }
        let first = self.experiment.turns[0].disturbance.as_ref();
        if self.experiment.turns.len() == 1 && first.is_some_and(|first| !first.taints) {
            let mut made = BTreeSet::new();
            let events = self.lab.events().into_iter();
            for event in events.filter(|event| event.what == "create") {
                assert!(
                    made.insert(event.key.clone()),
                    "{} was created twice",
                    event.key
                );
            }
        }
    }
}

/// How many results a recovery replayed, and how many changes were uncertain.
fn counts(said: &str) -> Option<(usize, usize)> {
    let line = said
        .lines()
        .find(|line| line.starts_with("Recovering run"))?;
    let number = |before: &str| {
        let (text, _) = line.split_once(before)?;
        text.rsplit(' ').next()?.parse().ok()
    };
    Some((number(" result(s)")?, number(" change(s)")?))
}
