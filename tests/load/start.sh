#!/usr/bin/env bash
# Start, size, and a spool with up to 100,000 waiting reports. See docs/performance.md.
#
#   tests/load/start.sh            a few minutes, most of them for filling the spool
#   tests/load/start.sh --quick    at most 10,000 waiting reports
. "$(dirname "$0")/prepare.sh"
exec python3 tests/load/start.py "$@"
