//! Objects of S3 and of what speaks its protocol: one signed request.

use std::fmt::Write as _;
use std::path::Path;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::address::Address;
use super::{FetchError, Fetched, Fetcher};
use crate::source::RemoteSource;
use crate::tree::hex;

/// The digest of an empty body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Identity {
    key_id: String,
    secret: String,
    session: Option<String>,
}

impl Fetcher {
    pub(super) fn fetch_s3(
        &self,
        source: &RemoteSource,
        into: &Path,
    ) -> Result<Fetched, FetchError> {
        let address = Address::of(
            source,
            &[
                "aws_access_key_id",
                "aws_access_key_secret",
                "aws_access_token",
                "aws_profile",
                "region",
                "version",
            ],
        )?;
        let Some(format) = address.format()? else {
            return FetchError::refused(
                "only archives are fetched from S3: the object's name must end as an archive's does, or the parameter archive must say what it is",
            );
        };
        let region = self.region(&address);
        let identity = self.identity(&address)?;
        let mut wanted = address;
        if let Some(version) = wanted.parameter("version").map(str::to_owned) {
            wanted
                .url
                .query_pairs_mut()
                .append_pair("versionId", &version);
        }
        let mut headers = Vec::new();
        if let Some(identity) = &identity {
            let now = jiff::Timestamp::now();
            headers = sign(
                &wanted.url,
                &region,
                identity,
                &now.strftime("%Y%m%dT%H%M%SZ").to_string(),
            );
        }
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        match self.fetch_archive(&wanted, format, &headers, into) {
            Err(FetchError::Client(error)) if identity.is_none() && error.status() == Some(403) => {
                FetchError::refused(format!(
                    "{error}. The request was not signed: there are no credentials in the source's parameters, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in the shared credentials file. Roles, single sign-on and instance metadata are not supported here yet"
                ))
            }
            other => other.map(|()| Fetched::default()),
        }
    }

    fn region(&self, address: &Address) -> String {
        if let Some(region) = address.parameter("region") {
            return region.to_owned();
        }
        let host = address.url.host_str().unwrap_or_default();
        if let Some(region) = region_of_host(host) {
            return region;
        }
        ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find_map(|name| self.variable(name))
            .unwrap_or("us-east-1")
            .to_owned()
    }

    fn identity(&self, address: &Address) -> Result<Option<Identity>, FetchError> {
        let own = |name: &str| address.parameter(name).map(str::to_owned);
        if let (Some(key_id), Some(secret)) =
            (own("aws_access_key_id"), own("aws_access_key_secret"))
        {
            return Ok(Some(Identity {
                key_id,
                secret,
                session: own("aws_access_token"),
            }));
        }
        let variable = |name: &str| self.variable(name).map(str::to_owned);
        let profile = own("aws_profile");
        if profile.is_none()
            && let (Some(key_id), Some(secret)) = (
                variable("AWS_ACCESS_KEY_ID"),
                variable("AWS_SECRET_ACCESS_KEY"),
            )
        {
            return Ok(Some(Identity {
                key_id,
                secret,
                session: variable("AWS_SESSION_TOKEN"),
            }));
        }
        let named = profile.or_else(|| variable("AWS_PROFILE"));
        let file = variable("AWS_SHARED_CREDENTIALS_FILE")
            .map(Into::into)
            .or_else(|| self.home().map(|home| home.join(".aws/credentials")));
        #[expect(
            clippy::disallowed_methods,
            reason = "this adapter's credentials are in a file"
        )]
        let text = file.and_then(|file| std::fs::read_to_string(file).ok());
        let found = text.and_then(|text| of_profile(&text, named.as_deref().unwrap_or("default")));
        match (found, named) {
            (None, Some(name)) => FetchError::refused(format!(
                "the shared credentials file has no keys for the profile {name:?}; profiles that assume roles or sign on are not supported here yet"
            )),
            (found, _) => Ok(found),
        }
    }
}

/// The region that a host of Amazon's names.
fn region_of_host(host: &str) -> Option<String> {
    let labels: Vec<&str> = host.strip_suffix(".amazonaws.com")?.split('.').collect();
    let at = labels
        .iter()
        .rposition(|label| *label == "s3" || label.starts_with("s3-"))?;
    let region = labels
        .get(at + 1)
        .copied()
        .or_else(|| labels[at].strip_prefix("s3-"));
    Some(region.unwrap_or("us-east-1").to_owned())
}

/// The keys of a profile in a file of the form of `~/.aws/credentials`.
fn of_profile(text: &str, profile: &str) -> Option<Identity> {
    let mut here = false;
    let mut found = Identity::default();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            here = name.trim() == profile;
        } else if here
            && !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once('=')
        {
            let value = value.trim().to_owned();
            match name.trim() {
                "aws_access_key_id" => found.key_id = value,
                "aws_secret_access_key" => found.secret = value,
                "aws_session_token" => found.session = Some(value),
                _ => {}
            }
        }
    }
    (!found.key_id.is_empty() && !found.secret.is_empty()).then_some(found)
}

/// The headers that sign a request for `url` at `time`, by AWS's signature version 4.
fn sign(url: &Url, region: &str, identity: &Identity, time: &str) -> Vec<(&'static str, String)> {
    let mut host = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        host = format!("{host}:{port}");
    }
    let mut headers = vec![
        ("host", host),
        ("x-amz-content-sha256", EMPTY.to_owned()),
        ("x-amz-date", time.to_owned()),
    ];
    if let Some(session) = &identity.session {
        headers.push(("x-amz-security-token", session.clone()));
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in &headers {
        // Writing to a string cannot fail.
        let _written = writeln!(lines, "{name}:{value}");
    }
    let request = format!(
        "GET\n{}\n{}\n{lines}\n{names}\n{EMPTY}",
        canonical_path(url),
        canonical_query(url)
    );
    let day = time.get(..8).unwrap_or(time);
    let scope = format!("{day}/{region}/s3/aws4_request");
    let digest = hex(&Sha256::digest(request));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
    let mut key = format!("AWS4{}", identity.secret).into_bytes();
    for part in [day, region, "s3", "aws4_request"] {
        key = authenticate(&key, part);
    }
    let signature = hex(&authenticate(&key, &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        identity.key_id
    );
    headers.remove(0);
    headers.push(("authorization", authorization));
    headers
}

fn authenticate(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is one");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn canonical_path(url: &Url) -> String {
    let decoded: Vec<String> = url
        .path()
        .split('/')
        .map(|step| encoded(&decode(step)))
        .collect();
    decoded.join("/")
}

fn canonical_query(url: &Url) -> String {
    let mut pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| (encoded(name.as_bytes()), encoded(value.as_bytes())))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn decode(step: &str) -> Vec<u8> {
    let bytes = step.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = step
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example "GET bucket lifecycle" of Amazon's documentation of signatures.
    #[test]
    fn requests_are_signed_as_documented() {
        let identity = Identity {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session: None,
        };
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/?lifecycle").unwrap();
        let headers = sign(&url, "us-east-1", &identity, "20130524T000000Z");
        let authorization = &headers.last().unwrap().1;
        assert!(
            authorization.ends_with(
                "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
            ),
            "{authorization}"
        );
        let url = Url::parse("https://h/a b/%2F+x?y=1&b=%20").unwrap();
        assert_eq!(canonical_path(&url), "/a%20b/%2F%2Bx");
        assert_eq!(canonical_query(&url), "b=%20&y=1");
    }

    #[test]
    fn hosts_name_regions() {
        for (host, region) in [
            ("s3.amazonaws.com", "us-east-1"),
            ("s3-eu-west-1.amazonaws.com", "eu-west-1"),
            ("s3.eu-west-1.amazonaws.com", "eu-west-1"),
            ("bucket.s3.amazonaws.com", "us-east-1"),
            ("my.bucket.s3.eu-central-1.amazonaws.com", "eu-central-1"),
            ("bucket.s3-us-west-2.amazonaws.com", "us-west-2"),
        ] {
            assert_eq!(region_of_host(host).as_deref(), Some(region), "{host}");
        }
        assert_eq!(region_of_host("minio.example"), None);
    }

    #[test]
    fn profiles_have_keys() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key=B\n[x]\n# none\naws_access_key_id=C\naws_secret_access_key=D\naws_session_token=E\n[y]\nrole_arn=z\n";
        assert_eq!(of_profile(text, "default").unwrap().secret, "B");
        assert_eq!(of_profile(text, "x").unwrap().session.as_deref(), Some("E"));
        assert_eq!(of_profile(text, "y"), None);
    }
}
