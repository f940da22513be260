#!/bin/sh
# Writes a tree of 10,000 folders below DIR, each with one of the FILEs as its buildspec.yml, in turn.
# usage: benches/real_tree.sh DIR FILE...
set -eu
dir=${1:?usage: real_tree.sh DIR FILE...}
shift
: "${1:?no file was given}"
count=0
while [ "$count" -lt 10000 ]; do
  for file in "$@"; do
    [ "$count" -lt 10000 ] || break
    folder=$dir/team-$((count / 100))/service-$count
    mkdir -p "$folder"
    cp "$file" "$folder/buildspec.yml"
    count=$((count + 1))
  done
done
