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
