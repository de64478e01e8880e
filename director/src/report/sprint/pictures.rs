//! The charts of a sprint's report: which values, and what they say in a sentence.

use director_protocols::forecast::Forecast;
use director_protocols::time::Span;
use jiff::Timestamp;

use super::{ReportView, TimelineRow};
use crate::report::charts::{
    Axis, Bar, Bars, Frame, Gantt, GanttRow, Ink, Lines, Mark, Piece, Series, Shape, State, bars,
    flow, gantt, lines,
};
use crate::view::count;

/// One chart: its title, what it says, and its drawing at any width.
pub(super) struct Picture {
    pub id: &'static str,
    pub title: &'static str,
    pub about: String,
    pub draw: Box<dyn Fn(&Frame<'_>) -> String>,
}

/// When plan and work differ by more than this factor, they are not laid on one axis as they are.
const APART: f64 = 3.0;

/// When the plan's last task was to be done, in working hours.
pub(super) fn planned_end(view: &ReportView) -> f64 {
    let ends = view.timeline.iter().filter_map(|row| row.planned_hours);
    ends.map(|[_, to]| to).fold(0.0, f64::max)
}

/// How long an hour of the plan is drawn, in hours. A plan of days beside work of minutes would leave the work a line at
/// the edge: then it is drawn as long as the work was or, before the end, at the pace of what is done.
fn scale(view: &ReportView) -> f64 {
    let apart = |factor: f64| {
        factor > 0.0 && factor.is_finite() && !(1.0 / APART..=APART).contains(&factor)
    };
    let factor = match view.ended {
        Some(_) => view.metrics.elapsed_hours / planned_end(view),
        None => view.metrics.pace.unwrap_or(1.0),
    };
    if apart(factor) { factor } else { 1.0 }
}

fn ms(rfc3339: &str) -> Option<f64> {
    let at: Timestamp = rfc3339.parse().ok()?;
    Some(at.as_millisecond() as f64)
}

fn mark(name: &str, at: f64) -> Mark {
    Mark {
        name: name.to_owned(),
        at,
    }
}

/// What was left over time, beside an even pace; by points, or by tasks where there are no points.
/// With a forecast of the rest, the band in which nine of ten of its runs end.
pub(super) fn burndown(view: &ReportView, forecast: Option<&Forecast>) -> Option<Picture> {
    let points = view.metrics.burndown.iter().any(|burn| burn.points > 0);
    let unit = if points { "points" } else { "tasks" };
    let left = |burn: &super::Burn| f64::from(if points { burn.points } else { burn.tasks });
    let began = ms(view.began.as_deref()?)?;
    let now = ms(view.ended.as_deref().unwrap_or(&view.as_of))?;
    // Commitment is settled before work begins; what was taken off it then was never to be burnt down.
    let first = view
        .metrics
        .burndown
        .iter()
        .rev()
        .find(|burn| ms(&burn.at).is_some_and(|at| at <= began));
    let all = left(first.or(view.metrics.burndown.first())?);
    let mut actual = vec![(began, all)];
    let later = view
        .metrics
        .burndown
        .iter()
        .filter_map(|burn| Some((ms(&burn.at)?, left(burn))));
    actual.extend(later.filter(|(at, _)| *at > began));
    let last = actual.last().map_or(all, |(_, y)| *y);
    actual.push((now, last));
    let projected = view
        .metrics
        .projected_completion
        .as_deref()
        .and_then(ms)
        .filter(|at| *at > now && last > 0.0 && forecast.is_none());
    let going = view.ended.is_none();
    let foreseen = forecast.filter(|_| going && last > 0.0);
    let ends = |within: Span| now + within.0 as f64;
    let planned = began + planned_end(view) * scale(view) * 3_600_000.0;
    let pace_name = if scale(view) == 1.0 {
        "as planned"
    } else {
        "planned, at this pace"
    };
    let series = |name: &str, ink, shape, points: Vec<(f64, f64)>| Series {
        name: name.to_owned(),
        points,
        shape,
        ink,
    };
    let mut all_series = vec![
        series(&format!("{unit} left"), Ink::Blue, Shape::Area, actual),
        series(
            pace_name,
            Ink::Grey,
            Shape::Line,
            vec![(began, all), (planned, 0.0)],
        ),
    ];
    if let Some(forecast) = foreseen {
        let band = vec![
            (now, last),
            (ends(forecast.p95), 0.0),
            (ends(forecast.p50), 0.0),
        ];
        all_series.insert(
            0,
            series("50 to 95 of 100 forecasts", Ink::Orange, Shape::Band, band),
        );
        let likely = vec![(now, last), (ends(forecast.p85), 0.0)];
        all_series.push(series("85 of 100", Ink::Orange, Shape::Line, likely));
    }
    if let Some(at) = projected {
        all_series.push(series(
            "projected",
            Ink::Orange,
            Shape::Line,
            vec![(now, last), (at, 0.0)],
        ));
    }
    let data = Lines {
        x: Axis::Clock,
        x_name: "time (UTC)",
        y: Axis::Number(unit),
        series: all_series,
        marks: if going {
            vec![mark("now", now)]
        } else {
            Vec::new()
        },
    };
    let foretold = foreseen.map(|forecast| {
        format!(
            "; of {} forecasts of the rest half are done within {}, 85 of 100 within {}, 95 within {}",
            forecast.runs, forecast.p50, forecast.p85, forecast.p95
        )
    });
    let projection = match (&view.metrics.projected_completion, going) {
        _ if foretold.is_some() => foretold.unwrap_or_default(),
        (Some(at), true) => format!("; at this pace all is done at {at}"),
        _ => String::new(),
    };
    Some(Picture {
        id: "burndown",
        title: "Burndown",
        about: format!("{last} of {all} committed {unit} are left{projection}."),
        draw: Box::new(move |frame| lines(frame, &data)),
    })
}

/// What all tasks were doing over time.
pub(super) fn cumulative(view: &ReportView) -> Option<Picture> {
    let last = view.flow.last()?.clone();
    let until = ms(view.ended.as_deref().unwrap_or(&view.as_of))?;
    let column = |of: fn(&super::FlowPoint) -> u32| {
        let points = view
            .flow
            .iter()
            .filter_map(|point| Some((ms(&point.at)?, f64::from(of(point)))));
        let mut points: Vec<(f64, f64)> = points.collect();
        if let Some((_, y)) = points.last().copied() {
            points.push((until, y));
        }
        points
    };
    let mut series = vec![
        ("completed", Ink::Green, column(|point| point.completed)),
        (
            "reported or blocked",
            Ink::Purple,
            column(|point| point.held),
        ),
        ("in hand", Ink::Orange, column(|point| point.in_hand)),
        ("waiting", Ink::Grey, column(|point| point.waiting)),
    ];
    if view.flow.iter().any(|point| point.dropped > 0) {
        series.push(("given up", Ink::Red, column(|point| point.dropped)));
    }
    let data = Lines {
        x: Axis::Clock,
        x_name: "time (UTC)",
        y: Axis::Number("tasks"),
        series: series
            .into_iter()
            .map(|(name, ink, points)| Series {
                name: name.to_owned(),
                points,
                shape: Shape::Area,
                ink,
            })
            .collect(),
        marks: Vec::new(),
    };
    Some(Picture {
        id: "flow",
        title: "Cumulative flow",
        about: format!(
            "{} {} completed, {} reported or blocked, {} in hand, {} waiting and {} given up.",
            if view.ended.is_some() {
                "In the end"
            } else {
                "Now"
            },
            last.completed,
            last.held,
            last.in_hand,
            last.waiting,
            last.dropped
        ),
        draw: Box::new(move |frame| flow(frame, &data)),
    })
}

/// The plan beside what happened, task by task, in the order in which they began.
pub(super) fn plan_and_actual(view: &ReportView) -> Option<Picture> {
    view.began.as_ref()?;
    let (actual_end, scale) = (view.metrics.elapsed_hours, scale(view));
    let began = |row: &TimelineRow| {
        let planned = row.planned_hours.map(|[from, _]| from * scale);
        row.pieces
            .first()
            .map(|piece| piece.from_hours)
            .or(planned)
            .unwrap_or(f64::MAX)
    };
    let mut rows: Vec<&TimelineRow> = view.timeline.iter().collect();
    rows.sort_by(|a, b| began(a).total_cmp(&began(b)));
    let data = Gantt {
        axis: Axis::Hours,
        x_name: "time since the start",
        rows: rows
            .into_iter()
            .map(|row| GanttRow {
                name: row.task.clone(),
                planned: row
                    .planned_hours
                    .map(|[from, to]| (from * scale, to * scale)),
                actual: row
                    .pieces
                    .iter()
                    .map(|piece| Piece {
                        from: piece.from_hours,
                        to: piece.to_hours,
                        state: match piece.state {
                            "worked" => State::Done,
                            "at_work" => State::Running,
                            "waited" => State::Held,
                            _ => State::Lost,
                        },
                    })
                    .collect(),
                note: row
                    .pieces
                    .iter()
                    .rev()
                    .find_map(|piece| piece.agent.clone())
                    .unwrap_or_default(),
            })
            .collect(),
        marks: match view.ended {
            None => vec![mark("now", actual_end)],
            Some(_) => Vec::new(),
        },
    };
    let scaled = match scale {
        1.0 => String::new(),
        _ => format!(
            " The plan of {:.1} working hours is drawn at the pace of the work: {} for each hour.",
            planned_end(view),
            Span((scale * 3_600_000.0) as u64)
        ),
    };
    Some(Picture {
        id: "gantt",
        title: "Plan and actual",
        about: format!(
            "Each task as planned above, and what happened below; in all {} in {}.{scaled}",
            count(view.metrics.attempts as usize, "attempt"),
            Span((actual_end * 3_600_000.0) as u64),
        ),
        draw: Box::new(move |frame| gantt(frame, &data)),
    })
}

/// How much each role was in use.
pub(super) fn utilisation(view: &ReportView) -> Option<Picture> {
    let used: Vec<(&String, f64)> = view
        .metrics
        .utilization
        .iter()
        .map(|(role, share)| (role, *share))
        .collect();
    let mut shown: Vec<(&String, f64)> = used
        .iter()
        .copied()
        .filter(|(_, share)| *share > 0.0)
        .collect();
    shown.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (role, most) = shown.first().copied()?;
    let idle = used.len() - shown.len();
    let idle_text = if idle > 0 {
        format!("; {} without work", count(idle, "role"))
    } else {
        String::new()
    };
    let about = format!(
        "Most in use: {role}, {:.0}% of the time{idle_text}.",
        most * 100.0
    );
    let data = Bars {
        axis: Axis::Percent,
        x_name: "of the time of the sprint",
        rows: shown
            .iter()
            .map(|(role, share)| Bar {
                name: (*role).clone(),
                value: *share,
                ink: if *share > 0.85 { Ink::Red } else { Ink::Blue },
                note: String::new(),
                span: None,
                second: None,
            })
            .collect(),
        marks: vec![mark("85%", 0.85)],
        legend: [""; 3],
    };
    Some(Picture {
        id: "utilisation",
        title: "Utilisation by role",
        about,
        draw: Box::new(move |frame| bars(frame, &data)),
    })
}

/// How long each kind of task took.
pub(super) fn cycle_times(view: &ReportView) -> Option<Picture> {
    let mut rows: Vec<_> = view.metrics.cycle_hours.iter().collect();
    rows.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean));
    let (longest, cycle) = rows.first().copied()?;
    // Estimates of people's hours would dwarf what a machine does in seconds.
    let comparable = rows
        .iter()
        .all(|(_, cycle)| cycle.estimated <= cycle.max.max(1e-9) * 20.0);
    let data = Bars {
        axis: Axis::Hours,
        x_name: "",
        rows: rows
            .iter()
            .map(|(kind, cycle)| Bar {
                name: (*kind).clone(),
                value: cycle.mean,
                ink: Ink::Blue,
                note: String::new(),
                span: Some((cycle.min, cycle.max)),
                second: comparable.then_some(cycle.estimated),
            })
            .collect(),
        marks: Vec::new(),
        legend: [
            "average",
            "shortest to longest",
            if comparable { "estimated" } else { "" },
        ],
    };
    let about = format!(
        "Longest on average: {longest}, {} over {}.",
        Span((cycle.mean * 3_600_000.0) as u64),
        count(cycle.tasks as usize, "task")
    );
    Some(Picture {
        id: "cycle",
        title: "Cycle time by kind of task",
        about,
        draw: Box::new(move |frame| bars(frame, &data)),
    })
}
