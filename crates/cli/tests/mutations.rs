//! Damaged files, alone and among the others of their tree: whatever is in them, `check` and `fix` neither panic
//! nor leave half a rewrite.
//!
//! `TAGWRIGHT_MUTATIONS` sets the number of inputs (default 1,500), `TAGWRIGHT_SEED` the start of the
//! random sequence. A failure names the seed of the input.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tagwright_diagnostics::Finding;
use tagwright_fixer::{Options, Sources, run};
use tagwright_rules::Settings;

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}

/// Pieces that mean something to YAML, the shell or a registry.
const PIECES: &[&str] = &[
    ":",
    ": ",
    " #",
    "#",
    "- ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "'",
    "\"",
    "|",
    ">",
    "|-",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!t ",
    "<<: ",
    "---\n",
    "...\n",
    "? ",
    "$",
    "${",
    "$(",
    "`",
    "\\",
    ";",
    "&&",
    "||",
    "<<EOF\n",
    ":latest",
    "${BRANCH_NAME}",
    "latest",
    "\u{feff}",
    "\0",
    "é",
    "한",
    "\u{2028}",
    "  ",
    "--tag ",
    "version: 0.1\n",
    "%",
    "@sha256:",
    "for x in a b; do",
    "done",
    "fi",
    "%{",
];

fn mutate(random: &mut Random, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
            1 => {
                let end = (at + random.below(12)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = u8::try_from(random.below(128)).unwrap_or(0);
                }
            }
            3 => bytes.truncate(at),
            4 => {
                let end = (at + random.below(40)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                let end = (at + 1).min(bytes.len());
                bytes.splice(at..end, piece.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lint(sources: &Sources) -> Vec<Finding> {
    let files = sources
        .iter()
        .map(|(id, source)| (id, &*source.path, &source.text));
    tagwright_rules::lint(files, &Settings::default())
}

/// The trees of all fixtures: their texts, with the path below `before/`.
fn trees() -> Vec<Vec<(String, String)>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    let mut trees: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .flatten()
    {
        let path = entry.path().to_string_lossy().replace('\\', "/");
        let Some((fixture, relative)) = path.split_once("/before/") else {
            continue;
        };
        if let Ok(text) = std::fs::read_to_string(entry.path())
            && entry.file_type().is_file()
        {
            let tree = trees.entry(fixture.to_owned()).or_default();
            tree.push((relative.to_owned(), text));
        }
    }
    assert!(
        trees.len() > 30,
        "the fixtures are not where they are expected"
    );
    trees.into_values().collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn damaged_files_neither_panic_nor_end_in_half_a_rewrite() {
    let count = number("TAGWRIGHT_MUTATIONS", 1_500);
    let first = number("TAGWRIGHT_SEED", 1);
    let trees = trees();
    let worker = move || {
        let mut found = 0_u64;
        let mut fixed = 0_u64;
        for seed in first..first + count {
            let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            let tree = &trees[random.below(trees.len())];
            let damaged = random.below(tree.len());
            let alone = random.below(2) == 0;
            let text = mutate(&mut random, &tree[damaged].1);
            let result = catch_unwind(AssertUnwindSafe(|| {
                let mut sources = Sources::default();
                let mut before: Vec<&str> = Vec::new();
                for (index, (path, whole)) in tree.iter().enumerate() {
                    if index == damaged || !alone {
                        let text = if index == damaged { &text } else { whole };
                        sources.push(path.clone(), Arc::<str>::from(text.as_str()));
                        before.push(text);
                    }
                }
                let findings = lint(&sources);
                for finding in &findings {
                    let text = before[finding.file.0 as usize];
                    assert!(
                        text.get(finding.span.range()).is_some(),
                        "a span off the text"
                    );
                }
                let options = Options {
                    unsafe_fixes: true,
                    ..Options::default()
                };
                let texts = |sources: &Sources| -> Vec<Arc<str>> {
                    sources
                        .iter()
                        .map(|(_, source)| source.text.clone())
                        .collect()
                };
                let outcome = run(sources, &lint, options);
                let after = texts(&outcome.sources);
                let again = run(outcome.sources, &lint, options);
                assert!(
                    texts(&again.sources) == after,
                    "a second run changes something"
                );
                let changed = before.iter().zip(&after).filter(|(a, b)| **a != &***b);
                (findings.len(), changed.count())
            }));
            match result {
                Ok((findings, changed)) => {
                    found += u64::try_from(findings).unwrap_or(0);
                    fixed += u64::try_from(changed).unwrap_or(0);
                }
                Err(_) => panic!("input of seed {seed} ({}):\n{text}", tree[damaged].0),
            }
        }
        (found, fixed)
    };
    let (found, fixed) = std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(worker)
        .unwrap()
        .join()
        .unwrap();
    println!("{count} damaged inputs: {found} findings, {fixed} files rewritten");
    assert!(
        found > 0 && fixed > 0,
        "the inputs no longer reach the rules"
    );
}
