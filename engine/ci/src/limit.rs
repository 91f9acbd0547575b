//! Limits of where texts are shown, and cutting to them. All are kept in bytes, which are never fewer than characters.

/// What a comment may hold.
pub const COMMENT: usize = 65_536;
/// What each text of a check's output may hold.
pub const CHECK_OUTPUT: usize = 65_535;
/// What a step may add to the summary of its job.
pub const JOB_SUMMARY: usize = 1 << 20;
/// How many annotations a check takes in one request.
pub const ANNOTATIONS_A_REQUEST: usize = 50;

/// The longest beginning of `text` with at most `limit` bytes that ends with a whole line, or with a whole character where the
/// first line alone is longer; and how many lines are left out.
pub fn cut_lines(text: &str, limit: usize) -> (&str, usize) {
    if text.len() <= limit {
        return (text, 0);
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(end, |line| line + 1);
    let left = text[end..].lines().count();
    (&text[..end], left)
}

/// `text` with at most `limit` bytes: as it is, or its beginning up to a whole line, and `pointer` after it.
pub fn cut(text: &str, limit: usize, pointer: &str) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(pointer.len() + 2);
    let (kept, _) = cut_lines(text, room);
    let text = format!("{}\n\n{pointer}", kept.trim_end_matches('\n'));
    let (text, _) = cut_lines(&text, limit);
    text.to_owned()
}

/// How many bytes each of several texts gets of `room`: all that it needs where the rest has enough, else an equal part of
/// what is left.
pub(crate) fn shares(needs: &[usize], room: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|index| needs[*index]);
    let mut given = vec![0; needs.len()];
    let mut left = room;
    for (done, index) in order.into_iter().enumerate() {
        let share = needs[index].min(left / (needs.len() - done));
        given[index] = share;
        left -= share;
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(cut("a\nb\n", 4, "more"), "a\nb\n");
        assert_eq!(cut_lines("a\nb\n", 4), ("a\nb\n", 0));
    }

    #[test]
    fn lines_stay_whole() {
        assert_eq!(cut_lines("one\ntwo\nthree\n", 9), ("one\ntwo\n", 1));
        assert_eq!(cut_lines("one\ntwo\nthree", 3), ("one", 3));
        let text = "line\n".repeat(100);
        let short = cut(&text, 60, "the rest is elsewhere");
        assert!(short.len() <= 60, "{short}");
        assert!(short.ends_with("line\n\nthe rest is elsewhere"), "{short}");
    }

    #[test]
    fn characters_stay_whole() {
        let text = "ü".repeat(50);
        for limit in 1..100 {
            let (kept, _) = cut_lines(&text, limit);
            assert!(kept.len() <= limit && kept.len() + 2 > limit);
        }
    }

    #[test]
    fn who_needs_little_leaves_the_rest_to_the_others() {
        assert_eq!(shares(&[10, 1000, 1000], 610), [10, 300, 300]);
        assert_eq!(shares(&[10, 20], 610), [10, 20]);
        assert_eq!(shares(&[], 610), Vec::<usize>::new());
    }
}
