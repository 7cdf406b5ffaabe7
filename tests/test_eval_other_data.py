"""SQuAD and BEIR files: read, turned into documents, asked, and measured, on tiny files made for this."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fakes import HashEmbedder
from nkqa.build import Material, build_from
from nkqa.engine import Engine, open_engine
from nkqa.formats import document_from_paragraphs
from nkqa.names import Gazetteer
from nkqa.settings import load_settings
from nkqa.types import Document
from nkqa_eval import beir, squad
from nkqa_eval.bootstrap import Estimate
from nkqa_eval.command import run_command
from nkqa_eval.questions import QuestionError
from nkqa_eval.report import conditions

DATA = Path(__file__).parent / "data_eval"
WHAT = conditions("tiny", "in process", "f")


def engine_over(documents: Sequence[Document], folder: Path) -> Engine:
    settings = load_settings(index=folder, max_tokens=60, reader="off")
    build_from(Material(tuple(documents), Gazetteer(), "f"), settings, embedder=HashEmbedder())
    return open_engine(settings, encoder=HashEmbedder(), compare=False)


@pytest.fixture(scope="module")
def squad_report(tmp_path_factory: pytest.TempPathFactory) -> squad.SquadReport:
    paragraphs, questions = squad.read_squad(DATA / "squad.json")
    documents = [document_from_paragraphs(p.id, p.title, [p.text], squad.source_of(p)) for p in paragraphs]
    engine = engine_over(documents, tmp_path_factory.mktemp("squad"))
    try:
        return squad.run_squad(engine, paragraphs, questions, WHAT)
    finally:
        engine.close()


@pytest.fixture(scope="module")
def beir_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    documents = [
        document_from_paragraphs(d.key, d.title, [d.text], beir.source_of(d))
        for d in beir.read_beir(DATA / "beir").documents
    ]
    engine = engine_over(documents, tmp_path_factory.mktemp("beir"))
    yield engine
    engine.close()


def test_a_squad_file_becomes_paragraphs_and_questions() -> None:
    paragraphs, questions = squad.read_squad(DATA / "squad.json")
    assert [(p.id, p.title, p.issued) for p in paragraphs] == [
        ("p00000", "Lake Dispute", "2018-06-11"),
        ("p00001", "Lake Dispute", "2018-06-11"),
    ]
    assert [(q.id, q.paragraph, q.answerable) for q in questions] == [
        ("s1", "p00000", True),
        ("s2", "p00000", True),
        ("s3", "p00000", False),
        ("s5", "p00001", True),
    ]
    for question in questions:
        for text, start in question.answers:
            assert paragraphs[int(question.paragraph[1:])].text[start:].startswith(text)


def test_a_sample_takes_as_many_of_both_kinds() -> None:
    _, questions = squad.read_squad(DATA / "squad.json")
    assert [question.id for question in squad.sample(questions, 1)] == ["s1", "s3"]
    assert len(squad.sample(questions, None)) == 4


def test_squad_questions_are_asked_and_measured(squad_report: squad.SquadReport) -> None:
    rows = {row.id: row for row in squad_report.rows}
    assert (squad_report.paragraphs, squad_report.answerable, squad_report.unanswerable) == (2, 3, 1)
    assert rows["s1"].hits[0]
    assert rows["s1"].texts[0]
    removed = rows["s1"].removed
    assert removed is not None
    assert removed < rows["s1"].confidence
    assert rows["s3"].removed is None
    assert rows["s3"].hits == ()
    assert squad_report.measures["sentence_hit_at_5"].value == 1.0
    assert set(squad_report.measures) <= {
        *(f"{name}_at_{k}" for name in ("sentence_hit", "text_hit") for k in squad.DEPTHS),
        *squad.DEFINITIONS,
    }
    assert "3 answerable and 1 unanswerable" in squad.squad_table(squad_report)


def squad_row(name: str, answerable: bool, confidence: float, removed: float | None) -> squad.SquadRow:
    hits = (False, True, False, False, False) if answerable else ()
    return squad.SquadRow(
        name, name, name, answerable, "answered", answerable, hits, hits, 1.0 if answerable else None,
        1.0 if answerable else None, confidence, removed, 1.0,
    )  # fmt: skip


def test_squad_measures_by_hand() -> None:
    rows = [squad_row("a", True, 0.9, 0.3), squad_row("b", True, 0.5, 0.6), squad_row("c", False, 0.7, None)]
    values = {name: estimate.value for name, estimate in squad.squad_measures(rows).items()}
    assert (values["sentence_hit_at_1"], values["sentence_hit_at_3"]) == (0.0, 1.0)
    assert values["auroc_near_miss"] == 0.5  # 0.9 above 0.7, 0.5 below
    assert values["auroc_removed"] == 0.75  # 0.9 above both, 0.5 above 0.3 only
    assert values["abstention_recall"] == 0.0
    assert "abstention_precision" not in values


def test_words_are_compared_as_squad_does() -> None:
    assert squad.normal("The  U.S., an answer!") == "us answer"
    assert squad.holds("It is about 400 men.", "About 400")
    assert not squad.holds("It is 4000 men.", "400")
    assert squad.holds("marked with a ?", "?")
    assert squad.overlap_f1("about 400 men", "400 men") == pytest.approx(2 * 2 / 5)
    assert squad.overlap_f1("", "400") == 0.0


def test_the_gold_sentence_is_the_one_at_the_place_of_the_answer() -> None:
    text = "It rained in May of that year. The next May was dry."
    document = document_from_paragraphs("p", "t", [text])
    question = squad.SquadQuestion("q", "which month was dry", "p", (("May", 40),))
    assert [squad.covers(document, n, question, {"p": text}) for n in (0, 1)] == [False, True]
    # A document that does not hold the paragraph letter for letter is judged by words.
    assert [squad.covers(document, n, question, {"p": "other"}) for n in (0, 1)] == [True, True]
    assert not squad.covers(document, 1, squad.SquadQuestion("q", "", "p2", (("May", 40),)), {"p2": text})


def test_a_beir_folder_is_read_with_its_test_judgements() -> None:
    read = beir.read_beir(DATA / "beir")
    assert [(d.id, d.key) for d in read.documents] == [
        ("LAKE/1", "d000000"),
        ("HARBOUR-2", "d000001"),
        ("FISH 3", "d000002"),
        ("q1", "d000003"),
    ]
    assert read.grades == {"q1": {"LAKE/1": 2, "FISH 3": 0}, "q2": {"HARBOUR-2": 1}}


def test_beir_queries_are_searched_and_measured(beir_engine: Engine) -> None:
    read = beir.read_beir(DATA / "beir")
    report = beir.run_beir(beir_engine, read, list(read.grades), WHAT)
    first, second = report.rows
    assert first.found[0] == "LAKE/1"
    assert "q1" not in first.found  # the query itself is left out
    assert second.found[0] == "HARBOUR-2"
    assert {name: estimate.value for name, estimate in report.measures.items()} == dict.fromkeys(
        beir.MEASURES, 1.0
    )
    assert report.measures["nDCG@10"] == Estimate(1.0, 1.0, 1.0, 2)
    assert "4 documents, 2 queries" in beir.beir_table(report)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("corpus.jsonl", "{", "corpus.jsonl:1: not JSON"),
        ("corpus.jsonl", '{"_id": 1, "text": "x"}', "needs _id and text"),
        ("qrels/test.tsv", "q1\tLAKE/1\tmany\tmore\n", "whole number"),
        ("qrels/test.tsv", "q9\tLAKE/1\t1\n", "not in queries.jsonl: q9"),
    ],
)
def test_a_broken_beir_folder_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    for file in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text((DATA / "beir" / file).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(QuestionError, match=message):
        beir.read_beir(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match=r"no corpus\.jsonl"):
        beir.read_beir(tmp_path)
    with pytest.raises(QuestionError, match="no SQuAD file"):
        squad.read_squad(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"data": [{"title": "x"}]}', encoding="utf-8")
    with pytest.raises(QuestionError, match=r"data\.0\.paragraphs"):
        squad.read_squad(tmp_path / "bad.json")


@pytest.mark.model
@pytest.mark.torch
def test_a_squad_file_by_command_with_the_real_model(tmp_path: Path) -> None:
    said: list[str] = []
    settings = load_settings(reader="off")  # a model that was exported before need not be exported again
    done = run_command(settings, squad=DATA / "squad.json", out=tmp_path, as_json=True, say=said.append)
    assert done == 0
    assert json.loads(said[0])["measures"]["sentence_hit_at_1"]["value"] == 1.0
    assert len(json.loads((tmp_path / "report.json").read_bytes())["rows"]) == 4


def test_a_beir_folder_by_command(
    tmp_path: Path, beir_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over(
        documents: Sequence[Document],
        settings: object,
        without: object,
        measured: Callable[[Engine], beir.BeirReport],
        progress: bool,
    ) -> beir.BeirReport:
        assert len(documents) == 4
        return measured(beir_engine)

    monkeypatch.setattr("nkqa_eval.command._over", over)
    said: list[str] = []
    assert run_command(beir_engine.settings, beir=DATA / "beir", out=tmp_path, say=said.append) == 0
    assert "nDCG@10" in said[0]
    assert (tmp_path / "report.json").is_file()
