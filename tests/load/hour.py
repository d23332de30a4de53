"""The same load for an hour: whether memory grows, and whether a report costs more at the end than at the beginning."""

import argparse
import shutil
import sys
import time
from contextlib import ExitStack

import bodies
import servers
import wrk
from memory import Table
from throughput import COLLECTOR, WORK, machine, start

CONNECTIONS = 64


def minute(server, body, seconds):
    """CPU ms per report, reports a second, answers that were not 200, and RSS in MB at the end."""
    cpu, found = server.cpu_seconds(), wrk.run(server.port, body, CONNECTIONS, seconds)
    cpu = (server.cpu_seconds() - cpu) * 1000 / max(found["requests"], 1)
    return cpu, found["requests"] / found["seconds"], found["not_ok"] + found["broken"], server.memory_mb("VmRSS")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=60, help="of a minute: fewer to try it out")
    parser.add_argument("--server", default="none", choices=COLLECTOR, help="none or s3+sqs, as an hour fills every disk; or another")
    parser.add_argument("--body", default="plain", help="plain gzip 20k 5m json")
    servers.add_option(parser)
    chosen = parser.parse_args()
    servers.use_option(chosen)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    body = bodies.write_all(WORK)[chosen.body]
    print(f"{machine()}\nStorage {chosen.server}, body {chosen.body}, {CONNECTIONS} connections.\n")
    print("| minute | CPU ms | req/s | not 200 | RSS MB |\n|---|---|---|---|---|")
    rows = []
    with ExitStack() as stack:
        server = start(chosen.server, WORK / "collector", stack)
        for number in range(1, chosen.minutes + 1):
            rows.append(minute(server, body, chosen.seconds))
            cpu, rate, bad, rss = rows[-1]
            if number in (1, chosen.minutes) or number % 10 == 0:
                print(f"| {number} | {cpu:.3f} | {rate:.0f} | {bad} | {rss:.1f} |", flush=True)
        time.sleep(2)
        idle = server.memory_mb("VmRSS")
    print()
    table = Table()
    (first_cpu, _, _, first_rss), (last_cpu, _, _, last_rss) = rows[0], rows[-1]
    asked = "RSS within 10 % of that after a minute"
    table.row(f"{chosen.minutes} minutes", asked, f"{last_rss:.0f} MB after {first_rss:.0f}; idle then {idle:.0f}", last_rss <= 1.1 * first_rss)
    table.row("…", "CPU per report within 10 %", f"{last_cpu:.3f} ms after {first_cpu:.3f}", last_cpu <= 1.1 * first_cpu)
    table.row("…", "every answer 200", f"{sum(row[2] for row in rows)} others", not any(row[2] for row in rows))
    shutil.rmtree(WORK, ignore_errors=True)
    return 1 if table.has_failed else 0


if __name__ == "__main__":
    sys.exit(main())
