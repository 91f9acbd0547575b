//! Giving resources of one provider to another.

use std::fmt;
use std::str::FromStr;

use terrace_addr::{AbsResource, ProviderAddr};

use super::{OperationError, Selector, refuse};
use crate::State;

/// A provider's address, of which whole parts may be `*`: `registry.terraform.io/acme/*`. In a destination, `*` stands for
/// the same part of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPattern {
    text: String,
    /// Host, namespace, type; `None` is `*`.
    parts: [Option<String>; 3],
}

/// A resource and the providers that it leaves and gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderChange {
    /// The resource.
    pub resource: AbsResource,
    /// The provider in the state.
    pub from: ProviderAddr,
    /// The provider from now on.
    pub to: ProviderAddr,
}

impl ProviderPattern {
    /// Whether it has a wildcard.
    pub fn is_open(&self) -> bool {
        self.parts.iter().any(Option::is_none)
    }

    fn contains(&self, provider: &ProviderAddr) -> bool {
        let named = [&provider.host, &provider.namespace, &provider.name];
        self.parts
            .iter()
            .zip(named)
            .all(|(part, name)| part.as_deref().is_none_or(|part| part == &**name))
    }

    fn filled(&self, source: &ProviderAddr) -> ProviderAddr {
        let [host, namespace, name] = &self.parts;
        let part = |own: &Option<String>, source: &terrace_addr::Name| {
            own.as_deref().map_or_else(|| source.clone(), Into::into)
        };
        ProviderAddr::new(
            part(host, &source.host),
            part(namespace, &source.namespace),
            part(name, &source.name),
        )
    }
}

impl fmt::Display for ProviderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ProviderPattern {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        // A name that any provider may have stands for the wildcard while the rest is read.
        const STAND_IN: &str = "any-provider-of-a-pattern";
        let parts: Vec<&str> = text.split('/').collect();
        let any = |index: usize| parts.get(index).is_some_and(|part| *part == "*");
        let offset = 3_usize.saturating_sub(parts.len());
        let is_open = |place: usize| place >= offset && any(place - offset);
        let plain: Vec<&str> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| match (*part, index + offset) {
                ("*", 0) => "example.com",
                ("*", _) => STAND_IN,
                (part, _) => part,
            })
            .collect();
        let provider = ProviderAddr::parse(&plain.join("/"))
            .map_err(|error| refuse("Invalid provider", error.to_string()))?;
        let part = |place: usize, name: &str| (!is_open(place)).then(|| name.to_owned());
        Ok(Self {
            text: if text.contains('*') {
                text.to_owned()
            } else {
                provider.to_string()
            },
            parts: [
                part(0, &provider.host),
                part(1, &provider.namespace),
                part(2, &provider.name),
            ],
        })
    }
}

/// Gives the resources of providers that `from` names (only those with an instance that `selectors` name, when there are
/// any) to the provider that `to` makes of them. Returns the state and what changes, which may be nothing.
pub fn exchange_providers(
    state: &State,
    from: &ProviderPattern,
    to: &ProviderPattern,
    selectors: &[Selector],
) -> (State, Vec<ProviderChange>) {
    let mut next = state.clone();
    let mut changes = Vec::new();
    for (address, resource) in &mut next.resources {
        let named = selectors.is_empty()
            || resource.instances.keys().any(|key| {
                let instance = address.instance(key.clone());
                selectors
                    .iter()
                    .any(|selector| selector.contains(&instance))
            });
        let provider = &mut resource.provider.provider;
        if !named || !from.contains(provider) {
            continue;
        }
        let wanted = to.filled(provider);
        if wanted != *provider {
            let from = std::mem::replace(provider, wanted.clone());
            changes.push(ProviderChange {
                resource: address.clone(),
                from,
                to: wanted,
            });
        }
    }
    (next, changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::sample;

    fn exchange(from: &str, to: &str, selectors: &[&str]) -> (State, Vec<ProviderChange>) {
        let selectors: Vec<Selector> = selectors.iter().map(|text| text.parse().unwrap()).collect();
        exchange_providers(
            &sample(),
            &from.parse().unwrap(),
            &to.parse().unwrap(),
            &selectors,
        )
    }

    #[test]
    fn providers_are_exchanged() {
        let to = ProviderAddr::new("example.com", "a", "b");
        let (state, changed) = exchange("hashicorp/test", "example.com/a/b", &["t.a"]);
        assert_eq!(changed.len(), 1);
        let resource = &state.resources[&changed[0].resource];
        assert_eq!(resource.provider.provider, to);
        assert!(exchange("example.com/a/b", "test", &[]).1.is_empty());
        assert_eq!(
            exchange("test", "example.com/a/b", &["module.**"; 0])
                .1
                .len(),
            3
        );
        assert_eq!(
            exchange("test", "example.com/a/b", &["module.m[*].*"])
                .1
                .len(),
            1
        );
    }

    #[test]
    fn parts_of_a_provider_may_be_wildcards() {
        let (_, changed) = exchange("hashicorp/*", "mirror.example/mine/*", &[]);
        assert_eq!(changed.len(), 3);
        let to = ProviderAddr::new("mirror.example", "mine", "test");
        assert_eq!(changed[0].to, to);
        assert!(exchange("*/other/*", "*/mine/*", &[]).1.is_empty());
        assert_eq!(exchange("*/*/*", "*/mine/*", &[]).1.len(), 3);
        assert!("a/b/c/d".parse::<ProviderPattern>().is_err());
        assert!("te*".parse::<ProviderPattern>().is_err());
    }
}
