//! Rule 1: engine/* never depends on providers/*, modules/* or state-backends/*, except the binary that wires them.

use super::Violation;
use crate::facts::Facts;

const ADAPTERS: [&str; 3] = ["providers", "modules", "state-backends"];
const BINARY: &str = "engine/terrace";

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, package) in facts
        .packages_under("engine")
        .filter(|(_, package)| package.directory != BINARY)
    {
        for dependency in &package.dependencies {
            let adapter = ADAPTERS
                .into_iter()
                .flat_map(|folder| facts.packages_under(folder))
                .find(|(name, _)| **name == dependency.name);
            if let Some((adapter, found)) = adapter {
                let what = format!(
                    "{name} depends on {adapter} ({}); adapters are reached through traits of terrace-port",
                    found.directory
                );
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
    fn an_engine_crate_that_uses_an_adapter_is_found() {
        for dependency in ["terrace-provider-std", "dev:terrace-provider-std"] {
            let facts = repository(&[
                ("terrace-plan", "engine/plan", &[dependency]),
                ("terrace-provider-std", "providers/std", &[]),
            ]);
            let found = check(&facts);
            assert_eq!(found.len(), 1);
            assert!(found[0].what.contains("providers/std"), "{}", found[0]);
        }
    }

    #[test]
    fn the_binary_and_test_crates_may() {
        let facts = repository(&[
            ("terrace", "engine/terrace", &["terrace-provider-std"]),
            ("terrace-worlds", "tests/worlds", &["terrace-provider-std"]),
            ("terrace-provider-std", "providers/std", &[]),
        ]);
        assert_eq!(check(&facts), []);
    }
}
