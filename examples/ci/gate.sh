#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The gate of a change: base and head run the same cases, and what only head fails on fails the gate.
#
#   gate.sh [OPTION...] --base [OPTION...] --head [OPTION...]
#
# The options are those of "ovbd run"; those before --base are for both, as in
#
#   gate.sh --cases 600 --base --source base/drivers/md/overlaybd --head --source head/drivers/md/overlaybd
#   gate.sh --cases 600 --no-vm --base --target "process:base/my-reader" --head --target "process:head/my-reader"
#
# Without arguments they are taken from OVBD_ARGS, OVBD_BASE and OVBD_HEAD: an option a line, its value after a space.
# Into OVBD_OUT (default: ovbd-out): base/ and head/ (run.jsonl, junit.xml, findings/), diff.json, summary.md, head.sarif.
#
# Exit code: 0 nothing is new, 1 something is, 2 wrong usage or sources that cannot be built,
# 3 the suite or its lab failed, so that nothing is known, 130 stopped.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" || exit 3

common=() base=() head=()
if [ $# -gt 0 ]; then
  side=common
  for word in "$@"; do
    case $word in
      --base | --head) side=${word#--} ;;
      *) declare -n list=$side && list+=("$word") && unset -n list ;;
    esac
  done
else
  words_of "${OVBD_ARGS:-}" && common=("${words[@]}")
  words_of "${OVBD_BASE:-}" && base=("${words[@]}")
  words_of "${OVBD_HEAD:-}" && head=("${words[@]}")
fi
if [ ${#base[@]} -eq 0 ] || [ ${#head[@]} -eq 0 ]; then
  usage 'say what the base and the head are: --base OPTION... --head OPTION..., or OVBD_BASE and OVBD_HEAD'
fi

# One side: its findings are of no concern here, whether it ran is.
side() {
  local name=$1 code=0 left
  shift
  printf '\n== %s\n' "$name"
  ovbd run --quiet "$@" --out "$out/$name" || code=$?
  case $code in
    0 | 1) ;;
    2) tell "**Not tested**: the $name cannot be run: wrong options, or sources that cannot be built; the job's log says which."; finish 2 ;;
    *) broken "the run of the $name ended with exit code $code" ;;
  esac
  left=$(all_ran "$out/$name") || broken "the run of the $name left out what was asked for: $left"
}

if [ -e "$out/base" ] || [ -e "$out/head" ]; then usage "$out holds an earlier gate: remove it, or give another OVBD_OUT"; fi
begin 'OverlayBD conformance: gate'
side base "${common[@]}" "${base[@]}"
side head "${common[@]}" "${head[@]}"

printf '\n== head compared with base\n'
code=0
ovbd diff "$out/base" "$out/head" >"$out/diff.txt" || code=$?
cat "$out/diff.txt"
case $code in
  0) tell 'The change fails on nothing that its base does not fail on.' ;;
  1) tell '**The change fails on what its base does not.** The artifact has the images, and for a patch a script that shows it.' ;;
  *) broken "the runs cannot be compared: exit code $code" ;;
esac
ovbd diff "$out/base" "$out/head" --json >"$out/diff.json"
# A column that only one side has was compared with nothing; other cases prove nothing.
# shellcheck disable=SC2016
why=$(node -e '
  const { sameCases, why, onlyA, onlyB } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  const left = [...onlyA.map((n) => `only the base has ${n}`), ...onlyB.map((n) => `only the head has ${n}`), ...(sameCases ? [] : why)];
  if (left.length > 0) { console.log(left.join("; ")); process.exit(1); }
' "$out/diff.json") || broken "the runs are not of the same targets and cases: $why"
quote "$out/diff.txt"
report head --against "$out/base"
finish "$code"
