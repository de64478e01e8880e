//! A sprint file on its way in: read for running, made clear by rule, and refused when nobody here could do it.
//!
//! Elsewhere: the file itself is `director_protocols::manifest`; whether the sprint is taken in is the engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use director_agents::coding::{self, acp, allow};
use director_agents::git::Repository;
use director_agents::process::{self, sandbox};
use director_agents::roles;
use director_protocols::ids::Name;
use director_protocols::manifest::{self, Format, Manifest, Options, Purpose};
use director_protocols::sprint::{RoleSpec, SprintSpec};
use director_protocols::time::Span;
use director_protocols::unclear::{About, Question};

use crate::engine::people::PERSON;
use crate::planner::clarify::{What, clarify};
use crate::planner::{self, questions, risks};
use crate::report::calibration::{self, Calibration};
use crate::report::text;

/// A sprint that can be submitted.
#[derive(Clone, Debug)]
pub struct Submission {
    /// All of it.
    pub spec: SprintSpec,
    /// What the sender should know: warnings, and what was guessed.
    pub notes: Vec<String>,
}

/// A sprint file as somebody sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it says.
    pub text: String,
    /// What it is called where something is wrong with it.
    pub origin: String,
    /// How it is written.
    pub format: Format,
    /// Where what is relative in it begins.
    pub dir: PathBuf,
}

impl File {
    /// Reads it; `kinds` are the agents of this program.
    ///
    /// # Errors
    /// Everything that is wrong with it, in words.
    pub fn read(&self, purpose: Purpose, kinds: &[String]) -> Result<Manifest, String> {
        let known: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let options = Options {
            known_agents: &known,
            dir: Some(&self.dir),
            purpose,
            role_files: Some(roles::find),
        };
        manifest::parse(&self.text, &self.origin, self.format, &options)
            .map_err(|error| error.to_string())
    }
}

/// Reads the text of a sprint file that is to be run; `kinds` are the agents of this program.
///
/// # Errors
/// Everything that is wrong with it, in words.
pub fn parse(file: &File, kinds: &[String]) -> Result<Submission, String> {
    let mut manifest = file.read(Purpose::Run, kinds)?;
    let known: Vec<&str> = kinds.iter().map(String::as_str).collect();
    fit(&manifest.spec, &known)?;
    let mut notes = manifest.warnings.clone();
    notes.extend(about_roles(&manifest.spec));
    notes.extend(guessed_kinds(&mut manifest));
    before_start(&mut manifest, &file.dir);
    notes.extend(about_questions(&manifest.spec));
    Ok(Submission {
        spec: manifest.spec,
        notes,
    })
}

/// Keeps our folders out of what git counts as the user's changes; to be called before there are any. What is wrong with
/// the repository is said when the sprint is prepared.
pub fn hide_our_folders(spec: &SprintSpec) {
    if let Some(repo) = &spec.repo
        && let Ok(repository) = Repository::open(Path::new(repo))
    {
        let _ = repository.hide_our_folders();
    }
}

/// Makes clear what rules can, and gives those guesses in words that change who does what.
pub fn guessed_kinds(manifest: &mut Manifest) -> Vec<String> {
    let guessed = clarify(&mut manifest.spec, &manifest.unsorted, &[]);
    let kinds = guessed
        .iter()
        .filter(|guess| matches!(guess.what, What::Kind(..)));
    kinds.map(|guess| text::line(&guess.to_string())).collect()
}

/// Agents that read nothing: their task is what they run, whatever else is written about it.
const READ_NOTHING: [&str; 2] = ["command", "simulated"];

/// Puts what is known before the start into the sprint: what the plan promises, and the questions that no rule settles, to be asked when it is
/// taken in. Where the start does not wait for
/// them, only those whose answer an agent would read; `dir` is where the file lies.
pub fn before_start(manifest: &mut Manifest, dir: &Path) {
    let Manifest {
        spec,
        unsorted,
        unrated,
        ..
    } = manifest;
    let mut found: Vec<(Option<u32>, Question)> = Vec::new();
    let known = questions::find(spec);
    let open = questions::left_open(spec, unsorted, unrated);
    for question in known.into_iter().chain(open) {
        let name = |task: u32| spec.tasks[task as usize].id.clone();
        let asked = Question {
            task: question.task.map(name),
            about: question.about.about(),
            text: question.about.to_string(),
        };
        found.push((question.task, asked));
    }
    found.extend(dead_links(spec, dir));
    if !spec.ways.start.strict {
        let deaf: BTreeSet<&Name> = spec
            .team
            .iter()
            .filter(|role| READ_NOTHING.contains(&role.agent.kind.as_str()))
            .map(|role| &role.name)
            .collect();
        // How long something takes is for those who plan.
        let planning = [About::Dates, About::Estimate, About::Size];
        found.retain(|(task, question)| {
            let read = |task: u32| !deaf.contains(&spec.tasks[task as usize].role);
            task.is_some_and(read) && !planning.contains(&question.about)
        });
        let begun = begins_at_once(spec);
        found.retain(|(task, _)| task.is_none_or(|task| !begun.contains(&task)));
    }
    found.sort_by_key(|(task, question)| (*task, question.about));
    spec.ways.start.questions = found.into_iter().map(|(_, question)| question).collect();
    plan(spec);
}

/// Tasks that begin as soon as the sprint is taken in, as far as the file tells: nobody could answer a question about them in time.
fn begins_at_once(spec: &SprintSpec) -> BTreeSet<u32> {
    let mut free: BTreeMap<&Name, u32> = spec
        .team
        .iter()
        .map(|role| (&role.name, role.count))
        .collect();
    (0..)
        .zip(&spec.tasks)
        .filter(|(_, task)| task.depends_on.is_empty())
        .filter(|(_, task)| {
            let left = free.get_mut(&task.role);
            left.is_some_and(|left| {
                let begins = *left > 0;
                *left = left.saturating_sub(1);
                begins
            })
        })
        .map(|(place, _)| place)
        .collect()
}

/// Corrects the estimates by the past, and plans the sprint by what they are then; gives a sentence for each kind of task that
/// changed, or one that says why none did.
pub fn calibrated(spec: &mut SprintSpec, past: &Calibration) -> Vec<String> {
    let changes = calibration::apply(spec, past);
    plan(spec);
    match changes.is_empty() {
        true => vec![format!(
            "estimates stay as they are: no kind of task of this sprint was completed {} times before",
            calibration::TASKS_MIN
        )],
        false => changes,
    }
}

/// Notes what the plan promises, so that every report has the plan's own figure, and the risks that the engine watches.
pub fn plan(spec: &mut SprintSpec) {
    let Ok(plan) = planner::plan(spec) else {
        return; // The engine says what is wrong with it.
    };
    spec.ways.start.planned = Some(Span(plan.schedule.makespan));
    spec.ways.start.risks = risks::watched(spec, &plan);
}

/// What the sender should know of the questions that will be asked.
pub fn about_questions(spec: &SprintSpec) -> Option<String> {
    let start = &spec.ways.start;
    let count = match start.questions.len() {
        0 => return None,
        1 => "1 thing is".to_owned(),
        more => format!("{more} things are"),
    };
    Some(match start.strict {
        true => {
            format!("{count} unclear: nothing begins before each is answered (`director inbox`)")
        }
        false => format!(
            "{count} unclear and asked in the inbox; work begins without the answers (`strict` waits for them)"
        ),
    })
}

/// Specifications and designs that a task names and that are not there; addresses are not looked at.
pub fn dead_links(spec: &SprintSpec, dir: &Path) -> Vec<(Option<u32>, Question)> {
    let repo = spec.repo.as_ref().map(PathBuf::from);
    let there = |place: &str| {
        let place = place.split('#').next().unwrap_or(place);
        place.contains("://")
            || [Some(dir), repo.as_deref()]
                .into_iter()
                .flatten()
                .any(|dir| dir.join(place).exists())
    };
    let mut dead = Vec::new();
    for (at, task) in (0..).zip(&spec.tasks) {
        for (about, what, place) in [
            (About::Spec, "specification", &task.spec),
            (About::Design, "design", &task.design),
        ] {
            if let Some(place) = place.as_ref().filter(|place| !there(place)) {
                let text = format!("its {what} `{place}` is not there: where is it?");
                let asked = Question {
                    task: Some(task.id.clone()),
                    about,
                    text: text::line(&text),
                };
                dead.push((Some(at), asked));
            }
        }
    }
    dead
}

/// What the roles that have work ask for and do not get, and what they are free to do.
pub fn about_roles(spec: &SprintSpec) -> Vec<String> {
    let used: BTreeSet<_> = spec.tasks.iter().map(|task| &task.role).collect();
    let roles = spec.team.iter().filter(|role| used.contains(&role.name));
    roles
        .flat_map(|role| {
            [
                allow::not_honoured(role),
                allow::free_hand(role),
                unconfined(role),
            ]
        })
        .flatten()
        .collect()
}

/// Whether a sprint can run here: its agents' kinds and programs, and the sandbox that it asks for.
///
/// # Errors
/// The first thing that is missing, in words.
pub fn fit(spec: &SprintSpec, kinds: &[&str]) -> Result<(), String> {
    runnable(spec, kinds)?;
    confinable(spec)?;
    missing_programs(spec)
        .into_iter()
        .next()
        .map_or(Ok(()), Err)
}

/// A sprint may be planned for agents of any kind; to run it, this program has to have them.
///
/// # Errors
/// Which role has an agent that nobody here can be, in words.
fn runnable(spec: &SprintSpec, kinds: &[&str]) -> Result<(), String> {
    let missing = |role: &&RoleSpec| {
        let kind = role.agent.kind.as_str();
        kind != PERSON && !kinds.contains(&kind)
    };
    let Some(role) = spec.team.iter().find(missing) else {
        return Ok(());
    };
    Err(format!(
        "role `{}` has an agent of the kind `{}`, which this program cannot run; it has {}: change `agent` of the role, \
         or run it with a program that registers the kind",
        role.name,
        role.agent.kind,
        kinds.join(", ")
    ))
}

/// The programs of agents with work that are not on this machine, in a sentence for each role.
pub fn missing_programs(spec: &SprintSpec) -> Vec<String> {
    let used: BTreeSet<_> = spec.tasks.iter().map(|task| &task.role).collect();
    let roles = spec.team.iter().filter(|role| used.contains(&role.name));
    let missing = roles.filter_map(|role| {
        let program = coding::program_of(&role.agent)?;
        (!process::is_there(&program)).then(|| {
            format!(
                "role `{}`: its agents are the program `{program}`, which is not there; install it, or name another in `program` of its agent",
                role.name
            )
        })
    });
    missing.collect()
}

/// What is wrong with the repository of a sprint that is only planned, in a sentence.
pub fn no_repository(spec: &SprintSpec) -> Option<String> {
    let path = spec.repo.as_ref()?;
    let repository = match Repository::open(Path::new(path)) {
        Ok(repository) => repository,
        Err(error) => return Some(format!("a run would be refused: {error}")),
    };
    let base = spec.base.as_ref()?;
    match repository.resolve(&format!("refs/heads/{base}")) {
        Ok(None) => Some(format!(
            "a run would be refused: `{path}` has no branch `{base}` yet"
        )),
        _ => None,
    }
}

/// A sprint with a sandbox runs where the kernel can hold one, and nowhere else.
///
/// # Errors
/// What is missing, in words.
fn confinable(spec: &SprintSpec) -> Result<(), String> {
    let wanted = spec.sandbox.is_some() || spec.team.iter().any(|role| role.sandbox.is_some());
    match wanted {
        true => sandbox::supported().map_err(|why| {
            format!("{why}; take `[sandbox]` and `isolation = \"sandbox\"` out of the sprint file to run it without")
        }),
        false => Ok(()),
    }
}

/// Which agents of a sprint with a sandbox are none of its processes, in a sentence for each role that has work.
fn unconfined(role: &RoleSpec) -> Option<String> {
    let kind = role.agent.kind.as_str();
    let confined = ["command", "claude", "remote", "simulated", PERSON].contains(&kind)
        || acp::AGENTS.contains(&kind);
    (role.sandbox.is_some() && !confined).then(|| {
        format!(
            "role `{}`: an agent of the kind `{kind}` is part of the director, and the sandbox does not hold it",
            role.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::examples::role;

    #[test]
    fn a_kind_that_nobody_registered_is_said_before_anything_starts() {
        let mut spec = crate::planner::examples::checkout();
        assert!(runnable(&spec, &["command"]).is_ok());
        let mut product = role("product", 1, &[]);
        product.agent.kind = "person".to_owned();
        spec.team.push(product);
        assert!(
            runnable(&spec, &["command"]).is_ok(),
            "people need no program"
        );
        let last = spec.team.len() - 1;
        spec.team[last].agent.kind = "codex".to_owned();
        let error = runnable(&spec, &["claude", "command"]).expect_err("nobody has it");
        assert_eq!(
            error,
            "role `product` has an agent of the kind `codex`, which this program cannot run; it has claude, command: \
             change `agent` of the role, or run it with a program that registers the kind"
        );
    }
}
