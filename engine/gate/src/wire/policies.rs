//! What policies said of a run, on the wire.

use serde::{Deserialize, Serialize};

use crate::{ChangeKind, PolicyEffect, PolicyFinding, PolicyLevel, PolicyResult, PolicyResults};

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultsWire {
    format: u32,
    time: String,
    actor: String,
    stack: Option<String>,
    change: String,
    policies: Vec<ResultWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultWire {
    name: String,
    level: String,
    rules: u64,
    passed: u64,
    findings: Vec<FindingWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingWire {
    effect: String,
    rule: Option<String>,
    message: String,
    address: Option<String>,
    files: Vec<String>,
}

pub(crate) fn encode_results(results: &PolicyResults) -> Vec<u8> {
    let finding = |finding: &PolicyFinding| FindingWire {
        effect: finding.effect.name().to_owned(),
        rule: finding.rule.clone(),
        message: finding.message.clone(),
        address: finding.address.clone(),
        files: finding.files.clone(),
    };
    let policies = results.policies.iter().map(|result| ResultWire {
        name: result.name.clone(),
        level: result.level.name().to_owned(),
        rules: result.n_rules,
        passed: result.n_passed,
        findings: result.findings.iter().map(finding).collect(),
    });
    let wire = ResultsWire {
        format: FORMAT,
        time: results.time.clone(),
        actor: results.actor.clone(),
        stack: results.stack.clone(),
        change: results.change.name().to_owned(),
        policies: policies.collect(),
    };
    serde_json::to_vec(&wire).expect("results have string keys only")
}

pub(crate) fn decode_results(bytes: &[u8]) -> Result<PolicyResults, String> {
    let wire: ResultsWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != FORMAT {
        return Err(format!(
            "they have format {}, which this version cannot read",
            wire.format
        ));
    }
    let unknown = |what: &str| format!("they say {what:?}, which this version does not know");
    let policies = wire.policies.into_iter().map(|result| {
        let findings = result.findings.into_iter().map(|finding| {
            Ok(PolicyFinding {
                effect: PolicyEffect::parse(&finding.effect)
                    .ok_or_else(|| unknown(&finding.effect))?,
                rule: finding.rule,
                message: finding.message,
                address: finding.address,
                files: finding.files,
            })
        });
        Ok(PolicyResult {
            name: result.name,
            level: PolicyLevel::parse(&result.level).ok_or_else(|| unknown(&result.level))?,
            n_rules: result.rules,
            n_passed: result.passed,
            findings: findings.collect::<Result<_, String>>()?,
        })
    });
    Ok(PolicyResults {
        time: wire.time,
        actor: wire.actor,
        stack: wire.stack,
        change: ChangeKind::parse(&wire.change).ok_or_else(|| unknown(&wire.change))?,
        policies: policies.collect::<Result<_, String>>()?,
    })
}
