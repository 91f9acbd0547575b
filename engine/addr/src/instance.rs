//! Resources and their instances.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::{ModuleInstance, ModulePath, Name};

/// Which instance of something that has `count` or `for_each`. Displays with its brackets.
///
/// Numbers come before strings, numbers in numeric order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstanceKey {
    /// From `count`.
    Int(u64),
    /// From `for_each`.
    String(Name),
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(index) => write!(f, "[{index}]"),
            Self::String(key) => {
                f.write_str("[\"")?;
                let mut chars = key.chars().peekable();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        '$' | '%' if chars.peek() == Some(&'{') => write!(f, "{c}{c}")?,
                        // An address is printed: nothing in it may steer a terminal.
                        c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

/// Managed by Terrace, read from a provider, or opened for the length of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceMode {
    /// `resource`
    Managed,
    /// `data`
    Data,
    /// `ephemeral`
    Ephemeral,
}

/// A resource within its module: `aws_vpc.main`, `data.aws_ami.x`. Ordered by mode, type and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The mode.
    pub mode: ResourceMode,
    /// The type, such as `aws_vpc`.
    pub type_name: Name,
    /// The name given in the configuration.
    pub name: Name,
}

impl Resource {
    /// A managed resource.
    pub fn managed(type_name: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self {
            mode: ResourceMode::Managed,
            type_name: type_name.into(),
            name: name.into(),
        }
    }

    /// A data resource.
    pub fn data(type_name: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self {
            mode: ResourceMode::Data,
            type_name: type_name.into(),
            name: name.into(),
        }
    }

    /// This resource in a module instance.
    pub fn in_module(&self, module: ModuleInstance) -> AbsResource {
        AbsResource {
            module,
            resource: Arc::new(self.clone()),
        }
    }
}

impl Ord for Resource {
    fn cmp(&self, other: &Self) -> Ordering {
        self.mode
            .cmp(&other.mode)
            .then_with(|| {
                // Names of types are shared as a rule: most comparisons need not read them.
                if Arc::ptr_eq(&self.type_name, &other.type_name) {
                    Ordering::Equal
                } else {
                    self.type_name.cmp(&other.type_name)
                }
            })
            .then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Resource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.mode {
            ResourceMode::Managed => "",
            ResourceMode::Data => "data.",
            ResourceMode::Ephemeral => "ephemeral.",
        };
        write!(f, "{prefix}{}.{}", self.type_name, self.name)
    }
}

/// A resource in the configuration tree, whatever the instances of its module.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigResource {
    /// The module.
    pub module: ModulePath,
    /// The resource.
    pub resource: Resource,
}

impl fmt::Display for ConfigResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.resource)
    }
}

/// A resource in one module instance, with all its instances.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AbsResource {
    /// The module instance.
    pub module: ModuleInstance,
    /// The resource; shared by its instances.
    pub resource: Arc<Resource>,
}

impl AbsResource {
    /// The instance `key`.
    pub fn instance(&self, key: Option<InstanceKey>) -> AbsResourceInstance {
        AbsResourceInstance {
            resource: self.clone(),
            key,
        }
    }

    /// The resource in the configuration tree.
    pub fn config(&self) -> ConfigResource {
        ConfigResource {
            module: self.module.path(),
            resource: (*self.resource).clone(),
        }
    }
}

impl Ord for AbsResource {
    fn cmp(&self, other: &Self) -> Ordering {
        self.module.cmp(&other.module).then_with(|| {
            if Arc::ptr_eq(&self.resource, &other.resource) {
                Ordering::Equal
            } else {
                self.resource.cmp(&other.resource)
            }
        })
    }
}

impl PartialOrd for AbsResource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for AbsResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.resource)
    }
}

/// One instance of a resource: `module.a[0].aws_vpc.main["x"]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsResourceInstance {
    /// The resource.
    pub resource: AbsResource,
    /// Which instance; `None` without `count` and `for_each`.
    pub key: Option<InstanceKey>,
}

impl AbsResourceInstance {
    /// The module instance.
    pub fn module(&self) -> &ModuleInstance {
        &self.resource.module
    }

    /// The mode of the resource.
    pub fn mode(&self) -> ResourceMode {
        self.resource.resource.mode
    }

    /// The type of the resource.
    pub fn type_name(&self) -> &Name {
        &self.resource.resource.type_name
    }
}

impl fmt::Display for AbsResourceInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        if let Some(key) = &self.key {
            write!(f, "{key}")?;
        }
        Ok(())
    }
}

/// Names an object that a replacement left to be destroyed: eight hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeposedKey(pub Name);

impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
