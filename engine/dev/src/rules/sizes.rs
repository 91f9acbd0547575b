//! Rule 8: files over 1,000 lines and functions over 100 lines of code need a stated reason: `// size: reason` above the
//! function or among a file's first lines, or `#[expect(clippy::too_many_lines, reason = "…")]`.

use super::Violation;
use crate::facts::Facts;
use crate::source::Kind;

const FILE: usize = 1_000;
const FUNCTION: usize = 100;
/// How far down a file's own reason may stand.
const HEAD: usize = 20;

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in &facts.sources {
        let lines = source.text.lines().count();
        let head: Vec<&str> = source.text.lines().take(HEAD).collect();
        let says_why = head.iter().any(|line| {
            line.trim_start()
                .strip_prefix("// size: ")
                .is_some_and(|reason| reason.len() > 9)
        });
        if lines > FILE && !says_why {
            let what = format!(
                "{lines} lines; split it by noun, or say `// size: reason` within the first {HEAD} lines"
            );
            violations.push(Violation::new(&source.path, what));
        }
        for seen in &source.seen {
            if let Kind::Function(function) = &seen.kind
                && function.lines > FUNCTION
                && !function.has_size_reason
            {
                let what = format!(
                    "{} has {} lines of code; split it, or say why with `// size: reason`",
                    function.name, function.lines
                );
                violations.push(Violation::at(&source.path, seen.line, what));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    fn function(lines: usize, above: &str) -> String {
        format!(
            "{above}\nfn long() {{\n{}}}\n",
            "    call();\n".repeat(lines)
        )
    }

    #[test]
    fn long_functions_are_found() {
        let path = "engine/plan/src/lib.rs";
        assert_eq!(check(&file(path, &function(101, ""))).len(), 1);
        assert_eq!(check(&file(path, &function(100, ""))), []);
        assert_eq!(
            check(&file(
                path,
                &function(101, "// size: one table, which reads best in one piece")
            )),
            []
        );
        assert_eq!(
            check(&file(
                path,
                &function(
                    101,
                    "#[expect(clippy::too_many_lines, reason = \"a table\")]"
                )
            )),
            []
        );
    }

    #[test]
    fn long_files_are_found() {
        let path = "engine/plan/src/lib.rs";
        assert_eq!(check(&file(path, &"\n".repeat(1_001))).len(), 1);
        assert_eq!(check(&file(path, &"\n".repeat(1_000))), []);
        assert_eq!(
            check(&file(
                path,
                &format!(
                    "// size: the table of all functions\n{}",
                    "\n".repeat(1_001)
                )
            )),
            []
        );
    }
}
