//! Scripts that buildspecs start and that Git has without the executable bit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tagwright_diagnostics::{Finding, Severity};
use tagwright_flow::facts::FileFacts;
use tagwright_rules::{ScriptCall, script_calls};

use crate::git;
use crate::missing::Roots;
use crate::workspace::Document;

/// The rule's name in the registry.
pub const RULE: &str = "script-not-executable";

/// The scripts among those that `files` start which Git has as plain files. `documents` are these files on disk.
pub(crate) fn findings(files: &[FileFacts], documents: &[Document]) -> Vec<Finding> {
    let mut calls: BTreeMap<PathBuf, Vec<(&FileFacts, ScriptCall)>> = BTreeMap::new();
    let mut roots = Roots::default();
    for (facts, document) in files.iter().zip(documents) {
        // Most buildspecs start none, and are not read again.
        if facts.buildspec.is_none() || !facts.may_hold("/") {
            continue;
        }
        // Reading the commands costs more than looking for Git.
        let Some(root) = roots.of(document) else {
            continue;
        };
        let found = script_calls(facts);
        if !found.is_empty() {
            let of_root = calls.entry(root).or_default();
            of_root.extend(found.into_iter().map(|call| (facts, call)));
        }
    }
    let mut found = Vec::new();
    for (root, calls) in calls {
        let paths: Vec<&str> = calls.iter().map(|(_, call)| &*call.path).collect();
        let plain = git::plain_files(&root, &paths);
        let here = |path: &str| plain.iter().any(|it| it == Path::new(path));
        for (facts, call) in calls.iter().filter(|(_, call)| here(&call.path)) {
            found.push(Finding {
                rule: RULE,
                severity: Severity::Warning,
                message: format!(
                    "`{path}` is not executable in Git (mode 100644), so the command ends with \"Permission denied\", status \
                     126. Run `git update-index --chmod=+x {path}`, or call it with `sh`",
                    path = call.path
                ),
                file: facts.id,
                span: call.span,
                related: Vec::new(),
                fix: None,
                alternative: None,
                refusal: None,
            });
        }
    }
    found
}
