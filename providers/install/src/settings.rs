//! What installation needs to know of its surroundings, read once by the binary.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use terrace_addr::version::Version;
use terrace_addr::{DEFAULT_HOST, ProviderAddr};
use terrace_registry_client::{Credentials, Discovery, Http, HttpSettings};

use crate::cli_config::{CliConfig, Method};
use crate::mirror;
use crate::pattern::Pattern;

/// A system and processor, as packages are named for it: `linux_amd64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// The system.
    pub os: String,
    /// The processor.
    pub arch: String,
}

impl Platform {
    /// The one that this program was built for.
    pub fn current() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            os => os,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            arch => arch,
        };
        Self {
            os: os.into(),
            arch: arch.into(),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.os, self.arch)
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('_') {
            Some((os, arch)) if !os.is_empty() && !arch.is_empty() && !arch.contains('_') => {
                Ok(Self {
                    os: os.into(),
                    arch: arch.into(),
                })
            }
            _ => Err(format!(
                "{text:?} is no platform; one has the form OS_ARCH, such as linux_amd64"
            )),
        }
    }
}

/// Where a user's own files are.
#[derive(Clone, Debug, Default)]
pub struct UserDirectories {
    /// `HOME`
    pub home: Option<PathBuf>,
    /// `XDG_DATA_HOME`
    pub data_home: Option<PathBuf>,
    /// `XDG_DATA_DIRS`
    pub data_directories: Vec<PathBuf>,
}

impl UserDirectories {
    /// The CLI configuration that is read where no variable names one: the first of these that is there.
    pub fn cli_config_candidates(&self) -> Vec<PathBuf> {
        let names = [".terracerc", ".tofurc", ".terraformrc"];
        self.home
            .iter()
            .flat_map(|home| names.map(|name| home.join(name)))
            .collect()
    }

    /// Directories that serve as mirrors without being named, for the providers that they hold.
    pub fn implied_mirrors(&self, working_directory: &Path) -> Vec<PathBuf> {
        let mut found = vec![working_directory.join("terraform.d/plugins")];
        if let Some(home) = &self.home {
            found.push(home.join(".terraform.d/plugins"));
            found.push(
                self.data_home
                    .clone()
                    .unwrap_or_else(|| home.join(".local/share"))
                    .join("terraform/plugins"),
            );
        }
        if self.data_directories.is_empty() {
            found.extend(
                ["/usr/local/share", "/usr/share"]
                    .map(|path| Path::new(path).join("terraform/plugins")),
            );
        } else {
            found.extend(
                self.data_directories
                    .iter()
                    .map(|path| path.join("terraform/plugins")),
            );
        }
        found.retain(|path| path.is_dir());
        found
    }
}

/// Everything that decides where packages come from and go to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory of the working directory, `.terraform` unless `TF_DATA_DIR` says otherwise.
    pub data_directory: PathBuf,
    /// Where packages come from, in order.
    pub methods: Vec<Method>,
    /// Directories that developers run their providers from.
    pub dev_overrides: BTreeMap<ProviderAddr, PathBuf>,
    /// A cache that several working directories share.
    pub plugin_cache: Option<PathBuf>,
    /// Providers that are compiled in, with the version that they stand for.
    pub native: BTreeMap<ProviderAddr, Version>,
    /// The platform to install for.
    pub platform: Platform,
    /// Where it is remembered which packages have been checked; without it they are read each time.
    pub verified: Option<PathBuf>,
    /// What finds registries and makes requests.
    pub registries: Arc<Discovery>,
    /// Where packages are kept for all working directories; without it each has its own.
    pub store: Option<PathBuf>,
    /// The directory of Docker's settings, where logins of OCI registries are.
    pub docker_settings: Option<PathBuf>,
    /// The registry that has the providers whose address names no host.
    pub default_provider_host: Option<String>,
}

impl Settings {
    /// What a CLI configuration says; `plugin_cache` is `TF_PLUGIN_CACHE_DIR`, which wins over it. Registries are asked
    /// with the credentials of the configuration alone, and nothing is kept for other working directories, until the
    /// fields say otherwise.
    pub fn new(
        data_directory: PathBuf,
        working_directory: &Path,
        config: &CliConfig,
        directories: &UserDirectories,
        plugin_cache: Option<PathBuf>,
    ) -> Self {
        let methods = match &config.methods {
            Some(methods) => methods.clone(),
            None => implied_methods(&directories.implied_mirrors(working_directory)),
        };
        Self {
            data_directory,
            methods,
            dev_overrides: config.dev_overrides.clone(),
            plugin_cache: plugin_cache.or_else(|| config.plugin_cache_dir.clone()),
            native: BTreeMap::new(),
            platform: Platform::current(),
            verified: None,
            registries: Arc::new(Discovery::new(
                Arc::new(Http::new(HttpSettings::default())),
                Arc::new(Credentials::new(
                    &BTreeMap::new(),
                    &config.services,
                    None,
                    None,
                )),
                &config.services,
            )),
            store: None,
            docker_settings: directories.home.as_ref().map(|home| home.join(".docker")),
            default_provider_host: config
                .default_provider_host
                .as_ref()
                .map(ToString::to_string),
        }
    }

    /// The host of the registry that has `provider`.
    pub(crate) fn registry_host(&self, provider: &ProviderAddr) -> String {
        self.in_registry(provider).host.to_string()
    }

    /// The provider as its registry knows it.
    pub(crate) fn in_registry(&self, provider: &ProviderAddr) -> ProviderAddr {
        match &self.default_provider_host {
            Some(host) if &*provider.host == DEFAULT_HOST => ProviderAddr::new(
                host.as_str(),
                provider.namespace.clone(),
                provider.name.clone(),
            ),
            _ => provider.clone(),
        }
    }

    /// Takes packages from these directories and from nowhere else.
    pub fn only_directories(&mut self, directories: impl IntoIterator<Item = PathBuf>) {
        let methods = directories
            .into_iter()
            .map(|path| Method::FilesystemMirror {
                path,
                include: Vec::new(),
                exclude: Vec::new(),
            });
        self.methods = methods.collect();
    }
}

/// Each mirror for what it holds, and registries for the rest.
fn implied_methods(mirrors: &[PathBuf]) -> Vec<Method> {
    let mut methods = Vec::new();
    let mut held = Vec::new();
    for path in mirrors {
        // What cannot be read holds nothing that anybody was promised.
        let providers = mirror::providers(path).unwrap_or_default();
        if providers.is_empty() {
            continue;
        }
        let include: Vec<Pattern> = providers.iter().map(Pattern::exactly).collect();
        held.extend(include.clone());
        methods.push(Method::FilesystemMirror {
            path: path.clone(),
            include,
            exclude: Vec::new(),
        });
    }
    methods.push(Method::Direct {
        include: Vec::new(),
        exclude: held,
    });
    methods
}
