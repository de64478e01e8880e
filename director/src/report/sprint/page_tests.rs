//! The page of a report: whole, read without being seen, and nothing in it that was written by others but text.

use director_protocols::severity::Severity;
use director_protocols::work::AttemptEnd;

use super::*;
use crate::view::recorded::{Run, SPRINT, checkout, midway, troubled};

fn report(run: &Run) -> ReportView {
    build(run.state(), &run.entries, SPRINT, run.now).unwrap()
}

#[test]
fn the_page_is_whole_and_can_be_read_without_seeing_it() {
    for run in [troubled(), midway(), Run::of(checkout(false))] {
        let page = html(&report(&run));
        // Headings in order: one of the first level, and no level is skipped.
        let levels: Vec<u32> = page
            .match_indices("<h")
            .filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10))
            .collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
        assert!(
            levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
            "{levels:?}"
        );
        for (opened, with) in [
            ("<table", "<caption"),
            ("<svg", "<desc"),
            ("<svg", "role=\"img\""),
            ("<figure", "<figcaption"),
        ] {
            assert_eq!(
                page.matches(opened).count(),
                page.matches(with).count(),
                "{opened} {with}"
            );
        }
        // Each id once, or a link and a label would lead to the wrong place.
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all);
        for target in page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                target
                    .strip_prefix('#')
                    .is_some_and(|id| ids.binary_search(&id).is_ok()),
                "{target}"
            );
        }
        for outside in [
            "<script",
            "<link",
            "<img",
            "<iframe",
            "http://",
            "https://",
            " style=\"",
            "could not be drawn",
        ] {
            let ours = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!ours.contains(outside), "{outside}");
        }
    }
    let page = html(&report(&troubled()));
    for chart in [
        "Burndown",
        "Cumulative flow",
        "Plan and actual",
        "Utilisation by role",
        "Cycle time by kind of task",
    ] {
        assert_eq!(
            page.matches(&format!(">{chart}</title>")).count(),
            2,
            "{chart}, for a screen and for a phone"
        );
    }
}

#[test]
fn nothing_that_was_written_by_others_becomes_more_than_text() {
    const HOSTILE: &str =
        "</td></svg><script>alert(1)</script>\u{202e}\u{1b}[2J<a href=\"//x\" onclick='y'>& \"q\"";
    let mut spec = checkout(true);
    spec.epic = Some(HOSTILE.to_owned());
    for task in &mut spec.tasks {
        task.title = HOSTILE.to_owned();
        task.kind = HOSTILE.to_owned();
    }
    let mut run = Run::of(spec);
    run.end(
        "psp-research",
        5,
        AttemptEnd::done(director_protocols::work::Report {
            summary: HOSTILE.to_owned(),
            feedback: HOSTILE.to_owned(),
            ..Default::default()
        }),
    );
    run.blocked("checkout-spec", 5, Severity::High, HOSTILE);
    let view = report(&run);
    let page = html(&view);
    for never in ["<script", "</td></svg>", "\u{202e}", "\u{1b}"] {
        assert!(!page.contains(never), "{never:?}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let words = markdown(&view);
    assert!(
        !words.contains(['\u{202e}', '\u{1b}']) && !words.replace("\\<", "").contains("<script")
    );
}
