"""What `confidence` is worth: AUROC, risk and coverage, reliability, calibration error, Brier score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Answering only from `threshold` up covers a share of all questions and errs in a share of those."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence lies in one tenth: how many, what was claimed, what came true."""

    low: float
    high: float
    n: int
    confidence: float
    observed: float


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Return the probability that a positive scores above a negative, ties counting half.

    Mann and Whitney 1947; as an area under the ROC curve, Hanley and McNeil, Radiology 143 (1982). None
    where one side is empty.
    """
    if not positives or not negatives:
        return None
    ordered = np.sort(np.asarray(negatives))
    scores = np.asarray(positives)
    below = np.searchsorted(ordered, scores, side="left")
    not_above = np.searchsorted(ordered, scores, side="right")
    return float((below + not_above).sum() / 2 / (len(scores) * len(ordered)))


def risk_coverage(confidences: Sequence[float], right: Sequence[bool], asked: int) -> list[RiskPoint]:
    """Return the risk at every coverage that a threshold on the confidence of given answers can reach.

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 11 (2010). `asked`
    counts all questions, the abstained ones too: a question without an answer is never covered.
    """
    points: list[RiskPoint] = []
    wrong = 0
    order = sorted(zip(confidences, right, strict=True), key=lambda pair: -pair[0])
    for covered, (confidence, is_right) in enumerate(order, start=1):
        wrong += not is_right
        last_of_ties = covered == len(order) or order[covered][0] < confidence
        if last_of_ties:
            points.append(RiskPoint(confidence, covered / asked, wrong / covered))
    return points


def reliability(confidences: Sequence[float], came_true: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Return the bins of a reliability diagram that are not empty, of equal width, the last one closed.

    Murphy and Winkler, Applied Statistics 26 (1977); DeGroot and Fienberg, The Statistician 32 (1983).
    """
    members: dict[int, list[tuple[float, bool]]] = {}
    for pair in zip(confidences, came_true, strict=True):
        members.setdefault(min(int(pair[0] * bins), bins - 1), []).append(pair)
    return [
        Bin(
            index / bins,
            (index + 1) / bins,
            len(pairs),
            sum(confidence for confidence, _ in pairs) / len(pairs),
            sum(true for _, true in pairs) / len(pairs),
        )
        for index, pairs in sorted(members.items())
    ]


def calibration_error(confidences: Sequence[float], came_true: Sequence[bool]) -> float | None:
    """Return the expected calibration error over ten bins (Guo et al., ICML 2017, arXiv 1706.04599)."""
    if not confidences:
        return None
    bins = reliability(confidences, came_true)
    return sum(b.n * abs(b.confidence - b.observed) for b in bins) / len(confidences)
