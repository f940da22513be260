//! The plan as one page of HTML: no network, no script, readable by keyboard and in print.

use std::io::{self, Write};

use super::markup::escape;
use super::picture;
use super::shared::{count, effects, headline, settled_images, shown, steps, tags};
use crate::migrate::plan::{Image, Left, Plan, Repository};

const STYLE: &str = include_str!("style.css");

pub(super) fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let title = match plan.repositories.as_slice() {
        [only] => format!("{}: image tags by branch", only.name),
        _ => "Image tags by branch".to_owned(),
    };
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#plan\">Skip to the plan</a>",
        escape(&title)
    )?;
    writeln!(out, "<header>\n<h1>{}</h1>", escape(&title))?;
    if let [only] = plan.repositories.as_slice() {
        writeln!(
            out,
            "<p class=\"lead\">{}</p>",
            text(&headline(only, plan.applied))
        )?;
    }
    let written = if plan.applied {
        "The edits were written."
    } else {
        "Nothing was written yet: <code>tagwright migrate --apply</code> makes the edits."
    };
    writeln!(out, "<p class=\"muted\">{written}</p>\n</header>")?;
    contents(plan, out)?;
    writeln!(out, "<main id=\"plan\">")?;
    for (index, repository) in plan.repositories.iter().enumerate() {
        one(repository, index, plan, out)?;
    }
    writeln!(out, "</main>\n</body>\n</html>")
}

/// The repositories, where there are several.
fn contents(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.repositories.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<nav aria-label=\"Repositories\"><ul>")?;
    for (index, repository) in plan.repositories.iter().enumerate() {
        writeln!(
            out,
            "<li><a href=\"#r{index}\">{}</a>: {}</li>",
            escape(&repository.name),
            text(&headline(repository, plan.applied))
        )?;
    }
    writeln!(out, "</ul></nav>")
}

fn one(repository: &Repository, index: usize, plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.repositories.len() > 1 {
        writeln!(
            out,
            "<section id=\"r{index}\" aria-labelledby=\"r{index}h\">"
        )?;
        writeln!(
            out,
            "<h2 id=\"r{index}h\">{}</h2>",
            escape(&repository.name)
        )?;
        writeln!(
            out,
            "<p class=\"lead\">{}</p>",
            text(&headline(repository, plan.applied))
        )?;
    } else {
        writeln!(out, "<section id=\"r{index}\">")?;
    }
    if shown(repository).next().is_some() {
        writeln!(out, "<h2>Images</h2>")?;
    }
    for (number, image) in shown(repository).enumerate() {
        self::image(image, &format!("r{index}i{number}"), out)?;
    }
    let settled = settled_images(repository);
    if settled > 0 {
        let images = repository
            .images
            .iter()
            .filter(|image| !image.moves && !image.floats);
        let names: Vec<String> = images
            .map(|image| format!("<li><code>{}</code></li>", escape(&image.name)))
            .collect();
        writeln!(
            out,
            "<details><summary>{} without a floating tag</summary><ul>{}</ul></details>",
            count(settled, "other image"),
            names.concat()
        )?;
    }
    edits(repository, out)?;
    left(repository, out)?;
    todo(repository, out)?;
    writeln!(out, "</section>")
}

fn image(image: &Image, id: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<article aria-labelledby=\"{id}\">")?;
    writeln!(
        out,
        "<h3 id=\"{id}\"><code>{}</code></h3>",
        escape(&image.name)
    )?;
    writeln!(out, "<div class=\"pictures\">")?;
    for (title, afterwards) in [("Today", false), ("Afterwards", true)] {
        writeln!(out, "<figure><figcaption>{title}</figcaption>")?;
        picture::draw(
            image,
            afterwards,
            &format!("{id}{}", u8::from(afterwards)),
            out,
        )?;
        writeln!(out, "</figure>")?;
    }
    writeln!(out, "</div>")?;
    writeln!(
        out,
        "<table class=\"stack\"><caption>What builds will do</caption>\n<thead><tr><th scope=\"col\">Started by</th><th scope=\"col\">Pushes</th><th scope=\"col\">Deploys</th></tr></thead>\n<tbody>"
    )?;
    for build in &image.builds {
        let [pushes, deploys] = effects(build);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td data-head=\"Pushes\">{}</td><td data-head=\"Deploys\">{}</td></tr>",
            escape(build.title),
            change(&pushes),
            change(&deploys)
        )?;
    }
    writeln!(out, "</tbody></table>")?;
    writeln!(
        out,
        "<table class=\"stack\"><caption>Who does it</caption>\n<thead><tr><th scope=\"col\">Place</th><th scope=\"col\">Action</th><th scope=\"col\">Tag</th></tr></thead>\n<tbody>"
    )?;
    for step in steps(image) {
        let Some(place) = step.place() else { continue };
        writeln!(
            out,
            "<tr><th scope=\"row\"><code>{}:{}</code></th><td data-head=\"Action\">{} <span class=\"muted\">({})</span></td><td data-head=\"Tag\">{}</td></tr>",
            escape(&place.path),
            place.line,
            place.action.verb(),
            escape(&place.tool),
            change(&(tags(step.today), tags(step.afterwards)))
        )?;
    }
    writeln!(out, "</tbody></table>\n</article>")
}

fn change((today, afterwards): &(String, String)) -> String {
    let shown = |tags: &str| match tags {
        "-" => "<span class=\"muted\">nothing</span>".to_owned(),
        tags => format!("<code>{}</code>", escape(tags)),
    };
    if today == afterwards {
        shown(today)
    } else {
        format!(
            "{} <span aria-label=\"becomes\">→</span> {}",
            shown(today),
            shown(afterwards)
        )
    }
}

fn edits(plan: &Repository, out: &mut dyn Write) -> io::Result<()> {
    if plan.files.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Edits</h2>")?;
    let outside = plan
        .settled
        .iter()
        .filter(|it| it.applicability == "unsafe")
        .count();
    if outside > 0 {
        writeln!(
            out,
            "<p>{} right only if nothing outside this repository reads the old tag.</p>",
            if outside == 1 {
                "One of these edits is".to_owned()
            } else {
                format!("{outside} of these edits are")
            }
        )?;
    }
    // One file is what everybody wants to see at once.
    let open = if plan.files.len() == 1 { " open" } else { "" };
    for file in &plan.files {
        writeln!(
            out,
            "<details{open}><summary><code>{}</code> (+{} −{})</summary>",
            escape(&file.path),
            file.added,
            file.removed
        )?;
        write!(
            out,
            "<pre class=\"diff\" tabindex=\"0\" role=\"region\" aria-label=\"Changes of {}\"><code>",
            escape(&file.path)
        )?;
        for line in file.diff.lines() {
            let class = match line.as_bytes().first() {
                Some(b'+') if !line.starts_with("+++") => "added",
                Some(b'-') if !line.starts_with("---") => "removed",
                Some(b'@' | b'+' | b'-' | b'\\') => "range",
                _ => "same",
            };
            // An element of no height would swallow an empty line.
            let line = if line.is_empty() { " " } else { line };
            write!(out, "<span class=\"{class}\">{}</span>", escape(line))?;
        }
        writeln!(out, "</code></pre></details>")?;
    }
    Ok(())
}

fn left(plan: &Repository, out: &mut dyn Write) -> io::Result<()> {
    if plan.left.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Not settled by an edit</h2>")?;
    for Left {
        rule,
        severity,
        path,
        line,
        message,
        refusal,
    } in &plan.left
    {
        writeln!(
            out,
            "<div class=\"left\"><p><span class=\"badge\">{severity}</span> <code>{}:{line}</code> <span class=\"muted\">{rule}</span><br>{}</p>",
            escape(path),
            text(message)
        )?;
        if let Some(refusal) = refusal {
            writeln!(
                out,
                "<p><strong>Why there is no edit</strong> <span class=\"muted\">({})</span>: {}</p><p><strong>Smallest change:</strong> {}</p>",
                refusal.code,
                text(&refusal.reason),
                text(&refusal.change)
            )?;
        }
        writeln!(out, "</div>")?;
    }
    Ok(())
}

fn todo(plan: &Repository, out: &mut dyn Write) -> io::Result<()> {
    if plan.steps.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Left for people</h2>\n<p>Once, outside of this repository:</p>\n<ol class=\"steps\">"
    )?;
    for step in &plan.steps {
        writeln!(
            out,
            "<li><strong>{}</strong><br>{}\n<pre tabindex=\"0\" role=\"region\" aria-label=\"{}\"><code>{}</code></pre></li>",
            text(&step.title),
            text(&step.why),
            escape(&step.title),
            escape(&step.text)
        )?;
    }
    writeln!(out, "</ol>")
}

/// Text in which backticks stand around code.
fn text(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let shown = parts.iter().enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            format!("<code>{}</code>", escape(part))
        } else {
            escape(part)
        }
    });
    shown.collect()
}
