//! The law of a fix, over small repositories made at random: all mentions of an image move together, or none does.
//!
//! The check is a plain search of the texts for what the generator has written; it asks neither the readers nor
//! the guard. `TAGWRIGHT_ROUNDS` says how many repositories are made, `TAGWRIGHT_SEED` where to begin.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::sync::Arc;

use tagwright_fixer::{Options, run};
use tagwright_flow::FileKind;
use tagwright_flow::kind::classify;
use tagwright_project::Workspace;
use tagwright_project::analysis::Analysis;
use tagwright_project::config::Config;
use tagwright_project::surroundings::Around;
use tagwright_project::workspace::Document;

/// A small generator of numbers (splitmix64): the same seed gives the same repository on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const NAME: &str = "340955570123.dkr.ecr.eu-north-1.amazonaws.com/ledger";

/// Commands of the buildspec that name the image; `@` is its name as the file writes it.
const COMMANDS: [&str; 26] = [
    "docker run --rm @:latest selftest",
    "shipctl roll out --image=@:latest",
    "shipctl roll out \"@\":latest",
    "kubectl set image deployment/ledger ledger=@:latest",
    "kubectl argo rollouts set image ledger ledger=@:latest",
    "aws lambda update-function-code --function-name ledger --image-uri @:latest",
    "trivy image --exit-code 1 @:latest",
    "echo \"@:latest\" > image.txt",
    "echo \"IMAGE=@:latest\" >> deploy.env",
    "export LEDGER_IMAGE=@:latest",
    "sed -i \"s|IMAGE|@:latest|\" k8s/ledger.yaml",
    "curl -fsS -d \"{\\\"image\\\":\\\"@:latest\\\"}\" https://deploy.example.com/hook",
    "ssh ops@10.1.1.1 -p 2222 \"docker pull @:latest\"",
    "for image in @:latest; do ./scan.sh $image; done",
    "aws ssm put-parameter --name /ledger --overwrite --value @:latest",
    "python3 -c \"import deploy; deploy.run('@:latest')\"",
    "xargs -I{} docker pull {} <<< @:latest",
    "docker manifest inspect @:latest",
    "terraform apply -auto-approve -var image_tag=latest",
    "helm upgrade ledger ./chart --set image.tag=latest",
    "make release TAG=latest",
    "TAG=latest ./release.sh",
    "./release.sh latest",
    "cdk deploy -c imageTag=latest",
    "aws cloudformation deploy --stack-name l --template-file t.yml --parameter-overrides ImageTag=latest",
    "docker build --cache-from @:latest -t ledger-tests . || true",
];

/// Other files that name the image; `@` is its whole name.
const FILES: [(&str, &str); 18] = [
    ("ops/run.sh", "#!/bin/sh\ndocker run -d @:latest\n"),
    ("ops/run.sh", "IMAGE=@\ndocker run -d \"$IMAGE:latest\"\n"),
    ("Makefile", "up:\n\tdocker run @:latest\n"),
    ("e2e/Dockerfile", "FROM @:latest\nRUN true\n"),
    (
        "e2e/Dockerfile",
        "FROM alpine:3.20\nCOPY --from=@:latest /a /a\n",
    ),
    (
        "compose.yaml",
        "services:\n  ledger:\n    image: @:latest\n",
    ),
    (
        "k8s/ledger.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  image: @:latest\n",
    ),
    (
        "chart/values.yaml",
        "image:\n  repository: @\n  tag: latest\n",
    ),
    (
        "k8s/kustomization.yaml",
        "images:\n  - name: ledger\n    newName: @\n    newTag: latest\n",
    ),
    (
        "infra/main.tf",
        "resource \"aws_lambda_function\" \"l\" {\n  image_uri = \"@:latest\"\n}\n",
    ),
    (
        "infra/main.tf",
        "resource \"x\" \"y\" {\n  d = jsonencode([{ image = \"@:latest\" }])\n}\n",
    ),
    (
        "infra/vars.tf",
        "variable \"image_tag\" {\n  default = \"latest\"\n}\n",
    ),
    (
        "infra/t.yml",
        "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Image: !Sub \"${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/ledger:latest\"\n",
    ),
    (
        "taskdef.json",
        "{\"containerDefinitions\": [{\"name\": \"l\", \"image\": \"@:latest\"}]}\n",
    ),
    (
        "infra/stack.ts",
        "image: ContainerImage.fromEcrRepository(repo, 'latest'),\n",
    ),
    (
        ".github/workflows/e2e.yml",
        "jobs:\n  e2e:\n    container:\n      image: @:latest\n",
    ),
    ("lib/deploy.py", "IMAGE = \"@:latest\"\n"),
    (".env", "LEDGER_TAG=latest\n"),
];

/// Scripts that the buildspec runs, each with the command; `@` is the image's whole name.
const RUN: [(&str, &str, &str); 5] = [
    (
        "sh ci/ship.sh",
        "ci/ship.sh",
        "#!/bin/sh\nset -e\nIMAGE=@\ndocker push \"$IMAGE:latest\"\n",
    ),
    (
        "(cd ci && ./run.sh) || true",
        "ci/run.sh",
        "#!/bin/bash\ndocker run -d @:latest\n",
    ),
    (
        ". ./ci/env.sh",
        "ci/env.sh",
        "export LEDGER_IMAGE=@:latest\ndocker pull $LEDGER_IMAGE\n",
    ),
    (
        "bash ci/deploy.sh prod",
        "ci/deploy.sh",
        "#!/bin/bash\naws lambda update-function-code --function-name $1 --image-uri @:latest\n",
    ),
    (
        "sudo ci/roll.sh",
        "ci/roll.sh",
        "#!/bin/sh\nkubectl set image deployment/ledger ledger=@:latest\n",
    ),
];

/// Texts that nobody reads, or that are about something else.
const PROSE: [(&str, &str); 6] = [
    ("README.md", "docker run @:latest\n"),
    ("ops/notes.sh", "# docker run @:latest\necho \"@:latest\"\n"),
    ("docs/ops.rst", "@:latest\n"),
    ("infra/other.tf", "# image = \"@:latest\"\n"),
    (
        "db/compose.yml",
        "services:\n  db:\n    image: postgres:latest\n",
    ),
    (
        "package.json",
        "{\"devDependencies\": {\"x\": \"latest\"}}\n",
    ),
];
const PROSE_COMMANDS: [&str; 4] = [
    "echo \"built @:latest\"",
    "echo @:latest is what the demo shows >&2",
    "npm install --global serverless@latest",
    "# @:latest is what the demo shows",
];

struct Repository {
    files: Vec<(&'static str, String)>,
    /// What has to move with the image, by file; each text is in it once.
    mentions: Vec<(&'static str, String)>,
}

fn repository(random: &mut Random) -> Repository {
    let by_variable = random.chance(50);
    let written = if by_variable {
        random.pick(&["$REPO", "${REPO}"])
    } else {
        NAME
    };
    let here = |text: &str| text.replace('@', written);
    let mut commands = vec![
        (here("docker build -t @:latest ."), true),
        (here("docker push @:latest"), true),
    ];
    if random.chance(70) {
        let record =
            "printf '[{\"name\":\"l\",\"imageUri\":\"%s\"}]' @:latest > imagedefinitions.json";
        commands.push((here(record), true));
    }
    for _ in 0..random.below(3) {
        let real = random.chance(60);
        let command = if real {
            random.pick(&COMMANDS)
        } else {
            random.pick(&PROSE_COMMANDS)
        };
        // A package at its latest release is no image; an address of ssh is no name.
        let written = if command.contains("npm") {
            command.to_owned()
        } else {
            here(command).replace(&here("ops@"), "ops@")
        };
        if !commands.iter().any(|(known, _)| *known == written) {
            commands.push((written, real));
        }
    }
    let script = random.chance(40).then(|| random.pick(&RUN));
    if let Some((command, ..)) = script {
        commands.push((command.to_owned(), false));
    }
    let mut spec = String::from("version: 0.2\n");
    if by_variable {
        let _ = write!(spec, "env:\n  variables:\n    REPO: {NAME}\n");
    }
    spec.push_str("phases:\n  build:\n    commands:\n");
    let mut mentions = Vec::new();
    for (command, real) in commands {
        let line = format!("        {command}\n");
        let _ = write!(spec, "      - |\n{line}");
        if real {
            mentions.push(("buildspec.yml", line));
        }
    }
    spec.push_str("artifacts:\n  files: imagedefinitions.json\n");
    let mut files = vec![("buildspec.yml", spec)];
    if let Some((_, path, text)) = script {
        let text = text.replace('@', NAME);
        mentions.push((path, text.clone()));
        files.push((path, text));
    }
    for _ in 0..random.below(3) {
        let real = random.chance(40);
        let (path, text) = if real {
            random.pick(&FILES)
        } else {
            random.pick(&PROSE)
        };
        if files.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let text = text.replace('@', NAME);
        if real {
            mentions.push((path, text.clone()));
        }
        files.push((path, text));
    }
    Repository { files, mentions }
}

/// The texts after `fix --unsafe`, in the order of the files.
fn fixed(files: &[(&'static str, String)]) -> Vec<String> {
    let mut indices = Vec::new();
    let mut documents = Vec::new();
    for (index, (path, text)) in files.iter().enumerate() {
        let kind = classify(path, text);
        if kind == FileKind::Other {
            continue;
        }
        indices.push(index);
        documents.push(Document {
            shown: Arc::from(*path),
            path: None,
            relative: Arc::from(*path),
            text: Arc::from(text.as_str()),
            kind,
            target: true,
            held: None,
        });
    }
    let all = files
        .iter()
        .map(|(path, text)| (Arc::from(*path), Arc::from(text.as_str())));
    let analysis = Analysis::new(&Config::default());
    let workspace = Workspace::new(documents, analysis).among(Around::of_texts(all));
    let options = Options {
        unsafe_fixes: true,
        ..Options::default()
    };
    let outcome = run(workspace.sources(), &workspace, options);
    let mut texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    for ((_, source), index) in outcome.sources.iter().zip(indices) {
        texts[index] = source.text.to_string();
    }
    texts
}

#[test]
fn all_mentions_of_an_image_move_together_or_none_does() {
    let number = |name: &str, default: u64| {
        let given = std::env::var(name).ok();
        given.and_then(|it| it.parse().ok()).unwrap_or(default)
    };
    let (rounds, seed) = (number("TAGWRIGHT_ROUNDS", 600), number("TAGWRIGHT_SEED", 1));
    let (mut moved, mut stayed) = (0, 0);
    for round in 0..rounds {
        let mut random = Random(seed.wrapping_mul(1 << 32).wrapping_add(round));
        let Repository { files, mentions } = repository(&mut random);
        let texts = fixed(&files);
        let left: Vec<&str> = mentions
            .iter()
            .filter(|(path, mention)| {
                let index = files.iter().position(|(file, _)| file == path).unwrap();
                texts[index].contains(mention.as_str())
            })
            .map(|(_, mention)| mention.trim())
            .collect();
        let changed = files
            .iter()
            .zip(&texts)
            .any(|((_, before), after)| before != after);
        if changed {
            moved += 1;
        } else {
            stayed += 1;
        }
        assert!(
            left.is_empty() || left.len() == mentions.len() && !changed,
            "round {round} leaves {left:#?} behind in\n{}",
            texts.join("\n---\n")
        );
    }
    println!("{moved} moved, {stayed} stayed where they were");
    // A test in which nothing ever moves, or everything does, would show nothing.
    assert!(
        moved * 10 > rounds && stayed * 10 > rounds,
        "{moved} of {rounds} moved"
    );
}
