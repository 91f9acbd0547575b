//! Repetitions, and which of them become tokens.

use super::Token;

/// How far back repetitions are looked for.
const WINDOW: usize = 1 << 15;
/// Shorter repetitions are not worth it.
const SHORTEST: usize = 4;
/// The longest repetition that the format can tell of.
const LONGEST: usize = 258;
/// A repetition of the shortest length is not worth a greater distance.
const FAR: usize = 4096;
/// After a repetition of this length, no longer one is looked for at the next byte.
const LONG_ENOUGH: usize = 16;
/// A repetition of this length ends the search.
const NICE: usize = 128;
/// How many earlier positions are looked at.
const TRIES: usize = 128;
/// The bytes that are within reach at once: what they slide out of is forgotten in steps of a window.
const BUFFER: usize = 2 * WINDOW;
/// How many bytes must follow for a decision, unless there are no more.
const LOOKAHEAD: usize = SHORTEST + LONGEST;

const HASH_BITS: u32 = 17;
const NOWHERE: u32 = u32::MAX;

/// A repetition that was found.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    length: usize,
    distance: usize,
}

/// Goes through bytes and says by which tokens they are told.
pub(super) struct Search<'b> {
    bytes: &'b [u8],
    position: usize,
    /// What lies before is forgotten.
    base: usize,
    /// The latest position of each hash.
    latest: Vec<u32>,
    /// The position before with the same hash, for each position.
    previous: Vec<u32>,
    /// The repetition that was found one byte before, and not told yet.
    pending: Found,
    /// Whether the byte before has not been told yet.
    byte_pending: bool,
}

impl<'b> Search<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            base: 0,
            latest: vec![NOWHERE; 1 << HASH_BITS],
            previous: vec![NOWHERE; bytes.len()],
            pending: Found::default(),
            byte_pending: false,
        }
    }

    /// The bytes between two positions, unless the first has slid out of reach: then they cannot be stored as they are.
    pub(super) fn still_there(&self, start: usize, end: usize) -> Option<&'b [u8]> {
        (start >= self.base).then(|| &self.bytes[start..end])
    }

    /// The next token, and the position that the tokens so far reach.
    pub(super) fn next_token(&mut self) -> Option<(Token, usize)> {
        loop {
            self.slide();
            let Some(ahead) = self
                .bytes
                .len()
                .checked_sub(self.position)
                .filter(|left| *left > 0)
            else {
                return self.last_byte();
            };
            let candidate = self.insert(self.position);
            let before = std::mem::take(&mut self.pending);
            if ahead > before.length.max(SHORTEST - 1) && before.length < LONG_ENOUGH {
                self.pending = self.longest(candidate, ahead);
            }
            if before.length >= SHORTEST && self.pending.length <= before.length {
                return Some((self.tell(before), self.position));
            }
            let token = self
                .byte_pending
                .then(|| Token::Literal(self.bytes[self.position - 1]));
            let reached = self.position;
            self.byte_pending = true;
            self.position += 1;
            if let Some(token) = token {
                return Some((token, reached));
            }
        }
    }

    /// Tells the repetition that began one byte before, and goes to its end.
    fn tell(&mut self, found: Found) -> Token {
        let end = self.position + found.length - 1;
        for position in self.position + 1..end {
            self.insert(position);
        }
        self.position = end;
        self.byte_pending = false;
        self.pending = Found::default();
        Token::Match {
            length: u16::try_from(found.length).unwrap_or_default(),
            distance: u16::try_from(found.distance).unwrap_or_default(),
        }
    }

    fn last_byte(&mut self) -> Option<(Token, usize)> {
        std::mem::take(&mut self.byte_pending)
            .then(|| (Token::Literal(self.bytes[self.position - 1]), self.position))
    }

    /// Forgets a window's worth of bytes when the buffer is full, and decided as far as it can be.
    fn slide(&mut self) {
        let end = self.base + BUFFER;
        if end < self.bytes.len() && end - self.position < LOOKAHEAD {
            self.base += WINDOW;
        }
    }

    /// Notes a position; the latest one before it with the same hash.
    fn insert(&mut self, position: usize) -> Option<usize> {
        let start = self.bytes.get(position..position + SHORTEST)?;
        let word = start
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let hash = word.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS);
        let latest = &mut self.latest[hash as usize];
        let before = std::mem::replace(latest, u32::try_from(position).unwrap_or(NOWHERE));
        self.previous[position] = before;
        place(before)
    }

    /// The longest repetition of what follows, of those that begin at `candidate` and the positions before it.
    fn longest(&self, candidate: Option<usize>, ahead: usize) -> Found {
        let here = self.position;
        let oldest = here.saturating_sub(WINDOW).max(self.base);
        let limit = ahead.min(LONGEST);
        let nice = limit.min(NICE);
        let mut best = Found {
            length: SHORTEST - 1,
            distance: 0,
        };
        let mut candidate = candidate;
        for _ in 0..TRIES {
            let Some(place_before) = candidate.filter(|place| *place >= oldest) else {
                break;
            };
            if self.bytes[place_before + best.length] == self.bytes[here + best.length] {
                let length = self.common_length(place_before, limit);
                let distance = here - place_before;
                if length > best.length && (length > SHORTEST || distance <= FAR) {
                    best = Found { length, distance };
                    if length >= nice {
                        break;
                    }
                }
            }
            if here - place_before == WINDOW {
                break;
            }
            candidate = place(self.previous[place_before]);
        }
        best
    }

    /// How many bytes from `before` on are those that follow, up to `limit`.
    fn common_length(&self, before: usize, limit: usize) -> usize {
        let ahead = &self.bytes[self.position..self.position + limit];
        self.bytes[before..]
            .iter()
            .zip(ahead)
            .take_while(|(one, two)| one == two)
            .count()
    }
}

fn place(position: u32) -> Option<usize> {
    (position != NOWHERE).then_some(position as usize)
}
