//! What is written is read as the same sprint.

use expect_test::expect;

use super::*;

fn rewritten(text: &str) -> String {
    let options = Options {
        purpose: Purpose::Plan,
        ..Options::default()
    };
    let read = |text: &str, name: &str| {
        parse(text, name, Format::Toml, &options)
            .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
    };
    let first = read(text, "sprint.toml");
    let written = write(&first.spec, "made by\na test\u{1b}");
    assert_eq!(read(&written, "next.toml").spec, first.spec, "{written}");
    written
}

#[test]
fn a_sprint_that_is_written_reads_back_as_the_same_sprint() {
    for text in EXAMPLES {
        rewritten(text);
    }
    for (top, lines) in [
        (r#"epic = "a\"b\\c\u001b""#, "hours = 2.5"),
        ("hours_per_day = 7.5\nvelocity_target = 0", ""),
        (
            "repo = \".\"\nbase = \"main\"\nstart = 2026-11-23\nend = 2026-12-04",
            "",
        ),
        (
            "[team]\nonly = true\n[team.b]\nkinds = [\"*\"]\n[team.a]\ncovers = [\"x\"]",
            "role = \"a\"",
        ),
        (
            "[team.tech-lead]\ncount = 0\n[team.extra]\nskills = [\"s\"]",
            "role = \"extra\"",
        ),
        (
            r#"[team.api-engineer]
agent = "mine"
capacity = 12.25
prompt = "p"
isolation = "clone"
conflicts = "redo"
restart = { intensity = 0 }
[team.ux-engineer]
agent = "mine"
[agent.mine]
kind = "claude"
model = "m"
program = ["a", "b"]
env = ["A_B"]
options = { x = 1, "y z" = true }"#,
            "",
        ),
        ("[team.tech-lead]\nisolation = \"sandbox\"", ""),
        (
            r#"[sandbox]
write = ["~/.cache", "/var/cache/x"]
read = ["~/.npmrc"]
hide = ["/srv/keys"]
network = [443, 8080]
[team.tech-lead]
isolation = "clone"
[team.ux-engineer]
isolation = "worktree""#,
            "",
        ),
        ("[sandbox]\nnetwork = false", ""),
        ("[sandbox]\nnetwork = []", ""),
        (
            r#"[gates]
coverage = 82.5
tests = { run = ["a", "b c"], timeout = "90s" }
review = false
mine = "exit 0"
docs = { by = "documentation-writer", rounds = 2 }
look = { by = "person" }
style = { by = "tech-lead", run = "lint" }
acceptance = true

[inbox]
question = { within = "8h", default = "answer", text = "go on" }
gate = { within = "90m" }

[ceremonies]
standup = "17:30-03:30"
progress = "4h"

[notify]
run = ["say", "it"]
webhook = "https://example.org/chat"
format = "slack"
quiet = false

[[stakeholder]]
name = "product"
on = ["daily_standup_completed"]
webhook = "https://example.org/hook"
secret_env = "HOOK_SECRET"

[webhooks]
tries_max = 3
retry_max = "1m"

[deployment]
ready = ["sh", "ready.sh"]
windows = ["mon-thu 09:00-16:00", "sat-sun 22:00-02:00+01:00"]
probe = { run = "curl -f https://example.org/", after = "90s", for = "1h" }

[budget]
cost_usd = 100
expected_usd = 0.25
window = { cost_usd = 20, within = "5h" }

[team.ux-engineer]
budget = { cost_usd = 7.5, warn_usd = 5 }

[shares]
feature = 0.615
debt = 0.2

[peer.product]

[peer.qa]
role = "test-engineer"
run = "sh try.sh"

[peer.devops]
webhook = "https://example.org/deploy""#,
            "gates = { tests = false, coverage = 90 }",
        ),
        (
            "[gates]\ncoverage = { least = 70, files = [\"a/lcov.info\"] }",
            "",
        ),
        ("[gates]\ncoverage = true\ntests = \"x\"", ""),
        (
            "[gates]\nacceptance = true\nreview = true\ntests = \"x\"",
            "",
        ),
        (
            r#"[limits]
attempts_max = 1
look_ahead = false
retry_min = "1500ms"
retry_max = "2h"
output_max = "1MiB"
tier_time = { high = "1h" }
weights = { expertise = 0.2, capacity = 0.2, context = 0.6 }"#,
            "",
        ),
        (
            "",
            r#"title = "t"
description = """
one
'''two\\
"""
kind = "odd-kind"
points = 0
estimate = { optimistic = 0.1, likely = 1.3333333, pessimistic = 9 }
priority = "high"
severity = "low"
class = "debt"
feature = "f"
expects = "artifact"
source = "github:42"
produces = ["a/b"]
files = ["a/", "b.rs"]
budget = { time = "30m", cost_usd = 2.5, warn_usd = 2, attempt_usd = 1.25, expected_usd = 0.5 }
acceptance = ["x = 1 # no comment"]
spec = "docs/a b.md"
test_requirements = ["t"]
deployment_requirements = ["d"]"#,
        ),
    ] {
        rewritten(&with(top, lines));
    }
}

#[test]
fn a_written_sprint_is_short_and_in_the_order_of_people() {
    expect![[r##"
        # made by
        # a test 

        [sprint]
        id = "hello"

        [[task]]
        id = "greet"
        run = "echo hello"
    "##]]
    .assert_eq(&rewritten(EXAMPLES[0]));
}
