"""The report's pictures, as SVG text: drawn by matplotlib, the same bytes for the same figures."""

import io
from collections.abc import Callable, Mapping, Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nkqa_eval.bootstrap import Estimate
from nkqa_eval.calibration import Bin, RiskPoint
from nkqa_eval.report import Latency

BLUE, ORANGE, GREY = "#1f5fa8", "#c25100", "#767676"


def shares(estimates: Mapping[str, Estimate], label: str) -> str:
    """Draw shares with their intervals as horizontal bars, the first on top."""

    def draw(axes: Axes) -> None:
        names = list(estimates)[::-1]
        values = [estimates[name].value for name in names]
        low = [max(0.0, estimates[name].value - estimates[name].low) for name in names]
        high = [max(0.0, estimates[name].high - estimates[name].value) for name in names]
        axes.barh(range(len(names)), values, xerr=(low, high), color=BLUE, ecolor="#1a1a1a", capsize=2)
        axes.set_yticks(range(len(names)), [f"{name} ({estimates[name].n})" for name in names])
        axes.set_xlim(0, 1.02)
        axes.set_xlabel(label)
        axes.grid(axis="x", color="#dddddd")

    return _svg(draw, height=0.9 + 0.28 * max(1, len(estimates)))


def risk_and_coverage(points: Sequence[RiskPoint]) -> str:
    """Draw the risk at each coverage, and mark where nkqa itself stops answering."""

    def draw(axes: Axes) -> None:
        coverage = [point.coverage for point in points]
        risk = [point.risk for point in points]
        axes.step(coverage, risk, where="post", color=BLUE)
        if points:
            axes.plot(coverage[-1], risk[-1], "o", color=ORANGE, label="as it answers")
            axes.legend(frameon=False)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max([0.1, *risk]) * 1.1)
        axes.set_xlabel("coverage: share of all questions answered")
        axes.set_ylabel("risk: share of answers wrong")
        axes.grid(color="#dddddd")

    return _svg(draw, height=3.2)


def reliability_diagram(bins: Sequence[Bin]) -> str:
    """Draw what the confidence claimed against what came true; the size of a point is its questions."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="calibrated")
        claimed = [b.confidence for b in bins]
        observed = [b.observed for b in bins]
        axes.plot(claimed, observed, color=BLUE, linewidth=1)
        axes.scatter(claimed, observed, s=[12 + 4 * b.n for b in bins], color=BLUE, label="nkqa")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.04)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share answerable")
        axes.legend(frameon=False)
        axes.grid(color="#dddddd")

    return _svg(draw, height=3.2)


def latencies(stages: Mapping[str, Latency]) -> str:
    """Draw the median and the 95th percentile of each stage."""

    def draw(axes: Axes) -> None:
        names = list(stages)[::-1]
        axes.barh(range(len(names)), [stages[name].p95 for name in names], color="#a9c6e8", label="p95")
        axes.barh(
            range(len(names)), [stages[name].p50 for name in names], height=0.5, color=BLUE, label="p50"
        )
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("milliseconds")
        axes.legend(frameon=False)
        axes.grid(axis="x", color="#dddddd")

    return _svg(draw, height=0.9 + 0.3 * max(1, len(stages)))


def counts(values: Mapping[str, int]) -> str:
    """Draw counts as horizontal bars."""

    def draw(axes: Axes) -> None:
        names = list(values)[::-1]
        bars = axes.barh(range(len(names)), [values[name] for name in names], color=ORANGE)
        axes.bar_label(bars, padding=3)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("questions")

    return _svg(draw, height=0.9 + 0.3 * max(1, len(values)))


def _svg(draw: Callable[[Axes], None], height: float) -> str:
    """Return the picture as an `svg` element without prologue, its ids unlike those of other pictures."""
    with rc_context(
        {
            "svg.hashsalt": f"nkqa {draw.__qualname__}",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
        }
    ):
        figure = Figure(figsize=(6.4, height), layout="constrained")
        draw(figure.subplots())
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]
