//! Reading settings, and gathering what is wrong with them.

use std::path::{Path, PathBuf};

use crate::{Arguments, Problem, Surroundings};

/// Reads settings and gathers what is wrong with them, so that everything is told at once.
pub struct Reader<'a> {
    /// What was given.
    pub arguments: &'a Arguments,
    /// What may be known of the process.
    pub surroundings: &'a Surroundings<'a>,
    /// What was found wrong.
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// The result of reading settings; the problems where there are any, whatever was read.
    ///
    /// # Errors
    /// What was found wrong. `read` gives nothing only after adding a problem.
    pub fn read<T>(
        arguments: &'a Arguments,
        surroundings: &'a Surroundings<'a>,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Vec<Problem>> {
        let mut reader = Self {
            arguments,
            surroundings,
            problems: Vec::new(),
        };
        match read(&mut reader) {
            Some(settings) if reader.problems.is_empty() => Ok(settings),
            _ => Err(reader.problems),
        }
    }

    /// Adds a problem with an argument.
    pub fn refuse(
        &mut self,
        argument: impl Into<String>,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.problems.push(Problem::with(argument, summary, detail));
    }

    /// A string that is not empty.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.arguments.filled(name).map(str::to_owned)
    }

    /// The first of these variables of the environment that is set and not empty.
    pub fn variable(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| (self.surroundings.environment)(name).filter(|text| !text.is_empty()))
    }

    /// A path, in which `~/` is the user's home and what is relative belongs to the root module.
    pub fn path(&self, text: &str) -> PathBuf {
        if let (Some(rest), Some(home)) = (text.strip_prefix("~/"), self.variable(&["HOME"])) {
            return Path::new(&home).join(rest);
        }
        self.surroundings.directory.join(text)
    }

    /// The content of the file that an argument names.
    pub fn file(&mut self, argument: &str) -> Option<Vec<u8>> {
        let path = self.path(self.arguments.filled(argument)?);
        match contents(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.refuse(
                    argument,
                    "Cannot read file",
                    format!("The file {} cannot be read: {error}", path.display()),
                );
                None
            }
        }
    }

    /// The text of a file that may be there.
    pub fn text_of(&self, path: &str) -> Option<String> {
        String::from_utf8(contents(&self.path(path)).ok()?).ok()
    }

    /// An argument, or the content of the file that another one names; both only where they agree.
    pub fn or_file(&mut self, name: &str, file: &str) -> Option<String> {
        let given = self.owned(name);
        let in_file = self
            .file(file)
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        match (given, in_file) {
            (Some(given), Some(in_file)) if given != in_file => {
                self.refuse(
                    name,
                    "Invalid Attribute Combination",
                    format!("The arguments {name:?} and {file:?} say different things. Give one of them."),
                );
                None
            }
            (given, in_file) => given.or(in_file),
        }
    }

    /// The text of an argument that must be there.
    pub fn required(&mut self, name: &str) -> Option<String> {
        let text = self.owned(name);
        if text.is_none() {
            self.refuse(
                name,
                "Missing Required Value",
                format!("{name:?}: required field is not set"),
            );
        }
        text
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "adapters read the files that their settings name"
)]
fn contents(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}
