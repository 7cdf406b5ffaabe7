"""Every route answers what its schema says, with its headers; a page can be mounted beside it."""

import dataclasses
import re
from collections.abc import Iterator
from hashlib import sha256

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from nkqa.engine import Engine
from nkqa.server.app import create_app
from nkqa.server.schema import MIRRORED
from nkqa.types import Ask


@pytest.fixture(scope="module")
def client(toy_engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(toy_engine), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def question(toy_engine: Engine) -> str:
    document = next(iter(toy_engine.documents.values()))
    first = document.sentences[0]
    return str(document.text[first.start : first.end])


@pytest.mark.parametrize("model", MIRRORED, ids=lambda m: m.__name__)
def test_the_schema_has_the_fields_of_the_dataclass(model: type) -> None:
    fields = {f.name for f in dataclasses.fields(MIRRORED[model])}

    assert set(model.model_fields) == fields  # type: ignore[attr-defined]


def valid(client: TestClient, body: object, name: str) -> None:
    parts = client.get("/openapi.json").json()["components"]
    Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": parts}).validate(body)


def test_ask_answers_as_the_engine_does(client: TestClient, toy_engine: Engine, question: str) -> None:
    answer = client.post("/ask", json={"question": question})

    valid(client, answer.json(), "Answer")
    same = dataclasses.asdict(toy_engine.ask(Ask(question)))
    assert answer.json()["answer"] == same["answer"]
    assert answer.json()["passages"] is answer.json()["timings"] is None


def test_ask_takes_all_that_the_design_names(client: TestClient, toy_engine: Engine, question: str) -> None:
    first = next(iter(toy_engine.documents))
    body = {
        "question": question,
        "history": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello."}],
        "filters": {
            "sources": [first],
            "types": [],
            "perspectives": [],
            "issued_from": "1900-01-01",
            "issued_to": "2999-12-31",
        },
        "composer": "extractive",
        "max_sentences": 1,
        "include": ["passages", "timings"],
    }
    answer = client.post("/ask", json=body).json()

    assert len(answer["sentences"]) <= 1
    assert {hit["passage"]["document_id"] for hit in answer["passages"]} <= {first}
    assert answer["timings"]


def test_an_answer_is_tagged_by_question_and_corpus(client: TestClient, question: str) -> None:
    asked = client.post("/ask", json={"question": question})
    again = client.get("/ask", params={"question": question})
    held = client.get("/ask", params={"question": question}, headers={"if-none-match": again.headers["etag"]})

    assert asked.headers["etag"] == again.headers["etag"]
    assert asked.json() == again.json()
    assert client.get("/ask", params={"question": question + "?"}).headers["etag"] != again.headers["etag"]
    assert (held.status_code, held.content) == (304, b"")
    timed = client.post("/ask", json={"question": question, "include": ["timings"]})
    assert timed.headers["cache-control"] == "no-store"


def test_search_gives_passages_with_their_places(
    client: TestClient, toy_engine: Engine, question: str
) -> None:
    found = client.post("/search", json={"question": question, "k": 2}).json()

    valid(client, found, "SearchResponse")
    assert 1 <= len(found["hits"]) <= 2
    for hit in found["hits"]:
        passage = hit["passage"]
        assert (
            toy_engine.documents[hit["source"]["id"]].text[passage["start"] : passage["end"]]
            == passage["text"]
        )
        assert len(hit["locators"]) == passage["last"] - passage["first"] + 1


def test_sources_give_the_text_that_offsets_point_into(client: TestClient, toy_engine: Engine) -> None:
    listed = client.get("/sources").json()
    valid(client, listed, "SourceList")

    assert [s["id"] for s in listed["sources"]] == list(toy_engine.documents)
    for entry in listed["sources"]:
        detail = client.get(f"/sources/{entry['id']}").json()
        valid(client, detail, "SourceDetail")
        assert len(detail["sentences"]) == entry["sentences"]
        for s in detail["sentences"]:
            assert detail["text"][s["start"] : s["end"]] == s["text"]
            assert sha256(s["text"].encode()).hexdigest() == s["sha256"]


def test_a_passage_knows_its_neighbours(client: TestClient, toy_engine: Engine) -> None:
    for passage in toy_engine.passages:
        detail = client.get(f"/passages/{passage.id}").json()
        valid(client, detail, "PassageDetail")
        assert detail["passage"]["text"] == passage.text
        if detail["next"]:
            assert client.get(f"/passages/{detail['next']['id']}").json()["previous"]["id"] == passage.id


def test_the_corpus_is_tagged(client: TestClient) -> None:
    etag = client.get("/sources").headers["etag"]

    assert client.get("/sources", headers={"if-none-match": f'"x", {etag}'}).status_code == 304


def test_health_and_readiness(client: TestClient, toy_engine: Engine) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["passages"] == len(toy_engine.passages)


def test_every_field_that_is_sent_or_received_is_described(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    bare = [
        f"{n}.{f}"
        for n, s in schemas.items()
        for f, v in s.get("properties", {}).items()
        if "description" not in v
    ]

    assert bare == []
    assert "HTTPValidationError" not in schemas


def test_the_docs_name_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    parts = re.findall(r'(?:href|src)="([^"]+)"', page.text)

    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert len(parts) == 5
    for part in parts:
        assert "//" not in part
        assert client.get(f"/{part}").status_code == 200
    assert client.get("/docs/other.js").status_code == 404


@pytest.mark.parametrize("path", ["/ask", "/sources", "/healthz", "/docs", "/nothing"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("é", False)]
)
def test_a_request_id_is_taken_over_where_it_is_harmless(client: TestClient, given: str, kept: bool) -> None:
    headers = [(b"x-request-id", given.encode())]

    assert (client.get("/healthz", headers=headers).headers["x-request-id"] == given) == kept


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/ask"), ("POST", "/sources"), ("TRACE", "/search")])
def test_another_method_is_refused_even_under_a_page(toy_engine: Engine, method: str, path: str) -> None:
    def mount(app: FastAPI, engine: Engine) -> FastAPI:
        @app.get("/{path:path}")
        async def page(path: str) -> HTMLResponse:
            return HTMLResponse(f"a page over {len(engine.documents)}")

        app.state.policies["/"] = "default-src 'self'"
        return app

    with TestClient(create_app(toy_engine, mount), base_url="http://localhost") as client:
        refused = client.request(method, path)
        page = client.get("/")

    assert refused.status_code == 405
    assert refused.headers["allow"]
    assert page.text.startswith("a page")
    assert page.headers["content-security-policy"] == "default-src 'self'"
