"""Which confirmed difference a question raises, and which it only stands beside."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from fakes import HashEmbedder
from nkqa import raised
from nkqa.build import build_index
from nkqa.corpus import load_corpus
from nkqa.differences import Known, Side, load_differences
from nkqa.engine import Engine, open_engine
from nkqa.errors import ModelError
from nkqa.evidence import Claims, Evidence
from nkqa.foreseen import FILE, Foreseen, load_questions, mark
from nkqa.judge import Logistic
from nkqa.names import Gazetteer
from nkqa.raised import Weights, answering, load_weights
from nkqa.settings import load_settings
from nkqa.training.raised import (
    WRITTEN,
    Labelled,
    counts,
    fit,
    from_gold,
    from_written,
    threshold,
)
from nkqa.types import Ask, Document, Filters, Locator, Sentence, Source, Span

TOY = Path(__file__).parent / "toy"
GAZETTE, REPORT = (
    "Southland must leave the village of Oldmill by 20 June 2011.",
    "The village of Oldmill (Starimlin) is to be handed over by the end of July 2011.",
)
ASKED, BESIDE = "When is the village of Oldmill handed over?", "How is the village of Oldmill to be left?"
DIFFERENCES = """
- id: handover
  about: when the village of Oldmill is handed over
  positions:
    - - source: gazette
        words: 20 June 2011
    - - source: report
        words: the end of July 2011
- id: lake
  about: who watches the lake
  positions:
    - - source: gazette
        words: Westland
        in: will watch
    - - source: lecture
        words: Westland wardens
        in: along the shore
"""
DEEP, SHALLOW, OTHER = (
    "40 metres deep is the lake.",
    "30 metres deep is the lake.",
    "The lake is cold in May.",
)
PLACE = Locator("paragraph", "para. 1", None, paragraph=1)


def document(name: str, text: str) -> Document:
    source = Source(
        name, "report", name, (name,), name, "", "2011-05", None, "en", "newsroom", "paragraph", ""
    )
    return Document(name, source, text, (Sentence(0, len(text), "", 0, PLACE),))


def on_the_lake(scores: tuple[float, float, float], pointing: str = "~") -> dict[str, float]:
    """How the difference of the first two of three claims answers; the reader points at words of the best."""
    documents = [document(n, t) for n, t in zip("abc", (DEEP, SHALLOW, OTHER), strict=True)]
    claims = Claims(documents, Gazetteer())
    found = [Evidence(c, "p", {}, score, None, 0.0) for c, score in zip(claims.all, scores, strict=True)]
    found.sort(key=lambda e: -e.score)
    at = found[0].claim.text.find(pointing)
    if at >= 0:
        found[0] = replace(found[0], answer=Span(at, at + len(pointing)), answer_score=0.9)
    known = Known("depth", "how deep the lake is", ((Side("a", 0, 0, 9),), (Side("b", 0, 0, 9),)))
    return answering(known, found[0], {(e.claim.document_id, e.claim.index): e for e in found}, claims)


@pytest.mark.parametrize(
    ("scores", "first", "second"),
    [
        ((0.8, 0.4, 0.1), 1.0, 0.5),
        ((0.4, 0.8, 0.1), 1.0, 0.5),
        ((0.4, 0.2, 0.8), 0.5, 0.25),  # something else answers best
        ((0.0, 0.0, 0.0), 0.0, 0.0),
    ],
)
def test_how_well_each_position_answers_beside_the_best_sentence(
    scores: tuple[float, float, float], first: float, second: float
) -> None:
    found = on_the_lake(scores)
    assert (found["first"], found["second"]) == pytest.approx((first, second))


@pytest.mark.parametrize(
    ("pointing", "pointed"), [("40 metres", 1.0), ("40", 1.0), ("the lake", 0.0), ("~", 0.0)]
)
def test_whether_the_reader_takes_the_words_that_differ(pointing: str, pointed: float) -> None:
    assert on_the_lake((0.8, 0.4, 0.1), pointing)["pointed"] == pointed


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The toy corpus with two differences, a question that asks for one, and one that does not."""
    corpus = copytree(TOY, tmp_path_factory.mktemp("raised") / "toy")
    (corpus / "differences.yaml").write_text(DIFFERENCES, "utf-8")
    signs = ",".join(map(mark, (GAZETTE, REPORT)))
    (corpus / FILE).write_text(
        f"answered\t{signs}\t{ASKED}\t\thandover\nanswered\t{signs}\t{BESIDE}\t\t-handover\n", "utf-8"
    )
    settings = load_settings(
        corpus=corpus, index=tmp_path_factory.mktemp("index"), max_tokens=60, reader="off"
    )
    build_index(settings, embedder=HashEmbedder())
    engine = open_engine(settings, encoder=HashEmbedder(), compare=False)
    yield engine
    engine.close()


def test_a_question_that_asks_for_a_difference_is_shown_its_sides(engine: Engine) -> None:
    (shown,) = engine.ask(Ask(ASKED)).disagreements
    assert shown.about == "when the village of Oldmill is handed over"
    assert [p.value for p in shown.positions] == ["20 June 2011", "the end of July 2011"]


def test_a_question_beside_a_difference_is_not(engine: Engine) -> None:
    answer = engine.ask(Ask(BESIDE))
    assert (answer.status, answer.disagreements) == ("answered", ())


def test_a_difference_is_foreseen_by_its_own_questions(engine: Engine) -> None:
    handover, lake = engine.beside(Ask(ASKED))
    assert (handover.known.id, lake.known.id) == ("handover", "lake")
    assert handover.features["foreseen"] > 0.0 > lake.features["foreseen"]
    assert handover.features["apart"] > 0.0 == lake.features["apart"]
    close = engine.beside(Ask(BESIDE))[0].features
    assert max(close["foreseen"], close["apart"]) < 0.0


def test_what_one_voice_says_is_no_question_on_a_difference(engine: Engine) -> None:
    assert engine.beside(Ask("When does the Gazette say the village of Oldmill is handed over?")) == []


def test_one_source_alone_differs_from_nobody(engine: Engine) -> None:
    assert engine.beside(Ask(ASKED, filters=Filters(sources=("report",)))) == []


def test_what_is_shown_hangs_on_the_threshold(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for least, shown in ((0.4, 1), (0.6, 0)):
        monkeypatch.setattr(
            raised, "load_weights", lambda least=least, **_: Weights(Logistic(0.0, {}), least)
        )
        other = open_engine(engine.settings, encoder=HashEmbedder(), compare=False)
        assert len(other.ask(Ask(BESIDE)).disagreements) == shown
        other.close()


def test_weights_that_are_damaged_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_weights.cache_clear()
    monkeypatch.setattr(raised, "_FILE", tmp_path / "raised.json")
    for text in (None, "{", '{"plain": {"bias": 0}}'):
        if text is not None:
            (tmp_path / "raised.json").write_text(text, "utf-8")
        with pytest.raises(ModelError, match="install nkqa again"):
            load_weights(reader=False, questions=False)
    monkeypatch.undo()
    assert 0.0 < load_weights(reader=True, questions=True).threshold < 1.0


# --- fitting -----------------------------------------------------------------------------------------------


def test_written_questions_stand_on_the_corpus_and_none_was_foreseen() -> None:
    root = Path(__file__).parents[1]
    documents = load_corpus(root / "corpus")
    ids = {k.id for k in load_differences(root / "corpus" / "differences.yaml", documents)}
    foreseen = {q.text.casefold() for q in load_questions(root / "corpus" / FILE, documents).all}
    for file in WRITTEN:
        written = load_questions(root / "src" / "nkqa" / "training" / file, documents)
        assert written.all
        assert not written.outdated
        assert {i for q in written.all for i in (*q.asks, *q.beside)} <= ids
        assert not foreseen & {q.text.casefold() for q in written.all}


def test_written_questions_are_labelled_beside_the_differences_that_they_name_and_those_of_other_sentences(
    engine: Engine,
) -> None:
    both = (("gazette", 0), ("report", 0))
    asks = Foreseen(ASKED, "answered", both, asks=("handover",))
    beside = Foreseen(BESIDE, "answered", both, beside=("handover",))
    neither = Foreseen("How deep is the lake?", "unanswered", both)
    asked = [(q, engine.beside(Ask(q.text))) for q in (asks, beside, neither)]
    rows = Counter((r.group, r.asks) for r in from_written(engine, asked))
    # Nobody judged whether the second asks for the other difference.
    assert rows == {(0, True): 1, (0, False): 1, (1, False): 1, (2, False): 2}


def test_a_difference_that_shares_a_sentence_with_the_one_asked_for_is_not_learnt_from(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    handover, lake = (b.known for b in engine.beside(Ask(ASKED)))
    sharing = replace(lake, positions=(handover.positions[0], *lake.positions))
    monkeypatch.setattr(engine, "differences", (handover, sharing))
    asked = Foreseen(ASKED, "answered", (("gazette", 0),), asks=("handover",))
    rows = from_written(engine, [(asked, engine.beside(Ask(ASKED)))])
    assert [(r.group, r.asks) for r in rows] == [(0, True)]


def test_the_regression_tells_what_its_feature_tells() -> None:
    rows = [Labelled(n, {"fit": n / 40, "kind": 1.0}, n >= 20) for n in range(40)]
    fitted = fit(rows, ("fit", "kind"))
    assert fitted.auroc > 0.95
    high, low = (fitted.model.probability({"fit": value, "kind": 1.0}) for value in (0.9, 0.1))
    assert high > 0.5 > low


def test_the_threshold_shows_what_is_asked_for_and_little_else() -> None:
    model = Logistic(0.0, {"fit": 1.0})
    dev = [(True, [{"fit": 3.0}, {"fit": 0.0}]), (True, [{"fit": 2.0}]), (False, [{"fit": 1.0}]), (False, [])]
    assert threshold(model, dev) == 0.85
    assert counts(model, dev, 0.7) == {"shown": 2, "of": 2, "false": 1, "of_others": 1 + 1}


def test_gold_is_asked_where_it_is_answered_and_does_not_only_touch(engine: Engine) -> None:
    gold: dict[str, Any] = {"question": ASKED, "history": [], "conflict": "when", "touches": None}
    off = gold | {"question": "Who won the football cup in Brazil?", "conflict": None}
    touching = gold | {"conflict": None, "touches": "when"}
    ((wanted, features),) = from_gold(engine, [gold, off, touching])
    assert wanted
    assert len(features) == 2
