//! What the names in expressions refer to.

mod check;
mod read;
mod suggest;

use terrace_addr::ResourceMode;
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Ident, Step, Traversal};
use terrace_value::{Text, Value};

use crate::expression::traversal_span;

pub(crate) use check::schema_problem;
pub(crate) use read::{follow, instance_key};

/// What a reference is to, and how many of its steps say so; the rest goes into the value.
pub(crate) struct Reference<'e> {
    pub(crate) subject: Subject<'e>,
    pub(crate) consumed: usize,
}

/// What there is to refer to.
pub(crate) enum Subject<'e> {
    Variable(&'e Ident),
    Local(&'e Ident),
    Count(&'e Ident),
    Each(&'e Ident),
    Path(&'e Ident),
    Terraform(&'e Ident),
    SelfObject,
    Module {
        call: &'e Ident,
        key: Option<&'e Value>,
        output: Option<&'e Ident>,
    },
    Resource {
        mode: ResourceMode,
        type_name: &'e Text,
        name: &'e Ident,
        key: Option<&'e Value>,
    },
}

impl<'e> Reference<'e> {
    /// Reads a reference.
    pub(crate) fn of(traversal: &'e Traversal) -> Result<Self, Diagnostic> {
        let one = |subject: fn(&'e Ident) -> Subject<'e>| {
            Ok(Self {
                subject: subject(only(traversal)?),
                consumed: 1,
            })
        };
        match &*traversal.root.name {
            "var" => one(Subject::Variable),
            "local" => one(Subject::Local),
            "count" => one(Subject::Count),
            "each" => one(Subject::Each),
            "path" => one(Subject::Path),
            "terraform" => one(Subject::Terraform),
            "tofu" if matches!(attribute(traversal, 0), Some(ident) if matches!(&*ident.name, "workspace" | "applying")) => {
                one(Subject::Terraform)
            }
            "self" => Ok(Self { subject: Subject::SelfObject, consumed: 0 }),
            "module" => Self::of_module(traversal),
            "data" => Self::of_mode(traversal, ResourceMode::Data),
            "resource" => Self::of_mode(traversal, ResourceMode::Managed),
            "ephemeral" => Self::of_mode(traversal, ResourceMode::Ephemeral),
            "template" | "lazy" | "arg" => Err(Diagnostic::error(
                "reserved-symbol",
                "Reserved symbol name",
                format!(
                    "The symbol name \"{}\" is reserved for use in a future Terrace version. If you are using a provider that already uses this as a resource type name, add the prefix \"resource.\" to force interpretation as a resource type name.",
                    traversal.root.name
                ),
            )
            .at(traversal.root.span)),
            _ => Self::of_resource(traversal, ResourceMode::Managed, &traversal.root.name, 0),
        }
    }

    fn of_module(traversal: &'e Traversal) -> Result<Self, Diagnostic> {
        let call = only(traversal)?;
        let key = index(traversal, 1);
        let place = if key.is_some() { 2 } else { 1 };
        let output = attribute(traversal, place);
        let consumed = place + usize::from(output.is_some());
        Ok(Self {
            subject: Subject::Module { call, key, output },
            consumed,
        })
    }

    fn of_mode(traversal: &'e Traversal, mode: ResourceMode) -> Result<Self, Diagnostic> {
        let (object, types) = match mode {
            ResourceMode::Managed => ("resource", "resource type"),
            ResourceMode::Data => ("data", "data source type"),
            ResourceMode::Ephemeral => ("ephemeral", "ephemeral resource type"),
        };
        let type_name = attribute(traversal, 0);
        match type_name {
            Some(ident) if traversal.steps.len() > 1 => {
                Self::of_resource(traversal, mode, &ident.name, 1)
            }
            _ => Err(invalid(
                format!(
                    "The \"{object}\" object must be followed by two attribute names: the {types} and the resource name."
                ),
                traversal_span(traversal, 2),
            )),
        }
    }

    fn of_resource(
        traversal: &'e Traversal,
        mode: ResourceMode,
        type_name: &'e Text,
        place: usize,
    ) -> Result<Self, Diagnostic> {
        let Some(name) = attribute(traversal, place) else {
            let what = match mode {
                ResourceMode::Managed => "resource type",
                ResourceMode::Data => "data source",
                ResourceMode::Ephemeral => "ephemeral resource type",
            };
            let span = traversal
                .steps
                .get(place)
                .map_or(traversal.root.span, Step::span);
            return Err(invalid(
                format!(
                    "A reference to a {what} must be followed by at least one attribute access, specifying the resource name."
                ),
                span,
            ));
        };
        let key = index(traversal, place + 1);
        let consumed = place + 1 + usize::from(key.is_some());
        Ok(Self {
            subject: Subject::Resource {
                mode,
                type_name,
                name,
                key,
            },
            consumed,
        })
    }

    /// The part of the traversal that names the subject.
    pub(crate) fn span(&self, traversal: &Traversal) -> Span {
        let steps = match self.subject {
            Subject::Resource { key: Some(_), .. } => self.consumed - 1,
            _ => self.consumed,
        };
        traversal_span(traversal, steps)
    }
}

fn invalid(detail: String, span: Span) -> Diagnostic {
    Diagnostic::error("invalid-reference", "Invalid reference", detail).at(span)
}

/// The one attribute that names an object's part.
fn only(traversal: &Traversal) -> Result<&Ident, Diagnostic> {
    let root = &traversal.root;
    match traversal.steps.first() {
        Some(Step::Attribute(ident)) => Ok(ident),
        Some(step) => Err(invalid(
            format!(
                "The \"{}\" object does not support this operation.",
                root.name
            ),
            step.span(),
        )),
        None => Err(invalid(
            format!(
                "The \"{}\" object cannot be accessed directly. Instead, access one of its attributes.",
                root.name
            ),
            root.span,
        )),
    }
}

fn attribute(traversal: &Traversal, place: usize) -> Option<&Ident> {
    match traversal.steps.get(place) {
        Some(Step::Attribute(ident)) => Some(ident),
        _ => None,
    }
}

fn index(traversal: &Traversal, place: usize) -> Option<&Value> {
    match traversal.steps.get(place) {
        Some(Step::Index { key, .. }) => Some(key),
        _ => None,
    }
}
