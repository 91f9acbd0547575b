//! Files, which are read through the context, and paths.

use std::sync::Arc;

use terrace_value::{Marks, Type, Value};

use crate::encoding::base64;
use crate::glob::Glob;
use crate::spec::{gives_bool, gives_string, text};
use crate::support::{BlameArgument, redacted, text_of};
use crate::{CallError, Context, FileError, Function};

pub(crate) fn functions() -> Vec<Function> {
    let mut functions = paths();
    functions.extend(files());
    functions
}

fn paths() -> Vec<Function> {
    vec![
        Function::new(
            "abspath",
            "The absolute path that a path leads to.",
            [text("path", "")],
            gives_string,
            |arguments, _, context| Ok(Value::from(context.absolute_path(text_of(&arguments[0])))),
        ),
        Function::new(
            "basename",
            "The last part of a path.",
            [text("path", "")],
            gives_string,
            |arguments, _, _| Ok(Value::from(base_name(text_of(&arguments[0])))),
        ),
        Function::new(
            "dirname",
            "A path without its last part.",
            [text("path", "")],
            gives_string,
            |arguments, _, _| Ok(Value::from(directory_name(text_of(&arguments[0])))),
        ),
        Function::new(
            "pathexpand",
            "The path with the home directory in place of a leading `~`.",
            [text("path", "")],
            gives_string,
            |arguments, _, context| expand(text_of(&arguments[0]), context).map(Value::from),
        ),
    ]
}

fn files() -> Vec<Function> {
    vec![
        Function::new(
            "file",
            "The text of a file; it must be UTF-8.",
            [text("path", "").marked().unknown()],
            gives_string,
            file,
        ),
        Function::new(
            "filebase64",
            "The bytes of a file in Base64.",
            [text("path", "").marked().unknown()],
            gives_string,
            filebase64,
        ),
        Function::new(
            "fileexists",
            "Whether there is a file at a path.",
            [text("path", "").marked().unknown()],
            gives_bool,
            fileexists,
        ),
        Function::new(
            "fileset",
            "The paths of the files in a directory that match a pattern, in which `**` stands for any directories.",
            [
                text("path", "").marked().unknown(),
                text("pattern", "").marked().unknown(),
            ],
            |_| Ok(Type::set(Type::String)),
            fileset,
        ),
    ]
}

/// With the home directory in place of a leading `~`.
fn expand(path: &str, context: &dyn Context) -> Result<String, CallError> {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(path.to_owned());
    };
    if !rest.is_empty() && !rest.starts_with(['/', '\\']) {
        return Err(CallError::call("cannot expand user-specific home dir"));
    }
    let home = context
        .home_directory()
        .ok_or_else(|| CallError::call("cannot find the home directory"))?;
    Ok(join(&home, rest))
}

/// What kept a file from being read: in which step, and why, in the words of the reference.
struct Obstacle {
    step: &'static str,
    why: String,
}

impl Obstacle {
    fn new(error: FileError) -> Self {
        let why = match error {
            FileError::NotFound => "no such file or directory".to_owned(),
            FileError::Unreadable(why) => why,
        };
        // Errors of the system come with their number and a capital.
        let why = why.split(" (os error").next().unwrap_or_default().trim();
        if is_directory(why) {
            return Self {
                step: "read",
                why: "is a directory".to_owned(),
            };
        }
        let mut characters = why.chars();
        let first = characters.next().map(|first| first.to_ascii_lowercase());
        Self {
            step: "open",
            why: first.into_iter().chain(characters).collect(),
        }
    }
}

fn is_directory(why: &str) -> bool {
    why.to_ascii_lowercase().contains("is a directory")
}

fn expanded(path: &str, context: &dyn Context) -> Result<String, String> {
    match expand(path, context) {
        Ok(path) => Ok(clean(&path)),
        Err(error) => Err(format!("failed to expand ~: {}", error.message)),
    }
}

/// The bytes of a file, for functions that do not blame their argument.
pub(crate) fn open_file(path: &str, context: &dyn Context) -> Result<Arc<[u8]>, CallError> {
    let path = expanded(path, context).blame_call()?;
    context.read_file(&path).map_err(|error| {
        let Obstacle { step, why } = Obstacle::new(error);
        CallError::call(format!("{step} {path}: {why}"))
    })
}

/// The bytes of a file that the first argument names, `~` included. An error blames that argument, and tells the path
/// where its marks allow it.
pub fn read(path: &str, marks: Marks, context: &dyn Context) -> Result<Arc<[u8]>, CallError> {
    let cleaned = expanded(path, context).blame(0)?;
    context.read_file(&cleaned).map_err(|error| {
        if error == FileError::NotFound {
            let message = format!(
                "no file exists at {}; this function works only with files that are distributed as part of the \
                 configuration source code, so if this file will be created by a resource in this configuration \
                 you must instead obtain this result from an attribute of that resource",
                redacted(path, marks)
            );
            return CallError::argument(0, message);
        }
        let Obstacle { step, why } = Obstacle::new(error);
        let frame = if step == "read" { "failed to read file: " } else { "" };
        CallError::argument(0, format!("{frame}{step} {cleaned}: {why}"))
    })
}

fn file(arguments: &[Value], _: &Type, context: &dyn Context) -> Result<Value, CallError> {
    let marks = arguments[0].marks();
    let Some(path) = arguments[0].as_str() else {
        return Ok(Value::unknown(Type::String).with_marks(marks));
    };
    let bytes = read(path, marks, context)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        CallError::call(format!(
            "contents of {} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents or \
             the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead",
            redacted(path, marks)
        ))
    })?;
    Ok(Value::from(text).with_marks(marks))
}

fn filebase64(arguments: &[Value], _: &Type, context: &dyn Context) -> Result<Value, CallError> {
    let marks = arguments[0].marks();
    let Some(path) = arguments[0].as_str() else {
        return Ok(Value::unknown(Type::String).with_marks(marks));
    };
    Ok(Value::from(base64::encode(&read(path, marks, context)?)).with_marks(marks))
}

fn fileexists(arguments: &[Value], _: &Type, context: &dyn Context) -> Result<Value, CallError> {
    let marks = arguments[0].marks();
    let Some(path) = arguments[0].as_str() else {
        return Ok(Value::unknown(Type::Bool).with_marks(marks));
    };
    let path = expanded(path, context).blame_call()?;
    let exists = match context.file_exists(&path) {
        Ok(exists) => exists,
        Err(FileError::NotFound) => false,
        Err(FileError::Unreadable(why)) => {
            let name = redacted(&path, marks);
            let message = if is_directory(&why) {
                format!("{name} is a directory, not a file")
            } else if why.starts_with("is ") {
                format!("{name} {why}")
            } else {
                format!("failed to stat {name}: {why}")
            };
            return Err(CallError::call(message));
        }
    };
    Ok(Value::bool(exists).with_marks(marks))
}

fn fileset(arguments: &[Value], result: &Type, context: &dyn Context) -> Result<Value, CallError> {
    let marks = arguments[0].marks() | arguments[1].marks();
    let (Some(path), Some(pattern)) = (arguments[0].as_str(), arguments[1].as_str()) else {
        return Ok(Value::unknown(result.clone()).with_marks(marks));
    };
    let path = clean(path);
    let whole = join(&path, pattern);
    if !whole.contains(SPECIAL) {
        // Nothing to search for: at most the file of that name.
        let exists = context.file_exists(&whole).unwrap_or(false);
        let found = exists.then(|| Value::from(relative(&path, &whole)));
        return Ok(Value::set(Type::String, found).with_marks(marks));
    }
    let (base, rest) = split_static(&whole);
    let unreadable = |error: &str| {
        CallError::call(format!(
            "failed to glob pattern {}: {error}",
            redacted(&whole, marks)
        ))
    };
    let glob = Glob::new(rest).map_err(|error| unreadable(&error))?;
    let found = match context.list_files(base) {
        Ok(found) => found,
        Err(FileError::NotFound) => Vec::new(),
        Err(FileError::Unreadable(why)) => return Err(unreadable(&why)),
    };
    let matched = found
        .iter()
        .filter(|found| glob.matches(found))
        .map(|found| {
            let found = join(base, found);
            Value::from(relative(&path, &found))
        });
    Ok(Value::set(Type::String, matched).with_marks(marks))
}

/// What has a meaning of its own in patterns.
const SPECIAL: [char; 5] = ['*', '?', '[', '{', '\\'];

/// The directory that a pattern surely begins with, and the rest of the pattern.
fn split_static(pattern: &str) -> (&str, &str) {
    let special = pattern
        .find(['*', '?', '[', '{', '\\'])
        .unwrap_or(pattern.len());
    match pattern[..special].rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => (".", pattern),
    }
}

/// Two paths, one after the other, without needless parts.
fn join(base: &str, rest: &str) -> String {
    match (base, rest) {
        ("", rest) => clean(rest),
        (base, "") => clean(base),
        (base, rest) => clean(&format!("{base}/{rest}")),
    }
}

/// Without `.`, empty parts, and `..` where what comes before it can be left out.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// `target` as seen from `base`, both clean.
fn relative(base: &str, target: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let (base, target) = (parts(base), parts(target));
    let common = base
        .iter()
        .zip(&target)
        .take_while(|(left, right)| left == right)
        .count();
    let up = std::iter::repeat_n("..", base.len() - common);
    let down = target[common..].iter().map(String::as_str);
    up.chain(down).collect::<Vec<_>>().join("/")
}

fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn directory_name(path: &str) -> String {
    match path.rfind('/') {
        Some(slash) => clean(&path[..=slash]),
        None => ".".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionTable;
    use crate::support::tests::check;

    struct Disk;

    impl Context for Disk {
        fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
            match path {
                "a.txt" | "/home/jo/a.txt" => Ok(b"hello".as_slice().into()),
                "binary" => Ok([0xff].as_slice().into()),
                "secret" => Err(FileError::Unreadable(
                    "Permission denied (os error 13)".into(),
                )),
                "m" => Err(FileError::Unreadable("Is a directory (os error 21)".into())),
                _ => Err(FileError::NotFound),
            }
        }

        fn list_files(&self, base: &str) -> Result<Vec<String>, FileError> {
            match base {
                "." => Ok(["a.tf", "b.txt", "m/c.tf", "m/n/d.tf"]
                    .map(String::from)
                    .to_vec()),
                "m" => Ok(["c.tf", "n/d.tf"].map(String::from).to_vec()),
                _ => Err(FileError::NotFound),
            }
        }

        fn file_exists(&self, path: &str) -> Result<bool, FileError> {
            match path {
                "m" => Err(FileError::Unreadable("is a directory, not a file".into())),
                path => Ok(path == "a.txt"),
            }
        }

        fn absolute_path(&self, path: &str) -> String {
            clean(&format!("/w/{path}"))
        }

        fn home_directory(&self) -> Option<String> {
            Some("/home/jo".into())
        }

        fn timestamp(&self) -> Option<String> {
            None
        }

        fn plan_timestamp(&self) -> Option<String> {
            None
        }

        fn entropy(&self) -> Option<[u8; 16]> {
            None
        }
    }

    fn on_disk(name: &str, arguments: &[&str]) -> Result<Value, CallError> {
        let arguments: Vec<Value> = arguments
            .iter()
            .map(|argument| Value::from(*argument))
            .collect();
        FunctionTable::standard()
            .get(name)
            .unwrap()
            .call(&arguments, &Disk)
    }

    fn failure(name: &str, path: &str) -> String {
        on_disk(name, &[path]).unwrap_err().message
    }

    #[test]
    fn reading() {
        assert_eq!(on_disk("file", &["./x/../a.txt"]), Ok(Value::from("hello")));
        assert_eq!(on_disk("file", &["~/a.txt"]), Ok(Value::from("hello")));
        assert_eq!(on_disk("filebase64", &["binary"]), Ok(Value::from("/w==")));
        assert_eq!(
            on_disk("filemd5", &["a.txt"]),
            Ok(Value::from("5d41402abc4b2a76b9719d911017c592"))
        );
        assert_eq!(on_disk("fileexists", &["a.txt"]), Ok(Value::TRUE));
        assert_eq!(on_disk("fileexists", &["nope"]), Ok(Value::FALSE));
        assert!(
            failure("file", "nope")
                .starts_with("no file exists at \"nope\"; this function works only with")
        );
        assert!(
            failure("file", "binary")
                .starts_with("contents of \"binary\" are not valid UTF-8; use")
        );
        assert_eq!(failure("file", "secret"), "open secret: permission denied");
        assert_eq!(
            failure("file", "m"),
            "failed to read file: read m: is a directory"
        );
        assert_eq!(failure("filemd5", "m"), "read m: is a directory");
        assert_eq!(
            failure("filesha1", "x"),
            "open x: no such file or directory"
        );
        assert_eq!(
            failure("fileexists", "m"),
            "\"m\" is a directory, not a file"
        );
    }

    #[test]
    fn listing() {
        let found = |path: &str, pattern: &str| {
            crate::json::encode(&on_disk("fileset", &[path, pattern]).unwrap()).unwrap()
        };
        assert_eq!(found(".", "*.tf"), r#"["a.tf"]"#);
        assert_eq!(found(".", "**/*.tf"), r#"["a.tf","m/c.tf","m/n/d.tf"]"#);
        assert_eq!(found("m", "*.tf"), r#"["c.tf"]"#);
        assert_eq!(found("m", "../{a,b}.*"), r#"["../a.tf","../b.txt"]"#);
        assert_eq!(found(".", "a.txt"), r#"["a.txt"]"#);
        assert_eq!(found("m", "nope"), "[]");
        assert_eq!(found("m", "../a.txt"), r#"["../a.txt"]"#);
        assert_eq!(found("nope", "*"), "[]");
    }

    #[test]
    fn paths() {
        check(&[
            ("basename", r#"["/foo/bar/baz.txt"]"#, r#""baz.txt""#),
            ("basename", r#"[""]"#, r#"".""#),
            ("basename", r#"["a//"]"#, r#""a""#),
            ("basename", r#"["//"]"#, r#""/""#),
            ("dirname", r#"["/foo/bar/baz.txt"]"#, r#""/foo/bar""#),
            ("dirname", r#"["baz.txt"]"#, r#"".""#),
            ("dirname", r#"["a/../b/c"]"#, r#""b""#),
            ("dirname", r#"["/x"]"#, r#""/""#),
            ("pathexpand", r#"["~/x"]"#, r#""/home/jo/x""#),
            (
                "pathexpand",
                r#"["~jo/x"]"#,
                "! cannot expand user-specific home dir",
            ),
            ("pathexpand", r#"["/no/~"]"#, r#""/no/~""#),
        ]);
        assert_eq!(on_disk("abspath", &["a/../b"]), Ok(Value::from("/w/b")));
    }
}
