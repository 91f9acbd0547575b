//! What happens while planning and applying: lines, and at a terminal a bar below them.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use terrace_addr::AbsResourceInstance;
use terrace_port::{Observer, OperationEvent};

use super::View;
use super::plan::Secrets;
use super::stream;
use super::style::Role;

/// An observer that prints.
pub(crate) struct Progress {
    view: View,
    secrets: Secrets,
    bar: Option<ProgressBar>,
    /// Whether importing is all that is done, and told with more words.
    imports: bool,
}

impl Progress {
    /// `total` is how many operations there will be, where that is known.
    pub(crate) fn new(view: View, secrets: Secrets, total: Option<u64>) -> Arc<Self> {
        let bar = total
            .filter(|total| *total > 0 && view.terminal && !view.json)
            .map(|total| {
                let bar = ProgressBar::new(total);
                let template = "{spinner} {pos}/{len} {wide_bar} {elapsed}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            });
        Arc::new(Self {
            view,
            secrets,
            bar,
            imports: false,
        })
    }

    /// One for the command that does nothing but import.
    pub(crate) fn of_import(view: View, secrets: Secrets) -> Arc<Self> {
        Arc::new(Self {
            view,
            secrets,
            bar: None,
            imports: true,
        })
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.view.line(text),
        }
    }

    fn keep_track(&self, event: &OperationEvent) {
        let ended = matches!(
            event,
            OperationEvent::ApplyDone { .. } | OperationEvent::ApplyFailed { .. }
        );
        if let (true, Some(bar)) = (ended, &self.bar) {
            bar.inc(1);
        }
    }

    /// What is said before an import.
    fn importing(&self, address: &AbsResourceInstance, id: Option<&str>) -> String {
        let strong = self.view.style.paint(Role::Strong, format!("{address}:"));
        let id = id.filter(|id| !self.secrets.hides(id));
        match (self.imports, id) {
            (true, Some(id)) => format!("{strong} Importing from ID {id:?}..."),
            (true, None) => format!("{strong} Importing..."),
            (false, Some(id)) => format!("{strong} Preparing import... [id={id}]"),
            (false, None) => format!("{strong} Preparing import..."),
        }
    }

    fn text(&self, event: &OperationEvent) -> Option<String> {
        let id_text = |id: &Option<(String, String)>| {
            let shown = id.as_ref().filter(|(_, value)| !self.secrets.hides(value));
            shown
                .map(|(name, value)| format!(" [{name}={value}]"))
                .unwrap_or_default()
        };
        let strong = |address: &AbsResourceInstance| {
            self.view.style.paint(Role::Strong, format!("{address}:"))
        };
        Some(match event {
            OperationEvent::ImportStart { address, id } => self.importing(address, id.as_deref()),
            OperationEvent::ImportDone { address } if self.imports => format!(
                "{} Import prepared!\n  Prepared {} for import",
                strong(address),
                address.type_name()
            ),
            OperationEvent::ImportDone { .. } => return None,
            OperationEvent::RefreshStart { address, id } => {
                format!("{} Refreshing state...{}", strong(address), id_text(id))
            }
            OperationEvent::RefreshDone { .. } => return None,
            OperationEvent::ApplyStart {
                address,
                action,
                id,
            } => {
                format!("{} {}...{}", strong(address), doing(action), id_text(id))
            }
            OperationEvent::ApplyProgress {
                address,
                action,
                elapsed_seconds,
            } => {
                let doing = doing(action).to_lowercase();
                format!(
                    "{} Still {doing}... [{} elapsed]",
                    strong(address),
                    duration(*elapsed_seconds)
                )
            }
            OperationEvent::ApplyDone {
                address,
                action,
                id,
                elapsed_seconds,
            } => {
                format!(
                    "{} {} complete after {}{}",
                    strong(address),
                    done(action),
                    duration(*elapsed_seconds),
                    id_text(id)
                )
            }
            OperationEvent::ApplyFailed {
                address,
                action,
                elapsed_seconds,
            } => {
                let failed = self.view.style.paint(Role::Remove, "failed");
                format!(
                    "{} {} {failed} after {}",
                    strong(address),
                    done(action),
                    duration(*elapsed_seconds)
                )
            }
            OperationEvent::ProvisionStart {
                address,
                provisioner,
            } => {
                format!("{} Provisioning with '{provisioner}'...", strong(address))
            }
            OperationEvent::ProvisionOutput {
                address,
                provisioner,
                line,
            } => {
                let lead = format!("{address} ({provisioner}):");
                format!(
                    "{} {}",
                    self.view.style.paint(Role::Strong, lead),
                    self.secrets.redact(line)
                )
            }
            OperationEvent::ProvisionDone {
                address,
                provisioner,
                failed: true,
            } => {
                format!("{} Provisioner '{provisioner}' failed", strong(address))
            }
            OperationEvent::ProvisionDone { .. } => return None,
        })
    }
}

impl Observer for Progress {
    fn on_event(&self, event: OperationEvent) {
        self.keep_track(&event);
        if self.view.json {
            if let Some(line) = stream::event_line(&event, &self.secrets) {
                self.view.output(line);
            }
        } else if let Some(text) = self.text(&event) {
            self.print(&text);
        }
    }
}

fn doing(action: &str) -> &'static str {
    match action {
        "create" => "Creating",
        "update" => "Modifying",
        "delete" => "Destroying",
        "read" => "Reading",
        "import" => "Importing",
        "open" => "Opening",
        "renew" => "Renewing",
        "close" => "Closing",
        _ => "Changing",
    }
}

fn done(action: &str) -> &'static str {
    match action {
        "create" => "Creation",
        "update" => "Modifications",
        "delete" => "Destruction",
        "read" => "Read",
        "import" => "Import",
        "open" => "Opening",
        "renew" => "Renewal",
        "close" => "Closing",
        _ => "Change",
    }
}

/// Whole seconds as they are told: `1m5s`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}
