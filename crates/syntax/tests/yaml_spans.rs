//! What the bytes of a node are, spelt out for each kind of node.

#![allow(clippy::unwrap_used)]

use tagwright_syntax::Span;
use tagwright_syntax::yaml::{self, NodeKind, Tree};

/// The source of each node, in order; properties in front of it in angle brackets.
fn sources(text: &str, tree: &Tree) -> Vec<String> {
    tree.nodes()
        .map(|(_, node)| {
            let own = node.span.of(text);
            node.properties
                .map_or_else(|| own.to_owned(), |p| format!("<{}>{own}", p.of(text)))
        })
        .collect()
}

#[track_caller]
fn assert_sources(text: &str, expected: &[&str]) {
    let tree = yaml::parse(text);
    assert_eq!(tree.error(), None, "{text:?}");
    assert_eq!(sources(text, &tree), expected, "{text:?}");
}

#[test]
fn scalars_end_where_their_text_ends() {
    assert_sources("a  # c\n", &["a"]);
    assert_sources("'it''s'   # c\n", &["'it''s'"]);
    assert_sources("\"a\\\"\" \t\n\n", &["\"a\\\"\""]);
    assert_sources("a\n  b  \n\n", &["a\n  b"]);
    assert_sources("\u{feff}é 한  # 🚀\n", &["é 한"]);
}

#[test]
fn block_scalars_start_at_their_header_and_end_with_their_last_line() {
    assert_sources("|\n a\n b\n\n# c\n", &["|\n a\n b"]);
    assert_sources("|- # why\n a\n", &["|- # why\n a"]);
    assert_sources(">+\n a\n\n\n", &[">+\n a\n\n"]);
    assert_sources("- |\n# c\n", &["- |", "|"]);
    assert_sources(
        "- |\r\n  a\r\n- b\r\n",
        &["- |\r\n  a\r\n- b", "|\r\n  a", "b"],
    );
    assert_sources("|\n a", &["|\n a"]);
}

#[test]
fn flow_collections_end_at_their_brackets() {
    assert_sources("[ a, ] # c\n", &["[ a, ]", "a"]);
    assert_sources(
        "{a: [b], c }  \n",
        &["{a: [b], c }", "a", "[b]", "b", "c", ""],
    );
    assert_sources(
        "[a: b, ? c : d]\n",
        &["[a: b, ? c : d]", "a: b", "a", "b", "? c : d", "c", "d"],
    );
    assert_sources("{a: b}: c\n", &["{a: b}: c", "{a: b}", "a", "b", "c"]);
}

#[test]
fn block_collections_go_from_their_first_key_or_dash_to_their_last_item() {
    assert_sources(
        "# c\na: \n  - b # c\n  - c:\n  # c\n\nd: e # c\n",
        &[
            "a: \n  - b # c\n  - c:\n  # c\n\nd: e",
            "a",
            "- b # c\n  - c:",
            "b",
            "c:",
            "c",
            "",
            "d",
            "e",
        ],
    );
    assert_sources("? a\n: b\n", &["? a\n: b", "a", "b"]);
}

#[test]
fn absent_values_stand_behind_what_announces_them() {
    let text = "a:  # c\nb:\n- \n? c\n: \n";
    let tree = yaml::parse(text);
    let places: Vec<Span> = tree
        .nodes()
        .filter(|(_, node)| node.span.is_empty())
        .map(|(_, node)| node.span)
        .collect();
    let after = |found: &str| Span::empty(text.find(found).unwrap() + found.len());
    assert_eq!(places, [after("a:"), after("\n-"), after("\n:")]);
    assert_sources(": a\n", &[": a", "", "a"]);
    assert_sources("---\n", &[""]);
    assert_sources("a: &x\n", &["a: &x", "a", "<&x>"]);
}

#[test]
fn anchors_and_tags_are_outside_and_aliases_know_their_target() {
    let text = "a: &x !t  b\nc: *x\nd: !!seq # c\n- &y e: f\n";
    assert_sources(
        text,
        &[
            text.trim_end(),
            "a",
            "<&x !t>b",
            "c",
            "*x",
            "d",
            "<!!seq>- &y e: f",
            "&y e: f",
            "<&y>e",
            "f",
        ],
    );
    let tree = yaml::parse(text);
    let root = tree.root().unwrap();
    let alias = tree.get(root, "c").unwrap();
    assert_eq!(tree.text(alias), Some("b"));
    let target = tree.node(tree.resolve(alias));
    assert_eq!(target.anchor.as_deref(), Some("x"));
    assert_eq!(target.tag.as_deref(), Some("!t"));
    let list = tree.node(tree.get(root, "d").unwrap());
    assert_eq!(list.tag.as_deref(), Some("tag:yaml.org,2002:seq"));
}

#[test]
fn an_alias_of_what_it_stands_in_leads_nowhere() {
    let tree = yaml::parse("&a [*a]\n");
    let inner = tree.nodes().last().unwrap().1;
    assert!(matches!(inner.kind, NodeKind::Alias { target: None, .. }));
}

#[test]
fn anchors_do_not_reach_into_the_next_document() {
    let text = "a: &x b\n---\nc: *x\n";
    let tree = yaml::parse(text);
    let error = tree.error().unwrap();
    assert_eq!(error.offset as usize, text.find('*').unwrap());
    assert_eq!(tree.documents().len(), 2);
}

#[test]
fn comments_are_found_wherever_they_stand() {
    let text = "# 1\n%YAML 1.2 # 2\n--- # 3\na: # 4\n  [ # 5\n  'x # no', # 6\n  y#no] # 7\nb: | # 8\n  # no\n# 9\n... # 10\n# 11";
    let tree = yaml::parse(text);
    assert_eq!(tree.error(), None);
    let found: Vec<&str> = tree.comments().iter().map(|c| c.of(text)).collect();
    let expected: Vec<String> = (1..=11).map(|n| format!("# {n}")).collect();
    assert_eq!(found, expected);
}
