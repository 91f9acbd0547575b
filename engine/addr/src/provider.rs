//! Providers and their configurations.

use std::fmt;

use crate::{InstanceKey, ModulePath, Name};

/// The host that a provider without a host comes from.
pub const DEFAULT_HOST: &str = "registry.terraform.io";

/// The registry that has the same providers as the default one.
const TWIN_HOST: &str = "registry.opentofu.org";

/// A provider's full name: `registry.terraform.io/hashicorp/aws`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderAddr {
    /// Host of the registry.
    pub host: Name,
    /// Namespace.
    pub namespace: Name,
    /// Type.
    pub name: Name,
}

/// Why a provider's name cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderAddrError(pub String);

impl fmt::Display for ProviderAddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProviderAddrError {}

impl ProviderAddr {
    /// `host/namespace/name`.
    pub fn new(host: impl Into<Name>, namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self {
            host: host.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The provider that a local name without `required_providers` stands for.
    pub fn default_for(name: &str) -> Self {
        if name == "terraform" {
            return Self::builtin();
        }
        Self::new(DEFAULT_HOST, "hashicorp", name)
    }

    /// The provider inside the engine, of `terraform_data`.
    pub fn builtin() -> Self {
        Self::new("terraform.io", "builtin", "terraform")
    }

    /// Whether this is the provider inside the engine.
    pub fn is_builtin(&self) -> bool {
        &*self.host == "terraform.io" && &*self.namespace == "builtin"
    }

    /// Reads `name`, `namespace/name` or `host/namespace/name`.
    pub fn parse(source: &str) -> Result<Self, ProviderAddrError> {
        let parts: Vec<&str> = source.split('/').collect();
        let valid = |part: &&str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let bad = |what: &str| {
            Err(ProviderAddrError(format!(
                "The provider source {source:?} is not valid: {what}. It has the form [HOSTNAME/][NAMESPACE/]NAME."
            )))
        };
        if parts.len() > 3 {
            return bad("it has more than three parts");
        }
        let names = if parts.len() == 3 {
            &parts[1..]
        } else {
            &parts[..]
        };
        if !names.iter().all(valid) {
            return bad(
                "a name holds letters, digits, dashes and underscores, and neither begins nor ends with a dash",
            );
        }
        let lower = |part: &str| Name::from(part.to_lowercase());
        Ok(match parts[..] {
            [name] => Self::new(DEFAULT_HOST, "hashicorp", lower(name)),
            [namespace, name] => Self::new(DEFAULT_HOST, lower(namespace), lower(name)),
            [host, namespace, name] => {
                if host.is_empty()
                    || (!host.contains('.') && !host.contains(':') && host != "localhost")
                {
                    return bad("its host name must contain at least one dot");
                }
                Self::new(lower(host), lower(namespace), lower(name))
            }
            _ => return bad("it is empty"),
        })
    }

    /// The provider of the same name in the other of the two registries that have the same providers; `None` for one that
    /// comes from neither.
    pub fn twin(&self) -> Option<Self> {
        let host = match &*self.host {
            DEFAULT_HOST => TWIN_HOST,
            TWIN_HOST => DEFAULT_HOST,
            _ => return None,
        };
        Some(Self::new(host, self.namespace.clone(), self.name.clone()))
    }

    /// As people write it: without the default host.
    pub fn for_display(&self) -> String {
        if &*self.host == DEFAULT_HOST {
            format!("{}/{}", self.namespace, self.name)
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for ProviderAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.name)
    }
}

/// A provider configuration as one module names it: `aws` or `aws.west`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalProviderConfig {
    /// The local name.
    pub local_name: Name,
    /// The alias.
    pub alias: Option<Name>,
}

impl fmt::Display for LocalProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local_name)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        Ok(())
    }
}

/// A provider configuration in the tree: `module.x.provider["registry.terraform.io/hashicorp/aws"].west`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsProviderConfig {
    /// The module that holds it.
    pub module: ModulePath,
    /// The provider.
    pub provider: ProviderAddr,
    /// The alias.
    pub alias: Option<Name>,
    /// Which instance of it, where it has `for_each` and one is meant.
    pub key: Option<InstanceKey>,
}

impl AbsProviderConfig {
    /// The configuration with all its instances.
    #[must_use]
    pub fn whole(&self) -> Self {
        self.instance(None)
    }

    /// One instance of the configuration.
    #[must_use]
    pub fn instance(&self, key: Option<InstanceKey>) -> Self {
        Self {
            key,
            ..self.clone()
        }
    }
}

impl fmt::Display for AbsProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.provider)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key}")?;
        }
        Ok(())
    }
}
