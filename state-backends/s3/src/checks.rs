//! What values of the backend's own arguments must look like, in the reference's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrace_aws_access::checks::arn_parts;
use terrace_backend_remote::Problem;

const INVALID: &str = "Invalid Value";

/// A key, or a part of one.
pub(crate) fn path(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    if text.starts_with('/') || text.ends_with('/') {
        problems.push(Problem::with(
            argument,
            INVALID,
            "The value must not start or end with \"/\"",
        ));
    }
    if text.contains("//") {
        problems.push(Problem::with(
            argument,
            INVALID,
            "Value must not contain \"//\"",
        ));
    }
}

/// The id, the ARN or the alias of a KMS key.
pub(crate) fn kms_key(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    if text.starts_with("arn:") {
        let is_key = arn_parts(text).is_ok_and(|[_, service, _, _, resource]| {
            service == "kms"
                && (resource.strip_prefix("key/").is_some_and(is_key_id)
                    || resource.strip_prefix("alias/").is_some_and(is_alias))
        });
        if !is_key {
            problems.push(Problem::with(
                argument,
                "Invalid KMS Key ARN",
                format!("Value must be a valid KMS Key ARN, got {text:?}"),
            ));
        }
    } else if !is_key_id(text) && !text.strip_prefix("alias/").is_some_and(is_alias) {
        problems.push(Problem::with(
            argument,
            "Invalid KMS Key ID",
            format!("Value must be a valid KMS Key ID, got {text:?}"),
        ));
    }
}

fn is_key_id(text: &str) -> bool {
    let hexadecimal = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(rest) = text.strip_prefix("mrk-") {
        return rest.len() == 32 && hexadecimal(rest);
    }
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.into_iter().all(hexadecimal)
}

fn is_alias(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// A key for SSE-C; the decoded key.
pub(crate) fn customer_key(
    argument: &str,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Option<Vec<u8>> {
    let summary = "Invalid sse_customer_key value";
    if text.len() != 44 {
        problems.push(Problem::with(
            argument,
            summary,
            "sse_customer_key must be 44 characters in length",
        ));
        return None;
    }
    match STANDARD.decode(text) {
        Ok(key) => Some(key),
        Err(error) => {
            problems.push(Problem::with(
                argument,
                summary,
                format!("sse_customer_key must be base64 encoded: {error}"),
            ));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(check: impl FnOnce(&mut Vec<Problem>)) -> Vec<String> {
        let mut problems = Vec::new();
        check(&mut problems);
        problems.into_iter().map(|problem| problem.detail).collect()
    }

    #[test]
    fn keys_of_kms() {
        for good in [
            "12345678-1234-4234-9234-123456789012",
            "mrk-12345678123412341234123456789012",
            "alias/mine",
            "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-4234-9234-123456789012",
            "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/mine",
        ] {
            assert_eq!(
                told(|problems| kms_key("k", good, problems)),
                [""; 0],
                "{good}"
            );
        }
        assert_eq!(
            told(|problems| kms_key("k", "foo", problems)),
            ["Value must be a valid KMS Key ID, got \"foo\""]
        );
        assert_eq!(
            told(|problems| kms_key("k", "arn:aws:kms:us-east-1:123456789012:key/x", problems)),
            ["Value must be a valid KMS Key ARN, got \"arn:aws:kms:us-east-1:123456789012:key/x\""]
        );
    }

    #[test]
    fn paths() {
        assert_eq!(
            told(|problems| path("key", "/a", problems)),
            ["The value must not start or end with \"/\""]
        );
        assert_eq!(
            told(|problems| path("key", "a//b", problems)),
            ["Value must not contain \"//\""]
        );
    }
}
