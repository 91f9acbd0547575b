//! Git repositories, made and fetched by the real program.

use crate::world::{World, call};

const MODULE: &str = "output \"o\" {\n  value = 1\n}\n";

#[test]
fn branches_tags_and_commits_are_fetched() {
    let world = World::new("");
    let first = world.commit("main.tf", MODULE);
    world.git(&["tag", "v1.0.0"]);
    world.git(&["branch", "side/line"]);
    let second = world.commit("main.tf", "# second\n");
    let repository = world.repository();
    let short = first[..10].to_owned();
    for (query, commit) in [
        (String::new(), &second),
        ("?ref=main".to_owned(), &second),
        ("?ref=v1.0.0".to_owned(), &first),
        ("?ref=side/line&depth=1".to_owned(), &first),
        (format!("?ref={first}"), &first),
        (format!("?ref={short}"), &first),
    ] {
        world.write("work/main.tf", &call(&format!("{repository}{query}")));
        let installed = world
            .elsewhere(&terrace_module_source::ModuleLock::default())
            .success();
        let locked = &installed.outcome.lock.modules["m"];
        assert_eq!(locked.revision.as_ref(), Some(commit), "{query}");
        assert_eq!(locked.source, format!("{repository}{query}"));
    }
    assert!(!crate::world::exists(
        &world.path("work/.terraform/modules/m/.git")
    ));
}

#[test]
fn a_branch_stays_where_it_was_locked() {
    let world = World::new("");
    world.commit("main.tf", MODULE);
    world.write(
        "work/main.tf",
        &call(&format!("{}?ref=main", world.repository())),
    );
    let installed = world.first().success();
    let second = world.commit("main.tf", "# second\n");
    let elsewhere = world.elsewhere(&installed.outcome.lock).success();
    assert_eq!(elsewhere.outcome, installed.outcome);
    assert_eq!(world.read("work/.terraform/modules/m/main.tf"), MODULE);
    let upgraded = world.install(elsewhere.outcome, true).success();
    assert_eq!(upgraded.said[0], "Upgrading modules...");
    assert_eq!(
        upgraded.outcome.lock.modules["m"].revision.as_deref(),
        Some(&*second)
    );
    assert_eq!(
        world.read("work/.terraform/modules/m/main.tf"),
        "# second\n"
    );
}

#[test]
fn modules_within_modules_are_found() {
    let world = World::new("");
    world.commit("sub/main.tf", "module \"up\" {\n  source = \"../x\"\n}\n");
    world.commit("x/main.tf", "");
    let repository = world.repository();
    world.write(
        "work/main.tf",
        &call(&format!("{repository}//sub?ref=main")),
    );
    let installed = world.first().success();
    assert_eq!(
        installed.outcome.manifest.records["m"].source,
        format!("{repository}//sub?ref=main")
    );
    assert_eq!(installed.directory("m.up"), ".terraform/modules/m/x");
    world.commit(
        "sub/main.tf",
        "module \"up\" {\n  source = \"../../x\"\n}\n",
    );
    world.install(installed.outcome, true).fails(
        "module-outside-package",
        "module.m.module.up would be outside of its containing package",
    );
}

#[test]
fn packages_call_packages() {
    let world = World::new("");
    let repository = world.repository();
    world.commit("inner/main.tf", "");
    world.commit("main.tf", &call(&format!("{repository}//inner")));
    world.write("work/main.tf", &call(&repository));
    let installed = world.first().success();
    assert_eq!(installed.directory("m.m"), ".terraform/modules/m.m/inner");
    assert_eq!(
        installed.outcome.lock.modules.keys().collect::<Vec<_>>(),
        ["m", "m.m"]
    );
}

#[test]
fn submodules_come_along() {
    let world = World::new("");
    world.commit("main.tf", MODULE);
    let inner = world.path("repository").display().to_string();
    let outer = World::new("");
    outer.commit("main.tf", "");
    outer.git(&["submodule", "--quiet", "add", &inner, "vendored"]);
    outer.git(&["commit", "--quiet", "--message", "x"]);
    outer.write(
        "work/main.tf",
        &call(&format!("{}//vendored", outer.repository())),
    );
    // Repositories of this machine are no submodules without permission.
    let failed = outer.first();
    assert_eq!(failed.problems.len(), 1, "{:?}", failed.problems);
    assert!(
        failed.problems[0]
            .1
            .contains("transport 'file' not allowed"),
        "{:?}",
        failed.problems
    );
}

#[test]
fn what_is_not_there_is_told() {
    let world = World::new("");
    world.commit("main.tf", MODULE);
    let repository = world.repository();
    for (source, text) in [
        (
            format!("{repository}?ref=none"),
            "no branch, tag or commit \"none\"",
        ),
        (
            format!("{repository}-none"),
            "does not appear to be a git repository",
        ),
        (
            format!("{repository}?ref=--upload-pack=x"),
            "is not the name of a branch",
        ),
        (format!("{repository}?depth=x"), "is not a number"),
        (format!("{repository}?sshkey=%21"), "not in base64"),
    ] {
        world.write("work/main.tf", &call(&source));
        world.first().fails("module-download-failed", text);
    }
    world.write("work/main.tf", &call(&format!("{repository}//none")));
    world
        .first()
        .fails("module-subdirectory", "subdir \"none\" not found");
    for source in ["hg::https://example.com/x", "foo::https://example.com/x"] {
        world.write("work/main.tf", &call(source));
        world.first().fails("not-supported-yet", "not supported");
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_a_repository_are_refused() {
    let world = World::new("");
    world.commit("main.tf", MODULE);
    std::os::unix::fs::symlink("/etc/passwd", world.path("repository/secret")).unwrap();
    world.commit("x.tf", "");
    world.write("work/main.tf", &call(&world.repository()));
    world
        .first()
        .fails("module-download-failed", "leads out of it");
}
