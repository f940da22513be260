//! Files of this repository that are generated from the code: JSON Schemas, the pages of the rules with their
//! index, the README's table and the comparison's numbers. CI compares them with what is committed.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tagwright_rules::{Fixable, registry};

use super::schema::schema_text;
use crate::args::SchemaOf;
use crate::ending::{Exit, Stop, Streams};
use crate::pages::{by_category, level, page};
use tagwright_project::wording;

const README: &str = "README.md";
const BEGIN: &str = "<!-- rules:start -->\n";
const END: &str = "<!-- rules:end -->\n";
const COMPARISON: &str = "docs/comparison.md";
const RULES: &str = "<!-- rules -->";
const RULES_WITH_FIX: &str = "<!-- rules with a fix -->";
const NUMBER_END: &str = "<!-- end -->";
const RULE_PAGES: &str = "docs/rules";

/// A text with what is generated in it renewed; `None` if a mark for it is missing.
type Renew = fn(&str) -> Option<String>;

pub(crate) fn docs(root: &Path, check: bool, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stale = |path: &Path, text: Option<&str>| fs::read_to_string(path).ok().as_deref() != text;
    let mut changed = 0;
    let mut files: Vec<(PathBuf, Option<String>)> = generated()
        .into_iter()
        .map(|(path, text)| (root.join(path), Some(text)))
        .collect();
    files.extend(orphans(root).into_iter().map(|path| (path, None)));
    let in_place: [(&str, Renew); 2] = [(README, with_table), (COMPARISON, with_numbers)];
    for (name, renew) in in_place {
        let Ok(text) = fs::read_to_string(root.join(name)) else {
            continue;
        };
        let Some(text) = renew(&text) else {
            return Err(Stop::Usage(format!(
                "{name} lacks a mark `<!-- rules… -->` or its end, between which something is generated"
            )));
        };
        files.push((root.join(name), Some(text)));
    }
    for (path, text) in &files {
        if !stale(path, text.as_deref()) {
            continue;
        }
        changed += 1;
        let shown = wording::display(path);
        if check {
            writeln!(streams.errors, "not current: {shown}")?;
            continue;
        }
        writeln!(streams.output, "{shown}")?;
        let done = match text {
            Some(text) => put(path, text),
            None => fs::remove_file(path),
        };
        if let Err(error) = done {
            writeln!(streams.errors, "error: {shown}: {}", wording::plain(&error))?;
            return Ok(Exit::Unreadable);
        }
    }
    if check && changed > 0 {
        writeln!(streams.errors, "run `cargo run -p tagwright -- docs`")?;
        return Ok(Exit::Findings);
    }
    Ok(Exit::Clean)
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// All generated files but the README, relative to the repository.
fn generated() -> Vec<(String, String)> {
    let mut files = vec![
        (
            "docs/schema/findings.json".to_owned(),
            schema_text(SchemaOf::Findings),
        ),
        (
            "docs/schema/lines.json".to_owned(),
            schema_text(SchemaOf::Lines),
        ),
        (
            "docs/schema/baseline.json".to_owned(),
            schema_text(SchemaOf::Baseline),
        ),
        (
            "docs/schema/config.json".to_owned(),
            schema_text(SchemaOf::Config),
        ),
        (
            "docs/schema/migration.json".to_owned(),
            schema_text(SchemaOf::Migration),
        ),
        (
            "docs/schema/buildspec.json".to_owned(),
            schema_text(SchemaOf::Buildspec),
        ),
        (
            "docs/schema/copilot-workload.json".to_owned(),
            schema_text(SchemaOf::CopilotWorkload),
        ),
        (
            "docs/schema/copilot-environment.json".to_owned(),
            schema_text(SchemaOf::CopilotEnvironment),
        ),
        (
            "docs/schema/copilot-pipeline.json".to_owned(),
            schema_text(SchemaOf::CopilotPipeline),
        ),
        (
            format!("{RULE_PAGES}.md"),
            format!("# Rules\n\n{}", table("rules/")),
        ),
    ];
    for rule in registry() {
        files.push((format!("{RULE_PAGES}/{}.md", rule.name), page(rule)));
    }
    files
}

/// Pages of rules that no longer exist.
fn orphans(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join(RULE_PAGES)) else {
        return Vec::new();
    };
    let mut orphans: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy());
            !registry()
                .iter()
                .any(|rule| stem.as_deref() == Some(rule.name))
        })
        .collect();
    orphans.sort();
    orphans
}

/// The README with the table of rules between its two marks; `None` if it has no marks.
fn with_table(readme: &str) -> Option<String> {
    between(readme, BEGIN, END, &format!("\n{}\n", table("docs/rules/")))
}

/// The comparison with the numbers of rules behind their marks; `None` if one has no mark.
fn with_numbers(comparison: &str) -> Option<String> {
    let fixable = registry()
        .iter()
        .filter(|rule| matches!(rule.fixable, Fixable::Sometimes))
        .count();
    let all = registry().len();
    let text = between(comparison, RULES, NUMBER_END, &all.to_string())?;
    between(
        &text,
        RULES_WITH_FIX,
        NUMBER_END,
        &format!("{fixable} of {all}"),
    )
}

/// `text` with `content` in the place of what stands between the two marks; `None` if it has no marks.
fn between(text: &str, begin: &str, end: &str, content: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}{content}{end}{after}"))
}

/// The rules as Markdown tables, with links into the folder `pages`.
fn table(pages: &str) -> String {
    let mut text = String::new();
    for (category, rules) in by_category() {
        if rules.is_empty() {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | default | fix | |\n|---|---|---|---|",
            category.as_str()
        );
        for rule in rules {
            let fixable = match rule.fixable {
                Fixable::Sometimes => "yes",
                Fixable::Never => "",
            };
            let _ = writeln!(
                text,
                "| [`{name}`]({pages}{name}.md) | {} | {fixable} | {} |",
                level(rule),
                rule.summary().replace('|', "\\|"),
                name = rule.name,
            );
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_goes_between_the_marks_and_nothing_else_changes() {
        let readme = format!("# x\n{BEGIN}old\n{END}\nrest\n");
        let written = with_table(&readme).unwrap();
        assert!(written.starts_with(&format!("# x\n{BEGIN}")));
        assert!(written.ends_with(&format!("{END}\nrest\n")));
        assert!(!written.contains("old\n"));
        assert_eq!(with_table(&written).as_deref(), Some(written.as_str()));
        assert_eq!(with_table("# x\n"), None);
    }

    #[test]
    fn each_number_goes_behind_its_own_mark() {
        let text = format!(
            "| a | {RULES}1{NUMBER_END}, x |\n| b | {RULES_WITH_FIX}2 of 3{NUMBER_END} | 4 |\n"
        );
        let all = registry().len();
        let written = with_numbers(&text).unwrap();
        assert!(written.starts_with(&format!(
            "| a | {RULES}{all}{NUMBER_END}, x |\n| b | {RULES_WITH_FIX}"
        )));
        assert!(written.ends_with(&format!(" of {all}{NUMBER_END} | 4 |\n")));
        assert_eq!(with_numbers(&format!("{RULES}1{NUMBER_END}")), None);
    }

    #[test]
    fn missing_stale_and_orphaned_files_are_noticed_and_written() {
        let root = tempfile::tempdir().unwrap();
        let run = |check| {
            let mut output = Vec::new();
            let mut errors = Vec::new();
            let mut streams = Streams {
                input: &mut io::empty(),
                output: &mut output,
                errors: &mut errors,
                style: crate::report::Style::PLAIN,
            };
            let exit = docs(root.path(), check, &mut streams).unwrap();
            (exit, String::from_utf8(errors).unwrap())
        };
        assert_eq!(run(true).0, Exit::Findings);
        assert_eq!(run(false).0, Exit::Clean);
        assert_eq!(run(true), (Exit::Clean, String::new()));
        fs::write(root.path().join("docs/rules/no-such-rule.md"), "").unwrap();
        fs::write(root.path().join("docs/schema/config.json"), "{}").unwrap();
        let (exit, errors) = run(true);
        assert_eq!(exit, Exit::Findings);
        assert!(errors.contains("no-such-rule.md") && errors.contains("config.json"));
        assert_eq!(run(false).0, Exit::Clean);
        assert_eq!(run(true).0, Exit::Clean);
    }
}
