//! A sandbox with real processes: what they touch outside of it stays as it was, and what they need is there.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use director_agents::process::{
    Exit, Hooks, Outcome, Sandbox, Spec, Stop, never_stop, run, sandbox,
};
use director_protocols::sandbox::{Network, Sandbox as Allowed};

/// A home with a secret, a project beside it, and a directory in which to work.
struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            root: tempfile::tempdir().expect("a directory"),
        };
        for dir in ["work", "data/blobs", "keys", "project", "cache"] {
            fs::create_dir_all(scene.at(dir)).expect("made");
        }
        for (file, text) in [
            ("keys/private", "the key"),
            ("data/token", "the token"),
            ("data/blobs/1", "a part"),
            ("project/main.c", "int main;"),
        ] {
            fs::write(scene.at(file), text).expect("written");
        }
        scene
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().expect("a path").join(path)
    }

    fn sandbox(&self) -> Sandbox {
        let text = |path: &str| self.at(path).to_string_lossy().into_owned();
        Sandbox {
            allowed: Allowed {
                write: vec![text("cache"), text("not-there")],
                hide: vec![text("keys")],
                ..Allowed::default()
            },
            own: vec![self.at("work")],
            shown: vec![self.at("data/blobs")],
            hidden: vec![self.at("data")],
            temporary: self.at("data/tmp"),
        }
    }

    fn spec(&self, line: &str) -> Spec {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let n = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mark = format!("sandbox-test/{}/{n}/", std::process::id());
        let mut spec = Spec::new("bash", ["-c", line], self.at("work"), mark);
        spec.sandbox = Some(self.sandbox());
        spec.timeout = Some(Duration::from_secs(20));
        spec
    }
}

async fn outcome(spec: Spec) -> Outcome {
    run(spec, None, never_stop(), Hooks::default())
        .await
        .expect("it was started")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_is_written_and_nothing_hidden_is_read() {
    let scene = Scene::new();
    let root = scene.at("");
    let root = root.to_string_lossy();
    let root = root.trim_end_matches('/');
    for (case, line, allowed) in [
        (
            "its work",
            "echo a > a && mv a b && mkdir d && ln -s b d/l && rm -r d b",
            true,
        ),
        (
            "what is temporary",
            "mktemp > t && echo x > \"$(cat t)\"",
            true,
        ),
        ("what the file allows", "echo a > ROOT/cache/a", true),
        (
            "devices",
            "echo a > /dev/null && head -c 1 /dev/urandom > /dev/null",
            true,
        ),
        (
            "another's file",
            "cat ROOT/project/main.c && cat /etc/passwd > /dev/null",
            true,
        ),
        ("what is shown", "cat ROOT/data/blobs/1", true),
        ("names", "ls ROOT/keys", true),
        ("a program", "git --version && env true", true),
        ("a file beside", "echo a > ROOT/project/new", false),
        (
            "a file that is there",
            "echo a >> ROOT/project/main.c",
            false,
        ),
        ("emptying", ": > ROOT/project/main.c", false),
        (
            "emptying without opening",
            "truncate -s 0 ROOT/project/main.c",
            false,
        ),
        ("removing", "rm -f ROOT/project/main.c", false),
        ("moving away", "mv ROOT/project/main.c .", false),
        ("moving into", "echo a > a; mv a ROOT/project/a", false),
        ("linking into", "ln ROOT/keys/private got && cat got", false),
        (
            "by a link of its own",
            "ln -sf ROOT/keys/private p; cat p",
            false,
        ),
        ("a new directory", "mkdir ROOT/project/d", false),
        ("the home", "echo a > ~/.director-sandbox-test", false),
        (
            "the temporary directory of all",
            "echo a > /tmp/director-sandbox-test",
            false,
        ),
        ("a key", "cat ROOT/keys/private", false),
        ("the data directory", "cat ROOT/data/token", false),
        (
            "from a child that leaves",
            "setsid sh -c 'cat ROOT/keys/private' | grep .",
            false,
        ),
        ("by what runs it", "cat /proc/$PPID/environ", false),
    ] {
        let line = line.replace("ROOT", root);
        let ended = outcome(scene.spec(&line)).await;
        assert_eq!(ended.exit.success(), allowed, "case: {case}: {ended:?}");
        assert!(!ended.stdout_tail.contains("the key"), "case: {case}");
    }
    let there = fs::read_to_string(scene.at("project/main.c")).expect("still there");
    assert_eq!(there, "int main;");
    assert!(!scene.at("data/tmp").exists(), "it is removed afterwards");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_may_not_have_it_cannot_get_by_becoming_somebody_else() {
    let scene = Scene::new();
    let ended = outcome(scene.spec("grep NoNewPrivs /proc/self/status")).await;
    assert_eq!(ended.stdout_tail.trim(), "NoNewPrivs:\t1");
    // What starts it keeps its limits and priorities.
    for line in [
        "prlimit --pid $PPID --nofile=3:3",
        "prlimit --pid $PPID --fsize=0",
        "renice -n 19 -p $PPID",
        "taskset -p 1 $PPID",
    ] {
        let ended = outcome(scene.spec(line)).await;
        assert!(!ended.exit.success(), "{line}: {ended:?}");
    }
    let ended = outcome(scene.spec("ulimit -n 100 && nice true && prlimit --nofile=50")).await;
    assert!(ended.exit.success(), "its own it may lower: {ended:?}");
    // Another user of its own making could mount something over what it may write.
    let ended = outcome(scene.spec("unshare -Urm mount --bind . /mnt")).await;
    assert!(!ended.exit.success(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_do_not_leave_it_and_reach_into_it() {
    if !sandbox::holds_signals() {
        return; // An older kernel.
    }
    let scene = Scene::new();
    let me = std::process::id();
    let ended = outcome(scene.spec(&format!("kill -0 {me}"))).await;
    assert_eq!(ended.exit, Exit::Code(1), "{ended:?}");
    let ended = outcome(scene.spec("sleep 60 & kill $! && wait $!; test $? = 143")).await;
    assert!(ended.exit.success(), "among its own they do: {ended:?}");

    let (stop, stopped) = tokio::sync::watch::channel(Stop::Go);
    let begun = run(
        scene.spec("touch begun; sleep 60 & sleep 60"),
        None,
        stopped,
        Hooks::default(),
    );
    let (ended, ()) = tokio::join!(begun, async {
        while !scene.at("work/begun").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.send_replace(Stop::Cancel);
    });
    let ended = ended.expect("it was started");
    assert_eq!((ended.exit, ended.left), (Exit::Cancelled, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_is_all_of_it_some_ports_or_none() {
    let scene = Scene::new();
    let listeners: Vec<TcpListener> = (0..2)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
        .collect();
    let ports: Vec<u16> = listeners
        .iter()
        .map(|listener| listener.local_addr().expect("an address").port())
        .collect();
    for (case, network, reached) in [
        ("all of it", Network::Open, [true, true]),
        ("one port", Network::Ports(vec![ports[0]]), [true, false]),
        ("no port", Network::Ports(Vec::new()), [false, false]),
        ("nothing", Network::Off, [false, false]),
    ] {
        for (port, expected) in ports.iter().zip(reached) {
            let line = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
            let mut spec = scene.spec(&line);
            if let Some(sandbox) = &mut spec.sandbox {
                sandbox.allowed.network = network.clone();
            }
            let ended = outcome(spec).await;
            assert_eq!(ended.exit.success(), expected, "case: {case}: {ended:?}");
        }
    }
    // Not by a datagram either.
    let mut spec = scene.spec("exec 3<>/dev/udp/127.0.0.1/53");
    spec.sandbox.as_mut().expect("one").allowed.network = Network::Off;
    let ended = outcome(spec).await;
    assert!(!ended.exit.success(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_director_itself_stays_as_free_as_it_was() {
    let scene = Scene::new();
    let mut spec = scene.spec("true");
    spec.sandbox.as_mut().expect("one").allowed.network = Network::Off;
    assert!(outcome(spec).await.exit.success());
    for file in ["project/new", "keys/new"] {
        fs::write(scene.at(file), "").expect("it may");
    }
    TcpListener::bind("127.0.0.1:0").expect("it may");
    let mut spec = scene.spec("echo a > ../project/more");
    spec.sandbox = None;
    assert!(outcome(spec).await.exit.success());
    assert!(Path::new(&scene.at("project/more")).exists());
}
