//! Ephemeral resources of the strict provider.

use std::collections::BTreeSet;

use terrace_port::{OpenedEphemeral, ProviderDiagnostic, RenewedEphemeral};
use terrace_value::{Number, Value};

use super::check::broken;

/// Those that are open, by their private bytes.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    last: u64,
    open: BTreeSet<Vec<u8>>,
}

impl Opened {
    /// Opens one at a time given in seconds. Its value is `ephemeral-` and its `input`.
    pub(crate) fn open(&mut self, config: &Value, now: i64) -> OpenedEphemeral {
        self.last += 1;
        let renew_after = config
            .get("renew_after")
            .and_then(Value::as_number)
            .and_then(Number::to_i64);
        let input = config.get("input").and_then(Value::as_str).unwrap_or("");
        let mut attributes = config.as_entries().cloned().unwrap_or_default();
        attributes.insert("value".into(), Value::string(format!("ephemeral-{input}")));
        let wait = renew_after.unwrap_or_default();
        let private = format!("ephemeral:{}:{wait}:0", self.last).into_bytes();
        self.open.insert(private.clone());
        OpenedEphemeral {
            value: Value::object(attributes),
            private: private.into(),
            renew_at: renew_after.map(|seconds| (now + seconds, 0)),
        }
    }

    /// Renews one. Each renewal has private bytes of its own, and those before it count no more.
    pub(crate) fn renew(
        &mut self,
        private: &[u8],
        now: i64,
    ) -> Result<RenewedEphemeral, ProviderDiagnostic> {
        self.close(private)?;
        let text = String::from_utf8_lossy(private).into_owned();
        let parts: Vec<&str> = text.split(':').collect();
        let number = |at: usize| parts.get(at).and_then(|part| part.parse::<i64>().ok());
        let (id, wait) = (number(1).unwrap_or_default(), number(2).unwrap_or_default());
        let renewals = number(3).unwrap_or_default() + 1;
        let private = format!("ephemeral:{id}:{wait}:{renewals}").into_bytes();
        self.open.insert(private.clone());
        Ok(RenewedEphemeral {
            private: private.into(),
            renew_at: Some((now + wait, 0)),
        })
    }

    /// Closes one.
    pub(crate) fn close(&mut self, private: &[u8]) -> Result<(), ProviderDiagnostic> {
        if self.open.remove(private) {
            return Ok(());
        }
        Err(broken(format!(
            "The private bytes {:?} are not those of an ephemeral resource that is open.",
            String::from_utf8_lossy(private)
        )))
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }
}
