//! What buttons do: the same orders as everywhere, and back to a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use director_protocols::inbox::Reply;
use director_protocols::manifest::Format;

use super::{At, Visit, board, go, link, shell, sprints};
use crate::control::protocol::Order;
use crate::control::submission::File;
use crate::control::{desk, server};
use crate::http::calls::{self, Within};
use crate::http::problem::Problem;

/// The fields of a form.
pub(super) async fn fields(request: Request) -> Result<BTreeMap<String, String>, Problem> {
    let media = request.headers().get(header::CONTENT_TYPE);
    let form = media.is_some_and(|media| {
        media
            .as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !form {
        let why = "this takes a form; programs use /api/v1";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            why,
        ));
    }
    let body = calls::whole(request.into_body()).await?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

impl Visit {
    /// Who is named in the journal.
    pub(super) fn by(&self) -> String {
        match self.name.trim() {
            "" => "dashboard".to_owned(),
            name => name.to_owned(),
        }
    }

    pub(super) async fn order(&self, order: Order, then: &str) -> Response {
        let by = self.by();
        match server::carry_out(&self.site.handle, order, None).await {
            Ok(answer) => {
                tracing::info!(target: "director::audit", order = self.path, by, seq = answer.seq, "order carried out");
                go(then)
            }
            Err(fault) => {
                tracing::info!(target: "director::audit", order = self.path, by, why = fault.message, "order refused");
                self.answer(Err(fault.into()))
            }
        }
    }
}

pub(super) fn unknown() -> Problem {
    Problem::bad("this button is not known here; look at the page again")
}

pub(super) async fn inbox(State(site): At, Path(item): Path<u32>, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(problem) => return visit.answer(Err(problem)),
    };
    let of = |name: &str| fields.get(name).map_or("", String::as_str);
    let reply = match of("reply") {
        "answer" => Reply::Answer,
        "approve" => Reply::Approve,
        "reject" => Reply::Reject,
        _ => return visit.answer(Err(unknown())),
    };
    let back = match of("back") {
        "/inbox" => "/inbox",
        _ => "/",
    };
    let order = Order::Answer {
        item,
        text: of("text").to_owned(),
        reply,
        by: visit.by(),
    };
    visit.order(order, back).await
}

pub(super) async fn task(State(site): At, Path(task): Path<String>, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(problem) => return visit.answer(Err(problem)),
    };
    let sprint = fields
        .get("sprint")
        .filter(|name| !name.is_empty())
        .cloned();
    let back = board::to(sprint.as_deref().unwrap_or_default(), &task);
    let by = visit.by();
    let order = match fields.get("do").map(String::as_str) {
        Some("retry") => Order::Retry { sprint, task, by },
        Some("cancel") => Order::Cancel {
            sprint,
            task: Some(task),
            by,
        },
        _ => return visit.answer(Err(unknown())),
    };
    visit.order(order, &back).await
}

pub(super) async fn sprint(
    State(site): At,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let visit = Visit::of(site, &request);
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(problem) => return visit.answer(Err(problem)),
    };
    let back = link("/", &[("sprint", &name)]);
    let (sprint, by) = (Some(name.clone()), visit.by());
    let order = match fields.get("do").map(String::as_str) {
        Some("pause") => Order::Pause { sprint, by },
        Some("resume") => Order::Resume {
            sprint,
            account: None,
            by,
        },
        Some("deliver") => {
            return match calls::deliver(&visit.site, Some(name), false, &by).await {
                Ok(_) => go(&back),
                Err(problem) => visit.answer(Err(problem)),
            };
        }
        _ => return visit.answer(Err(unknown())),
    };
    visit.order(order, &back).await
}

pub(super) async fn submit(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(problem) => return visit.answer(Err(problem)),
    };
    // Browsers send the line ends of a form as CR LF; a script in the file would not run with them.
    let file = fields.get("file").map(|file| file.replace("\r\n", "\n"));
    let file = file.unwrap_or_default();
    match taken_in(&visit, &file).await {
        Ok(sprint) => go(&link("/", &[("sprint", &sprint)])),
        Err(problem) => {
            let body = sprints::form(&visit, &file, &problem.detail);
            let page = shell::page(&visit, "Submit a sprint", &body, 0);
            (problem.status(), page).into_response()
        }
    }
}

async fn taken_in(visit: &Visit, file: &str) -> Result<String, Problem> {
    let format = match file.trim_start().starts_with('{') {
        true => Format::Json,
        false => Format::Toml,
    };
    let file = File {
        text: file.to_owned(),
        origin: "sprint".to_owned(),
        format,
        dir: visit.site.place.dir.clone(),
    };
    let answer = desk::submit(&Within(Arc::clone(&visit.site)), file).await?;
    let sprint = answer.json["sprint"].as_str().unwrap_or_default();
    tracing::info!(target: "director::audit", order = "submit", by = visit.by(), sprint, "order carried out");
    Ok(sprint.to_owned())
}
