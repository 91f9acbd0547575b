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
    /// Files of the configuration, which a name that became known late may lead to.
    configuration: BTreeMap<String, Arc<[u8]>>,
    planned_at: String,
    working_directory: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Whether functions are to give what they gave while planning.
    planning: bool,
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
            configuration: inputs
                .configuration
                .files
                .iter()
                .map(|file| (normal(&file.path), file.bytes.clone()))
                .collect(),
            planned_at: inputs.timestamp.clone(),
            working_directory: working_directory.to_owned(),
            clock,
            entropy,
            planning: false,
        }
    }

    /// With neither time nor randomness, as it was while planning.
    pub(crate) fn while_planning(self) -> Self {
        Self {
            planning: true,
            ..self
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
            None => self.configuration.get(&normal(path)).cloned().ok_or_else(|| {
                FileError::Unreadable(format!(
                    "the plan does not hold {path}: an apply reads only files that were read while planning, and those of the configuration"
                ))
            }),
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
        let path = normal(path);
        Ok(match self.files.get(&path) {
            Some(content) => content.is_some(),
            None => self.configuration.contains_key(&path),
        })
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
        if self.planning {
            return None;
        }
        let (seconds, _) = self.clock.now();
        let time = jiff::Timestamp::from_second(seconds).ok()?;
        Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some(self.planned_at.clone())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        if self.planning {
            return None;
        }
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> (i64, u32) {
            (0, 0)
        }
    }

    impl Entropy for Still {
        fn fill(&self, _: &mut [u8]) {}
    }

    #[test]
    fn what_the_plan_holds_is_read_and_nothing_else() {
        let file = |path: &str, content: Option<&str>| terrace_plan::FileRead {
            path: path.into(),
            content: content.map(|text| text.as_bytes().into()),
        };
        let inputs = PlanInputs {
            files: vec![file("./a.txt", Some("a")), file("gone.txt", None)],
            configuration: Arc::new(terrace_config::Snapshot {
                modules: BTreeMap::new(),
                files: vec![terrace_config::SnapshotFile {
                    path: "m/main.tf".into(),
                    bytes: (*b"locals {}").into(),
                }],
            }),
            ..PlanInputs::default()
        };
        let context = PlannedContext::new(&inputs, "/work", Arc::new(Still), Arc::new(Still));
        assert_eq!(context.read_file("a.txt").unwrap().as_ref(), b"a");
        assert_eq!(
            context.read_file("./m/main.tf").unwrap().as_ref(),
            b"locals {}"
        );
        assert!(matches!(
            context.read_file("gone.txt"),
            Err(FileError::NotFound)
        ));
        assert!(matches!(
            context.read_file("new.txt"),
            Err(FileError::Unreadable(_))
        ));
        for (path, expected) in [("a.txt", true), ("gone.txt", false), ("m/main.tf", true)] {
            assert_eq!(context.file_exists(path).unwrap(), expected, "{path}");
        }
    }

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
