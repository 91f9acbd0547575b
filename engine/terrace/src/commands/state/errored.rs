//! `errored.tfstate`: what other tools leave behind when a state could not be stored. Terrace needs no such file, since
//! its journal holds everything; but who changes tools may still have one.

use terrace_diag::{Diagnostic, SourceMap};
use terrace_port::Files as _;
use terrace_state::State;

use crate::outside::Disk;
use crate::session::{Place, Session};

/// Where other tools leave it.
const FILE: &str = "errored.tfstate";

/// Says so where a file lies in the working directory that holds more than the stored state.
pub(crate) fn mention_errored(session: &Session, place: &Place, stored: &State) {
    let Ok(bytes) = Disk.read(FILE) else {
        return;
    };
    let Ok(errored) = terrace_state::read(&bytes) else {
        return;
    };
    let same_line = stored.lineage.is_empty() || stored.lineage == errored.lineage;
    if !same_line || errored.serial < stored.serial || errored.same_content(stored) {
        return;
    }
    let environment = place
        .environment
        .as_ref()
        .map(|name| format!(" -env={name}"))
        .unwrap_or_default();
    let force = if errored.serial == stored.serial {
        " -force"
    } else {
        ""
    };
    let detail = format!(
        "{FILE} lies in this directory. Another tool has left it there because it could not store the state after its last apply. It belongs to this state and holds serial {}, and stored is serial {}: what it holds beyond that would be lost, and created again.",
        errored.serial, stored.serial
    );
    let warning = Diagnostic::warning("errored-state", "State of a failed apply was found", detail)
        .hint(format!(
            "look at it with `terrace show {FILE}`, take it over with `terrace state push{environment}{force} {FILE}`, then remove the file"
        ));
    session.view.beside(warning.into(), &SourceMap::new());
}
