//! What was asked for, checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use terrace_backend_remote::{Arguments, Problem, Surroundings};

/// How objects are encrypted.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {
    Bucket,
    Customer(Vec<u8>),
    Kms(String),
}

/// Who signs in.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// With a token that is there.
    Token(String),
    /// With credentials.
    Credentials(Value),
    /// As the machine.
    Machine,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) bucket: String,
    /// With a slash at the end, unless it is empty.
    pub(crate) prefix: String,
    pub(crate) encryption: Encryption,
    pub(crate) identity: Identity,
    pub(crate) impersonate: Option<String>,
    pub(crate) delegates: Vec<String>,
    /// Scheme and host of the storage API.
    pub(crate) endpoint: String,
    /// Scheme and host of the API that gives tokens of service accounts.
    pub(crate) iam_endpoint: String,
    /// Host of the machine's service that knows of it.
    pub(crate) metadata_host: String,
}

struct Reader<'a> {
    arguments: &'a Arguments,
    surroundings: &'a Surroundings<'a>,
    problems: Vec<Problem>,
}

impl Settings {
    /// Reads and checks the arguments.
    pub(crate) fn new(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader {
            arguments,
            surroundings,
            problems: Vec::new(),
        };
        let settings = reader.settings();
        match settings {
            Some(settings) if reader.problems.is_empty() => Ok(settings),
            _ => Err(reader.problems),
        }
    }
}

impl Reader<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        (self.surroundings.environment)(name).filter(|text| !text.is_empty())
    }

    fn settings(&mut self) -> Option<Settings> {
        let bucket = self.arguments.filled("bucket").map(str::to_owned);
        if bucket.is_none() {
            self.problems.push(Problem::with(
                "bucket",
                "Missing Required Value",
                "\"bucket\": required field is not set",
            ));
        }
        let prefix = self
            .arguments
            .filled("prefix")
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned();
        let prefix = if prefix.is_empty() || prefix.ends_with('/') {
            prefix
        } else {
            prefix + "/"
        };
        let (identity, encryption) = (self.identity(), self.encryption());
        let endpoint = self.endpoint();
        Some(Settings {
            bucket: bucket?,
            prefix,
            encryption: encryption?,
            identity: identity?,
            impersonate: self
                .arguments
                .filled("impersonate_service_account")
                .map(str::to_owned),
            delegates: self
                .arguments
                .texts("impersonate_service_account_delegates"),
            endpoint: endpoint?,
            iam_endpoint: self
                .variable("GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT")
                .map_or_else(
                    || "https://iamcredentials.googleapis.com".into(),
                    |url| url.trim_end_matches('/').to_owned(),
                ),
            metadata_host: self
                .variable("GCE_METADATA_HOST")
                .unwrap_or_else(|| "metadata.google.internal".into()),
        })
    }

    fn endpoint(&mut self) -> Option<String> {
        let Some(given) = self.arguments.filled("storage_custom_endpoint") else {
            let emulator = self.variable("STORAGE_EMULATOR_HOST");
            return Some(emulator.map_or_else(
                || "https://storage.googleapis.com".into(),
                |host| {
                    if host.contains("://") {
                        host.trim_end_matches('/').to_owned()
                    } else {
                        format!("http://{host}")
                    }
                },
            ));
        };
        let Ok(url) = url::Url::parse(given) else {
            self.problems.push(Problem::with(
                "storage_custom_endpoint",
                "Invalid endpoint",
                format!(
                    "{given:?} is no URL. Write one like https://storage.example.com/storage/v1/b."
                ),
            ));
            return None;
        };
        Some(url.origin().ascii_serialization())
    }

    /// What is written, or what is in the file that is written.
    fn or_file(&self, text: &str) -> Option<String> {
        let home = self.variable("HOME");
        let path = match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => std::path::Path::new(&home).join(rest),
            _ => self.surroundings.directory.join(text),
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "an adapter reads the file that its settings name"
        )]
        std::fs::read_to_string(path).ok()
    }

    fn encryption(&mut self) -> Option<Encryption> {
        let customer = self.arguments.filled("encryption_key").map(str::to_owned);
        let kms = self
            .arguments
            .filled("kms_encryption_key")
            .map(str::to_owned);
        match (customer, kms) {
            (Some(_), Some(_)) => {
                self.problems.push(Problem::new(
                    "Invalid Attribute Combination",
                    "can't set both encryption_key and kms_encryption_key",
                ));
                None
            }
            (None, None) => Some(Encryption::Bucket),
            (None, Some(kms)) => Some(Encryption::Kms(kms)),
            (Some(key), None) => {
                let text = self.or_file(&key).unwrap_or(key);
                match STANDARD.decode(text.trim()) {
                    Ok(key) if key.len() == 32 => Some(Encryption::Customer(key)),
                    Ok(key) => {
                        self.problems.push(Problem::with(
                            "encryption_key",
                            "Invalid encryption key",
                            format!("The key has {} bytes. It must have 32.", key.len()),
                        ));
                        None
                    }
                    Err(error) => {
                        self.problems.push(Problem::with(
                            "encryption_key",
                            "Invalid encryption key",
                            format!("Error decoding encryption key: {error}"),
                        ));
                        None
                    }
                }
            }
        }
    }

    fn identity(&mut self) -> Option<Identity> {
        if let Some(token) = self.arguments.filled("access_token") {
            return Some(Identity::Token(token.to_owned()));
        }
        if let Some(given) = self.arguments.filled("credentials") {
            let text = if given.trim_start().starts_with('{') {
                Some(given.to_owned())
            } else {
                self.or_file(given)
            };
            let found = text.and_then(|text| serde_json::from_str(&text).ok());
            if found.is_none() {
                self.problems.push(Problem::with(
                    "credentials",
                    "Invalid credentials",
                    "the string provided in credentials is neither valid json nor a valid file path",
                ));
            }
            return found.map(Identity::Credentials);
        }
        if let Some(path) = self.variable("GOOGLE_APPLICATION_CREDENTIALS") {
            let found = self
                .or_file(&path)
                .and_then(|text| serde_json::from_str(&text).ok());
            if found.is_none() {
                self.problems.push(Problem::new(
                    "Invalid credentials",
                    format!("GOOGLE_APPLICATION_CREDENTIALS names {path:?}, which cannot be read as JSON."),
                ));
            }
            return found.map(Identity::Credentials);
        }
        let usual = self.or_file("~/.config/gcloud/application_default_credentials.json");
        let usual = usual.and_then(|text| serde_json::from_str(&text).ok());
        Some(usual.map_or(Identity::Machine, Identity::Credentials))
    }
}
