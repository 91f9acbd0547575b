//! Annotations on lines of files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::PlanReport;

/// How serious an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Notice,
}

/// A remark at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How serious it is.
    pub level: Level,
    /// The file, relative to the repository.
    pub file: String,
    /// The lines, from 1.
    pub lines: (u32, u32),
    /// In short.
    pub title: String,
    /// In full.
    pub message: String,
}

/// How many annotations of one level a step may make.
const A_STEP: usize = 10;

impl Annotation {
    /// What is to be said of a plan at the lines of its files: problems wherever they are, and changes of objects whose
    /// blocks the change touches (`lines` says which; a file without lines counts as a whole).
    pub fn of(
        report: &PlanReport,
        lines: &BTreeMap<String, Vec<RangeInclusive<u32>>>,
    ) -> Vec<Self> {
        let mut all: Vec<Self> = report
            .problems
            .iter()
            .filter_map(|problem| {
                Some(Self {
                    level: if problem.is_error {
                        Level::Error
                    } else {
                        Level::Warning
                    },
                    file: problem.file.clone()?,
                    lines: (problem.line.max(1), problem.line.max(1)),
                    title: format!("{}: {}", report.name(), problem.title),
                    message: problem.message.clone(),
                })
            })
            .collect();
        for object in &report.objects {
            let Some(file) = &object.file else { continue };
            if touching(lines, file, object.lines) {
                all.push(Self {
                    level: if object.action == "delete" || object.action == "replace" {
                        Level::Warning
                    } else {
                        Level::Notice
                    },
                    file: file.clone(),
                    lines: (object.lines.0.max(1), object.lines.1.max(1)),
                    title: format!("{}: {}", report.name(), object.action),
                    message: format!("{} {}", object.action, object.address),
                });
            }
        }
        all.sort_by_key(|annotation| annotation.level);
        all
    }
}

/// Whether lines of a file are among those that a change touches.
pub fn touching(
    lines: &BTreeMap<String, Vec<RangeInclusive<u32>>>,
    file: &str,
    (first, last): (u32, u32),
) -> bool {
    lines.get(file).is_some_and(|ranges| {
        ranges.is_empty()
            || ranges
                .iter()
                .any(|range| *range.start() <= last && *range.end() >= first)
    })
}

/// The lines of a file's new version that a patch in unified form adds or changes; a place where lines were only taken away is
/// the line that follows.
pub fn changed_lines(patch: &str) -> Vec<RangeInclusive<u32>> {
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    let mut line = 0_u32;
    for text in patch.lines() {
        if let Some(header) = text.strip_prefix("@@ ") {
            line = header
                .split_once('+')
                .and_then(|(_, rest)| rest.split([',', ' ']).next()?.parse().ok())
                .unwrap_or(0);
            continue;
        }
        if line == 0 {
            continue;
        }
        match text.as_bytes().first() {
            Some(b'+') => {
                add(&mut ranges, line);
                line += 1;
            }
            Some(b'-') => add(&mut ranges, line),
            Some(b'\\') => {}
            _ => line += 1,
        }
    }
    ranges
}

fn add(ranges: &mut Vec<RangeInclusive<u32>>, line: u32) {
    match ranges.last_mut() {
        Some(last) if line <= last.end() + 1 => *last = *last.start()..=line.max(*last.end()),
        _ => ranges.push(line..=line),
    }
}

/// The lines that a step prints so that GitHub shows annotations: at most ten of each level, which is all that it takes; how many are left
/// out is the last of them.
pub fn commands(annotations: &[Annotation]) -> Vec<String> {
    let mut lines = Vec::new();
    for (level, name) in [
        (Level::Error, "error"),
        (Level::Warning, "warning"),
        (Level::Notice, "notice"),
    ] {
        let all: Vec<&Annotation> = annotations
            .iter()
            .filter(|annotation| annotation.level == level)
            .collect();
        let room = if all.len() > A_STEP {
            A_STEP - 1
        } else {
            A_STEP
        };
        for annotation in all.iter().take(room) {
            lines.push(format!(
                "::{name} file={},line={},endLine={},title={}::{}",
                property(&annotation.file),
                annotation.lines.0,
                annotation.lines.1,
                property(&annotation.title),
                data(&annotation.message)
            ));
        }
        if all.len() > room {
            lines.push(format!(
                "::{name}::{} more are in the summary",
                all.len() - room
            ));
        }
    }
    lines
}

/// A text as the message of a workflow command.
fn data(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '%' | '\r' | '\n' => {
                write!(escaped, "%{:02X}", u32::from(c))
                    .expect("writing to a string does not fail");
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A text as a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(level: Level, message: &str) -> Annotation {
        Annotation {
            level,
            file: "a,b.tf".to_owned(),
            lines: (3, 4),
            title: "dev: x".to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn nothing_in_a_message_is_a_command() {
        let lines = commands(&[annotation(Level::Error, "100%\n::set-env::x")]);
        assert_eq!(
            lines,
            ["::error file=a%2Cb.tf,line=3,endLine=4,title=dev%3A x::100%25%0A::set-env::x"]
        );
    }

    #[test]
    fn a_step_makes_ten_of_each_level_at_most() {
        let many: Vec<Annotation> = (0..25)
            .map(|n| annotation(Level::Warning, &n.to_string()))
            .chain([annotation(Level::Notice, "x")])
            .collect();
        let lines = commands(&many);
        let warnings = lines.iter().filter(|line| line.starts_with("::warning"));
        assert_eq!(warnings.count(), 10);
        assert!(lines.contains(&"::warning::16 more are in the summary".to_owned()));
        assert_eq!(lines.len(), 11);
    }

    #[test]
    fn lines_of_a_patch() {
        let patch = "@@ -1,4 +1,5 @@\n a\n+b\n+c\n d\n-e\n f\n@@ -20 +21 @@ resource\n-x\n+y\n\\ No newline at end of file\n";
        assert_eq!(changed_lines(patch), [2..=3, 5..=5, 21..=21]);
        assert!(changed_lines("").is_empty());
    }

    #[test]
    fn a_block_is_touched_where_one_of_its_lines_is() {
        let lines = BTreeMap::from([
            ("a.tf".to_owned(), vec![5..=6]),
            ("new.tf".to_owned(), Vec::new()),
        ]);
        assert!(touching(&lines, "a.tf", (1, 5)));
        assert!(!touching(&lines, "a.tf", (7, 9)));
        assert!(touching(&lines, "new.tf", (1, 1)));
        assert!(!touching(&lines, "b.tf", (1, 1)));
    }
}
