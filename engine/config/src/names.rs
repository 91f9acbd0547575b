//! What a name may be.

use terrace_diag::{Diagnostic, Diagnostics, SourceFile};
use terrace_syntax::Label;

/// Names that mean something in module blocks, and so cannot name variables.
pub(crate) const RESERVED_VARIABLES: [&str; 8] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "lifecycle",
    "depends_on",
    "locals",
];

/// Whether `name` is an identifier.
pub(crate) fn is_valid(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// What a name must look like, for messages.
pub(crate) const NAME_RULE: &str = "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.";

/// Complains if `label` is no identifier; `what` is such as `resource name`.
pub(crate) fn check_label(label: &Label, what: &str) -> Option<Diagnostic> {
    (!is_valid(&label.text)).then(|| {
        Diagnostic::error("invalid-name", format!("Invalid {what}"), NAME_RULE).at(label.span)
    })
}

/// The parser knows no file names: names the file where it says that an argument was set before.
pub(crate) fn name_file(diagnostics: &mut Diagnostics, file: &SourceFile) {
    for diagnostic in diagnostics
        .iter_mut()
        .filter(|diagnostic| diagnostic.id == "argument-redefined")
    {
        let Some((before, rest)) = diagnostic.detail.split_once(" at line ") else {
            continue;
        };
        let Some((place, after)) = rest.split_once(". ") else {
            continue;
        };
        let Some((line, column)) = place.split_once(", column ") else {
            continue;
        };
        let (Ok(line), Ok(column)) = (line.parse::<u32>(), column.parse::<usize>()) else {
            continue;
        };
        let name = file
            .line(line)
            .chars()
            .skip(column - 1)
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        let end = column + name.count();
        diagnostic.detail = format!("{before} at {}:{line},{column}-{end}. {after}", file.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(is_valid("a-b_1") && is_valid("_x") && is_valid("é"));
        assert!(!is_valid("1a") && !is_valid("a b") && !is_valid("") && !is_valid("-a"));
    }
}
