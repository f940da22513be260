//! What a buildspec contributes to the flow: roles, repositories, tags, and the exact place of each tag.

use std::sync::Arc;

use tagwright_flow::facts::{FileFacts, TagKind};
use tagwright_flow::{FileId, ReadOptions, Workspace, read_file};
use tagwright_syntax::Span;

fn read(path: &str, text: &str) -> FileFacts {
    read_file(
        FileId(0),
        &Arc::from(path),
        &Arc::from(text),
        &ReadOptions::default(),
    )
}

fn buildspec(commands: &str) -> FileFacts {
    let mut text = String::from("version: 0.2\nphases:\n  build:\n    commands:\n");
    for line in commands.lines() {
        text.push_str("      ");
        text.push_str(line);
        text.push('\n');
    }
    read("buildspec.yml", &text)
}

/// `role repository tag@place`, one line per use; the place is the text that the file has there.
fn uses(facts: &FileFacts) -> Vec<String> {
    facts
        .uses
        .iter()
        .map(|image| {
            let tags: Vec<String> = image
                .tags
                .iter()
                .map(|tag| {
                    let kind = match &tag.kind {
                        TagKind::Implicit => "(none)".to_owned(),
                        TagKind::Literal(text) => text.to_string(),
                        TagKind::Variable(expression) => expression.key(),
                        TagKind::Digest => "(digest)".to_owned(),
                        TagKind::All => "(all)".to_owned(),
                        TagKind::Hidden => "(hidden)".to_owned(),
                    };
                    let place = tag
                        .site
                        .map_or("?".to_owned(), |site| facts.slice(site.source).to_owned());
                    format!("{kind}@{place}")
                })
                .collect();
            format!(
                "{:?} {} {}",
                image.role,
                image.repository.key(),
                tags.join(" ")
            )
        })
        .collect()
}

#[test]
fn a_name_that_is_only_renamed_and_the_name_that_is_pushed() {
    let facts = buildspec(
        "- docker build -t app .\n\
         - docker tag app:latest $REG/app:latest\n\
         - docker push $REG/app:latest\n",
    );
    assert_eq!(
        uses(&facts),
        [
            "Build app (none)@",
            "TagSource app latest@latest",
            "TagDestination ${REG}/app latest@latest",
            "Push ${REG}/app latest@latest",
        ]
    );
}

#[test]
fn a_repository_and_a_tag_behind_assignments_are_found_where_they_are_written() {
    let facts = buildspec(
        "- REPO=$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/web\n\
         - IMAGE=$REPO:latest\n\
         - docker build -t \"$IMAGE\" .\n\
         - docker push \"$IMAGE\"\n",
    );
    let key = "${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/web";
    assert_eq!(
        uses(&facts),
        [
            format!("Build {key} latest@latest"),
            format!("Push {key} latest@latest"),
        ]
    );
    let start = facts.uses[0].tags[0].site.unwrap().source.start as usize;
    let line = facts.slice(Span::new(0, start)).lines().last().unwrap();
    assert_eq!(line.trim_start(), "- IMAGE=$REPO:");
}

#[test]
fn a_fallback_is_one_of_the_values() {
    let facts = buildspec(
        "- IMAGE_TAG=${COMMIT_HASH:=latest}\n\
         - docker push $REPO:$IMAGE_TAG\n",
    );
    assert_eq!(
        uses(&facts),
        ["Push ${REPO} ${COMMIT_HASH}@${COMMIT_HASH:=latest} latest@latest"]
    );
}

#[test]
fn a_later_assignment_replaces_an_earlier_one_and_a_conditional_one_adds_to_it() {
    let facts = buildspec(
        "- TAG=latest\n\
         - TAG=v1\n\
         - docker push $REPO:$TAG\n\
         - if [ -n \"$X\" ]; then TAG=latest; fi\n\
         - docker push $REPO:$TAG\n",
    );
    assert_eq!(
        uses(&facts),
        ["Push ${REPO} v1@v1", "Push ${REPO} v1@v1 latest@latest"]
    );
}

#[test]
fn a_reference_hidden_in_a_variable_is_unknown_unless_the_file_shows_that_it_has_no_tag() {
    let hidden = buildspec("- docker push $repo\n");
    assert_eq!(uses(&hidden), ["Push ${repo} (hidden)@"]);
    let shown = buildspec(
        "- docker push $REG/$NAME:latest\n\
         - printf '[{\"name\":\"a\",\"imageUri\":\"%s\"}]' $REG/$NAME > imagedefinitions.json\n",
    );
    assert_eq!(
        uses(&shown),
        [
            "Push ${REG}/${NAME} latest@latest",
            "Record ${REG}/${NAME} (none)@"
        ]
    );
}

#[test]
fn scalars_of_every_style_give_the_same_uses_at_their_own_places() {
    let cases = [
        "- docker push $REPO:latest\n",
        "- 'docker push $REPO:latest'\n",
        "- \"docker push $REPO:latest\"\n",
        "- \"docker push \\\"$REPO:latest\\\"\"\n",
        "- |\n  docker push \\\n    $REPO:latest\n",
        "- >\n  docker push\n  $REPO:latest\n",
        "- docker push\n    $REPO:latest # why\n",
    ];
    for case in cases {
        assert_eq!(
            uses(&buildspec(case)),
            ["Push ${REPO} latest@latest"],
            "{case}"
        );
    }
}

#[test]
fn nested_scripts_are_read_with_exact_places() {
    let cases = [
        ("- sh -c 'docker push $REPO:latest'\n", "InnerShell"),
        ("- bash -c \"docker push $REPO:latest\"\n", "Shell"),
        ("- ssh host \"docker pull $REPO:latest\"\n", "Shell"),
        ("- ssh host 'docker pull $REPO:latest'\n", "Never"),
        ("- docker push '$REPO:latest'\n", "SingleQuoted"),
    ];
    for (case, expansion) in cases {
        let facts = buildspec(case);
        let site = facts.uses[0].tags[0].site.unwrap();
        assert_eq!(facts.slice(site.source), "latest", "{case}");
        let found = format!("{:?}", site.expansion);
        assert!(found.starts_with(expansion), "{case}: {found}");
    }
}

#[test]
fn in_version_0_1_nothing_expands_and_nothing_outlives_its_command() {
    let text = "version: 0.1\nphases:\n  build:\n    commands:\n      - TAG=latest\n      - docker push $REPO:$TAG\n      - docker push $REPO:latest\n";
    let facts = read("buildspec.yml", text);
    assert_eq!(
        uses(&facts),
        ["Push ${REPO} ${TAG}@$TAG", "Push ${REPO} latest@latest"]
    );
    let site = facts.uses[1].tags[0].site.unwrap();
    assert!(
        matches!(site.expansion, tagwright_flow::expression::Expansion::Never(reason) if reason.as_str().contains("version 0.1"))
    );
}

#[test]
fn a_buildspec_inside_a_template_is_read_at_its_place_in_the_template() {
    let text = "Resources:\n  P:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Source:\n        BuildSpec: |\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - docker push $REPO:latest\n";
    let facts = read("template.yaml", text);
    assert_eq!(uses(&facts), ["Push ${REPO} latest@latest"]);
    let site = facts.uses[0].tags[0].site.unwrap();
    assert_eq!(&text[..site.source.end as usize], text.trim_end());
}

#[test]
fn an_image_is_joined_across_files_by_its_literal_name() {
    let spec = read(
        "buildspec.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker push $A.dkr.ecr.$R.amazonaws.com/web:latest\n",
    );
    let manifest = read_file(
        FileId(1),
        &Arc::from("k8s/web.yaml"),
        &Arc::from(
            "apiVersion: apps/v1\nkind: Deployment\nspec:\n  image: 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\n",
        ),
        &ReadOptions::default(),
    );
    let workspace = Workspace::new(vec![spec, manifest], &[]);
    assert_eq!(workspace.flows().len(), 1);
    let flow = &workspace.flows()[0];
    assert!(flow.own && flow.pushed);
    assert_eq!(flow.uses.len(), 2);
}

#[test]
fn a_reference_that_is_assigned_in_one_branch_only_keeps_its_tag() {
    let facts = buildspec(
        "- |\n\
        \x20 case $EVENT in\n\
        \x20   opened)\n\
        \x20     PREVIEW=$REPO/web:${VERSION}-preview\n\
        \x20     docker tag web:$VERSION ${PREVIEW}\n\
        \x20     docker push ${PREVIEW}\n\
        \x20     ;;\n\
        \x20 esac\n",
    );
    let found = uses(&facts);
    assert_eq!(found.len(), 3, "{found:?}");
    for place in &found[1..] {
        assert!(
            place.contains(" ${REPO}/web ${VERSION}-preview@"),
            "{place}"
        );
    }
}

#[test]
fn a_command_knows_its_place_in_a_list_with_other_items() {
    let facts = read(
        "buildspec.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      -\n      - a: b\n      - make\n      -\n      - ls\n      - id\n",
    );
    let list = &facts.buildspec.unwrap().lists[0];
    let indices: Vec<u32> = (list.items.0..list.items.1)
        .map(|item| list.index(item))
        .collect();
    assert_eq!(indices, [2, 4, 5]);
}
