//! Rules on the wire. A member that is not known is refused: it might be one that makes the gate stronger.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use terrace_policy::{DataFile, PolicyFile};

use crate::{
    ChangeKind, ChangeRule, Freeze, Gate, GitHub, Obstacle, Pattern, Person, Policy, PolicyLevel,
    Review, Risk, Rules, Shape, ShapeAction, TimeOfDay, Weekday, Window, WorkflowIdentity,
};

/// The format that is written. Those of before are read too: 1, and 2, which knew no policies.
const FORMAT: u32 = 3;

#[derive(Deserialize)]
struct FormatWire {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesWire {
    format: u32,
    environment: String,
    after: Vec<String>,
    branch: Option<String>,
    gate: Option<GateWire>,
    people: BTreeMap<String, PersonWire>,
    roles: BTreeMap<String, BTreeSet<String>>,
    github: Option<GitHubWire>,
    changes: BTreeMap<String, ChangeWire>,
    risks: Vec<RiskWire>,
    freezes: Vec<FreezeWire>,
    required_statements: BTreeSet<String>,
    #[serde(default)]
    policies: Vec<PolicyWire>,
    // Rules without any are written as they were before there were any, and have the digest that they had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    identities: Vec<IdentityWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityWire {
    issuer: String,
    repository: String,
    api: String,
    workflow: String,
    reference: Option<String>,
    environment: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWire {
    name: String,
    level: String,
    namespaces: Vec<String>,
    strict: bool,
    except: Vec<String>,
    rules: Vec<TextWire>,
    data: Vec<TextWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextWire {
    path: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateWire {
    approvals: u32,
    roles: BTreeMap<String, u32>,
    soak: Option<u64>,
    expires: Option<u64>,
    windows: Vec<WindowWire>,
    passes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowWire {
    days: Vec<String>,
    from: String,
    until: String,
    zone: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonWire {
    ssh: BTreeSet<String>,
    github: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GitHubWire {
    repository: String,
    api: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeWire {
    allow: Vec<ShapeWire>,
    gate: GateWire,
    review: Option<ReviewWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapeWire {
    types: Vec<String>,
    actions: Vec<String>,
    addresses: Vec<String>,
    modules: Vec<String>,
    environments: BTreeSet<String>,
    limit: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewWire {
    within: u64,
    approvals: u32,
    roles: BTreeMap<String, u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RiskWire {
    name: String,
    when: Vec<ShapeWire>,
    gate: GateWire,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreezeWire {
    from: String,
    until: String,
    zone: String,
    reason: String,
    environments: BTreeSet<String>,
}

/// What was written before there were change types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstRulesWire {
    #[expect(dead_code, reason = "it has been read")]
    format: u32,
    environment: String,
    after: Vec<String>,
    gate: Option<FirstGateWire>,
    people: BTreeMap<String, PersonWire>,
    roles: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstGateWire {
    approvals: u32,
    roles: Vec<String>,
}

impl GateWire {
    fn of(gate: &Gate) -> Self {
        Self {
            approvals: gate.approvals,
            roles: gate.roles.clone(),
            soak: gate.soak,
            expires: gate.expires,
            windows: gate.windows.iter().map(WindowWire::of).collect(),
            passes: gate
                .passes
                .iter()
                .map(|obstacle| obstacle.name().to_owned())
                .collect(),
        }
    }

    fn read(self) -> Result<Gate, String> {
        Ok(Gate {
            approvals: self.approvals,
            roles: self.roles,
            soak: self.soak,
            expires: self.expires,
            windows: all(self.windows, WindowWire::read)?,
            passes: self
                .passes
                .iter()
                .map(|name| known(name, Obstacle::parse))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl WindowWire {
    fn of(window: &Window) -> Self {
        Self {
            days: window
                .days
                .iter()
                .map(|day| day.name().to_owned())
                .collect(),
            from: window.from.to_string(),
            until: window.until.to_string(),
            zone: window.zone.clone(),
        }
    }

    fn read(self) -> Result<Window, String> {
        Ok(Window {
            days: self
                .days
                .iter()
                .map(|name| known(name, Weekday::parse))
                .collect::<Result<_, _>>()?,
            from: known(&self.from, TimeOfDay::parse)?,
            until: known(&self.until, TimeOfDay::parse)?,
            zone: self.zone,
        })
    }
}

impl ShapeWire {
    fn of(shape: &Shape) -> Self {
        let texts = |patterns: &[Pattern]| {
            patterns
                .iter()
                .map(|pattern| pattern.as_str().to_owned())
                .collect()
        };
        Self {
            types: texts(&shape.types),
            actions: shape
                .actions
                .iter()
                .map(|action| action.name().to_owned())
                .collect(),
            addresses: texts(&shape.addresses),
            modules: texts(&shape.modules),
            environments: shape.environments.clone(),
            limit: shape.limit,
        }
    }

    fn read(self) -> Result<Shape, String> {
        let patterns = |texts: Vec<String>| texts.into_iter().map(Pattern::new).collect();
        Ok(Shape {
            types: patterns(self.types),
            actions: self
                .actions
                .iter()
                .map(|name| known(name, ShapeAction::parse))
                .collect::<Result<_, _>>()?,
            addresses: patterns(self.addresses),
            modules: patterns(self.modules),
            environments: self.environments,
            limit: self.limit,
        })
    }
}

impl ChangeWire {
    fn of(rule: &ChangeRule) -> Self {
        Self {
            allow: rule.allow.iter().map(ShapeWire::of).collect(),
            gate: GateWire::of(&rule.gate),
            review: rule.review.as_ref().map(|review| ReviewWire {
                within: review.within,
                approvals: review.approvals,
                roles: review.roles.clone(),
            }),
        }
    }

    fn read(self) -> Result<ChangeRule, String> {
        Ok(ChangeRule {
            allow: all(self.allow, ShapeWire::read)?,
            gate: self.gate.read()?,
            review: self.review.map(|review| Review {
                within: review.within,
                approvals: review.approvals,
                roles: review.roles,
            }),
        })
    }
}

impl IdentityWire {
    fn of(identity: &WorkflowIdentity) -> Self {
        Self {
            issuer: identity.issuer.clone(),
            repository: identity.repository.clone(),
            api: identity.api.clone(),
            workflow: identity.workflow.clone(),
            reference: identity.reference.clone(),
            environment: identity.environment.clone(),
        }
    }

    fn read(self) -> WorkflowIdentity {
        WorkflowIdentity {
            issuer: self.issuer,
            repository: self.repository,
            api: self.api,
            workflow: self.workflow,
            reference: self.reference,
            environment: self.environment,
        }
    }
}

impl PolicyWire {
    fn of(policy: &Policy) -> Self {
        let text = |path: &String, text: &String| TextWire {
            path: path.clone(),
            text: text.clone(),
        };
        Self {
            name: policy.name.clone(),
            level: policy.level.name().to_owned(),
            namespaces: policy.namespaces.clone(),
            strict: policy.is_strict,
            except: policy
                .except
                .iter()
                .map(|kind| kind.name().to_owned())
                .collect(),
            rules: policy
                .rules
                .iter()
                .map(|file| text(&file.path, &file.text))
                .collect(),
            data: policy
                .data
                .iter()
                .map(|file| text(&file.path, &file.text))
                .collect(),
        }
    }

    fn read(self) -> Result<Policy, String> {
        let rules = self.rules.into_iter().map(|file| PolicyFile {
            path: file.path,
            text: file.text,
        });
        let data = self.data.into_iter().map(|file| DataFile {
            path: file.path,
            text: file.text,
        });
        Ok(Policy {
            name: self.name,
            level: known(&self.level, PolicyLevel::parse)?,
            namespaces: self.namespaces,
            is_strict: self.strict,
            except: self
                .except
                .iter()
                .map(|name| known(name, ChangeKind::parse))
                .collect::<Result<_, _>>()?,
            rules: rules.collect(),
            data: data.collect(),
        })
    }
}

fn known<T>(name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    parse(name)
        .ok_or_else(|| format!("the gate's rules say {name:?}, which this version does not know"))
}

fn all<W, T>(wires: Vec<W>, read: impl Fn(W) -> Result<T, String>) -> Result<Vec<T>, String> {
    wires.into_iter().map(read).collect()
}

fn people(wires: BTreeMap<String, PersonWire>) -> BTreeMap<String, Person> {
    wires
        .into_iter()
        .map(|(name, wire)| {
            let person = Person {
                keys: wire.ssh,
                github: wire.github,
            };
            (name, person)
        })
        .collect()
}

pub(crate) fn encode_rules(rules: &Rules) -> Vec<u8> {
    let person = |person: &Person| PersonWire {
        ssh: person.keys.clone(),
        github: person.github.clone(),
    };
    let freeze = |freeze: &Freeze| FreezeWire {
        from: freeze.from.clone(),
        until: freeze.until.clone(),
        zone: freeze.zone.clone(),
        reason: freeze.reason.clone(),
        environments: freeze.environments.clone(),
    };
    let wire = RulesWire {
        format: FORMAT,
        environment: rules.environment.clone(),
        after: rules.after.clone(),
        branch: rules.branch.clone(),
        gate: rules.gate.as_ref().map(GateWire::of),
        people: rules
            .people
            .iter()
            .map(|(name, found)| (name.clone(), person(found)))
            .collect(),
        roles: rules.roles.clone(),
        github: rules.github.as_ref().map(|github| GitHubWire {
            repository: github.repository.clone(),
            api: github.api.clone(),
        }),
        changes: rules
            .changes
            .iter()
            .map(|(kind, rule)| (kind.name().to_owned(), ChangeWire::of(rule)))
            .collect(),
        risks: rules
            .risks
            .iter()
            .map(|risk| RiskWire {
                name: risk.name.clone(),
                when: risk.when.iter().map(ShapeWire::of).collect(),
                gate: GateWire::of(&risk.gate),
            })
            .collect(),
        freezes: rules.freezes.iter().map(freeze).collect(),
        required_statements: rules.required_statements.clone(),
        policies: rules.policies.iter().map(PolicyWire::of).collect(),
        identities: rules.identities.iter().map(IdentityWire::of).collect(),
        credentials: rules.credentials.clone(),
    };
    serde_json::to_vec(&wire).expect("rules have string keys only")
}

pub(crate) fn decode_rules(bytes: &[u8]) -> Result<Rules, String> {
    let found: FormatWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match found.format {
        1 => decode_first(bytes),
        2 | FORMAT => decode_present(bytes),
        other => Err(format!(
            "the gate's rules have format {other}, which this version cannot read"
        )),
    }
}

fn decode_first(bytes: &[u8]) -> Result<Rules, String> {
    let wire: FirstRulesWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(Rules {
        environment: wire.environment,
        after: wire.after,
        gate: wire.gate.map(|gate| Gate {
            approvals: gate.approvals,
            roles: gate.roles.into_iter().map(|role| (role, 1)).collect(),
            ..Gate::default()
        }),
        people: people(wire.people),
        roles: wire.roles,
        ..Rules::default()
    })
}

fn decode_present(bytes: &[u8]) -> Result<Rules, String> {
    let wire: RulesWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let changes = wire.changes.into_iter().map(|(name, rule)| {
        let kind = known(&name, ChangeKind::parse)?;
        Ok((kind, rule.read()?))
    });
    Ok(Rules {
        environment: wire.environment,
        after: wire.after,
        branch: wire.branch,
        gate: wire.gate.map(GateWire::read).transpose()?,
        people: people(wire.people),
        roles: wire.roles,
        github: wire.github.map(|github| GitHub {
            repository: github.repository,
            api: github.api,
        }),
        changes: changes.collect::<Result<_, String>>()?,
        risks: all(wire.risks, |risk| {
            Ok(Risk {
                name: risk.name,
                when: all(risk.when, ShapeWire::read)?,
                gate: risk.gate.read()?,
            })
        })?,
        freezes: wire
            .freezes
            .into_iter()
            .map(|freeze| Freeze {
                from: freeze.from,
                until: freeze.until,
                zone: freeze.zone,
                reason: freeze.reason,
                environments: freeze.environments,
            })
            .collect(),
        required_statements: wire.required_statements,
        policies: all(wire.policies, PolicyWire::read)?,
        identities: wire
            .identities
            .into_iter()
            .map(IdentityWire::read)
            .collect(),
        credentials: wire.credentials,
    })
}
