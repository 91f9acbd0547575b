//! Taking a case's steps.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use terrace_test_support::{Project, Ran};

use crate::answer::{diagnostics_of, empty_state, events_of, normal_plan, normal_state};
use crate::{Action, Answer, Case, Implementation, Step};

/// Whose answers are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The workspace's own binary.
    Terrace,
    /// The one on the search path.
    Terraform,
}

/// The head of every configuration.
const HEAD: &str = "terraform {\n  required_providers {\n    conformance = {\n      source = \"terrace/conformance\"\n    }\n  }\n}\n\nvariable \"world\" {\n  type = string\n}\n";
/// The provider's configuration, unless the case brings one.
const PROVIDER: &str = "provider \"conformance\" {\n  directory = var.world\n}\n";

/// Takes the steps of a case in a directory of their own: an answer for each.
pub fn run(
    tool: Tool,
    implementation: &Implementation,
    program: &Path,
    case: &Case,
) -> Vec<Answer> {
    let world = Directory::new(tool, implementation, program);
    let steps = case.steps.iter();
    steps.map(|step| world.take(tool, case, step)).collect()
}

/// A project, and the provider's directory beside it.
struct Directory {
    project: Project,
}

impl Directory {
    fn new(tool: Tool, implementation: &Implementation, program: &Path) -> Self {
        let mut project = Project::new();
        let plugins = project.outer().join("plugins");
        fs::create_dir_all(&plugins).expect("a directory can be made");
        std::os::unix::fs::symlink(program, plugins.join("terraform-provider-conformance"))
            .expect("a link can be made");
        let configuration = project.outer().join("cli.tfrc");
        let text = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n    \"terrace/conformance\" = {:?}\n  }}\n  direct {{}}\n}}\n",
            plugins.display().to_string()
        );
        fs::write(&configuration, text).expect("a file can be written");
        let world = project.outer().join("world");
        fs::create_dir_all(&world).expect("a directory can be made");
        project.set("TF_CLI_CONFIG_FILE", configuration);
        project.set("TF_VAR_world", "../world");
        project.set("CONFORMANCE_VARIANT", implementation.variant());
        if tool == Tool::Terraform {
            project.set("TF_IN_AUTOMATION", "1");
        }
        project.write("head.tf", HEAD);
        project.write("provider.tf", PROVIDER);
        Self { project }
    }

    /// A path of a case: below `world/` it is in the provider's directory.
    fn path(&self, path: &str) -> PathBuf {
        if path.starts_with("world/") {
            self.project.outer().join(path)
        } else {
            self.project.path().join(path)
        }
    }

    fn take(&self, tool: Tool, case: &Case, step: &Step) -> Answer {
        for path in &step.removed {
            fs::remove_file(self.path(path)).expect("the file to remove is there");
        }
        for (path, content) in &step.files {
            let path = self.path(path);
            let directory = path.parent().expect("a file is in a directory");
            fs::create_dir_all(directory).expect("a directory can be made");
            let content = if path.starts_with(self.project.outer().join("world")) {
                content.trim_end_matches('\n')
            } else {
                content
            };
            fs::write(path, content).expect("a file can be written");
        }
        let mut answer = Answer::default();
        let mut said = String::new();
        match &step.action {
            Action::Validate => {
                let ran = self.ask(tool, &["validate", "-json"]);
                answer.exit = ran.code();
                let said_json = ran.clone().whatever().stdout;
                answer.diagnostics = serde_json::from_str::<Value>(&said_json)
                    .map(|value| {
                        diagnostics_of(value["diagnostics"].as_array().into_iter().flatten())
                    })
                    .unwrap_or_default();
                said += &ran.all();
            }
            Action::Plan(arguments) => {
                let ran = self.plan(tool, arguments, &mut answer);
                said += &ran.all();
            }
            Action::Apply(arguments) => {
                let planned = self.plan(tool, arguments, &mut answer);
                said += &planned.all();
                if planned.code() == Some(0) {
                    let ran = self.ask(tool, &["apply", "-json", "plan"]);
                    said += &ran.all();
                    answer.exit = ran.code();
                    let stream = lines(&ran);
                    answer.applied = Some(diagnostics_of(stream_diagnostics(&stream)));
                    answer.events.extend(events_of(&stream));
                }
                answer.state = Some(self.state(case));
            }
            Action::Command(arguments) => {
                let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let ran = self.ask(tool, &words);
                answer.exit = ran.code();
                said += &ran.all();
                answer.state = Some(self.state(case));
            }
        }
        answer.world = self.happened();
        for text in &step.says {
            if !flat(&said).contains(&flat(text)) {
                answer.unsaid.push(format!("{text}\n-- in --\n{said}"));
            }
        }
        answer
    }

    /// What the provider wrote since it was asked last: in its order for each object, whose name is the last word.
    fn happened(&self) -> Vec<String> {
        let path = self.project.outer().join("world/events");
        let Ok(text) = fs::read_to_string(&path) else {
            return Vec::new();
        };
        fs::remove_file(path).expect("a file can be removed");
        // How often something is renewed, and when, is a matter of time.
        let (mut renewed, mut events): (Vec<String>, Vec<String>) = text
            .lines()
            .map(str::to_owned)
            .partition(|event| event.starts_with("renewed "));
        events.sort_by_key(|event| event.rsplit(' ').next().map(str::to_owned));
        renewed.sort();
        renewed.dedup();
        events.extend(renewed);
        events
    }

    fn plan(&self, tool: Tool, arguments: &[String], answer: &mut Answer) -> Ran {
        let mut words = vec!["plan", "-json", "-out", "plan"];
        words.extend(arguments.iter().map(String::as_str));
        let ran = self.ask(tool, &words);
        answer.exit = ran.code();
        let stream = lines(&ran);
        answer.diagnostics = diagnostics_of(stream_diagnostics(&stream));
        answer.events = events_of(&stream);
        if ran.code() == Some(0) {
            let shown = self.ask(tool, &["show", "-json", "plan"]).success();
            answer.plan = Some(normal_plan(shown.json()));
        }
        ran
    }

    fn ask(&self, tool: Tool, arguments: &[&str]) -> Ran {
        match tool {
            Tool::Terrace => self.project.terrace(arguments),
            Tool::Terraform => self.project.other("terraform", arguments),
        }
    }

    fn state(&self, case: &Case) -> Value {
        let path = self.project.path().join("terraform.tfstate");
        let Ok(text) = fs::read_to_string(path) else {
            return empty_state();
        };
        let state = serde_json::from_str(&text).expect("a state is JSON");
        let identity = case.needs.iter().any(|need| need == "identity");
        normal_state(state, identity)
    }
}

/// The messages of an event stream.
fn lines(ran: &Ran) -> Vec<Value> {
    let text = ran.clone().whatever().stdout;
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn stream_diagnostics(stream: &[Value]) -> impl Iterator<Item = &Value> {
    stream
        .iter()
        .filter(|message| message["type"] == "diagnostic")
        .map(|message| &message["diagnostic"])
}

/// The text without frames and line breaks.
fn flat(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || "│╷╵".contains(c);
    text.split(blank)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
