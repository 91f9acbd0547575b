//! Under which keys things lie.

use terrace_backend_remote::Layout;

use crate::settings::Settings;

/// The keys of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    bucket: String,
    key: String,
    workspace_prefix: String,
}

impl Keys {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            bucket: settings.bucket.clone(),
            key: settings.key.clone(),
            workspace_prefix: settings.workspace_prefix.clone(),
        }
    }

    /// Whether a state lies under this key.
    pub(crate) fn is_state(&self, name: &str) -> bool {
        name == self.key || self.workspace(name).is_some()
    }
}

impl Layout for Keys {
    fn state(&self, workspace: &str) -> String {
        if workspace == "default" {
            self.key.clone()
        } else {
            format!(
                "{}{workspace}/{}",
                self.prefix().unwrap_or_default(),
                self.key
            )
        }
    }

    fn prefix(&self) -> Option<String> {
        Some(if self.workspace_prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", self.workspace_prefix)
        })
    }

    fn workspace(&self, name: &str) -> Option<String> {
        let rest = name.strip_prefix(&self.prefix()?)?;
        let (workspace, key) = rest.split_once('/')?;
        (key == self.key && !workspace.is_empty() && workspace != "default")
            .then(|| workspace.to_owned())
    }

    fn lock_path(&self, workspace: &str) -> String {
        format!("{}/{}", self.bucket, self.state(workspace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(prefix: &str) -> Keys {
        Keys {
            bucket: "b".into(),
            key: "dev/state".into(),
            workspace_prefix: prefix.into(),
        }
    }

    #[test]
    fn workspaces_have_keys() {
        let keys = keys("env:");
        assert_eq!(keys.state("default"), "dev/state");
        assert_eq!(keys.state("w"), "env:/w/dev/state");
        assert_eq!(keys.own("w"), "env:/w/dev/state.terrace/");
        assert_eq!(keys.lock_path("w"), "b/env:/w/dev/state");
    }

    #[test]
    fn keys_are_workspaces() {
        let keys = keys("env:");
        assert_eq!(keys.workspace("env:/w/dev/state"), Some("w".into()));
        for other in [
            "env:/w/dev/state.tflock",
            "env:/w/dev/state.terrace/epoch",
            "env:/w/other",
            "env://dev/state",
            "dev/state",
        ] {
            assert_eq!(keys.workspace(other), None, "{other}");
        }
    }

    #[test]
    fn without_a_prefix() {
        let keys = keys("");
        assert_eq!(keys.state("w"), "w/dev/state");
        assert_eq!(keys.workspace("w/dev/state"), Some("w".into()));
        assert_eq!(keys.workspace("dev/state"), None);
    }
}
