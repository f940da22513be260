//! The house stays as docs/design.md draws it: crates depend downwards, files of a crate in no circle, functions fit
//! on a screen, and the borders of the folders hold. Read from the sources as text: `rustfmt` has laid them out.
//!
//! The two lists of exceptions may only get shorter: what is no longer one has to leave them.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate with those of this workspace that it may use.
const CRATES: [(&str, &[&str]); 9] = [
    ("syntax", &[]),
    ("diagnostics", &["syntax"]),
    ("grammar", &["syntax"]),
    ("flow", &["syntax"]),
    ("rules", &["syntax", "diagnostics", "grammar", "flow"]),
    // `flow` for one question: which word of a command is a script of its own.
    ("fixer", &["syntax", "diagnostics", "flow"]),
    (
        "project",
        &["syntax", "diagnostics", "flow", "rules", "fixer"],
    ),
    (
        "lsp",
        &[
            "syntax",
            "diagnostics",
            "grammar",
            "flow",
            "rules",
            "fixer",
            "project",
        ],
    ),
    (
        "cli",
        &[
            "syntax",
            "diagnostics",
            "grammar",
            "flow",
            "rules",
            "fixer",
            "project",
            "lsp",
        ],
    ),
];

/// No function has more lines than this.
const LONGEST: usize = 80;

/// Functions that are longer, by file.
const LONG: &[(&str, &[&str])] = &[
    ("cli/src/report/excerpt.rs", &["window"]),
    ("fixer/src/materialise.rs", &["plan"]),
    ("fixer/src/prove/tree.rs", &["node"]),
    ("fixer/src/run.rs", &["run_from"]),
    ("flow/src/kind.rs", &["classify"]),
    ("flow/src/mentions/mod.rs", &["each"]),
    ("flow/src/scan.rs", &["image", "data_reference"]),
    ("flow/src/tools/copilot.rs", &["parse"]),
    ("flow/src/tools/docker.rs", &["read"]),
    ("flow/src/tools/sed.rs", &["replaced"]),
    ("flow/src/workspace.rs", &["join"]),
    ("lsp/src/completion.rs", &["find"]),
    ("rules/src/shell/bashism.rs", &["in_command"]),
    ("syntax/src/shell/adapter.rs", &["compound"]),
    (
        "syntax/src/shell/words.rs",
        &["split", "expansion", "closing"],
    ),
];

/// Files that use each other in a circle.
const CIRCLES: &[&[&str]] = &[
    &["flow::facts", "flow::habits", "flow::outputs"],
    &[
        "flow::tools::aws",
        "flow::tools::bazel",
        "flow::tools::buildah",
        "flow::tools::builders",
        "flow::tools::compose",
        "flow::tools::copilot",
        "flow::tools::crane",
        "flow::tools::docker",
        "flow::tools::gradle",
        "flow::tools::helm",
        "flow::tools::http",
        "flow::tools::jq",
        "flow::tools::kaniko",
        "flow::tools::kubectl",
        "flow::tools::kustomize",
        "flow::tools::languages",
        "flow::tools::make",
        "flow::tools::node",
        "flow::tools::options",
        "flow::tools::orchestrators",
        "flow::tools::print",
        "flow::tools::pulumi",
        "flow::tools::references",
        "flow::tools::scanner",
        "flow::tools::scripts",
        "flow::tools::sed",
        "flow::tools::shells",
        "flow::tools::skopeo",
        "flow::tools::stacks",
        "flow::tools::table",
        "flow::tools::terraform",
        "flow::tools::words",
        "flow::tools::wrappers",
    ],
    &[
        "project::baseline",
        "project::executable",
        "project::identity",
        "project::missing",
        "project::workspace",
    ],
    &[
        "rules::context",
        "rules::delivery",
        "rules::environment",
        "rules::plan",
        "rules::plan::alias",
        "rules::plan::branch_tag",
        "rules::plan::definition",
        "rules::plan::existing",
        "rules::plan::handed_on",
        "rules::plan::handed_over",
        "rules::plan::joined",
        "rules::plan::left_behind",
        "rules::plan::repository",
        "rules::plan::pipeline",
        "rules::plan::tag_choice",
        "rules::plan::tag_edits",
        "rules::templated",
        "rules::variables",
    ],
    &["flow::delivery::terraform", "flow::delivery::terraform_iam"],
    &[
        "lsp::actions",
        "lsp::completion",
        "lsp::definition",
        "lsp::diagnostics",
        "lsp::edits",
        "lsp::hover",
        "lsp::server",
        "lsp::symbols",
    ],
    &["rules::inline", "rules::verdict"],
    &["syntax::shell::adapter", "syntax::shell::repair"],
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below `folder`, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect();
    found.sort();
    found
}

/// The path from the folder `crates` on, with `/` between its parts.
fn shown(path: &Path) -> String {
    let path = path.strip_prefix(crates()).unwrap();
    let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
    parts.join("/")
}

/// The file's code without comment lines and without the tests at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn crates_depend_downwards() {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(crates()).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let (_, allowed) = CRATES
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} has no place in the house"));
        let manifest: toml::Table = manifest.parse().unwrap();
        for dependency in manifest["dependencies"].as_table().unwrap().keys() {
            if let Some(used) = dependency.strip_prefix("tagwright-") {
                assert!(allowed.contains(&used), "{name} uses {used}");
            }
        }
        found.insert(name);
    }
    assert_eq!(found.len(), CRATES.len());
}

#[test]
fn functions_fit_on_a_screen() {
    let mut wrong = Vec::new();
    for path in sources(&crates()) {
        let name = shown(&path);
        // Lists of cases are long in tests.
        if name.split('/').nth(1) != Some("src") || name.ends_with("/tests.rs") {
            continue;
        }
        let allowed = LONG.iter().find(|(file, _)| *file == name);
        let allowed = allowed.map_or(&[][..], |(_, functions)| functions);
        let long: BTreeMap<String, usize> = functions(&code(&path))
            .filter(|(_, lines)| *lines > LONGEST)
            .collect();
        for (function, lines) in &long {
            if !allowed.contains(&function.as_str()) {
                wrong.push(format!("{name}: `{function}` has {lines} lines"));
            }
        }
        for function in allowed {
            if !long.contains_key(*function) {
                wrong.push(format!("{name}: `{function}` can leave the list"));
            }
        }
    }
    for (file, _) in LONG {
        if !crates().join(file).exists() {
            wrong.push(format!("{file} is not there any more"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The functions of a file with their lines of code, from `fn` to the closing brace, which stands below the `fn`.
fn functions(code: &str) -> impl Iterator<Item = (String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indentation = line.len() - line.trim_start().len();
        let Some(at) = line.find("fn ").filter(|at| {
            let before = line[indentation..*at].trim_end();
            let words = ["pub", "const", "async", "pub(crate)", "pub(super)"];
            before
                .split(' ')
                .all(|it| it.is_empty() || words.contains(&it))
        }) else {
            continue;
        };
        let name: String = line[at + 3..]
            .chars()
            .take_while(|it| it.is_alphanumeric() || *it == '_')
            .collect();
        let end = format!("{}}}", " ".repeat(indentation));
        let length = lines[start..].iter().position(|line| *line == end);
        found.push((name, length.map_or(1, |length| length + 1)));
    }
    found.into_iter()
}

/// A file as a module: its path from the crate's root.
type Module = Vec<String>;

#[test]
fn files_of_a_crate_use_each_other_in_no_circle() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, _) in CRATES {
        let root = crates().join(name).join("src");
        let mut modules: BTreeMap<Module, PathBuf> = BTreeMap::new();
        for path in sources(&root) {
            let mut module: Module = path
                .strip_prefix(&root)
                .unwrap()
                .with_extension("")
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            module.pop_if(|last| last == "mod");
            // The root shows what is below it, and everything may use what it shows.
            if !matches!(
                module.last().map(String::as_str),
                None | Some("lib" | "main" | "tests")
            ) {
                modules.insert(module, path);
            }
        }
        let uses: BTreeMap<&Module, BTreeSet<&Module>> = modules
            .iter()
            .map(|(module, path)| (module, used(module, &code(path), &modules)))
            .collect();
        for module in modules.keys() {
            let below = reached(module, &uses);
            if !below.contains(module) {
                continue;
            }
            let mut circle: Vec<String> = below
                .iter()
                .filter(|other| reached(other, &uses).contains(module))
                .map(|other| format!("{name}::{}", other.join("::")))
                .collect();
            circle.sort();
            let known = CIRCLES
                .iter()
                .position(|known| circle.iter().all(|it| known.contains(&it.as_str())));
            match known {
                Some(known) => {
                    seen.insert((known, format!("{name}::{}", module.join("::"))));
                }
                None => wrong.push(circle.join(", ")),
            }
        }
    }
    for (index, circle) in CIRCLES.iter().enumerate() {
        for file in *circle {
            if !seen.contains(&(index, (*file).to_owned())) {
                wrong.push(format!("{file} can leave its circle in the list"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that `from` uses, directly or not.
fn reached<'m>(
    from: &Module,
    uses: &BTreeMap<&'m Module, BTreeSet<&'m Module>>,
) -> BTreeSet<&'m Module> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Module> = uses[from].iter().copied().collect();
    while let Some(next) = open.pop() {
        let (next, _) = uses.get_key_value(next).unwrap();
        if found.insert(*next) {
            open.extend(uses[next].iter().copied());
        }
    }
    found
}

/// The modules that the code of `module` names in `use` declarations and in paths.
fn used<'m>(
    module: &Module,
    code: &str,
    modules: &'m BTreeMap<Module, PathBuf>,
) -> BTreeSet<&'m Module> {
    let mut paths = Vec::new();
    let starts = ["crate::", "super::", "self::"];
    for (at, _) in starts.iter().flat_map(|start| code.match_indices(start)) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':') {
            continue;
        }
        let mut prefix = Vec::new();
        let mut rest = &code[at..];
        if let Some(behind) = rest.strip_prefix("crate::") {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("self::") {
            prefix.clone_from(module);
            rest = behind;
        } else {
            prefix.clone_from(module);
            while let Some(behind) = rest.strip_prefix("super::") {
                prefix.pop();
                rest = behind;
            }
        }
        expand(&prefix, rest, &mut paths);
    }
    paths
        .iter()
        .filter_map(|path| {
            (1..=path.len())
                .rev()
                .find_map(|length| modules.get_key_value(&path[..length]))
        })
        .map(|(used, _)| used)
        .filter(|used| *used != module)
        .collect()
}

/// The paths that begin with `prefix` and go on as `rest` begins: `a::b`, `{a::b, c}`. Returns where they end.
fn expand(prefix: &[String], rest: &str, paths: &mut Vec<Module>) -> usize {
    let name: String = rest
        .chars()
        .take_while(|it| it.is_alphanumeric() || *it == '_')
        .collect();
    if !name.is_empty() {
        let mut path = prefix.to_vec();
        path.push(name.clone());
        if let Some(behind) = rest[name.len()..].strip_prefix("::") {
            return name.len() + 2 + expand(&path, behind, paths);
        }
        paths.push(path);
        return name.len();
    }
    if !rest.starts_with('{') {
        return 0;
    }
    let mut at = 1;
    while let Some(next) = rest[at..].chars().next() {
        match next {
            '}' => return at + 1,
            it if it.is_alphanumeric() || matches!(it, '_' | '{') => {
                at += expand(prefix, &rest[at..], paths).max(1);
                // `name as other`
                if rest[at..].starts_with(" as ") {
                    at += 4;
                    at += rest[at..].find([',', '}']).unwrap_or(0);
                }
            }
            it => at += it.len_utf8(),
        }
    }
    at
}

/// The files below `folder` of the crates, with their code.
fn folder(folder: &str) -> Vec<(String, String)> {
    let found = sources(&crates().join(folder));
    assert!(!found.is_empty(), "{folder}");
    found.iter().map(|path| (shown(path), code(path))).collect()
}

#[test]
fn plans_know_no_rule() {
    let categories: Vec<String> = tagwright_rules::Category::ALL
        .iter()
        .map(|it| format!("crate::{}", it.as_str().replace('-', "_")))
        .collect();
    for (file, code) in folder("rules/src/plan") {
        assert!(!code.contains("Category"), "{file}");
        for category in &categories {
            let path = format!("{category}::");
            assert!(!code.contains(&path), "{file}: {category}");
        }
    }
}

#[test]
fn reports_open_no_file() {
    for (file, code) in folder("cli/src/report") {
        for word in ["std::fs", "fs::", "File::", "OpenOptions"] {
            assert!(!code.contains(word), "{file}: {word}");
        }
    }
}

#[test]
fn the_tables_and_the_model_know_no_rule() {
    let rules: Vec<&str> = tagwright_rules::registry()
        .iter()
        .map(|it| it.name)
        .collect();
    for place in ["grammar/src", "diagnostics/src"] {
        for (file, code) in folder(place) {
            for rule in &rules {
                // `shellcheck` and the like are words of other tables as well.
                let name = format!("\"{rule}\"");
                assert!(
                    !code.contains(&name) || !rule.contains('-'),
                    "{file}: {rule}"
                );
            }
        }
    }
}
