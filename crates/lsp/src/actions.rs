//! Code actions: the fix of a finding, a comment that silences it, and the safe fixes of a file: those for a save, or all.
//!
//! What is offered has been proven as `fix` proves it, on the texts as they are open, and is made from the proven
//! result: no edit that the proof did not see.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tagwright_diagnostics::{Applicability, Finding, Fix};
use tagwright_fixer::{Options, Relint, Sources, prove, run_from};
use tagwright_flow::{FileId, FileKind};
use tagwright_project::Workspace;
use tagwright_project::config::Scope;
use tagwright_rules::directives;
use tagwright_syntax::Span;
use tagwright_syntax::yaml;

use gen_lsp_types as lsp;

use crate::root::{Answer, Root};
use crate::server::View;
use crate::{diagnostics, edits};

/// The kind of the action that makes all safe fixes of a file.
pub(crate) const FIX_ALL: &str = "source.fixAll.tagwright";

/// The kind of the action that makes all safe fixes that concern a file, wherever they lead. No editor runs it on save
/// unless this very name is configured.
pub(crate) const APPLY_ALL: &str = "source.applySafeFixes.tagwright";

/// Each action of a finding is proved by a run of all rules over the text. For a range that touches many findings only
/// the first few are offered, the fewer the longer the text: at least one, and no more than this many.
const MOST: usize = 32;

/// How many bytes of text the actions of one request may run the rules over, for each kind of action.
const PROVED_BYTES: usize = 1024 * 1024;

/// What stands in a new comment until the user has written why.
const REASON: &str = "say here why";

/// An action whose edit is worked out when it is chosen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Deferred {
    /// The address of the document.
    pub(crate) uri: String,
    /// The text that it was offered for.
    pub(crate) version: i32,
    /// Whether it makes all safe fixes, or those that are meant for a save.
    all: bool,
}

/// The actions for the bytes `span` of the file `id`; `only` names the kinds that the client asks for.
pub(crate) fn list(
    view: &View<'_>,
    root: &mut Root,
    id: FileId,
    span: Span,
    only: Option<&[String]>,
) -> Vec<lsp::CodeAction> {
    let mut actions = Vec::new();
    if wants(only, "quickfix") {
        actions.extend(quick_fixes(view, root, id, span));
        actions.extend(silences(view, root, id, span));
    }
    let on_save = root.fix_on_save();
    if wants(only, FIX_ALL) && has_safe_fix(root, id, |fix| on_save == Scope::All || fix.is_local())
    {
        let title = "Repair this file: all safe fixes that add nothing to it";
        actions.extend(fix_all(view, root, id, (FIX_ALL, title), only.is_some()));
    }
    if wants(only, APPLY_ALL) && has_safe_fix(root, id, |fix| !fix.is_local()) {
        let title = "Apply all safe fixes, in this file and those that depend on it";
        actions.extend(fix_all(view, root, id, (APPLY_ALL, title), only.is_some()));
    }
    actions
}

/// Whether the kinds that the client asks for have `kind` among them, or one that it is a part of.
fn wants(only: Option<&[String]>, kind: &str) -> bool {
    only.is_none_or(|kinds| {
        kinds.iter().any(|asked| {
            kind.strip_prefix(asked.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || asked.is_empty())
        })
    })
}

/// The findings at `span`, by index. What only touches it counts too: the cursor stands behind the last letter.
fn touched(root: &Root, id: FileId, span: Span) -> impl Iterator<Item = usize> {
    root.findings_in(id)
        .filter(move |(_, finding)| {
            finding.span.start <= span.end && span.start <= finding.span.end
        })
        .map(|(index, _)| index)
}

/// How many actions of one kind are worked out for one request.
fn affordable(root: &Root, id: FileId) -> usize {
    let length = root.file(id).map_or(0, |(_, document)| document.text.len());
    (PROVED_BYTES / length.max(1)).clamp(1, MOST)
}

fn quick_fixes(view: &View<'_>, root: &mut Root, id: FileId, span: Span) -> Vec<lsp::CodeAction> {
    let answers = touched(root, id, span)
        .flat_map(|index| [(index, Answer::Fix), (index, Answer::Alternative)])
        .filter(|(index, answer)| {
            let fix = root.findings.get(*index).and_then(|it| answer.of(it));
            fix.is_some_and(|fix| fix.applicability != Applicability::DisplayOnly)
        });
    let answers: Vec<(usize, Answer)> = answers.take(affordable(root, id)).collect();
    answers
        .into_iter()
        .filter_map(|(index, answer)| {
            let edit = proven(view, root, index, answer)?;
            let finding = root.findings.get(index)?;
            let fix = answer.of(finding)?;
            let lines = view.lines(root, id)?;
            Some(lsp::CodeAction {
                title: title(finding, fix, answer),
                kind: Some(lsp::CodeActionKind::QuickFix),
                diagnostics: Some(vec![diagnostics::of_finding(view, root, &lines, finding)]),
                is_preferred: (fix.applicability == Applicability::Safe).then_some(true),
                edit: Some(edit),
                ..Default::default()
            })
        })
        .collect()
}

/// The comments that silence the findings at `span`. The reason is for the user to write; without one tagwright
/// would speak again.
fn silences(view: &View<'_>, root: &Root, id: FileId, span: Span) -> Vec<lsp::CodeAction> {
    let touched: Vec<usize> = touched(root, id, span).collect();
    let Some((_, document)) = root.file(id).filter(|_| !touched.is_empty()) else {
        return Vec::new();
    };
    // Comments of code start with other signs.
    if document.kind == FileKind::Cdk {
        return Vec::new();
    }
    let tree = yaml::parse_as(document.kind, &document.text);
    let before = root.workspace.sources();
    let rules = Quiet {
        workspace: &root.workspace,
    };
    touched
        .into_iter()
        .take(affordable(root, id))
        .filter_map(|index| {
            let finding = root.findings.get(index)?;
            let place = finding.span.start;
            let change =
                directives::add(id, &document.text, &tree, place, &[finding.rule], REASON)?;
            let mut findings = without_fixes(root.findings.clone());
            findings.get_mut(index)?.fix = Some(Arc::new(Fix {
                message: String::new(),
                applicability: Applicability::Safe,
                changes: vec![change],
            }));
            let least = Applicability::Safe;
            let proven = prove::prove(&before, &findings, &[index], least, &rules).ok()?;
            let lines = view.lines(root, id)?;
            Some(lsp::CodeAction {
                title: format!("Ignore {} here, with a reason", finding.rule),
                kind: Some(lsp::CodeActionKind::QuickFix),
                diagnostics: Some(vec![diagnostics::of_finding(view, root, &lines, finding)]),
                edit: Some(edits::of_workspace(view, root, &before, &proven.sources)?),
                ..Default::default()
            })
        })
        .collect()
}

/// The rules without any fix of their own.
struct Quiet<'a> {
    workspace: &'a Workspace,
}

impl Relint for Quiet<'_> {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        without_fixes(self.workspace.lint(sources))
    }
}

fn without_fixes(mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.fix = None;
    }
    findings
}

fn title(finding: &Finding, fix: &Fix, answer: Answer) -> String {
    let unsafely = match fix.applicability {
        Applicability::Unsafe => {
            " (unsafe: something outside this workspace may depend on the old text)"
        }
        Applicability::Safe | Applicability::DisplayOnly => "",
    };
    match answer {
        Answer::Fix => format!("Fix {}: {}{unsafely}", finding.rule, fix.message),
        Answer::Alternative => {
            let mut letters = fix.message.chars();
            let first = letters.next().map(|it| it.to_ascii_uppercase());
            let message: String = first.into_iter().chain(letters).collect();
            format!("{message}{unsafely}")
        }
    }
}

/// The edit of an answer to the finding with this index, if it proves itself.
fn proven(
    view: &View<'_>,
    root: &mut Root,
    index: usize,
    answer: Answer,
) -> Option<lsp::WorkspaceEdit> {
    if let Some(known) = root.proven.get(&(index, answer)) {
        return known.clone();
    }
    let mut group = vec![index];
    let edit = (|| {
        let fix = answer.of(root.findings.get(index)?)?;
        if fix.applicability == Applicability::DisplayOnly {
            return None;
        }
        // All findings of a group share the fix, and all of them must be gone with it.
        group = (0..root.findings.len())
            .filter(|other| {
                let other = answer.of(&root.findings[*other]);
                other.is_some_and(|it| Arc::ptr_eq(it, fix) || it == fix)
            })
            .collect();
        let before = root.workspace.sources();
        let least = fix.applicability;
        let mut findings = std::borrow::Cow::Borrowed(&root.findings);
        if answer == Answer::Alternative {
            for index in &group {
                findings.to_mut()[*index].fix = Some(Arc::clone(fix));
            }
        }
        let proven = prove::prove(&before, &findings, &group, least, &root.workspace).ok()?;
        edits::of_workspace(view, root, &before, &proven.sources)
    })();
    for index in group {
        root.proven.insert((index, answer), edit.clone());
    }
    edit
}

/// Whether the finding stands in the file, or its fix changes it.
fn concerns(finding: &Finding, id: FileId) -> bool {
    let changes = |fix: &Fix| fix.changes.iter().any(|change| change.file == id);
    finding.file == id || finding.fix.as_deref().is_some_and(changes)
}

fn has_safe_fix(root: &Root, id: FileId, wanted: impl Fn(&Fix) -> bool) -> bool {
    root.findings.iter().any(|finding| {
        let safe = |fix: &Fix| fix.applicability == Applicability::Safe && wanted(fix);
        finding.fix.as_deref().is_some_and(safe) && concerns(finding, id)
    })
}

/// The action of this kind and title that makes safe fixes that concern the file. `asked`: the client named the kind.
fn fix_all(
    view: &View<'_>,
    root: &Root,
    id: FileId,
    (kind, title): (&str, &str),
    asked: bool,
) -> Option<lsp::CodeAction> {
    let mut action = lsp::CodeAction {
        title: title.to_owned(),
        kind: Some(kind.to_owned().into()),
        ..Default::default()
    };
    let deferred = Deferred {
        uri: view.uri(root, id)?,
        version: view.version(root, id)?,
        all: kind == APPLY_ALL,
    };
    if view.client().resolves_edits && !asked {
        // Editors ask for actions at every move of the cursor, and this one costs a whole run.
        action.data = serde_json::to_value(deferred).ok();
    } else {
        action.edit = Some(safe_fixes(view, root, id, deferred.all)?);
    }
    Some(action)
}

/// The edit of a deferred action.
pub(crate) fn resolve(
    view: &View<'_>,
    root: &Root,
    id: FileId,
    action: &Deferred,
) -> lsp::WorkspaceEdit {
    safe_fixes(view, root, id, action.all).unwrap_or_default()
}

/// The rules, as far as their fixes concern one file.
struct OfFile<'a> {
    workspace: &'a Workspace,
    id: FileId,
    scope: Scope,
}

impl OfFile<'_> {
    fn restrict(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        for finding in &mut findings {
            let wanted = |fix: &Arc<Fix>| self.scope == Scope::All || fix.is_local();
            if !concerns(finding, self.id) || !finding.fix.as_ref().is_some_and(wanted) {
                finding.fix = None;
            }
        }
        findings
    }
}

impl Relint for OfFile<'_> {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        self.restrict(self.workspace.lint(sources))
    }
}

/// The edit that makes the safe fixes that concern the file: `all`, or those that are meant for a save.
fn safe_fixes(view: &View<'_>, root: &Root, id: FileId, all: bool) -> Option<lsp::WorkspaceEdit> {
    let rules = OfFile {
        workspace: &root.workspace,
        id,
        scope: if all { Scope::All } else { root.fix_on_save() },
    };
    let before = root.workspace.sources();
    let findings = rules.restrict(root.findings.clone());
    let outcome = run_from(before.clone(), findings, &rules, Options::default());
    edits::of_workspace(view, root, &before, &outcome.sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_wanted_by_its_own_name_and_by_those_it_is_a_part_of() {
        let wanted = |asked: &[&str], kind: &str| {
            let asked: Vec<String> = asked.iter().map(|it| (*it).to_owned()).collect();
            wants(Some(&asked), kind)
        };
        assert!(wants(None, FIX_ALL));
        assert!(wanted(&["source"], FIX_ALL));
        assert!(wanted(&["source.fixAll"], FIX_ALL));
        assert!(wanted(&["quickfix", FIX_ALL], FIX_ALL));
        assert!(wanted(&[""], "quickfix"));
        assert!(!wanted(&["source.fixAll"], APPLY_ALL));
        assert!(!wanted(&["source.fix"], FIX_ALL));
        assert!(!wanted(&["source.fixAll.eslint"], FIX_ALL));
        assert!(!wanted(&[], FIX_ALL));
    }
}
