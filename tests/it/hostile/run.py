"""Runs the shapes of `shapes.py` against a collector, each against one of its own, and prints a row for each.

    run.py --antenna target/release/antenna [--full] [--quick] [--seconds 5] [--budget-mib 64] [word ...]

While a shape is being sent, ordinary clients send reports of 20 KB and a probe asks `/__lbheartbeat__`, both from another
process. Asked for, of each shape: peak memory at most the budget and 64 MiB; at least 99 of 100 ordinary reports kept
within two seconds; the probes' p99 within the bound; nobody left without an answer or an end. Exit code 1 if a row fails.
"""

import argparse
import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import shapes as table

MIB = 1024 * 1024
BESIDES_MIB = 64
# For whatever is to happen: the collector's start, its end, the end of a client.
PATIENCE_SECONDS = 30


class Collector:
    """A process of its own in a folder of its own."""

    def __init__(self, antenna, folder, settings):
        folder.mkdir(parents=True)
        self.log = folder / "log"
        environment = {
            "PORT": "0",
            "HOST": "127.0.0.1",
            "BREAKPAD_THROTTLER_RULES": "accept_all",
            "BREAKPAD_THROTTLER_PRODUCTS": "all",
            "CRASHMOVER_CRASHSTORAGE_CLASS": "none",
            **{name: value for name, value in os.environ.items() if name.startswith("MIMALLOC_")},
            "CRASHMOVER_CRASHPUBLISH_CLASS": "none",
            "AWS_EC2_METADATA_DISABLED": "true",
            **settings,
        }
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([antenna], cwd=folder, env=environment, stdout=log, stderr=log)
        self.port = self._port()

    def _port(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self.log.read_text()
            if "listening on" in text:
                return int(text.split("listening on http://127.0.0.1:")[1].split('"')[0].split()[0])
            time.sleep(0.02)
        raise RuntimeError(f"the collector did not start:\n{self.log.read_text()}")

    def status(self, field):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def head(shape, length_bytes):
    encoding = f"Content-Encoding: {shape.encoding}\r\n" if shape.encoding else ""
    return (
        f"POST {shape.target} HTTP/1.1\r\nHost: c\r\nContent-Type: multipart/form-data; boundary={table.BOUNDARY}\r\n"
        f"{shape.headers}{encoding}Content-Length: {length_bytes}\r\n\r\n"
    ).encode("latin-1")


async def answer(reader):
    """Status and body of one answer; `None` where the connection ended instead."""
    line = await reader.readline()
    if not line:
        return None
    length_bytes = 0
    while (field := await reader.readline()) not in (b"\r\n", b""):
        if field.lower().startswith(b"content-length:"):
            length_bytes = int(field.split(b":")[1])
    return int(line.split()[1]), await reader.readexactly(length_bytes)


class Attack:
    """One shape's clients."""

    def __init__(self, port, shape, seconds):
        self.port, self.shape, self.seconds = port, shape, seconds
        self.deadline = time.monotonic() + seconds
        self.sent_bytes = self.answered = self.unanswered = 0

    def is_over(self):
        return time.monotonic() >= self.deadline

    async def run(self):
        action = {
            "loop": self.loop,
            "kept": self.kept,
            "served": self.served,
            "stall": self.stall,
            "drip": self.drip,
            "slow": self.slow,
            "crumbs": self.crumbs,
            "deaf": self.deaf,
            "heads": self.heads,
            "half head": self.half_head,
            "idle": self.idle,
            "get": self.get,
        }[self.shape.action]
        await asyncio.gather(*(self.again_and_again(action) for _ in range(self.shape.clients)))

    async def again_and_again(self, action):
        while not self.is_over():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            try:
                await action(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                # Closed while this client was still sending; it gets to know by the next one.
                await asyncio.sleep(0.01)
            finally:
                writer.close()

    async def write(self, writer, data):
        self.sent_bytes += len(data)
        writer.write(data)
        await writer.drain()

    async def read_answer(self, reader):
        """Everybody gets an answer or the end of the connection within the patience."""
        try:
            found = await asyncio.wait_for(answer(reader), PATIENCE_SECONDS)
        except asyncio.TimeoutError:
            self.unanswered += 1
            return
        self.answered += found is not None

    async def loop(self, reader, writer):
        sending = asyncio.create_task(self.write(writer, head(self.shape, len(self.shape.body)) + self.shape.body))
        await self.read_answer(reader)
        await sending

    async def kept(self, reader, writer):
        while not self.is_over():
            await self.loop(reader, writer)

    async def served(self, reader, writer):
        await self.loop(reader, writer)
        await self.silence(reader)

    async def begin(self, writer):
        body = self.shape.body
        sent = body[: int(len(body) * self.shape.sent_part)]
        await self.write(writer, head(self.shape, len(body) + 1000) + sent)

    async def silence(self, reader):
        """Until the collector has had enough, or the time is up."""
        try:
            await asyncio.wait_for(answer(reader), max(0.1, self.deadline - time.monotonic()))
            self.answered += 1
        except asyncio.TimeoutError:
            pass

    async def stall(self, reader, writer):
        await self.begin(writer)
        await self.silence(reader)

    async def drip(self, reader, writer):
        await self.begin(writer)
        while not self.is_over():
            await self.write(writer, b"x")
            await asyncio.sleep(1)

    async def slow(self, reader, writer):
        await self.write(writer, head(self.shape, len(self.shape.body)))
        for start in range(0, len(self.shape.body), 16 * 1024):
            if self.is_over():
                return
            await self.write(writer, self.shape.body[start : start + 16 * 1024])
            await asyncio.sleep(0.05)

    async def crumbs(self, reader, writer):
        await self.write(writer, head(self.shape, len(self.shape.body)))
        for at in range(len(self.shape.body)):
            if self.is_over():
                return
            await self.write(writer, self.shape.body[at : at + 1])
        await self.read_answer(reader)

    async def deaf(self, reader, writer):
        data = head(self.shape, len(self.shape.body)) + self.shape.body
        if not self.shape.body:
            data = f"GET {self.shape.target} HTTP/1.1\r\nHost: c\r\n\r\n".encode()
        while not self.is_over():
            # Nothing is read, so before long nothing more can be sent.
            try:
                await asyncio.wait_for(self.write(writer, data * 100), 1)
            except asyncio.TimeoutError:
                await asyncio.sleep(max(0, self.deadline - time.monotonic()))

    async def heads(self, reader, writer):
        fields = "".join(f"X-{n}: {'v' * 150}\r\n" for n in range(60))
        await self.write(writer, f"GET /__version__ HTTP/1.1\r\nHost: c\r\n{fields}\r\n".encode())
        await self.read_answer(reader)
        await asyncio.sleep(max(0, self.deadline - time.monotonic()))

    async def half_head(self, reader, writer):
        await self.write(writer, b"POST /submit HTTP/1.1\r\nHost: c\r\nX: " + b"v" * 12_000)
        await self.silence(reader)

    async def idle(self, reader, writer):
        await self.silence(reader)

    async def get(self, reader, writer):
        await self.write(writer, f"GET {self.shape.target} HTTP/1.1\r\nHost: c\r\n\r\n".encode())
        await self.read_answer(reader)


async def ordinary(port, seconds):
    """Ordinary clients and probes: how many were kept in time, and how long the probes took."""
    shape = table.Shape("ordinary", "", table.form(table.dump("upload_file_minidump", bytes(20_000))))
    request = head(shape, len(shape.body)) + shape.body
    deadline, kept, sent, probes = time.monotonic() + seconds, 0, 0, []

    async def asked(data):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            return await answer(reader)
        finally:
            writer.close()

    async def reports():
        nonlocal kept, sent
        while time.monotonic() < deadline:
            sent += 1
            try:
                found = await asyncio.wait_for(asked(request), 2)
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                found = None
            kept += found is not None and found[1].startswith(b"CrashID=")
            await asyncio.sleep(0.1)

    async def probe():
        while time.monotonic() < deadline:
            started = time.monotonic()
            try:
                await asyncio.wait_for(asked(b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: c\r\n\r\n"), 10)
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                pass
            probes.append(time.monotonic() - started)
            await asyncio.sleep(0.02)

    await asyncio.gather(*(reports() for _ in range(4)), probe())
    return kept, sent, sorted(probes)[min(len(probes) - 1, int(len(probes) * 0.99))]


def beside(port, seconds, found):
    os.nice(-5) if os.geteuid() == 0 else None
    found.send(asyncio.run(ordinary(port, seconds)))


def tried(shape, options, folder):
    settings = {"BREAKPAD_MAX_IN_FLIGHT_BYTES": str(options.budget_mib * MIB), **shape.settings}
    collector = Collector(options.antenna, folder, settings)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=beside, args=(collector.port, options.seconds, theirs))
    attack = Attack(collector.port, shape, options.seconds)
    process.start()
    asyncio.run(attack.run())
    kept, sent, p99 = ours.recv() if ours.poll(PATIENCE_SECONDS) else (0, 1, PATIENCE_SECONDS)
    process.join()
    peak_mib = collector.status("VmHWM") / 1024
    cpu_per_mb = collector.cpu_seconds() / max(attack.sent_bytes / 1e6, 0.001)
    code = collector.stop()
    wrong = []
    if peak_mib > options.budget_mib + BESIDES_MIB:
        wrong.append("memory")
    if kept < 0.99 * sent:
        wrong.append("reports")
    if p99 * 1000 > options.probe_ms:
        wrong.append("probes")
    if attack.unanswered:
        wrong.append(f"{attack.unanswered} unanswered")
    if code != 0:
        wrong.append(f"exit {code}")
    return f"{peak_mib:.0f} MiB", f"{kept} of {sent}", f"{p99 * 1000:.0f} ms", f"{cpu_per_mb:.2f} s", wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--antenna", required=True)
    parser.add_argument("--full", action="store_true", help="bodies as large as the limits allow")
    parser.add_argument("--quick", action="store_true", help="some of them only")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--budget-mib", type=int, default=64)
    parser.add_argument("--probe-ms", type=float, default=100)
    parser.add_argument("words", nargs="*", help="shapes whose name or mechanism has one of these")
    options = parser.parse_args()
    options.antenna = str(Path(options.antenna).resolve())
    failed = rows = 0
    print("| shape | | peak RSS | ordinary reports kept | probes, p99 | CPU per MB sent | |\n|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="hostile") as folder:
        for number, (name, make, quick) in enumerate(table.shapes(options.full)):
            shape_is_wanted = not options.words or any(word in name for word in options.words)
            if not shape_is_wanted or options.quick and not quick:
                continue
            shape = make()
            *found, wrong = tried(shape, options, Path(folder) / str(number))
            rows, failed = rows + 1, failed + bool(wrong)
            verdict = "**" + ", ".join(wrong) + "**" if wrong else "pass"
            print("|", " | ".join([name, shape.mechanism, *found, verdict]), "|", flush=True)
    print(f"\nhostile: {rows - failed} of {rows} shapes passed, budget {options.budget_mib} MiB")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
