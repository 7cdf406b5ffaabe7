"""Questions that were foreseen: the sentences that answer each, come nearest to it, or contradict it.

They are written from the sentences alone, in the many ways in which people ask, and lie beside the sources in
`questions.tsv`: document expansion by questions (Nogueira et al. 2019, arXiv 1904.08375). A question of a user is held
against them as against the sentences themselves.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from nkqa.asking import Kind, kind_of
from nkqa.corpus import load_corpus
from nkqa.errors import CorpusError
from nkqa.protocols import Vector
from nkqa.types import Document, Span

Verdict = Literal["answered", "unanswered", "contradicted"]
"""What the sources do with a question; contradicted: they say the opposite of what it takes for granted."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
FILE = "questions.tsv"
_FIELDS = 4
"""Fields of a line; a fifth is there where the question has to do with a confirmed difference."""
_BESIDE = "-"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A question with the sentences (document id, position) that answer, come nearest, or contradict, best first.

    `words` are those of the first sentence that answer, "" where no few words do. `asks` are the ids of confirmed
    differences that it asks for, `beside` those that it is close to without asking for them.
    """

    text: str
    verdict: Verdict
    places: tuple[tuple[str, int], ...]
    words: str = ""
    asks: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def mark(text: str) -> str:
    """Return what a sentence is known by in the file, so that the questions of one that was edited are noticed."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions whose sentences stand as they were, and the lines of those whose sentences do not."""

    all: tuple[Foreseen, ...]
    outdated: tuple[int, ...]


def load_questions(path: Path, documents: Iterable[Document]) -> Questions:
    """Read `questions.tsv` against the documents; a missing file holds none.

    Each line has verdict, marks of sentences, question and words, with tabs, and perhaps ids of differences, a minus
    before those that the question does not ask for; lines that begin with # are left out.

    Raises:
        CorpusError: the file is not what it should be; with its line.
    """
    if not path.is_file():
        return Questions((), ())
    places = {mark(d.text[s.start : s.end]): (d.id, i) for d in documents for i, s in enumerate(d.sentences)}
    found, outdated = [], []
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
                if not row or row[0].startswith("#"):
                    continue
                verdict = _verdict(row, f"{path}:{number}")
                marks = row[1].split(",")
                if all(m in places for m in marks):
                    asks, beside = _differences(row)
                    found.append(
                        Foreseen(row[2], verdict, tuple(places[m] for m in marks), row[3], asks, beside)
                    )
                else:
                    outdated.append(number)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: {error}") from error
    return Questions(tuple(found), tuple(outdated))


def _differences(row: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ids = [i for i in row[_FIELDS].split(",") if i] if len(row) > _FIELDS else []
    beside = tuple(i.removeprefix(_BESIDE) for i in ids if i.startswith(_BESIDE))
    return tuple(i for i in ids if not i.startswith(_BESIDE)), beside


def _verdict(row: list[str], where: str) -> Verdict:
    if len(row) not in {_FIELDS, _FIELDS + 1} or not row[2].strip():
        raise CorpusError(
            f"{where}: has {len(row)} fields; verdict, marks, question, words and perhaps differences are wanted"
        )
    verdict = next((v for v in VERDICTS if v == row[0]), None)
    if verdict is None:
        raise CorpusError(f"{where}: has the verdict {row[0]!r}; there are {', '.join(VERDICTS)}")
    return verdict


def reword(corpus: Path, old: str, new: str) -> int:
    """Put a sentence of a source into other words, and keep its questions; return how many it has.

    Words that answered and do not stand in the new sentence are left off the questions.

    Raises:
        CorpusError: the old one is not a whole sentence of one source, or a file cannot be written.
    """
    old, new = old.strip(), new.strip()
    try:
        told = [d.text[t.start : t.end] for d in load_corpus(corpus) for t in d.sentences]
        sources = [(f, f.read_text("utf-8")) for f in sorted((corpus / "sources").glob("*.md"))]
        places = [(f, text) for f, text in sources if old in told for _ in range(text.count(old))]
        if len(places) != 1 or not new:
            raise CorpusError(
                f"{corpus}: no sentence, or more than one, reads {old!r}; give one whole, and a new one"
            )
        file, text = places[0]
        questions = corpus / FILE
        lines = questions.read_text("utf-8").splitlines(keepends=True) if questions.is_file() else []
        moved = [_reworded(line, old, new) for line in lines]
        file.write_text(text.replace(old, new, 1), "utf-8", newline="\n")
        if moved != lines:
            questions.write_text("".join(moved), "utf-8", newline="\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{corpus}: {error}") from error
    return sum(one != other for one, other in zip(moved, lines, strict=True))


def _reworded(line: str, old: str, new: str) -> str:
    fields = line.rstrip("\n").split("\t")
    if len(fields) < _FIELDS or mark(old) not in fields[1].split(","):
        return line
    marks = fields[1].split(",")
    if marks[0] == mark(old) and fields[3] not in new:
        fields[3] = ""
    fields[1] = ",".join(mark(new) if m == mark(old) else m for m in marks)
    return "\t".join(fields) + "\n"


WIDE, NARROW = 15.0, 30.0
"""How fast a foreseen question's weight falls with its distance from the one asked, exp(-factor * distance): wide to
find sentences, narrow to tell what is answered from what is not (eval/README.md)."""


TOLD = 0.5
"""Of a sentence's own cosine beside the greatest of its questions', to find passages by."""
_LIKE = 0.7
"""Cosine under the adapter from which a foreseen question asks for the same words (eval/README.md)."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a question comes to those foreseen, whose weights fall with their distance from it and sum up to 1.

    `asked` (sentences,) is the greatest cosine with a question that the sentence answers, `told` (sentences,) that with
    the sentence itself, `share` (sentences,) the weight of all questions that it answers, each question's parted among
    its sentences; `refused` (sentences,) is the greatest cosine with a question that it comes nearest to and does not
    answer. All cosines are taken under the adapter. `nearest` and `missed` are the
    greatest cosines with a question that is answered, and with one that is not; `answered` and `contradicted` are the
    weights of those that are, `weights` (questions,) those of each. Where none were foreseen, all are 0.
    """

    asked: Vector
    told: Vector
    share: Vector
    refused: Vector
    nearest: float = 0.0
    missed: float = 0.0
    answered: float = 0.0
    contradicted: float = 0.0
    weights: Vector = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    @property
    def bearing(self) -> Vector:
        """How much each sentence bears on the question, (sentences,), -1 to 1: by its questions, and by itself."""
        return np.asarray((self.asked + TOLD * self.told) / (1.0 + TOLD), dtype=np.float32)


class Foresight:
    """All foreseen questions with their vectors; beside them a sentence that has none stands for itself."""

    def __init__(
        self,
        questions: Sequence[Foreseen],
        vectors: Vector,
        sentence_vectors: Vector,
        first_row: Mapping[str, int],
        adapter: Vector,
    ) -> None:
        """Keep them.

        Args:
            questions: in the order of `vectors`.
            vectors: shape (questions, dimension), each of length 1.
            sentence_vectors: shape (sentences, dimension), likewise.
            first_row: the row of each document's first sentence.
            adapter: shape (dimension, dimension), what `nkqa.adapter.learn` made of them.
        """
        self.questions = tuple(questions)
        self._adapter = adapter
        self._sentences = len(sentence_vectors)
        places = [
            (n, first_row[d] + i, 1 / len(q.places)) for n, q in enumerate(questions) for d, i in q.places
        ]
        self._first: dict[int, list[int]] = {}
        for number, question in enumerate(questions):
            if question.verdict == "answered":
                document, position = question.places[0]
                self._first.setdefault(first_row[document] + position, []).append(number)
        has = {row for n, row, _ in places if questions[n].verdict == "answered"}
        alone = [row for row in range(self._sentences) if row not in has]
        places += [(len(questions) + n, row, 1.0) for n, row in enumerate(alone)]
        self._told = self._adapted(sentence_vectors)
        self._vectors = np.concatenate([self._adapted(vectors), self._told[alone]])
        self._question = np.array([n for n, _, _ in places])
        self._row = np.array([row for _, row, _ in places])
        self._part = np.array([part for _, _, part in places], dtype=np.float32)
        verdicts = [VERDICTS.index(q.verdict) for q in questions]
        self._verdict = np.array(verdicts + [0] * len(alone))

    def near(self, query: Vector, allowed: npt.NDArray[np.bool_]) -> Nearness:
        """Return how near a question is, by its vector, counting only sentences that are `allowed` (sentences,)."""
        asked, told, share, refused = (np.zeros(self._sentences, dtype=np.float32) for _ in range(4))
        if not self.questions:
            return Nearness(asked, told, share, refused)
        query = self._adapted(query)
        told = self._told @ query
        counted = np.zeros(len(self._vectors), dtype=bool)
        counted[self._question[allowed[self._row]]] = True
        cosine: Vector = np.where(counted, self._vectors @ query, np.float32(-1.0))
        wide, narrow = (_weights(cosine, counted, factor) for factor in (WIDE, NARROW))
        answers = allowed[self._row] & (self._verdict[self._question] == 0)
        question, row = self._question[answers], self._row[answers]
        np.maximum.at(asked, row, cosine[question])
        np.add.at(share, row, wide[question] * self._part[answers])
        others = allowed[self._row] & ~answers
        np.maximum.at(refused, self._row[others], cosine[self._question[others]])
        kinds = [self._verdict == number for number in range(len(VERDICTS))]
        answered, _, contradicted = kinds
        return Nearness(
            asked,
            told,
            share,
            refused,
            nearest=float(cosine[answered].max()),
            missed=float(cosine[~answered].max(initial=-1.0)),
            answered=float(narrow[answered].sum()),
            contradicted=float(narrow[contradicted].sum()),
            weights=narrow[: len(self.questions)],
        )

    def answered_by(self, row: int, query: Vector) -> list[tuple[str, float]]:
        """Return the questions that a sentence answers before all others, with their cosines, nearest first."""
        return [(question.text, cosine) for question, cosine in self._first_answered(row, query)]

    def words_in(self, row: int, text: str, kind: Kind, query: Vector) -> Span | None:
        """Return which words of a sentence, the `text` of a row, answer the nearest question that it answers first.

        None where that question is far from the one asked or of another kind, or no few words answer it.
        """
        nearest = next(iter(self._first_answered(row, query)), None)
        if nearest is None or nearest[1] < _LIKE or not nearest[0].words or kind_of(nearest[0].text) != kind:
            return None
        start = text.find(nearest[0].words)
        return Span(start, start + len(nearest[0].words)) if start >= 0 else None

    def _first_answered(self, row: int, query: Vector) -> list[tuple[Foreseen, float]]:
        first = self._first.get(row, [])
        cosines = (self._vectors[first] @ self._adapted(query)).tolist()
        found = [(self.questions[n], cosine) for n, cosine in zip(first, cosines, strict=True)]
        return sorted(found, key=lambda f: -f[1])

    def _adapted(self, vectors: Vector) -> Vector:
        adapted = vectors @ self._adapter
        return np.asarray(adapted / np.linalg.norm(adapted, axis=-1, keepdims=True), dtype=np.float32)


def _weights(cosine: Vector, counted: npt.NDArray[np.bool_], factor: float) -> Vector:
    weights: Vector = np.exp(factor * (cosine - cosine.max())) * counted
    return weights / max(float(weights.sum()), 1e-9)
