//! Files that a build hands to what deploys them as they are: the tag is put in before that, wherever it happens.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

use folder::Folder;

const IMAGE: &str = "210987654321.dkr.ecr.us-west-2.amazonaws.com/seats";

fn spec(more: &str, artifacts: &str) -> String {
    format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {IMAGE}:latest .\n      \
         - docker push {IMAGE}:latest\n{more}{artifacts}"
    )
}

/// What `fix --unsafe` makes of the buildspec with these files beside it.
fn fixed(spec: &str, files: &[(&str, &str)]) -> String {
    let mut all = vec![("buildspec.yml", spec)];
    all.extend(files);
    let folder = Folder::new(&all);
    let run = folder.run(&["fix", "--unsafe"]);
    assert!(matches!(run.code, Some(0 | 1)), "{}", run.err);
    for (path, text) in files {
        assert_eq!(folder.text(path), *text, "{path} is edited by the build");
    }
    folder.text("buildspec.yml")
}

/// Whether the tag is written into `path` by a command, before `behind` if that is not empty.
fn fills_in(text: &str, path: &str, behind: &str) -> bool {
    let edit = text.find("sed -i").filter(|at| {
        let end = text[*at..].find('\n').map_or(text.len(), |end| at + end);
        text[*at..end].ends_with(path)
    });
    let next = text.rfind(behind).unwrap_or(0);
    edit.is_some_and(|edit| behind.is_empty() || edit < next)
        && !text.contains(&format!("push {IMAGE}:latest"))
}

#[test]
fn task_definitions_are_filled_in_however_they_are_given() {
    let task = format!(
        "{{\"family\": \"seats\", \"containerDefinitions\": [{{\"name\": \"seats\", \"image\": \"{IMAGE}:latest\"}}]}}\n"
    );
    let list =
        format!("[{{\"name\": \"seats\", \"image\": \"{IMAGE}:latest\", \"essential\": true}}]\n");
    for (path, text, option) in [
        (
            "ecs/seats.json",
            &task,
            "--cli-input-json file://ecs/seats.json",
        ),
        (
            "ecs/seats.json",
            &task,
            "--cli-input-json \"$(cat ecs/seats.json)\"",
        ),
        (
            "ecs/list.json",
            &list,
            "--family seats --container-definitions file://ecs/list.json",
        ),
    ] {
        let more = format!("      - aws ecs register-task-definition {option}\n");
        let after = fixed(&spec(&more, ""), &[(path, text)]);
        assert!(fills_in(&after, path, "register-task"), "{option}: {after}");
    }
}

#[test]
fn artifacts_are_filled_in_at_the_end() {
    let task = format!(
        "{{\"containerDefinitions\": [{{\"name\": \"seats\", \"image\": \"{IMAGE}:latest\"}}]}}\n"
    );
    let definitions = format!("[{{\"name\": \"seats\", \"imageUri\": \"{IMAGE}:latest\"}}]\n");
    for (path, text, artifacts, fills) in [
        (
            "taskdef.json",
            &task,
            "  files:\n    - taskdef.json\n    - appspec.yaml\n",
            true,
        ),
        ("taskdef.json", &task, "  files: appspec.yaml\n", false),
        (
            "out/imagedefinitions.json",
            &definitions,
            "  base-directory: out\n  files: imagedefinitions.json\n",
            true,
        ),
        (
            "imagedefinitions.json",
            &definitions,
            "  files:\n    - '**/*'\n",
            true,
        ),
        (
            "a/imagedefinitions.json",
            &definitions,
            "  files:\n    - '**/*'\n",
            false,
        ),
    ] {
        let spec = spec("", &format!("artifacts:\n{artifacts}"));
        let after = fixed(&spec, &[(path, text)]);
        assert_eq!(
            fills_in(&after, path, ""),
            fills,
            "{path} {artifacts}: {after}"
        );
        assert!(fills || after == spec, "{path} {artifacts}: {after}");
    }
}

#[test]
fn a_manifest_that_a_script_applies_is_filled_in_before_the_script_runs() {
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: seats}}\nspec:\n  containers: [{{name: seats, image: \"{IMAGE}:latest\"}}]\n"
    );
    let script = (
        "apply.sh",
        "#!/bin/sh\nset -e\nkubectl apply -f k8s/seats.yaml\n",
    );
    let spec = spec("      - sh apply.sh\n", "");
    let after = fixed(&spec, &[script, ("k8s/seats.yaml", &manifest)]);
    assert!(fills_in(&after, "k8s/seats.yaml", "sh apply.sh"), "{after}");
    // Whoever else runs it would apply the old text.
    let more = ("Makefile", "up:\n\tsh apply.sh\n");
    let after = fixed(&spec, &[script, more, ("k8s/seats.yaml", &manifest)]);
    assert_eq!(after, spec);
}
