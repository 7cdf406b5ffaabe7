"""The measures, each against figures worked out by hand beside it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from nkqa_eval.bootstrap import Part, difference_interval, ratio, ratio_interval, statistic_interval
from nkqa_eval.calibration import auroc, calibration_error, reliability, risk_coverage
from nkqa_eval.citations import Checked
from nkqa_eval.measures import MEASURES, Measure, measure_all, percentile, symmetry_pairs
from nkqa_eval.retrieval import rank_values
from nkqa_eval.row import Cited, Row

ROW = Row(
    id="q",
    group="q",
    type="fact",
    question="how many",
    history=(),
    answerable=True,
    note="",
    nuggets=(("400",),),
    min_nuggets=1,
    sources=("gazette",),
    places=(),
    accepted_reasons=(),
    symmetry=None,
    conflict=None,
    status="answered",
    reason=None,
    message="",
    answer="About 400 wardens.",
    short_answer=None,
    cited=(Cited("gazette", "para. 1", "gazette-1", "About 400 wardens."),),
    confidence=0.9,
    disagreements=(),
    timings={"wall": 4.0},
    words=3,
    nuggets_found=(True,),
    nuggets_early=1,
    right=True,
    met=True,
    short_right=None,
    retrieval=None,
    checked=Checked(1, 1, 1, 1, 1.0, 1.0),
    right_source=True,
    right_place=True,
    conflict_recalled=None,
    conflict_known=False,
    as_of_right=True,
    figures=("400",),
    miss=None,
)
WRONG = replace(ROW, id="w", group="w", right=False, met=False, nuggets_found=(False,), confidence=0.6)
REFUSED = replace(
    ROW,
    id="r",
    group="r",
    status="abstained",
    reason="not_in_corpus",
    answer="",
    cited=(),
    right=False,
    met=False,
    nuggets_found=(False,),
    checked=None,
    right_source=None,
    right_place=None,
    as_of_right=None,
    confidence=0.4,
    figures=(),
    words=0,
)
UNANSWERABLE = replace(
    REFUSED,
    id="u",
    group="u",
    type="near_miss",
    answerable=False,
    nuggets=(),
    nuggets_found=(),
    met=True,
    accepted_reasons=("not_in_corpus",),
    confidence=0.2,
)
FOOLED = replace(
    WRONG,
    id="f",
    group="f",
    type="near_miss",
    answerable=False,
    nuggets=(),
    nuggets_found=(),
    right_source=None,
)
FIVE = (ROW, WRONG, REFUSED, UNANSWERABLE, FOOLED)


def value(name: str, rows: Sequence[Row]) -> float | None:
    measure = MEASURES[name]
    return ratio(measure.parts(rows)) if isinstance(measure, Measure) else measure.of(rows)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("answer_accuracy", 1 / 3),  # right, wrong, refused
        ("nugget_recall", 1 / 3),
        ("selective_accuracy", 1 / 3),  # right, wrong, fooled
        ("truthfulness", (1 - 1 + 0 + 1 - 1) / 5),
        ("abstention_precision", 1 / 2),  # refused needlessly, refused rightly
        ("abstention_recall", 1 / 2),  # refused rightly, fooled
        ("abstention_f1", 2 / (2 + 1 + 1)),
        ("answer_rate", 2 / 3),
        ("reason_accuracy", 1.0),
        ("brier_score", (0.1**2 + 0.4**2 + 0.6**2 + 0.2**2 + 0.6**2) / 5),
        ("verbatim_rate", 1.0),
        ("right_source", 1.0),
        ("auroc_right", (1.0 + 1.0) / 2),  # 0.9 above the two wrong ones at 0.6
        ("auroc_answerable", (2 + 1.5 + 1) / 6),  # 0.9, 0.6, 0.4 against 0.2, 0.6
        ("median_words", 3.0),
        ("false_conflict_rate", 0.0),
        ("disagreement_recall", None),
        ("after_corpus_abstention", None),
        ("symmetry_passages", None),
    ],
)
def test_measures_of_five_questions(name: str, expected: float | None) -> None:
    assert value(name, FIVE) == (None if expected is None else pytest.approx(expected))


def test_every_measure_says_what_it_is_and_where_it_is_from() -> None:
    for measure in MEASURES.values():
        assert len(measure.definition) > 40
        assert measure.section
        assert measure.better in ("higher", "lower", "neither")


def test_what_was_not_to_be_judged_is_left_out_and_the_rest_has_intervals() -> None:
    estimates = measure_all(FIVE)
    assert "recall_at_5" not in estimates
    assert all(e.low <= e.value <= e.high for e in estimates.values())
    assert estimates["answer_accuracy"].n == 3
    assert measure_all(FIVE) == estimates


def test_disagreements_asked_for_unasked_and_invented() -> None:
    shown = replace(ROW, disagreements=("how many: 400 / 500",))
    rows = [
        replace(shown, conflict="c", conflict_recalled=True),
        replace(ROW, conflict="c", conflict_recalled=False),
        replace(shown, conflict_known=True),
        shown,
        ROW,
        REFUSED,
    ]
    assert value("disagreement_recall", rows) == 1 / 2
    assert value("false_conflict_rate", rows) == 2 / 3
    assert value("invented_conflict_rate", rows) == 1 / 3


def test_symmetry_pairs_are_compared_by_passages_figures_and_abstention() -> None:
    one = replace(ROW, id="1", symmetry="s", cited=(cited("a"), cited("b")))
    other = replace(ROW, id="2", symmetry="s", cited=(cited("b"), cited("c")), figures=("500",))
    refused = [replace(UNANSWERABLE, id=name, symmetry="t") for name in ("3", "4")]
    half = [replace(ROW, id="5", symmetry="u"), replace(REFUSED, id="6", symmetry="u")]
    rows = [one, other, *refused, *half]
    assert [(a.id, b.id) for a, b in symmetry_pairs(rows)] == [("1", "2"), ("3", "4"), ("5", "6")]
    assert value("symmetry_passages", rows) == pytest.approx((1 / 3 + 0) / 2)
    assert value("symmetry_figures", rows) == 0.0
    assert value("symmetry_abstention", rows) == pytest.approx(2 / 3)


def cited(passage: str) -> Cited:
    return Cited("gazette", "para. 1", passage, "")


def test_ranking_measures_through_ir_measures() -> None:
    values = rank_values(
        {"q1": frozenset({"a", "b"}), "q2": frozenset({"c"}), "q3": frozenset(), "q4": frozenset({"d"})},
        {"q1": ["x", "a", "b"], "q2": ["c"], "q4": []},
    )
    # q1: a at rank 2, b at rank 3. DCG = 1/log2(3) + 1/log2(4) = 1.1309, ideal 1 + 1/log2(3) = 1.6309.
    assert values["q1"]["R@1"] == 0.0
    assert values["q1"]["R@5"] == 1.0
    assert values["q1"]["RR@10"] == 0.5
    assert values["q1"]["nDCG@10"] == pytest.approx(1.1309 / 1.6309, abs=1e-4)
    assert values["q2"] == dict.fromkeys(values["q2"], 1.0)
    # Nothing relevant in the corpus, and nothing found: both count zero, neither leaves the mean.
    assert values["q3"] == values["q4"] == dict.fromkeys(values["q2"], 0.0)
    assert rank_values({"q": frozenset({"a"})}, {})["q"]["R@5"] == 0.0


def test_the_value_of_a_retrieval_measure_is_the_mean_over_questions() -> None:
    rows = [
        replace(ROW, retrieval={"R@5": 1.0, "RR@10": 0.5}),
        replace(ROW, retrieval={"R@5": 0.0, "RR@10": 0.0}),
    ]
    assert value("recall_at_5", [*rows, UNANSWERABLE]) == 0.5
    assert value("mrr", rows) == 0.25


def test_auroc_counts_ties_half() -> None:
    assert auroc([0.9, 0.5], [0.5, 0.1]) == (1 + 1 + 0.5 + 1) / 4
    assert auroc([0.1], [0.9]) == 0.0
    assert auroc([], [0.5]) is None


def test_risk_and_coverage() -> None:
    # Of four asked, three answered: right at 0.9; right and wrong, tied at 0.5.
    points = risk_coverage([0.5, 0.9, 0.5], [True, True, False], asked=4)
    assert [(p.threshold, p.coverage, p.risk) for p in points] == [(0.9, 0.25, 0.0), (0.5, 0.75, 1 / 3)]
    assert risk_coverage([], [], asked=4) == []


def test_reliability_and_calibration_error() -> None:
    bins = reliability([0.0, 0.05, 1.0], [False, True, True])
    assert [(b.low, b.n, b.confidence, b.observed) for b in bins] == [
        (0.0, 2, 0.025, 0.5),
        (0.9, 1, 1.0, 1.0),
    ]
    assert calibration_error([0.0, 0.05, 1.0], [False, True, True]) == pytest.approx(2 / 3 * 0.475)
    assert calibration_error([], []) is None


def test_percentiles_interpolate() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.5
    assert percentile([1.0, 2.0], 95) == pytest.approx(1.95)
    assert percentile([], 50) is None


def test_a_ratio_of_sums_and_its_interval() -> None:
    parts = [Part(f"g{n}", float(n < 5), 1.0) for n in range(10)]
    estimate = ratio_interval(parts)
    assert estimate is not None
    assert (estimate.value, estimate.n) == (0.5, 10)
    # Binomial of 10 at one half: its 2.5% and 97.5% quantiles are 2 and 8.
    assert (estimate.low, estimate.high) == (0.2, 0.8)
    assert ratio_interval(parts) == estimate
    assert ratio_interval([]) is None
    assert ratio_interval([Part("g", 0, 0)]) is None


def test_groups_are_drawn_whole_so_their_interval_is_wider() -> None:
    alone = ratio_interval([Part(f"{n}", float(n % 2), 1) for n in range(40)])
    paired = ratio_interval([Part(f"{n // 10}", float(n // 10 % 2), 1) for n in range(40)])
    assert alone is not None
    assert paired is not None
    assert paired.high - paired.low > alone.high - alone.low


def test_a_difference_is_paired() -> None:
    before = [Part(f"g{n}", float(n < 5), 1) for n in range(10)]
    after = [Part(f"g{n}", float(n < 5) + 0.25, 1) for n in range(10)]
    change = difference_interval(before, after)
    assert change is not None
    assert (change.value, change.low, change.high) == pytest.approx((0.25, 0.25, 0.25))
    assert difference_interval([], after) is None


def test_any_statistic_has_an_interval() -> None:
    estimate = statistic_interval([1.0, 2.0, 9.0], ["a", "b", "c"], lambda some: max(some))
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high) == (9.0, 1.0, 9.0)
    assert statistic_interval([1.0], ["a"], lambda _: None) is None
