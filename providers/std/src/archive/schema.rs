//! Schemas of archive.

use std::convert::identity;

use terrace_provider_sdk::{Attribute, Block, Schema, Type, validate};

/// Says of an attribute what a change of it asks for.
type Changed = fn(Attribute) -> Attribute;

/// The schema of the resource type `archive_file`.
pub(super) fn archive_file() -> Schema {
    let schema = Schema::new()
        .describe("An archive that is written when the plan is carried out.")
        .plain();
    let source = Block::set(source(Attribute::replace)).replace();
    results(inputs(schema, Attribute::replace)).block("source", source)
}

/// The schema of the data source `archive_file`.
pub(super) fn archive_file_data() -> Schema {
    let schema = Schema::new()
        .describe("An archive that is written while planning; it must still be there to be used.")
        .plain();
    results(inputs(schema, identity)).block("source", Block::set(source(identity)))
}

fn source(changed: Changed) -> Schema {
    let text = |description| changed(Attribute::string().required()).describe_plain(description);
    Schema::new()
        .describe("A file of the archive that comes from the configuration.")
        .plain()
        .attribute("content", text("What the file holds."))
        .attribute("filename", text("The name of the file in the archive."))
}

/// What is packed, and how.
fn inputs(schema: Schema, changed: Changed) -> Schema {
    let text = |description| changed(Attribute::string().optional()).describe_plain(description);
    let needed = |description| changed(Attribute::string().required()).describe_plain(description);
    let no_directory = ["source_file", "source_content", "source_content_filename"];
    let no_file = ["source_dir", "source_content", "source_content_filename"];
    let no_content = ["source_file", "source_dir"];
    schema
        .attribute(
            "exclude_symlink_directories",
            changed(Attribute::bool().optional())
                .describe_plain("Whether to leave out directories behind links; false by default."),
        )
        .attribute(
            "excludes",
            changed(Attribute::set(Type::String).optional())
                .validate(validate::conflicts_with(no_directory))
                .describe_plain("Patterns of files to leave out; `**` stands for any directories."),
        )
        .attribute(
            "output_file_mode",
            text("The mode of every file in the archive, in octal digits; its own by default."),
        )
        .attribute("output_path", needed("Where to write the archive."))
        .attribute(
            "source_content",
            text("What the archive's only file holds.")
                .validate(validate::conflicts_with(no_content)),
        )
        .attribute(
            "source_content_filename",
            text("The name in the archive of the file that holds `source_content`.")
                .validate(validate::conflicts_with(no_content)),
        )
        .attribute(
            "source_dir",
            text("The directory to pack, with all that is in it.")
                .validate(validate::conflicts_with(no_directory)),
        )
        .attribute(
            "source_file",
            text("The only file to pack.").validate(validate::conflicts_with(no_file)),
        )
        .attribute(
            "type",
            needed("The format of the archive: `zip` or `tar.gz`."),
        )
}

/// What is known of the archive.
fn results(schema: Schema) -> Schema {
    let text = |description| Attribute::string().computed().describe_plain(description);
    schema
        .attribute("id", text("The same text as `output_sha`."))
        .attribute(
            "output_base64sha256",
            text("The archive's SHA-256 digest in base64."),
        )
        .attribute(
            "output_base64sha512",
            text("The archive's SHA-512 digest in base64."),
        )
        .attribute(
            "output_md5",
            text("The archive's MD5 digest in hexadecimal digits."),
        )
        .attribute(
            "output_sha",
            text("The archive's SHA-1 digest in hexadecimal digits."),
        )
        .attribute(
            "output_sha256",
            text("The archive's SHA-256 digest in hexadecimal digits."),
        )
        .attribute(
            "output_sha512",
            text("The archive's SHA-512 digest in hexadecimal digits."),
        )
        .attribute(
            "output_size",
            Attribute::number()
                .computed()
                .describe_plain("How many bytes the archive has."),
        )
}
