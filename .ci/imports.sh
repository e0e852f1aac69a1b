#!/usr/bin/env bash
# The import rule of ARCHITECTURE.md: masa → {sim, data-room} → edge-node → {inference, links} → v2x-proto, and inference never meets
# v2x-proto. Read from what cargo resolves, so that no dependency table can hide an edge.
set -euo pipefail
cd "$(dirname "$0")/.."

direct() { # crates of this workspace that package $1 depends on directly, one a line
  cargo tree --quiet --offline --package "$1" --all-features --depth 1 --edges normal,build --prefix none --format '{p}' |
    awk 'NR > 1 { print $1 }' | grep -E '^masa' | sort -u || true
}

allow() { # allow PACKAGE ALLOWED...
  local package=$1 found; shift
  while read -r found; do
    [[ -z $found || " $* " == *" $found "* ]] && continue
    echo "import rule: $package must not depend on $found (allowed: ${*:-nothing})" >&2
    return 1
  done < <(direct "$package")
  echo "import rule: $package depends on: $(direct "$package" | tr '\n' ' ')"
}

# `|| failed=1` on each, so that every break is shown.
failed=0
allow masa-v2x-proto || failed=1
allow masa-inference || failed=1
allow masa-links masa-v2x-proto || failed=1
allow masa-web || failed=1
allow masa-edge-node masa-inference masa-links masa-v2x-proto masa-web || failed=1
allow masa-sim masa-edge-node masa-inference masa-links masa-v2x-proto || failed=1
allow masa-data-room masa-edge-node masa-links masa-v2x-proto masa-web || failed=1
allow masa masa-sim masa-data-room masa-edge-node masa-inference masa-links masa-v2x-proto masa-web || failed=1

# Inside edge-node: sources → perception → world → facilities → links. No stage names one to its right.
stage() { # stage FOLDER FORBIDDEN-MODULE...
  local folder=$1 module; shift
  for module in "$@"; do
    if grep -rnE "\b(crate|super)::(\{[^}]*\b)?${module}\b" "edge-node/src/$folder" --include='*.rs'; then
      echo "import rule: edge-node/src/$folder must not import $module" >&2
      failed=1
    fi
  done
}
stage sources perception world facilities run web
stage perception world facilities run web sources
stage world facilities run web sources
stage facilities run web sources
exit "$failed"
