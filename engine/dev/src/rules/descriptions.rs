//! Every crate says in its manifest what it is.

use super::Violation;
use crate::facts::Facts;

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let undescribed = facts
        .packages
        .values()
        .filter(|package| package.description.split_whitespace().count() < 3);
    undescribed
        .map(|package| {
            Violation::new(
                format!("{}/Cargo.toml", package.directory),
                "the description says nothing; write one line",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::repository;

    #[test]
    fn a_placeholder_is_found() {
        let mut facts = repository(&[("x", "engine/x", &[])]);
        assert_eq!(check(&facts), []);
        for description in ["", "DESC", "To do"] {
            facts.packages.get_mut("x").unwrap().description = description.to_owned();
            assert_eq!(check(&facts).len(), 1, "{description:?}");
        }
    }
}
