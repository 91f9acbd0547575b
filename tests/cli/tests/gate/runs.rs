//! Which runs there are, in which order, and by whom.

use crate::people::Shop;

fn ids(shop: &Shop, environment: &str) -> Vec<String> {
    let option = format!("-env={environment}");
    let runs = shop.project.terrace(&["runs", &option, "-json"]).success();
    let text = |run: &serde_json::Value| run["id"].as_str().unwrap_or_default().to_owned();
    runs.json().as_array().unwrap().iter().map(text).collect()
}

#[test]
fn runs_stand_in_the_order_in_which_they_were_made() {
    let shop = Shop::new();
    let made: Vec<String> = (0..4)
        .map(|number| shop.plan("dev", &[&format!("-var=greeting=number {number}")]))
        .collect();
    assert_eq!(ids(&shop, "dev"), made);
}

#[test]
fn a_run_is_by_whom_signed_it() {
    let mut shop = Shop::new();
    shop.apply_in_dev();
    shop.promote("dev", "stg", "ann");
    let by = |shop: &Shop, environment: &str| {
        let option = format!("-env={environment}");
        let runs = shop.project.terrace(&["runs", &option, "-json"]).success();
        runs.json()[0]["actor"].as_str().unwrap().to_owned()
    };
    assert_eq!(by(&shop, "dev"), "tester@machine");
    assert_eq!(by(&shop, "stg"), "ann");

    // Without a name in the environment, the system knows one.
    shop.project.unset("USER");
    shop.project
        .terrace(&["plan", "-env=dev", "-var=greeting=x"])
        .success();
    let runs = shop
        .project
        .terrace(&["runs", "-env=dev", "-status=planned", "-json"])
        .success()
        .json();
    let actor = runs[0]["actor"].as_str().unwrap();
    assert!(
        actor.ends_with("@machine") && !actor.starts_with("unknown"),
        "{actor}"
    );
}

#[test]
fn a_plan_without_changes_is_no_run_unless_others_wait_for_it() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let before = ids(&shop, "stg");
    shop.project
        .terrace(&["plan", "-env=stg"])
        .success()
        .says("No changes.")
        .omits("needs to know who made this plan")
        .omits("terrace apply -env=stg");
    assert_eq!(ids(&shop, "stg"), before);

    // A configuration that stg has not applied yet is one that prd waits for.
    shop.project.write("more.tf", "locals {\n  more = 1\n}\n");
    let run = shop.plan("stg", &[&shop.key("ann")]);
    assert!(!before.contains(&run));
    shop.apply_in_dev();
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run).success();
    shop.promote("stg", "prd", "ann");
}

#[test]
fn what_a_plan_file_was_planned_for_is_recorded_where_it_is_applied() {
    let shop = Shop::new();
    let project = &shop.project;
    let arguments = ["plan", "-env=dev", "-destroy", "-out=gone.tfplan"];
    project.terrace(&arguments).success();
    assert_eq!(ids(&shop, "dev"), [""; 0], "there is nothing to destroy");
    project.terrace(&["apply", "gone.tfplan"]).success();
    let runs = project
        .terrace(&["runs", "-env=dev", "-json"])
        .success()
        .json();
    assert_eq!(runs[0]["mode"], "destroy", "{runs}");
    assert_eq!(runs[0]["status"], "applied", "{runs}");
}

#[test]
fn the_log_says_in_json_of_which_run_and_environment_it_tells() {
    let mut shop = Shop::new();
    shop.apply_in_dev();
    let log = shop.project.outer().join("log");
    shop.project.set("TF_LOG_PATH", &log);
    shop.project.set("TERRACE_LOG", "json,warn,stg=info");
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run).success();
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for line in &lines {
        for name in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line[name].is_string(), "{name} is missing in {line}");
        }
        let time = line["@timestamp"].as_str().unwrap();
        assert!(
            time.len() == "2026-11-22T05:00:00.000Z".len() && time.ends_with('Z'),
            "{time}"
        );
        // What is told of dev alone is not asked for.
        assert_eq!(line["environment"], "stg", "{line}");
    }
    for event in ["plan", "approve", "apply-start", "apply-end"] {
        let found = lines.iter().find(|line| line["@message"] == event);
        let found = found.unwrap_or_else(|| panic!("no {event} in {text}"));
        assert_eq!(found["run"], run.as_str(), "{found}");
        assert_eq!(found["@level"], "info");
    }
}
