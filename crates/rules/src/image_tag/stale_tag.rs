//! A tag that stays the same from build to build deploys nothing the second time.
//!
//! ## What it does
//!
//! Finds a constant tag, or one made of the branch alone, on `copilot deploy` and `copilot svc deploy` without
//! `--force`, on `copilot svc package --upload-assets`, and, for own images, on `kubectl set image`, Helm,
//! `kustomize edit set image` and CloudFormation parameters. Jobs pull their image at every run, so they are
//! left alone, and so is a file that restarts the rollout itself.
//!
//! ## Why it matters
//!
//! These tools compare texts. The second build of a branch pushes a new image under the old name, the text
//! of the deployment is the same, and nothing is rolled out; Copilot says so and exits with 0.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
//!       - copilot svc deploy --name web --env test --tag ${BRANCH_NAME}
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
//!       - copilot svc deploy --name web --env test --tag ${BRANCH_NAME} --force
//! ```
//!
//! ## Fix
//!
//! `--force` where Copilot has it. Elsewhere the tag gets a part behind it that is new for every build, in all
//! places of the image at once; if one build pushes and another one deploys, the commit. A version such as `1.4.2`
//! is raised by people: there the finding is a note, without a fix. There is no fix either where the whole might
//! exceed the 128 characters of a tag.
//!
//! ## When to silence it
//!
//! Where nothing has to run after the command: a scheduled job, which pulls the tag at its next run, or a
//! deployment that another command forces.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/cli/deploy/svc.go` (v1.33); issues 1621, 2597, 4385, 4869, 5867.
//! - Kubernetes documentation, "Updating a Deployment": a rollout starts if the pod template changes.

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::tools::{Role, Tool};
use tagwright_flow::expression::{Expansion, Site};
use tagwright_flow::facts::{CopilotUse, FileFacts, ImageUse, WorkloadFacts};
use tagwright_flow::{FileId, FileKind, Flow};
use tagwright_syntax::Span;
use tagwright_syntax::yaml::NodeId;

use crate::context::{Context, Place, Report, pushes};
use crate::image_tag::missing_tag_flag::deployed_workloads;
use crate::environment;
use crate::plan::needs_new_text;
use crate::plan::tag_choice::{self, BUILD};
use crate::unique::{copy, is_version, key, make_unique};
use crate::variables::{Constancy, behind, constancy, constancy_of, item_text, replace};
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect, refusal};

pub(crate) static RULE: Rule = Rule {
    name: "stale-tag",
    category: Category::ImageTag,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("stale_tag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let workloads = context.workloads();
    for file in context.workspace.files() {
        for call in &file.copilot {
            copilot(context, file, call, &workloads, report);
        }
    }
    deployments(context, report);
}

fn copilot(
    context: &Context<'_>,
    file: &FileFacts,
    call: &CopilotUse,
    workloads: &[&WorkloadFacts],
    report: &mut Report<'_>,
) {
    let settings = context.settings;
    let package = match &*call.subcommand {
        "deploy" | "svc deploy" if call.flag("force").is_none() => false,
        "svc package" if call.flag("upload-assets").is_some() => true,
        _ => return,
    };
    let Some(flag) = call.flag("tag") else { return };
    let mut constant = !flag.values.is_empty();
    let mut all_text = true;
    for value in &flag.values {
        match constancy_of(value, settings, &call.loops) {
            Constancy::Constant => {}
            Constancy::Branch => all_text = false,
            Constancy::Other => constant = false,
        }
    }
    let deployed = deployed_workloads(call, workloads);
    let builds = deployed.is_empty() || deployed.iter().any(|workload| workload.builds);
    if !constant || !builds || call.flag("diff").is_some() {
        return;
    }
    let what = if all_text {
        "is always the same"
    } else {
        "is the same for every build of a branch"
    };
    let message = if package {
        format!(
            "the tag {what}, so the second template equals the first and its image is not rolled out"
        )
    } else {
        format!(
            "the tag {what}, so `copilot {}` finds nothing to do the second time, and exits with 0",
            call.subcommand
        )
    };
    let fix = match flag.value_site {
        None => Err(Refusal::uncertain("the place of the tag is not certain")),
        Some(site) if package => (|| {
            if all_text {
                environment::copilot_tag(settings)?;
            }
            let version = flag.value.as_ref().filter(|value| is_version(value));
            if let Some(version) = version {
                let message = format!("`{}` is a version, which people raise", version.written);
                return Err(Refusal::new(RefusalCode::YourDecision, message));
            }
            let written = flag.value.as_ref().map_or("", |value| &value.written);
            tag_choice::fits_in(context, file, &format!("{written}{BUILD}"))?;
            Ok(Fix {
                message: format!("append `{BUILD}`, which is new for every build"),
                applicability: Applicability::Safe,
                changes: vec![replace(file, behind(site), BUILD, WordEffect::Within)?],
            })
        })(),
        Some(site) => force(file, site),
    };
    let span = flag.value_site.map_or(flag.span, |site| site.source);
    report.add(report.draft(file.id, span, message).fix(fix));
}

/// ` --force` right after the tag and its closing quote.
fn force(file: &FileFacts, site: Site) -> Result<Fix, Refusal> {
    if let Expansion::Never(reason) = site.expansion {
        return Err(refusal::not_expanded(reason));
    }
    let text = item_text(file, site.node).ok_or_else(|| Refusal::new(RefusalCode::InsideAnotherFile, "the command stands inside another file"))?;
    let mut end = site.range.end as usize;
    let mut rest = text.get(end..).unwrap_or("");
    if let Some(after) = rest.strip_prefix(['"', '\'']) {
        rest = after;
        end += 1;
    }
    if !rest.is_empty() && !rest.starts_with([' ', '\t', '\n', ';', '&', '|', ')', '"', '\'']) {
        return Err(Refusal::uncertain("the end of the tag is not certain"));
    }
    Ok(Fix {
        message: "add `--force`".to_owned(),
        applicability: Applicability::Safe,
        changes: vec![Change {
            file: file.id,
            node: site.node,
            kind: ChangeKind::Replace {
                range: Span::empty(end),
                text: " --force".to_owned(),
                words: WordEffect::Inserts(1),
            },
        }],
    })
}

/// Own images whose tag is pushed and then handed to a tool that compares texts.
fn deployments(context: &Context<'_>, report: &mut Report<'_>) {
    // These make the tool deploy without a changed text.
    let restarts: BTreeSet<FileId> = context
        .workspace
        .files()
        .iter()
        .filter(|file| {
            file.uses.iter().any(|image| needs_new_text(image.tool)) && file.habits().restarts
        })
        .map(|file| file.id)
        .collect();
    let mut setters = BTreeMap::new();
    let alone: BTreeSet<FileId> = context
        .workspace
        .files()
        .iter()
        .filter(|file| {
            file.uses
                .iter()
                .any(|image| image.repository.key().is_empty() && needs_new_text(image.tool))
        })
        .map(|file| file.id)
        .collect();
    // The flows that push a tag of this spelling, per file: a tag alone belongs to the only one.
    let mut pushed_in: BTreeMap<(FileId, String), Vec<&Flow>> = BTreeMap::new();
    for (_, flow) in context.own_flows().filter(|(_, flow)| flow.pushed) {
        // Most workspaces deploy with nothing of the kind.
        let matters = |place: Place<'_>| {
            needs_new_text(place.image.tool) || alone.contains(&place.file.id)
        };
        if !context.places(flow).any(matters) {
            continue;
        }
        let mut pushed = BTreeSet::new();
        for place in context.places(flow).filter(|p| pushes(p.image.role)) {
            for key in place.image.tags.iter().filter_map(key) {
                let flows = pushed_in.entry((place.file.id, key.clone())).or_default();
                if !flows.iter().any(|known| std::ptr::eq(*known, flow)) {
                    flows.push(flow);
                }
                pushed.insert(key);
            }
        }
        let mut fixes = BTreeMap::new();
        for place in context.places(flow) {
            let Some(wanted) = stale(context, place.file, place.image, &restarts, &mut setters) else {
                continue;
            };
            if pushed.contains(&wanted) {
                let (fix, made) = fixes
                    .entry(wanted)
                    .or_insert_with_key(|wanted| (unique(context, flow, wanted, None), 0));
                let fix = copy(fix, made);
                add(place.file, place.image, flow, fix, report);
            }
        }
    }
    for file in context.workspace.files() {
        for image in file.uses.iter().filter(|image| image.repository.key().is_empty()) {
            let Some(wanted) = stale(context, file, image, &restarts, &mut setters) else {
                continue;
            };
            if let Some([flow]) = pushed_in.get(&(file.id, wanted.clone())).map(Vec::as_slice) {
                let fix = unique(context, flow, &wanted, Some((file, image)));
                add(file, image, flow, fix, report);
            }
        }
    }
}

/// The tag of a deployment that two builds of a branch share.
fn stale(
    context: &Context<'_>,
    file: &FileFacts,
    image: &ImageUse,
    restarts: &BTreeSet<FileId>,
    setters: &mut BTreeMap<FileId, Setters>,
) -> Option<String> {
    if image.role != Role::Deploy || !needs_new_text(image.tool) || file.buildspec.is_none() {
        return None;
    }
    let same = image
        .tags
        .iter()
        .all(|tag| constancy(tag, context.settings, &image.loops) != Constancy::Other);
    if !same || restarts.contains(&file.id) {
        return None;
    }
    let set = |setters: &mut BTreeMap<FileId, Setters>| {
        let known = setters.entry(file.id).or_insert_with(|| Setters::of(file));
        known.set(image.site)
    };
    if image.tool == Tool::Kubectl && !set(setters) {
        return None;
    }
    image.tags.first().and_then(key)
}

fn unique<'a>(
    context: &Context<'a>,
    flow: &'a Flow,
    wanted: &str,
    bare: Option<(&'a FileFacts, &'a ImageUse)>,
) -> Result<Fix, Refusal> {
    let manifest = context
        .workspace
        .files()
        .iter()
        .filter(|file| file.kind == FileKind::Kubernetes)
        .flat_map(|file| &file.uses)
        .any(|image| image.written.starts_with(&*flow.name) || image.repository.key() == &*flow.name);
    if manifest {
        return Err(Refusal::new(RefusalCode::LeftBehind, "a Kubernetes manifest here names the image, too"));
    }
    make_unique(context, flow, wanted, bare)
}

fn add(
    file: &FileFacts,
    image: &ImageUse,
    flow: &Flow,
    fix: Result<Fix, Refusal>,
    report: &mut Report<'_>,
) {
    let draft = if image.tags.iter().all(is_version) {
        // Whoever raises it gets a rollout; only a second build of one version does not.
        let message = format!(
            "a second build of this version of `{}` changes nothing here and is not rolled out",
            flow.shown()
        );
        report
            .draft(file.id, image.span, message)
            .severity(Severity::Note)
    } else {
        let message = format!(
            "`{}` is tagged alike in every build of a branch, so the second one changes nothing here and is not rolled out",
            flow.shown()
        );
        report.draft(file.id, image.span, message)
    };
    report.add(draft.fix(fix));
}

/// The commands of a file that change the image of what is there, as `kubectl set image` does; `kubectl run`
/// and `kubectl create` make something new.
struct Setters {
    /// Per item, the bytes of its decoded text.
    of_item: BTreeMap<NodeId, Vec<Span>>,
    /// Whether the items are those of another file's tree.
    inline: bool,
}

impl Setters {
    fn of(file: &FileFacts) -> Self {
        let mut of_item: BTreeMap<NodeId, Vec<Span>> = BTreeMap::new();
        for item in file.scripts().iter() {
            let setters = item.script.commands.iter().filter(|command| {
                let mut pairs = command.words.windows(2);
                pairs.any(|pair| pair[0].is("set") && pair[1].is("image"))
            });
            // A script inside an item is taken as the whole of it.
            let all = Span::new(0, usize::MAX);
            let spans = setters.map(|it| if item.whole { it.span } else { all });
            of_item.entry(item.node).or_default().extend(spans);
        }
        let inline = file.buildspec.as_ref().is_some_and(|spec| spec.inline);
        Self { of_item, inline }
    }

    fn set(&self, site: Option<Site>) -> bool {
        let Some(site) = site else { return false };
        if self.inline {
            return self.of_item.values().any(|spans| !spans.is_empty());
        }
        let spans = self.of_item.get(&site.node);
        spans.is_some_and(|spans| spans.iter().any(|span| span.contains(site.range)))
    }
}
