#!/usr/bin/env bash
# What a report costs: collector and nginx under the same load in the same run, and one table. See docs/performance.md.
#
#   tests/load/run.sh            every case, three rounds: about half an hour
#   tests/load/run.sh --quick    the cases that targets are about, one round: under two minutes after the build
#   tests/load/run.sh --help     choose cases, seconds, rounds
. "$(dirname "$0")/prepare.sh"
exec python3 tests/load/throughput.py "$@"
