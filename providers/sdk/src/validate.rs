//! Checks of what is configured.
//!
//! A value that is null or not known yet passes every check of values; what is not known while a configuration is validated is
//! checked again when it is known.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::Arc;

use regex::Regex;
use terrace_schema::{BlockNesting, Nesting};
use terrace_value::{Kind, Number, Path, Type, Value};

use crate::schema::{Attribute, Block, Schema};
use crate::{Diagnostics, Object, shown};

/// A configured attribute and where it is.
pub struct Checked<'c> {
    /// Its path in the whole configuration.
    pub path: &'c Path,
    /// Its value.
    pub value: &'c Value,
    /// The object that it is an attribute of.
    pub parent: &'c Object,
    /// The whole configuration.
    pub root: &'c Object,
}

/// A check of one attribute.
pub type Validator = Arc<dyn Fn(&Checked<'_>, &mut Diagnostics) + Send + Sync>;

impl Checked<'_> {
    /// The attribute as messages call it.
    pub fn name(&self) -> String {
        shown(self.path)
    }

    /// The path of the attribute `name` of the same object.
    pub fn beside(&self, name: &str) -> Path {
        let mut path = self.path.clone();
        path.0.pop();
        path.attribute(name)
    }

    fn told(&self, summary: &str, description: &str, got: impl Display) -> crate::Diagnostic {
        crate::Diagnostic::error(
            summary,
            format!("Attribute {} {description}, got: {got}", self.name()),
        )
        .at(self.path.clone())
    }

    fn combination(&self, detail: String) -> crate::Diagnostic {
        crate::Diagnostic::error("Invalid Attribute Combination", detail).at(self.path.clone())
    }
}

/// A check of your own.
pub fn custom(check: impl Fn(&Checked<'_>, &mut Diagnostics) + Send + Sync + 'static) -> Validator {
    Arc::new(check)
}

fn text(check: impl Fn(&Checked<'_>, &str, &mut Diagnostics) + Send + Sync + 'static) -> Validator {
    Arc::new(move |checked, diagnostics| {
        if let Some(text) = checked.value.as_str() {
            check(checked, text, diagnostics);
        }
    })
}

fn number(
    fits: impl Fn(&Number) -> bool + Send + Sync + 'static,
    description: String,
) -> Validator {
    Arc::new(move |checked, diagnostics| {
        if let Some(number) = checked.value.as_number().filter(|number| !fits(number)) {
            diagnostics.push(checked.told("Invalid Attribute Value", &description, number));
        }
    })
}

/// A string that is one of these.
pub fn one_of<const N: usize>(values: [&'static str; N]) -> Validator {
    text(move |checked, text, diagnostics| {
        if !values.contains(&text) {
            let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            let description = format!("value must be one of: [{}]", quoted.join(" "));
            let got = format!("{text:?}");
            diagnostics.push(checked.told("Invalid Attribute Value Match", &description, got));
        }
    })
}

/// A string of so many characters.
pub fn length(range: RangeInclusive<usize>) -> Validator {
    text(move |checked, text, diagnostics| {
        let length = text.len();
        if !range.contains(&length) {
            let description = match (*range.start(), *range.end()) {
                (least, usize::MAX) => format!("string length must be at least {least}"),
                (0, most) => format!("string length must be at most {most}"),
                (least, most) => format!("string length must be between {least} and {most}"),
            };
            diagnostics.push(checked.told("Invalid Attribute Value Length", &description, length));
        }
    })
}

/// A string in which `pattern` is found. `description` says what is wanted: "must be …".
///
/// # Panics
/// When `pattern` is no regular expression.
pub fn matches(pattern: &str, description: impl Into<String>) -> Validator {
    let pattern = Regex::new(pattern).expect("the provider's pattern is a regular expression");
    let description = description.into();
    text(move |checked, text, diagnostics| {
        if !pattern.is_match(text) {
            diagnostics.push(checked.told("Invalid Attribute Value Match", &description, text));
        }
    })
}

/// A length of time, such as `1h30m`: what a block `timeouts` holds.
pub fn duration() -> Validator {
    text(|checked, text, diagnostics| {
        if crate::timeouts::duration(text).is_none() {
            diagnostics.error_at(
                checked.path.clone(),
                "Invalid timeout",
                format!("{text:?} is no duration. Write one like \"30m\" or \"1h30m\"."),
            );
        }
    })
}

/// A number in a range.
pub fn between(range: RangeInclusive<i64>) -> Validator {
    let (least, most) = (Number::from(*range.start()), Number::from(*range.end()));
    let description = format!("value must be between {least} and {most}");
    number(
        move |number| *number >= least && *number <= most,
        description,
    )
}

/// A number of at least this.
pub fn at_least(least: i64) -> Validator {
    let bound = Number::from(least);
    number(
        move |number| *number >= bound,
        format!("value must be at least {least}"),
    )
}

/// A number of at most this.
pub fn at_most(most: i64) -> Validator {
    let bound = Number::from(most);
    number(
        move |number| *number <= bound,
        format!("value must be at most {most}"),
    )
}

/// A list, set or map of so many elements.
pub fn size(range: RangeInclusive<usize>) -> Validator {
    Arc::new(move |checked, diagnostics| {
        let (kind, count) = match checked.value.kind() {
            Kind::List(_, items) => ("list", items.len()),
            Kind::Set(_, items) => ("set", items.len()),
            Kind::Map(_, entries) => ("map", entries.len()),
            _ => return,
        };
        if range.contains(&count) {
            return;
        }
        let description = match (*range.start(), *range.end()) {
            (least, usize::MAX) => format!("{kind} must contain at least {least} elements"),
            (0, most) => format!("{kind} must contain at most {most} elements"),
            (least, most) => {
                format!("{kind} must contain at least {least} elements and at most {most} elements")
            }
        };
        diagnostics.push(checked.told("Invalid Attribute Value", &description, count));
    })
}

/// A collection each of whose elements passes a check.
pub fn each(check: Validator) -> Validator {
    Arc::new(move |checked, diagnostics| {
        for (key, value) in elements(checked.value) {
            let inner = Checked {
                path: &checked.path.index(key),
                value,
                ..*checked
            };
            check(&inner, diagnostics);
        }
    })
}

/// None of the attributes `others` of the same object is set beside it.
pub fn conflicts_with<const N: usize>(others: [&'static str; N]) -> Validator {
    Arc::new(move |checked, diagnostics| {
        if checked.value.is_null() {
            return;
        }
        for other in others {
            let value = checked.parent.value(other);
            if value.is_known() && is_there(value) {
                let detail = format!(
                    "Attribute \"{}\" cannot be specified when \"{}\" is specified",
                    shown(&checked.beside(other)),
                    checked.name()
                );
                diagnostics.push(checked.combination(detail));
            }
        }
    })
}

/// All of the attributes `others` of the same object are set beside it.
pub fn also_requires<const N: usize>(others: [&'static str; N]) -> Validator {
    Arc::new(move |checked, diagnostics| {
        if checked.value.is_null() {
            return;
        }
        for other in others
            .into_iter()
            .filter(|other| !checked.parent.is_set(other))
        {
            let detail = format!(
                "Attribute \"{}\" must be specified when \"{}\" is specified",
                shown(&checked.beside(other)),
                checked.name()
            );
            diagnostics.push(checked.combination(detail));
        }
    })
}

/// Those of `others` and the attribute itself that are set; `None` where some are not known yet.
fn set_among(checked: &Checked<'_>, others: &[&str]) -> Option<usize> {
    let own = checked.path.0.last();
    let mut count = usize::from(!checked.value.is_null());
    if !checked.value.is_known() {
        return None;
    }
    for other in others {
        if checked.beside(other).0.last() == own {
            continue;
        }
        let value = checked.parent.value(other);
        if !value.is_known() {
            return None;
        }
        count += usize::from(is_there(value));
    }
    Some(count)
}

/// Whether something is set. Blocks of which there are none are not.
fn is_there(value: &Value) -> bool {
    let no_blocks = match value.kind() {
        Kind::List(ty, items) | Kind::Set(ty, items) => {
            items.is_empty() && matches!(ty, Type::Object(..))
        }
        _ => false,
    };
    !value.is_null() && !no_blocks
}

fn listed(checked: &Checked<'_>, others: &[&str]) -> String {
    let others: Vec<String> = others
        .iter()
        .map(|other| shown(&checked.beside(other)))
        .collect();
    format!("[{}]", others.join(","))
}

/// Exactly one of `others` and the attribute itself is set.
pub fn exactly_one_of<const N: usize>(others: [&'static str; N]) -> Validator {
    Arc::new(move |checked, diagnostics| {
        let said = match set_among(checked, &others) {
            None | Some(1) => return,
            Some(0) => "No attribute specified".to_owned(),
            Some(count) => format!("{count} attributes specified"),
        };
        let detail = format!(
            "{said} when one (and only one) of {} is required",
            listed(checked, &others)
        );
        diagnostics.push(checked.combination(detail));
    })
}

/// At least one of `others` and the attribute itself is set.
pub fn at_least_one_of<const N: usize>(others: [&'static str; N]) -> Validator {
    Arc::new(move |checked, diagnostics| {
        if set_among(checked, &others) == Some(0) {
            let detail = format!(
                "At least one attribute out of {} must be specified",
                listed(checked, &others)
            );
            diagnostics.push(checked.combination(detail));
        }
    })
}

/// Elements of a collection with their keys.
pub(crate) fn elements(value: &Value) -> Vec<(Value, &Value)> {
    match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| (Value::number(place.into()), item))
            .collect(),
        Kind::Set(_, items) => items.iter().map(|item| (item.clone(), item)).collect(),
        Kind::Map(_, entries) | Kind::Object(entries) => entries
            .iter()
            .map(|(key, item)| (Value::string(key.clone()), item))
            .collect(),
        _ => Vec::new(),
    }
}

impl Schema {
    /// Makes all checks of a configuration.
    pub fn validated(&self, config: &Object) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        self.run(config, config, &Path::root(), &mut diagnostics);
        diagnostics
    }

    fn run(&self, object: &Object, root: &Object, path: &Path, diagnostics: &mut Diagnostics) {
        for (name, attribute) in &self.attributes {
            let checked = Checked {
                path: &path.attribute(name.clone()),
                value: object.value(name),
                parent: object,
                root,
            };
            attribute.run(&checked, diagnostics);
        }
        for (name, block) in &self.blocks {
            let checked = Checked {
                path: &path.attribute(name.clone()),
                value: object.value(name),
                parent: object,
                root,
            };
            block.run(&checked, diagnostics);
        }
        for check in &self.checks {
            check(object, diagnostics);
        }
    }

    fn run_each(&self, single: bool, checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
        if single {
            if let Some(object) = Object::of(checked.value) {
                self.run(&object, checked.root, checked.path, diagnostics);
            }
            return;
        }
        for (key, item) in elements(checked.value) {
            if let Some(object) = Object::of(item) {
                self.run(&object, checked.root, &checked.path.index(key), diagnostics);
            }
        }
    }
}

impl Attribute {
    fn run(&self, checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
        if self.is_read_only() && !checked.value.is_null() {
            diagnostics.error_at(
                checked.path.clone(),
                "Invalid Configuration for Read-Only Attribute",
                "Cannot set value for this attribute as the provider has marked it as read-only. Remove the configuration line setting the value.\n\nRefer to the provider documentation or contact the provider developers for additional information about configurable and read-only attributes that are supported.",
            );
        }
        for validator in &self.validators {
            validator(checked, diagnostics);
        }
        if let Some((schema, nesting)) = &self.nested {
            schema.run_each(*nesting == Nesting::Single, checked, diagnostics);
        }
    }
}

impl Block {
    fn run(&self, checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
        for validator in &self.validators {
            validator(checked, diagnostics);
        }
        let single = matches!(self.nesting, BlockNesting::Single | BlockNesting::Group);
        self.schema.run_each(single, checked, diagnostics);
    }
}
