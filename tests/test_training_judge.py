"""How the judge is fitted: labels of sentences, both models, and what is kept of them."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes import HashEmbedder
from nkqa.build import Material, build_from
from nkqa.engine import Engine, open_engine
from nkqa.errors import CorpusError
from nkqa.evidence import Evidence
from nkqa.foreseen import Foreseen
from nkqa.judge import Judge, Logistic
from nkqa.names import Gazetteer
from nkqa.settings import Settings, load_settings
from nkqa.training import judged
from nkqa.training.judge import ELSEWHERE, SQUAD_TYPES, counts, fit, fit_pair, report, threshold
from nkqa.training.judged import Judged, from_gold, from_squad, from_written, label, load_written
from nkqa.types import Document, Locator

GOLD: dict[str, Any] = {
    "question": "Who promised boats?", "history": [], "type": "fact", "fact": "boats", "answerable": True,
    "nuggets": [["Lund"]], "sources": ["report"], "locators": [{"source": "report", "page": 3}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "text", "page", "wanted"),
    [
        ("report", "Vera Lund promised boats.", 3, 1),
        ("report", "Vera Lund promised boats.", 9, -1),
        ("report", "Somebody promised boats.", 3, 0),
        ("lecture", "Vera Lund promised boats.", 3, 0),
    ],
)
def test_a_sentence_is_right_where_the_gold_places_it(source: str, text: str, page: int, wanted: int) -> None:
    assert label(GOLD, source, text, Locator("page", f"p. {page}", None, page=page)) == wanted


def test_no_sentence_answers_an_unanswerable_question() -> None:
    gold = {**GOLD, "answerable": False}
    assert label(gold, "report", "Vera Lund.", Locator("page", "p. 3", None, page=3)) == 0


def test_gold_questions_are_asked_with_their_labels(toy_engine: Engine) -> None:
    row = from_gold(toy_engine, [GOLD])[0]
    assert (row.group, row.answerable, row.refused) == ("boats", True, False)
    assert len(row.labels) == len(row.evidence) > 0
    assert set(row.labels) <= {-1, 0, 1}


def test_written_questions_are_right_in_the_sentences_that_they_name(toy_engine: Engine) -> None:
    place = next((e.claim.document_id, e.claim.index) for e in from_gold(toy_engine, [GOLD])[0].evidence)
    asked = Foreseen("Who promised boats?", "answered", (place,))
    right, wrong = from_written(toy_engine, [asked, replace(asked, verdict="contradicted")])
    assert (right.type, right.answerable, sum(right.labels)) == ("answered", True, 1)
    assert (wrong.type, wrong.answerable, sum(wrong.labels)) == ("contradicted", False, 0)
    assert right.group == wrong.group


def test_written_questions_on_sentences_that_were_edited_are_an_error(
    toy_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "written.tsv").write_text("# head\nanswered\t00000000\tWho left?\t\n", "utf-8")
    monkeypatch.setattr(judged, "__file__", str(tmp_path / "judged.py"))
    with pytest.raises(CorpusError, match=r"written.tsv:2: names a sentence"):
        load_written(toy_engine, "written.tsv")


def features(coverage: float) -> dict[str, float]:
    return {"coverage": coverage, "cosine": 0.3, "context": 0.1}


def made(engine: Engine) -> list[Judged]:
    """Questions whose right sentence is the one with the greater coverage, half of them SQuAD's."""
    rows = []
    for n in range(48):
        claims = engine.claims.all[:3]
        answerable = n % 3 > 0
        items = [
            Evidence(c, "p", features(0.9 if answerable and i == n % 2 else 0.1 * i), 0.5)
            for i, c in enumerate(claims)
        ]
        kind = (
            ("right" if answerable else "removed") if n % 4 > 1 else ("fact" if answerable else "near_miss")
        )
        labels = [int(answerable and i == n % 2) for i in range(3)]
        rows.append(Judged(f"g{n // 2}", kind, answerable, items, labels, {"terms": 0.2}))
    return rows


def test_the_bias_of_the_other_corpus_is_learnt_and_not_kept(toy_engine: Engine) -> None:
    rows = made(toy_engine)
    assert fit_pair(rows, "plain").names[-1] == ELSEWHERE
    fitted = fit(rows, "plain")
    assert ELSEWHERE not in fitted["answer"]["weights"]
    judge = Judge(Logistic(**fitted["sentence"]), Logistic(**fitted["answer"]), fitted["threshold"])
    assert judge.sentence.probability({"coverage": 0.9}) > judge.sentence.probability({"coverage": 0.1})
    assert fitted["cross_validated"]["hit@1"] == 1.0
    assert fitted["cross_validated"]["questions"] == sum(r.type not in SQUAD_TYPES for r in rows)


def test_the_report_tells_both_corpora_apart(toy_engine: Engine) -> None:
    rows = made(toy_engine)
    told = report(rows, [float(r.answerable) for r in rows], [1 if r.answerable else 0 for r in rows])
    assert told["auroc"] == told["squad_auroc_removed"] == 1.0
    assert "squad_auroc_near_miss" not in told
    assert not [name for name in told if name.startswith("written_")]


def test_the_report_tells_near_misses_and_wrong_premises_of_written_questions_apart(
    toy_engine: Engine,
) -> None:
    verdict = {"fact": "answered", "near_miss": "contradicted"}
    rows = [replace(r, type=verdict.get(r.type, r.type)) for r in made(toy_engine)]
    told = report(rows, [float(r.answerable) for r in rows], [1 if r.answerable else 0 for r in rows])
    assert (told["written_hit@1"], told["written_auroc_false_premise"]) == (1.0, 1.0)
    assert "written_auroc_near_miss" not in told


@pytest.mark.parametrize(("right", "expected"), [(1.0, 0.5), (0.9, 0.56), (0.5, 0.99), (0.1, 0.99)])
def test_the_threshold_is_where_an_answer_gains_what_it_loses(right: float, expected: float) -> None:
    assert threshold(right) == expected
    assert 2 * expected * right - 1 == pytest.approx(0, abs=0.02) or right <= 0.5


def test_held_out_articles_are_asked_whole_and_without_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an embedder that needs no model; the file is made up."""
    contexts = ["Ada Brook built the mill. It had two wheels.", "The lake froze in 1911. Boats were stuck."]
    data = {
        "data": [
            {"title": "Geology", "paragraphs": [
                {"context": contexts[0], "qas": [
                    {"question": "Who built the mill?", "answers": [{"text": "Ada Brook", "answer_start": 0}]},
                    {"question": "Who built the lake?", "is_impossible": True, "answers": [],
                     "plausible_answers": [{"text": "Ada Brook", "answer_start": 0}]},
                ]},
                {"context": contexts[1], "qas": []},
            ]},
            {"title": "Learnt from", "paragraphs": []},
        ]
    }  # fmt: skip
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(data).encode()))
    monkeypatch.setattr(judged, "SQUAD", ("a.json.gz",))

    def build(documents: Sequence[Document], settings: Settings) -> None:
        build_from(Material(tuple(documents), Gazetteer(), "made up"), settings, embedder=HashEmbedder())

    def opened(settings: Settings, *, compare: bool) -> Engine:
        return open_engine(settings, encoder=HashEmbedder(), compare=compare)

    monkeypatch.setattr(judged, "build_from_documents", build)
    monkeypatch.setattr(judged, "open_engine", opened)
    rows = from_squad(tmp_path, load_settings(reader="off"), most=10)
    assert [r.type for r in rows] == ["right", "removed", "unanswerable"]
    assert sum(rows[0].labels) == 1
    assert not any("Ada" in e.claim.text for e in rows[1].evidence)
    assert not any(rows[1].labels)
    assert not any(rows[2].labels)


def test_written_questions_count_with_the_share_of_unanswerable_ones_that_dev_has(toy_engine: Engine) -> None:
    rows = [r for r in made(toy_engine) if r.type not in SQUAD_TYPES]
    dev = [next(r for r in rows if r.answerable)] * 3 + [next(r for r in rows if not r.answerable)]
    told = [replace(dev[0], type="answered"), replace(dev[-1], type="contradicted")]
    squad = replace(dev[0], type="right")
    assert counts([*dev, *told, squad], 0.3) == [1.0, 1.0, 1.0, 1.0, 1.5, 0.5, 0.3]
