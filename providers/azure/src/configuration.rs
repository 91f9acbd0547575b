//! The provider's block: how to sign in, to which cloud and subscription.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use terrace_backend_remote::{Arguments, Problem, Reader, Surroundings, chain};
use terrace_bearer::azure::{Cloud, Identity, Tokens, arguments};
use terrace_provider_sdk::{
    Attribute, Diagnostic, Diagnostics, Object, Outcome, Schema, Stop, Type, attribute, validate,
};

use crate::Outside;
use crate::arm::{Arm, Session};
use crate::cloud;
use crate::features::{self, Features};
use crate::registration;

/// What the provider was configured to.
pub struct Client {
    /// The service, or why it cannot be asked yet.
    arm: Result<Arc<Arm>, Diagnostic>,
    pub(crate) features: Features,
}

impl Client {
    /// The service for so long.
    pub(crate) fn session(&self, stop: Stop, within: Duration) -> Outcome<Session> {
        let arm = self.arm.clone()?;
        Ok(Session::new(arm, stop, within))
    }
}

/// The arguments that are texts, and what they are.
const TEXTS: [(&str, &str); 20] = [
    (
        "ado_pipeline_service_connection_id",
        "The service connection of the Azure DevOps pipeline whose tokens are used.",
    ),
    (
        "client_certificate",
        "The service principal's certificate and key: a PKCS #12 bundle or PEM, in base64.",
    ),
    (
        "client_certificate_password",
        "The password of the service principal's certificate.",
    ),
    (
        "client_certificate_path",
        "A file with the service principal's certificate and key.",
    ),
    (
        "client_id",
        "The client id of the service principal or of the managed identity.",
    ),
    ("client_id_file_path", "A file that holds the client id."),
    ("client_secret", "The service principal's secret."),
    (
        "client_secret_file_path",
        "A file that holds the service principal's secret.",
    ),
    (
        "environment",
        "The cloud: public, usgovernment or china; public unless set. `metadata_host` stands for it.",
    ),
    (
        "metadata_host",
        "The host that describes the cloud, for clouds that `environment` has no name for.",
    ),
    (
        "msi_api_version",
        "The version of the managed identity's interface. Terrace chooses it by where it runs.",
    ),
    (
        "msi_endpoint",
        "Where tokens of the managed identity are had, if not at the machine's own place.",
    ),
    (
        "oidc_request_token",
        "The token with which the identity provider is asked for a token.",
    ),
    (
        "oidc_request_url",
        "Where the identity provider is asked for a token.",
    ),
    ("oidc_token", "The identity provider's token itself."),
    (
        "oidc_token_file_path",
        "A file that holds the identity provider's token.",
    ),
    (
        "partner_id",
        "The partner whom Azure counts the usage for, a UUID.",
    ),
    (
        "resource_provider_registrations",
        "Which set of resource providers is registered before anything is done; none unless set. Of any set, what the types here need is.",
    ),
    (
        "subscription_id",
        "The subscription in which everything is.",
    ),
    ("tenant_id", "The tenant to sign in to."),
];

/// The arguments that are flags.
const FLAGS: [(&str, &str); 7] = [
    (
        "disable_correlation_request_id",
        "Whether requests go without the id that ties those of one run together.",
    ),
    (
        "disable_terraform_partner_id",
        "Whether requests go without a partner's id where `partner_id` is not set. They always do here.",
    ),
    (
        "storage_use_azuread",
        "Whether data in storage is reached by tokens. The types here do not touch data.",
    ),
    (
        "use_aks_workload_identity",
        "Whether the workload identity of a Kubernetes cluster of Azure signs in.",
    ),
    (
        "use_cli",
        "Whether the Azure CLI is asked for tokens, where nothing else is set. It is unless this is false.",
    ),
    ("use_msi", "Whether the managed identity signs in."),
    (
        "use_oidc",
        "Whether a token of an identity provider signs in.",
    ),
];

/// What may be configured.
pub(crate) fn schema() -> Schema {
    let mut schema = Schema::new().plain();
    for (name, text) in TEXTS {
        schema = schema.attribute(name, Attribute::string().optional().describe_plain(text));
    }
    for (name, text) in FLAGS {
        schema = schema.attribute(name, Attribute::bool().optional().describe_plain(text));
    }
    schema
        .attribute("auxiliary_tenant_ids", Attribute::list(Type::String).optional())
        .attribute(
            "resource_providers_to_register",
            Attribute::list(Type::String)
                .optional()
                .describe_plain("Resource providers that are registered before anything is done, beside those of the set."),
        )
        .change("resource_provider_registrations", |attribute| {
            attribute.validate(validate::one_of(registration::SETS))
        })
        .block("features", features::block())
}

/// What of the configuration cannot be done here.
pub(crate) fn check(config: &Object, diagnostics: &mut Diagnostics) {
    if !config.items("auxiliary_tenant_ids").is_empty() {
        diagnostics.error_at(
            attribute("auxiliary_tenant_ids"),
            "Not supported",
            "Terrace's native provider does not send tokens of further tenants. Leave \"auxiliary_tenant_ids\" out: the types that it has do not \
             need them.",
        );
    }
    if config.is_set("msi_api_version") {
        diagnostics.warning_at(
            attribute("msi_api_version"),
            "Without effect",
            "Terrace's native provider chooses the version of the managed identity's interface by where it runs.",
        );
    }
    if config.items("features").len() > 1 {
        diagnostics.error_at(
            attribute("features"),
            "Too many features blocks",
            "No more than 1 \"features\" block is allowed.",
        );
    }
}

/// Signs in, as far as that is known already: while a change is planned the configuration may hold unknowns.
pub(crate) async fn configure(outside: Outside, config: Object) -> Outcome<Client> {
    let features = Features::of(&config);
    let unknown = config
        .entries()
        .iter()
        .find(|(name, value)| &***name != "features" && !value.is_wholly_known())
        .map(|(name, _)| name.to_string())
        .or_else(|| Features::is_unknown(&config).then(|| "features".to_owned()));
    if let Some(name) = unknown {
        let why = Diagnostic::error(
            "The provider is not configured yet",
            format!(
                "The provider's argument {name:?} comes from something that is not made yet, so nothing can be read from Azure. Make that first \
                 (terrace apply -target=…), or give the argument a value that is known."
            ),
        );
        return Ok(Client {
            arm: Err(why),
            features,
        });
    }
    let arm = Arc::new(connect(&outside, &config).await?);
    let set = config.text("resource_provider_registrations");
    let from_environment = (outside.environment)("ARM_RESOURCE_PROVIDER_REGISTRATIONS");
    let set = set.or(from_environment.as_deref());
    registration::register(&arm, registration::wanted(&config, set)).await?;
    Ok(Client {
        arm: Ok(arm),
        features,
    })
}

fn told(problems: Vec<Problem>) -> Diagnostics {
    let problems = problems.into_iter().map(|problem| {
        let told = Diagnostic::error(problem.summary, problem.detail);
        match problem.argument {
            Some(name) => told.at(attribute(&name)),
            None => told,
        }
    });
    problems.collect::<Vec<_>>().into()
}

async fn connect(outside: &Outside, config: &Object) -> Outcome<Arm> {
    let mut values = BTreeMap::new();
    for (name, value) in config.entries() {
        if arguments().iter().any(|found| found.name == &**name) && !value.is_null() {
            values.insert(name.to_string(), value.clone());
        }
    }
    let environment = &*outside.environment;
    // Whoever describes the cloud is asked below; who signs in is read without that.
    let metadata_host = values
        .remove("metadata_host")
        .and_then(|host| host.as_str().map(str::to_owned))
        .or_else(|| environment("ARM_METADATA_HOSTNAME"))
        .or_else(|| environment("ARM_METADATA_HOST"))
        .filter(|host| !host.is_empty());
    let without_host = |name: &str| {
        let hosts = ["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"];
        if hosts.contains(&name) {
            None
        } else {
            environment(name)
        }
    };
    let surroundings = Surroundings {
        environment: &without_host,
        directory: Path::new("."),
        clock: outside.clock.clone(),
        user_agent: &outside.user_agent,
        watcher: None,
    };
    let given = Arguments::new(arguments(), &values, &without_host).map_err(told)?;
    let (mut identity, subscription, tenant) = Reader::read(&given, &surroundings, |reader| {
        let identity = Identity::read(reader);
        let subscription = subscription(reader);
        Some((identity?, subscription?, reader.owned("tenant_id")))
    })
    .map_err(told)?;
    let web = web(outside, config)?;
    if let Some(host) = metadata_host {
        let described = cloud::described(&web, &host).await;
        identity.cloud = described.map_err(|problem| told(vec![problem]))?;
    }
    let Cloud {
        manager,
        storage_suffix,
        ..
    } = identity.cloud.clone();
    let address = url::Url::parse(&manager).map_err(|error| {
        Diagnostic::error(
            "The Resource Manager has no address",
            format!(
                "{manager:?} is no URL: {error}. It comes from \"metadata_host\" or ARM_ENDPOINT."
            ),
        )
    })?;
    let tokens = Tokens::new(&web, &identity, &manager, outside.clock.clone());
    let silent = config
        .flag("disable_correlation_request_id")
        .unwrap_or(false);
    Ok(Arm {
        tokens,
        web,
        manager: address,
        subscription,
        tenant,
        storage_suffix,
        correlation: (!silent).then(|| uuid::Uuid::new_v4().to_string()),
        pace: outside.pace,
    })
}

fn subscription(reader: &mut Reader<'_>) -> Option<String> {
    let found = reader.owned("subscription_id");
    if found.is_none() {
        reader.refuse(
            "subscription_id",
            "Missing subscription",
            "The provider must know the subscription. Set \"subscription_id\", or the variable ARM_SUBSCRIPTION_ID of the environment \
             (az account show --query id shows the one that the Azure CLI uses).",
        );
    }
    found
}

fn web(outside: &Outside, config: &Object) -> Outcome<reqwest::Client> {
    let partner = config.text("partner_id").filter(|id| !id.is_empty());
    let agent = match partner {
        Some(partner) => format!("{} pid-{partner}", outside.user_agent),
        None => outside.user_agent.clone(),
    };
    let built = reqwest::Client::builder()
        .user_agent(agent)
        .connect_timeout(Duration::from_secs(30))
        .build();
    built.map_err(|error| {
        Diagnostic::error(
            "No connections can be made",
            format!("Connections cannot be set up: {}", chain(&error)),
        )
        .into()
    })
}
