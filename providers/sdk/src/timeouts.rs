//! How long operations may take, as configurations say in a block `timeouts`.

use std::time::Duration;

use crate::Object;

impl Object {
    /// How long an operation (`create`) may take, where the object's block `timeouts` says it. No time at all is one look at what
    /// becomes of it.
    pub fn timeout(&self, operation: &str) -> Option<Duration> {
        duration(Self::of(self.value("timeouts"))?.text(operation)?)
    }
}

/// A length of time as the ecosystem writes it: `1h30m`, `90s`, `1.5s`, `500ms`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (mut whole, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let is_digit = |letter: char| letter.is_ascii_digit() || letter == '.';
        let (number, behind) = rest.split_at(rest.find(|letter| !is_digit(letter))?);
        let (unit, behind) = behind.split_at(behind.find(is_digit).unwrap_or(behind.len()));
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            "ns" => 0.000_000_001,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        whole = whole.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn durations_are_written_with_units() {
        for (text, expected) in [
            ("1h30m", Duration::from_mins(90)),
            ("90s", Duration::from_secs(90)),
            ("1.5m", Duration::from_secs(90)),
            ("90s500ms", Duration::from_millis(90_500)),
            ("1m.5s", Duration::from_millis(60_500)),
            ("2us", Duration::from_micros(2)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(duration(text), Some(expected), "{text}");
        }
        for wrong in [
            "", "5", "m", "5x", "1d", "-5m", "5m x", "10 m", "soon", "1.2.3s",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        let longer_than_anything = format!("{}h", "9".repeat(40));
        assert_eq!(duration(&longer_than_anything), None);
    }

    #[test]
    fn no_time_at_all_is_a_time() {
        let mut object = Object::new();
        object.set("timeouts", Value::object([("create", Value::string("0s"))]));
        assert_eq!(object.timeout("create"), Some(Duration::ZERO));
        assert_eq!(object.timeout("delete"), None);
        assert_eq!(Object::new().timeout("create"), None);
    }
}
