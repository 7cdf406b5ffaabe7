"""ask(question) -> Answer: the five stages, in order."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from nkqa import compose
from nkqa.asking import is_about_now
from nkqa.differ import difference, false_premise, values_in
from nkqa.differences import Known
from nkqa.errors import NotFound
from nkqa.evidence import Claims, Evidence, Weighed
from nkqa.index import Index, open_index
from nkqa.llm import Candidate, LanguageModel
from nkqa.names import Gazetteer
from nkqa.protocols import QueryEncoder
from nkqa.question import Question, check_text
from nkqa.raised import Beside, Confirmed
from nkqa.search import DEPTH, Searcher, Sought
from nkqa.settings import Settings
from nkqa.suggest import suggest, suggest_foreseen
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

NO_FILTERS = Filters()
_OFFERED = 12
"""Sentences that a language model is offered."""
_CONTRADICTED = 0.5
"""Weight of foreseen questions that take something wrong for granted, from which an abstention says so."""


@dataclass(frozen=True, slots=True)
class Understood:
    """First stage of a stream: the question as understood."""

    question: Question


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Second stage of a stream: the passages that were found."""

    hits: tuple[Hit, ...]


Stage = Understood | Retrieved | Answer


class Engine:
    """Answers questions from one opened index. Safe to share between threads."""

    def __init__(self, index: Index, settings: Settings, without: frozenset[str] = frozenset()) -> None:
        """Make ready what every question needs.

        Raises:
            ValueError: `without` names no stage.
        """
        self._index = index
        self._searcher = Searcher(index, settings, without)
        self.settings = settings
        self.manifest: IndexManifest = index.manifest
        self.documents: Mapping[str, Document] = index.documents
        self.passages: Sequence[Passage] = index.passages
        self.names: Gazetteer = index.names
        self.claims: Claims = self._searcher.claims
        self.corpus = _corpus_info(index)
        self._suggestable: dict[str, bool] = {}
        self.differences: Sequence[Known] = index.differences
        self._confirmed = Confirmed(index, self._searcher)
        self._llm = LanguageModel(settings, index.names, self._similarity)

    # --- looking things up -----------------------------------------------------------------------------

    def document(self, document_id: str) -> Document:
        """Return a document by id.

        Raises:
            NotFound: there is none.
        """
        return self._searcher.document(document_id)

    def passage(self, passage_id: str) -> Passage:
        """Return a passage by id.

        Raises:
            NotFound: there is none.
        """
        if passage_id not in self._searcher.position:
            raise NotFound(f"no passage has the id {passage_id!r}; ids look like {self.passages[0].id!r}")
        return self.passages[self._searcher.position[passage_id]]

    def neighbours(self, passage: Passage) -> tuple[Passage | None, Passage | None]:
        """Return the passages before and after in the same document, None at its ends."""
        at = self._searcher.position[passage.id]
        around = (self.passages[i] if 0 <= i < len(self.passages) else None for i in (at - 1, at + 1))
        before, after = (p if p and p.document_id == passage.document_id else None for p in around)
        return before, after

    def cite(self, document_id: str, sentence: int, number: int = 0) -> Citation:
        """Return the citation of a document's sentence, counted from 0."""
        document = self.document(document_id)
        passage = self._searcher.passage_of[self._index.first_row[document_id] + sentence]
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
            question = self._searcher.understand(ask)
            allowed = self._searcher.allowed(ask.filters)
        yield Understood(question)
        with clock.stage("retrieve"):
            sought = self._searcher.seek(question, allowed)
            hits = self._searcher.find(sought, DEPTH)
        yield Retrieved(tuple(hits))
        with clock.stage("read"):
            weighed = self._searcher.read_parts(sought, self._searcher.read(sought, hits))
        with clock.stage("compose"):
            answer = self._compose(ask, sought, weighed)
        yield _finish(answer, ask, hits, clock)

    def search(self, question: str, k: int = 10, filters: Filters = NO_FILTERS) -> list[Hit]:
        """Return the `k` best passages, best first.

        Raises:
            BadQuestion: the text cannot be searched for.
            NotFound: a filter names a source that does not exist.
        """
        asked = self._searcher.understand(Ask(check_text(question)))
        return self._searcher.find(self._searcher.seek(asked, self._searcher.allowed(filters)), k)

    def evidence(self, ask: Ask, exclude: frozenset[str] = frozenset()) -> Weighed:
        """Return the question as understood and the sentences that bear on it, best first, whether they answer or not.

        Documents whose ids are in `exclude` are left out.
        """
        sought = self._searcher.seek(
            self._searcher.understand(ask), self._searcher.allowed(ask.filters) - exclude
        )
        return self._searcher.read(sought, self._searcher.find(sought, DEPTH))

    def beside(self, ask: Ask) -> list[Beside]:
        """Return the confirmed differences, with what tells whether a question asks for one."""
        sought = self._searcher.seek(self._searcher.understand(ask), self._searcher.allowed(ask.filters))
        weighed = self._searcher.read(sought, self._searcher.find(sought, DEPTH))
        return self._confirmed.beside(sought, weighed.evidence)

    def ranked(
        self, question: str, k: int = 5, exclude: frozenset[str] = frozenset()
    ) -> list[tuple[str, int, float]]:
        """Return the `k` best sentences as document id, position in it and score, whether they answer or not."""
        evidence = self.evidence(Ask(question), exclude).evidence
        return [(e.claim.document_id, e.claim.index, e.score) for e in evidence[:k]]

    def confidence(self, question: str, exclude: frozenset[str] = frozenset()) -> float:
        """Return the probability, 0 to 1, that the documents, some excluded, answer the question."""
        return self.evidence(Ask(question), exclude).confidence(self._searcher.judge)

    def close(self) -> None:
        """Let go of the index's files."""
        self._index.close()

    # --- the stages ------------------------------------------------------------------------------------

    def _compose(self, ask: Ask, sought: Sought, weighed: Weighed) -> Answer:
        question, evidence = weighed.question, weighed.evidence
        confidence = weighed.confidence(self._searcher.judge)
        if reason := self._why_not(sought, evidence, confidence):
            return self._abstain(ask, question, evidence, reason, confidence)
        vectors = self._index.sentence_vectors
        answered, unanswered = weighed.answered_parts(self._searcher.judge)
        values = values_in(question, evidence, self.names)
        chosen = compose.choose_for_each(
            [(part, values_in(part.question, part.evidence, self.names)) for part in answered]
            or [(weighed, values)],
            vectors,
            ask.max_sentences,
        )
        differing = self._confirmed.raised(sought, evidence) or difference(
            values, vectors, self._confirmed.compared
        )
        heard = max(1, len(question.sources))
        chosen = compose.with_sides(chosen, differing, heard)[: ask.max_sentences]
        if question.kind != "compare":
            chosen = compose.in_order(chosen)
        llm = self._ask_llm(ask, question, evidence) if ask.composer == "llm" else None
        if llm is not None and llm[1]:
            chosen = llm[1]
        text, sentences, citations = compose.assemble(chosen, self.documents, self._passage_id)
        differ = compose.disagreements(differing, citations)
        text = " ".join([text, *compose.remarks(differ, unanswered)])
        best = chosen[0].best
        value = next((v.span for v in values if v.evidence is best), None)
        foreseen = self._searcher.foresight.words_in(
            best.claim.row, best.claim.text, question.kind, sought.vector
        )
        return Answer(
            id="", question=ask.question, standalone_question=question.standalone, status="answered", answer=text,
            short_answer=compose.short_answer(sentences, best, foreseen, value) if not chosen[0].written else None,
            sentences=sentences, citations=citations, disagreements=differ, as_of=compose.as_of(citations),
            confidence=round(confidence, 4), abstention=None, suggestions=self._suggest(sought, chosen),
            corpus=self.corpus, unanswered=unanswered, llm=llm[0] if llm is not None else None,
            composer_used="llm" if llm is not None and llm[1] else "extractive",
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

    def _passage_id(self, row: int) -> str:
        return self._searcher.passage_of[row].id

    def _suggest(self, sought: Sought, chosen: Sequence[compose.Chosen]) -> tuple[str, ...]:
        cited = [c.best.claim for c in chosen]
        rows = dict.fromkeys(
            row
            for claim in cited
            for row in sorted(
                self._searcher.rows[self._searcher.passage_of[claim.row].id], key=lambda r: abs(r - claim.row)
            )
        )
        near = [self.claims.all[row] for row in rows]
        return suggest_foreseen(sought.vector, cited, near, self._searcher.foresight, self.names) or suggest(
            sought.question, cited, near, self.claims, self.names, self._answerable
        )

    def _answerable(self, text: str) -> bool:
        """Whether the corpus answers a suggested question, by the judge that needs no reader; remembered."""
        if text not in self._suggestable:
            self._suggestable[text] = self._searcher.answerable(text)
        return self._suggestable[text]

    def _why_not(self, sought: Sought, evidence: Sequence[Evidence], confidence: float) -> Reason | None:
        question = sought.question
        if question.refusal is not None:
            return question.refusal
        if not evidence or max(e.features["cosine"] for e in evidence) < 0.25:
            return "off_topic"
        if confidence < self._searcher.judge.threshold:
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


def _corpus_info(index: Index) -> CorpusInfo:
    issued = sorted(d.source.issued for d in index.documents.values())
    return CorpusInfo(index.manifest.corpus_fingerprint[:16], len(index.documents), issued[0], issued[-1])


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
