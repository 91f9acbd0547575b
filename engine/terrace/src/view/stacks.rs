//! Stacks of a project: whose turn it is, what became of them, what they take from each other.

use terrace_plan::UsedOutput;

use super::table::table;

/// A line above what belongs to one stack.
pub(crate) fn heading(name: &str, path: &str, width: usize) -> String {
    let title = if name == path {
        format!("── {name} ")
    } else {
        format!("── {name} ({path}) ")
    };
    let used = title.chars().count();
    format!(
        "\n{title}{}",
        "─".repeat(width.min(77).saturating_sub(used))
    )
}

/// What became of all stacks: name, result, changes and run of each.
pub(crate) fn summary(rows: &[Vec<String>], width: usize) -> String {
    format!(
        "\n{}\n\n{}",
        "─".repeat(width.min(77)),
        table(&["Stack", "Result", "Changes", "Run"], rows)
    )
}

/// Which variables have their values from other stacks.
pub(crate) fn taken(used: &[UsedOutput]) -> String {
    let line = |used: &UsedOutput| {
        format!(
            "  var.{} is the output {:?} of {} (run {})",
            used.variable, used.output, used.stack, used.run
        )
    };
    let lines: Vec<String> = used.iter().map(line).collect();
    format!("From other stacks:\n{}", lines.join("\n"))
}
