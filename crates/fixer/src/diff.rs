//! A unified diff of one file, as `git apply` and `patch` accept it.

use std::fmt::Write as _;

use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The unified diff from `before` to `after` of the file shown as `path` (with `/` between folders), with
/// `a/` and `b/` before the path as git has it. Empty if the texts are equal.
///
/// Lines end at `\n` only, as for `git apply` and `patch`: a `\r` before it is part of the line and is
/// kept, so that the diff of a CRLF file applies.
#[must_use]
pub fn diff(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut out = String::new();
    // Writing to a string cannot fail, hence the ignored results.
    let _ = writeln!(out, "--- {}", header("a/", path));
    let _ = writeln!(out, "+++ {}", header("b/", path));
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    for group in group_diff_ops(operations, CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let _ = writeln!(
            out,
            "@@ -{} +{} @@",
            hunk_range(first.old_range().start, last.old_range().end),
            hunk_range(first.new_range().start, last.new_range().end),
        );
        for operation in &group {
            match operation.tag() {
                DiffTag::Equal => lines(&mut out, ' ', &old[operation.old_range()]),
                DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                    lines(&mut out, '-', &old[operation.old_range()]);
                    lines(&mut out, '+', &new[operation.new_range()]);
                }
            }
        }
    }
    out
}

/// The lines that two texts share, as pairs of 1-based line numbers in `before` and in `after`.
#[must_use]
pub fn unchanged_lines(before: &str, after: &str) -> Vec<(u32, u32)> {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    capture_diff_slices(Algorithm::Myers, &old, &new)
        .into_iter()
        .filter(|operation| operation.tag() == DiffTag::Equal)
        .flat_map(|operation| operation.old_range().zip(operation.new_range()))
        .map(|(old, new)| (number(old), number(new)))
        .collect()
}

fn lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// Start (1-based) and number of lines; an empty range names the line before it.
fn hunk_range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

/// The path as git writes it in a header: in C's quotes if a character would break the line, with a tab
/// behind it if there is a blank in it (which `patch` would otherwise take for the end of the name).
fn header(prefix: &str, path: &str) -> String {
    let special = |c: char| c.is_control() || c == '"' || c == '\\';
    if !path.contains(special) {
        let tab = if path.contains(' ') { "\t" } else { "" };
        return format!("{prefix}{path}{tab}");
    }
    let mut quoted = format!("\"{prefix}");
    for c in path.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn git_apply(name: &str, before: &str, after: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), before).unwrap();
        let patch = diff(name, before, after);
        let mut git = Command::new("git")
            .args([
                "-c",
                "core.autocrlf=false",
                "apply",
                "--whitespace=nowarn",
                "-",
            ])
            .current_dir(folder.path())
            .env("GIT_CEILING_DIRECTORIES", folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin
            .take()
            .unwrap()
            .write_all(patch.as_bytes())
            .unwrap();
        assert!(git.wait().unwrap().success(), "git refused\n{patch}");
        let result = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(result, after, "\n{patch}");
    }

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(diff("a.yml", "a\n", "a\n"), "");
    }

    #[test]
    fn a_changed_line_is_shown_with_its_context() {
        assert_eq!(
            diff("d/a.yml", "1\n2\n3\n4\n5\n", "1\n2\n3\nx\n5\n"),
            "--- a/d/a.yml\n+++ b/d/a.yml\n@@ -1,5 +1,5 @@\n 1\n 2\n 3\n-4\n+x\n 5\n"
        );
    }

    #[test]
    fn git_applies_changes_far_apart() {
        let before: String = (0..60).map(|n| format!("line {n}\n")).collect();
        let after = before
            .replace("line 3\n", "")
            .replace("line 50\n", "x\ny\n");
        git_apply("a.yml", &before, &after);
    }

    #[test]
    fn git_applies_to_a_file_without_final_newline() {
        git_apply("a.yml", "a: 1\nb: 2", "a: 1\nb: 3");
        git_apply("a.yml", "a: 1\nb: 2", "a: 2\nb: 2");
        git_apply("a.yml", "a: 1\nb: 2", "a: 1\nb: 2\nc: 3");
        git_apply("a.yml", "a: 1\nb: 2\n", "a: 1\nb: 2");
    }

    #[test]
    fn git_applies_to_crlf_and_lone_cr() {
        git_apply(
            "a.yml",
            "a: 1\r\nb: 2\r\nc: 3\r\n",
            "a: 1\r\nb: 4\r\nc: 3\r\n",
        );
        git_apply("a.yml", "a: 1\rb: 2\r", "a: 1\rb: 3\r");
        git_apply("a.yml", "a: 1\r\nb: 2\nc: 3", "a: 1\r\nx\r\nb: 2\nc: 3");
    }

    #[test]
    fn git_applies_to_names_with_blanks_and_quotes() {
        git_apply("my buildspec.yml", "a: 1\n", "a: 2\n");
        #[cfg(unix)]
        git_apply("a \"b\"\t\u{1}.yml", "a: 1\n", "a: 2\n");
        git_apply("빌드.yml", "a: 1\n", "a: 2\n");
    }

    #[test]
    fn git_applies_random_changes() {
        let mut state = 0x9e37_79b9_u32;
        let mut random = |below: u32| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state % below
        };
        for _ in 0..25 {
            let mut lines: Vec<String> = (0..random(40) + 1)
                .map(|_| format!("x{}{}\n", random(5), ["", "\r", " "][random(3) as usize]))
                .collect();
            let before = lines.concat();
            for _ in 0..random(6) + 1 {
                let at = random(u32::try_from(lines.len()).unwrap() + 1) as usize;
                match random(3) {
                    0 => lines.insert(at, "new\n".into()),
                    1 if at < lines.len() => lines[at] = "other\r\n".into(),
                    _ if at < lines.len() && lines.len() > 1 => drop(lines.remove(at)),
                    _ => {}
                }
            }
            let mut after = lines.concat();
            let mut before = before.as_str();
            if random(3) == 0 {
                before = before.trim_end_matches('\n');
            }
            if random(3) == 0 {
                after.truncate(after.trim_end_matches('\n').len());
            }
            if before != after {
                git_apply("a.yml", before, &after);
            }
        }
    }

    #[test]
    fn git_applies_when_everything_is_new_or_gone() {
        git_apply("a.yml", "a: 1\n", "b\nc\n");
        git_apply("a.yml", "x\na: 1\n", "x\n");
    }
}
