//! A sandbox through the real program: agents and gates do their work, and nothing else.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::{harness, process};

const PATIENCE: Duration = Duration::from_secs(60);

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

/// What an agent out of its mind could try, one line of `result` for each that worked.
const ATTACK: &str = r#"
try() { name=$1; shift; if "$@" > /dev/null 2>&1; then echo "$name" >> result; fi; }
touch result
try checkout touch ROOT/repo/mine
try hook sh -c 'echo evil > ROOT/repo/.git/hooks/pre-commit'
try config git --git-dir=ROOT/repo/.git config core.pager evil
try ref git --git-dir=ROOT/repo/.git update-ref refs/heads/main HEAD~0
try branch git --git-dir=ROOT/repo/.git branch stolen
try neighbour sh -c 'echo evil > ROOT/repo/.worktrees/other'
try journal rm -f ROOT/repo/.director/journal.db
try log sh -c ': > ROOT/repo/.director/attempts/0/1/output.log'
try token cat ROOT/repo/.director/control.key
try secret cat ROOT/keys/private
try order "$DIRECTOR_PROGRAM" --data-dir ROOT/repo/.director cancel --yes
try order "$DIRECTOR_PROGRAM" --data-dir ROOT/repo/.director pause
try kill kill -9 $PPID
try everywhere sh -c 'echo > /tmp/director-story-sandbox'
ln -s ROOT/keys way
echo '{"summary": "tried all", "artifacts": ["way/private", "result"]}' > "$DIRECTOR_REPORT"
ln -sf ROOT/repo/mine "$(dirname "$DIRECTOR_REPORT")/report.json.new"
rm way
"#;

#[test]
fn agents_and_gates_in_a_sandbox_do_their_work_and_touch_nothing_else() {
    let corner = corner();
    let root = corner.root().display().to_string();
    fs::create_dir(corner.root().join("keys")).expect("made");
    fs::write(corner.root().join("keys/private"), "the key\n").expect("written");
    fs::create_dir(corner.root().join("cache")).expect("made");
    fs::create_dir_all(corner.repo().join(".worktrees")).expect("made");
    let gate = format!(
        "! touch {root}/repo/mine && ! cat {root}/keys/private && ! cat {root}/repo/.director/control.key \
         && mktemp && git log --oneline && echo gate >> {root}/cache/log && touch build"
    );
    let text = HEAD.replace("tests = false", &format!("tests = '''{gate}'''"))
        + &format!(
            r#"
[sandbox]
write = ["{root}/cache"]
hide = ["{root}/keys"]

[team.free]
isolation = "worktree"

[[task]]
id = "attack"
run = '''{attack}'''

[[task]]
id = "work"
depends_on = ["attack"]
run = '''
set -e
git log --oneline | grep -q attack
echo done > done
git add done
git -c user.name=a -c user.email=a@localhost commit --quiet --message "by itself"
grep -q "tried all" "$DIRECTOR_HANDOFF"
cp "$DIRECTOR_HANDOFF" handoff
sed -n 's/.*"path": "\(.*\)".*/\1/p' handoff | xargs cat > parts
grep -q . "$DIRECTOR_ASSIGNMENT"
echo "$TMPDIR" > where
mktemp > /dev/null
echo task >> {root}/cache/log
'''

[[task]]
id = "free"
role = "free"
depends_on = ["work"]
run = "touch {root}/freed; echo free > free"
"#,
            attack = ATTACK.replace("ROOT", &root)
        );
    let said = corner.sprint(text).run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("result"), "", "nothing of it worked");
    assert!(!corner.repo().join("mine").exists());
    assert!(!corner.repo().join(".git/hooks/pre-commit").exists());
    assert_eq!(corner.branches(), "main sprint/s");

    assert_eq!(corner.merged("done"), "done");
    assert!(
        corner
            .git(&["log", "--format=%s", "sprint/s"])
            .contains("by itself")
    );
    assert!(corner.merged("handoff").contains("way/private"));
    assert_eq!(
        corner.merged("parts"),
        "",
        "an artifact of that name has no content"
    );
    let log = fs::read_to_string(corner.root().join("cache/log")).expect("a log");
    let gates = log.lines().filter(|line| *line == "gate").count();
    assert!(
        gates >= 4 && log.contains("task"),
        "the base and each merge: {log}"
    );
    let temporary = corner.merged("where");
    assert!(temporary.starts_with(&root), "{temporary}");
    assert!(!fs::exists(temporary).expect("it may be looked at"));
    assert!(
        corner.root().join("freed").exists(),
        "a role that is left out of it"
    );
    corner.nothing_left("sandbox");
}

#[test]
fn what_works_for_a_director_gives_it_no_orders() {
    let corner = corner();
    let task = r#"
[[task]]
id = "t"
run = '''
try() { "$DIRECTOR_PROGRAM" --data-dir "$DIRECTOR_DATA_DIR" "$@" > said 2>&1 && echo "$@" >> worked; cat said >> heard; }
touch worked
try pause
try budget 1000
try approve 1
try cancel t --yes
setsid --wait sh -c '"$DIRECTOR_PROGRAM" --data-dir "$DIRECTOR_DATA_DIR" pause' > /dev/null 2>&1 && echo away >> worked
"$DIRECTOR_PROGRAM" --data-dir "$DIRECTOR_DATA_DIR" status > asked
'''
"#;
    let said = corner.sprint(format!("{HEAD}{task}")).run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("worked"), "");
    assert!(corner.merged("asked").contains('t'), "it may ask");
    let heard = corner.merged("heard");
    assert!(heard.contains("gives it no orders"), "{heard}");
    let audit = corner.tell(&["audit"]).out;
    assert!(audit.contains("gives it no orders"), "{audit}");
}

#[test]
fn what_a_person_changes_beside_agents_in_a_sandbox_is_no_incident() {
    for (sandbox, incidents) in [(true, 0), (false, 1)] {
        let corner = corner();
        let root = corner.root().display().to_string();
        fs::create_dir(corner.root().join("way")).expect("made");
        let head = match sandbox {
            true => format!("{HEAD}[sandbox]\nwrite = [\"{root}/way\"]\n"),
            false => HEAD.to_owned(),
        };
        let task = format!(
            "[[task]]\nid = \"t\"\nrun = \"touch {root}/way/begun; until test -e {root}/way/go; do sleep 0.02; done; echo t > t\"\n"
        );
        corner.sprint(head + &task);
        let mut run = corner.start();
        let begun = corner.root().join("way/begun");
        process::until(PATIENCE, || begun.exists().then_some(())).expect("it began");
        fs::write(corner.repo().join("README"), "Edited by hand.\n").expect("written");
        fs::write(corner.root().join("way/go"), "").expect("written");
        assert_eq!(run.code_within(PATIENCE), Some(0));
        let found = corner.report()["incidents"].as_array().map(Vec::len);
        assert_eq!(found, Some(incidents), "sandbox: {sandbox}");
    }
}

#[test]
fn what_an_agent_leaves_in_repositories_runs_nothing_outside_and_shows_nothing_hidden() {
    let corner = corner();
    let root = corner.root().display().to_string();
    let at = |path: &str| corner.root().join(path);
    for dir in ["pwn", "keys"] {
        fs::create_dir(at(dir)).expect("made");
    }
    fs::write(at("keys/private"), "the key\n").expect("written");
    let git = |dir: &str, words: &[&str]| {
        let said = harness::git(&at(dir), words);
        said.unwrap_or_else(|said| panic!("git {words:?}: {said}"))
    };
    for (dir, file) in [("library", "lib.txt"), ("keys/secret", "secret.txt")] {
        fs::create_dir(at(dir)).expect("made");
        git(dir, &["init", "--quiet", "--initial-branch=main"]);
        fs::write(at(dir).join(file), "TOPSECRET\n").expect("written");
        git(dir, &["add", "-A"]);
        git(dir, &["commit", "--quiet", "--message", "one"]);
    }
    let library = git("library", &["rev-parse", "HEAD"]);
    let link = format!("160000,{library},lib");
    corner.git(&["update-index", "--add", "--cacheinfo", &link]);
    corner.git(&["commit", "--quiet", "--message", "a submodule"]);

    let me = "git -c user.name=a -c user.email=a@localhost";
    // The program that git would run is the agent's; what it writes is outside.
    let evil = |name: &str| format!("sh -c 'cat {root}/keys/private > {root}/pwn/{name}; cat'");
    let attacks = [
        (
            "lazy",
            format!(
                "git config core.repositoryFormatVersion 1; git config extensions.partialClone evil; \
                 git config remote.evil.promisor true; git config remote.evil.url {root}/repo; \
                 git config remote.evil.uploadpack \"cat {root}/keys/private > {root}/pwn/lazy; git-upload-pack\"; \
                 echo 1234567890123456789012345678901234567890 > .git/HEAD"
            ),
        ),
        (
            "nested",
            format!(
                "git init -q sub; cd sub; echo a > a; git add a; {me} commit -q -m a; \
                 git config filter.x.clean \"{}\"; echo '* filter=x' > .git/info/attributes; cd ..; \
                 git add sub; echo b > sub/a; touch -d 2001-01-01 sub/a; exit 1",
                evil("nested")
            ),
        ),
        (
            "submodule",
            format!(
                "rm -rf lib; git clone -q {root}/library lib; cd lib; \
                 git config filter.x.clean \"{}\"; echo '* filter=x' > .git/info/attributes; \
                 touch -d 2001-01-01 lib.txt; cd ..; echo done > submodule",
                evil("submodule")
            ),
        ),
        (
            "grafts",
            format!(
                "ln -sf {root}/keys/private .git/info/grafts; ln -sf {root}/keys/private .git/shallow; echo g > grafts"
            ),
        ),
        (
            "commondir",
            format!("echo {root}/keys/secret/.git > .git/commondir; echo c > commondir"),
        ),
        (
            "alternates",
            format!(
                "echo {root}/keys/secret/.git/objects >> .git/objects/info/alternates; \
                 echo {} > .git/refs/heads/stolen; echo s > alternates",
                git("keys/secret", &["rev-parse", "HEAD"])
            ),
        ),
    ];
    let mut text = format!("{HEAD}[sandbox]\nhide = [\"{root}/keys\"]\n");
    for (id, run) in &attacks {
        text += &format!("[[task]]\nid = \"{id}\"\nrun = '''\n{run}\n'''\n");
    }
    let said = corner.sprint(text).run();
    let written: Vec<_> = fs::read_dir(at("pwn"))
        .expect("it is there")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(written.is_empty(), "{written:?}: {said:?}");
    let events = corner.tell(&["events", "--json"]).out;
    assert!(!events.contains("the key"), "{events}");
    let saved = corner.git(&["for-each-ref", "--format=%(objectname)"]);
    for commit in saved.lines() {
        let files = corner.git(&["ls-tree", "-r", "--name-only", commit]);
        assert!(!files.contains("secret.txt"), "{files}");
    }
    assert_eq!(corner.merged("submodule"), "done");
    let lib = corner.git(&["ls-tree", "sprint/s", "lib"]);
    assert!(lib.contains(&library), "the submodule is as it was: {lib}");
}

#[test]
fn without_a_network_nothing_is_reached_and_a_role_alone_can_be_in_it() {
    let corner = corner();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let reach = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let task = format!(
        "[[task]]\nid = \"t\"\nrun = [\"bash\", \"-c\", \"({reach}) 2> why || echo none > reached\"]\n"
    );
    let text = format!("{HEAD}[sandbox]\nnetwork = false\n{task}");
    let said = corner
        .sprint(text.replace(
            "tests = false",
            &format!("tests = ['bash', '-c', '! ({reach})']"),
        ))
        .run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("reached"), "none");

    let alone = HEAD.replace("id = \"s\"", "id = \"alone\"").replace(
        "[team.fullstack-engineer]",
        "[team.fullstack-engineer]\nisolation = \"sandbox\"",
    );
    let here = corner.root().display().to_string();
    let gate = format!("touch {here}/gate");
    let text = alone.replace("tests = false", &format!("tests = \"{gate}\""))
        + &format!("[[task]]\nid = \"t\"\nrun = \"! touch {here}/task && echo x > x\"\n");
    let said = corner.sprint(text).run();
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!corner.root().join("task").exists() && corner.root().join("gate").exists());
}

#[test]
fn what_is_wrong_with_a_sandbox_is_said_and_doctor_says_whether_there_is_one() {
    let corner = corner();
    let task = "[[task]]\nid = \"t\"\nrun = \"true\"\n";
    for (written, part) in [
        ("write = [\"cache\"]", "`cache` is no place on this machine"),
        (
            "write = [\"~\"]",
            "write an absolute path, or one that begins with `~/`",
        ),
        ("hide = [\"/a/../b\"]", "no `..` in it"),
        ("network = [0]", "network"),
        ("network = \"off\"", "network"),
        ("wirte = []", "did you mean `write`?"),
    ] {
        let said = corner
            .sprint(format!("{HEAD}[sandbox]\n{written}\n{task}"))
            .run();
        assert_eq!(said.code, 2, "{written}: {said:?}");
        assert!(said.err.contains(part), "{written}: {}", said.err);
    }
    let doctor = corner.tell(&["doctor"]);
    assert!(doctor.out.contains("sandbox"), "{}", doctor.out);
}
