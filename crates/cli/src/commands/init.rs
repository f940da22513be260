//! `tagwright init`: a configuration to start from, in which everything is a comment that holds by default.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use tagwright_project::config::{self, FILE_NAME};
use tagwright_project::wording;

use crate::ending::{Exit, Stop, Streams};

/// What is written. Each line that is commented out says what holds without it.
pub(crate) const TEMPLATE: &str = include_str!("init.toml");

/// Writes [`TEMPLATE`] into `folder`, unless it has a configuration.
pub(crate) fn init(folder: &Path, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    if let Some(found) = config::in_folder(folder) {
        let found = wording::display(&found);
        return Err(Stop::Usage(format!(
            "{found} exists already; it was not changed"
        )));
    }
    let path = folder.join(FILE_NAME);
    let shown = wording::display(&path);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| file.write_all(TEMPLATE.as_bytes()))
        .map_err(|error| {
            Stop::Failed(format!("cannot write {shown}: {}", wording::plain(&error)))
        })?;
    writeln!(
        streams.output,
        "wrote {shown}; every setting in it is a comment until you change it"
    )?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use tagwright_project::analysis;
    use tagwright_project::config::Config;

    use super::TEMPLATE;

    /// The template with its settings in force.
    fn uncommented() -> String {
        let lines = TEMPLATE.lines().map(|line| match line.strip_prefix("# ") {
            Some(setting) if setting.contains(" = ") || setting.starts_with('[') => setting,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_template_says_what_holds_without_it() {
        let parse = |text: &str| Config::parse(text, "tagwright.toml", &analysis::catalog());
        let written = |config: Config| toml::to_string(&config.effective()).unwrap();
        let defaults = written(Config::default());
        assert_eq!(written(parse(TEMPLATE).unwrap()), defaults);
        let mut config = parse(&uncommented()).unwrap();
        // The examples that no default can show.
        config.rules.clear();
        config.per_file_ignores.clear();
        config.extends.clear();
        config.exclude.clear();
        config.images.own.clear();
        config.environments = Config::default().environments;
        assert_eq!(written(config), defaults);
    }

    #[test]
    fn the_template_has_every_setting() {
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        let of = |value: &serde_json::Value| -> Vec<String> {
            let keys = value["properties"].as_object().unwrap().keys();
            keys.cloned().collect()
        };
        let mut names = of(&schema);
        for table in ["Tag", "Branch", "Images"] {
            names.extend(of(&schema["$defs"][table]));
        }
        for name in names {
            let has = |start: String| TEMPLATE.lines().any(|line| line.starts_with(&start));
            assert!(
                has(format!("# {name} = ")) || has(format!("# [{name}]")),
                "{name}"
            );
        }
    }
}
