//! Factories: how an agent is made, and made anew after a crash.
//!
//! A [`Registry`] knows a factory for each kind. `command`, `claude`, `acp`, `codex`, `gemini` and `simulated` are built in; a program of
//! the user's own registers more. A kind that nobody registered is an error that lists those that are, and never
//! falls back to another kind.
//!
//! Elsewhere: which role has which kind is the sprint file; work for people waits in the inbox, so `person` is
//! no kind here.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use director_protocols::ids::Generation;
use director_protocols::sprint::{AgentSpec, RoleSpec};

use crate::agent::{Agent, AgentError, DynAgent, Inbound, Turn};
use crate::closure::agent_fn;
use crate::coding::{Acp, Headless, acp};
use crate::command::CommandAgent;
use crate::context::Context;
use crate::remote::{REMOTE, Remote};
use crate::simulated::Simulated;

/// What a factory is told about the agent that it makes.
#[derive(Clone, Copy, Debug)]
pub struct SpawnContext<'a> {
    /// The agent's name, such as `api-engineer-2`.
    pub agent: &'a str,
    /// Its role.
    pub role: &'a RoleSpec,
    /// What does the work: the role's own, unless the director chose otherwise.
    pub spec: &'a AgentSpec,
    /// The incarnation: 1 for the first.
    pub generation: Generation,
}

/// Makes an agent; called again for each incarnation.
pub type AgentFactory =
    Arc<dyn Fn(&SpawnContext<'_>) -> Result<Box<dyn DynAgent>, AgentError> + Send + Sync>;

/// Why no agent could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactoryError {
    /// Nobody registered the kind.
    #[error(
        "no agent is of the kind `{kind}`; there are {known}: correct `agent` of the role or register the kind"
    )]
    UnknownKind {
        /// The kind asked for.
        kind: String,
        /// Those that are there, in a sentence.
        known: String,
    },
    /// The factory refused.
    #[error("could not make the agent `{agent}` of the kind `{kind}`: {reason}")]
    Refused {
        /// The agent.
        agent: String,
        /// Its kind.
        kind: String,
        /// What is missing, and what to do.
        reason: String,
    },
}

/// The kinds of agent that there are.
#[derive(Clone)]
pub struct Registry {
    kinds: BTreeMap<String, AgentFactory>,
}

impl Registry {
    /// No kinds at all.
    pub fn empty() -> Self {
        Self {
            kinds: BTreeMap::new(),
        }
    }

    /// The built-in kinds: `command`, `claude`, those that speak the Agent Client Protocol (`acp`, `codex`, `gemini`), `remote`, and `simulated`.
    pub fn builtin() -> Self {
        let mut registry = Self::empty();
        registry.register("command", |cx| Ok(boxed(CommandAgent::new(cx.spec))));
        registry.register("claude", |cx| {
            Ok(boxed(Headless::claude(cx.role, cx.spec)?))
        });
        for kind in acp::AGENTS {
            registry.register(kind, |cx| Ok(boxed(Acp::new(cx.role, cx.spec)?)));
        }
        registry.register(REMOTE, |cx| Ok(boxed(Remote::new(cx.role, cx.spec)?)));
        registry.register("simulated", |cx| {
            Ok(boxed(Simulated::from_options(&cx.spec.options)?))
        });
        registry
    }

    /// Adds a kind; one of the same name is replaced.
    pub fn register<F>(&mut self, kind: impl Into<String>, factory: F)
    where
        F: Fn(&SpawnContext<'_>) -> Result<Box<dyn DynAgent>, AgentError> + Send + Sync + 'static,
    {
        self.kinds.insert(kind.into(), Arc::new(factory));
    }

    /// Adds a kind whose agents are made by `make`.
    pub fn register_agent<A, F>(&mut self, kind: impl Into<String>, make: F)
    where
        A: Agent,
        F: Fn(&SpawnContext<'_>) -> A + Send + Sync + 'static,
    {
        self.register(kind, move |cx| Ok(boxed(make(cx))));
    }

    /// Adds a kind from a closure that takes one message; each incarnation gets a clone of it.
    pub fn register_fn<F, R>(&mut self, kind: impl Into<String>, turn: F)
    where
        F: FnMut(Inbound, Context) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<Turn, AgentError>> + Send + 'static,
    {
        self.register(kind, move |_| Ok(boxed(agent_fn(turn.clone()))));
    }

    /// Whether there is such a kind.
    pub fn contains(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// The kinds, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// Makes an agent.
    ///
    /// # Errors
    /// [`FactoryError`]: the kind is unknown, or its factory refused.
    pub fn make(&self, cx: &SpawnContext<'_>) -> Result<Box<dyn DynAgent>, FactoryError> {
        let kind = &cx.spec.kind;
        let factory = self
            .kinds
            .get(kind)
            .ok_or_else(|| FactoryError::UnknownKind {
                kind: kind.clone(),
                known: self.known(),
            })?;
        factory(cx).map_err(|error| FactoryError::Refused {
            agent: cx.agent.to_owned(),
            kind: kind.clone(),
            reason: error.reason,
        })
    }

    fn known(&self) -> String {
        let quoted: Vec<_> = self.kinds().map(|kind| format!("`{kind}`")).collect();
        match quoted.split_last() {
            None => "none".to_owned(),
            Some((last, [])) => format!("only {last}"),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::builtin()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kinds()).finish()
    }
}

fn boxed(agent: impl Agent) -> Box<dyn DynAgent> {
    Box::new(agent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn refusal(registry: &Registry, kind: &str) -> String {
        let role = samples::role(kind);
        let cx = SpawnContext {
            agent: "a-1",
            role: &role,
            spec: &role.agent,
            generation: Generation(1),
        };
        registry
            .make(&cx)
            .err()
            .map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn an_unknown_kind_names_those_that_there_are() {
        let mut registry = Registry::empty();
        assert!(refusal(&registry, "x").contains("there are none"));
        registry.register_fn("echo", |_, _| async { Ok(Turn::NotYet) });
        assert!(refusal(&registry, "x").contains("there are only `echo`"));
        let builtin = Registry::builtin();
        assert!(refusal(&builtin, "comand").contains(
            "there are `acp`, `claude`, `codex`, `command`, `gemini`, `remote` and `simulated`"
        ));
        assert_eq!(refusal(&builtin, "simulated"), "");
    }

    #[test]
    fn a_factory_that_refuses_says_which_agent_and_why() {
        let mut registry = Registry::empty();
        registry.register("llm", |_| {
            Err(AgentError::fatal("no model is installed; run `llm pull`"))
        });
        assert_eq!(
            refusal(&registry, "llm"),
            "could not make the agent `a-1` of the kind `llm`: no model is installed; run `llm pull`"
        );
    }
}
