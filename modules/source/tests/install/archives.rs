//! Archives of the web and of this machine.

use terrace_test_services::Reply;

use crate::world::{World, call, zip};

fn module(text: &str) -> Vec<u8> {
    zip(&[("main.tf", text), ("deep/main.tf", "")])
}

#[test]
fn an_archive_is_fetched_locked_and_held_to_what_it_was() {
    let world = World::new("");
    world.web.on("/m.zip", Reply::of(module("# one\n")));
    world.write("work/main.tf", &call(&world.web.url("/m.zip//deep")));
    let installed = world.first().success();
    let url = world.web.url("/m.zip");
    assert_eq!(
        installed.said,
        [
            "Initializing modules...".to_owned(),
            format!("Downloading {url} for m..."),
            "- m in .terraform/modules/m/deep".to_owned()
        ]
    );
    assert_eq!(installed.outcome.lock.modules["m"].source, url);
    world.web.on("/m.zip", Reply::of(module("# two\n")));
    world
        .elsewhere(&installed.outcome.lock)
        .fails("module-content-changed", "was locked");
    // With the cache the locked content is there without asking.
    let asked = world.web.asked().len();
    let mut earlier = world
        .install(installed.outcome.clone(), true)
        .success()
        .outcome;
    assert!(world.web.asked().len() > asked);
    earlier.manifest = terrace_module_source::Manifest::default();
    let asked = world.web.asked().len();
    world.install(earlier, false).success();
    assert_eq!(world.web.asked().len(), asked);
}

#[test]
fn checksums_in_addresses_are_checked() {
    let world = World::new("");
    let archive = module("# x\n");
    world.web.on("/m.bin", Reply::of(archive));
    let source = |checksum: &str| {
        call(
            &world
                .web
                .url(&format!("/m.bin?archive=zip&checksum={checksum}")),
        )
    };
    let wrong = "0".repeat(64);
    world.write("work/main.tf", &source(&format!("sha256:{wrong}")));
    world
        .first()
        .fails("module-download-failed", "Checksums did not match");
    world
        .web
        .on("/sums", Reply::of(format!("{wrong}  other.bin\n")));
    let list = world.web.url("/sums");
    world.write("work/main.tf", &source(&format!("file:{list}")));
    world
        .first()
        .fails("module-download-failed", "the list of checksums names no");
}

#[test]
fn pages_lead_to_packages() {
    let world = World::new("");
    world.web.on(
        "/module",
        Reply::status(204).header("X-Terraform-Get", "/page"),
    );
    let page = "<html><head><meta name=\"terraform-get\" content=\"./m.zip//deep\"></head></html>";
    world.web.on("/page", Reply::of(page));
    world.web.on("/m.zip", Reply::of(module("# x\n")));
    world.write("work/main.tf", &call(&world.web.url("/module")));
    let installed = world.first().success();
    assert_eq!(installed.directory("m"), ".terraform/modules/m");
    assert_eq!(world.read("work/.terraform/modules/m/main.tf"), "");
    assert!(world.web.asked()[0].path.contains("terraform-get=1"));
    world.web.on("/page", Reply::of("<html></html>"));
    world
        .elsewhere(&terrace_module_source::ModuleLock::default())
        .fails("module-download-failed", "no source URL was returned");
    world.web.on(
        "/page",
        Reply::status(204).header("X-Terraform-Get", "/module"),
    );
    world
        .elsewhere(&terrace_module_source::ModuleLock::default())
        .fails("module-download-failed", "too many addresses");
    world.web.on(
        "/page",
        Reply::status(204).header("X-Terraform-Get", "file:///etc"),
    );
    world
        .elsewhere(&terrace_module_source::ModuleLock::default())
        .fails("module-download-failed", "not for a server to choose");
}

#[test]
fn a_download_that_breaks_off_goes_on() {
    let world = World::new("");
    let archive = module(&format!("# {}\n", "x".repeat(100_000)));
    let whole = Reply::of(archive.clone()).header("ETag", "\"a\"");
    world
        .web
        .in_turn("/m.zip", [whole.clone().broken_after(300), whole]);
    world.write("work/main.tf", &call(&world.web.url("/m.zip")));
    world.first().success();
    let asked = world.web.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[1].headers["range"], "bytes=300-");
    assert_eq!(asked[1].headers["if-range"], "\"a\"");
}

#[test]
fn a_download_whose_file_has_changed_begins_anew() {
    let world = World::new("");
    let first = Reply::of(module("# one\n"))
        .header("ETag", "\"a\"")
        .broken_after(60);
    let second = Reply::of(module("# two\n")).header("ETag", "\"b\"");
    world.web.in_turn("/m.zip", [first, second]);
    world.write("work/main.tf", &call(&world.web.url("/m.zip")));
    world.first().success();
    assert_eq!(world.read("work/.terraform/modules/m/main.tf"), "# two\n");
}

#[test]
fn nothing_half_done_remains() {
    let world = World::new("");
    let broken = Reply::of(module("# x\n")).broken_after(50);
    world.web.on("/m.zip", broken);
    world.write("work/main.tf", &call(&world.web.url("/m.zip")));
    world.first().fails("module-download-failed", "broke off");
    world.web.on("/m.zip", Reply::of("no archive"));
    world
        .first()
        .fails("module-download-failed", "cannot be unpacked");
    world.web.on("/m.zip", Reply::status(404));
    world.first().fails("module-download-failed", "status 404");
    let left: Vec<_> = std::fs::read_dir(world.path("work/.terraform/modules"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let objects: Vec<_> = std::fs::read_dir(world.path("cache/objects"))
        .unwrap()
        .collect();
    assert!(objects.is_empty(), "{objects:?}");
    world.web.on("/m.zip", Reply::of(module("# x\n")));
    world.first().success();
}

#[test]
fn archives_that_reach_out_are_refused() {
    let world = World::new("");
    world
        .web
        .on("/m.zip", Reply::of(zip(&[("../../escaped.tf", "x")])));
    world.write("work/main.tf", &call(&world.web.url("/m.zip")));
    world
        .first()
        .fails("module-download-failed", "leads out of the package");
    assert!(!crate::world::exists(&world.path("cache/escaped.tf")));
}

#[test]
fn directories_of_this_machine_are_linked_and_archives_unpacked() {
    let world = World::new("");
    world.write("there/main.tf", "");
    world.write("there/deep/main.tf", "");
    let there = world.path("there").display().to_string();
    world.write("work/main.tf", &call(&there));
    let installed = world.first().success();
    assert!(world.path("work/.terraform/modules/m").is_symlink());
    assert_eq!(
        installed.outcome.manifest.records["m"].source,
        format!("file://{there}")
    );
    assert!(installed.outcome.lock.modules.is_empty());
    world.write("work/main.tf", &call(&format!("{there}//de*p")));
    let installed = world.first().success();
    assert_eq!(installed.directory("m"), ".terraform/modules/m/deep");
    world.write("work/main.tf", &call(&format!("{there}//none")));
    world
        .first()
        .fails("module-subdirectory", "subdir \"none\" not found");
    std::fs::write(world.path("m.zip"), module("# x\n")).unwrap();
    world.write("work/main.tf", &call(&format!("{there}/../m.zip")));
    world.first().success();
    world.write("work/main.tf", &call(&format!("{there}/none")));
    world
        .first()
        .fails("module-download-failed", "source path error");
}
