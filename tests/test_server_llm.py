"""A language model behind the server: used, failing, and left alone when the asker goes away."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from llm_faults import FAULTS, FaultHandler, faults
from nkqa.engine import Engine
from nkqa.llm import LanguageModel
from nkqa.server.app import create_app
from server_process import serving


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    with faults() as url:
        yield url


def behind(engine: Engine, url: str, monkeypatch: pytest.MonkeyPatch, seconds: float = 1) -> None:
    changed = engine.settings.model_copy(update={"llm_url": url, "llm_model": "tiny", "llm_seconds": seconds})
    monkeypatch.setattr(engine, "settings", changed)
    monkeypatch.setattr(engine, "_llm", LanguageModel(changed, engine.names))


@pytest.fixture(scope="module")
def question(toy_engine: Engine) -> str:
    document = next(iter(toy_engine.documents.values()))
    return document.text[document.sentences[0].start : document.sentences[0].end]


@pytest.mark.parametrize("fault", ["point", "html", "choices_null", "status_429", "cut", "tool_calls"])
def test_an_answer_comes_whatever_the_model_does(
    toy_engine: Engine, faulty: str, question: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(toy_engine, f"{faulty}/{fault}", monkeypatch)
    with TestClient(create_app(toy_engine), base_url="http://localhost") as client:
        plain = client.post("/ask", json={"question": question}).json()
        given = client.post("/ask", json={"question": question, "composer": "llm"})
        chat = client.post(
            "/v1/chat/completions",
            json={"model": "nkqa-llm", "messages": [{"role": "user", "content": question}]},
        ).json()
        counted = client.get("/metrics").text

    answer = given.json()
    assert given.status_code == 200
    assert given.headers["cache-control"] == "no-store"
    assert answer["status"] == plain["status"] == "answered"
    assert answer["llm"]["model"] == "tiny"
    assert answer["composer_used"] == ("llm" if answer["llm"]["status"] == "ok" else "extractive")
    if answer["llm"]["status"] != "ok":
        assert answer["sentences"] == plain["sentences"]
    assert chat["nkqa"]["llm"]["status"] == answer["llm"]["status"]
    assert f'nkqa_llm_total{{status="{answer["llm"]["status"]}"}} 2.0' in counted


def test_the_model_is_left_when_the_asker_goes_away(
    toy_engine: Engine, faulty: str, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, left = threading.Event(), threading.Event()

    def waits(handler: FaultHandler) -> None:
        asked.set()
        handler.connection.settimeout(20)
        if handler.rfile.read(1) == b"":
            left.set()
        handler.close_connection = True

    monkeypatch.setitem(FAULTS, "waits", waits)
    behind(toy_engine, f"{faulty}/waits", monkeypatch, seconds=60)
    body = json.dumps({"question": question, "composer": "llm"}).encode()
    head = b"POST /ask HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: "
    with serving(create_app(toy_engine)) as address:
        with socket.create_connection(address, 10) as client:
            client.sendall(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            assert asked.wait(10)
        assert left.wait(10)
