//! What the CLI configuration says of hosts: `credentials`, `credentials_helper` and `host` blocks.

use std::collections::BTreeMap;

use terrace_diag::{Diagnostic, Diagnostics};

use crate::Host;
use crate::words::{Entry, Word};

/// Settings of hosts and their services.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceSettings {
    /// Tokens by host.
    pub tokens: BTreeMap<Host, String>,
    /// Who else knows tokens.
    pub helper: Option<Helper>,
    /// Services that are not asked for at the host, by host and service: their addresses, or their descriptions.
    pub services: BTreeMap<Host, BTreeMap<String, Service>>,
}

/// What a host block says of a service, as a discovery document would.
pub type Service = serde_json::Value;

/// A program that keeps credentials: `terraform-credentials-NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    /// The name in the program's.
    pub name: String,
    /// Arguments before its command.
    pub arguments: Vec<String>,
}

impl ServiceSettings {
    /// Names of the settings that are read here.
    pub const NAMES: [&'static str; 3] = ["credentials", "credentials_helper", "host"];

    /// Takes in a setting of these names. What cannot be understood is reported and left out.
    pub fn read(&mut self, entry: &Entry) -> Diagnostics {
        let found = match entry.name.as_str() {
            "credentials_helper" => self.read_helper(entry),
            "credentials" => self.read_credentials(entry),
            _ => self.read_host(entry),
        };
        match found {
            Ok(()) => Diagnostics::new(),
            Err(detail) => Diagnostic::error("cli-config", "Invalid CLI configuration", detail)
                .at(entry.span)
                .into(),
        }
    }

    fn read_credentials(&mut self, entry: &Entry) -> Result<(), String> {
        let (label, body) = labelled(entry)?;
        let host = Host::parse(label).map_err(|error| {
            format!("The credentials block with label {label:?} has an invalid label: {error}.")
        })?;
        let token = body.iter().find(|setting| setting.name == "token");
        if let Some(Word::Text(token)) = token.map(|setting| &setting.value) {
            self.tokens.insert(host, token.clone());
        }
        Ok(())
    }

    fn read_helper(&mut self, entry: &Entry) -> Result<(), String> {
        let (label, body) = labelled(entry)?;
        if self.helper.is_some() {
            return Err("No more than one credentials_helper block may be specified.".to_owned());
        }
        let named = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if label.is_empty() || !label.chars().all(named) {
            return Err(format!(
                "{label:?} is no name of a credentials helper: the program is terraform-credentials-NAME."
            ));
        }
        let mut arguments = Vec::new();
        for setting in body {
            match (setting.name.as_str(), &setting.value) {
                ("args", Word::List(items)) => {
                    for item in items {
                        let Word::Text(text) = item else {
                            return Err("The args of a credentials_helper are strings.".to_owned());
                        };
                        arguments.push(text.clone());
                    }
                }
                (name, _) => {
                    return Err(format!(
                        "A credentials_helper block has the one argument \"args\", a list of strings, and not {name:?}."
                    ));
                }
            }
        }
        self.helper = Some(Helper {
            name: label.to_owned(),
            arguments,
        });
        Ok(())
    }

    fn read_host(&mut self, entry: &Entry) -> Result<(), String> {
        let (label, body) = labelled(entry)?;
        let host = Host::parse(label).map_err(|error| {
            format!("The host block with label {label:?} has an invalid label: {error}.")
        })?;
        let services = self.services.entry(host).or_default();
        for setting in body {
            match (setting.name.as_str(), &setting.value) {
                ("services", Word::Block(list)) => {
                    for service in list {
                        // What is no service here may be one of another tool.
                        if let Some(described) = described(&service.value) {
                            services.insert(service.name.clone(), described);
                        }
                    }
                }
                (name, _) => {
                    return Err(format!(
                        "A host block has the one argument \"services\", a map of addresses, and not {name:?}."
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A setting as a discovery document would say it; `None` where it holds what has no place in one.
fn described(word: &Word) -> Option<Service> {
    Some(match word {
        Word::Text(text) => text.as_str().into(),
        Word::Bool(truth) => (*truth).into(),
        Word::Number(number) => (*number).into(),
        Word::List(items) => items
            .iter()
            .map(described)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Word::Block(entries) => {
            let entry = |entry: &Entry| Some((entry.name.clone(), described(&entry.value)?));
            Service::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        Word::Other => return None,
    })
}

fn labelled(entry: &Entry) -> Result<(&str, &[Entry]), String> {
    match (entry.labels.as_slice(), &entry.value) {
        ([label], Word::Block(body)) => Ok((label, body)),
        _ => Err(format!(
            "{name} is a block with one label: {name} \"…\" {{ … }}.",
            name = entry.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use terrace_diag::SourceId;

    use super::*;
    use crate::words;

    fn read(text: &str) -> (ServiceSettings, Diagnostics) {
        let (entries, mut diagnostics) = words::read(SourceId(0), text);
        let mut settings = ServiceSettings::default();
        for entry in &entries {
            diagnostics.append(settings.read(entry));
        }
        (settings, diagnostics)
    }

    #[test]
    fn hosts_and_their_credentials_are_read() {
        let (settings, diagnostics) = read(
            r#"
            credentials "Example.com" { token = "secret" }
            credentials_helper "vault" { args = ["-x", "y"] }
            host "mirror.example.com" {
              services = {
                "modules.v1" = "https://other.example.com/modules/"
                "login.v1"   = { client = "x", ports = [10000, 10010], other = true }
                "other.v1"   = 1.5
              }
            }"#,
        );
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let host = |text: &str| Host::parse(text).unwrap();
        assert_eq!(settings.tokens[&host("example.com")], "secret");
        let helper = settings.helper.unwrap();
        assert_eq!((&*helper.name, helper.arguments.len()), ("vault", 2));
        assert_eq!(
            settings.services[&host("mirror.example.com")],
            BTreeMap::from([
                (
                    "modules.v1".to_owned(),
                    "https://other.example.com/modules/".into()
                ),
                (
                    "login.v1".to_owned(),
                    serde_json::json!({ "client": "x", "ports": [10000, 10010], "other": true })
                )
            ])
        );
    }

    #[test]
    fn mistakes_are_told() {
        for text in [
            "credentials { token = \"x\" }",
            "credentials \"a b\" {}",
            "credentials_helper \"../x\" {}",
            "credentials_helper \"x\" { args = [true] }",
            "credentials_helper \"x\" {}\ncredentials_helper \"y\" {}",
            "host \"x.example\" { service = {} }",
        ] {
            assert!(read(text).1.has_errors(), "{text}");
        }
    }
}
