//! saphyr-parser's events to a [`Tree`].

use super::Tree;

pub(super) fn parse(_text: &str) -> Tree {
    Tree::default()
}
