//! What is fed.

use std::io::Write as _;
use std::sync::Arc;

use terrace_config::{Snapshot, SnapshotFile, load_snapshot};
use terrace_diag::{SourceId, SourceMap};
use terrace_plan::{read_plan_file, write_plan_file};
use terrace_port::{FileEntry, Files};
use terrace_provider_install::{Checksums, LockFile, MirrorIndex, MirrorVersion};
use terrace_registry_client::{parse_download, parse_listing};
use terrace_state::State;
use terrace_state::journal::{Frame, recover};
use terrace_syntax::token::tokenize;
use terrace_syntax::{
    BlockSchema, BodySchema, format, parse, parse_expression, parse_json, parse_template,
};
use terrace_value::{Type, json, msgpack};

use crate::seeds;

/// Something that reads bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Reads them; whether it accepts them. Panics where what it made of them does not hold.
    pub check: fn(&[u8]) -> bool,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    pub(crate) words: &'static [&'static str],
}

impl Target {
    /// Inputs that mutations start from.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }
}

/// All of them.
pub fn all() -> &'static [Target] {
    &ALL
}

const ALL: [Target; 18] = [
    Target {
        name: "parse",
        check: native,
        seeds: seeds::native,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "parse_json",
        check: json_syntax,
        seeds: seeds::json_syntax,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "expression",
        check: expression,
        seeds: seeds::expressions,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "template",
        check: template,
        seeds: seeds::templates,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "config",
        check: config,
        seeds: seeds::native,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "config_json",
        check: config_json,
        seeds: seeds::json_syntax,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "tfvars",
        check: tfvars,
        seeds: seeds::tfvars,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "tfvars_json",
        check: tfvars_json,
        seeds: seeds::tfvars_json,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "format",
        check: formatting,
        seeds: seeds::native,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "json",
        check: json_value,
        seeds: seeds::json_values,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "msgpack",
        check: msgpack_value,
        seeds: seeds::msgpack_values,
        words: seeds::MSGPACK_WORDS,
    },
    Target {
        name: "plan",
        check: plan,
        seeds: seeds::plans,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "state",
        check: state,
        seeds: seeds::states,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "lock",
        check: lock,
        seeds: seeds::locks,
        words: seeds::NATIVE_WORDS,
    },
    Target {
        name: "registry",
        check: registry,
        seeds: seeds::registries,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "mirror",
        check: mirror,
        seeds: seeds::mirrors,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "checksums",
        check: checksums,
        seeds: seeds::checksums,
        words: seeds::JSON_WORDS,
    },
    Target {
        name: "journal",
        check: journal,
        seeds: seeds::journals,
        words: seeds::JSON_WORDS,
    },
];

/// The one with a name.
pub fn find(name: &str) -> Option<&'static Target> {
    all().iter().find(|target| target.name == name)
}

/// The tokens of any bytes are those bytes again, and what is wrong with them has a place.
fn native(bytes: &[u8]) -> bool {
    let mut at = 0;
    for token in tokenize(bytes) {
        assert_eq!(token.start, at, "tokens follow on each other");
        at = token.end;
    }
    assert_eq!(at as usize, bytes.len(), "tokens are the whole text");
    let (body, diagnostics) = parse(SourceId(0), bytes);
    for diagnostic in &diagnostics {
        let subject = diagnostic.subject.expect("a syntax error has a place");
        assert!(
            subject.start <= subject.end && subject.end as usize <= bytes.len(),
            "{subject:?} is outside"
        );
    }
    drop(body.just_attributes());
    !diagnostics.has_errors()
}

fn json_syntax(bytes: &[u8]) -> bool {
    let (body, diagnostics) = parse_json(SourceId(0), bytes);
    drop(body.just_attributes());
    let mut schema = BodySchema::of(&["a", "source"], &["lifecycle"]);
    schema.blocks.push(BlockSchema {
        type_name: "resource".into(),
        labels: vec!["type".into(), "name".into()],
    });
    let (content, rest, _) = body.partial_content(&schema);
    drop(rest.content(&schema));
    for block in &content.blocks {
        drop(block.body.just_attributes());
    }
    !diagnostics.has_errors()
}

fn expression(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (expression, mut diagnostics) = parse_expression(SourceId(0), &text);
    drop(expression.traversals());
    let sound = !diagnostics.has_errors();
    drop(terrace_config::evaluate_constant(
        &expression,
        &mut diagnostics,
    ));
    sound
}

fn template(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (expression, mut diagnostics) = parse_template(SourceId(0), &text);
    drop(expression.traversals());
    let sound = !diagnostics.has_errors();
    drop(terrace_config::evaluate_constant(
        &expression,
        &mut diagnostics,
    ));
    sound
}

/// A whole module of one file.
fn module(path: &str, bytes: &[u8]) -> bool {
    let snapshot = Snapshot {
        modules: [(String::new(), ".".to_owned())].into(),
        files: vec![SnapshotFile {
            path: path.to_owned(),
            bytes: bytes.into(),
        }],
    };
    let (config, mut diagnostics) = load_snapshot(&snapshot);
    diagnostics.append(terrace_config::check(&config));
    !diagnostics.has_errors()
}

fn config(bytes: &[u8]) -> bool {
    module("main.tf", bytes)
}

fn config_json(bytes: &[u8]) -> bool {
    module("main.tf.json", bytes)
}

/// A directory with one file.
struct One<'a>(&'static str, &'a [u8]);

impl Files for One<'_> {
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
        if path.trim_start_matches("./") == self.0 {
            Ok(self.1.into())
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }

    fn list(&self, _: &str) -> std::io::Result<Vec<FileEntry>> {
        Ok(vec![FileEntry {
            name: self.0.to_owned(),
            is_directory: false,
        }])
    }

    fn exists(&self, path: &str) -> bool {
        path.trim_start_matches("./") == self.0
    }

    fn absolute(&self, path: &str) -> String {
        format!("/{path}")
    }
}

fn variables(name: &'static str, bytes: &[u8]) -> bool {
    let declared = b"variable \"a\" {\n}\nvariable \"b\" {\n  type = map(list(number))\n  default = {}\n}\nvariable \"c\" {\n  type = object({ x = optional(string, \"d\"), y = set(bool) })\n  default = null\n}\n";
    let snapshot = Snapshot {
        modules: [(String::new(), ".".to_owned())].into(),
        files: vec![SnapshotFile {
            path: "main.tf".to_owned(),
            bytes: declared[..].into(),
        }],
    };
    let (config, _) = load_snapshot(&snapshot);
    let mut sources = SourceMap::new();
    let inputs = terrace_config::variables::VariableInputs::default();
    let module = &config.root.module;
    let (values, diagnostics) =
        terrace_config::variables::collect(module, &inputs, &One(name, bytes), &mut sources);
    for (name, raw) in &values {
        if let Some(variable) = module.variables.get(name) {
            terrace_config::variables::convert_raw(variable, raw, &sources).ok();
        }
    }
    !diagnostics.has_errors()
}

fn tfvars(bytes: &[u8]) -> bool {
    variables("terraform.tfvars", bytes)
}

fn tfvars_json(bytes: &[u8]) -> bool {
    variables("terraform.tfvars.json", bytes)
}

/// Formatting makes a valid text of a valid one.
fn formatting(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let formatted = format(&text);
    let sound = !parse(SourceId(0), text.as_bytes()).1.has_errors();
    if sound {
        let (_, diagnostics) = parse(SourceId(0), formatted.as_bytes());
        assert!(
            !diagnostics.has_errors(),
            "formatting broke it: {formatted}\n{diagnostics:?}"
        );
    }
    sound
}

/// The first line is a type, the rest a value of it.
fn json_value(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or(("", &text));
    let ty = json::decode_type(first).unwrap_or(Type::Dynamic);
    let mut accepted = false;
    if let Ok(value) = json::decode(rest, &ty) {
        let written = json::encode(&value, &ty).expect("what was read can be written");
        let again = json::decode(&written, &ty).expect("what was written can be read");
        assert_eq!(json::encode(&again, &ty).as_ref(), Ok(&written));
        accepted = true;
    }
    if let Ok(value) = json::decode_implied(rest) {
        let written = json::simple_encode(&value).expect("what was read can be written");
        assert_eq!(json::decode_implied(&written).as_ref(), Ok(&value));
        accepted = true;
    }
    accepted
}

/// The first line is a type, the rest a value of it.
fn msgpack_value(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let first = String::from_utf8_lossy(&bytes[..end]);
    let rest = bytes.get(end + 1..).unwrap_or_default();
    let ty = json::decode_type(&first).unwrap_or(Type::Dynamic);
    let Ok(value) = msgpack::decode(rest, &ty) else {
        return false;
    };
    let written = msgpack::encode(&value, &ty).expect("what was read can be written");
    let again = msgpack::decode(&written, &ty).expect("what was written can be read");
    assert_eq!(msgpack::encode(&again, &ty).as_ref(), Ok(&written));
    true
}

/// Bytes as they stand, and packed as a plan file packs them, so that what is found is in the plan and not in its packing.
fn plan(bytes: &[u8]) -> bool {
    read_plan_file(bytes).ok();
    let packed = Vec::from(&b"terrace plan\n"[..]);
    let mut encoder = flate2::write::DeflateEncoder::new(packed, flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    let file = encoder.finish().expect("memory takes all");
    let Ok((plan, _)) = read_plan_file(&file) else {
        return false;
    };
    let (written, digest) = write_plan_file(&plan);
    let (again, found) = read_plan_file(&written).expect("what was written can be read");
    assert_eq!((found, again.digest()), (digest, digest));
    true
}

fn state(bytes: &[u8]) -> bool {
    let Ok(state) = terrace_state::read(bytes) else {
        return false;
    };
    let written = terrace_state::write(&state);
    let again = terrace_state::read(&written).expect("what was written can be read");
    assert_eq!(again, state);
    assert_eq!(terrace_state::write(&again), written);
    true
}

fn lock(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (lock, diagnostics) = LockFile::parse(SourceId(0), &text);
    if diagnostics.has_errors() {
        return false;
    }
    let written = lock.to_text();
    let (again, diagnostics) = LockFile::parse(SourceId(0), &written);
    assert!(
        !diagnostics.has_errors(),
        "what was written cannot be read: {written}"
    );
    assert_eq!(again.to_text(), written);
    true
}

/// What a registry of providers answers: nothing that was read leads out of a directory or away from the web.
fn registry(bytes: &[u8]) -> bool {
    let listed = parse_listing(bytes).is_ok_and(|listing| !listing.versions.is_empty());
    let base = "https://registry.example.com/v1/providers/"
        .parse()
        .expect("it is an address");
    let Ok(download) = parse_download(bytes, &base, ("linux", "amd64")) else {
        return listed;
    };
    assert_eq!(download.sha256.len(), 64);
    assert!(!download.file_name.contains(['/', '\\']));
    for url in [download.archive, download.checksums, download.signature] {
        assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    }
    true
}

/// The documents of a network mirror.
fn mirror(bytes: &[u8]) -> bool {
    let mut accepted = false;
    if let Ok(index) = MirrorIndex::parse(bytes) {
        assert_eq!(MirrorIndex::parse(&index.to_bytes()).as_ref(), Ok(&index));
        accepted = true;
    }
    if let Ok(version) = MirrorVersion::parse(bytes) {
        assert_eq!(
            MirrorVersion::parse(&version.to_bytes()).as_ref(),
            Ok(&version)
        );
        accepted = true;
    }
    accepted
}

/// A list such as `sha256sum` writes.
fn checksums(bytes: &[u8]) -> bool {
    let sums = Checksums::parse(bytes);
    let all = sums.all();
    for hash in &all {
        let digest = hash.0.strip_prefix("zh:").expect("it is an archive's");
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    !all.is_empty()
}

/// Lines are the frames of a journal.
fn journal(bytes: &[u8]) -> bool {
    let frames: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    let mut accepted = false;
    for bytes in &frames {
        if let Ok(frame) = Frame::decode(bytes) {
            let again = Frame::decode(&frame.encode()).expect("what was written can be read");
            assert_eq!(again.encode(), frame.encode());
            accepted = true;
        }
    }
    if let Ok(recovery) = recover(&State::default(), &frames) {
        drop(terrace_state::write(&recovery.state));
    }
    accepted
}
