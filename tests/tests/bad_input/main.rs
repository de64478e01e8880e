//! Every bad input that a user can hand in, tried with the real program: a clear error, nothing lost, nothing left.
//!
//! The kinds of problem in a sprint file have their tables beside the parser; here one of each goes the whole way.

mod agents;
mod data_dir;
mod files;
mod repository;
mod steering;

use director_tests::corner::Corner;

/// A corner for the program of this build.
fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}
