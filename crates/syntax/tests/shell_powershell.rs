//! PowerShell: detected, and read well enough to see what is pushed.

use tagwright_syntax::shell::powershell::{looks_like, parse};
use tagwright_syntax::shell::{PartKind, Status};

fn words(text: &str) -> Vec<Vec<String>> {
    parse(text)
        .commands
        .iter()
        .map(|command| {
            command
                .words
                .iter()
                .map(|word| word.span.of(text).to_string())
                .collect()
        })
        .collect()
}

fn parts(text: &str) -> Vec<String> {
    parse(text).commands[0]
        .words
        .last()
        .expect("a word")
        .parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::Literal(value) => value.to_string(),
            PartKind::Variable(variable) => {
                assert!(part.span.of(text).starts_with('$'));
                format!("<{}>", variable.name)
            }
            _ => format!("({})", part.span.of(text)),
        })
        .collect()
}

#[test]
fn only_powershell_is_taken_for_it() {
    for text in [
        "docker push \"$env:REPO:latest\"",
        "docker push ${Env:REPO}:latest",
        "Invoke-Expression -Command (Get-ECRLoginCommand).Command",
        "dir; Write-Host hi",
        "$x = Get-Content a",
        "cat a | Set-Content b",
    ] {
        assert!(looks_like(text), "{text}");
    }
    for text in [
        "docker push $REPO:latest",
        "docker-compose build",
        "apt-get update",
        "echo Get-Content",
        "echo \"environment: $ENVIRONMENT\"",
        "npm i Set-Up",
    ] {
        assert!(!looks_like(text), "{text}");
    }
}

#[test]
fn commands_end_at_lines_semicolons_and_pipes() {
    let text =
        "docker build -t a . ; docker push `\n a:latest | Out-Null\n# note\n& docker ps && x";
    assert_eq!(
        words(text),
        [
            vec!["docker", "build", "-t", "a", "."],
            vec!["docker", "push", "a:latest"],
            vec!["Out-Null"],
            vec!["docker", "ps"],
            vec!["x"],
        ]
    );
    let script = parse(text);
    assert_eq!(script.status, Status::Repaired);
    assert_eq!(script.comments[0].of(text), "# note");
}

#[test]
fn a_variable_of_the_environment_ends_before_the_tag() {
    assert_eq!(parts("docker push $env:REPO:latest"), ["<REPO>", ":latest"]);
    assert_eq!(
        parts("docker push \"$env:REPO:latest\""),
        ["<REPO>", ":latest"]
    );
    assert_eq!(
        parts("docker push ${env:REPO}:latest"),
        ["<REPO>", ":latest"]
    );
    assert_eq!(parts("docker push $repo`:latest"), ["<repo>", ":latest"]);
    assert_eq!(parts("docker push '$env:REPO''s'"), ["$env:REPO's"]);
    assert_eq!(
        parts("echo \"$(Get-Date -f (x)) é\""),
        ["($(Get-Date -f (x)))", " é"]
    );
    assert_eq!(parts("echo a$ b"), ["b"]);
}

#[test]
fn assignments_are_seen() {
    let text = "$env:TAG = \"latest\"\n$uri = Get-Uri -x";
    let script = parse(text);
    let tag = &script.commands[0].assignments[0];
    assert_eq!(&*tag.name, "TAG");
    assert!(tag.exported);
    assert_eq!(
        tag.value
            .as_ref()
            .and_then(|word| word.literal())
            .as_deref(),
        Some("latest")
    );
    assert!(script.commands[1].assignments[0].value.is_none());
}

#[test]
fn redirections_are_no_words() {
    let text = "docker ps > out.json 2>&1";
    assert_eq!(words(text)[0][..2], ["docker", "ps"]);
    let script = parse(text);
    let target = script.commands[0].redirects[0]
        .target
        .as_ref()
        .expect("a file");
    assert_eq!(target.span.of(text), "out.json");
}
