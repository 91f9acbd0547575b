//! What the backend is told: a connection string in either of PostgreSQL's forms, and the environment variables of its clients.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use terrace_backend_remote::{Argument, Arguments, Problem, Surroundings};
use tokio_postgres::config::SslMode;
use url::Url;

const ARGUMENTS: &[Argument] = &[
    Argument::text(
        "conn_str",
        "Postgres connection string; a `postgres://` URL",
    )
    .from_environment(&["PG_CONN_STR"])
    .sensitive(),
    Argument::text(
        "schema_name",
        "Name of the automatically managed Postgres schema to store state",
    )
    .from_environment(&["PG_SCHEMA_NAME"]),
    Argument::flag(
        "skip_schema_creation",
        "If set to `true`, Terrace won't try to create the Postgres schema",
    )
    .from_environment(&["PG_SKIP_SCHEMA_CREATION"]),
    Argument::flag(
        "skip_table_creation",
        "If set to `true`, Terrace won't try to create the Postgres table",
    )
    .from_environment(&["PG_SKIP_TABLE_CREATION"]),
    Argument::flag(
        "skip_index_creation",
        "If set to `true`, Terrace won't try to create the Postgres index",
    )
    .from_environment(&["PG_SKIP_INDEX_CREATION"]),
    Argument::text(
        "table_name",
        "Name of the automatically managed Postgres table to store state",
    )
    .from_environment(&["PG_TABLE_NAME"]),
    Argument::text(
        "index_name",
        "Name of the automatically managed Postgres index used for the table",
    )
    .from_environment(&["PG_INDEX_NAME"]),
];

/// The arguments of `backend "pg"`.
pub const fn arguments() -> &'static [Argument] {
    ARGUMENTS
}

/// What the arguments say.
pub(crate) struct Settings {
    pub(crate) connection: tokio_postgres::Config,
    pub(crate) tls: ClientConfig,
    pub(crate) place: String,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) index: String,
    pub(crate) skip_schema: bool,
    pub(crate) skip_table: bool,
    pub(crate) skip_index: bool,
}

fn invalid(detail: impl Into<String>) -> Vec<Problem> {
    vec![Problem::with(
        "conn_str",
        "Invalid backend configuration",
        detail,
    )]
}

/// Environment variables of PostgreSQL's clients, and the parameters that they give.
const VARIABLES: [(&str, &str); 12] = [
    ("PGHOST", "host"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
];

impl Settings {
    pub(crate) fn read(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let mut parameters = Vec::new();
        for (variable, name) in VARIABLES {
            if let Some(value) =
                (surroundings.environment)(variable).filter(|text| !text.is_empty())
            {
                parameters.push((name.to_owned(), value));
            }
        }
        parameters.extend(parameters_of(
            arguments.filled("conn_str").unwrap_or_default(),
        )?);
        let user = (surroundings.environment)("USER");
        let connection = Connection::of(&parameters, user)?;
        let text = |name: &str, usual: &str| arguments.filled(name).unwrap_or(usual).to_owned();
        Ok(Self {
            tls: connection.tls()?,
            place: connection.place(),
            connection: connection.config,
            schema: text("schema_name", "terraform_remote_state"),
            table: text("table_name", "states"),
            index: text("index_name", "states_by_name"),
            skip_schema: arguments.flag("skip_schema_creation"),
            skip_table: arguments.flag("skip_table_creation"),
            skip_index: arguments.flag("skip_index_creation"),
        })
    }
}

/// The parameters of a connection string: a URL, or words of the form `name=value`.
fn parameters_of(text: &str) -> Result<Vec<(String, String)>, Vec<Problem>> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return words(text);
    }
    let url = Url::parse(text)
        .map_err(|error| invalid(format!("The connection string is no URL: {error}.")))?;
    let decoded = |text: &str| {
        // A query of one pair is decoded as the parts of a URL are, but for the plus sign.
        let query = format!("x={}", text.replace('+', "%2B"));
        url::form_urlencoded::parse(query.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let mut parameters = Vec::new();
    let parts = [
        ("host", url.host_str().map(&decoded)),
        ("port", url.port().map(|port| port.to_string())),
        ("user", Some(decoded(url.username()))),
        ("password", url.password().map(&decoded)),
        ("dbname", Some(decoded(url.path().trim_start_matches('/')))),
    ];
    for (name, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            parameters.push((name.to_owned(), value));
        }
    }
    for (name, value) in url.query_pairs() {
        parameters.push((name.into_owned(), value.into_owned()));
    }
    Ok(parameters)
}

fn words(text: &str) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut parameters = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((name, value)) = rest.split_once('=') else {
            return Err(invalid(
                "The connection string is neither a URL nor words of the form name=value.",
            ));
        };
        let mut out = String::new();
        let value = value.trim_start();
        let quoted = value.starts_with('\'');
        let mut characters = value.char_indices().skip(usize::from(quoted));
        let mut end = value.len();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => out.extend(characters.next().map(|(_, c)| c)),
                '\'' if quoted => {
                    end = at + 1;
                    break;
                }
                c if !quoted && c.is_whitespace() => {
                    end = at;
                    break;
                }
                c => out.push(c),
            }
        }
        parameters.push((name.trim().to_owned(), out));
        rest = value[end..].trim_start();
    }
    Ok(parameters)
}

struct Connection {
    config: tokio_postgres::Config,
    mode: String,
    root_certificate: Option<String>,
    identity: (Option<String>, Option<String>),
    shown: [String; 3],
}

impl Connection {
    fn of(parameters: &[(String, String)], user: Option<String>) -> Result<Self, Vec<Problem>> {
        let mut config = tokio_postgres::Config::new();
        let last = |wanted: &str| {
            let found = parameters.iter().rev().find(|(name, _)| name == wanted);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        };
        let user = last("user").or(user).unwrap_or_else(|| "postgres".into());
        let host = last("host").unwrap_or_else(|| "localhost".into());
        let port = last("port").unwrap_or_else(|| "5432".into());
        let database = last("dbname").unwrap_or_else(|| user.clone());
        let number: u16 = port
            .parse()
            .map_err(|_| invalid(format!("The port {port:?} is no port.")))?;
        config
            .host(&host)
            .port(number)
            .user(&user)
            .dbname(&database);
        config.application_name(last("application_name").as_deref().unwrap_or("terrace"));
        if let Some(password) = last("password") {
            config.password(password);
        }
        let seconds = last("connect_timeout")
            .and_then(|text| text.parse().ok())
            .unwrap_or(10);
        config.connect_timeout(Duration::from_secs(seconds));
        config.keepalives_idle(Duration::from_secs(30));
        config.keepalives_interval(Duration::from_secs(10));
        config.keepalives_retries(3);
        let mut options = last("options").unwrap_or_default();
        for (name, value) in parameters {
            // Whatever the client does not know is a setting of the server.
            if !KNOWN.contains(&name.as_str()) {
                let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
                options = format!("{options} -c {name}={value}");
            }
        }
        if !options.is_empty() {
            config.options(options.trim());
        }
        let mode = last("sslmode").unwrap_or_else(|| "require".into());
        config.ssl_mode(match mode.as_str() {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            "require" | "verify-ca" | "verify-full" => SslMode::Require,
            _ => return Err(invalid(format!("unsupported sslmode {mode:?}; only \"require\" (default), \"verify-full\", \"verify-ca\", and \"disable\" supported"))),
        });
        Ok(Self {
            config,
            mode,
            root_certificate: last("sslrootcert"),
            identity: (last("sslcert"), last("sslkey")),
            shown: [host, port, database],
        })
    }

    fn place(&self) -> String {
        let [host, port, database] = &self.shown;
        format!("postgres://{host}:{port}/{database}")
    }

    fn tls(&self) -> Result<ClientConfig, Vec<Problem>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let failed = |error: Error| invalid(format!("TLS cannot be set up: {error}."));
        let verified = match self.mode.as_str() {
            "verify-full" => Some(true),
            "verify-ca" => Some(false),
            // As libpq has it: whoever names an authority wants it asked.
            "require" if self.root_certificate.is_some() => Some(false),
            _ => None,
        };
        let inner: Option<Arc<dyn ServerCertVerifier>> = match (verified, &self.root_certificate) {
            (None, _) => None,
            (Some(_), None) => Some(Arc::new(
                Verifier::new(Arc::clone(&provider)).map_err(failed)?,
            )),
            (Some(_), Some(path)) => {
                let mut roots = RootCertStore::empty();
                let unreadable =
                    |why: String| invalid(format!("sslrootcert {path} cannot be read: {why}."));
                let certificates = CertificateDer::pem_file_iter(path)
                    .map_err(|error| unreadable(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                    roots
                        .add(certificate)
                        .map_err(|error| unreadable(error.to_string()))?;
                }
                let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(&provider),
                )
                .build()
                .map_err(|error| unreadable(error.to_string()))?;
                Some(verifier)
            }
        };
        let verifier = Arc::new(Verification {
            inner,
            names: verified == Some(true),
            provider: Arc::clone(&provider),
        });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let (Some(certificate), Some(key)) = &self.identity else {
            return Ok(builder.with_no_client_auth());
        };
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
        let unreadable =
            |path: &str, why: String| invalid(format!("{path} cannot be read: {why}."));
        let certificates =
            certificates.map_err(|error| unreadable(certificate, error.to_string()))?;
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| unreadable(key, error.to_string()))?;
        builder
            .with_client_auth_cert(certificates, key)
            .map_err(failed)
    }
}

/// Parameters that are the client's, not the server's.
const KNOWN: [&str; 13] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslmode",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "connect_timeout",
    "fallback_application_name",
];

/// What of a server's certificate is checked: nothing, its authority, or its authority and its name.
#[derive(Debug)]
struct Verification {
    inner: Option<Arc<dyn ServerCertVerifier>>,
    names: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verification {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.names => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parameters_of(text).unwrap()
    }

    fn own(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn both_forms_of_connection_strings_are_read() {
        assert_eq!(
            pairs("postgres://me:p%40ss@db.test:5433/states?sslmode=disable&search_path=x"),
            own(&[
                ("host", "db.test"),
                ("port", "5433"),
                ("user", "me"),
                ("password", "p@ss"),
                ("dbname", "states"),
                ("sslmode", "disable"),
                ("search_path", "x"),
            ])
        );
        assert_eq!(
            pairs(r"host=db.test user = 'me too' password='it\'s' dbname=x"),
            own(&[
                ("host", "db.test"),
                ("user", "me too"),
                ("password", "it's"),
                ("dbname", "x"),
            ])
        );
        assert!(parameters_of("nonsense").is_err());
        assert!(pairs("").is_empty());
    }
}
