//! What is printed, and what goes into the evidence.

use std::fmt::Write as _;

use crate::arguments::Arguments;
use crate::configuration::{self, Found as Followed};
use crate::expressions::{Comparison, Found};
use crate::known::KNOWN;
use crate::outcome::Class;

/// Prints the disagreements over expressions.
pub(crate) fn expressions(found: &Found, seed: u64) {
    for disagreement in &found.disagreements {
        println!(
            "\n{} (seed {seed}, expression {}):\n  {}\n  terraform: {}\n  terrace:   {}",
            disagreement.class,
            disagreement.index,
            disagreement.node.to_string().replace('\n', "\n  "),
            disagreement.reference,
            disagreement.ours
        );
    }
    println!(
        "\nexpressions: {}; same value {}, same refusal {}",
        found.n_expressions, found.n_values, found.n_refused
    );
    for (class, n) in &found.counts {
        println!("  {class}: {n}");
    }
    for (name, n) in &found.n_known {
        println!("  meant, {name}: {n}");
    }
}

/// Prints the counts of configurations.
pub(crate) fn configurations(followed: &Followed) {
    println!(
        "\nconfigurations: {}; the same throughout {}; planned without an error at least once {}",
        followed.n_configurations, followed.n_same, followed.n_planned
    );
    for (sort, n) in &followed.counts {
        println!("  {sort}: {n}");
    }
}

/// The facts as Markdown.
pub(crate) fn facts(
    comparison: &Comparison<'_>,
    arguments: &Arguments,
    found: &Found,
    followed: &Followed,
) -> String {
    let mut text = format!(
        "- terraform: {}\n- terrace: {}\n- seed: {}\n\n| expressions | count |\n| --- | ---: |\n| evaluated | {} |\n\
         | same value, type, unknown and sensitive parts | {} |\n| same errors, word for word | {} |\n",
        comparison.reference.version,
        comparison.ours.version,
        arguments.seed,
        found.n_expressions,
        found.n_values,
        found.n_refused,
    );
    for class in Class::ALL {
        let n = found.counts.get(&class).copied().unwrap_or_default();
        let _infallible = writeln!(text, "| {class} | {n} |");
    }
    let _infallible = write!(
        text,
        "\n| configurations | count |\n| --- | ---: |\n| planned, applied, changed and planned again | {} |\n\
         | same errors, plans, states and exit codes throughout | {} |\n| with at least one plan without an error | {} |\n",
        followed.n_configurations, followed.n_same, followed.n_planned
    );
    for (sort, n) in &followed.counts {
        let _infallible = writeln!(text, "| differ first in {sort} | {n} |");
    }
    text.push_str("\nMeant to differ:\n\n| what | why | expressions |\n| --- | --- | ---: |\n");
    for known in &KNOWN {
        let n = found.n_known.get(known.name).copied().unwrap_or_default();
        let _infallible = writeln!(text, "| {} | {} | {n} |", known.name, known.reason);
    }
    text.push_str("\n| what | why | configurations |\n| --- | --- | ---: |\n");
    for known in &configuration::known::KNOWN {
        let n = followed
            .n_known
            .get(known.name)
            .copied()
            .unwrap_or_default();
        let _infallible = writeln!(text, "| {} | {} | {n} |", known.name, known.reason);
    }
    text
}
