//! The files of an attempt, and the environment that names them.
//!
//! ```text
//! <data>/attempts/<task>/<attempt>/assignment.md  what is to be done, in words
//!                                 /handoff.json   what came before, for the command
//!                                 /said/report.json  what the command says
//!                                 /output.log     what it printed
//!                                 /work           its directory, when it has no worktree
//!                                 /tmp            what it has for a while, in a sandbox
//! ```
//!
//! What is written here by us is not written through a directory that is the command's own, where a link of its making could lead elsewhere.
//!
//! Elsewhere: reading the report is `report`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use director_protocols::sandbox::{Network, Sandbox as Allowed};
use director_protocols::template::task_assignment;
use director_protocols::trace::traceparent;
use director_protocols::work::{Assignment, HandoffPart};
use serde_json::json;

use super::say;
use crate::agent::AgentError;
use crate::coding::prompt::since;
use crate::context::Context;
use crate::process::{SECRET_BYTES_MIN, Sandbox};
use crate::reach::{Reach, TOKEN_ENV};

/// The file with the assignment.
const ASSIGNMENT: &str = "assignment.md";

/// Where the files of one attempt are. The directories exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) dir: PathBuf,
    pub(crate) workdir: PathBuf,
    pub(crate) assignment: PathBuf,
    pub(crate) handoff: PathBuf,
    pub(crate) report: PathBuf,
    pub(crate) log: PathBuf,
}

impl Files {
    /// Makes the directories and writes the assignment and the hand-off.
    pub(crate) fn prepare(cx: &Context, assignment: &Assignment) -> Result<Self, AgentError> {
        let dir = cx.host().attempt_dir(assignment.task, assignment.attempt);
        // The command has another current directory.
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let scratch = assignment.workdir.is_empty();
        let files = Self {
            workdir: if scratch {
                dir.join("work")
            } else {
                PathBuf::from(&assignment.workdir)
            },
            assignment: dir.join(ASSIGNMENT),
            handoff: dir.join(say::HANDOFF),
            report: say::file(&dir),
            log: dir.join("output.log"),
            dir,
        };
        let failed = |what: &Path, error: io::Error| {
            let what = what.display();
            AgentError::transient(format!(
                "could not write `{what}`: {error}; check space and permissions"
            ))
        };
        let said = files.report.parent().unwrap_or(&files.dir);
        for made in [said]
            .into_iter()
            .chain(scratch.then_some(files.workdir.as_path()))
        {
            fs::create_dir_all(made).map_err(|error| failed(made, error))?;
        }
        fs::write(&files.assignment, in_words(assignment))
            .map_err(|error| failed(&files.assignment, error))?;
        fs::write(&files.handoff, handoff(cx, assignment))
            .map_err(|error| failed(&files.handoff, error))?;
        match fs::remove_file(&files.report) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(&files.report, error))
            }
            _ => Ok(files),
        }
    }

    /// What the command may touch, where its role has a sandbox; `keeps` is what its program writes beside, for itself.
    pub(crate) fn sandbox(
        &self,
        cx: &Context,
        allowed: Option<&Allowed>,
        keeps: &[&str],
    ) -> Option<Sandbox> {
        let said = self.report.parent().map(Path::to_owned);
        let own = said.into_iter().chain([self.workdir.clone()]).collect();
        let shown = vec![
            self.assignment.clone(),
            self.handoff.clone(),
            self.dir.join(say::TOOLS),
        ];
        let mut sandbox = sandbox(cx, allowed?, &self.dir, keeps);
        sandbox.own = own;
        sandbox.shown.extend(shown);
        Some(sandbox)
    }

    /// What a command sees: `DIRECTOR_*`, and of our own environment what `passed` names.
    pub(crate) fn environment(
        &self,
        cx: &Context,
        assignment: &Assignment,
        passed: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut env = passed.clone();
        if let Some(reach) = &cx.host().reach {
            env.extend(reach.environment());
        }
        env.extend([
            ("DIRECTOR_TASK".to_owned(), assignment.spec.id.to_string()),
            (
                "DIRECTOR_ATTEMPT".to_owned(),
                assignment.attempt.to_string(),
            ),
            ("DIRECTOR_SPRINT".to_owned(), assignment.sprint.clone()),
            ("DIRECTOR_ROLE".to_owned(), assignment.role.clone()),
            ("DIRECTOR_AGENT".to_owned(), cx.agent().to_owned()),
            ("DIRECTOR_ASSIGNMENT".to_owned(), path(&self.assignment)),
            ("DIRECTOR_HANDOFF".to_owned(), path(&self.handoff)),
            ("DIRECTOR_REPORT".to_owned(), path(&self.report)),
        ]);
        if cx.host().traced {
            env.insert("TRACEPARENT".to_owned(), traceparent(assignment));
        }
        if !assignment.conflict.is_empty() {
            env.insert(
                "DIRECTOR_CONFLICT".to_owned(),
                assignment.conflict.join("\n"),
            );
        }
        if let (false, Some(above)) = (assignment.workdir.is_empty(), self.workdir.parent()) {
            // One that deletes its `.git` must not find the user's checkout, which lies above.
            env.insert("GIT_CEILING_DIRECTORIES".to_owned(), path(above));
        }
        env
    }
}

/// A sandbox without anything of the command's own, whose temporary directory lies in `dir`; see [`Files::sandbox`].
pub(crate) fn sandbox(cx: &Context, allowed: &Allowed, dir: &Path, keeps: &[&str]) -> Sandbox {
    let mut allowed = allowed.clone();
    allowed
        .write
        .extend(keeps.iter().map(|&path| path.to_owned()));
    let reach = cx.host().reach.as_deref();
    if let (Network::Ports(ports), Some(port)) = (&mut allowed.network, reach.and_then(Reach::port))
    {
        ports.push(port);
    }
    let blobs = cx.host().blobs.as_ref().map(|blobs| blobs.dir().to_owned());
    Sandbox {
        allowed,
        own: Vec::new(),
        shown: blobs.into_iter().collect(),
        hidden: vec![cx.host().data_dir.clone()],
        temporary: dir.join("tmp"),
    }
}

/// What a command finds in `DIRECTOR_ASSIGNMENT`: the *Task Assignment*, for whoever reads it.
fn in_words(assignment: &Assignment) -> String {
    let spec = &assignment.spec;
    let expected = format!("within {}", assignment.time_max);
    let mut text = format!("# {}\n\n", spec.title.trim());
    if !spec.description.trim().is_empty() {
        text.push_str(spec.description.trim());
        text.push_str("\n\n");
    }
    text.push_str(&task_assignment(spec, &expected));
    let since = since(assignment);
    if !since.is_empty() {
        text.push_str(&format!("\n{since}"));
    }
    text
}

/// What a command finds in `DIRECTOR_HANDOFF`.
fn handoff(cx: &Context, assignment: &Assignment) -> Vec<u8> {
    let spec = &assignment.spec;
    let value = json!({
        "sprint": assignment.sprint,
        "task": spec.id,
        "attempt": assignment.attempt,
        "role": assignment.role,
        "agent": cx.agent(),
        "title": spec.title,
        "description": spec.description,
        "acceptance": spec.acceptance,
        "produces": spec.produces,
        "handoff": assignment.handoff.iter().map(|part| handed_on(cx, part)).collect::<Vec<_>>(),
        "earlier": assignment.earlier,
        "conflict": assignment.conflict,
        "guidance": assignment.guidance,
        "judges": assignment.judges,
    });
    let mut bytes = format!("{value:#}").into_bytes();
    bytes.push(b'\n');
    bytes
}

/// One part, with where the content of each artifact is kept.
fn handed_on(cx: &Context, part: &HandoffPart) -> serde_json::Value {
    let mut value = json!(part);
    let listed = value["artifacts"].as_array_mut().into_iter().flatten();
    for (artifact, kept) in listed.zip(&part.artifacts) {
        if let (Some(blobs), Ok(digest)) = (&cx.host().blobs, kept.sha256.parse()) {
            artifact["path"] = json!(blobs.path(digest));
        }
    }
    value
}

/// What an attempt is given that nobody else may see: the variables that `names` asks for, and the token of its assignment.
pub(crate) fn secrets(
    cx: &Context,
    assignment: &Assignment,
    names: &[String],
) -> BTreeMap<String, String> {
    let mut secrets = passed_environment(names);
    if let Some(reach) = &cx.host().reach {
        secrets.insert(TOKEN_ENV.to_owned(), reach.token_of(assignment));
    }
    secrets
}

/// The variables of our own environment that `names` asks for; those that are not set are left out.
pub(crate) fn passed_environment(names: &[String]) -> BTreeMap<String, String> {
    let value = |name: &String| match std::env::var(name) {
        Ok(value) => Some((name.clone(), value)),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => {
            tracing::warn!(name, "variable is not UTF-8 and is not passed on");
            None
        }
    };
    // A name with these in it would end this process' own look-up in a panic.
    let plain = |name: &&String| !name.is_empty() && !name.contains(['=', '\0']);
    names.iter().filter(plain).filter_map(value).collect()
}

/// Puts the names of passed variables in the place of their values.
pub(crate) fn redacted(mut text: String, passed: &BTreeMap<String, String>) -> String {
    for (name, value) in passed {
        if value.len() >= SECRET_BYTES_MIN && text.contains(value.as_str()) {
            text = text.replace(value.as_str(), &format!("[{name}]"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use director_protocols::ids::{AgentId, Attempt};
    use director_protocols::work::{DiffStat, Earlier, HandoffPart};

    use super::*;

    #[test]
    fn a_command_finds_what_came_before_in_its_handoff_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut assignment = Context::assignment_for_tests("Build it.");
        assignment.attempt = Attempt(2);
        assignment.handoff = vec![HandoffPart {
            task: "design".into(),
            title: "The design".into(),
            agent: "tech-lead-1".into(),
            summary: "Two tables \u{1b}[31m".into(),
            commit: "c0ffee".into(),
            changes: DiffStat {
                files: 1,
                insertions: 40,
                deletions: 0,
            },
            artifacts: Vec::new(),
        }];
        assignment.earlier = vec![Earlier {
            attempt: Attempt(1),
            agent: AgentId(4),
            ended: "failed: exit code 1".into(),
            work: "refs/director/salvage/x".into(),
        }];
        assignment.guidance = vec!["Keep it small.".into()];
        let cx = Context::for_tests_in(&assignment, dir.path());
        let files = Files::prepare(&cx, &assignment).unwrap();
        let text = fs::read_to_string(&files.handoff).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["handoff"][0]["commit"], "c0ffee");
        assert_eq!(value["handoff"][0]["changes"]["insertions"], 40);
        assert_eq!(value["earlier"][0]["ended"], "failed: exit code 1");
        assert_eq!(value["guidance"][0], "Keep it small.");
        assert!(!text.contains('\u{1b}'), "control characters are escaped");
        assert!(files.workdir.is_dir());
        let env = files.environment(&cx, &assignment, &BTreeMap::new());
        assert_eq!(
            (
                env["DIRECTOR_ATTEMPT"].as_str(),
                env["DIRECTOR_TASK"].as_str()
            ),
            ("2", "sample")
        );
    }

    #[test]
    fn a_secret_is_replaced_by_its_name_and_a_short_value_is_left() {
        let passed = BTreeMap::from([
            ("API_KEY".to_owned(), "sk-12345678".to_owned()),
            ("DEBUG".to_owned(), "1".to_owned()),
        ]);
        assert_eq!(
            redacted("key sk-12345678, 1 try".into(), &passed),
            "key [API_KEY], 1 try"
        );
    }
}
