//! `tagwright schema`: the JSON Schemas that tagwright offers.

use serde_json::{Map, Value, json};
use tagwright_project::Baseline;
use tagwright_project::config::Config;
use tagwright_rules::{Category, registry};

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
        SchemaOf::Merged => crate::merge::report::schema(),
        SchemaOf::Buildspec => return tagwright_grammar::buildspec_schema(),
        SchemaOf::CopilotWorkload => return tagwright_grammar::copilot_workload_schema(),
        SchemaOf::CopilotEnvironment => return tagwright_grammar::copilot_environment_schema(),
        SchemaOf::CopilotPipeline => return tagwright_grammar::copilot_pipeline_schema(),
    };
    format!("{:#}\n", schema.as_value())
}

/// The schema of the configuration, with the rules and categories by name, so that an editor can offer them.
fn config_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(Config);
    let categories = Category::ALL.map(|category| {
        let entry = json!({
            "$ref": "#/$defs/Level",
            "description": "All rules of this category that are on by default and have no entry of their own.",
        });
        (category.as_str().to_owned(), entry)
    });
    let rules = registry().iter().map(|rule| {
        let entry = json!({
            "$ref": "#/$defs/Level",
            "description": rule.summary(),
            "default": level(rule),
        });
        (rule.name.to_owned(), entry)
    });
    let rules: Map<String, Value> = categories.into_iter().chain(rules).collect();
    let names: Vec<&String> = rules.keys().collect();
    let names = json!({"type": "array", "items": {"enum": names}});
    let properties = schema.get_mut("properties");
    if let Some(properties) = properties.and_then(Value::as_object_mut) {
        if let Some(ignores) = properties.get_mut("per-file-ignores") {
            ignores["additionalProperties"] = names;
        }
        if let Some(levels) = properties.get_mut("rules") {
            levels["additionalProperties"] = json!(false);
            levels["properties"] = json!(rules);
        }
    }
    schema
}
