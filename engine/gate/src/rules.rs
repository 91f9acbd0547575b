//! The rules of one environment's gate, as they are recorded with every applied run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Freeze, Policy, Shape, Window, wire};

/// SHA-256 over the canonical form of [`Rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulesDigest(pub [u8; 32]);

impl fmt::Display for RulesDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A person whose approval can count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Fingerprints of the person's keys, as `SHA256:…`.
    pub keys: BTreeSet<String>,
    /// Login at the forge.
    pub github: Option<String>,
}

/// Where reviews at GitHub are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHub {
    /// `OWNER/NAME`
    pub repository: String,
    /// The address of its API. It is one of the rules: who could name another server could make up reviews.
    pub api: String,
}

/// What a workflow at GitHub must be for its identity to stand for a plan's author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowIdentity {
    /// Who vouches for workflows. It is one of the rules: who could name another could vouch for anything.
    pub issuer: String,
    /// `OWNER/NAME`
    pub repository: String,
    /// The address of the API where authors of commits are asked for.
    pub api: String,
    /// The workflow's file, such as `.github/workflows/plan.yml`.
    pub workflow: String,
    /// The reference that the workflow runs for and is of, such as `refs/heads/main`.
    pub reference: Option<String>,
    /// The environment at GitHub that the workflow's job is in.
    pub environment: Option<String>,
}

/// What an environment asks for, or a change type, or a risk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// How many people other than the author must approve.
    pub approvals: u32,
    /// Of each of these roles so many of the approvers at least.
    pub roles: BTreeMap<String, u32>,
    /// For how many seconds the environments before must have run the same configuration without drift.
    pub soak: Option<u64>,
    /// After how many seconds an approval is none any more, whatever it says itself.
    pub expires: Option<u64>,
    /// In one of these the apply begins; at any time where there are none.
    pub windows: Vec<Window>,
    /// What of the environment's gate does not hold. Only the gate of a change type has any.
    pub passes: BTreeSet<Obstacle>,
}

/// A part of an environment's gate that a change type may be let past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Its windows.
    Window,
    /// Freezes.
    Freeze,
    /// How long the environments before must have run the same.
    Soak,
    /// That the environments before have applied the same at all.
    After,
    /// That the commit is on the branch.
    Branch,
}

impl Obstacle {
    const ALL: [Self; 5] = [
        Self::Window,
        Self::Freeze,
        Self::Soak,
        Self::After,
        Self::Branch,
    ];

    /// Its name in a project file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Freeze => "freeze",
            Self::Soak => "soak",
            Self::After => "after",
            Self::Branch => "branch",
        }
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|obstacle| obstacle.name()).collect()
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|obstacle| obstacle.name() == name)
    }
}

/// The type of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Judged by the environment's gate.
    #[default]
    Normal,
    /// Of a shape that was agreed on before.
    Standard,
    /// Let through by fewer, and reviewed afterwards.
    Emergency,
}

impl ChangeKind {
    /// Its name, which approvals sign.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Standard => "standard",
            Self::Emergency => "emergency",
        }
    }

    /// The change type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Normal, Self::Standard, Self::Emergency]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What holds for a change type other than the normal one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeRule {
    /// Shapes of plans, one of which must fit.
    pub allow: Vec<Shape>,
    /// The gate in place of the environment's.
    pub gate: Gate,
    /// What is owed afterwards.
    pub review: Option<Review>,
}

/// A review that is owed after an apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Within how many seconds.
    pub within: u64,
    /// By how many people other than the author.
    pub approvals: u32,
    /// Of each of these roles so many at least.
    pub roles: BTreeMap<String, u32>,
}

/// What asks for more than the gate does, whatever the change type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Risk {
    /// Its name.
    pub name: String,
    /// When it is there: where one of these is.
    pub when: Vec<Shape>,
    /// What is asked for besides.
    pub gate: Gate,
}

/// The gate of an environment with everything that it is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The environment.
    pub environment: String,
    /// Environments that must have applied the same configuration before.
    pub after: Vec<String>,
    /// The branch whose commits alone are applied.
    pub branch: Option<String>,
    /// The gate; `None` in an environment that asks for no approval.
    pub gate: Option<Gate>,
    /// The people, by name.
    pub people: BTreeMap<String, Person>,
    /// Members of each role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// Where reviews are that may count as approvals.
    pub github: Option<GitHub>,
    /// The workflows, one of which may stand for a plan's author.
    pub identities: Vec<WorkflowIdentity>,
    /// The change types other than the normal one.
    pub changes: BTreeMap<ChangeKind, ChangeRule>,
    /// What asks for more.
    pub risks: Vec<Risk>,
    /// When nothing is changed.
    pub freezes: Vec<Freeze>,
    /// What a run must state before it can be approved.
    pub required_statements: BTreeSet<String>,
    /// What judges plans, in the order of the project file.
    pub policies: Vec<Policy>,
    /// The digest of what the environment's `credentials` block says, where there is one. It judges nothing: who changes it
    /// changes what carries a plan out.
    pub credentials: Option<String>,
}

impl Rules {
    /// Whether anything must be shown before an apply, whatever the plan is.
    pub fn is_gated(&self) -> bool {
        self.gate.is_some() || !self.after.is_empty() || self.branch.is_some()
    }

    /// Whose key this is.
    pub fn person_of(&self, fingerprint: &str) -> Option<&str> {
        self.people
            .iter()
            .find(|(_, person)| person.keys.contains(fingerprint))
            .map(|(name, _)| name.as_str())
    }

    /// Whose login this is.
    pub fn person_of_login(&self, login: &str) -> Option<&str> {
        self.people
            .iter()
            .find(|(_, person)| {
                person
                    .github
                    .as_deref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(login))
            })
            .map(|(name, _)| name.as_str())
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode_rules(self)
    }

    /// Reads canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        wire::decode_rules(bytes)
    }

    /// The digest of the canonical bytes.
    pub fn digest(&self) -> RulesDigest {
        RulesDigest(Sha256::digest(self.to_bytes()).into())
    }
}
