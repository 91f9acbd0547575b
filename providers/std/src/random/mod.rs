//! `random_*`: values that are drawn once and kept.

mod schema;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use terrace_provider_sdk::validate::{Validator, at_most};
use terrace_provider_sdk::{Change as AttributeChange, Diagnostic, Object, Schema, Type, Value};

use crate::Outside;
use crate::definition::{Apply, Definition, Failure, Source, problem};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";
/// The strength that the well-known provider hashes passwords with.
const BCRYPT_COST: u32 = 10;
/// bcrypt takes no more than this of a password.
const BCRYPT_LIMIT: usize = 72;

pub(crate) fn resources() -> Vec<Definition> {
    vec![
        bytes(),
        id(),
        integer(),
        password(),
        pet(),
        shuffle(),
        string(),
        uuid("random_uuid", schema::random_uuid, |_, object, outside| {
            uuid_of(object, outside, uuid_v4)
        }),
        uuid(
            "random_uuid4",
            schema::random_uuid4,
            |_, object, outside| uuid_of(object, outside, uuid_v4),
        ),
        uuid(
            "random_uuid7",
            schema::random_uuid7,
            |_, object, outside| uuid_of(object, outside, uuid_v7),
        ),
    ]
}

pub(crate) fn ephemeral() -> Vec<Source> {
    vec![
        Source::new(
            "random_bytes",
            schema::random_bytes_ephemeral,
            |mut object, outside, _| {
                set_bytes(&mut object, outside);
                Ok(object)
            },
        ),
        Source {
            validate: validate_characters,
            ..Source::new(
                "random_password",
                schema::random_password_ephemeral,
                |mut object, outside, _| {
                    let drawn = characters_of(&object, outside);
                    object.set("bcrypt_hash", bcrypt_hash(&drawn)?);
                    object.set("result", drawn);
                    Ok(object)
                },
            )
        },
    ]
}

/// Whether keepers change in what is not null.
fn keepers_change(change: &AttributeChange<'_>) -> bool {
    let kept = |value: &Value| {
        let mut entries = value.as_entries().cloned().unwrap_or_default();
        entries.retain(|_, value| !value.is_null());
        entries
    };
    !change.planned.is_known() || kept(change.prior) != kept(&change.planned)
}

/// The most that is drawn at once. The providers run within the engine, whose memory a mistyped number must not ask for.
const MOST: i64 = 1 << 24;

fn most() -> Validator {
    at_most(MOST)
}

fn draw(outside: &Outside, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    outside.entropy.fill(&mut bytes);
    bytes
}

/// A number from 0 to below `bound`, each as likely as any other.
fn below(outside: &Outside, bound: u64) -> u64 {
    let bound = bound.max(1);
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let mut bytes = [0; 8];
        outside.entropy.fill(&mut bytes);
        let drawn = u64::from_be_bytes(bytes);
        if drawn < limit || limit == 0 {
            return drawn % bound;
        }
    }
}

/// A generator that a seed determines, where one is given. Its numbers are Terrace's own: states keep what was drawn.
fn seeded(seed: &str, count: usize) -> Vec<u64> {
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..count).map(|_| next()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn bytes() -> Definition {
    Definition {
        import: Some(import_bytes),
        ..Definition::new(
            "random_bytes",
            schema::random_bytes,
            |_, mut object, outside| {
                set_bytes(&mut object, outside);
                Ok(object)
            },
        )
    }
}

fn set_bytes(object: &mut Object, outside: &Outside) {
    let length = object.whole("length").unwrap_or(1);
    let drawn = draw(outside, usize::try_from(length).unwrap_or(1));
    object.set("base64", STANDARD.encode(&drawn));
    object.set("hex", hex(&drawn));
}

fn import_bytes(id: &str, _outside: &Outside) -> Result<Object, Failure> {
    let drawn = STANDARD.decode(id).map_err(|error| {
        Diagnostic::error(
            "Import Random bytes Error",
            format!("{id:?} is not base64: {error}."),
        )
    })?;
    let mut object = Object::new();
    object.set("base64", id);
    object.set("hex", hex(&drawn));
    object.set("length", i64::try_from(drawn.len()).unwrap_or(i64::MAX));
    Ok(object)
}

fn id() -> Definition {
    Definition {
        import: Some(import_id),
        ..Definition::new("random_id", schema::random_id, |_, mut object, outside| {
            let drawn = draw(
                outside,
                usize::try_from(object.whole("byte_length").unwrap_or(1)).unwrap_or(1),
            );
            set_id(&mut object, &drawn);
            Ok(object)
        })
    }
}

fn set_id(object: &mut Object, drawn: &[u8]) {
    let prefix = object.text("prefix").unwrap_or_default().to_owned();
    let url = URL_SAFE_NO_PAD.encode(drawn);
    object.set("b64_url", format!("{prefix}{url}"));
    object.set("b64_std", format!("{prefix}{}", STANDARD.encode(drawn)));
    object.set("hex", format!("{prefix}{}", hex(drawn)));
    object.set("dec", format!("{prefix}{}", BigUint::from_bytes_be(drawn)));
    object.set("id", url);
}

fn import_id(id: &str, _outside: &Outside) -> Result<Object, Failure> {
    let (prefix, encoded) = id
        .rsplit_once(',')
        .map_or((None, id), |(prefix, encoded)| (Some(prefix), encoded));
    let drawn = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| {
        Diagnostic::error(
            "Import Random ID Error",
            format!("{encoded:?} is not unpadded base64url: {error}."),
        )
    })?;
    let mut object = Object::new();
    if let Some(prefix) = prefix {
        object.set("prefix", prefix);
    }
    set_id(&mut object, &drawn);
    object.set(
        "byte_length",
        i64::try_from(drawn.len()).unwrap_or(i64::MAX),
    );
    Ok(object)
}

fn integer() -> Definition {
    Definition {
        validate: |config| match (config.whole("min"), config.whole("max")) {
            (Some(min), Some(max)) if min > max => {
                let detail = format!(
                    "The minimum (min) value needs to be smaller than or equal to maximum (max) value: {min} is not below {max}."
                );
                vec![problem("min", "Create Random Integer Error", detail)]
            }
            _ => Vec::new(),
        },
        import: Some(import_integer),
        ..Definition::new(
            "random_integer",
            schema::random_integer,
            |_, mut object, outside| {
                let (min, max) = (
                    object.whole("min").unwrap_or(0),
                    object.whole("max").unwrap_or(0),
                );
                let span = max.abs_diff(min).saturating_add(1);
                let drawn = match object.text("seed").filter(|seed| !seed.is_empty()) {
                    Some(seed) => seeded(seed, 1)[0] % span,
                    None => below(outside, span),
                };
                let result = min.wrapping_add_unsigned(drawn);
                object.set("result", result);
                object.set("id", result.to_string());
                Ok(object)
            },
        )
    }
}

/// `RESULT,MIN,MAX` and perhaps `,SEED`.
fn import_integer(id: &str, _outside: &Outside) -> Result<Object, Failure> {
    let invalid = || {
        Diagnostic::error(
            "Import Random Integer Error",
            format!(
                "{id:?} is not of the form {{result}},{{min}},{{max}} or {{result}},{{min}},{{max}},{{seed}}."
            ),
        )
    };
    let parts: Vec<&str> = id.splitn(4, ',').collect();
    let (numbers, seed) = match &parts[..] {
        [numbers @ .., seed] if numbers.len() == 3 => (numbers, Some(*seed)),
        numbers if numbers.len() == 3 => (numbers, None),
        _ => return Err(invalid()),
    };
    let mut object = Object::new();
    for (name, number) in ["result", "min", "max"].into_iter().zip(numbers) {
        object.set(name, number.parse::<i64>().map_err(|_| invalid())?);
    }
    object.set("id", numbers[0]);
    if let Some(seed) = seed {
        object.set("seed", seed);
    }
    Ok(object)
}

fn defaults() -> Vec<(&'static str, Value)> {
    let mut defaults: Vec<(&'static str, Value)> = ["lower", "upper", "special"]
        .map(|name| (name, Value::TRUE))
        .to_vec();
    defaults.extend(
        ["min_lower", "min_upper", "min_numeric", "min_special"].map(|name| (name, Value::int(0))),
    );
    defaults
}

/// `number` is the old name of `numeric`: what one says, the other says too; without either, both are true.
fn set_numeric(planned: &mut Object) {
    let said = ["numeric", "number"]
        .into_iter()
        .find_map(|name| planned.flag(name));
    let value = Value::bool(said.unwrap_or(true));
    planned.set("numeric", value.clone());
    planned.set("number", value);
}

fn validate_characters(config: &Object) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let least: i64 = ["min_lower", "min_upper", "min_numeric", "min_special"]
        .iter()
        .filter_map(|name| config.whole(name))
        .sum();
    if let Some(length) = config.whole("length")
        && length < least
    {
        let detail = format!(
            "Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special ({least}), got: {length}"
        );
        found.push(problem("length", "Invalid Attribute Value", detail));
    }
    let none = ["lower", "upper", "special", "numeric"]
        .iter()
        .all(|name| config.flag(name) == Some(false));
    if none && !config.is_set("number") {
        found.push(problem(
            "lower",
            "Invalid Attribute Combination",
            "At least one attribute out of [special, upper, lower, numeric] must be true.",
        ));
    }
    found
}

/// Characters as asked for: the least number of each kind, the rest of any, in random order.
fn characters_of(object: &Object, outside: &Outside) -> String {
    let special = object
        .text("override_special")
        .filter(|text| !text.is_empty())
        .unwrap_or(SPECIAL);
    let kinds = [
        ("upper", "min_upper", UPPER),
        ("lower", "min_lower", LOWER),
        ("numeric", "min_numeric", DIGITS),
        ("special", "min_special", special),
    ];
    let pick =
        |from: &[char]| from[usize::try_from(below(outside, from.len() as u64)).unwrap_or(0)];
    let mut drawn: Vec<char> = Vec::new();
    let mut all: Vec<char> = Vec::new();
    for (enabled, least, letters) in kinds {
        let letters: Vec<char> = letters.chars().collect();
        if object.flag(enabled).unwrap_or(true) {
            all.extend(&letters);
        }
        let count = object
            .whole(least)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0);
        drawn.extend((0..count).map(|_| pick(&letters)));
    }
    let length = object
        .whole("length")
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    while drawn.len() < length && !all.is_empty() {
        drawn.push(pick(&all));
    }
    for at in (1..drawn.len()).rev() {
        drawn.swap(
            at,
            usize::try_from(below(outside, at as u64 + 1)).unwrap_or(0),
        );
    }
    drawn.into_iter().collect()
}

fn bcrypt_hash(password: &str) -> Result<String, Failure> {
    let bytes = &password.as_bytes()[..password.len().min(BCRYPT_LIMIT)];
    bcrypt::hash(bytes, BCRYPT_COST).map_err(|error| {
        Diagnostic::error(
            "Create Random Password Error",
            format!("The password cannot be hashed: {error}."),
        )
    })
}

/// Older versions left out what was not set, and hashed more of long passwords than counts.
fn has_hash_of(object: &Object, result: &str) -> bool {
    object.text("bcrypt_hash").is_some_and(|hash| {
        let bytes = &result.as_bytes()[..result.len().min(BCRYPT_LIMIT)];
        bcrypt::verify(bytes, hash).unwrap_or(false)
    })
}

/// Sets what an object of an older version lacks.
fn complete_characters(object: &mut Object) {
    set_numeric(object);
    for (name, value) in defaults() {
        if !object.is_set(name) {
            object.set(name, value);
        }
    }
    if !object.is_set("length") {
        let length = object
            .text("result")
            .map_or(0, |result| result.chars().count());
        object.set("length", i64::try_from(length).unwrap_or(i64::MAX));
    }
}

fn password() -> Definition {
    Definition {
        validate: validate_characters,
        plan: |_, _, planned, _| {
            set_numeric(planned);
            Vec::new()
        },
        upgrade: |_, object| {
            complete_characters(object);
            if let Some(hash) = object
                .text("result")
                .filter(|result| !has_hash_of(object, result))
                .and_then(|result| bcrypt_hash(result).ok())
            {
                object.set("bcrypt_hash", hash);
            }
            Ok(())
        },
        import: Some(|id, _| {
            let mut object = characters_from(id);
            object.set("id", "none");
            object.set("bcrypt_hash", bcrypt_hash(id)?);
            Ok(object)
        }),
        ..Definition::new(
            "random_password",
            schema::random_password,
            |_, mut object, outside| {
                let drawn = characters_of(&object, outside);
                object.set("bcrypt_hash", bcrypt_hash(&drawn)?);
                object.set("result", drawn);
                object.set("id", "none");
                Ok(object)
            },
        )
    }
}

fn string() -> Definition {
    Definition {
        validate: validate_characters,
        plan: |_, _, planned, _| {
            set_numeric(planned);
            Vec::new()
        },
        upgrade: |_, object| {
            complete_characters(object);
            Ok(())
        },
        import: Some(|id, _| {
            let mut object = characters_from(id);
            object.set("id", id);
            Ok(object)
        }),
        ..Definition::new(
            "random_string",
            schema::random_string,
            |_, mut object, outside| {
                let drawn = characters_of(&object, outside);
                object.set("id", drawn.as_str());
                object.set("result", drawn);
                Ok(object)
            },
        )
    }
}

fn characters_from(result: &str) -> Object {
    let mut object = Object::new();
    for name in ["lower", "upper", "special", "numeric", "number"] {
        object.set(name, true);
    }
    for name in ["min_lower", "min_upper", "min_numeric", "min_special"] {
        object.set(name, 0_i64);
    }
    object.set(
        "length",
        i64::try_from(result.chars().count()).unwrap_or(i64::MAX),
    );
    object.set("result", result);
    object
}

fn pet() -> Definition {
    Definition {
        ..Definition::new(
            "random_pet",
            schema::random_pet,
            |_, mut object, outside| {
                let length = object
                    .whole("length")
                    .and_then(|length| usize::try_from(length).ok())
                    .unwrap_or(2);
                let pick = |from: &[&'static str]| {
                    from[usize::try_from(below(outside, from.len() as u64)).unwrap_or(0)]
                };
                let mut drawn: Vec<&str> = (2..length).map(|_| pick(&words::ADVERBS)).collect();
                if length > 1 {
                    drawn.push(pick(&words::ADJECTIVES));
                }
                drawn.push(pick(&words::ANIMALS));
                let prefix = object.text("prefix").filter(|prefix| !prefix.is_empty());
                let name: Vec<&str> = prefix.into_iter().chain(drawn).collect();
                let name = name.join(object.text("separator").unwrap_or("-"));
                object.set("id", name);
                Ok(object)
            },
        )
    }
}

fn shuffle() -> Definition {
    Definition {
        ..Definition::new(
            "random_shuffle",
            schema::random_shuffle,
            |_, mut object, outside| {
                let input: Vec<Value> = object.items("input").to_vec();
                let wanted = object
                    .whole("result_count")
                    .and_then(|count| usize::try_from(count).ok())
                    .unwrap_or(input.len());
                let mut seeds = object
                    .text("seed")
                    .filter(|seed| !seed.is_empty())
                    .map(|seed| seeded(seed, wanted + input.len()).into_iter());
                let mut number = |bound: usize| match &mut seeds {
                    Some(seeds) => usize::try_from(seeds.next().unwrap_or(0) % bound.max(1) as u64)
                        .unwrap_or(0),
                    None => usize::try_from(below(outside, bound as u64)).unwrap_or(0),
                };
                let mut result = Vec::new();
                while result.len() < wanted && !input.is_empty() {
                    let mut round = input.clone();
                    for at in (1..round.len()).rev() {
                        round.swap(at, number(at + 1));
                    }
                    result.extend(round);
                }
                result.truncate(wanted);
                object.set("result", Value::list(Type::String, result));
                object.set("id", "-");
                Ok(object)
            },
        )
    }
}

fn uuid(name: &'static str, schema: fn() -> Schema, apply: Apply) -> Definition {
    Definition {
        import: Some(|id, _| {
            let parsed = uuid::Uuid::parse_str(id).map_err(|error| {
                Diagnostic::error(
                    "Import Random UUID Error",
                    format!("{id:?} is not a UUID: {error}."),
                )
            })?;
            let mut object = Object::new();
            object.set("id", parsed.to_string());
            object.set("result", parsed.to_string());
            Ok(object)
        }),
        ..Definition::new(name, schema, apply)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn uuid_of(
    mut object: Object,
    outside: &Outside,
    make: fn(&Outside) -> String,
) -> Result<Object, Failure> {
    let drawn = make(outside);
    object.set("id", drawn.as_str());
    object.set("result", drawn);
    Ok(object)
}

fn uuid_v4(outside: &Outside) -> String {
    let mut bytes = [0; 16];
    outside.entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn uuid_v7(outside: &Outside) -> String {
    let mut bytes = [0; 10];
    outside.entropy.fill(&mut bytes);
    let (seconds, nanoseconds) = outside.clock.now();
    let milliseconds =
        u64::try_from(seconds).unwrap_or(0) * 1000 + u64::from(nanoseconds) / 1_000_000;
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes)
        .into_uuid()
        .to_string()
}
