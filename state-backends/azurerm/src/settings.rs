//! What was asked for, checked.

use std::path::PathBuf;

use terrace_backend_remote::{Arguments, Problem, Surroundings};

/// Where a cloud's services are.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    /// Where one signs in, without a slash at the end.
    pub(crate) authority: String,
    /// The Azure Resource Manager, without a slash at the end.
    pub(crate) manager: String,
    /// What hosts of storage accounts end with.
    pub(crate) storage_suffix: String,
}

impl Cloud {
    fn named(name: &str) -> Option<Self> {
        let [authority, manager, storage_suffix] = match name {
            "public" | "" | "global" | "canary" => [
                "https://login.microsoftonline.com",
                "https://management.azure.com",
                "core.windows.net",
            ],
            "usgovernment" | "usgov" | "usgovernmentl4" | "usgovernmentl5" | "dod" => [
                "https://login.microsoftonline.us",
                "https://management.usgovcloudapi.net",
                "core.usgovcloudapi.net",
            ],
            "china" => [
                "https://login.chinacloudapi.cn",
                "https://management.chinacloudapi.cn",
                "core.chinacloudapi.cn",
            ],
            _ => return None,
        }
        .map(str::to_owned);
        Some(Self {
            authority,
            manager,
            storage_suffix,
        })
    }
}

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

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) key: String,
    pub(crate) blob_endpoint: Option<String>,
    pub(crate) lookup_endpoint: Option<(String, String)>,
    pub(crate) snapshot: bool,
    pub(crate) cloud: Cloud,
    pub(crate) access: Access,
    pub(crate) principal: Principal,
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
    fn owned(&self, name: &str) -> Option<String> {
        self.arguments.filled(name).map(str::to_owned)
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.surroundings.environment)(name).filter(|text| !text.is_empty())
    }

    /// The text of the file that an argument names.
    fn file(&mut self, argument: &str) -> Option<Vec<u8>> {
        let path = self
            .surroundings
            .directory
            .join(self.arguments.filled(argument)?);
        #[expect(
            clippy::disallowed_methods,
            reason = "an adapter reads the file that its settings name"
        )]
        match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problems.push(Problem::with(
                    argument,
                    "Cannot read file",
                    format!("The file {} cannot be read: {error}", path.display()),
                ));
                None
            }
        }
    }

    /// An argument, or the file that another one names; both only where they agree.
    fn or_file(&mut self, name: &str, file: &str) -> Option<String> {
        let given = self.owned(name);
        let in_file = self
            .file(file)
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        match (given, in_file) {
            (Some(given), Some(in_file)) if given != in_file => {
                self.problems.push(Problem::with(
                    name,
                    "Invalid Attribute Combination",
                    format!("The arguments {name:?} and {file:?} say different things. Give one of them."),
                ));
                None
            }
            (given, in_file) => given.or(in_file),
        }
    }

    fn settings(&mut self) -> Option<Settings> {
        for name in ["container_name", "storage_account_name", "key"] {
            if self.arguments.filled(name).is_none() {
                self.problems.push(Problem::with(
                    name,
                    "Missing Required Value",
                    format!("{name:?}: required field is not set"),
                ));
            }
        }
        let cloud = self.cloud();
        let access = self.access();
        let lookup_endpoint = self
            .arguments
            .flag("lookup_blob_endpoint")
            .then(|| self.account_of_manager("lookup_blob_endpoint"))
            .flatten();
        let principal = self.principal();
        Some(Settings {
            account: self.owned("storage_account_name")?,
            container: self.owned("container_name")?,
            key: self.owned("key")?,
            blob_endpoint: self
                .owned("blob_endpoint")
                .map(|url| url.trim_end_matches('/').to_owned()),
            lookup_endpoint,
            snapshot: self.arguments.flag("snapshot"),
            cloud: cloud?,
            access: access?,
            principal,
        })
    }

    fn cloud(&mut self) -> Option<Cloud> {
        let name = self.owned("environment").unwrap_or_default().to_lowercase();
        let Some(mut cloud) = Cloud::named(&name) else {
            self.problems.push(Problem::with(
                "environment",
                "Unknown environment",
                format!("The environment {name:?} is not known. It is one of public, usgovernment and china."),
            ));
            return None;
        };
        if let Some(host) = self.owned("metadata_host") {
            self.problems.push(Problem::with(
                "metadata_host",
                "Not supported yet",
                format!("Terrace does not ask {host:?} yet which services a cloud has. Set \"environment\", or \"blob_endpoint\" and \"endpoint\"."),
            ));
        }
        if let Some(endpoint) = self.owned("endpoint") {
            endpoint
                .trim_end_matches('/')
                .clone_into(&mut cloud.manager);
        }
        if let Some(authority) = self.variable("AZURE_AUTHORITY_HOST") {
            authority
                .trim_end_matches('/')
                .clone_into(&mut cloud.authority);
        }
        Some(cloud)
    }

    /// Subscription and resource group.
    fn account_of_manager(&mut self, why: &str) -> Option<(String, String)> {
        let found = (
            self.owned("subscription_id"),
            self.owned("resource_group_name"),
        );
        if let (Some(subscription), Some(group)) = found {
            return Some((subscription, group));
        }
        self.problems.push(Problem::with(
            why,
            "Missing Required Value",
            "Without \"access_key\", \"sas_token\" or \"use_azuread_auth\", the key of the storage account is asked for, which takes \
             \"subscription_id\" and \"resource_group_name\".",
        ));
        None
    }

    fn access(&mut self) -> Option<Access> {
        use base64::Engine as _;
        if let Some(key) = self.owned("access_key") {
            return match base64::engine::general_purpose::STANDARD.decode(&key) {
                Ok(key) => Some(Access::Key(key)),
                Err(error) => {
                    self.problems.push(Problem::with(
                        "access_key",
                        "Invalid access key",
                        format!("The access key must be base64 encoded: {error}"),
                    ));
                    None
                }
            };
        }
        if let Some(token) = self.owned("sas_token") {
            let token = token.trim_start_matches('?');
            let pairs = url::form_urlencoded::parse(token.as_bytes())
                .into_owned()
                .collect();
            return Some(Access::Signature(pairs));
        }
        if self.arguments.flag("use_azuread_auth") {
            return Some(Access::Tokens);
        }
        let (subscription, group) = self.account_of_manager("access_key")?;
        Some(Access::Looked {
            subscription,
            group,
        })
    }

    fn principal(&mut self) -> Principal {
        let workload = self.arguments.flag("use_aks_workload_identity");
        let mut client = self.or_file("client_id", "client_id_file_path");
        let mut tenant = self.owned("tenant_id");
        let secret = self.or_file("client_secret", "client_secret_file_path");
        let mut oidc = None;
        if workload {
            client = client.or_else(|| self.variable("AZURE_CLIENT_ID"));
            tenant = tenant.or_else(|| self.variable("AZURE_TENANT_ID"));
            oidc = self
                .variable("AZURE_FEDERATED_TOKEN_FILE")
                .map(|path| Oidc::File(path.into()));
        }
        if self.arguments.flag("use_oidc") {
            oidc = self.oidc().or(oidc);
            if oidc.is_none() {
                self.problems.push(Problem::with(
                    "use_oidc",
                    "Missing Required Value",
                    "Signing in by OIDC takes \"oidc_token\", \"oidc_token_file_path\", or \"oidc_request_url\" with \"oidc_request_token\".",
                ));
            }
        }
        let certificate = self.certificate();
        let application = self
            .variable("IDENTITY_ENDPOINT")
            .zip(self.variable("IDENTITY_HEADER"));
        Principal {
            tenant,
            client,
            secret,
            certificate,
            certificate_password: self.owned("client_certificate_password"),
            oidc,
            use_managed: self.arguments.flag("use_msi"),
            managed_endpoint: self.owned("msi_endpoint"),
            application,
            use_cli: self.arguments.given_flag("use_cli").unwrap_or(true),
        }
    }

    fn oidc(&self) -> Option<Oidc> {
        if let Some(token) = self.owned("oidc_token") {
            return Some(Oidc::Text(token));
        }
        if let Some(path) = self.owned("oidc_token_file_path") {
            return Some(Oidc::File(self.surroundings.directory.join(path)));
        }
        Some(Oidc::Asked {
            url: self.owned("oidc_request_url")?,
            token: self.owned("oidc_request_token")?,
            connection: self.owned("ado_pipeline_service_connection_id"),
        })
    }

    fn certificate(&mut self) -> Option<Vec<u8>> {
        use base64::Engine as _;
        let Some(text) = self.owned("client_certificate") else {
            return self.file("client_certificate_path");
        };
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problems.push(Problem::with(
                    "client_certificate",
                    "Invalid certificate",
                    format!("The certificate must be base64 encoded: {error}"),
                ));
                None
            }
        }
    }
}
