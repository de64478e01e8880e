//! `director doctor`: is this machine fit for a run, and if not, what to do.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use director_agents::git::Repository;
use director_agents::process::sandbox;
use director_agents::roles;
use director_runtime::journal::{DataDir, DataDirError};
use serde_json::json;

use super::end::{CliError, Code};
use super::{Context, home};
use crate::control::client::{Client, ClientError};
use crate::report::text;

/// Check git, agents, permissions and disk, and say what to do
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Worth knowing; a run works.
    Note,
    /// A run does not work.
    Bad,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Good => "ok",
            Verdict::Note => "note",
            Verdict::Bad => "bad",
        }
    }
}

struct Finding {
    what: &'static str,
    verdict: Verdict,
    text: String,
}

fn found(what: &'static str, verdict: Verdict, text: impl Into<String>) -> Finding {
    Finding {
        what,
        verdict,
        text: text.into(),
    }
}

pub(super) fn doctor(args: &DoctorArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = match home::find(cx) {
        Ok(found) => found,
        // None yet: the place where one would be made.
        Err(_) => home::absolute(cx.data_dir.as_deref().unwrap_or(Path::new(home::NAME)))?,
    };
    let mut findings = vec![git(), shell()];
    findings.extend(agents());
    findings.extend(role_files()?);
    findings.push(confinement());
    findings.push(permissions(&data_dir));
    findings.push(disk(&data_dir));
    findings.push(file_system(&data_dir));
    findings.push(holder(&data_dir));
    let good = findings
        .iter()
        .all(|finding| finding.verdict != Verdict::Bad);
    if args.json {
        let rows = findings.iter().map(|finding| {
            json!({ "check": finding.what, "verdict": finding.verdict.word(), "text": finding.text })
        });
        cx.output
            .json(&json!({ "ok": good, "checks": rows.collect::<Vec<_>>() }))?;
    } else {
        for finding in &findings {
            let line = format!(
                "{:<5} {:<12} {}\n",
                finding.verdict.word(),
                finding.what,
                finding.text
            );
            cx.output.text(&line)?;
        }
    }
    Ok(if good { Code::Done } else { Code::Incomplete })
}

/// The oldest git with `merge-tree --write-tree`.
const GIT_OLDEST: (u32, u32) = (2, 38);

fn git() -> Finding {
    let output = Command::new("git")
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    match output {
        Err(error) => found(
            "git",
            Verdict::Bad,
            format!("not found ({error}); install git 2.38 or newer"),
        ),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            match git_version(&text) {
                Some(version) if version >= GIT_OLDEST => found("git", Verdict::Good, text),
                Some(_) => found(
                    "git",
                    Verdict::Bad,
                    format!("{text} is too old; install git 2.38 or newer"),
                ),
                None => found(
                    "git",
                    Verdict::Note,
                    format!("`{text}` is no version that is known here"),
                ),
            }
        }
    }
}

fn git_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn shell() -> Finding {
    let status = Command::new("sh")
        .args(["-c", "exit 0"])
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => found("sh", Verdict::Good, "runs commands"),
        Ok(status) => found(
            "sh",
            Verdict::Bad,
            format!("`sh -c 'exit 0'` ended with {status}; check PATH"),
        ),
        Err(error) => found(
            "sh",
            Verdict::Bad,
            format!("not found ({error}); install a POSIX shell"),
        ),
    }
}

/// Whether a sprint file may have a sandbox.
fn confinement() -> Finding {
    match sandbox::supported() {
        Ok(()) if sandbox::holds_signals() => {
            found("sandbox", Verdict::Good, "the kernel holds it")
        }
        Ok(()) => found(
            "sandbox",
            Verdict::Note,
            "the kernel holds it, but lets signals out of it; Linux 6.12 or newer holds them too",
        ),
        Err(why) => found(
            "sandbox",
            Verdict::Note,
            format!("{why}; a sprint file without one works"),
        ),
    }
}

/// Programs of coding agents; a run needs them only where its sprint file names them.
const AGENTS: [&str; 3] = ["claude", "codex-acp", "gemini"];

fn agents() -> Vec<Finding> {
    let look = |name: &'static str| match on_path(name) {
        Some(path) => found(name, Verdict::Good, path.display().to_string()),
        None => found(
            name,
            Verdict::Note,
            "not on PATH; install it before a sprint names it",
        ),
    };
    AGENTS.into_iter().map(look).collect()
}

/// Role files of this directory and of the repository that it is in.
fn role_files() -> Result<Vec<Finding>, CliError> {
    let what = "roles";
    let here = home::absolute(Path::new("."))?;
    let repo = Repository::open(&here)
        .ok()
        .map(|repo| repo.top().to_owned());
    let places: Vec<PathBuf> = [Some(here), repo].into_iter().flatten().collect();
    let library = roles::find(&places);
    let names: Vec<_> = library
        .files
        .iter()
        .map(|file| file.role.as_str())
        .collect();
    let good = match names.len() {
        0 => format!(
            "no role files below `{}`; the nine roles are as built in",
            roles::FOLDERS.join("` or `")
        ),
        n => format!("{n} from files: {}", text::short(&names.join(", "), 200)),
    };
    let mut findings = vec![found(what, Verdict::Good, good)];
    let remarks = library.remarks();
    let remarks = remarks
        .iter()
        .map(|remark| found(what, Verdict::Note, text::line(remark)));
    findings.extend(remarks);
    Ok(findings)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| {
            fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0)
        })
}

/// The directory itself, or the nearest one above it that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|dir| dir.is_dir())
        .unwrap_or(Path::new("/"))
}

fn permissions(data_dir: &Path) -> Finding {
    let what = "permissions";
    let dir = existing(data_dir);
    let shown = dir.display();
    if let Err(error) = rustix::fs::access(
        dir,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    ) {
        let text =
            format!("`{shown}` cannot be written ({error}); change that, or use `--data-dir`");
        return found(what, Verdict::Bad, text);
    }
    if dir != data_dir {
        return found(
            what,
            Verdict::Good,
            format!("`{}` can be made", data_dir.display()),
        );
    }
    match fs::metadata(dir) {
        Ok(meta) if meta.mode() & 0o077 != 0 => {
            let text = format!(
                "others can look into `{shown}`; `chmod 700 {shown}` keeps journal and logs private"
            );
            found(what, Verdict::Note, text)
        }
        Ok(_) => found(
            what,
            Verdict::Good,
            format!("`{shown}` is this user's alone"),
        ),
        Err(error) => found(what, Verdict::Bad, format!("`{shown}`: {error}")),
    }
}

/// Less free space than this stops a run soon: journal, worktrees and logs grow.
const FREE_BYTES_BAD: u64 = 64 << 20;
const FREE_BYTES_NOTE: u64 = 1 << 30;

fn disk(data_dir: &Path) -> Finding {
    let dir = existing(data_dir);
    match rustix::fs::statvfs(dir) {
        Err(error) => found(
            "disk",
            Verdict::Note,
            format!("free space is not known: {error}"),
        ),
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let text = format!("{} MiB free for `{}`", free >> 20, dir.display());
            match free {
                0..FREE_BYTES_BAD => found("disk", Verdict::Bad, format!("only {text}; free some")),
                FREE_BYTES_BAD..FREE_BYTES_NOTE => {
                    found("disk", Verdict::Note, format!("only {text}"))
                }
                _ => found("disk", Verdict::Good, text),
            }
        }
    }
}

/// File systems on which locks or syncs do not keep what they promise, by type in /proc/mounts.
const UNSAFE: [(&str, &str); 8] = [
    ("nfs", "locks and syncs go over a network"),
    ("nfs4", "locks and syncs go over a network"),
    ("cifs", "locks and syncs go over a network"),
    ("smb3", "locks and syncs go over a network"),
    ("9p", "it is shared with a host that may not sync"),
    ("virtiofs", "it is shared with a host that may not sync"),
    ("fuse.sshfs", "locks and syncs go over a network"),
    ("tmpfs", "it is gone after a restart of the machine"),
];

fn file_system(data_dir: &Path) -> Finding {
    let what = "file system";
    let Ok(mounts) = fs::read_to_string("/proc/mounts") else {
        return found(
            what,
            Verdict::Note,
            "not known on this system; keep the data directory on a local disk",
        );
    };
    let dir =
        fs::canonicalize(existing(data_dir)).unwrap_or_else(|_| existing(data_dir).to_owned());
    match mount_of(&mounts, &dir) {
        None => found(what, Verdict::Note, "not known"),
        Some(kind) => match UNSAFE.iter().find(|(name, _)| *name == kind) {
            Some((_, why)) => {
                let text =
                    format!("{kind}: {why}; `--data-dir` on a local disk keeps the journal safe");
                found(what, Verdict::Note, text)
            }
            None => found(what, Verdict::Good, kind),
        },
    }
}

/// The type of the file system that a directory is on: the longest mount point above it.
fn mount_of(mounts: &str, dir: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(_), Some(point), Some(kind)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let point = point.replace("\\040", " ");
        // A later mount on the same point hides the earlier one.
        if dir.starts_with(&point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

fn holder(data_dir: &Path) -> Finding {
    let what = "director";
    if !home::has_journal(data_dir) {
        return found(what, Verdict::Good, "none has run here yet");
    }
    match DataDir::open(data_dir) {
        Ok(_) => found(what, Verdict::Good, "none runs; the journal is free"),
        Err(DataDirError::Held { holder, .. }) => {
            let answers = super::block_on(async {
                match Client::connect(data_dir).await {
                    Ok(_) => Ok(true),
                    Err(ClientError::NobodyThere { .. }) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            });
            match answers {
                Ok(true) => found(what, Verdict::Good, format!("{holder} runs and answers")),
                _ => {
                    let text = format!(
                        "{holder} holds the data directory and does not answer; is it stuck? End it"
                    );
                    found(what, Verdict::Bad, text)
                }
            }
        }
        Err(error) => found(what, Verdict::Bad, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_mounts_are_read_as_systems_write_them() {
        for (text, version) in [
            ("git version 2.47.3", Some((2, 47))),
            ("git version 2.39.5 (Apple Git-154)", Some((2, 39))),
            ("git version 3", None),
            ("", None),
        ] {
            assert_eq!(git_version(text), version, "case: {text}");
        }
        let mounts = "/dev/a / ext4 rw 0 0\nserver:/x /home nfs4 rw 0 0\ntmpfs /home/my\\040dir tmpfs rw 0 0\nshort\n";
        for (dir, kind) in [
            ("/etc", "ext4"),
            ("/home/a", "nfs4"),
            ("/home/my dir/x", "tmpfs"),
            ("/homework", "ext4"),
        ] {
            assert_eq!(
                mount_of(mounts, Path::new(dir)).as_deref(),
                Some(kind),
                "case: {dir}"
            );
        }
    }
}
