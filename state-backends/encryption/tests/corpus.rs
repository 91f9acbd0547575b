//! States that OpenTofu 1.12.6 encrypted decrypt to what they were; with another key, or damaged, they are refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "the corpus lies in files")]

mod support;

use std::path::{Path, PathBuf};

use support::{open, services, settings_of_file};
use terrace_encryption::{Encryption, EncryptionError, Standing};

fn corpus() -> Vec<PathBuf> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/encryption");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("the corpus is there")
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 3, "{cases:?}");
    cases
}

fn encryption(case: &Path) -> Encryption {
    encryption_of(&std::fs::read_to_string(case.join("main.tf")).unwrap())
}

fn encryption_of(text: &str) -> Encryption {
    let (settings, problems) = settings_of_file(text);
    assert!(problems.is_empty(), "{problems:?}");
    let (encryption, problems) = open(&settings, &services(1));
    assert!(problems.is_empty(), "{problems:?}");
    encryption
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn every_file_decrypts_to_its_plaintext() {
    for case in corpus() {
        let cipher = encryption(&case).state().unwrap().clone();
        let encrypted = std::fs::read(case.join("terraform.tfstate")).unwrap();
        let opened = cipher.decrypt_state(&encrypted).await.unwrap();
        let plaintext = std::fs::read(case.join("plaintext.json")).unwrap();
        assert_eq!(json(&opened.bytes), json(&plaintext), "{case:?}");
        assert_eq!(opened.standing, Standing::Current, "{case:?}");
        // And what is encrypted again, by another process with the same settings, is the same state.
        let again = encryption(&case)
            .state()
            .unwrap()
            .encrypt_state(&opened.bytes)
            .await
            .unwrap();
        assert_ne!(again, encrypted);
        assert_eq!(json(&again)["lineage"], json(&encrypted)["lineage"]);
        assert_eq!(json(&again)["serial"], json(&encrypted)["serial"]);
        let opened_again = cipher.decrypt_state(&again).await.unwrap();
        assert_eq!(opened_again.bytes, opened.bytes);
    }
}

#[tokio::test]
async fn another_passphrase_is_refused() {
    for case in corpus() {
        let text = std::fs::read_to_string(case.join("main.tf")).unwrap();
        let other = text
            .replace(
                "correct-horse-battery-staple",
                "correct-horse-battery-stable",
            )
            .replace("another-passphrase-of", "any-other-passphrase-of");
        assert_ne!(text, other);
        let encrypted = std::fs::read(case.join("terraform.tfstate")).unwrap();
        let cipher = encryption_of(&other).state().unwrap().clone();
        let error = cipher.decrypt_state(&encrypted).await.unwrap_err();
        assert!(matches!(error, EncryptionError::Refused(_)), "{error:?}");
        let told = error.to_string();
        assert!(
            told.contains("no configured method can decrypt it")
                && told.contains("method.aes_gcm.m cannot decrypt the data: the key is another one, or the data was changed."),
            "{told}"
        );
    }
}

/// Each byte of a file, changed, is found: but for white space and, in base64, bits that mean nothing.
#[tokio::test]
async fn damage_is_refused_wherever_it_is() {
    let case = &corpus()[0];
    let cipher = encryption(case).state().unwrap().clone();
    let encrypted = std::fs::read(case.join("terraform.tfstate")).unwrap();
    let plain = cipher.decrypt_state(&encrypted).await.unwrap().bytes;
    let data = encrypted
        .windows(16)
        .position(|window| window == b"\"encrypted_data\"")
        .unwrap();
    let mut refused = 0;
    for at in (data + 19..encrypted.len()).step_by(7) {
        let mut damaged = encrypted.clone();
        damaged[at] ^= 1;
        match cipher.decrypt_state(&damaged).await {
            Ok(opened) => assert_eq!(opened.bytes, plain, "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100, "{refused}");
    for length in (1..encrypted.len() - 2).step_by(41) {
        assert!(cipher.decrypt_state(&encrypted[..length]).await.is_err());
    }
}

#[tokio::test]
async fn an_outside_of_another_state_is_refused() {
    let case = &corpus()[1];
    let cipher = encryption(case).state().unwrap().clone();
    let encrypted = std::fs::read_to_string(case.join("terraform.tfstate")).unwrap();
    let newer = encrypted.replacen("\"serial\": 1", "\"serial\": 7", 1);
    assert_ne!(newer, encrypted);
    let error = cipher.decrypt_state(newer.as_bytes()).await.unwrap_err();
    assert!(matches!(error, EncryptionError::Damaged(_)), "{error:?}");
    let unknown = encrypted.replacen("\"v0\"", "\"v9\"", 1);
    let error = cipher.decrypt_state(unknown.as_bytes()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "The data is encrypted in version \"v9\" of the format, and this version of Terrace knows \"v0\"."
    );
}

#[tokio::test]
async fn metadata_that_asks_for_too_much_is_refused() {
    use base64::Engine as _;
    let case = &corpus()[1];
    let cipher = encryption(case).state().unwrap().clone();
    let encrypted = std::fs::read(case.join("terraform.tfstate")).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD;
    for metadata in [
        r#"{"salt":"AAAA","iterations":4294967295,"hash_function":"sha512","key_length":32}"#,
        r#"{"salt":"AAAA","iterations":1,"hash_function":"sha512","key_length":32}"#,
        r#"{"salt":"AAAA","iterations":600000,"hash_function":"md5","key_length":32}"#,
        r#"{"salt":"AAAA","iterations":600000,"hash_function":"sha512","key_length":1000000000}"#,
        r#"{"salt":"~","iterations":600000,"hash_function":"sha512","key_length":32}"#,
        "nonsense",
    ] {
        let mut envelope = json(&encrypted);
        envelope["meta"]["key_provider.pbkdf2.k"] = base64.encode(metadata).into();
        let error = cipher
            .decrypt_state(envelope.to_string().as_bytes())
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("key_provider.pbkdf2.k is damaged"),
            "{error}"
        );
    }
}
