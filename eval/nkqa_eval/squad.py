"""SQuAD 1.1 and 2.0 through the same pipeline: paragraphs are documents, answer spans are nuggets.

Rajpurkar et al., EMNLP 2016 (arXiv 1606.05250) and ACL 2018 (arXiv 1806.03822). SQuAD hands the paragraph to
the reader; here it has to be found among all paragraphs of the file first.
"""

import re
import string
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ValidationError

from nkqa.errors import BadQuestion
from nkqa.types import Answer, Ask, Document, Source
from nkqa_eval.bootstrap import Estimate, Part, ratio_interval, statistic_interval
from nkqa_eval.calibration import auroc
from nkqa_eval.measures import percentile
from nkqa_eval.nuggets import answer_text, first_words
from nkqa_eval.questions import QuestionError
from nkqa_eval.report import Conditions, Latency, interval
from nkqa_eval.run import each, spread

DEPTHS = (1, 3, 5)
ISSUED = {"1.1": "2016-06-16", "v1.1": "2016-06-16"}
ISSUED_2 = "2018-06-11"


class _Span(BaseModel):
    text: str
    answer_start: int


class _Asked(BaseModel):
    id: str
    question: str
    answers: list[_Span] = []
    is_impossible: bool = False


class _Paragraph(BaseModel):
    context: str
    qas: list[_Asked]


class _Article(BaseModel):
    title: str
    paragraphs: list[_Paragraph]


class _File(BaseModel):
    version: str = ""
    data: list[_Article]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph that becomes a document of its own, under the title of its article."""

    id: str
    title: str
    text: str
    issued: str


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question on a paragraph; no answers where the paragraph holds none. `answers` are text and offset."""

    id: str
    question: str
    paragraph: str
    answers: tuple[tuple[str, int], ...]

    @property
    def answerable(self) -> bool:
        """Say whether the paragraph answers it."""
        return bool(self.answers)


class SquadEngine(Protocol):
    """The part of `nkqa.engine.Engine` that is measured here."""

    @property
    def documents(self) -> Mapping[str, Document]:
        """Return the documents by id."""
        ...

    def ask(self, ask: Ask) -> Answer:
        """Answer or abstain."""
        ...

    def ranked(self, question: str, k: int = ...) -> list[tuple[str, int, float]]:
        """Return document, position of the sentence and score of the `k` best sentences, best first."""
        ...

    def confidence(self, question: str, exclude: frozenset[str] = ...) -> float:
        """Return the probability that the documents not excluded answer the question."""
        ...


@dataclass(frozen=True, slots=True)
class SquadRow:
    """One question with what came back; `hits` and `texts` say of each ranked sentence whether it answers."""

    id: str
    question: str
    paragraph: str
    answerable: bool
    status: str
    right: bool
    hits: tuple[bool, ...]
    texts: tuple[bool, ...]
    short_exact: float | None
    short_f1: float | None
    confidence: float
    removed: float | None
    milliseconds: float


@dataclass(frozen=True, slots=True)
class SquadReport:
    """The measures over a SQuAD file, each described in `DEFINITIONS`."""

    conditions: Conditions
    paragraphs: int
    answerable: int
    unanswerable: int
    measures: dict[str, Estimate]
    latency: Latency
    rows: tuple[SquadRow, ...]


DEFINITIONS = {
    "sentence_hit": "answerable questions whose gold sentence, in the gold paragraph, is among the best k",
    "text_hit": "answerable questions with a gold answer's words in one of the best k sentences",
    "answer_accuracy": "answerable questions with a gold answer's words in the first 100 words of the answer",
    "answer_rate": "answerable questions that were answered",
    "short_answer_exact": "short answers equal to a gold answer, of those given (SQuAD's exact match)",
    "short_answer_f1": "words that short answer and gold answer share, of those given (SQuAD's F1)",
    "abstention_recall": "unanswerable questions that were abstained from",
    "abstention_precision": "abstentions on unanswerable questions, among all",
    "auroc_near_miss": "chance of more confidence in an answerable question than in an unanswerable one",
    "auroc_removed": "chance of more confidence in an answerable question than in one without its paragraph",
}


def read_squad(path: Path) -> tuple[list[Paragraph], list[SquadQuestion]]:
    """Read the paragraphs and the questions of a SQuAD file.

    Raises:
        QuestionError: the file is missing or is not in SQuAD's format.
    """
    try:
        file = _File.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise QuestionError(f"no SQuAD file at {path}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise QuestionError(f"{path} is not a SQuAD file: {where}: {first['msg']}") from error
    issued = ISSUED.get(file.version, ISSUED_2)
    paragraphs: list[Paragraph] = []
    questions: list[SquadQuestion] = []
    for article in file.data:
        title = article.title.replace("_", " ")
        for paragraph in article.paragraphs:
            name = f"p{len(paragraphs):05d}"
            paragraphs.append(Paragraph(name, title, paragraph.context, issued))
            questions += [
                SquadQuestion(
                    asked.id,
                    asked.question.strip(),
                    name,
                    () if asked.is_impossible else tuple((a.text, a.answer_start) for a in asked.answers),
                )
                for asked in paragraph.qas
                if asked.question.strip() and (asked.is_impossible or asked.answers)
            ]
    return paragraphs, questions


def source_of(paragraph: Paragraph) -> Source:
    """Return a source for a paragraph, so that it can be a document."""
    return Source(
        id=paragraph.id,
        type="entry-encyclopedia",
        title=paragraph.title,
        author=(),
        publisher="Wikipedia, by way of SQuAD",
        container_title="",
        issued=paragraph.issued,
        URL=None,
        language="en",
        perspective="outside-analyst",
        locator="paragraph",
        rights="CC BY-SA",
    )


def sample(questions: Sequence[SquadQuestion], limit: int | None) -> list[SquadQuestion]:
    """Return at most `limit` answerable and as many unanswerable questions, taken at equal distances."""
    return [
        *spread([question for question in questions if question.answerable], limit),
        *spread([question for question in questions if not question.answerable], limit),
    ]


def run_squad(
    engine: SquadEngine,
    paragraphs: Sequence[Paragraph],
    questions: Sequence[SquadQuestion],
    conditions: Conditions,
    jobs: int = 1,
    progress: bool = False,
) -> SquadReport:
    """Ask every question for an answer, for ranked sentences, and with its paragraph taken out."""
    texts = {paragraph.id: paragraph.text for paragraph in paragraphs}
    rows = each(lambda question: ask_one(engine, question, texts), questions, jobs, progress)
    times = [row.milliseconds for row in rows]
    return SquadReport(
        conditions,
        len(paragraphs),
        sum(row.answerable for row in rows),
        sum(not row.answerable for row in rows),
        squad_measures(rows),
        Latency(percentile(times, 50) or 0.0, percentile(times, 95) or 0.0, max(times, default=0.0)),
        tuple(rows),
    )


def ask_one(engine: SquadEngine, question: SquadQuestion, texts: Mapping[str, str]) -> SquadRow:
    """Ask one question and judge what comes back."""
    started = time.perf_counter()
    try:
        answer = engine.ask(Ask(question.question))
    except BadQuestion:
        answer = None
    milliseconds = (time.perf_counter() - started) * 1000
    status = answer.status if answer else "error"
    words = first_words(answer_text(answer)) if answer else ""
    short = answer.short_answer.text if answer and answer.short_answer else None
    golds = [text for text, _ in question.answers]
    ranked = engine.ranked(question.question, max(DEPTHS)) if question.answerable and answer else []
    places = [(engine.documents[name], position) for name, position, _ in ranked]
    return SquadRow(
        question.id,
        question.question,
        question.paragraph,
        question.answerable,
        status,
        any(holds(words, gold) for gold in golds),
        tuple(covers(document, position, question, texts) for document, position in places),
        tuple(
            any(holds(_sentence(document, position), gold) for gold in golds) for document, position in places
        ),
        max(float(normal(short) == normal(gold)) for gold in golds) if short is not None and golds else None,
        max(overlap_f1(short, gold) for gold in golds) if short is not None and golds else None,
        engine.confidence(question.question) if answer else 0.0,
        (
            engine.confidence(question.question, frozenset({question.paragraph}))
            if question.answerable and answer
            else None
        ),
        milliseconds,
    )


def covers(document: Document, position: int, question: SquadQuestion, texts: Mapping[str, str]) -> bool:
    """Say whether a sentence is the one that a gold answer stands in: right paragraph, right place.

    Where the document does not hold the paragraph letter for letter, the answer's words decide.
    """
    if document.id != question.paragraph:
        return False
    sentence = document.sentences[position]
    shift = document.text.find(texts[question.paragraph])
    if shift < 0:
        return any(holds(_sentence(document, position), text) for text, _ in question.answers)
    return any(
        sentence.start < shift + start + len(text) and shift + start < sentence.end
        for text, start in question.answers
    )


def squad_measures(rows: Sequence[SquadRow]) -> dict[str, Estimate]:
    """Return every measure of `DEFINITIONS` that the rows allow; paragraphs are resampled whole."""
    answerable = [row for row in rows if row.answerable]

    def mean(of: Sequence[tuple[SquadRow, float]]) -> Estimate | None:
        return ratio_interval([Part(row.paragraph, value, 1) for row, value in of])

    found: dict[str, Estimate | None] = {}
    for k in DEPTHS:
        found[f"sentence_hit_at_{k}"] = mean([(row, float(any(row.hits[:k]))) for row in answerable])
        found[f"text_hit_at_{k}"] = mean([(row, float(any(row.texts[:k]))) for row in answerable])
    found["answer_accuracy"] = mean([(row, float(row.right)) for row in answerable])
    found["answer_rate"] = mean([(row, float(row.status == "answered")) for row in answerable])
    found["short_answer_exact"] = mean([(r, r.short_exact) for r in rows if r.short_exact is not None])
    found["short_answer_f1"] = mean([(row, row.short_f1) for row in rows if row.short_f1 is not None])
    found["abstention_recall"] = mean(
        [(row, float(row.status != "answered")) for row in rows if not row.answerable]
    )
    found["abstention_precision"] = mean(
        [(row, float(not row.answerable)) for row in rows if row.status != "answered"]
    )
    groups = [row.paragraph for row in rows]
    found["auroc_near_miss"] = statistic_interval(
        rows,
        groups,
        lambda some: auroc(
            [row.confidence for row in some if row.answerable],
            [row.confidence for row in some if not row.answerable],
        ),
        resamples=500,
    )
    found["auroc_removed"] = statistic_interval(
        rows,
        groups,
        lambda some: auroc(
            [row.confidence for row in some if row.answerable],
            [row.removed for row in some if row.removed is not None],
        ),
        resamples=500,
    )
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def squad_table(report: SquadReport) -> str:
    """Return the measures as aligned text."""
    what = report.conditions
    lines = [
        f"{what.set}: {report.paragraphs} paragraphs, {report.answerable} answerable and "
        f"{report.unanswerable} unanswerable questions, {what.commit}",
        "",
    ]
    lines += [f"  {name:<24}{interval(e):<26}n={e.n}" for name, e in report.measures.items()]
    taken = report.latency
    return "\n".join([*lines, f"  milliseconds an answer  p50 {taken.p50:.1f}, p95 {taken.p95:.1f}"])


def holds(text: str, gold: str) -> bool:
    """Say whether the words of a gold answer stand in `text`, one after another, as SQuAD compares words."""
    wanted = normal(gold) or gold.strip().casefold()
    return f" {wanted} " in f" {normal(text)} " if normal(gold) else wanted in text.casefold()


def normal(text: str) -> str:
    """Return SQuAD's normal form: lower case, no punctuation, no articles, single blanks."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def overlap_f1(given: str, gold: str) -> float:
    """Return SQuAD's F1 of two texts, over their words in normal form."""
    one, other = normal(given).split(), normal(gold).split()
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if one and other else float(one == other)


def _sentence(document: Document, position: int) -> str:
    sentence = document.sentences[position]
    return document.text[sentence.start : sentence.end]
