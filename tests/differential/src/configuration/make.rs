//! Makes random scenarios.

use super::{Block, Configuration, Module, Scenario, Sort, change};
use crate::random::Random;

/// The directories of modules that are called.
const CHILDREN: [&str; 2] = ["child", "other"];

/// The random scenario `index` of a run with this seed.
pub(crate) fn scenario(seed: u64, index: u64) -> Scenario {
    let mut random = Random::of(seed ^ 0xc0f1_6000, index);
    let first = Maker::configuration(&mut random);
    let mut steps = vec![first];
    for _ in 0..=random.below(2) {
        let last = steps.last().cloned().unwrap_or_default();
        steps.push(change::changed(last, &mut random));
    }
    Scenario { steps }
}

/// What a value can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Text,
    Number,
    Bool,
    /// A set or a map of texts that is known while planning.
    Keys,
    Any,
}

/// Makes the blocks of one module.
pub(super) struct Maker<'r> {
    random: &'r mut Random,
    blocks: Module,
    /// What expressions can refer to.
    references: Vec<(String, Use)>,
    /// What `depends_on` can name.
    objects: Vec<String>,
    n_names: usize,
}

impl<'r> Maker<'r> {
    fn new(random: &'r mut Random) -> Self {
        Self {
            random,
            blocks: Vec::new(),
            references: Vec::new(),
            objects: Vec::new(),
            n_names: 0,
        }
    }

    fn configuration(random: &mut Random) -> Configuration {
        let mut configuration = Configuration::default();
        let n_children = random.below(3);
        for directory in CHILDREN.into_iter().take(n_children) {
            let mut maker = Maker::new(random);
            maker.child();
            configuration.children.insert(directory, maker.blocks);
        }
        let mut maker = Maker::new(random);
        maker.variables(&mut configuration.given);
        maker.locals();
        let n_resources = 1 + maker.random.below(4);
        (0..n_resources).for_each(|_| maker.resource());
        for directory in configuration.children.keys() {
            maker.call(directory);
        }
        let n_more = maker.random.below(2);
        (0..n_more).for_each(|_| maker.resource());
        maker.ends();
        configuration.root = maker.blocks;
        configuration
    }

    /// A module that takes `text` and `size`, and gives `result`.
    fn child(&mut self) {
        self.push(Sort::Variable, "text", vec!["type = string".into()]);
        let default = self.pick(&["1", "2", "null", "0"]);
        self.push(
            Sort::Variable,
            "size",
            vec!["type = number".into(), format!("default = {default}")],
        );
        self.references.push(("var.text".into(), Use::Text));
        self.references
            .push(("coalesce(var.size, 1)".into(), Use::Number));
        let n = 1 + self.random.below(2);
        (0..n).for_each(|_| self.resource());
        let value = self.value(Use::Any);
        self.push(Sort::Output, "result", vec![format!("value = {value}")]);
    }

    fn variables(&mut self, given: &mut Vec<(String, &'static str)>) {
        let n = self.random.below(4);
        for _ in 0..n {
            let name = self.name("v");
            let (of, kind, default, other) = *self.random.pick(&[
                (Use::Text, "string", "\"plain\"", "\"given\""),
                (Use::Text, "string", "\"é\"", "null"),
                (Use::Number, "number", "2", "3"),
                (Use::Number, "number", "1.5", "\"4\""),
                (Use::Bool, "bool", "true", "\"false\""),
                (Use::Keys, "set(string)", "[\"a\", \"b\"]", "[\"b\", \"c\", \"b\"]"),
                (Use::Keys, "map(string)", "{ a = \"1\", b = 2 }", "{ c = true }"),
                (Use::Any, "any", "[1, \"two\"]", "{ x = null }"),
                (
                    Use::Any,
                    "object({ a = string, b = optional(number, 5), c = optional(list(string)) })",
                    "{ a = \"x\" }",
                    "{ a = 1, b = null, c = [true], d = 1 }",
                ),
                (
                    Use::Any,
                    "list(object({ a = optional(string, \"d\"), b = optional(object({ c = optional(bool, false) }), {}) }))",
                    "[{}, { a = null }]",
                    "[{ b = { c = true } }]",
                ),
            ]);
            let mut lines = vec![format!("type = {kind}"), format!("default = {default}")];
            if of != Use::Keys && self.random.chance(15) {
                lines.push("sensitive = true".into());
            }
            if self.random.chance(15) {
                lines.push("nullable = false".into());
            }
            if self.random.chance(15) {
                lines.push("description = \"Says \\\"something\\\"\"".into());
            }
            if self.random.chance(30) {
                lines.push(self.validation(&name));
            }
            if self.random.chance(40) {
                given.push((name.clone(), other));
            }
            self.references.push((format!("var.{name}"), of));
            self.push(Sort::Variable, name, lines);
        }
    }

    fn validation(&mut self, name: &str) -> String {
        let condition = match self.random.below(5) {
            0 => format!("var.{name} != null"),
            1 => format!("can(length(var.{name}))"),
            2 => format!("try(tonumber(var.{name}) > 1, true)"),
            3 => format!("jsonencode(var.{name}) != \"\""),
            _ => "true".into(),
        };
        format!(
            "validation {{\n  condition     = {condition}\n  error_message = \"Value of {name} is not good.\"\n}}"
        )
    }

    fn locals(&mut self) {
        let n = self.random.below(3);
        for _ in 0..n {
            let name = self.name("l");
            let of = *self
                .random
                .pick(&[Use::Text, Use::Number, Use::Bool, Use::Any]);
            let value = self.value(of);
            self.push(Sort::Local, name.clone(), vec![format!("{name} = {value}")]);
            self.references.push((format!("local.{name}"), of));
        }
    }

    pub(super) fn resource(&mut self) {
        let name = self.name("r");
        let mut lines = Vec::new();
        let (repetition, key) = self.repetition();
        lines.extend(repetition.clone());
        let before = self.references.len();
        match key {
            Some("count") => self.references.push(("count.index".into(), Use::Number)),
            Some(_) => {
                self.references.push(("each.key".into(), Use::Text));
                self.references.push(("each.value".into(), Use::Any));
            }
            None => {}
        }
        if self.random.chance(90) {
            let value = self.value(Use::Any);
            lines.push(format!("input = {value}"));
        }
        if self.random.chance(30) {
            let value = self.value(Use::Any);
            lines.push(format!("triggers_replace = {value}"));
        }
        if self.random.chance(20)
            && let Some(object) = self.object()
        {
            lines.push(format!("depends_on = [{object}]"));
        }
        if self.random.chance(35) {
            lines.push(self.lifecycle());
        }
        self.references.truncate(before);
        let address = format!("terraform_data.{name}");
        self.refer(&address, key, &["output", "input", "id"]);
        self.push(Sort::Resource, name, lines);
        self.objects.push(address);
    }

    fn repetition(&mut self) -> (Option<String>, Option<&'static str>) {
        match self.random.below(10) {
            0 | 1 => {
                let count = match self.random.below(4) {
                    0 => self.value(Use::Number),
                    1 => format!("{} ? 1 : 0", self.value(Use::Bool)),
                    _ => self.pick(&["0", "1", "2", "3", "\"2\""]),
                };
                (Some(format!("count = {count}")), Some("count"))
            }
            2..5 => {
                let keys = match self.random.below(4) {
                    0 => self.value(Use::Keys),
                    1 => "{ a = 1, b = \"two\" }".into(),
                    2 => "{ for k in [\"a\", \"c\"] : k => upper(k) }".into(),
                    _ => "toset([\"a\", \"b\"])".into(),
                };
                (Some(format!("for_each = {keys}")), Some("for_each"))
            }
            _ => (None, None),
        }
    }

    fn lifecycle(&mut self) -> String {
        let mut lines = Vec::new();
        if self.random.chance(40) {
            lines.push("create_before_destroy = true".to_owned());
        }
        if self.random.chance(25) {
            lines.push(format!(
                "ignore_changes = {}",
                self.pick(&[
                    "[input]",
                    "all",
                    "[triggers_replace]",
                    "[input, triggers_replace]"
                ])
            ));
        }
        if self.random.chance(20)
            && let Some(object) = self.object()
            && object.starts_with("terraform_data")
        {
            lines.push(format!("replace_triggered_by = [{object}]"));
        }
        if self.random.chance(8) {
            lines.push("prevent_destroy = true".to_owned());
        }
        if self.random.chance(25)
            && let Some(condition) = self.condition()
        {
            lines.push(format!(
                "precondition {{\n  condition     = {condition}\n  error_message = \"Before.\"\n}}"
            ));
        }
        if self.random.chance(25) {
            let condition = self.pick(&[
                "self.id != \"\"",
                "self.input == self.output",
                "self.output != null",
                "length(self.id) == 36",
            ]);
            lines.push(format!("postcondition {{\n  condition     = {condition}\n  error_message = \"After: ${{self.id == null}}.\"\n}}"));
        }
        format!(
            "lifecycle {{\n  {}\n}}",
            lines.join("\n").replace('\n', "\n  ")
        )
    }

    /// A condition about something elsewhere, if there is anything.
    fn condition(&mut self) -> Option<String> {
        if self.references.is_empty() {
            return None;
        }
        let (text, of) = self.random.pick(&self.references).clone();
        Some(match (of, self.random.below(5)) {
            (Use::Bool, 0 | 1) => text,
            (Use::Number, 0 | 1) => format!("{text} > 0"),
            (_, 0) => format!("{text} != null"),
            (_, 1) => format!("jsonencode({text}) != \"never\""),
            (_, 2) => format!("length(jsonencode({text})) > 3"),
            (_, 3) => format!("can({text}.a)"),
            _ => format!("{text} == {text}"),
        })
    }

    fn call(&mut self, directory: &str) {
        let name = self.name("m");
        let mut lines = vec![format!("source = \"./{directory}\"")];
        let (repetition, key) = self.repetition();
        lines.extend(repetition);
        let text = self.value(Use::Text);
        lines.push(format!("text = {text}"));
        if self.random.chance(50) {
            let size = self.value(Use::Number);
            lines.push(format!("size = {size}"));
        }
        if self.random.chance(20)
            && let Some(object) = self.object()
        {
            lines.push(format!("depends_on = [{object}]"));
        }
        let address = format!("module.{name}");
        self.refer(&address, key, &["result"]);
        self.push(Sort::Call, name, lines);
        self.objects.push(address);
    }

    /// Outputs and checks.
    fn ends(&mut self) {
        let n = 1 + self.random.below(3);
        for _ in 0..n {
            let name = self.name("o");
            let value = self.value(Use::Any);
            let mut lines = vec![format!("value = {value}")];
            if self.random.chance(20) {
                lines.push("sensitive = true".into());
            }
            if self.random.chance(20)
                && let Some(object) = self.object()
            {
                lines.push(format!("depends_on = [{object}]"));
            }
            if self.random.chance(25)
                && let Some(condition) = self.condition()
            {
                lines.push(format!("precondition {{\n  condition     = {condition}\n  error_message = \"Output.\"\n}}"));
            }
            self.push(Sort::Output, name, lines);
        }
        if self.random.chance(25)
            && let Some(condition) = self.condition()
        {
            let name = self.name("c");
            self.push(
                Sort::Check,
                name,
                vec![format!(
                    "assert {{\n  condition     = {condition}\n  error_message = \"Checked.\"\n}}"
                )],
            );
        }
    }

    /// An expression.
    fn value(&mut self, of: Use) -> String {
        let fitting: Vec<&String> = self
            .references
            .iter()
            .filter(|(_, is)| *is == of || (of == Use::Any && *is != Use::Keys))
            .map(|(text, _)| text)
            .collect();
        if !fitting.is_empty() && self.random.chance(55) {
            let text = (*self.random.pick(&fitting)).clone();
            return match (of, self.random.below(8)) {
                (Use::Any, 0) => format!("[{text}, 1]"),
                (Use::Any, 1) => format!("{{ a = {text}, b = \"x\" }}"),
                (Use::Any, 2) => format!("jsonencode({text})"),
                (Use::Text, 0) => format!("\"<${{{text}}}>\""),
                _ => text,
            };
        }
        match of {
            Use::Text => self.pick(&[
                "\"\"",
                "\"text\"",
                "\"é\"",
                "upper(\"up\")",
                "\"${1 + 1}\"",
                "format(\"%03d\", 7)",
            ]),
            Use::Number => self.pick(&["0", "1", "2", "length([1, 2])", "max(1, 2)"]),
            Use::Bool => self.pick(&["true", "false", "1 == 1", "!true"]),
            Use::Keys => self.pick(&[
                "toset([\"a\"])",
                "{ a = 1 }",
                "toset([])",
                "{}",
                "tomap({ z = \"y\" })",
            ]),
            Use::Any => self.pick(&[
                "\"text\"",
                "1",
                "1.50",
                "null",
                "true",
                "[]",
                "{}",
                "[1, \"a\", null]",
                "{ a = 1, b = [true] }",
                "toset([\"b\", \"a\"])",
                "tomap({ a = 1 })",
                "tolist([\"x\", \"y\"])",
                "sensitive(\"secret\")",
                "{ a = sensitive(\"s\"), b = [sensitive(1), 2] }",
                "1 / 3",
                "<<-EOT\n    line\n      more\n  EOT\n",
                "{ \"key with space\" = null, (\"computed\") = 1 }",
            ]),
        }
    }

    fn refer(&mut self, address: &str, key: Option<&str>, attributes: &[&str]) {
        for attribute in attributes {
            let of = if *attribute == "id" {
                Use::Text
            } else {
                Use::Any
            };
            let texts = match key {
                None => vec![format!("{address}.{attribute}")],
                Some("count") => vec![
                    format!("{address}[*].{attribute}"),
                    format!("one({address}[*].{attribute})"),
                    format!("try({address}[0].{attribute}, \"none\")"),
                ],
                Some(_) => vec![
                    format!("{{ for k, v in {address} : k => v.{attribute} }}"),
                    format!("try({address}[\"a\"].{attribute}, \"none\")"),
                ],
            };
            for text in texts {
                let of = if key.is_some() { Use::Any } else { of };
                self.references.push((text, of));
            }
        }
    }

    fn object(&mut self) -> Option<String> {
        if self.objects.is_empty() {
            return None;
        }
        Some(self.random.pick(&self.objects).clone())
    }

    fn pick(&mut self, choices: &[&str]) -> String {
        (*self.random.pick(choices)).to_owned()
    }

    fn name(&mut self, prefix: &str) -> String {
        self.n_names += 1;
        format!("{prefix}{}", self.n_names)
    }

    fn push(&mut self, sort: Sort, name: impl Into<String>, lines: Vec<String>) {
        self.blocks.push(Block::new(sort, name, lines));
    }
}
