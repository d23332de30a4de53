"""How fast the collector starts and how small it is, and what a spool with many waiting reports changes about that.

Prints one table with what is asked, what was found, pass or FAIL.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import bodies
import clients
import servers
import wrk
from memory import Table
from throughput import WORK, machine

# Nobody listens there: reports stay in the spool.
AWAY = servers.s3_settings(1) | {"CRASHMOVER_SPOOL_DIR": "spool", "CRASHMOVER_ACKNOWLEDGE": "spooled"}
FILL_CONNECTIONS = 64
# So many are posted one by one; wrk cannot count.
FEW = 500


def get(port, path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def start(folder, settings):
    """The collector, and the seconds from exec to its first answer."""
    port = servers.free_port()
    started = time.monotonic()
    server = servers.Server([servers.ANTENNA], folder, servers.environment(settings | {"PORT": str(port)}))
    server.port = port
    while get(port, "/__lbheartbeat__") != 200:
        if server.process.poll() is not None or time.monotonic() > started + servers.PATIENCE_SECONDS:
            server.__exit__()
            raise RuntimeError(f"the collector does not answer:\n{server.log.read_text()}")
        time.sleep(0.001)
    return server, time.monotonic() - started


def first_answer(table, folder, rounds):
    times = []
    for number in range(rounds):
        server, seconds = start(folder / str(number), servers.disk_settings(fsync=True))
        with server:
            times.append(seconds * 1000)
    found = statistics.median(times)
    table.row("from exec to the first answer, disk storage", "≤ 50 ms", f"{found:.0f} ms, at most {max(times):.0f}", found <= 50)


def idle(table, folder, plain):
    with servers.collector(folder, servers.disk_settings(fsync=True)) as server:
        time.sleep(2)
        before = server.memory_mb("VmRSS")
        headers = {"Content-Type": f"multipart/form-data; boundary={bodies.BOUNDARY}"}
        report = urllib.request.Request(f"http://127.0.0.1:{server.port}/submit", plain.path.read_bytes(), headers)
        urllib.request.urlopen(report).read()
        time.sleep(2)
        after = server.memory_mb("VmRSS")
    asked = "idle RSS ≤ 15 MB after a report"
    table.row("idle, disk storage", asked, f"{after:.1f} MB, {before:.1f} before it", after <= 15)


def waiting_in(spool):
    return sum(1 for _ in os.scandir(spool / "save")) if spool.exists() else 0


def fill(folder, entries, small):
    """Has the collector itself put so many reports into its spool, or a few more."""
    with servers.collector(folder, AWAY) as server:
        while (missing := entries - waiting_in(folder / "spool")) > 0:
            if missing < FEW:
                asyncio.run(clients.post_all(server.port, [small.path.read_bytes()] * missing))
            else:
                wrk.run(server.port, small, FILL_CONNECTIONS, 1 if missing < 10 * FEW else 5)


def cold_start(folder):
    """With nothing of the disk in the kernel's memory."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")
    server, seconds = start(folder, AWAY)
    server.__exit__()
    return seconds


def spool(table, folder, counts, small, report, seconds, is_cold):
    rates = []
    for entries in counts:
        fill(folder, entries, small)
        waits = waiting_in(folder / "spool")
        cold = cold_start(folder) if is_cold else 0
        server, warm = start(folder, AWAY)
        with server:
            found = wrk.run(server.port, report, 16, seconds)
            rates.append(found["requests"] / found["seconds"])
            peak = server.memory_mb()
        found = f"{warm:.2f} s{f', cold {cold:.2f} s' if is_cold else ''}; peak RSS {peak:.0f} MB"
        table.row(f"restart with {waits:,} in the spool", "first answer ≤ 1 s", found, max(warm, cold) <= 1)
        part = rates[-1] / rates[0]
        table.row("… and taking new ones of 20 KB", "≥ 80 % of the first rate", f"{rates[-1]:.0f}/s, {part:.0%}", part >= 0.8)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 10,000 in the spool instead of 100,000")
    parser.add_argument("--cold", action="store_true", help="also start after the kernel forgot every file (root; slows down everything else here)")
    parser.add_argument("--folder", type=Path, default=WORK, help="where everything is written; emptied first")
    servers.add_option(parser)
    chosen = parser.parse_args()
    servers.use_option(chosen)
    shutil.rmtree(chosen.folder, ignore_errors=True)
    chosen.folder.mkdir(parents=True)
    made = bodies.write_all(chosen.folder)
    size = servers.ANTENNA.stat().st_size / 1e6
    print(f"{machine()}\nThe binary has {size:.1f} MB as built, with line tables; stripped it is smaller.\n")
    table = Table()
    first_answer(table, chosen.folder / "start", 5 if chosen.quick else 20)
    idle(table, chosen.folder / "idle", made["plain"])
    counts = (10, 10_000) if chosen.quick else (10, 10_000, 100_000)
    spool(table, chosen.folder / "spool", counts, made["1k"], made["20k"], 3 if chosen.quick else 10, chosen.cold)
    shutil.rmtree(chosen.folder, ignore_errors=True)
    return 1 if table.has_failed else 0


if __name__ == "__main__":
    sys.exit(main())
