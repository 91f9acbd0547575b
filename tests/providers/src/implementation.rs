//! The implementations of the conformance provider, and what each can do.

use std::path::{Path, PathBuf};

use crate::Case;
use terrace_test_services::{Unavailable, conformance_provider_go, conformance_provider_python};

/// One way in which the provider is written.
#[derive(Clone, Copy, Debug)]
pub struct Implementation {
    /// Its name, as in the README.
    pub name: &'static str,
    /// What `CONFORMANCE_VARIANT` says to its program.
    variant: &'static str,
    program: Program,
    features: Features,
    /// The implementations whose deviations are its own as well, nearest first.
    pub kin: &'static [&'static str],
}

/// Where an implementation's executable comes from.
#[derive(Clone, Copy, Debug)]
enum Program {
    /// It is built or installed when it is asked for.
    Made(fn() -> Result<PathBuf, Unavailable>),
    /// It is this package's own program, which whoever builds the tests has built.
    Own,
}

/// The features that an implementation has.
#[derive(Clone, Copy, Debug)]
enum Features {
    /// These.
    Only(&'static [&'static str]),
    /// All others.
    AllBut(&'static [&'static str]),
}

/// What no SDK of others can do, or none lets a provider do.
const RUST_ALONE: &[&str] = &["tuple", "map-block", "unknown"];

impl Implementation {
    /// terraform-plugin-framework over protocol 6. The recorded answers are its own.
    pub const FRAMEWORK6: Self = Self {
        name: "framework6",
        variant: "framework6",
        program: Program::Made(conformance_provider_go),
        features: Features::AllBut(&["tuple", "map-block", "unknown", "legacy"]),
        kin: &[],
    };
    /// terraform-plugin-framework over protocol 5.
    pub const FRAMEWORK5: Self = Self {
        name: "framework5",
        variant: "framework5",
        program: Program::Made(conformance_provider_go),
        features: Features::AllBut(&["nested", "tuple", "map-block", "unknown", "legacy"]),
        kin: &[],
    };
    /// terraform-plugin-sdk/v2.
    pub const SDK: Self = Self {
        name: "sdk",
        variant: "sdk",
        program: Program::Made(conformance_provider_go),
        features: Features::Only(&[
            "basic",
            "blocks",
            "plan",
            "write-only",
            "object",
            "identity",
            "upgrade",
            "meta",
            "timeouts",
            "faults",
            "legacy",
            "data",
        ]),
        kin: &[],
    };
    /// Both in one process.
    pub const MUX: Self = Self {
        name: "mux",
        variant: "mux",
        program: Program::Made(conformance_provider_go),
        features: Features::AllBut(RUST_ALONE),
        kin: &["sdk"],
    };
    /// `tf` in Python.
    pub const PYTHON: Self = Self {
        name: "python",
        variant: "python",
        program: Program::Made(conformance_provider_python),
        features: Features::Only(&["basic", "plan", "object", "upgrade", "functions", "data"]),
        kin: &[],
    };
    /// `terrace-provider-sdk` over protocol 6.
    pub const RUST6: Self = Self {
        name: "rust6",
        variant: "rust6",
        program: Program::Own,
        features: Features::AllBut(&["legacy"]),
        kin: &[],
    };
    /// `terrace-provider-sdk` over protocol 5.
    pub const RUST5: Self = Self {
        name: "rust5",
        variant: "rust5",
        program: Program::Own,
        features: Features::AllBut(&["legacy", "nested"]),
        kin: &["rust6"],
    };

    /// Whether it has a feature.
    pub fn has(&self, feature: &str) -> bool {
        match self.features {
            Features::AllBut(names) => !names.contains(&feature),
            Features::Only(names) => names.contains(&feature),
        }
    }

    /// Whether it has all that a case needs.
    pub fn has_all(&self, case: &Case) -> bool {
        case.needs.iter().all(|feature| self.has(feature))
    }

    /// Its executable, built or installed if need be; `CONFORMANCE_PROGRAM` names another in its place.
    /// `own` is this package's program.
    pub fn program(&self, own: &Path) -> Result<PathBuf, Unavailable> {
        if let Some(path) = std::env::var_os("CONFORMANCE_PROGRAM") {
            return Ok(path.into());
        }
        match self.program {
            Program::Made(make) => make(),
            Program::Own => Ok(own.to_owned()),
        }
    }

    /// What `CONFORMANCE_VARIANT` says to its program.
    pub const fn variant(&self) -> &'static str {
        self.variant
    }
}
