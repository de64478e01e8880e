//! Instances of PSPLIB, the field's library of problems: its `.sm` files, single mode, renewable resources.
//!
//! The format is Kolisch and Sprecher's (EJOR 96, 1997): sections under headings, jobs numbered from 1, the first and the last
//! of them a source and a sink of no duration. All other headings are passed over.

use super::model::{Job, Problem, Way};

/// Why a text is no instance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct FormatError {
    /// From 1; 0 for the whole text.
    pub line: usize,
    /// What is wrong, and what should be there.
    pub what: String,
}

pub(super) fn wrong(line: usize, what: impl Into<String>) -> FormatError {
    FormatError {
        line,
        what: what.into(),
    }
}

/// What the lines under a heading are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Other,
    Precedence,
    Requests,
    Capacity,
}

/// The problem of an `.sm` text; a tick is the file's unit of time.
///
/// # Errors
/// [`FormatError`] names the line.
pub fn parse(text: &str) -> Result<Problem, FormatError> {
    let mut problem = Problem::default();
    let mut section = Section::Other;
    for (line, written) in (1..).zip(text.lines()) {
        let written = written.trim();
        let heading = match written {
            "PRECEDENCE RELATIONS:" => Some(Section::Precedence),
            "REQUESTS/DURATIONS:" => Some(Section::Requests),
            "RESOURCEAVAILABILITIES:" => Some(Section::Capacity),
            _ if written.ends_with(':') || written.starts_with('*') => Some(Section::Other),
            _ => None,
        };
        if let Some(heading) = heading {
            section = heading;
            continue;
        }
        // The names of columns, and lines that rule off.
        if section == Section::Other || !written.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let numbers = numbers(line, written)?;
        match section {
            Section::Precedence => precedence(&mut problem, line, &numbers)?,
            Section::Requests => request(&mut problem, line, &numbers)?,
            _ => problem.capacity = numbers,
        }
    }
    if problem.jobs.is_empty() {
        return Err(wrong(
            0,
            "there are no jobs under PRECEDENCE RELATIONS; is it an .sm file of PSPLIB?",
        ));
    }
    if let Some(job) = problem.jobs.iter().position(|job| job.ways.is_empty()) {
        return Err(wrong(
            0,
            format!("job {} has no line under REQUESTS/DURATIONS", job + 1),
        ));
    }
    Ok(problem)
}

fn numbers(line: usize, written: &str) -> Result<Vec<u32>, FormatError> {
    let words = written.split_whitespace();
    words
        .map(|word| {
            word.parse()
                .map_err(|_| wrong(line, format!("`{word}` is no whole number")))
        })
        .collect()
}

fn precedence(problem: &mut Problem, line: usize, numbers: &[u32]) -> Result<(), FormatError> {
    let [job, modes, successors, listed @ ..] = numbers else {
        return Err(wrong(
            line,
            "a job, its modes and its successors should be here",
        ));
    };
    if *modes != 1 {
        return Err(wrong(line, "only jobs of one mode are known"));
    }
    if listed.len() != *successors as usize || *job as usize != problem.jobs.len() + 1 {
        return Err(wrong(
            line,
            "jobs are not numbered from 1, or the successors are not as many as they are said to be",
        ));
    }
    problem.jobs.push(Job::default());
    for next in listed {
        let next = next
            .checked_sub(1)
            .ok_or_else(|| wrong(line, "jobs are numbered from 1"))?;
        problem.edges.push((job - 1, next));
    }
    Ok(())
}

fn request(problem: &mut Problem, line: usize, numbers: &[u32]) -> Result<(), FormatError> {
    let [job, _, duration, units @ ..] = numbers else {
        return Err(wrong(
            line,
            "a job, its mode, its duration and its demands should be here",
        ));
    };
    let place = (*job as usize).checked_sub(1);
    let found = place.and_then(|place| problem.jobs.get_mut(place));
    let found =
        found.ok_or_else(|| wrong(line, format!("job {job} is not under PRECEDENCE RELATIONS")))?;
    let demand = (0..)
        .zip(units.iter().copied())
        .filter(|&(_, units)| units > 0)
        .collect();
    found.ways = vec![Way {
        duration: *duration,
        demand,
        misfit: 0,
    }];
    Ok(())
}
