//! What handlers use: a directory with a file for each note.
#![expect(
    clippy::disallowed_methods,
    reason = "keeping files is the provider's work"
)]

use std::io;
use std::path::PathBuf;

use terrace_provider_sdk::{Diagnostic, Outcome};

use crate::slug::slug;

/// A directory of notes.
pub struct Notebook {
    directory: PathBuf,
}

impl Notebook {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Where the note of a title is.
    pub(crate) fn path(&self, title: &str) -> PathBuf {
        self.directory.join(format!("{}.txt", slug(title)))
    }

    /// A note's content; `None` where there is none.
    pub(crate) fn read(&self, title: &str) -> Outcome<Option<String>> {
        match std::fs::read_to_string(self.path(title)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", title, &error).into()),
        }
    }

    pub(crate) fn write(&self, title: &str, content: &str) -> Outcome<()> {
        std::fs::create_dir_all(&self.directory)
            .and_then(|()| std::fs::write(self.path(title), content))
            .map_err(|error| failed("write", title, &error).into())
    }

    /// Removes a note. One that is gone already is no error.
    pub(crate) fn remove(&self, title: &str) -> Outcome<()> {
        match std::fs::remove_file(self.path(title)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", title, &error).into())
            }
            _ => Ok(()),
        }
    }

    /// The first lines of all notes with their files' names, sorted by these.
    pub(crate) fn list(&self) -> Outcome<Vec<(String, String)>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("list", "*", &error).into()),
        };
        let mut found: Vec<(String, String)> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "txt"))
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let content = std::fs::read_to_string(entry.path()).unwrap_or_default();
                (name, content.lines().next().unwrap_or_default().to_owned())
            })
            .collect();
        found.sort();
        Ok(found)
    }

    /// Takes the lock of the notebook. The error says who holds it.
    pub(crate) fn lock(&self, holder: &str) -> Outcome<()> {
        use std::io::Write as _;
        let path = self.directory.join("lock");
        let taken = std::fs::create_dir_all(&self.directory).and_then(|()| {
            let mut file = std::fs::File::create_new(&path)?;
            file.write_all(holder.as_bytes())
        });
        taken.map_err(|error| {
            let held_by = std::fs::read_to_string(&path).unwrap_or_default();
            let detail = format!("The file {} is there, made by {held_by:?}: {error}. Remove it if nobody works with the notes.", path.display());
            Diagnostic::error("Notebook is locked", detail).into()
        })
    }

    pub(crate) fn unlock(&self) -> Outcome<()> {
        std::fs::remove_file(self.directory.join("lock"))
            .map_err(|error| failed("unlock", "lock", &error).into())
    }
}

fn failed(what: &str, title: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot {what} note"),
        format!("The note {title:?}: {error}"),
    )
}
