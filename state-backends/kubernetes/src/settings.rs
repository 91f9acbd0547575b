//! What the backend is told: arguments, kubeconfig files, and what a pod finds in itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrace_backend_remote::{Argument, Arguments, Kind, Problem, Surroundings};

use crate::credentials::ExecCommand;
use crate::kubeconfig;

const EXEC: &[Argument] = &[
    Argument::text("api_version", "API version of the credential's form").required(),
    Argument::text("command", "The program that prints a credential").required(),
    Argument::new("env", Kind::TextMap, "Its environment"),
    Argument::new("args", Kind::Texts, "Its arguments"),
];

const ARGUMENTS: &[Argument] = &[
    Argument::text("secret_suffix", "Suffix used when creating the secret. The secret will be named in the format: `tfstate-{workspace}-{secret_suffix}`.").required(),
    Argument::new("labels", Kind::TextMap, "Map of additional labels to be applied to the secret."),
    Argument::text("namespace", "Namespace to store the secret in.").from_environment(&["KUBE_NAMESPACE"]),
    Argument::flag("in_cluster_config", "Used to authenticate to the cluster from inside a pod.").from_environment(&["KUBE_IN_CLUSTER_CONFIG"]),
    Argument::text("host", "The hostname (in form of URI) of Kubernetes master.").from_environment(&["KUBE_HOST"]),
    Argument::text("username", "The username to use for HTTP basic authentication when accessing the Kubernetes master endpoint.").from_environment(&["KUBE_USER"]),
    Argument::text("password", "The password to use for HTTP basic authentication when accessing the Kubernetes master endpoint.").from_environment(&["KUBE_PASSWORD"]).sensitive(),
    Argument::flag("insecure", "Whether server should be accessed without verifying the TLS certificate.").from_environment(&["KUBE_INSECURE"]),
    Argument::text("client_certificate", "PEM-encoded client certificate for TLS authentication.").from_environment(&["KUBE_CLIENT_CERT_DATA"]),
    Argument::text("client_key", "PEM-encoded client certificate key for TLS authentication.").from_environment(&["KUBE_CLIENT_KEY_DATA"]).sensitive(),
    Argument::text("cluster_ca_certificate", "PEM-encoded root certificates bundle for TLS authentication.").from_environment(&["KUBE_CLUSTER_CA_CERT_DATA"]),
    Argument::new("config_paths", Kind::Texts, "A list of paths to kube config files. Can be set with KUBE_CONFIG_PATHS environment variable."),
    Argument::text("config_path", "Path to the kube config file, defaults to ~/.kube/config").from_environment(&["KUBE_CONFIG_PATH"]),
    Argument::text("config_context", "The context of the kube config file to use.").from_environment(&["KUBE_CTX"]),
    Argument::text("config_context_auth_info", "The user of the kube config file to use.").from_environment(&["KUBE_CTX_AUTH_INFO"]),
    Argument::text("config_context_cluster", "The cluster of the kube config file to use.").from_environment(&["KUBE_CTX_CLUSTER"]),
    Argument::text("token", "Token to authentifcate a service account.").from_environment(&["KUBE_TOKEN"]).sensitive(),
    Argument::text("proxy_url", "URL of the proxy to be used for all API requests").from_environment(&["KUBE_PROXY_URL"]),
    Argument::new("exec", Kind::Block(EXEC), "Use a credential plugin to authenticate."),
];

/// The arguments of `backend "kubernetes"`.
pub const fn arguments() -> &'static [Argument] {
    ARGUMENTS
}

/// Where the API is, and how to sign in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) host: String,
    pub(crate) insecure: bool,
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) login: Option<(String, String)>,
    pub(crate) token: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
    pub(crate) exec: Option<ExecCommand>,
}

/// What the arguments say.
pub(crate) struct Settings {
    pub(crate) access: Access,
    pub(crate) suffix: String,
    pub(crate) namespace: String,
    pub(crate) labels: BTreeMap<String, String>,
}

const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(crate) fn invalid(argument: &str, detail: impl Into<String>) -> Vec<Problem> {
    vec![Problem::with(
        argument,
        "Invalid backend configuration",
        detail,
    )]
}

#[expect(
    clippy::disallowed_methods,
    reason = "this adapter reads the files that its settings name"
)]
pub(crate) fn read(argument: &str, path: &Path) -> Result<Vec<u8>, Vec<Problem>> {
    std::fs::read(path).map_err(|error| {
        invalid(
            argument,
            format!("{} cannot be read: {error}.", path.display()),
        )
    })
}

pub(crate) fn decoded(argument: &str, text: &str) -> Result<Vec<u8>, Vec<Problem>> {
    let compact: String = text.split_whitespace().collect();
    STANDARD
        .decode(compact)
        .map_err(|error| invalid(argument, format!("The data is no base64: {error}.")))
}

fn in_cluster(surroundings: &Surroundings<'_>) -> Result<Access, Vec<Problem>> {
    let variable = |name: &str| {
        (surroundings.environment)(name).ok_or_else(|| {
            invalid(
                "in_cluster_config",
                format!("This process runs in no pod: {name} is not set."),
            )
        })
    };
    let (host, port) = (
        variable("KUBERNETES_SERVICE_HOST")?,
        variable("KUBERNETES_SERVICE_PORT")?,
    );
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let directory = Path::new(SERVICE_ACCOUNT);
    let token_file = directory.join("token");
    read("in_cluster_config", &token_file)?;
    Ok(Access {
        host: format!("https://{host}:{port}"),
        authority: read("in_cluster_config", &directory.join("ca.crt")).ok(),
        token_file: Some(token_file),
        ..Access::default()
    })
}

/// Kubeconfig files that are named.
fn paths(arguments: &Arguments, surroundings: &Surroundings<'_>) -> Vec<PathBuf> {
    let home = (surroundings.environment)("HOME").unwrap_or_default();
    let mut names: Vec<String> = arguments
        .filled("config_path")
        .map(str::to_owned)
        .into_iter()
        .collect();
    if names.is_empty() {
        names = arguments.texts("config_paths");
    }
    if names.is_empty() {
        if let Some(text) = (surroundings.environment)("KUBE_CONFIG_PATHS") {
            names = text.split(':').map(str::to_owned).collect();
        }
    }
    names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| match name.strip_prefix("~/") {
            Some(rest) => Path::new(&home).join(rest),
            None => surroundings.directory.join(name),
        })
        .collect()
}

impl Settings {
    pub(crate) fn read(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let suffix = arguments
            .filled("secret_suffix")
            .unwrap_or_default()
            .to_owned();
        let last = suffix.rsplit('-').next().unwrap_or_default();
        if suffix.contains('-') && !last.is_empty() && last.chars().all(|c| c.is_ascii_digit()) {
            return Err(invalid(
                "secret_suffix",
                format!("secret_suffix must not end with '-<number>', got {suffix:?}"),
            ));
        }
        let text = |name: &str| arguments.filled(name).map(str::to_owned);
        let files = paths(arguments, surroundings);
        let mut access = if arguments.flag("in_cluster_config") {
            in_cluster(surroundings)?
        } else if files.is_empty() {
            Access::default()
        } else {
            let choice = kubeconfig::Choice {
                context: text("config_context"),
                user: text("config_context_auth_info"),
                cluster: text("config_context_cluster"),
            };
            kubeconfig::access(&files, &choice)?
        };
        if let Some(host) = text("host") {
            access.host = host;
        }
        if access.host.is_empty() {
            return Err(invalid(
                "host",
                "Nothing says which cluster is meant: there is no host, no config_path, and no in_cluster_config.",
            ));
        }
        if !access.host.contains("://") {
            access.host = format!("https://{}", access.host);
        }
        access.insecure = arguments.given_flag("insecure").unwrap_or(access.insecure);
        let pem = |name: &str| arguments.filled(name).map(|text| text.as_bytes().to_vec());
        access.authority = pem("cluster_ca_certificate").or(access.authority);
        access.certificate = pem("client_certificate").or(access.certificate);
        access.key = pem("client_key").or(access.key);
        if let Some(name) = text("username") {
            access.login = Some((name, text("password").unwrap_or_default()));
        }
        access.token = text("token").or(access.token);
        access.proxy = text("proxy_url").or(access.proxy);
        if let Some(exec) = arguments.object("exec") {
            access.exec = Some(ExecCommand {
                api_version: exec.text("api_version").unwrap_or_default().to_owned(),
                command: exec.text("command").unwrap_or_default().to_owned(),
                arguments: exec.texts("args"),
                environment: exec.text_map("env"),
            });
        }
        let namespace = text("namespace").unwrap_or_else(|| "default".into());
        Ok(Self {
            access,
            suffix,
            namespace,
            labels: arguments.text_map("labels"),
        })
    }
}
