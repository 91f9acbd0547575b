//! What a module is, for those who look for one: what it takes, gives and makes, and what its author says of it.

use std::collections::BTreeMap;

use terrace_diag::{Diagnostics, SourceId, Span};
use terrace_syntax::{Block, Body, BodySchema, Content, Expr};

use crate::{ModuleArchive, wire};

/// The blocks of a module and how many labels they have.
const BLOCKS: [(&str, usize); 6] = [
    ("terraform", 0),
    ("variable", 1),
    ("output", 1),
    ("resource", 2),
    ("data", 2),
    ("module", 1),
];

/// What a module is. Files that cannot be read as configuration say nothing here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The text of README.md.
    pub readme: Option<String>,
    /// Its variables, by name.
    pub inputs: Vec<Input>,
    /// Its outputs, by name.
    pub outputs: Vec<Output>,
    /// Its resources and data sources, as `aws_vpc.main` and `data.aws_ami.latest`.
    pub resources: Vec<String>,
    /// The modules that it calls: name and source.
    pub modules: Vec<String>,
    /// The providers that it requires: local name, and source with version.
    pub providers: BTreeMap<String, String>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type constraint as written; `any` where there is none.
    pub ty: String,
    /// Its description.
    pub description: String,
    /// Its default as written; `None` where a value must be given.
    pub default: Option<String>,
    /// Whether its value is never shown.
    pub sensitive: bool,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Whether its value is never shown.
    pub sensitive: bool,
}

impl About {
    /// What the files at an archive's root say.
    pub fn of(archive: &ModuleArchive) -> Self {
        let mut about = Self::default();
        for (name, bytes) in archive.files() {
            if name.contains('/') {
                continue;
            }
            if name.eq_ignore_ascii_case("readme.md") {
                about.readme = Some(String::from_utf8_lossy(bytes).into_owned());
            }
            let source = SourceId(0);
            let body = if name.ends_with(".tf.json") {
                terrace_syntax::parse_json(source, bytes).0
            } else if crate::archive::is_native(name) {
                terrace_syntax::parse(source, bytes).0
            } else {
                continue;
            };
            about.read(&body, bytes);
        }
        about.inputs.sort_by(|a, b| a.name.cmp(&b.name));
        about.outputs.sort_by(|a, b| a.name.cmp(&b.name));
        about.resources.sort();
        about.modules.sort();
        about
    }

    fn read(&mut self, body: &Body, text: &[u8]) {
        let names: Vec<&str> = BLOCKS.iter().map(|(name, _)| *name).collect();
        let mut schema = BodySchema::of(&[], &names);
        for (block, (_, labels)) in schema.blocks.iter_mut().zip(BLOCKS) {
            block.labels = ["type", "name"][2 - labels..]
                .iter()
                .map(|label| (*label).into())
                .collect();
        }
        // What is wrong with it was told when it was checked.
        let (content, _, _) = body.partial_content(&schema);
        for block in &content.blocks {
            let labels: Vec<String> = block
                .labels
                .iter()
                .map(|label| label.text.to_string())
                .collect();
            match (&*block.type_name.name, labels.as_slice()) {
                ("variable", [name]) => self.inputs.push(input(name, block, text)),
                ("output", [name]) => self.outputs.push(output(name, block, text)),
                ("resource", [kind, name]) => self.resources.push(format!("{kind}.{name}")),
                ("data", [kind, name]) => self.resources.push(format!("data.{kind}.{name}")),
                ("module", [name]) => {
                    let content = arguments(block, &["source"]);
                    let source = string(&content, "source").unwrap_or_default();
                    self.modules.push(format!("{name} ({source})"));
                }
                _ => self.read_providers(&block.body),
            }
        }
    }

    fn read_providers(&mut self, settings: &Body) {
        let schema = BodySchema::of(&[], &["required_providers"]);
        let (content, _, _) = settings.partial_content(&schema);
        for block in &content.blocks {
            let (requirements, _) = block.body.just_attributes();
            for (name, requirement) in requirements {
                let mut ignored = Diagnostics::new();
                let value = terrace_config::evaluate_constant(&requirement.value, &mut ignored);
                let part = |name: &str| {
                    value
                        .get(name)
                        .and_then(|part| part.as_str().map(str::to_owned))
                };
                let parts = [part("source"), part("version")];
                let words: Vec<String> = parts.into_iter().flatten().collect();
                self.providers.insert(name.to_string(), words.join(" "));
            }
        }
    }

    /// The document that says it.
    pub fn to_json(&self) -> Vec<u8> {
        let wire = wire::About {
            readme: self.readme.clone(),
            inputs: self.inputs.iter().map(Input::to_wire).collect(),
            outputs: self.outputs.iter().map(Output::to_wire).collect(),
            resources: self.resources.clone(),
            modules: self.modules.clone(),
            providers: self.providers.clone(),
        };
        serde_json::to_vec(&wire).expect("it has string keys only")
    }

    /// Reads such a document.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wire: wire::About = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(Self {
            readme: wire.readme,
            inputs: wire.inputs.into_iter().map(Input::of_wire).collect(),
            outputs: wire.outputs.into_iter().map(Output::of_wire).collect(),
            resources: wire.resources,
            modules: wire.modules,
            providers: wire.providers,
        })
    }

    /// The first sentence or so of the README that is no heading, for lists.
    pub fn summary(&self) -> String {
        let text = self.readme.as_deref().unwrap_or_default();
        let is_prose = |line: &&str| {
            line.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '`' | '*' | '_' | '"'))
        };
        let lines = text
            .lines()
            .map(str::trim)
            .skip_while(|line| !is_prose(line));
        let paragraph: Vec<&str> = lines.take_while(is_prose).collect();
        let paragraph = paragraph.join(" ").replace(['`', '*'], "");
        match paragraph.char_indices().nth(240) {
            Some((end, _)) => format!("{}…", &paragraph[..end]),
            None => paragraph,
        }
    }
}

impl Input {
    fn to_wire(&self) -> wire::Input {
        wire::Input {
            name: self.name.clone(),
            ty: self.ty.clone(),
            description: self.description.clone(),
            default: self.default.clone(),
            sensitive: self.sensitive,
        }
    }

    fn of_wire(wire: wire::Input) -> Self {
        Self {
            name: wire.name,
            ty: wire.ty,
            description: wire.description,
            default: wire.default,
            sensitive: wire.sensitive,
        }
    }
}

impl Output {
    fn to_wire(&self) -> wire::Output {
        wire::Output {
            name: self.name.clone(),
            description: self.description.clone(),
            sensitive: self.sensitive,
        }
    }

    fn of_wire(wire: wire::Output) -> Self {
        Self {
            name: wire.name,
            description: wire.description,
            sensitive: wire.sensitive,
        }
    }
}

fn arguments(block: &Block, names: &[&str]) -> Content {
    block.body.partial_content(&BodySchema::of(names, &[])).0
}

fn input(name: &str, block: &Block, text: &[u8]) -> Input {
    let content = arguments(block, &["type", "description", "default", "sensitive"]);
    Input {
        name: name.to_owned(),
        ty: written(&content, "type", text).unwrap_or_else(|| "any".to_owned()),
        description: string(&content, "description").unwrap_or_default(),
        default: written(&content, "default", text),
        sensitive: written(&content, "sensitive", text).as_deref() == Some("true"),
    }
}

fn output(name: &str, block: &Block, text: &[u8]) -> Output {
    let content = arguments(block, &["description", "sensitive"]);
    Output {
        name: name.to_owned(),
        description: string(&content, "description").unwrap_or_default(),
        sensitive: written(&content, "sensitive", text).as_deref() == Some("true"),
    }
}

/// The value of an argument that is a string.
fn string(content: &Content, name: &str) -> Option<String> {
    let expression: &Expr = &content.attributes.get(name)?.value;
    let value = terrace_config::evaluate_constant(expression, &mut Diagnostics::new());
    value.as_str().map(|text| text.trim().to_owned())
}

/// An argument's value as it stands in the file.
fn written(content: &Content, name: &str, text: &[u8]) -> Option<String> {
    let Span { start, end, .. } = content.attributes.get(name)?.value.span;
    let text = text.get(start as usize..end as usize)?;
    Some(String::from_utf8_lossy(text).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tests::directory;

    const MAIN: &str = r#"
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "subnets" {
  type        = map(object({ cidr = string }))
  description = "The subnets, by name."
}

variable "name" {
  type    = string
  default = "main"
}

variable "password" {
  sensitive = true
}

resource "aws_vpc" "main" {}
data "aws_ami" "latest" {}

module "inner" {
  source = "./inner"
}

output "id" {
  description = "The network's id."
  value       = aws_vpc.main.id
}
"#;

    #[test]
    fn what_a_module_takes_and_gives_is_read() {
        let readme = "# Network\n\n[![build](x)](y)\n\nA `network` with\nits subnets.\n\n## More\n";
        let directory = directory(&[
            ("main.tf", MAIN),
            (
                "more.tf.json",
                r#"{"output": {"arn": {"value": "x", "sensitive": true}}}"#,
            ),
            ("broken.tf", "variable \"b\" {"),
            ("README.md", readme),
            ("inner/main.tf", "variable \"hidden\" {}\n"),
        ]);
        let archive = ModuleArchive::pack(directory.path()).unwrap();
        let about = About::of(&archive);
        let inputs: Vec<(&str, &str, Option<&str>)> = about
            .inputs
            .iter()
            .filter(|input| input.name != "b")
            .map(|input| (&*input.name, &*input.ty, input.default.as_deref()))
            .collect();
        assert_eq!(
            inputs,
            [
                ("name", "string", Some("\"main\"")),
                ("password", "any", None),
                ("subnets", "map(object({ cidr = string }))", None),
            ]
        );
        let outputs: Vec<(&str, bool)> = about
            .outputs
            .iter()
            .map(|output| (&*output.name, output.sensitive))
            .collect();
        assert_eq!(outputs, [("arn", true), ("id", false)]);
        assert_eq!(about.resources, ["aws_vpc.main", "data.aws_ami.latest"]);
        assert_eq!(about.modules, ["inner (./inner)"]);
        assert_eq!(about.providers["aws"], "hashicorp/aws ~> 6.0");
        assert_eq!(about.summary(), "A network with its subnets.");
        assert_eq!(About::parse(&about.to_json()).unwrap(), about);
    }
}
