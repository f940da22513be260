//! Situations of the rules about shell text, secrets and Copilot that the examples on their pages do not
//! show: where a rule must be silent, and why there is no fix.

use std::fmt::Write as _;

use tagwright_diagnostics::{Applicability, Finding, Severity};
use tagwright_fixer::{Options, Sources, run};
use tagwright_rules::Settings;

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
    // An escape of YAML stands right before the option.
    let escaped = "version: 0.2\nphases:\n  build:\n    commands:\n      - \"docker login \\\\\\n-p letmein\"\n";
    assert_eq!(
        places("password-argument", &[("buildspec.yml", escaped)]).len(),
        1
    );
    silent(
        "password-argument",
        "docker login -u me --password-stdin < token",
    );
    silent("password-argument", "az login -u me -p $TOKEN");
    silent("password-argument", "docker run -p 80:80 x login ");
}

#[test]
fn a_key_is_a_secret_wherever_it_stands() {
    let token = format!("ghp_{}", "a1".repeat(18));
    for (command, key) in [
        (
            "export AWS_ACCESS_KEY_ID=AKIAQ3EGRYAB7TN2XW5Z",
            "AKIAQ3EGRYAB7TN2XW5Z",
        ),
        (
            &*format!("git clone https://me:{token}@github.com/me/x"),
            &*token,
        ),
        (&*format!("ls # {token}"), &*token),
    ] {
        assert_eq!(in_commands("plaintext-secret", command), [key]);
    }
    silent("plaintext-secret", "export DB_PASSWORD=$SECRET");
    silent("plaintext-secret", "npm_config_loglevel=silent npm ci");
    silent("plaintext-secret", "grep -- '-----BEGIN ' key.pem");
    let header = "-----BEGIN RSA PRIVATE KEY-----";
    silent(
        "plaintext-secret",
        &format!("echo \"{header}\\\\n$KEY\" > key"),
    );
    let body = "MIIEpAIBAAKCAQEA7bq98".repeat(2);
    let found = in_commands(
        "plaintext-secret",
        &format!("echo '{header}\\n{body}' > key"),
    );
    assert_eq!(found, [header]);
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

#[test]
fn what_dash_does_not_understand_is_a_bashism() {
    for (command, place) in [
        ("if [[ -f x ]]; then make; fi", "[["),
        ("V=${A//x/y}", "${A//x/y}"),
        ("echo ${SHA:0:7}", "${SHA:0:7}"),
        ("echo ${A^^}", "${A^^}"),
        ("A=(1 2)", "A=(1 2)"),
        ("sed s/a/b/ <<<\"$A\"", "\"$A\""),
        ("diff <(ls a) <(ls b)", "<(ls a)"),
        ("source ./env.sh", "source"),
        ("set -euo pipefail", "pipefail"),
        ("pushd web", "pushd"),
        ("make &> log", "log"),
        ("A+=b", "A+=b"),
        ("for i in {1..3}\\ndo make; done", "{1..3}"),
        ("test a == b", "=="),
    ] {
        assert_eq!(in_commands("bashism", command), [place], "{command}");
    }
    for command in [
        "bash -c '[[ -f x ]] && make'",
        "echo '[[ x ]]' \"==\" # [[ ]]",
        "make > log 2>&1 && make & wait",
        "echo ${A:-x} ${A%%/*} ${A##*/} ${#A}",
        "jq '.a[0] == \"x\"' a.json",
        "echo \"{1..3}\" a..b ../x",
        ". ./env.sh",
        "(cd web; make)",
        "echo $((1 + 2))",
        "python - <<EOF\\nx += 1 == 2\\nEOF",
    ] {
        silent("bashism", command);
    }
    let bash = "version: 0.2\nenv:\n  shell: bash\nphases:\n  build:\n    commands:\n      - '[[ -f x ]]'\n";
    assert_eq!(places("bashism", &[("buildspec.yml", bash)]), [""; 0]);
    let amazon_linux = buildspec("sed s/a/b/ <<<$A");
    let path = "copilot/pipelines/main/buildspec.yml";
    assert_eq!(places("bashism", &[(path, &amazon_linux)]), [""; 0]);
}

#[test]
fn a_bashism_with_a_short_portable_form_is_rewritten() {
    let findings = lint(&[("buildspec.yml", &buildspec("source ./env.sh"))]);
    let fix = findings[0].fix.as_ref().expect("there is a fix");
    assert_eq!(fix.applicability, Applicability::Unsafe);
    assert_eq!(fixed("source ./env.sh"), ["source ./env.sh"]);
    assert_eq!(fixed("source env.sh"), ["source env.sh"]);
    assert_eq!(
        fixed("if [ $A == 1 ]; then make; fi"),
        ["if [ $A = 1 ]; then make; fi"]
    );
}

#[test]
fn state_is_lost_between_commands_of_version_0_1_only() {
    let spec = |version: &str, commands: &[&str]| {
        let mut text = format!("version: {version}\nphases:\n  build:\n    commands:\n");
        for command in commands {
            let _ = writeln!(text, "      - {command}");
        }
        text
    };
    let lost = |version: &str, commands: &[&str]| {
        places("lost-state", &[("buildspec.yml", &spec(version, commands))])
    };
    assert_eq!(lost("0.1", &["cd web", "make"]), ["cd web"]);
    assert_eq!(lost("0.1", &["export A=1", "make $A"]), ["export A=1"]);
    assert_eq!(lost("0.1", &["A=1", "make \"${A}\""]), ["A=1"]);
    assert_eq!(lost("0.2", &["cd web", "make"]), [""; 0]);
    assert_eq!(lost("0.1", &["make", "cd web"]), [""; 0]);
    assert_eq!(lost("0.1", &["cd web && make", "make"]), [""; 0]);
    assert_eq!(lost("0.1", &["A=1", "A=2 && make $A"]), [""; 0]);
    assert_eq!(lost("0.1", &["A=1", "make '$A'"]), [""; 0]);
}

/// A workspace in which Copilot deploys a service whose manifest uses `${X}`.
fn with_manifest(rule: &str, commands: &str) -> Vec<String> {
    let spec = buildspec(commands);
    let manifest = "name: web\ntype: Backend Service\nimage:\n  location: me/web:${X}\n";
    places(
        rule,
        &[
            ("buildspec.yml", &spec),
            ("copilot/web/manifest.yml", manifest),
        ],
    )
}

#[test]
fn a_variable_of_a_manifest_is_set_and_exported_by_the_build() {
    let deploy = "copilot svc deploy -n web -e test --force";
    for (before, undefined, unexported) in [
        ("ls", &["${X}"][..], &[][..]),
        ("echo $X", &["${X}"], &[]),
        ("X=1", &[], &["X=1"]),
        ("X=$(cat version)", &[], &["X=$(cat version)"]),
        ("export X=1", &[], &[]),
        ("X=1; export X", &[], &[]),
        ("env X=1 make", &[], &[]),
        (". ./env.sh", &[], &[]),
        ("export $(cat .env)", &[], &[]),
        ("set -a\nX=1", &[], &[]),
    ] {
        let commands = format!("{before}\n{deploy}");
        let found = with_manifest("undefined-manifest-variable", &commands);
        assert_eq!(found, undefined, "{before}");
        let found = with_manifest("unexported-variable", &commands);
        assert_eq!(found, unexported, "{before}");
    }
    for commands in [
        &format!("X=1 {deploy}"),
        "make",
        "copilot env deploy -n test",
    ] {
        assert_eq!(
            with_manifest("undefined-manifest-variable", commands),
            [""; 0],
            "{commands}"
        );
        assert_eq!(
            with_manifest("unexported-variable", commands),
            [""; 0],
            "{commands}"
        );
    }
}

#[test]
fn only_plain_variables_are_filled_in_by_copilot() {
    let rule = "unsupported-interpolation";
    let image = "image:\n  build: Dockerfile\n";
    assert_eq!(
        in_manifest(rule, &format!("{image}cpu: ${{CPU:-256}}\n")),
        ["${CPU:-256}"]
    );
    for rest in [
        "cpu: ${CPU}\n",
        "command: sh -c 'serve ${PORT:-80}'\n",
        "variables:\n  URL: ${URL:-x}\n",
        "cpu: ${server.port:80}\n",
        "cpu: \\${CPU:-1}\n",
    ] {
        assert_eq!(
            in_manifest(rule, &format!("{image}{rest}")),
            [""; 0],
            "{rest}"
        );
    }
}

#[test]
fn stages_and_sections_are_compared_with_the_environments_there_are() {
    let rule = "unknown-environment";
    let environment = (
        "copilot/environments/test/manifest.yml",
        "name: test\ntype: Environment\n",
    );
    let service = "name: web\ntype: Backend Service\nimage:\n  build: .\nenvironments:\n  test:\n    count: 1\n  prod:\n    count: 2\n";
    let pipeline = "name: main\nversion: 1\nsource:\n  provider: GitHub\nstages:\n  - name: test\n  - name: live\n";
    let files = [
        ("copilot/web/manifest.yml", service),
        ("copilot/pipelines/main/manifest.yml", pipeline),
        environment,
    ];
    assert_eq!(places(rule, &files), ["prod", "live"]);
    assert_eq!(places(rule, &files[..2]), [""; 0]);
    let elsewhere = [("other/copilot/web/manifest.yml", service), environment];
    assert_eq!(places(rule, &elsewhere), [""; 0]);
}

#[test]
fn a_failure_before_the_last_line_is_masked() {
    for (command, place) in [
        ("npm test\\necho done", "npm test"),
        ("make; ls\\nls", "make"),
        ("docker build .\\nif true; then ls; fi", "docker build ."),
        ("if true; then\\n  make\\n  ls\\nfi", "make"),
        ("if true; then\\n  make\\nfi\\nls", "make"),
        ("for i in a b; do\\n  make $i\\n  ls\\ndone", "make $i"),
    ] {
        let found = in_commands("masked-failure", command);
        assert_eq!(found.first().map_or("", |it| it), place, "{command}");
    }
    for command in [
        "ls\\nnpm test",
        "npm test &&\\nls",
        "npm test || exit 1\\nls",
        "set -e\\nnpm test\\nls",
        "npm test\\nif [ $? -ne 0 ]; then exit 1; fi",
        "if npm test; then\\n  ls\\nfi",
        "npm install\\nls",
        "mvn package | tee log\\nls",
        "ls &&\\n  make &&\\n  ls",
        "ls && make\\nls",
        "if true; then\\n  make\\nelse\\n  ls\\nfi",
        "case $A in\\n  x) make ;;\\n  *) ls ;;\\nesac",
        "npm test; ls",
    ] {
        silent("masked-failure", command);
    }
}

#[test]
fn printing_the_environment_shows_loaded_secrets() {
    let spec = |command: &str| {
        format!(
            "version: 0.2\nenv:\n  secrets-manager:\n    TOKEN: a:b\nphases:\n  build:\n    commands:\n      - {command}\n"
        )
    };
    for command in ["env", "printenv", "set -ex", "set -o xtrace", "export -p"] {
        let found = places("traced-secret", &[("buildspec.yml", &spec(command))]);
        assert_eq!(found, [command]);
    }
    for command in [
        "env > file",
        "env | grep PATH",
        "env A=1 make",
        "set -e",
        "set +x",
        "set -- x",
        "printenv HOME",
        "N=$(env)",
    ] {
        let found = places("traced-secret", &[("buildspec.yml", &spec(command))]);
        assert_eq!(found, [""; 0], "{command}");
    }
    silent("traced-secret", "env");
}

#[test]
fn a_secret_among_the_variables_of_a_manifest_is_one_too() {
    let image = "image:\n  build: .\n";
    let rest = format!("{image}variables:\n  API_KEY: v8Qm2xTz91\n  LEVEL: v8Qm2xTz91\n");
    assert_eq!(in_manifest("plaintext-secret", &rest), ["v8Qm2xTz91"]);
    let rest =
        format!("{image}environments:\n  test:\n    variables:\n      DB_PASSWORD: v8Qm2xTz91\n");
    assert_eq!(in_manifest("plaintext-secret", &rest), ["v8Qm2xTz91"]);
    let rest = format!("{image}secrets:\n  DB_PASSWORD: /web/test/v8Qm2xTz91\n");
    assert_eq!(in_manifest("plaintext-secret", &rest), [""; 0]);
}

#[test]
fn templates_of_manifests_are_left_alone() {
    let text = "name: {{ name }}\ntype: Backend Service\nimage: {{ image }}\n";
    for rule in ["image-form", "workload-name"] {
        assert_eq!(places(rule, &[("copilot/web/manifest.yml", text)]), [""; 0]);
    }
}

/// What `bashism` says of a buildspec with `source ./env.sh` and these files beside it: the severity, and how many
/// places explain it.
fn bashism(files: &[(&str, &str)]) -> Vec<(Severity, usize)> {
    let spec = buildspec("source ./env.sh");
    let mut all = vec![("buildspec.yml", &*spec)];
    all.extend(files);
    lint(&all)
        .into_iter()
        .filter(|finding| finding.rule == "bashism")
        .map(|finding| (finding.severity, finding.related.len()))
        .collect()
}

const UBUNTU: &str = "aws/codebuild/standard:7.0";
const AMAZON: &str = "aws/codebuild/amazonlinux-x86_64-standard:5.0";

fn project(image: &str, source: &str) -> String {
    format!(
        "Resources:\n  Web:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Environment: {{Type: LINUX_CONTAINER, Image: {image}}}\n      Source: {{{source}}}\n"
    )
}

#[test]
fn what_only_bash_knows_is_found_and_what_dash_knows_too_is_not() {
    for command in [
        "'function f { echo a; }; f'",
        "'true; function g() { echo a; }'",
        "read -a parts < file",
        "read -rs token",
        "printf '%q' \"$X\"",
        "trap './clean.sh' ERR",
        "trap './clean.sh' RETURN",
        "trap './clean.sh' \"DEBUG\"",
        "read  -a parts < file",
        "shopt -s globstar",
        "mapfile -t lines < file",
        "echo $'a-b'",
    ] {
        fires("bashism", command);
    }
    for command in [
        "'f() { echo function f; }; f'",
        "read -r -p sure? answer",
        "printf '%s' \"$X\"",
        "trap './clean.sh' EXIT",
        "echo function f",
        "echo mapfile shopt read -a",
        "grep 'a$' file",
        "echo ERR",
    ] {
        silent("bashism", command);
    }
}

#[test]
fn the_build_image_decides_how_bad_it_is_to_need_bash() {
    assert_eq!(bashism(&[]), [(Severity::Note, 0)]);
    for source in [
        "Type: GITHUB",
        "Type: CODEPIPELINE, BuildSpec: buildspec.yml",
    ] {
        let dash = project(UBUNTU, source);
        assert_eq!(bashism(&[("t.yml", &dash)]), [(Severity::Warning, 1)]);
        let bash = project(AMAZON, source);
        assert_eq!(bashism(&[("t.yml", &bash)]), []);
        // Two that disagree, and two that do not.
        let both = [("t.yml", &*dash), ("u.yml", &*bash)];
        assert_eq!(bashism(&both), [(Severity::Note, 0)]);
        let twice = [("t.yml", &*dash), ("u.yml", &*dash)];
        assert_eq!(bashism(&twice), [(Severity::Warning, 2)]);
    }
    let unknown = [
        project("!Ref Image", "Type: GITHUB"),
        project("alpine:3", "Type: GITHUB"),
        project(UBUNTU, "Type: GITHUB, BuildSpec: other.yml"),
        project(UBUNTU, "Type: GITHUB, BuildSpec: !Ref Spec"),
        project(
            UBUNTU,
            "Type: NO_SOURCE, BuildSpec: 'arn:aws:s3:::bucket/buildspec.yml'",
        ),
    ];
    for template in &unknown {
        assert_eq!(
            bashism(&[("t.yml", template)]),
            [(Severity::Note, 0)],
            "{template}"
        );
    }
}

#[test]
fn only_a_shell_that_is_not_sh_is_asked_for() {
    for (shell, count) in [
        ("bash", 0),
        ("/bin/bash", 0),
        ("/bin/sh", 1),
        ("sh", 1),
        ("$X", 0),
    ] {
        let spec = buildspec("source ./env.sh")
            .replace("phases:", &format!("env:\n  shell: {shell}\nphases:"));
        let found = places("bashism", &[("buildspec.yml", &spec)]);
        assert_eq!(found.len(), count, "{shell}");
    }
}

#[test]
fn terraform_copilot_and_batches_show_the_build_image_too() {
    let terraform = |image: &str| {
        format!(
            "resource \"aws_codebuild_project\" \"web\" {{\n  environment {{\n    image = {image}\n  }}\n  source {{\n    type = \"CODEPIPELINE\"\n  }}\n}}\n"
        )
    };
    for (image, expected) in [
        (
            "\"aws/codebuild/standard:7.0\"",
            vec![(Severity::Warning, 1)],
        ),
        ("\"aws/codebuild/amazonlinux2-x86_64-standard:5.0\"", vec![]),
        ("var.image", vec![(Severity::Note, 0)]),
    ] {
        assert_eq!(
            bashism(&[("main.tf", &terraform(image))]),
            expected,
            "{image}"
        );
    }
    let counted =
        terraform("\"aws/codebuild/standard:7.0\"").replace("{\n  env", "{\n  count = 2\n  env");
    assert_eq!(bashism(&[("main.tf", &counted)]), [(Severity::Note, 0)]);

    let spec = buildspec("source ./env.sh");
    let pipeline = |build: &str| {
        format!(
            "name: web\nversion: 1\nsource:\n  provider: GitHub\n{build}stages:\n  - name: test\n"
        )
    };
    let copilot = |manifest: &str| {
        let files = [
            ("copilot/pipelines/web/buildspec.yml", &*spec),
            ("copilot/pipelines/web/manifest.yml", manifest),
        ];
        let found = lint(&files).into_iter().filter(|it| it.rule == "bashism");
        found.map(|it| it.severity).collect::<Vec<_>>()
    };
    assert_eq!(copilot(&pipeline("")), []);
    let ubuntu = pipeline("build:\n  image: aws/codebuild/standard:7.0\n");
    assert_eq!(copilot(&ubuntu), [Severity::Warning]);
    let elsewhere = pipeline("build:\n  buildspec: buildspec.yml\n");
    assert_eq!(
        bashism(&[("copilot/pipelines/web/manifest.yml", &elsewhere)]),
        []
    );

    let batch = |image: &str| {
        let text = format!(
            "version: 0.2\nbatch:\n  build-list:\n    - identifier: one\n      env:\n        image: {image}\n    - identifier: two\n      buildspec: buildspec.yml\n      env:\n        image: {image}\n"
        );
        bashism(&[("ci/batch.yml", &text)])
    };
    assert_eq!(batch(UBUNTU), [(Severity::Warning, 1)]);
    assert_eq!(batch(AMAZON), []);
    assert_eq!(batch("$IMAGE"), [(Severity::Note, 0)]);
    let own = format!(
        "version: 0.2\nbatch:\n  build-matrix:\n    dynamic:\n      env:\n        image:\n          - {UBUNTU}\n          - aws/codebuild/standard:6.0\n{}",
        buildspec("source ./env.sh").replace("version: 0.2\n", "")
    );
    let found = lint(&[("batch/buildspec.yml", &own)]);
    assert_eq!(found[0].severity, Severity::Warning, "{found:?}");
}

#[test]
fn a_buildspec_inside_a_template_runs_in_its_own_project_s_image() {
    let two = |first: &str, second: &str| {
        let project = |name: &str, image: &str| {
            format!(
                "  {name}:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Environment:\n        Image: {image}\n      Source:\n        BuildSpec: |\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - source ./{name}.sh\n"
            )
        };
        let text = format!(
            "Resources:\n{}{}",
            project("One", first),
            project("Two", second)
        );
        let found = lint(&[("t.yml", &text)]).into_iter();
        found
            .filter(|it| it.rule == "bashism")
            .map(|it| it.severity)
            .collect::<Vec<_>>()
    };
    assert_eq!(two(UBUNTU, AMAZON), [Severity::Warning]);
    assert_eq!(two(AMAZON, AMAZON), []);
    assert_eq!(
        two(UBUNTU, "!Ref Image"),
        [Severity::Warning, Severity::Note]
    );
}

#[test]
fn a_level_of_the_configuration_holds_whatever_the_image_is() {
    let spec = buildspec("source ./env.sh");
    let template = project(UBUNTU, "Type: GITHUB");
    let mut sources = Sources::default();
    sources.push("buildspec.yml", &*spec);
    sources.push("t.yml", &*template);
    let files = || sources.iter().map(|(id, it)| (id, &*it.path, &it.text));
    let mut settings = Settings::default();
    settings
        .levels
        .insert("bashism".to_owned(), Some(Severity::Error));
    let found = tagwright_rules::lint(files(), &settings);
    let levels: Vec<_> = found.iter().map(|it| (it.rule, it.severity)).collect();
    assert_eq!(levels, [("bashism", Severity::Error)]);
    settings.levels.insert("bashism".to_owned(), None);
    assert_eq!(tagwright_rules::lint(files(), &settings), []);
}

#[test]
fn the_old_login_is_fine_in_an_image_that_has_the_old_cli() {
    let spec = buildspec("$(aws ecr get-login)");
    for (image, count) in [
        ("aws/codebuild/standard:4.0", 0),
        ("aws/codebuild/docker:17.09.0", 0),
        (UBUNTU, 1),
        ("!Ref Image", 1),
    ] {
        let template = project(image, "Type: GITHUB");
        let files = [("buildspec.yml", &*spec), ("t.yml", &*template)];
        assert_eq!(places("removed-command", &files).len(), count, "{image}");
    }
}

#[test]
fn a_command_of_a_megabyte_is_said_not_to_be_read() {
    let text = format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n      - echo {}\n",
        "x".repeat(1024 * 1024)
    );
    let findings = lint(&[("buildspec.yml", &text)]);
    let found: Vec<_> = findings.iter().map(|it| (it.rule, it.span.start)).collect();
    let start = u32::try_from(text.find("echo").unwrap()).unwrap();
    assert_eq!(found, [("unread-command", start)]);
    assert!(findings[0].message.contains("longer than 512 KB"));
}

#[test]
fn a_login_whose_output_is_run_matters_where_its_status_does() {
    let login =
        "$(aws ecr get-login-password | docker login --username AWS --password-stdin $HOST)";
    fires("registry-login", login);
    fires("registry-login", &format!("{login} && {PUSH}"));
    // The status of a command in the middle of a loop is nobody's.
    silent(
        "registry-login",
        &format!("for env in $ENVS; do {login}; {PUSH}; done"),
    );
    silent(
        "registry-login",
        "RESULT=$(docker login -u a --password-stdin b)",
    );
}

#[test]
fn a_password_fits_the_registry_whatever_the_tool() {
    let host = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
    for login in [
        "docker login -u AWS --password-stdin",
        "podman login -u AWS --password-stdin",
        "helm registry login -u AWS --password-stdin",
    ] {
        let own = "aws ecr get-login-password --region";
        fires(
            "registry-login",
            &format!("{own} eu-west-1 | {login} {host}"),
        );
        fires(
            "registry-login",
            &format!("{own}=eu-west-1 | {login} https://{host}/web"),
        );
        fires(
            "registry-login",
            &format!("aws ecr-public get-login-password | {login} {host}"),
        );
        fires(
            "registry-login",
            &format!("{own} $R | {login} $A.dkr.ecr.AWS_REGION.amazonaws.com"),
        );
        fires(
            "registry-login",
            &format!("{login} -p $({own} eu-west-1) {host}"),
        );
        silent(
            "registry-login",
            &format!("{login} -p $({own} us-east-1) {host}"),
        );
        silent(
            "registry-login",
            &format!("{own} us-east-1 | {login} {host}"),
        );
        silent("registry-login", &format!("{own} $R | {login} {host}"));
        silent(
            "registry-login",
            &format!("{own} us-east-1 | {login} $A.dkr.ecr.$R.amazonaws.com"),
        );
    }
}

#[test]
fn a_region_in_the_map_is_that_of_the_password() {
    let spec = |variables: &str, region: &str| {
        let login =
            "docker login -u AWS --password-stdin 111122223333.dkr.ecr.us-east-1.amazonaws.com";
        let own = format!("aws ecr get-login-password --region {region}");
        format!(
            "version: 0.2\nenv:\n  variables:\n    {variables}\nphases:\n  build:\n    commands:\n      - {own} | {login}\n"
        )
    };
    for (variables, region, expected) in [
        ("REGION: eu-west-1", "$REGION", 1),
        ("REGION: eu-west-1", "\"${REGION}\"", 1),
        ("REGION: us-east-1", "$REGION", 0),
        // The project may say another one.
        ("AWS_REGION: eu-west-1", "$AWS_REGION", 0),
        ("OTHER: eu-west-1", "$REGION", 0),
    ] {
        let text = spec(variables, region);
        let found = places("registry-login", &[("buildspec.yml", &text)]);
        assert_eq!(found.len(), expected, "{variables} {region}");
    }
}

#[test]
fn a_folded_here_document_has_no_lines() {
    let spec = |style: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - {style}\n        cat > a.json <<EOF\n        {{}}\n        EOF\n"
        )
    };
    let found = |style| places("incomplete-command", &[("buildspec.yml", &spec(style))]);
    assert_eq!(found(">"), ["<<"]);
    assert_eq!(found("|"), [""; 0]);
    // It may have no lines on purpose.
    silent("incomplete-command", "cat <<EOF");
}

#[test]
fn other_values_that_are_run_as_commands() {
    fires("variable-as-command", "X=$(shell date)");
    fires("variable-as-command", "X=$(wildcard src/*.c)");
    silent("variable-as-command", "make X='$(wildcard src/*.c)'");
    fires("variable-as-command", "X=$(COMMIT:=none)");
    fires("variable-as-command", "if $STATUS -eq 0; then make; fi");
    fires("variable-as-command", "$STATUS == 1 || make");
    silent("variable-as-command", "if [ $STATUS -eq 0 ]; then make; fi");
    silent("variable-as-command", "X=$(./shell date)");
    silent("variable-as-command", "X=$(kubectl get pod a:b)");
    silent("variable-as-command", "$RUNNER run test");
}

#[test]
fn arrays_are_lost_between_items_only() {
    fires("array-across-items", "A=(1 2)\necho ${A[0]}");
    fires("array-across-items", "mapfile -t A < list\necho ${#A[@]}");
    silent("array-across-items", "A=(1 2); echo ${A[0]}");
    silent("array-across-items", "A=(1 2)\nA=(3); echo ${A[0]}");
    silent("array-across-items", "A=1\necho ${A}");
}

#[test]
fn a_backslash_before_a_line_break_that_yaml_folds_is_a_space() {
    let item = |written: &str| {
        let text = format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {written}\n");
        places("folded-backslash", &[("buildspec.yml", &text)]).len()
    };
    for wrong in [
        "docker push \\\n        $IMAGE",
        "docker push \\ \n        $IMAGE",
        "aws ecr get-login-password | \\\n        docker login --password-stdin $HOST",
        ">-\n        docker push \\\n        $IMAGE",
        "docker build \\\r\n        --file a .\r",
    ] {
        assert_eq!(item(wrong), 1, "{wrong}");
    }
    for right in [
        "|\n        docker push \\\n          $IMAGE",
        // Deeper lines keep their breaks.
        ">\n        docker build .\n          --file a \\\n          --tag b",
        "cp a\\ b.txt c",
        "echo one \\\n        two",
        "docker push 'a \\\n        b'",
        "\"docker push \\\n        $IMAGE\"",
    ] {
        assert_eq!(item(right), 0, "{right}");
    }
}
