//! The plan as a Gantt chart: a row for each agent, a bar for each task, the critical path dark and connected.
//!
//! One self-contained SVG without scripts or outside references. It follows the reader's light or dark setting,
//! is told apart without colour (critical bars are dark with light text), and names each task to screen
//! readers and on hover.
//!
//! Elsewhere: which day is which date is [`crate::planner::calendar`].

use std::fmt::Write as _;

use director_protocols::sprint::{SprintSpec, TaskSpec};

use crate::planner::commit::{hours, plural};
use crate::planner::schedule::Slot;
use crate::planner::{Plan, agent_name};
use crate::report::text;
use crate::report::tint::Tint;

const WIDTH: f64 = 1200.0;
/// Where the chart begins, right of the agents' names.
const LEFT: f64 = 222.0;
const RIGHT: f64 = WIDTH - 28.0;
const TOP: f64 = 118.0;
const ROW: f64 = 46.0;
const BAR: f64 = 34.0;
/// The least distance of two labels on the axis.
const LABEL_GAP: f64 = 76.0;
/// The width of a character of a bar's first and second line, on average and rather too wide.
const ID_CHAR: f64 = 7.6;
const TITLE_CHAR: f64 = 6.2;

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2937}
.bg{fill:#ffffff}.odd{fill:#f4f6f8}.grid{stroke:#d5dae1}.rule{stroke:#9aa3af}
.head{font-size:22px;font-weight:700}.sub,.date,.note{fill:#5b6573}.sub{font-size:13px}
.day,.agent{font-size:12.5px;font-weight:600}.date,.load{font-size:11px}.load{fill:#5b6573}.note{font-size:12px}
.work{fill:#dce8f6;stroke:#3f6fa8}.critical{fill:#b03a0c;stroke:#7c2506}
.id{font-size:12px;font-weight:600}.title{font-size:10.5px}.on{fill:#ffffff}
.out{stroke:#ffffff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}
.link{fill:none;stroke:#b03a0c;stroke-width:2}.tip{fill:#b03a0c}.end{stroke:#1f2937;stroke-width:1.5;stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){
text{fill:#e5e9ef}.bg{fill:#14181f}.odd{fill:#1b212a}.grid{stroke:#333b47}.rule{stroke:#667080}
.sub,.date,.note,.load{fill:#9aa5b4}.work{fill:#22405f;stroke:#6c9fd6}.critical{fill:#f08a4b;stroke:#ffc59f}
.on{fill:#1a0d05}.out{stroke:#14181f}.link{stroke:#f08a4b}.tip{fill:#f08a4b}.end{stroke:#e5e9ef}
}";

/// The chart. Committed tasks only; the backlog is listed below it.
pub fn svg(spec: &SprintSpec, plan: &Plan) -> String {
    let rows: Vec<usize> = (0..plan.allocation.len())
        .filter(|&share| !plan.allocation[share].tasks.is_empty())
        .collect();
    let chart = Chart {
        spec,
        plan,
        scale: Scale::of(plan),
        bottom: TOP + ROW * rows.len().max(1) as f64,
        rows,
    };
    chart.draw()
}

/// From working time to the page.
struct Scale {
    /// The working time that the chart is wide, in milliseconds.
    range: u64,
    /// The distance of two grid lines in milliseconds: days, or hours when the plan is short.
    step: u64,
    /// Whether the grid shows days.
    days: bool,
}

impl Scale {
    fn of(plan: &Plan) -> Self {
        let day = plan.calendar.day;
        let makespan = plan.schedule.makespan.max(1);
        let days = makespan > day;
        let unit = if days { day } else { (day / 8).max(1) };
        // The sprint's end is shown when that does not squeeze the work into a corner.
        let end = plan
            .calendar
            .limit()
            .filter(|&end| days && end / 2 <= makespan);
        let range = makespan
            .max(end.unwrap_or(0))
            .div_ceil(unit)
            .saturating_mul(unit);
        let most = ((RIGHT - LEFT) / LABEL_GAP) as u64;
        let mut step = unit;
        for factor in [2, 5, 2].into_iter().cycle() {
            if range / step < most || step > u64::MAX / 5 {
                break;
            }
            step = match factor {
                5 => step / 2 * 5,
                _ => step * 2,
            };
        }
        Self { range, step, days }
    }

    fn x(&self, at: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * (at as f64 / self.range as f64)
    }
}

struct Chart<'a> {
    spec: &'a SprintSpec,
    plan: &'a Plan,
    scale: Scale,
    /// The allocations that have a row.
    rows: Vec<usize>,
    bottom: f64,
}

impl Chart<'_> {
    fn draw(&self) -> String {
        let height = self.bottom + 74.0;
        let title = format!("Plan of sprint {}", self.spec.id);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"plan-title plan-summary\">\n\
             <title id=\"plan-title\">{}</title>\n<desc id=\"plan-summary\">{}</desc>\n<style>{STYLE}</style>\n\
             <rect class=\"bg\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
            text::xml(&title),
            text::xml(&self.summary()),
        );
        let _ = writeln!(
            out,
            "<text class=\"head\" x=\"24\" y=\"38\">{}</text>\n<text class=\"sub\" x=\"24\" y=\"62\">{}</text>",
            text::xml(&text::short(&title, 80)),
            text::xml(&text::short(&self.summary(), 170)),
        );
        self.rows_and_names(&mut out);
        self.grid(&mut out);
        self.links(&mut out);
        for row in 0..self.rows.len() {
            self.bars(&mut out, row);
        }
        self.legend(&mut out);
        out.push_str("</svg>\n");
        out
    }

    fn summary(&self) -> String {
        let (spec, plan) = (self.spec, self.plan);
        let mut parts = Vec::new();
        parts.extend(spec.epic.as_deref().map(|epic| text::short(epic, 60)));
        if let (Some(start), Some(end)) = (&spec.start, &spec.end) {
            parts.push(format!("{start} to {end}"));
        }
        parts.push(plural(plan.commitment.committed.len() as u64, "task"));
        parts.push(format!("{} of working time", hours(plan.schedule.makespan)));
        parts.push(format!("critical path {}", hours(plan.critical.makespan)));
        parts.join(" · ")
    }

    fn rows_and_names(&self, out: &mut String) {
        for (row, &share) in self.rows.iter().enumerate() {
            let share = &self.plan.allocation[share];
            let y = TOP + ROW * row as f64;
            if row % 2 == 1 {
                let _ = writeln!(
                    out,
                    "<rect class=\"odd\" x=\"0\" y=\"{y}\" width=\"{WIDTH}\" height=\"{ROW}\"/>"
                );
            }
            let role = &self.spec.team[share.role as usize];
            if let Some(tint) = Tint::of(&role.profile) {
                let _ = writeln!(
                    out,
                    "<rect x=\"10\" y=\"{:.1}\" width=\"5\" height=\"28\" rx=\"2.5\" fill=\"{}\"/>",
                    y + 9.0,
                    tint.css()
                );
            }
            let agent = agent_name(&role.name, share.instance);
            let load = format!(
                "{} · {} · {:.0} %",
                plural(share.tasks.len() as u64, "task"),
                hours(share.allocated),
                share.utilization * 100.0
            );
            let _ = writeln!(
                out,
                "<text class=\"agent\" x=\"24\" y=\"{:.1}\">{}</text><text class=\"load\" x=\"24\" y=\"{:.1}\">{load}</text>",
                y + 20.0,
                text::xml(&text::short(&agent, 24)),
                y + 35.0,
            );
        }
    }

    fn grid(&self, out: &mut String) {
        let Scale { range, step, days } = self.scale;
        let width = self.scale.x(step) - self.scale.x(0);
        for n in 0..=range / step {
            let at = n * step;
            let x = self.scale.x(at);
            let _ = writeln!(
                out,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
                TOP - 34.0,
                self.bottom
            );
            if x + width.min(LABEL_GAP) > RIGHT + 1.0 {
                continue;
            }
            let day = at / self.plan.calendar.day + 1;
            let name = if days {
                format!("Day {day}")
            } else {
                hours(at)
            };
            let date = self.plan.calendar.date(day).filter(|_| days);
            let _ = writeln!(
                out,
                "<text class=\"day\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                x + 6.0,
                TOP - if date.is_some() { 21.0 } else { 10.0 }
            );
            if let Some(date) = date {
                let _ = writeln!(
                    out,
                    "<text class=\"date\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    x + 6.0,
                    TOP - 7.0,
                    date.strftime("%a %-d %b")
                );
            }
        }
        for y in [TOP, self.bottom] {
            let _ = writeln!(
                out,
                "<line class=\"rule\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>"
            );
        }
        if let Some(end) = self.shown_end() {
            let x = self.scale.x(end);
            let _ = writeln!(
                out,
                "<line class=\"end\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
                TOP - 34.0,
                self.bottom
            );
        }
    }

    fn shown_end(&self) -> Option<u64> {
        let end = self.plan.calendar.limit();
        end.filter(|&end| self.scale.days && end <= self.scale.range)
    }

    /// The critical path from bar to bar, behind the bars.
    fn links(&self, out: &mut String) {
        let mut row_of = vec![None; self.plan.graph.len()];
        for (row, &share) in self.rows.iter().enumerate() {
            for &task in &self.plan.allocation[share].tasks {
                row_of[task as usize] = Some(row);
            }
        }
        for pair in self.plan.critical.path.windows(2) {
            let place = |task: u32| row_of[task as usize].zip(self.plan.schedule.slot(task));
            let (Some((from_row, from)), Some((to_row, to))) = (place(pair[0]), place(pair[1]))
            else {
                continue;
            };
            let (x1, x2) = (self.scale.x(from.finish), self.scale.x(to.start));
            let middle = |row: usize| TOP + ROW * (row as f64 + 0.5);
            let (y1, y2) = (middle(from_row), middle(to_row));
            if from_row == to_row {
                let _ = writeln!(out, "<path class=\"link\" d=\"M{x1:.1} {y1:.1}H{x2:.1}\"/>");
                continue;
            }
            let (down, x) = (if to_row > from_row { 1.0 } else { -1.0 }, x2 + 7.0);
            let edge = y2 - down * (BAR / 2.0 + 1.0);
            let _ = writeln!(
                out,
                "<path class=\"link\" d=\"M{:.1} {y1:.1}H{x:.1}V{:.1}\"/>\
                 <path class=\"tip\" d=\"M{:.1} {:.1}H{:.1}L{x:.1} {edge:.1}Z\"/>",
                x1 - 2.0,
                edge - down * 3.0,
                x - 4.0,
                edge - down * 6.0,
                x + 4.0,
            );
        }
    }

    fn bars(&self, out: &mut String, row: usize) {
        let tasks = &self.plan.allocation[self.rows[row]].tasks;
        let y = TOP + ROW * row as f64 + (ROW - BAR) / 2.0;
        for (place, &task) in tasks.iter().enumerate() {
            let Some(slot) = self.plan.schedule.slot(task) else {
                continue;
            };
            let next = tasks
                .get(place + 1)
                .and_then(|&next| self.plan.schedule.slot(next));
            let free = next.map_or(RIGHT, |next| self.scale.x(next.start));
            self.bar(out, task, slot, y, free);
        }
    }

    /// One bar; `free` is where the next begins.
    fn bar(&self, out: &mut String, task: u32, slot: Slot, y: f64, free: f64) {
        let written = &self.spec.tasks[task as usize];
        let critical = self.plan.is_critical(task);
        let (x, until) = (self.scale.x(slot.start), self.scale.x(slot.finish));
        let width = (until - x - 1.5).max(2.0);
        let slack = match critical {
            true => "on the critical path".to_owned(),
            false => format!(
                "slack {}",
                hours(self.plan.critical.total_slack[task as usize])
            ),
        };
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect class=\"{}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"4\"/>",
            text::xml(&format!(
                "{}: {} ({}, {} to {}, {slack})",
                written.id,
                text::short(&written.title, 120),
                agent_name(&written.role, slot.instance),
                hours(slot.start),
                hours(slot.finish)
            )),
            if critical { "critical" } else { "work" },
            x + 0.75,
        );
        // Inside when a good part of it fits; beside it when there is room; else only on hover.
        let wanted = written.id.as_str().chars().count().min(6);
        let beside = free - until + 8.0;
        let (at, room, class) = if characters(width, TITLE_CHAR) >= wanted {
            (x + 8.0, width, if critical { " on" } else { "" })
        } else {
            (until + 3.0, beside, " out")
        };
        if characters(room, TITLE_CHAR) >= wanted {
            label(out, written, at, y, room, class);
        }
        out.push_str("</g>\n");
    }

    fn legend(&self, out: &mut String) {
        let y = self.bottom + 20.0;
        let text_y = y + 11.0;
        let mut x = LEFT;
        for (class, label) in [("critical", "critical path"), ("work", "other work")] {
            let _ = writeln!(
                out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"22\" height=\"13\" rx=\"3\"/>\
                 <text class=\"note\" x=\"{}\" y=\"{text_y}\">{label}</text>",
                x + 29.0
            );
            x += 138.0;
        }
        if self.shown_end().is_some() {
            let _ = writeln!(
                out,
                "<line class=\"end\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\
                 <text class=\"note\" x=\"{}\" y=\"{text_y}\">end of the sprint</text>",
                x + 4.0,
                y - 3.0,
                x + 4.0,
                y + 16.0,
                x + 14.0
            );
        }
        let mut rest = Vec::new();
        let idle = self.plan.allocation.len() - self.rows.len();
        if idle > 0 {
            rest.push(format!("{} without work", plural(idle as u64, "agent")));
        }
        let backlog: Vec<&str> = self
            .plan
            .commitment
            .backlog
            .iter()
            .take(12)
            .map(|deferred| self.spec.tasks[deferred.task as usize].id.as_str())
            .collect();
        if !backlog.is_empty() {
            let count = self.plan.commitment.backlog.len() as u64;
            rest.push(format!(
                "backlog: {} ({})",
                plural(count, "task"),
                backlog.join(", ")
            ));
        }
        if !rest.is_empty() {
            let _ = writeln!(
                out,
                "<text class=\"note\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
                self.bottom + 56.0,
                text::xml(&text::short(&rest.join(" · "), 150))
            );
        }
    }
}

/// How many characters of a width fit in a bar, its padding left free.
fn characters(room: f64, width: f64) -> usize {
    ((room - 14.0) / width).max(0.0) as usize
}

/// The id and below it the title, in `room`; an id that is too long takes both lines, smaller.
fn label(out: &mut String, task: &TaskSpec, x: f64, y: f64, room: f64, class: &str) {
    let id = task.id.as_str();
    let most = characters(room, ID_CHAR);
    let title = text::short(&task.title, characters(room, TITLE_CHAR));
    // In the smaller letters of a title.
    let small = characters(room, TITLE_CHAR);
    let length = id.chars().count();
    let lines = if (most + 1..=small).contains(&length) {
        vec![("title", id.to_owned())]
    } else if length > most {
        let most = small;
        let (first, rest) = break_at(id, most);
        vec![
            ("title", first.to_owned()),
            ("title", text::short(rest, most)),
        ]
    } else if title.is_empty() || title == id {
        vec![("id", id.to_owned())]
    } else {
        vec![("id", id.to_owned()), ("title", title)]
    };
    let first = if lines.len() == 1 { 21.5 } else { 15.0 };
    for (n, (size, line)) in lines.iter().enumerate() {
        let _ = writeln!(
            out,
            "<text class=\"{size}{class}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            y + first + 13.0 * n as f64,
            text::xml(line),
        );
    }
}

/// Cuts `text` after at most `most` characters, if it can be after a `-`, `_` or `.`.
fn break_at(text: &str, most: usize) -> (&str, &str) {
    let end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let at = text[..end].rfind(['-', '_', '.']).map_or(end, |at| at + 1);
    text.split_at(at)
}
