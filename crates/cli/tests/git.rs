//! Real runs in real Git repositories: what `--staged`, `--changed`, `--files-from` and `--exclude` choose.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/texts.rs"]
mod texts;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

#[path = "support/repository.rs"]
mod repository;

use repository::{Repository, Run, isolated, run};
use texts::{BROKEN, CLEAN, FLOATING};

/// What `check` finds, as `path:line rule`.
fn concise(repository: &Repository, arguments: &[&str]) -> Vec<String> {
    let run = repository.run(&[&["check", "--format", "concise"], arguments].concat());
    assert!(run.err.is_empty(), "{}", run.err);
    let places = run.out.lines().map(place).collect::<Vec<_>>();
    assert_eq!(run.code == Some(0), places.is_empty(), "{}", run.out);
    places
}
/// `path:line rule` of a line of the concise report.
fn place(line: &str) -> String {
    let rule = line.split(['[', ']']).nth(1).unwrap();
    let position: Vec<&str> = line.split(": ").next().unwrap().rsplitn(3, ':').collect();
    format!("{}:{} {rule}", position[2], position[1])
}

#[test]
fn staged_text_is_judged_and_not_what_lies_in_the_work_tree() {
    let repository = Repository::new(&[("buildspec.yml", CLEAN), ("other/buildspec.yml", BROKEN)]);
    assert!(concise(&repository, &["--staged"]).is_empty());
    repository.put("buildspec.yml", BROKEN);
    assert!(concise(&repository, &["--staged"]).is_empty());
    repository.git(&["add", "buildspec.yml"]);
    repository.put("buildspec.yml", CLEAN);
    assert_eq!(
        concise(&repository, &["--staged"]),
        ["buildspec.yml:5 invalid-yaml"]
    );
    // Deleted since, and even with its folder, it is committed all the same.
    fs::remove_file(repository.path("buildspec.yml")).unwrap();
    assert_eq!(
        concise(&repository, &["--staged"]),
        ["buildspec.yml:5 invalid-yaml"]
    );
    repository.put("deep/er/buildspec.yml", BROKEN);
    repository.git(&["add", "deep"]);
    fs::remove_dir_all(repository.path("deep")).unwrap();
    assert_eq!(
        concise(&repository, &["--staged", "deep"]),
        ["deep/er/buildspec.yml:5 invalid-yaml"]
    );
    repository.git(&[
        "rm",
        "-q",
        "--cached",
        "buildspec.yml",
        "deep/er/buildspec.yml",
    ]);
    assert!(concise(&repository, &["--staged"]).is_empty());
}

#[test]
fn before_the_first_commit_everything_staged_is_new() {
    let repository = Repository::empty();
    assert!(concise(&repository, &["--staged"]).is_empty());
    repository.put("buildspec.yml", BROKEN);
    assert!(concise(&repository, &["--staged"]).is_empty());
    repository.git(&["add", "."]);
    assert_eq!(
        concise(&repository, &["--staged"]),
        ["buildspec.yml:5 invalid-yaml"]
    );
    let run = repository.run(&["check", "--changed", "main"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("`main` is no commit"), "{}", run.err);
}

#[test]
fn the_context_of_staged_files_is_the_index_too() {
    let build = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER .\n      - docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER\n";
    let deploy = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:latest\n";
    let repository = Repository::new(&[("buildspec.yml", build)]);
    repository.put("k8s/web.yaml", deploy);
    repository.git(&["add", "k8s"]);
    let found = concise(&repository, &["--staged"]);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|place| place.starts_with("k8s/web.yaml:10 ")),
        "{found:?}"
    );
    // In the work tree nobody builds the image any more; in the commit to come somebody does.
    repository.put("buildspec.yml", CLEAN);
    assert_eq!(concise(&repository, &["--staged"]), found);
    fs::remove_file(repository.path("buildspec.yml")).unwrap();
    assert_eq!(concise(&repository, &["--staged"]), found);
    // And what is in no commit builds nothing.
    repository.git(&["rm", "-q", "--cached", "buildspec.yml"]);
    repository.put("buildspec.yml", build);
    assert_ne!(
        repository
            .run(&[
                "check",
                "--staged",
                "--format",
                "concise",
                "--fail-on",
                "never"
            ])
            .out,
        repository
            .run(&[
                "check",
                "k8s/web.yaml",
                "--format",
                "concise",
                "--fail-on",
                "never"
            ])
            .out
    );
}

#[test]
fn staged_files_are_fixed_only_if_the_work_tree_has_the_same_text() {
    let repository = Repository::new(&[("buildspec.yml", CLEAN)]);
    repository.put("buildspec.yml", FLOATING);
    repository.git(&["add", "."]);
    let edited = FLOATING.replace("docker build ", "docker build --pull ");
    repository.put("buildspec.yml", &edited);
    let run = repository.run(&["fix", "--staged"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("nothing was changed") && run.err.contains("buildspec.yml"));
    assert_eq!(repository.text("buildspec.yml"), edited);

    let run = repository.run(&["fix", "--staged", "--diff"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out
            .contains("-      - docker push $REGISTRY/web:latest\n")
    );
    fs::write(repository.path("patch"), &run.out).unwrap();
    repository.git(&["apply", "--cached", "patch"]);
    // It names the image by its old tag, and would keep the next fix back.
    fs::remove_file(repository.path("patch")).unwrap();
    assert!(concise(&repository, &["--staged"]).is_empty());
    assert_eq!(repository.text("buildspec.yml"), edited);

    repository.put("buildspec.yml", FLOATING);
    repository.git(&["add", "."]);
    let run = repository.run(&["fix", "--staged"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("`git add` to stage it"), "{}", run.err);
    assert!(
        repository
            .text("buildspec.yml")
            .contains("web:${BRANCH_NAME}")
    );
    assert!(!concise(&repository, &["--staged"]).is_empty());
    repository.git(&["add", "."]);
    assert!(concise(&repository, &["--staged"]).is_empty());
}

#[test]
fn only_lines_that_changed_since_the_base_count() {
    let old = format!("# a comment\n{FLOATING}");
    let repository =
        Repository::new(&[("buildspec.yml", &old), ("untouched/buildspec.yml", BROKEN)]);
    assert!(concise(&repository, &["--changed", "main"]).is_empty());
    repository.git(&["switch", "-q", "-c", "topic"]);
    repository.put("buildspec.yml", &format!("# another\n{FLOATING}"));
    repository.commit("a comment");
    assert!(concise(&repository, &["--changed", "main"]).is_empty());
    // Committed or not makes no difference.
    let more = FLOATING.replace(
        "artifacts:",
        "      - docker push $REGISTRY/api:latest\nartifacts:",
    );
    repository.put("buildspec.yml", &format!("# another\n{more}"));
    let expected = ["buildspec.yml:9 latest-pushed"];
    assert_eq!(concise(&repository, &["--changed", "main"]), expected);
    repository.commit("a push");
    assert_eq!(concise(&repository, &["--changed", "main"]), expected);
    // What others have done to the base meanwhile is not this branch's.
    repository.git(&["switch", "-q", "main"]);
    repository.put("other/buildspec.yml", BROKEN);
    repository.commit("elsewhere");
    repository.git(&["switch", "-q", "topic"]);
    assert_eq!(concise(&repository, &["--changed", "main"]), expected);
    repository.git(&["merge", "-q", "-m", "merge", "main"]);
    assert_eq!(concise(&repository, &["--changed", "main"]), expected);
    // A new file counts as a whole, tracked or not; an ignored one does not.
    repository.put("new.yml", FLOATING);
    repository.put("out/buildspec.yml", BROKEN);
    repository.put(".gitignore", "out/\n");
    assert!(
        concise(&repository, &["--changed", "main"])
            .contains(&"new.yml:6 latest-pushed".to_owned())
    );
    assert_eq!(
        concise(&repository, &["--changed", "main", "buildspec.yml"]),
        expected
    );
}

#[test]
fn a_file_that_a_change_broke_counts_wherever_the_damage_shows() {
    let repository = Repository::new(&[(
        "buildspec.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - \"make\"\n      - true\n",
    )]);
    repository.put(
        "buildspec.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - \"make\n      - true\n",
    );
    let found = concise(&repository, &["--changed", "main"]);
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with(" invalid-yaml"), "{found:?}");
}

#[test]
fn a_fix_of_what_changed_leaves_the_older_findings_alone() {
    let push = |name: &str| {
        format!(
            "      - docker build -t $REGISTRY/{name}:latest .\n      - docker push $REGISTRY/{name}:latest\n      - echo $REGISTRY/{name}:latest > {name}.txt\n"
        )
    };
    let text = |names: &[&str]| {
        let commands: String = names.iter().map(|name| push(name)).collect();
        format!("version: 0.2\nphases:\n  build:\n    commands:\n{commands}")
    };
    let repository = Repository::new(&[("buildspec.yml", &text(&["web"]))]);
    repository.put("buildspec.yml", &text(&["web", "api"]));
    let run = repository.run(&["fix", "--unsafe", "--changed", "HEAD"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let fixed = repository.text("buildspec.yml");
    assert!(
        fixed.contains("docker push $REGISTRY/api:${BRANCH_NAME}"),
        "{fixed}"
    );
    assert!(
        fixed.contains("docker push $REGISTRY/web:latest"),
        "{fixed}"
    );
    let again = repository.run(&["fix", "--unsafe", "--changed", "HEAD"]);
    assert_eq!(
        (again.code, repository.text("buildspec.yml")),
        (Some(0), fixed)
    );
}

#[cfg(unix)]
#[test]
fn paths_of_all_kinds_are_found() {
    use std::os::unix::ffi::OsStrExt as _;
    let repository = Repository::new(&[("README.md", "")]);
    let names: [&[u8]; 6] = [
        b"a b/buildspec.yml",
        b"tab\there.yml",
        b"new\nline.yml",
        b"\"quoted\".yml",
        b"\xc3\xbcml\xc3\xa4ut.yml",
        b"bad-\xff.yml",
    ];
    for name in names {
        let path = path_of(&repository, name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, CLEAN).unwrap();
    }
    repository.commit("clean");
    for name in names {
        fs::write(path_of(&repository, name), FLOATING).unwrap();
    }
    let count = |arguments: &[&str]| {
        let run = repository.run(&[&["check", "--format", "json"], arguments].concat());
        assert_eq!(run.code, Some(1), "{}", run.err);
        let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let files: std::collections::BTreeSet<String> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["path"].as_str().unwrap().to_owned())
            .collect();
        files.len()
    };
    assert_eq!(count(&["--changed", "HEAD"]), names.len());
    repository.git(&["add", "."]);
    assert_eq!(count(&["--staged"]), names.len());
    assert_eq!(count(&["--changed", "HEAD"]), names.len());
    let mut list = names.join(&0);
    list.push(0);
    let run = run(
        repository.0.path(),
        &["check", "--files", "--files-from", "-"],
        &list,
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.out.lines().count(), names.len());

    fn path_of(repository: &Repository, name: &[u8]) -> PathBuf {
        repository.0.path().join(std::ffi::OsStr::from_bytes(name))
    }
}

#[test]
fn a_subfolder_shows_the_whole_repository_from_where_one_stands() {
    let repository = Repository::new(&[("README.md", "")]);
    repository.put("a/buildspec.yml", BROKEN);
    repository.put("b/c/buildspec.yml", BROKEN);
    repository.git(&["add", "."]);
    for selection in [&["--staged"][..], &["--changed", "main"]] {
        let arguments = [&["check", "--format", "concise"], selection].concat();
        let run_in = |folder: &str, more: &[&str]| {
            run(
                &repository.path(folder),
                &[&arguments[..], more].concat(),
                b"",
            )
        };
        let places = |run: Run| run.out.lines().map(place).collect::<Vec<_>>();
        assert_eq!(
            places(run_in("b", &[])),
            [
                "../a/buildspec.yml:5 invalid-yaml",
                "c/buildspec.yml:5 invalid-yaml"
            ]
        );
        assert_eq!(
            places(run_in("b", &["."])),
            ["c/buildspec.yml:5 invalid-yaml"]
        );
        let outside = tempfile::tempdir().unwrap();
        let outside = run_in("b", &[&outside.path().to_string_lossy()]);
        assert_eq!(outside.code, Some(2), "{}", outside.err);
        assert!(outside.err.contains("is not in the work tree"));
    }
}

#[test]
fn submodules_links_stores_and_other_files_are_not_staged_buildspecs() {
    let inner = Repository::new(&[("buildspec.yml", BROKEN)]);
    let repository = Repository::new(&[("README.md", "")]);
    let url = inner.0.path().to_string_lossy().into_owned();
    repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "inner.yml",
    ]);
    repository.put("node_modules/x/buildspec.yml", BROKEN);
    repository.put("notes.txt", "a: [\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", repository.path("link.yml")).unwrap();
    repository.git(&["add", "--all"]);
    assert!(concise(&repository, &["--staged"]).is_empty());
    assert!(concise(&repository, &["--changed", "main"]).is_empty());
    // Inside, the submodule is the repository.
    fs::write(
        repository.path("inner.yml/buildspec.yml"),
        format!("{BROKEN}\n"),
    )
    .unwrap();
    let inside = run(
        &repository.path("inner.yml"),
        &["check", "--format", "concise", "--changed", "HEAD"],
        b"",
    );
    assert_eq!(inside.out.lines().count(), 1, "{}", inside.err);
}

#[test]
fn a_linked_work_tree_has_an_index_of_its_own() {
    let repository = Repository::new(&[("buildspec.yml", CLEAN)]);
    let linked = tempfile::tempdir().unwrap();
    let folder = linked.path().join("linked");
    repository.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "topic",
        &folder.to_string_lossy(),
    ]);
    fs::write(folder.join("buildspec.yml"), BROKEN).unwrap();
    let git = isolated(Command::new("git"), &folder)
        .args(["add", "."])
        .status()
        .unwrap();
    assert!(git.success());
    assert!(concise(&repository, &["--staged"]).is_empty());
    for selection in [&["--staged"][..], &["--changed", "main"]] {
        let found = run(
            &folder,
            &[&["check", "--format", "concise"], selection].concat(),
            b"",
        );
        assert_eq!(
            found.out.lines().map(place).collect::<Vec<_>>(),
            ["buildspec.yml:5 invalid-yaml"]
        );
    }
}

#[test]
fn what_git_cannot_answer_is_said_and_never_taken_for_clean() {
    let outside = tempfile::tempdir().unwrap();
    for selection in [&["--staged"][..], &["--changed", "main"]] {
        let arguments = [&["check"], selection].concat();
        let found = run(outside.path(), &arguments, b"");
        assert_eq!(found.code, Some(2), "{}", found.err);
        assert!(
            found
                .err
                .contains("not in the work tree of a Git repository"),
            "{}",
            found.err
        );
        let found = isolated(
            Command::new(env!("CARGO_BIN_EXE_tagwright")),
            outside.path(),
        )
        .args(&arguments)
        .env("PATH", outside.path())
        .output()
        .unwrap();
        let found = Run::from(found);
        assert_eq!(found.code, Some(3), "{}", found.err);
        assert!(found.err.contains("cannot run git"), "{}", found.err);
    }
    let repository = Repository::new(&[("buildspec.yml", CLEAN)]);
    for base in ["nowhere", "main:buildspec.yml", "", "main..topic"] {
        let run = repository.run(&["check", "--changed", base]);
        assert_eq!(run.code, Some(2), "{base}: {}", run.err);
        assert!(run.err.contains("is no commit"), "{base}: {}", run.err);
    }
    repository.git(&["switch", "-q", "--orphan", "alone"]);
    repository.commit("another beginning");
    let run = repository.run(&["check", "--changed", "main"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("no common ancestor"), "{}", run.err);

    fs::write(repository.path(".git/index"), "damaged").unwrap();
    let run = repository.run(&["check", "--staged"]);
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(run.err.contains("`git diff` failed"), "{}", run.err);
}

#[test]
fn the_users_git_configuration_changes_nothing() {
    let repository = Repository::new(&[("ci/buildspec.yml", CLEAN)]);
    for (key, value) in [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.external", "false"),
        ("diff.context", "9"),
        ("diff.interHunkContext", "9"),
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("diff.submodule", "log"),
        ("diff.algorithm", "histogram"),
        ("color.ui", "always"),
        ("core.pager", "false"),
        ("core.quotePath", "true"),
        ("status.relativePaths", "false"),
    ] {
        repository.git(&["config", key, value]);
    }
    repository.put(".gitattributes", "*.yml -diff\n");
    repository.put("ci/buildspec.yml", FLOATING);
    let found = concise(&repository, &["--changed", "main"]);
    assert!(
        found.contains(&"ci/buildspec.yml:6 latest-pushed".to_owned()),
        "{found:?}"
    );
    assert!(concise(&repository, &["--staged"]).is_empty());
    repository.git(&["add", "."]);
    assert_eq!(concise(&repository, &["--staged"]), found);
}

#[test]
fn a_list_of_files_is_read_by_line_or_by_nul_and_an_empty_one_means_none() {
    let repository = Repository::new(&[
        ("a/buildspec.yml", BROKEN),
        ("b/buildspec.yml", BROKEN),
        ("c/buildspec.yml", BROKEN),
        ("picture.png", "\u{0}"),
    ]);
    let check = |list: &[u8]| {
        let arguments = ["check", "--format", "concise", "--files-from", "-"];
        let run = run(repository.0.path(), &arguments, list);
        assert!(run.err.is_empty(), "{}", run.err);
        run.out.lines().map(place).collect::<Vec<_>>()
    };
    let expected = [
        "a/buildspec.yml:5 invalid-yaml",
        "b/buildspec.yml:5 invalid-yaml",
    ];
    assert_eq!(check(b"a/buildspec.yml\nb\npicture.png\n"), expected);
    assert_eq!(check(b"b/buildspec.yml\r\na/buildspec.yml\r\n"), expected);
    assert_eq!(check(b"b/buildspec.yml\0a/buildspec.yml"), expected);
    assert!(check(b"").is_empty());
    let missing = run(
        repository.0.path(),
        &["check", "--files-from", "-"],
        b"gone.yml\n",
    );
    assert_eq!(missing.code, Some(3));
    let missing = repository.run(&["check", "--files-from", "nowhere"]);
    assert_eq!(missing.code, Some(3));
    assert!(
        missing
            .err
            .contains("cannot read the list of files nowhere")
    );
}

#[test]
fn what_is_excluded_stays_excluded_when_it_is_named() {
    let repository = Repository::new(&[
        ("tagwright.toml", "exclude = [\"examples/\"]\n"),
        ("examples/buildspec.yml", BROKEN),
        ("old/buildspec.yml", FLOATING),
    ]);
    let run_with =
        |arguments: &[&str], input: &str| run(repository.0.path(), arguments, input.as_bytes());
    let named = run_with(&["check", "examples/buildspec.yml"], "");
    assert_eq!(named.code, Some(0));
    assert_eq!(
        named.err,
        "note: examples/buildspec.yml is excluded and not read\n"
    );
    let given = run_with(&["check", "--exclude", "old", "old/buildspec.yml"], "");
    assert_eq!((given.code, given.err.lines().count()), (Some(0), 1));
    let given = run_with(&["check", "--exclude", "old/*.yml"], "");
    assert_eq!((given.code, given.err.as_str()), (Some(0), ""));
    let wrong = run_with(&["check", "--exclude", "[z-a]"], "");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("`[z-a]`"), "{}", wrong.err);

    let name = "examples/new.yml";
    let stdin = run_with(&["check", "--stdin-filename", name], BROKEN);
    assert_eq!((stdin.code, stdin.err.as_str()), (Some(0), ""));
    let stdin = run_with(&["fix", "--stdin-filename", name], FLOATING);
    assert_eq!((stdin.code, stdin.out.as_str()), (Some(0), FLOATING));

    repository.put("examples/buildspec.yml", FLOATING);
    repository.git(&["add", "."]);
    assert!(concise(&repository, &["--staged"]).is_empty());
    assert!(concise(&repository, &["--changed", "main"]).is_empty());
}
