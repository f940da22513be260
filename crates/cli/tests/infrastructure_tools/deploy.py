"""Lints templates of CloudFormation and creates them in a moto server; prints what is there then, as JSON.

deploy.py TEMPLATE…

For each template: the messages of cfn-lint, and after the stack was created, and updated with the same text, the
repositories, parameters and policies of roles, with all references resolved.
"""

import ast
import json
import logging
import subprocess
import sys
import urllib.request

import boto3
from cfnlint.decode import decode
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"


def document(policy):
    """moto gives what CloudFormation created as the text of a Python value."""
    return ast.literal_eval(policy) if isinstance(policy, str) else policy


def lint(path):
    command = [sys.executable, "-m", "cfnlint", "--format", "parseable", path]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def create(endpoint, path, name):
    def client(service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    template = open(path).read()
    stacks = client("cloudformation")
    parameters = {"ConnectionArn": "arn:aws:codeconnections:eu-central-1:123456789012:connection/1", "Repository": "me/web"}
    for key, parameter in decode(path)[0]["Parameters"].items():
        if "Default" not in parameter:
            parameters.setdefault(key, "x")
    stacks.create_stack(
        StackName=name,
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    status = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    ecr, ssm, iam = client("ecr"), client("ssm"), client("iam")
    repositories = {}
    for it in ecr.describe_repositories()["repositories"]:
        repositories[it["repositoryName"]] = it["imageTagMutability"]
    # What moto does not create out of a template, it is given directly, to have it judged.
    ecr.create_repository(repositoryName="scratch")
    for it in decode(path)[0]["Resources"].values():
        properties = it["Properties"]
        policy = properties.get("LifecyclePolicy")
        if policy:
            text = policy if isinstance(policy, str) else policy["LifecyclePolicyText"]
            ecr.put_lifecycle_policy(repositoryName="scratch", lifecyclePolicyText=text)
    names = [it["Name"] for it in ssm.describe_parameters()["Parameters"]]
    parameters = {name: ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in names}
    roles = {}
    for it in iam.list_roles()["Roles"]:
        role = it["RoleName"]
        documents = [
            document(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        roles[role] = documents
    return {"status": status, "repositories": repositories, "parameters": parameters, "roles": roles}


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    found = []
    for number, path in enumerate(sys.argv[1:]):
        server = ThreadedMotoServer(port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            endpoint = f"http://{host}:{port}"
            # Each template has an account of its own.
            reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
            urllib.request.urlopen(reset).read()
            found.append({"lint": lint(path), **create(endpoint, path, f"stack{number}")})
        finally:
            server.stop()
    json.dump(found, sys.stdout)


main()
