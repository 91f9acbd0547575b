//! Proving one run from what is stored of it, without asking anybody.

use std::collections::{BTreeMap, BTreeSet};

use terrace_plan::Plan;
use terrace_port::{RunStore, StoreError};

use crate::calendar::second_of;
use crate::identity::verify_identity;
use crate::runs::{PolicyStage, policies_name};
use crate::{
    Approval, Asker, Authorship, ChangeKind, Demand, OUTPUTS_DETAIL, Person, PolicyResults, Rules,
    Run, RunCounts, RunStatus, audit, configuration_digest, digest, judge_policies, outputs, runs,
    wire,
};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it must be.
    pub holds: bool,
    /// What was found.
    pub what: String,
}

pub(crate) fn finding(holds: bool, what: impl Into<String>) -> Finding {
    Finding {
        holds,
        what: what.into(),
    }
}

/// Looks at everything that is stored of a run.
pub async fn verify_run(store: &dyn RunStore, run: &Run) -> Result<Vec<Finding>, StoreError> {
    verify_run_by(store, run, None).await
}

/// As [`verify_run`]; keys count as these people's where they are given, and not as the stored rules have it.
pub(crate) async fn verify_run_by(
    store: &dyn RunStore,
    run: &Run,
    people: Option<&BTreeMap<String, Person>>,
) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    let plan = match runs::load_plan(store, &run.id).await {
        Ok(Some((_, plan, _))) => plan,
        Ok(None) => return Ok(vec![finding(false, "its plan is not there any more")]),
        Err(StoreError::Corrupt(why)) => return Ok(vec![finding(false, why)]),
        Err(error) => return Err(error),
    };
    found.extend(as_the_run_says(run, &plan));
    let mut judged_by = runs::load_rules(store, &run.id).await?;
    if let (Some(rules), Some(people)) = (&mut judged_by, people) {
        rules.people.clone_from(people);
    }
    let rules = match judged_by.clone() {
        Some(rules) => Some(rules),
        None => {
            let mut rules = crate::rules_in_force(store, None).await?.0;
            if let (Some(rules), Some(people)) = (&mut rules, people) {
                rules.people.clone_from(people);
            }
            rules
        }
    };
    let signatures = Signatures {
        store,
        run,
        rules: rules.as_ref(),
    };
    let mut authors: BTreeSet<String> = signatures.author(&mut found).await?.into_iter().collect();
    let (others, told) = verify_identity(store, (run, &plan), rules.as_ref()).await?;
    authors.extend(others);
    found.extend(told);
    let demand = rules.as_ref().map(|rules| Demand::of(rules, &plan));
    let kind = demand
        .as_ref()
        .map_or(ChangeKind::Normal, |demand| demand.kind);
    let approvers = signatures.approvers(kind, &authors, &mut found).await?;
    let was_applied = matches!(run.status, RunStatus::Applied | RunStatus::Failed);
    if let (true, Some(_), Some(demand)) = (was_applied, &judged_by, &demand) {
        let forge = store.list(&format!("runs/{}/forge/", run.id)).await?;
        let enough = approvers.len() >= demand.approvals as usize || !forge.is_empty();
        found.push(finding(
            enough,
            format!(
                "it was let through as a {} change, which asked for {} approvals: {} hold{}",
                kind.name(),
                demand.approvals,
                approvers.len(),
                if forge.is_empty() {
                    ""
                } else {
                    ", others are at GitHub"
                }
            ),
        ));
    }
    if let (true, Some(rules), Some(demand)) = (was_applied, &judged_by, &demand) {
        let forge = store.list(&format!("runs/{}/forge/", run.id)).await?;
        let missing = demand.roles.iter().filter(|(role, least)| {
            let members = rules.roles.get(*role);
            let of_them = approvers
                .iter()
                .filter(|person| members.is_some_and(|members| members.contains(*person)));
            of_them.count() < **least as usize && forge.is_empty()
        });
        found.extend(missing.map(|(role, least)| {
            finding(
                false,
                format!("{least} of role {role:?} must have approved it, and have not"),
            )
        }));
    }
    found.extend(rules_in_the_log(store, run).await?);
    let judge = judged_by.as_ref().map(|rules| (rules, &plan));
    found.extend(said_by_policies(store, run, judge).await?);
    found.extend(in_the_log(store, run).await?);
    Ok(found)
}

/// Whether the plan is the one that the run tells of.
fn as_the_run_says(run: &Run, plan: &Plan) -> [Finding; 2] {
    let digest = plan.digest();
    let is_its_own = digest == run.plan && run.id == digest.short();
    let same = configuration_digest(&plan.inputs.configuration) == run.configuration
        && RunCounts::of(plan) == run.counts
        && plan.inputs.environment == run.environment
        && plan.inputs.request.kind == run.change
        && plan.inputs.request.statements == run.statements;
    [
        finding(
            is_its_own,
            if is_its_own {
                format!("the plan has the digest {digest}")
            } else {
                format!(
                    "the plan has the digest {digest}, and the run says {}",
                    run.plan
                )
            },
        ),
        finding(
            same,
            if same {
                "configuration, counts, environment, change type and statements are those of the plan"
            } else {
                "configuration, counts, environment, change type or statements are not those of the plan"
            },
        ),
    ]
}

/// Whether the rules that are stored with a run are those by which it was let through.
async fn rules_in_the_log(store: &dyn RunStore, run: &Run) -> Result<Option<Finding>, StoreError> {
    let entries = audit::entries(store).await?;
    let logged = entries.iter().rev().find_map(|entry| {
        let is_own =
            entry.event.event == "apply-start" && entry.event.run.as_ref() == Some(&run.id);
        let digest = entry.event.details.get("rules").filter(|_| is_own)?;
        (!digest.is_empty()).then_some(digest)
    });
    let Some(logged) = logged else {
        return Ok(None);
    };
    let stored = store.get(&format!("runs/{}/rules", run.id)).await?;
    let holds = stored.is_some_and(|bytes| digest::hash(&bytes) == *logged);
    Ok(Some(finding(
        holds,
        if holds {
            "the rules that it was judged by are those that the audit log names"
        } else {
            "the rules that are stored with it are not those that it was judged by"
        },
    )))
}

/// Whether what is stored of policies is what the audit log says was stored, and what the rules that a run was judged by say
/// of its plan.
async fn said_by_policies(
    store: &dyn RunStore,
    run: &Run,
    judge: Option<(&Rules, &Plan)>,
) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    let entries = audit::entries(store).await?;
    for stage in [PolicyStage::Plan, PolicyStage::Apply] {
        let stored = store.get(&policies_name(&run.id, stage)).await?;
        let logged = entries.iter().rev().find(|entry| {
            entry.event.event == "policy"
                && entry.event.run.as_ref() == Some(&run.id)
                && entry.event.details.get("stage").map(String::as_str) == Some(stage.name())
        });
        let expected = logged.and_then(|entry| entry.event.details.get("results"));
        let (stored, expected) = match (stored, expected) {
            (None, None) => continue,
            (Some(stored), Some(expected)) => (stored, expected),
            (Some(_), None) => {
                let what = "the audit log says nothing of what is stored of policies";
                found.push(finding(false, what));
                continue;
            }
            (None, Some(_)) => {
                let what = "what policies said of it is not there any more";
                found.push(finding(false, what));
                continue;
            }
        };
        if digest::hash(&stored) != *expected {
            let what = format!(
                "what is stored of policies ({}) was changed: it is not what the audit log says was stored",
                stage.name()
            );
            found.push(finding(false, what));
            continue;
        }
        let results = match wire::decode_results(&stored) {
            Ok(results) => results,
            Err(why) => {
                found.push(finding(false, format!("what policies said of it: {why}")));
                continue;
            }
        };
        let again = match (stage, judge) {
            (PolicyStage::Apply, Some((rules, plan))) => Some(ask_again(rules, plan, &results)),
            _ => None,
        };
        found.push(match again {
            Some(again) if outline(&again) != outline(&results) => finding(
                false,
                "the policies that it was judged by say something else of its plan than is recorded",
            ),
            Some(_) => finding(true, "the policies that it was judged by say of its plan what is recorded"),
            None => finding(true, "what policies said of it is what the audit log says was stored"),
        });
    }
    Ok(found)
}

fn ask_again(rules: &Rules, plan: &Plan, results: &PolicyResults) -> PolicyResults {
    let asker = Asker {
        stack: results.stack.clone(),
        actor: results.actor.clone(),
        now: second_of(&results.time).unwrap_or_default(),
    };
    judge_policies(rules, plan, &asker)
}

/// Which rules of which policies had which effect on what; messages are stored without secrets.
fn outline(results: &PolicyResults) -> Vec<[&str; 4]> {
    let mut lines: Vec<[&str; 4]> = Vec::new();
    for policy in &results.policies {
        for found in &policy.findings {
            let rule = found.rule.as_deref().unwrap_or_default();
            let address = found.address.as_deref().unwrap_or_default();
            lines.push([&policy.name, found.effect.name(), rule, address]);
        }
    }
    lines.sort_unstable();
    lines
}

struct Signatures<'a> {
    store: &'a dyn RunStore,
    run: &'a Run,
    rules: Option<&'a Rules>,
}

impl Signatures<'_> {
    fn person(&self, fingerprint: &str) -> Option<String> {
        self.rules?.person_of(fingerprint).map(str::to_owned)
    }

    async fn author(&self, found: &mut Vec<Finding>) -> Result<Option<String>, StoreError> {
        let name = format!("runs/{}/author", self.run.id);
        let Some(bytes) = self.store.get(&name).await? else {
            return Ok(None);
        };
        match Authorship::open(&bytes) {
            Err(error) => found.push(finding(false, format!("the author's statement: {error}"))),
            Ok(signed) if signed.statement.plan != self.run.plan => {
                found.push(finding(false, "the author's statement is of another plan"));
            }
            Ok(signed) => {
                let person = self.person(&signed.fingerprint);
                let who = person.clone().unwrap_or_else(|| "nobody listed".to_owned());
                found.push(finding(
                    person.is_some(),
                    format!("signed as its author's by {who} ({})", signed.fingerprint),
                ));
                return Ok(person);
            }
        }
        Ok(None)
    }

    /// Who has approved it; statements that do not hold are told.
    async fn approvers(
        &self,
        kind: ChangeKind,
        authors: &BTreeSet<String>,
        found: &mut Vec<Finding>,
    ) -> Result<Vec<String>, StoreError> {
        let mut people = Vec::new();
        for bytes in runs::approvals(self.store, &self.run.id).await? {
            let approval = match Approval::open(&bytes) {
                Ok(approval) => approval,
                Err(error) => {
                    found.push(finding(false, format!("an approval: {error}")));
                    continue;
                }
            };
            let statement = &approval.statement;
            let person = self.person(&approval.fingerprint);
            let who = person.clone().unwrap_or_else(|| "nobody listed".to_owned());
            let fits = statement.plan == self.run.plan
                && Some(&statement.environment) == self.run.environment.as_ref()
                && statement.change == kind.name();
            let counts = fits
                && person
                    .as_ref()
                    .is_some_and(|person| !authors.contains(person));
            found.push(finding(
                counts,
                format!(
                    "approved by {who} ({}) for environment {:?} as a {} change",
                    approval.fingerprint, statement.environment, statement.change
                ),
            ));
            if let Some(person) = person.filter(|person| counts && !people.contains(person)) {
                people.push(person);
            }
        }
        Ok(people)
    }
}

/// What the audit log says of the run.
async fn in_the_log(store: &dyn RunStore, run: &Run) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    let (_, problems) = audit::verify(store).await?;
    let entries = audit::entries(store).await?;
    let own: Vec<_> = entries
        .iter()
        .filter(|entry| entry.event.run.as_ref() == Some(&run.id))
        .collect();
    let other = own.iter().find(|entry| {
        entry
            .event
            .details
            .get("plan")
            .is_some_and(|plan| *plan != run.plan.to_string())
    });
    let told = own
        .iter()
        .filter_map(|entry| entry.event.details.get(OUTPUTS_DETAIL))
        .map(String::as_str)
        .collect();
    if let Some((holds, what)) = outputs::of_run(store, &run.id, &told).await? {
        found.push(finding(holds, what));
    }
    let holds = problems.is_empty() && other.is_none() && !own.is_empty();
    let what = match (own.len(), other) {
        (0, _) => "the audit log says nothing of it".to_owned(),
        (_, Some(entry)) => format!(
            "entry {} of the audit log names another plan",
            entry.sequence
        ),
        (count, None) if problems.is_empty() => {
            format!("{count} entries of the audit log tell of it, and the log is whole")
        }
        (_, None) => "the audit log was tampered with".to_owned(),
    };
    found.push(finding(holds, what));
    Ok(found)
}
