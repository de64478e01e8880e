//! The inbox: what waits for a person, with the buttons that answer it.

use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};

use super::{At, Visit, board, t, tier, when};
use crate::report::text::block;
use crate::view::{self, inbox::Item};

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let seen = visit.look(|state, _| view::inbox(state)).await;
    let made = seen.map(|(view, seq)| {
        let body = html! {
            h1 { "Inbox" }
            section.panel #inbox data-live="" {
                @if view.inbox.is_empty() { p.lead { "Nothing waits for you." } }
                @for one in &view.inbox { (item(&visit, one, "/inbox")) }
            }
        };
        ("Inbox".to_owned(), body, seq)
    });
    visit.answer(made)
}

/// One thing that waits, with what can be done about it.
pub(super) fn item(visit: &Visit, item: &Item, back: &str) -> Markup {
    let (answers, yes, no) = match item.kind {
        "task" => ("What you did", Some("Done"), Some("Cannot be done")),
        "gate" => ("What you found", Some("Let it pass"), Some("Send it back")),
        "handoff" => ("What to say", Some("Take it"), Some("Send it back")),
        "deployment" => ("What to say", Some("Ask again"), Some("Leave it")),
        "fallback" => ("What to say", Some("Do it"), Some("Go on as planned")),
        "unclear" => ("Your answer", Some("Fine as it is"), None),
        "budget" => ("A limit in dollars", Some("Raise it"), Some("Call it off")),
        "branch" => (
            "Your answer",
            Some("Put it back"),
            Some("Call the sprint off"),
        ),
        "notice" => ("", Some("Put away"), None),
        _ => ("Your answer", None, None),
    };
    // What an answer about an estimate or a kind looks like.
    let like = item.answer.split('"').nth(1).filter(|like| *like != "…");
    let hint = match like {
        Some(like) if item.kind == "unclear" => format!("{answers}, such as {like}"),
        _ => answers.to_owned(),
    };
    let asks = yes.is_none() || matches!(item.kind, "unclear" | "budget" | "branch");
    let field = format!("say-{}", item.id);
    html! {
        article.ask id=(format!("item-{}", item.id)) {
            h3 {
                span.muted { "#" (item.id) " " } (tier(item.severity.as_str())) " "
                @match &item.task {
                    Some(task) => { a href=(board::to(&item.sprint, task)) { (t(task)) } }
                    None => { (t(&item.sprint)) }
                }
                " " span.muted.small { (item.kind) @if let Some(from) = &item.from { ", " (t(from)) " asks" } ", since " (when(&item.opened)) }
            }
            div.say { (block(&item.question)) }
            @if let Some(deadline) = &item.deadline { p.small.muted { (t(&item.default)) " by itself at " (when(deadline)) " UTC" } }
            @if visit.known {
                form.act method="post" action=(format!("/inbox/{}", item.id)) {
                    input type="hidden" name="back" value=(back);
                    @if !answers.is_empty() {
                        input type="text" id=(field) name="text" aria-label=(answers) placeholder=(hint) autocomplete="off" required[yes.is_none()];
                    }
                    @if asks { button.main name="reply" value="answer" { "Answer" } }
                    @if let Some(word) = yes { button.main[!asks] name="reply" value="approve" { (word) } }
                    @if let Some(word) = no { button.danger name="reply" value="reject" { (word) } }
                }
            } @else { p.small { a href="/login" { "Sign in" } " to answer, or type " code { (t(&item.answer)) } } }
        }
    }
}
