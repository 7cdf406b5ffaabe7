"""Names, dates and quotes: what the corpus says about somebody, about a day, and whether a quote stands."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from starlette.testclient import TestClient

from nkqa.engine import Engine
from nkqa.server.app import create_app


@pytest.fixture(scope="module")
def client(toy_engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(toy_engine), base_url="http://localhost") as client:
        yield client


def test_a_name_is_found_by_every_spelling(client: TestClient, toy_engine: Engine) -> None:
    listed = client.get("/names").json()["names"]
    assert [n["id"] for n in listed] == [n.id for n in toy_engine.names.entries]

    for entry in listed:
        details = [client.get(f"/names/{spelling}").json() for spelling in (entry["id"], *entry["names"])]
        assert all(d == details[0] for d in details)
        assert details[0]["sentences"] == entry["sentences"]
        for mention in details[0]["mentions"]:
            found = toy_engine.names.find(mention["sentence"]["text"])
            assert entry["id"] in {m.entry.id for m in found}


def test_an_unknown_name_is_not_found(client: TestClient) -> None:
    assert client.get("/names/nobody%20at%20all").status_code == 404
    assert client.get("/names/%00").status_code == 404


def test_the_timeline_is_in_order_and_can_be_cut(client: TestClient) -> None:
    whole = client.get("/timeline", params={"limit": 500}).json()
    days = [e["first"] for e in whole["entries"]]
    assert days == sorted(days)
    assert days
    middle = days[len(days) // 2]

    early = client.get("/timeline", params={"to": middle, "limit": 500}).json()
    late = client.get("/timeline", params={"from": middle, "limit": 500}).json()
    assert all(e["first"] <= middle for e in early["entries"])
    assert all(e["last"] >= middle for e in late["entries"])
    assert early["total"] + late["total"] >= whole["total"]
    second = client.get("/timeline", params={"limit": 1, "offset": 1}).json()["entries"]
    assert second == whole["entries"][1:2]


def test_the_timeline_of_one_source(client: TestClient, toy_engine: Engine) -> None:
    for source in toy_engine.documents:
        entries = client.get("/timeline", params={"source": source}).json()["entries"]
        assert {e["source"]["id"] for e in entries} <= {source}
    assert client.get("/timeline", params={"source": "none"}).status_code == 404


@pytest.mark.parametrize(
    "query", ["from=yesterday", "limit=0", "limit=x", "offset=-1", "admin=1", "limit=1e9"]
)
def test_a_bad_query_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/timeline?{query}").status_code == 422


def test_a_quote_stands_moves_or_changes(client: TestClient, toy_engine: Engine) -> None:
    document = next(iter(toy_engine.documents.values()))
    first = document.sentences[0]
    quote: dict[str, str | int] = {
        "document": document.id,
        "start": first.start,
        "end": first.end,
        "sha256": sha256(document.text[first.start : first.end].encode()).hexdigest(),
    }

    def verdict(**changed: str | int) -> dict[str, object]:
        answer = client.get("/verify", params={**quote, **changed})
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        return body

    assert verdict()["status"] == "stands"
    moved = verdict(start=first.start + 1)
    assert (moved["status"], moved["stands"]) == ("moved", False)
    assert moved["moved_to"]["start"] == first.start  # type: ignore[index]
    assert verdict(sha256="0" * 64)["status"] == "changed"
    assert verdict(start=10**8, end=10**8, sha256="0" * 64)["text"] is None
    assert verdict(document="gone")["status"] == "no_document"


@pytest.mark.parametrize(
    "changed", [{"sha256": "xyz"}, {"start": -1}, {"end": "x"}, {"document": ""}, {"start": 10**30}]
)
def test_a_quote_that_cannot_be_one_is_refused(client: TestClient, changed: dict[str, str | int]) -> None:
    given: dict[str, str | int] = {"document": "d", "start": 0, "end": 1, "sha256": "0" * 64}

    assert client.get("/verify", params={**given, **changed}).status_code == 422
