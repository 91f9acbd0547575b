//! `policy` blocks, and the files that they name.

use std::collections::{BTreeMap, BTreeSet};

use terrace_diag::{Diagnostic, Diagnostics, SourceMap, Span};
use terrace_policy::{
    DataFile, Policies, PolicyFile, starter_names, starter_rules, starter_settings,
};
use terrace_port::Files;
use terrace_syntax::{Block, Content};

use super::Project;
use super::reader::{Reader, schema, span_of};
use crate::{ChangeKind, Pattern, Policy, PolicyLevel};

/// What stands before the name of rules that come with Terrace.
const STARTER: &str = "starter:";

/// A `policy` block.
#[derive(Clone, Debug)]
pub struct PolicyBlock {
    /// The policy; its files are there once [`Project::load_policies`] has read them.
    pub policy: Policy,
    /// The environments that it is for; all of them where none is named.
    pub environments: BTreeSet<String>,
    rego: Vec<String>,
    data: Vec<String>,
    /// Where files of rules are named.
    rego_span: Span,
    /// Where files of data are named.
    data_span: Span,
    namespaces_span: Span,
    /// The block's header.
    pub span: Span,
}

impl Reader {
    pub(super) fn read_policy(&mut self, name: String, block: &Block) {
        let arguments = [
            "rego",
            "data",
            "level",
            "namespaces",
            "strict",
            "except",
            "environments",
        ];
        let content = self.content(&block.body, &schema(&arguments, Vec::new()));
        let known = &self.project.policies;
        if known.iter().any(|known| known.policy.name == name) {
            let detail = format!("The policy {name:?} is defined twice.");
            self.duplicate("policy", &detail, block);
        }
        let rego = self.texts(&content, "rego");
        if rego.is_empty() && !content.attributes.contains_key("rego") {
            self.invalid(
                "The argument \"rego\" is required: the files of rules, such as policies/*.rego.",
                content.missing_span,
            );
        } else if rego.is_empty() && !self.diagnostics.has_errors() {
            self.invalid(
                "A policy without rules judges nothing. Name files, such as policies/*.rego.",
                span_of(content.attributes.get("rego"), &content),
            );
        }
        let policy = Policy {
            name,
            level: self.level(&content),
            namespaces: self.texts(&content, "namespaces"),
            is_strict: self.flag(&content, "strict"),
            except: self.excepted(&content),
            rules: Vec::new(),
            data: Vec::new(),
        };
        let block = PolicyBlock {
            policy,
            environments: self.texts(&content, "environments").into_iter().collect(),
            rego,
            data: self.texts(&content, "data"),
            rego_span: span_of(content.attributes.get("rego"), &content),
            data_span: span_of(content.attributes.get("data"), &content),
            namespaces_span: span_of(content.attributes.get("namespaces"), &content),
            span: block.header_span,
        };
        self.project.policies.push(block);
    }

    /// What cannot be read must not weaken a policy: it is an error, and meanwhile mandatory.
    fn level(&mut self, content: &Content) -> PolicyLevel {
        let Some(name) = self.text(content, "level") else {
            return PolicyLevel::Mandatory;
        };
        PolicyLevel::parse(&name).unwrap_or_else(|| {
            self.invalid(
                format!("{name:?} is not the level of a policy. Levels are \"mandatory\", which refuses, and \"advisory\", which warns."),
                span_of(content.attributes.get("level"), content),
            );
            PolicyLevel::Mandatory
        })
    }

    fn excepted(&mut self, content: &Content) -> BTreeSet<ChangeKind> {
        let mut kinds = BTreeSet::new();
        for name in self.texts(content, "except") {
            match ChangeKind::parse(&name) {
                Some(ChangeKind::Normal) | None => self.invalid(
                    format!("{name:?} is not a change type that a policy may except. There are: standard, emergency."),
                    span_of(content.attributes.get("except"), content),
                ),
                Some(kind) => {
                    kinds.insert(kind);
                }
            }
        }
        kinds
    }
}

/// What a pattern is to find.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Rules,
    Data,
}

impl Wanted {
    fn holds(self, path: &str) -> bool {
        let end = path
            .rsplit('/')
            .next()
            .and_then(|name| name.rsplit_once('.'));
        matches!(
            (self, end.map(|(_, end)| end)),
            (Self::Rules, Some("rego")) | (Self::Data, Some("json" | "yaml" | "yml"))
        )
    }

    const fn ends(self) -> &'static str {
        match self {
            Self::Rules => "Rules are in files that end in .rego.",
            Self::Data => "Data is in files that end in .json, .yaml or .yml.",
        }
    }
}

/// The directory of a project file.
struct Directory<'a> {
    files: &'a dyn Files,
    path: &'a str,
}

impl Directory<'_> {
    fn full(&self, path: &str) -> String {
        match (path, path.starts_with('/')) {
            (_, true) => path.to_owned(),
            ("", _) => self.path.to_owned(),
            _ => format!("{}/{path}", self.path.trim_end_matches('/')),
        }
    }

    /// The files that one entry of a list names, by their paths relative to the project file; the error says why it names
    /// none.
    fn find(&self, entry: &str, wanted: Wanted) -> Result<Vec<String>, String> {
        if entry.contains('*') {
            let mut found = Vec::new();
            let parts: Vec<&str> = entry.split('/').collect();
            self.expand("", &parts, &mut found);
            found.retain(|path| wanted.holds(path) && !is_test(path));
            return if found.is_empty() {
                Err(format!(
                    "no file beside the project file matches {entry:?}. {}",
                    wanted.ends()
                ))
            } else {
                Ok(found)
            };
        }
        if self.files.exists(&self.full(entry)) {
            return if wanted.holds(entry) {
                Ok(vec![entry.to_owned()])
            } else {
                Err(format!("{entry:?} is none. {}", wanted.ends()))
            };
        }
        if self.files.list(&self.full(entry)).is_err() {
            return Err(format!(
                "there is no file {entry:?} beside the project file."
            ));
        }
        let mut found = Vec::new();
        self.expand(entry.trim_end_matches('/'), &["**", "*"], &mut found);
        found.retain(|path| wanted.holds(path) && !is_test(path));
        if found.is_empty() {
            return Err(format!(
                "the directory {entry:?} holds none. {}",
                wanted.ends()
            ));
        }
        Ok(found)
    }

    /// The files below `directory` whose paths are as `parts` say: `*` stands for anything within a part, `**` as a part for
    /// any directories.
    fn expand(&self, directory: &str, parts: &[&str], found: &mut Vec<String>) {
        let Some((part, rest)) = parts.split_first() else {
            return;
        };
        let below = |name: &str| match directory {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        };
        if !part.contains('*') {
            // An absolute pattern begins with an empty part.
            let path = if part.is_empty() && directory.is_empty() {
                "/".to_owned()
            } else {
                below(part).replace("//", "/")
            };
            if !rest.is_empty() {
                self.expand(&path, rest, found);
            } else if self.files.exists(&self.full(&path)) {
                found.push(path);
            }
            return;
        }
        if *part == "**" {
            self.expand(directory, rest, found);
        }
        let pattern = Pattern::new((*part).to_owned());
        let entries = self.files.list(&self.full(directory)).unwrap_or_default();
        for entry in entries {
            let is_hidden = entry.name.starts_with('.') && !part.starts_with('.');
            if is_hidden || !pattern.matches(&entry.name) {
                continue;
            }
            let path = below(&entry.name).replace("//", "/");
            match (entry.is_directory, *part == "**") {
                (true, true) => self.expand(&path, parts, found),
                (true, false) => self.expand(&path, rest, found),
                (false, _) if rest.is_empty() => found.push(path),
                (false, _) => {}
            }
        }
    }

    fn text(&self, path: &str) -> Result<String, String> {
        let bytes = self
            .files
            .read(&self.full(path))
            .map_err(|error| format!("{path} cannot be read: {error}."))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| format!("{path} is not UTF-8 text."))
    }
}

/// Unit tests judge nothing; what is in force does not change with them.
fn is_test(path: &str) -> bool {
    path.ends_with("_test.rego")
}

impl Project {
    /// Reads the files of the policies, below the project file's `directory`, and checks that they can be used. The files of
    /// rules are added to `sources`, where the diagnostics' places are beside the project file's.
    pub fn load_policies(
        &mut self,
        files: &dyn Files,
        directory: &str,
        sources: &mut SourceMap,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let directory = Directory {
            files,
            path: directory,
        };
        for block in &mut self.policies {
            let mut problems = Diagnostics::new();
            block.load(&directory, &mut problems);
            if !problems.has_errors() {
                block.check(sources, &mut problems);
            }
            diagnostics.append(problems);
        }
        diagnostics
    }
}

impl PolicyBlock {
    fn load(&mut self, directory: &Directory<'_>, problems: &mut Diagnostics) {
        let name = self.policy.name.clone();
        let mut none = |why: String, span: Span| {
            let detail = format!("The policy {name:?} names what cannot be found: {why}");
            let problem = Diagnostic::error("policy-no-files", "No such policy files", detail);
            problems.push(problem.at(span).hint(
                "`terrace policy new` writes a starter pack in policies/; \"starter:NAME\" names rules of it without a file",
            ));
        };
        // By their paths, once each, whatever named them.
        let mut rules: BTreeMap<String, Option<&'static str>> = BTreeMap::new();
        for entry in &self.rego {
            if let Some(wanted) = entry.strip_prefix(STARTER) {
                let names = if wanted == "*" {
                    starter_names()
                } else {
                    vec![wanted]
                };
                for file in names.into_iter().flat_map(starter_rules) {
                    rules.insert(format!("{STARTER}{}", file.name), Some(file.text));
                }
                if wanted != "*" && !starter_names().contains(&wanted) {
                    let known = starter_names().join(", ");
                    none(
                        format!("the starter pack has no rules {wanted:?}. It has: {known}."),
                        self.rego_span,
                    );
                }
                continue;
            }
            match directory.find(entry, Wanted::Rules) {
                Ok(paths) => rules.extend(paths.into_iter().map(|path| (path, None))),
                Err(why) => none(why, self.rego_span),
            }
        }
        let mut data: BTreeMap<String, Option<&'static str>> = BTreeMap::new();
        let settings = starter_settings();
        let settings = (format!("{STARTER}{}", settings.name), Some(settings.text));
        for entry in &self.data {
            if entry == "starter:settings" {
                data.extend([settings.clone()]);
                continue;
            }
            match directory.find(entry, Wanted::Data) {
                Ok(paths) => data.extend(paths.into_iter().map(|path| (path, None))),
                Err(why) => none(why, self.data_span),
            }
        }
        // What comes with Terrace is set by what comes with it, where nobody sets it.
        if self.data.is_empty() && rules.keys().any(|path| path.starts_with(STARTER)) {
            data.extend([settings]);
        }
        let mut read = |(path, text): (String, Option<&'static str>)| {
            let text = text.map_or_else(|| directory.text(&path), |text| Ok(text.to_owned()));
            match text {
                Ok(text) => Some((path, text)),
                Err(why) => {
                    let detail = format!("The policy {name:?} cannot be read: {why}");
                    let problem =
                        Diagnostic::error("unreadable-file", "Policies cannot be read", detail);
                    problems.push(problem.at(self.span));
                    None
                }
            }
        };
        self.policy.rules = rules
            .into_iter()
            .filter_map(&mut read)
            .map(|(path, text)| PolicyFile { path, text })
            .collect();
        self.policy.data = data
            .into_iter()
            .filter_map(read)
            .map(|(path, text)| DataFile { path, text })
            .collect();
    }

    /// Whether the texts are rules that hang together, and judge.
    fn check(&self, sources: &mut SourceMap, problems: &mut Diagnostics) {
        let (policies, found) = Policies::parse(&self.policy.rules, &self.policy.data, sources);
        let is_broken = found.has_errors();
        problems.append(found);
        if is_broken {
            return;
        }
        let known: BTreeSet<&str> = policies.namespaces().collect();
        let name = &self.policy.name;
        if known.is_empty() {
            let detail = format!(
                "The policy {name:?} has no rule named deny, violation or warn, alone or with _ and more words behind it: it judges nothing."
            );
            let problem =
                Diagnostic::error("policy-without-rules", "Policy judges nothing", detail);
            problems.push(problem.at(self.rego_span));
            return;
        }
        for namespace in &self.policy.namespaces {
            if !known.contains(namespace.as_str()) {
                let known: Vec<&str> = known.iter().copied().collect();
                let detail = format!(
                    "The policy {name:?} has no rules that judge in package {namespace}. Packages with such rules: {}.",
                    known.join(", ")
                );
                let problem =
                    Diagnostic::error("policy-namespace", "No such package of policies", detail);
                problems.push(problem.at(self.namespaces_span));
            }
        }
    }
}
