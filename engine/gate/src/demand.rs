//! What the gate asks of one plan: by its change type, its shape and the risks in it.

use std::collections::{BTreeMap, BTreeSet};

use terrace_plan::{Plan, PlanMode};

use crate::shape::Line;
use crate::{ChangeKind, Gate, Obstacle, PolicyLevel, Rules, Window};

/// What is asked of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The type of change that it is judged as, and that approvals name.
    pub kind: ChangeKind,
    /// Why it is not of the type that was asked for: every line that does not fit.
    pub misfits: Vec<String>,
    /// Whether people must sign at all: its author, and approvers where there are to be any.
    pub asks: bool,
    /// How many people other than the author must approve.
    pub approvals: u32,
    /// Of each of these roles so many of the approvers at least.
    pub roles: BTreeMap<String, u32>,
    /// For how many seconds the environments before must have run the same configuration without drift.
    pub soak: Option<u64>,
    /// After how many seconds an approval is none any more.
    pub expires: Option<u64>,
    /// Of each of these lists one window must be open.
    pub windows: Vec<Vec<Window>>,
    /// What does not hold for it.
    pub passes: BTreeSet<Obstacle>,
    /// The risks that were found: the name, and the lines that are risky.
    pub risks: Vec<(String, Vec<String>)>,
}

impl Demand {
    /// What `rules` ask of `plan`.
    pub fn of(rules: &Rules, plan: &Plan) -> Self {
        let lines = Line::of(plan);
        let (kind, misfits) = kind_of(rules, plan, &lines);
        let mut demand = Self {
            kind,
            misfits,
            ..Self::default()
        };
        // What passes by a policy is let through by somebody.
        let passes_policy = rules
            .policies
            .iter()
            .any(|policy| policy.level == PolicyLevel::Mandatory && !policy.binds(kind));
        let stands = rules.is_gated() || !rules.freezes.is_empty() || passes_policy;
        match rules.changes.get(&kind) {
            Some(rule) if kind != ChangeKind::Normal && stands => {
                demand.passes.clone_from(&rule.gate.passes);
                if let Some(gate) = &rules.gate {
                    demand.add_times(gate);
                }
                demand.add(&rule.gate);
            }
            _ => {
                if let Some(gate) = &rules.gate {
                    demand.add(gate);
                }
            }
        }
        for risk in &rules.risks {
            let found: BTreeSet<String> = risk
                .when
                .iter()
                .flat_map(|shape| shape.matching(&rules.environment, &lines))
                .collect();
            if !found.is_empty() {
                demand.add(&risk.gate);
                demand
                    .risks
                    .push((risk.name.clone(), found.into_iter().collect()));
            }
        }
        demand
    }

    /// Asks for what `gate` asks for, besides what is asked for already.
    fn add(&mut self, gate: &Gate) {
        self.asks = true;
        self.approvals = self.approvals.max(gate.approvals);
        for (role, least) in &gate.roles {
            let known = self.roles.entry(role.clone()).or_default();
            *known = (*known).max(*least);
        }
        self.add_times(gate);
    }

    fn add_times(&mut self, gate: &Gate) {
        self.soak = self.soak.max(gate.soak);
        self.expires = match (self.expires, gate.expires) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if !gate.windows.is_empty() && !self.windows.contains(&gate.windows) {
            self.windows.push(gate.windows.clone());
        }
    }

    /// Whether a part of the environment's gate holds.
    pub fn holds(&self, obstacle: Obstacle) -> bool {
        !self.passes.contains(&obstacle)
    }
}

/// The type that a plan is judged as, and why it is not of the one that was asked for.
fn kind_of(rules: &Rules, plan: &Plan, lines: &[Line]) -> (ChangeKind, Vec<String>) {
    let asked = match plan.inputs.request.kind.as_str() {
        "" => ChangeKind::Normal,
        name => match ChangeKind::parse(name) {
            Some(kind) => kind,
            None => {
                let why = format!("there is no change type {name:?}");
                return (ChangeKind::Normal, vec![why]);
            }
        },
    };
    if asked == ChangeKind::Normal {
        return (asked, Vec::new());
    }
    let Some(rule) = rules.changes.get(&asked) else {
        let why = format!(
            "the rules in force define no change type {:?}",
            asked.name()
        );
        return (ChangeKind::Normal, vec![why]);
    };
    if asked == ChangeKind::Emergency {
        return (asked, Vec::new());
    }
    if plan.mode != PlanMode::Normal && lines.is_empty() {
        let why = "it changes the state and no object, which no template is about".to_owned();
        return (ChangeKind::Normal, vec![why]);
    }
    let misfits = rule
        .allow
        .iter()
        .map(|shape| shape.misfits(&rules.environment, lines))
        .min_by_key(Vec::len)
        .unwrap_or_else(|| vec!["no template allows anything".to_owned()]);
    let kind = if misfits.is_empty() {
        asked
    } else {
        ChangeKind::Normal
    };
    (kind, misfits)
}
