//! Inks: what things are drawn with. An ink is a name; its colour is in the style, its pattern in each chart.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// What something is drawn with. The first four have a pattern and a dash of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ink {
    /// The main series.
    Blue = 1,
    /// The second.
    Orange = 2,
    /// The third; what went well.
    Green = 3,
    /// The fourth.
    Purple = 4,
    /// What went wrong.
    Red = 5,
    /// What is only a background for others: plans, ideals.
    Grey = 6,
    /// Text.
    Text = 7,
    /// Text of less weight.
    Muted = 8,
    /// Lines of a grid.
    Grid = 9,
    /// Marks across a chart.
    Mark = 10,
}

const ALL: [Ink; 10] = [
    Ink::Blue,
    Ink::Orange,
    Ink::Green,
    Ink::Purple,
    Ink::Red,
    Ink::Grey,
    Ink::Text,
    Ink::Muted,
    Ink::Grid,
    Ink::Mark,
];

impl Ink {
    /// As a colour for plotters, which `page` reads back.
    pub(super) fn color(self) -> RGBColor {
        RGBColor(0, 0, self as u8)
    }

    /// From such a colour.
    pub(super) fn from_rgb(rgb: (u8, u8, u8)) -> Self {
        ALL.into_iter()
            .find(|ink| *ink as u8 == rgb.2)
            .unwrap_or(Ink::Text)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Ink::Blue => "blue",
            Ink::Orange => "orange",
            Ink::Green => "green",
            Ink::Purple => "purple",
            Ink::Red => "red",
            Ink::Grey => "grey",
            Ink::Text => "text",
            Ink::Muted => "muted",
            Ink::Grid => "grid",
            Ink::Mark => "mark",
        }
    }

    /// Colour on light and on dark, at a contrast of 3:1 or more (texts 4.5:1); the hues stay apart for readers
    /// who do not see red and green as others do.
    fn colours(self) -> (&'static str, &'static str) {
        match self {
            Ink::Blue => ("#1f5fa8", "#79b2f2"),
            Ink::Orange => ("#b34d00", "#f2a14f"),
            Ink::Green => ("#1d7a5f", "#5fcfa9"),
            Ink::Purple => ("#7a3f9d", "#cf9df0"),
            Ink::Red => ("#b3202a", "#ff8f8a"),
            Ink::Grey => ("#6a7482", "#98a4b3"),
            Ink::Text => ("#1d2530", "#e6eaf0"),
            Ink::Muted => ("#55606e", "#a3aebc"),
            Ink::Grid => ("#dbe0e6", "#333c48"),
            Ink::Mark => ("#1d2530", "#e6eaf0"),
        }
    }

    /// The pale ground below a pattern, on light and on dark.
    fn grounds(self) -> (&'static str, &'static str) {
        match self {
            Ink::Blue => ("#cfe1f5", "#1d3a5c"),
            Ink::Orange => ("#fbe3cc", "#553213"),
            Ink::Green => ("#d3eee4", "#17483a"),
            Ink::Purple => ("#ead9f4", "#43285a"),
            Ink::Red => ("#f9d5d6", "#5a1f24"),
            _ => ("#eceff3", "#2a323d"),
        }
    }

    fn dash(self) -> &'static str {
        match self {
            Ink::Orange => "9 5",
            Ink::Green => "2 4",
            Ink::Purple => "12 4 2 4",
            Ink::Grey => "6 5",
            Ink::Mark => "4 4",
            _ => "none",
        }
    }

    /// The strokes of its pattern, in a tile of 8 by 8; none is a plain fill.
    pub(super) fn strokes(self) -> Option<&'static str> {
        match self {
            Ink::Orange => Some("M-2 2l4-4M0 8l8-8M6 10l4-4"),
            Ink::Green => Some("M0 4h8"),
            Ink::Purple => Some("M-2 6l4 4M0 0l8 8M6-2l4 4"),
            Ink::Red => Some("M0 0l8 8M0 8l8-8"),
            Ink::Grey => Some("M4 0v8"),
            _ => None,
        }
    }

    /// Inks that areas are filled with.
    pub(super) fn fills() -> [Ink; 6] {
        [
            Ink::Blue,
            Ink::Orange,
            Ink::Green,
            Ink::Purple,
            Ink::Red,
            Ink::Grey,
        ]
    }
}

/// The style of all charts: once in a page, or inside a chart that is a file of its own.
pub fn css() -> String {
    let mut out = String::from(
        ".chart text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
         .chart .strong{font-weight:600}.chart .halo{stroke-width:4px;stroke-linejoin:round;paint-order:stroke}",
    );
    for ink in ALL {
        let (name, dash) = (ink.name(), ink.dash());
        let _ = write!(out, ".chart .l-{name}{{fill:none;stroke-dasharray:{dash}}}");
    }
    let scheme = |out: &mut String, dark: bool| {
        let pick = |pair: (&'static str, &'static str)| if dark { pair.1 } else { pair.0 };
        let ground = pick(("#ffffff", "#12161c"));
        let _ = write!(
            out,
            ".chart .ground{{fill:{ground}}}.chart .halo{{stroke:{ground}}}"
        );
        for ink in ALL {
            let (name, colour) = (ink.name(), pick(ink.colours()));
            let _ = write!(
                out,
                ".chart .t-{name}{{fill:{colour}}}.chart .l-{name},.chart .p-{name}{{stroke:{colour}}}\
                 .chart .e-{name}{{stroke:{colour}}}.chart .f-{name}{{fill:{colour}}}"
            );
        }
        for ink in Ink::fills() {
            let _ = write!(
                out,
                ".chart .b-{}{{fill:{}}}",
                ink.name(),
                pick(ink.grounds())
            );
        }
    };
    scheme(&mut out, false);
    out.push_str("@media screen and (prefers-color-scheme:dark){");
    scheme(&mut out, true);
    out.push('}');
    out
}
