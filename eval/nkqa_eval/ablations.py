"""What each stage is worth: a set run whole, and again without each stage, as a Markdown table.

`python -m nkqa_eval.ablations` does so on dev, and writes the table into `eval/README.md`.
"""

import argparse
import sys
from collections.abc import Sequence

from nkqa.search import STAGES
from nkqa.settings import Settings, load_settings
from nkqa_eval.command import evaluate
from nkqa_eval.compare import compare
from nkqa_eval.present import README, put
from nkqa_eval.report import Report

SHOWN = (
    "answer_accuracy",
    "truthfulness",
    "abstention_f1",
    "auroc_answerable",
    "recall_at_5",
    "ndcg_at_10",
)


def ablations(settings: Settings, question_set: str = "dev", stages: Sequence[str] = STAGES) -> str:
    """Return the table; a change is printed bold where its paired 95% interval leaves out zero."""
    whole = evaluate(settings, question_set, progress=True)
    lines = [
        f"| without | {' | '.join(SHOWN)} | p50 ms |",
        f"|---{'|---:' * (len(SHOWN) + 1)}|",
        _row("nothing", [_value(whole, name) for name in SHOWN], whole),
    ]
    for stage in stages:
        report = evaluate(settings, question_set, without=[stage], progress=True)
        changes = {change.name: change for change in compare(whole, report).differences}
        cells: list[str] = []
        for name in SHOWN:
            change = changes.get(name)
            moved = f" ({change.change.value:+.3f})" if change else ""
            cells.append(f"{_value(report, name)}{_bold(moved) if change and change.verdict else moved}")
        lines.append(_row(stage, cells, report))
    what = whole.conditions
    lines += ["", f"{what.set}, {len(whole.rows)} questions: commit {what.commit}, {what.machine}."]
    return "\n".join(lines)


def _value(report: Report, name: str) -> str:
    estimate = report.measures.get(name)
    return "" if estimate is None else f"{estimate.value:.3f}"


def _row(name: str, cells: Sequence[str], report: Report) -> str:
    return f"| {name} | {' | '.join(cells)} | {report.latency['wall'].p50:.0f} |"


def _bold(text: str) -> str:
    return f" **{text.strip()}**"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table for dev and write it into the README."""
    argparse.ArgumentParser(prog="python -m nkqa_eval.ablations", description=__doc__).parse_args(arguments)
    report = ablations(load_settings())
    print(report)
    README.write_text(put(README.read_text(encoding="utf-8"), "ablations", report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
