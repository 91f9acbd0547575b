//! DEFLATE compression that makes the choices of the reference, so that the same text gives the same bytes: what is
//! compressed here ends up in arguments of resources, and other bytes would be a change to them.

mod block;
mod huffman;
mod matcher;

use block::BlockWriter;

/// Compresses, flushed before the end: the last two blocks are empty.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut writer = BlockWriter::default();
    matcher::Matcher::new(bytes).run(&mut writer);
    writer.empty_block(false);
    writer.empty_block(true);
    writer.finish()
}

/// A part of the compressed text.
#[derive(Clone, Copy, Debug)]
enum Token {
    /// A byte as it is.
    Literal(u8),
    /// Bytes that came before: how many less 3, and how far back less 1.
    Match { length: u16, offset: u16 },
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn read_back(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::DeflateDecoder::new(bytes)
            .read_to_end(&mut out)
            .unwrap();
        out
    }

    /// Text with repetitions at many distances, the same every time.
    fn sample(length: usize) -> Vec<u8> {
        let mut seed = 1_u32;
        let mut out: Vec<u8> = Vec::with_capacity(length + 64);
        while out.len() < length {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pick = (seed >> 8) as usize;
            if pick.is_multiple_of(3) && out.len() > 100 {
                let start = pick % (out.len() - 60);
                let copied = out[start..start + 4 + pick % 50].to_vec();
                out.extend(copied);
            } else {
                out.push(b'a' + (seed >> 27) as u8);
            }
        }
        out.truncate(length);
        out
    }

    #[test]
    fn what_is_compressed_can_be_read_back() {
        for length in [0, 1, 2, 3, 4, 5, 100, 300, 5_000, 32_768, 66_000, 150_000] {
            let text = sample(length);
            assert_eq!(read_back(&compress(&text)), text, "{length} bytes");
        }
        let noise: Vec<u8> = (0..70_000_u32)
            .map(|index| index.wrapping_mul(2_654_435_761).to_be_bytes()[1])
            .collect();
        assert_eq!(read_back(&compress(&noise)), noise);
        assert_eq!(read_back(&compress(&[b'x'; 100_000])), [b'x'; 100_000]);
    }

    #[test]
    fn small_texts_give_the_reference_bytes() {
        assert_eq!(compress(b""), [0, 0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]);
        let expected = [
            0x4a, 0xc4, 0x0b, 0, 0, 0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff,
        ];
        assert_eq!(compress(&[b'a'; 30]), expected);
    }
}
