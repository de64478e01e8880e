//! Deciding: one file for each thing that can be asked.
//!
//! Every function here reads the state and answers with events or a rejection; none changes anything.
//! `follow` holds the rules that turn one event into the next; `assign` hands out work.

pub mod assign;
pub mod attempt;
pub mod balance;
pub mod block;
pub mod branch;
pub mod budget;
pub mod clash;
pub mod complete;
pub mod deploy;
pub mod emergency;
pub mod follow;
pub mod handoff;
pub mod help;
pub mod inbox;
pub mod incident;
pub mod integrate;
pub mod manage;
pub mod message;
pub mod open;
pub mod outside;
pub mod pair;
pub mod peer;
pub mod retry;
pub mod review;
pub mod risk;
pub mod roles;
pub mod scope;
pub mod spend;
pub mod steer;
pub mod submit;
pub mod suspect;
pub mod unclear;

use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::rejection::Rejection;
use director_protocols::time::Time;

use super::state::State;
use super::{accounts, replan};

/// What deciding gives: facts, or a reason to say no.
pub type Answer = Result<Vec<Event>, Rejection>;

/// Decides what `command` leads to.
pub fn decide(state: &State, command: &Command, now: Time) -> Answer {
    match command {
        Command::Open { version } => Ok(open::open(state, version)),
        Command::Submit(spec) => submit::submit(state, spec, now),
        // The engine goes through what is due, one by one.
        Command::Tick => Ok(Vec::new()),
        Command::Stop => Ok(Vec::new()),

        Command::Pause { sprint, by } => steer::pause(state, *sprint, by),
        Command::Resume { sprint, by } => steer::resume(state, *sprint, by),
        Command::FreeAccount { account, by } => accounts::by_hand(state, account, by),
        Command::SetBudget {
            purse,
            limit_micros,
            by,
        } => budget::set(state, *purse, *limit_micros, by),
        Command::CancelSprint { sprint, by } => steer::cancel_sprint(state, *sprint, by),
        Command::CancelTask { task, by } => steer::cancel_task(state, *task, by),
        Command::Retry { task, by } => retry::by_hand(state, *task, by),
        Command::RetryAll { sprint, by } => retry::all_by_hand(state, *sprint, by),
        Command::Reassign { task, to, by } => steer::reassign(state, *task, *to, by),
        Command::OverrideGate {
            task,
            gate,
            reason,
            by,
        } => review::overridden(state, *task, gate, reason, by),
        Command::AcceptAction {
            sprint,
            action,
            text,
            by,
        } => steer::accept(state, *sprint, action, text, by),
        Command::RecordForecast {
            sprint,
            forecast,
            by,
        } => steer::forecast(state, *sprint, forecast, by),
        Command::Delivered { sprint, commit, by } => steer::delivered(state, *sprint, commit, by),
        Command::Answer {
            item,
            reply,
            text,
            by,
        } => inbox::answer(state, *item, (*reply, text), by, now),

        Command::AgentUp { agent, generation } => attempt::agent_up(state, *agent, *generation),
        Command::AgentDown {
            agent,
            generation,
            reason,
            in_hand,
        } => attempt::agent_down(state, *agent, *generation, reason, *in_hand, now),
        Command::RoleLost { role, reason } => attempt::role_lost(state, role, reason),
        Command::Started {
            effect,
            task,
            attempt,
        } => attempt::started(state, *effect, *task, *attempt),
        Command::Session {
            task,
            attempt,
            session,
        } => attempt::session(state, *task, *attempt, session),
        Command::Spent {
            task,
            attempt,
            cost_micros,
        } => spend::spent(state, *task, *attempt, *cost_micros),
        Command::Ended { task, attempt, end } => attempt::ended(state, *task, *attempt, end, now),
        Command::Liveness {
            task,
            attempt,
            state: word,
        } => attempt::liveness(state, *task, *attempt, word),

        Command::Tell { from, to, text } => message::tell(state, *from, to, text, now),
        Command::Ask {
            from,
            attempt: (task, attempt),
            to,
            text,
        } => message::ask(state, *from, *task, *attempt, to, text),
        Command::Delivery {
            effect,
            message,
            answer,
        } => message::delivered(state, *effect, *message, answer.as_deref(), now),

        Command::PlanFound {
            effect,
            sprint,
            base,
            order,
            before,
            after,
        } => replan::found(state, *effect, (*sprint, *base), order, (*before, *after)),

        Command::LookedAhead {
            sprint,
            head,
            sights,
        } => clash::seen(state, *sprint, head, sights),

        Command::BranchMoved {
            effect,
            sprint,
            moved,
        } => branch::seen(state, *effect, *sprint, moved, now),
        Command::BranchRestored {
            effect,
            sprint,
            saved,
        } => branch::restored(state, *effect, *sprint, saved),

        Command::RepoPrepared { .. }
        | Command::RepoRefused { .. }
        | Command::WorktreePrepared { .. }
        | Command::WorkCommitted { .. }
        | Command::WorkSalvaged { .. }
        | Command::MergePrepared { .. }
        | Command::MergeConflicted { .. }
        | Command::GatesFinished { .. }
        | Command::MergeCompleted { .. }
        | Command::CleanedUp { .. }
        | Command::Informed { .. }
        | Command::PeerSaid { .. }
        | Command::EffectFailed { .. } => integrate::answer(state, command, now),
        Command::Replan { sprint, spec, by } => scope::replan(state, *sprint, spec, by),
        Command::Outside { sprint, what, by } => outside::said(state, *sprint, what, by, now),
        Command::IncidentWork { incident, work, by } => incident::work(state, *incident, work, by),
        Command::Incident { sprint, task, text } => integrate::seen(state, *sprint, *task, text),
    }
}
