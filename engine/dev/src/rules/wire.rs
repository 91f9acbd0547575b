//! Rule 5: no serde derive outside of modules named `wire`.

use super::Violation;
use crate::facts::{Facts, is_test_support};
use crate::source::Kind;

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in facts
        .sources
        .iter()
        .filter(|source| !is_test_support(&source.path))
    {
        for seen in source.seen_in_use().filter(|seen| !seen.in_wire) {
            if let Kind::Implements(names) = &seen.kind
                && let Some(name) = names.iter().find(|name| {
                    ["Serialize", "Deserialize", "DeserializeOwned"].contains(&name.as_str())
                })
            {
                let what = format!(
                    "{name} outside of a module named wire; give the file's form types of its own there"
                );
                violations.push(Violation::at(&source.path, seen.line, what));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    #[test]
    fn serde_outside_of_wire_is_found() {
        for code in [
            "#[derive(Clone, Serialize)] struct State;",
            "#[derive(serde::Deserialize)] enum State {}",
            "#[cfg_attr(feature = \"x\", derive(Serialize))] struct State;",
            "impl serde::Serialize for State {}",
        ] {
            assert_eq!(
                check(&file("engine/state/src/state.rs", code)).len(),
                1,
                "{code}"
            );
        }
    }

    #[test]
    fn in_wire_and_in_tests_it_is_fine() {
        let derived = "#[derive(Serialize)] struct State;";
        assert_eq!(check(&file("engine/state/src/wire/v4.rs", derived)), []);
        assert_eq!(
            check(&file("state-backends/local/src/wire.rs", derived)),
            []
        );
        assert_eq!(
            check(&file(
                "engine/state/src/state.rs",
                &format!("mod wire {{ {derived} }}")
            )),
            []
        );
        assert_eq!(
            check(&file(
                "engine/state/src/state.rs",
                &format!("#[cfg(test)] mod tests {{ {derived} }}")
            )),
            []
        );
        assert_eq!(check(&file("engine/state/src/wired.rs", derived)).len(), 1);
    }
}
