//! What many worlds have shown together.

use std::time::Duration;

use serde_json::json;

/// What one world has shown, and the sum of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) worlds: usize,
    /// Applies that were disturbed.
    pub(crate) disturbed: usize,
    /// Of these, ended by SIGKILL before their own end.
    pub(crate) killed: usize,
    /// Of these, ended with an error of their own: failures, interrupts, dead providers.
    pub(crate) failed: usize,
    /// Events in the worlds: objects made, changed and deleted.
    pub(crate) events: usize,
    /// How often the next command offered a recovery.
    pub(crate) offered: usize,
    /// Results that the state lacked and the journal had.
    pub(crate) replayed: usize,
    /// Changes of which nobody recorded the end.
    pub(crate) uncertain: usize,
    pub(crate) most_uncertain: usize,
    /// Of these, creations that a person was asked about.
    pub(crate) asked: usize,
    /// Objects that neither the state nor a question knew.
    pub(crate) lost: usize,
    /// Objects that nothing manages at the end of the world.
    pub(crate) orphans: usize,
    /// Objects that there were twice at the end of the world.
    pub(crate) twice: usize,
    /// Locks that only force could release.
    pub(crate) stuck: usize,
    /// `errored.tfstate` files that had to be pushed.
    pub(crate) errored: usize,
    /// Worlds in which a plan still wanted changes in the end, or an apply failed without a reason.
    pub(crate) unfinished: usize,
    /// The longest that a command took whose lock a dead process had held.
    pub(crate) longest_wait: Duration,
    /// How long the worlds took, one after the other.
    pub(crate) took: Duration,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.disturbed += other.disturbed;
        self.killed += other.killed;
        self.failed += other.failed;
        self.events += other.events;
        self.offered += other.offered;
        self.replayed += other.replayed;
        self.uncertain += other.uncertain;
        self.most_uncertain = self.most_uncertain.max(other.most_uncertain);
        self.asked += other.asked;
        self.lost += other.lost;
        self.orphans += other.orphans;
        self.twice += other.twice;
        self.stuck += other.stuck;
        self.errored += other.errored;
        self.unfinished += other.unfinished;
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.took += other.took;
    }

    /// One line for `cargo dev worlds`.
    pub(crate) fn line(&self, who: &str, store: &str, seed: u64) -> String {
        let facts = json!({
            "who": who,
            "store": store,
            "seed": seed,
            "worlds": self.worlds,
            "disturbed": self.disturbed,
            "killed": self.killed,
            "failed": self.failed,
            "events": self.events,
            "offered": self.offered,
            "replayed": self.replayed,
            "uncertain": self.uncertain,
            "most_uncertain": self.most_uncertain,
            "asked": self.asked,
            "lost": self.lost,
            "orphans": self.orphans,
            "twice": self.twice,
            "stuck": self.stuck,
            "errored": self.errored,
            "unfinished": self.unfinished,
            "longest_wait": self.longest_wait.as_secs_f64(),
            "took": self.took.as_secs_f64(),
        });
        format!("crash worlds {facts}")
    }
}
