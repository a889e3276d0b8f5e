#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Mutation score of the oracle and the judge, a few files at a time, each with the tests that are meant for them:
# a mutant that only some far-away test notices counts as survived. Results go to .cache/mutation/.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 3
mkdir -p .cache/mutation

# group, files under mutation, tests
group() {
  local name=$1 files=$2 tests=$3
  echo "== $name: $files"
  MUTATION_TESTS=$tests npx --no-install stryker run --mutate "$files" --incrementalFile ".cache/mutation/$name.incremental.json" > ".cache/mutation/$name.txt" 2>&1
  cp .cache/mutation.json ".cache/mutation/$name.json" 2>/dev/null
  sed -n '/^-----*|/,/^\x1b\[32m/p' ".cache/mutation/$name.txt" | grep '|'
}

want=${1:-all}
run() { [ "$want" = all ] || [ "$want" = "$1" ] && group "$@"; }
run judge 'judge/*.ts,!judge/*.test.ts' 'judge/*.test.ts'
run decoders 'oracles/lz4.ts,oracles/zstd.ts,oracles/crc32c.ts,oracles/checksum.ts' 'oracles/lz4.test.ts oracles/zstd.test.ts oracles/crc32c.test.ts oracles/zfile.test.ts'
run zfile 'oracles/zfile.ts,oracles/zfile-reader.ts,oracles/block-table.ts' 'oracles/zfile.test.ts oracles/zfile-reader.test.ts oracles/block-table.test.ts'
run lsmt 'oracles/lsmt.ts,oracles/lsmt-index.ts' 'oracles/lsmt.test.ts oracles/forms.test.ts'
run header 'oracles/lsmt-header.ts,oracles/sparse.ts' 'oracles/lsmt.test.ts oracles/forms.test.ts'
run forms 'oracles/pair.ts,oracles/warp.ts' 'oracles/forms.test.ts'
run tar 'oracles/tar.ts' 'oracles/tar.test.ts'
run stack 'oracles/stack.ts,oracles/layer.ts,oracles/merge.ts,oracles/source.ts,oracles/lower.ts' 'oracles/stack.test.ts oracles/merge.test.ts oracles/source.test.ts oracles/lower.test.ts oracles/forms.test.ts'
run whole 'oracles/examine.ts,oracles/table.ts,oracles/fault.ts' 'oracles/examine.test.ts oracles/examine-access.test.ts oracles/table.test.ts oracles/fault.test.ts'
run check 'oracles/check.ts,oracles/guess.ts' 'oracles/check.test.ts'
run read 'oracles/read.ts' 'oracles/read.test.ts'
run violation 'oracles/violation.ts' 'oracles/violation.test.ts'
