//! What the rules say about themselves, as listings, pages and reports show it.

use tagwright_rules::{Category, Fixable, Rule, registry};

use crate::severity::severity_name;

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
