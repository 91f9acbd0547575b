//! Whether what a provider made is what it had planned.

use std::collections::BTreeMap;

use terrace_value::convert::mismatch_message;
use terrace_value::{Kind, Marks, Path, PathStep, Type, Value, ops};

use crate::parts::{attribute, element, keyed};
use crate::{Attribute, Block, BlockNesting, NestedBlock, ValueError};

/// Where `actual` is not a completion of `planned`, in which parts may be unknown; empty if it is one everywhere.
///
/// Both are objects or null, and may carry marks; what is sensitive is not told in the messages.
pub fn assert_object_compatible(
    schema: &Block,
    planned: &Value,
    actual: &Value,
) -> Vec<ValueError> {
    let mut check = Check {
        errors: Vec::new(),
        path: Path::root(),
    };
    check.block(schema, planned, actual);
    check.errors
}

struct Check {
    errors: Vec<ValueError>,
    path: Path,
}

impl Check {
    fn error(&mut self, message: impl Into<String>) {
        self.errors.push(ValueError::new(&self.path, message));
    }

    fn within(&mut self, step: PathStep, check: impl FnOnce(&mut Self)) {
        self.path.0.push(step);
        check(self);
        self.path.0.pop();
    }

    /// Whether `check` finds nothing wrong. What it finds is not kept.
    fn passes(&self, item: &Value, check: impl FnOnce(&mut Self)) -> bool {
        let mut trial = Self {
            errors: Vec::new(),
            path: self.path.index(item.clone()),
        };
        check(&mut trial);
        trial.errors.is_empty()
    }

    fn block(&mut self, schema: &Block, planned: &Value, actual: &Value) {
        let subject = if self.path.is_root() {
            "root object "
        } else {
            ""
        };
        match (planned.is_null(), actual.is_null()) {
            (true, false) => return self.error(format!("{subject}was absent, but now present")),
            (false, true) => return self.error(format!("{subject}was present, but now absent")),
            (true, true) => return,
            (false, false) => {}
        }
        for (name, schema) in &schema.attributes {
            let part = |object| attribute(object, name, || schema.value_type());
            let (planned, actual) = (part(planned), part(actual));
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.attribute(schema, &planned, &actual);
            });
        }
        for (name, nested) in &schema.blocks {
            let part = |object| attribute(object, name, || nested.value_type()).unmark().0;
            let (planned, actual) = (part(planned), part(actual));
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.nested(nested, &planned, &actual);
            });
        }
    }

    fn attribute(&mut self, schema: &Attribute, planned: &Value, actual: &Value) {
        if planned == actual {
            return;
        }
        let secret = schema.contains_sensitive()
            || planned.has_marks_deep(Marks::SENSITIVE)
            || actual.has_marks_deep(Marks::SENSITIVE);
        let before = self.errors.len();
        let (planned, actual) = (planned.unmark_deep().0, actual.unmark_deep().0);
        let (wanted, got) = (planned.ty(), actual.ty());
        if conforms(&got, &wanted) {
            self.value(&planned, &actual);
        } else {
            self.error(format!(
                "wrong final value type: {}",
                mismatch_message(&got, &wanted)
            ));
        }
        if secret && self.errors.len() > before {
            self.errors.truncate(before);
            self.error("inconsistent values for sensitive attribute");
        }
    }

    fn nested(&mut self, nested: &NestedBlock, planned: &Value, actual: &Value) {
        if !planned.is_known() {
            // Unknown blocks may turn out to be any number of them, none too.
            return;
        }
        match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => {
                self.block(&nested.block, planned, actual);
            }
            _ if planned.is_null() || actual.is_null() || !actual.is_known() => {}
            BlockNesting::List | BlockNesting::Map => self.keyed_blocks(nested, planned, actual),
            BlockNesting::Set => {
                let shown = |item: &Value| format!("{:?}", nested.block.mark_sensitive(item));
                self.set(
                    planned,
                    actual,
                    ("block set length", &shown),
                    |check, planned, actual| {
                        check.block(&nested.block, planned, actual);
                    },
                );
            }
        }
    }

    fn keyed_blocks(&mut self, nested: &NestedBlock, planned: &Value, actual: &Value) {
        let (before, after) = (keyed(planned), keyed(actual));
        let structural = matches!(planned.kind(), Kind::Object(_));
        if !structural && before.len() != after.len() {
            return self.error(format!(
                "block count changed from {} to {}",
                before.len(),
                after.len()
            ));
        }
        for (key, planned) in &before {
            match element(actual, key) {
                Some(actual) => self.within(PathStep::Index(key.value()), |check| {
                    check.block(&nested.block, planned, actual);
                }),
                None if structural => self.error(format!("block key {key} has vanished")),
                None => {}
            }
        }
        for (key, _) in &after {
            if structural && element(planned, key).is_none() {
                self.error(format!("new block key {key} has appeared"));
            }
        }
    }

    /// Compares values of conforming types.
    fn value(&mut self, planned: &Value, actual: &Value) {
        if planned == actual
            || matches!(planned.kind(), Kind::Unknown(unknown) if unknown.0 == Type::Dynamic)
        {
            return;
        }
        match (planned.kind(), actual.kind()) {
            (Kind::Unknown(_), _) => {
                if ops::equals(planned, actual).as_bool() == Some(false) {
                    self.error(format!("final value {actual:?} does not conform to planning placeholder {planned:?}"));
                }
            }
            (Kind::Null(_), Kind::Null(_)) => {}
            (_, Kind::Null(_)) => self.error(format!("was {planned:?}, but now null")),
            (Kind::Null(_), _) => self.error(format!("was null, but now {actual:?}")),
            (_, Kind::Unknown(_)) => self.error("was known, but now unknown"),
            (Kind::Set(..), Kind::Set(..)) => self.set(
                planned,
                actual,
                ("length", &|item| format!("{item:?}")),
                Self::value,
            ),
            (Kind::Object(before), Kind::Object(_)) => {
                for (name, planned) in before.iter() {
                    if let Some(actual) = actual.get(name) {
                        self.within(PathStep::Attribute(name.clone()), |check| {
                            check.value(planned, actual);
                        });
                    }
                }
            }
            (
                Kind::List(..) | Kind::Tuple(_) | Kind::Map(..),
                Kind::List(..) | Kind::Tuple(_) | Kind::Map(..),
            ) => {
                self.keyed_values(planned, actual);
            }
            _ => self.error(format!("was {planned:?}, but now {actual:?}")),
        }
    }

    fn keyed_values(&mut self, planned: &Value, actual: &Value) {
        for (key, planned) in keyed(planned) {
            match element(actual, &key) {
                Some(actual) => self.within(PathStep::Index(key.value()), |check| {
                    check.value(planned, actual);
                }),
                None => self.error(format!("element {key} has vanished")),
            }
        }
        for (key, _) in keyed(actual) {
            if element(planned, &key).is_none() {
                self.error(format!("new element {key} has appeared"));
            }
        }
    }

    /// Elements of sets have no keys: each must have at least one on the other side that it can be. There may be fewer
    /// after unknown ones became equal, never more.
    fn set(
        &mut self,
        planned: &Value,
        actual: &Value,
        (what, shown): (&str, &dyn Fn(&Value) -> String),
        compare: impl Fn(&mut Self, &Value, &Value),
    ) {
        let before = planned.as_sequence().unwrap_or_default();
        let after = actual.as_sequence().unwrap_or_default();
        let mut matched = vec![false; after.len()];
        let places: BTreeMap<&Value, usize> = after
            .iter()
            .enumerate()
            .map(|(place, item)| (item, place))
            .collect();
        let mut unmatched = Vec::new();
        for planned in before {
            // Equal elements stand for each other; only others need a closer look.
            let mut found = false;
            if let Some(place) = places.get(planned) {
                matched[*place] = true;
                found = true;
            }
            if !found || !planned.is_wholly_known() {
                for (place, actual) in after.iter().enumerate() {
                    if self.passes(actual, |check| compare(check, planned, actual)) {
                        matched[place] = true;
                        found = true;
                    }
                }
            }
            if !found {
                unmatched.push(planned);
            }
        }
        for planned in &unmatched {
            self.error(format!(
                "planned set element {} does not correlate with any element in actual",
                shown(planned)
            ));
        }
        if unmatched.is_empty() {
            for (actual, _) in after.iter().zip(&matched).filter(|(_, matched)| !**matched) {
                self.error(format!(
                    "actual set element {} does not correlate with any element in plan",
                    shown(actual)
                ));
            }
        }
        if before.len() < after.len() {
            self.error(format!(
                "{what} changed from {} to {}",
                before.len(),
                after.len()
            ));
        }
    }
}

/// Whether `got` is `wanted`, anything being a `Dynamic`.
fn conforms(got: &Type, wanted: &Type) -> bool {
    match (got, wanted) {
        (_, Type::Dynamic) => true,
        (Type::List(got), Type::List(wanted))
        | (Type::Set(got), Type::Set(wanted))
        | (Type::Map(got), Type::Map(wanted)) => conforms(got, wanted),
        (Type::Tuple(got), Type::Tuple(wanted)) => {
            got.len() == wanted.len()
                && got
                    .iter()
                    .zip(wanted.iter())
                    .all(|(got, wanted)| conforms(got, wanted))
        }
        (Type::Object(got), Type::Object(wanted)) => {
            got.attributes.len() == wanted.attributes.len()
                && got
                    .attributes
                    .iter()
                    .zip(&wanted.attributes)
                    .all(|((name, got), (key, wanted))| name == key && conforms(got, wanted))
        }
        _ => got == wanted,
    }
}
