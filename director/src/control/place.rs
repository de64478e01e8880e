//! Where the socket is: `control.sock` in the data directory, or elsewhere when that path is too long.
//!
//! The system takes socket paths of up to 107 bytes. A data directory that lies deeper gets its socket in the
//! user's runtime directory, or in the directory for temporary files, and `control.path` in the data directory says where.
//!
//! Invariant: a socket elsewhere lies in a directory of mode 0700 that belongs to this user.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use director_protocols::digest::Digest;

/// The longest path of a socket, in bytes, without the final zero.
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Where the socket is when its path fits.
pub fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// The file that says where it is when it does not.
pub fn pointer(data_dir: &Path) -> PathBuf {
    data_dir.join("control.path")
}

/// The file with the key that orders have to show. Whoever can read the data directory has it; a process in a sandbox can connect to the
/// socket all the same and has not.
pub fn key(data_dir: &Path) -> PathBuf {
    data_dir.join("control.key")
}

/// Where a client finds the socket.
pub fn find(data_dir: &Path) -> PathBuf {
    let near = socket(data_dir);
    if fits(&near) {
        return near;
    }
    match fs::read_to_string(pointer(data_dir)) {
        Ok(text) => PathBuf::from(text.trim_end_matches('\n')),
        Err(_) => near,
    }
}

/// Where a server puts the socket; says so in the data directory when it is elsewhere.
///
/// # Errors
/// When no directory for it can be made.
pub fn choose(data_dir: &Path) -> io::Result<PathBuf> {
    let near = socket(data_dir);
    if fits(&near) {
        return Ok(near);
    }
    let full = fs::canonicalize(data_dir)?;
    let name = Digest::of(full.as_os_str().as_bytes()).to_string();
    let mine = rustix::process::getuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let temporary = Some(std::env::temp_dir());
    let mut last = io::Error::other("no directory is short enough for a socket");
    for parent in [runtime, temporary]
        .into_iter()
        .flatten()
        .filter(|dir| dir.is_absolute())
    {
        let dir = parent.join(format!("director-{mine}"));
        let far = dir.join(format!("{}.sock", &name[..16.min(name.len())]));
        if !fits(&far) {
            continue;
        }
        match private_dir(&dir, mine) {
            Ok(()) => {
                fs::write(pointer(data_dir), format!("{}\n", far.display()))?;
                return Ok(far);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

/// Makes the directory for this user alone, or checks that the one that is there is.
fn private_dir(dir: &Path, mine: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(dir)?;
    if !found.is_dir() || found.uid() != mine || found.mode() & 0o077 != 0 {
        let why = format!(
            "`{}` is not a directory of this user alone; remove it",
            dir.display()
        );
        return Err(io::Error::other(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_data_directory_gets_its_socket_elsewhere_and_is_found() {
        let root = tempfile::tempdir().expect("a directory");
        assert_eq!(
            choose(root.path()).expect("a place"),
            root.path().join("control.sock")
        );

        let deep = root.path().join("d".repeat(60)).join("e".repeat(60));
        fs::create_dir_all(&deep).expect("made");
        let far = choose(&deep).expect("a place");
        assert!(fits(&far) && !far.starts_with(&deep), "{far:?}");
        assert_eq!(find(&deep), far);
        assert_eq!(choose(&deep).expect("the same place"), far);
    }
}
