"""Creates pipelines, projects, repositories and task definitions in a moto server, and runs a script that collects what
the AWS CLI says of them.

answers.py SCRIPT FOLDER
"""

import json
import logging
import os
import subprocess
import sys

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/service-role/build"


def project(name, source, variables, privileged):
    return {
        "name": name,
        "source": source,
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "privilegedMode": privileged,
            "environmentVariables": [{"name": name, "value": value} for name, value in variables.items()],
        },
        "serviceRole": ROLE,
    }


def pipeline(name, repository, builds, variables):
    def action(name, category, provider, configuration, owner="AWS"):
        kind = {"category": category, "owner": owner, "provider": provider, "version": "1"}
        return {"name": name, "actionTypeId": kind, "configuration": configuration, "runOrder": 1}

    source = action(
        "Source",
        "Source",
        "CodeStarSourceConnection",
        {
            "ConnectionArn": "arn:aws:codestar-connections:eu-central-1:123456789012:connection/1",
            "FullRepositoryId": repository,
            "BranchName": "main",
        },
    )
    source["outputArtifacts"] = [{"name": "SourceOutput"}]
    build = action("Build", "Build", "CodeBuild", {"ProjectName": builds})
    if variables:
        build["configuration"]["EnvironmentVariables"] = json.dumps(variables)
    build["inputArtifacts"] = [{"name": "SourceOutput"}]
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Build", "actions": [build]}],
        "version": 1,
    }


def create(endpoint):
    def client(service):
        return boto3.client(service, region_name=REGION, endpoint_url=endpoint)

    assume = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    client("iam").create_role(RoleName="build", Path="/service-role/", AssumeRolePolicyDocument=json.dumps(assume))
    builds = client("codebuild")
    # AWS wants no location there, moto does.
    from_pipeline = {"type": "CODEPIPELINE", "location": "artifacts"}
    builds.create_project(**project("shop-build", from_pipeline, {"IMAGE_TAG": "latest"}, False))
    builds.create_project(**project("blog-build", from_pipeline, {"IMAGE_TAG": "latest"}, False))
    pull = {"type": "GITHUB", "location": "https://github.com/me/shop.git", "buildspec": "ci/pull.yml"}
    builds.create_project(**project("shop-pull", pull, {}, True))
    pipelines = client("codepipeline")
    pipelines.create_pipeline(pipeline=pipeline("shop", "me/shop", "shop-build", []))
    pipelines.create_pipeline(pipeline=pipeline("blog", "me/blog", "blog-build", []))
    client("ecr").create_repository(repositoryName="team/shop", imageTagMutability="IMMUTABLE")
    images = {"shop": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/shop:latest", "blog": "blog:latest"}
    for family, image in images.items():
        container = {"name": family, "image": image, "memory": 128}
        client("ecs").register_task_definition(family=family, containerDefinitions=[container])


def main(script, folder):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        create(endpoint)
        environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
        subprocess.run(["sh", script, folder], check=True, env=environment, stderr=sys.stderr)
    finally:
        server.stop()


main(*sys.argv[1:])
