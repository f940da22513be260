//! Shell scripts that buildspecs run, read with what these hand over.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tagwright_flow::expression::Origin;
use tagwright_flow::facts::ImageUse;
use tagwright_flow::{FileId, ReadOptions, Workspace, read_file};

/// A workspace of these files.
fn workspace(files: &[(&str, &str)]) -> Workspace {
    let facts = files.iter().zip(0..).map(|((path, text), id)| {
        let (path, text) = (Arc::from(*path), Arc::from(*text));
        read_file(FileId(id), &path, &text, &ReadOptions::default())
    });
    Workspace::new(facts.collect(), &[])
}

/// A buildspec of these commands.
fn buildspec(commands: &[&str]) -> String {
    let items: String = commands
        .iter()
        .map(|it| format!("      - {it}\n"))
        .collect();
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{items}")
}

/// The images that the second file names, as its shell sees them.
fn images(commands: &[&str], path: &str, script: &str) -> Vec<String> {
    let spec = buildspec(commands);
    let workspace = workspace(&[("buildspec.yml", &spec), (path, script)]);
    let shown = |image: &ImageUse| {
        let tags: Vec<String> = image
            .tags
            .iter()
            .map(|tag| tag.written.to_string())
            .collect();
        let latest = if image.is_latest() { " latest" } else { "" };
        format!("{} {}{latest}", image.repository.key(), tags.join(","))
    };
    workspace.files()[1].uses.iter().map(shown).collect()
}

#[test]
fn a_script_is_read_as_it_is_run() {
    let script = "#!/bin/sh\ndocker push $IMAGE:latest\n";
    for commands in [
        &["export IMAGE=r.io/web", "./ci/x.sh"][..],
        &["IMAGE=r.io/web ./ci/x.sh"],
        &["IMAGE=r.io/web", "export IMAGE", "sh -e ci/x.sh"],
        &["export IMAGE=r.io/web", "bash -eo pipefail ci/x.sh"],
        &["IMAGE=r.io/web", ". ./ci/x.sh"],
        &["export IMAGE=r.io/web", "cd ci", "./x.sh"],
        &["export IMAGE=r.io/web", "cd ci && ./x.sh"],
        &[
            "export IMAGE=r.io/web",
            "(cd docs; ls)",
            "$CODEBUILD_SRC_DIR/ci/x.sh",
        ],
        &["export IMAGE=r.io/web", "sudo -E ci/x.sh"],
        &["export IMAGE=r.io/web", "chmod +x ci/x.sh && ./ci/x.sh"],
    ] {
        assert_eq!(
            images(commands, "ci/x.sh", script),
            ["r.io/web latest latest"],
            "{commands:?}"
        );
    }
    // A child sees nothing that is not exported.
    let commands = ["IMAGE=r.io/web", "./ci/x.sh"];
    assert_eq!(
        images(&commands, "ci/x.sh", script),
        ["${IMAGE} latest latest"]
    );
}

#[test]
fn a_script_that_is_not_surely_run_says_nothing() {
    let script = "#!/bin/sh\ndocker push r.io/web:latest\n";
    for command in [
        "sudo ./ci/x.sh",
        "env -i ./ci/x.sh",
        "eval ./ci/x.sh",
        "echo ./ci/x.sh",
        "cd $WHERE && ./ci/x.sh",
        "docker run image ./ci/x.sh",
        "ssh host ./ci/x.sh",
        "find . | xargs ./ci/x.sh",
        "bash -c ./ci/x.sh",
        "sh -s < ci/x.sh",
        "./other.sh",
    ] {
        assert!(
            images(&[command], "ci/x.sh", script).is_empty(),
            "{command}"
        );
    }
    let windows = script.replace('\n', "\r\n");
    assert!(images(&["sh ci/x.sh"], "ci/x.sh", &windows).is_empty());
}

#[test]
fn arguments_are_known_by_their_number() {
    let spec = buildspec(&["./x.sh web latest"]);
    let script = "#!/bin/sh\nTAG=$2\ndocker push r.io/$1:$TAG\n";
    let workspace = workspace(&[("buildspec.yml", &spec), ("x.sh", script)]);
    let image = &workspace.files()[1].uses[0];
    assert_eq!(image.repository.key(), "r.io/web");
    assert!(image.is_latest());
    assert_eq!(image.tags[0].origin, Origin::Given("2".into()));
    assert_eq!(image.tags[0].site, None);
}

#[test]
fn in_a_function_or_after_a_shift_an_argument_is_another_one() {
    for script in [
        "#!/bin/sh\npush() { docker push r.io/web:$1; }\npush v2\n",
        "#!/bin/sh\nshift\ndocker push r.io/web:$1\n",
        "#!/bin/sh\nset -- a b\ndocker push r.io/web:$1\n",
    ] {
        assert_eq!(
            images(&["./x.sh latest"], "x.sh", script),
            ["r.io/web $1"],
            "{script}"
        );
    }
}

#[test]
fn what_two_callers_hand_over_is_known_where_both_agree() {
    let spec = buildspec(&["export R=r.io", "./x.sh web latest", "./x.sh api latest"]);
    let script = "#!/bin/sh\ndocker push $R/$1:$2\n";
    let workspace = workspace(&[("buildspec.yml", &spec), ("x.sh", script)]);
    let image = &workspace.files()[1].uses[0];
    assert_eq!(image.repository.key(), "r.io/${1}");
    assert!(image.is_latest());
}

#[test]
fn scripts_are_followed_through_scripts() {
    let spec = buildspec(&["cd ci && ./a.sh"]);
    let outer = "#!/bin/bash\nexport IMAGE=r.io/web\n./b.sh\n";
    let inner = "#!/bin/sh\ndocker push $IMAGE:latest\n";
    let files = [
        ("buildspec.yml", &*spec),
        ("ci/b.sh", inner),
        ("ci/a.sh", outer),
    ];
    let workspace = workspace(&files);
    let image = &workspace.files()[1].uses[0];
    assert_eq!(image.repository.key(), "r.io/web");
    let builds = workspace.builds_of(FileId(1));
    assert_eq!(builds.len(), 1);
    assert_eq!(builds[0].0, FileId(0));
}
