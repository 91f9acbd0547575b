//! `providers.aws.sign_req`: version 4 of AWS' signatures.

use std::collections::BTreeMap;

use hmac::Hmac;
use regorus::Value;
use sha2::{Digest as _, Sha256};

use super::digests::code;
use super::{Entry, Outcome, hex, member, number};
use crate::input::from_rego;

pub(super) const FUNCTIONS: &[Entry] = &[("providers.aws.sign_req", 3, sign_request)];

/// The text of a member that must be there.
fn required<'a>(object: &'a Value, name: &str) -> Result<&'a str, String> {
    member(object, name)
        .and_then(|value| value.as_string().ok())
        .map(|text| &**text)
        .ok_or_else(|| format!("{name} must be there and a string"))
}

fn sign_request(values: &[Value]) -> Outcome {
    let [request, settings, time] = values else {
        return Err("three operands are needed".to_owned());
    };
    let (url, method) = (required(request, "url")?, required(request, "method")?);
    let access_key = required(settings, "aws_access_key")?;
    let secret = required(settings, "aws_secret_access_key")?;
    let service = required(settings, "aws_service")?;
    let region = required(settings, "aws_region")?;
    let seconds = number(time)
        .filter(|time| (0.0..1e20).contains(time))
        .map(|time| std::time::Duration::from_secs_f64(time / 1e9).as_secs())
        .ok_or("operand 3 could not convert time_ns value into a unix timestamp")?;
    let stamp = stamp(seconds);
    let day = &stamp[..8];
    let is_unsigned = match member(settings, "disable_payload_signing") {
        None => false,
        Some(Value::Bool(value)) => *value,
        Some(_) => {
            return Err("invalid value for 'disable_payload_signing' in AWS config".to_owned());
        }
    };
    let body_sum = if is_unsigned {
        "UNSIGNED-PAYLOAD".to_owned()
    } else {
        hex(&Sha256::digest(body(request)?.as_bytes()))
    };
    let (host, path, query) = url_parts(url)?;

    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut all_headers: BTreeMap<Value, Value> = BTreeMap::new();
    if let Some(given) = member(request, "headers") {
        let given = given
            .as_object()
            .map_err(|_| "headers must be an object".to_owned())?;
        for (name, value) in given.iter() {
            all_headers.insert(name.clone(), value.clone());
            let name = name.as_string().map_err(|error| error.to_string())?;
            headers.insert(name.to_lowercase(), header_text(value));
        }
    }
    let mut added = vec![("host", host.to_owned()), ("x-amz-date", stamp.clone())];
    if service == "s3" || is_unsigned {
        added.push(("x-amz-content-sha256", body_sum.clone()));
    }
    if let Some(Value::String(token)) = member(settings, "aws_session_token") {
        added.push(("x-amz-security-token", token.to_string()));
    }
    for (name, value) in added {
        all_headers.insert(name.into(), value.as_str().into());
        // A sum that the request brings is what is signed, though not what is sent.
        if name == "x-amz-content-sha256" {
            headers.entry(name.to_owned()).or_insert(value);
        } else {
            headers.insert(name.to_owned(), value);
        }
    }
    let names: Vec<&str> = headers
        .keys()
        .map(String::as_str)
        .filter(|name| !matches!(*name, "authorization" | "user-agent" | "x-amzn-trace-id"))
        .collect();
    let names = names.join(";");
    let mut listed = String::new();
    for (name, value) in &headers {
        if names.split(';').any(|signed| signed == name) {
            listed.extend([
                name,
                ":",
                value.trim(),
                "
",
            ]);
        }
    }
    let canonical = format!("{method}\n{path}\n{query}\n{listed}\n{names}\n{body_sum}");
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [day, region, service, "aws4_request", &to_sign] {
        key = code::<Hmac<Sha256>>(&key, part.as_bytes());
    }
    all_headers.insert(
        "Authorization".into(),
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={}",
            hex(&key)
        )
        .into(),
    );
    let mut signed: BTreeMap<Value, Value> = request
        .as_object()
        .map_err(|error| error.to_string())?
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    signed.insert("headers".into(), all_headers.into());
    Ok(signed.into())
}

fn header_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => other.to_json_str().unwrap_or_default(),
    }
}

/// What is sent: the raw body where there is one, or else the body as JSON.
fn body(request: &Value) -> Result<String, String> {
    match (member(request, "raw_body"), member(request, "body")) {
        (Some(Value::String(text)), _) => Ok(text.to_string()),
        (Some(_), _) => Err("raw_body must be a string".to_owned()),
        (None, Some(value)) => Ok(from_rego(value)?.to_string()),
        (None, None) => Ok(String::new()),
    }
}

/// Host, path and query of a URL.
fn url_parts(url: &str) -> Result<(&str, &str, &str), String> {
    let (_, rest) = url.split_once("://").ok_or("url must be absolute")?;
    let rest = rest.split('#').next().unwrap_or(rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let end = rest.find('/').unwrap_or(rest.len());
    Ok((&rest[..end], &rest[end..], query))
}

/// Seconds since 1970 as `20151228T140825Z`.
fn stamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since the first of March of the year 0, in cycles of 400 years.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carried) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + cycle * 400 + carried;
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn stamps_are_days_of_the_calendar() {
        assert_eq!(stamp(1_451_311_705), "20151228T140825Z");
        assert_eq!(stamp(951_782_400), "20000229T000000Z");
        assert_eq!(stamp(0), "19700101T000000Z");
    }
}
