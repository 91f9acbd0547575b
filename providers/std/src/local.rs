//! `local_file`, `local_sensitive_file`: files of this machine.
#![expect(clippy::disallowed_methods, reason = "the provider's work is files")]

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use terrace_port::ProviderDiagnostic;
use terrace_value::{Type, Value};

use crate::Outside;
use crate::definition::{Attributes, Definition, Failure, is_set, problem, set, text};

type Columns = Vec<(&'static str, Type, &'static str)>;

/// Attributes that hold what is to be written, of which one is set.
const CONTENTS: [&str; 4] = ["content", "sensitive_content", "content_base64", "source"];

fn hashes() -> Columns {
    [
        "content_base64sha256",
        "content_base64sha512",
        "content_md5",
        "content_sha1",
        "content_sha256",
        "content_sha512",
    ]
    .map(|name| (name, Type::String, "c"))
    .to_vec()
}

pub(crate) fn resources() -> Vec<Definition> {
    let common = || {
        let mut columns = hashes();
        columns.extend([
            ("directory_permission", Type::String, "oc"),
            ("file_permission", Type::String, "oc"),
            ("filename", Type::String, "r"),
            ("id", Type::String, "c"),
            ("source", Type::String, "o"),
        ]);
        columns
    };
    let mut plain = common();
    plain.extend([
        ("content", Type::String, "o"),
        ("content_base64", Type::String, "o"),
        ("sensitive_content", Type::String, "osd"),
    ]);
    let mut sensitive = common();
    sensitive.extend([
        ("content", Type::String, "os"),
        ("content_base64", Type::String, "os"),
    ]);
    let permissions = |file: &str| {
        vec![
            (
                "directory_permission",
                Value::string(if file == "0777" { "0777" } else { "0700" }),
            ),
            ("file_permission", Value::string(file)),
        ]
    };
    vec![
        Definition {
            defaults: permissions("0777"),
            validate,
            read,
            delete,
            ..Definition::new("local_file", plain, write)
        },
        Definition {
            defaults: permissions("0700"),
            validate,
            read,
            delete,
            ..Definition::new("local_sensitive_file", sensitive, write)
        },
    ]
}

pub(crate) fn data_sources() -> Vec<Definition> {
    let columns = |flags: &'static str| {
        let mut columns = hashes();
        columns.extend([
            ("content", Type::String, flags),
            ("content_base64", Type::String, flags),
            ("filename", Type::String, "r"),
            ("id", Type::String, "c"),
        ]);
        columns
    };
    vec![
        Definition::new("local_file", columns("c"), read_data),
        Definition::new("local_sensitive_file", columns("cs"), read_data),
    ]
}

fn validate(config: &Attributes) -> Vec<ProviderDiagnostic> {
    let mut found = Vec::new();
    let given: Vec<&str> = CONTENTS
        .into_iter()
        .filter(|name| is_set(config, name))
        .collect();
    if given.len() != 1 {
        let names: Vec<&str> = CONTENTS
            .into_iter()
            .filter(|name| config.contains_key(*name))
            .collect();
        let detail = if given.is_empty() {
            format!(
                "No attribute specified when one (and only one) of [{}] is required",
                names.join(", ")
            )
        } else {
            format!(
                "{} attributes specified when one (and only one) of [{}] is required",
                given.len(),
                names.join(", ")
            )
        };
        found.push(problem(
            given.first().copied().unwrap_or("content"),
            "Invalid Attribute Combination",
            detail,
        ));
    }
    for name in ["file_permission", "directory_permission"] {
        if let Some(mode) = text(config, name)
            && parse_mode(mode).is_none()
        {
            let detail = format!(
                "The string {mode:?} is not a valid permission: it must be 3 or 4 octal digits, such as 0644."
            );
            found.push(problem(name, "Invalid Permission String", detail));
        }
    }
    if let Some(encoded) = text(config, "content_base64")
        && let Err(error) = STANDARD.decode(encoded)
    {
        found.push(problem(
            "content_base64",
            "Invalid Base64",
            format!("The content is not valid base64: {error}."),
        ));
    }
    found
}

fn parse_mode(text: &str) -> Option<u32> {
    let digits =
        (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    digits.then(|| u32::from_str_radix(text, 8).ok()).flatten()
}

fn failure(what: &str, path: &str, error: &std::io::Error) -> Failure {
    ProviderDiagnostic::error(
        format!("{what} local file error"),
        format!("An unexpected error occurred with the file {path}: {error}"),
    )
}

fn content(object: &Attributes) -> Result<Vec<u8>, Failure> {
    if let Some(encoded) = text(object, "content_base64") {
        return STANDARD.decode(encoded).map_err(|error| {
            problem(
                "content_base64",
                "Invalid Base64",
                format!("The content is not valid base64: {error}."),
            )
        });
    }
    if let Some(source) = text(object, "source") {
        return std::fs::read(source).map_err(|error| failure("Read", source, &error));
    }
    let plain = text(object, "content").or_else(|| text(object, "sensitive_content"));
    Ok(plain.unwrap_or_default().as_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
}

fn set_hashes(object: &mut Attributes, bytes: &[u8]) {
    let sha256 = Sha256::digest(bytes);
    let sha512 = Sha512::digest(bytes);
    set(object, "content_md5", hex(&Md5::digest(bytes)));
    set(object, "content_sha1", hex(&Sha1::digest(bytes)));
    set(object, "content_sha256", hex(&sha256));
    set(object, "content_base64sha256", STANDARD.encode(sha256));
    set(object, "content_sha512", hex(&sha512));
    set(object, "content_base64sha512", STANDARD.encode(sha512));
}

fn write(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    _outside: &Outside,
) -> Result<Attributes, Failure> {
    let bytes = content(&object)?;
    let path = text(&object, "filename").unwrap_or_default().to_owned();
    let mode = |name: &str| text(&object, name).and_then(parse_mode);
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
    set(&mut object, "id", hex(&Sha1::digest(&bytes)));
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
fn read(object: Attributes, _outside: &Outside) -> Result<Option<Attributes>, Failure> {
    let path = text(&object, "filename").unwrap_or_default();
    match std::fs::read(path) {
        Ok(bytes) if text(&object, "id") == Some(&hex(&Sha1::digest(&bytes))) => Ok(Some(object)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure("Read", path, &error)),
    }
}

fn delete(object: &Attributes, _outside: &Outside) -> Result<(), Failure> {
    let path = text(object, "filename").unwrap_or_default();
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failure("Delete", path, &error))
        }
        _ => Ok(()),
    }
}

fn read_data(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    _outside: &Outside,
) -> Result<Attributes, Failure> {
    let path = text(&object, "filename").unwrap_or_default().to_owned();
    let bytes = std::fs::read(&path).map_err(|error| failure("Read", &path, &error))?;
    set(
        &mut object,
        "content",
        String::from_utf8_lossy(&bytes).into_owned(),
    );
    set(&mut object, "content_base64", STANDARD.encode(&bytes));
    set_hashes(&mut object, &bytes);
    set(&mut object, "id", hex(&Sha1::digest(&bytes)));
    Ok(object)
}
