//! The program ShellCheck has something to say about a command.
//!
//! ## What it does
//!
//! `tagwright check --shellcheck` runs the installed program `shellcheck` on the commands of each buildspec and
//! reports what it says, with the places in the YAML file. Without the flag nothing is run, whatever `[rules]`
//! says. docs/shellcheck.md says which commands it is given and which of its messages are left out.
//!
//! ## Why it matters
//!
//! A script in a buildspec is a shell script like any other, but tools for shell scripts cannot read it there.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - rm -rf "$STAGING_DIRECTORY/"*
//! ```
//!
//! SC2115: if the variable is empty, this removes everything below `/`.
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - rm -rf "${STAGING_DIRECTORY:?}/"*
//! ```
//!
//! ## Fix
//!
//! None: what ShellCheck proposes is not proven like a fix.
//!
//! ## When to silence it
//!
//! Where ShellCheck cannot know what a variable holds. `# shellcheck disable=SC2086` inside a `|` script works as
//! well, above a command; a `.shellcheckrc` in the workspace's folder holds for all of them.
//!
//! ## Sources
//!
//! - ShellCheck's manual page and wiki.

use crate::{Category, Check, Fixable, Rule};

pub(crate) static RULE: Rule = Rule {
    name: "shellcheck",
    category: Category::Shell,
    default: None,
    fixable: Fixable::Never,
    docs: docs!("shellcheck"),
    check: Check::External,
};
