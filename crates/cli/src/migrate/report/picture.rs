//! The way of an image from what starts a build to what is deployed, as SVG: a lane for each start, which meet where
//! several builds push one tag.

use std::io::{self, Write};

use super::markup::{escape, list};
use crate::migrate::plan::{Action, Effect, Image, Place};

/// The columns, in units of the picture: what starts the build, the tag, the deployment.
const STARTS: (u32, u32) = (2, 100);
const TAGS: (u32, u32) = (134, 132);
const DEPLOYMENTS: (u32, u32) = (300, 66);
const WIDTH: u32 = 368;

/// Where the lanes begin, and how high one is.
const TOP: u32 = 44;
const LANE: u32 = 46;
const BOX: u32 = 34;

/// Characters of a tag in one line.
const LINE: usize = 18;

/// Draws one image, today or afterwards. `id` is unique in the page.
pub(super) fn draw(
    image: &Image,
    afterwards: bool,
    id: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let effects: Vec<&Effect> = image
        .builds
        .iter()
        .map(|build| {
            if afterwards {
                &build.afterwards
            } else {
                &build.today
            }
        })
        .collect();
    let places = if afterwards {
        &image.afterwards
    } else {
        &image.today
    };
    let tags = tags(&effects);
    let rows = u32::try_from(effects.len().max(tags.len())).unwrap_or(1);
    let height = TOP + rows * LANE;
    writeln!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">{} of {}</title><desc id=\"{id}d\">{}</desc>",
        if afterwards {
            "The builds afterwards"
        } else {
            "The builds today"
        },
        escape(&image.name),
        escape(&description(image, &effects))
    )?;
    writeln!(
        out,
        "<defs><marker id=\"{id}m\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 0 8 4 0 8z\" style=\"fill:context-stroke;stroke:none\"/></marker></defs>"
    )?;
    head(STARTS.0, "started by", None, out)?;
    head(TAGS.0, "pushed by", by(places, &[Action::Push]), out)?;
    head(
        DEPLOYMENTS.0,
        "deployed by",
        by(places, &[Action::Record, Action::Deploy]),
        out,
    )?;
    arrows(&effects, &tags, id, out)?;
    ends(image, &effects, rows, out)?;
    for (index, tag) in tags.iter().enumerate() {
        let y = middle(index, rows, tags.len());
        let class = format!("pill {}", class(tag, &effects));
        writeln!(out, "<g><title>{}</title>", escape(tag))?;
        rectangle(TAGS, y, BOX / 2, &class, out)?;
        lines(TAGS, y, &wrapped(tag), "tag", out)?;
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")
}

/// The boxes at both ends of the lanes.
fn ends(image: &Image, effects: &[&Effect], rows: u32, out: &mut dyn Write) -> io::Result<()> {
    for (lane, (build, effect)) in image.builds.iter().zip(effects).enumerate() {
        let y = middle(lane, rows, effects.len());
        rectangle(STARTS, y, 6, "box", out)?;
        lines(STARTS, y, &start(build.start), "", out)?;
        if !effect.deploys.is_empty() && !effect.stops {
            rectangle(DEPLOYMENTS, y, 6, "box", out)?;
            lines(DEPLOYMENTS, y, &["deployed".to_owned()], "", out)?;
        }
    }
    Ok(())
}

/// The tags that builds push or deploy, each once, in the order of the lanes.
fn tags(effects: &[&Effect]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for effect in effects {
        if effect.stops {
            tags.push("(the build fails)".to_owned());
        }
        for tag in effect.pushes.iter().chain(&effect.deploys) {
            if !effect.stops && !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
    }
    tags.dedup();
    tags
}

/// The colour of a tag: that of the lane that alone pushes or deploys it, or that of a clash.
fn class(tag: &str, effects: &[&Effect]) -> String {
    let of = |effect: &&Effect| {
        effect
            .pushes
            .iter()
            .chain(&effect.deploys)
            .any(|known| known == tag)
    };
    let lanes: Vec<usize> = (0..effects.len())
        .filter(|lane| of(&effects[*lane]))
        .collect();
    match lanes.as_slice() {
        [] => "lane-3".to_owned(),
        [only] => format!("lane-{}", only % 4),
        // A commit and a build id differ from build to build, whatever started it.
        _ if tag.contains('<') || tag.contains("0123456") => "own".to_owned(),
        _ => "shared".to_owned(),
    }
}

/// The vertical middle of the row `index` of `count`, spread over `rows` lanes.
fn middle(index: usize, rows: u32, count: usize) -> u32 {
    let (index, count) = (
        u32::try_from(index).unwrap_or(0),
        u32::try_from(count).unwrap_or(1).max(1),
    );
    TOP + (rows * LANE * (2 * index + 1)) / (2 * count)
}

fn arrows(effects: &[&Effect], tags: &[String], id: &str, out: &mut dyn Write) -> io::Result<()> {
    let rows = u32::try_from(effects.len().max(tags.len())).unwrap_or(1);
    for (lane, effect) in effects.iter().enumerate() {
        let y = middle(lane, rows, effects.len());
        let at = |tag: &str| {
            let index = tags.iter().position(|known| known == tag)?;
            Some(middle(index, rows, tags.len()))
        };
        let pushed: Vec<&str> = if effect.stops {
            vec!["(the build fails)"]
        } else {
            effect.pushes.iter().map(String::as_str).collect()
        };
        for to in pushed.into_iter().filter_map(at) {
            arrow((STARTS.0 + STARTS.1, y), (TAGS.0, to), lane, id, out)?;
        }
        if effect.stops {
            continue;
        }
        for from in effect.deploys.iter().filter_map(|tag| at(tag)) {
            arrow((TAGS.0 + TAGS.1, from), (DEPLOYMENTS.0, y), lane, id, out)?;
        }
    }
    Ok(())
}

fn arrow(
    from: (u32, u32),
    to: (u32, u32),
    lane: usize,
    id: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bend = u32::midpoint(from.0, to.0);
    writeln!(
        out,
        "<path class=\"lane-{}\" d=\"M{} {} C{bend} {} {bend} {} {} {}\" marker-end=\"url(#{id}m)\"/>",
        lane % 4,
        from.0,
        from.1,
        from.1,
        to.1,
        to.0 - 1,
        to.1
    )
}

fn rectangle(
    (x, width): (u32, u32),
    middle: u32,
    radius: u32,
    class: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{BOX}\" rx=\"{radius}\"/>",
        middle - BOX / 2
    )
}

/// One or two lines in the middle of a box.
fn lines(
    (x, width): (u32, u32),
    middle: u32,
    lines: &[String],
    class: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let first = match lines.len() {
        1 => middle + 4,
        _ => middle - 2,
    };
    for (y, line) in (0..).map(|line| first + line * 13).zip(lines) {
        writeln!(
            out,
            "<text class=\"{class}\" x=\"{}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
            x + width / 2,
            escape(line)
        )?;
    }
    Ok(())
}

fn head(x: u32, title: &str, by: Option<String>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<text class=\"head\" x=\"{x}\" y=\"12\">{title}</text>"
    )?;
    if let Some(by) = by {
        writeln!(
            out,
            "<text class=\"head\" x=\"{x}\" y=\"25\">{}</text>",
            escape(&by)
        )?;
    }
    Ok(())
}

/// The file and the line of the first place with one of these actions, and how many others there are.
fn by(places: &[Place], actions: &[Action]) -> Option<String> {
    let mut found = places
        .iter()
        .filter(|place| actions.contains(&place.action));
    let first = found.next()?;
    let name = first.path.rsplit('/').next().unwrap_or(&first.path);
    let more = found.count();
    // The last column has room for half of what the others have.
    let longest = if actions.contains(&Action::Push) {
        26
    } else {
        12
    };
    let place = format!("{name}:{}", first.line);
    let place = if place.chars().count() > longest {
        format!("line {}", first.line)
    } else {
        place
    };
    Some(if more > 0 {
        format!("{place} +{more}")
    } else {
        place
    })
}

/// What starts the builds of a lane, in at most two lines.
fn start(name: &str) -> Vec<String> {
    let lines: &[&str] = match name {
        "main" => &["push to main"],
        "feature/x" => &["push to", "feature/x"],
        "pr-7" => &["pull request 7"],
        "pipeline-without-branch" => &["pipeline,", "no branch"],
        other => &[other],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// A tag in at most two lines; what is longer is cut in its middle.
fn wrapped(tag: &str) -> Vec<String> {
    let characters: Vec<char> = tag.chars().collect();
    if characters.len() <= LINE {
        return vec![tag.to_owned()];
    }
    let text = |characters: &[char]| characters.iter().collect::<String>();
    if characters.len() <= 2 * LINE {
        // Better between two words than at the last possible place.
        let is_end = |at: &usize| matches!(characters[at - 1], '-' | '_' | '.');
        let fits = |at: &usize| *at <= LINE && characters.len() - at <= LINE;
        let at = (1..characters.len())
            .rev()
            .find(|at| fits(at) && is_end(at));
        let at = at.unwrap_or(LINE);
        return vec![text(&characters[..at]), text(&characters[at..])];
    }
    let start = text(&characters[..LINE - 1]);
    let end = text(&characters[characters.len() - (LINE - 1)..]);
    vec![format!("{start}…"), format!("…{end}")]
}

fn description(image: &Image, effects: &[&Effect]) -> String {
    let said = image.builds.iter().zip(effects).map(|(build, effect)| {
        if effect.stops {
            return format!("{}: the build fails.", build.title);
        }
        format!(
            "{}: pushes {}, deploys {}.",
            build.title,
            list(&effect.pushes),
            list(&effect.deploys)
        )
    });
    said.collect::<Vec<_>>().join(" ")
}
