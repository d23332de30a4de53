"""Clients that wrk cannot play: many large uploads at once, clients that dribble, clients that come whether or not the
last was answered. All in one asyncio loop; what each was answered is counted."""

import asyncio
import time
from collections import Counter

from bodies import BOUNDARY

CHUNK_BYTES = 64 * 1024


def head(length_bytes, encoding="-"):
    more = f"Content-Encoding: {encoding}\r\n" if encoding != "-" else ""
    return (
        f"POST /submit HTTP/1.1\r\nHost: c\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"{more}Content-Length: {length_bytes}\r\n\r\n"
    ).encode()


async def status(reader):
    line = await reader.readline()
    return int(line.split()[1]) if line else "closed"


async def post(port, data, encoding="-", pause_seconds=0.0, chunk_bytes=CHUNK_BYTES):
    """Sends one report and gives the status of the answer, which may come before all is sent."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return "refused"
    answer = asyncio.create_task(status(reader))
    try:
        writer.write(head(len(data), encoding))
        for start in range(0, len(data), chunk_bytes):
            if answer.done():
                break
            writer.write(data[start : start + chunk_bytes])
            await writer.drain()
            await asyncio.sleep(pause_seconds)
        return await answer
    except OSError:
        # The answer may have come before the connection broke.
        return answer.result() if answer.done() and not answer.exception() else "broken"
    finally:
        answer.cancel()
        writer.close()


async def post_all(port, reports, **more):
    """All at once."""
    return Counter(await asyncio.gather(*(post(port, data, **more) for data in reports)))


async def dribble(port, clients, seconds, bytes_per_second=1, in_head=False):
    """Clients that send so many bytes a second, until they are cut off or the time is up."""

    async def one():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return "refused"
        answer = asyncio.create_task(status(reader))
        try:
            if not in_head:
                writer.write(head(20_000_000))
            letter = b"x" if not in_head else b"P"
            while time.monotonic() < deadline and not answer.done():
                writer.write(letter * bytes_per_second)
                await writer.drain()
                await asyncio.wait([answer], timeout=1)
            return answer.result() if answer.done() else "still open"
        except OSError:
            return "broken"
        finally:
            answer.cancel()
            writer.close()

    deadline = time.monotonic() + seconds
    return Counter(await asyncio.gather(*(one() for _ in range(clients))))


async def closed_loop(port, data, clients, seconds):
    """Each client sends its next report when the last was answered: answers and seconds."""
    answers, started = Counter(), time.monotonic()

    async def one():
        while time.monotonic() < started + seconds:
            answers[await post(port, data)] += 1

    await asyncio.gather(*(one() for _ in range(clients)))
    return answers, time.monotonic() - started


async def open_loop(port, data, per_second, seconds, settle_seconds):
    """New clients come at a fixed rate. Counts the answers that arrive after `settle_seconds`, until `seconds`."""
    answers, started, tasks = Counter(), time.monotonic(), set()

    async def one():
        answer = await post(port, data)
        if settle_seconds <= time.monotonic() - started < seconds:
            answers[answer] += 1

    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0, started + number / per_second - time.monotonic()))
        task = asyncio.create_task(one())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    took = time.monotonic() - started
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return answers, took - settle_seconds
