"""ask(question) -> Answer: the five stages, in order."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np

from nkqa import compose
from nkqa.asking import asks_the_same, is_about_now, kind_of
from nkqa.attribution import Attribution
from nkqa.dates import dates_in
from nkqa.differ import difference, false_premise, known_difference, values_in
from nkqa.differences import Known
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
from nkqa.index import Index, open_index
from nkqa.judge import Judge, load_judge
from nkqa.llm import Candidate, LanguageModel
from nkqa.names import Gazetteer
from nkqa.protocols import QueryEncoder, Reader, Vector
from nkqa.question import Question, Vocabulary, check_text, understand
from nkqa.reader import DEFAULT_WEIGHTS, OnnxReader
from nkqa.settings import Settings
from nkqa.suggest import suggest, suggest_foreseen
from nkqa.text import fold, words
from nkqa.types import (
    Abstention,
    Answer,
    Ask,
    Citation,
    CorpusInfo,
    Document,
    Filters,
    Hit,
    IndexManifest,
    LLMReport,
    Passage,
    Reason,
)
from nkqa.windows import place

NO_FILTERS = Filters()
STAGES = ("dense", "lexical", "names", "questions", "reader")
"""What `without` can leave out, to see what it is worth."""
DEPTH = 20
"""Passages whose sentences are read."""
READ, WINDOWS = 32, 12
"""Sentences that the reader is shown with their neighbours, and windows that it reads at most."""
_OFFERED = 12
"""Sentences that a language model is offered."""
_ON_SUBJECT = 0.35
"""Cosine of a question and a confirmed difference from which it is on what is asked."""
_CONTRADICTED = 0.5
"""Weight of foreseen questions that take something wrong for granted, from which an abstention says so."""
_CANDIDATES = 64
"""Passages asked of Chroma."""


@dataclass(frozen=True, slots=True)
class Understood:
    """First stage of a stream: the question as understood."""

    question: Question


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Second stage of a stream: the passages that were found."""

    hits: tuple[Hit, ...]


Stage = Understood | Retrieved | Answer


@dataclass(frozen=True, slots=True)
class _Sought:
    """What is searched for: the question, its vector, the documents that may answer, and what it comes near to."""

    question: Question
    vector: Vector
    allowed: frozenset[str]
    near: Nearness


class Engine:
    """Answers questions from one opened index. Safe to share between threads."""

    def __init__(self, index: Index, settings: Settings, without: frozenset[str] = frozenset()) -> None:
        """Make ready what every question needs.

        Raises:
            ValueError: `without` names no stage.
        """
        if unknown := without - set(STAGES):
            raise ValueError(f"{', '.join(sorted(unknown))}: no such stage; there are {', '.join(STAGES)}")
        self._index = index
        self._without = without
        self.settings = settings
        self.manifest: IndexManifest = index.manifest
        self.documents: Mapping[str, Document] = index.documents
        self.passages: Sequence[Passage] = index.passages
        self.names: Gazetteer = index.names
        self.corpus = _corpus_info(index)
        self._position = {p.id: i for i, p in enumerate(index.passages)}
        self._rows = {
            p.id: range(index.first_row[p.document_id] + p.first, index.first_row[p.document_id] + p.last + 1)
            for p in index.passages
        }
        self._first = np.array([rows.start for rows in self._rows.values()])
        self._passage_of = {row: p for p in index.passages for row in self._rows[p.id]}
        self._reader = None if settings.reader == "off" or "reader" in without else _open_reader(settings)
        self._foresight = index.foresight
        if "questions" in without:
            none = index.vectors[:0]
            self._foresight = Foresight((), none, index.sentence_vectors, index.first_row)
        self._judge = self._load_judge(reader=self._reader is not None)
        self.claims = Claims(index.documents.values(), index.names)
        self._vocabulary = _vocabulary(index)
        self._suggestable: dict[str, bool] = {}
        self._abouts = [index.encoder.embed_query(k.about) for k in index.differences]
        self._llm = LanguageModel(settings, index.names, self._similarity)

    # --- looking things up -----------------------------------------------------------------------------

    def document(self, document_id: str) -> Document:
        """Return a document by id.

        Raises:
            NotFound: there is none.
        """
        if document_id not in self.documents:
            raise NotFound(f"no source has the id {document_id!r}; there are {', '.join(self.documents)}")
        return self.documents[document_id]

    def passage(self, passage_id: str) -> Passage:
        """Return a passage by id.

        Raises:
            NotFound: there is none.
        """
        if passage_id not in self._position:
            raise NotFound(f"no passage has the id {passage_id!r}; ids look like {self.passages[0].id!r}")
        return self.passages[self._position[passage_id]]

    def neighbours(self, passage: Passage) -> tuple[Passage | None, Passage | None]:
        """Return the passages before and after in the same document, None at its ends."""
        at = self._position[passage.id]
        around = (self.passages[i] if 0 <= i < len(self.passages) else None for i in (at - 1, at + 1))
        before, after = (p if p and p.document_id == passage.document_id else None for p in around)
        return before, after

    def cite(self, document_id: str, sentence: int, number: int = 0) -> Citation:
        """Return the citation of a document's sentence, counted from 0."""
        document = self.document(document_id)
        passage = self._passage_of[self._index.first_row[document_id] + sentence]
        return compose.cite(document, sentence, passage.id, number)

    def _similarity(self, one: str, other: str) -> float:
        embed = self._index.encoder.embed_query
        return float(embed(one) @ embed(other))

    # --- asking ----------------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> Answer:
        """Return the answer to a question, or the reason why there is none.

        Raises:
            BadQuestion: the text cannot be asked.
            NotFound: a filter names a source that does not exist.
        """
        *_, last = self.stream(ask)
        assert isinstance(last, Answer)
        return last

    def stream(self, ask: Ask) -> Iterator[Stage]:
        """Yield what each stage found as it is found; the last is what `ask` returns."""
        clock = _Clock()
        with clock.stage("understand"):
            question = self._understand(ask)
            allowed = self._allowed(ask.filters)
        yield Understood(question)
        with clock.stage("retrieve"):
            sought = self._seek(question, allowed)
            hits = self._retrieve(sought, _CANDIDATES)
        yield Retrieved(tuple(hits[:DEPTH]))
        with clock.stage("read"):
            weighed = self._read_parts(sought, self._read(sought, hits[:DEPTH]))
        with clock.stage("compose"):
            answer = self._compose(ask, sought, weighed)
        yield _finish(answer, ask, hits[:DEPTH], clock)

    def search(self, question: str, k: int = 10, filters: Filters = NO_FILTERS) -> list[Hit]:
        """Return the `k` best passages, best first.

        Raises:
            BadQuestion: the text cannot be searched for.
            NotFound: a filter names a source that does not exist.
        """
        asked = self._understand(Ask(check_text(question)))
        return self._retrieve(self._seek(asked, self._allowed(filters)), k)

    def evidence(self, ask: Ask, exclude: frozenset[str] = frozenset()) -> Weighed:
        """Return the question as understood and the sentences that bear on it, best first, whether they answer or not.

        Documents whose ids are in `exclude` are left out.
        """
        sought = self._seek(self._understand(ask), self._allowed(ask.filters) - exclude)
        return self._read(sought, self._retrieve(sought, DEPTH))

    def ranked(
        self, question: str, k: int = 5, exclude: frozenset[str] = frozenset()
    ) -> list[tuple[str, int, float]]:
        """Return the `k` best sentences as document id, position in it and score, whether they answer or not."""
        evidence = self.evidence(Ask(question), exclude).evidence
        return [(e.claim.document_id, e.claim.index, e.score) for e in evidence[:k]]

    def confidence(self, question: str, exclude: frozenset[str] = frozenset()) -> float:
        """Return the probability, 0 to 1, that the documents, some excluded, answer the question."""
        return self.evidence(Ask(question), exclude).confidence(self._judge)

    def close(self) -> None:
        """Let go of the index's files."""
        self._index.close()

    # --- the stages ------------------------------------------------------------------------------------

    def _understand(self, ask: Ask) -> Question:
        return understand(
            ask.question, ask.history, self.names, self._vocabulary, widen="names" not in self._without
        )

    def _allowed(self, filters: Filters) -> frozenset[str]:
        for source in filters.sources:
            self.document(source)
        return frozenset(d.id for d in self.documents.values() if _passes(d, filters))

    def _load_judge(self, *, reader: bool) -> Judge:
        return load_judge(reader=reader, questions=bool(self._foresight.questions))

    def _seek(self, question: Question, allowed: frozenset[str]) -> _Sought:
        vector = self._index.encoder.embed_query(question.search)
        rows = np.ones(len(self.claims.all), dtype=bool)
        for name in self.documents.keys() - allowed:
            start = self._index.first_row[name]
            rows[start : start + len(self.documents[name].sentences)] = False
        return _Sought(question, vector, allowed, self._foresight.near(vector, rows))

    def _retrieve(self, sought: _Sought, k: int) -> list[Hit]:
        index, question, query = self._index, sought.question, sought.vector
        cosine = np.full(len(self.passages), -1.0, dtype=np.float32)
        lexical = np.zeros(len(self.passages), dtype=np.float32)
        if "lexical" not in self._without:
            lexical = index.lexical.scores(question.terms)
        if "dense" not in self._without:
            near = [self._position[i] for i, _ in index.store.search(query, max(k, _CANDIDATES))]
            # A passage that only the words found gets its cosine from our own copy of the vectors.
            rows = np.unique([*near, *np.argsort(-lexical, kind="stable")[:_CANDIDATES]]).astype(int)
            cosine[rows] = index.vectors[rows] @ query
        score = convex(lexical, cosine)
        if self._foresight.questions:
            score = with_asked(score, np.maximum.reduceat(sought.near.asked, self._first))
        if question.sources:
            score *= [1.0 if p.document_id in question.sources else OTHER_SOURCE for p in self.passages]
        best = float(lexical.max(initial=0.0)) or 1.0
        order = [
            i
            for i in np.lexsort((np.arange(len(score)), -score)).tolist()
            if self.passages[i].document_id in sought.allowed and (cosine[i] > -1.0 or lexical[i] > 0.0)
        ]
        return [
            Hit(
                self.passages[i], float(score[i]), rank, max(float(cosine[i]), -1.0), float(lexical[i] / best)
            )
            for rank, i in enumerate(order[:k], 1)
        ]

    def _read(self, sought: _Sought, hits: Sequence[Hit]) -> Weighed:
        """First score all sentences of the hits, then let the reader read the best, then judge."""
        question = sought.question
        evidence = self._weigh(sought, hits)
        if self._reader is not None:
            rows = [e.claim.row for e in evidence[:READ]]
            windows = place(rows, self._passage_of, self.documents, self._index.first_row)[:WINDOWS]
            readings = self._reader.read(question.search, [w.window for w in windows])
            evidence = add_readings(evidence, windows, readings)
        return self._judged(sought, evidence, self._judge)

    def _read_parts(self, sought: _Sought, weighed: Weighed) -> Weighed:
        """What was weighed for a question, with what the questions that it is put together from bring up."""
        found = []
        for text in sought.question.parts:
            part = self._seek(self._understand(Ask(text)), sought.allowed)
            found.append(self._read(part, self._retrieve(part, DEPTH)))
        return weighed.with_parts(found) if found else weighed

    def _judged(self, sought: _Sought, evidence: Sequence[Evidence], judge: Judge) -> Weighed:
        scored = judged(evidence, judge, sought.question.sources)
        whole = question_features(sought.question, scored, self.claims, sought.near)
        return Weighed(sought.question, scored, whole)

    def _weigh(self, sought: _Sought, hits: Sequence[Hit]) -> list[Evidence]:
        vectors = self._index.sentence_vectors
        return weigh(sought.question, sought.vector, sought.near, hits, self.claims, self._rows, vectors)

    def _compose(self, ask: Ask, sought: _Sought, weighed: Weighed) -> Answer:
        question, evidence = weighed.question, weighed.evidence
        confidence = weighed.confidence(self._judge)
        if reason := self._why_not(sought, evidence, confidence):
            return self._abstain(ask, question, evidence, reason, confidence)
        vectors = self._index.sentence_vectors
        values = values_in(question, evidence, self.names)
        sides = weighed.parts or compose.sides_of(question, evidence)
        kind = "list" if weighed.parts else question.kind
        chosen = compose.choose(kind, evidence, vectors, ask.max_sentences, values, sides)
        differing = known_difference(
            self._known(sought), [c.best for c in chosen], evidence, self.claims
        ) or difference(values, vectors)
        chosen = compose.in_order(compose.with_sides(chosen, differing)[: ask.max_sentences])
        llm = self._ask_llm(ask, question, evidence) if ask.composer == "llm" else None
        if llm is not None and llm[1]:
            chosen = llm[1]
        text, sentences, citations = compose.assemble(chosen, self.documents, self._passage_id)
        differ = compose.disagreements(differing, citations)
        if differ:
            text = f"{text} {compose.DIFFER.format(about=differ[0].about)}"
        value = next((v for v in values if v.evidence is chosen[0].best), None)
        return Answer(
            id="", question=ask.question, standalone_question=question.standalone, status="answered", answer=text,
            short_answer=compose.short_answer(sentences, chosen[0].best, value.span if value else None)
            if not chosen[0].written else None,
            sentences=sentences, citations=citations, disagreements=differ, as_of=compose.as_of(citations),
            confidence=round(confidence, 4), abstention=None, suggestions=self._suggest(sought, chosen),
            corpus=self.corpus, composer_used="llm" if llm is not None and llm[1] else "extractive",
            llm=llm[0] if llm is not None else None,
        )  # fmt: skip

    def _ask_llm(
        self, ask: Ask, question: Question, evidence: Sequence[Evidence]
    ) -> tuple[LLMReport, list[compose.Chosen]]:
        """What became of asking the language model, and the sentences that it chose or wrote, if it did."""
        offered = {str(e.claim.row): e for e in evidence[:_OFFERED]}
        candidates = [Candidate(i, e.claim.text) for i, e in offered.items()]
        composed = self._llm.compose(question.standalone, candidates, ask.max_sentences)
        chosen = [compose.Chosen(offered[i]) for i in composed.chosen]
        for sentence in composed.written:
            first, *more = (offered[i] for i in sentence.ids)
            chosen.append(compose.Chosen(first, tuple(more), sentence.text))
        return composed.report, chosen

    def _known(self, sought: _Sought) -> list[tuple[Known, float]]:
        """The confirmed differences on what is asked, between sources that may answer, with how close they are."""
        question, query = sought.question, sought.vector
        allowed = sought.allowed & (question.sources or frozenset(self.documents))
        found = []
        for known, about in zip(self._index.differences, self._abouts, strict=True):
            fit = float(query @ about)
            left = known.between(allowed)
            if left and fit >= _ON_SUBJECT and asks_the_same(question.kind, kind_of(known.about)):
                found.append((left, fit))
        return found

    def _passage_id(self, row: int) -> str:
        return self._passage_of[row].id

    def _suggest(self, sought: _Sought, chosen: Sequence[compose.Chosen]) -> tuple[str, ...]:
        cited = [c.best.claim for c in chosen]
        rows = dict.fromkeys(
            row
            for claim in cited
            for row in sorted(self._rows[self._passage_of[claim.row].id], key=lambda r: abs(r - claim.row))
        )
        near = [self.claims.all[row] for row in rows]
        return suggest_foreseen(sought.vector, cited, near, self._foresight) or suggest(
            sought.question, cited, near, self.claims, self.names, self._answerable
        )

    def _answerable(self, text: str) -> bool:
        """Whether the corpus answers a suggested question, by the judge that needs no reader; remembered."""
        if text not in self._suggestable:
            sought = self._seek(self._understand(Ask(text)), frozenset(self.documents))
            evidence = self._weigh(sought, self._retrieve(sought, _CANDIDATES)[:DEPTH])
            judge = self._load_judge(reader=False)
            self._suggestable[text] = (
                self._judged(sought, evidence, judge).confidence(judge) >= judge.threshold
            )
        return self._suggestable[text]

    def _why_not(self, sought: _Sought, evidence: Sequence[Evidence], confidence: float) -> Reason | None:
        question = sought.question
        if question.refusal is not None:
            return question.refusal
        if not evidence or max(e.features["cosine"] for e in evidence) < 0.25:
            return "off_topic"
        if confidence < self._judge.threshold:
            if is_about_now(question.standalone):
                return "after_corpus"
            return "false_premise" if sought.near.contradicted >= _CONTRADICTED else "not_in_corpus"
        return "false_premise" if false_premise(question, evidence) else None

    def _abstain(
        self, ask: Ask, question: Question, evidence: Sequence[Evidence], reason: Reason, confidence: float
    ) -> Answer:
        nearest = () if reason in {"off_topic", "unclear", "unsupported_language"} else evidence[:3]
        citations = tuple(
            compose.cite(self.documents[e.claim.document_id], e.claim.index, e.passage_id, number)
            for number, e in enumerate(nearest, 1)
        )
        message = compose.MESSAGES[reason].format(last=self.corpus.issued_to)
        return Answer(
            id="", question=ask.question, standalone_question=question.standalone, status="abstained",
            answer=compose.NO_ANSWER, short_answer=None, sentences=(), citations=(), disagreements=(),
            as_of=compose.as_of(citations), confidence=round(confidence, 4),
            abstention=Abstention(reason, message, citations), suggestions=(), corpus=self.corpus,
        )  # fmt: skip


class _Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = round((time.perf_counter() - start) * 1000, 3)


def _finish(answer: Answer, ask: Ask, hits: Sequence[Hit], clock: _Clock) -> Answer:
    """The answer with its id, which is the same for the same question and corpus, and what was asked to be shown."""
    # What is shown beside an answer does not make it another one.
    same = replace(ask, passages=False, timings=False)
    said = json.dumps([asdict(same), answer.corpus.fingerprint], sort_keys=True)
    total = round(sum(clock.timings.values()), 3)
    return replace(
        answer,
        id=hashlib.sha256(said.encode()).hexdigest()[:16],
        passages=tuple(hits) if ask.passages else None,
        timings={**clock.timings, "total": total} if ask.timings else None,
    )


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


def _corpus_info(index: Index) -> CorpusInfo:
    issued = sorted(d.source.issued for d in index.documents.values())
    return CorpusInfo(index.manifest.corpus_fingerprint[:16], len(index.documents), issued[0], issued[-1])


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


def open_engine(
    settings: Settings,
    without: frozenset[str] = frozenset(),
    encoder: QueryEncoder | None = None,
    *,
    compare: bool = True,
) -> Engine:
    """Open the current index and return an engine over it; the arguments are those of `open_index`.

    Raises:
        IndexMissing, IndexStale, IndexDamaged, ModelError: each with what to run.
    """
    return Engine(open_index(settings, encoder, compare=compare), settings, without)
