//! Signing in to Google Cloud.

mod arguments;
mod tokens;

use serde_json::Value;
use terrace_backend_remote::{Problem, Reader};

pub use arguments::arguments;
pub use tokens::Tokens;

/// Who signs in.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(crate) who: Who,
    /// The service account to act as.
    pub(crate) impersonate: Option<String>,
    /// Those in between.
    pub(crate) delegates: Vec<String>,
    /// Scheme and host of the API that gives tokens of service accounts.
    pub(crate) iam_endpoint: String,
    /// Host of the machine's service that knows of it.
    pub(crate) metadata_host: String,
}

/// How one signs in before acting as another.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// With a token that is there.
    Token(String),
    /// With credentials.
    Credentials(Value),
    /// As the machine.
    Machine,
}

impl Identity {
    /// Reads it from the arguments that [`arguments`] describes. Nothing only after a problem was added.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let who = who(reader)?;
        let arguments = reader.arguments;
        let iam_endpoint = reader.variable(&["GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT"]);
        Some(Self {
            who,
            impersonate: reader.owned("impersonate_service_account"),
            delegates: arguments.texts("impersonate_service_account_delegates"),
            iam_endpoint: iam_endpoint.map_or_else(
                || "https://iamcredentials.googleapis.com".into(),
                |url| url.trim_end_matches('/').to_owned(),
            ),
            metadata_host: reader
                .variable(&["GCE_METADATA_HOST"])
                .unwrap_or_else(|| "metadata.google.internal".into()),
        })
    }
}

fn who(reader: &mut Reader<'_>) -> Option<Who> {
    if let Some(token) = reader.arguments.filled("access_token") {
        return Some(Who::Token(token.to_owned()));
    }
    if let Some(given) = reader.arguments.filled("credentials") {
        let text = if given.trim_start().starts_with('{') {
            Some(given.to_owned())
        } else {
            reader.text_of(given)
        };
        let found = text.and_then(|text| serde_json::from_str(&text).ok());
        if found.is_none() {
            reader.refuse(
                "credentials",
                "Invalid credentials",
                "the string provided in credentials is neither valid json nor a valid file path",
            );
        }
        return found.map(Who::Credentials);
    }
    if let Some(path) = reader.variable(&["GOOGLE_APPLICATION_CREDENTIALS"]) {
        let found = reader
            .text_of(&path)
            .and_then(|text| serde_json::from_str(&text).ok());
        if found.is_none() {
            reader.problems.push(Problem::new(
                "Invalid credentials",
                format!(
                    "GOOGLE_APPLICATION_CREDENTIALS names {path:?}, which cannot be read as JSON."
                ),
            ));
        }
        return found.map(Who::Credentials);
    }
    let usual = reader.text_of("~/.config/gcloud/application_default_credentials.json");
    let usual = usual.and_then(|text| serde_json::from_str(&text).ok());
    Some(usual.map_or(Who::Machine, Who::Credentials))
}
