//! Committed texts name no path of a machine and no host of a package registry.

use super::Violation;
use crate::facts::{Facts, is_under};

/// Paths of machines. Those of the second list may stand in tests.
const NEVER: [&str; 1] = [concat!("/wo", "rk/")];
const OUTSIDE_TESTS: [&str; 3] = [
    concat!("/ro", "ot/"),
    concat!("/t", "mp/"),
    concat!("/ho", "me/"),
];
const HOSTS: [&str; 7] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("sum.golang", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("deb.debian", ".org"),
];

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in facts
        .texts
        .iter()
        .filter(|(path, _)| !path.ends_with("Cargo.lock"))
    {
        let source = facts.sources.iter().find(|source| source.path == *path);
        for (index, line) in text.lines().enumerate() {
            let in_test = is_under(path, "tests")
                || path.contains("/tests/")
                || source.is_some_and(|source| source.is_test_line(index + 1));
            let paths = NEVER
                .iter()
                .chain(OUTSIDE_TESTS.iter().filter(|_| !in_test));
            if let Some(found) = paths.copied().find(|needle| names_path(line, needle)) {
                violations.push(Violation::at(
                    path,
                    index + 1,
                    format!("{found} is a path of a machine"),
                ));
            }
            if let Some(host) = HOSTS.into_iter().find(|host| line.contains(host)) {
                violations.push(Violation::at(
                    path,
                    index + 1,
                    format!("{host} is a registry's host; name the tool that uses it"),
                ));
            }
        }
    }
    violations
}

/// Whether a line holds a path that begins with `needle`, and not one that merely has it inside.
fn names_path(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/*}$~".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    #[test]
    fn machines_and_registries_are_found() {
        for text in [
            NEVER[0],
            OUTSIDE_TESTS[0],
            OUTSIDE_TESTS[1],
            HOSTS[0],
            HOSTS[3],
        ] {
            let facts = Facts {
                texts: vec![("docs/a.md".into(), format!("see {text}x"))],
                ..Facts::default()
            };
            assert_eq!(check(&facts).len(), 1, "{text}");
        }
    }

    #[test]
    fn tests_may_name_made_up_paths() {
        let code = format!(
            "#[test] fn t() {{ f({:?}) }}",
            format!("{}x", OUTSIDE_TESTS[1])
        );
        assert_eq!(check(&file("engine/plan/src/lib.rs", &code)), []);
        assert_eq!(
            check(&file(
                "engine/plan/src/lib.rs",
                &code.replace("#[test] ", "")
            ))
            .len(),
            1
        );
        let never = code.replace(OUTSIDE_TESTS[1], NEVER[0]);
        assert_eq!(check(&file("engine/plan/src/lib.rs", &never)).len(), 1);
    }

    #[test]
    fn relative_paths_are_not_paths_of_a_machine() {
        let text = format!("target{}a module/home", OUTSIDE_TESTS[1]);
        let facts = Facts {
            texts: vec![("docs/a.md".into(), text)],
            ..Facts::default()
        };
        assert_eq!(check(&facts), []);
    }
}
