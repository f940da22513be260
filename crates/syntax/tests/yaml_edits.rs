//! Each way in which YAML rewriters are known to damage files, tried on both primitive edits: the result
//! must read, under both readers, as exactly the tree that was asked for, with every comment in place.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod yaml_common;

use tagwright_syntax::Span;
use tagwright_syntax::edit::{
    EditRefusal, Replacement, apply, insert_item, replace_in_scalar, replace_node, split_lines,
};
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};
use yaml_common::plan;

/// The first scalar whose value contains `needle`.
fn find(tree: &Tree, needle: &str) -> NodeId {
    tree.nodes()
        .find(|(_, node)| match &node.kind {
            NodeKind::Scalar(scalar) => scalar.value.contains(needle),
            _ => false,
        })
        .map(|(id, _)| id)
        .unwrap_or_else(|| panic!("no scalar has {needle:?}"))
}

/// Replaces the first `old` in a scalar by `new`; checks the result against the wish.
fn replace(text: &str, old: &str, new: &str) -> Result<String, EditRefusal> {
    let tree = yaml::parse(text);
    let node = find(&tree, old);
    let value = tree.text(node).unwrap();
    let at = value.find(old).unwrap();
    let replacement = Replacement {
        range: Span::new(at, at + old.len()),
        text: new.to_owned(),
    };
    let edits = replace_in_scalar(text, &tree, node, std::slice::from_ref(&replacement))?;
    let after = apply(text, &edits).unwrap();
    let wish = plan::replaced(&tree, node, &value.replacen(old, new, 1));
    plan::verify(text, &tree, &after, &wish);
    Ok(after)
}

/// Inserts `value` into the first list that is the value of the key `key`.
fn insert(text: &str, key: &str, index: usize, value: &str) -> Result<String, EditRefusal> {
    let tree = yaml::parse(text);
    let key = find(&tree, key);
    let list = tree
        .nodes()
        .find_map(|(_, node)| match &node.kind {
            NodeKind::Mapping(mapping) => {
                let entry = mapping.entries.iter().find(|entry| entry.key == key)?;
                Some(entry.value)
            }
            _ => None,
        })
        .unwrap();
    insert_at(text, &tree, list, index, value)
}

fn insert_at(
    text: &str,
    tree: &Tree,
    list: NodeId,
    index: usize,
    value: &str,
) -> Result<String, EditRefusal> {
    let edits = insert_item(text, tree, list, index, value)?;
    let after = apply(text, &edits).unwrap();
    let wish = plan::inserted(tree, list, index, value);
    plan::verify(text, tree, &after, &wish);
    Ok(after)
}

fn style_refusal<T>(result: Result<T, EditRefusal>) -> bool {
    matches!(result, Err(EditRefusal::Style(_)))
}

#[test]
fn an_item_goes_behind_a_block_that_ends_in_a_hash_line() {
    let text = "c:\n  - |\n    a\n    # not a comment\n# a comment\nd: e\n";
    assert_eq!(
        insert(text, "c", 1, "new").unwrap(),
        "c:\n  - |\n    a\n    # not a comment\n  - new\n# a comment\nd: e\n"
    );
}

#[test]
fn what_an_alias_shares_is_not_touched() {
    let text = "a: &x app:latest\nb: *x\nc: &y app:latest\n";
    assert_eq!(
        replace(text, "app:latest", "app:main"),
        Err(EditRefusal::Shared("x".to_owned()))
    );
    let tree = yaml::parse(text);
    let (alias, _) = tree
        .nodes()
        .find(|(_, node)| matches!(node.kind, NodeKind::Alias { .. }))
        .unwrap();
    assert_eq!(
        replace_in_scalar(text, &tree, alias, &[]),
        Err(EditRefusal::Shared("x".to_owned()))
    );
    let inner = "a: &x\n  b:\n    - app:latest\nc:\n  <<: *x\n";
    assert_eq!(
        replace(inner, "app:latest", "app:main"),
        Err(EditRefusal::Shared("x".to_owned()))
    );
    assert_eq!(
        insert(inner, "b", 0, "new"),
        Err(EditRefusal::Shared("x".to_owned()))
    );
    assert_eq!(
        replace("c: &y app:latest # unused\n", "latest", "main").unwrap(),
        "c: &y app:main # unused\n"
    );
}

#[test]
fn a_flow_mapping_keeps_its_spelling() {
    let text = "x: { V: 0.20, Q: 'a', I: app:latest } # c\n";
    assert_eq!(
        replace(text, "latest", "main").unwrap(),
        "x: { V: 0.20, Q: 'a', I: app:main } # c\n"
    );
}

#[test]
fn a_crlf_file_gets_crlf() {
    let text = "c:\r\n  - a\r\n  - |\r\n    b\r\n    c\r\nd: e\r\n";
    assert_eq!(
        insert(text, "c", 1, "x\ny\n").unwrap(),
        "c:\r\n  - a\r\n  - |\r\n    x\r\n    y\r\n  - |\r\n    b\r\n    c\r\nd: e\r\n"
    );
    assert_eq!(
        replace(text, "b\n", "b\nnew\n").unwrap(),
        "c:\r\n  - a\r\n  - |\r\n    b\r\n    new\r\n    c\r\nd: e\r\n"
    );
    assert_eq!(
        insert(text, "c", 2, "x").unwrap(),
        "c:\r\n  - a\r\n  - |\r\n    b\r\n    c\r\n  - x\r\nd: e\r\n"
    );
}

#[test]
fn an_item_with_a_colon_stays_a_text() {
    let text = "c:\n  - golang:1.2\n";
    assert_eq!(
        replace(text, "1.2", "${X}").unwrap(),
        "c:\n  - golang:${X}\n"
    );
    assert_eq!(
        replace(text, ":1.2", ": 1.2").unwrap(),
        "c:\n  - 'golang: 1.2'\n"
    );
    assert_eq!(replace(text, "1.2", "").unwrap(), "c:\n  - 'golang:'\n");
}

#[test]
fn the_lines_of_a_block_keep_their_indentation() {
    let text = "c:\n  - |\n      if a; then\n        docker push app:latest\n      fi\n  - x\n";
    assert_eq!(
        replace(text, "latest", "main").unwrap(),
        "c:\n  - |\n      if a; then\n        docker push app:main\n      fi\n  - x\n"
    );
    assert_eq!(
        replace(text, "if a; then\n", "set -e\nif a; then\n").unwrap(),
        "c:\n  - |\n      set -e\n      if a; then\n        docker push app:latest\n      fi\n  - x\n"
    );
    assert_eq!(
        replace(text, "fi\n", "fi\n\ntrue\n").unwrap(),
        "c:\n  - |\n      if a; then\n        docker push app:latest\n      fi\n\n      true\n  - x\n"
    );
    assert_eq!(
        replace(text, "  docker push app:latest\n", "").unwrap(),
        "c:\n  - |\n      if a; then\n      fi\n  - x\n"
    );
    assert_eq!(
        replace(text, "then\n  docker push", "then docker push").unwrap(),
        "c:\n  - |\n      if a; then docker push app:latest\n      fi\n  - x\n"
    );
}

#[test]
fn block_headers_stay() {
    for header in [
        "|-", "|+", "|2", "|2-", "|+2", ">", ">-", ">+", ">2-", "| # why",
    ] {
        let text = format!("a: {header}\n   x app:latest\n  y\n\n\nb: c\n");
        let text = if header.contains('2') {
            text
        } else {
            text.replace("   x", "  x")
        };
        let after = replace(&text, "latest", "main").unwrap();
        assert_eq!(after, text.replace("latest", "main"), "{header}");
    }
}

#[test]
fn a_value_of_several_lines_keeps_its_inner_indentation() {
    let text = "c:\n  - a\n";
    assert_eq!(
        insert(text, "c", 1, "if x; then\n  y\n\nfi\n").unwrap(),
        "c:\n  - a\n  - |\n    if x; then\n      y\n\n    fi\n"
    );
    assert_eq!(
        insert(text, "c", 0, "  x\ny").unwrap(),
        "c:\n  - |2-\n      x\n    y\n  - a\n"
    );
    assert_eq!(
        insert(text, "c", 0, "x\n\n").unwrap(),
        "c:\n  - \"x\\n\\n\"\n  - a\n"
    );
}

#[test]
fn text_that_ends_a_plain_scalar_gets_quotes() {
    let text = "a: echo x # c\nb: [echo x, y]\n";
    for (new, quoted) in [
        ("x #y", "'echo x #y'"),
        ("x: y", "'echo x: y'"),
        ("x:", "'echo x:'"),
        ("it's: x", "'echo it''s: x'"),
        ("x\ny", "\"echo x\\ny\""),
        ("\u{7f}", "\"echo \\x7F\""),
    ] {
        assert_eq!(
            replace(text, "x", new).unwrap(),
            format!("a: {quoted} # c\nb: [echo x, y]\n")
        );
    }
    for (new, quoted) in [
        ("- x", "'- x x'"),
        ("*", "'* x'"),
        ("# ", "'#  x'"),
        ("\"", "'\" x'"),
        ("!", "'! x'"),
    ] {
        assert_eq!(
            replace(text, "echo", new).unwrap(),
            format!("a: {quoted} # c\nb: [echo x, y]\n")
        );
    }
    assert_eq!(replace("a: b\n", "b", "").unwrap(), "a: ''\n");
    assert_eq!(replace("a: b\n", "b", "12").unwrap(), "a: '12'\n");
    assert_eq!(replace("a: b\n", "b", "no").unwrap(), "a: 'no'\n");
    assert_eq!(replace("a: 1.0\n", "1.0", "1.1").unwrap(), "a: 1.1\n");
    assert_eq!(replace("a: b\n", "b", " b").unwrap(), "a: ' b'\n");
}

#[test]
fn new_text_is_escaped_as_its_quotes_ask() {
    assert_eq!(
        replace("a: 'x y'\n", "y", "it's \\ \"").unwrap(),
        "a: 'x it''s \\ \"'\n"
    );
    assert_eq!(
        replace("a: \"x y\"\n", "y", "it's \\ \"\n\t\u{1}").unwrap(),
        "a: \"x it's \\\\ \\\"\\n\\t\\x01\"\n"
    );
    assert_eq!(
        replace("a: 'x y'\n", "y", "y\nz").unwrap(),
        "a: \"x y\\nz\"\n"
    );
    let tree = yaml::parse("a: ''\n");
    let node = NodeId(2);
    let replacement = Replacement {
        range: Span::empty(0),
        text: "it's".to_owned(),
    };
    let edits = replace_in_scalar("a: ''\n", &tree, node, &[replacement]).unwrap();
    assert_eq!(apply("a: ''\n", &edits).unwrap(), "a: 'it''s'\n");
}

#[test]
fn comments_stay_with_what_they_describe() {
    let text = "c: # first\n  # about a\n  - a # tail\n  # about b\n  # more about b\n  - b:\n      x\n    # about x\n  # - z\n\n# about d\nd: e\n";
    assert_eq!(
        insert(text, "c", 1, "new").unwrap(),
        text.replace("  # about b\n", "  - new\n  # about b\n")
    );
    assert_eq!(
        insert(text, "c", 0, "new").unwrap(),
        text.replace("  # about a\n", "  - new\n  # about a\n")
    );
    assert_eq!(
        insert(text, "c", 2, "new").unwrap(),
        text.replace("    # about x\n", "    # about x\n  - new\n")
    );
    let deeper = "c:\n  - a:\n      b: c\n      # about b\n  - d\n";
    assert_eq!(
        insert(deeper, "c", 1, "new").unwrap(),
        deeper.replace("  - d\n", "  - new\n  - d\n")
    );
}

#[test]
fn tags_are_refused_and_do_not_crash() {
    assert!(matches!(
        replace("a: !T app:latest\n", "latest", "main"),
        Err(EditRefusal::Tagged(_))
    ));
    assert!(matches!(
        insert("a: !T\n- x\n", "a", 0, "y"),
        Err(EditRefusal::Tagged(_))
    ));
    assert_eq!(
        replace("a: !T {b: app:latest}\n", "latest", "main").unwrap(),
        "a: !T {b: app:main}\n"
    );
}

#[test]
fn new_items_follow_the_indentation_of_the_file() {
    for dash in 0..=4 {
        for gap in 1..=3 {
            let (indentation, gap) = (" ".repeat(dash), " ".repeat(gap));
            let text = format!("c:\n{indentation}-{gap}a\n{indentation}-{gap}b\nd: e\n");
            for index in 0..=2 {
                let mut lines: Vec<String> = ["a", "b"]
                    .iter()
                    .map(|item| format!("{indentation}-{gap}{item}\n"))
                    .collect();
                lines.insert(index, format!("{indentation}-{gap}new\n"));
                assert_eq!(
                    insert(&text, "c", index, "new").unwrap(),
                    format!("c:\n{}d: e\n", lines.concat())
                );
            }
        }
    }
    let text = "c:\n    - |\n        a\n    - b\n";
    assert_eq!(
        insert(text, "c", 2, "x\ny").unwrap(),
        "c:\n    - |\n        a\n    - b\n    - |-\n        x\n        y\n"
    );
}

#[test]
fn lists_in_brackets_and_odd_documents_take_items() {
    assert_eq!(insert("c: []\n", "c", 0, "x").unwrap(), "c: ['x']\n");
    assert_eq!(
        insert("c: [ ] # y\n", "c", 0, "x").unwrap(),
        "c: ['x' ] # y\n"
    );
    assert_eq!(
        insert("c: [a, \"b\"]\n", "c", 2, "x").unwrap(),
        "c: [a, \"b\", \"x\"]\n"
    );
    assert_eq!(
        insert("c: [a, b]\n", "c", 0, "it's").unwrap(),
        "c: ['it''s', a, b]\n"
    );
    assert_eq!(
        insert("c: [a, b, ]\n", "c", 2, "x").unwrap(),
        "c: [a, b, 'x', ]\n"
    );
    assert!(style_refusal(insert("c: [a]\n", "c", 0, "x\ny")));
    assert_eq!(
        insert("c: [\n  a, # 1\n  b # 2\n]\n", "c", 2, "x").unwrap(),
        "c: [\n  a, # 1\n  b, # 2\n  'x'\n]\n"
    );
    assert_eq!(
        insert("c: [\n  a, # 1\n  b, # 2\n]\n", "c", 2, "x").unwrap(),
        "c: [\n  a, # 1\n  b, # 2\n  'x',\n]\n"
    );
    assert_eq!(
        insert("c: [\n  a, # 1\n  b\n]\n", "c", 1, "x").unwrap(),
        "c: [\n  a, # 1\n  'x',\n  b\n]\n"
    );
    assert_eq!(
        insert("c: [\n  a\n  , b]\n", "c", 1, "x").unwrap(),
        "c: [\n  a\n  , 'x', b]\n"
    );
    assert_eq!(
        replace("c: {\n  : x,\n  k: app:latest }\n", "latest", "main").unwrap(),
        "c: {\n  : x,\n  k: app:main }\n"
    );
    assert_eq!(
        insert("a: b\n--- # two\nc:\n- x\n...\n", "c", 1, "z").unwrap(),
        "a: b\n--- # two\nc:\n- x\n- z\n...\n"
    );
    assert_eq!(insert("c:\n-\n", "c", 1, "z").unwrap(), "c:\n-\n- z\n");
}

#[test]
fn a_variable_in_brackets_gets_quotes() {
    assert_eq!(
        replace("c: [app:latest, b]\n", "latest", "${X}").unwrap(),
        "c: ['app:${X}', b]\n"
    );
    assert_eq!(
        replace("c: [\"app:latest\", b]\n", "latest", "${X}").unwrap(),
        "c: [\"app:${X}\", b]\n"
    );
}

#[test]
fn a_folded_loop_keeps_its_lines() {
    let text = "c:\n  - >\n    for i in 1; do\n      docker push app:latest\n    done\n    true\n";
    assert_eq!(
        replace(text, "latest", "main").unwrap(),
        text.replace("latest", "main")
    );
    assert!(style_refusal(replace(text, "latest", "a\nb")));
    assert!(style_refusal(replace(text, "app:latest", "app ")));
    assert!(style_refusal(replace(text, "done true", "x")));
    assert!(style_refusal(replace(text, "true", " true")));
    assert!(style_refusal(replace(text, "true", "")));
}

#[test]
fn the_end_of_the_file_stays_as_it_is() {
    assert_eq!(
        replace("a: b:latest", "latest", "main").unwrap(),
        "a: b:main"
    );
    assert_eq!(
        replace("a: b:latest  \n\n\n", "latest", "main").unwrap(),
        "a: b:main  \n\n\n"
    );
    assert_eq!(
        insert("c:\n  - a", "c", 1, "b").unwrap(),
        "c:\n  - a\n  - b"
    );
    assert_eq!(
        insert("c:\r\n  - a", "c", 1, "b\nc").unwrap(),
        "c:\r\n  - a\r\n  - |-\r\n    b\r\n    c"
    );
    assert_eq!(
        insert("c:\n  - a", "c", 1, "b\nc\n").unwrap(),
        "c:\n  - a\n  - \"b\\nc\\n\""
    );
    assert!(style_refusal(insert("c:\n  - |\n    a", "c", 1, "b")));
    assert_eq!(
        insert("c:\n  - |-\n    a", "c", 1, "b").unwrap(),
        "c:\n  - |-\n    a\n  - b"
    );
    assert_eq!(
        insert("c:\n  - a  \n\n  \n\n", "c", 1, "b").unwrap(),
        "c:\n  - a  \n  - b\n\n  \n\n"
    );
    assert_eq!(
        insert("c:\n  - |+\n    a\n\n\nd: e\n", "c", 1, "b").unwrap(),
        "c:\n  - |+\n    a\n\n\n  - b\nd: e\n"
    );
    assert_eq!(
        insert("c:\n  - |\n    a\n\n\nd: e\n", "c", 1, "b").unwrap(),
        "c:\n  - |\n    a\n  - b\n\n\nd: e\n"
    );
}

#[test]
fn marks_and_characters_of_several_bytes_do_not_move_the_edit() {
    let text = "\u{feff}# 한글 🚀\n키: 'é e\u{301} app:latest'\nc:\n- 图\n";
    assert_eq!(
        replace(text, "latest", "main").unwrap(),
        text.replace("latest", "main")
    );
    assert_eq!(
        insert(text, "c", 0, "新").unwrap(),
        text.replace("- 图\n", "- 新\n- 图\n")
    );
    let list = "\u{feff}- a\n";
    let tree = yaml::parse(list);
    assert_eq!(
        insert_at(list, &tree, NodeId(0), 0, "x").unwrap(),
        "\u{feff}- x\n- a\n"
    );
}

#[test]
fn continued_lines_stay_continued() {
    let plain = "a: docker push\n  app:latest\n  --quiet # c\n";
    assert_eq!(
        replace(plain, "latest", "main").unwrap(),
        plain.replace("latest", "main")
    );
    for new in ["x: y", "x #", "a\nb", ""] {
        assert!(style_refusal(replace(plain, "app:latest", new)), "{new}");
    }
    assert!(style_refusal(replace(plain, "push app", "push  app")));
    let folded = "a: >-\n  docker push \\\n  app:latest \\\n  --quiet\n";
    assert_eq!(
        replace(folded, "latest", "main").unwrap(),
        folded.replace("latest", "main")
    );
}

#[test]
fn escapes_before_the_edit_do_not_move_it() {
    let double = "a: \"\\u00e9 \\x41 \\\n   app:latest \\\" x\"\n";
    assert_eq!(
        replace(double, "latest", "main").unwrap(),
        double.replace("latest", "main")
    );
    assert_eq!(
        replace(double, "é", "e").unwrap(),
        double.replace("\\u00e9", "e")
    );
    let single = "a: 'it''s app:latest'\n";
    assert_eq!(
        replace(single, "latest", "main").unwrap(),
        single.replace("latest", "main")
    );
    assert_eq!(
        replace(single, "'", "\"").unwrap(),
        single.replace("''", "\"")
    );
    let several = "a: 'one\n\n  two\n  app:latest'\n";
    assert_eq!(
        replace(several, "latest", "main").unwrap(),
        several.replace("latest", "main")
    );
    assert_eq!(
        replace(several, "two app", "two  app").unwrap(),
        "a: 'one\n\n  two  app:latest'\n"
    );
    assert!(style_refusal(replace(several, "two", "two ")));
}

#[test]
fn other_values_keep_their_spelling() {
    let text = "a: 0.20\nb: 0755\nc: yes\nd: 1e3\ne: 2001-01-01\nf: ~\ng: x:latest\nh: 'q'\n";
    assert_eq!(
        replace(text, "latest", "main").unwrap(),
        text.replace("latest", "main")
    );
}

#[test]
fn odd_mappings_survive() {
    let text = "a: 1\na: x:latest\n<<: {m: n}\n? - complex\n: v\n--- # second\n? k\n...\n";
    assert_eq!(
        replace(text, "latest", "main").unwrap(),
        text.replace("latest", "main")
    );
    let complex = "? - a\n: c\n";
    let tree = yaml::parse(complex);
    assert!(insert_item(complex, &tree, NodeId(1), 0, "x").is_err());
    assert_eq!(
        insert_at(complex, &tree, NodeId(1), 1, "x").unwrap(),
        "? - a\n  - x\n: c\n"
    );
    for empty in ["", "# only a comment\n", "---\n", "--- # c\n...\n"] {
        let tree = yaml::parse(empty);
        assert_eq!(tree.error(), None);
        for (id, _) in tree.nodes() {
            assert!(matches!(
                replace_in_scalar(empty, &tree, id, &[]),
                Err(EditRefusal::Shape(_))
            ));
        }
    }
}

#[test]
fn a_list_that_starts_beside_a_dash_takes_no_first_item() {
    let text = "- - a\n  - b\n";
    let tree = yaml::parse(text);
    let inner = NodeId(1);
    assert!(matches!(
        insert_item(text, &tree, inner, 0, "x"),
        Err(EditRefusal::Shape(_))
    ));
    assert_eq!(
        insert_at(text, &tree, inner, 1, "x").unwrap(),
        "- - a\n  - x\n  - b\n"
    );
    assert_eq!(
        insert_at(text, &tree, inner, 2, "x").unwrap(),
        "- - a\n  - b\n  - x\n"
    );
    assert_eq!(
        insert_at(text, &tree, NodeId(0), 1, "x").unwrap(),
        "- - a\n  - b\n- x\n"
    );
    let one = "- - a\n";
    let tree = yaml::parse(one);
    assert_eq!(
        insert_at(one, &tree, inner, 1, "x").unwrap(),
        "- - a\n  - x\n"
    );
}

#[test]
fn a_broken_file_is_not_edited() {
    let text = "a: app:latest\nb: [\n";
    let tree = yaml::parse(text);
    assert!(tree.error().is_some());
    assert!(matches!(
        replace_in_scalar(text, &tree, NodeId(2), &[]),
        Err(EditRefusal::Shape(_))
    ));
}

#[test]
fn several_replacements_in_one_scalar_are_made_together() {
    let text = "a: |\n  x:latest y:latest\n  z:latest\n";
    let tree = yaml::parse(text);
    let node = find(&tree, "latest");
    let value = tree.text(node).unwrap();
    let replacements: Vec<Replacement> = value
        .match_indices("latest")
        .map(|(at, found)| Replacement {
            range: Span::new(at, at + found.len()),
            text: "main".to_owned(),
        })
        .collect();
    let edits = replace_in_scalar(text, &tree, node, &replacements).unwrap();
    assert_eq!(edits.len(), 3);
    let after = apply(text, &edits).unwrap();
    assert_eq!(after, text.replace("latest", "main"));
    let wish = plan::replaced(&tree, node, &value.replace("latest", "main"));
    plan::verify(text, &tree, &after, &wish);
}

#[test]
fn a_mapping_on_one_line_becomes_a_string_where_nothing_else_can_change() {
    let edit = |text: &str| {
        let tree = yaml::parse(text);
        let (id, node) = tree
            .nodes()
            .find(|(_, node)| matches!(node.kind, NodeKind::Mapping(_)))
            .unwrap();
        let edits = replace_node(text, &tree, id, node.span, node.span.of(text))?;
        Ok::<_, EditRefusal>(apply(text, &edits).unwrap())
    };
    assert_eq!(
        edit("- echo 'a: b'  # c\r\n- x\r\n").unwrap(),
        "- 'echo ''a: b'''  # c\r\n- x\r\n"
    );
    assert_eq!(edit("- {a: b}\n").unwrap(), "- '{a: b}'\n");
    assert_eq!(edit("- a:\n").unwrap(), "- 'a:'\n");
    for text in [
        "a: b\n",
        "- a: b\n  c: d\n",
        "- a:\n    b\n",
        "- [{a: b}]\n",
        "- &x a: b\n- *x\n",
        "- a: &x b\n- *x\n",
        "- a: !t b\n",
        "- a: b\n- @\n",
    ] {
        assert!(edit(text).is_err(), "{text}");
    }
}

#[test]
fn a_plain_item_becomes_a_string_with_what_yaml_took_off_its_ends() {
    // What `place` covers of the first item.
    let edit = |text: &str, place: &str| {
        let tree = yaml::parse(text);
        let item = tree.sequence(tree.root().unwrap()).unwrap().items[0];
        let start = text.find(place).unwrap();
        let span = Span::new(start, start + place.len());
        let edits = replace_node(text, &tree, item, span, place)?;
        Ok::<_, EditRefusal>(apply(text, &edits).unwrap())
    };
    for (text, place, after) in [
        ("- ! a b # c\n", "! a b", "- '! a b' # c\n"),
        ("- ! a b # c\n", "! a b # c", "- '! a b # c'\n"),
        ("- &x a\r\n- b\r\n", "&x a", "- '&x a'\r\n- b\r\n"),
        ("- a \"b  # c\"\n", "a \"b  # c\"", "- 'a \"b  # c\"'\n"),
    ] {
        assert_eq!(edit(text, place).unwrap(), after);
    }
    for (text, place) in [
        ("- ! a b # c\n", "a b"),
        ("- ! a b # c\n", "! a b #"),
        ("- a b # c\n", "a"),
        ("- a\n  # c\n", "a\n  # c"),
        ("- a\n  b\n", "a\n  b"),
        ("- 'a'\n", "'a'"),
        ("- &x a\n- *x\n", "&x a"),
        ("- a # c\n- @\n", "a # c"),
    ] {
        assert!(edit(text, place).is_err(), "{text}");
    }
}

#[test]
fn lines_that_begin_with_a_dash_become_a_list() {
    let edit = |text: &str, items: &[&str]| {
        let tree = yaml::parse(text);
        let node = tree.get(tree.root().unwrap(), "a").unwrap();
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        let edits = split_lines(text, &tree, node, &items)?;
        Ok::<_, EditRefusal>(apply(text, &edits).unwrap())
    };
    assert_eq!(
        edit("a:\n  -b c\n  -d  # e\nf: g\n", &["b c", "d"]).unwrap(),
        "a:\n  - b c\n  - d  # e\nf: g\n"
    );
    assert_eq!(
        edit("a:\r\n -b\r\n -c", &["b", "c"]).unwrap(),
        "a:\r\n - b\r\n - c"
    );
    for (text, items) in [
        ("a: -b\n", &["b"][..]),
        ("a:\n  -b\n  -c\n", &["b"]),
        ("a:\n  -b\n  -c\n", &["b", "c", "d"]),
        ("a:\n  -b\n  -c\n", &["b", "d"]),
        ("a:\n  -b\n   -c\n", &["b", "c"]),
        ("a:\n  -b\n\n  -c\n", &["b", "c"]),
        ("a:\n  -b\n  c\n", &["b", "c"]),
        ("a: [\n  -b\n  ]\n", &["b"]),
        ("a: &x\n  -b\nc: *x\n", &["b"]),
        ("a:\n  '-b'\n", &["b"]),
        ("a:\n  -b\nc: @\n", &["b"]),
    ] {
        assert!(edit(text, items).is_err(), "{text:?}");
    }
}
