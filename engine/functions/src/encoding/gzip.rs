//! The gzip format.

use flate2::Crc;

use super::deflate;

/// No time, no flags, the usual compression, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Compresses to the bytes that the reference gives.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let mut out = HEADER.to_vec();
    out.extend(deflate::compress(bytes));
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    out
}
