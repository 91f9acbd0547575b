//! Schemas of random.

use std::convert::identity;

use terrace_provider_sdk::{Attribute, Schema, Type, validate};

/// A text that is drawn once and then stays.
fn drawn(description: &str) -> Attribute {
    Attribute::string()
        .computed()
        .keep()
        .describe_plain(description)
}

/// How many there are of something, at least one.
fn count(description: &str) -> Attribute {
    Attribute::number()
        .required()
        .validate(validate::at_least(1))
        .validate(super::most())
        .describe_plain(description)
}

fn keepers() -> Attribute {
    Attribute::map(Type::String)
        .optional()
        .replace_if(super::keepers_change)
        .describe_plain("Any values the result is to live as long as; a change draws anew.")
}

fn seed(description: &str) -> Attribute {
    Attribute::string()
        .optional()
        .replace()
        .describe_plain(description)
}

/// The schema of the resource type `random_bytes`.
pub(super) fn random_bytes() -> Schema {
    Schema::new()
        .describe("Bytes for keys and secrets, from the system's source of randomness.")
        .plain()
        .attribute("base64", drawn("The bytes in base64.").sensitive())
        .attribute(
            "hex",
            drawn("The bytes as lowercase hexadecimal digits.").sensitive(),
        )
        .attribute("keepers", keepers())
        .attribute("length", count("How many bytes to draw.").replace())
}

/// The schema of the resource type `random_id`.
pub(super) fn random_id() -> Schema {
    Schema::new()
        .describe("A random identifier in several notations; it is no secret.")
        .plain()
        .attribute("b64_std", drawn("The prefix, then the bytes in base64."))
        .attribute(
            "b64_url",
            drawn("The prefix, then the bytes in the base64 of URLs, without padding."),
        )
        .attribute("byte_length", count("How many bytes to draw.").replace())
        .attribute(
            "dec",
            drawn("The prefix, then the bytes as one decimal number."),
        )
        .attribute(
            "hex",
            drawn("The prefix, then the bytes as hexadecimal digits, two for each."),
        )
        .attribute(
            "id",
            drawn("The bytes in the base64 of URLs, never with the prefix."),
        )
        .attribute("keepers", keepers())
        .attribute(
            "prefix",
            Attribute::string()
                .optional()
                .replace()
                .describe_plain("What every notation but `id` begins with, as it is written."),
        )
}

/// The schema of the resource type `random_integer`.
pub(super) fn random_integer() -> Schema {
    let bound = |description| {
        Attribute::number()
            .required()
            .replace()
            .describe_plain(description)
    };
    Schema::new()
        .describe("A whole number drawn between two bounds.")
        .plain()
        .attribute("id", drawn("The result as text."))
        .attribute("keepers", keepers())
        .attribute("max", bound("The largest number that may be drawn."))
        .attribute("min", bound("The smallest number that may be drawn."))
        .attribute(
            "result",
            Attribute::number()
                .computed()
                .keep()
                .describe_plain("The number drawn."),
        )
        .attribute(
            "seed",
            seed("Any text; the same one gives the same number again."),
        )
}

/// The kinds of characters a text is drawn from, but digits. `lasting` is for each attribute.
fn characters(schema: Schema, lasting: fn(Attribute) -> Attribute) -> Schema {
    let class = |description| {
        lasting(Attribute::bool().optional().computed().default_to(true))
            .describe_plain(description)
    };
    let least = |description| {
        lasting(Attribute::number().optional().computed().default_to(0_i64))
            .describe_plain(description)
    };
    schema
        .attribute(
            "lower",
            class("Whether to draw from `a` to `z`; true by default."),
        )
        .attribute(
            "min_lower",
            least("How many lowercase letters there are at least."),
        )
        .attribute("min_numeric", least("How many digits there are at least."))
        .attribute(
            "min_special",
            least("How many special characters there are at least."),
        )
        .attribute(
            "min_upper",
            least("How many uppercase letters there are at least."),
        )
        .attribute(
            "special",
            class("Whether to draw from `!@#$%&*()-_=+[]{}<>:?`; true by default."),
        )
        .attribute(
            "upper",
            class("Whether to draw from `A` to `Z`; true by default."),
        )
}

/// All that a text of the state is drawn from.
fn lasting_characters(schema: Schema) -> Schema {
    let lasting = |attribute: Attribute| attribute.keep().replace();
    let digits =
        |description| lasting(Attribute::bool().optional().computed()).describe_plain(description);
    characters(schema, lasting)
        .attribute(
            "length",
            count("How many characters to draw; no fewer than all `min_` ask for.").replace(),
        )
        .attribute(
            "number",
            digits("The older name of `numeric`, which is to be used instead.").deprecated(),
        )
        .attribute("numeric", digits(DIGITS))
        .attribute("override_special", override_special().replace())
        .attribute("keepers", keepers())
}

const DIGITS: &str = "Whether to draw from `0` to `9`; true by default.";

fn override_special() -> Attribute {
    Attribute::string()
        .optional()
        .describe_plain("The characters that count as special, in place of the usual ones.")
}

const HASH: &str = "The result hashed with bcrypt, which takes in 72 bytes of it.";

/// The schema of the resource type `random_password`.
pub(super) fn random_password() -> Schema {
    let schema = Schema::new()
        .version(3)
        .describe("A password, kept secret on the screen; the state holds it.")
        .plain()
        .attribute("bcrypt_hash", drawn(HASH).sensitive())
        .attribute("id", drawn("Always the text `none`."))
        .attribute("result", drawn("The password.").sensitive());
    lasting_characters(schema)
}

/// The schema of the resource type `random_pet`.
pub(super) fn random_pet() -> Schema {
    Schema::new()
        .describe("A readable name made of words, for objects that people look at.")
        .plain()
        .attribute("id", drawn("The name."))
        .attribute("keepers", keepers())
        .attribute(
            "length",
            Attribute::number()
                .optional()
                .computed()
                .keep()
                .replace()
                .default_to(2_i64)
                .validate(validate::at_least(1))
                .validate(super::most())
                .describe_plain("How many words to draw; 2 by default."),
        )
        .attribute(
            "prefix",
            Attribute::string()
                .optional()
                .replace()
                .describe_plain("A word of your own to begin with."),
        )
        .attribute(
            "separator",
            Attribute::string()
                .optional()
                .computed()
                .keep()
                .replace()
                .default_to("-")
                .describe_plain("What stands between the words; `-` by default."),
        )
}

/// The schema of the resource type `random_shuffle`.
pub(super) fn random_shuffle() -> Schema {
    Schema::new()
        .describe("A list in random order, or some of its elements.")
        .plain()
        .attribute("id", drawn("Always the text `-`."))
        .attribute(
            "input",
            Attribute::list(Type::String)
                .required()
                .replace()
                .describe_plain("The elements to put in order."),
        )
        .attribute("keepers", keepers())
        .attribute(
            "result",
            Attribute::list(Type::String)
                .computed()
                .keep()
                .describe_plain("The elements in the order that was drawn."),
        )
        .attribute(
            "result_count",
            Attribute::number()
                .optional()
                .replace()
                .validate(super::most())
                .describe_plain(
                    "How many elements to give, all of them once by default; \
                     more than there are begins another round.",
                ),
        )
        .attribute(
            "seed",
            seed("Any text that the order follows from, as far as the program stays the same."),
        )
}

/// The schema of the resource type `random_string`.
pub(super) fn random_string() -> Schema {
    let schema = Schema::new()
        .version(2)
        .describe("Random characters that may be seen; passwords have a type of their own.")
        .plain()
        .attribute("id", drawn("The same text as `result`."))
        .attribute("result", drawn("The characters drawn."));
    lasting_characters(schema)
}

fn uuid(description: &str) -> Schema {
    Schema::new()
        .describe(description)
        .plain()
        .attribute("id", drawn("The same text as `result`."))
        .attribute("keepers", keepers())
        .attribute(
            "result",
            drawn("The UUID in its usual form, with four hyphens."),
        )
}

/// The schema of the resource type `random_uuid`.
pub(super) fn random_uuid() -> Schema {
    uuid("A random UUID, for names that must not meet anywhere.")
}

/// The schema of the resource type `random_uuid4`.
pub(super) fn random_uuid4() -> Schema {
    uuid("A UUID of version 4: all of it is random.")
}

/// The schema of the resource type `random_uuid7`.
pub(super) fn random_uuid7() -> Schema {
    uuid("A UUID of version 7: it begins with the time, so later ones sort after earlier ones.")
}

/// The schema of the ephemeral resource type `random_bytes`.
pub(super) fn random_bytes_ephemeral() -> Schema {
    let secret = |description| {
        Attribute::string()
            .computed()
            .sensitive()
            .describe_plain(description)
    };
    Schema::new()
        .describe("Bytes for keys and secrets that no plan and no state holds.")
        .plain()
        .attribute("base64", secret("The bytes in base64."))
        .attribute("hex", secret("The bytes as lowercase hexadecimal digits."))
        .attribute("length", count("How many bytes to draw."))
}

/// The schema of the ephemeral resource type `random_password`.
pub(super) fn random_password_ephemeral() -> Schema {
    let secret = |description| {
        Attribute::string()
            .computed()
            .sensitive()
            .describe_plain(description)
    };
    let schema = Schema::new()
        .describe("A password that no plan and no state holds, for write-only attributes.")
        .plain()
        .attribute("bcrypt_hash", secret(HASH))
        .attribute(
            "length",
            count("How many characters to draw; no fewer than all `min_` ask for."),
        )
        .attribute(
            "numeric",
            Attribute::bool()
                .optional()
                .computed()
                .default_to(true)
                .describe_plain(DIGITS),
        )
        .attribute("override_special", override_special())
        .attribute("result", secret("The password."));
    characters(schema, identity)
}
