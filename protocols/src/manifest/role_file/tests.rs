//! Role files that load, those that load with a remark, and hostile ones.

use expect_test::expect;
use proptest::prelude::*;

use super::super::{Format, Manifest, Options, parse as parse_sprint};
use super::*;

fn markdown_role(text: &str) -> Result<RoleFile, String> {
    parse(text, "agents/x.md", "x", RoleForm::Markdown)
}

fn good(text: &str) -> RoleFile {
    markdown_role(text).unwrap_or_else(|why| panic!("{why}"))
}

/// The head of the role description that the product grew from.
const DIRECTOR: &str = "---\nname: engineering-director\ndescription: \"Engineering Director orchestrator. MUST BE USED when starting \
    engineering sprints: planning, tracking.\"\ntools: Task, Read, Write, Edit, Glob, LS, Bash(git:*), Bash(npm:*), TodoWrite, \
    mcp__freecrawl__search\ncolor: blue\nmodel: opus\n---\n# Purpose\n\nYou are the director.\n\n---\n\nMore.\n";

#[test]
fn an_agent_file_is_a_role_with_everything_it_says() {
    let role = good(DIRECTOR);
    assert_eq!(role.role.as_str(), "engineering-director");
    assert_eq!(role.profile.color.as_deref(), Some("blue"));
    assert_eq!(role.profile.settings["model"], "opus");
    assert_eq!(
        role.profile.settings["tools"],
        "Task,Read,Write,Edit,Glob,LS,Bash(git:*),Bash(npm:*),TodoWrite,mcp__freecrawl__search"
    );
    assert!(role.prompt.starts_with("# Purpose") && role.prompt.ends_with("---\n\nMore."));
    assert_eq!(role.notes, Vec::<String>::new());

    let all = good(
        "---\nname: Rust Expert\ndescription: d\ntools: [Read, \"Bash(git:*, npm:*)\"]\ndisallowed_tools: WebFetch\n\
         effort: xhigh\npermissionMode: acceptEdits\nmcpServers: [github, {slack: {command: x}}]\nhooks: {Stop: []}\n\
         maxTurns: 40\nautoCompactWindow: 5\nskills: [a, b]\ninitialPrompt: Look first.\nmemory: project\nbackground: true\n\
         omitClaudeMd: false\nisolation: worktree\nobserver: o\nobserverMessage: m\nobserveSubagents: true\n\
         observeToolResults: false\nmodel: inherit\ncolour: red\nvendor: {a: 1}\ndirector:\n  role: api-engineer\n  count: 2\n  \
         capacity: 30\n  kinds: [api_endpoint]\n  agent: claude\n---\n\nYou write Rust.\n",
    );
    expect![[r#"
        {
            "autoCompactWindow": "5",
            "background": "true",
            "disallowedTools": "WebFetch",
            "effort": "xhigh",
            "hooks": "{\"Stop\":[]}",
            "initialPrompt": "Look first.",
            "isolation": "worktree",
            "maxTurns": "40",
            "mcpServers": "[\"github\",{\"slack\":{\"command\":\"x\"}}]",
            "memory": "project",
            "model": "inherit",
            "observeSubagents": "true",
            "observeToolResults": "false",
            "observer": "o",
            "observerMessage": "m",
            "omitClaudeMd": "false",
            "permissionMode": "acceptEdits",
            "skills": "a,b",
            "tools": "Read,Bash(git:*, npm:*)",
        }
    "#]]
    .assert_debug_eq(&all.profile.settings);
    assert_eq!(all.profile.settings.len(), FIELDS.len());
    assert_eq!(all.profile.others["vendor"], r#"{"a":1}"#);
    assert_eq!(all.role.as_str(), "api-engineer");
    assert_eq!(
        all.notes,
        ["line 23: `colour` is not known; did you mean `color`?"]
    );
    let toml = "name = \"api-engineer\"\ndescription = \"d\"\ntools = [\"Read\"]\nmax_turns = 3\nprompt = \"You write.\"\n\
                [director]\ncount = 3\n";
    let toml =
        parse(toml, "agents/x.toml", "x", RoleForm::Toml).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((toml.prompt.as_str(), toml.notes.len()), ("You write.", 0));
    assert_eq!(toml.profile.settings["maxTurns"], "3");
}

#[test]
fn what_is_only_odd_is_loaded_and_said() {
    for (case, text, said) in [
        (
            "no name",
            "---\ndescription: d\n---\np",
            "it has no `name`; the role is taken to be `x`",
        ),
        (
            "no description",
            "---\nname: a\n---\np",
            "it has no `description`, so Claude Code would not load it",
        ),
        (
            "no prompt",
            "---\nname: a\ndescription: d\n---\n",
            "it has no prompt",
        ),
        (
            "a count",
            "---\nname: a\ndescription: d\nmaxTurns: many\n---\np",
            "line 4: `maxTurns` has to be a whole number from 1; it is not used",
        ),
        (
            "a word",
            "---\nname: a\ndescription: d\nmemory: ram\n---\np",
            "line 4: `memory` has to be one of user, project, local; it is not used",
        ),
        (
            "an option",
            "---\nname: a\ndescription: d\ntools: Read, --yes\n---\np",
            "line 4: `tools` has to be names; `--yes` is none; it is not used",
        ),
    ] {
        let role = good(text);
        assert_eq!(role.notes, [said], "case: {case}");
    }
    // Not YAML, and common all the same.
    let loose = good(
        "---\r\nname: a\r\ndescription: Use it when: \"x\" fails. It's <b>: fine\r\nmodel: opus\r\n---\r\nBody\r\n",
    );
    assert_eq!(
        loose.profile.description,
        "Use it when: \"x\" fails. It's <b>: fine"
    );
    assert_eq!(
        (
            loose.prompt.as_str(),
            loose.profile.settings["model"].as_str()
        ),
        ("Body", "opus")
    );
    let marked = good("\u{feff}---\nname: a\ndescription: >\n  two\n  lines\n---\nB");
    assert_eq!(marked.profile.description, "two lines\n");
}

#[test]
fn a_hostile_file_is_refused_with_its_reason() {
    let deep = format!(
        "---\nname: a\nx: {}{}\n---\n",
        "[".repeat(40),
        "]".repeat(40)
    );
    let block: String = (0..40).map(|n| format!("{}k:\n", " ".repeat(n))).collect();
    let block = format!("---\n{block}---\n");
    let many = format!("---\nx: [{}]\n---\n", "1,".repeat(5_000));
    let large = format!("---\nname: a\n---\n{}", "x".repeat(ROLE_FILE_BYTES_MAX));
    let endless = format!("---\nname: a\n{}", "# a comment\n".repeat(8_000));
    let cases: Vec<(&str, &str, &str)> = vec![
        (
            "empty",
            "",
            "it does not begin with front matter, a line `---` and keys such as `name`",
        ),
        (
            "plain Markdown",
            "# Hello\n",
            "it does not begin with front matter, a line `---` and keys such as `name`",
        ),
        (
            "no end",
            "---\nname: a\n",
            "its front matter has no end, a line `---`",
        ),
        (
            "a list",
            "---\n- a\n---\n",
            "its front matter is no list of keys, such as `name: tech-lead`",
        ),
        (
            "an alias",
            "---\na: *b\n---\n",
            "its front matter is no YAML: line 2: while parsing node, found unknown anchor",
        ),
        (
            "an anchor",
            "---\na: &b [1]\nc: [*b, *b]\n---\n",
            "its front matter is no YAML: line 2: anchors are not read here; write the value where it is needed",
        ),
        (
            "a tag",
            "---\na: !!python/object:x 1\n---\n",
            "its front matter is no YAML: line 2: tags are not read here",
        ),
        (
            "twice",
            "---\nname: a\nname: b\n---\n",
            "its front matter is no YAML: line 3: the key `name` is there twice",
        ),
        (
            "a key that is a list",
            "---\n? [a]\n: b\n---\n",
            "its front matter is no YAML: line 2: a key has to be a text",
        ),
        (
            "a tab",
            "---\nname: a\ndirector:\n\tcount: 2\n---\n",
            "its front matter is no YAML: line 4: tabs disallowed within this context (block indentation)",
        ),
        (
            "deep brackets",
            &deep,
            "its front matter is no YAML: line 3: it is nested too deeply",
        ),
        (
            "deep blocks",
            &block,
            "its front matter is no YAML: line 18: it is nested too deeply",
        ),
        (
            "many values",
            &many,
            "its front matter is no YAML: line 2: it has more values than an agent's settings could need",
        ),
        (
            "large",
            &large,
            "it has 1025 KiB; a role file may have up to 1024",
        ),
        (
            "endless",
            &endless,
            "its front matter is over 64 KiB or has no end, a line `---`",
        ),
        (
            "a path for a name",
            "---\nname: ../../etc\n---\np",
            "\"../../etc\" cannot be a name: `..` would leave its directory",
        ),
        (
            "director is a text",
            "---\nname: a\ndirector: yes\n---\np",
            "line 3: `director` has to be a table of keys",
        ),
        (
            "a slip",
            "---\nname: a\ndirector:\n  cout: 2\n---\np",
            "line 4: unknown key `cout` (`director.cout`); did you mean `count`?",
        ),
        (
            "a bad value",
            "---\nname: a\ndirector:\n  count: -2\n---\np",
            "line 4: `count` cannot be negative: -2 (`director.count`); allowed are 0 to 1000",
        ),
    ];
    for (case, text, why) in cases {
        assert_eq!(
            markdown_role(text).map(|_| ()),
            Err(why.to_owned()),
            "case: {case}"
        );
    }
    let toml = parse("name = ", "agents/x.toml", "x", RoleForm::Toml);
    assert!(toml.is_err_and(|why| why.starts_with("this is not TOML: line 1")));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "(---\n)?(([a-z]{0,8}|\\PC{0,12}|[\\[\\]{}:,&*!|>'\"%@`#?\t -]{0,6}):? ?\r?\n?){0,30}(---\n)?.{0,20}") {
        let _ = markdown_role(&text);
        let _ = markdown_role(&format!("---\n{text}\n---\n"));
        let _ = parse(&text, "f", "f", RoleForm::Toml);
    }
}

/// A sprint with these role files beside it.
fn sprint(files: fn(&[std::path::PathBuf]) -> Library, text: &str) -> Manifest {
    let options = Options {
        role_files: Some(files),
        dir: Some(std::path::Path::new("here")),
        ..Options::default()
    };
    let read = parse_sprint(text, "sprint.toml", Format::Toml, &options);
    read.unwrap_or_else(|errors| panic!("{errors}"))
}

fn library(files: &[(&str, &str)]) -> Library {
    let mut library = Library::default();
    for (file, text) in files {
        let stem = file.trim_end_matches(".md");
        library.add(
            (*file).to_owned(),
            parse(text, file, stem, RoleForm::Markdown),
        );
    }
    library
}

#[test]
fn the_sprint_file_is_stronger_than_a_role_file_and_that_than_the_default() {
    let found = |_: &[std::path::PathBuf]| {
        library(&[
            (
                "lead.md",
                "---\nname: tech-lead\ndescription: d\ncolor: red\ntools: Read\ndirector: {count: 2, skills: [rust], capacity: 10}\n---\nFrom the file.",
            ),
            (
                "again.md",
                "---\nname: tech-lead\ndescription: d\n---\nWeaker.",
            ),
            (
                "shelf.md",
                "---\nname: on-the-shelf\ndescription: d\n---\nWaits.",
            ),
            (
                "asked.md",
                "---\nname: asked-for\ndescription: d\n---\nAsked.",
            ),
            (
                "ours.md",
                "---\nname: ours\ndescription: d\ndirector: {kinds: [juggling]}\n---\nOurs.",
            ),
            (
                "lost.md",
                "---\nname: lost\ndescription: d\ndirector: {agent: nobody}\n---\nLost.",
            ),
            ("director.md", DIRECTOR),
        ])
    };
    let manifest = sprint(
        found,
        "[sprint]\nid = \"s\"\n[team.tech-lead]\ncapacity = 20\n[[task]]\nid = \"a\"\nrun = \"x\"\nkind = \"juggling\"\n\
         [[task]]\nid = \"b\"\nrun = \"x\"\nrole = \"asked-for\"\n",
    );
    let spec = &manifest.spec;
    let role = |name: &str| spec.team.iter().find(|role| role.name.as_str() == name);
    let lead = role("tech-lead").expect("a default role");
    assert_eq!(
        (lead.count, lead.capacity.map(|span| span.as_hours())),
        (2, Some(20.0))
    );
    assert_eq!(
        (lead.prompt.as_str(), &lead.skills[..]),
        ("From the file.", &["rust".to_owned()][..])
    );
    assert_eq!(lead.profile.settings["tools"], "Read");
    assert_eq!(
        role("asked-for").map(|role| role.prompt.as_str()),
        Some("Asked.")
    );
    assert!(role("on-the-shelf").is_none() && role("lost").is_none());
    assert!(
        role("engineering-director").is_none(),
        "it leads, it is not led"
    );
    let who: Vec<_> = spec.tasks.iter().map(|task| task.role.as_str()).collect();
    assert_eq!(who, ["ours", "asked-for"]);
    assert!(spec.director.prompt.starts_with("# Purpose"));
    assert_eq!(spec.director.profile.color.as_deref(), Some("blue"));
    expect![[r#"
        [
            "`again.md` is skipped: `lead.md` says what the role `tech-lead` is",
            "`lost.md` is skipped: unknown agent `nobody`; use one of: command, simulated, acp, claude, codex, gemini, remote, person; or define it as an [agent.NAME] with its `kind`",
        ]
    "#]]
    .assert_debug_eq(&manifest.warnings);

    let only = sprint(
        found,
        "[sprint]\nid = \"s\"\n[team]\nonly = true\n[team.asked-for]\nkinds = [\"*\"]\n[[task]]\nid = \"a\"\nrun = \"x\"\n",
    );
    let names: Vec<_> = only
        .spec
        .team
        .iter()
        .map(|role| role.name.as_str())
        .collect();
    assert_eq!(names, ["asked-for"]);
    assert_eq!(only.spec.team[0].prompt, "Asked.");
}
