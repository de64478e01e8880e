//! One mistake, one sentence: a table of what can be wrong with a sprint file.

use super::{good, toml, with};

#[test]
fn each_mistake_has_its_sentence() {
    let long = format!("id = \"{}\"", "x".repeat(101));
    for (case, file, expected) in [
        ("empty file", String::new(), "`sprint` is missing"),
        (
            "no tasks",
            "task = []\n[sprint]\nid = \"s\"".into(),
            "the sprint is empty: it has no task",
        ),
        (
            "task as a table",
            "[sprint]\nid = \"s\"\n[task]\nid = \"a\"".into(),
            "expected a list, found a table",
        ),
        (
            "a name with ..",
            with("", "feature = \"..\""),
            "\"..\" cannot be a name: `..` would leave its directory",
        ),
        (
            "a name with a slash",
            with("", "feature = \"a/b\""),
            "\"a/b\" cannot be a name: a slash would make it a path; use `-`",
        ),
        (
            "a control character",
            with("", "feature = \"a\\u0007\""),
            "\"a\\u{7}\" cannot be a name: it has a control character",
        ),
        (
            "a long name",
            format!("[sprint]\n{long}\n[[task]]\nid=\"a\"\nrun=\"true\""),
            "cannot be a name: it is longer than 100 bytes",
        ),
        (
            "a role's name",
            with("[team.\"a b\"]", ""),
            "\"a b\" cannot be a name: use only letters, digits, `-`, `_` and `.`",
        ),
        (
            "self dependency",
            with("", "depends_on = [\"a\"]"),
            "the task `a` depends on itself",
        ),
        (
            "negative",
            with("", "hours = -1"),
            "`hours` cannot be negative: -1",
        ),
        (
            "negative float",
            with("", "estimate = -0.5"),
            "`estimate` cannot be negative: -0.5",
        ),
        ("nan", with("", "hours = nan"), "`hours` cannot be NaN"),
        (
            "infinite",
            with("", "hours = inf"),
            "`hours` cannot be infinite",
        ),
        (
            "too long",
            with("", "hours = 1e300"),
            "`hours` is out of range",
        ),
        (
            "out of order",
            with(
                "",
                "estimate = { optimistic = 5, likely = 3, pessimistic = 9 }",
            ),
            "the estimate is out of order: optimistic 5, likely 3, pessimistic 9",
        ),
        (
            "two points",
            with("", "estimate = { optimistic = 5, likely = 6 }"),
            "`pessimistic` is missing",
        ),
        (
            "both",
            with("", "estimate = 5\nhours = 5"),
            "the task has both `estimate` and `hours`",
        ),
        (
            "0 capacity",
            with("[team.api-engineer]\ncapacity = 0", ""),
            "`capacity` cannot be 0",
        ),
        (
            "0 hours a day",
            with("hours_per_day = 0", ""),
            "`hours_per_day` is out of range: 0",
        ),
        (
            "priority",
            with("", "priority = \"urgent\""),
            "unknown value `urgent`",
        ),
        (
            "severity",
            with("", "severity = \"hgih\""),
            "unknown value `hgih`",
        ),
        (
            "expects",
            with("", "expects = \"change\""),
            "unknown value `change`",
        ),
        (
            "changes of nothing",
            with("", "expects = \"changes\""),
            "changes cannot be expected without a repository",
        ),
        (
            "not a date",
            with("start = \"soon\"", ""),
            "`soon` is not a date",
        ),
        (
            "a day that does not exist",
            with("end = \"2026-02-30\"", ""),
            "`2026-02-30` is not a date",
        ),
        (
            "another one, as TOML's own date",
            with("end = 2026-02-30", ""),
            "this is not TOML: invalid date, expected day between 01 and 28",
        ),
        (
            "a date and time",
            with("start = 2026-11-23T10:00:00Z", ""),
            "`2026-11-23T10:00:00Z` is not a date",
        ),
        (
            "end before start",
            with("start = 2026-11-23\nend = 2026-11-22", ""),
            "the sprint ends before it starts, on 2026-11-23",
        ),
        (
            "a bare number",
            with("", "budget = { time = 30 }"),
            "expected a duration, found a whole number",
        ),
        (
            "a unit nobody knows",
            with("", "budget = { time = \"30 minutes\" }"),
            "`30 minutes` is not a duration",
        ),
        (
            "a soft limit above the hard one",
            with("", "budget = { cost_usd = 2, warn_usd = 5 }"),
            "`warn_usd` (5) is more than `cost_usd` (2): you would never be told",
        ),
        (
            "an amount that is nothing",
            with("[budget]\ncost_usd = 0.000000000001", ""),
            "is less than a millionth of a dollar, so it would be nothing",
        ),
        (
            "what nothing would be left of",
            with("[budget]\ncost_usd = 2\nexpected_usd = 2.5", ""),
            "`expected_usd` (2.5) is more than `cost_usd` (2): nothing would ever begin",
        ),
        (
            "an attempt beyond an agent's whole budget",
            with(
                "[team.ux-engineer]\nbudget = { cost_usd = 2, attempt_usd = 3 }",
                "",
            ),
            "`attempt_usd` (3) is more than `cost_usd` (2): it would never be reached",
        ),
        (
            "a window of no length",
            with("[budget]\nwindow = { cost_usd = 2 }", ""),
            "`within` is missing",
        ),
        (
            "no time",
            with("", "budget = { time = \"0s\" }"),
            "the duration is zero",
        ),
        (
            "a gate's number",
            with("[gates]\ntests = 80", ""),
            "the gate `tests` cannot be a number",
        ),
        (
            "coverage over all",
            with("[gates]\ncoverage = 180", ""),
            "`coverage` is out of range: 180",
        ),
        (
            "a gate without run",
            with("[gates]\ntests = { timeout = \"1m\" }", ""),
            "nothing says how the gate `tests` is measured",
        ),
        (
            "a gate's key",
            with("[gates]\ntests = { run = \"x\", timout = \"1m\" }", ""),
            "unknown key `timout`",
        ),
        (
            "an empty command",
            with("[gates]\ntests = \" \"", ""),
            "the command is empty",
        ),
        (
            "an empty list",
            with("[gates]\ntests = []", ""),
            "the command is empty",
        ),
        (
            "a NUL",
            with("[gates]\ntests = \"a\\u0000\"", ""),
            "the command has a NUL byte",
        ),
        (
            "too many agents",
            with("[team.tech-lead]\ncount = 1001", ""),
            "`count` is out of range: 1001",
        ),
        (
            "too many together",
            with("[team.tech-lead]\ncount = 995", ""),
            "the team has 1003 agents",
        ),
        (
            "an agent nobody knows",
            with("[team.tech-lead]\nagent = \"cluade\"", ""),
            "unknown agent `cluade`",
        ),
        (
            "a kind nobody knows",
            with("[agent.x]\nkind = \"cluade\"", ""),
            "unknown kind of agent `cluade`",
        ),
        (
            "an agent without kind",
            with("[agent.x]\nmodel = \"m\"", ""),
            "the agent `x` has no `kind`",
        ),
        (
            "a value as a variable",
            with("[agent.claude]\nenv = [\"A=b\"]", ""),
            "`A=b` cannot be the name of a variable",
        ),
        (
            "a role of the task",
            with("", "role = \"api-enginer\""),
            "nobody fills the role `api-enginer`",
        ),
        (
            "the weights",
            with("[limits]\nweights = { expertise = 0.9 }", ""),
            "the weights add up to 1.4",
        ),
        (
            "limits crossed",
            with("[limits]\nretry_max = \"500ms\"", ""),
            "`retry_min` (1.0s) is longer than `retry_max` (500ms)",
        ),
        (
            "leaving the worktree",
            with("", "produces = [\"../x\"]"),
            "`../x` is not a path in the worktree",
        ),
        (
            "a branch as an option",
            with("base = \"--force\"", ""),
            "`--force` cannot be a branch",
        ),
        (
            "a team that is two",
            with(
                "[peer.qa]\nrole = \"tech-lead\"\nwebhook = \"https://x\"",
                "",
            ),
            "a team is a role or a webhook, not both",
        ),
        (
            "a team of nobody",
            with("[peer.qa]\nrole = \"testers\"", ""),
            "there is no role `testers` in the team",
        ),
        (
            "a secret for nothing",
            with("[peer.devops]\nsecret_env = \"KEY\"", ""),
            "there is nothing to sign without a webhook",
        ),
        (
            "told in no way",
            with("[notify]\nquiet = true", ""),
            "nothing says how you are told",
        ),
        (
            "a form that is none",
            with(
                "[notify]\nwebhook = \"https://example.org\"\nformat = \"teams\"",
                "",
            ),
            "unknown value `teams`",
        ),
        (
            "an hour that is none",
            with("[ceremonies]\nstandup = \"9 o'clock\"", ""),
            "is not an hour of the day",
        ),
        (
            "an hour that no day has",
            with("[ceremonies]\nstandup = \"24:00\"", ""),
            "`24:00` is not an hour of the day",
        ),
        (
            "a webhook",
            with("[[stakeholder]]\nname = \"p\"\nwebhook = \"ftp://x\"", ""),
            "`ftp://x` is not a web address",
        ),
        (
            "an isolation that is none",
            with("[team.x]\nisolation = \"docker\"", "role = \"x\""),
            "unknown value `docker`",
        ),
        (
            "an answer to conflicts that is none",
            with("[team.x]\nconflicts = \"ours\"", "role = \"x\""),
            "unknown value `ours`",
        ),
        (
            "a number too big",
            with("", "points = 99999999999999999999999999"),
            "`points` is out of range",
        ),
    ] {
        let errors = toml(&file).map(|_| ()).expect_err(case);
        let messages: Vec<_> = errors.problems.iter().map(|p| p.message.as_str()).collect();
        assert!(
            messages[0].ends_with(expected) || messages[0].starts_with(expected),
            "case: {case}: {messages:?}"
        );
        assert!(
            errors.problems.iter().all(|p| !p.marks.is_empty()),
            "case: {case}"
        );
    }
}

#[test]
fn what_other_tools_call_a_key_leads_to_ours() {
    for (file, expected) in [
        (with("", "type = \"testing\""), "did you mean `kind`?"),
        (with("", "dependencies = []"), "did you mean `depends_on`?"),
        (with("start_date = 2026-11-23", ""), "did you mean `start`?"),
        (
            with("", "zzz = 1"),
            "use one of: id, title, description, kind,",
        ),
    ] {
        let errors = toml(&file).map(|_| ()).expect_err(&file);
        assert!(errors.problems[0].help.starts_with(expected), "{errors}");
    }
}

#[test]
fn what_is_probably_a_slip_is_said() {
    for (file, expected) in [
        (
            with("[team.api-enginer]", ""),
            "[team.api-enginer] is a role of its own; did you mean `api-engineer`?",
        ),
        (
            with("", "kind = \"api_endpont\""),
            "task `a` has a kind of its own, `api_endpont`; did you mean `api_endpoint`?",
        ),
        (
            with(
                "",
                "depends_on = [\"b\", \"b\"]\n[[task]]\nid = \"b\"\nrun = \"true\"",
            ),
            "task `a` names a dependency twice",
        ),
        (
            with("", "[[task]]\nid = \"b\"\nfeature = \"a\"\nrun = \"true\""),
            "task `a` has no `feature` and shares the worktree of the feature `a`; write `feature` to say so",
        ),
    ] {
        assert_eq!(good(&file).warnings, [expected]);
    }
}
