//! Schemas of local.

use terrace_provider_sdk::{Attribute, Schema, Type, validate};

fn text(description: &str) -> Attribute {
    Attribute::string().computed().describe_plain(description)
}

/// What a file's content is configured with.
fn content(description: &str) -> Attribute {
    Attribute::string()
        .optional()
        .replace()
        .describe_plain(description)
}

/// The digests of a file's content. `lasting` is for each of them.
fn digests(schema: Schema, lasting: fn(Attribute) -> Attribute) -> Schema {
    let digest = |description| lasting(text(description));
    schema
        .attribute(
            "content_base64sha256",
            digest("The content's SHA-256 digest in base64."),
        )
        .attribute(
            "content_base64sha512",
            digest("The content's SHA-512 digest in base64."),
        )
        .attribute(
            "content_md5",
            digest("The content's MD5 digest in hexadecimal digits."),
        )
        .attribute(
            "content_sha1",
            digest("The content's SHA-1 digest in hexadecimal digits."),
        )
        .attribute(
            "content_sha256",
            digest("The content's SHA-256 digest in hexadecimal digits."),
        )
        .attribute(
            "content_sha512",
            digest("The content's SHA-512 digest in hexadecimal digits."),
        )
        .attribute("id", digest("The same text as the SHA-1 digest."))
}

/// A file that is written. `mode` is the default of its own and of the directories made for it.
fn written(schema: Schema, mode: &'static str) -> Schema {
    let permission = |description| {
        Attribute::string()
            .optional()
            .computed()
            .keep()
            .replace()
            .default_to(mode)
            .validate(super::file::permission())
            .describe_plain(description)
    };
    let schema = schema
        .attribute(
            "directory_permission",
            permission(&format!(
                "The mode of directories made on the way, in octal digits; {mode} by default."
            )),
        )
        .attribute(
            "file_permission",
            permission(&format!(
                "The mode of the file, in octal digits; {mode} by default."
            )),
        )
        .attribute(
            "filename",
            Attribute::string().required().replace().describe_plain(
                "Where to write the file. Directories on the way are made, \
                     and a file that is there is overwritten.",
            ),
        )
        .attribute("source", content("A file to copy the content from."));
    digests(schema, Attribute::keep)
}

/// The schema of the resource type `local_file`.
pub(super) fn local_file() -> Schema {
    let others = ["sensitive_content", "content_base64", "source"];
    let schema = Schema::new()
        .describe("A file on this machine; a change of its content makes a new one.")
        .plain()
        .attribute(
            "content",
            content("The content as text.").validate(validate::exactly_one_of(others)),
        )
        .attribute(
            "content_base64",
            content("The content in base64, for what is no text."),
        )
        .attribute(
            "sensitive_content",
            content("The content as text that is not shown; use `local_sensitive_file` instead.")
                .sensitive()
                .deprecated(),
        );
    written(schema, "0777")
}

/// The schema of the resource type `local_sensitive_file`.
pub(super) fn local_sensitive_file() -> Schema {
    let others = ["content_base64", "source"];
    let schema = Schema::new()
        .describe("A file on this machine whose content is not shown and only its owner reads.")
        .plain()
        .attribute(
            "content",
            content("The content as text.")
                .sensitive()
                .validate(validate::exactly_one_of(others)),
        )
        .attribute(
            "content_base64",
            content("The content in base64, for what is no text.").sensitive(),
        );
    written(schema, "0700")
}

/// A file that is read. `shown` is for what holds its content.
fn read(description: &str, shown: fn(Attribute) -> Attribute) -> Schema {
    let schema = Schema::new()
        .describe(description)
        .plain()
        .attribute(
            "content",
            shown(text(
                "The content as text; bytes that are no UTF-8 are replaced by `\u{fffd}`.",
            )),
        )
        .attribute(
            "content_base64",
            shown(text("The content in base64, whatever bytes it has.")),
        )
        .attribute(
            "filename",
            Attribute::string()
                .required()
                .describe_plain("The file to read, which must exist."),
        );
    digests(schema, std::convert::identity)
}

/// The schema of the data source `local_file`.
pub(super) fn local_file_data() -> Schema {
    read("What a file on this machine holds.", std::convert::identity)
}

/// The schema of the data source `local_sensitive_file`.
pub(super) fn local_sensitive_file_data() -> Schema {
    read(
        "What a file on this machine holds, without showing it.",
        Attribute::sensitive,
    )
}

fn command(description: &str) -> Schema {
    Schema::new()
        .describe(description)
        .attribute(
            "allow_non_zero_exit_code",
            Attribute::bool()
                .optional()
                .describe("Whether an exit code other than 0 is no error; false by default."),
        )
        .attribute(
            "arguments",
            Attribute::list(Type::String)
                .optional()
                .describe("What to call the program with; null elements are left out."),
        )
        .attribute(
            "command",
            Attribute::string()
                .required()
                .validate(validate::length(1..=usize::MAX))
                .describe_plain("The program: its path, or a name to look for in `PATH`."),
        )
        .attribute(
            "exit_code",
            Attribute::number()
                .computed()
                .describe("What the program ended with; 0 means success."),
        )
        .attribute(
            "stderr",
            text("What the program wrote to its standard error."),
        )
        .attribute(
            "stdin",
            Attribute::string()
                .optional()
                .describe("What the program finds on its standard input."),
        )
        .attribute(
            "stdout",
            Attribute::string()
                .computed()
                .describe("What the program wrote to its standard output."),
        )
        .attribute(
            "working_directory",
            Attribute::string()
                .optional()
                .describe_plain("Where to run the program; in the current directory by default."),
        )
}

/// The schema of the data source `local_command`.
pub(super) fn local_command_data() -> Schema {
    command("Runs a program on this machine at every reading and gives what it wrote.")
}

/// The schema of the ephemeral resource type `local_command`.
pub(super) fn local_command_ephemeral() -> Schema {
    command("Runs a program on this machine and gives what it wrote, which nothing stores.")
}
