#!/usr/bin/env bash
# Memory and overload: peak memory against the budget, goodput beyond the capacity. See docs/performance.md.
#
#   tests/load/memory.sh            about four minutes
#   tests/load/memory.sh --quick    shorter phases, about two minutes
. "$(dirname "$0")/prepare.sh"
exec python3 tests/load/memory.py "$@"
