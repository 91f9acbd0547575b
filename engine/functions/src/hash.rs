//! Hashes, identifiers and secrets.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use terrace_value::{Type, Value};
use uuid::Uuid;

use crate::encoding::base64;
use crate::filesystem::open_file;
use crate::go_text::quoted;
use crate::private_key;
use crate::spec::{gives_string, number, text};
use crate::support::{BlameArgument, integer_of, text_of};
use crate::{BodyFn, CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    let mut functions = text_hashes();
    functions.extend(file_hashes());
    functions.extend(identifiers_and_secrets());
    functions
}

fn hex<D: Digest>(bytes: &[u8]) -> Value {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in D::digest(bytes) {
        write!(out, "{byte:02x}").unwrap_or_default();
    }
    Value::from(out)
}

fn base64_of<D: Digest>(bytes: &[u8]) -> Value {
    Value::from(base64::encode(&D::digest(bytes)))
}

fn text_hashes() -> Vec<Function> {
    let hash = |name, description, body: BodyFn| {
        Function::new(name, description, [text("str", "")], gives_string, body)
    };
    vec![
        hash(
            "base64sha256",
            "The SHA-256 hash of the text in Base64.",
            |arguments, _, _| Ok(base64_of::<Sha256>(text_of(&arguments[0]).as_bytes())),
        ),
        hash(
            "base64sha512",
            "The SHA-512 hash of the text in Base64.",
            |arguments, _, _| Ok(base64_of::<Sha512>(text_of(&arguments[0]).as_bytes())),
        ),
        hash(
            "md5",
            "The MD5 hash of the text in hexadecimal digits.",
            |arguments, _, _| Ok(hex::<Md5>(text_of(&arguments[0]).as_bytes())),
        ),
        hash(
            "sha1",
            "The SHA-1 hash of the text in hexadecimal digits.",
            |arguments, _, _| Ok(hex::<Sha1>(text_of(&arguments[0]).as_bytes())),
        ),
        hash(
            "sha256",
            "The SHA-256 hash of the text in hexadecimal digits.",
            |arguments, _, _| Ok(hex::<Sha256>(text_of(&arguments[0]).as_bytes())),
        ),
        hash(
            "sha512",
            "The SHA-512 hash of the text in hexadecimal digits.",
            |arguments, _, _| Ok(hex::<Sha512>(text_of(&arguments[0]).as_bytes())),
        ),
    ]
}

fn file_hashes() -> Vec<Function> {
    let hash = |name, description, body: BodyFn| {
        Function::new(name, description, [text("path", "")], gives_string, body)
    };
    vec![
        hash(
            "filebase64sha256",
            "The SHA-256 hash of a file in Base64.",
            |arguments, _, context| {
                Ok(base64_of::<Sha256>(&open_file(
                    text_of(&arguments[0]),
                    context,
                )?))
            },
        ),
        hash(
            "filebase64sha512",
            "The SHA-512 hash of a file in Base64.",
            |arguments, _, context| {
                Ok(base64_of::<Sha512>(&open_file(
                    text_of(&arguments[0]),
                    context,
                )?))
            },
        ),
        hash(
            "filemd5",
            "The MD5 hash of a file in hexadecimal digits.",
            |arguments, _, context| Ok(hex::<Md5>(&open_file(text_of(&arguments[0]), context)?)),
        ),
        hash(
            "filesha1",
            "The SHA-1 hash of a file in hexadecimal digits.",
            |arguments, _, context| Ok(hex::<Sha1>(&open_file(text_of(&arguments[0]), context)?)),
        ),
        hash(
            "filesha256",
            "The SHA-256 hash of a file in hexadecimal digits.",
            |arguments, _, context| Ok(hex::<Sha256>(&open_file(text_of(&arguments[0]), context)?)),
        ),
        hash(
            "filesha512",
            "The SHA-512 hash of a file in hexadecimal digits.",
            |arguments, _, context| Ok(hex::<Sha512>(&open_file(text_of(&arguments[0]), context)?)),
        ),
    ]
}

fn identifiers_and_secrets() -> Vec<Function> {
    vec![
        Function::new(
            "bcrypt",
            "A bcrypt hash of the text with a salt of its own, at a cost of 10 or as given.",
            [text("str", "")],
            gives_string,
            bcrypt,
        )
        .with_variadic(number("cost", "")),
        Function::new(
            "rsadecrypt",
            "The text that was encrypted for an RSA key; the ciphertext is in Base64.",
            [text("ciphertext", ""), text("privatekey", "")],
            gives_string,
            rsadecrypt,
        ),
        Function::new(
            "uuid",
            "A random UUID; another one each time.",
            [],
            gives_string,
            |_, _, context| {
                let identifier = context
                    .entropy()
                    .map(|bytes| uuid::Builder::from_random_bytes(bytes).into_uuid());
                Ok(identifier.map_or_else(
                    || Value::unknown(Type::String),
                    |uuid| Value::from(uuid.to_string()),
                ))
            },
        ),
        Function::new(
            "uuidv5",
            "The UUID of a name in a namespace: `dns`, `url`, `oid`, `x500`, or a UUID.",
            [text("namespace", ""), text("name", "")],
            gives_string,
            uuidv5,
        ),
    ]
}

const DEFAULT_COST: u32 = 10;
const LONGEST_PASSWORD: usize = 72;

fn bcrypt(arguments: &[Value], _: &Type, context: &dyn Context) -> Result<Value, CallError> {
    let cost = match arguments.get(1) {
        Some(cost) => integer_of(cost).blame_call()?,
        None => i64::from(DEFAULT_COST),
    };
    if arguments.len() > 2 {
        return Err(CallError::call("bcrypt() takes no more than two arguments"));
    }
    let failed = |why: &str| CallError::call(format!("error occured generating password {why}"));
    let cost = if cost < 4 {
        DEFAULT_COST
    } else {
        u32::try_from(cost).unwrap_or(u32::MAX)
    };
    let password = text_of(&arguments[0]);
    if password.len() > LONGEST_PASSWORD {
        return Err(failed("bcrypt: password length exceeds 72 bytes"));
    }
    if cost > 31 {
        return Err(failed(&format!(
            "crypto/bcrypt: cost {cost} is outside allowed inclusive range 4..31"
        )));
    }
    let Some(salt) = context.entropy() else {
        return Ok(Value::unknown(Type::String));
    };
    let parts = ::bcrypt::hash_with_salt(password, cost, salt)
        .map_err(|error| failed(&error.to_string()))?;
    Ok(Value::from(
        parts.format_for_version(::bcrypt::Version::TwoA),
    ))
}

fn rsadecrypt(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let ciphertext = text_of(&arguments[0]);
    let bytes = base64::decode(ciphertext)
        .map_err(|_| {
            format!(
                "failed to decode input {}: cipher text must be base64-encoded",
                quoted(ciphertext)
            )
        })
        .blame(0)?;
    let key = private_key::parse(text_of(&arguments[1])).blame(1)?;
    let plain = key
        .decrypt(rsa::Pkcs1v15Encrypt, &bytes)
        .map_err(|_| CallError::call("failed to decrypt: crypto/rsa: decryption error"))?;
    Ok(Value::from(String::from_utf8_lossy(&plain).into_owned()))
}

fn uuidv5(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let namespace = text_of(&arguments[0]);
    let id = match namespace {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => parse_uuid(other).map_err(|why| {
            CallError::call(format!(
                "uuidv5() doesn't support namespace {namespace} ({why})"
            ))
        })?,
    };
    Ok(Value::from(
        Uuid::new_v5(&id, text_of(&arguments[1]).as_bytes()).to_string(),
    ))
}

/// Plain, as a URN, in braces, or without hyphens.
fn parse_uuid(text: &str) -> Result<Uuid, String> {
    let digits = match text.len() {
        36 | 32 => text,
        45 if text[..9].eq_ignore_ascii_case("urn:uuid:") => &text[9..],
        45 => return Err(format!("invalid urn prefix: {}", quoted(&text[..9]))),
        38 => text.get(1..37).unwrap_or_default(),
        length => return Err(format!("invalid UUID length: {length}")),
    };
    Uuid::try_parse(digits).map_err(|_| "invalid UUID format".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn hashes() {
        check(&[
            (
                "md5",
                r#"["hello world"]"#,
                r#""5eb63bbbe01eeed093cb22bb8f5acdc3""#,
            ),
            (
                "sha1",
                r#"["hello world"]"#,
                r#""2aae6c35c94fcfb415dbe95f408b9ce91ee846ed""#,
            ),
            (
                "sha256",
                r#"["hello world"]"#,
                r#""b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9""#,
            ),
            (
                "base64sha256",
                r#"["hello"]"#,
                r#""LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=""#,
            ),
        ]);
    }

    #[test]
    fn identifiers() {
        check(&[
            (
                "uuidv5",
                r#"["dns", "www.terrace.dev"]"#,
                r#""faebddcd-95ce-5f23-947c-3ac8e8f0a1fa""#,
            ),
            (
                "uuidv5",
                r#"["{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "x"]"#,
                r#""05b16a01-46c6-56dd-bd6e-c6dfb4a1427a""#,
            ),
            (
                "uuidv5",
                r#"["bad", "x"]"#,
                "! uuidv5() doesn't support namespace bad (invalid UUID length: 3)",
            ),
        ]);
        assert!(!call("uuid", &[]).unwrap().is_known());
    }

    #[test]
    fn passwords() {
        assert!(!call("bcrypt", &[Value::from("x")]).unwrap().is_known());
        check(&[
            (
                "bcrypt",
                r#"["x", 32]"#,
                "! error occured generating password crypto/bcrypt: cost 32 is outside allowed inclusive range 4..31",
            ),
            (
                "bcrypt",
                r#"["x", 4, 5]"#,
                "! bcrypt() takes no more than two arguments",
            ),
        ]);
    }

    #[test]
    fn wrong_keys() {
        check(&[
            (
                "rsadecrypt",
                r#"["!", "x"]"#,
                r#"!0 failed to decode input "!": cipher text must be base64-encoded"#,
            ),
            (
                "rsadecrypt",
                r#"["eA==", "x"]"#,
                "!1 invalid private key: ssh: no key found",
            ),
        ]);
    }
}
