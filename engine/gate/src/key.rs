//! Private keys in OpenSSH's format.

use rsa::signature::{SignatureEncoding as _, Signer as _};
use ssh_key::private::KeypairData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig};
use terrace_port::Signer;

use crate::approval::ApprovalError;

/// A private key that is open: it signs.
pub struct SshKey(PrivateKey);

impl std::fmt::Debug for SshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SshKey({})", Signer::public_key(self))
    }
}

impl SshKey {
    /// Reads a private key, and opens it with its passphrase where it has one.
    ///
    /// # Errors
    /// [`ApprovalError::EncryptedKey`] where a passphrase is needed and none is given, [`ApprovalError::Passphrase`] where
    /// it is another one, [`ApprovalError::Hardware`] where the key itself is in a security device.
    pub fn open(text: &str, passphrase: Option<&str>) -> Result<Self, ApprovalError> {
        let key = PrivateKey::from_openssh(text)
            .map_err(|error| ApprovalError::Key(error.to_string()))?;
        let is_hardware = matches!(
            key.algorithm(),
            Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
        );
        if is_hardware {
            return Err(ApprovalError::Hardware);
        }
        if !key.is_encrypted() {
            return Ok(Self(key));
        }
        let passphrase = passphrase.ok_or(ApprovalError::EncryptedKey)?;
        match key.decrypt(passphrase) {
            Ok(open) => Ok(Self(open)),
            Err(ssh_key::Error::Crypto) => Err(ApprovalError::Passphrase),
            Err(error) => Err(ApprovalError::Key(error.to_string())),
        }
    }
}

impl Signer for SshKey {
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, String> {
        signature_of(&self.0, namespace, message)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|error| error.to_string())
    }

    fn public_key(&self) -> String {
        // A key that was read can be written.
        self.0.public_key().to_openssh().unwrap_or_default()
    }
}

/// The public half of a private or a public key, in one line of OpenSSH's format, whether or not a passphrase protects it.
///
/// # Errors
/// [`ApprovalError::Key`] where it is neither.
pub fn public_key_of(key: &str) -> Result<String, ApprovalError> {
    public_half(key)?
        .to_openssh()
        .map_err(|error| ApprovalError::Key(error.to_string()))
}

pub(crate) fn public_half(key: &str) -> Result<PublicKey, ApprovalError> {
    if let Ok(public) = PublicKey::from_openssh(key.trim()) {
        return Ok(public);
    }
    PrivateKey::from_openssh(key)
        .map(|key| key.public_key().clone())
        .map_err(|error| ApprovalError::Key(error.to_string()))
}

/// Signs with any key but one of RSA through `ssh-key`, which as of 0.6.7 puts one prime of an RSA key in place of both.
fn signature_of(key: &PrivateKey, namespace: &str, message: &[u8]) -> ssh_key::Result<SshSig> {
    let KeypairData::Rsa(pair) = key.key_data() else {
        return key.sign(namespace, HashAlg::Sha512, message);
    };
    let (public, private) = (&pair.public, &pair.private);
    let primes = vec![
        rsa::BigUint::try_from(&private.p)?,
        rsa::BigUint::try_from(&private.q)?,
    ];
    let private = rsa::RsaPrivateKey::from_components(
        rsa::BigUint::try_from(&public.n)?,
        rsa::BigUint::try_from(&public.e)?,
        rsa::BigUint::try_from(&private.d)?,
        primes,
    )?;
    let signed = SshSig::signed_data(namespace, HashAlg::Sha512, message)?;
    let signature =
        rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha512>::new(private).try_sign(&signed)?;
    let algorithm = Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    };
    let signature = Signature::new(algorithm, signature.to_vec())?;
    let public = key.public_key().key_data().clone();
    SshSig::new(public, namespace, HashAlg::Sha512, signature)
}
