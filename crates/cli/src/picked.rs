//! `--select` and `--ignore`: the rules that a run is about.

use tagwright_project::analysis;
use tagwright_project::catalog::{Catalog, Name};
use tagwright_project::config::{Config, Level};
use tagwright_project::workspace::INTERNAL_ERROR;

use crate::args::TargetArgs;

/// Findings of these rules say that a file could not be judged at all, so that they count wherever they stand.
pub(crate) const WHOLE_FILE: [&str; 3] = ["invalid-yaml", "unreadable-file", INTERNAL_ERROR];

/// The rules that a run is about. What is not picked is neither reported nor fixed, but the proof of a fix still sees it.
#[derive(Debug, Default)]
pub(crate) struct Picked {
    catalog: Option<Catalog>,
    select: Vec<String>,
    ignore: Vec<String>,
}

impl Picked {
    /// Those that the arguments pick; all if they say nothing.
    pub(crate) fn new(args: &TargetArgs) -> Self {
        let (select, ignore) = (args.select.clone(), args.ignore.clone());
        let some = !select.is_empty() || !ignore.is_empty();
        Self {
            catalog: some.then(analysis::catalog),
            select,
            ignore,
        }
    }

    /// Whether the run is about the rule of this name. That a file cannot be judged at all is reported unless it is
    /// ignored by name: a gate must not pass because a file is broken.
    pub(crate) fn has(&self, rule: &str) -> bool {
        let Some(catalog) = &self.catalog else {
            return true;
        };
        let known = catalog.rule(rule);
        let named = |names: &[String]| {
            names.iter().any(|name| {
                name == rule || known.is_some_and(|Name { category, .. }| name == category)
            })
        };
        !named(&self.ignore)
            && (self.select.is_empty() || named(&self.select) || WHOLE_FILE.contains(&rule))
    }

    /// Turns on the rules that are selected by their own name, although they are off.
    pub(crate) fn turn_on(&self, config: &mut Config) {
        let Some(catalog) = &self.catalog else {
            return;
        };
        for rule in self.select.iter().filter_map(|name| catalog.rule(name)) {
            let mut set = config.rules.iter();
            let level = set.find(|(name, _)| name.get_ref() == rule.rule);
            let off = level.map_or(!rule.on, |(_, level)| *level == Level::Off);
            if off && rule.on {
                config.unset(rule.rule);
            } else if off {
                config.set(rule.rule, Level::Warning);
            }
        }
    }
}
