//! Only the first part of a branch's name is kept.
//!
//! ## What it does
//!
//! Finds `cut -d/ -f2` and `awk -F/ '{print $2}'` of `CODEBUILD_WEBHOOK_TRIGGER` (`branch/feature/x`), and the
//! third field of `CODEBUILD_WEBHOOK_HEAD_REF` (`refs/heads/feature/x`). It is a warning where the result is
//! called a branch, a ref or a tag, and a note elsewhere: somebody may want the first part on purpose.
//!
//! ## Why it matters
//!
//! `feature/login` and `feature/search` both become `feature`, so all feature branches share one tag.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_TRIGGER | cut -d/ -f2)
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_TRIGGER | cut --output-delimiter=- -d/ -f2-)
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ## Fix
//!
//! For the branch variable, where `cut` is used: everything from that field on is kept, with a dash for each
//! slash. The fix is unsafe, because the tags get other names.
//!
//! ## When to silence it
//!
//! Where branches have no `/` by rule, or the part that is taken is the one that is wanted: the number of a
//! ticket.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Environment variables in build environments": `branch/branch-name` in
//!   `CODEBUILD_WEBHOOK_TRIGGER`.
//! - git documentation, `git check-ref-format`: slashes group branches.

use std::collections::BTreeSet;

use tagwright_flow::expression::{AtomKind, Origin, Site};
use tagwright_flow::facts::{AssignmentPlace, FileFacts};

use crate::context::{Context, Report};
use crate::variables::{behind, replace};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "truncated-branch",
    category: Category::Branch,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("truncated_branch"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for file in context.workspace.files() {
        for assignment in &file.assignments {
            if assignment.place != AssignmentPlace::Command {
                continue;
            }
            let Some(cut) = truncation(&assignment.value) else {
                continue;
            };
            if !seen.insert((file.id, assignment.span.start)) {
                continue;
            }
            let upper = assignment.name.to_ascii_uppercase();
            let names_branch = ["BRANCH", "REF", "TAG"].iter().any(|w| upper.contains(w));
            let message = format!(
                "`{}` becomes only the first part of the branch's name: `feature/a` and `feature/b` are both `feature`",
                assignment.name
            );
            let severity = if names_branch {
                Severity::Warning
            } else {
                Severity::Note
            };
            let fix = if *assignment.name == *context.settings.branch_variable {
                keep_rest(file, assignment.value_site, &assignment.value, &cut)
            } else {
                Err(Refusal::new(RefusalCode::YourDecision, "whether the first part is wanted is yours to say"))
            };
            report.add(
                report
                    .draft(file.id, assignment.span, message)
                    .severity(severity)
                    .fix(fix),
            );
        }
    }
    for (file, atom) in context.tag_atoms() {
        if let AtomKind::Computed(text) = &atom.kind
            && atom.origin == Origin::Written
            && truncation(text).is_some()
            && let Some(site) = atom.site
            && seen.insert((file.id, site.source.start))
        {
            let message = "the tag is only the first part of the branch's name: `feature/a` and `feature/b` are both `feature`";
            let reason = "the tag is computed where it is used, perhaps in more than one place";
            report.add(
                report
                    .draft(file.id, site.source, message)
                    .fix(Err(Refusal::new(RefusalCode::UnsupportedForm, reason))),
            );
        }
    }
}

/// One field taken out of a ref.
struct Truncation {
    /// Where the field's number ends, for `cut`; bytes of the value.
    cut_field_end: Option<usize>,
    /// Where the program's name ends; bytes of the value.
    program_end: usize,
}

/// Looks for one field of a webhook's ref in a command substitution.
fn truncation(value: &str) -> Option<Truncation> {
    let at = memchr::memmem::find(value.as_bytes(), b"CODEBUILD_WEBHOOK_")?;
    let field = if value.contains("CODEBUILD_WEBHOOK_TRIGGER") {
        "2"
    } else if value.contains("CODEBUILD_WEBHOOK_HEAD_REF")
        || value.contains("CODEBUILD_WEBHOOK_BASE_REF")
    {
        "3"
    } else {
        return None;
    };
    // What stands between the variable and the split may have changed the fields.
    let pipes = value.matches('|').count();
    let first = value.find('|').unwrap_or(value.len());
    let start = if first > at { first } else { 0 };
    let command = value[start..].trim_start_matches(['|', ' ', '\n', '\\']);
    let offset = value.len() - command.len();
    let command = if pipes == 0 {
        // `cut -d/ -f2 <<< "$REF"`
        command.trim_start_matches(['"', '$', '(', '`', ' '])
    } else {
        command
    };
    let offset = if pipes == 0 {
        value.len() - command.len()
    } else {
        offset
    };
    let command = command.split('|').next().unwrap_or(command);
    if command.starts_with("cut ") {
        let end = cut_field(command, field)?;
        return Some(Truncation {
            cut_field_end: Some(offset + end),
            program_end: offset + "cut".len(),
        });
    }
    let splits = ["-F/", "-F /", "-F'/'", "-F \"/\"", "-F\"/\"", "-F '/'"];
    let prints = [format!("print ${field}}}"), format!("print ${field} }}")];
    let by_awk = command.starts_with("awk ")
        && splits.iter().any(|split| command.contains(split))
        && prints.iter().any(|print| command.contains(print.as_str()));
    by_awk.then_some(Truncation {
        cut_field_end: None,
        program_end: offset + "awk".len(),
    })
}

/// Where the field's number ends in `cut` with a slash as its delimiter and exactly this field.
fn cut_field(command: &str, field: &str) -> Option<usize> {
    let option = |name: &str| {
        let at = command.find(name)? + name.len();
        let rest = &command[at..];
        let value = rest.trim_start_matches([' ', '=', '\'', '"']);
        Some((at + rest.len() - value.len(), value))
    };
    let (_, delimiter) = option(" -d").or_else(|| option(" --delimiter"))?;
    let (at, fields) = option(" -f").or_else(|| option(" --fields"))?;
    let after = fields.strip_prefix(field)?;
    let alone = !after.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == ',');
    (delimiter.starts_with('/') && alone).then_some(at + field.len())
}

/// `-f2` becomes `-f2-`, and `cut` is told to join the fields with a dash (GNU coreutils, as in all of
/// CodeBuild's images for Linux).
fn keep_rest(
    file: &FileFacts,
    site: Option<Site>,
    value: &str,
    truncation: &Truncation,
) -> Result<Fix, Refusal> {
    let site = site.ok_or_else(|| Refusal::uncertain("the place of the value is not certain"))?;
    let end = truncation
        .cut_field_end
        .ok_or_else(|| Refusal::new(RefusalCode::UnsupportedForm, "only `cut` is rewritten, not `awk`"))?;
    // The value's place is inside its quotes.
    let quote = (value.len() - site.source.len()) / 2;
    let end = end.checked_sub(quote).ok_or_else(|| Refusal::uncertain("the quotes are not certain"))?;
    let rest = value.get(end + quote..).unwrap_or("");
    let closes = rest == ")" || rest == ")\"";
    if !closes || site.range.len() != site.source.len() {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "something follows the field"));
    }
    let field = behind(site.slice(0, end));
    let program = truncation
        .program_end
        .checked_sub(quote)
        .map(|at| behind(site.slice(0, at)))
        .ok_or_else(|| Refusal::uncertain("the quotes are not certain"))?;
    Ok(Fix {
        message: "keep the whole name, with a dash for each slash".to_owned(),
        applicability: Applicability::Unsafe,
        changes: vec![
            replace(
                file,
                program,
                " --output-delimiter=-",
                WordEffect::Inserts(1),
            )?,
            replace(file, field, "-", WordEffect::Within)?,
        ],
    })
}
