//! What those who install are held to, and what they are told.

use super::{
    Author, HOST, MODULE, applies, calling, cli_config, configure, consumer, make_key, refresh,
    static_site,
};
use crate::server::Served;

#[test]
fn versions_that_are_taken_back_or_deprecated_are_told() {
    let served = Served::start();
    let mut author = Author::new();
    let config = served.cli_config(&served.token("ci", "publish"));
    configure(&mut author.project, &config);
    author.publish(HOST, "1.0.0").success();
    author.edit("more");
    author.publish(HOST, "1.1.0").success();
    let ours = consumer(&config, "~> 1.0");
    ours.terrace(&["init"]).success().says("1.1.0");
    let at = format!("-at={HOST}");
    author
        .project
        .terrace(&[
            "module",
            "yank",
            &at,
            "-reason=it deletes too much",
            MODULE,
            "1.1.0",
        ])
        .success();
    // Who has it locked keeps it, and is told.
    for _ in 0..2 {
        ours.terrace(&["init"])
            .success()
            .says("Module version was taken back")
            .says("it deletes too much");
    }
    applies(&ours);
    // Nobody else gets it.
    consumer(&config, "~> 1.0")
        .terrace(&["init"])
        .success()
        .says("1.0.0")
        .omits("taken back");
    consumer(&config, "1.1.0")
        .terrace(&["init"])
        .fails(1)
        .says("was taken back")
        .says("it deletes too much");
    author
        .project
        .terrace(&["module", "yank", &at, "-undo", MODULE, "1.1.0"])
        .success();
    author
        .project
        .terrace(&[
            "module",
            "deprecate",
            &at,
            "-reason=use 2.0",
            "-link=https://example.com/why",
            MODULE,
            "1.1.0",
        ])
        .success();
    ours.terrace(&["init"])
        .success()
        .omits("taken back")
        .says("Module version is deprecated")
        .says("use 2.0")
        .says("https://example.com/why");
    consumer(&config, "~> 1.0")
        .terrace(&["init"])
        .success()
        .says("1.1.0")
        .says("use 2.0");
}

#[test]
fn another_key_is_refused_and_so_are_other_files() {
    let author = Author::new();
    author.publish("../site", "1.0.0").success();
    let web = static_site(&author.site());
    let config = cli_config(&web.url(""), "");
    let ours = consumer(&config, "~> 1.0");
    ours.terrace(&["init"]).success();
    // The next version is signed by somebody else.
    let other = make_key(&author.project.outer().join("key"));
    author.edit("more");
    author.publish("../site", "1.1.0").success();
    refresh(&web, &author.site(), "");
    ours.terrace(&["init", "-upgrade"])
        .fails(1)
        .says("Module is signed with another key")
        .says(&other)
        .says(&author.fingerprint);
    // Files that nobody signed, under a version that somebody did.
    let directory = author.site().join(format!("v1/modules/{MODULE}"));
    let others = std::fs::read(directory.join("1.1.0/module.zip")).unwrap();
    std::fs::write(directory.join("1.0.0/module.zip"), others).unwrap();
    refresh(&web, &author.site(), "");
    let fresh = consumer(&config, "1.0.0");
    fresh.terrace(&["init"]).fails(1).says("checksum");
    assert!(!fresh.path().join(".terrace.lock.hcl").exists());
    // What is installed already goes on to work.
    ours.write("main.tf", calling("1.0.0"));
    applies(&ours);
}

#[test]
fn what_is_not_committed_is_not_published_under_a_commit() {
    let author = Author::new();
    author.project.commit(".", "x");
    author.edit("more");
    author
        .publish("../site", "1.0.0")
        .fails(1)
        .says("Module differs from the commit");
    author.project.git(&["clean", "--quiet", "--force"]);
    author.publish("../site", "1.0.0").success();
    let about = author.site().join(format!("v1/modules/{MODULE}/versions"));
    let about = std::fs::read_to_string(about).unwrap();
    assert!(about.contains("\"1.0.0\""), "{about}");
}
