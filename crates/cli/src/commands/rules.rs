//! `tagwright rules` and `tagwright explain`: what the rules say about themselves.

use serde::Serialize;
use tagwright_grammar::{KeyPage, key_pages};
use tagwright_rules::{Fixable, registry, rule};

use crate::args::RulesFormat;
use crate::ending::{Exit, Stop, Streams};
use crate::pages::{by_category, level, page};
use crate::report::write_pretty;
use tagwright_project::analysis;

/// A rule in the list for other programs.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    category: &'static str,
    /// `error`, `warning`, `note` or `off`.
    default: &'static str,
    /// Whether some of its findings have a fix.
    fixable: bool,
    summary: &'static str,
}

pub(crate) fn list(format: RulesFormat, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    match format {
        RulesFormat::Text => table(streams),
        RulesFormat::Json => {
            let rules: Vec<Listed> = by_category()
                .flat_map(|(_, rules)| rules)
                .map(|rule| Listed {
                    name: rule.name,
                    category: rule.category.as_str(),
                    default: level(rule),
                    fixable: rule.fixable == Fixable::Sometimes,
                    summary: rule.summary(),
                })
                .collect();
            write_pretty(&rules, streams.output)?;
            Ok(Exit::Clean)
        }
    }
}

fn table(streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let width = registry()
        .iter()
        .map(|rule| rule.name.len())
        .max()
        .unwrap_or(0);
    for (category, rules) in by_category() {
        if rules.is_empty() {
            continue;
        }
        writeln!(streams.output, "{}", category.as_str())?;
        for rule in rules {
            let fixable = match rule.fixable {
                Fixable::Sometimes => "fix",
                Fixable::Never => "",
            };
            writeln!(
                streams.output,
                "  {:width$}  {:7}  {fixable:3}  {}",
                rule.name,
                level(rule),
                rule.summary()
            )?;
        }
    }
    Ok(Exit::Clean)
}

pub(crate) fn explain(name: &str, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    if let Some(rule) = rule(name) {
        streams.output.write_all(page(rule).as_bytes())?;
        return Ok(Exit::Clean);
    }
    let pages: Vec<String> = key_pages(name).iter().map(key_page).collect();
    if pages.is_empty() {
        let rule = analysis::catalog().unknown(name);
        return Err(Stop::Usage(format!("{rule}; and no key has this name")));
    }
    streams.output.write_all(pages.join("\n").as_bytes())?;
    Ok(Exit::Clean)
}

/// What the tables say of a key, with its heading.
fn key_page(page: &KeyPage) -> String {
    let files: Vec<String> = page.files.iter().map(|it| format!("`{it}`")).collect();
    let mut text = format!("# {}\n\nKey of {}\n", page.path, files.join(", "));
    if !page.key.docs.is_empty() {
        text.push_str(&format!("\n{}\n", page.key.docs));
    }
    if page.below.is_empty() {
        text.push_str(&format!("\nHolds {}.\n", page.key.holds));
    } else {
        text.push_str("\n## Keys\n\n");
    }
    for key in &page.below {
        let docs = if key.docs.is_empty() {
            &key.holds
        } else {
            key.docs
        };
        text.push_str(&format!("- `{}`: {docs}\n", key.name));
    }
    if !page.values.is_empty() {
        let values: Vec<String> = page.values.iter().map(|it| format!("`{it}`")).collect();
        text.push_str(&format!("\n## Values\n\n{}\n", values.join(", ")));
    }
    text.push_str(&format!("\n## Source\n\n{}\n", page.source));
    text
}
