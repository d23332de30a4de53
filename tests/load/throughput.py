"""What a report costs: every case on the collector and on nginx, one after the other in the same run, and one table.

Ratios are what counts; the load generator runs on the same machine and takes its part of it.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import bodies
import servers
import wrk

ROOT = servers.HERE.parent.parent
WORK = ROOT / "target/load"
FLOOR = ROOT / "target/load-floor/release/load-floor"

NGINX = {"nginx clean": "clean", "nginx on": "on"}
COLLECTOR = {
    "none": {"CRASHMOVER_CRASHSTORAGE_CLASS": "none"},
    "disk": servers.disk_settings(fsync=False),
    "fsync": servers.disk_settings(fsync=True),
    "spool": {
        **servers.disk_settings(fsync=False),
        "CRASHMOVER_SPOOL_DIR": "spool",
        "CRASHMOVER_ACKNOWLEDGE": "spooled",
    },
    "reject": {"CRASHMOVER_CRASHSTORAGE_CLASS": "none", "BREAKPAD_THROTTLER_RULES": "../../reject.toml"},
    "s3+sqs": None,
}
ALL = [*NGINX, *COLLECTOR]
# How often each byte is on disk at the end, at most.
KEEPS = {"nginx on": 1, "disk": 1, "fsync": 1, "spool": 2}


# Measured on another machine with nginx beside them: five workers of the original (disk, no fsync), and Sentry Relay
# (proxy, no compression, acknowledged from memory). Rate, CPU ms and peak RSS MB of each, then of nginx there.
ELSEWHERE = {
    ("plain", 16): {
        "original": (638, 2.96, 229),
        "Relay": (2258, 0.64, 1894),
        "nginx clean": (7080, 0.22, 16),
        "nginx on": (2131, 0.76, 16),
    },
    ("plain", 64): {
        "original": (648, 2.90, 229),
        "nginx clean": (6065, 0.26, 17),
        "nginx on": (2159, 0.47, 17),
    },
}


@dataclass(frozen=True)
class Case:
    body: str
    connections: int
    targets: tuple
    keep_alive: bool = True


STORED = ("nginx clean", "nginx on", "none", "disk", "fsync")
QUICK = [
    Case("plain", 16, (*STORED, "spool")),
    Case("plain", 64, (*STORED, "s3+sqs")),
    Case("plain", 512, ("nginx clean", "disk")),
    Case("gzip", 16, ("nginx clean", "none")),
    Case("20k", 16, ("nginx clean", "nginx on", "disk")),
    Case("json", 16, ("nginx clean", "disk")),
]
FULL = [
    *[Case("plain", connections, (*STORED, "spool")) for connections in (1, 16, 64, 512)],
    Case("plain", 16, ("s3+sqs", "reject", "nginx clean")),
    Case("plain", 64, ("s3+sqs", "reject", "nginx clean")),
    Case("plain", 16, STORED, keep_alive=False),
    Case("plain", 64, STORED, keep_alive=False),
    *[Case(body, 16, (*STORED, "spool")) for body in ("gzip", "20k", "json")],
    Case("20k", 64, STORED),
    Case("gzip", 64, ("nginx clean", "nginx on", "none", "disk")),
    Case("5m", 16, STORED),
]


def start(target, folder, stack):
    if target in NGINX:
        return stack.enter_context(servers.nginx(folder, NGINX[target]))
    settings = COLLECTOR[target]
    if settings is None:
        aws = stack.enter_context(servers.fast_aws(folder / "aws"))
        settings = servers.s3_settings(aws.port) | servers.sqs_settings(aws.port)
    return stack.enter_context(servers.collector(folder, settings))


def fill_memory(file):
    """Has the kernel keep a file of nothing in all memory that is free, as on a machine that has run for a while.

    A virtual machine may get its memory only as it is touched. Whoever writes into pages that were never used then pays
    several times for each, and which server that hits is chance.
    """
    available = next(line for line in open("/proc/meminfo") if line.startswith("MemAvailable:"))
    file.touch()
    os.truncate(file, int(available.split()[1]) * 1024)
    with open(file, "rb", buffering=0) as nothing:
        while nothing.read(1 << 20):
            pass


class Space:
    """A fresh folder for each measurement. What is written is deleted when much of it is there, not before.

    ext4 without a journal passes over inodes that were freed in the last minutes one by one, which can take longer than
    writing a report. So each folder gets a part of the disk of its own: with the attribute `T`, ext4 takes one for each
    folder below, by its name, and no name comes twice.
    """

    def __init__(self, root, most_gb, fills_memory):
        self.root, self.most_bytes, self.used_bytes = root / "space", most_gb * 1e9, 0
        self.nothing = root / "nothing" if fills_memory else None
        self.root.mkdir()
        self.prepare_memory()
        # Elsewhere than on ext4 this fails, and is not needed.
        subprocess.run(["chattr", "+T", self.root], stderr=subprocess.DEVNULL, check=False)

    def folder(self):
        if self.used_bytes > self.most_bytes:
            for folder in self.root.iterdir():
                shutil.rmtree(folder, ignore_errors=True)
            os.sync()
            self.used_bytes = 0
            self.prepare_memory()
        return self.root / uuid.uuid4().hex

    def prepare_memory(self):
        if self.nothing:
            fill_memory(self.nothing)


def measure(case, target, body, seconds, folder):
    """One row of the table."""
    with ExitStack() as stack:
        server = start(target, folder, stack)
        before = server.cpu_seconds()
        found = wrk.run(server.port, body, case.connections, seconds, case.keep_alive)
        cpu_seconds, peak_mb = server.cpu_seconds() - before, server.memory_mb()
    # What is still to be written must not be written at the expense of the next.
    os.sync()
    requests = max(found["requests"], 1)
    return {
        "rate": found["requests"] / found["seconds"],
        "mb": found["requests"] * body.length_bytes / found["seconds"] / 1e6,
        "p50": found["p50_ms"],
        "p99": found["p99_ms"],
        "max": found["max_ms"],
        "cpu": cpu_seconds * 1000 / requests,
        "rss": peak_mb,
        "bad": found["not_ok"] + found["broken"],
    }


def median(rows):
    return {column: statistics.median(row[column] for row in rows) for column in rows[0]}


HEAD = (
    "| body | conn. | server | req/s | MB/s | p50 ms | p99 ms | max ms | CPU ms | peak RSS MB | not 200 "
    "| req/s ÷ clean | CPU ÷ clean | req/s ÷ on | CPU ÷ on |"
)


def ratio(row, rows, measure_name, column):
    base = rows.get(measure_name)
    return f"{row[column] / base[column]:.2f}" if base and base[column] else "–"


def lines(case, rows):
    connections = f"{case.connections}" + ("" if case.keep_alive else " close")
    for target, row in rows.items():
        ratios = [
            ratio(row, rows, base, column) for base in ("nginx clean", "nginx on") for column in ("rate", "cpu")
        ]
        yield (
            f"| {case.body} | {connections} | {target} | {row['rate']:.0f} | {row['mb']:.0f} | {row['p50']:.1f} "
            f"| {row['p99']:.1f} | {row['max']:.0f} | {row['cpu']:.3f} | {row['rss']:.0f} | {row['bad']:.0f} "
            f"| {' | '.join(ratios)} |"
        )


def lines_elsewhere(case):
    """Ratios only: the machine was another one."""
    rows = ELSEWHERE.get((case.body, case.connections), {}) if case.keep_alive else {}
    rows = {name: {"rate": rate, "cpu": cpu, "rss": rss} for name, (rate, cpu, rss) in rows.items()}
    for name, row in rows.items():
        if name not in NGINX:
            ratios = [
                ratio(row, rows, base, column) for base in ("nginx clean", "nginx on") for column in ("rate", "cpu")
            ]
            yield (
                f"| {case.body} | {case.connections} | {name}, elsewhere |{' – |' * 6} {row['rss']} | – "
                f"| {' | '.join(ratios)} |"
            )


def floor(made):
    output = subprocess.run([FLOOR, made["plain"].path, made["gzip"].path], capture_output=True, text=True, check=True)
    found = json.loads(output.stdout)
    return (
        f"Floor of one report on one thread: hashing {found['hash_microseconds'] / 1000:.3f} ms; "
        f"inflating and hashing {found['inflate_and_hash_microseconds'] / 1000:.3f} ms."
    )


def machine():
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    load = os.getloadavg()[0]
    busy = f"load {load:.1f} before the start: " + ("CONTENDED" if load > 0.7 else "quiet")
    return f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {busy}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the cases that targets are about, one round")
    parser.add_argument("--seconds", type=int, help="of each measurement (quick: 2, else 5)")
    parser.add_argument("--rounds", type=int, help="the table shows medians (quick: 1, else 3)")
    parser.add_argument("--body", help="only cases with this body: plain gzip 20k 5m json")
    parser.add_argument("--connections", type=int, help="only cases with so many connections")
    parser.add_argument("--only", help=f"only these servers, separated by commas: {', '.join(ALL)}")
    parser.add_argument("--fill-memory", action="store_true", help="first use all free memory for a file, once: steadier, half a minute more")
    parser.add_argument("--disk-gb", type=float, default=20, help="about how much is written before it is deleted")
    parser.add_argument("--folder", type=Path, default=WORK, help="where everything is written; emptied first")
    servers.add_option(parser)
    return parser.parse_args()


def main():
    chosen = arguments()
    servers.use_option(chosen)
    seconds = chosen.seconds or (2 if chosen.quick else 5)
    rounds = chosen.rounds or (1 if chosen.quick else 3)
    only = chosen.only.split(",") if chosen.only else ALL
    work = chosen.folder
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "reject.toml").write_text('[[rule]]\nname = "nothing"\nresult = "reject"\n')
    made = bodies.write_all(work)
    space = Space(work, chosen.disk_gb, chosen.fill_memory)
    os.sync()
    memory = "filled with a file" if chosen.fill_memory else "as it was"
    print(f"{machine()}; memory {memory}\n{floor(made)}\n")
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}", flush=True)
    for case in QUICK if chosen.quick else FULL:
        if (chosen.body or case.body) != case.body or (chosen.connections or case.connections) != case.connections:
            continue
        rows = {target: [] for target in case.targets if target in only}
        for _ in range(rounds):
            for target, found in rows.items():
                row = measure(case, target, made[case.body], seconds, space.folder())
                space.used_bytes += KEEPS.get(target, 0) * row["mb"] * 1e6 * seconds
                found.append(row)
        for line in lines(case, {target: median(found) for target, found in rows.items()}):
            print(line, flush=True)
        if rows:
            print("".join(f"{line}\n" for line in lines_elsewhere(case)), end="", flush=True)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
