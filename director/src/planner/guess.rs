//! Guesses from words: what sort of work a task is, and what its time is spent on, from labels, title and description.
//!
//! A label or a type that a person chose says more than the title, and the title's first word (what is to be done) more than the
//! others (what it is done to). A description is not read: it mentions everything. A guess carries the word that it rests on, so that it can be
//! shown; where no word says anything there is none.
//!
//! Elsewhere: what is asked about a guess is [`super::questions`].

use director_protocols::sprint::Class;

/// A guess and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess<T> {
    /// The guess.
    pub is: T,
    /// Why, in a few words.
    pub why: String,
}

/// Words that people use for a kind, as a label or a type.
const LABELS: [(&str, &[&str]); 11] = [
    (
        "bug_fix",
        &[
            "bug",
            "bugs",
            "defect",
            "regression",
            "fix",
            "bugfix",
            "hotfix",
        ],
    ),
    ("documentation", &["documentation", "docs", "doc"]),
    ("testing", &["testing", "test", "tests", "qa", "e2e"]),
    (
        "research",
        &["research", "spike", "investigation", "discovery"],
    ),
    ("architecture", &["architecture", "adr", "rfc", "decision"]),
    ("security", &["security", "vulnerability", "cve"]),
    ("performance", &["performance", "perf", "benchmark"]),
    ("review", &["review", "audit"]),
    (
        "ui_component",
        &["ui", "ux", "frontend", "css", "accessibility", "a11y"],
    ),
    (
        "api_endpoint",
        &["api", "backend", "endpoint", "graphql", "rest"],
    ),
    (
        "feature",
        &["feature", "enhancement", "story", "improvement"],
    ),
];

/// First words of a title that say what is done.
const VERBS: [(&str, &[&str]); 7] = [
    ("bug_fix", &["fix", "fixes", "repair", "bug", "bugfix"]),
    ("documentation", &["document", "explain"]),
    ("testing", &["test", "verify", "validate"]),
    (
        "research",
        &[
            "research",
            "investigate",
            "evaluate",
            "explore",
            "spike",
            "compare",
        ],
    ),
    ("architecture", &["design", "architect", "specify"]),
    ("review", &["review", "audit"]),
    (
        "performance",
        &["optimize", "optimise", "profile", "benchmark"],
    ),
];

/// Words of a title that say what it is done to.
const NOUNS: [(&str, &[&str]); 7] = [
    (
        "documentation",
        &[
            "documentation",
            "docs",
            "readme",
            "changelog",
            "guide",
            "tutorial",
        ],
    ),
    ("testing", &["tests", "test", "e2e"]),
    ("architecture", &["architecture", "adr", "specification"]),
    ("security", &["vulnerability", "cve", "security"]),
    ("performance", &["performance", "latency"]),
    ("api_endpoint", &["endpoint", "endpoints", "api", "webhook"]),
    (
        "ui_component",
        &[
            "ui",
            "button",
            "dialog",
            "form",
            "component",
            "page",
            "screen",
            "css",
        ],
    ),
];

/// Words for time that is not spent on features.
const CLASSES: [(Class, &[&str]); 2] = [
    (
        Class::Debt,
        &[
            "chore",
            "refactor",
            "refactoring",
            "debt",
            "cleanup",
            "maintenance",
            "deprecation",
        ],
    ),
    (
        Class::Infrastructure,
        &[
            "ci",
            "cd",
            "build",
            "infra",
            "infrastructure",
            "devops",
            "tooling",
            "dependencies",
            "release",
        ],
    ),
];

/// What sort of work it is.
pub fn kind<'l>(
    labels: impl IntoIterator<Item = &'l str>,
    title: &str,
) -> Option<Guess<&'static str>> {
    for label in labels {
        for word in words(label) {
            if let Some(kind) = find(&LABELS, &word) {
                let why = format!("it is labelled `{}`", short(label));
                return Some(Guess { is: kind, why });
            }
        }
    }
    let words: Vec<String> = words(title).collect();
    // `feat(api): …`, `docs: …`: what many write in front is a label.
    if let Some((tag, _)) = title.split_once(':')
        && tag.split_whitespace().count() == 1
        && let Some(first) = words.first()
        && let Some(kind) = find(&LABELS, first)
    {
        let why = format!("its title begins with `{}`", short(tag));
        return Some(Guess { is: kind, why });
    }
    let verb = words
        .first()
        .and_then(|word| Some((find(&VERBS, word)?, word)));
    let noun = || {
        words
            .iter()
            .find_map(|word| Some((find(&NOUNS, word)?, word)))
    };
    let (kind, word) = verb.or_else(noun)?;
    let why = format!("its title says `{word}`");
    Some(Guess { is: kind, why })
}

/// What the time is spent on; `None` for features.
pub fn class<'l>(
    labels: impl IntoIterator<Item = &'l str>,
    title: &'l str,
) -> Option<Guess<Class>> {
    let tag = title.split_once(':').map(|(tag, _)| tag);
    for label in labels
        .into_iter()
        .chain(tag)
        .filter(|label| label.split_whitespace().count() <= 2)
    {
        for word in words(label) {
            if let Some(class) = find(&CLASSES, &word) {
                let why = format!("it is labelled `{}`", short(label));
                return Some(Guess { is: class, why });
            }
        }
    }
    let first = words(title).next()?;
    let class = find(&CLASSES[..1], &first)?;
    let why = format!("its title says `{first}`");
    Some(Guess { is: class, why })
}

fn find<T: Copy>(table: &[(T, &[&str])], word: &str) -> Option<T> {
    let row = table.iter().find(|(_, words)| words.contains(&word))?;
    Some(row.0)
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn short(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    crate::report::text::short(&text, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_guessed_from_what_a_person_wrote_and_says_from_what() {
        for (labels, title, expected) in [
            (
                &["type: bug"][..],
                "Add a page",
                Some(("bug_fix", "it is labelled `type: bug`")),
            ),
            (
                &["good first issue"],
                "Fix the docs",
                Some(("bug_fix", "its title says `fix`")),
            ),
            (
                &[],
                "docs(api): explain paging",
                Some(("documentation", "its title begins with `docs(api)`")),
            ),
            (
                &[],
                "Write the README",
                Some(("documentation", "its title says `readme`")),
            ),
            (
                &[],
                "Investigate slow starts",
                Some(("research", "its title says `investigate`")),
            ),
            (
                &[],
                "Login endpoint",
                Some(("api_endpoint", "its title says `endpoint`")),
            ),
            (&[], "A contest of builders", None),
            (&["P1", ""], "", None),
        ] {
            let guess = kind(labels.iter().copied(), title);
            let guess = guess.as_ref().map(|guess| (guess.is, guess.why.as_str()));
            assert_eq!(guess, expected, "case: {title}");
        }
    }

    #[test]
    fn the_class_is_guessed_from_labels_and_from_what_is_done() {
        for (labels, title, expected) in [
            (&["tech-debt"][..], "x", Some(Class::Debt)),
            (&["area/ci"], "x", Some(Class::Infrastructure)),
            (&[], "Refactor the parser", Some(Class::Debt)),
            (&[], "build: pin the compiler", Some(Class::Infrastructure)),
            (&[], "Build a page", None),
        ] {
            let guess = class(labels.iter().copied(), title);
            assert_eq!(guess.map(|guess| guess.is), expected, "case: {title}");
        }
    }
}
