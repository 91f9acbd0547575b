//! Small expressions over which random ones differed from Terraform.

mod support;

use support::evaluate;
use terrace_eval::NoValues;

fn summaries(expression: &str) -> Vec<String> {
    evaluate(expression, "", &NoValues)
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.summary.clone())
        .collect()
}

#[test]
fn the_condition_of_a_for_is_looked_at_over_no_items_too() {
    assert_eq!(
        summaries("[for x in [] : x if 1]"),
        ["Invalid 'for' condition"]
    );
    assert!(summaries("[for x in [] : x if x]").is_empty());
}

#[test]
fn what_try_expands_is_evaluated_first() {
    assert_eq!(summaries("try(1...)"), ["Invalid expanding argument value"]);
    assert!(summaries("try([1, 2]...)").is_empty());
}
