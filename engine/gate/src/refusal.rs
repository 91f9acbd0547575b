//! Why a plan is not let through: everything that is missing, from whom, and the command that would give it.

use std::fmt;

use terrace_plan::PlanDigest;

use crate::calendar::{at, length, utc};
use crate::{ChangeKind, PolicyResults, Window};

/// Why a plan was not let through: everything that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The environment.
    pub environment: String,
    /// The plan; `None` where there is none.
    pub digest: Option<PlanDigest>,
    /// The type of change that it was judged as.
    pub kind: ChangeKind,
    /// What is missing.
    pub reasons: Vec<RefusalReason>,
    /// What the policies in force say, whether or not they refuse.
    pub policies: PolicyResults,
}

/// One thing that keeps a plan from being let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// The evidence was gathered for another plan.
    OtherPlan,
    /// The state belongs to an environment that the plan was not made for.
    OtherEnvironment {
        /// The environment that the plan was made for.
        planned_for: Option<String>,
    },
    /// The project file's rules are neither those in force nor those that the plan was made with.
    OtherRules,
    /// The clock shows a time that is over: the audit log holds a later one.
    ClockBack {
        /// What it shows, in seconds since 1970 UTC.
        now: i64,
        /// What was recorded last.
        recorded: i64,
    },
    /// A line of the plan, or something else about it, does not fit the change type that was asked for.
    Misfit {
        /// The change type.
        kind: String,
        /// What does not fit.
        why: String,
    },
    /// An emergency without a reason.
    NoReason,
    /// A statement that every run must make was not made.
    Statement {
        /// Its name.
        name: String,
    },
    /// Nobody listed has signed as the plan's author, or is the one whom a workflow's identity names.
    UnknownAuthor {
        /// Whether the rules let a workflow's identity stand for the author.
        by_workflow: bool,
    },
    /// Too few approvals count.
    Approvals {
        /// How many are asked for.
        needed: u32,
        /// Who has given one that counts.
        granted: Vec<String>,
    },
    /// Too few of a role have approved.
    Role {
        /// The role.
        role: String,
        /// How many of it must approve.
        needed: u32,
        /// Its members that can still give one: less the author and those that have.
        members: Vec<String>,
        /// Which risk asks for it, where one does.
        risk: Option<String>,
    },
    /// An environment that comes before has not applied this configuration.
    Upstream {
        /// The environment.
        environment: String,
    },
    /// An environment that comes before has not run this configuration for long enough without drift.
    Soak {
        /// The environment.
        environment: String,
        /// When it will have, in seconds since 1970 UTC.
        until: i64,
        /// Whether that is over, and only a drift check is missing that shows it.
        unchecked: bool,
    },
    /// An environment that comes before is not what was applied there.
    Drifted {
        /// The environment.
        environment: String,
        /// What has changed outside.
        lines: Vec<String>,
    },
    /// The commit is not one that the environment's branch lets through.
    Branch {
        /// The branch.
        branch: String,
        /// What is wrong.
        why: String,
    },
    /// No window is open.
    Window {
        /// The windows.
        windows: Vec<Window>,
        /// When the next opens, in seconds since 1970 UTC.
        opens: Option<i64>,
    },
    /// Nothing is changed for now.
    Frozen {
        /// Why.
        reason: String,
        /// Until when, in seconds since 1970 UTC.
        until: i64,
        /// The zone of its people.
        zone: String,
    },
    /// A review of an emergency is overdue.
    ReviewOverdue {
        /// The run that is to be reviewed.
        run: String,
        /// Since when, in seconds since 1970 UTC.
        due: i64,
        /// How many must have reviewed it.
        needed: u32,
        /// Who has.
        reviewers: Vec<String>,
    },
    /// A mandatory policy refuses the plan, or cannot be evaluated.
    Policy {
        /// The policy's name.
        policy: String,
        /// The rule with its package; `None` where the policy cannot be evaluated.
        rule: Option<String>,
        /// What it says, or why it cannot be evaluated.
        message: String,
        /// The files in which the rule lies.
        files: Vec<String>,
    },
    /// A statement was found that does not count, and why.
    NotCounted(String),
    /// The state may be written only by applying an approved plan.
    ManualWrite,
}

impl RefusalReason {
    /// What the line is that a risk or a role adds.
    fn role(
        f: &mut fmt::Formatter<'_>,
        role: &str,
        needed: u32,
        members: &[String],
    ) -> fmt::Result {
        let who = match needed {
            1 => format!("Someone of role {role:?}"),
            needed => format!("{needed} people of role {role:?}"),
        };
        if members.is_empty() {
            write!(
                f,
                "{who} must approve it, and nobody but the author has that role."
            )
        } else {
            write!(f, "{who} must approve it: {}.", members.join(" or "))
        }
    }

    /// The command that would give what is missing, and who runs it; `None` where only time or another change helps.
    pub fn remedy(&self, environment: &str, run: &str) -> Option<String> {
        let approve = format!("terrace approve -env={environment} -key=FILE {run}");
        match self {
            Self::UnknownAuthor { by_workflow: false } => Some(format!(
                "its author runs `terrace plan -env={environment} -key=FILE` again"
            )),
            Self::UnknownAuthor { by_workflow: true } => Some(format!(
                "its author runs `terrace plan -env={environment} -key=FILE` again, or the workflow `terrace plan -env={environment}`"
            )),
            Self::Approvals { .. } => Some(format!("people other than its author run `{approve}`")),
            Self::Role { members, .. } if !members.is_empty() => {
                Some(format!("{} runs `{approve}`", members.join(" or ")))
            }
            Self::Statement { name } => Some(format!(
                "its author runs `terrace plan -env={environment} -statement={name}=TEXT` again"
            )),
            Self::NoReason => Some(format!(
                "its author runs `terrace plan -env={environment} -change=emergency -reason=TEXT` again"
            )),
            Self::Upstream {
                environment: before,
            } => Some(format!(
                "apply this configuration with `terrace apply -env={before}` first"
            )),
            Self::Soak {
                environment: before,
                unchecked: true,
                ..
            }
            | Self::Drifted {
                environment: before,
                ..
            } => Some(format!("anybody runs `terrace drift -env={before}`")),
            Self::ReviewOverdue { run, .. } => Some(format!(
                "people other than its author run `terrace review -env={environment} -key=FILE {run}`"
            )),
            Self::Policy { rule: Some(_), .. } => Some(format!(
                "its author changes what the policy denies, and runs `terrace plan -env={environment}` again"
            )),
            Self::OtherRules => Some(format!(
                "apply it with the project file that it was made with, or run `terrace plan -env={environment}` again"
            )),
            Self::OtherEnvironment { .. } | Self::ManualWrite => Some(format!(
                "plan the change with `terrace plan -env={environment}`, have it approved, and apply it"
            )),
            _ => None,
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPlan => f.write_str("The evidence was gathered for another plan."),
            Self::OtherEnvironment {
                planned_for: Some(name),
            } => {
                write!(f, "The plan was made for environment {name:?}.")
            }
            Self::OtherEnvironment { planned_for: None } => f.write_str(
                "The plan was made without choosing the environment that this state belongs to.",
            ),
            Self::OtherRules => f.write_str(
                "The project file states rules that are neither those in force nor those that the plan was made with: applying it would bring into force what nobody has approved.",
            ),
            Self::ClockBack { now, recorded } => write!(
                f,
                "The clock shows {}, and the audit log holds an entry of {}: time that is over does not come back.",
                utc(*now),
                utc(*recorded)
            ),
            Self::Misfit { kind, why } => {
                write!(f, "It is no {kind} change, and judged as a normal one: {why}.")
            }
            Self::NoReason => f.write_str("An emergency says why it is one, and this one does not."),
            Self::Statement { name } => {
                write!(f, "A run must state its {name}, and this one does not.")
            }
            Self::UnknownAuthor { by_workflow: false } => f.write_str(
                "The plan's author is unknown: it carries no signature by a key that the project file lists.",
            ),
            Self::UnknownAuthor { by_workflow: true } => f.write_str(
                "The plan's author is unknown: it carries no signature by a key that the project file lists, and no identity of a workflow that it names.",
            ),
            Self::Approvals { needed, granted } => approvals(f, *needed, granted),
            Self::Role {
                role,
                needed,
                members,
                risk,
            } => {
                Self::role(f, role, *needed, members)?;
                match risk {
                    Some(risk) => write!(f, " The risk {risk:?} asks for that."),
                    None => Ok(()),
                }
            }
            Self::Upstream { environment } => write!(
                f,
                "Environment {environment:?} comes before, and has not applied this configuration."
            ),
            Self::Soak {
                environment,
                until,
                unchecked: false,
            } => write!(
                f,
                "Environment {environment:?} comes before, and must run this configuration without drift until {}.",
                utc(*until)
            ),
            Self::Soak { environment, .. } => write!(
                f,
                "Environment {environment:?} has run this configuration for long enough, and no drift check since then shows that nothing has changed outside."
            ),
            Self::Drifted { environment, lines } => write!(
                f,
                "Environment {environment:?} comes before, and is not what was applied there: {}.",
                lines.join(", ")
            ),
            Self::Branch { branch, why } => {
                write!(f, "Only commits of branch {branch:?} are applied here: {why}.")
            }
            Self::Window { windows, opens } => outside_windows(f, windows, *opens),
            Self::Frozen {
                reason,
                until,
                zone,
            } => frozen(f, reason, *until, zone),
            Self::ReviewOverdue {
                run,
                due,
                needed,
                reviewers,
            } => {
                write!(
                    f,
                    "The review of emergency {run} is overdue since {}: it needs {needed} by people other than its author, and has {}.",
                    utc(*due),
                    counted(reviewers)
                )
            }
            Self::Policy {
                policy,
                rule,
                message,
                files,
            } => denied(f, policy, rule.as_deref(), message, files),
            Self::NotCounted(why) => write!(f, "Not counted: {why}."),
            Self::ManualWrite => f.write_str(
                "Its state is changed only by applying a plan that its gate has let through.",
            ),
        }
    }
}

fn frozen(f: &mut fmt::Formatter<'_>, reason: &str, until: i64, zone: &str) -> fmt::Result {
    write!(f, "Nothing is changed until {}", at(until, zone))?;
    if reason.is_empty() {
        f.write_str(".")
    } else {
        write!(f, ": {reason}.")
    }
}

fn denied(
    f: &mut fmt::Formatter<'_>,
    policy: &str,
    rule: Option<&str>,
    message: &str,
    files: &[String],
) -> fmt::Result {
    let Some(rule) = rule else {
        return write!(
            f,
            "The mandatory policy {policy:?} cannot be evaluated, and nobody knows what it would say: {message}"
        );
    };
    let message = message.trim_end_matches('.');
    write!(
        f,
        "The mandatory policy {policy:?} denies it: {message} (rule {rule}"
    )?;
    if !files.is_empty() {
        write!(f, " of {}", files.join(", "))?;
    }
    f.write_str(").")
}

fn approvals(f: &mut fmt::Formatter<'_>, needed: u32, granted: &[String]) -> fmt::Result {
    let plural = if needed == 1 { "" } else { "s" };
    write!(
        f,
        "It needs {needed} approval{plural} by people other than its author, and has {}.",
        counted(granted)
    )
}

fn counted(people: &[String]) -> String {
    if people.is_empty() {
        return "none".to_owned();
    }
    format!("{}: by {}", people.len(), people.join(", "))
}

fn outside_windows(
    f: &mut fmt::Formatter<'_>,
    windows: &[Window],
    opens: Option<i64>,
) -> fmt::Result {
    let list: Vec<String> = windows.iter().map(ToString::to_string).collect();
    write!(f, "It may be applied only within {}", list.join(" or "))?;
    match (opens, windows.first()) {
        (Some(opens), Some(window)) => {
            write!(f, "; that is next at {}.", at(opens, &window.zone))
        }
        _ => f.write_str("."),
    }
}

/// A length of time as people say it.
pub fn told_length(seconds: u64) -> String {
    length(i64::try_from(seconds).unwrap_or(i64::MAX))
}
