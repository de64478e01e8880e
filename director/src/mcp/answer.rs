//! Answers of tools: the text that the command line prints and the JSON behind it, both within what a model can read.
//!
//! A text that is too long keeps its beginning, or its end where that is what counts. Of JSON, lists and texts are cut until it
//! fits. What was cut is said, with how to ask for less.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use crate::control::protocol::{Answer, Fault};

/// The longest text of an answer, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// The longest JSON of an answer, in bytes.
pub const JSON_BYTES_MAX: usize = 48 << 10;

/// The entries that lists are cut to, one after the other, until all of it fits.
const ENTRIES: [usize; 7] = [200, 100, 50, 20, 10, 3, 0];

/// The longest text within JSON that has to be cut, in characters.
const WORDS_MAX: usize = 2_000;

/// Which part of a long text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Its beginning.
    Beginning,
    /// Its end.
    End,
}

/// What was answered.
pub fn given(answer: Answer, keep: Keep) -> CallToolResult {
    let Answer { text, json, .. } = answer;
    let (text, text_is_cut) = shorter(text.trim_end(), keep);
    let (json, cut) = smaller(json);
    let mut content = Vec::new();
    if !text.is_empty() {
        content.push(ContentBlock::text(text));
    }
    let mut notes = Vec::new();
    if text_is_cut {
        notes.push(format!("the text is cut to {} KiB", TEXT_BYTES_MAX >> 10));
    }
    notes.extend(cut);
    if !notes.is_empty() {
        content.push(ContentBlock::text(format!(
            "({}; ask for less at once to see the rest)",
            notes.join("; ")
        )));
    }
    if content.is_empty() {
        // Clients without structured content have to see something.
        content.push(ContentBlock::text(json.to_string()));
    }
    let mut result = CallToolResult::success(content);
    result.structured_content = Some(json);
    result
}

/// Why there is no answer.
pub fn refused(fault: &Fault) -> CallToolResult {
    let (text, _) = shorter(fault.message.trim_end(), Keep::Beginning);
    CallToolResult::error(vec![ContentBlock::text(text)])
}

fn shorter(text: &str, keep: Keep) -> (String, bool) {
    if text.len() <= TEXT_BYTES_MAX {
        return (text.to_owned(), false);
    }
    let cut = match keep {
        Keep::Beginning => {
            let end = text.floor_char_boundary(TEXT_BYTES_MAX);
            format!("{}\n…", &text[..end])
        }
        Keep::End => {
            let start = text.ceil_char_boundary(text.len() - TEXT_BYTES_MAX);
            format!("…\n{}", &text[start..])
        }
    };
    (cut, true)
}

/// The value within its limit, as an object, and what was cut.
fn smaller(value: Value) -> (Value, Option<String>) {
    let value = match value {
        Value::Object(_) => value,
        Value::Null => json!({}),
        other => json!({ "value": other }),
    };
    if length(&value) <= JSON_BYTES_MAX {
        return (value, None);
    }
    for most in ENTRIES {
        let cut = pruned(&value, most);
        if length(&cut) <= JSON_BYTES_MAX {
            return (cut, Some(format!("lists are cut to {most} entries")));
        }
    }
    // A map with very many keys: nothing here has one.
    let why = "the structured content is left out: it is too long".to_owned();
    (Value::Object(Map::new()), Some(why))
}

fn length(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |bytes| bytes.len())
}

fn pruned(value: &Value, most: usize) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .take(most)
            .map(|item| pruned(item, most))
            .collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), pruned(value, most)))
                .collect(),
        ),
        Value::String(text) if text.chars().count() > WORDS_MAX => {
            let cut: String = text.chars().take(WORDS_MAX).collect();
            json!(format!("{cut}…"))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(result: &CallToolResult) -> Vec<String> {
        let texts = result.content.iter().filter_map(|block| block.as_text());
        texts.map(|text| text.text.clone()).collect()
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = |letter: char| letter.to_string().repeat(TEXT_BYTES_MAX) + "ü";
        for (case, keep, shown) in [
            ("beginning", Keep::Beginning, "aaa"),
            ("end", Keep::End, "…\n"),
        ] {
            let answer = Answer {
                text: long('a'),
                json: json!({ "tasks": vec![json!({ "id": "x".repeat(50) }); 5_000] }),
                seq: 1,
            };
            let result = given(answer, keep);
            let texts = texts(&result);
            assert!(texts[0].starts_with(shown), "case {case}");
            assert!(texts[0].len() <= TEXT_BYTES_MAX + 8, "case {case}");
            assert!(
                texts[1].contains("cut to 16 KiB; lists are cut to 200 entries"),
                "case {case}: {}",
                texts[1]
            );
            let json = result.structured_content.expect("some of it");
            assert_eq!(json["tasks"].as_array().map(Vec::len), Some(200));
        }
    }

    #[test]
    fn what_is_short_stays_as_it_is() {
        let answer = Answer {
            text: "one line\n".into(),
            json: json!({ "a": [1, 2] }),
            seq: 1,
        };
        let result = given(answer, Keep::Beginning);
        assert_eq!(texts(&result), ["one line"]);
        assert_eq!(result.structured_content, Some(json!({ "a": [1, 2] })));
        assert_eq!(result.is_error, Some(false));
    }
}
