//! Addresses written as references.

use terrace_addr::{LocalProviderConfig, Target};
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Expr, Step, Traversal};
use terrace_value::literal::quoted;

use crate::suite::{Expected, OverrideKind};

/// A reference as the text of an address.
pub(crate) fn text_of(traversal: &Traversal) -> String {
    let mut text = traversal.root.name.to_string();
    for step in &traversal.steps {
        match step {
            Step::Attribute(ident) => {
                text.push('.');
                text.push_str(&ident.name);
            }
            Step::Index { key, .. } => {
                let key = match (key.as_str(), key.as_number()) {
                    (Some(key), _) => quoted(key),
                    (None, Some(number)) => number.to_string(),
                    (None, None) => String::new(),
                };
                text.push('[');
                text.push_str(&key);
                text.push(']');
            }
            Step::Splat { .. } => text.push_str("[*]"),
        }
    }
    text
}

/// The address that an expression writes.
pub(crate) fn address<T>(expression: &Expr, what: &str) -> Result<T, Diagnostic>
where
    T: std::str::FromStr<Err = terrace_addr::ParseError>,
{
    let invalid = |detail: String| {
        Diagnostic::error("invalid-address", format!("Invalid {what}"), detail).at(expression.span)
    };
    let Some(traversal) = expression.as_traversal() else {
        return Err(invalid(
            "An address is required here, such as aws_instance.example or module.network, without quotes."
                .to_owned(),
        ));
    };
    let text = text_of(&traversal);
    text.parse()
        .map_err(|error: terrace_addr::ParseError| invalid(format!("{text}: {}.", error.message)))
}

/// What an override targets.
pub(crate) fn override_target(expression: &Expr, kind: OverrideKind) -> Result<Target, Diagnostic> {
    use terrace_addr::ResourceMode::{Data, Managed};
    let target: Target = address(expression, "override target")?;
    let mode = match &target {
        Target::Module(_) => None,
        Target::Resource(resource) => Some(resource.resource.mode),
        Target::Instance(instance) => Some(instance.mode()),
    };
    let fits = match kind {
        OverrideKind::Resource => mode == Some(Managed),
        OverrideKind::Data => mode == Some(Data),
        OverrideKind::Module => mode.is_none(),
    };
    if fits {
        return Ok(target);
    }
    let detail = format!(
        "You can only target {} from {} blocks, not {target}.",
        kind.targets(),
        kind.block()
    );
    Err(
        Diagnostic::error("invalid-override-target", "Invalid override target", detail)
            .at(expression.span),
    )
}

/// An object that has conditions.
pub(crate) fn expected(expression: &Expr) -> Result<Expected, Diagnostic> {
    let invalid = |detail: String, span: Span| {
        Diagnostic::error(
            "invalid-expected-failure",
            "Invalid `expect_failures` reference",
            detail,
        )
        .at(span)
    };
    let Some(traversal) = expression.as_traversal() else {
        let detail = "A reference to an object with conditions is required here, such as var.name, output.name, check.name or aws_instance.example.";
        return Err(invalid(detail.to_owned(), expression.span));
    };
    let text = text_of(&traversal);
    let inner = within_modules(&text);
    let kind = match inner.split('.').next() {
        Some("var") => "var",
        Some("output") => "output",
        Some("check") => "check",
        Some("local" | "each" | "count" | "path" | "terraform" | "self" | "run" | "module")
        | None => {
            let detail = format!(
                "You cannot expect failures from {text}. You can only expect failures from checkable objects such as input variables, output values, check blocks, managed resources and data sources."
            );
            return Err(invalid(detail, expression.span));
        }
        Some(_) => "resource",
    };
    Ok(Expected {
        kind,
        address: text,
        span: expression.span,
    })
}

/// What follows the modules of an address.
fn within_modules(text: &str) -> &str {
    let mut rest = text;
    while let Some(after) = rest.strip_prefix("module.") {
        // A key may hold dots, and is all within brackets.
        let mut depth = 0_usize;
        let end = after.find(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == '.' && depth == 0
        });
        let Some(end) = end else { return rest };
        rest = &after[end + 1..];
    }
    rest
}

/// A provider as it is named: `aws` or `aws.east`.
pub(crate) fn provider(expression: &Expr) -> Result<LocalProviderConfig, Diagnostic> {
    let named = expression.as_traversal().and_then(|traversal| {
        let alias = match &traversal.steps[..] {
            [] => None,
            [Step::Attribute(alias)] => Some(alias.name.clone()),
            _ => return None,
        };
        Some(LocalProviderConfig {
            local_name: traversal.root.name.clone(),
            alias,
        })
    });
    named.ok_or_else(|| {
        Diagnostic::error(
            "invalid-provider-reference",
            "Invalid provider configuration reference",
            "A provider configuration reference must be given here: the name of a provider, and with a dot its alias if it has one.",
        )
        .at(expression.span)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_diag::SourceId;

    fn parsed(text: &str) -> Expr {
        let (expression, problems) = terrace_syntax::parse_expression(SourceId(0), text);
        assert!(problems.is_empty(), "{text}");
        expression
    }

    #[test]
    fn objects_with_conditions_are_told_from_others() {
        for (text, kind) in [
            ("var.a", "var"),
            ("output.a", "output"),
            ("check.a", "check"),
            ("aws_instance.a[\"x.y\"]", "resource"),
            ("data.aws_ami.a", "resource"),
            ("module.a[\"x.y\"].module.b.output.z", "output"),
        ] {
            let found = expected(&parsed(text)).unwrap();
            assert_eq!((found.kind, &*found.address), (kind, text));
        }
        for text in ["local.a", "module.a", "path.root", "1"] {
            assert!(expected(&parsed(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn overrides_take_targets_of_their_kind() {
        let cases = [
            ("a.b[0]", OverrideKind::Resource),
            ("module.c.data.a.b", OverrideKind::Data),
            ("module.c[\"k\"].module.d", OverrideKind::Module),
        ];
        for (place, (text, _)) in cases.iter().enumerate() {
            for (other, (_, kind)) in cases.iter().enumerate() {
                let found = override_target(&parsed(text), *kind);
                assert_eq!(found.is_ok(), place == other, "{text} {kind:?}");
            }
        }
    }

    #[test]
    fn providers_have_a_name_and_perhaps_an_alias() {
        assert_eq!(
            provider(&parsed("aws.east")).unwrap().to_string(),
            "aws.east"
        );
        assert_eq!(provider(&parsed("aws")).unwrap().to_string(), "aws");
        assert!(provider(&parsed("aws.east.more")).is_err());
    }
}
