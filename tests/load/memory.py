"""Memory and overload: each scenario against a collector of its own, and one table with what was asked and found."""

import argparse
import asyncio
import shutil
import sys
import time
import zlib
from collections import Counter

import bodies
import clients
import servers
import wrk
from throughput import WORK, machine

MIB = 1024 * 1024
BUDGET_MIB = 256
BESIDES_MIB = 64
BASE = {
    "CRASHMOVER_CRASHSTORAGE_CLASS": "none",
    "BREAKPAD_MAX_IN_FLIGHT_BYTES": str(BUDGET_MIB * MIB),
}


class Table:
    def __init__(self):
        self.has_failed = False
        print("| scenario | asked | found | | answers |\n|---|---|---|---|---|", flush=True)

    def row(self, scenario, asked, found, passed, answers=""):
        self.has_failed |= not passed
        print(f"| {scenario} | {asked} | {found} | {'pass' if passed else '**FAIL**'} | {answers} |", flush=True)

    def memory(self, scenario, server, answers):
        peak, most = server.memory_mb(), BUDGET_MIB + BESIDES_MIB
        self.row(scenario, f"peak RSS ≤ {most} MiB", f"{peak:.0f} MiB", peak <= most, told(answers))


def told(answers):
    answers = Counter(answers)
    return ", ".join(f"{answer}: {times}" for answer, times in sorted(answers.items(), key=lambda pair: str(pair[0])))


def bomb(inflated_mib):
    """A sound gzipped form of one dump of zeros."""
    encoder = zlib.compressobj(9, zlib.DEFLATED, 31)
    start, end = bodies.form(b"\0").split(b"\0", 1)
    pieces = [encoder.compress(start), *(encoder.compress(bytes(MIB)) for _ in range(inflated_mib))]
    return b"".join([*pieces, encoder.compress(end), encoder.flush()])


def large_uploads(table, folder, _quick):
    data = bodies.form(bytes(25 * MIB - 64 * 1024))
    with servers.collector(folder, BASE) as server:
        answers = asyncio.run(clients.post_all(server.port, [data] * 200))
        table.memory("200 uploads of 25 MiB at once", server, answers)


def dribblers(table, folder, quick):
    seconds = 20 if quick else 45
    small = bodies.form(b"x" * 20_000)

    async def run(port):
        async def fast():
            answers, deadline = Counter(), time.monotonic() + seconds
            while time.monotonic() < deadline:
                answers[await clients.post(port, small)] += 1
                await asyncio.sleep(0.1)
            return answers

        return await asyncio.gather(
            clients.dribble(port, 700, seconds), clients.dribble(port, 300, seconds, in_head=True), fast()
        )

    with servers.collector(folder, BASE) as server:
        in_body, in_head, fast = asyncio.run(run(server.port))
        table.memory("1,000 clients that send a byte a second", server, in_body + in_head)
    table.row("… and a fast client beside them", "always 200", told(fast), set(fast) == {200})


def bombs(table, folder, _quick):
    over, under = bomb(512), bomb(99)
    with servers.collector(folder, BASE) as server:
        answers = asyncio.run(clients.post_all(server.port, [over, under] * 50, encoding="gzip"))
        table.memory("100 gzip bombs: 512 MiB (refused) and 99 MiB (within the limit)", server, answers)


def hanging_storage(table, folder, quick, spool=False):
    seconds, plain = (20 if quick else 60), bodies.write_all(WORK)["plain"]
    with servers.SlowStorage(folder / "s3") as storage:
        settings = BASE | servers.s3_settings(storage.port)
        if spool:
            settings |= {"CRASHMOVER_SPOOL_DIR": "spool", "CRASHMOVER_SPOOL_MAX_BYTES": str(2 * 1024 * MIB)}
        with servers.collector(folder, settings) as server:
            storage.become("hang")
            found = wrk.run(server.port, plain, 64, seconds)
            answers = {"200": found["requests"] - found["not_ok"], "not 200": found["not_ok"]}
            name = f"storage hangs for {seconds} s, 64 clients" + (", with a spool" if spool else "")
            table.memory(name, server, answers)
            if spool:
                return
            storage.become("answer")
            recovered = seconds_until_kept(server.port)
            table.row("… and comes back", "a report is kept within 10 s", f"{recovered:.1f} s", recovered <= 10)


def seconds_until_kept(port):
    started, small = time.monotonic(), bodies.form(b"x" * 20_000)
    while time.monotonic() < started + 60:
        if asyncio.run(clients.post(port, small)) == 200:
            break
        time.sleep(0.1)
    return time.monotonic() - started


def goodput(table, folder, quick):
    seconds, small = (24 if quick else 40), bodies.form(b"x" * 20_000)
    with servers.SlowStorage(folder / "s3") as storage:
        settings = BASE | servers.s3_settings(storage.port)
        with servers.collector(folder / "peak", settings) as server:
            storage.become("late")
            answers, took = asyncio.run(clients.closed_loop(server.port, small, 32, 6))
            peak = answers[200] / took
        with servers.collector(folder / "over", settings) as server:
            run = clients.open_loop(server.port, small, 5 * peak, seconds, settle_seconds=seconds / 2)
            answers, took = asyncio.run(run)
            part = answers[200] / took / peak
            found = f"{part:.0%} of {peak:.0f}/s"
            asked = "goodput ≥ 90 % of the peak"
            table.row("five times what a slow storage can take", asked, found, part >= 0.9, told(answers))
            table.memory("… and its memory", server, answers)


def slow_beside_fast(table, folder, quick):
    seconds, plain = (4 if quick else 8), bodies.write_all(WORK)["plain"]
    with servers.collector(folder, BASE) as server:
        alone = wrk.run(server.port, plain, 16, seconds)

        async def beside():
            slow = asyncio.create_task(clients.dribble(server.port, 500, seconds + 3, bytes_per_second=600))
            await asyncio.sleep(2)
            fast = await asyncio.to_thread(wrk.run, server.port, plain, 16, seconds)
            return fast, await slow

        fast, slow = asyncio.run(beside())
    part = fast["requests"] / fast["seconds"] / (alone["requests"] / alone["seconds"])
    found = f"{part:.0%} of {alone['requests'] / alone['seconds']:.0f}/s"
    asked = "fast clients keep ≥ 90 %"
    table.row("500 clients of 600 bytes a second beside 16 fast ones", asked, found, part >= 0.9, told(slow))


def hanging_with_spool(table, folder, quick):
    hanging_storage(table, folder, quick, spool=True)


SCENARIOS = [large_uploads, dribblers, bombs, hanging_storage, hanging_with_spool, goodput, slow_beside_fast]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter phases")
    parser.add_argument("--only", help=f"one of: {', '.join(scenario.__name__ for scenario in SCENARIOS)}")
    servers.add_option(parser)
    chosen = parser.parse_args()
    servers.use_option(chosen)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    print(f"{machine()}\nBudget {BUDGET_MIB} MiB.\n")
    table = Table()
    for scenario in SCENARIOS:
        if chosen.only in (None, scenario.__name__):
            scenario(table, WORK / f"0{scenario.__name__}", chosen.quick)
    shutil.rmtree(WORK, ignore_errors=True)
    return 1 if table.has_failed else 0


if __name__ == "__main__":
    sys.exit(main())
