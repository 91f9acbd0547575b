//! Rule 2: the core builds without tokio and touches no file, environment, clock, process or randomness.

use super::Violation;
use crate::facts::{Facts, is_under};
use crate::source::Kind;

const PURE: [&str; 8] = [
    "engine/syntax",
    "engine/config",
    "engine/value",
    "engine/addr",
    "engine/graph",
    "engine/functions",
    "engine/eval",
    "engine/plan",
];
const OUTSIDE: [&str; 11] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::time::SystemTime",
    "std::time::Instant",
    "rand",
    "getrandom",
];
const ASKING: [&str; 4] = [
    "Timestamp::now",
    "Zoned::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
];

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, package) in PURE
        .into_iter()
        .flat_map(|folder| facts.packages_under(folder))
    {
        if let Some(way) = facts.way(package, "tokio") {
            let what = format!("{name} is built with tokio: {}", way.join(" -> "));
            violations.push(Violation::new(
                format!("{}/Cargo.toml", package.directory),
                what,
            ));
        }
    }
    let sources = facts
        .sources
        .iter()
        .filter(|source| PURE.iter().any(|folder| is_under(&source.path, folder)));
    for source in sources.filter(|source| source.path.contains("/src/")) {
        for seen in source.seen_in_use() {
            if let Kind::Path(path) = &seen.kind
                && reaches_outside(path)
            {
                let what = format!(
                    "{path} reaches outside; what the core needs comes in through terrace-port"
                );
                violations.push(Violation::at(&source.path, seen.line, what));
            }
        }
    }
    violations
}

fn reaches_outside(path: &str) -> bool {
    let begins = |banned: &str| {
        path.strip_prefix(banned)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    OUTSIDE.into_iter().any(begins) || ASKING.into_iter().any(|banned| path.ends_with(banned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::{file, repository};

    #[test]
    fn tokio_is_found_however_far_away() {
        let facts = repository(&[
            ("terrace-eval", "engine/eval", &["helper"]),
            ("helper", "engine/helper", &["tokio"]),
        ]);
        let found = check(&facts);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].what.ends_with("terrace-eval -> helper -> tokio"),
            "{}",
            found[0]
        );
        let facts = repository(&[
            ("terrace-eval", "engine/eval", &["dev:tokio"]),
            ("terrace-apply", "engine/apply", &["tokio"]),
        ]);
        assert_eq!(check(&facts), []);
    }

    #[test]
    fn each_way_outside_is_found() {
        for code in [
            "use std::fs;",
            "use std::{collections::BTreeMap, env};",
            "fn f() { std::process::exit(1) }",
            "use std::time::{Duration, SystemTime};",
            "fn f() { let now = jiff::Timestamp::now(); }",
            "fn f() { format!(\"{}\", rand::random::<u8>()); }",
        ] {
            let found = check(&file("engine/value/src/x.rs", code));
            assert_eq!(found.len(), 1, "{code}: {found:?}");
        }
    }

    #[test]
    fn tests_and_other_crates_may() {
        assert_eq!(
            check(&file(
                "engine/value/src/x.rs",
                "#[cfg(test)] mod tests { use std::fs; }"
            )),
            []
        );
        assert_eq!(check(&file("engine/value/tests/x.rs", "use std::fs;")), []);
        assert_eq!(
            check(&file("state-backends/local/src/x.rs", "use std::fs;")),
            []
        );
        assert_eq!(
            check(&file(
                "engine/value/src/x.rs",
                "use std::time::Duration; const A: &str = env!(\"A\");"
            )),
            []
        );
    }
}
