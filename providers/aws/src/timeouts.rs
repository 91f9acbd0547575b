//! How long operations may take, as configurations say in `timeouts`.

use std::time::Duration;

use terrace_provider_sdk::{Attribute, Object, Schema, validate};

/// What a block `timeouts` may hold.
const OPERATIONS: [&str; 4] = ["create", "read", "update", "delete"];

/// How long an operation (`create`) may take: what is configured, or what is usual.
pub(crate) fn of(object: &Object, operation: &str, usual: Duration) -> Duration {
    object.timeout(operation).unwrap_or(usual)
}

/// A schema whose block `timeouts`, where it has one, takes nothing but lengths of time.
pub(crate) fn checked(schema: Schema) -> Schema {
    let check = |attribute: Attribute| attribute.validate(validate::duration());
    schema.change_block("timeouts", |block| {
        block.within(|timeouts| {
            OPERATIONS
                .into_iter()
                .fold(timeouts, |timeouts, name| timeouts.change(name, check))
        })
    })
}

#[cfg(test)]
mod tests {
    use terrace_provider_sdk::Value;

    use crate::shape;

    use super::*;

    fn with(timeout: &str) -> Object {
        let mut object = Object::new();
        let timeouts = Value::object([("delete", Value::string(timeout))]);
        object.set("timeouts", timeouts);
        object
    }

    #[test]
    fn what_is_configured_comes_before_what_is_usual() {
        let usual = Duration::from_mins(3);
        assert_eq!(of(&with("90s"), "delete", usual), Duration::from_secs(90));
        assert_eq!(of(&with("90s"), "create", usual), usual);
        // As hashicorp/aws takes it: whoever gives no time does not wait.
        assert_eq!(of(&with("0s"), "delete", usual), Duration::ZERO);
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for name in ["aws_dynamodb_table", "aws_ecr_repository"] {
            let told = |timeout| format!("{:?}", shape::resource(name).validated(&with(timeout)));
            assert!(told("soon").contains("is no duration"), "{}", told("soon"));
            assert!(!told("5m").contains("is no duration"), "{}", told("5m"));
        }
    }
}
