//! What functions see while applying: the files that the plan holds, the time, randomness.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_functions::{Context, FileError};
use terrace_plan::PlanInputs;
use terrace_port::{Clock, Entropy};

/// The outside as the plan recorded it. The working directory is never read.
pub(crate) struct PlannedContext {
    /// Content by path; `None` for what was looked for and not there.
    files: BTreeMap<String, Option<Arc<[u8]>>>,
    planned_at: String,
    working_directory: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl PlannedContext {
    pub(crate) fn new(
        inputs: &PlanInputs,
        working_directory: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            files: inputs
                .files
                .iter()
                .map(|file| (normal(&file.path), file.content.clone()))
                .collect(),
            planned_at: inputs.timestamp.clone(),
            working_directory: working_directory.to_owned(),
            clock,
            entropy,
        }
    }
}

/// A relative path without what changes nothing about it. A slash at the end, which marks a listing, stays.
fn normal(path: &str) -> String {
    let slash = if path.ends_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}{slash}", parts.join("/"))
}

impl Context for PlannedContext {
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        match self.files.get(&normal(path)) {
            Some(Some(content)) => Ok(content.clone()),
            Some(None) => Err(FileError::NotFound),
            None => Err(FileError::Unreadable(format!(
                "the plan does not hold {path}: an apply reads only files that were read while planning"
            ))),
        }
    }

    fn list_files(&self, base: &str) -> Result<Vec<String>, FileError> {
        let base = format!("{}/", normal(base).trim_end_matches('/'));
        if let Some(Some(listing)) = self.files.get(&base) {
            return Ok(String::from_utf8_lossy(listing)
                .lines()
                .map(str::to_owned)
                .collect());
        }
        let prefix = if base == "/" { "" } else { &base };
        let names = self.files.iter().filter(|(_, content)| content.is_some());
        Ok(names
            .filter_map(|(path, _)| path.strip_prefix(prefix))
            .filter(|path| !path.ends_with('/'))
            .map(str::to_owned)
            .collect())
    }

    fn file_exists(&self, path: &str) -> Result<bool, FileError> {
        Ok(self.files.get(&normal(path)).is_some_and(Option::is_some))
    }

    fn absolute_path(&self, path: &str) -> String {
        if path.starts_with('/') {
            normal(path)
        } else {
            normal(&format!("{}/{path}", self.working_directory))
        }
    }

    fn home_directory(&self) -> Option<String> {
        None
    }

    fn timestamp(&self) -> Option<String> {
        let (seconds, _) = self.clock.now();
        let time = jiff::Timestamp::from_second(seconds).ok()?;
        Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some(self.planned_at.clone())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_what_they_mean() {
        for (path, expected) in [
            ("./a/b", "a/b"),
            ("a//b/../c", "a/c"),
            ("/x/./y", "/x/y"),
            ("../a", "../a"),
            ("a/", "a/"),
            (".", ""),
        ] {
            assert_eq!(normal(path), expected);
        }
    }
}
