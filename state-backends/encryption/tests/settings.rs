//! What an `encryption` block may say, and what is told of one that is wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{open, right, services, settings, wrong};
use terrace_encryption::{EncryptionError, Standing};

const PLAIN: &str = r#"{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l"}"#;

const KMS: &str = r#"
key_provider "aws_kms" "k" {
  kms_key_id = "x"
  key_spec   = "AES_256"
  endpoints {
    kms = "http://127.0.0.1"
  }
}
method "aes_gcm" "m" {
  keys = key_provider.aws_kms.k
}
method "unencrypted" "u" {}
"#;

#[tokio::test]
async fn plain_data_is_read_only_where_a_method_says_so() {
    let strict = right(&format!("{KMS} state {{\n method = method.aes_gcm.m\n}}"));
    let error = strict
        .state()
        .unwrap()
        .decrypt_state(PLAIN.as_bytes())
        .await
        .unwrap_err();
    assert!(matches!(error, EncryptionError::Refused(_)), "{error:?}");
    let migrating = right(&format!(
        "{KMS} state {{\n method = method.aes_gcm.m\n fallback {{\n method = method.unencrypted.u\n}}\n}}"
    ));
    let cipher = migrating.state().unwrap();
    let opened = cipher.decrypt_state(PLAIN.as_bytes()).await.unwrap();
    assert_eq!(opened.standing, Standing::Old);
    let sealed = cipher.encrypt_state(&opened.bytes).await.unwrap();
    assert!(terrace_encryption::is_encrypted(&sealed));
    assert_eq!(
        cipher.decrypt_state(&sealed).await.unwrap().standing,
        Standing::Current
    );
    // The way back.
    let leaving = right(&format!(
        "{KMS} state {{\n method = method.unencrypted.u\n fallback {{\n method = method.aes_gcm.m\n}}\n}}"
    ));
    let cipher = leaving.state().unwrap();
    let opened = cipher.decrypt_state(&sealed).await.unwrap();
    assert_eq!(opened.standing, Standing::Old);
    assert_eq!(
        cipher.encrypt_state(&opened.bytes).await.unwrap(),
        PLAIN.as_bytes()
    );
    assert_eq!(
        cipher
            .decrypt_state(PLAIN.as_bytes())
            .await
            .unwrap()
            .standing,
        Standing::Current
    );
    // What is no state is none, encrypted or not.
    let error = cipher.decrypt_state(b"{}").await.unwrap_err();
    assert!(matches!(error, EncryptionError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_renamed_key_provider_needs_its_alias() {
    let named = |name: &str, alias: &str| {
        right(&format!(
            "key_provider \"gcp_kms\" {name:?} {{\n kms_encryption_key = \"x\"\n key_length = 32\n {alias}\n}}\nmethod \"aes_gcm\" \"m\" {{\n keys = key_provider.gcp_kms.{name}\n}}\nstate {{\n method = method.aes_gcm.m\n}}"
        ))
    };
    let before = named("old", "");
    let sealed = before
        .state()
        .unwrap()
        .encrypt_state(PLAIN.as_bytes())
        .await
        .unwrap();
    let renamed = named("new", "");
    let error = renamed
        .state()
        .unwrap()
        .decrypt_state(&sealed)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("The data holds nothing of key_provider.gcp_kms.new: it was encrypted with key_provider.gcp_kms.old."),
        "{error}"
    );
    let with_alias = named(
        "new",
        "encrypted_metadata_alias = \"key_provider.gcp_kms.old\"",
    );
    let opened = with_alias.state().unwrap().decrypt_state(&sealed).await;
    assert_eq!(opened.unwrap().bytes, PLAIN.as_bytes());
}

#[tokio::test]
async fn a_passphrase_comes_from_another_key_provider() {
    let chained = || {
        right(
            "key_provider \"pbkdf2\" \"p\" {\n chain = key_provider.gcp_kms.k\n iterations = 200000\n}\nkey_provider \"gcp_kms\" \"k\" {\n kms_encryption_key = \"x\"\n key_length = 32\n}\nmethod \"aes_gcm\" \"m\" {\n keys = key_provider.pbkdf2.p\n aad = [1, 2, 255]\n}\nplan {\n method = method.aes_gcm.m\n}",
        )
    };
    let sealed = chained()
        .plan()
        .unwrap()
        .encrypt_plan(b"PK of a plan")
        .await
        .unwrap();
    let text = String::from_utf8(sealed.clone()).unwrap();
    assert!(
        text.contains("\"key_provider.gcp_kms.k\"") && text.contains("\"key_provider.pbkdf2.p\""),
        "{text}"
    );
    let opened = chained()
        .plan()
        .unwrap()
        .decrypt_plan(&sealed, |_| true)
        .await;
    assert_eq!(opened.unwrap().bytes, b"PK of a plan");
}

#[cfg(unix)]
#[tokio::test]
async fn programs_give_keys_and_encrypt() {
    let encryption = right(
        r#"
key_provider "external" "k" {
  command = ["sh", "-c", <<-EOT
    echo '{"magic":"OpenTofu-External-Key-Provider","version":1}'
    read -r input
    if [ "$input" = null ]; then
      echo '{"key":{"encryption_key":"AAECAwQFBgcICQoLDA0ODw=="},"meta":{"external_data":{"which":"first"}}}'
    else
      case "$input" in
        *first*) echo '{"key":{"encryption_key":"","decryption_key":"AAECAwQFBgcICQoLDA0ODw=="}}' ;;
        *) echo "no such key" >&2; exit 3 ;;
      esac
    fi
  EOT
  ]
}
method "aes_gcm" "m" {
  keys = key_provider.external.k
}
method "external" "e" {
  encrypt_command = ["sh", "-c", "echo '{\"magic\":\"OpenTofu-External-Encryption-Method\",\"version\":1}'; sed 's/\"payload\":\"/&AAAA/'"]
  decrypt_command = ["sh", "-c", "echo '{\"magic\":\"OpenTofu-External-Encryption-Method\",\"version\":1}'; sed 's/\"payload\":\"AAAA/\"payload\":\"/'"]
}
method "external" "broken" {
  encrypt_command = ["sh", "-c", "echo out of order >&2; exit 9"]
  decrypt_command = ["/there/is/none"]
}
state {
  method = method.aes_gcm.m
}
plan {
  method = method.external.e
}
remote_state_data_sources {
  default {
    method = method.external.broken
  }
}
"#,
    );
    let state = encryption.state().unwrap();
    let sealed = state.encrypt_state(PLAIN.as_bytes()).await.unwrap();
    assert_eq!(
        state.decrypt_state(&sealed).await.unwrap().bytes,
        PLAIN.as_bytes()
    );
    let plan = encryption.plan().unwrap();
    let sealed = plan.encrypt_plan(b"PK of a plan").await.unwrap();
    assert_eq!(
        plan.decrypt_plan(&sealed, |_| true).await.unwrap().bytes,
        b"PK of a plan"
    );
    let broken = encryption.remote().unwrap();
    let error = broken.encrypt_state(PLAIN.as_bytes()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "method.external.broken failed: the program \"sh\" failed (exit status: 9): out of order"
    );
    let error = broken.decrypt_state(&sealed).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the program \"/there/is/none\" cannot be started"),
        "{error}"
    );
}

#[test]
fn the_environment_goes_over_the_configuration() {
    let (configured, problems) = settings(
        "key_provider \"pbkdf2\" \"k\" {\n passphrase = \"short\"\n}\nmethod \"aes_gcm\" \"m\" {\n keys = key_provider.pbkdf2.k\n}\nstate {\n enforced = true\n}",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let (_, problems) = open(&configured, &services(1));
    assert!(problems.has_errors());
    let (environment, problems) = settings(
        r#"{"key_provider": {"pbkdf2": {"k": {"passphrase": "correct-horse-battery-staple"}}}, "state": {"method": "${method.aes_gcm.m}"}}"#,
    );
    assert!(problems.is_empty(), "{problems:?}");
    let both = configured.overridden_by(environment);
    let (encryption, problems) = open(&both, &services(1));
    assert!(problems.is_empty(), "{problems:?}");
    assert!(encryption.state().is_some());
    assert!(both.state.unwrap().enforced);
}

#[tokio::test]
async fn other_states_have_their_own() {
    let encryption = right(&format!(
        "{KMS} remote_state_data_sources {{\n default {{\n method = method.aes_gcm.m\n}}\n remote_state_data_source \"net\" {{\n method = method.unencrypted.u\n}}\n}}"
    ));
    assert!(encryption.state().is_none());
    let cipher = encryption.remote().unwrap();
    let sealed = cipher.encrypt_state(PLAIN.as_bytes()).await.unwrap();
    assert!(terrace_encryption::is_encrypted(&sealed));
    for stored in [&sealed, PLAIN.as_bytes()] {
        let opened = cipher.decrypt_state(stored).await.unwrap();
        assert_eq!(opened.bytes, PLAIN.as_bytes());
    }
}

#[test]
fn what_is_wrong_is_told() {
    for (content, told) in [
        (
            "key_provider \"pbkdf\" \"k\" {}",
            "Unknown key_provider type: There is no key_provider of type \"pbkdf\". There are: pbkdf2, external, aws_kms, gcp_kms, azure_vault.",
        ),
        (
            "key_provider \"pbkdf2\" \"k\" {\n passphrase = \"short\"\n}",
            "Invalid encryption configuration: The passphrase is too short: it must have at least 16 characters.",
        ),
        (
            "key_provider \"pbkdf2\" \"k\" {}",
            "Invalid encryption configuration: There is no passphrase: give \"passphrase\", or \"chain\" with the key provider that it comes from.",
        ),
        (
            "key_provider \"pbkdf2\" \"k\" {\n passphrase = \"correct-horse-battery-staple\"\n iterations = 1000\n}",
            "Invalid encryption configuration: \"iterations\" must be a whole number from 200000 to 100000000.",
        ),
        (
            "key_provider \"pbkdf2\" \"k\" {\n passphrase = \"correct-horse-battery-staple\"\n hash_function = \"md5\"\n}",
            "Invalid encryption configuration: There is no hash function \"md5\" for it. There are: sha256, sha512.",
        ),
        (
            "key_provider \"external\" \"k\" {\n command = []\n}",
            "Invalid encryption configuration: \"command\" must be a list of strings: the program and its arguments.",
        ),
        (
            "key_provider \"pbkdf2\" \"a\" {\n chain = key_provider.pbkdf2.b\n}\nkey_provider \"pbkdf2\" \"b\" {\n chain = key_provider.pbkdf2.a\n}",
            "Circular reference detected: Key providers take their passphrase from each other in a circle: key_provider.pbkdf2.a -> key_provider.pbkdf2.b -> key_provider.pbkdf2.a.",
        ),
        (
            "method \"aes_gcm\" \"m\" {\n keys = key_provider.pbkdf2.k\n}",
            "Reference to undeclared key provider: There is no key_provider \"pbkdf2\" \"k\" block declared in the encryption block.",
        ),
        (
            "method \"aes_gcm\" \"m\" {\n keys = var.keys\n}",
            "Invalid Key Provider expression format: Expected a name of the form key_provider.<type>.<name>, of a key_provider block in the same encryption configuration.",
        ),
        (
            "state {\n method = method.aes_gcm.m\n}",
            "Reference to undeclared encryption method: There is no method \"aes_gcm\" \"m\" block declared in the encryption block.",
        ),
        (
            "state {\n method = \"m\"\n}",
            "Invalid encryption method identifier: Expected a name of the form method.<type>.<name>, of a method block in the same encryption configuration.",
        ),
        (
            "state {\n enforced = true\n}",
            "Encryption is enforced: Encryption of the state is enforced, and no method is configured for it. Give one here or in the environment variable TF_ENCRYPTION.",
        ),
        (
            "state {\n enforced = true\n method = method.unencrypted.u\n}\nmethod \"unencrypted\" \"u\" {}",
            "Unencrypted method is forbidden: Unable to use unencrypted method since the enforced flag is set.",
        ),
        (
            "state {\n enforced = var.e\n}",
            "Invalid value for enforced: Whether encryption is enforced must stand here as true or false, so that no variable can switch it off.",
        ),
        (
            "state {}\nstate {}",
            "Duplicate state block: Only one state block is allowed.",
        ),
        (
            "method \"unencrypted\" \"u\" {}\nmethod \"unencrypted\" \"u\" {}",
            "Duplicate method: Found multiple instances of method.unencrypted.u. Give each a name of its own.",
        ),
    ] {
        let all = wrong(content);
        assert!(all.iter().any(|one| one == told), "{content}\n{all:#?}");
    }
}

/// A secret that stands in the configuration is in no message.
#[test]
fn messages_do_not_show_secrets() {
    let all = wrong("key_provider \"pbkdf2\" \"k\" {\n passphrase = \"hush-hush\"\n}");
    assert!(!all.is_empty());
    assert!(all.iter().all(|one| !one.contains("hush")), "{all:?}");
}
