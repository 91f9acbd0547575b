//! The tutorial for authors of modules, done word for word: its files are written, its commands run, and what they print is
//! what stands there.
//!
//! A block `hcl PATH` is a file. A block `console` holds commands behind `$ `, each with what it prints; a line `...` stands
//! for any lines. A command must succeed, unless `echo $?` follows. The host git.example.com is a folder, and
//! registry.example.com is `terrace registry serve`. With
//! `TERRACE_TUTORIAL_UPDATE` in the environment what is printed is written into the page; read the difference.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use terrace_test_support::{Project, Running, terrace};

const PAGE: &str = "../../docs/tutorials/module-author.md";
/// The author's key.
const KEY: &str = include_str!("../../../../engine/gate/tests/gate/keys/ecdsa");

#[test]
fn the_tutorial_goes_as_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let mut reader = Reader::new();
    let mut renewed = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        writeln!(renewed, "{line}").unwrap();
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind.split_once(' ') {
            Some(("hcl", path)) => {
                reader.write(path, &block);
                renewed.push_str(&joined(&block));
            }
            _ if kind == "console" => renewed.push_str(&reader.follow(&block)),
            _ => renewed.push_str(&joined(&block)),
        }
        renewed.push_str("```\n");
    }
    assert!(reader.commands > 20, "the tutorial has lost its commands");
    if renewed != page && std::env::var_os("TERRACE_TUTORIAL_UPDATE").is_some() {
        std::fs::write(&path, renewed).unwrap();
    }
    assert!(reader.failures.is_empty(), "{}", reader.failures);
}

fn joined(lines: &[&str]) -> String {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    text
}

/// Somebody who does what the page says.
struct Reader {
    project: Project,
    directory: PathBuf,
    code: i32,
    commands: usize,
    failures: String,
    _registry: (Project, Running),
}

impl Reader {
    fn new() -> Self {
        let mut project = Project::new();
        let outer = project.outer().to_owned();
        std::fs::create_dir(outer.join("bin")).unwrap();
        std::os::unix::fs::symlink(terrace(), outer.join("bin/terrace")).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        project.set("PATH", format!("{}:{path}", outer.join("bin").display()));
        let config = format!(
            "[user]\n  name = Author\n  email = author@example.com\n[init]\n  defaultBranch = main\n[protocol \"file\"]\n  allow = always\n[url \"file://{}/git/\"]\n  insteadOf = https://git.example.com/\n",
            outer.display()
        );
        std::fs::write(outer.join("home/.gitconfig"), config).unwrap();
        let repository = outer.join("git/service-name.git");
        let made = project
            .command("git", &["init", "--quiet", "--bare"])
            .arg(&repository)
            .status();
        assert!(made.unwrap().success());
        std::fs::write(outer.join("key"), KEY).unwrap();
        project.set("TERRACE_SSH_KEY", outer.join("key"));
        let registry = registry(&mut project);
        let directory = project.path();
        Self {
            project,
            directory,
            code: 0,
            commands: 0,
            failures: String::new(),
            _registry: registry,
        }
    }

    fn write(&self, path: &str, lines: &[&str]) {
        let path = self.directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, joined(lines)).unwrap();
    }

    /// Runs the commands of a block, and gives the block with what they print.
    fn follow(&mut self, block: &[&str]) -> String {
        let mut renewed = String::new();
        let mut at = 0;
        while at < block.len() {
            let command = block[at].strip_prefix("$ ").expect("a command");
            let end = block[at + 1..]
                .iter()
                .position(|line| line.starts_with("$ "))
                .map_or(block.len(), |next| at + 1 + next);
            let expected = &block[at + 1..end];
            let may_fail = block.get(end) == Some(&"$ echo $?");
            let printed = self.run(command, may_fail);
            let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
            writeln!(renewed, "$ {command}").unwrap();
            if fits(expected, &lines) {
                renewed.push_str(&joined(expected));
            } else {
                writeln!(self.failures, "$ {command}\n{}", joined(&lines)).unwrap();
                renewed.push_str(&joined(&lines));
            }
            at = end;
        }
        renewed
    }

    fn run(&mut self, command: &str, may_fail: bool) -> String {
        self.commands += 1;
        let place = self.project.outer().join("place");
        let script = format!(
            "exec 2>&1\ncd '{}'\n(exit {})\n{command}\ncode=$?\npwd > '{}'\nexit $code\n",
            self.directory.display(),
            self.code,
            place.display()
        );
        let output = self
            .project
            .command("sh", &["-c", &script])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        self.code = output.status.code().unwrap_or(-1);
        if self.code != 0 && !may_fail {
            writeln!(self.failures, "$ {command}\nends with {}", self.code).unwrap();
        }
        self.directory = std::fs::read_to_string(place).unwrap().trim_end().into();
        printed
    }
}

/// A registry that is served, which the reader knows by its name and has a token for.
fn registry(reader: &mut Project) -> (Project, Running) {
    let project = Project::new();
    let token = project
        .terrace(&["registry", "token", "-store=./store", "-role=publish", "me"])
        .success();
    let mut running =
        project.start(&["registry", "serve", "-store=./store", "-listen=127.0.0.1:0"]);
    running.until("it names its address", |running| {
        running.printed().contains("Ctrl-C")
    });
    let url = running.printed().lines().next().unwrap().trim().to_owned();
    let settings = format!(
        "host \"registry.example.com\" {{\n  services = {{\n    \"modules.v1\" = \"{url}/v1/modules/\"\n  }}\n}}\ncredentials \"registry.example.com\" {{\n  token = \"{}\"\n}}\n",
        token.stdout.trim()
    );
    let path = reader.outer().join("cli.tfrc");
    std::fs::write(&path, settings).unwrap();
    reader.set("TF_CLI_CONFIG_FILE", path);
    (project, running)
}

/// Whether lines are those that are expected, where `...` stands for any.
fn fits(expected: &[&str], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((&"...", rest)) => (0..=lines.len()).any(|at| fits(rest, &lines[at..])),
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line == first && fits(rest, lines)),
    }
}
