//! Schemas of time.

use terrace_provider_sdk::{Attribute, Schema, Type, validate};

fn text(description: &str) -> Attribute {
    Attribute::string()
        .computed()
        .keep()
        .describe_plain(description)
}

fn number(description: &str) -> Attribute {
    Attribute::number()
        .computed()
        .keep()
        .describe_plain(description)
}

/// The parts of the time that an object keeps.
fn parts(schema: Schema) -> Schema {
    schema
        .attribute("day", number("The day of the month, from 1 to 31, in UTC."))
        .attribute("hour", number("The hour, from 0 to 23, in UTC."))
        .attribute("minute", number("The minute, from 0 to 59."))
        .attribute("month", number("The month, from 1 to 12, in UTC."))
        .attribute("second", number("The second, from 0 to 59."))
        .attribute(
            "unix",
            number("The time in seconds since 1970 began in UTC."),
        )
        .attribute("year", number("The year, in UTC."))
}

/// The time that an object begins with.
fn base() -> Attribute {
    text("The time to begin with, in RFC 3339; the time of creation by default.")
        .optional()
        .replace()
}

fn triggers(description: &str) -> Attribute {
    Attribute::map(Type::String)
        .optional()
        .replace()
        .describe_plain(description)
}

const ANEW: &str = "Any values; a change of one makes a new object with a new time.";

/// The schema of the resource type `time_offset`.
pub(super) fn time_offset() -> Schema {
    let offset = |description| Attribute::number().optional().describe_plain(description);
    let schema = Schema::new()
        .describe("A time some way before or after another, kept once it is known.")
        .plain()
        .attribute("base_rfc3339", base())
        .attribute("id", text("The base time in RFC 3339."))
        .attribute(
            "offset_days",
            offset("How many days to add; below zero goes back."),
        )
        .attribute(
            "offset_hours",
            offset("How many hours to add; below zero goes back."),
        )
        .attribute(
            "offset_minutes",
            offset("How many minutes to add; below zero goes back."),
        )
        .attribute(
            "offset_months",
            offset("How many months to add; below zero goes back."),
        )
        .attribute(
            "offset_seconds",
            offset("How many seconds to add; below zero goes back."),
        )
        .attribute(
            "offset_years",
            offset("How many years to add; below zero goes back."),
        )
        .attribute("rfc3339", text("The time with the offset, in RFC 3339."))
        .attribute("triggers", triggers(ANEW));
    parts(schema)
}

/// The schema of the resource type `time_rotating`.
pub(super) fn time_rotating() -> Schema {
    let rotation = |description| {
        Attribute::number()
            .optional()
            .validate(validate::at_least(1))
            .describe_plain(description)
    };
    let schema = Schema::new()
        .describe("A time that the first run after a period is over makes anew.")
        .plain()
        .attribute("id", text("The base time in RFC 3339."))
        .attribute("rfc3339", base())
        .attribute("rotation_days", rotation("How many days the period has."))
        .attribute("rotation_hours", rotation("How many hours the period has."))
        .attribute(
            "rotation_minutes",
            rotation("How many minutes the period has."),
        )
        .attribute(
            "rotation_months",
            rotation("How many months the period has."),
        )
        .attribute(
            "rotation_rfc3339",
            text("The time the period ends, in RFC 3339; it may be set in place of its length.")
                .optional(),
        )
        .attribute("rotation_years", rotation("How many years the period has."))
        .attribute("triggers", triggers(ANEW));
    parts(schema)
}

/// The schema of the resource type `time_sleep`.
pub(super) fn time_sleep() -> Schema {
    let wait = |description| Attribute::string().optional().describe_plain(description);
    Schema::new()
        .describe("A pause between objects: what depends on it is made later, or ended sooner.")
        .plain()
        .attribute(
            "create_duration",
            wait("How long making the object takes, such as `30s` or `5m`."),
        )
        .attribute(
            "destroy_duration",
            wait("How long ending the object takes, such as `30s`; once it is applied."),
        )
        .attribute("id", text("When the object was made, in RFC 3339."))
        .attribute(
            "triggers",
            triggers("Any values; a change of one makes a new object, with its pauses."),
        )
}

/// The schema of the resource type `time_static`.
pub(super) fn time_static() -> Schema {
    let schema = Schema::new()
        .describe("A time that stays as it was when the object was made.")
        .plain()
        .attribute("id", text("The same text as `rfc3339`."))
        .attribute("rfc3339", base())
        .attribute("triggers", triggers(ANEW));
    parts(schema)
}
