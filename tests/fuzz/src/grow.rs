//! How the time of a target grows with its input.

use std::time::{Duration, Instant};

use crate::{Mutator, Target};

/// The largest input that is tried.
const LARGEST: usize = 1024 * 1024;

/// Below this nothing can be told.
const ENOUGH: Duration = Duration::from_millis(150);

/// An input whose time grows faster than its size.
#[derive(Clone, Debug)]
pub struct Slow {
    /// The times.
    pub what: String,
    /// The input, repeated as often as it took.
    pub input: Vec<u8>,
}

/// Repeats a part of an input twice as often, again and again, and looks at the time.
pub fn growth(target: &Target, mutator: &mut Mutator<'_>) -> Option<Slow> {
    let whole = mutator.input();
    let part = mutator.part(&whole);
    let (before, middle, after) = (
        &whole[..part.start],
        &whole[part.clone()],
        &whole[part.end..],
    );
    if middle.is_empty() {
        return None;
    }
    let repeated = |times: usize| [before, &middle.repeat(times), after].concat();
    let time = |input: &[u8]| measured(target, input);
    grows(&time, &repeated, LARGEST / middle.len())
}

/// Looks at inputs of growing size, and the time that each takes; `None` where there is none to be had.
fn grows(
    time: &dyn Fn(&[u8]) -> Option<Duration>,
    make: &dyn Fn(usize) -> Vec<u8>,
    most: usize,
) -> Option<Slow> {
    let mut times = 64;
    while times * 4 <= most {
        let first = time(&make(times));
        if first.is_none_or(|took| took > ENOUGH) || times * 8 > most {
            break;
        }
        times *= 2;
    }
    // Three points on a line; a busy machine is given a second look.
    for look in 0..3 {
        let sizes = [times, times * 2, times * 4].map(make);
        let mut took = [Duration::ZERO; 3];
        for (size, took) in sizes.iter().zip(&mut took) {
            *took = time(size)?;
        }
        let [small, middle, large] = took.map(|took| took.as_secs_f64());
        let lengths = [sizes[0].len(), sizes[2].len()]
            .map(|length| u32::try_from(length).unwrap_or(u32::MAX));
        let linear = f64::from(lengths[1]) / f64::from(lengths[0].max(1));
        // Quadratic would be the square of it.
        let is_steep = large > 2.2 * linear * small && large > 2.6 * middle && middle > 2.6 * small;
        if large < 3.0 * ENOUGH.as_secs_f64() || !is_steep {
            return None;
        }
        if look == 2 {
            let [input, ..] = sizes;
            return Some(Slow {
                what: format!(
                    "{} bytes take {:?}, twice the repetitions {:?}, four times {:?}",
                    input.len(),
                    took[0],
                    took[1],
                    took[2]
                ),
                input,
            });
        }
    }
    None
}

/// `None` where it panics, which is found elsewhere.
fn measured(target: &Target, input: &[u8]) -> Option<Duration> {
    let begun = Instant::now();
    std::panic::catch_unwind(|| (target.check)(input)).ok()?;
    Some(begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_faster_than_its_input_is_found() {
        let make = |times: usize| vec![b'x'; times * 16];
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let linear = |bytes: &[u8]| Some(Duration::from_nanos(500) * length(bytes));
        assert!(grows(&linear, &make, 65_536).is_none());
        let quadratic = |bytes: &[u8]| {
            let blocks = length(bytes) / 64;
            Some(Duration::from_nanos(5) * blocks * blocks)
        };
        assert!(grows(&quadratic, &make, 65_536).is_some());
    }
}
