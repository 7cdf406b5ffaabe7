"""A server as `nkqa serve` runs it, in a thread of the test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from nkqa.server import run
from nkqa.server.drain import Drain
from nkqa.settings import Settings, load_settings


class _Server(run.Server):
    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config, drain)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def serving(app: ASGIApp, settings: Settings | None = None) -> Iterator[tuple[str, int]]:
    """Yield host and port of `app`, on a free port of loopback, until the block ends."""
    with run.listen("127.0.0.1", 0) as listening:
        drain = Drain(app)
        server = _Server(run.config(drain, settings or load_settings()), drain)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            assert server.is_up.wait(20)
            host, port = listening.getsockname()
            yield host, port
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
