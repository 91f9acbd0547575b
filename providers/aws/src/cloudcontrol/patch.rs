//! Changes of a desired state, as JSON patches (RFC 6902) tell them.

use serde_json::{Value as Json, json};

/// The operations that make the one of the other.
pub(super) fn between(before: &Json, after: &Json) -> Vec<Json> {
    let mut operations = Vec::new();
    compare("", before, after, &mut operations);
    operations
}

fn compare(path: &str, before: &Json, after: &Json, operations: &mut Vec<Json>) {
    match (before, after) {
        _ if before == after => {}
        (Json::Object(old), Json::Object(new)) => {
            let inner = |name: &str| format!("{path}/{}", escaped(name));
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                operations.push(json!({"op": "remove", "path": inner(name)}));
            }
            for (name, value) in new {
                match old.get(name) {
                    Some(old) => compare(&inner(name), old, value, operations),
                    None => {
                        operations.push(json!({"op": "add", "path": inner(name), "value": value}));
                    }
                }
            }
        }
        // Elements of a list have no names: a list is changed whole.
        _ => operations.push(json!({"op": "replace", "path": path, "value": after})),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_says_what_is_new_what_goes_and_what_changes() {
        let before = json!({"Name": "a", "Days": 1, "Tags": [1], "In": {"a/b": 1, "same": true}});
        let after = json!({"Name": "a", "Tags": [1, 2], "In": {"a/b": 2, "same": true}, "New": {}});
        let expected = vec![
            json!({"op": "remove", "path": "/Days"}),
            json!({"op": "replace", "path": "/In/a~1b", "value": 2}),
            json!({"op": "add", "path": "/New", "value": {}}),
            json!({"op": "replace", "path": "/Tags", "value": [1, 2]}),
        ];
        assert_eq!(between(&before, &after), expected);
        assert_eq!(between(&before, &before), Vec::<Json>::new());
    }
}
