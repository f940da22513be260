//! The version is in quotes, which batch builds reject.
//!
//! ## What it does
//!
//! Finds a quoted `version` in a buildspec that has `batch`. Elsewhere the quotes do no harm.
//!
//! ## Why it matters
//!
//! A batch build stops with "cannot unmarshal !!str `0.2` into float64".
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: "0.2"
//! batch:
//!   build-list:
//!     - identifier: linux_amd64
//!       buildspec: ci/amd64.yml
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-list:
//!     - identifier: linux_amd64
//!       buildspec: ci/amd64.yml
//! ```
//!
//! ## Fix
//!
//! None. Remove the quotes.
//!
//! ## When to silence it
//!
//! Where the file is never used for a batch although it has the section; without a batch the quotes do no
//! harm.
//!
//! ## Sources
//!
//! - aws/aws-cdk, issues 22087 and 29592.

use tagwright_syntax::yaml::ScalarStyle;

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "quoted-version-in-batch",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("quoted_version_in_batch"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let Some(root) = outline::root(document) else {
        return;
    };
    let (Some(node), Some(_)) = (tree.get(root, "version"), tree.get(root, "batch")) else {
        return;
    };
    let quoted = tree.scalar(node).filter(|scalar| {
        matches!(
            scalar.style,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
        )
    });
    if let Some(scalar) = quoted {
        let message = format!(
            "a batch build will stop with \"cannot unmarshal !!str `{}` into float64\": remove the quotes",
            scalar.value
        );
        report.add(report.draft(document.facts.id, tree.node(node).span, message));
    }
}
