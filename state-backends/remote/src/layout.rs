//! Under which names things lie.

/// Under which names a store has the states of its workspaces, where other tools have them too.
///
/// Beside each state lies what only Terrace keeps, under a name that no other tool takes for a workspace.
pub trait Layout: Send + Sync {
    /// The name of the object that holds the state of a workspace.
    fn state(&self, workspace: &str) -> String;

    /// What the names of the states of all workspaces but `default` begin with. `None` where there is only `default`; then
    /// every other workspace is refused with the reference's "workspaces not supported".
    fn prefix(&self) -> Option<String>;

    /// The workspace whose state has this name; `None` for everything else that lies under the prefix. The inverse of
    /// [`state`](Self::state).
    fn workspace(&self, name: &str) -> Option<String>;

    /// What the names of Terrace's own things of a workspace begin with (`runs/…`, `journal/…`, `epoch` follow). Ends with `/`.
    fn own(&self, workspace: &str) -> String {
        format!("{}.terrace/", self.state(workspace))
    }

    /// What `path` in the lock's record says, as the other tool has it (`bucket/key`, say).
    fn lock_path(&self, workspace: &str) -> String {
        self.state(workspace)
    }

    /// A content that every tool takes for "no state yet". It is written where a lock is taken over before there is a state, so
    /// that the dead holder cannot create one any more. `None` where there is none, or where the store's own lock keeps the dead
    /// holder from writing.
    fn no_state(&self) -> Option<&'static [u8]> {
        Some(b"")
    }
}
