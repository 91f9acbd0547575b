//! Outputs documents: what one stack tells others in an environment, without letting them into its state.
//!
//! Each apply leaves one beside the state: a DSSE envelope, signed where a key is at hand, whose digest the audit log holds.
//! A document that was changed, or put back from earlier, contradicts the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use terrace_port::{RunStore, Signer, StoreError};
use terrace_value::{Type, Value};

use crate::approval::{pre_authentication_encoding, verify_bytes};
use crate::audit::{HEAD, entry_name};
use crate::digest::hash;
use crate::wire::{self, AuditWire, HeadWire};
use crate::{Rules, fingerprint_of};

/// Namespace of the signatures of outputs documents.
pub const OUTPUTS_NAMESPACE: &str = "terrace-outputs";

/// Where the newest document lies.
const CURRENT: &str = "outputs/current";

/// The detail of an audit entry that holds the digest of the document that is current from then on.
pub const OUTPUTS_DETAIL: &str = "outputs";

/// What one stack tells others in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputsDocument {
    /// The project.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The stack's folder, relative to the project file.
    pub stack: String,
    /// The run that left it.
    pub run: String,
    /// The lineage of the state that it left.
    pub lineage: String,
    /// The serial of that state.
    pub serial: u64,
    /// RFC 3339 time.
    pub time: String,
    /// The root outputs.
    pub outputs: BTreeMap<String, PublishedOutput>,
}

/// One output of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedOutput {
    /// Its type.
    pub ty: Type,
    /// Its value, without marks; `None` for a sensitive one that no stack may take.
    pub value: Option<Value>,
    /// Whether it is sensitive.
    pub sensitive: bool,
}

/// A document that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedOutputs {
    /// What it says.
    pub document: OutputsDocument,
    /// SHA-256 over the envelope, in hexadecimal digits.
    pub digest: String,
    /// Who signed it: the listed person, or the fingerprint of a key where nobody is listed.
    pub signer: Option<String>,
}

/// Why there is no document, or none that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputsProblem {
    /// Nothing was applied there yet, or by a version that left none.
    Missing,
    /// It cannot be read.
    Unreadable(String),
    /// It is another than the audit log tells of.
    Contradicted(String),
    /// Its signature does not hold.
    Signature(String),
    /// It is signed by a key that nobody listed has.
    Unlisted(String),
    /// It is not signed, and comes from an environment with a gate.
    Unsigned,
    /// It is of another project, environment or stack.
    Other(String),
}

impl fmt::Display for OutputsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("nothing has been applied there yet"),
            Self::Unreadable(why) => write!(f, "its outputs document cannot be read: {why}"),
            Self::Contradicted(why) => {
                write!(f, "its outputs document is not what was applied: {why}")
            }
            Self::Signature(why) => write!(f, "the signature of its outputs document: {why}"),
            Self::Unlisted(fingerprint) => write!(
                f,
                "its outputs document is signed by {fingerprint}, a key that no person in the project file has"
            ),
            Self::Unsigned => f.write_str(
                "its outputs document is not signed, and there is a gate in that environment",
            ),
            Self::Other(what) => write!(f, "its outputs document is of {what}"),
        }
    }
}

/// Whose document is looked for, and by which rules it is judged.
#[derive(Clone, Copy, Debug)]
pub struct OutputsQuestion<'a> {
    /// The project.
    pub project: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The stack's folder.
    pub stack: &'a str,
    /// The rules in force where it lies.
    pub rules: Option<&'a Rules>,
}

impl PublishedOutput {
    /// An output as it is published: a sensitive one without its value, unless some stack may take it.
    pub fn of(value: &Value, sensitive: bool, is_wanted: bool) -> Self {
        let (plain, _) = value.unmark_deep();
        Self {
            ty: plain.ty(),
            value: (!sensitive || is_wanted).then_some(plain),
            sensitive,
        }
    }
}

/// Keeps a document as the newest one and with its run, signed where somebody signs. Gives its digest. A signer that
/// does not leaves it unsigned: the apply is done.
pub async fn save_outputs(
    store: &dyn RunStore,
    document: &OutputsDocument,
    signer: Option<&dyn Signer>,
) -> Result<String, StoreError> {
    let payload = wire::encode_outputs(document);
    let message = pre_authentication_encoding(OUTPUTS_NAMESPACE, &payload);
    let signature = signer.and_then(|signer| {
        let fingerprint = fingerprint_of(&signer.public_key()).ok()?;
        let text = signer.sign(OUTPUTS_NAMESPACE, &message).ok()?;
        Some((fingerprint, text))
    });
    let bytes = wire::encode_sealed(&payload_type(), &payload, signature);
    store
        .put(&format!("runs/{}/outputs", document.run), &bytes)
        .await?;
    store.put(CURRENT, &bytes).await?;
    Ok(hash(&bytes))
}

/// The digest of the newest document, whatever it says.
pub async fn outputs_digest(store: &dyn RunStore) -> Result<Option<String>, StoreError> {
    Ok(store.get(CURRENT).await?.map(|bytes| hash(&bytes)))
}

/// The newest document, if it holds: as the audit log tells of it, signed by a listed key or not signed where no gate stands, and of
/// what was asked for.
pub async fn read_outputs(
    store: &dyn RunStore,
    question: OutputsQuestion<'_>,
) -> Result<Result<PublishedOutputs, OutputsProblem>, StoreError> {
    let told = match last_told(store).await? {
        Ok(told) => told,
        Err(why) => return Ok(Err(OutputsProblem::Contradicted(why))),
    };
    let Some(bytes) = store.get(CURRENT).await? else {
        return Ok(Err(match told {
            None => OutputsProblem::Missing,
            Some(_) => {
                OutputsProblem::Contradicted("the audit log tells of one, and it is gone".into())
            }
        }));
    };
    Ok(open(&bytes, told.as_deref(), question))
}

fn open(
    bytes: &[u8],
    told: Option<&str>,
    question: OutputsQuestion<'_>,
) -> Result<PublishedOutputs, OutputsProblem> {
    let digest = hash(bytes);
    if told != Some(&digest) {
        let why = match told {
            Some(told) => format!("the audit log names {told}, and it is {digest}"),
            None => format!("the audit log does not tell of {digest}"),
        };
        return Err(OutputsProblem::Contradicted(why));
    }
    let (document, fingerprint) = unseal(bytes)?;
    let (own, asked) = (
        (&document.project, &document.environment, &document.stack),
        (question.project, question.environment, question.stack),
    );
    if (own.0.as_str(), own.1.as_str(), own.2.as_str()) != asked {
        return Err(OutputsProblem::Other(format!(
            "stack {:?} in environment {:?} of project {:?}",
            own.2, own.1, own.0
        )));
    }
    let is_gated = question.rules.is_some_and(Rules::is_gated);
    let people = question.rules.map(|rules| &rules.people);
    let nobody_is_listed = people.is_none_or(BTreeMap::is_empty);
    let signer = match fingerprint {
        None if is_gated && !nobody_is_listed => return Err(OutputsProblem::Unsigned),
        None => None,
        Some(fingerprint) => {
            let person = question
                .rules
                .and_then(|rules| rules.person_of(&fingerprint));
            match person {
                Some(person) => Some(person.to_owned()),
                None if nobody_is_listed => Some(fingerprint),
                None => return Err(OutputsProblem::Unlisted(fingerprint)),
            }
        }
    };
    Ok(PublishedOutputs {
        document,
        digest,
        signer,
    })
}

/// The document in an envelope with the fingerprint of the key that signed it, where one did.
fn unseal(bytes: &[u8]) -> Result<(OutputsDocument, Option<String>), OutputsProblem> {
    let (payload, signature) =
        wire::decode_sealed(&payload_type(), bytes).map_err(OutputsProblem::Unreadable)?;
    let message = pre_authentication_encoding(OUTPUTS_NAMESPACE, &payload);
    let fingerprint = signature
        .map(|signature| verify_bytes(&signature, OUTPUTS_NAMESPACE, &message))
        .transpose()
        .map_err(|error| OutputsProblem::Signature(error.to_string()))?;
    let document = wire::decode_outputs(&payload).map_err(OutputsProblem::Unreadable)?;
    Ok((document, fingerprint))
}

/// The digest that the log tells of last, going back from its head; why the log cannot be believed, where it cannot.
async fn last_told(store: &dyn RunStore) -> Result<Result<Option<String>, String>, StoreError> {
    let Some(bytes) = store.get(HEAD).await? else {
        return Ok(Ok(None));
    };
    let Ok(head) = serde_json::from_slice::<HeadWire>(&bytes) else {
        return Ok(Err("the head of the audit log cannot be read".to_owned()));
    };
    let mut wanted = head.hash;
    for sequence in (1..=head.sequence).rev() {
        let broken = || format!("entry {sequence} of the audit log was changed or removed");
        let Some(bytes) = store.get(&entry_name(sequence)).await? else {
            return Ok(Err(broken()));
        };
        let entry = serde_json::from_slice::<AuditWire>(&bytes);
        let (true, Ok(entry)) = (hash(&bytes) == wanted, entry) else {
            return Ok(Err(broken()));
        };
        if let Some(digest) = entry.details.get(OUTPUTS_DETAIL) {
            return Ok(Ok(Some(digest.clone())));
        }
        wanted = entry.previous;
    }
    Ok(Ok(None))
}

/// What is wrong with the documents that are kept, for who verifies the log: the newest is held to the log, and each to its signature.
pub(crate) async fn contradictions(store: &dyn RunStore) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let current = store.get(CURRENT).await?;
    match (last_told(store).await?, &current) {
        // What is wrong with the log itself is told by whoever verifies that.
        (Err(_), _) | (Ok(None), None) => {}
        (Ok(Some(_)), None) => found.push("the outputs document was removed".to_owned()),
        (Ok(told), Some(bytes)) => {
            let digest = hash(bytes);
            if told.as_ref() != Some(&digest) {
                found.push(format!(
                    "the outputs document has the digest {digest}, and the log names {}",
                    told.as_deref().unwrap_or("none")
                ));
            }
            if let Err(problem) = unseal(bytes) {
                found.push(problem.to_string());
            }
        }
    }
    Ok(found)
}

/// What is wrong with the document that a run left, where it left one: it is held to the entries of the log that tell of the run.
pub(crate) async fn of_run(
    store: &dyn RunStore,
    run: &str,
    told: &BTreeSet<&str>,
) -> Result<Option<(bool, String)>, StoreError> {
    let Some(bytes) = store.get(&format!("runs/{run}/outputs")).await? else {
        return Ok(None);
    };
    let digest = hash(&bytes);
    Ok(Some(match unseal(&bytes) {
        _ if !told.contains(digest.as_str()) => (
            false,
            format!(
                "its outputs document has the digest {digest}, of which the audit log does not tell"
            ),
        ),
        Err(problem) => (false, problem.to_string()),
        Ok((document, _)) if document.run != run => (
            false,
            format!("its outputs document is that of run {}", document.run),
        ),
        Ok((_, signer)) => (
            true,
            format!(
                "its outputs document has the digest {digest}, {}",
                signer.map_or_else(|| "not signed".to_owned(), |key| format!("signed by {key}"))
            ),
        ),
    }))
}

fn payload_type() -> String {
    format!("application/vnd.{OUTPUTS_NAMESPACE}+json")
}
