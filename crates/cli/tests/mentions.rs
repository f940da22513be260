//! Nothing is left behind: one place of the repository that goes on naming the image, and nothing moves.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

use folder::Folder;

/// Builds, pushes and records `210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets:latest`, and runs `more`.
fn spec(more: &str) -> String {
    let image = "210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets";
    format!(
        "version: 0.2\nenv:\n  variables:\n    REPO: {image}\nphases:\n  build:\n    commands:\n      \
         - docker build -t $REPO:latest .\n      - docker push $REPO:latest\n  post_build:\n    commands:\n      \
         - printf '[{{\"name\":\"tickets\",\"imageUri\":\"%s\"}}]' $REPO:latest > imagedefinitions.json\n{more}\
         artifacts:\n  files: imagedefinitions.json\n"
    )
}

/// Whether `fix --unsafe` changes a repository with these files beside the buildspec.
fn moves(more: &str, files: &[(&str, &str)]) -> bool {
    moves_of(&spec(more), files)
}

/// Builds and deploys the same image under its commit, with `latest` where there were none, and pushes `latest` beside it.
fn spec_of_commits() -> String {
    let image = "210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets";
    format!(
        "version: 0.2\nenv:\n  variables:\n    REPO: {image}\nphases:\n  build:\n    commands:\n      \
         - COMMIT=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)\n      - TAG=${{COMMIT:=latest}}\n      \
         - docker build -t $REPO:latest .\n      - docker tag $REPO:latest $REPO:$TAG\n      \
         - docker push $REPO:latest\n      - docker push $REPO:$TAG\n  post_build:\n    commands:\n      \
         - printf '[{{\"name\":\"tickets\",\"imageUri\":\"%s\"}}]' $REPO:$TAG > imagedefinitions.json\n\
         artifacts:\n  files: imagedefinitions.json\n"
    )
}

fn moves_of(text: &str, files: &[(&str, &str)]) -> bool {
    let mut all = vec![("buildspec.yml", text)];
    all.extend(files);
    let folder = Folder::new(&all);
    let checked = folder.run(&["check", "--format", "json"]).json();
    let run = folder.run(&["fix", "--unsafe"]);
    assert!(matches!(run.code, Some(0 | 1)), "{}", run.err);
    let changed = folder.text("buildspec.yml") != text;
    let summary = &checked["summary"];
    let promised = ["fixable", "fixable_unsafe"].map(|key| summary[key].as_u64().unwrap_or(0));
    assert_eq!(
        promised.iter().sum::<u64>() > 0,
        changed,
        "check promises {promised:?}: {}",
        run.err
    );
    // A fallback to `latest` behind the commit is one more thing to fix, which moves nothing.
    !folder.text("buildspec.yml").contains("push $REPO:latest")
}

#[test]
fn a_mention_in_another_file_keeps_everything_where_it_is() {
    let image = "210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets";
    let with = |text: &str| text.replace("IMAGE", image);
    for (path, text) in [
        ("ops/run.sh", "docker run -d IMAGE:latest\n"),
        ("ops/run", "#!/bin/bash\ndocker run -d \"IMAGE\":latest\n"),
        ("ops/run.sh", "R=IMAGE\ndocker run -d ${R}:latest\n"),
        ("ops/run.sh", "docker run -d \"$TICKETS_IMAGE:latest\"\n"),
        ("ops/run.sh", "docker run -d IMAGE:${TAG:-latest}\n"),
        (
            "ops/roll.sh",
            "aws ecs update-service --service tickets --cluster c \\\n  --force-new-deployment --task-definition \"$OLD\"; kubectl rollout restart deploy/tickets\n",
        ),
        ("Makefile", "up:\n\tdocker run IMAGE:latest\n"),
        (
            "Makefile",
            "TAG ?= latest\nup:\n\tdocker run IMAGE:$(TAG)\n",
        ),
        ("justfile", "up:\n  docker run IMAGE:latest\n"),
        ("e2e/Dockerfile", "FROM IMAGE:latest\n"),
        (
            "e2e/Dockerfile",
            "FROM alpine:3\nCOPY --from=IMAGE:latest /x /x\n",
        ),
        (
            "e2e/tests.Dockerfile",
            "ARG BASE=IMAGE:latest\nFROM $BASE\n",
        ),
        (
            "compose.yaml",
            "services:\n  tickets:\n    image: IMAGE:latest\n",
        ),
        (
            "k8s/cron.yaml",
            "apiVersion: batch/v1\nkind: CronJob\nspec:\n  x:\n    - image: IMAGE:latest\n",
        ),
        (
            "k8s/kustomization.yaml",
            "images:\n  - name: tickets\n    newName: IMAGE\n    newTag: latest\n",
        ),
        (
            "chart/values.yaml",
            "image:\n  repository: IMAGE\n  tag: latest\n",
        ),
        (
            "chart/values.yaml",
            "image:\n  registry: 210987654321.dkr.ecr.us-west-2.amazonaws.com\n  repository: tickets\n  tag: \"latest\"\n",
        ),
        ("infra/main.tf", "locals { image = \"IMAGE:latest\" }\n"),
        (
            "infra/main.tf",
            "resource \"x\" \"y\" {\n  c = <<EOT\n  {\"image\": \"IMAGE:latest\"}\nEOT\n}\n",
        ),
        (
            "infra/main.tf",
            "resource \"x\" \"y\" {\n  image = \"${data.aws_ecr_repository.tickets.repository_url}:latest\"\n}\n",
        ),
        (
            "infra/main.tf",
            "resource \"x\" \"y\" {\n  image = data.aws_ecr_repository.tickets.repository_url\n}\n",
        ),
        (
            "infra/main.tf",
            "resource \"x\" \"y\" {\n  d = templatefile(\"task.json\", { tickets_image_path = aws_ecr_repository.tickets.repository_url })\n}\n",
        ),
        (
            "infra/variables.tf",
            "variable \"image_tag\" {\n  type    = string\n  default = \"latest\"\n}\n",
        ),
        ("infra/prod.tfvars", "tickets_image_tag = \"latest\"\n"),
        (
            "infra/service.yml",
            "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Image: !Join [':', [!GetAtt Repo.RepositoryUri, latest]]\n",
        ),
        (
            "infra/service.yml",
            "Parameters:\n  ImageTag:\n    Type: String\n    Default: latest\nResources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n",
        ),
        (
            "infra/service.json",
            "{\"Parameters\": {\"TicketsTag\": {\"Type\": \"String\", \"Default\": \"latest\"}}, \"Resources\": {\"T\": {\"Type\": \"AWS::X\"}}}",
        ),
        (
            "infra/params.json",
            "[{\"ParameterKey\": \"ImageTag\", \"ParameterValue\": \"latest\"}]",
        ),
        (
            "infra/stack.ts",
            "image: ecs.ContainerImage.fromEcrRepository(repository),\n",
        ),
        (
            "infra/stack.ts",
            "image: ecs.ContainerImage.fromEcrRepository(\n  repository,\n  'latest',\n),\n",
        ),
        (
            "infra/stack.py",
            "image = ecs.ContainerImage.from_registry(uri + ':latest')\n",
        ),
        (
            "infra/stack.go",
            "Image: jsii.String(fmt.Sprintf(\"%s:latest\", uri)),\n",
        ),
        (
            ".gitlab-ci.yml",
            "test:\n  image: IMAGE:latest\n  script: [make]\n",
        ),
        (
            ".circleci/config.yml",
            "jobs:\n  a:\n    docker:\n      - image: IMAGE:latest\n",
        ),
        ("Jenkinsfile", "agent { docker { image 'IMAGE:latest' } }\n"),
        (
            "azure-pipelines.yml",
            "steps:\n  - script: docker pull IMAGE:latest\n",
        ),
        (
            "samconfig.toml",
            "parameter_overrides = \"ImageTag=latest\"\n",
        ),
        (".env.production", "TICKETS_TAG=latest\n"),
        (
            "nomad/tickets.nomad",
            "config { image = \"IMAGE:latest\" }\n",
        ),
        (
            "package.json",
            "{\"scripts\": {\"roll\": \"shipit --image IMAGE:latest\"}}\n",
        ),
        (
            "infra/main.tf",
            "locals {\n  image = format(\n    \"%s:%s\",\n    aws_ecr_repository.tickets.repository_url, \"latest\"\n  )\n}\n",
        ),
        (
            "chart/templates/web.yaml",
            "spec:\n  containers:\n    - image: \"{{ .Values.repo }}:{{ .Values.tag | default \"latest\" }}\"\n",
        ),
        ("ops/roll.py", "call(f\"{repository}:latest\")\n"),
        (
            "ops/tag.sh",
            "sed -i \"s|tickets:.*|tickets:latest|\" stack.yml\n",
        ),
        (
            "ansible/site.yml",
            "- hosts: all\n  tasks:\n    - docker_container:\n        name: tickets\n        image: IMAGE\n        tag: latest\n",
        ),
    ] {
        assert!(!moves("", &[(path, &with(text))]), "{path}: {text}");
        // A tag that falls back to `latest` pushes it in no build that knows its commit.
        let commits = spec_of_commits();
        assert!(
            !moves_of(&commits, &[(path, &with(text))]),
            "{path}: {text}"
        );
    }
    assert!(moves_of(&spec_of_commits(), &[]));
}

#[test]
fn what_another_machine_runs_with_compose_is_deployed_again() {
    let run = |line: &str| format!("#!/bin/sh\n{line}\n");
    for line in [
        "aws ssm send-command --parameters 'commands=[\"docker-compose pull\", \"docker-compose up -d\"]'",
        "ssh \"$HOST\" 'cd /srv && docker compose -f prod.yml pull && docker compose up -d'",
        "ssh $HOST docker compose up -d --pull always",
    ] {
        assert!(!moves("", &[("ops/roll.sh", &run(line))]), "{line}");
    }
    for line in ["docker-compose pull", "ssh $HOST docker compose ps"] {
        assert!(moves("", &[("ops/dev.sh", &run(line))]), "{line}");
    }
}

#[test]
fn a_tag_that_nobody_reads_stops_nothing() {
    let text = |more: &str| {
        spec("").replace(
            "  build:\n    commands:\n",
            &format!("  build:\n    commands:\n      - IMAGE_TAG=${{COMMIT:=latest}}\n{more}"),
        )
    };
    assert!(moves_of(&text(""), &[]));
    for more in [
        "      - export IMAGE_TAG\n",
        "      - docker run $REPO:$IMAGE_TAG\n",
        "      - set -a\n",
    ] {
        assert!(!moves_of(&text(more), &[]), "{more}");
    }
}

#[test]
fn a_mention_in_another_command_keeps_everything_where_it_is() {
    for command in [
        "shipit --image=$REPO:latest",
        "shipit \"${REPO}:latest\"",
        "./notify.py '{\"image\": \"'$REPO':latest\"}'",
        "node -e \"deploy('$REPO:latest')\"",
        "echo \"IMAGE=$REPO:latest\" >> deploy.env",
        "export TF_VAR_image_tag=latest",
        "TAG=latest make release",
        "make release TAG=latest",
        "./release.sh latest",
        "terragrunt run-all apply -var tickets_tag=latest",
        "sam deploy --parameter-overrides ParameterKey=ImageTag,ParameterValue=latest",
        "cdk deploy -c imageTag=latest",
        "ecs-cli compose --file c.yml up --image-tag latest",
        "aws apprunner start-deployment --service-arn $ARN",
        "kubectl -n shop rollout restart deployment tickets",
        "eb deploy tickets-prod",
        "docker service update --force tickets",
        "shipit --image oci-archive://$REPO:latest",
        "{ echo \"image=$REPO:latest\"; date; } > release.env",
        "for i in 1; do echo \"image=$REPO:latest\"; done | tee release.env",
        "printf -v image '%s' \"$REPO:latest\"; shipit \"$image\"",
        "sed -i -e \"s/@VERSION@/latest/\" deploy.yaml",
        "sed 's|tickets:.*|tickets:latest|' deploy.yaml",
        "./release.sh \"${1:-latest}\"",
        "IMAGE_TAG=latest docker compose -f prod.yaml push",
        "npx cdk deploy -c imageTag=latest",
        "npm run deploy -- --tag=latest",
        "gh workflow run deploy.yml -f tag=latest",
        "curl -X POST \"$HOOK?tag=latest\"",
        "aws ssm put-parameter --name /tickets/version --value=latest",
        "yq e \".spec.image |= \\\"latest\\\"\" -i deploy.yaml",
        "terraform apply -var 'tags={tickets=\"latest\"}'",
        "python3 -c 'print(f\"{repo}:latest\")' > image.txt",
        "aws ecs stop-task --cluster c --task $TASK",
        "kubectl delete pods -l app=tickets",
        "kubectl scale deployment/tickets --replicas=0",
        "kubectl argo rollouts restart tickets",
        "aws autoscaling start-instance-refresh --auto-scaling-group-name tickets",
        "aws batch submit-job --job-name t --job-queue q --job-definition tickets",
        "helm upgrade tickets ./chart --reuse-values",
    ] {
        // Compose the command as a block, so that YAML reads nothing into it.
        let more = format!("      - |\n        {command}\n");
        let text = spec(&more);
        let folder = Folder::new(&[("buildspec.yml", text.as_str())]);
        folder.run(&["fix", "--unsafe"]);
        let after = folder.text("buildspec.yml");
        // Where a reader explains the command, it moves with the others.
        let left = after.contains("REPO:latest") || after.contains("=latest");
        assert!(after == text || !left, "{command}:\n{after}");
    }
}

#[test]
fn what_names_the_image_by_another_name_keeps_everything_where_it_is() {
    let kustomization = "resources: [pod.yaml]\nimages:\n  - name: web\n    newName: \
         210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets\n";
    let files = [("k8s/kustomization.yaml", kustomization)];
    for command in [
        "cd k8s && kustomize edit set image \"web=*:latest\"",
        "(cd k8s && kustomize edit set image web=*:latest)",
        "oc import-image web:latest --confirm",
        "oc -n shop import-image web",
    ] {
        let more = format!("      - |\n        {command}\n");
        assert!(!moves(&more, &files), "{command}");
    }
    for command in [
        "oc import-image web:$CODEBUILD_BUILD_NUMBER --confirm",
        "cd k8s && kustomize edit set image \"web=*:v2\"",
        "cd k8s && kustomize edit set image \"example.com/web=*:latest\"",
    ] {
        let more = format!("      - |\n        {command}\n");
        assert!(moves(&more, &[]), "{command}");
    }
}

#[test]
fn what_nobody_reads_or_is_about_something_else_holds_nothing_back() {
    let image = "210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets";
    for (path, text) in [
        ("docs/run.md", "docker run IMAGE:latest\n"),
        ("CONTRIBUTING", "docker run IMAGE:latest\n"),
        ("docs/flow.puml", "node \"IMAGE:latest\"\n"),
        ("src/b.py", "\"\"\"\nRuns in IMAGE:latest.\n\"\"\"\n"),
        ("CHANGELOG", "IMAGE:latest\n"),
        (
            "ops/run.sh",
            "# docker run IMAGE:latest\necho IMAGE:latest\n",
        ),
        ("ops/run.sh", "docker run postgres:latest\n"),
        (
            "ops/run.sh",
            "docker run 210987654321.dkr.ecr.us-west-2.amazonaws.com/other:latest\n",
        ),
        (
            "ops/run.sh",
            "npm install -g serverless@latest && curl https://x.io/latest/y\n",
        ),
        (
            "compose.yaml",
            "services:\n  tickets:\n    image: tickets:latest\n",
        ),
        (
            "compose.yaml",
            "services:\n  db:\n    image: ${MIRROR}/postgres:latest\n",
        ),
        (
            "chart/values.yaml",
            "redis:\n  repository: bitnami/redis\n  tag: latest\n",
        ),
        (
            "infra/main.tf",
            "# image = \"IMAGE:latest\"\nvariable \"engine\" {\n  default = \"latest\"\n}\n",
        ),
        (
            "package.json",
            "{\"dependencies\": {\"tickets\": \"latest\"}}\n",
        ),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: x/y@latest\n        with:\n          version: latest\n",
        ),
        ("src/a.ts", "// IMAGE:latest\nconst channel = 'latest';\n"),
        ("src/a.py", "def latest(x):\n    return x[\"latest\"]\n"),
        (
            "api/buildspec.yml",
            "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $REPOSITORY:latest .\n      - docker push $REPOSITORY:latest\n",
        ),
    ] {
        assert!(
            moves("", &[(path, &text.replace("IMAGE", image))]),
            "{path}: {text}"
        );
    }
    for command in [
        "{ echo \"$REPO:latest is out\"; } >&2",
        "kubectl scale --help",
        "echo \"$REPO:latest is out\"",
        "npm publish --tag latest",
        "git tag -f latest",
        "aws s3 cp out.zip s3://bucket/latest.zip",
        "kubectl rollout status deployment/tickets",
        "python -m pip install --upgrade latest-pkg",
    ] {
        let more = format!("      - |\n        {command}\n");
        assert!(moves(&more, &[]), "{command}");
    }
}

#[test]
fn a_refusal_names_the_file_and_the_line() {
    let text = spec("");
    let folder = Folder::new(&[
        ("buildspec.yml", text.as_str()),
        (
            "ops/run.sh",
            "#!/bin/sh\nset -e\ndocker run \"$IMAGE:latest\"\n",
        ),
    ]);
    let run = folder.run(&["fix", "--unsafe"]);
    assert!(run.out().contains("ops/run.sh:3"), "{}", run.out());
}

#[test]
fn images_named_by_a_loop_are_the_ones_that_it_names() {
    let spec = |list: &str, image: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - REG=210987654321.dkr.ecr.us-west-2.amazonaws.com\n      \
             - |\n        {list}\n          docker build -t $REG/$name:latest $name\n          docker push $REG/$name:latest\n        \
             done\n      - shipit --image $REG/{image}:latest\n"
        )
    };
    for (list, image, moves) in [
        ("for name in tickets mails; do", "tickets", false),
        ("for name in tickets mails; do", "proxy", true),
        ("for name in $NAMES; do", "tickets", false),
        ("while read -r name; do", "tickets", false),
    ] {
        let text = spec(list, image);
        let folder = Folder::new(&[("buildspec.yml", text.as_str())]);
        folder.run(&["fix", "--unsafe"]);
        let changed = folder.text("buildspec.yml") != text;
        assert_eq!(changed, moves, "{list} {image}");
    }
}

#[test]
fn a_branch_that_a_script_reads_as_it_is_called_is_not_redefined() {
    let text = spec("").replace(
        "  build:\n    commands:\n",
        "  build:\n    commands:\n      - ./fetch.sh\n",
    );
    for (script, moves) in [
        ("#!/bin/sh\ngit switch \"$BRANCH_NAME\"\n", false),
        ("#!/bin/sh\necho \"building $BRANCH_NAME\"\n", true),
        (
            "#!/bin/sh\nBRANCH_NAME=$(cat branch)\ngit switch \"$BRANCH_NAME\"\n",
            true,
        ),
    ] {
        assert_eq!(moves_of(&text, &[("fetch.sh", script)]), moves, "{script}");
    }
}

#[test]
fn the_argument_of_a_function_moves_where_it_is_called_or_nothing_does() {
    let spec = |body: &str, calls: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        IMG=210987654321.dkr.ecr.us-west-2.amazonaws.com/tickets\n        \
             release() {{\n          docker build -t \"$IMG:$1\" .\n          docker push \"$IMG:$1\"\n          {body}\n        }}\n        {calls}\n"
        )
    };
    for (body, calls, expected) in [
        ("date", "release latest", Some("release ${BRANCH_NAME}")),
        (
            "date",
            "release latest; release v1",
            Some("release ${BRANCH_NAME}; release v1"),
        ),
        // A package keeps its tag, so the words that name the image change.
        (
            "npm publish --tag $1",
            "release latest",
            Some("docker push \"$IMG:${BRANCH_NAME}\""),
        ),
        ("./roll $1", "release latest", None),
        ("date", "release v1", None),
    ] {
        let text = spec(body, calls);
        let folder = Folder::new(&[("buildspec.yml", text.as_str())]);
        let found = folder.run(&["check", "--format", "json"]).json();
        let rules = found["findings"].as_array().unwrap();
        let reported = rules.iter().any(|it| it["rule"] == "latest-default");
        assert_eq!(
            reported,
            calls.contains("latest"),
            "{body} {calls}: {found}"
        );
        folder.run(&["fix", "--unsafe"]);
        let after = folder.text("buildspec.yml");
        match expected {
            Some(expected) => assert!(after.contains(expected), "{after}"),
            None => assert_eq!(after, text),
        }
    }
}
