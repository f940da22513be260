//! Fixes that declare one thing and do another: each of the points of the proof must notice.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::*;
use tagwright_diagnostics::{Change, ChangeKind, WordEffect};
use tagwright_fixer::prove::prove_edits;
use tagwright_fixer::{FileEdits, Reader, Rejection, Sources};
use tagwright_syntax::Span;
use tagwright_syntax::edit::Edit;
use tagwright_syntax::yaml::{self, NodeKind};

/// The smallest single edit from one text to the other.
fn edits(before: &str, after: &str) -> Vec<FileEdits> {
    let (a, b) = (before.as_bytes(), after.as_bytes());
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let edit = Edit {
        span: Span::new(start, before.len() - end),
        text: after[start..after.len() - end].to_string(),
    };
    vec![FileEdits {
        file: FILE,
        edits: vec![edit],
    }]
}

fn prove(before: &str, after: &str, change: impl Fn(&Sources) -> Change) -> Result<(), Rejection> {
    let (old, new) = (one(before), one(after));
    prove_edits(&old, &new, &edits(before, after), &[change(&old)])
}

#[track_caller]
fn rejected(before: &str, after: &str, change: impl Fn(&Sources) -> Change, point: u8) -> String {
    let rejection = prove(before, after, change).unwrap_err();
    assert_eq!(rejection.point(), Some(point), "{rejection}");
    rejection.to_string()
}

fn latest(text: &'static str) -> impl Fn(&Sources) -> Change {
    move |sources| replace(sources, "latest", text, WordEffect::Within)
}

fn item(index: u32, value: &'static str) -> impl Fn(&Sources) -> Change {
    move |sources| insert_item(sources, 0, index, value)
}

#[test]
fn what_is_declared_and_done_is_accepted() {
    prove("- push a:latest # x\n", "- push a:$B # x\n", latest("$B")).unwrap();
    prove("c:\n# x\n- a\n", "c:\n- B=1\n# x\n- a\n", item(0, "B=1")).unwrap();
    prove("- a # x\n# y\nz", "- a # x\n- b\n# y\nz", item(1, "b")).unwrap_err();
    prove(
        "c:\n- a # x\n# y\nz: 1",
        "c:\n- a # x\n- b\n# y\nz: 1",
        item(1, "b"),
    )
    .unwrap();
    prove("- [a] # x\n", "- [a, 'b'] # x\n", |sources| {
        insert_item(sources, 1, 1, "b")
    })
    .unwrap();
}

/// The first mapping of the file becomes this string.
fn string(value: &'static str) -> impl Fn(&Sources) -> Change {
    move |sources| {
        let tree = yaml::parse(text(sources));
        let (id, node) = tree
            .nodes()
            .find(|(_, node)| matches!(node.kind, NodeKind::Mapping(_)))
            .unwrap();
        Change {
            file: FILE,
            node: id,
            kind: ChangeKind::ReplaceNode {
                span: node.span,
                text: value.to_string(),
            },
        }
    }
}

/// The second item of the file becomes the string that stands at `place`.
fn second(place: &'static str) -> impl Fn(&Sources) -> Change {
    move |sources| {
        let tree = yaml::parse(text(sources));
        let list = tree.sequence(tree.root().unwrap()).unwrap();
        let start = text(sources).find(place).unwrap();
        Change {
            file: FILE,
            node: list.items[1],
            kind: ChangeKind::ReplaceNode {
                span: Span::new(start, start + place.len()),
                text: place.to_string(),
            },
        }
    }
}

/// The value of `c` becomes a list of these items.
fn lines(items: &'static [&'static str]) -> impl Fn(&Sources) -> Change {
    move |sources| {
        let tree = yaml::parse(text(sources));
        Change {
            file: FILE,
            node: tree.get(tree.root().unwrap(), "c").unwrap(),
            kind: ChangeKind::SplitLines {
                items: items.iter().map(ToString::to_string).collect(),
            },
        }
    }
}

/// The second item of the file becomes literal, and reads `text`.
fn unfolded(value: &'static str) -> impl Fn(&Sources) -> Change {
    move |sources| {
        let tree = yaml::parse(text(sources));
        let list = tree.sequence(tree.root().unwrap()).unwrap();
        Change {
            file: FILE,
            node: list.items[1],
            kind: ChangeKind::Unfold {
                text: value.to_string(),
            },
        }
    }
}

/// The mapping at the file's root gets `K: v` before the entry `index`.
fn entry(index: u32) -> impl Fn(&Sources) -> Change {
    move |sources| Change {
        file: FILE,
        node: yaml::parse(text(sources)).root().unwrap(),
        kind: ChangeKind::InsertEntry {
            index,
            key: "K".into(),
            value: "v".to_owned(),
        },
    }
}

#[test]
fn a_new_entry_stands_where_it_was_declared_and_says_what_it_should() {
    prove(
        "a: 1 # x\n# y\nb: 2\n",
        "a: 1 # x\nK: v\n# y\nb: 2\n",
        entry(1),
    )
    .unwrap();
    prove("{\"a\": 1}", "{\"a\": 1, \"K\": \"v\"}", entry(1)).unwrap();
    rejected("a: 1\nb: 2\n", "a: 1\nK: w\nb: 2\n", entry(1), 2);
    rejected("a: 1\nb: 2\n", "a: 1\nL: v\nb: 2\n", entry(1), 2);
    rejected("a: 1\nb: 2\n", "a: 1\nb: 2\nK: v\n", entry(1), 2);
    rejected("a: 1\nb: 2\n", "a: 1\nK: !t v\nb: 2\n", entry(1), 2);
    rejected("a: 1\nb: 2\n", "a: 1\nK: v # z\nb: 2\n", entry(1), 4);
    rejected("a: 1\n# y\nb: 2\n", "a: 1\n# y\nK: v\nb: 2\n", entry(1), 4);
}

#[test]
fn a_folded_text_becomes_literal_with_its_indicators_and_nothing_else() {
    for (sign, ending) in [
        ("", "\n"),
        ("-", ""),
        ("+", "\n"),
        ("2", "\n"),
        ("-2", ""),
        (" # why", "\n"),
    ] {
        let before = format!("- x\n- >{sign}\n  if a; then\n    b\n  else\n  c\n  fi\n- y\n");
        let after = before.replace('>', "|");
        let value = match ending {
            "" => "if a; then\n  b\nelse\nc\nfi",
            _ => "if a; then\n  b\nelse\nc\nfi\n",
        };
        prove(&before, &after, unfolded(value)).unwrap();
        rejected(&before, &after, unfolded("if a; then b; fi"), 2);
        rejected(&before, &before.replace("- y", "- z"), unfolded(value), 2);
    }
    let no_break = "- x\n- >\n  if a; then\n  b\n  fi";
    let after = no_break.replace('>', "|");
    prove(no_break, &after, unfolded("if a; then\nb\nfi\n")).unwrap();
    let whole = "- x\n- >\n  docker build\n  .\n- y\n";
    rejected(
        whole,
        &whole.replace('>', "|"),
        unfolded("docker build\n.\n"),
        3,
    );
}

#[test]
fn a_mapping_becomes_the_command_that_stands_there_and_nothing_else() {
    let before = "- x\n- echo a: b # c\n# d\n- y\n";
    let after = "- x\n- 'echo a: b' # c\n# d\n- y\n";
    prove(before, after, string("echo a: b")).unwrap();
    rejected(before, after, string("echo a: c"), 2);
    let other = "- x\n- 'echo a: c' # c\n# d\n- y\n";
    rejected(before, other, string("echo a: b"), 2);
    rejected(before, other, string("echo a: c"), 3);
    let more = "- x\n- 'echo a: b' # c\n# d\n- z\n";
    rejected(before, more, string("echo a: b"), 2);
    let comment = "- x\n- 'echo a: b'\n# d\n- y\n";
    rejected(before, comment, string("echo a: b"), 4);
    let open = "- echo \"a: b # c\"\n";
    let cut = "- 'echo \"a: b' # c\"\n";
    rejected(open, cut, string("echo \"a: b"), 3);
}

#[test]
fn what_yaml_took_off_a_command_belongs_to_the_string() {
    let before = "- x\n- ! grep a b # c\n- y\n";
    let after = "- x\n- '! grep a b' # c\n- y\n";
    prove(before, after, second("! grep a b")).unwrap();
    // The tag may not go with nothing in its place, nor a comment that is one.
    rejected(
        before,
        "- x\n- 'grep a b' # c\n- y\n",
        second("grep a b"),
        3,
    );
    rejected(
        before,
        "- x\n- '! grep a b'\n- y\n",
        second("! grep a b"),
        4,
    );
    rejected(
        before,
        "- x\n- ! '! grep a b' # c\n- y\n",
        second("! grep a b"),
        2,
    );
    let before = "- x\n- &name make\n";
    prove(before, "- x\n- '&name make'\n", second("&name make")).unwrap_err();
    let before = "- x\n- echo \"a #b\" # c\n# d\n- y\n";
    let place = "echo \"a #b\" # c";
    let after = "- x\n- 'echo \"a #b\" # c'\n# d\n- y\n";
    prove(before, after, second(place)).unwrap();
    rejected(
        before,
        "- x\n- 'echo \"a #b\"' # c\n# d\n- y\n",
        second(place),
        2,
    );
    rejected(
        before,
        "- x\n- 'echo \"a #b\" # c'\n- y\n",
        second(place),
        4,
    );
}

#[test]
fn lines_become_the_items_that_stand_there_and_nothing_else() {
    let before = "# a\nc:\n  # b\n  -make one\n  -make two # d\ne: 1\n";
    let after = "# a\nc:\n  # b\n  - make one\n  - make two # d\ne: 1\n";
    prove_spaces(before, after, lines(&["make one", "make two"])).unwrap();
    for (items, point) in [
        (&["make one", "make three"][..], 2),
        (&["make one"], 2),
        (&["make one", "make two", "x"], 2),
        (&["make one", "make \"two"], 2),
    ] {
        let rejection = prove_spaces(before, after, lines(items)).unwrap_err();
        assert_eq!(rejection.point(), Some(point), "{rejection}");
    }
    let half = "# a\nc:\n  # b\n  - make one\n  - make two\ne: 1\n";
    let rejection = prove_spaces(before, half, lines(&["make one", "make two"])).unwrap_err();
    assert_eq!(rejection.point(), Some(4), "{rejection}");
    let quote = "c:\n  -echo \"a\n  -b\n";
    let split = "c:\n  - echo \"a\n  - b\n";
    prove_spaces(quote, split, lines(&["echo \"a", "b"])).unwrap_err();
}

/// The dash at `place` gets a blank.
fn dash(place: &'static str, item: &'static str) -> impl Fn(&Sources) -> Change {
    move |sources| {
        let tree = yaml::parse(text(sources));
        Change {
            file: FILE,
            node: tree.root().unwrap(),
            kind: ChangeKind::SpaceDash {
                dash: Span::empty(text(sources).find(place).unwrap()).start,
                item: item.to_string(),
            },
        }
    }
}

#[test]
fn a_line_becomes_an_item_of_a_file_that_can_be_read_without_it() {
    let before = "c:\n# d\n- make one # e\n-make two\n- make three\n";
    let after = "c:\n# d\n- make one # e\n- make two\n- make three\n";
    prove(before, after, dash("-make two", "make two")).unwrap();
    for (text, place, item) in [
        // Another line, another item, another edit.
        (after, "- make one", "make one"),
        (after, "-make two", "make"),
        (
            "c:\n# d\n- make one # e\n- make two\n- make four\n",
            "-make two",
            "make two",
        ),
        (
            "c:\n# f\n- make one # e\n- make two\n- make three\n",
            "-make two",
            "make two",
        ),
    ] {
        prove(before, text, dash(place, item)).unwrap_err();
    }
    // Broken elsewhere too, before or afterwards; not of the list; no shell.
    let before = "c:\n- a\n-b c\n- @\n";
    prove(before, "c:\n- a\n- b c\n- @\n", dash("-b", "b c")).unwrap_err();
    let before = "c:\n- |\n  - a\n  -b c\n- d\n-e f\n";
    let after = "c:\n- |\n  - a\n  - b c\n- d\n-e f\n";
    prove(before, after, dash("-b", "b c")).unwrap_err();
    let before = "c:\n- a\n-b \"c\n- d\n";
    prove(before, "c:\n- a\n- b \"c\n- d\n", dash("-b", "b \"c")).unwrap_err();
    // A file that can be read has no such line.
    prove("c:\n  -a\n", "c:\n  - a\n", dash("-a", "a")).unwrap_err();
}

/// [`prove`], with an edit for each blank that was put behind a dash, and the rest as one.
fn prove_spaces(
    before: &str,
    after: &str,
    change: impl Fn(&Sources) -> Change,
) -> Result<(), Rejection> {
    let (old, new) = (one(before), one(after));
    let mut edits: Vec<Edit> = before
        .match_indices("  -")
        .map(|(at, _)| Edit {
            span: Span::empty(at + 3),
            text: " ".to_string(),
        })
        .collect();
    if after.len() < before.len() + edits.len() {
        let start = before.find(" # d").unwrap();
        edits.push(Edit {
            span: Span::new(start, start + 4),
            text: String::new(),
        });
    }
    let edits = vec![FileEdits { file: FILE, edits }];
    prove_edits(&old, &new, &edits, &[change(&old)])
}

#[test]
fn point_1_the_text_must_stay_readable() {
    let broken = "- push [a:$B\n- {\n";
    rejected("- push [a:latest\n- x\n", broken, latest("$B"), 1);
    // Not readable before either: not for us to touch.
    rejected(
        "- push a:latest\n- {\n",
        "- push a:$B\n- {\n",
        latest("$B"),
        1,
    );
}

#[test]
fn point_1_asks_both_readers() {
    let rejection = prove("a: latest\n", "a: x\u{7f}\n", latest("x\u{7f}")).unwrap_err();
    let Rejection::Unreadable { reader, before, .. } = rejection else {
        panic!("{rejection}");
    };
    assert_eq!((reader, before), (Reader::Libyaml, false));
}

#[test]
fn point_2_the_value_must_be_the_declared_one() {
    rejected("- push a:latest\n", "- push a:$C\n", latest("$B"), 2);
    rejected("- push a:latest\n", "- push a:latest\n", latest("$B"), 2);
    // The rest has become a YAML comment, or a mapping.
    rejected("- push a:latest b\n", "- push a:$B #b\n", latest("$B #"), 2);
    rejected("- push a:latest b\n", "- push a:$B: b\n", latest("$B:"), 2);
}

#[test]
fn point_2_nothing_else_may_change() {
    let change = || latest("$B");
    rejected("- a:latest\n- 0.20\n", "- a:$B\n- 0.2\n", change(), 2);
    rejected("- a:latest\n- 'x'\n", "- a:$B\n- x\n", change(), 2);
    rejected("- a:latest\n- x\n", "- a:$B\n- y\n", change(), 2);
    rejected("- a:latest\n- x\n", "- a:$B\n", change(), 2);
    rejected("- a:latest\n- &x b\n", "- a:$B\n- &y b\n", change(), 2);
    rejected("- a:latest\n- !x b\n", "- a:$B\n- !y b\n", change(), 2);
    rejected("- a:latest\n- [b]\n", "- a:$B\n- - b\n", change(), 2);
    rejected("- a:latest\n- {b: 1}\n", "- a:$B\n- b: 1\n", change(), 2);
    rejected(
        "- a:latest\n- {b: 1}\n",
        "- a:$B\n- {b: 1, c: 2}\n",
        change(),
        2,
    );
    rejected("- a:latest\n- {b: 1}\n", "- a:$B\n- {c: 1}\n", change(), 2);
    // No change takes a key away, or an anchor, whether something refers to it or not.
    rejected(
        "- a:latest\n- # b\n  b: 1\n  c: 2\n",
        "- a:$B\n- # b\n  c: 2\n",
        change(),
        2,
    );
    rejected("- a:latest\n- &x b\n", "- a:$B\n- b\n", change(), 2);
    rejected(
        "- a:latest\n- &x b\n- *x\n",
        "- a:$B\n- b\n- *x\n",
        change(),
        1,
    );
    rejected("- a:latest\n", "- a:$B\n---\nb\n", change(), 2);
    rejected("a: latest\nb: |\n  x\n", "a: $B\nb: |-\n  x\n", change(), 2);
    rejected("a: latest\nb: |\n  x\n", "a: $B\nb: >\n  x\n", change(), 2);
    rejected(
        "- a:latest\n- &x 1\n- &x 2\n- *x\n",
        "- a:$B\n- &x 1\n- &y 2\n- *x\n",
        change(),
        2,
    );
}

#[test]
fn point_2_a_shared_value_may_not_change_at_one_place_only() {
    let message = rejected("- &x latest\n- *x\n", "- &x $B\n- *x\n", latest("$B"), 2);
    assert!(message.contains("libyaml"), "{message}");
}

#[test]
fn point_2_items_go_where_they_were_declared() {
    let change = || item(1, "n");
    prove("- a\n- b\n", "- a\n- n\n- b\n", change()).unwrap();
    rejected("- a\n- b\n", "- n\n- a\n- b\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- b\n- n\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- m\n- b\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- n\n- n\n- b\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- b\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- !t n\n- b\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- &t n\n- b\n", change(), 2);
    rejected("- a\n- b\n", "- a\n- [n]\n- b\n", change(), 2);
    // Reads alike for one reader, is no text for the other.
    rejected("- a\n- b\n", "- a\n- 1.0\n- b\n", item(1, "1.0"), 2);
}

#[test]
fn point_3_the_words_must_differ_as_declared() {
    rejected("- push a:latest\n", "- push a:x y\n", latest("x y"), 3);
    rejected("- push a:latest\n", "- push a:x;y\n", latest("x;y"), 3);
    rejected("- push 'a:latest'\n", "- push 'a:$B'\n", latest("$B"), 3);
    rejected("- push a:latest 'b\n", "- push a:$B 'b\n", latest("$B"), 3);
    rejected("- a\n", "- a\n- echo \"b\n", item(1, "echo \"b"), 3);
    let (before, after) = ("- copilot deploy -e x\n", "- copilot deploy --tag x -e x\n");
    let old = one(before);
    let edits = [FileEdits {
        file: FILE,
        edits: vec![Edit {
            span: Span::empty(16),
            text: " --tag x".to_string(),
        }],
    }];
    let prove = |count| {
        let change = insert_behind(&old, "deploy", " --tag x", WordEffect::Inserts(count));
        prove_edits(&old, &one(after), &edits, &[change])
    };
    prove(2).unwrap();
    assert_eq!(prove(1).unwrap_err().point(), Some(3));
}

#[test]
fn point_3_text_that_is_no_shell_is_not_read_as_shell() {
    let change = |sources: &Sources| replace(sources, "latest", "it's", WordEffect::NotShell);
    prove("a: latest\n", "a: it's\n", change).unwrap();
}

#[test]
fn point_4_comments_stay() {
    let change = || latest("$B");
    let message = rejected("- a:latest # x\n", "- a:$B\n", change(), 4);
    assert_eq!(message, "buildspec.yml: the comment `# x` is lost");
    rejected("- a:latest # x\n", "- a:$B # y\n", change(), 4);
    rejected("- a:latest\n", "- a:$B # y\n", change(), 4);
    rejected("# x\n- a:latest\n", "- a:$B\n# x\n", change(), 4);
    rejected("# x\n# y\n- a:latest\n", "# y\n# x\n- a:$B\n", change(), 4);
    rejected("- a:latest # x\n", "- a:$B\n# x\n", change(), 4);
}

#[test]
fn point_4_an_own_line_comment_keeps_describing_the_next_item() {
    let before = "- a\n# about b\n- b\n";
    let message = rejected(before, "- a\n# about b\n- n\n- b\n", item(1, "n"), 4);
    assert!(message.contains("something else"), "{message}");
    prove(before, "- a\n- n\n# about b\n- b\n", item(1, "n")).unwrap();
}

#[test]
fn point_4_a_comment_behind_an_item_stays_behind_it() {
    let before = "- a # about a\n- b\n";
    rejected(before, "- a\n- n # about a\n- b\n", item(1, "n"), 4);
    prove(before, "- a # about a\n- n\n- b\n", item(1, "n")).unwrap();
    let deeper = "l:\n- a\n  # about a\n# about m\nm: 1\n";
    let after = "l:\n- a\n  # about a\n- n\n# about m\nm: 1\n";
    prove(deeper, after, item(1, "n")).unwrap();
    let commented_out = "l:\n  - a\n  # - b\nm: 1\n";
    prove(
        commented_out,
        "l:\n  - a\n  - n\n  # - b\nm: 1\n",
        item(1, "n"),
    )
    .unwrap();
    let apart = "- a\n# about a\n\n# about b\n- b\n";
    let after = "- a\n# about a\n\n- n\n# about b\n- b\n";
    prove(apart, after, item(1, "n")).unwrap();
    let block = "- | # about a\n  a\n- b\n";
    prove(block, "- n\n- | # about a\n  a\n- b\n", item(0, "n")).unwrap();
    prove(block, "- | # about a\n  a\n- n\n- b\n", item(1, "n")).unwrap();
}

#[test]
fn point_4_bytes_outside_the_change_stay() {
    let change = || latest("$B");
    for (before, after) in [
        ("- a:latest\n\n- b\n", "- a:$B\n- b\n"),
        ("- a:latest\n- {b: 1}\n", "- a:$B\n- { b: 1 }\n"),
        ("- a:latest\n- b  \n", "- a:$B\n- b\n"),
        ("- a:latest\n- b\n", "- a:$B\n-   b\n"),
        ("---\n- a:latest\n", "- a:$B\n"),
        ("- a:latest\n...\n", "- a:$B\n"),
        ("- b\n-  a:latest\n", "- b\n- a:$B\n"),
        ("- | # x\n  a:latest\n- b\n", "- |  # x\n  a:$B\n- b\n"),
        ("- 'b\n  a:latest'\n", "- 'b  \n  a:$B'\n"),
        ("- a:latest\r\n- b\r\n", "- a:$B\n- b\n"),
        ("- b\n- a:latest", "- b\n- a:$B\n"),
        ("- a:latest\n", "- a:$B"),
        ("\u{feff}- a:latest\n", "- a:$B\n"),
    ] {
        let message = rejected(before, after, change(), 4);
        assert!(message.contains("buildspec.yml"), "{message}");
    }
}

#[test]
fn point_4_an_item_does_not_excuse_other_edits() {
    let (before, after) = ("- a\n- b\n", "- a \n- n\n- b\n");
    let old = one(before);
    let edit = |start, text: &str| Edit {
        span: Span::empty(start),
        text: text.to_string(),
    };
    let edits = [FileEdits {
        file: FILE,
        edits: vec![edit(3, " "), edit(4, "- n\n")],
    }];
    let change = [item(1, "n")(&old)];
    let rejection = prove_edits(&old, &one(after), &edits, &change).unwrap_err();
    assert_eq!(rejection.point(), Some(4));
}

#[test]
fn point_4_new_lines_end_like_the_others() {
    rejected("- a\r\n- b\r\n", "- a\r\n- n\n- b\r\n", item(1, "n"), 4);
    prove("- a\r\n- b\r\n", "- a\r\n- n\r\n- b\r\n", item(1, "n")).unwrap();
}

#[test]
fn point_4_the_edits_must_lead_to_the_text() {
    let (old, new) = (one("- a:latest\n"), one("- a:$B\n"));
    let change = [latest("$B")(&old)];
    let wrong = edits("- a:latest\n", "- a:$C\n");
    let rejection = prove_edits(&old, &new, &wrong, &change).unwrap_err();
    assert_eq!(rejection.point(), Some(4));
    let none = prove_edits(&old, &new, &[], &change).unwrap_err();
    assert_eq!(none.point(), Some(4));
}

#[test]
fn point_4_no_other_file_may_change() {
    let old = sources(&[("a.yml", "- a:latest\n"), ("b.yml", "x\n")]);
    let new = sources(&[("a.yml", "- a:$B\n"), ("b.yml", "y\n")]);
    let change = [latest("$B")(&old)];
    let edits = edits("- a:latest\n", "- a:$B\n");
    let rejection = prove_edits(&old, &new, &edits, &change).unwrap_err();
    assert!(matches!(rejection, Rejection::Bytes { path, .. } if path == "b.yml"));
}

#[test]
fn replacements_and_items_of_one_list_go_together() {
    let before = "- push a:latest\n- x\n";
    let after = "- B=1\n- push a:$B\n- x\n- y\n";
    let old = one(before);
    let changes = [latest("$B")(&old), item(2, "y")(&old), item(0, "B=1")(&old)];
    let edit = |start, end, text: &str| Edit {
        span: Span::new(start, end),
        text: text.to_string(),
    };
    let edits = [FileEdits {
        file: FILE,
        edits: vec![
            edit(0, 0, "- B=1\n"),
            edit(9, 15, "$B"),
            edit(20, 20, "- y\n"),
        ],
    }];
    prove_edits(&old, &one(after), &edits, &changes).unwrap();
    let mut fewer = changes.to_vec();
    fewer.retain(|it| !matches!(it.kind, ChangeKind::Replace { .. }));
    let rejection = prove_edits(&old, &one(after), &edits, &fewer).unwrap_err();
    assert_eq!(rejection.point(), Some(2));
}
