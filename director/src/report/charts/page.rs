//! The page that plotters draws on: shapes and texts become SVG with classes for inks.
//!
//! Coordinates are whole pixels, so the same chart has the same bytes everywhere.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::rc::Rc;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::Frame;
use super::ink::{Ink, css};
use crate::report::text::{short, xml};

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// How wide a character is, in parts of the size of its text; rather too wide.
const CHARACTER: f64 = 0.56;
/// The size of text.
pub(super) const TEXT: u32 = 12;
/// The height of a title and of a line of the legend.
const TITLE: u32 = 34;
const LEGEND: u32 = 22;

/// How wide `text` is, about, in pixels.
pub(super) fn text_width(text: &str, size: f64) -> u32 {
    (text.chars().count() as f64 * size * CHARACTER).ceil() as u32
}

/// `text`, cut to fit `width` pixels.
pub(super) fn fitted(text: &str, width: u32) -> String {
    let most = (f64::from(width) / (f64::from(TEXT) * CHARACTER)) as usize;
    short(text, most.max(2))
}

/// What a name in the legend stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// A line.
    Line(Ink),
    /// A filled area.
    Fill(Ink),
    /// A frame without fill.
    Frame(Ink),
}

/// One SVG as it grows.
pub(super) struct Page {
    id: String,
    size: (u32, u32),
    /// Where the chart itself begins, below title and legend.
    pub top: u32,
    out: Rc<RefCell<String>>,
}

/// The text that a [`Page`] writes; outlives the page, which plotters owns while it draws.
#[derive(Clone)]
pub(super) struct Sheet(Rc<RefCell<String>>);

impl Sheet {
    /// The finished SVG.
    pub fn close(self) -> String {
        let mut out = self.0.take();
        out.push_str("</svg>\n");
        out
    }
}

impl Page {
    /// A page with title and legend, and `plot` pixels of height below them.
    pub fn new(frame: &Frame<'_>, legend: &[(Sample, String)], plot: u32) -> (Self, Sheet) {
        let id = xml(frame.id);
        let rows = legend_rows(frame, legend);
        let title = if frame.standalone { TITLE } else { 0 };
        let top = title + rows.len() as u32 * LEGEND + if rows.is_empty() { 6 } else { 8 };
        let size = (frame.width, top + plot);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" \
             role=\"img\" aria-labelledby=\"{id}-title {id}-about\">\n<title id=\"{id}-title\">{2}</title>\n\
             <desc id=\"{id}-about\">{3}</desc>\n",
            size.0,
            size.1,
            xml(frame.title),
            xml(frame.about),
        );
        if frame.standalone {
            let _ = write!(
                out,
                "<style>{}</style>\n<rect class=\"ground\" width=\"{}\" height=\"{}\"/>\n\
                 <text class=\"t-text strong\" x=\"12\" y=\"24\" font-size=\"16\">{}</text>\n",
                css(),
                size.0,
                size.1,
                xml(&fitted(frame.title, frame.width * 3 / 4)),
            );
        }
        patterns(&mut out, &id);
        for (row, items) in rows.iter().enumerate() {
            let y = title + LEGEND * row as u32 + 15;
            for (x, sample, name) in items {
                legend_item(&mut out, &id, *x, y, *sample, name);
            }
        }
        let out = Rc::new(RefCell::new(out));
        let page = Self {
            id,
            size,
            top,
            out: out.clone(),
        };
        (page, Sheet(out))
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) -> Drawn {
        // Nobody else writes while plotters draws, and writing to a String cannot fail.
        if let Ok(mut out) = self.out.try_borrow_mut() {
            let _ = out.write_fmt(text);
        }
        Ok(())
    }
}

fn patterns(out: &mut String, id: &str) {
    out.push_str("<defs>");
    for ink in Ink::fills() {
        let Some(strokes) = ink.strokes() else {
            continue;
        };
        let name = ink.name();
        let _ = write!(
            out,
            "<pattern id=\"{id}-{name}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <rect class=\"b-{name}\" width=\"8\" height=\"8\"/><path class=\"p-{name}\" d=\"{strokes}\" stroke-width=\"1.6\" stroke-opacity=\"0.6\"/></pattern>"
        );
    }
    out.push_str("</defs>\n");
}

/// The names in rows, each with where it begins.
fn legend_rows(frame: &Frame<'_>, legend: &[(Sample, String)]) -> Vec<Vec<(u32, Sample, String)>> {
    let left = 12;
    let (mut rows, mut x) = (Vec::<Vec<_>>::new(), left);
    for (sample, name) in legend {
        let name = short(name, 40);
        let width = 30 + text_width(&name, f64::from(TEXT)) + 18;
        if rows.is_empty() || x + width > frame.width {
            rows.push(Vec::new());
            x = left;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, *sample, name));
        }
        x += width;
    }
    rows
}

fn legend_item(out: &mut String, id: &str, x: u32, y: u32, sample: Sample, name: &str) {
    let _ = match sample {
        Sample::Line(ink) => writeln!(
            out,
            "<path class=\"l-{}\" d=\"M{x} {}h24\" stroke-width=\"2.5\"/>",
            ink.name(),
            y - 4
        ),
        Sample::Fill(ink) => writeln!(
            out,
            "<rect {} x=\"{}.5\" y=\"{}.5\" width=\"23\" height=\"11\"/>",
            fill(id, ink, false),
            x,
            y - 10
        ),
        Sample::Frame(ink) => writeln!(
            out,
            "<rect class=\"l-{}\" x=\"{}.5\" y=\"{}.5\" width=\"23\" height=\"9\" stroke-width=\"1.5\"/>",
            ink.name(),
            x,
            y - 9
        ),
    };
    let _ = writeln!(
        out,
        "<text class=\"t-text\" x=\"{}\" y=\"{y}\" font-size=\"{TEXT}\">{}</text>",
        x + 30,
        xml(name)
    );
}

/// The attributes that fill with an ink: its pattern and an edge, or all over; pale, below a line.
fn fill(id: &str, ink: Ink, pale: bool) -> String {
    let name = ink.name();
    match ink.strokes() {
        _ if pale => format!("class=\"b-{name}\""),
        Some(_) => format!("class=\"e-{name}\" fill=\"url(#{id}-{name})\""),
        None => format!("class=\"f-{name}\""),
    }
}

fn fill_of<S: BackendStyle>(id: &str, style: &S) -> String {
    let color = style.color();
    fill(id, Ink::from_rgb(color.rgb), color.alpha < 1.0)
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut out = String::new();
    let mut last = None;
    for point in path {
        if last != Some(point) {
            let _ = write!(
                out,
                "{}{},{}",
                if last.is_some() { " " } else { "" },
                point.0,
                point.1
            );
            last = Some(point);
        }
    }
    out
}

impl DrawingBackend for Page {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Drawn {
        // Nothing here is drawn by points.
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        filled: bool,
    ) -> Drawn {
        if style.color().alpha == 0.0 {
            return Ok(());
        }
        let (width, height) = (bottom_right.0 - upper_left.0, bottom_right.1 - upper_left.1);
        let (x, y) = upper_left;
        let (width, height) = (width.max(1), height.max(1));
        if filled {
            let paint = fill_of(&self.id, style);
            self.write(format_args!(
                "<rect {paint} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\n"
            ))
        } else {
            let ink = Ink::from_rgb(style.color().rgb);
            self.write(format_args!(
                "<rect class=\"l-{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" stroke-width=\"{}\"/>\n",
                ink.name(),
                style.stroke_width()
            ))
        }
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha == 0.0 {
            return Ok(());
        }
        let ink = Ink::from_rgb(style.color().rgb);
        self.write(format_args!(
            "<polyline class=\"l-{}\" points=\"{}\" stroke-width=\"{}\"/>\n",
            ink.name(),
            points(path),
            style.stroke_width()
        ))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        filled: bool,
    ) -> Drawn {
        let class = if filled { 'f' } else { 'l' };
        self.write(format_args!(
            "<circle class=\"{class}-{}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>\n",
            Ink::from_rgb(style.color().rgb).name(),
            center.0,
            center.1
        ))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn {
        let paint = fill_of(&self.id, style);
        self.write(format_args!(
            "<polygon {paint} points=\"{}\"/>\n",
            points(vert)
        ))
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, at: BackendCoord) -> Drawn {
        let anchor = style.anchor();
        let place = match anchor.h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let size = style.size();
        // From the anchor to the baseline; letters reach about 0.72 of their size above it.
        let down = match anchor.v_pos {
            VPos::Top => 0.8,
            VPos::Center => 0.35,
            VPos::Bottom => -0.2,
        } * size;
        let strong = match style.style() {
            plotters_backend::FontStyle::Bold => " strong",
            // Text above other things keeps a rim of the background.
            plotters_backend::FontStyle::Oblique => " halo",
            _ => "",
        };
        self.write(format_args!(
            "<text class=\"t-{}{strong}\" x=\"{}\" y=\"{}\" font-size=\"{size}\" text-anchor=\"{place}\">{}</text>\n",
            Ink::from_rgb(style.color().rgb).name(),
            at.0,
            at.1 + down.round() as i32,
            xml(text)
        ))
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((text_width(text, style.size()), style.size().ceil() as u32))
    }
}
