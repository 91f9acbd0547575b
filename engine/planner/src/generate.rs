//! Configuration that is generated for imported objects.

use hcl_edit::expr::{
    Array, Expression, FuncArgs, FuncCall, Object, ObjectKey, ObjectValue, ObjectValueTerminator,
};
use hcl_edit::structure::{Attribute as Argument, Block as Written, Body};
use hcl_edit::{Decorate, Ident};
use terrace_addr::AbsResourceInstance;
use terrace_plan::{Importing, Plan};
use terrace_schema::{Attribute, AttributeType, Block, BlockNesting, NestedObject, Nesting};
use terrace_value::{Kind, Text, Value};

/// What stands at the beginning of a file of generated configuration.
const HEAD: &str = "# __generated__ by Terrace\n# Please review these resources and move them into your main configuration files.\n";

/// The file that holds the configuration that was generated for imports of a plan; `None` where none was.
pub fn generated_file(plan: &Plan) -> Option<String> {
    let mut text = String::new();
    for change in &plan.changes {
        let Some(block) = &change.generated_config else {
            continue;
        };
        if text.is_empty() {
            text.push_str(HEAD);
        }
        text.push_str("\n# __generated__ by Terrace");
        if let Some(importing) = &change.importing {
            text.push_str(" from ");
            text.push_str(&origin(importing));
        }
        text.push('\n');
        text.push_str(block);
        text.push('\n');
    }
    (!text.is_empty()).then_some(text)
}

/// The id or identity that an object was found by.
fn origin(importing: &Importing) -> String {
    match (&importing.id, &importing.identity) {
        (Some(id), _) => terrace_value::literal::quoted(id),
        (None, Some(identity)) => terrace_value::literal::shown(identity, 0).replace('\n', " "),
        (None, None) => String::new(),
    }
}

/// The configuration that gives the object `state`: what a configuration may say of it.
pub(crate) fn configuration(block: &Block, state: &Value) -> Value {
    let mut parts: Vec<(Text, Value)> = Vec::new();
    for (name, attribute) in &block.attributes {
        parts.push((name.clone(), argument(name, attribute, state.get(name))));
    }
    for (name, nested) in &block.blocks {
        let empty = || match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => Value::null(nested.value_type()),
            BlockNesting::List => Value::list(nested.block.implied_type(), []),
            BlockNesting::Set => Value::set(nested.block.implied_type(), []),
            BlockNesting::Map => {
                Value::map(nested.block.implied_type(), Vec::<(Text, Value)>::new())
            }
        };
        let value = state.get(name).map_or_else(empty, |content| {
            each(content, &|item| configuration(&nested.block, item))
        });
        parts.push((name.clone(), value));
    }
    Value::object(parts)
}

fn argument(name: &str, attribute: &Attribute, state: Option<&Value>) -> Value {
    // An `id` that may be set was once there for the old SDK alone.
    let is_left_out = !is_written(name, attribute) || attribute.sensitive;
    let value = state.filter(|_| !is_left_out);
    match (&attribute.ty, value) {
        (_, None) => Value::null(attribute.value_type()),
        (AttributeType::Plain(_), Some(value)) => value.clone(),
        (AttributeType::Nested(nested), Some(value)) if nested.nesting == Nesting::Single => {
            object(nested, value)
        }
        (AttributeType::Nested(nested), Some(value)) => each(value, &|item| object(nested, item)),
    }
}

/// Whether configuration says it at all.
fn is_written(name: &str, attribute: &Attribute) -> bool {
    let settable = attribute.required || attribute.optional;
    settable && !attribute.deprecated && !(name == "id" && attribute.computed)
}

fn object(nested: &NestedObject, state: &Value) -> Value {
    if state.as_entries().is_none() {
        return state.clone();
    }
    let parts = nested
        .attributes
        .iter()
        .map(|(name, attribute)| (name.clone(), argument(name, attribute, state.get(name))));
    Value::object(parts)
}

/// `content` with each of its objects changed: an object itself, or those of a collection.
fn each(content: &Value, change: &dyn Fn(&Value) -> Value) -> Value {
    match content.kind() {
        Kind::Object(_) => change(content),
        Kind::List(ty, items) => Value::list(ty.clone(), items.iter().map(change)),
        Kind::Set(ty, items) => Value::set(ty.clone(), items.iter().map(change)),
        Kind::Tuple(items) => Value::tuple(items.iter().map(change)),
        Kind::Map(ty, entries) => Value::map(
            ty.clone(),
            entries
                .iter()
                .map(|(key, item)| (key.clone(), change(item)))
                .collect::<Vec<_>>(),
        ),
        _ => content.clone(),
    }
}

/// The block of an instance with this configuration, formatted, without a line end.
pub(crate) fn block(
    address: &AbsResourceInstance,
    schema: &Block,
    config: &Value,
    provider: Option<&str>,
) -> String {
    let resource = &address.resource.resource;
    let mut written = Written::builder(Ident::new("resource"))
        .labels([&*resource.type_name, &*resource.name])
        .build();
    if let Some(provider) = provider.and_then(|text| text.parse::<Expression>().ok()) {
        written
            .body
            .push(Argument::new(Ident::new("provider"), provider));
    }
    fill(&mut written.body, schema, config);
    let body: Body = std::iter::once(written).collect();
    let text = body.to_string();
    terrace_syntax::format(&text).trim_end().to_owned()
}

fn fill(body: &mut Body, schema: &Block, config: &Value) {
    for (name, attribute) in &schema.attributes {
        if is_written(name, attribute) {
            body.push(line(name, attribute, config.get(name)));
        }
    }
    for (name, nested) in &schema.blocks {
        let Some(content) = config.get(name).filter(|content| !content.is_null()) else {
            continue;
        };
        let mut push = |label: Option<&str>, item: &Value| {
            let mut written = Written::builder(Ident::new(&**name)).labels(label).build();
            fill(&mut written.body, &nested.block, item);
            body.push(written);
        };
        match content.kind() {
            Kind::Map(_, entries) => entries
                .iter()
                .for_each(|(key, item)| push(Some(&**key), item)),
            Kind::Object(_) => push(None, content),
            _ => content
                .as_sequence()
                .unwrap_or_default()
                .iter()
                .for_each(|item| push(None, item)),
        }
    }
}

fn line(name: &str, attribute: &Attribute, value: Option<&Value>) -> Argument {
    let hidden = attribute.sensitive || attribute.write_only;
    let mut written = match (value, &attribute.ty) {
        (Some(value), AttributeType::Nested(nested)) if !hidden => nested_expression(nested, value),
        (Some(value), AttributeType::Plain(_)) if !hidden => expression(value),
        _ => Expression::null(),
    };
    if attribute.sensitive {
        written.decor_mut().set_suffix(" # sensitive");
    }
    Argument::new(Ident::new(name), written)
}

/// Nested attributes: as a value, without what configuration may not say.
fn nested_expression(nested: &NestedObject, value: &Value) -> Expression {
    let of_object = |item: &Value| -> Expression {
        if item.as_entries().is_none() {
            return expression(item);
        }
        let mut object = Object::new();
        for (name, attribute) in &nested.attributes {
            if is_written(name, attribute) {
                let line = line(name, attribute, item.get(name));
                insert(&mut object, name, line.value);
            }
        }
        Expression::Object(object)
    };
    match (nested.nesting, value.kind()) {
        (Nesting::Single, _) => of_object(value),
        (Nesting::List | Nesting::Set, Kind::List(_, items) | Kind::Set(_, items)) => {
            Expression::Array(items.iter().map(of_object).collect::<Array>())
        }
        (Nesting::Map, Kind::Map(_, entries)) => {
            let mut object = Object::new();
            for (key, item) in entries.iter() {
                insert(&mut object, key, of_object(item));
            }
            Expression::Object(object)
        }
        _ => expression(value),
    }
}

/// A known value as an expression.
fn expression(value: &Value) -> Expression {
    match value.kind() {
        Kind::Bool(value) => Expression::from(*value),
        Kind::Number(number) => number
            .to_string()
            .parse()
            .unwrap_or_else(|_| Expression::from(number.to_string())),
        Kind::String(text) => document(text).unwrap_or_else(|| Expression::from(&**text)),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            Expression::Array(items.iter().map(expression).collect::<Array>())
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let mut object = Object::new();
            for (key, item) in entries.iter() {
                insert(&mut object, key, expression(item));
            }
            Expression::Object(object)
        }
        _ => Expression::null(),
    }
}

fn insert(object: &mut Object, key: &str, value: Expression) {
    let name = if let Ok(name) = Ident::try_new(key) {
        ObjectKey::Ident(name.into())
    } else {
        ObjectKey::Expression(Expression::from(key))
    };
    let mut value = ObjectValue::new(value);
    value.set_terminator(ObjectValueTerminator::Newline);
    if object.is_empty() {
        let mut name = name;
        name.decor_mut().set_prefix("\n");
        object.insert(name, value);
        return;
    }
    object.insert(name, value);
}

/// JSON text of an object or an array, as a call that gives it.
fn document(text: &str) -> Option<Expression> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let content: serde_json::Value = serde_json::from_str(text).ok()?;
    // Another layout would be another string.
    if serde_json::to_string(&content).ok()? != text {
        return None;
    }
    let mut arguments = FuncArgs::new();
    arguments.push(of_json(&content));
    Some(Expression::from(FuncCall::new(
        Ident::new("jsonencode"),
        arguments,
    )))
}

fn of_json(content: &serde_json::Value) -> Expression {
    match content {
        serde_json::Value::Null => Expression::null(),
        serde_json::Value::Bool(value) => Expression::from(*value),
        serde_json::Value::Number(number) => number
            .to_string()
            .parse()
            .unwrap_or_else(|_| Expression::from(number.to_string())),
        serde_json::Value::String(text) => Expression::from(text.as_str()),
        serde_json::Value::Array(items) => {
            Expression::Array(items.iter().map(of_json).collect::<Array>())
        }
        serde_json::Value::Object(entries) => {
            let mut object = Object::new();
            for (key, item) in entries {
                insert(&mut object, key, of_json(item));
            }
            Expression::Object(object)
        }
    }
}

/// A name for a file among those of a module: that of the file that is to be written.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
