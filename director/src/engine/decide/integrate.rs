//! Integrating: what git and the gates answer, and what it means for tasks and sprints.
//!
//! Each answer names the effect it answers; one that is not outstanding is turned away, so a repeated answer
//! counts once.

use director_protocols::command::Command;
use director_protocols::event::{
    AttemptEnded, BaseChecked, Event, IncidentOpened, MergeCompleted, MergeConflicted,
    MergePrepared, MergeSplit, QualityGateStatus, RepoPrepared, SprintRefused, WorkCommitted,
    WorkSalvaged, WorktreePrepared, WorktreesRemoved,
};
use director_protocols::ids::{AgentId, EffectId, IncidentId, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::sprint::{Expects, OnConflict};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, FILES_MAX, GateOutcome, Verdict};

use super::{Answer, block, branch, complete, deploy, follow, message, peer, retry, review};
use crate::engine::effects::{Effect, Recipient};
use crate::engine::gating;
use crate::engine::sprints::Sprint;
use crate::engine::state::State;

fn outstanding(state: &State, id: EffectId) -> Result<&Effect, Rejection> {
    state
        .outstanding
        .get(id)
        .ok_or(Rejection::StaleEffect { effect: id })
}

/// Decides about one answer of the integrator or the gatekeeper.
pub fn answer(state: &State, command: &Command, now: Time) -> Answer {
    match command {
        Command::RepoPrepared {
            effect,
            branch,
            base,
            warnings,
        } => match outstanding(state, *effect)? {
            Effect::PrepareRepo { sprint } => Ok(vec![
                RepoPrepared {
                    effect: *effect,
                    sprint_id: *sprint,
                    branch: branch.clone(),
                    base: base.clone(),
                    warnings: warnings.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::WorktreePrepared {
            effect,
            path,
            commit,
            conflict,
        } => match outstanding(state, *effect)? {
            Effect::PrepareWorktree { task, attempt } => Ok(vec![
                WorktreePrepared {
                    effect: *effect,
                    task_id: *task,
                    attempt: *attempt,
                    path: path.clone(),
                    commit: commit.clone(),
                    conflict: conflict.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::WorkCommitted {
            effect,
            commit,
            changes,
            files,
            missing,
        } => match outstanding(state, *effect)? {
            Effect::CommitWork { task, attempt } => {
                let committed = WorkCommitted {
                    effect: *effect,
                    task_id: *task,
                    attempt: *attempt,
                    commit: commit.clone(),
                    changes: *changes,
                    files: files.iter().take(FILES_MAX).cloned().collect(),
                };
                let verdict = judged(state, &committed, missing, now);
                Ok([vec![committed.into()], verdict].concat())
            }
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::WorkSalvaged {
            effect,
            saved,
            kept,
        } => match outstanding(state, *effect)? {
            Effect::Salvage { task, .. } => Ok(vec![
                WorkSalvaged {
                    effect: *effect,
                    task_id: *task,
                    saved: saved.clone(),
                    kept: kept.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::MergePrepared {
            effect,
            commit,
            onto,
        } => match outstanding(state, *effect)? {
            Effect::PrepareMerge { sprint, batch } => Ok(vec![
                MergePrepared {
                    effect: *effect,
                    sprint_id: *sprint,
                    batch: batch.clone(),
                    commit: commit.clone(),
                    onto: onto.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::MergeConflicted { effect, files, .. } => match outstanding(state, *effect)? {
            Effect::PrepareMerge { sprint, batch } if batch.len() > 1 => {
                let reason = format!("conflicts in {}", files.join(", "));
                Ok(vec![split(Some(*effect), *sprint, batch, reason)])
            }
            Effect::PrepareMerge { sprint, batch } => Ok(vec![
                MergeConflicted {
                    effect: *effect,
                    sprint_id: *sprint,
                    batch: batch.clone(),
                    files: files.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::GatesFinished { effect, outcomes } => match outstanding(state, *effect)? {
            Effect::CheckBase { sprint } => Ok(vec![
                BaseChecked {
                    effect: *effect,
                    sprint_id: *sprint,
                    outcomes: outcomes.clone(),
                }
                .into(),
            ]),
            Effect::RunGates { sprint, batch } => {
                let effect = Some(*effect);
                Ok(vec![together(gated(
                    state, effect, *sprint, batch, outcomes,
                ))])
            }
            Effect::CheckReadiness { deployment } => Ok(deploy::answered_ready(
                state,
                *effect,
                *deployment,
                outcomes,
            )),
            Effect::Probe { deployment } => {
                Ok(deploy::probed(state, *effect, *deployment, outcomes, now))
            }
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::MergeCompleted { effect, commit } => match outstanding(state, *effect)? {
            Effect::Advance { sprint, batch } => Ok(vec![
                MergeCompleted {
                    effect: *effect,
                    sprint_id: *sprint,
                    batch: batch.clone(),
                    commit: commit.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::CleanedUp { effect, kept } => match outstanding(state, *effect)? {
            Effect::CleanUp { sprint } => Ok(vec![
                WorktreesRemoved {
                    effect: *effect,
                    sprint_id: *sprint,
                    kept: kept.clone(),
                }
                .into(),
            ]),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::Informed { effect, problem } => match outstanding(state, *effect)? {
            Effect::Inform { .. } => Ok(peer::informed(state, *effect, problem, now)),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::PeerSaid {
            effect,
            accepted,
            text,
        } => match outstanding(state, *effect)? {
            Effect::Inform {
                to: Recipient::Peer(peer, item),
                ..
            } => Ok(peer::said(state, (*peer, *item), *accepted, text, now)),
            _ => Err(Rejection::StaleEffect { effect: *effect }),
        },
        Command::RepoRefused { effect, reason } | Command::EffectFailed { effect, reason } => {
            failed(state, *effect, reason, now)
        }
        _ => Ok(Vec::new()),
    }
}

/// What can be said of work without merging it: one verdict, or none when the merge and the gates decide.
fn judged(state: &State, e: &WorkCommitted, missing: &[String], now: Time) -> Vec<Event> {
    let (task, changed) = (e.task_id, e.changes.files > 0);
    let expects = state.tasks.table[task.index()].spec.expects;
    let lacks = if missing.is_empty() {
        gating::lacks(state, task, Some(changed))
    } else {
        Some(format!("it should have produced {}", missing.join(", ")))
    };
    match lacks {
        Some(reason) => retry::after_rejection(state, task, reason, now),
        // Nothing to merge and nothing expected: there is nothing that a gate could see.
        None if !changed && expects != Expects::Changes => vec![complete::one(state, task)],
        None => review::asked(state, task, Some(e), now),
    }
}

/// The event for gates that ran, with those that somebody judged, a report answers or nothing can measure.
pub fn gated(
    state: &State,
    effect: Option<EffectId>,
    sprint: SprintId,
    batch: &[TaskId],
    outcomes: &[GateOutcome],
) -> Event {
    let gates = gating::gates(state, sprint, batch);
    let mut outcomes = outcomes.to_vec();
    outcomes.extend(gating::unrun(state, batch, &gates, &outcomes));
    gating::with_overrides(state, batch, &mut outcomes);
    let passed = outcomes
        .iter()
        .all(|outcome| outcome.verdict != Verdict::Failed);
    let row = &state.sprints.table[sprint.index()];
    let quality = row.quality.with(&outcomes, batch.len() as u32, passed);
    let merge = row.merge.as_ref().filter(|merge| merge.batch == batch);
    QualityGateStatus {
        effect,
        sprint_id: sprint,
        batch: batch.to_vec(),
        passed,
        commit: merge.map_or_else(String::new, |merge| merge.commit.clone()),
        test_coverage: quality.coverage,
        code_review_completion: quality.share(quality.reviewed),
        documentation_status: quality.share(quality.documented),
        outcomes,
    }
    .into()
}

/// Gates that are red for one task are its own; of several, which one they are red for is still to be found.
pub fn together(gated: Event) -> Event {
    match gated {
        Event::QualityGateStatus(e) if !e.passed && e.batch.len() > 1 => {
            let reason = follow::red(&e.outcomes).unwrap_or_default();
            split(e.effect, e.sprint_id, &e.batch, reason)
        }
        other => other,
    }
}

fn split(effect: Option<EffectId>, sprint_id: SprintId, batch: &[TaskId], reason: String) -> Event {
    MergeSplit {
        effect,
        sprint_id,
        batch: batch.to_vec(),
        reason,
    }
    .into()
}

/// The batch to merge next: as many as the policy says, or half of those in front that were red together. A task with gates of its
/// own is merged alone, and what would conflict not together.
pub fn next_batch(state: &State, sprint: &Sprint) -> Vec<TaskId> {
    let most = match sprint.suspects {
        0 => sprint.spec.policy.merge_batch,
        suspects => suspects.div_ceil(2),
    };
    let own = |task: &TaskId| !state.tasks.table[task.index()].spec.gates.is_empty();
    let mut batch: Vec<TaskId> = Vec::new();
    for task in sprint.queue.iter().take(most.max(1) as usize) {
        let clashes = state.clashes.contains_key(&(*task, None))
            || batch.iter().any(|other| state.clash(*task, *other));
        if (own(task) || clashes) && !batch.is_empty() {
            break;
        }
        batch.push(*task);
        if own(task) {
            break;
        }
    }
    batch
}

/// What it means that an effect cannot be carried out.
fn failed(state: &State, id: EffectId, reason: &str, now: Time) -> Answer {
    Ok(match outstanding(state, id)?.clone() {
        Effect::PrepareRepo { sprint } | Effect::CheckBase { sprint } => vec![
            SprintRefused {
                sprint_id: sprint,
                reason: reason.to_owned(),
            }
            .into(),
        ],
        Effect::PrepareWorktree { task, attempt } | Effect::Assign { task, attempt, .. } => {
            let Some(agent_id) = state.tasks.table[task.index()].agent else {
                return Err(Rejection::StaleEffect { effect: id });
            };
            let mut events: Vec<Event> = vec![
                AttemptEnded {
                    task_id: task,
                    agent_id,
                    attempt,
                    end: AttemptEnd::Failed {
                        reason: reason.to_owned(),
                        exit_code: None,
                    },
                }
                .into(),
            ];
            if state.tasks.table[task.index()].phase.is_in_hand() {
                events.push(retry::after_failure(state, task, reason, now));
            }
            events
        }
        Effect::CommitWork { task, .. } => {
            retry::after_rejection(state, task, reason.to_owned(), now)
        }
        Effect::Salvage { task, .. } => vec![
            WorkSalvaged {
                effect: id,
                task_id: task,
                saved: String::new(),
                kept: Some(reason.to_owned()),
            }
            .into(),
        ],
        Effect::PrepareMerge { batch, .. } | Effect::RunGates { batch, .. } => batch
            .iter()
            .flat_map(|task| retry::after_rejection(state, *task, reason.to_owned(), now))
            .collect(),
        Effect::Advance { sprint, batch } => {
            let mut events = incident(state, sprint, batch.first().copied(), reason);
            for task in batch {
                events.extend(retry::after_rejection(state, task, reason.to_owned(), now));
            }
            events
        }
        Effect::PutBack { sprint } => branch::not_put_back(state, sprint, reason, now),
        Effect::CleanUp { sprint } => vec![
            WorktreesRemoved {
                effect: id,
                sprint_id: sprint,
                kept: vec![reason.to_owned()],
            }
            .into(),
        ],
        // Nobody is there who could end it: it is over.
        Effect::CancelAttempt { task, attempt, .. } => {
            let Some(agent_id) = state.tasks.table[task.index()].agent else {
                return Err(Rejection::StaleEffect { effect: id });
            };
            vec![
                AttemptEnded {
                    task_id: task,
                    agent_id,
                    attempt,
                    end: AttemptEnd::Cancelled,
                }
                .into(),
            ]
        }
        Effect::Deliver { message, to } => message::undelivered(state, id, message, to, reason),
        // The agent would wait for it as long as its time lasts.
        Effect::DeliverAnswer { task, .. } => {
            let row = &state.tasks.table[task.index()];
            let Some(agent) = row.agent else {
                return Err(Rejection::StaleEffect { effect: id });
            };
            let end = AttemptEnd::Failed {
                reason: format!("the answer to its question could not be delivered: {reason}"),
                exit_code: None,
            };
            let attempt = row.attempt;
            return super::attempt::ended_of(state, task, attempt, agent, &end, now);
        }
        Effect::Inform { .. } => peer::informed(state, id, reason, now),
        Effect::CheckReadiness { deployment } => {
            deploy::answered_ready(state, id, deployment, &[unrun("readiness", reason)])
        }
        Effect::Probe { deployment } => {
            deploy::probed(state, id, deployment, &[unrun("probe", reason)], now)
        }
        Effect::SyncTeam
        | Effect::RestartRole { .. }
        | Effect::Plan { .. }
        | Effect::Watch { .. } => Vec::new(),
    })
}

/// The outcome of a command that could not be run.
fn unrun(gate: &str, reason: &str) -> GateOutcome {
    GateOutcome {
        gate: gate.to_owned(),
        verdict: Verdict::Failed,
        evidence: gate.to_owned(),
        exit_code: None,
        took: Span::ZERO,
        tail: reason.to_owned(),
        measured: None,
    }
}

/// Decides about an incident that was seen outside.
pub fn seen(state: &State, sprint: SprintId, task: Option<TaskId>, text: &str) -> Answer {
    state.sprints.get(sprint).ok_or(Rejection::NoSprint)?;
    if let Some(task) = task {
        state.tasks.get(task).ok_or(Rejection::NoTask)?;
    }
    Ok(incident(state, sprint, task, text))
}

/// Records that something of ours was changed by someone else.
pub fn incident(state: &State, sprint: SprintId, task: Option<TaskId>, text: &str) -> Vec<Event> {
    vec![
        IncidentOpened {
            sprint_id: sprint,
            task_id: task,
            text: text.to_owned(),
            incident: IncidentId(state.trouble.incidents.len() as u32),
            severity: Severity::High,
            blocker: None,
            members: Vec::new(),
        }
        .into(),
    ]
}

/// What follows a conflict: the same agent, then another, then a blocker.
pub fn conflicted(state: &State, task: TaskId, files: &[String], now: Time) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let conflicts = row.story.as_ref().map_or(1, |story| story.conflicts);
    let role = row.last_agent.and_then(|agent| state.team.role_of(agent));
    let next = match role.map_or_else(OnConflict::default, |role| role.spec.conflicts) {
        OnConflict::Redo => "do it again on the newest state",
        OnConflict::Resolve => "resolve the conflict",
    };
    let reason = format!(
        "its work conflicts with what was merged since, in {}; {next}",
        files.join(", ")
    );
    if state.sprints.table[row.sprint.index()].cancelled {
        return retry::after_rejection(state, task, reason, now);
    }
    let mut events: Vec<Event> = vec![
        director_protocols::event::WorkRejected {
            task_id: task,
            attempt: row.attempt,
            reason: reason.clone(),
            counts: false,
        }
        .into(),
    ];
    let again = |to: Option<AgentId>| -> Event {
        director_protocols::event::TaskReassigned {
            task_id: task,
            to,
            by: "director (merge conflict)".to_owned(),
        }
        .into()
    };
    match conflicts {
        0 | 1 => events.push(again(
            row.last_agent.filter(|agent| state.team.is_there(*agent)),
        )),
        2 => events.push(again(None)),
        _ => {
            let raise = block::Raise {
                task,
                agent: row.last_agent,
                kind: "merge_conflict",
                severity: Severity::High,
                text: &reason,
            };
            events.extend(block::raise_blocker(state, &raise, now));
        }
    }
    events
}
