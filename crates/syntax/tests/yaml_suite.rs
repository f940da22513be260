//! The tree of every document of the YAML test suite, or of the own documents where the suite is not at
//! hand, has exact spans and source maps.
//!
//! The suite (<https://github.com/yaml/yaml-test-suite>, its data branch) is read from the folder that
//! `TAGWRIGHT_YAML_TEST_SUITE` names.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod yaml_common;

use std::path::{Path, PathBuf};

use yaml_common::{Figures, check, data, folder, variants};

/// All files `in.yaml` below `folder`.
fn cases(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            cases(&entry.path(), found);
        } else if entry.file_name() == "in.yaml" {
            found.push(entry.path());
        }
    }
}

fn documents() -> Vec<(String, String)> {
    let Ok(folder) = std::env::var("TAGWRIGHT_YAML_TEST_SUITE") else {
        return data();
    };
    let mut paths = Vec::new();
    cases(Path::new(&folder), &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let bytes = std::fs::read(path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (path.display().to_string(), text)
        })
        .collect()
}

#[test]
fn every_document_has_exact_spans_and_maps() {
    let mut figures = Figures::default();
    for (name, text) in documents() {
        let errors_wanted =
            name.starts_with("broken-") || Path::new(&name).with_file_name("error").exists();
        let seen = check(&name, &text);
        assert_eq!(seen.errors == 1, errors_wanted, "{name}");
        figures += seen;
    }
    println!("as is: {figures:?}");
    assert_eq!(figures.inexact, 0);
}

#[test]
fn every_document_keeps_them_with_other_line_breaks_and_marks() {
    let mut figures = Figures::default();
    for (name, text) in documents() {
        for (variant, text) in variants(&text) {
            figures += check(&format!("{name}, {variant}"), &text);
        }
    }
    println!("in all variants: {figures:?}");
    assert_eq!(figures.inexact, 0);
}

#[test]
fn every_file_of_a_given_folder_has_exact_spans_and_maps() {
    let mut figures = Figures::default();
    for (name, text) in folder() {
        let seen = check(&name, &text);
        if seen.errors > 0 {
            println!("{name} is not YAML");
        }
        assert!(seen.inexact == 0 || seen.errors > 0, "{name}: {seen:?}");
        figures += seen;
        for (variant, text) in variants(&text) {
            check(&format!("{name}, {variant}"), &text);
        }
    }
    println!("in the folder: {figures:?}");
}
