//! Whether a plan is of a commit that its environment's branch lets through, by the `git` binary.
//!
//! The branch's history is the line of first parents from its tip. A plan's commit must be on it, what the environments
//! before have applied must come before the commit on it, and the plan's configuration must be the commit's.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use terrace_config::Snapshot;
use terrace_port::{Process, ProcessRequest};

/// What is asked of a repository.
#[derive(Clone, Debug)]
pub struct SourceQuestion<'a> {
    /// The commit that the plan says it is of.
    pub commit: &'a str,
    /// The branch.
    pub branch: &'a str,
    /// Environments that come before, with the commits that they applied last.
    pub upstream: Vec<(String, Option<String>)>,
    /// The plan's configuration.
    pub configuration: &'a Snapshot,
}

/// What the repository says. Only [`examine_source`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFound {
    pub(crate) commit: String,
    pub(crate) branch: String,
    pub(crate) problems: Vec<String>,
}

impl SourceFound {
    /// What is wrong with the commit; nothing where the branch lets it through.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// Looks in the repository of the working directory.
pub async fn examine_source(process: &dyn Process, question: &SourceQuestion<'_>) -> SourceFound {
    let git = Git { process };
    let problems = match git.examine(question).await {
        Ok(problems) => problems,
        Err(why) => vec![why],
    };
    SourceFound {
        commit: question.commit.to_owned(),
        branch: question.branch.to_owned(),
        problems,
    }
}

struct Git<'a> {
    process: &'a dyn Process,
}

/// Whether a text can only be a commit's name: nothing that `git` would take for an option or an expression.
fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Git<'_> {
    async fn run(&self, arguments: &[&str], stdin: Vec<u8>) -> Result<(i32, Vec<u8>), String> {
        let argv = ["git"]
            .iter()
            .chain(arguments)
            .map(|part| (*part).to_owned());
        let request = ProcessRequest {
            argv: argv.collect(),
            directory: None,
            environment: vec![
                ("LC_ALL".to_owned(), "C".to_owned()),
                ("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned()),
                ("GIT_NO_REPLACE_OBJECTS".to_owned(), "1".to_owned()),
            ],
            stdin,
        };
        let done = self
            .process
            .run(request, &|_| {})
            .await
            .map_err(|error| format!("git cannot be run: {error}"))?;
        let code = done.code.ok_or("git was ended by a signal")?;
        Ok((code, done.output))
    }

    async fn line(&self, arguments: &[&str]) -> Result<Option<String>, String> {
        let (code, output) = self.run(arguments, Vec::new()).await?;
        let text = String::from_utf8_lossy(&output).trim().to_owned();
        Ok((code == 0).then_some(text))
    }

    async fn examine(&self, question: &SourceQuestion<'_>) -> Result<Vec<String>, String> {
        if !is_commit(question.commit) {
            return Ok(vec![format!("{:?} is not a commit", question.commit)]);
        }
        let Some(prefix) = self.line(&["rev-parse", "--show-prefix"]).await? else {
            return Ok(vec!["there is no git repository here".to_owned()]);
        };
        let mut problems = Vec::new();
        let Some(tip) = self.tip(question.branch).await? else {
            return Ok(vec!["there is no such branch in the repository".to_owned()]);
        };
        let line = self.history(&tip).await?;
        if !line.contains_key(question.commit) {
            problems.push(format!("commit {} is not on it", question.commit));
            return Ok(problems);
        }
        let place = line[question.commit];
        for (environment, applied) in &question.upstream {
            let contained = applied
                .as_ref()
                .and_then(|applied| line.get(applied))
                .is_some_and(|applied| *applied >= place);
            if !contained {
                problems.push(format!(
                    "commit {} does not contain what environment {environment:?} has applied ({})",
                    question.commit,
                    applied.as_deref().unwrap_or("of no known commit")
                ));
            }
        }
        problems.extend(self.differences(question, &prefix).await?);
        Ok(problems)
    }

    /// The branch's tip: as it was fetched where there is a remote, else the local one.
    async fn tip(&self, branch: &str) -> Result<Option<String>, String> {
        for place in ["refs/remotes/origin", "refs/heads"] {
            let name = format!("{place}/{branch}^{{commit}}");
            let found = self
                .line(&["rev-parse", "--verify", "--quiet", &name])
                .await?;
            if let Some(tip) = found.filter(|tip| is_commit(tip)) {
                return Ok(Some(tip));
            }
        }
        Ok(None)
    }

    /// The commits on the line of first parents, with how many come after each.
    async fn history(&self, tip: &str) -> Result<BTreeMap<String, usize>, String> {
        let (code, output) = self
            .run(&["rev-list", "--first-parent", tip], Vec::new())
            .await?;
        if code != 0 {
            return Err("the branch's history cannot be read".to_owned());
        }
        let text = String::from_utf8_lossy(&output).into_owned();
        Ok(text
            .lines()
            .map(str::to_owned)
            .enumerate()
            .map(|(place, commit)| (commit, place))
            .collect())
    }

    /// Files of the plan's configuration that are not the commit's. What modules were installed from elsewhere is held
    /// to by their own lock file.
    async fn differences(
        &self,
        question: &SourceQuestion<'_>,
        prefix: &str,
    ) -> Result<Vec<String>, String> {
        let files: Vec<_> = question
            .configuration
            .files
            .iter()
            .filter(|file| !file.path.starts_with(".terraform/"))
            .collect();
        let mut asked = Vec::new();
        for file in &files {
            let Some(path) = within(prefix, &file.path) else {
                return Ok(vec![format!(
                    "{} lies outside of the repository",
                    file.path
                )]);
            };
            asked.extend_from_slice(format!("{}:{path}\n", question.commit).as_bytes());
        }
        let (_, output) = self.run(&["cat-file", "--batch"], asked).await?;
        let mut rest = &output[..];
        let mut problems = Vec::new();
        for file in files {
            let (content, after) = next_object(rest);
            rest = after;
            if content != Some(&file.bytes[..]) {
                problems.push(format!(
                    "{} is not as it is in commit {}",
                    file.path, question.commit
                ));
            }
        }
        Ok(problems)
    }
}

/// A path of the working directory as the repository names it.
fn within(prefix: &str, path: &str) -> Option<String> {
    let mut clean = PathBuf::new();
    for part in Path::new(prefix).join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            Component::Normal(name) => clean.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let clean = clean.to_string_lossy().into_owned();
    (!clean.contains('\n')).then_some(clean)
}

/// The next answer of `git cat-file --batch`: a blob's content, or nothing where there is none; and what follows.
fn next_object(output: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some(end) = output.iter().position(|byte| *byte == b'\n') else {
        return (None, &[]);
    };
    let head = String::from_utf8_lossy(&output[..end]);
    let after = &output[end + 1..];
    let words: Vec<&str> = head.rsplit(' ').collect();
    let size = match words[..] {
        [size, "blob", _] => size.parse::<usize>().ok(),
        _ => None,
    };
    match size {
        Some(size) if size < after.len() => (Some(&after[..size]), &after[size + 1..]),
        Some(_) => (None, &[]),
        None => (None, after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_batch_are_taken_apart() {
        let output = b"0f blob 3\na\nb\nHEAD:x y missing\n1f blob 0\n\n2f tree 2\n";
        let (first, rest) = next_object(output);
        assert_eq!(first, Some(&b"a\nb"[..]));
        let (second, rest) = next_object(rest);
        assert_eq!(second, None);
        let (third, rest) = next_object(rest);
        assert_eq!(third, Some(&b""[..]));
        assert_eq!(next_object(rest).0, None);
        assert_eq!(next_object(b"0f blob 9\nabc\n").0, None);
    }

    #[test]
    fn paths_stay_within_the_repository() {
        assert_eq!(
            within("stacks/web/", "../db/./main.tf").as_deref(),
            Some("stacks/db/main.tf")
        );
        assert_eq!(within("", "main.tf").as_deref(), Some("main.tf"));
        assert_eq!(within("a/", "../../x"), None);
        assert_eq!(within("", "/etc/passwd"), None);
        assert_eq!(within("", "a\nb"), None);
    }
}
