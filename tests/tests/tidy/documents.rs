//! Rules over the documents: what they show is what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::{CRATES, files, none, read, root};

/// The blocks of a Markdown text in that language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let parts = text.split(fence.as_str()).skip(1);
    parts.filter_map(|part| part.split("```").next()).collect()
}

#[test]
fn the_readme_shows_what_is_there() {
    let readme = read("README.md");
    let agent = read("director/examples/custom_agent.rs");
    assert!(
        blocks(&readme, "rust").contains(&agent.as_str()),
        "README.md does not show director/examples/custom_agent.rs as it is"
    );
    for block in blocks(&readme, "toml") {
        // Parsed as a user's file is; the last panic is what the user would read.
        director_tests::sprint(block, &["command", "release-notes"]);
    }
    // Every subcommand has its line in the table of commands.
    let commands = read("director/src/cli/mod.rs");
    let (_, list) = commands
        .split_once("enum Command {")
        .expect("the list of commands");
    let (list, _) = list.split_once('}').expect("its end");
    for name in list.lines().filter_map(|line| line.trim().split_once('(')) {
        let row = format!("| `{}", name.0.to_lowercase());
        assert!(
            readme.contains(&row),
            "README.md's table of commands lacks `{}`",
            name.0
        );
    }
}

#[test]
fn every_metric_that_is_served_is_in_the_documentation() {
    let table = director::http::metrics_page();
    assert!(
        read("docs/serve.md").contains(&table),
        "docs/serve.md has to have this table:\n{table}"
    );
}

#[test]
fn the_dashboard_for_grafana_shows_every_metric_and_nothing_else() {
    let table = director::http::metrics_page();
    let rows: BTreeMap<&str, Vec<&str>> = table
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name, cells.get(3)?.split(", ").collect()))
        })
        .collect();
    assert!(rows.len() > 10, "{table}");
    let dashboard: Value =
        serde_json::from_str(&read("docs/grafana.json")).expect("docs/grafana.json is JSON");
    let mut shown = BTreeSet::new();
    let panels = dashboard["panels"].as_array().expect("panels");
    for target in panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
    {
        let expression = target["expr"].as_str().expect("an expression");
        let word = |c: char| !c.is_alphanumeric() && c != '_';
        let mut labels: BTreeSet<&str> = ["instance"].into();
        for name in expression
            .split(word)
            .filter(|name| name.starts_with("director_"))
        {
            let row = rows.get(name);
            labels
                .extend(row.unwrap_or_else(|| panic!("there is no metric `{name}`: {expression}")));
            shown.insert(name);
        }
        let grouped = expression
            .split("by (")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let grouped = grouped.flat_map(|list| list.split(", "));
        let chosen = expression.split(['{', ',']).filter_map(|part| {
            part.trim()
                .split_once("=\"")
                .or(part.trim().split_once("=~\""))
        });
        let legend = target["legendFormat"].as_str().unwrap_or_default();
        let told = legend
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split("}}").next());
        for label in grouped.chain(chosen.map(|(label, _)| label)).chain(told) {
            assert!(
                labels.contains(label),
                "no metric in `{expression}` has the label `{label}`"
            );
        }
    }
    let missing: Vec<_> = rows.keys().filter(|name| !shown.contains(*name)).collect();
    assert!(
        missing.is_empty(),
        "docs/grafana.json does not show {missing:?}"
    );
    let variables = dashboard["templating"]["list"]
        .as_array()
        .expect("variables");
    let asked = variables
        .iter()
        .filter_map(|one| one["definition"].as_str());
    for (name, label) in asked.filter_map(|text| {
        text.strip_prefix("label_values(")?
            .strip_suffix(')')?
            .split_once(", ")
    }) {
        let known = rows
            .get(name)
            .unwrap_or_else(|| panic!("there is no metric `{name}`"));
        assert!(
            label == "instance" || known.contains(&label),
            "{name} has no {label}"
        );
    }
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut found = Vec::new();
    for file in files(&[".md"]) {
        let here = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        for target in file
            .text
            .split("](")
            .skip(1)
            .filter_map(|part| part.split(')').next())
        {
            let path = target.split('#').next().unwrap_or_default();
            let outside = target.contains("://") || path.is_empty();
            if !outside && !root().join(here).join(path).exists() {
                found.push(format!("{}: {target}", file.path));
            }
        }
    }
    // Paths that the map names in backticks, such as `director/src/engine/decide/`.
    let map = read("ARCHITECTURE.md");
    for word in map.split('`').skip(1).step_by(2) {
        let named = CRATES
            .iter()
            .any(|name| word.starts_with(&format!("{name}/")));
        if named && !word.contains(['{', '*', '<']) && !root().join(word).exists() {
            found.push(format!("ARCHITECTURE.md: `{word}`"));
        }
    }
    none("a link to nothing", found);
}

#[test]
fn every_effect_says_how_twice_is_made_safe() {
    let (map, effects) = (
        read("ARCHITECTURE.md"),
        read("director/src/engine/effects.rs"),
    );
    let (_, list) = effects
        .split_once("pub enum Effect {")
        .expect("the effects");
    let (list, _) = list.split_once("\n}").expect("their end");
    let names = list.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.trim_end_matches([' ', ',', '{']);
        name.starts_with(char::is_uppercase).then_some(name)
    });
    let missing = names.filter(|name| !map.contains(&format!("`{name}`")));
    none(
        "effects that the table in ARCHITECTURE.md lacks",
        missing.map(str::to_owned).collect(),
    );
}

#[test]
fn every_feature_names_where_it_lives_and_a_test_that_is_there() {
    let mut found = Vec::new();
    let mut rows = 0;
    let table = read("docs/features.md");
    let sources = files(&[".rs"]);
    for (at, line) in (1..).zip(table.lines()) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [feature, home, test] = cells[..] else {
            continue;
        };
        if !line.starts_with('|') || feature == "feature" || feature.starts_with("---") {
            continue;
        }
        rows += 1;
        for home in home.split(", ") {
            if !root().join(home.trim_matches('`')).exists() {
                found.push(format!("line {at}: {home} is not there"));
            }
        }
        let head = format!("fn {}(", test.trim_matches('`'));
        let is_there = sources.iter().any(|file| {
            let lines = file.text.lines();
            lines.clone().zip(lines.skip(1)).any(|(above, line)| {
                line.contains(&head)
                    && above.trim_start().starts_with("#[")
                    && above.contains("test")
            })
        });
        if !is_there {
            found.push(format!("line {at}: there is no test {test}"));
        }
    }
    assert!(rows > 0, "docs/features.md has no row");
    none("a feature without its proof", found);
}
