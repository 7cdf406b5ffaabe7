"""Who comes in: host names, keys, rates, origins, maintenance; and what operators see of it."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from nkqa.engine import Engine
from nkqa.errors import SettingsError
from nkqa.server import door
from nkqa.server.app import create_app
from nkqa.server.door import Rates
from nkqa.server.logs import JsonFormatter
from nkqa.server.problems import Problem
from server_process import serving

Open = Callable[..., TestClient]


@contextmanager
def served(engine: Engine, **changed: object) -> Iterator[TestClient]:
    """A client of the engine with other settings."""
    before = engine.settings
    engine.settings = before.model_validate({**before.model_dump(), **changed})
    try:
        with TestClient(create_app(engine), base_url="http://localhost") as client:
            yield client
    finally:
        engine.settings = before


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({}, "localhost:8000", 200),
        ({}, "127.0.0.1", 200),
        ({}, "[::1]:8000", 200),
        ({}, "evil.example", 400),
        ({}, "localhost.evil.example", 400),
        ({}, "", 400),
        ({"host": "0.0.0.0"}, "any.example", 200),
        ({"hosts": "a.example, *.b.example"}, "A.example:80", 200),
        ({"hosts": "a.example, *.b.example"}, "x.b.example", 200),
        ({"hosts": "a.example, *.b.example"}, "b.example.evil", 400),
        ({"hosts": "a.example, *.b.example"}, "localhost", 400),
    ],
)
def test_host_names(toy_engine: Engine, settings: dict[str, object], host: str, status: int) -> None:
    with served(toy_engine, **settings) as client:
        answer = client.get("/sources", headers={"host": host})
        probe = client.get("/healthz", headers={"host": host})

    assert (answer.status_code, probe.status_code) == (status, 200)
    assert "x-content-type-options" in answer.headers


def test_a_key_is_asked_for_where_keys_are_set(toy_engine: Engine) -> None:
    with served(toy_engine, api_keys="first-key, second-key") as client:
        refused = [
            client.get("/sources"),
            client.get("/sources", headers={"authorization": "Bearer first-keys"}),
            client.get("/sources", headers={"authorization": "Bearer "}),
            client.get("/sources", headers={"authorization": "Basic !!!"}),
            client.get("/sources", headers={"x-api-key": "first-key,second-key"}),
            client.get("/docs", headers={"accept": "text/html"}),
            client.get("/metrics"),
            client.post("/mcp", json={}),
            client.get("/nothing"),
        ]
        let_in = [
            client.get("/sources", headers={"authorization": "Bearer first-key"}),
            client.get("/sources", headers={"authorization": "bearer second-key"}),
            client.get("/sources", headers={"x-api-key": "second-key"}),
            client.get("/sources", auth=("anybody", "first-key")),
            client.get("/healthz"),
            client.get("/readyz"),
        ]

    assert [a.status_code for a in refused] == [401] * len(refused)
    assert [a.status_code for a in let_in] == [200] * len(let_in)
    assert refused[0].headers["www-authenticate"].startswith("Bearer")
    assert refused[5].headers["www-authenticate"].startswith("Basic")


def test_too_many_requests_of_one_client(toy_engine: Engine) -> None:
    with served(toy_engine, rate_limit="3/hour", api_keys="a,b") as client:
        mine = [client.get("/sources", headers={"x-api-key": "a"}) for _ in range(5)]
        others = client.get("/sources", headers={"x-api-key": "b"})
        health = client.get("/healthz")

    assert [a.status_code for a in mine] == [200, 200, 200, 429, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in mine] == ["2", "1", "0", "0", "0"]
    assert 0 < int(mine[-1].headers["retry-after"]) <= 3601
    assert mine[-1].json()["type"] == "urn:nkqa:problem:too-many-requests"
    assert others.status_code == health.status_code == 200


def test_a_client_is_an_address_that_a_believed_proxy_names(toy_engine: Engine) -> None:
    rates = Rates(toy_engine.settings.model_copy(update={"rate_limit": "2/hour"}))

    def left(*client: object) -> str:
        return rates.check("", {"client": client or None})["x-ratelimit-remaining"]

    assert [left("10.0.0.1", 1), left("10.0.0.2", 1), left("10.0.0.1", 2)] == ["1", "1", "0"]
    assert [left("2001:db8::1", 1), left("2001:db8::ffff:2", 1)] == ["1", "0"]
    assert [left(), left("a pipe", 0)] == ["1", "1"]
    with pytest.raises(Problem):
        left("10.0.0.1", 3)


def test_a_flood_of_addresses_does_not_fill_the_memory(
    toy_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST_CLIENTS", 50)
    rates = Rates(toy_engine.settings.model_copy(update={"rate_limit": "2/hour"}))
    for number in range(500):
        rates.check("", {"client": (f"10.0.{number // 250}.{number % 250}", 1)})

    assert len(rates._storage.storage) <= 51


@pytest.mark.parametrize(("proxies", "remaining"), [("127.0.0.1", ["9", "9"]), ("10.9.9.9", ["9", "8"])])
def test_only_a_known_proxy_is_believed(toy_engine: Engine, proxies: str, remaining: list[str]) -> None:
    before = toy_engine.settings
    toy_engine.settings = before.model_copy(update={"rate_limit": "10/hour", "proxies": proxies})
    try:
        with serving(create_app(toy_engine), toy_engine.settings) as (host, port):
            answers = [
                httpx2.get(f"http://{host}:{port}/sources", headers={"x-forwarded-for": client})
                for client in ("192.0.2.1", "192.0.2.2")
            ]
    finally:
        toy_engine.settings = before

    assert [a.headers["x-ratelimit-remaining"] for a in answers] == remaining


def test_no_limit_where_none_is_set(toy_engine: Engine) -> None:
    with served(toy_engine, rate_limit="") as client:
        assert "x-ratelimit-limit" not in client.get("/sources").headers


def test_a_limit_that_is_none_is_named(toy_engine: Engine) -> None:
    with pytest.raises(SettingsError, match="300/minute"), served(toy_engine, rate_limit="often"):
        pass


def test_origins_are_closed_but_for_the_list(toy_engine: Engine) -> None:
    preflight = {"origin": "https://a.example", "access-control-request-method": "POST"}
    with served(toy_engine) as client:
        closed = [
            client.get("/sources", headers={"origin": "https://a.example"}),
            client.options("/ask", headers=preflight),
        ]
    with served(toy_engine, cors="https://a.example", api_keys="k") as client:
        opened = client.options("/ask", headers=preflight)
        other = client.options("/ask", headers={**preflight, "origin": "https://b.example"})

    assert all("access-control-allow-origin" not in a.headers for a in closed)
    assert opened.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-credentials" not in opened.headers
    assert "access-control-allow-origin" not in other.headers


def test_the_maintenance_switch(toy_engine: Engine, tmp_path: Path) -> None:
    switch = tmp_path / "closed"
    with served(toy_engine, maintenance=switch) as client:
        before = client.get("/readyz").status_code
        switch.write_text("Back at noon.\n")
        closed, alive, ready = client.get("/sources"), client.get("/healthz"), client.get("/readyz")
        switch.unlink()
        after = client.get("/sources").status_code

    assert (before, closed.status_code, alive.status_code, ready.status_code, after) == (
        200,
        503,
        200,
        503,
        200,
    )
    assert closed.json()["detail"] == "Back at noon."
    assert closed.headers["retry-after"]


def test_metrics_count_without_telling_what_was_asked(toy_engine: Engine) -> None:
    with served(toy_engine) as client:
        client.post("/ask", json={"question": "What does the zebra think of it?"})
        client.get("/sources/zebra")
        client.get("/zebra")
        client.get("/sources", headers={"host": "evil.example"})
        client.request("ZEBRA", "/healthz")
        text = client.get("/metrics").text
    samples = {
        (s.name, *sorted(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }

    def value(name: str, **labels: str) -> float:
        return samples[(name, *sorted(labels.items()))]

    assert value("nkqa_requests_total", method="POST", route="/ask", status="200") == 1
    assert value("nkqa_requests_total", method="GET", route="/sources/{id}", status="404") == 1
    assert value("nkqa_requests_total", method="GET", route="other", status="404") == 1
    assert value("nkqa_refused_total", problem="bad-host") == 1
    assert value("nkqa_stage_seconds_count", stage="retrieve") == 1
    assert sum(v for k, v in samples.items() if k[0] == "nkqa_answers_total") == 1
    assert value("nkqa_in_flight") == 0
    assert value("nkqa_index_age_seconds") >= 0
    assert "zebra" not in text.lower()


@pytest.mark.parametrize("wanted", [False, True])
def test_the_log_holds_a_question_only_where_that_is_set(
    toy_engine: Engine, caplog: pytest.LogCaptureFixture, wanted: bool
) -> None:
    caplog.set_level(logging.INFO, "nkqa")
    with served(toy_engine, log_questions=wanted) as client:
        client.post(
            "/ask", json={"question": "What\u001b]52; does the zebra think?"}, headers={"x-request-id": "r1"}
        )
    lines = [JsonFormatter().format(r) for r in caplog.records if r.name == "nkqa.server"]
    line = json.loads(lines[-1])

    assert line["event"] == "request"
    assert (line["id"], line["method"], line["route"], line["status"]) == ("r1", "POST", "/ask", 200)
    assert line["ms"] > 0
    assert line["answer"]
    assert ("zebra" in lines[-1]) == wanted
    assert "\x1b" not in lines[-1]
