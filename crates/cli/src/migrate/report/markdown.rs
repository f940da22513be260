//! The plan as the text of a pull request.

use std::io::{self, Write};

use super::shared::{count, effects, headline, settled_images, shown, steps, tags};
use crate::migrate::plan::{Image, Plan, Repository};

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    for (index, repository) in plan.repositories.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        one(repository, plan.applied, plan.repositories.len() > 1, out)?;
    }
    Ok(())
}

fn one(plan: &Repository, applied: bool, named: bool, out: &mut dyn Write) -> io::Result<()> {
    if named {
        writeln!(out, "# {}: image tags by branch\n", text(&plan.name))?;
    } else {
        writeln!(out, "# Image tags by branch instead of `latest`\n")?;
    }
    writeln!(out, "{}\n", headline(plan, applied))?;
    if shown(plan).next().is_some() {
        writeln!(
            out,
            "`latest` is one name for all branches: whoever pushed last decides what it is, and a deployment of one branch can start the image of another. With a tag for each branch, a build deploys what it has pushed.\n"
        )?;
    }
    for image in shown(plan) {
        self::image(image, out)?;
    }
    let settled = settled_images(plan);
    if settled > 0 {
        writeln!(
            out,
            "{} without a floating tag.\n",
            count(settled, "other image")
        )?;
    }
    edits(plan, out)?;
    left(plan, out)?;
    todo(plan, out)?;
    writeln!(
        out,
        "<sub>Made by `tagwright migrate`. Every edit was proved: both YAML readers accept the files, and nothing but the listed lines changes.</sub>"
    )
}

fn image(image: &Image, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}\n", code(&image.name))?;
    writeln!(out, "| | place | today | afterwards |\n|---|---|---|---|")?;
    for step in steps(image) {
        let Some(place) = step.place() else { continue };
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            place.action.verb(),
            code(&format!("{}:{}", place.path, place.line)),
            code(&tags(step.today)),
            code(&tags(step.afterwards)),
        )?;
    }
    writeln!(out, "\n| started by | pushes | deploys |\n|---|---|---|")?;
    for build in &image.builds {
        let [pushes, deploys] = effects(build);
        writeln!(
            out,
            "| {} | {} | {} |",
            build.title,
            change(&pushes),
            change(&deploys)
        )?;
    }
    writeln!(out)?;
    chart(image, out)
}

fn change((today, afterwards): &(String, String)) -> String {
    if today == afterwards {
        code(today)
    } else {
        format!("{} → {}", code(today), code(afterwards))
    }
}

/// The ways of an image from the branches to what is deployed, today and afterwards.
fn chart(image: &Image, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<details><summary>As a picture</summary>\n")?;
    writeln!(out, "```mermaid\nflowchart LR")?;
    for (period, title) in [("t", "today"), ("a", "afterwards")] {
        writeln!(out, "  subgraph {period}[{title}]")?;
        let mut tags: Vec<&String> = Vec::new();
        for (way, build) in image.builds.iter().enumerate() {
            let effect = if period == "t" {
                &build.today
            } else {
                &build.afterwards
            };
            writeln!(out, "    {period}w{way}([\"{}\"])", label(build.title))?;
            if effect.stops {
                writeln!(
                    out,
                    "    {period}w{way} --> {period}x{way}[[\"the build fails\"]]"
                )?;
                continue;
            }
            for tag in &effect.pushes {
                let at = index(&mut tags, tag);
                writeln!(
                    out,
                    "    {period}w{way} -->|pushes| {period}i{at}[(\"{}\")]",
                    label(tag)
                )?;
            }
            for tag in &effect.deploys {
                let at = index(&mut tags, tag);
                writeln!(
                    out,
                    "    {period}i{at}[(\"{}\")] -->|deployed| {period}d{way}[\"running after {}\"]",
                    label(tag),
                    label(build.title)
                )?;
            }
        }
        writeln!(out, "  end")?;
    }
    writeln!(out, "```\n\n</details>\n")
}

fn index<'t>(tags: &mut Vec<&'t String>, wanted: &'t String) -> usize {
    match tags.iter().position(|tag| *tag == wanted) {
        Some(at) => at,
        None => {
            tags.push(wanted);
            tags.len() - 1
        }
    }
}

fn edits(plan: &Repository, out: &mut dyn Write) -> io::Result<()> {
    if plan.files.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Edits\n")?;
    let outside = plan
        .settled
        .iter()
        .filter(|it| it.applicability == "unsafe")
        .count();
    if outside > 0 {
        writeln!(
            out,
            "{} of these edits {} right only if nothing outside this repository reads the old tag.\n",
            outside,
            if outside == 1 { "is" } else { "are" }
        )?;
    }
    for file in &plan.files {
        writeln!(
            out,
            "<details><summary>{} (+{} −{})</summary>\n",
            html(&file.path),
            file.added,
            file.removed
        )?;
        block("diff", &file.diff, out)?;
        writeln!(out, "\n</details>\n")?;
    }
    Ok(())
}

fn left(plan: &Repository, out: &mut dyn Write) -> io::Result<()> {
    if plan.left.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Not settled by an edit\n")?;
    for left in &plan.left {
        writeln!(
            out,
            "- {} `{}`: {}",
            code(&format!("{}:{}", left.path, left.line)),
            left.rule,
            text(&left.message)
        )?;
        if let Some(refusal) = &left.refusal {
            writeln!(
                out,
                "  - Why (`{}`): {}",
                refusal.code,
                text(&refusal.reason)
            )?;
            writeln!(out, "  - Smallest change: {}", text(&refusal.change))?;
        }
    }
    writeln!(out)
}

fn todo(plan: &Repository, out: &mut dyn Write) -> io::Result<()> {
    if plan.steps.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## Left for people\n\nOnce, outside of this repository:\n"
    )?;
    for (number, step) in (1..).zip(&plan.steps) {
        writeln!(
            out,
            "{number}. **{}.** {}\n",
            text(&step.title),
            text(&step.why)
        )?;
        let indented: Vec<String> = step.text.lines().map(|line| format!("   {line}")).collect();
        writeln!(
            out,
            "   ```{}\n{}\n   ```\n",
            step.language,
            indented.join("\n")
        )?;
    }
    Ok(())
}

/// A fenced block; its fence is longer than any in the text.
fn block(language: &str, body: &str, out: &mut dyn Write) -> io::Result<()> {
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    write!(out, "{fence}{language}\n{body}")?;
    if !body.ends_with('\n') {
        writeln!(out)?;
    }
    writeln!(out, "{fence}")
}

/// The text as code in a line or in a cell of a table.
fn code(text: &str) -> String {
    if text == "-" {
        return "–".to_owned();
    }
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Text outside of code: what stands in backticks stays code, and nothing else is markup.
fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_code = false;
    let balanced = text.matches('`').count().is_multiple_of(2);
    for character in text.chars() {
        match character {
            '`' if balanced => {
                in_code = !in_code;
                shown.push('`');
            }
            '\n' | '\r' => shown.push(' '),
            '<' if !in_code => shown.push_str("&lt;"),
            '\\' | '*' | '_' | '[' | ']' | '#' | '`' if !in_code => shown.extend(['\\', character]),
            other => shown.push(other),
        }
    }
    shown
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text inside a quoted Mermaid label.
fn label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => label.push_str("#quot;"),
            '#' => label.push_str("#35;"),
            '<' => label.push_str("#lt;"),
            '>' => label.push_str("#gt;"),
            '\n' | '\r' => label.push(' '),
            other => label.push(other),
        }
    }
    label
}
