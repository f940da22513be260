//! Random scalars of every style in random surroundings: each maps back to its bytes exactly, or is marked
//! as inexact. `TAGWRIGHT_SCALARS` sets how many.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod yaml_common;

use tagwright_syntax::yaml::{self, NodeKind, ScalarStyle};
use yaml_common::{Figures, Random, check, count};

const WORDS: [&str; 30] = [
    "a",
    "b c",
    "docker",
    "$X",
    "${Y}",
    "app:latest",
    "#",
    "x#y",
    ":",
    "x:y",
    "-",
    "--quiet",
    "é",
    "한글",
    "🚀",
    "e\u{301}",
    "\"",
    "'",
    "\\",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&x",
    "*",
    "!",
    "|",
    ">",
    "%",
];
const BLANKS: [&str; 8] = ["", " ", " ", " ", "  ", "\t", " \t", "\t "];
const ESCAPES: [&str; 14] = [
    "\\\"",
    "\\\\",
    "\\n",
    "\\t",
    "\\r",
    "\\0",
    "\\x41",
    "\\u00e9",
    "\\U0001F680",
    "\\ ",
    "\\/",
    "\\N",
    "\\P",
    "\\e",
];

struct Writer {
    random: Random,
    text: String,
    line_break: &'static str,
}

impl Writer {
    fn line_break(&mut self) {
        self.text.push_str(self.line_break);
    }

    fn indent(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    fn words(&mut self) {
        for _ in 0..1 + self.random.below(4) {
            self.text.push_str(self.random.pick(&WORDS));
            self.text.push_str(self.random.pick(&BLANKS));
        }
    }

    /// Blanks, a line break, perhaps empty lines, and the indentation of the next line.
    fn fold(&mut self, columns: usize) {
        self.text.push_str(self.random.pick(&BLANKS));
        self.line_break();
        while self.random.one_in(3) {
            let columns = self.random.below(columns + 3);
            self.indent(columns);
            self.line_break();
        }
        let more = if self.random.one_in(3) {
            1 + self.random.below(3)
        } else {
            0
        };
        self.indent(columns + more);
    }

    fn plain(&mut self, columns: usize) {
        for line in 0..1 + self.random.below(3) {
            if line > 0 {
                self.fold(columns);
            }
            for _ in 0..1 + self.random.below(4) {
                self.text.push_str(self.random.pick(&WORDS[..14]));
                self.text.push_str(self.random.pick(&BLANKS));
            }
        }
    }

    fn quoted(&mut self, columns: usize, quote: char) {
        self.text.push(quote);
        for _ in 0..self.random.below(7) {
            match self.random.below(6) {
                0 => self.fold(columns),
                1 if quote == '"' => self.text.push_str(self.random.pick(&ESCAPES)),
                1 => self.text.push_str("''"),
                2 if quote == '"' => {
                    self.text.push('\\');
                    self.fold(columns);
                }
                _ => {
                    let word = self.random.pick(&WORDS);
                    if !word.contains(['"', '\\', '\'']) {
                        self.text.push_str(word);
                    }
                    self.text.push_str(self.random.pick(&BLANKS));
                }
            }
        }
        self.text.push(quote);
    }

    /// A block scalar, and whether it gave its indentation.
    fn block(&mut self, parent: Option<usize>, style: char) {
        let step = 1 + self.random.below(4);
        let columns = parent.map_or(step, |parent| parent + step);
        self.text.push(style);
        let indicator = self.random.one_in(3);
        let chomping = self.random.pick(&["", "-", "+"]);
        if self.random.one_in(2) {
            self.text.push_str(chomping);
            if indicator {
                self.text.push_str(&step.to_string());
            }
        } else {
            if indicator {
                self.text.push_str(&step.to_string());
            }
            self.text.push_str(chomping);
        }
        if self.random.one_in(3) {
            self.text
                .push_str(self.random.pick(&[" # header", "  ", " #"]));
        }
        for _ in 0..self.random.below(6) {
            self.line_break();
            match self.random.below(6) {
                0 => {
                    let columns = self.random.below(columns + 3);
                    self.indent(columns);
                }
                1 => {
                    let more = 1 + self.random.below(3);
                    self.indent(columns + more);
                    self.words();
                }
                2 => {
                    self.indent(columns);
                    self.text
                        .push_str(self.random.pick(&["# not a comment", "\t", "\tx", "- x"]));
                }
                _ => {
                    self.indent(columns);
                    self.words();
                }
            }
        }
    }

    /// One scalar of `style`, and what may stand behind it.
    fn scalar(&mut self, style: usize, parent: Option<usize>, in_flow: bool) {
        let columns = parent.map_or(1, |parent| parent + 1 + self.random.below(3));
        if self.random.one_in(8) {
            self.text
                .push_str(self.random.pick(&["&x ", "!t ", "!!str &y ", "&z !t  "]));
        }
        match style {
            0 => self.plain(columns),
            1 => self.quoted(columns, '\''),
            2 => self.quoted(columns, '"'),
            3 if !in_flow => self.block(parent, '|'),
            _ if !in_flow => self.block(parent, '>'),
            _ => self.quoted(columns, '"'),
        }
        if style < 3 && self.random.one_in(4) {
            self.text
                .push_str(self.random.pick(&[" # comment", "  ", " #", "\t# é"]));
        }
    }

    /// A document with a few scalars of `style` in it.
    fn document(&mut self, style: usize) {
        if self.random.one_in(8) {
            self.text.push('\u{feff}');
        }
        if self.random.one_in(4) {
            self.text.push_str("# é 한\n");
        }
        let column = self.random.below(5);
        match self.random.below(7) {
            0 => {
                if self.random.one_in(2) {
                    self.text.push_str("--- ");
                }
                self.scalar(style, None, false);
            }
            1 => {
                for key in ["k", "\"k\" ", "é"] {
                    self.text.push_str(key);
                    self.text.push_str(": ");
                    self.scalar(style, Some(0), false);
                    self.line_break();
                }
            }
            2 => {
                self.text.push_str("k:");
                self.line_break();
                for _ in 0..2 {
                    self.indent(column);
                    self.text.push_str("- ");
                    self.scalar(style, Some(column), false);
                    self.line_break();
                }
                self.text.push_str("l: m");
            }
            3 => {
                self.text.push_str("- - k: ");
                self.scalar(style, Some(4), false);
                self.line_break();
                self.text.push_str("    l: ");
                self.scalar(style, Some(4), false);
                self.line_break();
                self.text.push_str("  - ");
                self.scalar(style, Some(2), false);
            }
            4 => {
                self.text.push_str("k: [");
                self.scalar(style, Some(0), true);
                self.text.push_str(", {é: ");
                self.scalar(style, Some(0), true);
                self.text.push_str(" }, x]");
            }
            5 => {
                self.text.push_str("? ");
                self.scalar(style, Some(0), false);
                self.line_break();
                self.text.push_str(": ");
                self.scalar(style, Some(0), false);
            }
            _ => {
                self.indent(column);
                self.text.push_str("k: ");
                self.scalar(style, Some(column), false);
                self.line_break();
                self.text.push_str("# outside");
                self.line_break();
                self.indent(column);
                self.text.push_str("l: x");
            }
        }
        if !self.random.one_in(4) {
            self.line_break();
        }
    }
}

#[test]
fn random_scalars_map_back_or_are_marked() {
    let wanted = count("TAGWRIGHT_SCALARS", 6_000);
    let seed = count("TAGWRIGHT_SEED", 1);
    let mut writer = Writer {
        random: Random::new(seed as u64),
        text: String::new(),
        line_break: "\n",
    };
    let mut figures = Figures::default();
    let mut by_style = [0_usize; 5];
    let mut several_lines = 0;
    while figures.exact + figures.inexact < wanted {
        writer.text.clear();
        writer.line_break = ["\n", "\n", "\r\n", "\r"][writer.random.below(4)];
        let style = writer.random.below(5);
        writer.document(style);
        let name = format!("seed {seed}: {:?}", writer.text);
        let seen = check(&name, &writer.text);
        if seen.inexact > 0 && figures.inexact < 5 {
            println!("inexact: {name}");
        }
        figures += seen;
        for (_, node) in yaml::parse(&writer.text).nodes() {
            if let NodeKind::Scalar(scalar) = &node.kind {
                by_style[match scalar.style {
                    ScalarStyle::Plain => 0,
                    ScalarStyle::SingleQuoted => 1,
                    ScalarStyle::DoubleQuoted => 2,
                    ScalarStyle::Literal => 3,
                    ScalarStyle::Folded => 4,
                }] += 1;
                several_lines += usize::from(node.span.of(&writer.text).contains(['\n', '\r']));
            }
        }
    }
    println!("{figures:?}, by style {by_style:?}, on several lines {several_lines}, seed {seed}");
    // The few that may differ are left alone; more would mean that the decoder lost track of the parser.
    assert!(figures.inexact * 1_000 <= figures.exact, "{figures:?}");
    assert!(
        by_style.iter().all(|seen| *seen > wanted / 50),
        "{by_style:?}"
    );
}
