//! `tagwright.toml`: its shape, where it is found, and what is wrong with it.
//!
//! The struct is the only definition of the file: the JSON Schema in `docs/schema/` is made from it. What
//! the settings mean is for the rules to say. A file may extend others: what it says goes before them, key by key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagwright_syntax::LineIndex;
use toml::Spanned;

use crate::catalog::Catalog;
use crate::environments;
use crate::environments::is_variable as is_variable_name;
use crate::provided;

/// The name of the configuration file.
pub const FILE_NAME: &str = "tagwright.toml";
/// Its name for those who hide such files. Beside a `tagwright.toml` it does not count.
pub const HIDDEN_FILE_NAME: &str = ".tagwright.toml";
/// No chain of configurations is longer.
const LONGEST_CHAIN: usize = 10;

/// Whether a file of this name is a configuration.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    name == FILE_NAME || name == HIDDEN_FILE_NAME
}

/// The configuration of one workspace.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(title = "tagwright.toml")]
pub struct Config {
    /// Configurations that this one builds on, by path, relative to this file's folder. What this file says goes before them, and the later ones go before the earlier. Patterns in them count from this file's folder.
    #[serde(skip_serializing)]
    pub extends: Vec<String>,
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
    /// Branches, or patterns of them such as `release/*`, with the environments that they are deployed to. The strategy `repository-per-branch` gives each environment a repository of its own, and every other branch one, too.
    pub environments: environments::Table,
    /// Severities, by the name of a rule or of a category. A rule's own entry goes before that of its category, which does not turn on rules that are off by default.
    #[schemars(with = "BTreeMap<String, Level>")]
    pub rules: BTreeMap<Spanned<String>, Level>,
    /// Rules and categories that are off in certain files, by patterns like those of `.gitignore`, relative to this file's folder.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub per_file_ignores: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    /// The files that were read, those that others extend first.
    #[serde(skip)]
    pub sources: Vec<PathBuf>,
    /// The variables of the template that the configuration does not explain: some buildspec has to set them.
    #[serde(skip)]
    pub unexplained: Vec<Unexplained>,
}

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tag {
    /// The tag that fixes write: a preset (`branch`, `branch-commit`, `commit`, `build`) or shell text with a variable;
    /// `branch` if absent.
    pub template: Option<String>,
    /// How branches are kept apart.
    pub strategy: Strategy,
    /// What fixes make of `latest` where it is pushed beside a tag of its own that is deployed, and nothing here reads
    /// it.
    pub alias: Alias,
    /// Variables of the template that the build projects or pipelines set, where no file here shows it.
    pub variables: Vec<String>,
}

/// What becomes of `latest` beside a deployed tag of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Alias {
    /// It becomes the branch tag.
    #[default]
    Move,
    /// The commands that make and push it go.
    Drop,
}

/// How branches are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// One repository, one tag for each branch.
    #[default]
    BranchTag,
    /// One repository for each branch or environment.
    RepositoryPerBranch,
}

/// `[branch]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// It takes `commit-` and the first twelve characters of its commit; it ends if it knows no commit either.
    #[default]
    Commit,
    /// It ends.
    Stop,
}

/// `[images]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Images {
    /// Patterns (`*` matches any text) of repositories that are built here although the workspace does not show it.
    pub own: Vec<String>,
}

/// The severity of a rule, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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

    /// Takes away what the configuration says of the rule of this name.
    pub fn unset(&mut self, rule: &str) {
        self.rules.retain(|name, _| name.get_ref().as_str() != rule);
    }

    /// Gives the rule of this name a level, whatever it had.
    pub fn set(&mut self, rule: &str, level: Level) {
        self.unset(rule);
        let name = Spanned::new(0..0, rule.to_owned());
        self.rules.insert(name, level);
    }

    /// The template as shell text: a preset (`branch`, `branch-commit`, `commit`, `build`) by its text.
    fn spelled(&self, template: &str) -> String {
        let branch = format!("${{{}}}", self.branch_variable());
        match template {
            "branch" => branch,
            "branch-commit" => format!("{branch}-${{CODEBUILD_RESOLVED_SOURCE_VERSION}}"),
            "commit" => "${CODEBUILD_RESOLVED_SOURCE_VERSION}".to_owned(),
            "build" => "${CODEBUILD_BUILD_ID##*:}".to_owned(),
            other => other.to_owned(),
        }
    }

    /// The tag that fixes write, as shell text, if one is configured.
    #[must_use]
    pub fn template(&self) -> Option<String> {
        let template = self.tag.template.as_deref();
        template.map(|it| self.spelled(it))
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
        let template = self.spelled(template);
        if let Some(fault) = fault_of(&template) {
            return Err(invalid(0, fault));
        }
        self.unexplained = self.unexplained_of(&template, invalid);
        self.tag.template = Some(template);
        Ok(())
    }

    /// The configuration with everything written out that holds by default.
    #[must_use]
    pub fn effective(&self) -> Self {
        let mut config = self.clone();
        config.fail_on.get_or_insert_default();
        let variable = self.branch_variable().to_owned();
        let branch = || format!("${{{variable}}}");
        config.tag.template = Some(self.template().unwrap_or_else(branch));
        config.branch.variable.get_or_insert(variable);
        config
    }

    /// Reads the file at `path` and those that it extends. `catalog` has the names that it may use.
    ///
    /// # Errors
    /// [`ConfigError`] if one cannot be read, is no TOML, or has keys or values that mean nothing.
    pub fn load(path: &Path, catalog: &Catalog) -> Result<Self, ConfigError> {
        let shown = crate::wording::display(path);
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: shown.clone(),
            source,
        })?;
        let mut config = Self::parse(&text, &shown, catalog)?;
        config.sources = vec![path.to_owned()];
        if config.extends.is_empty() {
            return Ok(config);
        }
        let mut layers = Vec::new();
        let layer = Layer {
            path: path.to_owned(),
            shown,
            text,
            config,
        };
        layer.collect(catalog, &mut Vec::new(), &mut layers)?;
        merged(&layers)
    }

    /// Reads `text` without what it extends; `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn parse(text: &str, path: &str, catalog: &Catalog) -> Result<Self, ConfigError> {
        let mut config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            invalid(text, path, at, error.message().replace('\n', " "))
        })?;
        let ignored = config.per_file_ignores.values().flatten();
        for name in config.rules.keys().chain(ignored) {
            if !catalog.knows(name.get_ref()) {
                let message = catalog.unknown(name.get_ref());
                let at = name.span().start;
                return Err(invalid(text, path, at, message));
            }
        }
        config.expand_categories(catalog);
        if let Some((at, fault)) = config.fault(text) {
            return Err(invalid(text, path, at, fault));
        }
        config.unexplained = config.unexplained_in(text, path);
        Ok(config)
    }

    /// Replaces the categories among the rules by their rules.
    fn expand_categories(&mut self, catalog: &Catalog) {
        let categories: Vec<(Spanned<String>, Level)> = self
            .rules
            .iter()
            .filter(|(name, _)| catalog.rule(name.get_ref()).is_none())
            .map(|(name, level)| (name.clone(), *level))
            .collect();
        for (category, level) in categories {
            self.rules.remove(&category);
            for it in catalog.category(category.get_ref()).filter(|it| it.on) {
                let name = Spanned::new(category.span(), it.rule.to_owned());
                self.rules.entry(name).or_insert(level);
            }
        }
    }

    /// The first value that means nothing: its byte offset in `text`, and why.
    fn fault(&self, text: &str) -> Option<(usize, String)> {
        let at = |place: Option<Spanned<String>>| place.map_or(0, |it| inside(text, &it));
        if let Some(variable) = &self.branch.variable
            && let Some(fault) = fault_of_variable(variable)
        {
            return Some((at(Places::of(text).branch.variable), fault));
        }
        for name in &self.tag.variables {
            if !is_variable_name(name) {
                let places = Places::of(text).tag.variables;
                let place = places.into_iter().find(|it| it.get_ref() == name);
                let fault = format!("`{name}` cannot be the name of a shell variable");
                return Some((at(place), fault));
            }
        }
        if let Some(template) = self.template()
            && let Some(fault) = fault_of(&template)
        {
            return Some((at(Places::of(text).tag.template), fault));
        }
        if let Err(message) = exclusion(Path::new(""), &self.exclude) {
            let is_wrong =
                |it: &Spanned<String>| exclusion(Path::new(""), &[it.get_ref().clone()]).is_err();
            let place = Places::of(text).exclude.into_iter().find(is_wrong);
            return Some((at(place), message));
        }
        if let Err((span, message)) = self.environments.read() {
            return Some((inside(text, &Spanned::new(span, String::new())), message));
        }
        self.per_file_ignores.keys().find_map(|pattern| {
            let result = patterns(Path::new(""), &[pattern.get_ref().clone()]);
            Some((inside(text, pattern), result.err()?))
        })
    }

    /// The variables of `template` that nothing explains; `invalid` makes the error for a byte of it.
    fn unexplained_of(
        &self,
        template: &str,
        invalid: impl Fn(usize, String) -> ConfigError,
    ) -> Vec<Unexplained> {
        let unexplained = unexplained(self, template).map(|(name, offset)| Unexplained {
            name: name.to_owned(),
            error: std::sync::Arc::new(invalid(
                offset,
                format!(
                    "nothing sets `{name}`: the branch variable is `{}`, and no buildspec or project here sets `{name}`; list it in `variables` below `[tag]` if your build project does",
                    self.branch_variable()
                ),
            )),
        });
        unexplained.collect()
    }

    /// The variables of the template, which stands in `text`, that nothing explains; `path` is for messages.
    fn unexplained_in(&self, text: &str, path: &str) -> Vec<Unexplained> {
        let Some(template) = self.template() else {
            return Vec::new();
        };
        let place = Places::of(text).tag.template;
        let at = place.map_or(0, |it| inside(text, &it));
        self.unexplained_of(&template, |offset, message| {
            invalid(text, path, at + offset, message)
        })
    }
}

/// The text of a configuration that another names. What is no file, such as a pipe, is not waited for.
fn read(path: &Path) -> std::io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        let message = "it is not a file";
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            message,
        ));
    }
    std::fs::read_to_string(path)
}

/// The error for what stands at the byte `offset` of `text`.
fn invalid(text: &str, path: &str, offset: usize, message: String) -> ConfigError {
    let offset = u32::try_from(offset.min(text.len())).unwrap_or(u32::MAX);
    let position = LineIndex::new(text).position(text, offset);
    ConfigError::Invalid {
        path: path.to_owned(),
        line: position.line,
        column: position.column,
        message,
    }
}

/// One configuration of a chain.
struct Layer {
    path: PathBuf,
    /// The path, for messages.
    shown: String,
    text: String,
    config: Config,
}

impl Layer {
    /// Puts what this configuration extends into `layers`, then itself. `open` are the files that lead here.
    fn collect(
        self,
        catalog: &Catalog,
        open: &mut Vec<PathBuf>,
        layers: &mut Vec<Layer>,
    ) -> Result<(), ConfigError> {
        let identity = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        open.push(identity);
        for name in &self.config.extends {
            let wrong = |message: String| {
                let mut places = Places::of(&self.text).extends.into_iter();
                let place = places.find(|it| it.get_ref() == name);
                let at = place.map_or(0, |it| inside(&self.text, &it));
                invalid(&self.text, &self.shown, at, message)
            };
            let path = self.path.parent().unwrap_or(Path::new("")).join(name);
            let identity = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if open.contains(&identity) {
                return Err(wrong(format!("`{name}` extends itself")));
            }
            if open.len() >= LONGEST_CHAIN {
                return Err(wrong(format!(
                    "more than {LONGEST_CHAIN} configurations extend each other"
                )));
            }
            let text = read(&path).map_err(|error| {
                wrong(format!(
                    "cannot read `{name}`: {}",
                    crate::wording::plain(&error)
                ))
            })?;
            let shown = crate::wording::display(&path);
            let config = Config::parse(&text, &shown, catalog)?;
            let base = Layer {
                path,
                shown,
                text,
                config,
            };
            base.collect(catalog, open, layers)?;
        }
        open.pop();
        layers.push(self);
        Ok(())
    }

    /// What the file says, with rules in place of categories.
    fn table(&self) -> toml::Table {
        let mut table: toml::Table = toml::from_str(&self.text).unwrap_or_default();
        table.remove("extends");
        if table.contains_key("rules") {
            let rules = self.config.rules.iter().map(|(name, level)| {
                let level = level.as_str().to_owned();
                (name.get_ref().clone(), toml::Value::String(level))
            });
            table.insert("rules".to_owned(), toml::Value::Table(rules.collect()));
        }
        table
    }
}

/// One configuration of several, the later of which go before the earlier.
fn merged(layers: &[Layer]) -> Result<Config, ConfigError> {
    let mut table = toml::Table::new();
    for layer in layers {
        overlay(&mut table, layer.table());
    }
    // Each of them has been read already, so that the whole has no fault that one of them does not have.
    let text = table.to_string();
    let mut config: Config = toml::from_str(&text)
        .map_err(|error| invalid(&text, FILE_NAME, 0, error.message().to_owned()))?;
    config.sources = layers.iter().map(|layer| layer.path.clone()).collect();
    let with_template = |layer: &&Layer| layer.config.tag.template.is_some();
    if let Some(layer) = layers.iter().rev().find(with_template) {
        config.unexplained = config.unexplained_in(&layer.text, &layer.shown);
    }
    Ok(config)
}

/// Lays `over` over `table`: tables key by key, everything else whole.
fn overlay(table: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(over)) => overlay(below, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Where values stand, asked only of a file with a value that means nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Places {
    extends: Vec<Spanned<String>>,
    exclude: Vec<Spanned<String>>,
    tag: TagPlaces,
    branch: BranchPlaces,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TagPlaces {
    template: Option<Spanned<String>>,
    variables: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BranchPlaces {
    variable: Option<Spanned<String>>,
}

impl Places {
    fn of(text: &str) -> Self {
        toml::from_str(text).unwrap_or_default()
    }
}

/// Where a value begins, behind its quotes; 0-based byte offset in `text`.
fn inside(text: &str, value: &Spanned<String>) -> usize {
    let written = text.get(value.span()).unwrap_or("");
    let several = written.starts_with("\"\"\"") || written.starts_with("'''");
    let quotes = if several {
        3
    } else {
        usize::from(written.starts_with(['"', '\'']))
    };
    value.span().start + quotes
}

/// A matcher for the patterns of `exclude`, which are relative to `root`.
///
/// # Errors
/// The message of the first pattern that is none.
pub fn exclusion(root: &Path, given: &[String]) -> Result<ignore::gitignore::Gitignore, String> {
    patterns(root, given).map_err(|message| format!("{message} (in `exclude`)"))
}

/// A matcher for patterns like those of `.gitignore`, which are relative to `root`.
///
/// # Errors
/// The message of the first pattern that is none.
pub fn patterns(root: &Path, given: &[String]) -> Result<ignore::gitignore::Gitignore, String> {
    let mut builder = ignore::gitignore::GitignoreBuilder::new(root);
    for pattern in given {
        builder
            .add_line(None, pattern)
            .map_err(|error| format!("`{pattern}`: {error}"))?;
    }
    builder.build().map_err(|error| error.to_string())
}

/// The nearest configuration in `folder` (absolute) or above it.
#[must_use]
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find_map(in_folder)
}

/// The configuration in `folder` itself.
#[must_use]
pub fn in_folder(folder: &Path) -> Option<PathBuf> {
    [FILE_NAME, HIDDEN_FILE_NAME]
        .map(|name| folder.join(name))
        .into_iter()
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

/// The variables of the template that neither the configuration nor CodeBuild explains, each with its offset
/// in the template.
fn unexplained<'a>(config: &Config, template: &'a str) -> impl Iterator<Item = (&'a str, usize)> {
    unguarded_variables(template)
        .into_iter()
        .filter(|(name, _)| {
            *name != config.branch_variable()
                && !provided::is_set_by_codebuild(name)
                && !config.tag.variables.iter().any(|known| known == name)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::catalog::Name;

    fn catalog() -> Catalog {
        let rule = |rule, on| Name {
            rule,
            category: "image-tag",
            on,
        };
        Catalog::new([
            rule("latest-pushed", true),
            rule("latest-deployed", true),
            rule("latest-cache", false),
        ])
    }

    fn error(text: &str) -> String {
        Config::parse(text, "tagwright.toml", &catalog())
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
            &catalog(),
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
            "tagwright.toml:2:1: unknown rule `latest-pushd`; did you mean `latest-pushed`?"
        );
        assert_eq!(
            error("[rules]\nindentation = \"off\"\n"),
            "tagwright.toml:2:1: unknown rule `indentation`; `tagwright rules` lists all rules"
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
            "branch",
            "branch-commit",
            "commit",
            "build",
            "$BRANCH_NAME",
            "v1.${BRANCH_NAME}-${CODEBUILD_BUILD_ID##*:}",
            "${BRANCH_NAME:-none}",
            "${BRANCH_NAME:-${STAGE:-none}}-1",
            "$(git describe --always)",
        ] {
            let text = format!("[tag]\ntemplate = \"{template}\"\n");
            assert!(
                Config::parse(&text, "tagwright.toml", &catalog()).is_ok(),
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
            let config = Config::parse(text, "tagwright.toml", &catalog()).unwrap();
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
        assert!(error("exclude = [\"[z-a]\"]\n").contains("`[z-a]`: "));
        assert!(
            error("# exclude BRANCH-NAME\nexclude = [\"ok/\", \"[z-a]\"]\n").contains(":2:20: ")
        );
        assert!(
            error("# template and BRANCH-NAME\n[branch]\nvariable = 'BRANCH-NAME'\n")
                .contains(":3:13: ")
        );
        assert!(error("# template = \"x\"\n[tag]\n\"template\" = \"\"\n").contains(":3:"));
    }

    #[test]
    fn a_category_stands_for_its_rules_that_are_on_and_have_no_level_of_their_own() {
        let text = "[rules]\nimage-tag = \"note\"\nlatest-pushed = \"warning\"\n";
        let config = Config::parse(text, "tagwright.toml", &catalog()).unwrap();
        let rules: Vec<_> = config
            .rules
            .iter()
            .map(|(name, level)| (name.get_ref().as_str(), *level))
            .collect();
        assert_eq!(
            rules,
            [
                ("latest-deployed", Level::Note),
                ("latest-pushed", Level::Warning)
            ]
        );
    }

    #[test]
    fn what_a_configuration_extends_holds_where_it_says_nothing_itself() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let load = |name: &str| Config::load(&folder.path().join(name), &catalog());
        write(
            "platform.toml",
            "fail-on = \"warning\"\nexclude = [\"a\"]\n[tag]\ntemplate = \"${BRANCH_NAME}-${TEAM}\"\n[rules]\nimage-tag = \"note\"\n",
        );
        write(
            "tagwright.toml",
            "extends = [\"platform.toml\"]\nexclude = [\"b\"]\n[tag]\nvariables = [\"TEAM\"]\n[rules]\nlatest-pushed = \"off\"\n",
        );
        let config = load("tagwright.toml").unwrap();
        assert_eq!(config.fail_on, Some(FailOn::Warning));
        assert_eq!(config.exclude, ["b"]);
        assert!(config.unexplained.is_empty(), "{:?}", config.unexplained);
        assert_eq!(config.sources.len(), 2);
        let level = |rule: &str| {
            let mut rules = config.rules.iter();
            rules.find(|it| it.0.get_ref() == rule).map(|it| *it.1)
        };
        assert_eq!(level("latest-pushed"), Some(Level::Off));
        assert_eq!(level("latest-deployed"), Some(Level::Note));

        write("a.toml", "extends = [\"b.toml\"]\n");
        write("b.toml", "fail-on = \"note\"\nextends = [\"a.toml\"]\n");
        let error = load("a.toml").unwrap_err().to_string();
        assert!(
            error.contains("b.toml:2:13: `a.toml` extends itself"),
            "{error}"
        );
        write("c.toml", "extends = [\"nowhere.toml\"]\n");
        let error = load("c.toml").unwrap_err().to_string();
        assert!(
            error.contains("c.toml:1:13: cannot read `nowhere.toml`"),
            "{error}"
        );
        // A fault of what is extended is named where it is.
        write("d.toml", "extends = [\"e.toml\"]\n");
        write("e.toml", "[rules]\nlatest-pushd = \"off\"\n");
        let error = load("d.toml").unwrap_err().to_string();
        assert!(
            error.contains("e.toml:2:1: unknown rule `latest-pushd`"),
            "{error}"
        );
    }

    #[test]
    fn the_effective_configuration_is_one_that_can_be_read() {
        let text = "[branch]\nvariable = \"GIT_BRANCH\"\n[per-file-ignores]\n\"old/**\" = [\"image-tag\"]\n";
        let config = Config::parse(text, "tagwright.toml", &catalog()).unwrap();
        let written = toml::to_string(&config.effective()).unwrap();
        let again = Config::parse(&written, "tagwright.toml", &catalog()).unwrap();
        assert_eq!(again.tag.template.as_deref(), Some("${GIT_BRANCH}"));
        assert_eq!(again.fail_on, Some(FailOn::Error));
        assert_eq!(toml::to_string(&again.effective()).unwrap(), written);
    }
}
