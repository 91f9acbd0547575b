//! Archives whose bytes depend on nothing but their entries.

use std::io::{self, Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::collect::Entry;

/// A zip. Each entry is dated as the well-known provider dates it, so that archives do not differ by the hour.
pub(super) fn zip(entries: &[Entry], mode: Option<u32>) -> io::Result<Vec<u8>> {
    let date = DateTime::from_date_and_time(2049, 1, 1, 0, 0, 0).map_err(io::Error::other)?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(date)
            .large_file(entry.content.len() as u64 > u64::from(u32::MAX))
            .unix_permissions(mode.unwrap_or(entry.mode));
        writer
            .start_file(entry.name.as_str(), options)
            .map_err(io::Error::other)?;
        writer.write_all(&entry.content)?;
    }
    Ok(writer.finish().map_err(io::Error::other)?.into_inner())
}

/// A tarball, compressed with gzip.
pub(super) fn tar_gz(entries: &[Entry], mode: Option<u32>) -> io::Result<Vec<u8>> {
    let encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut builder = tar::Builder::new(encoder);
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.content.len() as u64);
        header.set_mode(mode.unwrap_or(entry.mode));
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        builder.append_data(&mut header, &entry.name, &entry.content[..])?;
    }
    builder.into_inner()?.finish()
}
