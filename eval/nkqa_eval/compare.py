"""Two reports side by side: how far every measure moved, with its interval, and which questions flipped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nkqa_eval.bootstrap import Estimate, difference_interval, ratio, statistic_interval
from nkqa_eval.measures import MEASURES, Better, Measure, Statistic
from nkqa_eval.report import Report, ReportError
from nkqa_eval.row import Row


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a measure moved; `verdict` is told only where the interval leaves out zero."""

    name: str
    before: float
    after: float
    change: Estimate
    verdict: str


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that is met in one report and missed in the other."""

    id: str
    type: str
    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed over the questions that both reports have."""

    questions: int
    left_out: int
    differences: tuple[Difference, ...]
    gained: tuple[Flip, ...]
    lost: tuple[Flip, ...]


def compare(before: Report, after: Report) -> Comparison:
    """Compare two reports on the questions that they share, resampling both with the same groups.

    Raises:
        ReportError: they share none.
    """
    first, second = ({row.id: row for row in report.rows} for report in (before, after))
    shared = [name for name in first if name in second]
    if not shared:
        raise ReportError("the two reports have no question in common")
    old, new = [first[name] for name in shared], [second[name] for name in shared]
    differences = [difference(measure, old, new) for measure in MEASURES.values()]
    flips = [
        (Flip(a.id, a.type, a.question, _told(a), _told(b)), b.met)
        for a, b in zip(old, new, strict=True)
        if a.met != b.met
    ]
    return Comparison(
        len(shared),
        len(first.keys() ^ second.keys()),
        tuple(found for found in differences if found is not None),
        tuple(flip for flip, met in flips if met),
        tuple(flip for flip, met in flips if not met),
    )


def difference(measure: Measure | Statistic, old: Sequence[Row], new: Sequence[Row]) -> Difference | None:
    """Return how far one measure moved, or None where it cannot be taken of both."""
    if isinstance(measure, Measure):
        # Of a pair of rows the group is that of the older, so that both are drawn together.
        groups = {row.id: row.group for row in old}
        before, after = measure.parts(old), measure.parts(_regrouped(new, groups))
        change = difference_interval(before, after)
        value = ratio(before)
    else:
        of = measure.of
        change = statistic_interval(
            list(zip(old, new, strict=True)), [row.group for row in old], lambda pairs: _change(of, pairs)
        )
        value = of(old)
    if change is None or value is None:
        return None
    return Difference(measure.name, value, value + change.value, change, _verdict(measure.better, change))


def comparison_text(comparison: Comparison) -> str:
    """Return the comparison as aligned text."""
    lines = [f"{comparison.questions} questions in both reports, {comparison.left_out} in one only", ""]
    lines.append(f"{'':<28}{'before':>9}{'after':>9}{'change':>9}   95% interval")
    for d in comparison.differences:
        c = d.change
        lines.append(
            f"{d.name:<28}{d.before:>9.3f}{d.after:>9.3f}{c.value:>+9.3f}   "
            f"[{c.low:+.3f}, {c.high:+.3f}]{'  ' + d.verdict if d.verdict else ''}"
        )
    for title, flips in (("Gained", comparison.gained), ("Lost", comparison.lost)):
        lines += ["", f"{title}: {len(flips)}"]
        lines += [f"  {f.id:<12}{f.before} -> {f.after}: {f.question}" for f in flips]
    return "\n".join(lines)


def _regrouped(rows: Sequence[Row], groups: dict[str, str]) -> list[Row]:
    return [replace(row, group=groups[row.id]) for row in rows]


def _change(of: Callable[[Sequence[Row]], float | None], pairs: Sequence[tuple[Row, Row]]) -> float | None:
    before, after = of([old for old, _ in pairs]), of([new for _, new in pairs])
    return None if before is None or after is None else after - before


def _verdict(better: Better, change: Estimate) -> str:
    if better == "neither" or change.low <= 0 <= change.high:
        return ""
    return "better" if (change.value > 0) == (better == "higher") else "worse"


def _told(row: Row) -> str:
    return row.miss or row.status
