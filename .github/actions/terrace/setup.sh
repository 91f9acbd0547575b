#!/usr/bin/env bash
# Sets up the terrace of the action: one that is there already, or one that is built from a release.
set -euo pipefail

places() {
  # A branch moves: what was built from it is not kept.
  local release="${VERSION:-}"
  if [ -z "$release" ] && [[ "${ACTION_REF:-}" =~ ^(v[0-9]|[0-9a-f]{40}$) ]]; then
    release="$ACTION_REF"
  fi
  {
    echo "release=$release"
    echo "tools=$RUNNER_TEMP/terrace-tools"
    echo "cache=$RUNNER_TEMP/terrace-cache"
  } >> "$GITHUB_OUTPUT"
}

install() {
  mkdir -p "$TOOLS/bin"
  if [ -n "${BINARY:-}" ]; then
    if [ ! -x "$BINARY" ]; then
      echo "::error::binary: $BINARY is no program" >&2
      exit 1
    fi
    ln -sf "$(realpath "$BINARY")" "$TOOLS/bin/terrace"
  elif [ ! -x "$TOOLS/bin/terrace" ]; then
    if [ -n "${VERSION:-}" ]; then
      cargo install --locked --root "$TOOLS" --bin terrace \
        --git https://github.com/terrace-iac/terrace --tag "v${VERSION#v}" terrace
    else
      # The action is part of the repository, at the release by which it was named.
      cargo install --locked --root "$TOOLS" --bin terrace --path "$GITHUB_ACTION_PATH/../../../engine/terrace"
    fi
  fi
  echo "$TOOLS/bin" >> "$GITHUB_PATH"
  "$TOOLS/bin/terrace" version
}

"$1"
