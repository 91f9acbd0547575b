//! `terrace bootstrap aws` that is killed in its midst, and given again: it goes on, makes nothing twice and loses nothing.
//!
//! No moment is left to chance: a proxy before the account holds back the request, or its answer, at which the command is killed,
//! and a pipe in place of a file keeps it from writing that file.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::collections::BTreeMap;
use std::path::Path;

use terrace_test_services::{Aws, Proxy, Way};
use terrace_test_support::{Gate, Project, Running, available, in_full_size};

const COMMAND: [&str; 8] = [
    "bootstrap",
    "aws",
    "-project=shop",
    "-region=eu-central-1",
    "-github=acme/shop",
    "-approver=ada=ada-at-github",
    "-approver=bob=bob-at-github",
    "-auto-approve",
];

/// The state in the bucket, as requests name it.
const STATE: &str = "/bootstrap/terraform.tfstate";

/// An account, and the network before it.
struct Account {
    aws: Aws,
    proxy: Proxy,
}

/// What a bootstrap has left.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    /// By kind, how many things there are in the account.
    things: BTreeMap<String, usize>,
    /// The addresses of all objects in the state.
    objects: String,
    /// All files but states, by their paths.
    files: BTreeMap<String, String>,
}

impl Account {
    fn open() -> Option<Self> {
        let aws = available("moto", Aws::start())?;
        let proxy = Proxy::http(aws.address()).unwrap();
        Some(Self { aws, proxy })
    }

    /// A project with nothing in it, before an account with nothing in it.
    fn project(&self) -> Project {
        self.aws.reset().unwrap();
        let mut project = Project::new();
        let settings = project.outer().join("native.tfrc");
        let text =
            "provider_installation {\n  native {\n    include = [\"hashicorp/aws\"]\n  }\n}\n";
        std::fs::write(&settings, text).unwrap();
        project.set("TF_CLI_CONFIG_FILE", settings);
        let endpoint = format!("http://{}", self.proxy.address());
        project.set("AWS_ENDPOINT_URL", endpoint);
        project.set("AWS_ACCESS_KEY_ID", "test");
        project.set("AWS_SECRET_ACCESS_KEY", "test");
        project.set("AWS_EC2_METADATA_DISABLED", "true");
        // The shortest, so that nobody waits long for the lock of who was killed.
        project.set("TERRACE_LOCK_LEASE", "5");
        project.other("git", &["init", "--quiet"]).success();
        project
    }

    fn left(&self, project: &Project) -> Left {
        let mut things = self.aws.moto().inventory().unwrap();
        // Versions of states and locks, of which each run leaves some.
        things.retain(|kind, _| !kind.starts_with("s3 Fake") || kind == "s3 FakeBucket");
        let listed = project.terrace(&["-chdir=bootstrap", "state", "list"]);
        let mut files = BTreeMap::new();
        gather(&project.path(), Path::new(""), &mut files);
        Left {
            things,
            objects: listed.success().stdout,
            files,
        }
    }

    /// Waits until the command stands still.
    fn is_stopped(&self, running: &mut Running) {
        running.until("the request to stop at", |_| self.proxy.is_stopped());
    }

    /// The network as it was, without what was under way.
    fn restore(&self) {
        self.proxy.cut();
        self.proxy.calm();
    }

    /// What a bootstrap leaves that nobody disturbs, and how many changes it asks for.
    fn undisturbed(&self) -> (Left, usize) {
        let project = self.project();
        self.proxy.count(changes);
        project.terrace(&COMMAND).success();
        let asked = self.proxy.counted();
        (self.left(&project), asked)
    }

    /// The command is given again: it finishes, and leaves what one leaves that nobody disturbed. Once more, it changes nothing.
    fn goes_on(&self, what: &str, project: &Project, undisturbed: &Left) {
        println!("killed {what}");
        project.terrace(&COMMAND).success().says("Done.");
        assert_eq!(&self.left(project), undisturbed, "killed {what}");
        self.proxy
            .count(|request| changes(request) && !request.contains(STATE));
        project
            .terrace(&COMMAND)
            .success()
            .says("No changes.")
            .says("Nothing to write: the files are there.");
        assert_eq!(self.proxy.counted(), 0, "killed {what}");
        assert_eq!(&self.left(project), undisturbed, "killed {what}");
    }

    /// Killed at a request, with all that it has started.
    fn at_request(&self, what: &str, point: &Point, undisturbed: &Left) {
        let project = self.project();
        let fits = point.fits;
        self.proxy.stop_at(point.number, point.way, fits);
        let mut running = project.start_group(&COMMAND);
        self.is_stopped(&mut running);
        running.kill_group();
        running.wait().whatever();
        self.restore();
        self.goes_on(what, &project, undisturbed);
    }

    /// Killed when it is about to write a file, with all that it has started.
    fn at_file(&self, path: &str, undisturbed: &Left) {
        let project = self.project();
        let mut gate = Gate::at(&project.path().join(path));
        let mut running = project.start_group(&COMMAND);
        running.until("the file to stop at", |_| gate.is_met());
        running.kill_group();
        running.wait().whatever();
        drop(gate);
        self.goes_on(&format!("before {path} is written"), &project, undisturbed);
    }
}

/// A request to stop at.
struct Point {
    fits: fn(&str) -> bool,
    number: usize,
    way: Way,
}

impl Point {
    const fn first(way: Way, fits: fn(&str) -> bool) -> Self {
        Self {
            fits,
            number: 1,
            way,
        }
    }
}

fn gather(directory: &Path, below: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory.join(below)).unwrap().flatten() {
        let path = below.join(entry.file_name());
        let name = entry.file_name().into_string().unwrap();
        if [".git", ".terrace", ".terraform"].contains(&name.as_str()) || name.contains("tfstate") {
            continue;
        }
        if entry.path().is_dir() {
            gather(directory, &path, files);
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            files.insert(path.display().to_string(), without_key(&text));
        }
    }
}

/// A text without the id of the key, which is another in each account.
fn without_key(text: &str) -> String {
    let mut parts = text.split(":key/");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + ":key/…" + &part[36..])
}

/// Whether a request changes something.
fn changes(request: &str) -> bool {
    let reads = ["Get", "List", "Describe"];
    let is_read = |operation: &str| reads.iter().any(|verb| operation.starts_with(verb));
    match request.split(' ').next() {
        Some("GET" | "HEAD") => false,
        _ => !is_read(operation(request)),
    }
}

/// What a request asks for; nothing where it does not name it, as those of S3.
fn operation(request: &str) -> &str {
    let target = request
        .lines()
        .find_map(|line| line.strip_prefix("x-amz-target: "));
    let named = target.and_then(|target| target.trim().rsplit('.').next());
    let action = || {
        let (_, rest) = request.split_once("Action=")?;
        rest.split('&').next()
    };
    named.or_else(action).unwrap_or_default()
}

fn writes_state(request: &str) -> bool {
    let line = request.lines().next().unwrap_or_default();
    line.starts_with("PUT ") && line.contains(STATE) && !line.contains(".tflock")
}

fn locks_state(request: &str) -> bool {
    let line = request.lines().next().unwrap_or_default();
    line.starts_with("PUT ") && line.contains(STATE) && line.contains(".tflock")
}

#[test]
fn killed_while_it_makes_things() {
    let Some(account) = Account::open() else {
        return;
    };
    let (undisturbed, asked) = account.undisturbed();
    let lost_key = Point::first(Way::Back, |request| operation(request) == "CreateKey");
    account.at_request(
        "when a key is made and its id not told",
        &lost_key,
        &undisturbed,
    );
    let half = Point {
        fits: changes,
        number: asked / 2,
        way: Way::There,
    };
    account.at_request("half-way", &half, &undisturbed);
    if !in_full_size("every change at which a bootstrap is killed") {
        return;
    }
    for number in 1..=asked {
        for way in [Way::There, Way::Back] {
            let point = Point {
                fits: changes,
                number,
                way,
            };
            let what = format!("at change {number} of {asked}, {way:?}");
            account.at_request(&what, &point, &undisturbed);
        }
    }
}

#[test]
fn killed_while_it_moves_its_state_and_writes_files() {
    let Some(account) = Account::open() else {
        return;
    };
    let (undisturbed, _) = account.undisturbed();
    account.at_request(
        "when the lock lies in the bucket",
        &Point::first(Way::Back, locks_state),
        &undisturbed,
    );
    account.at_request(
        "when the state lies in both places",
        &Point::first(Way::Back, writes_state),
        &undisturbed,
    );
    between_apply_and_move(&account, &undisturbed);
    account.at_file("environments/stg.tfvars", &undisturbed);
    if !in_full_size("every file at which a bootstrap is killed") {
        return;
    }
    let is_written = |path: &&String| !path.contains("lock.hcl") && !path.contains("backend.tf");
    for path in undisturbed.files.keys().filter(is_written) {
        account.at_file(path, &undisturbed);
    }
}

/// All is made, and the file is not there yet that says where the state belongs.
fn between_apply_and_move(account: &Account, undisturbed: &Left) {
    let project = account.project();
    let is_last = |request: &str| request.contains("?lifecycle ") && changes(request);
    account.proxy.stop_at(1, Way::Back, is_last);
    let mut running = project.start_group(&COMMAND);
    account.is_stopped(&mut running);
    let mut gate = Gate::at(&project.path().join("bootstrap/backend.tf"));
    account.proxy.calm();
    running.until("the end of the apply", |_| gate.is_met());
    running.kill_group();
    running.wait().whatever();
    drop(gate);
    account.goes_on("between apply and move", &project, undisturbed);
}

/// What it has started goes on without it; the command that is given again waits for that.
#[test]
fn killed_alone() {
    let Some(account) = Account::open() else {
        return;
    };
    let (undisturbed, _) = account.undisturbed();
    let project = account.project();
    let is_key = |request: &str| operation(request) == "CreateKey";
    account.proxy.stop_at(1, Way::There, is_key);
    let mut running = project.start(&COMMAND);
    account.is_stopped(&mut running);
    running.kill();
    running.wait().whatever();
    account.proxy.calm();
    account.goes_on("alone", &project, &undisturbed);
}
