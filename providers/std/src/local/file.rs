//! `local_file`, `local_sensitive_file`: files of this machine.
#![expect(clippy::disallowed_methods, reason = "the provider's work is files")]

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use terrace_provider_sdk::validate::{Validator, custom};
use terrace_provider_sdk::{Diagnostic, Diagnostics, Object};

use super::schema;
use crate::Outside;
use crate::definition::{Change, Definition, Failure, Source, problem};

pub(super) fn resources() -> Vec<Definition> {
    [
        ("local_file", schema::local_file as fn() -> _),
        ("local_sensitive_file", schema::local_sensitive_file),
    ]
    .map(|(name, schema)| Definition {
        validate,
        read,
        delete,
        ..Definition::new(name, schema, write)
    })
    .into()
}

pub(super) fn data_sources() -> Vec<Source> {
    vec![
        Source::new("local_file", schema::local_file_data, read_data),
        Source::new(
            "local_sensitive_file",
            schema::local_sensitive_file_data,
            read_data,
        ),
    ]
}

fn validate(config: &Object) -> Vec<Diagnostic> {
    let encoded = config.text("content_base64");
    let bad = encoded.and_then(|encoded| STANDARD.decode(encoded).err());
    bad.map(|error| bad_base64(&error)).into_iter().collect()
}

fn bad_base64(error: &base64::DecodeError) -> Diagnostic {
    problem(
        "content_base64",
        "Invalid Base64",
        format!("The content is not valid base64: {error}."),
    )
}

/// An octal number of three or four digits.
pub(super) fn permission() -> Validator {
    custom(|checked, diagnostics| {
        let Some(mode) = checked.value.as_str() else {
            return;
        };
        let why = if !(3..=4).contains(&mode.len()) {
            "string length should be 3 or 4 digits"
        } else if parse_mode(mode).is_none() {
            "string must be expressed in octal numeric notation"
        } else {
            return;
        };
        diagnostics.error_at(
            checked.path.clone(),
            "Invalid File Permission String Value",
            format!("bad mode permission: {why}: {mode}"),
        );
    })
}

pub(crate) fn parse_mode(text: &str) -> Option<u32> {
    let digits =
        (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    digits.then(|| u32::from_str_radix(text, 8).ok()).flatten()
}

fn failure(what: &str, path: &str, error: &std::io::Error) -> Failure {
    Diagnostic::error(
        format!("{what} local file error"),
        format!("An unexpected error occurred with the file {path}: {error}"),
    )
}

fn content(object: &Object) -> Result<Vec<u8>, Failure> {
    if let Some(encoded) = object.text("content_base64") {
        return STANDARD.decode(encoded).map_err(|error| bad_base64(&error));
    }
    if let Some(source) = object.text("source") {
        return std::fs::read(source).map_err(|error| failure("Read", source, &error));
    }
    let plain = object
        .text("content")
        .or_else(|| object.text("sensitive_content"));
    Ok(plain.unwrap_or_default().as_bytes().to_vec())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
}

fn set_hashes(object: &mut Object, bytes: &[u8]) {
    let sha256 = Sha256::digest(bytes);
    let sha512 = Sha512::digest(bytes);
    object.set("content_md5", hex(&Md5::digest(bytes)));
    object.set("content_sha1", hex(&Sha1::digest(bytes)));
    object.set("content_sha256", hex(&sha256));
    object.set("content_base64sha256", STANDARD.encode(sha256));
    object.set("content_sha512", hex(&sha512));
    object.set("content_base64sha512", STANDARD.encode(sha512));
}

fn write(_change: Change<'_>, mut object: Object, _outside: &Outside) -> Result<Object, Failure> {
    let bytes = content(&object)?;
    let path = object.text("filename").unwrap_or_default().to_owned();
    let mode = |name: &str| object.text(name).and_then(parse_mode);
    if let Some(directory) = Path::new(&path)
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty() && !directory.exists())
    {
        create_directories(directory, mode("directory_permission").unwrap_or(0o777))
            .map_err(|error| failure("Create", &path, &error))?;
    }
    std::fs::write(&path, &bytes)
        .and_then(|()| set_mode(Path::new(&path), mode("file_permission").unwrap_or(0o777)))
        .map_err(|error| failure("Create", &path, &error))?;
    set_hashes(&mut object, &bytes);
    object.set("id", hex(&Sha1::digest(&bytes)));
    Ok(object)
}

#[cfg(unix)]
fn create_directories(directory: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(directory)
}

#[cfg(not(unix))]
fn create_directories(directory: &Path, _mode: u32) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

/// A file that is gone, or holds something else, is made anew.
fn read(object: Object, _outside: &Outside) -> Result<Option<Object>, Failure> {
    let path = object.text("filename").unwrap_or_default();
    match std::fs::read(path) {
        Ok(bytes) if object.text("id") == Some(&hex(&Sha1::digest(&bytes))) => Ok(Some(object)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure("Read", path, &error)),
    }
}

fn delete(object: &Object, _outside: &Outside) -> Result<(), Failure> {
    let path = object.text("filename").unwrap_or_default();
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failure("Delete", path, &error))
        }
        _ => Ok(()),
    }
}

fn read_data(
    mut object: Object,
    _outside: &Outside,
    _diagnostics: &mut Diagnostics,
) -> Result<Object, Failure> {
    let path = object.text("filename").unwrap_or_default().to_owned();
    let bytes = std::fs::read(&path).map_err(|error| failure("Read", &path, &error))?;
    object.set("content", String::from_utf8_lossy(&bytes).into_owned());
    object.set("content_base64", STANDARD.encode(&bytes));
    set_hashes(&mut object, &bytes);
    object.set("id", hex(&Sha1::digest(&bytes)));
    Ok(object)
}
