//! Tests of modules: files of runs, each of which plans or applies the module and says what must hold then.
//!
//! [`discover`] finds the files, [`parse`] reads one, [`execute`] carries out its runs over a [`Workshop`], which is all
//! that it needs of the outside, and gives a [`FileVerdict`]: data that others show. What runs made is destroyed at the
//! end, what was made last first, whether or not somebody asked for an early end; what could not be destroyed is named.

mod configuration;
mod coverage;
mod discover;
mod execute;
mod literal;
mod memory;
mod parse;
mod reference;
mod suite;
mod verdict;

pub use configuration::{Cast, MockedTypes, Replacement, Tested, provider_of};
pub use coverage::{Coverage, Covered, Missed};
pub use discover::{Found, discover};
pub use execute::{Cancel, Equipment, Failed, Reading, Report, Workshop, execute};
pub use memory::MemoryStore;
pub use parse::{parse, parse_mocks};
pub use suite::{
    Assigned, Expected, FileProvider, MockBlock, MockDefaults, ModuleUnderTest, Override,
    OverrideKind, PlanSettings, ProviderPassed, RunBlock, RunCommand, TestFile,
};
pub use verdict::{Cleanup, FileVerdict, RunVerdict, Status, Summary};
