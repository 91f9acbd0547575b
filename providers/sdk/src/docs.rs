//! Reference documentation from a schema, in the layout of provider registries.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use terrace_schema::{
    Attribute, Block, BlockNesting, FunctionParameter, FunctionSchema, NestedObject, Nesting,
    ProviderSchema, ResourceSchema,
};
use terrace_value::Type;

/// What a schema does not say: the provider's name, and examples.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The provider's local name: `notes`.
    pub name: String,
    /// Its address, for the example of its requirement: `example/notes`.
    pub source: String,
    /// Examples in HCL by page: `index`, `resources/notes_note`, `data-sources/…`, `ephemeral-resources/…`, `functions/…`.
    pub examples: BTreeMap<String, String>,
}

/// The pages by their paths: `docs/index.md`, `docs/resources/note.md`, `docs/data-sources/…`, `docs/ephemeral-resources/…`,
/// `docs/functions/…`.
pub fn pages(about: &About, schema: &ProviderSchema) -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    pages.insert(PathBuf::from("docs/index.md"), index(about, schema));
    let kinds = [
        ("resources", "Resource", &schema.resources),
        ("data-sources", "Data Source", &schema.data_sources),
        (
            "ephemeral-resources",
            "Ephemeral Resource",
            &schema.ephemeral_resources,
        ),
    ];
    for (folder, kind, types) in kinds {
        for (name, resource) in types.iter() {
            let page = resource_page(about, folder, kind, name, resource);
            pages.insert(page_path(about, folder, name), page);
        }
    }
    for (name, function) in &schema.functions {
        let page = function_page(about, name, function);
        pages.insert(PathBuf::from(format!("docs/functions/{name}.md")), page);
    }
    pages
}

fn page_path(about: &About, folder: &str, name: &str) -> PathBuf {
    let short = name
        .strip_prefix(&format!("{}_", about.name))
        .unwrap_or(name);
    PathBuf::from(format!("docs/{folder}/{short}.md"))
}

fn front_matter(title: &str, description: &str) -> String {
    let mut text = format!("---\npage_title: {title:?}\ndescription: |-\n");
    for line in description.lines() {
        let _never = writeln!(text, "  {line}");
    }
    text.push_str("---\n\n");
    text
}

fn example(about: &About, page: &str) -> String {
    about
        .examples
        .get(page)
        .map(|example| {
            format!(
                "## Example Usage\n\n```terraform\n{}\n```\n\n",
                example.trim_end()
            )
        })
        .unwrap_or_default()
}

fn index(about: &About, schema: &ProviderSchema) -> String {
    let block = &schema.provider.block;
    let title = format!("{} Provider", about.name);
    let mut text = front_matter(&title, &block.description);
    let _never = write!(text, "# {title}\n\n");
    paragraph(&mut text, &block.description);
    let listed = example(about, "index");
    if listed.is_empty() {
        let _never = write!(
            text,
            "## Example Usage\n\n```terraform\nterraform {{\n  required_providers {{\n    {} = {{\n      source = {:?}\n    }}\n  }}\n}}\n```\n\n",
            about.name, about.source
        );
    }
    text.push_str(&listed);
    text.push_str(&schema_section(block));
    text
}

fn resource_page(
    about: &About,
    folder: &str,
    kind: &str,
    name: &str,
    resource: &ResourceSchema,
) -> String {
    let block = &resource.block;
    let title = format!("{name} {kind} - {}", about.name);
    let mut text = front_matter(&title, &block.description);
    let _never = write!(text, "# {name} ({kind})\n\n");
    if block.deprecated {
        text.push_str("~> **Deprecated:** it should not be used in new configurations.\n\n");
    }
    paragraph(&mut text, &block.description);
    text.push_str(&example(about, &format!("{folder}/{name}")));
    text.push_str(&schema_section(block));
    text
}

fn paragraph(text: &mut String, description: &str) {
    if !description.is_empty() {
        let _never = write!(text, "{}\n\n", description.trim());
    }
}

fn schema_section(block: &Block) -> String {
    let mut text = "## Schema\n".to_owned();
    let mut nested = Vec::new();
    content(&mut text, Content::Block(block), "", &mut nested, 3);
    while !nested.is_empty() {
        for (path, inner) in std::mem::take(&mut nested) {
            let _never = write!(
                text,
                "\n<a id=\"nestedschema--{}\"></a>\n### Nested Schema for `{path}`\n",
                path.replace('.', "--")
            );
            content(&mut text, inner, &path, &mut nested, 4);
        }
    }
    text
}

#[derive(Clone, Copy)]
enum Content<'s> {
    Block(&'s Block),
    Object(&'s NestedObject),
}

impl<'s> Content<'s> {
    fn attributes(self) -> &'s BTreeMap<terrace_value::Text, Attribute> {
        match self {
            Self::Block(block) => &block.attributes,
            Self::Object(object) => &object.attributes,
        }
    }
}

/// The sections of an object, and what is nested in it.
fn content<'s>(
    text: &mut String,
    of: Content<'s>,
    path: &str,
    nested: &mut Vec<(String, Content<'s>)>,
    level: usize,
) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    let mut sections: [Vec<String>; 3] = [const { Vec::new() }; 3];
    for (name, attribute) in of.attributes() {
        let place = match attribute {
            found if found.required => 0,
            found if found.optional => 1,
            _ => 2,
        };
        let link = attribute.nested().map(|object| {
            nested.push((below(name), Content::Object(object)));
            below(name)
        });
        sections[place].push(attribute_line(name, attribute, link.as_deref()));
    }
    if let Content::Block(block) = of {
        for (name, inner) in &block.blocks {
            nested.push((below(name), Content::Block(&inner.block)));
            let place = usize::from(inner.min_items == 0);
            sections[place].push(block_line(name, inner, &below(name)));
        }
    }
    let marks = "#".repeat(level);
    for (title, lines) in ["Required", "Optional", "Read-Only"].iter().zip(sections) {
        if lines.is_empty() {
            continue;
        }
        let _never = write!(text, "\n{marks} {title}\n\n{}\n", lines.join("\n"));
    }
}

fn attribute_line(name: &str, attribute: &Attribute, link: Option<&str>) -> String {
    let ty = match attribute.nested() {
        Some(object) => match object.nesting {
            Nesting::Single => "Attributes".to_owned(),
            Nesting::List => "Attributes List".to_owned(),
            Nesting::Set => "Attributes Set".to_owned(),
            Nesting::Map => "Attributes Map".to_owned(),
        },
        None => type_name(&attribute.value_type()),
    };
    let mut facts = vec![ty];
    for (fact, holds) in [
        ("Sensitive", attribute.sensitive),
        ("Write-only", attribute.write_only),
        ("Deprecated", attribute.deprecated),
    ] {
        if holds {
            facts.push(fact.to_owned());
        }
    }
    line(name, &facts, &attribute.description, link)
}

fn block_line(name: &str, block: &terrace_schema::NestedBlock, link: &str) -> String {
    let kind = match block.nesting {
        BlockNesting::Single | BlockNesting::Group => "Block",
        BlockNesting::List => "Block List",
        BlockNesting::Set => "Block Set",
        BlockNesting::Map => "Block Map",
    };
    let mut facts = vec![kind.to_owned()];
    if block.min_items > 0 {
        facts.push(format!("Min: {}", block.min_items));
    }
    if block.max_items > 0 {
        facts.push(format!("Max: {}", block.max_items));
    }
    line(name, &facts, &block.block.description, Some(link))
}

fn line(name: &str, facts: &[String], description: &str, link: Option<&str>) -> String {
    let mut text = format!("- `{name}` ({})", facts.join(", "));
    let description = description.trim().replace('\n', " ");
    if !description.is_empty() {
        let _never = write!(text, " {description}");
    }
    if let Some(path) = link {
        let anchor = path.replace('.', "--");
        let _never = write!(
            text,
            " (see [below for nested schema](#nestedschema--{anchor}))"
        );
    }
    text
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::String => "String".into(),
        Type::Bool => "Boolean".into(),
        Type::Number => "Number".into(),
        Type::Dynamic => "Dynamic".into(),
        Type::List(element) => format!("List of {}", type_name(element)),
        Type::Set(element) => format!("Set of {}", type_name(element)),
        Type::Map(element) => format!("Map of {}", type_name(element)),
        Type::Tuple(_) => "Tuple".into(),
        Type::Object(_) => "Object".into(),
    }
}

fn function_page(about: &About, name: &str, function: &FunctionSchema) -> String {
    let title = format!("{name} function - {}", about.name);
    let mut text = front_matter(&title, &function.summary);
    let _never = write!(text, "# function: {name}\n\n");
    if !function.deprecation_message.is_empty() {
        let _never = write!(
            text,
            "~> **Deprecated:** {}\n\n",
            function.deprecation_message
        );
    }
    paragraph(&mut text, &function.description);
    text.push_str(&example(about, &format!("functions/{name}")));
    let parameter = |parameter: &FunctionParameter| {
        format!(
            "{} {}",
            parameter.name,
            type_name(&parameter.ty).to_lowercase()
        )
    };
    let mut all: Vec<String> = function.parameters.iter().map(parameter).collect();
    all.extend(
        function
            .variadic
            .iter()
            .map(|last| format!("{}...", parameter(last))),
    );
    let _never = write!(
        text,
        "## Signature\n\n```text\n{name}({}) {}\n```\n\n## Arguments\n\n",
        all.join(", "),
        type_name(&function.result).to_lowercase()
    );
    let parameters = function.parameters.iter().chain(&function.variadic);
    for (place, parameter) in parameters.enumerate() {
        let mut kind = type_name(&parameter.ty);
        if parameter.allow_null {
            kind.push_str(", Nullable");
        }
        if place >= function.parameters.len() {
            kind.push_str(", Variadic");
        }
        let _never = writeln!(
            text,
            "{}. `{}` ({kind}) {}",
            place + 1,
            parameter.name,
            parameter.description
        );
    }
    text
}
