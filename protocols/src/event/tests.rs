//! Bytes of decisions that must not change by accident, and bytes of others.

use proptest::prelude::*;

use super::{Event, EventError, RetryDue, TaskFailed, decode_events, encode_events};
use crate::ids::TaskId;

fn two() -> Vec<Event> {
    vec![
        RetryDue { task_id: TaskId(7) }.into(),
        TaskFailed {
            task_id: TaskId(7),
            reason: "no".to_owned(),
        }
        .into(),
    ]
}

#[test]
fn a_decisions_bytes_are_these() {
    // Count, then for each event: kind, version, length, body. What is on disk must not change by accident.
    let golden = "0200000000000000\
                  34000100 0400000000000000 07000000\
                  2d000100 0e00000000000000 07000000 0200000000000000 6e6f";
    let bytes = encode_events(&two()).expect("encodes");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden.replace(' ', ""));
    assert_eq!(decode_events(&bytes).expect("decodes"), two());
}

#[test]
fn an_event_of_another_version_is_never_skipped() {
    let mut bytes = encode_events(&two()).expect("encodes");
    bytes[10] = 9;
    let error = decode_events(&bytes).expect_err("refused");
    assert!(
        matches!(
            error,
            EventError::Unknown {
                kind: 52,
                version: 9
            }
        ),
        "{error}"
    );
}

#[test]
fn kind_numbers_and_names_are_used_once() {
    for (place, (kind, _, name)) in Event::KINDS.iter().enumerate() {
        for (other, _, other_name) in &Event::KINDS[place + 1..] {
            assert!(
                kind != other && name != other_name,
                "{kind} {name} is there twice"
            );
        }
    }
}

proptest! {
    #[test]
    fn hostile_bytes_are_an_error_and_nothing_worse(bytes in proptest::collection::vec(any::<u8>(), 0..300), flip in 0usize..54) {
        let _ = decode_events(&bytes);
        let mut real = encode_events(&two()).expect("encodes");
        let place = flip % real.len();
        real[place] ^= 1 << (flip % 8);
        let _ = decode_events(&real);
    }
}
