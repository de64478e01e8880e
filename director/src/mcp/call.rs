//! A tool called: its arguments checked by the call's row, and carried out as over HTTP.

use std::path::{Path, PathBuf};

use director_protocols::manifest::Format;
use serde_json::{Map, Value, json};

use super::front::Who;
use super::tools::Tool;
use crate::control::desk::{self, Desk, blocking};
use crate::control::protocol::{Answer, Fault, FaultKind, Op};
use crate::control::submission::File;
use crate::http::aside::{self, Body};
use crate::http::assigned;
use crate::http::route::Does;

/// Carries a tool out.
///
/// # Errors
/// In words: what is wrong with the arguments, or why it is not done.
pub async fn carry_out<D: Desk>(
    desk: &D,
    tool: &Tool,
    mut given: Map<String, Value>,
    who: &Who,
) -> Result<Answer, Fault> {
    let route = tool.route();
    let file = match tool.takes_a_file() {
        true => Some(file(desk, given.remove("file"), given.remove("path")).await?),
        false => None,
    };
    let by = match who {
        Who::Assistant(by) => by.as_str(),
        Who::Worker(_) => "",
    };
    let args = route.named(given, &tool.known(by))?;
    if let Who::Worker(token) = who {
        return desk
            .serve(assigned::op(route, token.0.clone(), args)?)
            .await;
    }
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let words = |text: String| Answer {
        text,
        ..Answer::default()
    };
    match (route.does, file) {
        (Does::Submit, Some(file)) => desk::submit(desk, file).await,
        (Does::Replan, Some(file)) => desk::replan(desk, file, by).await,
        (does, Some(file)) => aside::work_out(desk, does, args, Body::File(file)).await,
        (Does::Forecast, None) => aside::work_out(desk, route.does, args, Body::Fields).await,
        (Does::Logs, _) => {
            let attempt = args.get("attempt").and_then(Value::as_u64);
            let attempt = attempt.and_then(|n| u32::try_from(n).ok());
            let task = text("task").unwrap_or_default();
            desk::log(desk, text("sprint"), task, attempt)
                .await
                .map(words)
        }
        (Does::Diff, _) => {
            let task = text("task").unwrap_or_default();
            desk::diff(desk, text("sprint"), task).await.map(words)
        }
        (Does::Op(op), _) => {
            let op = Op::named(op, Value::Object((route.shape)(args)))?;
            let is_order = matches!(op, Op::Order(_));
            let mut answer = desk.serve(op).await?;
            if is_order {
                answer = desk::done(answer, json!({}));
            } else if answer.text.is_empty() && route.name == "page" {
                answer.text = lines(&answer.json);
            }
            Ok(answer)
        }
        _ => {
            let why = "this call is no tool".to_owned();
            Err(Fault::new(FaultKind::Internal, why))
        }
    }
}

/// The events of a page as people read them.
fn lines(page: &Value) -> String {
    let lines = page["lines"].as_array().into_iter().flatten();
    let texts =
        lines.filter_map(|line| Some(format!("{} {}\n", line["seq"], line["text"].as_str()?)));
    texts.collect()
}

/// The sprint file that is meant.
async fn file(desk: &impl Desk, text: Option<Value>, path: Option<Value>) -> Result<File, Fault> {
    let bad = |why: String| Fault::new(FaultKind::BadRequest, why);
    let dir = desk.place().dir.clone();
    match (text, path) {
        (Some(Value::String(text)), None) => Ok(File {
            format: match text.trim_start().starts_with('{') {
                true => Format::Json,
                false => Format::Toml,
            },
            text,
            origin: "sprint".to_owned(),
            dir,
        }),
        (None, Some(Value::String(path))) => {
            blocking(move || on_disk(&dir, &path)).await?.map_err(bad)
        }
        (None, None) => Err(bad(
            "`file` is missing: the sprint file itself, or `path`: where it lies".to_owned(),
        )),
        (Some(_), Some(_)) => Err(bad("give `file` or `path`, not both".to_owned())),
        _ => Err(bad("`file` and `path` have to be a text".to_owned())),
    }
}

/// A file of the repository: one that lies elsewhere is not read.
fn on_disk(dir: &Path, path: &str) -> Result<File, String> {
    let shown: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
    let full = dir.join(path);
    let real = |path: &Path| path.canonicalize();
    let found = real(&full).map_err(|error| format!("`{shown}`: {error}"))?;
    let inside = real(dir).is_ok_and(|dir| found.starts_with(dir));
    if !inside || !found.is_file() {
        return Err(format!(
            "`{shown}` is no file in `{}`; give its text as `file`",
            dir.display()
        ));
    }
    let text = std::fs::read_to_string(&found).map_err(|error| format!("`{shown}`: {error}"))?;
    Ok(File {
        text,
        origin: shown,
        format: Format::of(&found),
        dir: found.parent().map_or_else(PathBuf::new, Path::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_repository_are_read() {
        let outer = tempfile::tempdir().expect("a directory");
        let dir = outer.path().join("repo");
        std::fs::create_dir_all(dir.join("plans")).expect("made");
        std::fs::write(dir.join("plans/one.toml"), "[sprint]").expect("written");
        std::fs::write(outer.path().join("secret"), "x").expect("written");
        std::os::unix::fs::symlink(outer.path().join("secret"), dir.join("link")).expect("a link");
        let file = on_disk(&dir, "plans/one.toml").expect("it is there");
        assert_eq!(
            (file.text.as_str(), file.format),
            ("[sprint]", Format::Toml)
        );
        assert!(file.dir.ends_with("repo/plans"));
        let secret = outer.path().join("secret").display().to_string();
        for path in ["../secret", "link", "plans", secret.as_str()] {
            let why = on_disk(&dir, path).expect_err(path);
            assert!(why.contains("no file in"), "{why}");
        }
        assert!(on_disk(&dir, "nothing").is_err());
    }
}
