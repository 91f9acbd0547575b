//! `terraform_data`: an object of the engine's own.

use std::fmt::Write;
use std::sync::Arc;

use terrace_port::{
    ApplyRequest, ApplyResponse, Entropy, MoveRequest, PlanRequest, PlanResponse,
    ProviderDiagnostic,
};
use terrace_value::{Path, Refinements, Type, Value};

pub(crate) fn object(id: Value, input: Value, output: Value, triggers_replace: Value) -> Value {
    Value::object([
        ("id", id),
        ("input", input),
        ("output", output),
        ("triggers_replace", triggers_replace),
    ])
}

fn get(object: &Value, name: &str) -> Value {
    object.get(name).cloned().unwrap_or(Value::NULL)
}

pub(crate) fn validate(config: &Value) -> Vec<ProviderDiagnostic> {
    let computed = ["id", "output"]
        .into_iter()
        .filter(|name| !get(config, name).is_null());
    computed
        .map(|name| {
            ProviderDiagnostic::error(
                format!("Invalid resource attribute {name:?}"),
                format!(
                    "The {name:?} of a terraform_data is set by Terrace and cannot be configured."
                ),
            )
            .at(Path::root().attribute(name))
        })
        .collect()
}

/// The state of a `terraform_data` that was a `null_resource` until now: its triggers ask for replacements.
pub(crate) fn from_null_resource(request: &MoveRequest) -> Result<Value, Box<ProviderDiagnostic>> {
    let refused =
        |summary: &str, detail: String| Box::new(ProviderDiagnostic::error(summary, detail));
    if !request.source_provider.ends_with("/hashicorp/null") {
        return Err(refused(
            "Unsupported source provider for move operation",
            format!(
                "Only moving from resources of the provider hashicorp/null to terraform_data is supported, not from {}.",
                request.source_provider
            ),
        ));
    }
    let source = &request.source;
    if &*source.type_name != "null_resource" {
        return Err(refused(
            "Unsupported source resource type for move operation",
            format!(
                "Only moving from null_resource to terraform_data is supported, not from {}.",
                source.type_name
            ),
        ));
    }
    let ty = Type::object([("id", Type::String), ("triggers", Type::map(Type::String))]);
    let text = std::str::from_utf8(&source.json).unwrap_or_default();
    let stored = terrace_value::json::decode(text, &ty).map_err(|error| {
        refused(
            "Stored object cannot be read",
            format!(
                "The attributes of a null_resource in the state do not fit its schema: {error}."
            ),
        )
    })?;
    let triggers = get(&stored, "triggers");
    let triggers = if triggers.is_null() {
        Value::NULL
    } else {
        triggers
    };
    Ok(object(
        get(&stored, "id"),
        Value::NULL,
        Value::NULL,
        triggers,
    ))
}

/// What `output` will be: the input, once it has been applied.
fn planned_output(input: &Value) -> Value {
    if input.is_null() {
        Value::NULL
    } else {
        Value::unknown(input.ty())
    }
}

fn new_id() -> Value {
    Value::unknown_refined(Type::String, Refinements::not_null())
}

pub(crate) fn plan(request: PlanRequest) -> PlanResponse {
    let PlanRequest {
        prior,
        proposed,
        prior_private,
        ..
    } = request;
    let answer = |planned, requires_replace| PlanResponse {
        planned,
        requires_replace,
        private: prior_private.clone(),
        legacy_type_system: false,
        identity: None,
    };
    if proposed.is_null() {
        return answer(proposed, Vec::new());
    }
    let (input, triggers) = (get(&proposed, "input"), get(&proposed, "triggers_replace"));
    if prior.is_null() {
        let output = planned_output(&input);
        return answer(object(new_id(), input, output, triggers), Vec::new());
    }
    if triggers != get(&prior, "triggers_replace") {
        let output = planned_output(&input);
        return answer(
            object(new_id(), input, output, triggers),
            vec![Path::root().attribute("triggers_replace")],
        );
    }
    let output = if input == get(&prior, "input") {
        get(&prior, "output")
    } else {
        Value::unknown(input.ty())
    };
    answer(
        object(get(&prior, "id"), input, output, triggers),
        Vec::new(),
    )
}

pub(crate) fn apply(request: ApplyRequest, entropy: &dyn Entropy) -> ApplyResponse {
    let planned = request.planned;
    let state = if planned.is_null() {
        planned
    } else {
        let id = match get(&planned, "id") {
            id if id.is_known() => id,
            _ => Value::string(random_id(entropy)),
        };
        let input = get(&planned, "input");
        let output = match get(&planned, "output") {
            output if output.is_known() => output,
            _ => input.clone(),
        };
        object(id, input, output, get(&planned, "triggers_replace"))
    };
    ApplyResponse {
        state,
        private: Arc::clone(&request.planned_private),
        legacy_type_system: false,
        identity: None,
    }
}

/// Thirty-two random hexadecimal digits in the groups of a UUID.
fn random_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    let mut id = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        write!(id, "{byte:02x}").expect("writing to a string does not fail");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn request(prior: Value, input: Value, triggers: Value) -> PlanRequest {
        let config = object(Value::NULL, input.clone(), Value::NULL, triggers.clone());
        let id = get(&prior, "id");
        let output = get(&prior, "output");
        PlanRequest {
            type_name: "terraform_data".into(),
            proposed: object(id, input, output, triggers),
            prior,
            config,
            prior_private: Arc::default(),
            identity: None,
        }
    }

    #[test]
    fn the_output_of_no_input_is_known_to_be_null() {
        let planned = plan(request(Value::NULL, Value::NULL, Value::NULL)).planned;
        assert!(get(&planned, "output").is_null());
        assert!(!get(&planned, "id").is_known());
    }

    #[test]
    fn apply_gives_the_input_as_output() {
        let planned = plan(request(Value::NULL, Value::int(1), Value::NULL)).planned;
        let state = apply(
            ApplyRequest {
                type_name: "terraform_data".into(),
                prior: Value::NULL,
                planned,
                config: Value::NULL,
                planned_private: Arc::default(),
                identity: None,
            },
            &Zeros,
        )
        .state;
        assert_eq!(get(&state, "output"), Value::int(1));
        assert_eq!(
            get(&state, "id"),
            Value::string("00000000-0000-0000-0000-000000000000")
        );
    }

    #[test]
    fn other_triggers_ask_for_a_replacement() {
        let prior = object(Value::string("x"), Value::NULL, Value::NULL, Value::int(1));
        let answer = plan(request(prior.clone(), Value::NULL, Value::int(2)));
        assert_eq!(
            answer.requires_replace,
            [Path::root().attribute("triggers_replace")]
        );
        assert!(
            plan(request(prior, Value::NULL, Value::int(1)))
                .requires_replace
                .is_empty()
        );
    }
}
