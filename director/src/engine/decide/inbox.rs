//! The inbox: a person's answer, and what it sets free.

use director_protocols::event::{
    BlockerResolved, Event, InboxAnswered, QuestionAnswered, RoleRestored,
};
use director_protocols::ids::InboxId;
use director_protocols::rejection::Rejection;
use director_protocols::work::TEXT_BYTES_MAX;

use super::Answer;
use crate::engine::state::State;

/// Decides about an answer.
pub fn answer(state: &State, item: InboxId, text: &str, by: &str) -> Answer {
    let open = state
        .trouble
        .open_item(item)
        .ok_or(Rejection::NoInboxItem { item })?;
    if text.trim().is_empty() {
        return Err(Rejection::BadAnswer {
            why: "it is empty".to_owned(),
        });
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(Rejection::BadAnswer {
            why: format!(
                "it is longer than {} KiB; write it to a file and name that",
                TEXT_BYTES_MAX / 1024
            ),
        });
    }
    let mut events: Vec<Event> = vec![
        InboxAnswered {
            item,
            answer: text.to_owned(),
            by: by.to_owned(),
        }
        .into(),
    ];
    if let Some(blocker) = open.blocker {
        events.push(
            BlockerResolved {
                blocker,
                by: by.to_owned(),
                answer: text.to_owned(),
            }
            .into(),
        );
    }
    if let Some(message) = open.message {
        events.push(
            QuestionAnswered {
                message,
                by: by.to_owned(),
                text: text.to_owned(),
            }
            .into(),
        );
    }
    if let Some(role) = &open.role {
        events.push(
            RoleRestored {
                role: role.clone(),
                by: by.to_owned(),
            }
            .into(),
        );
    }
    Ok(events)
}
