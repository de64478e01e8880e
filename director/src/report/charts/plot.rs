//! What all charts share: a page, two axes with their grid, texts, and marks across.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{
    ChartBuilder, ChartContext, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea,
    LabelAreaPosition, ShapeStyle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, RGBAColor};

use super::Frame;
use super::axis::{Axis, Scale};
use super::ink::Ink;
use super::lines::Mark;
use super::page::{Page, Sample, TEXT, text_width};

/// How many parts a vertical axis is cut into at the most.
pub(super) const Y_PARTS: usize = 6;

/// What can fail while drawing; nothing of it depends on the values.
pub(super) type Failed = DrawingAreaErrorKind<std::convert::Infallible>;

/// A plot with its axes, on its page.
pub(super) struct Canvas<'a, 'b> {
    plot: ChartContext<'b, Page, Cartesian2d<Scale, Scale>>,
    page: &'a DrawingArea<Page, Shift>,
}

/// Both axes.
pub(super) struct Axes {
    pub x: Axis,
    pub y: Axis,
    pub x_range: Range<f64>,
    pub y_range: Range<f64>,
    /// What the horizontal axis is, in words.
    pub x_name: &'static str,
    /// Pixels left of the plot when the vertical axis has no numbers.
    pub left: Option<u32>,
    /// Pixels right of it.
    pub right: u32,
    /// Pixels above it, for the names of marks.
    pub above: u32,
}

/// Draws one chart: the page, the axes, and what `draw` adds to them.
pub(super) fn chart(
    frame: &Frame<'_>,
    legend: &[(Sample, String)],
    height: u32,
    axes: &Axes,
    draw: impl FnOnce(&mut Canvas<'_, '_>) -> Result<(), Failed>,
) -> String {
    let (page, sheet) = Page::new(frame, legend, height);
    let top = page.top;
    let area = page.into_drawing_area();
    if on_axes(frame, &area, top, axes, draw).is_err() {
        // Not reached by any value; a chart that lacks something says so.
        let _ = area.draw(&Text::new(
            "this chart could not be drawn",
            (12, top as i32),
            text(Ink::Red, HPos::Left, VPos::Top),
        ));
    }
    drop(area);
    sheet.close()
}

fn on_axes(
    frame: &Frame<'_>,
    area: &DrawingArea<Page, Shift>,
    top: u32,
    axes: &Axes,
    draw: impl FnOnce(&mut Canvas<'_, '_>) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let x_most = (frame.width / if axes.x == Axis::Clock { 84 } else { 64 }) as usize;
    let (x_range, y_range) = (wide(&axes.x_range), wide(&axes.y_range));
    let x_ticks = axes.x.ticks(x_range.start, x_range.end, x_most);
    let y_ticks = match axes.left {
        Some(_) => Vec::new(),
        None => axes.y.ticks(y_range.start, y_range.end, Y_PARTS),
    };
    let steps = (
        axes.x.step(x_range.end - x_range.start, x_most),
        axes.y.step(y_range.end - y_range.start, Y_PARTS),
    );
    let y_label = |value: &f64| axes.y.label(*value, steps.1);
    let left = axes.left.unwrap_or_else(|| {
        let widest = y_ticks
            .iter()
            .map(|value| text_width(&y_label(value), f64::from(TEXT)));
        widest.max().unwrap_or(0) + 18
    });
    let mut plot = ChartBuilder::on(area)
        .margin_top(top + axes.above)
        .margin_right(axes.right)
        .margin_left(4)
        .set_label_area_size(LabelAreaPosition::Left, left)
        .set_label_area_size(LabelAreaPosition::Bottom, below(axes))
        .build_cartesian_2d(
            Scale {
                range: x_range,
                ticks: x_ticks,
            },
            Scale {
                range: y_range,
                ticks: y_ticks,
            },
        )?;
    let x_label = |value: &f64| axes.x.label(*value, steps.0);
    let mut mesh = plot.configure_mesh();
    mesh.disable_x_mesh()
        .axis_style(stroke(Ink::Muted, 1))
        .bold_line_style(stroke(Ink::Grid, 1))
        .light_line_style(RGBAColor(0, 0, 0, 0.0))
        .label_style(text(Ink::Muted, HPos::Center, VPos::Center))
        .x_label_formatter(&x_label)
        .y_label_formatter(&y_label);
    if axes.left.is_some() {
        mesh.disable_y_axis().disable_y_mesh();
    }
    mesh.draw()?;
    if !axes.x_name.is_empty() {
        let at = (
            frame.width as i32 - axes.right as i32,
            area.dim_in_pixel().1 as i32 - 4,
        );
        area.draw(&Text::new(
            axes.x_name,
            at,
            text(Ink::Muted, HPos::Right, VPos::Bottom),
        ))?;
    }
    draw(&mut Canvas { plot, page: area })
}

/// The pixels below a plot: ticks, and a line for the axis's name.
pub(super) fn below(axes: &Axes) -> u32 {
    if axes.x_name.is_empty() { 26 } else { 42 }
}

/// A range of which something can be seen, whatever was given.
fn wide(range: &Range<f64>) -> Range<f64> {
    let usable = |value: f64| {
        if value.is_finite() {
            value.clamp(-1e15, 1e15)
        } else {
            0.0
        }
    };
    let (from, to) = (usable(range.start), usable(range.end));
    let least = from.abs().max(1.0) * 1e-9;
    from..to.max(from + least)
}

/// A line of an ink.
fn stroke(ink: Ink, width: u32) -> ShapeStyle {
    ShapeStyle {
        color: ink.color().to_rgba(),
        filled: false,
        stroke_width: width,
    }
}

/// Text of an ink, by where the point is that it is put at.
pub(super) fn text(ink: Ink, across: HPos, up: VPos) -> TextStyle<'static> {
    styled(FontStyle::Normal, ink, across, up)
}

/// Text that stays readable above other things.
pub(super) fn above(ink: Ink, across: HPos, up: VPos) -> TextStyle<'static> {
    styled(FontStyle::Oblique, ink, across, up)
}

fn styled(font: FontStyle, ink: Ink, across: HPos, up: VPos) -> TextStyle<'static> {
    let style = TextStyle::from(("sans-serif", TEXT, font)).pos(Pos::new(across, up));
    let color = ink.color();
    TextStyle {
        color: plotters_backend::BackendColor {
            alpha: 1.0,
            rgb: (color.0, color.1, color.2),
        },
        ..style
    }
}

impl Canvas<'_, '_> {
    /// Where a point of the plot lies on the page.
    pub fn pixel(&self, x: f64, y: f64) -> (i32, i32) {
        self.plot.backend_coord(&(x, y))
    }

    /// The range of the horizontal axis.
    pub fn x_range(&self) -> Range<f64> {
        self.plot.x_range()
    }

    /// A line from point to point.
    pub fn line(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: u32) -> Result<(), Failed> {
        self.plot
            .draw_series([PathElement::new(points, stroke(ink, width))])
            .map(drop)
    }

    /// An area with its pattern, or pale below a line.
    pub fn area(&mut self, edge: Vec<(f64, f64)>, ink: Ink, pale: bool) -> Result<(), Failed> {
        let color = ink.color().mix(if pale { 0.5 } else { 1.0 });
        self.plot
            .draw_series([Polygon::new(edge, color.filled())])
            .map(drop)
    }

    /// A rectangle between two corners: filled, or only its edge.
    pub fn block(
        &mut self,
        corners: [(f64, f64); 2],
        ink: Ink,
        filled: bool,
    ) -> Result<(), Failed> {
        let style = ShapeStyle {
            filled,
            ..stroke(ink, 1)
        };
        self.plot
            .draw_series([Rectangle::new(corners, style)])
            .map(drop)
    }

    /// Text at a point of the plot, moved by some pixels.
    pub fn text(
        &mut self,
        at: (f64, f64),
        by: (i32, i32),
        text: String,
        style: TextStyle<'_>,
    ) -> Result<(), Failed> {
        let (x, y) = self.pixel(at.0, at.1);
        self.page
            .draw(&Text::new(text, (x + by.0, y + by.1), style))
    }

    /// Lines across the plot at some values, each with its name above the plot; names that would overlap go up a line.
    pub fn marks(&mut self, marks: &[Mark]) -> Result<(), Failed> {
        let (whole, height) = (self.plot.x_range(), self.plot.y_range());
        let (left, top) = self.pixel(whole.start, height.end);
        let right = self.pixel(whole.end, height.end).0;
        let mut taken: Vec<(i32, i32, i32)> = Vec::new();
        for mark in marks {
            if !(mark.at.is_finite() && (whole.start..=whole.end).contains(&mark.at)) {
                continue;
            }
            self.line(
                vec![(mark.at, height.start), (mark.at, height.end)],
                Ink::Mark,
                1,
            )?;
            let half = (text_width(&mark.name, f64::from(TEXT)) / 2) as i32 + 3;
            let middle = self.pixel(mark.at, height.end).0;
            let middle = middle.clamp(left.min(right), left.max(right));
            let middle = middle.min(right + 14 - half).max(half);
            let free = |line: &i32| {
                taken.iter().all(|(from, to, other)| {
                    other != line || middle + half < *from || middle - half > *to
                })
            };
            let line = (0..2).find(free).unwrap_or(1);
            taken.push((middle - half, middle + half, line));
            let style = text(Ink::Text, HPos::Center, VPos::Bottom);
            self.page.draw(&Text::new(
                mark.name.clone(),
                (middle, top - 4 - 15 * line),
                style,
            ))?;
        }
        Ok(())
    }
}

/// The pixels above a plot that the names of its marks need.
pub(super) fn room_for(marks: &[Mark]) -> u32 {
    match marks.len() {
        0 => 6,
        1 => 22,
        _ => 38,
    }
}
