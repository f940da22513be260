//! The arguments of the command line, as clap reads them.
//!
//! Only shapes and help texts live here; what a command does is in the module of its name.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use tagwright_project::analysis::catalog;
use tagwright_project::baseline::is_day;
use tagwright_project::config::{Alias, Config, FailOn, Level, Scope};
use tagwright_project::discovery::Reach;

const EXIT_CODES: &str = "\
Exit codes:
  0  clean: no finding at or above --fail-on
  1  findings at or above --fail-on (for `fix`: findings that remain, or with --diff would remain)
  2  wrong usage or configuration
  3  something could not be read or written";

const MIGRATE_EXIT_CODES: &str = "\
Exit codes:
  0  nothing is left to do in the repository
  1  something is: edits that were not written, or findings that no edit settles
  2  wrong usage or configuration
  3  something could not be read or written";

const LSP_EXIT_CODES: &str = "\
Exit codes:
  0  the editor asked for the shutdown
  1  the editor left without it
  3  what it sent was no message of the protocol";

/// Finds floating image tags in AWS CodeBuild buildspecs and Copilot manifests, and rewrites them to a branch tag.
#[derive(Debug, Parser)]
#[command(name = "tagwright", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// When to use colours. NO_COLOR switches them off too.
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto, display_order = 900)]
    pub color: Color,
}

impl Cli {
    /// Reads a command line (the program's name first).
    ///
    /// # Errors
    /// What is wrong with it, and what is asked for by `--help` and `--version`.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        // Editors and hooks wait for these two. The definitions of all other commands take longer to make
        // than a small file to check; only what is wrong is read once more with them.
        let cli = match arguments.get(1).and_then(|name| name.to_str()) {
            Some("check") => Alone::read(&arguments, Command::Check),
            Some("fix") => Alone::read(&arguments, Command::Fix),
            _ => None,
        };
        match cli {
            Some(cli) => Ok(cli),
            None => Self::try_parse_from(arguments),
        }
    }
}

/// One command, without the others.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Alone<A: Args> {
    #[command(flatten)]
    args: A,

    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

impl<A: Args> Alone<A> {
    /// The command line, if it is right.
    fn read(arguments: &[OsString], command: fn(A) -> Command) -> Option<Cli> {
        let alone = Self::try_parse_from(arguments.get(2..)?).ok()?;
        Some(Cli {
            command: command(alone.args),
            color: alone.color,
        })
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented configuration, `tagwright.toml`, into the current folder.
    #[command(after_help = EXIT_CODES)]
    Init {
        /// The folder to write it into.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Report findings.
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Apply fixes, then report what remains.
    #[command(after_help = EXIT_CODES)]
    Fix(FixArgs),
    /// Keep account of the findings that were there before, so that only new ones count.
    #[command(after_help = EXIT_CODES)]
    Baseline(BaselineCommandArgs),
    /// Plan the move of a repository's images from `latest` to the branch: who builds, pushes and deploys them, what
    /// each branch will push, the edits, and what is left for people. Nothing is written unless asked.
    #[command(after_help = MIGRATE_EXIT_CODES)]
    Migrate(MigrateArgs),
    /// Join the JSON Lines of many runs (`check --format jsonl`) into one report.
    Merge(MergeArgs),
    /// Show where images are built, tagged, pushed and deployed.
    Flow(FlowArgs),
    /// Print the page of one rule, or what is known of a key
    ///
    /// A key is one of buildspecs or of Copilot's manifests: `cache.action`, or `on-failure` alone.
    #[command(verbatim_doc_comment)]
    Explain {
        /// The rule's name, as in `tagwright rules`, or a key.
        name: String,
    },
    /// List the rules.
    Rules {
        /// The format.
        #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
        format: RulesFormat,
    },
    /// Serve an editor over standard input and output (Language Server Protocol).
    #[command(after_help = LSP_EXIT_CODES)]
    Lsp {
        /// Accepted because editors pass it; there is no other way to talk.
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Set up Git hooks: a check before each commit, and the branch for local builds.
    Hook {
        /// What to do with them.
        #[command(subcommand)]
        command: HookCommand,
    },
    /// Print the completions of the command line for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, to be read with `man -l -`.
    Man {
        /// A command, for its own page.
        #[arg(value_name = "COMMAND")]
        of: Option<String>,
    },
    /// Print a JSON Schema.
    Schema {
        /// Of what.
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Write the generated documentation of this repository.
    #[command(hide = true)]
    Docs {
        /// Write nothing; exit 1 if a file is not as it would be written.
        #[arg(long)]
        check: bool,
        /// The repository.
        #[arg(long, default_value = ".")]
        root: PathBuf,
    },
}

/// `tagwright hook`
#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Write the hooks into this repository.
    Install {
        /// Put them in the place of others, which are kept beside them, and into a folder that all your repositories share.
        #[arg(long)]
        force: bool,
    },
    /// Take the hooks away, and put back what was there before.
    Uninstall,
    /// Do what a hook does: for hooks of your own, and for other programs that manage them.
    Run {
        /// Which.
        #[arg(value_enum)]
        hook: Hook,
        /// What Git gives to the hook.
        #[arg(value_name = "ARGUMENT", trailing_var_arg = true)]
        arguments: Vec<OsString>,
    },
}

/// The hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Hook {
    /// Check the staged files, with their staged text.
    PreCommit,
    /// Write the branch, as an image tag, to `tagwright/branch.env` in Git's folder.
    PostCheckout,
}

/// What to read: shared by all commands that read files.
#[derive(Debug, Default, Args)]
pub struct InputArgs {
    /// Use this configuration instead of the nearest `tagwright.toml`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Trust nothing in the repository: no configuration, baseline or ignore comment in it counts, and no ignore file or
    /// folder name hides a file that Git tracks. For gates over other people's changes; --config and --baseline name
    /// files of your own.
    #[arg(long)]
    pub isolated: bool,

    /// Take what AWS says of pipelines, build projects, repositories and task definitions from the JSON files in DIR,
    /// which the AWS CLI has printed (docs/aws.md). Nothing here asks AWS.
    #[arg(long, value_name = "DIR")]
    pub aws: Option<PathBuf>,

    /// Read files that .gitignore excludes too.
    #[arg(long)]
    pub no_ignore: bool,

    /// Set the severity of a rule or a category (error, warning, note, off), whatever the configuration says; repeatable.
    #[arg(long, value_name = "RULE=SEVERITY", value_parser = parse_rule)]
    pub rule: Vec<(String, Level)>,

    /// Use at most N threads [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Leave out files and folders, by a pattern like those of .gitignore, relative to the current folder; repeatable.
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
}

impl InputArgs {
    /// How far the run reaches.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match (self.isolated, self.no_ignore) {
            (true, _) => Reach::Isolated,
            (false, true) => Reach::Ignored,
            (false, false) => Reach::Usual,
        }
    }
}

/// What `check` and `fix` share.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Files and folders; the current folder if there is none. `-` is standard input.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Read standard input as the file NAME, which need not exist; without it `-` is read as `buildspec.yml`.
    #[arg(long, value_name = "NAME")]
    pub stdin_filename: Option<PathBuf>,

    /// Report and fix only these rules and categories, comma-separated. A rule that is off is turned on by its own name. A
    /// file that cannot be parsed is reported all the same.
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = parse_name)]
    pub select: Vec<String>,

    /// Do not report or fix these rules and categories, comma-separated.
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = parse_name)]
    pub ignore: Vec<String>,

    /// Take more paths from FILE (`-`: standard input), one a line, or separated by NUL.
    #[arg(long, value_name = "FILE", conflicts_with = "stdin_filename")]
    pub files_from: Option<PathBuf>,

    /// Only the files that are staged in Git, with their staged text; of the whole repository, or below PATH.
    #[arg(long, conflicts_with_all = ["stdin_filename", "files_from", "changed"])]
    pub staged: bool,

    /// Only findings on lines that differ from the Git branch or commit BASE, since the current branch left it.
    #[arg(long, value_name = "BASE", conflicts_with_all = ["stdin_filename", "files_from"])]
    pub changed: Option<String>,

    /// The format of the report on standard output [default: human].
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// Write a report to a file as well; without `=PATH`, to standard output in place of --format. Repeatable.
    #[arg(long, value_name = "FORMAT[=PATH]", value_parser = parse_output)]
    pub output: Vec<Output>,

    /// Print the findings and nothing else: no summary, no notes.
    #[arg(long, short)]
    pub quiet: bool,

    /// Print how many findings each rule has instead of the findings; as JSON with `--format json`.
    #[arg(long)]
    pub statistics: bool,

    /// List what would be read, and as what, and stop.
    #[arg(long)]
    pub files: bool,

    /// Print the configuration that applies, with its files, and stop.
    #[arg(long, conflicts_with = "files")]
    pub dump_config: bool,

    /// The lowest severity that makes the exit code 1 [default: error, or the configuration's].
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    pub fail_on: Option<FailOn>,

    /// Exit with 0 although there are findings; the same as `--fail-on never`.
    #[arg(long, conflicts_with = "fail_on")]
    pub exit_zero: bool,

    /// Exit with 2 if no file was checked, such as after a wrong path or pattern.
    #[arg(long)]
    pub fail_on_empty: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub baseline: BaselineArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: InputArgs,
}

/// Which findings do not count.
#[derive(Debug, Default, Args)]
pub struct BaselineArgs {
    /// The findings that do not count, instead of the nearest `tagwright-baseline.json`.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Count every finding, whatever a baseline says.
    #[arg(long, conflicts_with = "baseline")]
    pub no_baseline: bool,
}

impl TargetArgs {
    /// The name under which standard input is read, if it is what the arguments ask for.
    #[must_use]
    pub fn stdin_name(&self) -> Option<&Path> {
        match (&self.stdin_filename, &self.paths[..]) {
            (Some(name), _) => Some(name),
            (None, [only]) if only == Path::new("-") => Some(Path::new("buildspec.yml")),
            _ => None,
        }
    }

    /// The format of the report on standard output.
    ///
    /// # Errors
    /// A message for people if the arguments contradict each other: more than one report there, or in one file.
    pub fn standard_output(&self) -> Result<Format, String> {
        let format = self.one_report()?;
        let dash = |path: &&PathBuf| path.as_path() == Path::new("-");
        let others = self.paths.iter().filter(|it| !dash(it)).count();
        if self.stdin_filename.is_some() && others > 0 {
            return Err("--stdin-filename names standard input: no PATH beside it".to_owned());
        }
        if self.paths.iter().any(|it| dash(&it)) && self.paths.len() > 1 {
            return Err("`-` is standard input: no PATH beside it".to_owned());
        }
        if self.stdin_name().is_some() && (self.staged || self.files_from.is_some()) {
            return Err("standard input excludes --staged and --files-from".to_owned());
        }
        if self.statistics && !matches!(format, Format::Human | Format::Json) {
            return Err("--statistics has the formats human and json".to_owned());
        }
        Ok(format)
    }

    fn one_report(&self) -> Result<Format, String> {
        let mut paths = BTreeSet::new();
        for path in self.output.iter().filter_map(|output| output.path.as_ref()) {
            if !paths.insert(path) {
                return Err(format!(
                    "two reports cannot go to one file: {}",
                    path.display()
                ));
            }
        }
        let mut formats = self
            .output
            .iter()
            .filter(|output| output.path.is_none())
            .map(|output| output.format)
            .chain(self.format);
        match (formats.next(), formats.next()) {
            (None, _) => Ok(Format::Human),
            (Some(format), None) => Ok(format),
            (Some(_), Some(_)) => Err(
                "standard output takes one report: write the others to files with `--output FORMAT=PATH`"
                    .to_owned(),
            ),
        }
    }

    /// The formats of all reports of the run.
    pub fn formats(&self) -> impl Iterator<Item = Format> {
        self.standard_output()
            .ok()
            .into_iter()
            .chain(self.output.iter().map(|output| output.format))
    }

    /// The severity that fails the run: the argument, else the configuration's, else `error`.
    #[must_use]
    pub fn fail_on(&self, config: &Config) -> FailOn {
        self.threshold().or(config.fail_on).unwrap_or_default()
    }

    /// The severity that the arguments say fails the run.
    #[must_use]
    pub fn threshold(&self) -> Option<FailOn> {
        if self.exit_zero {
            Some(FailOn::Never)
        } else {
            self.fail_on
        }
    }
}

/// `tagwright check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub target: TargetArgs,

    /// Write a comment `# tagwright: ignore[rule] REASON` for every finding that makes the exit code 1, and report
    /// what is left.
    #[arg(long, value_name = "REASON", conflicts_with_all = ["stdin_filename", "files", "shellcheck"])]
    pub add_ignore: Option<String>,

    /// Label the results with the repository's name, and give paths relative to it: for `tagwright merge`.
    #[arg(long, value_name = "NAME", conflicts_with = "stdin_filename")]
    pub repository: Option<String>,

    /// Report also what the installed program `shellcheck` says of the commands in buildspecs, as the rule `shellcheck`.
    #[arg(long)]
    pub shellcheck: bool,
}

/// `tagwright baseline`
#[derive(Debug, Args)]
pub struct BaselineCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BaselineCommand,
}

/// What to do with the baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Write down all findings of now. Entries that are there already keep their reason and last day.
    Write {
        #[command(flatten)]
        #[allow(missing_docs)]
        target: BaselineTarget,

        /// Why the new entries do not count.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,

        /// The last day on which the new entries do not count.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_day)]
        expires: Option<String>,
    },
    /// Take out what is fixed.
    Prune {
        #[command(flatten)]
        #[allow(missing_docs)]
        target: BaselineTarget,
    },
    /// Fail if an entry names what is fixed, or has had its last day.
    Check {
        #[command(flatten)]
        #[allow(missing_docs)]
        target: BaselineTarget,
    },
}

/// What the baseline is about and where it lies.
#[derive(Debug, Args)]
pub struct BaselineTarget {
    /// Files and folders; the current folder if there is none.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The baseline, instead of the nearest `tagwright-baseline.json`.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Findings of `check --shellcheck` too; without this flag their entries are left as they are.
    #[arg(long)]
    pub shellcheck: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: InputArgs,
}

fn parse_rule(text: &str) -> Result<(String, Level), String> {
    let (name, level) = text
        .split_once('=')
        .ok_or("expected RULE=SEVERITY, for example bashism=off")?;
    let name = parse_name(name)?;
    let level = Level::ALL
        .into_iter()
        .find(|it| it.as_str() == level)
        .ok_or_else(|| format!("unknown severity `{level}`; use error, warning, note or off"))?;
    Ok((name, level))
}

/// The name of a rule or of a category.
fn parse_name(name: &str) -> Result<String, String> {
    let catalog = catalog();
    if catalog.knows(name) {
        Ok(name.to_owned())
    } else {
        Err(catalog.unknown(name))
    }
}

fn parse_day(text: &str) -> Result<String, String> {
    if is_day(text) {
        Ok(text.to_owned())
    } else {
        Err("expected a day as YYYY-MM-DD".to_owned())
    }
}

/// `tagwright fix`
#[derive(Debug, Args)]
pub struct FixArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub target: TargetArgs,

    /// Print what would change as a unified diff and write nothing; the exit code is that of the fix.
    #[arg(long)]
    pub diff: bool,

    /// Which fixes to apply [default: all; with --stdin-filename local, or the configuration's `fix-on-save`].
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub fixes: Option<FixScope>,

    /// The tag that fixes write: a preset (branch, branch-commit, commit, build) or shell text with a variable
    /// [default: the configuration's, or branch].
    #[arg(long, value_name = "PRESET|TEMPLATE")]
    pub tag: Option<String>,

    /// What becomes of `latest` beside a deployed tag of its own, if nothing here reads it [default: the
    /// configuration's, or move].
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub alias: Option<AliasAnswer>,

    /// Apply also the fixes that are right only if nothing outside the workspace depends on the old text.
    #[arg(long)]
    pub r#unsafe: bool,
}

/// What becomes of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AliasAnswer {
    /// It becomes the branch tag.
    Move,
    /// The commands that make and push it are removed.
    Drop,
}

impl From<AliasAnswer> for Alias {
    fn from(answer: AliasAnswer) -> Self {
        match answer {
            AliasAnswer::Move => Alias::Move,
            AliasAnswer::Drop => Alias::Drop,
        }
    }
}

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FixScope {
    /// Repairs within one file that add no command, key or list item.
    Local,
    /// All safe fixes.
    All,
}

impl From<FixScope> for Scope {
    fn from(scope: FixScope) -> Self {
        match scope {
            FixScope::Local => Scope::Local,
            FixScope::All => Scope::All,
        }
    }
}

/// `tagwright migrate`
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Repositories, folders or files; the current folder if there is none.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The tag that the edits write: a preset (branch, branch-commit, commit, build) or shell text with a variable
    /// [default: the configuration's, or branch].
    #[arg(long, value_name = "PRESET|TEMPLATE")]
    pub tag: Option<String>,

    /// What becomes of `latest` beside a deployed tag of its own, if nothing here reads it [default: the
    /// configuration's, or move].
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub alias: Option<AliasAnswer>,

    /// How branches are kept apart [default: the configuration's].
    #[arg(long, value_enum, value_name = "STRATEGY")]
    pub strategy: Option<PlanStrategy>,

    /// With repository-per-branch, also write the repositories, roles, parameters and the pipeline that
    /// `[environments]` asks for, to `infrastructure/`.
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub infrastructure: Option<InfrastructureLanguage>,

    /// Write the edits.
    #[arg(long)]
    pub apply: bool,

    /// Write the edits to FILE as a patch for `git apply`.
    #[arg(long, value_name = "FILE")]
    pub patch: Option<PathBuf>,

    /// Write the plan to a file: md (the text of a pull request), html (one page) or json. Repeatable.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = parse_plan_report)]
    pub report: Vec<PlanReport>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: InputArgs,
}

/// How branches are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanStrategy {
    /// One repository, a tag for each branch.
    BranchTag,
    /// A repository for each environment, and for each branch without one.
    RepositoryPerBranch,
}

/// The languages of infrastructure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InfrastructureLanguage {
    /// A template of CloudFormation.
    #[value(name = "cloudformation")]
    CloudFormation,
    /// A configuration of Terraform.
    Terraform,
}

/// `tagwright merge`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Files that `tagwright check --format jsonl` wrote, with --repository or named after their repositories.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Take more paths from FILE (`-`: standard input), one a line, or separated by NUL.
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,

    /// The format of the report on standard output.
    #[arg(long, value_enum, default_value_t = MergeFormat::Json)]
    pub format: MergeFormat,
}

/// The formats of a merged report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MergeFormat {
    /// Counts by rule and by repository; see `tagwright schema merged`.
    Json,
    /// All findings, one run for each repository.
    Sarif,
    /// The counts as tables.
    Md,
    /// The counts as one page.
    Html,
}

/// The formats of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// The text of a pull request.
    Md,
    /// One page with a picture of each image's way, readable without a network.
    Html,
    /// One JSON document; see `tagwright schema migration`.
    Json,
}

/// A report of a plan, which goes to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanReport {
    /// Its format.
    pub format: PlanFormat,
    /// The file, which is overwritten.
    pub path: PathBuf,
}

fn parse_plan_report(value: &str) -> Result<PlanReport, String> {
    let names: Vec<String> = PlanFormat::value_variants()
        .iter()
        .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
        .collect();
    let expected = || format!("expected FORMAT=FILE with one of {}", names.join(", "));
    let (format, path) = value.split_once('=').ok_or_else(expected)?;
    let format = PlanFormat::from_str(format, false).map_err(|_| expected())?;
    if path.is_empty() {
        return Err("the path after `=` is empty".to_owned());
    }
    Ok(PlanReport {
        format,
        path: PathBuf::from(path),
    })
}

/// `tagwright flow`
#[derive(Debug, Args)]
pub struct FlowArgs {
    /// A file or folder; the current folder if there is none.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// The format.
    #[arg(long, value_enum, default_value_t = FlowFormat::Text)]
    pub format: FlowFormat,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: InputArgs,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines that each finding is about.
    Human,
    /// One line for each finding: `path:line:column: severity[rule] message`.
    Concise,
    /// A table in Markdown, for job summaries and comments on pull requests.
    Markdown,
    /// One paragraph for each finding with its fix as a patch, for coding agents.
    Agent,
    /// One JSON document; see `tagwright schema findings`.
    Json,
    /// One JSON object on each line: the findings, then a summary; see `tagwright schema lines`.
    Jsonl,
    /// SARIF 2.1.0, for GitHub code scanning and other viewers.
    Sarif,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// A Code Quality report for GitLab.
    Gitlab,
    /// JUnit XML, for report groups of CodeBuild and for Jenkins.
    Junit,
    /// Checkstyle XML, for Jenkins and many editors.
    Checkstyle,
}

impl Format {
    /// Whether the format shows what fixes there are.
    #[must_use]
    pub fn shows_fixes(self) -> bool {
        matches!(
            self,
            Format::Human
                | Format::Markdown
                | Format::Agent
                | Format::Json
                | Format::Jsonl
                | Format::Sarif
                | Format::Junit
        )
    }

    /// Whether the format shows fingerprints.
    #[must_use]
    pub fn shows_fingerprints(self) -> bool {
        matches!(self, Format::Sarif | Format::Gitlab)
    }
}

/// The formats of the list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// A table.
    Text,
    /// One JSON list.
    Json,
}

/// The formats of the image flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FlowFormat {
    /// A table.
    Text,
    /// One JSON document.
    Json,
    /// A Mermaid flow chart.
    Mermaid,
}

/// The documents that have a JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The report of `--format json`.
    Findings,
    /// A line of `--format jsonl`.
    Lines,
    /// `tagwright.toml`.
    Config,
    /// `tagwright-baseline.json`.
    Baseline,
    /// The report of `tagwright migrate --report json=FILE`.
    Migration,
    /// The report of `tagwright merge --format json`.
    Merged,
    /// CodeBuild's buildspecs, for editors.
    Buildspec,
    /// Manifests of Copilot's services and jobs, for editors.
    CopilotWorkload,
    /// Manifests of Copilot's environments, for editors.
    CopilotEnvironment,
    /// Manifests of Copilot's pipelines, for editors.
    CopilotPipeline,
}

/// A report that goes to a file, or to standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its format.
    pub format: Format,
    /// The file, which is overwritten; `None`: standard output.
    pub path: Option<PathBuf>,
}

/// The values of `--fail-on`.
fn severities() -> impl TypedValueParser<Value = FailOn> {
    PossibleValuesParser::new(
        FailOn::ALL.map(|level| PossibleValue::new(level.as_str()).help(level.help())),
    )
    .map(|name| {
        FailOn::ALL
            .into_iter()
            .find(|level| level.as_str() == name)
            .unwrap_or_default()
    })
}

fn parse_output(value: &str) -> Result<Output, String> {
    let (format, path) = match value.split_once('=') {
        Some((format, path)) => (format, Some(PathBuf::from(path))),
        None => (value, None),
    };
    let format = Format::from_str(format, false).map_err(|_| {
        let formats: Vec<_> = Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        format!(
            "unknown format `{format}`; expected FORMAT=PATH with one of {}",
            formats.join(", ")
        )
    })?;
    if path
        .as_ref()
        .is_some_and(|path| path.as_os_str().is_empty())
    {
        return Err("the path after `=` is empty".to_owned());
    }
    Ok(Output { format, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_argument_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_read_alone_is_what_it_is_among_the_others() {
        for line in [
            "check",
            "check a.yml b",
            "check --color never --format json a.yml",
            "check --color=always -- --staged",
            "check --output json=a --output sarif --fail-on never",
            "check --staged --exclude a --exclude b --no-ignore",
            "check --help",
            "check -h",
            "check --version",
            "check help",
            "check --stdin-filename a b",
            "check --baseline a --no-baseline",
            "check --form json",
            "check --colour never",
            "check --add-ignore",
            "check -q --select image-tag,bashism --ignore latest-cache -",
            "check --select nonsense",
            "check --statistics --exit-zero --fail-on-empty --jobs 2",
            "check --exit-zero --fail-on note",
            "check --jobs 0",
            "fix --fixes local --dump-config",
            "check --color",
            "fix --diff --unsafe a",
            "fix --stdin-filename a.yml",
            "fix --add-ignore x",
            "fix -",
        ] {
            let arguments = || ["tagwright"].into_iter().chain(line.split(' '));
            let alone = Cli::read(arguments().map(OsString::from));
            let full = Cli::try_parse_from(arguments());
            match (alone, full) {
                (Ok(alone), Ok(full)) => {
                    assert_eq!(format!("{alone:?}"), format!("{full:?}"), "{line}");
                }
                (Err(alone), Err(full)) => {
                    assert_eq!(alone.to_string(), full.to_string(), "{line}");
                }
                (alone, full) => panic!("{line}: {alone:?} {full:?}"),
            }
        }
    }

    #[test]
    fn an_output_needs_a_known_format_and_no_empty_path() {
        assert_eq!(
            parse_output("json=a=b.json"),
            Ok(Output {
                format: Format::Json,
                path: Some(PathBuf::from("a=b.json")),
            })
        );
        assert_eq!(
            parse_output("sarif"),
            Ok(Output {
                format: Format::Sarif,
                path: None,
            })
        );
        assert!(parse_output("json=").is_err());
        assert!(parse_output("xml=a").is_err());
    }
}
