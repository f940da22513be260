//! The arguments of the command line, as clap reads them.
//!
//! Only shapes and help texts live here; what a command does is in the module of its name.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use tagwright_project::config::{Config, FailOn};

const EXIT_CODES: &str = "\
Exit codes:
  0  clean: no finding at or above --fail-on
  1  findings at or above --fail-on (for `fix`: findings that remain; for `fix --diff` also if there is a difference)
  2  wrong usage or configuration
  3  something could not be read or written";

/// Finds floating image tags in AWS CodeBuild buildspecs and Copilot manifests, and rewrites them to a branch tag.
#[derive(Debug, Parser)]
#[command(name = "tagwright", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// When to use colours. NO_COLOR switches them off too.
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto)]
    pub color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report findings.
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Apply fixes, then report what remains.
    #[command(after_help = EXIT_CODES)]
    Fix(FixArgs),
    /// Show where images are built, tagged, pushed and deployed.
    Flow(FlowArgs),
    /// Print the page of one rule.
    Explain {
        /// The rule's name, as in `tagwright rules`.
        rule: String,
    },
    /// List the rules.
    Rules,
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

/// What to read: shared by all commands that read files.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// Use this configuration instead of the nearest `tagwright.toml`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Read files that .gitignore excludes too.
    #[arg(long)]
    pub no_ignore: bool,
}

/// What `check` and `fix` share.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Files and folders; the current folder if there is none.
    #[arg(value_name = "PATH", conflicts_with = "stdin_filename")]
    pub paths: Vec<PathBuf>,

    /// Read standard input as the file NAME, which need not exist.
    #[arg(long, value_name = "NAME")]
    pub stdin_filename: Option<PathBuf>,

    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    /// Write a report to a file as well; repeatable.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_output)]
    pub output: Vec<Output>,

    /// List what would be read, and as what, and stop.
    #[arg(long)]
    pub files: bool,

    /// The lowest severity that makes the exit code 1 [default: error, or the configuration's].
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    pub fail_on: Option<FailOn>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: InputArgs,
}

impl TargetArgs {
    /// The severity that fails the run: the argument, else the configuration's, else `error`.
    #[must_use]
    pub fn fail_on(&self, config: &Config) -> FailOn {
        self.fail_on.or(config.fail_on).unwrap_or_default()
    }
}

/// `tagwright check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub target: TargetArgs,
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

    /// Apply also the fixes that are right only if nothing outside the workspace depends on the old text.
    #[arg(long)]
    pub r#unsafe: bool,
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
    /// One JSON document; see `tagwright schema findings`.
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
    /// `tagwright.toml`.
    Config,
    /// CodeBuild's buildspecs, for editors.
    Buildspec,
}

/// A report that goes to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its format.
    pub format: Format,
    /// The file, which is overwritten.
    pub path: PathBuf,
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
    let (format, path) = value
        .split_once('=')
        .ok_or("expected FORMAT=PATH, for example json=report.json")?;
    let format = Format::from_str(format, false)
        .map_err(|_| format!("unknown format `{format}`: human, concise and json exist"))?;
    if path.is_empty() {
        return Err("the path after `=` is empty".to_owned());
    }
    Ok(Output {
        format,
        path: PathBuf::from(path),
    })
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
    fn an_output_needs_a_known_format_and_a_path() {
        assert_eq!(
            parse_output("json=a=b.json"),
            Ok(Output {
                format: Format::Json,
                path: PathBuf::from("a=b.json"),
            })
        );
        assert!(parse_output("json").is_err());
        assert!(parse_output("json=").is_err());
        assert!(parse_output("xml=a").is_err());
    }
}
