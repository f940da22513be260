//! For each reason against an edit, the smallest change by which there would be one.

use tagwright_diagnostics::RefusalCode;

/// The smallest change by which an edit would not be refused for this reason. `place` is where the change has to be
/// made, a file and a line; `variable` is the branch variable.
#[must_use]
pub fn smallest_change(code: RefusalCode, place: &str, variable: &str) -> String {
    let change = template(code).replace("VARIABLE", variable);
    change.replace("PLACE", place)
}

/// The change, with `PLACE` and `VARIABLE` to be filled in.
fn template(code: RefusalCode) -> &'static str {
    use RefusalCode as Code;
    match code {
        Code::NotExpanded => {
            "Nothing expands a variable at PLACE. Deploy from the buildspec with the tag as an argument (`kubectl set image`, `helm --set`, `--image-uri`), or put a placeholder there that the buildspec replaces before it deploys."
        }
        Code::Quoted => {
            "At PLACE, put the reference in double quotes, or end the single quotes before the tag."
        }
        Code::Template => {
            "Let the template at PLACE take the tag as a variable of its own language, and pass it from the build."
        }
        Code::InsideAnotherFile => {
            "Move the buildspec at PLACE to a file of its own and name that file in the project (`BuildSpec: buildspec.yml`)."
        }
        Code::LeftBehind => {
            "At PLACE, take the tag from the build (an argument, a variable, a placeholder that the buildspec fills in), or delete the line if nothing uses it. Then run `tagwright migrate` again."
        }
        Code::BranchUnknown => {
            "Set VARIABLE before PLACE: in the project, in the pipeline's action, or in a command that runs earlier."
        }
        Code::NoPlace => {
            "At PLACE, write `commands` as a list with one command per item, so that a command can be inserted."
        }
        Code::Unnamed => {
            "Build the image under the name that PLACE pushes: `docker build -t NAME:TAG`, or `docker tag` before the push."
        }
        Code::NotPushed => {
            "Push the image in this repository under a tag that PLACE can name, or pass the tag to this repository's build as a variable."
        }
        Code::IgnoredPlace => {
            "Remove the comment `# tagwright: ignore…` at PLACE, or the entry in the baseline."
        }
        Code::NotSelected => "Run `tagwright migrate` on the whole repository.",
        Code::Uncertain => {
            "At PLACE, write the image as one plain word: `REPOSITORY:TAG`, with a variable for the tag if there is one."
        }
        Code::SharedVariable => {
            "At PLACE, give the image's tag a variable that nothing else reads."
        }
        Code::Strategy => {
            "Decide how branches are kept apart (`[tag] strategy` in tagwright.toml), and change PLACE accordingly."
        }
        Code::YourDecision => "Decide at PLACE; the reason says between what.",
        Code::UnsupportedForm => {
            "At PLACE, write the command in POSIX sh, with the image as a plain argument."
        }
        Code::CoveredElsewhere => {
            "Settle the other findings about this image; this one goes with them."
        }
        Code::Unreadable => "Repair PLACE first: the file cannot be read to its end.",
        Code::NothingToChange => {
            "Nothing at PLACE can be edited; change what the build or the project does."
        }
        Code::CannotEdit | Code::Conflict => {
            "Write the value at PLACE on one line, without escapes, anchors or tags."
        }
        Code::ProofParses | Code::ProofTree | Code::ProofWords | Code::ProofBytes => {
            "Make the edit at PLACE yourself; tagwright could not prove that its own is exact."
        }
        Code::ProofFindings => {
            "Settle the finding that the edit would cause at PLACE, then run `tagwright migrate` again."
        }
        Code::NotTried => "Run `tagwright migrate` again.",
        Code::InternalError => "Report this as a bug of tagwright, with the file.",
    }
}
