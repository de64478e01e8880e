//! How a command ends: the exit codes, and errors in words for a person.
//!
//! Invariant: whatever goes wrong is one message on standard error that says what, on what, and what to do.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use director_agents::git::GitError;
use director_protocols::manifest::ManifestErrors;
use director_runtime::journal::{DataDirError, JournalError};

use crate::control::client::ClientError;
use crate::control::protocol::{Fault, FaultKind};
use crate::control::work::WorkError;
use crate::history::HistoryError;
use crate::perform::Trouble;
use crate::planner::PlanError;
use crate::simulate::prepare::SimulateError;
use crate::system::StartError;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// All is done.
    Done = 0,
    /// The sprint ended with committed tasks not done.
    Incomplete = 1,
    /// Bad usage or bad input.
    BadInput = 2,
    /// Not finished, and resumable.
    Unfinished = 3,
    /// Something in here failed.
    Internal = 4,
    /// The sprint was cancelled.
    Cancelled = 5,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        ExitCode::from(code as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// What the user gave does not work.
    #[error("{0}")]
    Input(String),
    /// The sprint file has problems.
    #[error("{0}")]
    Manifest(#[from] ManifestErrors),
    /// No plan can be made of it.
    #[error("the sprint cannot be planned: {0}")]
    Plan(#[from] PlanError),
    /// It cannot be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// The director, or the journal in its place, said no.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The running director could not be asked.
    #[error(transparent)]
    Client(ClientError),
    /// The journal could not be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The journal could not be opened or extended.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The data directory could not be taken.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The director could not start, or broke down.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Something with the repository did not work.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Nobody reads the output, or it cannot be written.
    #[error("could not write the output: {0}")]
    Output(#[from] io::Error),
    /// Something else in here failed.
    #[error("{0}")]
    Failed(String),
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Fault(fault) => CliError::Fault(fault),
            error => CliError::Client(error),
        }
    }
}

impl From<WorkError> for CliError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Nothing(why) => CliError::Input(why),
            WorkError::Trouble(trouble) => CliError::Trouble(trouble),
            WorkError::Git(error) => CliError::Git(error),
        }
    }
}

impl CliError {
    /// The code that the process ends with.
    pub(super) fn code(&self) -> Code {
        match self {
            CliError::Input(_)
            | CliError::Manifest(_)
            | CliError::Plan(_)
            | CliError::Simulate(_) => Code::BadInput,
            CliError::Fault(fault) => match fault.kind {
                FaultKind::BadRequest
                | FaultKind::BadSprint
                | FaultKind::NotFound
                | FaultKind::Rejected
                | FaultKind::Unauthorized
                | FaultKind::Forbidden
                | FaultKind::Changed => Code::BadInput,
                FaultKind::Stopped => Code::Unfinished,
                FaultKind::Busy | FaultKind::Internal => Code::Internal,
            },
            CliError::Client(ClientError::TooLong { .. }) => Code::BadInput,
            CliError::DataDir(_)
            | CliError::Start(StartError::DataDir(_))
            | CliError::History(HistoryError::DataDir(_)) => Code::BadInput,
            // The data directory is another version's or another program's.
            CliError::Journal(JournalError::Newer { .. } | JournalError::Foreign { .. })
            | CliError::History(
                HistoryError::Journal(JournalError::Newer { .. } | JournalError::Foreign { .. })
                | HistoryError::Kind { .. }
                | HistoryError::Record { .. },
            )
            | CliError::Start(
                StartError::Journal(JournalError::Newer { .. } | JournalError::Foreign { .. })
                | StartError::History(HistoryError::Kind { .. } | HistoryError::Record { .. }),
            ) => Code::BadInput,
            CliError::Git(
                GitError::NotARepository { .. } | GitError::Bare { .. } | GitError::NoCommit { .. },
            ) => Code::BadInput,
            CliError::Trouble(Trouble::BranchMoved { .. } | Trouble::Detached { .. }) => {
                Code::BadInput
            }
            CliError::Trouble(_)
            | CliError::Client(_)
            | CliError::History(_)
            | CliError::Journal(_)
            | CliError::Start(_)
            | CliError::Git(_)
            | CliError::Output(_)
            | CliError::Failed(_) => Code::Internal,
        }
    }
}

/// Says what went wrong, and gives the code to end with.
pub(super) fn complain(error: &CliError) -> ExitCode {
    if let CliError::Output(error) = error
        && error.kind() == ErrorKind::BrokenPipe
    {
        // `director events | head` has seen what it wanted.
        return Code::Done.into();
    }
    let text = match error {
        // These come with their own headings.
        CliError::Manifest(errors) => format!("{errors}\n"),
        error => format!("error: {error}\n"),
    };
    // Where standard error is closed there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
    error.code().into()
}
