//! How long operations may take, as configurations say in `timeouts`.

use std::time::Duration;

use terrace_provider_sdk::Object;

/// How long an operation (`create`) may take: what is configured, or what is usual.
pub(crate) fn of(object: &Object, operation: &str, usual: Duration) -> Duration {
    Object::of(object.value("timeouts"))
        .and_then(|timeouts| parsed(timeouts.text(operation)?))
        .unwrap_or(usual)
}

/// A time such as `1h30m`, as the ecosystem writes it.
fn parsed(text: &str) -> Option<Duration> {
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, behind) = rest.split_at(number_end);
        let unit_end = behind
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * seconds;
        rest = behind;
    }
    Duration::try_from_secs_f64(sum)
        .ok()
        .filter(|time| !time.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_units() {
        assert_eq!(parsed("10m"), Some(Duration::from_mins(10)));
        assert_eq!(parsed("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(parsed("1.5s"), Some(Duration::from_millis(1500)));
        for wrong in ["", "10", "m", "10 m", "1d", "0s"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
