//! Whether what a provider planned is something it may plan.

use std::collections::BTreeMap;

use terrace_value::{Kind, Path, PathStep, Text, Value, ops};

use crate::parts::{Key, attribute, element, keyed, same_unrefined};
use crate::{Attribute, Block, BlockNesting, NestedBlock, NestedObject, Nesting, ValueError};

/// What is wrong with `planned` as the answer to `config`, where `prior` is what there is; empty if nothing is.
///
/// A provider may choose values only for computed attributes that configuration leaves null; elsewhere it must follow
/// configuration, or keep the prior value to say that it means the same. Each of the values is an object or null, without
/// marks.
pub fn assert_plan_valid(
    schema: &Block,
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Vec<ValueError> {
    let mut check = Check {
        errors: Vec::new(),
        path: Path::root(),
    };
    check.block(schema, prior, config, planned);
    check.errors
}

struct Check {
    errors: Vec<ValueError>,
    path: Path,
}

const BLOCK_UNKNOWN: &str = "attribute representing nested block must not be unknown itself; set nested attribute values to unknown instead";
const ELEMENT_UNKNOWN: &str = "element representing nested block must not be unknown itself; set nested attribute values to unknown instead";
const ABSENT: &str = "planned for absence but config wants existence";
const PRESENT: &str = "planned for existence but config wants absence";

impl Check {
    fn error(&mut self, message: impl Into<String>) {
        self.errors.push(ValueError::new(&self.path, message));
    }

    /// Runs `check` one step further inside.
    fn within(&mut self, step: PathStep, check: impl FnOnce(&mut Self)) {
        self.path.0.push(step);
        check(self);
        self.path.0.pop();
    }

    fn block(&mut self, schema: &Block, prior: &Value, config: &Value, planned: &Value) {
        match (planned.is_null(), config.is_null()) {
            (true, false) => return self.error(ABSENT),
            (false, true) => return self.error(PRESENT),
            (true, true) => return,
            (false, false) => {}
        }
        self.attributes(&schema.attributes, prior, config, planned);
        for (name, nested) in &schema.blocks {
            let part = |object| attribute(object, name, || nested.value_type());
            let (prior, config, planned) = (part(prior), part(config), part(planned));
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.nested(nested, &prior, &config, &planned);
            });
        }
    }

    fn nested(&mut self, nested: &NestedBlock, prior: &Value, config: &Value, planned: &Value) {
        if planned == config {
            return;
        }
        if !config.is_known() {
            let shown = nested.block.mark_sensitive(planned);
            return self.error(format!("planned value {shown:?} for unknown dynamic block"));
        }
        if !planned.is_known() {
            return self.error(BLOCK_UNKNOWN);
        }
        let kind = match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => {
                return self.block(&nested.block, prior, config, planned);
            }
            BlockNesting::List => "list",
            BlockNesting::Map => "map",
            BlockNesting::Set => "set",
        };
        if planned.is_null() {
            return self.error(format!(
                "attribute representing a {kind} of nested blocks must be empty to indicate no blocks, not null"
            ));
        }
        match nested.nesting {
            // Elements of a set cannot be matched with configuration: the provider is trusted with them.
            BlockNesting::Set => self.set_elements(planned),
            _ => self.keyed_elements(nested, prior, config, planned),
        }
    }

    fn set_elements(&mut self, planned: &Value) {
        for item in planned.as_sequence().unwrap_or_default() {
            if !item.is_known() {
                self.within(PathStep::Index(item.clone()), |check| {
                    check.error(ELEMENT_UNKNOWN);
                });
            }
        }
    }

    fn keyed_elements(
        &mut self,
        nested: &NestedBlock,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        let (items, wanted) = (keyed(planned), keyed(config));
        let structural = matches!(planned.kind(), Kind::Object(_));
        if !structural && items.len() != wanted.len() {
            return self.error(format!(
                "block count in plan ({}) disagrees with count in config ({})",
                items.len(),
                wanted.len()
            ));
        }
        let nothing = Value::null(nested.block.implied_type());
        for (key, item) in &items {
            let Some(config) = element(config, key) else {
                self.error(format!(
                    "block key {key} from plan is not present in config"
                ));
                continue;
            };
            let prior = element(prior, key).unwrap_or(&nothing);
            self.within(PathStep::Index(key.value()), |check| {
                if item.is_known() {
                    check.block(&nested.block, prior, config, item);
                } else {
                    check.error(ELEMENT_UNKNOWN);
                }
            });
        }
        for (key, _) in &wanted {
            if element(planned, key).is_none() {
                self.error(format!(
                    "block key {key} from config is not present in plan"
                ));
            }
        }
    }

    fn attributes(
        &mut self,
        schema: &BTreeMap<Text, Attribute>,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        for (name, schema) in schema {
            let part = |object| attribute(object, name, || schema.value_type());
            let (prior, config, planned) = (part(prior), part(config), part(planned));
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.attribute(schema, &prior, &config, &planned);
            });
        }
    }

    fn attribute(&mut self, schema: &Attribute, prior: &Value, config: &Value, planned: &Value) {
        if same_unrefined(planned, config)
            || (!prior.is_null() && !config.is_null() && same_unrefined(planned, prior))
            || (schema.computed && (!schema.optional || config.is_null()))
        {
            return;
        }
        if config.is_null() && !planned.is_null() {
            return self.error(if schema.contains_sensitive() {
                "sensitive planned value for a non-computed attribute".to_owned()
            } else {
                format!("planned value {planned:?} for a non-computed attribute")
            });
        }
        if planned.is_null() && schema.write_only {
            return;
        }
        if let Some(nested) = schema.nested() {
            return self.nested_attribute(nested, prior, config, planned);
        }
        let message = match (schema.sensitive, prior.is_null()) {
            (true, true) => "sensitive planned value does not match config value".to_owned(),
            (true, false) => {
                "sensitive planned value does not match config value nor prior value".to_owned()
            }
            (false, true) => {
                format!("planned value {planned:?} does not match config value {config:?}")
            }
            (false, false) => {
                format!(
                    "planned value {planned:?} does not match config value {config:?} nor prior value {prior:?}"
                )
            }
        };
        self.error(message);
    }

    fn nested_attribute(
        &mut self,
        nested: &NestedObject,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        match (planned.is_null(), config.is_null()) {
            (true, false) => return self.error(ABSENT),
            (false, true) => return self.error(PRESENT),
            (true, true) => return,
            (false, false) if !planned.is_known() => {
                return self.error("planned unknown for configured value");
            }
            (false, false) => {}
        }
        match nested.nesting {
            Nesting::Single => self.attributes(&nested.attributes, prior, config, planned),
            Nesting::List | Nesting::Map => {
                if self.same_length(config, planned, true) {
                    self.nested_elements(nested, prior, config, planned);
                }
            }
            // Elements of a set cannot be matched with configuration: the provider is trusted with them.
            Nesting::Set => {
                self.same_length(config, planned, false);
            }
        }
    }

    /// Complains when the lengths differ: surely, or for `ordered` elements perhaps.
    fn same_length(&mut self, config: &Value, planned: &Value, ordered: bool) -> bool {
        let (Some(has), Some(wants)) = (ops::length(planned), ops::length(config)) else {
            return true;
        };
        let equal = ops::equals(&has, &wants).as_bool();
        let undecided = equal.is_none() && ordered && (has.is_known() || wants.is_known());
        if equal == Some(false) || undecided {
            self.error(format!(
                "count in plan ({has:?}) disagrees with count in config ({wants:?})"
            ));
            return false;
        }
        true
    }

    fn nested_elements(
        &mut self,
        nested: &NestedObject,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        let nothing = Value::null(nested.object_type());
        for (key, item) in keyed(planned) {
            let Some(config) = element(config, &key) else {
                if let (Key::Name(_), true) = (&key, config.is_known()) {
                    self.error(format!("map key {key} from plan is not present in config"));
                }
                continue;
            };
            let prior = element(prior, &key).unwrap_or(&nothing);
            self.within(PathStep::Index(key.value()), |check| {
                check.attributes(&nested.attributes, prior, config, item);
            });
        }
        for (key, _) in keyed(config) {
            if let (Key::Name(_), None) = (&key, element(planned, &key)) {
                self.error(format!("map key {key} from config is not present in plan"));
            }
        }
    }
}
