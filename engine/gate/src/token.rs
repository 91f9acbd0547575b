//! Signed tokens (RFC 7515, 7519) by keys of a set (RFC 7517): one algorithm, RS256, and no other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1v15;
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use rsa::{BigUint, RsaPublicKey};
use serde::de::DeserializeOwned;
use sha2::Digest as _;

use crate::wire::{self, ClaimsWire, IssuerWire, KeySetWire, KeyWire, TokenHeaderWire};

/// The only algorithm that counts. Which one holds is not for a token to say.
const ALGORITHM: &str = "RS256";
/// Keys of fewer bits are refused.
const SHORTEST_KEY: usize = 2048;
/// Tokens and sets of keys of more bytes are not looked at.
const LARGEST: usize = 1 << 20;

/// What a token says whose signature holds, and the key by which it does.
pub(crate) struct Verified {
    pub(crate) claims: ClaimsWire,
    /// The key's thumbprint by RFC 7638.
    pub(crate) key: String,
}

/// A token's parts: what is signed, the header, the claims, the signature.
struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

fn parts(token: &str) -> Result<Parts<'_>, String> {
    if token.len() > LARGEST {
        return Err("the token is too large to be one".to_owned());
    }
    let mut pieces = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (pieces.next(), pieces.next(), pieces.next(), pieces.next())
    else {
        return Err("the token does not have three parts".to_owned());
    };
    let signed = token.get(..header.len() + 1 + claims.len());
    Ok(Parts {
        signed: signed.ok_or("the token is cut off")?,
        header,
        claims,
        signature,
    })
}

fn decoded(text: &str, what: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| format!("{what} cannot be read: {error}"))
}

fn read<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, String> {
    serde_json::from_slice(&decoded(text, what)?)
        .map_err(|error| format!("{what} cannot be read: {error}"))
}

/// By whom a token says that it is. Nothing of it is verified: it tells only whose keys to ask for.
pub(crate) fn stated_issuer(token: &str) -> Result<String, String> {
    let found: IssuerWire = read(parts(token)?.claims, "what the token says")?;
    Ok(found.iss)
}

/// What a token says, if its signature holds by one of these keys.
pub(crate) fn verify(token: &str, keys: &str) -> Result<Verified, String> {
    let parts = parts(token)?;
    let header: TokenHeaderWire = read(parts.header, "the token's header")?;
    if header.alg != ALGORITHM {
        return Err(format!(
            "the token is signed by {:?}, and only {ALGORITHM} counts",
            header.alg
        ));
    }
    if header.crit.is_some() {
        return Err("the token asks for extensions that are not known here".to_owned());
    }
    let name = header.kid.ok_or("the token names no key")?;
    let key = key_named(keys, &name)?;
    let modulus = component(key.n.as_deref(), "modulus")?;
    let exponent = component(key.e.as_deref(), "exponent")?;
    let number = BigUint::from_bytes_be(&modulus);
    if number.bits() < SHORTEST_KEY {
        return Err(format!(
            "the key {name:?} has {} bits, and fewer than {SHORTEST_KEY} do not count",
            number.bits()
        ));
    }
    let public = RsaPublicKey::new(number, BigUint::from_bytes_be(&exponent))
        .map_err(|error| format!("the key {name:?} cannot be used: {error}"))?;
    let signature = decoded(parts.signature, "the token's signature")?;
    let holds = pkcs1v15::Signature::try_from(signature.as_slice()).is_ok_and(|signature| {
        let key = pkcs1v15::VerifyingKey::<Sha256>::new(public);
        key.verify(parts.signed.as_bytes(), &signature).is_ok()
    });
    if !holds {
        return Err(format!(
            "the token's signature does not hold by the key {name:?}"
        ));
    }
    Ok(Verified {
        claims: read(parts.claims, "what the token says")?,
        key: thumbprint(&exponent, &modulus),
    })
}

/// The one key of this name in a set. Two of one name are a set that nobody should rely on.
fn key_named(keys: &str, name: &str) -> Result<KeyWire, String> {
    if keys.len() > LARGEST {
        return Err("the issuer's keys are too large to be read".to_owned());
    }
    let set: KeySetWire = serde_json::from_str(keys)
        .map_err(|error| format!("the issuer's keys cannot be read: {error}"))?;
    let mut named = set
        .keys
        .into_iter()
        .filter(|key| key.kid.as_deref() == Some(name));
    let (Some(key), None) = (named.next(), named.next()) else {
        return Err(format!(
            "the issuer does not publish exactly one key {name:?}"
        ));
    };
    let is_for_signatures = key
        .purpose
        .as_deref()
        .is_none_or(|purpose| purpose == "sig");
    let is_for_this = key.alg.as_deref().is_none_or(|alg| alg == ALGORITHM);
    if key.kty != "RSA" || !is_for_signatures || !is_for_this {
        return Err(format!("the key {name:?} is not one for {ALGORITHM}"));
    }
    Ok(key)
}

fn component(text: Option<&str>, what: &str) -> Result<Vec<u8>, String> {
    let text = text.ok_or_else(|| format!("the key has no {what}"))?;
    decoded(text, &format!("the key's {what}"))
}

/// SHA-256 over a key's members, as RFC 7638 has it.
fn thumbprint(exponent: &[u8], modulus: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members = wire::encode_key_members(&encode(exponent), &encode(modulus));
    encode(&sha2::Sha256::digest(members))
}
