//! The colours that a role's file can mark its agents with, for terminals and for pages.
//!
//! The eight names are those that Claude Code knows; a colour is only ever a mark beside a name, never the only way to
//! tell two things apart. An unknown colour is none.

use director_protocols::sprint::Profile;

/// A colour by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// Red.
    Red,
    /// Orange.
    Orange,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
    /// Cyan.
    Cyan,
    /// Blue.
    Blue,
    /// Purple; `magenta` and `violet` too.
    Purple,
    /// Pink.
    Pink,
}

impl Tint {
    /// The colour of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_lowercase().as_str() {
            "red" => Tint::Red,
            "orange" => Tint::Orange,
            "yellow" => Tint::Yellow,
            "green" => Tint::Green,
            "cyan" | "teal" => Tint::Cyan,
            "blue" => Tint::Blue,
            "purple" | "magenta" | "violet" => Tint::Purple,
            "pink" => Tint::Pink,
            _ => return None,
        })
    }

    /// The colour that a role's file gives.
    pub fn of(profile: &Profile) -> Option<Self> {
        Self::named(profile.color.as_deref()?)
    }

    /// The code that a terminal knows it by, from its 256 colours: readable on black and on white.
    pub fn ansi(self) -> &'static str {
        match self {
            Tint::Red => "38;5;160",
            Tint::Orange => "38;5;166",
            Tint::Yellow => "38;5;136",
            Tint::Green => "38;5;34",
            Tint::Cyan => "38;5;37",
            Tint::Blue => "38;5;33",
            Tint::Purple => "38;5;134",
            Tint::Pink => "38;5;168",
        }
    }

    /// The colour on a page.
    pub fn css(self) -> &'static str {
        match self {
            Tint::Red => "#d43c3c",
            Tint::Orange => "#d8762a",
            Tint::Yellow => "#b8901a",
            Tint::Green => "#2f9e44",
            Tint::Cyan => "#159a9c",
            Tint::Blue => "#2f7fd6",
            Tint::Purple => "#9a57c7",
            Tint::Pink => "#d2588b",
        }
    }
}
