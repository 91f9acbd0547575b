//! The page in a real browser: how fast, by keyboard alone, for everybody, and against names that try to be scripts.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use terrace_page_tests::{CANARY, hostile, rendered, shop};
use terrace_plan::Plan;
use terrace_test_services::Browser;
use terrace_test_support::size;

/// The browser, or the reason why a test of `what` is skipped, which is printed.
fn browser(what: &str) -> Option<Browser> {
    match Browser::get() {
        Ok(browser) => Some(browser),
        Err(why) => {
            println!("SKIPPED {what}: {why}");
            None
        }
    }
}

/// A page in a directory of its own, and what is done with it.
struct Stage {
    directory: tempfile::TempDir,
    bytes: usize,
}

impl Stage {
    fn of(plan: &Plan) -> Self {
        let html = rendered(plan).html;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("page.html"), &html).unwrap();
        Self {
            directory,
            bytes: html.len(),
        }
    }

    fn play(&self, browser: &Browser, mut job: Value) -> Value {
        let page = self.directory.path().join("page.html");
        job["page"] = json!(format!("file://{}", page.display()));
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("driver.cjs");
        browser.play(&driver, &job).unwrap()
    }
}

#[test]
fn first_view_and_frames_are_measured() {
    let Some(browser) = browser("the page's speed in Chromium") else {
        return;
    };
    for changes in [5_000, size(0, 10_000)] {
        if changes == 0 {
            println!("SKIPPED the page's speed with 10,000 changes: TERRACE_FULL is not set");
            continue;
        }
        let stage = Stage::of(&shop(changes));
        let job = json!({"action": "measure", "frames": 240});
        let found = stage.play(&browser, job);
        let number = |name: &str| found[name].as_f64().unwrap();
        let frames = |name: &str| {
            let number = |part: &str| found[name][part].as_f64().unwrap();
            format!(
                "{} frames, median {:.1} ms, 95 % below {:.1} ms, longest {:.1} ms",
                number("frames"),
                number("median"),
                number("most"),
                number("worst")
            )
        };
        println!(
            "The page of {changes} changes ({} kB): first painted after {:.0} ms, complete after {:.0} ms; scrolled as by a wheel: {}; in leaps through all of it: {}; a search shown after {:.0} ms",
            stage.bytes / 1000,
            number("painted"),
            number("shown"),
            frames("wheel"),
            frames("leaps"),
            number("typed"),
        );
        // What is not near the window is not in the document, and nothing but the page is loaded.
        assert!(number("inDocument") < 200.0, "{found}");
        assert_eq!(found["requests"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(found["errors"], json!([]));
    }
}

#[test]
fn a_change_is_found_and_read_by_keyboard_alone() {
    let Some(browser) = browser("the page by keyboard") else {
        return;
    };
    let stage = Stage::of(&shop(5_000));
    let job = json!({"action": "keyboard", "query": "payments records[3]", "all": "5,000 changes"});
    let found = stage.play(&browser, job);
    let text = |step: &str| found[step]["text"].as_str().unwrap().to_owned();
    assert_eq!(found["search"]["id"], "query");
    assert!(
        text("found").contains("module.service[\"payments\"].aws_dynamodb_table.records[3]"),
        "{found}"
    );
    assert_eq!(found["found"]["expanded"], "false");
    assert_eq!(found["count"], "1 of 5,000 changes");
    assert_eq!(found["unfolded"]["expanded"], "true");
    let details = found["details"].as_str().unwrap();
    for part in [
        "will be updated in-place",
        "cost-centre",
        "\"4711\"",
        "\"4712\"",
        "var.cost_centre changed",
    ] {
        assert!(details.contains(part), "{part}: {details}");
    }
    assert_eq!(found["folded"]["expanded"], "false");
    assert_eq!(text("folded"), text("found"));
    assert_eq!(found["cleared"]["id"], "query");
    assert_ne!(text("first"), text("second"));
    assert_ne!(text("second"), text("third"));
    assert!(
        text("home").starts_with("module.service[\"accounts\"]"),
        "{found}"
    );
    assert_ne!(text("last"), text("first"));
    assert_eq!(found["home"]["expanded"], "true");
    assert_eq!(found["group"]["expanded"], "false", "Enter folds a group");
    assert_eq!(found["read"], "1 of 5,000 read");
    assert_eq!(found["help"]["text"], "Close");
    assert_eq!(found["graph"]["id"], "tab-graph");
    assert!(found["nodes"].as_u64().unwrap() >= 2, "{found}");
    assert_eq!(found["back"]["tag"], "BUTTON");
    assert_eq!(found["errors"], json!([]));
}

#[test]
fn axe_finds_nothing() {
    let Some(browser) = browser("the page's accessibility") else {
        return;
    };
    let stage = Stage::of(&shop(500));
    let job = json!({"action": "accessibility", "query": "orders records[0]"});
    let found = stage.play(&browser, job);
    let violations: Vec<&str> = found["found"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    println!(
        "axe-core looked at the page {} times and found {} violations",
        found["looks"],
        violations.len()
    );
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert_eq!(found["looks"], 24);
}

#[test]
fn names_and_values_run_nothing() {
    let Some(browser) = browser("script injection into the page") else {
        return;
    };
    let plan = hostile();
    let stage = Stage::of(&plan);
    let found = stage.play(&browser, json!({"action": "injection", "canary": CANARY}));
    let outcomes = found.as_array().unwrap();
    assert_eq!(outcomes.len(), 2);
    for outcome in outcomes {
        assert_eq!(outcome["canary"], Value::Null, "{outcome}");
        assert_eq!(outcome["unfolded"], plan.changes.len(), "{outcome}");
        for name in ["foreign", "handlers", "dialogs"] {
            assert_eq!(outcome[name], 0, "{name}: {outcome}");
        }
        assert_eq!(outcome["scripts"], 2, "the data and the program: {outcome}");
        assert_eq!(
            outcome["requests"].as_array().unwrap().len(),
            1,
            "{outcome}"
        );
        assert_eq!(outcome["errors"], json!([]), "{outcome}");
        // It is all there, as text.
        let text = outcome["text"].as_str().unwrap();
        assert!(text.contains("</script><script>"), "{text}");
    }
}

#[test]
fn the_documentations_pictures() {
    if std::env::var_os("TERRACE_SCREENSHOTS").is_none() {
        println!("SKIPPED the documentation's pictures: TERRACE_SCREENSHOTS is not set");
        return;
    }
    let browser = Browser::get().unwrap();
    let directory: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    std::fs::create_dir_all(&directory).unwrap();
    let stage = Stage::of(&shop(5_000));
    let job =
        json!({"action": "screenshots", "query": "orders records[0]", "directory": directory});
    stage.play(&browser, job);
    assert!(directory.join("page.png").exists());
}
