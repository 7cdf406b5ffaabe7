"""The stream tells the stages in order and ends with the answer that `POST /ask` gives."""

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from nkqa.engine import Engine
from nkqa.server.app import create_app
from nkqa.server.problems import Problem
from nkqa.server.work import Work


@pytest.fixture(scope="module")
def client(toy_engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(toy_engine), base_url="http://localhost") as client:
        yield client


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


@pytest.fixture(scope="module")
def questions(toy_engine: Engine) -> list[str]:
    first = [(d, d.sentences[0]) for d in toy_engine.documents.values()]
    return [*(d.text[s.start : s.end] for d, s in first), "zxqv?", "What will happen in 2050?"]


def test_the_stream_ends_with_the_plain_answer(client: TestClient, questions: list[str]) -> None:
    for question in questions:
        plain = client.post("/ask", json={"question": question}).json()
        streamed = client.post("/ask/stream", json={"question": question})
        told = events(streamed.text)

        assert streamed.headers["content-type"].startswith("text/event-stream")
        names = [name for name, _ in told]
        sentences = ["sentence"] * len(plain["sentences"])
        assert names == ["understood", "sources", *sentences, "answer", "done"]
        assert told[-2][1] == plain
        cited = [data["text"] for name, data in told if name == "sentence"]
        assert cited == [s["text"] for s in plain["sentences"]]


def test_what_is_wrong_from_the_start_is_a_status(client: TestClient) -> None:
    assert client.post("/ask/stream", json={"question": ""}).status_code == 422
    body = {"question": "What?", "filters": {"sources": ["no-such-source"]}}
    assert client.post("/ask/stream", json=body).status_code == 404
    assert client.post("/ask", json=body).status_code == 404


def test_a_failure_on_the_way_is_the_last_event(
    toy_engine: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(toy_engine, "_compose", broken)
    told = events(client.post("/ask/stream", json={"question": "What happened?"}).text)

    assert told[-1][0] == "error"
    assert told[-1][1]["status"] == 500
    assert "secret" not in json.dumps(told)


def test_one_call_too_many_is_refused_and_places_are_freed() -> None:
    async def scenario() -> list[str]:
        work = Work(in_flight=2)
        gate = threading.Event()
        held = [asyncio.create_task(work.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await work.run(str)
        gate.set()
        await asyncio.gather(*held)
        return [str(refused.value.status_code), await work.run(lambda: "free again"), str(work.running)]

    assert asyncio.run(scenario()) == ["503", "free again", "0"]


def test_an_iterator_stops_when_nobody_listens() -> None:
    made = []
    gate = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number
            gate.wait(10)

    async def scenario() -> int:
        work = Work(in_flight=1)
        stream = work.iterate(numbers)
        first = await anext(stream)
        await stream.aclose()
        gate.set()
        await asyncio.gather(*work._tasks)
        return first + work.running

    assert asyncio.run(scenario()) == 0
    assert len(made) <= 2
