//! The plan on a terminal: one screen for a small repository.

use std::io;

use super::shared::{
    Step, changed_lines, count, effects, headline, settled_images, shown, steps, tags,
};
use crate::migrate::plan::{Image, Plan, Repository, Step as Todo};
use crate::report::{Style, escape};

/// Files and changed lines beyond these are counted, not shown.
const MOST_FILES: usize = 8;
const MOST_LINES: usize = 12;

/// Writes the plan for people in front of a terminal. `next` are lines about what to do now.
///
/// # Errors
/// Those of `out`.
pub fn write(
    plan: &Plan,
    style: Style,
    next: &[String],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let screen = Screen { style };
    for (index, repository) in plan.repositories.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        screen.repository(repository, plan.applied, out)?;
    }
    if plan.repositories.is_empty() {
        writeln!(out, "No repository has a file that tagwright reads.")?;
    }
    if !next.is_empty() {
        writeln!(out)?;
    }
    for line in next {
        writeln!(out, "{}", escape(line))?;
    }
    Ok(())
}

struct Screen {
    style: Style,
}

impl Screen {
    fn bold(&self, text: &str) -> String {
        self.painted("1", text)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        let text = escape(text);
        if self.style.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.into_owned()
        }
    }

    fn arrow(&self) -> &'static str {
        if self.style.unicode { "→" } else { "->" }
    }

    /// The text, shortened to the width that is left after `used` columns.
    fn fit(&self, text: &str, used: usize) -> String {
        let width = self.style.width.saturating_sub(used).max(20);
        if text.chars().count() <= width {
            return text.to_owned();
        }
        // What changes is mostly at the end: the tag.
        let characters: Vec<char> = text.chars().collect();
        let kept = width - 3;
        let (start, end) = (kept / 3, kept - kept / 3);
        let start: String = characters[..start].iter().collect();
        let end: String = characters[characters.len() - end..].iter().collect();
        format!("{start}...{end}")
    }

    fn repository(
        &self,
        plan: &Repository,
        applied: bool,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let headline = headline(plan, applied);
        writeln!(out, "{}: {headline}", self.bold(&plan.name))?;
        for image in shown(plan) {
            self.image(image, out)?;
        }
        let settled = settled_images(plan);
        if settled > 0 && shown(plan).next().is_some() {
            writeln!(
                out,
                "\n{} without a floating tag: see --report",
                count(settled, "other image")
            )?;
        }
        self.edits(plan, out)?;
        self.left(plan, out)?;
        self.todo(&plan.steps, out)
    }

    fn image(&self, image: &Image, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "\n{}", self.bold(&self.fit(&image.name, 0)))?;
        let steps = steps(image);
        let rows = steps.iter().filter_map(|step| {
            let place = step.place()?;
            Some([
                place.action.verb().to_owned(),
                format!("{}:{}", place.path, place.line),
                self.change(&tags(step.today), &after(step)),
            ])
        });
        self.table(&rows.collect::<Vec<_>>(), out)?;
        let rows = image.builds.iter().map(|build| {
            let [pushes, deploys] = effects(build);
            let title = build.title.to_owned();
            let pushed = self.change(&pushes.0, &pushes.1);
            if pushes == deploys {
                return [title, format!("pushes and deploys {pushed}"), String::new()];
            }
            let deployed = self.change(&deploys.0, &deploys.1);
            [
                title,
                format!("pushes {pushed}"),
                format!("deploys {deployed}"),
            ]
        });
        writeln!(out)?;
        self.table(&rows.collect::<Vec<_>>(), out)
    }

    fn change(&self, today: &str, afterwards: &str) -> String {
        if today == afterwards {
            today.to_owned()
        } else {
            format!("{today} {} {afterwards}", self.arrow())
        }
    }

    fn table(&self, rows: &[[String; 3]], out: &mut dyn io::Write) -> io::Result<()> {
        let width = |column: usize| {
            let widths = rows.iter().map(|row| escape(&row[column]).chars().count());
            widths.max().unwrap_or(0)
        };
        let (first, second) = (width(0), width(1));
        for [one, two, three] in rows {
            let line = format!(
                "  {:first$}  {:second$}  {}",
                escape(one),
                escape(two),
                escape(three)
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn edits(&self, plan: &Repository, out: &mut dyn io::Write) -> io::Result<()> {
        if plan.files.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.bold("Edits"))?;
        for file in plan.files.iter().take(MOST_FILES) {
            writeln!(
                out,
                "  {}  +{} -{}",
                escape(&file.path),
                file.added,
                file.removed
            )?;
            let lines = changed_lines(&file.diff);
            if lines.definition > 0 {
                let text = format!(
                    "+ ({} that set the branch variable)",
                    count(lines.definition, "line")
                );
                writeln!(out, "    {}", self.painted("32", &text))?;
            }
            for line in lines.changed.iter().take(MOST_LINES) {
                let (sign, text) = line.split_at(1);
                let code = if sign == "+" { "32" } else { "31" };
                // The dash of the list would look like the sign of a removed line.
                let text = text.trim();
                let text = text.strip_prefix("- ").unwrap_or(text);
                let text = format!("{sign} {}", self.fit(text, 6));
                writeln!(out, "    {}", self.painted(code, &text))?;
            }
            let more = lines.changed.len().saturating_sub(MOST_LINES);
            if more > 0 {
                writeln!(out, "    ... {}", count(more, "more line"))?;
            }
        }
        let more = plan.files.len().saturating_sub(MOST_FILES);
        if more > 0 {
            writeln!(out, "  ... {}", count(more, "more file"))?;
        }
        Ok(())
    }

    fn left(&self, plan: &Repository, out: &mut dyn io::Write) -> io::Result<()> {
        if plan.left.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.bold("Not settled by an edit"))?;
        for left in &plan.left {
            let code = left
                .refusal
                .as_ref()
                .map_or(String::new(), |it| format!(" ({})", it.code));
            writeln!(
                out,
                "  {}:{}: {}[{}]{code} {}",
                escape(&left.path),
                left.line,
                left.severity,
                left.rule,
                escape(&left.message)
            )?;
            if let Some(refusal) = &left.refusal {
                writeln!(out, "    why: {}", escape(&refusal.reason))?;
                writeln!(out, "    do:  {}", escape(&refusal.change))?;
            }
        }
        Ok(())
    }

    fn todo(&self, steps: &[Todo], out: &mut dyn io::Write) -> io::Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{}",
            self.bold("Left for people (outside of this repository, once)")
        )?;
        for (number, step) in (1..).zip(steps) {
            let lines: Vec<&str> = step.text.lines().collect();
            let text = match lines.as_slice() {
                [only] if step.language == "sh" => only,
                [.., last] if step.kind == "mutable-repository" => last,
                _ => "",
            };
            let title = format!("  {number}. {}", step.title);
            if text.is_empty() {
                writeln!(out, "{}", escape(&title))?;
            } else {
                writeln!(out, "{}:\n     {}", escape(&title), escape(text))?;
            }
        }
        Ok(())
    }
}

fn after(step: &Step<'_>) -> String {
    tags(step.afterwards)
}
