//! "Did you mean".

/// Names that differ in more letters are not near.
const NEAR: usize = 2;

/// The first of the candidates that differ least from `name`, if that is in no more than two letters.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        // The length in bytes says enough of the letters to leave most names out.
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 4 * NEAR)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= NEAR)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out or replaced to make one text of the other.
pub fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(nearest("regoin", ["zone", "region"]), Some("region"));
        assert_eq!(nearest("foo", ["fo", "foa", "bar"]), Some("fo"));
        assert_eq!(nearest("x", ["region"]), None);
        assert_eq!(edit_distance("é", "e"), 1);
    }
}
