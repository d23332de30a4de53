#!/usr/bin/env bash
# Takes promises out of the product one after the other and prints which test misses each: docs/testing.md has the table.
#
#   tests/mutants/run.sh                 every line of tests/mutants/mutants.toml, about a minute each
#   tests/mutants/run.sh "fsync"         those whose name has the word
#
# Works on a copy of the tree in target/mutants, with a target folder of its own. Needs python3 (3.11 or newer).
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/mutants/run.py "$@"
