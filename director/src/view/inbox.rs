//! What waits for a person, and how to answer it.

use director_protocols::ids::SprintId;
use director_protocols::inbox::InboxKind;
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::unclear::About;
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::sprint_name;
use super::paint::{Look, Paint, text_of, wrap};
use super::words::severity_look;
use super::{count, rfc3339, timestamp};
use crate::engine::state::State;
use crate::report::text;

/// Everything that waits for a person, oldest first.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct InboxView {
    /// What waits.
    pub inbox: Vec<Item>,
}

/// One thing that waits for a person.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "InboxItem")]
pub struct Item {
    /// The number to answer with.
    pub id: u32,
    /// The sprint.
    pub sprint: String,
    /// The task, if it is about one.
    pub task: Option<String>,
    /// `blocker`, `question` (an agent waits for the answer), `role` (a role that is down), `task` (a person's),
    /// `unclear` (before the start) or `notice` (nothing waits for it).
    pub kind: &'static str,
    /// How urgent.
    pub severity: Severity,
    /// What is asked.
    pub question: String,
    /// Who asks.
    pub from: Option<String>,
    /// Since when.
    pub opened: String,
    /// When the default happens.
    pub deadline: Option<String>,
    /// What happens then, in words; empty without a deadline.
    pub default: String,
    /// How to answer, as a command.
    pub answer: String,
}

/// What waits for a person, of all sprints.
pub fn inbox(state: &State) -> InboxView {
    InboxView {
        inbox: items(state).into_iter().map(|(_, item)| item).collect(),
    }
}

pub(crate) fn items(state: &State) -> Vec<(SprintId, Item)> {
    state
        .trouble
        .waiting()
        .map(|(id, item)| {
            let asker = match (item.blocker, item.message) {
                (Some(blocker), _) => state.trouble.blocker(blocker).and_then(|row| row.agent),
                (None, Some(message)) => state
                    .messages
                    .table
                    .get(message.index())
                    .map(|row| row.from),
                (None, None) => None,
            };
            let number = id.0 + 1;
            let view = Item {
                id: number,
                sprint: sprint_name(state, item.sprint),
                task: item.task.map(|task| state.task_name(task)),
                kind: item.kind.as_str(),
                severity: item.severity,
                question: item.question.clone(),
                from: asker.map(|agent| state.agent_name(agent)),
                opened: rfc3339(item.opened),
                deadline: item.deadline.map(rfc3339),
                default: item
                    .deadline
                    .map_or_else(String::new, |_| item.default.to_string()),
                answer: match item.kind {
                    InboxKind::Task
                    | InboxKind::Gate
                    | InboxKind::Handoff
                    | InboxKind::Deployment
                    | InboxKind::Fallback
                    | InboxKind::Budget
                    | InboxKind::Branch
                    | InboxKind::Notice => {
                        format!("director approve {number}")
                    }
                    InboxKind::Unclear => {
                        let example = item.about.map_or("…", About::example);
                        format!("director answer {number} \"{example}\"")
                    }
                    InboxKind::Blocker | InboxKind::Question | InboxKind::Role => {
                        format!("director answer {number} \"…\"")
                    }
                },
            };
            (item.sprint, view)
        })
        .collect()
}

/// The inbox as text; `now` says for how long each waits.
pub fn render(view: &InboxView, now: Time, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    if view.inbox.is_empty() {
        return "Nothing waits for you.\n".to_owned();
    }
    let mut lines = vec![paint.on(
        Look::Bold,
        &match view.inbox.len() {
            1 => "1 thing waits for you".to_owned(),
            n => format!("{} wait for you", count(n, "thing")),
        },
    )];
    for item in &view.inbox {
        let about = item.task.as_deref().unwrap_or(&item.sprint);
        let from = item
            .from
            .as_deref()
            .map_or_else(String::new, |from| format!(", {from} asks"));
        lines.push(String::new());
        lines.push(format!(
            "{} {} {}",
            paint.on(Look::Bold, &format!("#{}", item.id)),
            paint.on(severity_look(item.severity), item.severity.as_str()),
            text::line(&format!("{about}{from} (since {})", age(&item.opened, now))),
        ));
        for part in item.question.lines().take(12) {
            lines.extend(wrap("   ", part, width));
        }
        if let Some(deadline) = &item.deadline {
            lines.push(format!(
                "   {} by itself in {}",
                item.default,
                until(deadline, now)
            ));
        }
        let does = match item.kind {
            "task" => "   it is done",
            "gate" => "   lets it pass",
            "handoff" => "   takes it",
            "deployment" => "   asks again",
            "fallback" => "   does what was foreseen",
            "notice" => "   puts it away",
            _ => "",
        };
        lines.push(paint.on(Look::Dim, &format!("   {}{does}", item.answer)));
        if item.kind == "unclear" {
            let text = format!("   director approve {}   leaves it as it is", item.id);
            lines.push(paint.on(Look::Dim, &text));
        }
        let refuses = match item.kind {
            "task" => Some("it cannot be done"),
            "gate" | "handoff" => Some("sends it back"),
            "deployment" => Some("leaves it"),
            "fallback" => Some("goes on as planned"),
            _ => None,
        };
        lines.extend(refuses.map(|what| {
            let text = format!("   director reject {} REASON   {what}", item.id);
            paint.on(Look::Dim, &text)
        }));
        if let (Some(task), "blocker") = (&item.task, item.kind) {
            lines.push(paint.on(
                Look::Dim,
                &format!("   director cancel {task}   drops the task and what depends on it"),
            ));
        }
    }
    text_of(&lines)
}

/// How long until then.
fn until(deadline: &str, now: Time) -> String {
    deadline.parse::<jiff::Timestamp>().map_or_else(
        |_| deadline.to_owned(),
        |at| {
            let ms = at.as_millisecond() - timestamp(now).as_millisecond();
            Span(u64::try_from(ms).unwrap_or(0)).to_string()
        },
    )
}

/// For how long something has been, since a time in RFC 3339.
pub(crate) fn age(opened: &str, now: Time) -> String {
    opened.parse::<jiff::Timestamp>().map_or_else(
        |_| opened.to_owned(),
        |at| {
            let ms = timestamp(now).as_millisecond() - at.as_millisecond();
            Span(u64::try_from(ms).unwrap_or(0)).to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::recorded::{Run, midway};
    use super::*;

    #[test]
    fn every_item_says_how_to_answer_it() {
        let run = midway();
        expect![[r#"
            1 thing waits for you

            #1 high cart-ui, ux-engineer-1 asks (since 1h00m)
               Which logo �[31mgoes on top�[0m?
               The design shows two.
               director answer 1 "…"
               director cancel cart-ui   drops the task and what depends on it
        "#]]
        .assert_eq(&render(
            &inbox(run.state()),
            run.now + Span::minutes(42),
            80,
            false,
        ));
        let run = Run::empty();
        expect![[r#"
            Nothing waits for you.
        "#]]
        .assert_eq(&render(&inbox(run.state()), run.now, 80, false));
    }

    #[test]
    fn programs_get_each_item_whole() {
        let json = serde_json::to_value(inbox(midway().state())).unwrap();
        expect![[r#"
            {
              "answer": "director answer 1 \"…\"",
              "deadline": null,
              "default": "",
              "from": "ux-engineer-1",
              "id": 1,
              "kind": "blocker",
              "opened": "2026-11-23T10:00:30Z",
              "question": "Which logo \u001b[31mgoes on top\u001b[0m?\nThe design shows two.",
              "severity": "high",
              "sprint": "sprint-3",
              "task": "cart-ui"
            }"#]]
        .assert_eq(&format!("{:#}", json["inbox"][0]));
    }
}
