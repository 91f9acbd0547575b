//! Where CI tells of plans and applies.

use async_trait::async_trait;

/// A file that a proposed change changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path, relative to the repository.
    pub path: String,
    /// Its path before, where it has moved.
    pub previous: Option<String>,
    /// What changes in it, in unified form; empty where that is not told.
    pub patch: String,
}

/// A remark at lines of a file, within a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The file, relative to the repository.
    pub path: String,
    /// The lines, from 1.
    pub lines: (u32, u32),
    /// `failure`, `warning` or `notice`.
    pub level: String,
    /// In short.
    pub title: String,
    /// In full.
    pub message: String,
}

/// A check of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCheck {
    /// The commit.
    pub commit: String,
    /// Its name.
    pub name: String,
    /// `success`, `neutral` or `failure`.
    pub conclusion: String,
    /// In a line.
    pub title: String,
    /// In Markdown.
    pub summary: String,
    /// More of it, in Markdown.
    pub text: String,
    /// Remarks at lines of files, however many.
    pub remarks: Vec<Remark>,
    /// Where to read on.
    pub details: Option<String>,
}

/// A proposed change that was merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedChange {
    /// Its number.
    pub number: u64,
    /// The last of its commits.
    pub head: String,
}

/// An issue that is kept up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptIssue {
    /// The first line of its text, by which it is found again.
    pub marker: String,
    /// The label by which it is looked for.
    pub label: String,
    /// Its title.
    pub title: String,
    /// Its text, which begins with the marker.
    pub body: String,
    /// Whether it is open. One that is closed and not there is not made.
    pub is_open: bool,
}

/// How a deployment goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentState {
    /// `pending`, `in_progress`, `success` or `failure`.
    pub state: String,
    /// In a line.
    pub description: String,
    /// Where to read on.
    pub details: Option<String>,
}

/// A repository at a forge, as far as CI writes there. Errors say what could not be done and why.
///
/// Whatever is told is told once: who tells the same again changes what is there, and an answer that was lost leaves nothing
/// twice.
#[async_trait]
pub trait Desk: Send + Sync {
    /// The files that a proposed change changes.
    async fn changed_files(&self, number: u64) -> Result<Vec<ChangedFile>, String>;
    /// The text of the comment on a change or issue that begins with `marker`.
    async fn comment(&self, number: u64, marker: &str) -> Result<Option<String>, String>;
    /// Makes `body`, which begins with `marker`, the text of the one comment that begins so.
    async fn keep_comment(&self, number: u64, marker: &str, body: &str) -> Result<(), String>;
    /// Makes a check the one of its name and commit.
    async fn keep_check(&self, check: &CommitCheck) -> Result<(), String>;
    /// The proposed change by which a commit came to its branch; `None` where it was not proposed, or not merged.
    async fn merged_change(&self, commit: &str) -> Result<Option<MergedChange>, String>;
    /// The number of the newest deployment of a commit to an environment, which is made where there is none.
    async fn keep_deployment(&self, commit: &str, environment: &str) -> Result<u64, String>;
    /// Makes a state the last one of a deployment.
    async fn keep_state(&self, deployment: u64, state: &DeploymentState) -> Result<(), String>;
    /// Makes an issue the one of its marker, open or closed. Gives its number; `None` where there is none, and none is needed.
    async fn keep_issue(&self, issue: &KeptIssue) -> Result<Option<u64>, String>;
}
