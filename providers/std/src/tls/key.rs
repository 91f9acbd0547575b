//! Private keys: RSA, elliptic curves, Ed25519.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use p256::elliptic_curve::rand_core::{CryptoRng, Error, RngCore};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::pkcs8::DecodePrivateKey as _;
use sec1::der::{Decode as _, Encode as _};
use sha2::{Digest, Sha256, Sha384, Sha512};
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, KeypairData, RsaKeypair};
use terrace_provider_sdk::{Diagnostic, Object};
use x509_cert::der::asn1::ObjectIdentifier;

use crate::Outside;
use crate::definition::Failure;

use super::{cannot, pem};

/// A private key.
pub(super) enum Key {
    Rsa(Box<RsaPrivateKey>),
    Ec(EcKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// A key of an elliptic curve: its secret number, as long as the curve's field.
pub(super) struct EcKey {
    pub(super) curve: Curve,
    secret: Vec<u8>,
}

/// An elliptic curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P224,
    P256,
    P384,
    P521,
}

/// What is the same for all curves, in the crate of each.
macro_rules! on_curve {
    ($curve:expr, $of:ident => $body:expr) => {
        match $curve {
            Curve::P224 => {
                use p224 as $of;
                $body
            }
            Curve::P256 => {
                use p256 as $of;
                $body
            }
            Curve::P384 => {
                use p384 as $of;
                $body
            }
            Curve::P521 => {
                use p521 as $of;
                $body
            }
        }
    };
}

impl Curve {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::P224, "P224", "1.3.132.0.33"),
        (Self::P256, "P256", "1.2.840.10045.3.1.7"),
        (Self::P384, "P384", "1.3.132.0.34"),
        (Self::P521, "P521", "1.3.132.0.35"),
    ];

    fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, own, _)| *own == name)?;
        Some(found.0)
    }

    fn with_id(id: &ObjectIdentifier) -> Option<Self> {
        let id = id.to_string();
        let found = Self::ALL.into_iter().find(|(_, _, own)| *own == id)?;
        Some(found.0)
    }

    fn id(self) -> ObjectIdentifier {
        super::der::oid(match self {
            Self::P224 => Self::ALL[0].2,
            Self::P256 => Self::ALL[1].2,
            Self::P384 => Self::ALL[2].2,
            Self::P521 => Self::ALL[3].2,
        })
    }

    /// The object identifier of the signatures that its keys make.
    pub(super) const fn signature_algorithm(self) -> &'static str {
        match self {
            Self::P224 | Self::P256 => "1.2.840.10045.4.3.2",
            Self::P384 => "1.2.840.10045.4.3.3",
            Self::P521 => "1.2.840.10045.4.3.4",
        }
    }
}

/// The engine's entropy as key generators want it.
struct Drawn<'o>(&'o Outside);

impl RngCore for Drawn<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.entropy.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Drawn<'_> {}

fn generation(why: impl std::fmt::Display) -> Failure {
    cannot("generate Key from configuration", why)
}

impl Key {
    /// A new key as `algorithm`, `rsa_bits` and `ecdsa_curve` say.
    pub(super) fn generate(config: &Object, outside: &Outside) -> Result<Self, Failure> {
        match config.text("algorithm").unwrap_or_default() {
            "RSA" => generate_rsa(config.whole("rsa_bits").unwrap_or(2048), outside),
            "ECDSA" => {
                let name = config.text("ecdsa_curve").unwrap_or("P224");
                let curve = Curve::named(name).ok_or_else(|| {
                    generation("invalid ECDSA curve; supported values are: [P224 P256 P384 P521]")
                })?;
                let mut drawn = Drawn(outside);
                let secret =
                    on_curve!(curve, of => of::SecretKey::random(&mut drawn).to_bytes().to_vec());
                Ok(Self::Ec(EcKey { curve, secret }))
            }
            "ED25519" => {
                let mut seed = [0; 32];
                outside.entropy.fill(&mut seed);
                let key = ed25519_dalek::SigningKey::from_bytes(&seed);
                Ok(Self::Ed25519(Box::new(key)))
            }
            other => Err(Diagnostic::error(
                "Invalid Key Algorithm",
                format!("Key Algorithm {other:?} is not supported"),
            )),
        }
    }

    /// Reads a key in PKCS #1, SEC 1 or PKCS #8.
    pub(super) fn from_pem(text: &str) -> Result<Self, String> {
        let (label, der) = pem::decode(text).ok_or_else(|| {
            format!(
                "failed to decode PEM block: decoded bytes 0, undecoded {}",
                text.len()
            )
        })?;
        let parsed = match label.as_str() {
            "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_der(&der)
                .ok()
                .map(|key| Self::Rsa(Box::new(key))),
            "EC PRIVATE KEY" => Self::from_sec1(&der, None),
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            other => {
                return Err(format!(
                    "unable to determine parser for PEM preamble: {other}"
                ));
            }
        };
        parsed.ok_or_else(|| format!("failed to parse private key given PEM preamble '{label}'"))
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let info = rsa::pkcs8::PrivateKeyInfo::from_der(der).ok()?;
        match info.algorithm.oid.to_string().as_str() {
            "1.2.840.113549.1.1.1" => RsaPrivateKey::from_pkcs8_der(der)
                .ok()
                .map(|key| Self::Rsa(Box::new(key))),
            "1.2.840.10045.2.1" => {
                let curve = Curve::with_id(&info.algorithm.parameters_oid().ok()?)?;
                Self::from_sec1(info.private_key, Some(curve))
            }
            "1.3.101.112" => ed25519_dalek::SigningKey::from_pkcs8_der(der)
                .ok()
                .map(|key| Self::Ed25519(Box::new(key))),
            _ => None,
        }
    }

    fn from_sec1(der: &[u8], curve: Option<Curve>) -> Option<Self> {
        let parsed = sec1::EcPrivateKey::from_der(der).ok()?;
        let named = || Curve::with_id(&parsed.parameters?.named_curve()?);
        let curve = curve.or_else(named)?;
        let secret = on_curve!(curve, of => of::SecretKey::from_slice(parsed.private_key)
            .ok()?
            .to_bytes()
            .to_vec());
        Some(Self::Ec(EcKey { curve, secret }))
    }

    /// Reads a key as OpenSSH writes it.
    pub(super) fn from_openssh(text: &str) -> Result<Self, String> {
        let failed = |why: String| format!("failed to parse openssh private key: {why}");
        if !text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
            return Self::from_pem(text).map_err(failed);
        }
        let parsed = ssh_key::PrivateKey::from_openssh(text.trim_start())
            .map_err(|error| failed(error.to_string()))?;
        let key = match parsed.key_data() {
            KeypairData::Rsa(pair) => rsa_of(pair)
                .map(|key| Self::Rsa(Box::new(key)))
                .ok_or_else(|| failed("its numbers make no RSA key".into()))?,
            KeypairData::Ed25519(pair) => Self::Ed25519(Box::new(
                ed25519_dalek::SigningKey::from_bytes(&pair.private.to_bytes()),
            )),
            KeypairData::Ecdsa(pair) => {
                let curve = match pair {
                    EcdsaKeypair::NistP256 { .. } => Curve::P256,
                    EcdsaKeypair::NistP384 { .. } => Curve::P384,
                    EcdsaKeypair::NistP521 { .. } => Curve::P521,
                };
                Self::Ec(EcKey {
                    curve,
                    secret: pair.private_key_bytes().to_vec(),
                })
            }
            _ => return Err(failed("its algorithm is not supported".into())),
        };
        Ok(key)
    }

    /// Its algorithm as configurations name it.
    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::Ec(_) => "ECDSA",
            Self::Ed25519(_) => "ED25519",
        }
    }

    /// PKCS #1 or SEC 1, or PKCS #8 for what has nothing older.
    pub(super) fn to_pem(&self) -> Result<String, Failure> {
        let failed = |why: String| cannot("encode key to PEM", why);
        match self {
            Self::Rsa(key) => {
                let der = key
                    .to_pkcs1_der()
                    .map_err(|error| failed(error.to_string()))?;
                Ok(pem::encode("RSA PRIVATE KEY", der.as_bytes()))
            }
            Self::Ec(key) => Ok(pem::encode("EC PRIVATE KEY", &key.to_sec1(true)?)),
            Self::Ed25519(_) => self.to_pkcs8_pem(),
        }
    }

    /// PKCS #8.
    pub(super) fn to_pkcs8_pem(&self) -> Result<String, Failure> {
        let failed = |why: String| cannot("encode private key to PKCS#8 PEM", why);
        let der = match self {
            Self::Rsa(key) => {
                use rsa::pkcs8::EncodePrivateKey as _;
                let der = key
                    .to_pkcs8_der()
                    .map_err(|error| failed(error.to_string()))?;
                der.as_bytes().to_vec()
            }
            Self::Ec(key) => {
                let inner = key.to_sec1(false)?;
                let curve = key.curve.id();
                let algorithm = rsa::pkcs8::AlgorithmIdentifierRef {
                    oid: super::der::oid("1.2.840.10045.2.1"),
                    parameters: Some((&curve).into()),
                };
                rsa::pkcs8::PrivateKeyInfo::new(algorithm, &inner)
                    .to_der()
                    .map_err(|error| failed(error.to_string()))?
            }
            Self::Ed25519(key) => {
                let bytes = ed25519_dalek::pkcs8::KeypairBytes {
                    secret_key: key.to_bytes(),
                    public_key: None,
                };
                let der = bytes
                    .to_pkcs8_der()
                    .map_err(|error| failed(error.to_string()))?;
                der.as_bytes().to_vec()
            }
        };
        Ok(pem::encode("PRIVATE KEY", &der))
    }

    /// The public key, as `SubjectPublicKeyInfo`.
    pub(super) fn public_der(&self) -> Result<Vec<u8>, Failure> {
        let der = match self {
            Self::Rsa(key) => {
                use rsa::pkcs8::EncodePublicKey as _;
                key.to_public_key().to_public_key_der()
            }
            Self::Ec(key) => on_curve!(key.curve, of => of::SecretKey::from_slice(&key.secret)
                .map_err(|error| cannot("read the key", error))?
                .public_key()
                .to_public_key_der()),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        der.map(|der| der.as_bytes().to_vec())
            .map_err(|error| cannot("marshal public key", error))
    }

    /// As OpenSSH holds it; `None` for what it does not know.
    pub(super) fn to_openssh(&self) -> Option<ssh_key::PrivateKey> {
        let data = match self {
            Self::Rsa(key) => KeypairData::from(RsaKeypair::try_from(&**key).ok()?),
            Self::Ec(key) => KeypairData::from(key.to_openssh()?),
            Self::Ed25519(key) => KeypairData::from(Ed25519Keypair::from(&**key)),
        };
        ssh_key::PrivateKey::new(data, "").ok()
    }

    /// A signature as certificates hold it.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        use rsa::signature::{SignatureEncoding as _, Signer as _};
        let failed = |error: rsa::signature::Error| cannot("sign", error);
        Ok(match self {
            Self::Rsa(key) => {
                let signer = rsa::pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
                signer.try_sign(bytes).map_err(failed)?.to_vec()
            }
            Self::Ec(key) => key.sign(bytes).map_err(failed)?,
            Self::Ed25519(key) => key.try_sign(bytes).map_err(failed)?.to_bytes().to_vec(),
        })
    }
}

/// A key of any size: `ssh-key` itself converts none of less than 2048 bits.
fn rsa_of(pair: &RsaKeypair) -> Option<RsaPrivateKey> {
    let number = |of: &ssh_key::Mpint| Some(rsa::BigUint::from_bytes_be(of.as_positive_bytes()?));
    let (public, private) = (&pair.public, &pair.private);
    let primes = vec![number(&private.p)?, number(&private.q)?];
    RsaPrivateKey::from_components(
        number(&public.n)?,
        number(&public.e)?,
        number(&private.d)?,
        primes,
    )
    .ok()
}

fn generate_rsa(bits: i64, outside: &Outside) -> Result<Key, Failure> {
    let size = match bits {
        2048 => Some(KeySize::Rsa2048),
        3072 => Some(KeySize::Rsa3072),
        4096 => Some(KeySize::Rsa4096),
        8192 => Some(KeySize::Rsa8192),
        _ => None,
    };
    let key = match size {
        // The sizes that are asked for are made by the library that is quick at it, from the system's own entropy.
        Some(size) => {
            let pair = KeyPair::generate(size).map_err(generation)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(generation)?;
            RsaPrivateKey::from_pkcs8_der(der.as_ref()).map_err(generation)?
        }
        None if (1024..=16_384).contains(&bits) => {
            let bits = usize::try_from(bits).map_err(generation)?;
            RsaPrivateKey::new(&mut Drawn(outside), bits).map_err(generation)?
        }
        None => {
            return Err(generation(format!(
                "crypto/rsa: {bits}-bit keys are insecure or too large: between 1024 and 16384 bits are wanted"
            )));
        }
    };
    Ok(Key::Rsa(Box::new(key)))
}

impl EcKey {
    fn to_sec1(&self, with_curve: bool) -> Result<Vec<u8>, Failure> {
        use p256::elliptic_curve::sec1::ToEncodedPoint as _;
        let point = on_curve!(self.curve, of => of::SecretKey::from_slice(&self.secret)
            .map_err(|error| cannot("read the key", error))?
            .public_key()
            .to_encoded_point(false)
            .as_bytes()
            .to_vec());
        let curve = sec1::EcParameters::NamedCurve(self.curve.id());
        sec1::EcPrivateKey {
            private_key: &self.secret,
            parameters: with_curve.then_some(curve),
            public_key: Some(&point),
        }
        .to_der()
        .map_err(|error| cannot("encode key to PEM", error))
    }

    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, rsa::signature::Error> {
        use rsa::signature::hazmat::PrehashSigner as _;
        let digest = match self.curve {
            Curve::P224 | Curve::P256 => Sha256::digest(bytes).to_vec(),
            Curve::P384 => Sha384::digest(bytes).to_vec(),
            Curve::P521 => Sha512::digest(bytes).to_vec(),
        };
        on_curve!(self.curve, of => {
            let signer = of::ecdsa::SigningKey::from_slice(&self.secret)?;
            let signature: of::ecdsa::Signature = signer.sign_prehash(&digest)?;
            Ok(signature.to_der().as_bytes().to_vec())
        })
    }

    fn to_openssh(&self) -> Option<EcdsaKeypair> {
        Some(match self.curve {
            Curve::P224 => return None,
            Curve::P256 => {
                let secret = p256::SecretKey::from_slice(&self.secret).ok()?;
                EcdsaKeypair::NistP256 {
                    public: secret.public_key().into(),
                    private: secret.into(),
                }
            }
            Curve::P384 => {
                let secret = p384::SecretKey::from_slice(&self.secret).ok()?;
                EcdsaKeypair::NistP384 {
                    public: secret.public_key().into(),
                    private: secret.into(),
                }
            }
            Curve::P521 => {
                let secret = p521::SecretKey::from_slice(&self.secret).ok()?;
                EcdsaKeypair::NistP521 {
                    public: secret.public_key().into(),
                    private: secret.into(),
                }
            }
        })
    }
}
