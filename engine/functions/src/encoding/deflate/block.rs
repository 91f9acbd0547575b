//! Blocks: stored, with the fixed codes, or with codes of their own.

use super::Token;
use super::huffman::{Code, canonical, codes};

/// The symbol after the last token of a block.
const END_OF_BLOCK: usize = 256;
const FIRST_LENGTH_SYMBOL: usize = 257;
/// How many symbols there are for literals and lengths, and for distances.
const LITERAL_SYMBOLS: usize = 286;
const DISTANCE_SYMBOLS: usize = 30;
/// The most bytes that a stored block can hold.
const MOST_STORED: usize = 65_535;

/// The least length of each length symbol, and how many bits tell what is above it.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
/// The order in which the lengths of the codes for lengths of codes are written.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A symbol, and further bits behind its code.
#[derive(Clone, Copy)]
struct Symbol {
    number: usize,
    extra: u16,
    extra_bits: u8,
}

fn length_symbol(length: u16) -> Symbol {
    let index = LENGTHS.partition_point(|(least, _)| *least <= length) - 1;
    let (least, extra_bits) = LENGTHS[index];
    Symbol {
        number: FIRST_LENGTH_SYMBOL + index,
        extra: length - least,
        extra_bits,
    }
}

fn distance_symbol(distance: u16) -> Symbol {
    let above = u32::from(distance) - 1;
    if above < 4 {
        return Symbol {
            number: above as usize,
            extra: 0,
            extra_bits: 0,
        };
    }
    // Each power of two is two symbols, told apart by the bit below the highest.
    let extra_bits = 30 - above.leading_zeros();
    let symbol = 2 * (extra_bits as usize + 1) + usize::from(above >> extra_bits & 1 == 1);
    Symbol {
        number: symbol,
        extra: u16::try_from(above & ((1 << extra_bits) - 1)).unwrap_or_default(),
        extra_bits: u8::try_from(extra_bits).unwrap_or_default(),
    }
}

/// Codes for literals and lengths, and for distances.
struct Coding {
    literals: Vec<Code>,
    distances: Vec<Code>,
}

impl Coding {
    fn fixed() -> Self {
        let lengths: Vec<u8> = (0..288)
            .map(|symbol| match symbol {
                0..144 => 8,
                144..256 => 9,
                256..280 => 7,
                _ => 8,
            })
            .collect();
        Self {
            literals: canonical(&lengths),
            distances: canonical(&[5; 32]),
        }
    }
}

/// How often each symbol is used in a block.
struct Usage {
    literals: Vec<u32>,
    distances: Vec<u32>,
    extra_bits: usize,
}

impl Usage {
    fn of(tokens: &[Token]) -> Self {
        let mut usage = Self {
            literals: vec![0; LITERAL_SYMBOLS],
            distances: vec![0; DISTANCE_SYMBOLS],
            extra_bits: 0,
        };
        for token in tokens {
            match *token {
                Token::Literal(byte) => usage.literals[usize::from(byte)] += 1,
                Token::Match { length, distance } => {
                    let (length, distance) = (length_symbol(length), distance_symbol(distance));
                    usage.literals[length.number] += 1;
                    usage.distances[distance.number] += 1;
                    usage.extra_bits += usize::from(length.extra_bits + distance.extra_bits);
                }
            }
        }
        usage.literals[END_OF_BLOCK] += 1;
        if usage.distances.iter().all(|count| *count == 0) {
            // There must be a code for distances, whether or not it is used.
            usage.distances[0] = 1;
        }
        usage
    }

    /// The bits of all tokens in these codes.
    fn size(&self, coding: &Coding) -> usize {
        sum(&self.literals, &coding.literals)
            + sum(&self.distances, &coding.distances)
            + self.extra_bits
    }
}

fn sum(counts: &[u32], codes: &[Code]) -> usize {
    counts
        .iter()
        .zip(codes)
        .map(|(count, code)| *count as usize * usize::from(code.length))
        .sum()
}

/// The codes of one block, and how their lengths are written.
struct Header {
    literals: usize,
    distances: usize,
    order: usize,
    runs: Vec<Symbol>,
    codes: Vec<Code>,
    size: usize,
}

impl Header {
    fn of(usage: &Usage, coding: &Coding) -> Self {
        let used = |counts: &[u32]| {
            counts
                .iter()
                .rposition(|count| *count > 0)
                .map_or(0, |last| last + 1)
        };
        let (literals, distances) = (used(&usage.literals), used(&usage.distances));
        let lengths: Vec<u8> = coding.literals[..literals]
            .iter()
            .chain(&coding.distances[..distances])
            .map(|code| code.length)
            .collect();
        let runs = runs(&lengths);
        let mut counts = vec![0; ORDER.len()];
        for run in &runs {
            counts[run.number] += 1;
        }
        let codes = codes(&counts, 7);
        let order = ORDER
            .iter()
            .rposition(|symbol| counts[*symbol] > 0)
            .map_or(0, |last| last + 1)
            .max(4);
        let extra: usize = runs.iter().map(|run| usize::from(run.extra_bits)).sum();
        let size = 3 + 5 + 5 + 4 + 3 * order + sum(&counts, &codes) + extra;
        Self {
            literals,
            distances,
            order,
            runs,
            codes,
            size,
        }
    }
}

/// Lengths of codes with their repetitions told: 16 repeats the last length, 17 and 18 are zeros.
fn runs(lengths: &[u8]) -> Vec<Symbol> {
    let mut runs = Vec::new();
    let mut push = |symbol: usize, extra: usize, extra_bits: u8| {
        runs.push(Symbol {
            number: symbol,
            extra: u16::try_from(extra).unwrap_or_default(),
            extra_bits,
        });
    };
    for run in lengths.chunk_by(|one, two| one == two) {
        let symbol = usize::from(run[0]);
        let mut left = run.len();
        if symbol == 0 {
            while left >= 11 {
                let zeros = left.min(138);
                push(18, zeros - 11, 7);
                left -= zeros;
            }
            if left >= 3 {
                push(17, left - 3, 3);
                left = 0;
            }
        } else {
            push(symbol, 0, 0);
            left -= 1;
            while left >= 3 {
                let more = left.min(6);
                push(16, more - 3, 2);
                left -= more;
            }
        }
        for _ in 0..left {
            push(symbol, 0, 0);
        }
    }
    runs
}

/// Writes blocks, bit by bit.
#[derive(Default)]
pub(super) struct BlockWriter {
    out: Vec<u8>,
    /// Bits that do not fill a byte yet, the first one lowest.
    bits: u64,
    count: u32,
}

impl BlockWriter {
    /// A block that is not the last, in the shortest coding. `plain` is what the tokens stand for, where it is at hand.
    pub(super) fn block(&mut self, tokens: &[Token], plain: Option<&[u8]>) {
        let usage = Usage::of(tokens);
        let own = Coding {
            literals: codes(&usage.literals, 15),
            distances: codes(&usage.distances, 15),
        };
        let header = Header::of(&usage, &own);
        let fixed = Coding::fixed();
        let (fixed_size, own_size) = (3 + usage.size(&fixed), header.size + usage.size(&own));
        let plain = plain.filter(|plain| plain.len() <= MOST_STORED);
        if let Some(plain) = plain
            && (plain.len() + 5) * 8 < fixed_size.min(own_size)
        {
            self.stored(plain, false);
        } else if own_size < fixed_size {
            self.write(4, 3);
            self.header(&header);
            self.tokens(tokens, &own);
        } else {
            self.write(2, 3);
            self.tokens(tokens, &fixed);
        }
    }

    /// A block without content, after which the next begins at a byte.
    pub(super) fn empty_block(&mut self, last: bool) {
        self.stored(&[], last);
    }

    /// What was written.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.out
    }

    fn stored(&mut self, plain: &[u8], last: bool) {
        self.write(u16::from(last), 3);
        self.align();
        let length = u16::try_from(plain.len()).unwrap_or_default();
        self.out.extend(length.to_le_bytes());
        self.out.extend((!length).to_le_bytes());
        self.out.extend(plain);
    }

    fn header(&mut self, header: &Header) {
        let small = |number: usize| u16::try_from(number).unwrap_or_default();
        self.write(small(header.literals - FIRST_LENGTH_SYMBOL), 5);
        self.write(small(header.distances - 1), 5);
        self.write(small(header.order - 4), 4);
        for symbol in &ORDER[..header.order] {
            self.write(u16::from(header.codes[*symbol].length), 3);
        }
        for run in &header.runs {
            self.symbol(*run, &header.codes);
        }
    }

    fn tokens(&mut self, tokens: &[Token], coding: &Coding) {
        for token in tokens {
            match *token {
                Token::Literal(byte) => self.code(coding.literals[usize::from(byte)]),
                Token::Match { length, distance } => {
                    self.symbol(length_symbol(length), &coding.literals);
                    self.symbol(distance_symbol(distance), &coding.distances);
                }
            }
        }
        self.code(coding.literals[END_OF_BLOCK]);
    }

    fn symbol(&mut self, symbol: Symbol, codes: &[Code]) {
        self.code(codes[symbol.number]);
        self.write(symbol.extra, symbol.extra_bits);
    }

    fn code(&mut self, code: Code) {
        self.write(code.bits, code.length);
    }

    fn write(&mut self, bits: u16, count: u8) {
        self.bits |= u64::from(bits) << self.count;
        self.count += u32::from(count);
        while self.count >= 8 {
            self.out.push(self.bits.to_le_bytes()[0]);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    fn align(&mut self) {
        if self.count > 0 {
            self.write(0, u8::try_from(8 - self.count).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_lengths_and_distances() {
        let length = |length| {
            let symbol = length_symbol(length);
            (symbol.number, symbol.extra, symbol.extra_bits)
        };
        assert_eq!(length(3), (257, 0, 0));
        assert_eq!(length(12), (265, 1, 1));
        assert_eq!(length(257), (284, 30, 5));
        assert_eq!(length(258), (285, 0, 0));
        let distance = |distance| {
            let symbol = distance_symbol(distance);
            (symbol.number, symbol.extra, symbol.extra_bits)
        };
        assert_eq!(distance(1), (0, 0, 0));
        assert_eq!(distance(4), (3, 0, 0));
        assert_eq!(distance(6), (4, 1, 1));
        assert_eq!(distance(7), (5, 0, 1));
        assert_eq!(distance(32_768), (29, 8191, 13));
    }

    #[test]
    fn runs_of_lengths() {
        let symbols = |lengths: &[u8]| -> Vec<(usize, u16)> {
            runs(lengths)
                .iter()
                .map(|run| (run.number, run.extra))
                .collect()
        };
        assert_eq!(symbols(&[5; 9]), [(5, 0), (16, 3), (5, 0), (5, 0)]);
        assert_eq!(symbols(&[0; 20]), [(18, 9)]);
        assert_eq!(symbols(&[0, 0, 1]), [(0, 0), (0, 0), (1, 0)]);
    }
}
