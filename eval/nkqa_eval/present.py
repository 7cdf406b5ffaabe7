"""Keeps the tables of `eval/README.md` true: definitions from the code, figures from reports.

`python -m nkqa_eval.present REPORT.json...` writes them anew; `python -m nkqa_eval.ablations` writes its own.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nkqa_eval.measures import MEASURES
from nkqa_eval.misses import MEANINGS
from nkqa_eval.questions import NAMED_SETS, TYPES, read_questions, set_path
from nkqa_eval.report import Report, ReportError, interval, read_report

README = Path(__file__).resolve().parents[1] / "README.md"


def put(text: str, name: str, body: str) -> str:
    """Return `text` with what stands between the two marks called `name` replaced.

    Raises:
        ReportError: the marks are not there.
    """
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, first, rest = text.partition(opening)
    _, last, after = rest.partition(closing)
    if not first or not last:
        raise ReportError(f"no {opening.strip()} and {closing} in the text")
    return f"{before}{opening}{body}\n{closing}{after}"


def measures_table() -> str:
    """Return every measure with its definition."""
    lines = ["| measure | of | better | what it is |", "|---|---|---|---|"]
    lines += [
        f"| `{measure.name}` | {measure.section} | {measure.better} | {measure.definition} |"
        for measure in MEASURES.values()
    ]
    return "\n".join(lines)


def sets_table() -> str:
    """Return how many questions of each type the committed sets hold."""
    sets = {name: read_questions(set_path(name)) for name in NAMED_SETS}
    counts = {name: Counter[str](question.type for question in questions) for name, questions in sets.items()}
    lines = [f"| type | {' | '.join(sets)} |", f"|---{'|---:' * len(sets)}|"]
    for kind in TYPES:
        cells = [str(counts[name][kind]) for name in sets]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    totals = [f"{len(questions)}" for questions in sets.values()]
    refused = [f"{sum(not q.answerable for q in questions)}" for questions in sets.values()]
    facts = [f"{len({q.fact for q in questions})}" for questions in sets.values()]
    pairs = [f"{len({q.symmetry for q in questions if q.symmetry})}" for questions in sets.values()]
    conflicts = [f"{sum(q.conflict is not None for q in questions)}" for questions in sets.values()]
    for name, cells in (
        ("**all**", totals),
        ("to be abstained from", refused),
        ("facts", facts),
        ("symmetry pairs", pairs),
        ("on which the sources differ", conflicts),
    ):
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def misses_table() -> str:
    """Return every kind of miss with its meaning."""
    return "\n".join(["| miss | meaning |", "|---|---|", *(f"| `{k}` | {v} |" for k, v in MEANINGS.items())])


def figures_table(reports: Sequence[Report]) -> str:
    """Return the measures of several reports side by side, and under which conditions they were taken."""
    conditions = [report.conditions for report in reports]
    heads = [f"{what.set} ({len(report.rows)})" for what, report in zip(conditions, reports, strict=True)]
    lines = [
        f"{what.set}: version {what.nkqa_version}, commit {what.commit or 'unknown'}, corpus {what.corpus}, "
        f"{what.machine}, {what.jobs} at a time, {what.when[:10]}.  "
        for what in conditions
    ]
    lines += ["", f"| measure | {' | '.join(heads)} |", f"|---{'|---' * len(reports)}|"]
    for name in MEASURES:
        cells = [interval(found) if (found := report.measures.get(name)) else "" for report in reports]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    for stage in dict.fromkeys(stage for report in reports for stage in report.latency):
        taken = [report.latency.get(stage) for report in reports]
        cells = [f"{t.p50:.1f} / {t.p95:.1f}" if t else "" for t in taken]
        lines.append(f"| {stage}, ms (p50 / p95) | {' | '.join(cells)} |")
    kinds = dict.fromkeys(kind for report in reports for kind in report.by_type)
    lines += ["", f"| met, by type | {' | '.join(heads)} |", f"|---{'|---' * len(reports)}|"]
    for kind in kinds:
        cells = [
            f"{interval(found)}, n={found.n}" if (found := report.by_type.get(kind)) else ""
            for report in reports
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    lines += ["", f"| where misses happened | {' | '.join(heads)} |", f"|---{'|---' * len(reports)}|"]
    for miss in MEANINGS:
        if any(miss in report.misses for report in reports):
            counts = [str(report.misses.get(miss, 0)) for report in reports]
            lines.append(f"| `{miss}` | {' | '.join(counts)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str], readme: Path = README) -> int:
    """Write all tables that can be written; the figures only where reports are given."""
    text = readme.read_text(encoding="utf-8")
    text = put(text, "sets", sets_table())
    text = put(text, "measures", measures_table())
    text = put(text, "misses", misses_table())
    if arguments:
        text = put(text, "figures", figures_table([read_report(Path(argument)) for argument in arguments]))
    readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
