//! Patterns that say which providers an installation method is for.

use std::fmt;
use std::str::FromStr;

use terrace_addr::ProviderAddr;

/// `*/*`, `hashicorp/*`, `registry.terraform.io/hashicorp/aws`: a provider's address with wildcards from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    host: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

impl Pattern {
    /// Exactly one provider.
    pub fn exactly(provider: &ProviderAddr) -> Self {
        Self {
            host: Some(provider.host.to_string()),
            namespace: Some(provider.namespace.to_string()),
            name: Some(provider.name.to_string()),
        }
    }

    /// Whether it leaves the host open.
    pub fn any_host(&self) -> bool {
        self.host.is_none()
    }

    /// Whether it leaves the namespace open.
    pub fn any_namespace(&self) -> bool {
        self.namespace.is_none()
    }

    /// Whether it leaves the provider's own name open.
    pub fn any_name(&self) -> bool {
        self.name.is_none()
    }

    /// Whether `provider` fits.
    pub fn matches(&self, provider: &ProviderAddr) -> bool {
        let fits = |pattern: &Option<String>, part: &str| {
            pattern.as_deref().is_none_or(|pattern| pattern == part)
        };
        fits(&self.host, &provider.host)
            && fits(&self.namespace, &provider.namespace)
            && fits(&self.name, &provider.name)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("invalid provider matching pattern {text:?}: {why}");
        let parts: Vec<&str> = text.split('/').collect();
        let (host, namespace, name) = match parts[..] {
            [namespace, name] => (terrace_addr::DEFAULT_HOST, namespace, name),
            [host, namespace, name] => (host, namespace, name),
            _ => {
                return Err(bad(
                    "must have either two or three slash-separated segments",
                ));
            }
        };
        let part = |part: &str| (part != "*").then(|| part.to_lowercase());
        let pattern = Self {
            host: part(host),
            namespace: part(namespace),
            name: part(name),
        };
        // With two parts and a wildcard for the namespace, any host is meant.
        let pattern = if parts.len() == 2 && namespace == "*" {
            Self {
                host: None,
                ..pattern
            }
        } else {
            pattern
        };
        if pattern.host.is_none() && pattern.namespace.is_some() {
            return Err(bad(
                "hostname can be a wildcard only if both namespace and provider type are also wildcards",
            ));
        }
        if pattern.namespace.is_none() && pattern.name.is_some() {
            return Err(bad(
                "namespace can be a wildcard only if the provider type is also a wildcard",
            ));
        }
        let filled = Self {
            host: Some(pattern.host.clone().unwrap_or_else(|| "any.host".into())),
            namespace: Some(pattern.namespace.clone().unwrap_or_else(|| "any".into())),
            name: Some(pattern.name.clone().unwrap_or_else(|| "any".into())),
        };
        ProviderAddr::parse(&filled.to_string()).map_err(|error| bad(&error.to_string()))?;
        Ok(pattern)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".into());
        write!(
            f,
            "{}/{}/{}",
            part(&self.host),
            part(&self.namespace),
            part(&self.name)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_providers() {
        let matches = |pattern: &str, provider: &str| {
            pattern
                .parse::<Pattern>()
                .unwrap()
                .matches(&ProviderAddr::parse(provider).unwrap())
        };
        assert!(matches("*/*", "example.com/acme/x") && matches("*/*/*", "null"));
        assert!(
            matches("hashicorp/*", "null") && !matches("hashicorp/*", "example.com/hashicorp/null")
        );
        assert!(matches(
            "registry.terraform.io/hashicorp/null",
            "hashicorp/null"
        ));
        assert!(!matches("hashicorp/null", "hashicorp/time"));
        assert!(
            matches("example.com/*/*", "example.com/acme/x") && !matches("example.com/*/*", "null")
        );
    }

    #[test]
    fn senseless_patterns_are_refused() {
        for (text, why) in [
            ("*", "two or three slash-separated segments"),
            ("*/null", "namespace can be a wildcard only if"),
            ("*/hashicorp/null", "hostname can be a wildcard only if"),
            ("a/b/c/d", "two or three"),
            ("hashi corp/*", "invalid provider matching pattern"),
        ] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
