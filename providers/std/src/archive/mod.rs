//! `archive_file`: files packed into a zip or a tarball, the same bytes each time.
#![expect(clippy::disallowed_methods, reason = "the provider's work is files")]

mod collect;
mod pack;
mod schema;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use terrace_provider_sdk::{Diagnostic, Object};

use crate::definition::{Definition, Failure, Source};
use crate::local::{hex, parse_mode};

pub(crate) fn resources() -> Vec<Definition> {
    vec![Definition {
        validate,
        ..Definition::new("archive_file", schema::archive_file, |_, object, _| {
            archive(object)
        })
    }]
}

pub(crate) fn data_sources() -> Vec<Source> {
    vec![Source {
        validate,
        ..Source::new("archive_file", schema::archive_file_data, |object, _, _| {
            archive(object)
        })
    }]
}

fn validate(config: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let blocks = !config.is_known("source") || !config.items("source").is_empty();
    let single = ["source_content_filename", "source_file", "source_dir"];
    if !blocks && !single.iter().any(|name| config.is_set(name)) {
        found.push(Diagnostic::error(
            "Missing Attribute Configuration",
            "At least one of these attributes must be configured: [source,source_content_filename,source_file,source_dir]",
        ));
    }
    if blocks {
        for name in ["source_content", "source_file", "source_dir"] {
            if config.is_set(name) {
                found.push(crate::definition::problem(
                    name,
                    "Invalid Attribute Combination",
                    format!(
                        "Attribute \"{name}\" cannot be specified when \"source\" is specified"
                    ),
                ));
            }
        }
    }
    if let Some(mode) = config.text("output_file_mode")
        && !mode.is_empty()
        && u32::from_str_radix(mode, 8).is_err()
        && parse_mode(mode).is_none()
    {
        found.push(crate::definition::problem(
            "output_file_mode",
            "Invalid Attribute Value",
            format!("Attribute output_file_mode value must be an octal number, such as \"0666\", got: {mode}"),
        ));
    }
    found
}

fn failure(detail: impl std::fmt::Display) -> Failure {
    Diagnostic::error(
        "Archive creation error",
        format!("error creating archive: {detail}"),
    )
}

fn archive(mut object: Object) -> Result<Object, Failure> {
    let entries = collect::entries(&object).map_err(failure)?;
    let mode = object
        .text("output_file_mode")
        .filter(|mode| !mode.is_empty())
        .and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let bytes = match object.text("type").unwrap_or_default() {
        "zip" => pack::zip(&entries, mode),
        "tar.gz" => pack::tar_gz(&entries, mode),
        other => Err(std::io::Error::other(format!(
            "archive type not supported: {other}"
        ))),
    }
    .map_err(failure)?;
    let path = std::path::Path::new(object.text("output_path").unwrap_or_default());
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent).map_err(failure)?;
    }
    std::fs::write(path, &bytes).map_err(failure)?;
    let (sha256, sha512) = (Sha256::digest(&bytes), Sha512::digest(&bytes));
    let sha1 = hex(&Sha1::digest(&bytes));
    object.set("id", sha1.as_str());
    object.set("output_sha", sha1);
    object.set("output_md5", hex(&Md5::digest(&bytes)));
    object.set("output_sha256", hex(&sha256));
    object.set("output_base64sha256", STANDARD.encode(sha256));
    object.set("output_sha512", hex(&sha512));
    object.set("output_base64sha512", STANDARD.encode(sha512));
    object.set("output_size", bytes.len());
    Ok(object)
}
