//! Compression in the DEFLATE format.
//!
//! The format leaves open which repetitions are looked for and how blocks are coded. Compressed text is stored in states
//! and compared with them, so the choices here are those that give the reference's bytes: chains of positions with the
//! same four bytes, lazy matching, blocks of 16,384 tokens in whichever of the three codings is the shortest.

mod block;
mod huffman;
mod search;

use block::BlockWriter;
use search::Search;

/// A literal byte, or a repetition of what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// The byte itself.
    Literal(u8),
    /// `length` bytes as they were `distance` bytes before.
    Match { length: u16, distance: u16 },
}

/// Tokens of a whole block.
const BLOCK_TOKENS: usize = 1 << 14;

/// The bytes, compressed: blocks, an empty block that brings them to the end of a byte, and an empty last block.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut writer = BlockWriter::default();
    let mut search = Search::new(bytes);
    let mut tokens = Vec::with_capacity(BLOCK_TOKENS);
    let mut block_start = 0;
    while let Some((token, reached)) = search.next_token() {
        tokens.push(token);
        if tokens.len() == BLOCK_TOKENS {
            writer.block(&tokens, search.still_there(block_start, reached));
            tokens.clear();
            block_start = reached;
        }
    }
    if !tokens.is_empty() {
        writer.block(&tokens, search.still_there(block_start, bytes.len()));
    }
    writer.empty_block(false);
    writer.empty_block(true);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn read_back(packed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::read::DeflateDecoder::new(packed)
            .read_to_end(&mut plain)
            .unwrap();
        plain
    }

    /// Bytes that are somewhat repetitive.
    fn noise(length: usize, letters: u32) -> Vec<u8> {
        let mut state = 12_345_u32;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                b' ' + u8::try_from((state >> 16) % letters).unwrap()
            })
            .collect()
    }

    #[test]
    fn what_was_compressed_is_read_back() {
        for (length, letters) in [
            (0, 1),
            (1, 1),
            (3, 2),
            (300, 1),
            (5_000, 4),
            (40_000, 90),
            (200_000, 6),
            (150_000, 1),
        ] {
            let bytes = noise(length, letters);
            assert_eq!(read_back(&compress(&bytes)), bytes, "{length} {letters}");
        }
    }

    #[test]
    fn incompressible_bytes_are_stored() {
        let bytes: Vec<u8> = noise(3_000, 200)
            .iter()
            .map(|byte| byte.rotate_left(3))
            .collect();
        let packed = compress(&bytes);
        assert!(packed.len() <= bytes.len() + 20);
        assert_eq!(read_back(&packed), bytes);
    }
}
