//! Why a provider cannot be had, for a person.

use std::fmt::Write as _;
use std::path::PathBuf;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_diag::Diagnostic;

/// What went wrong with one provider.
#[derive(Debug)]
pub(crate) enum Failure {
    LockedOut {
        locked: Version,
        constraints: String,
    },
    LockedGone {
        version: Version,
    },
    NativeLockedOut {
        locked: Version,
        native: Version,
    },
    NativeTooOther {
        native: Version,
        constraints: String,
    },
    NoneFits {
        constraints: String,
        available: Vec<String>,
        remote: bool,
    },
    NotFound {
        searched: Vec<PathBuf>,
        platform: String,
        other_platforms: Vec<String>,
    },
    RemoteUnsupported {
        searched: Vec<PathBuf>,
        native: Option<Version>,
        constraints: String,
    },
    Unreadable {
        path: PathBuf,
        error: String,
    },
    Unwritable {
        path: PathBuf,
        error: String,
    },
    Unpack {
        archive: PathBuf,
        error: String,
    },
    WrongChecksum {
        package: String,
    },
}

impl Failure {
    /// As told when versions were looked for.
    pub(crate) fn versions(&self, provider: &ProviderAddr) -> Diagnostic {
        let detail = format!(
            "Could not retrieve the list of available versions for provider {}: {}",
            provider.for_display(),
            self.explain(provider)
        );
        let diagnostic = Diagnostic::error(
            "provider-versions",
            "Failed to query available provider packages",
            detail,
        );
        match self {
            Self::LockedOut { .. } | Self::NoneFits { .. } => diagnostic.hint(format!(
                "To see which modules are currently depending on {} and what versions are specified, run: terrace providers",
                provider.for_display()
            )),
            _ => diagnostic,
        }
    }

    /// As told when a package was installed.
    pub(crate) fn package(&self, provider: &ProviderAddr, version: &Version) -> Diagnostic {
        let detail = format!(
            "Error while installing {} v{version}: {}",
            provider.for_display(),
            self.explain(provider)
        );
        Diagnostic::error("provider-install", "Failed to install provider", detail)
    }

    fn explain(&self, provider: &ProviderAddr) -> String {
        match self {
            Self::LockedOut {
                locked,
                constraints,
            } => format!(
                "locked provider {provider} {locked} does not match configured version constraint {constraints}; must use terrace init -upgrade to allow selection of new versions"
            ),
            Self::LockedGone { version } => {
                format!("the previously-selected version {version} is no longer available")
            }
            Self::NativeLockedOut { locked, native } => format!(
                "the dependency lock file selects {locked}, but Terrace's native provider, which the CLI configuration asks for, stands for {native}; must use terrace init -upgrade to allow selection of new versions"
            ),
            Self::NativeTooOther {
                native,
                constraints,
            } => format!(
                "Terrace's native provider, which the CLI configuration asks for, stands for {native}, which does not match the given constraints {constraints}"
            ),
            Self::NoneFits {
                constraints,
                available,
                remote,
            } => {
                let mut text =
                    format!("no available releases match the given constraints {constraints}");
                let _written = write!(
                    text,
                    ". Available in the mirrors: {}.",
                    available.join(", ")
                );
                if *remote {
                    text.push_str(
                        " Other versions would come from a registry, which is not supported yet.",
                    );
                }
                text
            }
            Self::NotFound {
                searched,
                platform,
                other_platforms,
            } => not_found(provider, searched, platform, other_platforms),
            Self::RemoteUnsupported {
                searched,
                native,
                constraints,
            } => remote_unsupported(provider, searched, native.as_ref(), constraints),
            Self::Unreadable { path, error } => {
                format!("{} cannot be read: {error}", path.display())
            }
            Self::Unwritable { path, error } => {
                format!("{} cannot be written: {error}", path.display())
            }
            Self::Unpack { archive, error } => format!(
                "the archive {} cannot be unpacked: {error}",
                archive.display()
            ),
            Self::WrongChecksum { package } => format!(
                "the local package for {package} doesn't match any of the checksums previously recorded in the dependency lock file (this might be because the available checksums are for packages targeting different platforms). If the package is right, remove its checksums from the lock file or run terrace init -upgrade"
            ),
        }
    }
}

fn not_found(
    provider: &ProviderAddr,
    searched: &[PathBuf],
    platform: &str,
    other_platforms: &[String],
) -> String {
    if searched.is_empty() {
        return format!(
            "no installation method of the CLI configuration is for provider {provider}. Its provider_installation block must have one whose include and exclude arguments let it through"
        );
    }
    let mut text = format!("provider {provider} was not found in any of the search locations\n");
    for path in searched {
        let _written = write!(text, "\n  - {}", path.display());
        if !path.is_dir() {
            text.push_str(" (there is no such directory)");
        }
    }
    if !other_platforms.is_empty() {
        let _written = write!(
            text,
            "\n\nThere are packages for {}, but none for {platform}.",
            other_platforms.join(", ")
        );
    }
    text
}

fn remote_unsupported(
    provider: &ProviderAddr,
    searched: &[PathBuf],
    native: Option<&Version>,
    constraints: &str,
) -> String {
    let asked = if constraints.is_empty() {
        String::new()
    } else {
        format!(" ({constraints})")
    };
    let mut text = format!(
        "Terrace does not download providers from registries or network mirrors yet, and no suitable package of {provider}{asked} is here.\n"
    );
    for path in searched {
        let _written = write!(text, "\n  - searched: {}", path.display());
    }
    let _written = write!(
        text,
        "\n\nIt can be had in one of these ways:\n\n  - put the package into terraform.d/plugins/{provider}/VERSION/OS_ARCH/ of the working directory\n  - name a directory of packages in the CLI configuration: provider_installation {{ filesystem_mirror {{ path = \"…\" }} }}\n  - name the directory of a provider of your own: provider_installation {{ dev_overrides {{ \"{}\" = \"…\" }} }}",
        provider.for_display()
    );
    if let Some(version) = native {
        let _written = write!(
            text,
            "\n  - let Terrace's native provider stand in for v{version}: provider_installation {{ native {{ include = [\"{}\"] }} }}",
            provider.for_display()
        );
    }
    text
}
