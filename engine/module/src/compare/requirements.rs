//! Versions of the engine, and providers: what callers must have and pass.

use std::collections::BTreeSet;

use terrace_addr::Name;

use crate::{
    Comparison, Finding, Interface, Kind, Place, ProviderNeed, Requirement, compare_constraints,
};

/// Providers that work without any configuration.
const UTILITIES: [&str; 9] = [
    "archive",
    "cloudinit",
    "external",
    "http",
    "local",
    "null",
    "random",
    "time",
    "tls",
];

pub(super) fn compare(old: &Interface, new: &Interface) -> Vec<Finding> {
    let mut found = Vec::new();
    engine(old, new, &mut found);
    let names: BTreeSet<&Name> = old.providers.keys().chain(new.providers.keys()).collect();
    for name in names {
        match (old.providers.get(name), new.providers.get(name)) {
            (Some(was), None) => removed(name, was, &mut found),
            (None, Some(is)) => added(name, is, new, &mut found),
            (Some(was), Some(is)) => pair(name, was, is, new, &mut found),
            (None, None) => {}
        }
    }
    found
}

fn texts(requirements: &[Requirement]) -> impl Iterator<Item = &str> {
    requirements.iter().map(|one| one.written.as_str())
}

/// Constraints as written, in words where there are none.
fn shown(requirements: &[Requirement]) -> String {
    if requirements.is_empty() {
        return "any version".to_owned();
    }
    let all: Vec<&str> = texts(requirements).collect();
    format!("{:?}", all.join(", "))
}

/// The place of the first of `these` that is not among `others`, or of the first.
fn differing(these: &[Requirement], others: &[Requirement]) -> Option<Place> {
    let differs = |one: &&Requirement| others.iter().all(|other| other.written != one.written);
    let one = these.iter().find(differs).or(these.first())?;
    Some(one.place.clone())
}

fn engine(old: &Interface, new: &Interface, found: &mut Vec<Finding>) {
    let (was, is) = (&old.engine, &new.engine);
    let (kind, detail) = match compare_constraints(texts(was), texts(is)) {
        Comparison::Same => return,
        Comparison::Narrowed(example) => (
            Kind::EngineConstraintRaised,
            format!(
                "`required_version` was {} and is {}: version {example}, for one, was allowed and is not any more.",
                shown(was),
                shown(is)
            ),
        ),
        Comparison::Widened => (
            Kind::EngineConstraintWidened,
            format!(
                "`required_version` was {} and is {}.",
                shown(was),
                shown(is)
            ),
        ),
    };
    let mut finding = Finding::new(kind, "required_version", detail);
    finding.now = differing(is, was);
    finding.before = differing(was, is);
    found.push(finding);
}

/// The first of what `of` implied in a module, to say where a provider without declaration is needed.
fn first_use(of: &ProviderNeed, interface: &Interface) -> Option<Place> {
    interface
        .resources
        .values()
        .find(|block| block.provider == of.provider)
        .map(|block| block.place.clone())
}

fn removed(name: &Name, was: &ProviderNeed, found: &mut Vec<Finding>) {
    if was.provider.is_builtin() {
        return;
    }
    for alias in &was.aliases {
        found.push(alias_removed(
            name,
            &alias.to_string(),
            was.place.as_ref(),
            None,
        ));
    }
    let mut finding = Finding::new(
        Kind::ProviderRemoved,
        format!("provider {name:?}"),
        format!(
            "The provider {} is no longer needed.",
            was.provider.for_display()
        ),
    );
    finding.before.clone_from(&was.place);
    found.push(finding);
}

fn added(name: &Name, is: &ProviderNeed, new: &Interface, found: &mut Vec<Finding>) {
    if is.provider.is_builtin() {
        return;
    }
    let utility = &*is.provider.namespace == "hashicorp" && UTILITIES.contains(&&*is.provider.name);
    let kind = if utility {
        Kind::UtilityProviderAdded
    } else {
        Kind::ProviderAdded
    };
    let detail = if utility {
        format!(
            "The provider {} is needed now. It works without configuration.",
            is.provider.for_display()
        )
    } else {
        format!(
            "The provider {} is needed now: callers must install it, and configure it in their root module.",
            is.provider.for_display()
        )
    };
    let mut finding = Finding::new(kind, format!("provider {name:?}"), detail);
    finding.now = is.place.clone().or_else(|| first_use(is, new));
    found.push(finding);
    for alias in &is.aliases {
        found.push(alias_added(name, &alias.to_string(), is, None));
    }
}

fn alias_added(name: &Name, alias: &str, is: &ProviderNeed, before: Option<&Place>) -> Finding {
    let mut finding = Finding::new(
        Kind::AliasAdded,
        format!("provider {name:?}"),
        format!(
            "Callers must pass a configuration of the provider {} as `{alias}` in `providers` now, or they get the error \"Missing required provider configuration\".",
            is.provider.for_display()
        ),
    );
    finding.now.clone_from(&is.place);
    finding.before = before.cloned();
    finding
}

fn alias_removed(name: &Name, alias: &str, before: Option<&Place>, now: Option<&Place>) -> Finding {
    let mut finding = Finding::new(
        Kind::AliasRemoved,
        format!("provider {name:?}"),
        format!(
            "Callers that pass `{alias}` in `providers` get an error: the module no longer has this configuration."
        ),
    );
    finding.before = before.cloned();
    finding.now = now.cloned();
    finding
}

fn pair(
    name: &Name,
    was: &ProviderNeed,
    is: &ProviderNeed,
    new: &Interface,
    found: &mut Vec<Finding>,
) {
    let now = is.place.clone().or_else(|| first_use(is, new));
    if was.provider != is.provider {
        let mut finding = Finding::new(
            Kind::ProviderSourceChanged,
            format!("provider {name:?}"),
            format!(
                "The provider {name:?} was {} and is {}: callers must pass a configuration of the other, and states must be brought over with `terrace state replace-provider`.",
                was.provider.for_display(),
                is.provider.for_display()
            ),
        );
        finding.now = now;
        finding.before.clone_from(&was.place);
        found.push(finding);
        return;
    }
    let compared = compare_constraints(texts(&was.versions), texts(&is.versions));
    let (kind, sentence) = match compared {
        Comparison::Same => (None, String::new()),
        Comparison::Narrowed(example) => (
            Some(Kind::ProviderConstraintRaised),
            format!(": version {example}, for one, was allowed and is not any more"),
        ),
        Comparison::Widened => (Some(Kind::ProviderConstraintWidened), String::new()),
    };
    if let Some(kind) = kind {
        let mut finding = Finding::new(
            kind,
            format!("provider {name:?}"),
            format!(
                "The provider {} was required as {} and is required as {}{sentence}.",
                is.provider.for_display(),
                shown(&was.versions),
                shown(&is.versions)
            ),
        );
        finding.now = differing(&is.versions, &was.versions).or(now);
        finding.before = differing(&was.versions, &is.versions).or_else(|| was.place.clone());
        found.push(finding);
    }
    for alias in is.aliases.difference(&was.aliases) {
        found.push(alias_added(
            name,
            &alias.to_string(),
            is,
            was.place.as_ref(),
        ));
    }
    for alias in was.aliases.difference(&is.aliases) {
        let before = was.place.as_ref();
        found.push(alias_removed(
            name,
            &alias.to_string(),
            before,
            is.place.as_ref(),
        ));
    }
}
