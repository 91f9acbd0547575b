//! The native Azure provider in process and as a plugin, against a stand-in for Azure Resource Manager: Terrace and Terraform take turns with
//! one state.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use terrace_test_services::{AzureStandIn, Mirror, azure_plugin};
use terrace_test_support::{Project, available, has_terraform};

const INIT: [&str; 3] = ["init", "-upgrade", "-input=false"];
const PLAN: [&str; 3] = ["plan", "-input=false", "-detailed-exitcode"];
const APPLY: [&str; 3] = ["apply", "-input=false", "-auto-approve"];
const DESTROY: [&str; 3] = ["destroy", "-input=false", "-auto-approve"];

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "5.2.0"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "stage" {
  type    = string
  default = "dev"
}

variable "location" {
  type    = string
  default = "West Europe"
}

resource "azurerm_resource_group" "shop" {
  name     = "shop"
  location = var.location
  tags = {
    stage = var.stage
  }
}

resource "azurerm_storage_account" "shop" {
  name                     = "shopfiles"
  resource_group_name      = azurerm_resource_group.shop.name
  location                 = azurerm_resource_group.shop.location
  account_tier             = "Standard"
  account_replication_type = "RAGRS"

  blob_properties {
    versioning_enabled = true
    delete_retention_policy {}
  }

  network_rules {
    default_action = "Deny"
    ip_rules       = ["8.8.8.8"]
  }
}

resource "azurerm_storage_container" "files" {
  name               = "files"
  storage_account_id = azurerm_storage_account.shop.id
  metadata = {
    stage = var.stage
  }
}

output "url" {
  value = azurerm_storage_container.files.url
}
"#;

/// A project that signs in to the stand-in, and the CLI configuration by which the provider is native.
fn project(azure: &AzureStandIn) -> Project {
    let mut project = Project::with(CONFIGURATION);
    for (name, value) in azure.environment() {
        project.set(name, value);
    }
    let settings = project.outer().join("native.tfrc");
    let text =
        "provider_installation {\n  native {\n    include = [\"hashicorp/azurerm\"]\n  }\n}\n";
    std::fs::write(&settings, text).unwrap();
    project.set("TF_CLI_CONFIG_FILE", settings);
    project
}

#[test]
fn azure_is_made_changed_and_destroyed_in_process() {
    let azure = AzureStandIn::start().unwrap();
    let mut project = project(&azure);
    project.terrace(&INIT).success().says("native");
    project
        .terrace(&APPLY)
        .success()
        .says("3 added, 0 changed, 0 destroyed")
        .says("https://shopfiles.blob.core.windows.net/files");
    assert_eq!(azure.ids().len(), 3);
    project.terrace(&PLAN).success().says("No changes.");

    project.set("TF_VAR_stage", "prd");
    project
        .terrace(&PLAN)
        .fails(2)
        .says("0 to add, 2 to change, 0 to destroy");
    project
        .terrace(&APPLY)
        .success()
        .says("0 added, 2 changed, 0 destroyed");
    project.terrace(&PLAN).success().says("No changes.");

    // The names of one place in two forms are no change; another place is another group, with all that is in it.
    project.set("TF_VAR_location", "westeurope");
    project.terrace(&PLAN).success().says("No changes.");
    project.set("TF_VAR_location", "northeurope");
    project
        .terrace(&PLAN)
        .fails(2)
        .says("3 to add, 0 to change, 3 to destroy")
        .says("forces replacement");
    project
        .terrace(&APPLY)
        .success()
        .says("3 added, 0 changed, 3 destroyed");
    let group = format!(
        "/subscriptions/{}/resourceGroups/shop",
        AzureStandIn::SUBSCRIPTION
    );
    assert_eq!(azure.object(&group).unwrap()["location"], "northeurope");

    project.terrace(&DESTROY).success().says("3 destroyed");
    assert_eq!(azure.ids(), Vec::<String>::new());
}

#[test]
fn terraform_goes_on_with_the_state_by_the_plugin_and_back() {
    if !has_terraform() {
        return;
    }
    let Some(plugin) = available("the plugin", azure_plugin()) else {
        return;
    };
    let azure = AzureStandIn::start().unwrap();
    let mut project = project(&azure);
    let native = project.outer().join("native.tfrc");
    let mirror = Mirror::new()
        .unwrap()
        .with_unpacked(
            "hashicorp/azurerm",
            "5.2.0",
            "terraform-provider-azurerm",
            &plugin,
        )
        .unwrap();
    let plugins = mirror.cli_config().unwrap();

    project.terrace(&INIT).success();
    project.terrace(&APPLY).success();
    let made = project.instances();
    project.set("TF_CLI_CONFIG_FILE", &plugins);
    project.other("terraform", &INIT).success();
    project
        .other("terraform", &PLAN)
        .success()
        .says("No changes.");
    println!(
        "EVIDENCE | hashicorp/azurerm | native | Terraform with the plugin takes over | no changes |"
    );
    project.set("TF_VAR_stage", "prd");
    project
        .other("terraform", &APPLY)
        .success()
        .says("0 added, 2 changed, 0 destroyed");
    project.set("TF_CLI_CONFIG_FILE", &native);
    project.terrace(&INIT).success();
    project.terrace(&PLAN).success().says("No changes.");
    println!(
        "EVIDENCE | hashicorp/azurerm | native | Terrace takes over from Terraform with the plugin | no changes |"
    );
    assert_eq!(project.instances().len(), made.len());
    project.set("TF_CLI_CONFIG_FILE", &plugins);
    project
        .other("terraform", &DESTROY)
        .success()
        .says("3 destroyed");
    project
        .other("terraform", &APPLY)
        .success()
        .says("3 added, 0 changed, 0 destroyed");
    let by_terraform = project.instances();
    project.other("terraform", &DESTROY).success();
    project.set("TF_CLI_CONFIG_FILE", &native);
    project.terrace(&APPLY).success();
    assert_eq!(project.instances(), by_terraform);
    project.terrace(&DESTROY).success();
    assert_eq!(azure.ids(), Vec::<String>::new());
}
