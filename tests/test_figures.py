"""Figures with what they count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkqa.figures import Figure, figures_in


def only(text: str) -> Figure:
    (figure,) = figures_in(text)
    return figure


@pytest.mark.parametrize(
    ("text", "value", "units"),
    [
        ("1,960 peacekeepers", 1960, ("peacekeep",)),
        ("1960 peacekeepers", 1960, ("peacekeep",)),
        ("five years", 5, ("year",)),
        ("twenty-five wardens", 25, ("warden",)),
        ("25%", 25, ("%",)),
        ("25 per cent of the land", 25, ("%",)),
        ("44-day war", 44, ("day",)),
        ("$45", 45, ("$",)),
        ("90 armoured vehicles", 90, ("armour", "vehicl")),
        ("17, they say", 17, ()),
    ],
)
def test_an_exact_figure(text: str, value: float, units: tuple[str, ...]) -> None:
    figure = only(text)
    assert figure.low <= value <= figure.high
    assert figure.exact
    assert figure.units == units


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("almost 2,000 peacekeepers", 1960, 2100),
        ("about 400 wardens", 400, 500),
        ("more than 90 vehicles", 95, 89),
        ("up to 6,000 villagers", 5800, 6500),
        ("2,000 to 2,500 villagers", 2300, 2600),
        ("two to three million dollars", 2_500_000, 1_000),
        ("90 or more vehicles", 95, 80),
        ("about 90 or so", 90, 60),
        ("hundreds of thousands of refugees", 300_000, 20_000),
        ("dozens of men", 36, 5),
    ],
)
def test_a_hedged_figure_is_a_span(text: str, inside: float, outside: float) -> None:
    figure = only(text)
    assert not figure.exact
    assert figure.low <= inside <= figure.high
    assert not figure.low <= outside <= figure.high


def test_what_many_count_is_found_behind_of() -> None:
    assert only("tens of thousands of refugees").units == ("refuge",)


@pytest.mark.parametrize("text", ["9 November 2020", "since 1994", "S-300", "F16", "the MiG-29", "none"])
def test_dates_and_names_are_no_figures(text: str) -> None:
    assert figures_in(text) == []


def test_scale_words_multiply() -> None:
    figure = only("$30 million")
    assert figure.low <= 30_000_000 <= figure.high
    assert only("two hundred people").low <= 200 <= only("two hundred people").high


def test_figures_that_round_to_each_other_meet_and_others_do_not() -> None:
    assert only("1,960 peacekeepers").meets(only("almost 2,000 peacekeepers"))
    assert not only("$30 million").meets(only("more than $90 million"))


@given(
    st.text(max_size=80) | st.from_regex(r"((about|up to|twenty|-|to|and|\d{1,30}|[,.%$]| |million)){1,9}")
)
def test_any_text_gives_slices_with_a_low_and_a_high(text: str) -> None:
    at = 0
    for figure in figures_in(text):
        assert at <= figure.start < figure.end <= len(text)
        assert figure.low <= figure.high
        assert figure.meets(figure)
        at = figure.end
