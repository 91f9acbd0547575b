//! Operations on states: patterns, moves between states and their recovery, versions.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use terrace_test_support::Project;

const MANY: &str = r#"
resource "terraform_data" "web" {
  count = 2
  input = count.index
}

resource "terraform_data" "db_blue" {
  input = "blue"
}

resource "terraform_data" "db_green" {
  input = "green"
}
"#;

fn listed(project: &Project, directory: &str) -> String {
    project
        .terrace_in(directory, &["state", "list"])
        .success()
        .stdout
}

fn applied(configuration: &str) -> Project {
    let project = Project::with(configuration);
    project.terrace(&["apply", "-auto-approve"]).success();
    project
}

#[test]
fn patterns_move_and_forget_many_at_once() {
    let project = applied(MANY);
    let before = project.read("terraform.tfstate");
    let mv = [
        "state",
        "mv",
        "terraform_data.web[*]",
        "module.m[*].terraform_data.this",
    ];
    let dry = [&mv[..2], &["-dry-run"], &mv[2..]].concat();
    let told = project.terrace(&dry).success();
    told.says("terraform_data.web[1]  module.m[1].terraform_data.this")
        .says("Would move 2 object(s).");
    assert_eq!(project.read("terraform.tfstate"), before);
    project
        .terrace(&mv)
        .success()
        .says("Successfully moved 2 object(s).");
    project
        .terrace(&[
            "state",
            "mv",
            "terraform_data.db_*",
            "terraform_data.db[{1}]",
        ])
        .success();
    assert_eq!(
        listed(&project, "."),
        "terraform_data.db[\"blue\"]\nterraform_data.db[\"green\"]\nmodule.m[0].terraform_data.this\nmodule.m[1].terraform_data.this\n"
    );
    let before = project.read("terraform.tfstate");
    project
        .terrace(&["state", "mv", "terraform_data.db[*]", "terraform_data.one"])
        .fails(1)
        .says("would get the same address");
    project
        .terrace(&["state", "mv", "module.**", "null_resource.x"])
        .fails(1);
    assert_eq!(project.read("terraform.tfstate"), before);
    project
        .terrace(&["state", "list", "module.m[*].*"])
        .success()
        .says("module.m[1].terraform_data.this")
        .omits("db");
    project
        .terrace(&["state", "rm", "**.terraform_data.this"])
        .success()
        .says("Successfully removed 2 resource instance(s).");
    project
        .terrace(&["state", "rm", "-dry-run", "module.gone.*"])
        .success()
        .says("Would have removed nothing.");
    project
        .terrace(&[
            "state",
            "replace-provider",
            "-dry-run",
            "terraform.io/*/terraform",
            "example.com/*/other",
            "terraform_data.db[\"blue\"]",
        ])
        .success()
        .says("+ example.com/builtin/other")
        .says("Changing 1 resources:");
}

/// Two stacks; the second has what is to come from the first.
fn two_stacks(backend: &str) -> Project {
    let project = Project::with(&format!("{backend}{MANY}"));
    project.terrace(&["apply", "-auto-approve"]).success();
    project.write(
        "main.tf",
        format!("{backend}resource \"terraform_data\" \"web\" {{\n  count = 2\n  input = count.index\n}}\n"),
    );
    project.write(
        "other/main.tf",
        format!(
            "{backend}resource \"terraform_data\" \"db\" {{\n  for_each = toset([\"blue\", \"green\"])\n  input    = each.key\n}}\n"
        ),
    );
    project
}

const MOVE: [&str; 5] = [
    "state",
    "mv",
    "-to-dir=other",
    "terraform_data.db_*",
    "terraform_data.db[{1}]",
];

#[test]
fn objects_go_to_another_stack_with_a_proof() {
    for backend in ["", "terraform {\n  backend \"embedded\" {}\n}\n"] {
        let project = two_stacks(backend);
        let dry = [&MOVE[..2], &["-dry-run"], &MOVE[2..]].concat();
        project
            .terrace(&dry)
            .success()
            .says("Would move 2 object(s).")
            .says("Proven");
        assert_eq!(listed(&project, "other"), "");
        project
            .terrace(&MOVE)
            .success()
            .says("Proven")
            .says("Successfully moved 2 object(s).");
        assert_eq!(
            listed(&project, "other"),
            "terraform_data.db[\"blue\"]\nterraform_data.db[\"green\"]\n"
        );
        for directory in [".", "other"] {
            project
                .terrace_in(directory, &["plan", "-detailed-exitcode"])
                .success();
        }
        project
            .terrace(&["state", "history"])
            .success()
            .says("state-mv");
    }
}

#[test]
fn a_move_that_would_have_objects_changed_is_refused() {
    let project = two_stacks("");
    project.write(
        "other/main.tf",
        "resource \"terraform_data\" \"db\" {\n  for_each = toset([\"blue\", \"green\"])\n  input    = \"${each.key}!\"\n}\n",
    );
    let before = project.read("terraform.tfstate");
    project
        .terrace(&MOVE)
        .fails(1)
        .says("Move would not leave objects as they are")
        .says("\"blue\" -> \"blue!\"");
    assert_eq!(project.read("terraform.tfstate"), before);
    assert_eq!(listed(&project, "other"), "");
    // The source's configuration would create it again.
    project
        .terrace(&["state", "mv", "-to-dir=other", "terraform_data.web[0]"])
        .fails(1)
        .says("terraform_data.web[0] will be created");
    let forced = [&MOVE[..2], &["-force"], &MOVE[2..]].concat();
    project
        .terrace(&forced)
        .success()
        .says("Successfully moved 2 object(s).");
    project
        .terrace(&["state", "mv", "-to-dir=.", "terraform_data.web[0]"])
        .fails(1)
        .says("Both sides are the same state");
    project
        .terrace(&[
            "state",
            "mv",
            "-to-workspace=nowhere",
            "terraform_data.web[0]",
        ])
        .fails(1)
        .says("does not exist");
}

#[test]
fn objects_go_to_another_file_or_workspace() {
    let project = applied(MANY);
    project
        .terrace(&[
            "state",
            "mv",
            "-prove=false",
            "-state-out=other.tfstate",
            "terraform_data.web",
            "terraform_data.out",
        ])
        .success();
    project
        .terrace(&["state", "list", "-state=other.tfstate"])
        .success()
        .says("terraform_data.out[0]\nterraform_data.out[1]\n");
    project.terrace(&["workspace", "new", "blue"]).success();
    project
        .terrace(&["workspace", "select", "default"])
        .success();
    project
        .terrace(&[
            "state",
            "mv",
            "-prove=false",
            "-to-workspace=blue",
            "terraform_data.db_blue",
        ])
        .success();
    assert_eq!(listed(&project, "."), "terraform_data.db_green\n");
    project.terrace(&["workspace", "select", "blue"]).success();
    assert_eq!(listed(&project, "."), "terraform_data.db_blue\n");
}

#[test]
fn versions_are_listed_compared_and_restored() {
    for backend in ["", "terraform {\n  backend \"embedded\" {}\n}\n"] {
        let project = Project::with(&format!(
            "{backend}resource \"terraform_data\" \"a\" {{\n  input = \"first\"\n}}\n"
        ));
        project.terrace(&["apply", "-auto-approve"]).success();
        let first = project.state()["serial"].as_u64().unwrap().to_string();
        project.write(
            "main.tf",
            format!("{backend}resource \"terraform_data\" \"a\" {{\n  input = \"second\"\n}}\n\nresource \"terraform_data\" \"b\" {{}}\n\noutput \"o\" {{\n  value     = \"hidden text\"\n  sensitive = true\n}}\n"),
        );
        project.terrace(&["apply", "-auto-approve"]).success();
        let second = project.state()["serial"].as_u64().unwrap().to_string();
        let history = project
            .terrace(&["state", "history", "-json"])
            .success()
            .json();
        let versions = history["versions"].as_array().unwrap();
        assert_eq!(versions.len(), 2);
        assert_eq!(versions[1]["added"], 1);
        assert_eq!(versions[1]["changed"], 1);
        assert_eq!(versions[1]["who"], "tester@machine");
        assert_eq!(versions[1]["operation"], "apply");
        project
            .terrace(&["state", "diff", &first])
            .success()
            .says("# terraform_data.b is new")
            .says("\"first\" -> \"second\"")
            .says("o = (sensitive value)")
            .omits("hidden text");
        let compared = project
            .terrace(&["state", "diff", "-json", &first, &second])
            .success()
            .json();
        assert_eq!(
            compared["changes"][0]["attributes"]["input"]["after"],
            "second"
        );
        project
            .terrace(&["state", "diff", &second])
            .success()
            .says("Both hold the same.");
        project
            .terrace(&["state", "diff", "77"])
            .fails(1)
            .says("No such version of the state");
        project
            .terrace(&["state", "restore", "-auto-approve", &first])
            .success()
            .says("+0 ~1 -1")
            .says("is restored as serial");
        let restored = project.state();
        assert!(restored["serial"].as_u64().unwrap() > second.parse().unwrap());
        assert_eq!(listed(&project, "."), "terraform_data.a\n");
        project
            .terrace(&["state", "restore", "-auto-approve", &second])
            .success();
        project.terrace(&["plan", "-detailed-exitcode"]).success();
    }
}

#[test]
fn a_write_by_another_tool_is_kept_as_a_version() {
    let project = applied("resource \"terraform_data\" \"a\" {}\n");
    let foreign = project
        .read("terraform.tfstate")
        .replace("\"serial\": 1", "\"serial\": 5");
    project.write("terraform.tfstate", foreign);
    project
        .terrace(&["state", "history"])
        .success()
        .says("written by a tool that keeps no versions");
    project
        .terrace(&["state", "mv", "terraform_data.a", "terraform_data.b"])
        .success();
    project
        .terrace(&["state", "history"])
        .success()
        .says("(another tool)");
    project
        .terrace(&["state", "restore", "-auto-approve", "5"])
        .success();
    assert_eq!(listed(&project, "."), "terraform_data.a\n");
}

#[test]
fn a_state_that_another_tool_left_behind_is_mentioned_and_can_be_pushed() {
    let project = applied("resource \"terraform_data\" \"a\" {}\n");
    let errored = project
        .read("terraform.tfstate")
        .replace("\"serial\": 1", "\"serial\": 2")
        .replace("\"name\": \"a\"", "\"name\": \"b\"");
    project.write("errored.tfstate", errored);
    project.write("main.tf", "resource \"terraform_data\" \"b\" {}\n");
    project
        .terrace(&["plan"])
        .success()
        .says("State of a failed apply was found")
        .says("terrace state push errored.tfstate");
    project
        .terrace(&["state", "push", "errored.tfstate"])
        .success();
    project
        .terrace(&["plan", "-detailed-exitcode"])
        .success()
        .omits("failed apply was found");
}

#[test]
fn lists_are_imported_in_one_run() {
    let project = Project::with(
        "resource \"terraform_data\" \"a\" {\n  for_each = toset([\"x\", \"y\", \"z\"])\n}\n\nresource \"terraform_data\" \"b\" {}\n",
    );
    project.write(
        "list.csv",
        "address,id\nterraform_data.a[\"x\"],one\n# a comment\n\"terraform_data.a[\"\"y\"\"]\",two\n",
    );
    project
        .terrace(&["import", "-dry-run", "-from=list.csv"])
        .success()
        .says("Would import 2 object(s).");
    assert!(!project.path().join("terraform.tfstate").exists());
    project
        .terrace(&["import", "-from=list.csv"])
        .success()
        .says("Imported 2 object(s).");
    assert_eq!(project.state()["serial"], 1);
    project.write(
        "more.jsonl",
        "{\"address\": \"terraform_data.a[\\\"x\\\"]\", \"id\": \"one\"}\n{\"to\": \"terraform_data.a[\\\"z\\\"]\", \"id\": \"three\"}\n",
    );
    project
        .terrace(&["import", "-from=more.jsonl"])
        .success()
        .says("1 object(s) of the list are managed already")
        .says("Imported 1 object(s).");
    project.write(
        "bad.csv",
        "terraform_data.b,b\nterraform_data.b,c\nnonsense\nterraform_data.nobody,d\n",
    );
    project
        .terrace(&["import", "-from=bad.csv"])
        .fails(1)
        .says("line 2")
        .says("line 3");
    project.write("bad.csv", "terraform_data.b,b\nterraform_data.a[\"q\"],d\n");
    project
        .terrace(&["import", "-from=bad.csv"])
        .fails(1)
        .says("does not exist");
    assert_eq!(project.instances().len(), 3);
}

/// What a server of states does with the next one that it gets.
const GO_ON: usize = 0;
const HANG_BEFORE: usize = 1;
const HANG_AFTER: usize = 2;

/// A server that keeps one state, and may take ever so long over a write.
#[derive(Default)]
struct Server {
    state: Mutex<Option<Vec<u8>>>,
    mood: AtomicUsize,
    hangs: AtomicBool,
}

impl Server {
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/state", listener.local_addr().unwrap());
        let server = Arc::new(Self::default());
        let shared = Arc::clone(&server);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&shared);
                std::thread::spawn(move || server.answer(stream));
            }
        });
        (server, address)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).ok();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok();
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok();
        let mut answer = (200, Vec::new());
        if line.starts_with("GET") {
            match &*self.state.lock().unwrap() {
                Some(state) => answer.1.clone_from(state),
                None => answer.0 = 404,
            }
        } else if line.starts_with("POST") {
            let mood = self.mood.load(Ordering::SeqCst);
            if mood != HANG_BEFORE {
                *self.state.lock().unwrap() = Some(body);
            }
            if mood != GO_ON {
                self.hangs.store(true, Ordering::SeqCst);
                // Whoever asked is killed meanwhile.
                let mut end = Vec::new();
                stream.read_to_end(&mut end).ok();
                return;
            }
        }
        let head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            answer.0,
            answer.1.len()
        );
        stream.write_all(head.as_bytes()).ok();
        stream.write_all(&answer.1).ok();
    }
}

/// The process is killed while it stores the destination, before or after the server has it; what remains is found by the
/// next command on either side, and settled from either.
#[test]
fn a_move_that_is_killed_is_completed_or_undone() {
    for (mood, from) in [
        (HANG_BEFORE, "."),
        (HANG_AFTER, "."),
        (HANG_BEFORE, "other"),
        (HANG_AFTER, "other"),
    ] {
        let (server, address) = Server::start();
        let project = two_stacks("");
        let there = project.read("other/main.tf");
        project.write(
            "other/main.tf",
            format!("terraform {{\n  backend \"http\" {{\n    address = \"{address}\"\n  }}\n}}\n\n{there}"),
        );
        project.terrace_in("other", &["init"]).success();
        server.mood.store(mood, Ordering::SeqCst);
        let mut running = project.start(&MOVE);
        running.until("the destination to be stored", |_| {
            server.hangs.load(Ordering::SeqCst)
        });
        running.kill();
        running.wait().whatever();
        server.mood.store(GO_ON, Ordering::SeqCst);
        for directory in [".", "other"] {
            let told = project.terrace_in(directory, &["plan"]).fails(1);
            assert!(
                told.all()
                    .contains("Interrupted move must be recovered first")
            );
            assert!(told.all().contains("terrace recover"));
            project
                .terrace_in(directory, &["state", "rm", "terraform_data.web"])
                .fails(1);
        }
        project
            .terrace_in(from, &["recover", "-dry-run"])
            .success()
            .says("terraform_data.db_blue to terraform_data.db[\"blue\"]");
        let settled = project.terrace_in(from, &["recover"]).success();
        let (here, gone) = (listed(&project, "."), listed(&project, "other"));
        if mood == HANG_AFTER {
            settled.says("The move is complete: 2 object(s).");
            assert!(!here.contains("db_") && gone.contains("db[\"blue\"]"));
        } else {
            settled.says("every object is where it was");
            assert!(here.contains("db_blue") && gone.is_empty());
            project.terrace(&MOVE).success();
        }
        for directory in [".", "other"] {
            project
                .terrace_in(directory, &["plan", "-detailed-exitcode"])
                .success();
        }
    }
}
