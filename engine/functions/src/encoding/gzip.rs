//! The gzip format.

use std::io::Read as _;

use super::deflate;

/// What a file begins with: the format, no name, no time, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The bytes that were compressed.
pub(super) fn decompress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Compresses, with no time and no system in the header, so that the same bytes always give the same result.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    let mut out = HEADER.to_vec();
    out.extend(deflate::compress(bytes));
    out.extend(checksum.sum().to_le_bytes());
    out.extend(checksum.amount().to_le_bytes());
    out
}
