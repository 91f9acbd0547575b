//! What the backend is told.

use std::time::Duration;

use reqwest::Method;
use terrace_backend_remote::{Argument, Arguments, Problem};
use url::Url;

const ARGUMENTS: &[Argument] = &[
    Argument::text("address", "The address of the REST endpoint")
        .from_environment(&["TF_HTTP_ADDRESS"])
        .required(),
    Argument::text("update_method", "HTTP method to use when updating state")
        .from_environment(&["TF_HTTP_UPDATE_METHOD"]),
    Argument::text("lock_address", "The address of the lock REST endpoint")
        .from_environment(&["TF_HTTP_LOCK_ADDRESS"]),
    Argument::text("unlock_address", "The address of the unlock REST endpoint")
        .from_environment(&["TF_HTTP_UNLOCK_ADDRESS"]),
    Argument::text("lock_method", "The HTTP method to use when locking")
        .from_environment(&["TF_HTTP_LOCK_METHOD"]),
    Argument::text("unlock_method", "The HTTP method to use when unlocking")
        .from_environment(&["TF_HTTP_UNLOCK_METHOD"]),
    Argument::text("username", "The username for HTTP basic authentication")
        .from_environment(&["TF_HTTP_USERNAME"]),
    Argument::text("password", "The password for HTTP basic authentication")
        .from_environment(&["TF_HTTP_PASSWORD"])
        .sensitive(),
    Argument::flag("skip_cert_verification", "Whether to skip TLS verification."),
    Argument::number("retry_max", "The number of HTTP request retries.")
        .from_environment(&["TF_HTTP_RETRY_MAX"]),
    Argument::number(
        "retry_wait_min",
        "The minimum time in seconds to wait between HTTP request attempts.",
    )
    .from_environment(&["TF_HTTP_RETRY_WAIT_MIN"]),
    Argument::number(
        "retry_wait_max",
        "The maximum time in seconds to wait between HTTP request attempts.",
    )
    .from_environment(&["TF_HTTP_RETRY_WAIT_MAX"]),
    Argument::text(
        "client_ca_certificate_pem",
        "A PEM-encoded CA certificate chain used by the client to verify server certificates during TLS authentication.",
    )
    .from_environment(&["TF_HTTP_CLIENT_CA_CERTIFICATE_PEM"]),
    Argument::text(
        "client_certificate_pem",
        "A PEM-encoded certificate used by the server to verify the client during mutual TLS (mTLS) authentication.",
    )
    .from_environment(&["TF_HTTP_CLIENT_CERTIFICATE_PEM"]),
    Argument::text(
        "client_private_key_pem",
        "A PEM-encoded private key, required if client_certificate_pem is specified.",
    )
    .from_environment(&["TF_HTTP_CLIENT_PRIVATE_KEY_PEM"])
    .sensitive(),
];

/// The arguments of `backend "http"`.
pub const fn arguments() -> &'static [Argument] {
    ARGUMENTS
}

/// What the arguments say.
pub(crate) struct Settings {
    pub(crate) address: Url,
    pub(crate) update_method: Method,
    pub(crate) lock: Option<(Method, Url)>,
    pub(crate) unlock: Option<(Method, Url)>,
    pub(crate) login: Option<(String, Option<String>)>,
    pub(crate) skip_verification: bool,
    pub(crate) retries: u32,
    pub(crate) pauses: (Duration, Duration),
    pub(crate) ca_certificates: Option<String>,
    /// Certificate and key.
    pub(crate) identity: Option<(String, String)>,
}

/// An address without its password.
pub(crate) fn shown(address: &Url) -> String {
    let mut shown = address.clone();
    if shown.password().is_some() {
        shown.set_password(Some("xxxxx")).ok();
    }
    shown.to_string()
}

struct Reader<'a> {
    arguments: &'a Arguments,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn invalid(&mut self, argument: &str, detail: String) {
        self.problems.push(Problem::with(
            argument,
            "Invalid backend configuration",
            detail,
        ));
    }

    fn address(&mut self, name: &str) -> Option<Url> {
        let text = self.arguments.filled(name)?;
        let what = if name == "address" {
            "address".to_owned()
        } else {
            name.replace('_', "").replace("address", "Address")
        };
        match Url::parse(text) {
            Ok(address) if ["http", "https"].contains(&address.scheme()) => Some(address),
            Ok(_) => {
                self.invalid(name, format!("{what} must be HTTP or HTTPS"));
                None
            }
            Err(error) => {
                self.invalid(
                    name,
                    format!("failed to parse {what} URL: {text:?}: {error}"),
                );
                None
            }
        }
    }

    fn method(&mut self, name: &str, usual: &str) -> Method {
        let text = self.arguments.filled(name).unwrap_or(usual);
        Method::from_bytes(text.as_bytes()).unwrap_or_else(|_| {
            self.invalid(name, format!("{text:?} is not an HTTP method."));
            Method::POST
        })
    }

    fn number<T: TryFrom<i64>>(&mut self, name: &str, usual: T) -> T {
        let Some(number) = self.arguments.number(name) else {
            return usual;
        };
        T::try_from(number).unwrap_or_else(|_| {
            self.invalid(
                name,
                format!("{name} cannot be {number}: it counts, from 0."),
            );
            usual
        })
    }
}

impl Settings {
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader {
            arguments,
            problems: Vec::new(),
        };
        let address = reader.address("address");
        let update_method = reader.method("update_method", "POST");
        let lock_method = reader.method("lock_method", "LOCK");
        let unlock_method = reader.method("unlock_method", "UNLOCK");
        let lock = reader.address("lock_address");
        let unlock = reader.address("unlock_address");
        let retries = reader.number("retry_max", 2_u32);
        let shortest = Duration::from_secs(reader.number("retry_wait_min", 1_u64));
        let longest = Duration::from_secs(reader.number("retry_wait_max", 30_u64));
        let identity = match (
            arguments.filled("client_certificate_pem"),
            arguments.filled("client_private_key_pem"),
        ) {
            (Some(certificate), Some(key)) => Some((certificate.to_owned(), key.to_owned())),
            (None, None) => None,
            (Some(_), None) => {
                reader.invalid(
                    "client_certificate_pem",
                    "client_certificate_pem is set but client_private_key_pem is not".into(),
                );
                None
            }
            (None, Some(_)) => {
                reader.invalid(
                    "client_private_key_pem",
                    "client_private_key_pem is set but client_certificate_pem is not".into(),
                );
                None
            }
        };
        let text = |name: &str| arguments.filled(name).map(str::to_owned);
        let Some(address) = address else {
            if reader.problems.is_empty() {
                reader.invalid(
                    "address",
                    "The address of the REST endpoint is empty.".into(),
                );
            }
            return Err(reader.problems);
        };
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        Ok(Self {
            update_method,
            lock: lock.map(|address| (lock_method, address)),
            unlock: unlock.map(|address| (unlock_method, address)),
            login: text("username").map(|name| (name, text("password"))),
            skip_verification: arguments.flag("skip_cert_verification"),
            retries,
            pauses: (shortest, longest.max(shortest)),
            ca_certificates: text("client_ca_certificate_pem"),
            identity,
            address,
        })
    }
}
