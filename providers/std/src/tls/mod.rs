//! `tls_*`: keys, certificate requests, certificates.

mod certificate;
mod der;
mod fetch;
mod key;
mod name;
mod pem;
mod proxy;
mod public;
mod request;
mod schema;
mod show;

use std::sync::{Arc, OnceLock};

use terrace_provider_sdk::{Diagnostic, Object, Provider};

use crate::Outside;
use crate::definition::{Definition, Failure, Source};

use key::Key;
use proxy::Route;

/// The provider. Its configuration is a proxy.
pub(crate) fn provider(outside: Outside) -> Provider<Outside> {
    let route = Arc::<OnceLock<Route>>::default();
    let known = route.clone();
    let builder = Provider::configured(schema::provider(), move |config| {
        let (outside, known) = (outside.clone(), known.clone());
        async move {
            // Who configures it again says the same.
            known.set(Route::of(&config)?).ok();
            Ok(outside)
        }
    });
    crate::with(builder, resources(), data_sources(route), ephemeral()).build()
}

fn resources() -> Vec<Definition> {
    vec![
        Definition {
            upgrade: |_, object| {
                let pem = object.text("private_key_pem").unwrap_or_default();
                let key = Key::from_pem(pem).map_err(|why| cannot("parse key from PEM", why))?;
                public::describe_private(&key, object)
            },
            ..Definition::new(
                "tls_private_key",
                schema::tls_private_key,
                |_, mut object, outside| {
                    let key = Key::generate(&object, outside)?;
                    public::describe_private(&key, &mut object)?;
                    public::describe(&key, &mut object)?;
                    Ok(object)
                },
            )
        },
        request::definition(),
        certificate::self_signed(),
        certificate::locally_signed(),
    ]
}

fn data_sources(route: Arc<OnceLock<Route>>) -> Vec<Source> {
    vec![
        Source::new(
            "tls_certificate",
            schema::tls_certificate_data,
            move |object, _, _| fetch::read(object, route.get().unwrap_or(&Route::Straight)),
        ),
        Source::new(
            "tls_public_key",
            schema::tls_public_key_data,
            |object, _, _| public::read(object),
        ),
    ]
}

fn ephemeral() -> Vec<Source> {
    vec![
        Source::new(
            "tls_private_key",
            schema::tls_private_key_ephemeral,
            |mut object, outside, _| {
                let key = Key::generate(&object, outside)?;
                if !object.is_set("rsa_bits") {
                    object.set("rsa_bits", 2048_i64);
                }
                if !object.is_set("ecdsa_curve") {
                    object.set("ecdsa_curve", "P224");
                }
                public::describe_private(&key, &mut object)?;
                public::describe_without_id(&key, &mut object)?;
                Ok(object)
            },
        ),
        Source::new(
            "tls_public_key",
            schema::tls_public_key_ephemeral,
            |object, _, _| public::read(object),
        ),
    ]
}

/// What could not be done, and why.
fn cannot(what: &str, why: impl std::fmt::Display) -> Failure {
    Diagnostic::error(format!("Unable to {what}"), why.to_string())
}

/// The private key of a configuration: the write-only one, or the plain one.
fn private_key(
    object: &Object,
    config: &Object,
    name: &str,
    summary: &str,
) -> Result<Key, Failure> {
    let pem = config
        .text(&format!("{name}_wo"))
        .or_else(|| object.text(name))
        .unwrap_or_default();
    Key::from_pem(pem).map_err(|why| Diagnostic::error(summary, why))
}

/// One private key, plain or write-only.
fn one_private_key(
    config: &Object,
    plain: &'static str,
    write_only: &'static str,
) -> Vec<Diagnostic> {
    let known = config.is_known(plain) && config.is_known(write_only);
    if known && config.is_set(plain) == config.is_set(write_only) {
        let summary = if config.is_set(plain) {
            "Invalid Attribute Combination"
        } else {
            "Missing Attribute Configuration"
        };
        let detail =
            format!("Exactly one of these attributes must be configured: [{plain},{write_only}]");
        return vec![Diagnostic::error(summary, detail)];
    }
    Vec::new()
}
