//! `terrace fmt`

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap, Span};
use terrace_port::Files as _;

use crate::args::FmtArgs;
use crate::command_error::{BROKEN, CommandError, Outcome, SUCCESS, UNFORMATTED};
use crate::outside::{Disk, rewrite};
use crate::session::Session;

/// Files that are rewritten, by how their names end.
const ENDINGS: [&str; 7] = [
    ".tf",
    ".tfvars",
    ".tftest.hcl",
    ".tfmock.hcl",
    ".tofu",
    ".tofutest.hcl",
    "terrace.hcl",
];

/// How many files of one directory are one piece of work. Files of different directories never are: whoever creates
/// files in the same directory waits for the other.
const BATCH: usize = 128;

/// What is asked for, after what the arguments say about each other.
#[derive(Clone, Copy)]
struct Wanted {
    list: bool,
    write: bool,
    diff: bool,
}

pub(crate) fn run(session: &Session, args: &FmtArgs) -> Outcome {
    let from_input = args.paths.first().is_some_and(|path| path == "-");
    // Whoever checks has the list made in any case: that it is not empty is the answer.
    let wanted = Wanted {
        list: args.check || args.list && !from_input,
        write: args.write && !args.check && !from_input,
        diff: args.diff,
    };
    let shown = !args.check || args.list && !from_input;
    let mut run = Run {
        wanted,
        diagnostics: Diagnostics::new(),
        sources: SourceMap::new(),
    };
    let (differs, text) = if from_input {
        run.standard_input()
    } else {
        run.files(&args.paths, args.recursive)
    };
    let failed = run.diagnostics.has_errors();
    // A check that failed says nothing about the files that it could read.
    if shown && !(args.check && failed) {
        for part in &text {
            session.view.output(part.strip_suffix('\n').unwrap_or(part));
        }
    }
    if failed {
        let mut error = CommandError::new(run.diagnostics, run.sources);
        error.code = BROKEN;
        return Err(error);
    }
    Ok(if args.check && differs {
        UNFORMATTED
    } else {
        SUCCESS
    })
}

/// One run: what is wrong so far, and with which files.
struct Run {
    wanted: Wanted,
    diagnostics: Diagnostics,
    sources: SourceMap,
}

/// A file that was looked at.
#[derive(Default)]
struct Formatted {
    /// What to say of it.
    output: Vec<String>,
    differs: bool,
    /// What is wrong, and the file that it is wrong with.
    problems: Option<(Diagnostics, Option<SourceFile>)>,
}

impl Run {
    fn problem(&mut self, id: &'static str, summary: String, detail: String) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail));
    }

    /// Formats what these paths name: whether anything differs, and what to say.
    fn files(&mut self, paths: &[String], recursive: bool) -> (bool, Vec<String>) {
        let here = [".".to_owned()];
        let paths = if paths.is_empty() { &here } else { paths };
        let mut files = Vec::new();
        for path in paths {
            let path = relative(path);
            if Disk.exists(&path) {
                if ENDINGS.iter().any(|ending| path.ends_with(ending)) {
                    files.push(path);
                } else {
                    self.problem(
                        "not-formattable",
                        "Only .tf, .tfvars, and .tftest.hcl files can be processed with terrace fmt"
                            .to_owned(),
                        format!("{path} is not one of them."),
                    );
                }
            } else if !self.directory(&path, recursive, &mut files) {
                break;
            }
        }
        let mut output = Vec::new();
        let mut differs = false;
        for found in in_parallel(&files, |path| self.wanted.file(path)) {
            differs |= found.differs;
            output.extend(found.output);
            if let Some((problems, file)) = found.problems {
                self.told(problems, file);
            }
        }
        (differs, output)
    }

    /// Takes over what is wrong with a text, which was read under an id that is only its own.
    fn told(&mut self, mut problems: Diagnostics, file: Option<SourceFile>) {
        if let Some(file) = file {
            let id = self.sources.add(file);
            let moved = |span: Span| Span { source: id, ..span };
            for problem in &mut problems {
                problem.subject = problem.subject.map(moved);
                problem.context = problem.context.map(moved);
            }
        }
        self.diagnostics.append(problems);
    }

    /// The files in a directory, in order; false where there is no such directory.
    fn directory(&mut self, path: &str, recursive: bool, files: &mut Vec<String>) -> bool {
        let entries = match Disk.list(path) {
            Ok(entries) => entries,
            Err(error) if Path::new(path).is_dir() => {
                self.problem(
                    "unreadable-file",
                    format!("Cannot read directory {path}"),
                    format!("It cannot be listed: {error}."),
                );
                return true;
            }
            Err(_) => {
                self.problem(
                    "unreadable-file",
                    format!("No file or directory at {path}"),
                    String::new(),
                );
                return false;
            }
        };
        for entry in entries {
            if is_ignored(&entry.name) {
                continue;
            }
            let inner = if path == "." {
                entry.name.clone()
            } else {
                format!("{path}/{}", entry.name)
            };
            if entry.is_directory {
                if recursive {
                    self.directory(&inner, recursive, files);
                }
            } else if ENDINGS.iter().any(|ending| entry.name.ends_with(ending)) {
                files.push(inner);
            }
        }
        true
    }

    fn standard_input(&mut self) -> (bool, Vec<String>) {
        let mut bytes = Vec::new();
        if let Err(error) = std::io::stdin().lock().read_to_end(&mut bytes) {
            let detail = format!("Standard input cannot be read: {error}.");
            self.problem(
                "unreadable-file",
                "File or folder cannot be read".to_owned(),
                detail,
            );
            return (false, Vec::new());
        }
        let found = self.wanted.text("<stdin>", &bytes, &|_| Ok(()));
        if let Some((problems, file)) = found.problems {
            self.told(problems, file);
        }
        (found.differs, found.output)
    }
}

impl Wanted {
    fn file(self, path: &str) -> Formatted {
        match Disk.read(path) {
            Ok(original) => self.text(path, &original, &|formatted| {
                rewrite(path, &original, formatted)
            }),
            Err(error) => Formatted {
                problems: Some((
                    Diagnostic::error(
                        "unreadable-file",
                        format!("Failed to read file {path}"),
                        format!("{path} cannot be read: {error}."),
                    )
                    .into(),
                    None,
                )),
                ..Formatted::default()
            },
        }
    }

    /// Formats a text; `replace` puts another in its place.
    fn text(
        self,
        path: &str,
        bytes: &[u8],
        replace: &dyn Fn(&[u8]) -> std::io::Result<()>,
    ) -> Formatted {
        let mut found = Formatted::default();
        let formatted = match terrace_syntax::format_bytes(bytes) {
            Ok(formatted) => formatted,
            Err(problems) => {
                let file = SourceFile::new(path, String::from_utf8_lossy(bytes));
                found.problems = Some((problems, Some(file)));
                return found;
            }
        };
        found.differs = formatted != bytes;
        if found.differs {
            if self.list {
                found.output.push(path.to_owned());
            }
            if self.write
                && let Err(error) = replace(&formatted)
            {
                let problem = Diagnostic::error(
                    "unwritable-file",
                    format!("Failed to write {path}"),
                    format!("{path} cannot be written: {error}."),
                );
                found.problems = Some((problem.into(), None));
            }
            if self.diff {
                found.output.push(difference(path, bytes, &formatted));
            }
        }
        if !self.list && !self.write && !self.diff {
            found
                .output
                .push(String::from_utf8_lossy(&formatted).into_owned());
        }
        found
    }
}

pub(crate) fn difference(path: &str, old: &[u8], new: &[u8]) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    similar::TextDiff::from_lines(&*old, &*new)
        .unified_diff()
        .header(&format!("old/{path}"), &format!("new/{path}"))
        .to_string()
}

/// Does `work` for each path, several at the same time; the results are in the order of the paths.
fn in_parallel<T: Send>(paths: &[String], work: impl Fn(&str) -> T + Sync) -> Vec<T> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let batches: Vec<&[String]> = paths
        .chunk_by(|one, other| directory_of(one) == directory_of(other))
        .flat_map(|paths| paths.chunks(BATCH))
        .collect();
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Vec<T>>> = Mutex::new(batches.iter().map(|_| Vec::new()).collect());
    std::thread::scope(|scope| {
        for _ in 0..workers.min(batches.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(paths) = batches.get(place) else {
                        return;
                    };
                    let found = paths.iter().map(|path| work(path)).collect();
                    if let Ok(mut results) = results.lock() {
                        results[place] = found;
                    }
                }
            });
        }
    });
    results
        .into_inner()
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect()
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Files that editors leave behind, and hidden ones.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name.starts_with('#') && name.ends_with('#')
}

/// A path as it is seen from the working directory.
fn relative(path: &str) -> String {
    let here = PathBuf::from(Disk.absolute("."));
    let there = PathBuf::from(Disk.absolute(path));
    let common = here
        .components()
        .zip(there.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = here.components().skip(common).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(there.components().skip(common)).collect();
    if path.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        path.to_string_lossy().into_owned()
    }
}
