//! Making text from files harmless where it is shown.
//!
//! Titles, descriptions and the like are data. What could steer a terminal, reorder a line or start
//! markup is replaced or escaped here, once, for each kind of output.

/// One line without anything that is not shown as itself: control characters, line breaks and invisible
/// direction marks become a space or `�`; runs of spaces become one.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if is_unsafe(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// One character as it may be shown: itself, or `�` in place of one that could steer the terminal or hide something.
pub(crate) fn shown(c: char) -> char {
    match is_unsafe(c) {
        true => '\u{fffd}',
        false => c,
    }
}

/// Text of several lines, each made harmless.
pub(crate) fn block(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// [`line`], cut to `most` characters, the last of them `…` when something was cut.
pub(crate) fn short(text: &str, most: usize) -> String {
    let text = line(text);
    if text.chars().count() <= most {
        return text;
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// Controls, and format characters that reorder or hide text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            | '\u{fffe}' | '\u{ffff}')
}

/// One line of Markdown that reads as the text itself.
pub(crate) fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inside_word =
            before.is_alphanumeric() && rest.peek().is_some_and(|c| c.is_alphanumeric());
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '&' | '|' | '~' | '$' => out.extend(['\\', c]),
            '_' if !inside_word => out.push_str("\\_"),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// One line for the text or an attribute of XML.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// One line for a quoted string of DOT.
pub(crate) fn dot(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// One line for a quoted label of Mermaid, whose escapes are numeric entities.
pub(crate) fn mermaid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            c if c.is_alphanumeric() => out.push(c),
            ' ' | '-' | '_' | '.' | ',' | ':' | '/' | '(' | ')' | '…' | '·' | '\u{fffd}' => {
                out.push(c)
            }
            c => out.push_str(&format!("#{};", c as u32)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_the_reader_is_made_harmless() {
        let text = "a\u{1b}[31m<b>\"x\" & `y`\n# *z* \u{202e}end\\";
        for (kind, found, expected) in [
            ("line", line(text), "a�[31m<b>\"x\" & `y` # *z* �end\\"),
            (
                "markdown",
                markdown(text),
                "a�\\[31m\\<b>\"x\" \\& \\`y\\` # \\*z\\* �end\\\\",
            ),
            (
                "xml",
                xml(text),
                "a�[31m&lt;b&gt;&quot;x&quot; &amp; `y` # *z* �end\\",
            ),
            ("dot", dot(text), "a�[31m<b>\\\"x\\\" & `y` # *z* �end\\\\"),
            (
                "mermaid",
                mermaid(text),
                "a�#91;31m#60;b#62;#34;x#34; #38; #96;y#96; #35; #42;z#42; �end#92;",
            ),
        ] {
            assert_eq!(found, expected, "case: {kind}");
        }
    }

    #[test]
    fn names_stay_readable_and_long_lines_are_cut() {
        assert_eq!(markdown("snake_case_name"), "snake_case_name");
        assert_eq!(markdown("_lead"), "\\_lead");
        assert_eq!(short("  spaced   out ", 20), "spaced out");
        assert_eq!(short("one two three", 9), "one two…");
        assert_eq!(short("größe", 5), "größe");
    }
}
