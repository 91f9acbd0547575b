//! The protocols' definitions beside those in the SDK that is published.
#![allow(clippy::print_stdout, reason = "a test")]

use std::collections::BTreeSet;

use terrace_test_services::published_protocols;

/// What `providers/protocol` is held to by its own test.
const FACTS: &str = include_str!("../../../providers/protocol/tests/facts/tfplugin.txt");

#[test]
fn definitions_are_those_in_the_published_sdk() {
    let published = match published_protocols() {
        Ok(published) => published,
        // Elsewhere a machine may do without Go and its module proxy.
        Err(why) if std::env::var_os("CI").is_none() => {
            println!("SKIPPED the published definitions: {why}");
            return;
        }
        Err(why) => panic!("terraform-plugin-go cannot be asked for its descriptors: {why}"),
    };
    let published: BTreeSet<&str> = published.lines().collect();
    let ours: BTreeSet<&str> = FACTS.lines().collect();
    let missing: Vec<_> = published.difference(&ours).collect();
    let invented: Vec<_> = ours.difference(&published).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing: {missing:#?}\ninvented: {invented:#?}"
    );
    println!(
        "published protocol definitions: {} of {}",
        ours.len(),
        published.len()
    );
}
