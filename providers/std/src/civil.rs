//! Dates and times as the time provider reckons with them: months and years overflow into the next month.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// An instant in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl Instant {
    /// Whole seconds since 1970.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self(Timestamp::from_second(seconds).unwrap_or_default())
    }

    /// Reads RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// RFC 3339 in UTC, whole seconds.
    pub(crate) fn text(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(crate) fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Year, month, day, hour, minute, second.
    pub(crate) fn parts(self) -> DateTime {
        TimeZone::UTC.to_datetime(self.0)
    }

    /// Later by years, months and days, each overflowing as days do: the 31st of January and a month is in March.
    pub(crate) fn add_date(self, years: i64, months: i64, days: i64) -> Self {
        let at = self.parts();
        let month = i64::from(at.month()) - 1 + months;
        let year = i64::from(at.year()) + years + month.div_euclid(12);
        let first = days_from_civil(year, month.rem_euclid(12) + 1);
        let days = first + i64::from(at.day()) - 1 + days;
        let of_day = self.seconds().rem_euclid(86_400);
        Self::from_seconds(days * 86_400 + of_day)
    }

    /// Later by seconds.
    pub(crate) fn add_seconds(self, seconds: i64) -> Self {
        Self::from_seconds(self.seconds().saturating_add(seconds))
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

    #[test]
    fn a_month_after_the_31st_of_january_is_in_march() {
        let january = Instant::parse("2023-01-31T10:20:30Z").unwrap();
        assert_eq!(january.add_date(0, 1, 0).text(), "2023-03-03T10:20:30Z");
        assert_eq!(january.add_date(1, 0, 0).text(), "2024-01-31T10:20:30Z");
        assert_eq!(january.add_date(0, 0, -31).text(), "2022-12-31T10:20:30Z");
    }
}
