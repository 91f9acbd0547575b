//! How long the locks of this machine live without being renewed.

use std::time::Duration;

use crate::Problem;

/// The variable of the environment by which another lease than the usual is asked for.
const VARIABLE: &str = "TERRACE_LOCK_LEASE";

/// The shortest and the longest, in seconds. A lease must outlive a slow request; nobody wants to wait for longer ones.
const LIMITS: std::ops::RangeInclusive<u64> = 5..=3600;

/// The lease that `TERRACE_LOCK_LEASE` asks for in seconds; `None` where it is not set.
///
/// # Errors
/// What it says is not a number of seconds from 5 to 3600.
pub fn asked_lease(
    environment: &(dyn Fn(&str) -> Option<String> + Send + Sync),
) -> Result<Option<Duration>, Problem> {
    let Some(text) = environment(VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if LIMITS.contains(&seconds) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Problem::new(
            "Invalid lease of locks",
            format!(
                "{VARIABLE} is {text:?}. It is how many seconds a lock lives without being renewed, from {} to {}; leave it unset for a minute.",
                LIMITS.start(),
                LIMITS.end()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_within_limits_are_taken_and_all_else_is_refused() {
        let asked = |text: &'static str| asked_lease(&move |_| Some(text.to_owned()));
        assert_eq!(asked_lease(&|_| None), Ok(None));
        assert_eq!(asked(""), Ok(None));
        assert_eq!(asked("5"), Ok(Some(Duration::from_secs(5))));
        assert_eq!(asked("3600"), Ok(Some(Duration::from_hours(1))));
        for wrong in ["4", "3601", "-5", "5s", "1.5"] {
            let problem = asked(wrong).unwrap_err();
            assert!(problem.detail.contains(wrong), "{}", problem.detail);
        }
    }
}
