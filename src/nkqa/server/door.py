"""Who may come in: known host names, no maintenance, a key where keys are set, and not too often."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nkqa.doctor import is_loopback, parts
from nkqa.errors import SettingsError
from nkqa.server.problems import Problem, clip, response
from nkqa.settings import Settings

MOST_CLIENTS = 20_000
"""How many clients are counted at once; then counting begins anew."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
OPEN = ("/healthz", "/readyz")
"""What needs no key, counts for no limit, and may be asked by any name: probes use addresses."""
FREE_BELOW = ("/assets/", "/static/", "/docs/", "/page/", "/gradio_api/heartbeat/", "/gradio_api/queue/data")
"""Files and waiting of the pages, which count for no limit."""


class Hosts:
    """Which names of this server a request may use, so that no foreign name can be pointed at it."""

    def __init__(self, settings: Settings) -> None:
        self._names = [name.lower() for name in parts(settings.hosts)]
        if not self._names:
            self._names = list(LOOPBACK) if is_loopback(settings.host) else ["*"]

    def check(self, headers: Headers) -> None:
        """Let it pass.

        Raises:
            Problem: the Host header names another.
        """
        host = headers.get("host", "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if not any(name == known or known == "*" or _below(name, known) for known in self._names):
            raise Problem("bad-host", "This server does not answer to that name; see NKQA_HOSTS.")


def _below(name: str, known: str) -> bool:
    return known.startswith("*.") and name.endswith(known[1:])


class Maintenance:
    """A switch: while the file exists, the server is closed, and says what the file says."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def check(self) -> None:
        """Let it pass.

        Raises:
            Problem: the file is there.
        """
        if self._file is None or not self._file.exists():
            return
        try:
            with self._file.open(encoding="utf-8", errors="replace") as file:
                said = clip(file.read(301).strip())
        except OSError:
            said = ""
        raise Problem("maintenance", said, {"retry-after": "60"})


class Keys:
    """API keys: `Authorization: Bearer`, `X-API-Key`, or the password of a browser's dialogue."""

    def __init__(self, settings: Settings) -> None:
        self._digests = [_digest(key) for key in parts(settings.api_keys.get_secret_value())]

    def check(self, headers: Headers) -> str:
        """Let it pass and return a name for the key, or the empty text where none is needed.

        Raises:
            Problem: no key, or a wrong one; every key is compared, in the same time.
        """
        if not self._digests:
            return ""
        given = _digest(_key(headers))
        if not sum([hmac.compare_digest(given, known) for known in self._digests]):
            html = "text/html" in headers.get("accept", "")
            challenge = f'{"Basic" if html else "Bearer"} realm="nkqa"'
            raise Problem("key-needed", headers={"www-authenticate": challenge})
        return given.hex()[:16]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _key(headers: Headers) -> str:
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return headers.get("x-api-key", "")


class Rates:
    """How many requests a client may make in a span of time; a client is its key, or its address."""

    def __init__(self, settings: Settings) -> None:
        try:
            self._limit = parse(settings.rate_limit) if settings.rate_limit.strip() else None
        except ValueError as error:
            raise SettingsError(
                f"NKQA_RATE_LIMIT={settings.rate_limit!r}: write it as 300/minute."
            ) from error
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)

    def check(self, key: str, scope: Scope) -> dict[str, str]:
        """Let it pass, and return the headers that tell the client what it has left.

        Raises:
            Problem: that was one too many.
        """
        if self._limit is None:
            return {}
        client = key or _network(scope)
        if len(self._storage.storage) > MOST_CLIENTS:  # more than a window has honest ones
            self._storage.reset()
        allowed = self._limiter.hit(self._limit, client)
        window = self._limiter.get_window_stats(self._limit, client)
        wait = max(1, round(window.reset_time - time.time() + 0.5))
        headers = {
            "x-ratelimit-limit": str(self._limit.amount),
            "x-ratelimit-remaining": str(window.remaining),
            "x-ratelimit-reset": str(wait),
        }
        if not allowed:
            detail = f"{self._limit} are allowed; try again in {wait} s."
            raise Problem("too-many-requests", detail, {**headers, "retry-after": str(wait)})
        return headers


def _network(scope: Scope) -> str:
    """The client's address; of an IPv6 address the part that one customer has."""
    host = str((scope.get("client") or ("",))[0])
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else host


class Door:
    """Asks all of these in turn, and tells `refused` the code of each problem."""

    def __init__(self, app: ASGIApp, settings: Settings, refused: Callable[[str], None]) -> None:
        self.app = app
        self._hosts = Hosts(settings)
        self._maintenance = Maintenance(settings.maintenance)
        self._keys = Keys(settings)
        self._rates = Rates(settings)
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, headers = scope["path"], Headers(scope=scope)
        told: dict[str, str] = {}
        try:
            if path != "/healthz":
                self._maintenance.check()
            if path not in OPEN:
                self._hosts.check(headers)
                key = self._keys.check(headers)
                if not path.startswith(FREE_BELOW):
                    told = self._rates.check(key, scope)
        except Problem as problem:
            self._refused(problem.kind.code)
            await response(problem, scope)(scope, receive, send)
            return

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self.app(scope, receive, sender)
