//! The status as people and programs read it.

use expect_test::expect;

use super::super::recorded::{Run, SPRINT, midway, troubled};
use super::*;

fn text(run: &Run) -> String {
    render(&status(run.state(), None, run.now), 80, false)
}

#[test]
fn nothing_submitted_says_how_to_begin() {
    expect![[r#"
        There is no sprint yet. `director run sprint.toml` begins one.
    "#]]
    .assert_eq(&text(&Run::empty()));
}

#[test]
fn a_sprint_under_way_shows_who_does_what_and_what_waits() {
    expect![[r#"
        sprint-3 running · Checkout
        ███░░░░░░░░░░░░░ 2 of 10 tasks · 10 of 40 points · 10 days left

             task           status     try
          ✓  checkout-spec  completed       tech-lead-1 in 45m12s
          ✓  psp-research   completed       documentation-research-1 in 20m08s
          ▶  cart-api       working         api-engineer-1 for 1m42s
          ↻  payment-api    backoff         again in 3m17s after: the sandbox answered…
          !  cart-ui        blocked         Which logo �[31mgoes on top�[0m? The design…
          ·  connect        waiting         waits for cart-api, payment-api, cart-ui
          ◆  docs           merging         documentation-writer-1 is done, being merge…
          ·  api-review     waiting         waits for connect
          ·  ui-review      waiting         waits for connect
          ·  release-notes  waiting         waits for docs, api-review, ui-review

        Blockers
          high cart-ui: Which logo �[31mgoes on top�[0m? The design shows two.
               (ux-engineer-1, for 18m44s)

        1 question waits for an answer: director inbox
    "#]]
    .assert_eq(&text(&midway()));
}

#[test]
fn a_sprint_that_ended_shows_what_is_open() {
    expect![[r#"
        sprint-3 incomplete · Checkout
          given up: connect; `director retry --all` tries again, `director why TASK`
          tells why
        ██████████░░░░░░ 6 of 10 tasks · 40 of 40 points · ended 2026-11-23 12:11 UTC

             task           status     try
          ✓  checkout-spec  completed       tech-lead-1 in 45m12s
          ✓  psp-research   completed       documentation-research-1 in 20m08s
          ✓  cart-api       completed       api-engineer-1 in 30m06s
          ✓  payment-api    completed       api-engineer-1 in 1h22m
          ✓  cart-ui        completed    4  ux-engineer-1 in 1h19m
          ✗  connect        failed       3  3 attempts failed; the last: the two do not…
          ✓  docs           completed    2  documentation-writer-1 in 45m13s
          ·  api-review     waiting         waits for connect
          ·  ui-review      waiting         waits for connect
          ·  release-notes  waiting         waits for api-review, ui-review
    "#]]
    .assert_eq(&text(&troubled()));
}

#[test]
fn programs_get_the_keys_that_they_were_promised() {
    let run = midway();
    let json = serde_json::to_value(status(run.state(), Some(SPRINT), run.now)).unwrap();
    for key in [
        "sprint",
        "state",
        "tasks",
        "hand_offs",
        "velocity_metrics",
        "blockers",
        "inbox",
    ] {
        assert!(!json[key].is_null(), "{key}");
    }
    for (list, keys) in [
        (
            "tasks",
            &[
                "id",
                "status",
                "assigned_agent",
                "completion_percentage",
                "last_updated",
            ][..],
        ),
        ("hand_offs", &["from", "to", "state"]),
    ] {
        for key in keys {
            assert!(json[list][0].get(key).is_some(), "{list} {key}");
        }
    }
    expect![[r#"
        {
          "completed_points": 10,
          "completion_rate": 0.2,
          "days_remaining": 10,
          "pace": 0.1087,
          "projected_completion": null,
          "remaining_hours": 46.0,
          "target_points": 40
        }"#]]
    .assert_eq(&format!("{:#}", json["velocity_metrics"]));
    expect![[r#"
        {
          "assigned_agent": "ux-engineer-1",
          "attempt": 1,
          "completion_percentage": 0,
          "critical": false,
          "detail": "Which logo \u001b[31mgoes on top\u001b[0m?\nThe design shows two.",
          "id": "cart-ui",
          "last_updated": "2026-11-23T10:00:30Z",
          "points": 6,
          "role": "ux-engineer",
          "status": "blocked",
          "title": "cart ui",
          "waits_for": []
        }"#]]
    .assert_eq(&format!("{:#}", json["tasks"][4]));
    expect![[r#"
        [
          {
            "agent": "ux-engineer-1",
            "deadline": "2026-11-23T18:00:30Z",
            "id": 1,
            "inbox": 1,
            "open_seconds": 1124.0,
            "raised": "2026-11-23T10:00:30Z",
            "severity": "high",
            "task": "cart-ui",
            "text": "Which logo \u001b[31mgoes on top\u001b[0m?\nThe design shows two.",
            "type": "missing_credentials"
          }
        ]"#]]
    .assert_eq(&format!("{:#}", json["blockers"]));
}

#[test]
fn whoever_is_at_work_is_marked_in_the_colour_of_its_role_where_colour_is_wanted() {
    let run = midway();
    let plain = status(run.state(), Some(SPRINT), run.now);
    let mut marked = plain.clone();
    let at_work = marked
        .tasks
        .iter_mut()
        .find(|task| task.status == "working")
        .expect("somebody works");
    at_work.agent_color = Some("purple".to_owned());
    assert_ne!(render(&marked, 100, true), render(&plain, 100, true));
    assert_eq!(render(&marked, 100, false), render(&plain, 100, false));
}
