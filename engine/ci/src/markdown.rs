//! Texts of others in Markdown.

use std::fmt::Write as _;

/// A text of one line that Markdown shows as it is: no part of it is markup, names anybody, or ends the cell of a table.
pub fn inert(text: &str) -> String {
    let mut shown = String::new();
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if c.is_control() => {}
            // Entities are text in every place, in a table too, and no markup.
            '&' | '<' | '>' | '|' | '@' | '#' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '!'
            | '$' | '{' | '}' | ':' => {
                write!(shown, "&#{};", u32::from(c)).expect("writing to a string does not fail");
            }
            c => shown.push(c),
        }
    }
    shown
}

/// A text of one line in a code span, for a table too.
pub fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let shown = text.trim();
    if shown.is_empty() {
        return String::new();
    }
    // Within HTML's own code element, entities are read, which a code span would show.
    let mut escaped = String::new();
    for c in shown.chars() {
        match c {
            c if c.is_alphanumeric() || " .-/=\"',;+()".contains(c) => escaped.push(c),
            c => write!(escaped, "&#{};", u32::from(c)).expect("writing to a string does not fail"),
        }
    }
    format!("<code>{escaped}</code>")
}

/// A block of text, in a fence that nothing in it ends.
pub fn fenced(text: &str, language: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let end = if text.ends_with('\n') || text.is_empty() {
        ""
    } else {
        "\n"
    };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

/// A plan as a `diff`, whose colours say what happens: the sign of each line comes first.
pub fn as_diff(text: &str) -> String {
    let mut diff = String::with_capacity(text.len());
    for line in text.lines() {
        let line: String = line
            .chars()
            .filter(|c| *c == '\t' || !c.is_control())
            .collect();
        let bare = line.trim_start_matches(' ');
        let indent = &line[..line.len() - bare.len()];
        let sign = ["-/+ ", "+/- ", "+ ", "- ", "~ "]
            .into_iter()
            .find(|sign| bare.starts_with(sign));
        match sign {
            Some("~ ") => {
                diff.push('!');
                diff.push_str(indent);
                diff.push_str(&bare[1..]);
            }
            Some("-/+ " | "+/- ") => {
                diff.push('!');
                diff.push_str(indent);
                diff.push_str(bare);
            }
            Some(sign) => {
                diff.push_str(sign.trim_end());
                diff.push_str(indent);
                diff.push_str(&bare[1..]);
            }
            // A line of a value that begins so at the margin would be coloured as if it were changed.
            None if indent.is_empty() && line.starts_with(['+', '-', '!', '@', '#']) => {
                diff.push(' ');
                diff.push_str(&line);
            }
            None => diff.push_str(&line),
        }
        diff.push('\n');
    }
    diff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_names_nobody_and_ends_no_cell() {
        let shown = inert("@octocat | <img src=x> [a](b)\n# `x` https://evil");
        for bad in ["@", "|", "<", "[", "`", "\n", "://"] {
            assert!(!shown.contains(bad), "{bad}: {shown}");
        }
        assert!(!code("a`b|c<d>@e").contains(['`', '|', '@']));
        assert!(!code("a<d>").contains("<d"));
    }

    #[test]
    fn a_fence_is_longer_than_any_in_its_text() {
        assert_eq!(fenced("a\n", "diff"), "```diff\na\n```\n");
        assert_eq!(fenced("````\nx", ""), "`````\n````\nx\n`````\n");
    }

    #[test]
    fn signs_come_first() {
        let plan = "  # a will be created\n  + resource \"a\" \"b\" {\n      + x = 1\n  ~ y\n-/+ z\n-/+ resource\n      - old = 2\n";
        assert_eq!(
            as_diff(plan),
            "  # a will be created\n+   resource \"a\" \"b\" {\n+       x = 1\n!   y\n!-/+ z\n!-/+ resource\n-       old = 2\n"
        );
    }

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(as_diff("  + \u{1b}[32mx"), "+   [32mx\n");
    }
}
