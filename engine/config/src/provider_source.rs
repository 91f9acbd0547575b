//! Names of providers as `required_providers` writes them.

use terrace_addr::ProviderAddr;

/// The provider that a source names; or summary and detail of what is wrong.
pub(crate) fn provider_source(source: &str) -> Result<ProviderAddr, (&'static str, String)> {
    let parts: Vec<&str> = source.split('/').collect();
    if source.is_empty() || parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
        return Err((
            "Invalid provider source string",
            "The \"source\" attribute must be in the format \"[hostname/][namespace/]name\"".into(),
        ));
    }
    let named = |index: usize| {
        parts
            .len()
            .checked_sub(index)
            .and_then(|at| parts.get(at))
            .copied()
    };
    for (part, what) in [(named(1), "type"), (named(2), "namespace")] {
        if let Some(part) = part
            && !is_part(part)
        {
            let summary = if what == "type" {
                "Invalid provider type"
            } else {
                "Invalid provider namespace"
            };
            return Err((
                summary,
                format!(
                    "Invalid provider {what} {part:?} in source {source:?}: must contain only letters, digits, and dashes, and may not use leading or trailing dashes\""
                ),
            ));
        }
    }
    let provider = ProviderAddr::parse(source)
        .map_err(|error| ("Invalid provider source hostname", error.to_string()))?;
    redundant_prefix(&provider)?;
    Ok(provider)
}

fn is_part(part: &str) -> bool {
    !part.starts_with('-')
        && !part.ends_with('-')
        && part
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn redundant_prefix(provider: &ProviderAddr) -> Result<(), (&'static str, String)> {
    const SUMMARY: &str = "Invalid provider type";
    let display = provider.for_display();
    if let Some(rest) = provider.name.strip_prefix("terraform-provider-") {
        let hint = if rest.is_empty() {
            String::new()
        } else {
            format!(
                "\n\nDid you mean \"{}{rest}\"?",
                display.strip_suffix(&*provider.name).unwrap_or_default()
            )
        };
        return Err((
            SUMMARY,
            format!(
                "Provider source \"{display}\" has a type with the prefix \"terraform-provider-\", which isn't valid. Although that prefix is often used in the names of version control repositories for Terrace providers, provider source strings should not include it.{hint}"
            ),
        ));
    }
    if provider.name.starts_with("terraform-") {
        return Err((
            SUMMARY,
            format!(
                "Provider source \"{provider}\" has a type with the prefix \"terraform-\", which isn't allowed because it would be redundant to name a Terrace provider with that prefix. If you are the author of this provider, rename it to not include the prefix."
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_checked() {
        assert_eq!(
            provider_source("foo/Bar").unwrap().to_string(),
            "registry.terraform.io/foo/bar"
        );
        assert_eq!(
            provider_source("a/b/c/d").unwrap_err().0,
            "Invalid provider source string"
        );
        assert_eq!(
            provider_source("").unwrap_err().0,
            "Invalid provider source string"
        );
        assert_eq!(
            provider_source("a/b c").unwrap_err().0,
            "Invalid provider type"
        );
        assert_eq!(
            provider_source("-/x").unwrap_err().0,
            "Invalid provider namespace"
        );
        assert_eq!(
            provider_source("x/terraform-y").unwrap_err().0,
            "Invalid provider type"
        );
        assert!(
            provider_source("x/terraform-provider-y")
                .unwrap_err()
                .1
                .contains("Did you mean \"x/y\"?")
        );
    }
}
