//! From each place that modules are published to, Terrace installs them, and Terraform from those that it knows.

use terrace_test_services::{OciRegistry, Web};
use terrace_test_support::{Project, available};

use super::{
    Author, HOST, MODULE, applies, call, cli_config, configure, consumer, has_terraform, make_key,
    refresh, terraform_applies,
};
use crate::bucket::Bucket;

/// Publishes to a place that a web server shows, and installs from there; `refresh` lets the server show what is there.
fn from_a_site(author: &Author, place: &str, web: &Web, refresh: impl Fn()) {
    author
        .publish(place, "1.0.0")
        .success()
        .says("Published acme/network/aws 1.0.0")
        .says(&author.fingerprint);
    author
        .publish(place, "1.0.0")
        .fails(1)
        .says("Version is published already");
    refresh();
    let config = cli_config(&web.url(""), "");
    let ours = consumer(&config, "~> 1.0");
    ours.terrace(&["init"])
        .success()
        .says(&format!("{HOST}/{MODULE} 1.0.0"));
    let lock = ours.read(".terrace.lock.hcl");
    assert!(lock.contains(&author.fingerprint), "{lock}");
    assert!(lock.contains("h1:"), "{lock}");
    applies(&ours);
    if has_terraform() {
        terraform_applies(&consumer(&config, "~> 1.0"));
    }
    // A version more, which Terraform and Terrace take by its number.
    author.edit("more");
    author.publish(place, "1.1.0").success();
    refresh();
    ours.terrace(&["init", "-upgrade"])
        .success()
        .says(&format!("{HOST}/{MODULE} 1.1.0"));
    applies(&ours);
}

#[test]
fn from_a_folder_that_any_web_server_shows() {
    let author = Author::new();
    let web = Web::start().unwrap();
    let site = author.site();
    from_a_site(&author, "../site", &web, || refresh(&web, &site, ""));
}

#[test]
fn from_a_bucket_that_is_shown_as_a_site() {
    let Some(bucket) = Bucket::start("a bucket of modules") else {
        return;
    };
    let mut author = Author::new();
    bucket.surround(&mut author.project);
    let web = bucket.site("site");
    from_a_site(&author, &Bucket::place("site"), &web, || {});
    let at = format!("-at={}", Bucket::place("site"));
    author
        .project
        .terrace(&[
            "module",
            "yank",
            &at,
            "-reason=it is a test",
            MODULE,
            "1.1.0",
        ])
        .success();
    consumer(&cli_config(&web.url(""), ""), "~> 1.0")
        .terrace(&["init"])
        .success()
        .says(&format!("{HOST}/{MODULE} 1.0.0"));
}

#[test]
fn from_an_oci_registry() {
    let Some(registry) = available("crane's registry", OciRegistry::start()) else {
        return;
    };
    let place = format!("oci://{}/acme/network", registry.authority());
    let author = Author::new();
    author.publish(&place, "1.0.0").success().says(&format!(
        "Published acme/network/aws 1.0.0 to {place}@sha256:"
    ));
    author
        .publish(&place, "1.0.0")
        .fails(1)
        .says("Version is published already");
    author.edit("more");
    author.publish(&place, "1.1.0").success();
    let mut ours = Project::with(&call(&format!("{place}?tag=1.0.0"), ""));
    configure(&mut ours, "");
    ours.terrace(&["init"]).success();
    applies(&ours);
    ours.write("main.tf", call(&format!("{place}?tag=1.1.0"), ""));
    ours.terrace(&["init"]).success();
    applies(&ours);
    let lock = ours.read(".terrace.lock.hcl");
    assert!(lock.contains(&author.fingerprint), "{lock}");
    // Whoever else may write to the registry has another key.
    let other = make_key(&author.project.outer().join("key"));
    author.edit("and more");
    author.publish(&place, "1.2.0").success();
    ours.write("main.tf", call(&format!("{place}?tag=1.2.0"), ""));
    ours.terrace(&["init"])
        .fails(1)
        .says("Module is signed with another key")
        .says(&other)
        .says(&author.fingerprint);
    ours.write("main.tf", call(&format!("{place}?tag=2.0.0"), ""));
    ours.terrace(&["init"]).fails(1);
}
