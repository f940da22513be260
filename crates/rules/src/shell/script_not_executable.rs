//! A script is started that is not executable.
//!
//! ## What it does
//!
//! Looks in Git's index for the scripts that a buildspec starts by their path (`./scripts/publish.sh`) and finds those whose
//! mode is 100644. A script that the build makes, replaces or runs `chmod` on, one that an interpreter reads (`sh x.sh`),
//! and what is called after a `cd` are left alone.
//!
//! ## Why it matters
//!
//! The source comes to the build with the modes that Git has. The shell answers "Permission denied" with status 126,
//! and the phase fails.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   post_build:
//!     commands:
//!       - ./scripts/publish.sh
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   post_build:
//!     commands:
//!       - sh scripts/publish.sh
//! ```
//!
//! ## Fix
//!
//! None in the file: `git update-index --chmod=+x scripts/publish.sh` sets the mode.
//!
//! ## When to silence it
//!
//! Where a tool that the build runs before makes the script executable.
//!
//! ## Sources
//!
//! - POSIX.1-2024, Shell Command Language, 2.8.2 "Exit Status for Commands" and 2.9.1.4 "Command Search and
//!   Execution".
//! - Git documentation, `git ls-files --stage`, `git update-index --chmod`.

use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "script-not-executable",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("script_not_executable"),
    check: Check::External,
};
