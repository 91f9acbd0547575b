//! Versions of a module that git keeps: read from its objects, without checking anything out.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use terrace_addr::version::Version;
use terrace_port::{FileEntry, Files};

use crate::command_error::CommandError;
use crate::outside::{Ran, run_aside};

/// The configuration files of a commit. Paths are relative to the working directory, as those of files on disk.
pub(super) struct GitTree {
    /// The working directory within the repository; `.` for its top.
    prefix: String,
    /// By path within the repository.
    files: BTreeMap<String, Arc<[u8]>>,
}

/// A tag that names a version.
#[derive(Clone, Debug)]
pub(super) struct VersionTag {
    /// The tag.
    pub(super) tag: String,
    /// The version.
    pub(super) version: Version,
}

impl GitTree {
    /// The configuration files of `reference`, in the repository of the working directory.
    pub(super) async fn read(reference: &str) -> Result<Self, CommandError> {
        let commit = format!("{reference}^{{commit}}");
        let known = git(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ])
        .await?;
        if !known.succeeded() {
            return Err(CommandError::one(
                "unknown-git-reference",
                "Nothing to compare with",
                format!(
                    "{reference:?} is no directory, no module of a registry, and no reference of git in the repository of the working directory. A shallow clone lacks tags and older commits: `git fetch --tags --unshallow` gets them."
                ),
            ));
        }
        let commit = text(&known).trim().to_owned();
        let prefix = succeeded(&git(&["rev-parse", "--show-prefix"]).await?)?;
        let prefix = prefix.trim_end_matches(['\n', '\r', '/']).to_owned();
        let listing = succeeded(&git(&["ls-tree", "-r", "-z", "--full-tree", &commit]).await?)?;
        let wanted: Vec<(&str, &str)> = listing
            .split('\0')
            .filter_map(|entry| {
                let (about, path) = entry.split_once('\t')?;
                let object = about.split(' ').nth(2)?;
                let is_blob = about.split(' ').nth(1) == Some("blob");
                (is_blob && super::is_configuration(path)).then_some((path, object))
            })
            .collect();
        Ok(Self {
            prefix: if prefix.is_empty() {
                ".".to_owned()
            } else {
                prefix
            },
            files: blobs(&wanted).await?,
        })
    }

    fn inside(&self, path: &str) -> String {
        terrace_config::join_path(&self.prefix, path)
    }
}

impl Files for GitTree {
    fn read(&self, path: &str) -> io::Result<Arc<[u8]>> {
        self.files
            .get(&self.inside(path))
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not in that commit"))
    }

    fn list(&self, path: &str) -> io::Result<Vec<FileEntry>> {
        let directory = self.inside(path);
        let beginning = match directory.as_str() {
            "." => String::new(),
            directory => format!("{directory}/"),
        };
        Ok(self
            .files
            .keys()
            .filter_map(|known| known.strip_prefix(&beginning))
            .filter(|name| !name.contains('/'))
            .map(|name| FileEntry {
                name: name.to_owned(),
                is_directory: false,
            })
            .collect())
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(&self.inside(path))
    }

    fn absolute(&self, path: &str) -> String {
        self.inside(path)
    }
}

/// The contents of objects, by the paths that belong to them.
async fn blobs(wanted: &[(&str, &str)]) -> Result<BTreeMap<String, Arc<[u8]>>, CommandError> {
    let mut input = String::new();
    for (_, object) in wanted {
        input.push_str(object);
        input.push('\n');
    }
    let ran = run(&["cat-file", "--batch"], input.as_bytes()).await?;
    if !ran.succeeded() {
        return Err(failed(&ran));
    }
    let mut rest = ran.output.as_slice();
    let mut files = BTreeMap::new();
    for (path, _) in wanted {
        let (content, after) = next_blob(rest).ok_or_else(|| failed(&ran))?;
        files.insert((*path).to_owned(), content.into());
        rest = after;
    }
    Ok(files)
}

/// The first object of what `cat-file --batch` printed (`name type size`, a line end, the content, a line end), and what
/// follows it.
fn next_blob(output: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = output.iter().position(|byte| *byte == b'\n')?;
    let header = std::str::from_utf8(&output[..end]).ok()?;
    let size: usize = header.rsplit(' ').next()?.parse().ok()?;
    let content = output.get(end + 1..end + 1 + size)?;
    Some((content, output.get(end + 2 + size..)?))
}

/// The newest released version that a tag of an ancestor of the present commit names: `v1.2.3`, `1.2.3`, or with the
/// name of the working directory before it, as repositories of several modules have it: `net/v1.2.3`, `net-v1.2.3`.
pub(super) async fn last_version() -> Result<Option<VersionTag>, CommandError> {
    let Ok(ran) = git(&["tag", "--merged", "HEAD"]).await else {
        return Ok(None);
    };
    if !ran.succeeded() {
        // No repository, or one without commits: there was no version.
        return Ok(None);
    }
    let prefix = git(&["rev-parse", "--show-prefix"]).await?;
    let prefix = text(&prefix).trim_end_matches(['\n', '\r', '/']).to_owned();
    Ok(newest_of(&text(&ran), &prefix))
}

/// Whether the repository of the working directory, if there is one, lacks a part of its history.
pub(super) async fn is_shallow() -> bool {
    git(&["rev-parse", "--is-shallow-repository"])
        .await
        .is_ok_and(|ran| ran.succeeded() && text(&ran).trim() == "true")
}

fn newest_of(tags: &str, directory: &str) -> Option<VersionTag> {
    let name = directory.rsplit('/').next().unwrap_or_default();
    let own: Vec<String> = [directory, name]
        .into_iter()
        .filter(|name| !name.is_empty())
        .flat_map(|name| [format!("{name}/"), format!("{name}-")])
        .collect();
    let version_of = |tag: &str| {
        let named = own
            .iter()
            .find_map(|prefix| tag.strip_prefix(prefix.as_str()));
        let version: Version = named.unwrap_or(tag).parse().ok()?;
        (!version.is_prerelease()).then(|| (named.is_some(), version))
    };
    let found: Vec<(bool, VersionTag)> = tags
        .lines()
        .filter_map(|tag| {
            let (named, version) = version_of(tag)?;
            Some((
                named,
                VersionTag {
                    tag: tag.to_owned(),
                    version,
                },
            ))
        })
        .collect();
    // Where tags name this module, others are of other modules.
    let only_named = found.iter().any(|(named, _)| *named);
    found
        .into_iter()
        .filter(|(named, _)| *named || !only_named)
        .map(|(_, tag)| tag)
        .max_by(|a, b| a.version.cmp(&b.version))
}

async fn git(arguments: &[&str]) -> Result<Ran, CommandError> {
    run(arguments, &[]).await
}

async fn run(arguments: &[&str], input: &[u8]) -> Result<Ran, CommandError> {
    let argv: Vec<String> = std::iter::once("git")
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect();
    run_aside(&argv, Path::new("."), input)
        .await
        .map_err(|error| {
            CommandError::one(
                "git-missing",
                "Git cannot be run",
                format!("`git {}` could not be started: {error}. Install git, or name a directory to compare with: -against=DIR.", arguments.join(" ")),
            )
        })
}

fn text(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.output).into_owned()
}

fn succeeded(ran: &Ran) -> Result<String, CommandError> {
    if ran.succeeded() {
        Ok(text(ran))
    } else {
        Err(failed(ran))
    }
}

fn failed(ran: &Ran) -> CommandError {
    CommandError::one(
        "git-failed",
        "Git has failed",
        format!(
            "The versions of the module could not be read: {}",
            String::from_utf8_lossy(&ran.errors).trim()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_follow_each_other() {
        let output = b"aa blob 3\nx\ny\nbb blob 0\n\n";
        let (first, rest) = next_blob(output).unwrap();
        assert_eq!(first, b"x\ny");
        let (second, rest) = next_blob(rest).unwrap();
        assert_eq!((second, rest), (&b""[..], &b""[..]));
        assert_eq!(next_blob(b"cc missing\n"), None);
    }

    #[test]
    fn the_newest_release_is_the_last_version() {
        let newest = |tags, directory| newest_of(tags, directory).map(|found| found.tag);
        assert_eq!(
            newest("v1.9.0\nv1.10.0\nv2.0.0-rc1\nlatest\n", "").as_deref(),
            Some("v1.10.0")
        );
        assert_eq!(
            newest("v9.0.0\nnet/v1.2.0\nnet-v1.3.0\ndb/v4.0.0\n", "modules/net").as_deref(),
            Some("net-v1.3.0")
        );
        assert_eq!(newest("latest\n", ""), None);
    }
}
