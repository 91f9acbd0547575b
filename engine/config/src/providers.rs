//! Which provider configuration is meant where: inheritance, passing, and what is required of providers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use terrace_addr::{AbsProviderConfig, LocalProviderConfig, ModulePath, Name, ProviderAddr};
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_syntax::Expr;

use crate::merge_body::is_empty;
use crate::statics::traversal_span;
use crate::{
    Config, ForEachOrCount, Module, ModuleCall, ModuleNode, ProviderConfigBlock, ProviderPassed,
};

/// Which provider configuration something uses.
#[derive(Clone, Debug)]
pub struct ProviderBinding {
    /// The configuration's block, or the default configuration that none holds.
    pub config: AbsProviderConfig,
    /// Where the block has `for_each`: the key of the instance, and the module in whose scope it is evaluated. There,
    /// `count` and `each` are those of the resource (in its own module) or of the module call that leads to it.
    pub key: Option<(ModulePath, Expr)>,
}

impl Config {
    /// The provider configuration that `local` means in the module `path`: where its block stands, following what
    /// callers pass and what is inherited. A default configuration that no block holds is the root's.
    pub fn resolve_provider(
        &self,
        path: &ModulePath,
        local: &LocalProviderConfig,
    ) -> AbsProviderConfig {
        let provider = self.provider_of(path, &local.local_name);
        let here = |module: ModulePath| AbsProviderConfig {
            module,
            provider: provider.clone(),
            alias: local.alias.clone(),
            key: None,
        };
        let (Some(node), Some((above, call))) = (self.module(path), path.parent()) else {
            return here(path.clone());
        };
        let block = node.module.provider_configs.get(local);
        if block.is_some_and(|block| !is_empty(&block.body)) {
            return here(path.clone());
        }
        let passed = self
            .module(&above)
            .and_then(|parent| parent.module.calls.get(call))
            .and_then(|call| passed(call, local));
        if let Some(passed) = passed {
            return self.resolve_provider(&above, &passed.in_parent);
        }
        if local.alias.is_some() {
            return here(path.clone());
        }
        self.inherited(&above, &provider)
    }

    /// As [`Self::resolve_provider`], for a reference that may choose one instance of a configuration with `for_each`:
    /// by its own key, or by one that a caller wrote who passed the instance.
    pub fn resolve_provider_instance(
        &self,
        path: &ModulePath,
        local: &LocalProviderConfig,
        key: Option<&Expr>,
    ) -> ProviderBinding {
        let config = self.resolve_provider(path, local);
        if let Some(key) = key {
            let key = Some((path.clone(), key.clone()));
            return ProviderBinding { config, key };
        }
        let mut place = path.clone();
        let mut name = local.clone();
        while let Some((above, call)) = place.parent() {
            let entry = self
                .module(&above)
                .and_then(|parent| parent.module.calls.get(call))
                .and_then(|call| passed(call, &name));
            if place == config.module {
                break;
            }
            match entry {
                Some(entry) => {
                    if let Some(key) = &entry.parent_key {
                        let key = Some((above, key.clone()));
                        return ProviderBinding { config, key };
                    }
                    name = entry.in_parent.clone();
                }
                None => name = self.local_name_in(&above, &config.provider, &name),
            }
            place = above;
        }
        ProviderBinding { config, key: None }
    }

    /// How a module names the default configuration of a provider that it hands on.
    fn local_name_in(
        &self,
        path: &ModulePath,
        provider: &ProviderAddr,
        otherwise: &LocalProviderConfig,
    ) -> LocalProviderConfig {
        let name = self.module(path).and_then(|node| {
            let mut names = node.module.providers.iter();
            names.find(|(_, known)| known.provider == *provider)
        });
        name.map_or_else(
            || otherwise.clone(),
            |(name, _)| LocalProviderConfig {
                local_name: name.clone(),
                alias: None,
            },
        )
    }

    /// The default configuration of `provider` for what stands in the module `path`.
    fn inherited(&self, path: &ModulePath, provider: &ProviderAddr) -> AbsProviderConfig {
        let default = AbsProviderConfig {
            module: path.clone(),
            provider: provider.clone(),
            alias: None,
            key: None,
        };
        let Some((above, call)) = path.parent() else {
            return default;
        };
        let Some(node) = self.module(path) else {
            return default;
        };
        let names = node
            .module
            .providers
            .iter()
            .filter(|(_, known)| known.provider == *provider)
            .map(|(name, _)| name);
        for name in names {
            let local = LocalProviderConfig {
                local_name: name.clone(),
                alias: None,
            };
            if node
                .module
                .provider_configs
                .get(&local)
                .is_some_and(|block| !is_empty(&block.body))
            {
                return default;
            }
            let call = self
                .module(&above)
                .and_then(|parent| parent.module.calls.get(call));
            if let Some(passed) = call.and_then(|call| passed(call, &local)) {
                return self.resolve_provider(&above, &passed.in_parent);
            }
        }
        self.inherited(&above, provider)
    }

    /// The provider that a local name means in a module.
    pub fn provider_of(&self, path: &ModulePath, local_name: &Name) -> ProviderAddr {
        self.module(path)
            .and_then(|node| node.module.providers.get(local_name))
            .map_or_else(
                || ProviderAddr::default_for(local_name),
                |known| known.provider.clone(),
            )
    }

    /// The block of a provider configuration, if there is one: a default configuration may have none.
    pub fn provider_config(&self, address: &AbsProviderConfig) -> Option<&ProviderConfigBlock> {
        self.module(&address.module)?
            .module
            .provider_configs
            .values()
            .find(|block| block.provider == address.provider && block.local.alias == address.alias)
    }

    /// What the modules of the tree require of each provider: version constraints as written, in order of the tree.
    pub fn provider_requirements(&self) -> BTreeMap<ProviderAddr, Vec<(String, Span)>> {
        let mut requirements: BTreeMap<ProviderAddr, Vec<(String, Span)>> = BTreeMap::new();
        for node in self.root.walk() {
            for known in node.module.providers.values() {
                let versions = requirements.entry(known.provider.clone()).or_default();
                for version in &known.versions {
                    if !versions.contains(version) {
                        versions.push(version.clone());
                    }
                }
            }
        }
        requirements
    }

    /// Which providers stand for those that a state names, where they are others: one of the two registries that have the
    /// same providers may have been in use when the state was written, and the configuration names the other.
    pub fn twins(&self, named: &BTreeSet<ProviderAddr>) -> BTreeMap<ProviderAddr, ProviderAddr> {
        let required = self.provider_requirements();
        let twin = |provider: &ProviderAddr| {
            let twin = provider.twin()?;
            let is_meant = required.contains_key(&twin) && !required.contains_key(provider);
            is_meant.then(|| (provider.clone(), twin))
        };
        named.iter().filter_map(twin).collect()
    }
}

fn passed<'a>(call: &'a ModuleCall, local: &LocalProviderConfig) -> Option<&'a ProviderPassed> {
    call.providers
        .as_ref()?
        .iter()
        .find(|passed| passed.in_child == *local)
}

/// What is required of providers inside the engine: there is one, and it has no versions.
pub(crate) fn check_built_in(config: &Config) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for node in config.root.walk() {
        for known in node.module.providers.values() {
            let provider = &known.provider;
            if !provider.is_builtin() {
                continue;
            }
            let (why, span) = if *provider != ProviderAddr::builtin() {
                (
                    format!(
                        "this Terrace release has no built-in provider named \"{}\"",
                        provider.name
                    ),
                    known.span,
                )
            } else if let Some((_, span)) = known.versions.first() {
                (
                    "built-in providers do not support explicit version constraints".to_owned(),
                    Some(*span),
                )
            } else {
                continue;
            };
            diagnostics.push(
                Diagnostic::error(
                    "invalid-built-in-provider",
                    "Invalid dependency on built-in provider",
                    format!("Cannot use {provider}: {why}."),
                )
                .at_opt(span),
            );
        }
    }
    diagnostics
}

/// What is wrong with how provider configurations are passed between modules.
pub(crate) fn check_passing(config: &Config) -> Diagnostics {
    let mut checker = Checker {
        diagnostics: Diagnostics::new(),
    };
    checker.children(&config.root, None);
    checker.diagnostics
}

/// What forbids that a module holds provider configurations: the argument of a call above it.
type Repeated = Option<Span>;

struct Checker {
    diagnostics: Diagnostics,
}

impl Checker {
    fn problem(&mut self, id: &'static str, summary: &str, detail: String, span: Span) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
    }

    fn children(&mut self, node: &ModuleNode, repeated: Repeated) {
        for (name, child) in &node.children {
            let Some(call) = node.module.calls.get(name) else {
                continue;
            };
            let repeated = repeated_by(call).or(repeated);
            self.call(node, call, child);
            self.own_configurations(call, child, repeated);
            self.children(child, repeated);
        }
    }

    fn call(&mut self, parent: &ModuleNode, call: &ModuleCall, child: &ModuleNode) {
        for required in child.module.providers.values() {
            for alias in required
                .aliases
                .iter()
                .filter(|alias| passed(call, alias).is_none())
            {
                let detail = format!(
                    "The child module requires an additional configuration for provider {}, with the local name \"{alias}\".\n\nRefer to the module's documentation to understand the intended purpose of this additional provider configuration, and then add an entry for {alias} in the \"providers\" meta-argument in the module block to choose which provider configuration the module should use for that purpose.",
                    required.provider.for_display()
                );
                self.problem(
                    "missing-provider-configuration",
                    "Missing required provider configuration",
                    detail,
                    call.span,
                );
            }
        }
        for entry in call.providers.iter().flatten() {
            self.entry(parent, child, entry);
        }
    }

    fn entry(&mut self, parent: &ModuleNode, child: &ModuleNode, entry: &ProviderPassed) {
        let in_child = provider_in(&child.module, &entry.in_child.local_name);
        let in_parent = provider_in(&parent.module, &entry.in_parent.local_name);
        let own = child.module.provider_configs.get(&entry.in_child);
        if own.is_some_and(|block| !is_empty(&block.body)) {
            let detail = format!(
                "The configuration of {} has its own local configuration for {}, and so it cannot accept an overridden configuration provided by {}.",
                child.path,
                entry.in_child,
                module_name(parent)
            );
            let summary = "Cannot override provider configuration";
            self.problem(
                "overridden-provider-configuration",
                summary,
                detail,
                entry.child_span,
            );
        }
        if !expects(&child.module, &entry.in_child) {
            let detail = format!(
                "There is no explicit declaration for local provider name \"{0}\" in {1}, so Terrace is assuming you mean to pass a configuration for \"{2}\".\n\nIf you also control the child module, add a required_providers entry named \"{0}\" with the source address \"{2}\".",
                entry.in_child,
                child.path,
                in_child.for_display()
            );
            self.undefined(detail, entry.child_span);
        }
        if in_child != in_parent {
            let expected = in_child.for_display();
            let detail = format!(
                "The local name \"{}\" in {} represents provider \"{}\", but \"{}\" in {} represents \"{expected}\".\n\nEach provider has its own distinct configuration schema and provider types, so this module's \"{}\" can be assigned only a configuration for {expected}, which is not required by {}.",
                entry.in_parent,
                module_name(parent),
                in_parent.for_display(),
                entry.in_child,
                child.path,
                entry.in_child,
                child.path
            );
            self.problem(
                "provider-type-mismatch",
                "Provider type mismatch",
                detail,
                entry.parent_span,
            );
        }
        if entry.in_parent.alias.is_none()
            && !declares(&parent.module, &entry.in_parent.local_name)
            && !parent
                .module
                .provider_configs
                .contains_key(&entry.in_parent)
        {
            let detail = format!(
                "There is no explicit declaration for local provider name \"{0}\" in {1}, so Terrace is assuming you mean to pass a configuration for provider \"{2}\".\n\nTo clarify your intent and silence this warning, add to {1} a required_providers entry named \"{0}\" with source = \"{2}\", or a different source address if appropriate.",
                entry.in_parent,
                module_name(parent),
                in_parent.for_display()
            );
            self.undefined(detail, entry.parent_span);
        }
    }

    fn undefined(&mut self, detail: String, span: Span) {
        self.diagnostics.push(
            Diagnostic::warning(
                "undefined-provider",
                "Reference to undefined provider",
                detail,
            )
            .at(span),
        );
    }

    /// Provider blocks in a called module: empty ones are of no use, others forbid to repeat the module.
    fn own_configurations(&mut self, call: &ModuleCall, child: &ModuleNode, repeated: Repeated) {
        let (empty, full): (Vec<_>, Vec<_>) = child
            .module
            .provider_configs
            .values()
            .partition(|block| is_empty(&block.body));
        if let Some(span) = repeated
            && !full.is_empty()
        {
            let detail = format!(
                "The module at {} is a legacy module which contains its own local provider configurations, and so calls to it may not use the count, for_each, or depends_on arguments.\n\nIf you also control the module \"{}\", consider updating this module to instead expect provider configurations to be passed by its caller.",
                child.path, call.source
            );
            let summary = "Module is incompatible with count, for_each, and depends_on";
            self.problem("repeated-legacy-module", summary, detail, span);
        }
        let mut by_name: BTreeMap<&Name, Vec<&ProviderConfigBlock>> = BTreeMap::new();
        for block in empty {
            by_name
                .entry(&block.local.local_name)
                .or_default()
                .push(block);
        }
        for (name, blocks) in by_name {
            let span = blocks
                .iter()
                .map(|block| block.span)
                .min()
                .unwrap_or(call.span);
            self.diagnostics.push(
                Diagnostic::warning(
                    "empty-provider-block",
                    "Redundant empty provider block",
                    proxy_advice(child, name, &blocks),
                )
                .at(span),
            );
        }
    }
}

fn proxy_advice(child: &ModuleNode, name: &Name, blocks: &[&ProviderConfigBlock]) -> String {
    let mut text = format!(
        "Earlier versions of Terrace used empty provider blocks (\"proxy provider configurations\") for child modules to declare their need to be passed a provider configuration by their callers. That approach was ambiguous and is now deprecated.\n\nIf you control this module, you can migrate to the new declaration syntax by removing all of the empty provider \"{name}\" blocks and then adding or updating an entry like the following to the required_providers block of {}:\n    {name} = {{\n      source = \"{}\"\n",
        child.path,
        provider_in(&child.module, name).for_display()
    );
    let aliased: Vec<_> = blocks
        .iter()
        .filter(|block| block.local.alias.is_some())
        .collect();
    if !aliased.is_empty() {
        text.push_str("      configuration_aliases = [\n");
        for block in aliased {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "        {},", block.local);
        }
        text.push_str("      ]\n");
    }
    text.push_str("    }");
    text
}

/// The argument by which a call repeats its module or makes it wait.
fn repeated_by(call: &ModuleCall) -> Repeated {
    match &call.repetition {
        ForEachOrCount::Count(expression)
        | ForEachOrCount::ForEach(expression)
        | ForEachOrCount::Enabled(expression) => Some(expression.span),
        ForEachOrCount::Single => call.depends_on.first().map(traversal_span),
    }
}

fn provider_in(module: &Module, local_name: &Name) -> ProviderAddr {
    module.providers.get(local_name).map_or_else(
        || ProviderAddr::default_for(local_name),
        |known| known.provider.clone(),
    )
}

/// Whether `required_providers` holds the name.
fn declares(module: &Module, local_name: &Name) -> bool {
    module
        .providers
        .get(local_name)
        .is_some_and(|known| known.span.is_some())
}

/// Whether a module says that it expects to be passed a configuration of this name.
fn expects(module: &Module, local: &LocalProviderConfig) -> bool {
    if module
        .provider_configs
        .get(local)
        .is_some_and(|block| is_empty(&block.body))
    {
        return true;
    }
    match (&local.alias, module.providers.get(&local.local_name)) {
        (None, _) => declares(module, &local.local_name),
        (Some(_), Some(known)) => known.aliases.contains(local),
        (Some(_), None) => false,
    }
}

fn module_name(node: &ModuleNode) -> String {
    if node.path.is_root() {
        "the root module".to_owned()
    } else {
        node.path.to_string()
    }
}
