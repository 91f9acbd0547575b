//! What goes into an archive, in the order in which it goes there.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use regex::Regex;
use terrace_provider_sdk::Object;

/// A file of an archive.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) mode: u32,
    pub(super) content: Vec<u8>,
}

/// The mode of what is no file yet.
const CONTENT_MODE: u32 = 0o644;

/// The files that a configuration names.
pub(super) fn entries(config: &Object) -> io::Result<Vec<Entry>> {
    if let Some(directory) = config.text("source_dir") {
        let excludes: Vec<&str> = config.texts("excludes");
        let no_links = config.flag("exclude_symlink_directories") == Some(true);
        return walk(Path::new(directory), &excludes, no_links);
    }
    if let Some(file) = config.text("source_file") {
        let path = Path::new(file);
        if !path.exists() {
            return Err(io::Error::other(format!(
                "could not archive missing file: {file}"
            )));
        }
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        return Ok(vec![Entry::read(name.unwrap_or_default(), path)?]);
    }
    if let Some(name) = config.text("source_content_filename") {
        let content = config.text("source_content").unwrap_or_default();
        return Ok(vec![Entry::of(name, content)]);
    }
    let named: BTreeMap<String, String> = config
        .items("source")
        .iter()
        .filter_map(Object::of)
        .map(|source| {
            let text = |name: &str| source.text(name).unwrap_or_default().to_owned();
            (text("filename"), text("content"))
        })
        .collect();
    Ok(named
        .iter()
        .map(|(name, content)| Entry::of(name, content))
        .collect())
}

impl Entry {
    fn of(name: &str, content: &str) -> Self {
        Self {
            name: name.to_owned(),
            mode: CONTENT_MODE,
            content: content.as_bytes().to_vec(),
        }
    }

    fn read(name: String, path: &Path) -> io::Result<Self> {
        Ok(Self {
            name,
            mode: mode_of(path)?,
            content: std::fs::read(path)?,
        })
    }
}

#[cfg(unix)]
fn mode_of(path: &Path) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(_path: &Path) -> io::Result<u32> {
    Ok(CONTENT_MODE)
}

fn walk(directory: &Path, excludes: &[&str], no_links: bool) -> io::Result<Vec<Entry>> {
    if !directory.is_dir() {
        return Err(io::Error::other(format!(
            "could not archive missing directory: {}",
            directory.display()
        )));
    }
    let patterns: Vec<Regex> = excludes
        .iter()
        .filter_map(|glob| glob_pattern(glob))
        .collect();
    let mut found = Vec::new();
    let mut within = vec![directory.canonicalize()?];
    collect(directory, "", &patterns, no_links, &mut within, &mut found)?;
    Ok(found)
}

fn collect(
    directory: &Path,
    prefix: &str,
    excludes: &[Regex],
    no_links: bool,
    within: &mut Vec<PathBuf>,
    found: &mut Vec<Entry>,
) -> io::Result<()> {
    let mut children: Vec<(String, PathBuf)> = std::fs::read_dir(directory)?
        .map(|child| {
            let child = child?;
            Ok((
                child.file_name().to_string_lossy().into_owned(),
                child.path(),
            ))
        })
        .collect::<io::Result<_>>()?;
    children.sort();
    for (name, path) in children {
        let name = format!("{prefix}{name}");
        if excludes.iter().any(|pattern| pattern.is_match(&name)) {
            continue;
        }
        if !path.is_dir() {
            found.push(Entry::read(name, &path)?);
            continue;
        }
        if no_links && path.is_symlink() {
            continue;
        }
        let real = path.canonicalize()?;
        if within.contains(&real) {
            return Err(io::Error::other(format!(
                "the symbolic link {} leads to a directory that it is in",
                path.display()
            )));
        }
        within.push(real);
        collect(
            &path,
            &format!("{name}/"),
            excludes,
            no_links,
            within,
            found,
        )?;
        within.pop();
    }
    Ok(())
}

/// A glob with `**`, `*`, `?`, classes and alternatives as a pattern of whole paths. `None` for one that makes no sense.
fn glob_pattern(glob: &str) -> Option<Regex> {
    let mut pattern = String::from("^");
    let mut depth = 0_usize;
    let mut characters = glob.trim_start_matches("./").chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.peek() == Some(&'*') => {
                characters.next();
                if characters.peek() == Some(&'/') {
                    characters.next();
                    pattern.push_str("(?:.*/)?");
                } else {
                    pattern.push_str(".*");
                }
            }
            '*' => pattern.push_str("[^/]*"),
            '?' => pattern.push_str("[^/]"),
            '[' => {
                pattern.push('[');
                if characters
                    .peek()
                    .is_some_and(|next| matches!(next, '!' | '^'))
                {
                    characters.next();
                    pattern.push('^');
                }
                for inner in characters.by_ref() {
                    if inner == ']' {
                        break;
                    }
                    if matches!(inner, '[' | '\\' | '&' | '~') {
                        pattern.push('\\');
                    }
                    pattern.push(inner);
                }
                pattern.push(']');
            }
            '{' => {
                depth += 1;
                pattern.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                pattern.push(')');
            }
            ',' if depth > 0 => pattern.push('|'),
            '\\' => pattern.push_str(&regex::escape(&characters.next()?.to_string())),
            other => pattern.push_str(&regex::escape(&other.to_string())),
        }
    }
    pattern.push('$');
    Regex::new(&pattern).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_exclude() {
        for (glob, path, expected) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a/b.txt", false),
            ("**/*.txt", "a/b.txt", true),
            ("**/*.txt", "b.txt", true),
            ("a/**", "a/b/c", true),
            ("a", "a", true),
            ("[ab]?.{rs,md}", "bx.md", true),
            ("[!ab].rs", "a.rs", false),
        ] {
            let pattern = glob_pattern(glob).expect("it is a glob");
            assert_eq!(pattern.is_match(path), expected, "{glob} {path}");
        }
    }
}
