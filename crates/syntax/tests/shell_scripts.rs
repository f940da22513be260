//! Whole scripts: which commands there are, and in what context they run.

use tagwright_syntax::shell::{
    Command, Context, PartKind, RedirectKind, Script, Status, parse, powershell,
};

fn clean(text: &str) -> Script {
    let script = parse(text);
    assert_eq!(script.status, Status::Clean, "{text}");
    script
}

fn line(command: &Command, text: &str) -> String {
    command.span.of(text).to_string()
}

/// The flags of a context: `?` conditional, `!` after failure, `~` tolerated, `(` subshell, `$` in a
/// substitution, `@name` in a loop, `name()` in a function, `|1/2` place in a pipeline.
fn flags(context: &Context) -> String {
    let mut text = String::new();
    for (set, flag) in [
        (context.conditional, "?"),
        (context.after_failure, "!"),
        (context.tolerated, "~"),
        (context.subshell, "("),
    ] {
        if set {
            text.push_str(flag);
        }
    }
    text.push_str(&"$".repeat(context.substitution as usize));
    for level in &context.loops {
        text.push('@');
        text.push_str(level.variable.as_deref().unwrap_or("-"));
    }
    if let Some(name) = &context.function {
        text.push_str(&format!("{name}()"));
    }
    if context.pipe_length != 1 {
        text.push_str(&format!("|{}/{}", context.pipe_index, context.pipe_length));
    }
    text
}

/// A script; its commands with the flags of their contexts.
const CONTEXTS: &[(&str, &[(&str, &str)])] = &[
    ("a; b", &[("a", ""), ("b", "")]),
    ("a && b || c", &[("a", "~"), ("b", "?~"), ("c", "?!")]),
    ("a || b && c", &[("a", "~"), ("b", "?!"), ("c", "?")]),
    ("a && b && c", &[("a", ""), ("b", "?"), ("c", "?")]),
    ("! a", &[("a", "~")]),
    ("! a && b", &[("a", "~"), ("b", "?")]),
    (
        "a | b | c",
        &[("a", "(|0/3"), ("b", "(|1/3"), ("c", "(|2/3")],
    ),
    ("a | b && c", &[("a", "(|0/2"), ("b", "(|1/2"), ("c", "?")]),
    ("a && b | c", &[("a", ""), ("b", "?(|0/2"), ("c", "?(|1/2")]),
    ("a & b", &[("a", "("), ("b", "")]),
    ("(a; b)", &[("a", "("), ("b", "(")]),
    ("{ a; b; }", &[("a", ""), ("b", "")]),
    ("{ a && b; } || c", &[("a", "~"), ("b", "?~"), ("c", "?!")]),
    (
        "if a; then b; elif c; then d; else e; fi",
        &[("a", "~"), ("b", "?"), ("c", "?~"), ("d", "?"), ("e", "?")],
    ),
    ("while a; do b; done", &[("a", "~"), ("b", "?@-")]),
    ("until a; do b; done", &[("a", "~"), ("b", "?@-")]),
    ("for x in 1 2; do b $x; done", &[("b $x", "?@x")]),
    (
        "for x in $(l); do for y in a; do b; done; done",
        &[("l", "($"), ("b", "?@x@y")],
    ),
    ("for ((i=0;i<3;i++)); do b; done", &[("b", "?@-")]),
    (
        "case $X in main) a;; *) b;; esac",
        &[("a", "?"), ("b", "?")],
    ),
    ("f() { a; }; f", &[("a", "f()"), ("f", "")]),
    (
        "function g { a | b; }",
        &[("a", "(g()|0/2"), ("b", "(g()|1/2")],
    ),
    (
        "a $(b $(c))",
        &[("c", "($$"), ("b $(c)", "($"), ("a $(b $(c))", "")],
    ),
    (
        "X=$(a | b)",
        &[("a", "($|0/2"), ("b", "($|1/2"), ("X=$(a | b)", "")],
    ),
    ("X=`a`", &[("a", "($"), ("X=`a`", "")]),
    (
        "X=\"`a \\\"b\\\" \\`c\\``\"",
        &[
            ("c", "($$"),
            ("a \\\"b\\\" \\`c\\`", "($"),
            ("X=\"`a \\\"b\\\" \\`c\\``\"", ""),
        ],
    ),
    ("a <(b)", &[("b", "($"), ("a <(b)", "")]),
    ("a > \"$(b)\"", &[("b", "($"), ("a", "")]),
    ("a \"${X:-$(b)}\"", &[("b", "($"), ("a \"${X:-$(b)}\"", "")]),
    (
        "[[ $(a) == b ]] && c",
        &[("a", "($"), ("[[ $(a) == b ]]", ""), ("c", "?")],
    ),
    ("(( X = $(a) )); b", &[("a", "($"), ("((", ""), ("b", "")]),
    ("time a", &[("a", "")]),
    (
        "l | while read x; do b; done",
        &[("l", "(|0/2"), ("read x", "~("), ("b", "?(@-")],
    ),
    (
        "a || { b; exit 1; }",
        &[("a", "~"), ("b", "?!"), ("exit 1", "?!")],
    ),
    ("a\n# note\nb # more\n", &[("a", ""), ("b", "")]),
    (
        "cat <<EOF\n$(a)\nEOF\nb",
        &[("a", "($"), ("cat", ""), ("b", "")],
    ),
    ("A=(x $(a))", &[("a", "($"), ("A=(x $(a))", "")]),
    (
        "X=$(cat <<EOF\ndon't )\nEOF\n) ; b",
        &[
            ("cat", "($"),
            ("X=$(cat <<EOF\ndon't )\nEOF\n)", ""),
            ("b", ""),
        ],
    ),
];

#[test]
fn every_simple_command_appears_with_its_context() {
    for (text, expected) in CONTEXTS {
        let script = clean(text);
        let found: Vec<_> = script
            .commands
            .iter()
            .map(|command| (line(command, text), flags(&command.context)))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_loop_keeps_the_words_it_runs_over() {
    let text = "for tag in latest \"$B\"; do docker push $REPO:$tag; done";
    let script = clean(text);
    let level = &script.commands[0].context.loops[0];
    let words: Vec<_> = level.words.iter().map(|word| word.span.of(text)).collect();
    assert_eq!(words, ["latest", "\"$B\""]);
}

#[test]
fn loops_around_backticks_keep_their_places() {
    let text = "for t in latest; do X=`echo \\$t \"a\"`; done";
    let script = clean(text);
    let inner = &script.commands[0];
    assert_eq!(inner.span.of(text), "echo \\$t \"a\"");
    assert_eq!(inner.context.loops[0].words[0].span.of(text), "latest");
}

#[test]
fn comments_reach_to_the_end_of_their_line() {
    let text = "# docker push a:latest\na # b\nif c; then\n  # d\n  e\nfi\nx $(y # z\n)\n";
    let script = clean(text);
    let comments: Vec<_> = script.comments.iter().map(|span| span.of(text)).collect();
    assert_eq!(comments, ["# docker push a:latest", "# b", "# d", "# z"]);
}

#[test]
fn redirections_keep_kind_and_target() {
    let text = "a > x.json >> y < z 2>&1 <<< \"$w\" &> all";
    let script = clean(text);
    let found: Vec<_> = script.commands[0]
        .redirects
        .iter()
        .map(|redirect| {
            (
                redirect.kind,
                redirect
                    .target
                    .as_ref()
                    .map_or("", |word| word.span.of(text)),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (RedirectKind::Output, "x.json"),
            (RedirectKind::Output, "y"),
            (RedirectKind::Input, "z"),
            (RedirectKind::Duplicate, "1"),
            (RedirectKind::HereString, "\"$w\""),
            (RedirectKind::Output, "all"),
        ]
    );
}

#[test]
fn a_here_document_expands_unless_its_delimiter_is_quoted() {
    let text = "cat > a.json <<EOF\n[{\"imageUri\":\"$REPO:latest\", \\$x}]\nEOF\ncat <<'EOF'\n$REPO\nEOF\ncat <<-E\n\t\ta\n\tb\n\tE\n";
    let script = clean(text);
    let documents: Vec<_> = script
        .commands
        .iter()
        .flat_map(|command| &command.redirects)
        .filter_map(|redirect| redirect.here_document.as_ref())
        .collect();
    assert_eq!(
        documents[0].body.of(text),
        "[{\"imageUri\":\"$REPO:latest\", \\$x}]\n"
    );
    assert!(documents[0].expands);
    let variable = &documents[0].parts[1];
    assert_eq!(variable.span.of(text), "$REPO");
    assert!(
        matches!(&documents[0].parts[2].kind, PartKind::Literal(value) if &**value == ":latest\", $x}]\n")
    );
    assert_eq!(documents[1].body.of(text), "$REPO\n");
    assert!(!documents[1].expands);
    assert_eq!(documents[2].body.of(text), "\t\ta\n\tb\n");
}

#[test]
fn a_real_build_script_is_read_whole() {
    let text = r#"
set -euo pipefail
echo Logging in...
aws ecr get-login-password --region $AWS_DEFAULT_REGION | docker login --username AWS --password-stdin $ACC.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com
COMMIT_HASH=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)
IMAGE_TAG=${COMMIT_HASH:=latest}
for svc in api web; do
  if [ -f "$svc/Dockerfile" ]; then
    docker build -t "$REPO/$svc:latest" "$svc" || exit 1
    docker tag "$REPO/$svc:latest" "$REPO/$svc:$IMAGE_TAG"
  fi
done
case "$CODEBUILD_WEBHOOK_HEAD_REF" in
  refs/heads/main) docker push --all-tags "$REPO/api" ;;
  *) echo "skip" ;;
esac
printf '[{"name":"api","imageUri":"%s"}]' "$REPO/api:$IMAGE_TAG" > imagedefinitions.json
cat imagedefinitions.json
"#;
    let script = clean(text);
    let programs: Vec<_> = script
        .commands
        .iter()
        .map(|command| command.program().unwrap_or_default())
        .collect();
    assert_eq!(
        programs,
        [
            "set", "echo", "aws", "docker", "echo", "cut", "", "", "[", "docker", "exit", "docker",
            "docker", "echo", "printf", "cat"
        ]
    );
}

#[test]
fn a_generated_copilot_build_is_read_whole() {
    let text = "pipeline=$(cat $CODEBUILD_SRC_DIR/copilot/pipelines/p/manifest.yml | ruby -ryaml -rjson -e 'puts JSON.pretty_generate(YAML.load(ARGF))')\nfor env in $pl_envs; do\n  tag=$(sed 's/:/-/g' <<<\"${CODEBUILD_BUILD_ID##*:}-$env\" | rev | cut -c 1-128 | rev)\n  for svc in $svcs; do\n  ./copilot-linux svc package -n $svc -e $env --output-dir './infrastructure' --tag $tag --upload-assets;\n  if [ $? -ne 0 ]; then\n    echo \"Cloudformation stack and config files were not generated.\" 1>&2;\n    exit 1;\n  fi\n  done;\ndone\n";
    let script = clean(text);
    let package = script
        .commands
        .iter()
        .find(|command| command.program().as_deref() == Some("copilot-linux"))
        .expect("the copilot command");
    assert_eq!(package.words[10].span.of(text), "$tag");
    assert_eq!(package.context.loops.len(), 2);
}

/// Broken texts; a command that must be found all the same.
const BROKEN: &[(&str, &str)] = &[
    (
        "if [ -n \"$X\" ]; then docker push app:latest",
        "docker push app:latest",
    ),
    ("if [ -n \"$X\" ]; then", "[ -n \"$X\" ]"),
    ("for i in a b; do docker push app:$i", "docker push app:$i"),
    ("docker push \"app:latest", "docker push \"app:latest"),
    ("docker push 'app:latest", "docker push 'app:latest"),
    ("echo $(docker images", "docker images"),
    ("(docker push app:latest", "docker push app:latest"),
    ("{ docker push app:latest", "docker push app:latest"),
    ("f() { docker push app:latest", "docker push app:latest"),
    (
        "case $X in main) docker push app:latest",
        "docker push app:latest",
    ),
    ("echo ${X", "echo ${X"),
    ("echo `date", "date"),
    ("else docker push app:latest", "docker push app:latest"),
    ("then docker push app:latest; fi", "docker push app:latest"),
    ("fi; docker push app:latest", "docker push app:latest"),
    ("&& docker push app:latest", "docker push app:latest"),
    ("docker push app:latest &&", "docker push app:latest"),
    ("docker push app:latest |", "docker push app:latest"),
    (
        "for i in a; do if b; then docker push app:latest",
        "docker push app:latest",
    ),
    (
        "while true; do docker push app:latest",
        "docker push app:latest",
    ),
    ("echo \"$(docker images", "docker images"),
    ("docker push app:latest\n)\n", "docker push app:latest"),
];

#[test]
fn broken_texts_are_repaired_and_keep_their_places() {
    for (text, expected) in BROKEN {
        let script = parse(text);
        assert_eq!(script.status, Status::Repaired, "{text}");
        let found: Vec<_> = script
            .commands
            .iter()
            .map(|command| line(command, text))
            .collect();
        assert!(
            found.iter().any(|l| l.trim_end() == *expected),
            "{text}: {found:?}"
        );
        for command in &script.commands {
            assert!(command.span.end as usize <= text.len());
        }
    }
}

#[test]
fn what_cannot_be_a_script_is_unreadable() {
    for text in ["fi", "done", "esac", ")", "\0", "&&"] {
        let script = parse(text);
        assert!(script.commands.is_empty(), "{text:?}");
        assert_eq!(script.status, Status::Unreadable, "{text:?}");
    }
}

#[test]
fn an_empty_text_is_clean() {
    for text in ["", " \n", "# only a comment"] {
        let script = parse(text);
        assert_eq!(script.status, Status::Clean);
        assert!(script.commands.is_empty());
    }
}

/// Every kind of nesting, deep.
fn nestings(depth: usize) -> Vec<String> {
    [
        ("$(", ")"),
        ("echo $(", ")"),
        ("echo \"$(", ")\""),
        ("echo ${a:-", "}"),
        ("echo \"${a:-", "}\""),
        ("(", ")"),
        ("{ ", "; }"),
        ("if a; then ", "; fi"),
        ("for i in a; do ", "; done"),
        ("case a in a) ", ";; esac"),
        ("f() { ", "; }"),
        ("((", "))"),
        ("echo $((", "))"),
        ("[[ (", ") ]]"),
        ("a && ", ""),
        ("a | ", ""),
        ("! ", ""),
        ("<(", ")"),
        ("`", "`"),
        ("\\", ""),
        ("\"", "\""),
        ("a=(", ")"),
        ("${a[", "]}"),
        ("a\n<<E ", ""),
        ("$[", "]"),
        ("@(", ")"),
        ("coproc ", ""),
        ("time ", ""),
    ]
    .iter()
    .flat_map(|(open, close)| {
        [
            format!("{}x{}", open.repeat(depth), close.repeat(depth)),
            open.repeat(depth),
        ]
    })
    .collect()
}

#[test]
fn deep_nesting_does_not_overflow_a_small_stack() {
    let worker = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(|| {
            for depth in [10, 48, 180, 1500] {
                for text in nestings(depth) {
                    let script = parse(&text);
                    let _ = powershell::parse(&text);
                    drop(script);
                }
            }
        })
        .expect("a thread");
    worker.join().expect("no overflow and no panic");
}

#[test]
fn texts_beyond_the_limit_are_refused() {
    let text = format!("echo {}", "a ".repeat(512 * 1024));
    assert_eq!(parse(&text).status, Status::Unreadable);
}

#[test]
fn a_long_line_is_read() {
    let text = format!("echo {}", "\"$A\":latest ".repeat(8_000));
    let script = clean(&text);
    assert_eq!(script.commands[0].words.len(), 8_001);
}

/// A small generator of pseudo-random numbers; the tests need no better one.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap_or(0)
    }
}

/// Set `TAGWRIGHT_MUTATIONS` to run more.
#[test]
fn mutated_scripts_neither_panic_nor_leave_their_text() {
    let rounds: usize = std::env::var("TAGWRIGHT_MUTATIONS")
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(3_000);
    let seeds: Vec<&str> = CONTEXTS
        .iter()
        .map(|(text, _)| *text)
        .chain(BROKEN.iter().map(|(text, _)| *text))
        .chain([
            "docker tag \"$A\":latest $ID.dkr.ecr.$R.amazonaws.com/a\\ b:${T:-la\"x\"t} $'a\\n' \"a\\\"$(b 'c')\"",
            "cat <<-'E' > f\n\ta $X é\n\tE\n",
            "$env:REPO = \"x\"; docker push \"$env:REPO:latest\" | Out-Null",
        ])
        .collect();
    let pieces = [
        "$(",
        ")",
        "`",
        "\"",
        "'",
        "\\",
        "\n",
        "<<E\n",
        "${",
        "}",
        "$",
        "é",
        "한",
        "((",
        "))",
        ";",
        "|",
        "&&",
        "#",
        " ",
        "case x in",
        "esac",
        "$'",
        "=",
        "[[",
        "]]",
        "if ",
        "fi",
        "\r",
        "\t",
        "{",
        "!",
        "<(",
        ":-",
    ];
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        let mut text: Vec<char> = seeds[random.below(seeds.len())].chars().collect();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len() + 1);
            match random.below(3) {
                0 if at < text.len() => {
                    text.remove(at);
                }
                1 => text.truncate(at.max(1)),
                _ => {
                    let piece = pieces[random.below(pieces.len())];
                    text.splice(at..at, piece.chars());
                }
            }
        }
        let text: String = text.into_iter().collect();
        for script in [parse(&text), powershell::parse(&text)] {
            for command in &script.commands {
                assert!(text.get(command.span.range()).is_some(), "{text:?}");
                for word in &command.words {
                    assert!(command.span.contains(word.span), "{text:?}");
                    for part in &word.parts {
                        assert!(word.span.contains(part.span), "{text:?}");
                        let source = text.get(part.span.range());
                        assert!(source.is_some(), "{text:?}");
                        if let (PartKind::Variable(variable), Some(source), Status::Clean) =
                            (&part.kind, source, script.status)
                        {
                            assert!(source.contains(&*variable.name), "{text:?}");
                        }
                    }
                }
            }
        }
    }
}
