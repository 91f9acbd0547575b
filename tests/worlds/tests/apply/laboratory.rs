//! A project, a world, and the checks that hold between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use terrace_provider_testkit::{DirectoryWorld, StrictProvider, World as _, WorldEvent};
use terrace_test_support::{Project, Ran, Running, dev_override};

/// Provider calls at once.
pub(crate) const PARALLELISM: usize = 10;

/// How long a provider may take to notice that its host is gone.
const PATIENCE: Duration = Duration::from_mins(2);

/// Forty objects in three layers.
pub(crate) const FORTY: &str = r#"
terraform {
  required_providers {
    test = {
      source = "terrace/test"
    }
  }

  BACKEND
}

variable "generation" {
  type    = number
  default = 1
}

variable "kind" {
  type    = string
  default = "first"
}

resource "test_object" "base" {
  count  = 10
  string = "base-${count.index}"
  number = var.generation
}

resource "test_object" "middle" {
  count  = 15
  string = "middle-${count.index}"
  map    = { base = test_object.base[count.index % 10].id }
}

resource "test_object" "top" {
  count     = 15
  string    = "top-${count.index}"
  list      = [test_object.middle[count.index].id]
  immutable = var.kind
}

output "ids" {
  value = test_object.top[*].id
}
"#;

/// How many objects [`FORTY`] is.
pub(crate) const N_OBJECTS: usize = 40;

/// A project whose provider's objects live in a world of their own.
pub(crate) struct Lab {
    pub(crate) project: Project,
    world: PathBuf,
    processes: PathBuf,
    types: StrictProvider,
}

impl Lab {
    /// With a configuration in which `BACKEND` stands for the backend block.
    pub(crate) fn new(backend: &str, configuration: &str) -> Self {
        let block = if backend == "local" {
            String::new()
        } else {
            format!("backend {backend:?} {{}}")
        };
        let mut project = Project::with(&configuration.replace("BACKEND", &block));
        let world = project.outer().join("world");
        project.set("FAKE_PROVIDER_WORLD", &world);
        let processes = project.outer().join("processes");
        std::fs::create_dir_all(&processes).unwrap();
        project.set("FAKE_PROVIDER_PROCESSES", &processes);
        let cli_config = dev_override(project.outer());
        project.set("TF_CLI_CONFIG_FILE", cli_config);
        Self {
            project,
            world,
            processes,
            types: StrictProvider::new(),
        }
    }

    /// What goes wrong from now on.
    pub(crate) fn script(&mut self, text: &str) {
        self.project.set("FAKE_PROVIDER_SCRIPT", text);
    }

    pub(crate) fn apply(&self) -> Ran {
        self.project.terrace(&["apply", "-auto-approve"])
    }

    pub(crate) fn start_apply(&self) -> Running {
        self.project.start(&["apply", "-auto-approve"])
    }

    fn world(&self) -> DirectoryWorld {
        DirectoryWorld::open(&self.world, self.types.provider_schema()).unwrap()
    }

    /// Everything that ever happened.
    pub(crate) fn events(&self) -> Vec<WorldEvent> {
        self.world().events().unwrap()
    }

    /// The objects that there are: key by id.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let objects = self.world().objects().unwrap().into_iter();
        let key = |value: &terrace_value::Value| {
            value
                .get("string")
                .and_then(terrace_value::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        objects
            .map(|(id, object)| (id, key(&object.value)))
            .collect()
    }

    /// Takes an object away behind everybody's back.
    pub(crate) fn lose(&self, id: &str) {
        self.world().delete(id).unwrap();
    }

    /// How much has happened; cheap enough to ask often.
    pub(crate) fn n_events(&self) -> usize {
        let log = std::fs::read_to_string(self.world.join("world.jsonl")).unwrap_or_default();
        log.matches('\n').count()
    }

    /// Whether a provider of this lab lives.
    pub(crate) fn has_providers(&self) -> bool {
        let world = self.world.to_str().unwrap();
        let entries = std::fs::read_dir(&self.processes).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).any(|id| {
            // Not another process of the same number, and not one that only waits to be noticed as dead.
            let path = std::path::Path::new("/proc").join(id).join("environ");
            let environment = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(world)
        })
    }

    /// Waits until nothing happens any more: a provider outlives its host for a moment.
    #[track_caller]
    pub(crate) fn settle(&self) {
        let begun = Instant::now();
        while self.has_providers() {
            assert!(begun.elapsed() < PATIENCE, "a provider is left behind");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ids of the objects in the state.
    pub(crate) fn ids_in_state(&self) -> Vec<String> {
        let id = |(_, attributes): (String, serde_json::Value)| {
            attributes["id"].as_str().unwrap().to_owned()
        };
        self.project.instances().into_iter().map(id).collect()
    }

    /// Recovers, and tells what only a person can know by looking into the world. Returns how many objects were uncertain.
    #[track_caller]
    pub(crate) fn recover(&self) -> usize {
        let found = self.project.terrace(&["recover"]);
        if found.code() == Some(0) {
            return 0;
        }
        let found = found.fails(1);
        let open: Vec<String> = found
            .all()
            .lines()
            .filter_map(|line| {
                Some(
                    line.strip_prefix("  - ")?
                        .strip_suffix(": was it created?")?
                        .to_owned(),
                )
            })
            .collect();
        assert!(!open.is_empty(), "{}", found.all());
        self.nothing_is_lost_but(&open);
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

    /// Every object of the world is in the state, or belongs to an address that the recovery has asked about.
    #[track_caller]
    fn nothing_is_lost_but(&self, open: &[String]) {
        let asked: BTreeSet<String> = open.iter().map(|address| key_of(address)).collect();
        let known: BTreeSet<String> = self.ids_in_state().into_iter().collect();
        for (id, key) in self.objects() {
            assert!(
                known.contains(&id) || asked.contains(&key),
                "{id} ({key}) is lost"
            );
        }
    }

    /// State and world hold the same objects, each once.
    #[track_caller]
    pub(crate) fn state_is_the_world(&self) {
        let ids = self.ids_in_state();
        let unique: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(
            unique.len(),
            ids.len(),
            "an object is in the state twice: {ids:?}"
        );
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

    /// No two live objects stand for the same thing.
    #[track_caller]
    pub(crate) fn nothing_is_there_twice(&self) {
        let mut keys = BTreeSet::new();
        for (id, key) in self.objects() {
            assert!(
                keys.insert(key.clone()),
                "{key} is there twice, the second time as {id}"
            );
        }
    }

    /// Nothing is left to be done.
    #[track_caller]
    pub(crate) fn is_done(&self, arguments: &[&str]) {
        let arguments: Vec<&str> = ["plan", "-detailed-exitcode"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        self.project.terrace(&arguments).success();
    }
}

/// The `string` of the object at an address, as [`FORTY`] names its objects.
pub(crate) fn key_of(address: &str) -> String {
    address
        .trim_start_matches("test_object.")
        .replace('[', "-")
        .replace(']', "")
}
