//! "Did you mean" suggestions.

/// The first of `candidates` that differs from `given` in less than three letters.
pub(crate) fn suggestion<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given: Vec<char> = given.chars().collect();
    candidates
        .into_iter()
        .find(|candidate| distance(&given, candidate) < 3)
}

/// How many letters must be put in, left out or replaced to make one text of the other.
fn distance(given: &[char], candidate: &str) -> usize {
    let mut row: Vec<usize> = (0..=given.len()).collect();
    for (index, letter) in candidate.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in given.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[given.len()]
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
