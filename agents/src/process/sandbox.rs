//! A sandbox: what a command and everything that it starts may touch, held to it by the kernel.
//!
//! ```text
//! run ─▶ a thread of its own ─▶ Landlock, seccomp ─▶ spawn        the thread ends, the command keeps what it inherited
//! ```
//!
//! Both restrictions belong to a thread and pass to what it starts, and nobody can put them off again. So the director takes a thread for
//! a moment, restricts it and has it start the command: no code runs between fork and exec, no helper program is needed, no rights
//! are, and the director itself stays as free as it was.
//!
//! - **Written** may be what is the command's own and what the sprint file allows; nothing else, whoever owns it.
//! - **Read** may be everything but what is hidden: keys, tokens and passwords in their usual places, the data directory, devices and terminals. The
//!   kernel knows only what is allowed, so what lies beside a hidden place, or in the home directory, is listed as it is when the command
//!   starts; what is put there later cannot be read. Names of files are no secret.
//! - **The network** is everything, TCP ports (Landlock, and seccomp for other ways to open a connection), or nothing at all: then there are no
//!   sockets but Unix ones (seccomp).
//! - **Others**: signals reach what has the same sandbox (from Linux 6.12 on), limits and priorities are one's own, the session's keys are
//!   nobody's, and nothing has or gains a privilege (root has none either, `sudo` gives none).
//!
//! What it does not hold back: Unix sockets in the file system can be connected to, such as that of a container engine; UDP passes beside a list
//! of ports; a hidden place that is mounted twice is seen at its other place; descriptors that the director was started with are inherited; and
//! what runs unsandboxed may be told to do something by a file that is written for it. Git that we run on what an agent owns is one of these,
//! see `git/clone.rs` and `without_programs` here.
//!
//! Sources: the kernel's `Documentation/userspace-api/landlock.rst` and `seccomp_filter.rst`.
//! Invariant: a command that was given a sandbox runs in all of it or not at all.
//! Elsewhere: which processes have one is the sprint file (`director_protocols::sandbox::Sandbox`); what they have of their own, who runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use director_protocols::sandbox::{Network, Sandbox as Allowed};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath,
    PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

/// What has to be there: with an older one, files could be emptied that cannot be written (Linux 6.2).
const LEAST: ABI = ABI::V3;
/// What is used of newer kernels where it is there (Linux 6.12).
const BEST: ABI = ABI::V6;

/// What is hidden of the home directory, unless the sprint file shows it: where keys, tokens and passwords usually lie.
pub const HIDDEN: [&str; 48] = [
    ".ssh",
    ".gnupg",
    ".password-store",
    ".netrc",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/glab-cli",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".kube",
    ".docker",
    ".terraform.d",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".cargo/credentials.toml",
    ".cargo/credentials",
    ".pgpass",
    ".local/share/keyrings",
    ".mozilla",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".thunderbird",
    "snap",
    ".var/app",
    ".config/op",
    ".config/rclone",
    ".config/sops",
    ".config/hub",
    ".config/github-copilot",
    ".config/containers",
    ".vault-token",
    ".terraformrc",
    ".gem/credentials",
    ".gradle/gradle.properties",
    ".m2/settings.xml",
    ".my.cnf",
    ".claude",
    ".claude.json",
    ".codex",
    ".gemini",
    ".python_history",
    ".bash_history",
    ".zsh_history",
];

/// Devices that hold nothing of anybody's. No terminal is among them: who has yours can type into it and read what you type.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

const NO_CAPABILITY: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};

/// What one command may touch. Paths are absolute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// What the sprint file allows and hides.
    pub allowed: Allowed,
    /// What is the command's own and may be written.
    pub own: Vec<PathBuf>,
    /// What it may read although it lies in a hidden place.
    pub shown: Vec<PathBuf>,
    /// What it must not read beside what is usual.
    pub hidden: Vec<PathBuf>,
    /// A directory that is made for it and removed after it; `TMPDIR` names it.
    pub temporary: PathBuf,
}

/// Whether this kernel can hold a command in a sandbox.
///
/// # Errors
/// What is missing, and what to do.
pub fn supported() -> Result<(), String> {
    let least = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .and_then(|rules| rules.create());
    least.map(drop).map_err(|error| {
        format!("this kernel cannot hold a command in a sandbox ({error}): it takes Linux 6.2 or newer, with `landlock` among its security modules (`lsm=`)")
    })
}

/// Whether signals to what is outside of a sandbox are held back too.
pub fn holds_signals() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::from_all(BEST))
        .and_then(|rules| rules.create())
        .is_ok()
}

impl Sandbox {
    /// Runs `start` on a thread that has this sandbox, as will everything that it starts.
    ///
    /// # Errors
    /// What the kernel refused, or the error of `start`.
    pub(super) fn within<T: Send>(
        &self,
        start: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let confined = || {
            self.confine()?;
            start()
        };
        on_a_thread(confined)
    }

    /// Restricts the thread that calls it, for ever.
    fn confine(&self) -> io::Result<()> {
        supported().map_err(io::Error::other)?;
        // Some of what root can do passes by what follows, such as to read the environment of others.
        set_capabilities(None, NO_CAPABILITY)?;
        let rules = self.rules().map_err(refused)?;
        let status = rules.restrict_self().map_err(refused)?;
        if !status.no_new_privs || status.ruleset == landlock::RulesetStatus::NotEnforced {
            return Err(io::Error::other("the kernel did not enforce the sandbox"));
        }
        apply_filter(&calls(&self.allowed.network)?).map_err(io::Error::other)?;
        Ok(())
    }

    fn rules(&self) -> Result<RulesetCreated, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(LEAST))?;
        if let Network::Ports(_) = self.allowed.network {
            rules = rules.handle_access(AccessNet::ConnectTcp)?;
        }
        let mut rules = rules
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(BEST))?
            .scope(Scope::from_all(BEST))?
            .create()?;
        let read = AccessFs::from_read(BEST);
        let all = AccessFs::from_all(BEST);
        rules = allow(rules, Path::new("/"), AccessFs::ReadDir.into())?;
        // What is put there later is hidden too.
        let listed = std::env::var_os("HOME").and_then(|home| fs::canonicalize(home).ok());
        for path in visible(&self.out_of_sight(), listed.as_deref()) {
            rules = allow(rules, &path, read)?;
        }
        let shown = self.allowed.read.iter().map(|path| at_home(path));
        for path in shown.chain(self.shown.iter().cloned()) {
            rules = allow(rules, &path, read)?;
        }
        let written = self.allowed.write.iter().map(|path| at_home(path));
        let devices = DEVICES.iter().map(PathBuf::from);
        let own = self.own.iter().chain([&self.temporary]).cloned();
        for path in own.chain(written).chain(devices) {
            rules = allow(rules, &path, all)?;
        }
        if let Network::Ports(ports) = &self.allowed.network {
            for port in ports {
                rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
            }
        }
        Ok(rules)
    }

    /// What must not be read.
    fn out_of_sight(&self) -> BTreeSet<PathBuf> {
        let home = HIDDEN.iter().map(|path| at_home(&format!("~/{path}")));
        let written = self.allowed.hide.iter().map(|path| at_home(path));
        let all = home
            .chain(written)
            .chain(self.hidden.iter().cloned())
            .chain([PathBuf::from("/dev")]);
        // Rules are about files, whatever links lead to them; what is not there needs no hiding.
        all.filter_map(|path| fs::canonicalize(path).ok()).collect()
    }
}

fn refused(error: RulesetError) -> io::Error {
    io::Error::other(format!("the sandbox could not be made: {error}"))
}

/// A path of the sprint file: `~/` is the home directory.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// The most that is allowed without what is hidden: each place that has nothing hidden in it, by itself.
fn visible(hidden: &BTreeSet<PathBuf>, listed: Option<&Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(PathBuf::from("/"), hidden, listed, &mut found);
    found
}

/// What is at `listed` is shown one by one in any case.
fn look(
    place: PathBuf,
    hidden: &BTreeSet<PathBuf>,
    listed: Option<&Path>,
    found: &mut Vec<PathBuf>,
) {
    if hidden.contains(&place) {
        return;
    }
    let whole = !listed.is_some_and(|listed| listed.starts_with(&place));
    // In their order what lies below follows its directory, with others between that only begin with the same letters.
    let mut after = hidden.range(place.clone()..);
    if whole && !after.any(|path| path.starts_with(&place)) {
        found.push(place);
        return;
    }
    // What cannot be listed cannot be shown.
    for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
        // Where a link leads to is allowed or hidden there.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            look(entry.path(), hidden, listed, found);
        }
    }
}

/// Allows it, with everything below; nothing where it is not there.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(fd) = PathFd::new(path) else {
        return Ok(rules);
    };
    let access = match fs::metadata(path) {
        Ok(found) if found.is_dir() => access,
        _ => access & AccessFs::from_file(BEST),
    };
    rules.add_rule(PathBeneath::new(fd, access))
}

/// The system calls that are refused, because they reach beyond the process by ways that Landlock knows nothing of.
fn calls(network: &Network) -> io::Result<BpfProgram> {
    use SeccompCmpOp::{Eq, MaskedEq, Ne};
    let of = |value: libc::c_int| u64::from(value.unsigned_abs());
    let when = |conditions: &[(u8, SeccompCmpOp, u64)]| {
        let conditions = conditions.iter().map(|(argument, op, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, op.clone(), *value)
        });
        let conditions: Result<Vec<_>, _> = conditions.collect();
        SeccompRule::new(conditions.map_err(failed)?).map_err(failed)
    };
    let mut rules = BTreeMap::from([
        // Types into a terminal.
        (
            libc::SYS_ioctl,
            vec![
                when(&[(1, Eq, libc::TIOCSTI)])?,
                when(&[(1, Eq, libc::TIOCLINUX)])?,
            ],
        ),
        // The keys of the user's session.
        (libc::SYS_keyctl, Vec::new()),
        (libc::SYS_add_key, Vec::new()),
        (libc::SYS_request_key, Vec::new()),
        // The limits and priorities of others, such as the director.
        (libc::SYS_prlimit64, vec![when(&[(0, Ne, 0), (2, Ne, 0)])?]),
        (libc::SYS_setpriority, vec![when(&[(1, Ne, 0)])?]),
        (libc::SYS_sched_setaffinity, vec![when(&[(0, Ne, 0)])?]),
        (libc::SYS_sched_setscheduler, vec![when(&[(0, Ne, 0)])?]),
        (libc::SYS_sched_setattr, vec![when(&[(0, Ne, 0)])?]),
        // Holds up whoever opens the file.
        (
            libc::SYS_fcntl,
            vec![when(&[(1, Eq, of(libc::F_SETLEASE))])?],
        ),
    ]);
    if *network != Network::Open {
        // It opens sockets too, and is not seen by this filter.
        rules.insert(libc::SYS_io_uring_setup, Vec::new());
    }
    match network {
        Network::Open => {}
        Network::Off => {
            rules.insert(libc::SYS_socket, vec![when(&[(0, Ne, of(libc::AF_UNIX))])?]);
        }
        Network::Ports(_) => {
            // Other ways to open a TCP connection than those whose port is looked at.
            rules.insert(
                libc::SYS_socket,
                vec![when(&[(2, Eq, of(libc::IPPROTO_MPTCP))])?],
            );
            let fast = of(libc::MSG_FASTOPEN);
            rules.insert(libc::SYS_sendto, vec![when(&[(3, MaskedEq(fast), fast)])?]);
            let connect = when(&[
                (1, Eq, of(libc::IPPROTO_TCP)),
                (2, Eq, TCP_FASTOPEN_CONNECT),
            ])?;
            rules.insert(libc::SYS_setsockopt, vec![connect]);
        }
    }
    if cfg!(target_arch = "x86_64") {
        // The same by their other numbers, for 32-bit pointers; two have numbers of their own there (`asm/unistd_x32.h`).
        const X32: i64 = 0x4000_0000;
        let other = |number: &i64| match *number {
            libc::SYS_ioctl => 514,
            libc::SYS_setsockopt => 541,
            number => number,
        };
        let others: Vec<_> = rules
            .iter()
            .map(|(number, rules)| (X32 | other(number), rules.clone()))
            .collect();
        rules.extend(others);
    }
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EACCES.unsigned_abs()),
        std::env::consts::ARCH.try_into().map_err(failed)?,
    );
    filter.map_err(failed)?.try_into().map_err(failed)
}

/// `linux/tcp.h`.
const TCP_FASTOPEN_CONNECT: u64 = 30;

fn failed(error: seccompiler::BackendError) -> io::Error {
    io::Error::other(error)
}

/// Runs `start` on a thread that can start nothing but what lies in these places, nor can what it starts.
///
/// # Errors
/// What the kernel refused, or the error of `start`.
pub(crate) fn without_programs<T: Send>(
    places: &[PathBuf],
    start: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let confined = || {
        let rules = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::Execute)
            .and_then(|rules| rules.create());
        let mut rules = rules.map_err(refused)?;
        for place in places {
            rules = allow(rules, place, AccessFs::Execute.into()).map_err(refused)?;
        }
        rules.restrict_self().map_err(refused)?;
        start()
    };
    on_a_thread(confined)
}

/// A thread is restricted for ever, so it is one that ends.
fn on_a_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sandbox".into());
        match thread.spawn_scoped(scope, work)?.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_a_hidden_place_is_seen_and_what_is_in_it_is_not() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path().canonicalize().expect("a path");
        for dir in ["a/b/secret", "a/b2", "a/c", "d"] {
            fs::create_dir_all(root.join(dir)).expect("made");
        }
        fs::write(root.join("a/b/file"), "").expect("written");
        std::os::unix::fs::symlink(root.join("a/b/secret"), root.join("a/link")).expect("a link");
        let hidden = BTreeSet::from([root.join("a/b/secret")]);
        let mut below: Vec<PathBuf> = visible(&hidden, None)
            .into_iter()
            .filter(|path| path.starts_with(&root))
            .collect();
        below.sort();
        let names = ["a/b/file", "a/b2", "a/c", "d"];
        assert_eq!(below, names.map(|name| root.join(name)));
    }
}
