//! The numbers of events on disk.

use std::collections::BTreeSet;

use director_protocols::event::Event;

/// Every kind of event that was ever written to a journal. A line is added, none is changed or taken away.
const EVENTS: &[(u16, &str)] = &[
    (1, "epoch_opened"),
    (10, "sprint_submitted"),
    (11, "repo_prepared"),
    (12, "base_checked"),
    (13, "sprint_refused"),
    (14, "sprint_initialized"),
    (15, "sprint_paused"),
    (16, "sprint_resumed"),
    (17, "sprint_cancelled"),
    (18, "sprint_ended"),
    (19, "sprint_reopened"),
    (20, "worktrees_removed"),
    (21, "sprint_velocity_updated"),
    (22, "sprint_delivered"),
    (23, "plan_adopted"),
    (24, "forecast_recorded"),
    (30, "task_deferred"),
    (31, "task_assigned"),
    (32, "worktree_prepared"),
    (33, "attempt_started"),
    (34, "session_opened"),
    (35, "attempt_ended"),
    (36, "work_salvaged"),
    (37, "work_committed"),
    (38, "merge_prepared"),
    (39, "merge_conflicted"),
    (40, "quality_gate_status"),
    (41, "merge_completed"),
    (42, "task_completed"),
    (43, "work_rejected"),
    (44, "retry_scheduled"),
    (45, "task_failed"),
    (46, "task_quarantined"),
    (47, "task_cancelled"),
    (48, "task_retried"),
    (49, "task_reassigned"),
    (50, "liveness_changed"),
    (51, "merge_started"),
    (52, "retry_due"),
    (60, "blocker_raised"),
    (61, "blocker_escalated"),
    (62, "guidance_given"),
    (63, "blocker_resolved"),
    (64, "inbox_opened"),
    (65, "inbox_answered"),
    (66, "inbox_closed"),
    (67, "engineering_emergency"),
    (68, "emergency_resolved"),
    (69, "incident_opened"),
    (70, "handoff_sent"),
    (71, "handoff_accepted"),
    (72, "message_sent"),
    (73, "question_asked"),
    (74, "message_delivered"),
    (75, "question_answered"),
    (76, "adviser_asked"),
    (80, "agent_up"),
    (81, "agent_down"),
    (82, "role_lost"),
    (83, "role_restored"),
    (90, "action_accepted"),
    (100, "inbox_reminded"),
    (101, "stakeholder_informed"),
    (102, "task_added"),
    (103, "gate_judged"),
    (104, "work_reviewed"),
    (105, "gate_overridden"),
    (106, "help_given"),
    (107, "work_checkpointed"),
    (108, "incident_step_filled"),
    (109, "incident_noted"),
    (110, "incident_closed"),
    (111, "task_changed"),
    (112, "sprint_replanned"),
    (113, "qa_handoff_ready"),
    (114, "devops_handoff_ready"),
    (115, "package_answered"),
    (120, "team_utilization_alert"),
    (121, "task_rebalanced"),
    (122, "daily_standup_completed"),
    (123, "progress_updated"),
    (124, "delivery_failed"),
    (125, "delivery_retried"),
    (126, "product_demo_ready"),
    (127, "feedback_received"),
    (140, "agent_task_completed"),
    (141, "agent_blocked"),
    (142, "qa_testing_required"),
    (143, "devops_deployment_ready"),
    (144, "product_requirements_changed"),
    (145, "critical_bug_discovered"),
];

#[test]
fn the_number_of_an_event_is_never_used_for_another() {
    let numbers: BTreeSet<_> = EVENTS.iter().map(|(number, _)| number).collect();
    let names: BTreeSet<_> = EVENTS.iter().map(|(_, name)| name).collect();
    assert_eq!((numbers.len(), names.len()), (EVENTS.len(), EVENTS.len()));
    let written: Vec<_> = Event::KINDS
        .iter()
        .map(|(number, _, name)| (*number, *name))
        .collect();
    assert_eq!(
        written, EVENTS,
        "a new event is a new line in the list here too"
    );
}
