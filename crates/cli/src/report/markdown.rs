//! A table in Markdown, for the summary of a job and for comments on pull requests.
//!
//! GitHub takes at most 1 MiB for the summary of a step, and nobody reads that much: of many findings the gravest are
//! shown.

use std::io;

use tagwright_diagnostics::Applicability;

use super::group::Group;
use super::{Report, Reported, escape, human, severity_name};

/// More rows than this are counted and not shown.
const ROWS: usize = 200;

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "### tagwright\n")?;
    if !report.quiet {
        writeln!(out, "{}\n", human::summary(report))?;
    }
    for problem in report.problems() {
        writeln!(
            out,
            "- **not read**: {}: {}",
            code(&problem.path),
            text(&problem.message)
        )?;
    }
    if !report.problems().is_empty() {
        writeln!(out)?;
    }
    let mut groups = Group::all(report);
    if groups.is_empty() {
        return Ok(());
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.first().severity));
    writeln!(out, "| | rule | where | what | fix |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for group in groups.iter().take(ROWS) {
        let first = group.first();
        let (line, column) = first.place.start;
        let mut place = format!("{}:{line}:{column}", report.path(first.place));
        if group.findings.len() > 1 {
            place = format!("{place}, {}", group.others(report));
        }
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            severity_name(first.severity),
            code(first.rule),
            code(&place),
            text(&first.message),
            fix(first),
        )?;
    }
    if groups.len() > ROWS {
        writeln!(out, "\n{} more rows are not shown.", groups.len() - ROWS)?;
    }
    Ok(())
}

fn fix(finding: &Reported) -> &'static str {
    match finding.fix.as_ref().map(|fix| fix.applicability) {
        Some(Applicability::Safe) => "`tagwright fix`",
        Some(Applicability::Unsafe) => "`tagwright fix --unsafe`",
        Some(Applicability::DisplayOnly) | None => "",
    }
}

/// Text of a cell in which code in backticks stays code and nothing else is markup.
fn text(given: &str) -> String {
    let given = escape(given);
    let mut pieces: Vec<String> = Vec::new();
    let parts: Vec<&str> = given.split('`').collect();
    // An odd number of backticks is no code.
    if parts.len().is_multiple_of(2) {
        return plain(&given);
    }
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 1 {
            pieces.push(code(part));
        } else {
            pieces.push(plain(part));
        }
    }
    pieces.concat()
}

/// Text without what Markdown or HTML would act on.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention would call somebody, and a number would link an issue.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '~' | '`' | '!' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

/// A code span of a cell.
fn code(text: &str) -> String {
    let text = escape(text).replace('`', "'");
    // In a table a bar ends the cell even in code.
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_no_markup_of_others() {
        assert_eq!(
            text("only `a|b` is *pushed*"),
            "only `a\\|b` is \\*pushed\\*"
        );
        assert_eq!(text("<img> @me #1 `"), "&lt;img&gt; &#64;me &#35;1 \\`");
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
    }
}
