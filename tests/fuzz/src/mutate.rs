//! From one input to another.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// The largest input that mutations make.
const LARGEST: usize = 16 * 1024;

/// What is worth inserting anywhere.
const ODD: [&str; 44] = [
    "\u{feff}",
    "\0",
    "\r\n",
    "\r",
    "\n",
    "\t",
    "\u{e9}",
    "e\u{301}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "\u{2028}",
    "\"",
    "\\",
    "\\u",
    "\\U0001F600",
    "\\u12",
    "$",
    "${",
    "%{",
    "$${",
    "%%{",
    "}",
    "~}",
    "{",
    "[",
    "]",
    "(",
    ")",
    "<<E\n",
    "<<-E\n",
    "\nE\n",
    "#",
    "//",
    "/*",
    "*/",
    "...",
    "[*]",
    ".*",
    "=>",
    "?",
    ":",
    "-0",
    "1e999",
    "9223372036854775808",
    "0.1e-400",
];

/// Brackets to wrap a part in.
const WRAPS: [(&str, &str); 10] = [
    ("(", ")"),
    ("[", "]"),
    ("{a=", "}"),
    ("{\"a\":", "}"),
    ("\"${", "}\""),
    ("%{if x}", "%{endif}"),
    ("b {\n", "\n}\n"),
    ("-", ""),
    ("f(", ")"),
    ("[for x in ", ": x]"),
];

/// Makes inputs out of inputs; the same seed makes the same ones.
pub struct Mutator<'a> {
    random: StdRng,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
}

impl<'a> Mutator<'a> {
    /// For a target's seeds and words.
    pub fn new(seed: u64, seeds: &'a [Vec<u8>], words: &'a [&'a str]) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            seeds,
            words,
        }
    }

    /// An input: a seed, or a few mutations away from one.
    pub fn input(&mut self) -> Vec<u8> {
        let mut bytes = self
            .seeds
            .choose(&mut self.random)
            .cloned()
            .unwrap_or_default();
        let rounds = *[1, 1, 2, 3, 5, 8, 16]
            .choose(&mut self.random)
            .unwrap_or(&1);
        for _ in 0..rounds {
            self.mutate(&mut bytes);
            bytes.truncate(LARGEST);
        }
        bytes
    }

    /// A part of `bytes`: lines, what stands between brackets, or anything.
    pub(crate) fn part(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        if bytes.is_empty() {
            return 0..0;
        }
        let at = self.random.random_range(0..bytes.len());
        match self.random.random_range(0..4) {
            0 => {
                let start = bytes[..at]
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |found| found + 1);
                let end = bytes[at..]
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(bytes.len(), |found| at + found + 1);
                start..end
            }
            1 => bracketed(bytes, at).unwrap_or(at..at + 1),
            2 => {
                let length = self.random.random_range(1..=8.min(bytes.len() - at));
                at..at + length
            }
            _ => {
                let end = self.random.random_range(at..bytes.len()) + 1;
                at..end
            }
        }
    }

    fn word(&mut self) -> Vec<u8> {
        let ours = !self.words.is_empty() && self.random.random_bool(0.6);
        let words = if ours { self.words } else { &ODD };
        words
            .choose(&mut self.random)
            .unwrap_or(&"")
            .as_bytes()
            .to_vec()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes);
        match self.random.random_range(0..12) {
            0 => {
                bytes.drain(part);
            }
            1 => {
                let copy = bytes[part.clone()].to_vec();
                bytes.splice(part.end..part.end, copy);
            }
            2 | 3 => {
                let word = self.word();
                bytes.splice(part.start..part.start, word);
            }
            4 => {
                let word = self.word();
                bytes.splice(part, word);
            }
            5 => {
                let (open, close) = *WRAPS.choose(&mut self.random).unwrap_or(&("", ""));
                let depth = if self.random.random_bool(0.1) { 300 } else { 1 };
                bytes.splice(part.end..part.end, close.repeat(depth).into_bytes());
                bytes.splice(part.start..part.start, open.repeat(depth).into_bytes());
            }
            6 => {
                // A part of another seed in its place.
                let other = self
                    .seeds
                    .choose(&mut self.random)
                    .cloned()
                    .unwrap_or_default();
                let from = self.part(&other);
                bytes.splice(part, other[from].to_vec());
            }
            7 => {
                let other = self.part(bytes);
                let moved = bytes[other].to_vec();
                bytes.splice(part.start..part.start, moved);
            }
            8 => {
                if let Some(byte) = bytes.get_mut(part.start) {
                    *byte ^= 1 << self.random.random_range(0..8);
                }
            }
            9 => {
                if let Some(byte) = bytes.get_mut(part.start) {
                    *byte = self.random.random();
                }
            }
            10 => bytes.truncate(part.start),
            _ => {
                let times = self.random.random_range(2..40);
                let repeated = bytes[part.clone()].repeat(times);
                bytes.splice(part, repeated);
            }
        }
    }
}

/// What stands between the brackets around `at`, brackets included.
fn bracketed(bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let open = bytes[..=at]
        .iter()
        .rposition(|byte| matches!(byte, b'(' | b'[' | b'{'))?;
    let mut depth = 0_usize;
    for (offset, byte) in bytes[open..].iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(open..open + offset + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let seeds = [b"a = [1, {b = 2}]\n".to_vec(), b"x {\n}\n".to_vec()];
        let make = |seed| {
            let mut mutator = Mutator::new(seed, &seeds, &["for"]);
            (0..200).map(|_| mutator.input()).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        assert!(make(7).iter().all(|input| input.len() <= LARGEST));
    }

    #[test]
    fn brackets_are_found_around_a_place() {
        assert_eq!(bracketed(b"a [b (c) d] e", 9), Some(5..8));
        assert_eq!(bracketed(b"a [b c] e", 3), Some(2..7));
        assert_eq!(bracketed(b"abc", 1), None);
    }
}
