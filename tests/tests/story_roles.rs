//! Role files through the real program: what an agent file says reaches the agent, the plan, the team and the doctor.

use std::fs;

use director_tests::corner::{Corner, HEAD};

/// The director's own file, as people keep it for Claude Code.
const DIRECTOR: &str = "---\nname: engineering-director\ndescription: \"Leads sprints: plans, assigns, reports.\"\n\
    tools: Task, Read, Bash(git:*)\ncolor: blue\nmodel: opus\n---\n# Purpose\n\nYou lead this team from its own file.\n";

const ENGINEER: &str = "---\nname: fullstack-engineer\ndescription: Builds\ntools: Read, Edit, Bash(git:*), mcp__search\n\
    maxTurns: 7\nmodel: haiku\ncolor: green\nmemory: user\ndirector:\n  agent: coder\n---\nYou build what is asked for, from your own file.\n";

/// Plays a coding agent: notes how it was started and what it was told, and does a piece of work.
const CODER: &str = r#"#!/bin/sh
printf '%s\n' "$@" > args
cat > told
echo '{"type":"system","subtype":"init","session_id":"s-1"}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"Built.","session_id":"s-1","total_cost_usd":0,"permission_denials":[]}'
"#;

#[test]
fn an_agent_file_reaches_the_agent_the_plan_the_team_and_the_doctor() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let write = |path: &str, text: &str| {
        let path = corner.repo().join(path);
        fs::create_dir_all(path.parent().expect("below")).expect("made");
        fs::write(path, text).expect("written");
    };
    write(".claude/agents/director.md", DIRECTOR);
    write(".claude/agents/engineer.md", ENGINEER);
    write(".claude/agents/weaker.md", ENGINEER);
    write(".claude/agents/prose.md", "Only prose.\n");
    corner.commit("role files");
    fs::write(corner.root().join("coder"), CODER).expect("a script");
    let coder = corner.root().join("coder");
    corner.sprint(format!(
        "{HEAD}\n[agent.coder]\nkind = \"claude\"\nprogram = [\"sh\", \"{}\"]\n\n[[task]]\nid = \"build\"\n",
        coder.display()
    ));
    let file = corner.file();
    let plan = corner.tell(&["plan", &file.to_string_lossy()]);
    assert_eq!(plan.code, 0, "{plan:?}");
    for said in [
        "warning: `.claude/agents/prose.md` is skipped: it does not begin with front matter, a line `---` and keys such as `name`",
        "warning: `.claude/agents/weaker.md` is skipped: `.claude/agents/engineer.md` says what the role `fullstack-engineer` is",
        "warning: role `fullstack-engineer`: an agent of the kind `claude` cannot honour `memory` of `.claude/agents/engineer.md`",
    ] {
        assert!(plan.err.contains(said), "{said}\n{}", plan.err);
    }

    let run = corner.run();
    assert_eq!(
        (run.code, corner.ends().as_str()),
        (0, "build completed"),
        "{run:?}"
    );
    let args = corner.merged("args");
    let (of_the_file, ours) = args
        .split_once("\n--mcp-config=")
        .expect("the director's own tools are offered too");
    assert_eq!(
        of_the_file,
        "-p\n--output-format\nstream-json\n--verbose\n--model\nhaiku\n--max-turns=7\n--tools=Read,Edit,Bash\n\
         --allowedTools=Read,Edit,Bash(git:*),mcp__search"
    );
    assert!(ours.ends_with("\n--allowedTools=mcp__director"), "{ours}");
    assert!(
        corner
            .merged("told")
            .starts_with("You build what is asked for, from your own file.\n\n# Task build")
    );

    let team = corner.tell(&["agents", "--json"]);
    let team: serde_json::Value = serde_json::from_str(&team.out).expect("JSON");
    assert_eq!(team["director"]["role"], "engineering-director");
    assert_eq!(team["director"]["model"], "opus");
    assert_eq!(team["director"]["file"], ".claude/agents/director.md");
    assert!(
        team["director"]["prompt"]
            .as_str()
            .is_some_and(|prompt| prompt.contains("from its own file"))
    );
    assert_eq!(team["agents"][0]["color"], "green");
    let shown = corner.tell(&["agents", "--color", "always"]);
    assert!(
        shown
            .out
            .contains("\u{1b}[38;5;33mengineering-director\u{1b}[0m"),
        "{}",
        shown.out
    );
    assert!(
        shown
            .out
            .contains("\u{1b}[38;5;34mfullstack-engineer-1\u{1b}[0m"),
        "{}",
        shown.out
    );

    let doctor = corner.tell(&["doctor"]);
    for said in [
        "2 from files: engineering-director, fullstack-engineer",
        "`.claude/agents/prose.md` is skipped",
    ] {
        assert!(doctor.out.contains(said), "{said}\n{}", doctor.out);
    }
    corner.nothing_left("role files");
}
