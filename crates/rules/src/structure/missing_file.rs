//! A buildspec that another file names does not exist.
//!
//! ## What it does
//!
//! Looks on disk for the buildspecs that a batch (`buildspec` of a build) and the manifest of a Copilot pipeline
//! (`build.buildspec`) name, from the root of the Git repository on and, for Copilot, from the folder that holds
//! `copilot/`. An absolute path, a path with a variable in it, a repository with submodules, and a folder outside of a
//! repository are left alone, and so is what a project in CloudFormation or Terraform names: its source may be another
//! repository.
//!
//! ## Why it matters
//!
//! CodeBuild stops with `YAML_FILE_ERROR` ("YAML file does not exist", or "no such file or directory" with the path),
//! after the build was provisioned.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-list:
//!     - identifier: unit
//!       buildspec: ci/unti.yml
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-list:
//!     - identifier: unit
//!       buildspec: ci/unit.yml
//! ```
//!
//! ```yaml ci/unit.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make test
//! ```
//!
//! ## Fix
//!
//! None: which file was meant is not known.
//!
//! ## When to silence it
//!
//! Where the file is made before the build starts and is not in the repository.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild" and "Batch build buildspec reference": paths
//!   are relative to the root of the source.
//! - AWS Copilot documentation, "Pipeline manifest": the path is relative to the root of the project. Whether that is
//!   the repository's root is not said, so both are tried.

use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "missing-file",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("missing_file"),
    check: Check::External,
};
