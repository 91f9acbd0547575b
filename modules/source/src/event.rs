//! What an installation tells while it runs.

use std::fmt;

use terrace_addr::version::Version;

/// Something that an installation does. As text it is one line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleEvent {
    /// There are modules to install.
    Begun {
        /// Whether all are selected anew.
        upgrade: bool,
    },
    /// A package is being fetched.
    Downloading {
        /// The package.
        package: String,
        /// Its version, of a registry's module.
        version: Option<Version>,
        /// The call, by its path.
        key: String,
    },
    /// A module is where it belongs.
    Installed {
        /// The call, by its path.
        key: String,
        /// The module's directory.
        directory: String,
    },
}

impl fmt::Display for ModuleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun { upgrade: false } => f.write_str("Initializing modules..."),
            Self::Begun { upgrade: true } => f.write_str("Upgrading modules..."),
            Self::Downloading {
                package,
                version: Some(version),
                key,
            } => write!(f, "Downloading {package} {version} for {key}..."),
            Self::Downloading { package, key, .. } => {
                write!(f, "Downloading {package} for {key}...")
            }
            Self::Installed { key, directory } => write!(f, "- {key} in {directory}"),
        }
    }
}
