//! Rule 6: two planning runs over the same inputs give the same bytes. A test shows it; this checks that it is there.

use super::Violation;
use crate::facts::Facts;
use crate::source::Kind;

/// The end of the test's name.
const NAME: &str = "give_the_same_bytes";

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let is_the_test = |kind: &Kind| matches!(kind, Kind::Function(function) if function.is_test && function.name.ends_with(NAME));
    if facts
        .sources
        .iter()
        .any(|source| source.seen.iter().any(|seen| is_the_test(&seen.kind)))
    {
        return Vec::new();
    }
    let what = format!(
        "no test plans twice over the same inputs and compares the plans byte by byte (a #[test] named ..{NAME})"
    );
    vec![Violation::new("tests", what)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    #[test]
    fn a_missing_test_is_found() {
        assert_eq!(
            check(&file(
                "tests/worlds/tests/x.rs",
                "#[test] fn other() {} fn plans_give_the_same_bytes() {}"
            ))
            .len(),
            1
        );
        assert_eq!(
            check(&file(
                "tests/worlds/tests/x.rs",
                "#[test] fn two_plans_give_the_same_bytes() {}"
            )),
            []
        );
    }
}
