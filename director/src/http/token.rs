//! The token: what a caller has to know to change anything. It lies in the data directory, readable by its owner alone.

use std::io;
use std::path::{Path, PathBuf};

pub use director_runtime::secret::Secret as Token;

/// The file's name in the data directory.
pub const FILE: &str = "http.token";

/// Where it lies.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// The one of the data directory; made when there is none.
///
/// # Errors
/// That the file cannot be used: others may read it, it holds no token, or it cannot be made.
pub fn of(data_dir: &Path) -> io::Result<Token> {
    Token::of(&path(data_dir))
}
