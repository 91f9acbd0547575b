//! The whole story of a change, with three people's keys and a clock that the test sets: from dev to production, by
//! normal, standard and emergency changes.

use terrace_test_support::{Project, Ran, Said};

use crate::people::make_key;

const CONFIGURATION: &str = r#"
variable "greeting" {
  type    = string
  default = "hello"
}

variable "banner" {
  type    = string
  default = "open"
}

resource "terraform_data" "shop" {
  input = var.greeting
}

resource "terraform_data" "banner" {
  input = var.banner
}
"#;

const RULES: &str = r#"
environment "dev" {}

environment "stg" {
  after = ["dev"]

  gate {
    approvals = 1
  }
}

environment "prd" {
  after = ["stg"]

  gate {
    approvals = 2
    roles     = ["lead"]
    soak      = "24h"

    window {
      days  = ["mon", "tue", "wed", "thu"]
      from  = "08:00"
      until = "16:00"
      zone  = "Europe/Berlin"
    }
  }
}

freeze {
  from         = "2026-12-20"
  until        = "2027-01-06"
  zone         = "Europe/Berlin"
  reason       = "end of the year"
  environments = ["prd"]
}

change "standard" {
  allow {
    types     = ["terraform_data"]
    addresses = ["terraform_data.banner"]
    actions   = ["update"]
    at_most   = 1
  }

  gate {
    approvals = 0
  }
}

change "emergency" {
  gate {
    approvals = 1
    roles     = ["lead"]
    passes    = ["window", "freeze", "soak", "after"]
  }

  review {
    within    = "48h"
    approvals = 2
  }
}

risk "high" {
  when {
    actions      = ["delete", "replace"]
    environments = ["stg", "prd"]
  }

  gate {
    roles = ["lead"]
  }
}

run {
  require = ["purpose"]
}
"#;

pub(crate) const PURPOSE: &str = "-purpose=to greet";

/// A project with dev, stg and prd, and Ann, Ben and Cem, who leads. Time is what each step says.
pub(crate) struct World {
    pub(crate) project: Project,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(CONFIGURATION, RULES)
    }

    /// With the states and runs of each environment in this backend.
    pub(crate) fn in_backend(block: &str) -> Self {
        let mut rules = RULES.replace("environment \"dev\" {}", "environment \"dev\" {\n}");
        for environment in ["dev", "stg", "prd"] {
            let head = format!("environment {environment:?} {{\n");
            rules = rules.replace(&head, &format!("{head}{block}\n"));
        }
        Self::with(CONFIGURATION, &rules)
    }

    pub(crate) fn with(configuration: &str, rules: &str) -> Self {
        let project = Project::with(configuration);
        let keys = project.outer().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let mut text = "project \"shop\" {}\n".to_owned();
        for person in ["ann", "ben", "cem"] {
            let key = make_key(&keys.join(person), person);
            text = format!(
                "{text}\nperson {person:?} {{\n  ssh    = [{key:?}]\n  github = \"{person}-at-hub\"\n}}\n"
            );
        }
        text.push_str("\nrole \"lead\" {\n  members = [\"cem\"]\n}\n");
        project.write("terrace.hcl", format!("{text}{rules}"));
        Self { project }
    }

    fn key(&self, person: &str) -> String {
        format!(
            "-key={}",
            self.project.outer().join("keys").join(person).display()
        )
    }

    /// What somebody runs with their key.
    pub(crate) fn by(&self, time: &str, person: &str, arguments: &[&str]) -> Ran {
        let key = self.key(person);
        let (command, rest) = arguments.split_first().unwrap();
        let arguments: Vec<&str> = [*command, &key]
            .into_iter()
            .chain(rest.iter().copied())
            .collect();
        self.project.terrace_at(time, &arguments)
    }

    /// What anybody runs.
    pub(crate) fn at(&self, time: &str, arguments: &[&str]) -> Ran {
        self.project.terrace_at(time, arguments)
    }

    /// Ann plans; the run's id.
    pub(crate) fn plan(&self, time: &str, environment: &str, options: &[&str]) -> (String, Said) {
        let environment = format!("-env={environment}");
        let arguments: Vec<&str> = ["plan", &environment]
            .into_iter()
            .chain(options.iter().copied())
            .collect();
        let said = self.by(time, "ann", &arguments).success();
        (run_in(&said), said)
    }

    pub(crate) fn promote(&self, time: &str, from: &str, to: &str) -> String {
        run_in(
            &self
                .by(time, "ann", &["promote", PURPOSE, from, to])
                .success(),
        )
    }

    pub(crate) fn approve(&self, time: &str, environment: &str, person: &str, run: &str) -> Said {
        self.by(
            time,
            person,
            &["approve", &format!("-env={environment}"), run],
        )
        .success()
    }

    pub(crate) fn apply(&self, time: &str, environment: &str, run: &str) -> Ran {
        self.at(time, &["apply", &format!("-env={environment}"), run])
    }

    fn value(&self, environment: &str, name: &str) -> String {
        let shown = self
            .at(
                "2027-06-01T00:00:00Z",
                &["state", "pull", &format!("-env={environment}")],
            )
            .success()
            .json();
        let resources = shown["resources"].as_array().unwrap().clone();
        let found = resources.iter().find(|resource| resource["name"] == name);
        found.unwrap()["instances"][0]["attributes"]["input"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Brings the configuration to stg, on Monday morning.
    pub(crate) fn bring_to_stg(&self) {
        self.at(
            "2026-11-23T09:00:00Z",
            &["apply", "-env=dev", "-auto-approve"],
        )
        .success();
        let run = self.promote("2026-11-23T09:10:00Z", "dev", "stg");
        self.approve("2026-11-23T09:20:00Z", "stg", "ben", &run);
        self.apply("2026-11-23T09:30:00Z", "stg", &run).success();
    }

    /// … and to prd, on Wednesday.
    pub(crate) fn bring_to_prd(&self) {
        self.bring_to_stg();
        self.at("2026-11-24T09:40:00Z", &["drift", "-env=stg"])
            .success();
        let run = self.promote("2026-11-25T08:45:00Z", "stg", "prd");
        self.approve("2026-11-25T08:50:00Z", "prd", "ben", &run);
        self.approve("2026-11-25T08:55:00Z", "prd", "cem", &run);
        self.apply("2026-11-25T09:00:00Z", "prd", &run).success();
    }
}

/// The run that a plan's ending names.
pub(crate) fn run_in(said: &Said) -> String {
    let line = said
        .stdout
        .lines()
        .find(|line| line.starts_with("Run ") && line.contains("To perform exactly these actions"));
    line.unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn dev_applies_and_stg_asks_for_a_purpose_and_an_approval() {
    let world = World::new();
    world
        .at(
            "2026-11-23T09:00:00Z",
            &["apply", "-env=dev", "-auto-approve"],
        )
        .success();
    // Without its purpose a run can be neither approved nor applied.
    let (run, said) = world.plan("2026-11-23T09:05:00Z", "stg", &[]);
    said.says("must state their purpose").says("-purpose=TEXT");
    world
        .by(
            "2026-11-23T09:06:00Z",
            "ben",
            &["approve", "-env=stg", &run],
        )
        .fails(5)
        .says("Runs must state their purpose");
    world
        .apply("2026-11-23T09:07:00Z", "stg", &run)
        .fails(5)
        .says("A run must state its purpose");
    let run = world.promote("2026-11-23T09:10:00Z", "dev", "stg");
    world
        .apply("2026-11-23T09:15:00Z", "stg", &run)
        .fails(5)
        .says("It needs 1 approval by people other than its author, and has none.");
    world
        .approve("2026-11-23T09:20:00Z", "stg", "ben", &run)
        .says("purpose: to greet")
        .says("The gate is satisfied");
    // Taken back, it is none any more; given again, it is.
    world
        .by(
            "2026-11-23T09:21:00Z",
            "ben",
            &["approve", "-revoke", "-env=stg", &run],
        )
        .success();
    world
        .apply("2026-11-23T09:22:00Z", "stg", &run)
        .fails(5)
        .says("ben has taken the approval back");
    world.approve("2026-11-23T09:23:00Z", "stg", "ben", &run);
    world.apply("2026-11-23T09:30:00Z", "stg", &run).success();
    assert_eq!(world.value("stg", "shop"), "hello");
}

#[test]
fn prd_waits_for_people_for_its_window_and_for_the_soak() {
    let world = World::new();
    world.bring_to_stg();
    // Before the soak, neither a promotion nor a plan that was approved all the same.
    world
        .by(
            "2026-11-23T10:00:00Z",
            "ann",
            &["promote", PURPOSE, "stg", "prd"],
        )
        .fails(5)
        .says("must run this configuration without drift until 2026-11-24T09:30:00Z");
    let (early, _) = world.plan("2026-11-23T10:05:00Z", "prd", &[PURPOSE]);
    world.approve("2026-11-23T10:06:00Z", "prd", "ben", &early);
    world.approve("2026-11-23T10:07:00Z", "prd", "cem", &early);
    world
        .apply("2026-11-23T10:10:00Z", "prd", &early)
        .fails(5)
        .says("must run this configuration without drift");
    // The soak is over, and nobody has looked whether stg is still the same.
    world
        .by(
            "2026-11-24T09:40:00Z",
            "ann",
            &["promote", PURPOSE, "stg", "prd"],
        )
        .fails(5)
        .says("no drift check since then")
        .says("terrace drift -env=stg");
    world
        .at("2026-11-24T09:41:00Z", &["drift", "-env=stg"])
        .success()
        .says("nothing has changed outside");
    let run = world.promote("2026-11-24T09:45:00Z", "stg", "prd");
    world.approve("2026-11-24T09:46:00Z", "prd", "ben", &run);
    let refused = world
        .apply("2026-11-24T09:47:00Z", "prd", &run)
        .fails(5)
        .says("It needs 2 approvals by people other than its author, and has 1: by ben.");
    refused.says("Someone of role \"lead\" must approve it: cem.");
    world
        .by(
            "2026-11-24T09:48:00Z",
            "ann",
            &["approve", "-env=prd", &run],
        )
        .fails(5)
        .says("ann is the author of the plan");
    world
        .at(
            "2026-11-24T09:49:00Z",
            &["gate", "explain", "-env=prd", &run],
        )
        .fails(5)
        .says("cem runs `terrace approve -env=prd -key=FILE");
    world
        .by(
            "2026-11-24T09:50:00Z",
            "cem",
            &["approve", "-env=prd", "-expires=1h", &run],
        )
        .success()
        .says("The gate is satisfied");
    world
        .apply("2026-11-24T11:00:00Z", "prd", &run)
        .fails(5)
        .says("the approval by cem has expired");
    world.approve("2026-11-24T14:30:00Z", "prd", "cem", &run);
    // Half past four in Berlin.
    world
        .apply("2026-11-24T15:30:00Z", "prd", &run)
        .fails(5)
        .says("It may be applied only within mon,tue,wed,thu 08:00-16:00 Europe/Berlin")
        .says("Wed 2026-11-25 08:00");
    world.apply("2026-11-25T09:00:00Z", "prd", &run).success();
    assert_eq!(world.value("prd", "shop"), "hello");
    world
        .at(
            "2026-11-25T09:10:00Z",
            &["runs", "verify", "-env=prd", &run],
        )
        .success()
        .says("is what it says");
    let report = world
        .at("2026-11-25T09:11:00Z", &["runs", "report", "-env=prd"])
        .success();
    report.says("ben, cem").says("bootstrap");
}

#[test]
fn an_emergency_passes_and_owes_a_review_that_blocks() {
    let world = World::new();
    world.bring_to_prd();
    emergency_and_review(&world);
}

/// An emergency, the review that it owes, and the next change, in a world that has come to prd.
pub(crate) fn emergency_and_review(world: &World) {
    // On Friday night, by one lead.
    let options = [
        PURPOSE,
        "-change=emergency",
        "-reason=the shop is down",
        "-var=greeting=sorry",
    ];
    let (run, said) = world.plan("2026-11-27T20:00:00Z", "prd", &options);
    said.says("Emergency change").says("the shop is down");
    world
        .apply("2026-11-27T20:01:00Z", "prd", &run)
        .fails(5)
        .says("Someone of role \"lead\" must approve it: cem.");
    world
        .approve("2026-11-27T20:05:00Z", "prd", "cem", &run)
        .says("as a change of type emergency");
    world.apply("2026-11-27T20:06:00Z", "prd", &run).success();
    assert_eq!(world.value("prd", "shop"), "sorry");
    world
        .at("2026-11-27T20:10:00Z", &["runs", "-env=prd"])
        .success()
        .says("Review owed")
        .says("[emergency]");

    // On Monday the review is overdue: the next normal change waits, another emergency does not.
    let normal = "-var=greeting=welcome";
    let (next, said) = world.plan("2026-11-30T10:00:00Z", "prd", &[PURPOSE, normal]);
    said.says("overdue");
    world.approve("2026-11-30T10:01:00Z", "prd", "ben", &next);
    world.approve("2026-11-30T10:02:00Z", "prd", "cem", &next);
    world
        .apply("2026-11-30T10:03:00Z", "prd", &next)
        .fails(5)
        .says(&format!(
            "The review of emergency {run} is overdue since 2026-11-29T20:06:00Z"
        ));
    let again = [
        PURPOSE,
        "-change=emergency",
        "-reason=still down",
        "-var=greeting=very sorry",
    ];
    let (second, _) = world.plan("2026-11-30T10:04:00Z", "prd", &again);
    world.approve("2026-11-30T10:05:00Z", "prd", "cem", &second);
    world
        .apply("2026-11-30T10:06:00Z", "prd", &second)
        .success();

    world
        .by("2026-11-30T10:10:00Z", "ann", &["review", "-env=prd", &run])
        .fails(5)
        .says("nobody reviews what they made themselves");
    for person in ["ben", "cem"] {
        world
            .by(
                "2026-11-30T10:11:00Z",
                person,
                &["review", "-env=prd", &run],
            )
            .success();
    }
    let (next, _) = world.plan("2026-11-30T10:20:00Z", "prd", &[PURPOSE, normal]);
    world.approve("2026-11-30T10:21:00Z", "prd", "ben", &next);
    world.approve("2026-11-30T10:22:00Z", "prd", "cem", &next);
    // The second emergency's review is owed, and not due yet.
    world
        .apply("2026-11-30T10:23:00Z", "prd", &next)
        .success()
        .says("Review owed");
    assert_eq!(world.value("prd", "shop"), "welcome");
    world
        .at("2026-11-30T10:30:00Z", &["runs", "report", "-env=prd"])
        .success()
        .says("the shop is down")
        .says("still down");
    world
        .at("2026-11-30T10:31:00Z", &["audit", "verify", "-env=prd"])
        .success();
}

#[test]
fn an_emergency_says_why() {
    let world = World::new();
    world.bring_to_prd();
    let options = [PURPOSE, "-change=emergency", "-var=greeting=x"];
    let (run, _) = world.plan("2026-11-27T20:00:00Z", "prd", &options);
    world.approve("2026-11-27T20:05:00Z", "prd", "cem", &run);
    world
        .apply("2026-11-27T20:06:00Z", "prd", &run)
        .fails(5)
        .says("An emergency says why it is one");
}

#[test]
fn a_standard_change_fits_its_template_or_is_a_normal_one() {
    let world = World::new();
    world.bring_to_prd();
    let banner = [PURPOSE, "-change=standard", "-var=banner=closed"];
    let (run, _) = world.plan("2026-11-26T09:00:00Z", "prd", &banner);
    world.apply("2026-11-26T09:01:00Z", "prd", &run).success();
    assert_eq!(world.value("prd", "banner"), "closed");

    let both = [
        PURPOSE,
        "-change=standard",
        "-var=banner=closed",
        "-var=greeting=bye",
    ];
    let (run, said) = world.plan("2026-11-26T09:10:00Z", "prd", &both);
    said.says("Judged as a normal change")
        .says("terraform_data.shop (update): only terraform_data.banner is allowed");
    let refused = world.apply("2026-11-26T09:11:00Z", "prd", &run).fails(5);
    refused
        .says("terraform_data.shop (update)")
        .says("It needs 2 approvals");
    // An approval names the type that it is judged as.
    world
        .approve("2026-11-26T09:12:00Z", "prd", "ben", &run)
        .says("Still missing");
    world.approve("2026-11-26T09:13:00Z", "prd", "cem", &run);
    world.apply("2026-11-26T09:14:00Z", "prd", &run).success();
    // By nobody known, not even a change that was agreed on.
    let unsigned = world
        .at(
            "2026-11-26T09:20:00Z",
            &[
                "plan",
                "-env=prd",
                PURPOSE,
                "-change=standard",
                "-var=banner=open",
                "-var=greeting=bye",
            ],
        )
        .success();
    world
        .apply("2026-11-26T09:21:00Z", "prd", &run_in(&unsigned))
        .fails(5)
        .says("The plan's author is unknown");
}

#[test]
fn a_freeze_stops_everything_but_emergencies() {
    let world = World::new();
    world.bring_to_prd();
    let (run, _) = world.plan("2026-12-21T09:00:00Z", "prd", &[PURPOSE, "-var=greeting=x"]);
    world.approve("2026-12-21T09:01:00Z", "prd", "ben", &run);
    world.approve("2026-12-21T09:02:00Z", "prd", "cem", &run);
    world
        .apply("2026-12-21T09:03:00Z", "prd", &run)
        .fails(5)
        .says("Nothing is changed until Thu 2027-01-07 00:00 Europe/Berlin: end of the year.");
}

#[test]
fn a_risky_change_asks_for_the_lead() {
    let world = World::new();
    world.bring_to_stg();
    let options = [PURPOSE, "-replace=terraform_data.shop"];
    let (run, said) = world.plan("2026-11-24T09:00:00Z", "stg", &options);
    said.says("Risky change")
        .says("terraform_data.shop (replace)");
    world.approve("2026-11-24T09:01:00Z", "stg", "ben", &run);
    world
        .apply("2026-11-24T09:02:00Z", "stg", &run)
        .fails(5)
        .says("Someone of role \"lead\" must approve it: cem. The risk \"high\" asks for that.");
    world.approve("2026-11-24T09:03:00Z", "stg", "cem", &run);
    world.apply("2026-11-24T09:04:00Z", "stg", &run).success();
}

#[test]
fn a_change_of_the_rules_is_judged_by_the_old_ones() {
    let world = World::new();
    world.bring_to_stg();
    let rules = world.project.read("terrace.hcl");
    world.project.write(
        "terrace.hcl",
        rules
            .replace(
                "approvals = 1\n  }\n}\n\nenvironment \"prd\"",
                "approvals = 0\n  }\n}\n\nenvironment \"prd\"",
            )
            .replace("require = [\"purpose\"]", "require = []"),
    );
    let (run, _) = world.plan("2026-11-24T09:00:00Z", "stg", &["-var=greeting=x"]);
    let refused = world.apply("2026-11-24T09:01:00Z", "stg", &run).fails(5);
    refused
        .says("It needs 1 approval")
        .says("A run must state its purpose");
    // Let through by the old rules, the new ones hold from then on.
    let (run, _) = world.plan("2026-11-24T09:02:00Z", "stg", &[PURPOSE, "-var=greeting=x"]);
    world.approve("2026-11-24T09:03:00Z", "stg", "ben", &run);
    world.apply("2026-11-24T09:04:00Z", "stg", &run).success();
    let (run, _) = world.plan("2026-11-24T09:05:00Z", "stg", &["-var=greeting=y"]);
    world.apply("2026-11-24T09:06:00Z", "stg", &run).success();
}

#[test]
fn a_state_that_moved_under_an_approved_plan() {
    let world = World::new();
    world.bring_to_stg();
    let plan = |time: &str, option: &str| {
        let (run, _) = world.plan(time, "stg", &[PURPOSE, option]);
        world.approve(time, "stg", "ben", &run);
        run
    };
    let banner = plan("2026-11-24T09:00:00Z", "-var=banner=closed");
    let other = plan("2026-11-24T09:01:00Z", "-var=banner=away");
    let shop = plan("2026-11-24T09:02:00Z", "-var=greeting=welcome");
    world.apply("2026-11-24T09:05:00Z", "stg", &shop).success();
    // Nothing that the plan read or touches has moved: it holds, and so do its approvals.
    world
        .apply("2026-11-24T09:06:00Z", "stg", &banner)
        .success();
    assert_eq!(world.value("stg", "shop"), "welcome");
    assert_eq!(world.value("stg", "banner"), "closed");
    // What this one touches has.
    world
        .apply("2026-11-24T09:07:00Z", "stg", &other)
        .fails(1)
        .says("Saved plan is stale")
        .says("terraform_data.banner");
    assert_eq!(world.value("stg", "banner"), "closed");
}

#[test]
fn a_clock_that_was_set_back_opens_nothing() {
    let world = World::new();
    world.bring_to_prd();
    let (run, _) = world.plan("2026-11-28T09:00:00Z", "prd", &[PURPOSE, "-var=greeting=x"]);
    world.approve("2026-11-28T09:01:00Z", "prd", "ben", &run);
    world.approve("2026-11-28T09:02:00Z", "prd", "cem", &run);
    // A Saturday, outside of the window; the clock says Thursday.
    world
        .apply("2026-11-26T09:00:00Z", "prd", &run)
        .fails(5)
        .says("time that is over does not come back");
}

#[test]
fn drift_is_found_and_stops_a_promotion() {
    let mut world = World::with(
        "resource \"local_file\" \"page\" {\n  filename = \"${path.module}/page-${terraform.workspace}.txt\"\n  content  = \"hello\"\n}\n",
        RULES,
    );
    world.project.write(
        "terrace.tfrc",
        "provider_installation {\n  native {\n    include = [\"hashicorp/*\"]\n  }\n}\n",
    );
    let here = world.project.path().join("terrace.tfrc");
    world.project.set("TF_CLI_CONFIG_FILE", here);
    world.at("2026-11-23T08:00:00Z", &["init"]).success();
    world.bring_to_stg();
    std::fs::remove_file(world.project.path().join("page-stg.txt")).unwrap();
    world
        .at("2026-11-24T09:40:00Z", &["drift", "-env=stg"])
        .fails(2)
        .says("has drifted: 1 object has changed outside.");
    let told = world
        .at("2026-11-24T09:41:00Z", &["drift", "-env=stg", "-json"])
        .fails(2)
        .json_lines();
    let last = told.last().unwrap();
    assert_eq!(last["type"], "drift_summary");
    assert_eq!(last["environments"][0]["drifted"], true);
    assert_eq!(
        last["environments"][0]["changes"][0]["address"],
        "local_file.page"
    );
    world
        .by(
            "2026-11-24T09:45:00Z",
            "ann",
            &["promote", PURPOSE, "stg", "prd"],
        )
        .fails(5)
        .says("is not what was applied there: local_file.page (deleted).");
}

#[test]
fn a_branch_lets_its_own_commits_through_as_they_are() {
    let rules = RULES.replace(
        "  after = [\"dev\"]\n",
        "  after  = [\"dev\"]\n  branch = \"main\"\n",
    );
    let world = World::with(CONFIGURATION, &rules);
    let git = |arguments: &[&str]| world.project.git(arguments);
    let commit = |message: &str| {
        git(&["add", "main.tf", "terrace.hcl"]);
        git(&["commit", "-q", "-m", message]);
    };
    let dev = |time: &str| {
        world
            .at(time, &["apply", "-env=dev", "-auto-approve"])
            .success();
    };
    let approved = |time: &str| {
        let run = world.promote(time, "dev", "stg");
        world.approve(time, "stg", "ben", &run);
        run
    };
    git(&["init", "-q", "-b", "main"]);
    commit("first");
    dev("2026-11-23T09:00:00Z");
    let run = approved("2026-11-23T09:01:00Z");
    world.apply("2026-11-23T09:02:00Z", "stg", &run).success();

    // What is not committed is not the commit's.
    let edited = CONFIGURATION.replace("hello", "hi");
    world.project.write("main.tf", &edited);
    dev("2026-11-23T10:00:00Z");
    let run = approved("2026-11-23T10:01:00Z");
    world
        .apply("2026-11-23T10:02:00Z", "stg", &run)
        .fails(5)
        .says(
            "Only commits of branch \"main\" are applied here: main.tf is not as it is in commit",
        );
    // A commit of another branch is not on this one.
    git(&["checkout", "-q", "-b", "feature"]);
    commit("second");
    dev("2026-11-23T11:00:00Z");
    let run = approved("2026-11-23T11:01:00Z");
    world
        .apply("2026-11-23T11:02:00Z", "stg", &run)
        .fails(5)
        .says("is not on it");
    // Once the branch has it, it is let through.
    git(&["checkout", "-q", "main"]);
    git(&["merge", "-q", "--ff-only", "feature"]);
    world.apply("2026-11-23T11:03:00Z", "stg", &run).success();

    // An older commit does not contain what dev has applied since.
    world
        .project
        .write("main.tf", CONFIGURATION.replace("hello", "hey"));
    commit("third");
    dev("2026-11-23T12:00:00Z");
    git(&["checkout", "-q", "HEAD~1"]);
    let (old, _) = world.plan("2026-11-23T12:01:00Z", "stg", &[PURPOSE, "-var=banner=x"]);
    world.approve("2026-11-23T12:02:00Z", "stg", "ben", &old);
    git(&["checkout", "-q", "main"]);
    world
        .apply("2026-11-23T12:03:00Z", "stg", &old)
        .fails(5)
        .says("does not contain what environment \"dev\" has applied");
}
