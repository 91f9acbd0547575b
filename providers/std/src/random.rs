//! `random_*`: values that are drawn once and kept.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use terrace_port::ProviderDiagnostic;
use terrace_value::{Type, Value};

use crate::Outside;
use crate::definition::{
    Attributes, Definition, Failure, flag, is_set, problem, set, strings, text, whole,
};

mod words;

type Columns = Vec<(&'static str, Type, &'static str)>;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";
/// The strength that the well-known provider hashes passwords with.
const BCRYPT_COST: u32 = 10;
/// bcrypt takes no more than this of a password.
const BCRYPT_LIMIT: usize = 72;

pub(crate) fn resources() -> Vec<Definition> {
    let with_keepers = |columns: &[(&'static str, Type, &'static str)]| {
        let mut all: Columns = columns.to_vec();
        all.push(("keepers", strings(), "o"));
        all
    };
    let result = [("id", Type::String, "c"), ("result", Type::String, "c")];
    vec![
        bytes(with_keepers(&[
            ("base64", Type::String, "cs"),
            ("hex", Type::String, "cs"),
            ("length", Type::Number, "r"),
        ])),
        id(with_keepers(&[
            ("b64_std", Type::String, "c"),
            ("b64_url", Type::String, "c"),
            ("byte_length", Type::Number, "r"),
            ("dec", Type::String, "c"),
            ("hex", Type::String, "c"),
            ("id", Type::String, "c"),
            ("prefix", Type::String, "o"),
        ])),
        integer(with_keepers(&[
            ("id", Type::String, "c"),
            ("max", Type::Number, "r"),
            ("min", Type::Number, "r"),
            ("result", Type::Number, "c"),
            ("seed", Type::String, "o"),
        ])),
        password(with_keepers(&characters("cs", true))),
        pet(with_keepers(&[
            ("id", Type::String, "c"),
            ("length", Type::Number, "oc"),
            ("prefix", Type::String, "o"),
            ("separator", Type::String, "oc"),
        ])),
        shuffle(with_keepers(&[
            ("id", Type::String, "c"),
            ("input", Type::list(Type::String), "r"),
            ("result", Type::list(Type::String), "c"),
            ("result_count", Type::Number, "o"),
            ("seed", Type::String, "o"),
        ])),
        string(with_keepers(&characters("c", false))),
        uuid(
            "random_uuid",
            with_keepers(&result),
            |_, object, outside| uuid_of(object, outside, uuid_v4),
        ),
        uuid(
            "random_uuid4",
            with_keepers(&result),
            |_, object, outside| uuid_of(object, outside, uuid_v4),
        ),
        uuid(
            "random_uuid7",
            with_keepers(&result),
            |_, object, outside| uuid_of(object, outside, uuid_v7),
        ),
    ]
}

fn characters(result: &'static str, hashed: bool) -> Columns {
    let mut columns = vec![
        ("id", Type::String, "c"),
        ("length", Type::Number, "r"),
        ("lower", Type::Bool, "oc"),
        ("min_lower", Type::Number, "oc"),
        ("min_numeric", Type::Number, "oc"),
        ("min_special", Type::Number, "oc"),
        ("min_upper", Type::Number, "oc"),
        ("number", Type::Bool, "ocd"),
        ("numeric", Type::Bool, "oc"),
        ("override_special", Type::String, "o"),
        ("result", Type::String, result),
        ("special", Type::Bool, "oc"),
        ("upper", Type::Bool, "oc"),
    ];
    if hashed {
        columns.push(("bcrypt_hash", Type::String, "cs"));
    }
    columns
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

/// The most that is drawn at once. The providers run within the engine, whose memory a mistyped number must not ask for.
const MOST: i64 = 1 << 24;

fn positive(config: &Attributes, name: &str) -> Option<ProviderDiagnostic> {
    let value = whole(config, name)?;
    if value >= 1 {
        return at_most(config, name);
    }
    let detail = format!("Attribute {name} value must be at least 1, got: {value}");
    Some(problem(name, "Invalid Attribute Value", detail))
}

fn at_most(config: &Attributes, name: &str) -> Option<ProviderDiagnostic> {
    let value = whole(config, name).filter(|value| *value > MOST)?;
    let detail = format!("Attribute {name} value must be at most {MOST}, got: {value}");
    Some(problem(name, "Invalid Attribute Value", detail))
}

fn bytes(columns: Columns) -> Definition {
    Definition {
        validate: |config| positive(config, "length").into_iter().collect(),
        import: Some(import_bytes),
        ..Definition::new("random_bytes", columns, |_, mut object, outside| {
            let drawn = draw(
                outside,
                usize::try_from(whole(&object, "length").unwrap_or(1)).unwrap_or(1),
            );
            set(&mut object, "base64", STANDARD.encode(&drawn));
            set(&mut object, "hex", hex(&drawn));
            Ok(object)
        })
    }
}

fn import_bytes(id: &str, _outside: &Outside) -> Result<Attributes, Failure> {
    let drawn = STANDARD.decode(id).map_err(|error| {
        ProviderDiagnostic::error(
            "Import Random bytes Error",
            format!("{id:?} is not base64: {error}."),
        )
    })?;
    let mut object = Attributes::new();
    set(&mut object, "base64", id);
    set(&mut object, "hex", hex(&drawn));
    set(
        &mut object,
        "length",
        i64::try_from(drawn.len()).unwrap_or(i64::MAX),
    );
    Ok(object)
}

fn id(columns: Columns) -> Definition {
    Definition {
        validate: |config| positive(config, "byte_length").into_iter().collect(),
        import: Some(import_id),
        ..Definition::new("random_id", columns, |_, mut object, outside| {
            let drawn = draw(
                outside,
                usize::try_from(whole(&object, "byte_length").unwrap_or(1)).unwrap_or(1),
            );
            set_id(&mut object, &drawn);
            Ok(object)
        })
    }
}

fn set_id(object: &mut Attributes, drawn: &[u8]) {
    let prefix = text(object, "prefix").unwrap_or_default().to_owned();
    let url = URL_SAFE_NO_PAD.encode(drawn);
    set(object, "b64_url", format!("{prefix}{url}"));
    set(
        object,
        "b64_std",
        format!("{prefix}{}", STANDARD.encode(drawn)),
    );
    set(object, "hex", format!("{prefix}{}", hex(drawn)));
    set(
        object,
        "dec",
        format!("{prefix}{}", BigUint::from_bytes_be(drawn)),
    );
    set(object, "id", url);
}

fn import_id(id: &str, _outside: &Outside) -> Result<Attributes, Failure> {
    let (prefix, encoded) = id
        .rsplit_once(',')
        .map_or((None, id), |(prefix, encoded)| (Some(prefix), encoded));
    let drawn = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| {
        ProviderDiagnostic::error(
            "Import Random ID Error",
            format!("{encoded:?} is not unpadded base64url: {error}."),
        )
    })?;
    let mut object = Attributes::new();
    if let Some(prefix) = prefix {
        set(&mut object, "prefix", prefix);
    }
    set_id(&mut object, &drawn);
    set(
        &mut object,
        "byte_length",
        i64::try_from(drawn.len()).unwrap_or(i64::MAX),
    );
    Ok(object)
}

fn integer(columns: Columns) -> Definition {
    Definition {
        validate: |config| match (whole(config, "min"), whole(config, "max")) {
            (Some(min), Some(max)) if min > max => {
                let detail = format!(
                    "The minimum (min) value needs to be smaller than or equal to maximum (max) value: {min} is not below {max}."
                );
                vec![problem("min", "Create Random Integer Error", detail)]
            }
            _ => Vec::new(),
        },
        import: Some(import_integer),
        ..Definition::new("random_integer", columns, |_, mut object, outside| {
            let (min, max) = (
                whole(&object, "min").unwrap_or(0),
                whole(&object, "max").unwrap_or(0),
            );
            let span = max.abs_diff(min).saturating_add(1);
            let drawn = match text(&object, "seed").filter(|seed| !seed.is_empty()) {
                Some(seed) => seeded(seed, 1)[0] % span,
                None => below(outside, span),
            };
            let result = min.wrapping_add_unsigned(drawn);
            set(&mut object, "result", result);
            set(&mut object, "id", result.to_string());
            Ok(object)
        })
    }
}

/// `RESULT,MIN,MAX` and perhaps `,SEED`.
fn import_integer(id: &str, _outside: &Outside) -> Result<Attributes, Failure> {
    let invalid = || {
        ProviderDiagnostic::error(
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
    let mut object = Attributes::new();
    for (name, number) in ["result", "min", "max"].into_iter().zip(numbers) {
        set(
            &mut object,
            name,
            number.parse::<i64>().map_err(|_| invalid())?,
        );
    }
    set(&mut object, "id", numbers[0]);
    if let Some(seed) = seed {
        set(&mut object, "seed", seed);
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
fn plan_numeric(_prior: Option<&Attributes>, planned: &mut Attributes) {
    let said = ["numeric", "number"]
        .into_iter()
        .find_map(|name| flag(planned, name));
    let value = Value::bool(said.unwrap_or(true));
    set(planned, "numeric", value.clone());
    set(planned, "number", value);
}

fn validate_characters(config: &Attributes) -> Vec<ProviderDiagnostic> {
    let mut found: Vec<ProviderDiagnostic> = positive(config, "length").into_iter().collect();
    let least: i64 = ["min_lower", "min_upper", "min_numeric", "min_special"]
        .iter()
        .filter_map(|name| whole(config, name))
        .sum();
    if let Some(length) = whole(config, "length")
        && length < least
    {
        let detail = format!(
            "Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special ({least}), got: {length}"
        );
        found.push(problem("length", "Invalid Attribute Value", detail));
    }
    let none = ["lower", "upper", "special", "numeric"]
        .iter()
        .all(|name| flag(config, name) == Some(false));
    if none && !is_set(config, "number") {
        found.push(problem(
            "lower",
            "Invalid Attribute Combination",
            "At least one attribute out of [special, upper, lower, numeric] must be true.",
        ));
    }
    found
}

/// Characters as asked for: the least number of each kind, the rest of any, in random order.
fn characters_of(object: &Attributes, outside: &Outside) -> String {
    let special = text(object, "override_special")
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
        if flag(object, enabled).unwrap_or(true) {
            all.extend(&letters);
        }
        let count = whole(object, least)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0);
        drawn.extend((0..count).map(|_| pick(&letters)));
    }
    let length = whole(object, "length")
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
        ProviderDiagnostic::error(
            "Create Random Password Error",
            format!("The password cannot be hashed: {error}."),
        )
    })
}

/// Older versions left out what was not set, and hashed more of long passwords than counts.
fn has_hash_of(object: &Attributes, result: &str) -> bool {
    text(object, "bcrypt_hash").is_some_and(|hash| {
        let bytes = &result.as_bytes()[..result.len().min(BCRYPT_LIMIT)];
        bcrypt::verify(bytes, hash).unwrap_or(false)
    })
}

/// Sets what an object of an older version lacks.
fn complete_characters(object: &mut Attributes) {
    plan_numeric(None, object);
    for (name, value) in defaults() {
        if !is_set(object, name) {
            set(object, name, value);
        }
    }
    if !is_set(object, "length") {
        let length = text(object, "result").map_or(0, |result| result.chars().count());
        set(object, "length", i64::try_from(length).unwrap_or(i64::MAX));
    }
}

fn password(columns: Columns) -> Definition {
    Definition {
        version: 3,
        defaults: defaults(),
        validate: validate_characters,
        plan: plan_numeric,
        upgrade: |object, _| {
            complete_characters(object);
            if let Some(hash) = text(object, "result")
                .filter(|result| !has_hash_of(object, result))
                .and_then(|result| bcrypt_hash(result).ok())
            {
                set(object, "bcrypt_hash", hash);
            }
        },
        import: Some(|id, _| {
            let mut object = characters_from(id);
            set(&mut object, "id", "none");
            set(&mut object, "bcrypt_hash", bcrypt_hash(id)?);
            Ok(object)
        }),
        ..Definition::new("random_password", columns, |_, mut object, outside| {
            let drawn = characters_of(&object, outside);
            set(&mut object, "bcrypt_hash", bcrypt_hash(&drawn)?);
            set(&mut object, "result", drawn);
            set(&mut object, "id", "none");
            Ok(object)
        })
    }
}

fn string(columns: Columns) -> Definition {
    Definition {
        version: 2,
        defaults: defaults(),
        validate: validate_characters,
        plan: plan_numeric,
        upgrade: |object, _| complete_characters(object),
        import: Some(|id, _| {
            let mut object = characters_from(id);
            set(&mut object, "id", id);
            Ok(object)
        }),
        ..Definition::new("random_string", columns, |_, mut object, outside| {
            let drawn = characters_of(&object, outside);
            set(&mut object, "id", drawn.as_str());
            set(&mut object, "result", drawn);
            Ok(object)
        })
    }
}

fn characters_from(result: &str) -> Attributes {
    let mut object = Attributes::new();
    for name in ["lower", "upper", "special", "numeric", "number"] {
        set(&mut object, name, true);
    }
    for name in ["min_lower", "min_upper", "min_numeric", "min_special"] {
        set(&mut object, name, 0_i64);
    }
    set(
        &mut object,
        "length",
        i64::try_from(result.chars().count()).unwrap_or(i64::MAX),
    );
    set(&mut object, "result", result);
    object
}

fn pet(columns: Columns) -> Definition {
    Definition {
        defaults: vec![("length", Value::int(2)), ("separator", Value::string("-"))],
        validate: |config| positive(config, "length").into_iter().collect(),
        ..Definition::new("random_pet", columns, |_, mut object, outside| {
            let length = whole(&object, "length")
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
            let prefix = text(&object, "prefix").filter(|prefix| !prefix.is_empty());
            let name: Vec<&str> = prefix.into_iter().chain(drawn).collect();
            let name = name.join(text(&object, "separator").unwrap_or("-"));
            set(&mut object, "id", name);
            Ok(object)
        })
    }
}

fn shuffle(columns: Columns) -> Definition {
    Definition {
        validate: |config| at_most(config, "result_count").into_iter().collect(),
        ..Definition::new("random_shuffle", columns, |_, mut object, outside| {
            let input: Vec<Value> = object
                .get("input")
                .and_then(Value::as_sequence)
                .map(<[Value]>::to_vec)
                .unwrap_or_default();
            let wanted = whole(&object, "result_count")
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(input.len());
            let mut seeds = text(&object, "seed")
                .filter(|seed| !seed.is_empty())
                .map(|seed| seeded(seed, wanted + input.len()).into_iter());
            let mut number = |bound: usize| match &mut seeds {
                Some(seeds) => {
                    usize::try_from(seeds.next().unwrap_or(0) % bound.max(1) as u64).unwrap_or(0)
                }
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
            set(&mut object, "result", Value::list(Type::String, result));
            set(&mut object, "id", "-");
            Ok(object)
        })
    }
}

fn uuid(name: &'static str, columns: Columns, apply: crate::definition::Apply) -> Definition {
    Definition {
        import: Some(|id, _| {
            let parsed = uuid::Uuid::parse_str(id).map_err(|error| {
                ProviderDiagnostic::error(
                    "Import Random UUID Error",
                    format!("{id:?} is not a UUID: {error}."),
                )
            })?;
            let mut object = Attributes::new();
            set(&mut object, "id", parsed.to_string());
            set(&mut object, "result", parsed.to_string());
            Ok(object)
        }),
        ..Definition::new(name, columns, apply)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn uuid_of(
    mut object: Attributes,
    outside: &Outside,
    make: fn(&Outside) -> String,
) -> Result<Attributes, Failure> {
    let drawn = make(outside);
    set(&mut object, "id", drawn.as_str());
    set(&mut object, "result", drawn);
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
