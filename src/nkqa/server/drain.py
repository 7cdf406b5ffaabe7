"""Ending the connections that a browser tab holds open for ever, so that a server that is told to stop stops."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENDLESS = "/gradio_api/heartbeat/"
"""Where a page only shows that it is open; what is being answered is let finish."""


class Drain:
    """Ends the endless answers once `stop` is called; the others go on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End them; to be called in the server's event loop."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(ENDLESS):
            await self.app(scope, receive, send)
            return
        open_ended = False

        async def sender(message: Message) -> None:
            nonlocal open_ended
            open_ended = message["type"] == "http.response.start" or bool(message.get("more_body"))
            await send(message)

        serving = asyncio.ensure_future(self.app(scope, receive, sender))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
                return
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            if open_ended:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            serving.cancel()
            stopping.cancel()
