//! Who one is to AWS, and how it is reached: plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A role to assume.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// How long credentials are good for, where it is not an hour.
    pub duration: Option<Duration>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// A policy in JSON that restricts the session further.
    pub policy: Option<String>,
    /// Policies that restrict the session further.
    pub policy_arns: Vec<String>,
    /// The session's name, where it is not made up.
    pub session_name: Option<String>,
    /// The source identity of the session.
    pub source_identity: Option<String>,
    /// Tags of the session.
    pub tags: BTreeMap<String, String>,
    /// Keys of the tags that go on to further sessions.
    pub transitive_tag_keys: Vec<String>,
}

/// Where the token of a web identity comes from.
#[derive(Clone)]
pub enum WebToken {
    /// The token itself.
    Text(String),
    /// A file that holds it, read each time that the role is assumed.
    File(PathBuf),
}

/// Keys that were given.
#[derive(Clone)]
pub struct StaticKeys {
    /// The id of the access key.
    pub access: String,
    /// Its secret.
    pub secret: String,
    /// The session token.
    pub token: Option<String>,
}

/// How credentials are come by: first that which is given here, in this order, then the shared files, the container, the
/// machine; with them, the roles are assumed.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// What gives keys and profile, as messages call it: "the backend's arguments".
    pub source: Option<&'static str>,
    /// Keys of the configuration.
    pub given: Option<StaticKeys>,
    /// The profile in the shared files. Where it is given, nothing but it is asked.
    pub profile: Option<String>,
    /// Keys of the environment.
    pub environment: Option<StaticKeys>,
    /// The shared configuration files, where they are not the usual ones.
    pub config_files: Vec<PathBuf>,
    /// The shared credentials files, where they are not the usual ones.
    pub credentials_files: Vec<PathBuf>,
    /// A role to assume by the token of an identity provider, before all others.
    pub web: Option<(Role, WebToken)>,
    /// Roles to assume, each with the credentials of the one before it.
    pub roles: Vec<Role>,
    /// URL of the EC2 metadata service.
    pub metadata_endpoint: Option<String>,
    /// Whether the EC2 metadata service is reached by IPv6.
    pub metadata_ipv6: bool,
    /// Whether the EC2 metadata service is not asked.
    pub skip_metadata: bool,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Network {
    /// A file with the certificates to trust, in PEM.
    pub ca_bundle: Option<PathBuf>,
    /// The proxy for HTTP.
    pub http_proxy: Option<String>,
    /// The proxy for HTTPS.
    pub https_proxy: Option<String>,
    /// Hosts that are reached without a proxy, separated by commas.
    pub no_proxy: Option<String>,
    /// Whether certificates are not looked at.
    pub insecure: bool,
    /// How often a request is made at most.
    pub attempts: u32,
    /// The pause before a request is made a second time, at most. Each further one is twice as long, up to 20 s.
    pub first_pause: Duration,
    /// Whether retries are paced by what the service bears, and not only by how many there were.
    pub adaptive: bool,
    /// How many retries may be outstanding before no more are made, in units of the SDK's; any number where there is none.
    pub retry_capacity: Option<usize>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            ca_bundle: None,
            http_proxy: None,
            https_proxy: None,
            no_proxy: None,
            insecure: false,
            attempts: 6,
            first_pause: Duration::from_secs(1),
            adaptive: false,
            retry_capacity: None,
        }
    }
}

/// Whose account it must be.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The accounts that may be worked with; any where there are none.
    pub allowed: Vec<String>,
    /// The accounts that must not be worked with.
    pub forbidden: Vec<String>,
    /// Whether credentials are not tried out.
    pub skip_credentials: bool,
    /// Whether the account is not asked for.
    pub skip_id: bool,
}

impl Account {
    /// Whether an account may be worked with.
    pub fn admits(&self, id: &str) -> bool {
        let forbidden = self.forbidden.iter().any(|forbidden| forbidden == id);
        let allowed = self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed == id);
        allowed && !forbidden
    }

    /// Whether not every account may be worked with.
    pub(crate) fn is_choosy(&self) -> bool {
        !self.allowed.is_empty() || !self.forbidden.is_empty()
    }
}

/// Who one is to AWS, and how it is reached.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The region. Where there is none, [`Session::open`](crate::Session::open) takes the profile's, or the machine's.
    pub region: Option<String>,
    /// The region of STS, where it is another.
    pub sts_region: Option<String>,
    /// Where services are that are not where they usually are, by their names: `s3`, `sts`.
    pub endpoints: BTreeMap<String, String>,
    /// Where all other services are, where they are not where they usually are.
    pub endpoint: Option<String>,
    /// Whether hosts after FIPS are used.
    pub fips: bool,
    /// Whether hosts with IPv4 and IPv6 are used.
    pub dual_stack: bool,
    /// How credentials are come by.
    pub identity: Identity,
    /// How requests are made.
    pub network: Network,
    /// Whose account it must be.
    pub account: Account,
    /// What requests call their sender beside the program, each `NAME` or `NAME/VERSION`.
    pub products: Vec<String>,
}

impl Access {
    /// Where a service is, where it is not where it usually is.
    pub(crate) fn endpoint_of(&self, service: &str) -> Option<&str> {
        let own = self.endpoints.get(service);
        own.or(self.endpoint.as_ref()).map(String::as_str)
    }
}

impl std::fmt::Debug for WebToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl std::fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticKeys")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
