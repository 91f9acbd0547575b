//! Files, directories and programs of this machine.

mod command;
mod file;
mod functions;
mod schema;

use crate::definition::{Definition, Source};

pub(crate) use file::{hex, parse_mode};
pub(crate) use functions::functions;

pub(crate) fn resources() -> Vec<Definition> {
    file::resources()
}

pub(crate) fn data_sources() -> Vec<Source> {
    let mut all = file::data_sources();
    all.push(command::data_source());
    all
}

pub(crate) fn ephemeral() -> Vec<Source> {
    vec![command::ephemeral()]
}
