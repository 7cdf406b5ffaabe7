"""What docs/ says is so: its programs run, and its tables have what the code has, no more and no less."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from starlette.testclient import TestClient

from nkqa.corpus import load_corpus
from nkqa.engine import Engine
from nkqa.llm import MEANINGS
from nkqa.server.app import create_app
from nkqa.server.problems import KINDS
from nkqa.settings import Settings, default_corpus
from nkqa.types import Reason
from replay_dockerfile import CHECKOUT, command, copies, settings, steps
from server_process import serving
from test_llm import STATUSES

DOCS = CHECKOUT / "docs"
SERVER = "http://127.0.0.1:8000"


def blocks(file: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / file).read_text(), re.DOTALL)


def rows(file: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of `file`, its head left out, code marks removed."""
    text = (DOCS / file).read_text().split(f"\n{heading}", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table
    return [
        [c.strip().replace("`", "") for c in line.strip("|").split("|")] for line in table[0].splitlines()[2:]
    ]


@pytest.fixture(scope="module")
def url(toy_engine: Engine) -> Iterator[str]:
    with serving(create_app(toy_engine)) as (host, port):
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("program", blocks("api.md", "bash"))
def test_curl(program: str, url: str) -> None:
    run = subprocess.run(
        ["sh", "-euc", program.replace(SERVER, url)], capture_output=True, text=True, timeout=30, check=True
    )

    assert '"status":"' in run.stdout
    assert "urn:nkqa:problem" not in run.stdout


@pytest.mark.parametrize("program", [p for p in blocks("api.md", "python") if "open_engine" not in p])
def test_python(program: str, url: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", program.replace(SERVER, url)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


@pytest.mark.parametrize("program", blocks("api.md", "javascript"))
def test_javascript(program: str, url: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    script = tmp_path / "program.mjs"
    script.write_text(program.replace(SERVER, url))
    run = subprocess.run([node, script], capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_a_quote_of_the_example_stands_in_the_corpus() -> None:
    text = "\n".join(d.text for d in load_corpus(default_corpus()))
    quotes = re.findall(r'"quote": "([^"]+)"', (DOCS / "api.md").read_text())

    assert quotes
    assert all(quote in text for quote in quotes)


def test_the_tables_of_the_api(toy_engine: Engine) -> None:
    app = create_app(toy_engine)
    routes = {f"{m.upper()} {p}" for p, methods in app.openapi()["paths"].items() for m in methods}
    statuses = {(str(k.status), k.code) for k in KINDS.values()}

    assert {r[0] for r in rows("api.md", "## Routes")} == routes | {"/mcp", "GET /docs"}
    assert {(r[0], r[1]) for r in rows("api.md", "## Statuses")} == statuses
    assert {r[0] for r in rows("api.md", "**No answer is an answer**")} == set(get_args(Reason))
    events = app.openapi()["paths"]["/ask/stream"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    assert [r[0] for r in rows("api.md", "## The stream")] == events["itemSchema"]["properties"]["event"][
        "enum"
    ]


def test_the_limits_of_the_api(toy_engine: Engine) -> None:
    limits = "\n".join(" ".join(r) for r in rows("api.md", "## Limits"))
    parts = create_app(toy_engine).openapi()["components"]["schemas"]
    ask, turn = parts["AskRequest"]["properties"], parts["TurnRequest"]["properties"]
    search = parts["SearchRequest"]["properties"]["k"]
    fields = Settings.model_fields

    assert f"1 to {ask['question']['maxLength']:,} characters" in limits
    assert f"{ask['history']['maxItems']} messages of {turn['content']['maxLength']:,} characters" in limits
    assert f"1 to {ask['max_sentences']['maximum']:.0f}, {ask['max_sentences']['default']} where" in limits
    assert f"1 to {search['maximum']:.0f}, {search['default']} where" in limits
    assert f"{fields['rate_limit'].default.replace('/', ' a ')}" in limits
    assert f"in work or waiting {fields['in_flight'].default}" in limits


def test_the_table_of_the_language_model() -> None:
    told = {r[0]: r[1] for r in rows("llm.md", "## When it fails")}
    misbehaving = [status for status in STATUSES.values() if status != "ok"]

    assert set(told) == set(MEANINGS)
    for status, meaning in MEANINGS.items():
        assert told[status].split("(")[0].split(",")[0].rstrip(" .") in meaning
    assert f"misbehaves in {len(misbehaving)} ways" in (DOCS / "llm.md").read_text()


def test_the_tables_of_the_operators(toy_engine: Engine) -> None:
    with TestClient(create_app(toy_engine), base_url="http://localhost") as client:
        client.post("/ask", json={"question": "What?"})
        counted = set(re.findall(r"^# TYPE (nkqa_\w+)", client.get("/metrics").text, re.MULTILINE))
    counted = {name for name in counted if not name.endswith("_created")}

    assert {r[0] for r in rows("operators.md", "## Metrics")} == counted
    named = set(re.findall(r"NKQA_(\w+)", "".join(f.read_text() for f in DOCS.glob("*.md"))))
    assert named <= {name.upper() for name in Settings.model_fields}


def test_the_container_copies_what_is_there_and_sets_what_exists() -> None:
    todo = steps((CHECKOUT / "Dockerfile").read_text())
    missing = [s for n, a in todo if n == "COPY" for s in copies(a)[0] if not (CHECKOUT / s).exists()]
    names = {name for n, a in todo if n == "ENV" for name in settings(a)}
    compose = yaml.safe_load((CHECKOUT / "compose.yaml").read_text())["services"]["nkqa"]

    assert missing == []
    known = {f"NKQA_{name.upper()}" for name in Settings.model_fields}
    assert {n for n in names | set(compose["environment"]) if n.startswith("NKQA_")} <= known
    assert [n for n, _ in todo].index("USER") > max(i for i, (n, _) in enumerate(todo) if n == "RUN")
    assert dict(todo)["USER"] == "10001"
    assert compose["read_only"] is True
    assert all(p.startswith("127.0.0.1:") for p in compose["ports"])


def test_the_container_s_health_check_works(url: str) -> None:
    check = command(dict(steps((CHECKOUT / "Dockerfile").read_text()))["HEALTHCHECK"])
    well = [part.replace(SERVER, url) for part in check]
    ill = [part.replace(SERVER, "http://127.0.0.1:9") for part in check]

    assert subprocess.run([sys.executable, *well[1:]], check=False).returncode == 0
    assert subprocess.run([sys.executable, *ill[1:]], stderr=subprocess.DEVNULL, check=False).returncode == 1
