//! `tagwright rules` and `tagwright explain`: what the rules say about themselves.

use tagwright_rules::{Category, Fixable, Rule, registry, rule};

use crate::report::severity_name;
use crate::{Exit, Stop, Streams};
use tagwright_project::{analysis, config};

/// The rule's own severity in listings.
pub(crate) fn level(rule: &Rule) -> &'static str {
    rule.default.map_or("off", severity_name)
}

/// All rules, by category.
pub(crate) fn by_category() -> impl Iterator<Item = (Category, Vec<&'static Rule>)> {
    Category::ALL.into_iter().map(|category| {
        let rules = registry()
            .iter()
            .copied()
            .filter(|rule| rule.category == category)
            .collect();
        (category, rules)
    })
}

pub(crate) fn table(streams: &mut Streams<'_>) -> Result<Exit, Stop> {
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
    let Some(rule) = rule(name) else {
        return Err(Stop::Usage(config::unknown_rule(
            name,
            &analysis::rule_names(),
        )));
    };
    streams.output.write_all(page(rule).as_bytes())?;
    Ok(Exit::Clean)
}

/// The rule's page with its heading.
pub(crate) fn page(rule: &Rule) -> String {
    let fixable = match rule.fixable {
        Fixable::Sometimes => "some findings have a fix",
        Fixable::Never => "no fix",
    };
    format!(
        "# {}\n\nCategory `{}` · default `{}` · {fixable}\n\n{}",
        rule.name,
        rule.category.as_str(),
        level(rule),
        rule.page()
    )
}
