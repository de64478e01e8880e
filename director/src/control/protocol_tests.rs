//! Requests as programs write them, and what is said about those that are none.

use super::*;

#[test]
fn requests_are_read_as_they_are_written() {
    let why = Ask::Why {
        sprint: None,
        task: "login".into(),
    };
    let pause = Order::Pause {
        sprint: Some("s".into()),
        by: "mia".into(),
    };
    for op in [
        Op::Ask(why),
        Op::Ask(Ask::Agents {}),
        Op::Ask(Ask::Page {
            after: 3,
            sprint: None,
        }),
        Op::Order(pause),
        Op::Tree,
        Op::Events {
            after: 9,
            sprint: Some("s".into()),
        },
        Op::Shutdown,
    ] {
        let request = Request {
            key: None,
            id: json!(7),
            op,
            screen: Screen {
                width: 72,
                colour: true,
            },
        };
        assert_eq!(
            Request::read(request.line().as_bytes()).as_ref(),
            Ok(&request)
        );
    }
    let short = Request::read(br#"{"op":"status"}"#).expect("args may be left out");
    assert_eq!(
        short.op,
        Op::Ask(Ask::Status {
            sprint: None,
            update: false
        })
    );
}

#[test]
fn every_question_and_order_is_known_by_name() {
    for (names, wanted) in [
        (&ASKS[..], "expected one of"),
        (&ORDERS[..], "expected one of"),
    ] {
        for name in names {
            let ask = serde_json::from_value::<Ask>(json!({ *name: {"junk": 1} }));
            let order = serde_json::from_value::<Order>(json!({ *name: {"junk": 1} }));
            let said = [
                ask.err().map(|e| e.to_string()),
                order.err().map(|e| e.to_string()),
            ];
            let unknown = said
                .iter()
                .flatten()
                .filter(|said| said.contains("unknown variant"));
            assert_eq!(unknown.count(), 1, "{name}: {said:?} {wanted}");
        }
    }
}

#[test]
fn junk_is_answered_with_what_is_wrong() {
    for (line, part) in [
        ("", "not a request"),
        ("hello", "not a request"),
        ("[1,2]", "not a request"),
        ("{\"op\":1}", "not a request"),
        ("{\"op\":\"status\",\"extra\":1}", "unknown field"),
        (
            "{\"op\":\"launch\"}",
            "there is no `launch`; there are status, agents",
        ),
        ("{\"op\":\"why\"}", "missing field `task`"),
        (
            "{\"op\":\"why\",\"args\":{\"task\":\"a\",\"x\":1}}",
            "unknown field `x`",
        ),
        (
            "{\"op\":\"answer\",\"args\":{\"item\":-1,\"text\":\"\"}}",
            "`answer`",
        ),
        ("{\"op\":\"status\",\"args\":[1]}", "`status`"),
        ("\u{0}\u{1}\u{fffd}", "not a request"),
    ] {
        let (_, fault) = Request::read(line.as_bytes()).expect_err(line);
        assert!(fault.message.contains(part), "case {line:?}: {fault}");
    }
}
