# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What gate.sh and nightly.sh share: how ovbd is called, the page of the job, and how they end.
#
#   OVBD_OUT              folder for everything that the script leaves (default: ovbd-out)
#   GITHUB_STEP_SUMMARY   where set, the page is added to this file
#   GITHUB_OUTPUT         where set, "exit-code=N" and "cache-key=KEY" are added to this file
#   OVBD_CACHE            the lab's cache folder; the key is made of the names of what is in it

suite=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 3
out=${OVBD_OUT:-ovbd-out}
page=$out/summary.md
child=

usage() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 2
}

# The words of a text with an option a line: what follows the first space is its value, spaces and all. Into the array "words".
words=()
words_of() {
  words=()
  local line option value
  while IFS= read -r line; do
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    option=${line%%[[:space:]]*}
    [ -n "$option" ] || continue
    words+=("$option")
    value=${line#"$option"}
    value="${value#"${value%%[![:space:]]*}"}"
    [ -z "$value" ] || words+=("$value")
  done <<<"$1"
}

# Runs a command that is stopped when this script is, and returns its exit code.
guarded() {
  local code=0
  "$@" &
  child=$!
  wait "$child" || code=$?
  # A signal ends the wait, not the child: it has been told, and says when it is done.
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
  child=
  return "$code"
}

ovbd() { guarded node "$suite/cli/ovbd.mjs" "$@"; }

stopped=
stop() {
  stopped=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap stop INT TERM HUP

# Makes the folder and the suite ready, and proves that a run finds what is wrong: the canary must be caught.
begin() {
  mkdir -p "$out" || exit 3
  rm -rf "${out:?}/canary"
  printf '## %s\n\n' "$1" >"$page" || exit 3
  # What the tested code prints must not be taken for orders to the runner.
  if [ "${GITHUB_ACTIONS:-}" = true ]; then
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::stop-commands::%s\n' "$token"
  fi
  if [ ! -d "$suite/node_modules" ]; then
    guarded npm ci --prefix "$suite" --no-audit --no-fund || broken 'the packages of the suite cannot be installed'
  fi
  local code=0
  ovbd run --target canary --no-vm --cases 3 --quiet --out "$out/canary" >"$out/canary.txt" 2>&1 || code=$?
  [ "$code" -eq 0 ] || broken "the canary was not caught, or cannot run: exit code $code: $out/canary.txt"
}

# Adds a paragraph to the page and prints it.
tell() {
  printf '%s\n\n' "$1" >>"$page"
  printf '%s\n' "$1"
}

# Adds what a command printed to the page as it is: indented, so that nothing in it is taken for markup.
quote() {
  head -c 200000 "$1" | sed 's/^/    /' >>"$page"
  printf '\n' >>"$page"
}

# What the lab has made or downloaded, as one key. Its entries are named by what they are made of and never change.
cache_key() {
  local kind
  for kind in kernel sanitizer qemu tools kunit agent module userspace userspace-layer; do
    if [ -d "$OVBD_CACHE/$kind" ]; then (cd "$OVBD_CACHE" && printf '%s\n' "$kind"/*); fi
  done | LC_ALL=C sort | sha256sum | cut -c 1-16
}

# Ends with the exit code; the job's page and outputs are written first.
finish() {
  [ -z "$stopped" ] || set -- 130
  # The service takes 1 MiB of a page.
  [ -z "${GITHUB_STEP_SUMMARY:-}" ] || head -c 1000000 "$page" >>"$GITHUB_STEP_SUMMARY"
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'exit-code=%s\n' "$1" >>"$GITHUB_OUTPUT"
    if [ -d "${OVBD_CACHE:-}" ]; then printf 'cache-key=%s\n' "$(cache_key)" >>"$GITHUB_OUTPUT"; fi
  fi
  [ -z "${token:-}" ] || printf '::%s::\n' "$token"
  exit "$1"
}

# Ends because nothing can be said of what is tested.
broken() {
  [ -n "$stopped" ] || tell "**Not tested**: $1"
  finish 3
}

# Fails where a run left out what was asked for: what did not run has not passed.
all_ran() {
  # shellcheck disable=SC2016
  node -e '
    const { readFileSync } = require("node:fs");
    const run = JSON.parse(readFileSync(process.argv[1], "utf8").split("\n", 1)[0]);
    // Without machines the stock kernel is left out by whoever asked for that; what is tested must not be.
    const left = run.skipped.filter((s) => s.reason !== "--no-vm" || s.target !== "stock");
    if (left.length > 0) { console.log(left.map((s) => `${s.target}: ${s.reason}`).join("; ")); process.exit(1); }
  ' "$1/run.jsonl"
}

# Adds a run's findings to the page and writes them as SARIF; an earlier run to compare it with may follow. What goes wrong
# here changes no verdict.
report() {
  local run=$out/$1
  shift
  if ovbd report "$run" --format summary "$@" >"$run.md"; then
    # It has a heading of its own, one level too high.
    { head -c 500000 "$run.md" | sed 's/^##/###/'; printf '\n'; } >>"$page"
  fi
  ovbd report "$run" --format sarif -o "$run.sarif" || rm -f "$run.sarif"
}
