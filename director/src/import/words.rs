//! What prose says: who waits for whom, parts of an issue, and criteria, as people write them in Markdown.
//!
//! Only lines outside of code fences count.

use director_protocols::sprint::Priority;

/// Words in front of the issues that have to be done first.
const WAITS: [&str; 8] = [
    "blocked by",
    "blocked-by",
    "blocked on",
    "depends on",
    "depends-on",
    "requires",
    "needs",
    "waits for",
];

/// What an issue's text says about others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prose {
    /// Issues that have to be done first.
    pub needs: Vec<u64>,
    /// Issues in a task list: its parts.
    pub parts: Vec<u64>,
    /// Entries of a task list that name no issue: what has to be true in the end.
    pub criteria: Vec<String>,
}

/// Reads the text of an issue.
pub(super) fn prose(text: &str) -> Prose {
    let mut found = Prose::default();
    let mut fenced = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        if let Some(entry) = entry(line) {
            match issue(entry).filter(|(_, rest)| !rest.starts_with(char::is_alphanumeric)) {
                Some((number, _)) => found.parts.push(number),
                None if !waits(entry, &mut found.needs) && !entry.is_empty() => {
                    found.criteria.push(entry.to_owned());
                }
                None => {}
            }
            continue;
        }
        waits(line, &mut found.needs);
    }
    found
}

/// What stands in an entry of a task list.
fn entry(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '*', '+'])?.trim_start();
    let rest = rest.strip_prefix('[')?;
    let rest = rest.strip_prefix([' ', 'x', 'X'])?.strip_prefix(']')?;
    Some(rest.trim())
}

/// Adds what `line` waits for; says whether there was something.
fn waits(line: &str, needs: &mut Vec<u64>) -> bool {
    // Of the same length in bytes, so that places fit both.
    let lower = line.to_ascii_lowercase();
    let before = needs.len();
    for word in WAITS {
        for (at, _) in lower.match_indices(word) {
            let inside = lower[..at].ends_with(char::is_alphanumeric);
            let mut rest = &line[at + word.len()..];
            if inside {
                continue;
            }
            rest = rest.trim_start_matches([':', '*', '_', ' ']);
            while let Some((number, after)) = issue(rest) {
                needs.push(number);
                let next = after.trim_start_matches([',', ' ', '&']);
                rest = next.strip_prefix("and ").unwrap_or(next);
            }
        }
    }
    needs.len() > before
}

/// The issue at the beginning of a text, `#12` or its address, and what follows.
fn issue(text: &str) -> Option<(u64, &str)> {
    let digits = match text.strip_prefix('#') {
        Some(digits) => digits,
        None => {
            let path = text.strip_prefix("https://github.com/")?;
            let (place, digits) = path.split_once("/issues/")?;
            if place.contains(char::is_whitespace) {
                return None;
            }
            digits
        }
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let number = digits[..end].parse().ok()?;
    Some((number, &digits[end..]))
}

/// Lines of a text as a list: without bullets, without empty ones.
pub(super) fn lines(text: &str) -> Vec<String> {
    let bare = |line: &str| {
        let line = line.trim();
        let line = entry(line).unwrap_or(line);
        line.trim_start_matches(['-', '*', '•', ' ']).to_owned()
    };
    text.lines()
        .map(bare)
        .filter(|line| !line.is_empty())
        .collect()
}

/// The priority that a word stands for, in any of the tools.
pub(super) fn priority(word: &str) -> Option<Priority> {
    Some(match word.trim().to_lowercase().as_str() {
        "critical" | "blocker" | "highest" | "urgent" | "p0" => Priority::Critical,
        "high" | "p1" => Priority::High,
        "medium" | "normal" | "major" | "p2" => Priority::Normal,
        "low" | "lowest" | "minor" | "trivial" | "p3" | "p4" => Priority::Low,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_says_who_waits_what_is_part_and_what_has_to_be_true() {
        let text = "Blocked by #12, #13 and #14.\n**Depends on:** https://github.com/o/r/issues/15\n\
                    it embeds on #99 and needs work\nunblocked by #98\n```\nblocked by #97\n- [ ] #96\n```\n\
                    - [ ] #20\n* [x] https://github.com/o/r/issues/21 done\n- [ ] returns 401\n- [ ] depends on #16\n- [ ] #7up is a drink\n\
                    ü blocked on #17 ẞ\nrequires #\n";
        let found = prose(text);
        assert_eq!(found.needs, [12, 13, 14, 15, 16, 17]);
        assert_eq!(found.parts, [20, 21]);
        assert_eq!(found.criteria, ["returns 401", "#7up is a drink"]);
    }

    #[test]
    fn a_list_loses_its_bullets() {
        assert_eq!(lines("- a\n\n* [ ] b\n  c  \n"), ["a", "b", "c"]);
    }
}
