//! Random files, random fixes: what is applied is exactly what was meant, and whatever else is done to the
//! text is noticed. `TAGWRIGHT_FIXES` sets the number of cases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use support::*;
use tagwright_diagnostics::{Finding, Severity};
use tagwright_fixer::prove::prove_edits;
use tagwright_fixer::{Options, Relint, Sources, diff, materialise, run};
use tagwright_syntax::Span;
use tagwright_syntax::edit::{Edit, apply};
use tagwright_syntax::yaml;

fn config() -> ProptestConfig {
    let cases = std::env::var("TAGWRIGHT_FIXES")
        .ok()
        .and_then(|it| it.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(200),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A list of commands with what stands around it. `\n` here; see [`Document::text`].
#[derive(Clone, Debug)]
struct Document {
    head: &'static str,
    /// Column of the dashes.
    column: usize,
    items: Vec<Item>,
    tail: &'static str,
    crlf: bool,
    mark: bool,
    final_break: bool,
}

#[derive(Clone, Debug)]
struct Item {
    comment: &'static str,
    /// The lines, without indentation; the first follows the dash.
    lines: &'static str,
}

const LINES: &[&str] = &[
    "docker push $REPO:latest",
    "docker push app:latest # the newest",
    "docker tag a:latest b:latest && docker push b:latest",
    "'docker push \"$REPO:latest\"'",
    "\"docker push \\\"$REPO:latest\\\" \\u00e9\"   # é",
    "\"echo 'it''s' ; docker push a:latest\"",
    "|\n  set -e\n  if [ -n \"$X\" ]; then\n    docker push $X:latest\n  fi",
    "|- # block\n  # the newest\n\n  docker push a:latest",
    "|+\n  docker push a:latest\n  # ends like a comment",
    ">-\n  docker build\n  -t a:latest\n  .",
    ">\n  for x in a b; do\n    docker push $x:latest\n  done",
    "docker build\n  -t a:latest\n  .",
    "echo 한글 \u{1f680} && docker push 앱:latest",
    "echo 0.20 # 0755",
    "true",
    "! docker push a:latest",
    "&anchor docker push a:latest",
    "echo 'a:newest'",
];

fn document() -> impl Strategy<Value = Document> {
    let item = (
        prop::sample::select(&["", "", "# why\n", "# one\n# two: latest\n"][..]),
        prop::sample::select(LINES),
    );
    let item = item.prop_map(|(comment, lines)| Item { comment, lines });
    (
        prop::sample::select(
            &[
                "",
                "# top\nversion: 0.2\n",
                "a: { b: 0.20, c: 'x' } # flow\n",
            ][..],
        ),
        prop::sample::select(&[0_usize, 1, 2, 4][..]),
        prop::collection::vec(item, 1..6),
        prop::sample::select(
            &[
                "",
                "# end\n",
                "\nz:\n    - 1.0\n    - ~ # nothing\n",
                "z: 1\n...\n",
            ][..],
        ),
        any::<(bool, bool, bool)>(),
    )
        .prop_map(
            |(head, column, items, tail, (crlf, mark, final_break))| Document {
                head,
                column,
                items,
                tail,
                crlf,
                mark,
                final_break,
            },
        )
}

impl Document {
    /// The file's text, with an item `inserted` before the item of that index.
    fn text(&self, inserted: Option<(usize, &str)>) -> String {
        let indentation = " ".repeat(self.column);
        let mut text = format!("{}commands:\n", self.head);
        let add = |text: &mut String, index: usize| {
            if let Some((at, value)) = inserted
                && at == index
            {
                text.push_str(&format!("{indentation}- {value}\n"));
            }
        };
        for (index, item) in self.items.iter().enumerate() {
            add(&mut text, index);
            for line in item.comment.lines() {
                text.push_str(&format!("{indentation}{line}\n"));
            }
            for (number, line) in item.lines.split('\n').enumerate() {
                match (number, line) {
                    (0, _) => text.push_str(&format!("{indentation}- {line}\n")),
                    (_, "") => text.push('\n'),
                    _ => text.push_str(&format!("{indentation}  {line}\n")),
                }
            }
        }
        // A `|+` block keeps the blank lines behind it.
        let mut tail = self.tail;
        if self
            .items
            .last()
            .is_some_and(|it| it.lines.starts_with("|+"))
            && let Some(rest) = tail.strip_prefix('\n')
        {
            text.push('\n');
            tail = rest;
        }
        add(&mut text, self.items.len());
        text.push_str(tail);
        if !self.final_break {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.mark {
            text.insert(0, '\u{feff}');
        }
        text
    }
}

/// All `:latest` of the commands become `:${B}`, each by a fix of its own that also brings the item.
fn rules(index: usize) -> impl Relint {
    move |sources: &Sources| {
        let word = Word {
            word: ":latest",
            replacement: ":${B}",
            ..Word::default()
        };
        let mut findings = word.lint(sources);
        if !text(sources).contains("B=x") {
            for finding in &mut findings {
                let fix = finding.fix.as_mut().unwrap();
                Arc::make_mut(fix).changes.push(insert_item(
                    sources,
                    0,
                    u32::try_from(index).unwrap(),
                    "B=x",
                ));
            }
        }
        findings
    }
}

fn all(sources: &Sources, rules: &dyn Relint) -> tagwright_fixer::Outcome {
    run(sources.clone(), rules, Options::default())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_applied_is_exactly_what_was_meant(
        document in document(),
        index in 0..6_usize,
    ) {
        let index = index.min(document.items.len());
        let before = document.text(None);
        // Only files that can be read are of interest: an anchor may be there twice, for example.
        prop_assume!(yaml::parse(&before).error().is_none());
        let sources = one(&before);
        let rules = rules(index);
        let outcome = all(&sources, &rules);
        prop_assert!(outcome.converged);
        if outcome.not_applied.is_empty() && !outcome.applied.is_empty() {
            let expected = document.text(Some((index, "B=x")));
            let expected = expected.replace(":latest", ":${B}");
            // A new item takes the quotes of its neighbour.
            let after = text(&outcome.sources);
            let after = after.replace("- 'B=x'", "- B=x").replace("- \"B=x\"", "- B=x");
            prop_assert_eq!(after, expected, "{}", before);
        } else if outcome.applied.is_empty() {
            prop_assert_eq!(text(&outcome.sources), &before);
        }
        // A second run changes nothing.
        let again = all(&outcome.sources, &rules);
        prop_assert_eq!(&again.sources, &outcome.sources);
    }

    #[test]
    fn whatever_else_is_done_to_the_text_is_noticed(
        document in document(),
        index in 0..6_usize,
        with_item in any::<bool>(),
        at in any::<prop::sample::Index>(),
        (delete, insert) in prop::sample::select(&[
            (1, ""), (2, ""), (0, " "), (0, "\n"), (0, "#"), (0, "x"), (0, "'"), (0, "- y\n"),
            (0, "# c\n"), (0, "\r\n"), (0, "\t"), (1, "y"), (0, ": "),
        ][..]),
    ) {
        let before = document.text(None);
        prop_assume!(yaml::parse(&before).error().is_none());
        let sources = one(&before);
        let index = index.min(document.items.len());
        let mut findings = rules(index).lint(&sources);
        prop_assume!(!findings.is_empty());
        let mut fix = findings.remove(0).fix.unwrap();
        if !with_item {
            Arc::make_mut(&mut fix).changes.truncate(1);
        }
        let Ok(edits) = materialise(&fix, &sources) else { return Ok(()) };
        let after = one(&apply(&before, &edits[0].edits).unwrap());
        prop_assume!(prove_edits(&sources, &after, &edits, &fix.changes).is_ok());

        // The same edits and one more.
        let places: Vec<usize> = before.char_indices().map(|(at, _)| at).collect();
        let start = places[at.index(places.len())];
        let end = before[start..].char_indices().nth(delete).map_or(before.len(), |(at, _)| start + at);
        let more = Edit { span: Span::new(start, end), text: insert.to_string() };
        let mut worse = edits.clone();
        worse[0].edits.push(more);
        worse[0].edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let Some(bad) = apply(&before, &worse[0].edits) else { return Ok(()) };
        prop_assume!(bad != text(&after));
        let bad = one(&bad);
        prop_assert!(
            prove_edits(&sources, &bad, &worse, &fix.changes).is_err(),
            "{:?}\n{}", worse, diff("x", text(&after), text(&bad))
        );
        // The same, hidden from the list of edits.
        prop_assert!(prove_edits(&sources, &bad, &edits, &fix.changes).is_err());
    }
}

/// The strategy above is worth something only if most fixes are applied.
#[test]
fn nearly_all_fixes_of_ordinary_files_are_applied() {
    let item = |lines| Item {
        comment: "# why\n",
        lines,
    };
    let mut refused: Vec<&str> = Vec::new();
    for lines in LINES.iter().filter(|it| it.contains(":latest")) {
        for column in [0, 2] {
            let document = Document {
                head: "",
                column,
                items: vec![item("true"), item(lines), item("true")],
                tail: "z: 1\n",
                crlf: false,
                mark: false,
                final_break: true,
            };
            let before = one(&document.text(None));
            let outcome = all(&before, &rules(0));
            if !outcome.not_applied.is_empty() {
                refused.push(lines);
            }
        }
    }
    // The first is an item with a tag, the second an anchor that nobody uses: it may be changed.
    assert_eq!(
        refused,
        ["! docker push a:latest", "! docker push a:latest"]
    );
}

#[test]
fn a_finding_without_a_fix_changes_nothing() {
    let rules = |_: &Sources| -> Vec<Finding> {
        vec![finding("r", Severity::Error, Span::new(0, 1), Vec::new())]
    };
    let before = one("a: 1\n");
    let outcome = all(&before, &rules);
    assert_eq!(outcome.sources, before);
    assert_eq!(outcome.findings.len(), 1);
}
