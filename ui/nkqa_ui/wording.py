"""Codes and dates in plain English words."""

import re
from collections.abc import Sequence
from datetime import date

_ISO = re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b")
PERSPECTIVES = {
    "party": "A party to the conflict",
    "neighbour": "A neighbouring state",
    "mediator": "A mediator",
    "multilateral": "A multilateral body",
    "outside-analyst": "An outside analyst",
    "newsroom": "A newsroom",
}
TYPES = {
    "report": "Report",
    "article": "Article",
    "article-newspaper": "Newspaper article",
    "article-magazine": "Magazine article",
    "article-journal": "Journal article",
    "broadcast": "Video",
    "motion_picture": "Video",
    "webpage": "Web page",
    "post": "Post",
    "legislation": "Legal text",
    "treaty": "Agreement",
    "document": "Document",
}
REASONS = {
    "not_in_corpus": "Not in the sources",
    "after_corpus": "After the last source",
    "before_corpus": "Before the sources begin",
    "opinion_or_prediction": "An opinion or a forecast",
    "off_topic": "Outside the subject",
    "unclear": "Not clear what is asked",
    "false_premise": "The sources contradict the premise",
    "unsupported_language": "Not in English",
}


def kind(code: str) -> str:
    """Return the word for a CSL type; an unknown one is shown as it is, without dashes."""
    return TYPES.get(code, code.replace("-", " ").replace("_", " ").capitalize())


def voice(code: str) -> str:
    """Return the words for a perspective."""
    return PERSPECTIVES.get(code, code.replace("-", " ").capitalize())


def day(iso: str) -> str:
    """Return `2020-12-22` as `22 December 2020`, `2020-11` as `November 2020`, anything else as it is."""
    parts = iso.split("-")
    try:
        if len(parts) == 3:
            found = date.fromisoformat(iso)
            return f"{found.day} {found:%B %Y}"
        if len(parts) == 2:
            return f"{date(int(parts[0]), int(parts[1]), 1):%B %Y}"
    except ValueError:
        return iso
    return iso


def with_dates(text: str) -> str:
    """Return `text` with dates such as 2020-12-22 in words."""
    return _ISO.sub(lambda match: day(match[0]), text)


def between(earliest: str, latest: str) -> str:
    """Return `16 November to 22 December 2020`; one date where both are the same or one lies in the other."""
    if latest.startswith(earliest) or earliest.startswith(latest):
        return day(min(earliest, latest, key=len))
    first, last = day(earliest), day(latest)
    year = last[-4:]
    return f"{first.removesuffix(' ' + year) if first.endswith(year) else first} to {last}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 source` or `1,960 sources`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def who(author: Sequence[str], publisher: str) -> str:
    """Return who speaks in a source: its authors, and its publisher where that is somebody else."""
    names = listed(list(author))
    return f"{names}, {publisher}" if names and publisher and publisher not in names else names or publisher


def listed(items: list[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return (
        items[0]
        if len(items) == 1
        else ", ".join(items[:-1]) + (" and " if items[:-1] else "") + "".join(items[-1:])
    )
