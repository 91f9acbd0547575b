//! Under which names things lie.

use terrace_backend_remote::Layout;

use crate::settings::Settings;

const STATE: &str = ".tfstate";
const LOCK: &str = ".tflock";

/// The names in a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    bucket: String,
    /// With a slash at the end, unless it is empty.
    prefix: String,
}

impl Keys {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            bucket: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
        }
    }

    /// The name of a workspace's lock.
    pub(crate) fn lock(&self, workspace: &str) -> String {
        format!("{}{workspace}{LOCK}", self.prefix)
    }
}

impl Layout for Keys {
    fn state(&self, workspace: &str) -> String {
        format!("{}{workspace}{STATE}", self.prefix)
    }

    fn prefix(&self) -> Option<String> {
        Some(self.prefix.clone())
    }

    fn workspace(&self, name: &str) -> Option<String> {
        let workspace = name.strip_prefix(&self.prefix)?.strip_suffix(STATE)?;
        let is_name = !workspace.is_empty() && !workspace.contains('/') && workspace != "default";
        is_name.then(|| workspace.to_owned())
    }

    fn lock_path(&self, workspace: &str) -> String {
        format!("gs://{}/{}", self.bucket, self.lock(workspace))
    }

    /// An empty object is no state to nobody.
    fn no_state(&self) -> Option<&'static [u8]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_have_names() {
        for (prefix, start) in [("", ""), ("a/b/", "a/b/")] {
            let keys = Keys {
                bucket: "b".into(),
                prefix: prefix.into(),
            };
            assert_eq!(keys.state("w"), format!("{start}w.tfstate"));
            assert_eq!(keys.lock_path("w"), format!("gs://b/{start}w.tflock"));
            assert_eq!(keys.workspace(&keys.state("w")), Some("w".into()));
            for other in [
                "w.tflock",
                "w.tfstate.terrace/epoch",
                "x/w.tfstate",
                ".tfstate",
                "default.tfstate",
            ] {
                assert_eq!(keys.workspace(&format!("{start}{other}")), None, "{other}");
            }
        }
    }
}
