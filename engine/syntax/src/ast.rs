//! The typed tree. Everything carries its span.

use std::sync::Arc;

use terrace_diag::Span;
use terrace_value::{Text, Value};

use crate::json::JsonObject;

/// A name with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The name.
    pub name: Text,
    /// Where it stands.
    pub span: Span,
}

/// The content of a file or a block, in either syntax.
///
/// What of a JSON body is an argument and what a block is known only with a schema: read bodies through
/// [`Body::content`] and [`Body::partial_content`].
#[derive(Clone, Debug)]
pub struct Body {
    /// The content.
    pub kind: BodyKind,
    /// From the first to the last character of the content (of a block: between its braces).
    pub span: Span,
    /// Where a missing argument is reported: a block's opening brace, the file's start; in JSON the closing brace.
    pub missing_span: Span,
}

/// The two syntaxes.
#[derive(Clone, Debug)]
pub enum BodyKind {
    /// Native syntax: arguments and blocks in source order.
    Native(Arc<[Item]>),
    /// JSON: one or several objects that together make the body (a block written as an array).
    Json(Arc<[JsonObject]>),
    /// Bodies in either syntax that together make one, no two of which hold an argument of the same name. Made of a
    /// block and what overrides it. What a schema does not name is left out with a warning: an override may come with
    /// a base that is another.
    Merged(Arc<[Body]>),
}

/// One argument or block of a native body.
#[derive(Clone, Debug)]
pub enum Item {
    /// `name = value`
    Attribute(Attribute),
    /// `type "label" { … }`
    Block(Block),
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
    /// From the name to the value's end.
    pub span: Span,
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its type.
    pub type_name: Ident,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Its content.
    pub body: Body,
    /// Type and labels.
    pub header_span: Span,
    /// From the type to the closing brace.
    pub span: Span,
}

/// A block's label, quoted or bare.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its text, unescaped.
    pub text: Text,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// An expression. Copying and dropping it need no deep stack, however deep it nests; to take it apart, use
/// [`Expr::into_kind`].
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`, `true`, `12`, and the literal parts of templates.
    Literal(Value),
    /// `"a ${b}"` or a heredoc, also of one literal part or none: always gives a string.
    Template(Vec<Expr>),
    /// `"${x}"`: gives x itself, of whatever type.
    TemplateWrap(Box<Expr>),
    /// The loop of a template: its expression (a `For` giving a tuple of strings), whose elements are joined.
    TemplateJoin(Box<Expr>),
    /// `var.x.y[0]`: a name and constant steps.
    Traversal(Traversal),
    /// Constant steps from another expression: `f().a`.
    RelativeTraversal {
        /// Where it starts.
        source: Box<Expr>,
        /// The steps.
        steps: Vec<Step>,
    },
    /// `collection[key]` with a key that is not constant.
    Index {
        /// The collection.
        collection: Box<Expr>,
        /// The key.
        key: Box<Expr>,
        /// The brackets and the key.
        bracket_span: Span,
    },
    /// `source[*]…` or `source.*…`.
    Splat {
        /// The list.
        source: Box<Expr>,
        /// What is done with each element, which stands in it as [`ExprKind::SplatItem`].
        each: Box<Expr>,
        /// The `[*]` or `.*`.
        marker_span: Span,
    },
    /// The element of the innermost splat around it.
    SplatItem,
    /// `name(args…)`
    Call(Box<Call>),
    /// `condition ? if_true : if_false`, also the `%{ if }` of a template.
    Conditional {
        /// The condition.
        condition: Box<Expr>,
        /// When true.
        if_true: Box<Expr>,
        /// When false.
        if_false: Box<Expr>,
    },
    /// `!x`, `-x`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// The operand.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `[a, b]`
    Tuple(Vec<Expr>),
    /// `{ a = b }`
    Object(Vec<ObjectItem>),
    /// `[for …]`, `{for …}`
    For(Box<ForExpr>),
    /// `(x)`
    Parens(Box<Expr>),
    /// What could not be parsed; an error has been reported.
    Invalid,
}

/// A name and constant steps from it.
#[derive(Clone, Debug)]
pub struct Traversal {
    /// The first name.
    pub root: Ident,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A constant step.
#[derive(Clone, Debug)]
pub enum Step {
    /// `.name`; the span includes the dot.
    Attribute(Ident),
    /// `[1]`, `["x"]`, or the legacy `.1`.
    Index {
        /// A known string or number.
        key: Value,
        /// The step with its brackets or dot.
        span: Span,
    },
    /// A full splat inside a traversal given as an address, as `ignore_changes` and `moved` may hold: `[*]`.
    Splat {
        /// The step.
        span: Span,
    },
}

impl Step {
    /// Where the step stands.
    pub const fn span(&self) -> Span {
        match self {
            Self::Attribute(ident) => ident.span,
            Self::Index { span, .. } | Self::Splat { span } => *span,
        }
    }
}

/// A function call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name, with its namespaces: `provider::x::f`.
    pub name: Text,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments.
    pub args: Vec<Expr>,
    /// Whether the last argument is expanded by `...`.
    pub expand_final: bool,
    /// The opening parenthesis.
    pub open_span: Span,
    /// The closing parenthesis.
    pub close_span: Span,
}

impl Call {
    /// The arguments that are values: all, but for the type that `convert` converts to, whose words refer to nothing.
    pub fn value_args(&self) -> &[Expr] {
        match &*self.name {
            "convert" | "core::convert" => &self.args[..self.args.len().min(1)],
            _ => &self.args,
        }
    }
}

/// An item of an object.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    /// The key.
    pub key: ObjectKey,
    /// The value.
    pub value: Expr,
}

/// A key of an object.
#[derive(Clone, Debug)]
pub enum ObjectKey {
    /// A bare name, which stands for itself. A `RelativeTraversal`-like `a.b` is an error that the evaluator reports, as the reference does.
    Name(Ident),
    /// Any other expression: a template, a literal, or one in parentheses (then the expression is [`ExprKind::Parens`]).
    Expr(Expr),
}

/// A `for` expression.
#[derive(Clone, Debug)]
pub struct ForExpr {
    /// Name of the key, where there are two names.
    pub key_name: Option<Ident>,
    /// Name of the value.
    pub value_name: Ident,
    /// What is iterated.
    pub collection: Expr,
    /// The key of each result; `None` for a tuple.
    pub key: Option<Expr>,
    /// The value of each result.
    pub value: Expr,
    /// The `if` clause.
    pub condition: Option<Expr>,
    /// Whether `...` groups values by key.
    pub group: bool,
    /// The opening bracket and `for`.
    pub open_span: Span,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}
