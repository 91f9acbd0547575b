//! A module's directory as one archive, the same bytes for the same files, and back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Cursor, Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Directories that belong to work with the module and not to it.
const LEFT_OUT_DIRECTORIES: [&str; 4] = [".git", ".terraform", ".terrace", ".hg"];
/// Files of that kind, by their endings.
const LEFT_OUT_FILES: [&str; 4] = [
    ".tfstate",
    ".tfstate.backup",
    ".terraform.tfstate.lock.info",
    "crash.log",
];
/// How many bytes a module's files have at most, so that an archive that unpacks to more than it seems is found out.
const LARGEST: u64 = 512 << 20;
/// How many files a module has at most.
const MOST_FILES: usize = 20_000;

/// Why a directory or some bytes are no module's archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is none that can be published.
    #[error("{0}")]
    Refused(String),
}

/// A module's files, and the archive that they make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleArchive {
    bytes: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    digest: String,
    hash: String,
}

impl ModuleArchive {
    /// Packs a directory. State files, and what tools keep in the directory for themselves, are left out; links are
    /// refused, since not everyone who installs modules unpacks them.
    ///
    /// # Errors
    /// [`ArchiveError`] where a file cannot be read, or where there is no module.
    pub fn pack(directory: &Path) -> Result<Self, ArchiveError> {
        let mut files = BTreeMap::new();
        collect(directory, "", &mut files)?;
        if !files.keys().any(|name| is_configuration(name)) {
            return Err(ArchiveError::Refused(format!(
                "{} holds no configuration: a module has files that end in .tf or .tf.json at its root",
                directory.display()
            )));
        }
        let bytes = zip_of(&files).map_err(|error| {
            ArchiveError::Refused(format!("the files cannot be made an archive: {error}"))
        })?;
        Ok(Self::of(bytes, files))
    }

    /// Reads an archive, whoever made it.
    ///
    /// # Errors
    /// [`ArchiveError::Refused`] where it cannot be read, holds a link or a name that leads out of it, or no module.
    pub fn open(bytes: Vec<u8>) -> Result<Self, ArchiveError> {
        let files = unzip(&bytes)?;
        if !files.keys().any(|name| is_configuration(name)) {
            return Err(ArchiveError::Refused(
                "the archive holds no module: there are no files that end in .tf or .tf.json at its root".to_owned(),
            ));
        }
        Ok(Self::of(bytes, files))
    }

    fn of(bytes: Vec<u8>, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self {
            digest: digest(&bytes),
            hash: hash_of(&files),
            bytes,
            files,
        }
    }

    /// The archive.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The files, by their paths with `/`.
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The archive's SHA-256 in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The checksum of the files, `h1:…`: that of the unpacked directory, as the lock file of modules has it.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

fn is_configuration(name: &str) -> bool {
    !name.contains('/') && (is_native(name) || name.ends_with(".tf.json"))
}

/// Whether a file is configuration in the native syntax.
pub(crate) fn is_native(name: &str) -> bool {
    name.strip_suffix(".tf").is_some()
}

fn is_left_out(name: &str) -> bool {
    LEFT_OUT_FILES.iter().any(|ending| name.ends_with(ending))
}

fn collect(
    directory: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), ArchiveError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |source| ArchiveError::Unreadable { path, source }
    };
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(ArchiveError::Refused(format!(
                "the name of {} is no text that every system can write",
                path.display()
            )));
        };
        let kind = entry.file_type().map_err(unreadable(&path))?;
        let full = format!("{prefix}{name}");
        if kind.is_symlink() {
            return Err(ArchiveError::Refused(format!(
                "{full} is a link. Not every tool that installs modules unpacks links; put a copy in its place"
            )));
        }
        if kind.is_dir() {
            if !LEFT_OUT_DIRECTORIES.contains(&name.as_str()) {
                collect(&path, &format!("{full}/"), files)?;
            }
        } else if !is_left_out(&name) {
            let mut content = Vec::new();
            File::open(&path)
                .and_then(|mut file| file.read_to_end(&mut content))
                .map_err(unreadable(&path))?;
            files.insert(full, content);
        }
    }
    Ok(())
}

/// The archive of files: in the order of their names, all with the same time and the same permissions.
fn zip_of(files: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, content) in files {
        writer
            .start_file(name.as_str(), options)
            .map_err(io::Error::other)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish().map_err(io::Error::other)?.into_inner())
}

fn unzip(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let damaged = |error: &dyn std::fmt::Display| {
        ArchiveError::Refused(format!("it is no archive that can be read: {error}"))
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > MOST_FILES {
        return Err(ArchiveError::Refused(format!(
            "the archive has {} entries; a module has at most {MOST_FILES}",
            archive.len()
        )));
    }
    let mut left = LARGEST;
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        let name = entry.name().map_err(|error| damaged(&error))?.into_owned();
        if entry.is_symlink() {
            return Err(ArchiveError::Refused(format!(
                "{name:?} is a link; links are no part of a published module"
            )));
        }
        if !is_plain(name.trim_end_matches('/')) {
            return Err(ArchiveError::Refused(format!(
                "{name:?} leads out of the package, or is no path that every system has"
            )));
        }
        if entry.is_dir() {
            continue;
        }
        let mut content = Vec::new();
        // One byte more tells that there is more.
        entry
            .by_ref()
            .take(left + 1)
            .read_to_end(&mut content)
            .map_err(|error| damaged(&error))?;
        left = left.checked_sub(content.len() as u64).ok_or_else(|| {
            ArchiveError::Refused("the archive unpacks to more than 512 MiB".to_owned())
        })?;
        if files.insert(name.clone(), content).is_some() {
            return Err(ArchiveError::Refused(format!(
                "the archive holds {name:?} twice"
            )));
        }
    }
    Ok(files)
}

fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', ':'])
    };
    name.split('/').all(plain)
}

/// The checksum of files as `hash_package` reckons it of a directory.
fn hash_of(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut list = String::new();
    for (name, content) in files {
        // Writing to a string cannot fail.
        let _written = writeln!(list, "{}  {name}", hex(&Sha256::digest(content)));
    }
    format!("h1:{}", STANDARD.encode(Sha256::digest(list)))
}

/// The SHA-256 of bytes, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use tempfile::TempDir;

    use super::*;

    pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path)
                .unwrap()
                .write_all(content.as_bytes())
                .unwrap();
        }
        directory
    }

    pub(crate) fn archive(text: &str) -> ModuleArchive {
        let directory = directory(&[("main.tf", text), ("README.md", "# A module\n")]);
        ModuleArchive::pack(directory.path()).unwrap()
    }

    #[test]
    fn the_same_files_make_the_same_bytes() {
        let files = [
            ("b.tf", "x"),
            ("a/c.tf", "y"),
            ("a.tf", "z"),
            ("a/é.txt", "w"),
        ];
        let first = directory(&files);
        let mut turned = files;
        turned.reverse();
        let second = directory(&turned);
        let first = ModuleArchive::pack(first.path()).unwrap();
        assert_eq!(first, ModuleArchive::pack(second.path()).unwrap());
        assert_eq!(ModuleArchive::open(first.bytes().to_vec()).unwrap(), first);
        let other = directory(&[("b.tf", "other")]);
        let other = ModuleArchive::pack(other.path()).unwrap();
        assert_ne!(other.digest(), first.digest());
        assert_ne!(other.hash(), first.hash());
    }

    #[test]
    fn what_tools_keep_for_themselves_is_left_out() {
        let plain = directory(&[("main.tf", "x"), (".terraform.lock.hcl", "y")]);
        let worked_in = directory(&[
            ("main.tf", "x"),
            (".terraform.lock.hcl", "y"),
            ("terraform.tfstate", "secret"),
            ("terraform.tfstate.backup", "secret"),
            (".terraform/modules/modules.json", "{}"),
            ("examples/a/.terraform/x", "{}"),
            (".git/config", "secret"),
        ]);
        assert_eq!(
            ModuleArchive::pack(plain.path()).unwrap(),
            ModuleArchive::pack(worked_in.path()).unwrap()
        );
    }

    #[test]
    fn a_directory_without_configuration_is_no_module() {
        for files in [&[("README.md", "x")][..], &[("a/main.tf", "x")], &[]] {
            let error = ModuleArchive::pack(directory(files).path()).unwrap_err();
            assert!(error.to_string().contains("no configuration"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused() {
        let directory = directory(&[("main.tf", "x")]);
        std::os::unix::fs::symlink("main.tf", directory.path().join("other.tf")).unwrap();
        let error = ModuleArchive::pack(directory.path()).unwrap_err();
        assert!(error.to_string().contains("other.tf is a link"), "{error}");
    }

    #[test]
    fn archives_that_lead_out_are_refused() {
        for name in [
            "../main.tf",
            "/main.tf",
            "a/../../x.tf",
            "a\\b.tf",
            "c:x.tf",
        ] {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file("main.tf", SimpleFileOptions::default())
                .unwrap();
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            let bytes = zip.finish().unwrap().into_inner();
            let error = ModuleArchive::open(bytes).unwrap_err();
            assert!(error.to_string().contains("leads out"), "{name}: {error}");
        }
        assert!(ModuleArchive::open(b"nonsense".to_vec()).is_err());
    }
}
