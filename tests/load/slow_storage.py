"""S3 for overload tests: takes every object and keeps none. Argument: a port of the loopback.

`GET /__mode/MODE` changes how it goes on: `answer` at once, `late` after 50 ms each, `hang` takes and never answers.
Leaving `hang` breaks the connections that hang, as a storage that comes back does.
"""

import asyncio
import sys

LATE_SECONDS = 0.05
YES = b'HTTP/1.1 200 OK\r\nETag: "0"\r\nContent-Length: 0\r\n\r\n'


class Storage:
    def __init__(self):
        self.mode, self.left_hang = "answer", asyncio.Event()

    def become(self, mode):
        if self.mode == "hang":
            self.left_hang.set()
            self.left_hang = asyncio.Event()
        self.mode = mode

    async def serve(self, reader, writer):
        try:
            while await self.answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, reader, writer):
        """One request; false if the connection is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split()[1]
        if path.startswith("/__mode/"):
            self.become(path.rsplit("/", 1)[1])
        else:
            lengths = [line.split(":")[1] for line in head if line.lower().startswith("content-length:")]
            await reader.readexactly(int(lengths[0]) if lengths else 0)
            if self.mode == "hang":
                await self.left_hang.wait()
                return False
            if self.mode == "late":
                await asyncio.sleep(LATE_SECONDS)
        writer.write(YES)
        await writer.drain()
        return True


async def main():
    server = await asyncio.start_server(Storage().serve, "127.0.0.1", int(sys.argv[1]), backlog=1024, limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
