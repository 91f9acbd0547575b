//! Modules: static paths and instances.

use std::fmt;
use std::sync::Arc;

use crate::{InstanceKey, Name};

/// A module in the configuration tree, whatever its instances: `module.a.module.b`. The root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulePath(Arc<[Name]>);

impl ModulePath {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// The module that `call` calls from here.
    #[must_use]
    pub fn child(&self, call: impl Into<Name>) -> Self {
        Self(self.0.iter().cloned().chain([call.into()]).collect())
    }

    /// The module above and the name of the call; `None` at the root.
    pub fn parent(&self) -> Option<(Self, &Name)> {
        let (last, rest) = self.0.split_last()?;
        Some((Self(rest.into()), last))
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the calls from the root.
    pub fn steps(&self) -> &[Name] {
        &self.0
    }
}

impl<N: Into<Name>> FromIterator<N> for ModulePath {
    fn from_iter<T: IntoIterator<Item = N>>(iter: T) -> Self {
        Self(iter.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}module.{step}")?;
        }
        Ok(())
    }
}

/// One call on the way to a module instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleStep {
    /// Name of the call.
    pub name: Name,
    /// Which instance of the call; `None` where it has neither `count` nor `for_each`.
    pub key: Option<InstanceKey>,
}

/// One instance of a module: `module.a["x"].module.b[0]`. The root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleInstance(Arc<[ModuleStep]>);

impl ModuleInstance {
    /// The root module's only instance.
    pub fn root() -> Self {
        Self::default()
    }

    /// The instance `key` of the call `name` made from here.
    #[must_use]
    pub fn child(&self, name: impl Into<Name>, key: Option<InstanceKey>) -> Self {
        Self(
            self.0
                .iter()
                .cloned()
                .chain([ModuleStep {
                    name: name.into(),
                    key,
                }])
                .collect(),
        )
    }

    /// The instance above and the last step; `None` at the root.
    pub fn parent(&self) -> Option<(Self, &ModuleStep)> {
        let (last, rest) = self.0.split_last()?;
        Some((Self(rest.into()), last))
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The calls from the root.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// The module in the configuration tree.
    pub fn path(&self) -> ModulePath {
        self.0.iter().map(|step| step.name.clone()).collect()
    }
}

impl FromIterator<ModuleStep> for ModuleInstance {
    fn from_iter<T: IntoIterator<Item = ModuleStep>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
        }
        Ok(())
    }
}

/// A named value (output, local, variable, check) of one module instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsNamed {
    /// The module instance.
    pub module: ModuleInstance,
    /// The name.
    pub name: Name,
}

impl AbsNamed {
    /// `name` in `module`.
    pub fn new(module: ModuleInstance, name: impl Into<Name>) -> Self {
        Self {
            module,
            name: name.into(),
        }
    }
}
