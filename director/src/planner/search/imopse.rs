//! Instances of iMOPSE, multi-skill project scheduling: its `.def` files. One agent a job, who has the skill at the level or above.
//!
//! The format is Myszkowski, Skowroński, Olech and Oślizło's (Soft Computing 19, 2015): a head, then a line for each agent (`id salary skill:
//! level …`), then one for each job (`id duration skill: level predecessors…`). An agent becomes a resource of one
//! unit, and each able agent a way of the job; skills that an agent has besides are its misfit, so that a specialist is taken first.

use super::model::{Job, Problem, Way};
use super::psplib::{FormatError, wrong};

/// What the lines are.
#[derive(PartialEq, Eq)]
enum Section {
    Head,
    Agents,
    Jobs,
}

/// Skills by name, and the level of each.
type Skills<'t> = Vec<(&'t str, u32)>;

/// The problem of a `.def` text; a tick is the file's hour.
///
/// # Errors
/// [`FormatError`] names the line.
pub fn parse(text: &str) -> Result<Problem, FormatError> {
    let mut section = Section::Head;
    let mut agents: Vec<Skills> = Vec::new();
    let mut problem = Problem::default();
    for (line, written) in (1..).zip(text.lines()) {
        let words: Vec<&str> = written.split_whitespace().collect();
        match words.first().copied() {
            Some("ResourceID") => section = Section::Agents,
            Some("TaskID") => section = Section::Jobs,
            Some(word) if word.starts_with(|c: char| c.is_ascii_digit()) => match section {
                Section::Head => {}
                Section::Agents => agents.push(skills(line, words.get(2..).unwrap_or_default())?.0),
                Section::Jobs => job(&mut problem, line, &words, &agents)?,
            },
            _ => {}
        }
    }
    if problem.jobs.is_empty() {
        return Err(wrong(
            0,
            "there are no jobs under TaskID; is it a .def file of iMOPSE?",
        ));
    }
    problem.capacity = vec![1; agents.len()];
    Ok(problem)
}

/// `Q3: 1 Q5: 1`, and what follows them.
fn skills<'t, 'w>(
    line: usize,
    words: &'w [&'t str],
) -> Result<(Skills<'t>, &'w [&'t str]), FormatError> {
    let mut found = Vec::new();
    let mut rest = words;
    while let [skill, level, after @ ..] = rest
        && let Some(skill) = skill.strip_suffix(':')
    {
        found.push((skill, number(line, level)?));
        rest = after;
    }
    Ok((found, rest))
}

fn number(line: usize, word: &str) -> Result<u32, FormatError> {
    word.parse()
        .map_err(|_| wrong(line, format!("`{word}` is no whole number")))
}

fn job(
    problem: &mut Problem,
    line: usize,
    words: &[&str],
    agents: &[Skills],
) -> Result<(), FormatError> {
    let place = problem.jobs.len() as u32;
    let [id, duration, rest @ ..] = words else {
        return Err(wrong(
            line,
            "a job, its duration, its skills and its predecessors should be here",
        ));
    };
    if number(line, id)? != place + 1 {
        return Err(wrong(line, "jobs are not numbered from 1"));
    }
    let duration = number(line, duration)?;
    let (needed, before) = skills(line, rest)?;
    for word in before {
        let before = number(line, word)?.checked_sub(1);
        problem.edges.push((
            before.ok_or_else(|| wrong(line, "jobs are numbered from 1"))?,
            place,
        ));
    }
    let able = |has: &[(&str, u32)]| {
        let enough = |&(skill, level): &(&str, u32)| {
            has.iter().any(|&(own, at)| own == skill && at >= level)
        };
        needed.iter().all(enough)
    };
    let ways = (0..).zip(agents).filter(|(_, has)| able(has));
    let ways: Vec<Way> = ways
        .map(|(agent, has)| Way {
            duration,
            demand: vec![(agent, 1)],
            misfit: has.len() as u32,
        })
        .collect();
    if ways.is_empty() {
        return Err(wrong(line, format!("no agent can do job {id}")));
    }
    problem.jobs.push(Job {
        ways,
        ..Job::default()
    });
    Ok(())
}
