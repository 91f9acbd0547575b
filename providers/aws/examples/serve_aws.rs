//! The native AWS provider as a plugin, so that other engines can run it: call the program `terraform-provider-aws`.
#![allow(
    clippy::disallowed_methods,
    reason = "a process of its own has the clock of its machine"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use terrace_port::{Clock, Surroundings};
use terrace_provider_aws::{Outside, Pace, provider};

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

fn main() -> ExitCode {
    terrace_provider_serve::run(provider(Outside {
        clock: Arc::new(System),
        surroundings: Surroundings::default(),
        user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")).to_owned(),
        log: Some(Arc::new(terrace_provider_serve::log_warning)),
        pace: Pace::default(),
    }))
}
