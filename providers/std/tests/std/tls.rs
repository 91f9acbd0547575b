//! `tls_*`.

use serde_json::json;
use terrace_provider_sdk::Object;
use terrace_value::Value;

use crate::support::{Driver, NOW, names, text};

fn key(driver: &Driver, config: &serde_json::Value) -> Value {
    driver.create("tls_private_key", &config.to_string())
}

#[test]
fn keys_of_all_kinds_come_in_all_forms() {
    let driver = Driver::new("tls");
    for (config, label, ssh) in [
        (json!({"algorithm": "RSA"}), "RSA PRIVATE KEY", "ssh-rsa "),
        (
            json!({"algorithm": "RSA", "rsa_bits": 1024}),
            "RSA PRIVATE KEY",
            "ssh-rsa ",
        ),
        (json!({"algorithm": "ECDSA"}), "EC PRIVATE KEY", ""),
        (
            json!({"algorithm": "ECDSA", "ecdsa_curve": "P256"}),
            "EC PRIVATE KEY",
            "ecdsa-sha2-nistp256 ",
        ),
        (
            json!({"algorithm": "ECDSA", "ecdsa_curve": "P384"}),
            "EC PRIVATE KEY",
            "ecdsa-sha2-nistp384 ",
        ),
        (
            json!({"algorithm": "ECDSA", "ecdsa_curve": "P521"}),
            "EC PRIVATE KEY",
            "ecdsa-sha2-nistp521 ",
        ),
        (
            json!({"algorithm": "ED25519"}),
            "PRIVATE KEY",
            "ssh-ed25519 ",
        ),
    ] {
        let object = key(&driver, &config);
        let begin = |name: &str, label: &str| {
            let pem = text(&object, name);
            assert!(
                pem.starts_with(&format!("-----BEGIN {label}-----\n"))
                    && pem.ends_with(&format!("-----END {label}-----\n")),
                "{config} {pem}"
            );
        };
        begin("private_key_pem", label);
        begin("private_key_pem_pkcs8", "PRIVATE KEY");
        begin("public_key_pem", "PUBLIC KEY");
        let line = text(&object, "public_key_openssh");
        assert!(line.starts_with(ssh), "{line}");
        assert_eq!(line.is_empty(), ssh.is_empty());
        let mut forms = vec![
            json!({"private_key_pem": text(&object, "private_key_pem")}),
            json!({"private_key_pem": text(&object, "private_key_pem_pkcs8")}),
        ];
        if ssh.is_empty() {
            assert_eq!(text(&object, "private_key_openssh"), "");
        } else {
            begin("private_key_openssh", "OPENSSH PRIVATE KEY");
            assert!(text(&object, "public_key_fingerprint_sha256").starts_with("SHA256:"));
            assert_eq!(text(&object, "public_key_fingerprint_md5").len(), 47);
            forms.push(json!({"private_key_openssh": text(&object, "private_key_openssh")}));
        }
        for form in forms {
            let read = driver
                .read_data("tls_public_key", &form.to_string())
                .unwrap();
            for name in ["id", "public_key_pem", "public_key_openssh", "algorithm"] {
                assert_eq!(text(&read, name), text(&object, name), "{form}");
            }
        }
        let (planned, replace) = driver.plan("tls_private_key", &object, &config.to_string());
        assert_eq!((planned, replace), (object, Vec::new()));
    }
}

/// A key and the certificate of an authority that has it.
fn authority(driver: &Driver) -> (String, String) {
    let key = key(
        driver,
        &json!({"algorithm": "ECDSA", "ecdsa_curve": "P384"}),
    );
    let key = text(&key, "private_key_pem");
    let config = json!({
        "private_key_pem": key,
        "subject": [{
            "common_name": "Authority, Inc.",
            "organization": "Example",
            "country": "DE",
            "street_address": ["One", "Two"],
            "email_address": "a@example.com",
        }],
        "is_ca_certificate": true,
        "set_authority_key_id": true,
        "max_path_length": 2,
        "validity_period_hours": 48,
        "allowed_uses": ["cert_signing", "crl_signing"],
    });
    let object = driver.create("tls_self_signed_cert", &config.to_string());
    assert_eq!(text(&object, "key_algorithm"), "ECDSA");
    assert_eq!(text(&object, "validity_start_time"), "2026-01-02T03:04:05Z");
    assert_eq!(text(&object, "validity_end_time"), "2026-01-04T03:04:05Z");
    (key, text(&object, "cert_pem"))
}

fn shown(driver: &Driver, pem: &str) -> Object {
    let read = driver
        .read_data("tls_certificate", &json!({"content": pem}).to_string())
        .unwrap();
    let certificates = read.get("certificates").and_then(Value::as_sequence);
    Object::of(&certificates.unwrap()[0]).unwrap()
}

#[test]
fn an_authority_signs_its_own_certificate() {
    let driver = Driver::new("tls");
    let (_, pem) = authority(&driver);
    let shown = shown(&driver, &pem);
    assert_eq!(
        shown.text("subject"),
        Some(
            "CN=Authority\\, Inc.,STREET=One+STREET=Two,O=Example,C=DE,1.2.840.113549.1.9.1=#160d61406578616d706c652e636f6d"
        )
    );
    assert_eq!(shown.text("issuer"), shown.text("subject"));
    assert_eq!(shown.text("signature_algorithm"), Some("ECDSA-SHA384"));
    assert_eq!(shown.text("public_key_algorithm"), Some("ECDSA"));
    assert_eq!(shown.flag("is_ca"), Some(true));
    assert_eq!(shown.whole("max_path_length"), Some(2));
    assert_eq!(shown.whole("version"), Some(3));
    assert_eq!(shown.text("not_after"), Some("2026-01-04T03:04:05Z"));
    assert_eq!(shown.text("cert_pem"), Some(&*pem));
}

#[test]
fn a_request_is_signed_by_an_authority() {
    let driver = Driver::new("tls");
    let (authority_key, authority) = authority(&driver);
    for config in [
        json!({"algorithm": "RSA"}),
        json!({"algorithm": "ED25519"}),
        json!({"algorithm": "ECDSA"}),
        json!({"algorithm": "ECDSA", "ecdsa_curve": "P521"}),
    ] {
        let own = key(&driver, &config);
        let request = json!({
            "private_key_pem": text(&own, "private_key_pem"),
            "subject": [{"common_name": "leaf"}],
            "dns_names": ["leaf.example.com"],
            "ip_addresses": ["127.0.0.1", "::1"],
            "uris": ["spiffe://leaf"],
        });
        let request = driver.create("tls_cert_request", &request.to_string());
        let wanted = json!({
            "cert_request_pem": text(&request, "cert_request_pem"),
            "ca_private_key_pem": authority_key,
            "ca_cert_pem": authority,
            "validity_period_hours": 24,
            "early_renewal_hours": 3,
            "allowed_uses": ["digital_signature", "server_auth"],
        });
        let object = driver.create("tls_locally_signed_cert", &wanted.to_string());
        assert_eq!(text(&object, "ca_key_algorithm"), "ECDSA");
        let found = shown(&driver, &text(&object, "cert_pem"));
        assert_eq!(found.text("subject"), Some("CN=leaf"));
        assert!(found.text("issuer").unwrap().starts_with("CN=Authority"));
        assert_eq!(
            found.text("serial_number"),
            object.get("id").and_then(Value::as_str)
        );
        assert_eq!(found.flag("is_ca"), Some(false));
        assert_eq!(found.whole("max_path_length"), Some(-1));

        let (planned, replace) =
            driver.plan("tls_locally_signed_cert", &object, &wanted.to_string());
        assert_eq!((&planned, names(&replace)), (&object, Vec::new()));
        driver.later(21 * 3600);
        let due = driver.read("tls_locally_signed_cert", &object);
        assert_eq!(due.get("ready_for_renewal"), Some(&Value::TRUE));
        let (planned, replace) = driver.plan("tls_locally_signed_cert", &due, &wanted.to_string());
        assert_eq!(names(&replace), ["ready_for_renewal"]);
        assert!(
            planned
                .get("ready_for_renewal")
                .is_some_and(|ready| !ready.is_known())
        );
        driver.later(-21 * 3600);
    }
    assert_eq!(NOW, 1_767_323_045);
}

#[test]
fn mistakes_are_told() {
    let driver = Driver::new("tls");
    assert_eq!(
        driver.validate("tls_private_key", &json!({"algorithm": "DSA"}).to_string()),
        [
            "Invalid Attribute Value Match: Attribute algorithm value must be one of: [\"RSA\" \"ECDSA\" \"ED25519\"], got: \"DSA\""
        ]
    );
    let config = json!({"validity_period_hours": 1, "allowed_uses": ["flying"]}).to_string();
    let told = driver.validate("tls_self_signed_cert", &config);
    assert!(
        told[0].contains("Attribute allowed_uses[0] value must be one of"),
        "{told:?}"
    );
    assert_eq!(
        told[1],
        "Missing Attribute Configuration: Exactly one of these attributes must be configured: [private_key_pem,private_key_pem_wo]"
    );
    let config = json!({"private_key_pem": "nonsense"}).to_string();
    let told = driver
        .apply("tls_cert_request", &Value::NULL, &config)
        .unwrap_err();
    assert!(
        told[0].starts_with("Failed to parse private key PEM: failed to decode PEM block"),
        "{told:?}"
    );
}
