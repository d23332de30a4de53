#!/usr/bin/env bash
# Fuzzes what reads bytes from outside: docs/testing.md says what each target demands.
#
#   tests/fuzz/run.sh --seconds 3600              an hour of each target, all at once
#   tests/fuzz/run.sh --seconds 20 intake         one target
#   tests/fuzz/run.sh --repeat FILE intake        one input again, for instance a finding
#
# Works on stable Rust: the flags are those that cargo-fuzz gives, without the sanitizer, as the collector has no unsafe
# code. Needs a C++ compiler besides. Keeps what it learns in target/fuzz/corpus; findings go to target/fuzz/findings and
# fail the run.
set -euo pipefail
cd "$(dirname "$0")/../.."

targets=()
seconds=20
repeat=
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=$2 && shift 2 ;;
    --repeat) repeat=$2 && shift 2 ;;
    intake | heads | rules_file) targets+=("$1") && shift ;;
    *) echo "fuzz: unknown argument $1; see the head of $0" >&2 && exit 2 ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=(intake heads rules_file)

.circleci/install-test-tools

# What is fuzzed is what is shipped: the versions are the collector's.
cp Cargo.lock tests/fuzz/Cargo.lock
triple=$(rustc -vV | sed -n 's/^host: //p')
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Ccodegen-units=1"
for flag in inline-8bit-counters pc-table trace-compares; do
    flags+=" -Cllvm-args=-sanitizer-coverage-$flag"
done
# With --target, build scripts stay without instrumentation.
RUSTFLAGS=$flags cargo build --release --quiet --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz --target "$triple"
programs=target/fuzz/$triple/release

if [ -n "$repeat" ]; then
    exec "$programs/${targets[0]}" "$repeat"
fi

python3 tests/fuzz/corpus.py target/fuzz/seeds
mkdir -p target/fuzz/findings target/fuzz/logs
declare -A running
for target in "${targets[@]}"; do
    mkdir -p "target/fuzz/corpus/$target"
    "$programs/$target" -max_total_time="$seconds" -max_len=16384 -timeout=30 -rss_limit_mb=1024 -print_final_stats=1 \
        -dict="tests/fuzz/$target.dict" -artifact_prefix="target/fuzz/findings/$target-" \
        "target/fuzz/corpus/$target" "target/fuzz/seeds/$target" >"target/fuzz/logs/$target.log" 2>&1 &
    running[$target]=$!
done
# A run that is ended leaves nothing behind.
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT

failed=false
printf '%-12s %12s %9s %9s %9s %9s\n' target runs seconds edges "of" inputs
for target in "${targets[@]}"; do
    result=ok
    wait "${running[$target]}" || { result="FOUND SOMETHING: see target/fuzz/logs/$target.log" && failed=true; }
    log=target/fuzz/logs/$target.log
    last=$(grep -aoE '^#[0-9]+.*cov: [0-9]+ .*' "$log" | tail -1 || true)
    printf '%-12s %12s %9s %9s %9s %9s  %s\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(sed -nE 's/^Done [0-9]+ runs in ([0-9]+) .*/\1/p' "$log")" \
        "$(sed -nE 's/.*cov: ([0-9]+) .*/\1/p' <<<"$last")" \
        "$(sed -nE 's/.*Loaded 1 PC tables \(([0-9]+) PCs\).*/\1/p' "$log")" \
        "$(sed -nE 's/.*corp: ([0-9]+)\/.*/\1/p' <<<"$last")" \
        "$result"
done
[ "$failed" = false ]
