//! The configurations that are measured.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How many resources a chain or a module has.
const CHAIN: usize = 10;

/// A way to have many resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blocks of `terraform_data` in chains of ten, each reading the one before it.
    Flat,
    /// One block with many keys.
    ForEach,
    /// One module called for many keys, each with variables, locals, outputs and ten resources.
    Modules,
    /// Objects of a plugin, a process of its own.
    Plugin,
    /// Configurations of a provider, each a process of its own with a few objects.
    Providers,
    /// Files in folders, a hundred each, none of them in the usual form.
    Files,
    /// One object literal of many keys.
    Literal,
    /// One heredoc of many lines.
    Heredoc,
}

impl Kind {
    /// All of them, as the table shows them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Flat,
        Self::ForEach,
        Self::Modules,
        Self::Plugin,
        Self::Providers,
        Self::Files,
        Self::Literal,
        Self::Heredoc,
    ];

    /// Its name in the table and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::ForEach => "for_each",
            Self::Modules => "modules",
            Self::Plugin => "plugin",
            Self::Providers => "providers",
            Self::Files => "files",
            Self::Literal => "literal",
            Self::Heredoc => "heredoc",
        }
    }

    /// The kind of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A working directory that goes when this does.
pub(crate) struct Project {
    directory: TempDir,
    kind: Kind,
}

impl Project {
    /// Writes a configuration of `size` resources.
    pub(crate) fn new(kind: Kind, size: usize) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("terrace-bench-")
            .tempdir()?;
        let project = Self { directory, kind };
        fs::create_dir(project.world())?;
        match kind {
            Kind::Flat => project.write("main.tf", &flat(size))?,
            Kind::ForEach => project.write("main.tf", &for_each(size))?,
            Kind::Modules => {
                fs::create_dir_all(project.directory().join("part"))?;
                project.write("main.tf", &module_call(size))?;
                project.write("part/main.tf", &module())?;
            }
            Kind::Plugin => project.write("main.tf", &plugin(size))?,
            Kind::Providers => project.write("main.tf", &providers(size))?,
            Kind::Files => {
                for index in 0..size {
                    project.write(
                        &format!("part-{}/file-{index}.tf", index / 100),
                        &file(index),
                    )?;
                }
            }
            Kind::Literal => project.write("main.tf", &literal(size))?,
            Kind::Heredoc => project.write("main.tf", &heredoc(size))?,
        }
        Ok(project)
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    /// Where the plugin keeps its objects.
    pub(crate) fn world(&self) -> PathBuf {
        self.directory.path().join("world")
    }

    /// The CLI configuration that says where the plugin is.
    pub(crate) fn cli_configuration(&self, plugin: &Path) -> io::Result<PathBuf> {
        let path = self.directory.path().join("cli.tfrc");
        let directory = plugin.parent().unwrap_or(Path::new("."));
        let text = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"example.com/terrace/test\" = {:?}\n  }}\n  direct {{}}\n}}\n",
            directory.display().to_string()
        );
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Its kind.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.directory().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)
    }
}

fn flat(size: usize) -> String {
    let mut text = String::new();
    for index in 0..size {
        let input = if index % CHAIN == 0 {
            format!("\"first of chain {}\"", index / CHAIN)
        } else {
            format!("terraform_data.r{}.id", index - 1)
        };
        writeln!(
            text,
            "resource \"terraform_data\" \"r{index}\" {{\n  input = {input}\n}}\n"
        )
        .expect("a String takes any text");
    }
    text
}

/// Keys in steps of a hundred, because `range` gives no more than 1,024 elements.
fn keys(count: usize) -> String {
    format!(
        "toset(slice(flatten([for a in range({}) : [for b in range(100) : \"key-${{a * 100 + b}}\"]]), 0, {count}))",
        count.div_ceil(100)
    )
}

fn for_each(size: usize) -> String {
    format!(
        "locals {{\n  keys = {}\n}}\n\nresource \"terraform_data\" \"many\" {{\n  for_each = local.keys\n  input    = \"value of ${{each.key}}\"\n}}\n\noutput \"first\" {{\n  value = terraform_data.many[\"key-0\"].id\n}}\n",
        keys(size)
    )
}

fn module_call(size: usize) -> String {
    format!(
        "module \"part\" {{\n  source   = \"./part\"\n  for_each = {}\n  name     = each.key\n  settings = {{ replicas = length(each.key), label = \"part ${{each.key}}\" }}\n}}\n\noutput \"first\" {{\n  value = module.part[\"key-0\"].last\n}}\n",
        keys(size.div_ceil(CHAIN))
    )
}

fn module() -> String {
    let mut text = String::from(
        "variable \"name\" {\n  type = string\n\n  validation {\n    condition     = length(var.name) > 0\n    error_message = \"A name is needed.\"\n  }\n}\n\nvariable \"settings\" {\n  type = object({\n    replicas = number\n    label    = string\n    zone     = optional(string, \"a\")\n  })\n}\n\nlocals {\n  prefix = \"${var.name}-${var.settings.zone}\"\n}\n\n",
    );
    for index in 0..CHAIN {
        let input = if index == 0 {
            "{ prefix = local.prefix, settings = var.settings }".to_owned()
        } else {
            format!(
                "\"${{local.prefix}} after ${{terraform_data.r{}.id}}\"",
                index - 1
            )
        };
        writeln!(
            text,
            "resource \"terraform_data\" \"r{index}\" {{\n  input = {input}\n}}\n"
        )
        .expect("a String takes any text");
    }
    writeln!(
        text,
        "output \"last\" {{\n  value = terraform_data.r{}.id\n}}",
        CHAIN - 1
    )
    .expect("a String takes any text");
    text
}

const REQUIREMENT: &str = "terraform {\n  required_providers {\n    test = {\n      source = \"example.com/terrace/test\"\n    }\n  }\n}\n\n";

/// How many objects each configuration of a provider has.
const OBJECTS: usize = 5;

fn providers(size: usize) -> String {
    let mut text = String::from(REQUIREMENT);
    for index in 0..size {
        writeln!(text, "provider \"test\" {{\n  alias = \"p{index}\"\n}}\n")
            .expect("a String takes any text");
        for object in 0..OBJECTS {
            writeln!(
                text,
                "resource \"test_object\" \"p{index}_{object}\" {{\n  provider = test.p{index}\n  string   = \"object {object}\"\n}}\n"
            )
            .expect("a String takes any text");
        }
    }
    text
}

fn plugin(size: usize) -> String {
    let mut text = String::from(REQUIREMENT);
    for index in 0..size {
        let computed = if index % CHAIN == 0 {
            String::new()
        } else {
            format!("  any    = test_object.r{}.id\n", index - 1)
        };
        writeln!(
            text,
            "resource \"test_object\" \"r{index}\" {{\n  string = \"object {index}\"\n  number = {index}\n  list   = [\"a\", \"b\"]\n  map    = {{ index = \"{index}\" }}\n{computed}}}\n"
        )
        .expect("a String takes any text");
    }
    text
}

/// A file as people write it, before it is formatted.
fn file(index: usize) -> String {
    format!(
        "# Part {index}\nvariable \"name\" {{\n  type=string\n    description = \"What part {index} is called\" # shown\n}}\n\nlocals {{\n  tags = {{\n    name=var.name\n    longer_name   = \"${{var.name}}-{index}\"\n  }}\n  list=[for key,value in local.tags: \"${{key}}=${{value}}\" if value!=\"\"]\n}}\n\nresource \"terraform_data\" \"part\" {{\n  for_each=local.tags\n  input = merge(local.tags,{{ key=each.key, number=({index}+1)*2 }})\n\n  lifecycle {{\n  ignore_changes=[input]\n  }}\n}}\n\noutput \"script\" {{\n  value=<<-EOT\n    #!/bin/sh\n    echo ${{var.name}}\n  EOT\n}}\n"
    )
}

fn literal(size: usize) -> String {
    let mut text = String::from("locals {\n  all = {\n");
    for index in 0..size {
        writeln!(text, "    key_{index}=\"value {index}\"").expect("a String takes any text");
    }
    text.push_str("  }\n}\n\noutput \"first\" {\n  value = local.all.key_0\n}\n");
    text
}

fn heredoc(size: usize) -> String {
    let mut text = String::from("locals {\n  all=<<-EOT\n");
    for index in 0..size {
        writeln!(text, "    line {index} of ${{path.module}}").expect("a String takes any text");
    }
    text.push_str("  EOT\n}\n\noutput \"length\" {\n  value = length(local.all)\n}\n");
    text
}
