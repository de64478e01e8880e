//! A whole sprint with the real program: a bakery gets a till. Whatever a director of engineers has to deal with
//! happens once: every tier of the ladder, every gate, other teams, changes of scope, two emergencies, ceremonies.
//!
//! The sprint, its agents and its repository are in `tests/stories/bakery/`; `docs/a-sprint.md` tells what happens, and
//! what it shows is compared with what was said here. A day ends when only people are waited for, so nothing here waits
//! for a clock.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use director_tests::corner::Corner;
use serde_json::Value;

/// The events that the role description has the director emit, with the fields that it gives them.
const EMITTED: &[(&str, &[&str])] = &[
    (
        "sprint_initialized",
        &["sprint_id", "total_tasks", "estimated_duration"],
    ),
    (
        "task_assigned",
        &["task_id", "agent_id", "estimated_hours", "dependencies"],
    ),
    ("task_completed", &["task_id", "sprint_progress"]),
    (
        "sprint_velocity_updated",
        &["current_velocity", "target_velocity", "trend"],
    ),
    (
        "quality_gate_status",
        &[
            "test_coverage",
            "code_review_completion",
            "documentation_status",
        ],
    ),
    (
        "qa_handoff_ready",
        &[
            "deliverable_type",
            "artifacts",
            "test_requirements",
            "deployment_requirements",
            "documentation",
        ],
    ),
    (
        "devops_handoff_ready",
        &[
            "deliverable_type",
            "artifacts",
            "test_requirements",
            "deployment_requirements",
            "documentation",
        ],
    ),
    (
        "engineering_emergency",
        &["issue", "impact", "response_team", "estimated_resolution"],
    ),
    (
        "team_utilization_alert",
        &[
            "overloaded_agents",
            "available_capacity",
            "rebalancing_needed",
        ],
    ),
    (
        "daily_standup_completed",
        &[
            "sprint_progress",
            "completed_yesterday",
            "planned_today",
            "blockers",
            "dependency_updates",
            "velocity_trend",
        ],
    ),
];

/// Those that it has the director listen to, as outside parties send them here.
const SUBSCRIBED: &[(&str, &[&str])] = &[
    ("agent_task_completed", &["task_id", "hours_spent"]),
    ("agent_blocked", &["task_id", "blocker_type"]),
    ("qa_testing_required", &["feature"]),
    ("devops_deployment_ready", &["feature"]),
    ("product_requirements_changed", &["add", "drop"]),
    ("critical_bug_discovered", &["task", "found_in", "severity"]),
];

/// A day, in seconds.
const DAY: u64 = 24 * 3600;

/// What the product says beside that of a deployment.
const OF_ITS_OWN: &[(&str, &[&str])] = &[
    ("deployment_scheduled", &["deployment", "feature", "until"]),
    ("readiness_checked", &["deployment", "commit", "missing"]),
    ("deployment_probed", &["deployment", "round", "incident"]),
];

/// The bakery, and all that was said in it.
struct Bakery {
    corner: Corner,
    said: String,
}

fn stories() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/bakery")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(&from, &to).expect("a file")),
        }
    }
}

impl Bakery {
    fn new() -> Self {
        let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
        copy(&stories().join("repo"), &corner.repo());
        corner.commit("An empty till");
        let coder = corner.root().join("coder.sh");
        fs::copy(stories().join("coder.sh"), &coder).expect("a script");
        let sprint = fs::read_to_string(stories().join("sprint.toml")).expect("the sprint");
        let sprint = sprint.replace("CODER", &coder.to_string_lossy());
        let told = corner.root().join("told");
        let probed = corner.root().join("probed");
        let sprint = sprint
            .replace("TOLD", &told.to_string_lossy())
            .replace("PROBED", &probed.to_string_lossy())
            .replace("WINDOW", &window_of_the_next_working_day());
        corner.sprint(sprint);
        Self {
            corner,
            said: String::new(),
        }
    }

    /// Runs `director` with these words; it has to end with this code. What it printed, or why not.
    fn does(&mut self, code: i32, words: &[&str]) -> String {
        self.does_later(code, words, Duration::ZERO)
    }

    /// The same with a clock that is ahead.
    fn does_later(&mut self, code: i32, words: &[&str], later: Duration) -> String {
        let said = self.corner.tell_later(words, later);
        assert_eq!(said.code, code, "director {words:?}: {said:?}");
        self.said.push_str(&said.out);
        self.said.push_str(&said.err);
        match code {
            2 => said.err,
            _ => said.out,
        }
    }

    fn tells(&mut self, words: &[&str]) -> String {
        self.does(0, words)
    }

    /// A day: work goes on until only people are waited for, or the sprint is over.
    fn day(&mut self, code: i32) {
        let file = self.corner.file();
        self.does(code, &["run", &file.to_string_lossy()]);
    }

    /// Sends an outside party's event.
    fn sends(&mut self, code: i32, event: &str, fields: &Value) -> String {
        let file = self.corner.root().join("event.json");
        fs::write(&file, fields.to_string()).expect("a file");
        self.does(code, &["send", event, "--json", &file.to_string_lossy()])
    }

    /// The number of what waits in the inbox and mentions this.
    fn waiting(&mut self, about: &str) -> String {
        let inbox: Value = serde_json::from_str(&self.tells(&["inbox", "--json"])).expect("JSON");
        let items = inbox["inbox"].as_array().expect("a list");
        let found = items.iter().find(|item| item.to_string().contains(about));
        let found = found.unwrap_or_else(|| panic!("`{about}` is not in {inbox:#}"));
        found["id"].to_string()
    }

    /// Everything in the journal, as programs read it.
    fn events(&self) -> Vec<Value> {
        let said = self.corner.tell(&["events", "--json"]);
        let lines = said.out.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// What is on the sprint's branch.
    fn merged(&self, file: &str) -> String {
        self.corner.git(&["show", &format!("sprint/till-1:{file}")])
    }

    /// Fills what the director cannot know of an incident, and closes it.
    fn closes(&mut self, incident: &str, steps: [(&str, &str); 3]) {
        let early = self.does(2, &["incident", incident, "--close"]);
        assert!(early.contains("root_cause"), "{early}");
        for (step, text) in steps {
            self.tells(&["incident", incident, "--step", step, text]);
        }
        self.tells(&["incident", incident, "--close"]);
        let shown = self.tells(&["incident", incident]);
        for step in [
            "1. impact",
            "2. mitigation",
            "3. root_cause",
            "4. escalation",
            "5. recovery",
            "6. documentation",
            "7. improvement",
        ] {
            assert!(shown.contains(step), "{step}: {shown}");
        }
        assert!(!shown.contains("missing"), "{shown}");
    }
}

/// The events of a name.
fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == name)
        .collect()
}

#[test]
fn a_bakery_gets_a_till() {
    let mut bakery = Bakery::new();
    let plan = bakery.corner.file();
    bakery.tells(&["plan", &plan.to_string_lossy()]);

    first_day(&mut bakery);
    second_day(&mut bakery);
    third_day(&mut bakery);
    last_day(&mut bakery);
    afterwards(&mut bakery);

    bakery.tells(&["events"]);
    the_journal_names_everything(&bakery.events());
    the_story_is_told_as_it_happened(&bakery.said);
    bakery.corner.nothing_left("the bakery");
}

/// Agents ask, and what they are answered changes what they do: guidance, a pair, architecture.
fn first_day(bakery: &mut Bakery) {
    bakery.day(3);
    for (tier, file, heard) in [
        ("low", "commands/greeting.sh", "echo Moin"),
        ("medium", "commands/receipt.sh", "32 columns"),
        ("high", "commands/total.sh", "/ 5) * 5"),
    ] {
        let work = bakery.merged(file);
        assert!(work.contains(heard), "{tier}: {work}");
    }
    let events = bakery.events();
    let severities: Vec<&str> = named(&events, "blocker_raised")
        .iter()
        .filter_map(|event| event["severity"].as_str())
        .collect();
    assert_eq!(severities, ["low", "medium", "high"]);
    let guided = &named(&events, "guidance_given")[0];
    assert_eq!(guided["text"], "This is a bakery: say Moin.");
    let asked: Vec<&Value> = named(&events, "adviser_asked");
    assert_eq!(asked[0]["to"], "engineering-manager-1");
    assert_eq!(named(&events, "help_given")[0]["by"], "tech-lead-1");
    // The reviewer sent the first work on prices back.
    let reviewed = named(&events, "work_reviewed");
    let prices: Vec<&Value> = reviewed
        .iter()
        .filter(|event| event["task_id"] == "prices")
        .map(|event| &event["passed"])
        .collect();
    assert_eq!(prices, [false, true]);

    let standup = bakery.tells(&["standup"]);
    assert!(standup.contains("5 of 9 tasks"), "{standup}");
    bakery.tells(&["status", "--update"]);
}

/// Other teams speak: QA returns a package and reports a critical bug, Product changes its mind, the writer hears why.
fn second_day(bakery: &mut Bakery) {
    let package = bakery.waiting("package for qa");
    bakery.tells(&["reject", &package, "11 cents become 15"]);
    let manual = bakery.waiting("manual");
    bakery.tells(&["reject", &manual, "say that there are no small coins"]);
    let bug = serde_json::json!({
        "task": {
            "id": "rounding", "title": "11 cents become 15", "hours": 1, "feature": "counting",
            "run": {"shell": "sh agents/rounding.sh"},
        },
        "found_in": "total",
        "severity": "critical",
    });
    bakery.sends(0, "critical_bug_discovered", &bug);
    let change = serde_json::json!({
        "add": [{
            "id": "discount", "title": "Ten percent off after six", "points": 2, "hours": 2,
            "depends_on": ["prices"], "run": {"shell": "sh agents/discount.sh"},
        }],
        "drop": ["loyalty"],
    });
    bakery.sends(0, "product_requirements_changed", &change);
    let blocked = serde_json::json!({
        "task_id": "logo", "blocker_type": "unclear", "severity": "high", "text": "Which colour is the logo?",
    });
    bakery.sends(0, "agent_blocked", &blocked);
    let counting = serde_json::json!({"feature": "counting"});
    let early = bakery.sends(2, "devops_deployment_ready", &counting);
    assert!(
        early.contains("task rounding is ready; there is an emergency"),
        "{early}"
    );

    bakery.day(3);
    assert!(bakery.merged("commands/total.sh").contains("(sum + 2) / 5"));
    assert!(!bakery.merged("commands/discount.sh").contains("eval"));
    let events = bakery.events();
    let order: Vec<&str> = named(&events, "task_completed")
        .iter()
        .filter_map(|event| event["task_id"].as_str())
        .collect();
    assert_eq!(order[5..], ["rounding", "discount"], "the bug goes first");
    // Nobody of architecture was there when the designer asked; they were asked once they came.
    assert_eq!(
        named(&events, "adviser_asked")
            .last()
            .map(|event| &event["task_id"]),
        Some(&"logo".into())
    );
    bakery.closes(
        "1",
        [
            (
                "root_cause",
                "The specification says \"to five cents\", not \"up\".",
            ),
            ("documentation", "docs/DESIGN.md says which way."),
            ("improvement", "QA tests each ending from 1 to 4."),
        ],
    );

    let package = bakery.waiting("package for qa");
    bakery.tells(&["approve", &package]);
    bakery.sends(
        0,
        "qa_testing_required",
        &serde_json::json!({"feature": "paper"}),
    );
    bakery.sends(0, "devops_deployment_ready", &counting);
    let package = bakery.waiting("package for qa");
    bakery.tells(&["approve", &package]);
    // What is ready waits for its window.
    let status: Value = serde_json::from_str(&bakery.tells(&["status", "--json"])).expect("JSON");
    assert_eq!(status["deployments"][0]["state"], "waiting", "{status:#}");
    bakery.tells(&[
        "gate",
        "override",
        "manual",
        "docs",
        "the shop opens tomorrow",
    ]);
}

/// The file changes while work is under way, and the new task brings everything to a halt.
fn third_day(bakery: &mut Bakery) {
    let mut run = bakery.corner.start();
    bakery.corner.wait_for("an agent that counts", |status| {
        let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
        tasks
            .iter()
            .any(|task| task["id"] == "stock" && task["status"] == "working")
    });
    let file = bakery.corner.file();
    let more = fs::read_to_string(stories().join("closing.toml")).expect("the rest");
    let sprint = fs::read_to_string(&file).expect("the sprint") + &more;
    bakery.corner.sprint(sprint);
    let shown = bakery.tells(&["replan", &file.to_string_lossy(), "--yes"]);
    assert!(shown.contains("+ closing: Close the till"), "{shown}");
    let code = run.code_within(Duration::from_secs(60));
    assert_eq!(code, Some(3), "only people are waited for");

    let status: Value = serde_json::from_str(&bakery.tells(&["status", "--json"])).expect("JSON");
    assert_eq!(status["state"], "emergency");
    let events = bakery.events();
    assert_eq!(named(&events, "work_checkpointed")[0]["task_id"], "stock");
    let emergency = named(&events, "engineering_emergency")[1];
    assert_eq!(emergency["response_team"][0], "tech-lead-1");
    let told = fs::read_to_string(bakery.corner.root().join("told")).expect("the owner was told");
    assert_eq!(
        told.matches("\"engineering_emergency\"").count(),
        2,
        "{told}"
    );
    bakery.tells(&["incident", "2"]);
    let key = bakery.waiting("key of the drawer");
    bakery.tells(&["answer", &key, "It is in the flour bin."]);
    // The designer's work is reported by the tool that designers use.
    fs::write(bakery.corner.repo().join(".worktrees/logo/logo.txt"), "8\n").expect("a bretzel");
    let done =
        serde_json::json!({"task_id": "logo", "hours_spent": 2.0, "summary": "A brown bretzel."});
    bakery.sends(0, "agent_task_completed", &done);
}

/// What was paused goes on, and the sprint ends.
fn last_day(bakery: &mut Bakery) {
    let file = bakery.corner.file();
    let run = ["run", &*file.to_string_lossy()];
    let later = until_noon_of_the_next_working_day();
    bakery.does_later(3, &run, later);
    // The window is open: what was ready goes to DevOps, and so does the closing, which asked for it by itself.
    for feature in ["counting", "closing"] {
        let package = bakery.waiting(&format!("package for devops: feature {feature}"));
        bakery.does_later(0, &["approve", &package], later);
    }
    bakery.does_later(0, &run, later);
    assert_eq!(bakery.merged("logo.txt"), "8");
    assert!(bakery.merged("commands/closing.sh").contains("closed"));
    // The first half of the counting was saved before it was called off.
    let saved = bakery
        .corner
        .git(&["for-each-ref", "refs/director/salvage/till-1/stock/"]);
    assert!(!saved.is_empty());
    bakery.closes(
        "2",
        [
            ("root_cause", "There is one key."),
            ("documentation", "A note on the drawer."),
            ("improvement", "A second key at the owner's."),
        ],
    );
    let shown = bakery.tells(&["incident", "3"]);
    assert!(shown.contains("the till in the shop is dark"), "{shown}");
    bakery.closes(
        "3",
        [
            ("root_cause", "Nobody had switched it on."),
            ("documentation", "The first page of the manual."),
            ("improvement", "The probe begins when the shop opens."),
        ],
    );
}

/// The standup of that day was due in the morning, and is held when the director is there again.
fn until_noon_of_the_next_working_day() -> Duration {
    let now = now();
    Duration::from_secs(next_working_day(now) * DAY + DAY / 2) - now
}

/// When the till may be replaced: not before that day.
fn window_of_the_next_working_day() -> String {
    let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let day = days[((next_working_day(now()) + 4) % 7) as usize];
    format!("{day} 11:00-20:00")
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
}

/// The number of the day after today on which people work.
fn next_working_day(now: Duration) -> u64 {
    // Day 0 was a Thursday; 0 is Sunday, 6 Saturday.
    let mut days = (now.as_secs() / DAY + 1)..;
    let day = days.find(|day| !matches!((day + 4) % 7, 0 | 6));
    day.expect("a working day")
}

/// The team looks back, and what it decides is in the next sprint's file.
fn afterwards(bakery: &mut Bakery) {
    bakery.tells(&["standup"]);
    bakery.tells(&["report"]);
    let retro = bakery.tells(&["retro"]);
    assert!(retro.contains("`gate-security`"), "{retro}");
    bakery.tells(&["retro", "--accept", "gate-security"]);
    let next = bakery.corner.root().join("next.toml");
    bakery.tells(&["retro", "--next", &next.to_string_lossy()]);
    let next = fs::read_to_string(next).expect("the next sprint");
    assert!(!next.contains("loyalty"), "it was dropped: {next}");
    assert!(
        next.contains("security"),
        "the action item is in it: {next}"
    );
    bakery.tells(&["deliver"]);
    let report = bakery.corner.report();
    assert_eq!(report["outcome"], "done");
    let bugs = serde_json::json!({"reported": 1, "open": 0});
    assert_eq!(report["metrics"]["bugs"], bugs, "QA's is mended");
    assert_eq!(
        report["incidents"].as_array().map(Vec::len),
        Some(3),
        "{}",
        report["incidents"]
    );
}

fn the_journal_names_everything(events: &[Value]) {
    for (name, fields) in EMITTED.iter().chain(SUBSCRIBED).chain(OF_ITS_OWN) {
        let found = named(events, name);
        let Some(event) = found.last() else {
            panic!("no `{name}` in the journal");
        };
        for field in *fields {
            assert!(
                event.get(field).is_some(),
                "`{name}` has no `{field}`: {event}"
            );
        }
    }
    let mut gates: Vec<(&str, &str)> = named(events, "quality_gate_status")
        .iter()
        .filter_map(|event| event["outcomes"].as_array())
        .flatten()
        .filter_map(|outcome| Some((outcome["gate"].as_str()?, outcome["verdict"].as_str()?)))
        .collect();
    gates.sort_unstable();
    gates.dedup();
    for gate in [
        "tests",
        "security",
        "benchmarks",
        "coverage",
        "review",
        "acceptance",
    ] {
        assert!(gates.contains(&(gate, "passed")), "{gate}: {gates:?}");
    }
    for stopped in [
        ("coverage", "failed"),
        ("security", "failed"),
        ("docs", "overridden"),
    ] {
        assert!(gates.contains(&stopped), "{stopped:?}: {gates:?}");
    }
}

/// Each line that the document shows was said; `…` stands for what is left out.
fn the_story_is_told_as_it_happened(said: &str) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/a-sprint.md");
    let document = fs::read_to_string(document).expect("the document");
    let blocks = document.split("```console\n").skip(1);
    let shown: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
        .filter(|line| !line.starts_with('$') && !line.trim().is_empty())
        .collect();
    assert!(shown.len() > 40, "the document shows what happened");
    for line in shown {
        for part in line.split('…').map(str::trim) {
            assert!(said.contains(part), "nobody said `{part}`:\n{said}");
        }
    }
}
