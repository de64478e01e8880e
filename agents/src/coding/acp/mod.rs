//! A coding agent that speaks the Agent Client Protocol over standard input and output: Gemini CLI, Codex, OpenCode, Claude and others.
//!
//! Each attempt starts the program anew and holds one conversation with it: a session in the attempt's directory, one prompt, its end. The
//! session's id is told to the director as soon as it is known, so an attempt after a kill goes on in it where the program can. When all is
//! said its standard input is closed, and a program that does not end is ended.
//!
//! It is offered the director's own tools for reports and questions, by a server that it starts itself (`director mcp`).
//! What it asks leave for is granted by the kind of tool: what reads and writes files of the worktree is, anything else only where the sprint file or the
//! role's file says so. This binds a program that asks; what one does without asking is its own setting.
//!
//! Elsewhere: the conversation is [`talk`], what all coding agents have in common is [`super::attempt`].

pub mod talk;

use std::collections::BTreeSet;
use std::path::Path;

use director_protocols::sandbox::Sandbox;
use director_protocols::sprint::{AgentSpec, RoleSpec};
use director_protocols::work::Assignment;

use self::talk::{KINDS, OUTSIDE, Talk, Wants};
use super::attempt::{self, Asked, Beside};
use super::{allow, prompt, words_of};
use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::command::{Files, mark, not_run, read_report, redacted, secrets, without_secrets};
use crate::context::Context;
use crate::process::Spec;

/// The kinds of agent that speak the protocol.
pub const AGENTS: [&str; 3] = ["acp", "codex", "gemini"];
/// Those of them that are a program known to speak the protocol, with how it is started.
pub const PROGRAMS: [(&str, &[&str]); 2] =
    [("gemini", &["gemini", "--acp"]), ("codex", &["codex-acp"])];
/// Kinds of tool that nobody has to allow: they stay in the worktree.
const HARMLESS: [&str; 6] = ["read", "edit", "delete", "move", "search", "think"];
/// Options of the agent.
const OPTIONS: [&str; 3] = ["allowed_tools", "auth", "mode"];

/// A coding agent that is conversed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acp {
    program: String,
    args: Vec<String>,
    env: Vec<String>,
    kind: String,
    sandbox: Option<Box<Sandbox>>,
    role: String,
    allowed: BTreeSet<String>,
    auth: Option<String>,
    mode: Option<String>,
}

impl Acp {
    /// What `spec.program` names, or what `spec.kind` stands for in [`PROGRAMS`].
    ///
    /// Options: `allowed_tools` (kinds of the protocol, `outside` for files that are not in the worktree, or `all`), `auth` (the method to log in by) and `mode` (the program's own); tools of the role's file
    /// stand where `allowed_tools` is silent.
    ///
    /// # Errors
    /// A fatal [`AgentError`] without a program, for an option that is unknown, and for `model`, which each of these programs chooses in its own way.
    pub fn new(role: &RoleSpec, spec: &AgentSpec) -> Result<Self, AgentError> {
        let words = words_of(spec);
        let Some((program, args)) = words.split_first() else {
            return Err(AgentError::fatal(
                "`program` has to name what speaks the Agent Client Protocol, such as [\"opencode\", \"acp\"]",
            ));
        };
        if spec
            .model
            .as_ref()
            .is_some_and(|model| !model.eq_ignore_ascii_case("inherit"))
        {
            return Err(AgentError::fatal(
                "the Agent Client Protocol has no `model`; choose it with the program's own words in `program` or `env`",
            ));
        }
        for option in spec.options.keys() {
            if !OPTIONS.contains(&option.as_str()) {
                return Err(AgentError::fatal(format!(
                    "this agent has no option `{option}`; it has {}",
                    OPTIONS.join(", ")
                )));
            }
        }
        let option = |name: &str| spec.options.get(name).cloned();
        let allowed = match option("allowed_tools") {
            Some(words) => kinds(&words)?,
            None => allow::kinds_of_tool(&role.profile)
                .unwrap_or_else(|| HARMLESS.map(str::to_owned).into()),
        };
        Ok(Self {
            program: program.clone(),
            args: args.to_vec(),
            env: spec.env.clone(),
            kind: spec.kind.clone(),
            sandbox: role.sandbox.clone(),
            role: allow::instructions(role),
            allowed,
            auth: option("auth"),
            mode: option("mode"),
        })
    }

    fn wants(&self, cwd: &Path, prompt: String) -> Wants {
        Wants {
            // As the program sees it, so that paths it names can be compared.
            cwd: cwd.canonicalize().unwrap_or_else(|_| cwd.to_owned()),
            prompt,
            allowed: self.allowed.clone(),
            auth: self.auth.clone(),
            mode: self.mode.clone(),
            ..Wants::default()
        }
    }

    async fn attempt(&self, assignment: &Assignment, cx: &Context) -> Result<Turn, AgentError> {
        let files = Files::prepare(cx, assignment)?;
        let passed = secrets(cx, assignment, &self.env);
        let server = attempt::server(cx, &passed);
        let words = |session: Option<&str>| {
            attempt::words(assignment, &self.role, session, server.is_some())
        };
        let mut wants = self.wants(&files.workdir, words(None));
        wants.resume = assignment.session.clone().map(|session| {
            let text = words(Some(&session));
            (session, text)
        });
        wants.server = server;
        let (mut talk, hello) = Talk::begin(wants);
        let spec = Spec::new(&self.program, self.args.clone(), &files.workdir, mark(cx));
        let mut spec = attempt::dressed(spec, cx, assignment, &files, &passed);
        spec.sandbox = files.sandbox(
            cx,
            assignment.sandbox.as_deref(),
            attempt::keeps(&self.kind),
        );
        spec.stdin = Some(hello);
        let before = attempt::counted(cx.host(), assignment.session.as_deref());
        let beside = Beside::of(assignment, &files, &passed).after(before);
        let turn = match attempt::listen(cx, spec, &mut talk, beside, true).await {
            Ok(outcome) => {
                let said = read_report(cx, &files).await;
                let charged = (cx.host(), before);
                attempt::conclude(&self.program, assignment, &talk, &outcome, said, charged)
            }
            Err(error) => not_run(&error),
        };
        Ok(without_secrets(turn, |text| redacted(text, &passed)))
    }

    async fn answer(&self, from: &str, text: &str, cx: &Context) -> Result<Turn, AgentError> {
        let words = prompt::question(from, text, &self.role);
        let asked = Asked {
            program: &self.program,
            args: self.args.clone(),
            env: &self.env,
            sandbox: self
                .sandbox
                .as_deref()
                .map(|allowed| (allowed, attempt::keeps(&self.kind))),
        };
        attempt::answer(cx, asked, |cwd| {
            let (talk, hello) = Talk::begin(self.wants(cwd, words));
            (talk, hello, true)
        })
        .await
    }
}

impl Agent for Acp {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        match message {
            Inbound::Assigned(assignment) => self.attempt(&assignment, cx).await,
            Inbound::Asked { from, text } => self.answer(&from, &text, cx).await,
            // Each attempt is a program of its own; guidance comes with the next one.
            Inbound::Guidance { .. } | Inbound::Answered { .. } | Inbound::Told { .. } => {
                Ok(Turn::NotYet)
            }
        }
    }
}

/// The kinds of tool in a list of words.
fn kinds(words: &str) -> Result<BTreeSet<String>, AgentError> {
    let words = words.split([',', ' ']).filter(|word| !word.is_empty());
    let mut allowed = BTreeSet::new();
    for word in words {
        match word {
            "all" => allowed.extend(
                KINDS
                    .iter()
                    .chain([&OUTSIDE])
                    .map(|kind| (*kind).to_owned()),
            ),
            _ if word == OUTSIDE || KINDS.contains(&word) => {
                allowed.insert(word.to_owned());
            }
            _ => {
                return Err(AgentError::fatal(format!(
                    "`allowed_tools`: there is no kind of tool `{word}`; there are {}, `{OUTSIDE}` for files that are not in the worktree, and `all`",
                    KINDS.join(", ")
                )));
            }
        }
    }
    Ok(allowed)
}
