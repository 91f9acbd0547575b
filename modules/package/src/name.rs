//! Names of modules and providers within a registry.

use std::fmt;
use std::str::FromStr;

/// The longest part of a name.
const LONGEST: usize = 64;

/// A name that is none, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(String);

/// A module within a registry: `NAMESPACE/NAME/SYSTEM`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleAddress {
    namespace: String,
    name: String,
    system: String,
}

impl ModuleAddress {
    /// Makes one of its parts.
    ///
    /// # Errors
    /// [`InvalidName`] with the part that is none.
    pub fn new(namespace: &str, name: &str, system: &str) -> Result<Self, InvalidName> {
        part("namespace", namespace, is_word)?;
        part("name", name, is_word)?;
        part("target system", system, |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit()
        })?;
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            system: system.to_owned(),
        })
    }

    /// Whose it is.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for: a provider's name, as a rule.
    pub fn system(&self) -> &str {
        &self.system
    }
}

impl fmt::Display for ModuleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.name, self.system)
    }
}

impl FromStr for ModuleAddress {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [namespace, name, system] => Self::new(namespace, name, system),
            _ => Err(InvalidName(format!(
                "{text:?} is no module of a registry; one is written NAMESPACE/NAME/SYSTEM, such as \"acme/network/aws\""
            ))),
        }
    }
}

/// A provider within a registry: `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderAddress {
    namespace: String,
    name: String,
}

impl ProviderAddress {
    /// Makes one of its parts.
    ///
    /// # Errors
    /// [`InvalidName`] with the part that is none.
    pub fn new(namespace: &str, name: &str) -> Result<Self, InvalidName> {
        part("namespace", namespace, is_word)?;
        part("name", name, |c| {
            c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit()
        })?;
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whose it is.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ProviderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn part(what: &str, text: &str, may_hold: impl Fn(char) -> bool) -> Result<(), InvalidName> {
    let ends = |c: char| c.is_ascii_alphanumeric();
    let sound = text.len() <= LONGEST
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(may_hold);
    if sound {
        return Ok(());
    }
    Err(InvalidName(format!(
        "{text:?} is no {what}: it has up to {LONGEST} letters and digits, with dashes between them"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let module: ModuleAddress = "acme/my-network_2/aws".parse().unwrap();
        assert_eq!(module.to_string(), "acme/my-network_2/aws");
        assert_eq!(module.system(), "aws");
        assert!(ProviderAddress::new("Acme", "random").is_ok());
    }

    #[test]
    fn what_would_lead_elsewhere_is_refused() {
        for text in [
            "", "a", "a/b", "a/b/c/d", "a//c", "../b/c", "a/../c", "a/b/AWS", "-a/b/c", "a/b_/c",
            "a/b c/d", "a/b/c?", "a/b%2f/c", "a/ü/c", "a\\b/c/d", "a/b/c-d",
        ] {
            assert!(text.parse::<ModuleAddress>().is_err(), "{text}");
        }
        let long = "a".repeat(65);
        assert!(ModuleAddress::new(&long, "b", "c").is_err());
        assert!(ProviderAddress::new("a", "B").is_err());
        assert!(ProviderAddress::new("a", "..").is_err());
    }
}
