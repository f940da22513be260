//! What stands under the cursor: a finding and its rule, an image and its way, a key of the grammar.

use std::fmt::Write as _;

use gen_lsp_types as lsp;
use tagwright_diagnostics::Severity;
use tagwright_flow::facts::{ImageUse, TagKind, TagValue};
use tagwright_flow::{FileId, Flow, UseId};
use tagwright_grammar::{Grammar, KeyHelp};
use tagwright_syntax::yaml::{self, NodeKind, Step};
use tagwright_syntax::{LineIndex, Span};

use crate::root::Root;
use crate::server::View;

/// What there is to say about byte `offset` of the file `id`.
pub(crate) fn hover(view: &View<'_>, root: &Root, id: FileId, offset: usize) -> Option<lsp::Hover> {
    let mut parts = Vec::new();
    let mut span: Option<Span> = None;
    let mut told = Vec::new();
    for (_, finding) in root.findings_in(id) {
        if !covers(finding.span, offset) {
            continue;
        }
        span.get_or_insert(finding.span);
        let mut part = format!(
            "**{}** `{}`: {}",
            severity(finding.severity),
            finding.rule,
            finding.message
        );
        if let Some(refusal) = &finding.refusal {
            let _ = write!(part, "\n\nNo fix: {refusal}");
        }
        if let Some(rule) = tagwright_rules::rule(finding.rule)
            && !told.contains(&finding.rule)
        {
            told.push(finding.rule);
            // Its headings stand below this part's.
            let page = rule.page().replace("\n## ", "\n#### ");
            let _ = write!(part, "\n\n{page}");
        }
        parts.push(part);
    }
    if let Some((place, image)) = image_at(root, id, offset) {
        span.get_or_insert(image.span);
        parts.extend(way(root, place));
    }
    if let Some((key, help)) = key_at(root, id, offset) {
        span.get_or_insert(key);
        parts.push(format!(
            "`{}`: {}\n\nHolds {}.",
            help.name,
            if help.docs.is_empty() {
                "a runtime of the managed images."
            } else {
                help.docs
            },
            help.holds
        ));
    }
    if parts.is_empty() {
        return None;
    }
    Some(lsp::Hover {
        contents: lsp::MarkupContent {
            kind: lsp::MarkupKind::Markdown,
            value: parts.join("\n\n---\n\n"),
        }
        .into(),
        range: span.and_then(|span| Some(view.lines(root, id)?.range(span))),
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Whether the cursor at `offset` stands at the span: in it, or right behind it.
pub(crate) fn covers(span: Span, offset: usize) -> bool {
    (span.start as usize) <= offset && offset <= span.end as usize
}

/// The image that is named at byte `offset` of the file `id`: the shortest of those whose reference covers it.
pub(crate) fn image_at(root: &Root, id: FileId, offset: usize) -> Option<(UseId, &ImageUse)> {
    let facts = root.workspace.flow.files().get(id.0 as usize)?;
    let uses = (0u32..).zip(&facts.uses);
    uses.filter(|(_, image)| covers(image.span, offset))
        .min_by_key(|(_, image)| image.span.len())
        .map(|(index, image)| (UseId { file: id, index }, image))
}

/// The flow that a place belongs to.
pub(crate) fn flow_of(root: &Root, place: UseId) -> Option<&Flow> {
    let flows = root.workspace.flow.flows();
    flows.iter().find(|flow| flow.uses.contains(&place))
}

/// The whole way of the image at `place`: who builds, pushes and deploys it.
fn way(root: &Root, place: UseId) -> Option<String> {
    /// More would not be read.
    const MOST: usize = 40;
    let flow = flow_of(root, place)?;
    let whose = match (flow.own, flow.pushed) {
        (true, true) => "pushed in this workspace",
        (true, false) => "of this workspace",
        (false, _) => "third-party",
    };
    let mut text = format!("Image {}, {whose}:\n", code(&flow.shown()));
    for id in flow.uses.iter().take(MOST) {
        let (_, document) = root.file(id.file)?;
        let image = root.workspace.flow.image_use(*id);
        let line = LineIndex::new(&document.text)
            .position(&document.text, image.span.start)
            .line;
        let here = if *id == place { " (here)" } else { "" };
        let tags: Vec<String> = image.tags.iter().map(tag).collect();
        let _ = write!(
            text,
            "\n- {} {} by {} at {}:{line}{here}",
            image.role.name(),
            tags.join(" or "),
            image.tool.name(),
            document.relative,
        );
    }
    if flow.uses.len() > MOST {
        let _ = write!(text, "\n- and {} more", flow.uses.len() - MOST);
    }
    Some(text)
}

/// A tag as it is written, and what it comes to.
fn tag(value: &TagValue) -> String {
    match &value.kind {
        TagKind::Implicit => "no tag, so `latest`,".to_owned(),
        TagKind::Literal(text) if *text == value.written => code(text),
        TagKind::Literal(text) if value.written.is_empty() => code(text),
        TagKind::Literal(text) => format!("{} = {}", code(&value.written), code(text)),
        TagKind::Variable(expression) => {
            let key = expression.key();
            if key == *value.written || value.written.is_empty() {
                code(&key)
            } else {
                format!("{} = {}", code(&value.written), code(&key))
            }
        }
        TagKind::Digest => "a digest".to_owned(),
        TagKind::Hidden => "a tag that is hidden in a variable".to_owned(),
        TagKind::All => "all tags that it has there".to_owned(),
    }
}

/// `text` as Markdown code.
fn code(text: &str) -> String {
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// The key under the cursor, if the grammar has it.
fn key_at(root: &Root, id: FileId, offset: usize) -> Option<(Span, KeyHelp)> {
    let (_, document) = root.file(id)?;
    let grammar = Grammar::of(document.kind, &document.text)?;
    let tree = yaml::parse_as(document.kind, &document.text);
    let (node, span) = tree.nodes().find_map(|(node, found)| {
        let parent = tree.node(found.parent?);
        let NodeKind::Mapping(mapping) = &parent.kind else {
            return None;
        };
        let entry = mapping.entries.iter().find(|entry| entry.key == node)?;
        covers(found.span, offset).then_some((entry.value, found.span))
    })?;
    let path = tree.path(node);
    let names: Vec<&str> = path
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Key(name, _) => Some(&**name),
            Step::Index(_) | Step::KeyOf(_) => None,
        })
        .collect();
    Some((span, grammar.key(&names)?))
}
