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
}

impl Derivation<'_> {
    /// The command's text: several lines of POSIX sh, the last one ended by a newline.
    ///
    /// It takes the first of its candidates that names a branch, a tag or a pull request (commits and
    /// the S3 ARN that CodePipeline passes do not), replaces what an image tag cannot hold and exports
    /// the result: at most 80 characters of `[A-Za-z0-9_][A-Za-z0-9_.-]*`, so that a suffix such as
    /// `-<build id>` still fits into the 128 of a tag. A longer name ends in a checksum, so that two of
    /// them stay different. Where no candidate is left, or the branch is called `latest`, it says so on
    /// standard error and fails. Run again, it gives the same value. Other variables are left alone:
    /// the work happens in a subshell.
    #[must_use]
    pub fn text(&self) -> String {
        let pipeline = if self.copilot_pipeline {
            COPILOT_CANDIDATE
        } else {
            ""
        };
        TEXT.replace("@CANDIDATES@", &format!("{CODEBUILD_CANDIDATES}{pipeline}"))
            .replace("@VARIABLE@", self.variable)
    }

    /// Whether `after` holds more definitions than `before` that find no branch in a pipeline unless its
    /// action passes one. Those of Copilot's pipelines find it in the pipeline's manifest.
    #[must_use]
    pub fn is_new_in(after: &str, before: &str) -> bool {
        let last = CODEBUILD_CANDIDATES.lines().next_back().unwrap_or_default();
        let end = format!("{} |", last.trim_start());
        after.matches(&end).count() > before.matches(&end).count()
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

const CODEBUILD_CANDIDATES: &str = r#""${@VARIABLE@:-}" "${CODEBUILD_WEBHOOK_HEAD_REF:-}" \
    "${CODEBUILD_WEBHOOK_TRIGGER:-}" "${CODEBUILD_SOURCE_VERSION:-}""#;

/// Last, so that a webhook's build of another branch is not taken for the pipeline's.
const COPILOT_CANDIDATE: &str = r#" \
    "$(printf %s "${pipeline:-}" | jq -r '.source.properties.branch // "main"')""#;

// The last sed expression drops lines that are no names: empty ones, ARNs, commits. What precedes the
// commit in it is what the sanitising below would strip, so that a second run sees the same.
const TEXT: &str = r#"# @VARIABLE@: the branch that is being built, as an image tag
@VARIABLE@=$(
  export LC_ALL=C
  ref=$(printf '%s\n' @CANDIDATES@ |
    sed -E -e 's,\^[{].*,,' -e 's,^(refs/heads|refs/tags|branch|tag)/,,' -e 's,^refs/pull/([0-9]+)/.*,pr-\1,' \
      -e '/^[^A-Za-z0-9_]*(arn:.*|[0-9A-Fa-f]{40}([0-9A-Fa-f]{24})?)?$/d' | sed -n 1p)
  name=$(printf %s "$ref" | tr -c 'A-Za-z0-9_.-' '-' | sed 's/^[.-]*//')
  if [ "${#name}" -gt 80 ]; then
    name=$(printf %s "$name" | cut -c 1-69)-$(printf %s "$ref" | cksum | cut -d ' ' -f 1)
  fi
  if [ -z "$name" ] || [ "$name" = latest ]; then
    echo "No branch name to tag the image with. Start the build from a branch (not one called latest) or set @VARIABLE@, in a CodePipeline build action to '#{SourceVariables.BranchName}'" >&2
    exit 1
  fi
  printf %s "$name"
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
