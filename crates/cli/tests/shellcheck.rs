//! `--shellcheck`: with a stub in the place of the program, whose report the tests write, and with the program
//! itself where it is installed.

// The helpers below are part of the tests.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Keeps the scripts that it is given and prints the file `report`.
const STUB: &str = r#"#!/bin/sh
[ "$1" = --version ] && exit 0
mkdir -p "$STUB_FOLDER/scripts"
cp -- * "$STUB_FOLDER/scripts"
cp .shellcheckrc "$STUB_FOLDER/scripts" 2>/dev/null
echo "$*" >>"$STUB_FOLDER/calls"
cat "$STUB_FOLDER/report"
exit 1
"#;

/// A folder to check, and beside it one with the stub.
struct Scene {
    folder: tempfile::TempDir,
    stub: tempfile::TempDir,
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
            stub: tempfile::tempdir().unwrap(),
        };
        for (name, text) in files {
            scene.put(name, text);
        }
        scene.program(STUB);
        scene.report(&[]);
        scene
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts another stub in the place of the first one.
    fn program(&self, text: &str) {
        let path = self.stub.path().join("shellcheck");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What the stub prints from now on.
    fn report(&self, comments: &[Value]) {
        let report = json!({ "comments": comments }).to_string();
        fs::write(self.stub.path().join("report"), report).unwrap();
    }

    /// The script of this number that the stub was given.
    fn script(&self, number: usize) -> String {
        let path = self.stub.path().join("scripts").join(number.to_string());
        fs::read_to_string(path).unwrap()
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.stub.path().join("calls")).map_or(0, |text| text.lines().count())
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let path = std::env::var("PATH").unwrap_or_default();
        self.run_on(&format!("{}:{path}", self.stub.path().display()), arguments)
    }

    fn run_on(&self, path: &str, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("STUB_FOLDER", self.stub.path())
            .env_remove("SHELLCHECK_OPTS")
            // No settings of the user's own.
            .env("HOME", self.stub.path())
            .env("XDG_CONFIG_HOME", self.stub.path())
            .output()
            .unwrap();
        Run {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What `check --shellcheck` reports, one JSON object each, without what other rules say.
    fn findings(&self) -> Vec<Value> {
        of_shellcheck(&self.run(&["check", "--shellcheck", "--format", "jsonl"]))
    }

    /// The same with the installed program.
    fn real_findings(&self) -> Vec<Value> {
        let path = std::env::var("PATH").unwrap_or_default();
        let arguments = ["check", "--shellcheck", "--format", "jsonl"];
        of_shellcheck(&self.run_on(&path, &arguments))
    }
}

fn of_shellcheck(run: &Run) -> Vec<Value> {
    assert!(run.err.is_empty(), "{}", run.err);
    run.out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|value| value["rule"] == "shellcheck")
        .collect()
}

fn messages(findings: &[Value]) -> Vec<&str> {
    let messages = findings.iter().map(|it| it["message"].as_str().unwrap());
    messages.map(|it| it.split(':').next().unwrap()).collect()
}

/// A comment about script `file`, as the program would print it; lines and columns are 1-based.
fn comment(file: usize, line: usize, columns: (usize, usize), level: &str, code: u32) -> Value {
    json!({
        "file": file.to_string(), "line": line, "endLine": line, "column": columns.0, "endColumn": columns.1,
        "level": level, "code": code, "message": "A message.", "fix": null,
    })
}

/// Comments about every `$HERE` of the script: places as the program counts them, in characters.
fn about_here(script: &str) -> Vec<Value> {
    let mut comments = Vec::new();
    for (index, line) in script.split('\n').enumerate() {
        for (at, word) in line.match_indices("$HERE") {
            let column = line[..at].chars().count() + 1;
            let columns = (column, column + word.len());
            comments.push(comment(0, index + 1, columns, "warning", 2000));
        }
    }
    comments
}

fn commands(items: &str) -> String {
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{items}")
}

/// Whether the program can be run; in CI it has to be.
fn installed() -> bool {
    let found = Command::new("shellcheck").arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "shellcheck is not installed"
    );
    found
}

/// Every way to write a command; each names `$HERE`, and something of several bytes before it.
const EVERY_STYLE: &str = r#"version: 0.2
env:
  variables:
    PLACE: größe
phases:
  install:
    commands:
      - make größe $HERE # ünd
      - make "über $HERE" x
      - 'make ''ä'' $HERE'
      - "make \"ä\" \u00e4\t$HERE \
         und $HERE"
      - make ä
        plain $HERE
  pre_build:
    commands:
      - |
        if true; then
        	# ein Tabulator 𝄞
        	make "𝄞" $HERE; make $HERE
        fi

        make $HERE
      - |2-
          make ü \
            $HERE
  build:
    commands: make €$HERE
    finally:
      - >
        make "ä"
        $HERE

        make $HERE
      - &again make ä$HERE
"#;

#[test]
fn places_are_those_of_the_file_in_every_style_of_a_command() {
    for text in [EVERY_STYLE.to_owned(), EVERY_STYLE.replace('\n', "\r\n")] {
        let scene = Scene::new(&[("buildspec.yml", &text)]);
        assert!(scene.findings().is_empty());
        let comments = about_here(&scene.script(0));
        scene.report(&comments);
        let wanted: Vec<usize> = text.match_indices("$HERE").map(|(at, _)| at).collect();
        let mut found = Vec::new();
        for finding in scene.findings() {
            let offset = |end: &str| usize::try_from(finding[end]["offset"].as_u64().unwrap());
            let (start, end) = (offset("start").unwrap(), offset("end").unwrap());
            assert_eq!(&text[start..end], "$HERE", "{finding}");
            found.push(start);
        }
        assert_eq!(found, wanted);
        assert_eq!(comments.len(), wanted.len());
    }
}

#[test]
fn a_file_with_a_byte_order_mark_has_its_places_too() {
    let text = format!("\u{feff}{}", commands("      - make $HERE\n"));
    let scene = Scene::new(&[("buildspec.yml", &text)]);
    scene.findings();
    scene.report(&about_here(&scene.script(0)));
    let found = scene.findings();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["start"]["line"], &found[0]["end"]["offset"]),
        (&json!(5), &json!(text.len() - 1))
    );
}

#[test]
fn the_items_of_all_phases_are_one_script_of_the_shell_that_the_file_asks_for() {
    let items =
        "      - A=1\n      - if broken\n      - echo $A \\\n      - |\n        one\n        two\n";
    let build = commands(items);
    let text = format!("{build}  install:\n    commands:\n      - first\n");
    let scene = Scene::new(&[("buildspec.yml", &text)]);
    scene.findings();
    // What does not read cleanly is left out.
    assert_eq!(
        scene.script(0),
        "# shellcheck shell=sh\n:\nfirst\n\nA=1\n\necho $A \\\n\none\ntwo\n\n\n"
    );
    for (shell, dialect) in [("bash", "bash"), ("/bin/sh", "sh"), ("/bin/bash", "bash")] {
        scene.put("buildspec.yml", &format!("env:\n  shell: {shell}\n{build}"));
        scene.findings();
        let header = format!("# shellcheck shell={dialect}\n");
        assert!(scene.script(0).starts_with(&header), "{shell}");
    }
}

#[test]
fn what_is_no_script_of_one_shell_is_not_given_to_it() {
    let item = "      - echo $A\n";
    let plain = commands(item);
    let template = commands("      - echo {{ .Values.tag }} $A\n");
    let files: [(&str, &str); 5] = [
        ("buildspec-0.1.yml", &plain.replace("0.2", "0.1")),
        (
            "buildspec-power.yml",
            &format!("env:\n  shell: powershell.exe\n{plain}"),
        ),
        ("buildspec-template.yml", &template),
        ("buildspec-broken.yml", &commands("      - if\n")),
        (
            "docker-compose.yml",
            "services:\n  web:\n    image: nginx:1.27\n",
        ),
    ];
    let scene = Scene::new(&files);
    let run = scene.run(&["check", "--shellcheck"]);
    assert!(run.err.is_empty(), "{}", run.err);
    assert_eq!(scene.calls(), 0);
    scene.put("buildspec.yml", &plain);
    scene.findings();
    assert_eq!(scene.calls(), 1);
}

#[test]
fn without_the_flag_nothing_is_run() {
    let scene = Scene::new(&[
        ("buildspec.yml", &commands("      - echo $HERE\n")),
        ("tagwright.toml", "[rules]\nshellcheck = \"error\"\n"),
    ]);
    scene.program("#!/bin/sh\necho called >>\"$STUB_FOLDER/calls\"\n");
    let run = scene.run(&["check"]);
    assert_eq!((run.code, scene.calls()), (Some(0), 0), "{}", run.out);
    scene.run(&["check", "--shellcheck"]);
    assert!(scene.calls() > 0);
}

/// One finding of each level, in different places.
fn of_each_level() -> Scene {
    let text = commands("      - make one two three four\n");
    let scene = Scene::new(&[("buildspec.yml", &text)]);
    scene.report(&[
        comment(0, 3, (1, 5), "error", 2001),
        comment(0, 3, (6, 9), "warning", 2002),
        comment(0, 3, (10, 13), "info", 2003),
        comment(0, 3, (14, 19), "style", 2004),
    ]);
    scene
}

#[test]
fn levels_are_those_of_the_rule_or_of_the_configuration() {
    let scene = of_each_level();
    let levels = |scene: &Scene| -> Vec<String> {
        let found = scene.findings();
        let levels = found.iter().map(|it| it["severity"].as_str().unwrap());
        levels.map(str::to_owned).collect()
    };
    assert_eq!(levels(&scene), ["warning", "warning", "note", "note"]);
    assert_eq!(scene.run(&["check", "--shellcheck"]).code, Some(0));
    scene.put("tagwright.toml", "[rules]\nshellcheck = \"error\"\n");
    assert_eq!(levels(&scene), ["error"; 4]);
    assert_eq!(scene.run(&["check", "--shellcheck"]).code, Some(1));
    scene.put("tagwright.toml", "[rules]\nshellcheck = \"off\"\n");
    assert!(levels(&scene).is_empty());
}

#[test]
fn a_comment_silences_it_and_is_of_use_without_the_flag_too() {
    let scene = of_each_level();
    let ignored =
        "      # tagwright: ignore[shellcheck] meant so\n      - make one two three four\n";
    scene.put("buildspec.yml", &commands(ignored));
    for arguments in [&["check", "--shellcheck"][..], &["check"]] {
        let run = scene.run(&[arguments, &["--format", "concise"]].concat());
        assert_eq!(run.out, "", "{arguments:?}");
    }
    let run = scene.run(&["check", "--shellcheck", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let text = report.to_string();
    assert!(
        text.contains("SC2001") && text.contains("meant so"),
        "{text}"
    );
}

#[test]
fn a_baseline_knows_it_and_keeps_it_where_nobody_looks() {
    let scene = of_each_level();
    let baseline = || fs::read_to_string(scene.folder.path().join("tagwright-baseline.json"));
    let run = scene.run(&["baseline", "write", "--shellcheck"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let written = baseline().unwrap();
    assert!(written.contains("\"shellcheck\""), "{written}");
    let run = scene.run(&["check", "--shellcheck", "--format", "concise"]);
    assert_eq!((run.code, &*run.out), (Some(0), ""));

    // Without the program nothing is known of these.
    for command in ["write", "prune", "check"] {
        let run = scene.run(&["baseline", command]);
        assert_eq!(run.code, Some(0), "{command}: {}{}", run.out, run.err);
        assert_eq!(baseline().unwrap(), written, "{command}");
    }
    scene.report(&[]);
    let run = scene.run(&["baseline", "check", "--shellcheck"]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    scene.run(&["baseline", "prune", "--shellcheck"]);
    assert!(!baseline().unwrap().contains("shellcheck"));
}

#[test]
fn messages_about_one_place_are_one_finding() {
    let scene = of_each_level();
    let mut second = comment(0, 3, (6, 9), "warning", 2046);
    second["message"] = json!("Another.");
    scene.report(&[comment(0, 3, (6, 9), "info", 2002), second.clone(), second]);
    let found = scene.findings();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["message"], "SC2046: Another. SC2002: A message.");
    assert_eq!(found[0]["severity"], "warning");
}

#[test]
fn a_comment_about_what_is_in_no_command_is_left_out() {
    let scene = of_each_level();
    let mut elsewhere = comment(0, 3, (1, 5), "error", 2001);
    elsewhere["file"] = json!("lib/common.sh");
    scene.report(&[
        comment(0, 1, (1, 5), "error", 2001),
        comment(0, 99, (1, 5), "error", 2001),
        comment(9, 3, (1, 5), "error", 2001),
        comment(0, 0, (0, 0), "error", 2001),
        elsewhere,
    ]);
    assert!(scene.findings().is_empty());
    // A place behind the end of its line is that end.
    scene.report(&[comment(0, 3, (6, 4000), "error", 2001)]);
    let found = scene.findings();
    assert_eq!(found[0]["end"]["column"], 32);
}

#[test]
fn many_files_go_to_few_processes() {
    let text = commands("      - make $HERE\n");
    let names: Vec<String> = (0..70).map(|it| format!("{it:02}/buildspec.yml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|it| (&**it, &*text)).collect();
    let scene = Scene::new(&files);
    let numbers = 0..70;
    let comments: Vec<Value> = numbers
        .map(|file| comment(file, 3, (6, 11), "info", 2086))
        .collect();
    scene.report(&comments);
    let found = scene.findings();
    assert_eq!(found.len(), 70);
    assert_eq!(scene.calls(), 3);
}

#[test]
fn the_settings_of_the_project_are_beside_the_scripts() {
    let scene = of_each_level();
    scene.put(".shellcheckrc", "disable=SC2086\n");
    scene.findings();
    let copy = scene.stub.path().join("scripts/.shellcheckrc");
    assert_eq!(fs::read_to_string(copy).unwrap(), "disable=SC2086\n");
}

#[test]
fn a_missing_program_is_wrong_usage() {
    let scene = of_each_level();
    for arguments in [
        &["check", "--shellcheck"][..],
        &["baseline", "write", "--shellcheck"],
    ] {
        let run = scene.run_on("/nowhere", arguments);
        assert_eq!(run.code, Some(2), "{}", run.err);
        assert!(
            run.err.contains("needs the program `shellcheck`"),
            "{}",
            run.err
        );
        assert!(run.out.is_empty(), "{}", run.out);
    }
    let run = scene.run(&["check", "--shellcheck", "--add-ignore", "why"]);
    assert_eq!(run.code, Some(2));
}

#[test]
fn a_program_that_fails_is_told_and_costs_only_its_own_findings() {
    let floating =
        commands("      - docker build -t me/web:latest .\n      - docker push me/web:latest\n");
    for (program, said) in [
        ("echo 'no such option' >&2; exit 4", "no such option"),
        ("kill -9 $$", "failed (signal: 9"),
        ("echo nonsense", "printed what is no report"),
        ("exit 0", "printed what is no report"),
        (
            "echo '{\"comments\": [{\"line\": -1}]}'",
            "printed what is no report",
        ),
        ("head -c 70000000 /dev/zero", "more than 64 MB"),
        (
            "i=0; while [ $i -lt 3000 ]; do echo 'line on standard error that fills a pipe' >&2; i=$((i+1)); done; exit 3",
            "fills a pipe",
        ),
    ] {
        let scene = Scene::new(&[("buildspec.yml", &floating)]);
        scene.program(&format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && exit\n{program}\n"
        ));
        let run = scene.run(&["check", "--shellcheck", "--format", "concise"]);
        assert_eq!(run.code, Some(3), "{program}: {}", run.err);
        assert!(run.err.contains(said), "{program}: {}", run.err);
        assert!(
            run.out.contains("[latest-pushed]"),
            "{program}: {}",
            run.out
        );
        // Half a baseline would be worse than none.
        let run = scene.run(&["baseline", "write", "--shellcheck"]);
        assert_eq!(run.code, Some(3), "{program}: {}", run.err);
        assert!(!scene.folder.path().join("tagwright-baseline.json").exists());
    }
}

#[test]
fn what_cannot_be_known_in_a_buildspec_is_left_out() {
    let items = r#"      - cd here
      - cd there; make
      - $(aws ecr get-login --region eu-west-1)
      - $(make login)
      - echo started $HERE
      - echo $HERE > file
      - echo $HERE | tee file
      - make $(echo $HERE)
      - make $AWS_DEFAULT_REGION ${CODEBUILD_SRC_DIR} $CODEBUILD_SRC_DIRS
"#;
    let scene = Scene::new(&[("buildspec.yml", &commands(items))]);
    let line = |item: usize| 1 + 2 * item;
    let mut comments = vec![
        comment(0, line(1), (1, 8), "warning", 2164),
        comment(0, line(2), (1, 9), "warning", 2164),
        comment(0, line(3), (1, 42), "warning", 2091),
        comment(0, line(4), (1, 14), "warning", 2091),
        comment(0, line(5), (14, 19), "info", 2086),
        comment(0, line(6), (6, 11), "info", 2086),
        comment(0, line(7), (6, 11), "info", 2086),
        comment(0, line(8), (13, 18), "info", 2086),
        comment(0, line(9), (6, 25), "info", 2086),
        comment(0, line(9), (26, 46), "info", 2086),
        comment(0, line(9), (47, 66), "info", 2086),
    ];
    for code in [1090, 1091, 1128, 2034, 2154, 2317, 2329, 3000, 3037, 3999] {
        comments.push(comment(0, line(1), (1, 3), "error", code));
    }
    scene.report(&comments);
    let found = scene.findings();
    let places: Vec<(u64, &str)> = found
        .iter()
        .map(|it| it["start"]["line"].as_u64().unwrap() - 4)
        .zip(messages(&found))
        .collect();
    assert_eq!(
        places,
        [
            (2, "SC2164"),
            (4, "SC2091"),
            (6, "SC2086"),
            (7, "SC2086"),
            (8, "SC2086"),
            (9, "SC2086")
        ]
    );
}

#[test]
fn texts_that_are_not_on_disk_are_checked_as_given() {
    let scene = of_each_level();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagwright"));
    let path = format!(
        "{}:{}",
        scene.stub.path().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let input: PathBuf = scene.stub.path().join("input");
    fs::write(&input, commands("      - make another\n")).unwrap();
    let output = command
        .args(["check", "--shellcheck", "--format", "concise"])
        .args(["--stdin-filename", "sub/buildspec.yml"])
        .current_dir(scene.folder.path())
        .env("PATH", path)
        .env("STUB_FOLDER", scene.stub.path())
        .stdin(fs::File::open(&input).unwrap())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.contains("sub/buildspec.yml:5:9: warning[shellcheck] SC2001"),
        "{out}"
    );
    assert!(scene.script(0).contains("make another"));
}

/// The example below `heading` on the rule's page.
fn example(heading: &str) -> String {
    let page = tagwright_rules::rule("shellcheck").unwrap().page();
    let (_, rest) = page.split_once(&format!("## {heading}\n")).unwrap();
    let (_, rest) = rest.split_once("```yaml buildspec.yml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_program_itself_says_what_the_page_of_the_rule_says() {
    if !installed() {
        return;
    }
    let scene = Scene::new(&[("buildspec.yml", &example("Bad"))]);
    assert_eq!(messages(&scene.real_findings()), ["SC2115"]);
    scene.put("buildspec.yml", &example("Good"));
    assert!(scene.real_findings().is_empty());
}

#[test]
fn the_program_itself_is_right_about_places_and_about_what_it_knows() {
    if !installed() {
        return;
    }
    let items = r#"      - number=5
      - "make \"größe\"\t$number $HERE"
      - |
        # shellcheck disable=SC2086
        make $HERE
        	make "𝄞" "ä"	$HERE
      - exit 0
      - |
        #!/bin/sh
        make "$HERE" $UNSET_ANYWHERE \
      - cat <<END
      - make $HERE
"#;
    let text = commands(items);
    let scene = Scene::new(&[("buildspec.yml", &text)]);
    let found = scene.real_findings();
    let places: Vec<(&str, &str)> = found
        .iter()
        .map(|it| {
            let offset = |end: &str| usize::try_from(it[end]["offset"].as_u64().unwrap()).unwrap();
            &text[offset("start")..offset("end")]
        })
        .zip(messages(&found))
        .collect();
    // The number holds no blanks, and a directive is for one command.
    assert_eq!(
        places,
        [
            ("$HERE", "SC2086"),
            ("$HERE", "SC2086"),
            ("$UNSET_ANYWHERE", "SC2086"),
            ("$HERE", "SC2086"),
        ]
    );
    scene.put(".shellcheckrc", "disable=SC2086\n");
    assert!(scene.real_findings().is_empty());
}

#[test]
fn options_of_the_users_own_for_the_program_hold() {
    if !installed() {
        return;
    }
    let scene = Scene::new(&[("buildspec.yml", &commands("      - cd $HERE; make\n"))]);
    assert_eq!(messages(&scene.real_findings()), ["SC2164", "SC2086"]);
    let with_options = |options: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
            .args(["check", "--shellcheck", "--format", "concise"])
            .current_dir(scene.folder.path())
            .env("SHELLCHECK_OPTS", options)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let said = with_options("--severity=warning");
    assert!(
        said.contains("SC2164") && !said.contains("SC2086"),
        "{said}"
    );
    let said = with_options("--format=gcc");
    assert!(said.contains("a format in SHELLCHECK_OPTS?"), "{said}");
}

#[test]
fn the_program_itself_reads_the_commands_of_every_fixture() {
    if !installed() {
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(["check", "--shellcheck", "--format", "concise"])
        .arg(fixtures)
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("[shellcheck] SC2086"), "{out}");
    // What it cannot parse would end the checks of the whole script.
    for code in ["SC1072", "SC1073"] {
        let line = out.lines().find(|line| line.contains(code));
        assert_eq!(line, None);
    }
}
