//! The documentation of a module: data, from which Markdown, JSON and a diagram are made.

mod diagram;
mod json;
mod markdown;
mod markers;

use std::collections::BTreeSet;

use terrace_addr::ResourceMode;
use terrace_config::Config;
use terrace_value::Type;

use crate::type_text::value_text;
use crate::{Interface, Place, type_text};

pub use diagram::diagram;
pub use markdown::markdown;
pub use markers::{Markers, Splice, splice};

/// What there is to say about a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documentation {
    /// The constraint on the engine's version, if there is one.
    pub engine: Option<String>,
    /// The providers that it needs, by name.
    pub providers: Vec<DocumentedProvider>,
    /// The modules that it calls itself, by name.
    pub modules: Vec<DocumentedCall>,
    /// Its own resources, by mode, type and name.
    pub resources: Vec<DocumentedResource>,
    /// Its variables: the required ones first, then by name.
    pub inputs: Vec<DocumentedInput>,
    /// Its outputs, by name.
    pub outputs: Vec<DocumentedOutput>,
}

/// A provider that a module needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentedProvider {
    /// Its local name.
    pub name: String,
    /// Its address, without the default host.
    pub source: String,
    /// Constraints on its version, joined; `None` where there is none.
    pub version: Option<String>,
    /// Configurations that callers must pass.
    pub aliases: Vec<String>,
}

/// A module that a module calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentedCall {
    /// The name of the call.
    pub name: String,
    /// Its source.
    pub source: String,
    /// The version constraint.
    pub version: Option<String>,
    /// What it refers to.
    pub references: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// A resource of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentedResource {
    /// `resource`, `data` or `ephemeral`.
    pub mode: &'static str,
    /// Its type.
    pub type_name: String,
    /// Its name.
    pub name: String,
    /// The provider's address, without the default host.
    pub provider: String,
    /// Where the provider documents the type, where that can be said.
    pub link: Option<String>,
    /// What it refers to.
    pub references: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

impl DocumentedResource {
    /// Its address.
    pub fn address(&self) -> String {
        match self.mode {
            "resource" => format!("{}.{}", self.type_name, self.name),
            mode => format!("{mode}.{}.{}", self.type_name, self.name),
        }
    }
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentedInput {
    /// Its name.
    pub name: String,
    /// Its description; empty where there is none.
    pub description: String,
    /// Its type, as the language writes it.
    pub ty: String,
    /// Its default as JSON; `None` where it is required.
    pub default: Option<String>,
    /// Whether it is hidden.
    pub sensitive: bool,
    /// Whether it takes ephemeral values.
    pub ephemeral: bool,
    /// Whether null is a value.
    pub nullable: bool,
    /// Why it should not be used any more.
    pub deprecated: Option<String>,
    /// The conditions that it must satisfy, as written.
    pub validations: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentedOutput {
    /// Its name.
    pub name: String,
    /// Its description; empty where there is none.
    pub description: String,
    /// Its type, where it can be said.
    pub ty: Option<String>,
    /// Whether it is hidden.
    pub sensitive: bool,
    /// Whether it cannot be stored.
    pub ephemeral: bool,
    /// Why it should not be read any more.
    pub deprecated: Option<String>,
    /// Where it stands.
    pub place: Place,
}

impl Documentation {
    /// The documentation of the root module of `config`, whose interface is `interface`.
    pub fn of(config: &Config, interface: &Interface) -> Self {
        let root = &config.root.module;
        let mut inputs = inputs(interface);
        inputs.sort_by(|a, b| {
            a.default
                .is_some()
                .cmp(&b.default.is_some())
                .then_with(|| a.name.cmp(&b.name))
        });
        let versions = |texts: Vec<&str>| (!texts.is_empty()).then(|| texts.join(", "));
        Self {
            engine: versions(
                interface
                    .engine
                    .iter()
                    .map(|one| one.written.as_str())
                    .collect(),
            ),
            providers: interface
                .providers
                .iter()
                .filter(|(_, need)| !need.provider.is_builtin())
                .map(|(name, need)| DocumentedProvider {
                    name: name.to_string(),
                    source: need.provider.for_display(),
                    version: versions(
                        need.versions
                            .iter()
                            .map(|one| one.written.as_str())
                            .collect(),
                    ),
                    aliases: need.aliases.iter().map(ToString::to_string).collect(),
                })
                .collect(),
            modules: interface
                .calls
                .iter()
                .filter(|(path, _)| path.steps().len() == 1)
                .map(|(path, call)| DocumentedCall {
                    name: path
                        .steps()
                        .last()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                    source: call.source.clone(),
                    version: call.version.clone(),
                    references: through_locals(config, call.references.iter()),
                    place: call.place.clone(),
                })
                .collect(),
            resources: interface
                .resources
                .iter()
                .filter(|(address, _)| address.module.is_root())
                .map(|(address, block)| {
                    let resource = &address.resource;
                    DocumentedResource {
                        mode: match resource.mode {
                            ResourceMode::Managed => "resource",
                            ResourceMode::Data => "data",
                            ResourceMode::Ephemeral => "ephemeral",
                        },
                        type_name: resource.type_name.to_string(),
                        name: resource.name.to_string(),
                        provider: block.provider.for_display(),
                        link: link(&block.provider, resource),
                        references: through_locals(config, block.references.iter()),
                        place: block.place.clone(),
                    }
                })
                .collect(),
            inputs,
            outputs: root
                .outputs
                .keys()
                .filter_map(|name| Some((name, interface.outputs.get(name)?)))
                .map(|(name, output)| DocumentedOutput {
                    name: name.to_string(),
                    description: output.description.as_deref().unwrap_or_default().to_owned(),
                    ty: (output.ty != Type::Dynamic).then(|| type_text(&output.ty, None)),
                    sensitive: output.sensitive,
                    ephemeral: output.ephemeral,
                    deprecated: output.deprecated.as_deref().map(str::to_owned),
                    place: output.place.clone(),
                })
                .collect(),
        }
    }
}

fn inputs(interface: &Interface) -> Vec<DocumentedInput> {
    let input = |(name, input): (&terrace_addr::Name, &crate::Input)| DocumentedInput {
        name: name.to_string(),
        description: input.description.as_deref().unwrap_or_default().to_owned(),
        ty: type_text(&input.ty, input.type_defaults.as_deref()),
        default: input.default.as_ref().map(|default| {
            if input.sensitive && !default.is_null() {
                "(sensitive value)".to_owned()
            } else {
                value_text(default)
            }
        }),
        sensitive: input.sensitive,
        ephemeral: input.ephemeral,
        nullable: input.nullable,
        deprecated: input.deprecated.as_deref().map(str::to_owned),
        validations: input
            .validations
            .iter()
            .map(|condition| condition.written.clone())
            .collect(),
        place: input.place.clone(),
    };
    interface.variables.iter().map(input).collect()
}

/// Where the public registry documents a type.
fn link(
    provider: &terrace_addr::ProviderAddr,
    resource: &terrace_addr::Resource,
) -> Option<String> {
    if provider.is_builtin() || &*provider.host != terrace_addr::DEFAULT_HOST {
        return None;
    }
    let section = match resource.mode {
        ResourceMode::Managed => "resources",
        ResourceMode::Data => "data-sources",
        ResourceMode::Ephemeral => "ephemeral-resources",
    };
    let name = resource
        .type_name
        .split_once('_')
        .map_or(&*resource.type_name, |(_, name)| name);
    Some(format!(
        "https://{}/providers/{}/{}/latest/docs/{section}/{name}",
        provider.host, provider.namespace, provider.name
    ))
}

/// References with local values replaced by what these refer to, without variables and what repeats.
fn through_locals<'a>(
    config: &Config,
    references: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<String> = references.cloned().collect();
    while let Some(reference) = waiting.pop() {
        if !found.insert(reference.clone()) {
            continue;
        }
        let local = reference
            .strip_prefix("local.")
            .and_then(|name| config.root.module.locals.get(name));
        if let Some(local) = local {
            waiting.extend(
                terrace_config::references(&local.value)
                    .into_iter()
                    .map(crate::read::root_of),
            );
        }
    }
    let named = |reference: &String| {
        let root = reference.split('.').next().unwrap_or_default();
        !matches!(
            root,
            "var" | "local" | "each" | "count" | "path" | "terraform" | "self"
        )
    };
    found.into_iter().filter(named).collect()
}
