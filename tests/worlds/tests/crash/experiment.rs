//! What is done to a world: all of it chosen by the seed.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::configuration::Configuration;

/// Everything that happens to one world.
pub(crate) struct Experiment {
    pub(crate) seed: u64,
    /// Operations at once: as many can be in flight.
    pub(crate) parallelism: usize,
    pub(crate) turns: Vec<Turn>,
}

/// One apply, which may be disturbed.
pub(crate) struct Turn {
    pub(crate) configuration: Configuration,
    /// Destroys everything rather than to apply the configuration.
    pub(crate) destroys: bool,
    pub(crate) disturbance: Option<Disturbance>,
}

/// What goes wrong in an apply and after it.
#[derive(Debug)]
pub(crate) struct Disturbance {
    /// What the provider does wrong.
    pub(crate) script: String,
    /// Whether objects may be marked as tainted by that, so that they are made again.
    pub(crate) taints: bool,
    /// Changes that are uncertain though a call of theirs ended: those whose answer is nonsense.
    pub(crate) senseless: usize,
    pub(crate) blow: Blow,
    /// Another process waits for the lock in the meantime.
    pub(crate) contender: bool,
    /// The recovery is killed after that time, and made again.
    pub(crate) kill_recovery: Option<Duration>,
}

/// What hits the processes from outside.
#[derive(Clone, Debug)]
pub(crate) enum Blow {
    None,
    /// SIGKILL.
    Kill(Victim, Moment),
    /// SIGINT or SIGTERM, perhaps again after a while.
    Signal {
        terminate: bool,
        moment: Moment,
        again: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Engine,
    Provider,
    Both,
}

#[derive(Clone, Debug)]
pub(crate) enum Moment {
    /// After so many further events in the world, and a little time.
    Events(usize, Duration),
    /// After the journal has grown so many times; where it cannot be watched, as for events.
    Journal(usize),
    /// After a time from the start.
    Time(Duration),
}

impl Experiment {
    /// The experiment of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let random = &mut random;
        let first = Configuration::random(random);
        let second = first.next(random);
        let parallelism = [1, 3, 10, 10][random.random_range(0..4)];
        let turn = |configuration: &Configuration, destroys, disturbance| Turn {
            configuration: configuration.clone(),
            destroys,
            disturbance,
        };
        let turns = match random.random_range(0..100) {
            0..40 => vec![turn(&first, false, Some(disturbance(random, &first)))],
            40..70 => vec![
                turn(&first, false, None),
                turn(&second, false, Some(disturbance(random, &second))),
            ],
            70..85 => vec![
                turn(&first, false, Some(disturbance(random, &first))),
                turn(&second, false, Some(disturbance(random, &second))),
            ],
            _ => vec![
                turn(&first, false, None),
                turn(&first, true, Some(disturbance(random, &first))),
            ],
        };
        Self {
            seed,
            parallelism,
            turns,
        }
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        let turns = self.turns.iter().map(|turn| {
            let what = if turn.destroys { "destroy" } else { "apply" };
            let n = turn.configuration.len();
            match &turn.disturbance {
                None => format!("{what} of {n}"),
                Some(disturbance) => format!("{what} of {n}, {disturbance:?}"),
            }
        });
        let turns: Vec<String> = turns.collect();
        format!("{} at once; {}", self.parallelism, turns.join("; "))
    }

    /// Addresses whose replacement may be there before the old object is gone, in any generation.
    pub(crate) fn created_before_destroyed(&self) -> BTreeSet<String> {
        let turns = self.turns.iter();
        turns
            .flat_map(|turn| turn.configuration.created_before_destroyed())
            .collect()
    }
}

fn milliseconds(random: &mut StdRng, most: u64) -> Duration {
    Duration::from_millis(random.random_range(0..most))
}

fn disturbance(random: &mut StdRng, configuration: &Configuration) -> Disturbance {
    let fault = Fault::random(random);
    let mut rules = fault.rules(random, configuration);
    rules.extend(slowness(random));
    Disturbance {
        script: rules.join(";"),
        senseless: usize::from(fault == Fault::Nonsense),
        taints: matches!(fault, Fault::After | Fault::Nonsense),
        blow: blow(random, fault, configuration.len()),
        contender: random.random_bool(0.15),
        kill_recovery: random.random_bool(0.15).then(|| milliseconds(random, 600)),
    }
}

/// What the provider does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// An error without an effect.
    Before,
    /// An error after the effect: a created object is tainted.
    After,
    Crash,
    CrashAfter,
    Nonsense,
    /// A call that ends when the provider is asked to stop.
    Hang,
    /// A call that never ends.
    Stuck,
}

impl Fault {
    fn random(random: &mut StdRng) -> Self {
        match random.random_range(0..100) {
            0..40 => Self::None,
            40..52 => Self::Before,
            52..64 => Self::After,
            64..71 => Self::Crash,
            71..78 => Self::CrashAfter,
            78..83 => Self::Nonsense,
            83..93 => Self::Hang,
            _ => Self::Stuck,
        }
    }

    fn rules(self, random: &mut StdRng, configuration: &Configuration) -> Vec<String> {
        let (what, n) = match self {
            Self::None => return Vec::new(),
            Self::Before => ("fail", random.random_range(1..=3)),
            Self::After => ("fail-after", random.random_range(1..=3)),
            Self::Crash => ("crash", 1),
            Self::CrashAfter => ("crash-after", 1),
            Self::Nonsense => ("nonsense", 1),
            Self::Hang => ("hang", 1),
            Self::Stuck => ("stuck", 1),
        };
        // An object that is gone though its provider denies it, and that nothing is to be done about, stays in the state.
        let operation = match self {
            Self::After | Self::Nonsense if random.random_bool(0.7) => "create",
            Self::After | Self::Nonsense => "update",
            _ => "apply",
        };
        let addresses = configuration.addresses();
        (0..n)
            .map(|_| {
                // Of nonsense there is one answer alone, so that it is known how many changes can be uncertain.
                let by_address = random.random_bool(0.5) || self == Self::Nonsense;
                if by_address && !addresses.is_empty() {
                    let address = &addresses[random.random_range(0..addresses.len())];
                    format!("{operation}:{address}={what}")
                } else {
                    let number = random.random_range(1..=configuration.len().max(1));
                    format!("{operation}:{number}={what}")
                }
            })
            .collect()
    }
}

/// A random slowness of the provider, so that blows land before, in and after its effects.
fn slowness(random: &mut StdRng) -> Vec<String> {
    let first = random.random_range(2..40);
    let second = random.random_range(2..40);
    match random.random_range(0..4) {
        0 => vec![format!("apply=delay {first}")],
        1 => vec![format!("apply=delay-after {first}")],
        2 => Vec::new(),
        _ => (1..=20)
            .map(|n| format!("apply:{}=delay {first}", 2 * n))
            .chain([format!("apply=delay-after {second}")])
            .collect(),
    }
}

fn blow(random: &mut StdRng, fault: Fault, n_instances: usize) -> Blow {
    let moment = match random.random_range(0..10) {
        0..6 => Moment::Events(
            random.random_range(0..n_instances.max(1)),
            Duration::from_micros(random.random_range(0..20_000)),
        ),
        6..8 => Moment::Journal(random.random_range(1..=n_instances.max(1))),
        _ => Moment::Time(milliseconds(random, 1200)),
    };
    let signal = |random: &mut StdRng, again: bool| Blow::Signal {
        terminate: random.random_bool(0.5),
        moment: moment.clone(),
        again: again.then(|| milliseconds(random, 300)),
    };
    let chance = random.random_range(0..100);
    match fault {
        // What hangs for ever ends only by force.
        Fault::Stuck | Fault::Hang if chance < 40 => signal(random, fault == Fault::Stuck),
        Fault::Stuck | Fault::Hang if chance < 60 => Blow::Kill(Victim::Provider, moment),
        Fault::None if chance < 10 => Blow::Kill(Victim::Provider, moment),
        Fault::None if chance < 20 => {
            let again = random.random_bool(0.4);
            signal(random, again)
        }
        Fault::Before | Fault::After | Fault::Crash | Fault::CrashAfter | Fault::Nonsense
            if chance < 50 =>
        {
            Blow::None
        }
        _ if chance < 88 => Blow::Kill(Victim::Engine, moment),
        _ => Blow::Kill(Victim::Both, moment),
    }
}
