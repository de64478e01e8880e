//! Reports as agents write them: right, wrong and cut off.

use std::fs;

use super::*;

#[test]
fn a_full_report_is_read_and_unknown_keys_are_fine() {
    let said = parse(
        br#"{"summary": "built it", "artifacts": ["a.txt", {"path": "b.md", "kind": "docs", "x": 1}],
            "progress": 99.6, "hours_spent": 1.5, "feedback": "estimate was low", "mood": "good",
            "acceptance": [{"criterion": "401 on bad password", "met": true, "evidence": "test"}],
            "cost_usd": 0.25, "blocker": null}"#,
    );
    assert_eq!(
        (said.complaint(), said.progress, said.blocker),
        (None, Some(100), None)
    );
    let Report {
        summary,
        artifacts,
        hours_spent,
        acceptance,
        cost_micros,
        ..
    } = said.report;
    assert_eq!(
        (summary.as_str(), hours_spent),
        ("built it", Some(Span::minutes(90)))
    );
    let names: Vec<_> = artifacts
        .iter()
        .map(|a| (a.name.as_str(), a.kind.as_str()))
        .collect();
    assert_eq!(names, [("a.txt", ""), ("b.md", "docs")]);
    assert!(acceptance[0].met);
    assert_eq!(cost_micros, 250_000);
}

#[test]
fn what_has_the_wrong_type_is_named_and_the_rest_counts() {
    for (json, complaint) in [
        ("[]", Some("it is a list, not an object")),
        (
            "{\"summary\": 4}",
            Some("`summary` is a number, not a text"),
        ),
        (
            "{\"summary\": \"s\", \"progress\": 101}",
            Some("`progress` is 101, which makes no sense"),
        ),
        (
            "{\"hours_spent\": -1}",
            Some("`hours_spent` is -1, which makes no sense"),
        ),
        (
            "{\"hours_spent\": \"two\"}",
            Some("`hours_spent` is a text, not a number"),
        ),
        (
            "{\"artifacts\": [1, \"a\"]}",
            Some("`artifacts[0]` has another shape than expected"),
        ),
        (
            "{\"blocker\": []}",
            Some("`blocker` is a list, not an object"),
        ),
        (
            "{\"summary\": ",
            Some("it is no JSON: EOF while parsing a value at line 1 column 12"),
        ),
        (" \n", Some("it is empty")),
        (
            "{\"sumary\": \"s\", \"mood\": \"good\", \"Findings\": null}",
            Some("`sumary` is not known; did you mean `summary`?"),
        ),
    ] {
        let expected = complaint
            .map(|complaint| format!("the report file was not understood in full: {complaint}"));
        assert_eq!(parse(json.as_bytes()).complaint(), expected, "case: {json}");
    }
    let many = format!("{{\"artifacts\": [{}]}}", ["1"; 12].join(","));
    assert!(
        parse(many.as_bytes())
            .complaint()
            .unwrap()
            .ends_with("; and 2 more")
    );
}

#[test]
fn what_may_be_a_blocker_or_a_verdict_is_never_overlooked() {
    let fine = [false, false];
    let undecided = [false, true];
    let faulty = [true, true];
    for (json, expected) in [
        (r#"{"findings": []}"#, fine),
        (
            r#"{"findings": ["a.txt:1 wrong"], "cost_usd": "much"}"#,
            fine,
        ),
        (r#"{"acceptance": [{"criterion": "c", "met": true}]}"#, fine),
        (r#"{"summary": "good work"}"#, undecided),
        (r#"{"summary": "bad work", "acceptance": []}"#, undecided),
        (r#"{"findings": null}"#, undecided),
        (r#"{"findings": "wrong"}"#, undecided),
        (r#"{"findings": ["a", {"line": 1}]}"#, undecided),
        (r#"{"finding": "wrong", "findings": []}"#, undecided),
        (
            r#"{"findings": [], "acceptance": [{"criterion": "c"}]}"#,
            undecided,
        ),
        (r#"{"findings": ["cut o"#, faulty),
        (r#"{"blockers": "no key", "findings": []}"#, faulty),
        (r#"{"Blocker": {"text": "no key"}}"#, faulty),
        (r#"{"blocked": [{"text": "no key"}]}"#, faulty),
        (r#"{"blocker": 7}"#, faulty),
        (r#"{"blockers": [], "findings": []}"#, fine),
        ("", faulty),
    ] {
        let said = parse(json.as_bytes());
        let objects =
            [false, true].map(|judges| said.objection(judges, Silence::Accepts).is_some());
        assert_eq!(objects, expected, "case: {json}");
    }
    let none = Said::default();
    assert_eq!(none.objection(true, Silence::Accepts), None);
    assert_eq!(none.objection(false, Silence::SaysNothing), None);
    assert!(none.objection(true, Silence::SaysNothing).is_some());
}

#[test]
fn a_blocker_is_heard_however_it_is_put() {
    for (json, kind, severity, text) in [
        (
            r#"{"type": "access", "severity": "high", "text": "no key"}"#,
            "access",
            Severity::High,
            "no key",
        ),
        (
            r#"{"kind": "access", "severity": "awful"}"#,
            "access",
            Severity::Medium,
            "(no text was given)",
        ),
        (r#""no key""#, "unspecified", Severity::Medium, "no key"),
    ] {
        let said = parse(format!("{{\"blocker\": {json}}}").as_bytes());
        let expected = BlockerReport {
            kind: kind.into(),
            severity,
            text: text.into(),
        };
        assert_eq!(said.blocker, Some(expected), "case: {json}");
    }
}

#[test]
fn an_artifact_is_named_by_what_it_holds_and_only_inside_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("work")).unwrap();
    fs::write(dir.path().join("secret"), "s").unwrap();
    fs::write(dir.path().join("work/a.txt"), "abc").unwrap();
    let mut report =
        parse(br#"{"artifacts": ["a.txt", "../secret", "/etc/hostname", "gone"]}"#).report;
    for artifact in &mut report.artifacts {
        name_by_content(artifact, &dir.path().join("work"), None);
    }
    let named: Vec<_> = report
        .artifacts
        .iter()
        .map(|a| (a.bytes, !a.sha256.is_empty()))
        .collect();
    assert_eq!(named, [(3, true), (0, false), (0, false), (0, false)]);
    assert_eq!(
        report.artifacts[0].sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_report_that_is_no_plain_file_or_too_long_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(&dir.path().join("none")), Said::default());
    assert!(
        read(dir.path())
            .complaint()
            .unwrap()
            .contains("not a regular file")
    );
    let long = dir.path().join("long");
    fs::write(&long, vec![b' '; REPORT_BYTES_MAX as usize + 1]).unwrap();
    assert!(
        read(&long)
            .complaint()
            .unwrap()
            .contains("longer than 1048576 bytes")
    );
}
