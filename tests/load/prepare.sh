# Sourced by run.sh and memory.sh: goes to the repository, installs what is missing, builds the collector.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

missing=()
command -v wrk >/dev/null || missing+=(wrk)
[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
command -v python3 >/dev/null || missing+=(python3)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
if [ ${#missing[@]} -gt 0 ]; then
    echo "tests/load: installing Debian packages: ${missing[*]}" >&2
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
fi

cargo build --release --locked --quiet --bin antenna
cargo build --release --locked --quiet --manifest-path tests/load/floor/Cargo.toml --target-dir target/load-floor
