//! Signing in, and what the provider's block says.

use serde_json::json;
use terrace_test_services::AzureStandIn;

use crate::driver::{Driver, PACE};

const GROUP: &str = "azurerm_resource_group";

fn told(config: &str, variables: &[(&str, &str)]) -> String {
    Driver::with(PACE, config, variables)
        .err()
        .unwrap_or_default()
}

/// How often a token was asked for.
fn tokens(driver: &Driver) -> usize {
    let asked = driver.azure.asked();
    asked
        .iter()
        .filter(|asked| asked.path.contains("/oauth2/"))
        .count()
}

fn make(driver: &Driver, name: &str) -> Result<(), String> {
    driver
        .create(GROUP, &json!({"name": name, "location": "westeurope"}))
        .map(drop)
}

#[test]
fn a_token_serves_until_it_ends_and_is_renewed() {
    let driver = Driver::new();
    make(&driver, "one").unwrap();
    assert_eq!(tokens(&driver), 1);
    driver.azure.end_tokens();
    make(&driver, "two").unwrap();
    assert_eq!(tokens(&driver), 2);
}

#[test]
fn credentials_that_have_expired_are_told_of() {
    let driver = Driver::new();
    driver.azure.take_no_tokens();
    let told = make(&driver, "one").unwrap_err();
    for wanted in [
        "ExpiredAuthenticationToken",
        "az login",
        "renew the client secret",
    ] {
        assert!(told.contains(wanted), "{told}");
    }
    assert_eq!(tokens(&driver), 2, "a new one is tried once");
}

#[test]
fn a_wrong_secret_is_told_of() {
    let driver = Driver::with(PACE, r#"{"client_secret": "wrong"}"#, &[]).unwrap();
    let told = make(&driver, "one").unwrap_err();
    assert!(told.contains("AADSTS7000215"), "{told}");
    assert!(told.contains("Sign in by \"client_id\""), "{told}");
    assert!(!told.contains("wrong"), "{told}");
}

#[test]
fn what_is_missing_is_told_of() {
    let missing = told("{}", &[("ARM_SUBSCRIPTION_ID", "")]);
    assert!(
        missing.contains("\"subscription_id\", or the variable ARM_SUBSCRIPTION_ID"),
        "{missing}"
    );
    let cloud = told(r#"{"environment": "moon"}"#, &[]);
    assert!(cloud.contains("public, usgovernment and china"), "{cloud}");
    let oidc = told(r#"{"use_oidc": true}"#, &[]);
    assert!(oidc.contains("oidc_token"), "{oidc}");
    let tenants = told(r#"{"auxiliary_tenant_ids": ["x"]}"#, &[]);
    assert!(tenants.contains("auxiliary_tenant_ids"), "{tenants}");
    let host = told("{}", &[("ARM_METADATA_HOSTNAME", "http://127.0.0.1:1")]);
    assert!(host.contains("metadata_host"), "{host}");
}

#[test]
fn the_configuration_goes_before_the_environment() {
    let azure = AzureStandIn::start().unwrap();
    let config = json!({
        "subscription_id": AzureStandIn::SUBSCRIPTION,
        "tenant_id": AzureStandIn::TENANT,
        "client_id": AzureStandIn::CLIENT,
        "client_secret": AzureStandIn::SECRET,
        "metadata_host": azure.url(),
        "partner_id": "88888888-1111-4222-8333-444444444444",
    });
    let wrong = [
        ("ARM_SUBSCRIPTION_ID", "x"),
        ("ARM_TENANT_ID", "x"),
        ("ARM_CLIENT_ID", "x"),
        ("ARM_CLIENT_SECRET", "x"),
        ("ARM_METADATA_HOSTNAME", "http://127.0.0.1:1"),
    ];
    let driver = Driver::beside(azure, PACE, &config.to_string(), &wrong, &[]).unwrap();
    make(&driver, "one").unwrap();
    let asked = driver.azure.asked();
    let asked = asked.last().unwrap();
    assert_eq!(
        asked.headers["user-agent"],
        "Terrace/test pid-88888888-1111-4222-8333-444444444444"
    );
    assert!(asked.headers.contains_key("x-ms-correlation-request-id"));
    let silent = Driver::with(PACE, r#"{"disable_correlation_request_id": true}"#, &[]).unwrap();
    make(&silent, "one").unwrap();
    let asked = silent.azure.asked();
    assert!(
        asked
            .iter()
            .all(|asked| !asked.headers.contains_key("x-ms-correlation-request-id"))
    );
}

#[test]
fn what_is_not_known_yet_is_told_of_once_it_is_needed() {
    let azure = AzureStandIn::start().unwrap();
    let driver = Driver::beside(azure, PACE, "{}", &[], &["client_secret"]).unwrap();
    let config = json!({"name": "one", "location": "westeurope"});
    let nothing = driver.nothing(GROUP);
    driver.plan(GROUP, &nothing, &config).unwrap();
    let told = driver.create(GROUP, &config).unwrap_err();
    assert!(
        told.contains("\"client_secret\" comes from something that is not made yet"),
        "{told}"
    );
    assert_eq!(driver.azure.asked(), []);
}
