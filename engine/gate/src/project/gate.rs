//! `gate` blocks with their windows and quorums, and `freeze` blocks.

use std::collections::{BTreeMap, BTreeSet};

use terrace_diag::Span;
use terrace_syntax::{Block, Content};

use super::reader::{Reader, label, labelled, plain, schema, span_of};
use crate::{Freeze, Gate, Obstacle, TimeOfDay, Weekday, Window, is_zone};

/// Stands for a number of approvals that could not be read: nobody can give so many.
pub(super) const UNREADABLE: u32 = u32::MAX;

impl Reader {
    /// A gate; that of a change type may let pass what the environment's gate would stop.
    pub(super) fn read_gate(&mut self, block: &Block, of_change: bool) -> Gate {
        let mut attributes = vec!["approvals", "roles", "soak", "expires"];
        if of_change {
            attributes.push("passes");
        }
        let blocks = vec![plain("window"), labelled("quorum")];
        let content = self.content(&block.body, &schema(&attributes, blocks));
        let mut roles: BTreeMap<String, u32> = self
            .texts(&content, "roles")
            .into_iter()
            .map(|role| (role, 1))
            .collect();
        let mut windows = Vec::new();
        for nested in &content.blocks {
            if &*nested.type_name.name == "window" {
                windows.push(self.read_window(nested));
                continue;
            }
            let least = self.read_quorum(nested);
            let role = label(nested);
            if roles.insert(role.clone(), least).is_some() {
                let detail = format!("This gate asks for the role {role:?} twice.");
                self.duplicate("quorum", &detail, nested);
            }
        }
        // A gate that names roles needs somebody of them, said or not.
        let least = roles.values().copied().max().unwrap_or_default();
        let approvals = match self.count(&content, "approvals") {
            None => least,
            Some(Ok(count)) => count,
            Some(Err(span)) => self.bad_count(span),
        };
        Gate {
            approvals,
            roles,
            soak: self.duration(&content, "soak"),
            expires: self.duration(&content, "expires"),
            windows,
            passes: self.obstacles(&content),
        }
    }

    fn bad_count(&mut self, span: Span) -> u32 {
        self.problem(
            "invalid-argument",
            "Invalid number of approvals",
            "The number of approvals is a whole number from 0.",
            span,
        );
        UNREADABLE
    }

    fn read_quorum(&mut self, block: &Block) -> u32 {
        let content = self.content(&block.body, &schema(&["approvals"], Vec::new()));
        match self.count(&content, "approvals") {
            Some(Ok(count)) if count > 0 => count,
            None => 1,
            Some(Ok(_)) => self.bad_count(span_of(content.attributes.get("approvals"), &content)),
            Some(Err(span)) => self.bad_count(span),
        }
    }

    fn obstacles(&mut self, content: &Content) -> BTreeSet<Obstacle> {
        let mut found = BTreeSet::new();
        for name in self.texts(content, "passes") {
            match Obstacle::parse(&name) {
                Some(obstacle) => {
                    found.insert(obstacle);
                }
                None => self.invalid(
                    format!(
                        "{name:?} is nothing that a change type may pass. There are: {}.",
                        Obstacle::names().join(", ")
                    ),
                    span_of(content.attributes.get("passes"), content),
                ),
            }
        }
        found
    }

    fn read_window(&mut self, block: &Block) -> Window {
        let content = self.content(
            &block.body,
            &schema(&["days", "from", "until", "zone"], Vec::new()),
        );
        let mut days = BTreeSet::new();
        for name in self.texts(&content, "days") {
            match Weekday::parse(&name) {
                Some(day) => {
                    days.insert(day);
                }
                None => self.invalid(
                    format!("{name:?} is not a day. Days are: mon, tue, wed, thu, fri, sat, sun."),
                    span_of(content.attributes.get("days"), &content),
                ),
            }
        }
        if days.is_empty() && !content.attributes.contains_key("days") {
            days.extend(Weekday::ALL);
        }
        let from = self.time_of_day(&content, "from", TimeOfDay::MIDNIGHT);
        let until = self.time_of_day(&content, "until", TimeOfDay::END);
        if from == until {
            self.invalid(
                "A window that ends when it begins lasts no time. For a whole day, leave out from and until.",
                span_of(content.attributes.get("until"), &content),
            );
        }
        Window {
            days,
            from,
            until,
            zone: self.zone(&content),
        }
    }

    fn time_of_day(&mut self, content: &Content, name: &str, otherwise: TimeOfDay) -> TimeOfDay {
        let Some(text) = self.text(content, name) else {
            return otherwise;
        };
        TimeOfDay::parse(&text).unwrap_or_else(|| {
            self.invalid(
                format!("{text:?} is not a time of day. Write one as 08:00, up to 24:00."),
                span_of(content.attributes.get(name), content),
            );
            otherwise
        })
    }

    /// A time zone must be said: the machine's own would differ from one runner to the next.
    fn zone(&mut self, content: &Content) -> String {
        let zone = self.text(content, "zone");
        match &zone {
            Some(zone) if is_zone(zone) => {}
            Some(zone) => self.invalid(
                format!("{zone:?} is not a time zone of the tz database. Write one as Europe/Berlin or UTC."),
                span_of(content.attributes.get("zone"), content),
            ),
            None if content.attributes.contains_key("zone") => {}
            None => self.invalid(
                "The argument \"zone\" is required, such as Europe/Berlin: who applies may be anywhere.",
                content.missing_span,
            ),
        }
        zone.unwrap_or_default()
    }

    /// A time in which nothing is changed.
    pub(super) fn read_freeze(&mut self, block: &Block) -> Option<Freeze> {
        let content = self.content(
            &block.body,
            &schema(
                &["from", "until", "zone", "reason", "environments"],
                Vec::new(),
            ),
        );
        let freeze = Freeze {
            from: self.text(&content, "from").unwrap_or_default(),
            until: self.text(&content, "until").unwrap_or_default(),
            zone: self.zone(&content),
            reason: self.text(&content, "reason").unwrap_or_default(),
            environments: self.texts(&content, "environments").into_iter().collect(),
        };
        if !is_zone(&freeze.zone) {
            return None;
        }
        match freeze.span() {
            Ok(_) => Some(freeze),
            Err(why) => {
                self.invalid(why, block.header_span);
                None
            }
        }
    }
}
