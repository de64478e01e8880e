//! What each metric is: its key in the JSON, its name, unit and formula, and its value in words.
//!
//! This list is the one place that defines them; reports show it, and `docs/metrics.md` is written from it. All of them
//! are computed from the events of the journal: replaying it gives the same numbers.

use super::ReportView;
use super::metrics::Metrics;
use super::text;
use crate::report::text::short;
use crate::view::{at_minute, count, elapsed};

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Where the JSON of the report has it, below `metrics`.
    pub key: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// How it is computed, in words.
    pub formula: &'static str,
    /// Its value in words.
    value: fn(&Metrics) -> Option<String>,
}

/// A metric with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What it is.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Its value; `not measured` where there is none.
    pub value: String,
}

/// All metrics with their values.
pub fn measured(view: &ReportView) -> Vec<Measured> {
    DEFINITIONS
        .iter()
        .map(|metric| Measured {
            name: metric.name,
            unit: metric.unit,
            formula: metric.formula,
            value: (metric.value)(&view.metrics).unwrap_or_else(|| "not measured".to_owned()),
        })
        .collect()
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn by_name<'a>(rows: impl Iterator<Item = (&'a String, String)>) -> Option<String> {
    let rows: Vec<String> = rows
        .map(|(name, value)| format!("{} {value}", short(name, 40)))
        .collect();
    (!rows.is_empty()).then(|| rows.join(", "))
}

/// The metrics, in the order in which people ask for them.
pub const DEFINITIONS: [Definition; 25] = [
    Definition {
        key: "velocity",
        name: "Velocity",
        unit: "story points",
        formula: "points of completed tasks; beside it the target: `velocity_target` of the sprint, or all committed points",
        value: |m| Some(format!("{} of {}", m.velocity, m.target_velocity)),
    },
    Definition {
        key: "days_remaining",
        name: "Days remaining",
        unit: "working days",
        formula: "Mondays to Fridays from today to the sprint's `end`, both counted",
        value: |m| m.days_remaining.map(|days| days.to_string()),
    },
    Definition {
        key: "projected_completion",
        name: "Projected completion",
        unit: "time (UTC)",
        formula: "now + pace x the longer of: the remaining critical chain; the remaining work shared among the agents that are up. Once it is over, when it ended",
        value: |m| m.projected_completion.as_deref().map(at_minute),
    },
    Definition {
        key: "completion_rate",
        name: "Completion rate by tasks",
        unit: "share",
        formula: "completed tasks / committed tasks",
        value: |m| Some(percent(m.completion_rate)),
    },
    Definition {
        key: "completion_rate_points",
        name: "Completion rate by points",
        unit: "share",
        formula: "completed points / committed points",
        value: |m| m.completion_rate_points.map(percent),
    },
    Definition {
        key: "cycle_hours",
        name: "Cycle time per kind of task",
        unit: "hours",
        formula: "from a task's first assignment to its completion, averaged over the completed tasks of a kind",
        value: |m| {
            by_name(
                m.cycle_hours
                    .iter()
                    .map(|(kind, cycle)| (kind, elapsed(cycle.mean))),
            )
        },
    },
    Definition {
        key: "pace",
        name: "Pace",
        unit: "ratio",
        formula: "time at work / estimate, over completed tasks",
        value: |m| m.pace.map(|pace| format!("{pace:.2}")),
    },
    Definition {
        key: "coverage",
        name: "Test coverage",
        unit: "percent",
        formula: "the last value that gate `coverage` measured on the merged tree",
        value: |m| m.coverage.map(|coverage| format!("{coverage:.1}%")),
    },
    Definition {
        key: "build_success_rate",
        name: "Build success rate",
        unit: "share",
        formula: "gate runs on a merged tree in which nothing failed / all of them",
        value: |m| m.build_success_rate.map(percent),
    },
    Definition {
        key: "review_turnaround_hours",
        name: "Review turnaround",
        unit: "hours",
        formula: "from an agent's report to the verdict of those who review it, or to completion where nobody does, averaged over these reports",
        value: |m| m.review_turnaround_hours.map(elapsed),
    },
    Definition {
        key: "blocker_resolution_hours",
        name: "Blocker resolution time",
        unit: "hours",
        formula: "from raised to resolved, averaged over resolved blockers",
        value: |m| m.blocker_resolution_hours.map(elapsed),
    },
    Definition {
        key: "blockers_raised",
        name: "Blockers",
        unit: "count",
        formula: "blockers raised; beside it how often one went up a tier",
        value: |m| {
            Some(format!(
                "{}, {}",
                m.blockers_raised,
                count(m.escalations as usize, "escalation")
            ))
        },
    },
    Definition {
        key: "utilization",
        name: "Team utilisation",
        unit: "share",
        formula: "time with a task of the sprint in hand / (time of the sprint x agents of the role), by role",
        value: |m| {
            let used = m.utilization.iter().filter(|(_, share)| **share > 0.0);
            by_name(used.map(|(role, share)| (role, percent(*share))))
        },
    },
    Definition {
        key: "sustainability.overtime_rate",
        name: "Overtime over capacity",
        unit: "share",
        formula: "sum over agents of time at work beyond capacity / sum of capacities; capacity is the role's `capacity`, or the usual hours of its role",
        value: |m| {
            let strain = &m.sustainability;
            Some(format!(
                "{} ({:.1}h of {:.0}h)",
                percent(strain.overtime_rate),
                strain.overtime_hours,
                strain.capacity_hours
            ))
        },
    },
    Definition {
        key: "sustainability.agents_over_85_percent",
        name: "Agents over 85%",
        unit: "agents",
        formula: "agents with a task in hand for more than 85 % of the time of the sprint",
        value: |m| {
            Some(match m.sustainability.agents_over_85_percent.as_slice() {
                [] => "none".to_owned(),
                agents => agents.join(", "),
            })
        },
    },
    Definition {
        key: "sustainability.restarts",
        name: "Restarts",
        unit: "count",
        formula: "times that an agent that went down came back while the sprint was going; a stop of the director is none",
        value: |m| Some(m.sustainability.restarts.to_string()),
    },
    Definition {
        key: "sustainability.rework_rounds",
        name: "Rework rounds",
        unit: "count",
        formula: "times that reported work was turned down and counted as a failed attempt",
        value: |m| Some(m.sustainability.rework_rounds.to_string()),
    },
    Definition {
        key: "sustainability.feedback",
        name: "Agents' feedback",
        unit: "count",
        formula: "reports that say something about the work itself; the words are in the report",
        value: |m| Some(m.sustainability.feedback.to_string()),
    },
    Definition {
        key: "bugs.open",
        name: "Open bugs",
        unit: "count",
        formula: "tasks with a `severity` that are neither completed nor called off; beside it all that were reported",
        value: |m| {
            Some(match m.bugs.reported {
                0 => "none reported".to_owned(),
                all => format!("{} of {all}", m.bugs.open),
            })
        },
    },
    Definition {
        key: "attempts",
        name: "Attempts",
        unit: "count",
        formula: "assignments of a task to an agent; beside it those after a task's first, and agents that died at work",
        value: |m| {
            Some(format!(
                "{}, {} again, {}",
                m.attempts,
                m.retries,
                count(m.deaths, "death")
            ))
        },
    },
    Definition {
        key: "merges",
        name: "Merges",
        unit: "count",
        formula: "merges into the sprint's branch; beside it those that did not fit what was merged before, and conflicts that were seen earlier",
        value: |m| Some(text::merges(m)),
    },
    Definition {
        key: "elapsed_hours",
        name: "Time",
        unit: "hours",
        formula: "from the beginning of work to its end, or to now; beside it as planned",
        value: |m| {
            Some(format!(
                "{}; planned {:.1}h",
                elapsed(m.elapsed_hours),
                m.planned_hours
            ))
        },
    },
    Definition {
        key: "worked_hours",
        name: "Work",
        unit: "hours",
        formula: "time that agents had tasks in hand; beside it the estimate of what is completed",
        value: |m| {
            Some(format!(
                "{}; estimated {:.1}h",
                elapsed(m.worked_hours),
                m.estimated_hours
            ))
        },
    },
    Definition {
        key: "burndown",
        name: "Burndown",
        unit: "story points and tasks over time",
        formula: "committed minus completed, after each change",
        value: |m| {
            m.burndown.last().map(|left| {
                format!(
                    "{}, {} left",
                    count(left.points as usize, "point"),
                    count(left.tasks as usize, "task")
                )
            })
        },
    },
    Definition {
        key: "cost_usd",
        name: "Cost",
        unit: "US dollars",
        formula: "sum of what agents report to have spent, over all attempts",
        value: |m| m.cost_usd.map(|cost| format!("${cost:.2}")),
    },
];

/// The list as a page for the documents.
pub fn page() -> String {
    let mut out = String::from(
        "# Metrics\n\nWhat `director report` measures, all of it computed from the journal. The key is where the JSON has it, below \
         `metrics`. A number that nothing measured is `null` and *not measured*, never 0.\n\n\
         | metric | key | unit | formula |\n| --- | --- | --- | --- |\n",
    );
    for metric in &DEFINITIONS {
        out += &format!(
            "| {} | `{}` | {} | {} |\n",
            metric.name, metric.key, metric.unit, metric.formula
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_page_of_the_documents_is_this_list() {
        expect_file!["../../../../docs/metrics.md"].assert_eq(&page());
    }

    #[test]
    fn each_key_is_in_the_report_and_defined_once() {
        let view = serde_json::to_value(Metrics::default()).expect("JSON");
        let mut keys: Vec<&str> = DEFINITIONS.iter().map(|metric| metric.key).collect();
        for key in &keys {
            let found = key.split('.').try_fold(&view, |at, part| at.get(part));
            assert!(found.is_some(), "{key}");
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), DEFINITIONS.len());
    }
}
