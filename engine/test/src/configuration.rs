//! The configuration that a run tests: the module as it is, with the file's providers, and with modules that are
//! overridden left out.
//!
//! It is made as text, a [`Snapshot`], because that is what a plan holds and an apply reads. What is not changed stays at
//! its line and column.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;
use terrace_addr::{
    AbsProviderConfig, LocalProviderConfig, ModulePath, Name, ProviderAddr, Target,
};
use terrace_config::{Config, Module, Snapshot, SnapshotFile, join_path, load_snapshot};
use terrace_diag::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use terrace_syntax::{Block, Body, BodyKind, Expr, Item, Step, Traversal};
use terrace_value::Value;
use terrace_value::literal::quoted;

use crate::literal;
use crate::suite::{FileProvider, MockBlock, Override, OverrideKind, RunBlock, TestFile};

/// The file that holds the providers of a test, beside those of the module.
const PROVIDERS: &str = "terrace_test_providers.tf";
/// The directory in which modules stand that are nothing but their outputs.
const OVERRIDDEN: &str = ".terrace_test_overrides";

/// Values in the place of what a provider would compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement {
    /// Values of attributes, an object. Computed attributes without one are made up.
    pub values: Value,
    /// Whether they are there while planning, and not only once applied.
    pub during_plan: bool,
}

/// What a made up provider answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MockedTypes {
    /// Managed resources by type.
    pub resources: BTreeMap<Name, Replacement>,
    /// Data sources by type.
    pub data_sources: BTreeMap<Name, Replacement>,
    /// Objects, the first that fits counts.
    pub overrides: Vec<(Target, Replacement)>,
    /// Whether everything else that it computes is there while planning.
    pub during_plan: bool,
}

/// Who stands in for whom in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cast {
    /// Provider configurations that are made up.
    pub mocks: BTreeMap<AbsProviderConfig, MockedTypes>,
    /// Objects that no provider is asked about, the first that fits counts.
    pub overrides: Vec<(Target, Replacement)>,
}

/// The configuration that a run tests.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The configuration.
    pub config: Config,
    /// Who stands in for whom.
    pub cast: Cast,
}

/// What a configuration is put together from.
pub(crate) struct Assembly<'a> {
    /// The module as it is.
    pub(crate) config: &'a Config,
    /// The file, read with `sources`.
    pub(crate) file: &'a TestFile,
    pub(crate) run: &'a RunBlock,
    pub(crate) sources: &'a SourceMap,
    /// What `var` and `run` are in the file's provider blocks.
    pub(crate) names: &'a BTreeMap<Name, Value>,
    /// What the sources of mocks hold, by directory.
    pub(crate) mocks: &'a BTreeMap<String, MockBlock>,
}

impl Assembly<'_> {
    /// The configuration, or what is wrong.
    pub(crate) fn assemble(&self) -> Result<Tested, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let chosen = self.chosen(&mut diagnostics);
        let mut snapshot = (*self.config.snapshot).clone();
        let root = snapshot
            .modules
            .get("")
            .cloned()
            .unwrap_or_else(|| ".".to_owned());
        let names: Vec<&LocalProviderConfig> = chosen.iter().map(|(inner, _)| inner).collect();
        for file in &mut snapshot.files {
            if directory_of(&file.path) == root {
                let bytes = without_providers(&file.path, &file.bytes, &names);
                file.bytes = bytes.into();
            }
        }
        let mut text = String::new();
        for (inner, provider) in &chosen {
            self.write_provider(inner, provider, &mut text, &mut diagnostics);
        }
        if !text.is_empty() {
            add(&mut snapshot, join_path(&root, PROVIDERS), text);
        }
        let modules = self
            .overrides()
            .filter(|found| found.kind == OverrideKind::Module);
        for (index, found) in modules.enumerate() {
            self.leave_out(found, index, &root, &mut snapshot, &mut diagnostics);
        }
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        snapshot.files.sort_by(|a, b| a.path.cmp(&b.path));
        let (config, found) = load_snapshot(&snapshot);
        if found.has_errors() {
            return Err(found);
        }
        let cast = self.cast(&config, &chosen);
        Ok(Tested { config, cast })
    }

    /// What is overridden for this run, what counts before other things first.
    fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.run.overrides.iter().chain(&self.file.overrides)
    }

    /// The file's providers that the module gets, by the names that they have in it.
    fn chosen(&self, diagnostics: &mut Diagnostics) -> Vec<(LocalProviderConfig, &FileProvider)> {
        if self.run.providers.is_empty() {
            let wanted = self.config.provider_requirements();
            let is_wanted = |provider: &&FileProvider| {
                wanted.contains_key(&provider_of(self.config, &provider.local.local_name))
            };
            return self
                .file
                .providers
                .iter()
                .filter(is_wanted)
                .map(|provider| (provider.local.clone(), provider))
                .collect();
        }
        let mut chosen = Vec::new();
        for passed in &self.run.providers {
            let found = self
                .file
                .providers
                .iter()
                .find(|provider| provider.local == passed.outer);
            if let Some(found) = found {
                chosen.push((passed.inner.clone(), found));
                continue;
            }
            let is_own = passed.inner == passed.outer
                && self
                    .config
                    .root
                    .module
                    .provider_configs
                    .contains_key(&passed.outer);
            if !is_own {
                let summary = format!("Missing provider definition for {}", passed.outer);
                let detail =
                    "This provider block references a provider definition that does not exist.";
                diagnostics.push(
                    Diagnostic::error("unknown-test-provider", summary, detail).at(passed.span),
                );
            }
        }
        chosen
    }

    /// Writes the block of a provider as the module has it. A made up one has no arguments.
    fn write_provider(
        &self,
        inner: &LocalProviderConfig,
        provider: &FileProvider,
        text: &mut String,
        diagnostics: &mut Diagnostics,
    ) {
        let alias = inner.alias.as_ref().map_or_else(String::new, |alias| {
            format!("  alias = {}\n", quoted(alias))
        });
        let body = if provider.mock.is_some() {
            String::new()
        } else {
            self.body_text(provider, diagnostics)
        };
        writeln!(
            text,
            "provider {} {{\n{alias}{body}\n}}",
            quoted(&inner.local_name)
        )
        .expect("strings take all");
    }

    /// The arguments of a real provider, with the values of what they take from variables and runs.
    fn body_text(&self, provider: &FileProvider, diagnostics: &mut Diagnostics) -> String {
        if !matches!(provider.body.kind, BodyKind::Native(_)) {
            let (attributes, _) = provider.body.just_attributes();
            if !attributes.is_empty() {
                diagnostics.push(
                    Diagnostic::error(
                        "unsupported-json-provider",
                        "Provider arguments in JSON tests",
                        "Arguments of providers in test files in JSON syntax are not supported yet. Write the provider's block in a .tftest.hcl file.",
                    )
                    .at(provider.span),
                );
            }
            return String::new();
        }
        let mut edits: Vec<(Span, String)> = provider
            .alias_span
            .map(|span| (span, String::new()))
            .into_iter()
            .collect();
        for_each_expression(&provider.body, &mut |expression| {
            for traversal in terrace_config::references(expression) {
                match self.substitute(traversal) {
                    Ok(Some(edit)) => edits.push(edit),
                    Ok(None) => {}
                    Err(problem) => diagnostics.push(problem),
                }
            }
        });
        edited(
            self.sources.text(provider.body.span),
            provider.body.span,
            edits,
        )
    }

    /// The value of a reference to a variable or a run, and where the reference stands; `None` for other names.
    fn substitute(&self, traversal: &Traversal) -> Result<Option<(Span, String)>, Diagnostic> {
        let root = &traversal.root;
        let (Some(values), Some(Step::Attribute(name))) =
            (self.names.get(&root.name), traversal.steps.first())
        else {
            return Ok(None);
        };
        let span = root.span.to(name.span);
        let problem = |detail: String| {
            Diagnostic::error("invalid-test-reference", "Invalid reference", detail).at(span)
        };
        let Some(value) = values.get(&name.name) else {
            return Err(problem(format!(
                "There is no {}.{} that this provider could be configured with: it may use variables of this file and outputs of runs that come before.",
                root.name, name.name
            )));
        };
        let Some(text) = literal::expression(value) else {
            return Err(problem(format!(
                "The value of {}.{} is not known, because the run that it comes from only plans, and a provider's configuration must be known.",
                root.name, name.name
            )));
        };
        Ok(Some((span, format!("({text})"))))
    }

    /// Puts a module in the place of an overridden one that has its variables and outputs alone.
    fn leave_out(
        &self,
        found: &Override,
        index: usize,
        root: &str,
        snapshot: &mut Snapshot,
        diagnostics: &mut Diagnostics,
    ) {
        let Target::Module(target) = &found.target else {
            return;
        };
        if target.steps().iter().any(|step| step.key.is_some()) {
            diagnostics.push(
                Diagnostic::error(
                    "unsupported-override-key",
                    "One instance of a module overridden",
                    format!("Overriding {target} alone is not supported yet. Name the module without a key to override all its instances."),
                )
                .at(found.span),
            );
            return;
        }
        let path: ModulePath = target.path();
        let key = path.to_string();
        // What is overridden for the run counts before what is for the file; modules that the module has not got, or not
        // any more because one around it is overridden, are no mistake: the file may be for several.
        let (Some(node), Some(directory)) = (self.config.module(&path), snapshot.modules.get(&key))
        else {
            return;
        };
        if directory.contains(OVERRIDDEN) {
            return;
        }
        let Some(text) = outline(&node.module, &found.values) else {
            return;
        };
        let directory = join_path(root, &format!("{OVERRIDDEN}/{index}"));
        add(snapshot, join_path(&directory, "main.tf"), text);
        let below = format!("{key}.");
        snapshot
            .modules
            .retain(|module, _| !module.starts_with(&below));
        snapshot.modules.insert(key, directory);
    }

    fn cast(&self, config: &Config, chosen: &[(LocalProviderConfig, &FileProvider)]) -> Cast {
        let mut cast = Cast::default();
        for (inner, provider) in chosen {
            if let Some(mock) = &provider.mock {
                let address = config.resolve_provider(&ModulePath::root(), inner);
                cast.mocks.insert(address, self.mocked(mock));
            }
        }
        let objects = self
            .overrides()
            .filter(|found| found.kind != OverrideKind::Module);
        cast.overrides = replacements(objects);
        cast
    }

    /// What a mock answers: what its block says before what its source does.
    fn mocked(&self, mock: &MockBlock) -> MockedTypes {
        let source = mock
            .source
            .as_ref()
            .and_then(|(directory, _)| self.mocks.get(directory));
        let mut mocked = MockedTypes {
            during_plan: mock.during_plan,
            ..MockedTypes::default()
        };
        for block in source.into_iter().chain([mock]) {
            for found in &block.resources {
                let replacement = Replacement {
                    values: found.values.clone(),
                    during_plan: found.during_plan || mock.during_plan,
                };
                mocked
                    .resources
                    .insert(found.type_name.clone(), replacement);
            }
            for found in &block.data_sources {
                let replacement = Replacement {
                    values: found.values.clone(),
                    during_plan: true,
                };
                mocked
                    .data_sources
                    .insert(found.type_name.clone(), replacement);
            }
        }
        let own = mock.overrides.iter();
        mocked.overrides =
            replacements(own.chain(source.into_iter().flat_map(|found| &found.overrides)));
        mocked
    }
}

/// What is overridden, what names more before what names less.
fn replacements<'a>(overrides: impl Iterator<Item = &'a Override>) -> Vec<(Target, Replacement)> {
    let mut found: Vec<(Target, Replacement)> = overrides
        .map(|found| {
            let replacement = Replacement {
                values: found.values.clone(),
                during_plan: found.during_plan.unwrap_or(false),
            };
            (found.target.clone(), replacement)
        })
        .collect();
    found.sort_by_key(|(target, _)| !matches!(target, Target::Instance(_)));
    found
}

/// Which provider a name in the root module means.
pub fn provider_of(config: &Config, name: &str) -> ProviderAddr {
    let known = config.root.module.providers.get(name);
    known.map_or_else(
        || ProviderAddr::default_for(name),
        |known| known.provider.clone(),
    )
}

fn add(snapshot: &mut Snapshot, path: String, text: String) {
    snapshot.files.push(SnapshotFile {
        path,
        bytes: text.into_bytes().into(),
    });
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/')
        .map_or(".", |(directory, _)| directory)
}

/// A file without the blocks of these providers, everything else of which stays in its place.
fn without_providers(path: &str, bytes: &Arc<[u8]>, names: &[&LocalProviderConfig]) -> Vec<u8> {
    if names.is_empty() {
        return bytes.to_vec();
    }
    if std::path::Path::new(path)
        .extension()
        .is_some_and(|kind| kind == "json")
    {
        return without_json_providers(bytes, names).unwrap_or_else(|| bytes.to_vec());
    }
    let (body, problems) = terrace_syntax::parse(SourceId(0), bytes);
    let BodyKind::Native(items) = &body.kind else {
        return bytes.to_vec();
    };
    let mut kept = bytes.to_vec();
    if problems.has_errors() {
        return kept;
    }
    for item in items.iter() {
        let Item::Block(block) = item else { continue };
        if is_provider(block, names) {
            let place = block.span.start as usize..block.span.end as usize;
            if let Some(text) = kept.get_mut(place) {
                for byte in text.iter_mut().filter(|byte| **byte != b'\n') {
                    *byte = b' ';
                }
            }
        }
    }
    kept
}

/// As [`without_providers`], of a file in JSON syntax; `None` where it has none of them. What follows stays on its line.
fn without_json_providers(bytes: &[u8], names: &[&LocalProviderConfig]) -> Option<Vec<u8>> {
    let (body, problems) = terrace_syntax::parse_json(SourceId(0), bytes);
    if problems.has_errors() {
        return None;
    }
    let (properties, _) = body.just_attributes();
    let span = properties.get("provider")?.value.span;
    let text = bytes.get(span.start as usize..span.end as usize)?;
    let mut blocks: Json = serde_json::from_slice(text).ok()?;
    remove_providers(&mut blocks, names);
    let lines = text.split(|byte| *byte == b'\n').count() - 1;
    let mut kept = bytes[..span.start as usize].to_vec();
    kept.extend_from_slice(blocks.to_string().as_bytes());
    kept.extend(std::iter::repeat_n(b'\n', lines));
    kept.extend_from_slice(&bytes[span.end as usize..]);
    Some(kept)
}

/// Removes providers from what `provider` is in JSON syntax: objects by local name, or lists of such.
fn remove_providers(blocks: &mut Json, names: &[&LocalProviderConfig]) {
    match blocks {
        Json::Array(items) => {
            for item in items {
                remove_providers(item, names);
            }
        }
        Json::Object(by_name) => {
            for (name, configurations) in by_name.iter_mut() {
                let is_replaced = |configuration: &Json| {
                    let alias = configuration.get("alias").and_then(Json::as_str);
                    names
                        .iter()
                        .any(|one| *one.local_name == **name && one.alias.as_deref() == alias)
                };
                match configurations {
                    Json::Array(items) => items.retain(|item| !is_replaced(item)),
                    single if is_replaced(single) => *single = Json::Array(Vec::new()),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn is_provider(block: &Block, names: &[&LocalProviderConfig]) -> bool {
    let (true, Some(label)) = (&*block.type_name.name == "provider", block.labels.first()) else {
        return false;
    };
    let schema = terrace_syntax::BodySchema::of(&["alias"], &[]);
    let (content, _, _) = block.body.partial_content(&schema);
    let alias = content.attributes.get("alias").map(|alias| {
        let mut ignored = Diagnostics::new();
        terrace_config::evaluate_constant(&alias.value, &mut ignored)
    });
    let alias = alias.as_ref().and_then(Value::as_str);
    names
        .iter()
        .any(|name| name.local_name == label.text && name.alias.as_deref() == alias)
}

/// A module with the variables, the providers and the outputs of another, and nothing else. `None` where a value cannot be
/// written.
fn outline(module: &Module, values: &Value) -> Option<String> {
    let mut text = String::from("terraform {\n  required_providers {\n");
    for (name, required) in &module.providers {
        let aliases: Vec<String> = required.aliases.iter().map(ToString::to_string).collect();
        let aliases = if aliases.is_empty() {
            String::new()
        } else {
            format!(", configuration_aliases = [{}]", aliases.join(", "))
        };
        let source = quoted(&required.provider.to_string());
        writeln!(text, "    {name} = {{ source = {source}{aliases} }}").ok()?;
    }
    text.push_str("  }\n}\n");
    for (name, variable) in &module.variables {
        let default = if variable.default.is_some() {
            "  default = null\n"
        } else {
            ""
        };
        let ephemeral = if variable.ephemeral {
            "  ephemeral = true\n"
        } else {
            ""
        };
        writeln!(text, "variable {} {{\n{default}{ephemeral}}}", quoted(name)).ok()?;
    }
    for (name, output) in &module.outputs {
        let given = values.get(name).cloned();
        let value = given.unwrap_or_else(|| Value::null(terrace_value::Type::Dynamic));
        let value = literal::expression(&value)?;
        let sensitive = if output.sensitive {
            "  sensitive = true\n"
        } else {
            ""
        };
        writeln!(
            text,
            "output {} {{\n  value = {value}\n{sensitive}}}",
            quoted(name)
        )
        .ok()?;
    }
    Some(text)
}

/// Calls `visit` with each argument's expression, those of blocks within included.
fn for_each_expression<'a>(body: &'a Body, visit: &mut impl FnMut(&'a Expr)) {
    let BodyKind::Native(items) = &body.kind else {
        return;
    };
    for item in items.iter() {
        match item {
            Item::Attribute(attribute) => visit(&attribute.value),
            Item::Block(block) => for_each_expression(&block.body, visit),
        }
    }
}

/// The text at `span` with parts of it replaced.
fn edited(text: &str, span: Span, mut edits: Vec<(Span, String)>) -> String {
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut text = text.to_owned();
    for (place, replacement) in edits {
        let start = (place.start - span.start) as usize;
        let end = (place.end - span.start) as usize;
        if text.is_char_boundary(start) && text.is_char_boundary(end) && end <= text.len() {
            text.replace_range(start..end, &replacement);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(name: &str, alias: Option<&str>) -> LocalProviderConfig {
        LocalProviderConfig {
            local_name: name.into(),
            alias: alias.map(Into::into),
        }
    }

    #[test]
    fn blocks_of_providers_go_and_lines_stay() {
        let text =
            "provider \"a\" {\n  x = 1\n}\nprovider \"a\" {\n  alias = \"b\"\n}\nlocals {}\n";
        let bytes: Arc<[u8]> = text.as_bytes().into();
        let kept = without_providers("main.tf", &bytes, &[&local("a", None)]);
        let kept = String::from_utf8(kept).unwrap();
        assert_eq!(kept.len(), text.len());
        assert!(!kept.contains("x = 1"));
        assert!(kept.ends_with("provider \"a\" {\n  alias = \"b\"\n}\nlocals {}\n"));
        let kept = without_providers("main.tf", &bytes, &[&local("a", Some("b"))]);
        assert!(
            String::from_utf8(kept)
                .unwrap()
                .starts_with("provider \"a\" {\n  x = 1\n}\n")
        );
    }

    #[test]
    fn providers_of_json_go_and_lines_stay() {
        let text = r#"{
  "provider": {
    "a": [{"x": 1}, {"alias": "b"}],
    "c": {"y": 2}
  },
  "locals": {}
}"#;
        let bytes: Arc<[u8]> = text.as_bytes().into();
        let kept = |names: &[&LocalProviderConfig]| {
            String::from_utf8(without_providers("main.tf.json", &bytes, names)).unwrap()
        };
        let first = kept(&[&local("a", None), &local("c", None)]);
        let parsed: Json = serde_json::from_str(&first).unwrap();
        assert_eq!(
            parsed["provider"],
            serde_json::json!({"a": [{"alias": "b"}], "c": []})
        );
        assert_eq!(first.lines().nth(5), text.lines().nth(5));
        assert!(kept(&[&local("a", Some("b"))]).contains("\"x\":1"));
    }

    #[test]
    fn parts_of_a_text_are_replaced_whatever_their_order() {
        let at = |start, end| Span::new(SourceId(0), start, end);
        let edits = vec![(at(12, 13), "ONE".to_owned()), (at(14, 15), String::new())];
        assert_eq!(edited("a b c", at(10, 15), edits), "a ONE ");
    }
}
