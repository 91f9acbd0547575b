//! Rule 3: petgraph only in graph; tonic and prost only under providers/; HTTP clients only in adapters.

use super::Violation;
use crate::facts::{Facts, is_under};

const HTTP_CLIENTS: [&str; 12] = [
    "reqwest",
    "hyper",
    "hyper-util",
    "hyper-rustls",
    "ureq",
    "curl",
    "isahc",
    "surf",
    "attohttpc",
    "minreq",
    "aws-config",
    "azure_core",
];
const ADAPTERS: [&str; 3] = ["providers", "modules", "state-backends"];

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in facts
        .packages
        .values()
        .filter(|package| !is_under(&package.directory, "tests"))
    {
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let rooms: &[&str] = match name {
                "petgraph" => &["engine/graph"],
                _ if ["tonic", "prost", "protox"]
                    .iter()
                    .any(|family| name == *family || name.starts_with(&format!("{family}-"))) =>
                {
                    &["providers"]
                }
                _ if HTTP_CLIENTS.contains(&name) && !dependency.is_dev => &ADAPTERS,
                _ => continue,
            };
            if !rooms.iter().any(|room| is_under(&package.directory, room)) {
                let what = format!("{name} belongs in {} only", rooms.join(", "));
                violations.push(Violation::new(
                    format!("{}/Cargo.toml", package.directory),
                    what,
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::repository;

    #[test]
    fn each_library_outside_its_room_is_found() {
        for (directory, library) in [
            ("engine/planner", "petgraph"),
            ("engine/port", "tonic"),
            ("engine/terrace", "prost-types"),
            ("state-backends/http", "prost"),
            ("engine/gate", "reqwest"),
            ("engine/terrace", "hyper-util"),
        ] {
            let found = check(&repository(&[("x", directory, &[library])]));
            assert_eq!(found.len(), 1, "{directory} with {library}");
        }
    }

    #[test]
    fn in_their_rooms_they_are_fine() {
        for (directory, library) in [
            ("engine/graph", "petgraph"),
            ("providers/client", "tonic"),
            ("state-backends/http", "reqwest"),
            ("modules/source", "ureq"),
            ("tests/services", "hyper"),
        ] {
            assert_eq!(
                check(&repository(&[("x", directory, &[library])])),
                [],
                "{directory} with {library}"
            );
        }
    }
}
