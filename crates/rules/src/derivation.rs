//! The shell text that gives the branch variable its value.
//!
//! CodeBuild defines no variable that holds the branch in the form of an image tag, so a rewrite to
//! `${BRANCH_NAME}` has to bring the definition along. Here is its text, and the test whether a command
//! already is such a definition; where it is inserted is for the rules to say.

/// The command that defines the branch variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derivation<'a> {
    /// The variable's name, a POSIX shell name; by default `BRANCH_NAME`.
    pub variable: &'a str,
    /// Whether the shell variable `pipeline` holds the Copilot pipeline manifest as JSON, as it does in
    /// the buildspec that Copilot generates. Nothing else in such a build knows the branch.
    pub copilot_pipeline: bool,
    /// What a build does that knows no branch.
    pub missing: Missing,
    /// Whether the value becomes part of a repository's name: lower case, no two separators in a row and
    /// none at the end (Amazon ECR API reference, `repositoryName`).
    pub repository: bool,
}

/// What a build does that knows no branch, as most that CodePipeline starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// It takes `commit-` and the first twelve characters of its commit. Two branches share that only where
    /// their source is the same.
    #[default]
    Commit,
    /// It ends.
    Stop,
}

impl<'a> Derivation<'a> {
    /// The definition of `variable` in a build whose tags name branches: no Copilot, the commit as fallback.
    #[must_use]
    pub fn new(variable: &'a str) -> Self {
        Self {
            variable,
            copilot_pipeline: false,
            missing: Missing::Commit,
            repository: false,
        }
    }

    /// The command's text: several lines of POSIX sh, the last one ended by a newline.
    ///
    /// It takes the first of its candidates that names a branch, a Git tag or a pull request, replaces what
    /// an image tag cannot hold and exports the result: at most 80 characters of
    /// `[A-Za-z0-9_][A-Za-z0-9_.-]*`, so that a suffix such as `-<build id>` still fits into the 128 of a
    /// tag. The webhook's trigger comes before its head, since the head of a fork's pull request may be
    /// called `main`. `HEAD`, `latest`, commits, ARNs, addresses and pipeline variables that were not
    /// resolved (`#{…}`) are passed over. A slash becomes a dash; where more has to change, a checksum of
    /// the branch is added, so that two branches stay different. Run again, it gives the same value. Other
    /// variables are left alone: the work happens in a subshell.
    #[must_use]
    pub fn text(&self) -> String {
        let mut candidates = vec![format!("\"${{{}:-}}\"", self.variable)];
        if self.variable != "BRANCH_NAME" {
            candidates.push("\"${BRANCH_NAME:-}\"".to_owned());
        }
        candidates.push(CODEBUILD_CANDIDATES.to_owned());
        if self.copilot_pipeline {
            candidates.push(COPILOT_CANDIDATE.to_owned());
        }
        let (known, missing) = match self.missing {
            Missing::Commit => {
                candidates.push(COMMIT_CANDIDATE.to_owned());
                ("branch or commit", "; the commit if no branch is known")
            }
            Missing::Stop => ("branch", ""),
        };
        TEXT.replace("@CANDIDATES@", &candidates.join(" "))
            .replace("@KNOWN@", known)
            .replace("@MISSING@", missing)
            .replace(
                "@SANITISE@",
                if self.repository {
                    REPOSITORY_NAME
                } else {
                    TAG_NAME
                },
            )
            .replace(
                "@PURPOSE@",
                if self.repository {
                    "as part of a repository's name"
                } else {
                    "as an image tag"
                },
            )
            .replace("@VARIABLE@", self.variable)
    }

    /// Whether `after` holds more definitions than `before` that know no branch in a pipeline unless its
    /// action passes one. Those of Copilot's pipelines find it in the pipeline's manifest.
    #[must_use]
    pub fn is_new_in(after: &str, before: &str) -> bool {
        let count = |text: &str| {
            let last = CODEBUILD_CANDIDATES.lines().next_back().unwrap_or_default();
            let last = last.trim_start();
            text.matches(&format!("{last} |")).count()
                + text
                    .matches(&format!("{last} {COMMIT_CANDIDATE} |"))
                    .count()
        };
        count(after) > count(before)
    }

    /// What every file has that holds [`text`](Self::text): a guard before its commands are parsed.
    pub(crate) const GUARD: &'static str = "CODEBUILD_WEBHOOK_TRIGGER";

    /// Whether `text`, one command's decoded text, is a definition that a fix wrote and that ends a build
    /// which knows no branch, although it may know its commit.
    #[must_use]
    pub fn stops_without_branch(text: &str) -> bool {
        let last = CODEBUILD_CANDIDATES.lines().next_back().unwrap_or_default();
        text.contains(&format!("{} |", last.trim_start()))
    }

    /// Whether `text`, one command's decoded text, gives `variable` a value and makes an image tag of it:
    /// [`text`](Self::text), also edited by hand, or somebody's own one-liner.
    ///
    /// This is a look at the words, not a proof. It is true for everything that assigns the variable and
    /// replaces slashes or foreign characters on the way; `${GITHUB_REF#refs/heads/}` alone does not.
    #[must_use]
    pub fn is_derivation(text: &str, variable: &str) -> bool {
        let mut assigns = false;
        let mut sanitises = false;
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with('#') {
                continue;
            }
            assigns |= assigns_variable(line, variable);
            sanitises |= replaces_slashes(line);
        }
        assigns && sanitises
    }
}

/// What a build makes of its definition of the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The variable's value.
    Value(String),
    /// The build ends: nothing names a branch, nor a commit that would do.
    Stops,
    /// Only the manifest of Copilot's pipeline names the branch.
    Manifest,
}

impl Derivation<'_> {
    /// What [`text`](Self::text) does in a build that has the environment `variable`; `None` for a variable that is
    /// not set. The tests of this crate hold it to what shells make of the text.
    #[must_use]
    pub fn outcome(&self, variable: &dyn Fn(&str) -> Option<String>) -> Outcome {
        let read = |name: &str| variable(name).unwrap_or_default();
        let mut candidates = vec![read(self.variable)];
        if self.variable != "BRANCH_NAME" {
            candidates.push(read("BRANCH_NAME"));
        }
        candidates.push(format!("refs/{}", read("CODEBUILD_WEBHOOK_TRIGGER")));
        candidates.push(read("CODEBUILD_WEBHOOK_HEAD_REF"));
        candidates.push(read("CODEBUILD_SOURCE_VERSION"));
        let mut found = first_branch(&candidates);
        if found.is_none() && self.copilot_pipeline {
            return Outcome::Manifest;
        }
        if found.is_none() && self.missing == Missing::Commit {
            let commit = read("CODEBUILD_RESOLVED_SOURCE_VERSION");
            found = first_branch(&[format!("commit:{commit}")]);
        }
        match found {
            Some(reference) => Outcome::Value(self.name(&reference)),
            None => Outcome::Stops,
        }
    }

    /// The part of a tag, or of a repository's name, that stands for `reference`.
    fn name(&self, reference: &str) -> String {
        let plain = reference.replace('/', "-");
        let mut name = if self.repository {
            repository_name(&plain)
        } else {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            let name = runs_replaced(&plain, allowed);
            name.trim_start_matches(['.', '-']).to_owned()
        };
        if name != plain || name.len() > 80 {
            name.truncate(69);
            let checksum = cksum(reference.as_bytes());
            name = format!("{}-{checksum}", name.trim_end_matches(['_', '.', '-']));
        }
        name.strip_prefix('-').map_or(name.clone(), str::to_owned)
    }
}

/// The first line of the candidates that names a branch, a tag or a pull request, as the definition's sed leaves it.
fn first_branch(candidates: &[String]) -> Option<String> {
    let mut lines = candidates
        .iter()
        .flat_map(|candidate| candidate.split('\n'));
    lines.find_map(|line| {
        let line = line.split_once("^{").map_or(line, |(before, _)| before);
        let line = ["heads/", "tags/", "branch/", "tag/"]
            .iter()
            .find_map(|kind| line.strip_prefix("refs/")?.strip_prefix(kind))
            .unwrap_or(line);
        let line = pull_request(line)
            .or_else(|| commit(line))
            .unwrap_or_else(|| line.to_owned());
        (!is_no_branch(&line)).then_some(line)
    })
}

/// `pr-7` for `pr/7`, `pull/7/head` and the like.
fn pull_request(line: &str) -> Option<String> {
    let line = line.strip_prefix("refs/").unwrap_or(line);
    let rest = line
        .strip_prefix("pr/")
        .or_else(|| line.strip_prefix("pull/"))?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    (digits > 0 && (rest.is_empty() || rest.starts_with('/'))).then(|| format!("pr-{number}"))
}

/// `commit-` and 12 characters for `commit:` and more of them.
fn commit(line: &str) -> Option<String> {
    let rest = line.strip_prefix("commit:")?;
    let id = |rest: &str| {
        let start = rest.get(..12)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        start
            .bytes()
            .all(allowed)
            .then(|| format!("commit-{start}"))
    };
    rest.strip_prefix("sha256:")
        .and_then(id)
        .or_else(|| id(rest))
}

fn is_no_branch(line: &str) -> bool {
    let is_commit =
        matches!(line.len(), 40 | 64) && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(line, "" | "HEAD" | "latest")
        || is_commit
        || line.contains(':')
        || line.contains("#{")
        || line.starts_with("refs/")
        || line.ends_with(".zip")
}

/// The text with a dash for each run of characters that are not allowed.
fn runs_replaced(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut in_run = false;
    for character in text.chars() {
        if allowed(character) {
            replaced.push(character);
        } else if !in_run {
            replaced.push('-');
        }
        in_run = !allowed(character);
    }
    replaced
}

fn repository_name(plain: &str) -> String {
    let is_separator = |c: char| "_.-".contains(c);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || is_separator(c);
    let replaced = runs_replaced(&plain.to_ascii_lowercase(), allowed);
    let mut name = String::with_capacity(replaced.len());
    for character in replaced.chars() {
        if !(is_separator(character) && name.ends_with(is_separator)) {
            name.push(character);
        }
    }
    let name = name.strip_prefix(is_separator).unwrap_or(&name);
    name.strip_suffix(is_separator).unwrap_or(name).to_owned()
}

/// The checksum that `cksum` prints (POSIX.1-2024, `cksum`): a CRC with the polynomial 0x04C11DB7 over the bytes and
/// their number.
fn cksum(bytes: &[u8]) -> u32 {
    let mut length = bytes.len();
    let mut crc: u32 = 0;
    let mut add = |byte: u8| {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            let carry = crc & 0x8000_0000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x04c1_1db7;
            }
        }
    };
    for byte in bytes {
        add(*byte);
    }
    while length > 0 {
        add(u8::try_from(length & 0xff).unwrap_or_default());
        length >>= 8;
    }
    !crc
}

/// `refs/` before the trigger, which is `branch/x`, `tag/x` or `pr/1`, makes it differ from a branch of that
/// name in another variable.
const CODEBUILD_CANDIDATES: &str = r#""refs/${CODEBUILD_WEBHOOK_TRIGGER:-}" \
    "${CODEBUILD_WEBHOOK_HEAD_REF:-}" "${CODEBUILD_SOURCE_VERSION:-}""#;

/// Behind the others, so that a webhook's build of another branch is not taken for the pipeline's.
const COPILOT_CANDIDATE: &str = r#"\
    "$(printf %s "${pipeline:-}" | jq -r '.source.properties.branch // "main"')""#;

/// Behind everything else. No branch has a colon, so that it cannot be mistaken for one.
const COMMIT_CANDIDATE: &str = r#""commit:${CODEBUILD_RESOLVED_SOURCE_VERSION:-}""#;

// Before it, slashes are dashes.
const TAG_NAME: &str = r"sed -E 's/[^A-Za-z0-9_.-]+/-/g; s/^[.-]+//'";
const REPOSITORY_NAME: &str =
    r"tr A-Z a-z | sed -E 's/[^a-z0-9_.-]+/-/g; s/([_.-])[_.-]+/\1/g; s/^[_.-]//; s/[_.-]$//'";

// The sed program's last but one expression drops lines that are no names; `q` ends it at the first other one.
const TEXT: &str = r#"# @VARIABLE@: the branch that is being built, @PURPOSE@@MISSING@
@VARIABLE@=$(export LC_ALL=C
  ref=$(printf '%s\n' @CANDIDATES@ |
    sed -E -e 's,\^[{].*,,' -e 's,^refs/(heads|tags|branch|tag)/,,' -e 's,^(refs/)?(pr|pull)/([0-9]+)(/.*)?$,pr-\3,' \
      -e 's,^commit:(sha256:)?([0-9A-Za-z._-]{12}).*,commit-\2,' \
      -e '/:|#[{]|^refs\/|[.]zip$|^(HEAD|latest|[0-9A-Fa-f]{40}([0-9A-Fa-f]{24})?)?$/d' -e q)
  [ -n "$ref" ] || { echo "Cannot determine the @KNOWN@ to tag the image with. Set @VARIABLE@; in a CodePipeline build action, to '#{SourceVariables.BranchName}'" >&2; exit 1; }
  plain=$(printf %s "$ref" | tr / -)
  name=$(printf %s "$plain" | @SANITISE@)
  if [ "$name" != "$plain" ] || [ "${#name}" -gt 80 ]; then
    name=$(printf %.69s "$name" | sed 's/[_.-]*$//')-$(printf %s "$ref" | cksum | cut -d ' ' -f 1)
  fi
  printf %s "${name#-}"
) || exit 1
export @VARIABLE@
"#;

/// Whether `line` holds `variable=` at the start of a word.
fn assigns_variable(line: &str, variable: &str) -> bool {
    line.match_indices(variable).any(|(at, _)| {
        let starts_word = line[..at]
            .chars()
            .next_back()
            .is_none_or(|before| before.is_whitespace() || ";&|({".contains(before));
        starts_word && line[at + variable.len()..].starts_with('=')
    })
}

/// Whether `line` replaces slashes, or everything that is foreign to a tag: by `tr`, by `sed`, or by
/// bash's `${x//…}`.
fn replaces_slashes(line: &str) -> bool {
    let by_tr = line.match_indices("tr ").any(|(at, _)| {
        let arguments = line[at + "tr ".len()..].trim_start();
        let starts_word = !line[..at]
            .chars()
            .next_back()
            .is_some_and(|before| before.is_ascii_alphanumeric() || "_-./$".contains(before));
        let first = arguments.split_whitespace().next().unwrap_or("");
        let complement = first.starts_with('-') && first.contains(['c', 'C']);
        let set = if first.starts_with('-') {
            arguments[first.len()..]
                .split_whitespace()
                .next()
                .unwrap_or("")
        } else {
            first
        };
        starts_word && (complement || set.contains('/'))
    });
    // `s/\//-/`, `s,/,-,`, `s|/|-|`, `s#/#-#`, `y/\//-/`, `s/[^a-z]/-/`.
    let by_sed = line.contains("sed ")
        && [
            r"s/\//", r"s|\/|", "s,/,", "s|/|", "s#/#", "s:/:", "s@/@", "s~/~", "s;/;", r"y/\//",
            "y,/,", "y|/|", "s/[/", "s,[/", "s|[/", "s#[/", "s/[^", "s,[^", "s|[^", "s#[^", "s@[^",
            "s/[\\/",
        ]
        .iter()
        .any(|form| line.contains(form));
    let by_bash = line.match_indices("${").any(|(at, _)| {
        let expansion = &line[at + 2..];
        let name = expansion
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(expansion.len());
        let rest = &expansion[name..];
        name > 0
            && [r"//\//", r"///", "//[", r#"//"/""#, "//'/'"]
                .iter()
                .any(|form| rest.starts_with(form))
    });
    by_tr || by_sed || by_bash
}
