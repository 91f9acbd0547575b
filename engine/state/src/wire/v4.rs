//! The v4 state file, byte for byte as Terraform 1.11.4 writes it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use terrace_addr::{AbsResource, DeposedKey, InstanceKey, Name, Resource, ResourceMode};
use terrace_port::StateVersion;
use terrace_value::{Value, json};

use super::TERRAFORM_VERSION;
use super::intern::Interner;
use super::object::{raw_attributes, read_paths, write_paths};
use super::text::{compact, indent};
use crate::{
    CheckResult, CheckStatus, InstanceState, Object, ObjectCheckResult, ObjectStatus, OutputState,
    ResourceInState, State, StateError, StoredIdentity,
};

#[derive(Deserialize)]
struct VersionForm<'a> {
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    terraform_version: Option<&'a RawValue>,
    #[serde(borrow)]
    encryption_version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct LineForm {
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StateForm<'a> {
    version: u64,
    #[serde(borrow, default)]
    terraform_version: Cow<'a, str>,
    #[serde(default)]
    serial: u64,
    #[serde(borrow, default)]
    lineage: Cow<'a, str>,
    #[serde(borrow, default)]
    outputs: Option<BTreeMap<Cow<'a, str>, OutputForm<'a>>>,
    #[serde(borrow, default)]
    resources: Option<Vec<ResourceForm<'a>>>,
    #[serde(borrow, default)]
    check_results: Option<Vec<CheckForm<'a>>>,
}

#[derive(Serialize, Deserialize)]
struct OutputForm<'a> {
    #[serde(borrow)]
    value: RawText<'a>,
    #[serde(borrow, rename = "type")]
    ty: RawText<'a>,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
}

#[derive(Serialize, Deserialize)]
struct ResourceForm<'a> {
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    module: Cow<'a, str>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    type_name: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    /// Empty where each instance has its own.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    provider: Cow<'a, str>,
    #[serde(borrow, default)]
    instances: Vec<InstanceForm<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InstanceForm<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    index_key: Option<RawText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    status: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    deposed: Cow<'a, str>,
    /// An instance of a provider configuration that has several, as OpenTofu writes it.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    provider: Cow<'a, str>,
    #[serde(default)]
    schema_version: u64,
    #[serde(borrow, default, deserialize_with = "present")]
    attributes: Option<RawText<'a>>,
    #[serde(borrow, default, skip_serializing)]
    attributes_flat: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sensitive_attributes: Option<RawText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_schema_version: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    identity: Option<RawText<'a>>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    private: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dependencies: Option<RawText<'a>>,
    #[serde(default, skip_serializing_if = "is_false")]
    create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    skip_destroy: bool,
}

#[derive(Serialize, Deserialize)]
struct CheckForm<'a> {
    #[serde(borrow)]
    object_kind: Cow<'a, str>,
    #[serde(borrow)]
    config_addr: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    objects: Option<Vec<CheckObjectForm<'a>>>,
}

#[derive(Serialize, Deserialize)]
struct CheckObjectForm<'a> {
    #[serde(borrow)]
    object_addr: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failure_messages: Vec<String>,
}

/// JSON text, borrowed from the file when read, owned or borrowed from the state when written.
enum RawText<'a> {
    Borrowed(&'a RawValue),
    Owned(Box<RawValue>),
}

impl<'a> RawText<'a> {
    fn owned(text: String) -> Self {
        Self::Owned(super::object::raw(text))
    }

    /// Read forms are always borrowed.
    fn borrowed(&self) -> &'a RawValue {
        match self {
            Self::Borrowed(raw) => raw,
            Self::Owned(_) => RawValue::NULL,
        }
    }
}

impl Serialize for RawText<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Borrowed(raw) => raw.serialize(serializer),
            Self::Owned(raw) => raw.serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawText<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'a RawValue>::deserialize(deserializer).map(Self::Borrowed)
    }
}

/// Keeps a field that is there and null apart from one that is not there.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RawText<'de>>, D::Error> {
    RawText::deserialize(deserializer).map(Some)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Reads a v4 state file.
pub fn read(bytes: &[u8]) -> Result<State, StateError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        StateError::invalid(format!(
            "The state file is not valid UTF-8: the byte at offset {} is wrong.",
            error.valid_up_to()
        ))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str(text) {
        Ok(form @ StateForm { version: 4, .. }) => read_content(form),
        // What is wrong with the version is worth more than what is wrong with the rest.
        Ok(_) => Err(check_version(text).err().unwrap_or_else(|| {
            StateError::unsupported("The state file has no known format.", None)
        })),
        Err(error) => Err(check_version(text)
            .err()
            .unwrap_or_else(|| StateError::syntax(&error))),
    }
}

/// Lineage and serial of a state file, without reading the rest of it.
pub(crate) fn version_of(bytes: &[u8]) -> Result<StateVersion, StateError> {
    let form: LineForm =
        serde_json::from_slice(bytes).map_err(|error| StateError::syntax(&error))?;
    Ok(StateVersion {
        lineage: form.lineage,
        serial: form.serial,
    })
}

pub(super) fn read_content(form: StateForm<'_>) -> Result<State, StateError> {
    let mut interner = Interner::default();
    let mut state = State {
        lineage: form.lineage.into_owned(),
        serial: form.serial,
        ..State::default()
    };
    for (name, output) in form.outputs.unwrap_or_default() {
        let output = read_output(&name, &output)?;
        state.outputs.insert(name.into(), output);
    }
    let resources = form.resources.unwrap_or_default();
    for resource in &resources {
        read_resource(resource, &mut interner, &mut state)?;
    }
    state.check_results = form
        .check_results
        .map(|checks| checks.into_iter().map(read_check).collect::<Result<_, _>>())
        .transpose()?;
    Ok(state)
}

fn check_version(text: &str) -> Result<(), StateError> {
    if text.trim().is_empty() {
        return Err(StateError::unsupported("The state file is empty.", None));
    }
    let form: VersionForm<'_> =
        serde_json::from_str(text).map_err(|error| StateError::syntax(&error))?;
    let Some(version) = form.version else {
        if form.encryption_version.is_some() {
            return Err(StateError::unsupported(
                "The state is encrypted, and nothing says how to decrypt it. Give the settings by which it was encrypted in `terraform { encryption { … } }` or in the environment variable TF_ENCRYPTION; for a state that terraform_remote_state reads, in \"remote_state_data_sources\".",
                None,
            ));
        }
        return Err(StateError::unsupported(
            "The state file does not have a \"version\" attribute, which is required to identify the format version.",
            None,
        ));
    };
    let written_by = form
        .terraform_version
        .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
        .map(|version| format!(" This state file was created by Terraform {version}."))
        .unwrap_or_default();
    match version.get() {
        "4" => Ok(()),
        "0" | "1" | "2" | "3" => Err(StateError::unsupported(
            format!("The state file uses format version {version}, which is older than what Terrace reads.{written_by}"),
            Some("Run `terraform apply` with Terraform 0.12 or later once: it upgrades the file to format version 4.".into()),
        )),
        _ => Err(StateError::unsupported(
            format!("The state file uses format version {version}, which is not supported by Terrace.{written_by}"),
            Some("Use a version of Terrace that knows this format.".into()),
        )),
    }
}

fn read_output(name: &str, output: &OutputForm<'_>) -> Result<OutputState, StateError> {
    let bad = |what: &dyn std::fmt::Display| {
        StateError::invalid(format!("The output value {name:?} cannot be read: {what}."))
    };
    let ty = json::decode_type(output.ty.borrowed().get()).map_err(|error| bad(&error))?;
    let value = json::decode(output.value.borrowed().get(), &ty).map_err(|error| bad(&error))?;
    Ok(OutputState {
        value,
        sensitive: output.sensitive,
    })
}

fn read_resource<'a>(
    form: &'a ResourceForm<'a>,
    interner: &mut Interner<'a>,
    state: &mut State,
) -> Result<(), StateError> {
    let mode = match &*form.mode {
        "managed" => ResourceMode::Managed,
        "data" => ResourceMode::Data,
        other => {
            return Err(StateError::invalid(format!(
                "The resource {}.{} has the unknown mode {other:?}.",
                form.type_name, form.name
            )));
        }
    };
    let resource = Resource {
        mode,
        type_name: interner.name(&form.type_name),
        name: interner.name(&form.name),
    };
    let address = AbsResource {
        module: interner.module(&form.module)?,
        resource: Arc::new(resource),
    };
    let provider = match form.instances.iter().find(|form| !form.provider.is_empty()) {
        None => interner.provider(&form.provider)?,
        Some(first) if form.provider.is_empty() => interner.provider(&first.provider)?.whole(),
        Some(_) => {
            return Err(StateError::invalid(format!(
                "The resource {address} has a provider, and so has one of its instances."
            )));
        }
    };
    let mut instances = BTreeMap::new();
    for instance in &form.instances {
        read_instance(&address, instance, interner, &mut instances)?;
    }
    if state
        .resources
        .insert(
            address.clone(),
            ResourceInState {
                provider,
                instances,
            },
        )
        .is_some()
    {
        return Err(StateError::invalid(format!(
            "The resource {address} appears twice."
        )));
    }
    Ok(())
}

fn read_instance<'a>(
    resource: &AbsResource,
    form: &'a InstanceForm<'a>,
    interner: &mut Interner<'a>,
    instances: &mut BTreeMap<Option<InstanceKey>, InstanceState>,
) -> Result<(), StateError> {
    let key = form
        .index_key
        .as_ref()
        .map(|raw| read_key(resource, raw.borrowed(), interner))
        .transpose()?
        .flatten();
    let object = Arc::new(read_object(resource, form, interner)?);
    let instance = instances.entry(key.clone()).or_default();
    if !form.provider.is_empty() {
        instance.provider_key = interner.provider(&form.provider)?.key;
    }
    let replaced = if form.deposed.is_empty() {
        instance.current.replace(object)
    } else {
        instance
            .deposed
            .insert(DeposedKey(interner.name(&form.deposed)), object)
    };
    if replaced.is_some() {
        return Err(StateError::invalid(format!(
            "The instance {} appears twice.",
            resource.instance(key)
        )));
    }
    Ok(())
}

fn read_key<'a>(
    resource: &AbsResource,
    raw: &'a RawValue,
    interner: &mut Interner<'a>,
) -> Result<Option<InstanceKey>, StateError> {
    let text = raw.get();
    if text == "null" {
        return Ok(None);
    }
    let bad = || {
        StateError::invalid(format!(
            "An instance of {resource} has the key {text}, which is neither a whole number nor a string."
        ))
    };
    if text.starts_with('"') {
        let plain = &text[1..text.len() - 1];
        let name = if plain.contains('\\') {
            Name::from(serde_json::from_str::<String>(text).map_err(|_| bad())?)
        } else {
            interner.name(plain)
        };
        return Ok(Some(InstanceKey::String(name)));
    }
    text.parse()
        .map(|index| Some(InstanceKey::Int(index)))
        .map_err(|_| bad())
}

pub(super) fn read_object<'a>(
    resource: &AbsResource,
    form: &'a InstanceForm<'a>,
    interner: &mut Interner<'a>,
) -> Result<Object, StateError> {
    let status = match &*form.status {
        "" => ObjectStatus::Ready,
        "tainted" => ObjectStatus::Tainted,
        other => {
            return Err(StateError::invalid(format!(
                "An instance of {resource} has the unknown status {other:?}."
            )));
        }
    };
    if form.attributes.is_none() && form.attributes_flat.is_some_and(|raw| raw.get() != "null") {
        return Err(StateError::unsupported(
            format!("The object of {resource} was last written by Terraform 0.11 or older, in a form that Terrace does not read."),
            Some("Run `terraform apply -refresh-only` with Terraform 0.12 or later once: it rewrites such objects.".into()),
        ));
    }
    let private = STANDARD.decode(form.private.as_bytes()).map_err(|_| {
        StateError::invalid(format!(
            "The private data of an instance of {resource} is not valid base64."
        ))
    })?;
    Ok(Object {
        schema_version: i64::try_from(form.schema_version).map_err(|_| {
            StateError::invalid(format!(
                "An instance of {resource} has a schema version that is out of range."
            ))
        })?,
        attributes: form.attributes.as_ref().map_or_else(
            || b"null".as_slice().into(),
            |raw| compact(raw.borrowed().get()).into(),
        ),
        sensitive_paths: read_paths(form.sensitive_attributes.as_ref().map(RawText::borrowed))?,
        private: private.into(),
        dependencies: interner
            .dependency_list(form.dependencies.as_ref().map(RawText::borrowed))?,
        status,
        create_before_destroy: form.create_before_destroy,
        skip_destroy: form.skip_destroy,
        identity: form.identity.as_ref().and_then(|raw| {
            let text = raw.borrowed().get();
            (text != "null").then(|| StoredIdentity {
                schema_version: form
                    .identity_schema_version
                    .and_then(|version| i64::try_from(version).ok())
                    .unwrap_or_default(),
                attributes: compact(text).into(),
            })
        }),
    })
}

fn read_check(form: CheckForm<'_>) -> Result<CheckResult, StateError> {
    let objects = form.objects.unwrap_or_default().into_iter().map(|object| {
        Ok(ObjectCheckResult {
            address: object.object_addr.into_owned(),
            status: read_check_status(&object.status)?,
            failures: object.failure_messages,
        })
    });
    Ok(CheckResult {
        kind: match &*form.object_kind {
            "resource" => "resource".into(),
            "output" => "output".into(),
            "check" => "check".into(),
            "var" => "var".into(),
            other => {
                return Err(StateError::invalid(format!(
                    "A check result is of the unknown kind {other:?}."
                )));
            }
        },
        config_address: form.config_addr.to_string(),
        status: read_check_status(&form.status)?,
        objects: objects.collect::<Result<_, _>>()?,
    })
}

fn read_check_status(text: &str) -> Result<CheckStatus, StateError> {
    Ok(match text {
        "unknown" => CheckStatus::Unknown,
        "pass" => CheckStatus::Pass,
        "fail" => CheckStatus::Fail,
        "error" => CheckStatus::Error,
        other => {
            return Err(StateError::invalid(format!(
                "A check result has the unknown status {other:?}."
            )));
        }
    })
}

/// The v4 state file of a state, as Terraform 1.11.4 writes it.
pub fn write(state: &State) -> Vec<u8> {
    let compact =
        serde_json::to_vec(&state_form(state)).expect("the forms hold only what JSON can hold");
    let mut out = Vec::with_capacity(compact.len() * 2);
    indent(&compact, &mut out);
    out.push(b'\n');
    out
}

pub(super) fn state_form(state: &State) -> StateForm<'_> {
    let mut resources: Vec<ResourceForm<'_>> = state
        .resources
        .iter()
        .map(|(address, resource)| write_resource(address, resource))
        .collect();
    resources.sort_by(|a, b| {
        (&a.module, &a.mode, &a.type_name, &a.name).cmp(&(
            &b.module,
            &b.mode,
            &b.type_name,
            &b.name,
        ))
    });
    StateForm {
        version: 4,
        terraform_version: TERRAFORM_VERSION.into(),
        serial: state.serial,
        lineage: state.lineage.as_str().into(),
        outputs: Some(
            state
                .outputs
                .iter()
                .map(|(name, output)| ((&**name).into(), write_output(output)))
                .collect(),
        ),
        resources: Some(resources),
        check_results: state
            .check_results
            .as_ref()
            .map(|checks| checks.iter().map(write_check).collect()),
    }
}

fn write_output(output: &OutputState) -> OutputForm<'_> {
    OutputForm {
        value: RawText::owned(value_text(&output.value)),
        ty: RawText::owned(json::encode_type(&output.value.ty())),
        sensitive: output.sensitive,
    }
}

fn value_text(value: &Value) -> String {
    let (plain, _) = value.unmark_deep();
    json::encode(&plain, &plain.ty()).unwrap_or_else(|_| "null".into())
}

fn write_resource<'a>(address: &'a AbsResource, resource: &'a ResourceInState) -> ResourceForm<'a> {
    let keyed = resource
        .instances
        .values()
        .any(|instance| instance.provider_key.is_some());
    let instances = resource.instances.iter().flat_map(|(key, instance)| {
        let with_provider = move |form: InstanceForm<'a>| InstanceForm {
            provider: if keyed {
                let provider = &resource.provider;
                let provider = provider.instance(instance.provider_key.clone());
                provider.to_string().into()
            } else {
                "".into()
            },
            ..form
        };
        let current = instance
            .current
            .iter()
            .map(move |object| with_provider(write_object(key.as_ref(), None, object)));
        let deposed = instance.deposed.iter().map(move |(deposed, object)| {
            with_provider(write_object(key.as_ref(), Some(deposed), object))
        });
        current.chain(deposed)
    });
    ResourceForm {
        module: address.module.to_string().into(),
        mode: match address.resource.mode {
            ResourceMode::Data => "data".into(),
            ResourceMode::Managed | ResourceMode::Ephemeral => "managed".into(),
        },
        type_name: (&*address.resource.type_name).into(),
        name: (&*address.resource.name).into(),
        provider: if keyed {
            "".into()
        } else {
            resource.provider.to_string().into()
        },
        instances: instances.collect(),
    }
}

pub(super) fn write_object<'a>(
    key: Option<&InstanceKey>,
    deposed: Option<&'a DeposedKey>,
    object: &'a Arc<Object>,
) -> InstanceForm<'a> {
    InstanceForm {
        index_key: key.map(|key| match key {
            InstanceKey::Int(index) => RawText::owned(index.to_string()),
            InstanceKey::String(text) => RawText::owned(super::object::json_string(text)),
        }),
        status: match object.status {
            ObjectStatus::Ready => "".into(),
            ObjectStatus::Tainted => "tainted".into(),
        },
        deposed: deposed.map_or_else(|| "".into(), |key| (&*key.0).into()),
        provider: "".into(),
        schema_version: u64::try_from(object.schema_version).unwrap_or_default(),
        attributes: Some(RawText::Borrowed(raw_attributes(&object.attributes))),
        attributes_flat: None,
        sensitive_attributes: Some(RawText::Owned(write_paths(&object.sensitive_paths))),
        identity_schema_version: object
            .identity
            .as_ref()
            .map(|identity| u64::try_from(identity.schema_version).unwrap_or_default()),
        identity: object
            .identity
            .as_ref()
            .map(|identity| RawText::Borrowed(raw_attributes(&identity.attributes))),
        private: if object.private.is_empty() {
            "".into()
        } else {
            STANDARD.encode(&object.private).into()
        },
        dependencies: (!object.dependencies.is_empty()).then(|| {
            let texts: Vec<String> = object
                .dependencies
                .iter()
                .map(|dependency| super::object::json_string(&dependency.to_string()))
                .collect();
            RawText::owned(format!("[{}]", texts.join(",")))
        }),
        create_before_destroy: object.create_before_destroy,
        skip_destroy: object.skip_destroy,
    }
}

fn write_object_check(object: &ObjectCheckResult) -> CheckObjectForm<'_> {
    CheckObjectForm {
        object_addr: object.address.as_str().into(),
        status: check_status(object.status).into(),
        failure_messages: object.failures.clone(),
    }
}

fn write_check(check: &CheckResult) -> CheckForm<'_> {
    CheckForm {
        object_kind: (&*check.kind).into(),
        config_addr: check.config_address.as_str().into(),
        status: check_status(check.status).into(),
        // The reference writes `null` where there are none.
        objects: (!check.objects.is_empty())
            .then(|| check.objects.iter().map(write_object_check).collect()),
    }
}

const fn check_status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Unknown => "unknown",
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
    }
}
