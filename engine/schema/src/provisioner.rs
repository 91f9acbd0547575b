//! The arguments of provisioners and of `connection` blocks.

use terrace_value::{Type, Value};

use crate::{Attribute, Block};

fn block(attributes: Vec<(&str, Attribute)>) -> Block {
    Block {
        attributes: attributes
            .into_iter()
            .map(|(name, attribute)| (name.into(), attribute))
            .collect(),
        ..Block::default()
    }
}

/// The arguments of a provisioner (`local-exec`, `remote-exec`, `file`); `None` for a type that does not exist.
pub fn provisioner(type_name: &str) -> Option<Block> {
    let texts = || Attribute::optional(Type::list(Type::String));
    let text = || Attribute::optional(Type::String);
    let attributes = match type_name {
        "local-exec" => vec![
            ("command", Attribute::required(Type::String)),
            ("interpreter", texts()),
            ("working_dir", text()),
            ("environment", Attribute::optional(Type::map(Type::String))),
            ("quiet", Attribute::optional(Type::Bool)),
        ],
        "remote-exec" => vec![
            ("inline", texts()),
            ("script", text()),
            ("scripts", texts()),
        ],
        "file" => vec![
            ("source", text()),
            ("content", text()),
            ("destination", Attribute::required(Type::String)),
        ],
        _ => return None,
    };
    Some(block(attributes))
}

/// The arguments of a `connection` block.
pub fn connection() -> Block {
    const TEXTS: [&str; 21] = [
        "type",
        "user",
        "password",
        "timeout",
        "script_path",
        "target_platform",
        "private_key",
        "certificate",
        "host_key",
        "agent_identity",
        "proxy_scheme",
        "proxy_host",
        "proxy_user_name",
        "proxy_user_password",
        "bastion_host",
        "bastion_user",
        "bastion_password",
        "bastion_private_key",
        "bastion_certificate",
        "bastion_host_key",
        "cacert",
    ];
    let mut attributes = vec![("host", Attribute::required(Type::String))];
    attributes.extend(TEXTS.map(|name| (name, Attribute::optional(Type::String))));
    for name in ["port", "proxy_port", "bastion_port"] {
        attributes.push((name, Attribute::optional(Type::Number)));
    }
    for name in ["agent", "https", "insecure", "use_ntlm"] {
        attributes.push((name, Attribute::optional(Type::Bool)));
    }
    block(attributes)
}

/// What is wrong with the arguments of a provisioner taken together: a summary and a detail. Values that are not
/// known count as given.
pub fn provisioner_problem(
    type_name: &str,
    arguments: &Value,
) -> Option<(&'static str, &'static str)> {
    let (plain, _) = arguments.unmark_deep();
    let given = |names: &[&str]| {
        let given = |name: &&&str| plain.get(name).is_some_and(|value| !value.is_null());
        names.iter().filter(given).count()
    };
    match type_name {
        "remote-exec" if given(&["inline", "script", "scripts"]) != 1 => Some((
            "Invalid remote-exec provisioner configuration",
            "Only one of \"inline\", \"script\", or \"scripts\" must be set",
        )),
        "file" => match given(&["source", "content"]) {
            0 => Some((
                "Must provide one of 'source' or 'content'",
                "Say with \"source\" which file or directory is to be copied, or with \"content\" what the file is to hold.",
            )),
            1 => None,
            _ => Some((
                "Cannot set both 'source' and 'content'",
                "A file's content comes either from the file or directory \"source\", or from \"content\".",
            )),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_source_is_named() {
        let arguments = |names: &[&str]| {
            Value::object(
                ["inline", "script", "scripts", "source", "content"].map(|name| {
                    let value = if names.contains(&name) {
                        Value::unknown(Type::String)
                    } else {
                        Value::null(Type::String)
                    };
                    (name, value)
                }),
            )
        };
        for (type_name, names, sound) in [
            ("remote-exec", &["inline"][..], true),
            ("remote-exec", &[], false),
            ("remote-exec", &["inline", "script"], false),
            ("file", &["source"], true),
            ("file", &["content"], true),
            ("file", &[], false),
            ("file", &["source", "content"], false),
            ("local-exec", &[], true),
        ] {
            let problem = provisioner_problem(type_name, &arguments(names));
            assert_eq!(problem.is_none(), sound, "{type_name} {names:?}");
        }
    }

    #[test]
    fn only_the_three_have_arguments() {
        for name in ["local-exec", "remote-exec", "file"] {
            assert!(provisioner(name).is_some());
        }
        assert_eq!(provisioner("chef"), None);
        assert!(connection().attributes["host"].required);
    }
}
