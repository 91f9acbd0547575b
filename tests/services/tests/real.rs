//! What is installed is what it is said to be, and what is started answers.

#![allow(clippy::disallowed_methods, reason = "a test of programs")]

use std::process::Command;

use terrace_test_services::{
    Mirror, Moto, aws_provider_zip, fake_provider, null_provider, platform, time_provider,
};

#[test]
fn providers_are_programs() {
    for program in [
        null_provider().unwrap(),
        time_provider().unwrap(),
        fake_provider().unwrap(),
    ] {
        let output = Command::new(&program).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("plugin"), "{}: {said}", program.display());
    }
}

#[test]
fn a_mirror_holds_them() {
    let mirror = Mirror::new().unwrap().with_small_providers().unwrap();
    let null = mirror
        .path()
        .join("registry.terraform.io/hashicorp/null/2.1.2")
        .join(platform());
    assert!(null.join("terraform-provider-null_v2.1.2_x4").is_file());
    let config = std::fs::read_to_string(mirror.cli_config().unwrap()).unwrap();
    assert!(config.contains("filesystem_mirror"));
}

#[test]
fn the_aws_provider_is_a_zip() {
    let zip = std::fs::File::open(aws_provider_zip().unwrap()).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    assert!(
        zip.by_index(0)
            .unwrap()
            .name()
            .unwrap()
            .starts_with("terraform-provider-aws_v3.39.0")
    );
}

#[test]
fn moto_answers() {
    let moto = Moto::start().unwrap();
    assert!(moto.endpoint().starts_with("http://127.0.0.1:"));
    moto.reset().unwrap();
}
