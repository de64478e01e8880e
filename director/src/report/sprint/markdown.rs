//! The report as Markdown.

use std::fmt::Write as _;

use super::ReportView;
use crate::report::text::markdown as md;
use crate::view::{at_minute, count, elapsed, short_commit};

/// The whole report, ending with the success criteria.
pub fn markdown(view: &ReportView) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, view);
    out
}

fn write(out: &mut String, view: &ReportView) -> std::fmt::Result {
    let m = &view.metrics;
    writeln!(out, "# Sprint {}: {}\n", md(&view.sprint), view.outcome)?;
    if let Some(epic) = &view.epic {
        writeln!(out, "- Epic: {}", md(epic))?;
    }
    if let Some(began) = &view.began {
        let ended = view.ended.as_deref().map(at_minute);
        writeln!(
            out,
            "- Time: {} to {} ({}; planned {:.1}h)",
            at_minute(began),
            ended.as_deref().unwrap_or("still going"),
            elapsed(m.elapsed_hours),
            m.planned_hours
        )?;
    }
    if let Some(reason) = &view.reason {
        writeln!(out, "- Refused: {}", md(reason))?;
    }
    writeln!(
        out,
        "- Completed: {:.0}% of the tasks, {} of {}",
        m.completion_rate * 100.0,
        m.velocity,
        count(m.target_velocity as usize, "point")
    )?;
    if let Some(head) = &view.head {
        writeln!(out, "- Integration branch: `{head}`")?;
    }
    if let Some(commit) = &view.delivered {
        writeln!(out, "- Delivered: `{commit}`")?;
    }
    writeln!(
        out,
        "\n## Tasks\n\n| task | status | agent | attempts | cycle | commit |\n| --- | --- | --- | ---: | ---: | --- |"
    )?;
    for task in &view.tasks {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            md(&task.id),
            task.status,
            task.agent.as_deref().map_or_else(String::new, md),
            task.attempts,
            task.cycle_hours.map_or_else(String::new, elapsed),
            task.commits
                .last()
                .map_or_else(String::new, |commit| format!(
                    "`{}`",
                    md(short_commit(commit))
                ))
        )?;
    }
    writeln!(out, "\n## Metrics\n\n| metric | value |\n| --- | --- |")?;
    for (name, value) in super::text::figures(view) {
        writeln!(out, "| {name} | {} |", md(&value))?;
    }
    if !m.cycle_hours.is_empty() {
        writeln!(
            out,
            "\n| kind | tasks | mean | shortest | longest | estimated |\n| --- | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for (kind, cycle) in &m.cycle_hours {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                md(kind),
                cycle.tasks,
                elapsed(cycle.mean),
                elapsed(cycle.min),
                elapsed(cycle.max),
                elapsed(cycle.estimated)
            )?;
        }
    }
    if m.shares.len() > 1 || m.shares.values().any(|share| share.most.is_some()) {
        writeln!(
            out,
            "\n| class of work | at most | planned | actual |\n| --- | ---: | ---: | ---: |"
        )?;
        for (class, share) in &m.shares {
            let most = share
                .most
                .map_or_else(String::new, |most| format!("{:.0} %", most * 100.0));
            writeln!(
                out,
                "| {class} | {most} | {:.0} % ({:.2}h) | {:.0} % ({:.2}h) |",
                share.planned * 100.0,
                share.planned_hours,
                share.actual * 100.0,
                share.actual_hours
            )?;
        }
    }
    let teams = ["product", "qa", "devops"];
    let to_teams = view.hand_offs.iter();
    let packages: Vec<_> = to_teams
        .filter(|row| teams.contains(&row.to.as_str()))
        .collect();
    if !packages.is_empty() || !view.deployments.is_empty() {
        writeln!(out, "\n## Other teams\n")?;
        for row in packages {
            writeln!(out, "- {} to {}: {}", md(&row.from), md(&row.to), row.state)?;
        }
        for row in &view.deployments {
            writeln!(
                out,
                "- deployment of {}: {}, {}",
                md(&row.what),
                row.state,
                md(&row.detail)
            )?;
        }
    }
    if !view.blockers.is_empty() {
        writeln!(out, "\n## Blockers\n")?;
        for blocker in &view.blockers {
            writeln!(
                out,
                "- **{}** {}: {} ({})",
                blocker.severity.as_str(),
                md(&blocker.task),
                md(&blocker.text),
                md(&blocker.ending())
            )?;
        }
    }
    writeln!(out, "\n## Incidents\n")?;
    if view.incidents.is_empty() {
        writeln!(out, "- none")?;
    }
    for incident in &view.incidents {
        writeln!(out, "- {} {}", incident.at, md(&incident.sentence()))?;
    }
    writeln!(out, "\n## Risks\n")?;
    if view.risks.is_empty() {
        writeln!(out, "- none")?;
    }
    for risk in &view.risks {
        let mark = if risk.came_true() { "x" } else { " " };
        writeln!(
            out,
            "- [{mark}] {} ({})",
            md(&risk.sentence()),
            super::cited(&risk.seqs)
        )?;
    }
    writeln!(out, "\n## Lessons\n")?;
    if view.lessons.is_empty() {
        writeln!(out, "- none")?;
    } else {
        for lesson in &view.lessons {
            writeln!(
                out,
                "- {}. Next time: {}. ({})",
                md(&lesson.text),
                md(&lesson.suggestion),
                super::cited(&lesson.seqs)
            )?;
        }
    }
    if !view.feedback.is_empty() {
        writeln!(out, "\n## Feedback of agents\n")?;
        for feedback in &view.feedback {
            writeln!(out, "- {}: {}", md(&feedback.task), md(&feedback.text))?;
        }
    }
    if !view.next_sprint.is_empty() {
        writeln!(out, "\n## For the next sprint\n")?;
        for task in &view.next_sprint {
            writeln!(
                out,
                "- {} ({}, {}): {}",
                md(&task.id),
                task.status,
                count(task.points as usize, "point"),
                md(&task.reason)
            )?;
        }
    }
    writeln!(out, "\n## Success criteria\n")?;
    for row in &view.success_criteria {
        let mark = match row.standing {
            super::Standing::Met => "x",
            _ => " ",
        };
        writeln!(
            out,
            "- [{mark}] {}: **{}**, {}",
            row.criterion,
            row.standing.as_str(),
            md(&row.evidence)
        )?;
    }
    Ok(())
}
