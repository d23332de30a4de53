#!/usr/bin/env bash
# What somebody sends who wants the collector's memory, time or places: every shape of tests/it/hostile/shapes.py, as large
# as the limits allow, against the release build. About a quarter of an hour.
#
#   tests/load/hostile.sh            all of them
#   tests/load/hostile.sh list text  those whose names have one of these words
. "$(dirname "$0")/prepare.sh"
exec python3 tests/it/hostile/run.py --antenna target/release/antenna --full "$@"
