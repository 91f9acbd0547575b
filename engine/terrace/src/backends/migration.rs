//! Copying states from one backend to another.

use std::sync::Arc;

use terrace_port::{LockedState, StateStore, StoredState};

use super::setup::Setup;
use crate::command_error::CommandError;
use crate::outside::write_file;
use crate::session::Session;

/// One of the two backends.
pub(super) struct Side {
    pub(super) kind: &'static str,
    pub(super) store: Arc<dyn StateStore>,
    pub(super) has_workspaces: bool,
}

impl Side {
    /// Whether any workspace has a state that is not empty.
    pub(super) async fn has_state(&self) -> Result<bool, CommandError> {
        for workspace in self.workspaces().await? {
            if is_filled(self.store.read(&workspace).await?.as_ref()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn workspaces(&self) -> Result<Vec<String>, CommandError> {
        if self.has_workspaces {
            Ok(self.store.workspaces().await?)
        } else {
            Ok(vec!["default".to_owned()])
        }
    }

    async fn lock(
        &self,
        session: &Session,
        workspace: &str,
        timeout: &str,
    ) -> Result<Box<dyn LockedState>, CommandError> {
        session
            .lock_store(
                &*self.store,
                workspace,
                "backend from/to migration",
                timeout,
            )
            .await
    }
}

/// States go from one side to the other.
pub(super) struct Migration<'a> {
    pub(super) session: &'a Session,
    pub(super) setup: &'a Setup,
    pub(super) from: Side,
    pub(super) to: Side,
}

/// Whether a state holds anything: objects or outputs.
fn is_filled(state: Option<&StoredState>) -> bool {
    let Some(state) = state else {
        return false;
    };
    let Ok(state) = serde_json::from_slice::<serde_json::Value>(&state.bytes) else {
        return true;
    };
    let filled = |name: &str| match state.get(name) {
        Some(serde_json::Value::Array(items)) => !items.is_empty(),
        Some(serde_json::Value::Object(entries)) => !entries.is_empty(),
        _ => false,
    };
    filled("resources") || filled("outputs")
}

fn refused(detail: &str) -> CommandError {
    CommandError::one("migration-refused", "Error migrating the state", detail)
}

impl Migration<'_> {
    /// Copies what is to be copied, asking as the reference asks. Nothing is deleted where it was.
    pub(super) async fn run(&self) -> Result<(), CommandError> {
        let workspaces = self.from.workspaces().await?;
        if workspaces.len() == 1 {
            return self.copy(&workspaces[0], &workspaces[0], true).await;
        }
        let (from, to) = (self.from.kind, self.to.kind);
        if self.to.has_workspaces {
            let question = format!(
                "Do you want to migrate all workspaces to {to:?}?\n  Both the existing {from:?} backend and the newly configured {to:?} backend\n  support workspaces. When migrating between backends, Terrace will copy\n  all workspaces (with the same names). THIS WILL OVERWRITE any conflicting\n  states in the destination.\n\n  Terrace initialization doesn't currently migrate only select workspaces.\n  If you want to migrate a select number of workspaces, you must manually\n  pull and push those states.\n\n  If you answer \"yes\", Terrace will migrate all states. If you answer\n  \"no\", Terrace will abort.\n"
            );
            if !self.ask(&question)? {
                return Err(refused("Migration aborted by user."));
            }
            for workspace in &workspaces {
                self.copy(workspace, workspace, false).await?;
            }
            return Ok(());
        }
        let current = self.session.workspace();
        let question = format!(
            "Destination state {to:?} doesn't support workspaces.\nDo you want to copy only your current workspace?\n  The existing {from:?} backend supports workspaces and you currently are\n  using more than one. The newly configured {to:?} backend doesn't support\n  workspaces. If you continue, Terrace will copy your current workspace {current:?}\n  to the default workspace in the new backend. Your existing workspaces in the\n  source backend won't be modified. If you want to switch workspaces, back them\n  up, or cancel altogether, answer \"no\" and Terrace will abort.\n"
        );
        if !self.ask(&question)? {
            return Err(refused("Migration aborted by user."));
        }
        self.copy(&current, "default", true).await?;
        // There is no other to work in.
        let path = format!("{}/environment", self.session.data_directory());
        write_file(&path, b"default").map_err(|error| {
            let detail = format!("{path} cannot be written: {error}.");
            CommandError::one("unwritable-file", "Workspace cannot be chosen", detail)
        })
    }

    fn ask(&self, question: &str) -> Result<bool, CommandError> {
        if self.setup.force_copy {
            return Ok(true);
        }
        if !self.setup.input {
            return Err(CommandError::one(
                "migration-needs-answers",
                "Can't ask approval for state migration when interactive input is disabled.",
                "Please remove the \"-input=false\" option and try again.",
            ));
        }
        Ok(self.session.view.confirm(question))
    }

    /// Copies a workspace under the locks of both sides, with what lies beside its state.
    async fn copy(&self, from: &str, to: &str, asks: bool) -> Result<(), CommandError> {
        let timeout = &self.setup.lock_timeout;
        let source = self.from.lock(self.session, from, timeout).await?;
        let target = self.to.lock(self.session, to, timeout).await;
        let mut target = match target {
            Ok(target) => target,
            Err(error) => {
                source.unlock().await?;
                return Err(error);
            }
        };
        let copied = self
            .copy_locked(&*source, &mut *target, (from, to), asks)
            .await;
        let released = (target.unlock().await, source.unlock().await);
        copied?;
        released.0?;
        released.1?;
        Ok(())
    }

    async fn copy_locked(
        &self,
        source: &dyn LockedState,
        target: &mut dyn LockedState,
        (from, to): (&str, &str),
        asks: bool,
    ) -> Result<(), CommandError> {
        let Some(state) = source.read().await? else {
            return Ok(());
        };
        let there = target.read().await?;
        if there
            .as_ref()
            .is_some_and(|there| there.bytes == state.bytes)
        {
            return Ok(());
        }
        if !self.from.store.journal(from).read().await?.is_empty() {
            return Err(refused(&format!(
                "An operation on the workspace {from:?} was interrupted, and what it did is still in the journal beside its state. Run \"terrace recover\" with the earlier settings first, so that nothing of it is left behind."
            )));
        }
        if asks
            && is_filled(Some(&state))
            && !self.ask(&self.question(is_filled(there.as_ref())))?
        {
            return Ok(());
        }
        if !is_filled(Some(&state)) && is_filled(there.as_ref()) {
            return Ok(());
        }
        // commit: the bytes of a state that was committed elsewhere go on unchanged
        target.overwrite(Arc::clone(&state.bytes)).await?;
        // Runs, the audit log and the gate's rules belong to the state.
        let (source, target) = (self.from.store.runs(from), self.to.store.runs(to));
        if target.list("").await?.is_empty() {
            for name in source.list("").await? {
                if let Some(bytes) = source.get(&name).await? {
                    target.put(&name, &bytes).await?;
                }
            }
        }
        Ok(())
    }

    fn question(&self, both: bool) -> String {
        let (from, to) = (self.from.kind, self.to.kind);
        if both {
            format!(
                "Do you want to copy existing state to the new backend?\n  Pre-existing state was found while migrating the previous {from:?} backend to the\n  newly configured {to:?} backend. An existing non-empty state already exists in\n  the new backend.\n\n  Do you want to overwrite the state in the new backend with the previous state?\n  Enter \"yes\" to copy and \"no\" to start with the existing state in the newly\n  configured {to:?} backend.\n"
            )
        } else {
            format!(
                "Do you want to copy existing state to the new backend?\n  Pre-existing state was found while migrating the previous {from:?} backend to the\n  newly configured {to:?} backend. No existing state was found in the newly\n  configured {to:?} backend. Do you want to copy this state to the new {to:?}\n  backend? Enter \"yes\" to copy and \"no\" to start with an empty state.\n"
            )
        }
    }
}
