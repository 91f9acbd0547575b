//! Reports as JSON, by which jobs hand them to the one that posts them; and what comments hold hidden of what was applied.

use serde::{Deserialize, Serialize};

use crate::applied::AppliedEntry;
use crate::report::{
    ChangedObject, Counts, GateReport, MissingPiece, Outcome, PlanReport, PolicyReport, Problem,
    Verdict,
};

/// The version of the form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    plans: Vec<Plan>,
}

#[derive(Serialize, Deserialize)]
struct Plan {
    environment: Option<String>,
    stack: Option<String>,
    result: String,
    #[serde(default)]
    waits_for: Vec<String>,
    import: u64,
    add: u64,
    change: u64,
    destroy: u64,
    run: Option<String>,
    text: String,
    #[serde(default)]
    policies: Vec<(String, String, String)>,
    gate: Option<Gate>,
    #[serde(default)]
    objects: Vec<Object>,
    #[serde(default)]
    problems: Vec<Trouble>,
}

#[derive(Serialize, Deserialize)]
struct Gate {
    kind: String,
    asks: Vec<String>,
    approved_by: Vec<String>,
    missing: Vec<(String, Option<String>)>,
}

#[derive(Serialize, Deserialize)]
struct Object {
    address: String,
    action: String,
    file: Option<String>,
    lines: (u32, u32),
}

#[derive(Serialize, Deserialize)]
struct Trouble {
    is_error: bool,
    title: String,
    message: String,
    file: Option<String>,
    line: u32,
}

/// Reports as a document.
pub fn write_report(reports: &[PlanReport]) -> Vec<u8> {
    let document = Document {
        version: VERSION,
        plans: reports.iter().cloned().map(Plan::from).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document).expect("texts and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

/// The reports of a document.
pub fn read_reports(bytes: &[u8]) -> Result<Vec<PlanReport>, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.version != VERSION {
        return Err(format!(
            "it has the version {}, and this Terrace reads version {VERSION}",
            document.version
        ));
    }
    document.plans.into_iter().map(Plan::report).collect()
}

impl From<PlanReport> for Plan {
    fn from(report: PlanReport) -> Self {
        let (result, waits_for) = match report.outcome {
            Outcome::Changes => ("changes", Vec::new()),
            Outcome::Unchanged => ("unchanged", Vec::new()),
            Outcome::Failed => ("failed", Vec::new()),
            Outcome::Waiting(stacks) => ("waiting", stacks),
        };
        let policy = |policy: PolicyReport| {
            let verdict = policy.verdict.name().to_owned();
            (policy.policy, verdict, policy.message)
        };
        Self {
            environment: report.environment,
            stack: report.stack,
            result: result.to_owned(),
            waits_for,
            import: report.counts.import,
            add: report.counts.add,
            change: report.counts.change,
            destroy: report.counts.destroy,
            run: report.run,
            text: report.text,
            policies: report.policies.into_iter().map(policy).collect(),
            gate: report.gate.map(|gate| Gate {
                kind: gate.kind,
                asks: gate.asks,
                approved_by: gate.approved_by,
                missing: gate
                    .missing
                    .into_iter()
                    .map(|piece| (piece.reason, piece.remedy))
                    .collect(),
            }),
            objects: report
                .objects
                .into_iter()
                .map(|object| Object {
                    address: object.address,
                    action: object.action,
                    file: object.file,
                    lines: object.lines,
                })
                .collect(),
            problems: report
                .problems
                .into_iter()
                .map(|problem| Trouble {
                    is_error: problem.is_error,
                    title: problem.title,
                    message: problem.message,
                    file: problem.file,
                    line: problem.line,
                })
                .collect(),
        }
    }
}

impl Plan {
    fn report(self) -> Result<PlanReport, String> {
        let outcome = match self.result.as_str() {
            "changes" => Outcome::Changes,
            "unchanged" => Outcome::Unchanged,
            "failed" => Outcome::Failed,
            "waiting" => Outcome::Waiting(self.waits_for),
            other => return Err(format!("there is no result {other:?}")),
        };
        let policy = |(policy, verdict, message): (String, String, String)| {
            let verdict = Verdict::parse(&verdict)
                .ok_or_else(|| format!("there is no verdict {verdict:?}"))?;
            Ok(PolicyReport {
                policy,
                verdict,
                message,
            })
        };
        Ok(PlanReport {
            environment: self.environment,
            stack: self.stack,
            outcome,
            counts: Counts {
                import: self.import,
                add: self.add,
                change: self.change,
                destroy: self.destroy,
            },
            run: self.run,
            text: self.text,
            policies: self
                .policies
                .into_iter()
                .map(policy)
                .collect::<Result<_, String>>()?,
            gate: self.gate.map(Gate::report),
            objects: self.objects.into_iter().map(Object::report).collect(),
            problems: self.problems.into_iter().map(Trouble::report).collect(),
        })
    }
}

impl Gate {
    fn report(self) -> GateReport {
        let piece = |(reason, remedy)| MissingPiece { reason, remedy };
        GateReport {
            kind: self.kind,
            asks: self.asks,
            approved_by: self.approved_by,
            missing: self.missing.into_iter().map(piece).collect(),
        }
    }
}

impl Object {
    fn report(self) -> ChangedObject {
        ChangedObject {
            address: self.address,
            action: self.action,
            file: self.file,
            lines: self.lines,
        }
    }
}

impl Trouble {
    fn report(self) -> Problem {
        Problem {
            is_error: self.is_error,
            title: self.title,
            message: self.message,
            file: self.file,
            line: self.line,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Applied {
    environment: String,
    stack: Option<String>,
    result: String,
    changes: String,
    run: Option<String>,
    commit: Option<String>,
    url: Option<String>,
}

/// What was applied, in a line.
pub(crate) fn write_applied(entries: &[AppliedEntry]) -> String {
    let entries: Vec<Applied> = entries
        .iter()
        .cloned()
        .map(|entry| Applied {
            environment: entry.environment,
            stack: entry.stack,
            result: entry.result,
            changes: entry.changes,
            run: entry.run,
            commit: entry.commit,
            url: entry.url,
        })
        .collect();
    serde_json::to_string(&entries).expect("texts are JSON")
}

/// What was applied, by such a line.
pub(crate) fn read_applied(text: &str) -> Option<Vec<AppliedEntry>> {
    let entries: Vec<Applied> = serde_json::from_str(text).ok()?;
    let entries = entries.into_iter().map(|entry| AppliedEntry {
        environment: entry.environment,
        stack: entry.stack,
        result: entry.result,
        changes: entry.changes,
        run: entry.run,
        commit: entry.commit,
        url: entry.url,
    });
    Some(entries.collect())
}
