//! States in a Kubernetes cluster: the reference's Secrets and its Lease, so that each sees the other's.
//!
//! | what | where |
//! | --- | --- |
//! | a state | the Secret `tfstate-WORKSPACE-SUFFIX`, compressed; what does not fit into one in `…-part-1` and so on |
//! | its lock | the Lease `lock-tfstate-WORKSPACE-SUFFIX`, with the lock's information in an annotation |
//! | what only Terrace keeps | Secrets `terrace-SUFFIX-…`, with labels of their own |
//! | parts of what is larger than a Secret | Secrets `terrace-SUFFIX-…-WRITE-N`, which the first Secret names |
//!
//! The API writes one object at a time, and a Secret takes a megabyte. A larger state is written in parts under new names and
//! then switched by one conditional write of its first Secret, so that readers of Terrace's see the state before or the one
//! after. The parts `…-part-N` follow for other tools, which look for those; if a process dies before they are written,
//! Terrace reads the new state, and other tools fail until Terrace writes again.

mod api;
mod credentials;
mod kubeconfig;
mod locks;
mod objects;
mod secrets;
mod settings;

use std::sync::Arc;

use terrace_backend_remote::{
    Arguments, Layout, Problem, RemoteOptions, RemoteStore, Surroundings,
};
use terrace_port::StateStore;

pub use settings::arguments;

use api::Api;

const STATES: &str = "state/";

struct Names {
    suffix: String,
}

impl Layout for Names {
    fn state(&self, workspace: &str) -> String {
        format!("{STATES}{workspace}")
    }

    fn prefix(&self) -> Option<String> {
        Some(STATES.into())
    }

    fn workspace(&self, name: &str) -> Option<String> {
        name.strip_prefix(STATES).map(str::to_owned)
    }

    fn own(&self, workspace: &str) -> String {
        format!("own/{workspace}/")
    }

    fn lock_path(&self, workspace: &str) -> String {
        locks::lease_name(workspace, &self.suffix)
    }
}

/// Opens the store that settings name.
pub async fn open(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let options = RemoteOptions::within("kubernetes", surroundings);
    Ok(Arc::new(open_with(arguments, surroundings, options).await?))
}

/// Opens it with a lease of its own length.
#[expect(
    clippy::unused_async,
    reason = "the contract of backends, of which some sign in"
)]
pub async fn open_with(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
    options: RemoteOptions,
) -> Result<RemoteStore, Vec<Problem>> {
    let settings = settings::Settings::read(arguments, surroundings)?;
    let suffix = settings.suffix.clone();
    let api = Arc::new(Api::new(settings, surroundings.user_agent)?);
    Ok(RemoteStore::new(
        options,
        Arc::clone(&api) as _,
        api,
        Arc::new(Names { suffix }),
    ))
}
