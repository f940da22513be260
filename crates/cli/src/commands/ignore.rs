//! `tagwright check --add-ignore`: comments that silence what there is today, each proven like a fix.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwright_diagnostics::{Applicability, Finding, Fix};
use tagwright_fixer::{Options, Relint, Sources, run_from};
use tagwright_flow::{FileId, FileKind};
use tagwright_project::config::FailOn;
use tagwright_project::discovery::Problem;
use tagwright_project::workspace::Checked;
use tagwright_project::{Workspace, analysis};
use tagwright_rules::directives;
use tagwright_syntax::yaml;

use super::fix;
use crate::ending::{Stop, Streams};
use crate::picked::Picked;
use crate::report::{Report, count, escape, fails};
use crate::selection::Touched;
use crate::session::{Part, Session};

/// Writes the comments and reports what is left.
pub(crate) fn add(
    session: &mut Session,
    reason: &str,
    report: &mut Report,
    streams: &mut Streams<'_>,
) -> Result<(), Stop> {
    let mut silenced = 0;
    session.each(report, |part, report| {
        silenced += add_to(part, reason, report);
    })?;
    if silenced > 0 {
        writeln!(streams.errors, "silenced {}", count(silenced, "finding"))?;
    }
    Ok(())
}

fn add_to(mut part: Part, reason: &str, report: &mut Report) -> usize {
    let fail_on = part.fail_on;
    let Checked {
        findings,
        suppressed,
    } = part.workspace.check();
    let workspace = &part.workspace;
    let before = workspace.sources();
    let quiet = Quiet {
        workspace,
        touched: part.touched.as_ref(),
        picked: &part.picked,
        fail_on,
        reason,
    };
    let proposed = quiet.propose(findings.clone(), &before);
    let unchanged = Checked {
        findings,
        suppressed,
    };
    let outcome =
        analysis::guarded(|| run_from(before.clone(), proposed, &quiet, Options::default()));
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(message) => {
            report.push_problem(Problem {
                path: "--add-ignore".to_owned(),
                message: format!(
                    "nothing was changed because of an internal error; please report it: {message}"
                ),
            });
            part.report(unchanged, report);
            return 0;
        }
    };
    let changed = outcome.sources.changed_from(&before);
    if let Err(error) = fix::write_files(workspace, &outcome.sources, &changed) {
        report.push_problem(fix::problem(&error));
        part.report(unchanged, report);
        return 0;
    }
    let silenced = outcome.applied.len();
    let findings = workspace.lint(&outcome.sources);
    part.workspace.show(&outcome.sources);
    let left = Checked {
        findings,
        ..Checked::default()
    };
    part.report(left, report);
    silenced
}

/// The workspace with comments as the only fixes.
struct Quiet<'a> {
    workspace: &'a Workspace,
    /// The lines that count, where not all do.
    touched: Option<&'a Touched>,
    /// Which rules the run is about.
    picked: &'a Picked,
    fail_on: FailOn,
    reason: &'a str,
}

impl Quiet<'_> {
    /// The findings, those that fail the run with a comment for a fix and the others with none.
    fn propose(&self, mut findings: Vec<Finding>, sources: &Sources) -> Vec<Finding> {
        let mut by_file: BTreeMap<FileId, Vec<usize>> = BTreeMap::new();
        for (index, finding) in findings.iter_mut().enumerate() {
            finding.fix = None;
            let document = self.workspace.document(finding.file);
            let target = document.is_some_and(|document| document.target)
                && sources.get(finding.file).is_some_and(|source| {
                    let touched = self.touched;
                    touched.is_none_or(|touched| touched.counts(finding, &source.text))
                });
            if target && self.picked.has(finding.rule) && fails(finding.severity, self.fail_on) {
                by_file.entry(finding.file).or_default().push(index);
            }
        }
        for (file, of_file) in by_file {
            let Some(text) = sources.text(file) else {
                continue;
            };
            let kind = self
                .workspace
                .document(file)
                .map_or(FileKind::Other, |it| it.kind);
            // Comments of code start with other signs.
            if kind == FileKind::Cdk {
                continue;
            }
            let tree = yaml::parse_as(kind, text);
            // What one comment can say for several findings, it says at once.
            let mut at: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            for index in of_file {
                let Finding { span, rule, .. } = findings[index];
                let change = directives::add(file, text, &tree, span.start, &[rule], "");
                if let Some(change) = change {
                    at.entry(change.node).or_default().push(index);
                }
            }
            for group in at.into_values() {
                let mut rules: Vec<&str> = group.iter().map(|it| findings[*it].rule).collect();
                rules.sort_unstable();
                rules.dedup();
                let place = findings[group[0]].span.start;
                let change = directives::add(file, text, &tree, place, &rules, self.reason);
                let fix = change.map(|change| {
                    Arc::new(Fix {
                        message: format!("silence {}", escape(&rules.join(", "))),
                        applicability: Applicability::Safe,
                        changes: vec![change],
                    })
                });
                for index in group {
                    findings[index].fix.clone_from(&fix);
                }
            }
        }
        findings
    }
}

impl Relint for Quiet<'_> {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        self.propose(self.workspace.lint(sources), sources)
    }
}
