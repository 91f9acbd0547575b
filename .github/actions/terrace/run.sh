#!/usr/bin/env bash
# Prepares the working directories where that is needed, and runs `terrace ci`.
set -euo pipefail

case "$COMMAND" in
  matrix | report | plan | apply | drift) ;;
  *)
    echo "::error::command: $COMMAND is none of matrix, plan, report, apply and drift" >&2
    exit 1
    ;;
esac

arguments=()
read -ra given <<< "${ARGUMENTS:-}"
if [ -n "${ENVIRONMENT:-}" ]; then arguments+=("-env=$ENVIRONMENT"); fi
if [ -n "${STACK:-}" ]; then arguments+=("-stack=$STACK"); fi
if [ -n "${RUN:-}" ] && [ "$COMMAND" = apply ]; then arguments+=("-run=$RUN"); fi

case "$COMMAND" in
  plan | apply | drift)
    # What a stranger proposes is not even prepared: providers and modules of theirs are none of this job's.
    terrace ci guard
    terrace init -input=false -no-color
    ;;
esac

exec terrace ci "$COMMAND" "${arguments[@]+"${arguments[@]}"}" "${given[@]+"${given[@]}"}"
