//! What is to go wrong, as a text.

use std::time::Duration;

use terrace_port::ProviderDiagnostic;
use terrace_provider_testkit::{Call, Operation, Outcome};
use terrace_value::Value;

/// Rules, separated by `;`, each `WHEN=WHAT`; the first that fits a call decides.
///
/// WHEN is `start`, or an operation (`create`, `update`, `delete`, `read`, `plan`, `import`, `read-data`, `configure`, `upgrade`,
/// `function`, `validate-resource`, `validate-data`, `validate-provider`, `schema`, or `apply` for the first three), and
/// which of its calls: `:3` the third, `:KEY` those about the object whose `string` is KEY, `:*` or nothing all.
///
/// WHAT is `fail` (an error and no effect), `fail-after` (an error and yet the effect), `crash` (the process ends before
/// the effect), `crash-after`, `hang` (until it is asked to stop), `stuck` (for ever), `nonsense` (bytes that are no
/// value), `delay MILLISECONDS` or, for changes, `delay-after MILLISECONDS` (the effect at once, the answer late); for
/// `start`: `crash`, `hang`, `nonsense` or `delay`.
#[derive(Debug)]
pub(crate) struct Script {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    when: String,
    which: String,
    fault: Fault,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Fail,
    FailAfter,
    Crash,
    CrashAfter,
    Hang,
    Stuck,
    Nonsense,
    Delay(Duration),
    DelayAfter(Duration),
}

/// What goes wrong before the handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartFault {
    Hang,
    Crash,
    Nonsense,
    Delay(Duration),
}

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rules = text
            .split(';')
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .map(Rule::parse);
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn start_fault(&self) -> Option<StartFault> {
        let rule = self.rules.iter().find(|rule| rule.when == "start")?;
        Some(match rule.fault {
            Fault::Hang | Fault::Stuck => StartFault::Hang,
            Fault::Nonsense => StartFault::Nonsense,
            Fault::Delay(duration) | Fault::DelayAfter(duration) => StartFault::Delay(duration),
            Fault::Fail | Fault::FailAfter | Fault::Crash | Fault::CrashAfter => StartFault::Crash,
        })
    }

    pub(crate) fn outcome(&self, call: &Call) -> Outcome {
        let Some(rule) = self.rules.iter().find(|rule| rule.fits(call)) else {
            return Outcome::Proceed;
        };
        let complaint = || {
            let detail = format!(
                "The script lets {} number {} fail.",
                call.operation.name(),
                call.number
            );
            ProviderDiagnostic::error("Failed as told", detail)
        };
        match rule.fault {
            Fault::Fail => Outcome::Fail(complaint()),
            Fault::FailAfter => Outcome::FailAfter(complaint()),
            Fault::Crash => Outcome::Lost,
            Fault::CrashAfter => Outcome::LostAfter,
            Fault::Hang => Outcome::Hang,
            Fault::Stuck => Outcome::Stuck,
            Fault::Nonsense => Outcome::Answer(Value::string("nonsense")),
            Fault::Delay(duration) => Outcome::Delay(duration),
            Fault::DelayAfter(duration) => Outcome::DelayAfter(duration),
        }
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("the rule {text:?} makes no sense");
        let (when, what) = text.split_once('=').ok_or_else(bad)?;
        let (when, which) = when.split_once(':').unwrap_or((when, "*"));
        let milliseconds = |time: &str| {
            let time = time.trim().parse().map_err(|_| bad())?;
            Ok::<_, String>(Duration::from_millis(time))
        };
        let fault = match what.trim().split_once(' ') {
            Some(("delay", time)) => Fault::Delay(milliseconds(time)?),
            Some(("delay-after", time)) => Fault::DelayAfter(milliseconds(time)?),
            Some(_) => return Err(bad()),
            None => match what.trim() {
                "fail" => Fault::Fail,
                "fail-after" => Fault::FailAfter,
                "crash" => Fault::Crash,
                "crash-after" => Fault::CrashAfter,
                "hang" => Fault::Hang,
                "stuck" => Fault::Stuck,
                "nonsense" => Fault::Nonsense,
                _ => return Err(bad()),
            },
        };
        Ok(Self {
            when: when.trim().into(),
            which: which.trim().into(),
            fault,
        })
    }

    fn fits(&self, call: &Call) -> bool {
        let changes = matches!(
            call.operation,
            Operation::Create | Operation::Update | Operation::Delete
        );
        let operation = self.when == call.operation.name() || (self.when == "apply" && changes);
        let which = match self.which.parse::<u64>() {
            Ok(number) => number == call.number,
            Err(_) => self.which == "*" || self.which == call.key,
        };
        operation && which
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: Operation, key: &str, number: u64) -> Call {
        Call {
            operation,
            type_name: "test_object".into(),
            key: key.into(),
            number,
        }
    }

    #[test]
    fn rules_choose_their_calls() {
        let script = Script::parse("create:2=crash; apply:b=delay 5; read=fail").unwrap();
        assert_eq!(
            script.outcome(&call(Operation::Create, "a", 2)),
            Outcome::Lost
        );
        assert_eq!(
            script.outcome(&call(Operation::Create, "a", 1)),
            Outcome::Proceed
        );
        assert_eq!(
            script.outcome(&call(Operation::Delete, "b", 9)),
            Outcome::Delay(Duration::from_millis(5))
        );
        assert!(matches!(
            script.outcome(&call(Operation::Read, "", 1)),
            Outcome::Fail(_)
        ));
        assert_eq!(
            script.outcome(&call(Operation::Plan, "b", 1)),
            Outcome::Proceed
        );
        assert!(script.start_fault().is_none());
        assert!(Script::parse("start=hang").unwrap().start_fault().is_some());
        assert!(
            Script::parse("create=explode")
                .unwrap_err()
                .contains("explode")
        );
    }
}
