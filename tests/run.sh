#!/usr/bin/env bash
# Runs all tests, after installing what they need. May be repeated: what is there is not installed again.
#
#   tests/run.sh              everything
#   tests/run.sh contract     tests whose name has the word
#
# Needs Rust and nothing else. Installs Debian packages if they are missing (as root, or through sudo), and Python
# packages into target/venv. The whole output is kept in target/tests/output.log.
set -euo pipefail
cd "$(dirname "$0")/.."

.circleci/install-test-tools

log=target/tests/output.log
mkdir -p target/tests
echo "tests/run.sh: cargo test --locked --no-fail-fast $*"
passed=true
cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log" || passed=false

echo
echo "tests/run.sh: counts and results"
grep -E "^(contract|clients|metrics|crashpad_handler|smuggling|nginx)[,: ]|^ +(Running|Doc-tests) |^test result" "$log" || true
if [ "$passed" = true ]; then
    echo "tests/run.sh: all tests passed; output in $log"
else
    echo "tests/run.sh: FAILED; output in $log" >&2
    grep -E "^test .* FAILED$|^error" "$log" | sort -u | head -40 >&2 || true
    exit 1
fi
