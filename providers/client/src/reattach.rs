//! Providers that somebody else has started, as `TF_REATTACH_PROVIDERS` names them.

use serde_json::Value as Json;

use crate::handshake::{Endpoint, ProtocolVersion};

/// Where a provider listens that somebody else has started, in a debugger for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reattach {
    pub(crate) version: ProtocolVersion,
    pub(crate) endpoint: Endpoint,
    /// Its process.
    pub process: Option<u32>,
}

impl Reattach {
    /// Reads the JSON that the variable holds, by the provider's address as it is written there. The error says what is wrong
    /// with it.
    pub fn parse(text: &str) -> Result<Vec<(String, Self)>, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Json::Object(entries) = json else {
            return Err("it is not a JSON object of providers by their addresses".into());
        };
        entries
            .iter()
            .map(|(address, entry)| {
                let one = Self::one(entry).map_err(|why| format!("{address}: {why}"))?;
                Ok((address.clone(), one))
            })
            .collect()
    }

    fn one(entry: &Json) -> Result<Self, String> {
        match entry["Protocol"].as_str() {
            Some("grpc") | None => {}
            Some(other) => return Err(format!("its Protocol is {other:?}, not \"grpc\"")),
        }
        let version = match entry["ProtocolVersion"].as_u64() {
            // Providers that are older than the field speak 5.
            None | Some(0 | 5) => ProtocolVersion::V5,
            Some(6) => ProtocolVersion::V6,
            Some(other) => return Err(format!("its ProtocolVersion is {other}, not 5 or 6")),
        };
        let Some(address) = entry["Addr"]["String"].as_str() else {
            return Err("it has no Addr with a String".into());
        };
        let endpoint = match entry["Addr"]["Network"].as_str() {
            Some("unix") => Endpoint::Unix(address.into()),
            Some("tcp") => Endpoint::Tcp(address.into()),
            other => {
                return Err(format!(
                    "the Network of its Addr is {:?}, not \"unix\" or \"tcp\"",
                    other.unwrap_or_default()
                ));
            }
        };
        Ok(Self {
            version,
            endpoint,
            process: entry["Pid"].as_u64().and_then(|id| id.try_into().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_debugger_prints_is_read() {
        let text = r#"{"registry.terraform.io/acme/x":{"Protocol":"grpc","ProtocolVersion":6,"Pid":17,"Test":true,"Addr":{"Network":"unix","String":"/run/plugin"}},"acme/y":{"Addr":{"Network":"tcp","String":"127.0.0.1:4"}}}"#;
        let found = Reattach::parse(text).unwrap();
        assert_eq!(found[0].0, "acme/y");
        assert_eq!(found[0].1.version, ProtocolVersion::V5);
        assert_eq!(found[0].1.endpoint, Endpoint::Tcp("127.0.0.1:4".into()));
        assert_eq!(found[1].1.version, ProtocolVersion::V6);
        assert_eq!(found[1].1.endpoint, Endpoint::Unix("/run/plugin".into()));
        assert_eq!(found[1].1.process, Some(17));
    }

    #[test]
    fn nonsense_is_told_apart() {
        for (text, what) in [
            ("[]", "not a JSON object"),
            ("{", "EOF"),
            (r#"{"a/b":{}}"#, "a/b: it has no Addr"),
            (
                r#"{"a/b":{"ProtocolVersion":4,"Addr":{"String":"x"}}}"#,
                "ProtocolVersion is 4",
            ),
            (r#"{"a/b":{"Protocol":"netrpc"}}"#, "Protocol is \"netrpc\""),
            (
                r#"{"a/b":{"Addr":{"String":"x"}}}"#,
                "not \"unix\" or \"tcp\"",
            ),
        ] {
            let error = Reattach::parse(text).unwrap_err();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
