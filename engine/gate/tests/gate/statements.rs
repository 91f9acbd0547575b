//! Signed statements: made, opened, and refused when anything about them was changed.
#![expect(
    clippy::disallowed_methods,
    reason = "OpenSSH's own tool is asked about our signatures"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use terrace_gate::{
    APPROVAL_NAMESPACE, Approval, ApprovalError, Authorship, SshKey, Statement, fingerprint_of,
    open_payload, sign_approval, sign_authorship, sign_payload, sign_statement,
};

use crate::support::{ECDSA, ED25519, ENCRYPTED, RSA, key, plan};

fn statement() -> Statement {
    Statement {
        plan: plan(Some("prd"), "").digest(),
        environment: "prd".into(),
        change: "normal".into(),
        signed_at: 1_700_000_000,
        expires_at: Some(1_700_086_400),
        comment: "looked at every line\n\"twice\"".into(),
    }
}

#[test]
fn every_kind_of_key_signs_what_is_opened() {
    for (kind, key) in [("ed25519", ED25519), ("ecdsa", ECDSA), ("rsa", RSA)] {
        let envelope = sign_approval(key, &statement()).unwrap();
        let opened = Approval::open(&envelope).unwrap();
        assert_eq!(opened.statement, statement(), "{kind}");
        assert_eq!(opened.fingerprint, fingerprint_of(key).unwrap(), "{kind}");
        let envelope = sign_authorship(key, &statement()).unwrap();
        assert_eq!(
            Authorship::open(&envelope).unwrap().statement,
            statement(),
            "{kind}"
        );
    }
}

#[test]
fn the_fingerprint_is_that_of_the_public_key() {
    let public = ssh_key::PrivateKey::from_openssh(ED25519)
        .unwrap()
        .public_key()
        .to_openssh()
        .unwrap();
    assert_eq!(
        fingerprint_of(&public).unwrap(),
        fingerprint_of(ED25519).unwrap()
    );
    assert!(fingerprint_of(ED25519).unwrap().starts_with("SHA256:"));
}

#[test]
fn keys_that_cannot_sign_are_refused_with_the_reason() {
    assert_eq!(
        sign_approval(ENCRYPTED, &statement()),
        Err(ApprovalError::EncryptedKey)
    );
    assert_eq!(
        SshKey::open(ENCRYPTED, Some("other")).unwrap_err(),
        ApprovalError::Passphrase
    );
    let error = sign_approval("not a key", &statement()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the SSH key cannot be read: "),
        "{error}"
    );
    assert!(fingerprint_of("not a key").is_err());
}

#[test]
fn a_passphrase_opens_its_key() {
    let key = SshKey::open(ENCRYPTED, Some("secret")).unwrap();
    let envelope = sign_statement(&key, APPROVAL_NAMESPACE, &statement()).unwrap();
    let opened = Approval::open(&envelope).unwrap();
    // The public half is readable without it.
    assert_eq!(opened.fingerprint, fingerprint_of(ENCRYPTED).unwrap());
}

#[test]
fn an_approval_is_no_authorship_and_the_other_way_round() {
    let approval = sign_approval(ED25519, &statement()).unwrap();
    let authorship = sign_authorship(ED25519, &statement()).unwrap();
    assert!(matches!(
        Authorship::open(&approval),
        Err(ApprovalError::Envelope(_))
    ));
    assert!(matches!(
        Approval::open(&authorship),
        Err(ApprovalError::Envelope(_))
    ));
    // Not even when the envelope is relabelled: the signature covers the type, and names its namespace.
    let mut relabelled: Value = serde_json::from_slice(&authorship).unwrap();
    relabelled["payloadType"] = "application/vnd.terrace-approval+json".into();
    let bytes = serde_json::to_vec(&relabelled).unwrap();
    assert!(matches!(
        Approval::open(&bytes),
        Err(ApprovalError::Signature(_))
    ));
}

#[test]
fn a_changed_payload_does_not_hold() {
    let envelope = sign_approval(ED25519, &statement()).unwrap();
    let mut json: Value = serde_json::from_slice(&envelope).unwrap();
    let payload = STANDARD.decode(json["payload"].as_str().unwrap()).unwrap();
    for place in (0..payload.len()).step_by(5) {
        let mut changed = payload.clone();
        changed[place] ^= 1;
        json["payload"] = STANDARD.encode(&changed).into();
        let opened = Approval::open(&serde_json::to_vec(&json).unwrap());
        assert!(
            matches!(opened, Err(ApprovalError::Signature(_))),
            "byte {place}: {opened:?}"
        );
    }
}

#[test]
fn another_keys_signature_does_not_hold_and_damage_is_told() {
    let envelope = sign_approval(ED25519, &statement()).unwrap();
    let other = Statement {
        comment: "another".into(),
        ..statement()
    };
    let stranger: Value = serde_json::from_slice(&sign_approval(&key(9), &other).unwrap()).unwrap();
    let mut json: Value = serde_json::from_slice(&envelope).unwrap();
    json["signatures"][0]["sig"] = stranger["signatures"][0]["sig"].clone();
    let opened = Approval::open(&serde_json::to_vec(&json).unwrap());
    assert!(
        matches!(opened, Err(ApprovalError::Signature(_))),
        "{opened:?}"
    );

    for bytes in [&b""[..], b"{}", b"null", &envelope[..envelope.len() - 1]] {
        assert!(matches!(
            Approval::open(bytes),
            Err(ApprovalError::Envelope(_))
        ));
    }
    json["signatures"] = Value::Array(Vec::new());
    let error = Approval::open(&serde_json::to_vec(&json).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signed statement cannot be read: it does not hold exactly one signature"
    );
}

/// What DSSE says is signed: written here once more, from its description.
fn signed_message(envelope: &Value) -> Vec<u8> {
    let kind = envelope["payloadType"].as_str().unwrap();
    let payload = STANDARD
        .decode(envelope["payload"].as_str().unwrap())
        .unwrap();
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(&payload);
    message
}

#[test]
fn ssh_keygen_alone_verifies_our_signatures() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        println!("SKIPPED: ssh-keygen is not installed");
        return;
    }
    for (kind, key) in [("ed25519", ED25519), ("ecdsa", ECDSA), ("rsa", RSA)] {
        let envelope: Value =
            serde_json::from_slice(&sign_approval(key, &statement()).unwrap()).unwrap();
        let signature = STANDARD
            .decode(envelope["signatures"][0]["sig"].as_str().unwrap())
            .unwrap();
        let public = ssh_key::PrivateKey::from_openssh(key)
            .unwrap()
            .public_key()
            .to_openssh()
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let signers = directory.path().join("allowed_signers");
        let signature_file = directory.path().join("signature");
        std::fs::write(
            &signers,
            format!("ann namespaces=\"{APPROVAL_NAMESPACE}\" {public}\n"),
        )
        .unwrap();
        std::fs::write(&signature_file, signature).unwrap();
        let verify = |message: &[u8]| {
            let mut child = Command::new("ssh-keygen")
                .args(["-Y", "verify", "-I", "ann", "-n", APPROVAL_NAMESPACE])
                .arg("-f")
                .arg(&signers)
                .arg("-s")
                .arg(&signature_file)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // Where it refuses before it has read, it does not read.
            child.stdin.take().unwrap().write_all(message).ok();
            child.wait().unwrap().success()
        };
        let mut message = signed_message(&envelope);
        assert!(verify(&message), "{kind}");
        message.push(b' ');
        assert!(!verify(&message), "{kind}");
    }
}

#[test]
fn payloads_of_others_are_signed_by_type_and_namespace() {
    let kind = "application/vnd.in-toto+json";
    for key in [ED25519, ECDSA, RSA] {
        let signer = SshKey::open(key, None).unwrap();
        let envelope = sign_payload(&signer, "terrace-module", kind, b"{}").unwrap();
        let opened = open_payload(&envelope, "terrace-module", kind).unwrap();
        assert_eq!(opened.payload, b"{}");
        assert_eq!(opened.fingerprint, fingerprint_of(key).unwrap());
        assert_eq!(
            fingerprint_of(&opened.public_key).unwrap(),
            opened.fingerprint
        );
        assert!(matches!(
            open_payload(&envelope, "terrace-other", kind),
            Err(ApprovalError::Signature(_))
        ));
        assert!(matches!(
            open_payload(&envelope, "terrace-module", "application/json"),
            Err(ApprovalError::Envelope(_))
        ));
        let mut changed: Value = serde_json::from_slice(&envelope).unwrap();
        changed["payload"] = STANDARD.encode("{} ").into();
        let changed = serde_json::to_vec(&changed).unwrap();
        assert!(matches!(
            open_payload(&changed, "terrace-module", kind),
            Err(ApprovalError::Signature(_))
        ));
    }
}
