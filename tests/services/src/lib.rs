//! Real providers and servers for tests: installed once, started on free ports, gone afterwards.
//!
//! What is installed stays in `target/test-tools`, so that only the first run waits for it. Where the tools to install
//! something are missing, the error says which; a test may then skip, saying so.
#![allow(clippy::disallowed_methods, reason = "tests install and start things")]

mod aws;
mod azure;
mod azurite;
mod boring;
mod browser;
mod certificates;
mod conformance;
mod consumers;
mod dynamodb;
mod gateway;
mod gcs;
mod github;
mod golang;
mod install;
mod issuer;
mod kube;
mod kubernetes_real;
mod minio;
mod mirror;
mod moto;
mod oci;
mod ports;
mod postgres;
mod proxy;
mod registry;
mod sshd;
mod state_server;
mod web;

pub use aws::Aws;
pub use azure::{AzureFault, AzureManner, AzureStandIn};
pub use azurite::Azurite;
pub use boring::BoringRegistry;
pub use browser::Browser;
pub use certificates::{Authority, Certified};
pub use conformance::{conformance_provider_go, conformance_provider_python, published_protocols};
pub use consumers::{cdktf, checkov, conftest, opa, terragrunt, tflint};
pub use dynamodb::DynamoDb;
pub use gateway::Gateway;
pub use gcs::CloudStorage;
pub use github::{GitHubFault, GitHubStandIn};
pub use golang::{act, actionlint, current_provider, go_module};
pub use install::{
    Unavailable, aws_plugin, aws_provider_zip, azure_plugin, fake_provider, null_provider,
    schema_provider, terrace, terrace_with_test_clock, time_provider, tools_directory,
};
pub use issuer::{TokenKey, WorkflowIssuer, workflow_claims};
pub use kube::KubernetesStandIn;
pub use kubernetes_real::Kubernetes;
pub use minio::Minio;
pub use mirror::{Mirror, platform};
pub use moto::Moto;
pub use oci::OciRegistry;
pub use postgres::Postgres;
pub use proxy::{Exchange, Fault, HTTP_FAULTS, Proxy, TCP_FAULTS, Way};
pub use registry::{ProviderRegistry, Release, Signer, archive};
pub use sshd::Sshd;
pub use state_server::StateServer;
pub use web::{Asked, Reply, Web};
