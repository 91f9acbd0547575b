//! The object before the change: decoded, imported, read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use terrace_addr::ConfigResource;
use terrace_diag::Diagnostic;
use terrace_instances::write_only_answers;
use terrace_port::{Attempt, OperationEvent, ReadRequest, ResourceState};
use terrace_schema::{Block, IdentitySchema, ResourceSchema};
use terrace_state::{Object, ObjectStatus, StoredIdentity};
use terrace_value::{Marks, Path, Type, Value};

use super::verify::{self, broken_contract, call_failed, remark_value, remarks, taken};
use super::{Import, ImportBy, Known, ManagedInput, ManagedOutcome, Subject, Wish};

/// Finds the object: stored or imported, and read where that is wanted. `None` when errors stand in the way.
pub(super) async fn find(input: &ManagedInput, outcome: &mut ManagedOutcome) -> Option<()> {
    let known = match (&input.stored, &input.import) {
        (Some(stored), _) => {
            let moved = super::moved::take_over(input, stored, outcome).await?;
            let Known {
                value,
                object: stored,
                identity,
            } = match moved {
                Some(moved) => moved,
                None => Known {
                    value: decode(&input.subject, stored, outcome).await?,
                    identity: identity_of(&input.subject, stored, outcome).await?,
                    object: stored.clone(),
                },
            };
            outcome.stored = Some(value.clone());
            let dependencies = if input.refresh {
                merged_dependencies(&stored, &input.wish)
            } else {
                stored.dependencies.clone()
            };
            let skip_destroy = match &input.wish {
                Wish::Configured(desired) => desired.skip_destroy,
                _ => stored.skip_destroy,
            };
            let same = dependencies == stored.dependencies && skip_destroy == stored.skip_destroy;
            let object = if same {
                stored
            } else {
                Arc::new(Object {
                    dependencies,
                    skip_destroy,
                    ..(*stored).clone()
                })
            };
            Known {
                value,
                object,
                identity,
            }
        }
        (None, Some(import)) => import_object(input, import, outcome).await?,
        (None, None) => return Some(()),
    };
    outcome.prior = if input.refresh || input.import.is_some() && input.stored.is_none() {
        read(input, known, outcome).await?
    } else {
        Some(known)
    };
    Some(())
}

impl fmt::Display for ImportBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id was {id:?}"),
            Self::Identity(identity) => write!(f, "identity was {identity:?}"),
        }
    }
}

/// What the stored object depended on and what its configuration says now.
fn merged_dependencies(stored: &Object, wish: &Wish) -> Arc<[ConfigResource]> {
    let configured = match wish {
        Wish::Configured(desired) => &desired.dependencies,
        Wish::Known(dependencies) => dependencies,
        Wish::Gone(_) | Wish::Forgotten(_) => return stored.dependencies.clone(),
    };
    if stored.dependencies == *configured {
        return stored.dependencies.clone();
    }
    let known: BTreeSet<&ConfigResource> = stored.dependencies.iter().collect();
    let added = configured
        .iter()
        .filter(|dependency| !known.contains(dependency));
    let mut all: Vec<ConfigResource> = stored.dependencies.iter().chain(added).cloned().collect();
    if all.len() == stored.dependencies.len() {
        return stored.dependencies.clone();
    }
    all.sort_by_cached_key(ToString::to_string);
    all.into()
}

/// Brings a stored object to the current schema and decodes it, with marks.
pub(crate) async fn decode(
    subject: &Subject,
    stored: &Object,
    outcome: &mut ManagedOutcome,
) -> Option<Value> {
    if stored.schema_version > subject.schema.version {
        outcome.diagnostics.push(newer_provider(subject));
        return None;
    }
    let reply = match upgrade(subject, stored).await {
        Ok(reply) => reply,
        Err(error) => {
            outcome
                .diagnostics
                .push(call_failed(subject, "upgrading the state of", &error));
            return None;
        }
    };
    let failed = reply.failed();
    outcome
        .diagnostics
        .append(remarks(subject, reply.diagnostics));
    if failed {
        return None;
    }
    if let Err(problem) = terrace_schema::assert_conforms(&subject.schema.block, &reply.value) {
        outcome.diagnostics.push(broken_contract(
            subject,
            "Invalid resource state upgrade",
            &format!(
                "upgraded the state of {} to an object of another shape: {problem}",
                subject.address
            ),
        ));
        return None;
    }
    let paths: Vec<(Path, Marks)> = stored
        .sensitive_paths
        .iter()
        .map(|path| (path.clone(), Marks::SENSITIVE))
        .collect();
    Some(remark_value(&reply.value, &subject.schema.block, &paths))
}

/// Lets the provider bring a stored object to the current schema. One that has the schema's version is asked about again
/// without the attributes that the schema lacks, where they may be what the provider cannot read.
async fn upgrade(subject: &Subject, stored: &Object) -> Attempt<Value> {
    let request = |json: Arc<[u8]>| ResourceState {
        type_name: subject.address.type_name().clone(),
        schema_version: stored.schema_version,
        json,
    };
    let provider = &subject.provider;
    let reply = provider
        .upgrade_state(request(stored.attributes.clone()))
        .await;
    let read = reply.as_ref().is_ok_and(|reply| !reply.failed());
    if read || stored.schema_version != subject.schema.version {
        return reply;
    }
    let text = std::str::from_utf8(&stored.attributes).unwrap_or_default();
    let ty = subject.schema.block.implied_type();
    match terrace_value::json::without_surplus(text, &ty) {
        Some(kept) => {
            provider
                .upgrade_state(request(kept.into_bytes().into()))
                .await
        }
        None => reply,
    }
}

/// What is stored has a schema that the selected provider does not know yet.
fn newer_provider(subject: &Subject) -> Diagnostic {
    let provider = &subject.provider_config.provider.name;
    let detail = format!(
        "The current state of {} was created by a newer provider version than is currently selected. Upgrade the {provider} provider to work with this state.",
        subject.address
    );
    Diagnostic::error(
        "state-newer-than-provider",
        "Resource instance managed by newer provider version",
        detail,
    )
    .address(&subject.address)
}

/// What identifies a stored object, in the form of the present schema. The outer `None` means errors.
async fn identity_of(
    subject: &Subject,
    stored: &Object,
    outcome: &mut ManagedOutcome,
) -> Option<Option<Value>> {
    let (Some(identity), Some(schema)) = (&stored.identity, subject.identity_schema()) else {
        return Some(None);
    };
    if identity.schema_version > schema.version {
        outcome.diagnostics.push(newer_provider(subject));
        return None;
    }
    let asked = terrace_instances::stored_identity(
        &*subject.provider,
        subject.address.type_name(),
        Some(schema),
        (identity.schema_version, &identity.attributes),
    );
    match asked.await {
        Ok(reply) => {
            let found = taken(subject, reply, &mut outcome.diagnostics)?;
            verify::identity(subject, found, false, &mut outcome.diagnostics).ok()
        }
        Err(error) => {
            let doing = "upgrading the identity of";
            outcome
                .diagnostics
                .push(call_failed(subject, doing, &error));
            None
        }
    }
}

async fn import_object(
    input: &ManagedInput,
    import: &Import,
    outcome: &mut ManagedOutcome,
) -> Option<Known> {
    let subject = &input.subject;
    let type_name = subject.address.type_name();
    subject.observer.on_event(OperationEvent::ImportStart {
        address: subject.address.clone(),
        id: match &import.by {
            ImportBy::Id(id) => Some(id.clone()),
            ImportBy::Identity(_) => None,
        },
    });
    let asked = match &import.by {
        ImportBy::Id(id) => subject.provider.import(type_name, id),
        ImportBy::Identity(identity) => subject
            .provider
            .import_identity(type_name, identity.clone()),
    };
    let reply = match asked.await {
        Ok(reply) => reply,
        Err(error) => {
            outcome
                .diagnostics
                .push(call_failed(subject, "importing", &error));
            return None;
        }
    };
    let mut found = taken(subject, reply, &mut outcome.diagnostics)?.into_iter();
    let Some(first) = found.next() else {
        outcome.diagnostics.push(
            Diagnostic::error(
                "import-found-nothing",
                "Import returned no resources",
                format!(
                    "The provider returned no resources for an import. This is usually a bug in the provider; the {}.",
                    import.by
                ),
            )
            .at_opt(import.span)
            .address(&subject.address),
        );
        return None;
    };
    if let Some(other) = std::iter::once(&first)
        .chain(found.as_slice())
        .find(|found| found.type_name != *type_name)
    {
        outcome.diagnostics.push(broken_contract(
            subject,
            "Invalid import result",
            &format!(
                "returned an object of type {:?} for an import of {}",
                &*other.type_name, subject.address
            ),
        ));
        return None;
    }
    if found.next().is_some() {
        outcome.diagnostics.push(
            Diagnostic::error(
                "import-found-several",
                "Multiple import states not supported",
                format!("The import found more than one object, but only one can be put under {}; the {}.", subject.address, import.by),
            )
            .at_opt(import.span)
            .address(&subject.address),
        );
        return None;
    }
    if tells_write_only(subject, &first.state, "during import", outcome) {
        return None;
    }
    subject.observer.on_event(OperationEvent::ImportDone {
        address: subject.address.clone(),
    });
    let dependencies = match &input.wish {
        Wish::Configured(desired) => desired.dependencies.clone(),
        Wish::Known(dependencies) => dependencies.clone(),
        Wish::Gone(_) | Wish::Forgotten(_) => [].into(),
    };
    let object = Object {
        schema_version: subject.schema.version,
        attributes: [].into(),
        sensitive_paths: Vec::new(),
        private: first.private,
        dependencies,
        status: ObjectStatus::Ready,
        create_before_destroy: matches!(&input.wish, Wish::Configured(desired) if desired.create_before_destroy),
        skip_destroy: matches!(&input.wish, Wish::Configured(desired) if desired.skip_destroy),
        identity: None,
    };
    let identity =
        verify::identity(subject, first.identity, false, &mut outcome.diagnostics).ok()?;
    Some(Known {
        value: first.state,
        object: Arc::new(object),
        identity,
    })
}

/// Whether the provider told what may not be told; then that is said.
fn tells_write_only(
    subject: &Subject,
    state: &Value,
    when: &str,
    outcome: &mut ManagedOutcome,
) -> bool {
    let leaks = write_only_answers(&subject.address, &subject.schema.block, state, when);
    for leak in &leaks {
        outcome.diagnostics.push(broken_contract(
            subject,
            "Provider produced invalid object",
            leak,
        ));
    }
    !leaks.is_empty()
}

/// Reads the object. The outer `None` means errors, the inner one that the object is gone.
async fn read(
    input: &ManagedInput,
    known: Known,
    outcome: &mut ManagedOutcome,
) -> Option<Option<Known>> {
    let subject = &input.subject;
    let (current, paths) = known.value.unmark_deep_with_paths();
    let id = identifying(&subject.schema.block, &known.value);
    subject.observer.on_event(OperationEvent::RefreshStart {
        address: subject.address.clone(),
        id,
    });
    let request = ReadRequest {
        type_name: subject.address.type_name().clone(),
        current: current.clone(),
        private: known.object.private.clone(),
        identity: known.identity.clone(),
    };
    let reply = match subject.provider.read(request).await {
        Ok(reply) => reply,
        Err(error) => {
            outcome
                .diagnostics
                .push(call_failed(subject, "reading", &error));
            return None;
        }
    };
    let response = taken(subject, reply, &mut outcome.diagnostics)?;
    if response.state.is_null() {
        subject.observer.on_event(OperationEvent::RefreshDone {
            address: subject.address.clone(),
            id: None,
        });
        if input.stored.is_none() {
            outcome.diagnostics.push(import_missing(input));
            return None;
        }
        return Some(None);
    }
    if let Err(problem) = terrace_schema::assert_conforms(&subject.schema.block, &response.state) {
        outcome.diagnostics.push(broken_contract(
            subject,
            "Provider produced invalid object",
            &format!(
                "planned an invalid value for {} during refresh: {problem}",
                subject.address
            ),
        ));
        return None;
    }
    if tells_write_only(subject, &response.state, "during refresh", outcome) {
        return None;
    }
    let value = remark_value(&response.state, &subject.schema.block, &paths);
    subject.observer.on_event(OperationEvent::RefreshDone {
        address: subject.address.clone(),
        id: identifying(&subject.schema.block, &value),
    });
    let told =
        verify::identity(subject, response.identity, false, &mut outcome.diagnostics).ok()?;
    let identity = told.or(known.identity);
    let stored_identity = identity
        .as_ref()
        .and_then(|identity| encoded(subject.identity_schema(), identity));
    let unchanged = response.state == current
        && response.private == known.object.private
        && stored_identity == known.object.identity;
    let object = if unchanged
        && !known.object.attributes.is_empty()
        && known.object.schema_version == subject.schema.version
    {
        known.object
    } else {
        encode(
            &subject.schema,
            &value,
            Object {
                private: response.private,
                identity: stored_identity,
                ..(*known.object).clone()
            },
        )
    };
    Some(Some(Known {
        value,
        object,
        identity,
    }))
}

fn import_missing(input: &ManagedInput) -> Diagnostic {
    Diagnostic::error(
        "import-missing-object",
        "Cannot import non-existent remote object",
        format!(
            "While attempting to import an existing object to {:?}, the provider detected that no object exists with the given id. Only pre-existing objects can be imported; check that the id is correct and that it is associated with the provider's configured region or endpoint, or use \"terrace apply\" to create a new remote object for this resource.",
            input.subject.address.to_string()
        ),
    )
    .at_opt(input.import.as_ref().and_then(|import| import.span))
    .address(&input.subject.address)
}

/// An identity as it is stored.
pub(crate) fn encoded(schema: Option<&IdentitySchema>, identity: &Value) -> Option<StoredIdentity> {
    let (schema_version, attributes) = terrace_instances::encoded_identity(schema, identity)?;
    Some(StoredIdentity {
        schema_version,
        attributes,
    })
}

/// `base` with the attributes of `value`.
pub(crate) fn encode(schema: &ResourceSchema, value: &Value, base: Object) -> Arc<Object> {
    let (plain, paths) = value.unmark_deep_with_paths();
    let ty = schema.block.implied_type();
    Arc::new(Object {
        schema_version: schema.version,
        attributes: encode_json(&plain, &ty),
        sensitive_paths: paths
            .into_iter()
            .filter(|(_, marks)| marks.contains(Marks::SENSITIVE))
            .map(|(path, _)| path)
            .collect(),
        ..base
    })
}

fn encode_json(value: &Value, ty: &Type) -> Arc<[u8]> {
    terrace_value::json::encode(value, ty)
        .map_or_else(|_| Arc::from(&b"{}"[..]), |text| text.into_bytes().into())
}

/// Name and value of the attribute that tells people which object this is.
pub(crate) fn identifying(schema: &Block, value: &Value) -> Option<(String, String)> {
    ["id", "name"].into_iter().find_map(|name| {
        schema
            .attributes
            .get(name)
            .filter(|attribute| !attribute.sensitive)?;
        let text = value.get(name)?;
        if text.is_sensitive() {
            return None;
        }
        text.as_str()
            .filter(|text| !text.is_empty())
            .map(|text| (name.to_owned(), text.to_owned()))
    })
}
