//! Situations of the rules about shell text, secrets and Copilot that the examples on their pages do not
//! show: where a rule must be silent, and why there is no fix.

use std::fmt::Write as _;

use tagwright_fixer::{Options, Sources, run};
use tagwright_rules::{Finding, Settings};

/// A buildspec with these commands, one per line; `\n` in a line becomes a line break of its command.
fn buildspec(commands: &str) -> String {
    let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n".to_owned();
    for command in commands.lines().filter(|line| !line.trim().is_empty()) {
        if command.contains("\\n") {
            let lines = command.trim().replace("\\n", "\n          ");
            let _ = writeln!(text, "      - |\n          {lines}");
        } else {
            let _ = writeln!(text, "      - {}", command.trim());
        }
    }
    text
}

fn lint(files: &[(&str, &str)]) -> Vec<Finding> {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.push(*path, *text);
    }
    lint_sources(&sources)
}

fn lint_sources(sources: &Sources) -> Vec<Finding> {
    let files = sources
        .iter()
        .map(|(id, source)| (id, &*source.path, &source.text));
    tagwright_rules::lint(files, &Settings::default())
}

/// What the findings of `rule` are about, as written in the first file.
fn places(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    lint(files)
        .into_iter()
        .filter(|finding| finding.rule == rule)
        .map(|finding| {
            let (_, text) = files[finding.file.0 as usize];
            text[finding.span.range()].to_owned()
        })
        .collect()
}

/// The same for commands of one buildspec.
fn in_commands(rule: &str, commands: &str) -> Vec<String> {
    places(rule, &[("buildspec.yml", &buildspec(commands))])
}

#[track_caller]
fn silent(rule: &str, commands: &str) {
    assert_eq!(in_commands(rule, commands), [""; 0], "{commands}");
}

#[track_caller]
fn fires(rule: &str, commands: &str) {
    assert_eq!(in_commands(rule, commands).len(), 1, "{commands}");
}

/// The commands after all fixes, each on its line.
fn fixed(commands: &str) -> Vec<String> {
    let mut sources = Sources::default();
    sources.push("buildspec.yml", buildspec(commands).as_str());
    let outcome = run(sources, &lint_sources, Options::default());
    let (_, source) = outcome.sources.iter().next().expect("there is a buildspec");
    source
        .text
        .lines()
        .skip(4)
        .map(|line| line.trim().trim_start_matches("- ").to_owned())
        .collect()
}

const PUSH: &str =
    "docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER";

#[test]
fn the_old_login_is_replaced_where_its_output_is_run() {
    let new = "aws ecr get-login-password --region $R | docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    for old in [
        "$(aws ecr get-login --no-include-email --region $R)",
        "eval $(aws ecr get-login --region $R --no-include-email)",
        "eval \"$(aws ecr get-login --region $R --no-include-email)\"",
    ] {
        assert_eq!(fixed(&format!("{old}\n{PUSH}")), [new, PUSH], "{old}");
    }
    assert_eq!(
        fixed(&format!("test -f x && $(aws ecr get-login) && {PUSH}"))[0],
        format!(
            "test -f x && aws ecr get-login-password | docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-west-1.amazonaws.com && {PUSH}"
        )
    );
}

#[test]
fn the_old_login_stays_where_the_registry_or_the_form_is_not_known() {
    for commands in [
        "$(aws ecr get-login)\ndocker push $REPO:$CODEBUILD_BUILD_NUMBER",
        &format!("$(aws ecr get-login --registry-ids 1 2)\n{PUSH}"),
        &format!("$(aws ecr get-login | sed 's,https://,,')\n{PUSH}"),
        &format!("aws ecr get-login > login.sh\n{PUSH}"),
        &format!("ID=$(aws ecr get-login)\n{PUSH}"),
        &format!(
            "$(aws ecr get-login)\n{PUSH}\n{}",
            PUSH.replace("1111", "2222")
        ),
        "ACCOUNT=$(cat account)\n$(aws ecr get-login)\ndocker push $ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com/web:1",
    ] {
        assert_eq!(
            in_commands("removed-command", commands).len(),
            1,
            "{commands}"
        );
        assert_eq!(fixed(commands), commands.lines().collect::<Vec<_>>());
    }
}

#[test]
fn the_old_login_is_fine_where_the_old_cli_is_installed() {
    silent(
        "removed-command",
        &format!("pip install awscli\n$(aws ecr get-login)\n{PUSH}"),
    );
    silent("removed-command", "echo aws ecr get-login is gone");
    silent("removed-command", "ls # $(aws ecr get-login)");
    fires(
        "removed-command",
        "curl https://awscli.amazonaws.com/awscli-exe-linux-x86_64.zip -o awscliv2.zip\n$(aws ecr get-login)",
    );
}

#[test]
fn a_password_goes_to_the_standard_input() {
    for (old, new) in [
        (
            "docker login -u me --password ${TOKEN} ghcr.io",
            "printf '%s' \"${TOKEN}\" | docker login -u me --password-stdin ghcr.io",
        ),
        (
            "docker login -p \"$TOKEN\" -u me || exit 1",
            "printf '%s' \"$TOKEN\" | docker login --password-stdin -u me || exit 1",
        ),
    ] {
        assert_eq!(fixed(old), [new], "{old}");
    }
    for stays in [
        "docker login -u me -p letmein",
        "docker login -u me --password=$TOKEN",
        "docker login -u me -p $A$B",
        "docker login -u me -p $(cat token)",
        "docker login -u me -p ${TOKEN:-x}",
        "cat x | docker login -u me -p $TOKEN",
    ] {
        fires("password-argument", stays);
        assert_eq!(fixed(stays), [stays]);
    }
    silent(
        "password-argument",
        "docker login -u me --password-stdin < token",
    );
    silent("password-argument", "az login -u me -p $TOKEN");
    silent("password-argument", "docker run -p 80:80 x login ");
}

#[test]
fn a_key_in_a_command_is_a_secret_in_the_file() {
    fires(
        "plaintext-secret",
        "export AWS_ACCESS_KEY_ID=AKIAQ3EGRYAB7TN2XW5Z && docker ps",
    );
    silent(
        "plaintext-secret",
        "export DB_PASSWORD=$SECRET && docker ps",
    );
}

#[test]
fn a_flag_of_another_subcommand_is_unknown() {
    for (call, flag) in [
        ("copilot job deploy -n x -e test --force", "--force"),
        ("copilot env deploy -n test --tag x", "--tag"),
        (
            "./copilot-linux svc package -n x -e test --force",
            "--force",
        ),
        ("copilot svc deploy -t x", "-t"),
    ] {
        assert_eq!(in_commands("unknown-flag", call), [flag], "{call}");
    }
    silent(
        "unknown-flag",
        "copilot svc deploy -n x -e test --force --tag x --detach",
    );
    silent(
        "unknown-flag",
        "copilot svc show --name x --json --resources",
    );
    silent("unknown-flag", "copilot suggest --shell x");
}

/// The findings of `rule` in a manifest of the service `web` with this text after its type.
fn in_manifest(rule: &str, rest: &str) -> Vec<String> {
    let text = format!("name: web\ntype: Backend Service\n{rest}");
    places(rule, &[("copilot/web/manifest.yml", &text)])
}

#[test]
fn exactly_one_of_build_and_location_remains() {
    let rule = "image-form";
    for (good, rest) in [
        "image:\n  build: Dockerfile\n",
        "image:\n  build:\n    dockerfile: Dockerfile\n  port: 80\n",
        "image:\n  build:\n  location: x\n",
        "image:\n  port: 80\nenvironments:\n  test:\n    image:\n      location: x\n",
        "image:\n  build: Dockerfile\nenvironments:\n  test:\n    image:\n      location: x\n",
        "image:\n  build: Dockerfile\nsidecars:\n  proxy:\n    image: nginx:1\n",
        "<<: *base\n",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(in_manifest(rule, rest), [""; 0], "{good}");
    }
    for (rest, place) in [
        ("image: nginx:1\n", "nginx:1"),
        ("image:\n  port: 80\n", "image"),
        ("cpu: 256\n", "type"),
        ("image:\n  build: Dockerfile\n  location: x\n", "location"),
        (
            "image:\n  build: .\nenvironments:\n  test:\n    image: x:1\n",
            "x:1",
        ),
    ] {
        assert_eq!(in_manifest(rule, rest), [place], "{rest}");
    }
    let site = "name: web\ntype: Static Site\nfiles:\n  - source: dist\n";
    assert_eq!(places(rule, &[("copilot/web/manifest.yml", site)]), [""; 0]);
}

#[test]
fn a_manifest_is_called_as_its_folder() {
    let text = "name: test\ntype: Environment\n";
    for (path, wrong) in [
        ("copilot/environments/test/manifest.yml", false),
        ("copilot/environments/prod/manifest.yml", true),
        ("backend/copilot/environments/prod/manifest.yml", true),
        ("copilot/pipelines/prod/manifest.yml", false),
    ] {
        assert_eq!(
            places("workload-name", &[(path, text)]).len(),
            usize::from(wrong),
            "{path}"
        );
    }
}
