//! `cargo dev conformance`: how often Terrace answers as the reference does.

use crate::test::{self, Outcome};
use crate::{Failure, evidence, workspace};

/// Runs the corpora and writes the evidence; whether all floors hold.
pub(crate) fn run() -> Result<bool, Failure> {
    let mut command = workspace::cargo();
    command.args([
        "test",
        "--package",
        "terrace-conformance",
        "--no-fail-fast",
        "--color",
        "never",
        "--",
        "--show-output",
    ]);
    let Outcome {
        figures, succeeded, ..
    } = test::tests(&mut command)?;
    let rows: Vec<String> = figures.iter().filter_map(|figure| row(figure)).collect();
    if rows.is_empty() {
        return Err("the corpora told no counts".into());
    }
    let about = "What Terraform 1.11 answers, and how often Terrace answers the same. The corpora are in `tests/conformance`; its\n\
                 tests print these counts and hold them as floors. Syntax: accepted or refused, the tree, the line of the first\n\
                 error. Format: the bytes. Expressions: value, type and error. Scenarios: whole plans with actions and values,\n\
                 or the errors.";
    let facts = format!(
        "| corpus | alike | of |\n| --- | ---: | ---: |\n{}\n",
        rows.join("\n")
    );
    evidence::write("conformance", "Held to the reference", about, &facts)?;
    Ok(succeeded)
}

/// A row of the table for `NAME: N of M`.
fn row(figure: &str) -> Option<String> {
    let (name, counts) = figure.rsplit_once(": ")?;
    let (alike, of) = counts.split_once(" of ")?;
    let of: String = of.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("| {name} | {alike} | {of} |"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_rows() {
        assert_eq!(
            row("syntax corpus: 199 of 200 alike").unwrap(),
            "| syntax corpus | 199 | 200 |"
        );
        assert_eq!(row("nothing"), None);
    }
}
