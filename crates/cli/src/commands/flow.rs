//! `tagwright flow`: where each image is built, tagged, pushed, recorded and deployed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tagwright_flow::facts::{TagKind, TagValue};
use tagwright_flow::workspace::writes;
use tagwright_syntax::{LineIndex, Span};

use crate::args::{FlowArgs, FlowFormat};
use crate::deliver::{ending, problems};
use crate::ending::{Exit, Stop, Streams};
use crate::report::{Report, escape, write_pretty};
use crate::session::Session;
use tagwright_project::Workspace;

/// The image flow of one run.
#[derive(Serialize, JsonSchema)]
struct Document {
    /// The version of this format.
    schema_version: u32,
    /// The images, in the order of their first place.
    images: Vec<Image>,
}

/// One image: all places that name it.
#[derive(Serialize, JsonSchema)]
struct Image {
    /// The repository, as far as the text tells.
    repository: String,
    /// Built, tagged or pushed here, or configured as such.
    own: bool,
    /// Pushed here.
    pushed: bool,
    /// Its places; within a file in the order in which they run.
    uses: Vec<Use>,
}

/// A place that names an image.
#[derive(Serialize, JsonSchema)]
struct Use {
    /// What happens there.
    role: &'static str,
    /// Who does it.
    tool: &'static str,
    /// The file.
    path: String,
    /// The first character of the reference.
    start: Location,
    /// Just after its last character.
    end: Location,
    /// The reference as written.
    written: String,
    /// What the tag may be.
    tags: Vec<Tag>,
    /// The command may be skipped.
    conditional: bool,
    #[serde(skip)]
    writes: bool,
}

/// A place in a file.
#[derive(Serialize, JsonSchema)]
struct Location {
    /// 1-based.
    line: u32,
    /// 1-based, in characters.
    column: u32,
    /// 0-based, in bytes.
    offset: u32,
}

/// A value that a tag may have.
#[derive(Serialize, JsonSchema)]
struct Tag {
    /// `implicit` (none is written, so `latest`), `literal`, `variable`, `digest`, `hidden` (in a variable)
    /// or `all` (every tag that the image has there).
    kind: &'static str,
    /// The tag, for `literal` and `implicit`; the shell text for `variable`.
    value: Option<String>,
}

pub(crate) fn flow(args: &FlowArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let paths: Vec<PathBuf> = args.path.iter().cloned().collect();
    let mut session = Session::for_paths(&paths, &args.input)?;
    let mut report = Report::default();
    let mut document = Document {
        schema_version: 1,
        images: Vec::new(),
    };
    session.announce(streams)?;
    session.each(&mut report, |part, _| {
        document.images.extend(images(&part.workspace));
    })?;
    problems(&mut report, streams)?;
    let out: &mut dyn Write = streams.output;
    match args.format {
        FlowFormat::Text => text(&document, out)?,
        FlowFormat::Json => write_pretty(&document, out)?,
        FlowFormat::Mermaid => mermaid(&document, out)?,
    }
    Ok(ending(&report))
}

/// The images with a place in a file that was asked for.
fn images(workspace: &Workspace) -> Vec<Image> {
    let indexes: Vec<LineIndex> = workspace
        .documents
        .iter()
        .map(|document| LineIndex::new(&document.text))
        .collect();
    let flow = &workspace.flow;
    flow.flows()
        .iter()
        .filter(|image| {
            image
                .uses
                .iter()
                .filter_map(|id| workspace.document(id.file))
                .any(|document| document.target)
        })
        .map(|image| Image {
            repository: image.name.to_string(),
            own: image.own,
            pushed: image.pushed,
            uses: image
                .uses
                .iter()
                .filter_map(|id| {
                    let place = flow.image_use(*id);
                    let document = workspace.document(id.file)?;
                    let index = &indexes[id.file.0 as usize];
                    let at = |offset| location(index, &document.text, offset);
                    let Span { start, end } = place.span;
                    Some(Use {
                        role: place.role.name(),
                        tool: place.tool.name(),
                        path: document.shown.to_string(),
                        start: at(start),
                        end: at(end),
                        written: place.written.to_string(),
                        tags: place.tags.iter().map(tag).collect(),
                        conditional: place.conditional,
                        writes: writes(place.role),
                    })
                })
                .collect(),
        })
        .collect()
}

fn location(index: &LineIndex, text: &str, offset: u32) -> Location {
    let position = index.position(text, offset);
    Location {
        line: position.line,
        column: position.column,
        offset,
    }
}

fn tag(value: &TagValue) -> Tag {
    let (kind, value) = match &value.kind {
        TagKind::Implicit => ("implicit", Some("latest".to_owned())),
        TagKind::Literal(text) => ("literal", Some(text.to_string())),
        TagKind::Variable(_) => ("variable", Some(value.written.to_string())),
        TagKind::Digest => ("digest", None),
        TagKind::Hidden => ("hidden", None),
        TagKind::All => ("all", None),
    };
    Tag { kind, value }
}

impl Use {
    /// The possible tags in few characters.
    fn tags(&self) -> String {
        let tags: Vec<String> = self
            .tags
            .iter()
            .map(|tag| match (tag.kind, &tag.value) {
                ("implicit", _) => "(none: latest)".to_owned(),
                ("hidden", _) => "(in a variable)".to_owned(),
                (_, Some(value)) => escape(value).into_owned(),
                (kind, None) => format!("({kind})"),
            })
            .collect();
        tags.join(" or ")
    }
}

fn text(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    if document.images.is_empty() {
        return writeln!(out, "No images.");
    }
    for (index, image) in document.images.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let kind = match (image.own, image.pushed) {
            (true, true) => "own, pushed here",
            (true, false) => "own",
            (false, _) => "third-party",
        };
        writeln!(out, "{} ({kind})", escape(&image.repository))?;
        let rows: Vec<[String; 4]> = image
            .uses
            .iter()
            .map(|place| {
                [
                    place.role.to_owned(),
                    place.tags(),
                    place.tool.to_owned(),
                    format!(
                        "{}:{}:{}",
                        escape(&place.path),
                        place.start.line,
                        place.start.column
                    ),
                ]
            })
            .collect();
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let (roles, tags, tools) = (width(0), width(1), width(2));
        for [role, tag, tool, place] in &rows {
            writeln!(out, "  {role:roles$}  {tag:tags$}  {tool:tools$}  {place}")?;
        }
    }
    Ok(())
}

/// A chart with one box for each image: its places in order, and arrows from the last place that writes the
/// image to places in other files.
fn mermaid(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for (number, image) in document.images.iter().enumerate() {
        writeln!(
            out,
            "  subgraph i{number}[\"{}\"]",
            label(&image.repository)
        )?;
        for (index, place) in image.uses.iter().enumerate() {
            writeln!(
                out,
                "    i{number}u{index}[\"{} {}<br/>{}:{}\"]",
                place.role,
                label(&place.tags()),
                label(&place.path),
                place.start.line
            )?;
        }
        let mut last_of_file: BTreeMap<&str, usize> = BTreeMap::new();
        let mut last_write = None;
        for (index, place) in image.uses.iter().enumerate() {
            let before = last_of_file.insert(&place.path, index).or(last_write);
            if let Some(before) = before {
                writeln!(out, "    i{number}u{before} --> i{number}u{index}")?;
            }
            if place.writes {
                last_write = Some(index);
            }
        }
        writeln!(out, "  end")?;
    }
    Ok(())
}

/// Text inside a quoted Mermaid label.
fn label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '"' => label.push_str("#quot;"),
            '#' => label.push_str("#35;"),
            '<' => label.push_str("#lt;"),
            '>' => label.push_str("#gt;"),
            other => label.push(other),
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(role: &'static str, path: &str, line: u32, writes: bool) -> Use {
        let at = |column| Location {
            line,
            column,
            offset: 0,
        };
        Use {
            role,
            tool: "docker",
            path: path.to_owned(),
            start: at(9),
            end: at(20),
            written: "a/\"b\":latest".to_owned(),
            tags: vec![Tag {
                kind: "literal",
                value: Some("latest".to_owned()),
            }],
            conditional: false,
            writes,
        }
    }

    fn document() -> Document {
        Document {
            schema_version: 1,
            images: vec![Image {
                repository: "$REPO/\"app\"".to_owned(),
                own: true,
                pushed: true,
                uses: vec![
                    place("build", "buildspec.yml", 7, false),
                    place("push", "buildspec.yml", 12, true),
                    place("deploy", "k8s/app.yaml", 3, false),
                ],
            }],
        }
    }

    #[test]
    fn the_text_table_is_aligned_and_names_places() {
        let mut out = Vec::new();
        text(&document(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        $REPO/"app" (own, pushed here)
          build   latest  docker  buildspec.yml:7:9
          push    latest  docker  buildspec.yml:12:9
          deploy  latest  docker  k8s/app.yaml:3:9
        "#);
    }

    #[test]
    fn the_chart_leads_from_the_build_to_the_deployment() {
        let mut out = Vec::new();
        mermaid(&document(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        flowchart LR
          subgraph i0["$REPO/#quot;app#quot;"]
            i0u0["build latest<br/>buildspec.yml:7"]
            i0u1["push latest<br/>buildspec.yml:12"]
            i0u2["deploy latest<br/>k8s/app.yaml:3"]
            i0u0 --> i0u1
            i0u1 --> i0u2
          end
        "#);
    }
}
