//! "Did you mean".

/// ` Did you mean "x"?`, or nothing.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    terrace_diag::nearest(name, candidates).map_or_else(String::new, |candidate| {
        format!(" Did you mean {candidate:?}?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(did_you_mean("nme", ["name"]), " Did you mean \"name\"?");
    }
}
