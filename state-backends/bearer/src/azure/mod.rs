//! Signing in to Azure: by Microsoft Entra ID.

mod arguments;
mod certificate;
mod tokens;

use std::path::PathBuf;

use terrace_backend_remote::Reader;

pub use arguments::arguments;
pub use tokens::Tokens;

/// Where a cloud's services are.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Where one signs in, without a slash at the end.
    pub authority: String,
    /// The Azure Resource Manager, without a slash at the end.
    pub manager: String,
    /// What hosts of storage accounts end with.
    pub storage_suffix: String,
    /// What hosts of key vaults end with.
    pub vault_suffix: String,
}

impl Cloud {
    fn named(name: &str) -> Option<Self> {
        let [authority, manager, storage_suffix, vault_suffix] = match name {
            "public" | "" | "global" | "canary" => [
                "https://login.microsoftonline.com",
                "https://management.azure.com",
                "core.windows.net",
                "vault.azure.net",
            ],
            "usgovernment" | "usgov" | "usgovernmentl4" | "usgovernmentl5" | "dod" => [
                "https://login.microsoftonline.us",
                "https://management.usgovcloudapi.net",
                "core.usgovcloudapi.net",
                "vault.usgovcloudapi.net",
            ],
            "china" => [
                "https://login.chinacloudapi.cn",
                "https://management.chinacloudapi.cn",
                "core.chinacloudapi.cn",
                "vault.azure.cn",
            ],
            _ => return None,
        }
        .map(str::to_owned);
        Some(Self {
            authority,
            manager,
            storage_suffix,
            vault_suffix,
        })
    }
}

/// Who signs in, and to which cloud.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The cloud.
    pub cloud: Cloud,
    pub(crate) principal: Principal,
}

impl Identity {
    /// Reads it from the arguments that [`arguments`] describes. Nothing only after a problem was added.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let cloud = cloud(reader);
        let principal = principal(reader);
        Some(Self {
            cloud: cloud?,
            principal,
        })
    }
}

/// Who signs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Principal {
    pub(crate) tenant: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) secret: Option<String>,
    /// Certificate and key: the bytes of a file.
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) certificate_password: Option<String>,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) use_managed: bool,
    /// Where the managed identity's tokens are, where it is not the machine's own place.
    pub(crate) managed_endpoint: Option<String>,
    /// What the application's surroundings say of their managed identity: URL and secret header.
    pub(crate) application: Option<(String, String)>,
    pub(crate) use_cli: bool,
}

/// Where the token of an identity provider comes from.
#[derive(Clone, Debug)]
pub(crate) enum Oidc {
    Text(String),
    File(PathBuf),
    Asked {
        url: String,
        token: String,
        /// The service connection of Azure DevOps.
        connection: Option<String>,
    },
}

fn cloud(reader: &mut Reader<'_>) -> Option<Cloud> {
    let name = reader
        .owned("environment")
        .unwrap_or_default()
        .to_lowercase();
    let Some(mut cloud) = Cloud::named(&name) else {
        reader.refuse(
            "environment",
            "Unknown environment",
            format!("The environment {name:?} is not known. It is one of public, usgovernment and china."),
        );
        return None;
    };
    if let Some(host) = reader.owned("metadata_host") {
        reader.refuse(
            "metadata_host",
            "Not supported yet",
            format!(
                "Terrace does not ask {host:?} yet which services a cloud has. Set \"environment\"."
            ),
        );
    }
    if let Some(endpoint) = reader.owned("endpoint") {
        endpoint
            .trim_end_matches('/')
            .clone_into(&mut cloud.manager);
    }
    if let Some(authority) = reader.variable(&["AZURE_AUTHORITY_HOST"]) {
        authority
            .trim_end_matches('/')
            .clone_into(&mut cloud.authority);
    }
    Some(cloud)
}

fn principal(reader: &mut Reader<'_>) -> Principal {
    let workload = reader.arguments.flag("use_aks_workload_identity");
    let mut client = reader.or_file("client_id", "client_id_file_path");
    let mut tenant = reader.owned("tenant_id");
    let secret = reader.or_file("client_secret", "client_secret_file_path");
    let mut identity = None;
    if workload {
        client = client.or_else(|| reader.variable(&["AZURE_CLIENT_ID"]));
        tenant = tenant.or_else(|| reader.variable(&["AZURE_TENANT_ID"]));
        identity = reader
            .variable(&["AZURE_FEDERATED_TOKEN_FILE"])
            .map(|path| Oidc::File(path.into()));
    }
    if reader.arguments.flag("use_oidc") {
        identity = oidc(reader).or(identity);
        if identity.is_none() {
            reader.refuse(
                "use_oidc",
                "Missing Required Value",
                "Signing in by OIDC takes \"oidc_token\", \"oidc_token_file_path\", or \"oidc_request_url\" with \"oidc_request_token\".",
            );
        }
    }
    let certificate = certificate(reader);
    let application = reader
        .variable(&["IDENTITY_ENDPOINT"])
        .zip(reader.variable(&["IDENTITY_HEADER"]));
    Principal {
        tenant,
        client,
        secret,
        certificate,
        certificate_password: reader.owned("client_certificate_password"),
        oidc: identity,
        use_managed: reader.arguments.flag("use_msi"),
        managed_endpoint: reader.owned("msi_endpoint"),
        application,
        use_cli: reader.arguments.given_flag("use_cli").unwrap_or(true),
    }
}

fn oidc(reader: &Reader<'_>) -> Option<Oidc> {
    if let Some(token) = reader.owned("oidc_token") {
        return Some(Oidc::Text(token));
    }
    if let Some(path) = reader.owned("oidc_token_file_path") {
        return Some(Oidc::File(reader.path(&path)));
    }
    Some(Oidc::Asked {
        url: reader.owned("oidc_request_url")?,
        token: reader.owned("oidc_request_token")?,
        connection: reader.owned("ado_pipeline_service_connection_id"),
    })
}

fn certificate(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let Some(text) = reader.owned("client_certificate") else {
        return reader.file("client_certificate_path");
    };
    match base64::engine::general_purpose::STANDARD.decode(text) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            reader.refuse(
                "client_certificate",
                "Invalid certificate",
                format!("The certificate must be base64 encoded: {error}"),
            );
            None
        }
    }
}
