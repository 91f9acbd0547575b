//! What happens while providers are installed: lines, and at a terminal a bar for each download below them.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use terrace_addr::ProviderAddr;
use terrace_provider_install::Event;

use super::View;
use super::steps::event_message;

/// Shows events of an installation.
pub(crate) struct Downloads {
    view: View,
    bars: Option<MultiProgress>,
    running: BTreeMap<ProviderAddr, ProgressBar>,
}

impl Downloads {
    /// Nothing is shown yet.
    pub(crate) fn new(view: View) -> Self {
        Self {
            view,
            bars: (view.terminal && !view.json).then(MultiProgress::new),
            running: BTreeMap::new(),
        }
    }

    /// Shows an event.
    pub(crate) fn show(&mut self, event: &Event) {
        if let Event::Downloading {
            provider,
            done,
            total,
            ..
        } = event
        {
            self.advance(provider, *done, *total);
            return;
        }
        if let Event::Installed { provider, .. } = event
            && let Some(bar) = self.running.remove(provider)
        {
            bar.finish_and_clear();
        }
        if self.view.json {
            if let Some(message) = event_message(event) {
                self.view.detail(&message);
            }
            return;
        }
        match &self.bars {
            // A terminal that has gone needs no lines.
            Some(bars) => bars.println(event.to_string()).unwrap_or(()),
            None => self.view.line(event.to_string()),
        }
    }

    fn advance(&mut self, provider: &ProviderAddr, done: u64, total: Option<u64>) {
        let Some(bars) = &self.bars else { return };
        let bar = self.running.entry(provider.clone()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(total.unwrap_or(0)));
            let template = match total {
                Some(_) => "  {msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec}",
                None => "  {msg} {spinner} {bytes} {binary_bytes_per_sec}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(provider.for_display());
            bar
        });
        bar.set_position(done);
    }

    /// Takes the bars away.
    pub(crate) fn finish(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
    }
}
