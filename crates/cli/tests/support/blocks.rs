//! What the documentation tells people to copy.

use std::fs;
use std::path::Path;

/// The one block in this language of a file in `docs/`.
pub(crate) fn block(document: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(document);
    let text = fs::read_to_string(path).unwrap();
    let mut blocks = text.split("\n```").skip(1).step_by(2).filter_map(|block| {
        let (name, text) = block.split_once('\n')?;
        (name == language).then(|| format!("{text}\n"))
    });
    let found = blocks.next().unwrap();
    assert!(blocks.next().is_none(), "two blocks in {language}");
    found
}
