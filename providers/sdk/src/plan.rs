//! What a change makes of an object: defaults, what becomes unknown, plan modifiers, replacement.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_schema::{BlockNesting, Nesting};
use terrace_value::{Kind, Path, Text, Type, Value};

use crate::schema::{Attribute, Replace, Schema};
use crate::{Diagnostics, Object, Private};

/// One attribute in a plan, as a modifier sees it.
pub struct Change<'c> {
    /// Where it is.
    pub path: &'c Path,
    /// What it was; null where there was nothing.
    pub prior: &'c Value,
    /// What configuration says of it.
    pub config: &'c Value,
    /// What it will be. A modifier may change it where configuration is silent.
    pub planned: Value,
    /// Whether its change asks for a replacement.
    pub replace: bool,
    /// The whole object as it was; `None` for one that is to be made.
    pub prior_object: Option<&'c Object>,
    /// The whole configuration.
    pub config_object: &'c Object,
}

/// A planned change of an object, as a resource's own [`plan`](crate::Resource::plan) sees it.
pub struct Plan<C> {
    /// What the provider was configured to; `None` while it is not.
    pub client: Option<Arc<C>>,
    /// The object as it is; `None` for one that is to be made.
    pub prior: Option<Object>,
    /// What is configured; `None` for an object that is to go.
    pub config: Option<Object>,
    /// What the object will be, with unknowns; `None` when it is to go.
    pub planned: Option<Object>,
    /// Attributes whose change asks for a replacement.
    pub replace: Vec<Path>,
    /// Bytes beside the object, for its next handler.
    pub private: Private,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

impl<C> Plan<C> {
    /// Whether an attribute is to be something else than it was. Everything is, for an object that is to be made or to go.
    pub fn changes(&self, name: &str) -> bool {
        match (&self.prior, &self.planned) {
            (Some(prior), Some(planned)) => prior.value(name) != planned.value(name),
            _ => true,
        }
    }

    /// Whether the object is to be made, by this plan or because the one there is cannot be changed.
    pub const fn creates(&self) -> bool {
        self.prior.is_none() && self.planned.is_some()
    }

    /// Asks for a replacement because of an attribute.
    pub fn replace_for(&mut self, name: &str) {
        self.replace.push(Path::root().attribute(name));
    }
}

/// What the schema alone makes of a change.
pub(crate) struct Planned {
    pub(crate) object: Value,
    pub(crate) replace: Vec<Path>,
}

/// What an object will be, from what it is, what is configured and the two merged.
pub(crate) fn plan(schema: &Schema, prior: &Value, config: &Value, proposed: &Value) -> Planned {
    let mut planned = with_defaults(schema, config, proposed);
    if planned != *prior {
        planned = with_unknowns(schema, config, &planned);
    }
    let prior_object = Object::of(prior);
    let config_object = Object::of(config).unwrap_or_default();
    let mut modifying = Modifying {
        prior_object: prior_object.as_ref(),
        config_object: &config_object,
        fewer_blocks_replace: false,
        replace: Vec::new(),
    };
    let object = modifying.object(schema, prior, config, &planned, &Path::root());
    Planned {
        object,
        replace: modifying.replace,
    }
}

fn items(value: &Value) -> usize {
    value.as_sequence().map_or(0, <[Value]>::len)
}

pub(crate) fn part(value: &Value, name: &str, ty: impl FnOnce() -> Type) -> Value {
    match value.kind() {
        Kind::Unknown(_) => Value::unknown(ty()),
        _ => value
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::null(ty())),
    }
}

/// Walks the parts of an object that has a schema.
fn parts(
    schema: &Schema,
    value: &Value,
    mut attribute: impl FnMut(&Text, &Attribute, Value) -> Value,
    mut block: impl FnMut(&Text, &Schema, bool, Value) -> Value,
) -> Value {
    let Kind::Object(entries) = value.kind() else {
        return value.clone();
    };
    let mut parts = BTreeMap::clone(entries);
    for (name, found) in &schema.attributes {
        if let Some(part) = parts.get_mut(name) {
            *part = attribute(name, found, part.clone());
        }
    }
    for (name, found) in &schema.blocks {
        if let Some(part) = parts.get_mut(name) {
            let single = matches!(found.nesting, BlockNesting::Single | BlockNesting::Group);
            *part = block(name, &found.schema, single, part.clone());
        }
    }
    Value::from_kind(Kind::Object(Arc::new(parts)))
}

/// Elements of a collection, each with those of other collections that belong to it.
fn each<const N: usize>(
    value: &Value,
    others: [&Value; N],
    mut change: impl FnMut(Value, &Value, [Value; N]) -> Value,
) -> Value {
    let beside = |place: usize, key: &str| {
        others.map(|other| match other.kind() {
            Kind::Unknown(_) => Value::dynamic(),
            Kind::Map(_, entries) | Kind::Object(entries) => {
                entries.get(key).cloned().unwrap_or(Value::NULL)
            }
            _ => other
                .as_sequence()
                .and_then(|items| items.get(place))
                .cloned()
                .unwrap_or(Value::NULL),
        })
    };
    let mut changed =
        |place: usize, item: &Value| change(Value::number(place.into()), item, beside(place, ""));
    match value.kind() {
        Kind::List(ty, items) => {
            let items: Vec<Value> = items
                .iter()
                .enumerate()
                .map(|(at, item)| changed(at, item))
                .collect();
            Value::list(ty.clone(), items)
        }
        Kind::Tuple(items) => Value::tuple(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| changed(at, item))
                .collect::<Vec<_>>(),
        ),
        Kind::Set(ty, items) => {
            let items: Vec<Value> = items
                .iter()
                .enumerate()
                .map(|(at, item)| change(item.clone(), item, beside(at, "")))
                .collect();
            Value::set(ty.clone(), items)
        }
        Kind::Map(ty, entries) => {
            let entries: Vec<(Text, Value)> = entries
                .iter()
                .map(|(key, item)| {
                    let changed = change(Value::string(key.clone()), item, beside(0, key));
                    (key.clone(), changed)
                })
                .collect();
            Value::map(ty.clone(), entries)
        }
        _ => value.clone(),
    }
}

pub(crate) fn with_defaults(schema: &Schema, config: &Value, value: &Value) -> Value {
    parts(
        schema,
        value,
        |name, attribute, value| {
            let config = part(config, name, || Type::Dynamic);
            match (&attribute.default, &attribute.nested) {
                (Some(default), _) if config.is_null() => default(),
                (_, Some((schema, Nesting::Single))) => with_defaults(schema, &config, &value),
                (_, Some((schema, _))) => each(&value, [&config], |_, item, [config]| {
                    with_defaults(schema, &config, item)
                }),
                _ => value,
            }
        },
        |name, schema, single, value| {
            let config = part(config, name, || Type::Dynamic);
            if single {
                return with_defaults(schema, &config, &value);
            }
            each(&value, [&config], |_, item, [config]| {
                with_defaults(schema, &config, item)
            })
        },
    )
}

/// What is computed and not configured is not known of an object that changes.
fn with_unknowns(schema: &Schema, config: &Value, value: &Value) -> Value {
    parts(
        schema,
        value,
        |name, attribute, value| {
            let config = part(config, name, || Type::Dynamic);
            if config.is_null() {
                let computed = attribute.is_computed() && attribute.default.is_none();
                return if computed {
                    Value::unknown(attribute.value_type())
                } else {
                    value
                };
            }
            match &attribute.nested {
                Some((schema, Nesting::Single)) => with_unknowns(schema, &config, &value),
                Some((schema, _)) => each(&value, [&config], |_, item, [config]| {
                    with_unknowns(schema, &config, item)
                }),
                None => value,
            }
        },
        |name, schema, single, value| {
            let config = part(config, name, || Type::Dynamic);
            if single {
                return with_unknowns(schema, &config, &value);
            }
            each(&value, [&config], |_, item, [config]| {
                with_unknowns(schema, &config, item)
            })
        },
    )
}

/// Where an attribute is, and whether the object that it is an attribute of was there before.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: &'p Path,
    parent_exists: bool,
}

pub(crate) struct Modifying<'m> {
    pub(crate) prior_object: Option<&'m Object>,
    pub(crate) config_object: &'m Object,
    /// Whether a block that goes asks for a replacement where it says something that cannot be changed.
    pub(crate) fewer_blocks_replace: bool,
    pub(crate) replace: Vec<Path>,
}

impl Modifying<'_> {
    pub(crate) fn object(
        &mut self,
        schema: &Schema,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) -> Value {
        let Kind::Object(entries) = planned.kind() else {
            return planned.clone();
        };
        let mut parts = BTreeMap::clone(entries);
        let parent_exists = !prior.is_null();
        for (name, attribute) in &schema.attributes {
            let Some(planned) = parts.get_mut(name) else {
                continue;
            };
            let ty = || attribute.value_type();
            let (prior, config) = (part(prior, name, ty), part(config, name, ty));
            let path = path.attribute(name.clone());
            let place = Place {
                path: &path,
                parent_exists: parent_exists && self.prior_object.is_some(),
            };
            let changed = self.attribute(attribute, &prior, &config, planned, place);
            *planned = match &attribute.nested {
                Some((schema, nesting)) => self.nested(
                    schema,
                    *nesting == Nesting::Single,
                    [&prior, &config],
                    &changed,
                    &path,
                ),
                None => changed,
            };
        }
        for (name, block) in &schema.blocks {
            let Some(planned) = parts.get_mut(name) else {
                continue;
            };
            let nothing = || Type::Dynamic;
            let (prior, config) = (part(prior, name, nothing), part(config, name, nothing));
            let single = matches!(block.nesting, BlockNesting::Single | BlockNesting::Group);
            let path = path.attribute(name.clone());
            *planned = self.nested(&block.schema, single, [&prior, &config], planned, &path);
            let changed = self.prior_object.is_some() && *planned != prior;
            let fewer = || {
                self.fewer_blocks_replace && items(planned) < items(&prior) && block.schema.forces()
            };
            if changed && (block.replaces || fewer()) {
                self.replace.push(path);
            }
        }
        Value::from_kind(Kind::Object(Arc::new(parts)))
    }

    fn nested(
        &mut self,
        schema: &Schema,
        single: bool,
        beside: [&Value; 2],
        planned: &Value,
        path: &Path,
    ) -> Value {
        if single {
            return self.object(schema, beside[0], beside[1], planned, path);
        }
        each(planned, beside, |key, item, [prior, config]| {
            self.object(schema, &prior, &config, item, &path.index(key))
        })
    }

    fn attribute(
        &mut self,
        attribute: &Attribute,
        prior: &Value,
        config: &Value,
        planned: &Value,
        place: Place<'_>,
    ) -> Value {
        let path = place.path;
        let mut change = Change {
            path,
            prior,
            config,
            planned: planned.clone(),
            replace: false,
            prior_object: self.prior_object,
            config_object: self.config_object,
        };
        let exists = self.prior_object.is_some();
        let unknown = !change.planned.is_known() && config.is_known();
        if attribute.keeps && place.parent_exists && unknown {
            change.planned = prior.clone();
        }
        for modifier in &attribute.modifiers {
            modifier(&mut change);
        }
        if exists && change.planned != *prior {
            change.replace |= match &attribute.replace {
                Replace::Never => false,
                Replace::Always => true,
                Replace::IfConfigured => !config.is_null(),
                Replace::If(condition) => condition(&change),
            };
        }
        if change.replace && exists {
            self.replace.push(path.clone());
        }
        change.planned
    }
}
