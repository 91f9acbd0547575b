//! Projects whose objects live in a world that remembers everything, and what must hold between their states and it.
#![allow(dead_code, reason = "several test programs share it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use terrace_provider_testkit::{DirectoryWorld, StrictProvider, World as _, WorldEvent};
use terrace_test_support::{Project, Ran, Running, dev_override, size};
use terrace_value::Value;

/// Thirty objects in three layers, and who has written the state last.
const OBJECTS: &str = r#"
terraform {
  required_providers {
    test = {
      source = "terrace/test"
    }
  }

  BACKEND
}

variable "writer" {
  type    = string
  default = "first"
}

resource "test_object" "base" {
  count  = 10
  string = "base-${count.index}"
}

resource "test_object" "middle" {
  count  = 10
  string = "middle-${count.index}"
  map    = { base = test_object.base[count.index].id }
}

resource "test_object" "top" {
  count  = 10
  string = "top-${count.index}"
  list   = [test_object.middle[count.index].id]
}

output "writer" {
  value = var.writer
}
"#;

/// How many objects that is.
pub(crate) const N_OBJECTS: usize = 30;
/// Calls at once.
pub(crate) const PARALLELISM: usize = 10;

/// The seed of a run: the one that `TERRACE_SEED` repeats, a random one in full size, and always the same in everyday runs.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("TERRACE_SEED").ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| if size(0, 1) == 1 { rand::random() } else { 1 })
}

/// Says how to repeat a seed if the test fails while it is there.
pub(crate) struct Repeat<'a> {
    pub(crate) test: &'a str,
    pub(crate) seed: u64,
}

impl Drop for Repeat<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "FAILED with seed {}; to repeat it: TERRACE_SEED={} cargo test --package terrace-worlds {}",
                self.seed, self.seed, self.test
            );
        }
    }
}

/// A working directory and the world of its provider.
pub(crate) struct Site {
    pub(crate) project: Project,
    world: PathBuf,
    types: StrictProvider,
    /// Keeps the world's directory.
    _directory: Option<tempfile::TempDir>,
}

impl Site {
    /// With a backend block and a world of its own, which does not lie in the project's directory.
    pub(crate) fn new(block: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let world = directory.path().to_owned();
        let site = Self::of(Project::new(), block, &world);
        Self {
            _directory: Some(directory),
            ..site
        }
    }

    /// Another machine's directory with the same world.
    pub(crate) fn beside(&self, block: &str) -> Self {
        Self::of(Project::new(), block, &self.world)
    }

    fn of(mut project: Project, block: &str, world: &Path) -> Self {
        project.set("FAKE_PROVIDER_WORLD", world);
        project.set("COLUMNS", "1000");
        let site = Self {
            project,
            world: world.to_owned(),
            types: StrictProvider::new(),
            _directory: None,
        };
        site.furnish(block).with_environment()
    }

    /// Writes what the project's directory holds at the beginning.
    pub(crate) fn furnish(self, block: &str) -> Self {
        self.project
            .write("main.tf", OBJECTS.replace("BACKEND", block));
        self
    }

    /// Names the provider's program, in the directory around the project's.
    pub(crate) fn with_environment(mut self) -> Self {
        let cli_config = dev_override(self.project.outer());
        self.project.set("TF_CLI_CONFIG_FILE", cli_config);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ] {
            self.project.set(name, value);
        }
        self
    }

    /// What goes wrong, or takes how long, in the provider from now on.
    pub(crate) fn script(&mut self, text: &str) {
        self.project.set("FAKE_PROVIDER_SCRIPT", text);
    }

    pub(crate) fn init(&self) {
        self.project.terrace(&["init", "-input=false"]).success();
    }

    pub(crate) fn apply(&self, arguments: &[&str]) -> Ran {
        let all = [&["apply", "-auto-approve"], arguments].concat();
        self.project.terrace(&all)
    }

    pub(crate) fn start_apply(&self, arguments: &[&str]) -> Running {
        let all = [&["apply", "-auto-approve"], arguments].concat();
        self.project.start(&all)
    }

    fn world(&self) -> DirectoryWorld {
        DirectoryWorld::open(&self.world, self.types.provider_schema()).unwrap()
    }

    pub(crate) fn events(&self) -> Vec<WorldEvent> {
        self.world().events().unwrap()
    }

    /// The objects that there are: key by id.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let objects = self.world().objects().unwrap().into_iter();
        let key = |value: &Value| {
            let key = value.get("string").and_then(Value::as_str);
            key.unwrap_or_default().to_owned()
        };
        objects
            .map(|(id, object)| (id, key(&object.value)))
            .collect()
    }

    /// How much has happened; cheap enough to ask often.
    pub(crate) fn n_events(&self) -> usize {
        let log = std::fs::read_to_string(self.world.join("world.jsonl")).unwrap_or_default();
        log.matches('\n').count()
    }

    /// Waits until nothing has happened for a while: much longer than the provider is told to take for anything.
    pub(crate) fn settle(&self) {
        let mut seen = (self.n_events(), Instant::now());
        while seen.1.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(10));
            let now = self.n_events();
            if now != seen.0 {
                seen = (now, Instant::now());
            }
        }
    }

    fn ids_in_state(&self) -> Vec<String> {
        let id = |(_, attributes): (String, serde_json::Value)| {
            attributes["id"].as_str().unwrap().to_owned()
        };
        self.project.instances().into_iter().map(id).collect()
    }

    /// Releases by force what a run has left behind; says whether there was anything.
    pub(crate) fn free_lock(&self, refused: &str) -> bool {
        let Some((_, rest)) = refused
            .split_once("Error acquiring the state lock")
            .and_then(|(_, rest)| rest.split_once(" ID: "))
        else {
            return false;
        };
        let id = rest.split_whitespace().next().unwrap();
        self.project
            .terrace(&["force-unlock", "-force", id])
            .success();
        true
    }

    /// Recovers, and tells what only a person can know by looking into the world. Returns how many objects were uncertain.
    #[track_caller]
    pub(crate) fn recover(&self) -> usize {
        let mut found = self.project.terrace(&["recover"]);
        let said = found.all();
        if self.free_lock(&said) {
            found.whatever();
            found = self.project.terrace(&["recover"]);
        }
        if found.code() == Some(0) {
            found.success();
            return 0;
        }
        let said = found.fails(1).all();
        let open: Vec<&str> = said
            .lines()
            .filter_map(|line| line.strip_prefix("  - ")?.strip_suffix(": was it created?"))
            .collect();
        assert!(!open.is_empty(), "{said}");
        let objects = self.objects();
        let known: BTreeSet<String> = self.ids_in_state().into_iter().collect();
        let mut arguments = vec!["recover".to_owned()];
        for address in &open {
            let key = key_of(address);
            let new = objects
                .iter()
                .find(|(id, other)| **other == key && !known.contains(*id));
            arguments.push(match new {
                Some((id, _)) => format!("-created={address}={id}"),
                None => format!("-not-created={address}"),
            });
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.project.terrace(&arguments).success();
        open.len()
    }

    /// State and world hold the same objects, each once: nothing is lost.
    #[track_caller]
    pub(crate) fn state_is_the_world(&self) {
        let ids = self.ids_in_state();
        let unique: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(unique.len(), ids.len(), "twice in the state: {ids:?}");
        let world: BTreeSet<String> = self.objects().into_keys().collect();
        assert_eq!(
            unique, world,
            "left: ids in the state, right: ids in the world"
        );
    }

    /// Nothing was ever created twice.
    #[track_caller]
    pub(crate) fn nothing_was_created_twice(&self) {
        let mut created = BTreeSet::new();
        for event in self.events().iter().filter(|event| event.what == "create") {
            assert!(
                created.insert(event.key.clone()),
                "{} was created twice",
                event.key
            );
        }
    }

    /// Recovers and applies what is left, and sees that everything is there, once.
    #[track_caller]
    pub(crate) fn finishes(&mut self) -> usize {
        self.script("");
        let uncertain = self.recover();
        assert!(
            uncertain <= PARALLELISM,
            "{uncertain} objects are uncertain"
        );
        self.state_is_the_world();
        self.apply(&[]).success();
        self.state_is_the_world();
        self.nothing_was_created_twice();
        assert_eq!(self.objects().len(), N_OBJECTS);
        self.project
            .terrace(&["plan", "-detailed-exitcode"])
            .success();
        uncertain
    }
}

/// The `string` of the object at an address.
fn key_of(address: &str) -> String {
    address
        .trim_start_matches("test_object.")
        .replace('[', "-")
        .replace(']', "")
}
