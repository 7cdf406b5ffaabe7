"""The gate: a report held against the committed floors and ceilings in `eval/baseline.json`.

`python -m nkqa_eval.gate REPORT.json` writes them from a report on dev.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from nkqa_eval.measures import MEASURES
from nkqa_eval.questions import baseline_file
from nkqa_eval.report import Report, ReportError, read_report


@dataclass(frozen=True, slots=True)
class Bound:
    """What a measure must reach, and what it must not exceed."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The bounds of the measures of one set."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    set: str
    measures: dict[str, Bound]


_BASELINE = TypeAdapter(Baseline)
_ROUNDING = 1e-9
SLACK = 0.02
"""Room for processors that round otherwise; a run on one machine repeats itself exactly."""
MUST_BE_ONE = ("verbatim_rate", "locator_validity", "as_of_correctness")
HELD = (
    "answer_accuracy",
    "nugget_recall",
    "truthfulness",
    "abstention_precision",
    "abstention_recall",
    "answer_rate",
    "auroc_answerable",
    "right_source",
    "disagreement_recall",
    "false_conflict_rate",
    "symmetry_passages",
    "symmetry_figures",
    "symmetry_abstention",
    "recall_at_5",
    "ndcg_at_10",
)


def read_baseline(path: Path) -> Baseline:
    """Read the bounds.

    Raises:
        ReportError: the file is missing or is no baseline.
    """
    try:
        return _BASELINE.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ReportError(f"no baseline at {path}; --gate needs one") from error
    except ValidationError as error:
        raise ReportError(f"{path} is not a baseline: {error.errors()[0]['msg']}") from error


def make_baseline(report: Report, slack: float = SLACK) -> Baseline:
    """Return bounds that this report keeps with some room, and those that must be kept in any case."""
    bounds = {name: Bound(at_least=1.0) for name in MUST_BE_ONE}
    for name in HELD:
        if (estimate := report.measures.get(name)) is None:
            continue
        if MEASURES[name].better == "lower":
            bounds[name] = Bound(at_most=round(estimate.value + slack, 3))
        else:
            bounds[name] = Bound(at_least=round(estimate.value - slack, 3))
    return Baseline(report.conditions.set, bounds)


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write the bounds."""
    bounds = {
        name: {key: value for key, value in asdict(bound).items() if value is not None}
        for name, bound in baseline.measures.items()
    }
    path.write_text(json.dumps({"set": baseline.set, "measures": bounds}, indent=1) + "\n", encoding="utf-8")


def failures(report: Report, baseline: Baseline) -> list[str]:
    """List every bound that the report does not keep; a measure that could not be taken keeps none.

    Raises:
        ReportError: the report is on another set, or on part of a set.
    """
    if report.conditions.set != baseline.set:
        raise ReportError(f"the baseline is for {baseline.set}, the report on {report.conditions.set}")
    failed: list[str] = []
    for name, bound in baseline.measures.items():
        estimate = report.measures.get(name)
        if estimate is None:
            failed.append(f"{name} could not be measured")
            continue
        if bound.at_least is not None and estimate.value < bound.at_least - _ROUNDING:
            failed.append(f"{name} is {estimate.value:.4f}, the baseline wants at least {bound.at_least}")
        if bound.at_most is not None and estimate.value > bound.at_most + _ROUNDING:
            failed.append(f"{name} is {estimate.value:.4f}, the baseline wants at most {bound.at_most}")
    return failed


if __name__ == "__main__":
    write_baseline(make_baseline(read_report(Path(sys.argv[1]))), baseline_file())
