#!/usr/bin/env bash
# Kills and stops the collector under load and prints a table: docs/testing.md says what it proves.
#
#   tests/fault/run.sh                          the long run: 205 kills, 50 stops, 5 to 20 minutes
#   tests/fault/run.sh --kills 20 --stops 5     the short one
#   tests/fault/run.sh --cuts 1000              the power is cut, on a disk in the test's memory and on an ext4 on that
#                                               (as root, with /dev/fuse and loop devices; what is not there is named)
#   tests/fault/run.sh --seed 7                 other moments and another order of steps
#   tests/fault/run.sh --binary target/release/antenna     another build of it, with the feature fail-points
#
# Needs what tests/run.sh needs. The table is kept in target/tests/fault.log, and so are the folders of collectors that
# broke a promise: the log names them.
set -euo pipefail
cd "$(dirname "$0")/../.."

.circleci/install-test-tools

case " $* " in
    *" --kills"* | *" --stops"*) ;;
    *" --cuts"*) set -- --kills 0 --stops 0 "$@" ;;
    *) set -- --kills 205 --stops 50 --cuts 50 "$@" ;;
esac
log=target/tests/fault.log
mkdir -p target/tests
cargo build --locked --features fail-points --test fault
date --utc "+%Y-%m-%d %H:%M UTC: tests/fault/run.sh $*" | tee "$log"
cargo test --locked --quiet --features fail-points --test fault -- "$@" 2>&1 | tee -a "$log"
