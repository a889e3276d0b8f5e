#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A night: first the lab on kernels without the patch, then a campaign on the patch or reader.
#
#   nightly.sh [OPTION...]
#
# The options are those of "ovbd fuzz", as in
#
#   nightly.sh --time 2h --patch my-v4.patch
#   nightly.sh --time 30m --no-vm --target "process:./my-reader"
#
# Without arguments they are taken from OVBD_ARGS: an option a line, its value after a space. OVBD_STOCK has in the same
# form those of "ovbd nightly", such as "--time 1h", and is for what runs in virtual machines; "none" leaves the stock kernels out.
# Into OVBD_OUT (default: ovbd-out): stock/, campaign/ (findings/ and the campaign's state), summary.md, campaign.sarif. Keep
# stock/ and campaign/ for the next night: both go on where they were.
#
# A file of known failures ("ovbd triage" proposes its entries) is given as --known FILE.
#
# Exit code: 0 nothing that is not known, 1 new findings, 2 wrong usage or sources that cannot be built,
# 3 the suite or its lab failed, so that nothing is known, 130 stopped.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" || exit 3

options=("$@")
[ $# -gt 0 ] || { words_of "${OVBD_ARGS:-}" && options=("${words[@]}"); }
[ ${#options[@]} -gt 0 ] || usage 'say what is tested, in the words of "ovbd fuzz": as arguments, or in OVBD_ARGS'
# Whether virtual machines are asked for; without them there are no stock kernels to try.
machines=yes
for word in "${options[@]}"; do
  case $word in --no-vm | --fast) machines=no ;; esac
done

begin 'OverlayBD conformance: night'

if [ "$machines" = yes ] && [ "${OVBD_STOCK:-}" != none ]; then
  printf '\n== stock kernels\n'
  words_of "${OVBD_STOCK:---cases 1000}"
  code=0
  ovbd nightly --quiet "${words[@]}" --out "$out/stock" || code=$?
  case $code in
    0) tell 'The lab: nothing was found on kernels without the patch.' ;;
    # Nights go on where the last one ended.
    4) tell 'The lab: nothing was found on kernels without the patch as far as the time went; the next night goes on.' ;;
    1) broken "something was found on kernels without the patch, so the lab may blame nobody: $out/stock/night.txt" ;;
    2) tell '**Not tested**: the options of the stock kernels are wrong; the job'\''s log says which.'; finish 2 ;;
    *) broken "the stock kernels' run ended with exit code $code" ;;
  esac
fi

printf '\n== campaign\n'
code=0
ovbd fuzz --quiet "${options[@]}" --out "$out/campaign" || code=$?
case $code in
  0) tell 'The campaign found nothing that is not known.' ;;
  1) tell '**The campaign found something new.** The artifact has the images, and for a patch a script that shows it.' ;;
  2) tell '**Not tested**: wrong options, or sources that cannot be built; the job'\''s log says which.'; finish 2 ;;
  *) broken "the campaign ended with exit code $code" ;;
esac
report campaign
finish "$code"
