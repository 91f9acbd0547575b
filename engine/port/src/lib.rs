//! Ports: traits that adapters implement and the engine calls. No implementation lives here.

mod desk;
mod outside;
mod provider;
mod remote;
mod store;

pub use desk::{ChangedFile, CommitCheck, DeploymentState, Desk, KeptIssue, MergedChange, Remark};
pub use outside::{
    Clock, DeploymentReview, Entropy, FileEntry, Files, Forge, Issuer, Observer, OperationEvent,
    Process, ProcessOutput, ProcessRequest, PullRequest, PullRequestReview, Signer, Surroundings,
    WorkflowRun,
};
pub use provider::{
    ApplyRequest, ApplyResponse, Attempt, DeferralReason, ImportedResource, MoveRequest,
    MoveResponse, OpenedEphemeral, PlanRequest, PlanResponse, Provider, ProviderDiagnostic,
    ProviderError, ProviderSource, ReadRequest, ReadResponse, RenewedEphemeral, Reply,
    ResourceState,
};
pub use remote::{Connection, Content, Login, Platform, Proxy, Remote, RemoteError, RemoteTask};
pub use store::{
    JournalStore, LockInfo, LockLease, LockedState, NoRuns, RunStore, StateStore, StateVersion,
    StoreError, StoredState,
};
