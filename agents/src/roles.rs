//! Role files on disk: found below the directories of a sprint, read within limits, the stronger before the weaker.
//!
//! `agents/` is stronger than `.claude/agents/`, and the sprint file's directory than the repository; within a directory the
//! order is that of the names. Folders in `.claude/agents/` are looked through too, links to folders are not followed. `README.md` is for
//! people and never a role.
//!
//! Elsewhere: what a file says is [`director_protocols::manifest::role_file`].

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use director_protocols::manifest::role_file::{
    Library, ROLE_FILE_BYTES_MAX, RoleFile, RoleForm, parse, too_large,
};

/// Where role files lie, the stronger first.
pub const FOLDERS: [&str; 2] = ["agents", ".claude/agents"];
/// The most files that are looked at in one folder.
const FILES_MAX: usize = 1_000;
/// How deep each folder is looked through: `agents` may as well be a folder of somebody's code.
const DEPTHS: [usize; 2] = [0, 4];

/// Every role file below `places`, each of which may have an `agents` and a `.claude/agents`.
pub fn find(places: &[PathBuf]) -> Library {
    let mut library = Library::default();
    let mut roots: Vec<PathBuf> = Vec::new();
    for place in places {
        // One directory under two names is one.
        let root = fs::canonicalize(place).unwrap_or_else(|_| place.clone());
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    for (folder, depth) in FOLDERS.into_iter().zip(DEPTHS) {
        for root in &roots {
            let mut found = Vec::new();
            look(&root.join(folder), depth, &mut found);
            for path in found {
                let shown = path.strip_prefix(root).unwrap_or(&path);
                let shown = shown.display().to_string();
                if library.files.len() + library.skipped.len() >= FILES_MAX {
                    let why = format!("{FILES_MAX} role files are the most that are read");
                    library.add(shown, Err(why));
                    return library;
                }
                if let Some(form) = form(&path) {
                    let read = read(&path, &shown, form);
                    library.add(shown, read);
                }
            }
        }
    }
    library
}

/// The files in `dir` and so many folders below it, by name; what cannot be listed has none.
fn look(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.take(FILES_MAX).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if depth > 0 {
                    look(&entry.path(), depth - 1, found);
                }
            }
            _ => found.push(entry.path()),
        }
    }
}

/// How a file of that name is written; `None` for files that are no roles.
fn form(path: &Path) -> Option<RoleForm> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    match name.rsplit_once('.')? {
        // For people, and of other programs whose folder has the same name.
        ("readme", _) | ("", _) | ("cargo" | "pyproject", "toml") => None,
        (_, "md") => Some(RoleForm::Markdown),
        (_, "toml") => Some(RoleForm::Toml),
        _ => None,
    }
}

fn read(path: &Path, shown: &str, form: RoleForm) -> Result<RoleFile, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    let meta = fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err("it is not a file".to_owned());
    }
    if meta.len() > ROLE_FILE_BYTES_MAX as u64 {
        return Err(too_large(meta.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    // It can grow while it is read; the limit holds all the same.
    file.take(ROLE_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    parse(&text, shown, &stem, form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_their_strength_and_what_is_skipped_says_why() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &[u8]| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("below")).expect("made");
            fs::write(path, text).expect("written");
        };
        let role = |name: &str| format!("---\nname: {name}\ndescription: d\n---\np\n");
        write(".claude/agents/lead.md", role("tech-lead").as_bytes());
        write(".claude/agents/deep/er/own.md", role("own").as_bytes());
        write("agents/lead.md", role("tech-lead").as_bytes());
        write("agents/README.md", b"# For people");
        write("agents/Cargo.toml", b"[package]");
        write("agents/src/prompts/x.md", b"# Code of another program");
        write("agents/notes.txt", b"no role");
        write("agents/plain.md", b"# No front matter");
        write("agents/bytes.md", b"---\nname: \xff\n---\n");
        write(
            "agents/writer.toml",
            b"name = \"documentation-writer\"\ndescription = \"d\"\nprompt = \"p\"",
        );
        write("agents/large.md", &vec![b'x'; ROLE_FILE_BYTES_MAX + 1]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("agents/loop")).expect("linked");
        let library = find(&[dir.path().to_owned(), dir.path().join(".")]);
        let files: Vec<_> = library
            .files
            .iter()
            .map(|file| {
                (
                    file.role.as_str(),
                    file.profile.file.as_deref().unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(
            files,
            [
                ("tech-lead", "agents/lead.md"),
                ("documentation-writer", "agents/writer.toml"),
                ("own", ".claude/agents/deep/er/own.md"),
            ]
        );
        let skipped: Vec<_> = library
            .skipped
            .iter()
            .map(|s| (s.file.as_str(), s.why.as_str()))
            .collect();
        assert_eq!(
            skipped,
            [
                ("agents/bytes.md", "it is not UTF-8"),
                (
                    "agents/large.md",
                    "it has 1025 KiB; a role file may have up to 1024"
                ),
                (
                    "agents/plain.md",
                    "it does not begin with front matter, a line `---` and keys such as `name`"
                ),
                (
                    ".claude/agents/lead.md",
                    "`agents/lead.md` says what the role `tech-lead` is"
                ),
            ]
        );
        assert_eq!(find(&[dir.path().join("nowhere")]), Library::default());
    }
}
