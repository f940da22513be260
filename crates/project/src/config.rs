//! `tagwright.toml`: its shape, where it is found, and what is wrong with it.
//!
//! The struct is the only definition of the file: the JSON Schema in `docs/schema/` is made from it. What
//! the settings mean is for the rules to say.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use tagwright_syntax::LineIndex;

use crate::provided;

/// The name of the configuration file.
pub const FILE_NAME: &str = "tagwright.toml";

/// The configuration of one workspace.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(title = "tagwright.toml")]
pub struct Config {
    /// The lowest severity that makes the exit code 1; `--fail-on` goes before it.
    pub fail_on: Option<FailOn>,
    /// What a fix may do when an editor saves a file: `tagwright fix --stdin-filename` and `source.fixAll`.
    pub fix_on_save: Scope,
    /// Files and folders that are not read, as patterns like those of `.gitignore`, relative to this file's folder. That holds for files named on the command line and for standard input too.
    pub exclude: Vec<String>,
    /// The tag that fixes write.
    pub tag: Tag,
    /// The branch variable.
    pub branch: Branch,
    /// What is known about images beyond the workspace.
    pub images: Images,
    /// Severities of rules, by rule name.
    #[schemars(with = "std::collections::BTreeMap<String, Level>")]
    pub rules: std::collections::BTreeMap<toml::Spanned<String>, Level>,
    /// The variables of the template that the configuration does not explain: some buildspec has to set them.
    #[serde(skip)]
    pub unexplained: Vec<Unexplained>,
}

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Repairs within one file that add no command, key or list item.
    #[default]
    Local,
    /// All safe fixes, also those that define the branch variable.
    All,
}

/// A variable of `tag.template` that is set only if some file of the workspace sets it.
#[derive(Clone, Debug)]
pub struct Unexplained {
    /// The variable.
    pub name: String,
    /// What is wrong if no file does.
    pub error: std::sync::Arc<ConfigError>,
}

/// `[tag]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tag {
    /// The tag that fixes write, as shell text: `${BRANCH_NAME}` if absent.
    pub template: Option<String>,
    /// How branches are kept apart.
    pub strategy: Strategy,
    /// Variables of the template that the build projects or pipelines set, where no file here shows it.
    pub variables: Vec<String>,
}

/// How branches are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// One repository, one tag for each branch.
    #[default]
    BranchTag,
    /// One repository for each branch or environment.
    RepositoryPerBranch,
}

/// `[branch]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Branch {
    /// The name of the shell variable that holds the branch: `BRANCH_NAME` if absent.
    pub variable: Option<String>,
    /// Whether the project or pipeline already provides the variable, so that no buildspec has to.
    pub defined: bool,
    /// What a build does that knows no branch, such as one of a pipeline that does not pass it.
    pub missing: Missing,
}

/// What a build does that knows no branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// It takes `commit-` and the first twelve characters of its commit; it ends if it knows no commit either.
    #[default]
    Commit,
    /// It ends.
    Stop,
}

/// `[images]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Images {
    /// Patterns (`*` matches any text) of repositories that are built here although the workspace does not show it.
    pub own: Vec<String>,
}

/// The severity of a rule, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Goes wrong.
    Error,
    /// Goes wrong under circumstances that the file does not exclude.
    Warning,
    /// Worth knowing.
    Note,
    /// Not reported.
    Off,
}

/// The lowest severity that fails a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Errors.
    #[default]
    Error,
    /// Warnings and errors.
    Warning,
    /// Every finding.
    Note,
    /// Nothing.
    Never,
}

impl Level {
    /// All levels, the gravest first.
    pub const ALL: [Level; 4] = [Level::Error, Level::Warning, Level::Note, Level::Off];

    /// The level as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
            Level::Off => "off",
        }
    }
}

impl FailOn {
    /// All values, in the order in which they are listed.
    pub const ALL: [FailOn; 4] = [FailOn::Error, FailOn::Warning, FailOn::Note, FailOn::Never];

    /// The value as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            FailOn::Never => "never",
            FailOn::Error => "error",
            FailOn::Warning => "warning",
            FailOn::Note => "note",
        }
    }

    /// What fails a run with this value.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            FailOn::Never => "Nothing",
            FailOn::Error => "Errors",
            FailOn::Warning => "Warnings and errors",
            FailOn::Note => "Every finding",
        }
    }
}

/// What is wrong with a configuration file. The text names the file and, where there is one, the place.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what a configuration must be.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        path: String,
        /// 1-based.
        line: u32,
        /// 1-based, in characters.
        column: u32,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// The name of the branch variable, configured or not.
    fn branch_variable(&self) -> &str {
        self.branch.variable.as_deref().unwrap_or("BRANCH_NAME")
    }

    /// Gives the rule of this name a level, whatever it had.
    pub fn set(&mut self, rule: &str, level: Level) {
        self.rules.retain(|name, _| name.get_ref().as_str() != rule);
        let name = toml::Spanned::new(0..0, rule.to_owned());
        self.rules.insert(name, level);
    }

    /// Gives the tag that fixes write another template: shell text, or the name of a preset (`branch`,
    /// `branch-commit`, `commit`, `build`).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if no tag can be made of it; the place is one in the template.
    pub fn set_template(&mut self, template: &str) -> Result<(), ConfigError> {
        let invalid = |offset: usize, message: String| ConfigError::Invalid {
            path: "--tag".to_owned(),
            line: 1,
            column: u32::try_from(offset + 1).unwrap_or(u32::MAX),
            message,
        };
        let branch = format!("${{{}}}", self.branch_variable());
        let template = match template {
            "branch" => branch,
            "branch-commit" => format!("{branch}-${{CODEBUILD_RESOLVED_SOURCE_VERSION}}"),
            "commit" => "${CODEBUILD_RESOLVED_SOURCE_VERSION}".to_owned(),
            "build" => "${CODEBUILD_BUILD_ID##*:}".to_owned(),
            other => other.to_owned(),
        };
        if let Some(fault) = fault_of(&template) {
            return Err(invalid(0, fault));
        }
        self.unexplained = unexplained(self, &template, 0, &invalid);
        self.tag.template = Some(template);
        Ok(())
    }

    /// Reads the file at `path`. `rules` are the names that `[rules]` may use.
    ///
    /// # Errors
    /// [`ConfigError`] if it cannot be read, is no TOML, or has keys or values that mean nothing.
    pub fn load(path: &Path, rules: &[&str]) -> Result<Self, ConfigError> {
        let shown = crate::wording::display(path);
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: shown.clone(),
            source,
        })?;
        Self::parse(&text, &shown, rules)
    }

    /// Reads `text`; `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn parse(text: &str, path: &str, rules: &[&str]) -> Result<Self, ConfigError> {
        let invalid = |offset: usize, message: String| {
            let position = LineIndex::new(text).position(
                text,
                u32::try_from(offset.min(text.len())).unwrap_or(u32::MAX),
            );
            ConfigError::Invalid {
                path: path.to_owned(),
                line: position.line,
                column: position.column,
                message,
            }
        };
        let mut config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            invalid(at, error.message().replace('\n', " "))
        })?;
        for name in config.rules.keys() {
            if !rules.contains(&name.get_ref().as_str()) {
                return Err(invalid(
                    name.span().start,
                    unknown_rule(name.get_ref(), rules),
                ));
            }
        }
        if let Some(variable) = &config.branch.variable
            && let Some(fault) = fault_of_variable(variable)
        {
            let at = Places::of(text)
                .branch
                .variable
                .map_or(0, |it| inside(text, &it));
            return Err(invalid(at, fault));
        }
        for name in &config.tag.variables {
            if !is_variable_name(name) {
                let places = Places::of(text).tag.variables;
                let place = places.iter().find(|it| it.get_ref() == name);
                let at = place.map_or(0, |it| inside(text, it));
                let fault = format!("`{name}` cannot be the name of a shell variable");
                return Err(invalid(at, fault));
            }
        }
        if let Some(template) = &config.tag.template {
            let at = Places::of(text)
                .tag
                .template
                .map_or(0, |it| inside(text, &it));
            if let Some(fault) = fault_of(template) {
                return Err(invalid(at, fault));
            }
            config.unexplained = unexplained(&config, template, at, &invalid);
        }
        exclusion(Path::new(""), &config.exclude).map_err(|message| {
            let patterns = Places::of(text).exclude;
            let is_wrong = |it: &&toml::Spanned<String>| {
                exclusion(Path::new(""), &[it.get_ref().clone()]).is_err()
            };
            let at = patterns
                .iter()
                .find(is_wrong)
                .map_or(0, |it| inside(text, it));
            invalid(at, message)
        })?;
        Ok(config)
    }
}

/// Where values stand, asked only of a file with a value that means nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Places {
    exclude: Vec<toml::Spanned<String>>,
    tag: TagPlaces,
    branch: BranchPlaces,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TagPlaces {
    template: Option<toml::Spanned<String>>,
    variables: Vec<toml::Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BranchPlaces {
    variable: Option<toml::Spanned<String>>,
}

impl Places {
    fn of(text: &str) -> Self {
        toml::from_str(text).unwrap_or_default()
    }
}

/// Where a value begins, behind its quotes; 0-based byte offset in `text`.
fn inside(text: &str, value: &toml::Spanned<String>) -> usize {
    let written = text.get(value.span()).unwrap_or("");
    let several = written.starts_with("\"\"\"") || written.starts_with("'''");
    let quotes = if several {
        3
    } else {
        usize::from(written.starts_with(['"', '\'']))
    };
    value.span().start + quotes
}

/// The message for a rule name that does not exist, with the nearest one that does.
#[must_use]
pub fn unknown_rule(name: &str, rules: &[&str]) -> String {
    let nearest = rules
        .iter()
        .map(|rule| (distance(name, rule), *rule))
        .min()
        .filter(|(distance, rule)| *distance <= (rule.len() / 3).max(2));
    match nearest {
        Some((_, rule)) => format!("there is no rule `{name}`; did you mean `{rule}`?"),
        None => format!("there is no rule `{name}`; `tagwright rules` lists them"),
    }
}

/// A matcher for the patterns of `exclude`, which are relative to `root`.
///
/// # Errors
/// The message of the first pattern that is none.
pub fn exclusion(root: &Path, patterns: &[String]) -> Result<ignore::gitignore::Gitignore, String> {
    let mut builder = ignore::gitignore::GitignoreBuilder::new(root);
    for pattern in patterns {
        builder
            .add_line(None, pattern)
            .map_err(|error| format!("`{pattern}` in `exclude`: {error}"))?;
    }
    builder.build().map_err(|error| error.to_string())
}

/// The nearest `tagwright.toml` in `folder` (absolute) or above it.
#[must_use]
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|file| file.is_file())
}

/// Why this cannot be the branch variable, if that is so.
fn fault_of_variable(name: &str) -> Option<String> {
    if !is_variable_name(name) {
        return Some(format!("`{name}` cannot be the name of a shell variable"));
    }
    provided::is_reserved(name).then(|| {
        format!("`{name}` is reserved: the shell, CodeBuild or AWS tools use it; choose another name for the branch")
    })
}

/// The variables of the template that neither the configuration nor CodeBuild explains. The template begins at byte
/// `at` of the text for whose bytes `invalid` makes errors.
fn unexplained(
    config: &Config,
    template: &str,
    at: usize,
    invalid: &dyn Fn(usize, String) -> ConfigError,
) -> Vec<Unexplained> {
    let variables = unguarded_variables(template)
        .into_iter()
        .filter(|(name, _)| {
            *name != config.branch_variable()
                && !provided::is_set_by_codebuild(name)
                && !config.tag.variables.iter().any(|known| known == name)
        });
    variables
        .map(|(name, offset)| Unexplained {
            name: name.to_owned(),
            error: std::sync::Arc::new(invalid(
                at + offset,
                format!(
                    "nothing sets `{name}`: the branch variable is `{}`, and no buildspec or project here sets `{name}`; list it in `variables` below `[tag]` if your build project does",
                    config.branch_variable()
                ),
            )),
        })
        .collect()
}

/// The variables of a valid template that have no fallback and no error message of their own, each with its
/// offset. What a command prints is not looked into.
fn unguarded_variables(template: &str) -> Vec<(&str, usize)> {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let mut found = Vec::new();
    for (at, _) in template.match_indices('$') {
        let rest = &template[at + 1..];
        if rest.starts_with('(') {
            break;
        }
        let inner = rest.strip_prefix('{').unwrap_or(rest);
        let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
        let operator = if rest.len() == inner.len() {
            ""
        } else {
            &inner[end..]
        };
        if operator.starts_with([':', '-', '=', '?', '+'])
            && !operator[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            // What stands in the fallback is taken only where the variable is not set.
            continue;
        }
        found.push((&inner[..end], at));
    }
    found
}

fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Why no tag can be made of this template, if that is so.
fn fault_of(template: &str) -> Option<String> {
    if template.is_empty() {
        return Some("an empty text is no tag".to_owned());
    }
    let mut variables = 0;
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        if next != '$' {
            let first = rest.len() == template.len();
            if !(next == '_' || next.is_ascii_alphanumeric() || !first && matches!(next, '.' | '-'))
            {
                return Some(format!(
                    "`{next}` cannot stand {} a tag",
                    if matches!(next, '.' | '-') {
                        "at the start of"
                    } else {
                        "in"
                    }
                ));
            }
            rest = &rest[next.len_utf8()..];
            continue;
        }
        variables += 1;
        let body = &rest[1..];
        let length = if let Some(inner) = body.strip_prefix('{') {
            let Some(end) = closing(inner) else {
                return Some("`${` is not closed by `}`".to_owned());
            };
            let name = inner[..end]
                .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
                .map_or(&inner[..end], |stop| &inner[..stop]);
            let operator = &inner[name.len()..end];
            if !is_variable_name(name) || operator.starts_with(char::is_whitespace) {
                return Some(format!(
                    "`${{{}}}` is no variable of the shell",
                    &inner[..end]
                ));
            }
            end + 3
        } else if body.starts_with('(') {
            // What a command prints is not looked into.
            return None;
        } else {
            let name = body
                .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
                .map_or(body, |stop| &body[..stop]);
            if !is_variable_name(name) {
                return Some("`$` is followed by no name of a variable".to_owned());
            }
            name.len() + 1
        };
        rest = &rest[length..];
    }
    (variables == 0)
        .then(|| format!("`{template}` holds no variable: every build would write the same tag"))
}

/// Where the brace is that closes the one before `text`: `${A:-${B}}` is one variable.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut before = ' ';
    text.find(|next: char| {
        let opens = before == '$' && next == '{';
        before = next;
        depth += usize::from(opens);
        next == '}' && {
            let closes = depth == 0;
            depth -= usize::from(!closes);
            closes
        }
    })
}

/// The number of characters to insert, delete or replace to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &[&str] = &["latest-pushed", "latest-deployed"];

    fn error(text: &str) -> String {
        Config::parse(text, "tagwright.toml", RULES)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn every_documented_key_is_read() {
        let config = Config::parse(
            r#"
            fail-on = "warning"
            exclude = ["examples/"]
            [tag]
            template = "${BRANCH_NAME}-${CODEBUILD_RESOLVED_SOURCE_VERSION}"
            strategy = "repository-per-branch"
            [branch]
            variable = "BRANCH"
            defined = true
            [images]
            own = ["*.dkr.ecr.*.amazonaws.com/*"]
            [rules]
            latest-pushed = "off"
            "#,
            "tagwright.toml",
            RULES,
        )
        .unwrap();
        assert_eq!(config.fail_on, Some(FailOn::Warning));
        assert_eq!(config.tag.strategy, Strategy::RepositoryPerBranch);
        assert_eq!(config.branch.variable.as_deref(), Some("BRANCH"));
        assert!(config.branch.defined);
        assert_eq!(config.images.own.len(), 1);
        assert_eq!(
            config.rules.values().copied().collect::<Vec<_>>(),
            [Level::Off]
        );
    }

    #[test]
    fn an_unknown_rule_is_named_with_its_place_and_the_nearest_rule() {
        assert_eq!(
            error("[rules]\nlatest-pushd = \"off\"\n"),
            "tagwright.toml:2:1: there is no rule `latest-pushd`; did you mean `latest-pushed`?"
        );
        assert_eq!(
            error("[rules]\nindentation = \"off\"\n"),
            "tagwright.toml:2:1: there is no rule `indentation`; `tagwright rules` lists them"
        );
    }

    #[test]
    fn a_template_that_makes_no_tag_is_an_error() {
        for (template, fault) in [
            ("", "an empty text is no tag"),
            ("main", "holds no variable"),
            ("${BRANCH_NAME}/x", "`/` cannot stand in a tag"),
            ("-${BRANCH_NAME}", "`-` cannot stand at the start of a tag"),
            ("${BRANCH NAME}", "`${BRANCH NAME}` is no variable"),
            ("${}", "`${}` is no variable"),
            ("${BRANCH_NAME", "is not closed"),
            ("web-$-1", "followed by no name"),
        ] {
            let text = format!("[tag]\ntemplate = \"{template}\"\n");
            let said = error(&text);
            assert!(said.starts_with("tagwright.toml:2:13: "), "{said}");
            assert!(said.contains(fault), "{template}: {said}");
        }
        for template in [
            "$BRANCH_NAME",
            "v1.${BRANCH_NAME}-${CODEBUILD_BUILD_ID##*:}",
            "${BRANCH_NAME:-none}",
            "${BRANCH_NAME:-${STAGE:-none}}-1",
            "$(git describe --always)",
        ] {
            let text = format!("[tag]\ntemplate = \"{template}\"\n");
            assert!(
                Config::parse(&text, "tagwright.toml", RULES).is_ok(),
                "{template}"
            );
        }
    }

    #[test]
    fn a_reserved_name_cannot_hold_the_branch() {
        for name in [
            "PATH",
            "IFS",
            "HOME",
            "PWD",
            "CODEBUILD_BRANCH",
            "AWS_REGION",
            "LC_ALL",
        ] {
            let said = error(&format!("[branch]\nvariable = \"{name}\"\n"));
            assert!(
                said.starts_with(&format!("tagwright.toml:2:13: `{name}` is reserved")),
                "{said}"
            );
        }
        let said = error("[branch]\nvariable = \"2ND\"\n");
        assert!(said.contains("2:13: `2ND` cannot be"), "{said}");
    }

    #[test]
    fn variables_of_the_template_that_nothing_sets_are_kept_with_their_place() {
        let unexplained = |text: &str| -> Vec<String> {
            let config = Config::parse(text, "tagwright.toml", RULES).unwrap();
            let all = config.unexplained.iter();
            all.map(|it| it.error.to_string()).collect()
        };
        let said = unexplained(
            "[branch]\nvariable = \"BRANCH\"\n[tag]\ntemplate = \"${BRANCH}-${BRANCH_NAME}\"\n",
        );
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("tagwright.toml:4:23: nothing sets `BRANCH_NAME`"),
            "{said:?}"
        );
        for template in [
            "${BRANCH_NAME}-${CODEBUILD_RESOLVED_SOURCE_VERSION}",
            "${BRANCH_NAME}-${CODEBUILD_BUILD_ID##*:}",
            "${BRANCH_NAME:-${STAGE:-none}}-1",
            "$(git describe --always)",
        ] {
            let text = format!("[tag]\ntemplate = \"{template}\"\n");
            assert_eq!(unexplained(&text), [""; 0], "{template}");
        }
        for template in [
            "${STAGE}-${BRANCH_NAME}",
            "$STAGE",
            "${STAGE##*-}",
            "${STAGE:0:3}",
        ] {
            let text = format!("[tag]\ntemplate = \"{template}\"\n");
            assert_eq!(unexplained(&text).len(), 1, "{template}");
            let declared = format!("{text}variables = [\"STAGE\"]\n");
            assert_eq!(unexplained(&declared), [""; 0], "{template}");
        }
    }

    #[test]
    fn unknown_keys_and_values_are_errors_with_a_place() {
        assert!(
            error("[tag]\ntemplat = \"x\"\n")
                .starts_with("tagwright.toml:2:1: unknown field `templat`")
        );
        assert!(
            error("[rules]\nlatest-pushed = \"fatal\"\n")
                .contains("tagwright.toml:2:17: unknown variant `fatal`")
        );
        assert!(error("[tag\n").starts_with("tagwright.toml:1:"));
        assert!(
            error("[branch]\nvariable = \"BRANCH-NAME\"\n")
                .contains("2:13: `BRANCH-NAME` cannot be")
        );
        assert!(error("exclude = [\"[z-a]\"]\n").contains("`[z-a]` in `exclude`"));
        assert!(
            error("# exclude BRANCH-NAME\nexclude = [\"ok/\", \"[z-a]\"]\n").contains(":2:20: ")
        );
        assert!(
            error("# template and BRANCH-NAME\n[branch]\nvariable = 'BRANCH-NAME'\n")
                .contains(":3:13: ")
        );
        assert!(error("# template = \"x\"\n[tag]\n\"template\" = \"\"\n").contains(":3:"));
    }
}
