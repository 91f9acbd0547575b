//! Dates and times as the time provider reckons with them: in the zone that a text names, months and years
//! overflowing into the next month.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// An instant, seen from a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    at: Timestamp,
    offset: Offset,
}

impl Instant {
    /// Whole seconds since 1970, in UTC.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self {
            at: Timestamp::from_second(seconds).unwrap_or_default(),
            offset: Offset::UTC,
        }
    }

    /// Reads RFC 3339, and keeps its offset from UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let at = text.parse().ok()?;
        let offset = match text.as_bytes() {
            [.., b'Z' | b'z'] => Offset::UTC,
            [.., sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let digit = |byte: &u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
                let hours = digit(h1)? * 10 + digit(h2)?;
                let seconds = hours * 3600 + (digit(m1)? * 10 + digit(m2)?) * 60;
                Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()?
            }
            _ => return None,
        };
        let separated = text
            .as_bytes()
            .get(10)
            .is_some_and(|byte| matches!(byte, b'T' | b't'));
        separated.then_some(Self { at, offset })
    }

    /// RFC 3339 in its zone, whole seconds.
    pub(crate) fn text(self) -> String {
        let civil = self.parts().strftime("%Y-%m-%dT%H:%M:%S");
        match self.offset.seconds() {
            0 => format!("{civil}Z"),
            seconds => {
                let sign = if seconds < 0 { '-' } else { '+' };
                let minutes = seconds.unsigned_abs() / 60;
                format!("{civil}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    pub(crate) fn seconds(self) -> i64 {
        self.at.as_second()
    }

    /// Year, month, day, hour, minute, second in its zone.
    pub(crate) fn parts(self) -> DateTime {
        TimeZone::fixed(self.offset).to_datetime(self.at)
    }

    /// Later by years, months and days, each overflowing as days do: the 31st of January and a month is in March.
    /// `None` where no calendar reaches.
    pub(crate) fn add_date(self, years: i64, months: i64, days: i64) -> Option<Self> {
        let at = self.parts();
        let month = (i64::from(at.month()) - 1).checked_add(months)?;
        let year = i64::from(at.year())
            .checked_add(years)?
            .checked_add(month.div_euclid(12))?;
        if !(-9_999..=9_999).contains(&year) {
            return None;
        }
        let first = days_from_civil(year, month.rem_euclid(12) + 1);
        let days = (first + i64::from(at.day()) - 1).checked_add(days)?;
        let local = self.seconds() + i64::from(self.offset.seconds());
        let seconds = days
            .checked_mul(86_400)?
            .checked_add(local.rem_euclid(86_400))?;
        self.moved_to(seconds.checked_sub(i64::from(self.offset.seconds()))?)
    }

    /// Later by seconds.
    pub(crate) fn add_seconds(self, seconds: i64) -> Option<Self> {
        self.moved_to(self.seconds().checked_add(seconds)?)
    }

    fn moved_to(self, seconds: i64) -> Option<Self> {
        let at = Timestamp::from_second(seconds).ok()?;
        Some(Self { at, ..self })
    }

    /// Whether it comes after `other`, whatever their zones.
    pub(crate) fn is_after(self, other: Self) -> bool {
        self.at > other.at
    }
}

/// Days from 1970-01-01 to the first of a month in the Gregorian calendar.
fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let of_year = (153 * shifted + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(text: &str, (years, months, days): (i64, i64, i64)) -> Option<String> {
        Instant::parse(text)?
            .add_date(years, months, days)
            .map(Instant::text)
    }

    #[test]
    fn dates_overflow_as_days_do() {
        for (date, expected) in [
            ((0, 1, 0), "2023-03-03T10:20:30Z"),
            ((1, 0, 0), "2024-01-31T10:20:30Z"),
            ((0, 0, -31), "2022-12-31T10:20:30Z"),
            ((0, -2, 0), "2022-12-01T10:20:30Z"),
            ((0, 13, 0), "2024-03-02T10:20:30Z"),
        ] {
            assert_eq!(
                moved("2023-01-31T10:20:30Z", date).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(
            moved("2024-02-29T00:00:00Z", (1, 0, 0)).as_deref(),
            Some("2025-03-01T00:00:00Z")
        );
    }

    #[test]
    fn a_zone_is_kept() {
        let text = "2023-01-31T01:20:30+02:00";
        let at = Instant::parse(text).unwrap();
        assert_eq!(
            (at.text().as_str(), at.parts().hour(), at.parts().day()),
            (text, 1, 31)
        );
        assert_eq!(
            moved(text, (0, 1, 0)).as_deref(),
            Some("2023-03-03T01:20:30+02:00")
        );
        let late = at.add_seconds(23 * 3600).unwrap();
        assert_eq!(late.text(), "2023-02-01T00:20:30+02:00");
        assert_eq!(
            Instant::parse("2023-01-01T00:00:00-03:30").unwrap().text(),
            "2023-01-01T00:00:00-03:30"
        );
        assert_eq!(
            Instant::parse("2023-01-01T00:00:00+00:00").unwrap().text(),
            "2023-01-01T00:00:00Z"
        );
        assert!(
            Instant::parse("2023-01-01T00:00:00Z")
                .unwrap()
                .is_after(Instant::parse("2023-01-01T01:00:00+02:00").unwrap())
        );
    }

    #[test]
    fn where_no_calendar_reaches() {
        for date in [
            (i64::MAX, 0, 0),
            (0, i64::MAX, 0),
            (0, 0, i64::MAX),
            (9_000, 0, 0),
            (i64::MIN, 0, 0),
        ] {
            assert_eq!(moved("2023-01-31T10:20:30Z", date), None, "{date:?}");
        }
        assert_eq!(Instant::from_seconds(0).add_seconds(i64::MAX), None);
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "x",
            "2023-01-31",
            "2023-01-31T10:20:30",
            "2023-01-31 10:20:30Z",
            "2023-02-30T00:00:00Z",
            "2023-01-31T10:20:30+0200",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
