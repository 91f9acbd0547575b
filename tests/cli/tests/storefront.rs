//! From an empty account to production: `terrace bootstrap aws`, then `examples/storefront` through dev, stg and prd with
//! approvals, on the native provider against moto. Each step's time is printed.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::cell::RefCell;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use terrace_test_services::Aws;
use terrace_test_support::{Project, Said, available, has_terraform, in_full_size, terrace};

const REGION: &str = "eu-central-1";
const COMMIT: &str = "4f2a9c1d0b7e";
const BOOTSTRAP: [&str; 5] = [
    "bootstrap",
    "aws",
    "-project=shop",
    "-region=eu-central-1",
    "-github=acme/shop",
];

/// The storefront beside the modules that it calls, and moto in place of AWS.
struct Story {
    project: Project,
    aws: Aws,
    times: RefCell<Vec<(String, Duration)>>,
}

impl Story {
    fn begin() -> Option<Self> {
        Self::of(&|text| text)
    }

    /// The story with every file changed in this way.
    fn of(change: &dyn Fn(String) -> String) -> Option<Self> {
        let aws = available("moto", Aws::start())?;
        let mut project = Project::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let beside =
            |text: String| change(text.replace("../../modules/library/aws/", "./modules/"));
        copy(
            &root.join("examples/storefront"),
            Path::new(""),
            &project,
            &beside,
        );
        copy(
            &root.join("modules/library/aws"),
            Path::new("modules"),
            &project,
            change,
        );
        let settings = project.outer().join("native.tfrc");
        let text =
            "provider_installation {\n  native {\n    include = [\"hashicorp/aws\"]\n  }\n}\n";
        std::fs::write(&settings, text).unwrap();
        project.set("TF_CLI_CONFIG_FILE", settings);
        project.set("AWS_ENDPOINT_URL", aws.endpoint());
        project.set("AWS_ACCESS_KEY_ID", "test");
        project.set("AWS_SECRET_ACCESS_KEY", "test");
        project.set("AWS_EC2_METADATA_DISABLED", "true");
        project.other("git", &["init", "--quiet"]).success();
        Some(Self {
            project,
            aws,
            times: RefCell::default(),
        })
    }

    /// A step, timed.
    fn step<T>(&self, what: &str, step: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = step();
        self.times
            .borrow_mut()
            .push((what.to_owned(), start.elapsed()));
        done
    }

    fn terrace(&self, arguments: &[&str]) -> Said {
        self.project.terrace(arguments).success()
    }

    /// A key for someone who may approve, as `-approver` takes it.
    fn hire(&self, person: &str) -> String {
        let path = self.project.outer().join(person);
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()));
        std::fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256);
        format!("-approver={person}={fingerprint}")
    }

    fn key(&self, person: &str) -> String {
        format!("-key={}", self.project.outer().join(person).display())
    }

    /// Plans what the environment before has applied, has it approved, and applies it.
    fn promote(&self, from: &str, to: &str) {
        let option = format!("-env={to}");
        let planned = self.terrace(&["promote", &self.key("ada"), from, to]);
        let run = run_named_in(&planned.stdout);
        self.project
            .terrace(&["apply", &option, &run])
            .fails(5)
            .says("It needs 1 approval");
        self.terrace(&["approve", &option, &self.key("bob"), &run]);
        self.terrace(&["apply", &option, &run])
            .says("Apply complete!");
    }
}

fn copy(from: &Path, to: &Path, project: &Project, change: &dyn Fn(String) -> String) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target, project, change);
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        match String::from_utf8(content) {
            Ok(text) => project.write(&target, change(text)),
            Err(binary) => project.write(&target, binary.into_bytes()),
        }
    }
}

/// The run that a plan's ending names.
fn run_named_in(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| line.starts_with("Run ") && line.contains(" of environment "));
    let line = line.unwrap_or_else(|| panic!("no run is named in\n{text}"));
    line.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn from_an_empty_account_to_production() {
    let Some(mut story) = Story::begin() else {
        return;
    };
    bootstrap(&story);

    // Everything but the function, which there is no image for yet; then with the image of a commit.
    for commit in [None, Some(COMMIT)] {
        if let Some(commit) = commit {
            for environment in ["dev", "stg", "prd"] {
                let repository = format!("shop-{environment}-orders");
                story
                    .aws
                    .moto()
                    .push_image(REGION, &repository, commit)
                    .unwrap();
            }
            story.project.set("TF_VAR_image_tag", commit);
        }
        let what = commit.map_or("all but the image".to_owned(), |commit| {
            format!("the image of {commit}")
        });
        story.step(&format!("dev: {what}"), || {
            story.terrace(&["init", "-env=dev"]);
            story
                .terrace(&["apply", "-env=dev", "-auto-approve", &story.key("ada")])
                .says("Apply complete!");
        });
        story.step(&format!("stg: {what}"), || {
            story.terrace(&["init", "-env=stg"]);
            story.promote("dev", "stg");
        });
        story.step(&format!("prd: {what}"), || {
            story.terrace(&["init", "-env=prd"]);
            story.promote("stg", "prd");
        });
    }
    afterwards(&story);

    let times = story.times.borrow();
    for (what, time) in times.iter() {
        println!("{:>7.1} s  {what}", time.as_secs_f64());
    }
    let whole: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:>7.1} s  in all", whole.as_secs_f64());
}

/// The account is made ready, once: rehearsed, made, and made again, which changes nothing.
fn bootstrap(story: &Story) {
    story.step("bootstrap, rehearsed", || {
        story
            .terrace(&[&BOOTSTRAP[..], &["-dry-run"]].concat())
            .says("bootstrap/main.tf: would be written")
            .says("Nothing was made and nothing written.");
    });
    assert!(!story.project.path().join("bootstrap").exists());
    let (ada, bob) = (story.hire("ada"), story.hire("bob"));
    let approved = [&BOOTSTRAP[..], &["-auto-approve", &ada, &bob]].concat();
    story.step("bootstrap", || {
        story
            .terrace(&approved)
            .says("Apply complete!")
            .says("wrote terrace.hcl")
            .says("Done.");
    });
    let state = story.project.read("bootstrap/backend.tf");
    assert!(state.contains("shop-state-123456789012"), "{state}");
    story.step("bootstrap again", || {
        story
            .terrace(&approved)
            .says("No changes.")
            .says("Nothing to write: the files are there.");
    });
}

/// What is there is what was wanted, and what happened can be told.
fn afterwards(story: &Story) {
    for environment in ["dev", "stg", "prd"] {
        let option = format!("-env={environment}");
        story.step(&format!("{environment}: no change"), || {
            story
                .terrace(&["plan", &option, "-detailed-exitcode"])
                .says("No changes.");
        });
        story
            .terrace(&["audit", "verify", &option])
            .says("The audit log is whole");
    }
    let image = story.terrace(&["output", "-env=prd", "-raw", "image"]);
    assert!(image.stdout.ends_with(COMMIT), "{}", image.stdout);
    // Which commit runs in prd, who approved it, what did it change.
    story
        .terrace(&["audit", "list", "-env=prd"])
        .says("ada")
        .says("bob");
}

/// A plan of the storefront that changes nothing, by Terrace with its native provider and by terraform with the hashicorp/aws that
/// this machine's own CLI configuration finds: the time of each, and the most memory that it and all of its processes held.
#[test]
fn a_plan_without_changes_beside_terraform() {
    const WHAT: &str = "a plan of the storefront beside terraform";
    if !in_full_size(WHAT) || !has_terraform() {
        return;
    }
    // hashicorp/aws 5, where 6 is not to be had: what the modules use of 6 has other names there.
    let older = |text: String| {
        text.replace("~> 6.0", ">= 5.0")
            .replace(">= 6.0, < 7.0", ">= 5.0")
            .replace(
                "data.aws_region.current.region",
                "data.aws_region.current.name",
            )
    };
    let (Some(mut ours), Some(mut theirs)) = (Story::begin(), Story::of(&older)) else {
        return;
    };
    match std::env::var("TF_CLI_CONFIG_FILE") {
        Ok(settings) => theirs.project.set("TF_CLI_CONFIG_FILE", settings),
        Err(_) => theirs.project.unset("TF_CLI_CONFIG_FILE"),
    }
    let init = ["init", "-input=false"];
    let found = theirs.project.command("terraform", &init).output().unwrap();
    if !found.status.success() {
        let why = String::from_utf8_lossy(&found.stderr).into_owned();
        println!("SKIPPED {WHAT}: terraform finds no hashicorp/aws on this machine: {why}");
        return;
    }
    ours.terrace(&init);
    let apply = ["apply", "-input=false", "-auto-approve"];
    for story in [&mut ours, &mut theirs] {
        story.project.set("TF_VAR_environment", "dev");
        // The plugin crashes over what moto tells of distributions.
        story.project.set("TF_VAR_site_served_by", "lambda");
    }
    for _ in 0..2 {
        ours.terrace(&apply);
        theirs.project.other("terraform", &apply).success();
        for story in [&mut ours, &mut theirs] {
            story
                .aws
                .moto()
                .push_image(REGION, "shop-dev-orders", COMMIT)
                .ok();
            story.project.set("TF_VAR_image_tag", COMMIT);
        }
    }
    let plan = ["plan", "-input=false", "-detailed-exitcode"];
    ours.terrace(&plan).says("No changes.");
    let native = Measured::of(|| ours.project.command(terrace(), &plan));
    let plugin = Measured::of(|| theirs.project.command("terraform", &plan));
    println!(
        "EVIDENCE | terrace, native | {} objects | {:.2} s | {} MB |",
        ours.project.instances().len(),
        native.time.as_secs_f64(),
        native.memory / 1_000_000
    );
    println!(
        "EVIDENCE | terraform with hashicorp/aws | {} objects | {:.2} s | {} MB |",
        theirs.project.instances().len(),
        plugin.time.as_secs_f64(),
        plugin.memory / 1_000_000
    );
}

/// What a command takes.
struct Measured {
    /// The middle of five runs.
    time: Duration,
    /// The most bytes that it and the processes that it started held at one time, in a run of its own.
    memory: u64,
}

impl Measured {
    fn of(command: impl Fn() -> Command) -> Self {
        let mut times: Vec<Duration> = (0..5)
            .map(|_| {
                let start = Instant::now();
                let ended = command().output().unwrap().status.code();
                // The plugin finds something to change in what moto tells of queues: it has looked at everything all the same.
                assert!(matches!(ended, Some(0 | 2)), "{ended:?}");
                start.elapsed()
            })
            .collect();
        times.sort();
        let mut child = command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut memory = 0;
        while child.try_wait().unwrap().is_none() {
            memory = memory.max(held_by(child.id()));
            std::thread::sleep(Duration::from_millis(2));
        }
        Self {
            time: times[2],
            memory,
        }
    }
}

/// The bytes of memory that a process and all below it hold, as /proc tells it.
fn held_by(process: u32) -> u64 {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else {
            continue;
        };
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        parents.push((
            id,
            number("PPid:").unwrap_or(0),
            number("VmRSS:").unwrap_or(0),
        ));
    }
    let mut family = vec![process];
    let mut held = 0;
    while let Some(member) = family.pop() {
        for (id, parent, memory) in &parents {
            if *id == member {
                held += memory * 1024;
            }
            if *parent == u64::from(member) {
                family.push(*id);
            }
        }
    }
    held
}
