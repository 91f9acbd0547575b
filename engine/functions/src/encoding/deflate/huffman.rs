//! Codes whose lengths follow from how often symbols are used.

/// A code: how many bits, and the bits in the order in which they are written, the first one lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// The codes of `frequencies.len()` symbols, none longer than `longest`; symbols that are not used have none.
pub(super) fn codes(frequencies: &[u32], longest: usize) -> Vec<Code> {
    let mut used: Vec<(u32, usize)> = frequencies
        .iter()
        .enumerate()
        .filter(|(_, frequency)| **frequency > 0)
        .map(|(symbol, frequency)| (*frequency, symbol))
        .collect();
    let mut lengths = vec![0_u8; frequencies.len()];
    if used.len() <= 2 {
        for (_, symbol) in used {
            lengths[symbol] = 1;
        }
    } else {
        used.sort_unstable();
        let depths = depths(&used, longest.min(used.len() - 1));
        for ((_, symbol), depth) in used.iter().zip(depths) {
            lengths[*symbol] = depth;
        }
    }
    canonical(&lengths)
}

/// Codes of given lengths, as the format numbers them.
pub(super) fn canonical(lengths: &[u8]) -> Vec<Code> {
    let mut next = 0_u16;
    let mut codes = vec![Code::default(); lengths.len()];
    for length in 1..=15_u8 {
        next <<= 1;
        for (code, _) in codes
            .iter_mut()
            .zip(lengths)
            .filter(|(_, own)| **own == length)
        {
            *code = Code {
                bits: next.reverse_bits() >> (16 - u32::from(length)),
                length,
            };
            next += 1;
        }
    }
    codes
}

/// The depth of each symbol in the best tree that is no deeper than `deepest`, by packages: level by level, the symbols
/// are merged with pairs of the level before, a pair coming first where they weigh the same. A symbol's depth is the
/// number of levels at which it is among those that the tree needs.
fn depths(used: &[(u32, usize)], deepest: usize) -> Vec<u8> {
    let mut levels: Vec<Vec<bool>> = Vec::with_capacity(deepest);
    let mut weights: Vec<u64> = Vec::new();
    for _ in 0..deepest {
        let pairs: Vec<u64> = weights
            .chunks_exact(2)
            .map(|pair| pair[0] + pair[1])
            .collect();
        let (mut pair, mut leaf) = (0, 0);
        let mut level = Vec::with_capacity(used.len() + pairs.len());
        weights.clear();
        while pair < pairs.len() || leaf < used.len() {
            let is_leaf = match (used.get(leaf), pairs.get(pair)) {
                (Some((frequency, _)), Some(weight)) => u64::from(*frequency) < *weight,
                (leaf, _) => leaf.is_some(),
            };
            if is_leaf {
                weights.push(u64::from(used[leaf].0));
                leaf += 1;
            } else {
                weights.push(pairs[pair]);
                pair += 1;
            }
            level.push(is_leaf);
        }
        levels.push(level);
    }
    let mut depths = vec![0_u8; used.len()];
    let mut needed = 2 * used.len() - 2;
    for level in levels.iter().rev() {
        let leaves = level
            .iter()
            .take(needed)
            .filter(|is_leaf| **is_leaf)
            .count();
        for depth in &mut depths[..leaves] {
            *depth += 1;
        }
        needed = 2 * (needed - leaves);
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(frequencies: &[u32], longest: usize) -> Vec<u8> {
        codes(frequencies, longest)
            .iter()
            .map(|code| code.length)
            .collect()
    }

    #[test]
    fn frequent_symbols_have_short_codes() {
        assert_eq!(lengths(&[5, 0, 7], 15), [1, 0, 1]);
        assert_eq!(lengths(&[1, 1, 2, 4], 15), [3, 3, 2, 1]);
        assert_eq!(lengths(&[1, 1, 2, 4, 8, 16], 3), [3, 3, 3, 3, 2, 2]);
        assert_eq!(lengths(&[0, 0], 15), [0, 0]);
    }

    #[test]
    fn codes_are_numbered_by_length_and_symbol() {
        let codes = canonical(&[2, 1, 0, 2]);
        assert_eq!(codes[1], Code { bits: 0, length: 1 });
        assert_eq!(
            codes[0],
            Code {
                bits: 0b01,
                length: 2
            }
        );
        assert_eq!(
            codes[3],
            Code {
                bits: 0b11,
                length: 2
            }
        );
    }
}
