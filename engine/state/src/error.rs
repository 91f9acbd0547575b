//! Why a state file cannot be read.

use std::fmt;

/// Why a state file cannot be read: what, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError {
    /// One line without names of the user.
    pub summary: String,
    /// Sentences: what is wrong and where.
    pub detail: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Line and column of the problem, both from 1, where there is one place.
    pub position: Option<(usize, usize)>,
}

impl StateError {
    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        let position = (error.line().max(1), error.column().max(1));
        let mut what = error.to_string();
        if let Some(end) = what.rfind(" at line ") {
            what.truncate(end);
        }
        let (summary, verb) = match error.classify() {
            serde_json::error::Category::Data => {
                ("Invalid state file format", "is not a valid state")
            }
            _ => (
                "Unsupported state file format",
                "could not be parsed as JSON",
            ),
        };
        Self {
            summary: summary.into(),
            detail: format!(
                "The state file {verb}: {what} (line {}, column {}).",
                position.0, position.1
            ),
            hint: Some(RESTORE_HINT.into()),
            position: Some(position),
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self {
            summary: "Invalid state file format".into(),
            detail: detail.into(),
            hint: Some(RESTORE_HINT.into()),
            position: None,
        }
    }

    pub(crate) fn unsupported(detail: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            summary: "Unsupported state file format".into(),
            detail: detail.into(),
            hint,
            position: None,
        }
    }
}

const RESTORE_HINT: &str = "The state before the last change is kept beside the state file as a backup (terraform.tfstate.backup). \
     Compare the two, and put the backup in its place if the state file is damaged.";

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

impl std::error::Error for StateError {}
