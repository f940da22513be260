#!/bin/sh
# Writes a tree of N (default 10000) small buildspecs below the folder DIR, one per folder, 20 to 60 lines
# each, in six shapes that real repositories have: clean ones with a commit tag, the pipeline tutorial's
# with `latest` beside a commit, `latest` alone, no image at all, Copilot, and a long test build.
# usage: benches/tree.sh DIR [N]
set -eu
dir=${1:?usage: tree.sh DIR [N]}
count=${2:-10000}
mkdir -p "$dir"
awk -v dir="$dir" -v count="$count" '
function head(f) { print "version: 0.2\n" > f }
function common(f,   i) {
  print "env:\n  variables:\n    APP_NAME: service-" n "\n    LOG_LEVEL: info" > f
  print "phases:\n  install:\n    runtime-versions:\n      nodejs: 22\n    commands:" > f
  for (i = 0; i < 4; i++) print "      - echo \"step " i " of $APP_NAME\"" > f
  print "  pre_build:\n    commands:" > f
  print "      - aws ecr get-login-password --region $AWS_DEFAULT_REGION | docker login --username AWS --password-stdin $AWS_ACCOUNT_ID.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com" > f
  print "      - REPOSITORY_URI=$AWS_ACCOUNT_ID.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com/service-" n > f
  print "      - COMMIT_HASH=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)\n      - IMAGE_TAG=$COMMIT_HASH" > f
}
function clean(f) {
  common(f)
  print "  build:\n    commands:\n      - docker build -t $REPOSITORY_URI:$IMAGE_TAG ." > f
  print "  post_build:\n    commands:\n      - docker push $REPOSITORY_URI:$IMAGE_TAG" > f
  print "      - printf \047[{\"name\":\"web\",\"imageUri\":\"%s\"}]\047 $REPOSITORY_URI:$IMAGE_TAG > imagedefinitions.json" > f
  print "artifacts:\n  files: imagedefinitions.json" > f
}
function tutorial(f) {
  common(f)
  print "  build:\n    commands:\n      - docker build -t $REPOSITORY_URI:latest .\n      - docker tag $REPOSITORY_URI:latest $REPOSITORY_URI:$IMAGE_TAG" > f
  print "  post_build:\n    commands:\n      - docker push $REPOSITORY_URI:latest\n      - docker push $REPOSITORY_URI:$IMAGE_TAG" > f
  print "      - printf \047[{\"name\":\"web\",\"imageUri\":\"%s\"}]\047 $REPOSITORY_URI:$IMAGE_TAG > imagedefinitions.json" > f
  print "artifacts:\n  files: imagedefinitions.json" > f
}
function tests(f,   i) {
  print "phases:\n  install:\n    runtime-versions:\n      python: 3.12\n    commands:\n      - pip install -r requirements.txt" > f
  print "  build:\n    commands:" > f
  for (i = 0; i < 40; i++) print "      - python -m pytest tests/part_" i " --junitxml=reports/part_" i ".xml" > f
  print "reports:\n  unit:\n    files:\n      - reports/*.xml\n    file-format: JUNITXML" > f
}
function copilot(f) {
  print "phases:\n  install:\n    commands:\n      - echo \"cd into $CODEBUILD_SRC_DIR\"\n      - cd $CODEBUILD_SRC_DIR" > f
  print "  build:\n    commands:\n      - npm ci\n      - npm run build\n      - npm test -- --ci" > f
  print "artifacts:\n  files:\n    - \"dist/**/*\"" > f
}
BEGIN {
  for (n = 0; n < count; n++) {
    folder = sprintf("%s/team-%02d/service-%05d", dir, n % 40, n)
    list = list folder "\n"
  }
  command = "xargs mkdir -p"
  printf "%s", list | command
  close(command)
  for (n = 0; n < count; n++) {
    f = sprintf("%s/team-%02d/service-%05d/buildspec.yml", dir, n % 40, n)
    head(f)
    kind = n % 10
    if (kind < 4) clean(f)
    else if (kind < 7) tutorial(f)
    else if (kind < 9) tests(f)
    else copilot(f)
    close(f)
  }
}'
