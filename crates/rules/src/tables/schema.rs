//! The JSON Schema of buildspecs, made from the table of their grammar, for editors and other validators.
//!
//! It accepts everything that CodeBuild is known to accept: keys that it takes no notice of are allowed, so
//! that only what stops a build is an error.

use serde_json::{Map, Value as Json, json};

use super::buildspec::{BUILDSPEC, Section, Unknown, Value};

/// A JSON Schema (draft 2020-12) of buildspecs, with a final newline.
#[must_use]
pub fn buildspec_schema() -> String {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AWS CodeBuild buildspec",
        "description": "Made by tagwright from the build specification reference.",
    });
    if let (Some(schema), Json::Object(section)) = (schema.as_object_mut(), section(&BUILDSPEC)) {
        schema.extend(section);
        schema.insert("required".to_owned(), json!(["version"]));
        schema.insert(
            "anyOf".to_owned(),
            json!([{"required": ["phases"]}, {"required": ["batch"]}]),
        );
    }
    format!("{schema:#}\n")
}

/// The schema of a mapping with known keys; a key without a value is one that is absent.
fn section(section: &Section) -> Json {
    let properties: Map<String, Json> = section
        .keys
        .iter()
        .map(|key| {
            let mut schema = value(key.value);
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("description".to_owned(), json!(key.docs));
            }
            (key.name.to_owned(), schema)
        })
        .collect();
    let mut schema = json!({"type": ["object", "null"], "properties": properties});
    if section.unknown == Unknown::Rejected
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    schema
}

fn value(kind: Value) -> Json {
    let text = json!({"type": ["string", "number", "boolean", "null"]});
    match kind {
        Value::Any => json!({}),
        Value::Text => text,
        // Batch builds take the number only, but the schema cannot see where a file is used.
        Value::Version => json!({"enum": [0.2, 0.1, "0.2", "0.1"]}),
        Value::Flag => json!({
            "anyOf": [
                {"enum": ["yes", "no"]},
                {"type": "boolean"},
                {"type": "string", "pattern": "^([Yy][Ee][Ss]|[Nn][Oo]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|.*\\$.*)$"},
                {"type": "null"},
            ],
        }),
        Value::Count => json!({
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": "^([1-9][0-9]*|.*\\$.*)$"},
                {"type": "null"},
            ],
        }),
        Value::Words(words) => json!({
            "anyOf": [
                {"enum": words},
                {"type": "string", "pattern": any_case(words)},
                {"type": "null"},
            ],
        }),
        Value::Shell { documented, .. } => {
            json!({"anyOf": [{"enum": documented}, {"type": ["string", "null"]}]})
        }
        Value::OnFailure => json!({
            "anyOf": [
                {"enum": ["ABORT", "CONTINUE", "RETRY"]},
                {"type": "string", "pattern": "^(RETRY-.+|.*\\$.*)$"},
                {"type": "null"},
            ],
        }),
        Value::Commands => json!({
            "anyOf": [
                {"type": "array", "items": text},
                text,
            ],
        }),
        Value::List(item) => json!({"type": ["array", "null"], "items": value(*item)}),
        Value::ListOrOne(item) => {
            let item = value(*item);
            json!({"anyOf": [{"type": "array", "items": item}, item]})
        }
        Value::Names(item) => {
            json!({"type": ["object", "null"], "additionalProperties": value(*item)})
        }
        Value::Section(inner) => section(inner),
    }
}

/// A pattern for the words in any case; JSON Schema's patterns have no flag for that.
fn any_case(words: &[&str]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| {
            word.chars()
                .map(|c| match (c.to_ascii_uppercase(), c.to_ascii_lowercase()) {
                    (upper, lower) if upper == lower => c.to_string(),
                    (upper, lower) => format!("[{upper}{lower}]"),
                })
                .collect()
        })
        .collect();
    format!("^({}|.*\\$.*)$", words.join("|"))
}
