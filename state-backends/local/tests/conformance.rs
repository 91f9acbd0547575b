//! The suite that every backend passes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::sync::Arc;

use futures::executor::block_on;
use terrace_backend_conformance::{Backend, suite};
use terrace_backend_local::LocalStore;
use terrace_port::StateStore;

struct Local(tempfile::TempDir);

impl Local {
    fn journal(&self, workspace: &str) -> PathBuf {
        self.0
            .path()
            .join(".terrace/workspaces")
            .join(workspace)
            .join("journal")
    }
}

impl Backend for Local {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(LocalStore::new(self.0.path()))
    }

    #[expect(clippy::disallowed_methods, reason = "a test plays a crash")]
    fn interrupt_write(&self, workspace: &str) {
        let state = LocalStore::new(self.0.path()).state_path(workspace);
        std::fs::write(
            state.with_file_name(".tmp-Ab12Cd"),
            b"{\n  \"version\": 4,\n  \"ser",
        )
        .unwrap();
        std::fs::write(
            state.with_file_name(".terraform.tfstate.lock.info"),
            b"{\"ID\":\"dead\"}",
        )
        .unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "a test looks into a file")]
    fn journal_bytes(&self, workspace: &str) -> Option<Vec<u8>> {
        std::fs::read(self.journal(workspace)).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "a test damages a file")]
    fn set_journal_bytes(&self, workspace: &str, bytes: &[u8]) {
        std::fs::write(self.journal(workspace), bytes).unwrap();
    }
}

#[test]
fn the_local_backend_conforms() {
    let checks = block_on(suite(&|| Box::new(Local(tempfile::tempdir().unwrap()))));
    assert!(checks.len() >= 26, "{checks:?}");
}
