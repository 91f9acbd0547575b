//! The modules that are shipped for AWS, held to the schema of hashicorp/aws 6.48: each passes `terrace module check`, its tests
//! and its example among them, without an account and without the provider itself.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use terrace_test_support::{Project, aws_by_its_schema, has_terraform};

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../modules/library/aws")
}

/// The names of the modules.
fn modules() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(library())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == ".terraform" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy of a module as the working directory.
fn module(name: &str) -> Project {
    let mut project = Project::new();
    copy(&library().join(name), &project.path());
    aws_by_its_schema(&mut project);
    project
}

#[test]
fn every_module_passes_its_check() {
    let names = modules();
    assert_eq!(
        names,
        [
            "bootstrap",
            "parameters",
            "pipeline",
            "service-image",
            "static-site"
        ]
    );
    for name in names {
        let project = module(&name);
        project.terrace(&["init"]).success();
        project
            .terrace(&["module", "check"])
            .success()
            .says("tests       ok")
            .says("examples    ok");
    }
}

#[test]
fn the_reference_finds_them_valid_too() {
    if !has_terraform() {
        println!("SKIPPED modules under terraform: there is none");
        return;
    }
    for name in modules() {
        let project = module(&name);
        // A root module has no ephemeral outputs, so that such a module is looked at through its caller.
        let directory = if name == "parameters" {
            "-chdir=tests/caller"
        } else {
            "-chdir=."
        };
        project
            .other("terraform", &[directory, "init", "-no-color"])
            .success();
        project
            .other("terraform", &[directory, "validate", "-no-color"])
            .success();
    }
}

#[test]
fn what_the_provider_does_not_know_is_found() {
    let project = module("service-image");
    let text = project.read("main.tf");
    project.write(
        "main.tf",
        text.replace("image_tag_mutability = ", "image_tag_mutable = "),
    );
    project.terrace(&["init"]).success();
    project
        .terrace(&["module", "check", "-only=valid"])
        .fails(1)
        .says("An argument named \"image_tag_mutable\" is not expected here");
}

/// Only these types are used: the ones that the native provider has.
#[test]
fn only_types_that_are_native_are_used() {
    const TYPES: [&str; 35] = [
        "aws_caller_identity",
        "aws_cloudfront_distribution",
        "aws_cloudfront_function",
        "aws_cloudfront_origin_access_control",
        "aws_cloudwatch_event_rule",
        "aws_cloudwatch_event_target",
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_metric_alarm",
        "aws_dynamodb_table",
        "aws_ecr_lifecycle_policy",
        "aws_ecr_repository",
        "aws_ecr_repository_policy",
        "aws_iam_openid_connect_provider",
        "aws_iam_policy",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_kms_alias",
        "aws_kms_key",
        "aws_lambda_event_source_mapping",
        "aws_lambda_function",
        "aws_lambda_permission",
        "aws_partition",
        "aws_region",
        "aws_s3_bucket",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_s3_object",
        "aws_sqs_queue",
        "aws_sqs_queue_policy",
        "aws_ssm_parameter",
    ];
    for name in modules() {
        for entry in std::fs::read_dir(library().join(&name)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "tf") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let mut words = line.split('"');
                let kind = words.next();
                if !matches!(kind, Some("resource " | "data " | "ephemeral ")) {
                    continue;
                }
                let Some(found) = words.next() else { continue };
                assert!(TYPES.contains(&found), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn the_server_of_a_site_is_its_program() {
    let server = library().join("static-site/server");
    let archive = std::fs::File::open(server.join("server.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    assert_eq!(archive.len(), 1);
    let mut packed = String::new();
    archive
        .by_name("index.py")
        .unwrap()
        .read_to_string(&mut packed)
        .unwrap();
    let program = std::fs::read_to_string(server.join("index.py")).unwrap();
    assert_eq!(packed, program);
}
