//! Repositories, through the `git` program, so that its settings, credentials and SSH are those of the user.
#![expect(
    clippy::disallowed_methods,
    reason = "this adapter's work is done by a program"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;

use super::address::Address;
use super::{FetchError, Fetched};
use crate::source::RemoteSource;

/// What a server says that cannot give a single commit without its history.
const NO_SINGLE_COMMITS: [&str; 6] = [
    "not our ref",
    "unadvertised object",
    "couldn't find remote ref",
    "does not support shallow",
    "does not support --depth",
    "Server does not allow request",
];

/// Fetches a commit into an empty directory: `revision`, else what the parameter `ref` names, else the default branch.
pub(super) fn fetch(
    source: &RemoteSource,
    revision: Option<&str>,
    into: &Path,
) -> Result<Fetched, FetchError> {
    let address = Address::of(source, &["ref", "depth", "sshkey"])?;
    let mut repository = Repository::new(&address, into)?;
    let wanted = revision.or(address.parameter("ref"));
    if let Some(wanted) = wanted.filter(|wanted| !is_reference(wanted)) {
        return FetchError::refused(format!(
            "{wanted:?} is not the name of a branch, a tag or a commit"
        ));
    }
    if let Some(depth) = address.parameter("depth")
        && depth.parse::<u32>().is_err()
    {
        return FetchError::refused(format!("depth={depth} is not a number"));
    }
    repository.git(&["init", "--quiet", "."])?;
    let commit = repository.get(wanted)?;
    repository.git(&["checkout", "--quiet", "--detach", &commit])?;
    if into.join(".gitmodules").exists() {
        let update = ["submodule", "--quiet", "update", "--init", "--recursive"];
        let mut shallow = update.to_vec();
        shallow.extend(["--depth", "1"]);
        if repository.git(&shallow).is_err() {
            repository.git(&update)?;
        }
    }
    std::fs::remove_dir_all(into.join(".git")).map_err(FetchError::local(
        "the repository's files cannot be removed",
    ))?;
    Ok(Fetched {
        revision: Some(commit),
    })
}

/// The commit of a directory that another tool left with its history.
pub(crate) fn revision_of(directory: &Path) -> Option<String> {
    if !directory.join(".git").exists() {
        return None;
    }
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "HEAD"])
        .current_dir(directory)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Names that git does not take for options, nor as expressions over commits.
fn is_reference(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains("..")
        && text
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"~^:?*[\\".contains(c))
}

struct Repository<'a> {
    /// What git is told to fetch from.
    url: String,
    /// What people are told.
    shown: String,
    directory: &'a Path,
    key: Option<tempfile::NamedTempFile>,
}

impl<'a> Repository<'a> {
    fn new(address: &Address, directory: &'a Path) -> Result<Self, FetchError> {
        let url = address.url.to_string();
        let mut shown = address.url.clone();
        if shown.password().is_some() {
            // An address with a password has an authority, where another can be set.
            shown.set_password(Some("REDACTED")).ok();
        }
        if address
            .url
            .host_str()
            .is_some_and(|host| host.starts_with('-'))
        {
            return FetchError::refused(format!(
                "{:?} is not an address of a repository",
                shown.as_str()
            ));
        }
        let key = address.parameter("sshkey").map(key_file).transpose()?;
        Ok(Self {
            url,
            shown: shown.to_string(),
            directory,
            key,
        })
    }

    /// Fetches what is wanted, and gives its commit.
    fn get(&mut self, wanted: Option<&str>) -> Result<String, FetchError> {
        let url = self.url.clone();
        let name = wanted.unwrap_or("HEAD");
        let single = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth",
            "1",
            "--",
            &url,
            name,
        ];
        match self.run(&single)? {
            output if output.status.success() => return self.commit("FETCH_HEAD"),
            output => {
                let said = String::from_utf8_lossy(&output.stderr);
                if !NO_SINGLE_COMMITS.iter().any(|text| said.contains(text)) {
                    return Err(self.failure(&output));
                }
            }
        }
        let all = "+refs/heads/*:refs/remotes/origin/*";
        self.git(&["fetch", "--quiet", "--tags", "--force", "--", &url, all])?;
        for candidate in [
            format!("refs/tags/{name}"),
            format!("refs/remotes/origin/{name}"),
            name.to_owned(),
        ] {
            if let Ok(commit) = self.commit(&candidate) {
                return Ok(commit);
            }
        }
        FetchError::refused(format!(
            "error downloading '{}': the repository has no branch, tag or commit {name:?}",
            self.shown
        ))
    }

    fn commit(&mut self, name: &str) -> Result<String, FetchError> {
        let name = format!("{name}^{{commit}}");
        let output = self.git(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        Ok(last.trim().to_owned())
    }

    fn git(&mut self, arguments: &[&str]) -> Result<Output, FetchError> {
        let output = self.run(arguments)?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(self.failure(&output))
        }
    }

    fn run(&mut self, arguments: &[&str]) -> Result<Output, FetchError> {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(self.directory)
            .stdin(std::process::Stdio::null())
            // Several fetches run at once, and nobody could tell whose question it is.
            .env("GIT_TERMINAL_PROMPT", "0");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        if let Some(key) = &self.key {
            let quoted = key.path().to_string_lossy().replace('\'', "'\\''");
            command.env(
                "GIT_SSH_COMMAND",
                format!("ssh -o IdentitiesOnly=yes -i '{quoted}'"),
            );
        }
        command.output().map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                FetchError::Refused("git must be available and on the PATH".to_owned())
            } else {
                FetchError::Local {
                    what: "git cannot be run".to_owned(),
                    cause: error,
                }
            }
        })
    }

    fn failure(&self, output: &Output) -> FetchError {
        let code = output
            .status
            .code()
            .map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        let said = String::from_utf8_lossy(&output.stderr).replace(&self.url, &self.shown);
        FetchError::Refused(format!(
            "error downloading '{}': git exited with {code}: {}",
            self.shown,
            said.trim()
        ))
    }
}

/// A private key, given in base64, in a file that goes with the fetch.
fn key_file(text: &str) -> Result<tempfile::NamedTempFile, FetchError> {
    // A plus in an address is a blank to those who read parameters.
    let key = base64::engine::general_purpose::STANDARD
        .decode(text.replace(' ', "+"))
        .map_err(|error| FetchError::Refused(format!("sshkey is not in base64: {error}")))?;
    let write = || {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(&key)?;
        file.flush()?;
        Ok(file)
    };
    write().map_err(FetchError::local("the SSH key cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_no_references() {
        for name in ["main", "v1.2.3", "feature/x", "0123abc", "refs/tags/v1"] {
            assert!(is_reference(name), "{name}");
        }
        for name in ["", "--upload-pack=x", "a..b", "a b", "HEAD~1", "x:y"] {
            assert!(!is_reference(name), "{name}");
        }
    }
}
