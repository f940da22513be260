//! A Copilot manifest uses a form of variable that Copilot does not fill in.
//!
//! ## What it does
//!
//! Finds `${NAME:-x}`, `${NAME//a/b}` and the like in the values of manifests of services, jobs and
//! environments. Commands, entry points, health checks and the container's own variables are left alone:
//! there the container's shell may expand them. For images, `unexpanded-variable` says the same.
//!
//! ## Why it matters
//!
//! Copilot replaces plain `${NAME}` and nothing else. The rest arrives in the template as it is written.
//!
//! ## Bad
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Load Balanced Web Service
//! image:
//!   build: Dockerfile
//!   port: 80
//! http:
//!   path: /
//!   alias: ${ALIAS:-www}.example.org
//! ```
//!
//! ## Good
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Load Balanced Web Service
//! image:
//!   build: Dockerfile
//!   port: 80
//! http:
//!   path: /
//!   alias: ${ALIAS}.example.org
//! ```
//!
//! ## Fix
//!
//! None: the value without the variable has to be exported by the build.
//!
//! ## When to silence it
//!
//! Where the text is meant for the container's own shell, which expands it when it starts.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/manifest/interpolate.go` (v1.33).

use tagwright_flow::FileKind;
use tagwright_flow::expression::plain_name;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::Step;

use crate::context::{Document, Report};
use crate::copilot::undefined_manifest_variable::each_value;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unsupported-interpolation",
    category: Category::Copilot,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unsupported_interpolation"),
    check: Check::Document(check),
};

/// Keys below which the container, not Copilot, may be meant to expand a variable.
const FOR_THE_CONTAINER: &[&str] = &[
    "command",
    "entrypoint",
    "healthcheck",
    "variables",
    "env_file",
    "taskdef_overrides",
    "labels",
];

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let manifest = matches!(
        document.facts.kind,
        FileKind::CopilotWorkload | FileKind::CopilotEnvironment
    );
    if !manifest || unsupported(document.text()).is_none() {
        return;
    }
    let tree = document.tree;
    each_value(tree, &mut |node, text| {
        let Some((range, name)) = unsupported(text) else {
            return;
        };
        let for_the_container =
            tree.path(node).steps.iter().any(
                |step| matches!(step, Step::Key(key, _) if FOR_THE_CONTAINER.contains(&&**key)),
            );
        let span = tree
            .source_map(document.text(), node)
            .and_then(|map| map.source(range))
            .unwrap_or(tree.node(node).span);
        let image = document
            .facts
            .uses
            .iter()
            .any(|image| image.span.contains(span));
        if for_the_container || image {
            return;
        }
        let message = format!(
            "`{}` is taken as it is: Copilot replaces only plain `${{{name}}}` in a manifest",
            range.of(text)
        );
        report.add(report.draft(document.facts.id, span, message));
    });
}

/// The first `${NAME…}` with an operator.
fn unsupported(text: &str) -> Option<(Span, &str)> {
    text.match_indices("${").find_map(|(at, _)| {
        let name = plain_name(&text[at + 2..]);
        let rest = &text[at + 2 + name.len()..];
        let length = rest.find('}')?;
        let operator = rest.starts_with([':', '-', '/', '#', '%', '^', ',', '=', '?', '+']);
        // `${X:y}` is a placeholder of Spring, for whom the value is meant.
        let other = rest.starts_with(':') && !rest[1..].starts_with(['-', '=', '?', '+']);
        let escaped = text[..at].ends_with('\\');
        (!name.is_empty() && operator && !other && !escaped)
            .then(|| (Span::new(at, at + 2 + name.len() + length + 1), name))
    })
}
