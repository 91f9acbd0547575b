//! What was asked for, checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrace_backend_remote::{Arguments, Problem, Reader, Surroundings};
use terrace_bearer::google::Identity;

/// How objects are encrypted.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {
    Bucket,
    Customer(Vec<u8>),
    Kms(String),
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) bucket: String,
    /// With a slash at the end, unless it is empty.
    pub(crate) prefix: String,
    pub(crate) encryption: Encryption,
    pub(crate) identity: Identity,
    /// Scheme and host of the storage API.
    pub(crate) endpoint: String,
}

impl Settings {
    /// Reads and checks the arguments.
    pub(crate) fn new(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        Reader::read(arguments, surroundings, settings)
    }
}

fn settings(reader: &mut Reader<'_>) -> Option<Settings> {
    let bucket = reader.arguments.filled("bucket").map(str::to_owned);
    if bucket.is_none() {
        reader.refuse(
            "bucket",
            "Missing Required Value",
            "\"bucket\": required field is not set",
        );
    }
    let prefix = reader
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
    let (identity, encryption) = (Identity::read(reader), encryption(reader));
    let endpoint = endpoint(reader);
    Some(Settings {
        bucket: bucket?,
        prefix,
        encryption: encryption?,
        identity: identity?,
        endpoint: endpoint?,
    })
}

fn endpoint(reader: &mut Reader<'_>) -> Option<String> {
    let Some(given) = reader.arguments.filled("storage_custom_endpoint") else {
        let emulator = reader.variable(&["STORAGE_EMULATOR_HOST"]);
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
        reader.refuse(
            "storage_custom_endpoint",
            "Invalid endpoint",
            format!(
                "{given:?} is no URL. Write one like https://storage.example.com/storage/v1/b."
            ),
        );
        return None;
    };
    Some(url.origin().ascii_serialization())
}

fn encryption(reader: &mut Reader<'_>) -> Option<Encryption> {
    let customer = reader.arguments.filled("encryption_key").map(str::to_owned);
    let kms = reader
        .arguments
        .filled("kms_encryption_key")
        .map(str::to_owned);
    match (customer, kms) {
        (Some(_), Some(_)) => {
            reader.problems.push(Problem::new(
                "Invalid Attribute Combination",
                "can't set both encryption_key and kms_encryption_key",
            ));
            None
        }
        (None, None) => Some(Encryption::Bucket),
        (None, Some(kms)) => Some(Encryption::Kms(kms)),
        (Some(key), None) => {
            let text = reader.text_of(&key).unwrap_or(key);
            match STANDARD.decode(text.trim()) {
                Ok(key) if key.len() == 32 => Some(Encryption::Customer(key)),
                Ok(key) => {
                    reader.refuse(
                        "encryption_key",
                        "Invalid encryption key",
                        format!("The key has {} bytes. It must have 32.", key.len()),
                    );
                    None
                }
                Err(error) => {
                    reader.refuse(
                        "encryption_key",
                        "Invalid encryption key",
                        format!("Error decoding encryption key: {error}"),
                    );
                    None
                }
            }
        }
    }
}
