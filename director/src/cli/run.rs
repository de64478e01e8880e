//! `director run`: a sprint in the foreground, from its file to its report.
//!
//! ```text
//! read the file ─▶ who holds the data directory?
//!                    a director: submit to it and follow
//!                    nobody:     over already ─▶ report
//!                                otherwise start a director here, submit or resume, follow, stop, report
//! ```
//!
//! Elsewhere: showing how it goes is [`super::follow`]; the actors behind [`Running`] are `system`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use director_protocols::manifest::Purpose;
use director_protocols::sprint::SprintSpec;

use super::deliver;
use super::end::{CliError, Code};
use super::follow::{Director, End, Signals, Wanted, follow};
use super::output::note;
use super::progress::LOOK_EVERY;
use super::source::{self, Source};
use super::{Context, home, plan};
use crate::control::foresight;
use crate::control::protocol::{Answer, Ask, Fault, FaultKind, ReportFormat};
use crate::control::server;
use crate::control::submission;
use crate::planner;
use crate::report::plan as plan_report;
use crate::system::{MakeService, Running};
use crate::traces;

/// How often a follower looks whether a director that fell silent has ended: half a minute, which is more than its stop
/// in order takes.
const GONE_LOOKS: u32 = 300;

/// Run a sprint in the foreground, or resume it
///
/// Run it again after an interruption and it goes on where it was; after the end, and it shows the report. Ctrl-C
/// stops in order, a second one at once.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// The sprint file
    #[arg(default_value = home::FILE)]
    file: PathBuf,
    /// Show the plan and what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Begin nothing before every question is answered in the inbox: descriptions, criteria, estimates, kinds, sizes, dates, links
    #[arg(long)]
    strict: bool,
    /// Print the final report as one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: RunArgs, cx: &mut Context) -> Result<Code, CliError> {
    let mut manifest = plan::read(&args.file, Purpose::Run, cx)?;
    for guess in plan::guessed_kinds(&mut manifest) {
        note(&format!("guess: {guess}"));
    }
    manifest.spec.ways.start.strict |= args.strict;
    let here = args.file.parent().unwrap_or(Path::new(""));
    submission::before_start(&mut manifest, here);
    let data_dir = home::of_sprint(cx.data_dir.as_deref(), &manifest.spec, &args.file)?;
    if args.dry_run {
        return dry_run(&manifest.spec, &data_dir, cx);
    }
    carry_through(manifest.spec, &args.file, &data_dir, args.json, cx)
}

/// Carries a sprint through, on a runtime of its own.
pub(super) fn carry_through(
    spec: SprintSpec,
    file: &Path,
    data_dir: &Path,
    json: bool,
    cx: &mut Context,
) -> Result<Code, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::Failed(format!("could not start: {error}")))?;
    let code = runtime.block_on(whole(spec, file, data_dir, json, cx));
    // What still blocks, such as a read of a slow disk, is not waited for.
    runtime.shutdown_background();
    code
}

/// Says what would be done.
fn dry_run(spec: &SprintSpec, data_dir: &Path, cx: &mut Context) -> Result<Code, CliError> {
    let plan = planner::plan(spec)?;
    cx.output.text(&plan_report::markdown(spec, &plan))?;
    let id = &spec.id;
    let mut lines = vec!["## What a run would do".to_owned(), String::new()];
    match (&spec.repo, &spec.base) {
        (Some(repo), base) => {
            let base = base.as_deref().unwrap_or("the branch that is checked out");
            lines.push(format!(
                "- run the gates on `{base}` of `{repo}` before anything starts"
            ));
            lines.push(format!(
                "- make the branch `sprint/{id}` from it, and worktrees below `.worktrees/`"
            ));
            lines.push(format!("- merge each task's work into `sprint/{id}` once its gates pass; `{base}` stays as it is"));
        }
        (None, _) => lines
            .push("- run tasks in scratch directories: the sprint names no repository".to_owned()),
    }
    lines.push(format!("- keep the journal in `{}`", data_dir.display()));
    lines.push(String::new());
    lines.push("Nothing has been done.".to_owned());
    cx.output.text(&format!("\n{}\n", lines.join("\n")))?;
    Ok(Code::Done)
}

async fn whole(
    spec: SprintSpec,
    file: &Path,
    data_dir: &Path,
    json: bool,
    cx: &mut Context,
) -> Result<Code, CliError> {
    let wanted = Wanted {
        spec,
        file: file.to_owned(),
        json,
    };
    if let Some(client) = source::director(data_dir).await? {
        note(&also_there(data_dir));
        return run_elsewhere(Director::There(Box::new(client)), wanted, data_dir, cx).await;
    }
    if home::has_journal(data_dir)
        && let Some(code) = over_already(&wanted, data_dir, cx).await?
    {
        return Ok(code);
    }
    run_here(wanted, data_dir, cx).await
}

fn also_there(data_dir: &Path) -> String {
    let dir = data_dir.display();
    format!("a director runs already in `{dir}`; this follows the sprint there")
}

/// The report of a sprint that is over, without starting anything.
async fn over_already(
    wanted: &Wanted,
    data_dir: &Path,
    cx: &mut Context,
) -> Result<Option<Code>, CliError> {
    let mut source = Source::open(data_dir).await?;
    let found = match deliver::sprint_of(&mut source, wanted.sprint()).await {
        Ok(facts) => facts,
        Err(CliError::Fault(Fault {
            kind: FaultKind::NotFound,
            ..
        })) => return Ok(None),
        Err(error) => return Err(error),
    };
    if !found.over || found.state == "refused" {
        return Ok(None);
    }
    wanted.compare(&found);
    let report = source
        .ask(
            Ask::Report {
                sprint: wanted.sprint(),
                format: ReportFormat::Terminal,
            },
            cx.output.screen,
        )
        .await?;
    let why = "it has ended before, and nothing was started";
    note(&format!(
        "sprint `{}` is {}: {why}",
        found.sprint, found.state
    ));
    finish(End::Over(Box::new(found)), Some(report), wanted, cx).map(Some)
}

/// Starts a director in this process and carries the sprint through.
async fn run_here(wanted: Wanted, data_dir: &Path, cx: &mut Context) -> Result<Code, CliError> {
    let mut signals = Signals::listen()?;
    // Before the data directory is there, or git would count it among the user's changes.
    submission::hide_our_folders(&wanted.spec);
    let running = match start(data_dir, Vec::new(), cx).await {
        Ok(running) => running,
        // Another one that was started in the same moment may have been faster.
        Err(error) => match source::director(data_dir).await? {
            Some(client) => {
                note(&also_there(data_dir));
                let director = Director::There(Box::new(client));
                return run_elsewhere(director, wanted, data_dir, cx).await;
            }
            None => return Err(error),
        },
    };
    let mut director = Director::Here(running.handle.clone());
    let followed = follow(&mut director, &wanted, &mut signals, cx).await;
    if let Ok((End::Interrupted, _)) = &followed {
        note(
            "stopping: agents are interrupted and their work is saved; Ctrl-C again stops at once",
        );
    }
    let ended = match followed {
        Ok((end, report)) => {
            let by_itself = matches!(end, End::Over(_) | End::Waits(_));
            let code = finish(end, report, &wanted, cx);
            if by_itself {
                stay(&mut director, &wanted, &mut signals).await;
            }
            code
        }
        Err(error) => Err(error),
    };
    stop(running, &mut signals).await?;
    ended
}

/// Stays for the other sprints that go on in this process, some of them followed from other terminals, until none does or
/// the user stops it.
async fn stay(director: &mut Director, wanted: &Wanted, signals: &mut Signals) {
    let mut said = false;
    // A director that cannot be asked has ended.
    while let Ok(others) = director.others_at_work(wanted).await
        && !others.is_empty()
    {
        if !said {
            said = true;
            let others = others.join(", ");
            note(&format!(
                "{others} goes on in this process until it is over too; Ctrl-C stops it in order"
            ));
        }
        tokio::select! {
            biased;
            () = signals.next() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Starts the director, with the control socket and other services among its actors.
pub(super) async fn start(
    data_dir: &Path,
    services: Vec<(&str, MakeService)>,
    cx: &mut Context,
) -> Result<Running, CliError> {
    let builder = cx.builder.take();
    let mut builder =
        builder.ok_or_else(|| CliError::Failed("a director was started already".into()))?;
    for (name, make) in services {
        builder = builder.service(name, make);
    }
    let served = data_dir.to_owned();
    let api: MakeService = Arc::new(move |handle| Box::pin(server::run(served.clone(), handle)));
    let traces = traces::Settings::of_environment().map_err(CliError::Input)?;
    let builder = builder
        .traces(traces)
        .data_dir(data_dir)
        .guard_exe(std::env::current_exe().ok())
        .service("api", api)
        .service(
            "foresight",
            Arc::new(|handle| Box::pin(foresight::run(handle))),
        )
        .on_journal_failure(|error| {
            // Nothing that was not acknowledged may leave any more; the next start reads what is there.
            note(&format!("error: {error}"));
            std::process::exit(Code::Internal as i32)
        });
    Ok(builder.start().await?)
}

/// Stops the director of this process in order; a second signal ends the process.
async fn stop(running: Running, signals: &mut Signals) -> Result<(), CliError> {
    running.handle.shutdown();
    let stopped = running.wait();
    tokio::pin!(stopped);
    tokio::select! {
        biased;
        ended = &mut stopped => Ok(ended?),
        () = signals.next() => {
            note("stopped at once; run it again to go on");
            // The guard ends what is left of the commands; the journal has all that was acknowledged.
            std::process::exit(Code::Unfinished as i32)
        }
    }
}

/// Follows a sprint that another process carries through.
async fn run_elsewhere(
    mut director: Director,
    wanted: Wanted,
    data_dir: &Path,
    cx: &mut Context,
) -> Result<Code, CliError> {
    let mut signals = Signals::listen()?;
    let (end, report) = follow(&mut director, &wanted, &mut signals, cx).await?;
    // It goes as soon as its own sprint is over, often between two of our looks: the journal tells.
    if let End::DirectorGone = end
        && let Ok(mut source) = once_it_is_gone(data_dir).await
        && let Ok(facts) = deliver::sprint_of(&mut source, wanted.sprint()).await
        && facts.over
    {
        let ask = Ask::Report {
            sprint: wanted.sprint(),
            format: ReportFormat::Terminal,
        };
        let report = source.ask(ask, cx.output.screen).await?;
        return finish(End::Over(Box::new(facts)), Some(report), &wanted, cx);
    }
    if let End::Interrupted = end {
        note("no longer following; the director goes on (`director status`, `director cancel`)");
        return Ok(Code::Unfinished);
    }
    finish(end, report, &wanted, cx)
}

/// The journal, or whoever runs next: a director that stops holds both for a moment after it has fallen silent.
async fn once_it_is_gone(data_dir: &Path) -> Result<Source, CliError> {
    let mut looks = 0;
    loop {
        match Source::open(data_dir).await {
            Err(_) if looks < GONE_LOOKS => looks += 1,
            opened => return opened,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Prints what is left to say, and gives the code.
fn finish(
    end: End,
    last: Option<Answer>,
    wanted: &Wanted,
    cx: &mut Context,
) -> Result<Code, CliError> {
    let again = format!("`director run {}`", wanted.file.display());
    match end {
        End::Over(facts) if facts.state == "refused" => {
            let text = format!("sprint `{}` cannot run: {}", facts.sprint, facts.refused);
            Err(CliError::Input(text))
        }
        End::Over(facts) => {
            if let Some(report) = last {
                cx.output.answer(&report, wanted.json)?;
                cx.output.flush()?;
            }
            for kept in &facts.kept {
                note(&format!("kept: {kept}"));
            }
            Ok(match facts.state.as_str() {
                "done" => {
                    if facts.repo.is_some() && facts.delivered.is_none() {
                        note("`director deliver` brings it into the base branch");
                    }
                    Code::Done
                }
                "cancelled" => Code::Cancelled,
                _ => {
                    let what = match facts.given_up.as_slice() {
                        [] => "committed tasks are not done".to_owned(),
                        tasks => format!("given up: {}", tasks.join(", ")),
                    };
                    note(&format!(
                        "{what}; `director why TASK` tells why, `director retry --all` and {again} try again"
                    ));
                    Code::Incomplete
                }
            })
        }
        End::Waits(windows) => {
            if let Some(inbox) = last {
                cx.output.answer(&inbox, wanted.json)?;
                cx.output.flush()?;
            }
            for window in &windows {
                note(&format!(
                    "{window}; `director serve` goes on by itself then"
                ));
            }
            note(&format!(
                "only people are waited for; `director answer ID …` answers, {again} goes on"
            ));
            Ok(Code::Unfinished)
        }
        End::Interrupted => {
            note(&format!(
                "stopped, nothing is lost; {again} goes on where it was"
            ));
            Ok(Code::Unfinished)
        }
        End::DirectorGone => {
            note(&format!(
                "the director has stopped before the sprint's end; {again} goes on where it was"
            ));
            Ok(Code::Unfinished)
        }
    }
}
