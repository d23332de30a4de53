#!/usr/bin/env bash
# Real browsers crash and deliver: Debian's chromium (a renderer, then the browser) and firefox-esr, each with its own
# crash reporter. Takes a minute, and 1 GB for the browsers; not part of the tests that every change must pass.
#
#   tests/clients/run.sh              both
#   tests/clients/run.sh firefox      one of them
#
# Installs the browsers from Debian if they are missing (as root, or through sudo).
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
for browser in chromium firefox-esr; do
    command -v "$browser" >/dev/null || missing+=("$browser")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -q
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
cargo build --locked --quiet
exec python3 tests/clients/browsers.py "$@"
