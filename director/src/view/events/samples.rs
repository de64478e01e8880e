//! One event of each kind that is about people, gates, incidents and peers, for the tests of all kinds.

use director_protocols::event::*;
use director_protocols::ids::{AgentId, Attempt, EffectId, InboxId, IncidentId, MessageId, TaskId};
use director_protocols::incident::Step;
use director_protocols::origin::Origin;
use director_protocols::outside::Outside;
use director_protocols::scope::ScopeChange;
use director_protocols::severity::Severity;
use director_protocols::sprint::{Spending, Window};
use director_protocols::time::{Span, Time};
use director_protocols::work::Verdict;

use super::super::recorded::{SPRINT, outcome};
use crate::planner::examples::name;

/// One of each.
pub(super) fn events(task: TaskId, effect: EffectId, later: Time) -> Vec<Event> {
    vec![
        InboxReminded {
            item: InboxId(0),
            deadline: later,
        }
        .into(),
        TaskAdded {
            task_id: task,
            sprint_id: SPRINT,
            spec: director_protocols::shared::Shared::new(crate::planner::examples::task(
                "connect.review",
                "review",
                "tech-lead",
                [1, 1, 1],
                &[],
            )),
            dependencies: Vec::new(),
            origin: Origin::Gate {
                task_id: task,
                gate: name("review"),
                round: 1,
            },
            by: "director".into(),
        }
        .into(),
        GateJudged {
            task_id: task,
            gate: name("review"),
            verdict: Verdict::Failed,
            by: "tech-lead-1".into(),
            findings: "src/pay.rs:7 rounds down".into(),
            help: Some(task),
        }
        .into(),
        WorkReviewed {
            task_id: task,
            attempt: Attempt(1),
            passed: false,
            round: 1,
            outcomes: vec![outcome("review", Verdict::Failed)],
        }
        .into(),
        TaskChanged {
            task_id: task,
            spec: director_protocols::shared::Shared::new(crate::planner::examples::task(
                "connect",
                "feature",
                "fullstack-engineer",
                [1, 2, 3],
                &[],
            )),
            written: None,
            dependencies: vec![task],
            what: vec!["estimate".into()],
            by: "ada".into(),
        }
        .into(),
        SprintReplanned {
            sprint_id: SPRINT,
            added: 1,
            changed: 2,
            dropped: 0,
            by: "ada".into(),
        }
        .into(),
        TeamUtilizationAlert {
            sprint_id: SPRINT,
            overloaded_agents: vec![AgentLoad {
                agent_id: AgentId(0),
                load: 1250,
                lost: false,
            }],
            available_capacity: vec![AgentRoom {
                agent_id: AgentId(1),
                free_hours: Span::hours(12),
            }],
            rebalancing_needed: true,
        }
        .into(),
        TaskRebalanced {
            task_id: task,
            from: name("api-engineer"),
            to: name("fullstack-engineer"),
            from_load: Some(1250),
            to_load: 400,
        }
        .into(),
        ManagerAsked {
            message: MessageId(3),
            sprint_id: SPRINT,
            to: AgentId(0),
            moves: Vec::new(),
            deadline: None,
            text: "It is time for the standup".into(),
        }
        .into(),
        StandupNoted {
            sprint_id: SPRINT,
            by: "engineering-manager-1".into(),
            note: "Payments first; ask early.".into(),
        }
        .into(),
        RebalancingDecided {
            sprint_id: SPRINT,
            by: "engineering-manager-1".into(),
            stays: vec![task],
            text: "keep connect".into(),
        }
        .into(),
        DeliveryFailed {
            effect,
            sprint_id: SPRINT,
            stakeholder: "qa".into(),
            about: "qa_handoff_ready".into(),
            tries: 2,
            problem: "https://qa.example.org/ answered 503".into(),
            again: Some(later),
        }
        .into(),
        DeliveryRetried {
            effect,
            sprint_id: SPRINT,
        }
        .into(),
        ProductDemoReady {
            handoff: 0,
            sprint_id: SPRINT,
            feature: Some(name("pay")),
            package: DemoPackage {
                changes: vec!["connect: Connect the parts".into()],
                how_to_run: vec!["git switch sprint/sprint-3".into()],
                criteria: vec!["met: pays (tests)".into()],
            },
        }
        .into(),
        FeedbackReceived {
            handoff: 0,
            sprint_id: SPRINT,
            feature: Some(name("pay")),
            text: "the total is too small to read".into(),
            by: "product".into(),
            task_id: Some(task),
        }
        .into(),
        DeploymentScheduled {
            deployment: 0,
            sprint_id: SPRINT,
            feature: Some(name("pay")),
            until: Some(later),
            by: "devops".into(),
        }
        .into(),
        ReadinessChecked {
            effect: Some(effect),
            deployment: 0,
            commit: "ba5e".into(),
            outcome: Some(outcome("readiness", Verdict::Failed)),
            missing: vec!["`sh ready.sh` failed (exit code 1): no room on the disk".into()],
        }
        .into(),
        ProbeDue {
            deployment: 0,
            round: 1,
        }
        .into(),
        DeploymentProbed {
            effect,
            deployment: 0,
            round: 1,
            outcome: outcome("probe", Verdict::Failed),
            incident: Some(IncidentId(0)),
            again: Some(later),
        }
        .into(),
        DeploymentDropped {
            deployment: 0,
            reason: "not this week".into(),
            by: "devops".into(),
        }
        .into(),
        RiskTriggered {
            sprint_id: SPRINT,
            number: 0,
            risk: "api-engineer-1 alone carries 9h of the 20h critical path".into(),
            task_id: Some(task),
            trigger: "connect has been at work for longer than its worst case, 9h00m".into(),
        }
        .into(),
        FallbackApplied {
            sprint_id: SPRINT,
            number: 0,
            fallback: "fullstack-engineer-1 takes over".into(),
            batch: vec![task],
            to: Some(name("fullstack-engineer")),
            by: "director".into(),
        }
        .into(),
        DailyStandupCompleted {
            sprint_id: SPRINT,
            since: Time(later.0 - 86_400_000),
            sprint_progress: 250,
            completed_yesterday: vec![task],
            planned_today: vec![task],
            blockers: vec![OpenBlocker {
                task_id: task,
                severity: Severity::High,
                text: "which provider?".into(),
            }],
            dependency_updates: vec![DependencyUpdate {
                task_id: task,
                state: "free".into(),
                on: vec![task],
            }],
            velocity_trend: VelocityTrend {
                points: 5,
                points_before: 3,
                trend: "up".into(),
            },
        }
        .into(),
        ProgressUpdated {
            sprint_id: SPRINT,
            day: Some(3),
            days: Some(10),
            completed: 4,
            in_progress: 2,
            blocked: 1,
            velocity: 13,
            target: 40,
            key_achievements: vec![task],
            blockers: vec![OpenBlocker {
                task_id: task,
                severity: Severity::High,
                text: "which provider?".into(),
            }],
            next: vec![task],
        }
        .into(),
        QaHandoffReady {
            handoff: 0,
            sprint_id: SPRINT,
            feature: Some(name("pay")),
            package: HandoffPackage {
                deliverable_type: "feature".into(),
                ..HandoffPackage::default()
            },
        }
        .into(),
        DevopsHandoffReady {
            handoff: 0,
            deployment: Some(0),
            sprint_id: SPRINT,
            feature: None,
            package: HandoffPackage {
                deliverable_type: "sprint".into(),
                ..HandoffPackage::default()
            },
        }
        .into(),
        Outside::QaTestingRequired {
            feature: name("pay"),
        }
        .event(SPRINT, "qa"),
        Outside::AgentTaskCompleted {
            task_id: name("pay"),
            hours_spent: Some(1.5),
            summary: "paid".into(),
        }
        .event(SPRINT, "api"),
        Outside::AgentBlocked {
            task_id: name("pay"),
            blocker_type: "unclear".into(),
            severity: Severity::High,
            text: "in euros?".into(),
        }
        .event(SPRINT, "api"),
        Outside::DevopsDeploymentReady { feature: None }.event(SPRINT, "devops"),
        Outside::ProductRequirementsChanged(ScopeChange {
            drop: vec![name("pay")],
            ..ScopeChange::default()
        })
        .event(SPRINT, "product"),
        Outside::CriticalBugDiscovered {
            task: serde_json::from_value(serde_json::json!({"id": "hole"})).unwrap(),
            found_in: None,
            severity: Severity::Critical,
        }
        .event(SPRINT, "qa"),
        PackageAnswered {
            handoff: 0,
            accepted: false,
            reason: "it does not start".into(),
            by: "ada".into(),
            help: None,
        }
        .into(),
        HelpGiven {
            help: task,
            task_id: task,
            text: "use the sandbox".into(),
            by: "api-engineer-2".into(),
        }
        .into(),
        WorkCheckpointed {
            task_id: task,
            attempt: Attempt(1),
        }
        .into(),
        IncidentStepFilled {
            incident: IncidentId(0),
            step: Step::RootCause,
            text: "a key had expired".into(),
            by: "ada".into(),
        }
        .into(),
        IncidentNoted {
            incident: IncidentId(0),
            text: "asked the provider".into(),
            by: "ada".into(),
        }
        .into(),
        IncidentClosed {
            incident: IncidentId(0),
            by: "ada".into(),
        }
        .into(),
        GateOverridden {
            task_id: task,
            gate: name("review"),
            by: "ada".into(),
            reason: "it is a demo".into(),
        }
        .into(),
        StakeholderInformed {
            effect,
            sprint_id: SPRINT,
            stakeholder: "notify".into(),
            about: "inbox_opened".into(),
            problem: "exit code 1".into(),
        }
        .into(),
    ]
}

/// What is said of money.
pub(super) fn paid(task: TaskId) -> Vec<Event> {
    vec![
        CostReserved {
            task_id: task,
            agent_id: AgentId(0),
            attempt: Attempt(1),
            reserved_micros: 1_500_000,
            most_micros: Some(2_000_000),
        }
        .into(),
        CostSpent {
            task_id: task,
            attempt: Attempt(1),
            cost_micros: 250_000,
        }
        .into(),
        CostSettled {
            task_id: task,
            agent_id: AgentId(0),
            attempt: Attempt(1),
            reserved_micros: 1_500_000,
            cost_micros: 1_000_500,
        }
        .into(),
        BudgetWarned {
            sprint_id: SPRINT,
            purse: Purse::Sprint { sprint_id: SPRINT },
            spent_micros: 8_000_000,
            limit_micros: 7_500_000,
        }
        .into(),
        BudgetHeld {
            sprint_id: SPRINT,
            purse: Purse::Agent {
                sprint_id: SPRINT,
                agent_id: AgentId(0),
            },
            task_id: task,
            needed_micros: 1_500_000,
            left_micros: 250_000,
            until: None,
            asks: true,
        }
        .into(),
        BudgetFreed {
            sprint_id: SPRINT,
            purse: Purse::Window { sprint_id: SPRINT },
            item: None,
        }
        .into(),
        BudgetsChanged {
            sprint_id: SPRINT,
            budget: Spending {
                cost_micros: Some(40_000_000),
                ..Spending::default()
            },
            window: Some(Window {
                within: Span::hours(5),
                cost_micros: 9_000_000,
            }),
            roles: vec![RoleBudget {
                role: name("tech-lead"),
                budget: Spending::default(),
            }],
            by: "ada".into(),
        }
        .into(),
        BudgetRaised {
            sprint_id: SPRINT,
            purse: Purse::Task { task_id: task },
            limit_micros: 9_000_000,
            by: "ada".into(),
        }
        .into(),
        AttemptOverspent {
            task_id: task,
            attempt: Attempt(1),
            cost_micros: 2_100_000,
            limit_micros: 2_000_000,
            purse: None,
        }
        .into(),
        ConflictForeseen {
            sprint_id: SPRINT,
            task_id: task,
            with: None,
            merged: vec![TaskId(0)],
            files: vec!["src/cart.rs".into(), "src/pay.rs".into()],
        }
        .into(),
        ConflictOver {
            sprint_id: SPRINT,
            task_id: task,
            with: None,
            reason: "they would merge now".into(),
        }
        .into(),
        AgentTold {
            message: MessageId(0),
            task_id: task,
            attempt: Attempt(1),
            to: AgentId(0),
            text: "what was merged changes the same places".into(),
        }
        .into(),
    ]
}
