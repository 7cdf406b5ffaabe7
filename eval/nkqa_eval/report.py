"""What a run leaves behind, as JSON: every row, every measure with its interval, and the conditions."""

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from nkqa.errors import NkqaError
from nkqa_eval.bootstrap import Estimate, Part, ratio_interval
from nkqa_eval.calibration import Bin, RiskPoint, reliability, risk_coverage
from nkqa_eval.measures import MEASURES, measure_all, percentile
from nkqa_eval.row import Row

FORMAT = 1


class ReportError(NkqaError):
    """A report that cannot be read or compared."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Conditions:
    """What was asked, with what, where and when."""

    set: str
    target: str
    without: tuple[str, ...]
    jobs: int
    corpus: str
    nkqa_version: str
    commit: str
    machine: str
    when: str


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds that one stage took: median, 95th percentile, most."""

    p50: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `by_type` holds the share of questions met, by type of question."""

    format: int
    conditions: Conditions
    measures: dict[str, Estimate]
    by_type: dict[str, Estimate]
    misses: dict[str, int]
    latency: dict[str, Latency]
    risk_coverage: tuple[RiskPoint, ...]
    reliability: tuple[Bin, ...]
    rows: tuple[Row, ...]


_REPORT = TypeAdapter(Report)


def make_report(rows: Sequence[Row], conditions: Conditions) -> Report:
    """Sum up the rows."""
    given = [row for row in rows if row.status == "answered"]
    return Report(
        FORMAT,
        conditions,
        measure_all(rows),
        _by_type(rows),
        dict(sorted(Counter(row.miss for row in rows if row.miss).items())),
        _latency(rows),
        tuple(risk_coverage([row.confidence for row in given], [row.right for row in given], len(rows) or 1)),
        tuple(reliability([row.confidence for row in rows], [row.answerable for row in rows])),
        tuple(rows),
    )


def write_report(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_REPORT.dump_json(report, indent=1) + b"\n")


def read_report(path: Path) -> Report:
    """Read a report that `write_report` wrote.

    Raises:
        ReportError: there is none, or another version wrote it.
    """
    try:
        report = _REPORT.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ReportError(f"no report at {path}: make one with `nkqa eval --out FOLDER`") from error
    except ValidationError as error:
        raise ReportError(f"{path} is not a report of this version: {error.errors()[0]['msg']}") from error
    if report.format != FORMAT:
        raise ReportError(f"{path} has format {report.format}, this version reads {FORMAT}")
    return report


def table(report: Report) -> str:
    """Return the measures as aligned text, by section, with what was missed and how long it took."""
    what = report.conditions
    without = f", without {', '.join(what.without)}" if what.without else ""
    lines = [f"{what.set}: {len(report.rows)} questions, {what.target}{without}, {what.commit}", ""]
    section = ""
    for name, measure in MEASURES.items():
        if (estimate := report.measures.get(name)) is None:
            continue
        if measure.section != section:
            section = measure.section
            lines += [section]
        lines.append(f"  {name:<28}{interval(estimate):<26}n={estimate.n}")
    lines += ["", "Met, by type"]
    lines += [f"  {name:<28}{interval(e):<26}n={e.n}" for name, e in report.by_type.items()]
    lines += ["", "Where each miss happened"]
    lines += [f"  {name:<28}{count}" for name, count in report.misses.items()] or ["  no miss"]
    lines += ["", "Milliseconds              p50       p95       most"]
    lines += [f"  {k:<20}{v.p50:>9.1f}{v.p95:>10.1f}{v.most:>11.1f}" for k, v in report.latency.items()]
    return "\n".join(lines)


def interval(estimate: Estimate) -> str:
    """Return an estimate as text, such as `0.912 [0.861, 0.954]`."""
    digits = 1 if abs(estimate.value) >= 10 else 3
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def conditions(
    set_name: str, target: str, corpus: str, without: Sequence[str] = (), jobs: int = 1
) -> Conditions:
    """Return what can be said of this run: versions, commit, machine, time."""
    return Conditions(
        set_name,
        target,
        tuple(sorted(without)),
        jobs,
        corpus,
        _version(),
        _commit(),
        f"{os.cpu_count()} x {_processor()}, {platform.system()}, Python {platform.python_version()}",
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _by_type(rows: Sequence[Row]) -> dict[str, Estimate]:
    parts: dict[str, list[Part]] = {}
    for row in sorted(rows, key=lambda row: (not row.answerable, row.type)):
        parts.setdefault(row.type, []).append(Part(row.group, float(row.met), 1))
    estimates = {name: ratio_interval(of_type) for name, of_type in parts.items()}
    return {name: estimate for name, estimate in estimates.items() if estimate is not None}


def _latency(rows: Sequence[Row]) -> dict[str, Latency]:
    stages: dict[str, list[float]] = {}
    for row in rows:
        for stage, milliseconds in row.timings.items():
            stages.setdefault(stage, []).append(milliseconds)
    return {
        stage: Latency(percentile(times, 50) or 0.0, percentile(times, 95) or 0.0, max(times))
        for stage, times in stages.items()
    }


def _version() -> str:
    try:
        return version("nkqa")
    except PackageNotFoundError:
        return "not installed"


@cache
def _commit() -> str:
    """Return the short commit of the checkout, marked where files differ from it; empty outside of one."""
    here = Path(__file__).resolve().parents[2]
    if not (here / "pyproject.toml").is_file():
        return ""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
