//! Stories of imports: what each source becomes, and what a second import does to a file that people changed.

use expect_test::expect;

use super::*;

fn imported(source: Source, text: &str) -> Imported {
    import(source, text, None, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The file without what it remembers for the next import.
fn shown(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("imported = "));
    lines.skip(1).collect::<Vec<_>>().join("\n")
}

const GITHUB: &str = r#"[
  {"number": 1, "title": "Login", "body": "All of it.\n- [ ] #2\n- [ ] returns 401", "state": "OPEN", "labels": [{"name": "epic"}], "url": "https://github.com/o/r/issues/1"},
  {"number": 2, "title": "Session endpoint", "body": "", "state": "OPEN", "labels": [{"name": "priority: high"}, {"name": "size/M"}], "assignees": [{"login": "a"}], "url": "https://github.com/o/r/issues/2"},
  {"number": 3, "title": "Login page", "body": "Depends on #2 and #9.", "state": "OPEN", "parent": {"number": 1}, "blockedBy": [{"number": 4, "url": "https://github.com/o/r/issues/4"}, {"number": 7, "url": "https://github.com/o/other/issues/7"}], "url": "https://github.com/o/r/issues/3"},
  {"number": 4, "title": "Choose a library", "body": "", "state": "CLOSED", "stateReason": "COMPLETED", "url": "https://github.com/o/r/issues/4"},
  {"number": 5, "title": "Bad colours", "body": "Blocked by #6", "state": "OPEN", "issueType": {"name": "Bug"}, "url": "https://github.com/o/r/issues/5"},
  {"number": 6, "title": "Paint it", "body": "", "state": "OPEN", "blockedBy": {"nodes": [{"number": 5}]}, "url": "https://github.com/o/r/issues/6"}
]"#;

#[test]
fn github_issues_become_tasks_that_wait_for_each_other() {
    let done = imported(Source::Github, GITHUB);
    expect![[r#"

        [sprint]
        id = "github"

        [[task]]
        id = "gh-1"
        source = "github:1"
        title = "Check the whole: Login"
        kind = "review"
        expects = "nothing"
        acceptance = ["returns 401"]
        spec = "https://github.com/o/r/issues/1"
        depends_on = ["gh-2", "gh-3"]
        description = """
        All of it.
        - [ ] #2
        - [ ] returns 401"""

        [[task]]
        id = "gh-2"
        source = "github:2"
        title = "Session endpoint"
        kind = "api_endpoint"
        priority = "high"
        points = 3
        spec = "https://github.com/o/r/issues/2"

        [[task]]
        id = "gh-3"
        source = "github:3"
        title = "Login page"
        kind = "ui_component"
        spec = "https://github.com/o/r/issues/3"
        depends_on = ["gh-2"]
        description = "Depends on #2 and #9."

        [[task]]
        id = "gh-5"
        source = "github:5"
        title = "Bad colours"
        kind = "bug_fix"
        spec = "https://github.com/o/r/issues/5"
        description = "Blocked by #6"

        [[task]]
        id = "gh-6"
        source = "github:6"
        title = "Paint it"
        spec = "https://github.com/o/r/issues/6"
        depends_on = ["gh-5"]"#]]
    .assert_eq(&shown(&done.text));
    expect![[r#"
        github: 6 issues read; 5 added, 0 updated, 0 done now, 0 as before
        left out: 1 done
        1 issue with parts: each became a check of the whole that waits for its parts
        1 dependency on what is done or left out hold nobody up
        2 dependencies come from the text of issues
        not in this backlog, left out: 3 waits for 9
        circle 5 -> 6 -> 5: that 5 waits for 6 is left out
        no place for: assignees (1)
        note: #3 names #7 of another repository, https://github.com/o/other; left out
    "#]]
    .assert_eq(&done.summary.to_string());
}

#[test]
fn a_second_import_changes_nothing_and_a_later_one_keeps_what_people_changed() {
    let first = imported(Source::Github, GITHUB).text;
    let again = |text: &str, file: &str| {
        import(Source::Github, text, Some(file), &Options::default())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let second = again(GITHUB, &first);
    assert_eq!(second.text, first);
    assert!(second.summary.is_unchanged());

    // A person renames a task, writes a better title, adds a dependency, takes a key out, adds a task and a comment.
    let edited = first
        .replace("gh-2", "session")
        .replace(
            "title = \"Login page\"",
            "title = \"The login page\" # as agreed",
        )
        .replace(
            "depends_on = [\"session\"]\ndescription",
            "depends_on = [\"own\", \"session\"]\ndescription",
        )
        .replace("kind = \"bug_fix\"\n", "")
        + "\n# Ours.\n[[task]]\nid = \"own\"\n\n[import]\nskip = [\"github:8\"]\n";
    assert_eq!(
        again(GITHUB, &edited).text,
        edited,
        "nothing happened at the source"
    );

    // At the source: two titles change, an issue is closed, one no longer waits, new ones come.
    let later = GITHUB
        .replace("Login page", "Login form")
        .replace("Session endpoint", "Session API")
        .replace("Depends on #2 and #9.", "Depends on #9.")
        .replace(r#""title": "Paint it", "body": "", "state": "OPEN""#, r#""title": "Paint it", "body": "", "state": "CLOSED""#)
        .replace("\n]", ",\n{\"number\": 8, \"title\": \"Unwanted\", \"state\": \"OPEN\"}, {\"number\": 10, \"title\": \"New\", \"body\": \"needs #2\", \"state\": \"OPEN\"}]");
    let done = again(&later, &edited);
    let file = &done.text;
    for (what, there) in [
        ("title = \"The login page\" # as agreed", true),
        ("title = \"Session API\"", true),
        ("depends_on = [\"own\"]", true),
        ("kind = \"bug_fix\"", false),
        ("# Ours.\n[[task]]\nid = \"own\"", true),
        ("id = \"gh-6\"", true),
        ("Unwanted", false),
        (
            "id = \"gh-10\"\nsource = \"github:10\"\ntitle = \"New\"\ndepends_on = [\"session\"]",
            true,
        ),
    ] {
        assert_eq!(file.contains(what), there, "{what}\n{file}");
    }
    assert_eq!(
        done.summary.kept,
        [("gh-3".to_owned(), vec!["title".to_owned()])]
    );
    assert_eq!(done.summary.closed, ["gh-6"]);
    assert_eq!(again(&later, file).text, *file);
}

#[test]
fn a_jira_export_is_read_with_repeated_headers_and_cells_of_several_lines() {
    let text = "\u{feff}Summary,Issue key,Issue id,Parent id,Issue Type,Status,Priority,Resolution,Original estimate,Custom field (Story Points),Description,Labels,Labels,Inward issue link (Blocks),Inward issue link (Blocks),Outward issue link (Blocks),Custom field (Epic Link),Watchers\n\
                Pay,P-1,100,,Epic,To Do,Major,,,,,,,,,,,w\n\
                Pay API,P-2,101,,Story,To Do,Highest,,7200,2.5,\"First line.\n\nSecond, with a comma.\",backend,money,P-3,P-99,,P-1,\n\
                Ask the bank,P-3,102,,Task,To Do,Lowest,,,0.5,,spike,,,,P-4,P-1,\n\
                Sub,P-4,103,101,Sub-task,To Do,,,,,,,,,,,,\n\
                Old,P-5,104,,Bug,Closed,,Done,,,,,,,,,,\n\
                Never,P-6,105,,Bug,Closed,,Won't Do,,,,,,,,,,\n";
    let done = imported(Source::Jira, text);
    expect![[r#"

        [sprint]
        id = "jira"

        [[task]]
        id = "P-1"
        source = "jira:P-1"
        title = "Check the whole: Pay"
        kind = "review"
        expects = "nothing"
        depends_on = ["P-2", "P-3"]

        [[task]]
        id = "P-2"
        source = "jira:P-2"
        title = "Check the whole: Pay API"
        kind = "review"
        expects = "nothing"
        priority = "critical"
        points = 3
        hours = 2
        feature = "P-2"
        depends_on = ["P-3", "P-4"]
        description = """
        First line.

        Second, with a comma."""

        [[task]]
        id = "P-3"
        source = "jira:P-3"
        title = "Ask the bank"
        kind = "research"
        priority = "low"
        points = 1

        [[task]]
        id = "P-4"
        source = "jira:P-4"
        title = "Sub"
        feature = "P-2"
        depends_on = ["P-3"]"#]]
    .assert_eq(&shown(&done.text));
    assert_eq!(
        done.summary.dangling,
        [("P-2".to_owned(), "P-99".to_owned(), "waits for")]
    );
    assert_eq!(done.summary.dropped, [("watchers".to_owned(), 1)]);

    let rows = imported(Source::Jira, "type;priority\nTask;Minor\nBug;Blocker\n");
    assert!(rows.text.contains("id = \"row-2\"\nsource = \"jira:row-2\"\ntitle = \"Bug 2\"\nkind = \"bug_fix\"\npriority = \"critical\""), "{}", rows.text);
}

#[test]
fn a_table_of_links_alone_is_no_backlog() {
    let links = "idissuelink,issuekey,linkedIssueKey,name\n1,A-1,A-2,blocks\n";
    let error = import(Source::Jira, links, None, &Options::default()).expect_err("no issues");
    expect!["this is no backlog of jira: the table has links between issues (column `linkedIssueKey`) and not the issues: neither what they are nor whether they are done. Export the issues, with all fields: their links are among them"].assert_eq(&error.to_string());
}

#[test]
fn linear_gives_relations_in_json_and_none_in_csv() {
    let json = r#"{"data": {"issues": {"nodes": [
      {"id": "u1", "identifier": "E-1", "title": "API", "priority": 1, "estimate": 3, "state": {"type": "started"}, "labels": {"nodes": [{"name": "Backend"}]}, "relations": {"nodes": [{"type": "blocks", "relatedIssue": {"id": "u2"}}, {"type": "related", "relatedIssue": {"id": "u3"}}]}, "url": "https://linear.app/x/E-1", "cycle": {"number": 4}},
      {"id": "u2", "identifier": "E-2", "title": "Page", "state": {"type": "backlog"}, "inverseRelations": {"nodes": [{"type": "blocks", "issue": {"identifier": "E-3"}}]}, "parent": {"id": "u1"}},
      {"id": "u3", "identifier": "E-3", "title": "Words", "state": {"type": "unstarted"}},
      {"id": "u4", "identifier": "E-4", "title": "Gone", "state": {"type": "canceled"}}
    ]}}}"#;
    let done = imported(Source::Linear, json);
    assert!(done.text.contains("source = \"linear:E-2\"\ntitle = \"Page\"\nkind = \"ui_component\"\nfeature = \"E-1\"\ndepends_on = [\"E-3\"]"), "{}", done.text);
    assert!(done.text.contains("title = \"Check the whole: API\"") && !done.text.contains("Gone"));
    assert!(
        done.summary
            .to_string()
            .contains("E-2 waits for E-1, which it is a part of; left out")
    );
    assert_eq!(
        done.summary.dropped,
        [
            ("cycle".to_owned(), 1),
            ("relations (related)".to_owned(), 1)
        ]
    );

    let csv = "ID,Team,Title,Description,Status,Estimate,Priority,Labels,Parent issue,Cycle Name\nE-1,T,API,,Todo,2,Urgent,\"Backend, Bug\",,\nE-2,T,Part,\"a\nb\",Backlog,,No priority,,E-1,C\nE-3,T,Old,,Done,,,,,\n";
    let done = imported(Source::Linear, csv);
    assert!(done.text.contains("id = \"E-2\"\nsource = \"linear:E-2\"\ntitle = \"Part\"\nfeature = \"E-1\"\ndescription = \"\"\"\na\nb\"\"\""), "{}", done.text);
    assert!(
        done.summary
            .to_string()
            .contains("note: Linear's CSV has no relations")
    );
}

#[test]
fn task_master_has_tags_subtasks_and_an_older_form() {
    let tasks = r#"[
      {"id": 1, "title": "Parser", "status": "pending", "dependencies": [], "priority": "high", "details": "By hand.", "description": "Reads.", "testStrategy": "Fuzz it.", "complexity": 7,
       "subtasks": [{"id": 1, "title": "Lexer", "status": "done"}, {"id": 2, "title": "Grammar", "status": "pending", "dependencies": [1]}, {"id": 3, "title": "Errors", "status": "pending", "dependencies": [2, "2.1"]}]},
      {"id": "2", "title": "Printer", "status": "review", "dependencies": ["1"], "subtasks": [{"id": 1, "title": "Width", "status": "pending"}, {"id": 1, "title": "Again", "status": "pending"}]},
      {"id": 3, "title": "Later", "status": "deferred", "dependencies": [9]},
      {"id": 4, "title": "Never", "status": "cancelled"}
    ]"#;
    let tagged = format!(
        r#"{{"master": {{"tasks": {tasks}, "metadata": {{}}}}, "next": {{"tasks": [{{"id": 1, "title": "Other", "status": "pending"}}]}}}}"#
    );
    let done = imported(Source::Taskmaster, &tagged);
    let text = shown(&done.text);
    for part in [
        "id = \"task-1.3\"\nsource = \"taskmaster:1.3\"\ntitle = \"Errors\"\nfeature = \"task-1\"\ndepends_on = [\"task-1.2\", \"task-2.1\"]",
        "title = \"Check the whole: Parser\"\nkind = \"review\"\nexpects = \"nothing\"\npriority = \"high\"\npoints = 7\nfeature = \"task-1\"\ntest_requirements = [\"Fuzz it.\"]",
        "Reads.\n\nBy hand.",
        "id = \"task-2.1-2\"\nsource = \"taskmaster:2.1#2\"\ntitle = \"Again\"",
        "id = \"task-3\"\nsource = \"taskmaster:3\"\ntitle = \"Later\"\npriority = \"low\"",
        "id = \"task-next-1\"\nsource = \"taskmaster:next:1\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(
        done.summary.dangling,
        [("3".to_owned(), "9".to_owned(), "waits for")]
    );
    // Printer waits for all of Parser, so its parts do; but a part of Parser waits for one of them.
    assert_eq!(done.summary.circles.len(), 1, "{}", done.summary);

    let legacy = imported(Source::Taskmaster, &format!("{{\"tasks\": {tasks}}}"));
    assert!(legacy.text.contains("source = \"taskmaster:1.2\""));
    let options = Options {
        tags: vec!["next".to_owned()],
        ..Options::default()
    };
    let one = import(Source::Taskmaster, &tagged, None, &options)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(one.summary.added, ["task-next-1"]);
    let none = import(
        Source::Taskmaster,
        &tagged,
        None,
        &Options {
            tags: vec!["nxt".to_owned()],
            ..Options::default()
        },
    );
    assert!(none.is_err_and(|error| {
        error
            .to_string()
            .contains("it has no tag `nxt`; it has master, next")
    }));
}

#[test]
fn beads_keep_their_edges_and_leave_out_what_is_no_work() {
    let text = r#"{"id":"b-1","title":"Whole","status":"open","priority":1,"issue_type":"epic"}
{"id":"b-1.1","title":"Part","status":"open","priority":0,"issue_type":"bug","estimated_minutes":90,"design":"So.","acceptance_criteria":"- works\n- is fast","dependencies":[{"issue_id":"b-1.1","depends_on_id":"b-1","type":"parent-child"},{"issue_id":"b-1.1","depends_on_id":"b-2","type":"blocks"},{"issue_id":"b-1.1","depends_on_id":"b-3","type":"related"}]}
{"id":"b-2","title":"First","status":"in_progress","priority":2,"issue_type":"chore","assignee":"x"}
{"id":"b-3","title":"Note","status":"open","priority":2,"issue_type":"message"}
{"id":"b-4","title":"Gone","status":"tombstone","priority":2,"issue_type":"task"}
{"id":"b-5","title":"Form","status":"open","priority":2,"issue_type":"task","is_template":true}

{"id":"b-2","title":"First of all","status":"open","priority":2,"issue_type":"chore"}
"#;
    let done = imported(Source::Beads, text);
    let shown = shown(&done.text);
    for part in [
        "id = \"b-1.1\"\nsource = \"beads:b-1.1\"\ntitle = \"Part\"\nkind = \"bug_fix\"\npriority = \"critical\"\nhours = 1.5\nacceptance = [\"works\", \"is fast\"]\ndepends_on = [\"b-2\"]\ndescription = \"\"\"\n## Design\n\nSo.\"\"\"",
        "title = \"First of all\"\nclass = \"debt\"",
        "title = \"Check the whole: Whole\"",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(
        done.summary
            .to_string()
            .contains("left out: 1 called off, 1 of the type message, 1 of the type template")
    );
}

#[test]
fn what_is_no_backlog_is_refused_with_the_way_out() {
    let plain = Options::default();
    for (case, source, text, file, said) in [
        (
            "no JSON",
            Source::Github,
            "Hello",
            None,
            "this is no backlog of github: expected value",
        ),
        (
            "no numbers",
            Source::Github,
            r#"[{"title": "x"}]"#,
            None,
            "an issue has no `number`; ask for it: `gh issue list --json number,…`",
        ),
        (
            "empty",
            Source::Github,
            "[]",
            None,
            "nothing to import: it has no issues",
        ),
        (
            "all done",
            Source::Github,
            r#"[{"number": 1, "state": "CLOSED"}]"#,
            None,
            "all 1 issues are done or called off; `--done open` takes those that are done as open",
        ),
        (
            "no columns",
            Source::Jira,
            "a,b\n1,2\n",
            None,
            "the table has none of the columns `Issue key`, `Summary` and `Issue Type`",
        ),
        (
            "a line",
            Source::Beads,
            "{\"id\":\"a\"}\n{",
            None,
            "line 2: ",
        ),
        (
            "no tags",
            Source::Taskmaster,
            "{}",
            None,
            "it has neither tags with `tasks` nor `tasks`",
        ),
        (
            "no TOML",
            Source::Github,
            "[]",
            Some("]"),
            "the sprint file cannot be brought up to date: it is not TOML",
        ),
        (
            "twice",
            Source::Github,
            "[]",
            Some(
                "[[task]]\nid = \"a\"\nsource = \"github:1\"\n[[task]]\nid = \"b\"\nsource = \"github:1\"\n",
            ),
            "two tasks have the source `github:1`; take one out",
        ),
        (
            "a circle by hand",
            Source::Github,
            r#"[{"number": 1, "title": "a", "body": "needs #2"}, {"number": 2, "title": "b"}]"#,
            Some(
                "[sprint]\nid = \"s\"\n[[task]]\nid = \"one\"\nsource = \"github:1\"\n[[task]]\nid = \"two\"\nsource = \"github:2\"\ndepends_on = [\"one\"]\n",
            ),
            "dependency cycle: one -> two -> one",
        ),
    ] {
        let error = import(source, text, file, &plain)
            .err()
            .unwrap_or_else(|| panic!("{case}"));
        assert!(error.to_string().contains(said), "case: {case}: {error}");
    }
}
