#!/usr/bin/env bash
# The same load for an hour: memory and CPU per report at the end against the beginning. See docs/performance.md.
#
#   tests/load/hour.sh                  an hour, nothing stored
#   tests/load/hour.sh --minutes 5      shorter
. "$(dirname "$0")/prepare.sh"
exec python3 tests/load/hour.py "$@"
