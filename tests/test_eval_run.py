"""Runs over the toy engine, in process and over HTTP; reports, comparison, gate and page made of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from nkqa.engine import Engine
from nkqa.errors import BadQuestion, Unavailable
from nkqa.server.app import create_app
from nkqa_eval.command import default_out, hold_gate, run_command
from nkqa_eval.compare import compare, comparison_text
from nkqa_eval.gate import Baseline, Bound, failures, read_baseline
from nkqa_eval.html import html_report
from nkqa_eval.questions import Gold, QuestionError, baseline_file, read_questions
from nkqa_eval.report import Report, ReportError, conditions, make_report, read_report, table, write_report
from nkqa_eval.run import each, run, spread
from nkqa_eval.target import InProcess, OverHTTP
from test_eval_questions import LINE

QUESTIONS: list[dict[str, object]] = [
    {"id": "t-1", "question": "How many wardens from Westland will watch the Lake Truce?", "fact": "wardens",
     "nuggets": [["400"]], "sources": ["gazette", "lecture"],
     "locators": [{"source": "gazette", "section": "The truce", "paragraph": 1}]},
    {"id": "t-2", "question": "When did the fighting over fishing rights begin?", "fact": "start",
     "nuggets": [["4 March"]], "sources": ["lecture"], "locators": [{"source": "lecture", "second": 15}]},
    {"id": "t-3", "question": "<script>alert(1)</script> & who likes ice", "type": "off_topic", "fact": "ice",
     "answerable": False, "nuggets": [], "min_nuggets": 0, "sources": [], "locators": [],
     "abstention": ["off_topic"]},
    {"id": "t-4", "question": "What colour is the flag of Southland?", "fact": "flag", "nuggets": [["mauve"]],
     "sources": ["gazette"], "locators": [{"source": "gazette", "paragraph": 1}]},
]  # fmt: skip


@pytest.fixture(scope="module")
def question_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("set") / "toy.jsonl"
    lines = [json.dumps(LINE | {"history": [], "note": ""} | question) for question in QUESTIONS]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def questions(question_file: Path) -> list[Gold]:
    return read_questions(question_file)


@pytest.fixture(scope="module")
def report(questions: list[Gold], toy_engine: Engine) -> Report:
    rows = run(questions, {}, InProcess(toy_engine))
    return make_report(rows, conditions("toy", "in process", "f"))


@pytest.fixture
def server(toy_engine: Engine) -> Iterator[httpx.Client]:
    """A client of httpx's for the app, without a socket."""
    with TestClient(create_app(toy_engine), base_url="http://localhost") as client:

        def handle(request: httpx.Request) -> httpx.Response:
            given = client.request(
                request.method,
                request.url.raw_path.decode(),
                content=request.content,
                headers={"content-type": "application/json"},
            )
            return httpx.Response(given.status_code, content=given.content, request=request)

        yield httpx.Client(base_url="http://localhost", transport=httpx.MockTransport(handle))


def test_a_run_keeps_the_order_and_judges_each(report: Report) -> None:
    assert [row.id for row in report.rows] == ["t-1", "t-2", "t-3", "t-4"]
    first, _, _, missing = report.rows
    assert (first.met, first.retrieval is not None and first.retrieval["Success@5"]) == (True, 1.0)
    assert (missing.met, missing.miss) == (False, "not_in_corpus")
    assert missing.retrieval is not None
    assert set(missing.retrieval.values()) == {0.0}
    assert report.measures["verbatim_rate"].value == report.measures["locator_validity"].value == 1.0
    assert {"understand", "retrieve", "wall"} <= report.latency.keys()


def test_the_same_run_gives_the_same_rows_however_many_at_once(
    report: Report, questions: list[Gold], toy_engine: Engine
) -> None:
    again = run(questions, {}, InProcess(toy_engine), jobs=3)
    assert [replace(row, timings={}) for row in again] == [replace(row, timings={}) for row in report.rows]


def test_a_server_is_judged_as_the_engine_is(
    report: Report, questions: list[Gold], toy_engine: Engine, server: httpx.Client
) -> None:
    target = OverHTTP("http://localhost", server)
    assert target.documents == dict(toy_engine.documents)
    assert target.passages == list(toy_engine.passages)
    rows = run(questions, {}, target)
    assert [replace(row, timings={}) for row in rows] == [replace(row, timings={}) for row in report.rows]


def test_a_question_turned_down_is_a_row_and_not_a_crash(
    questions: list[Gold], toy_engine: Engine, server: httpx.Client
) -> None:
    too_long = replace(questions[0], question="why " * 2000)
    for target in (InProcess(toy_engine), OverHTTP("http://localhost", server)):
        (row,) = run([too_long], {}, target)
        assert (row.status, row.miss, row.met) == ("error", "error", False)
        assert row.message


def test_a_server_that_is_not_there_is_named() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    client = httpx.Client(base_url="http://localhost:1", transport=httpx.MockTransport(refuse))
    with pytest.raises(Unavailable, match="http://localhost:1 does not answer"):
        OverHTTP("http://localhost:1", client)


def test_a_server_that_fails_is_not_an_empty_answer() -> None:
    client = httpx.Client(
        base_url="http://localhost", transport=httpx.MockTransport(lambda _: httpx.Response(503, text="busy"))
    )
    with pytest.raises(Unavailable, match="503: busy"):
        OverHTTP("http://localhost", client)


def test_a_server_that_asks_for_patience_is_asked_again(server: httpx.Client, questions: list[Gold]) -> None:
    refusals = [
        httpx.Response(429, headers={"retry-after": "0"}),
        httpx.Response(503, headers={"retry-after": "0"}),
    ]
    patient = httpx.Client(
        base_url="http://localhost",
        transport=httpx.MockTransport(lambda request: refusals.pop() if refusals else server.send(request)),
    )
    target = OverHTTP("http://localhost", patient)
    assert refusals == []
    assert run(questions[:1], {}, target)[0].met


def test_a_report_is_the_same_after_writing_and_reading(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "deep" / "report.json")
    assert read_report(tmp_path / "deep" / "report.json") == report
    with pytest.raises(ReportError, match="no report at"):
        read_report(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReportError, match="not a report"):
        read_report(tmp_path / "bad.json")


def test_the_table_names_measures_types_misses_and_stages(report: Report) -> None:
    text = table(report)
    for word in ("answer_accuracy", "off_topic", "not_in_corpus", "understand"):
        assert word in text


def test_the_page_is_whole_and_escaped(report: Report) -> None:
    page = html_report(report)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; who" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/", "").replace(
        "http://purl.org/", ""
    ).replace("http://creativecommons.org/", "").replace("https://matplotlib.org", "")
    assert page.count("<svg") == page.count('role="img"') == 5
    assert page.count("<details") == 4
    assert html_report(report) == page


def test_an_empty_report_can_still_be_shown(report: Report) -> None:
    empty = make_report([], report.conditions)
    assert "0, of which 0 met" in html_report(empty)
    assert "no miss" in table(empty)


def test_comparing_shows_what_flipped(report: Report) -> None:
    same = compare(report, report)
    assert (same.questions, same.left_out, same.gained, same.lost) == (4, 0, (), ())
    assert all(d.change.value == 0 and not d.verdict for d in same.differences)
    worse_rows = [replace(row, right=False, met=False, miss="not_selected") for row in report.rows[:3]]
    worse = compare(report, make_report(worse_rows, report.conditions))
    assert worse.left_out == 1
    assert "t-1" in [flip.id for flip in worse.lost]
    text = comparison_text(worse)
    assert "answered -> not_selected: How many wardens" in text
    with pytest.raises(ReportError, match="no question in common"):
        compare(report, make_report([], report.conditions))


def test_the_gate_names_each_bound_not_kept(report: Report, tmp_path: Path) -> None:
    kept = {"verbatim_rate": Bound(at_least=1.0), "false_conflict_rate": Bound(at_most=0.0)}
    assert failures(report, Baseline("toy", kept)) == []
    broken = {
        "answer_accuracy": Bound(at_least=1.0),
        "nothing": Bound(at_least=0.5),
        "median_words": Bound(at_most=1),
    }
    assert [failure.split()[0] for failure in failures(report, Baseline("toy", broken))] == list(broken)
    with pytest.raises(ReportError, match="baseline is for dev"):
        failures(report, Baseline("dev", kept))
    said: list[str] = []
    path = tmp_path / "baseline.json"
    path.write_text(
        json.dumps({"set": "toy", "measures": {"answer_accuracy": {"at_least": 1.0}}}), encoding="utf-8"
    )
    assert hold_gate(report, said.append, path) == 1
    assert said[0].startswith("gate: answer_accuracy is")
    with pytest.raises(ReportError, match="no baseline"):
        read_baseline(tmp_path / "none.json")


def test_the_committed_baseline_can_be_read() -> None:
    baseline = read_baseline(baseline_file())
    assert baseline.set == "dev"
    assert baseline.measures["verbatim_rate"].at_least == 1.0


def test_limits_spread_over_the_whole_set() -> None:
    assert spread(list(range(10)), 5) == [0, 2, 4, 6, 8]
    assert spread([1, 2], None) == spread([1, 2], 9) == [1, 2]
    assert each(str, [1, 2, 3], jobs=2) == ["1", "2", "3"]


def test_arguments_that_do_not_go_together_are_refused(toy_engine: Engine) -> None:
    settings = toy_engine.settings
    with pytest.raises(BadQuestion, match="--without"):
        run_command(settings, url="http://localhost", without=["reader"])
    with pytest.raises(BadQuestion, match="--squad"):
        run_command(settings, squad=Path("x"), gate=True)
    with pytest.raises(BadQuestion, match="give one"):
        run_command(settings, squad=Path("x"), beir=Path("y"))
    with pytest.raises(BadQuestion, match="1 or more"):
        run_command(settings, jobs=0)
    with pytest.raises(BadQuestion, match="the stages are"):
        run_command(settings, without=["magic"])
    with pytest.raises(QuestionError, match="give dev, test"):
        run_command(settings, question_set="nothing")


def test_comparing_by_command(report: Report, tmp_path: Path, toy_engine: Engine) -> None:
    path = tmp_path / "report.json"
    write_report(report, path)
    said: list[str] = []
    assert run_command(toy_engine.settings, compare=(path, path), say=said.append) == 0
    assert run_command(toy_engine.settings, compare=(path, path), as_json=True, say=said.append) == 0
    assert said[0].startswith("4 questions in both")
    assert json.loads(said[1])["questions"] == 4


def test_reports_lie_out_of_the_way() -> None:
    assert default_out("dev").name == "dev"


def test_a_whole_run_by_command(
    question_file: Path, toy_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nkqa_eval.command._open", lambda settings, without: _Borrowed(toy_engine))
    said: list[str] = []
    done = run_command(
        toy_engine.settings, question_set=str(question_file), out=tmp_path, limit=2, say=said.append
    )
    assert done == 0
    assert "2 questions" in said[0]
    assert len(read_report(tmp_path / "report.json").rows) == 2
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


class _Borrowed:
    """The session's engine, which stays open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> object:
        return (lambda: None) if name == "close" else getattr(self._engine, name)
