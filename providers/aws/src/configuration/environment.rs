//! The environment that a provider works in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use terrace_port::Surroundings;

/// Variables of the environment.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's, with what it has otherwise: an environment of the project may bring credentials of its own.
    pub(crate) fn of_process(surroundings: &Surroundings) -> Self {
        let mut variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        variables.retain(|name, _| !surroundings.removed.contains(name));
        variables.extend(surroundings.set.clone());
        Self(variables)
    }

    /// The first of these variables that is set and not empty.
    pub(crate) fn first(&self, names: &[&str]) -> Option<String> {
        let mut all = names.iter().filter_map(|name| self.0.get(*name));
        all.find(|text| !text.is_empty()).cloned()
    }

    /// The variables whose names begin with `prefix`, without it.
    pub(crate) fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = (String, String)> {
        self.0.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(prefix)?;
            Some((rest.to_owned(), value.clone()))
        })
    }

    /// A path, in which `~/` is the user's home.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.first(&["HOME"])) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => PathBuf::from(text),
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(owned.into_iter().collect())
    }
}
