//! The CLI configuration: `.terraformrc`, `.tofurc`, or the file that `TF_CLI_CONFIG_FILE` names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use terrace_addr::ProviderAddr;
use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};
use terrace_registry_client::words::{Entry, Word, read};
use terrace_registry_client::{Host, ServiceSettings};

use crate::pattern::Pattern;
use crate::source::check_template;

/// The installation methods.
const KINDS: [&str; 5] = [
    "filesystem_mirror",
    "network_mirror",
    "oci_mirror",
    "direct",
    "native",
];

/// What a CLI configuration file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CliConfig {
    /// `plugin_cache_dir`
    pub plugin_cache_dir: Option<PathBuf>,
    /// `provider_installation`, but for its `dev_overrides`; `None` where there is none.
    pub methods: Option<Vec<Method>>,
    /// `dev_overrides`
    pub dev_overrides: BTreeMap<ProviderAddr, PathBuf>,
    /// `default_provider_host`: the registry that has the providers whose address names no host.
    pub default_provider_host: Option<Host>,
    /// `credentials`, `credentials_helper` and `host`
    pub services: ServiceSettings,
}

/// A place where packages come from, and for which providers: for those that `include` matches, or all if it is
/// empty, but none that `exclude` matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// A directory.
    FilesystemMirror {
        /// The directory.
        path: PathBuf,
        /// For which providers.
        include: Vec<Pattern>,
        /// But not for these.
        exclude: Vec<Pattern>,
    },
    /// A server of packages.
    NetworkMirror {
        /// Its address.
        url: String,
        /// For which providers.
        include: Vec<Pattern>,
        /// But not for these.
        exclude: Vec<Pattern>,
    },
    /// A repository of an OCI registry for each provider.
    OciMirror {
        /// The repository's address, in which `${hostname}`, `${namespace}` and `${type}` stand for the provider's.
        repository_template: String,
        /// For which providers.
        include: Vec<Pattern>,
        /// But not for these.
        exclude: Vec<Pattern>,
    },
    /// Each provider's own registry.
    Direct {
        /// For which providers.
        include: Vec<Pattern>,
        /// But not for these.
        exclude: Vec<Pattern>,
    },
    /// The engine itself, for the providers that are compiled into it.
    Native {
        /// For which providers.
        include: Vec<Pattern>,
        /// But not for these.
        exclude: Vec<Pattern>,
    },
}

impl Method {
    /// Whether it is for `provider`.
    pub fn serves(&self, provider: &ProviderAddr) -> bool {
        let (Self::FilesystemMirror {
            include, exclude, ..
        }
        | Self::NetworkMirror {
            include, exclude, ..
        }
        | Self::OciMirror {
            include, exclude, ..
        }
        | Self::Direct { include, exclude }
        | Self::Native { include, exclude }) = self;
        (include.is_empty() || include.iter().any(|pattern| pattern.matches(provider)))
            && !exclude.iter().any(|pattern| pattern.matches(provider))
    }

    /// Where it looks, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::FilesystemMirror { path, .. } => format!("the mirror {}", path.display()),
            Self::NetworkMirror { url, .. } => format!("the mirror {url}"),
            Self::OciMirror {
                repository_template,
                ..
            } => format!("the mirror {repository_template}"),
            Self::Direct { .. } => "its registry".to_owned(),
            Self::Native { .. } => "Terrace itself".to_owned(),
        }
    }
}

/// Settings that other tools have and that mean nothing here, or not yet: no reason to complain.
const ACCEPTED: [&str; 5] = [
    "disable_checkpoint",
    "disable_checkpoint_signature",
    "plugin_cache_may_break_dependency_lock_file",
    "providers",
    "provisioners",
];

impl CliConfig {
    /// Reads a file's text. What cannot be understood is reported and left out.
    pub fn parse(source: SourceId, text: &str) -> (Self, Diagnostics) {
        let (entries, mut diagnostics) = read(source, text);
        let mut config = Self::default();
        for entry in entries {
            match (&*entry.name, &entry.value) {
                ("plugin_cache_dir", Word::Text(path)) => config.plugin_cache_dir = Some(path.into()),
                ("default_provider_host", Word::Text(host)) => match Host::parse(host) {
                    Ok(host) => config.default_provider_host = Some(host),
                    Err(error) => diagnostics.push(invalid(
                        entry.span,
                        "Invalid CLI configuration",
                        format!("The default_provider_host is no host: {error}."),
                    )),
                },
                ("provider_installation", Word::Block(methods)) if config.methods.is_none() => {
                    config.methods = Some(config.read_methods(methods, &mut diagnostics));
                }
                ("provider_installation", Word::Block(_)) => diagnostics.push(invalid(
                    entry.span,
                    "Duplicate provider_installation block",
                    "There can be only one provider_installation block in the CLI configuration.",
                )),
                ("plugin_cache_dir" | "provider_installation" | "default_provider_host", _) => diagnostics.push(invalid(
                    entry.span,
                    "Invalid CLI configuration",
                    format!("{:?} is not written as such a setting is: plugin_cache_dir and default_provider_host are strings, provider_installation is a block.", entry.name),
                )),
                (name, _) if ServiceSettings::NAMES.contains(&name) => {
                    diagnostics.append(config.services.read(&entry));
                }
                (name, _) if ACCEPTED.contains(&name) => {}
                (name, _) => diagnostics.push(
                    Diagnostic::warning(
                        "cli-config-unknown",
                        "Unknown CLI configuration setting",
                        format!("There is no setting {name:?} in the CLI configuration. It is ignored."),
                    )
                    .at(entry.span),
                ),
            }
        }
        (config, diagnostics)
    }

    fn read_methods(&mut self, entries: &[Entry], diagnostics: &mut Diagnostics) -> Vec<Method> {
        let mut methods = Vec::new();
        for entry in entries {
            let Word::Block(settings) = &entry.value else {
                diagnostics.push(invalid(
                    entry.span,
                    "Invalid provider_installation method block",
                    format!("The items inside the provider_installation block must all be blocks, and {:?} is none.", entry.name),
                ));
                continue;
            };
            if entry.name == "dev_overrides" {
                self.read_dev_overrides(settings, diagnostics);
                continue;
            }
            match read_method(entry, settings) {
                Ok(method) => methods.push(method),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        methods
    }

    fn read_dev_overrides(&mut self, settings: &[Entry], diagnostics: &mut Diagnostics) {
        for entry in settings {
            let provider = ProviderAddr::parse(&entry.name);
            match (provider, &entry.value) {
                (Ok(provider), Word::Text(path)) => {
                    self.dev_overrides.insert(provider, path.into());
                }
                (Err(error), _) => {
                    diagnostics.push(invalid(
                        entry.span,
                        "Invalid provider address in dev_overrides",
                        error.to_string(),
                    ));
                }
                (Ok(_), _) => diagnostics.push(invalid(
                    entry.span,
                    "Invalid dev_overrides",
                    format!("The directory for {:?} must be a string.", entry.name),
                )),
            }
        }
    }
}

fn read_method(entry: &Entry, settings: &[Entry]) -> Result<Method, Diagnostic> {
    let kind = &*entry.name;
    let failed = |why: String| {
        invalid(
            entry.span,
            "Invalid provider_installation method block",
            why,
        )
    };
    if !KINDS.contains(&kind) {
        return Err(failed(format!(
            "Unknown provider installation method {kind:?}. There are filesystem_mirror, network_mirror, oci_mirror, direct, native and dev_overrides."
        )));
    }
    let mut include = Vec::new();
    let mut exclude = Vec::new();
    let mut location = None;
    let wanted = match kind {
        "filesystem_mirror" => "path",
        "network_mirror" => "url",
        "oci_mirror" => "repository_template",
        _ => "",
    };
    for setting in settings {
        match (&*setting.name, &setting.value) {
            ("include", value) => include = patterns(value, "inclusion", setting.span)?,
            ("exclude", value) => exclude = patterns(value, "exclusion", setting.span)?,
            (name, Word::Text(text)) if name == wanted => location = Some(text.clone()),
            (name, _) => {
                return Err(invalid(
                    setting.span,
                    "Invalid provider_installation method block",
                    format!("A {kind} block has no argument {name:?}, or it has another form."),
                ));
            }
        }
    }
    Ok(match (kind, location) {
        ("filesystem_mirror", Some(path)) => Method::FilesystemMirror {
            path: path.into(),
            include,
            exclude,
        },
        ("network_mirror", Some(url)) => Method::NetworkMirror {
            url,
            include,
            exclude,
        },
        ("oci_mirror", Some(repository_template)) => {
            check_template(&repository_template, &include).map_err(|why| {
                failed(format!(
                    "Invalid repository_template {repository_template:?}: {why}."
                ))
            })?;
            Method::OciMirror {
                repository_template,
                include,
                exclude,
            }
        }
        ("direct", _) => Method::Direct { include, exclude },
        ("native", _) => Method::Native { include, exclude },
        _ => {
            return Err(failed(format!(
                "Invalid {kind} block: {wanted:?} argument is required."
            )));
        }
    })
}

fn patterns(value: &Word, which: &str, span: Span) -> Result<Vec<Pattern>, Diagnostic> {
    let failed = |why: String| {
        invalid(
            span,
            format!("Invalid provider source {which} patterns"),
            format!("CLI config specifies invalid provider {which} patterns: {why}."),
        )
    };
    let Word::List(items) = value else {
        return Err(failed("they must be a list of strings".into()));
    };
    let pattern = |item: &Word| match item {
        Word::Text(text) => text.parse().map_err(failed),
        _ => Err(failed("each must be a string".into())),
    };
    items.iter().map(pattern).collect()
}

fn invalid(span: Span, summary: impl Into<String>, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("cli-config", summary, detail).at(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (CliConfig, Diagnostics) {
        CliConfig::parse(SourceId(0), text)
    }

    #[test]
    fn a_whole_file_is_read() {
        let (config, diagnostics) = parse(
            r#"
            # comments of all kinds
            plugin_cache_dir = "/var/cache/plugins" // here
            disable_checkpoint = true
            credentials "app.example.com" { token = "x" }
            provider_installation {
              /* and
                 there */
              dev_overrides {
                "hashicorp/null" = "/home/me/null"
                acme/x = "/not/read"
              }
            }"#,
        );
        assert_eq!(config.plugin_cache_dir, None, "{diagnostics:?}");
        assert!(
            diagnostics.has_errors(),
            "a bare name with a slash is no name"
        );

        let (config, diagnostics) = parse(
            r#"
            plugin_cache_dir = "/var/cache/plugins"
            credentials "app.example.com" { token = "x" }
            provider_installation {
              dev_overrides { "hashicorp/null" = "/home/me/null" }
              filesystem_mirror {
                path    = "/usr/share/providers"
                include = ["example.com/*/*", "hashicorp/time",]
              }
              native { include = ["hashicorp/random"] }
              direct { exclude = ["example.com/*/*"] }
            }"#,
        );
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(config.plugin_cache_dir, Some("/var/cache/plugins".into()));
        let null = ProviderAddr::default_for("null");
        assert_eq!(config.dev_overrides[&null], PathBuf::from("/home/me/null"));
        let methods = config.methods.unwrap();
        let serves = |provider: &str| {
            let provider = ProviderAddr::parse(provider).unwrap();
            methods
                .iter()
                .map(|method| method.serves(&provider))
                .collect::<Vec<_>>()
        };
        assert_eq!(serves("hashicorp/time"), [true, false, true]);
        assert_eq!(serves("hashicorp/random"), [false, true, true]);
        assert_eq!(serves("example.com/a/b"), [true, false, false]);
    }

    #[test]
    fn mistakes_are_told_and_the_rest_is_read() {
        let (config, diagnostics) = parse(
            "provider_installation {\n filesystem_mirror {\n pat = \"/x\"\n }\n foo {}\n direct {}\n}\nnonsense = 1\n",
        );
        assert_eq!(config.methods.unwrap().len(), 1);
        let said: Vec<&str> = diagnostics.iter().map(|one| &*one.detail).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("no argument \"pat\""));
        assert!(said[1].contains("Unknown provider installation method \"foo\""));
        assert!(said[2].contains("nonsense"));
        for text in [
            "a = \"x",
            "a {",
            "= 1",
            "a b",
            "provider_installation { direct = 1 }",
            "plugin_cache_dir = 7",
        ] {
            assert!(parse(text).1.has_errors(), "{text}");
        }
        let (_, diagnostics) = parse("provider_installation { direct { include = [\"*\"] } }");
        assert!(
            diagnostics
                .iter()
                .next()
                .unwrap()
                .detail
                .contains("two or three slash-separated segments")
        );
    }
}
