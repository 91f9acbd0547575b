//! Writes blocks, each in the smallest of the three forms.

use super::Token;
use super::huffman::{Code, codes};

const N_LITERALS: usize = 286;
const N_OFFSETS: usize = 30;
const END_OF_BLOCK: usize = 256;
const FIRST_LENGTH: usize = 257;
const LONGEST_STORED: usize = 65_535;
const LONGEST_CODE: usize = 15;

const LENGTH_BASE: [u16; 29] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128,
    160, 192, 224, 255,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const OFFSET_BASE: [u16; N_OFFSETS] = [
    0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536,
    2048, 3072, 4096, 6144, 8192, 12_288, 16_384, 24_576,
];
const OFFSET_EXTRA: [u8; N_OFFSETS] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
];
/// The order in which the lengths of the codes of lengths are written.
const LENGTH_CODE_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Blocks, bit by bit.
#[derive(Default)]
pub(super) struct BlockWriter {
    out: Vec<u8>,
    bits: u64,
    n_bits: u32,
}

/// Codes of literals and lengths, and of offsets.
struct Tables {
    literals: Vec<Code>,
    offsets: Vec<Code>,
}

impl Tables {
    fn fixed() -> Self {
        let literal = |symbol: u16| match symbol {
            0..=143 => Code::reversed(symbol + 48, 8),
            144..=255 => Code::reversed(symbol + 256, 9),
            256..=279 => Code::reversed(symbol - 256, 7),
            _ => Code::reversed(symbol - 88, 8),
        };
        Self {
            literals: (0..286).map(literal).collect(),
            offsets: (0..30).map(|symbol| Code::reversed(symbol, 5)).collect(),
        }
    }

    fn size(&self, frequencies: &Frequencies) -> usize {
        size(&self.literals, &frequencies.literals) + size(&self.offsets, &frequencies.offsets)
    }
}

fn size(codes: &[Code], frequencies: &[u32]) -> usize {
    codes
        .iter()
        .zip(frequencies)
        .map(|(code, count)| usize::from(code.length) * *count as usize)
        .sum()
}

/// How often each symbol occurs in a block.
struct Frequencies {
    literals: Vec<u32>,
    offsets: Vec<u32>,
}

impl Frequencies {
    fn of(tokens: &[Token]) -> Self {
        let mut literals = vec![0; N_LITERALS];
        let mut offsets = vec![0; N_OFFSETS];
        literals[END_OF_BLOCK] = 1;
        for token in tokens {
            match token {
                Token::Literal(byte) => literals[usize::from(*byte)] += 1,
                Token::Match { length, offset } => {
                    literals[FIRST_LENGTH + class(&LENGTH_BASE, *length)] += 1;
                    offsets[class(&OFFSET_BASE, *offset)] += 1;
                }
            }
        }
        // There has to be one offset, so that there is a table of them.
        if offsets.iter().all(|count| *count == 0) {
            offsets[0] = 1;
        }
        Self { literals, offsets }
    }

    fn extra_bits(&self) -> usize {
        let of_lengths = self.literals[FIRST_LENGTH..].iter().zip(LENGTH_EXTRA);
        let of_offsets = self.offsets.iter().zip(OFFSET_EXTRA);
        of_lengths
            .chain(of_offsets)
            .map(|(count, bits)| *count as usize * usize::from(bits))
            .sum()
    }
}

/// The class whose values begin at or before `value`.
fn class(bases: &[u16], value: u16) -> usize {
    bases.partition_point(|base| *base <= value) - 1
}

fn used(counts: &[u32]) -> usize {
    counts
        .iter()
        .rposition(|count| *count > 0)
        .map_or(0, |last| last + 1)
}

/// The lengths of the codes of a block, themselves encoded.
struct Header {
    n_literals: usize,
    n_offsets: usize,
    /// Symbols, each with the value and number of its extra bits.
    symbols: Vec<(u8, u16, u32)>,
    codes: Vec<Code>,
    n_codes: usize,
    size: usize,
}

impl Header {
    fn new(tables: &Tables, frequencies: &Frequencies) -> Self {
        let n_literals = used(&frequencies.literals);
        let n_offsets = used(&frequencies.offsets);
        let lengths: Vec<u8> = tables.literals[..n_literals]
            .iter()
            .chain(&tables.offsets[..n_offsets])
            .map(|code| code.length)
            .collect();
        let symbols = run_lengths(&lengths);
        let mut counts = [0_u32; 19];
        for (symbol, _, _) in &symbols {
            counts[usize::from(*symbol)] += 1;
        }
        let codes = codes(&counts, 7);
        let last = LENGTH_CODE_ORDER
            .iter()
            .rposition(|symbol| counts[*symbol] > 0)
            .unwrap_or(0);
        let n_codes = (last + 1).max(4);
        let extra: usize = symbols.iter().map(|(_, _, bits)| *bits as usize).sum();
        let size = 3 + 5 + 5 + 4 + 3 * n_codes + size(&codes, &counts) + extra;
        Self {
            n_literals,
            n_offsets,
            symbols,
            codes,
            n_codes,
            size,
        }
    }
}

/// Lengths as symbols: themselves, 16 for the last again (3 to 6 times), 17 and 18 for zeros (3 to 10, 11 to 138).
fn run_lengths(lengths: &[u8]) -> Vec<(u8, u16, u32)> {
    let mut symbols = Vec::new();
    for run in lengths.chunk_by(|left, right| left == right) {
        let length = run[0];
        let mut count = run.len();
        let small = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        if length == 0 {
            while count >= 11 {
                let taken = count.min(138);
                symbols.push((18, small(taken - 11), 7));
                count -= taken;
            }
            if count >= 3 {
                symbols.push((17, small(count - 3), 3));
                count = 0;
            }
        } else {
            symbols.push((length, 0, 0));
            count -= 1;
            while count >= 3 {
                let taken = count.min(6);
                symbols.push((16, small(taken - 3), 2));
                count -= taken;
            }
        }
        symbols.extend(std::iter::repeat_n((length, 0, 0), count));
    }
    symbols
}

impl BlockWriter {
    fn put(&mut self, bits: u64, n_bits: u32) {
        self.bits |= bits << self.n_bits;
        self.n_bits += n_bits;
        while self.n_bits >= 8 {
            self.out.extend(self.bits.to_le_bytes().first());
            self.bits >>= 8;
            self.n_bits -= 8;
        }
    }

    fn put_code(&mut self, code: Code) {
        self.put(u64::from(code.bits), u32::from(code.length));
    }

    fn align(&mut self) {
        if self.n_bits > 0 {
            self.put(0, 8 - self.n_bits);
        }
    }

    fn stored_header(&mut self, length: usize, last: bool) {
        self.put(u64::from(last), 3);
        self.align();
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        self.put(u64::from(length), 16);
        self.put(u64::from(!length), 16);
    }

    /// A block without content, which ends on a whole byte.
    pub(super) fn empty_block(&mut self, last: bool) {
        self.stored_header(0, last);
    }

    /// All that was written.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.out
    }

    /// Writes tokens as a block; `text` is what they stand for, if that is still at hand.
    pub(super) fn block(&mut self, tokens: &[Token], text: Option<&[u8]>) {
        let frequencies = Frequencies::of(tokens);
        let storable = text.filter(|text| text.len() <= LONGEST_STORED);
        // The bits that both forms have in common matter only in comparison with the text itself.
        let extra_bits = if storable.is_some() {
            frequencies.extra_bits()
        } else {
            0
        };
        let fixed = Tables::fixed();
        let dynamic = Tables {
            literals: codes(&frequencies.literals, LONGEST_CODE),
            offsets: codes(&frequencies.offsets, LONGEST_CODE),
        };
        let header = Header::new(&dynamic, &frequencies);
        let fixed_size = 3 + fixed.size(&frequencies) + extra_bits;
        let dynamic_size = header.size + dynamic.size(&frequencies) + extra_bits;
        if let Some(text) =
            storable.filter(|text| (text.len() + 5) * 8 < fixed_size.min(dynamic_size))
        {
            self.stored_header(text.len(), false);
            self.out.extend_from_slice(text);
        } else if dynamic_size < fixed_size {
            self.dynamic_header(&header);
            self.tokens(tokens, &dynamic);
        } else {
            self.put(2, 3);
            self.tokens(tokens, &fixed);
        }
    }

    fn dynamic_header(&mut self, header: &Header) {
        self.put(4, 3);
        self.put(header.n_literals as u64 - 257, 5);
        self.put(header.n_offsets as u64 - 1, 5);
        self.put(header.n_codes as u64 - 4, 4);
        for symbol in &LENGTH_CODE_ORDER[..header.n_codes] {
            self.put(u64::from(header.codes[*symbol].length), 3);
        }
        for (symbol, extra, n_bits) in &header.symbols {
            self.put_code(header.codes[usize::from(*symbol)]);
            self.put(u64::from(*extra), *n_bits);
        }
    }

    fn tokens(&mut self, tokens: &[Token], tables: &Tables) {
        for token in tokens {
            match token {
                Token::Literal(byte) => self.put_code(tables.literals[usize::from(*byte)]),
                Token::Match { length, offset } => {
                    let of_length = class(&LENGTH_BASE, *length);
                    self.put_code(tables.literals[FIRST_LENGTH + of_length]);
                    self.put(
                        u64::from(length - LENGTH_BASE[of_length]),
                        u32::from(LENGTH_EXTRA[of_length]),
                    );
                    let of_offset = class(&OFFSET_BASE, *offset);
                    self.put_code(tables.offsets[of_offset]);
                    self.put(
                        u64::from(offset - OFFSET_BASE[of_offset]),
                        u32::from(OFFSET_EXTRA[of_offset]),
                    );
                }
            }
        }
        self.put_code(tables.literals[END_OF_BLOCK]);
    }
}
