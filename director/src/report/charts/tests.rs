//! Each chart as a picture that people look at, and rules that hold whatever the numbers are.
//!
//! `UPDATE_EXPECT=1` writes the pictures in `expected/` anew; look at them before they are kept.

use expect_test::expect_file;
use proptest::prelude::*;

use super::*;

/// 2026-11-23 09:00 UTC, and hours after it, in milliseconds.
fn at(hours: f64) -> f64 {
    1_795_424_400_000.0 + hours * 3_600_000.0
}

fn series(name: &str, ink: Ink, shape: Shape, points: &[(f64, f64)]) -> Series {
    Series {
        name: name.to_owned(),
        points: points.to_vec(),
        shape,
        ink,
    }
}

fn mark(name: &str, at: f64) -> Mark {
    Mark {
        name: name.to_owned(),
        at,
    }
}

fn burndown() -> Lines {
    let left = [
        (0.0, 51.0),
        (0.3, 46.0),
        (0.8, 41.0),
        (1.2, 33.0),
        (1.9, 20.0),
        (2.4, 11.0),
        (3.2, 11.0),
    ];
    Lines {
        x: Axis::Clock,
        x_name: "time (UTC)",
        y: Axis::Number("points"),
        series: vec![
            series(
                "planned",
                Ink::Grey,
                Shape::Line,
                &[(at(0.0), 51.0), (at(4.0), 0.0)],
            ),
            series(
                "points left",
                Ink::Blue,
                Shape::Area,
                &left.map(|(x, y)| (at(x), y)),
            ),
            series(
                "at this pace",
                Ink::Orange,
                Shape::Line,
                &[(at(3.2), 11.0), (at(4.1), 0.0)],
            ),
        ],
        marks: vec![mark("now", at(3.2))],
    }
}

fn states() -> Lines {
    let done = [
        (0.0, 0.0),
        (0.3, 1.0),
        (0.8, 2.0),
        (1.2, 4.0),
        (1.9, 6.0),
        (3.2, 6.0),
    ];
    let work = [
        (0.0, 3.0),
        (0.3, 4.0),
        (0.8, 3.0),
        (1.2, 2.0),
        (1.9, 1.0),
        (3.2, 1.0),
    ];
    let wait = [
        (0.0, 7.0),
        (0.3, 5.0),
        (0.8, 5.0),
        (1.2, 4.0),
        (1.9, 3.0),
        (3.2, 3.0),
    ];
    let shifted = |points: [(f64, f64); 6]| points.map(|(x, y)| (at(x), y));
    Lines {
        x: Axis::Clock,
        x_name: "time (UTC)",
        y: Axis::Number("tasks"),
        series: vec![
            series("completed", Ink::Green, Shape::Area, &shifted(done)),
            series("in hand", Ink::Orange, Shape::Area, &shifted(work)),
            series("waiting", Ink::Grey, Shape::Area, &shifted(wait)),
        ],
        marks: vec![],
    }
}

fn plan_and_actual() -> Gantt {
    let row =
        |name: &str, planned: (f64, f64), actual: &[(f64, f64, State)], note: &str| GanttRow {
            name: name.to_owned(),
            planned: Some(planned),
            actual: actual
                .iter()
                .map(|&(from, to, state)| Piece { from, to, state })
                .collect(),
            note: note.to_owned(),
        };
    Gantt {
        axis: Axis::Hours,
        x_name: "hours since the start",
        rows: vec![
            row(
                "checkout-spec",
                (0.0, 6.0),
                &[(0.0, 5.5, State::Done)],
                "tech-lead-1",
            ),
            row(
                "cart-api",
                (6.0, 15.0),
                &[(5.5, 8.0, State::Lost), (8.5, 14.0, State::Done)],
                "api-engineer-1",
            ),
            row(
                "payment-api",
                (6.0, 22.0),
                &[(5.5, 25.0, State::Done)],
                "api-engineer-2",
            ),
            row(
                "connect",
                (22.0, 28.0),
                &[(25.0, 27.0, State::Held), (27.0, 30.0, State::Running)],
                "",
            ),
            row("docs <&> \"more\"", (6.0, 10.0), &[], ""),
        ],
        marks: vec![mark("now", 30.0), mark("planned end", 31.0)],
    }
}

fn utilisation() -> Bars {
    let bar = |name: &str, value: f64| Bar {
        name: name.to_owned(),
        value,
        ink: if value > 0.85 { Ink::Red } else { Ink::Blue },
        note: String::new(),
        span: None,
        second: None,
    };
    Bars {
        axis: Axis::Percent,
        x_name: "of the time of the sprint",
        rows: vec![
            bar("api-engineer", 0.91),
            bar("documentation-research", 0.1),
            bar("ux-engineer", 0.39),
        ],
        marks: vec![mark("85%", 0.85)],
        legend: ["", "", ""],
    }
}

fn cycle_times() -> Bars {
    let bar = |name: &str, value: f64, span: (f64, f64), second: f64| Bar {
        name: name.to_owned(),
        value,
        ink: Ink::Blue,
        note: String::new(),
        span: Some(span),
        second: Some(second),
    };
    Bars {
        axis: Axis::Hours,
        x_name: "",
        rows: vec![
            bar("api_endpoint", 9.4, (5.0, 13.8), 12.5),
            bar("research", 3.4, (3.4, 3.4), 4.0),
        ],
        marks: vec![],
        legend: ["average", "shortest to longest", "estimated"],
    }
}

/// Draws of a sum, without randomness.
fn samples() -> Vec<f64> {
    (0..500)
        .map(|n| 20.0 + f64::from(n * 7919 % 100) / 10.0 + f64::from(n * 104_729 % 100) / 12.0)
        .collect()
}

fn drawn(which: &str, frame: &Frame<'_>) -> String {
    let across = [mark("P50", 29.1), mark("P85", 33.4), mark("P95", 35.8)];
    let swing = |name: &str, low: f64, high: f64| Swing {
        name: name.to_owned(),
        low,
        high,
    };
    match which {
        "burndown" => lines(frame, &burndown()),
        "flow" => flow(frame, &states()),
        "gantt" => gantt(frame, &plan_and_actual()),
        "utilisation" => bars(frame, &utilisation()),
        "cycle" => bars(frame, &cycle_times()),
        "histogram" => histogram(
            frame,
            Axis::Hours,
            "finish",
            &bins(Axis::Hours, &samples(), 30),
            &across,
        ),
        "s-curve" => s_curve(frame, Axis::Hours, "finish", &samples(), &across),
        _ => tornado(
            frame,
            Axis::Hours,
            "finish",
            31.0,
            &[
                swing("cart-api", 30.2, 32.0),
                swing("payment-api", 24.0, 47.0),
                swing("agents that die", 31.0, 33.5),
            ],
            ["when it goes well", "when it goes badly"],
        ),
    }
}

const CHARTS: [&str; 8] = [
    "burndown",
    "flow",
    "gantt",
    "utilisation",
    "cycle",
    "histogram",
    "s-curve",
    "tornado",
];

#[test]
fn charts_look_as_they_were_looked_at() {
    let title = "A chart of the sprint";
    for which in CHARTS {
        let wide = Frame::wide("a", title, "What it shows.").standalone();
        expect_file![format!("expected/{which}.svg")].assert_eq(&drawn(which, &wide));
    }
    for which in ["burndown", "gantt", "tornado"] {
        let narrow = Frame::narrow("a", title, "What it shows.").standalone();
        expect_file![format!("expected/{which}-narrow.svg")].assert_eq(&drawn(which, &narrow));
    }
}

#[test]
fn a_chart_needs_nothing_from_outside_and_is_read_aloud() {
    for which in CHARTS {
        for frame in [
            Frame::wide("w", "T <1>", "About & \"so\"."),
            Frame::narrow("n", "T <1>", "About & \"so\"."),
        ] {
            let svg = drawn(which, &frame);
            let head = format!("aria-labelledby=\"{0}-title {0}-about\"", frame.id);
            for needed in [
                head.as_str(),
                "role=\"img\"",
                "T &lt;1&gt;</title>",
                "About &amp; &quot;so&quot;.</desc>",
            ] {
                assert!(svg.contains(needed), "{which} lacks {needed}");
            }
            // Nothing that a strict Content-Security-Policy would refuse; addresses are only those of its own patterns.
            for outside in [
                "<script",
                " style=\"",
                "href",
                "<image",
                "@import",
                "onload",
                "could not be drawn",
            ] {
                assert!(!svg.contains(outside), "{which} has {outside}");
            }
            let inside = format!("url(#{}-", frame.id);
            assert_eq!(
                svg.matches("url(").count(),
                svg.matches(&inside).count(),
                "{which}"
            );
            assert_eq!(svg.matches("<svg").count(), 1, "{which}");
            assert_eq!(
                svg.matches("<text").count(),
                svg.matches("</text>").count(),
                "{which}"
            );
        }
    }
}

#[test]
fn every_fill_but_one_has_a_pattern_of_its_own_and_lines_have_dashes() {
    let mut patterns: Vec<_> = Ink::fills().into_iter().map(Ink::strokes).collect();
    patterns.sort_unstable();
    patterns.dedup();
    assert_eq!(patterns.len(), Ink::fills().len());
    let style = css();
    for ink in Ink::fills() {
        let of_lines = format!(".l-{}{{fill:none;stroke-dasharray:", ink.name());
        assert!(style.contains(&of_lines));
    }
    assert_eq!(style.matches("prefers-color-scheme:dark").count(), 1);
}

#[test]
fn ticks_are_round_numbers_within_the_range() {
    for (axis, from, to, expected) in [
        (Axis::Number(""), 0.0, 51.0, "0 10 20 30 40 50"),
        (Axis::Number(""), 0.0, 3.0, "0 1 2 3"),
        (Axis::Percent, 0.0, 1.0, "0% 20% 40% 60% 80% 100%"),
        (Axis::Hours, 0.0, 0.0025, "0 2s 4s 6s 8s"),
        (Axis::Hours, 0.0, 31.0, "0 6h 12h 18h 24h 30h"),
        (Axis::Hours, 0.0, 2.5, "0 30m 60m 90m 2h00 2h30"),
        (Axis::Clock, at(0.0), at(3.2), "09:00 10:00 11:00 12:00"),
        (
            Axis::Clock,
            at(0.0),
            at(24.0 * 9.0),
            "25 Nov 27 Nov 29 Nov 1 Dec",
        ),
    ] {
        let step = axis.step(to - from, 6);
        let ticks = axis.ticks(from, to, 6);
        let labels: Vec<String> = ticks.iter().map(|value| axis.label(*value, step)).collect();
        assert_eq!(labels.join(" "), expected, "{axis:?} {from} to {to}");
    }
}

#[test]
fn bins_count_every_sample_once() {
    let found = bins(Axis::Hours, &samples(), 30);
    assert_eq!(found.iter().map(|bin| bin.count).sum::<u64>(), 500);
    assert!(found.len() <= 31, "{}", found.len());
    let same = bins(Axis::Hours, &[4.0, 4.0, f64::NAN], 30);
    assert_eq!(same.iter().map(|bin| bin.count).sum::<u64>(), 2);
    assert_eq!(bins(Axis::Hours, &[], 30), []);
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1e3..1e3f64,
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-1e300)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_numbers_are_something_is_drawn(
        points in prop::collection::vec((number(), number()), 0..8),
        name in ".{0,60}",
        width in 60u32..1200,
    ) {
        let frame = Frame { width, ..Frame::narrow("x", &name, &name) };
        let one = |shape| Lines {
            x: Axis::Clock,
            x_name: "",
            y: Axis::Number(""),
            series: vec![series(&name, Ink::Blue, shape, &points), series(&name, Ink::Grey, shape, &points)],
            marks: points.iter().map(|(x, _)| mark(&name, *x)).collect(),
        };
        let flat: Vec<f64> = points.iter().flat_map(|(x, y)| [*x, *y]).collect();
        let rows = points.iter().map(|&(value, other)| Bar {
            name: name.clone(), value, ink: Ink::Red, note: String::new(), span: Some((other, value)), second: Some(other),
        });
        let tasks = points.iter().map(|&(from, to)| GanttRow {
            name: name.clone(), planned: Some((to, from)), actual: vec![Piece { from, to, state: State::Held }], note: name.clone(),
        });
        let swings: Vec<Swing> = points.iter().map(|&(low, high)| Swing { name: name.clone(), low, high }).collect();
        let marks: Vec<Mark> = flat.iter().map(|at| mark(&name, *at)).collect();
        for svg in [
            lines(&frame, &one(Shape::Area)),
            flow(&frame, &one(Shape::Step)),
            bars(&frame, &Bars { axis: Axis::Hours, x_name: "", rows: rows.collect(), marks: marks.clone(), legend: ["a", "", "b"] }),
            gantt(&frame, &Gantt { axis: Axis::Hours, x_name: "", rows: tasks.collect(), marks: marks.clone() }),
            histogram(&frame, Axis::Hours, "", &bins(Axis::Hours, &flat, 20), &marks),
            s_curve(&frame, Axis::Number("h"), "", &flat, &marks),
            tornado(&frame, Axis::Percent, "", flat.first().copied().unwrap_or(0.0), &swings, ["", ""]),
        ] {
            prop_assert!(svg.ends_with("</svg>\n") && svg.matches("<svg").count() == 1);
            prop_assert!(!svg.contains("NaN") && !svg.contains("could not be drawn"));
            prop_assert!(!svg.contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}
