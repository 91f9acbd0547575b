//! `regex.globs_match`: whether two patterns have a text in common.

use std::collections::BTreeSet;

use super::{Entry, Outcome, text};
use regorus::Value;

pub(super) const FUNCTIONS: &[Entry] = &[("regex.globs_match", 2, globs_match)];

/// Characters from one to another, both among them.
type Range = (char, char);

/// How often a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Once,
    Any,
    AtLeastOnce,
}

/// One character of a pattern, and how often.
#[derive(Clone, Debug)]
struct Step {
    ranges: Vec<Range>,
    times: Times,
}

fn globs_match(values: &[Value]) -> Outcome {
    let (left, right) = (steps(text(values, 0)?)?, steps(text(values, 1)?)?);
    Ok(have_common_text(&left, &right).into())
}

fn steps(pattern: &str) -> Result<Vec<Step>, String> {
    let invalid = |what: &str| format!("input:{pattern}, {what}: the input provided is invalid");
    let mut steps: Vec<Step> = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let ranges = match character {
            '*' | '+' => {
                let last = steps
                    .last_mut()
                    .filter(|last| last.times == Times::Once)
                    .ok_or_else(|| invalid("flag without a character before it"))?;
                last.times = if character == '*' {
                    Times::Any
                } else {
                    Times::AtLeastOnce
                };
                continue;
            }
            '.' => vec![('\0', char::MAX)],
            '[' => set(&mut characters).ok_or_else(|| invalid("set that does not end"))?,
            ']' => return Err(invalid("set-close ']' with no preceding '['")),
            '\\' => {
                let escaped = characters
                    .next()
                    .ok_or_else(|| invalid("nothing behind the last '\\'"))?;
                vec![(escaped, escaped)]
            }
            _ => vec![(character, character)],
        };
        steps.push(Step {
            ranges,
            times: Times::Once,
        });
    }
    Ok(steps)
}

/// The ranges up to a closing bracket.
fn set(characters: &mut std::str::Chars<'_>) -> Option<Vec<Range>> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut is_range = false;
    loop {
        let mut character = characters.next()?;
        match character {
            ']' => return (!is_range && !ranges.is_empty()).then_some(ranges),
            '-' if !ranges.is_empty() => {
                is_range = true;
                continue;
            }
            '\\' => character = characters.next()?,
            _ => {}
        }
        if is_range {
            let (first, last) = ranges.last_mut()?;
            if character < *first {
                return None;
            }
            *last = character;
            is_range = false;
        } else {
            ranges.push((character, character));
        }
    }
}

/// Walks both patterns at once: a place in each, and whether the step there was taken before.
fn have_common_text(left: &[Step], right: &[Step]) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![((0, false), (0, false))];
    while let Some(place) = pending.pop() {
        if !seen.insert(place) {
            continue;
        }
        let ((left_at, left_taken), (right_at, right_taken)) = place;
        if left_at == left.len() && right_at == right.len() {
            return true;
        }
        if may_leave(left, left_at, left_taken) {
            pending.push(((left_at + 1, false), (right_at, right_taken)));
        }
        if may_leave(right, right_at, right_taken) {
            pending.push(((left_at, left_taken), (right_at + 1, false)));
        }
        if let (Some(one), Some(other)) = (left.get(left_at), right.get(right_at))
            && may_take(one, left_taken)
            && may_take(other, right_taken)
            && have_common_character(one, other)
        {
            pending.push(((left_at, true), (right_at, true)));
        }
    }
    false
}

/// Whether what is behind a step may come next.
fn may_leave(steps: &[Step], at: usize, was_taken: bool) -> bool {
    steps
        .get(at)
        .is_some_and(|step| was_taken || step.times == Times::Any)
}

/// Whether a step may be taken now.
fn may_take(step: &Step, was_taken: bool) -> bool {
    !was_taken || step.times != Times::Once
}

fn have_common_character(one: &Step, other: &Step) -> bool {
    one.ranges.iter().any(|(first, last)| {
        other
            .ranges
            .iter()
            .any(|(other_first, other_last)| first <= other_last && other_first <= last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_a_common_text() {
        let meet = |left: &str, right: &str| {
            have_common_text(&steps(left).unwrap(), &steps(right).unwrap())
        };
        assert!(meet("a.a.[0-9]+z", ".b.b2359825792*594823z"));
        assert!(meet("b.*", "bar"));
        assert!(meet("", "a*"));
        assert!(!meet("[a-z]+", "[0-9]*"));
        assert!(!meet("a+b", "a+c"));
        assert!(steps("pqrs]").is_err());
        assert!(steps("*a").is_err());
    }
}
