//! "Did you mean" suggestions.

use terrace_diag::edit_distance;

/// The first of `candidates` that differs from `given` in less than three letters.
pub(crate) fn suggestion<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .find(|candidate| edit_distance(given, candidate) < 3)
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn close_names_are_suggested_in_order() {
        assert_eq!(suggestion("iffy", ["if", "for"]), Some("if"));
        assert_eq!(suggestion("foo", ["if", "for"]), Some("for"));
        assert_eq!(suggestion("regoin", ["region", "name"]), Some("region"));
        assert_eq!(suggestion("something", ["if", "for"]), None);
    }
}
