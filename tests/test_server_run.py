"""A real server on a real socket: refuses what cannot be meant, answers, cuts off the slow."""

import asyncio
import socket
import time

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from nkqa.engine import Engine
from nkqa.errors import SettingsError, Unavailable
from nkqa.server import run
from nkqa.server.app import create_app
from nkqa.settings import load_settings
from server_process import serving

JSON = {"content-type": "application/json"}


def test_it_answers_over_a_socket(toy_engine: Engine) -> None:
    with serving(create_app(toy_engine)) as (host, port):
        answer = httpx2.post(f"http://{host}:{port}/ask", json={"question": "What happened?"})

    assert answer.status_code == 200
    assert "server" not in answer.headers


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: loc"])
def test_a_head_that_does_not_come_is_cut_off(
    toy_engine: Engine, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(run, "HEAD_SECONDS", 0.05)
    with (
        serving(create_app(toy_engine)) as address,
        socket.create_connection(address, 10) as client,
    ):
        client.sendall(sent)
        assert client.recv(100) == b""


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n\x00\xff\r\n\r\n"]
)
def test_garbage_is_answered_400(toy_engine: Engine, sent: bytes) -> None:
    with (
        serving(create_app(toy_engine)) as address,
        socket.create_connection(address, 10) as client,
    ):
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404", b"")


@pytest.mark.parametrize(
    ("given", "environment", "message"),
    [
        ({"host": "0.0.0.0"}, {}, "NKQA_API_KEYS"),
        ({"host": "::"}, {}, "NKQA_PUBLIC"),
        ({"host": "example.org"}, {}, "NKQA_API_KEYS"),
        ({}, {"WEB_CONCURRENCY": "2"}, "one process"),
    ],
)
def test_it_refuses_settings_that_cannot_be_meant(
    given: dict[str, object], environment: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=message):
        run.check(load_settings(**given))


@pytest.mark.parametrize(
    "given",
    [{}, {"host": "::1"}, {"host": "0.0.0.0", "public": True}, {"host": "0.0.0.0", "api_keys": "a-key"}],
)
def test_it_takes_settings_that_can(given: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)

    run.check(load_settings(**given))


def test_a_taken_port_is_named() -> None:
    with run.listen("127.0.0.1", 0) as taken, pytest.raises(Unavailable, match=str(taken.getsockname()[1])):
        run.listen("127.0.0.1", taken.getsockname()[1])


def test_clients_that_go_away_leave_nothing_behind(toy_engine: Engine) -> None:
    body = b'{"question": "What happened at the lake?"}'
    head = (
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    app = create_app(toy_engine)
    with serving(app) as address:
        for number in range(40):
            path = b"/ask/stream" if number % 2 else b"/ask"
            with socket.create_connection(address, 10) as client:
                client.sendall(head % (path, len(body)) + body[: None if number % 4 else 10])
        answer = httpx2.post(f"http://{address[0]}:{address[1]}/ask", content=body, headers=JSON)
        deadline = time.monotonic() + 10
        while app.state.service.work.running and time.monotonic() < deadline:
            httpx2.get(f"http://{address[0]}:{address[1]}/healthz")

    assert answer.status_code == 200
    assert app.state.service.work.running == 0


def test_an_open_tab_does_not_hold_the_server_up() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"still here", "more_body": True})
            await asyncio.Event().wait()
        while scope["type"] == "lifespan":
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    start = time.monotonic()
    with serving(endless) as address, socket.create_connection(address, 10) as tab:
        tab.sendall(b"GET /gradio_api/heartbeat/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = tab.recv(10_000)
        while b"still here" not in said:
            said += tab.recv(10_000)

    assert time.monotonic() - start < run.GRACE_SECONDS
