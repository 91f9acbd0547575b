//! A project over which Terraform plans as well: both look at each step from the same configuration and the same state.

use serde_json::{Value, json};
use terrace_test_support::{Project, differences, has_terraform};

/// What no plan may show.
const SECRET: &str = "correct horse";

/// A project with what both programs said of it.
pub(crate) struct Beside {
    /// The project; it is initialized for both programs.
    pub(crate) project: Project,
    /// Which provider it is about, and its version.
    subject: String,
    terraform: bool,
    told: Vec<String>,
}

impl Beside {
    /// Initializes the project for both programs.
    #[track_caller]
    pub(crate) fn new(project: Project, provider: &str, version: &str) -> Self {
        project.terrace(&["init"]).success();
        let terraform = has_terraform();
        if terraform {
            let init = ["init", "-input=false"];
            project.other("terraform", &init).success();
        } else {
            println!("SKIPPED the comparison of plans: terraform is not installed");
        }
        Self {
            project,
            subject: format!("{provider} | {version}"),
            terraform,
            told: Vec::new(),
        }
    }

    /// Plans to the file `plan`. Terraform's document for the same configuration and state is the same.
    #[track_caller]
    pub(crate) fn plan(&mut self, step: &str, arguments: &[&str]) -> Value {
        let document = |program: Option<&str>, file: &str| {
            let ask = |words: &[&str]| match program {
                None => self.project.terrace(words),
                Some(program) => self.project.other(program, words),
            };
            let mut plan = vec!["plan", "-input=false", "-out", file];
            plan.extend(arguments);
            ask(&plan).success().omits(SECRET);
            normal(ask(&["show", "-json", file]).success().json())
        };
        let ours = document(None, "plan");
        let mut compared = "not compared";
        if self.terraform {
            let theirs = document(Some("terraform"), "theirs");
            let mut found = Vec::new();
            differences("", &theirs, &ours, &mut found);
            found.retain(|difference| !forgets_what_is_sensitive(&ours, difference));
            assert!(found.is_empty(), "{step}: {}", found.join("\n"));
            compared = "equal";
        }
        self.tell(step, &counted(&ours), compared);
        ours
    }

    /// Applies `plan`, after which neither program has anything left to do.
    #[track_caller]
    pub(crate) fn apply(&mut self, summary: &str) {
        let apply = ["apply", "-input=false", "plan"];
        self.project.terrace(&apply).success().says(summary);
        self.unchanged();
        self.taken_over();
    }

    /// Applies `plan`, after which nothing is left.
    #[track_caller]
    pub(crate) fn destroy(&mut self, summary: &str) {
        let apply = ["apply", "-input=false", "plan"];
        self.project.terrace(&apply).success().says(summary);
        assert!(self.project.instances().is_empty());
    }

    /// Terrace has nothing to do.
    #[track_caller]
    pub(crate) fn unchanged(&self) {
        let plan = ["plan", "-input=false", "-detailed-exitcode"];
        self.project.terrace(&plan).success().says("No changes.");
    }

    /// Terraform has nothing to do.
    #[track_caller]
    pub(crate) fn taken_over(&self) {
        if self.terraform {
            let plan = ["plan", "-input=false", "-detailed-exitcode"];
            let said = self.project.other("terraform", &plan);
            said.success().says("No changes.");
        }
    }

    /// Terraform goes on with the state: it has nothing to do until the variable is set, and changes then what is to be
    /// changed. Terrace takes over what it left.
    #[track_caller]
    pub(crate) fn terraform_goes_on(&mut self, (variable, value): (&str, &str), summary: &str) {
        if !self.terraform {
            self.project.set(variable, value);
            return;
        }
        self.taken_over();
        self.tell("Terraform takes over", "none", "no changes");
        self.project.set(variable, value);
        let apply = ["apply", "-input=false", "-auto-approve"];
        let said = self.project.other("terraform", &apply);
        said.success().says(summary).omits(SECRET);
        self.unchanged();
        self.tell(
            "Terraform applies, Terrace takes over",
            summary,
            "no changes",
        );
    }

    /// Forgets objects, and imports each by a command of both programs: what they leave in the state is the same.
    #[track_caller]
    pub(crate) fn import(&mut self, addresses: &[(&str, &str)]) {
        for (address, id) in addresses {
            self.project.terrace(&["state", "rm", address]).success();
            let without = self.project.terrace(&["state", "pull"]).success().stdout;
            let import = ["import", "-input=false", address, id];
            let theirs = self.terraform.then(|| {
                self.project.other("terraform", &import).success();
                let imported = self.instance(address);
                self.project.write("terraform.tfstate", &without);
                imported
            });
            let said = self.project.terrace(&import).success();
            said.says("Import successful!").omits(SECRET);
            if let Some(theirs) = theirs {
                assert_eq!(self.instance(address), theirs, "{address}");
            }
        }
        let compared = if self.terraform {
            "states equal"
        } else {
            "not compared"
        };
        self.tell(
            "terrace import",
            &format!("{} import", addresses.len()),
            compared,
        );
    }

    /// An instance as it is stored, without what it depends on, which Terraform's imports leave out.
    #[track_caller]
    fn instance(&self, address: &str) -> Value {
        let state: Value = serde_json::from_str(&self.project.read("terraform.tfstate")).unwrap();
        let (resource, key) = match address.split_once('[') {
            Some((resource, key)) => (resource, key.trim_end_matches(']')),
            None => (address, "null"),
        };
        let key: Value = serde_json::from_str(key).unwrap();
        let resources = state["resources"].as_array().unwrap();
        let resource = resources
            .iter()
            .find(|found| format!("{}.{}", text(&found["type"]), text(&found["name"])) == resource)
            .unwrap();
        let mut instances = resource["instances"].as_array().unwrap().iter();
        let found = instances.find(|instance| instance["index_key"] == key);
        let mut found = found.unwrap().clone();
        found.as_object_mut().unwrap().remove("dependencies");
        json!({"provider": resource["provider"], "instance": found})
    }

    fn tell(&mut self, step: &str, what: &str, compared: &str) {
        let what = what.trim_start_matches("Resources: ").trim_end_matches('.');
        self.told.push(format!(
            "EVIDENCE | {} | {step} | {what} | {compared} |",
            self.subject
        ));
    }

    /// Prints what was found out, as the evidence has it.
    pub(crate) fn finish(self) {
        println!("{}", self.told.join("\n"));
    }
}

/// Whether Terraform leaves out of the planned values of an object that is replaced what its schema says is sensitive, as
/// Terraform 1.11 does. The change itself says it all the same.
fn forgets_what_is_sensitive(plan: &Value, difference: &str) -> bool {
    let resource = difference
        .strip_prefix(".planned_values.root_module.resources[")
        .filter(|rest| rest.ends_with(": expected nothing, got true"))
        .and_then(|rest| rest.split_once("].sensitive_values."));
    let Some((index, _)) = resource else {
        return false;
    };
    let index: usize = index.parse().unwrap();
    let planned = &plan["planned_values"]["root_module"]["resources"][index];
    with_actions(plan, &["delete", "create"]).contains(&text(&planned["address"]).to_owned())
}

/// A plan's document without what differs from run to run.
fn normal(mut plan: Value) -> Value {
    for name in ["terraform_version", "timestamp"] {
        plan.as_object_mut().unwrap().remove(name);
    }
    if let Some(prior) = plan.get_mut("prior_state").and_then(Value::as_object_mut) {
        prior.remove("terraform_version");
    }
    if let Some(Value::Array(attributes)) = plan.get_mut("relevant_attributes") {
        attributes.sort_by_key(Value::to_string);
    }
    plan
}

/// The resources of a plan with these actions.
pub(crate) fn with_actions(plan: &Value, actions: &[&str]) -> Vec<String> {
    let found = changes(plan)
        .iter()
        .filter(|change| change["change"]["actions"] == json!(actions));
    found
        .map(|change| text(&change["address"]).to_owned())
        .collect()
}

fn changes(plan: &Value) -> &[Value] {
    plan["resource_changes"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

/// How many objects there are of each kind of change.
fn counted(plan: &Value) -> String {
    let mut parts = Vec::new();
    for (name, actions) in [
        ("create", json!(["create"])),
        ("change", json!(["update"])),
        ("replace", json!(["delete", "create"])),
        ("destroy", json!(["delete"])),
        ("read", json!(["read"])),
    ] {
        let count = changes(plan)
            .iter()
            .filter(|change| change["change"]["actions"] == actions)
            .count();
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    let imported = changes(plan)
        .iter()
        .filter(|change| change["change"]["importing"].is_object())
        .count();
    if imported > 0 {
        parts.push(format!("{imported} import"));
    }
    if parts.is_empty() {
        parts.push("none".to_owned());
    }
    parts.join(", ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
