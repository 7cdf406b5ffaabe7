"""The client gives the library's own answers, and the server's refusals as the library's own errors."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256

import httpx2
import pytest

from nkqa.client import Busy, Client, Refused
from nkqa.engine import Engine
from nkqa.errors import BadQuestion, NotFound, Unavailable
from nkqa.server.app import create_app
from nkqa.types import Answer, Ask, Turn
from server_process import serving


@pytest.fixture(scope="module")
def client(toy_engine: Engine) -> Iterator[Client]:
    with serving(create_app(toy_engine)) as (host, port), Client(f"http://{host}:{port}") as client:
        yield client


@pytest.fixture(scope="module")
def question(toy_engine: Engine) -> str:
    document = next(iter(toy_engine.documents.values()))
    first = document.sentences[0]
    return document.text[first.start : first.end]


def test_it_answers_as_the_library_does(client: Client, toy_engine: Engine, question: str) -> None:
    ours, theirs = toy_engine.ask(Ask(question)), client.ask(question)

    assert (theirs.answer, theirs.citations, theirs.sentences) == (
        ours.answer,
        ours.citations,
        ours.sentences,
    )
    assert theirs.corpus == ours.corpus


def test_it_takes_all_that_can_be_asked(client: Client, toy_engine: Engine, question: str) -> None:
    source = next(iter(toy_engine.documents))
    answer = client.ask(
        question,
        [Turn("user", "Hello"), Turn("assistant", "Hello.")],
        filters={"sources": [source]},
        composer="extractive",
        max_sentences=1,
        include=["passages", "timings"],
    )

    assert len(answer.sentences) == 1
    assert {hit.passage.document_id for hit in answer.passages or ()} == {source}
    assert answer.timings


def test_it_streams(client: Client, question: str) -> None:
    events = list(client.stream(question))

    assert [e.name for e in events[:2]] == ["understood", "sources"]
    assert [e.name for e in events[-2:]] == ["answer", "done"]
    assert isinstance(events[-2].data, Answer)
    assert events[-2].data == client.ask(question)


def test_it_reads_the_corpus(client: Client, toy_engine: Engine, question: str) -> None:
    assert [s.id for s in client.sources()] == list(toy_engine.documents)
    assert client.sources()[0] == next(iter(toy_engine.documents.values())).source
    passage = toy_engine.passages[0]
    assert client.passage(passage.id) == passage
    assert client.source(passage.document_id)["text"] == toy_engine.documents[passage.document_id].text
    assert client.search(question, 1)[0].passage == toy_engine.search(question, 1)[0].passage
    quote = sha256(passage.text.encode()).hexdigest()
    assert client.stands(passage.document_id, passage.start, passage.end, quote)
    assert not client.stands(passage.document_id, passage.start + 1, passage.end, quote)


def test_refusals_are_the_library_s_errors(client: Client) -> None:
    with pytest.raises(BadQuestion, match="question"):
        client.ask(" ")
    with pytest.raises(NotFound) as missing:
        client.passage("../no/such passage?")
    with pytest.raises(BadQuestion):
        list(client.stream(""))

    assert isinstance(missing.value, Refused)
    assert (missing.value.status, missing.value.code) == (404, "not-found")


PROBLEM = {"type": "urn:nkqa:problem:too-many-requests", "detail": "Slow down.", "status": 429}


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda _: httpx2.Response(429, json=PROBLEM, headers={"retry-after": "7"}), Busy, "Slow down"),
        (lambda _: httpx2.Response(503, text="<html>Bad gateway</html>"), Busy, "Service Unavailable"),
        (lambda _: httpx2.Response(401, json={"type": "urn:nkqa:problem:key-needed"}), Refused, "key-needed"),
        (lambda _: httpx2.Response(500, json=[]), Refused, "500"),
        (lambda _: httpx2.Response(200, text="hello"), Unavailable, "not one of nkqa's"),
        (lambda _: httpx2.Response(200, json={"id": "x"}), Unavailable, "not one of nkqa's"),
    ],
)
def test_whatever_a_server_says(
    answer: Callable[[httpx2.Request], httpx2.Response], error: type[Exception], said: str
) -> None:
    client = Client("http://localhost", key="k")
    client._http = httpx2.Client(base_url="http://localhost", transport=httpx2.MockTransport(answer))

    with client, pytest.raises(error, match=said) as raised:
        client.ask("What?")
    if isinstance(raised.value, Busy):
        assert raised.value.retry_after in (7.0, 1.0)


def test_an_error_on_the_way(client: Client) -> None:
    body = f"event: understood\ndata: {{}}\n\nevent: error\ndata: {json.dumps(PROBLEM)}\n\n"
    broken = Client("http://localhost")
    broken._http = httpx2.Client(
        base_url="http://localhost", transport=httpx2.MockTransport(lambda _: httpx2.Response(200, text=body))
    )

    with broken, pytest.raises(Busy):
        list(broken.stream("What?"))


def test_nobody_there() -> None:
    with Client("http://127.0.0.1:9") as nobody:
        with pytest.raises(Unavailable, match="nkqa serve"):
            nobody.ask("What?")
        with pytest.raises(Unavailable, match="nkqa serve"):
            list(nobody.stream("What?"))
