//! Damaged files: whatever is in them, `check` and `fix` neither panic nor leave half a rewrite.
//!
//! `TAGWRIGHT_MUTATIONS` sets the number of inputs (default 1,500), `TAGWRIGHT_SEED` the start of the
//! random sequence. A failure names the seed of the input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tagwright_fixer::{Options, Sources, run};
use tagwright_flow::FileId;
use tagwright_rules::Settings;
use tagwright_rules::finding::Finding;

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

/// The texts of all fixtures, with the path below `before/`.
fn seeds() -> Vec<(String, String)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    let mut seeds = Vec::new();
    for entry in walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .flatten()
    {
        let path = entry.path().to_string_lossy().replace('\\', "/");
        let Some((_, relative)) = path.split_once("/before/") else {
            continue;
        };
        if let Ok(text) = std::fs::read_to_string(entry.path())
            && entry.file_type().is_file()
        {
            seeds.push((relative.to_owned(), text));
        }
    }
    assert!(
        seeds.len() > 30,
        "the fixtures are not where they are expected"
    );
    seeds
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
    let seeds = seeds();
    let worker = move || {
        let mut found = 0_u64;
        let mut fixed = 0_u64;
        for seed in first..first + count {
            let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            let (path, text) = &seeds[random.below(seeds.len())];
            let text = mutate(&mut random, text);
            let result = catch_unwind(AssertUnwindSafe(|| {
                let mut sources = Sources::default();
                let file = sources.push(path.clone(), Arc::<str>::from(text.as_str()));
                let findings = lint(&sources);
                for finding in &findings {
                    assert_eq!(finding.file, FileId(0));
                    assert!(
                        text.get(finding.span.range()).is_some(),
                        "a span off the text"
                    );
                }
                let options = Options {
                    unsafe_fixes: true,
                    ..Options::default()
                };
                let outcome = run(sources, &lint, options);
                let after = outcome.sources.text(file).unwrap_or_default().to_owned();
                let again = run(outcome.sources, &lint, options);
                assert_eq!(
                    again.sources.text(file),
                    Some(after.as_str()),
                    "a second run changes something"
                );
                (findings.len(), after != text)
            }));
            match result {
                Ok((findings, changed)) => {
                    found += u64::try_from(findings).unwrap_or(0);
                    fixed += u64::from(changed);
                }
                Err(_) => panic!("input of seed {seed} ({path}):\n{text}"),
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
