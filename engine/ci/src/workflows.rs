//! Workflows for GitHub, as texts.
#![expect(
    clippy::format_push_string,
    reason = "the texts are short, and read better so"
)]

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::matrix::variable_name;

/// What workflows are written from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowSettings {
    /// What files and workflows begin with.
    pub prefix: String,
    /// The environments, each with those that come before it.
    pub environments: Vec<(String, Vec<String>)>,
    /// The branch that is applied from.
    pub branch: String,
    /// The folder of the project file, relative to the repository; `.` for the repository itself.
    pub folder: String,
    /// The action, such as `terrace-iac/terrace/.github/actions/terrace@v1.0.0`.
    pub action: String,
}

/// A workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Its file, relative to the repository.
    pub path: String,
    /// Its text.
    pub text: String,
}

const HEADER: &str = "# Written by `terrace init-ci github` from terrace.hcl. After a change of the environments, run it again.\n";
const SUM: &str = "# terrace:sum:";
const CHECKOUT: &str = "actions/checkout@v4";
const DOWNLOAD: &str = "actions/download-artifact@v4";
const UPLOAD: &str = "actions/upload-artifact@v4";

/// The workflows of a project: plans of pull requests, applies of what was merged, and a look for drift every day.
pub fn workflows(settings: &WorkflowSettings) -> Vec<Workflow> {
    [
        ("plan", plan(settings)),
        ("apply", apply(settings)),
        ("drift", drift(settings)),
    ]
    .into_iter()
    .map(|(name, body)| Workflow {
        path: format!(".github/workflows/{}-{name}.yml", settings.prefix),
        text: format!("{HEADER}{SUM}{}\n{body}", sum(&body)),
    })
    .collect()
}

/// Whether a workflow is as it was written once: nobody has changed it since.
pub fn is_untouched(text: &str) -> bool {
    let text = text.replace("\r\n", "\n");
    let Some(rest) = text.strip_prefix(HEADER) else {
        return false;
    };
    let Some((line, body)) = rest.split_once('\n') else {
        return false;
    };
    line.strip_prefix(SUM) == Some(sum(body).as_str())
}

fn sum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

/// A text as YAML has it between quotes.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", text.replace('\'', "''"))
}

/// A text within an expression.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The name of a job.
fn job_name(environment: &str) -> String {
    let name: String = environment
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name
    } else {
        format!("_{name}")
    }
}

/// The steps that every job begins with: the files, and the action.
struct Step<'a> {
    settings: &'a WorkflowSettings,
    /// How much of the history is fetched.
    has_history: bool,
    id: Option<&'a str>,
    with: Vec<(&'a str, String)>,
}

impl Step<'_> {
    fn write(&self) -> String {
        let mut text = format!(
            "      - uses: {CHECKOUT}\n        with:\n          persist-credentials: false\n"
        );
        if self.has_history {
            text.push_str("          fetch-depth: 0\n");
        }
        text.push_str(&self.action());
        text
    }

    fn action(&self) -> String {
        let mut text = format!("      - uses: {}\n", self.settings.action);
        if let Some(id) = self.id {
            text.push_str(&format!("        id: {id}\n"));
        }
        text.push_str("        with:\n");
        for (name, value) in &self.with {
            text.push_str(&format!("          {name}: {value}\n"));
        }
        if self.settings.folder != "." {
            let folder = quoted(&self.settings.folder);
            text.push_str(&format!("          working-directory: {folder}\n"));
        }
        text
    }
}

fn plan(settings: &WorkflowSettings) -> String {
    let prefix = &settings.prefix;
    let branch = quoted(&settings.branch);
    let step = |id, with| Step {
        settings,
        has_history: false,
        id,
        with,
    };
    let matrix = step(Some("terrace"), vec![("command", "matrix".to_owned())]).write();
    let plan = step(
        None,
        vec![
            ("command", "plan".to_owned()),
            ("environment", "${{ matrix.environment }}".to_owned()),
            ("stack", "${{ matrix.stack }}".to_owned()),
            ("arguments", "-post=false".to_owned()),
            (
                "aws-role",
                "${{ vars[format('TERRACE_PLAN_ROLE_{0}', matrix.variable)] }}".to_owned(),
            ),
            (
                "artefact",
                format!("{prefix}-plans-${{{{ strategy.job-index }}}}"),
            ),
        ],
    )
    .write();
    let report = report_job(settings);
    format!(
        "name: {prefix} plan

on:
  pull_request:
    branches: [{branch}]

permissions:
  contents: read

concurrency:
  group: {prefix}-plan-${{{{ github.event.pull_request.number }}}}

jobs:
  # A fork's pull request gets no job: planning runs what it has written, with this repository's credentials.
  matrix:
    if: github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: read
    outputs:
      matrix: ${{{{ steps.terrace.outputs.matrix }}}}
      count: ${{{{ steps.terrace.outputs.count }}}}
    steps:
{matrix}
  plan:
    name: plan ${{{{ matrix.environment }}}} ${{{{ matrix.stack }}}}
    needs: matrix
    if: needs.matrix.outputs.count != '0'
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix: ${{{{ fromJSON(needs.matrix.outputs.matrix) }}}}
    permissions:
      contents: read
      pull-requests: read
      id-token: write
    steps:
{plan}
{report}"
    )
}

/// The job that tells what the others have planned.
fn report_job(settings: &WorkflowSettings) -> String {
    let prefix = &settings.prefix;
    let report = Step {
        settings,
        has_history: false,
        id: None,
        with: vec![
            ("command", "report".to_owned()),
            ("artefact", "''".to_owned()),
        ],
    }
    .action();
    let folder = if settings.folder == "." {
        String::new()
    } else {
        format!("{}/", settings.folder)
    };
    let public = quoted(&format!("{folder}terrace-ci/public"));
    format!(
        "  # One job tells, whatever the others have found.
  report:
    needs: [matrix, plan]
    if: always() && needs.matrix.result == 'success'
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
      checks: write
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - uses: {DOWNLOAD}
        if: needs.matrix.outputs.count != '0'
        with:
          pattern: {prefix}-plans-*
          path: {public}
          merge-multiple: true
{report}      - uses: {UPLOAD}
        if: always() && needs.matrix.outputs.count != '0'
        with:
          name: terrace-plans
          path: {public}
"
    )
}

fn apply(settings: &WorkflowSettings) -> String {
    let prefix = &settings.prefix;
    let branch = quoted(&settings.branch);
    let options: Vec<String> = settings
        .environments
        .iter()
        .map(|(name, _)| quoted(name))
        .collect();
    let mut text = format!(
        "name: {prefix} apply

on:
  push:
    branches: [{branch}]
  # To go on with one environment by hand, such as with a run that somebody has looked at.
  workflow_dispatch:
    inputs:
      environment:
        description: The environment
        type: choice
        required: true
        options: [{options}]
      run:
        description: The run to apply; left out, what was merged, as it was reviewed
        type: string
        required: false

permissions:
  contents: read

jobs:
",
        options = options.join(", ")
    );
    for (at, (environment, after)) in settings.environments.iter().enumerate() {
        text.push_str(&apply_job(settings, at, (environment, after)));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn apply_job(
    settings: &WorkflowSettings,
    at: usize,
    (environment, after): (&str, &[String]),
) -> String {
    // Without a word about what comes before, the order of the project file holds.
    let before: Vec<String> = if after.is_empty() {
        let before = at
            .checked_sub(1)
            .and_then(|at| settings.environments.get(at));
        before.map(|(name, _)| job_name(name)).into_iter().collect()
    } else {
        after.iter().map(|name| job_name(name)).collect()
    };
    let needs = if before.is_empty() {
        String::new()
    } else {
        format!("    needs: [{}]\n", before.join(", "))
    };
    let chosen = format!(
        "(github.event_name == 'push' || inputs.environment == {})",
        literal(environment)
    );
    let step = Step {
        settings,
        has_history: true,
        id: None,
        with: vec![
            ("command", "apply".to_owned()),
            ("environment", quoted(environment)),
            ("run", "${{ inputs.run }}".to_owned()),
            (
                "aws-role",
                format!(
                    "${{{{ vars.TERRACE_APPLY_ROLE_{} }}}}",
                    variable_name(environment)
                ),
            ),
            (
                "artefact",
                format!("{}-applied-{}", settings.prefix, job_name(environment)),
            ),
        ],
    };
    format!(
        "  {job}:
    name: {name}
{needs}    if: ${{{{ !failure() && !cancelled() && {chosen} }}}}
    runs-on: ubuntu-latest
    environment: {name}
    # A second merge waits for its turn.
    concurrency:
      group: {group}
      cancel-in-progress: false
    permissions:
      contents: read
      actions: read
      deployments: write
      pull-requests: write
      id-token: write
    steps:
{steps}
",
        job = job_name(environment),
        name = quoted(environment),
        group = quoted(&format!("{}-apply-{environment}", settings.prefix)),
        steps = step.write(),
    )
}

fn drift(settings: &WorkflowSettings) -> String {
    let prefix = &settings.prefix;
    let mut include = String::new();
    for (environment, _) in &settings.environments {
        include.push_str(&format!(
            "          - environment: {}\n            variable: {}\n",
            quoted(environment),
            variable_name(environment)
        ));
    }
    let step = Step {
        settings,
        has_history: false,
        id: None,
        with: vec![
            ("command", "drift".to_owned()),
            ("environment", "${{ matrix.environment }}".to_owned()),
            (
                "aws-role",
                "${{ vars[format('TERRACE_PLAN_ROLE_{0}', matrix.variable)] }}".to_owned(),
            ),
            ("artefact", "''".to_owned()),
        ],
    };
    format!(
        "name: {prefix} drift

on:
  schedule:
    - cron: '17 5 * * *'
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: {prefix}-drift

jobs:
  drift:
    name: drift ${{{{ matrix.environment }}}}
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix:
        include:
{include}    permissions:
      contents: read
      issues: write
      id-token: write
    steps:
{steps}",
        steps = step.write()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> WorkflowSettings {
        WorkflowSettings {
            prefix: "terrace".to_owned(),
            environments: vec![
                ("dev".to_owned(), Vec::new()),
                ("stg".to_owned(), vec!["dev".to_owned()]),
                ("it's prd".to_owned(), Vec::new()),
            ],
            branch: "main".to_owned(),
            folder: ".".to_owned(),
            action: "acme/terrace@v1".to_owned(),
        }
    }

    fn text(name: &str) -> String {
        let all = workflows(&settings());
        let path = format!(".github/workflows/terrace-{name}.yml");
        let found = all.into_iter().find(|workflow| workflow.path == path);
        found.unwrap().text
    }

    #[test]
    fn what_nobody_has_changed_is_known() {
        for workflow in workflows(&settings()) {
            assert!(is_untouched(&workflow.text));
            assert!(is_untouched(&workflow.text.replace('\n', "\r\n")));
            assert!(!is_untouched(
                &workflow.text.replace("contents: read", "contents: write")
            ));
        }
        assert!(!is_untouched("name: another\n"));
    }

    #[test]
    fn environments_follow_each_other_in_groups_of_their_own() {
        let apply = text("apply");
        assert!(
            apply.contains("  stg:\n    name: 'stg'\n    needs: [dev]\n"),
            "{apply}"
        );
        assert!(apply.contains("  it_s_prd:\n    name: 'it''s prd'\n    needs: [stg]\n"));
        assert!(apply.contains("inputs.environment == 'it''s prd')"));
        assert!(apply.contains("group: 'terrace-apply-dev'"));
        assert_eq!(apply.matches("cancel-in-progress: false").count(), 3);
        assert!(apply.contains("TERRACE_APPLY_ROLE_IT_S_PRD"));
    }

    #[test]
    fn pull_requests_get_no_secrets_and_apply_nothing() {
        let plan = text("plan");
        assert!(!plan.contains("secrets.") && !plan.contains("pull_request_target"));
        assert!(!plan.contains("apply") && !plan.contains("APPLY"));
        assert!(plan.contains("head.repo.full_name == github.repository"));
        assert!(!plan.contains("contents: write") && !plan.contains("write-all"));
        assert!(!text("apply").contains("pull_request:"));
    }
}
