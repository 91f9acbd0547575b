//! Rule 7: only the binary's `view/` prints.

use super::Violation;
use crate::facts::{Facts, is_test_support, is_under};
use crate::source::Kind;

const VIEW: &str = "engine/terrace/src/view";
/// The other end of the plugin protocol: a plugin's standard output tells the engine where it listens.
const PLUGIN: &str = "providers/sdk-serve/src";
const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    let sources = facts
        .sources
        .iter()
        .filter(|source| !is_test_support(&source.path))
        .filter(|source| !is_under(&source.path, VIEW) && !is_under(&source.path, PLUGIN));
    for source in sources
        .filter(|source| !source.path.contains("/examples/") && !source.path.ends_with("/build.rs"))
    {
        for seen in source.seen_in_use() {
            let what = match &seen.kind {
                Kind::Macro(name) if MACROS.contains(&name.as_str()) => format!("{name}! prints"),
                Kind::Path(path)
                    if ["stdout", "stderr"]
                        .iter()
                        .any(|name| path == &format!("std::io::{name}")) =>
                {
                    format!("{path} prints")
                }
                Kind::Call(call)
                    if ["stdout", "stderr"].contains(&call.name.as_str())
                        && ["io", "Term"].contains(&call.receiver.as_str()) =>
                {
                    format!("{}::{}() prints", call.receiver, call.name)
                }
                _ => continue,
            };
            violations.push(Violation::at(
                &source.path,
                seen.line,
                format!("{what}; only {VIEW} does"),
            ));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    #[test]
    fn printing_elsewhere_is_found() {
        for code in [
            "fn f() { println!(\"a\"); }",
            "fn f() { let x = dbg!(1); }",
            "use std::io::{self, stderr};",
            "fn f() { writeln!(io::stdout(), \"a\"); }",
            "fn f() { console::Term::stdout(); }",
        ] {
            let found = check(&file("engine/terrace/src/commands/plan.rs", code));
            assert_eq!(found.len(), 1, "{code}: {found:?}");
        }
    }

    #[test]
    fn the_view_and_tests_may() {
        let code = "fn f() { println!(\"a\"); }";
        for path in [
            "engine/terrace/src/view/mod.rs",
            "providers/sdk-serve/src/start.rs",
            "engine/dev/src/main.rs",
            "tests/bench/src/main.rs",
            "engine/plan/tests/x.rs",
        ] {
            assert_eq!(check(&file(path, code)), [], "{path}");
        }
        assert_eq!(
            check(&file(
                "engine/plan/src/lib.rs",
                &format!("#[cfg(test)] mod tests {{ {code} }}")
            )),
            []
        );
    }
}
