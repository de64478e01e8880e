//! The command line: what users type, what they read, and with which code the process ends.
//!
//! A subcommand is one file: the user's words as a `clap` struct, and a function that does it. Data goes to
//! standard output and everything else to standard error. A command speaks to the director that holds the
//! data directory, or reads the journal when none does; `source` is where that is decided.
//!
//! [`run()`] is the whole program, so a binary with agents of its own has every command by calling it.
//!
//! Elsewhere: what is shown is `view` and `report`; the socket is `control`.

mod agents;
mod audit;
mod completions;
mod deliver;
mod demo;
mod diff;
mod doctor;
mod end;
mod epic;
mod events;
mod follow;
mod gate;
mod home;
mod import;
mod inbox;
mod incident;
mod init;
mod instance;
mod journal;
mod logs;
mod mcp;
mod offline;
mod output;
mod plan;
mod progress;
mod replan;
mod report;
mod retro;
mod run;
mod schema;
mod send;
mod serve;
mod simulate;
mod source;
mod standup;
mod status;
mod steer;
mod submit;
#[cfg(test)]
mod tests;
mod watch;
mod why;
mod worker;
mod worktrees;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::system::Builder;
use end::{CliError, Code};
use output::{Color, Output};

/// Runs a team of agents through a sprint on a git repository, and loses nothing when it is killed
#[derive(Debug, Parser)]
#[command(name = "director", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 committed tasks not done, 2 bad usage or input, 3 not finished and \
                        resumable, 4 internal failure, 5 cancelled."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Where options that every command takes stand in its help.
const GLOBAL: &str = "Options of every command";

/// Options that every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Directory that holds the run [default: .director beside the sprint's repository]
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    data_dir: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = GLOBAL)]
    color: Color,
    /// Say on standard error what happens inside; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
}

/// Which sprint a command is about.
#[derive(Clone, Debug, Default, Args)]
struct Which {
    /// The sprint's id [default: the newest that is not over]
    #[arg(long, value_name = "ID")]
    sprint: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Serve(serve::ServeArgs),
    Mcp(mcp::McpArgs),
    Submit(submit::SubmitArgs),
    Plan(plan::PlanArgs),
    Simulate(simulate::SimulateArgs),
    Status(status::StatusArgs),
    Sprints(status::SprintsArgs),
    Events(events::EventsArgs),
    Watch(watch::WatchArgs),
    Why(why::WhyArgs),
    Report(report::ReportArgs),
    Standup(standup::StandupArgs),
    Retro(retro::RetroArgs),
    Agents(agents::AgentsArgs),
    Inbox(inbox::InboxArgs),
    Answer(inbox::AnswerArgs),
    Approve(inbox::ApproveArgs),
    Reject(inbox::RejectArgs),
    Gate(gate::GateArgs),
    Incident(incident::IncidentArgs),
    Replan(replan::ReplanArgs),
    Send(send::SendArgs),
    Retry(steer::RetryArgs),
    Cancel(steer::CancelArgs),
    Reassign(steer::ReassignArgs),
    Pause(steer::PauseArgs),
    Resume(steer::ResumeArgs),
    Budget(steer::BudgetArgs),
    Logs(logs::LogsArgs),
    Diff(diff::DiffArgs),
    Audit(audit::AuditArgs),
    Deliver(deliver::DeliverArgs),
    Worker(worker::WorkerArgs),
    Worktrees(worktrees::WorktreesArgs),
    Journal(journal::JournalArgs),
    Schema(schema::SchemaArgs),
    Doctor(doctor::DoctorArgs),
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Epic(epic::EpicArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
}

/// What every command has at hand.
struct Context {
    data_dir: Option<PathBuf>,
    output: Output,
    /// Taken by the command that starts a director.
    builder: Option<Builder>,
}

/// The whole program: reads the process's arguments, does what they say, and gives the code to end with.
///
/// `builder` knows the kinds of agent that sprint files may name.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     director::cli::run(director::system::Builder::new(".director"))
/// }
/// ```
pub fn run(builder: Builder) -> ExitCode {
    run_with(builder, std::env::args_os())
}

/// [`run()`] with other arguments than the process's; the first is the program's name.
pub fn run_with(builder: Builder, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    // Before anything else: a guard has no runtime, no data directory and no arguments.
    if args
        .get(1)
        .is_some_and(|word| word == director_agents::process::guard::COMMAND)
    {
        return match director_agents::process::guard::main() {
            Ok(()) => Code::Done.into(),
            Err(error) => end::complain(&CliError::Failed(format!("the guard failed: {error}"))),
        };
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing more can be done when even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let logging = match &cli.command {
        // What goes on for days is logged without being asked for.
        Command::Serve(args) => output::trace(cli.global.verbose.max(1), args.log),
        _ => output::trace(cli.global.verbose, output::Log::Text),
    };
    if let Err(error) = logging {
        return end::complain(&error);
    }
    let mut context = Context {
        data_dir: cli.global.data_dir,
        output: Output::standard(cli.global.color),
        builder: Some(builder),
    };
    match dispatch(cli.command, &mut context).and_then(|code| context.output.flush().map(|()| code))
    {
        Ok(code) => code.into(),
        Err(error) => end::complain(&error),
    }
}

fn dispatch(command: Command, cx: &mut Context) -> Result<Code, CliError> {
    match command {
        Command::Run(args) => run::run(args, cx),
        Command::Serve(args) => serve::serve(args, cx),
        Command::Mcp(args) => mcp::mcp(&args, cx),
        Command::Worker(args) => worker::worker(args, cx),
        Command::Submit(args) => submit::submit(&args, cx),
        Command::Plan(args) => plan::plan(&args, cx),
        Command::Simulate(args) => simulate::simulate(&args, cx),
        Command::Status(args) => status::status(args, cx),
        Command::Sprints(args) => status::sprints(args, cx),
        Command::Events(args) => events::events(args, cx),
        Command::Watch(args) => watch::watch(args, cx),
        Command::Why(args) => why::why(args, cx),
        Command::Report(args) => report::report(args, cx),
        Command::Standup(args) => standup::standup(args, cx),
        Command::Retro(args) => retro::retro(args, cx),
        Command::Agents(args) => agents::agents(&args, cx),
        Command::Inbox(args) => inbox::inbox(&args, cx),
        Command::Answer(args) => inbox::answer(args, cx),
        Command::Approve(args) => inbox::approve(args, cx),
        Command::Reject(args) => inbox::reject(args, cx),
        Command::Replan(args) => replan::replan(args, cx),
        Command::Send(args) => send::send(args, cx),
        Command::Incident(args) => incident::incident(args, cx),
        Command::Gate(args) => gate::gate(args, cx),
        Command::Retry(args) => steer::retry(args, cx),
        Command::Cancel(args) => steer::cancel(args, cx),
        Command::Reassign(args) => steer::reassign(args, cx),
        Command::Pause(args) => steer::pause(args, cx),
        Command::Resume(args) => steer::resume(args, cx),
        Command::Budget(args) => steer::budget(args, cx),
        Command::Logs(args) => logs::logs(args, cx),
        Command::Diff(args) => diff::diff(args, cx),
        Command::Audit(args) => audit::audit(&args, cx),
        Command::Deliver(args) => deliver::deliver(args, cx),
        Command::Worktrees(args) => worktrees::worktrees(args, cx),
        Command::Journal(args) => journal::journal(&args, cx),
        Command::Schema(args) => schema::schema(&args, cx),
        Command::Doctor(args) => doctor::doctor(&args, cx),
        Command::Init(args) => init::init(&args, cx),
        Command::Import(args) => import::import(&args, cx),
        Command::Epic(args) => epic::epic(&args, cx),
        Command::Demo(args) => demo::demo(args, cx),
        Command::Completions(args) => completions::completions(&args, &mut Cli::command(), cx),
    }
}

/// Runs `work` to its end on one thread; for commands that only talk to a director.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::Failed(format!("could not start: {error}")))?;
    runtime.block_on(work)
}
