"""The dates in a text, as far as they are given: a day, a month or a year, or a span of days."""

import re
from dataclasses import dataclass

_MONTHS = "January February March April May June July August September October November December".split()
_NUMBER = {name[:3].lower(): i + 1 for i, name in enumerate(_MONTHS)}
_MONTH = (
    r"(?P<month>"
    + "|".join([*_MONTHS, r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?"])
    + r")"
)
_YEAR = r"(?P<year>(?:1[89]|20)\d\d)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:\s*(?:-|–|to|and|/)\s*(?P<last>[0-3]?\d)(?:st|nd|rd|th)?)?"
_DATE = re.compile(
    rf"\b(?:{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?)\b".replace("(?P<", "(?P<a_")
    + "|"
    + rf"\b(?:{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?)\b(?!,\d)".replace("(?P<", "(?P<b_")
    + "|"
    + rf"\b(?:{_MONTH},?\s+(?:of\s+)?{_YEAR})\b".replace("(?P<", "(?P<c_")
    + "|"
    + r"\b(?P<d_year>(?:1[89]|20)\d\d)-(?P<d_month>[01]\d)-(?P<d_day>[0-3]\d)\b"
    + "|"
    + r"(?<![\d,.$€])\b(?P<e_year>(?:1[89]|20)\d\d)(?:s\b)?"
    + r"(?![\d,]*\d|\.\d|%| (?:peace|troops|soldiers|people|men\b|persons|refugees|metres|km\b|kilo))\b"
    + "|"
    + rf"\b(?:early|mid|late|end of|the end of|since|by|until|in|of)[\s-]{_MONTH}\b(?!\.?,?\s*\d)".replace(
        "(?P<", "(?P<f_"
    ),
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"\b(?:almost|nearly|some|more than|less than|fewer than|at least|as many as)\s+$")
"""What stands before a number that counts something: no year."""


_PART = re.compile(
    r"\b(?:(early|beginning of|start of)|(mid|middle of)|(late|end of))(?:[\s-]|\bthe\b)*$", re.IGNORECASE
)
_PARTS = ((1, 10), (11, 20), (21, 31))
"""Days that the beginning, the middle and the end of a month stand for."""


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date in a text: `text[start:end]`. Parts that the text does not give are None.

    `last` is the last day where a span of days is given (27-30 September), else None. `vague` where the days
    stand for a part of the month: the end of December is its days from the 21st.
    """

    start: int
    end: int
    year: int | None
    month: int | None
    day: int | None
    last: int | None = None
    vague: bool = False

    @property
    def iso(self) -> str:
        """The date as far as it is known: `2020-11-09`, `2020-11` or `2020`; `----` for an unknown year."""
        parts = [f"{self.year:04d}" if self.year else "----"]
        if self.month:
            parts.append(f"{self.month:02d}")
            if self.day and not self.vague:
                parts.append(f"{self.day:02d}")
        return "-".join(parts)

    def agrees(self, other: "DateMention") -> bool:
        """Whether both can be the same date: no part that both give differs."""
        return (
            (self.year is None or other.year is None or self.year == other.year)
            and (self.month is None or other.month is None or self.month == other.month)
            and (self.day is None or other.day is None or _days_meet(self, other))
        )


def _days_meet(one: DateMention, other: DateMention) -> bool:
    assert one.day is not None
    assert other.day is not None
    return one.day <= (other.last or other.day) and other.day <= (one.last or one.day)


def _month(name: str) -> int:
    return int(name) if name.isdigit() else _NUMBER[name[:3].lower()]


def dates_in(text: str) -> list[DateMention]:
    """Return the dates of `text` in order; a year alone counts, a number that is a quantity does not."""
    mentions = []
    for match in _DATE.finditer(text):
        parts = {k[2:]: v for k, v in match.groupdict().items() if v is not None}
        start = match.start()
        if "month" in parts and "day" not in parts and "year" not in parts:
            if not parts["month"][0].isupper():  # "may" and "march" are words too
                continue
            start = match.start("f_month")
        day = int(parts["day"]) if "day" in parts else None
        month = _month(parts["month"]) if "month" in parts else None
        last = int(parts["last"]) if "last" in parts else None
        if (day is not None and not 1 <= day <= (last or 31) <= 31) or (
            month is not None and not 1 <= month <= 12
        ):
            continue
        if month is None and _QUANTITY.search(text, 0, start):
            continue
        year = int(parts["year"]) if "year" in parts else None
        part = _PART.search(text, 0, start) if month and day is None else None
        if part is not None:
            start, (day, last) = part.start(), _PARTS[(part.lastindex or 1) - 1]
        mentions.append(DateMention(start, match.end(), year, month, day, last, vague=part is not None))
    return mentions
