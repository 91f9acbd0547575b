//! What values of arguments must look like, in the reference's words.

use std::time::Duration;

use terrace_backend_remote::Problem;

const INVALID: &str = "Invalid Value";

/// A string that is there, in which there is something.
pub fn filled(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    if text.trim().is_empty() {
        problems.push(Problem::with(
            argument,
            INVALID,
            "The value cannot be empty or all whitespace",
        ));
    }
}

/// A number of characters.
pub fn length(
    argument: &str,
    text: &str,
    (least, most): (usize, usize),
    problems: &mut Vec<Problem>,
) {
    let n = text.chars().count();
    if n < least || n > most {
        problems.push(Problem::with(
            argument,
            "Invalid Value Length",
            format!("Length must be between {least} and {most}, had {n}"),
        ));
    }
}

/// A name of a session or an identity.
pub fn name(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    length(argument, text, (2, 64), problems);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    if !text.chars().all(allowed) {
        problems.push(Problem::with(
            argument,
            INVALID,
            "Value can only contain letters, numbers, or the following characters: =,.@-",
        ));
    }
}

/// An external id.
pub fn external_id(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    length(argument, text, (2, 1224), problems);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_=,.@:/-".contains(c);
    if !text.chars().all(allowed) {
        problems.push(Problem::with(
            argument,
            INVALID,
            "Value can only contain letters, numbers, or the following characters: =,.@:/-",
        ));
    }
}

/// The parts of an ARN: partition, service, region, account, resource.
pub fn arn_parts(text: &str) -> Result<[&str; 5], &'static str> {
    let rest = text.strip_prefix("arn:").ok_or("invalid prefix")?;
    let parts: Vec<&str> = rest.splitn(5, ':').collect();
    parts.try_into().map_err(|_| "not enough sections")
}

/// An ARN.
pub fn arn(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    if let Err(why) = arn_parts(text) {
        problems.push(Problem::with(
            argument,
            "Invalid ARN",
            format!("The value {text:?} cannot be parsed as an ARN: arn: {why}"),
        ));
    }
}

/// A policy: JSON.
pub fn policy(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        problems.push(Problem::with(
            argument,
            INVALID,
            format!("The policy is no JSON document: {error}"),
        ));
    }
}

/// One of a few words.
pub fn one_of(argument: &str, text: &str, words: &[&str], problems: &mut Vec<Problem>) {
    if !words.contains(&text) {
        problems.push(Problem::with(
            argument,
            INVALID,
            format!("Value must be one of [{}]", words.join(", ")),
        ));
    }
}

/// An address with scheme and host.
pub fn whole_url(argument: &str, text: &str, problems: &mut Vec<Problem>) {
    let whole = url::Url::parse(text).is_ok_and(|url| url.has_host());
    if !whole {
        problems.push(Problem::with(
            argument,
            INVALID,
            format!("The value must be a valid URL containing at least a scheme and hostname. Had {text:?}"),
        ));
    }
}

/// The duration of a session.
pub fn duration(argument: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Duration> {
    let summary = "Invalid Duration";
    let Some(duration) = parse_duration(text) else {
        problems.push(Problem::with(
            argument,
            summary,
            format!("The value {text:?} cannot be parsed as a duration. Write one as 1h30m, 90m or 3600s."),
        ));
        return None;
    };
    let bounds = Duration::from_mins(15)..=Duration::from_hours(12);
    if !bounds.contains(&duration) {
        problems.push(Problem::with(
            argument,
            summary,
            format!("Duration must be between 15m0s and 12h0m0s, had {text}"),
        ));
        return None;
    }
    Some(duration)
}

/// Hours, minutes and seconds.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit = match rest[end..].chars().next()? {
            'h' => 3600.0,
            'm' => 60.0,
            's' => 1.0,
            _ => return None,
        };
        total += number * unit;
        rest = &rest[end + 1..];
    }
    if text.is_empty() {
        return None;
    }
    Duration::try_from_secs_f64(total).ok()
}

/// Whether this is the name of a region in one of the partitions.
pub fn is_region(text: &str) -> bool {
    const AREAS: &[&str] = &[
        "us-isob", "us-isof", "us-iso", "us-gov", "eu-isoe", "eusc-de", "af", "ap", "ca", "cn",
        "eu", "il", "me", "mx", "sa", "us",
    ];
    const DIRECTIONS: &[&str] = &[
        "central",
        "east",
        "north",
        "northeast",
        "northwest",
        "south",
        "southeast",
        "southwest",
        "west",
    ];
    AREAS.iter().any(|area| {
        let rest = text
            .strip_prefix(area)
            .and_then(|rest| rest.strip_prefix('-'));
        rest.and_then(|rest| rest.split_once('-'))
            .is_some_and(|(direction, number)| {
                DIRECTIONS.contains(&direction)
                    && number.len() == 1
                    && number.bytes().all(|b| b.is_ascii_digit())
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions() {
        for good in [
            "us-east-1",
            "eu-central-2",
            "cn-north-1",
            "us-gov-west-1",
            "ap-southeast-5",
            "us-iso-east-1",
            "eusc-de-east-1",
            "mx-central-1",
        ] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["xx-yy", "us-east", "useast-1", "us-east-1a", "", "us-up-1"] {
            assert!(!is_region(bad), "{bad}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse_duration("1.5h"), Some(Duration::from_mins(90)));
        for bad in ["", "1x", "h", "1", "1h-3m"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    fn told(check: impl FnOnce(&mut Vec<Problem>)) -> Vec<String> {
        let mut problems = Vec::new();
        check(&mut problems);
        problems.into_iter().map(|problem| problem.detail).collect()
    }

    #[test]
    fn arns_and_names() {
        assert_eq!(
            told(|problems| arn("role_arn", "a", problems)),
            ["The value \"a\" cannot be parsed as an ARN: arn: invalid prefix"]
        );
        assert_eq!(
            told(|problems| arn("role_arn", "arn:aws:iam", problems)),
            ["The value \"arn:aws:iam\" cannot be parsed as an ARN: arn: not enough sections"]
        );
        assert_eq!(
            told(|problems| name("session_name", "a", problems)),
            ["Length must be between 2 and 64, had 1"]
        );
        assert_eq!(
            told(|problems| whole_url("x", "x", problems)),
            ["The value must be a valid URL containing at least a scheme and hostname. Had \"x\""]
        );
        assert_eq!(
            told(|problems| whole_url("x", "http://h:1/p", problems)),
            [""; 0]
        );
    }
}
