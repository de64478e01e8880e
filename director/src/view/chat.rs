//! A message for a chat: an event as endpoints of the sort that Slack's incoming webhooks are take it.
//!
//! ```json
//! {"text": "Waits for you: …", "blocks": [{"type": "header", …}, {"type": "section", …}, {"type": "context", …}]}
//! ```
//!
//! `text` is what a notification shows, and all that some endpoints read. What agents and people wrote is text there: `&`, `<` and `>`
//! are escaped, so that nobody is called by it and no link is hidden in it.
//!
//! Source: Slack's documentation, "Formatting text with mrkdwn" and "Reference: blocks" (a header has at most 150 characters, a section 3,000).

use director_protocols::event::Event;
use director_protocols::inbox::InboxKind;
use serde_json::{Value, json};

use super::events::sentence;
use crate::engine::state::State;
use crate::report::text::short;

/// The longest header and the longest section, in characters, with room for what escaping adds.
const HEADER_CHARS_MAX: usize = 140;
const SECTION_CHARS_MAX: usize = 600;

/// The message about an event of a sprint.
pub fn message(event: &Event, state: &State, sprint: &str) -> Value {
    let head = headline(event);
    let body = short(&sentence(event, state), SECTION_CHARS_MAX);
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": short(&head, HEADER_CHARS_MAX), "emoji": false}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": harmless(&body)}}),
    ];
    let mut about = vec![format!("sprint *{}*", harmless(sprint))];
    if let Some(todo) = todo(event, state) {
        about.push(format!("`{todo}`"));
    }
    let about: Vec<Value> = about
        .into_iter()
        .map(|text| json!({"type": "mrkdwn", "text": text}))
        .collect();
    blocks.push(json!({"type": "context", "elements": about}));
    let text = format!("{head}: {}", harmless(&body));
    json!({ "text": text, "blocks": blocks })
}

/// What sort of news it is.
fn headline(event: &Event) -> String {
    match event {
        Event::InboxOpened(_) => "Waits for you".to_owned(),
        Event::InboxReminded(_) => "Still waits for you".to_owned(),
        Event::BlockerEscalated(_) => "A blocker went up".to_owned(),
        Event::EngineeringEmergency(_) => "Emergency".to_owned(),
        event => {
            let name = event.name().replace('_', " ");
            let mut letters = name.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    }
}

/// What to do about it, at a terminal.
fn todo(event: &Event, state: &State) -> Option<String> {
    let item = match event {
        Event::InboxOpened(e) => e.item,
        Event::InboxReminded(e) => e.item,
        _ => return None,
    };
    let number = item.0 + 1;
    match state.trouble.inbox.get(item.index())?.kind {
        InboxKind::Notice => Some(format!("director approve {number}")),
        InboxKind::Gate | InboxKind::Handoff | InboxKind::Budget | InboxKind::Branch => Some(
            format!("director approve {number}, or director reject {number} \"…\""),
        ),
        _ => Some(format!("director answer {number} \"…\"")),
    }
}

fn harmless(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use director_protocols::severity::Severity;

    use super::*;
    use crate::view::recorded::{Run, checkout};

    #[test]
    fn a_message_says_what_waits_and_what_to_do_and_calls_nobody() {
        let mut run = Run::of(checkout(true));
        let text = "<!channel> which <https://evil.example|provider> & why?";
        run.blocked("checkout-spec", 5, Severity::High, text);
        let events = run.entries.iter().flat_map(|entry| &entry.events);
        let mut opened = events.filter(|event| matches!(event, Event::InboxOpened(_)));
        let event = opened.next().expect("it waits for a person");
        let message = message(event, run.state(), "sprint-3");
        let all = message.to_string();
        assert!(
            !all.contains("<!channel>") && !all.contains("<https"),
            "{all}"
        );
        assert!(all.contains("&lt;!channel&gt;"), "{all}");
        let text = message["text"].as_str().expect("a text");
        assert!(text.starts_with("Waits for you: "), "{text}");
        let kinds: Vec<_> = message["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .filter_map(|block| block["type"].as_str())
            .collect();
        assert_eq!(kinds, ["header", "section", "context"]);
        assert!(all.contains("director answer 1"), "{all}");
        assert!(all.contains("sprint *sprint-3*"), "{all}");
    }
}
