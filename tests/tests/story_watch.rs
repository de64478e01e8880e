//! `director watch` in a real terminal, on a real director with real sprints: watched, helped along, resized, left.
//!
//! With `DIRECTOR_PICTURES` set to a directory, pictures of the screen are left there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use director_tests::harness::{Playground, Run};
use director_tests::process;
use director_tests::terminal::Terminal;
use expect_test::expect;
use rustix::process::Signal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// How long the screen may take to show something on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shop: one task asks, two hold until they are let go, a person judges what is merged.
const SHOP: &str = r##"
[sprint]
id = "shop"
epic = "Checkout"
repo = "repo"
base = "main"
[gates]
docs = false
coverage = false
acceptance = false
review = false
tests = "true"
[team]
only = true
[team.api-engineer]
count = 2
kinds = ["feature"]
[team.ux-engineer]
kinds = ["ui"]
[team.tech-lead]
kinds = ["architecture", "research"]
[team.test-engineer]
kinds = ["testing"]
[team.documentation-writer]
kinds = ["documentation"]
[[task]]
id = "spec"
kind = "architecture"
title = "How checkout works, from cart to receipt"
points = 3
hours = 3
run = "echo spec > spec"
[[task]]
id = "providers"
kind = "research"
title = "Compare payment providers"
points = 2
hours = 2
run = "echo one > providers"
[[task]]
id = "cart-api"
kind = "feature"
title = "Cart: add, change, remove"
points = 5
hours = 6
depends_on = ["spec"]
run = "echo listening on 4000; printf '\\033[2J\\033]0;owned\\007tests are green\\n'; until test -e GO; do sleep 0.05; done; echo api > cart-api"
[[task]]
id = "pay"
kind = "feature"
title = "Pay by card \u001b[31mred\u001b[0m"
points = 8
hours = 8
depends_on = ["spec", "providers"]
run = "until test -e GO; do sleep 0.05; done; echo pay > pay"
[[task]]
id = "cart-page"
kind = "ui"
title = "The page of the cart"
points = 3
hours = 4
depends_on = ["spec"]
run = '''
test "$DIRECTOR_ATTEMPT" -gt 1 && { echo blue > cart-page; exit 0; }
printf '{"blocker":{"type":"design_issue","severity":"high","text":"Which \\u001b[31mcolour\\u001b[0m shall the button be?"}}' > "$DIRECTOR_REPORT"
exit 1
'''
[[task]]
id = "receipt"
kind = "ui"
title = "A receipt that can be printed"
points = 2
hours = 2
depends_on = ["pay", "cart-page"]
run = "echo receipt > receipt"
[[task]]
id = "load"
kind = "testing"
title = "A thousand carts at once"
points = 2
hours = 2
depends_on = ["cart-api"]
run = "echo load > load"
[[task]]
id = "help"
kind = "documentation"
title = "Help for buyers"
points = 1
hours = 1
depends_on = ["receipt", "load"]
run = "echo help > help"
"##;

fn serve(play: &Playground) -> Run {
    let log = || {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(play.root().join("log"))
            .expect("a log")
    };
    let mut command = play.command(&["serve", "--listen", "127.0.0.1:0", "--drain", "0"]);
    let run = Run(command
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("it starts"));
    let there = || play.ask(&["agents"]).status.success().then_some(());
    let socket = play.data_dir().join("control.sock");
    process::until(PATIENCE, || socket.exists().then_some(())).expect("it listens");
    process::until(PATIENCE, there).expect("it answers");
    run
}

fn submit(play: &Playground, name: &str, text: &str) {
    let file = play.root().join(format!("{name}.toml"));
    fs::write(&file, text).expect("a file");
    let said = play.ask(&["submit", &file.display().to_string()]);
    assert!(said.status.success(), "{said:?}");
}

fn watch(
    play: &Playground,
    columns: u16,
    lines: u16,
    change: impl FnOnce(&mut Command),
) -> Terminal {
    let mut command = play.command(&["watch"]);
    command
        .env("TERM", "xterm-256color")
        .env("USER", "mia")
        .env_remove("NO_COLOR");
    change(&mut command);
    Terminal::start(&command, columns, lines)
}

fn picture(terminal: &Terminal, play: &Playground, name: &str) {
    if let Some(dir) = std::env::var_os("DIRECTOR_PICTURES") {
        let file = PathBuf::from(dir).join(format!("{name}.svg"));
        // As wide as the temporary directory, and nicer to look at.
        let here = play.repo().display().to_string();
        let nicer = format!("{:-<1$}", "/home/mia/projects/the-shop", here.len());
        fs::write(
            file,
            terminal.picture("director watch").replace(&here, &nicer),
        )
        .expect("a picture");
    }
}

#[test]
fn a_sprint_is_watched_and_helped_along_in_a_real_terminal() {
    let play = Playground::new(PROGRAM, 1);
    let go = play.root().join("go");
    let shop = SHOP.replace("GO", &go.display().to_string());
    let mut run = serve(&play);
    let mut seat = watch(&play, 110, 30, |_| {});
    seat.until_shown("There is no team yet", PATIENCE);
    assert!(seat.is_taken());

    // It comes to life by itself.
    submit(&play, "shop", &shop);
    let at_work = |screen: &str| {
        ["cart-api for", "pay for", "!1"]
            .iter()
            .all(|part| screen.contains(part))
    };
    seat.until("two at work, one that asks", PATIENCE, at_work);
    assert!(seat.coloured() > 20);
    if std::env::var_os("DIRECTOR_PICTURES").is_some() {
        // Something to look at: agents that have been at work for a while.
        let a_while = |screen: &str| (10..20).any(|n| screen.contains(&format!("pay for {n}s")));
        seat.until("a while", PATIENCE, a_while);
    }
    picture(&seat, &play, "watch-team");

    seat.press("3");
    // The last look at it stands still: nothing moves until somebody answers.
    // A frame is written from top to bottom: the last line is new once all of it is.
    let still = |screen: &str| {
        let parts = [
            "! cart-page",
            "▶ pay",
            "▶ cart-api",
            "Help for buyers",
            "Enter open",
        ];
        parts.iter().all(|part| screen.contains(part))
    };
    let screen = seat.until("the graph", PATIENCE, still);
    picture(&seat, &play, "watch-graph");
    expect![[r#"
        as shown:
         8 tasks on 4 levels, 4 on the critical path ┃
           level 1 · 2 tasks, done
         ┃   ✓ spec       How checkout works, from cart to re…  → cart-api, pay, cart-page
             ✓ providers  Compare payment providers             → pay
         ┃ level 2 · 3 tasks
         ┃ ↓ ▶ pay        Pay by card �[31mred�[0m              → receipt
           ↓ ▶ cart-api   Cart: add, change, remove             → load
           ↓ ! cart-page  The page of the cart                  → receipt
         ┃ level 3 · 2 tasks
         ┃   · receipt    A receipt that can be printed         → help
             · load       A thousand carts at once              → help
         ┃ level 4 · 1 task
         ┃   · help       Help for buyers
    "#]]
    .assert_eq(&format!("as shown:\n{}", page(&screen)));

    // What an agent prints, and what it is called, is shown as text.
    seat.press("2");
    seat.until_shown("Pay by card", PATIENCE);
    seat.press("/cart-api\r");
    seat.until_shown("with cart-api", PATIENCE);
    seat.press("\r");
    let screen = seat.until_shown("tests are green", PATIENCE);
    assert!(screen.contains("�[2J�]0;owned�tests are green"), "{screen}");
    assert!(screen.contains("log of attempt 1, live"), "{screen}");
    seat.until_shown("What can be done", PATIENCE);
    picture(&seat, &play, "watch-task");

    // The question is answered with keys, and the answer goes on as any other.
    seat.press("5");
    seat.until_shown("Which �[31mcolour�[0m shall the button be?", PATIENCE);
    picture(&seat, &play, "watch-inbox");
    seat.press("ablue\r");
    seat.until_shown("Nothing waits for you.", PATIENCE);

    // Any size will do, or it says so.
    for (columns, lines, shown) in [
        (20, 5, "20x5 is too small"),
        (48, 12, "Nothing waits for you."),
        (110, 30, "6 Sprints"),
    ] {
        seat.resize(columns, lines);
        seat.until_shown(shown, PATIENCE);
    }

    // A key that is pressed while the window changes counts, and so does the change.
    for _ in 0..50 {
        for (columns, lines, key, shown) in
            [(48, 12, "4", "▼ followed"), (110, 30, "5", "6 Sprints")]
        {
            seat.resize(columns, lines);
            seat.press(key);
            seat.until_shown(shown, PATIENCE);
        }
        seat.until_shown("Nothing waits for you", PATIENCE);
    }

    // Paused and resumed by one key; what was handed out goes on.
    seat.press("p");
    seat.until_shown("shop paused", PATIENCE);
    fs::write(&go, "").expect("a file");
    seat.press("p");
    seat.press("1");
    seat.until_shown("shop done", PATIENCE);
    picture(&seat, &play, "watch-done");
    let answered = play.ask(&["events", "--json"]);
    let text = String::from_utf8_lossy(&answered.stdout).into_owned();
    assert!(
        text.contains("\"by\":\"mia\""),
        "who did it is in the journal"
    );

    // A second sprint, seen beside the first.
    submit(&play, "second", &shop.replace("\"shop\"", "\"second\""));
    seat.until_shown("second", PATIENCE);
    seat.press("6");
    seat.until("both", PATIENCE, |screen| {
        screen.contains("second") && screen.contains("shop")
    });
    picture(&seat, &play, "watch-sprints");

    // The director stops and comes back.
    process::signal(&run.0, Signal::TERM);
    run.code_within(PATIENCE);
    seat.until_shown("The director is gone", PATIENCE);
    picture(&seat, &play, "watch-gone");
    let _run = serve(&play);
    seat.until_shown("● live", PATIENCE);

    seat.press("q");
    assert_eq!(seat.code_within(PATIENCE), Some(0));
    assert!(!seat.is_taken(), "the terminal is as it was");
}

/// What is below the rule, without the last line and the blanks at the ends of lines.
fn page(screen: &str) -> String {
    let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
    let body = &lines[3..lines.len() - 1];
    let end = body
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |at| at + 1);
    body[..end].iter().flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn whatever_ends_it_the_terminal_is_given_back_and_without_colour_there_is_none() {
    let play = Playground::new(PROGRAM, 1);
    let _run = serve(&play);
    for (case, end) in [
        ("Ctrl-C", None),
        ("SIGTERM", Some(Signal::TERM)),
        ("SIGINT", Some(Signal::INT)),
        ("SIGHUP", Some(Signal::HUP)),
    ] {
        let mut seat = watch(&play, 80, 24, |command| {
            command.env("NO_COLOR", "1");
        });
        seat.until_shown("There is no team yet", PATIENCE);
        assert!(seat.is_taken(), "{case}");
        assert_eq!(seat.coloured(), 0, "{case}");
        match end {
            None => seat.press("\u{3}"),
            Some(signal) => process::signal(&seat.child, signal),
        }
        assert_eq!(seat.code_within(PATIENCE), Some(0), "{case}");
        assert!(!seat.is_taken(), "{case}");
    }
}

#[test]
fn where_there_is_no_terminal_it_says_what_to_use_instead() {
    let play = Playground::new(PROGRAM, 1);
    let _run = serve(&play);
    let said = play.ask(&["watch"]);
    assert_eq!(said.status.code(), Some(2));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        text.contains("director status") && text.contains("director events --follow"),
        "{text}"
    );
    // A terminal that cannot be drawn on is none.
    let mut seat = watch(&play, 80, 24, |command| {
        command.env("TERM", "dumb");
    });
    assert_eq!(seat.code_within(PATIENCE), Some(2));
    seat.until_shown("director status", PATIENCE);
}
