"""A loopback TCP proxy that a test can cut, block and stall."""

import asyncio
from typing import Self


class Proxy:
    """Forwards 127.0.0.1:port to 127.0.0.1:target, for as long as the test lets it."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._open = True
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.flow()
        self.block()
        await asyncio.gather(*self._tasks)

    def cut(self) -> None:
        """Break every connection there is, with no close frame; new ones pass."""
        for writer in self._writers:
            writer.transport.abort()

    def block(self) -> None:
        """Break every connection and refuse new ones until unblock()."""
        self._open = False
        self.cut()

    def unblock(self) -> None:
        self._open = True

    def stall(self) -> None:
        """Leave every connection open and forward nothing, neither data nor its end, until flow()."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._open:
                await self._forward(reader, writer)
        except OSError:
            pass  # the target is down, or one side broke the connection
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers.add(far_writer)
        try:
            ways = {
                asyncio.create_task(self._pump(reader, far_writer)),
                asyncio.create_task(self._pump(far_reader, writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        finally:
            far_writer.close()
            self._writers.discard(far_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flowing.wait()
            writer.write(data)
            await writer.drain()
        await self._flowing.wait()
