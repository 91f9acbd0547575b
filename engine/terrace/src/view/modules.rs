//! The tree of called modules.

use std::fmt::Write as _;

/// A module with those that it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CalledModule {
    /// The name of the call.
    pub(crate) key: String,
    /// The source, in full.
    pub(crate) source: String,
    /// The version; empty where there is none.
    pub(crate) version: String,
    /// What it calls.
    pub(crate) calls: Vec<Self>,
}

/// The tree as text.
pub(crate) fn tree(called: &[CalledModule]) -> String {
    let mut text = "\nModules declared by configuration:\n.\n".to_owned();
    branches(called, "", &mut text);
    text
}

fn branches(called: &[CalledModule], indent: &str, text: &mut String) {
    for (index, module) in called.iter().enumerate() {
        let is_last = index + 1 == called.len();
        let (branch, below) = if is_last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        // Writing to a string cannot fail.
        let _written = write!(text, "{indent}{branch}{:?}[{}]", module.key, module.source);
        if !module.version.is_empty() {
            let _written = write!(text, " {}", module.version);
        }
        text.push('\n');
        branches(&module.calls, &format!("{indent}{below}"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_below_their_callers() {
        let module = |key: &str, version: &str, calls: Vec<CalledModule>| CalledModule {
            key: key.to_owned(),
            source: format!("./{key}"),
            version: version.to_owned(),
            calls,
        };
        let called = [
            module("a", "1.2.3", vec![module("b", "", Vec::new())]),
            module("c", "", vec![module("d", "", Vec::new())]),
        ];
        assert_eq!(
            tree(&called),
            "\nModules declared by configuration:\n.\n├── \"a\"[./a] 1.2.3\n│   └── \"b\"[./b]\n└── \"c\"[./c]\n    └── \"d\"[./d]\n"
        );
    }
}
