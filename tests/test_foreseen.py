"""Questions that were foreseen: read against the documents, and how near a question comes to them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from fakes import HashEmbedder
from nkqa.asking import Kind
from nkqa.build import build_index
from nkqa.check import check
from nkqa.corpus import load_corpus
from nkqa.engine import Engine, open_engine
from nkqa.errors import CorpusError
from nkqa.foreseen import FILE, Foreseen, Foresight, load_questions, mark, reword
from nkqa.index import current_build
from nkqa.protocols import Vector
from nkqa.settings import load_settings
from nkqa.types import Ask

TOY = Path(__file__).parent / "toy"
DOCUMENTS = load_corpus(TOY)
FIRST = DOCUMENTS[0]
TEXTS = [FIRST.text[s.start : s.end] for s in FIRST.sentences]
Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> Path:
        file = tmp_path / FILE
        file.write_text(text, "utf-8")
        return file

    return write


def line(verdict: str, question: str, *sentences: str, words: str = "") -> str:
    return "\t".join([verdict, ",".join(mark(s) for s in sentences), question, words]) + "\n"


def test_a_question_knows_its_sentences_in_order_and_its_words(written: Written) -> None:
    file = written("# a note\n" + line("answered", "what of it", TEXTS[1], TEXTS[0], words=TEXTS[1][:5]))
    (question,) = load_questions(file, DOCUMENTS).all
    assert question == Foreseen("what of it", "answered", ((FIRST.id, 1), (FIRST.id, 0)), TEXTS[1][:5])


def test_a_question_whose_sentence_was_edited_is_left_out_and_told_of(written: Written) -> None:
    file = written(
        line("answered", "one", TEXTS[0]) + line("unanswered", "two", TEXTS[0], TEXTS[0] + " More.")
    )
    found = load_questions(file, DOCUMENTS)
    assert [q.text for q in found.all] == ["one"]
    assert found.outdated == (2,)


def test_no_file_is_no_question(tmp_path: Path) -> None:
    assert load_questions(tmp_path / FILE, DOCUMENTS).all == ()


def test_a_question_may_name_the_differences_that_it_asks_for_and_those_that_it_only_seems_to(
    written: Written,
) -> None:
    file = written(line("answered", "one", TEXTS[0]).rstrip() + "\t\tdepth,-width\n")
    (question,) = load_questions(file, DOCUMENTS).all
    assert (question.asks, question.beside) == (("depth",), ("width",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("answered", "what", TEXTS[0]).rstrip("\n") + "\ta\tb\n", r":1: has 6 fields"),
        ("answered\tabc\twhat\n", r":1: has 3 fields"),
        ("\n" + line("answered", "  ", TEXTS[0]), r":2: has 4 fields"),
        (line("perhaps", "what", TEXTS[0]), r"has the verdict 'perhaps'; there are answered"),
    ],
)
def test_a_line_that_is_none_is_named(written: Written, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        load_questions(written(text), DOCUMENTS)


def test_a_file_that_is_no_text_is_an_error_of_the_corpus(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError):
        load_questions(tmp_path / FILE, DOCUMENTS)


def test_a_sentence_that_is_reworded_keeps_its_questions(tmp_path: Path) -> None:
    corpus = copytree(TOY, tmp_path / "corpus")
    old, new = TEXTS[0], TEXTS[0].replace(TEXTS[0].split()[-1], "in the end.")
    (corpus / FILE).write_text(
        line("answered", "one", TEXTS[1], old, words=TEXTS[1][:5])
        + line("answered", "two", old, words=TEXTS[0].split()[-1])
        + line("unanswered", "three", TEXTS[2]),
        "utf-8",
    )
    assert reword(corpus, f" {old} ", new) == 2
    documents = load_corpus(corpus)
    found = load_questions(corpus / FILE, documents)
    assert found.outdated == ()
    assert [q.places for q in found.all[:2]] == [((FIRST.id, 1), (FIRST.id, 0)), ((FIRST.id, 0),)]
    assert [q.words for q in found.all] == [TEXTS[1][:5], "", ""]
    assert new in documents[0].text


@pytest.mark.parametrize("old", ["No source says this.", "", "the", TEXTS[0][:-9], TEXTS[0].split(" ", 1)[1]])
def test_a_sentence_that_stands_nowhere_or_often_is_not_reworded(tmp_path: Path, old: str) -> None:
    corpus = copytree(TOY, tmp_path / "corpus")
    before = [file.read_bytes() for file in sorted((corpus / "sources").iterdir())]
    with pytest.raises(CorpusError, match="no sentence, or more than one"):
        reword(corpus, old, "Another.")
    assert [file.read_bytes() for file in sorted((corpus / "sources").iterdir())] == before


# --- nearness ----------------------------------------------------------------------------------------------


def axis(*at: int) -> Vector:
    rows = np.zeros((len(at), 4), dtype=np.float32)
    rows[np.arange(len(at)), list(at)] = 1.0
    return rows


QUESTIONS = (
    Foreseen("a", "answered", (("d", 0), ("d", 1))),
    Foreseen("b", "unanswered", (("d", 0),)),
    Foreseen("c", "contradicted", (("d", 1),)),
)
SENTENCES = axis(3, 3, 3)
ALL = np.ones(3, dtype=bool)


def foresight(questions: tuple[Foreseen, ...] = QUESTIONS) -> Foresight:
    as_they_are = np.eye(4, dtype=np.float32)
    return Foresight(questions, axis(0, 1, 2)[: len(questions)], SENTENCES, {"d": 0}, as_they_are)


def test_the_same_question_again_is_answered_by_its_sentences_in_equal_parts() -> None:
    near = foresight().near(axis(0)[0], ALL)
    assert near.asked.tolist() == [1.0, 1.0, 0.0]
    assert near.share[0] == near.share[1] == pytest.approx(0.5, abs=1e-3)
    assert (near.nearest, near.missed) == (1.0, 0.0)
    assert near.answered == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("at", "contradicted"), [(1, 0.0), (2, 1.0)])
def test_a_question_that_is_not_answered_counts_for_no_sentence(at: int, contradicted: float) -> None:
    near = foresight().near(axis(at)[0], ALL)
    assert near.refused.tolist() == [float(at == 1), float(at == 2), 0.0]
    assert near.share.max() < 1e-3
    assert near.missed == 1.0
    assert near.contradicted == pytest.approx(contradicted, abs=1e-3)


def test_a_sentence_without_questions_stands_for_itself() -> None:
    near = foresight().near(axis(3)[0], ALL)
    assert near.asked.tolist() == [0.0, 0.0, 1.0]
    assert near.share[2] == pytest.approx(1.0, abs=1e-3)


def test_sentences_that_may_not_answer_do_not_count() -> None:
    near = foresight().near(axis(0)[0], np.array([False, False, True]))
    assert near.nearest == 0.0
    assert near.share[:2].tolist() == [0.0, 0.0]


def test_nothing_counts_where_nothing_may_answer() -> None:
    near = foresight().near(axis(0)[0], ~ALL)
    assert near.share.tolist() == [0.0, 0.0, 0.0]
    assert near.answered == 0.0


def test_without_foreseen_questions_all_is_nought() -> None:
    near = foresight(()).near(axis(3)[0], ALL)
    assert not near.asked.any()
    assert (near.nearest, near.missed, near.answered, near.contradicted) == (0.0, 0.0, 0.0, 0.0)


def test_the_questions_of_a_sentence_are_those_that_it_answers_before_others() -> None:
    assert foresight().answered_by(0, axis(0)[0]) == [("a", 1.0)]
    assert foresight().answered_by(1, axis(0)[0]) == []


@pytest.mark.parametrize(
    ("asked", "row", "kind", "at", "words"),
    [
        ("when was it", 0, "when", 0, "in May"),
        ("when was it", 0, "where", 0, None),  # another kind of thing is asked
        ("when was it", 0, "when", 1, None),  # something else is asked
        ("when was it", 1, "when", 0, None),  # the sentence does not answer it first
        ("when did it end", 0, "when", 0, None),  # no few words answer it
    ],
)
def test_the_words_that_answer_a_like_question_answer_again(
    asked: str, row: int, kind: Kind, at: int, words: str | None
) -> None:
    known = Foreseen(asked, "answered", (("d", 0), ("d", 1)), "in May" if "was" in asked else "")
    span = foresight((known,)).words_in(row, "It was in May.", kind, axis(at)[0])
    assert words == (None if span is None else "It was in May."[span.start : span.end])


# --- in the program ----------------------------------------------------------------------------------------

LAY = "who paints the lighthouses over there"
TARGET = TEXTS[-1]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy corpus with questions that share no word with what answers them."""
    folder = copytree(TOY, tmp_path_factory.mktemp("foreseen") / "toy")
    wrong = "why did the lighthouses fall into the sea"
    near = [f"What colour is lighthouse number {n}?" for n in range(3)]
    lines = [line("answered", LAY, TARGET), line("contradicted", wrong, TARGET)]
    lines += [line("answered", text, TEXTS[n], words="") for n, text in enumerate(near)]
    (folder / FILE).write_text("".join(lines), "utf-8")
    return folder


@pytest.fixture(scope="module")
def engine(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    settings = load_settings(
        corpus=corpus, index=tmp_path_factory.mktemp("index"), max_tokens=60, reader="off"
    )
    build_index(settings, embedder=HashEmbedder())
    engine = open_engine(settings, encoder=HashEmbedder(), compare=False)
    yield engine
    engine.close()


def test_a_question_in_words_of_no_source_finds_its_sentence(engine: Engine) -> None:
    best = engine.search(LAY, k=1)[0].passage
    assert TARGET in best.text
    assert engine.evidence(Ask(LAY)).evidence[0].claim.text == TARGET


def test_left_out_it_finds_it_no_more(engine: Engine) -> None:
    without = open_engine(engine.settings, frozenset({"questions"}), HashEmbedder(), compare=False)
    evidence = without.evidence(Ask(LAY)).evidence
    assert evidence[0].claim.text != TARGET
    assert {e.features["asked"] for e in evidence} == {0.0}
    without.close()


def test_what_was_foreseen_as_wrong_is_said_to_be_wrong(engine: Engine) -> None:
    answer = engine.ask(Ask("why did the lighthouses fall into the sea"))
    assert answer.abstention is not None
    assert answer.abstention.reason == "false_premise"


def test_a_document_of_ones_own_is_found_beside_foreseen_questions(corpus: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# Harbour\n\nThe harbour master of Oldmill keeps seven grey geese.\n", "utf-8")
    settings = load_settings(corpus=corpus, index=tmp_path / "index", max_tokens=60, reader="off")
    build_index(settings, [note], embedder=HashEmbedder())
    own = open_engine(settings, encoder=HashEmbedder(), compare=False)
    found = own.evidence(Ask("how many grey geese does the harbour master of Oldmill keep")).evidence
    assert "grey geese" in found[0].claim.text
    own.close()


def test_what_was_learnt_is_taken_over_until_something_changed(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copytree(corpus, tmp_path / "toy")
    settings = load_settings(corpus=folder, index=tmp_path / "index", max_tokens=60, reader="off")
    learnt: list[int] = []

    def learn(questions: Sequence[Foreseen], asked: Vector, told: Vector, rows: Mapping[str, int]) -> Vector:
        learnt.append(len(questions))
        return np.asarray(np.eye(told.shape[1]) * 2, dtype=np.float32)

    monkeypatch.setattr("nkqa.adapter.learn", learn)
    for _ in range(2):
        build_index(settings, embedder=HashEmbedder())
        assert np.load(current_build(settings.index) / "adapter.npy")[0, 0] == 2
    assert len(learnt) == 1
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(line("answered", "what else is there", TEXTS[0]))
    build_index(settings, embedder=HashEmbedder())
    assert learnt == [learnt[0], learnt[0] + 1]


def test_the_check_tells_of_questions_whose_sentence_is_gone(corpus: Path, tmp_path: Path) -> None:
    folder = copytree(corpus, tmp_path / "toy")
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(line("answered", "what is gone", "A sentence that no source has."))
    (finding,) = [f for f in check(folder) if f.file == FILE]
    assert finding.message.startswith("1 question(s)")


def test_the_check_tells_of_a_difference_that_there_is_not(corpus: Path, tmp_path: Path) -> None:
    folder = copytree(corpus, tmp_path / "toy")
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(line("answered", "how deep", TEXTS[0]).rstrip("\n") + "\tdepth\n")
    (finding,) = [f for f in check(folder) if f.file == FILE]
    assert finding.message == "questions name the difference 'depth', which differences.yaml does not have"


def test_every_foreseen_question_of_the_corpus_names_sentences_that_stand() -> None:
    corpus = Path(__file__).parents[1] / "corpus"
    found = load_questions(corpus / FILE, load_corpus(corpus))
    assert found.all
    assert found.outdated == ()
    asked = [(q.text.casefold(), q.verdict) for q in found.all]
    assert len(set(asked)) == len(asked)
