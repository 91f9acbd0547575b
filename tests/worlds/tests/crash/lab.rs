//! A project, its world, and the processes that work in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use terrace_provider_testkit::{DirectoryWorld, StrictProvider, World as _, WorldEvent};
use terrace_test_support::{Project, Running, dev_override, fake_provider};

use crate::configuration::Configuration;
use crate::experiment::{Blow, Moment, Victim};
use crate::store::Servers;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long nothing may happen before a blow falls whose moment does not come: everything may wait for a call that hangs.
const SILENCE: Duration = Duration::from_secs(3);

/// A project whose provider's objects live in a world of their own.
pub(crate) struct Lab {
    pub(crate) project: Project,
    backend: String,
    world: PathBuf,
    processes: PathBuf,
    types: StrictProvider,
    files: BTreeSet<String>,
}

impl Lab {
    pub(crate) fn new(servers: &Servers, who: &str, seed: u64) -> Self {
        let mut project = Project::new();
        servers.surround(&mut project);
        let world = project.outer().join("world");
        let processes = project.outer().join("processes");
        std::fs::create_dir_all(&processes).unwrap();
        project.set("FAKE_PROVIDER_WORLD", &world);
        project.set("FAKE_PROVIDER_PROCESSES", &processes);
        Self {
            project,
            backend: servers.backend(who, seed),
            world,
            processes,
            types: StrictProvider::new(),
            files: BTreeSet::new(),
        }
    }

    /// What the provider does wrong from now on.
    pub(crate) fn script(&mut self, text: &str) {
        self.project.set("FAKE_PROVIDER_SCRIPT", text);
    }

    /// Writes a configuration in place of the one that is there.
    pub(crate) fn write(&mut self, configuration: &Configuration) {
        let files = configuration.files(&self.backend);
        for gone in self.files.iter().filter(|path| !files.contains_key(*path)) {
            std::fs::remove_file(self.project.path().join(gone)).unwrap();
        }
        for (path, text) in &files {
            self.project.write(path, text);
        }
        self.files = files.into_keys().collect();
    }

    fn world(&self) -> DirectoryWorld {
        DirectoryWorld::open(&self.world, self.types.provider_schema()).unwrap()
    }

    /// Everything that ever happened.
    pub(crate) fn events(&self) -> Vec<WorldEvent> {
        self.world().events().unwrap()
    }

    /// The objects that there are: address by id.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let objects = self.world().objects().unwrap().into_iter();
        let key = |value: &terrace_value::Value| {
            let key = value.get("string").and_then(terrace_value::Value::as_str);
            key.unwrap_or_default().to_owned()
        };
        objects
            .map(|(id, object)| (id, key(&object.value)))
            .collect()
    }

    /// Addresses that several objects stand for.
    pub(crate) fn doubles(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let keys = self.objects().into_values();
        keys.filter(|key| !seen.insert(key.clone())).collect()
    }

    fn n_events(&self) -> usize {
        let log = std::fs::read_to_string(self.world.join("world.jsonl")).unwrap_or_default();
        log.matches('\n').count()
    }

    /// How large the journal is, where it is a file.
    fn journal_length(&self) -> Option<u64> {
        let files = self
            .project
            .path()
            .join(".terrace/states/terraform.tfstate/journal");
        let embedded = self.project.path().join(".terrace/store/journals/default");
        [files, embedded]
            .iter()
            .find_map(|path| std::fs::metadata(path).ok())
            .map(|metadata| metadata.len())
    }

    /// Providers of this lab that live.
    fn providers(&self) -> Vec<Pid> {
        let entries = std::fs::read_dir(&self.processes).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let world = self.world.to_str().unwrap();
        names
            .filter_map(|name| name.to_str()?.parse().ok())
            .filter(|id: &i32| {
                // Not another process of the same number, and not one that only waits to be noticed as dead.
                let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
                String::from_utf8_lossy(&environment).contains(world)
            })
            .map(Pid::from_raw)
            .collect()
    }

    /// Waits until no provider lives any more: they outlive their host for a moment.
    #[track_caller]
    pub(crate) fn providers_are_gone(&self) {
        let begun = Instant::now();
        loop {
            let alive = self.providers();
            if alive.is_empty() {
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "providers are left behind: {alive:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        for entry in std::fs::read_dir(&self.processes).unwrap() {
            // A file that is gone already is as well.
            std::fs::remove_file(entry.unwrap().path()).ok();
        }
    }

    /// Kills the providers that there are; whether there was one.
    fn kill_providers(&self) -> bool {
        // One may have ended in between.
        self.providers()
            .into_iter()
            .map(|id| kill(id, Signal::SIGKILL).is_ok())
            .fold(false, |any, killed| any | killed)
    }

    /// Lets a blow fall at its moment. Nothing happens where the command ends before.
    pub(crate) fn strike(&self, blow: &Blow, running: &mut Running, events_before: usize) {
        match blow {
            Blow::None => {}
            Blow::Kill(victim, moment) => {
                self.wait_for(moment, running, events_before);
                if *victim != Victim::Provider {
                    send(Running::kill, running);
                }
                match victim {
                    Victim::Engine => {}
                    Victim::Both => {
                        self.kill_providers();
                    }
                    // One that hangs ends by nothing else: a blow that comes before it is there falls when it is.
                    Victim::Provider => {
                        while !self.kill_providers() && !running.has_ended() {
                            std::thread::sleep(Duration::from_millis(2));
                        }
                    }
                }
            }
            Blow::Signal {
                terminate,
                moment,
                again,
            } => {
                self.wait_for(moment, running, events_before);
                let signal = if *terminate {
                    Running::terminate
                } else {
                    Running::interrupt
                };
                send(signal, running);
                if let Some(pause) = again {
                    // The second is one only after the first was taken.
                    let begun = Instant::now();
                    while !running.has_ended()
                        && begun.elapsed() < SILENCE
                        && !running.printed().contains("nterrupt")
                    {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    std::thread::sleep(*pause);
                    send(signal, running);
                }
            }
        }
    }

    fn wait_for(&self, moment: &Moment, running: &mut Running, events_before: usize) {
        let begun = Instant::now();
        let mut changed = Instant::now();
        let mut last = (events_before, self.journal_length());
        let mut growths = 0;
        while !running.has_ended() {
            let now = (self.n_events(), self.journal_length());
            if now != last {
                changed = Instant::now();
                growths += usize::from(now.1 > last.1);
                last = now;
            }
            let happened = now.0.saturating_sub(events_before);
            match moment {
                Moment::Time(time) if begun.elapsed() >= *time => return,
                Moment::Events(n, pause) if happened > *n => {
                    std::thread::sleep(*pause);
                    return;
                }
                Moment::Journal(n) if growths >= *n || (now.1.is_none() && happened >= *n) => {
                    return;
                }
                _ if happened > 0 && changed.elapsed() > SILENCE => return,
                _ if changed.elapsed() > PATIENCE / 4 => return,
                _ => {}
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn events_so_far(&self) -> usize {
        self.n_events()
    }
}

/// Sends a signal to a command that has not ended.
fn send(signal: fn(&Running), running: &mut Running) {
    if !running.has_ended() {
        signal(running);
    }
}

impl Lab {
    /// Lets the provider be the built one, without an installation.
    pub(crate) fn use_override(&mut self) {
        let path = dev_override(self.project.outer());
        self.project.set("TF_CLI_CONFIG_FILE", path);
    }

    /// Lets the provider be installed from a directory, which the reference's `init` insists on.
    pub(crate) fn use_mirror(&mut self) {
        let mirror = self.project.outer().join("mirror");
        let package = format!(
            "registry.terraform.io/terrace/test/1.0.0/{}",
            terrace_test_services::platform()
        );
        let package = mirror.join(package);
        std::fs::create_dir_all(&package).unwrap();
        let program = package.join("terraform-provider-test_v1.0.0");
        std::os::unix::fs::symlink(fake_provider(), program).unwrap();
        let path = self.project.outer().join("mirror.tfrc");
        let text = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
            mirror.display().to_string()
        );
        std::fs::write(&path, text).unwrap();
        self.project.set("TF_CLI_CONFIG_FILE", path);
    }
}
