//! The gzip format.

use flate2::{Compress, Compression, Crc, FlushCompress};

/// No time, no flags, the usual compression, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// An empty block that is stored as it is, and the last.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// Compresses, flushing before the end as the reference does.
pub(super) fn compress(bytes: &[u8]) -> Result<Vec<u8>, flate2::CompressError> {
    let mut compressor = Compress::new(Compression::default(), false);
    let mut body = Vec::with_capacity(bytes.len() / 2 + 64);
    loop {
        let taken = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
        compressor.compress_vec(&bytes[taken..], &mut body, FlushCompress::Sync)?;
        if compressor.total_in() == bytes.len() as u64 && body.len() < body.capacity() {
            break;
        }
        body.reserve(body.len().max(64));
    }
    let mut crc = Crc::new();
    crc.update(bytes);
    let mut out = Vec::with_capacity(body.len() + 32);
    out.extend_from_slice(&HEADER);
    out.extend_from_slice(&body);
    out.extend_from_slice(&LAST_BLOCK);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(out)
}
