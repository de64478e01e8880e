//! The conversation over the Agent Client Protocol by itself: whatever a program says, it is answered or passed over, and ends once.

use director_agents::agent::Turn;
use director_agents::coding::acp::talk::{Talk, Wants};
use director_agents::coding::attempt::{Dialect, Ended, Heard};
use serde_json::{Value, json};

/// Small numbers from a seed, the same on every machine (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A value of any shape, with words of the protocol in it.
fn anything(dice: &mut Dice, depth: usize) -> Value {
    const WORDS: [&str; 24] = [
        "sessionId",
        "update",
        "sessionUpdate",
        "tool_call",
        "tool_call_update",
        "plan",
        "entries",
        "toolCall",
        "toolCallId",
        "options",
        "optionId",
        "kind",
        "edit",
        "allow_once",
        "content",
        "text",
        "status",
        "completed",
        "result",
        "error",
        "code",
        "message",
        "stopReason",
        "end_turn",
    ];
    match dice.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(dice.below(5)),
        2 => json!(-1.5e300),
        3 => json!(WORDS[dice.below(WORDS.len())]),
        4 => json!("ü".repeat(dice.below(300))),
        5 => json!(dice.below(2) == 0),
        6 => (0..dice.below(4))
            .map(|_| anything(dice, depth - 1))
            .collect(),
        _ => {
            let pairs = (0..dice.below(5)).map(|_| {
                let key = WORDS[dice.below(WORDS.len())];
                (key.to_owned(), anything(dice, depth - 1))
            });
            Value::Object(pairs.collect())
        }
    }
}

/// A message that a confused or hostile program might send at this point.
fn message(dice: &mut Dice) -> Value {
    let id = [
        json!(0),
        json!(1),
        json!(2),
        json!("x"),
        Value::Null,
        anything(dice, 1),
    ][dice.below(6)]
    .clone();
    let method = [
        "session/update",
        "session/request_permission",
        "fs/write_text_file",
        "initialize",
        "x",
    ][dice.below(5)];
    match dice.below(4) {
        0 => json!({ "id": id, "result": anything(dice, 3) }),
        1 => json!({ "id": id, "error": anything(dice, 3) }),
        2 => json!({ "id": id, "method": method, "params": anything(dice, 4) }),
        _ => {
            json!({ "method": "session/update", "params": { "sessionId": "s", "update": anything(dice, 4) } })
        }
    }
}

#[test]
fn whatever_a_program_says_the_conversation_goes_on_or_ends_once() {
    for seed in 1..=2_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let wants = Wants {
            cwd: "/work".into(),
            prompt: "Do it.".into(),
            resume: (dice.below(2) == 0).then(|| ("s".to_owned(), "Go on.".to_owned())),
            ..Wants::default()
        };
        let (mut talk, hello) = Talk::begin(wants);
        assert!(hello.ends_with(b"\n"));
        let mut over = 0;
        // Half of them get as far as the prompt.
        let proper = [
            json!({ "id": 0, "result": { "protocolVersion": 1, "agentCapabilities": { "loadSession": true } } }),
            json!({ "id": 1, "result": { "sessionId": "s" } }),
        ];
        let proper = proper.into_iter().take(2 * dice.below(2));
        for line in proper.chain((0..40).map(|_| message(&mut dice)).collect::<Vec<_>>()) {
            let ended = over > 0;
            for heard in talk.line(line.to_string().as_bytes()) {
                assert!(!ended, "seed {seed}: {heard:?} after the end, on {line}");
                match heard {
                    Heard::Over => over += 1,
                    Heard::Say(bytes) => {
                        let said: Value = serde_json::from_slice(&bytes).expect("JSON");
                        assert_eq!(said["jsonrpc"], "2.0");
                        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
                    }
                    Heard::Progress(percent, _) => assert!(percent < 100),
                    Heard::Session(_) | Heard::Doing(_) | Heard::Told(..) => {}
                }
            }
        }
        assert!(over <= 1, "seed {seed}");
        for bytes in [&b"\xff\xfe"[..], b"", b"[]", b"{", b"null"] {
            assert!(talk.line(bytes).is_empty(), "seed {seed}");
        }
        // Without the end of a turn it is no success, however the program ended.
        if over == 0 {
            let turn = talk.verdict(Ended::Code(0));
            assert!(matches!(turn, Turn::Failed { .. }), "seed {seed}: {turn:?}");
        }
    }
}

#[test]
fn one_that_asks_without_end_is_at_its_end() {
    let (mut talk, _) = Talk::begin(Wants::default());
    let ask = json!({ "id": "q", "method": "fs/read_text_file" }).to_string();
    let answers = (0..20_000).flat_map(|_| talk.line(ask.as_bytes()));
    let answers: Vec<Heard> = answers.collect();
    assert_eq!(answers.len(), 10_001);
    assert_eq!(answers.last(), Some(&Heard::Over));
    let turn = talk.verdict(Ended::Otherwise);
    assert!(
        matches!(&turn, Turn::Failed { reason, .. } if reason.contains("more than 10000 things")),
        "{turn:?}"
    );
}
