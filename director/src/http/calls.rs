//! Calls: a row of the table carried out, from the request to the answer.
//!
//! An order is a task of its own once it is begun: a caller that goes away does not stop it half way, and its key keeps the answer.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use director_protocols::manifest::Format;
use serde_json::{Map, Value, json};

use super::guard::{self, Known};
use super::kept::{Name, TEXT, Written, wants_text};
use super::keys::{Found, Given, print};
use super::limits::{BODY_BYTES_MAX, BODY_TIME_MAX};
use super::openapi::can_compare;
use super::problem::Problem;
use super::route::{Does, Place, Route};
use super::site::Site;
use super::stream;
use super::{aside, assigned};
use crate::control::answer::history_for;
use crate::control::audit;
use crate::control::desk::{self, Desk, Place as Desks, blocking};
use crate::control::facts::SprintFacts;
use crate::control::protocol::{Answer, Ask, Fault, FaultKind, Op, Order, Screen};
use crate::control::simulation::asked::{self as simulation, Asked};
use crate::control::simulation::stand::Records;
use crate::control::submission::File;
use crate::control::{server, work};

/// Who is named in the journal when a caller gives no name.
const SOMEBODY: &str = "api";

/// Columns of texts over HTTP.
const SCREEN: Screen = Screen {
    width: 100,
    colour: false,
};

/// The director of this process, as whoever asks finds it.
#[derive(Clone)]
pub struct Within(pub Arc<Site>);

impl Desk for Within {
    async fn serve(&self, op: Op) -> Result<Answer, Fault> {
        match op {
            Op::Ask(question) => ask(&self.0, question).await,
            op => server::serve(&self.0.handle, op, SCREEN).await,
        }
    }

    fn place(&self) -> &Desks {
        &self.0.place
    }

    fn data_dir(&self) -> Result<PathBuf, Fault> {
        Ok(self.0.setup.data_dir.clone())
    }

    async fn records(&self) -> Result<Records, Fault> {
        let _turn = self.0.heavy.acquire().await.ok();
        Ok(Records {
            entries: server::history(&self.0.handle, 0, usize::MAX).await?,
            at_work: true,
        })
    }
}

/// The answer to a call.
pub async fn call(
    site: Arc<Site>,
    route: &'static Route,
    path: RawPathParams,
    request: Request,
) -> Response<Body> {
    match carry_out(&site, route, &path, request).await {
        Ok(response) => response,
        Err(problem) => problem.response(),
    }
}

async fn carry_out(
    site: &Arc<Site>,
    route: &'static Route,
    path: &RawPathParams,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query();
    let target = target.map_or_else(String::new, ToString::to_string);
    let asked = (target, wants_text(&parts.headers));
    if !route.changes
        && let Some(answer) = site.kept.at_once(&asked, site.handle.heard())
    {
        site.figures.kept(false);
        return Ok(answer.response());
    }
    let query: Vec<(String, String)> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let path: Vec<(String, String)> = path
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !route.changes {
        let args = route.arguments(&path, &query, Map::new())?;
        return answered(site, route, args, &parts.headers, asked).await;
    }
    let body = whole(body).await?;
    let fields = match route.has_fields() && !body.is_empty() {
        true => object(&parts.headers, &body)?,
        false => Map::new(),
    };
    let args = route.arguments(&path, &query, fields)?;
    if route.does == Does::Assigned {
        // It may be said twice by itself, so it needs no key.
        return said(site, route, args, parts.extensions.get::<Known>()).await;
    }
    if route.does.works_out() {
        // Nothing changes, so who hangs up calls it off.
        let desk = Within(Arc::clone(site));
        let body = match route.does {
            Does::Import => aside::Body::Bytes(body.to_vec()),
            does if does.takes_a_whole() => aside::Body::File(file(site, &parts.headers, &body)?),
            _ => aside::Body::Fields,
        };
        let answer = aside::work_out(&desk, route.does, args, body).await?;
        return Ok(Written::of(answer, asked.1).response());
    }
    let expected = expected(route, &parts.headers)?;
    let key = match parts.headers.get("idempotency-key") {
        None => None,
        Some(key) => Some(
            key.to_str()
                .map_err(|_| Problem::bad("`Idempotency-Key` makes no sense"))?
                .to_owned(),
        ),
    };
    let call = Call {
        route,
        args,
        body,
        headers: parts.headers,
        expected,
    };
    let target = asked.0;
    let site = Arc::clone(site);
    let done = tokio::spawn(audit::carried(async move {
        once(&site, call, key, &target).await
    }));
    done.await.unwrap_or_else(|error| {
        let why = format!("the call broke down: {error}");
        Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            why,
        ))
    })
}

/// What an agent at work says.
async fn said(
    site: &Arc<Site>,
    route: &Route,
    args: Map<String, Value>,
    known: Option<&Known>,
) -> Result<Response<Body>, Problem> {
    let Some(Known::Agent(token)) = known else {
        let why = "this is for an agent at work: it needs the token of its assignment, which is in its environment as `DIRECTOR_TOKEN`";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", why));
    };
    let op = assigned::op(route, token.clone(), args)?;
    match server::serve(&site.handle, op, SCREEN).await {
        Ok(answer) => Ok(response(&Given::of(200, &answer))),
        Err(fault) => Err(guard::unproved(site, fault.into())),
    }
}

struct Call {
    route: &'static Route,
    args: Map<String, Value>,
    body: Bytes,
    headers: HeaderMap,
    expected: Option<String>,
}

/// The body, as long as it is not too long and does not take too long.
pub async fn whole(body: Body) -> Result<Bytes, Problem> {
    let read = axum::body::to_bytes(body, BODY_BYTES_MAX);
    match tokio::time::timeout(BODY_TIME_MAX, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let mut source: Option<&dyn std::error::Error> = Some(&error);
            while let Some(inner) = source {
                if inner.to_string().contains("length limit") {
                    let why = format!("a body may have up to {} MiB", BODY_BYTES_MAX >> 20);
                    return Err(Problem::new(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "too_large",
                        why,
                    ));
                }
                source = inner.source();
            }
            Err(Problem::bad(format!("the body cannot be read: {error}")))
        }
        Err(_) => {
            let why = format!("the body took longer than {} s", BODY_TIME_MAX.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", why))
        }
    }
}

fn media(headers: &HeaderMap) -> &str {
    let text = headers.get(header::CONTENT_TYPE);
    let text = text.and_then(|text| text.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim()
}

fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if !media(headers).eq_ignore_ascii_case("application/json") {
        let why = "the body has to be JSON: send `Content-Type: application/json`";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            why,
        ));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Problem::bad("the body has to be one JSON object")),
        Err(error) => Err(Problem::bad(format!("the body is not JSON: {error}"))),
    }
}

/// The version in `If-Match`.
fn expected(route: &Route, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    if !can_compare(route) {
        return Err(Problem::bad(
            "`If-Match` works for orders about one task or one sprint",
        ));
    }
    let text = given.to_str().unwrap_or_default().trim();
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(version) if !version.is_empty() && !version.contains('"') => {
            Ok(Some(version.to_owned()))
        }
        _ => Err(Problem::bad(
            "`If-Match` has to be one `ETag` as it was given, in its quotes",
        )),
    }
}

/// Carries an order out, once for each key.
async fn once(
    site: &Arc<Site>,
    call: Call,
    key: Option<String>,
    target: &str,
) -> Result<Response<Body>, Problem> {
    let Some(key) = key else {
        return Ok(response(&change(site, call).await?));
    };
    let match_header = call.expected.clone().unwrap_or_default();
    let print = print(&[target.as_bytes(), match_header.as_bytes(), &call.body]);
    let keys = Arc::clone(&site.keys);
    let found = blocking(move || keys.begin(&key, &print)).await?;
    let ticket = match found {
        Found::No(problem) => return Err(problem),
        Found::Before(given) => {
            let mut again = response(&given);
            let yes = HeaderValue::from_static("true");
            again.headers_mut().insert("idempotency-replayed", yes);
            return Ok(again);
        }
        Found::New(ticket) => ticket,
    };
    let given = change(site, call).await.unwrap_or_else(|problem| Given {
        status: problem.status().as_u16(),
        body: serde_json::to_string(&problem).unwrap_or_default(),
        seq: 0,
    });
    let kept = given.clone();
    blocking(move || ticket.end(&kept)).await?;
    Ok(response(&given))
}

fn response(given: &Given) -> Response<Body> {
    let mut response = Response::new(Body::from(given.body.clone()));
    let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.status_mut() = status;
    let media = match status.is_success() {
        true => "application/json",
        false => super::problem::MEDIA,
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if given.seq > 0 {
        headers.insert("director-seq", HeaderValue::from(given.seq));
    }
    response
}

/// Carries an order out.
async fn change(site: &Arc<Site>, mut call: Call) -> Result<Given, Problem> {
    let by = match call.args.get("by").and_then(Value::as_str).map(str::trim) {
        Some(name) if !name.is_empty() => {
            name.chars().filter(|c| !c.is_control()).take(80).collect()
        }
        _ => SOMEBODY.to_owned(),
    };
    if call.args.contains_key("by") || call.route.params.iter().any(|param| param.name == "by") {
        call.args.insert("by".to_owned(), json!(by));
    }
    let route = call.route;
    let outcome = decide(site, call, &by).await;
    match &outcome {
        Ok(given) => {
            tracing::info!(target: "director::audit", order = route.name, by, seq = given.seq, "order carried out")
        }
        Err(problem) => {
            tracing::info!(target: "director::audit", order = route.name, by, why = problem.detail, "order refused");
        }
    }
    outcome
}

async fn decide(site: &Arc<Site>, call: Call, by: &str) -> Result<Given, Problem> {
    let Call {
        route,
        args,
        body,
        headers,
        expected,
    } = call;
    match route.does {
        Does::Op(name) => {
            let args = (route.shape)(args);
            match Op::named(name, Value::Object(args))? {
                Op::Order(order) => {
                    let answer = server::carry_out(&site.handle, order, expected).await?;
                    Ok(done(200, answer, json!({})))
                }
                Op::Shutdown => {
                    site.handle.stop();
                    let text = "the director stops\n".to_owned();
                    let answer = Answer {
                        text,
                        ..Answer::default()
                    };
                    Ok(done(200, answer, json!({})))
                }
                _ => Err(Problem::bad("this is a question")),
            }
        }
        Does::Submit => {
            let file = file(site, &headers, &body)?;
            let answer = desk::submit(&Within(Arc::clone(site)), file).await?;
            Ok(Given::of(201, &answer))
        }
        Does::Replan => {
            let file = file(site, &headers, &body)?;
            let answer = desk::replan(&Within(Arc::clone(site)), file, by).await?;
            Ok(Given::of(200, &answer))
        }
        Does::Record => {
            let asked = Asked::of(args)?;
            let answer = simulation::recorded(&Within(Arc::clone(site)), asked).await?;
            Ok(Given::of(200, &answer))
        }
        Does::Send => {
            let fields = object(&headers, &body)?;
            let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
            let event = text("event").unwrap_or_default();
            let desk = Within(Arc::clone(site));
            let answer = desk::send(&desk, &event, fields, (text("sprint"), by)).await?;
            Ok(Given::of(200, &answer))
        }
        Does::Deliver => {
            let sprint = args
                .get("sprint")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let partial = args.get("partial").and_then(Value::as_bool);
            deliver(site, sprint, partial.unwrap_or(false), by).await
        }
        _ => Err(Problem::bad("this is a question")),
    }
}

fn done(status: u16, answer: Answer, more: Value) -> Given {
    Given::of(status, &desk::done(answer, more))
}

/// The sprint file in a body.
fn file(site: &Site, headers: &HeaderMap, body: &[u8]) -> Result<File, Problem> {
    let format = match media(headers) {
        "application/json" => Format::Json,
        "application/toml" | "text/plain" => Format::Toml,
        _ => {
            let why = "the body has to be a sprint file: send `Content-Type: application/toml` or `application/json`";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                why,
            ));
        }
    };
    let text = std::str::from_utf8(body)
        .map_err(|_| Problem::bad("the sprint file is not UTF-8"))?
        .to_owned();
    Ok(File {
        text,
        origin: "sprint".to_owned(),
        format,
        dir: site.place.dir.clone(),
    })
}

/// Brings a sprint's result into its base.
pub async fn deliver(
    site: &Arc<Site>,
    sprint: Option<String>,
    partial: bool,
    by: &str,
) -> Result<Given, Problem> {
    let ask = Ask::Sprint {
        sprint,
        fingerprint: false,
    };
    let facts: SprintFacts = desk::facts(&Within(Arc::clone(site)), ask).await?;
    let (told, now) = (facts.clone(), site.handle.now());
    let found = blocking(move || work::deliver(&told, partial, now)).await?;
    let found = found.map_err(not_there)?;
    let mut answer = Answer {
        text: found.text.clone(),
        ..Answer::default()
    };
    if facts.delivered.as_deref() != Some(&*found.commit) {
        let order = Order::Delivered {
            sprint: facts.sprint.clone(),
            commit: found.commit.clone(),
            by: by.to_owned(),
        };
        answer.seq = server::carry_out(&site.handle, order, None).await?.seq;
    }
    let more = json!({ "sprint": facts.sprint, "base": found.base, "commit": found.commit });
    Ok(done(200, answer, more))
}

fn not_there(error: work::WorkError) -> Problem {
    match error {
        work::WorkError::Nothing(why) => Problem::new(StatusCode::CONFLICT, "rejected", why),
        error => Problem::new(StatusCode::CONFLICT, "git", error.to_string()),
    }
}

/// Answers a question; those that read the whole journal wait for their turn.
pub async fn ask(site: &Site, ask: Ask) -> Result<Answer, Fault> {
    let heavy = history_for(&ask).is_some_and(|(_, most)| most == usize::MAX);
    let _turn = match heavy {
        true => site.heavy.acquire().await.ok(),
        false => None,
    };
    server::serve(&site.handle, Op::Ask(ask), SCREEN).await
}

async fn answered(
    site: &Arc<Site>,
    route: &'static Route,
    args: Map<String, Value>,
    headers: &HeaderMap,
    asked: Name,
) -> Result<Response<Body>, Problem> {
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| args.get(name).and_then(Value::as_u64);
    match route.does {
        Does::Events => {
            let from = stream::From::of(headers, number("after").unwrap_or(0))?;
            stream::open(site, from, text("sprint")).await
        }
        Does::Audit => {
            let last = number("last").map_or(100, |last| usize::try_from(last).unwrap_or(100));
            let dir = site.setup.data_dir.clone();
            let lines = blocking(move || audit::read(&dir, last)).await?;
            let lines =
                lines.map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
            let answer = Answer {
                text: lines.iter().map(|line| audit::text(line) + "\n").collect(),
                json: json!({ "orders": lines }),
                ..Answer::default()
            };
            Ok(Written::of(answer, asked.1).response())
        }
        Does::Logs => {
            let attempt = number("attempt").and_then(|n| u32::try_from(n).ok());
            let task = text("task").unwrap_or_default();
            let desk = Within(Arc::clone(site));
            let shown = desk::log(&desk, text("sprint"), task, attempt).await?;
            Ok(plain(shown))
        }
        Does::Diff => {
            let task = text("task").unwrap_or_default();
            let patch = desk::diff(&Within(Arc::clone(site)), text("sprint"), task).await?;
            Ok(plain(patch))
        }
        Does::Worktrees | Does::Schema => {
            let desk = Within(Arc::clone(site));
            let answer = aside::look_up(&desk, route.does, &args).await?;
            Ok(Written::of(answer, asked.1).response())
        }
        Does::Op(name) => {
            debug_assert!(route.params.iter().all(|param| param.place != Place::Body));
            let text = asked.1;
            match Op::named(name, Value::Object((route.shape)(args)))? {
                Op::Ask(question) if history_for(&question).is_none() => {
                    let make = || async { Ok(Written::of(ask(site, question).await?, text)) };
                    let heard = || site.handle.heard();
                    let (answer, made) = site.kept.answer(asked, heard, make).await?;
                    site.figures.kept(made);
                    Ok(answer.response())
                }
                Op::Ask(question) => Ok(Written::of(ask(site, question).await?, text).response()),
                other => {
                    let answer = server::serve(&site.handle, other, SCREEN).await?;
                    Ok(Written::of(answer, text).response())
                }
            }
        }
        _ => Err(Problem::bad("this is an order")),
    }
}

fn plain(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let media = HeaderValue::from_static(TEXT);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}
