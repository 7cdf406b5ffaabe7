"""`serve(settings)`: one process on one address, until it is told to stop."""

import asyncio
import logging
import socket
import sys
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from nkqa.doctor import serving
from nkqa.engine import Engine, open_engine
from nkqa.errors import SettingsError, Unavailable
from nkqa.server.app import Mount, create_app
from nkqa.server.drain import Drain
from nkqa.server.logs import configure
from nkqa.settings import Settings

log = logging.getLogger("nkqa.server")
HEAD_SECONDS = 10.0
GRACE_SECONDS = 10
MOST_CONNECTIONS = 1_000


def check(settings: Settings) -> None:
    """Refuse to serve with settings that cannot be meant.

    Raises:
        SettingsError: open to others without a key, several worker processes, a limit that is none.
    """
    if refused := [finding.line for finding in serving(settings)]:
        raise SettingsError(" ".join(refused))


def serve(settings: Settings, mount: Mount | None = None, engine: Engine | None = None) -> None:
    """Serve `engine`, or the index that the settings name, on their address until SIGINT or SIGTERM.

    The engine is closed at the end, whoever opened it.

    Raises:
        SettingsError: the settings cannot be meant.
        Unavailable: the address cannot be listened on.
        IndexMissing, IndexStale, IndexDamaged, ModelError: the index cannot be opened.
    """
    check(settings)
    with listen(settings.host, settings.port) as listening:
        configure()
        app = Drain(create_app(engine or open_engine(settings), mount, close=True))
        host, port = listening.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        log.info("listening", extra={"url": url})
        if sys.stderr.isatty():
            print(f"nkqa: {url}  (the API: {url}/docs; Ctrl-C stops it)", file=sys.stderr)
        Server(config(app, settings), app).run(sockets=[listening])


class Server(uvicorn.Server):
    """uvicorn's server, which first ends what a browser tab holds open for ever."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests, and let those in work finish."""
        self._drain.stop()
        await super().shutdown(sockets)


def config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn is to serve `app`."""
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.proxies,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one.

    Raises:
        Unavailable: the address is taken, or not ours.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise Unavailable(
            f"Cannot listen on {host} port {port}: {error}. Set NKQA_HOST or NKQA_PORT."
        ) from error


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline for the head of a request, which uvicorn has not."""

    _deadline: asyncio.TimerHandle | None = None

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 uvicorn's own signature
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of the head."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there to wait for."""
        self._stop_waiting()
        super().connection_lost(exc)
