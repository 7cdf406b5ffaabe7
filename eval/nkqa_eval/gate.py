"""The gate: a report held against the committed floors and ceilings in `eval/baseline.json`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from nkqa_eval.report import Report, ReportError


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
