//! Archives of packages.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use crate::tree;

/// What an archive may hold at most, unpacked.
const LARGEST: u64 = 8 << 30;

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Zip,
    Tar,
    TarGzip,
    TarBzip2,
    TarXz,
}

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error(
        "the archive holds {0:?}, which leads out of the package; such an archive is not unpacked"
    )]
    Escape(String),
    #[error(
        "the archive holds {0:?}, which is neither a file nor a directory nor a link inside the package"
    )]
    Kind(String),
    #[error("the archive holds more than {} GiB", LARGEST >> 30)]
    TooLarge,
    #[error("the archive cannot be unpacked: {0}")]
    Damaged(#[from] io::Error),
}

impl Format {
    /// The format of a name in an `archive` parameter.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "zip" => Self::Zip,
            "tar" => Self::Tar,
            "tar.gz" | "tgz" => Self::TarGzip,
            "tar.bz2" | "tbz2" | "tar.tbz2" => Self::TarBzip2,
            "tar.xz" | "txz" => Self::TarXz,
            _ => return None,
        })
    }

    /// The format of a path, by its ending.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        const ENDINGS: [&str; 8] = [
            "zip", "tar", "tar.gz", "tgz", "tar.bz2", "tbz2", "tar.xz", "txz",
        ];
        ENDINGS
            .into_iter()
            .find(|ending| path.ends_with(&format!(".{ending}")))
            .and_then(Self::of_name)
    }
}

/// Unpacks an archive into an empty directory.
pub(crate) fn unpack(archive: &Path, format: Format, into: &Path) -> Result<(), ArchiveError> {
    let file = BufReader::new(File::open(archive)?);
    let mut unpacking = Unpacking {
        root: into,
        links: BTreeMap::new(),
        left: LARGEST,
    };
    match format {
        Format::Zip => unpacking.zip(file)?,
        Format::Tar => unpacking.tar(file)?,
        Format::TarGzip => unpacking.tar(flate2::read::MultiGzDecoder::new(file))?,
        Format::TarBzip2 => unpacking.tar(bzip2::read::MultiBzDecoder::new(file))?,
        Format::TarXz => unpacking.tar(lzma_rust2::XzReader::new(file, true))?,
    }
    unpacking.finish()
}

struct Unpacking<'a> {
    root: &'a Path,
    /// Made last, so that no file is written through one.
    links: BTreeMap<PathBuf, PathBuf>,
    left: u64,
}

impl Unpacking<'_> {
    fn zip(&mut self, file: BufReader<File>) -> Result<(), ArchiveError> {
        let damaged = |error: zip::result::ZipError| ArchiveError::Damaged(error.into());
        let mut archive = zip::ZipArchive::new(file).map_err(damaged)?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(damaged)?;
            let name = entry.name().map_err(damaged)?.into_owned();
            let Some(path) = inside(&name)? else { continue };
            if entry.is_dir() {
                std::fs::create_dir_all(self.root.join(path))?;
            } else if entry.is_symlink() {
                let mut target = String::new();
                entry.by_ref().take(4096).read_to_string(&mut target)?;
                self.links.insert(path, target.into());
            } else {
                let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
                self.file(&path, &mut entry, executable)?;
            }
        }
        Ok(())
    }

    fn tar(&mut self, reader: impl Read) -> Result<(), ArchiveError> {
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if kind.is_pax_global_extensions() {
                continue;
            }
            let Some(path) = inside(&name)? else { continue };
            match kind {
                tar::EntryType::Directory => std::fs::create_dir_all(self.root.join(path))?,
                tar::EntryType::Regular | tar::EntryType::Continuous => {
                    let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
                    self.file(&path, &mut entry, executable)?;
                }
                tar::EntryType::Symlink => {
                    let target = entry
                        .link_name()?
                        .ok_or_else(|| ArchiveError::Kind(name.clone()))?;
                    self.links.insert(path, target.into_owned());
                }
                _ => return Err(ArchiveError::Kind(name)),
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &Path,
        content: &mut dyn Read,
        executable: bool,
    ) -> Result<(), ArchiveError> {
        let place = self.root.join(path);
        if let Some(directory) = place.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut file = File::create(&place)?;
        let written = io::copy(&mut content.take(self.left + 1), &mut file)?;
        self.left = self
            .left
            .checked_sub(written)
            .ok_or(ArchiveError::TooLarge)?;
        if executable {
            make_executable(&file)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), ArchiveError> {
        for (path, target) in &self.links {
            let through_link = path
                .ancestors()
                .skip(1)
                .any(|above| self.links.contains_key(above));
            if through_link {
                return Err(ArchiveError::Escape(path.display().to_string()));
            }
            let place = self.root.join(path);
            if let Some(directory) = place.parent() {
                std::fs::create_dir_all(directory)?;
            }
            tree::link(target, &place)?;
            // Before anything is made behind it.
            if let Some(link) = tree::link_outside(self.root)? {
                return Err(ArchiveError::Escape(link.display().to_string()));
            }
        }
        Ok(())
    }
}

/// The path of an entry within the package; `None` for the package itself.
fn inside(name: &str) -> Result<Option<PathBuf>, ArchiveError> {
    let escape = || ArchiveError::Escape(name.to_owned());
    let mut path = PathBuf::new();
    for step in Path::new(&name.replace('\\', "/")).components() {
        match step {
            Component::CurDir => {}
            Component::Normal(step) => path.push(step),
            _ => return Err(escape()),
        }
    }
    Ok(Some(path).filter(|path| !path.as_os_str().is_empty()))
}

#[cfg(unix)]
fn make_executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Names with content; a target for links.
    fn tar(entries: &[(&str, &str, Option<&str>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content, target) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            // The builder's own ways refuse the names that are tried here.
            let bytes = &mut header.as_old_mut().name;
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            match target {
                Some(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_link_name(target).unwrap();
                    header.set_size(0);
                }
                None => header.set_size(content.len() as u64),
            }
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn unpacked(bytes: &[u8], format: Format) -> Result<tempfile::TempDir, String> {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("archive");
        std::fs::write(&archive, bytes).unwrap();
        let into = directory.path().join("into");
        std::fs::create_dir(&into).unwrap();
        unpack(&archive, format, &into).map_err(|error| error.to_string())?;
        Ok(directory)
    }

    #[test]
    fn every_format_is_unpacked() {
        let plain = tar(&[("a/main.tf", "x", None), ("./b.tf", "y", None)]);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip.write_all(&plain).unwrap();
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("a/main.tf", options).unwrap();
        zip.write_all(b"x").unwrap();
        for (bytes, format) in [
            (plain, Format::Tar),
            (gzip.finish().unwrap(), Format::TarGzip),
            (bzip.finish().unwrap(), Format::TarBzip2),
            (zip.finish().unwrap().into_inner(), Format::Zip),
        ] {
            let directory = unpacked(&bytes, format).unwrap();
            let text = std::fs::read_to_string(directory.path().join("into/a/main.tf"));
            assert_eq!(text.unwrap(), "x", "{format:?}");
        }
    }

    #[test]
    fn what_leads_out_is_refused() {
        for name in ["../x", "a/../../x", "/etc/x"] {
            let error = unpacked(&tar(&[(name, "x", None)]), Format::Tar).unwrap_err();
            assert!(
                error.contains("leads out of the package"),
                "{name}: {error}"
            );
            let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(name, options).unwrap();
            let bytes = zip.finish().unwrap().into_inner();
            let error = unpacked(&bytes, Format::Zip).unwrap_err();
            assert!(
                error.contains("leads out of the package"),
                "{name}: {error}"
            );
        }
        for target in ["/etc", "../..", "a/../../.."] {
            let error = unpacked(&tar(&[("l", "", Some(target))]), Format::Tar).unwrap_err();
            assert!(error.contains("leads out of the package"), "{target}");
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let bytes = tar(&[("d", "", Some("e")), ("d/x", "through", None)]);
        assert!(unpacked(&bytes, Format::Tar).is_err());
        let chained = tar(&[
            ("a", "", Some("b/..")),
            ("b", "", Some("c/d")),
            ("a/x", "", Some("..")),
        ]);
        assert!(unpacked(&chained, Format::Tar).is_err());
    }

    #[test]
    fn links_inside_remain() {
        let bytes = tar(&[("a/main.tf", "x", None), ("l", "", Some("a"))]);
        let directory = unpacked(&bytes, Format::Tar).unwrap();
        let text = std::fs::read_to_string(directory.path().join("into/l/main.tf"));
        assert_eq!(text.unwrap(), "x");
    }

    #[test]
    fn a_damaged_archive_is_told() {
        for format in [
            Format::Zip,
            Format::TarGzip,
            Format::TarBzip2,
            Format::TarXz,
        ] {
            let error = unpacked(b"nonsense", format).unwrap_err();
            assert!(error.contains("cannot be unpacked"), "{format:?}: {error}");
        }
    }
}
