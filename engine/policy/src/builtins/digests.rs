//! `crypto.*`: sums, and sums with a key.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::Md5;
use regorus::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Entry, Outcome, hex, text};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("crypto.md5", 1, |values| sum::<Md5>(values)),
    ("crypto.sha1", 1, |values| sum::<Sha1>(values)),
    ("crypto.sha256", 1, |values| sum::<Sha256>(values)),
    ("crypto.hmac.md5", 2, |values| keyed::<Hmac<Md5>>(values)),
    ("crypto.hmac.sha1", 2, |values| keyed::<Hmac<Sha1>>(values)),
    ("crypto.hmac.sha256", 2, |values| {
        keyed::<Hmac<Sha256>>(values)
    }),
    ("crypto.hmac.sha512", 2, |values| {
        keyed::<Hmac<Sha512>>(values)
    }),
    ("crypto.hmac.equal", 2, |values| {
        Ok((text(values, 0)? == text(values, 1)?).into())
    }),
];

fn sum<D: Digest>(values: &[Value]) -> Outcome {
    Ok(hex(&D::digest(text(values, 0)?.as_bytes())).into())
}

fn keyed<M: Mac + KeyInit>(values: &[Value]) -> Outcome {
    let message = text(values, 0)?.as_bytes();
    Ok(hex(&code::<M>(text(values, 1)?.as_bytes(), message)).into())
}

/// The code that a key gives a message.
pub(super) fn code<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("a key of any length will do");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
