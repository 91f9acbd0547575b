//! The gzip format.

use std::io::{Read as _, Write as _};

use flate2::{Compression, GzBuilder};

/// What a header says when the system is not told.
const UNKNOWN_SYSTEM: u8 = 0xff;

/// The bytes that were compressed.
pub(super) fn decompress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Compresses, with no time and no system in the header, so that the same bytes always give the same result.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}
