//! Why a command could not be run at all. How a command that ran has ended is an `Exit`, never an error.

use std::io;
use std::path::PathBuf;

/// Why a command could not be started or waited for.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program is nowhere on the search path, or the given path does not exist.
    #[error(
        "the command `{program}` does not exist: install it, or write its full path; looked in PATH `{path}`"
    )]
    NotFound {
        /// The program as it was asked for.
        program: String,
        /// The directories that were searched, or the directory a path was relative to.
        path: String,
    },
    /// The file is there and may not be executed.
    #[error("the command `{}` is not an executable file; try `chmod +x`", .path.display())]
    NotExecutable {
        /// The file that was found.
        path: PathBuf,
    },
    /// The directory to run in does not exist.
    #[error("cannot run `{program}` in `{}`: no such directory", .cwd.display())]
    NoDirectory {
        /// The program as it was asked for.
        program: String,
        /// The missing directory.
        cwd: PathBuf,
    },
    /// The mark is empty, too long, or has control characters in it.
    #[error("`{mark}` cannot mark a process: 1 to {max} bytes without control characters, please")]
    BadMark {
        /// The mark, with its control characters escaped and cut to a readable length.
        mark: String,
        /// The longest mark allowed, in bytes.
        max: usize,
    },
    /// The log file could not be created.
    #[error("could not create the output log `{}`; check that its directory is writable", .path.display())]
    Log {
        /// The log file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused to start the program (for example: arguments too long, no interpreter, no more processes).
    #[error("could not start `{program}` in `{}`: {source}", .cwd.display())]
    Spawn {
        /// The program as it was asked for.
        program: String,
        /// The directory it was to run in.
        cwd: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system could not say how the process ended; its group has been killed.
    #[error("lost sight of `{program}` (pid {pid}): {source}; its process group was killed")]
    Wait {
        /// The program as it was asked for.
        program: String,
        /// Its process id.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
}
