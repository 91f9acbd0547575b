//! The files that a bootstrap writes, as texts.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::Wanted;

/// A file, by its path below the project's directory.
pub(super) struct Text {
    pub(super) path: String,
    pub(super) text: String,
}

impl Text {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// The module, as it is shipped.
const MODULE: [(&str, &str); 5] = [
    (
        "main.tf",
        include_str!("../../../../../modules/library/aws/bootstrap/main.tf"),
    ),
    (
        "roles.tf",
        include_str!("../../../../../modules/library/aws/bootstrap/roles.tf"),
    ),
    (
        "variables.tf",
        include_str!("../../../../../modules/library/aws/bootstrap/variables.tf"),
    ),
    (
        "outputs.tf",
        include_str!("../../../../../modules/library/aws/bootstrap/outputs.tf"),
    ),
    (
        "versions.tf",
        include_str!("../../../../../modules/library/aws/bootstrap/versions.tf"),
    ),
];

/// What the bucket of states is made with.
pub(super) fn configuration(wanted: &Wanted) -> Vec<Text> {
    let mut files: Vec<Text> = MODULE
        .into_iter()
        .map(|(name, text)| Text::new(format!("bootstrap/module/{name}"), text))
        .collect();
    let mut main = String::from(
        "# What all environments rest on. Written by `terrace bootstrap aws`, and yours to change.\n\n",
    );
    main.push_str("terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \">= 6.0, < 7.0\"\n    }\n  }\n}\n\n");
    let _ = write!(
        main,
        "provider \"aws\" {{\n  region = {}\n}}\n\n",
        quoted(&wanted.region)
    );
    main.push_str("module \"bootstrap\" {\n  source = \"./module\"\n\n");
    let mut arguments = vec![
        ("project", quoted(&wanted.project)),
        ("environments", list(&wanted.environments)),
        ("lock", quoted(&wanted.lock)),
    ];
    if let Some(github) = &wanted.github {
        arguments.push(("github_repository", quoted(github)));
        arguments.push(("create_github_provider", wanted.github_provider.to_string()));
    }
    if !wanted.repositories.is_empty() {
        arguments.push(("repositories", list(&wanted.repositories)));
    }
    aligned(&mut main, "  ", &arguments);
    main.push_str("}\n");
    for (name, description) in [
        ("backends", "The arguments of each environment's backend."),
        ("plan_roles", "By environment, the role that plans it."),
        ("apply_roles", "By environment, the role that applies it."),
        (
            "boundaries",
            "By environment, the permissions boundary of every role that is made in it.",
        ),
        (
            "repositories",
            "By name, the address of each repository of images.",
        ),
        (
            "parameter_roots",
            "By environment, what the names of its parameters begin with.",
        ),
    ] {
        let _ = write!(
            main,
            "\noutput {} {{\n  description = {}\n  value       = module.bootstrap.{name}\n}}\n",
            quoted(name),
            quoted(description)
        );
    }
    files.push(Text::new("bootstrap/main.tf", main));
    files
}

/// The arguments of a backend: those of an environment's, or with another key those of the bootstrap itself.
fn backend(outer: &str, block: &str, settings: &Json, key: Option<&str>) -> String {
    let mut arguments: Vec<(&str, String)> = Vec::new();
    for (name, value) in settings.as_object().into_iter().flatten() {
        let value = match (name.as_str(), key, value) {
            ("key", Some(key), _) => quoted(key),
            (_, _, Json::Null) => continue,
            (_, _, Json::String(text)) => quoted(text),
            (_, _, other) => other.to_string(),
        };
        arguments.push((name, value));
    }
    let mut text = format!("{outer}{block} {{\n");
    aligned(&mut text, &format!("{outer}  "), &arguments);
    let _ = writeln!(text, "{outer}}}");
    text
}

/// Where the bootstrap's own state goes: the bucket that it has made.
pub(super) fn own_backend(outputs: &Json) -> Text {
    let backends = outputs["backends"]["value"].as_object();
    let settings = backends.and_then(|backends| backends.values().next());
    let block = backend(
        "  ",
        "backend \"s3\"",
        settings.unwrap_or(&Json::Null),
        Some("bootstrap/terraform.tfstate"),
    );
    let text = format!(
        "# The state lies in the bucket that it describes. Written by `terrace bootstrap aws`.\n\nterraform {{\n{block}}}\n"
    );
    Text::new("bootstrap/backend.tf", text)
}

/// What the environments begin with: the project file and a file of variables for each.
pub(super) fn environments(wanted: &Wanted, outputs: &Json) -> Vec<Text> {
    let mut project = String::from(
        "# The project: its environments, where their states are, and who may do what. `terrace` finds this file from any directory\n# below it. Written by `terrace bootstrap aws`, and yours to change.\n\n",
    );
    match &wanted.github {
        Some(github) => {
            let _ = write!(
                project,
                "project {} {{\n  github = {} # where reviews may count as approvals\n}}\n",
                quoted(&wanted.project),
                quoted(github)
            );
        }
        None => {
            let _ = writeln!(project, "project {} {{}}", quoted(&wanted.project));
        }
    }
    people(&mut project, &wanted.approvers);
    let mut files = Vec::new();
    let mut before: Option<&str> = None;
    for name in &wanted.environments {
        let _ = write!(project, "\nenvironment {} {{\n", quoted(name));
        let mut arguments = Vec::new();
        if let Some(before) = before {
            arguments.push(("after", format!("[{}]", quoted(before))));
        }
        arguments.push((
            "variables",
            format!("[{}]", quoted(&format!("environments/{name}.tfvars"))),
        ));
        aligned(&mut project, "  ", &arguments);
        if before.is_some() {
            project.push_str(
                "\n  gate {\n    approvals = 1 # by someone other than who made the plan\n  }\n",
            );
        }
        project.push('\n');
        project.push_str(&backend(
            "  ",
            "backend \"s3\"",
            &outputs["backends"]["value"][name.as_str()],
            None,
        ));
        let role = |output: &str| outputs[output]["value"][name.as_str()].as_str();
        if let (Some(plan), Some(apply)) = (role("plan_roles"), role("apply_roles")) {
            let _ = write!(
                project,
                "\n  # Workflows sign in as the one to plan, and as the other once the gate is open.\n  credentials {{\n    plan {{\n      AWS_ROLE_ARN = {}\n    }}\n\n    apply {{\n      AWS_ROLE_ARN = {}\n    }}\n  }}\n",
                quoted(plan),
                quoted(apply)
            );
        }
        project.push_str("}\n");
        before = Some(name);
        files.push(variables(wanted, outputs, name));
    }
    files.insert(0, Text::new("terrace.hcl", project));
    files
}

fn variables(wanted: &Wanted, outputs: &Json, environment: &str) -> Text {
    let mut text = format!(
        "# The variables of {environment}. Declare those that your configuration takes.\n\n"
    );
    let mut arguments = vec![
        ("project", quoted(&wanted.project)),
        ("environment", quoted(environment)),
        ("region", quoted(&wanted.region)),
    ];
    if let Some(root) = outputs["parameter_roots"]["value"][environment].as_str() {
        arguments.push(("parameter_root", quoted(root)));
    }
    if let Some(boundary) = outputs["boundaries"]["value"][environment].as_str() {
        arguments.push(("permissions_boundary", quoted(boundary)));
    }
    aligned(&mut text, "", &arguments);
    Text::new(format!("environments/{environment}.tfvars"), text)
}

/// Who may approve.
fn people(project: &mut String, approvers: &[(String, String)]) {
    project.push_str(
        "\n# Who counts for a gate, by key (ssh-keygen -lf KEY.pub) and by login at GitHub.\n",
    );
    if approvers.is_empty() {
        project.push_str(
            "#\n# person \"ada\" {\n#   ssh    = [\"SHA256:…\"]\n#   github = \"ada\"\n# }\n",
        );
    }
    for (name, who) in approvers {
        let line = if who.starts_with("SHA256:") {
            format!("ssh = [{}]", quoted(who))
        } else {
            format!("github = {}", quoted(who))
        };
        let _ = write!(project, "\nperson {} {{\n  {line}\n}}\n", quoted(name));
    }
}

/// Arguments, their equals signs below each other.
fn aligned(text: &mut String, indent: &str, arguments: &[(&str, String)]) {
    let width = arguments
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    for (name, value) in arguments {
        let _ = writeln!(text, "{indent}{name:width$} = {value}");
    }
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as a literal.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}
