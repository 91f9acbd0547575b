//! `terrace fmt`

use std::io::Read as _;

use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap};
use terrace_port::Files as _;

use crate::args::FmtArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS, UNFORMATTED};
use crate::outside::{Disk, write_file};
use crate::session::Session;

/// Files that are rewritten, by how their names end.
const ENDINGS: [&str; 6] = [
    ".tf",
    ".tfvars",
    ".tftest.hcl",
    ".tofu",
    ".tofutest.hcl",
    "terrace.hcl",
];

pub(crate) fn run(session: &Session, args: &FmtArgs) -> Outcome {
    let mut run = Run {
        session,
        args,
        differs: false,
        diagnostics: Diagnostics::new(),
        sources: SourceMap::new(),
    };
    let here = vec![".".to_owned()];
    let paths = if args.paths.is_empty() {
        &here
    } else {
        &args.paths
    };
    for path in paths {
        if path == "-" {
            run.standard_input();
        } else if Disk.exists(path) {
            run.file(path);
        } else {
            run.directory(path);
        }
    }
    if run.diagnostics.has_errors() {
        return Err(CommandError::new(run.diagnostics, run.sources));
    }
    Ok(if args.check && run.differs {
        UNFORMATTED
    } else {
        SUCCESS
    })
}

struct Run<'a> {
    session: &'a Session,
    args: &'a FmtArgs,
    differs: bool,
    diagnostics: Diagnostics,
    sources: SourceMap,
}

impl Run<'_> {
    fn directory(&mut self, path: &str) {
        let entries = match Disk.list(path) {
            Ok(entries) => entries,
            Err(error) => {
                let detail =
                    format!("{path} is neither a file nor a folder that can be read: {error}.");
                self.diagnostics.push(Diagnostic::error(
                    "unreadable-file",
                    "File or folder cannot be read",
                    detail,
                ));
                return;
            }
        };
        for entry in entries {
            let inner = if path == "." {
                entry.name.clone()
            } else {
                format!("{}/{}", path.trim_end_matches('/'), entry.name)
            };
            if entry.is_directory {
                if self.args.recursive && !entry.name.starts_with('.') {
                    self.directory(&inner);
                }
            } else if ENDINGS.iter().any(|ending| entry.name.ends_with(ending)) {
                self.file(&inner);
            }
        }
    }

    /// The text in the usual form, when it can be parsed.
    fn formatted(&mut self, name: &str, bytes: &[u8]) -> Option<(String, String)> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let id = self.sources.add(SourceFile::new(name, text.clone()));
        let (_, diagnostics) = terrace_syntax::parse(id, bytes);
        if diagnostics.has_errors() {
            self.diagnostics.append(diagnostics);
            return None;
        }
        let formatted = terrace_syntax::format(&text);
        Some((text, formatted))
    }

    fn file(&mut self, path: &str) {
        let bytes = match Disk.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let detail = format!("{path} cannot be read: {error}.");
                self.diagnostics.push(Diagnostic::error(
                    "unreadable-file",
                    "File or folder cannot be read",
                    detail,
                ));
                return;
            }
        };
        let Some((text, formatted)) = self.formatted(path, &bytes) else {
            return;
        };
        if text == formatted {
            return;
        }
        self.differs = true;
        if self.args.list {
            self.session.view.output(path);
        }
        if self.args.diff {
            self.show_diff(path, &text, &formatted);
        }
        if self.args.write
            && !self.args.check
            && let Err(error) = write_file(path, formatted.as_bytes())
        {
            let detail = format!("{path} cannot be written: {error}.");
            self.diagnostics.push(Diagnostic::error(
                "unwritable-file",
                "File cannot be written",
                detail,
            ));
        }
    }

    fn show_diff(&self, path: &str, old: &str, new: &str) {
        let diff = similar::TextDiff::from_lines(old, new);
        let text = diff
            .unified_diff()
            .header(&format!("old/{path}"), &format!("new/{path}"))
            .to_string();
        self.session.view.output(text.trim_end());
    }

    fn standard_input(&mut self) {
        let mut bytes = Vec::new();
        if let Err(error) = std::io::stdin().lock().read_to_end(&mut bytes) {
            let detail = format!("Standard input cannot be read: {error}.");
            self.diagnostics.push(Diagnostic::error(
                "unreadable-file",
                "File or folder cannot be read",
                detail,
            ));
            return;
        }
        let Some((text, formatted)) = self.formatted("<stdin>", &bytes) else {
            return;
        };
        self.differs |= text != formatted;
        if self.args.diff && text != formatted {
            self.show_diff("<stdin>", &text, &formatted);
        } else if !self.args.check {
            self.session.view.raw(formatted.as_bytes());
        }
    }
}
