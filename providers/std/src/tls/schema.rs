//! Schemas of tls.

use std::convert::identity;

use terrace_provider_sdk::{Attribute, Block, Schema, Type, validate};

/// Gives an attribute its description, in Markdown or as plain text.
type Describe = fn(Attribute, &str) -> Attribute;
/// Says of an attribute what becomes of it in a change.
type Changed = fn(Attribute) -> Attribute;

/// A text that is made once and then stays.
fn made(description: &str) -> Attribute {
    Attribute::string()
        .computed()
        .keep()
        .describe_plain(description)
}

/// The names of a private key's algorithm, of the key, of the key that is write-only, and of that one's version.
type KeyNames = [&'static str; 4];

/// The key of whom a certificate is for.
const OWN_KEY: KeyNames = [
    "key_algorithm",
    "private_key_pem",
    "private_key_pem_wo",
    "private_key_pem_wo_version",
];
/// The key of an authority.
const AUTHORITY_KEY: KeyNames = [
    "ca_key_algorithm",
    "ca_private_key_pem",
    "ca_private_key_pem_wo",
    "ca_private_key_pem_wo_version",
];

/// The private key that something is signed with, plain or write-only.
fn signing_key(schema: Schema, names: KeyNames) -> Schema {
    let [algorithm, plain, write_only, version] = names;
    schema
        .attribute(algorithm, made("The algorithm of the private key."))
        .attribute(
            plain,
            Attribute::string()
                .optional()
                .sensitive()
                .replace()
                .describe_plain(&format!(
                    "The private key to sign with, in PEM; either this or `{write_only}`."
                )),
        )
        .attribute(
            write_only,
            Attribute::string()
                .optional()
                .sensitive()
                .write_only()
                .validate(validate::also_requires([version]))
                .describe_plain(&format!(
                    "The private key to sign with, in PEM, which is not stored; \
                     `{version}` says when it is another."
                )),
        )
        .attribute(
            version,
            Attribute::number()
                .optional()
                .replace()
                .describe_plain(&format!(
                    "Any number; with another one, `{write_only}` is used anew."
                )),
        )
}

/// Whom a certificate is for.
fn subject() -> Block {
    let part = |description| {
        Attribute::string()
            .optional()
            .replace()
            .describe_plain(description)
    };
    let schema = Schema::new()
        .describe("Whom the certificate is for, as far as its name says it.")
        .attribute(
            "common_name",
            part("The usual name (`CN`), such as that of a host."),
        )
        .attribute("country", part("The country (`C`), in two letters."))
        .attribute("email_address", part("The address for electronic mail."))
        .attribute("locality", part("The town (`L`)."))
        .attribute(
            "organization",
            part("The company or other organization (`O`)."),
        )
        .attribute(
            "organizational_unit",
            part("The part of the organization (`OU`)."),
        )
        .attribute("postal_code", part("The code of the town for letters."))
        .attribute(
            "province",
            part("The province or state of the country (`ST`)."),
        )
        .attribute(
            "serial_number",
            part("A number that tells equal names apart."),
        )
        .attribute(
            "street_address",
            Attribute::list(Type::String)
                .optional()
                .replace()
                .describe_plain("The lines of the address before the town (`STREET`)."),
        );
    Block::list(schema)
        .replace()
        .validate(validate::size(0..=1))
}

/// The other names of whom a certificate is for.
fn names(schema: Schema) -> Schema {
    let list = |description| {
        Attribute::list(Type::String)
            .optional()
            .replace()
            .describe_plain(description)
    };
    let filled = || validate::each(validate::length(1..=usize::MAX));
    schema
        .attribute(
            "dns_names",
            list("The host names that the certificate is for."),
        )
        .attribute(
            "ip_addresses",
            list("The IP addresses that the certificate is for.").validate(filled()),
        )
        .attribute(
            "uris",
            list("The URIs that the certificate is for.").validate(filled()),
        )
        .block("subject", subject())
}

/// What a certificate allows, how long it is valid, and the certificate.
fn certificate(schema: Schema) -> Schema {
    let flag = |description| {
        Attribute::bool()
            .optional()
            .computed()
            .replace()
            .default_to(false)
            .describe_plain(description)
    };
    schema
        .attribute(
            "allowed_uses",
            Attribute::list(Type::String)
                .required()
                .replace()
                .validate(validate::each(super::certificate::known_use()))
                .describe_plain(
                    "What the certificate may be used for: key usages and extended key usages, \
                     such as `digital_signature` and `server_auth`.",
                ),
        )
        .attribute(
            "cert_pem",
            made("The certificate in PEM, with a line break at its end."),
        )
        .attribute(
            "id",
            made("The certificate's serial number as a decimal number."),
        )
        .attribute(
            "is_ca_certificate",
            flag("Whether the certificate is that of an authority; false by default."),
        )
        .attribute(
            "max_path_length",
            Attribute::number()
                .optional()
                .computed()
                .replace()
                .keep()
                .validate(validate::at_least(-1))
                .describe_plain("How many authorities there may be below this one."),
        )
        .attribute(
            "set_subject_key_id",
            flag("Whether the certificate names its own key by a digest; false by default."),
        )
}

/// From when to when a certificate is valid, and when it is made anew.
fn validity(schema: Schema) -> Schema {
    schema
        .attribute(
            "early_renewal_hours",
            Attribute::number()
                .optional()
                .computed()
                .default_to(0_i64)
                .validate(validate::at_least(0))
                .describe_plain(
                    "How many hours before its end the certificate is made anew, \
                     when there is a run; 0 by default. The old one stays valid until its end.",
                ),
        )
        .attribute(
            "ready_for_renewal",
            Attribute::bool()
                .computed()
                .default_to(false)
                .modify(super::certificate::ready_for_renewal)
                .describe_plain("Whether the certificate is to be made anew."),
        )
        .attribute(
            "validity_end_time",
            made("When the certificate ceases to be valid, in RFC 3339."),
        )
        .attribute(
            "validity_period_hours",
            Attribute::number()
                .required()
                .replace()
                .validate(validate::at_least(0))
                .describe_plain("How many hours the certificate is valid."),
        )
        .attribute(
            "validity_start_time",
            made("When the certificate begins to be valid, in RFC 3339."),
        )
}

/// The schema of the resource type `tls_cert_request`.
pub(super) fn tls_cert_request() -> Schema {
    let schema = Schema::new()
        .describe("A request that an authority makes a certificate from.")
        .attribute(
            "cert_request_pem",
            made("The request in PEM, with a line break at its end."),
        )
        .attribute(
            "id",
            made("The SHA-1 digest of the request in hexadecimal digits."),
        );
    signing_key(names(schema), OWN_KEY)
}

/// The schema of the resource type `tls_locally_signed_cert`.
pub(super) fn tls_locally_signed_cert() -> Schema {
    let pem = |description| {
        Attribute::string()
            .required()
            .replace()
            .describe_plain(description)
    };
    let schema = Schema::new()
        .describe("A certificate that an authority of your own makes from a request.")
        .attribute("ca_cert_pem", pem("The authority's certificate in PEM."))
        .attribute("cert_request_pem", pem("The request in PEM."));
    signing_key(validity(certificate(schema)), AUTHORITY_KEY)
}

/// The schema of the resource type `tls_self_signed_cert`.
pub(super) fn tls_self_signed_cert() -> Schema {
    let schema = Schema::new()
        .describe("A certificate that is signed with its own key, for tests and for authorities.")
        .attribute(
            "set_authority_key_id",
            Attribute::bool()
                .optional()
                .computed()
                .replace()
                .default_to(false)
                .describe_plain(
                    "Whether the certificate names the key that signed it by a digest; \
                     false by default.",
                ),
        );
    signing_key(names(validity(certificate(schema))), OWN_KEY)
}

/// The forms of a public key.
fn public_key(schema: Schema, describe: Describe, changed: Changed) -> Schema {
    let form = |description: &str| describe(changed(Attribute::string().computed()), description);
    schema
        .attribute(
            "public_key_fingerprint_md5",
            form("The MD5 digest of the public key as SSH shows it; empty where SSH has none."),
        )
        .attribute(
            "public_key_fingerprint_sha256",
            form("The SHA-256 digest of the public key as SSH shows it; empty where SSH has none."),
        )
        .attribute(
            "public_key_openssh",
            form("The public key as a line of `authorized_keys`; empty for the curve `P224`."),
        )
        .attribute(
            "public_key_pem",
            form("The public key in PEM, with a line break at its end."),
        )
}

/// What a private key is made from, and its forms.
fn private_key(schema: Schema, made: Changed, chosen: Changed) -> Schema {
    let secret =
        |description| made(Attribute::string().computed().sensitive()).describe(description);
    let schema = schema
        .attribute(
            "algorithm",
            chosen(Attribute::string().required())
                .validate(validate::one_of(["RSA", "ECDSA", "ED25519"]))
                .describe_plain("The kind of key: `RSA`, `ECDSA` or `ED25519`."),
        )
        .attribute(
            "ecdsa_curve",
            chosen(Attribute::string().optional().computed())
                .validate(validate::one_of(["P224", "P256", "P384", "P521"]))
                .describe(
                    "The curve of an `ECDSA` key: `P224`, `P256`, `P384` or `P521`; \
                     `P224` by default.",
                ),
        )
        .attribute(
            "private_key_openssh",
            secret("The private key in the form of OpenSSH; empty for the curve `P224`."),
        )
        .attribute(
            "private_key_pem",
            secret("The private key in PEM, in the form of its algorithm."),
        )
        .attribute(
            "private_key_pem_pkcs8",
            secret("The private key in PEM, in the form PKCS #8 that all algorithms share."),
        )
        .attribute(
            "rsa_bits",
            chosen(Attribute::number().optional().computed())
                .describe("How many bits an `RSA` key has; 2048 by default."),
        );
    public_key(schema, Attribute::describe, made)
}

/// The schema of the resource type `tls_private_key`.
pub(super) fn tls_private_key() -> Schema {
    let schema = Schema::new()
        .version(1)
        .describe("A private key, which the state holds; the ephemeral type keeps it out.")
        .attribute(
            "id",
            Attribute::string()
                .computed()
                .keep()
                .describe("The SHA-1 digest of the public key in hexadecimal digits."),
        );
    private_key(schema, Attribute::keep, Attribute::replace)
        .change("ecdsa_curve", |curve| curve.default_to("P224"))
        .change("rsa_bits", |bits| bits.default_to(2048_i64))
}

/// The schema of the ephemeral resource type `tls_private_key`.
pub(super) fn tls_private_key_ephemeral() -> Schema {
    let schema = Schema::new()
        .describe("A private key that no plan and no state holds, for write-only attributes.");
    private_key(schema, identity, identity)
}

/// The public part of a private key that is given.
fn public_part(description: &str) -> Schema {
    let text = |description| Attribute::string().computed().describe_plain(description);
    let given = |description| {
        Attribute::string()
            .optional()
            .sensitive()
            .describe_plain(description)
    };
    let schema = Schema::new()
        .describe(description)
        .attribute(
            "algorithm",
            text("The kind of key: `RSA`, `ECDSA` or `ED25519`."),
        )
        .attribute(
            "id",
            text("The SHA-1 digest of the public key in hexadecimal digits."),
        )
        .attribute(
            "private_key_openssh",
            given("The private key in the form of OpenSSH; either this or `private_key_pem`."),
        )
        .attribute(
            "private_key_pem",
            given("The private key in PEM; either this or `private_key_openssh`.")
                .validate(validate::exactly_one_of(["private_key_openssh"])),
        );
    public_key(schema, Attribute::describe_plain, identity)
}

/// The schema of the data source `tls_public_key`.
pub(super) fn tls_public_key_data() -> Schema {
    public_part("The public part of a private key.")
}

/// The schema of the ephemeral resource type `tls_public_key`.
pub(super) fn tls_public_key_ephemeral() -> Schema {
    public_part("The public part of a private key, which nothing stores.")
}

/// The schema of the data source `tls_certificate`.
pub(super) fn tls_certificate_data() -> Schema {
    let shown = Type::object([
        ("cert_pem", Type::String),
        ("is_ca", Type::Bool),
        ("issuer", Type::String),
        ("max_path_length", Type::Number),
        ("not_after", Type::String),
        ("not_before", Type::String),
        ("public_key_algorithm", Type::String),
        ("serial_number", Type::String),
        ("sha1_fingerprint", Type::String),
        ("signature_algorithm", Type::String),
        ("subject", Type::String),
        ("version", Type::Number),
    ]);
    Schema::new()
        .describe("What certificates say that a server shows or that are given.")
        .attribute(
            "certificates",
            Attribute::list(shown)
                .computed()
                .describe("The certificates; that of the server is the last."),
        )
        .attribute(
            "content",
            Attribute::string()
                .optional()
                .validate(validate::exactly_one_of(["url"]))
                .describe("The certificate to read, in PEM; either this or `url`."),
        )
        .attribute(
            "id",
            Attribute::string()
                .computed()
                .describe("A digest of the certificates."),
        )
        .attribute(
            "url",
            Attribute::string()
                .optional()
                .describe("The server to ask: a URL of `https`, or `tls` for other services."),
        )
        .attribute(
            "verify_chain",
            Attribute::bool()
                .optional()
                .describe("Whether a server that is not trusted is an error; true by default."),
        )
}

/// The schema of the provider's configuration.
pub(super) fn provider() -> Schema {
    let text = |description| Attribute::string().optional().describe(description);
    let proxy = Schema::new()
        .describe("The proxy to reach servers through.")
        .attribute(
            "from_env",
            Attribute::bool().optional().describe(
                "Whether environment variables such as `HTTPS_PROXY` name it; \
                     true by default.",
            ),
        )
        .attribute("password", text("The password to show to it.").sensitive())
        .attribute(
            "url",
            text("Where it is: a URL of `http`, `https` or `socks5`."),
        )
        .attribute("username", text("The name to show to it."));
    Schema::new()
        .describe("How servers are reached.")
        .block("proxy", Block::list(proxy))
}
