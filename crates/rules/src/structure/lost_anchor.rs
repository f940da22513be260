//! The first word of a command is a YAML anchor and never reaches the shell.
//!
//! ## What it does
//!
//! Finds commands that start with `&`, are not in quotes, and whose anchor nothing in the file refers to:
//! `&./server start`, `&>build.log make`, `&server start`.
//!
//! ## Why it matters
//!
//! For YAML `&word` at the start of a value gives the value a name. If the word has only letters, digits, `-` and
//! `_` in it, CodeBuild gets the command without it; if the command is one word, it gets none at all. At any other
//! word the YAML reader of CodeBuild stops, and no command runs.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - &./server start
//!       - ./test.sh
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./server start &
//!       - ./test.sh
//! ```
//!
//! ## Fix
//!
//! None. In quotes the command would be a syntax error: no shell takes an `&` at its start. The one that runs a
//! command in the background stands at its end, and `&>` can stand there too, but what was meant is not certain.
//!
//! ## When to silence it
//!
//! Where the word is an anchor, and the item is repeated by an alias in a file that is not read here.
//!
//! ## Sources
//!
//! - YAML 1.2.2, section 6.9.2 "Node anchors"; libyaml, whose anchors have only the characters named above. That
//!   CodeBuild reads with a relative of it is inferred from its messages.

use std::collections::HashSet;

use tagwright_syntax::yaml::{NodeKind, Tree};

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "lost-anchor",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("lost_anchor"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let (tree, text) = (document.tree, document.text());
    let mut used = None;
    for item in outline::commands(document) {
        let node = tree.node(item);
        let (Some(anchor), Some(span)) = (&node.anchor, node.properties) else {
            continue;
        };
        let used = used
            .get_or_insert_with(|| aliases(tree))
            .contains(&**anchor);
        // In a file that stops in the middle the alias may come later.
        if used || tree.error().is_some() || tree.scalar(item).is_none() {
            continue;
        }
        // A plain name may be left over from an alias that is gone; then the rest is the command.
        let name = anchor
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let message = if !name {
            format!(
                "YAML reads the `&` of `&{anchor}` as the start of an anchor, and CodeBuild stops at it: \
                 \"did not find expected alphabetic or numeric character\""
            )
        } else if tree.is_null(item) {
            format!("YAML reads `&{anchor}` as an anchor: CodeBuild gets no command at all")
        } else {
            let rest = outline::quoted(node.span.of(text));
            format!("YAML reads `&{anchor}` as an anchor: CodeBuild gets only `{rest}`")
        };
        let draft = report.draft(document.facts.id, span, message);
        report.add(if name && !tree.is_null(item) {
            draft.severity(Severity::Warning)
        } else {
            draft
        });
    }
}

/// The names that aliases refer to.
fn aliases(tree: &Tree) -> HashSet<&str> {
    tree.nodes()
        .filter_map(|(_, node)| match &node.kind {
            NodeKind::Alias { name, .. } => Some(&**name),
            _ => None,
        })
        .collect()
}
