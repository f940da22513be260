//! For each reason against an edit, the smallest change by which there would be one.

use tagwright_diagnostics::RefusalCode;

/// The smallest change by which an edit would not be refused for this reason. `place` is where the change has to be
/// made: a file and a line.
#[must_use]
pub fn smallest_change(code: RefusalCode, place: &str, variable: &str) -> String {
    match code {
        RefusalCode::NotExpanded => format!(
            "Nothing expands a variable at {place}. Deploy from the buildspec with the tag as an argument (`kubectl set image`, `helm --set`, `--image-uri`), or put a placeholder there that the buildspec replaces before it deploys."
        ),
        RefusalCode::Quoted => {
            format!(
                "At {place}, put the reference in double quotes, or end the single quotes before the tag."
            )
        }
        RefusalCode::Template => {
            format!(
                "Let the template at {place} take the tag as a variable of its own language, and pass it from the build."
            )
        }
        RefusalCode::InsideAnotherFile => format!(
            "Move the buildspec at {place} to a file of its own and name that file in the project (`BuildSpec: buildspec.yml`)."
        ),
        RefusalCode::LeftBehind => format!(
            "At {place}, take the tag from the build (an argument, a variable, a placeholder that the buildspec fills in), or delete the line if nothing uses it. Then run `tagwright migrate` again."
        ),
        RefusalCode::BranchUnknown => {
            format!(
                "Set {variable} before {place}: in the project, in the pipeline's action, or in a command that runs earlier."
            )
        }
        RefusalCode::NoPlace => {
            format!(
                "At {place}, write `commands` as a list with one command per item, so that a command can be inserted."
            )
        }
        RefusalCode::Unnamed => format!(
            "Build the image under the name that {place} pushes: `docker build -t NAME:TAG`, or `docker tag` before the push."
        ),
        RefusalCode::NotPushed => format!(
            "Push the image in this repository under a tag that {place} can name, or pass the tag to this repository's build as a variable."
        ),
        RefusalCode::IgnoredPlace => {
            format!(
                "Remove the comment `# tagwright: ignore…` at {place}, or the entry in the baseline."
            )
        }
        RefusalCode::NotSelected => "Run `tagwright migrate` on the whole repository.".to_owned(),
        RefusalCode::Uncertain => {
            format!(
                "At {place}, write the image as one plain word: `REPOSITORY:TAG`, with a variable for the tag if there is one."
            )
        }
        RefusalCode::SharedVariable => {
            format!("At {place}, give the image's tag a variable that nothing else reads.")
        }
        RefusalCode::Strategy => {
            format!(
                "Decide how branches are kept apart (`[tag] strategy` in tagwright.toml), and change {place} accordingly."
            )
        }
        RefusalCode::YourDecision => format!("Decide at {place}; the message says between what."),
        RefusalCode::UnsupportedForm => {
            format!(
                "At {place}, write the command in POSIX sh, with the image as a plain argument."
            )
        }
        RefusalCode::CoveredElsewhere => {
            "Settle the other findings about this image; this one goes with them.".to_owned()
        }
        RefusalCode::Unreadable => {
            format!("Repair {place} first: the file cannot be read to its end.")
        }
        RefusalCode::NothingToChange => {
            format!("Nothing at {place} can be edited; change what the build or the project does.")
        }
        RefusalCode::CannotEdit | RefusalCode::Conflict => {
            format!("Write the value at {place} on one line, without escapes, anchors or tags.")
        }
        RefusalCode::ProofParses
        | RefusalCode::ProofTree
        | RefusalCode::ProofWords
        | RefusalCode::ProofBytes => {
            format!(
                "Make the edit at {place} yourself; tagwright could not prove that its own is exact."
            )
        }
        RefusalCode::ProofFindings => {
            format!(
                "Settle the finding that the edit would cause at {place}, then run `tagwright migrate` again."
            )
        }
        RefusalCode::NotTried => "Run `tagwright migrate` again.".to_owned(),
        RefusalCode::InternalError => {
            "Report this as a bug of tagwright, with the file.".to_owned()
        }
    }
}
