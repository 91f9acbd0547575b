//! Durable files.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use terrace_port::StoreError;

/// An error of the file system as a store's error; `what` says what was being done.
pub fn unavailable(what: impl Into<String>) -> impl FnOnce(io::Error) -> StoreError {
    let what = what.into();
    move |source| StoreError::Unavailable {
        what: format!("{what}: {source}"),
        source: Box::new(source),
    }
}

/// The bytes of a file; `None` when it is not there.
pub(crate) fn read(path: &Path) -> io::Result<Option<Arc<[u8]>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes.into()))
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(directory)?.sync_all()
}

/// A file that is written beside its final place, and takes that place in one step.
#[derive(Debug)]
pub struct Durable {
    temporary: tempfile::NamedTempFile,
}

impl Durable {
    /// Writes `bytes` beside `path`, durably. Nothing is seen at `path` yet.
    pub fn prepare(path: &Path, bytes: &[u8], private: bool) -> io::Result<Self> {
        let directory = parent(path);
        std::fs::create_dir_all(directory)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".tmp-");
        permissions(&mut builder, path, private);
        let mut temporary = builder.tempfile_in(directory)?;
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        Ok(Self { temporary })
    }

    /// The open file.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Puts it in its place, durably. Returns the open file.
    pub fn commit(self, path: &Path) -> io::Result<File> {
        let file = self.temporary.persist(path)?;
        sync_directory(parent(path))?;
        Ok(file)
    }
}

pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn permissions(builder: &mut tempfile::Builder<'_, '_>, path: &Path, private: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(_) if private => 0o600,
        Err(_) => 0o666,
    };
    builder.permissions(std::fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
fn permissions(_: &mut tempfile::Builder<'_, '_>, _: &Path, _: bool) {}

/// Writes a file durably in one step.
pub(crate) fn write(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    Durable::prepare(path, bytes, private)?
        .commit(path)
        .map(drop)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Holds off everyone else who asks for the same guard, in this process and others, for the time of one file operation.
pub fn guard(path: &Path) -> io::Result<File> {
    std::fs::create_dir_all(parent(path))?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.lock()?;
    Ok(file)
}
