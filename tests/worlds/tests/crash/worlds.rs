//! Many worlds at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::experiment::Experiment;
use crate::store::{Kind, Servers};
use crate::tally::Tally;

/// Lives through the experiment of one world; panics where it does not hold.
pub(crate) type Live = fn(&Servers, Kind, &Experiment, &mut Tally);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Lives through `n` worlds, several at once, and fails naming the seeds of those that did not hold.
pub(crate) fn hold(kind: Kind, n: usize, live: Live) {
    let n = number("TERRACE_WORLDS").map_or(n, |n| usize::try_from(n).unwrap());
    let first = number("TERRACE_SEED").unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let Some(servers) = Servers::start(kind) else {
        return;
    };
    println!("{}: TERRACE_SEED={first}", kind.name());
    let next = AtomicUsize::new(0);
    let sum = Mutex::new((Tally::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..kind.at_once().min(n) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= n {
                        return;
                    }
                    let seed = first + at as u64;
                    let (tally, failure) = one(&servers, kind, seed, live);
                    let mut sum = sum.lock().unwrap();
                    sum.0.add(&tally);
                    sum.1.extend(failure);
                }
            });
        }
    });
    let (tally, failures) = sum.into_inner().unwrap();
    let who = if live as usize == crate::theirs::live_through as Live as usize {
        "terraform"
    } else {
        "terrace"
    };
    println!("{}", tally.line(who, kind.name(), first));
    println!(
        "crash worlds, {who} on {}: {} of {n}",
        kind.name(),
        n - failures.len()
    );
    assert!(
        failures.is_empty(),
        "{} of {n} worlds did not hold:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn one(servers: &Servers, kind: Kind, seed: u64, live: Live) -> (Tally, Option<String>) {
    let mut tally = Tally::default();
    let begun = Instant::now();
    let experiment = Experiment::new(seed);
    let lived = catch_unwind(AssertUnwindSafe(|| {
        live(servers, kind, &experiment, &mut tally);
    }));
    tally.worlds = 1;
    tally.took = begun.elapsed();
    let failure = lived.err().map(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()))
            .unwrap_or_default();
        format!(
            "==> {}, repeat with TERRACE_SEED={seed} TERRACE_WORLDS=1: {text}\n({})\n",
            kind.name(),
            experiment.describe()
        )
    });
    (tally, failure)
}
