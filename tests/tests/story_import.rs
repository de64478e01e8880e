//! A backlog through the real program: imported, planned, changed on both sides, and brought up to date.

use std::fs;

use director_tests::corner::Corner;

const ISSUES: &str = r#"[
  {"number": 1, "title": "Parse the file", "body": "", "state": "OPEN", "labels": []},
  {"number": 2, "title": "Print the file", "body": "Blocked by #1", "state": "OPEN", "labels": [{"name": "bug"}]}
]"#;

#[test]
fn a_backlog_is_imported_planned_and_brought_up_to_date() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let root = corner.root();
    let path = |name: &str| root.join(name).to_string_lossy().into_owned();
    let (issues, file) = (path("issues.json"), path("imported.toml"));
    fs::write(&issues, ISSUES).expect("written");
    let read = || fs::read_to_string(&file).expect("the sprint file");

    let shown = corner.tell(&["import", "github", &issues]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let made = corner.tell(&["import", "github", &issues, "-o", &file]);
    assert!(
        made.err.contains("2 added") && made.out.is_empty(),
        "{made:?}"
    );
    assert_eq!(shown.out, read(), "the same on standard output");
    let plan = corner.tell(&["plan", "--json", &file]);
    let plan: serde_json::Value =
        serde_json::from_str(&plan.out).unwrap_or_else(|error| panic!("{error}: {plan:?}"));
    assert_eq!(plan["critical_path"], serde_json::json!(["gh-1", "gh-2"]));

    let first = read();
    let again = corner.tell(&["import", "github", &issues, "--into", &file]);
    assert!(again.err.contains("is up to date"), "{again:?}");
    assert_eq!(read(), first);

    fs::write(
        &file,
        first.replace("title = \"Print the file\"", "title = \"Print it well\""),
    )
    .expect("edited");
    fs::write(&issues, ISSUES.replace("Parse the file", "Parse it all")).expect("edited");
    let later = corner.tell(&["import", "github", &issues, "-o", &file]);
    assert!(later.err.contains("updated: gh-1 (title)"), "{later:?}");
    assert!(
        read().contains("Parse it all") && read().contains("Print it well"),
        "{}",
        read()
    );

    let bad = corner.tell(&["import", "github", &file]);
    assert_eq!((bad.code, bad.out.as_str()), (2, ""), "{bad:?}");
    assert!(
        bad.err.starts_with("error: this is no backlog of github"),
        "{bad:?}"
    );
}
