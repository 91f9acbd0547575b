//! Windows and freezes: when an environment may be changed, by the clocks of its people.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    /// `mon`
    Monday,
    /// `tue`
    Tuesday,
    /// `wed`
    Wednesday,
    /// `thu`
    Thursday,
    /// `fri`
    Friday,
    /// `sat`
    Saturday,
    /// `sun`
    Sunday,
}

impl Weekday {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Its name in a project file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "mon",
            Self::Tuesday => "tue",
            Self::Wednesday => "wed",
            Self::Thursday => "thu",
            Self::Friday => "fri",
            Self::Saturday => "sat",
            Self::Sunday => "sun",
        }
    }

    /// The day of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.name() == name)
    }

    fn of(date: Date) -> Self {
        let place = date.weekday().to_monday_zero_offset();
        Self::ALL
            .into_iter()
            .nth(usize::try_from(place).unwrap_or_default())
            .unwrap_or(Self::Monday)
    }
}

/// Minutes since midnight, up to the midnight that ends the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// `00:00`
    pub const MIDNIGHT: Self = Self(0);
    /// `24:00`
    pub const END: Self = Self(24 * 60);

    /// Reads `08:00` up to `24:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str| {
            (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| text.parse::<u16>().ok())?
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= Self::END.0).then_some(Self(total))
    }

    fn of(time: Time) -> Self {
        let minutes = i16::from(time.hour()) * 60 + i16::from(time.minute());
        Self(u16::try_from(minutes).unwrap_or_default())
    }

    /// This time on a day, by the calendar.
    fn on(self, date: Date) -> Option<DateTime> {
        date.at(0, 0, 0, 0)
            .checked_add(i64::from(self.0).minutes())
            .ok()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Whether the tz database that Terrace brings along has this zone.
pub fn is_zone(name: &str) -> bool {
    zone(name).is_some()
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The clock on the wall of `zone_name` at a moment.
fn wall(now: i64, zone_name: &str) -> Option<Zoned> {
    Some(Timestamp::from_second(now).ok()?.to_zoned(zone(zone_name)?))
}

/// When an environment may be changed: on these days, between these times by the clocks of this zone. Where it ends
/// before it begins, it ends on the next day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days on which it begins.
    pub days: BTreeSet<Weekday>,
    /// When it opens.
    pub from: TimeOfDay,
    /// When it closes, the moment itself not included.
    pub until: TimeOfDay,
    /// A zone of the tz database.
    pub zone: String,
}

impl Window {
    /// Whether it is open. A zone that is not known is never open.
    pub fn is_open(&self, now: i64) -> bool {
        let Some(wall) = wall(now, &self.zone) else {
            return false;
        };
        let (date, time) = (wall.date(), TimeOfDay::of(wall.time()));
        let opens_on = |date: Date| self.days.contains(&Weekday::of(date));
        if self.from < self.until {
            return opens_on(date) && self.from <= time && time < self.until;
        }
        let yesterday = date.yesterday().is_ok_and(opens_on);
        (opens_on(date) && self.from <= time) || (yesterday && time < self.until)
    }

    /// When it opens next, in seconds since 1970 UTC; `None` where it never does.
    pub fn next_opening(&self, now: i64) -> Option<i64> {
        let zone = zone(&self.zone)?;
        let today = wall(now, &self.zone)?.date();
        let mut date = today;
        // Eight days: today's may be over already.
        for _ in 0..8 {
            if self.days.contains(&Weekday::of(date)) {
                let opens = self.from.on(date)?.to_zoned(zone.clone()).ok()?;
                let opens = opens.timestamp().as_second();
                if opens > now {
                    return Some(opens);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = self.days.iter().map(|day| day.name()).collect();
        write!(
            f,
            "{} {}-{} {}",
            days.join(","),
            self.from,
            self.until,
            self.zone
        )
    }
}

/// A time in which nothing is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freeze {
    /// A date, from whose beginning on, or a date and a time.
    pub from: String,
    /// A date, to whose end, or a date and a time.
    pub until: String,
    /// A zone of the tz database.
    pub zone: String,
    /// Why.
    pub reason: String,
    /// Which environments; all where there are none.
    pub environments: BTreeSet<String>,
}

impl Freeze {
    /// Its beginning and its end, in seconds since 1970 UTC, or what is wrong with it.
    pub fn span(&self) -> Result<(i64, i64), String> {
        let zone = zone(&self.zone)
            .ok_or_else(|| format!("{:?} is not a time zone of the tz database", self.zone))?;
        let from = moment(&self.from, &zone, false)?;
        let until = moment(&self.until, &zone, true)?;
        if until <= from {
            return Err(format!(
                "A freeze from {:?} until {:?} lasts no time.",
                self.from, self.until
            ));
        }
        Ok((from, until))
    }

    /// Until when it holds, if it does now. One that cannot be read holds forever.
    pub fn holds(&self, now: i64) -> Option<i64> {
        match self.span() {
            Ok((from, until)) => (from <= now && now < until).then_some(until),
            Err(_) => Some(i64::MAX),
        }
    }
}

/// A date or a date with a time, by the clocks of a zone.
fn moment(text: &str, zone: &TimeZone, is_end: bool) -> Result<i64, String> {
    let wrong = || {
        format!(
            "{text:?} is not a date. Write one as 2026-12-20, or as 2026-12-20T18:00 with a time."
        )
    };
    // Times without a zone alone: one with would say another than the freeze's.
    let civil = match (text.parse::<Date>(), text.contains('T')) {
        (Ok(date), false) if is_end => date.tomorrow().map_err(|_| wrong())?.at(0, 0, 0, 0),
        (Ok(date), false) => date.at(0, 0, 0, 0),
        _ if text.ends_with('Z') || text.contains('[') || text.contains('+') => {
            return Err(wrong());
        }
        _ => text.parse::<DateTime>().map_err(|_| wrong())?,
    };
    let zoned = civil.to_zoned(zone.clone()).map_err(|_| wrong())?;
    Ok(zoned.timestamp().as_second())
}

/// A moment as people of a zone write it, and in UTC where the zone is not known.
pub(crate) fn at(seconds: i64, zone_name: &str) -> String {
    match wall(seconds, zone_name) {
        Some(wall) => format!("{} {zone_name}", wall.strftime("%a %Y-%m-%d %H:%M")),
        None => utc(seconds),
    }
}

/// A moment in RFC 3339, UTC.
pub(crate) fn utc(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "the end of time".to_owned(), |time| time.to_string())
}

/// The second of an RFC 3339 time.
pub(crate) fn second_of(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// A length of time as people say it: the two largest units of it.
pub(crate) fn length(seconds: i64) -> String {
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] {
        if rest >= unit {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    parts.truncate(2);
    if parts.is_empty() {
        return "0s".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[&str], from: &str, until: &str, zone: &str) -> Window {
        Window {
            days: days
                .iter()
                .map(|day| Weekday::parse(day).unwrap())
                .collect(),
            from: TimeOfDay::parse(from).unwrap(),
            until: TimeOfDay::parse(until).unwrap(),
            zone: zone.to_owned(),
        }
    }

    fn second(text: &str) -> i64 {
        second_of(text).unwrap()
    }

    #[test]
    fn times_of_day() {
        assert_eq!(TimeOfDay::parse("08:30"), Some(TimeOfDay(510)));
        assert_eq!(TimeOfDay::parse("24:00"), Some(TimeOfDay::END));
        assert_eq!(TimeOfDay(510).to_string(), "08:30");
        for bad in [
            "8:30", "24:01", "12:60", "noon", "", "1200", "-1:00", "+1:00",
        ] {
            assert_eq!(TimeOfDay::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_window_follows_the_clocks_of_its_zone() {
        let window = window(&["mon", "tue"], "08:00", "16:00", "Europe/Berlin");
        // 2026-11-23 is a Monday; Berlin is an hour ahead of UTC in winter and two in summer.
        for (time, open) in [
            ("2026-11-23T06:59:59Z", false),
            ("2026-11-23T07:00:00Z", true),
            ("2026-11-23T14:59:59Z", true),
            ("2026-11-23T15:00:00Z", false),
            ("2026-11-25T10:00:00Z", false),
            ("2026-07-20T06:00:00Z", true),
            ("2026-07-20T14:00:00Z", false),
        ] {
            assert_eq!(window.is_open(second(time)), open, "{time}");
        }
        assert_eq!(
            window.next_opening(second("2026-11-24T15:00:00Z")),
            Some(second("2026-11-30T07:00:00Z"))
        );
        assert_eq!(
            window.next_opening(second("2026-11-23T05:00:00Z")),
            Some(second("2026-11-23T07:00:00Z"))
        );
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_opens() {
        let window = window(&["fri"], "22:00", "04:00", "UTC");
        for (time, open) in [
            ("2026-11-27T21:59:00Z", false),
            ("2026-11-27T22:00:00Z", true),
            ("2026-11-28T03:59:00Z", true),
            ("2026-11-28T04:00:00Z", false),
            ("2026-11-28T22:30:00Z", false),
            ("2026-11-27T03:00:00Z", false),
        ] {
            assert_eq!(window.is_open(second(time)), open, "{time}");
        }
    }

    #[test]
    fn hours_that_are_left_out_or_come_twice() {
        // In Berlin, 02:00 to 03:00 is left out on 2026-03-29 and comes twice on 2026-10-25.
        let night = window(&["sun"], "02:30", "03:30", "Europe/Berlin");
        for (time, open) in [
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", true),
            ("2026-03-29T01:29:59Z", true),
            ("2026-03-29T01:30:00Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:10:00Z", false),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T02:29:00Z", true),
            ("2026-10-25T02:30:00Z", false),
        ] {
            assert_eq!(night.is_open(second(time)), open, "{time}");
        }
        assert!(night.next_opening(second("2026-03-28T00:00:00Z")).is_some());
    }

    #[test]
    fn a_zone_that_nobody_knows_is_never_open() {
        let window = window(&["mon"], "00:00", "24:00", "Mars/Olympus");
        assert!(!window.is_open(second("2026-11-23T10:00:00Z")));
        assert!(!is_zone("Mars/Olympus") && is_zone("Asia/Kolkata") && is_zone("UTC"));
    }

    #[test]
    fn a_freeze_lasts_to_the_end_of_its_last_day() {
        let freeze = Freeze {
            from: "2026-12-20".into(),
            until: "2027-01-06".into(),
            zone: "Europe/Berlin".into(),
            ..Freeze::default()
        };
        let end = second("2027-01-06T23:00:00Z");
        for (time, until) in [
            ("2026-12-19T22:59:59Z", None),
            ("2026-12-19T23:00:00Z", Some(end)),
            ("2027-01-06T22:59:59Z", Some(end)),
            ("2027-01-06T23:00:00Z", None),
        ] {
            assert_eq!(freeze.holds(second(time)), until, "{time}");
        }
        let hours = Freeze {
            from: "2026-12-20T18:00".into(),
            until: "2026-12-20T20:30".into(),
            ..freeze.clone()
        };
        assert_eq!(
            hours.span(),
            Ok((
                second("2026-12-20T17:00:00Z"),
                second("2026-12-20T19:30:00Z")
            ))
        );
        for (from, until) in [
            ("2026-12-20", "2026-12-19"),
            ("soon", "2026-12-19"),
            ("2026-12-20T00:00Z", "2026-12-21"),
            ("2026-02-30", "2026-12-21"),
        ] {
            let freeze = Freeze {
                from: from.into(),
                until: until.into(),
                ..freeze.clone()
            };
            assert!(freeze.span().is_err(), "{from} {until}");
            assert_eq!(freeze.holds(0), Some(i64::MAX));
        }
    }

    #[test]
    fn lengths_of_time_are_told_in_two_units() {
        assert_eq!(length(0), "0s");
        assert_eq!(length(59), "59s");
        assert_eq!(length(3660), "1h 1m");
        assert_eq!(length(90_061), "1d 1h");
    }
}
