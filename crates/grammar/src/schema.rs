//! JSON Schemas of buildspecs and of Copilot's manifests, made from the tables of their grammars, for editors
//! and other validators.
//!
//! They accept everything that CodeBuild and Copilot are known to accept: keys that nobody takes notice of are
//! allowed, so that only what stops a build or a deployment is an error.

use serde_json::{Map, Value as Json, json};

use crate::buildspec::BUILDSPEC;
use crate::copilot::{ENVIRONMENT, PIPELINE, WORKLOADS};
use crate::section::{Section, Unknown, Value};

/// A JSON Schema (draft 2020-12) of buildspecs, with a final newline.
#[must_use]
pub fn buildspec_schema() -> String {
    let mut definitions = Definitions::default();
    let mut schema = definitions.body(&BUILDSPEC);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(
            "anyOf".to_owned(),
            json!([{"required": ["phases"]}, {"required": ["batch"]}]),
        );
    }
    definitions.finish(
        "AWS CodeBuild buildspec",
        "Made by tagwright from the build specification reference.",
        schema,
    )
}

/// A JSON Schema (draft 2020-12) of the manifests of Copilot's services and jobs, with a final newline.
#[must_use]
pub fn copilot_workload_schema() -> String {
    let mut definitions = Definitions::default();
    let kinds: Vec<&str> = WORKLOADS.iter().map(|(name, _)| *name).collect();
    let branches: Vec<Json> = WORKLOADS
        .iter()
        .map(|(name, section)| {
            json!({
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": definitions.reference(section),
            })
        })
        .collect();
    let schema = json!({
        "type": "object",
        "properties": {"type": {"enum": kinds}},
        "required": ["name", "type"],
        "allOf": branches,
    });
    definitions.finish("AWS Copilot service or job", FROM_COPILOT, schema)
}

/// A JSON Schema (draft 2020-12) of the manifests of Copilot's environments, with a final newline.
#[must_use]
pub fn copilot_environment_schema() -> String {
    let mut definitions = Definitions::default();
    let schema = definitions.body(&ENVIRONMENT);
    definitions.finish("AWS Copilot environment", FROM_COPILOT, schema)
}

/// A JSON Schema (draft 2020-12) of the manifests of Copilot's pipelines, with a final newline.
#[must_use]
pub fn copilot_pipeline_schema() -> String {
    let mut definitions = Definitions::default();
    let schema = definitions.body(&PIPELINE);
    definitions.finish("AWS Copilot pipeline", FROM_COPILOT, schema)
}

const FROM_COPILOT: &str = "Made by tagwright from the structures that Copilot 1.33 reads.";

/// What the shell, a template or Copilot may fill in.
const FILLED_IN: &str = ".*\\$.*";

/// The sections that a schema refers to, by name.
#[derive(Default)]
struct Definitions {
    found: Map<String, Json>,
}

impl Definitions {
    fn finish(self, title: &str, description: &str, schema: Json) -> String {
        let mut whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "description": description,
        });
        if let (Some(whole), Json::Object(schema)) = (whole.as_object_mut(), schema) {
            whole.extend(schema);
            // The file itself is never empty.
            whole.insert("type".to_owned(), json!("object"));
            whole.insert("$defs".to_owned(), Json::Object(self.found));
        }
        format!("{whole:#}\n")
    }

    fn reference(&mut self, section: &'static Section) -> Json {
        let words: Vec<&str> = section
            .name
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| !matches!(*word, "" | "a" | "an" | "the" | "of"))
            .collect();
        let name = words.join("-");
        if !self.found.contains_key(&name) {
            // Holds the place, should the section come back to itself.
            self.found.insert(name.clone(), Json::Null);
            let body = self.body(section);
            self.found.insert(name.clone(), body);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// The schema of a mapping with known keys; a key without a value is one that is absent.
    fn body(&mut self, section: &'static Section) -> Json {
        let properties: Map<String, Json> = section
            .all_keys()
            .into_iter()
            .map(|key| {
                let mut schema = self.value(key.value);
                if let Some(schema) = schema.as_object_mut() {
                    schema.insert("description".to_owned(), json!(key.docs));
                }
                (key.name.to_owned(), schema)
            })
            .collect();
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(["object", "null"]));
        body.insert("properties".to_owned(), Json::Object(properties));
        if section.unknown == Unknown::Rejected {
            body.insert("additionalProperties".to_owned(), json!(false));
        }
        if !section.required.is_empty() {
            body.insert("required".to_owned(), json!(section.required));
        }
        let excluded: Vec<Json> = section
            .at_most_one
            .iter()
            .enumerate()
            .flat_map(|(index, one)| {
                section.at_most_one[index + 1..]
                    .iter()
                    .map(move |other| json!({"not": {"type": "object", "required": [one, other]}}))
            })
            .collect();
        if !excluded.is_empty() {
            body.insert("allOf".to_owned(), Json::Array(excluded));
        }
        Json::Object(body)
    }

    fn value(&mut self, kind: Value) -> Json {
        let text = json!({"type": ["string", "number", "boolean", "null"]});
        let filled_in = json!({"type": "string", "pattern": format!("^{FILLED_IN}$")});
        match kind {
            Value::Any => json!({}),
            Value::Text => text,
            // Batch builds take the number only, but the schema cannot see where a file is used.
            Value::Version => json!({"enum": [0.2, 0.1, "0.2", "0.1"]}),
            Value::Flag => json!({
                "anyOf": [
                    {"enum": ["yes", "no"]},
                    {"type": "boolean"},
                    {"type": "string", "pattern": format!("^({}|{FILLED_IN})$", any_case(&["yes", "no", "true", "false"]))},
                    {"type": "null"},
                ],
            }),
            Value::Boolean => json!({
                "anyOf": [
                    {"type": ["boolean", "null"]},
                    {"type": "string", "pattern": format!("^({}|{FILLED_IN})$", any_case(&["yes", "no", "on", "off", "y", "n"]))},
                ],
            }),
            Value::Count => json!({
                "anyOf": [
                    {"type": "integer", "minimum": 1},
                    {"type": "string", "pattern": format!("^([1-9][0-9]*|{FILLED_IN})$")},
                    {"type": "null"},
                ],
            }),
            Value::Whole => json!({"anyOf": [{"type": ["integer", "null"]}, filled_in]}),
            Value::Number => json!({"anyOf": [{"type": ["number", "null"]}, filled_in]}),
            Value::Duration => json!({
                "anyOf": [
                    {"type": "string", "pattern": format!("^([-+]?([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+|0|{FILLED_IN})$")},
                    {"type": "null"},
                ],
            }),
            Value::Exactly(words) => {
                json!({"anyOf": [{"enum": words}, {"type": "null"}, filled_in]})
            }
            Value::Words(words) => json!({
                "anyOf": [
                    {"enum": words},
                    {"type": "string", "pattern": format!("^({}|{FILLED_IN})$", any_case(words))},
                    {"type": "null"},
                ],
            }),
            Value::Shell { documented, .. } => {
                json!({"anyOf": [{"enum": documented}, {"type": ["string", "null"]}]})
            }
            Value::OnFailure => json!({
                "anyOf": [
                    {"enum": ["ABORT", "CONTINUE", "RETRY"]},
                    {"type": "string", "pattern": format!("^(RETRY-.+|{FILLED_IN})$")},
                    {"type": "null"},
                ],
            }),
            Value::Commands => json!({"anyOf": [{"type": "array", "items": text}, text]}),
            Value::List(item) => json!({"type": ["array", "null"], "items": self.value(*item)}),
            Value::ListOrOne(item) => {
                let item = self.value(*item);
                json!({"anyOf": [{"type": "array", "items": item}, item]})
            }
            Value::Names(item) => {
                json!({"type": ["object", "null"], "additionalProperties": self.value(*item)})
            }
            Value::Section(inner) => self.reference(inner),
            Value::OneOf(shapes) => {
                let shapes: Vec<Json> = shapes.iter().map(|shape| self.value(*shape)).collect();
                json!({"anyOf": shapes})
            }
        }
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
    words.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All sections that can be reached from one.
    fn reachable(section: &'static Section, found: &mut Vec<&'static Section>) {
        if found.iter().any(|known| std::ptr::eq(*known, section)) {
            return;
        }
        found.push(section);
        for key in section.all_keys() {
            below(key.value, found);
        }
    }

    fn below(value: Value, found: &mut Vec<&'static Section>) {
        match value {
            Value::Section(section) => reachable(section, found),
            Value::List(inner) | Value::ListOrOne(inner) | Value::Names(inner) => {
                below(*inner, found);
            }
            Value::OneOf(shapes) => shapes.iter().for_each(|shape| below(*shape, found)),
            _ => {}
        }
    }

    #[test]
    fn sections_have_names_and_keys_of_their_own() {
        let roots = WORKLOADS.iter().map(|(_, section)| *section);
        let roots = roots.chain([&BUILDSPEC, &ENVIRONMENT, &PIPELINE]);
        for root in roots {
            let mut sections = Vec::new();
            reachable(root, &mut sections);
            let mut definitions = Definitions::default();
            let mut names: Vec<String> = sections
                .iter()
                .map(|section| definitions.reference(section)["$ref"].to_string())
                .collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "two sections share a name");
            for section in sections {
                let mut keys: Vec<&str> = section.all_keys().iter().map(|key| key.name).collect();
                keys.sort_unstable();
                let all = keys.len();
                keys.dedup();
                assert_eq!(keys.len(), all, "{}: a key twice", section.name);
                for key in section.required.iter().chain(section.at_most_one) {
                    assert!(section.key(key).is_some(), "{}: {key}", section.name);
                }
            }
        }
    }
}
