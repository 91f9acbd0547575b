//! Signatures of security devices, which software stands in for here: flags and a counter are among what is signed.
#![expect(
    clippy::disallowed_methods,
    reason = "OpenSSH's own tool is asked about the same signatures"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::signature::Signer as _;
use sha2::{Digest as _, Sha256};
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, PrivateKey, PublicKey, Signature, SshSig};
use terrace_gate::{
    APPROVAL_NAMESPACE, Approval, ApprovalError, SshKey, Statement, fingerprint_of, sign_statement,
};
use terrace_port::Signer;

use crate::support::{ECDSA, plan};

const APPLICATION: &str = "ssh:";
const TOUCHED: u8 = 0x01;

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes()[..], bytes].concat()
}

/// A device in software: by what it signs, its public key as SSH encodes it, and whether it says that it was touched.
struct Device {
    kind: &'static str,
    pair: KeypairData,
    flags: u8,
}

impl Device {
    fn ed25519(flags: u8) -> Self {
        Self {
            kind: "sk-ssh-ed25519@openssh.com",
            pair: KeypairData::from(Ed25519Keypair::from_seed(&[42; 32])),
            flags,
        }
    }

    fn ecdsa(flags: u8) -> Self {
        let key = PrivateKey::from_openssh(ECDSA).unwrap();
        Self {
            kind: "sk-ecdsa-sha2-nistp256@openssh.com",
            pair: key.key_data().clone(),
            flags,
        }
    }

    fn public_bytes(&self) -> Vec<u8> {
        let middle = match &self.pair {
            KeypairData::Ed25519(pair) => string(&pair.public.0),
            KeypairData::Ecdsa(EcdsaKeypair::NistP256 { public, .. }) => {
                [string(b"nistp256"), string(public.as_bytes())].concat()
            }
            _ => panic!("no such device"),
        };
        [
            string(self.kind.as_bytes()),
            middle,
            string(APPLICATION.as_bytes()),
        ]
        .concat()
    }
}

impl Signer for Device {
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, String> {
        let data = SshSig::signed_data(namespace, HashAlg::Sha512, message).unwrap();
        let counter = 7_u32.to_be_bytes();
        let signed = [
            &Sha256::digest(APPLICATION)[..],
            &[self.flags],
            &counter,
            &Sha256::digest(&data),
        ]
        .concat();
        let signature: Signature = self.pair.try_sign(&signed).unwrap();
        let blob = [
            string(self.kind.as_bytes()),
            string(signature.as_bytes()),
            vec![self.flags],
            counter.to_vec(),
        ]
        .concat();
        let bytes = [
            &b"SSHSIG"[..],
            &1_u32.to_be_bytes(),
            &string(&self.public_bytes()),
            &string(namespace.as_bytes()),
            &string(b""),
            &string(b"sha512"),
            &string(&blob),
        ]
        .concat();
        let lines: Vec<String> = STANDARD
            .encode(bytes)
            .as_bytes()
            .chunks(70)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        Ok(format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
            lines.join("\n")
        ))
    }

    fn public_key(&self) -> String {
        let key = PublicKey::from_bytes(&self.public_bytes()).unwrap();
        key.to_openssh().unwrap()
    }
}

fn statement() -> Statement {
    Statement {
        plan: plan(Some("prd"), "").digest(),
        environment: "prd".into(),
        change: "normal".into(),
        signed_at: 1_700_000_000,
        expires_at: None,
        comment: String::new(),
    }
}

/// What `ssh-keygen` says of an approval; `None` where there is none.
fn keygen_accepts(device: &Device, envelope: &[u8]) -> Option<bool> {
    Command::new("ssh-keygen").arg("-?").output().ok()?;
    let parts = Approval::parts(envelope).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let signers = file("signers", &format!("ann {}\n", device.public_key()));
    let signature = file("signature", &parts.signature);
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "ann", "-n", APPROVAL_NAMESPACE])
        .arg("-f")
        .arg(signers)
        .arg("-s")
        .arg(signature)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Where it refuses before it has read, it does not read.
    child.stdin.take().unwrap().write_all(&parts.message).ok();
    Some(child.wait().unwrap().success())
}

#[test]
fn a_touched_device_signs_as_openssh_says() {
    for make in [Device::ed25519, Device::ecdsa] {
        let device = make(TOUCHED);
        let envelope = sign_statement(&device, APPROVAL_NAMESPACE, &statement()).unwrap();
        let opened = Approval::open(&envelope).unwrap();
        assert_eq!(opened.statement, statement());
        let fingerprint = fingerprint_of(&device.public_key()).unwrap();
        assert_eq!(opened.fingerprint, fingerprint);
        match keygen_accepts(&device, &envelope) {
            None => println!("SKIPPED the comparison: ssh-keygen is not installed"),
            Some(accepts) => assert!(accepts, "{}", device.kind),
        }
    }
}

#[test]
fn a_device_that_nobody_touched_approves_nothing() {
    // Verified by a person is not touched by one.
    for flags in [0, 0x04] {
        for make in [Device::ed25519, Device::ecdsa] {
            let device = make(flags);
            let envelope = sign_statement(&device, APPROVAL_NAMESPACE, &statement()).unwrap();
            let refused = Approval::open(&envelope).unwrap_err().to_string();
            assert!(refused.contains("nobody touched"), "{refused}");
        }
    }
}

#[test]
fn flags_and_counter_are_among_what_is_signed() {
    for make in [Device::ed25519, Device::ecdsa] {
        let envelope = sign_statement(&make(0), APPROVAL_NAMESPACE, &statement()).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
        let armored = STANDARD
            .decode(json["signatures"][0]["sig"].as_str().unwrap())
            .unwrap();
        let armored = String::from_utf8(armored).unwrap();
        let body: String = armored
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let bytes = STANDARD.decode(body).unwrap();
        // The last five are the flags and the counter.
        for (place, change) in [(5, TOUCHED), (1, 1)] {
            let mut bytes = bytes.clone();
            let at = bytes.len() - place;
            bytes[at] ^= change;
            let text = STANDARD.encode(&bytes);
            let armored = format!(
                "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
                text.as_bytes()
                    .chunks(70)
                    .map(|line| String::from_utf8(line.to_vec()).unwrap())
                    .collect::<Vec<_>>()
                    .join("\n")
            );
            json["signatures"][0]["sig"] = STANDARD.encode(armored).into();
            let opened = Approval::open(&serde_json::to_vec(&json).unwrap());
            assert!(
                matches!(&opened, Err(ApprovalError::Signature(why)) if !why.contains("touched")),
                "{opened:?}"
            );
        }
    }
}

#[test]
fn a_key_in_a_device_is_not_signed_with_from_its_file() {
    // The file of such a key has a handle in place of the private half.
    let handle = include_str!("keys/device");
    assert_eq!(
        SshKey::open(handle, None).unwrap_err(),
        ApprovalError::Hardware
    );
    assert!(fingerprint_of(handle).unwrap().starts_with("SHA256:"));
}
