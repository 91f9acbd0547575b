//! A working directory, a cache, and what an installation said.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrace_diag::Diagnostics;
use terrace_module_source::{Installation, InstallationSettings, Manifest, ModuleLock, Outcome};
use terrace_port::{FileEntry, Files};
use terrace_registry_client::{
    Credentials, Discovery, Host, Http, HttpSettings, ModuleRegistry, ServiceSettings,
};
use terrace_test_services::{Reply, Web};

/// Files below a directory.
struct Below(PathBuf);

impl Files for Below {
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
        std::fs::read(self.0.join(path)).map(Into::into)
    }

    fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.0.join(path))? {
            let entry = entry?;
            entries.push(FileEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_directory: entry.path().is_dir(),
            });
        }
        entries.sort();
        Ok(entries)
    }

    fn exists(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }

    fn absolute(&self, path: &str) -> String {
        self.0.join(path).to_string_lossy().into_owned()
    }
}

/// A working directory with what is around it.
pub(crate) struct World {
    directory: tempfile::TempDir,
    pub(crate) web: Web,
    pub(crate) environment: BTreeMap<String, String>,
}

/// What an installation gave.
pub(crate) struct Installed {
    pub(crate) outcome: Outcome,
    pub(crate) said: Vec<String>,
    pub(crate) problems: Vec<(String, String)>,
}

impl Installed {
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.problems, []);
        self
    }

    /// The one problem, by its id, which says this.
    #[track_caller]
    pub(crate) fn fails(self, id: &str, text: &str) -> Self {
        let [(found, detail)] = self.problems.as_slice() else {
            panic!("{:?}", self.problems);
        };
        assert_eq!(found, id, "{detail}");
        assert!(detail.contains(text), "{detail}");
        self
    }

    pub(crate) fn directory(&self, key: &str) -> String {
        self.outcome.manifest.records[key].directory.clone()
    }
}

impl World {
    pub(crate) fn new(configuration: &str) -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
            web: Web::start().unwrap(),
            environment: BTreeMap::new(),
        };
        world.write("work/main.tf", configuration);
        world
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Installs with what an earlier installation left, in the directory `work`.
    pub(crate) fn install(&self, earlier: Outcome, upgrade: bool) -> Installed {
        self.install_in("work", earlier, upgrade)
    }

    pub(crate) fn first(&self) -> Installed {
        self.install(Outcome::default(), false)
    }

    /// As on another machine: neither installed modules nor a cache, but the lock.
    pub(crate) fn elsewhere(&self, lock: &ModuleLock) -> Installed {
        for path in ["work/.terraform", "cache"] {
            std::fs::remove_dir_all(self.path(path)).ok();
        }
        let outcome = Outcome {
            manifest: Manifest::default(),
            lock: lock.clone(),
        };
        self.install(outcome, false)
    }

    pub(crate) fn install_in(&self, work: &str, earlier: Outcome, upgrade: bool) -> Installed {
        let files = Below(self.path(work));
        let said = Mutex::new(Vec::new());
        let http = Arc::new(Http::new(HttpSettings {
            retries: 1,
            pause: Duration::from_millis(1),
            ..HttpSettings::default()
        }));
        let host = Host::parse("modules.example").unwrap();
        let services =
            BTreeMap::from([("modules.v1".to_owned(), self.web.url("/v1/modules").into())]);
        let services = ServiceSettings {
            services: BTreeMap::from([(host, services)]),
            tokens: BTreeMap::from([(
                Host::parse("modules.example").unwrap(),
                "sesame".to_owned(),
            )]),
            helper: None,
        };
        let credentials = Credentials::new(&BTreeMap::new(), &services, None, None);
        let discovery = Discovery::new(http.clone(), Arc::new(credentials), &services);
        let settings = InstallationSettings {
            working_directory: self.path(work),
            data_directory: ".terraform".to_owned(),
            cache: Some(self.path("cache")),
            upgrade,
            registry: ModuleRegistry::new(Arc::new(discovery)),
            http,
            environment: self.environment.clone(),
        };
        let observer = |event: &terrace_module_source::ModuleEvent| {
            said.lock().unwrap().push(event.to_string());
        };
        let installation = Installation::new(&files, settings, earlier, observer).unwrap();
        let (_, diagnostics) = terrace_config::load(".", &files, &installation);
        let outcome = installation.finish();
        Installed {
            outcome,
            said: said.into_inner().unwrap(),
            problems: problems(&diagnostics),
        }
    }

    /// Runs git in the directory `repository`.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let directory = self.path("repository");
        std::fs::create_dir_all(&directory).unwrap();
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.com",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Puts a file into the repository and commits it; gives the commit.
    pub(crate) fn commit(&self, path: &str, text: &str) -> String {
        if !self.path("repository/.git").exists() {
            self.git(&["init", "--quiet"]);
        }
        self.write(&format!("repository/{path}"), text);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The repository's address, for sources.
    pub(crate) fn repository(&self) -> String {
        format!("git::file://{}", self.path("repository").display())
    }

    /// Answers as the registry's module `acme/net/aws` with these versions, each an archive of one file.
    pub(crate) fn publish(&self, versions: &[&str]) {
        let listed: Vec<String> = versions
            .iter()
            .map(|version| format!("{{\"version\":\"{version}\"}}"))
            .collect();
        let base = "/v1/modules/acme/net/aws";
        self.web.on(
            &format!("{base}/versions"),
            Reply::json(&format!(
                "{{\"modules\":[{{\"versions\":[{}]}}]}}",
                listed.join(",")
            ))
            .needs("Authorization", "Bearer sesame"),
        );
        for version in versions {
            self.web.on(
                &format!("{base}/{version}/download"),
                Reply::status(204)
                    .header("X-Terraform-Get", &format!("./{version}.zip//net-*"))
                    .needs("Authorization", "Bearer sesame"),
            );
            let text = format!("output \"version\" {{\n  value = \"{version}\"\n}}\n");
            let archive = zip(&[
                ("net-1/main.tf", &text),
                (
                    "net-1/modules/sub/main.tf",
                    "module \"up\" {\n  source = \"../other\"\n}\n",
                ),
                ("net-1/modules/other/main.tf", ""),
            ]);
            self.web.on(
                &format!("{base}/{version}/{version}.zip"),
                Reply::of(archive).header("ETag", "\"one\""),
            );
        }
    }
}

fn problems(diagnostics: &Diagnostics) -> Vec<(String, String)> {
    diagnostics
        .iter()
        .map(|one| (one.id.to_owned(), one.detail.clone()))
        .collect()
}

/// A zip archive of these files.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A call of this source.
pub(crate) fn call(source: &str) -> String {
    format!("module \"m\" {{\n  source = \"{source}\"\n}}\n")
}

pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}
