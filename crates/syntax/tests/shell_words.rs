//! Words and their parts: every span must re-slice to what is expected.

use tagwright_syntax::shell::{Command, Part, PartKind, Quoting, Script, Status, Word, parse};

/// One word as text: `L[…]` literal, `V[NAME]` or `V[NAME:-operand]` variable, `S[…]` substitution,
/// `A[…]` arithmetic, `O[…]` other; after it `'`, `"` or `$'` for the quotes around it.
fn render(word: &Word, text: &str) -> String {
    word.parts
        .iter()
        .map(|part| render_part(part, text))
        .collect::<Vec<_>>()
        .join(" ")
}

fn render_part(part: &Part, text: &str) -> String {
    let quotes = match part.quoting {
        Quoting::None => "",
        Quoting::Single => "'",
        Quoting::Double => "\"",
        Quoting::Ansi => "$'",
    };
    let source = part.span.of(text);
    let body = match &part.kind {
        PartKind::Literal(value) => format!("L[{value}]"),
        PartKind::Variable(variable) => {
            assert!(
                source.starts_with('$') && source.contains(&*variable.name),
                "{source:?}"
            );
            assert_eq!(variable.braced, source.starts_with("${"), "{source:?}");
            let operator = variable
                .operator
                .as_ref()
                .map_or(String::new(), |operator| {
                    let operand = operator
                        .operand
                        .as_ref()
                        .map_or(String::new(), |word| render(word, text));
                    format!(" {} {operand}", operator.symbol)
                });
            format!("V[{}{operator}]", variable.name)
        }
        PartKind::Substitution => format!("S[{source}]"),
        PartKind::Arithmetic => format!("A[{source}]"),
        PartKind::Other => format!("O[{source}]"),
    };
    body + quotes
}

/// What must hold for every script.
fn check(script: &Script, text: &str) {
    for command in &script.commands {
        for word in &command.words {
            assert!(command.span.contains(word.span), "{text:?}");
            check_word(word, text);
        }
        for assignment in &command.assignments {
            assert!(command.span.contains(assignment.span), "{text:?}");
            assert!(
                assignment.span.of(text).starts_with(&*assignment.name),
                "{text:?}"
            );
            assignment
                .value
                .iter()
                .for_each(|word| check_word(word, text));
        }
        for redirect in &command.redirects {
            redirect
                .target
                .iter()
                .for_each(|word| check_word(word, text));
        }
    }
}

fn check_word(word: &Word, text: &str) {
    let mut at = word.span.start;
    for part in &word.parts {
        assert!(
            word.span.contains(part.span),
            "{part:?} in {word:?} of {text:?}"
        );
        assert!(at <= part.span.start, "{part:?} of {text:?}");
        let gap = &text[at as usize..part.span.start as usize];
        assert!(
            gap.chars().all(|c| "'\"$\\\n".contains(c)),
            "gap {gap:?} in {text:?}"
        );
        at = part.span.end;
        let source = part.span.of(text);
        if let PartKind::Literal(value) = &part.kind
            && !source.contains('\\')
        {
            assert_eq!(&**value, source, "{text:?}");
        }
        if let PartKind::Substitution = part.kind {
            assert!(
                source.starts_with("$(") && source.ends_with(')') || source.starts_with('`'),
                "{source:?}"
            );
        }
    }
    let gap = &text[at as usize..word.span.end as usize];
    assert!(
        gap.chars().all(|c| "'\"\\\n".contains(c)),
        "gap {gap:?} in {text:?}"
    );
}

fn clean(text: &str) -> Script {
    let script = parse(text);
    assert_eq!(script.status, Status::Clean, "{text}");
    check(&script, text);
    script
}

/// The words' source text.
fn sources<'t>(command: &Command, text: &'t str) -> Vec<&'t str> {
    command
        .words
        .iter()
        .map(|word| word.span.of(text))
        .collect()
}

/// Text of one command, source text of its words.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "docker build -t app .",
        &["docker", "build", "-t", "app", "."],
    ),
    (
        "docker build -t $REPOSITORY_URI:latest .",
        &["docker", "build", "-t", "$REPOSITORY_URI:latest", "."],
    ),
    (
        "docker build -t \"$A:latest\" --build-arg X='a b' .",
        &[
            "docker",
            "build",
            "-t",
            "\"$A:latest\"",
            "--build-arg",
            "X='a b'",
            ".",
        ],
    ),
    (
        "docker tag app:latest $ID.dkr.ecr.$REGION.amazonaws.com/app:latest",
        &[
            "docker",
            "tag",
            "app:latest",
            "$ID.dkr.ecr.$REGION.amazonaws.com/app:latest",
        ],
    ),
    (
        "docker push \"$REPO\":latest",
        &["docker", "push", "\"$REPO\":latest"],
    ),
    (
        "docker push ${REPO}:${TAG:-latest}",
        &["docker", "push", "${REPO}:${TAG:-latest}"],
    ),
    (
        "docker push ${REPO}:${TAG:-\"a b\"}",
        &["docker", "push", "${REPO}:${TAG:-\"a b\"}"],
    ),
    (
        "docker pull $REPO:latest > /dev/null 2>&1",
        &["docker", "pull", "$REPO:latest"],
    ),
    (
        "DOCKER_BUILDKIT=1 docker build .",
        &["docker", "build", "."],
    ),
    (
        "docker build \\\n  --tag app:latest \\\n  .",
        &["docker", "build", "--tag", "app:latest", "."],
    ),
    (
        "docker build -t app:lat\\\nest .",
        &["docker", "build", "-t", "app:lat\\\nest", "."],
    ),
    (
        "docker run --rm -v \"$PWD\":/src -w /src node:18 npm ci",
        &[
            "docker",
            "run",
            "--rm",
            "-v",
            "\"$PWD\":/src",
            "-w",
            "/src",
            "node:18",
            "npm",
            "ci",
        ],
    ),
    (
        "docker run -e A=1 -p 80:80 nginx:latest sh -c 'echo \"hi\"'",
        &[
            "docker",
            "run",
            "-e",
            "A=1",
            "-p",
            "80:80",
            "nginx:latest",
            "sh",
            "-c",
            "'echo \"hi\"'",
        ],
    ),
    (
        "aws ecr get-login-password --region $AWS_DEFAULT_REGION",
        &[
            "aws",
            "ecr",
            "get-login-password",
            "--region",
            "$AWS_DEFAULT_REGION",
        ],
    ),
    (
        "aws ecs update-service --cluster c --service s --force-new-deployment",
        &[
            "aws",
            "ecs",
            "update-service",
            "--cluster",
            "c",
            "--service",
            "s",
            "--force-new-deployment",
        ],
    ),
    (
        "aws ecr batch-get-image --repository-name app --image-ids imageTag=latest --query 'images[].imageManifest' --output text",
        &[
            "aws",
            "ecr",
            "batch-get-image",
            "--repository-name",
            "app",
            "--image-ids",
            "imageTag=latest",
            "--query",
            "'images[].imageManifest'",
            "--output",
            "text",
        ],
    ),
    (
        "aws lambda update-function-code --function-name f --image-uri $URI:latest",
        &[
            "aws",
            "lambda",
            "update-function-code",
            "--function-name",
            "f",
            "--image-uri",
            "$URI:latest",
        ],
    ),
    (
        "./copilot-linux svc package -n $svc -e $env --output-dir ./infrastructure --tag $tag --upload-assets;",
        &[
            "./copilot-linux",
            "svc",
            "package",
            "-n",
            "$svc",
            "-e",
            "$env",
            "--output-dir",
            "./infrastructure",
            "--tag",
            "$tag",
            "--upload-assets",
        ],
    ),
    (
        "copilot svc deploy --name api --env test --tag latest",
        &[
            "copilot", "svc", "deploy", "--name", "api", "--env", "test", "--tag", "latest",
        ],
    ),
    (
        "kubectl set image deployment/app app=$REPO:latest -n prod",
        &[
            "kubectl",
            "set",
            "image",
            "deployment/app",
            "app=$REPO:latest",
            "-n",
            "prod",
        ],
    ),
    (
        "helm upgrade --install app ./chart --set image.tag=latest,replicas=2",
        &[
            "helm",
            "upgrade",
            "--install",
            "app",
            "./chart",
            "--set",
            "image.tag=latest,replicas=2",
        ],
    ),
    (
        "sed -i \"s|IMAGE|$REPO:$TAG|g\" k8s/deployment.yaml",
        &[
            "sed",
            "-i",
            "\"s|IMAGE|$REPO:$TAG|g\"",
            "k8s/deployment.yaml",
        ],
    ),
    (
        "sed -i 's/:latest/:'\"$TAG\"'/' a.yaml",
        &["sed", "-i", "'s/:latest/:'\"$TAG\"'/'", "a.yaml"],
    ),
    (
        "printf '[{\"name\":\"app\",\"imageUri\":\"%s\"}]' $REPO:latest > imagedefinitions.json",
        &[
            "printf",
            "'[{\"name\":\"app\",\"imageUri\":\"%s\"}]'",
            "$REPO:latest",
        ],
    ),
    (
        "echo \"{\\\"ImageURI\\\":\\\"$REPO:latest\\\"}\" > imageDetail.json",
        &["echo", "\"{\\\"ImageURI\\\":\\\"$REPO:latest\\\"}\""],
    ),
    (
        "jq -n --arg uri \"$REPO:latest\" '[{name:\"a\",imageUri:$uri}]'",
        &[
            "jq",
            "-n",
            "--arg",
            "uri",
            "\"$REPO:latest\"",
            "'[{name:\"a\",imageUri:$uri}]'",
        ],
    ),
    (
        "echo Build started on `date`",
        &["echo", "Build", "started", "on", "`date`"],
    ),
    (
        "echo \"$(date) $(git rev-parse --short HEAD)\"",
        &["echo", "\"$(date) $(git rev-parse --short HEAD)\""],
    ),
    (
        "npm i -g aws-cdk@latest",
        &["npm", "i", "-g", "aws-cdk@latest"],
    ),
    (
        "curl -Lo copilot https://github.com/aws/copilot-cli/releases/latest/download/copilot-linux",
        &[
            "curl",
            "-Lo",
            "copilot",
            "https://github.com/aws/copilot-cli/releases/latest/download/copilot-linux",
        ],
    ),
    (
        "envsubst '${TAG}' < k8s/app.tpl > k8s/app.yaml",
        &["envsubst", "'${TAG}'"],
    ),
    (
        "sh -c 'docker push app:latest && echo ok'",
        &["sh", "-c", "'docker push app:latest && echo ok'"],
    ),
    ("[ -z \"$TAG\" ]", &["[", "-z", "\"$TAG\"", "]"]),
    (
        "[[ $BRANCH == main ]]",
        &["[[", "$BRANCH", "==", "main", "]]"],
    ),
    (
        "[[ ! -f a && ( $X =~ ^v[0-9]+$ || -n $Y ) ]]",
        &[
            "[[",
            "!",
            "-f",
            "a",
            "&&",
            "(",
            "$X",
            "=~",
            "^v[0-9]+$",
            "||",
            "-n",
            "$Y",
            ")",
            "]]",
        ],
    ),
    ("exit 1", &["exit", "1"]),
    ("return $?", &["return", "$?"]),
    ("echo a#b # comment", &["echo", "a#b"]),
    ("echo 한국어 \"$X\" é", &["echo", "한국어", "\"$X\"", "é"]),
    ("echo $'a\\tb' $\"c\"", &["echo", "$'a\\tb'", "$\"c\""]),
    (
        "echo a\\ b \"c\\\"d\" 'e'\\''f'",
        &["echo", "a\\ b", "\"c\\\"d\"", "'e'\\''f'"],
    ),
    (
        "echo $((1 << 2)) $(( $(nproc) + 1 ))",
        &["echo", "$((1 << 2))", "$(( $(nproc) + 1 ))"],
    ),
    (
        "echo ${#X} ${!X} ${X[0]} ${X[@]} ${X:0:7}",
        &["echo", "${#X}", "${!X}", "${X[0]}", "${X[@]}", "${X:0:7}"],
    ),
    (
        "echo \"${X//\\//-}\" ${X##*/} ${X%%:*} ${X^^}",
        &["echo", "\"${X//\\//-}\"", "${X##*/}", "${X%%:*}", "${X^^}"],
    ),
    (
        "diff <(sort a) <(sort b)",
        &["diff", "<(sort a)", "<(sort b)"],
    ),
    ("rm -rf !(a|b)", &["rm", "-rf", "!(a|b)"]),
    ("echo {a,b}{1..3}", &["echo", "{a,b}{1..3}"]),
    (
        "aws ecs register-task-definition --container-definitions '[{\"image\":\"a:latest\"}]'",
        &[
            "aws",
            "ecs",
            "register-task-definition",
            "--container-definitions",
            "'[{\"image\":\"a:latest\"}]'",
        ],
    ),
    (
        "aws cloudformation deploy --parameter-overrides \"ImageTag=$TAG\" Env=prod",
        &[
            "aws",
            "cloudformation",
            "deploy",
            "--parameter-overrides",
            "\"ImageTag=$TAG\"",
            "Env=prod",
        ],
    ),
    (
        "terraform apply -auto-approve -var \"image_tag=latest\"",
        &[
            "terraform",
            "apply",
            "-auto-approve",
            "-var",
            "\"image_tag=latest\"",
        ],
    ),
    ("make push TAG=latest", &["make", "push", "TAG=latest"]),
    (
        "  docker   push\tapp:latest  ",
        &["docker", "push", "app:latest"],
    ),
    ("docker push app:latest;", &["docker", "push", "app:latest"]),
    (
        "sudo -E docker push app",
        &["sudo", "-E", "docker", "push", "app"],
    ),
    ("echo ''", &["echo", "''"]),
    ("echo \"\" x", &["echo", "\"\"", "x"]),
    ("cat <<< \"$X\"", &["cat"]),
    (
        "git tag -a v1 -m \"release: $(date)\"",
        &["git", "tag", "-a", "v1", "-m", "\"release: $(date)\""],
    ),
    ("export", &["export"]),
    ("export PATH", &["export", "PATH"]),
    ("echo \"a$\" $ \"$\"", &["echo", "\"a$\"", "$", "\"$\""]),
    (
        "echo $1$2 ${10} $@ $# $$",
        &["echo", "$1$2", "${10}", "$@", "$#", "$$"],
    ),
    ("echo \\$HOME \\\\ \\'", &["echo", "\\$HOME", "\\\\", "\\'"]),
    ("\"$HOME/bin/tool\" run", &["\"$HOME/bin/tool\"", "run"]),
    ("echo ${AWS::Region}", &["echo", "${AWS::Region}"]),
];

#[test]
fn words_are_sliced_as_the_shell_splits_them() {
    for (text, expected) in COMMANDS {
        let script = clean(text);
        let last = script
            .commands
            .last()
            .unwrap_or_else(|| panic!("no command in {text}"));
        assert_eq!(sources(last, text), *expected, "{text}");
    }
}

/// A word, its parts.
const WORDS: &[(&str, &str)] = &[
    (
        "$ID.dkr.ecr.$REGION.amazonaws.com/app:latest",
        "V[ID] L[.dkr.ecr.] V[REGION] L[.amazonaws.com/app:latest]",
    ),
    ("\"$VAR\":latest", "V[VAR]\" L[:latest]"),
    ("${VAR}:latest", "V[VAR] L[:latest]"),
    ("$VAR:latest", "V[VAR] L[:latest]"),
    ("\"$VAR:latest\"", "V[VAR]\" L[:latest]\""),
    ("'$VAR:latest'", "L[$VAR:latest]'"),
    ("\"\\$VAR:latest\"", "L[$VAR:latest]\""),
    ("\\$VAR", "L[$VAR]"),
    ("a'b'\"c\"d", "L[a] L[b]' L[c]\" L[d]"),
    ("${X:-latest}", "V[X :- L[latest]]"),
    ("${X-latest}", "V[X - L[latest]]"),
    ("${X:=$Y:latest}", "V[X := V[Y] L[:latest]]"),
    (
        "\"${X:-$(git rev-parse HEAD)}\"",
        "V[X :- S[$(git rev-parse HEAD)]\"]\"",
    ),
    ("\"${X:-\"a\"}\"", "V[X :- L[a]\"]\""),
    ("\"${X:-'a'}\"", "V[X :- L['a']\"]\""),
    ("${X:-'a b'}", "V[X :- L[a b]']"),
    ("${X:-${Y:-latest}}", "V[X :- V[Y :- L[latest]]]"),
    ("${X}", "V[X]"),
    ("${X/a/b}", "V[X / L[a/b]]"),
    ("${X//\\//-}", "V[X // L[//-]]"),
    ("${X##refs/heads/}", "V[X ## L[refs/heads/]]"),
    ("${X:0:7}", "V[X : L[0:7]]"),
    ("${X:?missing tag}", "V[X :? L[missing tag]]"),
    ("${X,,}", "V[X ,, ]"),
    ("${X[1]}", "V[X [ ]"),
    ("${X@Q}", "V[X @ ]"),
    ("${#X}", "O[${#X}]"),
    ("${!X}", "O[${!X}]"),
    ("$#", "V[#]"),
    ("$?", "V[?]"),
    ("$1:latest", "V[1] L[:latest]"),
    ("`date`x", "S[`date`] L[x]"),
    ("\"a\\\"b$(echo hi)c\"", "L[a\"b]\" S[$(echo hi)]\" L[c]\""),
    ("$(echo \")\")", "S[$(echo \")\")]"),
    (
        "$(case a in a) echo x;; esac)y",
        "S[$(case a in a) echo x;; esac)] L[y]",
    ),
    ("$((1+2))", "A[$((1+2))]"),
    ("$'a\\n\\x41\\u00e9\\101'", "L[a\nAéA]$'"),
    ("$'it\\'s'", "L[it's]$'"),
    ("\"\"", "L[]\""),
    ("''a", "L[]' L[a]"),
    ("a\\\nb", "L[ab]"),
    ("\"a\\\nb\"", "L[ab]\""),
    ("\"a\\b\"", "L[a\\b]\""),
    ("é$X한", "L[é] V[X] L[한]"),
    ("\\é", "L[é]"),
    ("<(a b)", "O[<(a b)]"),
    (
        "[{\\\"name\\\":\\\"$X\\\"}]",
        "L[[{\"name\":\"] V[X] L[\"}]]",
    ),
    ("a$", "L[a$]"),
    (
        "\"$(echo \"$(echo \"x\")\")\"",
        "S[$(echo \"$(echo \"x\")\")]\"",
    ),
];

#[test]
fn parts_have_exact_values_and_places() {
    for (word, expected) in WORDS {
        for (before, after) in [
            ("echo ", ""),
            ("é ", " x"),
            ("A=1 B=2 p ", "\n"),
            ("if p ", "; then :; fi"),
        ] {
            let text = format!("{before}{word}{after}");
            let script = clean(&text);
            let found = script
                .commands
                .iter()
                .flat_map(|command| &command.words)
                .find(|w| w.span.start as usize == before.len())
                .unwrap_or_else(|| panic!("no word at {} of {text}", before.len()));
            assert_eq!(found.span.of(&text), *word, "{text}");
            assert_eq!(render(found, &text), *expected, "{text}");
        }
    }
}

#[test]
fn values_of_assignments_are_words() {
    let cases = [
        ("TAG=latest", "TAG", "latest", "L[latest]", false),
        ("TAG=", "TAG", "", "", false),
        (
            "export TAG=\"${X:-latest}\"",
            "TAG",
            "\"${X:-latest}\"",
            "V[X :- L[latest]\"]\"",
            true,
        ),
        (
            "export \"TAG=latest\"",
            "TAG",
            "latest",
            "L[latest]\"",
            true,
        ),
        ("export 'URI='$X", "URI", "$X", "V[X]", true),
        ("declare -x TAG=a", "TAG", "a", "L[a]", true),
        ("readonly TAG=a", "TAG", "a", "L[a]", false),
        ("local TAG=$1", "TAG", "$1", "V[1]", false),
        (
            "TAG=$(git describe) cmd",
            "TAG",
            "$(git describe)",
            "S[$(git describe)]",
            false,
        ),
        ("TAG=`date`", "TAG", "`date`", "S[`date`]", false),
        (
            "export TAG=\"a\\\"b\"$X:latest",
            "TAG",
            "\"a\\\"b\"$X:latest",
            "L[a\"b]\" V[X] L[:latest]",
            true,
        ),
    ];
    for (text, name, source, parts, exported) in cases {
        let script = clean(text);
        let assignment = script
            .commands
            .iter()
            .flat_map(|command| &command.assignments)
            .next()
            .unwrap_or_else(|| panic!("no assignment in {text}"));
        let value = assignment
            .value
            .as_ref()
            .unwrap_or_else(|| panic!("no value in {text}"));
        assert_eq!(&*assignment.name, name, "{text}");
        assert_eq!(value.span.of(text), source, "{text}");
        assert_eq!(render(value, text), parts, "{text}");
        assert_eq!(assignment.exported, exported, "{text}");
    }
}

#[test]
fn appending_and_array_assignments_are_told_apart() {
    let text = "A+=x B=(a $(b)) c";
    let script = clean(text);
    let command = script.commands.last().expect("a command");
    assert!(command.assignments[0].append);
    assert!(command.assignments[1].value.is_none());
    assert_eq!(sources(&script.commands[0], text), ["b"]);
}

#[test]
fn a_declaration_keeps_its_flags_and_bare_names_as_words() {
    let text = "declare -rx A B=1 C";
    let script = clean(text);
    assert_eq!(
        sources(&script.commands[0], text),
        ["declare", "-rx", "A", "C"]
    );
    assert!(script.commands[0].assignments[0].exported);
}

#[test]
fn the_program_is_named_without_its_folder() {
    for (text, program) in [
        ("/usr/bin/docker push a", Some("docker")),
        ("./copilot-linux svc ls", Some("copilot-linux")),
        ("\"docker\" ps", Some("docker")),
        ("$DOCKER ps", None),
    ] {
        assert_eq!(
            clean(text).commands[0].program().as_deref(),
            program,
            "{text}"
        );
    }
}

#[test]
fn words_compare_by_value() {
    let script = clean("docker 'pu'sh \"$X\"lat");
    let words = &script.commands[0].words;
    assert!(words[1].is("push"));
    assert!(!words[1].is("pushes") && !words[1].is("pu"));
    assert_eq!(words[2].literal(), None);
    assert_eq!(words[2].literal_prefix(), "");
    assert_eq!(words[2].variables()[0].name.as_str(), "X");
}

/// Texts in which the parser's tree is not what the shell sees, found by comparing with bash: they must not
/// pass for clean.
#[test]
fn what_the_parser_misreads_is_not_clean() {
    for text in [
        "a\\$(b c)",
        "echo $$(b)",
        "a (b)",
        "{ a; } b",
        "echo }`date`",
        "echo a\\\n}",
        "echo {a$}\\ b",
        "echo {a b} c",
        "echo $\\\nNAME",
        "wget {{ .Bucket }}/x",
    ] {
        let script = parse(text);
        assert_ne!(script.status, Status::Clean, "{text}");
        check(&script, text);
    }
}

#[test]
fn characters_beyond_ascii_do_not_disturb_the_parser() {
    let text = "X %\\$\\}\\\né`echo w`$(echo v)";
    check(&parse(text), text);
    for text in [
        "é=1",
        "echo \"é\\\"$(é 한)\" 'ü' ${X:-é}",
        "cat <<É\nü $X\nÉ\n",
    ] {
        let script = clean(text);
        assert!(!script.commands.is_empty());
    }
    let text = "é=1 한국어 ✓";
    assert_eq!(
        sources(&clean(text).commands[0], text),
        ["é=1", "한국어", "✓"]
    );
}
