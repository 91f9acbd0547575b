//! A set of policies that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use regorus::utils::limits::PolicyLengthConfig;
use regorus::{Engine, Value};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId, SourceMap, Span};

use crate::builtins;
use crate::names::{Judging, names_of, package_text};
use crate::problem::diagnostic;
use crate::rewrite::{self, Roots};

/// How large a file of rules may be. Keys and certificates make long lines.
const LENGTHS: PolicyLengthConfig = PolicyLengthConfig {
    max_col: NonZeroU32::new(1 << 20).expect("not zero"),
    max_file_bytes: NonZeroUsize::new(16 << 20).expect("not zero"),
    max_lines: NonZeroUsize::new(1 << 20).expect("not zero"),
};

/// A file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its path, as messages name it.
    pub path: String,
    /// Its text, in Rego v1.
    pub text: String,
}

/// A file of data that rules read below `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its path, as messages name it; what ends in `.yaml` or `.yml` is YAML, all else JSON.
    pub path: String,
    /// Its text: one object, whose members become members of `data`.
    pub text: String,
}

/// What a package holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// Rules that judge.
    pub(crate) judging: BTreeSet<Judging>,
    /// Rules named `test_…` and `todo_test_…`.
    pub(crate) tests: BTreeSet<String>,
    /// Whether rules may be excepted.
    pub(crate) has_exceptions: bool,
    /// The files that each rule lies in.
    pub(crate) files: BTreeMap<String, BTreeSet<String>>,
}

/// Policies that were read and hang together.
#[derive(Clone, Debug)]
pub struct Policies {
    pub(crate) engine: Engine,
    pub(crate) packages: BTreeMap<String, Package>,
    pub(crate) sources: Vec<(SourceId, Arc<SourceFile>)>,
    /// Whether functions are strict.
    pub(crate) is_strict: bool,
    /// Rules whose names begin with keywords.
    pub(crate) roots: Roots,
}

impl Policies {
    /// Reads rules and data. All files are read, whatever is wrong with one of them; with errors the policies must not be used.
    /// The files are added to `sources`, where the diagnostics' places are.
    pub fn parse(
        files: &[PolicyFile],
        data: &[DataFile],
        sources: &mut SourceMap,
    ) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let mut policies = Self {
            engine: Engine::new(),
            packages: BTreeMap::new(),
            sources: Vec::new(),
            is_strict: false,
            roots: Roots::of(files.iter().map(|file| file.text.as_str())),
        };
        policies.engine.set_strict_builtin_errors(false);
        policies.engine.set_gather_prints(true);
        policies.engine.set_policy_length_config(LENGTHS);
        builtins::add(&mut policies.engine);
        for file in files {
            let id = sources.add(SourceFile::new(&file.path, file.text.as_str()));
            policies
                .sources
                .extend(sources.get(id).map(|source| (id, source.clone())));
            policies.read(file, &mut diagnostics);
        }
        for file in data {
            policies.read_data(file, &mut diagnostics);
        }
        policies.survey();
        if !diagnostics.has_errors() {
            policies.analyse(&mut diagnostics);
        }
        (policies, diagnostics)
    }

    /// The packages with rules that judge.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        let judging = |(_, package): &(&String, &Package)| !package.judging.is_empty();
        self.packages
            .iter()
            .filter(judging)
            .map(|(name, _)| name.as_str())
    }

    /// The files in which a rule of a package lies, by their paths: it may have several parts.
    pub fn files_of(&self, namespace: &str, rule: &str) -> Vec<&str> {
        let package = self.packages.get(namespace);
        let files = package.and_then(|package| package.files.get(rule));
        files.into_iter().flatten().map(String::as_str).collect()
    }

    fn read(&mut self, file: &PolicyFile, diagnostics: &mut Diagnostics) {
        if let Some((name, start)) = rewrite::absent_function(&file.text) {
            let byte = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
            let place = self
                .sources
                .last()
                .map(|(id, _)| Span::new(*id, byte(start), byte(start + name.len())));
            let detail = format!(
                "Terrace does not have OPA's function `{name}`: rules that call it cannot be judged."
            );
            diagnostics.push(
                Diagnostic::error("policy-invalid", "Policy is not valid", detail).at_opt(place),
            );
            return;
        }
        let text = rewrite::module(&file.text, &self.roots, &builtins::arity);
        if let Err(error) = self.engine.add_policy(file.path.clone(), text) {
            let mut problem = self.problem("policy-syntax", "Policy cannot be read", &error);
            if looks_like_version_0(&file.text) {
                problem = problem.hint("this looks like Rego from before version 1, where rules had no `if` and no `contains`: `opa fmt --write --v0-v1` rewrites it");
            }
            diagnostics.push(problem);
        }
    }

    fn read_data(&mut self, file: &DataFile, diagnostics: &mut Diagnostics) {
        let is_yaml = [".yaml", ".yml"].iter().any(|end| file.path.ends_with(end));
        let value = if is_yaml {
            Value::from_yaml_str(&file.text)
        } else {
            Value::from_json_str(&file.text)
        };
        let added = value.and_then(|value| self.engine.add_data(value));
        if let Err(error) = added {
            let detail = format!(
                "{} is no data that policies can read: {error}. It holds one object in {}, and each of its members becomes a member of `data`; two files must not set the same one.",
                file.path,
                if is_yaml { "YAML" } else { "JSON" }
            );
            diagnostics.push(Diagnostic::error(
                "policy-data",
                "Data of policies cannot be read",
                detail,
            ));
        }
    }

    /// Notes which packages hold which rules.
    fn survey(&mut self) {
        for module in self.engine.get_modules() {
            let (path, rules) = names_of(module);
            let file = module.package.span.source.file();
            let package = self.packages.entry(package_text(&path)).or_default();
            for rule in rules {
                let files = package.files.entry(rule.clone()).or_default();
                files.insert(file.clone());
                if rule.starts_with("test_") || rule.starts_with("todo_test_") {
                    package.tests.insert(rule);
                } else if rule == "exception" {
                    package.has_exceptions = true;
                } else {
                    package.judging.extend(Judging::named(&rule));
                }
            }
        }
    }

    /// Lets regorus look at all rules together: variables that nothing binds, functions that do not exist.
    fn analyse(&mut self, diagnostics: &mut Diagnostics) {
        let mut engine = self.engine.clone();
        if let Err(error) = engine.eval_query("true".to_owned(), false) {
            diagnostics.push(self.problem("policy-invalid", "Policy is not valid", &error));
        }
    }

    /// What regorus says, with its place.
    pub(crate) fn problem(
        &self,
        id: &'static str,
        summary: &str,
        error: &impl std::fmt::Display,
    ) -> Diagnostic {
        diagnostic(id, summary, error, &self.sources)
    }
}

/// Whether rules are written without `if`: `deny[message] {`.
fn looks_like_version_0(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_end();
        line.ends_with('{')
            && line.starts_with(|first: char| first.is_ascii_alphabetic())
            && !line.contains(" if ")
            && !line.starts_with("else")
    })
}
