//! What was asked for, checked.

use terrace_backend_remote::{Arguments, Problem, Reader, Surroundings};
use terrace_bearer::azure::Identity;

/// How blobs are reached.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// By a key of the account.
    Key(Vec<u8>),
    /// By a shared access signature: pairs of a query.
    Signature(Vec<(String, String)>),
    /// By tokens for storage.
    Tokens,
    /// By a key that the resource manager is asked for.
    Looked { subscription: String, group: String },
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) key: String,
    pub(crate) blob_endpoint: Option<String>,
    pub(crate) lookup_endpoint: Option<(String, String)>,
    pub(crate) snapshot: bool,
    pub(crate) access: Access,
    pub(crate) identity: Identity,
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
    for name in ["container_name", "storage_account_name", "key"] {
        if reader.arguments.filled(name).is_none() {
            reader.refuse(
                name,
                "Missing Required Value",
                format!("{name:?}: required field is not set"),
            );
        }
    }
    let identity = Identity::read(reader);
    let access = access(reader);
    let lookup_endpoint = reader
        .arguments
        .flag("lookup_blob_endpoint")
        .then(|| account_of_manager(reader, "lookup_blob_endpoint"))
        .flatten();
    Some(Settings {
        account: reader.owned("storage_account_name")?,
        container: reader.owned("container_name")?,
        key: reader.owned("key")?,
        blob_endpoint: reader
            .owned("blob_endpoint")
            .map(|url| url.trim_end_matches('/').to_owned()),
        lookup_endpoint,
        snapshot: reader.arguments.flag("snapshot"),
        access: access?,
        identity: identity?,
    })
}

/// Subscription and resource group.
fn account_of_manager(reader: &mut Reader<'_>, why: &str) -> Option<(String, String)> {
    let found = (
        reader.owned("subscription_id"),
        reader.owned("resource_group_name"),
    );
    if let (Some(subscription), Some(group)) = found {
        return Some((subscription, group));
    }
    reader.refuse(
        why,
        "Missing Required Value",
        "Without \"access_key\", \"sas_token\" or \"use_azuread_auth\", the key of the storage account is asked for, which takes \
         \"subscription_id\" and \"resource_group_name\".",
    );
    None
}

fn access(reader: &mut Reader<'_>) -> Option<Access> {
    use base64::Engine as _;
    if let Some(key) = reader.owned("access_key") {
        return match base64::engine::general_purpose::STANDARD.decode(&key) {
            Ok(key) => Some(Access::Key(key)),
            Err(error) => {
                reader.refuse(
                    "access_key",
                    "Invalid access key",
                    format!("The access key must be base64 encoded: {error}"),
                );
                None
            }
        };
    }
    if let Some(token) = reader.owned("sas_token") {
        let token = token.trim_start_matches('?');
        let pairs = url::form_urlencoded::parse(token.as_bytes())
            .into_owned()
            .collect();
        return Some(Access::Signature(pairs));
    }
    if reader.arguments.flag("use_azuread_auth") {
        return Some(Access::Tokens);
    }
    let (subscription, group) = account_of_manager(reader, "access_key")?;
    Some(Access::Looked {
        subscription,
        group,
    })
}
