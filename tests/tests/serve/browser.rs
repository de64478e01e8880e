//! The dashboard in a real browser: a sprint is submitted, watched, helped along and seen done, on one page that is never loaded again.
//!
//! Needs Chromium (Debian: `apt-get install chromium`). Where there is none the test is left out and says so, unless
//! `DIRECTOR_BROWSER` is set. With `DIRECTOR_PICTURES` set to a directory, it leaves pictures of the pages there.

use std::path::PathBuf;
use std::time::Duration;

use director_tests::browser::{self, Browser};
use director_tests::harness::Playground;

use super::{PROGRAM, serve};

/// How long a page may take to show something on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const SPRINT: &str = r#"
[sprint]
id = "shop"
epic = "Checkout"
repo = "."
base = "main"
[gates]
docs = false
coverage = false
acceptance = false
tests = "true"
review = { by = "person" }
[team]
only = true
[team.engineer]
count = 2
kinds = ["*"]
[[task]]
id = "cart"
title = "A cart that keeps what is put in it"
points = 3
hours = 1
run = '''
test "$DIRECTOR_ATTEMPT" -gt 1 && { echo blue > cart; exit 0; }
echo '{"blocker":{"type":"design_issue","severity":"high","text":"Which <b>colour</b> shall it be?"}}' > "$DIRECTOR_REPORT"
exit 1
'''
[[task]]
id = "pay"
title = "Pay by card"
points = 5
hours = 2
depends_on = ["cart"]
run = "echo paid > pay"
"#;

#[test]
fn a_sprint_is_submitted_helped_along_and_seen_done_without_loading_the_page_again() {
    let Some(program) = browser::found() else {
        assert!(
            std::env::var_os("DIRECTOR_BROWSER").is_none(),
            "Chromium is not on this machine (Debian: `apt-get install chromium`)"
        );
        eprintln!("left out: there is no Chromium");
        return;
    };
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let here = format!("http://{}", site.address);
    let mut page = Browser::start(&program, &play.root());
    page.screen(1360, 900, false);

    // Who is not signed in sees no button.
    page.open(&here);
    page.until(
        "document.body.innerText.includes('There is no sprint yet')",
        PATIENCE,
    );
    assert_eq!(
        page.eval("document.querySelectorAll('main form').length"),
        0
    );
    page.open(&format!("{here}/login"));
    page.eval("document.getElementById('token').value = 'wrong'; document.querySelector('main form').submit()");
    page.until(
        "document.body.innerText.includes('This is not the token')",
        PATIENCE,
    );
    let fill = format!(
        "document.getElementById('token').value = '{}'; document.getElementById('name').value = 'Mia Müller'; \
         document.querySelector('main form').submit()",
        site.token
    );
    page.eval(&fill);
    page.until("document.body.innerText.includes('Mia Müller')", PATIENCE);
    assert_eq!(
        page.eval("document.cookie"),
        "",
        "no script can read the token"
    );

    // A mistake is told with its place; then it is taken in.
    let text = serde_json::to_string(&SPRINT.replace(
        "[team.engineer]",
        "[team.enginer]\ncuont = 1\n[team.engineer]",
    ));
    page.eval(&format!(
        "document.getElementById('file').value = {}; document.querySelector('main form').submit()",
        text.expect("JSON")
    ));
    page.until(
        "document.querySelector('[role=alert]')?.innerText.includes('cuont')",
        PATIENCE,
    );
    let text = serde_json::to_string(SPRINT).expect("JSON");
    page.eval(&format!("document.getElementById('file').value = {text}; document.querySelector('main form').submit()"));
    page.until(
        "document.querySelector('h1')?.innerText.startsWith('shop')",
        PATIENCE,
    );

    // From here on the page is told what happens, and marks that it was not loaded again.
    let marked = |page: &mut Browser, step: &str| {
        assert_eq!(page.eval("window.marked"), true, "not loaded again: {step}");
    };
    page.eval("window.marked = true");
    page.until(
        "document.getElementById('link').dataset.state === 'live'",
        PATIENCE,
    );
    page.until("document.querySelector('.ask .say')?.innerText.includes('Which <b>colour</b> shall it be?')", PATIENCE);
    page.until(
        "document.querySelector('#blockers')?.parentElement.innerText.includes('cart')",
        PATIENCE,
    );
    marked(&mut page, "blocked");
    picture(&mut page, "blocked");
    // What is being written is left alone, whatever happens meanwhile.
    page.eval("const field = document.querySelector('.ask input[type=text]'); field.focus(); field.value = 'blue'");
    let paused = site.post("/api/v1/sprints/shop/pause", "");
    assert_eq!(paused.status, 200, "{}", paused.body);
    let resumed = site.post("/api/v1/sprints/shop/resume", "");
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    assert_eq!(
        page.eval("document.querySelector('.ask input[type=text]').value"),
        "blue"
    );
    answer(&mut page, "answer");

    // Each task's work is judged by a person.
    for task in ["cart", "pay"] {
        page.until(
            &format!("[...document.querySelectorAll('.ask')].some((one) => one.innerText.includes('{task}') && one.querySelector('[value=approve]'))"),
            PATIENCE,
        );
        if task == "pay" {
            marked(&mut page, "while it was worked on");
        }
        answer(&mut page, "approve");
        page.eval("window.marked = true");
    }
    page.until(
        "document.querySelector('h1 .tag')?.innerText === 'done'",
        PATIENCE,
    );
    marked(&mut page, "at the end");
    page.until(
        "document.querySelectorAll('.charts svg').length > 0",
        PATIENCE,
    );
    picture(&mut page, "done");
    page.until("document.querySelector('#deliver') !== null", PATIENCE);
    page.eval("document.querySelector('#deliver').click()");
    page.until(
        "!window.marked && document.querySelector('h1 .tag') !== null && document.querySelector('#deliver') === null",
        PATIENCE,
    );
    assert_eq!(play.git(&["show", "main:cart"]), "blue");

    // Who did it is in the journal.
    let events = play.ask(&["events", "--json"]);
    let text = String::from_utf8_lossy(&events.stdout).into_owned();
    assert!(text.contains("\"by\":\"Mia Müller\""), "{text}");

    // Every page is whole on a phone and in the dark: nothing is wider than the window, nothing was refused by the policy.
    for (path, name) in [
        ("/", "overview"),
        ("/board", "tasks"),
        ("/tasks/cart", "task"),
        ("/graph", "graph"),
        ("/inbox", "inbox"),
        ("/incidents", "incidents"),
        ("/audit", "audit"),
        ("/team", "team"),
        ("/events", "events"),
        ("/sprints", "sprints"),
    ] {
        for (width, dark) in [(1360, true), (390, false)] {
            page.screen(width, 900, dark);
            page.open(&format!("{here}{path}"));
            page.until("document.querySelector('h1') !== null", PATIENCE);
            let wide = page.eval("document.documentElement.scrollWidth - window.innerWidth");
            assert!(
                wide.as_i64() <= Some(0),
                "{path} at {width}: {wide} too wide"
            );
            let unnamed = page.eval("[...document.querySelectorAll('main input, main button, main select')].filter((one) => one.type !== 'hidden' && !(one.innerText || one.getAttribute('aria-label') || one.labels?.length)).length");
            assert_eq!(unnamed, 0, "{path}: fields without a name");
            picture(&mut page, &format!("{name}-{width}"));
        }
    }
}

/// Presses a button of the first thing that waits, and waits until the page is there again.
fn answer(page: &mut Browser, reply: &str) {
    page.eval(&format!(
        "window.left = true; document.querySelector('.ask [value={reply}]').click()"
    ));
    page.until(
        "!window.left && document.readyState === 'complete'",
        PATIENCE,
    );
}

fn picture(page: &mut Browser, name: &str) {
    if let Some(dir) = std::env::var_os("DIRECTOR_PICTURES") {
        let taken = page.picture();
        browser::keep(&taken, &PathBuf::from(dir).join(format!("{name}.png")));
    }
}
