//! Huffman codes of limited length.

/// The bits of a symbol, first bit lowest, and how many there are; none for symbols that do not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

impl Code {
    /// A code whose first bit is the highest of `bits`.
    pub(super) fn reversed(bits: u16, length: u8) -> Self {
        Self {
            bits: (bits << (16 - length)).reverse_bits(),
            length,
        }
    }
}

/// The best codes for symbols that occur with the given frequencies.
pub(super) fn codes(frequencies: &[u32], longest: usize) -> Vec<Code> {
    let mut codes = vec![Code::default(); frequencies.len()];
    let mut symbols: Vec<(u32, usize)> = frequencies
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol))
        .collect();
    if symbols.len() <= 2 {
        for (bits, (_, symbol)) in (0..).zip(&symbols) {
            codes[*symbol] = Code { bits, length: 1 };
        }
        return codes;
    }
    symbols.sort_unstable();
    let mut next = 0_u16;
    let mut rest = symbols.as_mut_slice();
    for (length, count) in (1_u8..).zip(lengths(rest, longest)) {
        next <<= 1;
        let (others, chosen) = rest.split_at_mut(rest.len() - count);
        chosen.sort_unstable_by_key(|(_, symbol)| *symbol);
        for (_, symbol) in chosen {
            codes[*symbol] = Code::reversed(next, length);
            next += 1;
        }
        rest = others;
    }
    codes
}

/// How many symbols get a code of each length, from 1, by merging packages; of equals, a package comes before a symbol.
fn lengths(symbols: &[(u32, usize)], longest: usize) -> Vec<usize> {
    let n_symbols = symbols.len();
    let longest = longest.min(n_symbols - 1);
    let n_items = 2 * n_symbols - 2;
    // For each level, its items in order: their weights, and whether they are symbols.
    let mut levels: Vec<Vec<(u64, bool)>> = Vec::with_capacity(longest);
    for _ in 0..longest {
        let packages: Vec<u64> = levels.last().map_or_else(Vec::new, |below| {
            below
                .chunks_exact(2)
                .map(|pair| pair[0].0 + pair[1].0)
                .collect()
        });
        let mut merged = Vec::with_capacity(n_items);
        let (mut symbol, mut package) = (0, 0);
        while merged.len() < n_items && (symbol < n_symbols || package < packages.len()) {
            let weight = symbols.get(symbol).map(|(count, _)| u64::from(*count));
            let combined = packages.get(package).copied();
            match (weight, combined) {
                (Some(weight), combined) if combined.is_none_or(|combined| weight < combined) => {
                    merged.push((weight, true));
                    symbol += 1;
                }
                (_, Some(combined)) => {
                    merged.push((combined, false));
                    package += 1;
                }
                (_, None) => break,
            }
        }
        levels.push(merged);
    }
    // How many symbols take part at each level, from the top.
    let mut taken = n_items;
    let mut counts = Vec::with_capacity(longest + 1);
    for level in levels.iter().rev() {
        let n_leaves = level[..taken.min(level.len())]
            .iter()
            .filter(|(_, is_symbol)| *is_symbol)
            .count();
        counts.push(n_leaves);
        taken = 2 * (taken.min(level.len()) - n_leaves);
    }
    counts.push(0);
    counts.windows(2).map(|pair| pair[0] - pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths_of(frequencies: &[u32], longest: usize) -> Vec<u8> {
        codes(frequencies, longest)
            .iter()
            .map(|code| code.length)
            .collect()
    }

    #[test]
    fn frequent_symbols_get_short_codes() {
        assert_eq!(lengths_of(&[1, 1, 2, 4], 15), [3, 3, 2, 1]);
        assert_eq!(lengths_of(&[1, 1, 2, 4], 2), [2, 2, 2, 2]);
        assert_eq!(lengths_of(&[0, 7, 0], 15), [0, 1, 0]);
        assert_eq!(lengths_of(&[5, 0, 1], 15), [1, 0, 1]);
    }

    #[test]
    fn codes_are_complete() {
        let frequencies: Vec<u32> = (1..=40_u32).map(|n| n * n * n % 97 + 1).collect();
        for longest in [6, 7, 15] {
            let room: u32 = lengths_of(&frequencies, longest)
                .iter()
                .map(|length| 1 << (15 - length))
                .sum();
            assert_eq!(room, 1 << 15);
        }
    }
}
