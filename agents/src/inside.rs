//! Reads and removes what lies in a directory that somebody else writes, and nothing that a link there leads to elsewhere.
//!
//! An agent may be held to less than the director can read. A file that it names, or puts where one is expected, must not become a
//! way to what it could not read itself.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

/// Opens a regular file by its path in `dir`; links are followed as long as they stay there (Linux 5.6).
///
/// # Errors
/// What the system said, that the path leads out of the directory, or that there is no regular file.
pub fn open(dir: &Path, path: &Path) -> io::Result<File> {
    let dir = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::DIRECTORY.bits().cast_signed())
        .open(dir)?;
    // A pipe would wait for somebody who writes to it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(dir, path, flags, Mode::empty(), beneath)?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        )),
    }
}

/// The stack that a removal gets, in bytes; the library's goes as deep as the tree, of which a path of any length can be made by renaming.
const REMOVAL_STACK: usize = 256 << 20;

/// Removes a directory with all in it, however deep.
///
/// # Errors
/// What the system said.
pub(crate) fn remove_all(path: &Path) -> io::Result<()> {
    let removed = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(REMOVAL_STACK);
        let thread = thread.spawn_scoped(scope, || fs::remove_dir_all(path))?;
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the removal failed")))
    });
    match removed {
        // One level takes a descriptor there, and there are not as many as levels.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            let status = Command::new("rm").arg("-rf").arg("--").arg(path).status()?;
            match status.success() {
                true => Ok(()),
                false => Err(error),
            }
        }
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_inside_and_lead_nowhere_else() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("work/real")).expect("made");
        fs::create_dir(at("keys")).expect("made");
        fs::write(at("work/real/a"), "mine").expect("written");
        fs::write(at("keys/a"), "secret").expect("written");
        symlink("real", at("work/near")).expect("linked");
        symlink(at("keys"), at("work/far")).expect("linked");
        symlink("../keys", at("work/up")).expect("linked");
        symlink("../keys/a", at("work/file")).expect("linked");
        symlink("/proc/self/fd/0", at("work/magic")).expect("linked");
        for (path, readable) in [
            ("real/a", true),
            ("near/a", true),
            ("real", false),
            ("far/a", false),
            ("up/a", false),
            ("file", false),
            ("magic", false),
            ("../keys/a", false),
            ("real/../../keys/a", false),
            ("none", false),
        ] {
            let mut text = String::new();
            let opened = open(&at("work"), Path::new(path))
                .and_then(|mut file| file.read_to_string(&mut text));
            assert_eq!(opened.is_ok(), readable, "{path}");
            assert_eq!(text, if readable { "mine" } else { "" }, "{path}");
        }
        let absolute = at("work/real/a");
        assert!(open(&at("work"), &absolute).is_err(), "an absolute path");
    }

    #[test]
    fn a_tree_that_is_deeper_than_any_path_is_removed() {
        let root = tempfile::tempdir().expect("a directory");
        // Chains of the longest path that can be made, each put at the end of the one before.
        let (deep, chain) = (root.path().join("deep"), vec!["d"; 800].join("/"));
        fs::create_dir(&deep).expect("made");
        for n in 0..10 {
            let next = root.path().join(format!("next-{n}"));
            fs::create_dir_all(next.join(&chain)).expect("made");
            fs::rename(&deep, next.join(&chain).join("deep")).expect("moved");
            fs::rename(&next, &deep).expect("moved");
        }
        remove_all(&deep).expect("removed");
        assert!(!deep.exists());
    }
}
