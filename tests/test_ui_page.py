"""The mounted page: which routes are open, what they are sent with, and what is refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from nkqa.engine import Engine
from nkqa_ui import guard
from ui_server import page, quiet


@pytest.fixture(scope="module")
def mounted(toy_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[FastAPI, Path]:
    file = tmp_path_factory.mktemp("feedback") / "feedback.jsonl"
    return page(toy_engine, file), file


@pytest.fixture(scope="module")
def client(mounted: tuple[FastAPI, Path]) -> Iterator[TestClient]:
    with quiet(), TestClient(mounted[0], base_url="http://127.0.0.1") as client:
        yield client


def _paths(app: FastAPI) -> set[str]:
    """The paths of an app, those of routers that it includes too."""
    found: set[str] = set()
    route: Any
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            prefix = getattr(route.include_context, "prefix", "")
            found |= {prefix + path for path in _paths(inner)}
        elif getattr(route, "path", None):
            found.add(route.path)
    return found


def test_every_route_of_gradio_is_known(mounted: tuple[FastAPI, Path]) -> None:
    gradio: Any = mounted[0].router.routes[-1]
    paths = _paths(gradio.app.app)
    assert len(paths) > 40
    open_paths = set().union(*guard.OPEN.values())
    below = [p for many in guard.OPEN_BELOW.values() for p in many]
    unknown = [
        path
        for path in paths
        if path not in open_paths
        and not any(path.startswith(p) for p in below)
        and not any(re.match(rf"{re.escape(closed)}(?:[/={{]|$)", path) for closed in guard.CLOSED)
    ]
    assert not unknown, f"Gradio serves {unknown}, neither open nor closed: put them into nkqa_ui/guard.py"


def test_nothing_is_open_and_closed() -> None:
    for closed in guard.CLOSED:
        assert not guard.allowed("GET", closed)
        assert not guard.allowed("POST", closed)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=http://127.0.0.1/"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1/"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("POST", "/login"),
        ("GET", "/gradio_api/info"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/call/ask"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/assets/../../../etc/passwd"),
        ("GET", "/assets/%2e%2e/%2e%2e/etc/passwd"),
        ("GET", "/static/..%5c..%5cetc"),
        ("GET", "/docs"),
        ("GET", "/nothing"),
        ("DELETE", "/"),
        ("PUT", "/gradio_api/queue/join"),
    ],
)
def test_side_doors_are_closed(client: TestClient, method: str, path: str) -> None:
    reply = client.request(method, path)
    assert reply.status_code in (404, 405)
    assert "root:" not in reply.text


def test_the_page_carries_a_policy_of_this_server_alone(client: TestClient) -> None:
    reply = client.get("/")
    assert reply.status_code == 200
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
    scripts = policy.split("; ")[1]
    assert "unsafe" not in scripts
    assert "http" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"


def test_the_page_names_no_other_server_to_fetch_from(client: TestClient) -> None:
    text = client.get("/").text
    assert "og:image" not in text
    assert 'href="page/style.css?v=' in text
    assert not re.findall(r"(?:src|href)=[\"']https?://", text)
    assert not re.search(
        r"(?:fonts\.g|jsdelivr|huggingface\.co/|gradio\.app)",
        re.sub(r"<script.*?</script>", "", text, flags=re.S),
    )


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    body = b"x" * (guard.MOST_BYTES + 1)
    assert client.post("/gradio_api/queue/join", content=body).status_code == 413
    chunks = (b"x" * 10_000 for _ in range(8))
    assert client.post("/gradio_api/queue/join", content=chunks).status_code in (400, 413)


def test_other_sites_can_neither_read_nor_write(client: TestClient) -> None:
    evil = {"origin": "https://evil.example", "host": "rebound.example"}
    for path in ("/", "/config", "/theme.css", "/gradio_api/startup-events"):
        reply = client.get(path, headers=evil)
        assert not [name for name in reply.headers if name.startswith("access-control-")]
    foreign = {"sec-fetch-site": "cross-site", **evil}
    assert client.post("/gradio_api/queue/join", json={}, headers=foreign).status_code == 403


def test_there_are_no_websockets(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/gradio_api/queue/data"):
        pass


def test_style_and_script_are_served_and_nothing_beside_them(client: TestClient) -> None:
    assert client.get("/page/style.css").headers["content-type"].startswith("text/css")
    assert client.get("/page/script.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page/icon.svg").headers["content-type"].startswith("image/svg+xml")
    assert client.get("/page/app.py").status_code == 404


def test_the_source_view_is_a_page_of_its_own(client: TestClient) -> None:
    reply = client.get("/page/source", params={"id": "report", "start": 0, "end": 40})
    assert "Water and Peace" in reply.text
    assert "unsafe-inline" not in reply.headers["content-security-policy"].split("; ")[1]
    assert client.get("/page/source", params={"id": "../../etc/passwd"}).status_code == 404
    missing = client.get("/page/source", params={"id": "<script>"})
    assert missing.status_code == 404
    assert "<script" not in missing.text


def test_feedback_is_kept_and_only_from_the_page(client: TestClient, mounted: tuple[FastAPI, Path]) -> None:
    given = {"answer": "a1", "question": "Who?", "verdict": "missing", "comment": "The second date."}
    assert client.post("/page/feedback", json=given).status_code == 204
    assert "The second date." in mounted[1].read_text()
    assert "127.0.0.1" not in mounted[1].read_text()
    assert "testclient" not in mounted[1].read_text()
    foreign = {"sec-fetch-site": "cross-site"}
    assert client.post("/page/feedback", json=given, headers=foreign).status_code == 403
    assert client.post("/page/feedback", json={**given, "verdict": "nice"}).status_code == 422


def test_without_a_file_there_is_no_feedback(toy_engine: Engine) -> None:
    with quiet(), TestClient(page(toy_engine)) as client:
        assert client.post("/page/feedback", json={}).status_code in (404, 405)
        assert "Feedback is off on this server" in client.get("/").text


def test_gradio_does_not_call_home() -> None:
    import os

    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
