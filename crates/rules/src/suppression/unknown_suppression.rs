//! A comment is addressed to tagwright and says nothing that it knows.
//!
//! ## What it does
//!
//! Finds `# tagwright:` comments with another word than `ignore`, `ignore-block` or `ignore-file`, without a
//! rule in brackets, or with the name of a rule that does not exist.
//!
//! ## Why it matters
//!
//! The comment silences nothing, and whoever reads it believes that it does.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       # tagwright: ignore[masked-failures] the tests may fail
//!       - |
//!         npm test
//!         echo done
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       # tagwright: ignore[masked-failure] the tests may fail
//!       - |
//!         npm test
//!         echo done
//! ```
//!
//! ## Fix
//!
//! Puts the name in that was probably meant.
//!
//! ## When to silence it
//!
//! Where a newer version of tagwright, which others use on the same file, knows the rule.
//!
//! ## Sources
//!
//! - This program: "Silencing findings" in `docs/suppressions.md`.

use crate::context::{Document, Report};
use crate::directives::Directive;
use crate::outline;
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, registry, rule};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-suppression",
    category: Category::Suppression,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("unknown_suppression"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for directive in document.directives() {
        let file = document.facts.id;
        if !directive.is_known() {
            let message = format!(
                "`{}` means nothing here: tagwright knows `ignore[rule]`, `ignore-block[rule]` and `ignore-file[rule]`",
                outline::quoted(&directive.word)
            );
            report.add(report.draft(file, directive.span, message));
            continue;
        }
        if directive.names.is_empty() {
            let message = format!(
                "the comment names no rule and silences nothing: write `{}[rule]`",
                directive.word
            );
            report.add(report.draft(file, directive.span, message));
            continue;
        }
        for (index, (span, name)) in directive.names.iter().enumerate() {
            if rule(name).is_none() {
                unknown(document, directive, index, report, *span);
            }
        }
    }
}

fn unknown(
    document: &Document<'_>,
    directive: &Directive,
    index: usize,
    report: &mut Report<'_>,
    span: tagwright_syntax::Span,
) {
    let mut names: Vec<&str> = directive.names.iter().map(|(_, name)| &**name).collect();
    let name = outline::quoted(names[index]);
    let Some(meant) = tagwright_grammar::did_you_mean(names[index], registry().iter().map(|it| it.name)) else {
        let message = format!("there is no rule `{name}`; `tagwright rules` lists them");
        return report.add(report.draft(document.facts.id, span, message));
    };
    names[index] = meant;
    let text = directive.with(&directive.word, &names);
    let fix = directive
        .rewrite(document.tree, document.text(), &text)
        .map(|change| Fix {
            message: format!("write `{meant}`"),
            applicability: Applicability::Safe,
            changes: vec![change],
        })
        .ok_or_else(|| Refusal::new(RefusalCode::CannotEdit, "the comment cannot be rewritten here"));
    let message = format!("there is no rule `{name}`; did you mean `{meant}`?");
    report.add(report.draft(document.facts.id, span, message).fix(fix));
}
