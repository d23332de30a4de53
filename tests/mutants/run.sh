#!/usr/bin/env bash
# Takes promises out of the product one after the other and prints which test misses each: docs/testing.md has the table.
#
#   tests/mutants/run.sh               every line of tests/mutants/mutants.toml: seconds each, a minute where it needs all
#   tests/mutants/run.sh storage       those whose name has the word
#
# Works on copies in target/mutants. Needs python3 (3.11 or newer).
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/mutants/run.py "$@"
