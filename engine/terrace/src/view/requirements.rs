//! The tree of what modules require of providers.

use std::fmt::Write as _;

/// A module with what it requires and what it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequiringModule {
    /// How its caller names it; empty for the root.
    pub(crate) name: String,
    /// Providers with their version constraints, which may be empty.
    pub(crate) providers: Vec<(String, String)>,
    /// What it calls.
    pub(crate) calls: Vec<Self>,
}

/// The tree, and the providers that the state needs, as text.
pub(crate) fn tree(root: &RequiringModule, of_state: &[String]) -> String {
    let mut text = "\nProviders required by configuration:\n.\n".to_owned();
    branches(root, "", &mut text);
    text.push('\n');
    if !of_state.is_empty() {
        text.push_str("Providers required by state:\n\n");
        for provider in of_state {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "    provider[{provider}]\n");
        }
    }
    text.trim_end_matches('\n').to_owned() + "\n"
}

fn branches(module: &RequiringModule, indent: &str, text: &mut String) {
    let n_items = module.providers.len() + module.calls.len();
    let branch = |index: usize| {
        if index + 1 == n_items {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        }
    };
    for (index, (provider, versions)) in module.providers.iter().enumerate() {
        let line = format!("{indent}{}provider[{provider}] {versions}", branch(index).0);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for (index, call) in module.calls.iter().enumerate() {
        let (branch, below) = branch(module.providers.len() + index);
        let _written = writeln!(text, "{indent}{branch}module.{}", call.name);
        branches(call, &format!("{indent}{below}"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_below_their_modules() {
        let provider = |name: &str, versions: &str| (name.to_owned(), versions.to_owned());
        let deep = RequiringModule {
            name: "deep".to_owned(),
            providers: vec![provider("a/b/c", "")],
            ..RequiringModule::default()
        };
        let root = RequiringModule {
            providers: vec![provider("a/b/c", ">= 1.0.0")],
            calls: vec![
                RequiringModule {
                    name: "m".to_owned(),
                    calls: vec![deep.clone()],
                    ..RequiringModule::default()
                },
                deep,
            ],
            ..RequiringModule::default()
        };
        let text = tree(&root, &["a/b/d".to_owned()]);
        assert_eq!(
            text,
            "\nProviders required by configuration:\n.\n├── provider[a/b/c] >= 1.0.0\n├── module.m\n│   └── module.deep\n│       └── provider[a/b/c]\n└── module.deep\n    └── provider[a/b/c]\n\nProviders required by state:\n\n    provider[a/b/d]\n"
        );
    }
}
