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
}
