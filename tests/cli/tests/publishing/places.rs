//! From each place that modules are published to, Terrace installs them, and Terraform from those that it knows.

use terrace_test_services::OciRegistry;
use terrace_test_support::{Project, available};

use super::{
    Author, HOST, MODULE, applies, call, cli_config, configure, consumer, has_terraform, make_key,
    refresh, static_site, terraform_applies,
};

#[test]
fn from_a_folder_that_any_web_server_shows() {
    let author = Author::new();
    author
        .publish("../site", "1.0.0")
        .success()
        .says("Published acme/network/aws 1.0.0")
        .says(&author.fingerprint);
    author
        .publish("../site", "1.0.0")
        .fails(1)
        .says("Version is published already");
    let web = static_site(&author.site());
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
    author.publish("../site", "1.1.0").success();
    refresh(&web, &author.site(), "");
    ours.terrace(&["init", "-upgrade"])
        .success()
        .says(&format!("{HOST}/{MODULE} 1.1.0"));
    applies(&ours);
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
