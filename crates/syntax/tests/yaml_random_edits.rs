//! Random documents, random edits: the result reads under both readers as exactly the tree that was asked
//! for, or the edit is refused. `TAGWRIGHT_EDITS` sets how many.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod yaml_common;

use tagwright_syntax::edit::{Replacement, apply, insert_item, remove_item, replace_in_scalar};
use tagwright_syntax::yaml::{self, NodeId, NodeKind};
use tagwright_syntax::{Span, libyaml};
use yaml_common::{Random, count, data, folder, mutate, plan, variants};

/// Writes a document as a person might: comments, blank lines, any indentation and style.
struct Writer {
    random: Random,
    text: String,
    line_break: &'static str,
    anchors: usize,
}

const VALUES: [&str; 18] = [
    "docker push app:latest",
    "$REG/app:latest",
    "a",
    "echo é 한글 🚀",
    "x: y",
    "# x",
    "it's",
    "\"q\"",
    "a\\b",
    "8080",
    "0.20",
    "yes",
    "~",
    "",
    "- x",
    "[a, b]",
    "a #b",
    "for i in 1 2; do",
];

impl Writer {
    fn end_line(&mut self) {
        if self.random.one_in(8) {
            self.text
                .push_str(self.random.pick(&[" # why", "  # 왜", " #"]));
        }
        self.text.push_str(self.line_break);
    }

    fn indent(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    fn between(&mut self, columns: usize) {
        if self.random.one_in(6) {
            let columns = [columns, columns, 0, columns + 2][self.random.below(4)];
            self.indent(columns);
            self.text.push_str("# about the next");
            self.text.push_str(self.line_break);
        }
        if self.random.one_in(10) {
            let columns = self.random.below(4);
            self.indent(columns);
            self.text.push_str(self.line_break);
        }
    }

    /// A scalar on one line, in quotes if it needs them.
    fn short(&mut self, in_flow: bool) {
        let value = self.random.pick(&VALUES);
        match self.random.below(4) {
            0 => {
                let value = value.replace('\'', "''");
                self.text.push_str(&format!("'{value}'"));
            }
            1 => {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                self.text.push_str(&format!("\"{value}\""));
            }
            _ if in_flow
                || value.contains(['#', ':', '"', '\'', '['])
                || value.starts_with('-') =>
            {
                self.text
                    .push_str(self.random.pick(&["a", "b c", "app:latest", "-x", "é"]));
            }
            _ => self.text.push_str(value),
        }
    }

    fn flow(&mut self, depth: usize) {
        match self.random.below(if depth > 2 { 1 } else { 4 }) {
            1 => {
                self.text.push('[');
                for item in 0..self.random.below(4) {
                    if item > 0 {
                        self.text.push_str(self.random.pick(&[",", ", ", " , "]));
                    }
                    self.flow(depth + 1);
                }
                self.text.push_str(self.random.pick(&["]", " ]"]));
            }
            2 => {
                self.text.push_str("{ ");
                for item in 0..self.random.below(3) {
                    if item > 0 {
                        self.text.push_str(", ");
                    }
                    self.text.push_str(self.random.pick(&["k", "'l'", "é"]));
                    self.text.push_str(": ");
                    self.flow(depth + 1);
                }
                self.text.push_str(" }");
            }
            _ => self.short(true),
        }
    }

    /// What stands behind `key:` or `-`, to the end of its last line.
    fn node(&mut self, parent: usize, depth: usize) {
        if self.random.one_in(20) {
            self.anchors += 1;
            let anchor = format!(" &n{}", self.anchors);
            self.text.push_str(&anchor);
        } else if self.anchors > 0 && self.random.one_in(20) {
            let alias = format!(" *n{}", 1 + self.random.below(self.anchors));
            self.text.push_str(&alias);
            return self.end_line();
        }
        match self.random.below(if depth > 3 { 5 } else { 8 }) {
            0 => {
                let step = 1 + self.random.below(4);
                let header = self.random.pick(&["|", "|-", "|+", ">", ">-", ">+"]);
                self.text.push_str(&format!(" {header}"));
                if self.random.one_in(4) {
                    self.text.push_str(&step.to_string());
                }
                self.end_line();
                for line in 0..1 + self.random.below(4) {
                    let more = [0, 0, 0, 2][self.random.below(if line == 0 { 1 } else { 4 })];
                    if line > 0 && self.random.one_in(6) {
                        self.text.push_str(self.line_break);
                    }
                    self.indent(parent + step + more);
                    self.text.push_str(self.random.pick(&[
                        "docker push app:latest",
                        "# no comment",
                        "echo 한글",
                        "fi",
                        "a: b",
                        "a \\",
                    ]));
                    self.text.push_str(self.line_break);
                }
            }
            1 => {
                self.text.push(' ');
                self.flow(0);
                self.end_line();
            }
            2 => {
                let quote = self.random.pick(&["", "'", "\""]);
                self.text.push_str(&format!(" {quote}docker push"));
                for word in ["app:latest", "--quiet"] {
                    self.text.push_str(self.line_break);
                    self.indent(parent + 2);
                    self.text.push_str(word);
                }
                self.text.push_str(quote);
                self.end_line();
            }
            3 | 4 => {
                self.text.push(' ');
                self.short(false);
                self.end_line();
            }
            5 => {
                self.end_line();
                let columns = parent + 1 + self.random.below(4);
                self.mapping(columns, depth + 1);
            }
            _ => {
                self.end_line();
                let columns = parent + 1 + self.random.below(4);
                self.list(columns, depth + 1);
            }
        }
    }

    fn mapping(&mut self, columns: usize, depth: usize) {
        for key in ["a", "\"b c\"", "é", "d.e"]
            .iter()
            .take(1 + self.random.below(4))
        {
            self.between(columns);
            self.indent(columns);
            self.text.push_str(key);
            self.text.push(':');
            if depth < 3 && self.random.one_in(5) {
                // A list at the column of its key.
                self.end_line();
                self.list(columns, depth + 1);
            } else {
                self.node(columns, depth);
            }
        }
    }

    fn list(&mut self, columns: usize, depth: usize) {
        let gap = self.random.pick(&["", "", "", "  "]);
        for _ in 0..1 + self.random.below(4) {
            self.between(columns);
            self.indent(columns);
            self.text.push('-');
            if depth < 4 && self.random.one_in(8) {
                self.text.push_str(" - ");
                self.short(false);
                self.end_line();
                continue;
            }
            self.text.push_str(gap);
            self.node(columns, depth);
        }
    }

    fn document(&mut self) {
        self.text.clear();
        self.anchors = 0;
        if self.random.one_in(10) {
            self.text.push('\u{feff}');
        }
        if self.random.one_in(2) {
            self.mapping(0, 0);
        } else {
            self.list(0, 0);
        }
        if self.random.one_in(6) {
            self.text.push_str("---");
            self.text.push_str(self.line_break);
            self.mapping(2, 1);
        }
        if self.random.one_in(6) {
            self.text
                .truncate(self.text.trim_end_matches(['\n', '\r']).len());
        }
    }
}

const NEW_TEXTS: [&str; 26] = [
    "main",
    "${BRANCH_NAME}",
    "\"$X\"",
    "it's",
    "a: b",
    "a:",
    "x #y",
    "#",
    "",
    " ",
    "a ",
    " a",
    "- a",
    "12",
    "true",
    "null",
    "é 한글 🚀",
    "a\nb",
    "a\n",
    "\n",
    "\t",
    "\\",
    "\u{7}",
    "[a, b]",
    "{a}",
    "*x",
];
const NEW_ITEMS: [&str; 18] = [
    "main",
    "export X=\"${Y}\"",
    "it's",
    "a: b",
    "x #y",
    "",
    "12",
    "yes",
    "é 한글",
    "a\nb\n",
    "a\n b",
    " a\nb\n",
    "a\n\nb",
    "\n\na\n",
    "a\n\n",
    "# x\ny\n",
    "\u{1}",
    "[a]",
];

#[derive(Default, Debug)]
struct Outcome {
    made: usize,
    /// Made, but a reader does not take the result, as whoever applies it will notice.
    unreadable: usize,
    refused: std::collections::BTreeMap<String, usize>,
}

impl Outcome {
    fn refuse(&mut self, reason: &dyn std::error::Error) {
        // Without the names in the message.
        let reason = reason.to_string();
        let reason = reason.split('`').next().unwrap_or_default().to_owned();
        *self.refused.entry(reason).or_default() += 1;
    }
}

/// Whether both readers take `after`; libyaml only if it took `text`.
fn readable(text: &str, after: &str) -> bool {
    yaml::parse(after).error().is_none()
        && (libyaml::read(after).is_ok() || libyaml::read(text).is_err())
}

/// Makes one random replacement and one random insertion in `text`.
fn edit(random: &mut Random, text: &str, replaced: &mut Outcome, inserted: &mut Outcome) {
    let tree = yaml::parse(text);
    let of = |wanted: fn(&NodeKind) -> bool| -> Vec<NodeId> {
        tree.nodes()
            .filter(|(_, node)| wanted(&node.kind))
            .map(|(id, _)| id)
            .collect()
    };
    let scalars = of(|kind| matches!(kind, NodeKind::Scalar(_)));
    let lists = of(|kind| matches!(kind, NodeKind::Sequence(_)));
    if !scalars.is_empty() {
        let node = scalars[random.below(scalars.len())];
        let value = tree.text(node).unwrap();
        let mut places: Vec<usize> = value.char_indices().map(|(at, _)| at).collect();
        places.push(value.len());
        let first = places[random.below(places.len())];
        let second = places[random.below(places.len())];
        let (start, end) = match value.find("latest") {
            Some(at) if random.one_in(2) => (at, at + "latest".len()),
            _ => (first.min(second), first.max(second)),
        };
        let replacement = Replacement {
            range: Span::new(start, end),
            text: random.pick(&NEW_TEXTS).to_owned(),
        };
        let new_value = format!("{}{}{}", &value[..start], replacement.text, &value[end..]);
        match replace_in_scalar(text, &tree, node, std::slice::from_ref(&replacement)) {
            Ok(edits) => {
                let after = apply(text, &edits).unwrap();
                if !readable(text, &after) {
                    replaced.unreadable += 1;
                    return;
                }
                plan::verify(
                    text,
                    &tree,
                    &after,
                    &plan::replaced(&tree, node, &new_value),
                );
                replaced.made += 1;
            }
            Err(refusal) => replaced.refuse(&refusal),
        }
    }
    if !lists.is_empty() {
        let node = lists[random.below(lists.len())];
        let length = tree.sequence(node).unwrap().items.len();
        let index = random.below(length + 1);
        let value = random.pick(&NEW_ITEMS);
        match insert_item(text, &tree, node, index, value) {
            Ok(edits) => {
                let after = apply(text, &edits).unwrap();
                if !readable(text, &after) {
                    inserted.unreadable += 1;
                    return;
                }
                plan::verify(
                    text,
                    &tree,
                    &after,
                    &plan::inserted(&tree, node, index, value),
                );
                inserted.made += 1;
            }
            Err(refusal) => inserted.refuse(&refusal),
        }
    }
}

#[test]
fn random_edits_of_random_documents_do_what_they_say() {
    let wanted = count("TAGWRIGHT_EDITS", 1_500);
    let seed = count("TAGWRIGHT_SEED", 1);
    let mut writer = Writer {
        random: Random::new(seed as u64),
        text: String::new(),
        line_break: "\n",
        anchors: 0,
    };
    let mut random = Random::new(seed as u64 + 1);
    let (mut replaced, mut inserted) = (Outcome::default(), Outcome::default());
    let mut libyaml_refuses = 0;
    for _ in 0..wanted / 3 {
        writer.line_break = ["\n", "\n", "\r\n"][writer.random.below(3)];
        writer.document();
        let text = writer.text.as_str();
        if yaml::parse(text).error().is_some() {
            continue;
        }
        libyaml_refuses += usize::from(libyaml::read(text).is_err());
        for _ in 0..3 {
            edit(&mut random, text, &mut replaced, &mut inserted);
        }
    }
    println!("seed {seed}; documents that libyaml refuses: {libyaml_refuses}");
    println!("replaced {replaced:#?}\ninserted {inserted:#?}");
    assert!(
        replaced.made * 3 > wanted && inserted.made * 3 > wanted,
        "too few edits were made"
    );
}

/// The kinds and values of all nodes, in the order of the text, but for those in `without`.
fn outline(tree: &yaml::Tree, without: Option<NodeId>) -> Vec<String> {
    let gone = without.map(|it| tree.inside(it)).unwrap_or_default();
    let nodes = tree
        .nodes()
        .filter(|(id, _)| Some(*id) != without && !gone.contains(id));
    nodes
        .map(|(_, node)| match &node.kind {
            NodeKind::Scalar(scalar) => format!("{:?} {}", scalar.style, scalar.value),
            NodeKind::Sequence(list) => format!("list {}", list.flow),
            NodeKind::Mapping(map) => format!("map {}", map.flow),
            NodeKind::Alias { name, .. } => format!("*{name}"),
        })
        .collect()
}

#[test]
fn an_item_that_goes_takes_nothing_else_along() {
    let wanted = count("TAGWRIGHT_EDITS", 1_500);
    let seed = count("TAGWRIGHT_SEED", 1) as u64;
    let mut writer = Writer {
        random: Random::new(seed + 3),
        text: String::new(),
        line_break: "\n",
        anchors: 0,
    };
    let (mut made, mut other) = (0, 0);
    for _ in 0..wanted / 3 {
        writer.line_break = ["\n", "\n", "\r\n"][writer.random.below(3)];
        writer.document();
        let text = writer.text.as_str();
        let tree = yaml::parse(text);
        if tree.error().is_some() {
            continue;
        }
        for (id, node) in tree.nodes() {
            let NodeKind::Sequence(list) = &node.kind else {
                continue;
            };
            for (index, item) in list.items.iter().enumerate() {
                let Ok(edit) = remove_item(text, &tree, id, index) else {
                    continue;
                };
                let after = apply(text, &[edit]).unwrap();
                let same = readable(text, &after)
                    && outline(&yaml::parse(&after), None) == outline(&tree, Some(*item));
                made += usize::from(same);
                other += usize::from(!same);
            }
        }
    }
    println!("seed {seed}: {made} made, {other} to be refused by whoever proves them");
    // A block that keeps its empty lines takes those behind the next item, and the like.
    assert!(made > wanted / 3 && other * 20 <= made, "{made} {other}");
}

#[test]
fn random_edits_of_the_own_documents_do_what_they_say() {
    let rounds = count("TAGWRIGHT_EDITS", 1_500) / 600;
    let seed = count("TAGWRIGHT_SEED", 1);
    let mut random = Random::new(seed as u64);
    let (mut replaced, mut inserted) = (Outcome::default(), Outcome::default());
    for (_, text) in data() {
        for (_, text) in variants(&text) {
            for _ in 0..rounds {
                edit(&mut random, &text, &mut replaced, &mut inserted);
            }
        }
    }
    println!("seed {seed}: replaced {replaced:#?}\ninserted {inserted:#?}");
    assert_eq!(replaced.unreadable + inserted.unreadable, 0);
    assert!(replaced.made > 0 && inserted.made > 0);
}

#[test]
fn random_edits_of_odd_documents_do_what_they_say() {
    let wanted = count("TAGWRIGHT_EDITS", 1_500);
    let seed = count("TAGWRIGHT_SEED", 1);
    let documents = data();
    let mut random = Random::new(seed as u64 + 2);
    let (mut replaced, mut inserted) = (Outcome::default(), Outcome::default());
    for _ in 0..wanted {
        let (_, text) = &documents[random.below(documents.len())];
        let (_, other) = &documents[random.below(documents.len())];
        let text = mutate(&mut random, text, other);
        if yaml::parse(&text).error().is_none() {
            edit(&mut random, &text, &mut replaced, &mut inserted);
        }
    }
    println!("seed {seed}: replaced {replaced:#?}\ninserted {inserted:#?}");
    // The readers tolerate some texts that are not quite YAML, but not with other words in them.
    let (made, unreadable) = (
        replaced.made + inserted.made,
        replaced.unreadable + inserted.unreadable,
    );
    assert!(
        made > 0 && unreadable * 500 <= made,
        "{unreadable} of {made}"
    );
}

#[test]
fn random_edits_of_the_files_of_a_given_folder_do_what_they_say() {
    let rounds = count("TAGWRIGHT_EDITS", 1_500) / 100;
    let mut random = Random::new(count("TAGWRIGHT_SEED", 1) as u64);
    let (mut replaced, mut inserted) = (Outcome::default(), Outcome::default());
    for (_, text) in folder() {
        if yaml::parse(&text).error().is_none() {
            for _ in 0..rounds {
                edit(&mut random, &text, &mut replaced, &mut inserted);
            }
        }
    }
    println!("in the folder: replaced {replaced:#?}\ninserted {inserted:#?}");
    assert_eq!(replaced.unreadable + inserted.unreadable, 0);
}
