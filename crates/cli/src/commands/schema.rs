//! `tagwright schema`: the JSON Schemas that tagwright offers.

use serde_json::json;
use tagwright_project::Baseline;
use tagwright_project::config::Config;
use tagwright_rules::registry;

use crate::args::SchemaOf;
use crate::ending::{Exit, Stop, Streams};
use crate::pages::level;
use crate::report;

pub(crate) fn schema(of: SchemaOf, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    streams.output.write_all(schema_text(of).as_bytes())?;
    Ok(Exit::Clean)
}

/// The JSON Schema, with a final newline.
pub(crate) fn schema_text(of: SchemaOf) -> String {
    let schema = match of {
        SchemaOf::Findings => report::schema(),
        SchemaOf::Lines => report::lines_schema(),
        SchemaOf::Config => config_schema(),
        SchemaOf::Baseline => schemars::schema_for!(Baseline),
        SchemaOf::Migration => crate::migrate::report::schema(),
        SchemaOf::Buildspec => return tagwright_grammar::buildspec_schema(),
        SchemaOf::CopilotWorkload => return tagwright_grammar::copilot_workload_schema(),
        SchemaOf::CopilotEnvironment => return tagwright_grammar::copilot_environment_schema(),
        SchemaOf::CopilotPipeline => return tagwright_grammar::copilot_pipeline_schema(),
    };
    format!("{:#}\n", schema.as_value())
}

/// The schema of the configuration, with the rules by name, so that an editor can offer them.
fn config_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(Config);
    let rules: serde_json::Map<String, serde_json::Value> = registry()
        .iter()
        .map(|rule| {
            let entry = json!({
                "$ref": "#/$defs/Level",
                "description": rule.summary(),
                "default": level(rule),
            });
            (rule.name.to_owned(), entry)
        })
        .collect();
    if let Some(properties) = schema
        .get_mut("properties")
        .and_then(|it| it.as_object_mut())
    {
        properties.insert(
            "rules".to_owned(),
            json!({
                "type": "object",
                "description": "Severities of rules, by rule name.",
                "additionalProperties": false,
                "properties": rules,
            }),
        );
    }
    schema
}
