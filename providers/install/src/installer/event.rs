//! What an installation tells while it runs.

use std::fmt;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;

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
    /// A package is ready.
    Installed {
        /// The provider.
        provider: ProviderAddr,
        /// The version.
        version: Version,
        /// Where it came from.
        how: How,
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
            } => {
                let provider = provider.for_display();
                match how {
                    How::Now => write!(f, "- Installed {provider} v{version} (unauthenticated)"),
                    How::Before => write!(f, "- Using previously-installed {provider} v{version}"),
                    How::Cache => write!(
                        f,
                        "- Using {provider} v{version} from the shared cache directory"
                    ),
                }
            }
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
