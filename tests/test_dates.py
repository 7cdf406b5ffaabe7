"""Dates as far as a text gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkqa.dates import dates_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("signed on 9 November 2020.", ["2020-11-09"]),
        ("on November 9, 2020", ["2020-11-09"]),
        ("the 9th of November", ["-----11-09"]),
        ("on 9 november 2020", ["2020-11-09"]),
        ("Nov. 2020", ["2020-11"]),
        ("in November 2020 and December", ["2020-11"]),
        ("by December", ["-----12"]),
        ("since 1994", ["1994"]),
        ("2020-11-09", ["2020-11-09"]),
        ("from 27 September to 10 November 2020", ["-----09-27", "2020-11-10"]),
        ("Sept 1, 1991", ["1991-09-01"]),
    ],
)
def test_dates_are_found_as_far_as_given(text: str, found: list[str]) -> None:
    assert [d.iso for d in dates_in(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "they may leave",
        "1,960 peacekeepers",
        "2000 troops",
        "1960 people",
        "almost 2000 Armenians",
        "more than 1900 families",
        "$2000",
        "31,2020",
        "45 November",
        "0 May 20",
        "2000.5 kilos",
        "1999%",
        "",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert [d.iso for d in dates_in(text)] == []


def test_a_month_that_does_not_exist_is_no_date() -> None:
    assert dates_in("2020-19-02") == []


def test_a_span_of_days_knows_its_last() -> None:
    (mention,) = dates_in("on 27-30 September 2020")
    assert (mention.day, mention.last, mention.month, mention.year) == (27, 30, 9, 2020)


def test_a_span_that_runs_backwards_is_no_date() -> None:
    assert dates_in("30-27 September 2020") == []


@given(st.text(max_size=120) | st.from_regex(r"(\d{1,4}[ ,./-]{1,2}|May |Nov\. |2020|in |of ){1,8}"))
def test_a_date_is_a_slice_and_can_be_meant(text: str) -> None:
    at = 0
    for date in dates_in(text):
        assert at <= date.start < date.end <= len(text)
        assert date.month is None or 1 <= date.month <= 12
        assert date.day is None or 1 <= date.day <= (date.last or 31) <= 31
        assert date.agrees(date)
        at = date.end


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("9 November 2020", "November 2020", True),
        ("9 November", "9 November 2020", True),
        ("9 November 2020", "10 November 2020", False),
        ("1 December 2020", "15 November 2020", False),
        ("27-30 September", "28 September", True),
        ("27-30 September", "26 September", False),
        ("in 1994", "in 2020", False),
        ("the end of December 2020", "25 December 2020", True),
        ("the end of December 2020", "1 December 2020", False),
        ("mid-November", "15 November 2020", True),
        ("early May", "late May", False),
    ],
)
def test_dates_agree_unless_a_part_differs(one: str, other: str, agree: bool) -> None:
    (a,), (b,) = dates_in(one), dates_in(other)
    assert a.agrees(b) is agree
    assert b.agrees(a) is agree
