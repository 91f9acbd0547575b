//! Names of hosts that offer services.

use std::fmt;

use crate::ClientError;

/// The host of registry addresses that name none.
pub const DEFAULT_HOST: &str = "registry.terraform.io";

/// A host with its port, where it is not the usual one: in lower case, and in ASCII as DNS has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(String);

impl Host {
    /// Reads a name, such as `example.com` or `localhost:8443`.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let invalid = || {
            ClientError::InvalidHost(format!(
                "{text:?} is not a valid host name; one looks like \"registry.example.com\", or \"registry.example.com:8443\" with a port"
            ))
        };
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        };
        let name = match url::Host::parse(name) {
            Ok(url::Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
            Ok(url::Host::Ipv4(address)) => address.to_string(),
            Ok(url::Host::Ipv6(_)) | Err(_) => return Err(invalid()),
        };
        let label_fits = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if !name.split('.').all(label_fits) {
            return Err(invalid());
        }
        match port.map(str::parse::<u16>) {
            None | Some(Ok(443)) => Ok(Self(name)),
            Some(Ok(port)) => Ok(Self(format!("{name}:{port}"))),
            Some(Err(_)) => Err(invalid()),
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the environment variable that holds a token for it.
    pub fn token_variable(&self) -> String {
        let name = self.0.replace('.', "_").replace('-', "__");
        format!("TF_TOKEN_{name}")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_made_equal() {
        for (text, host) in [
            ("Example.COM", "example.com"),
            ("example.com:443", "example.com"),
            ("localhost:8443", "localhost:8443"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("münchen.example", "xn--mnchen-3ya.example"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), host);
        }
        for bad in ["", "a b", "a_b.c", "x:99999", "-a.b", "a..b", "a/b"] {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
        let variable = Host::parse("my-app.example.com").unwrap().token_variable();
        assert_eq!(variable, "TF_TOKEN_my__app_example_com");
    }
}
