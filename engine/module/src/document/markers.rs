//! The part of a README that is made by machine, between markers.

/// The comments between which the generated part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Markers {
    /// The first line.
    pub begin: &'static str,
    /// The last line.
    pub end: &'static str,
}

/// Markers that are understood: our own, and those of a widespread tool whose READMEs are taken over as they are.
const KNOWN: [Markers; 2] = [
    Markers {
        begin: "<!-- BEGIN_TERRACE_DOCS -->",
        end: "<!-- END_TERRACE_DOCS -->",
    },
    Markers {
        begin: "<!-- BEGIN_TF_DOCS -->",
        end: "<!-- END_TF_DOCS -->",
    },
];

/// What comes of putting a generated part into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Splice {
    /// The text holds just this already.
    Current,
    /// The text as it should be.
    Changed(String),
    /// There are no markers, and this is the text with the part at its end.
    Appended(String),
    /// A marker stands alone.
    Broken(Markers),
}

/// Puts `generated` between the markers of `text`, or at its end where there are none.
pub fn splice(text: &str, generated: &str) -> Splice {
    for markers in KNOWN {
        let begin = text.find(markers.begin);
        let end = text.find(markers.end);
        match (begin, end) {
            (Some(begin), Some(end)) if begin < end => {
                let inside = format!(
                    "{}{}\n{}\n{}",
                    &text[..begin],
                    markers.begin,
                    generated.trim_end(),
                    &text[end..]
                );
                // Line ends may have been turned by version control, which makes nothing stale.
                let same = inside.lines().eq(text.lines());
                return if same {
                    Splice::Current
                } else {
                    Splice::Changed(inside)
                };
            }
            (None, None) => {}
            _ => return Splice::Broken(markers),
        }
    }
    let [own, _] = KNOWN;
    let before = text.trim_end();
    let gap = if before.is_empty() { "" } else { "\n\n" };
    Splice::Appended(format!(
        "{before}{gap}{}\n{}\n{}\n",
        own.begin,
        generated.trim_end(),
        own.end
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_between_the_markers_changes() {
        let text = "# Net\n\n<!-- BEGIN_TF_DOCS -->\nold\n<!-- END_TF_DOCS -->\n\nMore.\n";
        let wanted = "# Net\n\n<!-- BEGIN_TF_DOCS -->\nnew\n<!-- END_TF_DOCS -->\n\nMore.\n";
        assert_eq!(splice(text, "new\n"), Splice::Changed(wanted.to_owned()));
        assert_eq!(splice(wanted, "new\n"), Splice::Current);
        assert_eq!(
            splice(&wanted.replace('\n', "\r\n"), "new"),
            Splice::Current
        );
    }

    #[test]
    fn without_markers_the_part_comes_last() {
        assert_eq!(
            splice("# Net\n", "x"),
            Splice::Appended(
                "# Net\n\n<!-- BEGIN_TERRACE_DOCS -->\nx\n<!-- END_TERRACE_DOCS -->\n".to_owned()
            )
        );
    }

    #[test]
    fn a_marker_alone_is_not_guessed_at() {
        assert!(matches!(
            splice(
                "<!-- END_TERRACE_DOCS -->\n<!-- BEGIN_TERRACE_DOCS -->",
                "x"
            ),
            Splice::Broken(_)
        ));
    }
}
