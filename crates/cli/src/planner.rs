//! What fixes make of a workspace, in memory: `fix` and `migrate` execute the same.

use tagwright_diagnostics::{Finding, Refusal};
use tagwright_fixer::{Options, Outcome, Sources, run_from};
use tagwright_flow::FileId;
use tagwright_project::analysis;
use tagwright_project::config::Scope;
use tagwright_project::workspace::Checked;

use crate::selection::Offered;
use crate::session::Part;

/// A workspace before its fixes, and what they make of it.
pub(crate) struct Planned {
    /// What there is to say about it as it is, without fixes that nobody asked for.
    pub(crate) checked: Checked,
    /// Its texts as they are.
    pub(crate) before: Sources,
    /// What the fixes make of them; `None` if there is none. The message of a panic, if the fixer failed.
    pub(crate) outcome: Option<Result<Outcome, String>>,
}

impl Planned {
    /// The files that the fixes change.
    pub(crate) fn changed(&self) -> Vec<FileId> {
        match &self.outcome {
            Some(Ok(outcome)) => outcome.sources.changed_from(&self.before),
            _ => Vec::new(),
        }
    }
}

/// Asks the rules and tries the fixes; nothing is written.
pub(crate) fn plan(part: &mut Part, scope: Scope, unsafe_fixes: bool) -> Planned {
    let workspace = &mut part.workspace;
    let Checked {
        findings,
        suppressed,
    } = workspace.check();
    let findings = workspace.withhold(findings);
    let before = workspace.sources();
    let offered = Offered {
        workspace,
        touched: part.touched.as_ref(),
        scope,
    };
    let findings = offered.withhold(findings, &before);
    let options = Options {
        unsafe_fixes,
        ..Options::default()
    };
    let any = findings.iter().any(|finding| finding.fix.is_some());
    let outcome = any.then(|| {
        analysis::guarded(|| run_from(before.clone(), findings.clone(), &offered, options))
    });
    Planned {
        checked: Checked {
            findings,
            suppressed,
        },
        before,
        outcome,
    }
}

/// The findings that are left; where a fix was tried in vain, with the reason instead of the fix.
pub(crate) fn remaining(outcome: Outcome) -> Vec<Finding> {
    let mut findings = outcome.findings;
    for failed in outcome.not_applied {
        for finding in &mut findings {
            if *finding == failed.finding {
                finding.fix = None;
                finding.refusal = Some(Refusal::from(&failed.reason));
            }
        }
    }
    findings
}
