//! The outside world: files, clock, entropy, processes, signatures, and who watches a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use terrace_addr::AbsResourceInstance;

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileEntry {
    /// Its name within the directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// Files to read. Paths are as the user gave them, relative to the working directory.
pub trait Files: Send + Sync {
    /// The bytes of a file.
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>>;
    /// Entries of a directory, sorted by name.
    fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>>;
    /// Whether a regular file is there.
    fn exists(&self, path: &str) -> bool;
    /// An absolute path.
    fn absolute(&self, path: &str) -> String;
}

/// The time.
pub trait Clock: Send + Sync {
    /// Seconds and nanoseconds since 1970-01-01 UTC.
    fn now(&self) -> (i64, u32);
    /// Ends after a while; never, for a clock by which nothing waits.
    fn sleep(&self, _duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// Randomness.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// A command to run (provisioner `local-exec`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRequest {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs; `None` for the working directory.
    pub directory: Option<String>,
    /// Variables added to its environment.
    pub environment: Vec<(String, String)>,
    /// Bytes for its standard input.
    pub stdin: Vec<u8>,
}

/// How the environment of processes that are started differs from that of this one. Where nothing is said, it does not.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Variables that they do not have.
    pub removed: BTreeSet<String>,
    /// Variables that they have. These win over what is removed.
    pub set: BTreeMap<String, String>,
}

/// Names alone: values are secrets.
impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("removed", &self.removed)
            .field("set", &self.set.keys())
            .finish()
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessOutput {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Both of its outputs, interleaved as they came.
    pub output: Vec<u8>,
}

/// Runs commands.
#[async_trait]
pub trait Process: Send + Sync {
    /// Runs one to its end; each line of output is handed to `on_line` as it comes.
    async fn run(
        &self,
        request: ProcessRequest,
        on_line: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> std::io::Result<ProcessOutput>;
}

/// Signs bytes for a namespace, in OpenSSH's signature format (`PROTOCOL.sshsig`).
pub trait Signer: Send + Sync {
    /// The armored signature.
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, String>;
    /// The public key in OpenSSH's one-line form.
    fn public_key(&self) -> String;
}

/// Something that happened while planning or applying.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationEvent {
    /// An import began.
    ImportStart {
        /// The instance.
        address: AbsResourceInstance,
        /// The id by which the object is looked for; `None` where its identity says it.
        id: Option<String>,
    },
    /// The provider has found the object of an import.
    ImportDone {
        /// The instance.
        address: AbsResourceInstance,
    },
    /// A read of an existing object began: its id where it has one.
    RefreshStart {
        /// The instance.
        address: AbsResourceInstance,
        /// Name and value of the attribute that identifies the object.
        id: Option<(String, String)>,
    },
    /// A read ended.
    RefreshDone {
        /// The instance.
        address: AbsResourceInstance,
        /// Name and value of the attribute that identifies the object.
        id: Option<(String, String)>,
    },
    /// A change, a data read or an ephemeral opening began.
    ApplyStart {
        /// The instance.
        address: AbsResourceInstance,
        /// `create`, `update`, `delete`, `read`, `open`, `renew`, `close`; a replacement shows as its halves.
        action: &'static str,
        /// Name and value of the attribute that identifies the object.
        id: Option<(String, String)>,
    },
    /// It still runs.
    ApplyProgress {
        /// The instance.
        address: AbsResourceInstance,
        /// What runs.
        action: &'static str,
        /// Whole seconds since it began.
        elapsed_seconds: u64,
    },
    /// It ended well.
    ApplyDone {
        /// The instance.
        address: AbsResourceInstance,
        /// What ran.
        action: &'static str,
        /// Name and value of the attribute that identifies the object.
        id: Option<(String, String)>,
        /// Whole seconds it took.
        elapsed_seconds: u64,
    },
    /// It failed.
    ApplyFailed {
        /// The instance.
        address: AbsResourceInstance,
        /// What ran.
        action: &'static str,
        /// Whole seconds it took.
        elapsed_seconds: u64,
    },
    /// A provisioner began.
    ProvisionStart {
        /// The instance.
        address: AbsResourceInstance,
        /// Its type.
        provisioner: String,
    },
    /// A provisioner printed a line; already without secrets.
    ProvisionOutput {
        /// The instance.
        address: AbsResourceInstance,
        /// Its type.
        provisioner: String,
        /// The line.
        line: String,
    },
    /// A provisioner ended.
    ProvisionDone {
        /// The instance.
        address: AbsResourceInstance,
        /// Its type.
        provisioner: String,
        /// Whether it failed.
        failed: bool,
    },
}

/// Watches a run. Calls must return quickly.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on_event(&self, event: OperationEvent);
}

/// A review of a pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequestReview {
    /// Who reviewed.
    pub login: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`.
    pub state: String,
    /// The commit that was reviewed.
    pub commit: String,
    /// RFC 3339 time.
    pub submitted: String,
}

/// A pull request with its reviews.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequest {
    /// Who made it.
    pub author: String,
    /// Its reviews, in the order in which they were made.
    pub reviews: Vec<PullRequestReview>,
}

/// Someone's word on the deployment of a workflow's run to environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentReview {
    /// Who reviewed.
    pub login: String,
    /// `approved`, `rejected`.
    pub state: String,
    /// The environments at the forge.
    pub environments: Vec<String>,
}

/// A workflow's run with the reviews of its deployments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Who started it.
    pub actor: String,
    /// The commit that it runs for.
    pub commit: String,
    /// The reviews.
    pub reviews: Vec<DeploymentReview>,
}

/// Where people review changes. Errors say what could not be read and why.
#[async_trait]
pub trait Forge: Send + Sync {
    /// A pull request of a repository, `OWNER/NAME`, at the server with this API.
    async fn pull_request(
        &self,
        api: &str,
        repository: &str,
        number: u64,
    ) -> Result<PullRequest, String>;
    /// A workflow's run.
    async fn workflow_run(
        &self,
        api: &str,
        repository: &str,
        id: u64,
    ) -> Result<WorkflowRun, String>;
    /// The login of the author of a repository's commit; `None` where the author has none at that server.
    async fn commit_author(
        &self,
        api: &str,
        repository: &str,
        commit: &str,
    ) -> Result<Option<String>, String>;
}

/// Who vouches for workflows, by tokens as OIDC has them. Errors say what could not be had and why.
#[async_trait]
pub trait Issuer: Send + Sync {
    /// A token about the workflow that this process is part of, for this audience and no other; `None` where it is part of
    /// none, or of one that may not ask for tokens.
    async fn token(&self, audience: &str) -> Result<Option<String>, String>;
    /// The keys that an issuer publishes now: the text of a JSON Web Key Set.
    async fn keys(&self, issuer: &str) -> Result<String, String>;
}
