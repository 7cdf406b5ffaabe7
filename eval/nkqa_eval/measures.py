"""Every measure of an answer, each with its definition and its source: ratios of two sums over questions.

A mean is the ratio with denominators of one; a rate counts only the questions that it is about; F1 is
2TP / (2TP + FP + FN). So one bootstrap serves all. The docstring of a measure is what the report prints.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from nkqa_eval.bootstrap import Estimate, Part, ratio_interval, statistic_interval
from nkqa_eval.calibration import auroc, calibration_error
from nkqa_eval.row import Row

Better = Literal["higher", "lower", "neither"]
Parts = Callable[[Sequence[Row]], list[Part]]
Fraction = tuple[float, float]
OfRow = Callable[[Row], Fraction | None]
OfPair = Callable[[Row, Row], float | None]
OfRows = Callable[[Sequence[Row]], float | None]


@dataclass(frozen=True, slots=True)
class Measure:
    """A named ratio of sums; `section` is the heading that it is shown under."""

    name: str
    section: str
    better: Better
    definition: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Statistic:
    """A named figure that is no ratio of sums: an area under a curve, a calibration error, a median.

    `counts` says which rows it rests on.
    """

    name: str
    section: str
    better: Better
    definition: str
    of: OfRows
    counts: Callable[[Row], bool]


MEASURES: dict[str, Measure | Statistic] = {}


def per_question(section: str, better: Better = "higher") -> Callable[[OfRow], OfRow]:
    """Register a measure by what one question adds to numerator and denominator; None adds nothing."""

    def register(of: OfRow) -> OfRow:
        def parts(rows: Sequence[Row]) -> list[Part]:
            added = ((row.group, of(row)) for row in rows)
            return [Part(group, *fraction) for group, fraction in added if fraction is not None]

        MEASURES[of.__name__] = Measure(of.__name__, section, better, _definition(of), parts)
        return of

    return register


def over_pairs(section: str) -> Callable[[OfPair], OfPair]:
    """Register a mean over the symmetry pairs; None leaves a pair out."""

    def register(of: OfPair) -> OfPair:
        def parts(rows: Sequence[Row]) -> list[Part]:
            values = ((first.group, of(first, second)) for first, second in symmetry_pairs(rows))
            return [Part(group, value, 1) for group, value in values if value is not None]

        MEASURES[of.__name__] = Measure(of.__name__, section, "higher", _definition(of), parts)
        return of

    return register


def statistic(
    section: str, better: Better, counts: Callable[[Row], bool] = lambda _: True
) -> Callable[[OfRows], OfRows]:
    """Register a statistic of all rows that rests on those for which `counts` holds."""

    def register(of: OfRows) -> OfRows:
        MEASURES[of.__name__] = Statistic(of.__name__, section, better, _definition(of), of, counts)
        return of

    return register


def measure_all(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Return every measure that can be taken of these rows, with its 95% bootstrap interval."""
    estimates: dict[str, Estimate] = {}
    for name, measure in MEASURES.items():
        if isinstance(measure, Measure):
            estimate = ratio_interval(measure.parts(rows))
        else:
            estimate = statistic_interval(rows, [row.group for row in rows], measure.of)
            if estimate is not None:
                estimate = replace(estimate, n=sum(map(measure.counts, rows)))
        if estimate is not None:
            estimates[name] = estimate
    return estimates


def symmetry_pairs(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield every two questions that differ only by swapped parties or names of a place."""
    members: dict[str, list[Row]] = {}
    for row in rows:
        if row.symmetry:
            members.setdefault(row.symmetry, []).append(row)
    for group in members.values():
        yield from combinations(group, 2)


def _definition(of: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(of) or "").split())


# Answers


@per_question("Answers")
def answer_accuracy(row: Row) -> Fraction | None:
    """Answerable questions for which the first 100 words of the answer hold as many nuggets as are needed.

    Nuggets as in AutoNuggetizer (Pradeep et al., arXiv 2411.09607), matched by regular expressions instead of
    a language model. An abstention counts zero.
    """
    return (float(row.right), 1) if row.answerable else None


@per_question("Answers")
def nugget_recall(row: Row) -> Fraction | None:
    """Mean share of all gold nuggets that the whole answer holds, over answerable questions.

    AutoNuggetizer's strict score, with every nugget vital. An abstention counts zero.
    """
    return (sum(row.nuggets_found) / len(row.nuggets_found), 1) if row.answerable else None


@per_question("Answers")
def selective_accuracy(row: Row) -> Fraction | None:
    """Right answers among the answers given to answerable and unanswerable questions alike.

    LitQA2's precision (Skarlinski et al., arXiv 2409.13740).
    """
    return (float(row.right), 1) if row.status == "answered" else None


@per_question("Answers")
def short_answer_accuracy(row: Row) -> Fraction | None:
    """Short answers that hold a nugget, among those given to answerable questions. nkqa's own."""
    return None if row.short_right is None else (float(row.short_right), 1)


@per_question("Answers")
def truthfulness(row: Row) -> Fraction | None:
    """Mean of 1 for a right answer or a right abstention, 0 for a needless abstention, -1 for a wrong answer.

    CRAG (Yang et al., arXiv 2406.04744), without its half point for acceptable answers; an answer to an
    unanswerable question is a wrong one. An error is an abstention here.
    """
    if row.met:
        return 1, 1
    return (-1, 1) if row.status == "answered" else (0, 1)


@statistic("Answers", "neither", lambda row: row.status == "answered")
def median_words(rows: Sequence[Row]) -> float | None:
    """Median length of the answers given, in words."""
    return percentile([row.words for row in rows if row.status == "answered"], 50)


# Abstention


@per_question("Abstention")
def abstention_precision(row: Row) -> Fraction | None:
    """Right abstentions among all abstentions (as in UAEval4RAG, Peng et al., arXiv 2412.12300)."""
    return None if row.status == "answered" else (float(not row.answerable), 1)


@per_question("Abstention")
def abstention_recall(row: Row) -> Fraction | None:
    """Unanswerable questions that were abstained from (UAEval4RAG's unanswered ratio)."""
    return None if row.answerable else (float(row.status != "answered"), 1)


@per_question("Abstention")
def abstention_f1(row: Row) -> Fraction | None:
    """Harmonic mean of the two: 2TP / (2TP + FP + FN), where a right abstention is a true positive."""
    refused = row.status != "answered"
    if not refused and row.answerable:
        return None
    hit = refused and not row.answerable
    return (2, 2) if hit else (0, 1)


@per_question("Abstention")
def answer_rate(row: Row) -> Fraction | None:
    """Answerable questions that were answered, rightly or not: what abstaining costs."""
    return (float(row.status == "answered"), 1) if row.answerable else None


@per_question("Abstention")
def reason_accuracy(row: Row) -> Fraction | None:
    """Right abstentions that give an acceptable reason. nkqa's own."""
    if row.answerable or row.status != "abstained":
        return None
    return float(row.reason in row.accepted_reasons), 1


@per_question("Abstention")
def after_corpus_abstention(row: Row) -> Fraction | None:
    """Questions on what came after the last source that were abstained from. nkqa's own."""
    return (float(row.status != "answered"), 1) if row.type == "after_corpus" else None


# Confidence


@statistic("Confidence", "higher")
def auroc_answerable(rows: Sequence[Row]) -> float | None:
    """Chance that an answerable question has more confidence than an unanswerable one (area under ROC)."""
    return auroc(
        [row.confidence for row in rows if row.answerable],
        [row.confidence for row in rows if not row.answerable],
    )


@statistic("Confidence", "higher", lambda row: row.status == "answered")
def auroc_right(rows: Sequence[Row]) -> float | None:
    """Chance that a right answer has more confidence than a wrong one, among the answers given."""
    given = [row for row in rows if row.status == "answered"]
    return auroc(
        [row.confidence for row in given if row.right], [row.confidence for row in given if not row.right]
    )


@statistic("Confidence", "lower")
def expected_calibration_error(rows: Sequence[Row]) -> float | None:
    """Mean distance between confidence and the share of questions that are answerable, over ten bins.

    Guo et al., ICML 2017, arXiv 1706.04599. Confidence claims to be the probability that the sources answer.
    """
    return calibration_error([row.confidence for row in rows], [row.answerable for row in rows])


@per_question("Confidence", "lower")
def brier_score(row: Row) -> Fraction | None:
    """Mean square of confidence less 1 where the question is answerable, less 0 where not (Brier 1950)."""
    return (row.confidence - row.answerable) ** 2, 1


# Citations


@per_question("Citations")
def verbatim_rate(row: Row) -> Fraction | None:
    """Sentences of answers that stand word for word in a document at the offsets they cite; must be 1.

    nkqa's own, after the guarantee of verbatim-rag (KRLabsOrg).
    """
    return None if row.checked is None else (row.checked.verbatim, row.checked.sentences)


@per_question("Citations")
def locator_validity(row: Row) -> Fraction | None:
    """Citations whose document, offsets, hash, source and place all hold; must be 1. nkqa's own."""
    return None if row.checked is None else (row.checked.valid, row.checked.citations)


@per_question("Citations")
def right_source(row: Row) -> Fraction | None:
    """Answers to answerable questions that cite one of the right sources. nkqa's own."""
    return None if row.right_source is None else (float(row.right_source), 1)


@per_question("Citations")
def right_place(row: Row) -> Fraction | None:
    """Answers to answerable questions that cite a gold page, footnote, moment or paragraph. nkqa's own."""
    return None if row.right_place is None else (float(row.right_place), 1)


@per_question("Citations")
def citation_recall(row: Row) -> Fraction | None:
    """Mean over answers of the share of sentences that what they cite entails.

    ALCE (Gao et al., arXiv 2305.14627), with entailment by word-for-word containment or by gold nuggets
    instead of a language model: 1 by construction for sentences that were cut.
    """
    if row.checked is None or row.checked.recall is None:
        return None
    return row.checked.recall, 1


@per_question("Citations")
def citation_precision(row: Row) -> Fraction | None:
    """Mean over answers of the share of citations that support their sentence, entailment as in recall.

    ALCE. A lower bound: a second source that agrees in other words counts only where gold nuggets show it.
    """
    if row.checked is None or row.checked.precision is None:
        return None
    return row.checked.precision, 1


@per_question("Citations")
def as_of_correctness(row: Row) -> Fraction | None:
    """Answers whose dates are the first and last dates of issue of the sources they cite; nkqa's own."""
    return None if row.as_of_right is None else (float(row.as_of_right), 1)


# Disagreements


@per_question("Disagreements and balance")
def disagreement_recall(row: Row) -> Fraction | None:
    """Questions on which the sources differ whose answer sets at least two of the gold values apart.

    nkqa's own, after CONFLICTS (Cattan et al., arXiv 2506.08500). An abstention counts zero.
    """
    return None if row.conflict_recalled is None else (float(row.conflict_recalled), 1)


@per_question("Disagreements and balance", "lower")
def false_conflict_rate(row: Row) -> Fraction | None:
    """Answers that show a disagreement, among answers to questions for which gold names none."""
    if row.status != "answered" or row.conflict is not None:
        return None
    return float(bool(row.disagreements)), 1


@per_question("Disagreements and balance", "lower")
def invented_conflict_rate(row: Row) -> Fraction | None:
    """As the false-conflict rate, counting only disagreements that are no gold group at all.

    The difference between the two are true disagreements shown where they were not asked for.
    """
    if row.status != "answered" or row.conflict is not None:
        return None
    return float(bool(row.disagreements) and not row.conflict_known), 1


@over_pairs("Disagreements and balance")
def symmetry_passages(first: Row, second: Row) -> float | None:
    """Mean share of cited passages that a symmetry pair has in common (Jaccard).

    Pairs that swap the parties or the names of a place, after BordIRLines (Li et al., arXiv 2410.01171).
    Pairs of which both were abstained from are left out.
    """
    if first.status != "answered" and second.status != "answered":
        return None
    one, other = ({cited.passage for cited in row.cited} for row in (first, second))
    return len(one & other) / len(one | other) if one | other else 1.0


@over_pairs("Disagreements and balance")
def symmetry_figures(first: Row, second: Row) -> float | None:
    """Symmetry pairs whose answers give the same figures; pairs abstained from altogether are left out."""
    if first.status != "answered" and second.status != "answered":
        return None
    return float(first.figures == second.figures)


@over_pairs("Disagreements and balance")
def symmetry_abstention(first: Row, second: Row) -> float | None:
    """Symmetry pairs of which both were answered or both abstained from."""
    return float((first.status == "answered") == (second.status == "answered"))


# Retrieval


def _retrieval(name: str, slug: str, words: str) -> None:
    def value(row: Row) -> Fraction | None:
        return (row.retrieval[name], 1) if row.retrieval is not None and name in row.retrieval else None

    value.__name__ = slug
    value.__doc__ = words
    per_question("Retrieval")(value)


for _k in (1, 5, 10):
    _retrieval(
        f"R@{_k}", f"recall_at_{_k}", f"Relevant passages that are among the best {_k} (ir-measures R@{_k})."
    )
for _k in (1, 5):
    _retrieval(
        f"Success@{_k}",
        f"success_at_{_k}",
        f"Questions with a relevant passage among the best {_k} (ir-measures Success@{_k}).",
    )
_retrieval(
    "RR@10", "mrr", "Mean reciprocal rank of the first relevant passage, to rank 10 (ir-measures RR@10)."
)
_retrieval(
    "nDCG@10",
    "ndcg_at_10",
    "Discounted cumulative gain over the ideal, gain 1 (Järvelin and Kekäläinen 2002; ir-measures nDCG@10).",
)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return a percentile by linear interpolation; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    position = share / 100 * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
