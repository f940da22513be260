//! How a tag is written at a place so that it is expanded there.

use tagwright_flow::expression::{Expansion, Site};

use crate::{Refusal, RefusalCode, Settings, WordEffect, refusal};

pub(super) fn word_effect(site: Site) -> WordEffect {
    match site.expansion {
        Expansion::CopilotManifest => WordEffect::NotShell,
        _ => WordEffect::Within,
    }
}

/// What has to be written at `site` so that `tag` is expanded there.
pub(super) fn written_at(
    settings: &Settings,
    site: Site,
    tag: &str,
    implicit: bool,
) -> Result<String, Refusal> {
    let colon = if implicit { ":" } else { "" };
    match site.expansion {
        Expansion::Shell | Expansion::InnerShell => Ok(format!("{colon}{tag}")),
        Expansion::SingleQuoted if site.inside_quotes => Err(Refusal::new(
            RefusalCode::Quoted,
            "it stands in quotes inside a nested script",
        )),
        // Close the quotes around it, so that the shell sees it.
        Expansion::SingleQuoted => Ok(format!("{colon}'\"{tag}\"'")),
        Expansion::CopilotManifest => {
            if tag == settings.branch_reference() {
                Ok(format!("{colon}{tag}"))
            } else {
                Err(Refusal::new(
                    RefusalCode::NotExpanded,
                    "Copilot replaces only plain `${NAME}` in a manifest",
                ))
            }
        }
        Expansion::Never(reason) => Err(refusal::not_expanded(reason)),
    }
}
