//! Colours, and whether there are any.

use std::fmt::Display;

/// How text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Not at all.
    Plain,
    /// By ANSI sequences.
    Ansi,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Something comes into being; something went well.
    Add,
    /// Something goes; an error.
    Remove,
    /// Something changes; a warning.
    Change,
    /// Something is read.
    Read,
    /// Headings.
    Strong,
    /// What matters less.
    Faint,
}

impl Style {
    /// `text` in the colour of `role`.
    pub(crate) fn paint(self, role: Role, text: impl Display) -> String {
        if self == Self::Plain {
            return text.to_string();
        }
        let code = match role {
            Role::Add => "32",
            Role::Remove => "31",
            Role::Change => "33",
            Role::Read => "36",
            Role::Strong => "1",
            Role::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
