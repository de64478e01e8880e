//! The `director` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    director::cli::run(director::system::Builder::new(".director"))
}
