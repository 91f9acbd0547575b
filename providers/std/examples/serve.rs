//! A native provider as a plugin: the one that the program is called after (`terraform-provider-tls`, `terraform-provider-random`, …), so that
//! other engines can run it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a process of its own has the clock and the entropy of its machine, and says what is wrong"
)]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use terrace_port::{Clock, Entropy};
use terrace_provider_std::{Outside, native};

struct System;

impl Clock for System {
    fn now(&self) -> (i64, u32) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        (
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            since.subsec_nanos(),
        )
    }
}

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system has entropy");
    }
}

fn main() -> ExitCode {
    let outside = Outside {
        clock: Arc::new(System),
        entropy: Arc::new(System),
        surroundings: terrace_port::Surroundings::default(),
    };
    let program = std::env::args().next().unwrap_or_default();
    let file = Path::new(&program).file_name().unwrap_or_default();
    let file = file.to_string_lossy();
    let name = file.strip_prefix("terraform-provider-").unwrap_or(&file);
    let name = name.split('_').next().unwrap_or_default();
    match native(name, outside) {
        Some(provider) => terrace_provider_serve::run(provider),
        None => {
            eprintln!(
                "There is no native provider {name:?}. Call this program terraform-provider-NAME."
            );
            ExitCode::FAILURE
        }
    }
}
