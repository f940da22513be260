//! One line per command line: what it names, in which role, at which bytes.

use tagwright_syntax::shell::{Status, parse, powershell};

use super::{
    Form, InnerScope, Role, ScriptSource, copilot_invocation, image_arguments, nested_scripts,
};

/// `Role Tool reference`, a bare tag as `Role Tool #tag`, its repository behind `@`.
fn found(text: &str) -> Vec<String> {
    let script = parse(text);
    assert_ne!(script.status, Status::Unreadable, "{text}");
    let mut lines = Vec::new();
    for command in &script.commands {
        for argument in image_arguments(command, text) {
            let mut line = format!("{:?} {:?} ", argument.role, argument.tool);
            if argument.form == Form::Tag {
                line.push('#');
            }
            line.push_str(argument.span.of(text));
            if let Some(repository) = argument.repository {
                line.push_str(" @");
                line.push_str(repository.of(text));
            }
            if let Some(word) = argument.word {
                assert!(
                    command.words[word].span.contains(argument.span),
                    "{text}: {line}"
                );
            }
            lines.push(line);
        }
    }
    lines
}

fn check(table: &[(&str, &[&str])]) {
    for (text, expected) in table {
        assert_eq!(found(text), *expected, "{text}");
    }
}

#[test]
fn docker_build_names_what_it_builds() {
    check(&[
        ("docker build -t app .", &["Build Docker app"]),
        (
            "docker build -t app:latest -t \"$REPO:latest\" .",
            &["Build Docker app:latest", "Build Docker $REPO:latest"],
        ),
        (
            "docker build --tag=$REPO:$TAG -f a/Dockerfile .",
            &["Build Docker $REPO:$TAG"],
        ),
        (
            "docker build --tag=\"$REPO\":latest .",
            &["Build Docker \"$REPO\":latest"],
        ),
        ("docker build -tapp:latest .", &["Build Docker app:latest"]),
        (
            "docker build -qt app:latest .",
            &["Build Docker app:latest"],
        ),
        ("docker build . -t app", &["Build Docker app"]),
        ("docker build .", &[]),
        (
            "docker build --no-cache -t app dir:latest",
            &["Build Docker app"],
        ),
        ("docker image build -t app .", &["Build Docker app"]),
        (
            "docker buildx build --platform linux/amd64 --push -t app:latest .",
            &["BuildPush Docker app:latest"],
        ),
        (
            "docker buildx build --push=false -t app:latest .",
            &["Build Docker app:latest"],
        ),
        (
            "docker buildx build --builder b --output type=registry -t app:latest .",
            &["BuildPush Docker app:latest"],
        ),
        (
            "docker buildx build -o type=image,name=r.io/app:latest,push=true .",
            &["BuildPush Docker r.io/app:latest"],
        ),
        (
            "docker buildx build --load -t app:latest .",
            &["Build Docker app:latest"],
        ),
        ("docker --context c build -t app .", &["Build Docker app"]),
        ("docker buildx create --use --name b", &[]),
        ("docker buildx bake --push", &[]),
        ("podman build -t app:latest .", &["Build Docker app:latest"]),
        (
            "nerdctl build -t app:latest .",
            &["Build Docker app:latest"],
        ),
        (
            "docker build --cache-from $REPO:latest -t app .",
            &["Cache Docker $REPO:latest", "Build Docker app"],
        ),
        (
            "docker build --cache-from a:latest,b:x -t app .",
            &[
                "Cache Docker a:latest",
                "Cache Docker b:x",
                "Build Docker app",
            ],
        ),
        (
            "docker buildx build --cache-from type=registry,ref=$R:cache --cache-to type=gha .",
            &["Cache Docker $R:cache"],
        ),
        (
            "docker build --cache-to=type=registry,ref=\"$R\":cache,mode=max .",
            &["Cache Docker \"$R\":cache"],
        ),
        (
            "docker build --build-arg BASE_IMAGE=$R/base:latest --build-arg ENV=prod -t a .",
            &["Argument Docker $R/base:latest", "Build Docker a"],
        ),
        (
            "docker build --build-arg IMAGE_TAG=latest --build-arg STAGE=prod .",
            &["Argument Docker #latest"],
        ),
        (
            "docker build --build-arg URL=http://x:80/a --build-arg DB=db:5432 --build-arg X=$A .",
            &[],
        ),
        (
            "docker build --build-context base=docker-image://node:18 .",
            &["Argument Docker node:18"],
        ),
        (
            "docker build -t app:latest .; echo done",
            &["Build Docker app:latest"],
        ),
    ]);
}

#[test]
fn docker_moves_images() {
    check(&[
        (
            "docker tag app:latest $R/app:latest",
            &[
                "TagSource Docker app:latest",
                "TagDestination Docker $R/app:latest",
            ],
        ),
        (
            "docker tag $(docker images -q app) \"$R\":x",
            &[
                "TagSource Docker $(docker images -q app)",
                "TagDestination Docker \"$R\":x",
            ],
        ),
        (
            "docker image tag a b",
            &["TagSource Docker a", "TagDestination Docker b"],
        ),
        ("docker push $R/app:latest", &["Push Docker $R/app:latest"]),
        ("docker push -a $R/app", &["Push Docker $R/app"]),
        ("docker push --all-tags \"${R}\"", &["Push Docker ${R}"]),
        ("docker push -q '$R:x'", &["Push Docker $R:x"]),
        ("docker push", &[]),
        (
            "podman push app docker://r.io/app:latest",
            &["TagSource Docker app", "Push Docker r.io/app:latest"],
        ),
        ("docker pull $R:latest", &["Pull Docker $R:latest"]),
        ("docker pull $R:latest || true", &["Cache Docker $R:latest"]),
        (
            "docker pull $R:latest || echo none",
            &["Cache Docker $R:latest"],
        ),
        (
            "docker pull $R:latest || exit 1",
            &["Pull Docker $R:latest"],
        ),
        (
            "docker pull --platform linux/amd64 node:18",
            &["Pull Docker node:18"],
        ),
        (
            "docker run --rm -v $PWD:/a -e A=b:c -p 80:80 --name x node:18 npm ci",
            &["Run Docker node:18"],
        ),
        (
            "docker run -itd --network=host app:latest",
            &["Run Docker app:latest"],
        ),
        (
            "docker run --rm $IMAGE:latest sh -c 'docker push x:latest'",
            &["Run Docker $IMAGE:latest"],
        ),
        ("docker container create app", &["Run Docker app"]),
        (
            "docker manifest create r/app:latest r/app:amd64 --amend r/app:arm64",
            &[
                "TagDestination Docker r/app:latest",
                "TagSource Docker r/app:amd64",
                "TagSource Docker r/app:arm64",
            ],
        ),
        (
            "docker manifest push r/app:latest",
            &["Push Docker r/app:latest"],
        ),
        (
            "docker buildx imagetools create -t r/app:latest r/app:1",
            &["BuildPush Docker r/app:latest", "TagSource Docker r/app:1"],
        ),
        (
            "docker save -o a.tar app:latest",
            &["Argument Docker app:latest"],
        ),
        (
            "docker save app:latest > a.tar",
            &["Argument Docker app:latest"],
        ),
        ("docker load -i a.tar", &[]),
        ("docker rmi app:latest", &["Argument Docker app:latest"]),
        (
            "docker inspect --format '{{.Id}}' app:latest",
            &["Argument Docker app:latest"],
        ),
        ("docker inspect container", &[]),
        ("docker image inspect app", &["Argument Docker app"]),
        ("docker compose -f a.yml build", &[]),
        ("docker-compose push", &[]),
        (
            "docker login -u AWS -p $P https://$ID.dkr.ecr.us-east-1.amazonaws.com",
            &[],
        ),
        ("docker images", &[]),
        ("docker ps -a", &[]),
        (
            "docker commit c r/app:latest",
            &["Build Docker r/app:latest"],
        ),
        ("docker exec c cat /latest", &[]),
        ("docker $X", &[]),
    ]);
}

#[test]
fn wrappers_are_looked_through() {
    for wrapper in [
        "sudo",
        "sudo -E",
        "sudo -u root",
        "sudo A=b",
        "env A=1 B=2",
        "env -u X",
        "time",
        "nohup",
        "exec",
        "command",
        "timeout 10m",
        "timeout -k 5 10",
        "nice -n 5",
        "retry",
        "retry 3",
        "stdbuf -oL",
        "A=1",
        "sudo env A=$B time",
    ] {
        let text = format!("{wrapper} docker push app:latest");
        assert_eq!(found(&text), ["Push Docker app:latest"], "{text}");
    }
    check(&[
        ("/usr/bin/docker push a:latest", &["Push Docker a:latest"]),
        ("$HOME/bin/docker push a:latest", &["Push Docker a:latest"]),
        ("sudo", &[]),
        ("env", &[]),
        (
            "if ! docker push a; then docker push b; fi",
            &["Push Docker a", "Push Docker b"],
        ),
        ("mydocker push a", &[]),
    ]);
}

#[test]
fn tools_without_a_daemon() {
    check(&[
        ("buildah bud -t app:latest .", &["Build Buildah app:latest"]),
        (
            "buildah build --tag app:latest .",
            &["Build Buildah app:latest"],
        ),
        ("buildah push app:latest", &["Push Buildah app:latest"]),
        (
            "buildah push --creds a:b app docker://r.io/app:latest",
            &["TagSource Buildah app", "Push Buildah r.io/app:latest"],
        ),
        (
            "/kaniko/executor --context . --destination=$R:latest --destination $R:$TAG",
            &["BuildPush Kaniko $R:latest", "BuildPush Kaniko $R:$TAG"],
        ),
        ("/kaniko/executor --no-push -d app", &["Build Kaniko app"]),
        (
            "crane tag $R:$SHA latest",
            &["TagSource Crane $R:$SHA", "Push Crane #latest @$R:$SHA"],
        ),
        (
            "crane copy a:1 b:latest",
            &["TagSource Crane a:1", "Push Crane b:latest"],
        ),
        (
            "crane push a.tar r/app:latest",
            &["Push Crane r/app:latest"],
        ),
        (
            "skopeo copy docker://a/b:1 docker://c/d:latest",
            &["TagSource Skopeo a/b:1", "Push Skopeo c/d:latest"],
        ),
        (
            "skopeo copy --dest-creds AWS:$P docker-archive:a.tar docker://\"$R\":latest",
            &["Push Skopeo \"$R\":latest"],
        ),
        (
            "skopeo inspect docker://a/b:latest",
            &["Argument Skopeo a/b:latest"],
        ),
        (
            "regctl image copy a:1 b:latest",
            &["TagSource Other a:1", "Push Other b:latest"],
        ),
        (
            "trivy image --severity HIGH,CRITICAL --exit-code 1 $R:latest",
            &["Argument Other $R:latest"],
        ),
        (
            "trivy image --no-progress app:latest",
            &["Argument Other app:latest"],
        ),
        ("trivy fs .", &[]),
        (
            "grype app:latest --fail-on high",
            &["Argument Other app:latest"],
        ),
        (
            "cosign sign --key k.pem $R:latest",
            &["Argument Other $R:latest"],
        ),
        ("cosign version", &[]),
    ]);
}

#[test]
fn the_aws_command_line() {
    check(&[
        (
            "aws ecr put-image --repository-name app --image-tag latest --image-manifest \"$M\"",
            &["Push AwsEcr #latest @app"],
        ),
        (
            "aws ecr batch-get-image --repository-name app --image-ids imageTag=latest --query 'images[0]' --output text",
            &["Argument AwsEcr #latest @app"],
        ),
        (
            "aws --region r ecr describe-images --image-ids imageTag=latest imageTag=$X --repository-name $R",
            &["Argument AwsEcr #latest @$R", "Argument AwsEcr #$X @$R"],
        ),
        (
            "aws ecr start-image-scan --image-id imageTag=latest,imageDigest=sha --repository-name a",
            &["Argument AwsEcr #latest @a"],
        ),
        (
            "aws ecr batch-delete-image --repository-name a --image-ids '[{\"imageTag\":\"latest\"}]'",
            &["Argument AwsEcr #latest @a"],
        ),
        ("aws ecr get-login-password --region $R", &[]),
        (
            "aws ecs register-task-definition --family f --container-definitions '[{\"name\":\"a\",\"image\":\"r/a:latest\"}]'",
            &["Deploy AwsEcs r/a:latest"],
        ),
        (
            "aws ecs register-task-definition --container-definitions \"[{\\\"image\\\": \\\"$R:latest\\\"}]\"",
            &["Deploy AwsEcs $R:latest"],
        ),
        (
            "aws ecs register-task-definition --container-definitions name=a,image=$R:latest,cpu=1",
            &["Deploy AwsEcs $R:latest"],
        ),
        (
            "aws ecs register-task-definition --cli-input-json file://taskdef.json",
            &[],
        ),
        (
            "aws ecs update-service --cluster c --service s --force-new-deployment",
            &[],
        ),
        ("aws ecs update-service --platform-version LATEST", &[]),
        (
            "aws ecs update-express-gateway-service --primary-container '{\"image\":\"'$R:latest'\"}'",
            &["Deploy AwsEcs $R:latest"],
        ),
        (
            "aws lambda update-function-code --function-name f --image-uri $R:latest",
            &["Deploy AwsLambda $R:latest"],
        ),
        (
            "aws lambda update-function-code --function-name f --image-uri=\"$R:latest\" --publish",
            &["Deploy AwsLambda $R:latest"],
        ),
        (
            "aws lambda create-function --code ImageUri=$R:latest --role r",
            &["Deploy AwsLambda $R:latest"],
        ),
        (
            "aws lambda update-function-code --zip-file fileb://a.zip",
            &[],
        ),
        (
            "aws apprunner update-service --source-configuration '{\"ImageRepository\":{\"ImageIdentifier\":\"r/a:latest\"}}'",
            &["Deploy AwsAppRunner r/a:latest"],
        ),
        (
            "aws apprunner create-service --source-configuration ImageRepository={ImageIdentifier=$R:latest,X=y}",
            &["Deploy AwsAppRunner $R:latest"],
        ),
        (
            "aws cloudformation deploy --stack-name s --parameter-overrides ImageTag=latest Stage=prod Tags=x",
            &["Deploy CloudFormation #latest"],
        ),
        (
            "aws cloudformation deploy --parameter-overrides \"ImageUri=$R:latest\" Env=$E --capabilities X",
            &["Deploy CloudFormation $R:latest"],
        ),
        (
            "aws cloudformation deploy --parameter-overrides Image=$IMAGE ImageName=app",
            &["Deploy CloudFormation $IMAGE"],
        ),
        (
            "aws cloudformation update-stack --parameters ParameterKey=ImageTag,ParameterValue=latest ParameterKey=A,ParameterValue=b",
            &["Deploy CloudFormation #latest"],
        ),
        ("aws cloudformation deploy --tags image=x:latest", &[]),
        (
            "aws sagemaker create-model --primary-container Image=$R:latest,ModelDataUrl=s3://x",
            &["Deploy Other $R:latest"],
        ),
        (
            "aws batch register-job-definition --container-properties '{\"image\":\"r/a:latest\"}'",
            &["Deploy Other r/a:latest"],
        ),
        (
            "aws ssm get-parameter --name /aws/service/ecs/optimized-ami/amazon-linux-2/latest/image_id",
            &[],
        ),
        ("aws s3 cp a s3://b/latest", &[]),
        ("aws $X", &[]),
        (
            "sam deploy --parameter-overrides \"ImageTag=latest Stage=dev\" --stack-name s",
            &["Deploy CloudFormation #latest"],
        ),
        (
            "sam deploy --parameter-overrides ParameterKey=ImageTag,ParameterValue=latest",
            &["Deploy CloudFormation #latest"],
        ),
        ("sam build", &[]),
        (
            "cdk deploy -c tag=latest --all",
            &["Deploy CloudFormation #latest"],
        ),
        (
            "npx cdk deploy --parameters App:ImageTag=$TAG",
            &["Deploy CloudFormation #$TAG"],
        ),
        ("npx cdk@latest deploy", &[]),
    ]);
}

#[test]
fn kubernetes_tools() {
    check(&[
        (
            "kubectl set image deployment/app app=$R:latest side=b:1 -n prod",
            &["Deploy Kubectl $R:latest", "Deploy Kubectl b:1"],
        ),
        (
            "~/.kube/kubectl -n x set image deployment app app=\"$R\":latest --record",
            &["Deploy Kubectl \"$R\":latest"],
        ),
        (
            "kubectl set image -f a.yml *=r/a:latest",
            &["Deploy Kubectl r/a:latest"],
        ),
        ("kubectl set env deployment/app TAG=latest", &[]),
        (
            "kubectl run x --image=r/a:latest --restart=Never -- sh",
            &["Deploy Kubectl r/a:latest"],
        ),
        (
            "kubectl create deployment x --image r/a:latest",
            &["Deploy Kubectl r/a:latest"],
        ),
        (
            "kubectl patch deployment x -p '{\"spec\":{\"image\":\"r/a:latest\"}}'",
            &["Deploy Kubectl r/a:latest"],
        ),
        ("kubectl apply -f k8s/", &[]),
        ("kubectl rollout restart deployment/app", &[]),
        (
            "kubectl apply -f - <<EOF\nspec:\n  - image: $R:latest # x\n    name: image\nEOF\n",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "curl -LO https://dl.k8s.io/release/stable.txt/latest/kubectl",
            &[],
        ),
        (
            "helm upgrade --install app ./c --set image.tag=latest,replicas=2",
            &["Deploy Helm #latest"],
        ),
        (
            "helm upgrade -i app c -f v.yaml --set image.repository=$R/app --set image.tag=$TAG",
            &["Deploy Helm #$TAG @$R/app"],
        ),
        (
            "helm install app c --set-string web.image.tag=\"latest\" --set image=r/a:latest",
            &["Deploy Helm #latest", "Deploy Helm r/a:latest"],
        ),
        (
            "helm upgrade app c --set=imageTag=$X --set tag=y",
            &["Deploy Helm #$X", "Deploy Helm #y"],
        ),
        (
            "helm upgrade app c --set image.repository=r/a --set stage=latest --version latest",
            &[],
        ),
        ("helm repo add x https://y/latest", &[]),
        (
            "kustomize edit set image app=$R:latest",
            &["Record Kustomize $R:latest"],
        ),
        (
            "kustomize edit set image r/app:latest",
            &["Record Kustomize r/app:latest"],
        ),
        (
            "kustomize edit set image app=*:latest",
            &["Record Kustomize #latest @app"],
        ),
        ("kustomize build .", &[]),
    ]);
}

#[test]
fn sed_yields_its_replacement_only() {
    check(&[
        (
            "sed -i \"s|IMAGE|$R:latest|g\" a.yaml",
            &["Record Sed $R:latest"],
        ),
        (
            "sed -i 's|IMAGE_PLACEHOLDER|'$R:$TAG'|' a.yaml",
            &["Record Sed $R:$TAG"],
        ),
        (
            "sed -i \"s@__URI_GRCP__@${IMAGE_URI}:${IMAGE_TAG}@\" f",
            &["Record Sed ${IMAGE_URI}:${IMAGE_TAG}"],
        ),
        ("sed -ie \"s@__INFECTION_NAME__@${INFECTION_NAME}@\" f", &[]),
        (
            "sed \"s#REPLACE_IMAGE_URI#${ECR_URI}:${V}-${TAG}#g\" taskdef.json > b.json",
            &["Record Sed ${ECR_URI}:${V}-${TAG}"],
        ),
        (
            "sed -i'' -e \"s@<IMAGE_NAME>@$IMAGE_NAME@g\" taskdef.json",
            &["Record Sed $IMAGE_NAME"],
        ),
        ("sed -i \"s/:latest/:$TAG/\" a.yaml", &["Record Sed #$TAG"]),
        ("sed -i 's/v1/latest/' a", &[]),
        (
            "sed -i 's/IMAGE_TAG/latest/g' a.yaml",
            &["Record Sed #latest"],
        ),
        (
            "sed -i \"s|image: .*|image: $R/app:latest|\" a.yaml",
            &["Record Sed $R/app:latest"],
        ),
        (
            "sed -i \"s|image: .*|image: \\\"$R/app:latest\\\"|\" a.yaml",
            &["Record Sed $R/app:latest"],
        ),
        (
            "sed -i \"s/tag: .*/tag: latest/\" values.yaml",
            &["Record Sed #latest"],
        ),
        (
            "sed -i -e 's/a/b/' -e \"s|IMG|r.io/a:latest|;s/x/y/\" image.yaml",
            &["Record Sed r.io/a:latest"],
        ),
        (
            "sed -i -e 's/a/b/;s|IMAGE|r.io/a:latest|' k.yaml",
            &["Record Sed r.io/a:latest"],
        ),
        (
            "sed -n '/image/s|x:.*|r.io/image:latest|p' f",
            &["Record Sed r.io/image:latest"],
        ),
        ("sed 's/:/-/g' <<<\"$X\"", &[]),
        ("sed 's/\"//g'", &[]),
        ("sed -i 's|API|https://x.y:8080/latest|' f", &[]),
        ("sed -i \"s/HOST/$HOST:$PORT/\" f", &[]),
        ("sed -i -e '$s/$/ --noColor/' e2e.sh", &[]),
        ("sed -i 's|app:latest|x|' f", &[]),
        ("sed -i \"s|ecr/app:.*|ecr\\/app:$TAG|\" f", &[]),
    ]);
}

#[test]
fn files_of_the_pipeline() {
    check(&[
        (
            "echo '[{\"imageUri\":\"__URI__\"},{\"imageUri\":\"public.ecr.aws/a/b:v1\"}]' > ${FILE}",
            &["Record ImageDefinitions public.ecr.aws/a/b:v1"],
        ),
        ("echo '{\"image\": \"<IMAGE1_NAME>\"}' > taskdef.json", &[]),
        (
            "printf '[{\"name\":\"a\",\"imageUri\":\"%s\"}]' $R:$TAG > imagedefinitions.json",
            &["Record ImageDefinitions $R:$TAG"],
        ),
        (
            "printf '[{\"name\":\"%s\",\"imageUri\":\"%s\"}]' $N \"$R:latest\" > imagedefinitions.json",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "printf '{\"name\":\"%s\", \"ImageURI\":\"%s\"}' a b:latest >imageDetail.json",
            &["Record ImageDefinitions b:latest"],
        ),
        (
            "printf '[{\"name\":\"a\",\"imageUri\":\"r.io/a:latest\"}]' r.io/a:latest more > imagedefinitions.json",
            &[
                "Record ImageDefinitions r.io/a:latest",
                "Record ImageDefinitions r.io/a:latest",
            ],
        ),
        (
            "printf '[{\"imageUri\":\"%s:latest\"}]' $R > imagedefinitions.json",
            &["Record ImageDefinitions #latest @$R"],
        ),
        (
            "printf '[{\"imageUri\":\"%s:%s\"}]' $R $T > imagedefinitions.json",
            &["Record ImageDefinitions #$T @$R"],
        ),
        (
            "printf '[{\"imageUri\":\"r.io/a:%s\"}]' $T > imagedefinitions.json",
            &["Record ImageDefinitions #$T @r.io/a"],
        ),
        (
            "printf \"{\\\"ImageURI\\\":\\\"$IMAGE\\\"}\" > imageDetail.json",
            &["Record ImageDefinitions $IMAGE"],
        ),
        (
            "printf '%%[{\"imageUri\":\"%s\"}]' $R > $DIR/imagedefinitions.json",
            &["Record ImageDefinitions $R"],
        ),
        (
            "printf '[{\"imageUri\":\"%s\"}]' $R | tee imagedefinitions.json",
            &["Record ImageDefinitions $R"],
        ),
        (
            "printf '[{\"imageUri\":\"%s\"}]' $R | jq . > imagedefinitions.json",
            &["Record ImageDefinitions $R"],
        ),
        ("printf '[{\"imageUri\":\"%s\"}]' $R", &[]),
        ("printf 'hello %s' $R:latest > a.json", &[]),
        (
            "echo \"[{\\\"name\\\":\\\"a\\\",\\\"imageUri\\\":\\\"$R:latest\\\"}]\" > imagedefinitions.json",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "echo '[{\"name\":\"a\",\"imageUri\":\"'$R:latest'\"}]' > imagedefinitions.json",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "echo '[{\"imageUri\":\"'\"$R\"':latest\"}]' > imagedefinitions.json",
            &["Record ImageDefinitions \"$R\"':latest"],
        ),
        (
            "echo '[{\"imageUri\":\"$R:latest\"}]' > imagedefinitions.json",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "echo '{\"image\": \"r/a:latest\"}' > taskdef.json",
            &["Record AwsEcs r/a:latest"],
        ),
        ("echo '{\"imageUri\":\"a:latest\"}'", &[]),
        ("echo docker push app:latest", &[]),
        (
            "echo \"image: $R:latest\" > values.yaml",
            &["Record Other $R:latest"],
        ),
        (
            "cat > imagedefinitions.json <<EOF\n[{\"name\":\"a\",\"imageUri\":\"$R:latest\"}]\nEOF\n",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "cat <<'EOF' > imageDetail.json\n{\"ImageURI\":\"r/a:latest\"}\nEOF\n",
            &["Record ImageDefinitions r/a:latest"],
        ),
        (
            "tee imagedefinitions.json <<EOF\n[{\"imageUri\":\"$R:latest\"}]\nEOF\n",
            &["Record ImageDefinitions $R:latest"],
        ),
        ("cat <<EOF\n{\"imageUri\":\"a:latest\"}\nEOF\n", &[]),
        ("cat imagedefinitions.json", &[]),
        (
            "jq -n --arg uri \"$R:latest\" '[{name:\"a\",imageUri:$uri}]' > imagedefinitions.json",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "jq --arg IMAGE $R:latest '.containerDefinitions[0].image = $IMAGE' t.json",
            &["Record AwsEcs $R:latest"],
        ),
        ("jq --arg n latest '.name = $n'", &[]),
        (
            "jq '.containerDefinitions[0].image = \"'$R:latest'\"' t.json",
            &["Record AwsEcs $R:latest"],
        ),
        ("jq '.stages[].name'", &[]),
        ("jq 'select(.image == \"a:latest\")'", &[]),
        (
            "yq -i '.image.tag = \"latest\"' values.yaml",
            &["Record Other #latest"],
        ),
        ("envsubst < a > b.json", &[]),
    ]);
}

#[test]
fn scripts_and_build_tools() {
    check(&[
        ("make push TAG=latest STAGE=x", &["Argument Other #latest"]),
        (
            "make IMAGE=$R/app:latest push",
            &["Argument Other $R/app:latest"],
        ),
        (
            "terraform apply -auto-approve -var image_tag=latest -var 'stage=x'",
            &["Deploy Terraform #latest"],
        ),
        (
            "terraform plan -var=\"image=$R:latest\" -out p",
            &["Deploy Terraform $R:latest"],
        ),
        ("terraform apply -var tags={} -var stage=latest", &[]),
        ("terraform init", &[]),
        (
            "./gradlew jib -Djib.to.image=$R -Djib.to.tags=latest,x",
            &["BuildPush Other $R", "BuildPush Other #latest,x"],
        ),
        (
            "mvn compile jib:build -Dimage=$R:latest -q",
            &["BuildPush Other $R:latest"],
        ),
        ("mvn package -DskipTests -Drevision=latest", &[]),
        ("./deploy.sh latest", &["Argument Other #latest"]),
        (
            "bash scripts/deploy.sh --image $R/a:latest --tag=latest",
            &["Argument Other $R/a:latest", "Argument Other #latest"],
        ),
        ("./run.sh prod $X", &[]),
        (
            "pulumi config set imageTag latest",
            &["Record Other #latest"],
        ),
        (
            "pack build r/app:latest --builder b:1 --publish",
            &["BuildPush Other r/app:latest"],
        ),
        ("ko build -t latest ./cmd", &["BuildPush Other #latest"]),
        (
            "bazel run //x --define TAG=latest",
            &["Argument Other #latest"],
        ),
    ]);
}

#[test]
fn latest_that_is_no_image() {
    check(&[
        ("npm i -g aws-cdk@latest", &[]),
        ("npx create-app@latest x", &[]),
        ("pip install x==latest", &[]),
        ("git describe --tags --always", &[]),
        ("git tag latest", &[]),
        ("git push origin latest:latest", &[]),
        (
            "curl -L https://github.com/a/b/releases/latest/download/c",
            &[],
        ),
        ("wget https://x/copilot-linux-latest -O copilot", &[]),
        ("nvm install latest", &[]),
        ("echo latest", &[]),
        ("cp a:latest b", &[]),
        ("TAG=latest", &[]),
        ("export IMAGE=r/a:latest", &[]),
        ("apt-get install docker-ce=latest", &[]),
        ("# docker push a:latest", &[]),
    ]);
}

#[test]
fn copilot_deploys_a_tag() {
    check(&[
        (
            "copilot svc deploy -n api -e test --tag latest",
            &["Deploy Copilot #latest"],
        ),
        (
            "./copilot-linux svc package -n $svc -e $env --output-dir './infrastructure' --tag $tag --upload-assets;",
            &["Deploy Copilot #$tag"],
        ),
        (
            "copilot deploy --tag=\"$TAG\" --all",
            &["Deploy Copilot #$TAG"],
        ),
        ("copilot job deploy --tag \"\"", &[]),
        ("copilot svc package --tag --upload-assets", &[]),
        ("copilot svc deploy --tag a --tag b", &["Deploy Copilot #b"]),
        (
            "copilot svc init --image $R:latest",
            &["Deploy Copilot $R:latest"],
        ),
        (
            "copilot task run -i $R:latest",
            &["Deploy Copilot $R:latest"],
        ),
        ("copilot env deploy --tag latest", &[]),
        ("copilot pipeline deploy --yes", &[]),
        ("copilot -p 'explain --tag latest'", &[]),
        ("copilot suggest --tag latest", &[]),
    ]);
}

#[test]
fn powershell_is_seen_through_the_same_tables() {
    let text = "docker build -t \"$env:REPO:latest\" .\ndocker push ${env:REPO}:latest | Out-Null";
    let script = powershell::parse(text);
    let found: Vec<_> = script
        .commands
        .iter()
        .flat_map(|command| image_arguments(command, text))
        .map(|argument| (argument.role, argument.span.of(text)))
        .collect();
    assert_eq!(
        found,
        [
            (Role::Build, "$env:REPO:latest"),
            (Role::Push, "${env:REPO}:latest")
        ]
    );
}

/// Name, value, whether the subcommand has it.
type Flag = (String, Option<String>, bool);

fn flags(text: &str) -> Option<(String, Vec<Flag>)> {
    let script = parse(text);
    let command = script.commands.last()?;
    let call = copilot_invocation(command, text)?;
    let flags = call.flags.iter().map(|flag| {
        let value = flag
            .value
            .as_ref()
            .map(|value| value.span.of(text).to_string());
        (flag.name.clone(), value, flag.known)
    });
    Some((call.subcommand.clone(), flags.collect()))
}

#[test]
fn copilot_flags_are_read_as_pflag_does() {
    let flag =
        |name: &str, value: Option<&str>| (name.to_string(), value.map(str::to_string), true);
    let cases: &[(&str, &str, Vec<Flag>)] = &[
        (
            "copilot svc deploy -n api -etest --force",
            "svc deploy",
            vec![
                flag("name", Some("api")),
                flag("env", Some("test")),
                flag("force", None),
            ],
        ),
        (
            "copilot svc deploy -n=api --tag=\"$T\"",
            "svc deploy",
            vec![flag("name", Some("api")), flag("tag", Some("$T"))],
        ),
        (
            "copilot svc package --tag --upload-assets",
            "svc package",
            vec![flag("tag", Some("--upload-assets"))],
        ),
        (
            "copilot svc deploy --tag",
            "svc deploy",
            vec![flag("tag", None)],
        ),
        (
            "copilot svc deploy --tag ''",
            "svc deploy",
            vec![flag("tag", Some(""))],
        ),
        (
            "copilot svc deploy --force=false x",
            "svc deploy",
            vec![flag("force", Some("false"))],
        ),
        (
            "copilot env deploy --tag x",
            "env deploy",
            vec![("tag".to_string(), None, false)],
        ),
        (
            "copilot svc ls --local --json",
            "svc ls",
            vec![flag("local", None), flag("json", None)],
        ),
        (
            "copilot svc logs -n api --since 1h --follow",
            "svc logs",
            vec![
                flag("n", Some("api")),
                flag("since", Some("1h")),
                flag("follow", None),
            ],
        ),
        (
            "copilot pipeline update --yes",
            "pipeline update",
            vec![flag("yes", None)],
        ),
        ("sudo ./copilot-linux-amd64 --help", "", vec![]),
    ];
    for (text, subcommand, expected) in cases {
        match flags(text) {
            Some((name, found)) => {
                assert_eq!(name, *subcommand, "{text}");
                assert_eq!(found, *expected, "{text}");
            }
            None => assert!(subcommand.is_empty(), "{text}"),
        }
    }
}

#[test]
fn a_subcommand_knows_its_flags() {
    let text = "copilot svc package -n a --tag x";
    let script = parse(text);
    let call = copilot_invocation(&script.commands[0], text).expect("a call");
    assert!(call.accepts("tag") && call.accepts("upload-assets") && !call.accepts("force"));
    assert!(!call.is_set("upload-assets"));
    assert_eq!(call.subcommand_word, 2);
    assert_eq!(call.flag("tag").map(|flag| flag.word), Some(5));
    assert!(call.positionals.is_empty());
}

#[test]
fn scripts_in_words_are_found() {
    let cases: &[(&str, &[(&str, InnerScope)])] = &[
        (
            "sh -c 'docker push a'",
            &[("'docker push a'", InnerScope::Same)],
        ),
        (
            "bash -lc \"docker push a\"",
            &[("\"docker push a\"", InnerScope::Same)],
        ),
        ("bash -exc 'a' arg0", &[("'a'", InnerScope::Same)]),
        ("bash -euo pipefail -c 'a'", &[("'a'", InnerScope::Same)]),
        ("/bin/sh -e -c 'a'", &[("'a'", InnerScope::Same)]),
        ("sudo -E sh -c 'a'", &[("'a'", InnerScope::Same)]),
        ("timeout 10 sh -c 'a'", &[("'a'", InnerScope::Same)]),
        ("sh deploy.sh -c x", &[]),
        ("bash build.sh", &[]),
        (
            "eval \"$(docker-machine env)\"",
            &[("\"$(docker-machine env)\"", InnerScope::Same)],
        ),
        (
            "eval 'docker push a'",
            &[("'docker push a'", InnerScope::Same)],
        ),
        ("eval docker push a", &[]),
        (
            "ssh -i k -o A=b user@h \"docker pull a:latest\"",
            &[("\"docker pull a:latest\"", InnerScope::Elsewhere)],
        ),
        ("ssh h docker pull a", &[]),
        ("ssh h", &[]),
        (
            "docker run --rm node:18 sh -c 'npm ci'",
            &[("'npm ci'", InnerScope::Elsewhere)],
        ),
        ("docker run --entrypoint sh node:18 -c 'npm ci'", &[]),
        (
            "docker exec -it c bash -c 'a'",
            &[("'a'", InnerScope::Elsewhere)],
        ),
        ("docker run node:18 npm ci", &[]),
        (
            "kubectl exec -n x pod -- sh -c 'a'",
            &[("'a'", InnerScope::Elsewhere)],
        ),
        ("su - user -c 'a'", &[("'a'", InnerScope::Empty)]),
        ("su user -c 'a'", &[("'a'", InnerScope::Same)]),
        ("sudo sh -c 'a'", &[("'a'", InnerScope::Empty)]),
        (
            "sudo --preserve-env=A sh -c 'a'",
            &[("'a'", InnerScope::Same)],
        ),
        ("env -i A=1 sh -c 'a'", &[("'a'", InnerScope::Empty)]),
        ("env A=1 sh -c 'a'", &[("'a'", InnerScope::Same)]),
        ("xargs -n 1 sh -c 'a'", &[("'a'", InnerScope::Same)]),
        (
            "ssh h -i key -o A=b \"docker pull a\"",
            &[("\"docker pull a\"", InnerScope::Elsewhere)],
        ),
        ("ssh h sh -c 'a'", &[("'a'", InnerScope::Elsewhere)]),
        ("sh <<'EOF'\na\nEOF\n", &[("a\n", InnerScope::Same)]),
        ("bash -s x <<EOF\na\nEOF\n", &[("a\n", InnerScope::Same)]),
        ("bash -eu <<EOF\na\nEOF\n", &[("a\n", InnerScope::Same)]),
        ("sudo bash <<EOF\na\nEOF\n", &[("a\n", InnerScope::Empty)]),
        (
            "sudo su - app <<EOF\na\nEOF\n",
            &[("a\n", InnerScope::Empty)],
        ),
        (
            "ssh h 'bash -s' <<EOF\na\nEOF\n",
            &[("a\n", InnerScope::Elsewhere)],
        ),
        (
            "ssh -T h <<EOF\na\nEOF\n",
            &[("a\n", InnerScope::Elsewhere)],
        ),
        (
            "docker exec -i c sh <<EOF\na\nEOF\n",
            &[("a\n", InnerScope::Elsewhere)],
        ),
        ("sh build.sh <<EOF\na\nEOF\n", &[]),
        ("sh -c 'a' <<EOF\nb\nEOF\n", &[("'a'", InnerScope::Same)]),
        ("cat <<EOF\na\nEOF\n", &[]),
        ("docker push a", &[]),
    ];
    for (text, expected) in cases {
        let script = parse(text);
        let command = script.commands.last().expect("a command");
        let found: Vec<_> = nested_scripts(command)
            .iter()
            .map(|nested| {
                let span = match nested.source {
                    ScriptSource::Word(word) => command.words[word].span,
                    ScriptSource::HereDocument(index) => {
                        command.redirects[index]
                            .here_document
                            .as_ref()
                            .unwrap()
                            .body
                    }
                };
                (span.of(text), nested.surroundings)
            })
            .collect();
        assert_eq!(found, *expected, "{text}");
    }
}

/// Set `TAGWRIGHT_MUTATIONS` to run more.
#[test]
fn mutated_commands_neither_panic_nor_leave_their_word() {
    let rounds: usize = std::env::var("TAGWRIGHT_MUTATIONS")
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(2_000);
    let seeds = [
        "docker build -qt \"$R:é\" --cache-from type=registry,ref=$R:x,mode=max --build-arg IMAGE_TAG=한 .",
        "sed -i -e \"s|image: é|image: $R:latest|;/x/s#a\\/b#c:$T#g\" a.yaml",
        "printf '[{\"name\":\"é\",\"imageUri\":\"%s:%s\"}]' $R $T > imagedefinitions.json",
        "echo \"{\\\"ImageURI\\\":\\\"$R:latest\\\"}\" > imageDetail.json",
        "jq -n --arg uri \"$R\" '[{name:\"é\",imageUri:$uri}]' | tee imagedefinitions.json",
        "cat > a.yaml <<EOF\n  image: \"$R:é\" # x\nEOF\n",
        "copilot svc package -n é -eprod --tag=\"$T\" --upload-assets",
        "aws ecs register-task-definition --container-definitions '[{\"image\":\"'$R:é'\"}]'",
        "helm upgrade a b --set image.tag=é\\,x,image.repository=$R",
        "kustomize edit set image é=*:latest a=b:c",
        "sudo -E timeout 5 sh -ec 'docker push é'",
        "aws cloudformation deploy --parameter-overrides \"ImageTag=é Stage=x\"",
        "./gradlew jib -Djib.to.image=$R:é",
    ];
    let pieces = [
        "\\", "\"", "'", "$", "é", "한", ":", "/", "=", "%s", "%", "|", ",", " ", "{", "}", "\n",
        "--", "-t", "*:", "$'\\n'", "s", "\\1", "image:", "tag=",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % n as u64).unwrap_or(0)
    };
    for _ in 0..rounds {
        let mut text: Vec<char> = seeds[below(seeds.len())].chars().collect();
        for _ in 0..=below(4) {
            let at = below(text.len());
            if below(2) == 0 && text.len() > 1 {
                text.remove(at);
            } else {
                text.splice(at..at, pieces[below(pieces.len())].chars());
            }
        }
        let text: String = text.into_iter().collect();
        for script in [parse(&text), powershell::parse(&text)] {
            for command in &script.commands {
                for argument in image_arguments(command, &text) {
                    assert!(
                        text.get(argument.span.range())
                            .is_some_and(|s| !s.is_empty()),
                        "{text:?}"
                    );
                    if let Some(word) = argument.word {
                        assert!(command.words[word].span.contains(argument.span), "{text:?}");
                    }
                }
                for nested in nested_scripts(command) {
                    assert!(nested.parts(command).is_some(), "{text:?}");
                }
                let _ = copilot_invocation(command, &text);
            }
        }
    }
}

#[test]
fn a_script_is_found_behind_wrappers_variables_and_clusters_of_options() {
    let nested = |text: &str| {
        let script = parse(text);
        let command = script.commands.last().unwrap();
        nested_scripts(command).len()
    };
    for text in [
        "sudo -E bash -exc 'docker push a'",
        "\"$BIN\"/ssh host 'docker push a'",
        "/usr/bin/ssh.exe host 'docker push a'",
        "su --command 'docker push a' app",
        "docker exec app sh -c 'docker push a'",
        "eval \"docker push a\"",
    ] {
        assert_eq!(nested(text), 1, "{text}");
    }
    for text in [
        "docker build --no-cache -t a .",
        "bash build.sh",
        "echo ssh eval -c x",
    ] {
        assert_eq!(nested(text), 0, "{text}");
    }
}

#[test]
fn every_client_is_read_like_docker() {
    for name in ["docker", "podman", "nerdctl", "finch"] {
        for (rest, expected) in [
            ("build -t $R:latest .", "Build Docker $R:latest"),
            ("push $R:latest", "Push Docker $R:latest"),
        ] {
            assert_eq!(
                found(&format!("{name} {rest}")),
                [expected],
                "{name} {rest}"
            );
        }
    }
}

#[test]
fn kubernetes_behind_other_words() {
    check(&[
        (
            "kubectl argo rollouts set image web web=$R:latest -n shop",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "kubectl -n x set image deploy/w w=$R:latest",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "sudo k3s kubectl set image deploy/w w=$R:latest",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "microk8s kubectl set image deploy/w w=$R:latest",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "minikube kubectl -- set image deploy/w w=$R:latest",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "oc set image dc/w w=$R:latest",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "cat <<EOF | kubectl apply -f -\n- {name: w, image: \"$R:latest\"}\nEOF\n",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "kubectl apply -f - <<EOF\n  image: $R:latest\nEOF\n",
            &["Deploy Kubectl $R:latest"],
        ),
        (
            "cat > w.yaml <<EOF\napiVersion: v1\nimage: $R:latest\nEOF\n",
            &["Record Kubectl $R:latest"],
        ),
        (
            "sed \"s|IMAGE|$R:latest|\" w.yaml | kubectl apply -f -",
            &["Record Kubectl $R:latest"],
        ),
        ("cat <<EOF | grep x\nimage: $R:latest\nEOF\n", &[]),
    ]);
}

#[test]
fn what_is_written_sent_or_looked_at() {
    check(&[
        (
            "echo \"$R:latest\" > image.txt",
            &["Argument Other $R:latest"],
        ),
        (
            "echo \"IMAGE=$R:latest\" >> .env",
            &["Argument Other $R:latest"],
        ),
        ("echo \"$R:latest\" > /dev/null", &[]),
        ("echo \"pushed $R:latest today\" > log.txt", &[]),
        (
            "D=\"[{\\\"name\\\":\\\"w\\\",\\\"imageUri\\\":\\\"$R:latest\\\"}]\"",
            &["Record ImageDefinitions $R:latest"],
        ),
        (
            "curl -d \"{\\\"image\\\":\\\"$R:latest\\\"}\" $HOOK",
            &["Argument Other $R:latest"],
        ),
        (
            "aws ssm put-parameter --name /w --value $R:latest",
            &["Record Other $R:latest"],
        ),
        (
            "aws sns publish --topic-arn arn:aws:sns:$A:$B:latest --message x",
            &[],
        ),
        (
            "aws ecr wait image-scan-complete --repository-name w --image-id imageTag=latest",
            &["Argument AwsEcr #latest @w"],
        ),
        (
            "docker run --rm -v a:b aquasec/trivy:0.58.1 image --exit-code 1 $R:latest",
            &[
                "Run Docker aquasec/trivy:0.58.1",
                "Argument Other $R:latest",
            ],
        ),
        (
            "docker run --entrypoint grype anchore/x:1 $R:latest",
            &["Run Docker anchore/x:1", "Argument Other $R:latest"],
        ),
        (
            "ssh h -i k -o A=b docker pull $R:latest",
            &["Pull Docker $R:latest"],
        ),
        ("xargs -I{} docker push {}", &[]),
    ]);
}

#[test]
fn redeployments_are_told() {
    let redeploys = |text: &str| {
        let script = parse(text);
        super::effects(&script.commands[0], text)
            .redeploys
            .is_some()
    };
    for text in [
        "aws ecs update-service --service w --force-new-deployment",
        "kubectl rollout restart deployment/web -n shop",
        "kubectl argo rollouts restart web",
        "aws apprunner start-deployment --service-arn $A",
        "aws deploy create-deployment --application-name w",
        "aws lambda publish-version --function-name w",
        "eb deploy prod",
        "docker service update --force web",
        "nomad job restart web",
    ] {
        assert!(redeploys(text), "{text}");
    }
    for text in [
        "aws ecs update-service --service w --desired-count 2",
        "kubectl rollout status deployment/web",
        "docker service update --force --image $R:1 web",
        "docker service ls",
        "nomad job status",
        "eb list",
    ] {
        assert!(!redeploys(text), "{text}");
    }
}
