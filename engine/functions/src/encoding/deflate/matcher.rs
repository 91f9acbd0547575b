//! Finds repetitions.

use super::Token;
use super::block::BlockWriter;

const WINDOW: usize = 1 << 15;
const WINDOW_MASK: usize = WINDOW - 1;
const SHORTEST: usize = 4;
const LONGEST: usize = 258;
const HASH_BITS: u32 = 17;
/// A match of four bytes is no use farther back than this.
const FARTHEST_OF_SHORTEST: usize = 4096;
/// A match of this length is not improved on.
const LAZY: usize = 16;
/// A match of this length ends the search.
const NICE: usize = 128;
/// How many candidates are tried.
const TRIES: usize = 128;
/// How many tokens a block holds.
const BLOCK_TOKENS: usize = 1 << 14;

/// Goes through a text as if it were read into a buffer of two windows: what is before the buffer is not seen.
pub(super) struct Matcher<'t> {
    text: &'t [u8],
    index: usize,
    /// Where the buffer begins and ends.
    base: usize,
    end: usize,
    /// Where the current block begins; unknown once that has left the buffer.
    block_start: Option<usize>,
    tokens: Vec<Token>,
    /// The last position of each hash, and for each position the one before it with the same hash; positions from 1.
    heads: Vec<usize>,
    previous: Vec<usize>,
    chain: usize,
    /// The match at the position before, which is only taken if this one's is not longer.
    length: usize,
    offset: usize,
    /// Whether the byte before is still to be written.
    pending: bool,
}

impl<'t> Matcher<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            index: 0,
            base: 0,
            end: text.len().min(2 * WINDOW),
            block_start: Some(0),
            tokens: Vec::new(),
            heads: vec![0; 1 << HASH_BITS],
            previous: vec![0; WINDOW],
            chain: 0,
            length: SHORTEST - 1,
            offset: 0,
            pending: false,
        }
    }

    /// Writes the whole text as blocks.
    pub(super) fn run(mut self, writer: &mut BlockWriter) {
        while self.index < self.text.len() {
            let ahead = self.end - self.index;
            if ahead < SHORTEST + LONGEST && self.end < self.text.len() {
                self.shift();
                continue;
            }
            self.step(ahead, writer);
        }
        if self.pending {
            self.tokens.push(Token::Literal(self.text[self.index - 1]));
        }
        if !self.tokens.is_empty() {
            self.write_block(self.index, writer);
        }
    }

    fn shift(&mut self) {
        self.base += WINDOW;
        self.end = self.text.len().min(self.base + 2 * WINDOW);
        self.block_start = self.block_start.filter(|start| *start >= self.base);
    }

    fn step(&mut self, ahead: usize, writer: &mut BlockWriter) {
        self.insert(self.index);
        let (last_length, last_offset) = (self.length, self.offset);
        (self.length, self.offset) = (SHORTEST - 1, 0);
        let oldest = self.index.saturating_sub(WINDOW).max(self.base);
        if self.chain > oldest && ahead > last_length && last_length < LAZY {
            if let Some((length, offset)) = self.longest_match(ahead) {
                (self.length, self.offset) = (length, offset);
            }
        }
        if last_length >= SHORTEST && self.length <= last_length {
            self.tokens.push(Token::Match {
                length: u16::try_from(last_length - 3).unwrap_or(u16::MAX),
                offset: u16::try_from(last_offset - 1).unwrap_or(u16::MAX),
            });
            let next = self.index + last_length - 1;
            for index in self.index + 1..next {
                let chain = self.chain;
                self.insert(index);
                self.chain = chain;
            }
            self.index = next;
            self.pending = false;
            self.length = SHORTEST - 1;
            if self.tokens.len() == BLOCK_TOKENS {
                self.write_block(self.index, writer);
            }
            return;
        }
        if self.pending {
            self.tokens.push(Token::Literal(self.text[self.index - 1]));
            if self.tokens.len() == BLOCK_TOKENS {
                self.write_block(self.index, writer);
            }
        }
        self.index += 1;
        self.pending = true;
    }

    /// Remembers the position by its next four bytes, if the buffer has them; the chain then leads to the last like it.
    fn insert(&mut self, index: usize) {
        if index + SHORTEST > self.end {
            return;
        }
        let bytes = [
            self.text[index],
            self.text[index + 1],
            self.text[index + 2],
            self.text[index + 3],
        ];
        let hash = u32::from_be_bytes(bytes).wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS);
        let head = &mut self.heads[hash as usize];
        self.chain = *head;
        self.previous[index & WINDOW_MASK] = *head;
        *head = index + 1;
    }

    fn longest_match(&self, ahead: usize) -> Option<(usize, usize)> {
        let position = self.index;
        let limit = ahead.min(LONGEST);
        let here = &self.text[position..position + limit];
        let nice = limit.min(NICE);
        let mut best = SHORTEST - 1;
        let mut offset = None;
        let mut candidate = self.chain - 1;
        for _ in 0..TRIES {
            if self.text[candidate + best] == here[best] {
                let there = &self.text[candidate..];
                let length = here
                    .iter()
                    .zip(there)
                    .take_while(|(left, right)| left == right)
                    .count();
                if length > best
                    && (length > SHORTEST || position - candidate <= FARTHEST_OF_SHORTEST)
                {
                    best = length;
                    offset = Some(position - candidate);
                    if length >= nice {
                        break;
                    }
                }
            }
            if candidate + WINDOW == position {
                break;
            }
            let before = self.previous[candidate & WINDOW_MASK];
            if before == 0 || before - 1 < self.base || before - 1 + WINDOW < position {
                break;
            }
            candidate = before - 1;
        }
        offset.map(|offset| (best, offset))
    }

    fn write_block(&mut self, end: usize, writer: &mut BlockWriter) {
        let text = self
            .block_start
            .filter(|start| *start <= end)
            .map(|start| &self.text[start..end]);
        writer.block(&self.tokens, text);
        self.block_start = Some(end);
        self.tokens.clear();
    }
}
