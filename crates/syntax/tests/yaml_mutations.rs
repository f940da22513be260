//! Damaged documents: whatever the bytes, nothing panics and every span lies in the text.
//! `TAGWRIGHT_MUTATIONS` sets how many.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod yaml_common;

use tagwright_syntax::libyaml;
use tagwright_syntax::yaml;
use yaml_common::{Figures, Random, check, count, data, mutate};

#[test]
fn damaged_documents_never_panic_and_keep_their_spans() {
    let wanted = count("TAGWRIGHT_MUTATIONS", 4_000);
    let seed = count("TAGWRIGHT_SEED", 1);
    let documents = data();
    let mut random = Random::new(seed as u64);
    let mut figures = Figures::default();
    for _ in 0..wanted {
        let (name, text) = &documents[random.below(documents.len())];
        let (_, other) = &documents[random.below(documents.len())];
        let damaged = mutate(&mut random, text, other);
        let seen = check(&format!("seed {seed}, {name}: {damaged:?}"), &damaged);
        // NUL bytes and byte-order marks in a block scalar, which end it for the parser.
        assert!(seen.inexact == 0 || seen.errors == 1, "{damaged:?}");
        figures += seen;
    }
    println!("{figures:?}, seed {seed}");
    assert!(figures.inexact * 1_000 <= figures.exact, "{figures:?}");
}

#[test]
fn large_and_deep_texts_are_read_in_one_pass() {
    let line = "x".repeat(1_000_000);
    let tree = yaml::parse(&format!("a: {line}\nb: '{line}'\n"));
    assert_eq!(tree.error(), None);
    assert_eq!(tree.nodes().count(), 5);
    let list = format!("a: [{}]\n", "x, ".repeat(100_000));
    assert_eq!(yaml::parse(&list).nodes().count(), 100_003);
    let pairs = format!(
        "a: [{}]\nb: {{{}}}\n",
        "x: y, ".repeat(100_000),
        "x: y, ".repeat(100_000)
    );
    assert_eq!(yaml::parse(&pairs).nodes().count(), 5 + 300_000 + 200_000);
    for opener in ["[", "{a: ", "- ", "? ", "{["] {
        let tree = yaml::parse(&opener.repeat(10_000));
        assert!(tree.error().is_some(), "{opener}");
        assert!(tree.nodes().count() < 1_000, "{opener}");
    }
    let mut nested = String::new();
    for depth in 0..10_000 {
        nested.push_str(&" ".repeat(depth % 200));
        nested.push_str("a:\n");
    }
    check("nested", &nested);
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..60 {
        let below = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
    }
    let tree = yaml::parse(&bomb);
    assert_eq!(tree.error(), None);
    assert_eq!(tree.nodes().count(), 1 + 60 * 2 + 60 * 2);
}

#[test]
fn nul_bytes_are_an_error_with_a_place() {
    for text in [
        "a: b\0c\nd: e\n",
        "a: |\n  b\0c\n",
        "a: 'b\0'\n",
        "\0",
        "# \0\na: b\n",
    ] {
        let tree = yaml::parse(text);
        check("nul", text);
        let error = tree.error();
        assert!(error.is_some(), "{text:?}");
        assert!(libyaml::read(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_was_read_before_an_error_is_kept() {
    let text = "a:\n  - b # c\n  - d\ne: f: g\n";
    let tree = yaml::parse(text);
    let root = tree.root().unwrap();
    let list = tree.get(root, "a").unwrap();
    assert_eq!(tree.sequence(list).unwrap().items.len(), 2);
    assert_eq!(tree.comments().len(), 1);
    let error = tree.error().unwrap();
    assert_eq!(error.offset as usize, text.find(": g").unwrap());
}
