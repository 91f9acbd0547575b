//! Feeding a target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::{Mutator, Slow, Target, growth};

/// How long an input may take beside what its size allows. Numbers of a hundred thousand digits fit in a few bytes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long each byte of an input may take.
const PER_BYTE: Duration = Duration::from_micros(100);

/// After which time an input is taken to hang.
const HANG: Duration = Duration::from_mins(1);

/// Every so many inputs one part is looked at for how its time grows.
const GROWTH_EVERY: u64 = 400;

/// How a target is fed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// From which all inputs follow.
    pub seed: u64,
    /// For how long.
    pub time: Duration,
    /// The number of the first input.
    pub first: u64,
    /// Whether to look at how the time grows with the input as well. A machine that others use at the same time tells
    /// little about that.
    pub growth: bool,
}

/// What was found wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The number of the input, from which [`case`] makes it again.
    pub number: u64,
    /// What is wrong.
    pub what: String,
    /// The input.
    pub input: Vec<u8>,
}

/// What came of feeding a target.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many inputs it got.
    pub inputs: u64,
    /// How many of them it accepted.
    pub accepted: u64,
    /// The first thing that was found wrong.
    pub failure: Option<Failure>,
}

/// The input with a number.
pub fn case(target: &Target, seed: u64, number: u64) -> Vec<u8> {
    let mixed = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let seeds = target.seeds();
    Mutator::new(mixed, &seeds, target.words).input()
}

/// Feeds a target until the time is over or something is wrong. An input that hangs is reported to `on_hang` while it
/// does.
pub fn run(target: &Target, options: Options, on_hang: fn(&Target, &Failure)) -> Report {
    let seeds = target.seeds();
    let start = Instant::now();
    let mut report = Report::default();
    let watch = Watch::start(*target, on_hang);
    let mut number = options.first;
    while report.failure.is_none() && start.elapsed() < options.time {
        let mixed = options.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut mutator = Mutator::new(mixed, &seeds, target.words);
        let input = mutator.input();
        watch.begin(number, &input);
        let begun = Instant::now();
        let checked = catch_unwind(AssertUnwindSafe(|| (target.check)(&input)));
        let took = begun.elapsed();
        let allowed = PATIENCE + PER_BYTE * u32::try_from(input.len()).unwrap_or(u32::MAX);
        report.inputs += 1;
        let what = match checked {
            Ok(accepted) => {
                report.accepted += u64::from(accepted);
                (took > allowed).then(|| format!("{} bytes took {took:?}", input.len()))
            }
            Err(panic) => Some(format!("it panics: {}", message(&*panic))),
        };
        report.failure = what.map(|what| Failure {
            number,
            what,
            input,
        });
        if options.growth && report.failure.is_none() && number % GROWTH_EVERY == GROWTH_EVERY - 1 {
            watch.end();
            report.failure = growth(target, &mut mutator).map(|Slow { what, input }| Failure {
                number,
                what,
                input,
            });
        }
        number += 1;
    }
    watch.end();
    report
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// Sees inputs that take for ever.
struct Watch {
    start: Instant,
    /// When the present input began, in milliseconds; 0 for none.
    since: Arc<AtomicU64>,
    present: Arc<Mutex<(u64, Vec<u8>)>>,
}

impl Watch {
    fn start(target: Target, on_hang: fn(&Target, &Failure)) -> Self {
        let watch = Self {
            start: Instant::now(),
            since: Arc::default(),
            present: Arc::default(),
        };
        let (since, present) = (Arc::downgrade(&watch.since), watch.present.clone());
        let start = watch.start;
        std::thread::spawn(move || {
            while let Some(since) = since.upgrade() {
                let since = since.load(Ordering::Relaxed);
                let now = millis(start);
                if since > 0 && u128::from(now - since.min(now)) > HANG.as_millis() {
                    let (number, input) = present
                        .lock()
                        .map(|present| present.clone())
                        .unwrap_or_default();
                    let what = format!("it has been at it for {} s", HANG.as_secs());
                    on_hang(
                        &target,
                        &Failure {
                            number,
                            what,
                            input,
                        },
                    );
                    return;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        watch
    }

    fn begin(&self, number: u64, input: &[u8]) {
        if let Ok(mut present) = self.present.lock() {
            present.0 = number;
            present.1.clear();
            present.1.extend_from_slice(input);
        }
        self.since
            .store(millis(self.start).max(1), Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
