//! What goes wrong at Azure: what passes is waited for, and what does not is told.

use std::time::Duration;

use serde_json::{Value as Json, json};
use terrace_provider_azure::Pace;
use terrace_test_services::{AzureFault, AzureManner, AzureStandIn, Web};
use terrace_value::Value;

use crate::driver::{Driver, PACE, Told};

const GROUP: &str = "azurerm_resource_group";
const ACCOUNT: &str = "azurerm_storage_account";
const CONTAINER: &str = "azurerm_storage_container";
/// How long operations take that are waited for.
const WHILE: Duration = Duration::from_millis(40);
/// How long nothing is waited for.
const FOREVER: Duration = Duration::from_hours(1);

fn group() -> Json {
    json!({"name": "group", "location": "westeurope"})
}

fn account() -> Json {
    json!({
        "name": "accountone", "resource_group_name": "group", "location": "westeurope", "account_tier": "Standard",
        "account_replication_type": "LRS",
    })
}

fn container() -> Json {
    json!({"name": "container", "storage_account_id": Driver::account_id("accountone")})
}

/// With a group and an account in it.
fn furnished() -> Driver {
    let driver = Driver::new();
    driver.create(GROUP, &group()).unwrap();
    driver.create(ACCOUNT, &account()).unwrap();
    driver
}

fn with_group(pace: Pace) -> Driver {
    let driver = Driver::with(pace, "{}", &[]).unwrap();
    driver.create(GROUP, &group()).unwrap();
    driver
}

/// What a creation that fails leaves, and what it says.
fn failed(driver: &Driver, type_name: &str, json: &Json) -> (Value, Told) {
    let nothing = driver.nothing(type_name);
    let planned = driver.plan(type_name, &nothing, json).unwrap();
    let (state, told) = driver.carry_out(type_name, &nothing, &planned);
    assert_ne!(told, "");
    (state, told)
}

#[track_caller]
fn assert_says(told: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(told.contains(wanted), "{wanted:?} is not in: {told}");
    }
}

fn count(driver: &Driver, wanted: &str) -> usize {
    let requests = driver.azure.requests();
    requests
        .iter()
        .filter(|request| request.contains(wanted))
        .count()
}

#[test]
fn operations_are_waited_for_however_they_are_told_of() {
    for (manner, place) in [
        (AzureManner::Location, "/asyncoperations/"),
        (AzureManner::Document, "/operations/"),
        (AzureManner::Object, "GET"),
    ] {
        let driver = with_group(PACE);
        driver.azure.operations(manner, WHILE);
        let state = driver.create(ACCOUNT, &account()).unwrap();
        let made = driver
            .azure
            .object(&Driver::account_id("accountone"))
            .unwrap();
        assert_eq!(
            made["properties"]["provisioningState"], "Succeeded",
            "{manner:?}"
        );
        assert!(count(&driver, place) > 1, "{manner:?}");
        driver.assert_clean(ACCOUNT, &state, &account(), &format!("{manner:?}"));
        driver.delete(ACCOUNT, &state).unwrap();
        let state = driver.import(GROUP, &Driver::group_id("group")).unwrap();
        driver.delete(GROUP, &state).unwrap();
        assert_eq!(driver.azure.ids(), Vec::<String>::new(), "{manner:?}");
    }
}

#[test]
fn an_operation_that_fails_is_told_and_leaves_what_there_is_in_the_state() {
    for (manner, wanted) in [
        (AzureManner::Location, "QuotaExceeded: No more accounts."),
        (
            AzureManner::Document,
            "the operation failed. QuotaExceeded: No more accounts.",
        ),
        (AzureManner::Object, "the operation failed"),
    ] {
        let driver = with_group(PACE);
        driver.azure.operations(manner, WHILE);
        let fault = AzureFault::OperationFails("QuotaExceeded".into(), "No more accounts.".into());
        driver.azure.fault("PUT", "storageaccounts", fault);
        let (state, told) = failed(&driver, ACCOUNT, &account());
        assert_says(
            &told,
            &[
                "Failed creating Storage Account \"accountone\" (Resource Group \"group\")",
                wanted,
            ],
        );
        // It is tainted, and replaced by the next apply.
        assert_eq!(
            state.get("id"),
            Some(&Value::string(Driver::account_id("accountone")))
        );
        driver.delete(ACCOUNT, &state).unwrap();
        driver.create(ACCOUNT, &account()).unwrap();
    }
}

#[test]
fn throttling_is_waited_for() {
    let driver = with_group(PACE);
    let throttled = || AzureFault::Throttled(Duration::from_millis(3));
    for method in ["PUT", "GET", "POST", "DELETE"] {
        for _ in 0..3 {
            driver.azure.fault(method, "accountone", throttled());
        }
    }
    let state = driver.create(ACCOUNT, &account()).unwrap();
    driver.delete(ACCOUNT, &state).unwrap();
    assert_eq!(driver.azure.faults_left(), 0);
    assert_eq!(driver.azure.ids(), [Driver::group_id("group")]);
}

#[test]
fn throttling_for_longer_than_there_is_time_is_told() {
    let driver = with_group(PACE);
    driver
        .azure
        .fault("PUT", "accountone", AzureFault::Throttled(FOREVER));
    let mut json = account();
    json["timeouts"] = json!({"create": "5m"});
    let (state, told) = failed(&driver, ACCOUNT, &json);
    assert!(state.is_null());
    assert_says(
        &told,
        &[
            "status 429",
            "SubscriptionRequestsThrottled",
            "-parallelism=N",
            "\"timeouts\"",
        ],
    );
}

#[test]
fn what_fails_for_a_moment_is_asked_again() {
    let driver = with_group(PACE);
    for method in ["PUT", "GET"] {
        driver.azure.fault(
            method,
            "accountone",
            AzureFault::Refused(503, "ServiceUnavailable".into(), "Later.".into()),
        );
        driver.azure.fault(
            method,
            "accountone",
            AzureFault::Refused(500, "InternalServerError".into(), "Oh.".into()),
        );
    }
    driver
        .azure
        .fault("PUT", "accountone", AzureFault::LostAnswer);
    driver
        .azure
        .fault("GET", "accountone", AzureFault::LostAnswer);
    let state = driver.create(ACCOUNT, &account()).unwrap();
    assert_eq!(driver.azure.faults_left(), 0);
    driver.assert_clean(ACCOUNT, &state, &account(), "after failures");
}

#[test]
fn what_fails_all_the_time_is_told() {
    let driver = with_group(PACE);
    for _ in 0..=PACE.retries {
        driver.azure.fault(
            "PUT",
            "accountone",
            AzureFault::Refused(503, "ServiceUnavailable".into(), "Later.".into()),
        );
    }
    let (state, told) = failed(&driver, ACCOUNT, &account());
    assert!(state.is_null());
    assert_says(
        &told,
        &[
            "ServiceUnavailable: Later.",
            "Azure failed several times",
            "The request was PUT /subscriptions/",
        ],
    );
    assert_eq!(driver.azure.faults_left(), 0);
}

#[test]
fn what_was_just_made_may_not_be_there_yet() {
    let driver = Driver::new();
    driver.azure.appear_after(WHILE);
    let state = driver.create(GROUP, &group()).unwrap();
    driver.assert_clean(GROUP, &state, &group(), "a group");
    let state = driver.create(ACCOUNT, &account()).unwrap();
    driver.assert_clean(ACCOUNT, &state, &account(), "an account");
    let state = driver.create(CONTAINER, &container()).unwrap();
    assert_eq!(state.get("name"), Some(&Value::string("container")));
}

#[test]
fn what_never_appears_is_in_the_state() {
    let pace = Pace {
        appearance: Duration::from_millis(5),
        ..PACE
    };
    let driver = Driver::with(pace, "{}", &[]).unwrap();
    driver.azure.appear_after(FOREVER);
    let (state, told) = failed(&driver, GROUP, &group());
    assert_says(
        &told,
        &[
            "Failed reading Resource Group \"group\"",
            "there was nothing to be read",
        ],
    );
    assert_eq!(
        state.get("id"),
        Some(&Value::string(Driver::group_id("group")))
    );
}

#[test]
fn a_parent_that_is_gone_is_named() {
    let driver = furnished();
    driver.azure.vanish(&Driver::account_id("accountone"));
    let (state, told) = failed(&driver, CONTAINER, &container());
    assert!(state.is_null());
    assert_says(
        &told,
        &[
            "Storage Account \"accountone\" (Resource Group \"group\") is gone",
            "terrace plan",
        ],
    );
    driver.azure.vanish(&Driver::group_id("group"));
    let (state, told) = failed(&driver, ACCOUNT, &account());
    assert!(state.is_null());
    assert_says(
        &told,
        &["Resource Group \"group\" is gone", "ResourceGroupNotFound"],
    );
}

#[test]
fn what_vanished_is_made_anew_and_ends_without_ado() {
    let driver = furnished();
    let state = driver.create(CONTAINER, &container()).unwrap();
    driver.azure.vanish(&Driver::account_id("accountone"));
    assert!(driver.read(CONTAINER, &state).unwrap().is_null());
    driver.delete(CONTAINER, &state).unwrap();
    let account_state = driver.create(ACCOUNT, &account()).unwrap();
    assert!(driver.read(CONTAINER, &state).unwrap().is_null());
    driver.delete(CONTAINER, &state).unwrap();
    driver.azure.vanish(&Driver::account_id("accountone"));
    assert!(driver.read(ACCOUNT, &account_state).unwrap().is_null());
    let mut json = account();
    json["tags"] = json!({"a": "1"});
    let told = driver.apply(ACCOUNT, &account_state, &json).unwrap_err();
    assert_says(
        &told,
        &[
            "Failed updating Storage Account",
            "ResourceNotFound",
            "Run the command again",
        ],
    );
    driver.delete(ACCOUNT, &account_state).unwrap();
}

#[test]
fn a_denied_action_names_the_missing_permission() {
    let driver = with_group(PACE);
    driver.azure.fault("PUT", "accountone", AzureFault::Denied);
    let (state, told) = failed(&driver, ACCOUNT, &account());
    assert!(state.is_null());
    let id = Driver::account_id("accountone");
    assert_says(
        &told,
        &[
            &format!(
                "The permission Microsoft.Storage/storageAccounts/write is missing over {id}."
            ),
            "az role assignment create --assignee-object-id 77777777-1111-4222-8333-444444444444",
            &format!("--scope {id}"),
        ],
    );
    driver.azure.fault("DELETE", "group", AzureFault::Denied);
    let state = driver.import(GROUP, &Driver::group_id("group")).unwrap();
    let told = driver.delete(GROUP, &state).unwrap_err();
    assert_says(
        &told,
        &["The permission Microsoft.Resources/subscriptions/resourceGroups/delete is missing"],
    );
}

#[test]
fn who_may_not_see_the_keys_has_the_account_without_them() {
    let driver = with_group(PACE);
    driver.azure.fault("POST", "listkeys", AzureFault::Denied);
    let state = driver.create(ACCOUNT, &account()).unwrap();
    assert_eq!(state.get("primary_access_key"), Some(&Value::string("")));
    assert_eq!(
        state.get("primary_connection_string"),
        Some(&Value::string(""))
    );
    let locked = AzureFault::Refused(409, "ScopeLocked".into(), "There is a lock.".into());
    driver.azure.fault("POST", "listkeys", locked);
    assert!(!driver.read(ACCOUNT, &state).unwrap().is_null());
}

#[test]
fn a_lock_is_told_of() {
    let driver = furnished();
    let state = driver
        .import(ACCOUNT, &Driver::account_id("accountone"))
        .unwrap();
    let locked = AzureFault::Refused(
        409,
        "ScopeLocked".into(),
        "The scope cannot perform delete operation because following scope(s) are locked.".into(),
    );
    driver.azure.fault("DELETE", "accountone", locked);
    let told = driver.delete(ACCOUNT, &state).unwrap_err();
    assert_says(&told, &["ScopeLocked", "az lock list"]);
}

#[test]
fn what_exists_already_is_not_taken_over_unless_that_is_wanted() {
    let driver = furnished();
    driver.create(CONTAINER, &container()).unwrap();
    for (type_name, json) in [
        (GROUP, group()),
        (ACCOUNT, account()),
        (CONTAINER, container()),
    ] {
        let (state, told) = failed(&driver, type_name, &json);
        assert!(state.is_null(), "what exists is not ours");
        assert_says(
            &told,
            &[
                "exists already",
                &format!("terrace import {type_name}.NAME /subscriptions/"),
            ],
        );
    }
    let Driver { azure, .. } = driver;
    let config = r#"{"features": [{"skip_import_check_on_create_and_allow_overwriting_existing_resources": true}]}"#;
    let driver = Driver::beside(azure, PACE, config, &[], &[]).unwrap();
    let mut json = group();
    json["tags"] = json!({"a": "1"});
    driver.create(GROUP, &json).unwrap();
    assert_eq!(
        driver.azure.object(&Driver::group_id("group")).unwrap()["tags"],
        json!({"a": "1"})
    );
}

#[test]
fn a_name_that_somebody_else_has_is_told() {
    let driver = furnished();
    let mut other = group();
    other["name"] = json!("other");
    driver.create(GROUP, &other).unwrap();
    let mut json = account();
    json["resource_group_name"] = json!("other");
    let (_, told) = failed(&driver, ACCOUNT, &json);
    assert_says(
        &told,
        &["StorageAccountAlreadyTaken", "unique in all of Azure"],
    );
}

#[test]
fn a_container_whose_name_is_still_in_use_is_waited_for() {
    let driver = furnished();
    driver.azure.names_return_after(Duration::from_millis(20));
    let state = driver.create(CONTAINER, &container()).unwrap();
    driver.delete(CONTAINER, &state).unwrap();
    driver.create(CONTAINER, &container()).unwrap();
    driver.azure.names_return_after(FOREVER);
    driver.delete(CONTAINER, &state).unwrap();
    let (_, told) = failed(&driver, CONTAINER, &container());
    assert_says(&told, &["ContainerBeingDeleted"]);
}

/// Objects of others in a group, on several pages.
fn filled(config: &str) -> Driver {
    let pace = Pace {
        appearance: Duration::ZERO,
        ..PACE
    };
    let driver = Driver::with(pace, config, &[]).unwrap();
    driver.create(GROUP, &group()).unwrap();
    for number in 0..5 {
        let id = format!(
            "{}/providers/Microsoft.Network/things/thing{number}",
            Driver::group_id("group")
        );
        driver.azure.place(&id, json!({"location": "westeurope"}));
    }
    driver
}

#[test]
fn a_group_that_holds_something_stays_and_all_pages_are_told() {
    let driver = filled("{}");
    let state = driver.import(GROUP, &Driver::group_id("group")).unwrap();
    let told = driver.delete(GROUP, &state).unwrap_err();
    for number in 0..5 {
        assert_says(&told, &[&format!("things/thing{number}")]);
    }
    assert_says(
        &told,
        &[
            "5 objects",
            "prevent_deletion_if_contains_resources = false",
        ],
    );
    assert_eq!(count(&driver, "/resources"), 3, "pages");
    assert_eq!(count(&driver, "DELETE"), 0);
    assert_eq!(driver.azure.ids().len(), 6);
}

#[test]
fn a_group_goes_with_what_it_holds_where_that_is_wanted() {
    let config = r#"{"features": [{"resource_group": [{"prevent_deletion_if_contains_resources": false}]}]}"#;
    let driver = filled(config);
    driver.azure.operations(AzureManner::Location, WHILE);
    let state = driver.import(GROUP, &Driver::group_id("group")).unwrap();
    driver.delete(GROUP, &state).unwrap();
    assert_eq!(driver.azure.ids(), Vec::<String>::new());
}

#[test]
fn what_takes_longer_than_it_may_is_in_the_state() {
    let driver = with_group(PACE);
    driver.azure.operations(AzureManner::Document, FOREVER);
    driver.azure.ask_to_wait(FOREVER);
    let mut json = account();
    json["timeouts"] = json!({"create": "5m30s"});
    let (state, told) = failed(&driver, ACCOUNT, &json);
    assert_says(&told, &["It took longer than 5 min 30 s.", "\"timeouts\""]);
    assert_eq!(
        state.get("id"),
        Some(&Value::string(Driver::account_id("accountone")))
    );
}

#[test]
fn an_interrupted_run_does_not_wait_for_azure() {
    let driver = with_group(PACE);
    driver.azure.operations(AzureManner::Document, FOREVER);
    let nothing = driver.nothing(ACCOUNT);
    let planned = driver.plan(ACCOUNT, &nothing, &account()).unwrap();
    let provider = driver.provider.clone();
    let (state, told) = std::thread::scope(|scope| {
        let azure = &driver.azure;
        scope.spawn(move || {
            let looks = || {
                azure
                    .requests()
                    .iter()
                    .any(|request| request.contains("/operations/"))
            };
            while !looks() {
                std::thread::yield_now();
            }
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
                .block_on(provider.stop())
        });
        driver.carry_out(ACCOUNT, &nothing, &planned)
    });
    assert_says(&told, &["The run was interrupted while creating"]);
    assert_eq!(
        state.get("id"),
        Some(&Value::string(Driver::account_id("accountone")))
    );
}

#[test]
fn tokens_are_not_sent_elsewhere() {
    let stranger = Web::start().unwrap();
    let driver = with_group(PACE);
    driver.azure.operations(AzureManner::Document, WHILE);
    driver.azure.lead_astray(&stranger.url(""));
    let (_, told) = failed(&driver, ACCOUNT, &account());
    assert_says(
        &told,
        &[
            "which is not the Azure Resource Manager that was signed in to",
            &stranger.url(""),
        ],
    );
    assert_eq!(stranger.asked(), []);
}

#[test]
fn a_resource_provider_that_is_not_registered_is_told_of_or_registered() {
    let driver = with_group(PACE);
    driver.azure.unregister("Microsoft.Storage");
    let (_, told) = failed(&driver, ACCOUNT, &account());
    assert_says(
        &told,
        &[
            "MissingSubscriptionRegistration",
            "resource_providers_to_register",
        ],
    );
    let Driver { azure, .. } = driver;
    azure.operations(AzureManner::Location, WHILE);
    let config = r#"{"resource_providers_to_register": ["Microsoft.Web"], "resource_provider_registrations": "core"}"#;
    let driver = Driver::beside(azure, PACE, config, &[], &[]).unwrap();
    assert_eq!(count(&driver, "POST"), 2, "one for each that was missing");
    driver.create(ACCOUNT, &account()).unwrap();
    let Driver { azure, .. } = driver;
    let told = Driver::beside(
        azure,
        PACE,
        r#"{"resource_providers_to_register": ["Microsoft.Nonsense"]}"#,
        &[],
        &[],
    )
    .err()
    .unwrap();
    assert_says(
        &told,
        &[
            "registering the resource provider Microsoft.Nonsense",
            "InvalidResourceNamespace",
        ],
    );
}

#[test]
fn a_subscription_that_is_not_there_is_no_object_that_is_gone() {
    let driver = furnished();
    let state = driver
        .import(ACCOUNT, &Driver::account_id("accountone"))
        .unwrap();
    let Driver { azure, .. } = driver;
    let other = "12345678-1111-4222-8333-444444444444";
    let driver = Driver::beside(azure, PACE, "{}", &[("ARM_SUBSCRIPTION_ID", other)], &[]).unwrap();
    let (_, told) = failed(
        &driver,
        GROUP,
        &json!({"name": "new", "location": "westeurope"}),
    );
    assert_says(&told, &["SubscriptionNotFound", "az account list"]);
    // An id says which subscription its object is in.
    assert!(!driver.read(ACCOUNT, &state).unwrap().is_null());
    assert_ne!(AzureStandIn::SUBSCRIPTION, other);
}
