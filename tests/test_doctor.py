"""The doctor finds each thing that is wrong, in a line that says what to do."""

from pathlib import Path

import pytest

from nkqa.doctor import examine, is_loopback, serving
from nkqa.settings import Settings


def lines(
    settings: Settings, changed: dict[str, object], environment: dict[str, str] | None = None
) -> list[str]:
    other = settings.model_validate({**settings.model_dump(), "index": Path("/nowhere"), **changed})
    return [f"{f.level}: {f.line}" for f in examine(other, environment or {})]


def test_a_good_configuration(toy_settings: Settings) -> None:
    found = examine(toy_settings, {"PATH": "/bin", "NKQA_PORT": "1"})

    assert {f.level for f in found if not f.line.startswith("index")} == {"ok"}


BAD = {
    "open": ({"host": "0.0.0.0"}, {}, "error: NKQA_HOST=0.0.0.0 lets other machines in"),
    "open by name": ({"host": "example.org"}, {}, "error: NKQA_HOST=example.org"),
    "workers": ({}, {"WEB_CONCURRENCY": "4"}, "error: WEB_CONCURRENCY=4"),
    "limit": ({"rate_limit": "often"}, {}, "error: NKQA_RATE_LIMIT='often'"),
    "misspelt": (
        {},
        {"NKQA_API_KEY": "x"},
        "note: NKQA_API_KEY: there is no such setting; did you mean NKQA_API_KEYS?",
    ),
    "unknown": ({}, {"NKQA_ZZZZZZ": "x"}, "note: NKQA_ZZZZZZ: there is no such setting; see"),
    "short key": ({"api_keys": "secret"}, {}, "note: NKQA_API_KEYS: a key of under 16"),
    "any host": ({"host": "0.0.0.0", "public": True}, {}, "note: NKQA_HOSTS is empty"),
    "no limit": ({"host": "::", "public": True, "rate_limit": ""}, {}, "note: NKQA_RATE_LIMIT is empty"),
    "any origin": ({"cors": "*"}, {}, "note: NKQA_CORS=*"),
    "any proxy": ({"proxies": "*"}, {}, "note: NKQA_PROXIES=*"),
    "questions": ({"log_questions": True}, {}, "note: NKQA_LOG_QUESTIONS=1"),
    "maintenance": ({"maintenance": Path(__file__)}, {}, f"note: {__file__} exists"),
    "model url": ({"llm_url": "localhost:1", "llm_model": "x"}, {}, "error: NKQA_LLM_URL='localhost:1'"),
    "no model": ({"llm_url": "http://localhost:1/v1"}, {}, "error: NKQA_LLM_URL and NKQA_LLM_MODEL belong"),
    "no url": ({"composer": "llm"}, {}, "error: NKQA_COMPOSER=llm"),
    "open key": (
        {"llm_url": "http://llm.example/v1", "llm_model": "x", "llm_api_key": "k"},
        {},
        "note: NKQA_LLM_URL is http",
    ),
    "no corpus": ({"corpus": Path("/nowhere")}, {}, "error: corpus: "),
    "no index": ({"index": Path("/nowhere")}, {}, "error: index: "),
    "threads": ({"threads": 64}, {}, "note: NKQA_THREADS=64"),
}


@pytest.mark.parametrize(("changed", "environment", "line"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_found(
    toy_settings: Settings, changed: dict[str, object], environment: dict[str, str], line: str
) -> None:
    found = lines(toy_settings, changed, environment)

    assert any(each.startswith(line) for each in found), found
    assert not any("secret" in each for each in found)


def test_the_server_starts_on_a_good_one(toy_settings: Settings) -> None:
    assert list(serving(toy_settings, {})) == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("localhost.example", False), ("", False)],
)  # fmt: skip
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
