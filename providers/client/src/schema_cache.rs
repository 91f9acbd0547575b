//! Schemas on disk, so that a program need not be started to be understood.
//!
//! A file for each program: a line that says what it is, a checksum, and records of protocol 6 as they are on the wire, but
//! without descriptions. It is read as a whole and understood in part: a type's schema is decoded when somebody asks for it.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;

use crate::schema::{Answers, DeferredSchemas, deferred_schema, without_descriptions};

/// What a file begins with. Changes with what is stored, so that what an older engine stored is not read.
const MAGIC: &[u8] = b"terrace schemas 2\n";
/// How many programs are remembered.
const KEPT: usize = 100;

/// Schemas of providers by a name of their program's content, such as its checksum.
///
/// Nothing is lost with it: it is rebuilt where it is damaged, and done without where it cannot be written. Several
/// processes may use it at the same time.
#[derive(Clone, Debug)]
pub struct SchemaCache {
    directory: PathBuf,
    /// What has been read already, for all processes of a program.
    read: Arc<Mutex<BTreeMap<String, Remembered>>>,
}

/// What is remembered of a program.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) schema: Arc<ProviderSchema>,
    /// Of the answer that it was made of.
    pub(crate) fingerprint: u64,
    /// Whether the program can do without being asked for its schema.
    pub(crate) optional: bool,
}

/// What a record describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Capabilities,
    Provider,
    Meta,
    Resource,
    Data,
    Ephemeral,
    Function,
    Identity,
    List,
    Action,
}

impl RecordKind {
    const ALL: [Self; 10] = [
        Self::Capabilities,
        Self::Provider,
        Self::Meta,
        Self::Resource,
        Self::Data,
        Self::Ephemeral,
        Self::Function,
        Self::Identity,
        Self::List,
        Self::Action,
    ];
}

impl SchemaCache {
    /// The cache in `directory`, which need not be there yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            read: Arc::default(),
        }
    }

    fn already_read(&self) -> MutexGuard<'_, BTreeMap<String, Remembered>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schema of a program, without descriptions, if it is known.
    pub fn get(&self, key: &str) -> Option<Arc<ProviderSchema>> {
        Some(self.remembered(key)?.schema)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the cache is files, and this is their adapter"
    )]
    pub(crate) fn remembered(&self, key: &str) -> Option<Remembered> {
        let mut already_read = self.already_read();
        if let Some(found) = already_read.get(key) {
            return Some(found.clone());
        }
        let bytes: Arc<[u8]> = std::fs::read(self.path(key)).ok()?.into();
        let Some(found) = read(&bytes) else {
            drop(already_read);
            self.forget(key);
            return None;
        };
        already_read.insert(key.to_owned(), found.clone());
        Some(found)
    }

    /// Stores what a program answered, if that is possible.
    pub(crate) fn put(&self, key: &str, fingerprint: u64, answers: &Answers) {
        self.already_read().remove(key);
        if self.write(key, &encode(fingerprint, answers)).is_ok() {
            self.prune();
        }
    }

    /// Removes what is known of a program.
    pub(crate) fn forget(&self, key: &str) {
        self.already_read().remove(key);
        // What cannot be removed will be replaced.
        std::fs::remove_file(self.path(key)).ok();
    }

    fn write(&self, key: &str, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(bytes)?;
        file.persist(self.path(key))?;
        Ok(())
    }

    /// Removes the oldest where there are too many.
    fn prune(&self) {
        let Ok(entries) = std::fs::read_dir(&self.directory) else {
            return;
        };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        files.sort();
        let n_surplus = files.len().saturating_sub(KEPT);
        for (_, path) in &files[..n_surplus] {
            std::fs::remove_file(path).ok();
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        let name: String = key
            .chars()
            .map(|c| match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '=' => c,
                '/' => '_',
                '+' => '.',
                _ => '-',
            })
            .collect();
        self.directory.join(Path::new(&name))
    }
}

/// A number that is the same for answers that say the same in whatever order.
pub(crate) fn fingerprint(answer: &[u8]) -> u64 {
    let mut rest = answer;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let length = field_length(rest).unwrap_or(rest.len());
        let (field, next) = rest.split_at(length);
        let mixed = u64::from(crc32fast::hash(field)) << 32 | length as u64;
        sum = sum.wrapping_add(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
        rest = next;
    }
    sum
}

/// How long the first field of a message is; `None` where it makes no sense.
fn field_length(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let tag = prost::encoding::decode_varint(&mut rest).ok()?;
    let n_bytes = match tag & 7 {
        0 => {
            prost::encoding::decode_varint(&mut rest).ok()?;
            0
        }
        2 => usize::try_from(prost::encoding::decode_varint(&mut rest).ok()?).ok()?,
        _ => return None,
    };
    let length = (bytes.len() - rest.len()).checked_add(n_bytes)?;
    (length <= bytes.len()).then_some(length)
}

/// A record before it is written.
type Record = (RecordKind, String, Vec<u8>);

fn encode(fingerprint: u64, answers: &Answers) -> Vec<u8> {
    let records = records(answers);
    let mut body = fingerprint.to_le_bytes().to_vec();
    put_number(&mut body, records.len());
    for (kind, name, bytes) in &records {
        body.push(*kind as u8);
        put_number(&mut body, name.len());
        put_number(&mut body, bytes.len());
        body.extend_from_slice(name.as_bytes());
    }
    for (_, _, bytes) in &records {
        body.extend_from_slice(bytes);
    }
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    file.append(&mut body);
    file
}

fn put_number(out: &mut Vec<u8>, number: usize) {
    // Nothing here has four gigabytes; what had would not be read again.
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn records(answers: &Answers) -> Vec<Record> {
    let Answers {
        schemas,
        identities,
    } = answers;
    let mut records = Vec::new();
    let mut push = |kind, name: &str, message: &dyn Encoded| {
        records.push((kind, name.to_owned(), message.bytes()));
    };
    if let Some(capabilities) = &schemas.server_capabilities {
        push(RecordKind::Capabilities, "", capabilities);
    }
    if let Some(provider) = &schemas.provider {
        push(RecordKind::Provider, "", &without_descriptions(provider));
    }
    if let Some(meta) = &schemas.provider_meta {
        push(RecordKind::Meta, "", &without_descriptions(meta));
    }
    for (kind, map) in [
        (RecordKind::Resource, &schemas.resource_schemas),
        (RecordKind::Data, &schemas.data_source_schemas),
        (RecordKind::Ephemeral, &schemas.ephemeral_resource_schemas),
        (RecordKind::List, &schemas.list_resource_schemas),
    ] {
        for (name, schema) in sorted(map) {
            push(kind, name, &without_descriptions(schema));
        }
    }
    for (name, action) in sorted(&schemas.action_schemas) {
        if let Some(schema) = &action.schema {
            push(RecordKind::Action, name, &without_descriptions(schema));
        }
    }
    for (name, function) in sorted(&schemas.functions) {
        push(RecordKind::Function, name, function);
    }
    for (name, identity) in sorted(identities) {
        push(RecordKind::Identity, name, identity);
    }
    records
}

fn sorted<T>(map: &HashMap<String, T>) -> BTreeMap<&String, &T> {
    map.iter().collect()
}

/// A message, whichever it is.
trait Encoded {
    fn bytes(&self) -> Vec<u8>;
}

impl<M: Message> Encoded for M {
    fn bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

/// Reads a file; `None` where it is another's, or damaged.
fn read(file: &Arc<[u8]>) -> Option<Remembered> {
    let rest = file.strip_prefix(MAGIC)?;
    let (checksum, body) = rest.split_first_chunk()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let (fingerprint, mut rest) = body.split_first_chunk()?;
    let count = take_number(&mut rest)?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let (kind, next) = rest.split_first()?;
        rest = next;
        let n_name = take_number(&mut rest)?;
        let n_bytes = take_number(&mut rest)?;
        let (name, next) = rest.split_at_checked(n_name)?;
        rest = next;
        let kind = *RecordKind::ALL.get(usize::from(*kind))?;
        parts.push((kind, std::str::from_utf8(name).ok()?.to_owned(), n_bytes));
    }
    let mut start = file.len() - rest.len();
    let mut records = Vec::new();
    for (kind, name, length) in parts {
        records.push((
            kind,
            name,
            Range {
                start,
                end: start + length,
            },
        ));
        start += length;
    }
    if start != file.len() {
        return None;
    }
    let optional = records.iter().any(|(kind, _, range)| {
        *kind == RecordKind::Capabilities
            && p6::ServerCapabilities::decode(&file[range.clone()])
                .is_ok_and(|server| server.get_provider_schema_optional)
    });
    let schema = deferred_schema(&DeferredSchemas {
        bytes: file.clone(),
        records,
    })
    .ok()?;
    Some(Remembered {
        schema: Arc::new(schema),
        fingerprint: u64::from_le_bytes(*fingerprint),
        optional,
    })
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let (number, next) = rest.split_first_chunk()?;
    *rest = next;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test damages files")]
mod tests {
    use super::*;
    use crate::schema::provider_schema;

    fn schema(description: &str, attribute: &str) -> p6::Schema {
        let attributes = vec![p6::schema::Attribute {
            name: attribute.into(),
            r#type: b"\"string\"".to_vec(),
            description: description.into(),
            optional: true,
            ..p6::schema::Attribute::default()
        }];
        let block = p6::schema::Block {
            description: description.into(),
            attributes,
            ..p6::schema::Block::default()
        };
        p6::Schema {
            version: 3,
            block: Some(block),
        }
    }

    fn answers(description: &str) -> Answers {
        let table = |names: &[&str]| {
            names
                .iter()
                .map(|name| ((*name).to_owned(), schema(description, name)))
                .collect()
        };
        Answers {
            schemas: p6::get_provider_schema::Response {
                provider: Some(schema(description, "region")),
                resource_schemas: table(&["x_a", "x_b"]),
                data_source_schemas: table(&["x_d"]),
                ephemeral_resource_schemas: table(&["x_e"]),
                server_capabilities: Some(p6::ServerCapabilities {
                    get_provider_schema_optional: true,
                    ..p6::ServerCapabilities::default()
                }),
                ..p6::get_provider_schema::Response::default()
            },
            identities: [("x_a".to_owned(), p6::ResourceIdentitySchema::default())].into(),
        }
    }

    #[test]
    fn a_schema_is_found_again_without_its_descriptions() {
        let directory = tempfile::tempdir().unwrap();
        let cache = SchemaCache::new(directory.path().join("deep/cache"));
        assert!(cache.get("h1:a/+=").is_none());
        cache.put("h1:a/+=", 7, &answers("x"));
        let found = cache.remembered("h1:a/+=").unwrap();
        assert!(found.optional);
        assert_eq!(found.fingerprint, 7);
        assert_eq!(*found.schema, provider_schema(answers("")).unwrap());
        assert!(found.schema.resources["x_b"].block.attributes["x_b"].optional);
        assert!(cache.get("h1:b").is_none());
    }

    #[test]
    fn damage_costs_nothing_but_the_content() {
        let directory = tempfile::tempdir().unwrap();
        let cache = SchemaCache::new(directory.path());
        cache.put("a", 7, &answers("x"));
        let whole = std::fs::read(cache.path("a")).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            std::fs::write(cache.path("a"), damaged).unwrap();
            assert!(cache.get("a").is_none(), "at {place}");
            assert!(!cache.path("a").exists(), "it is forgotten");
        }
        std::fs::write(cache.path("a"), &whole[..whole.len() - 1]).unwrap();
        assert!(cache.get("a").is_none());
        cache.put("a", 7, &answers("x"));
        assert!(cache.get("a").is_some());
    }

    #[test]
    fn the_oldest_make_room() {
        let directory = tempfile::tempdir().unwrap();
        let cache = SchemaCache::new(directory.path());
        for number in 0..KEPT + 3 {
            cache.write(&number.to_string(), b"").unwrap();
        }
        cache.prune();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), KEPT);
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_order_of_fields() {
        let bytes = |names: &[&str]| {
            let mut all = Vec::new();
            for name in names {
                let one = p6::get_provider_schema::Response {
                    resource_schemas: [((*name).to_owned(), schema("x", name))].into(),
                    ..p6::get_provider_schema::Response::default()
                };
                all.append(&mut one.encode_to_vec());
            }
            all
        };
        let one = fingerprint(&bytes(&["a", "b", "c"]));
        assert_eq!(one, fingerprint(&bytes(&["c", "a", "b"])));
        assert_ne!(one, fingerprint(&bytes(&["a", "b"])));
        assert_ne!(one, fingerprint(&bytes(&["a", "b", "d"])));
        assert_ne!(fingerprint(&[0xff; 9]), fingerprint(&[0xfe; 9]));
    }
}
