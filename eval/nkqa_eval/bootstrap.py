"""Percentile bootstrap: 95% intervals for sums of ratios and for any statistic, groups drawn whole.

Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979). Questions on the
same fact succeed and fail together, so groups of questions are resampled, not questions (the cluster
bootstrap; Davison and Hinkley, Bootstrap Methods and their Application, 1997). A measure that has the same
value for every question gets an interval of no width: that is the method's limit, not certainty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

SEED = 20201110
RESAMPLES = 2000
LEVEL = 0.95

T = TypeVar("T")


class Part(NamedTuple):
    """What one question, or pair, adds to a ratio of sums, and the group that it is drawn with."""

    group: str
    numerator: float
    denominator: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; `n` is the number of parts that it rests on."""

    value: float
    low: float
    high: float
    n: int


def ratio(parts: Sequence[Part]) -> float | None:
    """Return the sum of the numerators over the sum of the denominators; None over nothing."""
    denominator = sum(part.denominator for part in parts)
    return sum(part.numerator for part in parts) / denominator if denominator else None


def ratio_interval(parts: Sequence[Part], resamples: int = RESAMPLES, seed: int = SEED) -> Estimate | None:
    """Return the ratio of sums with its interval, or None where there is nothing to divide by."""
    value = ratio(parts)
    if value is None:
        return None
    sums = _sums_by_group(parts, sorted({part.group for part in parts}))
    low, high = _percentiles(_resampled(sums, resamples, seed))
    return Estimate(value, low, high, _counted(parts))


def difference_interval(
    before: Sequence[Part], after: Sequence[Part], resamples: int = RESAMPLES, seed: int = SEED
) -> Estimate | None:
    """Return `after - before` with its interval, both drawn with the same groups (paired)."""
    first, second = ratio(before), ratio(after)
    if first is None or second is None:
        return None
    groups = sorted({part.group for part in before} | {part.group for part in after})
    differences = _resampled(_sums_by_group(after, groups), resamples, seed) - _resampled(
        _sums_by_group(before, groups), resamples, seed
    )
    low, high = _percentiles(differences)
    return Estimate(second - first, low, high, _counted(after))


def statistic_interval(
    values: Sequence[T],
    groups: Sequence[str],
    statistic: Callable[[Sequence[T]], float | None],
    resamples: int = RESAMPLES // 2,
    seed: int = SEED,
) -> Estimate | None:
    """Return any statistic of `values` with its interval; resamples for which it is None are left out."""
    value = statistic(values)
    if value is None:
        return None
    members: dict[str, list[T]] = {}
    for item, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(item)
    drawn_from = [members[group] for group in sorted(members)]
    random = np.random.default_rng(seed)
    estimates: list[float] = []
    for _ in range(resamples):
        draw = random.integers(0, len(drawn_from), len(drawn_from))
        estimate = statistic([item for index in draw for item in drawn_from[index]])
        if estimate is not None:
            estimates.append(estimate)
    low, high = _percentiles(np.asarray(estimates)) if estimates else (value, value)
    return Estimate(value, low, high, len(values))


def _sums_by_group(parts: Sequence[Part], groups: Sequence[str]) -> npt.NDArray[np.float64]:
    position = {group: index for index, group in enumerate(groups)}
    sums = np.zeros((len(groups), 2))
    for part in parts:
        sums[position[part.group]] += (part.numerator, part.denominator)
    return sums


def _resampled(sums: npt.NDArray[np.float64], resamples: int, seed: int) -> npt.NDArray[np.float64]:
    """Return one ratio a resample, NaN where the groups drawn have nothing to divide by."""
    size = len(sums)
    counts = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    totals = counts @ sums
    empty = totals[:, 1] == 0
    ratios: npt.NDArray[np.float64] = totals[:, 0] / np.where(empty, 1, totals[:, 1])
    ratios[empty] = np.nan
    return ratios


def _percentiles(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)


def _counted(parts: Sequence[Part]) -> int:
    return sum(part.denominator > 0 for part in parts)
