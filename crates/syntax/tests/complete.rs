//! What is called incomplete is refused by the shells themselves.

use std::io::Write as _;
use std::process::{Command, Stdio};

use tagwright_syntax::shell::{Fault, incomplete};

/// Whether the shell takes `text`, without running it; `None` if there is no such shell here.
fn takes(shell: &str, text: &str) -> Option<bool> {
    let mut child = Command::new(shell)
        .arg("-n")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    Some(child.wait().ok()?.success())
}

#[track_caller]
fn both_refuse(text: &str) {
    for shell in ["dash", "bash"] {
        assert_ne!(takes(shell, text), Some(true), "{shell} takes {text:?}");
    }
}

#[test]
fn what_is_open_stray_or_misplaced_is_found() {
    for (text, kind, place) in [
        ("if [ -f x ]; then", Fault::Open, "if"),
        ("for f in a b c; do", Fault::Open, "for"),
        ("for f in a b do echo $f done", Fault::Open, "for"),
        ("while read x; do echo $x", Fault::Open, "while"),
        ("case $x in", Fault::Open, "case"),
        ("case $x in a) echo a;;", Fault::Open, "case"),
        ("deploy() {", Fault::Open, "{"),
        ("(cd web", Fault::Open, "("),
        ("X=$(date", Fault::Open, "$("),
        ("echo ${X", Fault::Open, "${"),
        ("echo `date", Fault::Open, "`"),
        ("echo \"a", Fault::Open, "\""),
        ("echo it's", Fault::Open, "'"),
        ("echo on `date``", Fault::Open, "`"),
        ("make test &&", Fault::Continues, "&&"),
        ("make test ||\n", Fault::Continues, "||"),
        ("cat x |", Fault::Continues, "|"),
        ("fi", Fault::Stray, "fi"),
        ("else", Fault::Stray, "else"),
        ("then make", Fault::Stray, "then"),
        ("done", Fault::Stray, "done"),
        ("esac", Fault::Stray, "esac"),
        ("}", Fault::Stray, "}"),
        ("--query x --output text)", Fault::Stray, ")"),
        ("if a; then b; fi make", Fault::Misplaced, "make"),
        ("if a; then b; fi if c; then d; fi", Fault::Misplaced, "if"),
        ("if a; then; b; fi", Fault::Misplaced, ";"),
        ("&& make", Fault::Misplaced, "&&"),
        ("if [ a ] then b else c fi", Fault::Open, "if"),
        ("if [ a ]\nb\nfi", Fault::Stray, "fi"),
        ("done > log; done 2>&1", Fault::Stray, "done"),
    ] {
        let found = incomplete(text).unwrap_or_else(|| panic!("nothing found in {text:?}"));
        assert_eq!((found.kind, found.span.of(text)), (kind, place), "{text:?}");
        both_refuse(text);
    }
}

#[test]
fn what_a_shell_takes_is_left_alone() {
    for text in [
        "if [ ! -d out ]; then mkdir out; fi",
        "if a; then b; fi > log 2>&1 && c",
        "while read x; do echo $x; done 2>/dev/null < list | sort",
        "for f in a b; do if c; then d; fi done",
        "for f in a\ndo b\ndone",
        "for f; do echo $f; done",
        "for ((i=0; i<3; i++)); do echo $i; done",
        "case $x in a|b) c;; (d) e ;; *) esac",
        "case \"$x\" in\n  # one\n  a) b ;;\nesac",
        "f() { echo; }; f",
        "{ a; b; } | c",
        "(cd web && make) || exit 1",
        "echo if then fi else done",
        "echo \"an open ( and an if then in quotes\"",
        "echo 'it is' \"it's\" it\\'s",
        "X=$(case a in a) echo b;; esac)",
        "X=`echo \\`date\\``",
        "echo $((1 + (2 * 3))) $( (a; b) )",
        "cat <<EOF\nit's \"if ( $(\nEOF\n",
        "cat <<-'E' > x\n\tit's\n\tE\necho",
        "a=(1 2 '3'); echo ${a[@]}",
        "[[ $x =~ ^(a|b)$ && -f y ]] && z",
        "echo a # it's a comment",
        "echo a#b'c'",
        "echo \"${X:-\"y\"}\" ${Y#*/} ${#Z} ${W:-'a b'}",
        "! a && b",
        "a && \\\n b",
        "a &&\n b |\n c",
        "a & b & wait",
        "a &> log; b",
        "echo $'it\\'s'",
        "diff <(a) <(b | c)",
        "sh -c 'if a; then'",
        "docker run x sh -c \"if a; then b; fi\"",
        "awk '{print $1}' x | xargs -I{} echo {}",
        "find . -name '*.js' -exec rm {} \\;",
        "",
    ] {
        assert_eq!(incomplete(text), None, "{text:?}");
        assert_ne!(takes("bash", text), Some(false), "bash refuses {text:?}");
    }
}

/// Pieces of scripts; put together in any order they are sometimes whole and mostly not.
const PIECES: [&str; 44] = [
    "if a; then",
    "elif b; then",
    "else",
    "fi",
    "for x in 1 2; do",
    "while a; do",
    "done",
    "case $x in",
    "p)",
    "esac",
    ";;",
    "{",
    "}",
    "(",
    ")",
    "$(",
    "`",
    "\"",
    "'",
    "&&",
    "||",
    "|",
    ";",
    "\n",
    "echo a",
    "X=1",
    "X=$(date)",
    "> log",
    "2>&1",
    "# note",
    "!",
    "\\\n",
    "cat <<E\n",
    "\nE\n",
    "then",
    "do",
    "in",
    "f()",
    "${X}",
    "${X:-",
    "$((1))",
    "[ -f x ]",
    "[[ -f x ]]",
    "A=(1 2)",
];

#[test]
fn nothing_that_a_shell_takes_is_called_incomplete() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % limit
    };
    let rounds: usize = std::env::var("TAGWRIGHT_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(400);
    let mut found = 0;
    for _ in 0..rounds {
        let pieces: Vec<&str> = (0..=next(9)).map(|_| PIECES[next(PIECES.len())]).collect();
        let text = pieces.join(" ");
        if incomplete(&text).is_some() {
            found += 1;
            both_refuse(&text);
        }
    }
    assert!(found > rounds / 4, "only {found}");
}
