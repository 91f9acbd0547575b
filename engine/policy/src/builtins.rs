//! Functions of OPA that regorus does not have, as far as policies over plans use them.

use hmac::{Hmac, Mac as _};
use md5::Md5;
use regorus::{Engine, Value};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

type Function = fn(&[Value]) -> Option<Value>;

/// Name, number of arguments, function. A function gives nothing for arguments that it is not made for: its result is then
/// undefined, as OPA has it where errors of functions are not strict.
const FUNCTIONS: [(&str, u8, Function); 9] = [
    ("crypto.md5", 1, |values| {
        digest(values, |bytes| hex(&Md5::digest(bytes)))
    }),
    ("crypto.sha1", 1, |values| {
        digest(values, |bytes| hex(&Sha1::digest(bytes)))
    }),
    ("crypto.sha256", 1, |values| {
        digest(values, |bytes| hex(&Sha256::digest(bytes)))
    }),
    ("crypto.hmac.md5", 2, |values| {
        let (text, key) = texts(values)?;
        let mut mac = Hmac::<Md5>::new_from_slice(key.as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(hex(&mac.finalize().into_bytes()).into())
    }),
    ("crypto.hmac.sha1", 2, |values| {
        let (text, key) = texts(values)?;
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(hex(&mac.finalize().into_bytes()).into())
    }),
    ("crypto.hmac.sha256", 2, |values| {
        let (text, key) = texts(values)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(hex(&mac.finalize().into_bytes()).into())
    }),
    ("crypto.hmac.sha512", 2, |values| {
        let (text, key) = texts(values)?;
        let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(hex(&mac.finalize().into_bytes()).into())
    }),
    ("crypto.hmac.equal", 2, |values| {
        let (left, right) = texts(values)?;
        Some((left == right).into())
    }),
    ("array.flatten", 1, |values| {
        let items = values.first()?.as_array().ok()?;
        let mut flat = Vec::with_capacity(items.len());
        for item in items {
            match item.as_array() {
                Ok(inner) => flat.extend(inner.iter().cloned()),
                Err(_) => flat.push(item.clone()),
            }
        }
        Some(flat.into())
    }),
];

/// Adds the functions to an engine.
pub(crate) fn add(engine: &mut Engine) {
    for (name, n_arguments, function) in FUNCTIONS {
        let extension = move |values: Vec<Value>| Ok(function(&values).unwrap_or(Value::Undefined));
        engine
            .add_extension(name.to_owned(), n_arguments, Box::new(extension))
            .expect("each is added once");
    }
}

fn digest(values: &[Value], sum: impl Fn(&[u8]) -> String) -> Option<Value> {
    let text = values.first()?.as_string().ok()?;
    Some(sum(text.as_bytes()).into())
}

fn texts(values: &[Value]) -> Option<(&str, &str)> {
    let text = |index: usize| values.get(index)?.as_string().ok().map(|text| &**text);
    Some((text(0)?, text(1)?))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
