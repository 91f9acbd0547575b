//! Resource types that store what is planned.

use terrace_provider_sdk::{
    Attribute, Block, Call, Data as _, Nesting, Object, Outcome, Resource, Schema, Type, Value,
    async_trait,
};

use crate::client::Client;

/// A type whose objects live in the state alone.
pub(crate) struct Plain {
    name: &'static str,
    schema: fn() -> Schema,
    complete: fn(&mut Object),
}

pub(crate) fn resources(nested: bool) -> Vec<Plain> {
    let mut all = vec![
        plain("basic", basic, |object| object.set("id", "basic")),
        plain("types", types, |object| object.set("id", "types")),
        plain("tuple", tuple, |object| object.set("id", "tuple")),
        plain("dynamic", dynamic, |object| {
            object.set("id", "dynamic");
            object.set("result", object.value("anything").clone());
        }),
        plain("blocks", blocks, |object| object.set("id", "blocks")),
        plain("single_block", single_block, |object| {
            object.set("id", "single_block");
        }),
        plain("map_block", map_block, |object| {
            object.set("id", "map_block");
        }),
        plain("old", old, |object| {
            let id = format!("old-{}", object.text("name").unwrap_or_default());
            object.set("id", id);
        }),
    ];
    if nested {
        all.push(plain("nested", nested_schema, complete_nested));
    }
    all
}

fn plain(name: &'static str, schema: fn() -> Schema, complete: fn(&mut Object)) -> Plain {
    Plain {
        name,
        schema,
        complete,
    }
}

#[async_trait]
impl Resource for Plain {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        format!("conformance_{}", self.name)
    }

    fn schema(&self) -> Schema {
        (self.schema)()
    }

    async fn create(&self, _call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        (self.complete)(&mut planned);
        Ok(planned)
    }

    async fn update(
        &self,
        _call: &mut Call<Client>,
        _prior: Object,
        mut planned: Object,
    ) -> Outcome<Object> {
        (self.complete)(&mut planned);
        Ok(planned)
    }
}

/// The `id` that every type has.
pub(crate) fn id() -> Attribute {
    Attribute::string().computed().keep()
}

/// A schema with an `id`.
pub(crate) fn with_id() -> Schema {
    Schema::new().attribute("id", id())
}

fn optional(schema: Schema, attributes: impl IntoIterator<Item = (&'static str, Type)>) -> Schema {
    attributes.into_iter().fold(schema, |schema, (name, ty)| {
        schema.attribute(name, Attribute::of(ty).optional())
    })
}

fn basic() -> Schema {
    optional(
        with_id(),
        [
            ("text", Type::String),
            ("amount", Type::Number),
            ("whole", Type::Number),
            ("flag", Type::Bool),
            ("texts", Type::list(Type::String)),
            ("amounts", Type::list(Type::Number)),
            ("names", Type::set(Type::String)),
            ("labels", Type::map(Type::String)),
        ],
    )
}

fn types() -> Schema {
    let flagged = || Type::object([("name", Type::String), ("flag", Type::Bool)]);
    let object = Type::object([
        ("name", Type::String),
        ("size", Type::Number),
        ("tags", Type::list(Type::String)),
    ]);
    optional(
        with_id(),
        [
            ("precise", Type::Number),
            ("object", object),
            ("objects", Type::list(flagged())),
            ("object_set", Type::set(flagged())),
            ("object_map", Type::map(flagged())),
            ("matrix", Type::list(Type::list(Type::Number))),
            ("lists", Type::map(Type::list(Type::String))),
        ],
    )
}

fn tuple() -> Schema {
    optional(
        with_id(),
        [("pair", Type::tuple([Type::String, Type::Number]))],
    )
}

fn dynamic() -> Schema {
    with_id()
        .attribute("anything", Attribute::dynamic().optional())
        .attribute("result", Attribute::dynamic().computed())
}

fn blocks() -> Schema {
    let matching = Schema::new()
        .attribute("key", Attribute::string().required())
        .attribute("value", Attribute::string().optional());
    let rule = Schema::new()
        .attribute("name", Attribute::string().required())
        .attribute("ports", Attribute::list(Type::Number).optional())
        .block("match", Block::list(matching.clone()));
    with_id()
        .block("rule", Block::list(rule))
        .block("tag", Block::set(matching))
}

fn single_block() -> Schema {
    let limits = Schema::new().attribute("most", Attribute::number().optional());
    let settings = Schema::new()
        .attribute("mode", Attribute::string().optional())
        .attribute("size", Attribute::number().optional())
        .block("limits", Block::single(limits));
    with_id().block("settings", Block::single(settings))
}

fn map_block() -> Schema {
    let entry = Schema::new().attribute("value", Attribute::string().optional());
    with_id().block("entry", Block::map(entry))
}

fn old() -> Schema {
    with_id()
        .attribute("name", Attribute::string().required().replace())
        .attribute("count_text", Attribute::string().optional())
}

fn nested_schema() -> Schema {
    let named = || Schema::new().attribute("name", Attribute::string().required());
    let sized = || named().attribute("size", Attribute::number().optional().default_to(1_i64));
    let uid = || Attribute::string().computed();
    let inner = Schema::new().attribute("flag", Attribute::bool().optional().default_to(false));
    let single = sized()
        .attribute("secret", Attribute::string().optional().sensitive())
        .attribute("uid", uid().keep())
        .attribute("inner", Attribute::object(inner).optional());
    let items = || sized().attribute("uid", uid());
    let bag = named().attribute("size", Attribute::number().optional());
    with_id()
        .attribute("single", Attribute::object(single).optional())
        .attribute(
            "items",
            Attribute::nested(Nesting::List, items()).optional(),
        )
        .attribute("bag", Attribute::nested(Nesting::Set, bag).optional())
        .attribute(
            "by_key",
            Attribute::nested(Nesting::Map, items()).optional(),
        )
}

fn complete_nested(object: &mut Object) {
    object.set("id", "nested");
    let with_uid = |value: &Value| {
        let mut object = Object::of(value)?;
        let uid = format!("uid-{}", object.text("name").unwrap_or_default());
        object.set("uid", uid);
        Some(object)
    };
    if let Some(single) = with_uid(object.value("single")) {
        object.set("single", single);
    }
    let items: Option<Vec<Object>> = object
        .value("items")
        .as_sequence()
        .map(|items| items.iter().filter_map(with_uid).collect());
    if let Some(items) = items {
        let items = items.into_iter().map(Object::into_value);
        object.set("items", Value::tuple(items));
    }
    let by_key: Option<Vec<_>> = object.value("by_key").as_entries().map(|entries| {
        entries
            .iter()
            .filter_map(|(key, item)| Some((key.clone(), with_uid(item)?.into_value())))
            .collect()
    });
    if let Some(by_key) = by_key {
        object.set("by_key", Value::object(by_key));
    }
}
