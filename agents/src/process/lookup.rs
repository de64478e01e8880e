//! Finds the file behind a program's name, as the command will see it: its own `PATH`, its own directory.
//!
//! This is done here and not left to the standard library for two reasons. With an environment of its own and a bare name the
//! library gives up `posix_spawn` for fork and exec, which copies the page tables of a large parent (up to 85 times slower);
//! and an error that names the program and the places searched can be acted on, "No such file or directory" cannot.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::ProcessError;
use super::spec::DEFAULT_PATH;

/// The absolute path to execute. `cwd` must be absolute.
pub(crate) fn resolve(
    program: &str,
    cwd: &Path,
    search: Option<&OsStr>,
) -> Result<PathBuf, ProcessError> {
    let not_found = |path: String| ProcessError::NotFound {
        program: program.to_owned(),
        path,
    };
    if program.contains('/') {
        let path = cwd.join(program);
        return match path.metadata() {
            Err(_) => Err(not_found(cwd.display().to_string())),
            Ok(_) if executable(&path) => Ok(path),
            Ok(_) => Err(ProcessError::NotExecutable { path }),
        };
    }
    let search = search.unwrap_or_default();
    let mut refused = None;
    if !program.is_empty() {
        for dir in std::env::split_paths(search) {
            let path = cwd.join(dir).join(program);
            if executable(&path) {
                return Ok(path);
            }
            if path.is_file() {
                refused.get_or_insert(path);
            }
        }
    }
    match refused {
        Some(path) => Err(ProcessError::NotExecutable { path }),
        None => Err(not_found(search.to_string_lossy().into_owned())),
    }
}

/// Whether a program is there to be started, by its name or its absolute path; one that is named by a path from where the work is cannot be known
/// before there is work, and counts as there.
pub fn is_there(program: &str) -> bool {
    let relative = program.contains('/') && !program.starts_with('/');
    let search = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    relative || resolve(program, Path::new("/"), Some(&search)).is_ok()
}

fn executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_program_is_looked_up_as_the_command_would_see_it() {
        let dir = tempfile::tempdir().unwrap();
        let cwd = dir.path();
        for (name, mode) in [("bin/tool", 0o755), ("bin/plain", 0o644), ("here", 0o755)] {
            let path = cwd.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let tool = cwd.join("bin/tool");
        let tool_text = tool.to_string_lossy().into_owned();
        let found = |name: &str| format!("found {}", cwd.join(name).display());
        let missing = |program: &str, path: &str| {
            format!(
                "the command `{program}` does not exist: install it, or write its full path; looked in PATH `{path}`"
            )
        };
        let plain = cwd.join("bin/plain").display().to_string();
        let refused = format!("the command `{plain}` is not an executable file; try `chmod +x`");
        let at = cwd.display().to_string();
        for (case, program, path, expected) in [
            ("on the path", "tool", "/nowhere:bin", found("bin/tool")),
            ("absolute", tool_text.as_str(), "", found("bin/tool")),
            ("relative to the directory", "./here", "", found("./here")),
            ("nowhere", "tool", "/nowhere", missing("tool", "/nowhere")),
            ("empty", "", "bin", missing("", "bin")),
            ("no such path", "./gone", "bin", missing("./gone", &at)),
            ("not executable", "plain", "bin", refused.clone()),
            ("a directory", "bin", ".", missing("bin", ".")),
        ] {
            let answer = match resolve(program, cwd, Some(OsStr::new(path))) {
                Ok(path) => format!("found {}", path.display()),
                Err(error) => error.to_string(),
            };
            assert_eq!(answer, expected, "case: {case}");
        }
    }
}
