//! What a resource type is made of.

use std::collections::BTreeMap;

use terrace_port::ProviderDiagnostic;
use terrace_schema::{Attribute, Block, ResourceSchema};
use terrace_value::{Path, Text, Type, Value};

use crate::Outside;

/// The attributes of an object.
pub(crate) type Attributes = BTreeMap<Text, Value>;

/// Why something failed.
pub(crate) type Failure = ProviderDiagnostic;

/// Checks a configuration, which may hold unknowns.
pub(crate) type Validate = fn(&Attributes) -> Vec<ProviderDiagnostic>;
/// Completes a planned object: prior (if there is one) and planned.
pub(crate) type Plan = fn(Option<&Attributes>, &mut Attributes);
/// Makes an object (or, with a prior one, changes it) from the planned one, whose computed attributes may be unknown.
pub(crate) type Apply =
    fn(Option<&Attributes>, Attributes, &Outside) -> Result<Attributes, Failure>;
/// Reads an object; `None` when it is gone.
pub(crate) type Read = fn(Attributes, &Outside) -> Result<Option<Attributes>, Failure>;
/// Ends an object.
pub(crate) type Delete = fn(&Attributes, &Outside) -> Result<(), Failure>;
/// The object of an id.
pub(crate) type Import = fn(&str, &Outside) -> Result<Attributes, Failure>;

/// A resource type.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) version: i64,
    /// Name, type, and flags: `r`equired, `o`ptional, `c`omputed, `s`ensitive, `d`eprecated.
    pub(crate) attributes: Vec<(&'static str, Type, &'static str)>,
    /// Values of optional attributes that are not set.
    pub(crate) defaults: Vec<(&'static str, Value)>,
    /// Whether a change of an attribute asks for a replacement.
    pub(crate) replaces: fn(&str) -> bool,
    pub(crate) validate: Validate,
    pub(crate) plan: Plan,
    pub(crate) apply: Apply,
    pub(crate) read: Read,
    pub(crate) delete: Delete,
    pub(crate) import: Option<Import>,
    /// Completes an object of an older schema version.
    pub(crate) upgrade: fn(&mut Attributes, &Outside),
    pub(crate) deprecated: bool,
}

impl Definition {
    /// A type whose every change asks for a replacement, that needs no check, no reading and no end.
    pub(crate) fn new(
        name: &'static str,
        attributes: Vec<(&'static str, Type, &'static str)>,
        apply: Apply,
    ) -> Self {
        Self {
            name,
            version: 0,
            attributes,
            defaults: Vec::new(),
            replaces: |_| true,
            validate: |_| Vec::new(),
            plan: |_, _| {},
            apply,
            read: |state, _| Ok(Some(state)),
            delete: |_, _| Ok(()),
            import: None,
            upgrade: |_, _| {},
            deprecated: false,
        }
    }

    pub(crate) fn schema(&self) -> ResourceSchema {
        let attributes = self.attributes.iter().map(|(name, ty, flags)| {
            let has = |flag: char| flags.contains(flag);
            let attribute = Attribute {
                required: has('r'),
                optional: has('o'),
                computed: has('c'),
                sensitive: has('s'),
                deprecated: has('d'),
                ..Attribute::of(ty.clone())
            };
            (Text::from(*name), attribute)
        });
        let block = Block {
            attributes: attributes.collect(),
            deprecated: self.deprecated,
            ..Block::default()
        };
        ResourceSchema {
            version: self.version,
            block,
        }
    }

    /// The planned object and what asks for a replacement. Everything computed that is not known yet is unknown.
    pub(crate) fn planned(
        &self,
        prior: Option<&Attributes>,
        proposed: &Attributes,
        config: &Attributes,
    ) -> (Attributes, Vec<Path>) {
        let mut planned = proposed.clone();
        for (name, ty, flags) in &self.attributes {
            let configured = config.get(*name).is_some_and(|value| !value.is_null());
            if configured || !flags.contains('c') {
                continue;
            }
            let default = self
                .defaults
                .iter()
                .find(|(candidate, _)| candidate == name)
                .map(|(_, value)| value.clone());
            let value = match (default, prior) {
                (Some(default), _) => default,
                (None, Some(_)) => continue,
                (None, None) => Value::unknown(ty.clone()),
            };
            planned.insert(Text::from(*name), value);
        }
        (self.plan)(prior, &mut planned);
        let changed = |name: &str| prior.is_some_and(|prior| prior.get(name) != planned.get(name));
        let replace = self
            .attributes
            .iter()
            .filter(|(name, _, flags)| {
                flags.contains(['r', 'o']) && (self.replaces)(name) && changed(name)
            })
            .map(|(name, _, _)| Path::root().attribute(*name))
            .collect();
        (planned, replace)
    }
}

/// An attribute that is text.
pub(crate) fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name).and_then(Value::as_str)
}

/// An attribute that is a whole number.
pub(crate) fn whole(attributes: &Attributes, name: &str) -> Option<i64> {
    attributes
        .get(name)
        .and_then(Value::as_number)
        .and_then(terrace_value::Number::to_i64)
}

/// An attribute that is a bool.
pub(crate) fn flag(attributes: &Attributes, name: &str) -> Option<bool> {
    attributes.get(name).and_then(Value::as_bool)
}

/// Whether an attribute is set, to whatever.
pub(crate) fn is_set(attributes: &Attributes, name: &str) -> bool {
    attributes.get(name).is_some_and(|value| !value.is_null())
}

/// Sets an attribute.
pub(crate) fn set(attributes: &mut Attributes, name: &str, value: impl Into<Value>) {
    attributes.insert(Text::from(name), value.into());
}

/// A problem with one attribute.
pub(crate) fn problem(name: &str, summary: &str, detail: impl Into<String>) -> ProviderDiagnostic {
    ProviderDiagnostic::error(summary, detail).at(Path::root().attribute(name))
}

/// Map of strings, as `keepers` and `triggers` are.
pub(crate) fn strings() -> Type {
    Type::map(Type::String)
}
