//! What an installation tells while it runs.

use std::fmt;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;

use crate::settings::Platform;
use crate::signature::Trust;

/// Something that an installation does. As text it is one line for a person.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The provider is part of every engine.
    BuiltIn {
        /// The provider.
        provider: ProviderAddr,
    },
    /// A version is looked for.
    Finding {
        /// The provider.
        provider: ProviderAddr,
        /// What is asked of it; empty for anything.
        constraints: String,
    },
    /// The lock file says which version.
    Reusing {
        /// The provider.
        provider: ProviderAddr,
    },
    /// A package is being installed.
    Installing {
        /// The provider.
        provider: ProviderAddr,
        /// The version.
        version: Version,
    },
    /// A download gets on. It happens often, and is no line of its own.
    Downloading {
        /// The provider.
        provider: ProviderAddr,
        /// The version.
        version: Version,
        /// How many bytes are here.
        done: u64,
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// A package for a platform is fetched, for its checksums alone.
    Fetching {
        /// The provider.
        provider: ProviderAddr,
        /// The version.
        version: Version,
        /// The platform.
        platform: Platform,
    },
    /// The checksums of a package for a platform are known.
    Retrieved {
        /// The provider.
        provider: ProviderAddr,
        /// The version.
        version: Version,
        /// The platform.
        platform: Platform,
        /// What is known of where it comes from.
        trust: Trust,
    },
    /// A provider is copied into a mirror.
    Mirroring {
        /// The provider.
        provider: ProviderAddr,
    },
    /// A version of it was selected.
    Selected {
        /// The version.
        version: Version,
        /// What it had to match; empty for anything, `None` where the lock file selects it.
        constraints: Option<String>,
    },
    /// A package for a platform is copied into a mirror.
    Copying {
        /// The platform.
        platform: Platform,
    },
    /// It was, and is what it should be.
    Authenticated {
        /// What is known of where it comes from.
        trust: Trust,
    },
    /// A package is ready.
    Installed {
        /// The provider.
        provider: ProviderAddr,
        /// The version.
        version: Version,
        /// Where it came from.
        how: How,
        /// What is known of that.
        trust: Trust,
    },
    /// The engine's own provider stands in.
    Native {
        /// The provider.
        provider: ProviderAddr,
        /// The version that it stands for.
        version: Version,
    },
}

/// Where an installed package came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// From a mirror, now.
    Now,
    /// It had been installed before.
    Before,
    /// From the shared cache.
    Cache,
    /// From the store of this machine.
    Store,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn { provider } => write!(f, "- {provider} is built in to Terrace"),
            Self::Finding {
                provider,
                constraints,
            } if constraints.is_empty() => {
                write!(
                    f,
                    "- Finding latest version of {}...",
                    provider.for_display()
                )
            }
            Self::Finding {
                provider,
                constraints,
            } => {
                write!(
                    f,
                    "- Finding {} versions matching \"{constraints}\"...",
                    provider.for_display()
                )
            }
            Self::Reusing { provider } => {
                write!(
                    f,
                    "- Reusing previous version of {} from the dependency lock file",
                    provider.for_display()
                )
            }
            Self::Installing { provider, version } => {
                write!(f, "- Installing {} v{version}...", provider.for_display())
            }
            Self::Installed {
                provider,
                version,
                how,
                trust,
            } => installed(f, &provider.for_display(), version, *how, trust),
            Self::Downloading { provider, done, .. } => {
                write!(f, "- Downloading {}: {done} bytes", provider.for_display())
            }
            Self::Fetching {
                provider,
                version,
                platform,
            } => write!(
                f,
                "- Fetching {} {version} for {platform}...",
                provider.for_display()
            ),
            Self::Retrieved {
                provider,
                version,
                platform,
                trust,
            } => write!(
                f,
                "- Retrieved {} {version} for {platform} ({trust})",
                provider.for_display()
            ),
            Self::Mirroring { provider } => {
                write!(f, "- Mirroring {}...", provider.for_display())
            }
            Self::Selected {
                version,
                constraints,
            } => match constraints.as_deref() {
                None => write!(f, "  - Selected v{version} to match dependency lock file"),
                Some("") => write!(f, "  - Selected v{version} with no constraints"),
                Some(constraints) => {
                    write!(
                        f,
                        "  - Selected v{version} to meet constraints {constraints}"
                    )
                }
            },
            Self::Copying { platform } => write!(f, "  - Downloading package for {platform}..."),
            Self::Authenticated { trust } => write!(f, "  - Package authenticated: {trust}"),
            Self::Native { provider, version } => {
                write!(
                    f,
                    "- Using Terrace's native {} in place of v{version}",
                    provider.for_display()
                )
            }
        }
    }
}

fn installed(
    f: &mut fmt::Formatter<'_>,
    provider: &str,
    version: &Version,
    how: How,
    trust: &Trust,
) -> fmt::Result {
    match how {
        How::Now => write!(f, "- Installed {provider} v{version} ({trust})"),
        How::Before => write!(f, "- Using previously-installed {provider} v{version}"),
        How::Cache => write!(
            f,
            "- Using {provider} v{version} from the shared cache directory"
        ),
        How::Store => {
            let signed = trust.is_signed().then(|| format!(" ({trust})"));
            write!(
                f,
                "- Using {provider} v{version} from the store of this machine{}",
                signed.unwrap_or_default()
            )
        }
    }
}
