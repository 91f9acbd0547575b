//! Under which names things lie.

use terrace_backend_remote::Layout;

/// The names in a container.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    key: String,
}

impl Keys {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
        }
    }

    /// Whether a state lies under this name.
    pub(crate) fn is_state(&self, name: &str) -> bool {
        name == self.key || self.workspace(name).is_some()
    }
}

impl Layout for Keys {
    fn state(&self, workspace: &str) -> String {
        if workspace == "default" {
            self.key.clone()
        } else {
            format!("{}env:{workspace}", self.key)
        }
    }

    fn prefix(&self) -> Option<String> {
        Some(format!("{}env:", self.key))
    }

    fn workspace(&self, name: &str) -> Option<String> {
        let workspace = name.strip_prefix(&self.prefix()?)?;
        (!workspace.is_empty() && !workspace.contains('/')).then(|| workspace.to_owned())
    }

    /// Not behind the state's own name, where other tools would take it for workspaces.
    fn own(&self, workspace: &str) -> String {
        if workspace == "default" {
            format!("{}.terrace/", self.key)
        } else {
            format!("{}.terraceenv:{workspace}/", self.key)
        }
    }

    fn no_state(&self) -> Option<&'static [u8]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_have_names() {
        let keys = Keys::new("prod.tfstate");
        assert_eq!(keys.state("default"), "prod.tfstate");
        assert_eq!(keys.state("w"), "prod.tfstateenv:w");
        assert_eq!(keys.workspace("prod.tfstateenv:w"), Some("w".into()));
        for other in [
            "prod.tfstate",
            "prod.tfstateenv:",
            "prod.tfstateenv:w/x",
            "prod.tfstate.terrace/epoch",
        ] {
            assert_eq!(keys.workspace(other), None, "{other}");
        }
        for workspace in ["default", "w"] {
            let own = keys.own(workspace);
            assert!(!own.starts_with(&keys.prefix().unwrap()), "{own}");
        }
    }
}
