//! Why a provider cannot be had, for a person.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_diag::Diagnostic;

use crate::signature::SignatureError;

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
    },
    NotFound {
        searched: Vec<String>,
        directories: Vec<PathBuf>,
        platform: String,
        other_platforms: Vec<String>,
    },
    /// The registry that was asked knows no such provider.
    NotKnown {
        host: String,
    },
    NoRegistry {
        host: String,
    },
    Unauthorized {
        host: String,
        /// Whether a token was sent.
        rejected: bool,
    },
    Unreachable {
        host: String,
        why: String,
    },
    /// The registry answered with something that does not help.
    Registry(String),
    Mirror {
        mirror: String,
        why: String,
    },
    NoPlatform {
        version: Version,
        platform: String,
        place: String,
    },
    Protocols {
        version: Version,
        newest: Option<Version>,
    },
    Signature(SignatureError),
    /// The list of checksums or its signature is not there.
    Unsigned {
        what: &'static str,
        url: String,
    },
    Unlisted {
        file: String,
    },
    Disagreement {
        listed: String,
        stated: String,
    },
    WrongArchive {
        found: String,
        expected: Vec<String>,
    },
    Download {
        why: String,
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
        archive: String,
        error: String,
    },
    WrongChecksum {
        package: String,
        /// Whether it lies on this machine, or came from elsewhere.
        local: bool,
    },
}

impl Failure {
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            error: error.to_string(),
        }
    }

    pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            error: error.to_string(),
        }
    }

    /// As told when versions were looked for.
    pub(crate) fn versions(&self, provider: &ProviderAddr) -> Diagnostic {
        let name = provider.for_display();
        let depending = format!("To see which modules are currently depending on {name}");
        let advice = match self {
            Self::NoRegistry { host } => return no_registry(host, provider),
            Self::NotFound { .. } => String::new(),
            Self::NotKnown { .. } => format!(
                "\n\nAll modules should specify their required_providers so that external consumers will get the correct providers when using a module. {depending}, run the following command:\n    terrace providers"
            ),
            _ => format!(
                "\n\n{depending} and what versions are specified, run the following command:\n    terrace providers"
            ),
        };
        let detail = format!(
            "Could not retrieve the list of available versions for provider {name}: {}{advice}",
            self.explain(provider)
        );
        Diagnostic::error(
            "provider-versions",
            "Failed to query available provider packages",
            detail,
        )
    }

    /// As told when a package was installed.
    pub(crate) fn package(&self, provider: &ProviderAddr, version: &Version) -> Diagnostic {
        if let Self::Protocols { version, newest } = self {
            return protocols(provider, version, newest.as_ref());
        }
        let detail = format!(
            "Error while installing {} v{version}: {}",
            provider.for_display(),
            self.explain(provider)
        );
        Diagnostic::error("provider-install", "Failed to install provider", detail)
    }

    pub(crate) fn explain(&self, provider: &ProviderAddr) -> String {
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
            } => none_fits(constraints, available),
            Self::NotFound {
                searched,
                directories,
                platform,
                other_platforms,
            } => not_found(provider, searched, directories, (platform, other_platforms)),
            Self::NotKnown { host } => {
                format!("provider registry {host} does not have a provider named {provider}")
            }
            Self::NoRegistry { host } => {
                format!("host {host} does not offer a Terraform provider registry")
            }
            Self::NoPlatform {
                version,
                platform,
                place,
            } => format!(
                "provider {provider} {version} is not available for {platform}: {place} has packages of this version for other platforms at most. Choose another version, or a machine of another kind"
            ),
            Self::Protocols { .. } => "its plugin protocol is not supported".to_owned(),
            other => other.explain_transfer(provider),
        }
    }

    /// What went wrong on the way from there to here.
    fn explain_transfer(&self, provider: &ProviderAddr) -> String {
        match self {
            Self::Unauthorized { host, rejected } => unauthorized(host, *rejected),
            Self::Unreachable { host, why } => format!(
                "could not connect to {host}: {why}. If this machine has no way there, name a mirror in the provider_installation block of the CLI configuration"
            ),
            Self::Registry(why) => {
                format!("could not query provider registry for {provider}: {why}")
            }
            Self::Mirror { mirror, why } => format!(
                "failed to query provider mirror {mirror} for {provider}: {why}. The provider_installation block of the CLI configuration names the mirror"
            ),
            Self::Signature(error) => format!(
                "{error}. Nothing was installed; if the provider's publisher cannot tell why, take another version"
            ),
            Self::Unsigned { what, url } => format!(
                "the release's {what} is not there ({url:?}), and without it nobody can tell whether the package is genuine. Nothing was installed; ask whoever publishes the provider"
            ),
            Self::Unlisted { file } => format!(
                "checksum list has no SHA-256 hash for {file:?}. Nothing was installed; ask whoever publishes the provider"
            ),
            Self::Disagreement { listed, stated } => format!(
                "checksum list has unexpected SHA-256 hash {listed} (expected {stated}, as the registry says). Nothing was installed"
            ),
            Self::WrongArchive { found, expected } => format!(
                "archive has incorrect checksum {found} (expected {}). It was thrown away, and nothing was installed: it was changed on the way or by whoever serves it. Run terrace init again, and if that does not help, ask whoever serves it",
                expected.join(" or ")
            ),
            Self::Download { why } => format!(
                "the package cannot be downloaded: {why}. What has come so far is kept; run terrace init again to go on"
            ),
            Self::Unreadable { path, error } => {
                format!("{} cannot be read: {error}", path.display())
            }
            Self::Unwritable { path, error } => format!(
                "{} cannot be written: {error}. Nothing is left half-written there",
                path.display()
            ),
            Self::Unpack { archive, error } => {
                format!("the archive {archive} cannot be unpacked: {error}. Nothing was installed")
            }
            Self::WrongChecksum { package, local } => format!(
                "the {} package for {package} doesn't match any of the checksums previously recorded in the dependency lock file (this might be because the available checksums are for packages targeting different platforms). If the package is right, remove its checksums from the lock file or run terrace init -upgrade",
                if *local { "local" } else { "current" }
            ),
            _ => String::new(),
        }
    }
}

fn no_registry(host: &str, provider: &ProviderAddr) -> Diagnostic {
    let detail = if host == "github.com" {
        format!(
            "The given source address {:?} specifies a GitHub repository rather than a Terraform provider. Refer to the documentation of the provider to find the correct source address to use.",
            provider.to_string()
        )
    } else {
        format!(
            "The host {host:?} given in provider source address {:?} does not offer a Terraform provider registry.",
            provider.to_string()
        )
    };
    Diagnostic::error(
        "provider-registry-host",
        "Invalid provider registry host",
        detail,
    )
}

fn protocols(provider: &ProviderAddr, version: &Version, newest: Option<&Version>) -> Diagnostic {
    let name = provider.for_display();
    let detail = match newest {
        None => format!(
            "No compatible versions of provider {name} were found: Terrace speaks the plugin protocols 5 and 6."
        ),
        Some(newest) => format!(
            "Provider \"{name}\" v{version} is not compatible with Terrace, which speaks the plugin protocols 5 and 6.\n\nProvider version {newest} is the latest compatible version. Select it with the following version constraint:\n    version = {:?}",
            newest.to_string()
        ),
    };
    Diagnostic::error(
        "provider-incompatible",
        "Incompatible provider version",
        detail,
    )
}

fn unauthorized(host: &str, rejected: bool) -> String {
    let variable = terrace_registry_client::Host::parse(host)
        .map(|host| host.token_variable())
        .unwrap_or_default();
    let (what, advice) = if rejected {
        (
            "rejected the given authentication credentials",
            "Renew them",
        )
    } else {
        ("requires authentication credentials", "Give them")
    };
    format!(
        "host {host} {what}. {advice} by terrace login {host}, by a credentials block of the CLI configuration or by the environment variable {variable}"
    )
}

fn none_fits(constraints: &str, available: &[String]) -> String {
    let mut text = format!("no available releases match the given constraints {constraints}");
    let newest: Vec<&str> = available.iter().rev().take(5).map(String::as_str).collect();
    if !newest.is_empty() {
        let more = if available.len() > newest.len() {
            ", and older ones"
        } else {
            ""
        };
        let _written = write!(text, ". Available are {}{more}", newest.join(", "));
    }
    text
}

fn not_found(
    provider: &ProviderAddr,
    searched: &[String],
    directories: &[PathBuf],
    (platform, other_platforms): (&str, &[String]),
) -> String {
    if searched.is_empty() {
        return format!(
            "no installation method of the CLI configuration is for provider {provider}. Its provider_installation block must have one whose include and exclude arguments let it through"
        );
    }
    let mut text = format!("provider {provider} was not found in any of the search locations\n");
    for place in searched {
        let _written = write!(text, "\n  - {place}");
        if directories
            .iter()
            .any(|path| path.display().to_string() == *place && !path.is_dir())
        {
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
