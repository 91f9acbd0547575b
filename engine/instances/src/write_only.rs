//! What is given to providers and kept nowhere.

use terrace_addr::AbsResourceInstance;
use terrace_schema::{Block, write_only_paths};
use terrace_value::{Marks, Path, Value};

/// What is wrong with an answer that holds write-only attributes: the end of a sentence that begins with the provider.
/// `when` is such as `during planning`.
pub fn write_only_answers(
    address: &AbsResourceInstance,
    block: &Block,
    answer: &Value,
    when: &str,
) -> Vec<String> {
    write_only_paths(block, answer)
        .iter()
        .map(|path| {
            format!(
                "returned a value for the write-only attribute \"{address}{path}\" {when}. Write-only attributes cannot be read back from the provider"
            )
        })
        .collect()
}

/// The marks of a configuration, given without them, that its object keeps. What is ephemeral stands only in write-only
/// attributes, of which nothing is kept.
pub fn lasting_marks(
    block: &Block,
    config: &Value,
    marks: Vec<(Path, Marks)>,
) -> Vec<(Path, Marks)> {
    let given = write_only_paths(block, config);
    marks
        .into_iter()
        .filter(|(path, _)| !given.iter().any(|given| path.starts_with(given)))
        .map(|(path, marks)| (path, marks.without(Marks::EPHEMERAL)))
        .filter(|(_, marks)| !marks.is_empty())
        .collect()
}
