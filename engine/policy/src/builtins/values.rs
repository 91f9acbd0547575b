//! Functions that regorus has, but that fail where OPA's do not, or the other way round.

use regorus::Value;

use super::{Entry, text};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("json.is_valid", 1, |values| {
        let is_valid = text(values, 0).is_ok_and(|text| Value::from_json_str(text).is_ok());
        Ok(is_valid.into())
    }),
    ("yaml.is_valid", 1, |values| {
        let is_valid = text(values, 0).is_ok_and(|text| Value::from_yaml_str(text).is_ok());
        Ok(is_valid.into())
    }),
];
