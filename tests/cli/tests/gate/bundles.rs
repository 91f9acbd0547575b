//! Runs in one file, proven far from their store.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use terrace_gate::public_key_of;
use terrace_test_support::{Project, Ran};

use crate::people::{Shop, wait};

/// A run that was applied in prd, in the file `run.json` of a directory that has nothing else but what says who counts.
struct Elsewhere {
    project: Project,
    run: String,
}

impl Elsewhere {
    fn new(shop: &Shop, run: &str, options: &[&str]) -> Self {
        let file = shop.project.outer().join("run.json");
        let arguments = ["runs", "export", "-env=prd", run];
        let file_name = file.display().to_string();
        let arguments = [&arguments[..], options, &[&file_name]].concat();
        shop.project
            .terrace(&arguments)
            .success()
            .says("sensitive ones included");
        let project = Project::new();
        project.write("run.json", std::fs::read(file).unwrap());
        // Under another name it is no project of this directory.
        project.write("people.hcl", shop.project.read("terrace.hcl"));
        Self {
            project,
            run: run.to_owned(),
        }
    }

    fn verify(&self) -> Ran {
        let arguments = ["runs", "verify", "-project=people.hcl", "run.json"];
        self.project.terrace(&arguments)
    }

    fn content(&self) -> Value {
        serde_json::from_str(&self.project.read("run.json")).unwrap()
    }

    fn put(&self, content: &Value) {
        self.project.write("run.json", content.to_string());
    }
}

fn applied() -> (Shop, String) {
    let shop = Shop::new();
    shop.bring_to_prd();
    let runs = shop
        .project
        .terrace(&["runs", "-env=prd", "-status=applied", "-json"])
        .success()
        .json();
    let run = runs[0]["id"].as_str().unwrap().to_owned();
    (shop, run)
}

#[test]
fn a_run_is_proven_without_its_project_and_its_store() {
    let (shop, run) = applied();
    let elsewhere = Elsewhere::new(&shop, &run, &[&shop.key("cem")]);
    // That it was exported is in the log, which is whole.
    shop.project
        .terrace(&["audit", "verify", "-env=prd"])
        .success();
    let said = elsewhere
        .verify()
        .success()
        .says(&format!("Run {} is what it says", elsewhere.run));
    said.says("exported and signed by cem")
        .says("approved by ben")
        .says("and the log is whole");
    let told = elsewhere
        .project
        .terrace(&["runs", "verify", "-json", "-project=people.hcl", "run.json"])
        .success()
        .json();
    assert_eq!(told["valid"], true);
    assert_eq!(told["run"], elsewhere.run.as_str());

    // By a list of signers, as OpenSSH takes it.
    let mut signers = String::new();
    for person in ["ann", "ben", "cem"] {
        let key = std::fs::read_to_string(shop.project.outer().join("keys").join(person)).unwrap();
        signers = format!("{signers}{person} {}\n", public_key_of(&key).unwrap());
    }
    elsewhere.project.write("signers", &signers);
    let by = |file: &str| {
        let signers = format!("-signers={file}");
        elsewhere
            .project
            .terrace(&["runs", "verify", &signers, "run.json"])
    };
    by("signers").success();
    // Whose keys count is not for the file to say.
    let others = signers.lines().filter(|line| !line.starts_with("ben "));
    elsewhere
        .project
        .write("others", others.collect::<Vec<_>>().join("\n"));
    by("others").fails(1).says("approved by nobody listed");
    elsewhere.project.write("nonsense", "ann nonsense\n");
    by("nonsense").fails(1).says("line 1");
    elsewhere
        .project
        .terrace(&["runs", "verify", "run.json"])
        .fails(1)
        .says("Nobody's signature counts");
    elsewhere.project.write("run.json", "{}");
    elsewhere.verify().fails(1).says("is not an exported run");
}

/// The name of an object that holds this.
fn named(content: &Value, part: &str) -> String {
    let objects = content["objects"].as_object().unwrap();
    let found = objects.keys().find(|name| name.contains(part));
    found.unwrap_or_else(|| panic!("no {part}")).clone()
}

/// An object's content after a change.
fn changed(content: &Value, name: &str, change: impl Fn(String) -> String) -> Value {
    let mut content = content.clone();
    let bytes = STANDARD.decode(content["objects"][name].as_str().unwrap());
    let text = String::from_utf8_lossy(&bytes.unwrap()).into_owned();
    let new = change(text.clone());
    assert_ne!(new, text, "{name}");
    content["objects"][name] = STANDARD.encode(new).into();
    content
}

/// The digest over what is in a file, made anew as somebody would who wants to be believed.
fn with_digest(mut content: Value) -> Value {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    part(content["run"].as_str().unwrap().as_bytes());
    let objects: BTreeMap<&String, &Value> =
        content["objects"].as_object().unwrap().iter().collect();
    for (name, bytes) in objects {
        part(name.as_bytes());
        part(&STANDARD.decode(bytes.as_str().unwrap()).unwrap());
    }
    content["digest"] = format!("{:x}", hasher.finalize()).into();
    content
}

#[test]
fn whatever_is_changed_in_the_file_is_found() {
    let (shop, run) = applied();
    let elsewhere = Elsewhere::new(&shop, &run, &[&shop.key("cem")]);
    let good = elsewhere.content();
    elsewhere.verify().success();
    let approval = named(&good, "/approvals/");
    let record = format!("runs/{run}/run");
    let entry = named(&good, "audit/entries/");
    let rules = format!("runs/{run}/rules");
    let cut = |name: &str| {
        let mut content = good.clone();
        content["objects"].as_object_mut().unwrap().remove(name);
        content
    };
    let edits = [
        changed(&good, &record, |text| {
            text.replace("\"add\":1", "\"add\":0")
        }),
        changed(&good, &approval, |text| {
            text.replace("payload\":\"e", "payload\":\"f")
        }),
        changed(&good, &entry, |text| text.replace("tester", "Tester")),
        changed(&good, &rules, |text| {
            text.replace("\"approvals\":2", "\"approvals\":0")
        }),
        cut(&approval),
        cut(&entry),
        cut(&format!("runs/{run}/plan")),
        cut(&record),
    ];
    for edited in &edits {
        elsewhere.put(edited);
        elsewhere
            .verify()
            .fails(1)
            .says("is not what was exported: it has another digest");
        // With a digest that fits, the exporter's signature is another one's.
        elsewhere.put(&with_digest(edited.clone()));
        elsewhere
            .verify()
            .fails(1)
            .says("the exporter's signature: the signature does not hold");
    }
    // Without the exporter's signature, all but what nobody has signed is found all the same.
    for (index, edited) in edits.iter().enumerate() {
        let mut unsigned = edited.clone();
        unsigned["signature"] = json!(null);
        elsewhere.put(&with_digest(unsigned));
        let verified = elsewhere.verify();
        if index == 3 {
            // What was asked for at the time is the store's word alone, which is why exporters sign.
            verified.whatever();
        } else {
            verified.fails(1).says("is not what it says");
        }
    }
    elsewhere.put(&good);
    elsewhere.verify().success();
}

#[test]
fn another_runs_approval_proves_nothing() {
    let (shop, run) = applied();
    let elsewhere = Elsewhere::new(&shop, &run, &[]);
    let good = elsewhere.content();
    let other = shop.plan("stg", &[&shop.key("ann"), "-var=greeting=other"]);
    shop.approve("stg", "ben", &other);
    let runs = shop.runs("stg");
    let names = wait(runs.list(&format!("runs/{other}/approvals/"))).unwrap();
    let envelope = wait(runs.get(&names[0])).unwrap().unwrap();
    let mut content = good.clone();
    content["objects"][format!("runs/{run}/approvals/0")] = STANDARD.encode(&envelope).into();
    elsewhere.put(&with_digest(content));
    elsewhere.verify().fails(1).says("BAD approved by ben");
}
