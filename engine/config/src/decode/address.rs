//! Addresses written as expressions, in `moved`, `removed` and `import`.

use terrace_addr::{
    AbsResource, InstanceKey, ModuleInstance, ModuleStep, Name, Resource, ResourceMode, Target,
};
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Expr, ExprKind, Step, Traversal};
use terrace_value::{Number, Value};

use crate::statics;

/// An address with what its last key is.
#[derive(Debug, PartialEq)]
pub(super) struct Address {
    pub(super) module: ModuleInstance,
    /// The resource, and its instance key with its place.
    pub(super) resource: Option<(Resource, Option<KeyPart>)>,
    /// Where the first instance key of a module stands.
    pub(super) module_key_span: Option<Span>,
    /// Whether a key of a module is an expression.
    pub(super) module_key_is_dynamic: bool,
}

/// A key in an address.
#[derive(Debug, PartialEq)]
pub(super) struct KeyPart {
    /// `None` where it is an expression.
    pub(super) key: Option<InstanceKey>,
    pub(super) span: Span,
}

/// One piece of an address.
#[derive(Debug)]
enum Piece {
    Name(Name, Span),
    Key(KeyPart),
}

impl Piece {
    const fn span(&self) -> Span {
        match self {
            Self::Name(_, span) | Self::Key(KeyPart { span, .. }) => *span,
        }
    }
}

impl Address {
    /// Whether all keys are constant.
    pub(super) fn is_static(&self) -> bool {
        let key = self.resource.as_ref().and_then(|(_, key)| key.as_ref());
        !self.module_key_is_dynamic && key.is_none_or(|part| part.key.is_some())
    }

    /// As [`Target`]; keys that are expressions count as none.
    pub(super) fn target(&self) -> Target {
        match &self.resource {
            None => Target::Module(self.module.clone()),
            Some((resource, key)) => {
                let resource: AbsResource = resource.in_module(self.module.clone());
                match key {
                    Some(KeyPart { key: Some(key), .. }) => {
                        Target::Instance(resource.instance(Some(key.clone())))
                    }
                    _ => Target::Resource(resource),
                }
            }
        }
    }
}

/// The address that an expression is, all of whose keys are constant.
pub(super) fn static_address(expression: &Expr) -> Result<Address, Diagnostic> {
    let traversal = statics::traversal(expression)?;
    let mut pieces = Vec::new();
    traversal_pieces(&traversal, &mut pieces)?;
    address(&pieces, expression.span)
}

/// The address that an expression is, whose keys may be expressions.
pub(super) fn dynamic_address(expression: &Expr) -> Result<Address, Diagnostic> {
    let mut pieces = Vec::new();
    expression_pieces(expression, &mut pieces)?;
    address(&pieces, expression.span)
}

fn expression_pieces(expression: &Expr, pieces: &mut Vec<Piece>) -> Result<(), Diagnostic> {
    match &expression.kind {
        ExprKind::Index {
            collection,
            bracket_span,
            ..
        } => {
            expression_pieces(collection, pieces)?;
            pieces.push(Piece::Key(KeyPart {
                key: None,
                span: *bracket_span,
            }));
            Ok(())
        }
        ExprKind::RelativeTraversal { source, steps } => {
            expression_pieces(source, pieces)?;
            steps.iter().try_for_each(|step| step_piece(step, pieces))
        }
        _ => traversal_pieces(&statics::traversal(expression)?, pieces),
    }
}

fn traversal_pieces(traversal: &Traversal, pieces: &mut Vec<Piece>) -> Result<(), Diagnostic> {
    pieces.push(Piece::Name(
        traversal.root.name.clone(),
        traversal.root.span,
    ));
    traversal
        .steps
        .iter()
        .try_for_each(|step| step_piece(step, pieces))
}

fn step_piece(step: &Step, pieces: &mut Vec<Piece>) -> Result<(), Diagnostic> {
    pieces.push(match step {
        Step::Attribute(ident) => Piece::Name(ident.name.clone(), ident.span),
        Step::Index { key, span } => match instance_key(key) {
            Some(key) => Piece::Key(KeyPart {
                key: Some(key),
                span: *span,
            }),
            None => {
                return Err(invalid(
                    "Instance keys must be whole numbers or strings.",
                    *span,
                ));
            }
        },
        Step::Splat { span } => return Err(invalid("An address cannot contain a splat.", *span)),
    });
    Ok(())
}

fn instance_key(key: &Value) -> Option<InstanceKey> {
    match key.as_str() {
        Some(text) => Some(InstanceKey::String(text.into())),
        None => {
            let index = key.as_number().and_then(Number::to_usize)?;
            Some(InstanceKey::Int(u64::try_from(index).ok()?))
        }
    }
}

fn invalid(detail: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error("invalid-address", "Invalid address", detail).at(span)
}

/// The id of the error that an attribute follows the address.
pub(super) const ATTRIBUTE_IN_ADDRESS: &str = "attribute-in-address";

const RESERVED: [&str; 8] = [
    "var",
    "local",
    "self",
    "each",
    "count",
    "path",
    "terraform",
    "module",
];

fn address(pieces: &[Piece], whole: Span) -> Result<Address, Diagnostic> {
    let (module, module_key_span, rest) = module_path(pieces)?;
    let in_path = &pieces[..pieces.len() - rest.len()];
    let module_key_is_dynamic = in_path
        .iter()
        .any(|piece| matches!(piece, Piece::Key(KeyPart { key: None, .. })));
    if rest.is_empty() {
        return Ok(Address {
            module,
            resource: None,
            module_key_span,
            module_key_is_dynamic,
        });
    }
    let mut mode = ResourceMode::Managed;
    let mut rest = rest;
    if let [Piece::Name(word, span), after @ ..] = rest {
        match &**word {
            "data" => mode = ResourceMode::Data,
            "ephemeral" => mode = ResourceMode::Ephemeral,
            "resource" => {}
            word if RESERVED.contains(&word) => {
                return Err(invalid(
                    format!(
                        "The keyword \"{word}\" is reserved and cannot be used to target a resource address. If you are targeting a resource type that uses a reserved keyword, please prefix your address with \"resource.\"."
                    ),
                    rest.iter()
                        .fold(*span, |whole, piece| whole.to(piece.span())),
                ));
            }
            _ => {}
        }
        if matches!(&**word, "data" | "ephemeral" | "resource") {
            rest = after;
        }
    }
    let [Piece::Name(type_name, _), Piece::Name(name, _), after @ ..] = rest else {
        let span = rest.first().map_or(whole, Piece::span);
        return Err(invalid(
            "Resource specification must include a resource type and name.",
            span,
        ));
    };
    let resource = Resource {
        mode,
        type_name: type_name.clone(),
        name: name.clone(),
    };
    let key = match after {
        [] => None,
        [Piece::Key(part)] => Some(KeyPart {
            key: part.key.clone(),
            span: part.span,
        }),
        [Piece::Name(_, span), ..] => {
            let detail = "Resource instance key must be given in square brackets.";
            return Err(
                Diagnostic::error(ATTRIBUTE_IN_ADDRESS, "Invalid address", detail).at(*span),
            );
        }
        [_, extra, ..] => {
            return Err(invalid(
                "Unexpected extra operators after address.",
                extra.span(),
            ));
        }
    };
    Ok(Address {
        module,
        resource: Some((resource, key)),
        module_key_span,
        module_key_is_dynamic,
    })
}

/// The steps through modules, and the rest.
fn module_path(
    mut pieces: &[Piece],
) -> Result<(ModuleInstance, Option<Span>, &[Piece]), Diagnostic> {
    let mut steps: Vec<ModuleStep> = Vec::new();
    let mut key_span = None;
    while let [Piece::Name(word, span), after @ ..] = pieces {
        if &**word != "module" {
            break;
        }
        let [Piece::Name(name, _), after @ ..] = after else {
            let detail = "Prefix \"module.\" must be followed by a module name.";
            return Err(
                Diagnostic::error("invalid-address", "Invalid address operator", detail).at(*span),
            );
        };
        pieces = after;
        let mut key = None;
        if let [Piece::Key(part), after @ ..] = pieces {
            key.clone_from(&part.key);
            key_span = key_span.or(Some(part.span));
            pieces = after;
        }
        steps.push(ModuleStep {
            name: name.clone(),
            key,
        });
    }
    Ok((steps.into_iter().collect(), key_span, pieces))
}
