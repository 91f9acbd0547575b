//! A byte changed in the audit is found.

use crate::people::{Shop, wait};

fn entries(shop: &Shop) -> Vec<String> {
    wait(shop.runs("stg").list("audit/entries/")).unwrap()
}

fn shop_with_history() -> Shop {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.apply("stg", &run).fails(5);
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run).success();
    shop.project
        .terrace(&["audit", "verify", "-env=stg"])
        .success();
    let listed = shop
        .project
        .terrace(&["audit", "list", "-env=stg", "-json"])
        .success()
        .json_lines();
    let events: Vec<&str> = listed
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "plan",
            "refuse",
            "approve",
            "bootstrap",
            "rules-change",
            "apply-start",
            "apply-end"
        ]
    );
    shop
}

#[test]
fn any_changed_byte_of_the_audit_is_found() {
    let shop = shop_with_history();
    let runs = shop.runs("stg");
    for name in entries(&shop) {
        let good = wait(runs.get(&name)).unwrap().unwrap();
        let place = good
            .windows(6)
            .position(|window| window == b"tester")
            .unwrap();
        let mut bad = good.to_vec();
        bad[place] = b'T';
        wait(runs.put(&name, &bad)).unwrap();
        shop.project
            .terrace(&["audit", "verify", "-env=stg"])
            .fails(1)
            .says("Audit log was tampered with");
        wait(runs.put(&name, &good)).unwrap();
    }
    shop.project
        .terrace(&["audit", "verify", "-env=stg"])
        .success();
}

#[test]
fn a_byte_changed_in_a_file_of_the_audit_is_found() {
    let shop = Shop::new();
    shop.bring_to_prd();
    shop.project
        .terrace(&["audit", "verify", "-env=prd"])
        .success();
    let found = shop
        .project
        .other("find", &[".", "-path", "*audit/entries/*", "-type", "f"])
        .success();
    let mut files: Vec<&str> = found.stdout.lines().collect();
    files.sort_unstable();
    assert!(files.len() > 3, "{files:?}");
    let last = shop.project.path().join(files.last().unwrap());
    let text = std::fs::read_to_string(&last).unwrap();
    std::fs::write(&last, text.replace("tester", "Tester")).unwrap();
    shop.project
        .terrace(&["audit", "verify", "-env=prd"])
        .fails(1)
        .says("was changed");
    std::fs::remove_file(&last).unwrap();
    shop.project
        .terrace(&["audit", "verify", "-env=prd"])
        .fails(1)
        .says("its head says");
}
