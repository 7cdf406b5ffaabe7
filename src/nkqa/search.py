"""Question -> the passages found for it, and the sentences that bear on it: searched for, read and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nkqa.attribution import Attribution
from nkqa.dates import dates_in
from nkqa.embed import default_folder
from nkqa.errors import NotFound
from nkqa.evidence import (
    OTHER_SOURCE,
    Claims,
    Evidence,
    Weighed,
    add_readings,
    judged,
    question_features,
    weigh,
)
from nkqa.foreseen import Foresight, Nearness
from nkqa.fuse import convex, with_asked
from nkqa.index import Index
from nkqa.judge import Judge, load_judge
from nkqa.protocols import Reader, Vector
from nkqa.question import Question, Vocabulary, understand
from nkqa.reader import DEFAULT_WEIGHTS, OnnxReader
from nkqa.settings import Settings
from nkqa.text import fold, words
from nkqa.types import Ask, Document, Filters, Hit, Passage
from nkqa.windows import place

STAGES = ("dense", "lexical", "names", "questions", "reader")
"""What `without` can leave out, to see what it is worth."""
DEPTH = 20
"""Passages whose sentences are read."""
READ, WINDOWS = 32, 12
"""Sentences that the reader is shown with their neighbours, and windows that it reads at most."""
_CANDIDATES = 64
"""Passages asked of Chroma."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is searched for: the question, its vector, the documents that may answer, and what it comes near to."""

    question: Question
    vector: Vector
    allowed: frozenset[str]
    near: Nearness


class Searcher:
    """Searches one opened index. Safe to share between threads.

    `position` is each passage's place among all by its id, `rows` are those of its sentences, `passage_of` is the
    passage of a row.
    """

    def __init__(self, index: Index, settings: Settings, without: frozenset[str] = frozenset()) -> None:
        """Make ready what every question needs.

        Raises:
            ValueError: `without` names no stage.
        """
        if unknown := without - set(STAGES):
            raise ValueError(f"{', '.join(sorted(unknown))}: no such stage; there are {', '.join(STAGES)}")
        self._index = index
        self._without = without
        self._documents: Mapping[str, Document] = index.documents
        self._passages: Sequence[Passage] = index.passages
        self.claims = Claims(index.documents.values(), index.names)
        self.position = {p.id: i for i, p in enumerate(index.passages)}
        self.rows = {
            p.id: range(index.first_row[p.document_id] + p.first, index.first_row[p.document_id] + p.last + 1)
            for p in index.passages
        }
        self.passage_of = {row: p for p in index.passages for row in self.rows[p.id]}
        self._first = np.array([rows.start for rows in self.rows.values()])
        self._reader = None if settings.reader == "off" or "reader" in without else _open_reader(settings)
        self.foresight = index.foresight
        if "questions" in without:
            none, as_they_are = index.vectors[:0], np.eye(index.manifest.dimension, dtype=np.float32)
            self.foresight = Foresight((), none, index.sentence_vectors, index.first_row, as_they_are)
        self.judge = self._load_judge(reader=self._reader is not None)
        self._vocabulary = _vocabulary(index)

    @property
    def reads(self) -> bool:
        """Whether the trained reader reads."""
        return self._reader is not None

    def understand(self, ask: Ask) -> Question:
        """Return the question as understood.

        Raises:
            BadQuestion: the text cannot be asked.
        """
        return understand(
            ask.question, ask.history, self._index.names, self._vocabulary, widen="names" not in self._without
        )

    def allowed(self, filters: Filters) -> frozenset[str]:
        """Return the ids of the documents that may answer.

        Raises:
            NotFound: a filter names a source that does not exist.
        """
        for source in filters.sources:
            self.document(source)
        return frozenset(d.id for d in self._documents.values() if _passes(d, filters))

    def document(self, document_id: str) -> Document:
        """Return a document by id.

        Raises:
            NotFound: there is none.
        """
        if document_id not in self._documents:
            raise NotFound(f"no source has the id {document_id!r}; there are {', '.join(self._documents)}")
        return self._documents[document_id]

    def seek(self, question: Question, allowed: frozenset[str]) -> Sought:
        """Return what is to be searched for among the documents that are `allowed`."""
        vector = self._index.encoder.embed_query(question.search)
        rows = np.ones(len(self.claims.all), dtype=bool)
        for name in self._documents.keys() - allowed:
            start = self._index.first_row[name]
            rows[start : start + len(self._documents[name].sentences)] = False
        return Sought(question, vector, allowed, self.foresight.near(vector, rows))

    def find(self, sought: Sought, k: int) -> list[Hit]:
        """Return the `k` best passages, best first."""
        index, question, query = self._index, sought.question, sought.vector
        cosine = np.full(len(self._passages), -1.0, dtype=np.float32)
        lexical = np.zeros(len(self._passages), dtype=np.float32)
        if "lexical" not in self._without:
            lexical = index.lexical.scores(question.terms)
        if "dense" not in self._without:
            near = [self.position[i] for i, _ in index.store.search(query, max(k, _CANDIDATES))]
            # A passage that only the words found gets its cosine from our own copy of the vectors.
            rows = np.unique([*near, *np.argsort(-lexical, kind="stable")[:_CANDIDATES]]).astype(int)
            cosine[rows] = index.vectors[rows] @ query
        score = convex(lexical, cosine)
        if self.foresight.questions:
            score = with_asked(score, np.maximum.reduceat(sought.near.bearing, self._first))
        if question.sources:
            score *= [1.0 if p.document_id in question.sources else OTHER_SOURCE for p in self._passages]
        best = float(lexical.max(initial=0.0)) or 1.0
        order = [
            i
            for i in np.lexsort((np.arange(len(score)), -score)).tolist()
            if self._passages[i].document_id in sought.allowed and (cosine[i] > -1.0 or lexical[i] > 0.0)
        ]
        return [
            Hit(
                self._passages[i],
                float(score[i]),
                rank,
                max(float(cosine[i]), -1.0),
                float(lexical[i] / best),
            )
            for rank, i in enumerate(order[:k], 1)
        ]

    def read(self, sought: Sought, hits: Sequence[Hit]) -> Weighed:
        """First score all sentences of the hits, then let the reader read the best, then judge."""
        evidence = self._weigh(sought, hits)
        if self._reader is not None:
            rows = [e.claim.row for e in evidence[:READ]]
            windows = place(rows, self.passage_of, self._documents, self._index.first_row)[:WINDOWS]
            readings = self._reader.read(sought.question.search, [w.window for w in windows])
            evidence = add_readings(evidence, windows, readings)
        return self._judged(sought, evidence, self.judge)

    def read_parts(self, sought: Sought, weighed: Weighed) -> Weighed:
        """Return what was weighed for a question with what the questions that it is put together from bring up."""
        found = []
        for text in sought.question.parts:
            part = self.seek(self.understand(Ask(text)), sought.allowed)
            found.append(self.read(part, self.find(part, DEPTH)))
        return weighed.with_parts(found) if found else weighed

    def answerable(self, text: str) -> bool:
        """Return whether the corpus answers a question, by the judge that needs no reader."""
        sought = self.seek(self.understand(Ask(text)), frozenset(self._documents))
        evidence = self._weigh(sought, self.find(sought, DEPTH))
        judge = self._load_judge(reader=False)
        return self._judged(sought, evidence, judge).confidence(judge) >= judge.threshold

    def _load_judge(self, *, reader: bool) -> Judge:
        return load_judge(reader=reader, questions=bool(self.foresight.questions))

    def _weigh(self, sought: Sought, hits: Sequence[Hit]) -> list[Evidence]:
        vectors = self._index.sentence_vectors
        return weigh(sought.question, sought.vector, sought.near, hits, self.claims, self.rows, vectors)

    def _judged(self, sought: Sought, evidence: Sequence[Evidence], judge: Judge) -> Weighed:
        scored = judged(evidence, judge, sought.question.sources)
        whole = question_features(sought.question, scored, self.claims, sought.near)
        return Weighed(sought.question, scored, whole)


def _open_reader(settings: Settings) -> Reader:
    return OnnxReader(DEFAULT_WEIGHTS, default_folder() / "tokenizer.json", settings.threads)


def _passes(document: Document, filters: Filters) -> bool:
    source = document.source
    return (
        (not filters.sources or document.id in filters.sources)
        and (not filters.types or source.type in filters.types)
        and (not filters.perspectives or source.perspective in filters.perspectives)
        and (filters.issued_from is None or source.issued >= filters.issued_from[: len(source.issued)])
        and (filters.issued_to is None or source.issued <= filters.issued_to)
    )


def _vocabulary(index: Index) -> Vocabulary:
    texts = [f"{d.source.title} {d.text}" for d in index.documents.values()]
    last = max(d.source.issued for d in index.documents.values())
    return Vocabulary(
        frozenset(fold(w.text) for t in texts for w in words(t)),
        frozenset(d.year for t in texts for d in dates_in(t) if d.year),
        int(last[:4]),
        int(last[5:7]),
        Attribution.of(index.documents.values(), index.names),
    )
