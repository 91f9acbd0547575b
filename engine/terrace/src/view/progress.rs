//! What happens while planning and applying: lines, and at a terminal a bar below them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use terrace_addr::AbsResourceInstance;
use terrace_port::{Observer, OperationEvent};

use super::View;
use super::plan::Secrets;
use super::style::Role;
use super::stream;

/// How often an operation that still runs is told of.
const STILL_RUNNING: Duration = Duration::from_secs(10);

/// An observer that prints.
pub(crate) struct Progress {
    view: View,
    secrets: Secrets,
    bar: Option<ProgressBar>,
    running: Mutex<BTreeMap<AbsResourceInstance, (&'static str, Instant)>>,
}

impl Progress {
    /// `total` is how many operations there will be, where that is known.
    pub(crate) fn new(view: View, secrets: Secrets, total: Option<u64>) -> Arc<Self> {
        let bar = total.filter(|total| *total > 0 && view.terminal && !view.json).map(|total| {
            let bar = ProgressBar::new(total);
            let template = "{spinner} {pos}/{len} {wide_bar} {elapsed}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Arc::new(Self { view, secrets, bar, running: Mutex::default() })
    }

    /// Tells of what still runs, until it is dropped.
    pub(crate) fn ticker(self: &Arc<Self>) -> Ticker {
        let progress = self.clone();
        let task = tokio::spawn(async move {
            let mut interval = tokio::time::interval(STILL_RUNNING);
            interval.tick().await;
            loop {
                interval.tick().await;
                progress.still_running();
            }
        });
        Ticker { task }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn still_running(&self) {
        let running = self.running.lock().map(|running| running.clone()).unwrap_or_default();
        for (address, (action, since)) in running {
            let elapsed_seconds = since.elapsed().as_secs();
            if elapsed_seconds >= STILL_RUNNING.as_secs() {
                self.on_event(OperationEvent::ApplyProgress { address, action, elapsed_seconds });
            }
        }
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.view.line(text),
        }
    }

    fn keep_track(&self, event: &OperationEvent) {
        let Ok(mut running) = self.running.lock() else { return };
        match event {
            OperationEvent::ApplyStart { address, action, .. } => {
                running.insert(address.clone(), (action, Instant::now()));
            }
            OperationEvent::ApplyDone { address, .. } | OperationEvent::ApplyFailed { address, .. } => {
                running.remove(address);
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            _ => {}
        }
    }

    fn text(&self, event: &OperationEvent) -> Option<String> {
        let id_text = |id: &Option<(String, String)>| {
            let shown = id.as_ref().filter(|(_, value)| !self.secrets.hides(value));
            shown.map(|(name, value)| format!(" [{name}={value}]")).unwrap_or_default()
        };
        let strong = |address: &AbsResourceInstance| self.view.style.paint(Role::Strong, format!("{address}:"));
        Some(match event {
            OperationEvent::RefreshStart { address, id } => {
                format!("{} Refreshing state...{}", strong(address), id_text(id))
            }
            OperationEvent::RefreshDone { .. } => return None,
            OperationEvent::ApplyStart { address, action, id } => {
                format!("{} {}...{}", strong(address), doing(action), id_text(id))
            }
            OperationEvent::ApplyProgress { address, action, elapsed_seconds } => {
                let doing = doing(action).to_lowercase();
                format!("{} Still {doing}... [{} elapsed]", strong(address), duration(*elapsed_seconds))
            }
            OperationEvent::ApplyDone { address, action, id, elapsed_seconds } => {
                format!("{} {} complete after {}{}", strong(address), done(action), duration(*elapsed_seconds), id_text(id))
            }
            OperationEvent::ApplyFailed { address, action, elapsed_seconds } => {
                let failed = self.view.style.paint(Role::Remove, "failed");
                format!("{} {} {failed} after {}", strong(address), done(action), duration(*elapsed_seconds))
            }
            OperationEvent::ProvisionStart { address, provisioner } => {
                format!("{} Provisioning with '{provisioner}'...", strong(address))
            }
            OperationEvent::ProvisionOutput { address, provisioner, line } => {
                format!("{} ({provisioner}): {}", strong(address), self.secrets.redact(line))
            }
            OperationEvent::ProvisionDone { address, provisioner, failed: true } => {
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

/// Stops telling when it is dropped.
pub(crate) struct Ticker {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn doing(action: &str) -> &'static str {
    match action {
        "create" => "Creating",
        "update" => "Modifying",
        "delete" => "Destroying",
        "read" => "Reading",
        "import" => "Importing",
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
        _ => "Change",
    }
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}
