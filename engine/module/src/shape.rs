//! What can be said of the type of an expression without values, state or providers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use terrace_addr::{Name, ProviderAddr, Resource, ResourceMode};
use terrace_config::{ForEachOrCount, ModuleNode};
use terrace_functions::FunctionTable;
use terrace_syntax::{
    BinaryOp, Call, Expr, ExprKind, ForExpr, ObjectItem, ObjectKey, Step, Traversal, UnaryOp,
    with_stack,
};
use terrace_value::convert::unify;
use terrace_value::{Text, Type};

/// What is known of the types of resources: by whoever has the schemas of providers.
pub trait ResourceTypes {
    /// The type of one instance of a resource; `None` where the schema is not known.
    fn of(&self, provider: &ProviderAddr, resource: &Resource) -> Option<Type>;
}

/// Nothing is known of resources.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTypes;

impl ResourceTypes for NoTypes {
    fn of(&self, _provider: &ProviderAddr, _resource: &Resource) -> Option<Type> {
        None
    }
}

static FUNCTIONS: LazyLock<FunctionTable> = LazyLock::new(FunctionTable::standard);

/// The type of an output's expression; `Dynamic` wherever nothing can be said.
pub(crate) fn output_type(node: &ModuleNode, types: &dyn ResourceTypes, value: &Expr) -> Type {
    Shapes {
        node,
        types,
        bound: Vec::new(),
        items: Vec::new(),
        depth: 0,
    }
    .of(value)
}

/// References may lead in circles, which is an error that others report.
const DEEPEST_REFERENCE: usize = 40;

struct Shapes<'a> {
    node: &'a ModuleNode,
    types: &'a dyn ResourceTypes,
    /// Names that `for` binds.
    bound: Vec<(Text, Type)>,
    /// The elements of the splats around.
    items: Vec<Type>,
    /// How many references have been followed.
    depth: usize,
}

impl Shapes<'_> {
    fn of(&mut self, expression: &Expr) -> Type {
        with_stack(|| self.here(expression))
    }

    fn here(&mut self, expression: &Expr) -> Type {
        match &expression.kind {
            ExprKind::Literal(value) if value.is_null() => Type::Dynamic,
            ExprKind::Literal(value) => value.ty(),
            ExprKind::Template(_) | ExprKind::TemplateJoin(_) => Type::String,
            ExprKind::TemplateWrap(inner) | ExprKind::Parens(inner) => self.of(inner),
            ExprKind::Traversal(traversal) => self.traversal(traversal),
            ExprKind::RelativeTraversal { source, steps } => {
                let source = self.of(source);
                along(source, steps)
            }
            ExprKind::Index { collection, .. } => element(&self.of(collection)),
            ExprKind::Splat { source, each, .. } => {
                let source = self.of(source);
                self.items.push(element(&source));
                let each = self.of(each);
                self.items.pop();
                Type::list(each)
            }
            ExprKind::SplatItem => self.items.last().cloned().unwrap_or(Type::Dynamic),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Conditional {
                if_true, if_false, ..
            } => {
                let (first, second) = (self.of(if_true), self.of(if_false));
                either(first, second)
            }
            ExprKind::Unary { op, .. } => match op {
                UnaryOp::Not => Type::Bool,
                UnaryOp::Negate => Type::Number,
            },
            ExprKind::Binary { op, .. } => match op {
                BinaryOp::Add
                | BinaryOp::Subtract
                | BinaryOp::Multiply
                | BinaryOp::Divide
                | BinaryOp::Modulo => Type::Number,
                _ => Type::Bool,
            },
            ExprKind::Tuple(items) => {
                let items: Vec<Type> = items.iter().map(|item| self.of(item)).collect();
                Type::tuple(items)
            }
            ExprKind::Object(items) => self.object(items),
            ExprKind::For(each) => self.for_expr(each),
            ExprKind::Invalid => Type::Dynamic,
        }
    }

    fn object(&mut self, items: &[ObjectItem]) -> Type {
        let mut attributes: BTreeMap<Text, Type> = BTreeMap::new();
        for item in items {
            let name = match &item.key {
                ObjectKey::Name(name) => Some(name.name.clone()),
                ObjectKey::Expr(key) => {
                    crate::canonical::constant(key).and_then(|value| value.as_str().map(Text::from))
                }
            };
            let Some(name) = name else {
                return Type::map(Type::Dynamic);
            };
            let ty = self.of(&item.value);
            attributes.insert(name, ty);
        }
        Type::object(attributes)
    }

    fn for_expr(&mut self, each: &ForExpr) -> Type {
        let collection = self.of(&each.collection);
        let depth = self.bound.len();
        if let Some(key) = &each.key_name {
            self.bound.push((key.name.clone(), key_type(&collection)));
        }
        self.bound
            .push((each.value_name.name.clone(), element(&collection)));
        let value = self.of(&each.value);
        self.bound.truncate(depth);
        match (&each.key, each.group) {
            (None, _) => Type::list(value),
            (Some(_), false) => Type::map(value),
            (Some(_), true) => Type::map(Type::list(value)),
        }
    }

    fn call(&mut self, call: &Call) -> Type {
        let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
        let arguments: Vec<Type> = call.args.iter().map(|argument| self.of(argument)).collect();
        let first = arguments.first().cloned().unwrap_or(Type::Dynamic);
        match name {
            "sensitive" | "nonsensitive" | "ephemeralasnull" | "distinct" | "reverse" | "slice"
            | "assume" => first,
            "tolist" | "flatten" | "concat" => Type::list(if name == "tolist" {
                element(&first)
            } else {
                Type::Dynamic
            }),
            "toset" | "setunion" | "setintersection" | "setsubtract" => Type::set(element(&first)),
            "tomap" => Type::map(element(&first)),
            "one" | "element" => element(&first),
            "values" => Type::list(element(&first)),
            "keys" => Type::list(Type::String),
            "contains" | "can" | "alltrue" | "anytrue" | "issensitive" => Type::Bool,
            "try" | "coalesce" => arguments.into_iter().fold(Type::Dynamic, either),
            _ => FUNCTIONS
                .get(name)
                .map_or(Type::Dynamic, |function| function.declared_result_type()),
        }
    }

    fn traversal(&mut self, traversal: &Traversal) -> Type {
        let root = &*traversal.root.name;
        let bound = self.bound.iter().rev().find(|(name, _)| **name == *root);
        if let Some((_, ty)) = bound {
            return along(ty.clone(), &traversal.steps);
        }
        let name = traversal.steps.first().and_then(attribute);
        let rest = traversal.steps.get(1..).unwrap_or_default();
        match (root, name) {
            ("var", Some(name)) => {
                let ty = self.node.module.variables.get(name);
                along(
                    ty.map_or(Type::Dynamic, |variable| variable.ty.without_optional()),
                    rest,
                )
            }
            ("local", Some(name)) => {
                let node = self.node;
                let Some(local) = node.module.locals.get(name) else {
                    return Type::Dynamic;
                };
                let ty = self.followed(&local.value);
                along(ty, rest)
            }
            ("module", Some(name)) => along(self.called(name), rest),
            ("path" | "terraform", Some(_)) => Type::String,
            ("count", Some(_)) => Type::Number,
            ("each" | "self", _) => Type::Dynamic,
            ("data", Some(type_name)) => {
                self.resource(ResourceMode::Data, type_name, &traversal.steps[1..])
            }
            ("ephemeral", Some(type_name)) => {
                self.resource(ResourceMode::Ephemeral, type_name, &traversal.steps[1..])
            }
            (type_name, Some(_)) => {
                let type_name: Name = type_name.into();
                self.resource(ResourceMode::Managed, &type_name, &traversal.steps)
            }
            _ => Type::Dynamic,
        }
    }

    /// The type of what another name stands for, out of sight of the names that are bound here.
    fn followed(&mut self, expression: &Expr) -> Type {
        if self.depth >= DEEPEST_REFERENCE {
            return Type::Dynamic;
        }
        Shapes {
            node: self.node,
            types: self.types,
            bound: Vec::new(),
            items: Vec::new(),
            depth: self.depth + 1,
        }
        .of(expression)
    }

    /// The type of the outputs of a called module, as often as it is called.
    fn called(&self, name: &Name) -> Type {
        let (Some(call), Some(child)) = (
            self.node.module.calls.get(name),
            self.node.children.get(name),
        ) else {
            return Type::Dynamic;
        };
        if self.depth >= DEEPEST_REFERENCE {
            return Type::Dynamic;
        }
        let outputs = child.module.outputs.iter().map(|(name, output)| {
            let mut inside = Shapes {
                node: child,
                types: self.types,
                bound: Vec::new(),
                items: Vec::new(),
                depth: self.depth + 1,
            };
            (name.clone(), inside.of(&output.value))
        });
        repeated(Type::object(outputs), &call.repetition)
    }

    /// The type behind the steps to a resource: `steps` begin with its name.
    fn resource(&self, mode: ResourceMode, type_name: &Name, steps: &[Step]) -> Type {
        let Some(name) = steps.first().and_then(attribute) else {
            return Type::Dynamic;
        };
        let resource = Resource {
            mode,
            type_name: type_name.clone(),
            name: name.clone(),
        };
        let Some(block) = self.node.module.resources.get(&resource) else {
            return Type::Dynamic;
        };
        let one = self.types.of(&block.provider, &resource);
        let ty = repeated(one.unwrap_or(Type::Dynamic), &block.repetition);
        along(ty, &steps[1..])
    }
}

/// Something of a type, as often as it is there.
fn repeated(one: Type, repetition: &ForEachOrCount) -> Type {
    match repetition {
        ForEachOrCount::Single | ForEachOrCount::Enabled(_) => one,
        ForEachOrCount::Count(_) => Type::list(one),
        ForEachOrCount::ForEach(_) => Type::map(one),
    }
}

fn attribute(step: &Step) -> Option<&Name> {
    match step {
        Step::Attribute(name) => Some(&name.name),
        Step::Index { .. } | Step::Splat { .. } => None,
    }
}

/// The type behind `steps` from a value of type `ty`.
fn along(ty: Type, steps: &[Step]) -> Type {
    steps.iter().fold(ty, |ty, step| match (step, &ty) {
        (Step::Attribute(name), Type::Object(object)) => object
            .attributes
            .get(&name.name)
            .cloned()
            .unwrap_or(Type::Dynamic),
        (Step::Attribute(_), Type::Map(element)) => (**element).clone(),
        (Step::Index { key, .. }, Type::Object(object)) => key
            .as_str()
            .and_then(|name| object.attributes.get(name).cloned())
            .unwrap_or(Type::Dynamic),
        (Step::Index { key, .. }, Type::Tuple(items)) => key
            .as_number()
            .and_then(terrace_value::Number::to_usize)
            .and_then(|index| items.get(index).cloned())
            .unwrap_or(Type::Dynamic),
        (Step::Index { .. }, ty) => element(ty),
        _ => Type::Dynamic,
    })
}

/// The type of the elements, where all have one.
fn element(ty: &Type) -> Type {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => (**element).clone(),
        Type::Tuple(items) => all_equal(items.iter()),
        Type::Object(object) => all_equal(object.attributes.values()),
        _ => Type::Dynamic,
    }
}

fn all_equal<'a>(mut types: impl Iterator<Item = &'a Type>) -> Type {
    let Some(first) = types.next() else {
        return Type::Dynamic;
    };
    if types.all(|ty| ty == first) {
        first.clone()
    } else {
        Type::Dynamic
    }
}

fn key_type(collection: &Type) -> Type {
    match collection {
        Type::List(_) | Type::Tuple(_) => Type::Number,
        Type::Map(_) | Type::Object(_) => Type::String,
        Type::Set(element) => (**element).clone(),
        _ => Type::Dynamic,
    }
}

/// The type of one of two.
fn either(first: Type, second: Type) -> Type {
    match (first, second) {
        (Type::Dynamic, other) | (other, Type::Dynamic) => other,
        (first, second) if first == second => first,
        (first, second) => unify(&[first, second]).unwrap_or(Type::Dynamic),
    }
}

/// How the type of an output differs, for those who read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputChange {
    /// Nothing that can be seen.
    None,
    /// There is more to read.
    Extended(Vec<String>),
    /// What was read is gone or is something else: at these places.
    Retyped(Vec<String>),
}

/// How an output of type `new` differs from one of type `old` for its readers. What is not known is no difference.
pub(crate) fn output_change(old: &Type, new: &Type) -> OutputChange {
    let (mut gone, mut more) = (Vec::new(), Vec::new());
    read_differs(old, new, "", &mut gone, &mut more);
    if !gone.is_empty() {
        OutputChange::Retyped(gone)
    } else if more.is_empty() {
        OutputChange::None
    } else {
        OutputChange::Extended(more)
    }
}

fn read_differs(
    old: &Type,
    new: &Type,
    path: &str,
    gone: &mut Vec<String>,
    more: &mut Vec<String>,
) {
    match (old, new) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => {}
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => read_differs(a, b, &format!("{path}[*]"), gone, more),
        // Both are read by index and all at once.
        (Type::List(_) | Type::Tuple(_), Type::List(_) | Type::Tuple(_)) => {
            let lengths = match (old, new) {
                (Type::Tuple(a), Type::Tuple(b)) => a.len() > b.len(),
                _ => false,
            };
            if lengths {
                gone.push(format!("{} has fewer elements", place(path)));
                return;
            }
            read_differs(
                &element(old),
                &element(new),
                &format!("{path}[*]"),
                gone,
                more,
            );
        }
        (Type::Object(a), Type::Object(b)) => {
            for (name, was) in &a.attributes {
                let path = format!("{path}.{name}");
                match b.attributes.get(name) {
                    Some(is) => read_differs(was, is, &path, gone, more),
                    None => gone.push(format!("{} is gone", place(&path))),
                }
            }
            for name in b.attributes.keys() {
                if !a.attributes.contains_key(name) {
                    more.push(place(&format!("{path}.{name}")));
                }
            }
        }
        (old, new) if old == new => {}
        (old, new) => gone.push(format!(
            "{} was {} and is {}",
            place(path),
            crate::type_text(old, None),
            crate::type_text(new, None)
        )),
    }
}

fn place(path: &str) -> String {
    if path.is_empty() {
        "it".to_owned()
    } else {
        format!("`{}`", path.trim_start_matches('.'))
    }
}
