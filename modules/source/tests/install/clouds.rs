//! Objects of clouds and artifacts of OCI registries, by stand-ins that look at what they are asked.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use terrace_test_services::Reply;

use crate::world::{World, call, zip};

#[test]
fn objects_of_s3_are_asked_for_with_a_signature() {
    let mut world = World::new("");
    world.environment = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    world
        .web
        .on("/bucket/m.zip", Reply::of(zip(&[("main.tf", "")])));
    let source = format!("s3::{}", world.web.url("/bucket/m.zip?region=eu-west-1"));
    world.write("work/main.tf", &call(&source));
    world.first().success();
    let headers = &world.web.asked()[0].headers;
    assert!(headers["authorization"].starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert!(headers["authorization"].contains("/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
    assert_eq!(headers["x-amz-security-token"], "session");
    assert_eq!(world.web.asked()[0].path, "/bucket/m.zip");
}

#[test]
fn without_credentials_s3_is_asked_openly() {
    let world = World::new("");
    world.web.on("/bucket/m.zip", Reply::status(403));
    world.write(
        "work/main.tf",
        &call(&format!("s3::{}", world.web.url("/bucket/m.zip"))),
    );
    world
        .first()
        .fails("module-download-failed", "The request was not signed");
    world.write(
        "work/main.tf",
        &call(&format!("s3::{}", world.web.url("/bucket/folder"))),
    );
    world.first().fails(
        "module-download-failed",
        "only archives are fetched from S3",
    );
}

#[test]
fn objects_of_cloud_storage_are_asked_for_with_a_token() {
    let mut world = World::new("");
    let endpoint = world.web.url("");
    world
        .environment
        .insert("STORAGE_EMULATOR_HOST".to_owned(), endpoint);
    world.web.on(
        "/bucket/a/m.zip",
        Reply::of(zip(&[("main.tf", "")])).needs("Authorization", "Bearer sesame"),
    );
    world.write(
        "work/main.tf",
        &call("gcs::https://www.googleapis.com/storage/v1/bucket/a/m.zip"),
    );
    world
        .first()
        .fails("module-download-failed", "No token was sent");
    world
        .environment
        .insert("GOOGLE_OAUTH_ACCESS_TOKEN".to_owned(), "sesame".to_owned());
    world.first().success();
}

#[test]
fn artifacts_of_oci_registries_are_packages() {
    let world = World::new("");
    let archive = zip(&[("main.tf", ""), ("deep/main.tf", "")]);
    let mut digest = String::new();
    for byte in Sha256::digest(&archive) {
        write!(digest, "{byte:02x}").unwrap();
    }
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.opentofu.modulepkg","layers":[{{"mediaType":"archive/zip","digest":"sha256:{digest}","size":{}}}]}}"#,
        archive.len()
    );
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"here\"",
        world.web.url("/token")
    );
    let open = |reply: Reply| {
        reply
            .needs("Authorization", "Bearer t0ken")
            .header("WWW-Authenticate", &challenge)
    };
    world
        .web
        .on("/v2/acme/net/manifests/1.0.0", open(Reply::json(&manifest)));
    world.web.on(
        &format!("/v2/acme/net/blobs/sha256:{digest}"),
        open(Reply::of(archive)),
    );
    world.web.on("/token", Reply::json("{\"token\":\"t0ken\"}"));
    let source = format!("oci://{}/acme/net//deep?tag=1.0.0", world.web.authority());
    world.write("work/main.tf", &call(&source));
    let installed = world.first().success();
    assert_eq!(installed.directory("m"), ".terraform/modules/m/deep");
    let token = world
        .web
        .asked()
        .into_iter()
        .find(|asked| asked.path.starts_with("/token"))
        .unwrap();
    assert!(
        token
            .path
            .contains("scope=repository%3Aacme%2Fnet%3Apull&service=here"),
        "{}",
        token.path
    );

    world.web.on(
        &format!("/v2/acme/net/blobs/sha256:{digest}"),
        open(Reply::of("other")),
    );
    world
        .elsewhere(&terrace_module_source::ModuleLock::default())
        .fails("module-download-failed", "Checksums did not match");
    world.web.on(
        "/v2/acme/net/manifests/1.0.0",
        open(Reply::json("{\"layers\":[]}")),
    );
    world
        .elsewhere(&terrace_module_source::ModuleLock::default())
        .fails("module-download-failed", "no layer of type archive/zip");
}
