"""The tables of eval/README.md are those that the code would write; baselines are written and kept."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from nkqa_eval.gate import failures, make_baseline, read_baseline, write_baseline
from nkqa_eval.measures import MEASURES
from nkqa_eval.present import README, figures_table, main, measures_table, misses_table, put, sets_table
from nkqa_eval.report import ReportError, conditions, make_report, write_report
from test_eval_measures import FIVE

REPORT = make_report(FIVE, replace(conditions("dev", "in process", "f"), when="2011-06-30T00:00:00+00:00"))


@pytest.mark.parametrize("body", [measures_table(), misses_table(), sets_table()])
def test_the_readme_has_the_tables_of_the_code(body: str) -> None:
    # Mend it with: python -m nkqa_eval.present
    assert body in README.read_text(encoding="utf-8")


def test_figures_are_put_between_their_marks(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    marks = [
        f"<!-- {name} -->\nformer\n<!-- /{name} -->" for name in ("sets", "measures", "misses", "figures")
    ]
    readme.write_text("\n\n".join(marks), encoding="utf-8")
    write_report(REPORT, tmp_path / "report.json")
    assert main([str(tmp_path / "report.json")], readme) == 0
    text = readme.read_text(encoding="utf-8")
    assert "former" not in text
    assert "| `answer_accuracy` | 0.333 [" in text
    assert "| wall, ms (p50 / p95) | 4.0 / 4.0 |" in text
    assert "2011-06-30" in figures_table([REPORT])
    with pytest.raises(ReportError, match="no <!-- other -->"):
        put(text, "other", "")


def test_the_readme_tells_only_of_options_that_exist() -> None:
    import inspect

    from nkqa_eval.command import run_command

    known = {"set": "question_set", "json": "as_json"}
    for option in re.findall(r"nkqa eval --([a-z]+)", README.read_text(encoding="utf-8")):
        assert known.get(option, option) in inspect.signature(run_command).parameters


def test_a_report_keeps_the_baseline_that_is_made_of_it(tmp_path: Path) -> None:
    baseline = make_baseline(REPORT)
    write_baseline(baseline, tmp_path / "baseline.json")
    assert read_baseline(tmp_path / "baseline.json") == baseline
    assert baseline.measures["answer_accuracy"].at_least == pytest.approx(0.313)
    assert baseline.measures["false_conflict_rate"].at_most == 0.02
    assert baseline.measures["verbatim_rate"].at_least == 1.0
    assert failures(REPORT, baseline) == []


def test_every_bound_of_a_baseline_is_a_measure() -> None:
    assert make_baseline(REPORT).measures.keys() <= MEASURES.keys()
