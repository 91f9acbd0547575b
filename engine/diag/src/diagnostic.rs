//! The one diagnostic type.

use crate::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The operation cannot go on.
    Error,
    /// The operation goes on; someone should look.
    Warning,
}

/// One value that took part in a problem: the expression as written, and what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueNote {
    /// The traversal as written, such as `var.region`.
    pub expression: String,
    /// What it is, in words, such as `is "eu-west-1"`; never a sensitive value.
    pub statement: String,
}

/// A problem, told to a person.
///
/// `summary` is short and holds no user's names; `detail` says in sentences what, why and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a diagnostic that nobody collects is never shown"]
pub struct Diagnostic {
    /// A stable name such as `unknown-attribute`; each has a page in docs and a spec case.
    pub id: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One line without names of the user.
    pub summary: String,
    /// Sentences: what, where, why, how to fix.
    pub detail: String,
    /// The object concerned, such as `aws_vpc.main`.
    pub address: Option<String>,
    /// The text that is wrong.
    pub subject: Option<Span>,
    /// The construct around it.
    pub context: Option<Span>,
    /// What to do next, where that is a command or an edit.
    pub hint: Option<String>,
    /// Values involved.
    pub values: Vec<ValueNote>,
}

impl Diagnostic {
    /// An error.
    pub fn error(id: &'static str, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Severity::Error, id, summary.into(), detail.into())
    }

    /// A warning.
    pub fn warning(
        id: &'static str,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, id, summary.into(), detail.into())
    }

    fn new(severity: Severity, id: &'static str, summary: String, detail: String) -> Self {
        Self {
            id,
            severity,
            summary,
            detail,
            address: None,
            subject: None,
            context: None,
            hint: None,
            values: Vec::new(),
        }
    }

    /// With the span that is wrong.
    pub fn at(mut self, subject: Span) -> Self {
        self.subject = Some(subject);
        self
    }

    /// With the span that is wrong, where there is one.
    pub fn at_opt(mut self, subject: Option<Span>) -> Self {
        self.subject = subject;
        self
    }

    /// With the construct around the subject.
    pub fn within(mut self, context: Span) -> Self {
        self.context = Some(context);
        self
    }

    /// With a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what to do about it, where that is known.
    pub fn hint_if(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// With the address of the object concerned.
    pub fn address(mut self, address: impl std::fmt::Display) -> Self {
        self.address = Some(address.to_string());
        self
    }

    /// With a value involved.
    pub fn value(mut self, expression: impl Into<String>, statement: impl Into<String>) -> Self {
        self.values.push(ValueNote {
            expression: expression.into(),
            statement: statement.into(),
        });
        self
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The diagnostics of a phase, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "diagnostics that nobody collects are never shown"]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.list.append(&mut other.list);
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// All, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// All, to be changed in place.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.list.iter_mut()
    }

    /// Sorted by file, place and severity, each message once: for showing.
    pub fn sorted(mut self) -> Self {
        let place = |d: &Diagnostic| (d.subject.map(|s| (s.source, s.start)), d.severity);
        self.list.sort_by_key(place);
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(self.list.len());
        for diagnostic in self.list {
            let beside = kept
                .iter()
                .rev()
                .take_while(|other| place(other) == place(&diagnostic));
            if !beside.into_iter().any(|other| *other == diagnostic) {
                kept.push(diagnostic);
            }
        }
        Self { list: kept }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            list: vec![diagnostic],
        }
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, iter: T) {
        self.list.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a mut Diagnostics {
    type Item = &'a mut Diagnostic;
    type IntoIter = std::slice::IterMut<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter_mut()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceId;

    #[test]
    fn what_is_shown_is_sorted_and_told_once() {
        let at = |start| Span::new(SourceId(0), start, start + 1);
        let late = || Diagnostic::error("late", "Late", "").at(at(9));
        let early = || Diagnostic::error("early", "Early", "").at(at(1));
        let warning = || Diagnostic::warning("warning", "Warning", "").at(at(1));
        let nowhere = || Diagnostic::error("nowhere", "Nowhere", "");
        let mut diagnostics = Diagnostics::new();
        diagnostics.extend([
            late(),
            warning(),
            early(),
            warning(),
            late(),
            nowhere(),
            early(),
        ]);
        assert!(diagnostics.has_errors());
        let shown: Vec<Diagnostic> = diagnostics.sorted().into_iter().collect();
        assert_eq!(shown, [nowhere(), early(), warning(), late()]);
    }

    #[test]
    fn messages_that_differ_at_one_place_all_stay() {
        let one = |detail: &str| Diagnostic::error("id", "Summary", detail);
        let mut diagnostics = Diagnostics::from(one("a"));
        diagnostics.extend([one("b"), one("a")]);
        assert_eq!(diagnostics.sorted().len(), 2);
    }
}
