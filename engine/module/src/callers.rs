//! Which changes of a called module a caller meets, and at which of its lines.

use terrace_config::{ModuleCall, references};
use terrace_diag::{SourceMap, Span};
use terrace_syntax::{Body, BodyKind, Expr, Item, Step, Traversal};

use crate::canonical::constant;
use crate::{Changes, Finding, Kind, Place};

/// A breaking change that a caller meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// The change.
    pub finding: Finding,
    /// The caller's line that meets it: an argument, an expression that reads an output, or the call.
    pub place: Place,
}

/// The breaking ones of `changes` that `call` meets, by place. `sources` are the files of the module in which it stands,
/// and no others. What the caller neither sets nor reads is left out; what concerns its state is told at the call.
pub fn concerns(changes: &Changes, call: &ModuleCall, sources: &SourceMap) -> Vec<Concern> {
    let reads = reads(&call.name, sources);
    let mut found = Vec::new();
    for finding in changes.breaking() {
        let at = |span: Span| Concern {
            finding: finding.clone(),
            place: Place::of(sources, span),
        };
        found.extend(spans(finding, call, &reads).into_iter().map(at));
    }
    found.sort_by(|a, b| {
        a.place
            .cmp(&b.place)
            .then_with(|| a.finding.subject.cmp(&b.finding.subject))
    });
    found.dedup();
    found
}

/// Where the caller meets a change; nowhere where it does not.
fn spans(finding: &Finding, call: &ModuleCall, reads: &[Read]) -> Vec<Span> {
    let name = finding.name().unwrap_or_default();
    let input = call.inputs.iter().find(|(input, _)| &***input == name);
    match finding.kind {
        Kind::RequiredVariableAdded | Kind::DefaultRemoved => match input {
            None => vec![call.span],
            Some(_) => Vec::new(),
        },
        // A constant that is not null stays what it is.
        Kind::NullRefused | Kind::NullKept => input
            .filter(|(_, value)| constant(value).is_none_or(|value| value.is_null()))
            .map(|(input, value)| input_span(call, input, value))
            .into_iter()
            .collect(),
        Kind::VariableRemoved
        | Kind::TypeNarrowed
        | Kind::ValidationNarrowed
        | Kind::VariableShown
        | Kind::VariableStored
        | Kind::VariableConstant => input
            .map(|(input, value)| input_span(call, input, value))
            .into_iter()
            .collect(),
        Kind::OutputRemoved | Kind::OutputRetyped | Kind::OutputHidden | Kind::OutputEphemeral => {
            reads
                .iter()
                .filter(|read| read.of(name))
                .map(|read| read.span)
                .collect()
        }
        _ => vec![call.span],
    }
}

fn input_span(call: &ModuleCall, name: &terrace_addr::Name, value: &Expr) -> Span {
    call.input_spans.get(name).copied().unwrap_or(value.span)
}

/// An expression that reads outputs of the call.
struct Read {
    output: Output,
    /// The expression's text, in which an output of a whole is looked for.
    text: String,
    span: Span,
}

/// What of a call is read.
enum Output {
    /// This output.
    Named(String),
    /// The call as a whole, or all its instances.
    Whole,
}

impl Read {
    fn of(&self, name: &str) -> bool {
        match &self.output {
            Output::Named(output) => output == name,
            Output::Whole => self
                .text
                .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
                .any(|word| word == name),
        }
    }
}

/// What reads outputs of the call `name` in the files.
fn reads(name: &str, sources: &SourceMap) -> Vec<Read> {
    let mut found = Vec::new();
    for (id, file) in sources.files() {
        let text = file.text().as_bytes();
        let (body, _) = if std::path::Path::new(file.name())
            .extension()
            .is_some_and(|ending| ending == "json")
        {
            terrace_syntax::parse_json(id, text)
        } else {
            terrace_syntax::parse(id, text)
        };
        in_body(&body, &mut |expression| {
            for traversal in references(expression) {
                if let Some(output) = output_of(traversal, name) {
                    found.push(Read {
                        output,
                        text: sources.text(expression.span).to_owned(),
                        span: traversal.root.span,
                    });
                }
            }
        });
    }
    found
}

fn in_body(body: &Body, visit: &mut impl FnMut(&Expr)) {
    match &body.kind {
        BodyKind::Native(items) => {
            for item in items.iter() {
                match item {
                    Item::Attribute(attribute) => visit(&attribute.value),
                    Item::Block(block) => in_body(&block.body, visit),
                }
            }
        }
        BodyKind::Json(_) => {
            let (attributes, _) = body.just_attributes();
            for attribute in attributes.values() {
                visit(&attribute.value);
            }
        }
        BodyKind::Merged(parts) => {
            for part in parts.iter() {
                in_body(part, visit);
            }
        }
    }
}

/// What a reference reads of the call `name`, if it does.
fn output_of(traversal: &Traversal, name: &str) -> Option<Output> {
    let mut steps = traversal.steps.iter();
    let Step::Attribute(called) = steps.next()? else {
        return None;
    };
    if &*traversal.root.name != "module" || &*called.name != name {
        return None;
    }
    let output = steps.find_map(|step| match step {
        Step::Attribute(output) => Some(output.name.to_string()),
        _ => None,
    });
    Some(output.map_or(Output::Whole, Output::Named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use terrace_diag::SourceFile;

    const CALLER: &str = r#"module "net" {
  source = "example/net/aws"
  cidr   = var.cidr
  zone   = "a"
}
output "ids" {
  value = [for id in module.net.ids : upper(id)]
}
output "all" {
  value = module.net[*].name
}
"#;

    fn concern(kind: Kind, subject: &str) -> Vec<String> {
        let mut sources = SourceMap::new();
        let id = sources.add(SourceFile::new("main.tf", CALLER));
        let (body, _) = terrace_syntax::parse(id, CALLER.as_bytes());
        let BodyKind::Native(items) = &body.kind else {
            panic!("a native file");
        };
        let Item::Block(block) = &items[0] else {
            panic!("a block");
        };
        let (attributes, _) = block.body.just_attributes();
        let inputs: BTreeMap<_, _> = ["cidr", "zone"]
            .into_iter()
            .map(|name| {
                let attribute = attributes.iter().find(|(known, _)| &***known == name);
                (
                    terrace_addr::Name::from(name),
                    attribute.expect("is there").1.value.clone(),
                )
            })
            .collect();
        let reads = reads("net", &sources);
        let call = ModuleCall {
            name: terrace_addr::Name::from("net"),
            source: "example/net/aws".into(),
            source_expression: None,
            source_span: block.type_name.span,
            version: None,
            version_expression: None,
            inputs,
            input_spans: BTreeMap::new(),
            missing_span: block.type_name.span,
            repetition: terrace_config::ForEachOrCount::Single,
            depends_on: Vec::new(),
            providers: None,
            overridden: false,
            span: block.type_name.span,
        };
        spans(&Finding::new(kind, subject, ""), &call, &reads)
            .into_iter()
            .map(|span| Place::of(&sources, span).to_string())
            .collect()
    }

    #[test]
    fn only_what_a_caller_sets_and_reads_concerns_it() {
        let set = concern(Kind::VariableRemoved, "variable \"cidr\"");
        assert_eq!(set, ["main.tf:3"]);
        assert!(concern(Kind::VariableRemoved, "variable \"size\"").is_empty());
        let missing = concern(Kind::RequiredVariableAdded, "variable \"owner\"");
        assert_eq!(missing, ["main.tf:1"]);
        assert!(concern(Kind::RequiredVariableAdded, "variable \"zone\"").is_empty());
        assert!(concern(Kind::NullRefused, "variable \"zone\"").is_empty());
        let read = concern(Kind::OutputRetyped, "output \"ids\"");
        assert_eq!(read, ["main.tf:7"]);
        let splat = concern(Kind::OutputRemoved, "output \"name\"");
        assert_eq!(splat, ["main.tf:10"]);
        assert!(concern(Kind::OutputRemoved, "output \"arn\"").is_empty());
        let lost = concern(Kind::ResourceLost, "aws_vpc.main");
        assert_eq!(lost, ["main.tf:1"]);
    }
}
