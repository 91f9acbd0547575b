//! From a body to settings.

use std::collections::BTreeMap;

use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span, nearest};
use terrace_syntax::{
    AttributeSchema, Block, BlockSchema, Body, BodySchema, Expr, ExprKind, Step, parse, parse_json,
};

use crate::settings::{Definition, Reference, Settings, Target};

/// Arguments that say who one is to Amazon's services, as of the backend `s3`.
const AWS: &[&str] = &[
    "access_key",
    "allowed_account_ids",
    "assume_role",
    "assume_role_with_web_identity",
    "custom_ca_bundle",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "forbidden_account_ids",
    "http_proxy",
    "https_proxy",
    "insecure",
    "max_retries",
    "no_proxy",
    "profile",
    "region",
    "retry_mode",
    "secret_key",
    "shared_config_files",
    "shared_credentials_files",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_requesting_account_id",
    "sts_region",
    "token",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
];

/// The same for Azure.
const AZURE: &[&str] = &[
    "ado_pipeline_service_connection_id",
    "client_certificate",
    "client_certificate_password",
    "client_certificate_path",
    "client_id",
    "client_id_file_path",
    "client_secret",
    "client_secret_file_path",
    "endpoint",
    "environment",
    "metadata_host",
    "msi_endpoint",
    "oidc_request_token",
    "oidc_request_url",
    "oidc_token",
    "oidc_token_file_path",
    "subscription_id",
    "tenant_id",
    "use_aks_workload_identity",
    "use_cli",
    "use_msi",
    "use_oidc",
];

/// The same for Google's.
const GOOGLE: &[&str] = &[
    "access_token",
    "credentials",
    "impersonate_service_account",
    "impersonate_service_account_delegates",
];

/// Required arguments, others, and the groups that say who one is.
type Known = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const KEY_PROVIDERS: &[(&str, Known)] = &[
    (
        "pbkdf2",
        (
            &[],
            &[
                "chain",
                "hash_function",
                "iterations",
                "key_length",
                "passphrase",
                "salt_length",
            ],
            &[],
        ),
    ),
    ("external", (&["command"], &[], &[])),
    (
        "aws_kms",
        (&["key_spec", "kms_key_id"], &["encryption_context"], AWS),
    ),
    (
        "gcp_kms",
        (
            &["key_length", "kms_encryption_key"],
            &["additional_authenticated_data"],
            GOOGLE,
        ),
    ),
    (
        "azure_vault",
        (
            &["key_length", "vault_key_name", "vault_uri"],
            &["symmetric", "symmetric_key_size"],
            AZURE,
        ),
    ),
];

const METHODS: &[(&str, Known)] = &[
    ("aes_gcm", (&["keys"], &["aad"], &[])),
    (
        "external",
        (&["decrypt_command", "encrypt_command"], &["keys"], &[]),
    ),
    ("unencrypted", (&[], &[], &[])),
];

/// The settings of an `encryption` block, or of a text that stands for one. What is wrong is told and left out.
pub fn decode(body: &Body) -> (Settings, Diagnostics) {
    let schema = BodySchema {
        attributes: Vec::new(),
        blocks: vec![
            block("key_provider", &["type", "name"]),
            block("method", &["type", "name"]),
            block("state", &[]),
            block("plan", &[]),
            block("remote_state_data_sources", &[]),
        ],
    };
    let (content, mut diagnostics) = body.content(&schema);
    let mut settings = Settings::default();
    for block in &content.blocks {
        match &*block.type_name.name {
            "key_provider" => {
                let definition = definition(block, KEY_PROVIDERS, "chain", &mut diagnostics);
                add(
                    &mut settings.key_providers,
                    definition,
                    "key_provider",
                    &mut diagnostics,
                );
            }
            "method" => {
                let definition = definition(block, METHODS, "keys", &mut diagnostics);
                add(
                    &mut settings.methods,
                    definition,
                    "method",
                    &mut diagnostics,
                );
            }
            "state" => once(&mut settings.state, block, &mut diagnostics),
            "plan" => once(&mut settings.plan, block, &mut diagnostics),
            _ => remotes(&mut settings, block, &mut diagnostics),
        }
    }
    (settings, diagnostics)
}

/// The settings in the text of the environment variable `TF_ENCRYPTION`: the content of an `encryption` block in
/// native syntax, or in JSON.
pub fn decode_environment(source: SourceId, text: &str) -> (Settings, Diagnostics) {
    let (body, mut diagnostics) = if text.trim_start().starts_with('{') {
        parse_json(source, text.as_bytes())
    } else {
        parse(source, text.as_bytes())
    };
    if diagnostics.has_errors() {
        return (Settings::default(), diagnostics);
    }
    let (settings, problems) = decode(&body);
    diagnostics.append(problems);
    (settings, diagnostics)
}

fn block(type_name: &str, labels: &[&str]) -> BlockSchema {
    BlockSchema {
        type_name: type_name.into(),
        labels: labels.iter().map(|label| (*label).into()).collect(),
    }
}

fn add(
    definitions: &mut Vec<Definition>,
    definition: Option<Definition>,
    kind: &str,
    diagnostics: &mut Diagnostics,
) {
    let Some(definition) = definition else { return };
    let reference = &definition.reference;
    if definitions
        .iter()
        .any(|known| known.reference == *reference)
    {
        diagnostics.push(
            Diagnostic::error(
                "duplicate-encryption-part",
                format!("Duplicate {kind}"),
                format!(
                    "Found multiple instances of {kind}.{}.{}. Give each a name of its own.",
                    reference.type_name, reference.name
                ),
            )
            .at(definition.span),
        );
        return;
    }
    definitions.push(definition);
}

fn definition(
    block: &Block,
    known: &[(&str, Known)],
    reference_argument: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Definition> {
    let kind = &*block.type_name.name;
    let type_name = &*block.labels[0].text;
    let Some((_, (required, others, identity))) = known.iter().find(|(name, _)| *name == type_name)
    else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let mut problem = Diagnostic::error(
            "unknown-encryption-part",
            format!("Unknown {kind} type"),
            format!(
                "There is no {kind} of type {type_name:?}. There are: {}.",
                names.join(", ")
            ),
        )
        .at(block.labels[0].span);
        if let Some(near) = nearest(type_name, names.iter().copied()) {
            problem = problem.hint(format!("did you mean {near:?}?"));
        }
        diagnostics.push(problem);
        return None;
    };
    let alias = (kind == "key_provider").then_some("encrypted_metadata_alias");
    let optional = others.iter().chain(*identity).copied().chain(alias);
    let schema = BodySchema {
        attributes: required
            .iter()
            .map(|name| (*name, true))
            .chain(optional.map(|name| (name, false)))
            .map(|(name, required)| AttributeSchema {
                name: name.into(),
                required,
            })
            .collect(),
        blocks: if type_name == "aws_kms" {
            vec![self::block("endpoints", &[])]
        } else {
            Vec::new()
        },
    };
    let (content, problems) = block.body.content(&schema);
    diagnostics.append(problems);
    let mut arguments = BTreeMap::new();
    let mut keys = None;
    for (name, attribute) in content.attributes {
        if *name == *reference_argument {
            keys = reference(&attribute.value, "key_provider", diagnostics)
                .map(|reference| (reference, attribute.value.span));
        } else {
            arguments.insert(name.to_string(), attribute.value);
        }
    }
    for inner in &content.blocks {
        let (attributes, problems) = inner.body.just_attributes();
        diagnostics.append(problems);
        arguments.extend(
            attributes
                .into_iter()
                .map(|(name, attribute)| (format!("endpoints.{name}"), attribute.value)),
        );
    }
    Some(Definition {
        reference: Reference {
            type_name: type_name.to_owned(),
            name: block.labels[1].text.to_string(),
        },
        arguments,
        keys,
        span: block.header_span,
    })
}

/// Reads `ROOT.TYPE.NAME`, also in a JSON string.
fn reference(expression: &Expr, root: &str, diagnostics: &mut Diagnostics) -> Option<Reference> {
    let found = match &expression.kind {
        ExprKind::Traversal(traversal) if &*traversal.root.name == root => {
            match traversal.steps.as_slice() {
                [Step::Attribute(type_name), Step::Attribute(name)] => Some(Reference {
                    type_name: type_name.name.to_string(),
                    name: name.name.to_string(),
                }),
                _ => None,
            }
        }
        ExprKind::TemplateWrap(inner) => return reference(inner, root, diagnostics),
        ExprKind::Template(parts) => match parts.as_slice() {
            [part] => return reference(part, root, diagnostics),
            _ => None,
        },
        ExprKind::Literal(value) => value.as_str().and_then(|text| named(text, root)),
        _ => None,
    };
    if found.is_none() {
        let (id, summary) = if root == "method" {
            (
                "bad-encryption-method",
                "Invalid encryption method identifier",
            )
        } else {
            ("bad-key-provider", "Invalid Key Provider expression format")
        };
        diagnostics.push(
            Diagnostic::error(
                id,
                summary,
                format!("Expected a name of the form {root}.<type>.<name>, of a {root} block in the same encryption configuration."),
            )
            .at(expression.span),
        );
    }
    found
}

fn named(text: &str, root: &str) -> Option<Reference> {
    let mut parts = text.split('.');
    let found = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    match found {
        (first, type_name, name, None) if first == root => Some(Reference {
            type_name: type_name.to_owned(),
            name: name.to_owned(),
        }),
        _ => None,
    }
}

fn once(target: &mut Option<Target>, block: &Block, diagnostics: &mut Diagnostics) {
    if target.is_some() {
        diagnostics.push(repeated(&block.type_name.name, block.header_span));
        return;
    }
    *target = Some(decode_target(block, Enforcing::May, diagnostics));
}

fn repeated(type_name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "duplicate-encryption-part",
        format!("Duplicate {type_name} block"),
        format!("Only one {type_name} block is allowed."),
    )
    .at(span)
}

/// Whether a target may say `enforced`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Enforcing {
    May,
    MayNot,
}

fn decode_target(block: &Block, enforcing: Enforcing, diagnostics: &mut Diagnostics) -> Target {
    let attributes: &[&str] = match enforcing {
        Enforcing::May => &["method", "enforced"],
        Enforcing::MayNot => &["method"],
    };
    let schema = BodySchema::of(attributes, &["fallback"]);
    let (content, problems) = block.body.content(&schema);
    diagnostics.append(problems);
    let mut target = Target {
        span: Some(block.header_span),
        ..Target::default()
    };
    if let Some(attribute) = content.attributes.get("method") {
        target.method = reference(&attribute.value, "method", diagnostics)
            .map(|reference| (reference, attribute.value.span));
    }
    if let Some(attribute) = content.attributes.get("enforced") {
        match &attribute.value.kind {
            ExprKind::Literal(value) if value.as_bool().is_some() => {
                target.enforced = value.as_bool() == Some(true);
            }
            _ => diagnostics.push(
                Diagnostic::error(
                    "enforced-is-constant",
                    "Invalid value for enforced",
                    "Whether encryption is enforced must stand here as true or false, so that no variable can switch it off.",
                )
                .at(attribute.value.span),
            ),
        }
    }
    for inner in &content.blocks {
        if target.fallback.is_some() {
            diagnostics.push(repeated("fallback", inner.header_span));
            continue;
        }
        target.fallback = Some(Box::new(decode_target(
            inner,
            Enforcing::MayNot,
            diagnostics,
        )));
    }
    target
}

fn remotes(settings: &mut Settings, outer: &Block, diagnostics: &mut Diagnostics) {
    let schema = BodySchema {
        attributes: Vec::new(),
        blocks: vec![
            block("default", &[]),
            block("remote_state_data_source", &["name"]),
        ],
    };
    let (content, problems) = outer.body.content(&schema);
    diagnostics.append(problems);
    for inner in &content.blocks {
        let target = decode_target(inner, Enforcing::MayNot, diagnostics);
        let before = match inner.labels.first() {
            None => settings.remote_default.replace(target),
            Some(label) => settings.remotes.insert(label.text.to_string(), target),
        };
        if before.is_some() {
            diagnostics.push(repeated(&inner.type_name.name, inner.header_span));
        }
    }
}
