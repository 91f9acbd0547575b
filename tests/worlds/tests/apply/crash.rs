//! kill -9 at random moments. `TERRACE_SEED` repeats a run, `TERRACE_FULL` makes it fifty kills.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use terrace_test_support::size;

use crate::laboratory::{FORTY, Lab, N_OBJECTS, PARALLELISM};

/// The seed of this run.
fn seed() -> u64 {
    let given = std::env::var("TERRACE_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(rand::random)
}

/// What kills have shown.
#[derive(Debug, Default)]
struct Found {
    kills: usize,
    created_before: usize,
    uncertain: usize,
    most_uncertain: usize,
}

impl Found {
    fn add(&mut self, created: usize, uncertain: usize) {
        assert!(
            uncertain <= PARALLELISM,
            "{uncertain} objects are uncertain, and only {PARALLELISM} were in flight"
        );
        self.kills += 1;
        self.created_before += created;
        self.uncertain += uncertain;
        self.most_uncertain = self.most_uncertain.max(uncertain);
    }

    /// One line for `cargo dev worlds`.
    fn print(&self, store: &str) {
        let facts = serde_json::json!({
            "store": store,
            "kills": self.kills,
            "created_before": self.created_before,
            "uncertain": self.uncertain,
            "most_uncertain": self.most_uncertain,
        });
        println!("kills {facts}");
    }
}

/// A random slowness of the provider, so that kills land before, in and after its effects.
fn slowness(random: &mut StdRng, operation: &str) -> String {
    let first = random.random_range(5..40);
    let second = random.random_range(5..40);
    match random.random_range(0..3) {
        0 => format!("{operation}=delay {first}"),
        1 => format!("{operation}=delay-after {first}"),
        _ => {
            let odd: Vec<String> = (1..=N_OBJECTS)
                .step_by(2)
                .map(|n| format!("{operation}:{n}=delay {first}"))
                .collect();
            format!("{};{operation}=delay-after {second}", odd.join(";"))
        }
    }
}

/// Starts a command and kills it once `n` further events have happened and a little time has passed.
fn kill_after(lab: &Lab, arguments: &[&str], n: usize, random: &mut StdRng) {
    let goal = lab.n_events() + n;
    let mut running = lab.project.start(arguments);
    if n > 0 {
        running.until("the moment to kill it", |_| lab.n_events() >= goal);
        std::thread::sleep(Duration::from_micros(random.random_range(0..25_000)));
    } else {
        std::thread::sleep(Duration::from_millis(random.random_range(0..1000)));
    }
    running.kill();
    running.wait().whatever();
    lab.settle();
}

/// A recovery can be killed like anything else.
fn kill_a_recovery(lab: &Lab, random: &mut StdRng) {
    if random.random_bool(0.4) {
        kill_after(lab, &["recover"], 0, random);
    }
}

fn kills_of_the_first_apply(backend: &str, n_kills: usize) {
    let seed = seed();
    eprintln!("{backend}: TERRACE_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut found = Found::default();
    for _ in 0..n_kills {
        let mut lab = Lab::new(backend, FORTY);
        lab.script(&slowness(&mut random, "create"));
        let moment = random.random_range(0..N_OBJECTS);
        kill_after(&lab, &["apply", "-auto-approve"], moment, &mut random);
        let created = lab.n_events();

        kill_a_recovery(&lab, &mut random);
        let uncertain = lab.recover();
        lab.state_is_the_world();
        lab.script("");
        lab.apply().success();

        assert_eq!(lab.objects().len(), N_OBJECTS);
        assert_eq!(lab.ids_in_state().len(), N_OBJECTS);
        lab.state_is_the_world();
        lab.nothing_was_created_twice();
        lab.is_done(&[]);
        found.add(created, uncertain);
    }
    found.print(backend);
}

#[test]
fn kills_lose_nothing_with_state_files() {
    kills_of_the_first_apply("local", size(4, 25));
}

#[test]
fn kills_lose_nothing_in_the_embedded_store() {
    kills_of_the_first_apply("embedded", size(4, 25));
}

#[test]
fn kills_of_updates_replacements_and_destruction_lose_nothing() {
    let seed = seed();
    eprintln!("TERRACE_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut found = Found::default();
    for round in 0..size(1, 6) {
        let mut lab = Lab::new(if round % 2 == 0 { "embedded" } else { "local" }, FORTY);
        lab.apply().success();
        let changes = ["-var=generation=2", "-var=kind=second"];
        // Ten updates, fifteen deletions and fifteen creations.
        let apply = ["apply", "-auto-approve", changes[0], changes[1]];
        lab.script(&slowness(&mut random, "apply"));
        let moment = random.random_range(1..40);
        kill_after(&lab, &apply, moment, &mut random);
        let done = lab.n_events() - N_OBJECTS;
        kill_a_recovery(&lab, &mut random);
        let uncertain = lab.recover();
        lab.state_is_the_world();
        lab.script("");
        lab.project.terrace(&apply).success();
        assert_eq!(lab.objects().len(), N_OBJECTS);
        lab.state_is_the_world();
        lab.nothing_is_there_twice();
        lab.is_done(&changes);
        found.add(done, uncertain);

        lab.script(&slowness(&mut random, "delete"));
        let before = lab.n_events();
        let moment = random.random_range(1..N_OBJECTS);
        kill_after(&lab, &["destroy", "-auto-approve"], moment, &mut random);
        let done = lab.n_events() - before;
        let uncertain = lab.recover();
        lab.state_is_the_world();
        lab.script("");
        lab.project.terrace(&["destroy", "-auto-approve"]).success();
        assert!(lab.objects().is_empty() && lab.ids_in_state().is_empty());
        found.add(done, uncertain);
    }
    found.print("both, updates, replacements and destruction");
}
