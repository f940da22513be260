//! The pages that everybody reads first: what they show is what the program prints, and the Chinese one follows the
//! English one.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The blocks of code of a page, each with its language in the first line.
fn blocks(page: &str) -> Vec<&str> {
    page.split("\n```").skip(1).step_by(2).collect()
}

/// The lines of a page outside of code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

#[test]
fn the_readme_is_short_and_its_diff_is_what_fix_prints() {
    let readme = page("README.md");
    assert!(readme.lines().count() < 150);
    let shown = blocks(&readme)
        .into_iter()
        .find_map(|block| block.strip_prefix("diff\n"));
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("fixtures/only-latest/before/buildspec.yml");
    fs::copy(example, folder.path().join("buildspec.yml")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(["fix", "--diff"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut left = printed.as_str();
    for piece in shown.unwrap().split("…\n") {
        let at = left
            .find(piece)
            .unwrap_or_else(|| panic!("{piece:?} is not in\n{left}"));
        left = &left[at + piece.len()..];
    }
}

#[test]
fn the_chinese_page_has_the_headings_commands_and_links_of_the_english_one() {
    let (english, chinese) = (page("README.md"), page("README.zh-CN.md"));
    let shape = |page: &str| -> Vec<String> {
        // Headings by their level, tables by their rows, lists by their items.
        let sign = |line: &str| match line.chars().next() {
            Some('#') => Some(line.chars().take_while(|it| *it == '#').collect()),
            Some(first @ ('|' | '-')) => Some(first.to_string()),
            _ => None,
        };
        prose(page).filter_map(sign).collect()
    };
    assert_eq!(shape(&chinese), shape(&english));
    assert_eq!(blocks(&chinese), blocks(&english));
    let links = |page: &str| -> Vec<String> {
        let targets = page.split("](").skip(1);
        let target = |it: &str| it.split(')').next().unwrap().to_owned();
        let mut links: Vec<String> = targets
            .map(target)
            .filter(|link| !link.starts_with("README"))
            .collect();
        links.sort();
        links
    };
    assert_eq!(links(&chinese), links(&english));
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let mut names: Vec<String> = [
        "README.md",
        "README.zh-CN.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    for name in names {
        let text = page(&name);
        let prose: String = prose(&text).flat_map(|line| [line, "\n"]).collect();
        for link in prose.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                root().join(&name)
            } else {
                root().join(&name).parent().unwrap().join(path)
            };
            assert!(target.exists(), "{name}: {link}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let of = |heading: &str| -> String {
                    let kept = heading.trim_start_matches('#').trim().to_lowercase();
                    let kept = kept.replace(' ', "-");
                    let keep = |it: &char| it.is_alphanumeric() || matches!(it, '-' | '_');
                    kept.chars().filter(keep).collect()
                };
                let named = format!("id=\"{anchor}\"");
                let found = text.contains(&named)
                    || text
                        .lines()
                        .any(|line| line.starts_with('#') && of(line) == anchor);
                assert!(found, "{name}: {link}");
            }
        }
    }
}
